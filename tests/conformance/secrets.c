// SPDX-License-Identifier: MIT
/*
 * That secrets are gone when their time is over: reads the daemon's whole memory, as only root can, and
 * looks for keys and PINs that the test knows. What must be there is looked for too, while it is used:
 * without that a search that finds nothing would say nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "rsa_parts.h"

enum { CHUNK = 1 << 20, NEEDLE_MAX = 512 };

static int memory = -1;
static CK_BYTE key_value[32], mac_value[32];
static char pin[41];

static pid_t daemon_pid(void)
{
	const char *pid = getenv("LUNA_TEST_DAEMON_PID");

	return pid ? atoi(pid) : 0;
}

static void need_memory(void)
{
	char path[64];

	if (memory >= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/mem", daemon_pid());
	memory = daemon_pid() ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (memory < 0) {
		print_message("only root can read a daemon's memory\n");
		skip();
	}
}

/* How often @needle stands in [@from, @to). What cannot be read is not there. */
static unsigned int count_in(unsigned long from, unsigned long to, const void *needle, size_t len)
{
	static unsigned char chunk[CHUNK + NEEDLE_MAX];
	const unsigned char *at, *found;
	unsigned int count = 0;
	ssize_t got;

	for (; from < to; from += CHUNK) {
		size_t want = to - from < sizeof(chunk) ? to - from : sizeof(chunk);

		got = pread(memory, chunk, want, (off_t)from);
		if (got <= 0)
			continue;
		for (at = chunk; (found = memmem(at, chunk + got - at, needle, len)); at = found + 1)
			count += found < chunk + CHUNK;	/* behind that, the next chunk has it */
	}
	explicit_bzero(chunk, sizeof(chunk));
	return count;
}

static unsigned int count(const void *needle, size_t len)
{
	unsigned long from, to;
	unsigned int n = 0;
	char path[64], line[4352], mode[5];
	FILE *maps;

	assert_true(len <= NEEDLE_MAX);
	snprintf(path, sizeof(path), "/proc/%d/maps", daemon_pid());
	maps = fopen(path, "re");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[0] == 'r')
			n += count_in(from, to, needle, len);
	fclose(maps);
	return n;
}

/* Numbers stand in the daemon as they travel, or in the words of a bignum: backwards. */
static unsigned int count_number(const CK_BYTE *number, size_t len)
{
	CK_BYTE backwards[NEEDLE_MAX];

	for (size_t i = 0; i < len; i++)
		backwards[i] = number[len - 1 - i];
	return count(number, len) + count(backwards, len);
}

/*
 * How much of it stays. The daemon wipes what a request was made of when it has replied, so what is on
 * its way out gets some time.
 */
static unsigned int count_left(const void *needle, size_t len)
{
	unsigned int tries, n = 0;

	for (tries = 0; tries < 100; tries++) {
		n = count_number(needle, len);
		if (!n)
			break;
		usleep(20000);
	}
	return n;
}

static void random_pin(void)
{
	CK_BYTE bytes[20];

	assert_int_equal(RAND_bytes(bytes, sizeof(bytes)), 1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(pin + 2 * i, "%02x", bytes[i]);
}

/* A private, sensitive token key whose value the test knows. */
static CK_OBJECT_HANDLE import(CK_SESSION_HANDLE session, CK_KEY_TYPE type, CK_BYTE *value)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE t[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR_BYTES(CKA_VALUE, value, 32),
		ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, yes), ATTR(CKA_SENSITIVE, yes),
		ATTR(CKA_ENCRYPT, yes), ATTR(CKA_SIGN, yes),
	};
	CK_OBJECT_HANDLE obj = 0;

	assert_int_equal(RAND_bytes(value, 32), 1);
	assert_ok(p11->C_CreateObject(session, t, type == CKK_AES ? COUNT(t) - 1 : COUNT(t), &obj));
	return obj;
}

static void use(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes, CK_OBJECT_HANDLE mac)
{
	CK_BYTE iv[16] = { 0 }, in[32] = "some blocks of data, thirty-two", out[64];
	CK_MECHANISM cbc = { CKM_AES_CBC, iv, sizeof(iv) }, hmac = { CKM_SHA256_HMAC, NULL, 0 };
	CK_ULONG len = sizeof(out);

	assert_ok(p11->C_EncryptInit(session, &cbc, aes));
	assert_ok(p11->C_Encrypt(session, in, sizeof(in), out, &len));
	len = sizeof(out);
	assert_ok(p11->C_SignInit(session, &hmac, mac));
	assert_ok(p11->C_Sign(session, in, sizeof(in), out, &len));
}

static void assert_gone(const char *when)
{
	unsigned int aes = count_left(key_value, 32), mac = count_left(mac_value, 32);

	if (aes || mac)
		fail_msg("%s: the AES key is there %u times, the HMAC key %u times", when, aes, mac);
}

