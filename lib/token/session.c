// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Open files and their sessions: PKCS#11 v2.40, 4.6 and 5.6. */
#include "app.h"
#include "cmd.h"
#include "mech.h"
#include "object.h"
#include "role.h"
#include "session.h"

enum { FIRST_SESSION = 1 };

static bool open_admit(struct luna_open *open)
{
	struct luna_token *token = open->token;

	guard(rwsem_write)(&token->lock);
	if (token->open_count == LUNA_OPENS_MAX)
		return false;
	token->open_count++;
	list_add_tail(&open->entry, &token->opens);
	return true;
}

static void open_free(struct luna_open *open)
{
	luna_dir_free(&open->objects);
	if (open->app != open->own)
		luna_app_put(open->token, open->app);
	luna_app_put(open->token, open->own);
	WARN_ON_ONCE(atomic64_read(&open->held));
	luna_table_free(&open->sessions);
	mutex_destroy(&open->image_lock);
	mutex_destroy(&open->lock);
	kfree(open);
}

void luna_open_put(struct luna_open *open)
{
	if (refcount_dec_and_test(&open->refs))
		open_free(open);
}

struct luna_open *luna_open_by(struct luna_token *token, u32 owner)
{
	struct luna_open *open = kzalloc(sizeof(*open), GFP_KERNEL_ACCOUNT);

	if (!open)
		return ERR_PTR(-ENOMEM);
	if (luna_dir_init(&open->objects)) {
		kfree(open);
		return ERR_PTR(-ENOMEM);
	}
	open->token = token;
	open->owner = owner;
	refcount_set(&open->refs, 1);
	open->next_session = FIRST_SESSION;
	mutex_init(&open->lock);
	mutex_init(&open->image_lock);
	luna_table_init(&open->sessions);
	if (luna_app_start(open)) {
		open_free(open);
		return ERR_PTR(-ENOMEM);
	}
	if (open_admit(open))
		return open;
	luna_app_leave(open);
	open_free(open);
	return ERR_PTR(-EUSERS);
}

void luna_release(struct luna_open *open)
{
	struct luna_token *token = open->token;

	luna_open_close_sessions(open);
	luna_image_drop(open);
	luna_app_leave(open);
	down_write(&token->lock);
	list_del(&open->entry);
	token->open_count--;
	up_write(&token->lock);
	luna_open_put(open);
}

void luna_session_reset(struct luna_session *session)
{
	luna_op_end_all(session);
	luna_clone_end(session);
	luna_ha_end(session);
	luna_stage_drop(session);
}

void luna_session_put(struct luna_session *session)
{
	if (!refcount_dec_and_test(&session->refs))
		return;
	luna_session_reset(session);
	luna_open_unhold(session->open, LUNA_SESSION_BYTES);
	mutex_destroy(&session->lock);
	kfree_sensitive(session);
}

struct luna_session *luna_session_get(struct luna_open *open, u32 handle, bool lock)
{
	struct luna_session *session;

	mutex_lock(&open->lock);
	session = luna_table_find(&open->sessions, handle);
	if (session)
		refcount_inc(&session->refs);
	mutex_unlock(&open->lock);
	if (!session || !lock)
		return session;
	mutex_lock(&session->lock);
	if (!session->closed)
		return session;
	mutex_unlock(&session->lock);
	luna_session_put(session);
	return NULL;
}

/* The next session after @after, with a reference; NULL at the end. */
static struct luna_session *session_next(struct luna_open *open, u32 after)
{
	struct luna_session *session;
	u32 handle;

	guard(mutex)(&open->lock);
	session = luna_table_next(&open->sessions, after, &handle);
	if (session)
		refcount_inc(&session->refs);
	return session;
}

void luna_open_cancel_ops(struct luna_open *open)
{
	struct luna_session *session;
	u32 after = 0;

	while ((session = session_next(open, after)) != NULL) {
		after = session->handle;
		mutex_lock(&session->lock);
		luna_op_end_all(session);
		luna_clone_end(session);
		luna_ha_end(session);
		mutex_unlock(&session->lock);
		luna_session_put(session);
	}
}

/* Counts a session of a read/write or read-only kind in (1) or out (-1). app->lock is held. */
static void session_count(struct luna_open *open, bool rw, int step)
{
	struct luna_app *app = open->app;

	WRITE_ONCE(app->sessions, app->sessions + step);
	if (rw) {
		WRITE_ONCE(open->rw_sessions, open->rw_sessions + step);
	} else {
		app->ro_sessions += step;
		WRITE_ONCE(open->ro_sessions, open->ro_sessions + step);
	}
}

/* Takes a session out of its open file. Return: false if someone else did so first. */
static bool session_unlink(struct luna_session *session)
{
	struct luna_open *open = session->open;

	guard(mutex)(&open->lock);
	if (luna_table_find(&open->sessions, session->handle) != session)
		return false;
	guard(mutex)(&open->app->lock);
	luna_table_remove(&open->sessions, session->handle);
	session_count(open, session->rw, -1);
	open->closing++;
	return true;
}

/* Counts a session out: nothing of it, nor the login that it was the last of, is left. */
static void session_dismiss(struct luna_session *session)
{
	struct luna_open *open = session->open;
	struct luna_token *token = open->token;

	mutex_lock(&open->lock);
	open->closing--;
	mutex_unlock(&open->lock);
	if (session->rw)
		atomic_dec(&token->rw_sessions);
	atomic_dec(&token->sessions);
}

