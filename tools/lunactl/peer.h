/* SPDX-License-Identifier: MIT */
/*
 * What lunactl and 'lunactl peer' say to each other through a pipe (PEER.md): bodies, frames, requests,
 * and the two ends of a command, of which each is a token of this host or of the one behind the pipe.
 */
#ifndef LUNACTL_PEER_H
#define LUNACTL_PEER_H

#include <stdint.h>

#include "ctl.h"

enum {
	PEER_OLDEST = 1, PEER_NEWEST = 1,	/* versions of the protocol spoken here */
	PEER_HEAD = 12,				/* bytes before each body */
	PEER_BODY_MAX = (1 << 20) + 4096,	/* the largest Part2, and its fields */
	PEER_TEXT_MAX = 255,
	PEER_PAGE = 256,			/* objects in a list */
	PEER_OUID = 12,
	PEER_TIMEOUT = 120,			/* seconds, without --timeout */
	PEER_PATIENCE = 600,			/* likewise, for a person who types a PIN there */
};

/* Types of frames. A reply is its request with PEER_REPLY added. */
enum peer_type {
	PEER_HELLO = 1, PEER_OPEN, PEER_BYE,
	PEER_FIND = 0x10, PEER_LIST, PEER_HAVE,
	PEER_CLONE_SOURCE_INIT = 0x20, PEER_CLONE_TARGET_INIT, PEER_CLONE_SOURCE, PEER_CLONE_TARGET,
	PEER_LOGIN_KEY = 0x30, PEER_PUBLIC_KEY, PEER_HA_INIT, PEER_MASTER_PUBLIC, PEER_CHALLENGE,
	PEER_ANSWER, PEER_LOGIN, PEER_MOFN_ANSWER, PEER_MOFN_ACTIVATE, PEER_STATE,
	PEER_REPLY = 0x80, PEER_WAIT = 0xfe, PEER_ERROR = 0xff,
};

/* What an end is there for: which role it logs in, and which requests it takes. */
enum peer_purpose {
	PURPOSE_SOURCE, PURPOSE_TARGET, PURPOSE_SETUP_PRIMARY, PURPOSE_SETUP_SECONDARY,
	PURPOSE_LOGIN_PRIMARY, PURPOSE_LOGIN_SECONDARY, PURPOSE_COUNT
};

/**
 * purpose_name() - "source", "login-primary"
 * purpose_of() - the purpose with this name, or -1
 */
const char *purpose_name(unsigned int purpose);
int purpose_of(const char *name, size_t len);

/* ---- body.c ---- */

/**
 * struct body - fields of a message, big endian, written one after the other and read likewise
 * @data: @len bytes, malloc'ed
 * @at: where the next field is read
 * @bad: a field was read that is not there or not well-formed; what was read since is 0 or empty
 */
struct body {
	unsigned char *data;
	size_t len, room, at;
	bool bad;
};

void put_u8(struct body *body, unsigned int value);
void put_u16(struct body *body, unsigned int value);
void put_u32(struct body *body, CK_ULONG value);
void put_raw(struct body *body, const void *bytes, size_t len);	/* without its length */
void put_bytes(struct body *body, const void *bytes, size_t len);
void put_text(struct body *body, const char *text);	/* cut after PEER_TEXT_MAX bytes */
unsigned int get_u8(struct body *body);
unsigned int get_u16(struct body *body);
CK_ULONG get_u32(struct body *body);
const unsigned char *get_raw(struct body *body, size_t len);	/* NULL: so many are not there */
unsigned char *get_bytes(struct body *body, CK_ULONG *len);	/* in the body; never NULL */
/* @room is at least PEER_TEXT_MAX + 1; the text is cleaned */
void get_text(struct body *body, char *text, size_t room);
bool body_done(const struct body *body);	/* all fields were there, and nothing else */
void body_free(struct body *body);		/* wipes, and makes it empty */

/* ---- frame.c ---- */

/**
 * struct link - one end of the pipe
 * @in, @out: descriptors
 * @seconds: for each frame to come or go
 * @version: of the protocol, once it is agreed on
 * @number: of the last request
 * @why: what went wrong, when a function says that something did
 */
