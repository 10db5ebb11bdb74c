// SPDX-License-Identifier: MIT
/*
 * Operations: published answers for every mechanism of cipher.c, digest.c and mac.c (SP 800-38A and
 * B, FIPS 180, RFC 2202 and 4231), in one call, in updates and in pieces of a call; and the state
 * machine of op.c. GCM is in test_gcm.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "cipher_answers.h"
#include "engine_fixture.h"
#include "hex.h"
#include "op_calls.h"
#include "token.h"

/* ---- AES: SP 800-38A ---- */

static struct bytes ctr_param(u32 bits, const char *counter)
{
	struct luna_ctr_param p = { .counter_bits = bits };
	struct bytes cb = hex(counter), b = { .len = sizeof(p) };

	memcpy(p.cb, cb.data, sizeof(p.cb));
	memcpy(b.data, &p, sizeof(p));
	return b;
}

/* The answers' parameters are IVs, or none. */
static struct bytes aes_param(size_t i)
{
	if (aes_answers[i].mode == LUNA_CTR)
		return ctr_param(128, aes_answers[i].iv);
	return hex(aes_answers[i].iv);
}

static void test_aes(void **state __maybe_unused)
{
	static const u32 mechs[] = {
		[LUNA_ECB] = CKM_AES_ECB, [LUNA_CBC] = CKM_AES_CBC, [LUNA_CTR] = CKM_AES_CTR,
	};
	struct fx_side e;

	fx_side_open(&e, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(aes_answers); i++) {
		struct bytes key = hex(aes_answers[i].key);
		struct op_case t = {
			.op = LUNA_OP_ENCRYPT, .mech = mechs[aes_answers[i].mode],
			.key = op_key(&e, CKK_AES, &key), .param = aes_param(i),
			.in = hex(aes_answers[i].plain), .out = hex(aes_answers[i].cipher),
		};

		op_case_run(&e, &t);
		op_case_swap(&t);
		op_case_run(&e, &t);
	}
	fx_side_close(&e);
}

/* CBC_PAD of whole blocks starts as CBC does, and every length comes back. */
static void test_cbc_pad(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	u8 *out = test_malloc(OP_ROOM);
	struct op_case t = { .mech = CKM_AES_CBC_PAD, .param = hex(AES_IV) };
	struct fx_side e;
	u32 len;

	fx_side_open(&e, NULL, 0);
	t.key = op_key(&e, CKK_AES, &key);
	for (u32 in_len = 0; in_len <= 64; in_len++) {
		t.in = hex(PLAIN_38A);
		t.in.len = in_len;
		len = OP_ROOM;
		assert_int_equal(op_whole(&e, LUNA_OP_ENCRYPT, t.mech, t.key, &t.param, t.in.data,
					  in_len, out, &len),
				 CKR_OK);
		assert_int_equal(len, in_len / 16 * 16 + 16);
		t.out.len = len;
		memcpy(t.out.data, out, len);
		t.op = LUNA_OP_ENCRYPT;
		op_case_run(&e, &t);
		op_case_swap(&t);
		op_case_run(&e, &t);
	}
	assert_memory_equal(t.in.data, hex(aes_answers[1].cipher).data, 64);
	test_free(out);
	fx_side_close(&e);
}

/* One error for all that is wrong with the padding, and none of the plaintext. */
static void test_cbc_pad_bad(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV), block = hex(AES_IV);
	u8 *cipher = test_malloc(OP_ROOM), *out = test_malloc(OP_ROOM);
	struct fx_side e;
	u32 handle, len;

	fx_side_open(&e, NULL, 0);
	handle = op_key(&e, CKK_AES, &key);
	for (u32 pad = 0; pad < 256; pad++) {
		for (u32 wrong = 0; wrong < 16; wrong++) {
			bool good = pad >= 1 && pad <= 16 && wrong >= pad;

			memset(block.data, pad, 16);
			if (wrong)
				block.data[15 - wrong] ^= 0x80;
			else
				good = pad >= 1 && pad <= 16;
			len = OP_ROOM;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_ENCRYPT, CKM_AES_CBC,
					       handle, iv.data, 16, block.data, 16, NULL, 0, cipher,
					       &len),
					 CKR_OK);
			len = OP_ROOM;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD,
					       handle, iv.data, 16, cipher, 16, NULL, 0, out, &len),
					 good ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID);
			if (good)
				assert_int_equal(len, 16 - pad);
		}
	}
	test_free(cipher);
	test_free(out);
	fx_side_close(&e);
}

