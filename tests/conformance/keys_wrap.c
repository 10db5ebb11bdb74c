// SPDX-License-Identifier: MIT
/*
 * Every mechanism that wraps: the length of what it makes, told and kept, the same key unwrapped,
 * and AES Key Wrap against OpenSSL.
 */
#include <openssl/evp.h>

#include "keys.h"

CK_RSA_PKCS_OAEP_PARAMS oaep = {
	CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, iv, sizeof(iv),
};
static CK_RSA_AES_KEY_WRAP_PARAMS rsa_aes = { 256, &oaep };
static CK_GCM_PARAMS gcm = { iv, 12, 96, NULL, 0, 128 };

const struct wrapper wrappers[WRAPPERS] = {
	[ECB] = { "ECB", { CKM_AES_ECB, NULL, 0 }, BLOCKS },
	[CBC] = { "CBC", { CKM_AES_CBC, PARAM(iv) }, BLOCKS },
	[CBC_PAD] = { "CBC_PAD", { CKM_AES_CBC_PAD, PARAM(iv) }, PAD },
	[KW] = { "KW", { CKM_AES_KW, NULL, 0 }, SEMI },
	[KW_IV] = { "KW, IV", { CKM_AES_KW, iv, 8 }, SEMI },
	[KEY_WRAP] = { "KEY_WRAP", { CKM_AES_KEY_WRAP, NULL, 0 }, SEMI },
	[KWP] = { "KWP", { CKM_AES_KWP, NULL, 0 }, SEMI_PAD },
	[KWP_IV] = { "KWP, IV", { CKM_AES_KWP, iv, 4 }, SEMI_PAD },
	[KEY_WRAP_PAD] = { "KEY_WRAP_PAD", { CKM_AES_KEY_WRAP_PAD, NULL, 0 }, SEMI_PAD },
	[GCM] = { "GCM", { CKM_AES_GCM, PARAM(gcm) }, TAG },
	[RSA_PKCS] = { "RSA PKCS", { CKM_RSA_PKCS, NULL, 0 }, PUBLIC_KEY },
	[OAEP] = { "OAEP", { CKM_RSA_PKCS_OAEP, PARAM(oaep) }, PUBLIC_KEY },
	[RSA_AES] = { "RSA AES", { CKM_RSA_AES_KEY_WRAP, PARAM(rsa_aes) }, PUBLIC_AES },
};

static CK_ULONG wrapped_len(int shape, CK_ULONG len)
{
	switch (shape) {
	case BLOCKS:
		return (len + 15) / 16 * 16;
	case PAD:
		return len / 16 * 16 + 16;
	case SEMI:
		return len + 8;
	case SEMI_PAD:
		return (len + 7) / 8 * 8 + 8;
	case TAG:
		return len + 16;
	case PUBLIC_KEY:
		return 256;
	default:	/* PUBLIC_AES */
		return 256 + (len + 7) / 8 * 8 + 8;
	}
}

CK_RV wrap(const struct wrapper *w, CK_OBJECT_HANDLE target, CK_BYTE *out, CK_ULONG *len)
{
	return p11->C_WrapKey(s, (CK_MECHANISM *)&w->mech, w->shape >= PUBLIC_KEY ? rsa_pub : kek,
			      target, out, len);
}

CK_RV unwrap(const struct wrapper *w, const CK_BYTE *blob, CK_ULONG blob_len, CK_KEY_TYPE type,
	     CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_VALUE_LEN, len),
	};

	return p11->C_UnwrapKey(s, (CK_MECHANISM *)&w->mech,
				w->shape >= PUBLIC_KEY ? rsa_priv : kek, (CK_BYTE *)blob, blob_len,
				tmpl, len ? 4 : 3, key);
}

static void wrap_one(const struct wrapper *w, CK_KEY_TYPE type, CK_ULONG len)
{
	CK_OBJECT_HANDLE target = secret_import(s, type, secret, len), key;
	CK_BYTE blob[512];
	CK_ULONG blob_len = 1, want = wrapped_len(w->shape, len);

	print_message("# %s %lu\n", w->name, len);
	assert_ok(wrap(w, target, NULL, &blob_len));
	assert_int_equal(blob_len, want);
	blob_len = want - 1;
	assert_rv(wrap(w, target, blob, &blob_len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(blob_len, want);
	memset(blob, 0x5a, sizeof(blob));
	assert_ok(wrap(w, target, blob, &blob_len));
	assert_int_equal(blob_len, want);
	assert_int_equal(blob[want], 0x5a);
	assert_ok(unwrap(w, blob, blob_len, type, len, &key));
	assert_value(s, key, CKA_VALUE, secret, len);
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), len);
	assert_false(attr_bool(s, key, CKA_LOCAL));
	assert_false(attr_bool(s, key, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(s, key, CKA_NEVER_EXTRACTABLE));
	assert_true(attr_bool(s, key, CKA_EXTRACTABLE));
	/* Where the length can be told from the blob, it need not be given. */
	if (w->shape != BLOCKS || len % 16 == 0) {
		assert_ok(unwrap(w, blob, blob_len, type, 0, &key));
		assert_value(s, key, CKA_VALUE, secret, len);
	}
	assert_ok(p11->C_DestroyObject(s, key));
	assert_ok(p11->C_DestroyObject(s, target));
}

void wrap_all(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < WRAPPERS; i++) {
		wrap_one(&wrappers[i], CKK_AES, 16);
		wrap_one(&wrappers[i], CKK_AES, 24);
		wrap_one(&wrappers[i], CKK_AES, 32);
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 64);
		if (wrappers[i].shape == SEMI)
			continue;
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 1);
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 21);
	}
}

void wrap_like_openssl(void **state)
{
	static const struct {
		size_t wrapper;
		const char *name;
	} rows[] = { { KW, "AES-256-WRAP" }, { KWP, "AES-256-WRAP-PAD" } };
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 24);
	CK_BYTE blob[64], want[64];
	CK_ULONG len;
	size_t i;
	int made;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, rows[i].name, NULL);
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, kek_value, NULL, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &made, secret, 24), 1);
		len = sizeof(blob);
		assert_ok(wrap(&wrappers[rows[i].wrapper], target, blob, &len));
		assert_int_equal(len, made);
		assert_memory_equal(blob, want, len);
		EVP_CIPHER_CTX_free(ctx);
		EVP_CIPHER_free(cipher);
	}
}

/* What is listed for wrapping wraps; the table above has all of it. */
void every_wrapper_is_tested(void **state)
{
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = 512, i, j, known = 0;
	CK_MECHANISM_INFO info;

	(void)state;
	assert_ok(p11->C_GetMechanismList(slot_a, list, &count));
	for (i = 0; i < count; i++) {
		assert_ok(p11->C_GetMechanismInfo(slot_a, list[i], &info));
		/* Triple DES: in des3.c */
		if (!(info.flags & CKF_WRAP) || list[i] >= CKM_VENDOR_DEFINED ||
		    list[i] == CKM_RSA_X_509 || list[i] == CKM_AES_KEY_WRAP_KWP ||
		    list[i] == CKM_DES3_ECB || list[i] == CKM_DES3_CBC || list[i] == CKM_DES3_CBC_PAD)
			continue;
		for (j = 0; j < WRAPPERS; j++)
			if (wrappers[j].mech.mechanism == list[i])
				break;
		if (j == WRAPPERS)
			fail_msg("mechanism 0x%lx wraps and is not tested", list[i]);
		known++;
	}
	assert_true(known >= 6);
}
