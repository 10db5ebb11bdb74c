// SPDX-License-Identifier: MIT
/* The steps of a token's life, and what must be left of them after a crash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "log_file.h"
#include "object.h"
#include "scenario.h"
#include "state.h"

const u8 scenario_key[32] = "a key that no store may show ..";
struct scenario_secrets scenario_secrets;

/* What the key makes of a block, by the provider alone. */
static const u8 block[16] = "one AES block ..";
static u8 sealed_block[16];

static void seal_block(const struct luna_crypto_ops *c)
{
	struct luna_aes_key *key = c->aes_key(scenario_key, sizeof(scenario_key));
	struct luna_cipher_stream *stream = c->cipher_begin(key, LUNA_ECB, true, NULL, 0);

	assert_int_equal(c->cipher_update(stream, block, sizeof(block), sealed_block), 0);
	c->cipher_end(stream);
	c->aes_key_free(key);
}

/* ---- A token on a disk ---- */

int host_open(struct host *host, const struct place *place, const struct luna_crypto_ops *crypto)
{
	static const struct luna_config config = { .host = "crash test", .pin_iterations = 1 };

	*host = (struct host){ .place = place, .crypto = crypto };
	host->store = place->open(&host->ops);
	if (IS_ERR(host->store))
		return PTR_ERR(host->store);
	host->token = luna_token_open(&config, crypto, host->ops, host->store);
	if (IS_ERR(host->token)) {
		place->close(host->store);
		return PTR_ERR(host->token);
	}
	return 0;
}

void host_close(struct host *host)
{
	luna_token_close(host->token);
	host->place->close(host->store);
}

void host_kill(struct host *host)
{
	if (host->token->log)
		host->token->log->failed = true;
	host_close(host);
}

/* ---- What a token holds ---- */

static u64 hash_more(u64 hash, const void *data, size_t len)
{
	const u8 *bytes = data;

	while (len--)
		hash = (hash ^ *bytes++) * 0x100000001b3ULL;
	return hash;
}

/* Of all token objects; private ones need somebody who is logged in. */
static int hash_objects(struct luna_token *token, u64 *hash, u32 *count)
{
	struct luna_object *obj;
	struct luna_attrs *attrs;
	u32 handle = 0;

	*hash = 0xcbf29ce484222325ULL;
	*count = 0;
	while ((obj = luna_table_next(&token->objects.table, handle, &handle)) != NULL) {
		attrs = luna_object_attrs(token, obj);
		if (IS_ERR(attrs))
			return PTR_ERR(attrs);
		*hash = hash_more(*hash, &handle, sizeof(handle));
		*hash = hash_more(*hash, attrs->data, attrs->len);
		luna_attrs_put(attrs);
		++*count;
	}
	return 0;
}

/* Without what a crash may change by right: attempts; the serial number, while none is stored. */
static u8 *pack_state(const struct luna_token *token, u32 *len)
{
	struct luna_state *state = malloc(sizeof(*state));
	u8 *data;
	u32 i;

	*state = *token->state;
	for (i = 0; i < LUNA_ROLES; i++) {
		state->roles[i].failed = 0;
		state->roles[i].locked = false;
	}
	if (!state->initialised && !state->init_count)
		memset(state->serial, ' ', sizeof(state->serial));
	data = luna_state_pack(state, len);
	free(state);
	assert_false(IS_ERR(data));
	return data;
}

/* ---- The steps ---- */

/* Who acts: a token on the disk, an application with a session, and a token to clone from. */
struct play {
	struct scenario *s;
	struct host host;
	struct luna_crypto_ops crypto;
	struct luna_open *open;
	u32 session;
	const char *co_pin;
	bool has_key;
	u32 secret, public_, doomed, big, login_key;
	struct fx source;
	struct luna_open *source_open;
	u32 source_session;
};

static struct play *playing;

/* The engine counts an attempt, durably, before it comes here. */
static int pbkdf2_watched(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
			  size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	const struct luna_role *roles = playing->host.token->state->roles;
	u32 i, most = 0;

	for (i = 0; i < LUNA_ROLES; i++)
		most = max(most, roles[i].failed);
	disk_mark(disk_now, MARK_TRIED, most);
	return playing->source.crypto->pbkdf2(hash, pin, pin_len, salt, salt_len, 1, out, out_len);
}

