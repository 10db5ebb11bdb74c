// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Roles: what a PIN opens, how often it may be wrong, who logs in and out (PKCS#11 v2.40, 5.5 and
 * 5.6).
 *
 * The token's storage key is wrapped once for each role, under a key made of the role's PIN.
 * token->auth lets one attempt or change at a time; PBKDF2 runs under it alone. An application's
 * role is written under token->lock, and at login and logout also under app->lock.
 */
#include "app.h"
#include "cmd.h"
#include "log.h"
#include "mech.h"
#include "object.h"
#include "policy.h"
#include "role.h"
#include "session.h"
#include "token_init.h"

/* What the provider works on, hence heap memory, and wiped. */
struct pin_scratch {
	u8 kek[LUNA_SK_LEN];
	u8 sk[LUNA_SK_LEN];
	u8 wrapped[LUNA_SK_LEN + LUNA_SEAL_OVERHEAD];
};

static const u32 role_users[LUNA_ROLES] = {
	[LUNA_ROLE_SO] = CKU_SO,
	[LUNA_ROLE_CO] = CKU_USER,
	[LUNA_ROLE_CU] = CKU_LIMITED_USER,
};

int luna_role_index(u32 cku)
{
	int i;

	if (cku == CKU_LIMITED_USER_OLD)	/* of older clients' headers */
		return LUNA_ROLE_CU;
	for (i = 0; i < LUNA_ROLES; i++)
		if (role_users[i] == cku)
			return i;
	return -1;
}

u32 luna_role_cku(int role)
{
	return role < 0 || role >= LUNA_ROLES ? LUNA_ROLE_NONE : role_users[role];
}

/* ---- PINs ---- */

static int make_kek(struct luna_token *token, const struct luna_role *role, const u8 *pin, u32 len,
		    u8 *kek)
{
	return luna_pbkdf2(token->crypto, LUNA_SHA256, pin, len, role->salt, sizeof(role->salt),
			   role->iterations, kek, LUNA_SK_LEN);
}

static int wrap_sk(struct luna_token *token, int index, struct luna_role *role, const u8 *pin,
		   u32 len, struct pin_scratch *s)
{
	int err = make_kek(token, role, pin, len, s->kek);

	if (!err)
		err = luna_seal_with(token, s->kek, LUNA_SEAL_SK, index, s->sk, sizeof(s->sk),
				     s->wrapped);
	if (!err)
		memcpy(role->wrapped, s->wrapped, sizeof(role->wrapped));
	return err;
}

/* A role as it is with a new PIN. */
static int role_make(struct luna_token *token, int index, const u8 *sk, const u8 *pin, u32 len,
		     struct luna_role *role)
{
	struct pin_scratch *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	memset(role, 0, sizeof(*role));
	role->set = true;
	role->iterations = token->config.pin_iterations ? token->config.pin_iterations :
							  LUNA_PIN_ITERATIONS;
	memcpy(s->sk, sk, sizeof(s->sk));
	err = token->crypto->random(role->salt, sizeof(role->salt));
	if (!err)
		err = wrap_sk(token, index, role, pin, len, s);
	kfree_sensitive(s);
	return err;
}

int luna_role_set_pin(struct luna_token *token, struct luna_state *state, int role,
		      const u8 sk[LUNA_SK_LEN], const u8 *pin, u32 len)
{
	struct luna_role *made = kmalloc(sizeof(*made), GFP_KERNEL);
	int err;

	if (!made)
		return -ENOMEM;
	err = role_make(token, role, sk, pin, len, made);
	if (!err)
		state->roles[role] = *made;
	kfree(made);
	return err;
}

/* Opens the storage key. Return: 0, -EBADMSG for a wrong PIN, or what the provider says. */
static int try_pin(struct luna_token *token, int index, const struct luna_role *role, const u8 *pin,
		   u32 len, u8 *sk)
{
	struct pin_scratch *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	memcpy(s->wrapped, role->wrapped, sizeof(s->wrapped));
	err = make_kek(token, role, pin, len, s->kek);
	if (!err)
		err = luna_unseal_with(token, s->kek, LUNA_SEAL_SK, index, s->wrapped,
				       sizeof(s->wrapped), s->sk);
	if (!err)
		memcpy(sk, s->sk, sizeof(s->sk));
	kfree_sensitive(s);
	return err;
}

