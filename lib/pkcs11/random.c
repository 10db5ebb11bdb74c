// SPDX-License-Identifier: MIT
/* Random numbers fetched ahead; see random.h. */
#include "random.h"

#include <string.h>
#include <sys/mman.h>

enum {
	PAGE = 4096,
	BYTES_AT = 64,		/* behind the mark */
};

static bool random_alive(const struct p11_random *random)
{
	return random->page && random->page[0];
}

uint8_t *p11_random_room(struct p11_random *random, size_t len)
{
	void *page;

	if (len > P11_RANDOM_SMALL)
		return NULL;
	if (!random->asked) {
		random->asked = true;
		return NULL;
	}
	if (!random->page) {
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return NULL;
		/* Without this a child of a fork could hand out its parent's numbers. */
		if (madvise(page, PAGE, MADV_WIPEONFORK) || madvise(page, PAGE, MADV_DONTDUMP)) {
			munmap(page, PAGE);
			return NULL;
		}
		random->page = page;
	}
	random->left = 0;
	return random->page + BYTES_AT;
}

void p11_random_filled(struct p11_random *random)
{
	random->page[0] = 1;
	random->left = P11_RANDOM_AHEAD;
}

bool p11_random_take(struct p11_random *random, uint8_t *out, size_t len)
{
	uint8_t *from;

	if (!random_alive(random) || len > random->left)
		return false;
	random->left -= len;
	from = random->page + BYTES_AT + random->left;
	memcpy(out, from, len);
	explicit_bzero(from, len);
	return true;
}

void p11_random_end(struct p11_random *random)
{
	if (!random->page)
		return;
	explicit_bzero(random->page, PAGE);
	munmap(random->page, PAGE);
	random->page = NULL;
	random->left = 0;
}
