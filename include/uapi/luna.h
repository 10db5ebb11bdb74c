/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR MIT */
/*
 * The ABI of a luna token device: /dev/lunaN of luna.ko, or a file of a luna-fuse mount.
 *
 * One open file is one application in the sense of PKCS#11: sessions, operations, session objects
 * and the login belong to it and end with it. Open files may share a login by an application id
 * (LUNA_APP_ID). One device is one slot with its token.
 */
#ifndef _UAPI_LUNA_H
#define _UAPI_LUNA_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General format of a command
 *
 * Every command is one ioctl whose argument is one flat buffer, used for the request and for the
 * reply::
 *
 *	struct luna_<command>	starts with struct luna_hdr; hdr.size bytes as the caller knows it
 *	payload			hdr.in_len bytes in the request, hdr.out_len bytes in the reply
 *
 * The ioctl number is LUNA_IOC(command, len) with len the size of the whole buffer, which must hold
 * the request and offers room for the reply. There are no pointers, no longs and no implicit
 * padding, so that 32-bit and 64-bit callers and FUSE (which copies exactly len bytes) see the same
 * layout. Integers are in the byte order of the machine.
 *
 * Structs grow at the end. The device zero-extends a shorter struct and refuses a longer one unless
 * what it does not know is zero. Reserved fields and unknown flags must be zero.
 *
 * The ioctl returns 0 when the command was carried; hdr.rv then holds the PKCS#11 return value, and
 * everything after hdr.out_len is undefined. An errno says that the command was not carried:
 *
 * ENOTTY	no such command
 * EINVAL	the buffer, hdr.size or hdr.in_len does not fit the command; a reserved field is set
 * E2BIG	the struct has a tail that this device does not know and that is not zero
 * EFAULT	the buffer is not readable and writable
 * ENOMEM	no memory to carry the command
 * ENODEV	the slot has gone
 * EINTR	the caller was killed while waiting
 *
 * Payload longer than one buffer: a request is sent ahead in pieces with LUNA_DATA_PUT, and the
 * command carries LUNA_F_STAGED; what a reply could not hold (hdr.more bytes) is fetched with
 * LUNA_DATA_GET. Both need a session, and another command on that session discards what waits.
 *
 * Output that the PKCS#11 caller may size: the commands that return data have out_max, the size of
 * the caller's buffer, or LUNA_OUT_QUERY for a length query; out_need always returns the length. A
 * short out_max gives CKR_BUFFER_TOO_SMALL. Neither that nor a query changes any state.
 */

#define LUNA_ABI_VERSION	1

#define LUNA_IOC_MAGIC		0xDA
#define LUNA_IOC(nr, len)	_IOC(_IOC_READ | _IOC_WRITE, LUNA_IOC_MAGIC, (nr), (len))

/* The largest buffer of one command; fits the size field of every architecture that has 14 bits. */
#define LUNA_IOC_MAX		16376

/*
 * Longer buffers, where the device has LUNA_FEATURE_LONG (FUSE cannot): len is a multiple of 8,
 * and the number carries an eighth of it. Otherwise the same.
 */
#define LUNA_IOC_MAGIC_LONG	0xDC
#define LUNA_IOC_LONG(nr, len)						\
	_IOC(_IOC_READ | _IOC_WRITE, LUNA_IOC_MAGIC_LONG, (nr), (len) / 8)
#define LUNA_IOC_LONG_MAX	18432

/* The most payload that LUNA_DATA_PUT collects for one command. A reply may leave more. */
#define LUNA_STAGE_MAX		(2u << 20)

/* The data that one LUNA_OP carries at most; leaves room for struct, parameter and signature. */
#define LUNA_OP_DATA_MAX	14336
#define LUNA_OP_DATA_LONG_MAX	16384	/* in a buffer of LUNA_IOC_LONG_MAX bytes */

/* out_max of a length query. */
#define LUNA_OUT_QUERY		0xffffffffu

/* param_len of a mechanism parameter whose shape does not fit its mechanism. */
#define LUNA_PARAM_MALFORMED	0xffffffffu

/* hdr.flags */
#define LUNA_F_STAGED		0x1	/* the session's staged bytes come before the payload */

/**
 * enum luna_command - command numbers; each comment names the struct and who may call it
 * "open": any open file; "session": a session of this open file; roles as the command says.
 */
enum luna_command {
	LUNA_GET_INFO		= 0,	/* luna_info; open. What this device is and can carry */
	LUNA_RESET		= 1,	/* luna_hdr; open. C_Finalize: end all sessions and login */
	LUNA_SLOT_INFO		= 2,	/* luna_slot_info; open. CK_SLOT_INFO and CK_TOKEN_INFO */
	LUNA_MECH_LIST		= 3,	/* luna_mech_list; open. All mechanisms with their info */
	LUNA_DATA_PUT		= 4,	/* luna_data; session. Stage payload for the next command */
	LUNA_DATA_GET		= 5,	/* luna_data; session. Fetch the rest of the last reply */
	LUNA_RANDOM		= 6,	/* luna_random; session. C_GenerateRandom */
	LUNA_SEED		= 7,	/* luna_hdr, payload: seed; session. C_SeedRandom */

	LUNA_SESSION_OPEN	= 8,	/* luna_session_info; open */
	LUNA_SESSION_CLOSE	= 9,	/* luna_hdr; session */
	LUNA_SESSION_CLOSE_ALL	= 10,	/* luna_hdr; open */
	LUNA_SESSION_INFO	= 11,	/* luna_session_info; session */
	LUNA_PROVIDER_LIST	= 12,	/* luna_provider_list; open. Who computes which algorithm */
	LUNA_APP_ID		= 13,	/* luna_app_id; open. Share a login; keep it; end it */

