// SPDX-License-Identifier: MIT
/* Signing and encrypting files with the token's keys. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* How an encrypted file carries its IV: in front of the ciphertext, or behind it (drawn by the token). */
enum iv_place { IV_NONE, IV_FRONT, IV_BEHIND };

static const struct mechanism {
	const char *name;
	CK_MECHANISM_TYPE type;
	bool secret;		/* uses a secret key */
	bool sign;
	enum iv_place iv;
} mechanisms[] = {
	{ "RSA_PKCS", CKM_RSA_PKCS, false, true, IV_NONE },
	{ "SHA1_RSA_PKCS", CKM_SHA1_RSA_PKCS, false, true, IV_NONE },
	{ "SHA224_RSA_PKCS", CKM_SHA224_RSA_PKCS, false, true, IV_NONE },
	{ "SHA256_RSA_PKCS", CKM_SHA256_RSA_PKCS, false, true, IV_NONE },
	{ "SHA384_RSA_PKCS", CKM_SHA384_RSA_PKCS, false, true, IV_NONE },
	{ "SHA512_RSA_PKCS", CKM_SHA512_RSA_PKCS, false, true, IV_NONE },
	{ "SHA3_224_RSA_PKCS", CKM_SHA3_224_RSA_PKCS, false, true, IV_NONE },
	{ "SHA3_256_RSA_PKCS", CKM_SHA3_256_RSA_PKCS, false, true, IV_NONE },
	{ "SHA3_384_RSA_PKCS", CKM_SHA3_384_RSA_PKCS, false, true, IV_NONE },
	{ "SHA3_512_RSA_PKCS", CKM_SHA3_512_RSA_PKCS, false, true, IV_NONE },
	{ "SHA256_RSA_PKCS_PSS", CKM_SHA256_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA384_RSA_PKCS_PSS", CKM_SHA384_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA512_RSA_PKCS_PSS", CKM_SHA512_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA3_224_RSA_PKCS_PSS", CKM_SHA3_224_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA3_256_RSA_PKCS_PSS", CKM_SHA3_256_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA3_384_RSA_PKCS_PSS", CKM_SHA3_384_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "SHA3_512_RSA_PKCS_PSS", CKM_SHA3_512_RSA_PKCS_PSS, false, true, IV_NONE },
	{ "ECDSA", CKM_ECDSA, false, true, IV_NONE },
	{ "ECDSA_SHA1", CKM_ECDSA_SHA1, false, true, IV_NONE },
	{ "ECDSA_SHA224", CKM_ECDSA_SHA224, false, true, IV_NONE },
	{ "ECDSA_SHA256", CKM_ECDSA_SHA256, false, true, IV_NONE },
	{ "ECDSA_SHA384", CKM_ECDSA_SHA384, false, true, IV_NONE },
	{ "ECDSA_SHA512", CKM_ECDSA_SHA512, false, true, IV_NONE },
	{ "ECDSA_SHA3_224", CKM_ECDSA_SHA3_224, false, true, IV_NONE },
	{ "ECDSA_SHA3_256", CKM_ECDSA_SHA3_256, false, true, IV_NONE },
	{ "ECDSA_SHA3_384", CKM_ECDSA_SHA3_384, false, true, IV_NONE },
	{ "ECDSA_SHA3_512", CKM_ECDSA_SHA3_512, false, true, IV_NONE },
	{ "EDDSA", CKM_EDDSA, false, true, IV_NONE },
	{ "SHA256_HMAC", CKM_SHA256_HMAC, true, true, IV_NONE },
	{ "SHA384_HMAC", CKM_SHA384_HMAC, true, true, IV_NONE },
	{ "SHA512_HMAC", CKM_SHA512_HMAC, true, true, IV_NONE },
	{ "SHA3_224_HMAC", CKM_SHA3_224_HMAC, true, true, IV_NONE },
	{ "SHA3_256_HMAC", CKM_SHA3_256_HMAC, true, true, IV_NONE },
	{ "SHA3_384_HMAC", CKM_SHA3_384_HMAC, true, true, IV_NONE },
	{ "SHA3_512_HMAC", CKM_SHA3_512_HMAC, true, true, IV_NONE },
	{ "AES_CMAC", CKM_AES_CMAC, true, true, IV_NONE },
	{ "AES_GCM", CKM_AES_GCM, true, false, IV_BEHIND },
	{ "AES_CBC_PAD", CKM_AES_CBC_PAD, true, false, IV_FRONT },
	{ "AES_CTR", CKM_AES_CTR, true, false, IV_FRONT },
	{ "RSA_PKCS", CKM_RSA_PKCS, false, false, IV_NONE },
	{ "RSA_PKCS_OAEP", CKM_RSA_PKCS_OAEP, false, false, IV_NONE },
};

/* Memory behind a CK_MECHANISM's parameter. */
union parameter {
	CK_GCM_PARAMS gcm;
	CK_AES_CTR_PARAMS ctr;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
	CK_RSA_PKCS_PSS_PARAMS pss;
};

static const struct mechanism *mechanism_of(const struct ctl_args *args, bool sign)
{
	size_t i;

	args_need(args, OPT_SLOT);
	object_chosen(args);
	args_need(args, OPT_IN);
	args_need(args, OPT_MECHANISM);
	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (mechanisms[i].sign == sign && !strcmp(mechanisms[i].name, args->opt[OPT_MECHANISM]))
			return &mechanisms[i];
	fprintf(stderr, "lunactl: mechanisms for this:");
	for (i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (mechanisms[i].sign == sign)
			fprintf(stderr, " %s", mechanisms[i].name);
	fputc('\n', stderr);
	usage_error("'%s' is none of them", args->opt[OPT_MECHANISM]);
}

static void pss_parameter(CK_MECHANISM *mech, union parameter *p)
{
	static const struct {
		CK_MECHANISM_TYPE mech, hash;
		CK_RSA_PKCS_MGF_TYPE mgf;
		CK_ULONG len;
	} rows[] = {
		{ CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA256, 32 },
		{ CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48 },
		{ CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 64 },
		{ CKM_SHA3_224_RSA_PKCS_PSS, CKM_SHA3_224, CKG_MGF1_SHA3_224, 28 },
		{ CKM_SHA3_256_RSA_PKCS_PSS, CKM_SHA3_256, CKG_MGF1_SHA3_256, 32 },
		{ CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_384, CKG_MGF1_SHA3_384, 48 },
		{ CKM_SHA3_512_RSA_PKCS_PSS, CKM_SHA3_512, CKG_MGF1_SHA3_512, 64 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].mech != mech->mechanism)
			continue;
		p->pss = (CK_RSA_PKCS_PSS_PARAMS){ rows[i].hash, rows[i].mgf, rows[i].len };
		mech->pParameter = &p->pss;
		mech->ulParameterLen = sizeof(p->pss);
	}
}

/* The parameter of a cipher with its 16-byte IV; NULL for GCM lets the token draw it. */
static void cipher_parameter(CK_MECHANISM *mech, union parameter *p, unsigned char *iv)
{
	memset(p, 0, sizeof(*p));
	mech->pParameter = p;
	switch (mech->mechanism) {
	case CKM_AES_GCM:
		p->gcm.pIv = iv;
		p->gcm.ulIvLen = iv ? 16 : 0;
		p->gcm.ulIvBits = iv ? 128 : 0;
		p->gcm.ulTagBits = 128;
		mech->ulParameterLen = sizeof(p->gcm);
		break;
	case CKM_AES_CTR:
		p->ctr.ulCounterBits = 32;
		memcpy(p->ctr.cb, iv, 12);
		p->ctr.cb[15] = 1;
		mech->ulParameterLen = sizeof(p->ctr);
		break;
	case CKM_AES_CBC_PAD:
		mech->pParameter = iv;
		mech->ulParameterLen = 16;
		break;
	case CKM_RSA_PKCS_OAEP:
		p->oaep.hashAlg = CKM_SHA256;
		p->oaep.mgf = CKG_MGF1_SHA256;
		p->oaep.source = CKZ_DATA_SPECIFIED;
		mech->ulParameterLen = sizeof(p->oaep);
		break;
	default:
		mech->pParameter = NULL;
	}
}

static CK_SESSION_HANDLE login_for(const struct ctl_args *args)
{
	return session_login(slot_of(args, OPT_SLOT), args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co",
			     args, OPT_PIN_FILE);
}

/* Its signatures are DER in files, as openssl has them. */
static bool is_ecdsa(const struct mechanism *m)
{
	return !strncmp(m->name, "ECDSA", 5);
}

static int sign(const struct ctl_args *args)
{
	const struct mechanism *m = mechanism_of(args, true);
	CK_MECHANISM mech = { m->type, NULL, 0 };
	union parameter p;
	CK_SESSION_HANDLE session = login_for(args);
	CK_OBJECT_HANDLE key = object_one(session, args, m->secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY);
	unsigned char signature[1024], der[160], *data;
	CK_ULONG len, sig_len = sizeof(signature);

	data = file_read(args->opt[OPT_IN], &len);
	pss_parameter(&mech, &p);
	check(C_SignInit(session, &mech, key), "C_SignInit");
	check(C_Sign(session, data, len, signature, &sig_len), "C_Sign");
	if (is_ecdsa(m))
		output_write(args, der, ecdsa_to_der(signature, sig_len, der), false);
	else
		output_write(args, signature, sig_len, false);
	free(data);
	return 0;
}

static int verify(const struct ctl_args *args)
{
	const struct mechanism *m = mechanism_of(args, true);
	CK_MECHANISM mech = { m->type, NULL, 0 };
	union parameter p;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	unsigned char *signature, *data, plain[160];
	const struct ctl_curve *curve;
	CK_ULONG len, sig_len;

	args_need(args, OPT_SIGNATURE);
	session = login_for(args);
	key = object_one(session, args, m->secret ? CKO_SECRET_KEY : CKO_PUBLIC_KEY);
	data = file_read(args->opt[OPT_IN], &len);
	signature = file_read(args->opt[OPT_SIGNATURE], &sig_len);
	pss_parameter(&mech, &p);
	check(C_VerifyInit(session, &mech, key), "C_VerifyInit");
	curve = is_ecdsa(m) ? curve_of(session, key) : NULL;
	if (curve)
		sig_len = ecdsa_from_der(curve, signature, sig_len, plain);
	check(C_Verify(session, data, len, curve ? plain : signature, sig_len), "C_Verify");
	print_done(args, "The signature is good.\n");
	free(data);
	free(signature);
	return 0;
}

static int encrypt(const struct ctl_args *args)
{
	const struct mechanism *m = mechanism_of(args, false);
	CK_MECHANISM mech = { m->type, NULL, 0 };
	CK_SESSION_HANDLE session = login_for(args);
	CK_OBJECT_HANDLE key = object_one(session, args, m->secret ? CKO_SECRET_KEY : CKO_PUBLIC_KEY);
	CK_ULONG len, room, front = m->iv == IV_FRONT ? 16 : 0;
	union parameter p;
	unsigned char *data, *out;

	data = file_read(args->opt[OPT_IN], &len);
	room = len + 1024 + 64;
	out = malloc(room + front);
	if (!out)
		fatal("out of memory");
	if (front)
		check(C_GenerateRandom(session, out, front), "C_GenerateRandom");
	cipher_parameter(&mech, &p, front ? out : NULL);
	check(C_EncryptInit(session, &mech, key), "C_EncryptInit");
	check(C_Encrypt(session, data, len, out + front, &room), "C_Encrypt");
	output_write(args, out, front + room, false);
	explicit_bzero(data, len);
	free(data);
	free(out);
	return 0;
}

static int decrypt(const struct ctl_args *args)
{
	const struct mechanism *m = mechanism_of(args, false);
	CK_MECHANISM mech = { m->type, NULL, 0 };
	CK_SESSION_HANDLE session = login_for(args);
	CK_OBJECT_HANDLE key = object_one(session, args, m->secret ? CKO_SECRET_KEY : CKO_PRIVATE_KEY);
	CK_ULONG len, room, iv_len = m->iv == IV_NONE ? 0 : 16;
	unsigned char *data, *out, *text;
	union parameter p;

	data = file_read(args->opt[OPT_IN], &len);
	if (len < iv_len)
		fatal("%s is too short to be encrypted with %s", args->opt[OPT_IN], m->name);
	text = m->iv == IV_FRONT ? data + 16 : data;
	room = len + 1024;
	out = malloc(room);
	if (!out)
		fatal("out of memory");
	cipher_parameter(&mech, &p, m->iv == IV_BEHIND ? data + len - 16 : data);
	check(C_DecryptInit(session, &mech, key), "C_DecryptInit");
	check(C_Decrypt(session, text, len - iv_len, out, &room), "C_Decrypt");
	output_write(args, out, room, true);
	explicit_bzero(out, room);
	free(data);
	free(out);
	return 0;
}

#define CHOICE	(OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE) | OPT(LABEL) | OPT(ID) | OPT(HANDLE) | \
		 OPT(MECHANISM) | OPT(IN))

