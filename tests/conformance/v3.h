/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "v3" share: the list of functions that C_GetInterface gives, a
 * session with a key, and messages of AES-GCM.
 */
#ifndef LUNA_TESTS_V3_H
#define LUNA_TESTS_V3_H

#include "suite.h"

extern CK_FUNCTION_LIST_3_0 *v3;
extern CK_C_GetInterface get_interface;
extern CK_SESSION_HANDLE s;		/* of the crypto officer, a new one for each test */
extern CK_OBJECT_HANDLE key;		/* AES-256, of key_value */
extern unsigned char key_value[32];

/* ---- messages of AES-GCM (v3_gcm.c) ---- */

extern CK_MECHANISM gcm_mech;

/* What a message has beside its text; @p points to the rest. */
struct gcm {
	unsigned char iv[256], tag[16];
	CK_GCM_MESSAGE_PARAMS p;
};

void gcm_init(struct gcm *g, CK_ULONG iv_len, CK_GENERATOR_FUNCTION generator,
	      CK_ULONG fixed_bits, CK_ULONG tag_bits);

/* A whole message of session s; *@out_len: room, then result. */
CK_RV seal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data, CK_ULONG len,
	   void *out, CK_ULONG *out_len);
CK_RV unseal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data,
	     CK_ULONG len, void *out, CK_ULONG *out_len);

/* One message in parts of @split bytes. */
CK_RV in_parts(bool encrypt, struct gcm *g, const void *aad, CK_ULONG aad_len,
	       const void *data, CK_ULONG len, CK_ULONG split, unsigned char *out,
	       CK_ULONG *out_len);

/* What OpenSSL makes of it; the key is key_value. */
void openssl_seal(const unsigned char *iv, size_t iv_len, const void *aad, size_t aad_len,
		  const void *data, size_t len, unsigned char *out, unsigned char tag[16]);

/* The last @bits of an IV, 64 at the most, where a counter is. */
uint64_t low_bits(const unsigned char *iv, CK_ULONG len, unsigned int bits);

/* @len bytes that are not all the same, in malloc'ed memory. */
unsigned char *pattern(size_t len);

/* ---- the tests of each part ---- */

/* v3_gcm.c */
void known_answers(void **state);
void against_openssl(void **state);
void generators(void **state);
void generators_end(void **state);
void generators_stay(void **state);
void gcm_parameters(void **state);

/* v3_sign.c */
void signatures(void **state);
void long_signatures(void **state);
void always_authenticate(void **state);

/* v3_states.c */
void not_initialized(void **state);
void in_the_middle(void **state);
void bad_parts(void **state);
void long_parts(void **state);

/* v3_cancel.c */
void cancel(void **state);
void cancel_by_init(void **state);
void logout(void **state);
void threads(void **state);
void forked(void **state);

#endif /* LUNA_TESTS_V3_H */