	LUNA_INIT_TOKEN		= 16,	/* luna_init_token; open, no session open anywhere */
	LUNA_INIT_PIN		= 17,	/* luna_pin; session. SO: CO (PIN set or reset); CO: CU */
	LUNA_SET_PIN		= 18,	/* luna_pin; session. The role logged in, or public: CO */
	LUNA_LOGIN		= 19,	/* luna_pin; session */
	LUNA_LOGOUT		= 20,	/* luna_hdr; session, logged in */
	LUNA_ROLE_STATE		= 21,	/* luna_role_state; open. CA_RoleStateGet */
	LUNA_POLICY_LIST	= 22,	/* luna_policy_list; open */
	LUNA_POLICY_SET		= 23,	/* luna_policy_set; session, partition SO */
	LUNA_SET_DOMAIN		= 24,	/* luna_hdr, payload: domain; session, SO. CA_SetKCV */

	LUNA_OBJECT_CREATE	= 32,	/* luna_object_arg, payload: template; session */
	LUNA_OBJECT_COPY	= 33,	/* luna_object_arg, payload: template; session */
	LUNA_OBJECT_DESTROY	= 34,	/* luna_object_arg; session */
	LUNA_OBJECT_SIZE	= 35,	/* luna_object_arg; session. C_GetObjectSize */
	LUNA_ATTR_GET		= 36,	/* luna_object_arg, payload: luna_attr list; session */
	LUNA_ATTR_SET		= 37,	/* luna_object_arg, payload: template; session */
	LUNA_FIND		= 38,	/* luna_find, payload: template; session */

	LUNA_OP			= 48,	/* luna_op; session. En/decrypt, digest, sign, verify */
	LUNA_GENERATE_KEY	= 49,	/* luna_key; session */
	LUNA_GENERATE_PAIR	= 50,	/* luna_key; session */
	LUNA_WRAP		= 51,	/* luna_key; session */
	LUNA_UNWRAP		= 52,	/* luna_key; session */
	LUNA_DERIVE		= 53,	/* luna_key; session */
	LUNA_MESSAGE		= 54,	/* luna_message; session. C_EncryptMessage and the like */

	LUNA_CLONE_SOURCE_INIT	= 64,	/* luna_blob -> TWC; session, CO */
	LUNA_CLONE_TARGET_INIT	= 65,	/* luna_blob, TWC -> Part1; session, CO */
	LUNA_CLONE_SOURCE	= 66,	/* luna_blob, Part1 -> Part2; session, CO */
	LUNA_CLONE_TARGET	= 67,	/* luna_blob, Part2 -> handle; session, CO */

	LUNA_HA_INIT		= 72,	/* luna_blob, login key; session, CO (legacy: or CU) */
	LUNA_HA_MASTER_PUBLIC	= 73,	/* luna_blob -> TWC; open */
	LUNA_HA_CHALLENGE	= 74,	/* luna_blob, TWC -> challenge; public session */
	LUNA_HA_ANSWER		= 75,	/* luna_blob, challenge -> answer; session, key's owner */
	LUNA_HA_LOGIN		= 76,	/* luna_blob, answer -> M of N challenge; session of 74 */
	LUNA_HA_MOFN_ANSWER	= 77,	/* luna_blob, M of N challenge -> masked secret; session */
	LUNA_HA_MOFN_ACTIVATE	= 78,	/* luna_blob, masked secret; session logged in by 76 */

	LUNA_MOFN_GENERATE	= 80,	/* luna_mofn; session, CO or SO */
	LUNA_MOFN_ACTIVATE	= 81,	/* luna_mofn; session */
	LUNA_MOFN_DEACTIVATE	= 82,	/* luna_hdr; session */
	LUNA_MOFN_STATUS	= 83,	/* luna_mofn_status; open */

	LUNA_IMAGE_EXPORT	= 88,	/* luna_image_arg; session, CO. Take an image */
	LUNA_IMAGE_GET		= 89,	/* luna_data; open. Fetch a piece of it */
	LUNA_IMAGE_PUT		= 90,	/* luna_data, payload: a piece of an image; open */
	LUNA_IMAGE_RESTORE	= 91,	/* luna_image_arg; open, no session open anywhere */

	LUNA_COMMANDS		= 92
};

/**
 * struct luna_hdr - starts the struct of every command
 * @size: in: size of the command's struct as the caller knows it, a multiple of 8
 * @in_len: in: bytes of payload behind the struct
 * @out_len: out: bytes of payload behind the struct
 * @more: out: bytes of payload that did not fit and wait for LUNA_DATA_GET
 * @rv: out: PKCS#11 return value (CKR_*) of the command
 * @flags: in: LUNA_F_*
 * @session: in: session handle, 0 where the command needs none
 * @reserved: must be 0
 * @generation: out: counts everything on this token that could make a command, which succeeded
 *	before in this open file, fail now: a key changed or destroyed by anyone, a login or logout
 *	of this application, a policy change. As long as it stays the same, a key and mechanism
 *	that were accepted are accepted again.
 */
struct luna_hdr {
	__u32 size;
	__u32 in_len;
	__u32 out_len;
	__u32 more;
	__u32 rv;
	__u32 flags;
	__u32 session;
	__u32 reserved;
	__aligned_u64 generation;
};

/**
 * struct luna_info - LUNA_GET_INFO
 * @abi: LUNA_ABI_VERSION of the device
 * @features: LUNA_FEATURE_*
 * @ioc_max: largest buffer of LUNA_IOC() that it takes
 * @stage_max: most bytes that LUNA_DATA_PUT collects
 * @sessions_max: most sessions of one open file
 * @slot: number of the slot on this host
 * @firmware: version that the product would report: major, minor, sub-minor in the low bytes
 * @provider: who computes, NUL-terminated ("openssl 3.0.19", "kernel", ...)
 * @host: what hosts the engine, NUL-terminated ("luna-fuse 0.1", "luna.ko 0.1")
 */
