/* SPDX-License-Identifier: MIT */
/* RSA keys that OpenSSL made, by the numbers of which PKCS#11 has attributes. */
#ifndef LUNA_TESTS_RSA_PARTS_H
#define LUNA_TESTS_RSA_PARTS_H

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "suite.h"

static const struct rsa_part {
	CK_ATTRIBUTE_TYPE type;
	const char *name;
} rsa_parts[] = {
	{ CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N },
	{ CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E },
	{ CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D },
	{ CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

enum { RSA_N, RSA_E, RSA_D };	/* the first rows; those of the CRT follow */

/* rsa_part() - one number, as many bytes as it has. Return: how many. */
static inline CK_ULONG rsa_part(EVP_PKEY *key, const struct rsa_part *part, CK_BYTE *out)
{
	BIGNUM *bn = NULL;
	CK_ULONG len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, part->name, &bn), 1);
	len = BN_bn2bin(bn, out);
	BN_clear_free(bn);
	return len;
}

#endif /* LUNA_TESTS_RSA_PARTS_H */
