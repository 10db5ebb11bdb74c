// SPDX-License-Identifier: MIT
/*
 * What one end of an exchange between two tokens does: each request of PEER.md is a function that asks
 * the token. 'lunactl peer' calls them for the client behind the pipe, and the client for its own token,
 * so that there is one of each, whichever end the token is at.
 *
 * Everything that crosses between the ends is what PKCS#11 calls take and give.
 */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

enum { BLOB_ROOM = PEER_BODY_MAX };

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static const char *const purposes[PURPOSE_COUNT] = {
	[PURPOSE_SOURCE] = "source", [PURPOSE_TARGET] = "target",
	[PURPOSE_SETUP_PRIMARY] = "setup-primary", [PURPOSE_SETUP_SECONDARY] = "setup-secondary",
	[PURPOSE_LOGIN_PRIMARY] = "login-primary", [PURPOSE_LOGIN_SECONDARY] = "login-secondary",
};

const char *purpose_name(unsigned int purpose)
{
	return purpose < PURPOSE_COUNT ? purposes[purpose] : "unknown purpose";
}

int purpose_of(const char *name, size_t len)
{
	int i;

	for (i = 0; i < PURPOSE_COUNT; i++)
		if (strlen(purposes[i]) == len && !memcmp(purposes[i], name, len))
			return i;
	return -1;
}

/* ---- finding objects ---- */

/* u8 which are set, u32 handle, bytes label, bytes id, u32 class -> u32 how many */
static CK_RV find(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct wanted wanted = { .has_handle = false };
	unsigned int set = get_u8(in);

	(void)call;
	wanted.has_handle = set & 1;
	wanted.has_label = set & 2;
	wanted.has_id = set & 4;
	wanted.has_class = set & 8;
	wanted.handle = get_u32(in);
	wanted.label = get_bytes(in, &wanted.label_len);
	wanted.id = get_bytes(in, &wanted.id_len);
	wanted.class = get_u32(in);
	if (!body_done(in) || set > 15)
		return CKR_ARGUMENTS_BAD;
	objects_free(&token->found);
	token->found = objects_search(token->session, &wanted);
	put_u32(out, token->found.count);
	return CKR_OK;
}

static void put_object(struct token *token, CK_OBJECT_HANDLE handle, struct body *out)
{
	unsigned char ouid[PEER_OUID] = { 0 }, *label;
	char text[PEER_TEXT_MAX + 1];
	CK_ULONG class, len;

	if (!object_ulong(token->session, handle, CKA_CLASS, &class))
		class = 0xffffffff;
	label = object_bytes(token->session, handle, CKA_LABEL, &len);
	snprintf(text, sizeof(text), "%.*s", (int)(len < PEER_TEXT_MAX ? len : 0),
		 label ? (char *)label : "");
	free(label);
	/* One that has none is there nowhere else. */
	if (CA_GetTokenObjectUID(token->slot, CK_CRYPTOKI_ELEMENT, handle, ouid) != CKR_OK)
		memset(ouid, 0, sizeof(ouid));
	put_u32(out, handle);
	put_u32(out, class);
	put_text(out, text);
	put_raw(out, ouid, sizeof(ouid));
}

/* u32 first -> u32 n, n times: u32 handle, u32 class, text label, OUID */
static CK_RV list(struct token *token, struct body *in, struct body *out, const char **call)
{
	CK_ULONG first = get_u32(in), n, i;

	(void)call;
	if (!body_done(in) || first > token->found.count)
		return CKR_ARGUMENTS_BAD;
	n = token->found.count - first;
	n = n < PEER_PAGE ? n : PEER_PAGE;
	put_u32(out, n);
	for (i = 0; i < n; i++)
		put_object(token, token->found.handle[first + i], out);
	return CKR_OK;
}

