// SPDX-License-Identifier: MIT
/* LUNA_OP by every way there is; see op_calls.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "op_calls.h"

u32 op_key_but(struct fx_side *side, u32 type, const u8 *value, u32 len, u32 but, bool private)
{
	static const u32 rights[] = { CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,
				      CKA_VERIFY,  CKA_WRAP,	CKA_UNWRAP };
	struct fx_tmpl tmpl = {};
	u32 handle;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, type);
	fx_attr(&tmpl, CKA_VALUE, value, len);
	fx_attr_bool(&tmpl, CKA_TOKEN, false);
	fx_attr_bool(&tmpl, CKA_PRIVATE, private);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, private);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, !private);
	for (u32 i = 0; i < ARRAY_SIZE(rights); i++)
		fx_attr_bool(&tmpl, rights[i], rights[i] != but);
	assert_int_equal(fx_create(side->open, side->session, &tmpl, &handle), CKR_OK);
	return handle;
}

u32 op_key(struct fx_side *side, u32 type, const struct bytes *value)
{
	return op_key_but(side, type, value->data, value->len, CKA_ID, true);
}

struct bytes op_ctr_param(u32 bits, const char *counter)
{
	struct luna_ctr_param p = { .counter_bits = bits };
	struct bytes cb = hex(counter), b = { .len = sizeof(p) };

	memcpy(p.cb, cb.data, sizeof(p.cb));
	memcpy(b.data, &p, sizeof(p));
	return b;
}

s64 op_run(struct fx_side *side, struct op_call *c)
{
	struct luna_op arg = {
		.hdr.session = side->session,
		.op = c->op,
		.step = c->step,
		.mechanism = c->mech,
		.key = c->key,
		.param_len = c->param_len,
		.data_len = c->data_len,
		.sig_len = c->sig_len,
		.out_max = c->out_max,
		.offset = c->offset,
		.total = c->total,
	};
	u32 param_len = c->param_len == LUNA_PARAM_MALFORMED ? 0 : c->param_len;
	u32 data_len = c->data ? c->data_len : 0;
	u32 len = param_len + data_len + c->sig_len;
	u8 *payload = test_malloc(len + 1);
	size_t room = c->out ? OP_ROOM : 0;
	s64 rv;

	if (param_len)
		memcpy(payload, c->param, param_len);
	if (data_len)
		memcpy(payload + param_len, c->data, data_len);
	if (c->sig_len)
		memcpy(payload + param_len + data_len, c->sig, c->sig_len);
	rv = fx_call(side->open, LUNA_OP, &arg, sizeof(arg), payload, len, c->out, &room);
	test_free(payload);
	c->need = arg.out_need;
	c->got = room;
	if (rv)
		assert_int_equal(c->got, 0);
	return rv;
}

s64 op_init(struct fx_side *side, u32 op, u32 mech, u32 key, const void *param, u32 param_len)
{
	struct op_call c = {
		.op = op, .step = LUNA_STEP_INIT, .mech = mech, .key = key, .param = param,
		.param_len = param_len,
	};

	return op_run(side, &c);
}

s64 op_update(struct fx_side *side, u32 op, const void *data, u32 len, void *out, u32 *out_len)
{
	struct op_call c = {
		.op = op, .step = LUNA_STEP_UPDATE, .data = data, .data_len = len, .out = out,
		.out_max = *out_len,
	};
	s64 rv = op_run(side, &c);

	*out_len = c.need;
	return rv;
}

s64 op_final(struct fx_side *side, u32 op, void *out, u32 *out_len)
{
	struct op_call c = { .op = op, .step = LUNA_STEP_FINAL, .out = out, .out_max = *out_len };
	s64 rv = op_run(side, &c);

	*out_len = c.need;
	return rv;
}

s64 op_verify_final(struct fx_side *side, const void *sig, u32 sig_len)
{
	struct op_call c = {
		.op = LUNA_OP_VERIFY, .step = LUNA_STEP_FINAL, .sig = sig, .sig_len = sig_len,
	};

	return op_run(side, &c);
}

s64 op_oneshot(struct fx_side *side, u32 op, const void *data, u32 len, void *out, u32 *out_len)
{
	struct op_call c = {
		.op = op, .step = LUNA_STEP_ONESHOT, .data = data, .data_len = len, .total = len,
		.out = out, .out_max = *out_len,
	};
	s64 rv;

	if (*out_len == LUNA_OUT_QUERY) {
		c.data = NULL;
		c.data_len = 0;
	}
	rv = op_run(side, &c);
	*out_len = c.need;
	return rv;
}

s64 op_cancel(struct fx_side *side, u32 op)
{
	struct op_call c = { .op = op, .step = LUNA_STEP_CANCEL };

	return op_run(side, &c);
}

s64 op_whole(struct fx_side *side, u32 op, u32 mech, u32 key, const struct bytes *param,
	     const void *in, u32 in_len, void *out, u32 *out_len)
{
	return fx_op(side->open, side->session, op, mech, key, param->data, param->len, in, in_len,
		     NULL, 0, out, out_len);
}

void op_assert_ended(struct fx_side *side, u32 op)
{
	u8 byte = 0;
	u32 len = 1;

	assert_int_equal(op_update(side, op, &byte, 1, NULL, &len), CKR_OPERATION_NOT_INITIALIZED);
}

s64 op_crypt(struct fx_side *side, u32 op, u32 mech, u32 key, const struct bytes *param,
	     u32 in_len)
{
	u8 *in = test_calloc(1, in_len + 1), *out = test_malloc(OP_ROOM);
	u32 len = OP_ROOM;
	s64 rv = fx_op(side->open, side->session, op, mech, key, param->data, param->len, in,
		       in_len, NULL, 0, out, &len);

	test_free(in);
	test_free(out);
	op_assert_ended(side, op);
	return rv;
}

/* ---- a case: one input and its output, by every way there is ---- */

