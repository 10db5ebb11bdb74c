// SPDX-License-Identifier: MIT
/* Digests, MACs, signatures: what a call tells, keeps and ends, and data that must be refused. */
#include <openssl/evp.h>

#include "operations.h"

/* ---- digests ---- */

void digest_states(void **state)
{
	CK_BYTE out[80], want[64], part[64];
	CK_ULONG len, i;

	(void)state;
	for (i = 0; i < COUNT(digests); i++) {
		print_message("# %s\n", digests[i].name);
		EVP_Q_digest(NULL, digests[i].md, NULL, text, 50, want, NULL);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_DigestInit(s, mechanism(&digests[i].mech)), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Digest(s, text, 50, NULL, &len));
		assert_int_equal(len, digests[i].out);
		len--;
		assert_rv(p11->C_Digest(s, text, 50, out, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, digests[i].out);
		assert_ok(p11->C_Digest(s, text, 50, out, &len));
		assert_memory_equal(out, want, len);
		no_digest();

		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 0));
		assert_ok(p11->C_DigestUpdate(s, NULL, 0));
		assert_ok(p11->C_DigestUpdate(s, text, 49));
		assert_ok(p11->C_DigestUpdate(s, text + 49, 1));
		assert_ok(p11->C_DigestFinal(s, NULL, &len));
		assert_int_equal(len, digests[i].out);
		len = 1;
		assert_rv(p11->C_DigestFinal(s, part, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_DigestFinal(s, part, &len));
		assert_memory_equal(part, want, digests[i].out);
		no_digest();

		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 1));
		assert_rv(p11->C_Digest(s, text, 50, out, &len), CKR_OPERATION_ACTIVE);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_DigestUpdate(s, NULL, 1), CKR_ARGUMENTS_BAD);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_Digest(s, text, 1, out, NULL), CKR_ARGUMENTS_BAD);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_Digest(s, NULL, 1, out, &len), CKR_ARGUMENTS_BAD);
		no_digest();
		/* Nothing has a digest, too. */
		EVP_Q_digest(NULL, digests[i].md, NULL, "", 0, want, NULL);
		len = sizeof(out);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_Digest(s, NULL, 0, out, &len));
		assert_memory_equal(out, want, digests[i].out);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestFinal(s, out, &len));
		assert_memory_equal(out, want, digests[i].out);
	}
}

void digest_key(void **state)
{
	CK_OBJECT_HANDLE hidden = aes_key(s, 32, false, "hidden");
	CK_BYTE out[32], want[32], bytes[42];
	CK_ULONG len = sizeof(out), i;

	(void)state;
	memcpy(bytes, text, 10);
	memcpy(bytes + 10, key_value, 32);
	EVP_Q_digest(NULL, "SHA256", NULL, bytes, 42, want, NULL);
	for (i = 0; i < 2; i++) {
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 10));
		assert_ok(p11->C_DigestKey(s, pubs[KEY_GENERIC]));
		assert_ok(p11->C_DigestFinal(s, out, &len));
		assert_memory_equal(out, want, 32);
	}
	EVP_Q_digest(NULL, "SHA256", NULL, key_value, 32, want, NULL);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_ok(p11->C_DigestKey(s, pubs[KEY_AES]));
	assert_ok(p11->C_DigestFinal(s, out, &len));
	assert_memory_equal(out, want, 32);

	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_ok(p11->C_DigestKey(s, hidden));
	assert_ok(p11->C_DigestFinal(s, out, &len));
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_rv(p11->C_DigestKey(s, rsa_priv), CKR_KEY_INDIGESTIBLE);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_rv(p11->C_DigestKey(s, 0), CKR_KEY_HANDLE_INVALID);
	no_digest();
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_ok(p11->C_DigestKey(s, pubs[KEY_AES]));
	assert_rv(p11->C_Digest(s, text, 1, out, &len), CKR_OPERATION_ACTIVE);
	no_digest();
}