static void test_aes_lengths(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV), none = {};
	struct fx_side e;
	u32 k;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, &none, 17),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 15),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(op_crypt(&e, LUNA_OP_DECRYPT, CKM_AES_CBC, k, &iv, 15),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(op_crypt(&e, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, k, &iv, 0),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(op_crypt(&e, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, k, &iv, 24),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 0), CKR_OK);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, &iv, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	iv.len = 12;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	fx_side_close(&e);
}

/* A counter of n bits gives 2^n - value blocks, and no more. */
static void test_ctr_wrap(void **state __maybe_unused)
{
	static const struct {
		u32 bits, bytes;
		const char *counter;
	} limits[] = {
		{ 1, 32, "00000000000000000000000000000000" },
		{ 1, 16, "ffffffffffffffffffffffffffffffff" },
		{ 8, 16 * 16, "000000000000000000000000000000f0" },
		{ 64, 32, "0000000000000000fffffffffffffffe" },
		{ 65, 32, "0000000000000001fffffffffffffffe" },
		{ 128, 16, "ffffffffffffffffffffffffffffffff" },
	};
	struct bytes key = hex(AES_KEY128), p;
	struct fx_side e;
	u32 k, len, out_len;
	u8 *in = test_calloc(1, 512), *out = test_malloc(OP_ROOM);

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++) {
		p = ctr_param(limits[i].bits, limits[i].counter);
		len = limits[i].bytes;
		assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, len), CKR_OK);
		assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, len + 1),
				 CKR_DATA_LEN_RANGE);
		assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_CTR, k, p.data, p.len),
				 CKR_OK);
		out_len = OP_ROOM;
		assert_int_equal(op_update(&e, LUNA_OP_DECRYPT, in, len, out, &out_len), CKR_OK);
		out_len = OP_ROOM;
		assert_int_equal(op_update(&e, LUNA_OP_DECRYPT, in, 1, out, &out_len),
				 CKR_DATA_LEN_RANGE);
		op_assert_ended(&e, LUNA_OP_DECRYPT);
	}
	p = ctr_param(65, "0000000000000000fffffffffffffffe");
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 512), CKR_OK);
	p = ctr_param(0, limits[0].counter);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p = ctr_param(129, limits[0].counter);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	test_free(in);
	test_free(out);
	fx_side_close(&e);
}

/* ---- digests ---- */

