// SPDX-License-Identifier: MIT
/*
 * Messages of AES-GCM: published vectors, OpenSSL's, IVs that the token makes, and parameters that
 * must be refused.
 */
#include <openssl/evp.h>

#include "v3.h"

void gcm_init(struct gcm *g, CK_ULONG iv_len, CK_GENERATOR_FUNCTION generator,
	      CK_ULONG fixed_bits, CK_ULONG tag_bits)
{
	memset(g->iv, 0xa5, sizeof(g->iv));
	memset(g->tag, 0, sizeof(g->tag));
	g->p = (CK_GCM_MESSAGE_PARAMS){ g->iv, iv_len, fixed_bits, generator, g->tag, tag_bits };
}

CK_MECHANISM gcm_mech = { CKM_AES_GCM, NULL, 0 };

CK_RV seal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data, CK_ULONG len,
	   void *out, CK_ULONG *out_len)
{
	return v3->C_EncryptMessage(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len,
				    (CK_BYTE *)data, len, out, out_len);
}

CK_RV unseal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data,
	     CK_ULONG len, void *out, CK_ULONG *out_len)
{
	return v3->C_DecryptMessage(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len,
				    (CK_BYTE *)data, len, out, out_len);
}

CK_RV in_parts(bool encrypt, struct gcm *g, const void *aad, CK_ULONG aad_len,
	       const void *data, CK_ULONG len, CK_ULONG split, unsigned char *out,
	       CK_ULONG *out_len)
{
	CK_BYTE *in = (CK_BYTE *)data;
	CK_ULONG done = 0, part, got;
	CK_FLAGS flags;
	CK_RV rv;

	rv = encrypt ? v3->C_EncryptMessageBegin(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len) :
		       v3->C_DecryptMessageBegin(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len);
	do {
		part = len < split ? len : split;
		flags = part == len ? CKF_END_OF_MESSAGE : 0;
		got = *out_len - done;
		if (rv)
			return rv;
		rv = encrypt ? v3->C_EncryptMessageNext(s, &g->p, sizeof(g->p), in, part, out + done,
							&got, flags) :
			       v3->C_DecryptMessageNext(s, &g->p, sizeof(g->p), in, part, out + done,
							&got, flags);
		if (!encrypt && !flags && !rv)
			assert_int_equal(got, 0);	/* nothing before the tag was seen */
		done += got;
		in += part;
		len -= part;
	} while (!flags);
	*out_len = done;
	return rv;
}

void openssl_seal(const unsigned char *iv, size_t iv_len, const void *aad, size_t aad_len,
		  const void *data, size_t len, unsigned char *out, unsigned char tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_non_null(ctx);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, iv_len, NULL), 1);
	assert_int_equal(EVP_EncryptInit_ex(ctx, NULL, NULL, key_value, iv), 1);
	if (aad_len)
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len), 1);
	if (len)
		assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, data, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + len, &n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
	EVP_CIPHER_CTX_free(ctx);
}

unsigned char *pattern(size_t len)
{
	unsigned char *data = malloc(len + 1);
	size_t i;

	assert_non_null(data);
	for (i = 0; i < len; i++)
		data[i] = i * 31 + (i >> 8);
	return data;
}

/* ---- known answers ---- */

struct vector {
	unsigned char *field[5];	/* key, iv, aad, data, result */
	size_t len[5];
};

static void vector_check(struct vector *v, CK_ULONG tag_len, CK_ULONG split)
{
	unsigned char out[256], back[256];
	CK_ULONG len = sizeof(out);
	struct gcm g;

	gcm_init(&g, v->len[1], CKG_NO_GENERATE, 0, tag_len * 8);
	memcpy(g.iv, v->field[1], v->len[1]);
	if (split)
		assert_ok(in_parts(true, &g, v->field[2], v->len[2], v->field[3], v->len[3], split,
				   out, &len));
	else
		assert_ok(seal(&g, v->field[2], v->len[2], v->field[3], v->len[3], out, &len));
	assert_int_equal(len, v->len[3]);
	assert_memory_equal(out, v->field[4], len);
	assert_memory_equal(g.tag, v->field[4] + len, tag_len);
	assert_memory_equal(g.iv, v->field[1], v->len[1]);
	len = sizeof(back);
	if (split)
		assert_ok(in_parts(false, &g, v->field[2], v->len[2], out, v->len[3], split, back,
				   &len));
	else
		assert_ok(unseal(&g, v->field[2], v->len[2], out, v->len[3], back, &len));
	assert_int_equal(len, v->len[3]);
	assert_memory_equal(back, v->field[3], len);
}

