/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The engine's own structures, and who may touch what under which lock.
 *
 * Lock order, outermost first:
 *
 *	session->lock		one command at a time in a session: operations, exchanges, staging
 *	open->image_lock	the image that an application exports or imports
 *	open->lock		the sessions of one open file, and the application that it is of
 *	app->lock		the login, members and counts of sessions of an application
 *	token->auth		one PIN verification, PIN or role change at a time (slow: PBKDF2)
 *	token->lock (rwsem)	token state: roles, policies, secrets; the lists of open files and
 *				of applications
 *	dir->lock (rwsem)	a directory of objects: the token's, or an application's own
 *	object->lock		an object's attributes and prepared key
 *	log->lock, log->sync	the store (lib/token/log.c)
 *
 * No cryptography on user data and no key generation runs under open->lock, app->lock, token->lock
 * or dir->lock. Two tokens are never locked at once: cloning between tokens passes messages.
 */
#ifndef LUNA_TOKEN_TOKEN_H
#define LUNA_TOKEN_TOKEN_H

#include "port.h"
#include "engine.h"
#include "table.h"
#include <luna/ck_values.h>
#include <uapi/luna.h>

struct luna_log;
struct luna_op_state;
struct luna_clone_state;
struct luna_ha_state;
struct luna_key_cache;
struct luna_image;

enum {
	LUNA_SK_LEN = 32,		/* storage key of a token */
	LUNA_DOMAIN_LEN = 32,		/* stretched cloning domain */
	LUNA_SEAL_OVERHEAD = 12 + 16,	/* nonce and tag around what seal.c encrypts */
	LUNA_SALT_LEN = 16,
	LUNA_OUID_LEN = 12,
	LUNA_SERIAL_LEN = 16,
	LUNA_LABEL_LEN = 32,
	LUNA_PIN_MIN = 4,		/* the product has 8; test programs use short PINs */
	LUNA_PIN_MAX = 255,
	LUNA_TWC_MAX = 2048,
	LUNA_TWC_BITS = 2048,
	LUNA_MOFN_SECRET_LEN = 32,
	LUNA_MOFN_MAX = 16,		/* most vectors of one secret */
	LUNA_PIN_ITERATIONS = 100000,	/* PBKDF2 rounds of a PIN, unless the host says otherwise */
	LUNA_DOMAIN_ITERATIONS = 200000,

	LUNA_SESSIONS_MAX = 4096,	/* of one open file */
	LUNA_SESSION_OBJECTS_MAX = 4096,/* of one open file */
	LUNA_OBJECT_MAX = 1u << 20,	/* bytes of one object's attributes */
	/*
	 * Bytes that one open file may make the device keep: sessions, operations, session objects,
	 * what is staged, withheld or waits to be fetched. Room for one GCM decryption of the
	 * largest size, which holds ciphertext and plaintext, and some more.
	 */
	LUNA_OPEN_BYTES_MAX = 192u << 20,
	/*
	 * All open files of a token have this much together. Each can have its reserve whatever the
	 * others hold, so that one program, with as many open files as it likes, starves nobody.
	 */
	LUNA_TOKEN_BYTES_MAX = 1u << 30,
	LUNA_OPEN_RESERVE = 256 << 10,
	LUNA_OPENS_MAX = 1024,		/* open files of one token */
	LUNA_APPS_KEPT_MAX = 32,	/* applications of one user that LUNA_APP_OPEN keeps */
	LUNA_APPS_MAX = 2 * LUNA_OPENS_MAX,	/* of a token, those of open files among them */
	LUNA_SESSION_BYTES = 1024,	/* what a session counts for besides its data */
	LUNA_OP_BYTES = 4096,		/* what an operation counts for, its contexts included */
	LUNA_OBJECT_BYTES = 1024,	/* of a session object besides its attributes */

	LUNA_CONTAINER = 1,		/* partition number of every token: one partition a slot */
	LUNA_FIRMWARE_MAJOR = 7,	/* what the product would report: 7.8.4 */
	LUNA_FIRMWARE_MINOR = 8,
	LUNA_FIRMWARE_SUB = 4,
};

/* Partition roles, as indexes; luna_role_index() maps CKU_* to them. */
enum luna_role_id {
	LUNA_ROLE_SO,		/* CKU_SO: partition SO, legacy: SO */
	LUNA_ROLE_CO,		/* CKU_USER: crypto officer, legacy: user */
	LUNA_ROLE_CU,		/* CKU_LIMITED_USER: crypto user */
	LUNA_ROLES
};