static const struct {
	u32 mech;
	const char *abc, *empty;
} digest_answers[] = {
	{ CKM_SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d",
	  "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ CKM_SHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ CKM_SHA224_OLD, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ CKM_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ CKM_SHA384,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	  "274edebfe76f65fbd51ad2f14898b95b" },
	{ CKM_SHA512,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
	{ CKM_SHA3_224,
	  "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
	  "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7" },
	{ CKM_SHA3_256,
	  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
	  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a" },
	{ CKM_SHA3_384,
	  "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
	  "98d88cea927ac7f539f1edf228376d25",
	  "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2a"
	  "c3713831264adb47fb6bd1e058d5f004" },
	{ CKM_SHA3_512,
	  "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
	  "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
	  "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
	  "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26" },
};

static void test_digest(void **state __maybe_unused)
{
	struct fx_side e;

	fx_side_open(&e, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(digest_answers); i++) {
		struct op_case t = {
			.op = LUNA_OP_DIGEST, .mech = digest_answers[i].mech, .in = hex("616263"),
			.out = hex(digest_answers[i].abc),
		};

		op_case_run(&e, &t);
		t.in.len = 0;
		t.out = hex(digest_answers[i].empty);
		op_case_run(&e, &t);
		assert_int_equal(op_init(&e, LUNA_OP_DIGEST, t.mech, 0, "x", 1),
				 CKR_MECHANISM_PARAM_INVALID);
	}
	fx_side_close(&e);
}

/* Turns a policy off, which the partition SO does. */
static void policy_off(struct fx_side *side, u32 id)
{
	fx_side_as(side, CKU_SO);
	assert_int_equal(fx_policy_set(side, LUNA_SCOPE_PARTITION, id, 0, 0), CKR_OK);
	fx_side_as(side, CKU_USER);
}

/* The value of a key that may be seen is digested as data; that of another needs policy 9. */
static void test_digest_key(void **state __maybe_unused)
{
	struct fx_side e;
	struct op_call c = { .op = LUNA_OP_DIGEST, .step = LUNA_STEP_KEY };
	u8 *out = test_malloc(OP_ROOM);
	u32 len = OP_ROOM, open_key, secret_key;

	fx_side_open(&e, NULL, 0);
	open_key = op_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, false);
	secret_key = op_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, true);
	assert_int_equal(op_init(&e, LUNA_OP_DIGEST, CKM_SHA256, 0, NULL, 0), CKR_OK);
	assert_int_equal(op_update(&e, LUNA_OP_DIGEST, "a", 1, NULL, &len), CKR_OK);
	c.key = open_key;
	assert_int_equal(op_run(&e, &c), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_final(&e, LUNA_OP_DIGEST, out, &len), CKR_OK);
	assert_memory_equal(out, hex(digest_answers[3].abc).data, 32);
	assert_int_equal(op_run(&e, &c), CKR_OPERATION_NOT_INITIALIZED);
	c.step |= LUNA_STEP_INIT;
	c.mech = CKM_SHA256;
	c.key = secret_key;
	assert_int_equal(op_run(&e, &c), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DIGEST), CKR_OK);
	policy_off(&e, 9);
	c.key = open_key;
	assert_int_equal(op_run(&e, &c), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DIGEST), CKR_OK);
	c.key = op_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, true);
	assert_int_equal(op_run(&e, &c), CKR_KEY_INDIGESTIBLE);
	op_assert_ended(&e, LUNA_OP_DIGEST);
	c.key = 0x7fffffff;
	assert_int_equal(op_run(&e, &c), CKR_KEY_HANDLE_INVALID);
	test_free(out);
	fx_side_close(&e);
}

/* ---- MACs ---- */