/* Every byte of what is authenticated matters, and nothing comes out that is not genuine. */
static void vector_forge(struct vector *v)
{
	unsigned char back[256], clean[256] = { 0 };
	unsigned char *where[] = { v->field[1], v->field[2], v->field[4] };
	const size_t lens[] = { v->len[1], v->len[2], v->len[4] };
	CK_ULONG len, w, i;
	struct gcm g;

	for (w = 0; w < COUNT(where); w++) {
		for (i = 0; i < lens[w]; i++) {
			where[w][i] ^= 0x10;
			gcm_init(&g, v->len[1], CKG_NO_GENERATE, 0, 128);
			memcpy(g.iv, v->field[1], v->len[1]);
			memcpy(g.tag, v->field[4] + v->len[3], 16);
			memset(back, 0, sizeof(back));
			len = sizeof(back);
			if (i % 2)
				assert_rv(unseal(&g, v->field[2], v->len[2], v->field[4], v->len[3],
						 back, &len), CKR_AEAD_DECRYPT_FAILED);
			else
				assert_rv(in_parts(false, &g, v->field[2], v->len[2], v->field[4],
						   v->len[3], 5, back, &len),
					  CKR_AEAD_DECRYPT_FAILED);
			assert_memory_equal(back, clean, sizeof(back));
			where[w][i] ^= 0x10;
		}
	}
}

static void vector_run(struct vector *v)
{
	static const CK_ULONG tags[] = { 16, 15, 13, 12, 8, 4 };
	CK_OBJECT_HANDLE k = secret_import(s, CKK_AES, v->field[0], v->len[0]);
	size_t i;

	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, k));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, k));
	for (i = 0; i < COUNT(tags); i++)
		vector_check(v, tags[i], 0);
	for (i = 1; i < 20; i += 6)
		vector_check(v, 16, i);
	vector_forge(v);
	vector_check(v, 16, 0);		/* no forgery was the end of it */
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_ok(v3->C_MessageDecryptFinal(s));
	for (i = 0; i < COUNT(v->field); i++)
		free(v->field[i]);
	memset(v, 0, sizeof(*v));
}

void known_answers(void **state)
{
	static const char *const names[] = { "key", "iv", "aad", "data", "result" };
	char line[2048], name[32], value[1800];
	FILE *f = fopen(LUNA_TEST_VECTORS "/gcm.txt", "r");
	struct vector v = { 0 };
	int i, count = 0, found;

	(void)state;
	assert_non_null(f);
	for (;;) {
		found = fgets(line, sizeof(line), f) ? sscanf(line, " %31[a-z] = %1799s", name, value) :
						       EOF;
		if (found < 1 && v.field[4]) {
			for (i = 0; i < 5; i++)
				if (!v.field[i])
					v.field[i] = unhex("", &v.len[i]);
			vector_run(&v);
			count++;
		}
		if (feof(f))
			break;
		for (i = 0; i < 5 && found == 2; i++)
			if (!strcmp(name, names[i]))
				v.field[i] = unhex(value, &v.len[i]);
	}
	fclose(f);
	assert_int_equal(count, 18);
}

