// SPDX-License-Identifier: MIT
/*
 * The ABI itself, spoken to the devices without a library: what is refused and how, that nothing is
 * read or written beyond what the caller said, and that no sequence of commands breaks a device.
 * Runs on a FUSE mount and on the kernel module alike (LUNA_DEVICES=/dev); slots 0 and 1 are erased.
 *
 *	LUNA_FUZZ_SEED, LUNA_FUZZ_COUNT
 *			the random commands of the last test
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <uapi/luna.h>

#include "suite.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))
#define PATTERN		0xa5

union frame {
	unsigned char bytes[LUNA_IOC_LONG_MAX];
	struct luna_hdr hdr;
	struct luna_info info;
	struct luna_slot_info slot_info;
	struct luna_mech_list mech_list;
	struct luna_provider_list provider_list;
	struct luna_data data;
	struct luna_random random;
	struct luna_session_info session_info;
	struct luna_app_id app_id;
	struct luna_init_token init_token;
	struct luna_pin pin;
	struct luna_role_state role_state;
	struct luna_policy_list policy_list;
	struct luna_policy_set policy_set;
	struct luna_object_arg object;
	struct luna_find find;
	struct luna_op op;
	struct luna_message message;
	struct luna_key key;
	struct luna_blob blob;
	struct luna_image_arg image;
	struct luna_mofn mofn;
	struct luna_mofn_status mofn_status;
};

static _Thread_local union frame f;

#define NONE	0xffff
#define RESERVED(type) offsetof(struct type, reserved)

static const struct command {
	const char *name;
	uint32_t nr, size;
	bool session;
	uint32_t reserved;	/* offset of a reserved field behind the header */
	bool payload;		/* may have one in the request */
} commands[] = {
	{ "GET_INFO", LUNA_GET_INFO, sizeof(struct luna_info), false, RESERVED(luna_info), false },
	{ "RESET", LUNA_RESET, sizeof(struct luna_hdr), false, NONE, false },
	{ "SLOT_INFO", LUNA_SLOT_INFO, sizeof(struct luna_slot_info), false, NONE, false },
	{ "MECH_LIST", LUNA_MECH_LIST, sizeof(struct luna_mech_list), false,
	  RESERVED(luna_mech_list), false },
	{ "DATA_PUT", LUNA_DATA_PUT, sizeof(struct luna_data), true, NONE, true },
	{ "DATA_GET", LUNA_DATA_GET, sizeof(struct luna_data), true, NONE, false },
	{ "RANDOM", LUNA_RANDOM, sizeof(struct luna_random), true, RESERVED(luna_random), false },
	{ "SEED", LUNA_SEED, sizeof(struct luna_hdr), true, NONE, true },
	{ "SESSION_OPEN", LUNA_SESSION_OPEN, sizeof(struct luna_session_info), false,
	  RESERVED(luna_session_info), false },
	{ "SESSION_CLOSE", LUNA_SESSION_CLOSE, sizeof(struct luna_hdr), true, NONE, false },
	{ "SESSION_CLOSE_ALL", LUNA_SESSION_CLOSE_ALL, sizeof(struct luna_hdr), false, NONE, false },
	{ "SESSION_INFO", LUNA_SESSION_INFO, sizeof(struct luna_session_info), true,
	  RESERVED(luna_session_info), false },
	{ "INIT_TOKEN", LUNA_INIT_TOKEN, sizeof(struct luna_init_token), false, NONE, true },
	{ "INIT_PIN", LUNA_INIT_PIN, sizeof(struct luna_pin), true, RESERVED(luna_pin), true },
	{ "SET_PIN", LUNA_SET_PIN, sizeof(struct luna_pin), true, RESERVED(luna_pin), true },
	{ "LOGIN", LUNA_LOGIN, sizeof(struct luna_pin), true, RESERVED(luna_pin), true },
	{ "LOGOUT", LUNA_LOGOUT, sizeof(struct luna_hdr), true, NONE, false },
	{ "ROLE_STATE", LUNA_ROLE_STATE, sizeof(struct luna_role_state), false, NONE, false },
	{ "POLICY_LIST", LUNA_POLICY_LIST, sizeof(struct luna_policy_list), false, NONE, false },
	{ "POLICY_SET", LUNA_POLICY_SET, sizeof(struct luna_policy_set), true,
	  RESERVED(luna_policy_set), true },
	{ "SET_DOMAIN", LUNA_SET_DOMAIN, sizeof(struct luna_hdr), true, NONE, true },
	{ "OBJECT_CREATE", LUNA_OBJECT_CREATE, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), true },
	{ "OBJECT_COPY", LUNA_OBJECT_COPY, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), true },
	{ "OBJECT_DESTROY", LUNA_OBJECT_DESTROY, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), false },
	{ "OBJECT_SIZE", LUNA_OBJECT_SIZE, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), false },
	{ "ATTR_GET", LUNA_ATTR_GET, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), true },
	{ "ATTR_SET", LUNA_ATTR_SET, sizeof(struct luna_object_arg), true,
	  RESERVED(luna_object_arg), true },
	{ "FIND", LUNA_FIND, sizeof(struct luna_find), true, RESERVED(luna_find), true },
	{ "OP", LUNA_OP, sizeof(struct luna_op), true, RESERVED(luna_op), true },
	{ "GENERATE_KEY", LUNA_GENERATE_KEY, sizeof(struct luna_key), true, RESERVED(luna_key), true },
	{ "GENERATE_PAIR", LUNA_GENERATE_PAIR, sizeof(struct luna_key), true, RESERVED(luna_key), true },
	{ "WRAP", LUNA_WRAP, sizeof(struct luna_key), true, RESERVED(luna_key), true },
	{ "UNWRAP", LUNA_UNWRAP, sizeof(struct luna_key), true, RESERVED(luna_key), true },
	{ "DERIVE", LUNA_DERIVE, sizeof(struct luna_key), true, RESERVED(luna_key), true },
	{ "CLONE_SOURCE_INIT", LUNA_CLONE_SOURCE_INIT, sizeof(struct luna_blob), true,
	  RESERVED(luna_blob), true },
	{ "CLONE_TARGET_INIT", LUNA_CLONE_TARGET_INIT, sizeof(struct luna_blob), true,
	  RESERVED(luna_blob), true },
	{ "CLONE_SOURCE", LUNA_CLONE_SOURCE, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "CLONE_TARGET", LUNA_CLONE_TARGET, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "HA_INIT", LUNA_HA_INIT, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "HA_MASTER_PUBLIC", LUNA_HA_MASTER_PUBLIC, sizeof(struct luna_blob), false,
	  RESERVED(luna_blob), true },
	{ "HA_CHALLENGE", LUNA_HA_CHALLENGE, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "HA_ANSWER", LUNA_HA_ANSWER, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "HA_LOGIN", LUNA_HA_LOGIN, sizeof(struct luna_blob), true, RESERVED(luna_blob), true },
	{ "HA_MOFN_ANSWER", LUNA_HA_MOFN_ANSWER, sizeof(struct luna_blob), true,
	  RESERVED(luna_blob), true },
	{ "HA_MOFN_ACTIVATE", LUNA_HA_MOFN_ACTIVATE, sizeof(struct luna_blob), true,
	  RESERVED(luna_blob), true },
	{ "MOFN_GENERATE", LUNA_MOFN_GENERATE, sizeof(struct luna_mofn), true, NONE, true },
	{ "MOFN_ACTIVATE", LUNA_MOFN_ACTIVATE, sizeof(struct luna_mofn), true, NONE, true },
	{ "MOFN_DEACTIVATE", LUNA_MOFN_DEACTIVATE, sizeof(struct luna_hdr), true, NONE, false },
	{ "MOFN_STATUS", LUNA_MOFN_STATUS, sizeof(struct luna_mofn_status), false,
	  RESERVED(luna_mofn_status), false },
	{ "IMAGE_EXPORT", LUNA_IMAGE_EXPORT, sizeof(struct luna_image_arg), true, NONE, false },
	{ "IMAGE_GET", LUNA_IMAGE_GET, sizeof(struct luna_data), false, NONE, false },
	{ "IMAGE_PUT", LUNA_IMAGE_PUT, sizeof(struct luna_data), false, NONE, true },
	{ "IMAGE_RESTORE", LUNA_IMAGE_RESTORE, sizeof(struct luna_image_arg), false, NONE, true },
	{ "PROVIDER_LIST", LUNA_PROVIDER_LIST, sizeof(struct luna_provider_list), false,
	  RESERVED(luna_provider_list), false },
	{ "APP_ID", LUNA_APP_ID, sizeof(struct luna_app_id), false, RESERVED(luna_app_id), false },
	{ "MESSAGE", LUNA_MESSAGE, sizeof(struct luna_message), true, RESERVED(luna_message), true },
};