static const struct {
	u32 mech, general, type;
	const char *key, *data, *mac;
} mac_answers[] = {
	{ CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKK_SHA_1_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKK_SHA224_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ CKM_SHA224_HMAC_OLD, CKM_SHA224_HMAC_GENERAL_OLD, CKK_SHA224_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_SHA256_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_GENERIC_SECRET,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKK_SHA384_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	  "8e2240ca5e69e2c78b3239ecfab21649" },
	{ CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKK_SHA512_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ CKM_SHA3_224_HMAC, CKM_SHA3_224_HMAC_GENERAL, CKK_SHA3_224_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66" },
	{ CKM_SHA3_256_HMAC, CKM_SHA3_256_HMAC_GENERAL, CKK_SHA3_256_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5" },
	{ CKM_SHA3_384_HMAC, CKM_SHA3_384_HMAC_GENERAL, CKK_SHA3_384_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce"
	  "48c045dc007f26a21b3f5e0e9df4c20a" },
	{ CKM_SHA3_512_HMAC, CKM_SHA3_512_HMAC_GENERAL, CKK_SHA3_512_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b"
	  "287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128, "",
	  "bb1d6929e95937287fa37d129b756746" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL_OLD, CKK_AES, AES_KEY128,
	  "6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128,
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "dfa66747de9ae63030ca32611497c827" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128, PLAIN_38A,
	  "51f0bebf7e3b9d92fc49741779363cfe" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY256, PLAIN_38A,
	  "e1992190549f6ed5696a2c056c315410" },
};

static void test_mac(void **state __maybe_unused)
{
	u8 *out = test_malloc(OP_ROOM);
	struct fx_side e;

	fx_side_open(&e, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(mac_answers); i++) {
		struct bytes key = hex(mac_answers[i].key);
		struct luna_mac_param p = {};
		struct op_case t = {
			.op = LUNA_OP_SIGN,
			.mech = mac_answers[i].mech,
			.key = op_key(&e, mac_answers[i].type, &key),
			.in = hex(mac_answers[i].data),
			.out = hex(mac_answers[i].mac),
		};
		u32 full = t.out.len;

		op_case_run(&e, &t);
		op_case_verify(&e, &t);
		t.mech = mac_answers[i].general;
		t.param.len = sizeof(p);
		for (p.mac_len = 0; p.mac_len <= full + 1;
		     p.mac_len += p.mac_len < full - 1 ? 5 : 1) {
			memcpy(t.param.data, &p, sizeof(p));
			t.out.len = p.mac_len;
			if (p.mac_len && p.mac_len <= full) {
				op_case_oneshot(&e, &t, out);
				op_case_verify(&e, &t);
			} else {
				assert_int_equal(
					op_init(&e, LUNA_OP_SIGN, t.mech, t.key, &p, sizeof(p)),
					CKR_MECHANISM_PARAM_INVALID);
			}
		}
	}
	test_free(out);
	fx_side_close(&e);
}

/* ---- keys ---- */

static void test_key_checks(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV);
	struct fx_tmpl tmpl = {};
	const u64 only[] = { CKM_AES_ECB, CKM_AES_CTR };
	struct fx_side e;
	u32 k, data;

	fx_side_open(&e, NULL, 0);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 0, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 12345, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &data), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, data, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	k = op_key(&e, CKK_GENERIC_SECRET, &key);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_SHA256_HMAC, k, NULL, 0),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, 0x7ffffff0, k, NULL, 0),
			 CKR_MECHANISM_INVALID);
	k = op_key(&e, CKK_SHA256_HMAC, &key);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_SHA512_HMAC, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	k = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ENCRYPT, true);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_AES_CMAC, k, NULL, 0), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);

	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr(&tmpl, CKA_VALUE, key.data, key.len);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr(&tmpl, CKA_ALLOWED_MECHANISMS, only, sizeof(only));
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &k), CKR_OK);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, iv.data, iv.len),
				 CKR_MECHANISM_INVALID);
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		assert_int_equal(op_cancel(&e, LUNA_OP_ENCRYPT), CKR_OK);
	}
	fx_side_close(&e);
}

/* A login's end is the end of operations with private keys, not of others. */
static void test_logout(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u32 private, public, len = OP_ROOM;
	u8 *out = test_malloc(OP_ROOM);

	fx_side_open(&e, NULL, 0);
	private = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, true);
	public = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, false);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0), CKR_OK);
	assert_int_equal(fx_logout(e.open, e.session), CKR_OK);
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(fx_login(e.open, e.session, CKU_USER, FX_CO_PIN), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, public, NULL, 0), CKR_OK);
	test_free(out);
	fx_side_close(&e);
}

/* ---- the state machine ---- */

