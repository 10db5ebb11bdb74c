// SPDX-License-Identifier: MIT
/* lunactl: finds the command in the tables and runs it. */
#include <string.h>
#include <stdlib.h>

#include "ctl.h"

const struct ctl_command *const ctl_groups[] = {
	token_commands, object_commands, crypt_commands, clone_commands, image_commands,
	ha_commands, policy_commands, mofn_commands, peer_commands, app_commands, NULL,
};

/* All commands, or with @first those that start with this word. False: there are none. @to may be NULL. */
static bool list_commands(const char *first, FILE *to)
{
	size_t len = first ? strlen(first) : 0;
	const struct ctl_command *c;
	bool any = false;
	size_t i;

	for (i = 0; ctl_groups[i]; i++) {
		for (c = ctl_groups[i]; c->name; c++) {
			if (first && (strncmp(c->name, first, len) || (c->name[len] && c->name[len] != ' ')))
				continue;
			if (to)
				fprintf(to, "  %-18s %s\n", c->name, c->summary);
			any = true;
		}
	}
	return any;
}

static void help(FILE *to)
{
	fputs("Usage: lunactl COMMAND [options]\n"
	      "Manages software Luna tokens through their PKCS#11 library. Commands:\n\n", to);
	list_commands(NULL, to);
	fputs("\n'lunactl COMMAND --help' explains one. Every command takes --json and --app-id.\n\n"
	      "PINs come from the command's --...pin-file, from LUNA_PIN (crypto officer), LUNA_SO_PIN,\n"
	      "LUNA_CU_PIN, or a prompt; never from the command line. LUNA_DEVICES says where the devices\n"
	      "are. Exit status: 0; 1 the token refused, with the CKR's name on standard error; 2 usage;\n"
	      "3 the connection to another host (--remote) broke: run the command again.\n", to);
}

/* The command whose words start @argv; *words is how many those are. */
static const struct ctl_command *find_command(int argc, char **argv, int *words)
{
	const struct ctl_command *c;
	char two[64];
	size_t i;

	for (*words = 2; *words; (*words)--) {
		if (argc < *words)
			continue;
		snprintf(two, sizeof(two), *words == 2 ? "%s %s" : "%s", argv[0], argc > 1 ? argv[1] : "");
		for (i = 0; ctl_groups[i]; i++)
			for (c = ctl_groups[i]; c->name; c++)
				if (!strcmp(c->name, two))
					return c;
	}
	return NULL;
}

static int run(const struct ctl_command *command, int argc, char **argv)
{
	CK_C_INITIALIZE_ARGS init = { .flags = CKF_OS_LOCKING_OK };
	struct ctl_args args;
	int ret;

	ret = args_parse(argc, argv, command, &args);
	if (ret)
		return ret;
	if (args.opt[OPT_HELP]) {
		args_help(command, stdout);
		return 0;
	}
	ctl_json_errors(args.json);
	check(C_Initialize(&init), "C_Initialize");
	app_set(&args);
	ret = command->run(&args);
	C_Finalize(NULL);
	if (fflush(stdout) || ferror(stdout))
		fatal("cannot write to standard output");
	return ret;
}

/* The commands that start with @first: asked for on stdout, or what is missing on stderr. */
static int group_help(const char *first, FILE *to)
{
	if (!list_commands(first, NULL))
		usage_error("no command '%s'; 'lunactl --help' lists them", first);
	fprintf(to, "Usage: lunactl %s COMMAND [options]\nCommands:\n\n", first);
	list_commands(first, to);
	fprintf(to, "\n'lunactl %s COMMAND --help' explains one.\n", first);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	const struct ctl_command *command;
	int words;

	/* 'lunactl help key generate' */
	if (argc > 2 && !strcmp(argv[1], "help")) {
		command = find_command(argc - 2, argv + 2, &words);
		if (!command)
			return group_help(argv[2], stdout);
		args_help(command, stdout);
		return 0;
	}
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("lunactl " LUNA_VERSION);
		return 0;
	}
	command = find_command(argc - 1, argv + 1, &words);
	if (command)
		return run(command, argc - words, argv + words);
	if (argc == 2)
		return group_help(argv[1], stderr);
	if (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))
		return group_help(argv[1], stdout);
	usage_error("no command '%s %s'; 'lunactl --help' lists them", argv[1], argv[2]);
}
