// SPDX-License-Identifier: MIT
/*
 * RSA encodings: the vectors of RSA Laboratories ("Test vectors for RSA-OAEP" and "... RSA-PSS",
 * which came with PKCS#1 v2.1), OpenSSL as the other side for every hash, and everything that can
 * be wrong with a padding, against a plain reading of RFC 8017.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "crypto_openssl.h"
#include "fakerng.h"
#include "hex.h"
#include "key.h"

static const struct luna_crypto_ops *ops = &luna_openssl_ops;

static struct luna_num num(const struct bytes *b)
{
	return (struct luna_num){ b->data, b->len };
}

static struct luna_rsa_key *key_from_hex(const char *n, const char *d, u32 *bits)
{
	struct bytes n_bytes = hex(n), e_bytes = hex("010001"), d_bytes = hex(d);
	struct luna_rsa_nums nums = { .n = num(&n_bytes), .e = num(&e_bytes), .d = num(&d_bytes) };
	struct luna_rsa_key *key = ops->rsa_key(&nums);

	assert_false(IS_ERR(key));
	*bits = 8 * (n_bytes.len - 1) + fls(n_bytes.data[0]);
	return key;
}

/* ---- published answers ---- */

static const char oaep_n[] =
	"a8b3b284af8eb50b387034a860f146c4919f318763cd6c5598c8ae4811a1e0ab"
	"c4c7e0b082d693a5e7fced675cf4668512772c0cbc64a742c6c630f533c8cc72"
	"f62ae833c40bf25842e984bb78bdbf97c0107d55bdb662f5c4e0fab9845cb514"
	"8ef7392dd3aaff93ae1e6b667bb3d4247616d4f5ba10d4cfd226de88d39f16fb";
static const char oaep_d[] =
	"53339cfdb79fc8466a655c7316aca85c55fd8f6dd898fdaf119517ef4f52e8fd"
	"8e258df93fee180fa0e4ab29693cd83b152a553d4ac4d1812b8b9fa5af0e7f55"
	"fe7304df41570926f3311f15c4d65a732c483116ee3d3d2d0af3549ad9bf7cbf"
	"b78ad884f84d5beb04724dc7369b31def37d0cf539e9cfcdd3de653729ead5d1";

static void test_oaep_vector(void **state __maybe_unused)
{
	struct bytes msg = hex("750c4047f547e8e41411856523298ac9bae245efaf1397fbe56f9dd5");
	struct bytes seed = hex("0cc742ce4a9b7f32f951bcb251efd925fe4fe35f");
	struct bytes expected = hex(
		"640db1acc58e0568fe5407e5f9b701dff8c3c91e716c536fc7fcec6cb5b71c11"
		"65988d4a279e1577d730fc7a29932e3f00c81515236d8d8e31017a7a09df4352"
		"d904cdeb79aa583adcc31ea698a4c05283daba9089be5491f67c1a4ee48dc74b"
		"bbe6643aef846679b4cb395a352d5ed115912df696ffe0702932946d71492b44");
	const struct luna_crypto_ops *fake = fakerng_ops(ops, 1);
	u8 em[128], out[128];
	u32 bits, len;
	struct luna_rsa_key *key = key_from_hex(oaep_n, oaep_d, &bits);

	fakerng_next(seed.data, seed.len);
	assert_int_equal(luna_oaep_pad(fake, LUNA_SHA1, LUNA_SHA1, NULL, 0, msg.data, msg.len, em,
				       sizeof(em)), 0);
	assert_int_equal(ops->rsa_public(key, em, out), 0);
	assert_memory_equal(out, expected.data, sizeof(out));
	assert_int_equal(ops->rsa_private(key, out, em), 0);
	assert_int_equal(luna_oaep_unpad(fake, LUNA_SHA1, LUNA_SHA1, NULL, 0, em, sizeof(em), out,
					 &len), 0);
	assert_int_equal(len, msg.len);
	assert_memory_equal(out, msg.data, len);
	ops->rsa_key_free(key);
}

