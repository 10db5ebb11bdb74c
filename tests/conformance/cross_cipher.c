// SPDX-License-Identifier: MIT
/* AES and Triple DES against OpenSSL's: every mode, short data and long. */
#include "cross.h"

const char * const aes_names[3][MODES] = {
	{ "AES-128-ECB", "AES-128-CBC", "AES-128-CBC", "AES-128-CTR", "AES-128-GCM", "AES-128-WRAP",
	  "AES-128-WRAP-PAD" },
	{ "AES-192-ECB", "AES-192-CBC", "AES-192-CBC", "AES-192-CTR", "AES-192-GCM", "AES-192-WRAP",
	  "AES-192-WRAP-PAD" },
	{ "AES-256-ECB", "AES-256-CBC", "AES-256-CBC", "AES-256-CTR", "AES-256-GCM", "AES-256-WRAP",
	  "AES-256-WRAP-PAD" },
};

long ossl_crypt(bool encrypt, const struct cipher *c, unsigned char *tag, const unsigned char *from,
		size_t len, unsigned char *to)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, c->name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool gcm = strstr(c->name, "GCM");
	int n = 0, end = 0, ok = 1;

	assert_non_null(cipher);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ossl(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, NULL));
	if (gcm)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, c->iv_len, NULL));
	ossl(EVP_CipherInit_ex2(ctx, NULL, c->key, c->iv, encrypt, NULL));
	EVP_CIPHER_CTX_set_padding(ctx, c->pad);
	if (c->aad_len)
		ossl(EVP_CipherUpdate(ctx, NULL, &n, c->aad, c->aad_len));
	n = 0;
	if (len || !gcm)
		ok = EVP_CipherUpdate(ctx, to, &n, from, len);
	if (gcm && !encrypt)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, c->tag_len, tag));
	if (ok == 1)
		ok = EVP_CipherFinal_ex(ctx, to + n, &end);
	if (ok == 1 && gcm && encrypt)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, c->tag_len, tag));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok == 1 ? n + end : -1;
}

/* @len bytes of data to @sealed_len bytes in back, and to data again. */
static void both_ways(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, size_t len, size_t sealed_len,
		      size_t turn)
{
	CK_ULONG got = ROOM;

	assert_ok(run_crypt(true, s, mech, key, data, len, split_of(turn), out, &got));
	assert_int_equal(got, sealed_len);
	assert_memory_equal(out, back, sealed_len);
	got = ROOM;
	assert_ok(run_crypt(false, s, mech, key, back, sealed_len, split_of(turn / 2), out, &got));
	assert_int_equal(got, len);
	assert_memory_equal(out, data, len);
}

CK_OBJECT_HANDLE des3_key(size_t len, unsigned char value[24])
{
	size_t i;

	fresh(value, 24);
	for (i = 0; i < 24; i++)
		value[i] ^= !__builtin_parity(value[i]);
	if (len == 16)
		memcpy(value + 16, value, 8);
	return secret_import(s, len == 16 ? CKK_DES2 : CKK_DES3, value, len);
}

/* ---- modes that take and give as many blocks or bytes ---- */

static void aes_one(CK_MECHANISM *mech, int mode, const void *iv, size_t k, size_t len, size_t turn)
{
	unsigned char value[32];
	const struct cipher c = {
		.name = aes_names[k][mode], .key = value, .iv = iv, .pad = mode == CBC_PAD,
	};
	CK_OBJECT_HANDLE key;
	long want;

	fresh(value, sizeof(value));
	fresh(data, len);
	key = secret_import(s, CKK_AES, value, 16 + 8 * k);
	want = ossl_crypt(true, &c, NULL, data, len, back);
	assert_true(want >= (long)len);
	both_ways(mech, key, len, want, turn);
	assert_ok(p11->C_DestroyObject(s, key));
}

