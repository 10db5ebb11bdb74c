/* SPDX-License-Identifier: MIT */
/* What the parts of the suite "appid" share: the tests' id, and logins here and in children. */
#ifndef LUNA_TESTS_APPID_H
#define LUNA_TESTS_APPID_H

#include "suite.h"

#define KEY	"key of the application"

enum { MAJOR = 1, MINOR = 40 };		/* the id */

/* ---- logins of this process ---- */

/* C_Login of the crypto officer */
CK_RV login(CK_SESSION_HANDLE session);

bool logged_in(CK_SESSION_HANDLE session);

/* ---- in a child: an exit status, see child_run() ---- */

/* A read-write session */
int child_open(CK_SESSION_HANDLE *session);

/* The session must be in @state. */
int child_state(CK_SESSION_HANDLE session, CK_STATE state);

/* This process as the tool: "tool" VERB HIGH LOW. Return: its exit status (appid_tool.c) */
int tool_main(char **argv);

/* ---- the tests of each part ---- */

/* appid_sharing.c */
void shared_login(void **state);
void sixteen_bytes(void **state);
void session_with_id(void **state);
void at_once(void **state);

/* appid_tool.c */
void tool_logs_in(void **state);
void configured(void **state);

/* appid_ends.c */
void killed(void **state);
void finalized(void **state);
void closed_by_other(void **state);
void initialised(void **state);
void many(void **state);

#endif /* LUNA_TESTS_APPID_H */
