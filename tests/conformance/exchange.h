/* SPDX-License-Identifier: MIT */
/*
 * What the tests of cloning, HA login, M of N and policies share: messages between tokens, policies
 * by number, and waiting roles.
 */
#ifndef LUNA_TESTS_EXCHANGE_H
#define LUNA_TESTS_EXCHANGE_H

#include "suite.h"

#define PIN(p)		(CK_UTF8CHAR_PTR)(p), strlen(p)
#define ROLE_PIN(p)	(CK_CHAR_PTR)(p), strlen(p)
#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define UNUSED		__attribute__((unused))

/* What a client's fixed buffer holds. */
#define MESSAGE_ROOM	65536

struct message {
	CK_ULONG len;
	CK_BYTE data[4 * MESSAGE_ROOM];
};

static UNUSED CK_ULONG objects_on(CK_SESSION_HANDLE session)
{
	return object_count(session, NULL, 0);
}

/* Sets a partition policy as the SO; closes all sessions on the slot. */
static UNUSED void policy_set(CK_SLOT_ID slot, CK_ULONG id, CK_ULONG value)
{
	CK_SESSION_HANDLE session;

	sessions_close(slot);
	session = session_so(slot);
	assert_ok(ca->CA_SetContainerPolicy(session, 0, id, value));
	sessions_close(slot);
}

/* Sets several, also to what is destructive and ends all objects; closes all sessions as well. */
static UNUSED void policies_set(CK_SLOT_ID slot, CK_ULONG count, CK_ULONG *ids, CK_ULONG *values)
{
	CK_SESSION_HANDLE so;

	sessions_close(slot);
	so = session_so(slot);
	assert_ok(ca->CA_SetTokenPolicies(so, slot, count, ids, values));
	sessions_close(slot);
}

static UNUSED void policy_allow(CK_SLOT_ID slot, CK_ULONG id)
{
	CK_ULONG on = 1;

	policies_set(slot, 1, &id, &on);
}

/* Private keys are wrapped, or else cloned. */
static UNUSED void key_export(CK_SLOT_ID slot, bool wrapped)
{
	CK_ULONG ids[] = { 0, 1 }, values[] = { !wrapped, wrapped };

	policies_set(slot, COUNT(ids), ids, values);
}

/* The same as policy_set() for a policy of the HSM. */
static UNUSED void hsm_policy_set(CK_SLOT_ID slot, CK_ULONG id, CK_ULONG value)
{
	CK_SESSION_HANDLE session;

	sessions_close(slot);
	session = session_so(slot);
	assert_ok(ca->CA_SetDestructiveHSMPolicy(session, id, value));
	sessions_close(slot);
}

static UNUSED CK_ULONG policy_get(CK_SLOT_ID slot, CK_ULONG id)
{
	CK_ULONG value = 12345;

	assert_ok(ca->CA_GetContainerPolicySetting(slot, 0, id, &value));
	return value;
}

/* PKCS#1 v1.5 signature of the digest of a short text. */
static UNUSED void sign_text(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE *sig,
			     CK_ULONG *len)
{
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };

	assert_ok(p11->C_SignInit(session, &mech, key));
	assert_ok(p11->C_Sign(session, (CK_BYTE_PTR)"text", 4, sig, len));
}

static UNUSED void verify_text(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE *sig,
			       CK_ULONG len)
{
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };

	assert_ok(p11->C_VerifyInit(session, &mech, key));
	assert_ok(p11->C_Verify(session, (CK_BYTE_PTR)"text", 4, sig, len));
}

/* ---- the four steps of cloning, into a message with much room ---- */

static UNUSED CK_RV clone_step1(CK_SESSION_HANDLE source, CK_BBOOL replicate, struct message *twc)
{
	twc->len = MESSAGE_ROOM;
	return ca->CA_CloneAsSourceInit(source, NULL, 0, twc->data, &twc->len, replicate);
}

static UNUSED CK_RV clone_step2(CK_SESSION_HANDLE target, struct message *twc, CK_BBOOL replicate,
				struct message *part1)
{
	part1->len = MESSAGE_ROOM;
	return ca->CA_CloneAsTargetInit(target, twc->data, twc->len, NULL, 0, replicate,
					part1->data, &part1->len);
}

static UNUSED CK_RV clone_step3(CK_SESSION_HANDLE source, CK_OBJECT_HANDLE object,
				struct message *part1, CK_BBOOL replicate, struct message *part2)
{
	part2->len = sizeof(part2->data);
	return ca->CA_CloneAsSource(source, CK_CRYPTOKI_ELEMENT, object, part1->data, part1->len,
				    replicate, part2->data, &part2->len);
}

static UNUSED CK_RV clone_step4(CK_SESSION_HANDLE target, struct message *part2, CK_BBOOL replicate,
				CK_OBJECT_HANDLE *clone)
{
	*clone = 0;
	return ca->CA_CloneAsTarget(target, NULL, 0, part2->data, part2->len, CK_CRYPTOKI_ELEMENT,
				    0, replicate, clone);
}

static UNUSED CK_RV clone(CK_SESSION_HANDLE target, CK_SESSION_HANDLE source,
			  CK_OBJECT_HANDLE object, CK_OBJECT_HANDLE *made)
{
	*made = 0;
	return ca->CA_CloneObject(target, source, CK_CRYPTOKI_ELEMENT, object, made);
}

#endif /* LUNA_TESTS_EXCHANGE_H */