/**
 * struct luna_role - a role and the storage key wrapped under its PIN
 * @set: the role exists
 * @locked: too many failed logins
 * @pin_change: the PIN was set by another role and should be changed (informational)
 * @failed: failed logins since the last good one; counted durably before a PIN is tried
 * @iterations: PBKDF2-HMAC-SHA256 rounds
 * @wrapped: the storage key sealed under the key made of PIN and @salt
 */
struct luna_role {
	bool set;
	bool locked;
	bool pin_change;
	u32 failed;
	u32 iterations;
	u8 salt[LUNA_SALT_LEN];
	u8 wrapped[LUNA_SK_LEN + LUNA_SEAL_OVERHEAD];
};

/**
 * struct luna_ha_setup - what CA_HAInit stored; public without K, which nobody keeps
 * @set: a setup exists
 * @role: the role that ran it and that an exchange restores (enum luna_role_id)
 * @w: K encrypted to the login key (RSA PKCS#1 v1.5)
 * @sealed: the storage key sealed under K
 */
struct luna_ha_setup {
	bool set;
	u32 role;
	u32 w_len;
	u8 w[LUNA_RSA_MAX];
	u8 sealed[LUNA_SK_LEN + LUNA_SEAL_OVERHEAD];
};

/**
 * struct luna_mofn_param - public parameters of the M of N secret (the product's "MofN PARAM")
 * @required: CA_SetMofN(TRUE) came before C_InitToken
 * @generated: a secret exists; the rest is valid
 * @crc: CRC-32 of the secret
 */
struct luna_mofn_param {
	bool required;
	bool generated;
	bool cloneable;
	u32 id;
	u32 m, n;
	u32 crc;
};

/**
 * struct luna_secrets - what only a logged-in token knows; sealed under the storage key at rest
 * @has_domain: @domain is set
 * @twc_key: the token wrapping key, DER RSAPrivateKey (PKCS#1), @twc_key_len bytes
 */
struct luna_secrets {
	bool has_domain;
	u8 domain[LUNA_DOMAIN_LEN];
	bool has_mofn;
	u8 mofn[LUNA_MOFN_SECRET_LEN];
	u32 twc_key_len;
	u8 twc_key[LUNA_TWC_MAX];
};

enum { LUNA_POLICY_IDS = 64 };	/* ids of either scope are below this */

/**
 * struct luna_state - everything about a token that the store keeps besides objects
 * Written whole (state.c); the loaded copy is in luna_token.state under token->lock.
 */
struct luna_state {
	bool initialised;
	u32 type;			/* LUNA_TOKEN_* */
	u8 label[LUNA_LABEL_LEN];
	u8 serial[LUNA_SERIAL_LEN];	/* decimal digits and blanks; survives InitToken */
	u64 init_count;			/* times initialised; part of every seal's context */
	struct luna_role roles[LUNA_ROLES];
	u32 policies[LUNA_POLICY_IDS];		/* partition scope, by id */
	u32 hsm_policies[LUNA_POLICY_IDS];	/* HSM scope */
	struct luna_ha_setup ha;
	struct luna_mofn_param mofn;
	u32 twc_len;
	u8 twc[LUNA_TWC_MAX];		/* DER X.509 certificate */
	u32 secrets_len;
	u8 secrets[sizeof(struct luna_secrets) + 64 + LUNA_SEAL_OVERHEAD];	/* sealed */
};

/**
 * struct luna_dir - objects by handle, label, id and class (dir.c, find.c)
 * @lock: guards the table and the hash chains, not the objects' insides
 * @unindexed: sealed objects that are not in the hash chains yet
 * @next: last handle of a session object; those have the top bit set, token objects have not
 * @opened: private token objects whose attributes are in memory in the clear
 * @opened_lock: guards @opened; innermost
 */
struct luna_dir {
	struct rw_semaphore lock;
	struct luna_table table;	/* handle -> struct luna_object, ascending */
	struct hlist_head *by_label;
	struct hlist_head *by_id;
	u32 buckets;			/* of both, a power of two; grows with the table */
	u32 unindexed;
	u32 next;
	struct list_head opened;
	spinlock_t opened_lock;
};

