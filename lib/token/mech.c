// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one table of mechanisms: what the token can do with which keys, and who does it. A provider
 * that lacks a primitive and a policy that forbids a use take rows away (luna_mech_find()) or
 * narrow their key sizes; nothing else does, so that what is listed works.
 */
#include "cmd.h"
#include "derive.h"
#include "des3.h"
#include "ec.h"
#include "mech.h"

enum {
	CRYPT	= CKF_ENCRYPT | CKF_DECRYPT,
	WRAP	= CKF_WRAP | CKF_UNWRAP,
	SIGN	= CKF_SIGN | CKF_VERIFY,
	RECOVER	= CKF_SIGN_RECOVER | CKF_VERIFY_RECOVER,

	/* Fields of a prime order, a name for the curve, points that are not compressed. */
	EC_F_P	= CKF_EC_F_P | CKF_EC_OID | CKF_EC_UNCOMPRESS,
	EC_NAME	= CKF_EC_F_P | CKF_EC_OID | CKF_EC_CURVENAME,

	RSA_MIN = 1024,
	MAC_KEY_MIN = 1,

	POLICY_RAW_RSA = 18,
	POLICY_RSA_PKCS = 33,
	POLICY_NON_FIPS = 43,
	POLICY_HSM_NON_FIPS = 12,

	/* SP 800-131A, 3 and 6, in bits; 10, in bytes */
	FIPS_RSA_MIN = 2048,
	FIPS_HMAC_MIN = 14,
};

/* FIPS 186-5, with SP 800-186, 3.2.1 and 3.2.3 */
#define FIPS_CURVES	(BIT(LUNA_P224) | BIT(LUNA_P256) | BIT(LUNA_P384) | BIT(LUNA_P521) |	\
			 BIT(LUNA_ED25519))

#define KEYS(...)	.key_types = { __VA_ARGS__ }

#define AES(ckm, fl, var, ops)							\
	{ .type = (ckm), .family = LUNA_FAMILY_AES, .flags = (fl), .min_size = 16,	\
	  .max_size = 32, .hash = LUNA_HASHES, KEYS(CKK_AES, CKK_AES),		\
	  .policy = LUNA_NO_POLICY, .variant = (var), .crypt = &(ops) }

/* The standard's key, or two of the vendor's (xts.c) */
#define XTS(ckm)								\
	{ .type = (ckm), .family = LUNA_FAMILY_XTS, .flags = CRYPT, .min_size = 32,	\
	  .max_size = 64, .hash = LUNA_HASHES, KEYS(CKK_AES_XTS, CKK_AES),	\
	  .policy = LUNA_NO_POLICY, .crypt = &luna_xts_ops }

/* Keys of two parts or three, in any of them */
#define DES3(ckm, fl, var)							\
	{ .type = (ckm), .family = LUNA_FAMILY_DES3, .flags = (fl), .min_size = 16,	\
	  .max_size = LUNA_DES3_KEY, .hash = LUNA_HASHES, KEYS(CKK_DES2, CKK_DES3),	\
	  .policy = LUNA_NO_POLICY, .variant = (var), .crypt = &luna_cipher_ops }

#define DES3_MAC(ckm, var)							\
	{ .type = (ckm), .family = LUNA_FAMILY_DES3_MAC, .flags = SIGN, .min_size = 16,	\
	  .max_size = LUNA_DES3_KEY, .hash = LUNA_HASHES, KEYS(CKK_DES2, CKK_DES3),	\
	  .policy = LUNA_NO_POLICY, .variant = (var), .sign = &luna_des3_mac_ops }

#define GMAC(ckm)								\
	{ .type = (ckm), .family = LUNA_FAMILY_AES, .flags = SIGN, .min_size = 16,	\
	  .max_size = 32, .hash = LUNA_HASHES, KEYS(CKK_AES, CKK_AES),		\
	  .policy = LUNA_NO_POLICY, .variant = LUNA_AES_GCM, .sign = &luna_gmac_ops }

#define KW(ckm, var)								\
	{ .type = (ckm), .family = LUNA_FAMILY_AES_KW, .flags = CRYPT | WRAP,	\
	  .min_size = 16, .max_size = 32, .hash = LUNA_HASHES, KEYS(CKK_AES, CKK_AES),	\
	  .policy = LUNA_NO_POLICY, .variant = (var), .crypt = &luna_kw_ops }

#define CMAC(ckm, var)								\
	{ .type = (ckm), .family = LUNA_FAMILY_CMAC, .flags = SIGN, .min_size = 16,	\
	  .max_size = 32, .hash = LUNA_HASHES, KEYS(CKK_AES, CKK_AES),		\
	  .policy = LUNA_NO_POLICY, .variant = (var), .sign = &luna_mac_ops }