static int dev = -1;		/* slot 0 */

/* ---- talking to a device ---- */

static int device_open_as(unsigned int slot, int flags)
{
	const char *dir = getenv("LUNA_DEVICES");
	char path[4096];

	snprintf(path, sizeof(path), "%s/luna%u", dir ? dir : "/dev", slot);
	return open(path, flags | O_CLOEXEC);
}

static int device_open(unsigned int slot)
{
	int fd = device_open_as(slot, O_RDWR);

	if (fd < 0)
		fail_msg("cannot open slot %u below LUNA_DEVICES: %s", slot, strerror(errno));
	return fd;
}

/* An empty request with @size bytes of struct and @in_len bytes of payload, which it returns. */
static unsigned char *request(uint32_t size, uint32_t in_len)
{
	memset(&f, 0, sizeof(f));
	f.hdr.size = size;
	f.hdr.in_len = in_len;
	return f.bytes + size;
}

/* 0 or the errno */
static int carry(int fd, uint32_t nr, size_t len)
{
	return ioctl(fd, LUNA_IOC(nr, len), &f) ? errno : 0;
}

/* The return value of a command that must be carried. */
static CK_RV run(int fd, uint32_t nr, size_t len)
{
	uint32_t size = f.hdr.size;
	int err = carry(fd, nr, len);

	if (err)
		fail_msg("command %u with %zu bytes: %s", nr, len, strerror(err));
	assert_int_equal(f.hdr.size, size);
	assert_true(f.hdr.out_len <= len - size);
	return f.hdr.rv;
}

#define assert_errno(expression, expected)						\
	do {										\
		int err_ = (expression);						\
		if (err_ != (expected))							\
			fail_msg("%s: %s, expected %s", #expression, strerror(err_),	\
				 strerror(expected));					\
	} while (0)

/* Not carried as EINVAL, or CKR_ARGUMENTS_BAD: either way nothing was done. */
static void assert_refused(const char *what, int fd, uint32_t nr, size_t len)
{
	int err = carry(fd, nr, len);

	/* No mechanism derives keys, so that there is nothing whose arguments could be wrong. */
	if (!err && nr == LUNA_DERIVE && f.hdr.rv == CKR_MECHANISM_INVALID)
		return;
	if (err ? err != EINVAL : f.hdr.rv != CKR_ARGUMENTS_BAD)
		fail_msg("%s: command %u: %s, expected EINVAL or CKR_ARGUMENTS_BAD", what, nr,
			 err ? strerror(err) : rv_name(f.hdr.rv));
}

/* What a command asks for before it looks at the rest. */
static void make_sensible(uint32_t nr)
{
	if (nr == LUNA_SESSION_OPEN)
		f.session_info.flags = CKF_SERIAL_SESSION;
	if (nr == LUNA_GENERATE_KEY)
		f.key.mechanism = CKM_AES_KEY_GEN;
	if (nr == LUNA_GENERATE_PAIR)
		f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	if (nr == LUNA_WRAP || nr == LUNA_UNWRAP)
		f.key.mechanism = CKM_AES_KWP;
	if (nr == LUNA_MESSAGE) {
		f.message.op = LUNA_OP_MESSAGE_VERIFY;
		f.message.step = LUNA_STEP_ONESHOT;
	}
}

static uint32_t session_new(int fd, uint32_t flags)
{
	request(sizeof(f.session_info), 0);
	f.session_info.flags = CKF_SERIAL_SESSION | flags;
	assert_rv(run(fd, LUNA_SESSION_OPEN, sizeof(f.session_info)), CKR_OK);
	assert_int_not_equal(f.session_info.handle, 0);
	return f.session_info.handle;
}

static CK_RV with_pin(int fd, uint32_t nr, uint32_t session, uint32_t role, const char *pin)
{
	size_t len = strlen(pin);

	memcpy(request(sizeof(f.pin), len), pin, len);
	f.hdr.session = session;
	f.pin.role = role;
	f.pin.pin_len = len;
	return run(fd, nr, sizeof(f.pin) + len);
}

static CK_RV plain(int fd, uint32_t nr, uint32_t session)
{
	request(sizeof(f.hdr), 0);
	f.hdr.session = session;
	return run(fd, nr, sizeof(f.hdr));
}

static CK_RV init_token(int fd, const char *pin)
{
	size_t pin_len = strlen(pin), domain_len = strlen(DOMAIN);
	unsigned char *p = request(sizeof(f.init_token), pin_len + domain_len);

	memcpy(p, pin, pin_len);
	memcpy(p + pin_len, DOMAIN, domain_len);
	f.init_token.pin_len = pin_len;
	f.init_token.domain_len = domain_len;
	memset(f.init_token.label, ' ', sizeof(f.init_token.label));
	memcpy(f.init_token.label, "ioctl", 5);
	return run(fd, LUNA_INIT_TOKEN, sizeof(f.init_token) + pin_len + domain_len);
}

/*
 * Initialises the token and its roles, whatever it was: with a PIN that nobody knows the attempts
 * run out, and then the token does not ask for one.
 */
static void prepare(unsigned int slot)
{
	int fd = device_open(slot), i;
	CK_RV rv = CKR_PIN_INCORRECT;
	uint32_t s;

	for (i = 0; i < 200 && rv != CKR_OK; i++) {
		rv = init_token(fd, SO_PIN);
		if (rv == CKR_SESSION_EXISTS)
			usleep(20000);	/* a file was closed and its release is on the way */
	}
	assert_rv(rv, CKR_OK);
	s = session_new(fd, CKF_RW_SESSION);
	assert_rv(with_pin(fd, LUNA_LOGIN, s, CKU_SO, SO_PIN), CKR_OK);
	assert_rv(with_pin(fd, LUNA_INIT_PIN, s, CKU_USER, CO_PIN), CKR_OK);
	assert_rv(plain(fd, LUNA_LOGOUT, s), CKR_OK);
	assert_rv(with_pin(fd, LUNA_LOGIN, s, CKU_USER, CO_PIN), CKR_OK);
	assert_rv(plain(fd, LUNA_RESET, 0), CKR_OK);
	close(fd);
}

/* A read-write session of the crypto officer. */
static uint32_t session_of_co(int fd)
{
	uint32_t s = session_new(fd, CKF_RW_SESSION);

	assert_rv(with_pin(fd, LUNA_LOGIN, s, CKU_USER, CO_PIN), CKR_OK);
	return s;
}

/* ---- attributes ---- */

static unsigned char *put_attr(unsigned char *p, uint32_t type, const void *value, uint32_t len)
{
	struct luna_attr attr = { type, len };
	uint32_t padded = (len + 7) & ~7u;

	memcpy(p, &attr, sizeof(attr));
	memset(p + sizeof(attr), 0, padded);
	if (len)
		memcpy(p + sizeof(attr), value, len);
	return p + sizeof(attr) + padded;
}

static unsigned char *put_number(unsigned char *p, uint32_t type, uint64_t value)
{
	return put_attr(p, type, &value, sizeof(value));
}

static unsigned char *put_bool(unsigned char *p, uint32_t type, bool value)
{
	unsigned char byte = value;

	return put_attr(p, type, &byte, 1);
}