/* A data unit, with a key of the standard's and, in turn, with two of the vendor's. */
static void xts_one(size_t key_len, size_t len, size_t turn)
{
	unsigned char value[64];
	CK_AES_XTS_PARAMS p;
	CK_MECHANISM one = { CKM_AES_XTS, p.cb, sizeof(p.cb) };
	CK_MECHANISM two = { CKM_AES_XTS_OLD, &p, sizeof(p) };
	const struct cipher c = {
		.name = key_len == 32 ? "AES-128-XTS" : "AES-256-XTS", .key = value, .iv = p.cb,
	};
	CK_OBJECT_HANDLE key;

	fresh(p.cb, sizeof(p.cb));
	fresh(value, sizeof(value));
	fresh(data, len);
	assert_int_equal(ossl_crypt(true, &c, NULL, data, len, back), len);
	p.hTweakKey = secret_import(s, CKK_AES, value + key_len / 2, key_len / 2);
	key = turn % 2 ? secret_import(s, CKK_AES_XTS, value, key_len) :
			 secret_import(s, CKK_AES, value, key_len / 2);
	both_ways(turn % 2 ? &one : &two, key, len, len, turn);
	assert_ok(p11->C_DestroyObject(s, key));
	assert_ok(p11->C_DestroyObject(s, p.hTweakKey));
}

void aes_xts(void **state)
{
	size_t len, turn;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		if (len < 16)
			continue;
		xts_one(32, len, turn);
		xts_one(64, len, turn + 1);
	}
}

static void des3_one(int mode, size_t key_len, size_t len, size_t turn)
{
	static const char * const names[] = { "DES-EDE3-ECB", "DES-EDE3-CBC", "DES-EDE3-CBC" };
	static const CK_MECHANISM_TYPE types[] = { CKM_DES3_ECB, CKM_DES3_CBC, CKM_DES3_CBC_PAD };
	unsigned char value[24], iv[8];
	CK_MECHANISM mech = { types[mode], mode == ECB ? NULL : iv, mode == ECB ? 0 : sizeof(iv) };
	CK_OBJECT_HANDLE key = des3_key(key_len, value);
	const struct cipher c = {
		.name = names[mode], .key = value, .iv = iv, .pad = mode == CBC_PAD,
	};
	long want;

	fresh(iv, sizeof(iv));
	fresh(data, len);
	want = ossl_crypt(true, &c, NULL, data, len, back);
	assert_true(want >= (long)len);
	both_ways(&mech, key, len, want, turn);
	assert_ok(p11->C_DestroyObject(s, key));
}

void des3(void **state)
{
	size_t len, turn;
	int mode;

	(void)state;
	if (!mechanism_listed(slot_a, CKM_DES3_ECB))
		skip();
	for (turn = 0; next_len(&len, &turn);)
		for (mode = ECB; mode <= CBC_PAD; mode++)
			des3_one(mode, turn % 2 ? 16 : 24, mode == CBC_PAD ? len : len / 8 * 8, turn);
}

void aes_ecb_cbc(void **state)
{
	unsigned char iv[16];
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
		CK_MECHANISM pad = { CKM_AES_CBC_PAD, iv, 16 };

		for (k = 0; k < 3; k++) {
			fresh(iv, sizeof(iv));
			aes_one(&pad, CBC_PAD, iv, k, len, turn + k);
			aes_one(&ecb, ECB, NULL, k, len / 16 * 16, turn + k);
			aes_one(&cbc, CBC, iv, k, len / 16 * 16, turn + k);
		}
	}
}

void aes_ctr(void **state)
{
	CK_AES_CTR_PARAMS p = { .ulCounterBits = 128 };
	CK_MECHANISM ctr = { CKM_AES_CTR, &p, sizeof(p) };
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			fresh(p.cb, 16);
			/* Carries into the upper half, and around the end. */
			if (turn % 3)
				memset(p.cb + 8, 0xff, 7);
			if (turn % 3 == 2)
				memset(p.cb, 0xff, 8);
			/* The token does not let a counter come back to where it began; this one cannot. */
			aes_one(&ctr, CTR, p.cb, k, turn % 3 == 2 ? len % 16 + 1 : len, turn + k);
		}
	}
}