#define HMAC(ckm, h, ckk, var)							\
	{ .type = (ckm), .family = LUNA_FAMILY_HMAC, .flags = SIGN,		\
	  .min_size = MAC_KEY_MIN, .max_size = LUNA_SECRET_MAX, .hash = (h),	\
	  KEYS(CKK_GENERIC_SECRET, ckk), .policy = LUNA_NO_POLICY,		\
	  .variant = (var), .sign = &luna_mac_ops }

#define DIGEST(ckm, h)								\
	{ .type = (ckm), .family = LUNA_FAMILY_DIGEST, .flags = CKF_DIGEST, .hash = (h),	\
	  .policy = LUNA_NO_POLICY, .crypt = &luna_digest_ops }

#define SHAKE(ckm, var)								\
	{ .type = (ckm), .family = LUNA_FAMILY_SHAKE, .flags = CKF_DIGEST,	\
	  .hash = LUNA_HASHES, .policy = LUNA_NO_POLICY, .variant = (var),	\
	  .crypt = &luna_shake_ops }

#define RSA(ckm, fl, h, var, pol, crypt_ops, sign_ops)				\
	{ .type = (ckm), .family = LUNA_FAMILY_RSA, .flags = (fl), .min_size = RSA_MIN,	\
	  .max_size = LUNA_RSA_MAX_BITS, .hash = (h), KEYS(CKK_RSA, CKK_RSA),	\
	  .policy = (pol), .variant = (var), .crypt = (crypt_ops), .sign = (sign_ops) }

#define RSA_HASH(ckm, h, var)							\
	RSA(ckm, SIGN, h, var, LUNA_NO_POLICY, NULL, &luna_rsa_hash_sign_ops)

/* Made of other rows: only C_WrapKey and C_UnwrapKey know it. */
#define RSA_AES(ckm)								\
	{ .type = (ckm), .family = LUNA_FAMILY_RSA_AES, .flags = WRAP, .min_size = RSA_MIN,	\
	  .max_size = LUNA_RSA_MAX_BITS, .hash = LUNA_HASHES, KEYS(CKK_RSA, CKK_RSA),	\
	  .policy = LUNA_NO_POLICY }

#define KEYGEN(ckm, fl, min, max, ckk, var)					\
	{ .type = (ckm), .family = LUNA_FAMILY_KEYGEN, .flags = (fl), .min_size = (min),	\
	  .max_size = (max), .hash = LUNA_HASHES, KEYS(ckk, ckk),		\
	  .policy = LUNA_NO_POLICY, .variant = (var) }

/* Base keys of @ckk; as good as the provider's @h or, with LUNA_HASHES, AES mode @var. */
#define DERIVE(ckm, ckk, min, max, h, var, ops)					\
	{ .type = (ckm), .family = LUNA_FAMILY_DERIVE, .flags = CKF_DERIVE, .min_size = (min),	\
	  .max_size = (max), .hash = (h), KEYS(ckk, ckk), .policy = LUNA_NO_POLICY,	\
	  .variant = (var), .derive = &(ops) }

#define DERIVE_ANY(ckm, ops)							\
	DERIVE(ckm, LUNA_ANY_SECRET, 1, LUNA_SECRET_MAX, LUNA_HASHES, LUNA_PLAIN, ops)

#define DERIVE_HASH(ckm, h)							\
	DERIVE(ckm, LUNA_ANY_SECRET, 1, LUNA_SECRET_MAX, h, LUNA_PLAIN, luna_derive_hash)

#define DERIVE_AES(ckm, var, ops)						\
	DERIVE(ckm, CKK_AES, 16, 32, LUNA_HASHES, var, ops)

/* No key goes in, so that there are no sizes. */
#define PBKD2(ckm)								\
	{ .type = (ckm), .family = LUNA_FAMILY_KEYGEN, .flags = CKF_GENERATE,	\
	  .hash = LUNA_HASHES, KEYS(CKK_GENERIC_SECRET, CKK_GENERIC_SECRET),	\
	  .policy = LUNA_NO_POLICY, .variant = LUNA_GEN_DERIVED, .derive = &luna_derive_pbkd2 }

#define RSA_KEYGEN(ckm)								\
	KEYGEN(ckm, CKF_GENERATE_KEY_PAIR, RSA_MIN, LUNA_RSA_MAX_BITS, CKK_RSA, LUNA_GEN_RSA)

/* Key sizes are those of the curves (mech_sizes()). */
#define EC(ckm, fl, h, ckk, sign_ops)						\
	{ .type = (ckm), .family = LUNA_FAMILY_EC, .flags = (fl), .hash = (h),	\
	  KEYS(ckk, ckk), .policy = LUNA_NO_POLICY, .sign = (sign_ops) }

#define ECDSA(ckm, h)	EC(ckm, SIGN | EC_F_P, h, CKK_EC, &luna_ecdsa_hash_ops)
#define EDDSA(ckm)	EC(ckm, SIGN | EC_NAME, LUNA_HASHES, CKK_EC_EDWARDS, &luna_eddsa_ops)