/* ---- Counting attempts ---- */

static u32 attempts_allowed(const struct luna_token *token, int role)
{
	return role == LUNA_ROLE_SO ? LUNA_SO_ATTEMPTS : luna_policy(token, 20);
}

/* token->lock is held. The count says so as well, if the power went before the lock was written. */
static bool role_locked(const struct luna_token *token, int index)
{
	const struct luna_role *role = &token->state->roles[index];

	return role->locked || role->failed >= attempts_allowed(token, index);
}

/* The crypto officer's lock is the crypto user's, too: only who may reset the former ends it. */
bool luna_role_closed(const struct luna_token *token, int index)
{
	return role_locked(token, index) ||
	       (index == LUNA_ROLE_CU && role_locked(token, LUNA_ROLE_CO));
}

static void put_attempts(struct luna_token *token, int role, u32 failed, bool locked)
{
	guard(rwsem_write)(&token->lock);
	token->state->roles[role].failed = failed;
	token->state->roles[role].locked = locked;
}

/*
 * Sets the count in memory first, so that a whole state written meanwhile by someone else has it,
 * too. The flush runs without token->lock.
 */
static u32 save_attempts(struct luna_token *token, int role, u32 failed, bool locked, bool durable)
{
	u32 old_failed = token->state->roles[role].failed;
	bool old_locked = token->state->roles[role].locked;
	int err;

	put_attempts(token, role, failed, locked);
	err = luna_log_attempts(token, role, failed, locked, durable);
	if (err)
		put_attempts(token, role, old_failed, old_locked);
	return luna_ckr(err);
}

/*
 * May there be an attempt? The product answers a login to a locked role by CKR_USER_LOCKED_OUT, not
 * by the standard's CKR_PIN_LOCKED, and its clients look for that.
 */
static u32 attempt_open(struct luna_token *token, int role, struct luna_role *copy, u32 *allowed)
{
	guard(rwsem_read)(&token->lock);
	*copy = token->state->roles[role];
	*allowed = attempts_allowed(token, role);
	if (!token->state->initialised || !copy->set)
		return CKR_USER_PIN_NOT_INITIALIZED;
	return luna_role_closed(token, role) ? CKR_USER_LOCKED_OUT : CKR_OK;
}

/* A wrong PIN was counted before it was tried; what is left is what follows from the last one. */
static u32 attempt_wrong(struct luna_token *token, int role, bool last)
{
	u32 rv = CKR_OK;

	if (last && role == LUNA_ROLE_SO)
		rv = luna_token_zeroize(token);
	return rv ? rv : CKR_PIN_INCORRECT;
}

static u32 attempt_run(struct luna_token *token, int role, struct luna_role *copy, u32 allowed,
		       const u8 *pin, u32 len, u8 *sk)
{
	u32 before = copy->failed;
	bool last = before + 1 >= allowed;
	u32 rv;
	int err;

	rv = save_attempts(token, role, before + 1, last, true);
	if (rv)
		return rv;
	err = try_pin(token, role, copy, pin, len, sk);
	if (err == -EBADMSG)
		return attempt_wrong(token, role, last);
	/*
	 * Right, or not tried after all. A flush of its own is worth it only if failures were on
	 * record: losing this write otherwise costs one attempt.
	 */
	rv = save_attempts(token, role, err ? before : 0, false, before || last);
	if (rv || err)
		memzero_explicit(sk, LUNA_SK_LEN);
	return err ? luna_ckr(err) : rv;
}

u32 luna_role_check_pin(struct luna_token *token, struct luna_state *state, int role, const u8 *pin,
			u32 len, u8 sk[LUNA_SK_LEN])
{
	struct luna_role *copy;
	u32 allowed, rv;

	lockdep_assert_held(&token->auth);
	memset(sk, 0, LUNA_SK_LEN);
	if (len > LUNA_PIN_MAX)
		return CKR_PIN_LEN_RANGE;
	copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	if (!copy)
		return CKR_DEVICE_MEMORY;
	rv = attempt_open(token, role, copy, &allowed);
	if (rv == CKR_OK)
		rv = attempt_run(token, role, copy, allowed, pin, len, sk);
	else if (rv == CKR_USER_LOCKED_OUT && role == LUNA_ROLE_SO)
		rv = attempt_wrong(token, role, true);	/* the power went before the zeroization */
	kfree(copy);
	return rv;
}

