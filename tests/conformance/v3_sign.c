// SPDX-License-Identifier: MIT
/* Messages that are signed and verified, and keys that ask for a login each time. */
#include "curves.h"
#include "v3.h"

struct signature {
	CK_MECHANISM mech;
	CK_OBJECT_HANDLE sign, verify;
	bool parts;
};

static void sign_messages(const struct signature *sg)
{
	CK_MECHANISM mech = sg->mech;
	unsigned char data[3][20], sig[3][256], again[256];
	CK_ULONG len[3], n, got;

	assert_ok(v3->C_MessageSignInit(s, &mech, sg->sign));
	assert_ok(v3->C_MessageVerifyInit(s, &mech, sg->verify));
	for (n = 0; n < 3; n++) {
		memset(data[n], n + 1, sizeof(data[n]));
		len[n] = 0;
		assert_ok(v3->C_SignMessage(s, NULL, 0, data[n], 20, NULL, &len[n]));
		got = len[n] - 1;
		assert_rv(v3->C_SignMessage(s, NULL, 0, data[n], 20, sig[n], &got),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_SignMessage(s, NULL, 0, data[n], 20, sig[n], &got));
		assert_int_equal(got, len[n]);
		/* A signature as any other */
		assert_ok(v3->C_VerifyInit(s, &mech, sg->verify));
		assert_ok(v3->C_Verify(s, data[n], 20, sig[n], len[n]));
	}
	for (n = 0; n < 3; n++) {
		assert_ok(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[n], len[n]));
		assert_rv(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[(n + 1) % 3], len[n]),
			  CKR_SIGNATURE_INVALID);
		assert_rv(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[n], len[n] - 1),
			  CKR_SIGNATURE_LEN_RANGE);
	}
	assert_rv(v3->C_SignMessage(s, again, 8, data[0], 20, again, &got),
		  CKR_MECHANISM_PARAM_INVALID);
	if (!sg->parts) {
		assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
		assert_rv(v3->C_VerifyMessageBegin(s, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
	}
	for (n = 0; sg->parts && n < 3; n++) {
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_rv(v3->C_SignMessage(s, NULL, 0, data[n], 20, again, &got),
			  CKR_OPERATION_ACTIVE);
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n], 7, NULL, NULL));
		got = 0;
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n] + 7, 13, NULL, &got));
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n] + 7, 13, again, &got));
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, again, got));
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 19, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data[n] + 19, 1, sig[n], len[n]));
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		again[3] ^= 1;
		assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 20, again, len[n]),
			  CKR_SIGNATURE_INVALID);
		assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 20, again, len[n]),
			  CKR_OPERATION_NOT_INITIALIZED);
	}
	assert_ok(v3->C_MessageSignFinal(s));
	assert_ok(v3->C_MessageVerifyFinal(s));
}

void signatures(void **state)
{
	static CK_RSA_PKCS_PSS_PARAMS pss = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
	static CK_MAC_GENERAL_PARAMS short_mac = 10;
	CK_OBJECT_HANDLE generic = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	struct signature all[] = {
		{ { CKM_SHA256_HMAC, NULL, 0 }, generic, generic, true },
		{ { CKM_SHA512_HMAC_GENERAL, &short_mac, sizeof(short_mac) }, generic, generic,
		  true },
		{ { CKM_AES_CMAC, NULL, 0 }, key, key, true },
		{ { CKM_SHA256_RSA_PKCS, NULL, 0 }, 0, 0, true },
		{ { CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss) }, 0, 0, true },
		{ { CKM_RSA_PKCS, NULL, 0 }, 0, 0, false },
	};
	CK_MECHANISM bad = { CKM_SHA256_RSA_PKCS_PSS, &short_mac, sizeof(short_mac) };
	CK_OBJECT_HANDLE rsa_pub, rsa_priv;
	size_t i;

	(void)state;
	rsa_pair(s, 2048, false, "messages", &rsa_pub, &rsa_priv);
	for (i = 0; i < COUNT(all); i++) {
		if (!all[i].sign) {
			all[i].sign = rsa_priv;
			all[i].verify = rsa_pub;
		}
		sign_messages(&all[i]);
	}
	if (mechanism_listed(slot_a, CKM_ECDSA_SHA256)) {
		struct signature ec = { .mech = { CKM_ECDSA_SHA256, NULL, 0 }, .parts = true };

		assert_ok(ec_generate(s, &curves[1], false, &ec.verify, &ec.sign));
		sign_messages(&ec);
	}
	assert_rv(v3->C_MessageSignInit(s, &bad, rsa_priv), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(v3->C_MessageSignInit(s, &all[0].mech, rsa_priv), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(v3->C_MessageSignInit(s, &all[3].mech, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* A long message, whole and in parts, is what one signature of it is. */
void long_signatures(void **state)
{
	enum { LEN = 300000 };
	CK_OBJECT_HANDLE generic = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	CK_MECHANISM mech = { CKM_SHA384_HMAC, NULL, 0 };
	unsigned char *data = pattern(LEN), want[48], got[48];
	CK_ULONG len = sizeof(want);

	(void)state;
	assert_ok(v3->C_SignInit(s, &mech, generic));
	assert_ok(v3->C_Sign(s, data, LEN, want, &len));
	assert_ok(v3->C_MessageSignInit(s, &mech, generic));
	assert_ok(v3->C_SignMessage(s, NULL, 0, data, LEN, got, &len));
	assert_memory_equal(got, want, 48);
	assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
	assert_ok(v3->C_SignMessageNext(s, NULL, 0, data, 90000, NULL, NULL));
	len = 47;
	assert_rv(v3->C_SignMessageNext(s, NULL, 0, data + 90000, LEN - 90000, got, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 48);
	memset(got, 0, sizeof(got));
	assert_ok(v3->C_SignMessageNext(s, NULL, 0, data + 90000, LEN - 90000, got, &len));
	assert_memory_equal(got, want, 48);
	assert_ok(v3->C_MessageVerifyInit(s, &mech, generic));
	assert_ok(v3->C_VerifyMessage(s, NULL, 0, data, LEN, want, 48));
	assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
	assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data, LEN - 1, NULL, 0));
	assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data, 1, want, 48), CKR_SIGNATURE_INVALID);
	free(data);
}

/* CKA_ALWAYS_AUTHENTICATE: the PIN again for every message. */
void always_authenticate(void **state)
{
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_ULONG bits = 2048, len = 256, i;
	CK_ATTRIBUTE pub[] = { ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_VERIFY, yes) };
	CK_ATTRIBUTE priv[] = { ATTR(CKA_ALWAYS_AUTHENTICATE, yes), ATTR(CKA_SIGN, yes),
				ATTR(CKA_PRIVATE, yes) };
	CK_OBJECT_HANDLE a, b;
	CK_BYTE sig[256];

	(void)state;
	assert_ok(v3->C_GenerateKeyPair(s, &gen, pub, COUNT(pub), priv, COUNT(priv), &a, &b));
	assert_ok(v3->C_MessageSignInit(s, &mech, b));
	for (i = 0; i < 3; i++) {
		assert_rv(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len),
			  CKR_USER_NOT_LOGGED_IN);
		assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_USER_NOT_LOGGED_IN);
		session_login(s, CKU_CONTEXT_SPECIFIC, CO_PIN);
		len = 0;
		assert_ok(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, NULL, &len));
		if (i != 1) {
			assert_ok(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len));
			continue;
		}
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len));
	}
	assert_ok(v3->C_MessageSignFinal(s));
}