static void test_states(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	u32 k, len;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 op = 0; op <= LUNA_OP_VERIFY; op++)
		op_assert_ended(&e, op);

	/* An Init on top of an operation leaves that alone; other kinds are other operations. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_OPERATION_ACTIVE);
	assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	op_assert_ended(&e, LUNA_OP_DECRYPT);

	/* A one-shot call after an update is refused and is the end. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_ACTIVE);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A Final that finds half a block is the end. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, key.data, 7, out, &len), CKR_OK);
	assert_int_equal(len, 0);
	len = OP_ROOM;
	assert_int_equal(op_final(&e, LUNA_OP_ENCRYPT, out, &len), CKR_DATA_LEN_RANGE);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A failed Init leaves nothing. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, 0),
			 CKR_MECHANISM_PARAM_INVALID);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, LUNA_PARAM_MALFORMED),
			 CKR_MECHANISM_PARAM_INVALID);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	test_free(out);
	fx_side_close(&e);
}

/* Pieces must follow each other; the first decides for all, and nobody else comes between. */
static void test_pieces(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), in = hex(PLAIN_38A);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	struct op_call c = {
		.op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .data = in.data, .data_len = 32,
		.total = 64, .out = out, .out_max = 63,
	}, bad;
	u32 k, len;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		c.out_max = 63;
		assert_int_equal(op_run(&e, &c), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(c.need, 64);
		c.out_max = 64;
		assert_int_equal(op_run(&e, &c), CKR_OK);
		assert_int_equal(c.got, 32);
		bad = c;
		bad.offset = 32;
		len = OP_ROOM;
		if (i == 0)
			bad.offset = 0;
		if (i == 1)
			bad.offset = 16;
		if (i == 2)
			bad.total = 80;
		if (i == 3)
			bad.data_len = 33;
		if (i == 6) {	/* data that a query does not bring */
			bad.data = NULL;
			bad.out_max = LUNA_OUT_QUERY;
		}
		if (i == 4)
			assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, in.data, 16, out, &len),
					 CKR_OPERATION_ACTIVE);
		else if (i == 5)
			assert_int_equal(op_final(&e, LUNA_OP_ENCRYPT, out, &len),
					 CKR_OPERATION_ACTIVE);
		else
			assert_int_equal(op_run(&e, &bad),
					 i ? CKR_ARGUMENTS_BAD : CKR_OPERATION_ACTIVE);
		op_assert_ended(&e, LUNA_OP_ENCRYPT);
	}
	c.total = ~0ULL;
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_run(&e, &c), CKR_DATA_LEN_RANGE);
	test_free(out);
	fx_side_close(&e);
}

/* Malformed commands change nothing. */
static void test_malformed(void **state __maybe_unused)
{
	static const struct op_call bad[] = {
		{ .op = LUNA_OP_KINDS, .step = LUNA_STEP_ONESHOT },
		{ .op = ~0u, .step = LUNA_STEP_INIT },
		{ .op = LUNA_OP_ENCRYPT },
		{ .op = LUNA_OP_ENCRYPT, .step = 0x40 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT | LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_INIT | LUNA_STEP_CANCEL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_KEY },
		{ .op = LUNA_OP_SIGN_RECOVER, .step = LUNA_STEP_UPDATE },
		{ .op = LUNA_OP_VERIFY_RECOVER, .step = LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_FINAL, .data = "x", .data_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .param = "x", .param_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .sig = "x", .sig_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data_len = 16 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data = "0123456789abcdef",
		  .data_len = 16, .out_max = LUNA_OUT_QUERY },
	};
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	u32 k, len = OP_ROOM;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct op_call c = bad[i];

		assert_int_equal(op_run(&e, &c), CKR_ARGUMENTS_BAD);
	}
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	test_free(out);
	fx_side_close(&e);
}

/* ---- what one open file may make the device keep ---- */

static s64 stage(struct luna_open *open, u32 session, u32 len)
{
	u8 *bytes = test_calloc(1, LUNA_IOC_MAX);
	s64 rv = CKR_OK;
	u32 at, n;

	for (at = 0; at < len && !rv; at += n) {
		struct luna_data put = { .hdr.session = session, .offset = at };

		n = min_t(u32, len - at, LUNA_IOC_MAX - sizeof(put));
		rv = fx_call(open, LUNA_DATA_PUT, &put, sizeof(put), bytes, n, NULL, NULL);
	}
	test_free(bytes);
	return rv;
}