/**
 * struct luna_token - one slot's token
 * @damaged: the store could not be loaded, or failed in a way that leaves its content unknown;
 *	everything but information is refused with CKR_DEVICE_ERROR
 * @generation: hdr.generation: see the ABI
 * @next_handle: last object handle given out; handles are never reused
 * @unlocked: applications logged in; the storage key is present while it is not 0
 * @sk: the storage key, only while @unlocked
 * @secrets: opened secrets, only while @unlocked
 * @objects: token objects
 * @opens: list of struct luna_open
 * @apps: list of struct luna_app
 * @sessions, @rw_sessions: of all opens
 * @mofn_active: the M of N secret was presented since the last DeactivateMofN or load
 */
struct luna_token {
	struct luna_config config;
	const struct luna_crypto_ops *crypto;
	struct luna_log *log;
	bool damaged;

	struct mutex auth;
	struct rw_semaphore lock;
	struct luna_state *state;
	u32 unlocked;
	u8 sk[LUNA_SK_LEN];
	struct luna_aes_key *seal_key;	/* prepared from sk */
	struct luna_secrets *secrets;
	bool mofn_active;

	atomic64_t generation;
	atomic_t next_handle;
	atomic_t keygens;		/* running key generations, bounded */
	struct luna_dir objects;

	struct list_head opens;		/* under lock */
	u32 open_count;
	struct list_head apps;		/* under lock */
	u32 app_count;
	atomic64_t held;		/* bytes, see LUNA_TOKEN_BYTES_MAX */
	atomic_t sessions;
	atomic_t rw_sessions;
};

/**
 * struct luna_app - an application: the open files of one application id, which share a login
 * @lock: guards @role, @members and the counts of sessions
 * @refs: its open files, those that left it for another, callers, and one while it is @kept
 * @owner: user id whose it is
 * @named: it has an @id, by which others find it
 * @kept: the login outlives the last session (LUNA_APP_OPEN); changes under token->lock
 * @role: enum luna_role_id logged in, or -1; changes under token->lock, too
 * @login_epoch: counts logins and logouts, so that operations of an older login are void
 * @sessions, @ro_sessions: of all members
 * @joins: members so far
 *
 * @entry, @refs, @named and @id are under token->lock.
 */
struct luna_app {
	struct luna_token *token;
	struct list_head entry;		/* in token->apps */
	u32 refs;
	u32 owner;
	bool named;
	u8 id[LUNA_APP_ID_LEN];
	bool kept;
	struct mutex lock;
	int role;
	u32 login_epoch;
	u32 sessions;
	u32 ro_sessions;
	u64 joins;
	struct list_head members;	/* of struct luna_open, in the order of @joined */
};

/**
 * struct luna_open - an open file
 * @refs: the host's, and those of commands of other open files that visit it
 * @lock: guards sessions and @app
 * @owner: user id who opened it
 * @app: the application that it is of; read it by luna_open_app()
 * @own: the one that it began as
 * @joined: its number among the members
 * @closing: sessions that are on their way out, under @lock: what they leave behind is @app's
 * @held: bytes kept for it, see LUNA_OPEN_BYTES_MAX
 * @objects: session objects of all its sessions
 * @image: the image that it fetches or sends (image.c), under @image_lock
 */
struct luna_open {
	struct luna_token *token;
	struct list_head entry;		/* in token->opens, under token->lock */
	refcount_t refs;
	struct mutex lock;
	u32 owner;
	struct luna_app *app;
	struct luna_app *own;
	struct list_head member;	/* in app->members, under app->lock */
	u64 joined;
	struct luna_table sessions;	/* handle -> struct luna_session */
	u32 next_session;
	u32 ro_sessions;
	u32 rw_sessions;
	u32 closing;
	atomic64_t held;
	struct luna_dir objects;
	struct mutex image_lock;
	struct luna_image *image;
};

/**
 * struct luna_session - a session
 * @refs: the table's and those of running commands
 * @lock: held by the dispatcher while a command of this session runs
 * @closed: no new command may start; set under open->lock
 * @ops: active operations by enum luna_op_kind (op.c owns them)
 * @clone, @ha: exchanges under way (clone.c, ha.c own them)
 * @stage_in: payload collected by LUNA_DATA_PUT
 * @stage_out: rest of the last reply, in an allocation of @stage_out_room; @stage_out_at is where
 *	LUNA_DATA_GET goes on
 */
