// SPDX-License-Identifier: MIT
/*
 * A hostile device: the library with a transport of the fuzzer's. Two slots answer as a real token
 * does, and then as the input says: any word of the reply changed, all of it, an errno. On top of it
 * goes a program of calls, which gives the library buffers of exactly the size that it names, so that
 * AddressSanitizer sees a byte too many; and what comes back as a length must fit them.
 *
 * The input begins with the lies, which change the replies that they name and leave the program behind
 * them as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "common.h"
#include <luna/sfnt_extensions.h>

enum { SLOTS = FUZZ_SIDES, FDS = 64, FD_BASE = 1000, CALLS_MAX = 64, SESSIONS = 4, ROOM = 1024,
       LIES = 4 };

static struct fuzz_in *input;
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

/* ---- the program ---- */

static CK_SESSION_HANDLE sessions[SESSIONS];
static CK_OBJECT_HANDLE objects[SESSIONS];
static u32 turn;
static struct { u8 data[ROOM]; CK_ULONG len; } kept;	/* the last thing made */

static CK_SESSION_HANDLE session(void)
{
	return sessions[fuzz_u8(input) % SESSIONS];
}

static CK_OBJECT_HANDLE object(void)
{
	return objects[fuzz_u8(input) % SESSIONS];
}

static void keep_object(CK_RV rv, CK_OBJECT_HANDLE handle)
{
	if (rv == CKR_OK)
		objects[turn++ % SESSIONS] = handle;
}

/* A buffer of the caller's, exactly as long as he says. */
struct buffer {
	CK_BYTE *data;
	CK_ULONG room, len;
};

static struct buffer buffer_new(void)
{
	u8 size = fuzz_u8(input);
	struct buffer b = { .room = size == 255 ? 0 : size * 4ul };

	b.len = b.room;
	b.data = size == 255 ? NULL : fuzz_alloc(b.room);
	return b;
}

static void buffer_end(struct buffer *b, CK_RV rv, CK_ULONG unit)
{
	if (rv == CKR_OK && b->data) {
		fuzz_check(b->len * unit <= b->room);
		kept.len = min_t(CK_ULONG, b->len * unit, sizeof(kept.data));
		memcpy(kept.data, b->data, kept.len);
	}
	free(b->data);
}

#define WITH_BUFFER(unit, call) do {					\
	struct buffer b = buffer_new();					\
									\
	b.len /= (unit);						\
	buffer_end(&b, (call), (unit));					\
} while (0)

static CK_MECHANISM mechanism(void)
{
	static CK_BYTE iv[16];
	static CK_GCM_PARAMS gcm = { .pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128 };
	CK_MECHANISM m = { .mechanism = fuzz_mechanism(fuzz_u8(input)) };

	switch (fuzz_u8(input) & 3) {
	case 1:
		m.pParameter = iv;
		m.ulParameterLen = sizeof(iv);
		break;
	case 2:
		m.pParameter = &gcm;
		m.ulParameterLen = sizeof(gcm);
	}
	return m;
}

#define ATTRIBUTE(cka, value)	{ .type = (cka), .pValue = (value), .ulValueLen = sizeof(*(value)) }

static void do_slots(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_MECHANISM_INFO info;

	switch (fuzz_u8(input) % 6) {
	case 0:
		WITH_BUFFER(sizeof(CK_ULONG), C_GetSlotList(fuzz_u8(input) & 1, (void *)b.data, &b.len));
		break;
	case 1:
		C_GetSlotInfo(id, &slot);
		break;
	case 2:
		C_GetTokenInfo(id, &token);
		break;
	case 3:
		WITH_BUFFER(sizeof(CK_ULONG), C_GetMechanismList(id, (void *)b.data, &b.len));
		break;
	case 4:
		C_GetMechanismInfo(id, fuzz_mechanism(fuzz_u8(input)), &info);
		break;
	default:
		C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL);
	}
}

static void do_sessions(void)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE handle;
	u8 what = fuzz_u8(input);

	switch (what % 6) {
	case 0:
	case 1:
		if (!C_OpenSession(fuzz_u8(input) % SLOTS, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
				   NULL, &handle))
			sessions[what / 6 % SESSIONS] = handle;
		break;
	case 2:
		C_GetSessionInfo(session(), &info);
		break;
	case 3:
		C_Login(session(), CKU_USER, (CK_BYTE *)FX_CO_PIN, strlen(FX_CO_PIN));
		break;
	case 4:
		C_Logout(session());
		break;
	default:
		C_CloseSession(session());
	}
}