/* The template of a secret key with all usages. */
static unsigned char *put_secret(unsigned char *p, bool token, uint64_t bytes)
{
	static const uint32_t usages[] = {
		CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP, CKA_DERIVE,
	};
	size_t i;

	p = put_bool(p, CKA_TOKEN, token);
	for (i = 0; i < COUNT(usages); i++)
		p = put_bool(p, usages[i], true);
	return put_number(p, CKA_VALUE_LEN, bytes);
}

static uint32_t aes_new(int fd, uint32_t session)
{
	unsigned char *p = request(sizeof(f.key), 0), *end = put_secret(p, false, 32);

	f.hdr.in_len = end - p;
	f.hdr.session = session;
	f.key.mechanism = CKM_AES_KEY_GEN;
	f.key.template_len = end - p;
	assert_rv(run(fd, LUNA_GENERATE_KEY, end - f.bytes), CKR_OK);
	return f.key.handle;
}

/* A data object with @len bytes of @byte. */
static CK_RV data_new(int fd, uint32_t session, unsigned char byte, uint32_t len, uint32_t *handle)
{
	unsigned char *p = request(sizeof(f.object), 0), *end, *value = malloc(len + 1);

	assert_non_null(value);
	memset(value, byte, len + 1);
	end = put_number(p, CKA_CLASS, CKO_DATA);
	end = put_attr(end, CKA_VALUE, value, len);
	free(value);
	f.hdr.in_len = end - p;
	f.hdr.session = session;
	f.object.template_len = end - p;
	run(fd, LUNA_OBJECT_CREATE, end - f.bytes);
	*handle = f.object.handle;
	return f.hdr.rv;
}

/* A request of LUNA_OP with its payload parts; returns the length of the request. */
static size_t op_request(uint32_t session, uint32_t op, uint32_t step, uint32_t mechanism, uint32_t key,
			 const void *param, uint32_t param_len, const void *data, uint32_t data_len)
{
	unsigned char *p = request(sizeof(f.op), param_len + data_len);

	f.hdr.session = session;
	f.op.op = op;
	f.op.step = step;
	f.op.mechanism = mechanism;
	f.op.key = key;
	f.op.param_len = param_len;
	f.op.data_len = data_len;
	f.op.total = data_len;
	f.op.out_max = LUNA_OUT_QUERY - 1;
	if (param_len)
		memcpy(p, param, param_len);
	if (data_len)
		memcpy(p + param_len, data, data_len);
	return sizeof(f.op) + param_len + data_len;
}

