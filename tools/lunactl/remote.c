// SPDX-License-Identifier: MIT
/*
 * The client's side of the pipe: starts the command of --remote, asks what PEER.md says, and makes a
 * token there look like one here. What comes from there is no more trusted than what a stranger sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer.h"

/* ---- the command that carries the pipe ---- */

/* The environment without the PINs of this host, which are nobody's business there. */
static char **environment_without_pins(void)
{
	static const char *const pins[] = { "LUNA_PIN=", "LUNA_SO_PIN=", "LUNA_CU_PIN=", "LUNA_NEW_PIN=" };
	size_t count = 0, i, j, n = 0;
	char **kept;

	while (environ[count])
		count++;
	kept = calloc(count + 1, sizeof(*kept));
	if (!kept)
		fatal("out of memory");
	for (i = 0; i < count; i++) {
		for (j = 0; j < sizeof(pins) / sizeof(pins[0]); j++)
			if (!strncmp(environ[i], pins[j], strlen(pins[j])))
				break;
		if (j == sizeof(pins) / sizeof(pins[0]))
			kept[n++] = environ[i];
	}
	return kept;
}

static void spawn(struct remote *remote)
{
	char shell[] = "/bin/sh", flag[] = "-c", *argv[] = { shell, flag, (char *)remote->command, NULL };
	char **env = environment_without_pins();
	posix_spawn_file_actions_t actions;
	int to[2], from[2], error;
	posix_spawnattr_t attr;
	sigset_t pipes;

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC))
		fatal("no pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN);
	posix_spawnattr_init(&attr);
	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(&remote->child, shell, &actions, &attr, argv, env);
	if (error)
		fatal("%s: %s", shell, strerror(error));
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	free(env);
	close(to[0]);
	close(from[1]);
	remote->link.in = from[0];
	remote->link.out = to[1];
}

/* Closes the pipe and waits for the command, for @seconds at most; its status, or -1: it goes on. */
static int hang_up(struct remote *remote, int seconds)
{
	struct pollfd ended = { .fd = -1, .events = POLLIN };
	int status = -1;

	if (!remote->child)
		return -1;
	close(remote->link.in);
	close(remote->link.out);
	ended.fd = (int)syscall(SYS_pidfd_open, remote->child, 0);
	if (ended.fd >= 0 && poll(&ended, 1, seconds * 1000) < 1)
		kill(remote->child, SIGTERM);
	if (ended.fd < 0 || poll(&ended, 1, seconds * 1000) == 1)
		waitpid(remote->child, &status, 0);
	if (ended.fd >= 0)
		close(ended.fd);
	remote->child = 0;
	return status;
}

/* Adds to @link->why how the command ended, which often says more. */
static void lose(struct remote *remote)
{
	char *why = remote->link.why;
	size_t len = strlen(why), room = sizeof(remote->link.why) - len;
	int status;

	if (remote->lost)
		return;
	remote->lost = true;
	status = hang_up(remote, 2);
	if (status == -1)
		return;
	if (WIFSIGNALED(status))
		snprintf(why + len, room, "; the command was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(why + len, room, "; the command ended with status 127: there is no such program, "
			 "here or there");
	else if (WEXITSTATUS(status) == 255)
		snprintf(why + len, room, "; the command ended with status 255, with which ssh says that "
			 "there was no connection");
	else if (WEXITSTATUS(status))
		snprintf(why + len, room, "; the command ended with status %d", WEXITSTATUS(status));
}

/* ---- requests ---- */

static void error_take(struct end *end, struct body *body, CK_RV *rv)
{
	struct remote *remote = end->remote;
	char call[PEER_TEXT_MAX + 1];

	*rv = get_u32(body);
	get_text(body, call, sizeof(call));
	get_text(body, remote->said, sizeof(remote->said));
	snprintf(end->call, sizeof(end->call), "%.60s", call);
	if (*rv == CKR_OK)
		*rv = CKR_FUNCTION_FAILED;	/* no function said so, and @said does */
}

/* Waits for the reply to a request; false: it is none. */
static bool reply_read(struct end *end, unsigned int type, struct body *out, CK_RV *rv)
{
	struct link *link = &end->remote->link;
	unsigned int got, seconds = link->seconds;
	struct body none = { NULL, 0, 0, 0, false };
	char what[PEER_TEXT_MAX + 1];
	bool good;

	*rv = CKR_OK;
	good = frame_read(link, &got, out, NULL);
	if (good && got == PEER_WAIT) {
		get_text(out, what, sizeof(what));
		body_free(out);
		fprintf(stderr, "%s: %s\n", end->remote->host, what);
		good = frame_write(link, PEER_WAIT, &none);
		link->seconds = seconds > PEER_PATIENCE ? seconds : PEER_PATIENCE;
		good = good && frame_read(link, &got, out, NULL);
		link->seconds = seconds;
	}
	if (good && got == PEER_ERROR)
		error_take(end, out, rv);
	else if (good && got != (type | PEER_REPLY)) {
		snprintf(link->why, sizeof(link->why), "it answers a message of type %u by one of type %u",
			 type, got);
		good = false;
	}
	if (good && *rv != CKR_OK && !body_done(out)) {
		snprintf(link->why, sizeof(link->why), "its error message makes no sense");
		good = false;
	}
	return good;
}

