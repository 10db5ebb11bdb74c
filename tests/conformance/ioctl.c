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
