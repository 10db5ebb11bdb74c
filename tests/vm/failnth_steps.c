// SPDX-License-Identifier: MIT
/*
 * Each command of the ABI as it succeeds, on two tokens, in an order in which one makes what others
 * need. Here are that order and what the steps of all parts need.
 */
#include <fcntl.h>
#include <unistd.h>

#include "failnth_steps.h"

struct side a = { .path = "/dev/luna0" }, b = { .path = "/dev/luna1" };
u8 text[PIECE + 16], cipher[PIECE + 16];
u32 cipher_len;
const u8 iv[16] = { 1, 2, 3 };

s64 side_open(struct side *side)
{
	bool armed = armed_nth && armed_nr == OPEN_FILE;
	int fd, err;

	if (armed)
		inject_begin(armed_nth);
	fd = open(side->path, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (armed) {
		hit = inject_end();
		armed_nth = 0;
	}
	side->open = fd < 0 ? NULL : (struct luna_open *)(intptr_t)fd;
	return err;
}

s64 side_close(struct side *side)
{
	if (side->open)
		close(descriptor(side->open));
	side->open = NULL;
	return 0;
}

s64 bare(struct side *side, u32 nr, u32 session)
{
	struct luna_hdr hdr = { .session = session };

	return fx_call(side->open, nr, &hdr, sizeof(hdr), NULL, 0, NULL, NULL);
}

s64 init_token(struct side *side, const char *domain, u32 flags)
{
	struct luna_init_token init = {
		.pin_len = strlen(FX_SO_PIN),
		.domain_len = strlen(domain),
		.type = LUNA_TOKEN_PPSO,
		.flags = flags,
	};
	char payload[128];
	int len = snprintf(payload, sizeof(payload), "%s%s", FX_SO_PIN, domain);

	memset(init.label, ' ', sizeof(init.label));
	return fx_call(side->open, LUNA_INIT_TOKEN, &init, sizeof(init), payload, len, NULL, NULL);
}

static u32 logged_in_as(struct side *side)
{
	struct luna_session_info info = { .hdr.session = side->session };

	if (fx_call(side->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL))
		return LUNA_ROLE_NONE;
	return info.role;
}

s64 be(struct side *side, u32 role)
{
	u32 now = logged_in_as(side);
	s64 ret = 0;

	if (now == role)
		return 0;
	if (now != LUNA_ROLE_NONE)
		ret = fx_logout(side->open, side->session);
	if (ret || role == LUNA_ROLE_NONE)
		return ret;
	return fx_login(side->open, side->session, role, role == CKU_SO ? FX_SO_PIN : FX_CO_PIN);
}

s64 slot_info(struct side *side, struct luna_slot_info *info)
{
	memset(info, 0, sizeof(*info));
	return fx_call(side->open, LUNA_SLOT_INFO, info, sizeof(*info), NULL, 0, NULL, NULL);
}

s64 role_state(struct side *side, u32 role, struct luna_role_state *state)
{
	*state = (struct luna_role_state){ .role = role };
	return fx_call(side->open, LUNA_ROLE_STATE, state, sizeof(*state), NULL, 0, NULL, NULL);
}

/* ---- all steps ---- */

const struct step *const step_lists[] = {
	token_steps,
	object_steps,
	generation_steps,
	operation_steps,
	wrap_steps,
	clone_steps,
	image_steps,
	end_steps,
	restore_steps,
	NULL
};
