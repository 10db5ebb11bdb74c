// SPDX-License-Identifier: MIT
/* What the suites with OpenSSL beside the token share. */
#include <openssl/rand.h>

#include "ossl.h"

CK_SESSION_HANDLE s;
unsigned char data[ROOM], out[ROOM], back[ROOM];

int open_session(void **state)
{
	(void)state;
	s = session_co(slot_a);
	return 0;
}

void fresh(void *buf, size_t len)
{
	ossl(RAND_bytes(buf, len));
}
