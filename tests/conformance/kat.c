// SPDX-License-Identifier: MIT
/*
 * Known answers: the vectors in vectors/ (whose files say where they are from and how they are written)
 * through PKCS#11, at once and in parts. The last test asserts that every mechanism that the token lists
 * was put to work by one of the others, so that none can be listed without an answer that is known.
 */
#include <ctype.h>

#include <openssl/evp.h>

#include "curves.h"

/* ---- mechanisms ---- */

#define PLAIN(ckm, ...)	{ .name = #ckm, .types = { ckm, ##__VA_ARGS__ } }

/* Names in vector files; several numbers are one mechanism. */
static const struct mech {
	const char *name;
	CK_MECHANISM_TYPE types[3];
	CK_MECHANISM_TYPE general[2];	/* the same with a length of its own */
	CK_KEY_TYPE key_type;
} mechs[] = {
	PLAIN(CKM_SHA_1),
	PLAIN(CKM_SHA224, CKM_SHA224_OLD),
	PLAIN(CKM_SHA256),
	PLAIN(CKM_SHA384),
	PLAIN(CKM_SHA512),
	PLAIN(CKM_SHA3_224),
	PLAIN(CKM_SHA3_256),
	PLAIN(CKM_SHA3_384),
	PLAIN(CKM_SHA3_512),
	{ .name = "CKM_SHA_1_HMAC", .types = { CKM_SHA_1_HMAC },
	  .general = { CKM_SHA_1_HMAC_GENERAL }, .key_type = CKK_SHA_1_HMAC },
	{ .name = "CKM_SHA224_HMAC", .types = { CKM_SHA224_HMAC, CKM_SHA224_HMAC_OLD },
	  .general = { CKM_SHA224_HMAC_GENERAL, CKM_SHA224_HMAC_GENERAL_OLD }, .key_type = CKK_SHA224_HMAC },
	{ .name = "CKM_SHA256_HMAC", .types = { CKM_SHA256_HMAC },
	  .general = { CKM_SHA256_HMAC_GENERAL }, .key_type = CKK_SHA256_HMAC },
	{ .name = "CKM_SHA384_HMAC", .types = { CKM_SHA384_HMAC },
	  .general = { CKM_SHA384_HMAC_GENERAL }, .key_type = CKK_SHA384_HMAC },
	{ .name = "CKM_SHA512_HMAC", .types = { CKM_SHA512_HMAC },
	  .general = { CKM_SHA512_HMAC_GENERAL }, .key_type = CKK_SHA512_HMAC },
	{ .name = "CKM_SHA3_224_HMAC", .types = { CKM_SHA3_224_HMAC },
	  .general = { CKM_SHA3_224_HMAC_GENERAL }, .key_type = CKK_SHA3_224_HMAC },
	{ .name = "CKM_SHA3_256_HMAC", .types = { CKM_SHA3_256_HMAC },
	  .general = { CKM_SHA3_256_HMAC_GENERAL }, .key_type = CKK_SHA3_256_HMAC },
	{ .name = "CKM_SHA3_384_HMAC", .types = { CKM_SHA3_384_HMAC },
	  .general = { CKM_SHA3_384_HMAC_GENERAL }, .key_type = CKK_SHA3_384_HMAC },
	{ .name = "CKM_SHA3_512_HMAC", .types = { CKM_SHA3_512_HMAC },
	  .general = { CKM_SHA3_512_HMAC_GENERAL }, .key_type = CKK_SHA3_512_HMAC },
	PLAIN(CKM_AES_ECB),
	PLAIN(CKM_AES_CBC),
	PLAIN(CKM_AES_CBC_PAD),
	PLAIN(CKM_AES_CTR),
	PLAIN(CKM_AES_GCM, CKM_AES_GCM_2_20a5d1),
	PLAIN(CKM_AES_GMAC, CKM_AES_GMAC_OLD),
	{ .name = "CKM_AES_CMAC", .types = { CKM_AES_CMAC },
	  .general = { CKM_AES_CMAC_GENERAL, CKM_AES_CMAC_GENERAL_OLD }, .key_type = CKK_AES },
	PLAIN(CKM_AES_XTS, CKM_AES_XTS_OLD),
	PLAIN(CKM_DES3_ECB),
	PLAIN(CKM_DES3_CBC),
	PLAIN(CKM_DES3_CBC_PAD),
	PLAIN(CKM_DES3_CTR),
	{ .name = "CKM_DES3_MAC", .types = { CKM_DES3_MAC }, .general = { CKM_DES3_MAC_GENERAL },
	  .key_type = CKK_DES3 },
	{ .name = "CKM_DES3_CMAC", .types = { CKM_DES3_CMAC }, .general = { CKM_DES3_CMAC_GENERAL },
	  .key_type = CKK_DES3 },
	PLAIN(CKM_AES_KW, CKM_AES_KEY_WRAP),
	PLAIN(CKM_AES_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP_KWP),
	PLAIN(CKM_RSA_PKCS),
	PLAIN(CKM_RSA_X_509),
	PLAIN(CKM_RSA_PKCS_OAEP),
	PLAIN(CKM_RSA_AES_KEY_WRAP),
	PLAIN(CKM_RSA_PKCS_PSS),
	PLAIN(CKM_SHA1_RSA_PKCS),
	PLAIN(CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_OLD),
	PLAIN(CKM_SHA256_RSA_PKCS),
	PLAIN(CKM_SHA384_RSA_PKCS),
	PLAIN(CKM_SHA512_RSA_PKCS),
	PLAIN(CKM_SHA3_224_RSA_PKCS),
	PLAIN(CKM_SHA3_256_RSA_PKCS),
	PLAIN(CKM_SHA3_384_RSA_PKCS),
	PLAIN(CKM_SHA3_512_RSA_PKCS),
	PLAIN(CKM_SHA1_RSA_PKCS_PSS),
	PLAIN(CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224_RSA_PKCS_PSS_OLD),
	PLAIN(CKM_SHA256_RSA_PKCS_PSS),
	PLAIN(CKM_SHA384_RSA_PKCS_PSS),
	PLAIN(CKM_SHA512_RSA_PKCS_PSS),
	PLAIN(CKM_SHA3_224_RSA_PKCS_PSS),
	PLAIN(CKM_SHA3_256_RSA_PKCS_PSS),
	PLAIN(CKM_SHA3_384_RSA_PKCS_PSS),
	PLAIN(CKM_SHA3_512_RSA_PKCS_PSS),
	PLAIN(CKM_ECDSA),
	PLAIN(CKM_ECDSA_SHA1),
	PLAIN(CKM_ECDSA_SHA224, CKM_ECDSA_SHA224_OLD),
	PLAIN(CKM_ECDSA_SHA256, CKM_ECDSA_SHA256_OLD),
	PLAIN(CKM_ECDSA_SHA384, CKM_ECDSA_SHA384_OLD),
	PLAIN(CKM_ECDSA_SHA512, CKM_ECDSA_SHA512_OLD),
	PLAIN(CKM_ECDSA_SHA3_224),
	PLAIN(CKM_ECDSA_SHA3_256),
	PLAIN(CKM_ECDSA_SHA3_384),
	PLAIN(CKM_ECDSA_SHA3_512),
	PLAIN(CKM_EDDSA, CKM_EDDSA_OLD),
	PLAIN(CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE),
	PLAIN(CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_BASE_AND_KEY_OLD_XXX),
	PLAIN(CKM_CONCATENATE_BASE_AND_DATA, CKM_CONCATENATE_BASE_AND_DATA_OLD_XXX),
	PLAIN(CKM_CONCATENATE_DATA_AND_BASE, CKM_CONCATENATE_DATA_AND_BASE_OLD_XXX),
	PLAIN(CKM_XOR_BASE_AND_DATA, CKM_XOR_BASE_AND_DATA_OLD_XXX),
	PLAIN(CKM_EXTRACT_KEY_FROM_KEY, CKM_EXTRACT_KEY_FROM_KEY_OLD_XXX),
	PLAIN(CKM_SHA1_KEY_DERIVATION, CKM_SHA1_KEY_DERIVATION_OLD_XXX),
	PLAIN(CKM_SHA224_KEY_DERIVATION, CKM_SHA224_KEY_DERIVATION_OLD),
	PLAIN(CKM_SHA256_KEY_DERIVATION),
	PLAIN(CKM_SHA384_KEY_DERIVATION),
	PLAIN(CKM_SHA512_KEY_DERIVATION),
	PLAIN(CKM_SHA3_224_KEY_DERIVATION),
	PLAIN(CKM_SHA3_256_KEY_DERIVATION),
	PLAIN(CKM_SHA3_384_KEY_DERIVATION),
	PLAIN(CKM_SHA3_512_KEY_DERIVATION),
	PLAIN(CKM_AES_ECB_ENCRYPT_DATA),
	PLAIN(CKM_AES_CBC_ENCRYPT_DATA),
	PLAIN(CKM_PKCS5_PBKD2),
	PLAIN(CKM_HKDF_DERIVE),
	PLAIN(CKM_HKDF_DATA),
	PLAIN(CKM_SP800_108_COUNTER_KDF),
	PLAIN(CKM_SP800_108_FEEDBACK_KDF),
	PLAIN(CKM_SP800_108_DOUBLE_PIPELINE_KDF),
	PLAIN(CKM_PRF_KDF),
	PLAIN(CKM_NIST_PRF_KDF),
};

