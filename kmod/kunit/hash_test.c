// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hashes, MACs, PBKDF2 and random numbers of the provider: published answers, every length from 0
 * to 4096 in uneven pieces, and what the ops promise beside the numbers.
 */
#include "bytes.h"
#include "hash_answers.h"
#include "host.h"

enum { LENGTH_MAX = 4096 };

static const size_t digest_sizes[LUNA_HASHES] = {
	[LUNA_SHA1] = 20, [LUNA_SHA224] = 28, [LUNA_SHA256] = 32, [LUNA_SHA384] = 48,
	[LUNA_SHA512] = 64, [LUNA_SHA3_224] = 28, [LUNA_SHA3_256] = 32, [LUNA_SHA3_384] = 48,
	[LUNA_SHA3_512] = 64,
};

/* ---- hashes ---- */

static struct luna_hash_stream *hash_begin(struct kunit *test, enum luna_hash hash)
{
	struct luna_hash_stream *s = luna_test_crypto()->hash_begin(hash);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	return s;
}

static void hash_end(struct kunit *test, struct luna_hash_stream *s, u8 *digest)
{
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_final(s, digest), 0);
	luna_test_crypto()->hash_end(s);
}

static void hash_once(struct kunit *test, enum luna_hash hash, const u8 *data, size_t len,
		      u8 *digest)
{
	struct luna_hash_stream *s = hash_begin(test, hash);

	KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_update(s, data, len), 0);
	hash_end(test, s, digest);
}

static void hash_pieces(struct kunit *test, enum luna_hash hash, const u8 *data, size_t len,
			u8 *digest)
{
	struct luna_hash_stream *s = hash_begin(test, hash);
	size_t at, n, round = len;
	int err = 0;

	for (at = 0; at < len && !err; at += n) {
		n = bytes_piece(round++, len - at);
		err = luna_test_crypto()->hash_update(s, data + at, n);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	hash_end(test, s, digest);
}

static void hash_known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hash_answers); i++) {
		enum luna_hash hash = hash_answers[i].hash;
		struct bytes text = bytes_text(test, hash_answers[i].text);
		struct bytes digest = bytes_new(test, digest_sizes[hash]);

		KUNIT_EXPECT_TRUE(test, luna_test_crypto()->hashes & BIT(hash));
		hash_once(test, hash, text.data, text.len, digest.data);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(digest, hash_answers[i].digest), "answer %zu",
				      i);
		memset(digest.data, 0, digest.len);
		hash_pieces(test, hash, text.data, text.len, digest.data);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(digest, hash_answers[i].digest),
				      "answer %zu in pieces", i);
	}
}

static void hash_a_million(struct kunit *test)
{
	struct bytes text = bytes_new(test, 1000);
	size_t i, j;

	memset(text.data, 'a', text.len);
	for (i = 0; i < ARRAY_SIZE(million_answers); i++) {
		enum luna_hash hash = million_answers[i].hash;
		struct bytes digest = bytes_new(test, digest_sizes[hash]);
		struct luna_hash_stream *s = hash_begin(test, hash);

		for (j = 0; j < 1000; j++)
			if (luna_test_crypto()->hash_update(s, text.data, text.len))
				break;
		KUNIT_EXPECT_EQ(test, j, (size_t)1000);
		hash_end(test, s, digest.data);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(digest, million_answers[i].digest), "hash %d",
				      hash);
	}
}

/*
 * The digest of the digests of all lengths, which Python's hashlib made:
 * data = bytes((i * 167 + (i >> 8) * 13 + 5) & 255 for i in range(4096))
 * hashlib.new(h, b"".join(hashlib.new(h, data[:n]).digest() for n in range(4097))).hexdigest()
 */