/* A session object with @len bytes of value; with @handle: the value becomes that of the object. */
static s64 big_object(struct fx_side *side, u32 len, u32 *handle)
{
	struct luna_object_arg arg = { .hdr.session = side->session, .handle = *handle };
	struct fx_tmpl head = { 0 };
	struct luna_attr value = { .type = CKA_VALUE, .len = len };
	u32 nr = *handle ? LUNA_ATTR_SET : LUNA_OBJECT_CREATE;
	u8 *all = test_calloc(1, sizeof(head) + sizeof(value) + len);
	s64 rv;

	if (!*handle)
		fx_attr_ulong(&head, CKA_CLASS, CKO_DATA);
	memcpy(all, head.data, head.len);
	memcpy(all + head.len, &value, sizeof(value));
	arg.template_len = head.len + sizeof(value) + len;
	rv = fx_call(side->open, nr, &arg, sizeof(arg), all, arg.template_len, NULL, NULL);
	test_free(all);
	*handle = arg.handle;
	return rv;
}

static void test_bounds(void **state __maybe_unused)
{
	enum { LIMIT = LUNA_OPEN_BYTES_MAX, OBJECT = 1000000, ROOM = LIMIT / LUNA_STAGE_MAX };
	u32 sessions[ROOM + 1], count, handle = 0, small = 0, other, last = 0;
	struct luna_open *open;
	struct fx_side e;
	s64 rv, before;

	fx_side_open(&e, NULL, 0);
	before = atomic64_read(&e.open->held);
	for (count = 0; count <= ROOM; count++) {
		assert_int_equal(fx_session(e.open, false, &sessions[count]), CKR_OK);
		rv = stage(e.open, sessions[count], LUNA_STAGE_MAX);
		if (rv)
			break;
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, ROOM / 2, ROOM);
	open = luna_open(e.fx.token);
	assert_int_equal(fx_session(open, false, &other), CKR_OK);
	assert_int_equal(stage(open, other, LUNA_STAGE_MAX), CKR_OK);
	luna_release(open);
	for (u32 i = 0; i <= count; i++)
		assert_int_equal(fx_session_close(e.open, sessions[i]), CKR_OK);
	assert_int_equal(atomic64_read(&e.open->held), before);

	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	for (count = 0, rv = CKR_OK; !rv && count <= LIMIT / OBJECT; count++) {
		last = handle;
		handle = 0;
		rv = big_object(&e, OBJECT, &handle);
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, LIMIT / OBJECT - 4, LIMIT / OBJECT + 1);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_DEVICE_MEMORY);
	assert_int_equal(fx_destroy(e.open, e.session, last), CKR_OK);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_OK);
	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	fx_side_close(&e);
}

/* A whole call that runs out of memory at any point fails cleanly, and the next one succeeds. */
static void test_no_memory(void **state __maybe_unused)
{
	static const u32 ops[] = { LUNA_OP_ENCRYPT, LUNA_OP_SIGN, LUNA_OP_DIGEST };
	static const u32 mechs[] = { CKM_AES_CTR, CKM_AES_CMAC, CKM_SHA256 };
	struct bytes key = hex(AES_KEY128), p;
	u8 *out = test_malloc(OP_ROOM);
	struct fx_side e;
	u32 k, len;
	u64 calls;
	s64 rv;

	fx_side_open(&e, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		for (u64 nth = 1; ; nth++) {
			k = op_key(&e, CKK_AES, &key);
			p = ctr_param(128, AES_IV);
			len = OP_ROOM;
			port_alloc_watch();
			port_alloc_fail(nth, 1);
			rv = fx_op(e.open, e.session, ops[i], mechs[i], k, p.data, i ? 0 : p.len,
				   key.data, 16, NULL, 0, out, &len);
			port_alloc_fail(0, 0);
			calls = port_alloc_calls();
			port_alloc_unwatch();
			if (rv == CKR_OK && calls < nth)
				break;
			assert_true(rv == CKR_OK || rv == CKR_DEVICE_MEMORY);
			len = OP_ROOM;
			assert_int_equal(fx_op(e.open, e.session, ops[i], mechs[i], k, p.data,
					       i ? 0 : p.len, key.data, 16, NULL, 0, out, &len),
					 CKR_OK);
		}
	}
	test_free(out);
	fx_side_close(&e);
}