static const unsigned char abc_digest[32] = {
	0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
	0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

static void digest_works(int fd, uint32_t session)
{
	size_t len = op_request(session, LUNA_OP_DIGEST, LUNA_STEP_INIT | LUNA_STEP_ONESHOT, CKM_SHA256,
				0, NULL, 0, "abc", 3);

	assert_rv(run(fd, LUNA_OP, len + 32), CKR_OK);
	assert_int_equal(f.hdr.out_len, 32);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
}

/* ---- the frame ---- */

static void unknown_commands(void **state)
{
	uint32_t nr;
	size_t i;
	bool known;

	(void)state;
	for (nr = 0; nr < 256; nr++) {
		for (i = 0, known = false; i < COUNT(commands); i++)
			known |= commands[i].nr == nr;
		if (known)
			continue;
		request(sizeof(f.hdr), 0);
		assert_errno(carry(dev, nr, sizeof(f.hdr)), ENOTTY);
		assert_errno(carry(dev, nr, 4096), ENOTTY);
	}
}

static void wrong_magic_and_direction(void **state)
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
static void buffer_lengths(void **state)
{
	static const size_t large[] = {
		LUNA_IOC_MAX - 1, LUNA_IOC_MAX, LUNA_IOC_MAX + 1, 16380, (1u << _IOC_SIZEBITS) - 1,
	};
	const struct command *c;
	size_t i, len;

	(void)state;
	for (c = commands; c < commands + COUNT(commands); c++) {
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
static void long_buffers(void **state)
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

static void struct_sizes(void **state)
{
	static const uint32_t absurd[] = {
		0x7ffffff8, 0x80000000, 0xfffffff0, 0xfffffff8, 0xffffffff, LUNA_IOC_MAX, 4104,
	};
	const struct command *c;
	uint32_t size;
	size_t i;

	(void)state;
	for (c = commands; c < commands + COUNT(commands); c++) {
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

static void payload_lengths(void **state)
{
	static const uint32_t absurd[] = { 0x7fffffff, 0x80000000, 0xfffff000, 0xfffffff8, 0xffffffff };
	const struct command *c;
	size_t i;

	(void)state;
	for (c = commands; c < commands + COUNT(commands); c++) {
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

static void reserved_and_flags(void **state)
{
	uint32_t s = session_of_co(dev), bit;
	const struct command *c;

	(void)state;
	for (c = commands; c < commands + COUNT(commands); c++) {
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
			request(c->size, 0);
			if (c->session)
				f.hdr.session = s;
			make_sensible(c->nr);
			f.bytes[c->reserved] = 1;
			assert_refused("reserved", dev, c->nr, 4096);
		}
	}
}

/* What takes no payload gets one. */
static void payload_unexpected(void **state)
{
	uint32_t s = session_of_co(dev);
	const struct command *c;

	(void)state;
	for (c = commands; c < commands + COUNT(commands); c++) {
		if (c->payload)
			continue;
		request(c->size, 8);
		f.hdr.session = c->session ? s : 0;
		make_sensible(c->nr);
		assert_refused(c->name, dev, c->nr, 4096);
	}
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

static void faults(void **state)
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

static void open_modes(void **state)
{
	(void)state;
	assert_int_equal(device_open_as(0, O_RDONLY), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(device_open_as(0, O_WRONLY), -1);
	assert_int_equal(errno, EACCES);
}

static void device_info(void **state)
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

static const uint32_t wrong_lens[] = {
	1, 7, 8, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffff8, 0xfffffffe,
};

/* @field must not be what it is plus any of these. */
static void length_field(const char *what, uint32_t s, uint32_t nr, uint32_t size, uint32_t in_len,
			 uint32_t field)
{
	uint32_t value;
	size_t i;

	for (i = 0; i < COUNT(wrong_lens); i++) {
		request(size, in_len);
		f.hdr.session = s;
		make_sensible(nr);
		memcpy(&value, f.bytes + field, 4);
		value += wrong_lens[i];
		memcpy(f.bytes + field, &value, 4);
		if (value == in_len)
			continue;
		assert_refused(what, dev, nr, 4096);
	}
}

/* Two fields whose sum is @in_len in 32 bits, but not in 64. */
static void length_pair(const char *what, uint32_t s, uint32_t nr, uint32_t size, uint32_t one,
			uint32_t other)
{
	static const uint32_t lens[] = { 16, 20, 0x1000, 0x80000000, 0xfffffff0, 0xfffffffe };
	const uint32_t in_len = 16;
	uint32_t value;
	size_t i;

	for (i = 1; i < COUNT(lens); i++) {
		request(size, in_len);
		f.hdr.session = s;
		make_sensible(nr);
		if (nr == LUNA_OP) {
			f.op.op = LUNA_OP_VERIFY;
			f.op.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT;
		}
		value = lens[i];
		memcpy(f.bytes + one, &value, 4);
		value = in_len - value;
		memcpy(f.bytes + other, &value, 4);
		assert_refused(what, dev, nr, 4096);
	}
}

#define FIELD(type, name) offsetof(struct type, name)

static void lengths_of_parts(void **state)
{
	static const uint32_t objects[] = {
		LUNA_OBJECT_CREATE, LUNA_OBJECT_COPY, LUNA_ATTR_GET, LUNA_ATTR_SET,
	};
	static const uint32_t keys[] = {
		LUNA_GENERATE_KEY, LUNA_GENERATE_PAIR, LUNA_WRAP, LUNA_UNWRAP, LUNA_DERIVE,
	};
	static const uint32_t key_fields[] = {
		FIELD(luna_key, template_len), FIELD(luna_key, template2_len), FIELD(luna_key, data_len),
		FIELD(luna_key, param_len),
	};
	static const uint32_t op_fields[] = {
		FIELD(luna_op, param_len), FIELD(luna_op, data_len), FIELD(luna_op, sig_len),
	};
	static const uint32_t message_fields[] = {
		FIELD(luna_message, param_len), FIELD(luna_message, data_len),
		FIELD(luna_message, sig_len),
	};
	uint32_t s = session_of_co(dev), nr;
	size_t i, j, k;

	(void)state;
	for (i = 0; i < COUNT(objects); i++) {
		length_field("template_len", s, objects[i], sizeof(f.object), 0,
			     FIELD(luna_object_arg, template_len));
		length_field("template_len", s, objects[i], sizeof(f.object), 16,
			     FIELD(luna_object_arg, template_len));
	}
	length_field("template_len", s, LUNA_FIND, sizeof(f.find), 0, FIELD(luna_find, template_len));
	length_field("template_len", s, LUNA_FIND, sizeof(f.find), 24, FIELD(luna_find, template_len));
	for (i = 0; i < COUNT(keys); i++)
		for (j = 0; j < COUNT(key_fields); j++) {
			length_field("key", s, keys[i], sizeof(f.key), 0, key_fields[j]);
			for (k = 0; k < COUNT(key_fields); k++)
				if (k != j)
					length_pair("key", s, keys[i], sizeof(f.key), key_fields[j],
						    key_fields[k]);
		}
	for (j = 0; j < COUNT(op_fields); j++) {
		length_field("op", s, LUNA_OP, sizeof(f.op), 0, op_fields[j]);
		for (k = 0; k < COUNT(op_fields); k++)
			if (k != j)
				length_pair("op", s, LUNA_OP, sizeof(f.op), op_fields[j], op_fields[k]);
	}
	for (j = 0; j < COUNT(message_fields); j++) {
		length_field("message", s, LUNA_MESSAGE, sizeof(f.message), 0, message_fields[j]);
		for (k = 0; k < COUNT(message_fields); k++)
			if (k != j)
				length_pair("message", s, LUNA_MESSAGE, sizeof(f.message),
					    message_fields[j], message_fields[k]);
	}
	for (nr = LUNA_CLONE_SOURCE_INIT; nr <= LUNA_HA_MOFN_ACTIVATE; nr++) {
		if (nr > LUNA_CLONE_TARGET && nr < LUNA_HA_INIT)
			continue;
		length_field("blob_len", nr == LUNA_HA_MASTER_PUBLIC ? 0 : s, nr, sizeof(f.blob), 0,
			     FIELD(luna_blob, blob_len));
		length_field("blob_len", nr == LUNA_HA_MASTER_PUBLIC ? 0 : s, nr, sizeof(f.blob), 64,
			     FIELD(luna_blob, blob_len));
	}
	for (nr = LUNA_INIT_PIN; nr <= LUNA_LOGIN; nr++) {
		length_field("pin_len", s, nr, sizeof(f.pin), 0, FIELD(luna_pin, pin_len));
		length_field("new_len", s, nr, sizeof(f.pin), 0, FIELD(luna_pin, new_len));
		length_pair("pin", s, nr, sizeof(f.pin), FIELD(luna_pin, pin_len),
			    FIELD(luna_pin, new_len));
	}
	length_field("pin_len", 0, LUNA_INIT_TOKEN, sizeof(f.init_token), 0,
		     FIELD(luna_init_token, pin_len));
	length_field("domain_len", 0, LUNA_INIT_TOKEN, sizeof(f.init_token), 0,
		     FIELD(luna_init_token, domain_len));
	length_pair("init", 0, LUNA_INIT_TOKEN, sizeof(f.init_token), FIELD(luna_init_token, pin_len),
		    FIELD(luna_init_token, domain_len));
	length_field("count", s, LUNA_POLICY_SET, sizeof(f.policy_set), 0, FIELD(luna_policy_set, count));
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
static void attempts_untouched(void **state)
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

static void attribute_lists(void **state)
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
static void nested_lists(void **state)
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
		request(sizeof(f.key), end - list);
		f.hdr.session = s;
		f.key.mechanism = CKM_AES_KEY_GEN;
		f.key.template_len = end - list;
		memcpy(f.bytes + sizeof(f.key), list, end - list);
		assert_int_not_equal(run(dev, LUNA_GENERATE_KEY, 8192), CKR_OK);
		/* An inner list that is cut off. */
		end = put_secret(list, false, 32);
		end = put_attr(end, types[i], inner, 5);
		request(sizeof(f.key), end - list);
		f.hdr.session = s;
		f.key.mechanism = CKM_AES_KEY_GEN;
		f.key.template_len = end - list;
		memcpy(f.bytes + sizeof(f.key), list, end - list);
		assert_int_not_equal(run(dev, LUNA_GENERATE_KEY, 8192), CKR_OK);
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
		request(sizeof(f.key), end - list);
		f.hdr.session = s;
		f.key.mechanism = CKM_AES_KEY_GEN;
		f.key.template_len = end - list;
		memcpy(f.bytes + sizeof(f.key), list, end - list);
		run(dev, LUNA_GENERATE_KEY, 8192);
		list_run(s, LUNA_OBJECT_CREATE, 0, inner, len);
	}
	digest_works(dev, s);
}

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
	op_request(s, LUNA_OP_DIGEST, LUNA_STEP_INIT | LUNA_STEP_ONESHOT, CKM_SHA256, 0, NULL, 0, "", 0);
	f.hdr.flags = LUNA_F_STAGED;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 32), CKR_ARGUMENTS_BAD);

	/* The last bytes may come with the command. */
	assert_rv(put(s, 0, 1, 'a'), CKR_OK);
	op_request(s, LUNA_OP_DIGEST, LUNA_STEP_INIT | LUNA_STEP_ONESHOT, CKM_SHA256, 0, NULL, 0, "bc", 2);
	f.hdr.flags = LUNA_F_STAGED;
	f.op.data_len = f.op.total = 3;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 2 + 32), CKR_OK);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
	/* But not more than fit with them. */
	for (at = 0; at < LUNA_STAGE_MAX; at += len) {
		len = LUNA_STAGE_MAX - at < PIECE ? LUNA_STAGE_MAX - at : PIECE;
		assert_rv(put(s, at, len, 'y'), CKR_OK);
	}
	op_request(s, LUNA_OP_DIGEST, LUNA_STEP_INIT | LUNA_STEP_ONESHOT, CKM_SHA256, 0, NULL, 0, "bc", 2);
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
			   LUNA_STEP_INIT | LUNA_STEP_ONESHOT, CKM_AES_CTR, key, NULL, 0, NULL, 0);
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

#define FIRST	(LUNA_STEP_INIT | LUNA_STEP_ONESHOT)

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
	unsigned char *p = request(sizeof(f.message), param_len + data_len);

	f.hdr.session = session;
	f.message.op = op;
	f.message.step = step;
	f.message.param_len = param_len;
	f.message.data_len = data_len;
	f.message.sig_len = sig_len;
	f.message.total = step == LUNA_STEP_ONESHOT ? data_len : 0;
	f.message.out_max = 4096;
	if (param_len)
		memcpy(p, param, param_len);
	if (data_len)
		memcpy(p + param_len, data, data_len);
	return sizeof(f.message) + param_len + data_len;
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
	unsigned char *p, *end;
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
	p = request(sizeof(f.key), 0);
	end = put_bool(put_secret(p, false, 16), CKA_EXTRACTABLE, true);
	f.hdr.session = s;
	f.hdr.in_len = f.key.template_len = end - p;
	f.key.mechanism = CKM_AES_KEY_GEN;
	assert_rv(run(dev, LUNA_GENERATE_KEY, 4096), CKR_OK);
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
	for (i = 0; i < COUNT(commands); i++) {
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
	for (i = 0; i < COUNT(commands); i++) {
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

/* ---- threads ---- */

static void *digest_thread(void *arg)
{
	uint32_t s = *(uint32_t *)arg;
	uintptr_t bad = 0;
	size_t i, len;

	for (i = 0; i < 2000; i++) {
		len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		bad += carry(dev, LUNA_OP, len + 32) || f.hdr.rv != CKR_OK || f.hdr.out_len != 32 ||
		       memcmp(f.bytes + sizeof(f.op), abc_digest, 32);
	}
	return (void *)bad;
}

/* Commands on one session do not mix. */
static void threads_on_one_session(void **state)
{
	uint32_t s = session_new(dev, 0);
	pthread_t threads[4];
	void *bad;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_thread, &s), 0);
	for (i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_int_equal((uintptr_t)bad, 0);
	}
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

struct race {
	volatile uint32_t *words;
	uint32_t count;
	atomic_bool stop;
};

/* Lengths, sizes and flags change while the device works on them. */
static void *scribble(void *arg)
{
	static const uint32_t values[] = { 0, 1, 8, 40, 96, 104, 4096, 0x7fffffff, 0xfffffff8, 0xffffffff };
	struct race *race = arg;
	uint32_t i = 0, old;

	while (!atomic_load_explicit(&race->stop, memory_order_relaxed)) {
		volatile uint32_t *word = race->words + i++ % race->count;

		old = *word;
		*word = values[i % COUNT(values)];
		*word = old;
	}
	return NULL;
}

static void changing_buffer(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE), len = sizeof(struct luna_op) + 3 + 32, i;
	unsigned char *map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0), *buf = map + 2 * page - ((len + 7) & ~(size_t)7);
	struct race race = { .count = sizeof(struct luna_op) / 4 };
	uint32_t s = session_new(dev, CKF_RW_SESSION), fine = 0;
	pthread_t thread;

	(void)state;
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + 2 * page, page, PROT_NONE), 0);
	len = map + 2 * page - buf;
	memset(map, PATTERN, page);
	race.words = (volatile uint32_t *)buf;
	assert_int_equal(pthread_create(&thread, NULL, scribble, &race), 0);
	for (i = 0; i < 5000; i++) {
		op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		memcpy(buf, &f, len);
		fine += !ioctl(dev, LUNA_IOC(LUNA_OP, len), buf);
	}
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	for (i = 0; i < page; i++)
		assert_int_equal(map[i], PATTERN);
	munmap(map, 3 * page);
	print_message("# %u of 5000 carried\n", fine);
	s = session_new(dev, 0);
	digest_works(dev, s);
}

