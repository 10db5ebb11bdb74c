// SPDX-License-Identifier: MIT
/* The data come out the same however they are cut, and however many they are. */
#include <openssl/evp.h>

#include "operations.h"

/* ---- cuts ---- */

enum { CUT_LEN = 32768 };

static const CK_ULONG cuts[] = {
	0, 1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 14335, 14336, 14337, 16384, 28672, 28673,
	CUT_LEN - 1, CUT_LEN,
};

/* In two Updates, with queries between; *@len: room, then bytes made. */
static void encrypt_cut(const CK_BYTE *in, CK_ULONG in_len, CK_ULONG cut, CK_BYTE *out,
			CK_ULONG *len)
{
	CK_ULONG room = *len, made, need;

	made = room;
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in, cut, out, &made));
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, NULL, &need));
	if (need) {
		*len = need - 1;
		assert_rv(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made,
					       len),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(*len, need);
	}
	*len = need;
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made, len));
	assert_int_equal(*len, need);
	made += need;
	assert_ok(p11->C_EncryptFinal(s, NULL, &need));
	if (need) {
		*len = need - 1;
		assert_rv(p11->C_EncryptFinal(s, out + made, len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(*len, need);
	}
	*len = room - made;
	assert_ok(p11->C_EncryptFinal(s, out + made, len));
	assert_int_equal(*len, need);
	*len += made;
	no_encryption();
}

static void decrypt_cut(const CK_BYTE *in, CK_ULONG in_len, CK_ULONG cut, CK_BYTE *out,
			CK_ULONG *len)
{
	CK_ULONG room = *len, made = room, need;

	assert_ok(p11->C_DecryptUpdate(s, (CK_BYTE *)in, cut, out, &made));
	*len = room - made;
	assert_ok(p11->C_DecryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made, len));
	made += *len;
	assert_ok(p11->C_DecryptFinal(s, NULL, &need));
	*len = room - made;
	assert_ok(p11->C_DecryptFinal(s, out + made, len));
	assert_true(*len <= need);
	*len += made;
	no_decryption();
}

void crypt_cuts(void **state)
{
	CK_ULONG room = CUT_LEN + 64, len, sealed_len, i, at;
	CK_BYTE *plain = malloc(room), *sealed = malloc(room), *out = malloc(room);

	(void)state;
	assert_true(plain && sealed && out);
	for (i = 0; i < CUT_LEN; i++)
		plain[i] = (CK_BYTE)(i * i >> 3);
	for (i = 0; i < COUNT(crypts); i++) {
		if (!crypts[i].parts)
			continue;
		print_message("# %s\n", crypts[i].name);
		sealed_len = room;
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(p11->C_Encrypt(s, plain, CUT_LEN, sealed, &sealed_len));
		for (at = 0; at < COUNT(cuts); at++) {
			len = room;
			memset(out, 0, room);
			assert_ok(encrypt_init(&crypts[i]));
			encrypt_cut(plain, CUT_LEN, cuts[at], out, &len);
			assert_int_equal(len, sealed_len);
			assert_memory_equal(out, sealed, len);
			len = room;
			memset(out, 0, room);
			assert_ok(decrypt_init(&crypts[i]));
			decrypt_cut(sealed, sealed_len, cuts[at], out, &len);
			assert_int_equal(len, CUT_LEN);
			assert_memory_equal(out, plain, len);
		}
	}
	free(plain);
	free(sealed);
	free(out);
}

/* Byte by byte. */
void crypt_drips(void **state)
{
	CK_BYTE sealed[512], out[512];
	CK_ULONG sealed_len, len, made, i, at;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++) {
		if (!crypts[i].parts)
			continue;
		print_message("# %s\n", crypts[i].name);
		sealed_len = sizeof(sealed);
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(p11->C_Encrypt(s, text, crypts[i].len, sealed, &sealed_len));
		assert_ok(encrypt_init(&crypts[i]));
		for (at = 0, made = 0; at < crypts[i].len; at++, made += len) {
			len = sizeof(out) - made;
			assert_ok(p11->C_EncryptUpdate(s, text + at, 1, out + made, &len));
		}
		len = sizeof(out) - made;
		assert_ok(p11->C_EncryptFinal(s, out + made, &len));
		assert_int_equal(made + len, sealed_len);
		assert_memory_equal(out, sealed, sealed_len);
		assert_ok(decrypt_init(&crypts[i]));
		for (at = 0, made = 0; at < sealed_len; at++, made += len) {
			len = sizeof(out) - made;
			assert_ok(p11->C_DecryptUpdate(s, sealed + at, 1, out + made, &len));
		}
		len = sizeof(out) - made;
		assert_ok(p11->C_DecryptFinal(s, out + made, &len));
		assert_int_equal(made + len, crypts[i].len);
		assert_memory_equal(out, text, crypts[i].len);
	}
}

