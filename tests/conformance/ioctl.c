// SPDX-License-Identifier: MIT
/*
 * The ABI itself, spoken to the devices without a library: what is refused and how, that nothing is
 * read or written beyond what the caller said, and that no sequence of commands breaks a device.
 * Runs on a FUSE mount and on the kernel module alike (LUNA_DEVICES=/dev); slots 0 and 1 are erased.
 */
#include <unistd.h>

#include "ioctl.h"

/* ---- staged payload ---- */

static CK_RV put(uint32_t s, uint32_t offset, uint32_t len, unsigned char byte)
{
	memset(request(sizeof(f.data), len), byte, len);
	f.hdr.session = s;
	f.data.offset = offset;
	return run(dev, LUNA_DATA_PUT, sizeof(f.data) + len);
}

static CK_RV get(uint32_t s, uint32_t offset, uint32_t len, uint32_t room)
{
	request(sizeof(f.data), 0);
	f.hdr.session = s;
	f.data.offset = offset;
	f.data.length = len;
	return run(dev, LUNA_DATA_GET, sizeof(f.data) + room);
}

static void staging(void **state)
{
	enum { PIECE = 16000 };
	uint32_t s = session_of_co(dev), at, len;

	(void)state;
	/* Offsets other than the bytes that are there, in either direction. */
	assert_rv(put(s, 1, 16, 'x'), CKR_ARGUMENTS_BAD);
	assert_rv(put(s, 0xffffffff, 16, 'x'), CKR_ARGUMENTS_BAD);
	assert_rv(put(s, 0, 16, 'x'), CKR_OK);
	assert_rv(put(s, 15, 16, 'x'), CKR_ARGUMENTS_BAD);
	assert_rv(put(s, 17, 16, 'x'), CKR_ARGUMENTS_BAD);
	assert_rv(put(s, 16, 16, 'x'), CKR_OK);
	assert_rv(put(s, 32, 0, 0), CKR_OK);
	/* Not itself from what is staged, and nothing is there to be fetched. */
	request(sizeof(f.data), 0);
	f.hdr.session = s;
	f.hdr.flags = LUNA_F_STAGED;
	assert_rv(run(dev, LUNA_DATA_PUT, sizeof(f.data)), CKR_ARGUMENTS_BAD);
	assert_rv(get(s, 0, 16, 16), CKR_ARGUMENTS_BAD);

	/* All that there may be, and a byte more. */
	for (at = 0; at < LUNA_STAGE_MAX; at += len) {
		len = LUNA_STAGE_MAX - at < PIECE ? LUNA_STAGE_MAX - at : PIECE;
		assert_rv(put(s, at, len, 'y'), CKR_OK);
	}
	assert_rv(put(s, LUNA_STAGE_MAX, 1, 'y'), CKR_DEVICE_MEMORY);
	assert_rv(put(s, 0, 5, 'z'), CKR_OK);

	/* Another command takes it away, whether it wants it or not. */
	request(sizeof(f.random), 0);
	f.hdr.session = s;
	f.random.length = 8;
	assert_rv(run(dev, LUNA_RANDOM, sizeof(f.random) + 8), CKR_OK);
	assert_rv(put(s, 5, 5, 'z'), CKR_ARGUMENTS_BAD);
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "", 0);
	f.hdr.flags = LUNA_F_STAGED;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 32), CKR_ARGUMENTS_BAD);

	/* The last bytes may come with the command. */
	assert_rv(put(s, 0, 1, 'a'), CKR_OK);
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "bc", 2);
	f.hdr.flags = LUNA_F_STAGED;
	f.op.data_len = f.op.total = 3;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 2 + 32), CKR_OK);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
	/* But not more than fit with them. */
	for (at = 0; at < LUNA_STAGE_MAX; at += len) {
		len = LUNA_STAGE_MAX - at < PIECE ? LUNA_STAGE_MAX - at : PIECE;
		assert_rv(put(s, at, len, 'y'), CKR_OK);
	}
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "bc", 2);
	f.hdr.flags = LUNA_F_STAGED;
	f.op.data_len = f.op.total = LUNA_STAGE_MAX + 2;
	assert_int_not_equal(run(dev, LUNA_OP, sizeof(f.op) + 2 + 32), CKR_OK);
	/* No session, no stage. */
	assert_rv(put(0, 0, 5, 'z'), CKR_SESSION_HANDLE_INVALID);
	assert_rv(put(s + 1, 0, 5, 'z'), CKR_SESSION_HANDLE_INVALID);
}

