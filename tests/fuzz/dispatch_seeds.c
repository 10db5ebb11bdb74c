// SPDX-License-Identifier: MIT
/*
 * Seeds of the dispatcher's fuzzer: programs for the machine of dispatch.c that use every mechanism in
 * every way, and take each of the longer sequences to its end.
 */
#include "derive.h"
#include "dispatch.h"
#include "mech.h"

static u8 program[4096];
static u32 program_len, files;

static void put(const void *data, u32 len)
{
	fuzz_check(program_len + len <= sizeof(program));
	memcpy(program + program_len, data, len);
	program_len += len;
}

/* Bytes, as many as are named */
#define PUT(...)	put((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static void put_mechanism(u32 type)
{
	u16 number = fuzz_mechanism_number(type);

	PUT(number & 0xff, number >> 8);
}

/* The head of a command, with room for a reply, in a session of @open by its number */
static void command_in(u8 open, u8 nr, u8 session)
{
	PUT(open, nr, 0xf0 | session);
}

/* The same in the first session, which is open when programs begin */
static void command(u8 open, u8 nr)
{
	command_in(open, nr, 0);
}

/* A command; @args: what its shape takes. */
#define STEP(open, nr, args) do {						\
	command(open, nr);							\
	put(args, sizeof(args) - 1);						\
} while (0)

static void begin_program(u8 mode)
{
	program_len = 0;
	PUT(mode);
}

/* Files of a kind: @name and a number */
static void save(const char *name)
{
	char full[32];

	scnprintf(full, sizeof(full), "%s-%u", name, files++);
	fuzz_seed(full, program, program_len);
}

static void seed_life(void)
{
	begin_program(1);
	PUT(0);							/* open token 0 */
	STEP(0, LUNA_INIT_TOKEN, "\1\3\0\0\0\0");		/* SO PIN, domain */
	STEP(0, LUNA_SESSION_OPEN, "\6");
	STEP(0, LUNA_LOGIN, "\0\1");				/* SO */
	STEP(0, LUNA_INIT_PIN, "\1\0");				/* CO */
	STEP(0, LUNA_POLICY_SET, "\1\1\21\0\0");
	STEP(0, LUNA_LOGOUT, "");
	STEP(0, LUNA_LOGIN, "\1\0");
	STEP(0, LUNA_SET_PIN, "\0\2");
	command(0, LUNA_OBJECT_CREATE);
	PUT(FUZZ_TEMPLATE(FUZZ_PRESET_AES) | 8);
	STEP(0, LUNA_ATTR_GET, "\0\3\1\20\2\20\3\20");
	STEP(0, LUNA_FIND, "\17\10\0");
	STEP(0, LUNA_OBJECT_DESTROY, "\0");
	STEP(0, LUNA_SESSION_CLOSE_ALL, "");
	fuzz_seed("life", program, program_len);
}

/* ---- keys of every type ---- */

/* Handles of the programs below: what the world has, then what keys_begin() makes. */
enum {
	HANDLE_AES = 0, HANDLE_RSA_PUBLIC = 5, HANDLE_RSA, HANDLE_SECRET, HANDLE_P256_PUBLIC,
	HANDLE_P256, HANDLE_X25519_PUBLIC, HANDLE_X25519, HANDLE_EDWARDS_PUBLIC, HANDLE_EDWARDS,
	HANDLE_XTS, HANDLE_DES3,
};

/* An attribute of @type, in bytes of which the first says how: true, or with a length and a value */
#define ATTR_TRUE(type)		0x81, 0, (type) & 0xff, (type) >> 8, 0, 0
#define ATTR_NUMBER(type, value) 0x82, 0, (type) & 0xff, (type) >> 8, 0, 0, value
#define ATTR_BYTES(type, len)	0x85, 0, (type) & 0xff, (type) >> 8, 0, 0, len

static void generate_pair(u32 mechanism, u8 preset)
{
	command(0, LUNA_GENERATE_PAIR);
	put_mechanism(mechanism);
	PUT(FUZZ_PARAM_NONE, FUZZ_TEMPLATE(preset), 2, ATTR_TRUE(CKA_SIGN), ATTR_TRUE(CKA_DERIVE));
}

