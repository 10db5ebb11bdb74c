// SPDX-License-Identifier: MIT
/*
 * 'lunactl peer': serves the lunactl of another host through its standard input and output (PEER.md).
 * It logs in with a PIN of this host, which never goes through the pipe, and does what the client asks
 * within one purpose. The client may be anybody who could start this program.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"

static struct {
	struct link link;
	const struct ctl_args *args;
	struct token token;
	bool opened;
	unsigned int allowed;	/* purposes, by bit */
	char host[PEER_TEXT_MAX + 1];
} peer;

static bool error_send(CK_RV rv, const char *call, const char *text)
{
	struct body body = { NULL, 0, 0, 0, false };
	bool sent;

	put_u32(&body, rv);
	put_text(&body, call);
	put_text(&body, text);
	sent = frame_write(&peer.link, PEER_ERROR, &body);
	body_free(&body);
	return sent;
}

/* The end of this program is told to the client, who tells its operator; or here, if that fails. */
static bool failed(CK_RV rv, const char *call, const char *text)
{
	return error_send(rv, call, text) && !peer.args->opt[OPT_VERBOSE];
}

static void lost(const char *when) __attribute__((noreturn));

static void lost(const char *when)
{
	on_failure(NULL);
	fatal_lost("peer on %s: the connection broke %s: %s. What was finished stays; the client can run its "
		   "command again", peer.host, when, peer.link.why);
}

static void verbose(unsigned int type, const char *call, CK_RV rv)
{
	if (peer.args->opt[OPT_VERBOSE])
		fprintf(stderr, "lunactl: peer on %s: request 0x%02x: %s: %s\n", peer.host, type, call,
			ckr_name(rv));
}

/* u8 oldest, u8 newest, text program -> u8 version, text program, text host */
static void hello(void)
{
	struct body in, out = { NULL, 0, 0, 0, false };
	char program[PEER_TEXT_MAX + 1];
	unsigned int type, oldest, newest, version;

	if (!frame_read(&peer.link, &type, &in, NULL))
		lost("before it began");
	oldest = get_u8(&in);
	newest = get_u8(&in);
	get_text(&in, program, sizeof(program));
	on_failure(failed);
	if (type != PEER_HELLO || !body_done(&in))
		fatal("the client does not begin with a greeting: is it lunactl?");
	body_free(&in);
	if (newest < PEER_OLDEST || oldest > PEER_NEWEST)
		fatal("lunactl " LUNA_VERSION " speaks versions %d to %d of the protocol, and %s versions "
		      "%u to %u: install the same on both", PEER_OLDEST, PEER_NEWEST, program,
		      oldest, newest);
	version = newest < PEER_NEWEST ? newest : PEER_NEWEST;
	put_u8(&out, version);
	put_text(&out, "lunactl " LUNA_VERSION);
	put_text(&out, peer.host);
	if (!frame_write(&peer.link, PEER_HELLO | PEER_REPLY, &out))
		lost("at the greeting");
	body_free(&out);
	peer.link.version = (uint8_t)version;
}

static bool label_is(const CK_TOKEN_INFO *token, const char *label)
{
	size_t len = sizeof(token->label);

	while (len && token->label[len - 1] == ' ')
		len--;
	return len == strlen(label) && !memcmp(token->label, label, len);
}

/* The one initialised token that @slot and @label, if they are not NULL, describe. */
static CK_SLOT_ID slot_choose(const CK_SLOT_ID *slot, const char *label)
{
	CK_ULONG count, found = 0, i;
	CK_SLOT_ID *ids = slots_all(CK_TRUE, &count), the_slot = 0;
	CK_TOKEN_INFO token;

	for (i = 0; i < count; i++) {
		if (C_GetTokenInfo(ids[i], &token) != CKR_OK || (slot && ids[i] != *slot) ||
		    (label && !label_is(&token, label)))
			continue;
		if (!(token.flags & CKF_TOKEN_INITIALIZED) && !slot)
			continue;
		the_slot = ids[i];
		found++;
	}
	free(ids);
	if (!found)
		fatal("no such token there; 'lunactl slots' on that host lists them");
	if (found > 1)
		fatal("peer on %s: there are %lu such tokens: choose one by --remote-slot or --remote-label",
		      peer.host, found);
	return the_slot;
}

static bool pin_needs_person(void)
{
	int tty = -1;

	if (!peer.args->opt[OPT_PIN_FILE] && !getenv("LUNA_PIN"))
		tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (tty >= 0)
		close(tty);
	return tty >= 0;
}

/* Tells the client to be patient, and lets it tell that before the prompt comes. */
static void ask_patience(void)
{
	struct body wait = { NULL, 0, 0, 0, false }, seen;
	unsigned int type;

	put_text(&wait, "the PIN of the crypto officer is asked for on its terminal");
	if (!frame_write(&peer.link, PEER_WAIT, &wait) || !frame_read(&peer.link, &type, &seen, NULL))
		lost("at the login");
	body_free(&wait);
	body_free(&seen);
	if (type != PEER_WAIT)
		fatal("the client does not wait for the PIN");
}

/* A PIN that is wrong ends the program: no client tries it often. */
static void log_in(void)
{
	char where[PEER_TEXT_MAX + 32];

	peer.token.session = session_public(peer.token.slot);
	if (peer.token.purpose == PURPOSE_LOGIN_SECONDARY)
		return;
	if (pin_needs_person())
		ask_patience();
	snprintf(where, sizeof(where), "slot %lu of %.200s", peer.token.slot, peer.host);
	check(session_try_login(peer.token.session, "co", where, peer.args, OPT_PIN_FILE), "C_Login");
}

