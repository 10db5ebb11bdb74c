// SPDX-License-Identifier: MIT
/*
 * What persistence.sh runs before and after a daemon's end. Asserts of cmocka end the program here.
 *
 *	fill			initialises the tokens and makes objects
 *	check			they are all there, and nothing else
 *	churn			makes and destroys objects until killed: says "+ NAME", "- NAME"
 *	churned FILE		what FILE says was made or destroyed is so
 *	across			says "ready", waits for a line, and goes on with another daemon
 */
#include "suite.h"

static CK_BYTE text[32] = "what outlives a power cut ......";
static CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };

static CK_OBJECT_HANDLE data(CK_SESSION_HANDLE session, const char *label, const void *value,
			     CK_ULONG len, bool token, bool private)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL on_token = token, is_private = private;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR_STR(CKA_LABEL, label), ATTR_BYTES(CKA_VALUE, value,
									       len),
		ATTR(CKA_TOKEN, on_token), ATTR(CKA_PRIVATE, is_private),
	};
	CK_OBJECT_HANDLE obj = 0;

	assert_ok(p11->C_CreateObject(session, tmpl, COUNT(tmpl), &obj));
	return obj;
}

static void fill(void)
{
	CK_OBJECT_HANDLE key, pub, priv, obj;
	CK_ATTRIBUTE renamed = ATTR_STR(CKA_LABEL, "renamed");
	CK_BYTE out[256], big[40000];
	CK_SESSION_HANDLE session;
	CK_ULONG len = sizeof(out);

	assert_int_equal(suite_setup(NULL), 0);
	session = session_co(slot_a);
	key = aes_key(session, 32, true, "AES");
	assert_ok(p11->C_EncryptInit(session, &ecb, key));
	assert_ok(p11->C_Encrypt(session, text, 32, out, &len));
	data(session, "sealed", out, len, true, true);
	rsa_pair(session, 2048, true, "RSA", &pub, &priv);
	len = sizeof(out);
	assert_ok(p11->C_SignInit(session, &sign, priv));
	assert_ok(p11->C_Sign(session, text, 32, out, &len));
	data(session, "signature", out, len, true, false);
	memset(big, 0x42, sizeof(big));
	data(session, "big", big, sizeof(big), true, true);
	obj = data(session, "first name", "x", 1, true, true);
	assert_ok(p11->C_SetAttributeValue(session, obj, &renamed, 1));
	obj = data(session, "destroyed", "x", 1, true, true);
	data(session, "last", &obj, sizeof(obj), true, false);
	assert_ok(p11->C_DestroyObject(session, obj));
	data(session, "of the session", "x", 1, false, false);
}

static CK_OBJECT_HANDLE must_find(CK_SESSION_HANDLE session, const char *label)
{
	CK_OBJECT_HANDLE obj = object_by_label(session, label);

	if (!obj)
		fail_msg("\"%s\" is lost", label);
	return obj;
}

static void check_key(CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE key = must_find(session, "AES");
	CK_ULONG sealed_len, len = 32;
	CK_BYTE *sealed = attr_bytes(session, must_find(session, "sealed"), CKA_VALUE, &sealed_len);
	CK_BYTE out[32];

	assert_true(attr_bool(session, key, CKA_SENSITIVE));
	assert_true(attr_bool(session, key, CKA_NEVER_EXTRACTABLE));
	assert_true(attr_bool(session, key, CKA_LOCAL));
	assert_ok(p11->C_DecryptInit(session, &ecb, key));
	assert_ok(p11->C_Decrypt(session, sealed, sealed_len, out, &len));
	assert_int_equal(len, 32);
	assert_memory_equal(out, text, 32);
	free(sealed);
}

static void check_pair(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS classes[] = { CKO_PUBLIC_KEY, CKO_PRIVATE_KEY };
	CK_ATTRIBUTE tmpl[] = { ATTR_STR(CKA_LABEL, "RSA"), ATTR(CKA_CLASS, classes[0]) };
	CK_OBJECT_HANDLE keys[2] = { 0 };
	CK_ULONG len, out_len = 256, count, i;
	CK_BYTE *sig = attr_bytes(session, must_find(session, "signature"), CKA_VALUE,
				  &len), out[256];

	for (i = 0; i < 2; i++) {
		tmpl[1].pValue = &classes[i];
		assert_ok(p11->C_FindObjectsInit(session, tmpl, 2));
		assert_ok(p11->C_FindObjects(session, &keys[i], 1, &count));
		assert_ok(p11->C_FindObjectsFinal(session));
		assert_int_equal(count, 1);
	}
	assert_ok(p11->C_VerifyInit(session, &sign, keys[0]));
	assert_ok(p11->C_Verify(session, text, 32, sig, len));
	assert_ok(p11->C_SignInit(session, &sign, keys[1]));
	assert_ok(p11->C_Sign(session, text, 32, out, &out_len));
	assert_memory_equal(out, sig, 256);
	free(sig);
}

