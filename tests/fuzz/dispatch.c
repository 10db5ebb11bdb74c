// SPDX-License-Identifier: MIT
/*
 * The dispatcher: a sequence of commands over several opens of two tokens. The input is a program; each
 * step is a byte that says what to do, then what that needs. A command's struct is filled word by word
 * as its shape says, with sessions, handles and messages that replies have brought, so that sequences go
 * deep; a step may then spoil any word, the sizes or the frame.
 */
#include "common.h"
#include "mech.h"

enum {
	OPENS = 4,
	SESSIONS = 4,		/* remembered of each open */
	HANDLES = 16,
	MESSAGES = 8,
	PAYLOAD = 4096,
	STEPS_MAX = 96,
};

/*
 * The words behind struct luna_hdr, one letter each. Capitals append a piece to the payload and are its
 * length.
 *
 *	. zero		b one byte	w one word	h object	m mechanism	r role
 *	o out_max	n bytes of the last data piece
 *	P PIN		D domain	T template	A list of attributes to get
 *	M mechanism parameter		B bytes		X a message that came before
 *	S a signature: a message that came before, or nothing
 *	t a message's tail: one byte, the tag's length, for an encryption, else as S
 *	C pairs of words, of which this is the number
 */
static const struct shape {
	const char *words;
	const char *payload;	/* pieces that no word measures */
} shapes[LUNA_COMMANDS] = {
	[LUNA_DATA_PUT] = { "w.", "B" },
	[LUNA_DATA_GET] = { "ww", "" },
	[LUNA_RANDOM] = { "b.", "" },
	[LUNA_SEED] = { "", "B" },
	[LUNA_SESSION_OPEN] = { "b.....", "" },
	[LUNA_APP_ID] = { "bbb...", "" },
	[LUNA_INIT_TOKEN] = { "PDbb........CC", "" },
	[LUNA_INIT_PIN] = { "rP..", "" },
	[LUNA_SET_PIN] = { ".PP.", "" },
	[LUNA_LOGIN] = { "rP..", "" },
	[LUNA_ROLE_STATE] = { "r...", "" },
	[LUNA_POLICY_LIST] = { "b.", "" },
	[LUNA_POLICY_SET] = { "bCb.", "" },
	[LUNA_SET_DOMAIN] = { "", "D" },
	[LUNA_OBJECT_CREATE] = { ".T..", "" },
	[LUNA_OBJECT_COPY] = { "hT..", "" },
	[LUNA_OBJECT_DESTROY] = { "h...", "" },
	[LUNA_OBJECT_SIZE] = { "h...", "" },
	[LUNA_ATTR_GET] = { "hA..", "" },
	[LUNA_ATTR_SET] = { "hT..", "" },
	[LUNA_FIND] = { "hbT...", "" },
	[LUNA_OP] = { "bbmhMBSo....n.", "" },
	[LUNA_MESSAGE] = { "bbMBtbbo....n.", "" },
	[LUNA_GENERATE_KEY] = { "mM..T.......", "" },
	[LUNA_GENERATE_PAIR] = { "mM..TT......", "" },
	[LUNA_WRAP] = { "mMhh...o....", "" },
	[LUNA_UNWRAP] = { "mMh.T.X.....", "" },
	[LUNA_DERIVE] = { "mMh.T.......", "" },
	[LUNA_CLONE_SOURCE_INIT] = { "bhrbXo..", "" },
	[LUNA_CLONE_TARGET_INIT] = { "bhrbXo..", "" },
	[LUNA_CLONE_SOURCE] = { "bhrbXo..", "" },
	[LUNA_CLONE_TARGET] = { "bhrbXo..", "" },
	[LUNA_HA_INIT] = { "bhrbXo..", "" },
	[LUNA_HA_MASTER_PUBLIC] = { "bhrbXo..", "" },
	[LUNA_HA_CHALLENGE] = { "bhrbXo..", "" },
	[LUNA_HA_ANSWER] = { "bhrbXo..", "" },
	[LUNA_HA_LOGIN] = { "bhrbXo..", "" },
	[LUNA_HA_MOFN_ANSWER] = { "bhrbXo..", "" },
	[LUNA_HA_MOFN_ACTIVATE] = { "bhrbXo..", "" },
	[LUNA_MOFN_GENERATE] = { "bbb.", "C" },
	[LUNA_MOFN_ACTIVATE] = { ".bb.", "X" },
	[LUNA_IMAGE_GET] = { "ww", "" },
	[LUNA_IMAGE_PUT] = { "w.", "X" },
	[LUNA_IMAGE_RESTORE] = { "rPDP....", "" },
};

