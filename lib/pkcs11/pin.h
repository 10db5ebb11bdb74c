/* SPDX-License-Identifier: MIT */
/*
 * What the functions that take PINs share: those of PKCS#11 and the vendor's.
 */
#ifndef P11_PIN_H
#define P11_PIN_H

#include <luna/cryptoki_v2.h>

#include "session.h"
#include "slot.h"

/**
 * struct p11_token_init - arguments of a token initialisation
 * @pin: SO PIN, @pin_len bytes
 * @label: 32 bytes, padded with blanks
 * @domain: cloning domain, @domain_len bytes
 * @hsm, @partition: policies that differ from the defaults, and their numbers
 */
struct p11_token_init {
	const CK_BYTE *pin;
	CK_ULONG pin_len;
	const CK_BYTE *label;
	const CK_BYTE *domain;
	CK_ULONG domain_len;
	const CK_POLICY_INFO *hsm;
	CK_ULONG hsm_count;
	const CK_POLICY_INFO *partition;
	CK_ULONG partition_count;
};

/** p11_token_initialize() - LUNA_INIT_TOKEN, with the type and the M of N that are configured */
CK_RV p11_token_initialize(struct p11_slot *slot, const struct p11_token_init *init);

/**
 * p11_pin_call() - LUNA_LOGIN, LUNA_INIT_PIN or LUNA_SET_PIN
 * @user: CKU_*, as the application gave it
 * @new_pin: the new PIN of LUNA_SET_PIN
 */
CK_RV p11_pin_call(struct p11_session *session, unsigned int command, CK_USER_TYPE user,
		   const CK_BYTE *pin, CK_ULONG pin_len, const CK_BYTE *new_pin,
		   CK_ULONG new_pin_len);

/** p11_role() - CKU_* as the ABI has it */
uint32_t p11_role(CK_USER_TYPE user);

#endif /* P11_PIN_H */