#define ECDH(ckm, ckk, ckk2)							\
	{ .type = (ckm), .family = LUNA_FAMILY_EC, .flags = CKF_DERIVE | EC_F_P,	\
	  .hash = LUNA_HASHES, KEYS(ckk, ckk2), .policy = LUNA_NO_POLICY,	\
	  .derive = &luna_derive_ecdh }

#define EC_KEYGEN(ckm, fl, ckk)							\
	KEYGEN(ckm, CKF_GENERATE_KEY_PAIR | (fl), 0, 0, ckk, LUNA_GEN_EC)

/*
 * Ascending by type. The _OLD numbers are what clients of older firmware send for the same thing.
 * Of the FIPS 186-3 key generations only the one that asks for random primes is here: auxiliary
 * primes are nothing that a provider promises. EC keys "with extra bits" (FIPS 186-4, B.4.1) are to
 * have no bias that counts; providers draw until a number is in range (B.4.2), which leaves none.
 */
static const struct luna_mech luna_mechs[] = {
	RSA_KEYGEN(CKM_RSA_PKCS_KEY_PAIR_GEN),
	RSA(CKM_RSA_PKCS, CRYPT | WRAP | SIGN | RECOVER, LUNA_HASHES, LUNA_RSA_PKCS,
	    POLICY_RSA_PKCS, &luna_rsa_crypt_ops, &luna_rsa_sign_ops),
	RSA(CKM_RSA_X_509, CRYPT | WRAP | SIGN | RECOVER, LUNA_HASHES, LUNA_RSA_RAW,
	    POLICY_RAW_RSA, &luna_rsa_crypt_ops, &luna_rsa_sign_ops),
	RSA_HASH(CKM_SHA1_RSA_PKCS, LUNA_SHA1, LUNA_RSA_PKCS),
	RSA(CKM_RSA_PKCS_OAEP, CRYPT | WRAP, LUNA_HASHES, LUNA_RSA_OAEP,
	    LUNA_NO_POLICY, &luna_rsa_crypt_ops, NULL),
	RSA(CKM_RSA_PKCS_PSS, SIGN, LUNA_HASHES, LUNA_RSA_PSS,
	    LUNA_NO_POLICY, NULL, &luna_rsa_sign_ops),
	RSA_HASH(CKM_SHA1_RSA_PKCS_PSS, LUNA_SHA1, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA256_RSA_PKCS, LUNA_SHA256, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA384_RSA_PKCS, LUNA_SHA384, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA512_RSA_PKCS, LUNA_SHA512, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA256_RSA_PKCS_PSS, LUNA_SHA256, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA384_RSA_PKCS_PSS, LUNA_SHA384, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA512_RSA_PKCS_PSS, LUNA_SHA512, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA224_RSA_PKCS, LUNA_SHA224, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA224_RSA_PKCS_PSS, LUNA_SHA224, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA3_256_RSA_PKCS, LUNA_SHA3_256, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA3_384_RSA_PKCS, LUNA_SHA3_384, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA3_512_RSA_PKCS, LUNA_SHA3_512, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA3_256_RSA_PKCS_PSS, LUNA_SHA3_256, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA3_384_RSA_PKCS_PSS, LUNA_SHA3_384, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA3_512_RSA_PKCS_PSS, LUNA_SHA3_512, LUNA_RSA_PSS),
	RSA_HASH(CKM_SHA3_224_RSA_PKCS, LUNA_SHA3_224, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA3_224_RSA_PKCS_PSS, LUNA_SHA3_224, LUNA_RSA_PSS),
	KEYGEN(CKM_DES2_KEY_GEN, CKF_GENERATE, 16, 16, CKK_DES2, LUNA_GEN_DES3),
	KEYGEN(CKM_DES3_KEY_GEN, CKF_GENERATE, LUNA_DES3_KEY, LUNA_DES3_KEY, CKK_DES3,
	       LUNA_GEN_DES3),
	DES3(CKM_DES3_ECB, CRYPT | WRAP, LUNA_AES_ECB),
	DES3(CKM_DES3_CBC, CRYPT | WRAP, LUNA_AES_CBC),
	DES3_MAC(CKM_DES3_MAC, LUNA_CBC_MAC),
	DES3_MAC(CKM_DES3_MAC_GENERAL, LUNA_CBC_MAC_GENERAL),
	DES3(CKM_DES3_CBC_PAD, CRYPT | WRAP, LUNA_AES_CBC_PAD),
	DES3_MAC(CKM_DES3_CMAC_GENERAL, LUNA_MAC_GENERAL),
	DES3_MAC(CKM_DES3_CMAC, LUNA_PLAIN),
	DIGEST(CKM_SHA_1, LUNA_SHA1),
	HMAC(CKM_SHA_1_HMAC, LUNA_SHA1, CKK_SHA_1_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA_1_HMAC_GENERAL, LUNA_SHA1, CKK_SHA_1_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA256, LUNA_SHA256),
	HMAC(CKM_SHA256_HMAC, LUNA_SHA256, CKK_SHA256_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA256_HMAC_GENERAL, LUNA_SHA256, CKK_SHA256_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA224, LUNA_SHA224),
	HMAC(CKM_SHA224_HMAC, LUNA_SHA224, CKK_SHA224_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA224_HMAC_GENERAL, LUNA_SHA224, CKK_SHA224_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA384, LUNA_SHA384),
	HMAC(CKM_SHA384_HMAC, LUNA_SHA384, CKK_SHA384_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA384_HMAC_GENERAL, LUNA_SHA384, CKK_SHA384_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA512, LUNA_SHA512),
	HMAC(CKM_SHA512_HMAC, LUNA_SHA512, CKK_SHA512_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA512_HMAC_GENERAL, LUNA_SHA512, CKK_SHA512_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA3_256, LUNA_SHA3_256),
	HMAC(CKM_SHA3_256_HMAC, LUNA_SHA3_256, CKK_SHA3_256_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA3_256_HMAC_GENERAL, LUNA_SHA3_256, CKK_SHA3_256_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA3_224, LUNA_SHA3_224),
	HMAC(CKM_SHA3_224_HMAC, LUNA_SHA3_224, CKK_SHA3_224_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA3_224_HMAC_GENERAL, LUNA_SHA3_224, CKK_SHA3_224_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA3_384, LUNA_SHA3_384),
	HMAC(CKM_SHA3_384_HMAC, LUNA_SHA3_384, CKK_SHA3_384_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA3_384_HMAC_GENERAL, LUNA_SHA3_384, CKK_SHA3_384_HMAC, LUNA_MAC_GENERAL),
	DIGEST(CKM_SHA3_512, LUNA_SHA3_512),
	HMAC(CKM_SHA3_512_HMAC, LUNA_SHA3_512, CKK_SHA3_512_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA3_512_HMAC_GENERAL, LUNA_SHA3_512, CKK_SHA3_512_HMAC, LUNA_MAC_GENERAL),
	KEYGEN(CKM_GENERIC_SECRET_KEY_GEN, CKF_GENERATE, 8, LUNA_SECRET_MAX * 8,
	       CKK_GENERIC_SECRET, LUNA_GEN_SECRET),
	DERIVE_ANY(CKM_CONCATENATE_BASE_AND_KEY, luna_derive_base_and_key),
	DERIVE_ANY(CKM_CONCATENATE_BASE_AND_DATA, luna_derive_base_and_data),
	DERIVE_ANY(CKM_CONCATENATE_DATA_AND_BASE, luna_derive_data_and_base),
	DERIVE_ANY(CKM_XOR_BASE_AND_DATA, luna_derive_xor),
	DERIVE_ANY(CKM_EXTRACT_KEY_FROM_KEY, luna_derive_extract),
	DERIVE_HASH(CKM_SHA1_KEY_DERIVATION, LUNA_SHA1),
	DERIVE_HASH(CKM_SHA256_KEY_DERIVATION, LUNA_SHA256),
	DERIVE_HASH(CKM_SHA384_KEY_DERIVATION, LUNA_SHA384),
	DERIVE_HASH(CKM_SHA512_KEY_DERIVATION, LUNA_SHA512),
	DERIVE_HASH(CKM_SHA224_KEY_DERIVATION, LUNA_SHA224),
	DERIVE_HASH(CKM_SHA3_256_KEY_DERIVATION, LUNA_SHA3_256),
	DERIVE_HASH(CKM_SHA3_224_KEY_DERIVATION, LUNA_SHA3_224),
	DERIVE_HASH(CKM_SHA3_384_KEY_DERIVATION, LUNA_SHA3_384),
	DERIVE_HASH(CKM_SHA3_512_KEY_DERIVATION, LUNA_SHA3_512),
	DERIVE_ANY(CKM_SP800_108_COUNTER_KDF, luna_derive_sp800_108),
	DERIVE_ANY(CKM_SP800_108_FEEDBACK_KDF, luna_derive_sp800_108),
	DERIVE_ANY(CKM_SP800_108_DOUBLE_PIPELINE_KDF, luna_derive_sp800_108),
	PBKD2(CKM_PKCS5_PBKD2),
	EC_KEYGEN(CKM_EC_KEY_PAIR_GEN, EC_F_P, CKK_EC),
	EC(CKM_ECDSA, SIGN | EC_F_P, LUNA_HASHES, CKK_EC, &luna_ecdsa_ops),
	ECDSA(CKM_ECDSA_SHA1, LUNA_SHA1),
	ECDSA(CKM_ECDSA_SHA224, LUNA_SHA224),
	ECDSA(CKM_ECDSA_SHA256, LUNA_SHA256),
	ECDSA(CKM_ECDSA_SHA384, LUNA_SHA384),
	ECDSA(CKM_ECDSA_SHA512, LUNA_SHA512),
	ECDSA(CKM_ECDSA_SHA3_224, LUNA_SHA3_224),
	ECDSA(CKM_ECDSA_SHA3_256, LUNA_SHA3_256),
	ECDSA(CKM_ECDSA_SHA3_384, LUNA_SHA3_384),
	ECDSA(CKM_ECDSA_SHA3_512, LUNA_SHA3_512),
	ECDH(CKM_ECDH1_DERIVE, CKK_EC, CKK_EC_MONTGOMERY),
	ECDH(CKM_ECDH1_COFACTOR_DERIVE, CKK_EC, CKK_EC),
	RSA_AES(CKM_RSA_AES_KEY_WRAP),
	EC_KEYGEN(CKM_EC_EDWARDS_KEY_PAIR_GEN, EC_NAME, CKK_EC_EDWARDS),
	EC_KEYGEN(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, EC_NAME, CKK_EC_MONTGOMERY),
	EDDSA(CKM_EDDSA),
	XTS(CKM_AES_XTS),
	KEYGEN(CKM_AES_XTS_KEY_GEN, CKF_GENERATE, 32, 64, CKK_AES_XTS, LUNA_GEN_AES),
	KEYGEN(CKM_AES_KEY_GEN, CKF_GENERATE, 16, 32, CKK_AES, LUNA_GEN_AES),
	AES(CKM_AES_ECB, CRYPT | WRAP, LUNA_AES_ECB, luna_cipher_ops),
	AES(CKM_AES_CBC, CRYPT | WRAP, LUNA_AES_CBC, luna_cipher_ops),
	AES(CKM_AES_CBC_PAD, CRYPT | WRAP, LUNA_AES_CBC_PAD, luna_cipher_ops),
	AES(CKM_AES_CTR, CRYPT, LUNA_AES_CTR, luna_cipher_ops),
	AES(CKM_AES_GCM, CRYPT | WRAP, LUNA_AES_GCM, luna_gcm_ops),
	CMAC(CKM_AES_CMAC_GENERAL_OLD, LUNA_MAC_GENERAL),
	CMAC(CKM_AES_CMAC, LUNA_PLAIN),
	CMAC(CKM_AES_CMAC_GENERAL, LUNA_MAC_GENERAL),
	GMAC(CKM_AES_GMAC),
	DERIVE_AES(CKM_AES_ECB_ENCRYPT_DATA, LUNA_AES_ECB, luna_derive_encrypt),
	DERIVE_AES(CKM_AES_CBC_ENCRYPT_DATA, LUNA_AES_CBC, luna_derive_encrypt),
	KW(CKM_AES_KEY_WRAP, LUNA_KW),
	KW(CKM_AES_KEY_WRAP_PAD, LUNA_KWP),
	KW(CKM_AES_KEY_WRAP_KWP, LUNA_KWP),
	DERIVE_ANY(CKM_HKDF_DERIVE, luna_derive_hkdf),
	DERIVE_ANY(CKM_HKDF_DATA, luna_derive_hkdf_data),
	KEYGEN(CKM_HKDF_KEY_GEN, CKF_GENERATE, 8, LUNA_SECRET_MAX * 8, CKK_HKDF, LUNA_GEN_SECRET),
	DERIVE_ANY(CKM_CONCATENATE_BASE_AND_KEY_OLD_XXX, luna_derive_base_and_key),
	DERIVE_ANY(CKM_CONCATENATE_BASE_AND_DATA_OLD_XXX, luna_derive_base_and_data),
	DERIVE_ANY(CKM_CONCATENATE_DATA_AND_BASE_OLD_XXX, luna_derive_data_and_base),
	DERIVE_ANY(CKM_XOR_BASE_AND_DATA_OLD_XXX, luna_derive_xor),
	DERIVE_ANY(CKM_EXTRACT_KEY_FROM_KEY_OLD_XXX, luna_derive_extract),
	DERIVE_HASH(CKM_SHA1_KEY_DERIVATION_OLD_XXX, LUNA_SHA1),
	KEYGEN(CKM_GENERIC_SECRET_KEY_GEN_OLD_XXX, CKF_GENERATE, 8, LUNA_SECRET_MAX * 8,
	       CKK_GENERIC_SECRET, LUNA_GEN_SECRET),
	RSA_HASH(CKM_SHA224_RSA_PKCS_OLD, LUNA_SHA224, LUNA_RSA_PKCS),
	RSA_HASH(CKM_SHA224_RSA_PKCS_PSS_OLD, LUNA_SHA224, LUNA_RSA_PSS),
	DIGEST(CKM_SHA224_OLD, LUNA_SHA224),
	HMAC(CKM_SHA224_HMAC_OLD, LUNA_SHA224, CKK_SHA224_HMAC, LUNA_PLAIN),
	HMAC(CKM_SHA224_HMAC_GENERAL_OLD, LUNA_SHA224, CKK_SHA224_HMAC, LUNA_MAC_GENERAL),
	DERIVE_HASH(CKM_SHA224_KEY_DERIVATION_OLD, LUNA_SHA224),
	DES3(CKM_DES3_CTR, CRYPT, LUNA_AES_CTR),
	AES(CKM_AES_GCM_2_20a5d1, CRYPT | WRAP, LUNA_AES_GCM, luna_gcm_ops),
	ECDSA(CKM_ECDSA_SHA224_OLD, LUNA_SHA224),
	ECDSA(CKM_ECDSA_SHA256_OLD, LUNA_SHA256),
	ECDSA(CKM_ECDSA_SHA384_OLD, LUNA_SHA384),
	ECDSA(CKM_ECDSA_SHA512_OLD, LUNA_SHA512),
	GMAC(CKM_AES_GMAC_OLD),
	RSA_KEYGEN(CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN),
	EC_KEYGEN(CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS, EC_F_P, CKK_EC),
	KW(CKM_AES_KW, LUNA_KW),
	KW(CKM_AES_KWP, LUNA_KWP),
	DERIVE_ANY(CKM_NIST_PRF_KDF, luna_derive_prf_kdf),
	DERIVE_ANY(CKM_PRF_KDF, luna_derive_prf_kdf),
	XTS(CKM_AES_XTS_OLD),
	EC_KEYGEN(CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, EC_NAME, CKK_EC_EDWARDS_OLD),
	EDDSA(CKM_EDDSA_OLD),
	EC_KEYGEN(CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD, EC_NAME, CKK_EC_MONTGOMERY_OLD),
	SHAKE(CKM_SHAKE_128, LUNA_SHAKE_128),
	SHAKE(CKM_SHAKE_256, LUNA_SHAKE_256),
};