/* u32 n, n OUIDs -> u32 n, n times: u32 handle, 0 if the token has none */
static CK_RV have(struct token *token, struct body *in, struct body *out, const char **call)
{
	static const unsigned char none[PEER_OUID];
	unsigned char ouid[PEER_OUID];
	CK_ULONG n = get_u32(in), handle, i;
	const unsigned char *ouids;

	(void)call;
	ouids = n <= PEER_PAGE ? get_raw(in, n * PEER_OUID) : NULL;
	if (!ouids || !body_done(in))
		return CKR_ARGUMENTS_BAD;
	put_u32(out, n);
	for (i = 0; i < n; i++) {
		memcpy(ouid, ouids + i * PEER_OUID, PEER_OUID);
		if (!memcmp(ouid, none, PEER_OUID) ||
		    CA_GetTokenObjectHandle(token->slot, ouid, NULL, &handle) != CKR_OK)
			handle = 0;
		put_u32(out, handle);
	}
	return CKR_OK;
}

/* ---- blobs: a function that fills a buffer, asked for the length first ---- */

typedef CK_RV (*blob_fn)(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len);

static CK_RV put_blob(struct token *token, blob_fn fill, const void *context, struct body *out)
{
	CK_ULONG len = 0;
	CK_BYTE *buffer;
	CK_RV rv = fill(token, context, NULL, &len);

	if (rv != CKR_OK)
		return rv;
	if (len > BLOB_ROOM)
		return CKR_DATA_LEN_RANGE;
	buffer = malloc(len + 1);
	if (!buffer)
		return CKR_HOST_MEMORY;
	rv = fill(token, context, buffer, &len);
	if (rv == CKR_OK)
		put_bytes(out, buffer, len);
	explicit_bzero(buffer, len);
	free(buffer);
	return rv;
}

struct given {
	CK_ULONG type, handle, len;
	CK_BYTE *data;
};

/* ---- cloning ---- */

static CK_RV fill_twc(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	(void)context;
	return CA_CloneAsSourceInit(token->session, NULL, 0, buffer, len, token->replicate);
}

/* nothing -> bytes TWC */
static CK_RV clone_source_init(struct token *token, struct body *in, struct body *out, const char **call)
{
	*call = "CA_CloneAsSourceInit";
	return body_done(in) ? put_blob(token, fill_twc, NULL, out) : CKR_ARGUMENTS_BAD;
}

static CK_RV fill_part1(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	const struct given *given = context;

	return CA_CloneAsTargetInit(token->session, given->data, given->len, NULL, 0,
				    token->replicate, buffer, len);
}

/* bytes TWC -> bytes Part1 */
static CK_RV clone_target_init(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct given given;

	given.data = get_bytes(in, &given.len);
	*call = "CA_CloneAsTargetInit";
	return body_done(in) ? put_blob(token, fill_part1, &given, out) : CKR_ARGUMENTS_BAD;
}

static CK_RV fill_part2(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	const struct given *given = context;

	return CA_CloneAsSource(token->session, given->type, given->handle, given->data, given->len,
				token->replicate, buffer, len);
}

/* u32 type, u32 handle, bytes Part1 -> bytes Part2 */
static CK_RV clone_source(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct given given;

	given.type = get_u32(in);
	given.handle = get_u32(in);
	given.data = get_bytes(in, &given.len);
	*call = "CA_CloneAsSource";
	if (!body_done(in))
		return CKR_ARGUMENTS_BAD;
	/* Who sets HA login up gets the login key, and nothing else. */
	if (token->purpose == PURPOSE_SETUP_PRIMARY &&
	    (given.type != CK_CRYPTOKI_ELEMENT || !token->key || given.handle != token->key))
		return CKR_FUNCTION_REJECTED;
	return put_blob(token, fill_part2, &given, out);
}

/* u32 type, bytes Part2 -> u32 handle */
static CK_RV clone_target(struct token *token, struct body *in, struct body *out, const char **call)
{
	CK_OBJECT_HANDLE made = 0;
	CK_ULONG type = get_u32(in), len;
	CK_BYTE *part2 = get_bytes(in, &len);
	CK_RV rv;

	*call = "CA_CloneAsTarget";
	if (!body_done(in))
		return CKR_ARGUMENTS_BAD;
	rv = CA_CloneAsTarget(token->session, NULL, 0, part2, len, type, 0, token->replicate,
			      &made);
	put_u32(out, made);
	return rv;
}

/* ---- the login key ---- */

