// SPDX-License-Identifier: MIT
/*
 * Images of tokens through the API, from one slot to the other and back: who may take one, what comes
 * out of it again, what it may replace, and that nothing damaged is let in.
 */
#include "suite.h"

#define OTHER_SO_PIN	"another-so-pin"

enum { HEAD = 104, SECRET = 32 };

static CK_CA_TokenImageExport image_export;
static CK_CA_TokenImageRead image_read;
static CK_CA_TokenImageWrite image_write;
static CK_CA_TokenImageRestore image_restore;

static CK_BYTE known_text[SECRET] = "known by what the key makes it";
static CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 };

/* An image in memory. */
struct image {
	CK_BYTE *data;
	CK_ULONG len;
};

static struct image image_take(CK_SESSION_HANDLE session)
{
	struct image image = { 0 };
	CK_ULONG at, n;

	assert_ok(image_export(session, &image.len));
	assert_true(image.len > HEAD);
	image.data = malloc(image.len + 1);
	assert_non_null(image.data);
	for (at = 0; at < image.len; at += n) {
		n = image.len - at + 1;
		assert_ok(image_read(session, at, image.data + at, &n));
		assert_in_range(n, 1, image.len - at);
	}
	n = 1;
	assert_rv(image_read(session, at, image.data, &n), CKR_ARGUMENTS_BAD);
	return image;
}

static CK_RV restore_with(CK_SLOT_ID slot, const struct image *image, const char *so_pin,
			  const char *domain, CK_USER_TYPE user, const char *pin, CK_ULONG *damaged)
{
	CK_ULONG half = image->len / 2;

	assert_ok(image_write(slot, 0, image->data, half));
	assert_ok(image_write(slot, half, image->data + half, image->len - half));
	return image_restore(slot, (CK_UTF8CHAR_PTR)so_pin, strlen(so_pin), (CK_BYTE_PTR)domain,
			     strlen(domain), user, (CK_UTF8CHAR_PTR)pin, strlen(pin), damaged);
}

static CK_RV restore(CK_SLOT_ID slot, const struct image *image, const char *so_pin)
{
	return restore_with(slot, image, so_pin, DOMAIN, CKU_USER, CO_PIN, NULL);
}

/* A key on the token, and what it makes of a text that it will be recognised by. */
static void fill(CK_SESSION_HANDLE session, CK_BYTE *cipher)
{
	CK_OBJECT_HANDLE key = aes_key(session, 32, true, "kept");
	CK_ULONG len = SECRET;

	assert_ok(p11->C_EncryptInit(session, &ecb, key));
	assert_ok(p11->C_Encrypt(session, known_text, SECRET, cipher, &len));
}

static void expect_filled(CK_SLOT_ID slot, const CK_BYTE *cipher)
{
	CK_SESSION_HANDLE session = session_co(slot);
	CK_OBJECT_HANDLE key = object_by_label(session, "kept");
	CK_BYTE text[SECRET];
	CK_ULONG len = SECRET;

	assert_int_not_equal(key, 0);
	assert_ok(p11->C_DecryptInit(session, &ecb, key));
	assert_ok(p11->C_Decrypt(session, (CK_BYTE_PTR)cipher, SECRET, text, &len));
	assert_memory_equal(text, known_text, SECRET);
	sessions_close(slot);
}

static CK_TOKEN_INFO token_info(CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info;

	assert_ok(p11->C_GetTokenInfo(slot, &info));
	return info;
}

/* Slot b with a token, SO PIN and object of its own; nobody uses it. */
static void make_other(void)
{
	CK_UTF8CHAR label[32];
	CK_SESSION_HANDLE session;
	CK_RV rv = CKR_PIN_INCORRECT;
	int i;

	sessions_close(slot_b);
	memset(label, ' ', sizeof(label));
	memcpy(label, "other", 5);
	assert_ok(ca->CA_SetCloningDomain((CK_BYTE_PTR)"other", 5));
	/* Whatever token is there: its attempts run out. */
	for (i = 0; i < 20 && rv == CKR_PIN_INCORRECT; i++)
		rv = p11->C_InitToken(slot_b, (CK_UTF8CHAR_PTR)OTHER_SO_PIN, strlen(OTHER_SO_PIN),
				      label);
	assert_rv(rv, CKR_OK);
	session = session_open(slot_b);
	session_login(session, CKU_SO, OTHER_SO_PIN);
	assert_ok(p11->C_InitPIN(session, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)));
	sessions_close(slot_b);
	session = session_co(slot_b);
	aes_key(session, 16, true, "lost");
	sessions_close(slot_b);
}

