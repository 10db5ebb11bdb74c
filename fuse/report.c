// SPDX-License-Identifier: MIT
#define FUSE_USE_VERSION 314

#include <fuse_log.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "port.h"
#include "report.h"

enum { LINE_MAX_LEN = 512 };

static bool verbose;
static bool to_syslog;

static void report_args(enum report_level level, const char *fmt, va_list args)
{
	static const int priorities[] = {
		[REPORT_ERROR]		= LOG_ERR,
		[REPORT_WARNING]	= LOG_WARNING,
		[REPORT_INFO]		= LOG_INFO,
		[REPORT_DEBUG]		= LOG_DEBUG,
	};
	char line[LINE_MAX_LEN];

	if (level > REPORT_WARNING && !verbose)
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	if (to_syslog)
		syslog(priorities[level], "%s", line);
	else
		fprintf(stderr, "luna-fuse: %s%s\n", level == REPORT_WARNING ? "warning: " : "", line);
}

void report(enum report_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	report_args(level, fmt, args);
	va_end(args);
}

static enum report_level level_of_port(enum port_log_level level)
{
	switch (level) {
	case PORT_LOG_ERR:
		return REPORT_ERROR;
	case PORT_LOG_WARN:
		return REPORT_WARNING;
	case PORT_LOG_DEBUG:
		return REPORT_DEBUG;
	default:
		return REPORT_INFO;
	}
}

static void engine_says(enum port_log_level level, const char *fmt, va_list args)
{
	report_args(level_of_port(level), fmt, args);
}

static void libfuse_says(enum fuse_log_level level, const char *fmt, va_list args)
{
	report_args(level <= FUSE_LOG_ERR ? REPORT_ERROR :
		    level == FUSE_LOG_WARNING ? REPORT_WARNING :
		    level == FUSE_LOG_DEBUG ? REPORT_DEBUG : REPORT_INFO, fmt, args);
}

void report_start(bool tell_all)
{
	verbose = tell_all;
	port_log_sink(engine_says);
	fuse_set_log_func(libfuse_says);
}

void report_to_syslog(void)
{
	openlog("luna-fuse", LOG_PID, LOG_DAEMON);
	to_syslog = true;
}
