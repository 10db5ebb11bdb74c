// SPDX-License-Identifier: MIT
/*
 * Roles through the ABI: who may log in and set which PIN, what counts as an attempt, what too many
 * of them lead to, and that all of it survives a restart, a power cut and a store that fails.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "crypto_openssl.h"
#include "engine_fixture.h"
#include "log_sink.h"
#include "token.h"

#define WRONG	"no-such-pin"
#define CO_NEW	"another co pin"

enum { CU = CKU_LIMITED_USER, ALLOWED = 10 };

/* An initialised token with one open file and a read-write session. */
struct bench {
	struct fx fx;
	struct luna_open *open;
	u32 session;
};

static void attach(struct bench *b, bool rw)
{
	b->open = luna_open(b->fx.token);
	assert_false(IS_ERR(b->open));
	b->session = 0;
	if (b->fx.token->state->initialised && !b->fx.token->damaged)
		assert_int_equal(fx_session(b->open, rw, &b->session), CKR_OK);
}

static void restart(struct bench *b)
{
	luna_release(b->open);
	fx_reopen(&b->fx);
	attach(b, true);
}

static s64 login(struct bench *b, u32 role, const char *pin)
{
	return fx_login(b->open, b->session, role, pin);
}

static void logout(struct bench *b)
{
	assert_int_equal(fx_logout(b->open, b->session), CKR_OK);
}

static void enter(struct bench *b, u32 role, const char *pin)
{
	assert_int_equal(login(b, role, pin), CKR_OK);
}