/* A reply that does not fit is fetched in odd pieces, once. */
static void long_replies(void **state)
{
	enum { LONG = 100000, PIECE = 16000 };
	struct luna_ctr_param ctr = { .counter_bits = 32 };
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), at, len, more, turn;
	unsigned char *text = malloc(LONG);

	(void)state;
	assert_non_null(text);
	memset(text, 'p', LONG);
	for (turn = 0; turn < 2; turn++) {
		/* The parameter is the first of the payload. */
		memcpy(request(sizeof(f.data), sizeof(ctr)), &ctr, sizeof(ctr));
		f.hdr.session = s;
		assert_rv(run(dev, LUNA_DATA_PUT, sizeof(f.data) + sizeof(ctr)), CKR_OK);
		for (at = 0; at < LONG; at += len) {
			len = LONG - at < PIECE ? LONG - at : PIECE;
			memcpy(request(sizeof(f.data), len), text + at, len);
			f.hdr.session = s;
			f.data.offset = sizeof(ctr) + at;
			assert_rv(run(dev, LUNA_DATA_PUT, sizeof(f.data) + len), CKR_OK);
		}
		op_request(s, turn ? LUNA_OP_DECRYPT : LUNA_OP_ENCRYPT,
			   FIRST, CKM_AES_CTR, key, NULL, 0, NULL, 0);
		f.hdr.flags = LUNA_F_STAGED;
		f.op.param_len = sizeof(ctr);
		f.op.data_len = f.op.total = LONG;
		assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 1000), CKR_OK);
		assert_int_equal(f.hdr.out_len, 1000);
		assert_int_equal(f.hdr.more, LONG - 1000);
		assert_int_equal(f.op.out_need, LONG);
		memcpy(text, f.bytes + sizeof(f.op), 1000);
		assert_rv(get(s, 1, 10, 10), CKR_ARGUMENTS_BAD);
		assert_rv(get(s, 0xffffffff, 10, 10), CKR_ARGUMENTS_BAD);
		for (more = LONG - 1000, at = 0; at < more; at += len) {
			/* As much as is wanted, as there is, and as fits. */
			assert_rv(get(s, at, at ? 0xffffffff : 77, at ? 16001 : 100), CKR_OK);
			len = f.hdr.out_len;
			assert_int_equal(f.data.length, len);
			assert_true(len > 0 && len <= more - at && len <= 16001);
			memcpy(text + 1000 + at, f.bytes + sizeof(f.data), len);
		}
		assert_rv(get(s, at, 10, 10), CKR_ARGUMENTS_BAD);
	}
	for (at = 0; at < LONG; at++)
		assert_int_equal(text[at], 'p');
	free(text);
}

/* ---- operations ---- */

static CK_RV piece(uint32_t s, uint32_t step, uint32_t len, uint64_t offset, uint64_t total)
{
	size_t size = op_request(s, LUNA_OP_DIGEST, step, CKM_SHA256, 0, NULL, 0, "abcdefghijklmnop", len);

	f.op.offset = offset;
	f.op.total = total;
	return run(dev, LUNA_OP, size + 64);
}

