// SPDX-License-Identifier: MIT
/* Digests and MACs against OpenSSL's. */
#include <openssl/core_names.h>

#include "cross.h"

void digests(void **state)
{
	size_t h, len, turn;

	(void)state;
	for (h = 0; h < HASHES; h++) {
		for (turn = 0; next_len(&len, &turn);) {
			CK_MECHANISM mech = { hashes[h].type, NULL, 0 };
			CK_ULONG got = sizeof(out);
			unsigned int want;

			fresh(data, len);
			assert_ok(run_digest(s, &mech, data, len, split_of(turn), out, &got));
			ossl(EVP_Digest(data, len, back, &want, hashes[h].md(), NULL));
			assert_int_equal(got, want);
			assert_memory_equal(out, back, want);
		}
	}
}

/**
 * struct mac - a MAC as OpenSSL takes it
 * @algorithm: the digest or cipher below it
 */
struct mac {
	const char *name, *algorithm;
	const OSSL_PARAM *params;
	const unsigned char *key;
	size_t key_len;
};

/* The MAC of @len new bytes, which both sides make; @key, the token's, is destroyed. */
static void mac_one(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, const struct mac *m, size_t len,
		    size_t turn)
{
	CK_ULONG got = sizeof(out);
	size_t want;

	fresh(data, len);
	assert_non_null(EVP_Q_mac(NULL, m->name, NULL, m->algorithm, m->params, m->key, m->key_len,
				  data, len, back, sizeof(back), &want));
	assert_ok(run_sign(s, mech, key, data, len, split_of(turn), out, &got));
	assert_int_equal(got, want);
	assert_memory_equal(out, back, want);
	assert_ok(run_verify(s, mech, key, data, len, split_of(turn + 1), back, want));
	back[rand() % want] ^= 1;
	assert_rv(run_verify(s, mech, key, data, len, split_of(turn), back, want),
		  CKR_SIGNATURE_INVALID);
	assert_ok(p11->C_DestroyObject(s, key));
}

void hmacs(void **state)
{
	unsigned char value[300];
	size_t h, len, turn;

	(void)state;
	for (h = 0; h < HASHES; h++) {
		for (turn = 0; next_len(&len, &turn);) {
			CK_MECHANISM mech = { hashes[h].hmac, NULL, 0 };
			struct mac m = {
				.name = "HMAC", .algorithm = EVP_MD_get0_name(hashes[h].md()),
				.key = value, .key_len = 1 + turn + rand() % 140,
			};

			fresh(value, m.key_len);
			mac_one(&mech, secret_import(s, CKK_GENERIC_SECRET, value, m.key_len), &m,
				len, turn);
		}
	}
}

void cmacs(void **state)
{
	CK_MECHANISM aes = { CKM_AES_CMAC, NULL, 0 }, des = { CKM_DES3_CMAC, NULL, 0 };
	unsigned char value[32];
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			const struct mac m = {
				.name = "CMAC", .algorithm = aes_names[k][CBC], .key = value,
				.key_len = 16 + 8 * k,
			};

			fresh(value, sizeof(value));
			mac_one(&aes, secret_import(s, CKK_AES, value, m.key_len), &m, len,
				turn + k);
		}
		for (k = 0; k < 2 && mechanism_listed(slot_a, CKM_DES3_CMAC); k++) {
			const struct mac m = {
				.name = "CMAC", .algorithm = "DES-EDE3-CBC", .key = value,
				.key_len = 24,
			};

			mac_one(&des, des3_key(16 + 8 * k, value), &m, len, turn + k);
		}
	}
}

/* With an IV of any length, or as the standard has it. */
void gmacs(void **state)
{
	unsigned char value[32], iv[64];
	CK_GCM_PARAMS p = { .pIv = iv, .ulTagBits = 128 };
	CK_MECHANISM whole = { CKM_AES_GMAC, &p, sizeof(p) }, bare = { CKM_AES_GMAC_OLD, iv, 12 };
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			OSSL_PARAM params[] = { OSSL_PARAM_END, OSSL_PARAM_END };
			const struct mac m = {
				.name = "GMAC", .algorithm = aes_names[k][GCM], .params = params,
				.key = value, .key_len = 16 + 8 * k,
			};

			p.ulIvLen = turn % 2 ? 12 : 1 + rand() % sizeof(iv);
			p.ulIvBits = 8 * p.ulIvLen;
			fresh(iv, sizeof(iv));
			fresh(value, sizeof(value));
			params[0] = OSSL_PARAM_construct_octet_string("iv", iv, p.ulIvLen);
			mac_one(turn % 2 ? &bare : &whole,
				secret_import(s, CKK_AES, value, m.key_len), &m, len, turn + k);
		}
	}
}
