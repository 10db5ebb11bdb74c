/* SPDX-License-Identifier: MIT */
/*
 * Mechanism parameters: from the caller's CK_ structs, which differ by word size and are full of
 * pointers, to the flat forms of uapi/luna.h. One row of a table for each mechanism that has one.
 */
#ifndef P11_MECHANISM_H
#define P11_MECHANISM_H

#include <stdint.h>

#include <luna/cryptoki_v2.h>

#include "buffer.h"

/**
 * struct p11_parameter - a mechanism and its parameter, ready to travel
 * @mechanism: CKM_*
 * @len: bytes of the parameter, or LUNA_PARAM_MALFORMED when it does not fit the mechanism
 * @shape_len: leading bytes that, with @len, decide whether an Init is accepted; the rest (an IV,
 *	a counter, additional data) never does
 * @bytes: the parameter
 */
struct p11_parameter {
	uint32_t mechanism;
	uint32_t len;
	uint32_t shape_len;
	struct p11_buffer bytes;
};

/**
 * p11_parameter_init() - copy what @mechanism points to
 * To be called first in every function that takes a mechanism: some callers pass frames of the
 * stack that hardly outlive the call.
 *
 * Return: CKR_OK (malformed parameters too: the device says what it thinks of them),
 * CKR_ARGUMENTS_BAD without a mechanism, CKR_HOST_MEMORY. p11_parameter_free() in every case.
 */
CK_RV p11_parameter_init(struct p11_parameter *parameter, const CK_MECHANISM *mechanism);

/** p11_parameter_free() - wipe and release */
void p11_parameter_free(struct p11_parameter *parameter);

#endif /* P11_MECHANISM_H */
