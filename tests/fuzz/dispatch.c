// SPDX-License-Identifier: MIT
/*
 * The dispatcher: a sequence of commands over several opens of two tokens. The input is a program; each
 * step is a byte that says what to do, then what that needs. A command's struct is filled word by word
 * as its shape says, with sessions, handles and messages that replies have brought, so that sequences go
 * deep; a step may then spoil any word, the sizes or the frame.
 */
#include "dispatch.h"

enum {
	OPENS = 4,
	SESSIONS = 4,		/* remembered of each open */
	HANDLES = 32,
	MESSAGES = FUZZ_MESSAGES,
	PAYLOAD = 4096,
	STEPS_MAX = 96,
};

/*
 * The words behind struct luna_hdr, one letter each. Capitals append a piece to the payload and are its
 * length.
 *
 *	. zero		b one byte	w one word	h object	m mechanism	r role
 *	o out_max	n with ONESHOT the bytes of the data, else zero
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
	u32 turn = which & FUZZ_NEWEST ? run.message_turn - 1 - which : which;
	const struct fuzz_message *m = &run.messages[turn % MESSAGES];
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

/* ---- parameters: their structs, and what follows each ---- */

static u32 some_handle(struct fuzz_in *in)
{
	return run.handles[fuzz_u8(in) % HANDLES];
}

/* Bytes of the input, or of a message before: how many there are now. */
static u32 tail(struct fuzz_in *in, void (*append_piece)(struct fuzz_in *in))
{
	u32 from = cmd.len;

	append_piece(in);
	return cmd.len - from;
}

/* A struct's lengths are known when what follows it is there: appended as it is, then put over that. */
static void put_over(u32 at, const void *data, u32 len)
{
	if (at + len <= cmd.len)
		memcpy(cmd.bytes + at, data, len);
}

static void param_ecdh(struct fuzz_in *in)
{
	static const u32 kdfs[] = { CKD_NULL, CKD_SHA1_KDF, CKD_SHA256_KDF, CKD_SHA3_256_KDF,
				    CKD_SHA256_KDF_SP800, CKD_SHA512_NIST_KDF };
	struct luna_ecdh_param p = { .kdf = kdfs[fuzz_u8(in) % ARRAY_SIZE(kdfs)] };
	u32 at = cmd.len;

	append(&p, sizeof(p));
	if (p.kdf != CKD_NULL)
		p.shared_len = tail(in, piece_bytes);
	p.public_len = tail(in, piece_message);
	put_over(at, &p, sizeof(p));
}

static void param_hkdf(struct fuzz_in *in)
{
	struct luna_hkdf_param p = { .flags = fuzz_u8(in) };
	u32 at = cmd.len;

	p.hash = fuzz_mechanism(fuzz_u16(in));
	p.salt_type = fuzz_u8(in) & 7;
	append(&p, sizeof(p));
	if (p.salt_type == CKF_HKDF_SALT_KEY)
		p.salt_key = some_handle(in);
	else if (p.salt_type == CKF_HKDF_SALT_DATA)
		p.salt_len = tail(in, piece_bytes);
	p.info_len = tail(in, piece_bytes);
	put_over(at, &p, sizeof(p));
}

/* No more rounds than a byte says: how long that takes is known. */
static void param_pbkd2(struct fuzz_in *in)
{
	struct luna_pbkd2_param p = { .salt_source = CKZ_SALT_SPECIFIED, .prf = fuzz_u8(in) };
	u32 at = cmd.len;

	p.iterations = fuzz_u8(in);
	append(&p, sizeof(p));
	p.salt_len = tail(in, piece_bytes);
	p.password_len = tail(in, piece_bytes);
	put_over(at, &p, sizeof(p));
}

static void prf_field(struct fuzz_in *in)
{
	struct luna_prf_field field = { .type = fuzz_u8(in) & 7 };
	u32 at = cmd.len;

	field.bits = fuzz_u8(in) & 0x7f;
	field.method = fuzz_u8(in) & 3;
	field.flags = fuzz_u8(in) & 1;
	append(&field, sizeof(field));
	if (field.type == CK_SP800_108_BYTE_ARRAY)
		field.len = tail(in, piece_bytes);
	put_over(at, &field, sizeof(field));
}

static void param_sp800_108(struct fuzz_in *in)
{
	struct luna_sp800_108_param p = { .prf = fuzz_mechanism(fuzz_u16(in)) };
	u32 at = cmd.len, i;

	p.count = fuzz_u8(in) & 7;
	append(&p, sizeof(p));
	p.iv_len = tail(in, piece_bytes);
	for (i = 0; i < p.count; i++)
		prf_field(in);
	put_over(at, &p, sizeof(p));
}