struct luna_info {
	struct luna_hdr hdr;
	__u32 abi;
	__u32 features;
	__u32 ioc_max;
	__u32 stage_max;
	__u32 sessions_max;
	__u32 slot;
	__u8 firmware[4];
	__u32 reserved;
	__u8 provider[64];
	__u8 host[32];
};

#define LUNA_FEATURE_PERSISTENT	0x1	/* token objects survive a restart of the device */
#define LUNA_FEATURE_IMAGES	0x2	/* LUNA_IMAGE_* */
#define LUNA_FEATURE_LONG	0x4	/* LUNA_IOC_LONG() */
#define LUNA_FEATURE_MESSAGES	0x8	/* LUNA_MESSAGE and its kinds of operation */

/**
 * struct luna_slot_info - LUNA_SLOT_INFO: what CK_SLOT_INFO and CK_TOKEN_INFO need
 * All counts are (__u32)-1 where the standard says CK_UNAVAILABLE_INFORMATION; texts are padded
 * with blanks, as in the standard's structs.
 */
struct luna_slot_info {
	struct luna_hdr hdr;
	__u8 slot_description[64];
	__u8 manufacturer[32];
	__u32 slot_flags;
	__u8 hardware_version[2];
	__u8 firmware_version[2];
	__u8 label[32];
	__u8 model[16];
	__u8 serial[16];
	__u32 token_flags;
	__u32 max_sessions;
	__u32 sessions;
	__u32 max_rw_sessions;
	__u32 rw_sessions;
	__u32 max_pin_len;
	__u32 min_pin_len;
	__u32 total_public_memory;
	__u32 free_public_memory;
	__u32 total_private_memory;
	__u32 free_private_memory;
	__u32 objects;
	__u8 utc_time[16];
	__u32 token_type;	/* LUNA_TOKEN_* */
	__u32 container;	/* partition number, as CA_GetUserContainerNumber reports it */
	__aligned_u64 used_bytes;
};

#define LUNA_TOKEN_PPSO		0
#define LUNA_TOKEN_LEGACY	1

/* One row of LUNA_MECH_LIST's payload. */
struct luna_mech_info {
	__u32 type;
	__u32 min_key_size;
	__u32 max_key_size;
	__u32 flags;
};

/**
 * struct luna_mech_list - LUNA_MECH_LIST
 * @count: out: rows of struct luna_mech_info in the payload
 */
struct luna_mech_list {
	struct luna_hdr hdr;
	__u32 count;
	__u32 reserved;
};

/**
 * struct luna_provider - one row of LUNA_PROVIDER_LIST's payload; texts are NUL-terminated
 * @algorithm: "AES-CBC", "SHA-256", "HMAC-SHA-256", "RSA", "random", ...
 * @provider: who computes it: "kernel", "openssl 3.0.19", "kcapi 1.4.0", "engine", ...
 * @implementation: which one of its, as far as it tells ("cbc-aes-aesni"), or ""
 */
struct luna_provider {
	__u8 algorithm[32];
	__u8 provider[32];
	__u8 implementation[128];
};

/**
 * struct luna_provider_list - LUNA_PROVIDER_LIST; for people: mechanisms are in LUNA_MECH_LIST
 * @count: out: rows of struct luna_provider in the payload, or needed (CKR_BUFFER_TOO_SMALL)
 */
struct luna_provider_list {
	struct luna_hdr hdr;
	__u32 count;
	__u32 reserved;
};

/**
 * struct luna_data - LUNA_DATA_PUT, LUNA_DATA_GET
 * @offset: where the piece stands: for PUT the bytes staged so far (0 starts anew), for GET the
 *	bytes of the remainder fetched so far
 * @length: GET: bytes wanted
 *
 * CKR_ARGUMENTS_BAD if @offset does not fit, CKR_DEVICE_MEMORY beyond LUNA_STAGE_MAX.
 */
struct luna_data {
	struct luna_hdr hdr;
	__u32 offset;
	__u32 length;
};

struct luna_random {
	struct luna_hdr hdr;
	__u32 length;		/* bytes wanted, as far as the buffer holds them */
	__u32 reserved;
};

/**
 * struct luna_session_info - LUNA_SESSION_OPEN, LUNA_SESSION_INFO
 * @flags: CKF_RW_SESSION and others of C_OpenSession, in for OPEN, out for INFO
 * @state: out: CKS_*
 * @handle: out: the session opened
 * @role: out: CKU_* logged in, or LUNA_ROLE_NONE
 * @container: out: partition number
 */
struct luna_session_info {
	struct luna_hdr hdr;
	__u32 flags;
	__u32 state;
	__u32 handle;
	__u32 role;
	__u32 container;
	__u32 reserved;
};

#define LUNA_ROLE_NONE		0xffffffffu

#define LUNA_APP_ID_LEN		16	/* bytes of luna_app_id.id */

/**
 * struct luna_app_id - LUNA_APP_ID: application ids, by which open files share a login
 * @step: LUNA_APP_*
 * @id: any bytes; whoever knows them may join. CA_SetApplicationID's two halves are big-endian in
 *	the first 8 bytes, and zeros follow
 *
 * All open files that joined an id are one application as far as its login goes: a role that logs
 * in or out in one of them does so in all; the login ends with the last session of all. Sessions,
 * operations and session objects, private ones included, are not shared. An id belongs to the user
 * who uses it first: other users with the same id share nothing with him, unless he is root and
 * keeps it open.
 *
 * JOIN, once and before the file has a session: CKR_SESSION_EXISTS; CKR_OPERATION_NOT_ALLOWED: it
 * has joined another id.
 *
 * OPEN keeps the id's login, present or future, when the last session ends, until CLOSE, a logout,
 * the end of the device or of the partition. The file need not have joined.
 * CKR_ACCESS_ID_ALREADY_EXISTS: it is open; CKR_DEVICE_MEMORY: too many are, and somebody is
 * logged in to each (one that nobody is logged in to, or has a file open in, gives way).
 *
 * CLOSE ends that, the login and all sessions of the id. CKR_ACCESS_ID_INVALID: the id is not open
 * and has no sessions; CKR_USER_NOT_AUTHORIZED: it is root's.
 */