static const char * const all_lengths[LUNA_HASHES] = {
	[LUNA_SHA1] =
		"b4a0bdb90acbe870aa01a2ec62302f73e22e1065",
	[LUNA_SHA224] =
		"25db229926c6146acfabbedf2f619028a095587905bf98fe70f41507",
	[LUNA_SHA256] =
		"fec19088249d5e9e50c41306d9f2866680d73d01069689bb94a913e12529fdf6",
	[LUNA_SHA384] =
		"b28dbd05a84d0e5f100440ab651a42f3bd6253eeafe69f9534774dcc75472ba4"
		"53ec0e46ac24d55a24319ce6614a2dfc",
	[LUNA_SHA512] =
		"6c5f6d0658119c078dcd5ff94e6a4f15db3c6accd0c03a7caee7f8df4de82756"
		"b6e30121067e503db3ad9ddba61660d4865cbb02f8592ef0883369079c954766",
	[LUNA_SHA3_224] =
		"8e6847a2d0e942e922bc34aa66b348cb87abc1d9f07e4edc3810cb6c",
	[LUNA_SHA3_256] =
		"6ee38cedc589f775ac51f42e38170b8eeb79563fada511c84294945f9525fad6",
	[LUNA_SHA3_384] =
		"44c32bfb5292dc24f6a65dd5615d77052c59b1872d7c1816e3e36f0603044eb7"
		"aa174e7dd89d334a1365f827751edb32",
	[LUNA_SHA3_512] =
		"6e336a7cd53df5c86217c4becf87c85f08748b2f89b21a3b1be52aea0d342e6b"
		"e953509c7fabb923a1efbf9324f7391d117fa298de69515309105cc6091294ab",
};

static void hash_every_length_of(struct kunit *test, enum luna_hash hash, struct bytes data)
{
	struct bytes once = bytes_new(test, digest_sizes[hash]);
	struct bytes pieces = bytes_new(test, digest_sizes[hash]);
	struct luna_hash_stream *all = hash_begin(test, hash);
	size_t len;

	for (len = 0; len <= data.len; len++) {
		hash_once(test, hash, data.data, len, once.data);
		hash_pieces(test, hash, data.data, len, pieces.data);
		if (memcmp(once.data, pieces.data, once.len))
			break;
		KUNIT_ASSERT_EQ(test, luna_test_crypto()->hash_update(all, once.data, once.len), 0);
	}
	KUNIT_EXPECT_EQ_MSG(test, len, data.len + 1, "pieces differ for hash %d", hash);
	hash_end(test, all, once.data);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(once, all_lengths[hash]), "hash %d", hash);
}

static void hash_every_length(struct kunit *test)
{
	struct bytes data = bytes_pattern(test, LENGTH_MAX);
	enum luna_hash hash;

	for (hash = 0; hash < LUNA_HASHES; hash++)
		hash_every_length_of(test, hash, data);
}

/* A stream that is given up leaves nothing behind, and disturbs no other. */
static void hash_given_up(struct kunit *test)
{
	struct bytes digest = bytes_new(test, 32);
	struct luna_hash_stream *kept = hash_begin(test, LUNA_SHA256);
	int i;

	for (i = 0; i < 20; i++) {
		struct luna_hash_stream *s = hash_begin(test, LUNA_SHA256);

		KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_update(s, "x", 1), 0);
		luna_test_crypto()->hash_end(s);
	}
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_update(kept, "abc", 3), 0);
	hash_end(test, kept, digest.data);
	KUNIT_EXPECT_TRUE(test, bytes_are(digest, "ba7816bf8f01cfea414140de5dae2223"
						  "b00361a396177a9cb410ff61f20015ad"));
	luna_test_crypto()->hash_end(NULL);
}

/* ---- MACs ---- */

static struct luna_mac_key *mac_key(struct kunit *test, enum luna_mac_kind kind, struct bytes key)
{
	struct luna_mac_key *k = luna_test_crypto()->mac_key(kind, key.data, key.len);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, k);
	return k;
}

static struct luna_mac_stream *mac_begin(struct kunit *test, struct luna_mac_key *key)
{
	struct luna_mac_stream *s = luna_test_crypto()->mac_begin(key);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	return s;
}