/* u8 purpose, u8 how, u32 slot, text label -> u32 slot, text label of the token */
static CK_RV open_token(struct body *in, struct body *out, const char **call)
{
	unsigned int purpose = get_u8(in), how = get_u8(in);
	CK_SLOT_ID slot = get_u32(in), mine;
	char label[PEER_TEXT_MAX + 1];
	CK_TOKEN_INFO token;

	get_text(in, label, sizeof(label));
	*call = "request";
	if (!body_done(in) || purpose >= PURPOSE_COUNT || how > 3 || peer.opened)
		return CKR_ARGUMENTS_BAD;
	if (!(peer.allowed & 1u << purpose))
		fatal("it does not serve as %s: its --only says what for",
		      purpose_name(purpose));
	if (peer.args->opt[OPT_SLOT]) {
		mine = slot_of(peer.args, OPT_SLOT);
		if ((how & 1) && slot != mine)
			fatal("it serves slot %lu alone", mine);
		slot = mine;
		how |= 1;
	}
	peer.token.slot = slot_choose(how & 1 ? &slot : NULL, how & 2 ? label : NULL);
	peer.token.purpose = (enum peer_purpose)purpose;
	peer.token.replicate = CK_TRUE;
	peer.token.keep = peer.args->opt[OPT_APP_ID] != NULL;
	log_in();
	peer.opened = true;
	check(C_GetTokenInfo(peer.token.slot, &token), "C_GetTokenInfo");
	snprintf(label, sizeof(label), "%.32s", token.label);
	label[32] = 0;
	while (label[0] && label[strlen(label) - 1] == ' ')
		label[strlen(label) - 1] = 0;
	put_u32(out, peer.token.slot);
	put_text(out, label);
	return CKR_OK;
}

static CK_RV serve_one(unsigned int type, struct body *in, struct body *out, const char **call)
{
	*call = "request";
	if (type == PEER_OPEN)
		return open_token(in, out, call);
	if (!peer.opened)
		return CKR_FUNCTION_REJECTED;
	return request_handle(&peer.token, type, in, out, call);
}

/* Until the client says that it has done. */
static void serve(void)
{
	struct body in, out;
	unsigned int type;
	const char *call;
	bool closed;
	CK_RV rv;

	do {
		if (!frame_read(&peer.link, &type, &in, &closed))
			lost(closed ? "where a request was to come" : "within a request");
		memset(&out, 0, sizeof(out));
		rv = type == PEER_BYE ? CKR_OK : serve_one(type, &in, &out, &call);
		body_free(&in);
		if (type != PEER_BYE)
			verbose(type, call, rv);
		if (rv == CKR_OK ? !frame_write(&peer.link, type | PEER_REPLY, &out) :
		    !error_send(rv, call, ""))
			if (type != PEER_BYE)	/* nobody waits for that one */
				lost("where a reply was to go");
		body_free(&out);
	} while (type != PEER_BYE);
}

/* The purposes of --only, separated by commas. */
static unsigned int purposes_parse(const char *list)
{
	unsigned int purposes = 0;
	int purpose;
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		purpose = purpose_of(list, len);
		if (purpose < 0)
			usage_error("--only: '%.*s' is none of source, target, setup-primary, setup-secondary, "
				    "login-primary, login-secondary", (int)len, list);
		purposes |= 1u << purpose;
		if (!list[len])
			return purposes;
	}
}

static int peer_run(const struct ctl_args *args)
{
	CK_ULONG seconds = args_number(args, OPT_TIMEOUT, PEER_TIMEOUT);

	if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO))
		usage_error("peer talks to the lunactl of another host through a pipe, not to a person. There: "
			    "lunactl clone --from 0 --label LABEL --remote \"ssh THIS-HOST lunactl peer\" "
			    "(without ssh -t)");
	if (!seconds || seconds > 86400)
		usage_error("--timeout is 1 to 86400 seconds");
	ctl_json_errors(false);		/* standard output is the pipe */
	peer.args = args;
	peer.allowed = args->opt[OPT_ONLY] ? purposes_parse(args->opt[OPT_ONLY]) : ~0u;
	if (gethostname(peer.host, sizeof(peer.host) - 1))
		snprintf(peer.host, sizeof(peer.host), "unknown");
	peer.link = (struct link){
		.in = STDIN_FILENO, .out = STDOUT_FILENO, .seconds = (unsigned int)seconds,
	};
	signal(SIGPIPE, SIG_IGN);
	pin_from_tty();
	hello();
	serve();
	on_failure(NULL);
	objects_free(&peer.token.found);
	return 0;
}

const struct ctl_command peer_commands[] = {
	{ "peer", "Serves the lunactl of another host (its --remote)",
	  "Started by the other host, as in: lunactl migrate --from 0 --remote \"ssh host lunactl peer\"; it talks\n"
	  "to it through standard input and output. The PIN is that of this host's crypto officer, from\n"
	  "--pin-file, LUNA_PIN in this host's environment, or a prompt on the terminal if there is one;\n"
	  "it is never sent. --only restricts what it serves as: source, target, setup-primary,\n"
	  "setup-secondary, login-primary, login-secondary, separated by commas. In authorized_keys:\n"
	  "  restrict,command=\"lunactl peer --slot 0 --pin-file /etc/luna/co.pin --only login-primary\" ssh-...",
	  peer_run, OPT(SLOT) | OPT(PIN_FILE) | OPT(ONLY) | OPT(TIMEOUT) | OPT(VERBOSE), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
