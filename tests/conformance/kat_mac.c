// SPDX-License-Identifier: MIT
/* Known answers of digests and of MACs: HMAC, CMAC, GMAC. */
#include "kat.h"

/* ---- digests ---- */

static void digest_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	static const int splits[] = { ONE_SHOT, 1, 63, 64, 4096, RANDOM_PARTS };
	struct bytes once = hex(v, "data"), want = hex(v, "result");
	CK_SHAKE_PARAMS shake = { want.len };
	bool xof = type == CKM_SHAKE_128 || type == CKM_SHAKE_256;
	CK_MECHANISM mech = { type, xof ? &shake : NULL, xof ? sizeof(shake) : 0 };
	size_t repeat = has(v, "repeat") ? number(v, "repeat") : 1, len = once.len * repeat, i;
	unsigned char *data = malloc(len + 1), out[512];
	CK_ULONG out_len;

	assert_non_null(data);
	for (i = 0; i < repeat; i++)
		memcpy(data + i * once.len, once.data, once.len);
	for (i = 0; i < COUNT(splits); i++) {
		if (splits[i] > 0 && len / splits[i] > 1000)
			continue;
		out_len = sizeof(out);
		check_ok(v, run_digest(s, &mech, data, len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want.len);
	}
	free(data);
}

void digests(void **state)
{
	(void)state;
	vectors_run("digest.txt", 90, digest_vector);
	vectors_run("sha3-digest.txt", 52, digest_vector);
	vectors_run("shake.txt", 24, digest_vector);
}

/* ---- HMAC and CMAC ---- */

static void mac_general(struct vector *v, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	CK_MAC_GENERAL_PARAMS cut;
	CK_MECHANISM mech = { type, &cut, sizeof(cut) };
	unsigned char out[64];
	CK_ULONG out_len;

	for (cut = 1; cut <= want.len; cut++) {
		out_len = sizeof(out);
		check_ok(v, run_sign(s, &mech, key, data.data, data.len, cut % 2 ? ONE_SHOT : 7, out,
				     &out_len));
		check_bytes(v, out, out_len, want.data, cut);
		check_ok(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, want.data, cut));
		check_rv(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, want.data, cut + 1),
			 CKR_SIGNATURE_LEN_RANGE);
		out[cut - 1] ^= 1;
		check_rv(v, run_verify(s, &mech, key, data.data, data.len, ONE_SHOT, out, cut),
			 CKR_SIGNATURE_INVALID);
	}
	check_rv(v, p11->C_SignInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	cut = 0;
	check_rv(v, p11->C_SignInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	exercise(type);
}

/* All of the MAC, cut in all ways; with a bit altered anywhere, and shorter, it is not one. */
static void mac_full(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_ULONG want_len)
{
	static const int splits[] = { ONE_SHOT, 1, 13, 16, RANDOM_PARTS };
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[64];
	CK_ULONG out_len;
	size_t i;

	for (i = 0; i < COUNT(splits); i++) {
		out_len = sizeof(out);
		check_ok(v, run_sign(s, mech, key, data.data, data.len, splits[i], out, &out_len));
		check_bytes(v, out, out_len, want.data, want_len);
		check_ok(v, run_verify(s, mech, key, data.data, data.len, splits[i], out, out_len));
		out[(want_len - 1) * i / (COUNT(splits) - 1)] ^= 0x80 >> i;
		check_rv(v, run_verify(s, mech, key, data.data, data.len, splits[i], out, out_len),
			 CKR_SIGNATURE_INVALID);
	}
	check_rv(v, run_verify(s, mech, key, data.data, data.len, ONE_SHOT, want.data, want_len - 1),
		 CKR_SIGNATURE_LEN_RANGE);
}

CK_KEY_TYPE cipher_key_type(const struct vector *v, size_t len)
{
	if (strncmp(v->mech->name, "CKM_DES3", 8))
		return v->mech->key_type ? v->mech->key_type : CKK_AES;
	return len == 16 ? CKK_DES2 : CKK_DES3;
}

void mac_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key");
	CK_OBJECT_HANDLE key = secret_import(s, cipher_key_type(v, value.len), value.data, value.len);
	/* Half a block, if nothing else is said */
	CK_ULONG len = hex(v, "result").len / (type == CKM_DES3_MAC ? 2 : 1);
	CK_MECHANISM mech = { type, NULL, 0 };
	int i;

	mac_full(v, &mech, key, len);
	for (i = 0; i < 2 && v->mech->general[i]; i++)
		if (mechanism_listed(slot_a, v->mech->general[i]))
			mac_general(v, v->mech->general[i], key);
	check_ok(v, p11->C_DestroyObject(s, key));
	if (v->mech->key_type == CKK_AES || v->mech->key_type == CKK_DES3)
		return;
	key = secret_import(s, CKK_GENERIC_SECRET, value.data, value.len);
	mac_full(v, &mech, key, len);
	check_ok(v, p11->C_DestroyObject(s, key));
}

void hmacs(void **state)
{
	(void)state;
	vectors_run("hmac.txt", 35, mac_vector);
	vectors_run("sha3-hmac.txt", 40, mac_vector);
}

void cmacs(void **state)
{
	(void)state;
	vectors_run("cmac.txt", 12, mac_vector);
}

/* The parameter is an IV of 12 bytes (v3.0), or as for GCM, with or without ulIvBits. */
static void gmac_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes value = hex(v, "key"), iv = hex(v, "iv");
	CK_GCM_PARAMS p = { iv.data, iv.len, 8 * iv.len, NULL, 0, 128 };
	struct {
		CK_BYTE_PTR iv;
		CK_ULONG iv_len;
		CK_BYTE_PTR aad;
		CK_ULONG aad_len, tag_bits;
	} old = { iv.data, iv.len, NULL, 0, 128 };
	CK_MECHANISM raw = { type, iv.data, iv.len }, mech = { type, &p, sizeof(p) };
	CK_MECHANISM mech_old = { type, &old, sizeof(old) };
	CK_OBJECT_HANDLE key = secret_import(s, CKK_AES, value.data, value.len);

	for (p.ulTagBits = 32; p.ulTagBits <= 128; p.ulTagBits += 8)
		mac_full(v, &mech, key, p.ulTagBits / 8);
	mac_full(v, &mech_old, key, 16);
	if (iv.len == 12)
		mac_full(v, &raw, key, 16);
	else
		check_rv(v, p11->C_SignInit(s, &raw, key), CKR_MECHANISM_PARAM_INVALID);
	check_ok(v, p11->C_DestroyObject(s, key));
}

void gmac(void **state)
{
	(void)state;
	vectors_run("gmac.txt", 20, gmac_vector);
}
