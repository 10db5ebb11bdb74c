// SPDX-License-Identifier: MIT
/*
 * Initialisation, finalisation, fork, and what is global to the process; see library.h.
 */
#include "library.h"

#include <stdatomic.h>
#include <string.h>

#include "log.h"

#define LIBRARY_UP	0x80000000u

/* Calls on their way, and whether new ones may begin. */
static atomic_uint library_calls;
static atomic_uint library_epoch;

/* C_Initialize and C_Finalize; both wait on @library_idle, the former for the latter to be done. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t library_idle = PTHREAD_COND_INITIALIZER;
static bool library_ending;
static bool library_fork_watched;

/* What CA_SetCloningDomain and CA_SetMofN said. */
static struct {
	pthread_mutex_t lock;
	uint8_t domain[P11_DOMAIN_MAX];
	size_t domain_len;
	bool mofn;
} library_next_token = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static void library_forget_domain(void)
{
	explicit_bzero(library_next_token.domain, sizeof(library_next_token.domain));
	library_next_token.domain_len = 0;
	library_next_token.mofn = false;
}

/* In a forked child, which has one thread: whatever the others held is free again. */
static void library_after_fork(void)
{
	p11_app_after_fork();
	p11_slot_after_fork();
	p11_session_after_fork();
	p11_log_close();
	atomic_store(&library_calls, 0);
	pthread_mutex_init(&library_lock, NULL);
	pthread_cond_init(&library_idle, NULL);
	library_ending = false;
	pthread_mutex_init(&library_next_token.lock, NULL);
	library_forget_domain();
}

static bool library_enter(void)
{
	/* The first look keeps a storm of late calls from making C_Finalize wait. */
	if (!(atomic_load_explicit(&library_calls, memory_order_relaxed) & LIBRARY_UP))
		return false;
	if (atomic_fetch_add(&library_calls, 1) & LIBRARY_UP)
		return true;
	/* Too late: step back as if it had been a call that ended. */
	if (atomic_fetch_sub(&library_calls, 1) == 1) {
		pthread_mutex_lock(&library_lock);
		pthread_cond_broadcast(&library_idle);
		pthread_mutex_unlock(&library_lock);
	}
	return false;
}

static void library_leave(void)
{
	if (atomic_fetch_sub(&library_calls, 1) != 1)
		return;
	pthread_mutex_lock(&library_lock);
	pthread_cond_broadcast(&library_idle);
	pthread_mutex_unlock(&library_lock);
}

CK_RV p11_begin(struct p11_call *call, const char *function)
{
	call->function = function;
	call->slot = NULL;
	call->session = NULL;
	call->entered = library_enter();
	return call->entered ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV p11_begin_slot(struct p11_call *call, const char *function, CK_SLOT_ID id)
{
	CK_RV rv = p11_begin(call, function);

	if (rv != CKR_OK)
		return rv;
	call->slot = p11_slot_find(id);
	return call->slot ? CKR_OK : CKR_SLOT_ID_INVALID;
}

CK_RV p11_begin_session(struct p11_call *call, const char *function, CK_SESSION_HANDLE handle)
{
	struct p11_session *session;
	CK_RV rv = p11_begin(call, function);

	if (rv != CKR_OK)
		return rv;
	session = p11_session_find(handle);
	if (!session)
		return CKR_SESSION_HANDLE_INVALID;
	call->slot = session->slot;
	pthread_mutex_lock(&session->lock);
	call->session = session;
	/* It may have been closed while we waited for the lock. */
	if (atomic_load(&session->closed))
		return CKR_SESSION_HANDLE_INVALID;
	return p11_device_dead(session->device) ? CKR_DEVICE_REMOVED : CKR_OK;
}

CK_RV p11_begin_change(struct p11_call *call, const char *function, CK_SESSION_HANDLE handle)
{
	struct p11_session *session;

	if (!library_enter())
		return p11_begin(call, function);
	session = p11_session_find(handle);
	if (session) {
		p11_session_flush(session->device);
		p11_session_put(session);
	}
	library_leave();
	return p11_begin_session(call, function, handle);
}

CK_RV p11_end(struct p11_call *call, CK_RV rv)
{
	p11_log_result(call->function, call->slot ? call->slot->id : P11_LOG_NO_SLOT, rv);
	if (call->session) {
		pthread_mutex_unlock(&call->session->lock);
		p11_session_put(call->session);
	}
	if (call->entered)
		library_leave();
	return rv;
}

CK_RV p11_unsupported(const char *function)
{
	struct p11_call call;
	CK_RV rv = p11_begin(&call, function);

	return p11_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_SUPPORTED : rv);
}

