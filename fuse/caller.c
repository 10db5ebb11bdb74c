// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "caller.h"

/* The kernel turns every deadly signal into a pending SIGKILL of each thread. */
static bool kill_pending(FILE *status)
{
	unsigned long long pending, all = 0;
	char line[128];

	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "SigPnd: %llx", &pending) == 1 ||
		    sscanf(line, "ShdPnd: %llx", &pending) == 1)
			all |= pending;
	return all & (1ull << (SIGKILL - 1));
}

bool caller_killed(pid_t tid)
{
	char path[32];
	FILE *status;
	bool killed;

	if (!tid)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	status = fopen(path, "re");
	if (!status)
		return errno == ENOENT;	/* not for want of descriptors */
	killed = kill_pending(status);
	fclose(status);
	return killed;
}
