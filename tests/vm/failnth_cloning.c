// SPDX-License-Identifier: MIT
/* Steps of the protocols between two tokens: cloning, M of N, HA login. */
#include "failnth_steps.h"

enum { VECTORS = 3 };

struct message {
	u32 len;
	u8 data[ROOM];
};

static struct message twc, part1, part2, mofn_request, mofn_answer;
static u32 login_public, login_private, login_clone;
static u8 vectors[VECTORS * 64];

/* ---- cloning ---- */

static s64 blob(struct side *side, u32 session, u32 nr, struct luna_blob *arg,
		const struct message *in, struct message *out)
{
	u32 len = ROOM;
	s64 ret;

	arg->hdr.session = session;
	ret = fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0,
		      out ? out->data : NULL, out ? &len : NULL);
	if (!ret && out)
		out->len = len;
	return ret;
}

static u32 element = CK_CRYPTOKI_ELEMENT;
static u32 cloned, clone;	/* what is cloned, and its clone */

static s64 clone_aes(void)
{
	cloned = aes;
	return 0;
}

static s64 source_init(void)
{
	struct luna_blob arg = { .type = element };

	return blob(&a, a.session, LUNA_CLONE_SOURCE_INIT, &arg, NULL, &twc);
}

static s64 target_init(void)
{
	struct luna_blob arg = { .type = element };

	return blob(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &part1);
}

static s64 source(void)
{
	struct luna_blob arg = { .type = element, .handle = cloned };

	return blob(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2);
}

static s64 target(void)
{
	struct luna_blob arg = { .type = element };
	s64 ret = blob(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);

	clone = ret ? 0 : arg.handle;
	return ret;
}

static s64 before_source(void)
{
	return source_init() ?: target_init();
}

static s64 before_target(void)
{
	u32 handle = clone;

	clone = 0;
	return (handle ? fx_destroy(b.open, b.session, handle) : 0) ?: before_source() ?: source();
}

/* ---- M of N ---- */

static s64 mofn_generate(void)
{
	struct luna_mofn arg = {
		.hdr.session = a.session,
		.m = 2,
		.n = VECTORS,
		.flags = LUNA_MOFN_CLONEABLE,
	};
	u32 pairs[2 * VECTORS] = { 1, 512, 1, 512, 1, 512 };
	size_t len = sizeof(vectors);

	return fx_call(a.open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, sizeof(pairs), vectors,
		       &len);
}

static s64 mofn_activate(void)
{
	struct luna_mofn arg = { .hdr.session = a.session, .n = 2 };
	u32 length, row;

	memcpy(&length, vectors, sizeof(length));
	row = sizeof(length) + length;
	return fx_call(a.open, LUNA_MOFN_ACTIVATE, &arg, sizeof(arg), vectors, 2 * row, NULL, NULL);
}

static s64 mofn_deactivate(void)
{
	return bare(&a, LUNA_MOFN_DEACTIVATE, a.session);
}

static s64 mofn_status(void)
{
	struct luna_mofn_status arg = { 0 };

	return fx_call(a.open, LUNA_MOFN_STATUS, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

/* ---- HA login ---- */

static s64 ha_init(void)
{
	struct luna_blob arg = { .handle = login_clone };

	return blob(&b, b.session, LUNA_HA_INIT, &arg, NULL, NULL);
}

static s64 ha_master(void)
{
	struct luna_blob arg = { 0 };

	return blob(&a, 0, LUNA_HA_MASTER_PUBLIC, &arg, NULL, &twc);
}

static s64 ha_challenge(void)
{
	struct luna_blob arg = { .role = CKU_USER };

	return blob(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &part1);
}

static s64 ha_answer(void)
{
	struct luna_blob arg = { .handle = login_private };

	return blob(&a, a.session, LUNA_HA_ANSWER, &arg, &part1, &part2);
}

static s64 ha_login(void)
{
	struct luna_blob arg = { 0 };

	return blob(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &mofn_request);
}

static s64 ha_mofn_answer(void)
{
	struct luna_blob arg = { 0 };

	return blob(&a, a.session, LUNA_HA_MOFN_ANSWER, &arg, &mofn_request, &mofn_answer);
}

static s64 ha_mofn_activate(void)
{
	struct luna_blob arg = { 0 };

	return blob(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &arg, &mofn_answer, NULL);
}

static s64 b_public(void)
{
	return be(&b, LUNA_ROLE_NONE);
}

static s64 before_answer(void)
{
	return b_public() ?: ha_challenge();
}

static s64 before_login(void)
{
	return before_answer() ?: ha_answer();
}

static s64 before_mofn_answer(void)
{
	s64 ret = be(&b, CKU_USER) ?: bare(&b, LUNA_MOFN_DEACTIVATE, b.session);

	return ret ?: before_login() ?: ha_login();
}

static s64 before_mofn_activate(void)
{
	return before_mofn_answer() ?: ha_mofn_answer();
}

/* b requires M of N, has a's secret, and a clone of a's login key. */
static s64 ready_for_ha(void)
{
	s64 ret = generate_pair(1024, true, &login_public, &login_private) ?:
		  fx_session_close(b.open, b.session) ?: init_token(&b, FX_DOMAIN, LUNA_INIT_MOFN) ?:
		  fx_session(b.open, true, &b.session) ?: be(&b, CKU_SO) ?:
		  fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN) ?: be(&b, CKU_USER);

	clone = 0;
	cloned = 0;
	element = CK_MOFN_ACTIVATION_ELEMENT;
	ret = ret ?: before_target() ?: target();
	clone = 0;
	cloned = login_private;
	element = CK_CRYPTOKI_ELEMENT;
	ret = ret ?: before_target() ?: target();
	login_clone = clone;
	return ret;
}

const struct step clone_steps[] = {
	{ "clone: source's begin", LUNA_CLONE_SOURCE_INIT, source_init, .once = clone_aes },
	{ "clone: target's begin", LUNA_CLONE_TARGET_INIT, .run = target_init },
	{ "clone: source", LUNA_CLONE_SOURCE, source, .before = before_source },
	{ "clone: target", LUNA_CLONE_TARGET, target, .before = before_target },
	{ "M of N: generate", LUNA_MOFN_GENERATE, .run = mofn_generate },
	{ "M of N: activate", LUNA_MOFN_ACTIVATE, .run = mofn_activate },
	{ "M of N: deactivate", LUNA_MOFN_DEACTIVATE, .run = mofn_deactivate },
	{ "M of N: status", LUNA_MOFN_STATUS, .run = mofn_status },
	{ "HA login: set up", LUNA_HA_INIT, ha_init, .once = ready_for_ha },
	{ "HA login: certificate", LUNA_HA_MASTER_PUBLIC, .run = ha_master },
	{ "HA login: challenge", LUNA_HA_CHALLENGE, ha_challenge, .before = b_public },
	{ "HA login: answer", LUNA_HA_ANSWER, ha_answer, .before = before_answer },
	{ "HA login: log in", LUNA_HA_LOGIN, ha_login, .before = before_login },
	{ "HA login: M of N answer", LUNA_HA_MOFN_ANSWER, ha_mofn_answer,
	  .before = before_mofn_answer },
	{ "HA login: M of N", LUNA_HA_MOFN_ACTIVATE, ha_mofn_activate,
	  .before = before_mofn_activate },
	{ .name = NULL }
};