void against_openssl(void **state)
{
	static const CK_ULONG lens[] = { 0, 1, 15, 16, 17, 1000, 14335, 14336, 14337, 16384, 16385,
					 100000, 1 << 20 };
	static const CK_ULONG iv_lens[] = { 12, 1, 16, 8, 128, 60 };
	unsigned char *data = pattern(1 << 20), *out = malloc(1 << 20), *want = malloc((1 << 20) + 16);
	unsigned char tag[16];
	CK_ULONG i, len, aad_len;
	struct gcm g;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	for (i = 0; i < COUNT(lens); i++) {
		gcm_init(&g, iv_lens[i % COUNT(iv_lens)], CKG_NO_GENERATE, 0, 128);
		g.iv[0] = i;
		aad_len = i * i * i * 17;
		openssl_seal(g.iv, g.p.ulIvLen, data, aad_len, data, lens[i], want, tag);
		len = lens[i];
		assert_ok(seal(&g, data, aad_len, data, lens[i], out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, want, len);
		assert_memory_equal(g.tag, tag, 16);
		memset(out, 0, lens[i]);
		assert_ok(in_parts(true, &g, data, aad_len, data, lens[i], 20000, out, &len));
		assert_memory_equal(out, want, lens[i]);
		assert_memory_equal(g.tag, tag, 16);
		/* In place, whole and in parts. */
		assert_ok(unseal(&g, data, aad_len, out, lens[i], out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, data, len);
		assert_ok(in_parts(false, &g, data, aad_len, want, lens[i], 30000, out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, data, len);
	}
	free(data);
	free(out);
	free(want);
}

/* ---- IVs ---- */

uint64_t low_bits(const unsigned char *iv, CK_ULONG len, unsigned int bits)
{
	uint64_t value = 0;
	CK_ULONG i;

	for (i = len > 8 ? len - 8 : 0; i < len; i++)
		value = value << 8 | iv[i];
	return bits < 64 ? value & ((1ULL << bits) - 1) : value;
}

enum { IVS = 100 };

/* Different all, the fixed bits as they were, and each of them the one that was used. */
static void ivs_differ(CK_GENERATOR_FUNCTION generator, CK_ULONG iv_len, CK_ULONG fixed)
{
	unsigned char ivs[IVS][32], out[8], want[24], tag[16], first[32];
	CK_ULONG len, i, j;
	struct gcm g;

	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, iv_len, generator, fixed, 128);
	for (i = 0; i < iv_len; i++)
		g.iv[i] = first[i] = 3 * i + 0x5a;
	for (i = 0; i < IVS; i++) {
		/* A query and a short buffer use none up. */
		len = 0;
		assert_ok(seal(&g, "aad", 3, "message", 7, NULL, &len));
		assert_int_equal(len, 7);
		len = 6;
		assert_rv(seal(&g, "aad", 3, "message", 7, out, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, 7);
		if (i % 3)
			assert_ok(seal(&g, "aad", 3, "message", 7, out, &len));
		else
			assert_ok(in_parts(true, &g, "aad", 3, "message", 7, 3, out, &len));
		assert_int_equal(len, 7);
		memcpy(ivs[i], g.iv, iv_len);
		openssl_seal(g.iv, iv_len, "aad", 3, "message", 7, want, tag);
		assert_memory_equal(out, want, 7);
		assert_memory_equal(g.tag, tag, 16);
		for (j = 0; j < fixed; j++)
			assert_int_equal((g.iv[j / 8] ^ first[j / 8]) >> (7 - j % 8) & 1, 0);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(ivs[j], ivs[i], iv_len);
		if (generator == CKG_GENERATE_COUNTER)
			assert_int_equal(low_bits(g.iv, iv_len, 8 * iv_len - fixed), i);
		if (generator == CKG_GENERATE_COUNTER_XOR)
			assert_int_equal(low_bits(g.iv, iv_len, 64) ^ low_bits(first, iv_len, 64), i);
	}
	assert_ok(v3->C_MessageEncryptFinal(s));
}

void generators(void **state)
{
	(void)state;
	ivs_differ(CKG_GENERATE, 12, 0);
	ivs_differ(CKG_GENERATE, 12, 32);
	ivs_differ(CKG_GENERATE, 16, 13);
	ivs_differ(CKG_GENERATE_RANDOM, 12, 0);
	ivs_differ(CKG_GENERATE_RANDOM, 12, 32);
	ivs_differ(CKG_GENERATE_RANDOM, 32, 150);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 0);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 64);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 96 - 9);
	ivs_differ(CKG_GENERATE_COUNTER, 2, 0);
	ivs_differ(CKG_GENERATE_COUNTER, 13, 51);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 0);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 32);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 83);
}

/* A generator that would begin again stops, for good. */
void generators_end(void **state)
{
	static const struct {
		CK_GENERATOR_FUNCTION generator;
		CK_ULONG iv_len, fixed, ivs;
	} rows[] = {
		{ CKG_GENERATE_COUNTER, 12, 92, 16 },
		{ CKG_GENERATE_COUNTER, 12, 95, 2 },
		{ CKG_GENERATE_COUNTER_XOR, 12, 91, 32 },
		{ CKG_GENERATE_COUNTER, 1, 0, 256 },
	};
	CK_ULONG i, n, len;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
		gcm_init(&g, rows[i].iv_len, rows[i].generator, rows[i].fixed, 128);
		for (n = 0; n < rows[i].ivs; n++) {
			len = sizeof(out);
			assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
		}
		for (n = 0; n < 3; n++)
			assert_rv(seal(&g, NULL, 0, "text", 4, out, &len),
				  CKR_TOKEN_RESOURCE_EXCEEDED);
		assert_rv(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0),
			  CKR_TOKEN_RESOURCE_EXCEEDED);
		assert_ok(v3->C_MessageEncryptFinal(s));
	}
}

