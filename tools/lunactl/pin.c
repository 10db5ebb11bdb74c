// SPDX-License-Identifier: MIT
/* PINs: from a file, the environment or a prompt without echo; wiped after use, never shown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl.h"

static void pin_set(struct pin *pin, const char *text, size_t len, const char *source)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	if (len >= sizeof(pin->text))
		fatal("the PIN from %s is longer than 255 bytes", source);
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
	fclose(file);
	pin_set(pin, line, len, path);
	explicit_bzero(line, sizeof(line));
}

static void pin_from_prompt(struct pin *pin, const char *whose, const char *variable)
{
	char line[sizeof(pin->text) + 2];
	struct termios quiet, before;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before))
		fatal("no PIN for %s: give a --...pin-file, set %s, or run in a terminal", whose, variable);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "PIN for %s: ", whose);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = 0;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	pin_set(pin, line, strlen(line), "the terminal");
	explicit_bzero(line, sizeof(line));
}

void pin_get(struct pin *pin, const struct ctl_args *args, enum ctl_opt file, const char *variable,
	     const char *whose)
{
	const char *value = getenv(variable);

	memset(pin, 0, sizeof(*pin));
	if (args->opt[file])
		pin_from_file(pin, args->opt[file]);
	else if (value)
		pin_set(pin, value, strlen(value), variable);
	else
		pin_from_prompt(pin, whose, variable);
}

void pin_free(struct pin *pin)
{
	explicit_bzero(pin, sizeof(*pin));
}
