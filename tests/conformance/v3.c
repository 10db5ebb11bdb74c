// SPDX-License-Identifier: MIT
/*
 * PKCS#11 v3.0: interfaces, C_LoginUser, C_SessionCancel and messages. Everything goes through the
 * list that C_GetInterface gives; OpenSSL and published vectors say what is right. Here are the
 * list itself, logins, what the token tells of messages, and what they cost.
 */
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "v3.h"

CK_FUNCTION_LIST_3_0 *v3;
static CK_FUNCTION_LIST_PTR v2;
CK_C_GetInterface get_interface;
static CK_C_GetInterfaceList get_interface_list;
CK_SESSION_HANDLE s;
CK_OBJECT_HANDLE key;
unsigned char key_value[32];

/* The helpers of the suite then go through the new list, too, which begins as the old one. */
static int group_setup(void **state)
{
	CK_INTERFACE *interface;

	suite_setup_bare(state);
	get_interface = (CK_C_GetInterface)suite_symbol("C_GetInterface");
	get_interface_list = (CK_C_GetInterfaceList)suite_symbol("C_GetInterfaceList");
	v2 = p11;
	assert_ok(get_interface(NULL, NULL, &interface, 0));
	v3 = interface->pFunctionList;
	p11 = interface->pFunctionList;
	token_init(slot_a, "token a", DOMAIN);
	token_init(slot_b, "token b", DOMAIN);
	return 0;
}

static int setup(void **state)
{
	size_t i;

	(void)state;
	s = session_co(slot_a);
	for (i = 0; i < sizeof(key_value); i++)
		key_value[i] = i * 7 + 1;
	key = secret_import(s, CKK_AES, key_value, sizeof(key_value));
	return 0;
}

/* ---- interfaces ---- */