static struct {
	struct luna_open *opens[OPENS];
	u32 sessions[OPENS][SESSIONS], session_turn;
	u32 handles[HANDLES], handle_turn;
	struct fuzz_message messages[MESSAGES];
	u32 message_turn;
} run;

/* A command being put together. */
static struct {
	u8 bytes[LUNA_IOC_MAX];
	u32 size, len;		/* of the struct, of all so far */
	u32 data_len;		/* of the last piece of data */
} cmd;

static void append(const void *data, u32 len)
{
	len = min_t(u32, len, sizeof(cmd.bytes) - cmd.len);
	if (len)
		memcpy(cmd.bytes + cmd.len, data, len);
	cmd.len += len;
}

static void piece_text(struct fuzz_in *in)
{
	static const char *const texts[] = { FX_CO_PIN, FX_SO_PIN, FX_CU_PIN, FX_DOMAIN, "" };
	u8 which = fuzz_u8(in);
	const u8 *bytes;
	size_t len;

	if (which < 0xf0) {
		append(texts[which % ARRAY_SIZE(texts)], strlen(texts[which % ARRAY_SIZE(texts)]));
		return;
	}
	bytes = fuzz_bytes(in, fuzz_u8(in), &len);
	append(bytes, len);
}

static void piece_template(struct fuzz_in *in)
{
	static struct fx_tmpl tmpl;

	fuzz_template(in, &tmpl);
	append(tmpl.data, tmpl.len);
}

static void piece_attributes(struct fuzz_in *in)
{
	u8 count = fuzz_u8(in) & 7;
	struct luna_attr asked;

	for (; count; count--) {
		asked.type = fuzz_attribute(fuzz_u8(in));
		asked.len = fuzz_u8(in) * 2;
		append(&asked, sizeof(asked));
	}
}

/* Parameters as the ABI has them, and bytes. */
static void piece_parameter(struct fuzz_in *in)
{
	static const struct luna_gcm_param gcm = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 };
	static const struct luna_gcm_param drawn = { .tag_bits = 96 };
	static const struct luna_ctr_param ctr = { .counter_bits = 32 };
	static const struct luna_oaep_param oaep = { CKM_SHA256, CKG_MGF1_SHA256,
						     CKZ_DATA_SPECIFIED, 0 };
	static const struct luna_pss_param pss = { CKM_SHA256, CKG_MGF1_SHA256, 32, 0 };
	static const struct luna_mac_param mac = { .mac_len = 8 };
	static const u8 iv[16];
	u8 which = fuzz_u8(in);
	const u8 *bytes;
	size_t len;

	switch (which) {
	case 0: break;
	case 1: append(iv, 16); break;
	case 2: append(&gcm, sizeof(gcm)); append(iv, 12); break;
	case 3: append(&drawn, sizeof(drawn)); break;
	case 4: append(&ctr, sizeof(ctr)); break;
	case 5: append(&oaep, sizeof(oaep)); break;
	case 6: append(&pss, sizeof(pss)); break;
	case 7: append(&mac, sizeof(mac)); break;
	default:
		bytes = fuzz_bytes(in, which & 63, &len);
		append(bytes, len);
	}
}

static void piece_bytes(struct fuzz_in *in)
{
	static const u8 zeros[PAYLOAD];
	u8 how = fuzz_u8(in);
	const u8 *bytes;
	size_t len;

	if (how < 0x80) {
		bytes = fuzz_bytes(in, how, &len);
		append(bytes, len);
	} else {
		append(zeros, (how & 0x7f) * 32);
	}
}

/* What a reply brought, whole or with one byte changed or some missing. */
static void piece_message(struct fuzz_in *in)
{
	u8 which = fuzz_u8(in);
	const struct fuzz_message *m = &run.messages[which % MESSAGES];
	u32 at = cmd.len, len = m->len, where;

	if (which & 0x80) {
		piece_bytes(in);
		return;
	}
	if (which & 0x20)
		len -= min_t(u32, len, fuzz_u8(in));
	append(m->data, min_t(u32, len, PAYLOAD));
	where = which & 0x40 ? at + fuzz_u16(in) : cmd.len;
	if (where < cmd.len)
		cmd.bytes[where] ^= fuzz_u8(in) | 1;
}