/* Ends a session: waits for the command that runs in it, then for nothing. */
static bool session_close(struct luna_session *session)
{
	if (!session_unlink(session))
		return false;
	mutex_lock(&session->lock);
	session->closed = true;
	luna_session_reset(session);
	mutex_unlock(&session->lock);
	luna_objects_end_session(session->open, session->handle);
	luna_app_logout_idle(luna_open_app(session->open));
	session_dismiss(session);	/* not before: InitToken waits for no command */
	luna_session_put(session);	/* the table's reference */
	return true;
}

void luna_open_close_sessions(struct luna_open *open)
{
	struct luna_session *session;

	while ((session = session_next(open, 0)) != NULL) {
		session_close(session);
		luna_session_put(session);
	}
}

bool luna_open_hold(struct luna_open *open, u32 bytes)
{
	s64 own = atomic64_add_return(bytes, &open->held);
	s64 all = atomic64_add_return(bytes, &open->token->held);

	if (own <= LUNA_OPEN_RESERVE || (own <= LUNA_OPEN_BYTES_MAX && all <= LUNA_TOKEN_BYTES_MAX))
		return true;
	luna_open_unhold(open, bytes);
	return false;
}

void luna_open_unhold(struct luna_open *open, u32 bytes)
{
	atomic64_sub(bytes, &open->token->held);
	atomic64_sub(bytes, &open->held);
}

bool luna_open_logged_in(const struct luna_open *open)
{
	int role = luna_open_role(open);

	return role == LUNA_ROLE_CO || role == LUNA_ROLE_CU;
}

static u32 session_state(const struct luna_session *session, int role)
{
	if (role == LUNA_ROLE_SO)
		return CKS_RW_SO_FUNCTIONS;
	if (role < 0)
		return session->rw ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
	return session->rw ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
}

/* Counts a session in, unless the token is being initialised or has none. */
static u32 session_admit(struct luna_token *token, bool rw)
{
	guard(rwsem_read)(&token->lock);
	if (!token->state->initialised)
		return CKR_TOKEN_NOT_RECOGNIZED;
	atomic_inc(&token->sessions);
	if (rw)
		atomic_inc(&token->rw_sessions);
	return CKR_OK;
}

/* From then on others may end it and free it: *@handle is what is left to say. */
static u32 session_insert(struct luna_session *session, u32 *handle)
{
	struct luna_open *open = session->open;
	u32 rv;

	guard(mutex)(&open->lock);
	guard(mutex)(&open->app->lock);
	if (!session->rw && open->app->role == LUNA_ROLE_SO)
		return CKR_SESSION_READ_WRITE_SO_EXISTS;
	if (open->sessions.live >= LUNA_SESSIONS_MAX || open->next_session == U32_MAX)
		return CKR_SESSION_COUNT;
	if (luna_table_reserve(&open->sessions, 1))
		return CKR_DEVICE_MEMORY;
	rv = session_admit(open->token, session->rw);
	if (rv)
		return rv;
	session->handle = open->next_session++;
	*handle = session->handle;
	luna_table_insert(&open->sessions, session->handle, session);
	session_count(open, session->rw, 1);
	return CKR_OK;
}

u32 luna_do_session_open(struct luna_ucmd *cmd)
{
	struct luna_session_info *arg = cmd->arg;
	struct luna_session *session;
	u32 rv;

	if (arg->reserved)
		return CKR_ARGUMENTS_BAD;
	if (!(arg->flags & CKF_SERIAL_SESSION))
		return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
	if (!luna_open_hold(cmd->open, LUNA_SESSION_BYTES))
		return CKR_SESSION_COUNT;
	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session) {
		luna_open_unhold(cmd->open, LUNA_SESSION_BYTES);
		return CKR_DEVICE_MEMORY;
	}
	refcount_set(&session->refs, 1);
	mutex_init(&session->lock);
	session->open = cmd->open;
	session->flags = arg->flags;	/* clients set vendor bits that mean nothing here */
	session->rw = arg->flags & CKF_RW_SESSION;
	rv = session_insert(session, &arg->handle);
	if (rv) {
		luna_session_put(session);
		return rv;
	}
	arg->container = LUNA_CONTAINER;
	return CKR_OK;
}

u32 luna_do_session_close(struct luna_ucmd *cmd)
{
	return session_close(cmd->session) ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

u32 luna_do_session_close_all(struct luna_ucmd *cmd)
{
	luna_open_close_sessions(cmd->open);
	return CKR_OK;
}

u32 luna_do_reset(struct luna_ucmd *cmd)
{
	luna_open_close_sessions(cmd->open);
	luna_image_drop(cmd->open);
	return CKR_OK;
}

u32 luna_do_session_info(struct luna_ucmd *cmd)
{
	struct luna_session_info *arg = cmd->arg;
	const struct luna_session *session = cmd->session;
	int role = luna_session_role(session);

	if (arg->reserved)
		return CKR_ARGUMENTS_BAD;
	arg->flags = CKF_SERIAL_SESSION | (session->rw ? CKF_RW_SESSION : 0);
	arg->state = session_state(session, role);
	arg->handle = session->handle;
	arg->role = luna_role_cku(role);
	arg->container = LUNA_CONTAINER;
	return CKR_OK;
}
