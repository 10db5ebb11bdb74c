/* SPDX-License-Identifier: MIT */
/*
 * How one command of uapi/luna.h gets to the device and back: one ioctl with one flat buffer, or
 * several where the payload is longer than a buffer (LUNA_DATA_PUT, LUNA_DATA_GET). Everything
 * above this file sees requests and replies of any length.
 *
 * An errno becomes a PKCS#11 return value here and nowhere else.
 */
#ifndef P11_TRANSPORT_H
#define P11_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

#include "device.h"

#define P11_PIECES	5

/**
 * struct p11_request - one command
 * @command: enum luna_command
 * @head: the command's struct, zeroed but for what the command needs; holds the reply's afterwards
 * @size: its size
 * @in: payload of the request, in pieces that follow each other
 * @out: where the reply's payload goes; with @grow, allocated for it, to be given to
 *	p11_wipe_free()
 * @out_max: most bytes of reply that the caller can take
 * @out_hint: bytes of reply to make room for at once, if that is less than @out_max: what comes
 *	beyond costs another trip, room that stays empty costs time at every trip
 * @out_len: bytes of reply that came
 * @grow: allocate @out
 */
struct p11_request {
	unsigned int command;
	struct luna_hdr *head;
	uint32_t size;
	struct {
		const void *data;
		size_t len;
	} in[P11_PIECES];
	void *out;
	size_t out_max;
	size_t out_hint;
	size_t out_len;
	bool grow;
};

/**
 * p11_transport() - carry a command
 * The caller owns the session named in @request->head, since a command in pieces must not mix with
 * others of its session.
 *
 * Return: the command's return value, with head and payload as the device sent them; or, when the
 * command was not carried, CKR_DEVICE_REMOVED (the device is dead from now on), CKR_HOST_MEMORY,
 * CKR_DEVICE_MEMORY, CKR_FUNCTION_NOT_SUPPORTED or CKR_DEVICE_ERROR.
 */
CK_RV p11_transport(struct p11_device *device, struct p11_request *request);

/**
 * p11_transport_plain() - a command whose struct is a header, with nothing in it but @session, and
 * whose reply is one
 */
CK_RV p11_transport_plain(struct p11_device *device, unsigned int command, uint32_t session,
			  const void *data, size_t len);

/**
 * p11_output_length() - tells the caller of a command with sized output how long it is
 * @rv: of the command
 * @out: his buffer, or NULL: he asked for the length alone
 * @need: what the device says the length is
 * @len: set on CKR_OK and CKR_BUFFER_TOO_SMALL
 *
 * Return: @rv, or CKR_DEVICE_ERROR if the buffer does not hold what the device says it does: the
 * caller would read behind its end.
 */
CK_RV p11_output_length(CK_RV rv, const struct p11_request *request, const void *out, uint32_t need,
			CK_ULONG *len);

/**
 * p11_u32() - @value as the ABI carries it: what exceeds 32 bits becomes a value that is invalid
 */
static inline uint32_t p11_u32(CK_ULONG value)
{
	return value > 0xfffffffful ? 0xffffffffu : (uint32_t)value;
}

#endif /* P11_TRANSPORT_H */
