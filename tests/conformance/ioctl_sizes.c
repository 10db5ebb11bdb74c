// SPDX-License-Identifier: MIT
/*
 * Frames that are no requests: unknown commands, buffers, structs, payloads and the lists in them
 * whose lengths do not fit together, and memory that is not there.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl.h"

/* ---- the frame ---- */

void unknown_commands(void **state)
{
	uint32_t nr;
	size_t i;
	bool known;

	(void)state;
	for (nr = 0; nr < 256; nr++) {
		for (i = 0, known = false; i < command_count; i++)
			known |= commands[i].nr == nr;
		if (known)
			continue;
		request(sizeof(f.hdr), 0);
		assert_errno(carry(dev, nr, sizeof(f.hdr)), ENOTTY);
		assert_errno(carry(dev, nr, 4096), ENOTTY);
	}
}

void wrong_magic_and_direction(void **state)
{
	static const unsigned int magics[] = { 0xdb, 0xd9, 'L', 0x5a };
	static const unsigned int dirs[] = { _IOC_NONE, _IOC_READ, _IOC_WRITE };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(magics); i++) {
		request(sizeof(f.info), 0);
		assert_int_equal(ioctl(dev, _IOC(_IOC_READ | _IOC_WRITE, magics[i], LUNA_GET_INFO,
						 sizeof(f.info)), &f), -1);
		assert_int_equal(errno, ENOTTY);
	}
	for (i = 0; i < COUNT(dirs); i++) {
		request(sizeof(f.info), 0);
		assert_int_equal(ioctl(dev, _IOC(dirs[i], LUNA_IOC_MAGIC, LUNA_GET_INFO,
						 sizeof(f.info)), &f), -1);
		assert_int_equal(errno, ENOTTY);
	}
}

/* A buffer of any length: too short for the struct is EINVAL, and so is more than LUNA_IOC_MAX. */
void buffer_lengths(void **state)
{
	static const size_t large[] = {
		LUNA_IOC_MAX - 1, LUNA_IOC_MAX, LUNA_IOC_MAX + 1, 16380, (1u << _IOC_SIZEBITS) - 1,
	};
	const struct command *c;
	size_t i, len;

	(void)state;
	for (c = commands; c < commands + command_count; c++) {
		for (len = 0; len <= c->size + 24; len++) {
			request(c->size, 0);
			if (carry(dev, c->nr, len) != (len < c->size ? EINVAL : 0))
				fail_msg("%s with %zu bytes, struct of %u", c->name, len, c->size);
			if (len >= c->size && c->session)
				assert_rv(f.hdr.rv, CKR_SESSION_HANDLE_INVALID);
		}
		for (i = 0; i < COUNT(large); i++) {
			request(c->size, 0);
			if (carry(dev, c->nr, large[i]) != (large[i] > LUNA_IOC_MAX ? EINVAL : 0))
				fail_msg("%s with %zu bytes", c->name, large[i]);
		}
	}
}

/* LUNA_IOC_LONG(): only where the device says so, and then as the shorter ones, but for its limit. */
void long_buffers(void **state)
{
	static const size_t lens[] = {
		0, 32, sizeof(struct luna_info), 8192, LUNA_IOC_MAX, LUNA_IOC_MAX + 8,
		LUNA_IOC_LONG_MAX, LUNA_IOC_LONG_MAX + 8, 65536, 8 * _IOC_SIZEMASK,
	};
	bool offered;
	size_t i;

	(void)state;
	request(sizeof(f.info), 0);
	assert_rv(run(dev, LUNA_GET_INFO, sizeof(f.info)), CKR_OK);
	offered = f.info.features & LUNA_FEATURE_LONG;
	for (i = 0; i < COUNT(lens); i++) {
		bool fits = lens[i] >= sizeof(f.info) && lens[i] <= LUNA_IOC_LONG_MAX;
		int err;

		request(sizeof(f.info), 0);
		err = ioctl(dev, LUNA_IOC_LONG(LUNA_GET_INFO, lens[i]), &f) ? errno : 0;
		if (err != (!offered ? ENOTTY : fits ? 0 : EINVAL))
			fail_msg("%zu bytes: %s", lens[i], strerror(err));
		if (!err)
			assert_int_equal(f.info.abi, LUNA_ABI_VERSION);
	}
}

