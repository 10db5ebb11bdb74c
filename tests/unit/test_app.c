// SPDX-License-Identifier: MIT
/*
 * Application ids through the ABI: who shares a login with whom, how long it lasts, what ends it, and
 * that none of it is left behind.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "app.h"
#include "crypto_openssl.h"
#include "engine_fixture.h"
#include "log_sink.h"
#include "session.h"
#include "token.h"

enum { CU = CKU_LIMITED_USER, USER_A = 1000, USER_B = 1001 };

/* An open file with a session. */
struct file {
	struct luna_open *open;
	u32 session;
};

static struct fx fx;

static s64 app_id(struct luna_open *open, u32 step, u64 id)
{
	struct luna_app_id arg = { .step = step };

	memcpy(arg.id, &id, sizeof(id));
	return fx_call(open, LUNA_APP_ID, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static struct luna_open *open_by(u32 owner)
{
	struct luna_open *open = luna_open_by(fx.token, owner);

	assert_false(IS_ERR(open));
	return open;
}

static void join(struct file *file, u32 owner, u64 id)
{
	file->open = open_by(owner);
	assert_int_equal(app_id(file->open, LUNA_APP_JOIN, id), CKR_OK);
	assert_int_equal(fx_session(file->open, true, &file->session), CKR_OK);
}

static void leave(struct file *file)
{
	luna_release(file->open);
	file->open = NULL;
}

static s64 login(struct file *file, u32 role, const char *pin)
{
	return fx_login(file->open, file->session, role, pin);
}

static void enter(struct file *file)
{
	assert_int_equal(login(file, CKU_USER, FX_CO_PIN), CKR_OK);
}

static u32 state_of(struct file *file)
{
	struct luna_session_info info = { .hdr.session = file->session };

	if (fx_call(file->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL))
		return U32_MAX;
	return info.state;
}

static void expect_in(struct file *file)
{
	assert_int_equal(state_of(file), CKS_RW_USER_FUNCTIONS);
}

static void expect_out(struct file *file)
{
	assert_int_equal(state_of(file), CKS_RW_PUBLIC_SESSION);
}

/* Nobody is logged in, and the keys have left the memory. */
static void expect_locked(void)
{
	static const u8 zeros[LUNA_SK_LEN];

	assert_int_equal(fx.token->unlocked, 0);
	assert_memory_equal(fx.token->sk, zeros, sizeof(zeros));
	assert_null(fx.token->secrets);
	assert_null(fx.token->seal_key);
}

/* How many applications the token knows. */
static u32 apps(void)
{
	struct luna_app *app;
	u32 count = 0;

	list_for_each_entry(app, &fx.token->apps, entry)
		count++;
	assert_int_equal(count, fx.token->app_count);
	return count;
}

static int begin(void **state)
{
	struct file f;

	fx_open(&fx, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	f.open = open_by(0);
	assert_int_equal(fx_init_token(f.open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	assert_int_equal(fx_session(f.open, true, &f.session), CKR_OK);
	assert_int_equal(login(&f, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(f.open, f.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_logout(f.open, f.session), CKR_OK);
	enter(&f);
	assert_int_equal(fx_init_pin(f.open, f.session, CU, FX_CU_PIN), CKR_OK);
	leave(&f);
	expect_locked();
	return 0;
}

/* Whatever a test did: with the last file and what it kept, everything is gone. */
static int finish(void **state)
{
	assert_true(list_empty(&fx.token->opens));
	fx_close(&fx);
	return 0;
}

/* ---- who shares ---- */

static void test_alone(void **state)
{
	struct file a = { .open = open_by(0) }, b = { .open = open_by(0) };

	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	enter(&a);
	expect_out(&b);
	enter(&b);
	assert_int_equal(fx.token->unlocked, 2);
	assert_int_equal(fx_logout(a.open, a.session), CKR_OK);
	expect_in(&b);
	leave(&a);
	leave(&b);
	expect_locked();
	assert_int_equal(apps(), 0);
}

static void test_shared(void **state)
{
	struct file a, b, other;

	join(&a, USER_A, 7);
	join(&b, USER_A, 7);
	join(&other, USER_A, 8);
	enter(&a);
	expect_in(&b);
	expect_out(&other);
	assert_int_equal(fx.token->unlocked, 1);
	assert_int_equal(login(&b, CKU_USER, FX_CO_PIN), CKR_USER_ALREADY_LOGGED_IN);
	assert_int_equal(login(&b, CU, FX_CU_PIN), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	/* Who logs out does so for all. */
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	expect_out(&a);
	assert_int_equal(fx_logout(a.open, a.session), CKR_USER_NOT_LOGGED_IN);
	expect_locked();
	leave(&a);
	leave(&b);
	leave(&other);
	assert_int_equal(apps(), 0);
}

/* The last session of all members ends the login, whosever it is; not the last one of a member. */
static void test_last_session(void **state)
{
	struct luna_hdr reset = { 0 };
	struct file a, b, c;

	join(&a, USER_A, 7);
	join(&b, USER_A, 7);
	join(&c, USER_A, 7);
	enter(&a);
	assert_int_equal(fx_session_close(a.open, a.session), CKR_OK);
	expect_in(&b);
	assert_int_equal(fx_call(b.open, LUNA_RESET, &reset, sizeof(reset), NULL, 0, NULL, NULL),
			 CKR_OK);
	assert_int_equal(state_of(&b), U32_MAX);
	expect_in(&c);
	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	expect_in(&a);
	leave(&c);
	expect_in(&a);
	assert_int_equal(fx_session_close(a.open, a.session), CKR_OK);
	expect_locked();
	leave(&a);
	leave(&b);
}

static void test_order(void **state)
{
	struct file a, b = { .open = open_by(USER_A) };

	join(&a, USER_A, 7);
	assert_int_equal(app_id(a.open, LUNA_APP_JOIN, 7), CKR_OK);
	assert_int_equal(app_id(a.open, LUNA_APP_JOIN, 8), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	assert_int_equal(app_id(b.open, LUNA_APP_JOIN, 7), CKR_SESSION_EXISTS);
	enter(&a);
	expect_out(&b);
	assert_int_equal(fx_session_close(b.open, b.session), CKR_OK);
	assert_int_equal(app_id(b.open, LUNA_APP_JOIN, 7), CKR_OK);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	expect_in(&b);
	leave(&a);
	leave(&b);
}

static void *close_session(void *arg)
{
	struct file *f = arg;

	return (void *)(long)fx_session_close(f->open, f->session);
}

static bool is_unlinked(struct file *f)
{
	guard(mutex)(&f->open->lock);
	return !f->open->sessions.live;
}

/*
 * A last session that is being closed, but has a command yet to wait for, is still one: or its file
 * would be another application's by the time it ends the login, which nobody would end any more.
 */
static void test_join_while_closing(void **state)
{
	struct file a = { .open = open_by(USER_A) };
	struct luna_session *busy;
	pthread_t closer;
	void *rv;

	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	enter(&a);
	busy = luna_session_get(a.open, a.session, true);	/* as a command that runs in it */
	assert_non_null(busy);
	assert_int_equal(pthread_create(&closer, NULL, close_session, &a), 0);
	while (!is_unlinked(&a))
		usleep(1000);
	assert_int_equal(app_id(a.open, LUNA_APP_JOIN, 7), CKR_SESSION_EXISTS);
	mutex_unlock(&busy->lock);
	luna_session_put(busy);
	pthread_join(closer, &rv);
	assert_int_equal((long)rv, CKR_OK);
	expect_locked();
	assert_int_equal(app_id(a.open, LUNA_APP_JOIN, 7), CKR_OK);
	luna_release(a.open);
	assert_int_equal(apps(), 0);
}

static void test_malformed(void **state)
{
	struct luna_app_id arg = { .step = LUNA_APP_JOIN, .reserved = 1 };
	struct luna_open *open = open_by(0);

	assert_int_equal(app_id(open, 0, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(app_id(open, LUNA_APP_CLOSE + 1, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_call(open, LUNA_APP_ID, &arg, sizeof(arg), NULL, 0, NULL, NULL),
			 CKR_ARGUMENTS_BAD);
	luna_release(open);
}

/* The SO wants read-write sessions alone, in all of the application. */
static void test_so(void **state)
{
	struct file a, b;
	u32 ro;

	join(&a, USER_A, 7);
	join(&b, USER_A, 7);
	assert_int_equal(fx_session(b.open, false, &ro), CKR_OK);
	assert_int_equal(login(&a, CKU_SO, FX_SO_PIN), CKR_SESSION_READ_ONLY_EXISTS);
	assert_int_equal(fx_session_close(b.open, ro), CKR_OK);
	assert_int_equal(login(&a, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_session(b.open, false, &ro), CKR_SESSION_READ_WRITE_SO_EXISTS);
	leave(&b);
	leave(&a);
	expect_locked();
}

static u32 make_key(struct file *file, bool token)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handle;

	fx_attr_bool(&tmpl, CKA_TOKEN, token);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	assert_int_equal(fx_generate_key(file->open, file->session, CKM_AES_KEY_GEN, &tmpl, &handle),
			 CKR_OK);
	return handle;
}

static s64 encrypt(struct file *file, u32 step, u32 key)
{
	static const u8 iv[16], data[16];
	struct luna_op op = {
		.hdr.session = file->session,
		.op = LUNA_OP_ENCRYPT,
		.step = step,
		.mechanism = CKM_AES_CBC,
		.key = key,
		.param_len = step == LUNA_STEP_INIT ? sizeof(iv) : 0,
		.data_len = step == LUNA_STEP_INIT ? 0 : sizeof(data),
		.out_max = 64,
	};
	u8 out[64];
	size_t out_len = sizeof(out);

	return fx_call(file->open, LUNA_OP, &op, sizeof(op), step == LUNA_STEP_INIT ? iv : data, 16,
		       out, &out_len);
}

static bool has_operation(struct file *file)
{
	struct luna_session *session = luna_session_get(file->open, file->session, false);
	bool has = session->ops[LUNA_OP_ENCRYPT];

	luna_session_put(session);
	return has;
}

/* A logout by one member ends what another one does with private keys, and their session keys. */
static void test_logout_ends_all(void **state)
{
	struct file a, b;
	u32 shared, own;
	u32 len = 8;
	u64 class;

	join(&a, USER_A, 7);
	join(&b, USER_A, 7);
	enter(&a);
	shared = make_key(&a, true);
	own = make_key(&b, false);
	/* Session objects are the open file's, token objects the token's. */
	assert_int_equal(encrypt(&a, LUNA_STEP_INIT, own), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(encrypt(&b, LUNA_STEP_INIT, shared), CKR_OK);
	assert_int_equal(encrypt(&b, LUNA_STEP_UPDATE, 0), CKR_OK);
	assert_true(has_operation(&b));
	assert_int_equal(fx_logout(a.open, a.session), CKR_OK);
	assert_false(has_operation(&b));	/* nor its key in memory */
	assert_int_equal(encrypt(&b, LUNA_STEP_UPDATE, 0), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(encrypt(&b, LUNA_STEP_INIT, shared), CKR_KEY_HANDLE_INVALID);
	enter(&b);
	assert_int_equal(encrypt(&a, LUNA_STEP_INIT, shared), CKR_OK);
	assert_int_equal(fx_attr_get(b.open, b.session, own, CKA_CLASS, &class, &len),
			 CKR_OBJECT_HANDLE_INVALID);
	leave(&a);
	leave(&b);
	expect_locked();
}

/* ---- what is kept ---- */

static void test_kept(void **state)
{
	struct file a, b;

	join(&a, USER_A, 7);
	assert_int_equal(app_id(a.open, LUNA_APP_OPEN, 7), CKR_OK);
	assert_int_equal(app_id(a.open, LUNA_APP_OPEN, 7), CKR_ACCESS_ID_ALREADY_EXISTS);
	enter(&a);
	leave(&a);
	assert_int_equal(fx.token->unlocked, 1);
	assert_int_equal(apps(), 1);

	join(&b, USER_A, 7);
	expect_in(&b);
	make_key(&b, true);
	/* It stays open, without a login, when that ends. */
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	expect_locked();
	enter(&b);
	leave(&b);
	assert_int_equal(fx.token->unlocked, 1);

	a.open = open_by(USER_A);
	assert_int_equal(app_id(a.open, LUNA_APP_CLOSE, 7), CKR_OK);
	expect_locked();
	assert_int_equal(app_id(a.open, LUNA_APP_CLOSE, 7), CKR_ACCESS_ID_INVALID);
	assert_int_equal(app_id(a.open, LUNA_APP_CLOSE, 9), CKR_ACCESS_ID_INVALID);
	leave(&a);
	assert_int_equal(apps(), 0);
}

/* Before anybody has joined, or after. */
static void test_kept_from_outside(void **state)
{
	struct luna_open *tool = open_by(USER_A);
	struct file a;

	assert_int_equal(app_id(tool, LUNA_APP_OPEN, 7), CKR_OK);
	join(&a, USER_A, 7);
	enter(&a);
	leave(&a);
	assert_int_equal(fx.token->unlocked, 1);
	assert_int_equal(app_id(tool, LUNA_APP_CLOSE, 7), CKR_OK);
	expect_locked();

	join(&a, USER_A, 8);
	enter(&a);
	assert_int_equal(app_id(tool, LUNA_APP_OPEN, 8), CKR_OK);
	leave(&a);
	assert_int_equal(fx.token->unlocked, 1);
	luna_release(tool);
	assert_int_equal(fx.token->unlocked, 1);
}

/* All members' sessions end; also where nothing was kept. */
static void test_close(void **state)
{
	struct luna_open *tool = open_by(USER_A);
	struct file a, b, other;

	join(&a, USER_A, 7);
	join(&b, USER_A, 7);
	join(&other, USER_A, 8);
	enter(&a);
	enter(&other);
	assert_int_equal(app_id(tool, LUNA_APP_CLOSE, 7), CKR_OK);
	assert_int_equal(state_of(&a), U32_MAX);
	assert_int_equal(state_of(&b), U32_MAX);
	expect_in(&other);
	assert_int_equal(app_id(tool, LUNA_APP_CLOSE, 7), CKR_ACCESS_ID_INVALID);
	/* The id is as good as new. */
	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	expect_out(&a);
	leave(&a);
	leave(&b);
	leave(&other);
	luna_release(tool);
	expect_locked();
}

/* ---- users ---- */

static void test_users(void **state)
{
	struct file a, b, root;

	join(&a, USER_A, 7);
	join(&b, USER_B, 7);
	enter(&a);
	expect_out(&b);
	assert_int_equal(app_id(a.open, LUNA_APP_OPEN, 7), CKR_OK);
	assert_int_equal(app_id(b.open, LUNA_APP_OPEN, 7), CKR_OK);
	assert_int_equal(app_id(b.open, LUNA_APP_CLOSE, 7), CKR_OK);
	expect_in(&a);
	leave(&a);
	leave(&b);
	join(&b, USER_B, 7);
	expect_out(&b);
	join(&root, 0, 7);
	expect_out(&root);
	leave(&b);
	leave(&root);
	join(&a, USER_A, 7);
	expect_in(&a);
	leave(&a);
}

/* What root has, too, is its own; what it keeps open is for everybody to use, not to close. */
static void test_root(void **state)
{
	struct file a, b, root;

	join(&root, 0, 7);
	enter(&root);
	join(&a, USER_A, 7);
	expect_out(&a);
	leave(&a);
	assert_int_equal(app_id(root.open, LUNA_APP_OPEN, 7), CKR_OK);
	leave(&root);
	join(&a, USER_A, 7);
	join(&b, USER_B, 7);
	expect_in(&a);
	expect_in(&b);
	assert_int_equal(app_id(a.open, LUNA_APP_CLOSE, 7), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(app_id(a.open, LUNA_APP_OPEN, 7), CKR_ACCESS_ID_ALREADY_EXISTS);
	expect_in(&b);
	root.open = open_by(0);
	assert_int_equal(app_id(root.open, LUNA_APP_CLOSE, 7), CKR_OK);
	assert_int_equal(state_of(&a), U32_MAX);
	leave(&root);
	leave(&a);
	leave(&b);
	expect_locked();
}

/* ---- limits ---- */

static void keep_logged_in(u32 owner, u64 id)
{
	struct file f;

	join(&f, owner, id);
	enter(&f);
	assert_int_equal(app_id(f.open, LUNA_APP_OPEN, id), CKR_OK);
	leave(&f);
}

static void test_limits(void **state)
{
	struct luna_open *a = open_by(USER_A), *b = open_by(USER_B);
	struct file f;
	u64 id;

	/* Without a PIN nobody keeps places from others: the oldest gives way. */
	for (id = 1; id <= LUNA_APPS_KEPT_MAX + 3; id++)
		assert_int_equal(app_id(a, LUNA_APP_OPEN, id), CKR_OK);
	assert_int_equal(apps(), LUNA_APPS_KEPT_MAX + 2);
	assert_int_equal(app_id(a, LUNA_APP_CLOSE, 3), CKR_ACCESS_ID_INVALID);
	assert_int_equal(app_id(a, LUNA_APP_CLOSE, 4), CKR_OK);
	/* One that a file has joined does not. */
	join(&f, USER_A, 5);
	for (id = 100; id < 100 + LUNA_APPS_KEPT_MAX; id++)
		assert_int_equal(app_id(a, LUNA_APP_OPEN, id), CKR_OK);
	assert_int_equal(app_id(a, LUNA_APP_OPEN, 5), CKR_ACCESS_ID_ALREADY_EXISTS);
	leave(&f);
	/* Nor one that somebody is logged in to. */
	for (id = 1000; id < 1000 + LUNA_APPS_KEPT_MAX; id++)
		keep_logged_in(USER_A, id);
	assert_int_equal(fx.token->unlocked, LUNA_APPS_KEPT_MAX);
	assert_int_equal(app_id(a, LUNA_APP_OPEN, 1), CKR_DEVICE_MEMORY);
	assert_int_equal(app_id(b, LUNA_APP_OPEN, 1), CKR_OK);
	keep_logged_in(USER_B, 1000);
	luna_release(a);
	luna_release(b);
	assert_int_equal(apps(), LUNA_APPS_KEPT_MAX + 2);
}

/* ---- the end of a partition, and of the device ---- */

static void test_init_token(void **state)
{
	struct luna_open *open;
	struct file a;

	keep_logged_in(USER_A, 7);
	open = open_by(0);
	assert_int_equal(fx_init_token(open, LUNA_TOKEN_PPSO, "wrong-so-pin", FX_DOMAIN),
			 CKR_PIN_INCORRECT);
	assert_int_equal(fx.token->unlocked, 1);
	assert_int_equal(fx_init_token(open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	expect_locked();
	assert_int_equal(apps(), 1);
	luna_release(open);
	join(&a, USER_A, 7);
	expect_out(&a);
	assert_int_equal(login(&a, CKU_SO, FX_SO_PIN), CKR_OK);
	leave(&a);
	expect_locked();
}

static void test_zeroize(void **state)
{
	struct file a, kept;
	u32 i;

	keep_logged_in(USER_A, 7);
	join(&a, USER_A, 8);
	join(&kept, USER_A, 7);
	for (i = 0; i < 10; i++)
		assert_int_equal(login(&a, CKU_SO, "wrong-so-pin"), CKR_PIN_INCORRECT);
	assert_false(fx.token->state->initialised);
	expect_locked();
	expect_out(&kept);
	leave(&kept);
	leave(&a);
	assert_int_equal(apps(), 0);
}

static void test_restart(void **state)
{
	struct file a;

	keep_logged_in(USER_A, 7);
	fx_reopen(&fx);
	expect_locked();
	join(&a, USER_A, 7);
	expect_out(&a);
	leave(&a);
}

/* ---- at the same time ---- */

enum { THREADS = 6, TURNS = 150 };

static bool expected(s64 rv)
{
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN || rv == CKR_USER_NOT_LOGGED_IN ||
	       rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_SESSION_CLOSED ||
	       rv == CKR_ACCESS_ID_ALREADY_EXISTS || rv == CKR_ACCESS_ID_INVALID;
}

static s64 turn(struct file *f, u32 dice)
{
	switch (dice % 8) {
	case 0:
		return app_id(f->open, LUNA_APP_OPEN, 7);
	case 1:
		return app_id(f->open, LUNA_APP_CLOSE, 7);
	case 2:
		return fx_logout(f->open, f->session);
	case 3:
		return fx_session_close(f->open, f->session);
	case 4:
		return fx_session(f->open, true, &f->session);
	default:
		return login(f, CKU_USER, FX_CO_PIN);
	}
}

static void *come_and_go(void *arg)
{
	u32 dice = (uintptr_t)arg * 2654435761u + 1;
	struct file f = { 0 };
	uintptr_t bad = 0;
	u32 i;

	for (i = 0; i < TURNS; i++) {
		dice = dice * 1664525 + 1013904223;
		if (!f.open) {
			f.open = luna_open_by(fx.token, USER_A);
			bad += app_id(f.open, LUNA_APP_JOIN, 7) != CKR_OK;
			bad += fx_session(f.open, true, &f.session) != CKR_OK;
		} else if ((dice >> 16) % 10 == 0) {
			leave(&f);
		} else {
			bad += !expected(turn(&f, dice >> 20));
		}
	}
	if (f.open)
		leave(&f);
	return (void *)bad;
}

static void test_threads(void **state)
{
	struct luna_open *open;
	pthread_t threads[THREADS];
	void *bad;
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(atomic_read(&fx.token->sessions), 0);
	assert_in_range(apps(), 0, 1);
	assert_in_range(fx.token->unlocked, 0, apps());
	open = open_by(USER_A);
	app_id(open, LUNA_APP_CLOSE, 7);
	luna_release(open);
	expect_locked();
	assert_int_equal(apps(), 0);
}

/* The partition ends while they do. */
static void test_zeroize_among(void **state)
{
	pthread_t threads[THREADS];
	struct file a;
	uintptr_t i;

	join(&a, USER_B, 1);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, (void *)i), 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(login(&a, CKU_SO, "wrong-so-pin"), CKR_PIN_INCORRECT);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	leave(&a);
	expect_locked();
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alone),
		TEST(test_shared),
		TEST(test_last_session),
		TEST(test_order),
		TEST(test_join_while_closing),
		TEST(test_malformed),
		TEST(test_so),
		TEST(test_logout_ends_all),
		TEST(test_kept),
		TEST(test_kept_from_outside),
		TEST(test_close),
		TEST(test_users),
		TEST(test_root),
		TEST(test_limits),
		TEST(test_init_token),
		TEST(test_zeroize),
		TEST(test_restart),
		TEST(test_threads),
		TEST(test_zeroize_among),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
