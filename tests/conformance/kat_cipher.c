// SPDX-License-Identifier: MIT
/* Known answers of AES and Triple DES: modes of operation, AES-GCM, AES-XTS, key wrapping. */
#include "kat.h"

/* There and back, in parts as @split says. */
static void both_ways(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
		      struct bytes plain, struct bytes sealed, int split)
{
	unsigned char out[128];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_crypt(true, s, mech, key, plain.data, plain.len, split, out, &out_len));
	check_bytes(v, out, out_len, sealed.data, sealed.len);
	out_len = sizeof(out);
	check_ok(v, run_crypt(false, s, mech, key, sealed.data, sealed.len, split, out, &out_len));
	check_bytes(v, out, out_len, plain.data, plain.len);
}

/* ---- modes ---- */

static void mode_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 15, 16, 17, 32, RANDOM_PARTS };
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	struct bytes iv = hex(v, "iv");
	CK_MECHANISM mech = { type, iv.len ? iv.data : NULL, iv.len };
	CK_AES_CTR_PARAMS ctr = { .ulCounterBits = number(v, "bits") };
	CK_DES_CTR_PARAMS des_ctr = { .ulCounterBits = number(v, "bits") };
	CK_OBJECT_HANDLE key = secret_import(s, cipher_key_type(v, value.len), value.data, value.len);
	size_t i;

	if (type == CKM_AES_CTR) {
		memcpy(ctr.cb, iv.data, sizeof(ctr.cb));
		mech = (CK_MECHANISM){ type, &ctr, sizeof(ctr) };
	} else if (type == CKM_DES3_CTR) {
		memcpy(des_ctr.cb, iv.data, sizeof(des_ctr.cb));
		mech = (CK_MECHANISM){ type, &des_ctr, sizeof(des_ctr) };
	}
	for (i = 0; i < COUNT(splits); i++)
		both_ways(v, &mech, key, data, want, splits[i]);
	check_ok(v, p11->C_DestroyObject(s, key));
}

void aes_modes(void **state)
{
	(void)state;
	vectors_run("aes.txt", 36, mode_vector);
}

static void xts_with(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	static const int splits[] = { ONE_SHOT, 1, 15, 16, 17, RANDOM_PARTS };
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[128];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < COUNT(splits); i++)
		both_ways(v, mech, key, data, want, splits[i]);
	out_len = sizeof(out);
	check_rv(v, run_crypt(true, s, mech, key, data.data, 15, ONE_SHOT, out, &out_len),
		 CKR_DATA_LEN_RANGE);
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, data.data, 15, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_LEN_RANGE);
}

/* With one key as the standard has it, and with two of the vendor's. */
static void xts_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), iv = hex(v, "iv");
	CK_OBJECT_HANDLE both = secret_import(s, CKK_AES_XTS, value.data, value.len);
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len / 2);
	CK_AES_XTS_PARAMS p = {
		.hTweakKey = secret_import(s, CKK_AES, value.data + value.len / 2, value.len / 2),
	};
	CK_MECHANISM one = { type, iv.data, iv.len }, two = { type, &p, sizeof(p) };

	memcpy(p.cb, iv.data, sizeof(p.cb));
	xts_with(v, &one, both);
	xts_with(v, &two, key);
	check_rv(v, p11->C_EncryptInit(s, &one, key), CKR_MECHANISM_PARAM_INVALID);
	check_rv(v, p11->C_EncryptInit(s, &two, both), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, p.hTweakKey));
	p.hTweakKey = key;
	check_rv(v, p11->C_EncryptInit(s, &two, key), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
	check_ok(v, p11->C_DestroyObject(s, both));
}

void xts(void **state)
{
	(void)state;
	vectors_run("xts.txt", 18, xts_vector);
}

/* The ciphers and the MACs of one file */
static void des3_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (v->mech->key_type)
		mac_vector(v, type);
	else
		mode_vector(v, type);
}

void des3(void **state)
{
	(void)state;
	vectors_run("des3.txt", 50, des3_vector);
}

