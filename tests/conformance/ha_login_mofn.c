// SPDX-License-Identifier: MIT
/* HA login of a token that requires M of N: its secret comes from the primary as well. */
#include "ha_login.h"

CK_BYTE vector_room[N][512];
CA_MOFN_ACTIVATION vectors[N];

void vectors_generate(CK_SESSION_HANDLE session, CK_BYTE room[N][512],
		      CA_MOFN_ACTIVATION made[N])
{
	CA_MOFN_GENERATION wanted[N];
	int i;

	for (i = 0; i < N; i++)
		wanted[i] = (CA_MOFN_GENERATION){ 1, room[i], 512 };
	assert_ok(ca->CA_GenerateCloneableMofN(session, M, wanted, N, 0, NULL));
	for (i = 0; i < N; i++)
		made[i] = (CA_MOFN_ACTIVATION){ room[i], wanted[i].ulVectorLen };
}

int fresh_mofn(void **state)
{
	CK_SESSION_HANDLE b;

	assert_ok(ca->CA_SetMofN(CK_TRUE));
	fresh_secondary(state);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	vectors_generate(a, vector_room, vectors);
	b = session_co(slot_b);
	assert_ok(ca->CA_CloneMofN(b, a, NULL));
	sessions_close(slot_b);
	setup_cloned();
	return 0;
}

CK_RV sign_init(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { CKM_SHA256_HMAC, NULL, 0 };
	CK_RV rv = p11->C_SignInit(b, &mech, key);
	CK_BYTE mac[32];
	CK_ULONG len = 32;

	if (rv == CKR_OK)
		assert_ok(p11->C_Sign(b, mac, 3, mac, &len));
	return rv;
}

void login_mofn(CK_SESSION_HANDLE b)
{
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	request.len = MESSAGE_ROOM;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_not_equal(request.len, 0);
	assert_officer(b);
}

CK_RV step5(void)
{
	masked.len = MESSAGE_ROOM;
	return ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, &masked.len);
}

void mofn_exchange(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE key;
	CK_ULONG size = 0, len;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	/* There will be a request, so without a buffer this is a length query. */
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	assert_public(b);
	len = size - 1;
	assert_rv(ca->CA_HALogin(b, answer.data, answer.len, request.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_public(b);
	request.len = size;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_equal(request.len, size);
	assert_officer(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);

	size = 0;
	assert_ok(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	len = size - 1;
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, NULL, request.len, masked.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_ok(step5());
	assert_int_equal(masked.len, size);
	assert_rv(ca->CA_HAActivateMofN(b, NULL, masked.len), CKR_ARGUMENTS_BAD);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
	assert_ok(sign_init(b, key));
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	/* It is active now, so that the next login needs none. */
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

void mofn_order(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	login_mofn(b);
	assert_ok(step5());
	assert_rv(ca->CA_HAActivateMofN(b2, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(ca->CA_HAActivateMofN(999, masked.data, masked.len), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_Logout(b));
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	session_login(b, CKU_USER, CO_PIN);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_Logout(b));
	/* The answer of an earlier exchange. */
	login_mofn(b);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_DATA_INVALID);
	/* Nor may the answer to the login come here. */
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_DATA_INVALID);
	assert_ok(step5());
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
}

void mofn_tampered(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE key;
	CK_ULONG i, len;
	CK_RV rv;

	(void)state;
	login_mofn(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	for (i = 0; i < request.len; i += test_stride()) {
		request.data[i] ^= 1 << (i % 8);
		rv = step5();
		request.data[i] ^= 1 << (i % 8);
		if (rv != CKR_DATA_INVALID)
			fail_msg("byte %lu of the request: %s", i, rv_name(rv));
	}
	len = request.len;
	for (request.len = 0; request.len < len; request.len += test_stride())
		assert_rv(step5(), CKR_DATA_INVALID);
	request.len = len + 1;
	assert_rv(step5(), CKR_DATA_INVALID);
	request.len = len;
	assert_ok(step5());
	for (i = 0; i < masked.len; i++) {
		masked.data[i] ^= 1 << (i % 8);
		rv = ca->CA_HAActivateMofN(b, masked.data, masked.len);
		masked.data[i] ^= 1 << (i % 8);
		if (rv != (i < 40 ? CKR_DATA_INVALID : CKR_UNWRAPPING_ERROR))
			fail_msg("byte %lu of the answer: %s", i, rv_name(rv));
		assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
	}
	for (len = 0; len < masked.len; len++)
		assert_rv(ca->CA_HAActivateMofN(b, masked.data, len), CKR_DATA_INVALID);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len + 1), CKR_DATA_INVALID);
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
	assert_ok(sign_init(b, key));
}

/* The primary has another secret, or none, or its own is not active. */
void mofn_wrong_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_BYTE room[N][512];
	CA_MOFN_ACTIVATION made[N];

	(void)state;
	login_mofn(b);
	assert_ok(p11->C_Logout(a));
	assert_rv(step5(), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_SO, SO_PIN);
	assert_rv(step5(), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_USER, CO_PIN);
	vectors_generate(a, room, made);
	assert_rv(step5(), CKR_DATA_INVALID);
	assert_rv(ca->CA_HAAnswerMofNChallenge(999, request.data, request.len, masked.data,
					       &masked.len), CKR_SESSION_HANDLE_INVALID);
	/* The vectors of the shared secret do what the primary cannot any more. */
	assert_ok(ca->CA_ActivateMofN(b, vectors, M));
}

void mofn_required_on_primary(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE made;

	(void)state;
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_a, "primary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	a = session_co(slot_a);
	vectors_generate(a, vector_room, vectors);
	login_pair(a, KEY_BITS, -1, &login_pub, &login_priv);
	b = session_co(slot_b);
	assert_rv(clone(b, a, login_priv, &made), CKR_OPERATION_NOT_ALLOWED);
	made = public_copy(a, login_pub, b, -1);
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_ActivateMofN(a, vectors, M));
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

/* Required, but there is no secret yet: the login works, and keys do not. */
void mofn_required_without_secret(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE key;

	(void)state;
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_b, "secondary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	setup_cloned();
	b = session_open(slot_b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
}
