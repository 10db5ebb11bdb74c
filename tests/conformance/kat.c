// SPDX-License-Identifier: MIT
/*
 * Known answers: the vectors in vectors/ (whose files say where they are from and how they are
 * written) through PKCS#11, at once and in parts. Here are the names of the mechanisms, what reads the
 * files, and the test that comes last: that every mechanism that the token lists was put to work by
 * one of the others, so that none can be listed without an answer that is known.
 */
#include <ctype.h>

#include "kat.h"

/* ---- mechanisms ---- */

#define PLAIN(ckm, ...)	{ .name = #ckm, .types = { ckm, ##__VA_ARGS__ } }

static const struct mech mechs[] = {
	PLAIN(CKM_SHA_1),
	PLAIN(CKM_SHA224, CKM_SHA224_OLD),
	PLAIN(CKM_SHA256),
	PLAIN(CKM_SHA384),
	PLAIN(CKM_SHA512),
	PLAIN(CKM_SHA3_224),
	PLAIN(CKM_SHA3_256),
	PLAIN(CKM_SHA3_384),
	PLAIN(CKM_SHA3_512),
	PLAIN(CKM_SHAKE_128),
	PLAIN(CKM_SHAKE_256),
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

/* Mechanisms that a test of this suite has used and checked. */
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

void exercise(CK_MECHANISM_TYPE type)
{
	if (!was_exercised(type))
		exercised[exercised_count++] = type;
}

/* ---- vectors ---- */

CK_SESSION_HANDLE s;

void check_bytes_at(const struct vector *v, const char *file, int line, const void *got,
		    size_t got_len, const void *want, size_t want_len)
{
	if (got_len != want_len)
		fail_msg("%s:%d (%s:%d): %zu bytes, expected %zu", v->file, v->line, file, line,
			 got_len, want_len);
	if (memcmp(got, want, want_len))
		fail_msg("%s:%d (%s:%d): wrong bytes", v->file, v->line, file, line);
}

void check_verifies(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, int split,
		    struct bytes sig)
{
	struct bytes data = hex(v, "data");

	check_ok(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len));
	sig.data[sig.len / 2] ^= 4;
	check_rv(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len),
		 CKR_SIGNATURE_INVALID);
	sig.data[sig.len / 2] ^= 4;
	check_rv(v, run_verify(s, mech, key, data.data, data.len, split, sig.data, sig.len - 1),
		 CKR_SIGNATURE_LEN_RANGE);
}

const char *word(const struct vector *v, const char *name)
{
	int i;

	for (i = 0; i < v->count; i++)
		if (!strcmp(v->fields[i].name, name))
			return v->fields[i].value;
	return NULL;
}

bool has(const struct vector *v, const char *name)
{
	return word(v, name);
}

CK_ULONG number(const struct vector *v, const char *name)
{
	const char *value = word(v, name);

	return value ? strtoul(value, NULL, 10) : 0;
}

struct bytes hex(struct vector *v, const char *name)
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

void vectors_run(const char *file, size_t expected,
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
		print_error("mechanism 0x%lx is listed, but has no known answer\n", list[i]);
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
