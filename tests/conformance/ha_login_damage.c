// SPDX-License-Identifier: MIT
/* HA login in the wrong order, with messages that come again or damaged, and with buffers. */
#include "ha_login.h"

/* ---- order, replay, damage ---- */

void wrong_order(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	memset(answer.data, 0, 104);
	answer.len = 104;
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_rv(step4(b2, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(step4(a, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step4(b, &answer));
	assert_officer(b2);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
}

void replayed_answer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(exchange(b, login_priv));
	assert_ok(p11->C_Logout(b));
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step2(b, &challenge));
	assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_public(b);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
}

/* Starting again discards what was; two sessions do not get in each other's way. */
void restart_discards(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &other));
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &other, &answer));
	assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step2(b2, &other));
	assert_rv(step4(b2, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_public(b2);
	assert_ok(step4(b, &answer));
	assert_officer(b2);
}

void tampered_challenge(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG i, len;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	for (i = 0; i < challenge.len; i += test_stride()) {
		challenge.data[i] ^= 1 << (i % 8);
		rv = step3(login_priv, &challenge, &answer);
		challenge.data[i] ^= 1 << (i % 8);
		if (rv != CKR_DATA_INVALID)
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	len = challenge.len;
	for (challenge.len = 0; challenge.len < len; challenge.len += 1 + challenge.len / 16)
		assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
	for (challenge.len = len + 1; challenge.len < 70000; challenge.len *= 2)
		assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
	challenge.len = len;
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
}

void tampered_answer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG i, bit, len;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	for (i = 0; i < answer.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			answer.data[i] ^= 1 << bit;
			rv = step4(b, &answer);
			answer.data[i] ^= 1 << bit;
			if (rv != CKR_ENCRYPTED_DATA_INVALID)
				fail_msg("byte %lu: %s", i, rv_name(rv));
		}
	}
	len = answer.len;
	for (answer.len = 0; answer.len < len; answer.len++)
		assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	for (answer.len = len + 1; answer.len < 70000; answer.len *= 2)
		assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	answer.len = len;
	assert_public(b);
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

void bad_certificates(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG len;

	(void)state;
	assert_ok(step1());
	len = twc.len;
	twc.len = 0;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.len = len - 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.data[len] = 0;
	twc.len = len + 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.len = len;
	twc.data[0] ^= 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.data[0] ^= 1;
	assert_ok(step2(b, &challenge));
	/* The secondary's own certificate: it is not the primary that could answer. */
	assert_ok(ca->CA_HAGetMasterPublic(slot_b, NULL, &twc.len));
	assert_ok(ca->CA_HAGetMasterPublic(slot_b, twc.data, &twc.len));
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
}

/* ---- buffers ---- */

void asked_twice(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG size = 0, len;

	(void)state;
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, NULL, &size));
	assert_in_range(size, 300, 8192);
	twc.len = size - 1;
	assert_rv(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(twc.len, size);
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len));
	assert_int_equal(twc.len, size);
	assert_rv(ca->CA_HAGetMasterPublic(slot_a, twc.data, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAGetMasterPublic(9999, twc.data, &len), CKR_SLOT_ID_INVALID);

	assert_ok(step2(b, &other));
	size = 0;
	assert_ok(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, NULL, &size));
	assert_int_equal(size, other.len);
	len = size - 1;
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, challenge.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, challenge.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, NULL, twc.len, challenge.data, &len),
		  CKR_ARGUMENTS_BAD);

	/* None of these queries ended the exchange that @other began. */
	size = 0;
	assert_ok(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	len = size - 1;
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						&len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, NULL, other.len, answer.data, &len),
		  CKR_ARGUMENTS_BAD);
	answer.len = size;
	assert_ok(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						&answer.len));
	assert_int_equal(answer.len, size);
	assert_rv(ca->CA_HALogin(b, NULL, answer.len, NULL, &len), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HALogin(b, answer.data, answer.len, request.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_public(b);
	len = 12345;
	request.len = 64;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_equal(request.len, 0);
	assert_officer(b);
}

/* A length that was not 0 before is, afterwards; no buffer is needed. */
void login_without_buffer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG len = 12345;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, NULL, &len));
	assert_int_equal(len, 0);
	assert_officer(b);
}

void certificate_elsewhere(void **state)
{
	(void)state;
	assert_ok(step1());
	other.len = MESSAGE_ROOM;
	assert_ok(ca->CA_GetTokenCertificateInfo(slot_a, CKHSC_CERT_TYPE_TWC, other.data,
						 &other.len));
	assert_int_equal(other.len, twc.len);
	assert_memory_equal(other.data, twc.data, twc.len);
	other.len = MESSAGE_ROOM;
	assert_ok(ca->CA_GetTokenCertificates(slot_a, CKHSC_CERT_TYPE_TWC, other.data, &other.len));
	assert_int_equal(other.len, twc.len);
	assert_rv(ca->CA_GetTokenCertificateInfo(slot_a, CKHSC_CERT_TYPE_ECC_TWC, other.data,
						 &other.len), CKR_CERTIFICATE_DATA_MISSING);
}