struct luna_app_id {
	struct luna_hdr hdr;
	__u32 step;
	__u32 reserved;
	__u8 id[16];
};

#define LUNA_APP_JOIN		1
#define LUNA_APP_OPEN		2
#define LUNA_APP_CLOSE		3

/**
 * struct luna_init_token - LUNA_INIT_TOKEN; payload: SO PIN, domain, policies of HSM, of partition
 * @pin_len: bytes of the SO PIN
 * @domain_len: bytes of the cloning domain string; 0: the token gets no domain
 * @type: LUNA_TOKEN_PPSO or LUNA_TOKEN_LEGACY
 * @flags: LUNA_INIT_MOFN: the token requires M of N (CA_SetMofN)
 * @label: padded with blanks
 * @hsm_policies, @policies: pairs of __u32 id and value that differ from the defaults
 *
 * An initialised token demands its SO PIN (CKR_PIN_INCORRECT), and no session may be open on it
 * (CKR_SESSION_EXISTS). All objects and roles of it end.
 */
struct luna_init_token {
	struct luna_hdr hdr;
	__u32 pin_len;
	__u32 domain_len;
	__u32 type;
	__u32 flags;
	__u8 label[32];
	__u32 hsm_policies;
	__u32 policies;
};

#define LUNA_INIT_MOFN		0x1

/**
 * struct luna_pin - LUNA_INIT_PIN, LUNA_SET_PIN, LUNA_LOGIN; payload: PIN, for SET_PIN old then new
 * @role: CKU_* (SET_PIN: ignored, must be 0)
 * @pin_len: bytes of the PIN, or of the old PIN
 * @new_len: SET_PIN: bytes of the new PIN
 */
struct luna_pin {
	struct luna_hdr hdr;
	__u32 role;
	__u32 pin_len;
	__u32 new_len;
	__u32 reserved;
};

/**
 * struct luna_role_state - LUNA_ROLE_STATE
 * @role: in: CKU_*
 * @flags: out: CAF_ROLE_STATE_*
 * @attempts_left: out: login attempts before the lock
 * @auth: out: primary and secondary mechanism, CA_AUTH_* (0 none, 1 password)
 */
struct luna_role_state {
	struct luna_hdr hdr;
	__u32 role;
	__u32 flags;
	__u32 attempts_left;
	__u8 auth[4];
};

/* One row of LUNA_POLICY_LIST's payload. */
struct luna_policy {
	__u32 id;
	__u32 capability;	/* highest value that the device allows */
	__u32 value;
	__u32 bits;		/* width of the value */
	__u32 flags;		/* LUNA_POLICY_* */
	__u8 name[60];		/* NUL-terminated description */
};

#define LUNA_POLICY_OFF_TO_ON_DESTRUCTIVE	0x1
#define LUNA_POLICY_ON_TO_OFF_DESTRUCTIVE	0x2
#define LUNA_POLICY_WRITE_RESTRICTED		0x4	/* never to be changed by a role */
#define LUNA_POLICY_CAPABILITY_ONLY		0x8	/* has a capability but no policy */

#define LUNA_SCOPE_HSM		0
#define LUNA_SCOPE_PARTITION	1

/**
 * struct luna_policy_list - LUNA_POLICY_LIST
 * @scope: in: LUNA_SCOPE_*
 * @count: out: rows of struct luna_policy in the payload
 */
struct luna_policy_list {
	struct luna_hdr hdr;
	__u32 scope;
	__u32 count;
};

/**
 * struct luna_policy_set - LUNA_POLICY_SET; payload: @count pairs of __u32: id, value
 * @flags: LUNA_POLICY_SET_DESTRUCTIVE: a change that erases the partition's objects is wanted;
 *	without it such a change is refused
 *
 * All pairs are checked, then all are applied, or none.
 */
struct luna_policy_set {
	struct luna_hdr hdr;
	__u32 scope;
	__u32 count;
	__u32 flags;
	__u32 reserved;
};

#define LUNA_POLICY_SET_DESTRUCTIVE	0x1

/**
 * struct luna_attr - one attribute in a payload, followed by its value, padded with zeros to 8
 * bytes
 * @type: CKA_*
 * @len: bytes of the value without padding; LUNA_ATTR_UNAVAILABLE in a reply that has none. In the
 *	request of LUNA_ATTR_GET: the caller's buffer size, or LUNA_OUT_QUERY, and no value follows.
 *
 * Values of type CK_ULONG travel as __u64, CK_ULONG arrays as __u64 arrays, CK_BBOOL as one byte,
 * templates as nested luna_attr lists, everything else as the standard's bytes.
 */
struct luna_attr {
	__u32 type;
	__u32 len;
};

#define LUNA_ATTR_UNAVAILABLE	0xffffffffu

/**
 * struct luna_object_arg - LUNA_OBJECT_* and LUNA_ATTR_*
 * @handle: in: the object; out: the object made by CREATE and COPY
 * @template_len: in: bytes of the template, or of the luna_attr list, in the payload
 * @size: out: LUNA_OBJECT_SIZE: bytes that the object takes in the store
 *
 * ATTR_GET answers every attribute in the order asked, in one go; hdr.rv is CKR_OK or the code that
 * the standard gives for the attributes that could not be returned.
 */
struct luna_object_arg {
	struct luna_hdr hdr;
	__u32 handle;
	__u32 template_len;
	__u32 size;
	__u32 reserved;
};

