/* SPDX-License-Identifier: MIT */
/*
 * What encoders of mechanism parameters share. An encoder puts the flat form of the @len bytes at
 * @from, which need not be aligned, into @bytes; false: they do not fit the mechanism.
 */
#ifndef P11_PARAMETER_H
#define P11_PARAMETER_H

#include <stdbool.h>
#include <string.h>

#include <uapi/luna.h>

#include "mechanism.h"

/* Longest data inside a parameter: what can be staged, less some room for the rest. */
#define P11_INSIDE_MAX	(LUNA_STAGE_MAX - 4096)

/* The caller's parameter into @params, a struct of @size bytes; false: it has another size. */
static inline bool p11_parameter_take(void *params, size_t size, const void *from, CK_ULONG len)
{
	if (len != size)
		return false;
	memcpy(params, from, size);
	return true;
}

/* A pointer inside a parameter: usable, and not longer than anything that makes sense. */
bool p11_inside_ok(const void *data, CK_ULONG len);

/* parameter_derive.c */
bool p11_encode_key(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_string(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_extract(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_cbc_data(struct p11_buffer *bytes, const void *from, CK_ULONG len);

/* parameter_ec.c */
bool p11_encode_ecdh(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_eddsa(struct p11_buffer *bytes, const void *from, CK_ULONG len);

/* parameter_kdf.c */
bool p11_encode_pbkd2(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_hkdf(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_sp800_108(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_feedback(struct p11_buffer *bytes, const void *from, CK_ULONG len);
bool p11_encode_prf_kdf(struct p11_buffer *bytes, const void *from, CK_ULONG len);

#endif /* P11_PARAMETER_H */