/* Names in vector files; the masks of SHA-3 have the standard's numbers and the vendor's. */
static const struct hash {
	const char *name;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[] = {
	{ "SHA_1", CKM_SHA_1, CKG_MGF1_SHA1 }, { "SHA224", CKM_SHA224, CKG_MGF1_SHA224 },
	{ "SHA256", CKM_SHA256, CKG_MGF1_SHA256 }, { "SHA384", CKM_SHA384, CKG_MGF1_SHA384 },
	{ "SHA512", CKM_SHA512, CKG_MGF1_SHA512 },
	{ "SHA3_224", CKM_SHA3_224, CKG_MGF1_SHA3_224_STD },
	{ "SHA3_256", CKM_SHA3_256, CKG_MGF1_SHA3_256_STD },
	{ "SHA3_384", CKM_SHA3_384, CKG_MGF1_SHA3_384_STD },
	{ "SHA3_512", CKM_SHA3_512, CKG_MGF1_SHA3_512_STD },
	{ "SHA3_224_VENDOR", CKM_SHA3_224, CKG_MGF1_SHA3_224 },
	{ "SHA3_256_VENDOR", CKM_SHA3_256, CKG_MGF1_SHA3_256 },
	{ "SHA3_384_VENDOR", CKM_SHA3_384, CKG_MGF1_SHA3_384 },
	{ "SHA3_512_VENDOR", CKM_SHA3_512, CKG_MGF1_SHA3_512 },
};

/* The same of key derivation functions, with all their numbers */
static const struct kdf {
	const char *name;
	CK_EC_KDF_TYPE types[2];
} kdfs[] = {
	{ "SHA_1", { CKD_SHA1_KDF } },
	{ "SHA224", { CKD_SHA224_KDF, CKD_SHA224_KDF_OLD } },
	{ "SHA256", { CKD_SHA256_KDF, CKD_SHA256_KDF_OLD } },
	{ "SHA384", { CKD_SHA384_KDF, CKD_SHA384_KDF_OLD } },
	{ "SHA512", { CKD_SHA512_KDF, CKD_SHA512_KDF_OLD } },
	{ "SHA3_224", { CKD_SHA3_224_KDF } },
	{ "SHA3_256", { CKD_SHA3_256_KDF } },
	{ "SHA3_384", { CKD_SHA3_384_KDF } },
	{ "SHA3_512", { CKD_SHA3_512_KDF } },
	{ "SHA_1_SP800", { CKD_SHA1_KDF_SP800, CKD_SHA1_KDF_CONCATENATE_NIST } },
	{ "SHA224_SP800", { CKD_SHA224_KDF_SP800, CKD_SHA224_NIST_KDF } },
	{ "SHA256_SP800", { CKD_SHA256_KDF_SP800, CKD_SHA256_NIST_KDF } },
	{ "SHA384_SP800", { CKD_SHA384_KDF_SP800, CKD_SHA384_NIST_KDF } },
	{ "SHA512_SP800", { CKD_SHA512_KDF_SP800, CKD_SHA512_NIST_KDF } },
	{ "SHA3_224_SP800", { CKD_SHA3_224_KDF_SP800, CKD_SHA3_224_NIST_KDF } },
	{ "SHA3_256_SP800", { CKD_SHA3_256_KDF_SP800, CKD_SHA3_256_NIST_KDF } },
	{ "SHA3_384_SP800", { CKD_SHA3_384_KDF_SP800, CKD_SHA3_384_NIST_KDF } },
	{ "SHA3_512_SP800", { CKD_SHA3_512_KDF_SP800, CKD_SHA3_512_NIST_KDF } },
};

/* Mechanisms that a test of this file has used and checked. */
static CK_MECHANISM_TYPE exercised[512];
static size_t exercised_count;

static bool was_exercised(CK_MECHANISM_TYPE type)
{
	size_t i;

	for (i = 0; i < exercised_count; i++)
		if (exercised[i] == type)
			return true;
	return false;
}

static void exercise(CK_MECHANISM_TYPE type)
{
	if (!was_exercised(type))
		exercised[exercised_count++] = type;
}

/* ---- vectors ---- */

enum { FIELDS = 16 };

struct vector {
	const char *file;
	int line;
	const struct mech *mech;	/* NULL: a key */
	int count;
	struct {
		char *name, *value;
		struct bytes bytes;
	} fields[FIELDS];
};

static CK_SESSION_HANDLE s;

/* Checks that say which vector it was. */
#define check_rv(v, expression, expected)						\
	do {										\
		CK_RV rv_ = (expression), want_ = (expected);				\
		if (rv_ != want_)							\
			fail_msg("%s:%d: %s: %s (0x%lx), expected %s", (v)->file, (v)->line,	\
				 #expression, rv_name(rv_), rv_, rv_name(want_));	\
	} while (0)
#define check_ok(v, expression) check_rv(v, expression, CKR_OK)

static void check_bytes_at(const struct vector *v, int line, const void *got, size_t got_len,
			   const void *want, size_t want_len)
{
	if (got_len != want_len)
		fail_msg("%s:%d (kat.c:%d): %zu bytes, expected %zu", v->file, v->line, line, got_len,
			 want_len);
	if (memcmp(got, want, want_len))
		fail_msg("%s:%d (kat.c:%d): wrong bytes", v->file, v->line, line);
}
#define check_bytes(v, got, got_len, want, want_len) \
	check_bytes_at(v, __LINE__, got, got_len, want, want_len)

static const char *word(const struct vector *v, const char *name)
{
	int i;

	for (i = 0; i < v->count; i++)
		if (!strcmp(v->fields[i].name, name))
			return v->fields[i].value;
	return NULL;
}

static bool has(const struct vector *v, const char *name)
{
	return word(v, name);
}

/* A number, or 0. */
static CK_ULONG number(const struct vector *v, const char *name)
{
	const char *value = word(v, name);

	return value ? strtoul(value, NULL, 10) : 0;
}

/* A value in hex; empty if it is missing. Lives as long as the vector. */
static struct bytes hex(struct vector *v, const char *name)
{
	static unsigned char none[1];
	int i;

	for (i = 0; i < v->count; i++) {
		if (strcmp(v->fields[i].name, name))
			continue;
		if (!v->fields[i].bytes.data) {
			if (strlen(v->fields[i].value) % 2)
				fail_msg("%s:%d: half a byte in %s", v->file, v->line, name);
			v->fields[i].bytes.data = unhex(v->fields[i].value, &v->fields[i].bytes.len);
		}
		return v->fields[i].bytes;
	}
	return (struct bytes){ none, 0 };
}

static void vector_free(struct vector *v)
{
	while (v->count--) {
		free(v->fields[v->count].name);
		free(v->fields[v->count].value);
		free(v->fields[v->count].bytes.data);
	}
	v->count = 0;
}

static const struct mech *mech_by_name(const struct vector *v)
{
	const char *name = word(v, "mechanism");
	size_t i;

	if (!name)
		fail_msg("%s:%d: no mechanism", v->file, v->line);
	for (i = 0; i < COUNT(mechs); i++)
		if (!strcmp(mechs[i].name, name))
			return &mechs[i];
	if (strcmp(name, "key"))
		fail_msg("%s:%d: unknown mechanism %s", v->file, v->line, name);
	return NULL;
}

static void vector_run(struct vector *v, void (*run)(struct vector *v, CK_MECHANISM_TYPE type))
{
	size_t i;

	v->mech = mech_by_name(v);
	if (!v->mech) {
		run(v, 0);
		return;
	}
	for (i = 0; i < 3 && (!i || v->mech->types[i]); i++) {
		if (!mechanism_listed(slot_a, v->mech->types[i]))
			continue;
		run(v, v->mech->types[i]);
		exercise(v->mech->types[i]);
	}
}

static void vector_line(struct vector *v, char *text, int line)
{
	char *equals = strchr(text, '='), *end;

	if (!equals || v->count == FIELDS)
		fail_msg("%s:%d: not a field, or one too many", v->file, line);
	if (!v->count)
		v->line = line;
	for (end = equals; end > text && isspace((unsigned char)end[-1]); end--)
		;
	v->fields[v->count].name = strndup(text, end - text);
	for (equals++; isspace((unsigned char)*equals); equals++)
		;
	v->fields[v->count].bytes.data = NULL;
	v->fields[v->count++].value = strdup(equals);
}

/* Runs the vectors of a file, of which there must be @expected, keys not counted. */
static void vectors_run(const char *file, size_t expected,
			void (*run)(struct vector *v, CK_MECHANISM_TYPE type))
{
	struct vector v = { .file = file };
	char path[4096], *text = NULL;
	size_t room = 0, count = 0;
	ssize_t len;
	int line = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", LUNA_TEST_VECTORS, file);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	for (;;) {
		len = getline(&text, &room, f);
		line++;
		while (len > 0 && isspace((unsigned char)text[len - 1]))
			text[--len] = 0;
		if (len > 0) {
			if (*text != '#')
				vector_line(&v, text, line);
			continue;
		}
		if (v.count) {
			vector_run(&v, run);
			count += v.mech != NULL;
			vector_free(&v);
		}
		if (len < 0)
			break;
	}
	free(text);
	fclose(f);
	assert_int_equal(count, expected);
}

static int open_session(void **state)
{
	(void)state;
	s = session_co(slot_a);
	return 0;
}

/* ---- digests ---- */

static void digest_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 63, 64, 4096, RANDOM_PARTS };
	CK_MECHANISM mech = { type, NULL, 0 };
	struct bytes once = hex(v, "data"), want = hex(v, "result");
	size_t repeat = has(v, "repeat") ? number(v, "repeat") : 1, len = once.len * repeat, i;
	unsigned char *data = malloc(len + 1), out[64];
	CK_ULONG out_len;

	assert_non_null(data);
	for (i = 0; i < repeat; i++)
		memcpy(data + i * once.len, once.data, once.len);
	for (i = 0; i < COUNT(splits); i++) {
		if (splits[i] > 0 && len / splits[i] > 1000)
			continue;
		out_len = sizeof(out);
		check_ok(v, run_digest(s, &mech, data, len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want.len);
	}
	free(data);
}

