// SPDX-License-Identifier: MIT
/* The files of tests/vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "vector_file.h"

const char *vector_path(const char *name)
{
	static char path[512];
	const char *dir = getenv("LUNA_VECTORS"), *slash = strrchr(__FILE__, '/');

	if (dir)
		snprintf(path, sizeof(path), "%s/%s", dir, name);
	else
		snprintf(path, sizeof(path), "%.*s/../vectors/%s",
			 slash ? (int)(slash - __FILE__) : 1, slash ? __FILE__ : ".", name);
	return path;
}

char *vector_file(const char *name)
{
	FILE *f = fopen(vector_path(name), "r");
	char *text;
	size_t len;

	if (!f)
		fail_msg("%s: %s", vector_path(name), strerror(errno));
	text = test_calloc(1, VECTOR_FILE_MAX);
	len = fread(text, 1, VECTOR_FILE_MAX - 1, f);
	text[len] = 0;
	fclose(f);
	return text;
}

size_t vector_value(const char *text, const char *name, u8 *value, size_t room)
{
	char line[64];
	const char *at;
	size_t len = 0;

	snprintf(line, sizeof(line), "\n%s = ", name);
	at = strstr(text, line);
	if (!at)
		fail_msg("no %s", name);
	for (at += strlen(line); *at != '\n'; at += 2, len++) {
		assert_true(len < room);
		assert_int_equal(sscanf(at, "%2hhx", &value[len]), 1);
	}
	return len;
}

struct luna_rsa_made *vector_rsa(const char *name)
{
	struct luna_rsa_made *made = kzalloc(sizeof(*made), GFP_KERNEL);
	char *text = vector_file("keys.txt");
	const struct {
		const char *name;
		u8 *value;
		size_t len;
	} parts[] = {
		{ "n", made->n, 256 }, { "d", made->d, 256 }, { "p", made->p, 128 },
		{ "q", made->q, 128 }, { "dp", made->dp, 128 }, { "dq", made->dq, 128 },
		{ "qi", made->qi, 128 },
	};
	char full[32];

	made->bits = 2048;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		snprintf(full, sizeof(full), "%s.%s", name, parts[i].name);
		assert_int_equal(vector_value(text, full, parts[i].value, parts[i].len),
				 parts[i].len);
	}
	test_free(text);
	return made;
}
