// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "path.h"
#include "report.h"
#include "version.h"

enum { PIN_ITERATIONS_MIN = 1000, PIN_ITERATIONS_MAX = 100000000 };

enum {
	OPTION_DIR = 'd',
	OPTION_FOREGROUND = 'f',
	OPTION_HELP = 'h',
	OPTION_SLOTS = 'n',
	OPTION_STORE = 's',
	OPTION_VERBOSE = 'v',
	OPTION_VERSION = 'V',
	OPTION_CRYPTO = UCHAR_MAX + 1,
	OPTION_LAX_HA_KEYS,
	OPTION_PIN_ITERATIONS,
	OPTION_SANDBOX,
};

static const struct option long_options[] = {
	{ "crypto", required_argument, NULL, OPTION_CRYPTO },
	{ "dir", required_argument, NULL, OPTION_DIR },
	{ "foreground", no_argument, NULL, OPTION_FOREGROUND },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "lax-ha-keys", no_argument, NULL, OPTION_LAX_HA_KEYS },
	{ "pin-iterations", required_argument, NULL, OPTION_PIN_ITERATIONS },
	{ "sandbox", required_argument, NULL, OPTION_SANDBOX },
	{ "slots", required_argument, NULL, OPTION_SLOTS },
	{ "store", required_argument, NULL, OPTION_STORE },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static const char help[] =
"Usage: luna-fuse [OPTION]...\n"
"\n"
"Software HSM tokens as files: mounts a directory with luna0, luna1, ..., which\n"
"libluna.so and lunactl use as slots. Needs no root.\n"
"\n"
"  -d, --dir=DIR             where to mount; default $XDG_RUNTIME_DIR/luna\n"
"  -n, --slots=N             number of tokens, 1 to 64; default 2\n"
"  -s, --store=DIR           where the tokens are kept;\n"
"                            default $XDG_DATA_HOME/luna or ~/.local/share/luna\n"
"  -f, --foreground          stay in the foreground, messages on stderr\n"
"      --crypto=PROVIDER     who computes: openssl (the default), or kcapi: the kernel,\n"
"                            as far as its AF_ALG goes, and OpenSSL\n"
"      --pin-iterations=N    PBKDF2 rounds for PINs set from now on\n"
"      --lax-ha-keys         accept HA login keys by their usage flags alone\n"
"      --sandbox=MODE        on (the default), log: tell what it would refuse, or off\n"
"  -v, --verbose             say more\n"
"  -h, --help                this text\n"
"  -V, --version             the version\n"
"\n"
"Examples:\n"
"  luna-fuse                              start, with all defaults\n"
"  luna-fuse --dir=/tmp/hsm --slots=4     four tokens in /tmp/hsm\n"
"  ls -l $XDG_RUNTIME_DIR/luna            the tokens\n"
"  fusermount3 -u $XDG_RUNTIME_DIR/luna   end it; so does SIGTERM\n"
"\n"
"Environment:\n"
"  XDG_RUNTIME_DIR, XDG_DATA_HOME, HOME   for the defaults above\n"
"\n"
"Only the user who mounted can open the tokens. One store serves one luna-fuse at a\n"
"time. More in luna-fuse(8).\n";

static int finish(int *status, int code)
{
	*status = code;
	return 1;
}

static int complain(int *status)
{
	fputs("Try \"luna-fuse --help\".\n", stderr);
	return finish(status, EXIT_FAILURE);
}

static int parse_number(const char *name, const char *text, unsigned int low, unsigned int high,
			unsigned int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < low || value > high) {
		report(REPORT_ERROR, "--%s takes a number from %u to %u, not \"%s\"", name, low, high,
		       text);
		return -EINVAL;
	}
	*number = value;
	return 0;
}

static int parse_path(const char *name, const char *text, char **path)
{
	if (!*text) {
		report(REPORT_ERROR, "--%s takes a directory", name);
		return -EINVAL;
	}
	free(*path);
	*path = path_absolute(text);
	return *path ? 0 : -ENOMEM;
}

static int parse_crypto(const char *name, bool *kcapi)
{
	*kcapi = !strcmp(name, "kcapi");
	if (*kcapi || !strcmp(name, "openssl"))
		return 0;
	report(REPORT_ERROR, "there is no crypto provider \"%s\"; there are: openssl, kcapi", name);
	return -EINVAL;
}

static int parse_sandbox(const char *name, enum sandbox_mode *mode)
{
	static const char *const names[] = {
		[SANDBOX_ON] = "on", [SANDBOX_LOG] = "log", [SANDBOX_OFF] = "off",
	};

	for (*mode = SANDBOX_ON; *mode <= SANDBOX_OFF; (*mode)++)
		if (!strcmp(name, names[*mode]))
			return 0;
	report(REPORT_ERROR, "--sandbox takes on, log or off, not \"%s\"", name);
	return -EINVAL;
}

static int parse_option(struct options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_DIR:
		return parse_path("dir", value, &options->dir);
	case OPTION_STORE:
		return parse_path("store", value, &options->store);
	case OPTION_SLOTS:
		return parse_number("slots", value, 1, SLOTS_MAX, &options->slots);
	case OPTION_PIN_ITERATIONS:
		return parse_number("pin-iterations", value, PIN_ITERATIONS_MIN, PIN_ITERATIONS_MAX,
				    &options->pin_iterations);
	case OPTION_CRYPTO:
		return parse_crypto(value, &options->kcapi);
	case OPTION_SANDBOX:
		return parse_sandbox(value, &options->sandbox);
	case OPTION_FOREGROUND:
		options->foreground = true;
		return 0;
	case OPTION_LAX_HA_KEYS:
		options->lax_ha_keys = true;
		return 0;
	case OPTION_VERBOSE:
		options->verbose = true;
		return 0;
	default:
		return -EINVAL;
	}
}

static int add_defaults(struct options *options)
{
	if (!options->dir)
		options->dir = path_runtime_default();
	if (!options->dir) {
		report(REPORT_ERROR,
		       "XDG_RUNTIME_DIR is not set (a login session sets it); say where to mount with --dir=DIR");
		return -EINVAL;
	}
	if (!options->store)
		options->store = path_data_default();
	if (!options->store) {
		report(REPORT_ERROR,
		       "there is no home directory; say where the tokens are kept with --store=DIR");
		return -EINVAL;
	}
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, int *status)
{
	int option;

	*options = (struct options){ .slots = SLOTS_DEFAULT, .sandbox = SANDBOX_DEFAULT };
	while ((option = getopt_long(argc, argv, "d:fhn:s:vV", long_options, NULL)) != -1) {
		if (option == OPTION_HELP) {
			fputs(help, stdout);
			return finish(status, EXIT_SUCCESS);
		}
		if (option == OPTION_VERSION) {
			puts("luna-fuse " LUNA_VERSION);
			return finish(status, EXIT_SUCCESS);
		}
		if (parse_option(options, option, optarg))
			return complain(status);
	}
	if (optind < argc) {
		report(REPORT_ERROR, "what is \"%s\"? The mount point is given with --dir=DIR",
		       argv[optind]);
		return complain(status);
	}
	return add_defaults(options) ? complain(status) : 0;
}

void options_free(struct options *options)
{
	free(options->dir);
	free(options->store);
}
