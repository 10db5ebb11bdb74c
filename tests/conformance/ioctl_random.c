// SPDX-License-Identifier: MIT
/*
 * Random commands on four files of two tokens: most of them well formed, many then altered.
 * Whatever they do, the devices go on and nothing is written beyond what the caller said.
 *
 *	LUNA_FUZZ_SEED, LUNA_FUZZ_COUNT
 *			which, and how many
 */
#include <signal.h>
#include <unistd.h>

#include "ioctl_random.h"

struct chance ch;

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
	unsigned char list[512], *p, *end;
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
		end = put_bool(put_secret(list, false, 32), CKA_EXTRACTABLE, places[i]);
		if (aes_generate(fd, s, list, end - list) == CKR_OK)
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
		for (j = 0; j < command_count; j++)
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

void random_commands(void **state)
{
	unsigned long seed = number_of("LUNA_FUZZ_SEED", 20260101);
	unsigned long count = number_of("LUNA_FUZZ_COUNT", 20000), i;
	static const unsigned char cmac_len = 16;
	uint32_t s, key;
	size_t len, j;

	(void)state;
	assert_int_equal(commands[28].nr, LUNA_OP);
	assert_int_equal(commands[29].nr, LUNA_GENERATE_KEY);
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
