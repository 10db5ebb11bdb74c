/* SPDX-License-Identifier: MIT */
/*
 * lunactl: what its files share. It uses the library's public API alone. Every command is one function
 * that returns an exit status: 0, or 1 when the token refused (the CKR's name is on stderr), or 2 when
 * the command line was wrong, or 3 when the connection to another host broke.
 */
#ifndef LUNACTL_CTL_H
#define LUNACTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LUNA_OASIS_NAMES_ONLY
#include <luna/cryptoki_v2.h>
#include <luna/sfnt_extensions.h>
#include <json-c/json.h>

/* Options, by name in args.c. */
enum ctl_opt {
	OPT_SLOT, OPT_FROM, OPT_TO, OPT_PRIMARY, OPT_SECONDARY, OPT_LABEL, OPT_ID, OPT_HANDLE,
	OPT_CLASS, OPT_TYPE, OPT_SIZE, OPT_CURVE, OPT_MECHANISM, OPT_IN, OPT_OUT, OPT_SIGNATURE, OPT_DOMAIN,
	OPT_ROLE, OPT_PIN_FILE, OPT_NEW_PIN_FILE, OPT_TO_PIN_FILE, OPT_SECONDARY_PIN_FILE, OPT_POLICY,
	OPT_VALUE, OPT_M, OPT_N, OPT_OUT_DIR, OPT_LEGACY, OPT_MOFN, OPT_HSM, OPT_FORCE, OPT_STEPS,
	OPT_SO_PIN_FILE, OPT_PUBLIC, OPT_EXTRACTABLE, OPT_CLONEABLE, OPT_REMOTE, OPT_REMOTE_SLOT,
	OPT_REMOTE_LABEL, OPT_TIMEOUT, OPT_ONLY, OPT_VERBOSE, OPT_JSON, OPT_APP_ID, OPT_HELP,
	OPT_COUNT
};

/**
 * struct ctl_args - a parsed command line
 * @opt: values; "" for options without one; NULL: not given
 * @rest: words that are no options
 */
struct ctl_args {
	const char *opt[OPT_COUNT];
	char **rest;
	int rest_count;
	bool json;
};

struct ctl_command {
	const char *name;		/* "key generate" */
	const char *summary;
	const char *details;		/* printed by --help below the options; may be NULL */
	int (*run)(const struct ctl_args *args);
	unsigned long long options;	/* bit per enum ctl_opt */
	const char *rest;		/* what the other words are, or NULL: none are taken */
};

#define OPT(name)	(1ULL << OPT_##name)

extern const struct ctl_command *const ctl_groups[];	/* NULL-terminated list of tables */
extern const struct ctl_command token_commands[], object_commands[], crypt_commands[],
	clone_commands[], image_commands[], ha_commands[], policy_commands[], mofn_commands[],
	peer_commands[], app_commands[];

/* args.c */
int args_parse(int argc, char **argv, const struct ctl_command *command, struct ctl_args *args);
void args_help(const struct ctl_command *command, FILE *to);
CK_ULONG args_number(const struct ctl_args *args, enum ctl_opt opt, CK_ULONG otherwise);
const char *args_name(enum ctl_opt opt);	/* without its two dashes */
void args_need(const struct ctl_args *args, enum ctl_opt opt);