static void test_keys(void **state)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE aes, mac;

	(void)state;
	need_memory();
	session = session_co(slot_a);
	aes = import(session, CKK_AES, key_value);
	mac = import(session, CKK_GENERIC_SECRET, mac_value);
	use(session, aes, mac);
	assert_int_not_equal(count(key_value, 32), 0);
	assert_int_not_equal(count(mac_value, 32), 0);
	assert_ok(p11->C_Logout(session));
	assert_gone("after C_Logout");

	session_login(session, CKU_USER, CO_PIN);
	use(session, aes, mac);
	assert_int_not_equal(count(key_value, 32), 0);
	sessions_close(slot_a);
	assert_gone("after the last session");

	session = session_co(slot_a);
	use(session, aes, mac);
	assert_ok(p11->C_Finalize(NULL));
	assert_gone("after C_Finalize");
	assert_ok(p11->C_Initialize(NULL));

	session = session_co(slot_a);
	use(session, aes, mac);
	assert_ok(p11->C_DestroyObject(session, aes));
	assert_ok(p11->C_DestroyObject(session, mac));
	assert_gone("after C_DestroyObject");
}

static CK_OBJECT_HANDLE data(CK_SESSION_HANDLE session, const char *value)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE t[] = { ATTR(CKA_CLASS, class), ATTR_STR(CKA_VALUE, value) };
	CK_OBJECT_HANDLE obj = 0;

	assert_ok(p11->C_CreateObject(session, t, COUNT(t), &obj));
	return obj;
}

/* A PIN is nowhere as soon as the call that brought it has returned, whether it was right or not. */
static void test_pins(void **state)
{
	CK_BYTE *old = (CK_BYTE *)CO_PIN, wrong[] = "not-the-pin-3141592653589793";
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj;

	(void)state;
	need_memory();
	random_pin();
	session = session_co(slot_a);
	obj = data(session, pin);	/* the control: as a value it stays */
	assert_int_not_equal(count(pin, strlen(pin)), 0);
	assert_ok(p11->C_DestroyObject(session, obj));
	assert_int_equal(count_left(pin, strlen(pin)), 0);

	assert_ok(p11->C_SetPIN(session, old, strlen(CO_PIN), (CK_BYTE *)pin, strlen(pin)));
	assert_int_equal(count_left(pin, strlen(pin)), 0);
	assert_ok(p11->C_Logout(session));
	assert_rv(p11->C_Login(session, CKU_USER, wrong, sizeof(wrong) - 1), CKR_PIN_INCORRECT);
	assert_int_equal(count_left(wrong, sizeof(wrong) - 1), 0);
	session_login(session, CKU_USER, pin);
	assert_int_equal(count_left(pin, strlen(pin)), 0);
	assert_ok(p11->C_SetPIN(session, (CK_BYTE *)pin, strlen(pin), old, strlen(CO_PIN)));
	assert_ok(p11->C_Logout(session));
	assert_int_equal(count_left(pin, strlen(pin)), 0);
}

static void test_rsa(void **state)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE t[6 + COUNT(rsa_parts)] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, yes),
		ATTR(CKA_PRIVATE, yes), ATTR(CKA_SENSITIVE, yes), ATTR(CKA_SIGN, yes),
	};
	CK_MECHANISM pkcs = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE numbers[COUNT(rsa_parts)][256], sig[256];
	CK_ULONG lens[COUNT(rsa_parts)], len = sizeof(sig);
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj = 0;
	EVP_PKEY *key;

	(void)state;
	need_memory();
	key = EVP_RSA_gen(2048);
	assert_non_null(key);
	for (size_t i = 0; i < COUNT(rsa_parts); i++) {
		lens[i] = rsa_part(key, &rsa_parts[i], numbers[i]);
		t[6 + i] = (CK_ATTRIBUTE)ATTR_BYTES(rsa_parts[i].type, numbers[i], lens[i]);
	}
	EVP_PKEY_free(key);
	session = session_co(slot_a);
	assert_ok(p11->C_CreateObject(session, t, COUNT(t), &obj));
	assert_ok(p11->C_SignInit(session, &pkcs, obj));
	assert_ok(p11->C_Sign(session, sig, 4, sig, &len));
	for (size_t i = RSA_D; i < COUNT(rsa_parts); i++)
		assert_int_not_equal(count_number(numbers[i], lens[i]), 0);
	assert_ok(p11->C_Logout(session));
	for (size_t i = RSA_D; i < COUNT(rsa_parts); i++)
		if (count_left(numbers[i], lens[i]))
			fail_msg("%s is still there", rsa_parts[i].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_keys, test_teardown),
		cmocka_unit_test_teardown(test_pins, test_teardown),
		cmocka_unit_test_teardown(test_rsa, test_teardown),
	};

	return cmocka_run_group_tests_name("secrets", tests, suite_setup, suite_teardown);
}