static void generate_edwards(void)
{
	command(0, LUNA_GENERATE_PAIR);
	put_mechanism(CKM_EC_EDWARDS_KEY_PAIR_GEN);
	PUT(FUZZ_PARAM_NONE, 1, ATTR_BYTES(CKA_EC_PARAMS, 14));
	put("\x13\x0c" "edwards25519", 14);
	PUT(0);
}

static void keys_begin(void)
{
	begin_program(0);
	command(0, LUNA_GENERATE_PAIR);
	put_mechanism(CKM_RSA_PKCS_KEY_PAIR_GEN);
	PUT(FUZZ_PARAM_NONE, FUZZ_TEMPLATE(FUZZ_PRESET_RSA), 0);
	command(0, LUNA_GENERATE_KEY);
	put_mechanism(CKM_GENERIC_SECRET_KEY_GEN);
	PUT(FUZZ_PARAM_NONE, FUZZ_TEMPLATE(FUZZ_PRESET_LENGTH));
	generate_pair(CKM_EC_KEY_PAIR_GEN, FUZZ_PRESET_P256);
	generate_pair(CKM_EC_MONTGOMERY_KEY_PAIR_GEN, FUZZ_PRESET_25519);
	generate_edwards();
	command(0, LUNA_OBJECT_CREATE);
	PUT(FUZZ_TEMPLATE(FUZZ_PRESET_XTS));
	command(0, LUNA_OBJECT_CREATE);
	PUT(FUZZ_TEMPLATE(FUZZ_PRESET_DES3));
}

static u8 key_of(const struct luna_mech *mech, u8 op)
{
	bool private = op == LUNA_OP_DECRYPT || op == LUNA_OP_SIGN || op == LUNA_OP_SIGN_RECOVER;
	u32 type = luna_key_type_standard(mech->key_types[0]);

	switch (mech->family) {
	case LUNA_FAMILY_RSA:
	case LUNA_FAMILY_RSA_AES: return private ? HANDLE_RSA : HANDLE_RSA_PUBLIC;
	case LUNA_FAMILY_EC:
		if (type == CKK_EC_EDWARDS)
			return private ? HANDLE_EDWARDS : HANDLE_EDWARDS_PUBLIC;
		return private ? HANDLE_P256 : HANDLE_P256_PUBLIC;
	case LUNA_FAMILY_HMAC: return HANDLE_SECRET;
	case LUNA_FAMILY_DES3:
	case LUNA_FAMILY_DES3_MAC: return HANDLE_DES3;
	case LUNA_FAMILY_XTS: return HANDLE_XTS;
	default: return HANDLE_AES;
	}
}

/* The parameter that a mechanism of the ciphers may want */
static void put_cipher_parameter(u8 variant, u8 iv)
{
	switch (variant) {
	case LUNA_AES_ECB: PUT(FUZZ_PARAM_NONE); break;
	case LUNA_AES_CTR: PUT(FUZZ_PARAM_CTR); break;
	case LUNA_AES_GCM: PUT(FUZZ_PARAM_GCM); break;
	default: PUT(iv);
	}
}

static void put_parameter(const struct luna_mech *mech)
{
	switch (mech->family) {
	case LUNA_FAMILY_RSA:
		PUT(mech->variant == LUNA_RSA_OAEP ? FUZZ_PARAM_OAEP :
		    mech->variant == LUNA_RSA_PSS ? FUZZ_PARAM_PSS : FUZZ_PARAM_NONE);
		break;
	case LUNA_FAMILY_HMAC:
	case LUNA_FAMILY_CMAC:
	case LUNA_FAMILY_DES3_MAC:
		PUT(mech->variant == LUNA_MAC_GENERAL || mech->variant == LUNA_CBC_MAC_GENERAL ?
		    FUZZ_PARAM_MAC : FUZZ_PARAM_NONE);
		break;
	case LUNA_FAMILY_AES: put_cipher_parameter(mech->variant, FUZZ_PARAM_IV); break;
	case LUNA_FAMILY_DES3: put_cipher_parameter(mech->variant, FUZZ_PARAM_IV8); break;
	case LUNA_FAMILY_XTS: PUT(FUZZ_PARAM_XTS, 0); break;
	case LUNA_FAMILY_SHAKE: PUT(FUZZ_PARAM_MAC); break;	/* the same struct */
	case LUNA_FAMILY_RSA_AES: PUT(FUZZ_PARAM_RSA_AES); break;
	default: PUT(FUZZ_PARAM_NONE);
	}
}

