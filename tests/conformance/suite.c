// SPDX-License-Identifier: MIT
/* Set-up and helpers of the conformance tests; see suite.h. */
#include <dlfcn.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

CK_FUNCTION_LIST_PTR p11;
struct CK_SFNT_CA_FUNCTION_LIST *ca;
CK_SLOT_ID slot_a, slot_b;
CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static void *library;

#define NAME(rv) { rv, #rv }
static const struct {
	CK_RV rv;
	const char *name;
} names[] = {
#include "rv_names.h"
};

const char *rv_name(CK_RV rv)
{
	static _Thread_local char text[32];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].rv == rv)
			return names[i].name;
	snprintf(text, sizeof(text), "0x%lx", rv);
	return text;
}

static void suite_load(void)
{
	const char *path = getenv("LUNA_LIBRARY");
	CK_C_GetFunctionList get;
	CK_CA_GetFunctionList ca_get;

	if (library)
		return;
	library = dlopen(path ? path : LUNA_LIBRARY_PATH, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		fail_msg("%s", dlerror());
	get = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
	ca_get = (CK_CA_GetFunctionList)dlsym(library, "CA_GetFunctionList");
	assert_non_null(get);
	assert_non_null(ca_get);
	assert_ok(get(&p11));
	assert_ok(ca_get(&ca));
}

void *suite_symbol(const char *name)
{
	void *symbol = dlsym(library, name);

	if (!symbol)
		fail_msg("the library has no %s", name);
	return symbol;
}

int suite_setup_bare(void **state)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_SLOT_ID slots[64];
	CK_ULONG count = 64;

	(void)state;
	suite_load();
	assert_ok(p11->C_Initialize(&args));
	assert_ok(p11->C_GetSlotList(CK_TRUE, NULL, &count));
	if (count < 2)
		fail_msg("the tests need two slots; LUNA_DEVICES=%s has %lu",
			 getenv("LUNA_DEVICES") ? getenv("LUNA_DEVICES") : "(unset)", count);
	count = 64;
	assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
	slot_a = slots[0];
	slot_b = slots[1];
	return 0;
}

int suite_setup(void **state)
{
	suite_setup_bare(state);
	token_init(slot_a, "token a", DOMAIN);
	token_init(slot_b, "token b", DOMAIN);
	return 0;
}

int suite_teardown(void **state)
{
	(void)state;
	if (p11)		/* else the set-up has failed */
		assert_ok(p11->C_Finalize(NULL));
	return 0;
}

pid_t child_start(int (*body)(void *arg), void *arg)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	pid_t child;
	int status;

	fflush(NULL);
	child = fork();
	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* nobody works on when the test is gone */
	status = p11->C_Initialize(&args) == CKR_OK ? body(arg) : 2;
	if (p11->C_Finalize(NULL) != CKR_OK)
		status = 3;
	_exit(status);
}

int child_wait(pid_t child)
{
	int status = -1;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status;
}

int child_run(int (*body)(void *arg), void *arg)
{
	return child_wait(child_start(body, arg));
}

static void destroy_all(CK_SLOT_ID slot)
{
	CK_SESSION_HANDLE session = session_co(slot);
	CK_OBJECT_HANDLE objs[256];
	CK_ULONG found, i;

	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	do {
		assert_ok(p11->C_FindObjects(session, objs, COUNT(objs), &found));
		for (i = 0; i < found; i++)
			p11->C_DestroyObject(session, objs[i]);
	} while (found);
	sessions_close(slot);
}

int sessions_teardown(void **state)
{
	(void)state;
	sessions_close(slot_a);
	sessions_close(slot_b);
	return 0;
}

int test_teardown(void **state)
{
	sessions_teardown(state);
	destroy_all(slot_a);
	destroy_all(slot_b);
	return 0;
}

void session_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin)
{
	assert_ok(p11->C_Login(session, user, (CK_UTF8CHAR_PTR)pin, strlen(pin)));
}

