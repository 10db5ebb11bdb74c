// SPDX-License-Identifier: MIT
/*
 * The limits beside which a token is measured: OpenSSL in the same process for the cryptography, a bare
 * round trip of the device for everything that is one.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <uapi/luna.h>

#include "bench.h"

struct bench_limits {
	EVP_PKEY *rsa;
	EVP_PKEY_CTX *sign[BENCH_MAX_THREADS];
	EVP_CIPHER_CTX *gcm;
	int device;
};

struct bench_limits *limits_new(const char *device)
{
	struct bench_limits *l = calloc(1, sizeof(*l));
	unsigned char key[32] = { 1 }, iv[12] = { 0 };
	unsigned int i;

	if (!l)
		die("out of memory");
	l->rsa = EVP_RSA_gen(2048);
	l->gcm = EVP_CIPHER_CTX_new();
	if (!l->rsa || !l->gcm || !EVP_EncryptInit_ex(l->gcm, EVP_aes_256_gcm(), NULL, key, iv))
		die("OpenSSL does not work");
	for (i = 0; i < BENCH_MAX_THREADS; i++) {
		l->sign[i] = EVP_PKEY_CTX_new(l->rsa, NULL);
		if (!l->sign[i] || EVP_PKEY_sign_init(l->sign[i]) <= 0 ||
		    EVP_PKEY_CTX_set_rsa_padding(l->sign[i], RSA_PKCS1_PADDING) <= 0 ||
		    EVP_PKEY_CTX_set_signature_md(l->sign[i], EVP_sha256()) <= 0)
			die("OpenSSL does not sign");
	}
	l->device = device ? open(device, O_RDWR | O_CLOEXEC) : -1;
	return l;
}

void limits_free(struct bench_limits *l)
{
	unsigned int i;

	for (i = 0; i < BENCH_MAX_THREADS; i++)
		EVP_PKEY_CTX_free(l->sign[i]);
	EVP_CIPHER_CTX_free(l->gcm);
	EVP_PKEY_free(l->rsa);
	if (l->device >= 0)
		close(l->device);
	free(l);
}

static bool limit_sign(void *target, unsigned int thread, unsigned int count)
{
	struct bench_limits *l = target;
	unsigned char digest[32] = { 2 }, sig[256];
	size_t len;

	while (count--) {
		len = sizeof(sig);
		if (EVP_PKEY_sign(l->sign[thread], sig, &len, digest, sizeof(digest)) <= 0)
			return false;
	}
	return true;
}

static bool limit_gcm(void *target, unsigned int thread, unsigned int count)
{
	struct bench_limits *l = target;
	unsigned char in[1024] = { 3 }, out[1024], iv[12] = { 0 }, tag[16];
	int len;

	(void)thread;
	while (count--) {
		memcpy(iv, &count, sizeof(count));
		if (!EVP_EncryptInit_ex(l->gcm, NULL, NULL, NULL, iv) ||
		    !EVP_EncryptUpdate(l->gcm, out, &len, in, sizeof(in)) ||
		    !EVP_EncryptFinal_ex(l->gcm, out, &len) ||
		    !EVP_CIPHER_CTX_ctrl(l->gcm, EVP_CTRL_GCM_GET_TAG, 16, tag))
			return false;
	}
	return true;
}

/* A round trip with 1 KiB in each direction, as an encryption of 1 KiB has, would be 8 us or so; this
 * one carries LUNA_GET_INFO's 168 bytes. */
static bool limit_ioctl(void *target, unsigned int thread, unsigned int count)
{
	struct bench_limits *l = target;
	struct luna_info info;

	(void)thread;
	while (count--) {
		memset(&info, 0, sizeof(info));
		info.hdr.size = sizeof(info);
		if (ioctl(l->device, LUNA_IOC(LUNA_GET_INFO, sizeof(info)), &info))
			return false;
	}
	return true;
}

const struct bench_row limit_rows[BENCH_OPERATIONS] = {
	[BENCH_SIGN] = { "OpenSSL", limit_sign },
	[BENCH_ENCRYPT] = { "OpenSSL", limit_gcm },
	[BENCH_MESSAGE] = { "ioctl", limit_ioctl },
	[BENCH_ATTRIBUTES] = { "ioctl", limit_ioctl },
	[BENCH_FIND] = { "ioctl", limit_ioctl },
	[BENCH_RANDOM] = { "ioctl", limit_ioctl },
	[BENCH_SESSION] = { "ioctl", limit_ioctl },
};
