/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The table of mechanisms, and what an operation is to the family that computes it.
 *
 * op.c owns the state machine: it resolves mechanism and key, decides about lengths before anything
 * is consumed, carries one-shot calls in pieces, and ends operations. A family (cipher.c, gcm.c,
 * xts.c, digest.c, shake.c, mac.c, des3_mac.c, rsa.c, ec.c, kw.c) computes behind struct
 * luna_op_ops and never sees a command.
 */
#ifndef LUNA_TOKEN_MECH_H
#define LUNA_TOKEN_MECH_H

#include "key.h"

struct luna_op_ops;
struct luna_derive_ops;

enum {
	LUNA_MECH_KEY_TYPES = 2,
	LUNA_SECRET_MAX = 4096,		/* bytes of a generic secret, generated or for HMAC */
	LUNA_OP_PRIVATE = 256,		/* bytes of a family's own state */
	LUNA_OP_GATHER_MAX = 64 << 20,	/* bytes that one operation may withhold */
};

/* luna_mech.policy of a mechanism that no policy can turn off */
#define LUNA_NO_POLICY	0xff

/* luna_mech.key_types[0] of a mechanism that takes secret keys of all types */
#define LUNA_ANY_SECRET	0xfffffffe

/**
 * struct luna_mech - a row of the table
 * @type: CKM_*
 * @family: who computes it
 * @flags: the standard's CKF_*: ENCRYPT ... UNWRAP, GENERATE, GENERATE_KEY_PAIR
 * @min_size, @max_size: as C_GetMechanismInfo reports them: bits for RSA, EC and
 *	what generates generic secrets, else bytes; compare by luna_mech_key_size(); DERIVE: of the
 *	base key
 * @hash: of the digest, HMAC, hashed signature, derivation; else LUNA_HASHES
 * @key_types: CKK_* of the keys that it takes (KEYGEN: makes), all the same if it is one, or
 *	LUNA_ANY_SECRET. A type that has two numbers is taken by either
 * @policy: id of the partition policy that must be on, or LUNA_NO_POLICY
 * @variant: which of its family's mechanisms this is, for the family: enum luna_mech_variant
 * @crypt: how it encrypts, decrypts, digests; NULL: not
 * @sign: how it signs, verifies, recovers; NULL: not
 * @derive: how it derives (derive.h); NULL: not
 */
struct luna_mech {
	u32 type;
	enum luna_mech_family family;
	u32 flags;
	u32 min_size;
	u32 max_size;
	enum luna_hash hash;
	u32 key_types[LUNA_MECH_KEY_TYPES];
	u8 policy;
	u8 variant;
	const struct luna_op_ops *crypt;
	const struct luna_op_ops *sign;
	const struct luna_derive_ops *derive;
};

enum luna_mech_variant {
	LUNA_PLAIN,
	/* AES; DES3 in all but GCM */
	LUNA_AES_ECB, LUNA_AES_CBC, LUNA_AES_CBC_PAD, LUNA_AES_CTR, LUNA_AES_GCM,
	/* HMAC, CMAC: the length comes in the parameter */
	LUNA_MAC_GENERAL,
	/* DES3_MAC, which else is CMAC */
	LUNA_CBC_MAC, LUNA_CBC_MAC_GENERAL,
	/* AES_KW */
	LUNA_KW, LUNA_KWP,
	/* RSA; the hashed signatures are RSA_PKCS and RSA_PSS with a hash in the row */
	LUNA_RSA_RAW, LUNA_RSA_PKCS, LUNA_RSA_OAEP, LUNA_RSA_PSS,
	/* KEYGEN */
	LUNA_GEN_AES, LUNA_GEN_SECRET, LUNA_GEN_RSA, LUNA_GEN_EC, LUNA_GEN_DERIVED,
	LUNA_GEN_DES3,
	/* SHAKE */
	LUNA_SHAKE_128, LUNA_SHAKE_256,
};

