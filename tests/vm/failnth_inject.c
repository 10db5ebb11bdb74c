// SPDX-License-Identifier: MIT
/* Allocations that fail, by the kernel's fault injection, in one command of this thread. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "failnth.h"

unsigned int armed_nr, armed_nth;
bool hit;

static int fail_nth = -1;		/* /proc/thread-self/fail-nth */

void write_number(const char *path, unsigned long long value)
{
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%llu", value) < 0 || fclose(file))
		bail("%s: %s; is this a kernel with fault injection?", path, strerror(errno));
}

void inject_setup(unsigned long long reject_start, unsigned long long reject_end,
		  unsigned long long require_start, unsigned long long require_end)
{
	static const char *const kinds[] = { "failslab", "fail_page_alloc" };
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct {
			const char *name;
			unsigned long long value;
		} settings[] = {
			{ "verbose", 0 },
			{ "ignore-gfp-wait", 0 },
			{ "stacktrace-depth", 32 },
			{ "reject-start", reject_start },
			{ "reject-end", reject_end },
			{ "require-start", require_start },
			{ "require-end", require_end },
		};
		size_t k;

		for (k = 0; k < ARRAY_SIZE(settings); k++) {
			snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", kinds[i],
				 settings[k].name);
			write_number(path, settings[k].value);
		}
	}
	write_number("/sys/kernel/debug/failslab/cache-filter", 0);
	write_number("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", 0);
	write_number("/sys/kernel/debug/fail_page_alloc/min-order", 0);
}

bool find_function(const char *name, unsigned long long *start, unsigned long long *end)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	unsigned long long at;
	char symbol[256], line[512];

	*start = 0;
	*end = ~0ull;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %*c %255s", &at, symbol) == 2 && !strcmp(symbol, name))
			*start = at;
	if (file)
		rewind(file);
	while (file && *start && fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx", &at) == 1 && at > *start && at < *end)
			*end = at;
	if (file)
		fclose(file);
	return *start && *end != ~0ull;
}

void inject_open(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		bail("/proc/thread-self/fail-nth: %s", strerror(errno));
}

void inject_everywhere(void)
{
	inject_setup(0, 0, 0, ~0ull);
}

void inject_but_in(const char *function)
{
	unsigned long long start, end;

	if (!find_function(function, &start, &end))
		bail("/proc/kallsyms has no %s", function);
	inject_setup(start, end, 0, ~0ull);
}

void inject_only_in(const char *function)
{
	unsigned long long start, end;

	if (!find_function(function, &start, &end))
		bail("/proc/kallsyms has no %s", function);
	inject_setup(0, 0, start, end);
}

void inject_begin(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	if (pwrite(fail_nth, text, len, 0) != len)
		bail("fail-nth: %s", strerror(errno));
}

bool inject_end(void)
{
	char text[16] = "";
	ssize_t len = pread(fail_nth, text, sizeof(text) - 1, 0);

	if (len <= 0 || pwrite(fail_nth, "0", 1, 0) != 1)
		bail("fail-nth: %s", strerror(errno));
	return !atoi(text);
}

/* The commands of the fixture, carried by the device. */
int __wrap_luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
		    size_t *out_len);

int __wrap_luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
		    size_t *out_len)
{
	bool armed = armed_nth && nr == armed_nr;
	const struct luna_hdr *hdr = out;
	int ret;

	memcpy(out, in, len);	/* and so its pages are there */
	if (armed)
		inject_begin(armed_nth);
	ret = ioctl(descriptor(open), LUNA_IOC(nr, len), out);
	ret = ret ? -errno : 0;
	if (armed) {
		hit = inject_end();
		armed_nth = 0;
	}
	*out_len = ret ? 0 : hdr->size + hdr->out_len;
	/* An ioctl leaves the request there; the fixture wants nothing behind the reply. */
	memset((u8 *)out + *out_len, 0, len - *out_len);
	return ret;
}
