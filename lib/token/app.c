// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Applications; see app.h. An open file begins as the only member of an application without an id.
 * Once, before it opens sessions, it may join the one of an id (LUNA_APP_JOIN). The login is the
 * application's (role.c); sessions, operations and session objects stay the open file's.
 *
 * Whoever knows an id may join: that is what it is for. But an id is its user's: another user's
 * open file with the same id is in an application of its own, unless root keeps that id open
 * (LUNA_APP_OPEN), which it does for the services of a host.
 */
#include "app.h"
#include "cmd.h"
#include "role.h"
#include "session.h"

/* The user whose kept applications everybody may join. */
enum { OWNER_ROOT = 0 };

static struct luna_app *app_new(u32 owner)
{
	struct luna_app *app = kzalloc(sizeof(*app), GFP_KERNEL_ACCOUNT);

	if (!app)
		return NULL;
	mutex_init(&app->lock);
	INIT_LIST_HEAD(&app->members);
	app->refs = 1;
	app->owner = owner;
	app->role = -1;
	return app;
}

static void app_free(struct luna_app *app)
{
	WARN_ON_ONCE(app->role >= 0 || app->sessions);
	mutex_destroy(&app->lock);
	kfree_sensitive(app);	/* who knows the id can join again */
}

/* token->lock is held for writing. Return: the application, if it is to be freed */
static struct luna_app *app_unref(struct luna_app *app)
{
	lockdep_assert_held_write(&app->token->lock);
	if (--app->refs)
		return NULL;
	list_del(&app->entry);
	app->token->app_count--;
	return app;
}

void luna_app_put(struct luna_token *token, struct luna_app *app)
{
	if (!app)
		return;
	down_write(&token->lock);
	app = app_unref(app);
	up_write(&token->lock);
	if (app)
		app_free(app);
}

/* token->lock is held for writing. */
static void app_add(struct luna_token *token, struct luna_app *app)
{
	app->token = token;
	list_add_tail(&app->entry, &token->apps);
	token->app_count++;
}

static void member_add(struct luna_app *app, struct luna_open *open)
{
	guard(mutex)(&app->lock);
	open->joined = ++app->joins;
	list_add_tail(&open->member, &app->members);
}

static void member_del(struct luna_app *app, struct luna_open *open)
{
	guard(mutex)(&app->lock);
	list_del(&open->member);
}

int luna_app_start(struct luna_open *open)
{
	struct luna_token *token = open->token;
	struct luna_app *app = app_new(open->owner);

	if (!app)
		return -ENOMEM;
	member_add(app, open);
	open->own = app;
	open->app = app;
	guard(rwsem_write)(&token->lock);
	app_add(token, app);
	return 0;
}

void luna_app_leave(struct luna_open *open)
{
	member_del(luna_open_app(open), open);
}

struct luna_open *luna_app_next(struct luna_app *app, u64 *after)
{
	struct luna_open *open;

	guard(mutex)(&app->lock);
	list_for_each_entry(open, &app->members, member) {
		if (open->joined <= *after)
			continue;
		*after = open->joined;
		refcount_inc(&open->refs);
		return open;
	}
	return NULL;
}

/* ---- finding one by its id; token->lock is held ---- */

static bool app_is(const struct luna_app *app, const u8 *id)
{
	return app->named && !crypto_memneq(app->id, id, LUNA_APP_ID_LEN);
}

/* The user's own, else what root keeps. */
static struct luna_app *app_find(struct luna_token *token, u32 owner, const u8 *id)
{
	struct luna_app *app, *root = NULL;

	list_for_each_entry(app, &token->apps, entry) {
		if (!app_is(app, id))
			continue;
		if (app->owner == owner)
			return app;
		if (app->owner == OWNER_ROOT && app->kept)
			root = app;
	}
	return root;
}

/* As app_find(), but what the open file is a member of comes first. */
static struct luna_app *app_meant(const struct luna_open *open, const u8 *id)
{
	struct luna_app *app = luna_open_app(open);

	return app_is(app, id) ? app : app_find(open->token, open->owner, id);
}

static void app_name(struct luna_app *app, const u8 *id)
{
	memcpy(app->id, id, LUNA_APP_ID_LEN);
	app->named = true;
}

/* ---- LUNA_APP_JOIN ---- */

/* Its own application gets the id, if no other has it. Return: the other, with a reference */
static struct luna_app *join_find(struct luna_open *open, const u8 *id)
{
	struct luna_token *token = open->token;
	struct luna_app *app;

	guard(rwsem_write)(&token->lock);
	app = app_find(token, open->owner, id);
	if (app)
		app->refs++;
	else
		app_name(open->own, id);
	return app;
}

/* The application that it leaves lives as long as the file: a late command may look at it. */
static u32 app_join(struct luna_open *open, const u8 *id)
{
	struct luna_app *app;

	guard(mutex)(&open->lock);
	if (open->app->named)
		return app_is(open->app, id) ? CKR_OK : CKR_OPERATION_NOT_ALLOWED;
	/* One that is being closed may wait for its command; then it ends the login of this one. */
	if (open->sessions.live || open->closing)
		return CKR_SESSION_EXISTS;
	app = join_find(open, id);
	if (!app)
		return CKR_OK;
	member_del(open->own, open);
	member_add(app, open);
	smp_store_release(&open->app, app);	/* with luna_open_app() */
	luna_token_changed(open->token);
	return CKR_OK;
}