/* Gives all roles their PINs; @type LUNA_TOKEN_*. */
static void start(struct bench *b, u32 type)
{
	fx_open(&b->fx, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	b->open = luna_open(b->fx.token);
	assert_int_equal(fx_init_token(b->open, type, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	assert_int_equal(fx_session(b->open, true, &b->session), CKR_OK);
}

static void start_all(struct bench *b)
{
	start(b, LUNA_TOKEN_PPSO);
	enter(b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_init_pin(b->open, b->session, CKU_USER, FX_CO_PIN), CKR_OK);
	logout(b);
	enter(b, CKU_USER, FX_CO_PIN);
	assert_int_equal(fx_init_pin(b->open, b->session, CU, FX_CU_PIN), CKR_OK);
	logout(b);
}

static void end(struct bench *b)
{
	luna_release(b->open);
	fx_close(&b->fx);
}

static struct luna_role_state role_state(struct bench *b, u32 role)
{
	struct luna_role_state arg = { .role = role };

	assert_int_equal(fx_call(b->open, LUNA_ROLE_STATE, &arg, sizeof(arg), NULL, 0, NULL, NULL),
			 CKR_OK);
	assert_int_equal(arg.auth[0], 1);
	return arg;
}

static void guess_wrong(struct bench *b, u32 role, u32 times)
{
	while (times--)
		assert_int_equal(login(b, role, WRONG), CKR_PIN_INCORRECT);
}

static void test_login(void **state)
{
	struct bench b;
	u32 ro;

	start_all(&b);
	assert_int_equal(login(&b, CKU_AUDIT, FX_CO_PIN), CKR_USER_TYPE_INVALID);
	assert_int_equal(login(&b, 77, FX_CO_PIN), CKR_USER_TYPE_INVALID);
	assert_int_equal(login(&b, CKU_CONTEXT_SPECIFIC, FX_CO_PIN), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(fx_logout(b.open, b.session), CKR_USER_NOT_LOGGED_IN);
	enter(&b, CKU_USER, FX_CO_PIN);
	assert_int_equal(login(&b, CKU_USER, WRONG), CKR_USER_ALREADY_LOGGED_IN);
	assert_int_equal(login(&b, CU, FX_CU_PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	assert_int_equal(login(&b, CKU_SO, FX_SO_PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	logout(&b);
	enter(&b, CKU_LIMITED_USER_OLD, FX_CU_PIN);
	logout(&b);
	assert_int_equal(fx_session(b.open, false, &ro), CKR_OK);
	assert_int_equal(login(&b, CKU_SO, FX_SO_PIN), CKR_SESSION_READ_ONLY_EXISTS);
	assert_int_equal(fx_session_close(b.open, ro), CKR_OK);
	enter(&b, CKU_SO, FX_SO_PIN);
	end(&b);
}

static void test_not_initialised(void **state)
{
	struct bench b;

	start(&b, LUNA_TOKEN_PPSO);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(login(&b, CU, FX_CU_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(role_state(&b, CKU_USER).flags, 0);
	assert_int_equal(role_state(&b, CKU_SO).flags, CAF_ROLE_STATE_INITIALIZED);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, CO_NEW),
			 CKR_USER_PIN_NOT_INITIALIZED);
	end(&b);
}

/* The key is in memory as long as somebody is logged in, and no longer. */
static void test_keys_in_memory(void **state)
{
	static const u8 zeros[LUNA_SK_LEN];
	struct bench b, other;

	start_all(&b);
	other.fx = b.fx;
	attach(&other, true);
	assert_memory_equal(b.fx.token->sk, zeros, LUNA_SK_LEN);
	enter(&b, CKU_SO, FX_SO_PIN);
	enter(&other, CU, FX_CU_PIN);
	assert_int_equal(b.fx.token->unlocked, 2);
	logout(&b);
	assert_memory_not_equal(b.fx.token->sk, zeros, LUNA_SK_LEN);
	assert_non_null(b.fx.token->secrets);
	luna_release(other.open);	/* ends its login */
	assert_int_equal(b.fx.token->unlocked, 0);
	assert_memory_equal(b.fx.token->sk, zeros, LUNA_SK_LEN);
	assert_null(b.fx.token->secrets);
	assert_null(b.fx.token->seal_key);
	end(&b);
}

static void test_init_pin(void **state)
{
	struct bench b;
	u32 ro;

	start(&b, LUNA_TOKEN_PPSO);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN),
			 CKR_USER_NOT_LOGGED_IN);
	enter(&b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_SO, FX_SO_PIN), CKR_USER_TYPE_INVALID);
	assert_int_equal(fx_init_pin(b.open, b.session, 99, FX_SO_PIN), CKR_USER_TYPE_INVALID);
	assert_int_equal(fx_init_pin(b.open, b.session, CU, FX_CU_PIN), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, "abc"), CKR_PIN_LEN_RANGE);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(role_state(&b, CKU_USER).flags,
			 CAF_ROLE_STATE_INITIALIZED | CAF_ROLE_STATE_PIN_CHANGE);
	logout(&b);
	enter(&b, CKU_USER, FX_CO_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, CO_NEW), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_session(b.open, false, &ro), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, ro, CU, FX_CU_PIN), CKR_SESSION_READ_ONLY);
	assert_int_equal(fx_init_pin(b.open, b.session, CU, FX_CU_PIN), CKR_OK);
	restart(&b);
	enter(&b, CU, FX_CU_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CU, FX_CU_PIN), CKR_USER_NOT_LOGGED_IN);
	end(&b);
}

/* A legacy token's SO gives both users their PINs. */
static void test_init_pin_legacy(void **state)
{
	struct bench b;

	start(&b, LUNA_TOKEN_LEGACY);
	enter(&b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CU, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	restart(&b);
	enter(&b, CU, FX_CU_PIN);
	end(&b);
}

static void test_set_pin(void **state)
{
	struct bench b;
	u32 ro;

	start_all(&b);
	/* A public session: the crypto officer's. */
	assert_int_equal(fx_set_pin(b.open, b.session, WRONG, CO_NEW), CKR_PIN_INCORRECT);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED - 1);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, "abc"), CKR_PIN_LEN_RANGE);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, CO_NEW), CKR_OK);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	assert_int_equal(role_state(&b, CKU_USER).flags, CAF_ROLE_STATE_INITIALIZED);
	restart(&b);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_PIN_INCORRECT);
	enter(&b, CKU_USER, CO_NEW);
	assert_int_equal(fx_session(b.open, false, &ro), CKR_OK);
	assert_int_equal(fx_set_pin(b.open, ro, CO_NEW, FX_CO_PIN), CKR_SESSION_READ_ONLY);
	assert_int_equal(fx_set_pin(b.open, b.session, CO_NEW, FX_CO_PIN), CKR_OK);
	logout(&b);
	assert_int_equal(fx_session_close(b.open, ro), CKR_OK);
	/* The role that is logged in: its own. */
	enter(&b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_SO_PIN, "new so pin"), CKR_OK);
	logout(&b);
	enter(&b, CKU_SO, "new so pin");
	logout(&b);
	enter(&b, CKU_USER, FX_CO_PIN);
	end(&b);
}

