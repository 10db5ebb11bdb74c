// SPDX-License-Identifier: MIT
/* The daemon's messages, which a test that breaks things on purpose does not want to see. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

void report(enum report_level level, const char *fmt, ...)
{
	va_list args;

	if (!getenv("CRASH_VERBOSE"))
		return;
	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
}