static void digests(void **state)
{
	(void)state;
	vectors_run("digest.txt", 90, digest_vector);
	vectors_run("sha3-digest.txt", 52, digest_vector);
}

/* ---- HMAC and CMAC ---- */

static void mac_general(struct vector *v, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	CK_MAC_GENERAL_PARAMS cut;
	CK_MECHANISM mech = { type, &cut, sizeof(cut) };
	unsigned char out[64];
	CK_ULONG out_len;

	for (cut = 1; cut <= want.len; cut++) {
		out_len = sizeof(out);
		check_ok(v, run_sign(s, &mech, key, data.data, data.len, cut % 2 ? ONE_SHOT : 7, out,
				     &out_len));
		check_bytes(v, out, out_len, want.data, cut);
		check_ok(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, want.data, cut));
		check_rv(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, want.data, cut + 1),
			 CKR_SIGNATURE_LEN_RANGE);
		out[cut - 1] ^= 1;
		check_rv(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, out, cut),
			 CKR_SIGNATURE_INVALID);
	}
	check_rv(v, p11->C_SignInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	cut = 0;
	check_rv(v, p11->C_SignInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	exercise(type);
}

static void mac_full(struct vector *v, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
	static const int splits[] = { ONE_SHOT, 1, 16, RANDOM_PARTS };
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	CK_MECHANISM mech = { type, NULL, 0 };
	unsigned char out[64];
	CK_ULONG out_len;
	size_t i;

	if (type == CKM_DES3_MAC)	/* half a block, if nothing else is said */
		want.len /= 2;
	for (i = 0; i < COUNT(splits); i++) {
		out_len = sizeof(out);
		check_ok(v, run_sign(s, &mech, key, data.data, data.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want.len);
		check_ok(v, run_verify(s, &mech, key, data.data, data.len, splits[i], out, out_len));
		out[i] ^= 0x80;
		check_rv(v, run_verify(s, &mech, key, data.data, data.len, splits[i], out, out_len),
			 CKR_SIGNATURE_INVALID);
	}
	check_rv(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, want.data, want.len - 1),
		 CKR_SIGNATURE_LEN_RANGE);
}

/* Triple DES has two, by the length of the key. */
static CK_KEY_TYPE cipher_key_type(const struct vector *v, size_t len)
{
	if (strncmp(v->mech->name, "CKM_DES3", 8))
		return v->mech->key_type ? v->mech->key_type : CKK_AES;
	return len == 16 ? CKK_DES2 : CKK_DES3;
}

static void mac_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key");
	CK_OBJECT_HANDLE key = secret_import(s, cipher_key_type(v, value.len), value.data, value.len);
	int i;

	mac_full(v, type, key);
	for (i = 0; i < 2 && v->mech->general[i]; i++)
		if (mechanism_listed(slot_a, v->mech->general[i]))
			mac_general(v, v->mech->general[i], key);
	check_ok(v, p11->C_DestroyObject(s, key));
	if (v->mech->key_type == CKK_AES || v->mech->key_type == CKK_DES3)
		return;
	key = secret_import(s, CKK_GENERIC_SECRET, value.data, value.len);
	mac_full(v, type, key);
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void hmacs(void **state)
{
	(void)state;
	vectors_run("hmac.txt", 35, mac_vector);
	vectors_run("sha3-hmac.txt", 40, mac_vector);
}

static void cmacs(void **state)
{
	(void)state;
	vectors_run("cmac.txt", 12, mac_vector);
}

/* ---- AES ---- */

static void aes_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 15, 16, 17, 32, RANDOM_PARTS };
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	struct bytes iv = hex(v, "iv");
	CK_MECHANISM mech = { type, iv.len ? iv.data : NULL, iv.len };
	CK_AES_CTR_PARAMS ctr = { .ulCounterBits = number(v, "bits") };
	CK_DES_CTR_PARAMS des_ctr = { .ulCounterBits = number(v, "bits") };
	CK_OBJECT_HANDLE key = secret_import(s, cipher_key_type(v, value.len), value.data, value.len);
	unsigned char out[128];
	CK_ULONG out_len;
	size_t i;

	if (type == CKM_AES_CTR) {
		memcpy(ctr.cb, iv.data, sizeof(ctr.cb));
		mech = (CK_MECHANISM){ type, &ctr, sizeof(ctr) };
	} else if (type == CKM_DES3_CTR) {
		memcpy(des_ctr.cb, iv.data, sizeof(des_ctr.cb));
		mech = (CK_MECHANISM){ type, &des_ctr, sizeof(des_ctr) };
	}
	for (i = 0; i < COUNT(splits); i++) {
		out_len = sizeof(out);
		check_ok(v, run_crypt(true, s, &mech, key, data.data, data.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want.len);
		out_len = sizeof(out);
		check_ok(v, run_crypt(false, s, &mech, key, want.data, want.len, splits[i], out,
				      &out_len));
		check_bytes(v, out, out_len, data.data, data.len);
	}
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void aes_modes(void **state)
{
	(void)state;
	vectors_run("aes.txt", 36, aes_vector);
}

static void xts_with(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	static const int splits[] = { ONE_SHOT, 1, 15, 16, 17, RANDOM_PARTS };
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[128];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < COUNT(splits); i++) {
		out_len = sizeof(out);
		check_ok(v, run_crypt(true, s, mech, key, data.data, data.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want.len);
		out_len = sizeof(out);
		check_ok(v, run_crypt(false, s, mech, key, want.data, want.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, data.data, data.len);
	}
	out_len = sizeof(out);
	check_rv(v, run_crypt(true, s, mech, key, data.data, 15, ONE_SHOT, out, &out_len),
		 CKR_DATA_LEN_RANGE);
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, data.data, 15, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_LEN_RANGE);
}

/* With one key as the standard has it, and with two of the vendor's. */
static void xts_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), iv = hex(v, "iv");
	CK_OBJECT_HANDLE both = secret_import(s, CKK_AES_XTS, value.data, value.len);
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len / 2);
	CK_AES_XTS_PARAMS p = {
		.hTweakKey = secret_import(s, CKK_AES, value.data + value.len / 2, value.len / 2),
	};
	CK_MECHANISM one = { type, iv.data, iv.len }, two = { type, &p, sizeof(p) };

	memcpy(p.cb, iv.data, sizeof(p.cb));
	xts_with(v, &one, both);
	xts_with(v, &two, key);
	check_rv(v, p11->C_EncryptInit(s, &one, key), CKR_MECHANISM_PARAM_INVALID);
	check_rv(v, p11->C_EncryptInit(s, &two, both), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, p.hTweakKey));
	p.hTweakKey = key;
	check_rv(v, p11->C_EncryptInit(s, &two, key), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
	check_ok(v, p11->C_DestroyObject(s, both));
}

static void xts(void **state)
{
	(void)state;
	vectors_run("xts.txt", 18, xts_vector);
}

/* The ciphers and the MACs of one file */
static void des3_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (v->mech->key_type)
		mac_vector(v, type);
	else
		aes_vector(v, type);
}

static void des3(void **state)
{
	(void)state;
	vectors_run("des3.txt", 50, des3_vector);
}