static u32 piece_pairs(struct fuzz_in *in)
{
	u32 count = fuzz_u8(in) & 15, i, pair[2];

	for (i = 0; i < count; i++) {
		pair[0] = fuzz_u8(in);
		pair[1] = fuzz_u8(in);
		append(pair, sizeof(pair));
	}
	return count;
}

/* Appends the piece that @letter stands for. Return: what its word says. */
static u32 piece(struct fuzz_in *in, char letter)
{
	u32 from = cmd.len;

	switch (letter) {
	case 'P':
	case 'D': piece_text(in); break;
	case 'T': piece_template(in); break;
	case 'A': piece_attributes(in); break;
	case 'M': piece_parameter(in); break;
	case 'X': piece_message(in); break;
	case 'S':
		if (fuzz_u8(in))
			piece_message(in);
		break;
	case 'C': return piece_pairs(in);
	default:
		piece_bytes(in);
		cmd.data_len = cmd.len - from;
	}
	return cmd.len - from;
}

static u32 word_of(struct fuzz_in *in, char letter)
{
	static const u32 roles[] = { CKU_SO, CKU_USER, CKU_LIMITED_USER, CKU_CONTEXT_SPECIFIC, 99 };
	u32 op;
	u8 byte;

	switch (letter) {
	case '.': return 0;
	case 'b': return fuzz_u8(in);
	case 'w': return fuzz_u32(in);
	case 'h': return run.handles[fuzz_u8(in) % HANDLES];
	case 'm':
		byte = fuzz_u8(in);
		return byte == 0xff ? fuzz_u32(in) : fuzz_mechanism(byte);
	case 'r': return roles[fuzz_u8(in) % ARRAY_SIZE(roles)];
	case 'o':
		byte = fuzz_u8(in);
		return byte == 0xff ? LUNA_OUT_QUERY : byte * 16u;
	case 'n': return cmd.data_len;
	case 't':
		memcpy(&op, cmd.bytes + sizeof(struct luna_hdr), sizeof(op));
		return op == LUNA_OP_MESSAGE_ENCRYPT ? fuzz_u8(in) : piece(in, 'S');
	default: return piece(in, letter);
	}
}

static void word_put(u32 at, u32 value)
{
	if (at + sizeof(value) <= cmd.size)
		memcpy(cmd.bytes + at, &value, sizeof(value));
}

/* Any word of the struct, or the frame, becomes something else. */
static void spoil(struct fuzz_in *in)
{
	u8 where = fuzz_u8(in);

	if (where < 0x40)
		word_put(where * 4, fuzz_u32(in));
	else if (where < 0x80)
		cmd.bytes[(where & 0x3f) * 4 % cmd.size] ^= fuzz_u8(in);
	else if (where < 0xc0)
		cmd.len = min_t(u32, cmd.len, fuzz_u16(in));
	else
		cmd.len = min_t(u32, cmd.len + fuzz_u16(in), sizeof(cmd.bytes));
}

static void build(struct fuzz_in *in, u8 nr, u32 session)
{
	const struct shape *shape = &shapes[nr % LUNA_COMMANDS];
	struct luna_hdr hdr = { .session = session };
	const char *c;
	u32 at;

	memset(cmd.bytes, 0, sizeof(cmd.bytes));
	cmd.size = fuzz_size(nr) ?: sizeof(hdr);
	cmd.len = cmd.size;
	cmd.data_len = 0;
	for (c = shape->words ?: "", at = sizeof(hdr); *c; c++, at += 4)
		word_put(at, word_of(in, *c));
	for (c = shape->payload ?: ""; *c; c++)
		piece(in, *c);
	hdr.size = cmd.size;
	hdr.in_len = cmd.len - cmd.size;
	memcpy(cmd.bytes, &hdr, sizeof(hdr));
}

/* ---- what replies bring ---- */

static void keep_handle(u32 handle)
{
	if (handle)
		run.handles[run.handle_turn++ % HANDLES] = handle;
}