/* The provider's cipher mode under an AES mechanism; GCM can be built from CTR (gcm.c). */
static bool has_mode(const struct luna_crypto_ops *c, u8 variant)
{
	static const u32 needs[] = {
		[LUNA_AES_ECB] = BIT(LUNA_ECB),
		[LUNA_AES_CBC] = BIT(LUNA_CBC),
		[LUNA_AES_CBC_PAD] = BIT(LUNA_CBC),
		[LUNA_AES_CTR] = BIT(LUNA_CTR),
		[LUNA_AES_GCM] = BIT(LUNA_CTR),
	};

	if (variant == LUNA_AES_GCM && c->modes & BIT(LUNA_GCM) &&
	    c->features & LUNA_CRYPTO_GCM_ANY_IV)
		return true;
	return c->modes & needs[variant];
}

static bool has_rsa(const struct luna_crypto_ops *c, const struct luna_mech *m)
{
	if (c->rsa_max_bits < m->min_size)
		return false;
	return m->hash == LUNA_HASHES || c->hashes & BIT(m->hash);
}

u32 luna_curves(const struct luna_token *token)
{
	return token->crypto->curves & (luna_fips_mode(token) ? FIPS_CURVES : ~0u);
}

/*
 * The curves whose keys the mechanism takes or makes. Not every provider that makes keys of a curve
 * can sign with them.
 */