/* What is no whole block, and what is no padding. */
void aes_refusals(void **state)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, pad;
	unsigned char iv[16], value[32], sealed[48];
	const struct cipher c = { .name = "AES-256-CBC", .key = value, .iv = iv, .pad = true };
	unsigned int refused = 0, i;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	long want;

	(void)state;
	fresh(iv, 16);
	fresh(value, 32);
	key = secret_import(s, CKK_AES, value, 32);
	for (i = 1; i < 16; i++) {
		got = ROOM;
		assert_rv(run_crypt(true, s, &ecb, key, data, 16 + i, ONE_SHOT, out, &got),
			  CKR_DATA_LEN_RANGE);
		got = ROOM;
		assert_rv(run_crypt(false, s, &ecb, key, data, 16 + i, 5, out, &got),
			  CKR_ENCRYPTED_DATA_LEN_RANGE);
	}
	/* Random blocks decrypt to bad padding, mostly: whatever OpenSSL says must be said here. */
	pad = (CK_MECHANISM){ CKM_AES_CBC_PAD, iv, 16 };
	for (i = 0; i < 600; i++) {
		fresh(sealed, sizeof(sealed));
		want = ossl_crypt(false, &c, NULL, sealed, sizeof(sealed), back);
		got = ROOM;
		if (want < 0) {
			refused++;
			assert_rv(run_crypt(false, s, &pad, key, sealed, 48, split_of(i), out, &got),
				  CKR_ENCRYPTED_DATA_INVALID);
			continue;
		}
		assert_ok(run_crypt(false, s, &pad, key, sealed, 48, split_of(i), out, &got));
		assert_int_equal(got, want);
		assert_memory_equal(out, back, want);
	}
	assert_in_range(refused, 560, 600);	/* about 1 in 255 is good */
}

/* ---- AES-GCM ---- */

void aes_gcm(void **state)
{
	static const unsigned char tags[] = { 4, 8, 12, 13, 14, 15, 16 };
	unsigned char iv[128], aad[300], value[32];
	struct cipher c = { .key = value, .iv = iv, .aad = aad };
	CK_GCM_PARAMS p = { .pIv = iv, .pAAD = aad };
	CK_MECHANISM mech = { CKM_AES_GCM, &p, sizeof(p) };
	size_t len, turn, k, tag_len;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			tag_len = tags[rand() % COUNT(tags)];
			p.ulIvLen = turn % 3 ? 1 + rand() % sizeof(iv) : 12;
			p.ulIvBits = 8 * p.ulIvLen;
			p.ulAADLen = turn % 4 ? rand() % sizeof(aad) : 0;
			p.ulTagBits = 8 * tag_len;
			fresh(iv, sizeof(iv));
			fresh(aad, sizeof(aad));
			fresh(value, sizeof(value));
			fresh(data, len);
			key = secret_import(s, CKK_AES, value, 16 + 8 * k);
			c.name = aes_names[k][GCM];
			c.iv_len = p.ulIvLen;
			c.aad_len = p.ulAADLen;
			c.tag_len = tag_len;
			assert_int_equal(ossl_crypt(true, &c, back + len, data, len, back), len);
			both_ways(&mech, key, len, len + tag_len, turn + k);
			back[rand() % (len + tag_len)] ^= 0x20;
			got = ROOM;
			assert_rv(run_crypt(false, s, &mech, key, back, len + tag_len, split_of(k), out,
					    &got), CKR_ENCRYPTED_DATA_INVALID);
			assert_ok(p11->C_DestroyObject(s, key));
		}
	}
}