/* Moduli of 1024, 1025, 1027 bits: whole bytes, a byte that holds nothing, one of three bits */
static const struct {
	const char *n, *d, *msg, *salt, *sig;
} pss_vectors[] = {
	{
		"a56e4a0e701017589a5187dc7ea841d156f2ec0e36ad52a44dfeb1e61f7ad991"
		"d8c51056ffedb162b4c0f283a12a88a394dff526ab7291cbb307ceabfce0b1df"
		"d5cd9508096d5b2b8b6df5d671ef6377c0921cb23c270a70e2598e6ff89d19f1"
		"05acc2d3f0cb35f29280e1386b6f64c4ef22e1e1f20d0ce8cffb2249bd9a2137",
		"33a5042a90b27d4f5451ca9bbbd0b44771a101af884340aef9885f2a4bbe92e8"
		"94a724ac3c568c8f97853ad07c0266c8c6a3ca0929f1e8f11231884429fc4d9a"
		"e55fee896a10ce707c3ed7e734e44727a39574501a532683109c2abacaba283c"
		"31b4bd2f53c3ee37e352cee34f9e503bd80c0622ad79c6dcee883547c6a3b325",
		"bc656747fa9eafb3f0", "056f00985de14d8ef5cea9e82f8c27bef720335e",
		"4609793b23e9d09362dc21bb47da0b4f3a7622649a47d464019b9aeafe53359c"
		"178c91cd58ba6bcb78be0346a7bc637f4b873d4bab38ee661f199634c547a1ad"
		"8442e03da015b136e543f7ab07c0c13e4225b8de8cce25d4f6eb8400f81f7e18"
		"33b7ee6e334d370964ca79fdb872b4d75223b5eeb08101591fb532d155a6de87",
	}, {
		"01d40c1bcf97a68ae7cdbd8a7bf3e34fa19dcca4ef75a47454375f94514d88fe"
		"d006fb829f8419ff87d6315da68a1ff3a0938e9abb3464011c303ad99199cf0c"
		"7c7a8b477dce829e8844f625b115e5e9c4a59cf8f8113b6834336a2fd2689b47"
		"2cbb5e5cabe674350c59b6c17e176874fb42f8fc3d176a017edc61fd326c4b33"
		"c9",
		"027d147e4673057377fd1ea201565772176a7dc38358d376045685a2e787c23c"
		"15576bc16b9f444402d6bfc5d98a3e88ea13ef67c353eca0c0ddba9255bd7b8b"
		"b50a644afdfd1dd51695b252d22e7318d1b6687a1c10ff75545f3db0fe602d5f"
		"2b7f294e3601eab7b9d1cecd767f64692e3e536ca2846cb0c2dd486a39fa75b1",
		"a7182c83ac18be6570a106aa9d5c4e3dbbd4afaeb0c60c4a23e1969d79ff",
		"8070ef2de945c02387684ba0d33096732235d440",
		"009cd2f4edbe23e12346ae8c76dd9ad3230a62076141f16c152ba18513a48ef6"
		"f010e0e37fd3df10a1ec629a0cb5a3b5d2893007298c30936a95903b6ba85555"
		"d9ec3673a06108fd62a2fda56d1ce2e85c4db6b24a81ca3b496c36d4fd06eb7c"
		"9166d8e94877c42bea622b3bfe9251fdc21d8d5371badad78a488214796335b4"
		"0b",
	}, {
		"054adb7886447efe6f57e0368f06cf52b0a3370760d161cef126b91be7f89c42"
		"1b62a6ec1da3c311d75ed50e0ab5fff3fd338acc3aa8a4e77ee26369acb81ba9"
		"00fa83f5300cf9bb6c53ad1dc8a178b815db4235a9a9da0c06de4e615ea1277c"
		"e559e9c108de58c14a81aa77f5a6f8d1335494498848c8b95940740be7bf7c37"
		"05",
		"fa041f8cd9697ceed38ec8caa275523b4dd72b09a301d3541d72f5d31c05cbce"
		"2d6983b36183af10690bd46c46131e35789431a556771dd0049b57461bf060c1"
		"f68472e8a67c25f357e5b6b4738fa541a730346b4a07649a2dfa806a69c975b6"
		"aba64678acc7f5913e89c622f2d8abb1e3e32554e39df94ba60c002e387d9011",
		"9fb03b827c8217d9", "ed7c98c95f30974fbe4fbddcf0f28d6021c0e91d",
		"0323d5b7bf20ba4539289ae452ae4297080feff4518423ff4811a817837e7d82"
		"f1836cdfab54514ff0887bddeebf40bf99b047abc3ecfa6a37a3ef00f4a0c4a8"
		"8aae0904b745c846c4107e8797723e8ac810d9e3d95dfa30ff4966f4d75d1376"
		"8d20857f2b1406f264cfe75e27d7652f4b5ed3575f28a702f8c4ed9cf9b2d449"
		"48",
	},
};

