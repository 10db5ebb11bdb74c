// SPDX-License-Identifier: MIT
/* PKCS#11 modules under test: loading, an empty token, the keys. */
#include <dlfcn.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("lunabench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void must(const struct bench_token *token, const char *what, CK_RV rv)
{
	if (rv != CKR_OK)
		die("%s: %s returned 0x%lx", token->name, what, rv);
}

#define MUST(token, call)	must(token, #call, (token)->p11->call)

static char softhsm_dir[] = "/tmp/lunabench.XXXXXX";

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static void softhsm_remove(void)
{
	nftw(softhsm_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void token_softhsm_config(void)
{
	const char *dir = softhsm_dir;
	char path[64];
	FILE *file;

	if (!mkdtemp(softhsm_dir))
		die("cannot make a directory for SoftHSM2's tokens");
	atexit(softhsm_remove);
	snprintf(path, sizeof(path), "%s/softhsm2.conf", dir);
	file = fopen(path, "w");
	if (!file)
		die("cannot write %s", path);
	fprintf(file, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n", dir);
	fclose(file);
	setenv("SOFTHSM2_CONF", path, 1);
}

/* NULL: it is older than v3.0. */
static CK_FUNCTION_LIST_3_0_PTR token_v3(const struct bench_token *token)
{
	CK_C_GetInterface get = (CK_C_GetInterface)dlsym(token->library, "C_GetInterface");
	CK_UTF8CHAR name[] = "PKCS 11";
	CK_VERSION version = { 3, 0 };
	CK_INTERFACE_PTR interface;

	if (!get || get(name, &version, &interface, 0) != CKR_OK)
		return NULL;
	return interface->pFunctionList;
}

void token_load(struct bench_token *token, const char *name, const char *path)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_C_GetFunctionList get;

	memset(token, 0, sizeof(*token));
	token->name = name;
	token->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!token->library)
		die("%s", dlerror());
	get = (CK_C_GetFunctionList)dlsym(token->library, "C_GetFunctionList");
	if (!get || get(&token->p11) != CKR_OK)
		die("%s is not a PKCS#11 module", path);
	MUST(token, C_Initialize(&args));
	token->v3 = token_v3(token);
}

static void make_keys(struct bench_token *t)
{
	CK_MECHANISM rsa = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 }, aes = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG bits = 2048, bytes = 32;
	CK_BYTE e[] = { 1, 0, 1 };
	CK_ATTRIBUTE pub[] = { { CKA_TOKEN, &yes, 1 }, { CKA_MODULUS_BITS, &bits, sizeof(bits) },
			       { CKA_PUBLIC_EXPONENT, e, 3 }, { CKA_LABEL, "rsa", 3 } };
	CK_ATTRIBUTE priv[] = { { CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SIGN, &yes, 1 },
				{ CKA_SENSITIVE, &yes, 1 }, { CKA_ID, "\1", 1 },
				{ CKA_LABEL, "rsa", 3 } };
	CK_ATTRIBUTE secret[] = { { CKA_TOKEN, &yes, 1 }, { CKA_VALUE_LEN, &bytes, sizeof(bytes) },
				  { CKA_ENCRYPT, &yes, 1 }, { CKA_DECRYPT, &yes, 1 },
				  { CKA_LABEL, "aes", 3 } };

	MUST(t, C_GenerateKeyPair(t->session[0], &rsa, pub, 4, priv, 6, &t->rsa_pub, &t->rsa));
	MUST(t, C_GenerateKey(t->session[0], &aes, secret, 5, &t->aes));
}

void token_prepare(struct bench_token *t, CK_ULONG slot_index, unsigned int threads)
{
	CK_UTF8CHAR_PTR pin = (CK_UTF8CHAR_PTR)BENCH_PIN;
	CK_UTF8CHAR label[32];
	CK_SLOT_ID slots[16];
	CK_ULONG count = 16;
	unsigned int i;

	memset(label, ' ', sizeof(label));
	memcpy(label, "lunabench", 9);
	MUST(t, C_GetSlotList(CK_FALSE, slots, &count));
	if (slot_index >= count)
		die("%s has %lu slots", t->name, count);
	t->slot = slots[slot_index];
	MUST(t, C_InitToken(t->slot, pin, strlen(BENCH_PIN), label));
	/* SoftHSM2 moves an initialised token to another slot id. */
	count = 16;
	MUST(t, C_GetSlotList(CK_TRUE, slots, &count));
	t->slot = slots[slot_index];
	for (i = 0; i < threads; i++)
		MUST(t, C_OpenSession(t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
				      &t->session[i]));
	MUST(t, C_Login(t->session[0], CKU_SO, pin, strlen(BENCH_PIN)));
	MUST(t, C_InitPIN(t->session[0], pin, strlen(BENCH_PIN)));
	MUST(t, C_Logout(t->session[0]));
	MUST(t, C_Login(t->session[0], CKU_USER, pin, strlen(BENCH_PIN)));
	make_keys(t);
}

void token_add_keys(struct bench_token *t, unsigned int count, unsigned int first)
{
	CK_MECHANISM aes = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG bytes = 32;
	CK_OBJECT_HANDLE key;
	char label[32];
	unsigned int i;

	for (i = 0; i < count; i++) {
		CK_ATTRIBUTE secret[] = { { CKA_TOKEN, &yes, 1 },
					  { CKA_VALUE_LEN, &bytes, sizeof(bytes) },
					  { CKA_SENSITIVE, &no, 1 },
					  { CKA_LABEL, label, 0 } };

		secret[3].ulValueLen = snprintf(label, sizeof(label), "key %u", first + i);
		MUST(t, C_GenerateKey(t->session[0], &aes, secret, 4, &key));
	}
}

void token_unload(struct bench_token *token)
{
	token->p11->C_Finalize(NULL);
	dlclose(token->library);
}