void struct_sizes(void **state)
{
	static const uint32_t absurd[] = {
		0x7ffffff8, 0x80000000, 0xfffffff0, 0xfffffff8, 0xffffffff, LUNA_IOC_MAX, 4104,
	};
	const struct command *c;
	uint32_t size;
	size_t i;

	(void)state;
	for (c = commands; c < commands + command_count; c++) {
		/* No device knows a struct that is shorter than the first ABI's. */
		for (size = 0; size <= c->size + 64; size++) {
			bool fits = size >= c->size && size % 8 == 0;

			request(size, 0);
			if (carry(dev, c->nr, 4096) != (fits ? 0 : EINVAL))
				fail_msg("%s with a struct of %u", c->name, size);
			if (fits)
				assert_int_equal(f.hdr.size, size);
		}
		for (i = 0; i < COUNT(absurd); i++) {
			request(c->size, 0);
			f.hdr.size = absurd[i];
			assert_errno(carry(dev, c->nr, 4096), EINVAL);
		}
		/* What a later ABI would have behind the struct: only zeros are harmless. */
		for (i = 0; i < 16; i++) {
			request(c->size + 16, 0);
			f.bytes[c->size + i] = 1;
			assert_errno(carry(dev, c->nr, 4096), E2BIG);
		}
	}
}

void payload_lengths(void **state)
{
	static const uint32_t absurd[] = { 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffff8, 0xffffffff };
	const struct command *c;
	size_t i;

	(void)state;
	for (c = commands; c < commands + command_count; c++) {
		request(c->size, 1);
		assert_errno(carry(dev, c->nr, c->size), EINVAL);
		request(c->size, 257);
		assert_errno(carry(dev, c->nr, c->size + 256), EINVAL);
		for (i = 0; i < COUNT(absurd); i++) {
			request(c->size, absurd[i]);
			assert_errno(carry(dev, c->nr, 4096), EINVAL);
			request(c->size, -c->size + i);	/* adds up to a few bytes in 32 bits */
			assert_errno(carry(dev, c->nr, 4096), EINVAL);
		}
	}
}

/* In session @s, if the command has one; with what it asks for before it looks at the rest. */
static void sensible_request(const struct command *c, uint32_t s, uint32_t in_len)
{
	request(c->size, in_len);
	f.hdr.session = c->session ? s : 0;
	make_sensible(c->nr);
}

void reserved_and_flags(void **state)
{
	uint32_t s = session_of_co(dev), bit;
	const struct command *c;

	(void)state;
	for (c = commands; c < commands + command_count; c++) {
		request(c->size, 0);
		f.hdr.reserved = 1;
		assert_errno(carry(dev, c->nr, 4096), EINVAL);
		for (bit = 1; bit < 32; bit++) {
			request(c->size, 0);
			f.hdr.flags = 1u << bit;
			assert_errno(carry(dev, c->nr, 4096), EINVAL);
		}
		/* Nothing is staged, or the command takes nothing staged. */
		request(c->size, 0);
		f.hdr.flags = LUNA_F_STAGED;
		if (c->session)
			f.hdr.session = s;
		if (c->nr != LUNA_SESSION_CLOSE && c->nr != LUNA_LOGOUT)
			assert_refused("staged", dev, c->nr, 4096);
		if (c->reserved != NONE) {
			sensible_request(c, s, 0);
			f.bytes[c->reserved] = 1;
			assert_refused("reserved", dev, c->nr, 4096);
		}
	}
}

