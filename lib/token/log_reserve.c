// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Space kept behind the end of the log, so that a full disk keeps nobody out: an attempt is counted
 * durably before its PIN is tried, and what is destroyed must be gone. Which records may use it is
 * said here; how a place keeps space is its backend's matter (reserve() in engine.h).
 *
 * log->lock is held by who calls any of these.
 */
#include "log_file.h"

enum { STEP = SZ_64K };		/* asked for at once, so that few appends ask */

/* They must not be refused, take few bytes, and none of them makes a token hold more. */
bool luna_rec_vital(u8 type)
{
	return type == LUNA_REC_ATTEMPTS || type == LUNA_REC_DELETE || type == LUNA_REC_MARK;
}

/* Said when it changes, not at every record. */
static void say_short(struct luna_log *log, bool is_short)
{
	if (log->is_short == is_short)
		return;
	log->is_short = is_short;
	if (is_short)
		pr_warn("slot %u: no room left for the store: nothing new is taken until there is; logins and destroying go on with what was kept back for them\n",
			log->slot);
	else
		pr_warn("slot %u: the store has room again\n", log->slot);
}

/* Return: 0, also if the place cannot keep space; or what the backend says. */
static int reserve_to(struct luna_log *log, u64 end)
{
	int err;

	if (log->reserved >= end || log->unreserved || !log->ops->reserve)
		return 0;
	err = log->ops->reserve(log->store, end);
	if (!err) {
		log->reserved = end;
	} else if (err == -EOPNOTSUPP) {
		log->unreserved = true;
		pr_warn("slot %u: the store's file system keeps no space back: when it is full, logins will be refused, too\n",
			log->slot);
		err = 0;
	}
	return err;
}

/* A record of @len bytes more than there are, and the reserve behind it. */
int luna_log_room(struct luna_log *log, u32 len, bool vital)
{
	u64 end = log->size + len + LUNA_LOG_RESERVE;
	int err;

	if (log->reserved >= end)
		return 0;
	err = reserve_to(log, end + STEP);
	if (err)
		err = reserve_to(log, end);
	if (!err || err == -ENOSPC)
		say_short(log, err < 0);
	if (!vital)
		return err;
	/* What there is of it */
	for (; err == -ENOSPC && end > log->size + len; end -= STEP)
		err = reserve_to(log, end - STEP);
	return 0;
}

void luna_log_reserve(struct luna_log *log)
{
	luna_log_room(log, 0, true);
}

bool luna_log_give_back(struct luna_log *log, u64 wanted)
{
	if (!log->size || log->reserved < log->size + wanted)
		return false;
	log->reserved = 0;
	return !log->ops->reserve(log->store, 0);
}