static s64 open_session(struct play *p)
{
	p->open = luna_open(p->host.token);
	assert_false(IS_ERR(p->open));
	return fx_session(p->open, true, &p->session);
}

static void end_open(struct play *p)
{
	if (p->open)
		luna_release(p->open);
	p->open = NULL;
}

static s64 login_as(struct play *p, u32 role, const char *pin)
{
	fx_logout(p->open, p->session);
	return fx_login(p->open, p->session, role, pin);
}

static s64 login_co(struct play *p)
{
	return login_as(p, CKU_USER, p->co_pin);
}

s64 scenario_data(struct luna_open *open, u32 session, const char *label, bool private, u32 len,
		  u32 *handle)
{
	struct luna_object_arg arg = { .hdr.session = session };
	struct luna_attr attr = { .type = CKA_VALUE, .len = len };
	struct fx_tmpl *tmpl = calloc(1, sizeof(*tmpl));
	u32 padded = private ? sizeof(attr) + round_up(len, 8U) : 0;
	u8 *list, *value;
	s64 rv;

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(tmpl, CKA_TOKEN, true);
	fx_attr_bool(tmpl, CKA_PRIVATE, private);
	fx_attr_text(tmpl, CKA_LABEL, label);
	list = calloc(1, tmpl->len + padded);
	memcpy(list, tmpl->data, tmpl->len);
	if (private) {
		value = list + tmpl->len + sizeof(attr);
		memcpy(list + tmpl->len, &attr, sizeof(attr));
		memcpy(value, SECRET_VALUE, min_t(size_t, len, strlen(SECRET_VALUE)));
	}
	arg.template_len = tmpl->len + padded;
	rv = fx_call(open, LUNA_OBJECT_CREATE, &arg, sizeof(arg), list, arg.template_len, NULL,
		     NULL);
	*handle = rv ? 0 : arg.handle;
	free(list);
	free(tmpl);
	return rv;
}

static s64 set_label(struct play *p, u32 handle, const char *label)
{
	struct fx_tmpl *tmpl = calloc(1, sizeof(*tmpl));
	s64 rv;

	fx_attr_text(tmpl, CKA_LABEL, label);
	rv = fx_attr_set(p->open, p->session, handle, tmpl);
	free(tmpl);
	return rv;
}

static s64 step_init(struct play *p)
{
	s64 rv;

	end_open(p);
	p->open = luna_open(p->host.token);
	p->has_key = false;
	p->co_pin = NULL;
	rv = fx_init_token(p->open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN);
	return rv ? rv : fx_session(p->open, true, &p->session);
}

static s64 step_init_co(struct play *p)
{
	s64 rv = login_as(p, CKU_SO, FX_SO_PIN);

	if (!rv)
		rv = fx_init_pin(p->open, p->session, CKU_USER, FX_CO_PIN);
	p->co_pin = FX_CO_PIN;
	return rv;
}

static s64 step_login(struct play *p)
{
	return login_co(p);
}

static s64 step_init_cu(struct play *p)
{
	return fx_init_pin(p->open, p->session, CKU_LIMITED_USER, FX_CU_PIN);
}

static s64 step_secret(struct play *p)
{
	return scenario_data(p->open, p->session, SECRET_LABEL, true, 700, &p->secret);
}

static s64 step_public(struct play *p)
{
	return scenario_data(p->open, p->session, PUBLIC_LABEL, false, 0, &p->public_);
}

static s64 step_key(struct play *p)
{
	struct fx_tmpl *tmpl = calloc(1, sizeof(*tmpl));
	u32 handle;
	s64 rv;

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(tmpl, CKA_TOKEN, true);
	fx_attr_bool(tmpl, CKA_ENCRYPT, true);
	fx_attr(tmpl, CKA_VALUE, scenario_key, sizeof(scenario_key));
	rv = fx_create(p->open, p->session, tmpl, &handle);
	free(tmpl);
	p->has_key = true;
	return rv;
}

static s64 step_doomed(struct play *p)
{
	return scenario_data(p->open, p->session, "to be destroyed", true, 100, &p->doomed);
}

static s64 step_destroy(struct play *p)
{
	return fx_destroy(p->open, p->session, p->doomed);
}

static s64 step_set_secret(struct play *p)
{
	return set_label(p, p->secret, SECRET_LABEL ", changed");
}

static s64 step_set_public(struct play *p)
{
	return set_label(p, p->public_, PUBLIC_LABEL ", changed");
}