/* What takes no payload gets one. */
void payload_unexpected(void **state)
{
	uint32_t s = session_of_co(dev);
	const struct command *c;

	(void)state;
	for (c = commands; c < commands + command_count; c++) {
		if (c->payload)
			continue;
		sensible_request(c, s, 8);
		assert_refused(c->name, dev, c->nr, 4096);
	}
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

void faults(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE), odd;
	unsigned char *map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

	(void)state;
	assert_true(map != MAP_FAILED);
	assert_int_equal(ioctl(dev, LUNA_IOC(LUNA_GET_INFO, sizeof(f.info)), NULL), -1);
	assert_int_equal(errno, EFAULT);
	request(sizeof(f.info), 0);
	/* Any alignment, and across pages. */
	for (odd = 0; odd < 64; odd++) {
		memcpy(map + page - odd, &f, sizeof(f.info));
		assert_int_equal(ioctl(dev, LUNA_IOC(LUNA_GET_INFO, sizeof(f.info)),
				       map + page - odd), 0);
		memcpy(&f.info.abi, map + page - odd + offsetof(struct luna_info, abi), 4);
		assert_int_equal(f.info.abi, LUNA_ABI_VERSION);
		request(sizeof(f.info), 0);
	}
	/* Not mapped in the middle; readable only. */
	memcpy(map + 2 * page - 100, &f, 100);
	assert_int_equal(mprotect(map + 2 * page, page, PROT_NONE), 0);
	assert_int_equal(ioctl(dev, LUNA_IOC(LUNA_GET_INFO, sizeof(f.info)), map + 2 * page - 100), -1);
	assert_int_equal(errno, EFAULT);
	memcpy(map, &f, sizeof(f.info));
	assert_int_equal(mprotect(map, page, PROT_READ), 0);
	assert_int_equal(ioctl(dev, LUNA_IOC(LUNA_GET_INFO, sizeof(f.info)), map), -1);
	assert_int_equal(errno, EFAULT);
	munmap(map, 3 * page);
	request(sizeof(f.info), 0);
	assert_rv(run(dev, LUNA_GET_INFO, sizeof(f.info)), CKR_OK);
}

void open_modes(void **state)
{
	(void)state;
	assert_int_equal(device_open_as(0, O_RDONLY), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(device_open_as(0, O_WRONLY), -1);
	assert_int_equal(errno, EACCES);
}

void device_info(void **state)
{
	uint32_t i, s;

	(void)state;
	request(sizeof(f.info), 0);
	memset(&f.info.abi, PATTERN, sizeof(f.info) - sizeof(f.hdr));	/* all of it is output */
	f.info.reserved = 0;
	assert_rv(run(dev, LUNA_GET_INFO, sizeof(f.info)), CKR_OK);
	assert_int_equal(f.info.abi, LUNA_ABI_VERSION);
	assert_int_equal(f.info.features & ~(LUNA_FEATURE_PERSISTENT | LUNA_FEATURE_LONG),
			 LUNA_FEATURE_IMAGES | LUNA_FEATURE_MESSAGES);
	assert_int_equal(f.info.ioc_max, LUNA_IOC_MAX);
	assert_int_equal(f.info.stage_max, LUNA_STAGE_MAX);
	assert_int_equal(f.info.sessions_max, 4096);
	assert_int_equal(f.info.slot, 0);
	assert_int_equal(f.info.firmware[3], 0);
	assert_non_null(memchr(f.info.provider, 0, sizeof(f.info.provider)));
	assert_non_null(memchr(f.info.host, 0, sizeof(f.info.host)));
	for (i = strlen((char *)f.info.provider); i < sizeof(f.info.provider); i++)
		assert_int_equal(f.info.provider[i], 0);
	for (i = strlen((char *)f.info.host); i < sizeof(f.info.host); i++)
		assert_int_equal(f.info.host[i], 0);

	/* The most sessions, and one more when one is closed. */
	for (i = 0; i < 4096; i++)
		s = session_new(dev, i % 2 ? CKF_RW_SESSION : 0);
	request(sizeof(f.session_info), 0);
	f.session_info.flags = CKF_SERIAL_SESSION;
	assert_rv(run(dev, LUNA_SESSION_OPEN, sizeof(f.session_info)), CKR_SESSION_COUNT);
	request(sizeof(f.slot_info), 0);
	assert_rv(run(dev, LUNA_SLOT_INFO, sizeof(f.slot_info)), CKR_OK);
	assert_int_equal(f.slot_info.sessions, 4096);
	assert_int_equal(f.slot_info.rw_sessions, 2048);
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_SESSION_HANDLE_INVALID);
	session_new(dev, 0);
	assert_rv(plain(dev, LUNA_SESSION_CLOSE_ALL, 0), CKR_OK);
	request(sizeof(f.slot_info), 0);
	assert_rv(run(dev, LUNA_SLOT_INFO, sizeof(f.slot_info)), CKR_OK);
	assert_int_equal(f.slot_info.sessions, 0);
}

