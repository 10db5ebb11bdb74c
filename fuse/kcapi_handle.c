// SPDX-License-Identifier: MIT
/*
 * Handles of libkcapi. One is a transform with its key, an operation socket and a pipe, and does
 * one operation at a time; keying one costs far more than using it.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "kcapi_provider.h"

enum {
	DESCRIPTORS = 4,	/* of a handle */
	DESCRIPTORS_KEPT = 128,	/* for everything else in the daemon */
	HANDLES_MIN = 4,
	HANDLES_MAX = 128,	/* of a pool */
};

/**
 * struct kcapi_pool
 * @idle: the most recently used first
 * @count: open, idle or held
 * @given: signalled when a place becomes free; only pools with @waits need it
 */
struct kcapi_pool {
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct list_head idle;
	unsigned int count, max;
	bool waits;
	int (*init)(struct kcapi_handle **handle, const char *algorithm, u32 flags);
	int (*setkey)(struct kcapi_handle *handle, const u8 *key, u32 len);
	void (*destroy)(struct kcapi_handle *handle);
};

struct kcapi_pool kcapi_ciphers = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.given = PTHREAD_COND_INITIALIZER,
	.idle = LIST_HEAD_INIT(kcapi_ciphers.idle),
	.max = HANDLES_MAX,
	.waits = true,
	.init = kcapi_cipher_init,
	.setkey = kcapi_cipher_setkey,
	.destroy = kcapi_cipher_destroy,
};

struct kcapi_pool kcapi_hashes = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.given = PTHREAD_COND_INITIALIZER,
	.idle = LIST_HEAD_INIT(kcapi_hashes.idle),
	.max = HANDLES_MAX,
	.init = kcapi_md_init,
	.setkey = kcapi_md_setkey,
	.destroy = kcapi_md_destroy,
};

void kcapi_limit(void)
{
	struct rlimit limit;
	unsigned int max = HANDLES_MAX;

	if (!getrlimit(RLIMIT_NOFILE, &limit) &&
	    limit.rlim_cur < DESCRIPTORS_KEPT + 2 * DESCRIPTORS * HANDLES_MAX)
		max = limit.rlim_cur < DESCRIPTORS_KEPT ? 0 :
		      (limit.rlim_cur - DESCRIPTORS_KEPT) / (2 * DESCRIPTORS);
	kcapi_ciphers.max = kcapi_hashes.max = max_t(unsigned int, max, HANDLES_MIN);
}

static int tool_open(struct kcapi_tool *tool)
{
	const struct kcapi_use *use = tool->use;
	int err = tool->pool->init(&tool->handle, use->algorithm, 0);

	if (err) {
		tool->handle = NULL;
		return err;
	}
	if (!use->key_len)
		return 0;
	err = tool->pool->setkey(tool->handle, use->key, use->key_len);
	return err < 0 ? err : 0;
}

static void tool_close(struct kcapi_tool *tool)
{
	if (tool->handle)
		tool->pool->destroy(tool->handle);
	tool->handle = NULL;
}

static struct kcapi_tool *idle_find(struct kcapi_pool *pool, const struct kcapi_use *use)
{
	struct kcapi_tool *tool;

	list_for_each_entry(tool, &pool->idle, entry)
		if (tool->use == use)
			return tool;
	return NULL;
}

/* With the lock held: a handle of @use, or of another to be opened anew, or NULL to make one. */
static struct kcapi_tool *pool_choose(struct kcapi_pool *pool, const struct kcapi_use *use)
{
	struct kcapi_tool *tool;

	for (;;) {
		tool = idle_find(pool, use);
		if (!tool && pool->count < pool->max) {
			pool->count++;
			return NULL;
		}
		if (!tool && !list_empty(&pool->idle))
			tool = list_entry(pool->idle.prev, struct kcapi_tool, entry);
		if (tool) {
			list_del_init(&tool->entry);
			return tool;
		}
		if (!pool->waits)
			return ERR_PTR(-EBUSY);
		pthread_cond_wait(&pool->given, &pool->lock);
	}
}

/* A place in the pool becomes free. */
static void pool_leave(struct kcapi_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->count--;
	pthread_cond_signal(&pool->given);
	pthread_mutex_unlock(&pool->lock);
}

static void tool_free(struct kcapi_tool *tool)
{
	tool_close(tool);
	pool_leave(tool->pool);
	kfree(tool);
}

static struct kcapi_tool *tool_new(struct kcapi_pool *pool)
{
	struct kcapi_tool *tool = kzalloc(sizeof(*tool), GFP_KERNEL);

	if (!tool) {
		pool_leave(pool);
		return ERR_PTR(-ENOMEM);
	}
	INIT_LIST_HEAD(&tool->entry);
	tool->pool = pool;
	return tool;
}

struct kcapi_tool *kcapi_take(struct kcapi_pool *pool, const struct kcapi_use *use)
{
	struct kcapi_tool *tool;
	int err;

	pthread_mutex_lock(&pool->lock);
	tool = pool_choose(pool, use);
	pthread_mutex_unlock(&pool->lock);
	if (!tool)
		tool = tool_new(pool);
	if (IS_ERR(tool) || tool->use == use)
		return tool;
	tool_close(tool);
	tool->use = use;
	err = tool_open(tool);
	if (!err)
		return tool;
	tool_free(tool);
	return ERR_PTR(err);
}

void kcapi_give(struct kcapi_tool *tool, bool good)
{
	struct kcapi_pool *pool = tool->pool;

	if (!good) {
		tool_free(tool);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	list_add(&tool->entry, &pool->idle);
	pthread_cond_signal(&pool->given);
	pthread_mutex_unlock(&pool->lock);
}

static struct kcapi_tool *idle_pull(struct kcapi_pool *pool, const struct kcapi_use *use)
{
	struct kcapi_tool *tool;

	pthread_mutex_lock(&pool->lock);
	tool = use ? idle_find(pool, use) :
	       list_empty(&pool->idle) ? NULL :
	       list_entry(pool->idle.next, struct kcapi_tool, entry);
	if (tool)
		list_del_init(&tool->entry);
	pthread_mutex_unlock(&pool->lock);
	return tool;
}

void kcapi_forget(struct kcapi_pool *pool, const struct kcapi_use *use)
{
	struct kcapi_tool *tool;

	while ((tool = idle_pull(pool, use)))
		tool_free(tool);
}
