// SPDX-License-Identifier: MIT
/* Options: one table for all commands, each of which says which ones it takes. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static const struct {
	const char *name;
	const char *value;	/* NULL: takes none */
	const char *help;
} options[OPT_COUNT] = {
	[OPT_SLOT] = { "slot", "N", "the slot" },
	[OPT_FROM] = { "from", "N", "the slot that holds the objects" },
	[OPT_TO] = { "to", "N", "the slot that gets them" },
	[OPT_PRIMARY] = { "primary", "N", "the slot that answers" },
	[OPT_SECONDARY] = { "secondary", "N", "the slot that is logged in" },
	[OPT_LABEL] = { "label", "TEXT", "label of the object or token" },
	[OPT_ID] = { "id", "HEX", "CKA_ID of the object" },
	[OPT_HANDLE] = { "handle", "N", "handle of the object" },
	[OPT_CLASS] = { "class", "NAME", "data, certificate, public, private or secret" },
	[OPT_TYPE] = { "type", "NAME", "rsa, ec, aes or generic" },
	[OPT_SIZE] = { "size", "BITS", "size of the key" },
	[OPT_CURVE] = { "curve", "NAME", "curve of an ec key, such as P-256 or Ed25519" },
	[OPT_MECHANISM] = { "mechanism", "NAME", "mechanism, such as SHA256_RSA_PKCS or AES_GCM" },
	[OPT_IN] = { "in", "FILE", "input; - is standard input" },
	[OPT_OUT] = { "out", "FILE", "output; - is standard output" },
	[OPT_SIGNATURE] = { "signature", "FILE", "the signature to be verified" },
	[OPT_DOMAIN] = { "domain", "TEXT", "cloning domain" },
	[OPT_ROLE] = { "role", "NAME", "so (security officer), co (crypto officer), cu (crypto user)" },
	[OPT_PIN_FILE] = { "pin-file", "FILE", "file with the PIN" },
	[OPT_NEW_PIN_FILE] = { "new-pin-file", "FILE", "file with the new PIN" },
	[OPT_TO_PIN_FILE] = { "to-pin-file", "FILE", "file with the PIN of the target slot" },
	[OPT_SECONDARY_PIN_FILE] = { "secondary-pin-file", "FILE", "file with the secondary's PIN" },
	[OPT_POLICY] = { "policy", "ID", "number of the policy" },
	[OPT_VALUE] = { "value", "N", "its new value" },
	[OPT_M] = { "m", "N", "shares needed" },
	[OPT_N] = { "n", "N", "shares made" },
	[OPT_OUT_DIR] = { "out-dir", "DIR", "directory for the shares" },
	[OPT_LEGACY] = { "legacy", NULL, "a legacy token (SO and user) instead of a PPSO partition" },
	[OPT_MOFN] = { "mofn", NULL, "the token requires M of N" },
	[OPT_HSM] = { "hsm", NULL, "policies of the HSM instead of the partition" },
	[OPT_FORCE] = { "force", NULL, "do it without asking, also if it destroys objects" },
	[OPT_SO_PIN_FILE] = { "so-pin-file", "FILE", "file with the security officer's PIN" },
	[OPT_STEPS] = { "steps", NULL, "by the four CPv3 steps instead of CA_CloneObject" },
	[OPT_PUBLIC] = { "public", NULL, "give the secondary the public key only" },
	[OPT_EXTRACTABLE] = { "extractable", NULL, "the key may be wrapped" },
	[OPT_CLONEABLE] = { "cloneable", NULL, "the secret may be cloned to other tokens" },
	[OPT_REMOTE] = { "remote", "COMMAND", "command that runs 'lunactl peer' on the other host" },
	[OPT_REMOTE_SLOT] = { "remote-slot", "N", "the slot there; needed if there are several tokens" },
	[OPT_REMOTE_LABEL] = { "remote-label", "TEXT", "or the token's label there" },
	[OPT_TIMEOUT] = { "timeout", "SECONDS", "how long to wait for the other host (120)" },
	[OPT_ONLY] = { "only", "LIST", "serve as nothing else" },
	[OPT_VERBOSE] = { "verbose", NULL, "say more" },
	[OPT_JSON] = { "json", NULL, "JSON on standard output" },
	[OPT_APP_ID] = { "app-id", "ID", "application id whose login is used, MAJOR:MINOR or 32 hex digits" },
	[OPT_HELP] = { "help", NULL, "this text" },
};

void args_help(const struct ctl_command *command, FILE *to)
{
	char text[48];
	int i;

	fprintf(to, "Usage: lunactl %s [options]%s%s\n%s.\n\n", command->name,
		command->rest ? " " : "", command->rest ? command->rest : "", command->summary);
	for (i = 0; i < OPT_COUNT; i++) {
		if (!(command->options & (1ULL << i)) && i < OPT_JSON)
			continue;
		snprintf(text, sizeof(text), "--%s%s%s", options[i].name, options[i].value ? " " : "",
			 options[i].value ? options[i].value : "");
		fprintf(to, "  %-26s %s\n", text, options[i].help);
	}
	if (command->details)
		fprintf(to, "\n%s\n", command->details);
}

int args_parse(int argc, char **argv, const struct ctl_command *command, struct ctl_args *args)
{
	static char self[] = "lunactl";	/* getopt's messages start with it */
	struct option longs[OPT_COUNT + 1] = { { NULL, 0, NULL, 0 } };
	int i, c;

	memset(args, 0, sizeof(*args));
	for (i = 0; i < OPT_COUNT; i++)
		longs[i] = (struct option){ options[i].name, options[i].value ? 1 : 0, NULL, i + 256 };
	argv[0] = self;
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		i = c == 'h' ? OPT_HELP : c - 256;
		if (c == '?')
			return 2;
		if (i < OPT_JSON && !(command->options & (1ULL << i)))
			usage_error("'%s' takes no --%s; see: lunactl %s --help", command->name,
				    options[i].name, command->name);
		args->opt[i] = optarg && options[i].value ? optarg : "";
	}
	args->json = args->opt[OPT_JSON];
	args->rest = argv + optind;
	args->rest_count = argc - optind;
	if (args->rest_count && !command->rest && !args->opt[OPT_HELP])
		usage_error("'%s' takes no '%s'; see: lunactl %s --help", command->name, args->rest[0],
			    command->name);
	return 0;
}

const char *args_name(enum ctl_opt opt)
{
	return options[opt].name;
}

void args_need(const struct ctl_args *args, enum ctl_opt opt)
{
	if (!args->opt[opt])
		usage_error("--%s is missing: %s", options[opt].name, options[opt].help);
}

CK_ULONG args_number(const struct ctl_args *args, enum ctl_opt opt, CK_ULONG otherwise)
{
	CK_ULONG value;
	char *end;

	if (!args->opt[opt])
		return otherwise;
	errno = 0;
	value = strtoul(args->opt[opt], &end, 0);
	if (!*args->opt[opt] || *end || errno || strpbrk(args->opt[opt], "+- \t\n"))
		usage_error("--%s takes a number, not '%s'", options[opt].name, args->opt[opt]);
	return value;
}
