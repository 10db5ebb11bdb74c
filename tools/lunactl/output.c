// SPDX-License-Identifier: MIT
/* JSON, progress, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
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

void print_done(const struct ctl_args *args, const char *format, ...)
{
	struct json_object *object;
	va_list list;

	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "done", json_object_new_boolean(1));
		print_json(object);
		return;
	}
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
}

/* Bytes of the UTF-8 character at @text, at most @len; 0: there is none. */
static size_t utf8_len(const unsigned char *text, size_t len)
{
	size_t n = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 :
		   text[0] < 0xf5 ? 4 : 0, i;

	if (n > len)
		return 0;
	for (i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, a surrogate, too large. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return n;
}

/* What is no UTF-8 is left, but for the bytes that are control characters in other sets. */
void text_clean(char *text, size_t len)
{
	const unsigned char *at;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		at = (const unsigned char *)text + i;
		n = utf8_len(at, len - i);
		if (n > 1 ? at[0] == 0xc2 && at[1] < 0xa0 : at[0] < ' ' || (at[0] >= 127 && at[0] < 0xa0))
			memset(text + i, '?', n ? n : 1);
		n = n ? n : 1;
	}
}

void print_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		fatal("out of memory");
	text_clean(copy, strlen(copy));
	fputs(copy, stdout);
	free(copy);
}

/* JSON is UTF-8; a label need not be. */
struct json_object *json_text(const void *blank_padded, size_t len)
{
	const unsigned char *text = blank_padded;
	struct json_object *object;
	size_t i, n;
	char *copy;

	while (len && (text[len - 1] == ' ' || !text[len - 1]))
		len--;
	copy = malloc(len + 1);
	if (!copy)
		fatal("out of memory");
	for (i = 0; i < len; i += n) {
		n = utf8_len(text + i, len - i);
		if (n)
			memcpy(copy + i, text + i, n);
		else
			copy[i] = '?';
		n = n ? n : 1;
	}
	object = json_object_new_string_len(copy, (int)len);
	free(copy);
	return object;
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

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
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
	struct stat st;
	int fd;

	if (strcmp(path, "-")) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, secret ? 0600 : 0666);
		/* One that was there may be open to others. */
		if (fd >= 0 && secret && !fstat(fd, &st) && S_ISREG(st.st_mode) && fchmod(fd, 0600))
			fatal("%s: %s", path, strerror(errno));
		file = fd < 0 ? NULL : fdopen(fd, "wb");
		if (!file)
			fatal("%s: %s", path, strerror(errno));
	}
	if (fwrite(data, 1, len, file) != len || fflush(file))
		fatal("%s: %s", path, strerror(errno));
	if (file != stdout && fclose(file))
		fatal("%s: %s", path, strerror(errno));
}

void output_write(const struct ctl_args *args, const void *data, CK_ULONG len, bool secret)
{
	const char *path = args->opt[OPT_OUT] ? args->opt[OPT_OUT] : "-";
	bool to_file = strcmp(path, "-");
	struct json_object *object;

	if (to_file || !args->json)
		file_write(path, data, len, secret);
	if (!args->json)
		return;
	object = json_object_new_object();
	json_object_object_add(object, "bytes", json_object_new_int64((int64_t)len));
	if (to_file)
		json_object_object_add(object, "out", json_text(path, strlen(path)));
	else
		json_object_object_add(object, "hex", json_hex(data, len));
	print_json(object);
}
