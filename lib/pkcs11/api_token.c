// SPDX-License-Identifier: MIT
/*
 * Token initialisation, PINs and login of PKCS#11 and of the vendor.
 */
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "config.h"
#include "library.h"
#include "log.h"
#include "pin.h"

/* Longest PIN that travels: the device judges; beyond this it is not a PIN. */
#define PIN_MAX	4096

/* More policies than any scope has. */
#define POLICIES_MAX	64

uint32_t p11_role(CK_USER_TYPE user)
{
	return user == CKU_LIMITED_USER_OLD ? (uint32_t)CKU_LIMITED_USER : p11_u32(user);
}

static CK_RV pin_check(const CK_BYTE *pin, CK_ULONG len)
{
	if (len && !pin)
		return CKR_ARGUMENTS_BAD;
	return len > PIN_MAX ? CKR_PIN_LEN_RANGE : CKR_OK;
}

CK_RV p11_pin_call(struct p11_session *session, unsigned int command, CK_USER_TYPE user,
		   const CK_BYTE *pin, CK_ULONG pin_len, const CK_BYTE *new_pin,
		   CK_ULONG new_pin_len)
{
	struct luna_pin head = {
		.role = p11_role(user),
		.pin_len = (uint32_t)pin_len,
		.new_len = (uint32_t)new_pin_len,
	};
	struct p11_request request = {
		.command = command,
		.head = &head.hdr,
		.size = sizeof(head),
		.in[0] = { pin, pin_len },
		.in[1] = { new_pin, new_pin_len },
	};
	CK_RV rv = pin_check(pin, pin_len);

	if (rv == CKR_OK)
		rv = pin_check(new_pin, new_pin_len);
	return rv == CKR_OK ? p11_session_call(session, &request) : rv;
}

static void put_policies(struct p11_buffer *pairs, const CK_POLICY_INFO *policies, CK_ULONG count)
{
	uint32_t pair[2];
	CK_ULONG i;

	for (i = 0; i < count; i++) {
		pair[0] = p11_u32(policies[i].ulId);
		pair[1] = p11_u32(policies[i].ulValue);
		p11_buffer_put(pairs, pair, sizeof(pair));
	}
}

CK_RV p11_token_initialize(struct p11_slot *slot, const struct p11_token_init *init)
{
	struct luna_init_token head = {
		.pin_len = (uint32_t)init->pin_len,
		.domain_len = (uint32_t)init->domain_len,
		.type = p11_config_token_type(),
		.flags = p11_mofn() ? LUNA_INIT_MOFN : 0,
	};
	struct p11_request request = {
		.command = LUNA_INIT_TOKEN,
		.head = &head.hdr,
		.size = sizeof(head),
		.in[0] = { init->pin, init->pin_len },
		.in[1] = { init->domain, init->domain_len },
	};
	CK_RV rv = pin_check(init->pin, init->pin_len);
	struct p11_buffer pairs;

	if (rv != CKR_OK)
		return rv;
	if (!init->label || (init->domain_len && !init->domain) ||
	    init->domain_len > P11_DOMAIN_MAX || init->hsm_count > POLICIES_MAX ||
	    init->partition_count > POLICIES_MAX)
		return CKR_ARGUMENTS_BAD;
	memcpy(head.label, init->label, sizeof(head.label));
	head.hsm_policies = (uint32_t)init->hsm_count;
	head.policies = (uint32_t)init->partition_count;
	p11_buffer_init(&pairs);
	put_policies(&pairs, init->hsm, init->hsm_count);
	put_policies(&pairs, init->partition, init->partition_count);
	request.in[2].data = pairs.data;
	request.in[2].len = pairs.len;
	rv = pairs.failed ? CKR_HOST_MEMORY : p11_slot_call(slot, &request, NULL);
	p11_buffer_free(&pairs);
	return rv;
}

CK_RV C_InitToken(CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
		  CK_UTF8CHAR_PTR pLabel)
{
	uint8_t domain[P11_DOMAIN_MAX];
	struct p11_token_init init = {
		.pin = pPin,
		.pin_len = ulPinLen,
		.label = pLabel,
		.domain = domain,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK) {
		init.domain_len = p11_domain(domain, sizeof(domain));
		rv = p11_token_initialize(call.slot, &init);
		explicit_bzero(domain, init.domain_len);
	}
	return p11_end(&call, rv);
}

CK_RV C_InitPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_INIT_PIN, CKU_USER, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