static CK_RV remote_call(struct end *end, unsigned int type, struct body *in, struct body *out)
{
	struct remote *remote = end->remote;
	CK_RV rv = CKR_DEVICE_REMOVED;
	bool sent;

	remote->said[0] = 0;
	remote->link.number++;
	if (remote->lost)
		return rv;
	sent = frame_write(&remote->link, type, in);
	/* One that takes nothing any more may have said why. */
	if (!reply_read(end, type, out, &rv) || (!sent && rv == CKR_OK)) {
		lose(remote);
		rv = CKR_DEVICE_REMOVED;
	}
	return rv;
}

CK_RV end_call(struct end *end, unsigned int type, struct body *in, struct body *out)
{
	struct body none = { NULL, 0, 0, 0, false };
	const char *call = "request";
	CK_RV rv;

	memset(out, 0, sizeof(*out));
	if (end->remote) {
		rv = remote_call(end, type, in ? in : &none, out);
	} else {
		rv = request_handle(&end->token, type, in ? in : &none, out, &call);
		snprintf(end->call, sizeof(end->call), "%s", call);
	}
	if (in)
		body_free(in);
	if (rv != CKR_OK)
		body_free(out);
	return rv;
}

bool end_lost(const struct end *end)
{
	return end->remote && end->remote->lost;
}

void end_check(struct end *end, CK_RV rv)
{
	char where[sizeof(end->where) + 8];

	if (rv == CKR_OK)
		return;
	if (end_lost(end) && !end->remote->link.version)
		fatal_lost("no 'lunactl peer' answers through --remote: %s. It is a command that runs it there, "
			   "such as: --remote \"ssh host lunactl peer\"", end->remote->link.why);
	if (end_lost(end))
		fatal_lost("%s: the connection broke: %s. What was finished stays; run the same command again "
			   "for the rest", end->where, end->remote->link.why);
	if (end->remote && end->remote->said[0])
		refused(rv, end->call, "%s: %s", end->where, end->remote->said);
	snprintf(where, sizeof(where), " on %s", end->where);
	if (rv == CKR_FUNCTION_REJECTED)
		fatal("%s does not allow this: its 'lunactl peer --only' says what it is for", end->where);
	check_at(rv, end->call, where);
}

/* A reply that has other fields than it should. */
void end_body_check(struct end *end, const struct body *out)
{
	if (body_done(out))
		return;
	if (!end->remote)
		fatal("%s: a request of this program itself makes no sense", end->where);
	snprintf(end->remote->link.why, sizeof(end->remote->link.why), "its reply makes no sense");
	lose(end->remote);
	end_check(end, CKR_DEVICE_REMOVED);
}

void end_ask(struct end *end, unsigned int type, struct body *in, struct body *out)
{
	end_check(end, end_call(end, type, in, out));
}

/* ---- opening ---- */

static struct remote the_remote;

/* Tells the peer that nothing more comes, so that it has nothing to complain about. */
static bool goodbye(CK_RV rv, const char *call, const char *text)
{
	struct body none = { NULL, 0, 0, 0, false };

	(void)rv;
	(void)call;
	(void)text;
	if (the_remote.child && !the_remote.lost) {
		the_remote.link.seconds = 1;
		the_remote.link.number++;
		frame_write(&the_remote.link, PEER_BYE, &none);
		hang_up(&the_remote, 2);
	}
	return false;
}

static void hello(struct end *end)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	char program[PEER_TEXT_MAX + 1];
	unsigned int version;

	put_u8(&in, PEER_OLDEST);
	put_u8(&in, PEER_NEWEST);
	put_text(&in, "lunactl " LUNA_VERSION);
	end_ask(end, PEER_HELLO, &in, &out);
	version = get_u8(&out);
	get_text(&out, program, sizeof(program));
	get_text(&out, end->remote->host, sizeof(end->remote->host));
	end_body_check(end, &out);
	body_free(&out);
	if (version < PEER_OLDEST || version > PEER_NEWEST)
		fatal("%s: %s there chose version %u of the protocol, which this lunactl does not speak",
		      end->where, program, version);
	end->remote->link.version = (uint8_t)version;
}