static void keep_message(const u8 *data, u32 len)
{
	struct fuzz_message *m = &run.messages[run.message_turn++ % MESSAGES];

	m->len = min_t(u32, len, sizeof(m->data));
	memcpy(m->data, data, m->len);
}

static void learn(u8 nr, u32 open, const u8 *reply)
{
	struct luna_session_info info;
	struct luna_object_arg object;
	struct luna_blob blob;
	struct luna_key key;
	struct luna_hdr hdr;

	memcpy(&hdr, reply, sizeof(hdr));
	if (hdr.rv)
		return;
	if (hdr.out_len)
		keep_message(reply + hdr.size, hdr.out_len);
	if (nr == LUNA_SESSION_OPEN) {
		memcpy(&info, reply, sizeof(info));
		run.sessions[open][run.session_turn++ % SESSIONS] = info.handle;
	} else if (nr == LUNA_OBJECT_CREATE || nr == LUNA_OBJECT_COPY) {
		memcpy(&object, reply, sizeof(object));
		keep_handle(object.handle);
	} else if (nr >= LUNA_GENERATE_KEY && nr <= LUNA_DERIVE) {
		memcpy(&key, reply, sizeof(key));
		keep_handle(key.handle);
		keep_handle(key.handle2);
	} else if (nr == LUNA_CLONE_TARGET) {
		memcpy(&blob, reply, sizeof(blob));
		keep_handle(blob.handle);
	}
}

/* ---- the steps ---- */

static void do_command(struct fuzz_in *in, u32 open, bool spoilt)
{
	u8 nr = fuzz_u8(in), which = fuzz_u8(in), *reply;
	size_t room, out_len = 0;

	build(in, nr, run.sessions[open][which % SESSIONS]);
	/* Room for a reply, more than the request takes. */
	room = (which >> 4) * 64;
	cmd.len = min_t(u32, cmd.len + room, sizeof(cmd.bytes));
	if (spoilt)
		spoil(in);
	reply = fuzz_alloc(cmd.len);
	if (!fuzz_ioctl(run.opens[open], nr, cmd.bytes, cmd.len, reply, &out_len))
		learn(nr, open, reply);
	free(reply);
}

static void do_open(u32 open)
{
	struct luna_token *token = fuzz_world.sides[open % FUZZ_SIDES].fx.token;

	if (run.opens[open]) {
		luna_release(run.opens[open]);
		run.opens[open] = NULL;
		memset(run.sessions[open], 0, sizeof(run.sessions[open]));
		return;
	}
	run.opens[open] = luna_open(token);
	fuzz_check(!IS_ERR(run.opens[open]));
}

/* Where the input starts from: prepared tokens with a login each, or empty ones; which provider. */
static void begin(u8 mode)
{
	u32 i;

	memset(&run, 0, sizeof(run));
	if (mode & 4)
		fuzz_crypto_plain();
	if (mode & 1) {
		for (i = 0; i < FUZZ_SIDES; i++)
			fuzz_side_open(&fuzz_world.sides[i], i, memstore_new());
		return;
	}
	fuzz_world_open(mode & 2);
	for (i = 0; i < FUZZ_SIDES; i++) {
		run.opens[i] = fuzz_world.sides[i].open;
		run.sessions[i][0] = fuzz_world.sides[i].session;
		fuzz_world.sides[i].open = NULL;
	}
	run.session_turn = 1;
	keep_handle(fuzz_world.aes);
	keep_handle(fuzz_world.data);
	keep_handle(fuzz_world.login_public);
	keep_handle(fuzz_world.login);
	keep_handle(fuzz_world.login_clone);
	keep_message(fuzz_world.vectors, sizeof(fuzz_world.vectors));
}

static void one(struct fuzz_in *in)
{
	u32 steps, open;
	u8 step;

	begin(fuzz_u8(in));
	for (steps = 0; in->left && steps < STEPS_MAX; steps++) {
		step = fuzz_u8(in);
		open = step % OPENS;
		if (step >= 0xf8 || !run.opens[open])
			do_open(open);
		else
			do_command(in, open, step & 0x40);
	}
	for (open = 0; open < OPENS; open++)
		if (run.opens[open])
			luna_release(run.opens[open]);
	fuzz_world_close();
}

