// SPDX-License-Identifier: MIT
/* A token as an image in a file. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

enum {
	PIECE = 256 * 1024,
	/* The header of an image: lib/token/FORMAT.md */
	HEAD = 104, HEAD_VERSION = 8, HEAD_LENGTH = 16, HEAD_LABEL = 40, HEAD_SERIAL = 72,
	VERSION = 1,
	LABEL_LEN = 32, SERIAL_LEN = 16,
};

static const char *file_of(const struct ctl_args *args)
{
	if (args->rest_count != 1)
		usage_error("name one file");
	return args->rest[0];
}

static void print_image(const struct ctl_args *args, const char *verb, const unsigned char *head,
			size_t len, CK_SLOT_ID slot, const char *path)
{
	struct json_object *object;
	char label[LABEL_LEN + 1];
	size_t i;

	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "slot", json_object_new_int64((int64_t)slot));
		json_object_object_add(object, "label", json_text(head + HEAD_LABEL, LABEL_LEN));
		json_object_object_add(object, "serial", json_text(head + HEAD_SERIAL, SERIAL_LEN));
		json_object_object_add(object, "bytes", json_object_new_int64((int64_t)len));
		json_object_object_add(object, "file", json_text(path, strlen(path)));
		print_json(object);
		return;
	}
	snprintf(label, sizeof(label), "%.*s", LABEL_LEN, (const char *)head + HEAD_LABEL);
	for (i = strlen(label); i && label[i - 1] == ' '; i--)
		label[i - 1] = '\0';
	printf("Token '");
	print_text(label);
	printf("', serial number %.13s, %s slot %lu: %zu bytes.\n", head + HEAD_SERIAL, verb, slot,
	       len);
}

/* ---- backup ---- */

/* Not yet the file that was asked for; gone at exit unless it has become that. */
static char unfinished[PATH_MAX];

static void remove_unfinished(void)
{
	if (*unfinished)
		unlink(unfinished);
}

/* unlink() may be called here. */
static void end_by_signal(int signal)
{
	remove_unfinished();
	raise(signal);
}

/* It is gone as well if a signal ends the program; a file over a limit is an error as any other. */
static void watch_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction action = { .sa_handler = end_by_signal, .sa_flags = SA_RESETHAND }, before;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler != SIG_IGN)
			sigaction(signals[i], &action, NULL);
	signal(SIGXFSZ, SIG_IGN);
}

/* A new file beside @path, for the user alone. */
static int create_beside(const char *path)
{
	int fd;

	watch_signals();

	if ((size_t)snprintf(unfinished, sizeof(unfinished), "%s.XXXXXX", path) >= sizeof(unfinished)) {
		*unfinished = '\0';
		fatal("%s: %s", path, strerror(ENAMETOOLONG));
	}
	fd = mkostemp(unfinished, O_CLOEXEC);
	if (fd < 0) {
		*unfinished = '\0';
		fatal("%s: %s", path, strerror(errno));
	}
	atexit(remove_unfinished);
	return fd;
}

static void write_all(int fd, const char *path, const unsigned char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			fatal("%s: %s", path, strerror(errno));
	}
}

/* The name is durable, too. */
static void sync_directory(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		fatal("%s: %s", path, strerror(errno));
	close(fd);
}

static void give_name(int fd, const char *path)
{
	if (fsync(fd) || close(fd) || rename(unfinished, path))
		fatal("%s: %s", path, strerror(errno));
	*unfinished = '\0';
	sync_directory(path);
}

static void fetch(CK_SESSION_HANDLE session, CK_ULONG len, int fd, const char *path,
		  unsigned char *head)
{
	unsigned char *piece = malloc(PIECE);
	CK_ULONG at, n;

	if (!piece)
		fatal("out of memory");
	for (at = 0; at < len; at += n) {
		n = PIECE;
		check(CA_TokenImageRead(session, at, piece, &n), "CA_TokenImageRead");
		if (!at && n >= HEAD)
			memcpy(head, piece, HEAD);
		write_all(fd, path, piece, n);
		progress("Saving", at + n, len);
	}
	free(piece);
}

static int backup(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	const char *path = file_of(args);
	bool to_stdout = !strcmp(path, "-");
	unsigned char head[HEAD] = { 0 };
	CK_SESSION_HANDLE session;
	CK_ULONG len;
	int fd;

	if (to_stdout && (args->json || isatty(STDOUT_FILENO)))
		usage_error("an image on standard output can be read by nobody; name a file");
	if (!to_stdout && !args->opt[OPT_FORCE] && !access(path, F_OK))
		fatal("%s is there already; --force replaces it", path);
	session = session_login(slot, "co", args, OPT_PIN_FILE);
	fd = to_stdout ? STDOUT_FILENO : create_beside(path);
	check(CA_TokenImageExport(session, &len), "CA_TokenImageExport");
	fetch(session, len, fd, path, head);
	if (to_stdout)
		return 0;
	give_name(fd, path);
	print_image(args, "is saved from", head, len, slot, path);
	return 0;
}