static void expect_other(void)
{
	CK_SESSION_HANDLE session = session_co(slot_b);

	assert_int_not_equal(object_by_label(session, "lost"), 0);
	assert_int_equal(object_by_label(session, "kept"), 0);
	sessions_close(slot_b);
	assert_memory_equal(token_info(slot_b).label, "other ", 6);
}

/* ---- tests ---- */

static void test_to_the_other_slot(void **state)
{
	CK_TOKEN_INFO before = token_info(slot_a), after;
	CK_BYTE cipher[SECRET], signature[256], text[] = "signed before";
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_ULONG len = sizeof(signature);
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct image image;

	(void)state;
	fill(session, cipher);
	rsa_pair(session, 2048, true, "pair", &pub, &priv);
	assert_ok(p11->C_SignInit(session, &mech, priv));
	assert_ok(p11->C_Sign(session, text, sizeof(text), signature, &len));
	image = image_take(session);
	make_other();
	assert_ok(restore(slot_b, &image, OTHER_SO_PIN));
	after = token_info(slot_b);
	assert_memory_equal(after.serialNumber, before.serialNumber, sizeof(before.serialNumber));
	assert_memory_equal(after.label, before.label, sizeof(before.label));
	expect_filled(slot_b, cipher);
	session = session_co(slot_b);
	assert_int_equal(object_by_label(session, "lost"), 0);
	pub = object_by_label(session, "pair");
	assert_int_not_equal(pub, 0);
	if (attr_ulong(session, pub, CKA_CLASS) != CKO_PUBLIC_KEY)
		pub++;
	assert_ok(p11->C_VerifyInit(session, &mech, pub));
	assert_ok(p11->C_Verify(session, text, sizeof(text), signature, len));
	sessions_close(slot_b);
	session = session_cu(slot_b);
	sessions_close(slot_b);
	session = session_so(slot_b);
	sessions_close(slot_b);
	/* And back, over the token that it came from. */
	free(image.data);
	image = image_take(session_co(slot_b));
	sessions_close(slot_a);
	sessions_close(slot_b);
	assert_ok(restore(slot_a, &image, SO_PIN));
	expect_filled(slot_a, cipher);
	free(image.data);
}

static void test_who_may(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_ULONG len = 0, n = 1;
	CK_BYTE byte;

	(void)state;
	assert_rv(image_export(session, &len), CKR_USER_NOT_LOGGED_IN);
	assert_rv(image_read(session, 0, &byte, &n), CKR_ARGUMENTS_BAD);
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(image_export(session, &len), CKR_USER_NOT_AUTHORIZED);
	sessions_close(slot_a);
	session = session_cu(slot_a);
	assert_rv(image_export(session, &len), CKR_USER_NOT_AUTHORIZED);
	sessions_close(slot_a);
	session = session_co(slot_a);
	assert_rv(image_export(session, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(image_read(session, 0, NULL, &n), CKR_ARGUMENTS_BAD);
	assert_rv(image_export(0, &len), CKR_SESSION_HANDLE_INVALID);
	assert_ok(image_export(session, &len));
	/* It is gone with a new one, and not to be read out of order. */
	assert_rv(image_read(session, 1, &byte, &n), CKR_ARGUMENTS_BAD);
	assert_ok(image_export(session, &len));
	assert_ok(image_read(session, 0, &byte, &n));
	assert_rv(image_read(session, 0, &byte, &n), CKR_ARGUMENTS_BAD);
}

static void test_policy(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);
	CK_ULONG len;

	(void)state;
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 0));
	sessions_close(slot_a);
	session = session_co(slot_a);
	assert_rv(image_export(session, &len), CKR_OPERATION_NOT_ALLOWED);
	sessions_close(slot_a);
	assert_ok(ca->CA_SetHSMPolicy(session_so(slot_a), 16, 1));
	sessions_close(slot_a);
	assert_ok(image_export(session_co(slot_a), &len));
}

static void test_without_domain(void **state)
{
	CK_ULONG len;

	(void)state;
	token_init(slot_a, "token a", NULL);
	assert_rv(image_export(session_co(slot_a), &len), CKR_CLONING_PARAMETER_MISSING);
	token_init(slot_a, "token a", DOMAIN);
}

