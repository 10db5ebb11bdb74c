// SPDX-License-Identifier: MIT
/* JSON, progress, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY));
	json_object_put(object);
}

struct json_object *json_text(const void *blank_padded, size_t len)
{
	const char *text = blank_padded;

	while (len && (text[len - 1] == ' ' || !text[len - 1]))
		len--;
	return json_object_new_string_len(text, (int)len);
}

struct json_object *json_hex(const void *bytes, size_t len)
{
	struct json_object *object;
	char *text = malloc(2 * len + 1);
	size_t i;

	if (!text)
		fatal("out of memory");
	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
	object = json_object_new_string_len(text, (int)(2 * len));
	free(text);
	return object;
}

void progress(const char *what, size_t done, size_t total)
{
	enum { WIDTH = 40 };
	size_t filled = total ? done * WIDTH / total : WIDTH, i;

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s [", what);
	for (i = 0; i < WIDTH; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu%s", done, total, done == total ? "\n" : "");
}

unsigned char *file_read(const char *path, CK_ULONG *len)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
	size_t room = 65536, used = 0, got;
	unsigned char *data = malloc(room), *more;

	if (!file)
		fatal("%s: %s", path, strerror(errno));
	if (!data)
		fatal("out of memory");
	while ((got = fread(data + used, 1, room - used, file)) > 0) {
		used += got;
		if (used < room)
			continue;
		room *= 2;
		more = realloc(data, room);
		if (!more)
			fatal("%s is too large for the memory", path);
		data = more;
	}
	if (ferror(file))
		fatal("%s: %s", path, strerror(errno));
	if (file != stdin)
		fclose(file);
	*len = used;
	return data;
}

void file_write(const char *path, const void *data, CK_ULONG len, bool secret)
{
	FILE *file = stdout;
	int fd;

	if (strcmp(path, "-")) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0666);
		file = fd < 0 ? NULL : fdopen(fd, "wb");
		if (!file)
			fatal("%s: %s", path, strerror(errno));
	}
	if (fwrite(data, 1, len, file) != len || fflush(file))
		fatal("%s: %s", path, strerror(errno));
	if (file != stdout && fclose(file))
		fatal("%s: %s", path, strerror(errno));
}