/**
 * luna_mech_key_size() - does the size of a key fit the mechanism? Else CKR_KEY_SIZE_RANGE
 * @verify: it is only to verify, for which FIPS mode takes smaller ones
 * @bytes: RSA: of the modulus
 */
bool luna_mech_key_size(const struct luna_token *token, const struct luna_mech *mech, bool verify,
			u32 bytes);

/* The hash that a parameter names by its digest mechanism; false: this token has no such one. */
bool luna_mech_hash(struct luna_token *token, u32 type, enum luna_hash *hash);

/* Do the partition's and the HSM's policies both allow what FIPS does not? If not: FIPS mode. */
bool luna_fips_mode(const struct luna_token *token);

/* Bit per enum luna_curve: those whose keys may come in, be made and be used on this token now. */
u32 luna_curves(const struct luna_token *token);

/* May signatures be made of this hash? Those of SHA-1 are only verified in FIPS mode. */
bool luna_hash_signs(const struct luna_token *token, enum luna_hash hash);

/**
 * luna_mech_flags() - the CKF_* of a mechanism on this token now
 * What the table and message.c say, less what is not approved while the policies ask for FIPS mode.
 */
u32 luna_mech_flags(const struct luna_token *token, const struct luna_mech *mech);

/* luna_op_state.phase */
enum luna_op_phase {
	LUNA_OP_FRESH,		/* initialised, nothing consumed */
	LUNA_OP_PIECES,		/* inside a one-shot call that comes in pieces */
	LUNA_OP_UPDATED,	/* multi-part */
};

/**
 * struct luna_op_state - an operation of a session; session->lock held whenever it is touched
 * Allocated at a session's first operation of a kind and kept for the next: @mech is NULL while
 * none is active.
 *
 * @mech: the row, NULL: idle
 * @kind: what it does with it; one object serves one kind
 * @phase: how far it is
 * @token: the session's token
 * @session: the session
 * @obj: the key, referenced; NULL for digests
 * @login_epoch: of the application when it began; a private key's operation ends with the login
 * @iv_made: the parameter's IV is the token's: drawn, or counted on from one (message.c)
 * @done: PIECES: bytes of data consumed
 * @total: PIECES: bytes of data of the whole call
 * @made: PIECES: bytes of output so far
 * @gather, @gathered, @gather_room: data withheld for a family that takes it at once
 * @private: the family's own state, zero at init, wiped after end; heap memory, so that buffers in
 *	it may be given to the provider. Use luna_op_private().
 */
struct luna_op_state {
	const struct luna_mech *mech;
	enum luna_op_kind kind;
	enum luna_op_phase phase;
	struct luna_token *token;
	struct luna_session *session;
	struct luna_object *obj;
	u32 login_epoch;
	bool iv_made;
	bool auth_pending;	/* CKA_ALWAYS_AUTHENTICATE: waits for a C_Login() */
	u32 made;
	u64 done;
	u64 total;
	u8 *gather;
	u32 gathered;
	u32 gather_room;
	u64 private[LUNA_OP_PRIVATE / sizeof(u64)];
};

/* Does it ask for no more of a key than to verify? */
static inline bool luna_op_verifies(const struct luna_op_state *op)
{
	return op->kind == LUNA_OP_VERIFY || op->kind == LUNA_OP_VERIFY_RECOVER;
}

/* The family's state of an operation: struct gcm *g = luna_op_private(op, struct gcm) */
#define luna_op_private(op, type) ({						\
	BUILD_BUG_ON(sizeof(type) > LUNA_OP_PRIVATE);				\
	(type *)(op)->private; })

/**
 * struct luna_op_lens - how much output a step will give
 * @most: never more; what a length query returns
 * @least: never less; a caller's buffer below that is refused before anything is done. It differs
 *	from @most only where the data decide (unpadding): then op.c compares the true length
 *	afterwards and, if the buffer is short, throws the output away and calls restart().
 */
struct luna_op_lens {
	u64 most;
	u64 least;
};