static void op_pieces(void **state)
{
	uint32_t s = session_new(dev, 0);
	static const uint64_t wrong[] = { 0, 1, 3, 5, 4 + (1ull << 32), 1ull << 63, UINT64_MAX };
	size_t i;

	(void)state;
	assert_rv(piece(s, FIRST, 1, 0, 3), CKR_OK);
	assert_int_equal(f.hdr.out_len, 0);
	assert_rv(piece(s, LUNA_STEP_ONESHOT, 0, 1, 3), CKR_ARGUMENTS_BAD);	/* empty, not the last */
	assert_rv(piece(s, LUNA_STEP_ONESHOT, 2, 1, 3), CKR_OPERATION_NOT_INITIALIZED);
	for (i = 0; i < COUNT(wrong); i++) {
		assert_rv(piece(s, FIRST, 4, 0, 10), CKR_OK);
		assert_int_not_equal(piece(s, LUNA_STEP_ONESHOT, 6, wrong[i], 10), CKR_OK);
		assert_rv(piece(s, LUNA_STEP_ONESHOT, 6, 4, 10), CKR_OPERATION_NOT_INITIALIZED);
	}
	for (i = 0; i < COUNT(wrong); i++) {
		assert_rv(piece(s, FIRST, 4, 0, 10), CKR_OK);
		assert_rv(piece(s, LUNA_STEP_ONESHOT, 6, 4, wrong[i]), CKR_ARGUMENTS_BAD);
	}
	/* More than was said, at once and at last. */
	assert_rv(piece(s, FIRST, 4, 0, 3), CKR_ARGUMENTS_BAD);
	assert_rv(piece(s, FIRST, 2, 0, 3), CKR_OK);
	assert_rv(piece(s, LUNA_STEP_ONESHOT, 2, 2, 3), CKR_ARGUMENTS_BAD);
	/* A first piece that is none; something else in between. */
	assert_rv(piece(s, FIRST, 4, 4, 8), CKR_ARGUMENTS_BAD);
	assert_rv(piece(s, FIRST, 4, 0, 8), CKR_OK);
	assert_rv(piece(s, LUNA_STEP_UPDATE, 4, 0, 4), CKR_OPERATION_ACTIVE);
	assert_rv(piece(s, FIRST, 4, 0, UINT64_MAX), CKR_OK);
	assert_rv(piece(s, LUNA_STEP_CANCEL, 0, 0, 0), CKR_OK);
	/* In order it works. */
	assert_rv(piece(s, FIRST, 1, 0, 3), CKR_OK);
	op_request(s, LUNA_OP_DIGEST, LUNA_STEP_ONESHOT, 0, 0, NULL, 0, "bc", 2);
	f.op.offset = 1;
	f.op.total = 3;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 64), CKR_OK);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

static void op_fields(void **state)
{
	uint32_t s = session_of_co(dev), step, op;
	size_t len;

	(void)state;
	for (op = LUNA_OP_KINDS; op; op <<= 1) {
		op_request(s, op | 8, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		assert_rv(run(dev, LUNA_OP, 256), CKR_ARGUMENTS_BAD);
	}
	/* Steps that exclude each other, and those that no device knows. */
	for (step = 0x40; step; step <<= 1) {
		op_request(s, LUNA_OP_DIGEST, step, CKM_SHA256, 0, NULL, 0, NULL, 0);
		assert_rv(run(dev, LUNA_OP, 256), CKR_ARGUMENTS_BAD);
	}
	for (step = 0; step < 0x40; step++) {
		uint32_t rest = step & ~(uint32_t)LUNA_STEP_INIT;

		if (step && !(rest & (rest - 1)) && !(step & LUNA_STEP_CANCEL && step != LUNA_STEP_CANCEL))
			continue;
		op_request(s, LUNA_OP_DIGEST, step, CKM_SHA256, 0, NULL, 0, NULL, 0);
		assert_rv(run(dev, LUNA_OP, 256), CKR_ARGUMENTS_BAD);
	}
	/* A parameter without INIT, data without a step for it, a signature where none is. */
	len = op_request(s, LUNA_OP_DIGEST, LUNA_STEP_UPDATE, 0, 0, "param", 5, "abc", 3);
	assert_rv(run(dev, LUNA_OP, len), CKR_ARGUMENTS_BAD);
	len = op_request(s, LUNA_OP_DIGEST, LUNA_STEP_FINAL, 0, 0, NULL, 0, "abc", 3);
	assert_rv(run(dev, LUNA_OP, len), CKR_ARGUMENTS_BAD);
	op_request(s, LUNA_OP_SIGN, FIRST, CKM_SHA256_RSA_PKCS, 0, NULL, 0, "abc", 3);
	f.hdr.in_len = 11;
	f.op.sig_len = 8;
	assert_rv(run(dev, LUNA_OP, 256), CKR_ARGUMENTS_BAD);
	/* A parameter that the caller could not translate. */
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
	f.op.param_len = LUNA_PARAM_MALFORMED;
	assert_rv(run(dev, LUNA_OP, 256), CKR_MECHANISM_PARAM_INVALID);
}

/* A request of LUNA_MESSAGE; returns its length. */
static size_t message_request(uint32_t session, uint32_t op, uint32_t step, const void *param,
			      uint32_t param_len, const void *data, uint32_t data_len,
			      uint32_t sig_len)
{
	size_t len = parts_request(sizeof(f.message), session, param, param_len, data, data_len);

	f.message.op = op;
	f.message.step = step;
	f.message.param_len = param_len;
	f.message.data_len = data_len;
	f.message.sig_len = sig_len;
	f.message.total = step == LUNA_STEP_ONESHOT ? data_len : 0;
	f.message.out_max = 4096;
	return len;
}

/* Fields and steps of LUNA_MESSAGE that do not go together, and what each leaves of a message. */
static void message_fields(void **state)
{
	static const struct {
		struct luna_gcm_param head;
		unsigned char iv[12];
	} param = { .head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 } };
	const uint32_t sealing = LUNA_OP_MESSAGE_ENCRYPT, one = LUNA_STEP_ONESHOT;
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), i;
	size_t len;

	(void)state;