CK_RV C_SetPIN(CK_SESSION_HANDLE hSession, CK_UTF8CHAR_PTR pOldPin, CK_ULONG ulOldLen,
	       CK_UTF8CHAR_PTR pNewPin, CK_ULONG ulNewLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_SET_PIN, 0, pOldPin, ulOldLen, pNewPin,
				  ulNewLen);
	return p11_end(&call, rv);
}

CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
	      CK_ULONG ulPinLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_LOGIN, userType, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

/* Names of the roles: lunactl's, and those of the product's own tools. */
static const struct role_name {
	const char *name;
	CK_USER_TYPE user;
} role_names[] = {
	{ "so", CKU_SO },
	{ "po", CKU_SO },
	{ "partition so", CKU_SO },
	{ "co", CKU_USER },
	{ "crypto officer", CKU_USER },
	{ "cu", CKU_CRYPTO_USER },
	{ "crypto user", CKU_CRYPTO_USER },
};

/* The role of that name; CKU_USER stands for both crypto roles, other types for themselves. */
static bool role_named(CK_USER_TYPE type, const CK_UTF8CHAR *name, CK_ULONG len, CK_USER_TYPE *user)
{
	size_t i;

	for (i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++) {
		if (strlen(role_names[i].name) != len ||
		    strncasecmp(role_names[i].name, (const char *)name, len))
			continue;
		*user = role_names[i].user;
		return p11_role(type) == p11_role(*user) ||
		       (type == CKU_USER && *user == CKU_CRYPTO_USER);
	}
	return false;
}

/* The users of a token are its roles. Without a name it is C_Login. */
CK_RV C_LoginUser(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin,
		  CK_ULONG ulPinLen, CK_UTF8CHAR_PTR pUsername, CK_ULONG ulUsernameLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK && !pUsername && ulUsernameLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && ulUsernameLen &&
	    !role_named(userType, pUsername, ulUsernameLen, &userType)) {
		p11_log_reason("no such user of that type: so, co, cu");
		rv = CKR_USER_TYPE_INVALID;
	}
	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_LOGIN, userType, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

CK_RV C_Logout(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_session_send(call.session, LUNA_LOGOUT, NULL, 0);
	if (rv == CKR_OK)
		atomic_fetch_add(&call.session->device->logouts, 1);
	return p11_end(&call, rv);
}

CK_RV CA_InitRolePIN(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_CHAR_PTR pPin,
		     CK_ULONG ulPinLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_INIT_PIN, userType, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

/* The roles of another slot are for that slot's SO to make: a device knows of no other. */
CK_RV CA_InitSlotRolePIN(CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_USER_TYPE userType,
			 CK_CHAR_PTR pPin, CK_ULONG ulPinLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && slotID != call.slot->id) {
		p11_log_reason("the session belongs to another slot");
		rv = CKR_SLOT_ID_INVALID;
	}
	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_INIT_PIN, userType, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

/* The SO resets the PIN of the crypto officer. */
CK_RV CA_ResetPIN(CK_SESSION_HANDLE hSession, CK_CHAR_PTR pPin, CK_ULONG ulPinLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_pin_call(call.session, LUNA_INIT_PIN, CKU_USER, pPin, ulPinLen, NULL, 0);
	return p11_end(&call, rv);
}

CK_RV CA_RoleStateGet(CK_SLOT_ID slotID, CK_USER_TYPE userType, CA_ROLE_STATE_PTR pRoleState)
{
	struct luna_role_state head = { .role = p11_role(userType) };
	struct p11_request request = {
		.command = LUNA_ROLE_STATE,
		.head = &head.hdr,
		.size = sizeof(head),
	};
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pRoleState)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_slot_call(call.slot, &request, NULL);
	if (rv == CKR_OK) {
		pRoleState->flags = (CK_BYTE)head.flags;
		pRoleState->loginAttemptsLeft = head.attempts_left < 0xff ?
						(CK_BYTE)head.attempts_left : 0xff;
		pRoleState->primaryAuthMech = head.auth[0];
		pRoleState->secondaryAuthMech = head.auth[1];
	}
	return p11_end(&call, rv);
}

CK_RV CA_SetKCV(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && ((ulDomainLen && !pDomain) || ulDomainLen > P11_DOMAIN_MAX))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_send(call.session, LUNA_SET_DOMAIN, pDomain, ulDomainLen);
	return p11_end(&call, rv);
}
