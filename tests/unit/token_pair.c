// SPDX-License-Identifier: MIT
/* Two tokens and the messages between them. */
#include "token_pair.h"

struct fx_side a, b;
struct fx_message twc, part1, part2;

int pair_setup(void **state __maybe_unused)
{
	fx_side_open(&a, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	fx_side_open(&b, fakerng_quick_ops(&luna_openssl_ops, 2), 1);
	return 0;
}

int pair_teardown(void **state __maybe_unused)
{
	fx_side_close(&a);
	fx_side_close(&b);
	return 0;
}

int pair_end(void **state __maybe_unused)
{
	fakerng_forget_keys();
	return 0;
}

u32 pair_aes_key(struct fx_side *side)
{
	u32 handle;

	assert_int_equal(fx_make_aes(side, &handle), CKR_OK);
	return handle;
}

s64 pair_source_init(void)
{
	return fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL, &twc);
}

s64 pair_target_init(void)
{
	return fx_send(&b, LUNA_CLONE_TARGET_INIT, BLOB(), &twc, &part1);
}

s64 pair_clone_mofn(void)
{
	struct luna_blob arg = { .type = CK_MOFN_ACTIVATION_ELEMENT };
	s64 rv;

	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	rv = fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2);
	if (rv)
		return rv;
	arg = BLOB(.type = CK_MOFN_ACTIVATION_ELEMENT);
	return fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL);
}