static void interface_list(void **state)
{
	CK_VERSION *versions[2];
	CK_INTERFACE list[4];
	CK_ULONG count = 99;

	(void)state;
	assert_rv(get_interface_list(NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(get_interface_list(list, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(get_interface_list(NULL, &count));
	assert_int_equal(count, 2);
	count = 1;
	assert_rv(get_interface_list(list, &count), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(count, 2);
	count = 4;
	assert_ok(v3->C_GetInterfaceList(list, &count));
	assert_int_equal(count, 2);
	for (count = 0; count < 2; count++) {
		assert_string_equal((char *)list[count].pInterfaceName, "PKCS 11");
		assert_int_equal(list[count].flags, 0);
		versions[count] = list[count].pFunctionList;
	}
	assert_int_equal(versions[0]->major, 3);
	assert_int_equal(versions[0]->minor, 0);
	assert_int_equal(versions[1]->major, 2);
	assert_int_equal(versions[1]->minor, 40);
}

static void *interface_of(const char *name, int major, int minor)
{
	CK_VERSION version = { major, minor };
	CK_INTERFACE *interface = NULL;

	if (get_interface((CK_UTF8CHAR *)name, major ? &version : NULL, &interface, 0) != CKR_OK)
		return NULL;
	return interface->pFunctionList;
}

static void interface_by_name(void **state)
{
	CK_INTERFACE *interface = NULL;

	(void)state;
	assert_ptr_equal(interface_of(NULL, 0, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 0, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 3, 0), v3);
	assert_ptr_equal(interface_of(NULL, 3, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 2, 40), v2);
	assert_ptr_equal(interface_of(NULL, 2, 40), v2);
	assert_null(interface_of("PKCS 11", 3, 1));
	assert_null(interface_of("PKCS 11", 2, 20));
	assert_null(interface_of("PKCS 1", 0, 0));
	assert_null(interface_of("PKCS 11 ", 0, 0));
	assert_null(interface_of("", 0, 0));
	assert_null(interface_of("Vendor luna", 0, 0));
	assert_rv(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	/* A child does not get its parent's sessions. */
	assert_rv(get_interface(NULL, NULL, &interface, CKF_INTERFACE_FORK_SAFE),
		  CKR_FUNCTION_FAILED);
	assert_null(interface);
}

/* Every function stands where the name says, but for the one that tells the versions apart. */
static void interface_members(void **state)
{
	CK_FUNCTION_LIST *list = NULL;
	CK_INFO info;

	(void)state;
#define SAME(name, args)							\
	if (strcmp(#name, "C_GetInfo"))						\
		assert_ptr_equal((void *)v3->name, suite_symbol(#name));
#define SAME_2(name, args) assert_ptr_equal((void *)v2->name, suite_symbol(#name));
	LUNA_C_FUNCTIONS_2_40(SAME)
	LUNA_C_FUNCTIONS_3_0(SAME)
	LUNA_C_FUNCTIONS_2_40(SAME_2)
	assert_int_equal(v2->version.major, 2);
	assert_int_equal(v2->version.minor, 40);
	assert_ok(v3->C_GetFunctionList(&list));
	assert_ptr_equal(list, v2);
	assert_ok(v3->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 3);
	assert_int_equal(info.cryptokiVersion.minor, 0);
	assert_ok(v2->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 2);
	assert_int_equal(info.cryptokiVersion.minor, 40);
}

/* ---- C_LoginUser ---- */

static CK_RV login_user(CK_USER_TYPE type, const char *pin, const char *name)
{
	return v3->C_LoginUser(s, type, (CK_UTF8CHAR *)pin, strlen(pin), (CK_UTF8CHAR *)name,
			       name ? strlen(name) : 0);
}

static void login_users(void **state)
{
	static const struct {
		CK_USER_TYPE type;
		const char *pin, *name;
		CK_RV rv;
		CK_STATE state;
	} rows[] = {
		{ CKU_USER, CO_PIN, NULL, CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "co", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "Crypto Officer", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CU_PIN, "cu", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_CRYPTO_USER, CU_PIN, "CU", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_SO, SO_PIN, "so", CKR_OK, CKS_RW_SO_FUNCTIONS },
		{ CKU_SO, SO_PIN, "Partition SO", CKR_OK, CKS_RW_SO_FUNCTIONS },
		{ CKU_USER, CO_PIN, "alice", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, CO_PIN, "c", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, SO_PIN, "so", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_SO, CO_PIN, "co", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_CRYPTO_USER, CO_PIN, "co", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ 77, CO_PIN, NULL, CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, CU_PIN, "co", CKR_PIN_INCORRECT, CKS_RW_PUBLIC_SESSION },
	};
	size_t i;

	(void)state;
	assert_ok(v3->C_Logout(s));
	for (i = 0; i < COUNT(rows); i++) {
		assert_rv(login_user(rows[i].type, rows[i].pin, rows[i].name), rows[i].rv);
		assert_int_equal(session_info(s).state, rows[i].state);
		if (rows[i].rv == CKR_OK)
			assert_ok(v3->C_Logout(s));
	}
	assert_rv(v3->C_LoginUser(s, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN), NULL, 2),
		  CKR_ARGUMENTS_BAD);
	assert_rv(v3->C_LoginUser(0, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN), NULL, 0),
		  CKR_SESSION_HANDLE_INVALID);
	session_login(s, CKU_USER, CO_PIN);
	assert_rv(login_user(CKU_USER, CO_PIN, "co"), CKR_USER_ALREADY_LOGGED_IN);
}

/* ---- what it costs ---- */

static atomic_ulong trips;

/* The library's ioctl(2) is this program's: every one is a trip to the device. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	atomic_fetch_add(&trips, 1);
	return syscall(SYS_ioctl, fd, request, arg);
}

static void one_trip_each(void **state)
{
	unsigned char data[4000] = { 0 }, out[4000], sig[64];
	CK_MECHANISM hmac = { CKM_AES_CMAC, NULL, 0 };
	CK_ULONG len, i, before;
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 32, 128);
	before = trips;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageSignInit(s, &hmac, key));
	assert_int_equal(trips - before, 3);
	for (i = 0; i < 20; i++) {
		before = trips;
		len = sizeof(out);
		assert_ok(seal(&g, data, 100, data, sizeof(data), out, &len));
		assert_ok(unseal(&g, data, 100, out, len, out, &len));
		assert_ok(v3->C_SignMessage(s, NULL, 0, data, sizeof(data), sig, &len));
		assert_int_equal(trips - before, 3);
		len = sizeof(out);
		assert_ok(in_parts(true, &g, data, 100, data, sizeof(data), 2000, out, &len));
		assert_int_equal(trips - before, 6);
	}
	before = trips;
	assert_ok(v3->C_SessionCancel(s, ~0UL));
	assert_int_equal(trips - before, 3);
	assert_ok(v3->C_SessionCancel(s, ~0UL));
	assert_int_equal(trips - before, 3);
}

/* ---- mechanisms ---- */

/* The flags of a mechanism say what its Inits do. */
static void mechanism_flags(void **state)
{
	static const struct {
		CK_FLAGS flag, old;
		size_t init;
	} kinds[] = {
		{ CKF_MESSAGE_ENCRYPT, CKF_ENCRYPT, offsetof(CK_FUNCTION_LIST_3_0, C_MessageEncryptInit) },
		{ CKF_MESSAGE_DECRYPT, CKF_DECRYPT, offsetof(CK_FUNCTION_LIST_3_0, C_MessageDecryptInit) },
		{ CKF_MESSAGE_SIGN, CKF_SIGN, offsetof(CK_FUNCTION_LIST_3_0, C_MessageSignInit) },
		{ CKF_MESSAGE_VERIFY, CKF_VERIFY, offsetof(CK_FUNCTION_LIST_3_0, C_MessageVerifyInit) },
	};
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = COUNT(list), i, k;
	CK_FLAGS any = 0;
	CK_MECHANISM_INFO info;
	CK_C_MessageEncryptInit init;
	CK_MECHANISM mech = { 0 };
	CK_RV rv;

	(void)state;
	assert_ok(v3->C_GetMechanismList(slot_a, list, &count));
	for (i = 0; i < count; i++) {
		assert_ok(v3->C_GetMechanismInfo(slot_a, list[i], &info));
		mech.mechanism = list[i];
		for (k = 0; k < COUNT(kinds); k++) {
			memcpy(&init, (char *)v3 + kinds[k].init, sizeof(init));
			rv = init(s, &mech, 0);
			/* The key is wrong; the mechanism is not. */
			assert_rv(rv, info.flags & kinds[k].flag ? CKR_KEY_HANDLE_INVALID :
								   CKR_MECHANISM_INVALID);
			if (info.flags & kinds[k].flag)
				assert_true(info.flags & kinds[k].old);
		}
		any |= info.flags;
		if (info.flags & CKF_MULTI_MESSAGE)
			assert_true(info.flags & (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_SIGN));
	}
	assert_true(any & CKF_MESSAGE_ENCRYPT && any & CKF_MESSAGE_VERIFY);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_AES_GCM, &info));
	assert_int_equal(info.flags & 0x3e,
			 CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_RSA_PKCS, &info));
	assert_int_equal(info.flags & 0x3e, CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_AES_CBC, &info));
	assert_int_equal(info.flags & 0x3e, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interface_list),
		TEST(interface_by_name),
		TEST(interface_members),
		TEST(login_users),
		TEST(known_answers),
		TEST(against_openssl),
		TEST(generators),
		TEST(generators_end),
		TEST(generators_stay),
		TEST(gcm_parameters),
		TEST(one_trip_each),
		TEST(not_initialized),
		TEST(in_the_middle),
		TEST(bad_parts),
		TEST(long_parts),
		TEST(signatures),
		TEST(long_signatures),
		TEST(always_authenticate),
		TEST(mechanism_flags),
		TEST(cancel),
		TEST(cancel_by_init),
		TEST(logout),
		TEST(threads),
		TEST(forked),
	};

	return cmocka_run_group_tests(tests, group_setup, suite_teardown);
}
