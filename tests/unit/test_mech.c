// SPDX-License-Identifier: MIT
/*
 * Mechanisms of cipher.c, digest.c and mac.c: published answers for every one (SP 800-38A and B,
 * FIPS 180, RFC 2202 and 4231), in one call, in updates and in pieces of a call; what they refuse;
 * and the list of all mechanisms. GCM is in test_gcm.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cipher_answers.h"
#include "engine_fixture.h"
#include "hex.h"
#include "op_calls.h"

/* ---- AES: SP 800-38A ---- */

/* The answers' parameters are IVs, or none. */
static struct bytes aes_param(size_t i)
{
	if (aes_answers[i].mode == LUNA_CTR)
		return op_ctr_param(128, aes_answers[i].iv);
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
		p = op_ctr_param(limits[i].bits, limits[i].counter);
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
	p = op_ctr_param(65, "0000000000000000fffffffffffffffe");
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 512), CKR_OK);
	p = op_ctr_param(0, limits[0].counter);
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p = op_ctr_param(129, limits[0].counter);
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
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