/* ---- operations ---- */

static bool is_cipher(const struct luna_mech *mech)
{
	return mech->family == LUNA_FAMILY_AES || mech->family == LUNA_FAMILY_DES3 ||
	       mech->family == LUNA_FAMILY_XTS || mech->family == LUNA_FAMILY_AES_KW;
}

static void seed_op(const struct luna_mech *mech, u8 op, u8 steps)
{
	command(0, LUNA_OP);
	PUT(op, steps);
	put_mechanism(mech->type);
	PUT(key_of(mech, op));
	put_parameter(mech);
	/* 32 zeros, or four letters; the signature that was made last; room for 1 KiB */
	if (is_cipher(mech))
		PUT(0x81);
	else
		PUT(4, 'a', 'b', 'c', 'd');
	if (op == LUNA_OP_VERIFY && !(steps & LUNA_STEP_UPDATE))
		PUT(1, FUZZ_NEWEST);
	else
		PUT(0);
	PUT(64);
}

/* One mechanism, every operation that it has, whole and in steps. */
static void seed_mechanism(const struct luna_mech *mech)
{
	u8 op;

	for (op = 0; op <= LUNA_OP_VERIFY_RECOVER; op++) {
		static const u32 flags[] = {
			[LUNA_OP_ENCRYPT] = CKF_ENCRYPT, [LUNA_OP_DECRYPT] = CKF_DECRYPT,
			[LUNA_OP_DIGEST] = CKF_DIGEST, [LUNA_OP_SIGN] = CKF_SIGN,
			[LUNA_OP_VERIFY] = CKF_VERIFY, [LUNA_OP_SIGN_RECOVER] = CKF_SIGN_RECOVER,
			[LUNA_OP_VERIFY_RECOVER] = CKF_VERIFY_RECOVER,
		};

		if (!(mech->flags & flags[op]))
			continue;
		seed_op(mech, op, LUNA_STEP_INIT | LUNA_STEP_ONESHOT);
		seed_op(mech, op, LUNA_STEP_INIT | LUNA_STEP_UPDATE);
		command(0, LUNA_OP);
		PUT(op, LUNA_STEP_FINAL, 0, 0, 0, FUZZ_PARAM_NONE, 0, 0, 64);
	}
}

/* Messages of AES-GCM: IVs from everywhere, whole and in parts, opened again, forged. */
static void seed_messages(void)
{
	const u8 gcm = FUZZ_PARAM_GCM, tag = 16;
	u8 generator;

	keys_begin();
	for (generator = CKG_NO_GENERATE; generator <= CKG_GENERATE_COUNTER_XOR; generator++) {
		command(0, LUNA_OP);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_INIT);
		put_mechanism(CKM_AES_GCM);
		PUT(HANDLE_AES, 0, 0, 0, 0);
		command(0, LUNA_MESSAGE);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_ONESHOT, gcm, 3, 'a', 'b', 'c', tag,
		    generator, 0, 8);
		command(0, LUNA_MESSAGE);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_BEGIN, gcm, 0, 0, generator, 0, 0);
		command(0, LUNA_MESSAGE);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_UPDATE, 0, 2, 'a', 'b', 0, 0, 0, 8);
		command(0, LUNA_MESSAGE);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_FINAL, 0, 1, 'c', tag, 0, 0, 8);
		command(0, LUNA_OP);
		PUT(LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_FINAL, 0, 0, HANDLE_AES, 0, 0, 0, 0);
	}
	command(0, LUNA_OP);
	PUT(LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_INIT);
	put_mechanism(CKM_AES_GCM);
	PUT(HANDLE_AES, 0, 0, 0, 0);
	command(0, LUNA_MESSAGE);
	PUT(LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_ONESHOT, gcm, 3, 'a', 'b', 'c', 1, 0, 0, 0, 8);
	fuzz_seed("messages", program, program_len);
}

