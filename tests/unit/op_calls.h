/* SPDX-License-Identifier: MIT */
/*
 * LUNA_OP for unit tests: a step at a time, a whole call at once, and a known answer by every way
 * that there is. What returns s64 returns CKR_*; *@out_len is out_max of the call and becomes
 * out_need.
 */
#ifndef LUNA_TEST_OP_CALLS_H
#define LUNA_TEST_OP_CALLS_H

#include "hex.h"
#include "side.h"

enum { OP_ROOM = 100000 };

/* op_key() - a private, sensitive session key with all rights */
u32 op_key(struct fx_side *side, u32 type, const struct bytes *value);
/* op_key_but() - without the right @but; not @private: anybody may see its value */
u32 op_key_but(struct fx_side *side, u32 type, const u8 *value, u32 len, u32 but, bool private);

/* op_ctr_param() - of CKM_AES_CTR; @counter: the block, in hexadecimal */
struct bytes op_ctr_param(u32 bits, const char *counter);

/**
 * struct op_call - one LUNA_OP
 * @out: room of OP_ROOM bytes, or NULL
 * @need: out_need of the reply
 * @got: bytes that came
 */
struct op_call {
	u32 op, step, mech, key;
	const void *param;
	u32 param_len;
	const void *data;
	u32 data_len;
	const void *sig;
	u32 sig_len;
	u64 offset, total;
	u32 out_max;
	void *out;
	u32 need;
	size_t got;
};

s64 op_run(struct fx_side *side, struct op_call *call);
s64 op_init(struct fx_side *side, u32 op, u32 mech, u32 key, const void *param, u32 param_len);
s64 op_update(struct fx_side *side, u32 op, const void *data, u32 len, void *out, u32 *out_len);
s64 op_final(struct fx_side *side, u32 op, void *out, u32 *out_len);
s64 op_verify_final(struct fx_side *side, const void *sig, u32 sig_len);
s64 op_oneshot(struct fx_side *side, u32 op, const void *data, u32 len, void *out, u32 *out_len);
s64 op_cancel(struct fx_side *side, u32 op);
/* op_whole() - Init and the whole call in one command */
s64 op_whole(struct fx_side *side, u32 op, u32 mech, u32 key, const struct bytes *param,
	     const void *in, u32 in_len, void *out, u32 *out_len);
/* op_crypt() - op_whole() of @in_len zeros, whose output nobody wants */
s64 op_crypt(struct fx_side *side, u32 op, u32 mech, u32 key, const struct bytes *param,
	     u32 in_len);
/* op_assert_ended() - no operation of this kind is active */
void op_assert_ended(struct fx_side *side, u32 op);

/* One input and its output */
struct op_case {
	u32 op, mech, key;
	struct bytes param, in, out;
};

/* op_case_run() - at once, in updates and in pieces of several lengths, with queries between */
void op_case_run(struct fx_side *side, const struct op_case *t);
/* op_case_oneshot() - at once alone; @out: OP_ROOM bytes */
void op_case_oneshot(struct fx_side *side, const struct op_case *t, u8 *out);
/* op_case_verify() - the output is a MAC: verified at once and byte by byte, and no bit of it may change */
void op_case_verify(struct fx_side *side, const struct op_case *t);
/* op_case_swap() - from encryption to decryption */
void op_case_swap(struct op_case *t);

#endif /* LUNA_TEST_OP_CALLS_H */
