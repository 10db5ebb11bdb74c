// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Who computes what, for people: the provider's own account of its algorithms, completed with what
 * the engine builds because the provider has none.
 */
#include "cmd.h"
#include "des3.h"

static const struct algorithm {
	const char *name;
	u8 primitive;	/* enum luna_primitive */
	u8 index;
} algorithms[] = {
	{ "AES-ECB", LUNA_PRIMITIVE_MODE, LUNA_ECB },
	{ "AES-CBC", LUNA_PRIMITIVE_MODE, LUNA_CBC },
	{ "AES-CTR", LUNA_PRIMITIVE_MODE, LUNA_CTR },
	{ "AES-GCM", LUNA_PRIMITIVE_MODE, LUNA_GCM },
	{ "CMAC-AES", LUNA_PRIMITIVE_MAC, LUNA_CMAC_AES },
	{ "SHA-1", LUNA_PRIMITIVE_HASH, LUNA_SHA1 },
	{ "SHA-224", LUNA_PRIMITIVE_HASH, LUNA_SHA224 },
	{ "SHA-256", LUNA_PRIMITIVE_HASH, LUNA_SHA256 },
	{ "SHA-384", LUNA_PRIMITIVE_HASH, LUNA_SHA384 },
	{ "SHA-512", LUNA_PRIMITIVE_HASH, LUNA_SHA512 },
	{ "SHA3-224", LUNA_PRIMITIVE_HASH, LUNA_SHA3_224 },
	{ "SHA3-256", LUNA_PRIMITIVE_HASH, LUNA_SHA3_256 },
	{ "SHA3-384", LUNA_PRIMITIVE_HASH, LUNA_SHA3_384 },
	{ "SHA3-512", LUNA_PRIMITIVE_HASH, LUNA_SHA3_512 },
	{ "HMAC-SHA-1", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA1 },
	{ "HMAC-SHA-224", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA224 },
	{ "HMAC-SHA-256", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA256 },
	{ "HMAC-SHA-384", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA384 },
	{ "HMAC-SHA-512", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA512 },
	{ "HMAC-SHA3-224", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA3_224 },
	{ "HMAC-SHA3-256", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA3_256 },
	{ "HMAC-SHA3-384", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA3_384 },
	{ "HMAC-SHA3-512", LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA3_512 },
	{ "DES3", LUNA_PRIMITIVE_DES3, 0 },
	{ "RSA", LUNA_PRIMITIVE_RSA, 0 },
	{ "P-224", LUNA_PRIMITIVE_EC, LUNA_P224 },
	{ "P-256", LUNA_PRIMITIVE_EC, LUNA_P256 },
	{ "P-384", LUNA_PRIMITIVE_EC, LUNA_P384 },
	{ "P-521", LUNA_PRIMITIVE_EC, LUNA_P521 },
	{ "secp256k1", LUNA_PRIMITIVE_EC, LUNA_SECP256K1 },
	{ "Ed25519", LUNA_PRIMITIVE_EC, LUNA_ED25519 },
	{ "X25519", LUNA_PRIMITIVE_EC, LUNA_X25519 },
	{ "PBKDF2", LUNA_PRIMITIVE_PBKDF2, 0 },
	{ "random", LUNA_PRIMITIVE_RANDOM, 0 },
};

/* Without a GCM of the provider for all lengths and IVs, ours; see gcm.c. */
static bool engine_builds(const struct luna_crypto_ops *crypto, const struct algorithm *a)
{
	if (a->primitive == LUNA_PRIMITIVE_MODE)
		return a->index == LUNA_GCM && !(crypto->modes & BIT(LUNA_GCM));
	return a->primitive == LUNA_PRIMITIVE_PBKDF2 && !crypto->pbkdf2;
}

static bool offered(const struct luna_crypto_ops *crypto, const struct algorithm *a)
{
	switch (a->primitive) {
	case LUNA_PRIMITIVE_MODE:
		return crypto->modes & BIT(a->index) || engine_builds(crypto, a);
	case LUNA_PRIMITIVE_HASH:
		return crypto->hashes & BIT(a->index);
	case LUNA_PRIMITIVE_MAC:
		return crypto->macs & BIT(a->index);
	case LUNA_PRIMITIVE_EC:
		return crypto->curves & BIT(a->index);
	case LUNA_PRIMITIVE_DES3:
		return luna_des3_offered(crypto);
	default:
		return true;
	}
}

static void describe(const struct luna_crypto_ops *crypto, const struct algorithm *a,
		     struct luna_provider *row)
{
	memset(row, 0, sizeof(*row));
	strscpy((char *)row->algorithm, a->name, sizeof(row->algorithm));
	if (engine_builds(crypto, a)) {
		strscpy((char *)row->provider, "engine", sizeof(row->provider));
		strscpy((char *)row->implementation,
			a->primitive == LUNA_PRIMITIVE_MODE ? "GHASH over AES-CTR" : "over HMAC",
			sizeof(row->implementation));
		/* What comes in one command may be the provider's all the same. */
		if (a->primitive != LUNA_PRIMITIVE_MODE || !crypto->gcm_once)
			return;
	} else {
		strscpy((char *)row->provider, crypto->name, sizeof(row->provider));
	}
	if (crypto->describe)
		crypto->describe(a->primitive, a->index, row);
}

/**
 * luna_do_provider_list() - LUNA_PROVIDER_LIST
 * As with LUNA_MECH_LIST, the caller's buffer must hold the whole list.
 */
u32 luna_do_provider_list(struct luna_ucmd *cmd)
{
	const struct luna_crypto_ops *crypto = cmd->token->crypto;
	struct luna_provider_list *arg = cmd->arg;
	struct luna_provider *row;
	u32 i;

	if (arg->reserved)
		return CKR_ARGUMENTS_BAD;
	for (i = 0, arg->count = 0; i < ARRAY_SIZE(algorithms); i++)
		arg->count += offered(crypto, &algorithms[i]);
	row = (struct luna_provider *)luna_reply_room(cmd, arg->count * sizeof(*row));
	if (!row)
		return CKR_BUFFER_TOO_SMALL;
	for (i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (offered(crypto, &algorithms[i]))
			describe(crypto, &algorithms[i], row++);
	return CKR_OK;
}