/* Signatures of messages, one after the other with one Init */
static void seed_message_signatures(void)
{
	u8 kind;

	keys_begin();
	for (kind = LUNA_OP_MESSAGE_SIGN; kind <= LUNA_OP_MESSAGE_VERIFY; kind++) {
		command(0, LUNA_OP);
		PUT(kind, LUNA_STEP_INIT);
		put_mechanism(CKM_SHA256_HMAC);
		PUT(HANDLE_SECRET, 0, 0, 0, 0);
		command(0, LUNA_MESSAGE);
		PUT(kind, LUNA_STEP_ONESHOT, 0, 3, 'a', 'b', 'c', 0, 0, 0, 8);
		command(0, LUNA_MESSAGE);
		PUT(kind, LUNA_STEP_BEGIN, 0, 0, 0, 0, 0, 0);
		command(0, LUNA_MESSAGE);
		PUT(kind, LUNA_STEP_UPDATE, 0, 2, 'a', 'b', 0, 0, 0, 8);
		command(0, LUNA_MESSAGE);
		PUT(kind, LUNA_STEP_FINAL, 0, 1, 'c', 0, 0, 0, 8);
	}
	fuzz_seed("message-signatures", program, program_len);
}

/* ---- derivation ---- */

/* The point of the key whose private value is all fives: not one of the keys above */
static void put_point(enum luna_curve curve)
{
	u8 point[1 + 2 * 66], value[32];
	struct luna_num num = { value, sizeof(value) };
	u32 len = luna_curve_point_len(curve);

	memset(value, 5, sizeof(value));
	fuzz_check(!fuzz_crypto()->ec_public(curve, &num, point));
	PUT(0x80, len);
	put(point, len);
}

