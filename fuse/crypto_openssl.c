// SPDX-License-Identifier: MIT
/*
 * The OpenSSL provider's table of operations and what they all stand on: the library context, the
 * fetched algorithms, random numbers and PBKDF2. The other parts are
 * openssl_{hash,mac,cipher,des3,rsa,ec}.c.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "crypto_openssl.h"
#include "openssl.h"

static const char * const hash_names[LUNA_HASHES] = {
	[LUNA_SHA1]	= "SHA1",
	[LUNA_SHA224]	= "SHA2-224",
	[LUNA_SHA256]	= "SHA2-256",
	[LUNA_SHA384]	= "SHA2-384",
	[LUNA_SHA512]	= "SHA2-512",
	[LUNA_SHA3_224]	= "SHA3-224",
	[LUNA_SHA3_256]	= "SHA3-256",
	[LUNA_SHA3_384]	= "SHA3-384",
	[LUNA_SHA3_512]	= "SHA3-512",
};

static const char * const cipher_names[LUNA_MODES][3] = {
	[LUNA_ECB] = { "AES-128-ECB", "AES-192-ECB", "AES-256-ECB" },
	[LUNA_CBC] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC" },
	[LUNA_CTR] = { "AES-128-CTR", "AES-192-CTR", "AES-256-CTR" },
	[LUNA_GCM] = { "AES-128-GCM", "AES-192-GCM", "AES-256-GCM" },
};

static struct openssl_library library;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_loaded;
static bool (*host_cancelled)(void);
static char provider_name[32];

static bool fetch_all(struct openssl_library *lib)
{
	bool ok = true;

	for (int hash = 0; hash < LUNA_HASHES; hash++)
		ok &= !!(lib->hashes[hash] = EVP_MD_fetch(lib->context, hash_names[hash], NULL));
	for (int mode = 0; mode < LUNA_MODES; mode++)
		for (int size = 0; size < 3; size++)
			ok &= !!(lib->ciphers[mode][size] =
				 EVP_CIPHER_fetch(lib->context, cipher_names[mode][size], NULL));
	lib->des3[0] = EVP_CIPHER_fetch(lib->context, "DES-EDE3-ECB", NULL);
	lib->des3[1] = EVP_CIPHER_fetch(lib->context, "DES-EDE3-CBC", NULL);
	ok &= !!(lib->hmac = EVP_MAC_fetch(lib->context, "HMAC", NULL));
	ok &= !!(lib->cmac = EVP_MAC_fetch(lib->context, "CMAC", NULL));
	ok &= !!(lib->pbkdf2 = EVP_KDF_fetch(lib->context, "PBKDF2", NULL));
	return ok;
}

static void library_load(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	library.context = OSSL_LIB_CTX_new();
	library_loaded = library.context && OSSL_PROVIDER_load(library.context, "default") &&
			 fetch_all(&library) && openssl_ec_load(&library);
	openssl_error(0);
}

const struct openssl_library *openssl_library(void)
{
	pthread_once(&library_once, library_load);
	return library_loaded ? &library : NULL;
}

int luna_openssl_start(void)
{
	return openssl_library() ? 0 : -EIO;
}

void luna_openssl_set_cancel(bool (*cancelled)(void))
{
	host_cancelled = cancelled;
}

bool openssl_cancelled(void)
{
	return fatal_signal_pending(current) || (host_cancelled && host_cancelled());
}

/* The table is const, the version is known only now. */
__attribute__((constructor)) static void name_provider(void)
{
	snprintf(provider_name, sizeof(provider_name), "openssl %s",
		 OpenSSL_version(OPENSSL_VERSION_STRING));
}

const char *openssl_hash_name(enum luna_hash hash)
{
	return hash_names[hash];
}

int openssl_error(int err)
{
	ERR_clear_error();
	return err;
}

static int openssl_random(void *buf, size_t len)
{
	const struct openssl_library *lib = openssl_library();

	if (!lib || RAND_priv_bytes_ex(lib->context, buf, len, 0) != 1)
		return openssl_error(-EIO);
	return 0;
}

static int openssl_pbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
			  size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	const struct openssl_library *lib = openssl_library();
	int unchecked = 1;	/* the engine decides about lengths */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						 (char *)openssl_hash_name(hash), 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)pin, pin_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_len),
		OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &unchecked),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF_CTX *ctx;
	int ok;

	if (!lib)
		return -EIO;
	ctx = EVP_KDF_CTX_new(lib->pbkdf2);
	if (!ctx)
		return openssl_error(-ENOMEM);
	ok = EVP_KDF_derive(ctx, out, out_len, params);
	EVP_KDF_CTX_free(ctx);
	return ok == 1 ? 0 : openssl_error(-EINVAL);
}

const struct luna_crypto_ops luna_openssl_ops = {
	.name		= provider_name,
	.features	= LUNA_CRYPTO_RSA_CHECKED | LUNA_CRYPTO_GCM_ANY_IV,
	.hashes		= BIT(LUNA_HASHES) - 1,
	.macs		= BIT(LUNA_MACS) - 1,
	.modes		= BIT(LUNA_MODES) - 1,
	.rsa_min_bits	= RSA_MIN_BITS,
	.rsa_max_bits	= LUNA_RSA_MAX_BITS,
	.curves		= BIT(LUNA_CURVES) - 1,
	.curves_sign	= (BIT(LUNA_CURVES) - 1) & ~BIT(LUNA_X25519),
	.random		= openssl_random,
	.hash_begin	= openssl_hash_begin,
	.hash_update	= openssl_hash_update,
	.hash_final	= openssl_hash_final,
	.hash_end	= openssl_hash_end,
	.mac_key	= openssl_mac_key,
	.mac_key_free	= openssl_mac_key_free,
	.mac_begin	= openssl_mac_begin,
	.mac_update	= openssl_mac_update,
	.mac_final	= openssl_mac_final,
	.mac_end	= openssl_mac_end,
	.aes_key	= openssl_aes_key,
	.aes_key_free	= openssl_aes_key_free,
	.cipher_begin	= openssl_cipher_begin,
	.cipher_aad	= openssl_cipher_aad,
	.cipher_update	= openssl_cipher_update,
	.cipher_tag	= openssl_cipher_tag,
	.cipher_end	= openssl_cipher_end,
	.has_des3	= openssl_has_des3,
	.des3_key	= openssl_des3_key,
	.des3_key_free	= openssl_des3_key_free,
	.des3_crypt	= openssl_des3_crypt,
	.rsa_key	= openssl_rsa_key,
	.rsa_key_free	= openssl_rsa_key_free,
	.rsa_public	= openssl_rsa_public,
	.rsa_private	= openssl_rsa_private,
	.rsa_generate	= openssl_rsa_generate,
	.ec_key		= openssl_ec_key,
	.ec_key_free	= openssl_ec_key_free,
	.ec_generate	= openssl_ec_generate,
	.ec_public	= openssl_ec_public,
	.ec_sign	= openssl_ec_sign,
	.ec_verify	= openssl_ec_verify,
	.ecdh		= openssl_ecdh,
	.pbkdf2		= openssl_pbkdf2,
};
