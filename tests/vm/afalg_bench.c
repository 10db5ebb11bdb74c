// SPDX-License-Identifier: MIT
/*
 * AES of the kernel by two ways, on one machine, from one program: AF_ALG through libkcapi, and a
 * luna device through libluna.so. Both compute with the kernel's crypto API; this compares the ways.
 *
 * usage: afalg_bench LIBRARY SLOT		with LUNA_PIN, the crypto officer's
 *
 * Each side gets its key once. Then a libkcapi operation is one call of an *_encrypt function, and
 * one of PKCS#11 is C_EncryptInit and C_Encrypt. The sides take turns in short rounds, and the best
 * round of each counts: what else the machine does slows rounds, and never makes one faster.
 */
#include <dlfcn.h>
#include <kcapi.h>
#define LUNA_OASIS_NAMES_ONLY
#include <luna/cryptoki_v2.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SIZE_MAX_BYTES = 16384, TAG = 16, BLOCK = 16, GCM_IV = 12, ROUNDS = 9, ROUND_MS = 10 };

static const size_t sizes[] = { 16, 256, 1024, 4096, SIZE_MAX_BYTES };

static const struct mode {
	const char *name, *kernel_name;
	CK_MECHANISM_TYPE mechanism;
} modes[] = {
	{ "ECB", "ecb(aes)", CKM_AES_ECB },
	{ "CBC", "cbc(aes)", CKM_AES_CBC },
	{ "CTR", "ctr(aes)", CKM_AES_CTR },
	{ "GCM", "gcm(aes)", CKM_AES_GCM },
};

static unsigned char key[32] = "0123456789abcdef0123456789abcde", iv[BLOCK] = "iviviviviviviv";
static unsigned char text[SIZE_MAX_BYTES];

/**
 * struct side - a way to the kernel, made ready for a mode
 * @out: what it made of the text last
 */
struct side {
	const char *name;
	void (*prepare)(struct side *side, const struct mode *mode);
	void (*encrypt)(struct side *side, size_t len);
	const struct mode *mode;
	unsigned char out[SIZE_MAX_BYTES + TAG];
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("afalg_bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static bool is_gcm(const struct mode *mode)
{
	return mode->mechanism == CKM_AES_GCM;
}

static size_t out_len(const struct mode *mode, size_t len)
{
	return len + (is_gcm(mode) ? TAG : 0);
}

/* ---- AF_ALG ---- */

static struct kcapi_handle *handle;
static int access_way;

static void afalg_prepare(struct side *side, const struct mode *mode)
{
	int err;

	side->mode = mode;
	if (is_gcm(mode)) {
		err = kcapi_aead_init(&handle, mode->kernel_name, 0);
		if (!err)
			err = kcapi_aead_setkey(handle, key, sizeof(key));
		if (!err)
			err = kcapi_aead_settaglen(handle, TAG);
		if (!err)
			kcapi_aead_setassoclen(handle, 0);
	} else {
		err = kcapi_cipher_init(&handle, mode->kernel_name, 0);
		if (!err)
			err = kcapi_cipher_setkey(handle, key, sizeof(key));
	}
	if (err)
		die("libkcapi gives no %s: %d", mode->kernel_name, err);
}

static void afalg_encrypt(struct side *side, size_t len)
{
	size_t out = out_len(side->mode, len);
	ssize_t made;

	if (is_gcm(side->mode))
		made = kcapi_aead_encrypt(handle, text, len, iv, side->out, out, access_way);
	else
		made = kcapi_cipher_encrypt(handle, text, len,
					    side->mode->mechanism == CKM_AES_ECB ? NULL : iv,
					    side->out, out, access_way);
	if (made != (ssize_t)out)
		die("libkcapi made %zd bytes of %zu in %s", made, len, side->mode->name);
}

static void afalg_end(const struct mode *mode)
{
	(is_gcm(mode) ? kcapi_aead_destroy : kcapi_cipher_destroy)(handle);
}

/* ---- luna ---- */

static CK_FUNCTION_LIST_PTR p11;
static CK_SESSION_HANDLE session;
static CK_OBJECT_HANDLE object;

static void must(CK_RV rv, const char *what)
{
	if (rv != CKR_OK)
		die("%s returned 0x%lx", what, rv);
}

#define MUST(call)	must(p11->call, #call)

static void luna_key(void)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES;
	CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
	CK_ATTRIBUTE template[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &no, sizeof(no) },
		{ CKA_ENCRYPT, &yes, sizeof(yes) },
		{ CKA_VALUE, key, sizeof(key) },
	};

	MUST(C_CreateObject(session, template, sizeof(template) / sizeof(template[0]), &object));
}