static void put_derive_parameter(const struct luna_derive_ops *ops)
{
	if (ops == &luna_derive_base_and_key)
		PUT(FUZZ_PARAM_KEY, HANDLE_AES);
	else if (ops == &luna_derive_extract)
		PUT(FUZZ_PARAM_EXTRACT, 9);
	else if (ops == &luna_derive_pbkd2)
		PUT(FUZZ_PARAM_PBKD2, CKP_PKCS5_PBKD2_HMAC_SHA256, 3, 2, 's', 's', 2, 'p', 'w');
	else if (ops == &luna_derive_prf_kdf)
		PUT(FUZZ_PARAM_PRF_KDF, CK_NIST_PRF_KDF_HMAC_SHA256, 1, 1, 1, 'l', 1, 'c');
	else if (ops == &luna_derive_hash)
		PUT(FUZZ_PARAM_NONE);
	else
		PUT(FUZZ_PARAM_RAW + 32, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
}

static void put_hkdf(u8 salt_type)
{
	PUT(FUZZ_PARAM_HKDF, LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND);
	put_mechanism(CKM_SHA256);
	PUT(salt_type);
	if (salt_type == CKF_HKDF_SALT_DATA)
		PUT(1, 's');
	else if (salt_type == CKF_HKDF_SALT_KEY)
		PUT(HANDLE_SECRET);
	PUT(1, 'i');
}

/* Counter or what went before, a label, a length */
static void put_sp800_108(u32 type)
{
	PUT(FUZZ_PARAM_SP800_108);
	put_mechanism(CKM_SHA256_HMAC);
	PUT(3);
	if (type == CKM_SP800_108_FEEDBACK_KDF)
		PUT(2, 'i', 'v');
	else
		PUT(0);
	PUT(CK_SP800_108_ITERATION_VARIABLE, type == CKM_SP800_108_COUNTER_KDF ? 32 : 0, 0, 0);
	PUT(CK_SP800_108_BYTE_ARRAY, 0, 0, 0, 1, 'l');
	PUT(CK_SP800_108_DKM_LENGTH, 16, CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS, 0);
}

/* With every kind of key derivation function, whether of the key's type or not */
static void seed_ecdh(u32 type, u8 key, enum luna_curve curve)
{
	u8 kdf;

	for (kdf = 0; kdf < 6; kdf++) {
		command(0, LUNA_DERIVE);
		put_mechanism(type);
		PUT(FUZZ_PARAM_ECDH, kdf);
		if (kdf)
			PUT(1, 's');
		put_point(curve);
		PUT(key, FUZZ_TEMPLATE(FUZZ_PRESET_LENGTH));
	}
}

static void seed_derivation(const struct luna_mech *mech)
{
	u8 salt = CKF_HKDF_SALT_NULL, last = mech->derive == &luna_derive_hkdf ? CKF_HKDF_SALT_KEY : salt;

	if (mech->derive == &luna_derive_ecdh) {
		seed_ecdh(mech->type, HANDLE_P256, LUNA_P256);
		if (mech->type == CKM_ECDH1_DERIVE)
			seed_ecdh(mech->type, HANDLE_X25519, LUNA_X25519);
		return;
	}
	for (; salt <= last; salt <<= 1) {
		command(0, mech->family == LUNA_FAMILY_KEYGEN ? LUNA_GENERATE_KEY : LUNA_DERIVE);
		put_mechanism(mech->type);
		if (mech->derive == &luna_derive_hkdf || mech->derive == &luna_derive_hkdf_data)
			put_hkdf(salt);
		else if (mech->derive == &luna_derive_sp800_108)
			put_sp800_108(mech->type);
		else
			put_derive_parameter(mech->derive);
		if (mech->family != LUNA_FAMILY_KEYGEN)
			PUT(HANDLE_AES);
		PUT(FUZZ_TEMPLATE(FUZZ_PRESET_LENGTH));
	}
}

/* ---- all mechanisms ---- */

/* A key that goes out and comes back */
static void seed_wrapping(const struct luna_mech *mech)
{
	command(0, LUNA_WRAP);
	put_mechanism(mech->type);
	put_parameter(mech);
	PUT(key_of(mech, LUNA_OP_ENCRYPT), HANDLE_AES, 64);
	command(0, LUNA_UNWRAP);
	put_mechanism(mech->type);
	put_parameter(mech);
	PUT(key_of(mech, LUNA_OP_DECRYPT), 2, ATTR_NUMBER(CKA_CLASS, CKO_SECRET_KEY),
	    ATTR_NUMBER(CKA_KEY_TYPE, CKK_AES), FUZZ_NEWEST);
}

static bool seed_use(const struct luna_mech *mech)
{
	if (mech->derive) {
		seed_derivation(mech);
		return true;
	}
	if (mech->flags & (CKF_GENERATE | CKF_GENERATE_KEY_PAIR))
		return false;
	seed_mechanism(mech);
	return true;
}

static bool seed_wrap(const struct luna_mech *mech)
{
	if (!(mech->flags & CKF_WRAP))
		return false;
	seed_wrapping(mech);
	return true;
}

/* Some mechanisms to a file; @what says whether it used one. */
static void seed_each(const char *name, bool (*what)(const struct luna_mech *mech))
{
	enum { EACH = 4 };
	struct luna_token *token = fuzz_world.sides[0].fx.token;
	const struct luna_mech *mech;
	u32 index, used = 0;

	files = 0;
	for (index = 0; index < fuzz_mechanism_count(); index++) {
		mech = luna_mech_find(token, fuzz_mechanism_at(index));
		if (!mech)
			continue;
		if (!used)
			keys_begin();
		used += what(mech);
		if (used < EACH)
			continue;
		save(name);
		used = 0;
	}
	if (used)
		save(name);
}

static void seed_mechanisms(void)
{
	fuzz_world_open(false);
	seed_each("op", seed_use);
	seed_each("wrap", seed_wrap);
	seed_messages();
	seed_message_signatures();
	keys_begin();
	program[0] = 4;		/* GCM that the engine builds */
	seed_mechanism(luna_mech_find(fuzz_world.sides[0].fx.token, CKM_AES_GCM));
	fuzz_seed("gcm-built", program, program_len);
	fuzz_world_close();
}

/* ---- objects, applications, exchanges ---- */

static void seed_keys(void)
{
	keys_begin();
	STEP(0, LUNA_MECH_LIST, "");
	STEP(0, LUNA_OBJECT_COPY, "\0\0");
	STEP(0, LUNA_ATTR_GET, "\11\3\1\20\2\20\3\20");
	STEP(0, LUNA_OBJECT_SIZE, "\15");
	command(0, LUNA_FIND);
	PUT(15, 8, FUZZ_TEMPLATE(FUZZ_PRESET_DES3));
	STEP(0, LUNA_OBJECT_DESTROY, "\15");
	fuzz_seed("keys", program, program_len);
}

/* Two open files of a token that share a login by an id, which is kept when both are gone */
static void seed_applications(void)
{
	static const u8 open = LUNA_APP_OPEN, join = LUNA_APP_JOIN, close = LUNA_APP_CLOSE;

	begin_program(0);
	PUT(2);						/* open token 0 once more */
	command(2, LUNA_APP_ID);
	PUT(open, 0, 'i');
	command(2, LUNA_APP_ID);
	PUT(join, 0, 'i');
	STEP(2, LUNA_SESSION_OPEN, "\6");
	command_in(2, LUNA_LOGIN, 1);			/* sessions are numbered as they come */
	PUT(1, 0);
	PUT(0xf8, 0);					/* close file 0, open it, join */
	command(0, LUNA_APP_ID);
	PUT(join, 0, 'i');
	STEP(0, LUNA_SESSION_OPEN, "\6");
	command_in(0, LUNA_FIND, 2);
	PUT(15, 8, 0);
	command_in(0, LUNA_SESSION_CLOSE_ALL, 2);
	command_in(2, LUNA_FIND, 1);
	PUT(15, 8, 0);
	command_in(2, LUNA_SESSION_CLOSE_ALL, 1);
	command(0, LUNA_APP_ID);
	PUT(close, 0, 'i');
	fuzz_seed("applications", program, program_len);
}

/* FIPS mode, and what it takes away */
static void seed_fips(void)
{
	begin_program(0);
	STEP(0, LUNA_LOGOUT, "");
	STEP(0, LUNA_LOGIN, "\0\1");
	STEP(0, LUNA_POLICY_SET, "\1\1\53\0\0");
	STEP(0, LUNA_POLICY_LIST, "\1");
	STEP(0, LUNA_MECH_LIST, "");
	fuzz_seed("fips", program, program_len);
}

/* Blob commands take: type, handle, role, replicate, message, out_max. */
static void seed_exchanges(void)
{
	begin_program(0);
	STEP(0, LUNA_CLONE_SOURCE_INIT, "\0\37\0\0\7\377");
	STEP(0, LUNA_CLONE_SOURCE_INIT, "\0\37\0\0\7\200");
	STEP(1, LUNA_CLONE_TARGET_INIT, "\0\37\0\0\1\200");
	STEP(0, LUNA_CLONE_SOURCE, "\0\0\0\0\2\200");
	STEP(1, LUNA_CLONE_TARGET, "\0\37\0\0\3\200");
	fuzz_seed("clone", program, program_len);
	begin_program(2);
	STEP(0, LUNA_MOFN_STATUS, "");
	STEP(0, LUNA_MOFN_ACTIVATE, "\3\0\0");
	STEP(1, LUNA_LOGOUT, "");
	STEP(0, LUNA_HA_MASTER_PUBLIC, "\0\37\0\0\7\200");
	STEP(1, LUNA_HA_CHALLENGE, "\0\37\1\0\1\200");
	STEP(0, LUNA_HA_ANSWER, "\0\3\0\0\2\200");
	STEP(1, LUNA_HA_LOGIN, "\0\37\0\0\3\200");
	STEP(0, LUNA_HA_MOFN_ANSWER, "\0\37\0\0\4\200");
	STEP(1, LUNA_HA_MOFN_ACTIVATE, "\0\37\0\0\5\200");
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
	enum { PIECE = 15 * FUZZ_ROOM, PIECES = 4 };	/* the room that command() leaves for a reply */
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
		put_at[4] = (1 + i) % FUZZ_MESSAGES;
		command(0, LUNA_IMAGE_GET);
		put(get, sizeof(get));
		command(1, LUNA_IMAGE_PUT);
		put(put_at, sizeof(put_at));
	}
	STEP(1, LUNA_IMAGE_RESTORE, "\1\1\3\0");
	STEP(1, LUNA_SESSION_OPEN, "\6");
	put(login, sizeof(login));
	put(find, sizeof(find));
	fuzz_seed("image", program, program_len);
}

void fuzz_dispatch_seeds(void)
{
	seed_life();
	seed_mechanisms();
	seed_keys();
	seed_applications();
	seed_fips();
	seed_exchanges();
	seed_image();
}