/* A session and a file end while commands run in them. */
static void *digest_until_closed(void *arg)
{
	uint32_t s = *(uint32_t *)arg;
	size_t len;

	do {
		len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		if (carry(dev, LUNA_OP, len + 32))
			return (void *)1;
	} while (f.hdr.rv == CKR_OK);
	return (void *)(uintptr_t)(f.hdr.rv != CKR_SESSION_HANDLE_INVALID);
}

static void close_under_way(void **state)
{
	pthread_t threads[2];
	uint32_t s, i, j;
	void *bad;

	(void)state;
	for (i = 0; i < 50; i++) {
		s = session_new(dev, 0);
		for (j = 0; j < 2; j++)
			assert_int_equal(pthread_create(&threads[j], NULL, digest_until_closed, &s), 0);
		usleep(i * 20);
		assert_rv(i % 2 ? plain(dev, LUNA_SESSION_CLOSE, s) : plain(dev, LUNA_RESET, 0), CKR_OK);
		for (j = 0; j < 2; j++) {
			assert_int_equal(pthread_join(threads[j], &bad), 0);
			assert_null(bad);
		}
	}
}

/* ---- chance ---- */

enum { FILES = 4, KNOWN = 12 };

static struct chance {
	uint64_t x;
	int fd[FILES];
	uint32_t sessions[FILES][KNOWN], objects[FILES][KNOWN];
	unsigned char blob[8192];	/* the last one that any command made */
	uint32_t blob_len;
	unsigned char wrapped[600];	/* the last wrapped key */
	uint32_t wrapped_len;
	uint32_t more_at;		/* what waits was fetched up to here */
} ch;

static uint32_t draw(uint32_t below)
{
	ch.x ^= ch.x << 13;
	ch.x ^= ch.x >> 7;
	ch.x ^= ch.x << 17;
	return below ? (ch.x * 0x2545f4914f6cdd1dull >> 32) % below : 0;
}

static uint32_t odd_number(void)
{
	static const uint32_t edges[] = {
		0, 1, 2, 7, 8, 15, 16, 17, 40, 64, 255, 256, 4095, 4096, LUNA_IOC_MAX, 0x10000, LUNA_STAGE_MAX,
		0x40000000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xfffffff8, 0xfffffffe, 0xffffffff,
	};

	switch (draw(3)) {
	case 0: return edges[draw(COUNT(edges))];
	case 1: return 1u << draw(32);
	default: return draw(0);
	}
}

static const uint32_t mechs[] = {
	CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_RSA_X_509, CKM_SHA256_RSA_PKCS,
	CKM_SHA256_RSA_PKCS_PSS, CKM_SHA_1, CKM_SHA256, CKM_SHA512, CKM_SHA256_HMAC,
	CKM_SHA256_HMAC_GENERAL, CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM,
	CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKM_AES_KW, CKM_AES_KWP, CKM_AES_KEY_GEN,
	CKM_GENERIC_SECRET_KEY_GEN, CKM_RSA_PKCS_KEY_PAIR_GEN,
};

/* What goes together: an operation, its mechanism and the place of a key in ch.objects. */
static const struct {
	uint32_t op, mech, key;
} fitting[] = {
	{ LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, 0 }, { LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_GCM, 0 }, { LUNA_OP_DECRYPT, CKM_AES_GCM, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_CTR, 0 }, { LUNA_OP_ENCRYPT, CKM_AES_ECB, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_KWP, 0 }, { LUNA_OP_DECRYPT, CKM_AES_CBC, 0 },
	{ LUNA_OP_DIGEST, CKM_SHA256, 0 }, { LUNA_OP_DIGEST, CKM_SHA512, 0 },
	{ LUNA_OP_SIGN, CKM_AES_CMAC, 0 }, { LUNA_OP_VERIFY, CKM_AES_CMAC, 0 },
	{ LUNA_OP_SIGN, CKM_AES_CMAC_GENERAL, 0 }, { LUNA_OP_ENCRYPT, CKM_RSA_PKCS, 1 },
	{ LUNA_OP_ENCRYPT, CKM_RSA_PKCS_OAEP, 1 }, { LUNA_OP_DECRYPT, CKM_RSA_PKCS, 2 },
	{ LUNA_OP_DECRYPT, CKM_RSA_PKCS_OAEP, 2 }, { LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, 2 },
	{ LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, 1 }, { LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS_PSS, 2 },
	{ LUNA_OP_SIGN_RECOVER, CKM_RSA_PKCS, 2 }, { LUNA_OP_VERIFY_RECOVER, CKM_RSA_PKCS, 1 },
};