struct luna_session {
	refcount_t refs;
	struct luna_open *open;
	u32 handle;
	bool rw;
	u32 flags;		/* as opened */
	struct mutex lock;
	bool closed;
	struct luna_op_state *ops[LUNA_OP_KINDS];
	struct luna_clone_state *clone;
	struct luna_ha_state *ha;
	u8 *stage_in;
	u32 stage_in_len, stage_in_room;
	u8 *stage_out;
	u32 stage_out_len, stage_out_at, stage_out_room;
};

/**
 * struct luna_ucmd - a command being carried (cmd.c); handlers return a CKR
 * @session: resolved from hdr.session, referenced and locked, where the table says so
 * @arg: the command's struct, zero-extended to what the engine knows; out fields are written here
 * @in, @in_len: payload of the request, staged part included
 * @out, @out_room: payload of the reply: room in the host's buffer
 * @out_len: bytes of reply payload, set by luna_reply_*()
 * @spill, @spill_room: reply payload when it is longer than out_room, and its allocation
 */
struct luna_ucmd {
	struct luna_open *open;
	struct luna_token *token;
	struct luna_session *session;
	void *arg;
	const u8 *in;
	u32 in_len;
	u8 *out;
	u32 out_room;
	u32 out_len;
	u8 *spill;
	u32 spill_room;
};

/* ---- cmd.c ---- */

/**
 * luna_reply_room() - memory for a reply payload of exactly @len bytes
 * In the host's buffer if it fits there, else kvmalloc'ed and kept for LUNA_DATA_GET. Call it once,
 * fill it all. luna_reply_trim() shortens it. Return: the memory or NULL (CKR_DEVICE_MEMORY).
 */
u8 *luna_reply_room(struct luna_ucmd *cmd, u32 len);
void luna_reply_trim(struct luna_ucmd *cmd, u32 len);

/**
 * luna_reply_sized() - room for output under PKCS#11's length convention
 * Sets *@need to @len. Return: CKR_OK with *@room set to @len bytes, or to NULL for a length query
 * (@max == LUNA_OUT_QUERY: return CKR_OK to the caller without a state change);
 * CKR_BUFFER_TOO_SMALL; CKR_DEVICE_MEMORY.
 */
u32 luna_reply_sized(struct luna_ucmd *cmd, u32 len, u32 max, u32 *need, u8 **room);

/* luna_ckr() - the CKR for an errno of a provider or the store; 0 is CKR_OK */
u32 luna_ckr(int err);

/*
 * Command handlers, called by the table in cmd.c: session, init, login, ... Each file implements
 * its own; the prototypes stand in cmd.h.
 */

/* ---- token.c ---- */
static inline bool luna_token_is_ppso(const struct luna_token *t)
{
	return t->state->type == LUNA_TOKEN_PPSO;
}

u64 luna_now(const struct luna_token *token);
void luna_token_changed(struct luna_token *token);	/* steps generation */

/* ---- session.c ---- */
void luna_session_put(struct luna_session *session);
/* Ends all operations, exchanges and staging of a session; session->lock held. */
void luna_session_reset(struct luna_session *session);
bool luna_open_logged_in(const struct luna_open *open); /* as CO or CU, who see private objects */
/* Before memory of @bytes is kept for an application; false: it has too much already. */
bool luna_open_hold(struct luna_open *open, u32 bytes);
void luna_open_unhold(struct luna_open *open, u32 bytes);
/* The application changes once at most, and none that it was ends before the open file. */
static inline struct luna_app *luna_open_app(const struct luna_open *open)
{
	return smp_load_acquire(&open->app);	/* with app_join(): what it points to is there */
}

/* The role of its application: enum luna_role_id or -1. */
static inline int luna_open_role(const struct luna_open *open)
{
	return READ_ONCE(luna_open_app(open)->role);
}

static inline u32 luna_open_epoch(const struct luna_open *open)
{
	return READ_ONCE(luna_open_app(open)->login_epoch);
}

static inline int luna_session_role(const struct luna_session *session)
{
	return luna_open_role(session->open);
}