/* ---- The storage key in memory ---- */

/* token->lock is held for writing. */
static void token_lock_keys(struct luna_token *token)
{
	token->crypto->aes_key_free(token->seal_key);
	token->seal_key = NULL;
	memzero_explicit(token->sk, sizeof(token->sk));
	kfree_sensitive(token->secrets);
	token->secrets = NULL;
	luna_objects_lock_all(token);
}

static u32 token_unlock_keys(struct luna_token *token, const u8 *sk)
{
	struct luna_aes_key *key;
	u32 rv;

	if (token->unlocked)
		return crypto_memneq(token->sk, sk, LUNA_SK_LEN) ? CKR_PIN_INCORRECT : CKR_OK;
	memcpy(token->sk, sk, LUNA_SK_LEN);
	key = token->crypto->aes_key(token->sk, LUNA_SK_LEN);
	if (IS_ERR(key)) {
		rv = luna_ckr(PTR_ERR(key));
	} else {
		token->seal_key = key;
		rv = luna_secrets_open(token);
	}
	if (rv)
		token_lock_keys(token);
	return rv;
}

static u32 unlock_alone(struct luna_token *token, const u8 *sk)
{
	u32 rv;

	guard(rwsem_write)(&token->lock);
	rv = token_unlock_keys(token, sk);
	if (rv == CKR_OK)
		token->unlocked = 1;
	return rv == CKR_PIN_INCORRECT ? CKR_DATA_INVALID : rv;
}

u32 luna_role_unlock(struct luna_token *token, int role, const u8 *pin, u32 len)
{
	struct luna_role *copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	u8 sk[LUNA_SK_LEN];
	u32 allowed, rv;
	int err;

	if (!copy)
		return CKR_DEVICE_MEMORY;
	rv = attempt_open(token, role, copy, &allowed);
	if (rv == CKR_OK) {
		err = try_pin(token, role, copy, pin, len, sk);
		rv = err == -EBADMSG ? CKR_PIN_INCORRECT : luna_ckr(err);
	}
	if (rv == CKR_OK)
		rv = unlock_alone(token, sk);
	memzero_explicit(sk, sizeof(sk));
	kfree(copy);
	return rv;
}

void luna_role_lock(struct luna_token *token)
{
	guard(rwsem_write)(&token->lock);
	token->unlocked = 0;
	token_lock_keys(token);
}

/* ---- Login ---- */

/* What forbids a login before any PIN is looked at. open->lock and app->lock are held. */
static u32 login_allowed(const struct luna_open *open, int role)
{
	const struct luna_app *app = open->app;
	int now = READ_ONCE(app->role);

	/* The last session was closed meanwhile, and nothing would end this login any more. */
	if (!open->sessions.live)
		return CKR_SESSION_CLOSED;
	if (now == role)
		return CKR_USER_ALREADY_LOGGED_IN;
	if (now >= 0)
		return CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	if (role == LUNA_ROLE_SO && app->ro_sessions)
		return CKR_SESSION_READ_ONLY_EXISTS;
	return CKR_OK;
}

static u32 login_check(struct luna_open *open, int role)
{
	guard(mutex)(&open->lock);
	guard(mutex)(&open->app->lock);
	return login_allowed(open, role);
}

void luna_app_set_role(struct luna_app *app, int role)
{
	WRITE_ONCE(app->role, role);
	WRITE_ONCE(app->login_epoch, app->login_epoch + 1);
}

static u32 login_enter(struct luna_app *app, int role, const u8 *sk)
{
	struct luna_token *token = app->token;
	u32 rv;

	guard(rwsem_write)(&token->lock);
	if (!token->state->initialised || !token->state->roles[role].set)
		return CKR_USER_PIN_NOT_INITIALIZED;
	rv = token_unlock_keys(token, sk);
	if (rv)
		return rv;
	token->unlocked++;
	luna_app_set_role(app, role);
	luna_token_changed(token);
	return CKR_OK;
}