/* ---- lengths inside of commands ---- */

/* Fields that say how long parts of the payload are: by command, tried without and with @payload. */
static const struct part_lengths {
	uint32_t nr, payload;
	uint32_t fields[4];	/* offsets, 0: no more */
} part_lengths[] = {
#define TEMPLATE	{ FIELD(luna_object_arg, template_len) }
#define KEY		{ FIELD(luna_key, template_len), FIELD(luna_key, template2_len),	\
			  FIELD(luna_key, data_len), FIELD(luna_key, param_len) }
#define BLOB		{ FIELD(luna_blob, blob_len) }
#define PIN		{ FIELD(luna_pin, pin_len), FIELD(luna_pin, new_len) }
	{ LUNA_OBJECT_CREATE, 16, TEMPLATE },
	{ LUNA_OBJECT_COPY, 16, TEMPLATE },
	{ LUNA_ATTR_GET, 16, TEMPLATE },
	{ LUNA_ATTR_SET, 16, TEMPLATE },
	{ LUNA_FIND, 24, { FIELD(luna_find, template_len) } },
	{ LUNA_GENERATE_KEY, 0, KEY },
	{ LUNA_GENERATE_PAIR, 0, KEY },
	{ LUNA_WRAP, 0, KEY },
	{ LUNA_UNWRAP, 0, KEY },
	{ LUNA_DERIVE, 0, KEY },
	{ LUNA_OP, 0, { FIELD(luna_op, param_len), FIELD(luna_op, data_len),
			FIELD(luna_op, sig_len) } },
	{ LUNA_MESSAGE, 0, { FIELD(luna_message, param_len), FIELD(luna_message, data_len),
			     FIELD(luna_message, sig_len) } },
	{ LUNA_CLONE_SOURCE_INIT, 64, BLOB },
	{ LUNA_CLONE_TARGET_INIT, 64, BLOB },
	{ LUNA_CLONE_SOURCE, 64, BLOB },
	{ LUNA_CLONE_TARGET, 64, BLOB },
	{ LUNA_HA_INIT, 64, BLOB },
	{ LUNA_HA_MASTER_PUBLIC, 64, BLOB },
	{ LUNA_HA_CHALLENGE, 64, BLOB },
	{ LUNA_HA_ANSWER, 64, BLOB },
	{ LUNA_HA_LOGIN, 64, BLOB },
	{ LUNA_HA_MOFN_ANSWER, 64, BLOB },
	{ LUNA_HA_MOFN_ACTIVATE, 64, BLOB },
	{ LUNA_INIT_PIN, 0, PIN },
	{ LUNA_SET_PIN, 0, PIN },
	{ LUNA_LOGIN, 0, PIN },
	{ LUNA_INIT_TOKEN, 0, { FIELD(luna_init_token, pin_len),
				FIELD(luna_init_token, domain_len) } },
	{ LUNA_POLICY_SET, 0, { FIELD(luna_policy_set, count) } },
#undef TEMPLATE
#undef KEY
#undef BLOB
#undef PIN
};

/* @field must not be what it is plus any of these. */
static void length_field(const struct command *c, uint32_t s, uint32_t in_len, uint32_t field)
{
	static const uint32_t wrong[] = {
		1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xfffffffe,
	};
	uint32_t value;
	size_t i;

	for (i = 0; i < COUNT(wrong); i++) {
		sensible_request(c, s, in_len);
		memcpy(&value, f.bytes + field, 4);
		value += wrong[i];
		memcpy(f.bytes + field, &value, 4);
		if (value != in_len)
			assert_refused(c->name, dev, c->nr, 4096);
	}
}