/* What the first message decided holds for all. */
void generators_stay(void **state)
{
	CK_GENERATOR_FUNCTION other;
	unsigned char base[12];
	CK_ULONG len = 4;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 36, 128);
	memcpy(base, g.iv, 12);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	for (other = 0; other < 6; other++) {
		g.p.ivGenerator = other;
		assert_rv(seal(&g, NULL, 0, "text", 4, out, &len),
			  other == CKG_GENERATE_COUNTER ? CKR_OK : CKR_MECHANISM_PARAM_INVALID);
	}
	g.p.ivGenerator = CKG_GENERATE_COUNTER;
	g.p.ulIvFixedBits = 32;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.ulIvFixedBits = 36;
	g.p.ulIvLen = 13;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.ulIvLen = 12;
	g.iv[4] ^= 0x10;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.iv[4] ^= 0x11;	/* not fixed: it is no matter what stands there */
	memcpy(g.iv, base, 4);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 60), 2);
	assert_ok(v3->C_MessageEncryptFinal(s));
	/* The caller's own IVs, of any length, and then nothing else. */
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	g.p.ulIvLen = 33;
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	g.p.ivGenerator = CKG_GENERATE;
	g.p.ulIvLen = 12;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
}

void gcm_parameters(void **state)
{
	static const struct {
		CK_ULONG iv_len;
		CK_GENERATOR_FUNCTION generator;
		CK_ULONG fixed, tag;
	} bad[] = {
		{ 0, CKG_NO_GENERATE, 0, 128 }, { 257, CKG_NO_GENERATE, 0, 128 },
		{ 0, CKG_GENERATE, 0, 128 }, { 33, CKG_GENERATE, 0, 128 },
		{ 12, CKG_GENERATE, 33, 128 }, { 12, CKG_GENERATE_RANDOM, 33, 128 },
		{ 12, CKG_GENERATE, 96, 128 }, { 12, CKG_GENERATE_COUNTER, 96, 128 },
		{ 12, CKG_GENERATE_COUNTER, 97, 128 }, { 12, CKG_GENERATE_COUNTER, ~0UL, 128 },
		{ 12, 5, 0, 128 }, { 12, ~0UL, 0, 128 },
		{ 12, CKG_NO_GENERATE, 0, 0 }, { 12, CKG_NO_GENERATE, 0, 24 },
		{ 12, CKG_NO_GENERATE, 0, 127 }, { 12, CKG_NO_GENERATE, 0, 136 },
		{ 12, CKG_NO_GENERATE, 0, ~0UL }, { ~0UL, CKG_NO_GENERATE, 0, 128 },
	};
	CK_MECHANISM mech = { CKM_AES_GCM, NULL, 0 };
	CK_ULONG i, len;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE, 0, 128);
	mech.pParameter = &g.p;
	mech.ulParameterLen = sizeof(g.p) - 8;
	assert_rv(v3->C_MessageEncryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	mech.ulParameterLen = sizeof(g.p);
	assert_ok(v3->C_MessageEncryptInit(s, &mech, key));
	for (i = 0; i < COUNT(bad); i++) {
		gcm_init(&g, bad[i].iv_len, bad[i].generator, bad[i].fixed, bad[i].tag);
		len = sizeof(out);
		assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
		assert_rv(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0),
			  CKR_MECHANISM_PARAM_INVALID);
	}
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	len = sizeof(out);
	assert_rv(v3->C_EncryptMessage(s, NULL, 0, NULL, 0, out, 4, out, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	assert_rv(v3->C_EncryptMessage(s, &g.p, sizeof(g.p) - 1, NULL, 0, out, 4, out, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	g.p.pTag = NULL;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.pTag = g.tag;
	g.p.pIv = NULL;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.pIv = g.iv;
	assert_rv(seal(&g, NULL, 3, "text", 4, out, &len), CKR_ARGUMENTS_BAD);
	assert_rv(seal(&g, NULL, 0, NULL, 4, out, &len), CKR_ARGUMENTS_BAD);
	assert_rv(seal(&g, NULL, 0, "text", 4, out, NULL), CKR_ARGUMENTS_BAD);
	/* After all that the operation is there, and has not made a message. */
	g.p.ivGenerator = CKG_GENERATE_COUNTER;
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 64), 0);
}