/* A pair with the attributes that the protocol demands; the private key. */
static CK_RV login_key_make(CK_SESSION_HANDLE session, const char *label, CK_OBJECT_HANDLE *key)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 2048, len = strlen(label);
	unsigned char e[] = { 1, 0, 1 };
	CK_ATTRIBUTE pub[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_MODULUS_BITS, &bits, sizeof(bits) }, { CKA_PUBLIC_EXPONENT, e, 3 },
		{ CKA_LABEL, (void *)label, len }, { CKA_ENCRYPT, &no, 1 }, { CKA_VERIFY, &no, 1 },
		{ CKA_VERIFY_RECOVER, &no, 1 }, { CKA_WRAP, &no, 1 }, { CKA_DERIVE, &no, 1 },
	};
	CK_ATTRIBUTE priv[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_LABEL, (void *)label, len }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, &no, 1 }, { CKA_DECRYPT, &no, 1 }, { CKA_SIGN, &no, 1 },
		{ CKA_SIGN_RECOVER, &no, 1 }, { CKA_UNWRAP, &no, 1 }, { CKA_DERIVE, &no, 1 },
	};
	CK_OBJECT_HANDLE public_key;

	return C_GenerateKeyPair(session, &mech, pub, 11, priv, 11, &public_key, key);
}

/* The first RSA key of a class with the label and, if @n is not NULL, the modulus; 0: there is none. */
static CK_OBJECT_HANDLE key_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
				 const unsigned char *n, CK_ULONG n_len)
{
	struct wanted wanted = {
		.has_label = true, .label = label, .label_len = strlen(label),
		.has_class = true, .class = class,
	};
	struct objects objects = objects_search(session, &wanted);
	CK_OBJECT_HANDLE handle = 0;
	unsigned char *modulus;
	CK_ULONG i, len, type;

	for (i = 0; i < objects.count && !handle; i++) {
		if (!object_ulong(session, objects.handle[i], CKA_KEY_TYPE, &type) || type != CKK_RSA)
			continue;
		modulus = object_bytes(session, objects.handle[i], CKA_MODULUS, &len);
		if (modulus && (!n || (len == n_len && !memcmp(modulus, n, len))))
			handle = objects.handle[i];
		free(modulus);
	}
	objects_free(&objects);
	return handle;
}

static CK_RV put_attribute(struct token *token, CK_ATTRIBUTE_TYPE type, struct body *out)
{
	CK_ULONG len;
	unsigned char *value = object_bytes(token->session, token->key, type, &len);

	if (!value)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	put_bytes(out, value, len);
	free(value);
	return CKR_OK;
}

/* text label, u8 make it -> u32 handle or 0, u8 made; if there is one: OUID, bytes modulus, bytes exponent */
static CK_RV login_key(struct token *token, struct body *in, struct body *out, const char **call)
{
	unsigned char ouid[PEER_OUID] = { 0 };
	char label[PEER_TEXT_MAX + 1];
	unsigned int make;
	bool made;
	CK_RV rv = CKR_OK;

	get_text(in, label, sizeof(label));
	make = get_u8(in);
	if (!body_done(in) || make > (token->purpose == PURPOSE_SETUP_PRIMARY))
		return CKR_ARGUMENTS_BAD;
	token->key = key_find(token->session, CKO_PRIVATE_KEY, label, NULL, 0);
	made = make && !token->key;
	*call = "C_GenerateKeyPair";
	if (made)
		rv = login_key_make(token->session, label, &token->key);
	put_u32(out, token->key);
	put_u8(out, made);
	if (rv != CKR_OK || !token->key)
		return rv;
	*call = "CA_GetTokenObjectUID";
	rv = CA_GetTokenObjectUID(token->slot, CK_CRYPTOKI_ELEMENT, token->key, ouid);
	put_raw(out, ouid, sizeof(ouid));
	if (rv != CKR_OK)
		return rv;
	*call = "C_GetAttributeValue";
	rv = put_attribute(token, CKA_MODULUS, out);
	return rv == CKR_OK ? put_attribute(token, CKA_PUBLIC_EXPONENT, out) : rv;
}