void token_init(CK_SLOT_ID slot, const char *label, const char *domain)
{
	CK_UTF8CHAR padded[32];
	CK_SESSION_HANDLE session;

	sessions_close(slot);
	memset(padded, ' ', sizeof(padded));
	memcpy(padded, label, strlen(label));
	assert_ok(ca->CA_SetCloningDomain((CK_BYTE_PTR)(domain ? domain : ""),
					  domain ? strlen(domain) : 0));
	assert_ok(p11->C_InitToken(slot, (CK_UTF8CHAR_PTR)SO_PIN, strlen(SO_PIN), padded));
	session = session_so(slot);
	assert_ok(p11->C_InitPIN(session, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)));
	sessions_close(slot);
	session = session_co(slot);
	assert_ok(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, (CK_CHAR_PTR)CU_PIN,
				     strlen(CU_PIN)));
	sessions_close(slot);
}

void token_init_legacy(CK_SLOT_ID slot, const char *label, const char *domain)
{
	setenv("LUNA_TOKEN_TYPE", "legacy", 1);
	token_init(slot, label, domain);
	unsetenv("LUNA_TOKEN_TYPE");
}

CK_SESSION_HANDLE session_open(CK_SLOT_ID slot)
{
	CK_SESSION_HANDLE session = 0;

	assert_ok(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				     &session));
	return session;
}

CK_SESSION_HANDLE session_open_ro(CK_SLOT_ID slot)
{
	CK_SESSION_HANDLE session = 0;

	assert_ok(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
	return session;
}

static CK_SESSION_HANDLE session_as(CK_SLOT_ID slot, CK_USER_TYPE user, const char *pin)
{
	CK_SESSION_HANDLE session = session_open(slot);

	session_login(session, user, pin);
	return session;
}

CK_SESSION_HANDLE session_co(CK_SLOT_ID slot)
{
	return session_as(slot, CKU_USER, CO_PIN);
}

CK_SESSION_HANDLE session_cu(CK_SLOT_ID slot)
{
	return session_as(slot, CKU_CRYPTO_USER, CU_PIN);
}

CK_SESSION_HANDLE session_so(CK_SLOT_ID slot)
{
	return session_as(slot, CKU_SO, SO_PIN);
}

void sessions_close(CK_SLOT_ID slot)
{
	assert_ok(p11->C_CloseAllSessions(slot));
}

CK_OBJECT_HANDLE aes_key(CK_SESSION_HANDLE session, CK_ULONG bytes, bool token, const char *label)
{
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_BBOOL on_token = token;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, on_token), ATTR(CKA_VALUE_LEN, bytes), ATTR_STR(CKA_LABEL, label),
		ATTR(CKA_PRIVATE, yes), ATTR(CKA_SENSITIVE, yes), ATTR(CKA_EXTRACTABLE, no),
		ATTR(CKA_ENCRYPT, yes), ATTR(CKA_DECRYPT, yes), ATTR(CKA_SIGN, yes),
		ATTR(CKA_VERIFY, yes), ATTR(CKA_WRAP, yes), ATTR(CKA_UNWRAP, yes),
	};
	CK_OBJECT_HANDLE key = 0;

	assert_ok(p11->C_GenerateKey(session, &mech, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &key));
	return key;
}

void rsa_pair(CK_SESSION_HANDLE session, CK_ULONG bits, bool token, const char *label,
	      CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_BYTE e[] = { 1, 0, 1 };
	CK_BBOOL on_token = token;
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, on_token), ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT,
									      e),
		ATTR_STR(CKA_LABEL, label), ATTR(CKA_ENCRYPT, yes), ATTR(CKA_VERIFY, yes),
		ATTR(CKA_VERIFY_RECOVER, yes), ATTR(CKA_WRAP, yes),
	};
	CK_ATTRIBUTE priv_tmpl[] = {
		ATTR(CKA_TOKEN, on_token), ATTR_STR(CKA_LABEL, label), ATTR(CKA_PRIVATE, yes),
		ATTR(CKA_SENSITIVE, yes), ATTR(CKA_EXTRACTABLE, no), ATTR(CKA_DECRYPT, yes),
		ATTR(CKA_SIGN, yes), ATTR(CKA_SIGN_RECOVER, yes), ATTR(CKA_UNWRAP, yes),
	};

	assert_ok(p11->C_GenerateKeyPair(session, &mech, pub_tmpl,
					 sizeof(pub_tmpl) / sizeof(pub_tmpl[0]), priv_tmpl,
					 sizeof(priv_tmpl) / sizeof(priv_tmpl[0]), pub, priv));
}