/* A parameter that may suit the mechanism. */
static unsigned char *chance_param(unsigned char *p, uint32_t mech)
{
	struct luna_gcm_param gcm = { draw(2) * 12, 96, draw(20), 128 };
	struct luna_oaep_param oaep = { CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, draw(9) };
	struct luna_pss_param pss = { CKM_SHA256, CKG_MGF1_SHA256, draw(40), 0 };
	struct luna_ctr_param ctr = { .counter_bits = 1 + draw(128) };
	struct luna_mac_param mac = { draw(40), 0 };

	switch (mech) {
	case CKM_AES_GCM:
		gcm.iv_bits = 8 * gcm.iv_len;
		memcpy(p, &gcm, sizeof(gcm));
		return p + sizeof(gcm) + gcm.iv_len + gcm.aad_len;
	case CKM_RSA_PKCS_OAEP:
		memcpy(p, &oaep, sizeof(oaep));
		return p + sizeof(oaep) + oaep.source_len;
	case CKM_RSA_PKCS_PSS:
	case CKM_SHA256_RSA_PKCS_PSS:
		memcpy(p, &pss, sizeof(pss));
		return p + sizeof(pss);
	case CKM_AES_CTR:
		memcpy(p, &ctr, sizeof(ctr));
		return p + sizeof(ctr);
	case CKM_SHA256_HMAC_GENERAL:
	case CKM_AES_CMAC_GENERAL:
		memcpy(p, &mac, sizeof(mac));
		return p + sizeof(mac);
	case CKM_AES_CBC:
	case CKM_AES_CBC_PAD:
		return p + 16;
	default:
		return p;
	}
}

static unsigned char *chance_template(unsigned char *p)
{
	unsigned char bytes[64];
	uint32_t i, n = draw(5);

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = draw(256);
	switch (draw(4)) {
	case 0:
		p = put_number(p, CKA_CLASS, CKO_DATA);
		p = put_attr(p, CKA_VALUE, bytes, draw(sizeof(bytes)));
		break;
	case 1:
		p = put_number(p, CKA_CLASS, CKO_SECRET_KEY);
		p = put_number(p, CKA_KEY_TYPE, draw(2) ? CKK_AES : CKK_GENERIC_SECRET);
		p = put_attr(p, CKA_VALUE, bytes, 8 * (1 + draw(4)));
		break;
	case 2:
		p = put_secret(p, draw(8) == 0, 8 * (1 + draw(5)));
		break;
	default:
		break;
	}
	for (i = 0; i < n; i++)
		switch (draw(5)) {
		case 0: p = put_attr(p, CKA_LABEL, bytes, draw(20)); break;
		case 1: p = put_attr(p, CKA_ID, bytes, draw(20)); break;
		case 2: p = put_bool(p, CKA_EXTRACTABLE, draw(2)); break;
		case 3: p = put_bool(p, CKA_PRIVATE, draw(2)); break;
		default: p = put_bool(p, CKA_SENSITIVE, draw(2)); break;
		}
	return p;
}

static unsigned char *chance_pair(unsigned char *p, uint32_t *first)
{
	unsigned char *start = p;

	p = put_number(p, CKA_MODULUS_BITS, 2048);
	p = put_attr(p, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	p = put_bool(p, CKA_ENCRYPT, true);
	p = put_bool(p, CKA_VERIFY, true);
	p = put_bool(p, CKA_WRAP, true);
	*first = p - start;
	p = put_bool(p, CKA_DECRYPT, true);
	p = put_bool(p, CKA_UNWRAP, true);
	return put_bool(p, CKA_SIGN, true);
}

static unsigned char *chance_pin(unsigned char *p)
{
	static const char *const pins[] = { SO_PIN, CO_PIN, CU_PIN, "wrong-pin-0", "" };
	const char *pin = pins[draw(20) ? draw(3) : draw(COUNT(pins))];

	memcpy(p, pin, strlen(pin));
	return p + strlen(pin);
}

/* The payload of @c, if its fields are those of a command that makes sense. */
static unsigned char *chance_payload(const struct command *c, int file, unsigned char *p)
{
	unsigned char *start = p, *mark;
	uint32_t mech = mechs[draw(COUNT(mechs))], i;

	switch (c->nr) {
	case LUNA_SESSION_OPEN:
		f.session_info.flags = CKF_SERIAL_SESSION | (draw(4) ? CKF_RW_SESSION : 0);
		break;
	case LUNA_RANDOM:
		f.random.length = draw(64);
		break;
	case LUNA_DATA_PUT:
		f.data.offset = draw(3) ? 0 : draw(200);
		p += draw(200);
		break;
	case LUNA_DATA_GET:
		f.data.length = draw(500);
		f.data.offset = draw(4) ? ch.more_at : draw(500);
		break;
	case LUNA_LOGIN:
	case LUNA_INIT_PIN:
		f.pin.role = draw(3) ? CKU_USER : draw(2) ? CKU_SO : CKU_CRYPTO_USER;
		mark = chance_pin(p);
		if (draw(10)) {
			const char *pin = f.pin.role == CKU_SO ? SO_PIN :
					  f.pin.role == CKU_USER ? CO_PIN : CU_PIN;

			memcpy(p, pin, strlen(pin));
			mark = p + strlen(pin);
		}
		f.pin.pin_len = mark - p;
		p = mark;
		break;
	case LUNA_SET_PIN:
		mark = chance_pin(p);
		f.pin.pin_len = mark - p;
		p = chance_pin(mark);
		f.pin.new_len = p - mark;
		break;
	case LUNA_INIT_TOKEN:
		memcpy(p, SO_PIN, strlen(SO_PIN));
		f.init_token.pin_len = strlen(SO_PIN);
		f.init_token.domain_len = draw(10);
		f.init_token.type = draw(2);
		f.init_token.flags = draw(8) ? 0 : LUNA_INIT_MOFN;
		p += f.init_token.pin_len + f.init_token.domain_len;
		break;
	case LUNA_APP_ID:
		f.app_id.step = draw(5);
		f.app_id.id[0] = draw(3);
		break;
	case LUNA_ROLE_STATE:
		f.role_state.role = draw(4);
		break;
	case LUNA_POLICY_LIST:
		f.policy_list.scope = draw(2);
		break;
	case LUNA_POLICY_SET:
		f.policy_set.scope = draw(2);
		f.policy_set.count = 1 + draw(2);
		for (i = 0; i < f.policy_set.count; i++, p += 8)
			memcpy(p, (uint32_t[]){ draw(64), draw(3) }, 8);
		break;
	case LUNA_OBJECT_CREATE:
	case LUNA_OBJECT_COPY:
	case LUNA_ATTR_SET:
		p = chance_template(p);
		f.object.template_len = p - start;
		break;
	case LUNA_ATTR_GET:
		for (i = draw(12); i; i--, p += 8)
			memcpy(p, (uint32_t[]){ draw(2) ? draw(0x180) : CKA_VALUE, draw(100) }, 8);
		f.object.template_len = p - start;
		break;
	case LUNA_FIND:
		f.find.max = draw(100);
		p = draw(2) ? p : chance_template(p);
		f.find.template_len = p - start;
		break;
	case LUNA_OP:
		f.op.op = draw(LUNA_OP_KINDS);
		f.op.step = draw(2) ? FIRST : 1u << draw(6);
		f.op.mechanism = mech;
		f.op.key = ch.objects[file][draw(KNOWN)];
		if (draw(4)) {
			i = draw(COUNT(fitting));
			f.op.op = fitting[i].op;
			f.op.mechanism = mech = fitting[i].mech;
			f.op.key = f.op.op == LUNA_OP_DIGEST ? 0 : ch.objects[file][fitting[i].key];
		}
		mark = f.op.step & LUNA_STEP_INIT ? chance_param(p, mech) : p;
		f.op.param_len = mark - p;
		if (f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE))
			f.op.data_len = draw(4) ? 16 * draw(20) : draw(600);
		if (f.op.key && f.op.key == ch.objects[file][1 + (f.op.op & 1)])
			f.op.data_len = draw(2) ? 256 : draw(200);
		if (!(f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE)))
			f.op.data_len = 0;
		f.op.total = f.op.data_len;
		if (f.op.op == LUNA_OP_VERIFY && f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_FINAL))
			f.op.sig_len = 16 << draw(5);
		f.op.out_max = draw(10) ? 4096 : odd_number();
		p = mark + f.op.data_len + f.op.sig_len;
		break;
	case LUNA_MESSAGE:
		f.message.op = LUNA_OP_MESSAGE_ENCRYPT + draw(4);
		f.message.step = draw(3) ? LUNA_STEP_ONESHOT : 1u << draw(7);
		mark = f.message.step & (LUNA_STEP_ONESHOT | LUNA_STEP_BEGIN) &&
		       f.message.op < LUNA_OP_MESSAGE_SIGN ? chance_param(p, CKM_AES_GCM) : p;
		f.message.param_len = mark - p;
		if (mark > p && f.message.op == LUNA_OP_MESSAGE_ENCRYPT) {
			f.message.generator = draw(6);
			f.message.fixed_bits = draw(4) ? draw(100) : odd_number();
		}
		if (f.message.step != LUNA_STEP_BEGIN && f.message.step != LUNA_STEP_CANCEL)
			f.message.data_len = draw(600);
		if (f.message.step == LUNA_STEP_ONESHOT)
			f.message.total = f.message.data_len;
		if (f.message.step & (LUNA_STEP_ONESHOT | LUNA_STEP_FINAL) &&
		    f.message.op != LUNA_OP_MESSAGE_SIGN)
			f.message.sig_len = draw(8) ? 16 : draw(40);
		f.message.out_max = draw(10) ? 4096 : odd_number();
		p = mark + f.message.data_len +
		    (f.message.op == LUNA_OP_MESSAGE_ENCRYPT ? 0 : f.message.sig_len);
		break;
	case LUNA_GENERATE_PAIR:
		f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		p = chance_pair(p, &f.key.template_len);
		f.key.template2_len = p - start - f.key.template_len;
		break;
	case LUNA_GENERATE_KEY:
	case LUNA_WRAP:
	case LUNA_UNWRAP:
	case LUNA_DERIVE:
		if (draw(4))
			mech = draw(2) ? CKM_AES_KWP : CKM_AES_CBC_PAD;
		f.key.mechanism = mech;
		f.key.key = ch.objects[file][draw(3) ? 0 : draw(KNOWN)];
		f.key.out_max = 4096;
		if (c->nr == LUNA_GENERATE_KEY)
			f.key.mechanism = draw(4) ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN;
		else
			p = chance_param(p, mech);
		f.key.param_len = p - start;
		if (c->nr == LUNA_WRAP) {
			f.key.target = ch.objects[file][draw(2) ? 3 : draw(KNOWN)];
			break;
		}
		mark = p;
		if (c->nr == LUNA_UNWRAP && draw(4))
			p = put_number(put_number(p, CKA_CLASS, CKO_SECRET_KEY), CKA_KEY_TYPE, CKK_AES);
		else
			p = c->nr == LUNA_GENERATE_KEY ?
			    put_secret(p, draw(8) == 0, 16 + 8 * draw(3)) : chance_template(p);
		f.key.template_len = p - mark;
		if (c->nr == LUNA_UNWRAP) {
			f.key.data_len = ch.wrapped_len;
			memcpy(p, ch.wrapped, f.key.data_len);
			p += f.key.data_len;
		}
		break;
	case LUNA_MOFN_GENERATE:
		f.mofn.n = 1 + draw(5);
		f.mofn.m = 1 + draw(f.mofn.n);
		for (i = 0; i < f.mofn.n; i++, p += 8)
			memcpy(p, (uint32_t[]){ 1, 512 }, 8);
		break;
	case LUNA_MOFN_ACTIVATE:
		f.mofn.n = 1 + draw(3);
		memcpy(p, ch.blob, ch.blob_len);
		p += ch.blob_len;
		break;
	case LUNA_IMAGE_EXPORT:
		break;
	case LUNA_IMAGE_GET:
		f.data.offset = draw(3) ? 0 : odd_number();
		f.data.length = draw(8) ? draw(6000) : odd_number();
		break;
	case LUNA_IMAGE_PUT:
		f.data.offset = draw(3) ? 0 : odd_number();
		p += draw(3000);
		break;
	case LUNA_IMAGE_RESTORE:
		f.image.role = CKU_USER;
		f.image.so_pin_len = draw(20);
		f.image.domain_len = draw(20);
		f.image.pin_len = draw(20);
		p += f.image.so_pin_len + f.image.domain_len + f.image.pin_len;
		break;
	default:
		if (c->size == sizeof(f.blob)) {
			f.blob.handle = ch.objects[file][draw(2) ? 3 * draw(2) : draw(KNOWN)];
			f.blob.role = CKU_USER;
			f.blob.out_max = draw(8) ? 8192 : odd_number();
			if (c->nr != LUNA_CLONE_SOURCE_INIT && c->nr != LUNA_HA_INIT &&
			    c->nr != LUNA_HA_MASTER_PUBLIC) {
				memcpy(p, ch.blob, ch.blob_len);
				p += ch.blob_len;
			}
			f.blob.blob_len = p - start;
		} else if (c->payload) {
			p += draw(40);
		}
	}
	if (c->size == sizeof(f.object) && c->nr >= LUNA_OBJECT_COPY && c->nr <= LUNA_ATTR_SET)
		f.object.handle = ch.objects[file][draw(KNOWN)];
	return p;
}