static u32 mech_curves(const struct luna_token *token, const struct luna_mech *m)
{
	u32 curve, i, curves = 0;

	for (curve = 0; curve < LUNA_CURVES; curve++)
		for (i = 0; i < LUNA_MECH_KEY_TYPES; i++)
			if (luna_key_type_standard(m->key_types[i]) == luna_curve_key_type(curve))
				curves |= BIT(curve);
	return curves & luna_curves(token) & (m->sign ? token->crypto->curves_sign : U32_MAX);
}

static bool has_ec(const struct luna_token *token, const struct luna_mech *m)
{
	if (!mech_curves(token, m))
		return false;
	return m->hash == LUNA_HASHES || token->crypto->hashes & BIT(m->hash);
}

static bool has_keygen(const struct luna_token *token, const struct luna_mech *m)
{
	const struct luna_crypto_ops *c = token->crypto;

	if (m->variant == LUNA_GEN_EC)
		return has_ec(token, m);
	if (m->variant == LUNA_GEN_DES3)
		return luna_des3_offered(c);
	return m->variant != LUNA_GEN_RSA || (c->rsa_generate && has_rsa(c, m));
}

static bool has_derive(const struct luna_crypto_ops *c, const struct luna_mech *m)
{
	if (m->hash != LUNA_HASHES)
		return c->hashes & BIT(m->hash);
	return m->variant == LUNA_PLAIN || has_mode(c, m->variant);
}

