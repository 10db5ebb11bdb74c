/* SPDX-License-Identifier: MIT */
#ifndef LUNA_PATH_H
#define LUNA_PATH_H

#include <sys/types.h>

/**
 * path_absolute() - a path that survives chdir(2)
 * Neither end nor parents need exist; "." and ".." are kept.
 * Return: to be freed; NULL without memory.
 */
char *path_absolute(const char *path);

/* path_under() - "@dir/@name", to be freed */
char *path_under(const char *dir, const char *name);

/* path_runtime_default() - $XDG_RUNTIME_DIR/luna, to be freed; NULL if the variable is not set */
char *path_runtime_default(void);

/* path_data_default() - $XDG_DATA_HOME/luna or ~/.local/share/luna; NULL if there is no home */
char *path_data_default(void);

/**
 * path_make_directory() - create a directory and its parents (0700) as far as they are missing
 * What was created is durable when this returns.
 * Return: 0 or a negative errno.
 */
int path_make_directory(const char *path);

#endif /* LUNA_PATH_H */
