// SPDX-License-Identifier: MIT
/* Secret keys wrapped under AES, by the token and by OpenSSL. */
#include "cross.h"

CK_OBJECT_HANDLE unwrap_secret(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, CK_KEY_TYPE type,
				      const void *wrapped, CK_ULONG len)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
	};
	CK_OBJECT_HANDLE key = 0;

	assert_ok(p11->C_UnwrapKey(s, mech, kek, (CK_BYTE_PTR)wrapped, len, tmpl, COUNT(tmpl), &key));
	return key;
}

void secret_wrap(void **state)
{
	unsigned char value[32], secret[512];
	CK_OBJECT_HANDLE kek, key;
	size_t len, k, pad;
	CK_ULONG got;
	long want;

	(void)state;
	for (k = 0; k < 3; k++) {
		fresh(value, sizeof(value));
		kek = secret_import(s, CKK_AES, value, 16 + 8 * k);
		for (len = 1; len <= sizeof(secret); len += len < 80 ? 1 : 1 + rand() % 40) {
			for (pad = 0; pad < 2; pad++) {
				CK_MECHANISM mech = { pad ? CKM_AES_KWP : CKM_AES_KW, NULL, 0 };
				const struct cipher c = {
					.name = aes_names[k][pad ? WRAP_PAD : WRAP], .key = value,
				};

				if (!pad && (len % 8 || len < 16))
					continue;
				fresh(secret, len);
				key = secret_import(s, CKK_GENERIC_SECRET, secret, len);
				want = ossl_crypt(true, &c, NULL, secret, len, back);
				assert_int_equal(want, (len + 7) / 8 * 8 + 8);
				got = ROOM;
				assert_ok(p11->C_WrapKey(s, &mech, kek, key, out, &got));
				assert_int_equal(got, want);
				assert_memory_equal(out, back, want);
				assert_ok(p11->C_DestroyObject(s, key));
				key = unwrap_secret(&mech, kek, CKK_GENERIC_SECRET, back, want);
				assert_value(s, key, CKA_VALUE, secret, len);
				assert_ok(p11->C_DestroyObject(s, key));
			}
		}
	}
}

/* What OpenSSL opens of @len wrapped bytes in out, and back: @filled bytes, the value and zeros. */
static void wrap_both(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, const struct cipher *c,
		      const unsigned char *secret, size_t len, size_t filled)
{
	CK_OBJECT_HANDLE key = secret_import(s, CKK_GENERIC_SECRET, secret, len);
	unsigned char zeros[16] = { 0 };
	CK_ULONG got = ROOM;
	size_t opened;
	long n;

	assert_ok(p11->C_WrapKey(s, mech, kek, key, out, &got));
	opened = got - c->tag_len;
	assert_int_equal(ossl_crypt(false, c, out + opened, out, opened, back), filled);
	assert_memory_equal(back, secret, len);
	assert_memory_equal(back + len, zeros, filled - len);
	if (filled != len)
		return;
	n = ossl_crypt(true, c, back + opened, secret, len, back);
	assert_int_equal(n, opened);
	key = unwrap_secret(mech, kek, CKK_GENERIC_SECRET, back, got);
	assert_value(s, key, CKA_VALUE, secret, len);
}

/* The ciphers as wrapping mechanisms: ECB and CBC fill up with zeros. */
void cipher_wrap(void **state)
{
	static const size_t lens[] = { 16, 20, 24, 32, 47, 48, 100, 512 };
	unsigned char value[32], iv[16], secret[512];
	CK_GCM_PARAMS p = { iv, 12, 96, NULL, 0, 128 };
	struct {
		CK_MECHANISM mech;
		struct cipher c;
		bool fills;
	} rows[] = {
		{ { CKM_AES_ECB, NULL, 0 }, { .name = "AES-256-ECB", .key = value }, true },
		{ { CKM_AES_CBC, iv, 16 },
		  { .name = "AES-256-CBC", .key = value, .iv = iv }, true },
		{ { CKM_AES_CBC_PAD, iv, 16 },
		  { .name = "AES-256-CBC", .key = value, .iv = iv, .pad = true }, false },
		{ { CKM_AES_GCM, &p, sizeof(p) },
		  { .name = "AES-256-GCM", .key = value, .iv = iv, .iv_len = 12, .tag_len = 16 },
		  false },
	};
	CK_OBJECT_HANDLE kek;
	size_t i, m, blocks;

	(void)state;
	fresh(value, sizeof(value));
	kek = secret_import(s, CKK_AES, value, sizeof(value));
	for (i = 0; i < COUNT(lens); i++) {
		fresh(iv, sizeof(iv));
		fresh(secret, lens[i]);
		blocks = (lens[i] + 15) / 16 * 16;
		for (m = 0; m < COUNT(rows); m++)
			wrap_both(&rows[m].mech, kek, &rows[m].c, secret, lens[i],
				  rows[m].fills ? blocks : lens[i]);
	}
}
