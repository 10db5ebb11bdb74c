// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* One end of a protocol between tokens; see side.h. */
#include "side.h"
#include "token.h"

static const u8 f4[] = { 1, 0, 1 };

static const char *pin_of(u32 role)
{
	switch (role) {
	case CKU_SO:
		return FX_SO_PIN;
	case CKU_USER:
		return FX_CO_PIN;
	default:
		return FX_CU_PIN;
	}
}

void fx_side_open(struct fx_side *side, const struct luna_crypto_ops *crypto, u32 slot)
{
	fx_open(&side->fx, crypto, slot);
	fx_check(fx_ready(&side->fx, &side->open, &side->session) == CKR_OK);
}

static void release(struct fx_side *side)
{
	if (side->open)
		luna_release(side->open);
	side->open = NULL;
}

void fx_side_close(struct fx_side *side)
{
	release(side);
	if (side->fx.token)
		fx_close(&side->fx);
}

void fx_side_attach(struct fx_side *side)
{
	release(side);
	side->open = luna_open(side->fx.token);
	fx_check(!IS_ERR(side->open));
	side->session = 0;
	if (side->fx.token->state->initialised && !side->fx.token->damaged)
		fx_check(fx_session(side->open, true, &side->session) == CKR_OK);
}

void fx_side_restart(struct fx_side *side)
{
	release(side);
	fx_reopen(&side->fx);
	fx_side_attach(side);
}

void fx_side_init(struct fx_side *side, u32 type, const char *domain, u32 flags)
{
	release(side);
	side->open = luna_open(side->fx.token);
	fx_check(!IS_ERR(side->open));
	fx_check(fx_init_token_flags(side->open, type, FX_SO_PIN, domain, flags) == CKR_OK);
	fx_check(fx_session(side->open, true, &side->session) == CKR_OK);
	fx_side_as(side, CKU_SO);
	fx_check(fx_init_pin(side->open, side->session, CKU_USER, FX_CO_PIN) == CKR_OK);
	fx_side_as(side, CKU_USER);
}

void fx_side_as(struct fx_side *side, u32 role)
{
	if (luna_open_role(side->open) >= 0)
		fx_check(fx_logout(side->open, side->session) == CKR_OK);
	if (role != LUNA_ROLE_NONE)
		fx_check(fx_login(side->open, side->session, role, pin_of(role)) == CKR_OK);
}

s64 fx_policy_set(struct fx_side *side, u32 scope, u32 id, u32 value, u32 flags)
{
	struct luna_policy_set arg = {
		.hdr.session = side->session, .scope = scope, .count = 1, .flags = flags,
	};
	u32 pair[2] = { id, value };

	return fx_call(side->open, LUNA_POLICY_SET, &arg, sizeof(arg), pair, sizeof(pair), NULL,
		       NULL);
}

void fx_side_set_policy(struct fx_side *side, u32 scope, u32 id, u32 value)
{
	fx_side_as(side, CKU_SO);
	fx_check(fx_policy_set(side, scope, id, value, LUNA_POLICY_SET_DESTRUCTIVE) == CKR_OK);
	fx_side_as(side, CKU_USER);
}

/* ---- objects ---- */

s64 fx_make_data(struct fx_side *side, bool token, bool private, u32 *handle)
{
	struct fx_tmpl *tmpl = luna_test_alloc(sizeof(*tmpl));
	s64 rv;

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(tmpl, CKA_TOKEN, token);
	fx_attr_bool(tmpl, CKA_PRIVATE, private);
	fx_attr_text(tmpl, CKA_VALUE, "data");
	rv = fx_create(side->open, side->session, tmpl, handle);
	luna_test_free(tmpl);
	return rv;
}

s64 fx_make_aes(struct fx_side *side, u32 *handle)
{
	struct fx_tmpl *tmpl = luna_test_alloc(sizeof(*tmpl));
	s64 rv;

	fx_attr_bool(tmpl, CKA_TOKEN, true);
	fx_attr_bool(tmpl, CKA_EXTRACTABLE, false);
	fx_attr_bool(tmpl, CKA_MODIFIABLE, false);
	fx_attr_ulong(tmpl, CKA_VALUE_LEN, 32);
	rv = fx_generate_key(side->open, side->session, CKM_AES_KEY_GEN, tmpl, handle);
	luna_test_free(tmpl);
	return rv;
}

s64 fx_make_login_pair(struct fx_side *side, bool modifiable, u32 *pub, u32 *priv)
{
	static const u32 pub_off[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP,
				       CKA_DERIVE };
	static const u32 priv_off[] = { CKA_EXTRACTABLE, CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER,
					CKA_UNWRAP, CKA_DERIVE };
	static const u32 priv_on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE };
	struct fx_tmpl *tmpl = luna_test_alloc(2 * sizeof(*tmpl));
	u32 i;
	s64 rv;

	fx_attr_bool(&tmpl[0], CKA_TOKEN, true);
	fx_attr_ulong(&tmpl[0], CKA_MODULUS_BITS, 2048);
	fx_attr(&tmpl[0], CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
	for (i = 0; i < ARRAY_SIZE(pub_off); i++)
		fx_attr_bool(&tmpl[0], pub_off[i], false);
	for (i = 0; i < ARRAY_SIZE(priv_off); i++)
		fx_attr_bool(&tmpl[1], priv_off[i], false);
	for (i = 0; i < ARRAY_SIZE(priv_on); i++)
		fx_attr_bool(&tmpl[1], priv_on[i], true);
	fx_attr_bool(&tmpl[1], CKA_MODIFIABLE, modifiable);
	rv = fx_generate_pair(side->open, side->session, CKM_RSA_PKCS_KEY_PAIR_GEN, &tmpl[0],
			      &tmpl[1], pub, priv);
	luna_test_free(tmpl);
	return rv;
}

