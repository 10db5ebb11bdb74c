// SPDX-License-Identifier: MIT
/*
 * The log of failing calls; see log.h. A line is one write(2), so that lines of several processes
 * that append to one file stay whole.
 */
#include "log.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME(rv) { rv, #rv }

static const struct {
	CK_RV rv;
	const char *name;
} log_names[] = {
#include "rv_names.h"
};

static atomic_int log_fd = -1;
static _Thread_local const char *log_reason;

void p11_log_open(void)
{
	const char *target = secure_getenv("LUNA_LOG");
	int fd;

	if (!target || !*target)
		return;
	if (!strcmp(target, "stderr"))
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	fd = atomic_exchange(&log_fd, fd);
	if (fd >= 0)
		close(fd);
}

void p11_log_close(void)
{
	int fd = atomic_exchange(&log_fd, -1);

	if (fd >= 0)
		close(fd);
}

void p11_log_reason(const char *reason)
{
	log_reason = reason;
}

static const char *log_name(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(log_names) / sizeof(log_names[0]); i++)
		if (log_names[i].rv == rv)
			return log_names[i].name;
	return "CKR_?";
}

/* One line: the time, the process, and @text. */
static void log_line(int fd, const char *text)
{
	char line[512], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	len = snprintf(line, sizeof(line), "%s luna[%ld] %s\n", when, (long)getpid(), text);
	if (len >= (int)sizeof(line))
		len = sizeof(line) - 1;
	if (write(fd, line, (size_t)len) < 0)
		return;		/* a log that cannot be written must not change the call's result */
}

static void log_failure(int fd, const char *function, CK_SLOT_ID slot, CK_RV rv)
{
	char text[448], where[32] = "";

	if (slot != P11_LOG_NO_SLOT)
		snprintf(where, sizeof(where), " slot %lu", slot);
	snprintf(text, sizeof(text), "%s%s: %s (0x%lx)%s%s", function, where, log_name(rv), rv,
		 log_reason ? ": " : "", log_reason ? log_reason : "");
	log_line(fd, text);
}

void p11_log_note(const char *text)
{
	int fd = atomic_load_explicit(&log_fd, memory_order_relaxed);

	if (fd >= 0)
		log_line(fd, text);
}

CK_RV p11_log_result(const char *function, CK_SLOT_ID slot, CK_RV rv)
{
	int fd = -1;

	if (rv != CKR_OK)
		fd = atomic_load_explicit(&log_fd, memory_order_relaxed);
	if (fd >= 0)
		log_failure(fd, function, slot, rv);
	/* Also of what a call got over: the next one's failure has a reason of its own, or none. */
	log_reason = NULL;
	return rv;
}
