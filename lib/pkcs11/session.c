// SPDX-License-Identifier: MIT
/*
 * The session table; see session.h.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

#define BUCKETS		256
#define FIRST_HANDLE	0x10000001u

/*
 * Sessions of a bucket stand by descending handle: new ones are put in front. In a forked child the
 * parent's are @inherited, and useless.
 */
static struct bucket {
	pthread_mutex_t lock;
	struct p11_session *first;
	struct p11_session *inherited;
} buckets[BUCKETS] = {
	[0 ... BUCKETS - 1] = { .lock = PTHREAD_MUTEX_INITIALIZER },
};

/* Goes on through C_Finalize and in forked children, so that an old handle is always invalid. */
static _Atomic uint64_t session_next = FIRST_HANDLE;

static struct bucket *session_bucket(CK_SESSION_HANDLE handle)
{
	return &buckets[handle % BUCKETS];
}

struct p11_session *p11_session_find(CK_SESSION_HANDLE handle)
{
	struct bucket *bucket = session_bucket(handle);
	struct p11_session *session;

	pthread_mutex_lock(&bucket->lock);
	for (session = bucket->first; session; session = session->next)
		if (session->handle == handle)
			break;
	if (session)
		atomic_fetch_add_explicit(&session->references, 1, memory_order_relaxed);
	pthread_mutex_unlock(&bucket->lock);
	return session;
}

