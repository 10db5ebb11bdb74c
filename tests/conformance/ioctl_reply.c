// SPDX-License-Identifier: MIT
/* What a reply holds: all of it is defined, and behind it nothing is written. */
#include "ioctl.h"

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

/* Values: those that are there, are not, are secret, do not fit. */
static void stale_values(uint32_t s, uint32_t handle)
{
	static const uint32_t types[] = {
		CKA_CLASS, CKA_LABEL, CKA_TOKEN, CKA_VALUE, CKA_VALUE_LEN, CKA_ID, CKA_KEY_TYPE,
		0x7fffffff,
	};
	unsigned char *p, *end;
	struct luna_attr attr;
	size_t len, at;
	uint32_t i;

	p = end = request(sizeof(f.object), 0);
	for (i = 0; i < COUNT(types); i++, end += sizeof(attr)) {
		attr = (struct luna_attr){ types[i], i % 3 ? 64 : i ? 2 : LUNA_OUT_QUERY };
		memcpy(end, &attr, sizeof(attr));
	}
	f.hdr.session = s;
	f.hdr.in_len = f.object.template_len = end - p;
	f.object.handle = handle;
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

void no_stale_bytes(void **state)
{
	uint32_t s = session_of_co(dev), key = aes_new(dev, s), obj, i;

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
	stale_values(s, obj);
	stale_values(s, key);
	op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
	defined("OP", LUNA_OP, 4096, true);
	assert_int_equal(f.hdr.out_len, 32);
	/* A key of the right kind that may not do it, a ciphertext that is none. */
	op_request(s, LUNA_OP_DECRYPT, FIRST, CKM_AES_CBC_PAD, key, "0123456789abcdef", 16,
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