static void test_malformed(void **state)
{
	static const char pin[] = FX_CO_PIN;
	struct bench b;
	struct luna_pin arg;
	u32 i;
	const struct {
		u32 nr;
		struct luna_pin arg;
	} bad[] = {
		{ LUNA_LOGIN, { .role = CKU_USER, .pin_len = 3 } },
		{ LUNA_LOGIN, { .role = CKU_USER, .pin_len = U32_MAX } },
		{ LUNA_LOGIN, { .role = CKU_USER, .pin_len = sizeof(pin), .new_len = 1 } },
		{ LUNA_LOGIN, { .role = CKU_USER, .pin_len = sizeof(pin), .reserved = 1 } },
		{ LUNA_INIT_PIN, { .role = CKU_USER, .pin_len = 3 } },
		{ LUNA_SET_PIN, { .pin_len = U32_MAX, .new_len = sizeof(pin) + 1 } },
		{ LUNA_SET_PIN, { .pin_len = 1, .new_len = sizeof(pin) } },
		{ LUNA_SET_PIN, { .role = 1, .pin_len = 1, .new_len = sizeof(pin) - 1 } },
	};

	start_all(&b);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		arg = bad[i].arg;
		arg.hdr.session = b.session;
		assert_int_equal(fx_call(b.open, bad[i].nr, &arg, sizeof(arg), pin, sizeof(pin),
					 NULL, NULL), CKR_ARGUMENTS_BAD);
	}
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	end(&b);
}

static void test_pin_length(void **state)
{
	char pin[258];
	struct bench b;

	memset(pin, 'x', sizeof(pin));
	start_all(&b);
	pin[256] = '\0';
	assert_int_equal(login(&b, CKU_USER, pin), CKR_PIN_LEN_RANGE);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	pin[255] = '\0';
	assert_int_equal(login(&b, CKU_USER, pin), CKR_PIN_INCORRECT);
	assert_int_equal(login(&b, CKU_USER, ""), CKR_PIN_INCORRECT);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED - 2);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, pin), CKR_OK);
	enter(&b, CKU_USER, pin);
	end(&b);
}

/* ---- Too many attempts ---- */

static void test_lockout(void **state)
{
	struct bench b;

	start_all(&b);
	guess_wrong(&b, CKU_USER, ALLOWED - 1);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, 1);
	restart(&b);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, 1);
	enter(&b, CKU_USER, FX_CO_PIN);		/* a good one forgives them all */
	logout(&b);
	restart(&b);
	guess_wrong(&b, CKU_USER, ALLOWED);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_LOCKED_OUT);
	assert_int_equal(login(&b, CKU_USER, WRONG), CKR_USER_LOCKED_OUT);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, CO_NEW), CKR_USER_LOCKED_OUT);
	assert_int_equal(login(&b, CU, FX_CU_PIN), CKR_USER_LOCKED_OUT);
	restart(&b);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_LOCKED_OUT);
	assert_true(role_state(&b, CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_true(role_state(&b, CU).flags & CAF_ROLE_STATE_LOCKED_OUT);
	/* The SO resets it. */
	enter(&b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, CO_NEW), CKR_OK);
	logout(&b);
	restart(&b);
	enter(&b, CU, FX_CU_PIN);
	logout(&b);
	enter(&b, CKU_USER, CO_NEW);
	end(&b);
}

static void test_lockout_crypto_user(void **state)
{
	struct bench b;

	start_all(&b);
	guess_wrong(&b, CU, ALLOWED);
	assert_int_equal(login(&b, CU, FX_CU_PIN), CKR_USER_LOCKED_OUT);
	enter(&b, CKU_USER, FX_CO_PIN);		/* not locked with it */
	assert_int_equal(fx_init_pin(b.open, b.session, CU, FX_CU_PIN), CKR_OK);
	logout(&b);
	enter(&b, CU, FX_CU_PIN);
	end(&b);
}

