// SPDX-License-Identifier: MIT
/* RSA signatures, encryption and wrapping against OpenSSL's, with every padding. */
#include <openssl/bn.h>
#include <openssl/core_names.h>

#include "cross.h"

/* ---- keys of OpenSSL ---- */

bool rsa_takes(CK_ULONG bits, size_t e_len)
{
	if (getenv("LUNA_TEST_DAEMON_PID"))
		return true;
	return e_len <= 4 && (bits == 1024 || bits == 1536 || bits == 2048 || bits == 3072 || bits == 4096);
}

struct bytes number_of(EVP_PKEY *pkey, const char *name)
{
	struct bytes b = { NULL, 0 };
	BIGNUM *bn = NULL;

	ossl(EVP_PKEY_get_bn_param(pkey, name, &bn));
	b.len = BN_num_bytes(bn);
	b.data = malloc(b.len + 1);
	assert_non_null(b.data);
	BN_bn2bin(bn, b.data);
	BN_clear_free(bn);
	return b;
}

struct rsa_numbers numbers_of(EVP_PKEY *pkey)
{
	return (struct rsa_numbers){
		number_of(pkey, OSSL_PKEY_PARAM_RSA_N), number_of(pkey, OSSL_PKEY_PARAM_RSA_E),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_D), number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1),
	};
}

void numbers_free(struct rsa_numbers *k)
{
	free(k->n.data);
	free(k->e.data);
	free(k->d.data);
	free(k->p.data);
	free(k->q.data);
	free(k->dp.data);
	free(k->dq.data);
	free(k->qi.data);
}

EVP_PKEY *ossl_rsa(int bits)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), bits);
	return pkey;
}

/* ---- paddings ---- */

static void set_scheme(EVP_PKEY_CTX *ctx, const struct scheme *w, bool signature)
{
	ossl(EVP_PKEY_CTX_set_rsa_padding(ctx, w->padding));
	if (signature && w->md)
		ossl(EVP_PKEY_CTX_set_signature_md(ctx, w->md));
	if (w->padding == RSA_PKCS1_PSS_PADDING)
		ossl(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, w->salt));
	if (w->padding == RSA_PKCS1_OAEP_PADDING)
		ossl(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, w->md));
	if (w->mgf)
		ossl(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, w->mgf));
	if (w->label)
		ossl(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, strdup(w->label), strlen(w->label)));
}

static void ossl_sign(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
		      unsigned char *sig, size_t *sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	ossl(EVP_PKEY_sign_init(ctx));
	set_scheme(ctx, w, true);
	ossl(EVP_PKEY_sign(ctx, sig, sig_len, msg, len));
	EVP_PKEY_CTX_free(ctx);
}

bool ossl_verify(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
		 const unsigned char *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	int ok;

	ossl(EVP_PKEY_verify_init(ctx));
	set_scheme(ctx, w, true);
	ok = EVP_PKEY_verify(ctx, sig, sig_len, msg, len);
	EVP_PKEY_CTX_free(ctx);
	return ok == 1;
}

/* Encrypts, or decrypts, into ROOM bytes; returns how many there are. */
static size_t rsa_crypt_ossl(EVP_PKEY *pkey, const struct scheme *w, bool encrypt,
			     const void *from, size_t len, unsigned char *to)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t to_len = ROOM;

	ossl((encrypt ? EVP_PKEY_encrypt_init : EVP_PKEY_decrypt_init)(ctx));
	set_scheme(ctx, w, false);
	ossl((encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt)(ctx, to, &to_len, from, len));
	EVP_PKEY_CTX_free(ctx);
	return to_len;
}

/* The same key here and there. */
struct pair {
	EVP_PKEY *pkey;
	CK_OBJECT_HANDLE pub, priv;
	size_t size;
	int bits;
};

static struct pair pair_import(int bits)
{
	struct pair pair = { .pkey = ossl_rsa(bits), .size = (bits + 7) / 8, .bits = bits };
	struct rsa_numbers k = numbers_of(pair.pkey);

