/* SPDX-License-Identifier: MIT */
/*
 * What the conformance tests share. They use the public PKCS#11 and CA_* API alone, so that one binary
 * tests every shape of the token. Environment:
 *
 *	LUNA_LIBRARY	the library to load (default: the one that was built)
 *	LUNA_DEVICES	where the library finds its devices; at least two slots, which are erased
 *	LUNA_TEST_STRIDE
 *			of a message whose every byte is altered in turn, at a cost of an RSA operation
 *			each, how many are gone on at once (default 1); for emulated machines
 *	LUNA_TEST_STORE, LUNA_TEST_DAEMON_PID
 *			set when the devices are those of a luna-fuse of the test's own
 */
#ifndef LUNA_TESTS_SUITE_H
#define LUNA_TESTS_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#define LUNA_OASIS_NAMES_ONLY
#include <luna/cryptoki_v2.h>
#include <luna/sfnt_extensions.h>

#define SO_PIN	"so-pin-1234"
#define CO_PIN	"co-pin-5678"
#define CU_PIN	"cu-pin-9012"
#define DOMAIN	"a cloning domain"

extern CK_FUNCTION_LIST_PTR p11;
extern struct CK_SFNT_CA_FUNCTION_LIST *ca;

/* The slots in use: the first two that the library lists. */
extern CK_SLOT_ID slot_a, slot_b;

/* A function of the library that is in no list; the test fails if there is none. */
void *suite_symbol(const char *name);

/* Name of a return value, for messages. */
const char *rv_name(CK_RV rv);

#define assert_rv(expression, expected)						\
	do {									\
		CK_RV rv_ = (expression);					\
		CK_RV want_ = (expected);					\
		if (rv_ != want_)						\
			fail_msg("%s: %s (0x%lx), expected %s", #expression,	\
				 rv_name(rv_), rv_, rv_name(want_));		\
	} while (0)
#define assert_ok(expression) assert_rv(expression, CKR_OK)

/* Group set-up and tear-down for cmocka: load, C_Initialize, find slots, initialise both tokens in
 * DOMAIN with SO, CO and CU; C_Finalize. */
int suite_setup(void **state);
int suite_teardown(void **state);
/* The same without initialising tokens. */
int suite_setup_bare(void **state);

/* C_InitToken with @domain (NULL: none), then CO and CU PINs; closes its sessions. */
void token_init(CK_SLOT_ID slot, const char *label, const char *domain);
/* A legacy token likewise. */
void token_init_legacy(CK_SLOT_ID slot, const char *label, const char *domain);

CK_SESSION_HANDLE session_open(CK_SLOT_ID slot);		/* RW, public */
CK_SESSION_HANDLE session_open_ro(CK_SLOT_ID slot);
CK_SESSION_HANDLE session_co(CK_SLOT_ID slot);			/* RW, crypto officer logged in */
CK_SESSION_HANDLE session_cu(CK_SLOT_ID slot);
CK_SESSION_HANDLE session_so(CK_SLOT_ID slot);
void session_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, const char *pin);
void sessions_close(CK_SLOT_ID slot);				/* all, so that nobody is logged in */

/* Keys with all their usages, session objects unless @token, private, sensitive, not extractable. */
CK_OBJECT_HANDLE aes_key(CK_SESSION_HANDLE session, CK_ULONG bytes, bool token, const char *label);
void rsa_pair(CK_SESSION_HANDLE session, CK_ULONG bits, bool token, const char *label,
	      CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv);
/* An extractable, not sensitive secret key with the given value. */
CK_OBJECT_HANDLE secret_import(CK_SESSION_HANDLE session, CK_KEY_TYPE type, const void *value,
			       CK_ULONG len);

/* First object found with @label, or 0. */
CK_OBJECT_HANDLE object_by_label(CK_SESSION_HANDLE session, const char *label);
CK_ULONG object_count(CK_SESSION_HANDLE session, CK_ATTRIBUTE *tmpl, CK_ULONG count);
CK_ULONG attr_ulong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type);
bool attr_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type);
/* Value of an attribute in malloc'ed memory. */
unsigned char *attr_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
			  CK_ULONG *len);
/* The value of an attribute is @want. */
void assert_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		  const void *want, CK_ULONG want_len);
CK_SESSION_INFO session_info(CK_SESSION_HANDLE session);
bool mechanism_listed(CK_SLOT_ID slot, CK_MECHANISM_TYPE type);

/*
 * Runs @body in a child process that initialises the library anew. Its return value is the exit status:
 * 0, or 1 after a message, as MUST() makes it; the child does not use cmocka.
 */
int child_run(int (*body)(void *arg), void *arg);
/* The same with the child left running; child_wait() gives the exit status. */
pid_t child_start(int (*body)(void *arg), void *arg);
int child_wait(pid_t child);

#define MUST(expression, expected)						\
	do {									\
		CK_RV rv_ = (expression);					\
		if (rv_ != (CK_RV)(expected)) {					\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,	\
				#expression, rv_name(rv_));			\
			return 1;						\
		}								\
	} while (0)

/* Tear-down of a test: ends all sessions, and with CO rights all token objects. */
int test_teardown(void **state);
/* The same for tests that leave no token objects: ends all sessions of both slots. */
int sessions_teardown(void **state);

/* LUNA_TEST_STRIDE, at least 1 */
CK_ULONG test_stride(void);

/* "00ff..." to bytes; returns malloc'ed memory and its length. */
unsigned char *unhex(const char *hex, size_t *len);

#define COUNT(array)		(sizeof(array) / sizeof((array)[0]))
#define ATTR(type, value)	{ (type), (void *)&(value), sizeof(value) }
#define ATTR_STR(type, str)	{ (type), (void *)(str), strlen(str) }
#define ATTR_BYTES(type, p, n)	{ (type), (void *)(p), (n) }

extern CK_BBOOL yes, no;

#endif /* LUNA_TESTS_SUITE_H */