static void test_pss_vectors(void **state __maybe_unused)
{
	const struct luna_crypto_ops *fake = fakerng_ops(ops, 1);
	u8 digest[LUNA_HASH_MAX], em[BYTES_MAX], out[BYTES_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(pss_vectors); i++) {
		struct bytes msg = hex(pss_vectors[i].msg), salt = hex(pss_vectors[i].salt);
		struct bytes sig = hex(pss_vectors[i].sig);
		u32 bits;
		struct luna_rsa_key *key = key_from_hex(pss_vectors[i].n, pss_vectors[i].d, &bits);

		assert_int_equal(luna_hash_once(ops, LUNA_SHA1, msg.data, msg.len, digest), 0);
		fakerng_next(salt.data, salt.len);
		memset(em, 0xa5, sizeof(em));
		assert_int_equal(
			luna_pss_pad(fake, LUNA_SHA1, LUNA_SHA1, salt.len, digest, em, bits), 0);
		assert_int_equal(ops->rsa_private(key, em, out), 0);
		assert_memory_equal(out, sig.data, sig.len);
		assert_int_equal(ops->rsa_public(key, sig.data, out), 0);
		assert_int_equal(luna_pss_verify(ops, LUNA_SHA1, LUNA_SHA1, salt.len, digest, out,
						 bits), 0);
		assert_int_equal(luna_pss_verify(ops, LUNA_SHA1, LUNA_SHA1, salt.len - 1, digest,
						 out, bits), -EBADMSG);
		ops->rsa_key_free(key);
	}
}

/* ---- OpenSSL on the other side ---- */

static const char *const md_names[LUNA_HASHES] = {
	"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512",
};

enum { K = 256 };

struct pair {
	struct luna_rsa_key *key;
	EVP_PKEY *pkey;
};

static BIGNUM *bn(const u8 *data, u32 len)
{
	return BN_bin2bn(data, len, NULL);
}

/* The same key, ours and OpenSSL's */
static struct pair pair_new(void)
{
	static const u8 e[] = { 1, 0, 1 };
	struct luna_rsa_made *made = ops->rsa_generate(8 * K, e, sizeof(e));
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	struct pair pair = { };
	struct luna_rsa_nums nums;
	BIGNUM *bns[3];
	OSSL_PARAM *params;

	assert_false(IS_ERR(made));
	nums = (struct luna_rsa_nums){
		.n = { made->n, K }, .e = { e, sizeof(e) }, .d = { made->d, K },
		.p = { made->p, K / 2 }, .q = { made->q, K / 2 }, .dp = { made->dp, K / 2 },
		.dq = { made->dq, K / 2 }, .qi = { made->qi, K / 2 },
	};
	pair.key = ops->rsa_key(&nums);
	assert_false(IS_ERR(pair.key));
	bns[0] = bn(made->n, K);
	bns[1] = bn(e, sizeof(e));
	bns[2] = bn(made->d, K);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bns[0]);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bns[1]);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, bns[2]);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &pair.pkey, EVP_PKEY_KEYPAIR, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	for (int i = 0; i < 3; i++)
		BN_clear_free(bns[i]);
	kfree_sensitive(made);
	return pair;
}

static void pair_free(struct pair *pair)
{
	ops->rsa_key_free(pair->key);
	EVP_PKEY_free(pair->pkey);
}