/**
 * struct luna_op_ops - what a family does for an operation
 *
 * All but lens and end return a CKR; any but CKR_OK ends the operation, and end() is called, also
 * after a failed init(). Buffers @in, @out, @sig are heap memory apart from each other; @out has
 * room for lens().most. Nothing here answers length queries or compares buffer sizes.
 *
 * A kind is computed in one of two ways:
 *
 *  - streaming: update() as data come, then final() (output: rest, digest, tag, signature) or
 *    verify(op, NULL, 0, sig). A one-shot call is update() and final().
 *  - at once (its bit in @whole): single() or verify() once, with all data. op.c gathers what comes
 *    in pieces or in updates. Nothing is released before single() says CKR_OK.
 *
 * @whole: BIT(enum luna_op_kind): kinds that are computed at once
 * @shortcut: the same: streaming kinds for which single(), nothing before it, does the work of
 *	update() and final() where all data come in one command
 * @single_part: no C_xxxUpdate: CKR_FUNCTION_NOT_SUPPORTED
 * @init: take up the key (op->obj, checked by luna_key_get()) and the parameter
 *	(CKR_MECHANISM_PARAM_INVALID); @param is gone afterwards
 * @lens: the output if @in_len more bytes come and, with @finish, end there (at once: asked with
 *	all data and @finish only). Refuses lengths: CKR_DATA_LEN_RANGE,
 *	CKR_ENCRYPTED_DATA_LEN_RANGE. For SIGN and VERIFY with @finish: the signature's length, to
 *	which op.c compares the length of the one to be verified (CKR_SIGNATURE_LEN_RANGE). Changes
 *	nothing.
 * @update: *out_len: bytes written, as lens() said
 * @final: the same at the end. Where @least may be below @most, its output may be thrown away, and
 *	update() or final() follows as if it had not been called
 * @single: all of it; VERIFY_RECOVER: @in is the signature
 * @verify: CKR_OK or CKR_SIGNATURE_INVALID; @sig_len is right
 * @restart: back to the state after init(); NULL if single() changes no state or @least is @most
 * @end: free what @private holds; may be NULL
 */
struct luna_op_ops {
	u32 whole;
	u32 shortcut;
	bool single_part;
	u32 (*init)(struct luna_op_state *op, const u8 *param, u32 len);
	u32 (*lens)(const struct luna_op_state *op, u64 in_len, bool finish,
		    struct luna_op_lens *lens);
	u32 (*update)(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len);
	u32 (*final)(struct luna_op_state *op, u8 *out, u32 *out_len);
	u32 (*single)(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len);
	u32 (*verify)(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len);
	u32 (*restart)(struct luna_op_state *op);
	void (*end)(struct luna_op_state *op);
};

extern const struct luna_op_ops luna_cipher_ops;	/* cipher.c: ECB, CBC, CBC_PAD, CTR; DES3 */
extern const struct luna_op_ops luna_gcm_ops;		/* gcm.c */
extern const struct luna_op_ops luna_gmac_ops;		/* gcm.c */
extern const struct luna_op_ops luna_xts_ops;		/* xts.c */
extern const struct luna_op_ops luna_digest_ops;	/* digest.c */
extern const struct luna_op_ops luna_shake_ops;		/* shake.c */
extern const struct luna_op_ops luna_mac_ops;		/* mac.c: HMAC, CMAC */
extern const struct luna_op_ops luna_des3_mac_ops;	/* des3_mac.c: MAC, CMAC */
extern const struct luna_op_ops luna_rsa_crypt_ops;	/* rsa.c: RSA_PKCS, X_509, OAEP */
extern const struct luna_op_ops luna_rsa_sign_ops;	/* rsa.c: RSA_PKCS, X_509, PSS; recovery */
extern const struct luna_op_ops luna_rsa_hash_sign_ops;	/* rsa.c: SHAx_RSA_PKCS(_PSS) */
extern const struct luna_op_ops luna_ecdsa_ops;		/* ec.c: ECDSA */
extern const struct luna_op_ops luna_ecdsa_hash_ops;	/* ec.c: ECDSA_SHAx */
extern const struct luna_op_ops luna_eddsa_ops;		/* ec.c: EDDSA */
extern const struct luna_op_ops luna_kw_ops;		/* kw.c: KW, KWP */
extern const struct luna_op_ops luna_message_ops;	/* message.c: LUNA_OP_MESSAGE_* */