void p11_session_put(struct p11_session *session)
{
	int kind;

	if (atomic_fetch_sub(&session->references, 1) != 1)
		return;
	for (kind = 0; kind < LUNA_OP_KINDS; kind++)
		p11_operation_free(&session->operations[kind]);
	p11_search_end(&session->search);
	p11_random_end(&session->random);
	p11_device_put(session->device);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

/* Tells the device; the session's lock is not needed, as nothing of this struct is touched. */
static CK_RV session_end(struct p11_session *session)
{
	CK_RV rv = p11_transport_plain(session->device, LUNA_SESSION_CLOSE, session->remote, NULL,
				       0);

	/* On a device that has gone it is closed already. */
	return rv == CKR_DEVICE_REMOVED ? CKR_OK : rv;
}

/* Opens a session on the device; it has one reference and is not in the table yet. */
static CK_RV session_make(struct p11_slot *slot, const uint8_t *app, CK_FLAGS flags,
			  struct p11_session **made)
{
	struct luna_session_info open = { .flags = (uint32_t)flags };
	struct p11_request request = {
		.command = LUNA_SESSION_OPEN,
		.head = &open.hdr,
		.size = sizeof(open),
	};
	struct p11_session *session = calloc(1, sizeof(*session));
	CK_RV rv;

	if (!session)
		return CKR_HOST_MEMORY;
	rv = p11_slot_call_as(slot, app, &request, &session->device);
	if (rv != CKR_OK) {
		p11_device_put(session->device);
		free(session);
		return rv;
	}
	session->slot = slot;
	session->remote = open.handle;
	atomic_init(&session->references, 1);
	pthread_mutex_init(&session->lock, NULL);
	rv = session->device->joined;
	if (rv != CKR_OK) {
		session_end(session);
		p11_session_put(session);
		return rv;
	}
	*made = session;
	return CKR_OK;
}

CK_RV p11_session_open_as(struct p11_slot *slot, const uint8_t *app, CK_FLAGS flags,
			  CK_SESSION_HANDLE *handle)
{
	struct p11_session *session;
	struct bucket *bucket;
	uint64_t next;
	CK_RV rv;

	rv = session_make(slot, app, flags, &session);
	if (rv != CKR_OK)
		return rv;
	next = atomic_fetch_add(&session_next, 1);
	if (next > 0xffffffffu) {
		p11_log_reason("all session handles of this process are used up");
		session_end(session);
		p11_session_put(session);
		return CKR_SESSION_COUNT;
	}
	session->handle = (CK_SESSION_HANDLE)next;
	*handle = session->handle;
	bucket = session_bucket(session->handle);
	pthread_mutex_lock(&bucket->lock);
	session->next = bucket->first;
	bucket->first = session;
	pthread_mutex_unlock(&bucket->lock);
	return CKR_OK;
}

CK_RV p11_session_open(struct p11_slot *slot, CK_FLAGS flags, CK_SESSION_HANDLE *handle)
{
	return p11_session_open_as(slot, NULL, flags, handle);
}

static bool session_is_of(const struct p11_session *session, const struct p11_slot *slot,
			  const uint8_t *app)
{
	return (!slot || session->slot == slot) &&
	       (!app || !memcmp(session->device->app.bytes, app, LUNA_APP_ID_LEN));
}

/*
 * Takes one session out of the table: the one with @handle, or if that is 0 one of @slot and @app,
 * where NULL is any.
 */
static struct p11_session *session_take(struct bucket *bucket, CK_SESSION_HANDLE handle,
					struct p11_slot *slot, const uint8_t *app)
{
	struct p11_session **link, *session;

	pthread_mutex_lock(&bucket->lock);
	for (link = &bucket->first; *link; link = &(*link)->next)
		if (handle ? (*link)->handle == handle : session_is_of(*link, slot, app))
			break;
	session = *link;
	if (session) {
		*link = session->next;
		atomic_store(&session->closed, true);
	}
	pthread_mutex_unlock(&bucket->lock);
	return session;
}

CK_RV p11_session_close(CK_SESSION_HANDLE handle)
{
	struct p11_session *session;
	CK_RV rv;

	/* To session_take() a handle of 0 means any. */
	session = handle ? session_take(session_bucket(handle), handle, NULL, NULL) : NULL;
	if (!session)
		return CKR_SESSION_HANDLE_INVALID;
	rv = session_end(session);
	p11_session_put(session);
	return rv;
}

static void session_drop(struct p11_slot *slot, const uint8_t *app)
{
	struct p11_session *session;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		while ((session = session_take(&buckets[i], 0, slot, app)))
			p11_session_put(session);
}

CK_RV p11_session_close_all(struct p11_slot *slot)
{
	struct p11_device *device;
	CK_RV rv = CKR_OK, one;
	size_t i;

	session_drop(slot, NULL);
	for (i = 0; p11_slot_open_device(slot, i, &device); i++) {
		one = device ? p11_transport_plain(device, LUNA_SESSION_CLOSE_ALL, 0, NULL, 0) :
			       CKR_OK;
		if (one != CKR_OK && one != CKR_DEVICE_REMOVED)
			rv = one;
		p11_device_put(device);
	}
	return rv;
}

bool p11_session_any(void)
{
	bool any = false;
	size_t i;

	for (i = 0; i < BUCKETS && !any; i++) {
		pthread_mutex_lock(&buckets[i].lock);
		any = buckets[i].first;
		pthread_mutex_unlock(&buckets[i].lock);
	}
	return any;
}

void p11_session_forget(struct p11_slot *slot, const uint8_t *app)
{
	session_drop(slot, app);
}

CK_RV p11_session_call(struct p11_session *session, struct p11_request *request)
{
	request->head->session = session->remote;
	return p11_transport(session->device, request);
}

CK_RV p11_session_send(struct p11_session *session, unsigned int command, const void *data,
		       size_t len)
{
	return p11_transport_plain(session->device, command, session->remote, data, len);
}

/* The session of @device with the highest handle below @below that holds an Init back. */
static struct p11_session *session_holding(struct bucket *bucket, struct p11_device *device,
					   CK_SESSION_HANDLE below)
{
	struct p11_session *session;

	pthread_mutex_lock(&bucket->lock);
	for (session = bucket->first; session; session = session->next)
		if (session->handle < below && session->device == device &&
		    p11_operation_any_held(session))
			break;
	if (session)
		atomic_fetch_add_explicit(&session->references, 1, memory_order_relaxed);
	pthread_mutex_unlock(&bucket->lock);
	return session;
}

void p11_session_flush(struct p11_device *device)
{
	struct p11_session *session;
	CK_SESSION_HANDLE below;
	size_t i;

	for (i = 0; i < BUCKETS; i++) {
		below = (CK_SESSION_HANDLE)-1;
		while ((session = session_holding(&buckets[i], device, below))) {
			below = session->handle;
			pthread_mutex_lock(&session->lock);
			if (!atomic_load(&session->closed))
				p11_operation_flush(session);
			pthread_mutex_unlock(&session->lock);
			p11_session_put(session);
		}
	}
}

CK_RV p11_session_temporary(struct p11_slot *slot, CK_FLAGS flags, struct p11_session **session)
{
	return session_make(slot, NULL, flags | CKF_SERIAL_SESSION, session);
}

void p11_session_end_temporary(struct p11_session *session)
{
	session_end(session);
	p11_session_put(session);
}

void p11_session_forget_all(void)
{
	session_drop(NULL, NULL);
}

void p11_session_after_fork(void)
{
	size_t i;

	/*
	 * The sessions' memory is not freed: a thread that the child does not have may have been
	 * in the middle of changing it.
	 */
	for (i = 0; i < BUCKETS; i++) {
		pthread_mutex_init(&buckets[i].lock, NULL);
		buckets[i].inherited = buckets[i].first;
		buckets[i].first = NULL;
	}
}