void op_case_oneshot(struct fx_side *side, const struct op_case *t, u8 *out)
{
	u32 len = OP_ROOM;

	assert_int_equal(
		op_whole(side, t->op, t->mech, t->key, &t->param, t->in.data, t->in.len, out, &len),
		CKR_OK);
	assert_int_equal(len, t->out.len);
	assert_memory_equal(out, t->out.data, len);
	op_assert_ended(side, t->op);
}

/* The buffer may be just large enough, a query tells so or more, and a byte less is refused. */
static void case_sizes(struct fx_side *side, const struct op_case *t, u8 *out)
{
	u32 len = LUNA_OUT_QUERY;

	assert_int_equal(op_init(side, t->op, t->mech, t->key, t->param.data, t->param.len),
			 CKR_OK);
	assert_int_equal(op_oneshot(side, t->op, t->in.data, t->in.len, NULL, &len), CKR_OK);
	assert_true(len >= t->out.len && len <= t->out.len + LUNA_AES_BLOCK);
	if (t->out.len) {
		len = t->out.len - 1;
		assert_int_equal(op_oneshot(side, t->op, t->in.data, t->in.len, out, &len),
				 CKR_BUFFER_TOO_SMALL);
		assert_true(len >= t->out.len);
	}
	len = t->out.len;
	assert_int_equal(op_oneshot(side, t->op, t->in.data, t->in.len, out, &len), CKR_OK);
	assert_int_equal(len, t->out.len);
	assert_memory_equal(out, t->out.data, len);
	op_assert_ended(side, t->op);
}

/* With a query and a short buffer before every step. */
static u32 case_step(struct fx_side *side, const struct op_case *t, bool end, const u8 *in,
		     u32 in_len, u8 *out)
{
	bool sized = end || t->op <= LUNA_OP_DECRYPT;
	struct op_call c = {
		.op = t->op, .step = end ? LUNA_STEP_FINAL : LUNA_STEP_UPDATE, .data_len = in_len,
		.out = out, .out_max = LUNA_OUT_QUERY,
	};
	u32 most;

	if (sized) {
		assert_int_equal(op_run(side, &c), CKR_OK);
		assert_int_equal(c.got, 0);
	}
	c.data = in;
	most = c.need;
	c.out_max = 0;
	if (sized && op_run(side, &c) == CKR_OK)
		return 0;
	c.out_max = most;
	assert_int_equal(op_run(side, &c), CKR_OK);
	assert_true(c.need <= most);
	assert_int_equal(c.got, c.need);
	return c.need;
}