/* Threads with sessions of their own begin to use one key at the same time. */
struct worker {
	pthread_t thread;
	struct luna_open *open;
	u32 session, key;
	u8 out[16];
	s64 rv;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct {
		struct luna_op op;
		u8 in[16];
	} request = {
		.op = {
			.hdr.size = sizeof(struct luna_op), .hdr.in_len = 16,
			.hdr.session = w->session,
			.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT, .mechanism = CKM_AES_ECB,
			.key = w->key, .data_len = 16, .total = 16, .out_max = 16,
		},
	}, reply;
	size_t len;

	for (u32 i = 0; i < 500 && !w->rv; i++) {
		w->rv = luna_cmd(w->open, LUNA_OP, &request, sizeof(request), &reply, &len);
		w->rv = w->rv ?: reply.op.hdr.rv;
	}
	memcpy(w->out, reply.in, sizeof(w->out));
	return NULL;
}

static void test_threads(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), expected = hex("7df76b0c1ab899b33e42f047b91b546f");
	struct worker workers[4] = {};
	struct fx_side e;

	fx_side_open(&e, NULL, 0);
	for (u32 round = 0; round < 20; round++) {
		u32 k = op_key(&e, CKK_AES, &key);

		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			workers[i].open = e.open;
			workers[i].key = k;
			assert_int_equal(fx_session(e.open, true, &workers[i].session), CKR_OK);
		}
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++)
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			pthread_join(workers[i].thread, NULL);
			assert_int_equal(workers[i].rv, CKR_OK);
			assert_memory_equal(workers[i].out, expected.data, 16);
		}
	}
	fx_side_close(&e);
}

/* ---- the list ---- */

static void test_list(void **state __maybe_unused)
{
	const u32 standard = CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_SIGN_RECOVER |
			     CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_GENERATE |
			     CKF_GENERATE_KEY_PAIR | CKF_WRAP | CKF_UNWRAP | CKF_DERIVE | CKF_HW |
			     CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN |
			     CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
	const u32 curves = CKF_EC_F_P | CKF_EC_OID | CKF_EC_UNCOMPRESS | CKF_EC_CURVENAME;
	struct luna_mech_info *rows = test_malloc(OP_ROOM);
	struct luna_mech_list list = {};
	size_t len = 8192;
	struct fx_side e;
	u32 count;

	fx_side_open(&e, NULL, 0);
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_OK);
	assert_int_equal(len, list.count * sizeof(*rows));
	assert_true(list.count > 50);
	for (u32 i = 0; i < list.count; i++) {
		assert_true(!i || rows[i].type > rows[i - 1].type);
		assert_true(rows[i].flags && !(rows[i].flags & ~(standard | curves)));
		assert_true(rows[i].min_key_size <= rows[i].max_key_size);
		if (rows[i].flags & CKF_ENCRYPT)
			assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, rows[i].type, 0, NULL, 0),
					 CKR_KEY_HANDLE_INVALID);
	}
	policy_off(&e, 18);
	policy_off(&e, 33);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_RSA_X_509, 0, NULL, 0),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_RSA_PKCS, 0, NULL, 0),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, 0, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	len = 8192;
	count = list.count;
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_OK);
	assert_int_equal(list.count, count - 2);
	len = 64;
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(list.count, count - 2);
	test_free(rows);
	fx_side_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aes),
		cmocka_unit_test(test_cbc_pad),
		cmocka_unit_test(test_cbc_pad_bad),
		cmocka_unit_test(test_aes_lengths),
		cmocka_unit_test(test_ctr_wrap),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_key),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_key_checks),
		cmocka_unit_test(test_logout),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