/* ---- key.c ---- */

/**
 * luna_key_digest_get() - the attributes of a secret key for C_DigestKey, referenced
 * Return: CKR_OK, CKR_KEY_HANDLE_INVALID, CKR_KEY_INDIGESTIBLE, CKR_OPERATION_NOT_ALLOWED,
 * CKR_DEVICE_MEMORY.
 */
u32 luna_key_digest_get(struct luna_session *session, u32 handle, struct luna_attrs **attrs);

/* The CKR of a failed luna_object_aes(), _mac(), _rsa(): -EINVAL: the key's size is wrong. */
static inline u32 luna_key_ckr(long err)
{
	return err == -EINVAL ? CKR_KEY_SIZE_RANGE : luna_ckr(err);
}

/* ---- op.c ---- */

/**
 * luna_op_once() - one operation outside the session's, for wrapping and unwrapping
 * @mech: a row that has @kind (ENCRYPT or DECRYPT); RSA, KW and all AES modes alike
 * @key: the key, checked by luna_key_get(); the caller keeps its reference
 * @in: heap memory, @len bytes
 * @out: kvmalloc'ed, *@out_len bytes, to be freed by kvfree_sensitive(*@out, *@out_len); NULL on
 *	error
 * Return: CKR_OK or what the operation returns.
 */
u32 luna_op_once(struct luna_session *session, const struct luna_mech *mech, enum luna_op_kind kind,
		 struct luna_object *key, const u8 *param, u32 param_len, const u8 *in, u32 len,
		 u8 **out, u32 *out_len);

/* The operation of this kind, or NULL if none is active; session->lock held. */
struct luna_op_state *luna_op_active(struct luna_session *session, u32 kind);

/**
 * luna_op_start() - begin an operation of the caller's own
 * @op: idle, with kind, session, token and login_epoch set
 * @key: checked by luna_key_get(); its reference is the operation's, also after an error
 * Return: what the family's init() says.
 */
u32 luna_op_start(struct luna_op_state *op, const struct luna_mech *mech, struct luna_object *key,
		  const u8 *param, u32 param_len);

/**
 * luna_op_step() - ONESHOT, UPDATE or FINAL of such an operation
 * @arg: op (the kind), step, data_len, sig_len, offset, total, out_max in; out_need out. FINAL may
 *	have data
 * @data: arg->data_len bytes, none for a query
 * @sig: arg->sig_len bytes
 * The output goes into @cmd's reply. Return: as LUNA_OP; the operation is over after its last step
 * and after any error but CKR_BUFFER_TOO_SMALL.
 */
u32 luna_op_step(struct luna_op_state *op, struct luna_ucmd *cmd, struct luna_op *arg,
		 const u8 *data, const u8 *sig);

/* Does a step ask for a length alone? */
bool luna_op_queries(u32 kind, u32 step, u32 out_max);

/* End an operation, if it is active; it can be started again. */
void luna_op_end(struct luna_op_state *op);

/* The operation that waits for a C_Login(CKU_CONTEXT_SPECIFIC), or NULL; session->lock held. */
struct luna_op_state *luna_op_auth_pending(struct luna_session *session);

/* Ends and frees all operations of a session; session->lock held, or nobody else is left. */
void luna_op_end_all(struct luna_session *session);

/* ---- message.c ---- */

/* The CKF_MESSAGE_* and CKF_MULTI_MESSAGE of a mechanism, which follow from its row. */
u32 luna_message_flags(const struct luna_mech *mech);

/**
 * luna_message_finish() - C_MessageEncryptFinal and the like
 * Return: CKR_OK, and @op is over; CKR_OPERATION_ACTIVE: in the middle of a message.
 */
u32 luna_message_finish(struct luna_op_state *op);

#endif /* LUNA_TOKEN_MECH_H */