/**
 * struct luna_find - LUNA_FIND: the handles of matching objects in ascending order
 * @after: in: only handles above this one; 0 starts a search
 * @max: in: most handles wanted
 * @template_len: in: bytes of the template in the payload
 * @count: out: handles in the payload, __u32 each
 * @complete: out: 1 if nothing matches beyond the last handle returned
 *
 * The device keeps no search: the caller sends the template again with the last handle.
 */
struct luna_find {
	struct luna_hdr hdr;
	__u32 after;
	__u32 max;
	__u32 template_len;
	__u32 count;
	__u32 complete;
	__u32 reserved;
};

/* luna_op.op */
enum luna_op_kind {
	LUNA_OP_ENCRYPT		= 0,
	LUNA_OP_DECRYPT		= 1,
	LUNA_OP_DIGEST		= 2,
	LUNA_OP_SIGN		= 3,
	LUNA_OP_VERIFY		= 4,
	LUNA_OP_SIGN_RECOVER	= 5,
	LUNA_OP_VERIFY_RECOVER	= 6,
	/* Of messages (PKCS#11 v3.0): with LUNA_OP only INIT, FINAL and CANCEL; see LUNA_MESSAGE */
	LUNA_OP_MESSAGE_ENCRYPT	= 7,
	LUNA_OP_MESSAGE_DECRYPT	= 8,
	LUNA_OP_MESSAGE_SIGN	= 9,
	LUNA_OP_MESSAGE_VERIFY	= 10,
	LUNA_OP_KINDS		= 11
};

/* luna_op.step, where INIT may stand together with one of the others, and luna_message.step. */
#define LUNA_STEP_INIT		0x01	/* C_xxxInit */
#define LUNA_STEP_ONESHOT	0x02	/* C_xxx, or a piece of it: see @offset */
#define LUNA_STEP_UPDATE	0x04	/* C_xxxUpdate */
#define LUNA_STEP_FINAL		0x08	/* C_xxxFinal */
#define LUNA_STEP_KEY		0x10	/* C_DigestKey: @key */
#define LUNA_STEP_CANCEL	0x20	/* end the operation, if one is active */
#define LUNA_STEP_BEGIN		0x40	/* C_xxxMessageBegin; LUNA_MESSAGE only */

/**
 * struct luna_op - LUNA_OP; payload: mechanism parameter, data, signature
 * @op: enum luna_op_kind
 * @step: LUNA_STEP_*
 * @mechanism: INIT: CKM_*
 * @key: INIT, KEY: object handle of the key
 * @param_len: INIT: bytes of the parameter in the payload (see struct luna_gcm_param and others)
 * @data_len: ONESHOT, UPDATE: bytes of data in the payload
 * @sig_len: VERIFY, with ONESHOT's last piece or FINAL: bytes of the signature in the payload
 * @offset: ONESHOT: where this piece of the data stands; pieces come in order, first 0
 * @total: ONESHOT: bytes of all data of the call; a call in one piece has total = data_len
 * @out_max: the caller's buffer size for the whole call's output, or LUNA_OUT_QUERY
 * @out_need: out: bytes produced by this step, or needed (CKR_BUFFER_TOO_SMALL, query)
 *
 * A query carries no data: @total (ONESHOT) or @data_len (UPDATE, with an empty payload) tell how
 * much would come. A failed INIT leaves no operation; with INIT and another step in one command the
 * return value is that of the first that fails. The first piece of a ONESHOT checks @total and
 * @out_max, so that a call in pieces fails before it consumed anything.
 */
struct luna_op {
	struct luna_hdr hdr;
	__u32 op;
	__u32 step;
	__u32 mechanism;
	__u32 key;
	__u32 param_len;
	__u32 data_len;
	__u32 sig_len;
	__u32 out_max;
	__u32 out_need;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 total;
};

/**
 * struct luna_message - LUNA_MESSAGE: a message, or a part of one, of an operation that an INIT of
 * LUNA_OP began; payload: message parameter, data, then the tag (decryption) or the signature
 * @op: LUNA_OP_MESSAGE_*
 * @step: ONESHOT: a whole message, or a piece of it, as for luna_op; BEGIN: start one that comes in
 *	parts; UPDATE: a part; FINAL: the last part; CANCEL: drop the message, if there is one
 * @param_len: BEGIN, first piece of ONESHOT: bytes of the message's parameter. En- and decryption:
 *	struct luna_gcm_param with IV and AAD, iv_len not 0. Sign, verify: none
 * @data_len: ONESHOT, UPDATE, FINAL: bytes of data in the payload
 * @sig_len: with ONESHOT's last piece or FINAL. Verify: bytes of the signature; decryption: of
 *	the tag; encryption: bytes of tag that the caller expects, none of which is in the payload.
 *	A tag is as long as the parameter said: CKR_MECHANISM_PARAM_INVALID
 * @generator: encryption, with the parameter: CKG_*: where the IV comes from
 * @fixed_bits: with a @generator: leading bits of the parameter's IV that the token keeps
 * @out_max: the caller's buffer size for the text (ONESHOT: of the whole call), or LUNA_OUT_QUERY
 * @out_need: out: bytes of text or signature produced by this step, or needed
 * @reserved: must be 0
 * @offset, @total: ONESHOT: as for luna_op
 * @iv: out: with CKR_OK, at the step that brought the parameter: the IV that the token made
 * @tag: out: encryption: the tag, with CKR_OK, at the end of a message
 *
 * INIT by LUNA_OP takes the mechanism parameter of signatures, which is used for every message;
 * that of AES-GCM is empty, since each message has its own. FINAL by LUNA_OP ends the operation,
 * unless a message has begun and is not complete (CKR_OPERATION_ACTIVE); CANCEL ends it always.
 *
 * IVs. CKG_NO_GENERATE: the caller's, as it is. Otherwise the token makes the bits behind
 * @fixed_bits: CKG_GENERATE_COUNTER counts messages from 0; CKG_GENERATE_COUNTER_XOR does so and
 * adds (xor) the bits that the first message brought; CKG_GENERATE_RANDOM draws them for every
 * message; CKG_GENERATE draws them once and counts on. IVs to be made have at most
 * LUNA_MESSAGE_IV_MAX bytes, and 64 bits or more to be drawn. The first message of an operation
 * decides on generator, length, @fixed_bits and these bits themselves: CKR_MECHANISM_PARAM_INVALID
 * for another one with others.
 * When the token could not go on without coming to an IV again, or with random ones the chance of
 * that would exceed 2^-32, the operation makes no more: CKR_TOKEN_RESOURCE_EXCEEDED. A query or
 * CKR_BUFFER_TOO_SMALL uses up none.
 *
 * A failed step ends its message, not the operation; CKR_BUFFER_TOO_SMALL and queries end neither.
 * Decryption keeps back all parts until the tag is found right (else CKR_AEAD_DECRYPT_FAILED).
 * CKR_OPERATION_NOT_INITIALIZED: no INIT, or a part without BEGIN; CKR_OPERATION_ACTIVE: a message
 * begins before the last one was complete; CKR_FUNCTION_NOT_SUPPORTED: BEGIN with a mechanism that
 * takes no parts; CKR_USER_NOT_LOGGED_IN: the key wants a CKU_CONTEXT_SPECIFIC login for each.
 */