/* ---- restore ---- */

static uint64_t number(const unsigned char *data, unsigned int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | data[bytes];
	return value;
}

/* What can be said without the device. */
static void head_check(const unsigned char *image, CK_ULONG len, const char *path)
{
	uint64_t length;

	if (len < HEAD || memcmp(image, "LUNAIMG\n", 8))
		fatal("%s is not the image of a token, or not even its start; 'lunactl backup' makes one",
		      path);
	if (number(image + HEAD_VERSION, 4) > VERSION)
		fatal("%s has image version %" PRIu64 "; this program knows version %d alone", path,
		      number(image + HEAD_VERSION, 4), VERSION);
	length = number(image + HEAD_LENGTH, 8);
	if (length != len)
		fatal("%s has %lu bytes, but its header says %" PRIu64 ": it is %s", path, len, length,
		      length > len ? "cut short" : "damaged");
}

/* Two tokens with one serial number are one to most programs. */
static void refuse_twin(const unsigned char *image, CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info;
	CK_ULONG count, i;
	CK_SLOT_ID *ids = slots_all(CK_TRUE, &count);

	for (i = 0; i < count; i++) {
		if (ids[i] == slot || C_GetTokenInfo(ids[i], &info) != CKR_OK ||
		    !(info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		if (!memcmp(info.serialNumber, image + HEAD_SERIAL, SERIAL_LEN))
			fatal("slot %lu has this token already, with serial number %.*s; programs take two such "
			      "for one. --force makes a second all the same", ids[i], SERIAL_LEN,
			      info.serialNumber);
	}
	free(ids);
}

static void send(CK_SLOT_ID slot, unsigned char *image, CK_ULONG len)
{
	CK_ULONG at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < PIECE ? len - at : PIECE;
		check(CA_TokenImageWrite(slot, at, image + at, n), "CA_TokenImageWrite");
		progress("Sending", at + n, len);
	}
}

static void restore_check(CK_RV rv, CK_ULONG damaged, const char *path)
{
	const char *name = ckr_name(rv);

	if (rv == CKR_DATA_INVALID && damaged)
		fatal("%s: %s is damaged at byte %lu; nothing is changed", name, path, damaged);
	if (rv == CKR_DATA_INVALID)
		fatal("%s: %s holds no token that could have been made here; nothing is changed", name,
		      path);
	if (rv == CKR_UNWRAPPING_ERROR)
		fatal("%s: %s is of another cloning domain: --domain; nothing is changed", name, path);
	if (rv == CKR_PIN_INCORRECT)
		fatal("%s: that is not the SO PIN of the token that would be replaced; the attempt was "
		      "counted", name);
	check(rv, "CA_TokenImageRestore");
}

static int restore(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	const char *path = file_of(args), *domain = args->opt[OPT_DOMAIN];
	const char *role = args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co";
	struct pin so = { .len = 0 }, pin;
	CK_ULONG len, damaged = 0;
	unsigned char *image;
	CK_TOKEN_INFO info;
	bool there;
	CK_RV rv;

	args_need(args, OPT_DOMAIN);
	image = file_read(path, &len);
	head_check(image, len, path);
	check(C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
	there = info.flags & CKF_TOKEN_INITIALIZED;
	if (!args->opt[OPT_FORCE]) {
		if (there)
			fatal("slot %lu has a token, which would be lost; --force replaces it", slot);
		refuse_twin(image, slot);
	}
	pin_of_role(&pin, role, "the image", args, OPT_PIN_FILE);
	if (there)
		pin_get(&so, args, OPT_SO_PIN_FILE, "LUNA_SO_PIN",
			"the security officer of the token that is replaced");
	send(slot, image, len);
	rv = CA_TokenImageRestore(slot, so.text, so.len, (CK_BYTE_PTR)domain, strlen(domain),
				  role_type(role), pin.text, pin.len, &damaged);
	pin_free(&pin);
	pin_free(&so);
	restore_check(rv, damaged, path);
	print_image(args, "is restored to", image, len, slot, path);
	free(image);
	return 0;
}

const struct ctl_command image_commands[] = {
	{ "backup", "Saves a token to a file, sealed under its cloning domain",
	  "The PIN is the crypto officer's (LUNA_PIN). The token stays in use meanwhile. Whoever has the file,\n"
	  "the domain and one PIN of the token has its keys: keep the file and the domain apart. A token\n"
	  "without a cloning domain, or whose policies forbid cloning, cannot be saved.",
	  backup, OPT(SLOT) | OPT(PIN_FILE) | OPT(FORCE), "FILE" },
	{ "restore", "Restores a token from such a file; what the slot held is lost",
	  "The PIN (LUNA_PIN) is the one that the crypto officer had when the token was saved, or that of\n"
	  "--role. If the slot has a token, --force and its security officer's PIN (LUNA_SO_PIN) are needed.",
	  restore, OPT(SLOT) | OPT(DOMAIN) | OPT(ROLE) | OPT(PIN_FILE) | OPT(SO_PIN_FILE) | OPT(FORCE),
	  "FILE" },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