/* Does the provider have what the mechanism is made of? */
static bool has_primitive(const struct luna_token *token, const struct luna_mech *m)
{
	const struct luna_crypto_ops *c = token->crypto;

	switch (m->family) {
	case LUNA_FAMILY_AES:
		return has_mode(c, m->variant);
	case LUNA_FAMILY_AES_KW:
	case LUNA_FAMILY_XTS:
		return c->modes & BIT(LUNA_ECB);
	case LUNA_FAMILY_DIGEST:
		return c->hashes & BIT(m->hash);
	case LUNA_FAMILY_HMAC:
		return c->macs & BIT(LUNA_HMAC + m->hash);
	case LUNA_FAMILY_CMAC:
		return c->macs & BIT(LUNA_CMAC_AES);
	case LUNA_FAMILY_RSA:
		return has_rsa(c, m);
	case LUNA_FAMILY_EC:
		return has_ec(token, m);
	case LUNA_FAMILY_RSA_AES:
		return has_rsa(c, m) && c->modes & BIT(LUNA_ECB);
	case LUNA_FAMILY_KEYGEN:
		return has_keygen(token, m);
	case LUNA_FAMILY_DERIVE:
		return has_derive(c, m);
	case LUNA_FAMILY_DES3:
	case LUNA_FAMILY_DES3_MAC:
		return luna_des3_offered(c);
	case LUNA_FAMILY_SHAKE:
		return true;
	}
	return false;
}