/* ---- seeds: programs for the machine above ---- */

static u8 program[4096];
static u32 program_len;

static void put(const void *data, u32 len)
{
	memcpy(program + program_len, data, len);
	program_len += len;
}

/* A command with room for a reply; @args: what its shape takes. */
static void step(u8 open, u8 nr, const void *args, u32 len)
{
	u8 head[3] = { open, nr, 0xf0 };

	put(head, sizeof(head));
	put(args, len);
}

#define STEP(open, nr, args)	step(open, nr, args, sizeof(args) - 1)

static void begin_program(u8 mode)
{
	program_len = 0;
	put(&mode, 1);
}

static void seed_life(void)
{
	begin_program(1);
	put("\0", 1);						/* open token 0 */
	STEP(0, LUNA_INIT_TOKEN, "\1\3\0\0\0\0");		/* SO PIN, domain */
	STEP(0, LUNA_SESSION_OPEN, "\6");
	STEP(0, LUNA_LOGIN, "\0\1");				/* SO */
	STEP(0, LUNA_INIT_PIN, "\1\0");				/* CO */
	STEP(0, LUNA_POLICY_SET, "\1\1\21\0\0");
	STEP(0, LUNA_LOGOUT, "");
	STEP(0, LUNA_LOGIN, "\1\0");
	STEP(0, LUNA_SET_PIN, "\0\2");
	STEP(0, LUNA_OBJECT_CREATE, "\110");
	STEP(0, LUNA_ATTR_GET, "\0\3\1\20\2\20\3\20");
	STEP(0, LUNA_FIND, "\17\10\0");
	STEP(0, LUNA_OBJECT_DESTROY, "\0");
	STEP(0, LUNA_SESSION_CLOSE_ALL, "");
	fuzz_seed("life", program, program_len);
}

/* Handles of the programs below: what the world has, then what seed_keys_begin() makes. */
enum { HANDLE_AES = 0, HANDLE_PUBLIC = 5, HANDLE_PRIVATE, HANDLE_SECRET };

static u8 mechanism_number(u32 type)
{
	u8 i;

	for (i = 0; fuzz_mechanism(i) != type; i++)
		fuzz_check(i < 200);
	return i;
}

static void seed_keys_begin(void)
{
	u8 pair[] = { mechanism_number(CKM_RSA_PKCS_KEY_PAIR_GEN), 0, 0x60, 0 };
	u8 secret[] = { mechanism_number(CKM_GENERIC_SECRET_KEY_GEN), 0, 0x70 };

	begin_program(0);
	step(0, LUNA_GENERATE_PAIR, pair, sizeof(pair));
	step(0, LUNA_GENERATE_KEY, secret, sizeof(secret));
}

static u8 key_of(const struct luna_mech *mech, u8 op)
{
	bool private = op == LUNA_OP_DECRYPT || op == LUNA_OP_SIGN || op == LUNA_OP_SIGN_RECOVER;

	if (mech->family == LUNA_FAMILY_RSA)
		return private ? HANDLE_PRIVATE : HANDLE_PUBLIC;
	return mech->family == LUNA_FAMILY_HMAC ? HANDLE_SECRET : HANDLE_AES;
}

/* The parameter in piece_parameter()'s numbering that a mechanism may want. */
static u8 parameter_of(const struct luna_mech *mech)
{
	if (mech->family == LUNA_FAMILY_RSA)
		return mech->variant == LUNA_RSA_OAEP ? 5 : mech->variant == LUNA_RSA_PSS ? 6 : 0;
	if (mech->family == LUNA_FAMILY_HMAC || mech->family == LUNA_FAMILY_CMAC)
		return mech->variant == LUNA_MAC_GENERAL ? 7 : 0;
	if (mech->family != LUNA_FAMILY_AES || mech->variant == LUNA_AES_ECB)
		return 0;
	return mech->variant == LUNA_AES_GCM ? 2 : mech->variant == LUNA_AES_CTR ? 4 : 1;
}

