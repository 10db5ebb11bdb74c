// SPDX-License-Identifier: MIT
/* PINs: from a file, the environment or a prompt without echo; wiped after use, never shown. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "ctl.h"

static void pin_set(struct pin *pin, const char *text, size_t len, const char *source)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len >= sizeof(pin->text))
		fatal("the PIN from %s is longer than 255 bytes", source);
	/* The token would count it as an attempt. */
	if (!len)
		fatal("there is no PIN in %s", source);
	memcpy(pin->text, text, len);
	pin->len = len;
}

static void pin_from_file(struct pin *pin, const char *path)
{
	char line[sizeof(pin->text) + 2];
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file)
		fatal("%s: %s", path, strerror(errno));
	setvbuf(file, NULL, _IONBF, 0);
	len = fread(line, 1, sizeof(line), file);
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	fclose(file);
	pin_set(pin, line, len, path);
	explicit_bzero(line, sizeof(line));
}

static const char *terminal;	/* where prompts are, unless on the standard input */

void pin_from_tty(void)
{
	terminal = "/dev/tty";
}

static volatile sig_atomic_t caught;

static void catch_signal(int signal)
{
	caught = signal;
}

/*
 * A line of @fd without echo into @line, not through stdio, which keeps a copy. Ctrl-C and the like come
 * through only while it waits, so that no terminal is left without echo. Return: its length, or -1
 * with the signal in caught, if there was one.
 */
static ssize_t line_read(int fd, const char *whose, char *line, size_t room)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };
	struct sigaction action = { .sa_handler = catch_signal }, actions[SIGNALS];
	struct pollfd input = { .fd = fd, .events = POLLIN };
	struct termios quiet, before;
	sigset_t blocked, mask;
	ssize_t len = -1;
	size_t i;

	caught = 0;
	sigemptyset(&blocked);
	for (i = 0; i < SIGNALS; i++)
		sigaddset(&blocked, signals[i]);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &action, &actions[i]);
	tcgetattr(fd, &before);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(terminal ? fd : STDERR_FILENO, "PIN for %s: ", whose);
	if (ppoll(&input, 1, NULL, &mask) == 1)
		len = read(fd, line, room);
	tcsetattr(fd, TCSAFLUSH, &before);
	dprintf(terminal ? fd : STDERR_FILENO, "\n");
	for (i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &actions[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return len;
}

static void pin_from_prompt(struct pin *pin, const char *whose, const char *variable)
{
	int fd = terminal ? open(terminal, O_RDWR | O_NOCTTY | O_CLOEXEC) : STDIN_FILENO;
	char line[sizeof(pin->text) + 2];
	ssize_t len;

	if (fd < 0 || !isatty(fd))
		fatal("no PIN for %s: give a --...pin-file, set %s, or run in a terminal", whose, variable);
	do {
		len = line_read(fd, whose, line, sizeof(line));
		if (caught)
			raise(caught);
	} while (caught);	/* Ctrl-Z, and on again */
	if (terminal)
		close(fd);
	if (len <= 0)
		fatal("no PIN for %s", whose);
	pin_set(pin, line, (size_t)len, "the terminal");
	explicit_bzero(line, sizeof(line));
}

void pin_get(struct pin *pin, const struct ctl_args *args, enum ctl_opt file, const char *variable,
	     const char *whose)
{
	static const struct rlimit none = { 0, 0 };
	const char *value = getenv(variable);

	setrlimit(RLIMIT_CORE, &none);
	memset(pin, 0, sizeof(*pin));
	if (args->opt[file])
		pin_from_file(pin, args->opt[file]);
	else if (value)
		pin_set(pin, value, strlen(value), variable);
	else
		pin_from_prompt(pin, whose, variable);
}

void pin_get_new(struct pin *pin, const struct ctl_args *args, enum ctl_opt file,
		 const char *variable, const char *whose)
{
	struct pin again;
	char text[128];
	bool same;

	pin_get(pin, args, file, variable, whose);
	if (args->opt[file] || getenv(variable))
		return;
	snprintf(text, sizeof(text), "%s, again", whose);
	pin_get(&again, args, file, variable, text);
	same = again.len == pin->len && !memcmp(again.text, pin->text, pin->len);
	pin_free(&again);
	if (!same)
		fatal("the two PINs differ; nothing is changed");
}

void pin_free(struct pin *pin)
{
	explicit_bzero(pin, sizeof(*pin));
}