u32 luna_login_with_sk(struct luna_open *open, int role, const u8 sk[LUNA_SK_LEN])
{
	u32 rv;

	guard(mutex)(&open->lock);
	guard(mutex)(&open->app->lock);
	rv = login_allowed(open, role);
	return rv ? rv : login_enter(open->app, role, sk);
}

/* An attempt under token->auth; the slow part, during which no other lock of the token is held. */
static u32 check_pin(struct luna_token *token, int role, const u8 *pin, u32 len, u8 *sk)
{
	guard(mutex)(&token->auth);
	return luna_role_check_pin(token, token->state, role, pin, len, sk);
}

/* CKR_OK with the role that a CKU_* names. */
static u32 role_named(u32 cku, int *role)
{
	*role = luna_role_index(cku);
	return *role < 0 ? CKR_USER_TYPE_INVALID : CKR_OK;
}

/*
 * C_Login(CKU_CONTEXT_SPECIFIC): the PIN again, for one operation with a CKA_ALWAYS_AUTHENTICATE
 * key.
 */
static u32 login_operation(struct luna_ucmd *cmd)
{
	struct luna_op_state *op = luna_op_auth_pending(cmd->session);
	int role = luna_session_role(cmd->session);
	u8 sk[LUNA_SK_LEN];
	u32 rv;

	if (!op)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (role < 0)
		return CKR_USER_NOT_LOGGED_IN;
	rv = check_pin(cmd->token, role, cmd->in, cmd->in_len, sk);
	memzero_explicit(sk, sizeof(sk));
	if (rv)
		return rv;
	op->auth_pending = false;
	luna_token_changed(cmd->token);	/* so that the next Init is not kept back */
	return CKR_OK;
}

u32 luna_do_login(struct luna_ucmd *cmd)
{
	const struct luna_pin *arg = cmd->arg;
	u8 sk[LUNA_SK_LEN];
	int role;
	u32 rv;

	if (arg->pin_len != cmd->in_len || arg->new_len || arg->reserved)
		return CKR_ARGUMENTS_BAD;
	if (arg->role == CKU_CONTEXT_SPECIFIC)
		return login_operation(cmd);
	rv = role_named(arg->role, &role);
	if (!rv)
		rv = login_check(cmd->open, role);
	if (!rv)
		rv = check_pin(cmd->token, role, cmd->in, cmd->in_len, sk);
	if (rv)
		return rv;
	/* Checks again: another thread may have been faster, or the partition may have ended. */
	rv = luna_login_with_sk(cmd->open, role, sk);
	memzero_explicit(sk, sizeof(sk));
	/* The key is the right one: the secrets that it does not open are damaged. */
	return rv == CKR_PIN_INCORRECT ? CKR_DEVICE_ERROR : rv;
}

/* ---- Logout ---- */

static bool logout_role(struct luna_app *app)
{
	struct luna_token *token = app->token;

	guard(rwsem_write)(&token->lock);
	if (app->role < 0)
		return false;
	luna_app_set_role(app, -1);
	if (!--token->unlocked)
		token_lock_keys(token);
	luna_token_changed(token);
	return true;
}

/* Return: whether anyone was logged in. app->lock keeps a new login out until this one is over. */
static bool logout_locked(struct luna_app *app)
{
	struct luna_open *open;

	if (!logout_role(app))
		return false;
	list_for_each_entry(open, &app->members, member)
		luna_objects_end_private(open);
	return true;
}

static bool logout(struct luna_app *app)
{
	struct luna_open *open;
	u64 after = 0;
	bool any;

	mutex_lock(&app->lock);
	any = logout_locked(app);
	mutex_unlock(&app->lock);
	/* Operations are void already; here their keys leave the memory. */
	while (any && (open = luna_app_next(app, &after)) != NULL) {
		luna_open_cancel_ops(open);
		luna_open_put(open);
	}
	return any;
}

void luna_app_logout(struct luna_app *app)
{
	logout(app);
}

void luna_app_logout_idle(struct luna_app *app)
{
	guard(mutex)(&app->lock);
	if (!app->sessions && !READ_ONCE(app->kept))
		logout_locked(app);
}

u32 luna_do_logout(struct luna_ucmd *cmd)
{
	return logout(luna_open_app(cmd->open)) ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
}

/* ---- The end of a partition ---- */