#define REFUSED(change)								\
	do {									\
		message_request(s, sealing, one, &param, sizeof(param), "text", 4, 16);	\
		change;								\
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ARGUMENTS_BAD);	\
	} while (0)
	len = message_request(s, sealing, one, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OPERATION_NOT_INITIALIZED);
	/* LUNA_OP does no more than begin and end. */
	for (i = 2; i < 0x80; i <<= 1) {
		op_request(s, sealing, LUNA_STEP_INIT | i, CKM_AES_GCM, key, NULL, 0, NULL, 0);
		assert_rv(run(dev, LUNA_OP, 256), i == LUNA_STEP_FINAL ? CKR_OK : CKR_ARGUMENTS_BAD);
	}
	op_request(s, sealing, LUNA_STEP_INIT, CKM_AES_GCM, key, NULL, 0, NULL, 0);
	assert_rv(run(dev, LUNA_OP, 256), CKR_OK);
	for (i = 0; i < 16; i++)
		if (i < LUNA_OP_MESSAGE_ENCRYPT || i >= LUNA_OP_KINDS)
			REFUSED(f.message.op = i);
	REFUSED(f.message.op = ~0u);
	REFUSED(f.message.step = 0);
	REFUSED(f.message.step = LUNA_STEP_INIT);
	REFUSED(f.message.step = LUNA_STEP_KEY);
	REFUSED(f.message.step = 0x80);
	REFUSED(f.message.step = one | LUNA_STEP_FINAL);
	REFUSED(f.message.step = LUNA_STEP_UPDATE);	/* has no parameter */
	REFUSED(f.message.step = LUNA_STEP_BEGIN);	/* has no data */
	REFUSED(f.message.step = LUNA_STEP_CANCEL);
	REFUSED(f.message.reserved = 1);
	REFUSED(f.message.offset = 1);			/* with the parameter again */
	REFUSED(f.message.data_len = 3);
	REFUSED(f.message.data_len = 5);
	REFUSED(f.message.data_len = ~0u);
	REFUSED(f.message.param_len = LUNA_PARAM_MALFORMED);
	REFUSED(f.message.op = LUNA_OP_MESSAGE_DECRYPT);	/* where is the tag? */
	REFUSED((f.message.op = LUNA_OP_MESSAGE_SIGN, f.message.sig_len = 1));
	REFUSED((f.message.op = LUNA_OP_MESSAGE_SIGN, f.message.sig_len = 0,
		 f.message.generator = 1));
	REFUSED(f.message.out_max = LUNA_OUT_QUERY);	/* a query has no data */
	/* Nothing of all that was the end. */
	len = message_request(s, sealing, one, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OK);
	assert_int_equal(f.hdr.out_len, 4);
	assert_int_equal(f.message.out_need, 4);
	/* A piece that leaves a gap, and one that stops coming: the next message is not held up. */
	message_request(s, sealing, one, &param, sizeof(param), "text", 4, 0);
	f.message.total = 8;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
	message_request(s, sealing, LUNA_STEP_UPDATE, NULL, 0, "text", 4, 0);
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OPERATION_NOT_INITIALIZED);
	message_request(s, sealing, one, NULL, 0, "text", 4, 16);
	f.message.offset = 5;
	f.message.total = 9;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ARGUMENTS_BAD);
	message_request(s, sealing, one, &param, sizeof(param), "text", 4, 0);
	f.message.total = 8;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
	len = message_request(s, sealing, one, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OK);
	/* Lengths that wrap. */
	message_request(s, sealing, one, &param, sizeof(param), "text", 4, 0);
	f.message.total = ~0ull;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_DATA_LEN_RANGE);
	op_request(s, LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_INIT, CKM_AES_GCM, key, NULL, 0, NULL, 0);
	assert_rv(run(dev, LUNA_OP, 256), CKR_OK);
	for (i = 0; i < 34; i++) {
		message_request(s, LUNA_OP_MESSAGE_DECRYPT, one, &param, sizeof(param), "text", 4, 0);
		f.message.total = ~0ull - i;
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ENCRYPTED_DATA_LEN_RANGE);
		message_request(s, LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_BEGIN, &param, sizeof(param),
				NULL, 0, 0);
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
		message_request(s, LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_FINAL, NULL, 0, NULL, 0, 0);
		f.message.data_len = ~0u - i;
		f.message.out_max = LUNA_OUT_QUERY;
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ENCRYPTED_DATA_LEN_RANGE);
	}
