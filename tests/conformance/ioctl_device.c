// SPDX-License-Identifier: MIT
/* A device and a request at a time, without a library; see ioctl.h. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ioctl.h"

_Thread_local union frame f;
int dev = -1;

#define RESERVED(type) offsetof(struct type, reserved)

const struct command commands[] = {
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
const size_t command_count = COUNT(commands);

/* ---- talking to a device ---- */

int device_open_as(unsigned int slot, int flags)
{
	const char *dir = getenv("LUNA_DEVICES");
	char path[4096];

	snprintf(path, sizeof(path), "%s/luna%u", dir ? dir : "/dev", slot);
	return open(path, flags | O_CLOEXEC);
}

int device_open(unsigned int slot)
{
	int fd = device_open_as(slot, O_RDWR);

	if (fd < 0)
		fail_msg("cannot open slot %u below LUNA_DEVICES: %s", slot, strerror(errno));
	return fd;
}

unsigned char *request(uint32_t size, uint32_t in_len)
{
	memset(&f, 0, sizeof(f));
	f.hdr.size = size;
	f.hdr.in_len = in_len;
	return f.bytes + size;
}

int carry(int fd, uint32_t nr, size_t len)
{
	return ioctl(fd, LUNA_IOC(nr, len), &f) ? errno : 0;
}

CK_RV run(int fd, uint32_t nr, size_t len)
{
	uint32_t size = f.hdr.size;
	int err = carry(fd, nr, len);

	if (err)
		fail_msg("command %u with %zu bytes: %s", nr, len, strerror(err));
	assert_int_equal(f.hdr.size, size);
	assert_true(f.hdr.out_len <= len - size);
	return f.hdr.rv;
}

void assert_refused(const char *what, int fd, uint32_t nr, size_t len)
{
	int err = carry(fd, nr, len);

	/* make_sensible() names no mechanism that derives, and then nothing else is looked at. */
	if (!err && nr == LUNA_DERIVE && f.hdr.rv == CKR_MECHANISM_INVALID)
		return;
	if (err ? err != EINVAL : f.hdr.rv != CKR_ARGUMENTS_BAD)
		fail_msg("%s: command %u: %s, expected EINVAL or CKR_ARGUMENTS_BAD", what, nr,
			 err ? strerror(err) : rv_name(f.hdr.rv));
}

void make_sensible(uint32_t nr)
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

uint32_t session_new(int fd, uint32_t flags)
{
	request(sizeof(f.session_info), 0);
	f.session_info.flags = CKF_SERIAL_SESSION | flags;
	assert_rv(run(fd, LUNA_SESSION_OPEN, sizeof(f.session_info)), CKR_OK);
	assert_int_not_equal(f.session_info.handle, 0);
	return f.session_info.handle;
}

CK_RV with_pin(int fd, uint32_t nr, uint32_t session, uint32_t role, const char *pin)
{
	size_t len = strlen(pin);

	memcpy(request(sizeof(f.pin), len), pin, len);
	f.hdr.session = session;
	f.pin.role = role;
	f.pin.pin_len = len;
	return run(fd, nr, sizeof(f.pin) + len);
}

CK_RV plain(int fd, uint32_t nr, uint32_t session)
{
	request(sizeof(f.hdr), 0);
	f.hdr.session = session;
	return run(fd, nr, sizeof(f.hdr));
}

CK_RV init_token(int fd, const char *pin)
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

void prepare(unsigned int slot)
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

uint32_t session_of_co(int fd)
{
	uint32_t s = session_new(fd, CKF_RW_SESSION);

	assert_rv(with_pin(fd, LUNA_LOGIN, s, CKU_USER, CO_PIN), CKR_OK);
	return s;
}

/* ---- attributes and operations ---- */

unsigned char *put_attr(unsigned char *p, uint32_t type, const void *value, uint32_t len)
{
	struct luna_attr attr = { type, len };
	uint32_t padded = (len + 7) & ~7u;

	memcpy(p, &attr, sizeof(attr));
	memset(p + sizeof(attr), 0, padded);
	if (len)
		memcpy(p + sizeof(attr), value, len);
	return p + sizeof(attr) + padded;
}

unsigned char *put_number(unsigned char *p, uint32_t type, uint64_t value)
{
	return put_attr(p, type, &value, sizeof(value));
}

unsigned char *put_bool(unsigned char *p, uint32_t type, bool value)
{
	unsigned char byte = value;

	return put_attr(p, type, &byte, 1);
}

unsigned char *put_secret(unsigned char *p, bool token, uint64_t bytes)
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

CK_RV aes_generate(int fd, uint32_t session, const unsigned char *list, uint32_t len)
{
	memcpy(request(sizeof(f.key), len), list, len);
	f.hdr.session = session;
	f.key.mechanism = CKM_AES_KEY_GEN;
	f.key.template_len = len;
	return run(fd, LUNA_GENERATE_KEY, sizeof(f.key) + len);
}

uint32_t aes_new(int fd, uint32_t session)
{
	unsigned char list[512];

	assert_rv(aes_generate(fd, session, list, put_secret(list, false, 32) - list), CKR_OK);
	return f.key.handle;
}

CK_RV data_new(int fd, uint32_t session, unsigned char byte, uint32_t len, uint32_t *handle)
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

size_t parts_request(uint32_t size, uint32_t session, const void *param, uint32_t param_len,
		     const void *data, uint32_t data_len)
{
	unsigned char *p = request(size, param_len + data_len);

	f.hdr.session = session;
	if (param_len)
		memcpy(p, param, param_len);
	if (data_len)
		memcpy(p + param_len, data, data_len);
	return size + param_len + data_len;
}

size_t op_request(uint32_t session, uint32_t op, uint32_t step, uint32_t mechanism, uint32_t key,
		  const void *param, uint32_t param_len, const void *data, uint32_t data_len)
{
	size_t len = parts_request(sizeof(f.op), session, param, param_len, data, data_len);

	f.op.op = op;
	f.op.step = step;
	f.op.mechanism = mechanism;
	f.op.key = key;
	f.op.param_len = param_len;
	f.op.data_len = data_len;
	f.op.total = data_len;
	f.op.out_max = LUNA_OUT_QUERY - 1;
	return len;
}

const unsigned char abc_digest[32] = {
	0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
	0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
};

void digest_works(int fd, uint32_t session)
{
	size_t len = op_request(session, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);

	assert_rv(run(fd, LUNA_OP, len + 32), CKR_OK);
	assert_int_equal(f.hdr.out_len, 32);
	assert_memory_equal(f.bytes + sizeof(f.op), abc_digest, 32);
}
