// SPDX-License-Identifier: MIT
/*
 * Searches the directories for device files; see scan.h for the order.
 */
#include "scan.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#define SCAN_DIRS_MAX	64
#define SCAN_PREFIX	"luna"
#define SCAN_DIGITS_MAX	6

/* One search: whom it tells, and the directories it has been to. */
struct scan {
	p11_scan_visit visit;
	void *context;
	unsigned int places;
	struct {
		dev_t dev;
		ino_t ino;
	} seen[SCAN_DIRS_MAX];
	unsigned int n_seen;
};

/* The N of "luna<N>", or -1 for any other name. */
static long scan_number(const char *name)
{
	size_t len = strlen(SCAN_PREFIX), i;

	if (strncmp(name, SCAN_PREFIX, len))
		return -1;
	name += len;
	for (i = 0; isdigit((unsigned char)name[i]); i++)
		;
	return i && i <= SCAN_DIGITS_MAX && !name[i] ? strtol(name, NULL, 10) : -1;
}

static int scan_filter(const struct dirent *entry)
{
	return scan_number(entry->d_name) >= 0;
}

static int scan_compare(const struct dirent **a, const struct dirent **b)
{
	long first = scan_number((*a)->d_name), second = scan_number((*b)->d_name);

	return (first > second) - (first < second);
}

static bool scan_been_there(struct scan *scan, const struct stat *st)
{
	unsigned int i;

	for (i = 0; i < scan->n_seen; i++)
		if (scan->seen[i].dev == st->st_dev && scan->seen[i].ino == st->st_ino)
			return true;
	if (scan->n_seen < SCAN_DIRS_MAX) {
		scan->seen[scan->n_seen].dev = st->st_dev;
		scan->seen[scan->n_seen++].ino = st->st_ino;
	}
	return false;
}

static void scan_dir(struct scan *scan, const char *dir)
{
	struct dirent **entries;
	int count, i;
	char *path;

	count = scandir(dir, &entries, scan_filter, scan_compare);
	for (i = 0; i < count; i++) {
		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) >= 0) {
			scan->visit(path, scan->context);
			free(path);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void scan_place(struct scan *scan, const char *place)
{
	const char *name = strrchr(place, '/');
	struct stat st;

	if (!*place || stat(place, &st))
		return;
	if (S_ISDIR(st.st_mode)) {
		if (!scan_been_there(scan, &st))
			scan_dir(scan, place);
	} else if (scan_number(name ? name + 1 : place) >= 0) {
		scan->visit(place, scan->context);
	}
}

static void scan_list(struct scan *scan, const char *list)
{
	char *copy = strdup(list), *rest = copy, *place;

	while ((place = strsep(&rest, ":")))
		scan_place(scan, place);
	free(copy);
}

static void scan_setting(const char *key, const char *value, void *context)
{
	struct scan *scan = context;
	const char *name = "DeviceDir";

	if (strncmp(key, name, strlen(name)))
		return;
	key += strlen(name);
	if (key[strspn(key, "0123456789")])
		return;
	scan->places++;
	scan_place(scan, value);
}

static void scan_defaults(struct scan *scan)
{
	const char *fuse = secure_getenv("LUNA_FUSE_DIR");
	const char *runtime = secure_getenv("XDG_RUNTIME_DIR");
	char path[4096];

	scan_place(scan, "/dev");
	if (fuse)
		scan_place(scan, fuse);
	if (runtime && *runtime) {
		snprintf(path, sizeof(path), "%s/luna", runtime);
		scan_place(scan, path);
	}
	/* Not the real user's, who may have put anything there for a set-user-id program to open. */
	snprintf(path, sizeof(path), "/run/user/%lu/luna", (unsigned long)geteuid());
	scan_place(scan, path);
}

void p11_scan(p11_scan_visit visit, void *context)
{
	struct scan scan = { .visit = visit, .context = context };
	const char *list = secure_getenv("LUNA_DEVICES");

	if (list && *list) {
		scan_list(&scan, list);
		return;
	}
	p11_config_read("Luna", scan_setting, &scan);
	if (!scan.places)
		scan_defaults(&scan);
}