/* Decryption of what was changed: in a tag, the ciphertext, the AAD or the IV. */
static void gcm_forged(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
		       const struct bytes *sealed)
{
	CK_GCM_PARAMS *p = mech->pParameter;
	unsigned char copy[128], out[128];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < sealed->len; i += 5) {
		memcpy(copy, sealed->data, sealed->len);
		copy[i] ^= 1 << i % 8;
		out_len = sizeof(out);
		check_rv(v, run_crypt(false, s, mech, key, copy, sealed->len, i % 2 ? 9 : ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
	}
	p->pIv[p->ulIvLen - 1] ^= 1;
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, sealed->data, sealed->len, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_INVALID);
	p->pIv[p->ulIvLen - 1] ^= 1;
	if (!p->ulAADLen)
		return;
	p->ulAADLen--;
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, sealed->data, sealed->len, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_INVALID);
	p->ulAADLen++;
}

static void gcm_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 16, 13, RANDOM_PARTS };
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	struct bytes iv = hex(v, "iv"), aad = hex(v, "aad");
	CK_GCM_PARAMS p = { iv.data, iv.len, 8 * iv.len, aad.data, aad.len, 128 };
	CK_MECHANISM mech = { type, &p, sizeof(p) };
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len);
	unsigned char out[128];
	CK_ULONG out_len, tag;
	size_t i;

	for (tag = 4; tag <= 16; tag++) {
		const struct bytes sealed = { want.data, data.len + tag };

		p.ulTagBits = 8 * tag;
		for (i = 0; i < COUNT(splits); i++) {
			out_len = sizeof(out);
			check_ok(v, run_crypt(true, s, &mech, key, data.data, data.len, splits[i], out,
					      &out_len));
			check_bytes(v, out, out_len, sealed.data, sealed.len);
			out_len = sizeof(out);
			check_ok(v, run_crypt(false, s, &mech, key, sealed.data, sealed.len, splits[i],
					      out, &out_len));
			check_bytes(v, out, out_len, data.data, data.len);
		}
		gcm_forged(v, &mech, key, &sealed);
	}
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void gcm(void **state)
{
	(void)state;
	vectors_run("gcm.txt", 18, gcm_vector);
}

static void gmac_full(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_ULONG tag)
{
	static const int splits[] = { ONE_SHOT, 1, 16, 13, RANDOM_PARTS };
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[16];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < COUNT(splits); i++) {
		out_len = sizeof(out);
		check_ok(v, run_sign(s, mech, key, data.data, data.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, tag);
		check_ok(v, run_verify(s, mech, key, data.data, data.len, splits[i], out, tag));
		out[(tag - 1) * i / COUNT(splits)] ^= 1 << i;
		check_rv(v, run_verify(s, mech, key, data.data, data.len, splits[i], out, tag),
			 CKR_SIGNATURE_INVALID);
	}
	check_rv(v, run_verify(s, mech, key, data.data, data.len, ONE_SHOT, want.data, tag - 1),
		 CKR_SIGNATURE_LEN_RANGE);
}

/* The parameter is an IV of 12 bytes (v3.0), or as for GCM, with or without ulIvBits. */
static void gmac_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), iv = hex(v, "iv");
	CK_GCM_PARAMS p = { iv.data, iv.len, 8 * iv.len, NULL, 0, 128 };
	struct {
		CK_BYTE_PTR iv;
		CK_ULONG iv_len;
		CK_BYTE_PTR aad;
		CK_ULONG aad_len, tag_bits;
	} old = { iv.data, iv.len, NULL, 0, 128 };
	CK_MECHANISM raw = { type, iv.data, iv.len }, mech = { type, &p, sizeof(p) };
	CK_MECHANISM mech_old = { type, &old, sizeof(old) };
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len);

	for (p.ulTagBits = 32; p.ulTagBits <= 128; p.ulTagBits += 8)
		gmac_full(v, &mech, key, p.ulTagBits / 8);
	gmac_full(v, &mech_old, key, 16);
	if (iv.len == 12)
		gmac_full(v, &raw, key, 16);
	else
		check_rv(v, p11->C_SignInit(s, &raw, key), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void gmac(void **state)
{
	(void)state;
	vectors_run("gmac.txt", 20, gmac_vector);
}

/* ---- key wrap ---- */

static void kw_as_key(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE kek)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	bool aes = data.len == 16 || data.len == 24 || data.len == 32;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = aes ? CKK_AES : CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
	};
	CK_OBJECT_HANDLE key = secret_import(s, type, data.data, data.len), back;
	unsigned char out[64], *value;
	CK_ULONG out_len = sizeof(out), len;

	check_ok(v, p11->C_WrapKey(s, mech, kek, key, out, &out_len));
	check_bytes(v, out, out_len, want.data, want.len);
	check_ok(v, p11->C_UnwrapKey(s, mech, kek, out, out_len, tmpl, 5, &back));
	value = attr_bytes(s, back, CKA_VALUE, &len);
	check_bytes(v, value, len, data.data, data.len);
	free(value);
	out[out_len - 1] ^= 1;
	check_rv(v, p11->C_UnwrapKey(s, mech, kek, out, out_len, tmpl, 5, &back),
		 CKR_WRAPPED_KEY_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void kw_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	CK_OBJECT_HANDLE kek = secret_import(s, CKK_AES, value.data, value.len);
	CK_MECHANISM mech = { type, NULL, 0 };
	unsigned char out[64];
	CK_ULONG out_len = sizeof(out);
	size_t i;

	check_ok(v, run_crypt(true, s, &mech, kek, data.data, data.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, want.data, want.len);
	out_len = sizeof(out);
	check_ok(v, run_crypt(false, s, &mech, kek, want.data, want.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
	for (i = 0; i < want.len; i++) {
		want.data[i] ^= 0x10;
		out_len = sizeof(out);
		check_rv(v, run_crypt(false, s, &mech, kek, want.data, want.len, ONE_SHOT, out, &out_len),
			 CKR_ENCRYPTED_DATA_INVALID);
		want.data[i] ^= 0x10;
	}
	kw_as_key(v, &mech, kek);
	check_ok(v, p11->C_DestroyObject(s, kek));
}

static void key_wrap(void **state)
{
	(void)state;
	vectors_run("kw.txt", 8, kw_vector);
}

/* ---- RSA ---- */

/* Keys of rsa.txt: public, private with and without the CRT's parts. */
static struct rsa_key {
	char name[32];
	CK_OBJECT_HANDLE pub, priv, plain;
} rsa_keys[8];
static size_t rsa_key_count;

static void rsa_key_add(struct vector *v)
{
	const struct rsa_numbers k = {
		hex(v, "n"), hex(v, "e"), hex(v, "d"), hex(v, "p"), hex(v, "q"), hex(v, "dp"),
		hex(v, "dq"), hex(v, "qi"),
	};
	struct rsa_key *key = &rsa_keys[rsa_key_count++];

	assert_true(rsa_key_count <= COUNT(rsa_keys));
	snprintf(key->name, sizeof(key->name), "%s", word(v, "name"));
	key->pub = rsa_import_public(s, &k);
	key->priv = k.d.len ? rsa_import_private(s, &k, true) : 0;
	key->plain = k.d.len ? rsa_import_private(s, &k, false) : 0;
}

static const struct rsa_key *rsa_key_of(const struct vector *v)
{
	size_t i;

	for (i = 0; i < rsa_key_count; i++)
		if (!strcmp(rsa_keys[i].name, word(v, "key")))
			return &rsa_keys[i];
	fail_msg("%s:%d: no such key", v->file, v->line);
	return NULL;
}

static const struct hash *hash_of(const struct vector *v, const char *field)
{
	size_t i;

	for (i = 0; i < COUNT(hashes); i++)
		if (!strcmp(hashes[i].name, word(v, field)))
			return &hashes[i];
	fail_msg("%s:%d: no such %s", v->file, v->line, field);
	return NULL;
}

/* Parameters of any of them. */
struct rsa_params {
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
};

static CK_MECHANISM rsa_mech(struct vector *v, CK_MECHANISM_TYPE type, struct rsa_params *p)
{
	struct bytes label = hex(v, "label");

	if (type == CKM_RSA_PKCS_OAEP) {
		p->oaep = (CK_RSA_PKCS_OAEP_PARAMS){
			hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, CKZ_DATA_SPECIFIED,
			label.len ? label.data : NULL, label.len,
		};
		return (CK_MECHANISM){ type, &p->oaep, sizeof(p->oaep) };
	}
	if (has(v, "salt")) {
		p->pss = (CK_RSA_PKCS_PSS_PARAMS){
			hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, number(v, "salt"),
		};
		return (CK_MECHANISM){ type, &p->pss, sizeof(p->pss) };
	}
	return (CK_MECHANISM){ type, NULL, 0 };
}

static void rsa_decrypts(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	struct bytes data = hex(v, "data"), wire = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_crypt(false, s, mech, key, wire.data, wire.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
}

static void rsa_signs(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, int split)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_sign(s, mech, key, data.data, data.len, split, out, &out_len));
	check_bytes(v, out, out_len, want.data, want.len);
}

static void rsa_verifies(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, int split)
{
	struct bytes data = hex(v, "data"), sig = hex(v, "result");

	check_ok(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len));
	sig.data[sig.len / 2] ^= 4;
	check_rv(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len),
		 CKR_SIGNATURE_INVALID);
	sig.data[sig.len / 2] ^= 4;
	check_rv(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len - 1),
		 CKR_SIGNATURE_LEN_RANGE);
}