/* Wrong, and then right or not: the count of failures is the point of it. */
static s64 wrong(struct play *p, u32 role, u32 times)
{
	struct luna_open *open = luna_open(p->host.token);
	u32 session;
	s64 rv = fx_session(open, true, &session);

	while (!rv && times--)
		rv = fx_login(open, session, role, "not the PIN") == CKR_PIN_INCORRECT ?
		     CKR_OK : CKR_GENERAL_ERROR;
	luna_release(open);
	return rv;
}

static s64 step_wrong_cu(struct play *p)
{
	return wrong(p, CKU_LIMITED_USER, 1);
}

static s64 step_wrong_co(struct play *p)
{
	return wrong(p, CKU_USER, 2);
}

static s64 step_right_cu(struct play *p)
{
	struct luna_open *open = luna_open(p->host.token);
	u32 session;
	s64 rv = fx_session(open, true, &session);

	if (!rv)
		rv = fx_login(open, session, CKU_LIMITED_USER, FX_CU_PIN);
	luna_release(open);
	return rv;
}

static s64 step_lock_cu(struct play *p)
{
	return wrong(p, CKU_LIMITED_USER, 5);
}

static s64 step_co_pin(struct play *p)
{
	s64 rv = fx_set_pin(p->open, p->session, FX_CO_PIN, NEW_CO_PIN);

	p->co_pin = NEW_CO_PIN;
	return rv;
}

static s64 set_policy(struct play *p, u32 id, u32 value)
{
	struct luna_policy_set set = {
		.scope = LUNA_SCOPE_PARTITION, .count = 1, .flags = LUNA_POLICY_SET_DESTRUCTIVE,
	};
	u32 pair[] = { id, value };
	s64 rv = login_as(p, CKU_SO, FX_SO_PIN);

	set.hdr.session = p->session;
	if (!rv)
		rv = fx_call(p->open, LUNA_POLICY_SET, &set, sizeof(set), pair, sizeof(pair), NULL,
			     NULL);
	return rv;
}

static s64 step_policy(struct play *p)
{
	s64 rv = set_policy(p, 20, 5);

	return rv ? rv : login_co(p);
}

static s64 step_policy_off(struct play *p)
{
	s64 rv = set_policy(p, 18, 0);

	return rv ? rv : login_co(p);
}

/* Erases the partition's objects. */
static s64 step_policy_destructive(struct play *p)
{
	s64 rv = set_policy(p, 18, 1);

	p->has_key = false;
	p->co_pin = p->host.token->state->roles[LUNA_ROLE_CO].set ? p->co_pin : NULL;
	return rv;
}

static s64 step_pair(struct play *p)
{
	static const u8 e[] = { 1, 0, 1 };
	struct fx_tmpl *pub = calloc(1, sizeof(*pub)), *priv = calloc(1, sizeof(*priv));
	static const u32 off_pub[] = {
		CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_DERIVE,
	};
	static const u32 off_priv[] = {
		CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE, CKA_EXTRACTABLE,
		CKA_MODIFIABLE,
	};
	u32 i, pub_handle;
	s64 rv;

	fx_attr_bool(pub, CKA_TOKEN, true);
	fx_attr_ulong(pub, CKA_MODULUS_BITS, 2048);
	fx_attr(pub, CKA_PUBLIC_EXPONENT, e, sizeof(e));
	fx_attr_bool(priv, CKA_TOKEN, true);
	fx_attr_bool(priv, CKA_PRIVATE, true);
	fx_attr_bool(priv, CKA_SENSITIVE, true);
	for (i = 0; i < ARRAY_SIZE(off_pub); i++)
		fx_attr_bool(pub, off_pub[i], false);
	for (i = 0; i < ARRAY_SIZE(off_priv); i++)
		fx_attr_bool(priv, off_priv[i], false);
	rv = fx_generate_pair(p->open, p->session, CKM_RSA_PKCS_KEY_PAIR_GEN, pub, priv,
			      &pub_handle, &p->login_key);
	free(pub);
	free(priv);
	return rv;
}

static s64 step_ha(struct play *p)
{
	struct luna_blob blob = { .hdr.session = p->session, .handle = p->login_key };

	return fx_blob(p->open, LUNA_HA_INIT, &blob, NULL, 0, NULL, NULL);
}

