// SPDX-License-Identifier: MIT
/*
 * A hostile device: the library with a transport of the fuzzer's. Two slots answer as a real token
 * does, and then as the input says: any word of the reply changed, all of it, an errno. On top of it
 * goes a program of calls (library_calls.c).
 *
 * The input begins with the lies, which change the replies that they name and leave the program behind
 * them as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "library.h"

enum { FDS = 64, FD_BASE = 1000, CALLS_MAX = 64, LIES = 4 };

static bool honest;

/*
 * @ioctl: the reply that is changed, the first being 1; 0: none
 * @how: LIE_*
 * @word: which word of the reply
 * @value: what it becomes
 */
static struct lie {
	u8 ioctl, how, word, value;
} lies[LIES];

enum {
	LIE_ERRNO = 1,		/* @value chooses one */
	LIE_NEGATIVE = 2,	/* the word becomes -@value */
	LIE_SHIFTED = 4,	/* @value stands in the second byte */
	LIE_FILL = 8,		/* @value from there to the end */
	LIE_ON = 16,		/* and all replies behind it, too */
};

static u32 ioctls;	/* so far */

size_t LLVMFuzzerMutate(u8 *data, size_t len, size_t max);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t len, size_t max, unsigned int seed);

/* A lie makes sense as a whole: every other input gets a new one, about an early reply. */
size_t LLVMFuzzerCustomMutator(u8 *data, size_t len, size_t max, unsigned int seed)
{
	u8 *lie = data + seed / 2 % LIES * sizeof(struct lie);

	if (!(seed & 1) || len < LIES * sizeof(struct lie))
		return LLVMFuzzerMutate(data, len, max);
	lie[0] = 1 + (seed >> 4) % 12;
	lie[1] = (seed >> 8) % 8 ? (seed >> 8) & LIE_ON : seed >> 11;
	lie[2] = (seed >> 16) % 32;
	lie[3] = seed >> 24;
	return len;
}

/* ---- what the library takes for the kernel ---- */

static struct luna_open *fds[FDS];

int __real_open64(const char *path, int flags, ...);
int __real_close(int fd);
int __real_stat64(const char *path, struct stat *st);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_stat64(const char *path, struct stat *st);
int __wrap_ioctl(int fd, unsigned long command, void *arg);

/* The side whose device file this is, or -1. */
static int side_of(const char *path)
{
	return !strncmp(path, "/fuzz/luna", 10) && path[10] >= '0' && path[10] < '0' + SLOTS ?
	       path[10] - '0' : -1;
}

int __wrap_open64(const char *path, int flags, ...)
{
	int side = side_of(path), i;

	if (side < 0)
		return __real_open64(path, flags, 0600);
	for (i = 0; i < FDS && fds[i]; i++)
		;
	fuzz_check(i < FDS);
	fds[i] = luna_open(fuzz_world.sides[side].fx.token);
	fuzz_check(!IS_ERR(fds[i]));
	return FD_BASE + i;
}

int __wrap_close(int fd)
{
	int i = fd - FD_BASE;

	if (i < 0 || i >= FDS)
		return __real_close(fd);
	fuzz_check(fds[i]);	/* closed once, and never used after that */
	luna_release(fds[i]);
	fds[i] = NULL;
	return 0;
}

int __wrap_stat64(const char *path, struct stat *st)
{
	if (side_of(path) < 0)
		return __real_stat64(path, st);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG;
	return 0;
}

/* Most programs have few ioctls, and most structs few words, so most lies are about these. */
static struct lie lie_take(struct fuzz_in *in)
{
	struct lie lie;

	lie.ioctl = fuzz_u8(in) % 32;
	lie.how = fuzz_u8(in);
	lie.word = fuzz_u8(in);
	if (lie.word < 0x80)
		lie.word %= 32;
	lie.value = fuzz_u8(in);
	return lie;
}

static bool lie_is_due(const struct lie *lie)
{
	if (honest || !lie->ioctl)
		return false;
	return lie->how & LIE_ON ? ioctls >= lie->ioctl : ioctls == lie->ioctl;
}

static void lie_tell(const struct lie *lie, u8 *reply, size_t len)
{
	size_t at = lie->word * 4u;
	u32 value = lie->value;

	if (at + sizeof(value) > len)
		return;
	if (lie->how & LIE_FILL) {
		memset(reply + at, value, len - at);
		return;
	}
	if (lie->how & LIE_NEGATIVE)
		value = -value;
	if (lie->how & LIE_SHIFTED)
		value <<= 8;
	memcpy(reply + at, &value, sizeof(value));
}

/* All of the buffer is the device's to write to. Return: 0 or an errno. */
static int reply_change(u8 *reply, size_t len, int err)
{
	static const int errors[] = { ENODEV, EINVAL, ENOMEM, ENOTTY, EIO, ESTALE };
	const struct lie *lie;

	for (lie = lies; lie < lies + LIES; lie++) {
		if (!lie_is_due(lie))
			continue;
		if (lie->how & LIE_ERRNO)
			return errors[lie->value % ARRAY_SIZE(errors)];
		lie_tell(lie, reply, len);
		err = 0;
	}
	return err;
}