	pair.pub = rsa_import_public(s, &k);
	pair.priv = rsa_import_private(s, &k, true);
	numbers_free(&k);
	return pair;
}

/* ---- signatures ---- */

/* Token to OpenSSL and back, of @len bytes in data. @msg: what OpenSSL signs */
static void sign_both(const struct pair *pair, CK_MECHANISM *mech, const struct scheme *w, size_t len,
		      const void *msg, size_t msg_len, int split)
{
	unsigned char sig[1024];
	size_t want = sizeof(sig);
	CK_ULONG got = sizeof(sig);

	assert_ok(run_sign(s, mech, pair->priv, data, len, split, sig, &got));
	assert_int_equal(got, pair->size);
	assert_true(ossl_verify(pair->pkey, w, msg, msg_len, sig, got));
	assert_ok(run_verify(s, mech, pair->pub, data, len, split, sig, got));
	sig[got - 1] ^= 1;
	assert_rv(run_verify(s, mech, pair->pub, data, len, split, sig, got), CKR_SIGNATURE_INVALID);
	ossl_sign(pair->pkey, w, msg, msg_len, sig, &want);
	assert_int_equal(want, pair->size);
	assert_ok(run_verify(s, mech, pair->pub, data, len, split, sig, want));
	data[0] ^= 1;
	assert_rv(run_verify(s, mech, pair->pub, data, len, split, sig, want), CKR_SIGNATURE_INVALID);
	data[0] ^= 1;
}

static void sign_pkcs1(const struct pair *pair)
{
	unsigned char digest[64];
	unsigned int n;
	size_t h, len;

	for (h = 0; h < HASHES; h++) {
		const struct scheme w = { .padding = RSA_PKCS1_PADDING, .md = hashes[h].md() };
		CK_MECHANISM mech = { hashes[h].pkcs, NULL, 0 };

		len = 1 + rand() % 50000;
		fresh(data, len);
		ossl(EVP_Digest(data, len, digest, &n, w.md, NULL));
		sign_both(pair, &mech, &w, len, digest, n, ONE_SHOT);
		sign_both(pair, &mech, &w, len, digest, n, RANDOM_PARTS);
	}
	for (len = 1; len <= pair->size - 11; len += 1 + rand() % 30) {
		const struct scheme w = { .padding = RSA_PKCS1_PADDING };
		CK_MECHANISM mech = { CKM_RSA_PKCS, NULL, 0 };

		fresh(data, len);
		sign_both(pair, &mech, &w, len, data, len, ONE_SHOT);
	}
}

static void sign_pss(const struct pair *pair)
{
	unsigned char digest[64];
	size_t h, g, i, len, hlen;
	unsigned int n;
	long salts[4];

	for (h = 0; h < HASHES; h++) {
		hlen = EVP_MD_get_size(hashes[h].md());
		salts[0] = 0;
		salts[1] = (pair->bits - 1 + 7) / 8 - hlen - 2;
		salts[2] = rand() % (salts[1] + 1);
		salts[3] = hlen;
		for (g = 0; g < HASHES; g++) {
			if (!hashes_meet(h, g))
				continue;
			/* A key may be too short for hash and salt of the same length. */
			for (i = 0; i < (salts[3] <= salts[1] ? 4 : 3); i++) {
				CK_RSA_PKCS_PSS_PARAMS p = { hashes[h].type, hashes[g].mgf, salts[i] };
				CK_MECHANISM mech = { hashes[h].pss, &p, sizeof(p) };
				const struct scheme w = {
					.padding = RSA_PKCS1_PSS_PADDING, .md = hashes[h].md(),
					.mgf = hashes[g].md(), .salt = salts[i],
				};

				len = 1 + rand() % 3000;
				fresh(data, len);
				ossl(EVP_Digest(data, len, digest, &n, w.md, NULL));
				sign_both(pair, &mech, &w, len, digest, n, split_of(rand()));
				memcpy(data, digest, n);
				mech.mechanism = CKM_RSA_PKCS_PSS;
				sign_both(pair, &mech, &w, n, digest, n, ONE_SHOT);
			}
		}
	}
}