/* A few fields, or bytes of the payload, become something else. */
static size_t mutate(size_t len)
{
	uint32_t times = 1 + draw(3), word;
	size_t at;

	while (times--)
		switch (draw(6)) {
		case 0:
			f.bytes[draw(len)] ^= 1u << draw(8);
			break;
		case 1:
			len = draw(4) ? len + draw(64) : draw(LUNA_IOC_MAX + 8);
			if (len > LUNA_IOC_MAX)
				len = LUNA_IOC_MAX;
			break;
		case 2:
			f.hdr.flags ^= LUNA_F_STAGED;
			break;
		default:
			at = draw(len < 200 ? len : 200) & ~3u;
			word = odd_number();
			memcpy(f.bytes + at, &word, 4);
		}
	return len;
}

/* Commands that take long, or end what the others need, come seldom. */
static const struct command *chance_command(void)
{
	const struct command *c;

	for (;;) {
		c = &commands[draw(COUNT(commands))];
		switch (c->nr) {
		case LUNA_GENERATE_PAIR:
		case LUNA_INIT_TOKEN:
			if (!draw(12))
				return c;
			break;
		case LUNA_RESET:
		case LUNA_SESSION_CLOSE:
		case LUNA_SESSION_CLOSE_ALL:
		case LUNA_OBJECT_DESTROY:
		case LUNA_LOGOUT:
		case LUNA_INIT_PIN:
		case LUNA_SET_PIN:
		case LUNA_POLICY_SET:
		case LUNA_MOFN_GENERATE:
			if (!draw(8))
				return c;
			break;
		default:
			return draw(3) ? c : &commands[draw(2) ? 28 /* OP */ : 29 /* GENERATE_KEY */];
		}
	}
}

static void remember(const struct command *c, int file, size_t len)
{
	uint32_t out = f.hdr.out_len;

	ch.more_at = c->nr == LUNA_DATA_GET ? f.data.offset + out : 0;
	if (c->nr == LUNA_SESSION_OPEN)
		ch.sessions[file][draw(KNOWN)] = f.session_info.handle;
	/* The first places are those of keys that fit. */
	if (c->nr == LUNA_OBJECT_CREATE || c->nr == LUNA_OBJECT_COPY)
		ch.objects[file][4 + draw(KNOWN - 4)] = f.object.handle;
	if (c->size == sizeof(f.key) && c->nr != LUNA_WRAP) {
		ch.objects[file][4 + draw(KNOWN - 4)] = f.key.handle;
		if (c->nr == LUNA_GENERATE_PAIR)
			ch.objects[file][4 + draw(KNOWN - 4)] = f.key.handle2;
	}
	if (!out || out > sizeof(ch.blob) || f.hdr.size + out > len)
		return;
	if (c->nr == LUNA_WRAP && out <= sizeof(ch.wrapped)) {
		memcpy(ch.wrapped, f.bytes + f.hdr.size, out);
		ch.wrapped_len = out;
	}
	if (c->size == sizeof(f.blob) || c->nr == LUNA_MOFN_GENERATE) {
		memcpy(ch.blob, f.bytes + f.hdr.size, out);
		ch.blob_len = out;
	}
}

