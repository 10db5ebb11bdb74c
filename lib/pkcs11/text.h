/* SPDX-License-Identifier: MIT */
/*
 * Texts and variable-length results as PKCS#11 hands them out.
 */
#ifndef P11_TEXT_H
#define P11_TEXT_H

#include <stddef.h>
#include <string.h>

#include <luna/cryptoki_v2.h>

/** p11_text_pad() - @text in a field of @size bytes, padded with blanks, cut if too long */
static inline void p11_text_pad(CK_UTF8CHAR *field, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(field, ' ', size);
	memcpy(field, text, len);
}

/** p11_text_len() - length of a padded field of @size bytes without its blanks */
static inline size_t p11_text_len(const CK_UTF8CHAR *field, size_t size)
{
	while (size && (field[size - 1] == ' ' || !field[size - 1]))
		size--;
	return size;
}

/** p11_result_bytes() - the two-call convention: @len bytes at @from, to @to of *@to_len bytes */
static inline CK_RV p11_result_bytes(const void *from, size_t len, CK_BYTE *to, CK_ULONG *to_len)
{
	CK_ULONG room = *to_len;

	*to_len = len;
	if (!to)
		return CKR_OK;
	if (room < len)
		return CKR_BUFFER_TOO_SMALL;
	memcpy(to, from, len);
	return CKR_OK;
}

#endif /* P11_TEXT_H */
