/* SPDX-License-Identifier: MIT */
/* Objects by the vendor's unique id, which a clone keeps. */
#ifndef P11_OUID_H
#define P11_OUID_H

#include <luna/cryptoki_v2.h>

#include "slot.h"

enum { P11_OUID_LEN = 12 };

/** p11_object_ouid() - the OUID, P11_OUID_LEN bytes, of the object with @handle */
CK_RV p11_object_ouid(struct p11_slot *slot, CK_ULONG type, CK_ULONG handle, CK_BYTE *ouid);

/**
 * p11_object_by_ouid() - the object with this OUID; @type may be NULL
 * Return: CKR_OK; CKR_OBJECT_HANDLE_INVALID: the token has none that the application may see.
 */
CK_RV p11_object_by_ouid(struct p11_slot *slot, CK_BYTE *ouid, CK_ULONG *type, CK_ULONG *handle);

#endif /* P11_OUID_H */