static void mac_end(struct kunit *test, struct luna_mac_stream *s, u8 *mac)
{
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->mac_final(s, mac), 0);
	luna_test_crypto()->mac_end(s);
}

static void mac_once(struct kunit *test, struct luna_mac_key *key, const u8 *data, size_t len,
		     u8 *mac)
{
	struct luna_mac_stream *s = mac_begin(test, key);

	KUNIT_EXPECT_EQ(test, luna_test_crypto()->mac_update(s, data, len), 0);
	mac_end(test, s, mac);
}

static void mac_pieces(struct kunit *test, struct luna_mac_key *key, const u8 *data, size_t len,
		       u8 *mac)
{
	struct luna_mac_stream *s = mac_begin(test, key);
	size_t at, n, round = len;
	int err = 0;

	for (at = 0; at < len && !err; at += n) {
		n = bytes_piece(round++, len - at);
		err = luna_test_crypto()->mac_update(s, data + at, n);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	mac_end(test, s, mac);
}

static void mac_known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mac_answers); i++) {
		struct bytes data = bytes_hex(test, mac_answers[i].data);
		struct bytes mac = bytes_new(test, strlen(mac_answers[i].mac) / 2);
		struct luna_mac_key *key = mac_key(test, mac_answers[i].kind,
						   bytes_hex(test, mac_answers[i].key));

		KUNIT_EXPECT_TRUE(test, luna_test_crypto()->macs & BIT(mac_answers[i].kind));
		mac_once(test, key, data.data, data.len, mac.data);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(mac, mac_answers[i].mac), "answer %zu", i);
		memset(mac.data, 0, mac.len);
		mac_pieces(test, key, data.data, data.len, mac.data);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(mac, mac_answers[i].mac),
				      "answer %zu in pieces", i);
		luna_test_crypto()->mac_key_free(key);
	}
}

/*
 * SHA-256 of the MACs of all lengths with the key 00 01 .. 1f, by Python: hmac.digest()
 * and, for CMAC, cryptography.hazmat.primitives.cmac.
 */
static const char * const all_mac_lengths[LUNA_MACS] = {
	[LUNA_CMAC_AES] =
		"0d0457a0d91d03afd33740997e7b55fe57958826927c9ce32791a5d792492882",
	[LUNA_HMAC + LUNA_SHA1] =
		"7921c6daa1e1d59f4f64b533b78242a19534f6dc41c26e930e9d3ca7d48f05e1",
	[LUNA_HMAC + LUNA_SHA224] =
		"01f80fb1b9595f03ce46786fb93eae876db8b7e4dd850968b531af5cabaea107",
	[LUNA_HMAC + LUNA_SHA256] =
		"571d35c1ea7397e504c6c69e6647189786ac32fb5e38adc55336f207314ff9a7",
	[LUNA_HMAC + LUNA_SHA384] =
		"dfdaae3bf31bef53712e1ad14937308e9a6d4b1327afe3f3c1673d83a93d38c6",
	[LUNA_HMAC + LUNA_SHA512] =
		"4cb7498a96a5cc0342c1e75bd4acdd8c39b7efe4ec21d77cc5eb0f86e65ab134",
	[LUNA_HMAC + LUNA_SHA3_224] =
		"c74bf6cb9c4ed4773b5fb8f8307bb789fd42fea4a952e3e3e4ddea0ccce05f78",
	[LUNA_HMAC + LUNA_SHA3_256] =
		"7a3149e44dc53691f1a57e927168d18024a01b18f59e638ba76016a75e214bda",
	[LUNA_HMAC + LUNA_SHA3_384] =
		"8d17d8aa3ef77512725b85b6fe7c5194ebdb53bdde8a770989533d2b6c972985",
	[LUNA_HMAC + LUNA_SHA3_512] =
		"8c5a67c2c03431dcec7544e5071dc2b3202c87234427ce3c6d9485da38468f18",
};

