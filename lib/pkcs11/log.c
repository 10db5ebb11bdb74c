// SPDX-License-Identifier: MIT
/*
 * The log of failing calls; see log.h. A line is one write(2), so that lines of several processes
 * that append to one file stay whole.
 */
#include "log.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME(rv) { rv, #rv }

static const struct {
	CK_RV rv;
	const char *name;
} log_names[] = {
	NAME(CKR_CANCEL), NAME(CKR_HOST_MEMORY), NAME(CKR_SLOT_ID_INVALID),
	NAME(CKR_GENERAL_ERROR), NAME(CKR_FUNCTION_FAILED), NAME(CKR_ARGUMENTS_BAD),
	NAME(CKR_NO_EVENT), NAME(CKR_CANT_LOCK), NAME(CKR_ATTRIBUTE_READ_ONLY),
	NAME(CKR_ATTRIBUTE_SENSITIVE), NAME(CKR_ATTRIBUTE_TYPE_INVALID),
	NAME(CKR_ATTRIBUTE_VALUE_INVALID), NAME(CKR_ACTION_PROHIBITED), NAME(CKR_DATA_INVALID),
	NAME(CKR_DATA_LEN_RANGE), NAME(CKR_DEVICE_ERROR), NAME(CKR_DEVICE_MEMORY),
	NAME(CKR_DEVICE_REMOVED), NAME(CKR_ENCRYPTED_DATA_INVALID),
	NAME(CKR_ENCRYPTED_DATA_LEN_RANGE), NAME(CKR_FUNCTION_CANCELED),
	NAME(CKR_FUNCTION_NOT_PARALLEL), NAME(CKR_FUNCTION_NOT_SUPPORTED),
	NAME(CKR_KEY_HANDLE_INVALID), NAME(CKR_KEY_SIZE_RANGE), NAME(CKR_KEY_TYPE_INCONSISTENT),
	NAME(CKR_KEY_NOT_NEEDED), NAME(CKR_KEY_CHANGED), NAME(CKR_KEY_NEEDED),
	NAME(CKR_KEY_INDIGESTIBLE), NAME(CKR_KEY_FUNCTION_NOT_PERMITTED),
	NAME(CKR_KEY_NOT_WRAPPABLE), NAME(CKR_KEY_UNEXTRACTABLE), NAME(CKR_MECHANISM_INVALID),
	NAME(CKR_MECHANISM_PARAM_INVALID), NAME(CKR_OBJECT_HANDLE_INVALID),
	NAME(CKR_OPERATION_ACTIVE), NAME(CKR_OPERATION_NOT_INITIALIZED), NAME(CKR_PIN_INCORRECT),
	NAME(CKR_PIN_INVALID), NAME(CKR_PIN_LEN_RANGE), NAME(CKR_PIN_EXPIRED),
	NAME(CKR_PIN_LOCKED), NAME(CKR_SESSION_CLOSED), NAME(CKR_SESSION_COUNT),
	NAME(CKR_SESSION_HANDLE_INVALID), NAME(CKR_SESSION_PARALLEL_NOT_SUPPORTED),
	NAME(CKR_SESSION_READ_ONLY), NAME(CKR_SESSION_EXISTS), NAME(CKR_SESSION_READ_ONLY_EXISTS),
	NAME(CKR_SESSION_READ_WRITE_SO_EXISTS), NAME(CKR_SIGNATURE_INVALID),
	NAME(CKR_SIGNATURE_LEN_RANGE), NAME(CKR_TEMPLATE_INCOMPLETE),
	NAME(CKR_TEMPLATE_INCONSISTENT), NAME(CKR_TOKEN_NOT_PRESENT),
	NAME(CKR_TOKEN_NOT_RECOGNIZED), NAME(CKR_TOKEN_WRITE_PROTECTED),
	NAME(CKR_UNWRAPPING_KEY_HANDLE_INVALID), NAME(CKR_UNWRAPPING_KEY_SIZE_RANGE),
	NAME(CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT), NAME(CKR_USER_ALREADY_LOGGED_IN),
	NAME(CKR_USER_NOT_LOGGED_IN), NAME(CKR_USER_PIN_NOT_INITIALIZED),
	NAME(CKR_USER_TYPE_INVALID), NAME(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
	NAME(CKR_USER_TOO_MANY_TYPES), NAME(CKR_WRAPPED_KEY_INVALID),
	NAME(CKR_WRAPPED_KEY_LEN_RANGE), NAME(CKR_WRAPPING_KEY_HANDLE_INVALID),
	NAME(CKR_WRAPPING_KEY_SIZE_RANGE), NAME(CKR_WRAPPING_KEY_TYPE_INCONSISTENT),
	NAME(CKR_RANDOM_SEED_NOT_SUPPORTED), NAME(CKR_RANDOM_NO_RNG),
	NAME(CKR_DOMAIN_PARAMS_INVALID), NAME(CKR_CURVE_NOT_SUPPORTED),
	NAME(CKR_BUFFER_TOO_SMALL), NAME(CKR_SAVED_STATE_INVALID),
	NAME(CKR_INFORMATION_SENSITIVE), NAME(CKR_STATE_UNSAVEABLE),
	NAME(CKR_CRYPTOKI_NOT_INITIALIZED), NAME(CKR_CRYPTOKI_ALREADY_INITIALIZED),
	NAME(CKR_PUBLIC_KEY_INVALID), NAME(CKR_FUNCTION_REJECTED),
	NAME(CKR_OPERATION_CANCEL_FAILED), NAME(CKR_RC_ERROR),
	NAME(CKR_CONTAINER_HANDLE_INVALID), NAME(CKR_USER_LOCKED_OUT),
	NAME(CKR_CLONING_PARAMETER_ALREADY_EXISTS), NAME(CKR_CLONING_PARAMETER_MISSING),
	NAME(CKR_CERTIFICATE_DATA_MISSING), NAME(CKR_CERTIFICATE_DATA_INVALID),
	NAME(CKR_WRAPPING_ERROR), NAME(CKR_UNWRAPPING_ERROR), NAME(CKR_MAC_MISSING),
	NAME(CKR_BAD_MAC), NAME(CKR_USER_NOT_AUTHORIZED), NAME(CKR_MAX_OBJECT_COUNT_EXCEEDED),
	NAME(CKR_SO_LOGIN_FAILURE_THRESHOLD), NAME(CKR_PARTITION_DISABLED),
	NAME(CKR_HSM_STORAGE_FULL), NAME(CKR_CONTAINER_OBJECT_STORAGE_FULL),
	NAME(CKR_OPERATION_NOT_ALLOWED), NAME(CKR_OBJECT_ALREADY_EXISTS),
	NAME(CKR_KEY_INVALID_FOR_HA_LOGIN), NAME(CKR_KEY_EXTRACTABLE),
	NAME(CKR_FAILED_TO_CLONE_AN_OBJECT), NAME(CKR_CLONE_NOT_ATTEMPTED),
	NAME(CKR_OBJECT_TYPE_INVALID), NAME(CKR_OBJECT_READ_ONLY), NAME(CKR_KEY_NOT_ACTIVE),
};

static atomic_int log_fd = -1;
static _Thread_local const char *log_reason;

void p11_log_open(void)
{
	const char *target = secure_getenv("LUNA_LOG");
	int fd;

	if (!target || !*target)
		return;
	if (!strcmp(target, "stderr"))
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	fd = atomic_exchange(&log_fd, fd);
	if (fd >= 0)
		close(fd);
}

void p11_log_close(void)
{
	int fd = atomic_exchange(&log_fd, -1);

	if (fd >= 0)
		close(fd);
}

void p11_log_reason(const char *reason)
{
	log_reason = reason;
}

static const char *log_name(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(log_names) / sizeof(log_names[0]); i++)
		if (log_names[i].rv == rv)
			return log_names[i].name;
	return "CKR_?";
}