/* A context of OpenSSL for encryption with these */
static EVP_PKEY_CTX *crypt_ctx(struct pair *pair, bool encrypt, int padding, int hash, int mgf,
			       const char *label)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair->pkey, NULL);

	assert_int_equal(encrypt ? EVP_PKEY_encrypt_init(ctx) : EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	if (padding != RSA_PKCS1_OAEP_PADDING)
		return ctx;
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, md_names[hash], NULL), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md_names[mgf], NULL), 1);
	if (*label)
		EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup(label), strlen(label));
	return ctx;
}

static void oaep_both_ways(struct pair *pair, int hash, int mgf, const char *label, u32 len)
{
	const u8 *l = (const u8 *)label;
	u8 msg[K], em[K], wire[K], out[K];
	EVP_PKEY_CTX *ctx;
	size_t out_len = sizeof(out);
	u32 got;

	ops->random(msg, len);
	assert_int_equal(luna_oaep_pad(ops, hash, mgf, l, strlen(label), msg, len, em, K), 0);
	assert_int_equal(ops->rsa_public(pair->key, em, wire), 0);
	ctx = crypt_ctx(pair, false, RSA_PKCS1_OAEP_PADDING, hash, mgf, label);
	assert_int_equal(EVP_PKEY_decrypt(ctx, out, &out_len, wire, K), 1);
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(out_len, len);
	assert_memory_equal(out, msg, len);

	out_len = sizeof(wire);
	ctx = crypt_ctx(pair, true, RSA_PKCS1_OAEP_PADDING, hash, mgf, label);
	assert_int_equal(EVP_PKEY_encrypt(ctx, wire, &out_len, msg, len), 1);
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(ops->rsa_private(pair->key, wire, em), 0);
	assert_int_equal(luna_oaep_unpad(ops, hash, mgf, l, strlen(label), em, K, out, &got), 0);
	assert_int_equal(got, len);
	assert_memory_equal(out, msg, len);
	assert_int_equal(luna_oaep_unpad(ops, hash, mgf, (const u8 *)"other", 5, em, K, out, &got),
			 -EBADMSG);
	assert_int_equal(luna_oaep_unpad(ops, hash, (mgf + 1) % LUNA_HASHES, l, strlen(label), em,
					 K, out, &got),
			 -EBADMSG);
}

static void test_oaep_openssl(void **state __maybe_unused)
{
	struct pair pair = pair_new();

	for (int hash = 0; hash < LUNA_HASHES; hash++) {
		for (int mgf = 0; mgf < LUNA_HASHES; mgf++) {
			u32 most = K - 2 * luna_hash_len(hash) - 2;

			oaep_both_ways(&pair, hash, mgf, "", 1);
			oaep_both_ways(&pair, hash, mgf, "a label", most);
		}
		oaep_both_ways(&pair, hash, hash, "", 0);
	}
	pair_free(&pair);
}

static EVP_PKEY_CTX *sign_ctx(struct pair *pair, bool sign, int padding, int hash, int mgf,
			      int salt)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair->pkey, NULL);

	assert_int_equal(sign ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, padding), 1);
	assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(md_names[hash])),
			 1);
	if (padding == RSA_PKCS1_PSS_PADDING) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, md_names[mgf], NULL), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt), 1);
	}
	return ctx;
}

static void pss_both_ways(struct pair *pair, int hash, int mgf, u32 salt)
{
	u8 digest[LUNA_HASH_MAX], em[K], sig[K];
	u32 hlen = luna_hash_len(hash);
	size_t sig_len = K;
	EVP_PKEY_CTX *ctx;

	ops->random(digest, hlen);
	assert_int_equal(luna_pss_pad(ops, hash, mgf, salt, digest, em, 8 * K), 0);
	assert_int_equal(ops->rsa_private(pair->key, em, sig), 0);
	ctx = sign_ctx(pair, false, RSA_PKCS1_PSS_PADDING, hash, mgf, salt);
	assert_int_equal(EVP_PKEY_verify(ctx, sig, K, digest, hlen), 1);
	EVP_PKEY_CTX_free(ctx);

	ctx = sign_ctx(pair, true, RSA_PKCS1_PSS_PADDING, hash, mgf, salt);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &sig_len, digest, hlen), 1);
	EVP_PKEY_CTX_free(ctx);
	assert_int_equal(ops->rsa_public(pair->key, sig, em), 0);
	assert_int_equal(luna_pss_verify(ops, hash, mgf, salt, digest, em, 8 * K), 0);
	em[K / 2] ^= 1;
	assert_int_equal(luna_pss_verify(ops, hash, mgf, salt, digest, em, 8 * K), -EBADMSG);
	em[K / 2] ^= 1;
	digest[0] ^= 1;
	assert_int_equal(luna_pss_verify(ops, hash, mgf, salt, digest, em, 8 * K), -EBADMSG);
}