static void test_legacy(void **state)
{
	CK_BYTE cipher[SECRET];
	CK_SESSION_HANDLE session;
	struct image image;
	CK_ULONG len;

	(void)state;
	token_init_legacy(slot_a, "old fashioned", DOMAIN);
	assert_rv(image_export(session_so(slot_a), &len), CKR_USER_NOT_AUTHORIZED);
	sessions_close(slot_a);
	session = session_co(slot_a);
	fill(session, cipher);
	image = image_take(session);
	make_other();
	assert_ok(restore(slot_b, &image, OTHER_SO_PIN));
	expect_filled(slot_b, cipher);
	free(image.data);
	sessions_close(slot_a);
	token_init(slot_a, "token a", DOMAIN);
}

/* The rules of C_InitToken: its SO's PIN, counted, and nobody there. */
static void test_replacing(void **state)
{
	CK_BYTE cipher[SECRET];
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct image image;
	CA_ROLE_STATE role;

	(void)state;
	fill(session, cipher);
	image = image_take(session);
	make_other();
	assert_rv(restore(slot_b, &image, ""), CKR_PIN_LEN_RANGE);
	assert_rv(restore(slot_b, &image, SO_PIN), CKR_PIN_INCORRECT);
	assert_ok(ca->CA_RoleStateGet(slot_b, CKU_SO, &role));
	assert_int_equal(role.loginAttemptsLeft, 9);
	session = session_open_ro(slot_b);
	assert_rv(restore(slot_b, &image, OTHER_SO_PIN), CKR_SESSION_EXISTS);
	assert_ok(p11->C_CloseSession(session));
	expect_other();
	assert_ok(restore(slot_b, &image, OTHER_SO_PIN));
	expect_filled(slot_b, cipher);
	free(image.data);
}

static void test_wrong_keys(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct image image;
	CK_ULONG damaged = 1;
	CK_BYTE cipher[SECRET];

	(void)state;
	fill(session, cipher);
	image = image_take(session);
	make_other();
	assert_rv(restore_with(slot_b, &image, OTHER_SO_PIN, "other", CKU_USER, CO_PIN, &damaged),
		  CKR_UNWRAPPING_ERROR);
	assert_int_equal(damaged, 0);
	/* An empty one is that of CA_SetCloningDomain. */
	assert_rv(restore_with(slot_b, &image, OTHER_SO_PIN, "", CKU_USER, CO_PIN, NULL),
		  CKR_UNWRAPPING_ERROR);
	assert_rv(restore_with(slot_b, &image, OTHER_SO_PIN, DOMAIN, CKU_USER, CU_PIN, NULL),
		  CKR_SIM_AUTHORIZATION_FAILED);
	assert_rv(restore_with(slot_b, &image, OTHER_SO_PIN, DOMAIN, 77, CO_PIN, NULL),
		  CKR_USER_TYPE_INVALID);
	/* The image waits still, and is gone once it was looked at. */
	assert_rv(image_restore(slot_b, NULL, 0, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), CKU_USER,
				(CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN), NULL), CKR_PIN_LEN_RANGE);
	assert_rv(image_restore(slot_b, NULL, 0, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), CKU_USER,
				(CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN), NULL), CKR_ARGUMENTS_BAD);
	expect_other();
	assert_ok(ca->CA_SetCloningDomain((CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)));
	assert_ok(restore_with(slot_b, &image, OTHER_SO_PIN, "", CKU_CRYPTO_USER, CU_PIN, NULL));
	expect_filled(slot_b, cipher);
	free(image.data);
}