/* Without an IV the token draws one of 16 bytes and puts it behind the tag. */
void aes_gcm_internal_iv(void **state)
{
	unsigned char aad[] = "bound to the text", value[32], iv[16] = { 0 };
	const struct cipher c = { .name = "AES-256-GCM", .key = value, .iv = iv, .iv_len = 16,
				  .aad = aad, .aad_len = sizeof(aad), .tag_len = 12 };
	CK_GCM_PARAMS p = { NULL, 0, 0, aad, sizeof(aad), 96 };
	CK_MECHANISM mech = { CKM_AES_GCM, &p, sizeof(p) };
	CK_OBJECT_HANDLE key;
	size_t len, turn;
	CK_ULONG got;

	(void)state;
	fresh(value, sizeof(value));
	key = secret_import(s, CKK_AES, value, sizeof(value));
	for (turn = 0; next_len(&len, &turn);) {
		p = (CK_GCM_PARAMS){ NULL, 0, 0, aad, sizeof(aad), 96 };
		fresh(data, len);
		got = ROOM;
		assert_ok(run_crypt(true, s, &mech, key, data, len, split_of(turn), out, &got));
		assert_int_equal(got, len + 12 + 16);
		assert_memory_not_equal(out + len + 12, iv, 16);
		memcpy(iv, out + len + 12, 16);
		assert_int_equal(ossl_crypt(false, &c, out + len, out, len, back), len);
		assert_memory_equal(back, data, len);
		p = (CK_GCM_PARAMS){ iv, 16, 128, aad, sizeof(aad), 96 };
		got = ROOM;
		assert_ok(run_crypt(false, s, &mech, key, out, len + 12, split_of(turn + 1), back, &got));
		assert_int_equal(got, len);
		assert_memory_equal(back, data, len);
	}
	p = (CK_GCM_PARAMS){ NULL, 0, 0, aad, sizeof(aad), 96 };
	assert_rv(p11->C_DecryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
}

/* More than a call to the device holds, at once and in one part each. */
void large(void **state)
{
	const size_t len = (3 << 20) + 5;
	unsigned char *plain = malloc(len), *sealed = malloc(len + 64), *opened = malloc(len + 64);
	unsigned char value[32], iv[16], want[64];
	CK_AES_CTR_PARAMS p = { .ulCounterBits = 128 };
	CK_GCM_PARAMS g = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM hash = { CKM_SHA512, NULL, 0 }, mac = { CKM_AES_CMAC, NULL, 0 };
	CK_MECHANISM mechs[] = {
		{ CKM_AES_CTR, &p, sizeof(p) }, { CKM_AES_CBC_PAD, iv, 16 }, { CKM_AES_GCM, &g, sizeof(g) },
	};
	static const int modes[] = { CTR, CBC_PAD, GCM };
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	size_t m, way;
	long n;

	(void)state;
	assert_true(plain && sealed && opened);
	fresh(value, sizeof(value));
	fresh(iv, sizeof(iv));
	fresh(plain, len);
	memcpy(p.cb, iv, 16);
	p.cb[0] &= 0x7f;
	key = secret_import(s, CKK_AES, value, sizeof(value));
	ossl(EVP_Digest(plain, len, want, NULL, EVP_sha512(), NULL));
	for (way = 0; way < 2; way++) {
		int split = way ? (int)len : ONE_SHOT;

		got = ROOM;
		assert_ok(run_digest(s, &hash, plain, len, split, out, &got));
		assert_memory_equal(out, want, 64);
		got = ROOM;
		assert_ok(run_sign(s, &mac, key, plain, len, split, out, &got));
		assert_ok(run_verify(s, &mac, key, plain, len, RANDOM_PARTS, out, got));
		for (m = 0; m < COUNT(modes); m++) {
			const struct cipher c = {
				.name = aes_names[2][modes[m]], .key = value,
				.iv = modes[m] == CTR ? p.cb : iv, .iv_len = 12, .pad = true,
				.tag_len = modes[m] == GCM ? 16 : 0,
			};

			got = len + 64;
			assert_ok(run_crypt(true, s, &mechs[m], key, plain, len, split, sealed, &got));
			n = ossl_crypt(false, &c, sealed + got - c.tag_len, sealed, got - c.tag_len,
				       opened);
			assert_int_equal(n, len);
			assert_memory_equal(opened, plain, len);
			memset(opened, 0, len);
			n = got;
			got = len + 64;
			assert_ok(run_crypt(false, s, &mechs[m], key, sealed, n, way ? (int)n : ONE_SHOT,
					    opened, &got));
			assert_int_equal(got, len);
			assert_memory_equal(opened, plain, len);
		}
	}
	free(plain);
	free(sealed);
	free(opened);
}
