// SPDX-License-Identifier: MIT
/*
 * The application id of this process; see application.h.
 */
#include "application.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "config.h"
#include "container.h"
#include "library.h"
#include "log.h"

static struct {
	pthread_mutex_t lock;
	enum { APP_NONE, APP_DRAWN, APP_CONFIGURED, APP_SET } source;
	uint8_t bytes[LUNA_APP_ID_LEN];
} app = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static atomic_uint app_epoch;

/* With the lock. */
static void app_change(int source, const uint8_t *bytes)
{
	app.source = source;
	if (bytes)
		memcpy(app.bytes, bytes, sizeof(app.bytes));
	atomic_fetch_add(&app_epoch, 1);
}

/* With the lock. */
static bool app_draw(void)
{
	uint8_t bytes[LUNA_APP_ID_LEN];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	app_change(APP_DRAWN, bytes);
	return true;
}

/* With the lock. */
static bool app_have(void)
{
	uint8_t bytes[LUNA_APP_ID_LEN];

	if (app.source != APP_NONE)
		return true;
	if (!p11_config_app_id(bytes))
		return app_draw();
	app_change(APP_CONFIGURED, bytes);
	return true;
}

bool p11_app_id(struct p11_app_id *id)
{
	bool have;

	pthread_mutex_lock(&app.lock);
	have = app_have();
	memcpy(id->bytes, app.bytes, sizeof(id->bytes));
	id->epoch = atomic_load(&app_epoch);
	id->chosen = app.source > APP_DRAWN;
	pthread_mutex_unlock(&app.lock);
	return have;
}

unsigned int p11_app_epoch(void)
{
	return atomic_load_explicit(&app_epoch, memory_order_relaxed);
}

void p11_app_forget(void)
{
	pthread_mutex_lock(&app.lock);
	if (app.source != APP_SET)
		app_change(APP_NONE, NULL);
	pthread_mutex_unlock(&app.lock);
}

void p11_app_after_fork(void)
{
	pthread_mutex_init(&app.lock, NULL);
	if (app.source == APP_DRAWN)
		app_change(APP_NONE, NULL);
}

/* ---- CA_SetApplicationID and its like ---- */

/* An id as it was before there were 16 bytes: two halves, of which the product keeps 32 bits. */
static CK_RV app_pack(CK_ULONG high, CK_ULONG low, uint8_t bytes[LUNA_APP_ID_LEN])
{
	int i;

	if (high > 0xffffffffu || low > 0xffffffffu)
		return CKR_ARGUMENTS_BAD;
	memset(bytes, 0, LUNA_APP_ID_LEN);
	for (i = 0; i < 4; i++) {
		bytes[i] = (uint8_t)(high >> (24 - 8 * i));
		bytes[4 + i] = (uint8_t)(low >> (24 - 8 * i));
	}
	return CKR_OK;
}

static CK_RV app_unpack(const CK_APPLICATION_ID *from, uint8_t bytes[LUNA_APP_ID_LEN])
{
	if (!from)
		return CKR_ARGUMENTS_BAD;
	memcpy(bytes, from->id, LUNA_APP_ID_LEN);
	return CKR_OK;
}

/* Sets it, or draws one if @bytes is NULL; with the lock. */
static CK_RV app_replace(const uint8_t *bytes)
{
	if (bytes && app.source == APP_SET && !memcmp(app.bytes, bytes, sizeof(app.bytes)))
		return CKR_OK;
	if (p11_session_any()) {
		p11_log_reason("the application id cannot change while sessions are open");
		return CKR_SESSION_EXISTS;
	}
	if (!bytes)
		return app_draw() ? CKR_OK : CKR_FUNCTION_FAILED;
	app_change(APP_SET, bytes);
	return CKR_OK;
}

/* As it is asked for before C_Initialize as well, this is no call in the sense of library.h. */
static CK_RV app_set(const char *function, const uint8_t *bytes)
{
	CK_RV rv;

	pthread_mutex_lock(&app.lock);
	rv = app_replace(bytes);
	pthread_mutex_unlock(&app.lock);
	return p11_log_result(function, P11_LOG_NO_SLOT, rv);
}

CK_RV CA_SetApplicationID(CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow)
{
	uint8_t bytes[LUNA_APP_ID_LEN];
	CK_RV rv = app_pack(ulAppIdHigh, ulAppIdLow, bytes);

	return rv == CKR_OK ? app_set(__func__, bytes) :
			      p11_log_result(__func__, P11_LOG_NO_SLOT, rv);
}

CK_RV CA_SetApplicationIDV2(CK_APPLICATION_ID_PTR pAppId)
{
	uint8_t bytes[LUNA_APP_ID_LEN];
	CK_RV rv = app_unpack(pAppId, bytes);

	return rv == CKR_OK ? app_set(__func__, bytes) :
			      p11_log_result(__func__, P11_LOG_NO_SLOT, rv);
}

CK_RV CA_RandomizeApplicationID(void)
{
	return app_set(__func__, NULL);
}

CK_RV CA_GetApplicationID(CK_APPLICATION_ID_PTR pAppId)
{
	struct p11_app_id id;

	if (!pAppId)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_ARGUMENTS_BAD);
	if (!p11_app_id(&id))
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_FUNCTION_FAILED);
	memcpy(pAppId->id, id.bytes, sizeof(pAppId->id));
	return CKR_OK;
}