/* What stays of a state: the token's identity and its policies, until it is initialised again. */
static struct luna_state *state_zeroized(const struct luna_state *state)
{
	struct luna_state *next = kmemdup(state, sizeof(*state), GFP_KERNEL);

	if (!next)
		return NULL;
	next->initialised = false;
	memset(next->roles, 0, sizeof(next->roles));
	memset(&next->ha, 0, sizeof(next->ha));
	memset(&next->mofn, 0, sizeof(next->mofn));
	memset(next->twc, 0, sizeof(next->twc));
	memset(next->secrets, 0, sizeof(next->secrets));
	next->twc_len = 0;
	next->secrets_len = 0;
	return next;
}

/* So no app->lock can be taken, and none is needed. */
void luna_token_end_logins(struct luna_token *token)
{
	struct luna_open *open;

	lockdep_assert_held_write(&token->lock);
	luna_apps_end(token);
	list_for_each_entry(open, &token->opens, entry)
		luna_objects_end_private(open);
	token->unlocked = 0;
	token->mofn_active = false;
	token_lock_keys(token);
}

u32 luna_token_zeroize(struct luna_token *token)
{
	struct luna_state *next;
	int err;

	guard(rwsem_write)(&token->lock);
	next = state_zeroized(token->state);
	if (!next)
		return CKR_DEVICE_MEMORY;
	err = luna_log_restart(token, next);
	if (!err) {
		pr_warn("slot %u: too many wrong SO PINs: the partition is zeroized\n",
			token->config.slot);
		memcpy(token->state, next, sizeof(*next));
		luna_token_end_logins(token);
		luna_objects_drop_all(token);
		luna_token_changed(token);
	}
	kfree_sensitive(next);
	return luna_ckr(err);
}

/* ---- C_InitPIN and C_SetPIN ---- */

/* A new PIN on its way. */
struct pin_change {
	struct luna_open *open;
	int role;
	int actor;	/* the role logged in, or -1 */
	bool foreign;	/* the actor is another role, and must stay logged in until the end */
	const u8 *pin;
	u32 len;
};

static u32 pin_len_check(struct luna_token *token, u32 len)
{
	guard(rwsem_read)(&token->lock);
	return len < luna_pin_min(token) || len > luna_pin_max(token) ? CKR_PIN_LEN_RANGE : CKR_OK;
}

/* Makes the new role durable, or leaves the old one. */
static u32 change_commit(const struct pin_change *change, const struct luna_role *made)
{
	struct luna_token *token = change->open->token;
	struct luna_role *role;
	struct luna_role old;
	u32 rv;

	guard(rwsem_write)(&token->lock);
	if (!token->state->initialised ||
	    (change->foreign && luna_open_role(change->open) != change->actor))
		return CKR_USER_NOT_LOGGED_IN;
	role = &token->state->roles[change->role];
	old = *role;
	*role = *made;
	rv = luna_state_save(token);
	if (rv)
		*role = old;
	return rv;
}

/* token->auth is held: no attempt at the role's PIN comes in between. */
static u32 change_run(const struct pin_change *change, const u8 *sk)
{
	struct luna_token *token = change->open->token;
	struct luna_role *made = kmalloc(sizeof(*made), GFP_KERNEL);
	u32 rv;

	if (!made)
		return CKR_DEVICE_MEMORY;
	rv = luna_ckr(role_make(token, change->role, sk, change->pin, change->len, made));
	made->pin_change = change->foreign;
	if (rv == CKR_OK)
		rv = change_commit(change, made);
	kfree(made);
	return rv;
}

/* Who may give a role its PIN: the one above; on a legacy token the SO may for all. */
static bool may_init_pin(const struct luna_token *token, int actor, int role)
{
	if (role == LUNA_ROLE_CO)
		return actor == LUNA_ROLE_SO;
	return actor == LUNA_ROLE_CO || (actor == LUNA_ROLE_SO && !luna_token_is_ppso(token));
}

/* Rules of C_InitPIN that need the token's state, and the storage key. */
static u32 init_pin_allowed(const struct pin_change *change, u8 *sk)
{
	struct luna_token *token = change->open->token;

	guard(rwsem_read)(&token->lock);
	if (!token->unlocked || !may_init_pin(token, change->actor, change->role))
		return CKR_USER_NOT_LOGGED_IN;
	/* A second PIN for the crypto officer is a reset, which HSM policy 15 may forbid. */
	if (change->role == LUNA_ROLE_CO && token->state->roles[LUNA_ROLE_CO].set &&
	    !luna_hsm_policy(token, 15))
		return CKR_OPERATION_NOT_ALLOWED;
	memcpy(sk, token->sk, LUNA_SK_LEN);
	return CKR_OK;
}