#undef REFUSED
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

static void queries(void **state)
{
	uint32_t s = session_of_co(dev), key = aes_new(dev, s);
	unsigned char list[512], *end;
	size_t len;

	(void)state;
	/* A query carries no data and changes nothing. */
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, NULL, 0);
	f.op.data_len = f.op.total = 3;
	f.op.out_max = LUNA_OUT_QUERY;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op)), CKR_OK);
	assert_int_equal(f.op.out_need, 32);
	assert_int_equal(f.hdr.out_len, 0);
	len = op_request(s, LUNA_OP_DIGEST, LUNA_STEP_ONESHOT, 0, 0, NULL, 0, "abc", 3);
	f.op.out_max = 31;
	assert_rv(run(dev, LUNA_OP, len + 32), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(f.op.out_need, 32);
	assert_int_equal(f.hdr.out_len, 0);
	len = op_request(s, LUNA_OP_DIGEST, LUNA_STEP_ONESHOT, 0, 0, NULL, 0, "abc", 3);
	f.op.out_max = 32;
	assert_rv(run(dev, LUNA_OP, len + 32), CKR_OK);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
	/* With data it is none. */
	len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
	f.op.out_max = LUNA_OUT_QUERY;
	assert_rv(run(dev, LUNA_OP, len + 32), CKR_ARGUMENTS_BAD);

	/* The wrapped key's length; a wrapping key that is the key itself makes no difference. */
	end = put_bool(put_secret(list, false, 16), CKA_EXTRACTABLE, true);
	assert_rv(aes_generate(dev, s, list, end - list), CKR_OK);
	len = f.key.handle;
	request(sizeof(f.key), 0);
	f.hdr.session = s;
	f.key.mechanism = CKM_AES_KWP;
	f.key.key = key;
	f.key.target = len;
	f.key.out_max = LUNA_OUT_QUERY;
	assert_rv(run(dev, LUNA_WRAP, sizeof(f.key)), CKR_OK);
	assert_int_equal(f.key.out_need, 24);
	assert_int_equal(f.hdr.out_len, 0);
	f.hdr.in_len = 0;
	f.key.out_max = 23;
	assert_rv(run(dev, LUNA_WRAP, sizeof(f.key) + 64), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(f.key.out_need, 24);
	f.key.out_max = 24;
	assert_rv(run(dev, LUNA_WRAP, sizeof(f.key) + 64), CKR_OK);
	assert_int_equal(f.hdr.out_len, 24);

	request(sizeof(f.blob), 0);
	f.blob.out_max = LUNA_OUT_QUERY;
	assert_rv(run(dev, LUNA_HA_MASTER_PUBLIC, sizeof(f.blob)), CKR_OK);
	assert_true(f.blob.out_need > 200 && f.blob.out_need < 8192);
	assert_int_equal(f.hdr.out_len, 0);
	/* Without a session nothing can wait: a reply must fit. */
	request(sizeof(f.blob), 0);
	f.blob.out_max = 8192;
	assert_int_not_equal(run(dev, LUNA_HA_MASTER_PUBLIC, sizeof(f.blob) + 16), CKR_OK);
	assert_int_equal(f.hdr.more, 0);

	/* More random bytes than fit. */
	request(sizeof(f.random), 0);
	f.hdr.session = s;
	f.random.length = 0xffffffff;
	assert_rv(run(dev, LUNA_RANDOM, sizeof(f.random) + 64), CKR_ARGUMENTS_BAD);
}

/* ---- what a reply holds ---- */

/* Beyond request and reply the buffer is as it was, or zero; @fill tells. */
static void assert_untouched(size_t len, unsigned char fill)
{
	uint32_t used = f.hdr.in_len > f.hdr.out_len ? f.hdr.in_len : f.hdr.out_len;
	size_t i;

	for (i = f.hdr.size + used; i < len; i++)
		if (f.bytes[i] != fill && f.bytes[i])
			fail_msg("byte %zu behind the reply of %u bytes is 0x%02x", i,
				 f.hdr.size + f.hdr.out_len, f.bytes[i]);
	for (; i < sizeof(f); i++)
		assert_int_equal(f.bytes[i], fill);
}

/* Runs the request that is in the frame twice, on two backgrounds: the replies must be equal. */
static void defined(const char *what, uint32_t nr, size_t len, bool repeatable)
{
	static union frame asked, first;
	static const unsigned char fills[] = { 0xa5, 0x5a };
	size_t i;

	asked = f;
	for (i = 0; i < 2; i++) {
		f = asked;
		memset(f.bytes + f.hdr.size + f.hdr.in_len, fills[i],
		       sizeof(f) - f.hdr.size - f.hdr.in_len);
		run(dev, nr, len);
		assert_untouched(len, fills[i]);
		if (!i) {
			first = f;
			continue;
		}
		assert_int_equal(f.hdr.rv, first.hdr.rv);
		assert_int_equal(f.hdr.out_len, first.hdr.out_len);
		if (repeatable && memcmp(f.bytes + f.hdr.size, first.bytes + f.hdr.size, f.hdr.out_len))
			fail_msg("the reply of %s is not defined in full", what);
	}
}

static void no_stale_bytes(void **state)
{
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), obj, i, types[] = {
		CKA_CLASS, CKA_LABEL, CKA_TOKEN, CKA_VALUE, CKA_VALUE_LEN, CKA_ID, CKA_KEY_TYPE, 0x7fffffff,
	};
	unsigned char *p, *end;
	struct luna_attr attr;
	size_t len, at, j;

	(void)state;
	assert_rv(data_new(dev, s, 'x', 13, &obj), CKR_OK);
	request(sizeof(f.mech_list), 0);
	defined("MECH_LIST", LUNA_MECH_LIST, LUNA_IOC_MAX, true);
	assert_int_equal(f.hdr.out_len, f.mech_list.count * sizeof(struct luna_mech_info));
	request(sizeof(f.provider_list), 0);
	defined("PROVIDER_LIST", LUNA_PROVIDER_LIST, LUNA_IOC_MAX, true);
	assert_int_equal(f.hdr.out_len, f.provider_list.count * sizeof(struct luna_provider));
	for (i = 0; i < 2; i++) {
		request(sizeof(f.policy_list), 0);
		f.policy_list.scope = i;
		defined("POLICY_LIST", LUNA_POLICY_LIST, LUNA_IOC_MAX, true);
		assert_int_equal(f.hdr.out_len, f.policy_list.count * sizeof(struct luna_policy));
	}
	request(sizeof(f.slot_info), 0);
	defined("SLOT_INFO", LUNA_SLOT_INFO, 1024, true);
	request(sizeof(f.slot_info), 0);
	memset(f.bytes + sizeof(f.hdr), PATTERN, sizeof(f.slot_info) - sizeof(f.hdr));
	assert_rv(run(dev, LUNA_SLOT_INFO, sizeof(f.slot_info)), CKR_OK);
	assert_null(memchr(f.slot_info.slot_description, PATTERN, sizeof(f.slot_info) - sizeof(f.hdr)));
	request(sizeof(f.mofn_status), 0);
	memset(f.bytes + sizeof(f.hdr), PATTERN, FIELD(luna_mofn_status, reserved) - sizeof(f.hdr));
	assert_rv(run(dev, LUNA_MOFN_STATUS, sizeof(f.mofn_status)), CKR_OK);
	assert_null(memchr(&f.mofn_status.id, PATTERN, sizeof(f.mofn_status) - sizeof(f.hdr)));
	request(sizeof(f.find), 0);
	f.hdr.session = s;
	f.find.max = 0xffffffff;
	defined("FIND", LUNA_FIND, 4096, true);
	assert_int_equal(f.hdr.out_len, f.find.count * 4);
	assert_true(f.find.count >= 2);
	/* Failure leaves nothing of what was computed. */
	request(sizeof(f.object), 0);
	f.hdr.session = s;
	f.object.handle = 12345678;
	defined("OBJECT_SIZE", LUNA_OBJECT_SIZE, 4096, true);
	assert_int_equal(f.hdr.out_len, 0);
	/* Values: those that are there, are not, are secret, do not fit. */
	for (j = 0; j < 2; j++) {
		p = end = request(sizeof(f.object), 0);
		for (i = 0; i < COUNT(types); i++, end += sizeof(attr)) {
			attr = (struct luna_attr){ types[i], i % 3 ? 64 : i ? 2 : LUNA_OUT_QUERY };
			memcpy(end, &attr, sizeof(attr));
		}
		f.hdr.session = s;
		f.hdr.in_len = f.object.template_len = end - p;
		f.object.handle = j ? key : obj;
		defined("ATTR_GET", LUNA_ATTR_GET, 4096, true);
		for (at = i = 0; i < COUNT(types); i++) {
			assert_true(at + sizeof(attr) <= f.hdr.out_len);
			memcpy(&attr, f.bytes + f.hdr.size + at, sizeof(attr));
			assert_int_equal(attr.type, types[i]);
			at += sizeof(attr);
			if (attr.len == LUNA_ATTR_UNAVAILABLE || i % 3 == 0)
				continue;
			for (len = attr.len; len % 8; len++)
				assert_int_equal(f.bytes[f.hdr.size + at + len], 0);
			at += len;
		}
	}
	len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
	defined("OP", LUNA_OP, 4096, true);
	assert_int_equal(f.hdr.out_len, 32);
	/* A key of the right kind that may not do it, a ciphertext that is none. */
	len = op_request(s, LUNA_OP_DECRYPT, FIRST, CKM_AES_CBC_PAD, key, "0123456789abcdef", 16,
			 "0123456789abcdef0123456789abcdef", 32);
	f.op.out_max = 4096;
	defined("CBC_PAD", LUNA_OP, 4096, true);
	request(sizeof(f.random), 0);
	f.hdr.session = s;
	f.random.length = 33;
	defined("RANDOM", LUNA_RANDOM, 4096, false);
	assert_int_equal(f.hdr.out_len, 33);
	/* The reply is written over the request, but not beyond its own end. */
	for (i = 0; i < command_count; i++) {
		/* What was sent is gone after the first restore. */
		if (commands[i].nr == LUNA_INIT_TOKEN || commands[i].nr == LUNA_IMAGE_RESTORE)
			continue;
		request(commands[i].size, 0);
		f.hdr.session = commands[i].session ? 0x7fffffff : 0;
		defined(commands[i].name, commands[i].nr, LUNA_IOC_MAX, false);
	}
}

