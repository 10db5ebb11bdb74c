/* SPDX-License-Identifier: MIT */
/*
 * What the daemon tells people: on stderr as long as someone started it from there, to syslog
 * later.
 */
#ifndef LUNA_REPORT_H
#define LUNA_REPORT_H

#include <stdbool.h>

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_INFO, REPORT_DEBUG };

/* report() - one line, without a newline. Never pass secrets. */
__attribute__((format(printf, 2, 3)))
void report(enum report_level level, const char *fmt, ...);

/* report_start() - also carry what the engine and libfuse say; with @verbose all of it */
void report_start(bool verbose);

/* report_to_syslog() - from now on there is no terminal */
void report_to_syslog(void);

#endif /* LUNA_REPORT_H */
