// SPDX-License-Identifier: MIT
/* Several threads on one session, on one buffer, and on what is being closed. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl.h"

static void *digest_thread(void *arg)
{
	uint32_t s = *(uint32_t *)arg;
	uintptr_t bad = 0;
	size_t i, len;

	for (i = 0; i < 2000; i++) {
		len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		bad += carry(dev, LUNA_OP, len + 32) || f.hdr.rv != CKR_OK || f.hdr.out_len != 32 ||
		       memcmp(f.bytes + sizeof(f.op), abc_digest, 32);
	}
	return (void *)bad;
}

/* Commands on one session do not mix. */
void threads_on_one_session(void **state)
{
	uint32_t s = session_new(dev, 0);
	pthread_t threads[4];
	void *bad;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_thread, &s), 0);
	for (i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_int_equal((uintptr_t)bad, 0);
	}
	assert_rv(plain(dev, LUNA_SESSION_CLOSE, s), CKR_OK);
}

struct race {
	volatile uint32_t *words;
	uint32_t count;
	atomic_bool stop;
};

/* Lengths, sizes and flags change while the device works on them. */
static void *scribble(void *arg)
{
	static const uint32_t values[] = { 0, 1, 8, 40, 96, 104, 4096, 0x7fffffff, 0xfffffff8, 0xffffffff };
	struct race *race = arg;
	uint32_t i = 0, old;

	while (!atomic_load_explicit(&race->stop, memory_order_relaxed)) {
		volatile uint32_t *word = race->words + i++ % race->count;

		old = *word;
		*word = values[i % COUNT(values)];
		*word = old;
	}
	return NULL;
}

void changing_buffer(void **state)
{
	size_t page = sysconf(_SC_PAGESIZE), len = sizeof(struct luna_op) + 3 + 32, i;
	unsigned char *map = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0), *buf = map + 2 * page - ((len + 7) & ~(size_t)7);
	struct race race = { .count = sizeof(struct luna_op) / 4 };
	uint32_t s = session_new(dev, CKF_RW_SESSION), fine = 0;
	pthread_t thread;

	(void)state;
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + 2 * page, page, PROT_NONE), 0);
	len = map + 2 * page - buf;
	memset(map, PATTERN, page);
	race.words = (volatile uint32_t *)buf;
	assert_int_equal(pthread_create(&thread, NULL, scribble, &race), 0);
	for (i = 0; i < 5000; i++) {
		op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		memcpy(buf, &f, len);
		fine += !ioctl(dev, LUNA_IOC(LUNA_OP, len), buf);
	}
	atomic_store(&race.stop, true);
	pthread_join(thread, NULL);
	for (i = 0; i < page; i++)
		assert_int_equal(map[i], PATTERN);
	munmap(map, 3 * page);
	print_message("# %u of 5000 carried\n", fine);
	s = session_new(dev, 0);
	digest_works(dev, s);
}

/* A session and a file end while commands run in them. */
static void *digest_until_closed(void *arg)
{
	uint32_t s = *(uint32_t *)arg;
	size_t len;

	do {
		len = op_request(s, LUNA_OP_DIGEST, FIRST, CKM_SHA256, 0, NULL, 0, "abc", 3);
		if (carry(dev, LUNA_OP, len + 32))
			return (void *)1;
	} while (f.hdr.rv == CKR_OK);
	return (void *)(uintptr_t)(f.hdr.rv != CKR_SESSION_HANDLE_INVALID);
}

void close_under_way(void **state)
{
	pthread_t threads[2];
	uint32_t s, i, j;
	void *bad;

	(void)state;
	for (i = 0; i < 50; i++) {
		s = session_new(dev, 0);
		for (j = 0; j < 2; j++)
			assert_int_equal(pthread_create(&threads[j], NULL, digest_until_closed, &s), 0);
		usleep(i * 20);
		assert_rv(i % 2 ? plain(dev, LUNA_SESSION_CLOSE, s) : plain(dev, LUNA_RESET, 0), CKR_OK);
		for (j = 0; j < 2; j++) {
			assert_int_equal(pthread_join(threads[j], &bad), 0);
			assert_null(bad);
		}
	}
}