/* Without HSM policy 15 the SO can give the crypto officer a first PIN, but no second. */
static void test_no_reset(void **state)
{
	struct bench b;

	start(&b, LUNA_TOKEN_PPSO);
	b.fx.token->state->hsm_policies[15] = 0;
	enter(&b, CKU_SO, FX_SO_PIN);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_USER, CO_NEW),
			 CKR_OPERATION_NOT_ALLOWED);
	end(&b);
}

static void test_policy_20(void **state)
{
	struct bench b;

	start_all(&b);
	b.fx.token->state->policies[20] = 3;
	guess_wrong(&b, CKU_USER, 3);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_LOCKED_OUT);
	end(&b);
}

/* What the SO's last failure does: everybody is out, and nothing is left. */
static void test_zeroize(void **state)
{
	struct fx_tmpl tmpl = { 0 };
	struct bench b, other;
	u8 serial[LUNA_SERIAL_LEN];
	u32 handle;

	start_all(&b);
	other.fx = b.fx;
	attach(&other, true);
	enter(&other, CKU_USER, FX_CO_PIN);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	assert_int_equal(fx_create(other.open, other.session, &tmpl, &handle), CKR_OK);
	memcpy(serial, b.fx.token->state->serial, sizeof(serial));
	guess_wrong(&b, CKU_SO, ALLOWED);
	assert_false(b.fx.token->state->initialised);
	assert_int_equal(b.fx.token->objects.table.live, 0);
	assert_int_equal(b.fx.token->unlocked, 0);
	assert_int_equal(luna_open_role(other.open), -1);
	assert_int_equal(fx_logout(other.open, other.session), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_destroy(other.open, other.session, handle), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(login(&b, CKU_SO, FX_SO_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	luna_release(other.open);
	restart(&b);
	assert_false(b.fx.token->state->initialised);
	assert_memory_equal(b.fx.token->state->serial, serial, sizeof(serial));
	assert_int_equal(b.fx.token->objects.table.live, 0);
	assert_int_equal(fx_init_token(b.open, LUNA_TOKEN_PPSO, "next so pin", FX_DOMAIN), CKR_OK);
	end(&b);
}

/* ---- Power cuts and failing stores ---- */

struct cut {
	u32 wrong;	/* attempts that have begun */
	u32 images;
};

/* Whatever is left of the store, no attempt that was answered is forgotten. */
static void cut_power(const struct memstore *store, void *arg)
{
	struct cut *cut = arg;
	struct fx fx;

	fx_open_store(&fx, NULL, 0, memstore_image(store, store->synced));
	assert_false(fx.token->damaged);
	assert_true(fx.token->state->roles[LUNA_ROLE_CO].failed + 1 >= cut->wrong);
	cut->images++;
	fx_close(&fx);
}

static void test_counted_before(void **state)
{
	struct cut cut = { 0 };
	struct bench b;

	start_all(&b);
	b.fx.store->changed = cut_power;
	b.fx.store->changed_arg = &cut;
	while (cut.wrong < ALLOWED) {
		cut.wrong++;
		guess_wrong(&b, CKU_USER, 1);
		/* It was answered, so it counts in what a cut would leave from now on. */
		assert_int_equal(b.fx.store->synced, b.fx.store->content.len);
	}
	b.fx.store->changed = NULL;
	assert_true(cut.images >= ALLOWED);
	end(&b);
}

/* What another program does meanwhile; it hangs if the login holds what it needs. */
static void *come_by(void *arg)
{
	struct bench b = { .fx = *(struct fx *)arg };

	attach(&b, true);
	assert_int_equal(fx_session_close(b.open, b.session), CKR_OK);
	luna_release(b.open);
	return NULL;
}

struct visits {
	struct fx *fx;
	u32 count;
};

static void visit(const struct memstore *store, void *arg)
{
	struct visits *visits = arg;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, come_by, visits->fx), 0);
	pthread_join(thread, NULL);
	visits->count++;
}

/* While an attempt is on its way to the disk, others open the token and sessions on it. */
static void test_open_while_counting(void **state)
{
	struct visits visits;
	struct bench b;

	start_all(&b);
	visits = (struct visits){ &b.fx, 0 };
	b.fx.store->changed_arg = &visits;
	b.fx.store->changed = visit;
	guess_wrong(&b, CKU_USER, 1);
	assert_int_equal(visits.count, 2);	/* the record, and its flush */
	enter(&b, CKU_USER, FX_CO_PIN);
	assert_true(visits.count > 4);
	b.fx.store->changed = NULL;
	end(&b);
}

static void test_store_fails(void **state)
{
	struct bench b;

	start_all(&b);
	/* What cannot be counted is not tried. */
	memstore_fail(b.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_DEVICE_MEMORY);
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	enter(&b, CKU_USER, FX_CO_PIN);
	memstore_fail(b.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_equal(fx_init_pin(b.open, b.session, CU, "new cu pin"), CKR_DEVICE_MEMORY);
	logout(&b);
	enter(&b, CU, FX_CU_PIN);	/* the old one */
	logout(&b);
	memstore_fail(b.fx.store, MEMSTORE_APPEND, 3, -ENOSPC, 0);
	assert_int_equal(fx_set_pin(b.open, b.session, FX_CO_PIN, CO_NEW), CKR_DEVICE_MEMORY);
	enter(&b, CKU_USER, FX_CO_PIN);
	logout(&b);
	/* The zeroization that fails is made up for at the next attempt. */
	guess_wrong(&b, CKU_SO, ALLOWED - 1);
	memstore_break(b.fx.store, MEMSTORE_REPLACE_BEGIN, 1, -ENOSPC);
	assert_int_equal(login(&b, CKU_SO, WRONG), CKR_DEVICE_MEMORY);
	memstore_fail(b.fx.store, MEMSTORE_REPLACE_BEGIN, 0, 0, 0);
	restart(&b);
	assert_true(b.fx.token->state->initialised);
	assert_int_equal(login(&b, CKU_SO, FX_SO_PIN), CKR_PIN_INCORRECT);
	assert_false(b.fx.token->state->initialised);
	end(&b);
}

static void test_flush_fails(void **state)
{
	struct bench b;

	start_all(&b);
	memstore_fail(b.fx.store, MEMSTORE_SYNC, 1, -EIO, 0);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_DEVICE_ERROR);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_DEVICE_ERROR);
	restart(&b);
	enter(&b, CKU_USER, FX_CO_PIN);
	end(&b);
}

