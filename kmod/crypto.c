// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The table of the provider, and its start.
 *
 * Its curves agree on secrets, and none of them signs, so that the module lists no ECDSA and no
 * EdDSA. The kernel's ecdsa verifies only (and Debian's 6.1 is built without it), and no signing in
 * constant time can be made of what it exports. Keys that can sign elsewhere are made here all the
 * same, and those of all curves kept, stored and cloned: a clone in a slot of luna-fuse signs.
 */
#include <linux/random.h>

#include "crypto.h"

int luna_krandom(void *buf, size_t len)
{
	/* On a kernel that has just booted, this may be too early for good random numbers. */
	int err = wait_for_random_bytes();

	if (err)
		return -EINTR;
	get_random_bytes(buf, len);
	return 0;
}

static int init_all(void)
{
	int err;

	err = luna_khash_init();
	if (err)
		return err;
	err = luna_kcipher_init();
	if (err)
		goto err_hash;
	err = luna_krsa_init();
	if (err)
		goto err_cipher;
	luna_krsa_generate_init();
	luna_kgcm_init();
	luna_kcrypto_ops.curves = luna_kec_init();
	return 0;

err_cipher:
	luna_kcipher_exit();
err_hash:
	luna_khash_exit();
	return err;
}

/* Set by init and exit of the module, and by suites that run before them: never at once. */
static bool ready;

int luna_kcrypto_init(void)
{
	int err;

	if (ready)
		return 0;
	err = init_all();
	ready = !err;
	/* insmod takes ENOENT for a symbol that is missing. */
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

void luna_kcrypto_exit(void)
{
	ready = false;
	luna_kec_exit();
	luna_kgcm_exit();
	luna_krsa_exit();
	luna_kcipher_exit();
	luna_khash_exit();
}

static const char *driver_of(enum luna_primitive primitive, u32 index)
{
	switch (primitive) {
	case LUNA_PRIMITIVE_MODE:
		return index == LUNA_GCM ? luna_kgcm_driver() : luna_kcipher_driver(index);
	case LUNA_PRIMITIVE_HASH:
		return luna_khash_driver(index);
	case LUNA_PRIMITIVE_MAC:
		return luna_kmac_driver(index);
	case LUNA_PRIMITIVE_DES3:
		return luna_kdes3_driver();
	case LUNA_PRIMITIVE_RSA:
		return luna_krsa_driver();
	case LUNA_PRIMITIVE_EC:
		return luna_kec_driver(index);
	case LUNA_PRIMITIVE_PBKDF2:
		return "over HMAC";
	default:
		return "get_random_bytes";
	}
}

static void kcrypto_describe(enum luna_primitive primitive, u32 index, struct luna_provider *row)
{
	const char *driver = driver_of(primitive, index);

	if (!driver)
		return;
	strscpy((char *)row->provider, "kernel", sizeof(row->provider));
	strscpy((char *)row->implementation, driver, sizeof(row->implementation));
}

/* The curves are those that init_all() finds. */
struct luna_crypto_ops luna_kcrypto_ops __ro_after_init = {
	.name		= "linux crypto API",
	.features	= LUNA_CRYPTO_RSA_CHECKED,
	.hashes		= BIT(LUNA_HASHES) - 1,
	.macs		= BIT(LUNA_MACS) - 1,
	.modes		= BIT(LUNA_ECB) | BIT(LUNA_CBC) | BIT(LUNA_CTR),
	.rsa_min_bits	= LUNA_KRSA_MIN_BITS,
	.rsa_max_bits	= LUNA_KRSA_MAX_BITS,
	.random		= luna_krandom,
	.hash_begin	= luna_khash_begin,
	.hash_update	= luna_khash_update,
	.hash_final	= luna_khash_final,
	.hash_end	= luna_khash_end,
	.mac_key	= luna_kmac_key,
	.mac_key_free	= luna_kmac_key_free,
	.mac_begin	= luna_kmac_begin,
	.mac_update	= luna_kmac_update,
	.mac_final	= luna_kmac_final,
	.mac_end	= luna_kmac_end,
	.aes_key	= luna_kaes_key,
	.aes_key_free	= luna_kaes_key_free,
	.cipher_begin	= luna_kcipher_begin,
	.cipher_update	= luna_kcipher_update,
	.cipher_end	= luna_kcipher_end,
	.gcm_once	= luna_kgcm_once,
	.has_des3	= luna_khas_des3,
	.des3_key	= luna_kdes3_key,
	.des3_key_free	= luna_kdes3_key_free,
	.des3_crypt	= luna_kdes3_crypt,
	.rsa_key	= luna_krsa_key,
	.rsa_key_free	= luna_krsa_key_free,
	.rsa_public	= luna_krsa_public,
	.rsa_private	= luna_krsa_private,
	.rsa_generate	= luna_krsa_generate,
	.ec_key		= luna_kec_key,
	.ec_key_free	= luna_kec_key_free,
	.ec_generate	= luna_kec_generate,
	.ec_public	= luna_kec_public,
	.ecdh		= luna_kecdh,
	.pbkdf2		= luna_kpbkdf2,
	.describe	= kcrypto_describe,
};
