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

static void say(const char *format, va_list args)
{
	fputs("lunactl: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

void usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	exit(2);
}

void fatal(const char *format, ...)
{
	struct json_object *error;
	char text[512];
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
	if (json_errors) {
		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		error = json_object_new_object();
		json_object_object_add(error, "error", json_text(text, strlen(text)));
		print_json(error);
	}
	exit(1);
}

void check(CK_RV rv, const char *what)
{
	struct json_object *error;
	const char *hint = "";
	size_t i;

	if (rv == CKR_OK)
		return;
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].rv == rv)
			hint = hints[i].hint;
	if (json_errors) {
		error = json_object_new_object();
		json_object_object_add(error, "call", json_object_new_string(what));
		json_object_object_add(error, "error", json_object_new_string(ckr_name(rv)));
		json_object_object_add(error, "code", json_object_new_int64((int64_t)rv));
		print_json(error);
		json_errors = false;
	}
	fatal("%s: %s (0x%lx)%s%s", what, ckr_name(rv), rv, *hint ? ": " : "", hint);
}