struct link {
	int in, out;
	unsigned int seconds;
	uint8_t version;
	uint16_t number;
	char why[512];
};

/**
 * frame_write() - sends a frame; false: it could not be sent, see @link->why
 * frame_read() - receives one; false: none came that makes sense, see @link->why. @closed, which may
 *	be NULL, is true if the other end closed the pipe where a frame ends
 */
bool frame_write(struct link *link, unsigned int type, const struct body *body);
bool frame_read(struct link *link, unsigned int *type, struct body *body, bool *closed);

/* ---- end.c ---- */

/**
 * struct token - the token of an end, on the host that the code runs on
 * @replicate: CPv3's bReplicate: the other token is on another host
 * @keep: a login through the primary stays, for others with this program's --app-id
 * @key: the login key that was chosen, the only one that this end uses
 * @found: what the last search found
 */
struct token {
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session;
	enum peer_purpose purpose;
	CK_BBOOL replicate;
	bool keep;
	CK_OBJECT_HANDLE key;
	struct objects found;
};

/**
 * request_handle() - does what a request asks of a token, and writes the reply's body
 * @call: is set to the name of the PKCS#11 function that gave the return value
 * Return: CKR_OK; what that function said; CKR_ARGUMENTS_BAD: not such a body; CKR_FUNCTION_REJECTED:
 *	no request for this purpose. What no client can do anything about ends the program (fatal(), check()).
 */
CK_RV request_handle(struct token *token, unsigned int type, struct body *in, struct body *out,
		     const char **call);

/* ---- remote.c ---- */

/**
 * struct remote - the host behind --remote
 * @child: the process that carries the pipe
 * @host: its name for itself
 * @lost: the connection is; nothing can be asked of it any more
 * @said: what it said of the last error, beyond the return value
 */
struct remote {
	struct link link;
	const char *command;
	int child;
	char host[PEER_TEXT_MAX + 1];
	bool lost;
	char said[PEER_TEXT_MAX + 1];
};

/* One end of a command: a token here, or there if @remote is set. @where says which, for messages. */
struct end {
	struct token token;
	struct remote *remote;
	char where[2 * PEER_TEXT_MAX];
	char call[64];		/* the function of the last request that failed */
};

/* Both ends of a command: one has the purpose @first, and @options[0] for its slot, the other @second. */
struct ends {
	struct end first, second;
};

/**
 * ends_open() - opens and logs in the tokens that the command line names; exits if it cannot
 * @slots: the options that name the slots; with --remote one of them is given, and the other end is there
 * @pins: the options with the files of their PINs
 */
void ends_open(struct ends *ends, const struct ctl_args *args, const enum peer_purpose purposes[2],
	       const enum ctl_opt slots[2], const enum ctl_opt pins[2]);
void ends_close(struct ends *ends);

/**
 * end_call() - asks an end
 * @in: the request's body, which is freed; @out: the reply's, for body_free()
 * Return: CKR_OK, or why not; CKR_DEVICE_REMOVED with end_lost(): the connection broke
 */
CK_RV end_call(struct end *end, unsigned int type, struct body *in, struct body *out);
bool end_lost(const struct end *end);
void end_check(struct end *end, CK_RV rv);	/* exits unless CKR_OK: 1, or 3 if the connection broke */
void end_ask(struct end *end, unsigned int type, struct body *in, struct body *out);	/* both */
void end_body_check(struct end *end, const struct body *out);	/* exits unless it was all read */

/* The options of commands that take --remote. */
#define REMOTE	(OPT(REMOTE) | OPT(REMOTE_SLOT) | OPT(REMOTE_LABEL) | OPT(TIMEOUT))

/* ---- clone.c ---- */

/**
 * clone_object() - clones an object or, by its type, the M of N secret (@handle 0), between two ends
 * @made: the new object's handle
 * @failed: if it fails, the end that said so, for end_check()
 */
CK_RV clone_object(struct ends *ends, CK_ULONG type, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *made,
		   struct end **failed);

/* Handles of @n objects by their OUIDs at the target; 0: it has none. */
CK_RV clones_there(struct end *target, const unsigned char (*ouids)[PEER_OUID], CK_ULONG n,
		   CK_OBJECT_HANDLE *handles);

#endif /* LUNACTL_PEER_H */