static void test_pss_openssl(void **state __maybe_unused)
{
	struct pair pair = pair_new();

	for (int hash = 0; hash < LUNA_HASHES; hash++) {
		u32 hlen = luna_hash_len(hash);

		for (int mgf = 0; mgf < LUNA_HASHES; mgf++)
			pss_both_ways(&pair, hash, mgf, hlen);
		pss_both_ways(&pair, hash, hash, 0);
		pss_both_ways(&pair, hash, hash, 1);
		pss_both_ways(&pair, hash, hash, K - hlen - 2);
	}
	pair_free(&pair);
}

static void test_pss_limits(void **state __maybe_unused)
{
	u8 digest[LUNA_HASH_MAX] = { }, em[K];

	assert_int_equal(luna_pss_pad(ops, LUNA_SHA256, LUNA_SHA256, K - 33, digest, em, 8 * K),
			 -EINVAL);
	assert_int_equal(luna_pss_pad(ops, LUNA_SHA256, LUNA_SHA256, U32_MAX, digest, em, 8 * K),
			 -EINVAL);
	assert_int_equal(luna_pss_verify(ops, LUNA_SHA256, LUNA_SHA256, U32_MAX - 40, digest, em,
					 8 * K), -EINVAL);
	assert_int_equal(luna_pss_pad(ops, LUNA_SHA512, LUNA_SHA512, 0, digest, em, 8 * 64),
			 -EINVAL);
}

/* Every byte of an encoded message counts. */
static void test_pss_tampered(void **state __maybe_unused)
{
	u8 digest[LUNA_HASH_MAX], em[K];

	ops->random(digest, sizeof(digest));
	assert_int_equal(luna_pss_pad(ops, LUNA_SHA256, LUNA_SHA256, 32, digest, em, 8 * K), 0);
	for (u32 i = 0; i < K; i++) {
		em[i] ^= 0x80;
		assert_int_equal(
			luna_pss_verify(ops, LUNA_SHA256, LUNA_SHA256, 32, digest, em, 8 * K),
			-EBADMSG);
		em[i] ^= 0x80;
	}
}

static void test_pkcs1_sign(void **state __maybe_unused)
{
	struct pair pair = pair_new();
	u8 digest[LUNA_HASH_MAX], em[K], sig[K], expected[K];

	for (int hash = 0; hash < LUNA_HASHES; hash++) {
		u32 hlen = luna_hash_len(hash);
		size_t sig_len = K;
		EVP_PKEY_CTX *ctx = sign_ctx(&pair, true, RSA_PKCS1_PADDING, hash, hash, 0);

		ops->random(digest, hlen);
		assert_int_equal(EVP_PKEY_sign(ctx, expected, &sig_len, digest, hlen), 1);
		EVP_PKEY_CTX_free(ctx);
		assert_int_equal(luna_pkcs1_pad_sign(hash, digest, hlen, em, K), 0);
		assert_int_equal(ops->rsa_private(pair.key, em, sig), 0);
		assert_memory_equal(sig, expected, K);
		assert_int_equal(luna_pkcs1_pad_sign(hash, digest, hlen - 1, em, K), -EINVAL);
		assert_int_equal(luna_pkcs1_pad_sign(hash, digest, hlen, em, hlen + 11), -EINVAL);
	}
	assert_int_equal(luna_pkcs1_pad_sign(LUNA_HASHES, digest, 0, em, 11), 0);
	assert_memory_equal(em, "\0\1\xff\xff\xff\xff\xff\xff\xff\xff\0", 11);
	assert_int_equal(luna_pkcs1_pad_sign(LUNA_HASHES, digest, 1, em, 11), -EINVAL);
	assert_int_equal(luna_pkcs1_pad_sign(LUNA_HASHES, digest, 0, em, 10), -EINVAL);
	pair_free(&pair);
}