/* Signatures with the data in them. */
static void rsa_recovers(struct vector *v, CK_MECHANISM *mech, const struct rsa_key *key,
			 struct bytes data, struct bytes sig)
{
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, p11->C_SignRecoverInit(s, mech, key->priv));
	check_ok(v, p11->C_SignRecover(s, data.data, data.len, out, &out_len));
	check_bytes(v, out, out_len, sig.data, sig.len);
	out_len = sizeof(out);
	check_ok(v, p11->C_VerifyRecoverInit(s, mech, key->pub));
	check_ok(v, p11->C_VerifyRecover(s, sig.data, sig.len, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
}

/* result = data ^ e mod n */
static void rsa_raw(struct vector *v, CK_MECHANISM *mech, const struct rsa_key *key)
{
	struct bytes data = hex(v, "data"), power = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_crypt(true, s, mech, key->pub, data.data, data.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, power.data, power.len);
	rsa_decrypts(v, mech, key->priv);
	rsa_decrypts(v, mech, key->plain);
	out_len = sizeof(out);
	check_ok(v, run_sign(s, mech, key->priv, power.data, power.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
	check_ok(v, run_verify(s, mech, key->pub, power.data, power.len, ONE_SHOT, data.data, data.len));
	rsa_recovers(v, mech, key, power, data);
}

static void rsa_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	const char *name = word(v, "name");
	const struct rsa_key *key;
	struct rsa_params params;
	CK_MECHANISM mech;
	bool whole;

	if (!v->mech) {
		rsa_key_add(v);
		return;
	}
	key = rsa_key_of(v);
	mech = rsa_mech(v, type, &params);
	whole = type == CKM_RSA_PKCS || type == CKM_RSA_PKCS_PSS;
	if (type == CKM_RSA_X_509) {
		rsa_raw(v, &mech, key);
	} else if (type == CKM_RSA_PKCS_OAEP || (type == CKM_RSA_PKCS &&
						(!name || strcmp(name, "sign")))) {
		rsa_decrypts(v, &mech, key->priv);
		rsa_decrypts(v, &mech, key->plain);
	} else {
		rsa_verifies(v, &mech, key->pub, ONE_SHOT);
		if (!whole)
			rsa_verifies(v, &mech, key->pub, 100);
		/* With a salt no two signatures are the same. */
		if (number(v, "salt"))
			return;
		rsa_signs(v, &mech, key->priv, ONE_SHOT);
		rsa_signs(v, &mech, key->plain, whole ? ONE_SHOT : 100);
		if (type == CKM_RSA_PKCS)
			rsa_recovers(v, &mech, key, hex(v, "data"), hex(v, "result"));
	}
}

/* The encoding is the one that the file shows: what is refused is what was meant. */
static void rsa_encoding(struct vector *v, const struct rsa_key *key, bool crypt)
{
	struct bytes em = hex(v, "em"), result = hex(v, "result");
	CK_MECHANISM raw = { CKM_RSA_X_509, NULL, 0 };
	unsigned char got[256];
	CK_ULONG len = sizeof(got);

	if (!em.len)
		return;
	check_ok(v, run_crypt(!crypt, s, &raw, crypt ? key->priv : key->pub, result.data, result.len,
			      ONE_SHOT, got, &len));
	check_bytes(v, got, len, em.data, em.len);
}

static void rsa_invalid(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes data = hex(v, "data"), result = hex(v, "result");
	bool crypt = type == CKM_RSA_PKCS || type == CKM_RSA_PKCS_OAEP;
	const struct rsa_key *key = rsa_key_of(v);
	struct rsa_params params;
	CK_MECHANISM mech = rsa_mech(v, type, &params);
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	rsa_encoding(v, key, crypt);
	if (!strncmp(word(v, "name"), "valid", 5)) {
		if (crypt)
			rsa_decrypts(v, &mech, key->priv);
		else
			rsa_verifies(v, &mech, key->pub, ONE_SHOT);
		return;
	}
	if (crypt) {
		check_rv(v, run_crypt(false, s, &mech, key->priv, result.data, result.len, ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
		/* A buffer of no room must not tell one from the other, either. */
		out_len = 0;
		check_rv(v, run_crypt(false, s, &mech, key->plain, result.data, result.len, ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
		return;
	}
	check_rv(v, run_verify(s, &mech, key->pub, data.data, data.len, ONE_SHOT, result.data, result.len),
		 CKR_SIGNATURE_INVALID);
	check_rv(v, run_verify(s, &mech, key->pub, data.data, data.len, 2, result.data, result.len),
		 CKR_SIGNATURE_INVALID);
}

static void rsa_aes_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes label = hex(v, "label"), data = hex(v, "data"), wrapped = hex(v, "result");
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
		hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, CKZ_DATA_SPECIFIED, label.data, label.len,
	};
	CK_RSA_AES_KEY_WRAP_PARAMS params = { number(v, "bits"), &oaep };
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, key_type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};
	CK_MECHANISM mech = { type, &params, sizeof(params) };
	unsigned char *got, again[512];
	CK_OBJECT_HANDLE key, back;
	CK_ULONG len;

	check_ok(v, p11->C_UnwrapKey(s, &mech, rsa_key_of(v)->priv, wrapped.data, wrapped.len, tmpl,
				     COUNT(tmpl), &key));
	got = attr_bytes(s, key, CKA_VALUE, &len);
	check_bytes(v, got, len, data.data, data.len);
	free(got);
	/* Another AES key each time. */
	len = sizeof(again);
	check_ok(v, p11->C_WrapKey(s, &mech, rsa_key_of(v)->pub, key, again, &len));
	assert_int_equal(len, wrapped.len);
	assert_memory_not_equal(again, wrapped.data, 16);
	assert_memory_not_equal(again + 256, wrapped.data + 256, 16);
	check_ok(v, p11->C_UnwrapKey(s, &mech, rsa_key_of(v)->priv, again, len, tmpl, COUNT(tmpl), &back));
	got = attr_bytes(s, back, CKA_VALUE, &len);
	check_bytes(v, got, len, data.data, data.len);
	free(got);
	check_ok(v, p11->C_DestroyObject(s, key));
	check_ok(v, p11->C_DestroyObject(s, back));
}

static void rsa(void **state)
{
	(void)state;
	rsa_key_count = 0;
	vectors_run("rsa.txt", 124, rsa_vector);
	vectors_run("sha3-rsa.txt", 80, rsa_vector);
	vectors_run("rsa-invalid.txt", 137, rsa_invalid);
	vectors_run("rsa-aes.txt", 3, rsa_aes_vector);
}

/* ---- elliptic curves ---- */

/* Keys of ec.txt */
static struct ec_key {
	char name[32];
	const struct curve *curve;
	CK_OBJECT_HANDLE pub, priv;
} ec_keys[16];
static size_t ec_key_count;

static void ec_key_add(struct vector *v)
{
	struct ec_key *key = &ec_keys[ec_key_count++];
	struct bytes value = hex(v, "value"), point = hex(v, "point"), got;
	size_t i;

	assert_true(ec_key_count <= COUNT(ec_keys));
	snprintf(key->name, sizeof(key->name), "%s", word(v, "name"));
	for (i = 0; i < COUNT(curves); i++)
		if (!strcmp(curves[i].name, word(v, "curve")))
			key->curve = &curves[i];
	if (!mechanism_listed(slot_a, key->curve->gen))
		return;
	check_ok(v, ec_create_public(s, key->curve, point.data, point.len, &key->pub));
	check_ok(v, ec_create_private(s, key->curve, value.data, value.len, &key->priv));
	/* The token finds the point that belongs to the private value. */
	got.data = attr_bytes(s, key->priv, CKA_EC_POINT, &got.len);
	assert_true(got.len > point.len);
	check_bytes(v, got.data + got.len - point.len, point.len, point.data, point.len);
	free(got.data);
}

static const struct ec_key *ec_key_of(const struct vector *v)
{
	size_t i;

	for (i = 0; i < ec_key_count; i++)
		if (!strcmp(ec_keys[i].name, word(v, "key")))
			return &ec_keys[i];
	fail_msg("%s:%d: no such key", v->file, v->line);
	return NULL;
}

/* Ed25519's signatures are always the same; ECDSA's never, so that they are verified again. */
static void ec_sign_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	CK_MECHANISM mech = { type, NULL, 0 };
	unsigned char out[EC_SIG_MAX];
	const struct ec_key *key = ec_key_of(v);
	CK_ULONG out_len;
	int split;

	for (split = ONE_SHOT; split <= 7; split += 7) {
		rsa_verifies(v, &mech, key->pub, split);
		out_len = sizeof(out);
		check_ok(v, run_sign(s, &mech, key->priv, data.data, data.len, split, out, &out_len));
		if (key->curve->type == CKK_EC_EDWARDS)
			check_bytes(v, out, out_len, want.data, want.len);
		else if (!memcmp(out, want.data, want.len))
			fail_msg("%s:%d: a signature that can be foreseen", v->file, v->line);
		check_ok(v, run_verify(s, &mech, key->pub, data.data, data.len, split, out, out_len));
	}
}

static const struct kdf *kdf_of(const struct vector *v)
{
	static const struct kdf none = { NULL, { CKD_NULL } };
	size_t i;

	if (!has(v, "kdf"))
		return &none;
	for (i = 0; i < COUNT(kdfs); i++)
		if (!strcmp(kdfs[i].name, word(v, "kdf")))
			return &kdfs[i];
	fail_msg("%s:%d: no such kdf", v->file, v->line);
	return NULL;
}

/* The point as it is and as CKA_EC_POINT has it; all of the result and less. */
static void ecdh_derives(struct vector *v, CK_MECHANISM_TYPE type, CK_EC_KDF_TYPE kdf)
{
	struct bytes peer = hex(v, "peer"), shared = hex(v, "shared"), want = hex(v, "result");
	const struct ec_key *key = ec_key_of(v);
	CK_BYTE der[EC_POINT_MAX + 3];
	CK_ECDH1_DERIVE_PARAMS p = { kdf, shared.len, shared.len ? shared.data : NULL, 0, der };
	CK_MECHANISM mech = { type, &p, sizeof(p) };
	CK_ULONG ask[] = { want.len, 1, want.len / 2 }, len, i, off;
	CK_OBJECT_HANDLE made;
	unsigned char *value;

	/* Its cofactor is in its private values. */
	if (type == CKM_ECDH1_COFACTOR_DERIVE && key->curve->type == CKK_EC_MONTGOMERY) {
		check_rv(v, ec_derive(s, &mech, key->priv, 32, &made), CKR_KEY_TYPE_INCONSISTENT);
		return;
	}
	for (i = 0; i < COUNT(ask); i++) {
		p.ulPublicDataLen = i ? peer.len : point_wrap(peer.data, peer.len, der);
		if (i)
			memcpy(der, peer.data, peer.len);
		check_ok(v, ec_derive(s, &mech, key->priv, ask[i], &made));
		value = attr_bytes(s, made, CKA_VALUE, &len);
		off = p.kdf == CKD_NULL ? want.len - ask[i] : 0;
		check_bytes(v, value, len, want.data + off, ask[i]);
		free(value);
		check_ok(v, p11->C_DestroyObject(s, made));
	}
}

static void ecdh_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	const struct kdf *kdf = kdf_of(v);
	size_t i;

	for (i = 0; i < COUNT(kdf->types) && kdf->types[i]; i++)
		ecdh_derives(v, type, kdf->types[i]);
}

static void ec_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (!v->mech)
		ec_key_add(v);
	else if (has(v, "peer"))
		ecdh_vector(v, type);
	else
		ec_sign_vector(v, type);
}