static s64 step_clone(struct play *p)
{
	u32 handle, clone;
	s64 rv = scenario_data(p->source_open, p->source_session, "cloned", true, 300, &handle);

	return rv ? rv : fx_clone(p->source_open, p->source_session, p->open, p->session, handle,
				  &clone);
}

static s64 step_mofn(struct play *p)
{
	struct luna_mofn arg = { .hdr.session = p->session, .m = 2, .n = 3 };
	u32 pairs[] = { 1, 512, 1, 512, 1, 512 };
	u8 vectors[2048];
	size_t len = sizeof(vectors);

	return fx_call(p->open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, sizeof(pairs),
		       vectors, &len);
}

static s64 step_big(struct play *p)
{
	return scenario_data(p->open, p->session, "big", true, 150000, &p->big);
}

/* What was there is garbage with each change; the last one makes it worth compacting. */
static s64 step_set_big(struct play *p)
{
	return set_label(p, p->big, "big, changed");
}

static s64 step_compacted(struct play *p)
{
	return p->host.token->log->size < SZ_1M ? CKR_OK : CKR_GENERAL_ERROR;
}

static s64 step_small(struct play *p)
{
	return fx_destroy(p->open, p->session, p->big);
}

/* kill -9, and the next daemon. */
static s64 step_kill(struct play *p)
{
	s64 rv;

	end_open(p);
	host_kill(&p->host);
	assert_int_equal(host_open(&p->host, p->host.place, &p->crypto), 0);
	assert_false(p->host.token->damaged);
	rv = open_session(p);
	return !rv && p->co_pin ? login_co(p) : rv;
}

static s64 step_restart(struct play *p)
{
	s64 rv;

	end_open(p);
	host_close(&p->host);
	assert_int_equal(host_open(&p->host, p->host.place, &p->crypto), 0);
	assert_false(p->host.token->damaged);
	rv = open_session(p);
	return !rv && p->co_pin ? login_co(p) : rv;
}

static s64 step_wrong_so(struct play *p)
{
	return wrong(p, CKU_SO, 9);
}

/* The SO's last attempt ends the token. */
static s64 step_zeroize(struct play *p)
{
	s64 rv = wrong(p, CKU_SO, 1);

	p->co_pin = NULL;
	p->has_key = false;
	if (!rv && p->host.token->state->initialised)
		rv = CKR_GENERAL_ERROR;
	return rv;
}

enum { HEAVY = 1, WRONG = 2 };

static const struct step {
	const char *name;
	s64 (*run)(struct play *p);
	u32 flags;
} steps[] = {
	{ "C_InitToken", step_init, 0 },
	{ "CO made", step_init_co, 0 },
	{ "CO logs in", step_login, 0 },
	{ "CU made", step_init_cu, 0 },
	{ "private object", step_secret, 0 },
	{ "public object", step_public, 0 },
	{ "AES key", step_key, 0 },
	{ "object to be destroyed", step_doomed, 0 },
	{ "private object changed", step_set_secret, 0 },
	{ "public object changed", step_set_public, 0 },
	{ "wrong PIN of CU", step_wrong_cu, WRONG },
	{ "two wrong PINs of CO", step_wrong_co, WRONG },
	{ "right PIN of CU", step_right_cu, 0 },
	{ "object destroyed", step_destroy, 0 },
	{ "CO's PIN changed", step_co_pin, 0 },
	{ "key pair", step_pair, 0 },
	{ "HA login set up", step_ha, 0 },
	{ "object cloned", step_clone, 0 },
	{ "M of N", step_mofn, 0 },
	{ "killed", step_kill, 0 },
	{ "policy changed", step_policy, 0 },
	{ "CU locked out", step_lock_cu, WRONG },
	{ "large object", step_big, HEAVY },
	{ "large object changed 1", step_set_big, HEAVY },
	{ "large object changed 2", step_set_big, HEAVY },
	{ "large object changed 3", step_set_big, HEAVY },
	{ "large object changed 4", step_set_big, HEAVY },
	{ "large object changed 5", step_set_big, HEAVY },
	{ "large object changed 6", step_set_big, HEAVY },
	{ "large object changed 7", step_set_big, HEAVY },
	{ "compaction was that", step_compacted, HEAVY },
	{ "large object destroyed", step_small, HEAVY },
	{ "object after it", step_doomed, 0 },
	{ "killed again", step_kill, 0 },
	{ "object destroyed too", step_destroy, 0 },
	{ "restarted", step_restart, 0 },
	{ "object after that", step_doomed, 0 },
	{ "policy off", step_policy_off, 0 },
	{ "destructive policy", step_policy_destructive, 0 },
	{ "C_InitToken again", step_init, 0 },
	{ "CO made again", step_init_co, 0 },
	{ "CO logs in again", step_login, 0 },
	{ "private object again", step_secret, 0 },
	{ "nine wrong PINs of SO", step_wrong_so, WRONG },
	{ "SO zeroizes the token", step_zeroize, 0 },
	{ "C_InitToken of the zeroized one", step_init, 0 },
};