void rsa_signatures(void **state)
{
	/* 1025 and 1537: the encoding of PSS is a byte shorter than the modulus */
	static const int sizes[] = { 1024, 1025, 1032, 1537, 2047, 2048, 2056 };
	struct pair pair;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		if (!rsa_takes(sizes[i], 3))
			continue;
		pair = pair_import(sizes[i]);
		sign_pkcs1(&pair);
		sign_pss(&pair);
		EVP_PKEY_free(pair.pkey);
	}
}

/* ---- encryption ---- */

static void crypt_both(const struct pair *pair, CK_MECHANISM *mech, const struct scheme *w, size_t len)
{
	CK_ULONG got = ROOM;
	size_t n;

	fresh(data, len);
	assert_ok(run_crypt(true, s, mech, pair->pub, data, len, ONE_SHOT, out, &got));
	assert_int_equal(got, pair->size);
	n = rsa_crypt_ossl(pair->pkey, w, false, out, got, back);
	assert_int_equal(n, len);
	assert_memory_equal(back, data, len);
	n = rsa_crypt_ossl(pair->pkey, w, true, data, len, out);
	got = ROOM;
	assert_ok(run_crypt(false, s, mech, pair->priv, out, n, ONE_SHOT, back, &got));
	assert_int_equal(got, len);
	assert_memory_equal(back, data, len);
}

static void encrypt_oaep(const struct pair *pair, const char *label)
{
	size_t h, g, most;

	for (h = 0; h < HASHES; h++) {
		/* 1024 bits are too few for SHA-512 */
		if (pair->size < 2 * (size_t)EVP_MD_get_size(hashes[h].md()) + 2)
			continue;
		most = pair->size - 2 * EVP_MD_get_size(hashes[h].md()) - 2;
		for (g = 0; g < HASHES; g++) {
			CK_RSA_PKCS_OAEP_PARAMS p = {
				hashes[h].type, hashes[g].mgf, CKZ_DATA_SPECIFIED,
				(void *)label, label ? strlen(label) : 0,
			};
			CK_MECHANISM mech = { CKM_RSA_PKCS_OAEP, &p, sizeof(p) };
			const struct scheme w = {
				.padding = RSA_PKCS1_OAEP_PADDING, .md = hashes[h].md(),
				.mgf = hashes[g].md(), .label = label,
			};

			if (!hashes_meet(h, g))
				continue;
			crypt_both(pair, &mech, &w, 0);
			crypt_both(pair, &mech, &w, most);
			crypt_both(pair, &mech, &w, rand() % (most + 1));
		}
	}
}

void rsa_encryption(void **state)
{
	static const int sizes[] = { 1024, 1025, 1032, 2047, 2048, 2056 };
	CK_MECHANISM pkcs = { CKM_RSA_PKCS, NULL, 0 }, raw = { CKM_RSA_X_509, NULL, 0 };
	const struct scheme pkcs1 = { .padding = RSA_PKCS1_PADDING };
	const struct scheme none = { .padding = RSA_NO_PADDING };
	struct pair pair;
	CK_ULONG got;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		if (!rsa_takes(sizes[i], 3))
			continue;
		pair = pair_import(sizes[i]);
		for (j = 0; j <= pair.size - 11; j += 1 + rand() % 12)
			crypt_both(&pair, &pkcs, &pkcs1, j);
		crypt_both(&pair, &pkcs, &pkcs1, pair.size - 11);
		encrypt_oaep(&pair, NULL);
		encrypt_oaep(&pair, "a label of some length");
		for (j = 0; j < 20; j++) {
			fresh(data, pair.size);
			data[0] = 0;
			got = rsa_crypt_ossl(pair.pkey, &none, true, data, pair.size, back);
			assert_int_equal(got, pair.size);
			got = ROOM;
			assert_ok(run_crypt(true, s, &raw, pair.pub, data, pair.size, ONE_SHOT, out, &got));
			assert_int_equal(got, pair.size);
			assert_memory_equal(out, back, got);
			got = ROOM;
			assert_ok(run_crypt(false, s, &raw, pair.priv, back, pair.size, ONE_SHOT, out, &got));
			assert_int_equal(got, pair.size);
			assert_memory_equal(out, data, got);
		}
		EVP_PKEY_free(pair.pkey);
	}
}