static void ec(void **state)
{
	(void)state;
	ec_key_count = 0;
	vectors_run("ec.txt", 186, ec_vector);
	vectors_run("sha3-ec.txt", 58, ec_vector);
}

/* ---- key generation, checked with OpenSSL or with answers that are known ---- */

/* Bytes of a key that was generated; its check value is that of its kind. */
static void generated_secret(CK_MECHANISM_TYPE type, CK_ULONG bytes)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_VALUE_LEN, bytes), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_TOKEN, no), ATTR(CKA_ENCRYPT, yes),
	};
	CK_ULONG count = type == CKM_AES_KEY_GEN ? 5 : 4, len, kcv_len;
	unsigned char *first, *second, *kcv, want[64];
	CK_OBJECT_HANDLE key;
	unsigned int n;

	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, count, &key));
	first = attr_bytes(s, key, CKA_VALUE, &len);
	kcv = attr_bytes(s, key, CKA_CHECK_VALUE, &kcv_len);
	assert_int_equal(len, bytes);
	assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), type);
	if (type == CKM_AES_KEY_GEN) {
		const EVP_CIPHER *c = bytes == 16 ? EVP_aes_128_ecb() : bytes == 24 ? EVP_aes_192_ecb() :
				      EVP_aes_256_ecb();
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		unsigned char zeros[16] = { 0 };
		int out;

		assert_int_equal(EVP_EncryptInit_ex(ctx, c, NULL, first, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &out, zeros, 16), 1);
		EVP_CIPHER_CTX_free(ctx);
	} else {
		assert_int_equal(EVP_Digest(first, len, want, &n, EVP_sha1(), NULL), 1);
	}
	assert_int_equal(kcv_len, 3);
	assert_memory_equal(kcv, want, 3);
	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, count, &key));
	second = attr_bytes(s, key, CKA_VALUE, &len);
	assert_int_equal(len, bytes);
	if (bytes >= 8)
		assert_memory_not_equal(first, second, bytes);
	free(first);
	free(second);
	free(kcv);
	exercise(type);
}

/* Odd parity, no two that are the same, the check value of OpenSSL; the length need not be said. */
static void generated_des3(CK_MECHANISM_TYPE type, CK_ULONG bytes, bool told)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
		ATTR(CKA_VALUE_LEN, bytes),
	};
	unsigned char *value, *kcv, key[24], zeros[8] = { 0 }, want[8], last[24] = { 0 };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	CK_OBJECT_HANDLE made;
	CK_ULONG len, i, turn;
	int out;

	for (turn = 0; turn < 20; turn++) {
		assert_ok(p11->C_GenerateKey(s, &mech, tmpl, told ? 4 : 3, &made));
		assert_int_equal(attr_ulong(s, made, CKA_KEY_GEN_MECHANISM), type);
		assert_int_equal(attr_ulong(s, made, CKA_VALUE_LEN), bytes);
		assert_int_equal(attr_ulong(s, made, CKA_KEY_TYPE), bytes == 16 ? CKK_DES2 : CKK_DES3);
		value = attr_bytes(s, made, CKA_VALUE, &len);
		assert_int_equal(len, bytes);
		for (i = 0; i < len; i++)
			assert_int_equal(__builtin_parity(value[i]), 1);
		assert_memory_not_equal(value, last, len);
		memcpy(last, value, len);
		memcpy(key, value, len);
		memcpy(key + 16, len == 16 ? value : value + 16, 8);
		free(value);
		assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_des_ede3_ecb(), NULL, key, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &out, zeros, 8), 1);
		kcv = attr_bytes(s, made, CKA_CHECK_VALUE, &len);
		assert_int_equal(len, 3);
		assert_memory_equal(kcv, want, 3);
		free(kcv);
		assert_ok(p11->C_DestroyObject(s, made));
	}
	EVP_CIPHER_CTX_free(ctx);
	exercise(type);
}

/* Two AES keys that are not the same, in one object; equal ones do not come in. */
static void generated_xts(CK_ULONG bytes)
{
	CK_MECHANISM mech = { CKM_AES_XTS_KEY_GEN, NULL, 0 };
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES_XTS;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
		ATTR(CKA_VALUE_LEN, bytes),
	};
	CK_OBJECT_HANDLE key;
	unsigned char *value;
	CK_ULONG len;

	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, 4, &key));
	assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_AES_XTS);
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), bytes);
	assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), CKM_AES_XTS_KEY_GEN);
	value = attr_bytes(s, key, CKA_VALUE, &len);
	assert_int_equal(len, bytes);
	assert_memory_not_equal(value, value + len / 2, len / 2);
	memcpy(value + len / 2, value, len / 2);
	{
		CK_ATTRIBUTE same[] = {
			ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type),
			ATTR_BYTES(CKA_VALUE, value, len),
		};

		assert_rv(p11->C_CreateObject(s, same, 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[0] ^= 1;
		same[2].ulValueLen = len - 8;
		assert_rv(p11->C_CreateObject(s, same, 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	}
	free(value);
	bytes = 48;
	assert_rv(p11->C_GenerateKey(s, &mech, tmpl, 4, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	exercise(CKM_AES_XTS_KEY_GEN);
}

static void generate_secrets(void **state)
{
	static const CK_ULONG aes[] = { 16, 24, 32 }, generic[] = { 1, 8, 20, 33, 64, 512 };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		generated_secret(CKM_AES_KEY_GEN, aes[i]);
	for (i = 0; i < 6; i++)
		generated_secret(CKM_GENERIC_SECRET_KEY_GEN, generic[i]);
	generated_secret(CKM_GENERIC_SECRET_KEY_GEN_OLD_XXX, 20);
	generated_secret(CKM_HKDF_KEY_GEN, 32);
	generated_xts(32);
	generated_xts(64);
	if (!mechanism_listed(slot_a, CKM_DES3_KEY_GEN))
		return;
	generated_des3(CKM_DES2_KEY_GEN, 16, true);
	generated_des3(CKM_DES3_KEY_GEN, 24, true);
	generated_des3(CKM_DES3_KEY_GEN, 24, false);
}

static EVP_PKEY *public_of(CK_OBJECT_HANDLE pub)
{
	/* RSAPublicKey in a SEQUENCE of two INTEGERs that begin with a zero; 2048 bits, e = 65537 */
	unsigned char der[270] = { 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00 };
	static const unsigned char e[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	const unsigned char *at = der;
	unsigned char *n;
	EVP_PKEY *pkey;
	CK_ULONG len;

	n = attr_bytes(s, pub, CKA_MODULUS, &len);
	assert_int_equal(len, 256);
	assert_true(n[0] & 0x80);
	memcpy(der + 9, n, 256);
	memcpy(der + 265, e, 5);
	free(n);
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, sizeof(der));
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), 2048);
	return pkey;
}

static void generate_pairs(void **state)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_FIPS_186_3_AUX_PRIME_KEY_PAIR_GEN,
		CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN,
	};
	CK_BYTE e[] = { 1, 0, 1 }, data[] = "signed by a key that was generated", sig[256];
	CK_ULONG bits = 2048, len;
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT, e),
		ATTR(CKA_VERIFY, yes),
	};
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_SIGN, yes) };
	CK_OBJECT_HANDLE pub, priv;
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		CK_MECHANISM gen = { types[i], NULL, 0 }, mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };

		if (!mechanism_listed(slot_a, types[i]))
			continue;
		assert_ok(p11->C_GenerateKeyPair(s, &gen, pub_tmpl, 4, priv_tmpl, 2, &pub, &priv));
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_GEN_MECHANISM), types[i]);
		len = sizeof(sig);
		assert_ok(run_sign(s, &mech, priv, data, sizeof(data), ONE_SHOT, sig, &len));
		pkey = public_of(pub);
		ctx = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
		assert_int_equal(EVP_DigestVerify(ctx, sig, len, data, sizeof(data)), 1);
		sig[7] ^= 1;
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
		assert_int_not_equal(EVP_DigestVerify(ctx, sig, len, data, sizeof(data)), 1);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
		exercise(types[i]);
	}
}