/* ---- large data, and what OpenSSL makes of them ---- */

static const CK_ULONG large[] = { 1 << 20, 5 << 20 };

static CK_BYTE *large_data(CK_ULONG len)
{
	CK_BYTE *data = malloc(len + 64);
	CK_ULONG i;

	assert_non_null(data);
	for (i = 0; i < len; i++)
		data[i] = (CK_BYTE)(i ^ i >> 8 ^ i >> 16);
	return data;
}

static CK_ULONG openssl_encrypt(const char *name, bool pad, const CK_BYTE *in, CK_ULONG len,
				CK_BYTE *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool gcm = strstr(name, "GCM");
	int made = 0, rest = 0, skip;

	assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, key_value,
					     strstr(name, "CTR") ? ctr.cb : iv, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, pad);
	if (gcm)
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &skip, aad, 20), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &made, in, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + made, &rest), 1);
	made += rest;
	if (gcm) {
		assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + made),
				 1);
		made += 16;
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return made;
}

void crypt_large(void **state)
{
	static const struct {
		size_t crypt;
		const char *name;
	} rows[] = {
		{ ECB, "AES-256-ECB" }, { CBC, "AES-256-CBC" }, { CBC_PAD, "AES-256-CBC" },
		{ CTR, "AES-256-CTR" }, { GCM, "AES-256-GCM" },
	};
	CK_BYTE *in, *out, *want;
	CK_ULONG len, want_len;
	size_t i, l;

	(void)state;
	for (l = 0; l < COUNT(large); l++) {
		in = large_data(large[l]);
		out = malloc(large[l] + 64);
		want = malloc(large[l] + 64);
		assert_true(out && want);
		for (i = 0; i < COUNT(rows); i++) {
			print_message("# %s %lu\n", rows[i].name, large[l]);
			want_len = openssl_encrypt(rows[i].name, rows[i].crypt == CBC_PAD, in,
						   large[l], want);
			assert_ok(encrypt_init(&crypts[rows[i].crypt]));
			assert_ok(p11->C_Encrypt(s, in, large[l], NULL, &len));
			assert_int_equal(len, want_len);
			len--;
			assert_rv(p11->C_Encrypt(s, in, large[l], out, &len), CKR_BUFFER_TOO_SMALL);
			assert_int_equal(len, want_len);
			assert_ok(p11->C_Encrypt(s, in, large[l], out, &len));
			assert_int_equal(len, want_len);
			assert_memory_equal(out, want, want_len);
			assert_ok(decrypt_init(&crypts[rows[i].crypt]));
			len = large[l] - 1;
			assert_rv(p11->C_Decrypt(s, out, want_len, want, &len),
				  CKR_BUFFER_TOO_SMALL);
			len = large[l];
			assert_ok(p11->C_Decrypt(s, out, want_len, want, &len));
			assert_int_equal(len, large[l]);
			assert_memory_equal(want, in, len);
			/* In place. */
			memcpy(want, in, large[l]);
			len = large[l] + 64;
			assert_ok(encrypt_init(&crypts[rows[i].crypt]));
			assert_ok(p11->C_Encrypt(s, want, large[l], want, &len));
			assert_memory_equal(out, want, want_len);
		}
		free(in);
		free(out);
		free(want);
	}
}

void digest_large(void **state)
{
	CK_BYTE *in, out[64], want[64];
	CK_ULONG len;
	size_t i, l;

	(void)state;
	for (l = 0; l < COUNT(large); l++) {
		in = large_data(large[l]);
		for (i = 0; i < COUNT(digests); i++) {
			len = sizeof(out);
			assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
			assert_ok(p11->C_Digest(s, in, large[l], out, &len));
			assert_int_equal(EVP_Q_digest(NULL, digests[i].md, NULL, in, large[l], want,
						      NULL), 1);
			assert_memory_equal(out, want, len);
			/* In one Update, too. */
			assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
			assert_ok(p11->C_DigestUpdate(s, in, large[l]));
			assert_ok(p11->C_DigestFinal(s, out, &len));
			assert_memory_equal(out, want, len);
		}
		for (i = 0; i < HMACS; i++) {
			len = sizeof(out);
			assert_ok(sign_init(&signers[i]));
			assert_ok(p11->C_Sign(s, in, large[l], out, &len));
			assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, signers[i].md, NULL,
						  key_value, 32,
						  in, large[l], want, sizeof(want), NULL));
			assert_memory_equal(out, want, len);
			assert_ok(verify_init(&signers[i]));
			assert_ok(p11->C_Verify(s, in, large[l], out, len));
			in[large[l] - 1] ^= 1;
			assert_ok(verify_init(&signers[i]));
			assert_rv(p11->C_Verify(s, in, large[l], out, len), CKR_SIGNATURE_INVALID);
			in[large[l] - 1] ^= 1;
		}
		free(in);
	}
}