/* Decryption of what was changed: in a tag, the ciphertext, the AAD or the IV. */
static void gcm_forged(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
		       const struct bytes *sealed)
{
	CK_GCM_PARAMS *p = mech->pParameter;
	unsigned char copy[128], out[128];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < sealed->len; i += 5) {
		memcpy(copy, sealed->data, sealed->len);
		copy[i] ^= 1 << i % 8;
		out_len = sizeof(out);
		check_rv(v, run_crypt(false, s, mech, key, copy, sealed->len, i % 2 ? 9 : ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
	}
	p->pIv[p->ulIvLen - 1] ^= 1;
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, sealed->data, sealed->len, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_INVALID);
	p->pIv[p->ulIvLen - 1] ^= 1;
	if (!p->ulAADLen)
		return;
	p->ulAADLen--;
	out_len = sizeof(out);
	check_rv(v, run_crypt(false, s, mech, key, sealed->data, sealed->len, ONE_SHOT, out, &out_len),
		 CKR_ENCRYPTED_DATA_INVALID);
	p->ulAADLen++;
}

static void gcm_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 16, 13, RANDOM_PARTS };
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	struct bytes iv = hex(v, "iv"), aad = hex(v, "aad");
	CK_GCM_PARAMS p = { iv.data, iv.len, 8 * iv.len, aad.data, aad.len, 128 };
	CK_MECHANISM mech = { type, &p, sizeof(p) };
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len);
	CK_ULONG tag;
	size_t i;

	for (tag = 4; tag <= 16; tag++) {
		const struct bytes sealed = { want.data, data.len + tag };

		p.ulTagBits = 8 * tag;
		for (i = 0; i < COUNT(splits); i++)
			both_ways(v, &mech, key, data, sealed, splits[i]);
		gcm_forged(v, &mech, key, &sealed);
	}
	check_ok(v, p11->C_DestroyObject(s, key));
}

void gcm(void **state)
{
	(void)state;
	vectors_run("gcm.txt", 18, gcm_vector);
}

/* ---- key wrap ---- */

static void kw_as_key(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE kek)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	bool aes = data.len == 16 || data.len == 24 || data.len == 32;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = aes ? CKK_AES : CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
	};
	CK_OBJECT_HANDLE key = secret_import(s, type, data.data, data.len), back;
	unsigned char out[64], *value;
	CK_ULONG out_len = sizeof(out), len;

	check_ok(v, p11->C_WrapKey(s, mech, kek, key, out, &out_len));
	check_bytes(v, out, out_len, want.data, want.len);
	check_ok(v, p11->C_UnwrapKey(s, mech, kek, out, out_len, tmpl, 5, &back));
	value = attr_bytes(s, back, CKA_VALUE, &len);
	check_bytes(v, value, len, data.data, data.len);
	free(value);
	out[out_len - 1] ^= 1;
	check_rv(v, p11->C_UnwrapKey(s, mech, kek, out, out_len, tmpl, 5, &back),
		 CKR_WRAPPED_KEY_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void kw_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), data = hex(v, "data"), want = hex(v, "result");
	CK_OBJECT_HANDLE kek = secret_import(s, CKK_AES, value.data, value.len);
	CK_MECHANISM mech = { type, NULL, 0 };
	unsigned char out[64];
	CK_ULONG out_len;
	size_t i;

	both_ways(v, &mech, kek, data, want, ONE_SHOT);
	for (i = 0; i < want.len; i++) {
		want.data[i] ^= 0x10;
		out_len = sizeof(out);
		check_rv(v, run_crypt(false, s, &mech, kek, want.data, want.len, ONE_SHOT, out, &out_len),
			 CKR_ENCRYPTED_DATA_INVALID);
		want.data[i] ^= 0x10;
	}
	kw_as_key(v, &mech, kek);
	check_ok(v, p11->C_DestroyObject(s, kek));
}

void key_wrap(void **state)
{
	(void)state;
	vectors_run("kw.txt", 8, kw_vector);
}