/* ---- several files ---- */

static void other_files(void **state)
{
	int other = device_open(0), b = device_open(1);
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), t;
	size_t i;

	(void)state;
	/* Sessions, the login and session objects belong to their file. */
	for (i = 0; i < command_count; i++) {
		if (!commands[i].session)
			continue;
		request(commands[i].size, 0);
		f.hdr.session = s;
		assert_rv(run(other, commands[i].nr, 4096), CKR_SESSION_HANDLE_INVALID);
		request(commands[i].size, 0);
		f.hdr.session = s;
		assert_rv(run(b, commands[i].nr, 4096), CKR_SESSION_HANDLE_INVALID);
	}
	t = session_new(other, CKF_RW_SESSION);
	request(sizeof(f.session_info), 0);
	f.hdr.session = t;
	assert_rv(run(other, LUNA_SESSION_INFO, sizeof(f.session_info)), CKR_OK);
	assert_int_equal(f.session_info.state, CKS_RW_PUBLIC_SESSION);
	assert_int_equal(f.session_info.role, LUNA_ROLE_NONE);
	request(sizeof(f.object), 0);
	f.hdr.session = t;
	f.object.handle = key;
	assert_rv(run(other, LUNA_OBJECT_SIZE, sizeof(f.object)), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(plain(other, LUNA_RESET, 0), CKR_OK);
	digest_works(dev, s);
	assert_rv(plain(dev, LUNA_RESET, 0), CKR_OK);
	close(other);
	close(b);
}