enum {
	SIGNING = CKF_SIGN | CKF_MESSAGE_SIGN,
	VERIFYING = CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_MESSAGE_VERIFY,
	/* What a mechanism is for; the flags besides say how, and of which curves. */
	DEEDS = CRYPT | WRAP | SIGN | RECOVER | CKF_DIGEST | CKF_GENERATE | CKF_GENERATE_KEY_PAIR |
		CKF_DERIVE | CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN |
		CKF_MESSAGE_VERIFY,
};

/*
 * What FIPS mode takes away besides all of DES3, making signatures of SHA-1, and keys that are
 * nothing but a hash or a ciphertext (SP 800-131A, 2 to 9, and 800-133, 6): encryption padded as
 * PKCS#1 v1.5 has it, and no padding. The product hides the key generation of PKCS#1, too. Sizes
 * are in mech_sizes(), curves in luna_curves(), IVs in gcm.c, passwords in derive_kdf.c.
 */
static const struct {
	u32 type;
	u32 flags;
} not_fips[] = {
	{ CKM_RSA_PKCS_KEY_PAIR_GEN, CKF_GENERATE_KEY_PAIR },
	{ CKM_RSA_PKCS, CRYPT | WRAP },
	{ CKM_RSA_X_509, DEEDS },
};

static bool mech_is_des3(const struct luna_mech *m)
{
	return m->family == LUNA_FAMILY_DES3 || m->family == LUNA_FAMILY_DES3_MAC ||
	       m->variant == LUNA_GEN_DES3;
}

/* Under whichever number: the key is nothing but a hash of another, or data encrypted by it. */
static bool mech_is_bare_derivation(const struct luna_mech *m)
{
	return m->derive == &luna_derive_hash || m->derive == &luna_derive_encrypt;
}

bool luna_fips_mode(const struct luna_token *token)
{
	return !luna_policy(token, POLICY_NON_FIPS) ||
	       !luna_hsm_policy(token, POLICY_HSM_NON_FIPS);
}

bool luna_hash_signs(const struct luna_token *token, enum luna_hash hash)
{
	return hash != LUNA_SHA1 || !luna_fips_mode(token);
}

static bool mech_is_signature(const struct luna_mech *m)
{
	return m->family == LUNA_FAMILY_RSA || m->family == LUNA_FAMILY_EC;
}

u32 luna_mech_flags(const struct luna_token *token, const struct luna_mech *mech)
{
	u32 flags = mech->flags | luna_message_flags(mech), i;

	if (!luna_fips_mode(token))
		return flags;
	if (mech_is_des3(mech) || mech_is_bare_derivation(mech))
		return 0;
	if (mech_is_signature(mech) && !luna_hash_signs(token, mech->hash))
		flags &= ~(u32)SIGNING;
	for (i = 0; i < ARRAY_SIZE(not_fips); i++)
		if (not_fips[i].type == mech->type)
			flags &= ~not_fips[i].flags;
	return flags;
}

static bool mech_allowed(struct luna_token *token, const struct luna_mech *m)
{
	if (m->policy != LUNA_NO_POLICY && !luna_policy(token, m->policy))
		return false;
	if (!(luna_mech_flags(token, m) & DEEDS))
		return false;
	return has_primitive(token, m);
}