static void param_prf_kdf(struct fuzz_in *in)
{
	struct luna_prf_kdf_param p = { .prf = fuzz_u8(in) & 15 };
	u32 at = cmd.len;

	p.scheme = fuzz_u8(in) & 7;
	p.counter = fuzz_u8(in);
	append(&p, sizeof(p));
	p.label_len = tail(in, piece_bytes);
	p.context_len = tail(in, piece_bytes);
	put_over(at, &p, sizeof(p));
}

/* A struct of @size bytes that begins with a handle or a number, and is zeros but for that. */
static void param_number(u32 number, u32 size)
{
	static const u8 zeros[sizeof(struct luna_xts_param)];
	u32 at = cmd.len;

	append(zeros, size);
	put_over(at, &number, sizeof(number));
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
	static const struct luna_rsa_aes_param rsa_aes = { .aes_bits = 256 };
	static const struct luna_eddsa_param eddsa;
	static const u8 iv[16];
	u8 which = fuzz_u8(in);
	const u8 *bytes;
	size_t len;

	switch (which) {
	case FUZZ_PARAM_NONE: break;
	case FUZZ_PARAM_IV: append(iv, 16); break;
	case FUZZ_PARAM_GCM: append(&gcm, sizeof(gcm)); append(iv, 12); break;
	case FUZZ_PARAM_GCM_DRAWN: append(&drawn, sizeof(drawn)); break;
	case FUZZ_PARAM_CTR: append(&ctr, sizeof(ctr)); break;
	case FUZZ_PARAM_OAEP: append(&oaep, sizeof(oaep)); break;
	case FUZZ_PARAM_PSS: append(&pss, sizeof(pss)); break;
	case FUZZ_PARAM_MAC: append(&mac, sizeof(mac)); break;
	case FUZZ_PARAM_IV8: append(iv, 8); break;
	case FUZZ_PARAM_XTS:
		param_number(fuzz_u8(in) & 1 ? some_handle(in) : 0, sizeof(struct luna_xts_param));
		break;
	case FUZZ_PARAM_RSA_AES:
		append(&rsa_aes, sizeof(rsa_aes));
		append(&oaep, sizeof(oaep));
		break;
	case FUZZ_PARAM_KEY: param_number(some_handle(in), sizeof(struct luna_key_param)); break;
	case FUZZ_PARAM_EXTRACT: param_number(fuzz_u8(in), sizeof(struct luna_extract_param)); break;
	case FUZZ_PARAM_PBKD2: param_pbkd2(in); break;
	case FUZZ_PARAM_HKDF: param_hkdf(in); break;
	case FUZZ_PARAM_SP800_108: param_sp800_108(in); break;
	case FUZZ_PARAM_PRF_KDF: param_prf_kdf(in); break;
	case FUZZ_PARAM_ECDH: param_ecdh(in); break;
	case FUZZ_PARAM_EDDSA: append(&eddsa, sizeof(eddsa)); break;
	default:
		bytes = fuzz_bytes(in, which & 63, &len);
		append(bytes, len);
	}
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

/* A word of the struct that is there already, by its number behind struct luna_hdr */
static u32 word_at(u32 number)
{
	u32 word;

	memcpy(&word, cmd.bytes + sizeof(struct luna_hdr) + number * sizeof(word), sizeof(word));
	return word;
}

static u32 word_of(struct fuzz_in *in, char letter)
{
	static const u32 roles[] = { CKU_SO, CKU_USER, CKU_LIMITED_USER, CKU_CONTEXT_SPECIFIC, 99 };
	u16 number;
	u8 byte;

	switch (letter) {
	case '.': return 0;
	case 'b': return fuzz_u8(in);
	case 'w': return fuzz_u32(in);
	case 'h': return some_handle(in);
	case 'm':
		number = fuzz_u16(in);
		return number == 0xffff ? fuzz_u32(in) : fuzz_mechanism(number);
	case 'r': return roles[fuzz_u8(in) % ARRAY_SIZE(roles)];
	case 'o':
		byte = fuzz_u8(in);
		return byte == 0xff ? LUNA_OUT_QUERY : byte * 16u;
	case 'n': return word_at(1) & LUNA_STEP_ONESHOT ? cmd.data_len : 0;
	case 't': return word_at(0) == LUNA_OP_MESSAGE_ENCRYPT ? fuzz_u8(in) : piece(in, 'S');
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
	room = (which >> 4) * FUZZ_ROOM;
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

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, fuzz_dispatch_seeds };