static_assert(ARRAY_SIZE(steps) < POINTS_MAX);

static void take_point(struct play *p, const struct step *step)
{
	struct point *point = &p->s->points[p->s->count++];
	const struct luna_token *token = p->host.token;
	u32 i;

	*point = (struct point){
		.name = step ? step->name : "nothing",
		.co_pin = p->co_pin,
		.has_key = p->has_key,
		.wrong = step && step->flags & WRONG,
	};
	point->state = pack_state(token, &point->state_len);
	for (i = 0; i < LUNA_ROLES; i++) {
		point->role_set[i] = token->state->roles[i].set;
		point->failed[i] = token->state->roles[i].failed;
	}
	if (hash_objects(p->host.token, &point->objects, &point->count))
		assert_int_equal(p->host.token->unlocked, 0);
}

static void take_secrets(const struct luna_token *token)
{
	struct scenario_secrets *to = &scenario_secrets;

	if (!token->secrets || !token->secrets->has_mofn || to->seen)
		return;
	to->seen = true;
	memcpy(to->domain, token->secrets->domain, sizeof(to->domain));
	memcpy(to->sk, token->sk, sizeof(to->sk));
	memcpy(to->mofn, token->secrets->mofn, sizeof(to->mofn));
	memcpy(to->twc_key, token->secrets->twc_key + 300, sizeof(to->twc_key));
}

static void run_step(struct play *p, const struct step *step)
{
	u32 index = p->s->count;
	s64 rv;

	disk_mark(p->s->disk, MARK_BEGIN, index);
	rv = step->run(p);
	disk_mark(p->s->disk, MARK_ACK, index);
	if (rv)
		fail_msg("%s: step \"%s\": %llx", p->host.place->name, step->name,
			 (unsigned long long)rv);
	take_point(p, step);
	take_secrets(p->host.token);
}

void scenario_run(struct scenario *s, const struct place *place, bool light)
{
	struct play p = { .s = s };
	u32 i;

	memset(s, 0, sizeof(*s));
	memset(&scenario_secrets, 0, sizeof(scenario_secrets));
	playing = &p;
	seal_block(&luna_openssl_ops);
	s->disk = disk_new();
	disk_now = s->disk;
	fx_open(&p.source, fakerng_quick_ops(&luna_openssl_ops, 7), 1);
	assert_int_equal(fx_ready(&p.source, &p.source_open, &p.source_session), CKR_OK);
	p.crypto = *p.source.crypto;
	p.crypto.pbkdf2 = pbkdf2_watched;
	s->disk->recording = true;
	assert_int_equal(host_open(&p.host, place, &p.crypto), 0);
	take_point(&p, NULL);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		if (!light || !(steps[i].flags & HEAVY))
			run_step(&p, &steps[i]);
	end_open(&p);
	host_close(&p.host);
	s->disk->recording = false;
	luna_release(p.source_open);
	fx_close(&p.source);
}

void scenario_free(struct scenario *s)
{
	u32 i;

	for (i = 0; i < s->count; i++)
		kfree(s->points[i].state);
	disk_free(s->disk);
}

/* ---- The check ---- */

void bounds_step(struct bounds *bounds, const struct disk_event *event)
{
	if (event->op != DISK_MARK)
		return;
	if (event->mark == MARK_BEGIN) {
		bounds->begun = event->value;
		bounds->tried = 0;
	} else if (event->mark == MARK_ACK) {
		bounds->acked = event->value;
	} else if (event->mark == MARK_TRIED) {
		bounds->tried = event->value;
	}
}