static void check(void)
{
	CK_SESSION_HANDLE session;
	CK_ULONG len, i;
	CK_BYTE *value;
	CK_OBJECT_HANDLE destroyed, fresh;
	CK_TOKEN_INFO info;

	assert_int_equal(suite_setup_bare(NULL), 0);
	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	assert_memory_equal(info.label, "token a                         ", 32);
	session = session_open(slot_a);
	assert_int_equal(object_count(session, NULL, 0), 3);	/* the public ones */
	session_login(session, CKU_USER, CO_PIN);
	assert_int_equal(object_count(session, NULL, 0), 8);
	check_key(session);
	check_pair(session);
	value = attr_bytes(session, must_find(session, "big"), CKA_VALUE, &len);
	assert_int_equal(len, 40000);
	for (i = 0; i < len; i++)
		assert_int_equal(value[i], 0x42);
	free(value);
	must_find(session, "renamed");
	assert_int_equal(object_by_label(session, "first name"), 0);
	assert_int_equal(object_by_label(session, "destroyed"), 0);
	assert_int_equal(object_by_label(session, "of the session"), 0);
	/* No handle of the past is given out again. */
	value = attr_bytes(session, must_find(session, "last"), CKA_VALUE, &len);
	memcpy(&destroyed, value, sizeof(destroyed));
	free(value);
	fresh = data(session, "fresh", "x", 1, true, false);
	assert_true(fresh > destroyed);
	assert_true(fresh > must_find(session, "last"));
	assert_ok(p11->C_DestroyObject(session, fresh));
	assert_int_equal(session_info(session_cu(slot_b)).state, CKS_RW_USER_FUNCTIONS);
}

static void churn(void)
{
	CK_OBJECT_HANDLE objs[4] = { 0 };
	CK_SESSION_HANDLE session;
	char label[32];
	unsigned int i;
	CK_RV rv;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_co(slot_b);
	for (i = 0;; i++) {
		CK_OBJECT_CLASS class = CKO_DATA;
		CK_BBOOL private = i & 1;
		CK_ATTRIBUTE tmpl[] = {
			ATTR(CKA_CLASS, class), ATTR_BYTES(CKA_LABEL, label, 0),
		ATTR(CKA_TOKEN, yes),
			ATTR(CKA_PRIVATE, private),
		};

		if (i >= 4) {
			snprintf(label, sizeof(label), "churn-%u", i - 4);
			/* From here on it may be gone or not. */
			printf("? %s\n", label);
			fflush(stdout);
			if (p11->C_DestroyObject(session, objs[i % 4]) != CKR_OK)
				break;
			printf("- %s\n", label);
			fflush(stdout);
		}
		tmpl[1].ulValueLen = snprintf(label, sizeof(label), "churn-%u", i);
		rv = p11->C_CreateObject(session, tmpl, COUNT(tmpl), &objs[i % 4]);
		if (rv != CKR_OK)
			break;
		printf("+ %s\n", label);
		fflush(stdout);
	}
}

/* The last word about each name counts. */
static void churned(const char *path)
{
	CK_SESSION_HANDLE session;
	char line[64], *state = calloc(1 << 20, 1);
	unsigned int number, last = 0, made = 0;
	FILE *file = fopen(path, "r");
	CK_OBJECT_HANDLE obj;

	assert_non_null(file);
	assert_non_null(state);
	while (fgets(line, sizeof(line), file))
		if (strchr(line, '\n') && sscanf(line + 1, " churn-%u", &number) == 1 &&
		    number < 1 << 20) {
			state[number] = *line;
			last = number > last ? number : last;
			made++;
		}
	fclose(file);
	assert_true(made > 10);
	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_co(slot_b);
	for (number = 0; number <= last; number++) {
		snprintf(line, sizeof(line), "churn-%u", number);
		obj = object_by_label(session, line);
		if (state[number] == '+' && !obj)
			fail_msg("%s was made and is lost", line);
		if (state[number] == '-' && obj)
			fail_msg("%s was destroyed and is back", line);
		if (obj)
			assert_ok(p11->C_DestroyObject(session, obj));
	}
	/* At most one more, whose making was not told. */
	assert_true(object_count(session, NULL, 0) <= 1);
	snprintf(line, sizeof(line), "churn-%u", last + 1);
	obj = object_by_label(session, line);
	if (obj)
		assert_ok(p11->C_DestroyObject(session, obj));
	assert_int_equal(object_count(session, NULL, 0), 0);
	free(state);
}

static void across(void)
{
	CK_SESSION_HANDLE old, session;
	CK_OBJECT_HANDLE key;
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);
	CK_RV rv;

	assert_int_equal(suite_setup_bare(NULL), 0);
	old = session_co(slot_a);
	key = must_find(old, "AES");
	assert_ok(p11->C_EncryptInit(old, &ecb, key));
	assert_ok(p11->C_Encrypt(old, text, 32, out, &len));
	assert_ok(p11->C_EncryptInit(old, &ecb, key));
	printf("ready\n");
	fflush(stdout);
	if (getchar() == EOF)
		exit(1);
	rv = p11->C_Encrypt(old, text, 32, out, &len);
	assert_true(rv == CKR_DEVICE_REMOVED || rv == CKR_SESSION_HANDLE_INVALID);
	rv = p11->C_EncryptInit(old, &ecb, key);
	assert_true(rv == CKR_DEVICE_REMOVED || rv == CKR_SESSION_HANDLE_INVALID);
	p11->C_CloseSession(old);
	session = session_co(slot_a);
	assert_true(session != old);
	check_key(session);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "fill"))
		fill();
	else if (!strcmp(what, "check"))
		check();
	else if (!strcmp(what, "churn"))
		churn();
	else if (!strcmp(what, "churned") && argc > 2)
		churned(argv[2]);
	else if (!strcmp(what, "across"))
		across();
	else
		return 2;
	return suite_teardown(NULL);
}
