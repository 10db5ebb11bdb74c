// SPDX-License-Identifier: MIT
/* What went wrong, by the name that the standard gives it, and what to do next. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static bool json_errors;

#define NAME(rv) { rv, #rv }
static const struct {
	CK_RV rv;
	const char *name;
} names[] = {
#include "rv_names.h"
};

static const struct {
	CK_RV rv;
	const char *hint;
} hints[] = {
	{ CKR_PIN_INCORRECT, "the PIN is wrong; the attempt was counted" },
	{ CKR_PIN_LEN_RANGE, "the PIN is too short or too long: lunactl slots says the limits" },
	{ CKR_USER_LOCKED_OUT, "too many wrong PINs; the SO resets the PIN: lunactl role init" },
	{ CKR_USER_PIN_NOT_INITIALIZED, "the role has no PIN yet: lunactl role init" },
	{ CKR_TOKEN_NOT_RECOGNIZED, "the token is not initialised: lunactl init" },
	{ CKR_TOKEN_NOT_PRESENT, "the device does not answer: is luna-fuse running?" },
	{ CKR_DEVICE_REMOVED, "the device has gone: is luna-fuse running?" },
	{ CKR_SLOT_ID_INVALID, "no such slot: lunactl slots lists them" },
	{ CKR_SESSION_EXISTS, "another program has a session open on this token" },
	{ CKR_CLONING_PARAMETER_MISSING, "the token has no cloning domain: lunactl init --domain" },
	{ CKR_UNWRAPPING_ERROR, "the tokens are not in one cloning domain" },
	{ CKR_SIM_AUTHORIZATION_FAILED, "the PIN is not the one that the role had when the token was saved" },
	{ CKR_OPERATION_NOT_ALLOWED, "a policy, or the state of the token, forbids it" },
	{ CKR_USER_NOT_AUTHORIZED, "the role that is logged in may not do this" },
	{ CKR_KEY_INVALID_FOR_HA_LOGIN, "the key lacks attributes of an HA login key: let 'ha setup' make it" },
	{ CKR_DEVICE_ERROR, "the store is damaged or failed: the messages of luna-fuse, or of the kernel, say more" },
};

const char *ckr_name(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].rv == rv)
			return names[i].name;
	return "CKR_?";
}

void ctl_json_errors(bool on)
{
	json_errors = on;
}

static bool (*failure_hook)(CK_RV rv, const char *call, const char *text);

void on_failure(bool (*hook)(CK_RV rv, const char *call, const char *text))
{
	failure_hook = hook;
}

/* Says what went wrong, once, to whom it is to be said, and exits. */
static void fail(int status, CK_RV rv, const char *call, const char *text) __attribute__((noreturn));

static void fail(int status, CK_RV rv, const char *call, const char *text)
{
	bool (*hook)(CK_RV rv, const char *call, const char *text) = failure_hook;
	struct json_object *error;

	failure_hook = NULL;
	if (!hook || !hook(rv, call, text))
		fprintf(stderr, "lunactl: %s\n", text);
	if (json_errors && status != 2) {
		error = json_object_new_object();
		if (rv != CKR_OK)
			json_object_object_add(error, "call", json_text(call, strlen(call)));
		json_object_object_add(error, "error", rv == CKR_OK ? json_text(text, strlen(text)) :
				       json_object_new_string(ckr_name(rv)));
		if (rv != CKR_OK)
			json_object_object_add(error, "code", json_object_new_int64((int64_t)rv));
		print_json(error);
	}
	exit(status);
}

/* Ends with @status and a message of the format that is the last argument before the dots. */
#define FAIL_FORMAT(status, format)					\
	do {								\
		char text[2048];					\
		va_list args;						\
									\
		va_start(args, format);					\
		vsnprintf(text, sizeof(text), format, args);		\
		va_end(args);						\
		fail(status, CKR_OK, "", text);				\
	} while (0)

void usage_error(const char *format, ...)
{
	FAIL_FORMAT(2, format);
}

void fatal(const char *format, ...)
{
	FAIL_FORMAT(1, format);
}

void fatal_lost(const char *format, ...)
{
	FAIL_FORMAT(3, format);
}

void refused(CK_RV rv, const char *call, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail(1, rv == CKR_FUNCTION_FAILED ? CKR_OK : rv, call, text);
}

void check_at(CK_RV rv, const char *what, const char *where)
{
	const char *hint = "";
	char text[1024];
	size_t i;

	if (rv == CKR_OK)
		return;
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].rv == rv)
			hint = hints[i].hint;
	snprintf(text, sizeof(text), "%s%s: %s (0x%lx)%s%s", what, where, ckr_name(rv), rv,
		 *hint ? ": " : "", hint);
	fail(1, rv, what, text);
}

void check(CK_RV rv, const char *what)
{
	check_at(rv, what, "");
}
