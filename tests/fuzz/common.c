// SPDX-License-Identifier: MIT
/*
 * What the fuzz targets share; see common.h. Here are the input and libFuzzer's entries.
 *
 *	LUNA_FUZZ_SEEDS	write the target's seeds into this directory and end
 *	LUNA_FUZZ_LOG	let the engine's messages through, and tell what each command returned
 */
#include <stdio.h>
#include <stdlib.h>

#include "common_parts.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

bool fuzz_telling;

void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

void *fuzz_alloc(size_t len)
{
	void *p = malloc(len ?: 1);

	fuzz_check(p);
	return p;
}

/* ---- the input ---- */

const u8 *fuzz_bytes(struct fuzz_in *in, size_t want, size_t *len)
{
	const u8 *at = in->at;

	*len = min(want, in->left);
	in->at += *len;
	in->left -= *len;
	return at;
}

static u32 number(struct fuzz_in *in, size_t bytes)
{
	const u8 *at;
	size_t len;
	u32 v = 0;

	at = fuzz_bytes(in, bytes, &len);
	while (len--)
		v = v << 8 | at[len];
	return v;
}

u8 fuzz_u8(struct fuzz_in *in)
{
	return number(in, 1);
}

u16 fuzz_u16(struct fuzz_in *in)
{
	return number(in, 2);
}

u32 fuzz_u32(struct fuzz_in *in)
{
	return number(in, 4);
}

/* ---- libFuzzer's entries ---- */

static const char *seed_dir;

void fuzz_seed(const char *name, const void *data, size_t len)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", seed_dir, name);
	f = fopen(path, "w");
	fuzz_check(f);
	fuzz_check(fwrite(data, 1, len, f) == len);
	fclose(f);
}

static void quiet(enum port_log_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	setenv("CMOCKA_TEST_ABORT", "1", 0);
	setenv("LUNA_VECTORS", FUZZ_VECTORS_DIR, 0);
	fuzz_telling = getenv("LUNA_FUZZ_LOG");
	if (!fuzz_telling)
		port_log_sink(quiet);
	fuzz_chance_reset();
	fuzz_learn_mechanisms();
	fuzz_learn_attributes();
	fuzz_chance_reset();
	if (fuzz_target.prepare)
		fuzz_target.prepare();
	fuzz_pools_empty();
	seed_dir = getenv("LUNA_FUZZ_SEEDS");
	if (seed_dir) {
		fuzz_target.seeds();
		exit(0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_in in = { data, len };
	u32 warnings = port_warnings();

	fuzz_chance_reset();
	port_alloc_watch();
	fuzz_target.one(&in);
	fuzz_pools_empty();
	fuzz_check(!port_alloc_live());
	port_alloc_unwatch();
	fuzz_check(port_warnings() == warnings);
	return 0;
}