/* Policy 9: without it what cannot be read is not digested either. */
void digest_key_policy(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_b);
	CK_OBJECT_HANDLE hidden, shown;
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);

	(void)state;
	assert_ok(ca->CA_SetContainerPolicy(session, 1, 9, 0));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
	hidden = aes_key(session, 32, false, "hidden");
	shown = secret_import(session, CKK_AES, key_value, 32);
	assert_ok(p11->C_DigestInit(session, mechanism(&digests[MD_SHA256].mech)));
	assert_ok(p11->C_DigestKey(session, shown));
	assert_rv(p11->C_DigestKey(session, hidden), CKR_KEY_INDIGESTIBLE);
	assert_rv(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	token_init(slot_b, "token b", DOMAIN);
}

/* ---- signatures ---- */

static void sign_oneshot(const struct signer *m)
{
	CK_BYTE sig[300];
	CK_ULONG len, i;

	print_message("# %s\n", m->name);
	for (i = 0; i < 2; i++) {
		assert_ok(sign_init(m));
		assert_rv(sign_init(m), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Sign(s, text, m->len, NULL, &len));
		assert_int_equal(len, m->out);
		len--;
		assert_rv(p11->C_Sign(s, text, m->len, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, m->out);
		assert_ok(p11->C_Sign(s, text, m->len, sig, &len));
		assert_int_equal(len, m->out);
		no_signature();

		assert_ok(verify_init(m));
		assert_rv(verify_init(m), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Verify(s, text, m->len, sig, len));
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len - 1), CKR_SIGNATURE_LEN_RANGE);
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, sizeof(sig)),
			  CKR_SIGNATURE_LEN_RANGE);
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, NULL, len), CKR_ARGUMENTS_BAD);
		no_verification();
		sig[len - 1] ^= 1;
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len), CKR_SIGNATURE_INVALID);
		no_verification();
		sig[len - 1] ^= 1;
		text[m->len - 1] ^= 1;
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len), CKR_SIGNATURE_INVALID);
		text[m->len - 1] ^= 1;

		assert_ok(sign_init(m));
		assert_rv(p11->C_Sign(s, text, m->len, sig, NULL), CKR_ARGUMENTS_BAD);
		no_signature();
		assert_ok(sign_init(m));
		assert_rv(p11->C_Sign(s, NULL, m->len, sig, &len), CKR_ARGUMENTS_BAD);
		no_signature();
	}
}