/* ---- messages ---- */

s64 fx_step(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
	    const struct fx_message *in, struct fx_message *out)
{
	u32 len = FX_MESSAGE_MAX;
	s64 rv;

	arg->hdr = (struct luna_hdr){ .session = session };
	rv = fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0,
		     out ? out->data : NULL, out ? &len : NULL);
	if (!rv && out)
		out->len = len;
	return rv;
}

s64 fx_send(struct fx_side *side, u32 nr, struct luna_blob arg, const struct fx_message *in,
	    struct fx_message *out)
{
	return fx_step(side, side->session, nr, &arg, in, out);
}

s64 fx_step_query(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
		  const struct fx_message *in, u32 *len)
{
	*len = LUNA_OUT_QUERY;
	arg->hdr = (struct luna_hdr){ .session = session };
	return fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0, NULL, len);
}

s64 fx_step_short(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
		  const struct fx_message *in)
{
	u32 len, need;
	s64 rv = fx_step_query(side, session, nr, arg, in, &need);
	u8 *room;

	if (rv)
		return rv;
	len = need - 1;
	room = luna_test_alloc(len);
	arg->hdr = (struct luna_hdr){ .session = session };
	rv = fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0, room, &len);
	fx_check(rv != CKR_BUFFER_TOO_SMALL || len == need);
	luna_test_free(room);
	return rv;
}

static void refuses(const struct fx_taker *t, bool changed, u32 at, const struct fx_message *msg,
		    struct fx_message *reply)
{
	s64 rv = fx_send(t->side, t->nr, t->arg, msg, t->replies ? reply : NULL);
	char what[80];

	if (rv == t->refusal || (changed && rv == t->refusal2))
		return;
	scnprintf(what, sizeof(what), "command %u, %s at %u: %#llx", t->nr,
		  changed ? "changed" : "cut or lengthened", at, (unsigned long long)rv);
	luna_test_failed(what, __FILE__, __LINE__);
}

void fx_refuses_altered(const struct fx_taker *t, const struct fx_message *msg)
{
	struct fx_message *altered = luna_test_alloc(2 * sizeof(*altered)), *reply = altered + 1;
	struct fx_fingerprint print;
	u32 i;

	fx_print(t->side, &print);
	*altered = *msg;
	for (i = 0; i < msg->len; i += t->stride) {
		altered->data[i] ^= 1 << i % 8;
		refuses(t, true, i, altered, reply);
		altered->data[i] = msg->data[i];
		altered->len = i;
		refuses(t, false, i, altered, reply);
		altered->len = msg->len;
	}
	altered->data[altered->len++] = 0;
	refuses(t, false, msg->len, altered, reply);
	fx_check(fx_same(t->side, &print));
	luna_test_free(altered);
}

/* ---- M of N ---- */

s64 fx_mofn_generate(struct fx_side *side, u32 m, u32 n, u32 flags, u32 room, u8 *vectors)
{
	struct luna_mofn arg = { .hdr.session = side->session, .m = m, .n = n, .flags = flags };
	u32 pairs[2 * FX_VECTORS], i;
	size_t len = FX_VECTORS * FX_VECTOR_ROW;
	s64 rv;

	for (i = 0; i < FX_VECTORS; i++) {
		pairs[2 * i] = 1;
		pairs[2 * i + 1] = room;
	}
	rv = fx_call(side->open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs,
		     8 * min_t(u32, n, FX_VECTORS), vectors, &len);
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		fx_check(arg.secret_len == FX_VECTOR);
	return rv;
}

s64 fx_mofn_activate(struct fx_side *side, const u8 *rows, u32 n)
{
	struct luna_mofn arg = { .hdr.session = side->session, .n = n };

	return fx_call(side->open, LUNA_MOFN_ACTIVATE, &arg, sizeof(arg), rows, n * FX_VECTOR_ROW,
		       NULL, NULL);
}

s64 fx_mofn_deactivate(struct fx_side *side)
{
	struct luna_hdr hdr = { .session = side->session };

	return fx_call(side->open, LUNA_MOFN_DEACTIVATE, &hdr, sizeof(hdr), NULL, 0, NULL, NULL);
}

struct luna_mofn_status fx_mofn_status(struct fx_side *side)
{
	struct luna_mofn_status arg = { 0 };

	fx_check(fx_call(side->open, LUNA_MOFN_STATUS, &arg, sizeof(arg), NULL, 0, NULL, NULL) ==
		 CKR_OK);
	return arg;
}

u32 fx_mofn_flags(struct fx_side *side)
{
	return fx_mofn_status(side).flags;
}

/* ---- nothing changed ---- */

void fx_print(const struct fx_side *side, struct fx_fingerprint *print)
{
	const struct memstore_bytes *content = &side->fx.store->content;
	const struct luna_token *token = side->fx.token;
	struct luna_state *state = luna_test_alloc(sizeof(*state));
	u32 i;

	memset(print, 0, sizeof(*print));
	memcpy(state, token->state, sizeof(*state));
	for (i = 0; i < LUNA_ROLES; i++) {
		print->attempts += state->roles[i].failed;
		state->roles[i].failed = 0;
	}
	print->stored = content->len;
	print->content = luna_crc32(content->data, content->len);
	print->state = luna_crc32(state, sizeof(*state));
	luna_test_free(state);
	print->objects = token->objects.table.live;
	print->session_objects = side->open->objects.table.live;
	print->role = luna_open_role(side->open);
	print->mofn_active = token->mofn_active;
}

bool fx_same(const struct fx_side *side, const struct fx_fingerprint *print)
{
	struct fx_fingerprint now;

	fx_print(side, &now);
	return !memcmp(&now, print, sizeof(now));
}
