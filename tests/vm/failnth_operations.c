// SPDX-License-Identifier: MIT
/* Steps of operations: encryption, messages, digests and signatures, at once and sent ahead. */
#include "failnth_steps.h"

static u8 signature[128];
static u32 signature_len;

static s64 op(u32 kind, u32 mechanism, u32 key, const void *param, u32 param_len, const void *in,
	      u32 in_len, const void *sig, u32 sig_len, void *out, u32 *out_len)
{
	return fx_op(a.open, a.session, kind, mechanism, key, param, param_len, in, in_len, sig,
		     sig_len, out, out_len);
}

static s64 encrypt(u32 len)
{
	cipher_len = sizeof(cipher);
	return op(LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, aes, iv, sizeof(iv), text, len, NULL, 0, cipher,
		  &cipher_len);
}

static s64 a_encrypt(void)
{
	return encrypt(1000);
}

/* More than one command carries: LUNA_DATA_PUT before it, LUNA_DATA_GET after it */
static s64 a_encrypt_long(void)
{
	return encrypt(PIECE);
}

static s64 a_decrypt(void)
{
	static u8 out[PIECE + 16];
	u32 len = sizeof(out);

	return op(LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, aes, iv, sizeof(iv), cipher, cipher_len, NULL, 0,
		  out, &len);
}

static s64 a_gcm(void)
{
	struct {
		struct luna_gcm_param head;
		u8 iv[12];
	} param = { .head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 } };
	static u8 out[1016];
	u32 len = sizeof(out);

	return op(LUNA_OP_ENCRYPT, CKM_AES_GCM, aes, &param, sizeof(param), text, 1000, NULL, 0, out,
		  &len);
}

static s64 a_message(void)
{
	static u8 out[516];

	return fx_messages(a.open, a.session, LUNA_OP_MESSAGE_ENCRYPT, CKM_AES_GCM, aes, NULL, 0,
			   text, 500, out, sizeof(out));
}

/* The parameter is kept for the messages. */
static s64 a_message_sign(void)
{
	struct luna_pss_param pss = { .hash = CKM_SHA256, .mgf = CKG_MGF1_SHA256, .salt_len = 32 };
	static u8 out[512];

	return fx_messages(a.open, a.session, LUNA_OP_MESSAGE_SIGN, CKM_SHA256_RSA_PKCS_PSS,
			   rsa_private, &pss, sizeof(pss), text, 100, out, sizeof(out));
}

static s64 a_digest(void)
{
	u8 out[64];
	u32 len = sizeof(out);

	return op(LUNA_OP_DIGEST, CKM_SHA512, 0, NULL, 0, text, 1000, NULL, 0, out, &len);
}

static s64 a_cmac(void)
{
	u8 out[16];
	u32 len = sizeof(out);

	return op(LUNA_OP_SIGN, CKM_AES_CMAC, aes, NULL, 0, text, 1000, NULL, 0, out, &len);
}

static s64 a_sign(void)
{
	signature_len = sizeof(signature);
	return op(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, rsa_private, NULL, 0, text, 1000, NULL, 0,
		  signature, &signature_len);
}

static s64 a_verify(void)
{
	return op(LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, rsa_public, NULL, 0, text, 1000, signature,
		  signature_len, NULL, NULL);
}

static s64 a_sign_pss(void)
{
	const struct luna_pss_param param = {
		.hash = CKM_SHA256,
		.mgf = CKG_MGF1_SHA256,
		.salt_len = 32,
	};
	u8 out[128];
	u32 len = sizeof(out);

	return op(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS_PSS, rsa_private, &param, sizeof(param), text,
		  1000, NULL, 0, out, &len);
}

static s64 a_encrypt_rsa(void)
{
	cipher_len = sizeof(cipher);
	return op(LUNA_OP_ENCRYPT, CKM_RSA_PKCS, rsa_public, NULL, 0, text, 32, NULL, 0, cipher,
		  &cipher_len);
}

static s64 a_decrypt_rsa(void)
{
	u8 out[128];
	u32 len = sizeof(out);

	return op(LUNA_OP_DECRYPT, CKM_RSA_PKCS, rsa_private, NULL, 0, cipher, cipher_len, NULL, 0,
		  out, &len);
}

const struct step operation_steps[] = {
	{ "encrypt", LUNA_OP, .run = a_encrypt },
	{ "decrypt", LUNA_OP, .run = a_decrypt },
	{ "encrypt with GCM", LUNA_OP, .run = a_gcm },
	{ "encrypt messages", LUNA_MESSAGE, .run = a_message },
	{ "sign messages", LUNA_MESSAGE, .run = a_message_sign },
	{ "digest", LUNA_OP, .run = a_digest },
	{ "CMAC", LUNA_OP, .run = a_cmac },
	{ "sign with RSA", LUNA_OP, .run = a_sign },
	{ "verify with RSA", LUNA_OP, .run = a_verify },
	{ "sign with PSS", LUNA_OP, .run = a_sign_pss },
	{ "encrypt with RSA", LUNA_OP, .run = a_encrypt_rsa },
	{ "decrypt with RSA", LUNA_OP, .run = a_decrypt_rsa },
	{ "send data ahead", LUNA_DATA_PUT, .run = a_encrypt_long },
	{ "encrypt what was sent", LUNA_OP, .run = a_encrypt_long },
	{ "fetch the rest", LUNA_DATA_GET, .run = a_encrypt_long },
	{ .name = NULL }
};
