// SPDX-License-Identifier: MIT
/* LUNA_MESSAGE: fields and steps that do not go together, and what each leaves of a message. */
#include "ioctl.h"

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

static const struct {
	struct luna_gcm_param head;
	unsigned char iv[12];
} param = { .head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 } };

enum {
	SEALING = LUNA_OP_MESSAGE_ENCRYPT,
	OPENING = LUNA_OP_MESSAGE_DECRYPT,
	ONE = LUNA_STEP_ONESHOT,
};

/* The INIT of LUNA_OP. */
static void message_begin(uint32_t s, uint32_t op, uint32_t key)
{
	op_request(s, op, LUNA_STEP_INIT, CKM_AES_GCM, key, NULL, 0, NULL, 0);
	assert_rv(run(dev, LUNA_OP, 256), CKR_OK);
}

/* Fields and steps that do not go together; none of them ends the operation. */
static void message_refusals(uint32_t s)
{
	uint32_t i;

#define REFUSED(change)								\
	do {									\
		message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 16);	\
		change;								\
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ARGUMENTS_BAD);	\
	} while (0)
	for (i = 0; i < 16; i++)
		if (i < LUNA_OP_MESSAGE_ENCRYPT || i >= LUNA_OP_KINDS)
			REFUSED(f.message.op = i);
	REFUSED(f.message.op = ~0u);
	REFUSED(f.message.step = 0);
	REFUSED(f.message.step = LUNA_STEP_INIT);
	REFUSED(f.message.step = LUNA_STEP_KEY);
	REFUSED(f.message.step = 0x80);
	REFUSED(f.message.step = ONE | LUNA_STEP_FINAL);
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
#undef REFUSED
}

/* A piece that leaves a gap, and one that stops coming: the next message is not held up. */
static void message_pieces(uint32_t s)
{
	size_t len;

	message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 0);
	f.message.total = 8;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
	message_request(s, SEALING, LUNA_STEP_UPDATE, NULL, 0, "text", 4, 0);
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OPERATION_NOT_INITIALIZED);
	message_request(s, SEALING, ONE, NULL, 0, "text", 4, 16);
	f.message.offset = 5;
	f.message.total = 9;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ARGUMENTS_BAD);
	message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 0);
	f.message.total = 8;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
	len = message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OK);
}

static void message_lengths_wrap(uint32_t s, uint32_t key)
{
	uint32_t i;

	message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 0);
	f.message.total = ~0ull;
	assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_DATA_LEN_RANGE);
	message_begin(s, OPENING, key);
	for (i = 0; i < 34; i++) {
		message_request(s, OPENING, ONE, &param, sizeof(param), "text", 4, 0);
		f.message.total = ~0ull - i;
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ENCRYPTED_DATA_LEN_RANGE);
		message_request(s, OPENING, LUNA_STEP_BEGIN, &param, sizeof(param), NULL, 0, 0);
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_OK);
		message_request(s, OPENING, LUNA_STEP_FINAL, NULL, 0, NULL, 0, 0);
		f.message.data_len = ~0u - i;
		f.message.out_max = LUNA_OUT_QUERY;
		assert_rv(run(dev, LUNA_MESSAGE, 512), CKR_ENCRYPTED_DATA_LEN_RANGE);
	}
}

void message_fields(void **state)
{
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), i;
	size_t len;

	(void)state;
	len = message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OPERATION_NOT_INITIALIZED);
	/* LUNA_OP does no more than begin and end. */
	for (i = 2; i < 0x80; i <<= 1) {
		op_request(s, SEALING, LUNA_STEP_INIT | i, CKM_AES_GCM, key, NULL, 0, NULL, 0);
		assert_rv(run(dev, LUNA_OP, 256),
			  i == LUNA_STEP_FINAL ? CKR_OK : CKR_ARGUMENTS_BAD);
	}
	message_begin(s, SEALING, key);
	message_refusals(s);
	/* Nothing of all that was the end. */
	len = message_request(s, SEALING, ONE, &param, sizeof(param), "text", 4, 16);
	assert_rv(run(dev, LUNA_MESSAGE, len + 64), CKR_OK);
	assert_int_equal(f.hdr.out_len, 4);
	assert_int_equal(f.message.out_need, 4);
	message_pieces(s);
	message_lengths_wrap(s, key);
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}