CK_OBJECT_HANDLE secret_import(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const void *value,
			       CK_ULONG len)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR_BYTES(CKA_VALUE, value, len),
		ATTR(CKA_TOKEN, no), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_ENCRYPT, yes), ATTR(CKA_DECRYPT, yes), ATTR(CKA_SIGN, yes),
		ATTR(CKA_VERIFY, yes), ATTR(CKA_WRAP, yes), ATTR(CKA_UNWRAP, yes),
	};
	CK_OBJECT_HANDLE key = 0;

	assert_ok(p11->C_CreateObject(session, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &key));
	return key;
}

CK_OBJECT_HANDLE object_by_label(CK_SESSION_HANDLE session, const char *label)
{
	CK_ATTRIBUTE tmpl[] = { ATTR_STR(CKA_LABEL, label) };
	CK_OBJECT_HANDLE obj = 0;
	CK_ULONG found = 0;

	assert_ok(p11->C_FindObjectsInit(session, tmpl, 1));
	assert_ok(p11->C_FindObjects(session, &obj, 1, &found));
	assert_ok(p11->C_FindObjectsFinal(session));
	return found ? obj : 0;
}

CK_ULONG object_count(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count)
{
	CK_OBJECT_HANDLE objs[64];
	CK_ULONG found, total = 0;

	assert_ok(p11->C_FindObjectsInit(session, tmpl, count));
	do {
		assert_ok(p11->C_FindObjects(session, objs, 64, &found));
		total += found;
	} while (found);
	assert_ok(p11->C_FindObjectsFinal(session));
	return total;
}

CK_ULONG attr_ulong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type)
{
	CK_ULONG value = 0;
	CK_ATTRIBUTE attr = ATTR(type, value);

	assert_ok(p11->C_GetAttributeValue(session, obj, &attr, 1));
	assert_int_equal(attr.ulValueLen, sizeof(value));
	return value;
}

bool attr_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = 2;
	CK_ATTRIBUTE attr = ATTR(type, value);

	assert_ok(p11->C_GetAttributeValue(session, obj, &attr, 1));
	assert_int_equal(attr.ulValueLen, 1);
	assert_in_range(value, 0, 1);
	return value;
}

unsigned char *attr_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
			  CK_ULONG *len)
{
	CK_ATTRIBUTE attr = { type, NULL, 0 };

	assert_ok(p11->C_GetAttributeValue(session, obj, &attr, 1));
	attr.pValue = malloc(attr.ulValueLen + 1);
	assert_non_null(attr.pValue);
	assert_ok(p11->C_GetAttributeValue(session, obj, &attr, 1));
	*len = attr.ulValueLen;
	return attr.pValue;
}

void assert_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		  const void *want, CK_ULONG want_len)
{
	CK_ULONG len;
	unsigned char *value = attr_bytes(session, obj, type, &len);

	assert_int_equal(len, want_len);
	if (len)
		assert_memory_equal(value, want, len);
	free(value);
}

CK_SESSION_INFO session_info(CK_SESSION_HANDLE session)
{
	CK_SESSION_INFO info;

	assert_ok(p11->C_GetSessionInfo(session, &info));
	return info;
}

bool mechanism_listed(CK_SLOT_ID slot, CK_MECHANISM_TYPE type)
{
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = 512, i;

	assert_ok(p11->C_GetMechanismList(slot, list, &count));
	for (i = 0; i < count; i++)
		if (list[i] == type)
			return true;
	return false;
}

CK_ULONG test_stride(void)
{
	const char *stride = getenv("LUNA_TEST_STRIDE");

	return stride && atoi(stride) > 0 ? atoi(stride) : 1;
}

unsigned char *unhex(const char *hex, size_t *len)
{
	size_t n = strlen(hex) / 2, i;
	unsigned char *out = malloc(n + 1);
	unsigned int byte;

	assert_non_null(out);
	for (i = 0; i < n; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = byte;
	}
	*len = n;
	return out;
}