static void open_there(struct end *end, const struct ctl_args *args, enum peer_purpose purpose)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	char label[PEER_TEXT_MAX + 1];
	CK_ULONG slot;

	put_u8(&in, purpose);
	put_u8(&in, (args->opt[OPT_REMOTE_SLOT] ? 1 : 0) | (args->opt[OPT_REMOTE_LABEL] ? 2 : 0));
	put_u32(&in, args_number(args, OPT_REMOTE_SLOT, 0));
	put_text(&in, args->opt[OPT_REMOTE_LABEL] ? args->opt[OPT_REMOTE_LABEL] : "");
	snprintf(end->where, sizeof(end->where), "%.100s", end->remote->host);
	end_ask(end, PEER_OPEN, &in, &out);
	slot = get_u32(&out);
	get_text(&out, label, sizeof(label));
	end_body_check(end, &out);
	body_free(&out);
	snprintf(end->where, sizeof(end->where), "slot %lu ('%.32s') of %.100s", slot, label,
		 end->remote->host);
}

static void remote_open(struct end *end, const struct ctl_args *args, enum peer_purpose purpose)
{
	CK_ULONG seconds = args_number(args, OPT_TIMEOUT, PEER_TIMEOUT);

	if (!seconds || seconds > 86400)
		usage_error("--timeout is 1 to 86400 seconds");
	end->remote = &the_remote;
	end->token.purpose = purpose;
	the_remote.command = args->opt[OPT_REMOTE];
	the_remote.link.seconds = (unsigned int)seconds;
	snprintf(the_remote.host, sizeof(the_remote.host), "the remote");
	snprintf(end->where, sizeof(end->where), "the remote");
	on_failure(goodbye);
	spawn(&the_remote);
	hello(end);
	open_there(end, args, purpose);
}

static void local_open(struct end *end, const struct ctl_args *args, enum peer_purpose purpose,
		       enum ctl_opt slot, enum ctl_opt pin)
{
	end->token.purpose = purpose;
	end->token.slot = slot_of(args, slot);
	snprintf(end->where, sizeof(end->where), "slot %lu", end->token.slot);
	end->token.session = purpose == PURPOSE_LOGIN_SECONDARY ? session_public(end->token.slot) :
			     session_login(end->token.slot, "co", args,
					   args->opt[pin] ? pin : OPT_PIN_FILE);
}

/* What makes no sense together with --remote, or without it. */
static void remote_check(const struct ctl_args *args, const enum ctl_opt slots[2],
			 const enum ctl_opt pins[2])
{
	static const enum ctl_opt with[] = { OPT_REMOTE_SLOT, OPT_REMOTE_LABEL, OPT_TIMEOUT };
	const char *first = args_name(slots[0]), *second = args_name(slots[1]);
	size_t i;

	for (i = 0; i < sizeof(with) / sizeof(with[0]) && !args->opt[OPT_REMOTE]; i++)
		if (args->opt[with[i]])
			usage_error("--%s goes with --remote", args_name(with[i]));
	if (!args->opt[OPT_REMOTE])
		return;
	if (!args->opt[slots[0]] == !args->opt[slots[1]])
		usage_error("with --remote, one of --%s and --%s is a slot here; the other one is the remote's "
			    "(--remote-slot, --remote-label)", first, second);
	for (i = 0; i < 2; i++)
		if (!args->opt[slots[i]] && pins[i] != OPT_PIN_FILE && args->opt[pins[i]])
			usage_error("--%s: the remote asks for its PIN itself; see: lunactl peer --help",
				    args_name(pins[i]));
}

void ends_open(struct ends *ends, const struct ctl_args *args, const enum peer_purpose purposes[2],
	       const enum ctl_opt slots[2], const enum ctl_opt pins[2])
{
	struct end *end[2] = { &ends->first, &ends->second };
	int i;

	memset(ends, 0, sizeof(*ends));
	remote_check(args, slots, pins);
	if (!args->opt[OPT_REMOTE] && slot_of(args, slots[0]) == slot_of(args, slots[1]))
		usage_error("--%s and --%s are the same slot", args_name(slots[0]), args_name(slots[1]));
	for (i = 0; i < 2; i++) {
		end[i]->token.keep = args->opt[OPT_APP_ID] != NULL;
		end[i]->token.replicate = args->opt[OPT_REMOTE] ? CK_TRUE : CK_FALSE;
	}
	for (i = 0; i < 2; i++)
		if (args->opt[slots[i]])
			local_open(end[i], args, purposes[i], slots[i], pins[i]);
	for (i = 0; i < 2; i++)
		if (!args->opt[slots[i]])
			remote_open(end[i], args, purposes[i]);
}

void ends_close(struct ends *ends)
{
	struct end *there = ends->first.remote ? &ends->first : &ends->second;
	struct body out;

	objects_free(&ends->first.token.found);
	objects_free(&ends->second.token.found);
	if (!there->remote || there->remote->lost)
		return;
	/* All is done already, whatever it answers. */
	if (end_call(there, PEER_BYE, NULL, &out) == CKR_OK)
		body_free(&out);
	hang_up(there->remote, 10);
	on_failure(NULL);
}