/* A pair of its own each time, whose halves belong together. */
static void generated_pair(const struct curve *c, CK_MECHANISM_TYPE sign)
{
	CK_BYTE data[] = "signed by a key that was generated", sig[EC_SIG_MAX];
	CK_MECHANISM mech = { sign, NULL, 0 };
	CK_OBJECT_HANDLE pub[2], priv[2];
	CK_ULONG len, other_len, i;
	unsigned char *point, *other;

	for (i = 0; i < 2; i++) {
		assert_ok(ec_generate(s, c, true, &pub[i], &priv[i]));
		assert_int_equal(attr_ulong(s, priv[i], CKA_KEY_GEN_MECHANISM), c->gen);
		point = attr_bytes(s, pub[i], CKA_EC_POINT, &len);
		other = attr_bytes(s, priv[i], CKA_EC_POINT, &other_len);
		assert_int_equal(len, other_len);
		assert_memory_equal(point, other, len);
		free(point);
		free(other);
	}
	point = attr_bytes(s, pub[0], CKA_EC_POINT, &len);
	other = attr_bytes(s, pub[1], CKA_EC_POINT, &other_len);
	assert_memory_not_equal(point, other, len);
	free(point);
	free(other);
	if (sign) {
		len = sizeof(sig);
		assert_ok(run_sign(s, &mech, priv[0], data, sizeof(data), ONE_SHOT, sig, &len));
		assert_ok(run_verify(s, &mech, pub[0], data, sizeof(data), ONE_SHOT, sig, len));
		assert_rv(run_verify(s, &mech, pub[1], data, sizeof(data), ONE_SHOT, sig, len),
			  CKR_SIGNATURE_INVALID);
	}
	exercise(c->gen);
}

static void generate_curves(void **state)
{
	static const CK_MECHANISM_TYPE old[] = {
		[ED25519] = CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, [X25519] = CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD,
	};
	CK_MECHANISM_TYPE sign;
	struct curve c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(curves); i++) {
		c = curves[i];
		if (!mechanism_listed(slot_a, c.gen))
			continue;
		sign = i < WEIERSTRASS ? CKM_ECDSA_SHA256 : i == ED25519 ? CKM_EDDSA : 0;
		generated_pair(&c, sign);
		c.gen = i < WEIERSTRASS ? CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS : old[i];
		generated_pair(&c, sign);
	}
}

/* ---- derivation ---- */

enum { PRF_FIELDS = 8 };

/* What a vector's parameter points to. */
struct derive_params {
	CK_KEY_DERIVATION_STRING_DATA string;
	CK_AES_CBC_ENCRYPT_DATA_PARAMS cbc;
	CK_EXTRACT_PARAMS bit;
	CK_OBJECT_HANDLE key2;
	CK_PKCS5_PBKD2_PARAMS pbkd2;
	CK_PKCS5_PBKD2_PARAMS2 pbkd2_2;
	CK_ULONG password_len;
	CK_HKDF_PARAMS hkdf;
	CK_SP800_108_KDF_PARAMS sp800_108;
	CK_SP800_108_FEEDBACK_KDF_PARAMS feedback;
	CK_PRF_DATA_PARAM fields[PRF_FIELDS];
	CK_SP800_108_COUNTER_FORMAT counters[PRF_FIELDS];
	CK_SP800_108_DKM_LENGTH_FORMAT lengths[PRF_FIELDS];
	CK_KDF_PRF_PARAMS vendor;
};

/* A hash of @hashes as PBKDF2, HKDF, SP 800-108 and the vendor's function call it. */
static const struct prf {
	const char *name;
	CK_ULONG pbkd2;
	CK_MECHANISM_TYPE hash, mac;
	CK_ULONG vendor;
} prfs[] = {
	{ "SHA_1", CKP_PKCS5_PBKD2_HMAC_SHA1, CKM_SHA_1, CKM_SHA_1_HMAC, CK_NIST_PRF_KDF_HMAC_SHA1 },
	{ "SHA224", CKP_PKCS5_PBKD2_HMAC_SHA224, CKM_SHA224, CKM_SHA224_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA224 },
	{ "SHA256", CKP_PKCS5_PBKD2_HMAC_SHA256, CKM_SHA256, CKM_SHA256_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA256 },
	{ "SHA384", CKP_PKCS5_PBKD2_HMAC_SHA384, CKM_SHA384, CKM_SHA384_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA384 },
	{ "SHA512", CKP_PKCS5_PBKD2_HMAC_SHA512, CKM_SHA512, CKM_SHA512_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA512 },
	{ "SHA3_224", 0, CKM_SHA3_224, CKM_SHA3_224_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_224 },
	{ "SHA3_256", 0, CKM_SHA3_256, CKM_SHA3_256_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_256 },
	{ "SHA3_384", 0, CKM_SHA3_384, CKM_SHA3_384_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_384 },
	{ "SHA3_512", 0, CKM_SHA3_512, CKM_SHA3_512_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_512 },
	{ "AES_CMAC", 0, 0, CKM_AES_CMAC, CK_NIST_PRF_KDF_AES_CMAC },
};

static const struct prf *prf_of(const struct vector *v)
{
	const char *name = word(v, has(v, "hash") ? "hash" : "prf");
	size_t i;

	for (i = 0; name && i < COUNT(prfs); i++)
		if (!strcmp(prfs[i].name, name))
			return &prfs[i];
	fail_msg("%s:%d: no such function", v->file, v->line);
	return NULL;
}

static CK_OBJECT_HANDLE derive_base(CK_KEY_TYPE type, struct bytes value)
{
	CK_OBJECT_HANDLE key = secret_import(s, type, value.data, value.len);
	CK_ATTRIBUTE derive[] = { ATTR(CKA_DERIVE, yes) };

	assert_ok(p11->C_SetAttributeValue(s, key, derive, 1));
	return key;
}

static CK_MECHANISM simple_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes data = hex(v, "data"), iv = hex(v, "iv"), key2 = hex(v, "key2");

	if (iv.len) {
		memcpy(p->cbc.iv, iv.data, sizeof(p->cbc.iv));
		p->cbc.pData = data.data;
		p->cbc.length = data.len;
		return (CK_MECHANISM){ type, &p->cbc, sizeof(p->cbc) };
	}
	if (data.len) {
		p->string = (CK_KEY_DERIVATION_STRING_DATA){ data.data, data.len };
		return (CK_MECHANISM){ type, &p->string, sizeof(p->string) };
	}
	if (key2.len) {
		p->key2 = derive_base(CKK_GENERIC_SECRET, key2);
		return (CK_MECHANISM){ type, &p->key2, sizeof(p->key2) };
	}
	p->bit = number(v, "bit");
	if (has(v, "bit"))
		return (CK_MECHANISM){ type, &p->bit, sizeof(p->bit) };
	return (CK_MECHANISM){ type, NULL, 0 };
}

