// SPDX-License-Identifier: MIT
/* Encryption and decryption: what a call tells, keeps and ends, and data that must be refused. */
#include "operations.h"

/* One mechanism through all that may happen to a one-shot call, twice: the second Init is known. */
static void crypt_oneshot(const struct crypt *c)
{
	CK_BYTE sealed[512], opened[512], again[512];
	CK_ULONG len, i;

	print_message("# %s\n", c->name);
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(c));
		assert_rv(encrypt_init(c), CKR_OPERATION_ACTIVE);
		len = 0;
		assert_ok(p11->C_Encrypt(s, text, c->len, NULL, &len));
		assert_int_equal(len, c->out);
		assert_ok(p11->C_Encrypt(s, text, c->len, NULL, &len));
		len = c->out - 1;
		assert_rv(p11->C_Encrypt(s, text, c->len, sealed, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, c->out);
		len = 0;
		assert_rv(p11->C_Encrypt(s, text, c->len, sealed, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, c->out);
		memset(sealed, 0xa5, sizeof(sealed));
		assert_ok(p11->C_Encrypt(s, text, c->len, sealed, &len));
		assert_int_equal(len, c->out);
		assert_int_equal(sealed[c->out], 0xa5);
		no_encryption();

		assert_ok(decrypt_init(c));
		assert_rv(decrypt_init(c), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Decrypt(s, sealed, c->out, NULL, &len));
		assert_int_equal(len, c->most);
		if (c->len) {
			len = c->len - 1;
			assert_rv(p11->C_Decrypt(s, sealed, c->out, opened, &len),
				  CKR_BUFFER_TOO_SMALL);
			assert_true(len >= c->len && len <= c->most);
		}
		/* What comes out fits, though less than the most. */
		len = c->len;
		memset(opened, 0xa5, sizeof(opened));
		assert_ok(p11->C_Decrypt(s, sealed, c->out, opened, &len));
		assert_int_equal(len, c->len);
		assert_memory_equal(opened, text, c->len);
		assert_int_equal(opened[c->len], 0xa5);
		no_decryption();

		/* In place, with a buffer larger than needed. */
		memcpy(again, text, c->len);
		len = sizeof(again);
		assert_ok(encrypt_init(c));
		assert_ok(p11->C_Encrypt(s, again, c->len, again, &len));
		assert_int_equal(len, c->out);
		len = sizeof(again);
		assert_ok(decrypt_init(c));
		assert_ok(p11->C_Decrypt(s, again, c->out, again, &len));
		assert_int_equal(len, c->len);
		assert_memory_equal(again, text, c->len);
	}
}

void crypt_oneshots(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++)
		crypt_oneshot(&crypts[i]);
}