/* One line: the time, the process, and @text. */
static void log_line(int fd, const char *text)
{
	char line[512], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	len = snprintf(line, sizeof(line), "%s luna[%ld] %s\n", when, (long)getpid(), text);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (write(fd, line, (size_t)len) < 0)
		return;		/* a log that cannot be written must not change the call's result */
}

static void log_failure(int fd, const char *function, CK_SLOT_ID slot, CK_RV rv)
{
	char text[448], where[32] = "";

	if (slot != P11_LOG_NO_SLOT)
		snprintf(where, sizeof(where), " slot %lu", slot);
	snprintf(text, sizeof(text), "%s%s: %s (0x%lx)%s%s", function, where, log_name(rv), rv,
		 log_reason ? ": " : "", log_reason ? log_reason : "");
	log_line(fd, text);
}

void p11_log_note(const char *text)
{
	int fd = atomic_load_explicit(&log_fd, memory_order_relaxed);

	if (fd >= 0)
		log_line(fd, text);
}

CK_RV p11_log_result(const char *function, CK_SLOT_ID slot, CK_RV rv)
{
	int fd = -1;

	if (rv != CKR_OK)
		fd = atomic_load_explicit(&log_fd, memory_order_relaxed);
	if (fd >= 0)
		log_failure(fd, function, slot, rv);
	/* Also of what a call got over: the next one's failure has a reason of its own, or none. */
	log_reason = NULL;
	return rv;
}