struct luna_message {
	struct luna_hdr hdr;
	__u32 op;
	__u32 step;
	__u32 param_len;
	__u32 data_len;
	__u32 sig_len;
	__u32 generator;
	__u32 fixed_bits;
	__u32 out_max;
	__u32 out_need;
	__u32 reserved;
	__aligned_u64 offset;
	__aligned_u64 total;
	__u8 iv[32];
	__u8 tag[16];
};

#define LUNA_MESSAGE_IV_MAX	32

/**
 * struct luna_key - LUNA_GENERATE_KEY/PAIR, LUNA_WRAP/UNWRAP, LUNA_DERIVE
 * Payload: parameter, first template (secret, public, unwrapped or derived key), second template
 * (private key), data (wrapped key).
 * @mechanism: CKM_*
 * @param_len: bytes of the parameter
 * @key: WRAP, UNWRAP: the (un)wrapping key; DERIVE: the base key
 * @target: WRAP: the key to be wrapped
 * @template_len: bytes of the first template
 * @template2_len: GENERATE_PAIR: bytes of the private key's template
 * @data_len: UNWRAP: bytes of the wrapped key
 * @out_max: WRAP: the caller's buffer size or LUNA_OUT_QUERY
 * @out_need: out: WRAP: bytes of the wrapped key
 * @handle: out: the new object (GENERATE_PAIR: the public key)
 * @handle2: out: GENERATE_PAIR: the private key
 */
struct luna_key {
	struct luna_hdr hdr;
	__u32 mechanism;
	__u32 param_len;
	__u32 key;
	__u32 target;
	__u32 template_len;
	__u32 template2_len;
	__u32 data_len;
	__u32 out_max;
	__u32 out_need;
	__u32 handle;
	__u32 handle2;
	__u32 reserved;
};

/*
 * Mechanism parameters as they travel. CBC, KW and KWP: the raw IV. Mechanisms without a parameter:
 * nothing. MAC_GENERAL: struct luna_mac_param. CONCATENATE_*_DATA_*, XOR_BASE_AND_DATA,
 * AES_ECB_ENCRYPT_DATA: the data, at least a byte; AES_CBC_ENCRYPT_DATA: 16 bytes of IV and the
 * data. The rest:
 */

/* CKM_AES_CTR; CKM_DES3_CTR: the last 8 bytes of cb are zero */
struct luna_ctr_param {
	__u32 counter_bits;
	__u32 reserved;
	__u8 cb[16];
};

/*
 * CKM_AES_GCM; followed by iv_len bytes of IV and aad_len bytes of AAD. iv_len 0: the token draws
 * it. CKM_AES_GMAC: with an IV, and without AAD, which is what is signed.
 */
struct luna_gcm_param {
	__u32 iv_len;
	__u32 iv_bits;
	__u32 aad_len;
	__u32 tag_bits;
};

/*
 * CKM_AES_XTS: the number of the data unit, the lowest byte first; and for a key that is no
 * CKK_AES_XTS the object handle of the AES key for the tweak, else 0.
 */
struct luna_xts_param {
	__u32 tweak_key;
	__u32 reserved;
	__u8 unit[16];
};

/* CKM_RSA_PKCS_OAEP; followed by source_len bytes of label */
struct luna_oaep_param {
	__u32 hash;
	__u32 mgf;
	__u32 source;
	__u32 source_len;
};

/* CKM_RSA_AES_KEY_WRAP; followed by struct luna_oaep_param and its label */
struct luna_rsa_aes_param {
	__u32 aes_bits;
	__u32 reserved;
};

/* CKM_*_RSA_PKCS_PSS */
struct luna_pss_param {
	__u32 hash;
	__u32 mgf;
	__u32 salt_len;
	__u32 reserved;
};

/* CKM_*_HMAC_GENERAL, CKM_*_CMAC_GENERAL, CKM_DES3_MAC_GENERAL; CKM_SHAKE_*: of the digest */
struct luna_mac_param {
	__u32 mac_len;
	__u32 reserved;
};

/* CKM_CONCATENATE_BASE_AND_KEY: the other key's object handle */
struct luna_key_param {
	__u32 key;
	__u32 reserved;
};

/* CKM_EXTRACT_KEY_FROM_KEY: the first bit, counted from the highest of the first byte */
struct luna_extract_param {
	__u32 bit;
	__u32 reserved;
};