static void case_updates(struct fx_side *side, const struct op_case *t, u32 step, u8 *out)
{
	u32 made = 0, part;

	assert_int_equal(op_init(side, t->op, t->mech, t->key, t->param.data, t->param.len),
			 CKR_OK);
	for (u32 at = 0; at < t->in.len; at += part) {
		part = min_t(u32, step, t->in.len - at);
		made += case_step(side, t, false, t->in.data + at, part, out + made);
	}
	made += case_step(side, t, true, NULL, 0, out + made);
	assert_int_equal(made, t->out.len);
	assert_memory_equal(out, t->out.data, made);
	op_assert_ended(side, t->op);
}

static void case_pieces(struct fx_side *side, const struct op_case *t, u32 step, u8 *out)
{
	struct op_call c = {
		.op = t->op, .step = LUNA_STEP_ONESHOT, .total = t->in.len, .out_max = t->out.len,
	};
	u32 made = 0, part;

	assert_int_equal(op_init(side, t->op, t->mech, t->key, t->param.data, t->param.len),
			 CKR_OK);
	for (u32 at = 0; at < t->in.len; at += part) {
		part = min_t(u32, step, t->in.len - at);
		c.offset = at;
		c.data = t->in.data + at;
		c.data_len = part;
		c.out = out + made;
		assert_int_equal(op_run(side, &c), CKR_OK);
		assert_int_equal(c.got, c.need);
		made += c.got;
	}
	assert_int_equal(made, t->out.len);
	assert_memory_equal(out, t->out.data, made);
	op_assert_ended(side, t->op);
}

void op_case_run(struct fx_side *side, const struct op_case *t)
{
	static const u32 steps[] = { 1, 7, 15, 16, 17, 33, 64 };
	u8 *out = test_malloc(2 * OP_ROOM);

	op_case_oneshot(side, t, out);
	case_sizes(side, t, out);
	for (u32 i = 0; i < ARRAY_SIZE(steps); i++) {
		case_updates(side, t, steps[i], out);
		if (t->in.len)
			case_pieces(side, t, steps[i], out);
	}
	test_free(out);
}

void op_case_swap(struct op_case *t)
{
	struct bytes in = t->in;

	t->in = t->out;
	t->out = in;
	t->op = LUNA_OP_DECRYPT;
}

static s64 case_verify(struct fx_side *side, const struct op_case *t, const u8 *sig, u32 sig_len)
{
	s64 rv = fx_op(side->open, side->session, LUNA_OP_VERIFY, t->mech, t->key, t->param.data,
		       t->param.len, t->in.data, t->in.len, sig, sig_len, NULL, NULL);

	op_assert_ended(side, LUNA_OP_VERIFY);
	return rv;
}

void op_case_verify(struct fx_side *side, const struct op_case *t)
{
	struct bytes sig = t->out;
	u32 none = 0;

	assert_int_equal(case_verify(side, t, sig.data, sig.len), CKR_OK);
	assert_int_equal(case_verify(side, t, sig.data, sig.len - 1), CKR_SIGNATURE_LEN_RANGE);
	assert_int_equal(case_verify(side, t, sig.data, sig.len + 1), CKR_SIGNATURE_LEN_RANGE);
	for (u32 i = 0; i < sig.len; i++) {
		sig.data[i] ^= 1;
		assert_int_equal(case_verify(side, t, sig.data, sig.len), CKR_SIGNATURE_INVALID);
		sig.data[i] ^= 1;
	}
	assert_int_equal(op_init(side, LUNA_OP_VERIFY, t->mech, t->key, t->param.data,
				 t->param.len),
			 CKR_OK);
	for (u32 i = 0; i < t->in.len; i++)
		assert_int_equal(op_update(side, LUNA_OP_VERIFY, t->in.data + i, 1, NULL, &none),
				 CKR_OK);
	assert_int_equal(op_verify_final(side, sig.data, sig.len), CKR_OK);
	assert_int_equal(op_verify_final(side, sig.data, sig.len), CKR_OPERATION_NOT_INITIALIZED);
}
