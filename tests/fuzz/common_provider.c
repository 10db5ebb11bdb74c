// SPDX-License-Identifier: MIT
/*
 * The provider of the fuzz targets: OpenSSL without its chance. Random numbers and keys are the same
 * in every run.
 */
#include <string.h>

#include "common_parts.h"
#include "vector_file.h"

enum { FUZZ_SEED = 20261121 };

static struct luna_crypto_ops crypto;
static u32 keys_used;

static struct luna_rsa_made *fixed_rsa(u32 bits, const u8 *e, size_t e_len)
{
	static const char *const names[] = { "source", "target", "login" };
	static struct luna_rsa_made *keys[ARRAY_SIZE(names)];
	struct luna_rsa_made **key = &keys[keys_used++ % ARRAY_SIZE(names)], *made;

	if (bits != 2048 || e_len != 3 || memcmp(e, "\1\0\1", 3))
		return ERR_PTR(-EOPNOTSUPP);
	if (!*key) {
		made = vector_rsa(names[key - keys]);
		*key = fuzz_alloc(sizeof(*made));
		**key = *made;
		return made;
	}
	return kmemdup(*key, sizeof(**key), GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
}

/* Values that count up, so that they are the same in every run; OpenSSL would draw its own. */
static int fixed_ec(enum luna_curve curve, u8 *point, u8 *value)
{
	u32 len = luna_curve_bytes(curve);
	struct luna_num num = { value, len };

	memset(value, 0x11, len);
	if (curve == LUNA_P521)
		value[0] = 1;	/* of which this byte has one bit */
	value[len - 1] += keys_used++;
	return luna_openssl_ops.ec_public(curve, &num, point);
}

void fuzz_chance_reset(void)
{
	crypto = *fakerng_quick_ops(&luna_openssl_ops, FUZZ_SEED);
	crypto.rsa_generate = fixed_rsa;
	crypto.ec_generate = fixed_ec;
	keys_used = 0;
}

const struct luna_crypto_ops *fuzz_crypto(void)
{
	return &crypto;
}

void fuzz_crypto_plain(void)
{
	crypto.modes &= ~BIT(LUNA_GCM);
	crypto.features &= ~(LUNA_CRYPTO_GCM_ANY_IV | LUNA_CRYPTO_RSA_CHECKED);
}

void fuzz_pools_empty(void)
{
	enum { POOLED = 8 };
	struct luna_hash_stream *streams[POOLED];
	u32 hash, i;

	for (hash = 0; hash < LUNA_HASHES; hash++) {
		for (i = 0; i < POOLED; i++)
			streams[i] = crypto.hash_begin(hash);
		for (i = 0; i < POOLED; i++)
			crypto.hash_end(streams[i]);
	}
}