static void test_pkcs1_openssl(void **state __maybe_unused)
{
	struct pair pair = pair_new();
	u8 msg[K], em[K], wire[K], out[K];
	u32 len, got;

	for (len = 0; len <= K - 11; len += 7) {
		size_t out_len = K;
		EVP_PKEY_CTX *ctx;

		ops->random(msg, len);
		assert_int_equal(luna_pkcs1_pad_encrypt(ops, msg, len, em, K), 0);
		assert_int_equal(ops->rsa_public(pair.key, em, wire), 0);
		ctx = crypt_ctx(&pair, false, RSA_PKCS1_PADDING, 0, 0, "");
		assert_int_equal(EVP_PKEY_decrypt(ctx, out, &out_len, wire, K), 1);
		EVP_PKEY_CTX_free(ctx);
		assert_int_equal(out_len, len);
		assert_memory_equal(out, msg, len);

		out_len = K;
		ctx = crypt_ctx(&pair, true, RSA_PKCS1_PADDING, 0, 0, "");
		assert_int_equal(EVP_PKEY_encrypt(ctx, wire, &out_len, msg, len), 1);
		EVP_PKEY_CTX_free(ctx);
		assert_int_equal(ops->rsa_private(pair.key, wire, em), 0);
		assert_int_equal(luna_pkcs1_unpad_encrypt(em, K, out, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(out, msg, len);
	}
	assert_int_equal(luna_pkcs1_pad_encrypt(ops, msg, K - 10, em, K), -EINVAL);
	pair_free(&pair);
}

/* Padding is drawn again where chance gives zeros. */
static void test_pkcs1_zero_chance(void **state __maybe_unused)
{
	const struct luna_crypto_ops *fake = fakerng_ops(ops, 1);
	static const u8 zeros[64];
	u8 em[64];

	fakerng_next(zeros, sizeof(zeros));
	assert_int_equal(luna_pkcs1_pad_encrypt(fake, zeros, 3, em, sizeof(em)), 0);
	assert_null(memchr(em + 2, 0, sizeof(em) - 6));
	assert_memory_equal(em + sizeof(em) - 4, "\0\0\0\0", 4);
	fakerng_fail(1);
	assert_int_equal(luna_pkcs1_pad_encrypt(fake, zeros, 3, em, sizeof(em)), -EIO);
}

/* ---- what can be wrong, against the plain reading ---- */

static int plain_pkcs1(const u8 *em, u32 k, u32 *at)
{
	if (k < 11 || em[0] != 0 || em[1] != 2)
		return -EBADMSG;
	for (*at = 2; *at < k && em[*at]; )
		++*at;
	if (*at == k || *at < 10)
		return -EBADMSG;
	++*at;
	return 0;
}

static void check_unpad(const u8 *em, u32 k)
{
	u8 *msg = test_malloc(k);
	u8 fallback[BYTES_MAX];
	u32 at, len = 77, i;
	int expected = plain_pkcs1(em, k, &at);

	assert_int_equal(luna_pkcs1_unpad_encrypt(em, k, msg, &len), expected);
	assert_int_equal(len, expected ? 0 : k - at);
	if (!expected)
		assert_memory_equal(msg, em + at, len);
	memset(fallback, 0xfb, sizeof(fallback));
	for (i = 0; i <= k; i++) {
		memset(msg, 0xa5, k);
		luna_pkcs1_unpad_fixed(em, k, fallback, msg, i);
		if (!expected && i == k - at)
			assert_memory_equal(msg, em + at, i);
		else
			assert_memory_equal(msg, fallback, i);
	}
	test_free(msg);
}

static void test_pkcs1_unpad(void **state __maybe_unused)
{
	static const u32 sizes[] = { 1, 2, 10, 11, 12, 16, 64, 65, 127, 128 };
	u8 em[BYTES_MAX];
	u32 s, i, k;

	for (s = 0; s < ARRAY_SIZE(sizes); s++) {
		k = sizes[s];
		for (i = 0; i < k; i++) {	/* the first zero at every place */
			memset(em, 0x33, k);
			em[0] = 0;
			em[1] = 2;
			em[i] = 0;
			check_unpad(em, k);
			em[0] ^= 0x80;
			check_unpad(em, k);
			em[0] ^= 0x80;
			em[1] ^= 1;
			check_unpad(em, k);
		}
		memset(em, 0x33, k);
		em[0] = 0;
		em[1] = 2;
		check_unpad(em, k);
		memset(em, 0, k);
		check_unpad(em, k);
	}
}

static void test_pkcs1_unpad_random(void **state __maybe_unused)
{
	u8 em[48];

	for (u32 i = 0; i < 20000; i++) {
		ops->random(em, sizeof(em));
		em[0] &= 1;
		em[1] = em[1] & 1 ? 2 : em[1] & 3;
		check_unpad(em, sizeof(em));
	}
}

/* A wrong byte anywhere before the message spoils it, and nothing of the message is left. */
static void test_oaep_tampered(void **state __maybe_unused)
{
	u8 msg[32], em[128], out[128];
	u32 len;

	ops->random(msg, sizeof(msg));
	assert_int_equal(luna_oaep_pad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, msg, sizeof(msg), em,
				       sizeof(em)), 0);
	for (u32 i = 0; i < sizeof(em) - sizeof(msg); i++) {
		em[i] ^= 0x10;
		assert_int_equal(luna_oaep_unpad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, em,
						 sizeof(em), out, &len),
				 -EBADMSG);
		assert_int_equal(len, 0);
		assert_null(memchr_inv(out, 0, sizeof(out)));
		em[i] ^= 0x10;
	}
	assert_int_equal(luna_oaep_unpad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, em, 65, out, &len),
			 -EBADMSG);
	assert_int_equal(luna_oaep_pad(ops, LUNA_SHA512, LUNA_SHA1, NULL, 0, msg, 0, em, 129),
			 -EINVAL);
	assert_int_equal(luna_oaep_pad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, msg, 63, em, 128),
			 -EINVAL);
}

