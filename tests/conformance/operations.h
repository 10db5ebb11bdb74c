/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "operations" share: mechanisms with parameters that are good and what
 * a test needs to know of them, keys for them, and the state that an operation leaves.
 */
#ifndef LUNA_TESTS_OPERATIONS_H
#define LUNA_TESTS_OPERATIONS_H

#include "suite.h"

#define NONE		NULL, 0
#define PARAM(p)	&(p), sizeof(p)

/* ---- mechanisms ---- */

enum { KEY_AES, KEY_GENERIC, KEY_PAIR, KEY_DES3, KEY_XTS, KEYS };

/**
 * struct crypt - an encryption
 * @len: bytes of plaintext that the tests use; @out: and of ciphertext
 * @most: what a length query before decryption tells
 * @parts: in several parts, too
 */
struct crypt {
	const char *name;
	CK_MECHANISM mech;
	int key;
	CK_ULONG len, out, most;
	bool parts;
};

enum {
	ECB, CBC, CBC_PAD, CBC_PAD_WHOLE, CTR, GCM, GCM_SHORT, KW, KWP, RSA_PKCS, RSA_X509,
	OAEP_SHA1, OAEP_SHA256, XTS, DES3_ECB, DES3_CBC, DES3_CBC_PAD, DES3_CBC_WHOLE, DES3_CTR,
	CRYPTS
};

extern const struct crypt crypts[CRYPTS];

/**
 * struct signer - a digest, MAC or signature of @out bytes over @len bytes
 */
struct signer {
	const char *name;
	CK_MECHANISM mech;
	int key;
	CK_ULONG len, out;
	bool parts;
	const char *md;		/* OpenSSL's name */
};

enum { MD_SHA1, MD_SHA224, MD_SHA256, MD_SHA384, MD_SHA512, DIGESTS };
enum {
	HMAC_SHA1, HMAC_SHA224, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512, HMACS,
	HMAC_SHA256_10 = HMACS, AES_CMAC, AES_CMAC_10, SHA256_RSA, SHA1_RSA, SHA256_PSS, SIGN_PKCS,
	SIGN_X509, SIGN_PSS, AES_GMAC, DES3_MAC, DES3_MAC_7, DES3_CMAC, AES_GMAC_SHORT, SIGNERS
};

extern const struct signer digests[DIGESTS], signers[SIGNERS];

/* What the rows have for parameters. */
extern CK_BYTE iv[16], aad[20];
extern CK_GCM_PARAMS gcm128, gcm96;
extern CK_AES_CTR_PARAMS ctr;
extern CK_DES_CTR_PARAMS des_ctr;
extern CK_RSA_PKCS_OAEP_PARAMS oaep1, oaep256;
extern CK_RSA_PKCS_PSS_PARAMS pss256;

CK_MECHANISM *mechanism(const CK_MECHANISM *mech);

/* ---- a session of the crypto officer and its keys, new for each test ---- */

extern CK_SESSION_HANDLE s;
extern CK_OBJECT_HANDLE pubs[KEYS + 1], privs[KEYS + 1];
extern CK_OBJECT_HANDLE rsa_pub, rsa_priv;	/* on the token: they stay */
extern CK_BYTE key_value[32];			/* of the secret keys but Triple DES's */
extern CK_BYTE text[256];			/* a message of any length that the tests use */

void set_usage(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value);

/* ---- the state of an operation ---- */

CK_RV encrypt_init(const struct crypt *c);
CK_RV decrypt_init(const struct crypt *c);
CK_RV sign_init(const struct signer *m);
CK_RV verify_init(const struct signer *m);

/* Nothing is under way: every call of that kind is CKR_OPERATION_NOT_INITIALIZED. */
void no_encryption(void);
void no_decryption(void);
void no_digest(void);
void no_signature(void);
void no_verification(void);

/* C_EncryptInit, C_SignInit: refused the first time, the second time, and nothing is left of it. */
void refused(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv);
void refused_sign(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv);

/* ---- the tests of each part ---- */

/* operations_crypt.c */
void crypt_oneshots(void **state);
void crypt_ends(void **state);
void crypt_data_errors(void **state);
void gcm_forged(void **state);
void nothing_at_all(void **state);

/* operations_cuts.c */
void crypt_cuts(void **state);
void crypt_drips(void **state);
void crypt_large(void **state);
void digest_large(void **state);

/* operations_sign.c */
void digest_states(void **state);
void digest_key(void **state);
void digest_key_policy(void **state);
void sign_states(void **state);
void sign_data_errors(void **state);
void recover(void **state);

/* operations_params.c */
void gcm_own_iv(void **state);
void ctr_runs_out(void **state);
void init_keys(void **state);
void init_parameters(void **state);
void oaep_and_pss_mismatch(void **state);

/* operations_meanwhile.c */
void key_destroyed(void **state);
void key_destroyed_elsewhere(void **state);
void logout_meanwhile(void **state);
void between_init_and_data(void **state);

#endif /* LUNA_TESTS_OPERATIONS_H */