/* text label, bytes modulus, bytes exponent -> u32 handle; one that is there already is not made again */
static CK_RV public_key(struct token *token, struct body *in, struct body *out, const char **call)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_OBJECT_HANDLE made;
	char label[PEER_TEXT_MAX + 1];
	unsigned char *n, *e;
	CK_ULONG n_len, e_len;
	CK_RV rv = CKR_OK;

	get_text(in, label, sizeof(label));
	n = get_bytes(in, &n_len);
	e = get_bytes(in, &e_len);
	*call = "C_CreateObject";
	if (!body_done(in))
		return CKR_ARGUMENTS_BAD;
	CK_ATTRIBUTE tmpl[] = {
		{ CKA_CLASS, &class, sizeof(class) }, { CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_MODULUS, n, n_len }, { CKA_PUBLIC_EXPONENT, e, e_len },
		{ CKA_LABEL, label, strlen(label) }, { CKA_ENCRYPT, &no, 1 },
		{ CKA_VERIFY, &no, 1 }, { CKA_VERIFY_RECOVER, &no, 1 }, { CKA_WRAP, &no, 1 },
		{ CKA_DERIVE, &no, 1 },
	};

	made = key_find(token->session, CKO_PUBLIC_KEY, label, n, n_len);
	if (!made)
		rv = C_CreateObject(token->session, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &made);
	put_u32(out, made);
	return rv;
}

/* ---- HA login ---- */

/* u32 handle of the login key, private or public -> nothing */
static CK_RV ha_init(struct token *token, struct body *in, struct body *out, const char **call)
{
	CK_OBJECT_HANDLE key = get_u32(in);

	(void)out;
	*call = "CA_HAInit";
	return body_done(in) ? CA_HAInit(token->session, key) : CKR_ARGUMENTS_BAD;
}

static CK_RV fill_master_public(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	(void)context;
	return CA_HAGetMasterPublic(token->slot, buffer, len);
}

/* nothing -> bytes TWC */
static CK_RV master_public(struct token *token, struct body *in, struct body *out, const char **call)
{
	*call = "CA_HAGetMasterPublic";
	return body_done(in) ? put_blob(token, fill_master_public, NULL, out) : CKR_ARGUMENTS_BAD;
}

static CK_RV fill_challenge(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	const struct given *given = context;

	return CA_HAGetLoginChallenge(token->session, CKU_USER, given->data, given->len, buffer, len);
}

/* bytes TWC -> bytes challenge */
static CK_RV challenge(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct given given;

	given.data = get_bytes(in, &given.len);
	*call = "CA_HAGetLoginChallenge";
	return body_done(in) ? put_blob(token, fill_challenge, &given, out) : CKR_ARGUMENTS_BAD;
}

static CK_RV fill_answer(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	const struct given *given = context;

	return CA_HAAnswerLoginChallenge(token->session, token->key, given->data, given->len, buffer, len);
}

/* bytes challenge -> bytes answer, of the key that PEER_LOGIN_KEY found */
static CK_RV answer(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct given given;

	given.data = get_bytes(in, &given.len);
	*call = "CA_HAAnswerLoginChallenge";
	return body_done(in) ? put_blob(token, fill_answer, &given, out) : CKR_ARGUMENTS_BAD;
}

/* bytes answer -> bytes M of N request, of length 0 if none is needed */
static CK_RV login(struct token *token, struct body *in, struct body *out, const char **call)
{
	unsigned char request[8192];
	CK_ULONG request_len = sizeof(request), len;
	CK_BYTE *given = get_bytes(in, &len);
	CK_RV rv;

	*call = "CA_HALogin";
	if (!body_done(in))
		return CKR_ARGUMENTS_BAD;
	rv = CA_HALogin(token->session, given, len, request, &request_len);
	if (rv == CKR_OK)
		put_bytes(out, request, request_len);
	return rv;
}

static CK_RV fill_mofn_answer(struct token *token, const void *context, CK_BYTE *buffer, CK_ULONG *len)
{
	const struct given *given = context;

	return CA_HAAnswerMofNChallenge(token->session, given->data, given->len, buffer, len);
}

/* bytes M of N request -> bytes masked secret */
static CK_RV mofn_answer(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct given given;

	given.data = get_bytes(in, &given.len);
	*call = "CA_HAAnswerMofNChallenge";
	return body_done(in) ? put_blob(token, fill_mofn_answer, &given, out) : CKR_ARGUMENTS_BAD;
}

