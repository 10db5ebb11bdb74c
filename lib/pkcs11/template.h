/* SPDX-License-Identifier: MIT */
/*
 * Attributes between CK_ATTRIBUTE arrays and the luna_attr lists of uapi/luna.h. What an attribute
 * means is the device's business; all that is known here is which values are CK_ULONGs, arrays of
 * them, or templates, since those look different on the way.
 */
#ifndef P11_TEMPLATE_H
#define P11_TEMPLATE_H

#include <stddef.h>

#include <luna/cryptoki_v2.h>

#include "buffer.h"

/**
 * p11_template_encode() - append a template to @buffer
 * Return: CKR_OK; CKR_ARGUMENTS_BAD for a NULL template that has attributes;
 * CKR_ATTRIBUTE_VALUE_INVALID for a NULL value that has a length, or a length beyond reason;
 * CKR_ATTRIBUTE_TYPE_INVALID; CKR_HOST_MEMORY.
 */
CK_RV p11_template_encode(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count);

/**
 * p11_template_ask() - append the request of C_GetAttributeValue: types and buffer sizes
 * @reply_max: set to the most bytes that the reply can have
 * Return: as p11_template_encode().
 */
CK_RV p11_template_ask(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count,
		       size_t *reply_max);

/**
 * p11_template_answer() - take the reply to p11_template_ask() into the application's template
 * @reply: luna_attr list, @len bytes
 * Return: CKR_OK; CKR_BUFFER_TOO_SMALL if an inner template did not fit; CKR_DEVICE_ERROR for a
 * reply that makes no sense.
 */
CK_RV p11_template_answer(CK_ATTRIBUTE *template, CK_ULONG count, const uint8_t *reply, size_t len);

#endif /* P11_TEMPLATE_H */