static u32 init_pin_run(const struct pin_change *change)
{
	u8 sk[LUNA_SK_LEN];
	u32 rv;

	guard(mutex)(&change->open->token->auth);
	rv = init_pin_allowed(change, sk);
	if (rv == CKR_OK)
		rv = change_run(change, sk);
	memzero_explicit(sk, sizeof(sk));
	return rv;
}

u32 luna_do_init_pin(struct luna_ucmd *cmd)
{
	const struct luna_pin *arg = cmd->arg;
	struct pin_change change = {
		.open = cmd->open,
		.actor = luna_session_role(cmd->session),
		.foreign = true,
		.pin = cmd->in,
		.len = cmd->in_len,
	};
	u32 rv;

	if (arg->pin_len != cmd->in_len || arg->new_len || arg->reserved)
		return CKR_ARGUMENTS_BAD;
	rv = role_named(arg->role, &change.role);
	if (rv || change.role == LUNA_ROLE_SO)
		return CKR_USER_TYPE_INVALID;
	if (change.actor < 0)
		return CKR_USER_NOT_LOGGED_IN;
	if (!cmd->session->rw)
		return CKR_SESSION_READ_ONLY;
	rv = pin_len_check(cmd->token, change.len);
	return rv ? rv : init_pin_run(&change);
}

static u32 set_pin_run(const struct pin_change *change, const u8 *old, u32 old_len)
{
	struct luna_token *token = change->open->token;
	u8 sk[LUNA_SK_LEN];
	u32 rv;

	guard(mutex)(&token->auth);
	rv = luna_role_check_pin(token, token->state, change->role, old, old_len, sk);
	if (rv == CKR_OK)
		rv = change_run(change, sk);
	memzero_explicit(sk, sizeof(sk));
	return rv;
}

u32 luna_do_set_pin(struct luna_ucmd *cmd)
{
	const struct luna_pin *arg = cmd->arg;
	struct pin_change change = {
		.open = cmd->open,
		.actor = luna_session_role(cmd->session),
		.len = arg->new_len,
	};
	u32 rv;

	if (arg->pin_len > cmd->in_len || arg->new_len != cmd->in_len - arg->pin_len || arg->role ||
	    arg->reserved)
		return CKR_ARGUMENTS_BAD;
	if (!cmd->session->rw)
		return CKR_SESSION_READ_ONLY;
	change.pin = cmd->in + arg->pin_len;
	/* The standard's rule for a public session: it is the user's PIN. */
	change.role = change.actor < 0 ? LUNA_ROLE_CO : change.actor;
	rv = pin_len_check(cmd->token, change.len);
	return rv ? rv : set_pin_run(&change, cmd->in, arg->pin_len);
}

/* ---- CA_RoleStateGet ---- */

u32 luna_do_role_state(struct luna_ucmd *cmd)
{
	struct luna_role_state *arg = cmd->arg;
	struct luna_token *token = cmd->token;
	const struct luna_role *role;
	u32 allowed, rv;
	int index;

	rv = role_named(arg->role, &index);
	if (rv)
		return rv;
	memset(arg->auth, 0, sizeof(arg->auth));
	arg->flags = 0;
	arg->attempts_left = 0;
	guard(rwsem_read)(&token->lock);
	role = &token->state->roles[array_index_nospec(index, LUNA_ROLES)];
	arg->auth[0] = 1;	/* CA_AUTH_PASSWORD, and no second one */
	if (!role->set)
		return CKR_OK;
	allowed = attempts_allowed(token, index);
	arg->flags = CAF_ROLE_STATE_INITIALIZED;
	if (role->pin_change)
		arg->flags |= CAF_ROLE_STATE_PIN_CHANGE;
	if (luna_role_closed(token, index))
		arg->flags |= CAF_ROLE_STATE_LOCKED_OUT;
	else
		arg->attempts_left = allowed - role->failed;
	return CKR_OK;
}