/* Damage, anywhere: it says where at most, and the token that was there stays. */
static void test_damage(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct image image, part;
	CK_ULONG at, damaged;
	CK_RV rv;

	(void)state;
	image = image_take(session);
	make_other();
	for (at = 0; at < image.len; at += at < HEAD + 16 ? 3 : image.len / 12) {
		image.data[at] ^= 0x40;
		rv = restore_with(slot_b, &image, OTHER_SO_PIN, DOMAIN, CKU_USER, CO_PIN, &damaged);
		image.data[at] ^= 0x40;
		if (rv != CKR_DATA_INVALID && rv != CKR_SIM_VERSION_UNSUPPORTED)
			fail_msg("byte %lu: %s", at, rv_name(rv));
		assert_true(damaged <= at);
		part = (struct image){ image.data, at ? at : 1 };
		if (part.len < 2)
			continue;
		assert_rv(restore_with(slot_b, &part, OTHER_SO_PIN, DOMAIN, CKU_USER, CO_PIN, &damaged),
			  CKR_DATA_INVALID);
		assert_true(damaged <= at);
	}
	image.data[image.len] = 0;
	part = (struct image){ image.data, image.len + 1 };
	assert_rv(restore_with(slot_b, &part, OTHER_SO_PIN, DOMAIN, CKU_USER, CO_PIN, &damaged),
		  CKR_DATA_INVALID);
	expect_other();
	free(image.data);
}

/* Longer than one command and one frame, with a record across frames. */
static void test_large(void **state)
{
	enum { EACH = 150000, OBJECTS = 4 };
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE *value = malloc(EACH), cipher[SECRET], *back;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, yes),
		ATTR_STR(CKA_LABEL, "large"), ATTR_BYTES(CKA_VALUE, value, EACH),
	};
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE obj;
	struct image image;
	CK_ULONG i, len;

	(void)state;
	assert_non_null(value);
	for (i = 0; i < EACH; i++)
		value[i] = (CK_BYTE)(i * 7 + i / 256);
	for (i = 0; i < OBJECTS; i++)
		assert_ok(p11->C_CreateObject(session, tmpl, COUNT(tmpl), &obj));
	fill(session, cipher);
	image = image_take(session);
	assert_true(image.len > EACH * OBJECTS);
	make_other();
	assert_ok(restore(slot_b, &image, OTHER_SO_PIN));
	expect_filled(slot_b, cipher);
	session = session_co(slot_b);
	assert_int_equal(object_count(session, tmpl, 1), OBJECTS);
	back = attr_bytes(session, obj, CKA_VALUE, &len);
	assert_int_equal(len, EACH);
	assert_memory_equal(back, value, EACH);
	free(back);
	free(value);
	free(image.data);
}

/* What another application of the token goes on doing is not disturbed, and is in the next image. */
static void test_while_used(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct image first;
	CK_ULONG len, n = 10;
	CK_BYTE some[10], cipher[SECRET];

	(void)state;
	fill(session, cipher);
	assert_ok(image_export(session, &len));
	assert_ok(image_read(session, 0, some, &n));
	aes_key(session, 16, true, "later");
	first.len = len;
	first.data = malloc(len);
	assert_non_null(first.data);
	memcpy(first.data, some, n);
	len -= n;
	assert_ok(image_read(session, n, first.data + n, &len));
	assert_int_equal(n + len, first.len);
	make_other();
	assert_ok(restore(slot_b, &first, OTHER_SO_PIN));
	expect_filled(slot_b, cipher);
	session = session_co(slot_b);
	assert_int_equal(object_by_label(session, "later"), 0);
	free(first.data);
}

/* ---- the suite ---- */

static int set_up(void **state)
{
	suite_setup(state);
	*(void **)&image_export = suite_symbol("CA_TokenImageExport");
	*(void **)&image_read = suite_symbol("CA_TokenImageRead");
	*(void **)&image_write = suite_symbol("CA_TokenImageWrite");
	*(void **)&image_restore = suite_symbol("CA_TokenImageRestore");
	return 0;
}

/* Both slots as the set-up leaves them, whatever was restored to them. */
static int after_each(void **state)
{
	(void)state;
	make_other();
	sessions_close(slot_a);
	token_init(slot_a, "token a", DOMAIN);
	return 0;
}

static int tear_down(void **state)
{
	make_other();
	return suite_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_to_the_other_slot, after_each),
		cmocka_unit_test_teardown(test_who_may, after_each),
		cmocka_unit_test_teardown(test_policy, after_each),
		cmocka_unit_test_teardown(test_without_domain, after_each),
		cmocka_unit_test_teardown(test_legacy, after_each),
		cmocka_unit_test_teardown(test_replacing, after_each),
		cmocka_unit_test_teardown(test_wrong_keys, after_each),
		cmocka_unit_test_teardown(test_damage, after_each),
		cmocka_unit_test_teardown(test_large, after_each),
		cmocka_unit_test_teardown(test_while_used, after_each),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