/* ---- LUNA_APP_OPEN ---- */

/* What is kept of @owner; *@idle: the first of them that keeps nothing for anyone. */
static u32 kept_of(struct luna_token *token, u32 owner, struct luna_app **idle)
{
	struct luna_app *app;
	u32 count = 0;

	*idle = NULL;
	list_for_each_entry(app, &token->apps, entry) {
		if (app->owner != owner || !app->kept)
			continue;
		count++;
		if (!*idle && app->refs == 1 && app->role < 0)
			*idle = app;
	}
	return count;
}

/*
 * Makes room for one more to be kept. Those that nobody has logged in to give way: so nobody
 * without a PIN can take all places. Return: CKR_OK, and in *@gone what is to be freed
 */
static u32 kept_room(struct luna_token *token, u32 owner, struct luna_app **gone)
{
	struct luna_app *idle;

	if (kept_of(token, owner, &idle) < LUNA_APPS_KEPT_MAX &&
	    token->app_count < LUNA_APPS_MAX)
		return CKR_OK;
	if (!idle)
		return CKR_DEVICE_MEMORY;
	*gone = app_unref(idle);
	return CKR_OK;
}

/* Finds the application or makes @fresh it, to be kept from now on. */
static u32 keep(struct luna_open *open, const u8 *id, struct luna_app **fresh,
		struct luna_app **gone)
{
	struct luna_token *token = open->token;
	struct luna_app *app;
	u32 rv;

	guard(rwsem_write)(&token->lock);
	app = app_meant(open, id);
	if (app && app->kept)
		return CKR_ACCESS_ID_ALREADY_EXISTS;
	rv = kept_room(token, app ? app->owner : open->owner, gone);
	if (rv)
		return rv;
	if (app) {
		app->refs++;
	} else {
		app = *fresh;
		*fresh = NULL;
		app_name(app, id);
		app_add(token, app);
	}
	WRITE_ONCE(app->kept, true);
	return CKR_OK;
}

static u32 app_open(struct luna_open *open, const u8 *id)
{
	struct luna_app *fresh = app_new(open->owner), *gone = NULL;
	u32 rv;

	if (!fresh)
		return CKR_DEVICE_MEMORY;
	rv = keep(open, id, &fresh, &gone);
	if (fresh)
		app_free(fresh);
	if (gone)
		app_free(gone);
	return rv;
}

/* ---- LUNA_APP_CLOSE ---- */

/* Return: CKR_OK with the application in *@app, referenced */
static u32 close_find(struct luna_open *open, const u8 *id, struct luna_app **app)
{
	guard(rwsem_write)(&open->token->lock);
	*app = app_meant(open, id);
	if (!*app)
		return CKR_ACCESS_ID_INVALID;
	if ((*app)->owner != open->owner && open->owner != OWNER_ROOT)
		return CKR_USER_NOT_AUTHORIZED;
	(*app)->refs++;
	return CKR_OK;
}

/* Return: whether it was kept. The caller has a reference of its own. */
static bool unkeep(struct luna_app *app)
{
	guard(rwsem_write)(&app->token->lock);
	if (!app->kept)
		return false;
	WRITE_ONCE(app->kept, false);
	app_unref(app);
	return true;
}

static u32 app_end(struct luna_app *app)
{
	bool kept = unkeep(app), used = READ_ONCE(app->sessions);
	struct luna_open *open;
	u64 after = 0;

	if (!kept && !used)
		return CKR_ACCESS_ID_INVALID;
	luna_app_logout(app);
	while ((open = luna_app_next(app, &after)) != NULL) {
		luna_open_close_sessions(open);
		luna_open_put(open);
	}
	return CKR_OK;
}

static u32 app_close(struct luna_open *open, const u8 *id)
{
	struct luna_app *app;
	u32 rv;

	rv = close_find(open, id, &app);
	if (rv)
		return rv;
	rv = app_end(app);
	luna_app_put(open->token, app);
	return rv;
}

u32 luna_do_app_id(struct luna_ucmd *cmd)
{
	const struct luna_app_id *arg = cmd->arg;

	if (arg->reserved)
		return CKR_ARGUMENTS_BAD;
	switch (arg->step) {
	case LUNA_APP_JOIN:
		return app_join(cmd->open, arg->id);
	case LUNA_APP_OPEN:
		return app_open(cmd->open, arg->id);
	case LUNA_APP_CLOSE:
		return app_close(cmd->open, arg->id);
	default:
		return CKR_ARGUMENTS_BAD;
	}
}

/* ---- the end of a partition ---- */

void luna_apps_end(struct luna_token *token)
{
	struct luna_app *app, *next;

	list_for_each_entry_safe(app, next, &token->apps, entry) {
		if (app->role >= 0)
			luna_app_set_role(app, -1);
		if (!app->kept)
			continue;
		WRITE_ONCE(app->kept, false);
		if (app_unref(app))
			app_free(app);
	}
}
