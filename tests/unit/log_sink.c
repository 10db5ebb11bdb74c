// SPDX-License-Identifier: MIT
/* Sinks of the engine's log. */
#include "log_sink.h"

void sink_nothing(enum port_log_level level __maybe_unused, const char *fmt __maybe_unused,
		  va_list args __maybe_unused)
{
}

void sink_warnings(enum port_log_level level __maybe_unused, const char *fmt, va_list args)
{
	if (!strncmp(fmt, "WARNING", strlen("WARNING")))
		vfprintf(stderr, fmt, args);
}