/* NULL arguments and errors end an operation. */
void crypt_ends(void **state)
{
	CK_BYTE out[512];
	CK_ULONG len;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++) {
		print_message("# %s\n", crypts[i].name);
		assert_ok(encrypt_init(&crypts[i]));
		assert_rv(p11->C_Encrypt(s, text, 16, out, NULL), CKR_ARGUMENTS_BAD);
		no_encryption();
		assert_ok(encrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_rv(p11->C_Encrypt(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
		no_encryption();
		assert_ok(decrypt_init(&crypts[i]));
		assert_rv(p11->C_Decrypt(s, text, 16, out, NULL), CKR_ARGUMENTS_BAD);
		no_decryption();
		assert_ok(decrypt_init(&crypts[i]));
		assert_rv(p11->C_Decrypt(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
		no_decryption();
		if (crypts[i].parts) {
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptUpdate(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
			no_encryption();
			assert_ok(encrypt_init(&crypts[i]));
			assert_ok(p11->C_EncryptUpdate(s, text, 8, out, &len));
			len = sizeof(out);
			assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_ACTIVE);
			no_encryption();
			assert_ok(decrypt_init(&crypts[i]));
			assert_ok(p11->C_DecryptUpdate(s, text, 8, out, &len));
			len = sizeof(out);
			assert_rv(p11->C_Decrypt(s, text, 16, out, &len), CKR_OPERATION_ACTIVE);
			no_decryption();
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptFinal(s, out, NULL), CKR_ARGUMENTS_BAD);
			no_encryption();
		} else {
			len = sizeof(out);
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptUpdate(s, text, 16, out, &len),
				  CKR_FUNCTION_NOT_SUPPORTED);
			no_encryption();
			assert_ok(decrypt_init(&crypts[i]));
			assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_FUNCTION_NOT_SUPPORTED);
			no_decryption();
		}
	}
}

void crypt_data_errors(void **state)
{
	static const struct {
		size_t crypt;
		CK_ULONG len;
		CK_RV encrypt, decrypt;
	} rows[] = {
		{ ECB, 15, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ CBC, 17, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ CBC_PAD, 15, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ CBC_PAD, 0, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ CBC_PAD, 32, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ GCM, 15, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ GCM, 16, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ GCM, 60, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ KW, 8, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ KW, 25, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ KW, 32, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ KWP, 0, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ KWP, 16, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ RSA_PKCS, 246, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ RSA_PKCS, 256, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID },
		{ RSA_X509, 255, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ OAEP_SHA1, 215, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ OAEP_SHA1, 256, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID },
		{ OAEP_SHA256, 191, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
	};
	CK_BYTE out[512], ones[256];
	CK_ULONG len;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		print_message("# %s %lu\n", crypts[rows[i].crypt].name, rows[i].len);
		len = sizeof(out);
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		assert_rv(p11->C_Encrypt(s, text, rows[i].len, out, &len), rows[i].encrypt);
		no_encryption();
		len = sizeof(out);
		assert_ok(decrypt_init(&crypts[rows[i].crypt]));
		assert_rv(p11->C_Decrypt(s, text, rows[i].len, out, &len), rows[i].decrypt);
		no_decryption();
	}
	/* Not below the modulus. */
	memset(ones, 0xff, sizeof(ones));
	len = sizeof(out);
	assert_ok(encrypt_init(&crypts[RSA_X509]));
	assert_rv(p11->C_Encrypt(s, ones, 256, out, &len), CKR_DATA_INVALID);
	assert_ok(decrypt_init(&crypts[RSA_X509]));
	assert_rv(p11->C_Decrypt(s, ones, 256, out, &len), CKR_ENCRYPTED_DATA_INVALID);
	/* A block that is not finished. */
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_ok(p11->C_EncryptUpdate(s, text, 20, out, &len));
		assert_int_equal(len, 16);
		len = sizeof(out);
		assert_rv(p11->C_EncryptFinal(s, out, &len), CKR_DATA_LEN_RANGE);
		no_encryption();
		assert_ok(decrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_ok(p11->C_DecryptUpdate(s, text, 20, out, &len));
		len = sizeof(out);
		assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_ENCRYPTED_DATA_LEN_RANGE);
		no_decryption();
	}
}

/* Nothing of a forged message comes out, however it is cut. */
void gcm_forged(void **state)
{
	CK_BYTE sealed[600], out[600], plain[500] = "secret";
	CK_ULONG sealed_len = sizeof(sealed), len, made = 0, i;

	(void)state;
	assert_ok(encrypt_init(&crypts[GCM]));
	assert_ok(p11->C_Encrypt(s, plain, sizeof(plain), sealed, &sealed_len));
	for (i = 0; i < sealed_len; i += 37) {
		sealed[i] ^= 0x10;
		memset(out, 0, sizeof(out));
		assert_ok(decrypt_init(&crypts[GCM]));
		len = sizeof(out);
		assert_rv(p11->C_Decrypt(s, sealed, sealed_len, out, &len),
			  CKR_ENCRYPTED_DATA_INVALID);
		assert_memory_not_equal(out, plain, 6);
		assert_ok(decrypt_init(&crypts[GCM]));
		len = sizeof(out);
		assert_ok(p11->C_DecryptUpdate(s, sealed, sealed_len, out, &len));
		made += len;
		len = sizeof(out);
		assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_ENCRYPTED_DATA_INVALID);
		sealed[i] ^= 0x10;
	}
	assert_int_equal(made, 0);
}

/* Empty data, where a mechanism takes them. */
void nothing_at_all(void **state)
{
	static const struct {
		size_t crypt;
		CK_ULONG out;
	} rows[] = {
		{ ECB, 0 }, { CBC, 0 }, { CBC_PAD, 16 }, { CTR, 0 }, { GCM, 16 }, { RSA_PKCS, 256 },
		{ OAEP_SHA256, 256 },
	};
	CK_BYTE sealed[300], out[300];
	CK_ULONG len, opened;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		print_message("# %s\n", crypts[rows[i].crypt].name);
		len = sizeof(sealed);
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		assert_ok(p11->C_Encrypt(s, NULL, 0, sealed, &len));
		assert_int_equal(len, rows[i].out);
		no_encryption();
		opened = sizeof(out);
		assert_ok(decrypt_init(&crypts[rows[i].crypt]));
		assert_ok(p11->C_Decrypt(s, sealed, len, out, &opened));
		assert_int_equal(opened, 0);
		if (!crypts[rows[i].crypt].parts)
			continue;
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		len = sizeof(out);
		assert_ok(p11->C_EncryptUpdate(s, NULL, 0, out, &len));
		assert_int_equal(len, 0);
		len = sizeof(out);
		assert_ok(p11->C_EncryptFinal(s, out, &len));
		assert_int_equal(len, rows[i].out);
	}
}