/* ---- role.c ---- */
int luna_role_index(u32 cku);		/* enum luna_role_id, or -1: CKR_USER_TYPE_INVALID */
u32 luna_role_cku(int role);		/* back; LUNA_ROLE_NONE for -1 */
/**
 * luna_login_with_sk() - give the application of @open a role by the storage key (HA login)
 * Verifies @sk by opening the token's secrets. CKR_OK, CKR_USER_ALREADY_LOGGED_IN,
 * CKR_USER_ANOTHER_ALREADY_LOGGED_IN, CKR_PIN_INCORRECT (wrong key), ...
 */
u32 luna_login_with_sk(struct luna_open *open, int role, const u8 sk[LUNA_SK_LEN]);

/* ---- policy.c ---- */
u32 luna_policy(const struct luna_token *token, u32 id);	/* value of a partition policy */
u32 luna_hsm_policy(const struct luna_token *token, u32 id);
void luna_policy_defaults(struct luna_state *state);

/* ---- state.c: luna_state <-> store record ---- */
/**
 * luna_state_save() - make token->state durable; token->lock held for writing or token private
 * On failure the caller restores what it changed. CKR_OK, CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR.
 */
u32 luna_state_save(struct luna_token *token);
/* Open and re-seal token->secrets; need the storage key. */
u32 luna_secrets_open(struct luna_token *token);
u32 luna_secrets_seal(struct luna_token *token);	/* into token->state, not yet saved */

/* ---- seal.c: AES-256-GCM under a 32-byte key; kind and context are authenticated ---- */
enum luna_seal_kind { LUNA_SEAL_SK = 1, LUNA_SEAL_SECRETS, LUNA_SEAL_OBJECT, LUNA_SEAL_HA,
		      LUNA_SEAL_CLONE, LUNA_SEAL_IMAGE };
int luna_seal(struct luna_token *token, struct luna_aes_key *key, enum luna_seal_kind kind,
	      u64 context, const u8 *plain, u32 len, u8 *sealed); /* len + LUNA_SEAL_OVERHEAD */
int luna_unseal(struct luna_token *token, struct luna_aes_key *key, enum luna_seal_kind kind,
		u64 context, const u8 *sealed, u32 len, u8 *plain);	/* -EBADMSG */
/* The same under raw key bytes. */
int luna_seal_with(struct luna_token *token, const u8 key[32], enum luna_seal_kind kind,
		   u64 context, const u8 *plain, u32 len, u8 *sealed);
int luna_unseal_with(struct luna_token *token, const u8 key[32], enum luna_seal_kind kind,
		     u64 context, const u8 *sealed, u32 len, u8 *plain);

/* ---- kdf.c ---- */
int luna_hash_once(const struct luna_crypto_ops *c, enum luna_hash h, const void *data, size_t len,
		   u8 *digest);
int luna_mac_once(const struct luna_crypto_ops *c, enum luna_mac_kind kind, const u8 *key,
		  size_t key_len, const void *data, size_t len, u8 *mac);
/* One message in @count parts, in heap memory, under a prepared key. */
int luna_mac_parts(const struct luna_crypto_ops *c, struct luna_mac_key *key,
		   const struct luna_num *parts, u32 count, u8 *mac);
u32 luna_mac_len(enum luna_mac_kind kind);	/* of one that the provider has */
int luna_pbkdf2(const struct luna_crypto_ops *c, enum luna_hash h, const u8 *pin, size_t pin_len,
		const u8 *salt, size_t salt_len, u32 iterations, u8 *out, size_t out_len);
/* Both halves of luna_hkdf(). No salt: as many zero bytes as the hash has. */
int luna_hkdf_extract(const struct luna_crypto_ops *c, enum luna_hash h, const struct luna_num *ikm,
		      const struct luna_num *salt, u8 *prk);
int luna_hkdf_expand(const struct luna_crypto_ops *c, enum luna_hash h, const struct luna_num *prk,
		     const struct luna_num *info, u8 *out, size_t out_len);
int luna_hkdf(const struct luna_crypto_ops *c, enum luna_hash h, const u8 *ikm, size_t ikm_len,
	      const u8 *salt, size_t salt_len, const u8 *info, size_t info_len, u8 *out,
	      size_t out_len);	/* RFC 5869 */
u32 luna_hash_len(enum luna_hash h);
u32 luna_crc32(const void *data, size_t len);	/* IEEE 802.3 */

#endif /* LUNA_TOKEN_TOKEN_H */