/* One command; what is known of any reply is checked. */
static void chance_step(uint32_t i, const struct command *c, int file)
{
	int err;
	unsigned char *p, fill = draw(256), *end;
	size_t len, asked;
	bool mutated = draw(5) < 2;

	request(0, 0);
	memset(&f, fill, sizeof(f));
	memset(&f, 0, c->size);
	f.hdr.size = c->size;
	if (c->session)
		f.hdr.session = ch.sessions[file][draw(8) ? 0 : draw(KNOWN)];
	p = f.bytes + c->size;
	end = chance_payload(c, file, p);
	f.hdr.in_len = end - p;
	len = end - f.bytes;
	asked = len + (draw(4) ? 4096 : draw(600));
	if (asked > LUNA_IOC_MAX)
		asked = LUNA_IOC_MAX;
	if (mutated)
		asked = mutate(asked);
	memset(f.bytes + asked, fill, sizeof(f) - asked);
	err = carry(ch.fd[file], c->nr, asked);
	if (err) {
		if (mutated ? err != EINVAL && err != E2BIG && err != ENOMEM : 1)
			fail_msg("step %u, %s: %s", i, c->name, strerror(err));
		return;
	}
	if (f.hdr.size > asked || f.hdr.out_len > asked - f.hdr.size)
		fail_msg("step %u, %s: a reply of %u bytes", i, c->name, f.hdr.out_len);
	for (len = asked; len < sizeof(f); len++)
		if (f.bytes[len] != fill)
			fail_msg("step %u, %s: byte %zu behind a buffer of %zu", i, c->name, len, asked);
	if (f.hdr.more && !c->session)
		fail_msg("step %u, %s: more without a session", i, c->name);
	if (f.hdr.rv == CKR_OK)
		remember(c, file, asked);
	else if (f.hdr.rv == CKR_GENERAL_ERROR || f.hdr.rv == CKR_DEVICE_ERROR ||
		 f.hdr.rv == CKR_FUNCTION_FAILED)
		print_message("# step %u, %s: %s\n", i, c->name, rv_name(f.hdr.rv));
}

/* Sees to it that a file has a session, which is logged in and has keys: the first known of each. */
static void refresh(int file)
{
	int fd = ch.fd[file];
	uint32_t *objects = ch.objects[file], s, places[] = { 0, 3 };
	unsigned char *p, *end;
	size_t i;

	request(sizeof(f.session_info), 0);
	f.hdr.session = ch.sessions[file][0];
	if (run(fd, LUNA_SESSION_INFO, sizeof(f.session_info)) != CKR_OK) {
		request(sizeof(f.session_info), 0);
		f.session_info.flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
		if (run(fd, LUNA_SESSION_OPEN, sizeof(f.session_info)) != CKR_OK)
			return;
		ch.sessions[file][0] = f.session_info.handle;
	}
	s = ch.sessions[file][0];
	with_pin(fd, LUNA_LOGIN, s, CKU_USER, CO_PIN);
	for (i = 0; i < 2; i++) {
		request(sizeof(f.object), 0);
		f.hdr.session = s;
		f.object.handle = objects[places[i]];
		if (run(fd, LUNA_OBJECT_SIZE, sizeof(f.object)) == CKR_OK)
			continue;
		p = request(sizeof(f.key), 0);
		end = put_bool(put_secret(p, false, 32), CKA_EXTRACTABLE, places[i]);
		f.hdr.session = s;
		f.hdr.in_len = f.key.template_len = end - p;
		f.key.mechanism = CKM_AES_KEY_GEN;
		if (run(fd, LUNA_GENERATE_KEY, end - f.bytes) == CKR_OK)
			objects[places[i]] = f.key.handle;
	}
	request(sizeof(f.object), 0);
	f.hdr.session = s;
	f.object.handle = objects[2];
	if (run(fd, LUNA_OBJECT_SIZE, sizeof(f.object)) == CKR_OK || draw(16))
		return;
	p = request(sizeof(f.key), 0);
	end = chance_pair(p, &f.key.template_len);
	f.key.template2_len = end - p - f.key.template_len;
	f.hdr.session = s;
	f.hdr.in_len = end - p;
	f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	if (run(fd, LUNA_GENERATE_PAIR, end - f.bytes) != CKR_OK)
		return;
	objects[1] = f.key.handle;
	objects[2] = f.key.handle2;
}

/* The steps of a protocol between two tokens, each of which may be disturbed. */
static void protocol(uint32_t i)
{
	static const struct {
		uint32_t nr;
		int file;
	} clone[] = {
		{ LUNA_CLONE_SOURCE_INIT, 0 }, { LUNA_CLONE_TARGET_INIT, FILES - 1 },
		{ LUNA_CLONE_SOURCE, 0 }, { LUNA_CLONE_TARGET, FILES - 1 },
	}, ha[] = {
		{ LUNA_HA_MASTER_PUBLIC, 0 }, { LUNA_HA_CHALLENGE, FILES - 1 }, { LUNA_HA_ANSWER, 0 },
		{ LUNA_HA_LOGIN, FILES - 1 },
	};
	bool cloning = draw(2);
	size_t step, j;

	refresh(0);
	refresh(FILES - 1);
	for (step = 0; step < 4; step++)
		for (j = 0; j < COUNT(commands); j++)
			if (commands[j].nr == (cloning ? clone[step].nr : ha[step].nr))
				chance_step(i, &commands[j], cloning ? clone[step].file : ha[step].file);
}

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static void daemon_alive(void)
{
	const char *pid = getenv("LUNA_TEST_DAEMON_PID");

	if (pid && kill(atoi(pid), 0))
		fail_msg("the daemon has gone");
}

static void random_commands(void **state)
{
	unsigned long seed = number_of("LUNA_FUZZ_SEED", 20260101);
	unsigned long count = number_of("LUNA_FUZZ_COUNT", 20000), i;
	static const unsigned char cmac_len = 16;
	uint32_t s, key;
	size_t len, j;

	(void)state;
	print_message("# seed %lu, %lu commands\n", seed, count);
	ch.x = seed * 0x9e3779b97f4a7c15ull + 1;
	for (i = 0; i < FILES; i++)
		ch.fd[i] = device_open(i == FILES - 1);
	for (i = 0; i < count; i++) {
		if (i % 16 == 0)
			refresh(draw(FILES));
		if (i % 50 == 0)
			protocol(i);
		if (i % 4000 == 3999) {
			for (j = 0; j < FILES; j++) {
				assert_rv(plain(ch.fd[j], LUNA_RESET, 0), CKR_OK);
				memset(ch.sessions[j], 0, sizeof(ch.sessions[j]));
			}
			prepare(0);
			prepare(1);
		}
		chance_step(i, chance_command(), draw(FILES));
	}
	for (i = 0; i < FILES; i++)
		close(ch.fd[i]);
	daemon_alive();

	/* It still does what it is for. */
	prepare(0);
	prepare(1);
	s = session_of_co(dev);
	key = aes_new(dev, s);
	len = op_request(s, LUNA_OP_SIGN, FIRST, CKM_AES_CMAC, key, NULL, 0, "abc", 3);
	assert_rv(run(dev, LUNA_OP, len + 64), CKR_OK);
	assert_int_equal(f.hdr.out_len, cmac_len);
	memcpy(ch.blob, f.bytes + sizeof(f.op), cmac_len);
	op_request(s, LUNA_OP_VERIFY, FIRST, CKM_AES_CMAC, key, NULL, 0, "abc", 3);
	memcpy(f.bytes + sizeof(f.op) + 3, ch.blob, cmac_len);
	f.op.sig_len = cmac_len;
	f.hdr.in_len += cmac_len;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 3 + cmac_len), CKR_OK);
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(commands[28].nr, LUNA_OP);
	assert_int_equal(commands[29].nr, LUNA_GENERATE_KEY);
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
