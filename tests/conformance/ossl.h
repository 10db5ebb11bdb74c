/* SPDX-License-Identifier: MIT */
/*
 * What the suites "cross" and "ec" share, which have OpenSSL beside the token: a session, random
 * bytes, and buffers for what either side makes.
 */
#ifndef LUNA_TESTS_OSSL_H
#define LUNA_TESTS_OSSL_H

#include <openssl/evp.h>

#include "crypt.h"

/* OpenSSL must do what it is told. */
#define ossl(expression)	assert_int_equal(expression, 1)

enum { ROOM = 101 << 10 };

extern CK_SESSION_HANDLE s;		/* of the crypto officer, a new one for each test */
extern unsigned char data[ROOM], out[ROOM], back[ROOM];

/* Set-up of a test. */
int open_session(void **state);

void fresh(void *buf, size_t len);	/* random bytes */

#endif /* LUNA_TESTS_OSSL_H */