static void sign_parts(const struct signer *m)
{
	CK_BYTE sig[300];
	CK_ULONG len = sizeof(sig), cut;

	if (!m->parts) {
		assert_ok(sign_init(m));
		assert_rv(p11->C_SignUpdate(s, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
		no_signature();
		assert_ok(verify_init(m));
		assert_rv(p11->C_VerifyUpdate(s, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
		no_verification();
		return;
	}
	for (cut = 0; cut <= 17; cut += cut < 2 ? 1 : 14) {
		assert_ok(sign_init(m));
		assert_ok(p11->C_SignUpdate(s, text, cut));
		assert_ok(p11->C_SignUpdate(s, text + cut, m->len - cut));
		assert_ok(p11->C_SignFinal(s, NULL, &len));
		assert_int_equal(len, m->out);
		len--;
		assert_rv(p11->C_SignFinal(s, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_SignFinal(s, sig, &len));
		assert_int_equal(len, m->out);
		no_signature();
		assert_ok(verify_init(m));
		assert_ok(p11->C_Verify(s, text, m->len, sig, len));
		assert_ok(verify_init(m));
		assert_ok(p11->C_VerifyUpdate(s, text, m->len - cut));
		assert_ok(p11->C_VerifyUpdate(s, text + m->len - cut, cut));
		assert_ok(p11->C_VerifyFinal(s, sig, len));
		no_verification();
	}
	assert_ok(sign_init(m));
	assert_ok(p11->C_SignUpdate(s, text, 1));
	assert_rv(p11->C_Sign(s, text, 1, sig, &len), CKR_OPERATION_ACTIVE);
	no_signature();
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyUpdate(s, text, m->len));
	assert_rv(p11->C_Verify(s, text, m->len, sig, m->out), CKR_OPERATION_ACTIVE);
	no_verification();
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyUpdate(s, text, m->len));
	assert_rv(p11->C_VerifyFinal(s, sig, m->out - 1), CKR_SIGNATURE_LEN_RANGE);
	no_verification();
	/* Of nothing. */
	len = sizeof(sig);
	assert_ok(sign_init(m));
	assert_ok(p11->C_Sign(s, NULL, 0, sig, &len));
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyFinal(s, sig, len));
}

void sign_states(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(signers); i++) {
		sign_oneshot(&signers[i]);
		sign_parts(&signers[i]);
	}
}

void sign_data_errors(void **state)
{
	CK_BYTE sig[256], ones[256];
	CK_ULONG len = sizeof(sig);

	(void)state;
	assert_ok(sign_init(&signers[SIGN_PKCS]));
	assert_rv(p11->C_Sign(s, text, 246, sig, &len), CKR_DATA_LEN_RANGE);
	no_signature();
	assert_ok(sign_init(&signers[SIGN_X509]));
	memset(ones, 0xff, sizeof(ones));
	assert_rv(p11->C_Sign(s, ones, 256, sig, &len), CKR_DATA_INVALID);
	assert_ok(sign_init(&signers[SIGN_PSS]));
	assert_rv(p11->C_Sign(s, text, 31, sig, &len), CKR_DATA_LEN_RANGE);
	assert_ok(sign_init(&signers[SIGN_PSS]));
	assert_rv(p11->C_Sign(s, text, 33, sig, &len), CKR_DATA_LEN_RANGE);
	assert_ok(sign_init(&signers[SIGN_PKCS]));
	assert_ok(p11->C_Sign(s, NULL, 0, sig, &len));
	assert_int_equal(len, 256);
}

void recover(void **state)
{
	CK_MECHANISM pkcs = { CKM_RSA_PKCS, NONE }, raw = { CKM_RSA_X_509, NONE };
	CK_MECHANISM hashed = { CKM_SHA256_RSA_PKCS, NONE };
	CK_BYTE sig[256], out[256];
	CK_ULONG len, i;

	(void)state;
	for (i = 0; i < 2; i++) {
		CK_MECHANISM *mech = i ? &raw : &pkcs;
		CK_ULONG data_len = i ? 256 : 77, most = i ? 256 : 245;

		assert_ok(p11->C_SignRecoverInit(s, mech, rsa_priv));
		assert_rv(p11->C_SignRecoverInit(s, mech, rsa_priv), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_SignRecover(s, text, data_len, NULL, &len));
		assert_int_equal(len, 256);
		len = 255;
		assert_rv(p11->C_SignRecover(s, text, data_len, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_SignRecover(s, text, data_len, sig, &len));
		assert_rv(p11->C_SignRecover(s, text, data_len, sig, &len),
			  CKR_OPERATION_NOT_INITIALIZED);
		assert_ok(p11->C_VerifyRecoverInit(s, mech, rsa_pub));
		assert_ok(p11->C_VerifyRecover(s, sig, 256, NULL, &len));
		assert_int_equal(len, most);
		len = data_len - 1;
		assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len), CKR_BUFFER_TOO_SMALL);
		len = sizeof(out);
		assert_ok(p11->C_VerifyRecover(s, sig, 256, out, &len));
		assert_int_equal(len, data_len);
		assert_memory_equal(out, text, data_len);
		assert_ok(p11->C_VerifyRecoverInit(s, mech, rsa_pub));
		assert_rv(p11->C_VerifyRecover(s, sig, 255, out, &len), CKR_SIGNATURE_LEN_RANGE);
		assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len),
			  CKR_OPERATION_NOT_INITIALIZED);
	}
	sig[0] ^= 1;
	len = sizeof(out);
	assert_ok(p11->C_VerifyRecoverInit(s, &pkcs, rsa_pub));
	assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len), CKR_SIGNATURE_INVALID);
	assert_rv(p11->C_SignRecoverInit(s, &hashed, rsa_priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_VerifyRecoverInit(s, &hashed, rsa_pub), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_SignRecoverInit(s, &pkcs, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);
}