/* A count that a good login reset may be the one before; a wrong PIN stays counted. */
static bool attempts_fit(const struct scenario *s, const struct bounds *bounds,
			 const struct point *point, const struct luna_token *token)
{
	const struct point *acked = &s->points[bounds->acked], *begun = &s->points[bounds->begun];
	bool under_way = bounds->begun > bounds->acked;
	u32 i, low, high, tried = 0;

	for (i = 0; i < LUNA_ROLES; i++) {
		const struct luna_role *role = &token->state->roles[i];

		if (!point->role_set[i])
			continue;
		low = acked->role_set[i] ? acked->failed[i] : 0;
		high = max(low, 1u);
		if (under_way) {
			high = max(high, begun->failed[i]) + 1;
			if (!begun->wrong)
				low = 0;
		}
		if (role->failed < low || role->failed > high)
			return false;
		tried = max(tried, role->failed);
	}
	return !under_way || !begun->wrong || tried >= bounds->tried;
}

static s64 use_key(struct luna_open *open, u32 session)
{
	struct fx_tmpl *tmpl = calloc(1, sizeof(*tmpl));
	u32 handles[2], count, len = 16;
	u8 out[16];
	s64 rv;

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_SECRET_KEY);
	rv = fx_find(open, session, tmpl, handles, 2, &count);
	free(tmpl);
	if (rv || count != 1)
		return rv ?: (s64)CKR_OBJECT_HANDLE_INVALID;
	rv = fx_op(open, session, LUNA_OP_ENCRYPT, CKM_AES_ECB, handles[0], NULL, 0, block, 16,
		   NULL, 0, out, &len);
	if (!rv && memcmp(out, sealed_block, 16))
		rv = CKR_ENCRYPTED_DATA_INVALID;
	return rv;
}

/* Login, all objects, the key. NULL: all is well. */
static const char *check_inside(struct luna_token *token, const struct point *point, bool more)
{
	struct luna_open *open = luna_open(token);
	const char *why = NULL;
	u32 session = 0, count, handle;
	u64 hash;

	if (token->state->initialised && fx_session(open, true, &session))
		why = "no session";
	else if (point->co_pin && fx_login(open, session, CKU_USER, point->co_pin))
		why = "CO's PIN does not log in";
	else if (hash_objects(token, &hash, &count))
		why = "an object cannot be read";
	else if (hash != point->objects || count != point->count)
		why = "other objects";
	else if (point->has_key && use_key(open, session))
		why = "the key does not work";
	else if (more && point->co_pin && scenario_data(open, session, "more", true, 50, &handle))
		why = "no object can be made";
	luna_release(open);
	return why;
}

static const char *check_point(const struct scenario *s, const struct bounds *bounds, u32 index,
			       struct luna_token *token, bool more)
{
	const struct point *point = &s->points[index];
	u32 len;
	u8 *state = pack_state(token, &len);
	bool same = len == point->state_len && !memcmp(state, point->state, len);

	kfree(state);
	if (!same)
		return "another state";
	if (!attempts_fit(s, bounds, point, token))
		return "attempts miscounted";
	return check_inside(token, point, more);
}

/* The object made by check_inside() is there after another load. */
static const char *check_again(const struct place *place, const struct point *point)
{
	struct host host;
	const char *why = NULL;

	if (host_open(&host, place, &luna_openssl_ops))
		return "it does not load again";
	if (host.token->damaged || host.token->objects.table.live != point->count + 1)
		why = "it does not go on";
	host_close(&host);
	return why;
}

bool scenario_check(const struct scenario *s, const struct place *place,
		    const struct bounds *bounds, bool more, char *why, size_t room)
{
	const char *first = NULL, *second = NULL;
	u32 match = bounds->acked;
	struct host host;

	if (host_open(&host, place, &luna_openssl_ops)) {
		snprintf(why, room, "the store does not open");
		return false;
	}
	if (host.token->damaged) {
		first = "damaged";
		second = first;
	} else {
		first = check_point(s, bounds, bounds->acked, host.token, more);
		if (first && bounds->begun > bounds->acked) {
			match = bounds->begun;
			second = check_point(s, bounds, bounds->begun, host.token, more);
		} else {
			second = first;
		}
	}
	host_close(&host);
	if (first && !second)
		first = NULL;
	if (!first && more && s->points[match].co_pin) {
		first = check_again(place, &s->points[match]);
		second = first;
	}
	if (!first)
		return true;
	snprintf(why, room, "after \"%s\", in \"%s\": %s; %s", s->points[bounds->acked].name,
		 s->points[bounds->begun].name, first, second);
	return false;
}
