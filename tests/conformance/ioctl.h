/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "ioctl" share: one request at a time for each thread, the commands
 * that there are, and sessions, keys and operations to try them on.
 */
#ifndef LUNA_TESTS_IOCTL_H
#define LUNA_TESTS_IOCTL_H

#include <errno.h>

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

/* The request, and then its reply. */
extern _Thread_local union frame f;

extern const struct command {
	const char *name;
	uint32_t nr, size;
	bool session;
	uint32_t reserved;	/* offset of a reserved field behind the header */
	bool payload;		/* may have one in the request */
} commands[];
extern const size_t command_count;

#define NONE		0xffff		/* no such field, as an offset */
#define FIELD(type, name) offsetof(struct type, name)
#define FIRST		(LUNA_STEP_INIT | LUNA_STEP_ONESHOT)

extern int dev;				/* slot 0 */
extern const unsigned char abc_digest[32];	/* SHA-256 of "abc" */

/* ---- talking to a device ---- */

#define assert_errno(expression, expected)						\
	do {										\
		int err_ = (expression);						\
		if (err_ != (expected))							\
			fail_msg("%s: %s, expected %s", #expression, strerror(err_),	\
				 strerror(expected));					\
	} while (0)

/* A device of LUNA_DEVICES: -1 and errno, or a failed test, if it does not open. */
int device_open_as(unsigned int slot, int flags);
int device_open(unsigned int slot);

/* An empty request with @size bytes of struct and @in_len bytes of payload, which it returns. */
unsigned char *request(uint32_t size, uint32_t in_len);

/* 0 or the errno */
int carry(int fd, uint32_t nr, size_t len);

/* The return value of a command that must be carried. */
CK_RV run(int fd, uint32_t nr, size_t len);

/* Not carried as EINVAL, or CKR_ARGUMENTS_BAD: either way nothing was done. */
void assert_refused(const char *what, int fd, uint32_t nr, size_t len);

/* What a command asks for before it looks at the rest. */
void make_sensible(uint32_t nr);

/* A new session, which has the CKF_* @flags. */
uint32_t session_new(int fd, uint32_t flags);

/* A command of struct luna_pin with one PIN, and one of a header alone. */
CK_RV with_pin(int fd, uint32_t nr, uint32_t session, uint32_t role, const char *pin);
CK_RV plain(int fd, uint32_t nr, uint32_t session);

CK_RV init_token(int fd, const char *pin);

/*
 * Initialises the token and its roles, whatever it was: with a PIN that nobody knows the attempts
 * run out, and then the token does not ask for one.
 */
void prepare(unsigned int slot);

/* A read-write session of the crypto officer. */
uint32_t session_of_co(int fd);

/* ---- attributes and operations ---- */

/* Writes an attribute at @p and returns its end. */
unsigned char *put_attr(unsigned char *p, uint32_t type, const void *value, uint32_t len);
unsigned char *put_number(unsigned char *p, uint32_t type, uint64_t value);
unsigned char *put_bool(unsigned char *p, uint32_t type, bool value);

/* The template of a secret key with all usages. */
unsigned char *put_secret(unsigned char *p, bool token, uint64_t bytes);

/* LUNA_GENERATE_KEY of an AES key with a list of attributes that is not in the frame; see f.key. */
CK_RV aes_generate(int fd, uint32_t session, const unsigned char *list, uint32_t len);

/* An AES-256 session key of put_secret(). */
uint32_t aes_new(int fd, uint32_t session);

/* A data object with @len bytes of @byte. */
CK_RV data_new(int fd, uint32_t session, unsigned char byte, uint32_t len, uint32_t *handle);

/* A request whose payload begins with a parameter and data; returns the length of the request. */
size_t parts_request(uint32_t size, uint32_t session, const void *param, uint32_t param_len,
		     const void *data, uint32_t data_len);

/* That of LUNA_OP. */
size_t op_request(uint32_t session, uint32_t op, uint32_t step, uint32_t mechanism, uint32_t key,
		  const void *param, uint32_t param_len, const void *data, uint32_t data_len);

/* The device still does what it is for. */
void digest_works(int fd, uint32_t session);

/* ---- the tests of each part ---- */

/* ioctl_sizes.c */
void unknown_commands(void **state);
void wrong_magic_and_direction(void **state);
void buffer_lengths(void **state);
void long_buffers(void **state);
void struct_sizes(void **state);
void payload_lengths(void **state);
void reserved_and_flags(void **state);
void payload_unexpected(void **state);
void faults(void **state);
void open_modes(void **state);
void device_info(void **state);
void lengths_of_parts(void **state);
void attempts_untouched(void **state);
void attribute_lists(void **state);
void nested_lists(void **state);

/* ioctl_message.c */
void message_fields(void **state);

/* ioctl_reply.c */
void no_stale_bytes(void **state);

/* ioctl_threads.c */
void threads_on_one_session(void **state);
void changing_buffer(void **state);
void close_under_way(void **state);

/* ioctl_random.c */
void random_commands(void **state);

#endif /* LUNA_TESTS_IOCTL_H */
