// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES-GCM of whole messages by the kernel's gcm(aes): published answers, lengths to 4096 with uneven
 * AAD, in place, altered messages, and memory that it does not take.
 */
#include <linux/vmalloc.h>

#include "../crypto.h"
#include "bytes.h"
#include "cipher_answers.h"
#include "host.h"

enum { LENGTH_MAX = 4096, TAG = LUNA_AES_BLOCK, AAD_MAX = 80 };

static struct luna_aes_key *key_new(struct kunit *test, struct bytes key)
{
	struct luna_aes_key *k = luna_test_crypto()->aes_key(key.data, key.len);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, k);
	KUNIT_ASSERT_NOT_NULL_MSG(test, luna_kgcm_driver(), "this kernel has no gcm(aes)");
	return k;
}

/*
 * SHA-256 of ciphertexts and tags of all messages of every_length(), one after the other,
 * made with Python's "cryptography".
 */
static const char gcm_messages[] =
	"241ee1eaaf85797938fde6b19210a08e639d85a3ecb0751764a195312bd86d2d";

/**
 * struct message - buffers for one message, in place or not
 * @out: text and, behind it, the tag
 */
struct message {
	struct luna_aes_key *key;
	struct bytes iv, aad, plain, out;
};

static int run(const struct message *m, bool encrypt, const u8 *in, size_t len, u8 *out, u8 *tag)
{
	return luna_kgcm_once(m->key, encrypt, m->iv.data, m->aad.data, m->aad.len, in, len, out,
			      tag);
}

static void one_answer(struct kunit *test, size_t i)
{
	struct bytes sealed = bytes_hex(test, gcm_answers[i].sealed);
	struct message m = {
		.key = key_new(test, bytes_hex(test, gcm_answers[i].key)),
		.iv = bytes_hex(test, gcm_answers[i].iv),
		.aad = bytes_hex(test, gcm_answers[i].aad),
		.plain = bytes_hex(test, gcm_answers[i].plain),
		.out = bytes_new(test, sealed.len),
	};
	size_t len = m.plain.len;

	KUNIT_EXPECT_EQ(test, run(&m, true, m.plain.data, len, m.out.data, m.out.data + len), 0);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(m.out, gcm_answers[i].sealed), "answer %zu", i);
	KUNIT_EXPECT_EQ(test, run(&m, false, sealed.data, len, m.out.data, sealed.data + len), 0);
	KUNIT_EXPECT_TRUE(test, bytes_are((struct bytes){ m.out.data, len }, gcm_answers[i].plain));
	luna_kaes_key_free(m.key);
}

static void known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gcm_answers); i++)
		if (strlen(gcm_answers[i].iv) == 2 * 12)
			one_answer(test, i);
}

/* Seals, opens in place, and tries with every part altered in turn: no byte comes out then. */
static void one_length(struct kunit *test, struct message *m, size_t len)
{
	u8 *out = m->out.data, *tag = out + len, *parts[] = { tag, out, m->aad.data };
	size_t i, at[] = { len % TAG, len ? len / 2 : 0, m->aad.len / 2 };
	u8 *opened = bytes_new(test, len).data;

	KUNIT_ASSERT_EQ(test, run(m, true, m->plain.data, len, out, tag), 0);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		if ((i == 1 && !len) || (i == 2 && !m->aad.len))
			continue;
		memset(opened, 0x5a, len);
		parts[i][at[i]] ^= 0x10;
		KUNIT_EXPECT_EQ(test, run(m, false, out, len, opened, tag), -EBADMSG);
		parts[i][at[i]] ^= 0x10;
		KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(opened, 0, len), "length %zu", len);
	}
	memcpy(opened, m->plain.data, len);
	KUNIT_ASSERT_EQ(test, run(m, false, out, len, out, tag), 0);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(out, m->plain.data, len), 0, "length %zu", len);
	KUNIT_ASSERT_EQ(test, run(m, true, opened, len, opened, tag), 0);
	memcpy(out, opened, len);
	kunit_kfree(test, opened);
}

static void every_length(struct kunit *test)
{
	struct luna_hash_stream *all = luna_test_crypto()->hash_begin(LUNA_SHA256);
	struct bytes aad = bytes_pattern(test, AAD_MAX), digest = bytes_new(test, 32);
	struct message m = {
		.key = key_new(test, bytes_pattern(test, 32)), .iv = bytes_pattern(test, 12),
		.aad = aad, .plain = bytes_pattern(test, LENGTH_MAX),
		.out = bytes_new(test, LENGTH_MAX + TAG),
	};
	size_t len;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, all);
	for (len = 0; len <= LENGTH_MAX; len += len < 300 ? 1 : 37) {
		m.aad.len = len * 7 % (AAD_MAX + 1);
		one_length(test, &m, len);
		KUNIT_ASSERT_EQ(test, luna_test_crypto()->hash_update(all, m.out.data, len + TAG), 0);
	}
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_final(all, digest.data), 0);
	luna_test_crypto()->hash_end(all);
	KUNIT_EXPECT_TRUE(test, bytes_are(digest, gcm_messages));
	luna_kaes_key_free(m.key);
}

/* Memory whose pages lie anywhere is left to the engine, with nothing done. */
static void scattered(struct kunit *test)
{
	struct message m = {
		.key = key_new(test, bytes_pattern(test, 16)), .iv = bytes_pattern(test, 12),
		.aad = bytes_new(test, 0), .plain = bytes_pattern(test, 64),
		.out = bytes_new(test, 64 + TAG),
	};
	u8 *far = vmalloc(64);

	KUNIT_ASSERT_NOT_NULL(test, far);
	memset(far, 0x5a, 64);
	KUNIT_EXPECT_EQ(test, run(&m, true, m.plain.data, 64, far, m.out.data + 64), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, run(&m, false, far, 64, m.out.data, m.out.data + 64), -EOPNOTSUPP);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(far, 0x5a, 64));
	KUNIT_EXPECT_TRUE(test, !memchr_inv(m.out.data, 0, m.out.len));
	vfree(far);
	luna_kaes_key_free(m.key);
}

static struct kunit_case aead_cases[] = {
	KUNIT_CASE(known_answers),
	KUNIT_CASE(every_length),
	KUNIT_CASE(scattered),
	{}
};

static struct kunit_suite aead_suite = {
	.name = "luna-aead",
	.test_cases = aead_cases,
};

kunit_test_suites(&aead_suite);