/* Two fields whose sum is the payload's length in 32 bits, but not in 64. */
static void length_pair(const struct command *c, uint32_t s, uint32_t one, uint32_t other)
{
	static const uint32_t lens[] = { 20, 0x1000, 0x80000000, 0xfffffff0, 0xfffffffe };
	const uint32_t in_len = 16;
	uint32_t value;
	size_t i;

	for (i = 0; i < COUNT(lens); i++) {
		sensible_request(c, s, in_len);
		if (c->nr == LUNA_OP) {
			f.op.op = LUNA_OP_VERIFY;
			f.op.step = FIRST;
		}
		value = lens[i];
		memcpy(f.bytes + one, &value, 4);
		value = in_len - value;
		memcpy(f.bytes + other, &value, 4);
		assert_refused(c->name, dev, c->nr, 4096);
	}
}

static void lengths_of(const struct part_lengths *p, uint32_t s)
{
	const struct command *c = commands;
	size_t i, k;

	while (c->nr != p->nr)
		c++;
	for (i = 0; i < COUNT(p->fields) && p->fields[i]; i++) {
		length_field(c, s, 0, p->fields[i]);
		if (p->payload)
			length_field(c, s, p->payload, p->fields[i]);
		for (k = 0; k < COUNT(p->fields) && p->fields[k]; k++)
			if (k != i)
				length_pair(c, s, p->fields[i], p->fields[k]);
	}
}

void lengths_of_parts(void **state)
{
	uint32_t s = session_of_co(dev);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(part_lengths); i++)
		lengths_of(&part_lengths[i], s);
	/* 2^29 + 1 rows of 8 bytes are 8 bytes in 32 bits. */
	for (i = 0; i < 8; i++) {
		request(sizeof(f.policy_set), 8);
		f.hdr.session = s;
		f.policy_set.scope = LUNA_SCOPE_PARTITION;
		f.policy_set.count = (i << 29) + (i ? 1 : 2);
		assert_refused("count", dev, LUNA_POLICY_SET, 4096);
		request(sizeof(f.mofn), 8);
		f.hdr.session = s;
		f.mofn.m = 1;
		f.mofn.n = (i << 29) + (i ? 1 : 2);
		assert_refused("n", dev, LUNA_MOFN_GENERATE, 4096);
		if (!i)
			continue;	/* two empty vectors */
		request(sizeof(f.mofn), 8);
		f.hdr.session = s;
		f.mofn.n = (i << 29) + 1;
		assert_refused("n", dev, LUNA_MOFN_ACTIVATE, 4096);
	}
}

/* The token still has its PINs: none of these was an attempt. */
void attempts_untouched(void **state)
{
	uint32_t roles[] = { CKU_SO, CKU_USER }, left[2];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		request(sizeof(f.role_state), 0);
		f.role_state.role = roles[i];
		assert_rv(run(dev, LUNA_ROLE_STATE, sizeof(f.role_state)), CKR_OK);
		left[i] = f.role_state.attempts_left;
		assert_true(f.role_state.flags & CAF_ROLE_STATE_INITIALIZED);
	}
	assert_true(left[0] >= 3 && left[1] >= 3);
}

/* ---- attribute lists ---- */

static CK_RV list_run(uint32_t s, uint32_t nr, uint32_t handle, const unsigned char *list, uint32_t len)
{
	memcpy(request(sizeof(f.object), len), list, len);
	f.hdr.session = s;
	f.object.handle = handle;
	f.object.template_len = len;
	return run(dev, nr, 8192);
}

