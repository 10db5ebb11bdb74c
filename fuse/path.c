// SPDX-License-Identifier: MIT
/* Paths: the defaults of the XDG base directory specification, and making directories. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"

char *path_under(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static void cut_trailing_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

char *path_absolute(const char *path)
{
	char *here, *absolute;

	if (*path == '/') {
		absolute = strdup(path);
	} else {
		here = getcwd(NULL, 0);
		absolute = here ? path_under(here, path) : NULL;
		free(here);
	}
	if (absolute)
		cut_trailing_slashes(absolute);
	return absolute;
}

/* The specification: a relative path in these variables is to be ignored. */
static const char *xdg_directory(const char *variable)
{
	const char *path = getenv(variable);

	return path && *path == '/' ? path : NULL;
}

static const char *home_directory(void)
{
	const char *home = getenv("HOME");
	struct passwd *user;

	if (home && *home == '/')
		return home;
	user = getpwuid(getuid());
	return user && *user->pw_dir == '/' ? user->pw_dir : NULL;
}

char *path_runtime_default(void)
{
	const char *runtime = xdg_directory("XDG_RUNTIME_DIR");

	return runtime ? path_under(runtime, "luna") : NULL;
}

char *path_data_default(void)
{
	const char *data = xdg_directory("XDG_DATA_HOME"), *home;

	if (data)
		return path_under(data, "luna");
	home = home_directory();
	return home ? path_under(home, ".local/share/luna") : NULL;
}

static int sync_parent(const char *path, const char *end)
{
	char *parent = strndup(path, end > path ? end - path : 1);
	int fd, err = 0;

	if (!parent)
		return -ENOMEM;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot flush a directory. */
	if (fsync(fd) && errno != EINVAL && errno != ENOTSUP)
		err = -errno;
	close(fd);
	return err;
}

static int make_one(const char *path)
{
	if (!mkdir(path, 0700))
		return sync_parent(path, strrchr(path, '/'));
	return errno == EEXIST ? 0 : -errno;
}

int path_make_directory(const char *path)
{
	char *copy = strdup(path);
	int err = copy ? 0 : -ENOMEM;

	for (char *slash = copy; !err && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (access(copy, F_OK))
			err = make_one(copy);
		*slash = '/';
	}
	if (!err)
		err = make_one(copy);
	free(copy);
	return err;
}
