/* SPDX-License-Identifier: MIT */
/* For port_log_sink(): what the engine says while tests provoke it is no news. */
#ifndef LUNA_TEST_LOG_SINK_H
#define LUNA_TEST_LOG_SINK_H

#include "port.h"

void sink_nothing(enum port_log_level level, const char *fmt, va_list args);
/* sink_warnings() - what WARN_ON() says, which no test provokes, to stderr */
void sink_warnings(enum port_log_level level, const char *fmt, va_list args);

#endif /* LUNA_TEST_LOG_SINK_H */