/* message.c; those that do not return exit with the status that they say */
const char *ckr_name(CK_RV rv);
void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));	/* 2 */
void fatal(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));		/* 1 */
void check(CK_RV rv, const char *what);		/* exits with 1 and the CKR's name unless CKR_OK */
void check_at(CK_RV rv, const char *what, const char *where);	/* likewise; @where: " on slot 1" */
/* 1, of a return value that another host has explained */
void refused(CK_RV rv, const char *call, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void fatal_lost(const char *format, ...)	/* 3: the connection broke */
	__attribute__((format(printf, 1, 2), noreturn));
/*
 * Something to be done before the program exits for a failure: @rv is CKR_OK where no PKCS#11 function
 * said it, and the hook says whether somebody was told @text, who is not told on stderr then.
 */
void on_failure(bool (*hook)(CK_RV rv, const char *call, const char *text));
void ctl_json_errors(bool on);			/* failures as JSON on stdout, too */

/* output.c */
void print_json(struct json_object *object);	/* and frees it */
/* What was done: the text, or with --json { "done": true }. */
void print_done(const struct ctl_args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * What would command a terminal, as a stranger's text may, becomes '?': control characters, also those of
 * UTF-8's second block.
 */
void text_clean(char *text, size_t len);
void print_text(const char *text);		/* cleaned */
struct json_object *json_text(const void *blank_padded, size_t len);
struct json_object *json_hex(const void *bytes, size_t len);
void progress(const char *what, size_t done, size_t total);	/* a bar on stderr, if it is a terminal */
void progress_clear(void);	/* takes it away, for a line of text */
unsigned char *file_read(const char *path, CK_ULONG *len);	/* "-": stdin; exits on failure */
void file_write(const char *path, const void *data, CK_ULONG len, bool secret);	/* "-": stdout */
/* To --out, or stdout; with --json says what went there, or has the bytes in it. */
void output_write(const struct ctl_args *args, const void *data, CK_ULONG len, bool secret);

/* pin.c: a PIN, which is wiped by pin_free(); a program that has had one leaves no core dump */
struct pin {
	CK_UTF8CHAR text[256];
	CK_ULONG len;
};

/* From the option's file, or the environment variable, or a prompt that says @whose. */
void pin_get(struct pin *pin, const struct ctl_args *args, enum ctl_opt file, const char *variable,
	     const char *whose);
/* Likewise a PIN that is being set: a prompt asks for it twice. */
void pin_get_new(struct pin *pin, const struct ctl_args *args, enum ctl_opt file,
		 const char *variable, const char *whose);
void pin_free(struct pin *pin);
/* Prompts on the controlling terminal from now on, the standard input being something else. */
void pin_from_tty(void);

/* session.c */
CK_SLOT_ID slot_of(const struct ctl_args *args, enum ctl_opt opt);	/* must be given, and exist */
/* All slots, or those with a token, in malloc'ed memory, and how many they are. */
CK_SLOT_ID *slots_all(CK_BBOOL present, CK_ULONG *count);
CK_SESSION_HANDLE session_public(CK_SLOT_ID slot);
/*
 * Logged in as @role ("so", "co", "cu"), with the PIN of @file or the role's environment variable, or
 * with none if the application is logged in already (--app-id).
 */
CK_SESSION_HANDLE session_login(CK_SLOT_ID slot, const char *role, const struct ctl_args *args,
				enum ctl_opt file);
/* Likewise, with the name of the place for the prompt; what C_Login says. */
CK_RV session_try_login(CK_SESSION_HANDLE session, const char *role, const char *where,
			const struct ctl_args *args, enum ctl_opt file);
/* The PIN of a role of @where ("slot 1"), from @file or the role's environment variable. */
void pin_of_role(struct pin *pin, const char *role, const char *where, const struct ctl_args *args,
		 enum ctl_opt file);
CK_USER_TYPE role_type(const char *name);	/* exits with 2 if it is no role */
const char *state_text(CK_STATE state);

/* app.c: --app-id, if it is given, is the application id from now on */
void app_set(const struct ctl_args *args);

/* find.c: objects that --handle, --label, --id and --class choose */
struct objects {
	CK_OBJECT_HANDLE *handle;
	CK_ULONG count;
};

/**
 * struct wanted - objects that are looked for; what is not set does not narrow
 * @label, @id: bytes of the caller's
 */
struct wanted {
	bool has_handle, has_label, has_id, has_class;
	CK_OBJECT_HANDLE handle;
	CK_OBJECT_CLASS class;
	const void *label, *id;
	CK_ULONG label_len, id_len;
};

/* @id: 256 bytes for the value of --id; exits with 2 if the command line makes no sense. */
void wanted_parse(struct wanted *wanted, const struct ctl_args *args, unsigned char *id);
struct objects objects_search(CK_SESSION_HANDLE session, const struct wanted *wanted);
struct objects objects_find(CK_SESSION_HANDLE session, const struct ctl_args *args);	/* both */
void objects_free(struct objects *objects);
void object_chosen(const struct ctl_args *args);	/* exits unless the command line chooses */
CK_ULONG hex_bytes(const char *hex, unsigned char *out, size_t room);	/* exits unless it is hex */
CK_OBJECT_HANDLE object_one(CK_SESSION_HANDLE session, const struct ctl_args *args,
			    CK_OBJECT_CLASS class);	/* exits unless there is exactly one */
bool object_ulong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		  CK_ULONG *value);
bool object_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type);
/* malloc'ed; NULL if the object has none or does not tell */
unsigned char *object_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
			    CK_ULONG *len);
const char *class_name(CK_ULONG class);
const char *key_type_name(CK_ULONG type);

/* curve.c */
struct ctl_curve {
	const char *name;	/* openssl's, too */
	CK_KEY_TYPE key_type;
	CK_MECHANISM_TYPE generate;
	CK_ULONG bits, params_len;
	CK_BYTE params[16];	/* CKA_EC_PARAMS */
};

const struct ctl_curve *curve_named(const char *name);	/* exits with 2 if there is none */
const struct ctl_curve *curve_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);	/* or NULL */
/* SubjectPublicKeyInfo in PEM of a key's CKA_EC_POINT; malloc'ed, or NULL */
char *curve_pem(const struct ctl_curve *c, unsigned char *point, CK_ULONG len, long *pem_len);
/* ECDSA signatures between PKCS#11's form and DER, each in 160 bytes of room. Return: the length */
CK_ULONG ecdsa_to_der(const unsigned char *sig, CK_ULONG len, unsigned char *der);
CK_ULONG ecdsa_from_der(const struct ctl_curve *c, const unsigned char *der, CK_ULONG len,
			unsigned char *sig);

#endif /* LUNACTL_CTL_H */