/*
 * CKM_PKCS5_PBKD2; followed by salt_len bytes of salt and password_len of password. A key of n
 * bytes costs iterations times as many HMACs as it takes hashes to fill n bytes; more than
 * LUNA_PBKD2_WORK of them are refused (CKR_MECHANISM_PARAM_INVALID), so that no call takes longer
 * than some seconds.
 */
struct luna_pbkd2_param {
	__u32 salt_source;	/* CKZ_SALT_SPECIFIED */
	__u32 prf;		/* CKP_PKCS5_PBKD2_HMAC_* */
	__u32 iterations;
	__u32 salt_len;
	__u32 password_len;
	__u32 prf_data_len;	/* 0: no function takes any */
};

#define LUNA_PBKD2_WORK		10000000

/* CKM_HKDF_DERIVE, CKM_HKDF_DATA; followed by salt_len bytes of salt and info_len of info */
struct luna_hkdf_param {
	__u32 flags;		/* LUNA_HKDF_* */
	__u32 hash;		/* CKM_* */
	__u32 salt_type;	/* CKF_HKDF_SALT_* */
	__u32 salt_key;		/* CKF_HKDF_SALT_KEY: object handle */
	__u32 salt_len;
	__u32 info_len;
};

#define LUNA_HKDF_EXTRACT	0x1
#define LUNA_HKDF_EXPAND	0x2

/*
 * CKM_SP800_108_*_KDF; followed by iv_len bytes of IV (FEEDBACK) and count fields, the input of the
 * pseudo-random function in its order, each struct luna_prf_field and its len bytes
 */
struct luna_sp800_108_param {
	__u32 prf;		/* CKM_*_HMAC, CKM_AES_CMAC */
	__u32 count;
	__u32 iv_len;
	__u32 reserved;
};

struct luna_prf_field {
	__u32 type;		/* CK_SP800_108_* */
	__u32 bits;		/* of a number */
	__u32 method;		/* DKM_LENGTH: CK_SP800_108_DKM_LENGTH_SUM_OF_* */
	__u32 flags;		/* LUNA_PRF_* */
	__u32 len;		/* BYTE_ARRAY: bytes that follow */
	__u32 reserved;
};

#define LUNA_PRF_LITTLE_ENDIAN	0x1	/* of a number */

/* CKM_PRF_KDF, CKM_NIST_PRF_KDF; followed by label_len bytes of label and context_len of context */
struct luna_prf_kdf_param {
	__u32 prf;		/* CK_NIST_PRF_KDF_* */
	__u32 scheme;		/* LUNA_PRF_KDF_ENCODING_SCHEME_* */
	__u32 counter;		/* of the first block */
	__u32 label_len;
	__u32 context_len;
	__u32 reserved;
};

/**
 * struct luna_ecdh_param - CKM_ECDH1_DERIVE, CKM_ECDH1_COFACTOR_DERIVE; followed by shared_len
 * bytes of shared data, then public_len bytes: the other side's public point
 * @kdf: CKD_NULL (no shared data then), ANSI X9.63's (CKD_SHA256_KDF, CKD_SHA256_KDF_OLD, ...) or
 *	SP 800-56A's (CKD_SHA256_KDF_SP800, CKD_SHA256_NIST_KDF, ...), with every hash
 *
 * The point is a DER OCTET STRING, as CKA_EC_POINT, or what that holds. One that is not on the
 * curve, or whose secret would be zero: CKR_MECHANISM_PARAM_INVALID.
 */
struct luna_ecdh_param {
	__u32 kdf;
	__u32 shared_len;
	__u32 public_len;
	__u32 reserved;
};

/**
 * struct luna_eddsa_param - CKM_EDDSA; followed by context_len bytes of context
 * @prehash: phFlag, 0 or 1
 * Devices may have neither: CKR_MECHANISM_PARAM_INVALID.
 */
struct luna_eddsa_param {
	__u32 prehash;
	__u32 context_len;
};

/**
 * struct luna_blob - the commands of cloning and HA login; payload: the blob received, then the one
 * made
 * @type: element type of cloning (CK_CRYPTOKI_ELEMENT, CK_MOFN_ACTIVATION_ELEMENT)
 * @handle: in: the object to be cloned, or the HA login key; out: the clone
 * @role: HA_CHALLENGE: CKU_SO or CKU_USER
 * @replicate: cloning: bReplicate, 0 or 1; the same at every step
 * @blob_len: in: bytes of the blob in the payload
 * @out_max: in: the caller's buffer size or LUNA_OUT_QUERY
 * @out_need: out: bytes of the blob made
 */
struct luna_blob {
	struct luna_hdr hdr;
	__u32 type;
	__u32 handle;
	__u32 role;
	__u32 replicate;
	__u32 blob_len;
	__u32 out_max;
	__u32 out_need;
	__u32 reserved;
};

/**
 * struct luna_mofn - LUNA_MOFN_GENERATE, LUNA_MOFN_ACTIVATE
 * @m: GENERATE: vectors needed
 * @n: GENERATE: vectors made; ACTIVATE: vectors given
 * @flags: LUNA_MOFN_CLONEABLE
 * @secret_len: in: must be 0; out: GENERATE: bytes of a vector, also with CKR_BUFFER_TOO_SMALL;
 *	a buffer size of LUNA_OUT_QUERY asks for it alone and generates nothing
 *
 * GENERATE: payload in: @n pairs of __u32 weight and buffer size; payload out: @n vectors.
 * ACTIVATE: payload in: @n vectors. A vector is a __u32 length and that many bytes, padded to 4.
 */
struct luna_mofn {
	struct luna_hdr hdr;
	__u32 m;
	__u32 n;
	__u32 flags;
	__u32 secret_len;
};

#define LUNA_MOFN_CLONEABLE	0x1

/* LUNA_MOFN_STATUS: CA_M_OF_N_STATUS; @flags: CAF_M_OF_N_* */
struct luna_mofn_status {
	struct luna_hdr hdr;
	__u32 id;
	__u32 m;
	__u32 n;
	__u32 secret_size;
	__u32 flags;
	__u32 reserved;
};