/* One mechanism, every operation, whole and in steps. */
static void seed_mechanism(const struct luna_mech *mech, u8 number)
{
	u8 op;

	for (op = 0; op < LUNA_OP_KINDS; op++) {
		u8 args[] = { op, LUNA_STEP_INIT | LUNA_STEP_ONESHOT, number, key_of(mech, op),
			      parameter_of(mech), 4, 'a', 'b', 'c', 'd', 0, 64 };

		if (mech->family == LUNA_FAMILY_AES)
			args[5] = 0x81;		/* 32 zeros; the letters are then a signature */
		step(0, LUNA_OP, args, args[5] == 4 ? sizeof(args) : 6);
		if (args[5] != 4)
			put("\0\100", 2);
		args[1] = LUNA_STEP_INIT | LUNA_STEP_UPDATE;
		args[5] = 4;
		step(0, LUNA_OP, args, sizeof(args));
		args[1] = LUNA_STEP_FINAL;
		args[4] = 0;
		args[5] = 0;
		args[6] = 0;
		args[7] = 64;
		step(0, LUNA_OP, args, 8);
	}
}

/* Messages of AES-GCM: IVs from everywhere, whole and in parts, opened again, forged. */
static void seed_messages(u8 number)
{
	const u8 gcm = 2, tag = 16;
	u8 init[] = { LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_INIT, number, HANDLE_AES, 0, 0, 0, 0 };
	u8 whole[] = { LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_ONESHOT, gcm, 3, 'a', 'b', 'c', tag, 0, 0,
		       8 };
	u8 begin[] = { LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_BEGIN, gcm, 0, 0, 0, 0, 0 };
	u8 part[] = { LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_UPDATE, 0, 2, 'a', 'b', 0, 0, 0, 8 };
	u8 last[] = { LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_FINAL, 0, 1, 'c', tag, 0, 0, 8 };
	u8 open[] = { LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_ONESHOT, gcm, 3, 'a', 'b', 'c', 1, 0, 0, 0,
		      8 };

	seed_keys_begin();
	for (whole[8] = CKG_NO_GENERATE; whole[8] <= CKG_GENERATE_COUNTER_XOR; whole[8]++) {
		step(0, LUNA_OP, init, sizeof(init));
		step(0, LUNA_MESSAGE, whole, sizeof(whole));
		begin[5] = whole[8];
		step(0, LUNA_MESSAGE, begin, sizeof(begin));
		step(0, LUNA_MESSAGE, part, sizeof(part));
		step(0, LUNA_MESSAGE, last, sizeof(last));
		init[1] = LUNA_STEP_FINAL;
		step(0, LUNA_OP, init, sizeof(init));
		init[1] = LUNA_STEP_INIT;
	}
	init[0] = LUNA_OP_MESSAGE_DECRYPT;
	step(0, LUNA_OP, init, sizeof(init));
	step(0, LUNA_MESSAGE, open, sizeof(open));
	fuzz_seed("messages", program, program_len);
}

static void seed_gcm(void)
{
	const struct luna_mech *mech;

	fuzz_world_open(false);
	mech = luna_mech_find(fuzz_world.sides[0].fx.token, CKM_AES_GCM);
	seed_keys_begin();
	program[0] = 4;
	seed_mechanism(mech, mechanism_number(CKM_AES_GCM));
	fuzz_seed("gcm-built", program, program_len);
	seed_messages(mechanism_number(CKM_AES_GCM));
	fuzz_world_close();
}

static void seed_operations(void)
{
	enum { EACH = 4, LAST = 200 };
	const struct luna_mech *mech;
	u8 number, in_file = 0, files = 0;
	char name[16];

	fuzz_world_open(false);
	for (number = 0; number < LAST; number++) {
		if (number && fuzz_mechanism(number) == fuzz_mechanism(0))
			break;
		mech = luna_mech_find(fuzz_world.sides[0].fx.token, fuzz_mechanism(number));
		if (!mech || mech->family == LUNA_FAMILY_KEYGEN)
			continue;
		if (!in_file)
			seed_keys_begin();
		seed_mechanism(mech, number);
		in_file = (in_file + 1) % EACH;
		if (in_file)
			continue;
		scnprintf(name, sizeof(name), "op-%u", files++);
		fuzz_seed(name, program, program_len);
	}
	fuzz_world_close();
}