unsigned int p11_epoch(void)
{
	return atomic_load(&library_epoch);
}

size_t p11_domain(uint8_t *domain, size_t max)
{
	size_t len;

	pthread_mutex_lock(&library_next_token.lock);
	len = library_next_token.domain_len < max ? library_next_token.domain_len : max;
	memcpy(domain, library_next_token.domain, len);
	pthread_mutex_unlock(&library_next_token.lock);
	return len;
}

bool p11_mofn(void)
{
	bool mofn;

	pthread_mutex_lock(&library_next_token.lock);
	mofn = library_next_token.mofn;
	pthread_mutex_unlock(&library_next_token.lock);
	return mofn;
}

static CK_RV library_check_args(const CK_C_INITIALIZE_ARGS *args)
{
	int callbacks;

	if (!args)
		return CKR_OK;
	callbacks = !!args->CreateMutex + !!args->DestroyMutex + !!args->LockMutex +
		    !!args->UnlockMutex;
	if (args->pReserved || (callbacks != 0 && callbacks != 4))
		return CKR_ARGUMENTS_BAD;
	return CKR_OK;
}

CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
	CK_RV rv = library_check_args(pInitArgs);

	pthread_mutex_lock(&library_lock);
	while (library_ending)
		pthread_cond_wait(&library_idle, &library_lock);
	if (rv == CKR_OK && (atomic_load(&library_calls) & LIBRARY_UP))
		rv = CKR_CRYPTOKI_ALREADY_INITIALIZED;
	if (rv == CKR_OK && !library_fork_watched) {
		if (pthread_atfork(NULL, NULL, library_after_fork))
			rv = CKR_HOST_MEMORY;
		else
			library_fork_watched = true;
	}
	if (rv == CKR_OK) {
		p11_log_open();
		atomic_fetch_add(&library_epoch, 1);
		atomic_fetch_or(&library_calls, LIBRARY_UP);
	}
	pthread_mutex_unlock(&library_lock);
	return p11_log_result(__func__, P11_LOG_NO_SLOT, rv);
}

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
	if (pReserved)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_ARGUMENTS_BAD);
	pthread_mutex_lock(&library_lock);
	if (!(atomic_fetch_and(&library_calls, ~LIBRARY_UP) & LIBRARY_UP)) {
		pthread_mutex_unlock(&library_lock);
		return CKR_CRYPTOKI_NOT_INITIALIZED;
	}
	library_ending = true;
	while (atomic_load(&library_calls))
		pthread_cond_wait(&library_idle, &library_lock);
	p11_session_forget_all();
	p11_slot_close_all();
	p11_app_forget();
	pthread_mutex_lock(&library_next_token.lock);
	library_forget_domain();
	pthread_mutex_unlock(&library_next_token.lock);
	p11_log_close();
	library_ending = false;
	pthread_cond_broadcast(&library_idle);
	pthread_mutex_unlock(&library_lock);
	return CKR_OK;
}

CK_RV CA_SetCloningDomain(CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen)
{
	if ((!pDomain && ulDomainLen) || ulDomainLen > P11_DOMAIN_MAX)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_ARGUMENTS_BAD);
	pthread_mutex_lock(&library_next_token.lock);
	explicit_bzero(library_next_token.domain, sizeof(library_next_token.domain));
	if (ulDomainLen)
		memcpy(library_next_token.domain, pDomain, ulDomainLen);
	library_next_token.domain_len = ulDomainLen;
	pthread_mutex_unlock(&library_next_token.lock);
	return CKR_OK;
}

CK_RV CA_SetMofN(CK_BBOOL bFlag)
{
	pthread_mutex_lock(&library_next_token.lock);
	library_next_token.mofn = bFlag != CK_FALSE;
	pthread_mutex_unlock(&library_next_token.lock);
	return CKR_OK;
}