static const char signers[] =
	"Mechanisms: RSA_PKCS, SHA{1,224,256,384,512}_RSA_PKCS, SHA{256,384,512}_RSA_PKCS_PSS (the salt is\n"
	"as long as the digest), ECDSA_SHA{1,224,256,384,512} and ECDSA (signatures in DER), EDDSA,\n"
	"SHA{256,384,512}_HMAC, AES_CMAC. RSA_PKCS and ECDSA sign the file as it is: a digest.";

static const char places[] =
	"Mechanisms: AES_GCM, AES_CBC_PAD, AES_CTR, RSA_PKCS, RSA_PKCS_OAEP (with SHA-256).\n"
	"AES_GCM: ciphertext, tag, and the 16-byte IV that the token drew. AES_CBC_PAD, AES_CTR: a random\n"
	"16-byte IV, then the ciphertext (CTR: its first 12 bytes, then a 32-bit counter from 1).";

const struct ctl_command crypt_commands[] = {
	{ "sign", "Signs a file", signers, sign, CHOICE | OPT(OUT), NULL },
	{ "verify", "Verifies a file's signature", signers, verify, CHOICE | OPT(SIGNATURE), NULL },
	{ "encrypt", "Encrypts a file", places, encrypt, CHOICE | OPT(OUT), NULL },
	{ "decrypt", "Decrypts a file", places, decrypt, CHOICE | OPT(OUT), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
