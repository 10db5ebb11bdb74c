/* SPDX-License-Identifier: MIT */
#ifndef LUNA_OPTIONS_H
#define LUNA_OPTIONS_H

#include <stdbool.h>

#include "sandbox.h"

enum { SLOTS_DEFAULT = 2, SLOTS_MAX = 64 };

/**
 * struct options - what the user wants
 * @dir: mount point, absolute
 * @store: store directory, absolute
 * @pin_iterations: 0: the engine's default
 * @kcapi: the kernel computes what AF_ALG offers, instead of OpenSSL
 */
struct options {
	char *dir;
	char *store;
	unsigned int slots;
	unsigned int pin_iterations;
	enum sandbox_mode sandbox;
	bool kcapi;
	bool foreground;
	bool lax_ha_keys;
	bool verbose;
};

/**
 * options_parse() - the command line, completed with the defaults
 * Return: 0 to go on; otherwise all is said, and the program ends with *@status.
 */
int options_parse(struct options *options, int argc, char **argv, int *status);

void options_free(struct options *options);

#endif /* LUNA_OPTIONS_H */