/* bytes masked secret -> nothing */
static CK_RV mofn_activate(struct token *token, struct body *in, struct body *out, const char **call)
{
	CK_ULONG len;
	CK_BYTE *given = get_bytes(in, &len);

	(void)out;
	*call = "CA_HAActivateMofN";
	return body_done(in) ? CA_HAActivateMofN(token->session, given, len) : CKR_ARGUMENTS_BAD;
}

/* The login outlives this program, for those who have its application id. */
static CK_RV login_keep(struct token *token, const char **call)
{
	CK_APPLICATION_ID id;
	CK_RV rv;

	*call = "CA_GetApplicationID";
	rv = CA_GetApplicationID(&id);
	if (rv != CKR_OK)
		return rv;
	*call = "CA_OpenApplicationIDV2";
	rv = CA_OpenApplicationIDV2(token->slot, &id);
	return rv == CKR_ACCESS_ID_ALREADY_EXISTS ? CKR_OK : rv;
}

/* nothing -> u32 CKS_, u32 private objects that are seen. All that was to be done is. */
static CK_RV state(struct token *token, struct body *in, struct body *out, const char **call)
{
	struct wanted all = { .has_handle = false };
	struct objects objects;
	CK_SESSION_INFO info;
	CK_ULONG i, count = 0;
	CK_RV rv;

	*call = "C_GetSessionInfo";
	if (!body_done(in))
		return CKR_ARGUMENTS_BAD;
	rv = C_GetSessionInfo(token->session, &info);
	if (rv == CKR_OK && token->keep && info.state == CKS_RW_USER_FUNCTIONS)
		rv = login_keep(token, call);
	if (rv != CKR_OK)
		return rv;
	objects = objects_search(token->session, &all);
	for (i = 0; i < objects.count; i++)
		count += object_bool(token->session, objects.handle[i], CKA_PRIVATE);
	objects_free(&objects);
	put_u32(out, info.state);
	put_u32(out, count);
	return CKR_OK;
}

#define FOR(purpose)	(1u << PURPOSE_##purpose)

static const struct {
	unsigned int type, purposes;
	CK_RV (*handle)(struct token *token, struct body *in, struct body *out, const char **call);
} requests[] = {
	{ PEER_FIND, FOR(SOURCE), find },
	{ PEER_LIST, FOR(SOURCE), list },
	{ PEER_HAVE, FOR(TARGET) | FOR(SETUP_SECONDARY), have },
	{ PEER_CLONE_SOURCE_INIT, FOR(SOURCE) | FOR(SETUP_PRIMARY), clone_source_init },
	{ PEER_CLONE_TARGET_INIT, FOR(TARGET) | FOR(SETUP_SECONDARY), clone_target_init },
	{ PEER_CLONE_SOURCE, FOR(SOURCE) | FOR(SETUP_PRIMARY), clone_source },
	{ PEER_CLONE_TARGET, FOR(TARGET) | FOR(SETUP_SECONDARY), clone_target },
	{ PEER_LOGIN_KEY, FOR(SETUP_PRIMARY) | FOR(LOGIN_PRIMARY), login_key },
	{ PEER_PUBLIC_KEY, FOR(SETUP_SECONDARY), public_key },
	{ PEER_HA_INIT, FOR(SETUP_SECONDARY), ha_init },
	{ PEER_MASTER_PUBLIC, FOR(LOGIN_PRIMARY), master_public },
	{ PEER_CHALLENGE, FOR(LOGIN_SECONDARY), challenge },
	{ PEER_ANSWER, FOR(LOGIN_PRIMARY), answer },
	{ PEER_LOGIN, FOR(LOGIN_SECONDARY), login },
	{ PEER_MOFN_ANSWER, FOR(LOGIN_PRIMARY), mofn_answer },
	{ PEER_MOFN_ACTIVATE, FOR(LOGIN_SECONDARY), mofn_activate },
	{ PEER_STATE, FOR(LOGIN_SECONDARY), state },
};

CK_RV request_handle(struct token *token, unsigned int type, struct body *in, struct body *out,
		     const char **call)
{
	size_t i;

	*call = "request";
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		if (requests[i].type == type && (requests[i].purposes & 1u << token->purpose))
			return requests[i].handle(token, in, out, call);
	return CKR_FUNCTION_REJECTED;
}