int __wrap_ioctl(int fd, unsigned long command, void *arg)
{
	bool is_long = _IOC_TYPE(command) == LUNA_IOC_MAGIC_LONG;
	size_t len = is_long ? 8 * _IOC_SIZE(command) : _IOC_SIZE(command), out_len = 0;
	int i = fd - FD_BASE, err;
	u8 *reply;

	fuzz_check(i >= 0 && i < FDS && fds[i]);
	fuzz_check(len >= sizeof(struct luna_hdr) && len <= (is_long ? LUNA_IOC_LONG_MAX : LUNA_IOC_MAX));
	ioctls += !honest;
	reply = fuzz_alloc(len);
	memcpy(reply, arg, len);
	err = -fuzz_ioctl(fds[i], _IOC_NR(command), arg, len, reply, &out_len);
	err = reply_change(reply, len, err);
	memcpy(arg, reply, len);
	free(reply);
	errno = err;
	return err ? -1 : 0;
}

/* ---- the entries ---- */

static void begin(void)
{
	fuzz_calls_reset();
	fuzz_world_open(false);
	for (u32 i = 0; i < FUZZ_SIDES; i++) {
		luna_release(fuzz_world.sides[i].open);
		fuzz_world.sides[i].open = NULL;
	}
	fuzz_check(!C_Initialize(NULL));
}

static void end(void)
{
	C_Finalize(NULL);
	for (u32 i = 0; i < FDS; i++)
		fuzz_check(!fds[i]);
	fuzz_world_close();
}

static void one(struct fuzz_in *in)
{
	u32 count;

	ioctls = 0;
	for (count = 0; count < LIES; count++)
		lies[count] = lie_take(in);
	honest = true;
	begin();
	if (fuzz_u8(in) & 1)
		fuzz_calls_log_in();
	honest = false;
	for (count = 0; in->left && count < CALLS_MAX; count++)
		fuzz_calls_one(in);
	end();
}

/* The slots are found once, by a search that nobody disturbs. */
static void prepare(void)
{
	CK_ULONG count = 0;

	setenv("LUNA_DEVICES", "/fuzz/luna0:/fuzz/luna1", 1);
	fuzz_world_prepare();
	honest = true;
	begin();
	fuzz_check(!C_GetSlotList(CK_FALSE, NULL, &count));
	fuzz_check(count == SLOTS);
	end();
}

/* Messages with an IV of 12 bytes and a tag of 16, in the session and with the key that are there first */
static void seed_messages(void)
{
	enum { MESSAGES = 16 };	/* its number among the kinds of calls */
	static const u8 steps[] = { 0, 2, 3, 4, 0x84, 1, 5, 6, 0x87 };
	u8 program[4 * LIES + 1 + 7 * ARRAY_SIZE(steps)] = { 0 }, *at = program + 4 * LIES;
	u32 i;

	*at++ = 1;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		const u8 call[7] = { MESSAGES, steps[i], 0, 12, 0, 0, steps[i] < 2 ? 0 : 50 };

		memcpy(at, call, sizeof(call));
		at += steps[i] == 3 || steps[i] == 6 ? 6 : 7;	/* a beginning has no output */
	}
	fuzz_seed("messages", program, at - program);
}

/* Every kind of parameter in calls that take one. Fours: lengths, numbers, the first session and key */
static void seed_parameters(void)
{
	enum { KEYS = 8, CRYPT = 6, DERIVE = 4, ENCRYPT = 0, SIGN = 2, GIVEN = 3, FOURS = 48 };
	static const u8 calls[][4] = { { KEYS }, { CRYPT, ENCRYPT, 4 }, { CRYPT, SIGN, 4 } };
	u8 program[4 * LIES + 1 + 8 + FOURS];
	char name[32];
	u32 i, k;

	for (i = 0; i < fuzz_parameter_kinds(); i++) {
		for (k = 0; k < ARRAY_SIZE(calls); k++) {
			u8 *at = program + 4 * LIES + 1;

			memset(program, DERIVE, sizeof(program));
			memset(program, 0, 4 * LIES);
			program[4 * LIES] = 1;
			*at++ = calls[k][0];
			if (calls[k][0] == CRYPT) {
				*at++ = calls[k][1];
				*at++ = calls[k][2];
			}
			at += 2;	/* a mechanism that is replaced */
			*at++ = GIVEN;
			*at = i;
			scnprintf(name, sizeof(name), "parameter-%u-%u", i, k);
			fuzz_seed(name, program, sizeof(program));
		}
	}
}

/* Every kind of call in several variants, with devices that are honest, and with one that lies. */
static void seeds(void)
{
	enum { HEAD = 4 * LIES + 1, STEP = 12, STEPS = 6 };
	u8 program[HEAD + STEP * STEPS], i, k;
	char name[32];

	for (i = 0; i < fuzz_calls_kinds(); i++) {
		memset(program, 0, sizeof(program));
		program[4 * LIES] = 1;
		for (k = 0; k < STEPS; k++) {
			program[HEAD + STEP * k] = i;
			program[HEAD + STEP * k + 1] = k;
			program[HEAD + STEP * k + 3] = 100;
		}
		scnprintf(name, sizeof(name), "call-%u", i);
		fuzz_seed(name, program, sizeof(program));
	}
	seed_messages();
	seed_parameters();
	memset(program, 0, sizeof(program));
	memcpy(program, "\1\0\13\310", 4);	/* M of N: one vector asked for, 200 said to be there */
	memcpy(program + 4 * LIES, "\1\14\0\1\0", 5);
	fuzz_seed("mofn-count", program, sizeof(program));
}

const struct fuzz_target fuzz_target = { prepare, one, seeds };
