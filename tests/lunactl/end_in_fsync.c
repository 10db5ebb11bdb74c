// SPDX-License-Identifier: MIT
/* To be preloaded: a program that is ended by a signal when it flushes a file. */
#include <signal.h>
#include <unistd.h>

int fsync(int fd)
{
	(void)fd;
	raise(SIGTERM);
	return 0;
}