static void seed_keys(void)
{
	begin_program(0);
	STEP(0, LUNA_MECH_LIST, "");
	STEP(0, LUNA_GENERATE_KEY, "\0\0\170");
	STEP(0, LUNA_GENERATE_PAIR, "\1\0\150\0");
	STEP(0, LUNA_WRAP, "\30\1\0\1\377");
	STEP(0, LUNA_WRAP, "\30\1\0\1\100");
	STEP(0, LUNA_UNWRAP, "\30\1\0\100\0");
	STEP(0, LUNA_DERIVE, "\7\0\0\0");
	STEP(0, LUNA_OBJECT_COPY, "\0\0");
	fuzz_seed("keys", program, program_len);
}

/* Blob commands take: type, handle, role, replicate, message, out_max. */
static void seed_exchanges(void)
{
	begin_program(0);
	STEP(0, LUNA_CLONE_SOURCE_INIT, "\0\17\0\0\7\377");
	STEP(0, LUNA_CLONE_SOURCE_INIT, "\0\17\0\0\7\200");
	STEP(1, LUNA_CLONE_TARGET_INIT, "\0\17\0\0\1\200");
	STEP(0, LUNA_CLONE_SOURCE, "\0\0\0\0\2\200");
	STEP(1, LUNA_CLONE_TARGET, "\0\17\0\0\3\200");
	fuzz_seed("clone", program, program_len);
	begin_program(2);
	STEP(0, LUNA_MOFN_STATUS, "");
	STEP(0, LUNA_MOFN_ACTIVATE, "\3\0\0");
	STEP(1, LUNA_LOGOUT, "");
	STEP(0, LUNA_HA_MASTER_PUBLIC, "\0\17\0\0\7\200");
	STEP(1, LUNA_HA_CHALLENGE, "\0\17\1\0\1\200");
	STEP(0, LUNA_HA_ANSWER, "\0\3\0\0\2\200");
	STEP(1, LUNA_HA_LOGIN, "\0\17\0\0\3\200");
	STEP(0, LUNA_HA_MOFN_ANSWER, "\0\17\0\0\4\200");
	STEP(1, LUNA_HA_MOFN_ACTIVATE, "\0\17\0\0\5\200");
	fuzz_seed("ha", program, program_len);
	begin_program(0);
	STEP(0, LUNA_HA_INIT, "\0\3\0\0\7\0");
	STEP(0, LUNA_MOFN_GENERATE, "\2\3\1\3\1\60\1\60\1\60");
	STEP(0, LUNA_MOFN_DEACTIVATE, "");
	STEP(0, LUNA_DATA_PUT, "\0\0\0\0\4abcd");
	STEP(0, LUNA_DATA_GET, "\0\0\0\0\4\0\0\0");
	STEP(0, LUNA_SEED, "\4abcd");
	STEP(0, LUNA_RANDOM, "\40");
	STEP(0, LUNA_RESET, "");
	fuzz_seed("more", program, program_len);
}

/* A token that is saved piece by piece, restored in the place of the other one, and used. */
static void seed_image(void)
{
	enum { PIECE = 15 * 64, PIECES = 40 };	/* the room that step() leaves for a reply */
	u8 get[8] = { 0 }, put_at[5] = { 0 };
	/* In the session that is opened after the restore: the second one remembered */
	static const u8 login[] = { 1, LUNA_LOGIN, 0xf1, 1, 0 }, find[] = { 1, LUNA_FIND, 0xf1, 15, 8, 0 };
	u32 i;

	begin_program(0);
	STEP(0, LUNA_IMAGE_EXPORT, "");
	STEP(1, LUNA_RESET, "");
	for (i = 0; i < PIECES; i++) {
		put_unaligned_le32(i * PIECE, get);
		put_unaligned_le32(PIECE, get + 4);
		put_unaligned_le32(i * PIECE, put_at);
		put_at[4] = (1 + i) % MESSAGES;
		step(0, LUNA_IMAGE_GET, get, sizeof(get));
		step(1, LUNA_IMAGE_PUT, put_at, sizeof(put_at));
	}
	STEP(1, LUNA_IMAGE_RESTORE, "\1\1\3\0");
	STEP(1, LUNA_SESSION_OPEN, "\6");
	put(login, sizeof(login));
	put(find, sizeof(find));
	fuzz_seed("image", program, program_len);
}

static void seeds(void)
{
	seed_life();
	seed_operations();
	seed_gcm();
	seed_keys();
	seed_exchanges();
	seed_image();
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