/* ---- CA_OpenApplicationID and CA_CloseApplicationID: any id, on one slot ---- */

static CK_RV app_step(struct p11_slot *slot, uint32_t step, const uint8_t *bytes)
{
	struct luna_app_id arg = { .step = step };
	struct p11_request request = {
		.command = LUNA_APP_ID,
		.head = &arg.hdr,
		.size = sizeof(arg),
	};
	CK_RV rv;

	memcpy(arg.id, bytes, sizeof(arg.id));
	rv = p11_slot_call(slot, &request, NULL);
	/* The device has closed those of this process as well. */
	if (rv == CKR_OK && step == LUNA_APP_CLOSE)
		p11_session_forget(slot, bytes);
	return rv;
}

static CK_RV app_halves(const char *function, CK_SLOT_ID slot, CK_ULONG container, uint32_t step,
			CK_ULONG high, CK_ULONG low)
{
	uint8_t bytes[LUNA_APP_ID_LEN];
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, function, slot, container);

	if (rv == CKR_OK)
		rv = app_pack(high, low, bytes);
	if (rv == CKR_OK)
		rv = app_step(call.slot, step, bytes);
	return p11_end(&call, rv);
}

static CK_RV app_whole(const char *function, CK_SLOT_ID slot, CK_ULONG container, uint32_t step,
		       const CK_APPLICATION_ID *id)
{
	uint8_t bytes[LUNA_APP_ID_LEN];
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, function, slot, container);

	if (rv == CKR_OK)
		rv = app_unpack(id, bytes);
	if (rv == CKR_OK)
		rv = app_step(call.slot, step, bytes);
	return p11_end(&call, rv);
}

CK_RV CA_OpenApplicationID(CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow)
{
	return app_halves(__func__, slotID, 0, LUNA_APP_OPEN, ulAppIdHigh, ulAppIdLow);
}

CK_RV CA_CloseApplicationID(CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh, CK_ULONG ulAppIdLow)
{
	return app_halves(__func__, slotID, 0, LUNA_APP_CLOSE, ulAppIdHigh, ulAppIdLow);
}

CK_RV CA_OpenApplicationIDForContainer(CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh,
				       CK_ULONG ulAppIdLow, CK_ULONG ulContainerNumber)
{
	return app_halves(__func__, slotID, ulContainerNumber, LUNA_APP_OPEN, ulAppIdHigh,
			  ulAppIdLow);
}

CK_RV CA_CloseApplicationIDForContainer(CK_SLOT_ID slotID, CK_ULONG ulAppIdHigh,
					CK_ULONG ulAppIdLow, CK_ULONG ulContainerNumber)
{
	return app_halves(__func__, slotID, ulContainerNumber, LUNA_APP_CLOSE, ulAppIdHigh,
			  ulAppIdLow);
}

CK_RV CA_OpenApplicationIDV2(CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId)
{
	return app_whole(__func__, slotID, 0, LUNA_APP_OPEN, pAppId);
}

CK_RV CA_CloseApplicationIDV2(CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId)
{
	return app_whole(__func__, slotID, 0, LUNA_APP_CLOSE, pAppId);
}

CK_RV CA_OpenApplicationIDForContainerV2(CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId,
					 CK_ULONG ulContainerNumber)
{
	return app_whole(__func__, slotID, ulContainerNumber, LUNA_APP_OPEN, pAppId);
}

CK_RV CA_CloseApplicationIDForContainerV2(CK_SLOT_ID slotID, CK_APPLICATION_ID_PTR pAppId,
					  CK_ULONG ulContainerNumber)
{
	return app_whole(__func__, slotID, ulContainerNumber, LUNA_APP_CLOSE, pAppId);
}

/* ---- sessions of another id than the process's ---- */

static CK_RV app_session(const char *function, CK_SLOT_ID slot, CK_FLAGS flags,
			 const uint8_t *bytes, CK_SESSION_HANDLE *handle)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, function, slot);

	if (rv == CKR_OK && (!bytes || !handle))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_open_as(call.slot, bytes, flags, handle);
	return p11_end(&call, rv);
}

CK_RV CA_OpenSessionWithAppID(CK_SLOT_ID slotID, CK_FLAGS flags, CK_ULONG ulAppIdHigh,
			      CK_ULONG ulAppIdLow, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
			      CK_SESSION_HANDLE_PTR phSession)
{
	uint8_t bytes[LUNA_APP_ID_LEN];
	CK_RV rv = app_pack(ulAppIdHigh, ulAppIdLow, bytes);

	(void)pApplication;
	(void)Notify;
	return app_session(__func__, slotID, flags, rv == CKR_OK ? bytes : NULL, phSession);
}

CK_RV CA_OpenSessionWithAppIDV2(CK_SLOT_ID slotID, CK_FLAGS flags, CK_APPLICATION_ID_PTR pAppId,
				CK_VOID_PTR pApplication, CK_NOTIFY Notify,
				CK_SESSION_HANDLE_PTR phSession)
{
	(void)pApplication;
	(void)Notify;
	return app_session(__func__, slotID, flags, pAppId ? pAppId->id : NULL, phSession);
}