static void do_pins(void)
{
	CK_BYTE pin[] = FX_CO_PIN, label[32] = "token";

	switch (fuzz_u8(input) % 3) {
	case 0:
		C_InitPIN(session(), pin, sizeof(pin) - 1);
		break;
	case 1:
		C_SetPIN(session(), pin, sizeof(pin) - 1, pin, sizeof(pin) - 1);
		break;
	default:
		C_InitToken(fuzz_u8(input) % SLOTS, pin, sizeof(pin) - 1, label);
	}
}

static void do_objects(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE t[] = {
		ATTRIBUTE(CKA_CLASS, &class), ATTRIBUTE(CKA_TOKEN, &no),
	};
	CK_OBJECT_HANDLE handle = 0;
	CK_ULONG size;

	switch (fuzz_u8(input) % 5) {
	case 0:
		keep_object(C_CreateObject(session(), t, 2, &handle), handle);
		break;
	case 1:
		keep_object(C_CopyObject(session(), object(), t + 1, 1, &handle), handle);
		break;
	case 2:
		C_DestroyObject(session(), object());
		break;
	case 3:
		C_GetObjectSize(session(), object(), &size);
		break;
	default:
		C_SetAttributeValue(session(), object(), t + 1, 1);
	}
}

/* Up to four attributes; a template inside one has three of its own. */
static void do_attributes(void)
{
	static const CK_ATTRIBUTE_TYPE odd[] = { CKA_WRAP_TEMPLATE, CKA_ALLOWED_MECHANISMS, CKA_CLASS,
						 CKA_VALUE, CKA_LABEL, CKA_MODULUS, CKA_OUID };
	CK_ATTRIBUTE t[4], inner[3] = { { 0 } };
	u8 count = fuzz_u8(input) & 3, i, type;
	CK_ULONG rooms[4];

	for (i = 0; i < 3; i++) {
		inner[i].ulValueLen = fuzz_u8(input) & 31;
		inner[i].pValue = fuzz_alloc(inner[i].ulValueLen);
	}
	for (i = 0; i <= count; i++) {
		type = fuzz_u8(input);
		t[i].type = type < 0x80 ? odd[type % ARRAY_SIZE(odd)] : fuzz_attribute(type);
		rooms[i] = fuzz_u8(input);
		t[i].pValue = rooms[i] == 255 ? NULL : fuzz_alloc(rooms[i]);
		if (t[i].type == CKA_WRAP_TEMPLATE && t[i].pValue) {
			free(t[i].pValue);
			rooms[i] = sizeof(inner);
			t[i].pValue = fuzz_alloc(rooms[i]);
			memcpy(t[i].pValue, inner, sizeof(inner));
		}
		t[i].ulValueLen = rooms[i];
	}
	if (!C_GetAttributeValue(session(), object(), t, count + 1))
		for (i = 0; i <= count; i++)
			fuzz_check(!t[i].pValue || t[i].ulValueLen <= rooms[i] ||
				   t[i].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	for (i = 0; i <= count; i++)
		free(t[i].pValue);
	for (i = 0; i < 3; i++)
		free(inner[i].pValue);
}

static void do_search(void)
{
	u8 max = fuzz_u8(input);
	CK_OBJECT_HANDLE *found = fuzz_alloc(max * sizeof(*found));
	CK_SESSION_HANDLE s = session();
	CK_ULONG count = 0;

	C_FindObjectsInit(s, NULL, 0);
	if (!C_FindObjects(s, found, max, &count)) {
		fuzz_check(count <= max);
		if (count)
			keep_object(CKR_OK, found[0]);
	}
	if (max & 1)
		C_FindObjects(s, found, max, &count);
	C_FindObjectsFinal(s);
	free(found);
}

static void do_crypt(void)
{
	u8 what = fuzz_u8(input), in[64] = "data";
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = what / 10 * 2;

	switch (what % 10) {
	case 0: C_EncryptInit(s, &m, object()); break;
	case 1: C_DecryptInit(s, &m, object()); break;
	case 2: C_SignInit(s, &m, object()); break;
	case 3: C_DigestInit(s, &m); break;
	case 4: WITH_BUFFER(1, C_Encrypt(s, in, len, b.data, &b.len)); break;
	case 5: WITH_BUFFER(1, C_Decrypt(s, kept.data, kept.len, b.data, &b.len)); break;
	case 6: WITH_BUFFER(1, C_Sign(s, in, len, b.data, &b.len)); break;
	case 7: WITH_BUFFER(1, C_Digest(s, in, len, b.data, &b.len)); break;
	case 8: WITH_BUFFER(1, C_EncryptUpdate(s, in, len, b.data, &b.len)); break;
	default: WITH_BUFFER(1, C_EncryptFinal(s, b.data, &b.len));
	}
}

/* A message that takes many ioctls. */
static void do_long(void)
{
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = 40000, room = len + (fuzz_u8(input) & 31);
	u8 *in = calloc(1, len), *out = fuzz_alloc(room);

	fuzz_check(in);
	C_EncryptInit(s, &m, object());
	if (!C_Encrypt(s, in, len, out, &room))
		fuzz_check(room <= len + 31);
	free(in);
	free(out);
}

static void do_keys(void)
{
	CK_ULONG bytes = 32, bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE aes[] = { ATTRIBUTE(CKA_VALUE_LEN, &bytes), ATTRIBUTE(CKA_EXTRACTABLE, &yes) };
	CK_ATTRIBUTE rsa = ATTRIBUTE(CKA_MODULUS_BITS, &bits);
	CK_OBJECT_HANDLE one = 0, two = 0;
	CK_MECHANISM m = mechanism();
	CK_SESSION_HANDLE s = session();

	switch (fuzz_u8(input) % 5) {
	case 0: keep_object(C_GenerateKey(s, &m, aes, 2, &one), one); break;
	case 1: C_GenerateKeyPair(s, &m, &rsa, 1, NULL, 0, &one, &two); break;
	case 2: WITH_BUFFER(1, C_WrapKey(s, &m, object(), object(), b.data, &b.len)); break;
	case 3:
		keep_object(C_UnwrapKey(s, &m, object(), kept.data, kept.len, aes, 1, &one), one);
		break;
	default: C_DeriveKey(s, &m, object(), aes, 1, &one);
	}
}

static void do_random(void)
{
	u8 out[256], len = fuzz_u8(input);

	C_GenerateRandom(session(), out, len);
	C_GenerateRandom(session(), out, len / 4);
	C_SeedRandom(session(), out, len);
}

static void do_clone(void)
{
	CK_SESSION_HANDLE s = session();
	CK_OBJECT_HANDLE made = 0;
	u8 *in = kept.data;

	switch (fuzz_u8(input) % 6) {
	case 0: WITH_BUFFER(1, CA_CloneAsSourceInit(s, NULL, 0, b.data, &b.len, CK_FALSE)); break;
	case 1:
		WITH_BUFFER(1, CA_CloneAsTargetInit(s, in, kept.len, NULL, 0, CK_FALSE, b.data,
						    &b.len));
		break;
	case 2:
		WITH_BUFFER(1, CA_CloneAsSource(s, 0, object(), in, kept.len, CK_FALSE, b.data,
						&b.len));
		break;
	case 3: CA_CloneAsTarget(s, NULL, 0, in, kept.len, 0, 0, CK_FALSE, &made); break;
	case 4: CA_CloneObject(s, session(), 0, object(), &made); break;
	default: CA_CloneAllObjectsToSession(s, fuzz_u8(input) % SLOTS);
	}
}

static void do_ha(void)
{
	CK_SESSION_HANDLE s = session();
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	u8 *in = kept.data;

	switch (fuzz_u8(input) % 5) {
	case 0: WITH_BUFFER(1, CA_HAGetMasterPublic(id, b.data, &b.len)); break;
	case 1:
		WITH_BUFFER(1, CA_HAGetLoginChallenge(s, CKU_USER, in, kept.len, b.data, &b.len));
		break;
	case 2:
		WITH_BUFFER(1, CA_HAAnswerLoginChallenge(s, object(), in, kept.len, b.data,
							 &b.len));
		break;
	case 3: WITH_BUFFER(1, CA_HALogin(s, in, kept.len, b.data, &b.len)); break;
	default: WITH_BUFFER(1, CA_HAAnswerMofNChallenge(s, in, kept.len, b.data, &b.len));
	}
}

/* Vectors of the caller's, in an array of exactly that many. */
static void do_mofn(void)
{
	u8 n = 1 + fuzz_u8(input) % 4, room = fuzz_u8(input), i;
	CA_MOFN_GENERATION *vectors = calloc(n, sizeof(*vectors));
	CA_MOFN_STATUS status;

	fuzz_check(vectors);
	for (i = 0; i < n; i++) {
		vectors[i].ulWeight = 1;
		vectors[i].ulVectorLen = room;
		vectors[i].pVector = room & 1 ? NULL : fuzz_alloc(room);
	}
	if (!CA_GenerateMofN(session(), 1, vectors, n, 0, NULL))
		for (i = 0; i < n; i++)
			fuzz_check(!vectors[i].pVector || vectors[i].ulVectorLen <= room);
	for (i = 0; i < n; i++)
		free(vectors[i].pVector);
	free(vectors);
	CA_GetMofNStatus(fuzz_u8(input) % SLOTS, &status);
}

static void do_policies(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	struct buffer ids = buffer_new(), values = buffer_new();
	CK_ULONG one;
	CK_RV rv;

	ids.len /= sizeof(CK_ULONG);
	values.len /= sizeof(CK_ULONG);
	rv = CA_GetHSMPolicySet(id, (void *)ids.data, &ids.len, (void *)values.data, &values.len);
	buffer_end(&ids, rv, sizeof(CK_ULONG));
	buffer_end(&values, rv, sizeof(CK_ULONG));
	CA_GetContainerPolicySetting(id, 1, fuzz_u8(input), &one);
	CA_GetHSMPolicySetting(id, fuzz_u8(input), &one);
}

static void do_uids(void)
{
	CK_BYTE *ouid = fuzz_alloc(12);
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	CK_ULONG type, handle;

	memset(ouid, 1, 12);
	CA_GetObjectUID(id, 1, CK_CRYPTOKI_ELEMENT, object(), ouid);
	CA_GetObjectHandle(id, 1, ouid, &type, &handle);
	free(ouid);
}

static void (*const calls[])(void) = {
	do_slots, do_sessions, do_pins, do_objects, do_attributes, do_search, do_crypt, do_long,
	do_keys, do_random, do_clone, do_ha, do_mofn, do_policies, do_uids,
};

static void begin(void)
{
	memset(&kept, 0, sizeof(kept));
	memset(objects, 0, sizeof(objects));
	memset(sessions, 0, sizeof(sessions));
	turn = 0;
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

/* Two sessions of two slots, logged in by devices that are still honest. */
static void log_in(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		C_OpenSession(i, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &sessions[i]);
		C_Login(sessions[i], CKU_USER, (CK_BYTE *)FX_CO_PIN, strlen(FX_CO_PIN));
	}
	objects[0] = fuzz_world.aes;
	objects[1] = fuzz_world.data;
	objects[2] = fuzz_world.login;
}

static void one(struct fuzz_in *in)
{
	u32 count;

	input = in;
	ioctls = 0;
	for (count = 0; count < LIES; count++)
		lies[count] = lie_take(in);
	honest = true;
	begin();
	if (fuzz_u8(in) & 1)
		log_in();
	honest = false;
	for (count = 0; in->left && count < CALLS_MAX; count++)
		calls[fuzz_u8(in) % ARRAY_SIZE(calls)]();
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

/* Every kind of call in several variants, with devices that are honest, and with one that lies. */
static void seeds(void)
{
	enum { HEAD = 4 * LIES + 1, STEP = 12, STEPS = 6 };
	u8 program[HEAD + STEP * STEPS], i, k;
	char name[32];

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
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
	memset(program, 0, sizeof(program));
	memcpy(program, "\1\0\13\310", 4);	/* M of N: one vector asked for, 200 said to be there */
	memcpy(program + 4 * LIES, "\1\14\0\1\0", 5);
	fuzz_seed("mofn-count", program, sizeof(program));
}

const struct fuzz_target fuzz_target = { prepare, one, seeds };