/* With 8i + 1 bits the modulus has a byte that PSS leaves zero. */
void rsa_pss_byte_above(void **state)
{
	const struct scheme none = { .padding = RSA_NO_PADDING };
	const struct scheme pss = { .padding = RSA_PKCS1_PSS_PADDING, .md = EVP_sha256(),
				    .mgf = EVP_sha256(), .salt = 32 };
	CK_RSA_PKCS_PSS_PARAMS p = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
	CK_MECHANISM mech = { CKM_RSA_PKCS_PSS, &p, sizeof(p) };
	unsigned char digest[32], em[129];
	struct bytes n;
	struct pair pair;
	size_t len;

	(void)state;
	if (!rsa_takes(1025, 3))
		skip();
	pair = pair_import(1025);
	n = number_of(pair.pkey, OSSL_PKEY_PARAM_RSA_N);
	do {
		fresh(digest, sizeof(digest));
		len = sizeof(em);
		ossl_sign(pair.pkey, &pss, digest, 32, back, &len);
		assert_ok(run_verify(s, &mech, pair.pub, digest, 32, ONE_SHOT, back, len));
		assert_int_equal(rsa_crypt_ossl(pair.pkey, &none, true, back, len, em), sizeof(em));
		assert_int_equal(em[0], 0);
		em[0] = 1;
	} while (memcmp(em, n.data, sizeof(em)) >= 0);
	len = rsa_crypt_ossl(pair.pkey, &none, false, em, sizeof(em), back);
	assert_false(ossl_verify(pair.pkey, &pss, digest, 32, back, len));
	assert_rv(run_verify(s, &mech, pair.pub, digest, 32, ONE_SHOT, back, len),
		  CKR_SIGNATURE_INVALID);
	free(n.data);
	EVP_PKEY_free(pair.pkey);
}

/* Secret keys under RSA, both ways. */
void rsa_wrap(void **state)
{
	struct pair pair = pair_import(2048);
	unsigned char secret[32];
	CK_OBJECT_HANDLE key;
	size_t h, n;
	CK_ULONG got;

	(void)state;
	for (h = 0; h <= HASHES; h++) {
		bool oaep = h < HASHES;
		CK_RSA_PKCS_OAEP_PARAMS p = { .source = CKZ_DATA_SPECIFIED };
		CK_MECHANISM mech = { CKM_RSA_PKCS, NULL, 0 };
		struct scheme w = { .padding = RSA_PKCS1_PADDING };

		if (oaep) {
			p.hashAlg = hashes[h].type;
			p.mgf = hashes[h].mgf;
			mech = (CK_MECHANISM){ CKM_RSA_PKCS_OAEP, &p, sizeof(p) };
			w = (struct scheme){ .padding = RSA_PKCS1_OAEP_PADDING, .md = hashes[h].md(),
					     .mgf = hashes[h].md() };
		}
		fresh(secret, sizeof(secret));
		key = secret_import(s, CKK_AES, secret, sizeof(secret));
		got = ROOM;
		assert_ok(p11->C_WrapKey(s, &mech, pair.pub, key, out, &got));
		assert_int_equal(rsa_crypt_ossl(pair.pkey, &w, false, out, got, back), sizeof(secret));
		assert_memory_equal(back, secret, sizeof(secret));
		fresh(secret, sizeof(secret));
		n = rsa_crypt_ossl(pair.pkey, &w, true, secret, sizeof(secret), out);
		key = unwrap_secret(&mech, pair.priv, CKK_AES, out, n);
		assert_value(s, key, CKA_VALUE, secret, sizeof(secret));
	}
	EVP_PKEY_free(pair.pkey);
}