/* One that nobody got to try costs nothing. */
static void test_killed(void **state)
{
	static struct luna_crypto_ops slow;
	struct bench b;

	start_all(&b);
	slow = *b.fx.crypto;
	slow.pbkdf2 = NULL;
	b.fx.token->crypto = &slow;
	b.fx.token->state->roles[LUNA_ROLE_CO].iterations = 5000;
	port_killed = true;
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_FUNCTION_CANCELED);
	port_killed = false;
	b.fx.token->crypto = b.fx.crypto;
	b.fx.token->state->roles[LUNA_ROLE_CO].iterations = 1;
	assert_int_equal(role_state(&b, CKU_USER).attempts_left, ALLOWED);
	enter(&b, CKU_USER, FX_CO_PIN);
	end(&b);
}

/* ---- At the same time ---- */

enum { THREADS = 6, TURNS = 40 };

static void *guess(void *arg)
{
	struct bench b = { .fx = *(struct fx *)arg };
	uintptr_t tried = 0;
	u32 i;

	attach(&b, true);
	for (i = 0; i < TURNS; i++)
		tried += login(&b, CKU_USER, WRONG) == CKR_PIN_INCORRECT;
	luna_release(b.open);
	return (void *)tried;
}

/* Guessing from many threads gives no more attempts than from one. */
static void test_parallel_guesses(void **state)
{
	pthread_t threads[THREADS];
	struct bench b;
	void *tried;
	u32 i, total = 0;

	start_all(&b);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, guess, &b.fx), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &tried);
		total += (uintptr_t)tried;
	}
	assert_int_equal(total, ALLOWED);
	end(&b);
}

static void *come_and_go(void *arg)
{
	struct bench b = { .fx = *(struct fx *)arg };
	uintptr_t bad = 0;
	u32 i;

	attach(&b, true);
	for (i = 0; i < TURNS; i++) {
		bad += login(&b, i & 1 ? CKU_USER : CU, i & 1 ? FX_CO_PIN : FX_CU_PIN) != CKR_OK;
		bad += fx_logout(b.open, b.session) != CKR_OK;
	}
	luna_release(b.open);
	return (void *)bad;
}

