/* SPDX-License-Identifier: MIT */
/*
 * The commands of cloning and HA login, which all take a blob and give one (struct luna_blob).
 */
#ifndef P11_BLOB_H
#define P11_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

#include "session.h"
#include "slot.h"

/**
 * struct p11_blob - a blob command
 * @command: enum luna_command
 * @head: type, handle, role and replicate as the command needs them; the rest is filled in
 * @in: blob received, @in_len bytes
 */
struct p11_blob {
	unsigned int command;
	struct luna_blob head;
	const void *in;
	CK_ULONG in_len;
};

/**
 * p11_blob_call() - carry a blob command for an application's buffer
 * @session: its session; or NULL with @slot for the command that needs none
 * @out: buffer of *@out_len bytes for the blob made; NULL asks for its length
 * @out_len: NULL if the command makes no blob
 *
 * Return: as the command; *@out_len is set with CKR_OK and CKR_BUFFER_TOO_SMALL.
 */
CK_RV p11_blob_call(struct p11_session *session, struct p11_slot *slot, struct p11_blob *blob,
		    CK_BYTE *out, CK_ULONG *out_len);

/**
 * p11_blob_make() - carry a blob command whose result the library needs itself
 * @out: set to the blob, to be given to p11_wipe_free(); may be NULL on error
 * @out_len: set to its length
 */
CK_RV p11_blob_make(struct p11_session *session, struct p11_blob *blob, void **out,
		    size_t *out_len);

#endif /* P11_BLOB_H */