static void mac_every_length_of(struct kunit *test, enum luna_mac_kind kind, struct bytes data,
				struct bytes key)
{
	size_t size = kind == LUNA_CMAC_AES ? LUNA_AES_BLOCK : digest_sizes[kind - LUNA_HMAC];
	struct bytes once = bytes_new(test, size), pieces = bytes_new(test, size);
	struct bytes digest = bytes_new(test, 32);
	struct luna_hash_stream *all = hash_begin(test, LUNA_SHA256);
	struct luna_mac_key *k = mac_key(test, kind, key);
	size_t len;

	for (len = 0; len <= data.len; len++) {
		mac_once(test, k, data.data, len, once.data);
		mac_pieces(test, k, data.data, len, pieces.data);
		if (memcmp(once.data, pieces.data, size))
			break;
		KUNIT_ASSERT_EQ(test, luna_test_crypto()->hash_update(all, once.data, size), 0);
	}
	KUNIT_EXPECT_EQ_MSG(test, len, data.len + 1, "pieces differ for MAC %d", kind);
	luna_test_crypto()->mac_key_free(k);
	hash_end(test, all, digest.data);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(digest, all_mac_lengths[kind]), "MAC %d", kind);
}

static struct bytes counting_key(struct kunit *test)
{
	struct bytes key = bytes_new(test, 32);
	size_t i;

	for (i = 0; i < key.len; i++)
		key.data[i] = i;
	return key;
}

static void mac_every_length(struct kunit *test)
{
	struct bytes data = bytes_pattern(test, LENGTH_MAX), key = counting_key(test);
	enum luna_mac_kind kind;

	for (kind = 0; kind < LUNA_MACS; kind++)
		mac_every_length_of(test, kind, data, key);
}

/* Two streams of one key at once, one of them given up: neither disturbs the other or the key. */
static void mac_streams_are_apart(struct kunit *test)
{
	struct bytes key = counting_key(test), data = bytes_pattern(test, 100);
	struct bytes first = bytes_new(test, 32), second = bytes_new(test, 32);
	struct luna_mac_key *k = mac_key(test, LUNA_HMAC + LUNA_SHA256, key);
	struct luna_mac_stream *given_up = mac_begin(test, k);

	mac_once(test, k, data.data, data.len, first.data);
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->mac_update(given_up, "x", 1), 0);
	mac_once(test, k, data.data, data.len, second.data);
	KUNIT_EXPECT_EQ(test, memcmp(first.data, second.data, 32), 0);
	luna_test_crypto()->mac_end(given_up);
	mac_pieces(test, k, data.data, data.len, second.data);
	KUNIT_EXPECT_EQ(test, memcmp(first.data, second.data, 32), 0);
	luna_test_crypto()->mac_key_free(k);
	luna_test_crypto()->mac_key_free(NULL);
	luna_test_crypto()->mac_end(NULL);
}

static void mac_empty_key(struct kunit *test)
{
	struct luna_mac_key *key = luna_test_crypto()->mac_key(LUNA_HMAC + LUNA_SHA256, NULL, 0);
	struct bytes mac = bytes_new(test, 32);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	mac_once(test, key, mac.data, 0, mac.data);
	KUNIT_EXPECT_TRUE(test, bytes_are(mac, "b613679a0814d9ec772f95d778c35fc5"
					       "ff1697c493715653c6c712144292c5ad"));
	luna_test_crypto()->mac_key_free(key);
}

/* ---- what is refused ---- */

static void refused(struct kunit *test)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes key = counting_key(test);
	size_t len;

	KUNIT_EXPECT_EQ(test, PTR_ERR(ops->hash_begin(LUNA_HASHES)), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ops->mac_key(LUNA_MACS, key.data, 16)), -EOPNOTSUPP);
	for (len = 0; len <= key.len; len++) {
		struct luna_mac_key *k = ops->mac_key(LUNA_CMAC_AES, key.data, len);
		bool fits = len == 16 || len == 24 || len == 32;

		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(k), fits ? 0 : -EINVAL);
		if (!IS_ERR(k))
			ops->mac_key_free(k);
	}
}