static void test_parallel_logins(void **state)
{
	pthread_t threads[THREADS];
	struct bench b;
	void *bad;
	u32 i;

	start_all(&b);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &b.fx), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(b.fx.token->unlocked, 0);
	end(&b);
}

/* ---- sessions that are closed while one of them logs in ---- */

static struct bench *closing;
static u32 closing_other;
static pthread_t closer;

static void *close_session(void *arg)
{
	struct bench *b = arg;

	return (void *)(uintptr_t)fx_session_close(b->open, b->session);
}

static bool is_open(struct bench *b, u32 session)
{
	struct luna_session_info info = { .hdr.session = session };

	return !fx_call(b->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
}

/* While the PIN is being tried, all sessions are closed; that of the login waits for it. */
static int closing_pbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
			  size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	struct bench *b = closing;

	closing = NULL;
	if (b) {
		assert_int_equal(pthread_create(&closer, NULL, close_session, b), 0);
		while (is_open(b, b->session))
			sched_yield();
		assert_int_equal(fx_session_close(b->open, closing_other), CKR_OK);
		/* InitToken sees that something is still going on. */
		assert_int_equal(atomic_read(&b->fx.token->sessions), 1);
	}
	return luna_openssl_ops.pbkdf2(hash, pin, pin_len, salt, salt_len, iterations, out, out_len);
}

/* A login does not outlive the sessions: nothing would end it before the next InitToken. */
static void test_login_while_closing(void **state)
{
	struct luna_crypto_ops ops;
	struct bench b;
	void *closed;

	start_all(&b);
	assert_int_equal(fx_session(b.open, true, &closing_other), CKR_OK);
	ops = *b.fx.token->crypto;
	ops.pbkdf2 = closing_pbkdf2;
	b.fx.token->crypto = &ops;
	closing = &b;
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_SESSION_CLOSED);
	pthread_join(closer, &closed);
	assert_int_equal((uintptr_t)closed, CKR_OK);
	assert_int_equal(luna_open_role(b.open), -1);
	assert_int_equal(b.fx.token->unlocked, 0);
	assert_int_equal(atomic_read(&b.fx.token->sessions), 0);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	enter(&b, CKU_USER, FX_CO_PIN);
	end(&b);
}

/* Policies are read without a lock, also by commands that need no session. */
static void test_state_stays(void **state)
{
	const struct luna_state *before;
	struct bench b;

	start_all(&b);
	before = b.fx.token->state;
	assert_int_equal(fx_session_close(b.open, b.session), CKR_OK);
	assert_int_equal(fx_init_token(b.open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	assert_ptr_equal(b.fx.token->state, before);
	assert_int_equal(before->init_count, 2);
	end(&b);
}

/* The partition ends while others come and go: they are told so, and nothing of them is left. */
static void test_zeroize_among_logins(void **state)
{
	pthread_t threads[THREADS];
	struct bench b;
	u32 i;

	start_all(&b);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &b.fx), 0);
	guess_wrong(&b, CKU_SO, ALLOWED);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_false(b.fx.token->state->initialised);
	assert_int_equal(b.fx.token->unlocked, 0);
	end(&b);
}

static int setup(void **state)
{
	port_log_sink(sink_nothing);
	return luna_openssl_start();
}

static int teardown(void **state)
{
	fakerng_forget_keys();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_not_initialised),
		cmocka_unit_test(test_keys_in_memory),
		cmocka_unit_test(test_init_pin),
		cmocka_unit_test(test_init_pin_legacy),
		cmocka_unit_test(test_set_pin),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_pin_length),
		cmocka_unit_test(test_lockout),
		cmocka_unit_test(test_lockout_crypto_user),
		cmocka_unit_test(test_no_reset),
		cmocka_unit_test(test_policy_20),
		cmocka_unit_test(test_zeroize),
		cmocka_unit_test(test_counted_before),
		cmocka_unit_test(test_open_while_counting),
		cmocka_unit_test(test_store_fails),
		cmocka_unit_test(test_flush_fails),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_parallel_guesses),
		cmocka_unit_test(test_parallel_logins),
		cmocka_unit_test(test_login_while_closing),
		cmocka_unit_test(test_state_stays),
		cmocka_unit_test(test_zeroize_among_logins),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