static CK_MECHANISM hkdf_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes salt = hex(v, "salt"), salt_key = hex(v, "saltkey"), info = hex(v, "info");

	p->hkdf = (CK_HKDF_PARAMS){
		.bExtract = !!strchr(word(v, "steps"), 'E'),
		.bExpand = !!strchr(word(v, "steps"), 'X'),
		.prfHashMechanism = prf_of(v)->hash,
		.ulSaltType = CKF_HKDF_SALT_NULL,
		.pInfo = info.data,
		.ulInfoLen = info.len,
	};
	if (salt.len) {
		p->hkdf.ulSaltType = CKF_HKDF_SALT_DATA;
		p->hkdf.pSalt = salt.data;
		p->hkdf.ulSaltLen = salt.len;
	} else if (salt_key.len) {
		p->key2 = derive_base(CKK_GENERIC_SECRET, salt_key);
		p->hkdf.ulSaltType = CKF_HKDF_SALT_KEY;
		p->hkdf.hSaltKey = p->key2;
	}
	return (CK_MECHANISM){ type, &p->hkdf, sizeof(p->hkdf) };
}

/* One word of "fields"; bytes are decoded in place. */
static void prf_field(char *text, struct derive_params *p, size_t i)
{
	CK_PRF_DATA_PARAM *field = &p->fields[i];
	CK_ULONG bits = strtoul(text + 1, NULL, 10);
	CK_BBOOL little = text[strlen(text) - 1] == '<';
	size_t len;

	p->counters[i] = (CK_SP800_108_COUNTER_FORMAT){ little, bits };
	p->lengths[i] = (CK_SP800_108_DKM_LENGTH_FORMAT){
		*text == 'L' ? CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS :
			       CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS, little, bits };
	if (*text == '=') {
		unsigned char *bytes = unhex(text + 1, &len);

		memcpy(text, bytes, len);
		free(bytes);
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_BYTE_ARRAY, text, len };
	} else if (*text == 'I' && !bits) {
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_ITERATION_VARIABLE, NULL, 0 };
	} else if (*text == 'I' || *text == 'C') {
		*field = (CK_PRF_DATA_PARAM){ *text == 'I' ? CK_SP800_108_ITERATION_VARIABLE :
					      CK_SP800_108_COUNTER, &p->counters[i],
					      sizeof(p->counters[i]) };
	} else {
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_DKM_LENGTH, &p->lengths[i],
					      sizeof(p->lengths[i]) };
	}
}

static CK_MECHANISM sp800_108_mech(struct vector *v, CK_MECHANISM_TYPE type,
				   struct derive_params *p)
{
	char *at, *text = strtok_r((char *)word(v, "fields"), " ", &at);
	struct bytes iv = hex(v, "iv");
	CK_ULONG count = 0;

	for (; text; text = strtok_r(NULL, " ", &at)) {
		assert_true(count < PRF_FIELDS);
		prf_field(text, p, count++);
	}
	p->sp800_108 = (CK_SP800_108_KDF_PARAMS){ prf_of(v)->mac, count, p->fields, 0, NULL };
	p->feedback = (CK_SP800_108_FEEDBACK_KDF_PARAMS){
		prf_of(v)->mac, count, p->fields, iv.len, iv.data, 0, NULL };
	if (type == CKM_SP800_108_FEEDBACK_KDF)
		return (CK_MECHANISM){ type, &p->feedback, sizeof(p->feedback) };
	return (CK_MECHANISM){ type, &p->sp800_108, sizeof(p->sp800_108) };
}

static CK_MECHANISM vendor_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes label = hex(v, "label"), context = hex(v, "context");

	p->vendor = (CK_KDF_PRF_PARAMS){ prf_of(v)->vendor, label.data, label.len, context.data,
					 context.len, number(v, "counter"), number(v, "scheme") };
	return (CK_MECHANISM){ type, &p->vendor, sizeof(p->vendor) };
}

static CK_MECHANISM derive_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	if (has(v, "steps"))
		return hkdf_mech(v, type, p);
	if (has(v, "fields"))
		return sp800_108_mech(v, type, p);
	if (has(v, "scheme"))
		return vendor_mech(v, type, p);
	return simple_mech(v, type, p);
}

static CK_KEY_TYPE base_type(const struct vector *v)
{
	return !strncmp(v->mech->name, "CKM_AES", 7) ||
	       (has(v, "prf") && !strcmp(word(v, "prf"), "AES_CMAC")) ? CKK_AES : CKK_GENERIC_SECRET;
}

/* The attributes and the value of what was derived; it is destroyed. */
static void derived(struct vector *v, CK_OBJECT_HANDLE key, CK_KEY_TYPE key_type)
{
	struct bytes want = hex(v, "result");
	unsigned char *got;
	CK_ULONG len;

	got = attr_bytes(s, key, CKA_VALUE, &len);
	check_bytes(v, got, len, want.data, want.len);
	free(got);
	if (!strcmp(v->mech->name, "CKM_HKDF_DATA")) {
		assert_int_equal(attr_ulong(s, key, CKA_CLASS), CKO_DATA);
	} else {
		assert_int_equal(attr_ulong(s, key, CKA_CLASS), CKO_SECRET_KEY);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), key_type);
		assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), want.len);
	}
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void derive_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	CK_OBJECT_HANDLE base = derive_base(base_type(v), hex(v, "key")), key;
	CK_KEY_TYPE key_type = has(v, "type") ? CKK_AES : CKK_GENERIC_SECRET;
	CK_ULONG value_len = number(v, "len"), count = 1;
	CK_ATTRIBUTE tmpl[5] = { ATTR(CKA_TOKEN, no) };
	struct derive_params params = { 0 };
	CK_MECHANISM mech = derive_mech(v, type, &params);

	if (type != CKM_HKDF_DATA) {
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_SENSITIVE, no);
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_EXTRACTABLE, yes);
	}
	if (value_len)
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_VALUE_LEN, value_len);
	if (has(v, "type"))
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, key_type);
	check_ok(v, p11->C_DeriveKey(s, &mech, base, tmpl, count, &key));
	if (type != CKM_HKDF_DATA)
		assert_false(attr_bool(s, key, CKA_LOCAL));
	derived(v, key, key_type);
	if (params.key2)
		check_ok(v, p11->C_DestroyObject(s, params.key2));
	check_ok(v, p11->C_DestroyObject(s, base));
}

/* With the length of the password as v2.40 has it, as its correction has it, as the vendor has it. */
static void pbkd2_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes password = hex(v, "password"), salt = hex(v, "salt");
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	struct derive_params p = {
		.pbkd2_2 = { CKZ_SALT_SPECIFIED, salt.data, salt.len, number(v, "iterations"),
			     prf_of(v)->pbkd2, NULL, 0, password.data, password.len },
		.password_len = password.len,
	};
	CK_ULONG value_len = number(v, "len");
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_VALUE_LEN, value_len), ATTR(CKA_KEY_TYPE, key_type),
	};
	CK_MECHANISM ways[] = {
		{ type, &p.pbkd2_2, sizeof(p.pbkd2_2) }, { type, &p.pbkd2, sizeof(p.pbkd2) },
		{ type, &p.pbkd2, sizeof(p.pbkd2) },
	};
	CK_OBJECT_HANDLE key;
	size_t i;

	memcpy(&p.pbkd2, &p.pbkd2_2, sizeof(p.pbkd2));
	for (i = 0; i < COUNT(ways); i++) {
		if (i == 1)
			p.pbkd2.ulPasswordLen = &p.password_len;
		if (i == 2)
			p.pbkd2.ulPasswordLen = (CK_ULONG_PTR)password.len;
		check_ok(v, p11->C_GenerateKey(s, &ways[i], tmpl, COUNT(tmpl), &key));
		assert_true(attr_bool(s, key, CKA_LOCAL));
		assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), type);
		derived(v, key, key_type);
	}
}

static void derivation(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (type == CKM_PKCS5_PBKD2)
		pbkd2_vector(v, type);
	else
		derive_vector(v, type);
}

static void derivations(void **state)
{
	(void)state;
	vectors_run("derive.txt", 176, derivation);
}

/* ---- the registry ---- */

static void every_mechanism(void **state)
{
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = 512, i, missing = 0;

	(void)state;
	assert_ok(p11->C_GetMechanismList(slot_a, list, &count));
	assert_true(count > 0);
	for (i = 0; i < count; i++) {
		if (was_exercised(list[i]))
			continue;
		print_error("mechanism 0x%lx is listed, but has no known answer in kat.c\n", list[i]);
		missing++;
	}
	assert_int_equal(missing, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_session, sessions_teardown)
	const struct CMUnitTest tests[] = {
		TEST(digests),
		TEST(hmacs),
		TEST(cmacs),
		TEST(aes_modes),
		TEST(xts),
		TEST(des3),
		TEST(gcm),
		TEST(gmac),
		TEST(key_wrap),
		TEST(rsa),
		TEST(ec),
		TEST(generate_secrets),
		TEST(generate_pairs),
		TEST(generate_curves),
		TEST(derivations),
		TEST(every_mechanism),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