void attribute_lists(void **state)
{
	static const uint32_t lens[] = {
		9, 16, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff1, 0xfffffff8, 0xfffffff9, 0xffffffff,
	};
	static const uint32_t modifying[] = { LUNA_OBJECT_CREATE, LUNA_OBJECT_COPY, LUNA_ATTR_SET };
	uint32_t s = session_of_co(dev), obj, i, j;
	unsigned char list[4096], *end;
	struct luna_attr attr;

	(void)state;
	assert_rv(data_new(dev, s, 'x', 100, &obj), CKR_OK);
	for (i = 0; i < COUNT(modifying); i++) {
		/* A value that is longer than the list, also if its padded length overflows. */
		for (j = 0; j < COUNT(lens); j++) {
			end = put_number(list, CKA_LABEL, 0);
			attr = (struct luna_attr){ CKA_LABEL, lens[j] };
			memcpy(list, &attr, sizeof(attr));
			assert_rv(list_run(s, modifying[i], obj, list, end - list), CKR_ARGUMENTS_BAD);
		}
		/* A header or a padding that is cut off, and a padding that is not zero. */
		end = put_attr(list, CKA_LABEL, "abc", 3);
		for (j = 1; j < end - list; j++)
			assert_rv(list_run(s, modifying[i], obj, list, j), CKR_ARGUMENTS_BAD);
		for (j = 11; j < 16; j++) {
			put_attr(list, CKA_LABEL, "abc", 3);
			list[j] = 1;
			assert_rv(list_run(s, modifying[i], obj, list, end - list), CKR_ARGUMENTS_BAD);
		}
		/* More attributes than any object has. */
		for (end = list; end < list + sizeof(list) - 16; )
			end = put_bool(end, CKA_MODIFIABLE, true);
		list_run(s, modifying[i], obj, list, end - list);
		/* Twice, with two values. */
		end = put_attr(put_attr(list, CKA_LABEL, "abc", 3), CKA_LABEL, "abd", 3);
		assert_rv(list_run(s, modifying[i], obj, list, end - list), CKR_TEMPLATE_INCONSISTENT);
		/* A truth that is neither, a number of the wrong size. */
		end = put_attr(list, CKA_MODIFIABLE, "\2", 1);
		assert_rv(list_run(s, modifying[i], obj, list, end - list),
			  modifying[i] == LUNA_OBJECT_CREATE ? f.hdr.rv : CKR_ATTRIBUTE_VALUE_INVALID);
		assert_int_not_equal(f.hdr.rv, CKR_OK);
		end = put_attr(put_number(list, CKA_CLASS, CKO_DATA), CKA_CLASS, "\0\0\0\0", 4);
		assert_int_not_equal(list_run(s, modifying[i], obj, list, end - list), CKR_OK);
	}
	assert_int_not_equal(list_run(s, LUNA_OBJECT_CREATE, 0, list, 0), CKR_OK);
	assert_rv(list_run(s, LUNA_OBJECT_COPY, obj, list, 0), CKR_OK);

	/* A request for values has lengths, and no values. */
	assert_rv(list_run(s, LUNA_ATTR_GET, obj, list, 0), CKR_OK);
	for (j = 1; j < 24; j++)
		if (j % 8)
			assert_rv(list_run(s, LUNA_ATTR_GET, obj, list, j), CKR_ARGUMENTS_BAD);
	assert_rv(list_run(s, LUNA_ATTR_GET, 0, list, 0), CKR_OBJECT_HANDLE_INVALID);
}

/* Templates in templates, well-formed and not; the deepest that fits. */
void nested_lists(void **state)
{
	static const uint32_t types[] = { CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE };
	unsigned char list[8192], inner[4096], *end;
	uint32_t s = session_of_co(dev), i, depth, len;
	struct luna_attr attr;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		/* Inner values that leave the inner list, but not the outer. */
		memset(inner, 0, 32);
		attr = (struct luna_attr){ CKA_LABEL, 64 };
		memcpy(inner, &attr, sizeof(attr));
		end = put_secret(list, false, 32);
		end = put_attr(end, types[i], inner, 32);
		end = put_attr(end, CKA_LABEL, list, 128);
		assert_int_not_equal(aes_generate(dev, s, list, end - list), CKR_OK);
		/* An inner list that is cut off. */
		end = put_secret(list, false, 32);
		end = put_attr(end, types[i], inner, 5);
		assert_int_not_equal(aes_generate(dev, s, list, end - list), CKR_OK);
		/* Each in the next: nobody may descend without end. */
		for (depth = len = 0; len < 4000; depth++) {
			memmove(inner + sizeof(attr), inner, len);
			attr = (struct luna_attr){ types[i], len };
			memcpy(inner, &attr, sizeof(attr));
			len += sizeof(attr);
		}
		assert_true(depth > 400);
		end = put_secret(list, false, 32);
		end = put_attr(end, types[i], inner, len);
		aes_generate(dev, s, list, end - list);
		list_run(s, LUNA_OBJECT_CREATE, 0, inner, len);
	}
	digest_works(dev, s);
}
