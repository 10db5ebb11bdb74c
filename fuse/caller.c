// SPDX-License-Identifier: MIT
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
		return true;
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	status = fopen(path, "re");
	if (!status)
		return true;
	killed = kill_pending(status);
	fclose(status);
	return killed;
}