const struct luna_mech *luna_mech_find(struct luna_token *token, u32 type)
{
	u32 low = 0, high = ARRAY_SIZE(luna_mechs), mid;
	const struct luna_mech *m;

	while (low < high) {
		mid = (low + high) / 2;
		m = &luna_mechs[mid];
		if (m->type == type)
			return mech_allowed(token, m) ? m : NULL;
		if (m->type < type)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool luna_mech_hash(struct luna_token *token, u32 type, enum luna_hash *hash)
{
	const struct luna_mech *mech = luna_mech_find(token, type);

	if (!mech || mech->family != LUNA_FAMILY_DIGEST)
		return false;
	*hash = mech->hash;
	return true;
}

static bool mech_is_rsa(const struct luna_mech *m)
{
	return m->family == LUNA_FAMILY_RSA || m->family == LUNA_FAMILY_RSA_AES ||
	       m->variant == LUNA_GEN_RSA;
}

static bool mech_is_ec(const struct luna_mech *m)
{
	return m->family == LUNA_FAMILY_EC || m->variant == LUNA_GEN_EC;
}

static void curve_sizes(u32 curves, u32 *min, u32 *max)
{
	u32 curve;

	*min = U32_MAX;
	*max = 0;
	for (curve = 0; curve < LUNA_CURVES; curve++) {
		if (!(curves & BIT(curve)))
			continue;
		*min = min(*min, luna_curve_bits(curve));
		*max = max(*max, luna_curve_bits(curve));
	}
}

static u32 fips_min(const struct luna_mech *m)
{
	if (mech_is_rsa(m))
		return FIPS_RSA_MIN;
	return m->family == LUNA_FAMILY_HMAC ? FIPS_HMAC_MIN : 0;
}

/*
 * Key sizes in the mechanism's unit, as far as the provider goes; @verify: of keys that are only to
 * verify. There FIPS mode asks for no more ("legacy use": RSA of 1024 bits, HMAC of any).
 */
static void mech_sizes(const struct luna_token *token, const struct luna_mech *m, bool verify,
		       u32 *min, u32 *max)
{
	*min = m->min_size;
	*max = m->max_size;
	if (mech_is_rsa(m)) {
		*min = max(*min, token->crypto->rsa_min_bits);
		*max = min(*max, token->crypto->rsa_max_bits);
	}
	if (!verify && luna_fips_mode(token))
		*min = max(*min, fips_min(m));
	if (mech_is_ec(m))
		curve_sizes(mech_curves(token, m), min, max);
}

bool luna_mech_key_size(const struct luna_token *token, const struct luna_mech *mech, bool verify,
			u32 bytes)
{
	bool bits = mech_is_rsa(mech) || mech->variant == LUNA_GEN_SECRET;
	u32 min, max;

	mech_sizes(token, mech, verify, &min, &max);
	if (bits && bytes > U32_MAX / 8)
		return false;
	bytes *= bits ? 8 : 1;
	return bytes >= min && bytes <= max;
}

/* As C_GetMechanismInfo tells them: keys of these sizes do all that the flags say. */
static void mech_info(const struct luna_token *token, const struct luna_mech *m,
		      struct luna_mech_info *info)
{
	u32 flags = luna_mech_flags(token, m);

	info->type = m->type;
	/* CKF_HW: by the device, not by the caller's library; programs test for it. */
	info->flags = flags | CKF_HW;
	mech_sizes(token, m, !(flags & DEEDS & ~VERIFYING), &info->min_key_size,
		   &info->max_key_size);
}

static u32 mechs_allowed(struct luna_token *token)
{
	u32 i, count = 0;

	for (i = 0; i < ARRAY_SIZE(luna_mechs); i++)
		count += mech_allowed(token, &luna_mechs[i]);
	return count;
}

/**
 * luna_do_mech_list() - LUNA_MECH_LIST: what works on this token now
 * Without a session no reply can wait, so that the caller's buffer must hold the whole list:
 * CKR_BUFFER_TOO_SMALL, and the count says how many rows there are.
 */
u32 luna_do_mech_list(struct luna_ucmd *cmd)
{
	struct luna_mech_list *arg = cmd->arg;
	struct luna_mech_info info;
	u32 i, left;
	u8 *out;

	if (arg->reserved || cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	arg->count = mechs_allowed(cmd->token);
	out = luna_reply_room(cmd, arg->count * sizeof(info));
	if (!out)
		return CKR_BUFFER_TOO_SMALL;
	/* A policy that changes meanwhile changes the count, too. */
	for (i = 0, left = arg->count; i < ARRAY_SIZE(luna_mechs) && left; i++) {
		if (!mech_allowed(cmd->token, &luna_mechs[i]))
			continue;
		mech_info(cmd->token, &luna_mechs[i], &info);
		memcpy(out, &info, sizeof(info));
		out += sizeof(info);
		left--;
	}
	arg->count -= left;
	luna_reply_trim(cmd, arg->count * sizeof(info));
	return CKR_OK;
}
