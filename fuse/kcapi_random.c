// SPDX-License-Identifier: MIT
/*
 * Random numbers of the kernel's DRBG (NIST SP 800-90A), which seeds itself. One handle, one caller
 * at a time.
 */
#include <pthread.h>

#include "kcapi_provider.h"

enum { DRAW_MAX = 128 };	/* what AF_ALG gives at once */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kcapi_handle *generator;

static int generator_open(const char *name)
{
	u8 personal[16] = "luna-fuse";
	int err = kcapi_rng_init(&generator, name, 0);

	if (err) {
		generator = NULL;
		return err;
	}
	err = kcapi_rng_seed(generator, personal, sizeof(personal));
	if (err >= 0)
		return 0;
	kcapi_rng_destroy(generator);
	generator = NULL;
	return err;
}

static int draw(const char *name, u8 *out, size_t len)
{
	int err = generator ? 0 : generator_open(name);

	while (len && !err) {
		size_t n = min_t(size_t, len, DRAW_MAX);

		if (kcapi_rng_generate(generator, out, n) != (ssize_t)n)
			err = -EIO;
		out += n;
		len -= n;
	}
	return err;
}

int kcapi_random(void *buf, size_t len)
{
	int err;

	pthread_mutex_lock(&lock);
	err = draw(kcapi_served.random, buf, len);
	pthread_mutex_unlock(&lock);
	return err ? -EIO : 0;
}

void kcapi_random_close(void)
{
	pthread_mutex_lock(&lock);
	if (generator)
		kcapi_rng_destroy(generator);
	generator = NULL;
	pthread_mutex_unlock(&lock);
}

/* Two draws that are equal, or a long row of zeros, are no random numbers. */
int kcapi_random_try(const char *name)
{
	u8 drawn[2][DRAW_MAX] = { { 0 } };
	int err;

	kcapi_random_close();
	pthread_mutex_lock(&lock);
	err = draw(name, drawn[0], sizeof(drawn));
	pthread_mutex_unlock(&lock);
	kcapi_random_close();
	if (!err && (!memcmp(drawn[0], drawn[1], DRAW_MAX) || !memchr_inv(drawn[0], 0, 16) ||
		     !memchr_inv(drawn[1], 0, 16)))
		err = -EBADMSG;
	memzero_explicit(drawn, sizeof(drawn));
	return err;
}