static void luna_start(const char *library, const char *slot)
{
	void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	CK_C_GetFunctionList get = loaded ?
		(CK_C_GetFunctionList)dlsym(loaded, "C_GetFunctionList") : NULL;
	char *pin = getenv("LUNA_PIN");

	if (!get || get(&p11) != CKR_OK)
		die("%s is no PKCS#11 library", library);
	if (!pin)
		die("LUNA_PIN is not set");
	MUST(C_Initialize(NULL));
	MUST(C_OpenSession(strtoul(slot, NULL, 10), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			   &session));
	MUST(C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen(pin)));
	luna_key();
}

static void luna_prepare(struct side *side, const struct mode *mode)
{
	side->mode = mode;
}

static void luna_encrypt(struct side *side, size_t len)
{
	CK_AES_CTR_PARAMS ctr = { .ulCounterBits = 128 };
	CK_GCM_PARAMS gcm = { .pIv = iv, .ulIvLen = GCM_IV, .ulIvBits = 8 * GCM_IV, .ulTagBits = 8 * TAG };
	CK_MECHANISM mechanism = { side->mode->mechanism, NULL, 0 };
	CK_ULONG made = sizeof(side->out);

	switch (mechanism.mechanism) {
	case CKM_AES_CBC:
		mechanism.pParameter = iv;
		mechanism.ulParameterLen = sizeof(iv);
		break;
	case CKM_AES_CTR:
		memcpy(ctr.cb, iv, sizeof(iv));
		mechanism.pParameter = &ctr;
		mechanism.ulParameterLen = sizeof(ctr);
		break;
	case CKM_AES_GCM:
		mechanism.pParameter = &gcm;
		mechanism.ulParameterLen = sizeof(gcm);
		break;
	}
	MUST(C_EncryptInit(session, &mechanism, object));
	MUST(C_Encrypt(session, text, len, side->out, &made));
	if (made != out_len(side->mode, len))
		die("C_Encrypt made %lu bytes of %zu in %s", made, len, side->mode->name);
}

/* ---- the comparison ---- */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

/* Microseconds of one operation, in a round of @count */
static double round_of(struct side *side, size_t len, unsigned int count)
{
	double start = now();

	for (unsigned int i = 0; i < count; i++)
		side->encrypt(side, len);
	return (now() - start) / count;
}

static unsigned int count_for(struct side *side, size_t len)
{
	double one = round_of(side, len, 10);

	return one * 10 > ROUND_MS * 1000.0 ? 10 : (unsigned int)(ROUND_MS * 1000.0 / one) + 1;
}

static void compare(struct side *afalg, struct side *luna, const struct mode *mode, size_t len)
{
	unsigned int counts[2] = { count_for(afalg, len), count_for(luna, len) };
	double best[3] = { 1e30, 1e30, 1e30 }, took, afalg_best;

	if (memcmp(afalg->out, luna->out, out_len(mode, len)))
		die("the two make different things of %zu bytes in %s", len, mode->name);
	for (int i = 0; i < ROUNDS; i++) {
		access_way = KCAPI_ACCESS_SENDMSG;
		took = round_of(afalg, len, counts[0]);
		best[0] = took < best[0] ? took : best[0];
		access_way = KCAPI_ACCESS_VMSPLICE;
		took = round_of(afalg, len, counts[0]);
		best[1] = took < best[1] ? took : best[1];
		took = round_of(luna, len, counts[1]);
		best[2] = took < best[2] ? took : best[2];
	}
	access_way = KCAPI_ACCESS_SENDMSG;
	afalg_best = best[0] < best[1] ? best[0] : best[1];
	printf("AES-256-%s %6zu  %10.2f %10.2f %10.2f  %6.2f%s\n", mode->name, len, best[0], best[1],
	       best[2], afalg_best / best[2], best[2] < afalg_best ? "" : "  slower");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct side afalg = { "AF_ALG", afalg_prepare, afalg_encrypt, NULL, { 0 } };
	static struct side luna = { "luna", luna_prepare, luna_encrypt, NULL, { 0 } };

	if (argc != 3)
		die("usage: afalg_bench LIBRARY SLOT");
	luna_start(argv[1], argv[2]);
	printf("microseconds an operation    sendmsg   vmsplice       luna   ratio (best AF_ALG / luna)\n");
	for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
		afalg.prepare(&afalg, &modes[m]);
		luna.prepare(&luna, &modes[m]);
		access_way = KCAPI_ACCESS_SENDMSG;
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			compare(&afalg, &luna, &modes[m], sizes[i]);
		afalg_end(&modes[m]);
	}
	MUST(C_Finalize(NULL));
	return 0;
}