/* ---- PBKDF2 and random numbers ---- */

static const struct {
	enum luna_hash hash;
	const char *pin, *salt;
	u32 iterations;
	const char *out;
} pbkdf2_answers[] = {
	/* RFC 6070 */
	{ LUNA_SHA1, "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
	{ LUNA_SHA1, "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957" },
	{ LUNA_SHA1, "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1" },
	{ LUNA_SHA1, "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096,
	  "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038" },
	/* RFC 7914 */
	{ LUNA_SHA256, "passwd", "salt", 1,
	  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
	  "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783" },
	/* Python's hashlib */
	{ LUNA_SHA3_224, "password", "salt", 1000,
	  "2c63ae34f3c11883e945e556cfe40c4d73541622785040f2c4296fa53966d6c065a55e72"
	  "86113ee1de97fbc0eb8d25b1da09aa69b645312ca404f5d2bd4a2768b84089f17d4873ea" },
	{ LUNA_SHA3_512, "password", "salt", 1000,
	  "e697001cf40fe4623eb67df2ddab791a499451234957133097deffce766fc9839e4642de"
	  "2a1cfea8307d98bde6995bab8cf70453dc8eab92fcba0a02a2ae026e201a0b0caab8218c" },
};

static void pbkdf2_known_answers(struct kunit *test)
{
	size_t i;

	if (!luna_test_crypto()->pbkdf2)
		kunit_skip(test, "left to the engine");
	for (i = 0; i < ARRAY_SIZE(pbkdf2_answers); i++) {
		struct bytes pin = bytes_text(test, pbkdf2_answers[i].pin);
		struct bytes salt = bytes_text(test, pbkdf2_answers[i].salt);
		struct bytes out = bytes_new(test, strlen(pbkdf2_answers[i].out) / 2);
		int err = luna_test_crypto()->pbkdf2(pbkdf2_answers[i].hash, pin.data, pin.len,
						     salt.data, salt.len,
						     pbkdf2_answers[i].iterations, out.data,
						     out.len);

		KUNIT_EXPECT_EQ(test, err, 0);
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, pbkdf2_answers[i].out), "answer %zu", i);
	}
}

/* That all bits of all bytes come up both ways in 64 draws fails once in 2^54 runs. */
static void random_fills_all(struct kunit *test)
{
	enum { DRAWS = 64, SIZE = 61 };
	struct bytes out = bytes_new(test, SIZE), ones = bytes_new(test, SIZE);
	struct bytes zeros = bytes_new(test, SIZE);
	int i, j;

	KUNIT_EXPECT_EQ(test, luna_test_crypto()->random(out.data, 0), 0);
	for (i = 0; i < DRAWS; i++) {
		memset(out.data, 0, SIZE);
		KUNIT_ASSERT_EQ(test, luna_test_crypto()->random(out.data, SIZE), 0);
		for (j = 0; j < SIZE; j++) {
			ones.data[j] |= out.data[j];
			zeros.data[j] |= ~out.data[j];
		}
	}
	for (j = 0; j < SIZE; j++) {
		KUNIT_EXPECT_EQ(test, ones.data[j], 0xff);
		KUNIT_EXPECT_EQ(test, zeros.data[j], 0xff);
	}
}

static struct kunit_case hash_cases[] = {
	KUNIT_CASE(hash_known_answers),
	KUNIT_CASE(hash_a_million),
	KUNIT_CASE(hash_every_length),
	KUNIT_CASE(hash_given_up),
	KUNIT_CASE(mac_known_answers),
	KUNIT_CASE(mac_every_length),
	KUNIT_CASE(mac_streams_are_apart),
	KUNIT_CASE(mac_empty_key),
	KUNIT_CASE(refused),
	KUNIT_CASE(pbkdf2_known_answers),
	KUNIT_CASE(random_fills_all),
	{}
};

static struct kunit_suite hash_suite = {
	.name = "luna-hash",
	.test_cases = hash_cases,
};

kunit_test_suites(&hash_suite);
