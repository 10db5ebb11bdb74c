/* SPDX-License-Identifier: MIT */
/*
 * The programs that the dispatcher's fuzzer runs: what dispatch.c reads and dispatch_seeds.c writes.
 */
#ifndef LUNA_FUZZ_DISPATCH_H
#define LUNA_FUZZ_DISPATCH_H

#include "common.h"

enum {
	FUZZ_ROOM = 256,	/* for a reply: the upper half of a command's third byte times this */
	FUZZ_MESSAGES = 8,	/* replies remembered */
	FUZZ_NEWEST = 0x10,	/* in the number of one: counted from the last one backwards */
};

/*
 * The byte of a mechanism parameter. Some go on in the program:
 *	XTS, KEY	whether there is one (XTS alone), then the number of a handle
 *	EXTRACT		the bit
 *	PBKD2		function, rounds, salt, password
 *	HKDF		flags, hash (two bytes), kind of salt, the salt if there is one, info
 *	SP800_108	function (two bytes), number of fields, IV; then of each field type, bits,
 *			method, flags, and bytes if that is the type
 *	PRF_KDF		function, scheme, counter, label, context
 *	ECDH		function, shared data if the function takes any, a message: the point
 * Everything from RAW on is so many bytes, modulo 64, that follow.
 */
enum fuzz_param {
	FUZZ_PARAM_NONE, FUZZ_PARAM_IV, FUZZ_PARAM_GCM, FUZZ_PARAM_GCM_DRAWN, FUZZ_PARAM_CTR,
	FUZZ_PARAM_OAEP, FUZZ_PARAM_PSS, FUZZ_PARAM_MAC, FUZZ_PARAM_IV8, FUZZ_PARAM_XTS,
	FUZZ_PARAM_RSA_AES, FUZZ_PARAM_KEY, FUZZ_PARAM_EXTRACT, FUZZ_PARAM_PBKD2, FUZZ_PARAM_HKDF,
	FUZZ_PARAM_SP800_108, FUZZ_PARAM_PRF_KDF, FUZZ_PARAM_ECDH, FUZZ_PARAM_EDDSA,
	FUZZ_PARAM_RAW = 64,
};

void fuzz_dispatch_seeds(void);

#endif /* LUNA_FUZZ_DISPATCH_H */