/* What a file leaves open ends with it, though perhaps not at once. */
static void closed_file(void **state)
{
	int other = device_open(0), i;
	CK_RV rv;

	(void)state;
	for (i = 0; i < 10; i++)
		session_of_co(i ? (plain(other, LUNA_LOGOUT, 1), other) : other);
	aes_new(other, 1);
	assert_rv(init_token(dev, SO_PIN), CKR_SESSION_EXISTS);
	close(other);
	for (i = 0, rv = CKR_SESSION_EXISTS; i < 250 && rv == CKR_SESSION_EXISTS; i++) {
		rv = init_token(dev, SO_PIN);
		if (rv == CKR_SESSION_EXISTS)
			usleep(20000);
	}
	assert_rv(rv, CKR_OK);
	prepare(0);
}

static int setup(void **state)
{
	(void)state;
	prepare(0);
	prepare(1);
	dev = device_open(0);
	return 0;
}

/* No test sees what another one, perhaps a failed one, has left. */
static int fresh(void **state)
{
	(void)state;
	assert_rv(plain(dev, LUNA_RESET, 0), CKR_OK);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dev);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(unknown_commands, fresh),
		cmocka_unit_test_setup(wrong_magic_and_direction, fresh),
		cmocka_unit_test_setup(buffer_lengths, fresh),
		cmocka_unit_test(long_buffers),
		cmocka_unit_test_setup(struct_sizes, fresh),
		cmocka_unit_test_setup(payload_lengths, fresh),
		cmocka_unit_test_setup(reserved_and_flags, fresh),
		cmocka_unit_test_setup(payload_unexpected, fresh),
		cmocka_unit_test_setup(faults, fresh),
		cmocka_unit_test_setup(open_modes, fresh),
		cmocka_unit_test_setup(device_info, fresh),
		cmocka_unit_test_setup(lengths_of_parts, fresh),
		cmocka_unit_test_setup(attempts_untouched, fresh),
		cmocka_unit_test_setup(attribute_lists, fresh),
		cmocka_unit_test_setup(nested_lists, fresh),
		cmocka_unit_test_setup(staging, fresh),
		cmocka_unit_test_setup(long_replies, fresh),
		cmocka_unit_test_setup(op_pieces, fresh),
		cmocka_unit_test_setup(op_fields, fresh),
		cmocka_unit_test_setup(message_fields, fresh),
		cmocka_unit_test_setup(queries, fresh),
		cmocka_unit_test_setup(no_stale_bytes, fresh),
		cmocka_unit_test_setup(other_files, fresh),
		cmocka_unit_test_setup(closed_file, fresh),
		cmocka_unit_test_setup(threads_on_one_session, fresh),
		cmocka_unit_test_setup(changing_buffer, fresh),
		cmocka_unit_test_setup(close_under_way, fresh),
		cmocka_unit_test_setup(random_commands, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