/* Input and output in one buffer */
static void test_in_place(void **state __maybe_unused)
{
	u8 buf[128], msg[20];
	u32 len;

	ops->random(msg, sizeof(msg));
	memcpy(buf, msg, sizeof(msg));
	assert_int_equal(luna_pkcs1_pad_encrypt(ops, buf, sizeof(msg), buf, sizeof(buf)), 0);
	assert_int_equal(luna_pkcs1_unpad_encrypt(buf, sizeof(buf), buf, &len), 0);
	assert_int_equal(len, sizeof(msg));
	assert_memory_equal(buf, msg, len);
	assert_int_equal(
		luna_oaep_pad(ops, LUNA_SHA1, LUNA_SHA1, NULL, 0, buf, len, buf, sizeof(buf)), 0);
	assert_int_equal(luna_oaep_unpad(ops, LUNA_SHA1, LUNA_SHA1, NULL, 0, buf, sizeof(buf), buf,
					 &len), 0);
	assert_int_equal(len, sizeof(msg));
	assert_memory_equal(buf, msg, len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oaep_vector),
		cmocka_unit_test(test_pss_vectors),
		cmocka_unit_test(test_oaep_openssl),
		cmocka_unit_test(test_pss_openssl),
		cmocka_unit_test(test_pss_limits),
		cmocka_unit_test(test_pss_tampered),
		cmocka_unit_test(test_pkcs1_sign),
		cmocka_unit_test(test_pkcs1_openssl),
		cmocka_unit_test(test_pkcs1_zero_chance),
		cmocka_unit_test(test_pkcs1_unpad),
		cmocka_unit_test(test_pkcs1_unpad_random),
		cmocka_unit_test(test_oaep_tampered),
		cmocka_unit_test(test_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