/**
 * struct luna_image_arg - LUNA_IMAGE_EXPORT, LUNA_IMAGE_RESTORE
 * RESTORE's payload: SO PIN of the token that is there, domain, PIN of the image
 * @role: RESTORE: CKU_*: the role of the image's token whose PIN is given
 * @so_pin_len: RESTORE: bytes of the SO PIN; 0 if the slot's token is not initialised
 * @domain_len: RESTORE: bytes of the cloning domain string of the image
 * @pin_len: RESTORE: bytes of the PIN
 * @length: EXPORT: out: bytes of the image; else 0
 * @damaged: RESTORE: out: with CKR_DATA_INVALID: bytes of the image that are good at most
 *
 * An image holds all of a token, sealed under its cloning domain (lib/token/FORMAT.md). Each open
 * file keeps one, which counts among what it may make the device keep.
 *
 * EXPORT takes it at one moment; LUNA_IMAGE_GET then fetches it: @offset of struct luna_data is
 * what was fetched so far, @length the bytes wanted, on return those that came. What was fetched is
 * gone. CKR_USER_NOT_LOGGED_IN, CKR_USER_NOT_AUTHORIZED (not the crypto officer);
 * CKR_CLONING_PARAMETER_MISSING: no domain; CKR_OPERATION_NOT_ALLOWED: M of N is required and not
 * active, or not all of partition policies 0, 4, HSM 7, 16 allow it; CKR_DEVICE_MEMORY: too large.
 *
 * LUNA_IMAGE_PUT collects one: @offset is what was sent so far, 0 starts anew. RESTORE verifies all
 * of it and then replaces the slot's token, atomically, or leaves everything as it is; the image is
 * gone once it was looked at. CKR_SESSION_EXISTS, CKR_PIN_INCORRECT and others as for
 * LUNA_INIT_TOKEN; CKR_UNWRAPPING_ERROR: the image is of another domain; CKR_DATA_INVALID: it is
 * damaged, or none; CKR_SIM_VERSION_UNSUPPORTED: it is of a newer version;
 * CKR_SIM_AUTHORIZATION_FAILED: the PIN is not that of @role in the image; CKR_USER_LOCKED_OUT,
 * CKR_USER_PIN_NOT_INITIALIZED: nor can any be.
 */
struct luna_image_arg {
	struct luna_hdr hdr;
	__u32 role;
	__u32 so_pin_len;
	__u32 domain_len;
	__u32 pin_len;
	__aligned_u64 length;
	__aligned_u64 damaged;
};

/* The layout is the ABI: the same on every architecture and for 32-bit callers. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define LUNA_ABI_SIZE(type, bytes) static_assert(sizeof(struct type) == (bytes), "ABI of " #type)
#elif !defined(__cplusplus)
#define LUNA_ABI_SIZE(type, bytes) _Static_assert(sizeof(struct type) == (bytes), "ABI of " #type)
#endif
#ifdef LUNA_ABI_SIZE
LUNA_ABI_SIZE(luna_hdr, 40);
LUNA_ABI_SIZE(luna_info, 168);
LUNA_ABI_SIZE(luna_slot_info, 288);
LUNA_ABI_SIZE(luna_mech_info, 16);
LUNA_ABI_SIZE(luna_mech_list, 48);
LUNA_ABI_SIZE(luna_provider, 192);
LUNA_ABI_SIZE(luna_provider_list, 48);
LUNA_ABI_SIZE(luna_data, 48);
LUNA_ABI_SIZE(luna_random, 48);
LUNA_ABI_SIZE(luna_session_info, 64);
LUNA_ABI_SIZE(luna_app_id, 64);
LUNA_ABI_SIZE(luna_init_token, 96);
LUNA_ABI_SIZE(luna_pin, 56);
LUNA_ABI_SIZE(luna_role_state, 56);
LUNA_ABI_SIZE(luna_policy, 80);
LUNA_ABI_SIZE(luna_policy_list, 48);
LUNA_ABI_SIZE(luna_policy_set, 56);
LUNA_ABI_SIZE(luna_attr, 8);
LUNA_ABI_SIZE(luna_object_arg, 56);
LUNA_ABI_SIZE(luna_find, 64);
LUNA_ABI_SIZE(luna_op, 96);
LUNA_ABI_SIZE(luna_message, 144);
LUNA_ABI_SIZE(luna_key, 88);
LUNA_ABI_SIZE(luna_ctr_param, 24);
LUNA_ABI_SIZE(luna_gcm_param, 16);
LUNA_ABI_SIZE(luna_oaep_param, 16);
LUNA_ABI_SIZE(luna_rsa_aes_param, 8);
LUNA_ABI_SIZE(luna_pss_param, 16);
LUNA_ABI_SIZE(luna_mac_param, 8);
LUNA_ABI_SIZE(luna_ecdh_param, 16);
LUNA_ABI_SIZE(luna_key_param, 8);
LUNA_ABI_SIZE(luna_extract_param, 8);
LUNA_ABI_SIZE(luna_eddsa_param, 8);
LUNA_ABI_SIZE(luna_pbkd2_param, 24);
LUNA_ABI_SIZE(luna_hkdf_param, 24);
LUNA_ABI_SIZE(luna_sp800_108_param, 16);
LUNA_ABI_SIZE(luna_prf_field, 24);
LUNA_ABI_SIZE(luna_prf_kdf_param, 24);
LUNA_ABI_SIZE(luna_blob, 72);
LUNA_ABI_SIZE(luna_mofn, 56);
LUNA_ABI_SIZE(luna_mofn_status, 64);
LUNA_ABI_SIZE(luna_image_arg, 72);
#undef LUNA_ABI_SIZE
#endif

#endif /* _UAPI_LUNA_H */
