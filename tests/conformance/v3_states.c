// SPDX-License-Identifier: MIT
/* What may follow what in messages of AES-GCM, and parts that must be refused. */
#include "v3.h"

void not_initialized(void **state)
{
	CK_BYTE out[64], sig[64];
	CK_ULONG len = sizeof(out);
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(in_parts(true, &g, NULL, 0, "x", 1, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(unseal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(in_parts(false, &g, NULL, 0, "x", 1, 1, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageDecryptFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessage(s, NULL, 0, out, 1, sig, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessageNext(s, NULL, 0, out, 1, NULL, NULL),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageSignFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessage(s, NULL, 0, out, 1, sig, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessageBegin(s, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, out, 1, NULL, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageVerifyFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptInit(0, &gcm_mech, key), CKR_SESSION_HANDLE_INVALID);
	assert_rv(v3->C_MessageEncryptInit(s, NULL, key), CKR_ARGUMENTS_BAD);
	assert_rv(v3->C_MessageEncryptInit(s, &gcm_mech, 0), CKR_KEY_HANDLE_INVALID);
	/* An ordinary operation is none of messages, nor the other way round. */
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_rv(v3->C_Encrypt(s, out, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptInit(s, &gcm_mech, key), CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_GetOperationState(s, NULL, &len), CKR_STATE_UNSAVEABLE);
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_rv(v3->C_GetOperationState(s, NULL, &len), CKR_OPERATION_NOT_INITIALIZED);
}

/* In the middle of a message nothing else of its kind goes, and it stays whole. */
void in_the_middle(void **state)
{
	unsigned char out[64], want[64], tag[16];
	CK_ULONG len, need;
	struct gcm g, other;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	gcm_init(&other, 12, CKG_NO_GENERATE, 0, 128);
	openssl_seal(g.iv, 12, "aad", 3, "0123456789", 10, want, tag);
	assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), (CK_BYTE *)"aad", 3));
	len = sizeof(out);
	assert_rv(seal(&other, NULL, 0, "x", 1, out, &len), CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_EncryptMessageBegin(s, &other.p, sizeof(g.p), NULL, 0),
		  CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_MessageEncryptFinal(s), CKR_OPERATION_ACTIVE);
	need = 0;
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, NULL, &need, 0));
	assert_int_equal(need, 5);
	need = 4;
	assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, out, &need, 0),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 5);
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, out, &need, 0));
	assert_rv(seal(&other, NULL, 0, "x", 1, out + 20, &len), CKR_OPERATION_ACTIVE);
	need = 0;
	assert_ok(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, NULL, &need,
					   CKF_END_OF_MESSAGE));
	assert_int_equal(need, 5);
	need = 4;
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, out + 5,
					   &need, CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 5);
	assert_ok(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, out + 5,
					   &need, CKF_END_OF_MESSAGE));
	assert_memory_equal(out, want, 10);
	assert_memory_equal(g.tag, tag, 16);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	/* Decryption: all at the end, into room that is asked for. */
	assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), (CK_BYTE *)"aad", 3));
	need = 0;
	assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, want, 6, out, &need, 0));
	assert_int_equal(need, 0);
	assert_ok(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, NULL, &need,
					   CKF_END_OF_MESSAGE));
	assert_int_equal(need, 10);
	need = 9;
	assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, out, &need,
					   CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 10);
	assert_ok(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, out, &need,
					   CKF_END_OF_MESSAGE));
	assert_memory_equal(out, "0123456789", 10);
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_ok(v3->C_MessageDecryptFinal(s));
}

/* What is wrong in a part ends the message, and no more. */
void bad_parts(void **state)
{
	unsigned char out[64] = { 0 };
	CK_ULONG len = sizeof(out);
	struct gcm g;
	int i;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	for (i = 0; i < 5; i++) {
		gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
		assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		len = sizeof(out);
		switch (i) {
		case 0:		/* a NULL pointer */
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, NULL, 5, out, &len, 0),
				  CKR_ARGUMENTS_BAD);
			break;
		case 1:
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, out, 5, out, NULL, 0),
				  CKR_ARGUMENTS_BAD);
			break;
		case 2:		/* no room for the tag */
			g.p.pTag = NULL;
			assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
			break;
		case 3:
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
			break;
		case 4:		/* another tag than at the beginning */
			g.p.ulTagBits = 64;
			assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
		}
		assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len, 0),
			  CKR_OPERATION_NOT_INITIALIZED);
		gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
		len = sizeof(out);
		assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
		g.p.ulTagBits = 1000;
		assert_rv(unseal(&g, NULL, 0, out, 1, out, &len), CKR_MECHANISM_PARAM_INVALID);
		g.p.ulTagBits = 128;
		assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		g.p.ulTagBits = 96;
		assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len,
						   CKF_END_OF_MESSAGE), CKR_MECHANISM_PARAM_INVALID);
		g.p.ulTagBits = 128;
		assert_ok(unseal(&g, NULL, 0, out, 1, out, &len));
		assert_int_equal(out[0], 'x');
	}
}

/* A last part of several commands: the room is looked at before anything is consumed. */
void long_parts(void **state)
{
	enum { FIRST = 40000, ALL = 200000 };
	unsigned char *data = pattern(ALL), *out = malloc(ALL), *want = malloc(ALL + 16), tag[16];
	CK_ULONG len;
	struct gcm g;
	int i;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	openssl_seal(g.iv, 12, NULL, 0, data, ALL, want, tag);
	assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
	len = FIRST;
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, data, FIRST, out, &len, 0));
	for (i = 0; i < 2; i++) {
		len = i ? ALL - FIRST : ALL - FIRST - 1;
		assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), data + FIRST, ALL - FIRST,
						   out + FIRST, &len, CKF_END_OF_MESSAGE),
			  i ? CKR_OK : CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, ALL - FIRST);
	}
	assert_memory_equal(out, want, ALL);
	assert_memory_equal(g.tag, tag, 16);
	assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
	len = 0;
	assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, want, FIRST, out, &len, 0));
	for (i = 0; i < 2; i++) {
		len = i ? ALL : ALL - 1;
		assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + FIRST, ALL - FIRST,
						   out, &len, CKF_END_OF_MESSAGE),
			  i ? CKR_OK : CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, ALL);
	}
	assert_memory_equal(out, data, ALL);
	free(data);
	free(out);
	free(want);
}
