// SPDX-License-Identifier: MIT
/* Cloning in four steps: what each tells, keeps and ends, in order and not, alone and at once. */
#include <pthread.h>

#include "cloning.h"

/* As clients do it: every output is asked for its size, then fetched. */
void steps_asked_twice(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "asked twice"), made = 0;
	CK_ULONG before = objects_on(b), size;

	(void)state;
	twc.len = 0;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &twc.len, CK_FALSE));
	assert_in_range(twc.len, 300, 8192);
	size = twc.len;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE));
	assert_int_equal(twc.len, size);
	part1.len = 0;
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL,
					   &part1.len));
	assert_in_range(part1.len, 300, 8192);
	size = part1.len;
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len));
	assert_int_equal(part1.len, size);
	part2.len = 0;
	assert_ok(ca->CA_CloneAsSource(a, CK_CRYPTOKI_ELEMENT, key, part1.data, part1.len, CK_FALSE,
				       NULL, &part2.len));
	assert_in_range(part2.len, 64, 8192);
	size = part2.len;
	assert_ok(ca->CA_CloneAsSource(a, CK_CRYPTOKI_ELEMENT, key, part1.data, part1.len, CK_FALSE,
				       part2.data, &part2.len));
	assert_int_equal(part2.len, size);
	/* Some clients pass the source's handle on. */
	assert_ok(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, CK_CRYPTOKI_ELEMENT, key,
				       CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
	assert_same(key, made);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(p11->C_DestroyObject(a, key));
}

/* No size query, one fixed buffer of 64 KiB for everything. */
void steps_fixed_buffers(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "fixed"), made;

	(void)state;
	memset(part2.data, 0x5a, sizeof(part2.data));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_true(part2.len < 8192);
	assert_int_equal(part2.data[part2.len], 0x5a);
	assert_int_equal(part2.data[part2.len + 1], 0x5a);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

/* One byte less than needed tells the size and changes nothing; the exact size is enough. */
void steps_short_buffers(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "short"), made;
	CK_ULONG size, len;

	(void)state;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_FALSE));
	for (len = size - 1; len; len /= 2) {
		twc.len = len;
		memset(twc.data, 0, size);
		assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(twc.len, size);
		assert_int_equal(twc.data[0], 0);
	}
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	part1.len = size - 1;
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(part1.len, size);
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len));
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	part2.len = 0;
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(part2.len, size);
	part2.len = size - 1;
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_BUFFER_TOO_SMALL);
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len));
	assert_int_equal(part2.len, size);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

/* A query in the middle of an exchange leaves it as it is, whatever it asks about. */
void queries_change_nothing(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "query"), made;
	CK_ULONG size;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_TRUE));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_TRUE, NULL, &size));
	size = 3;
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, other.data,
					   &size), CKR_BUFFER_TOO_SMALL);
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

void query_starts_nothing(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "only asked"), made;
	CK_ULONG size;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	officers();
	key = aes_key(a, 32, false, "only asked");
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_FALSE));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	assert_rv(clone_step4(b, &part1, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
}

void last_part1_counts(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "last"), made;
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &other));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_int_equal(other.len, part1.len);
	assert_memory_not_equal(other.data, part1.data, part1.len);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_ok(p11->C_DestroyObject(b, made));

	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &other));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &other, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_int_equal(objects_on(b), before);
}

void wrong_order(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "order"), made;

	(void)state;
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, NULL, &twc.len));
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	/* Step 1 may come after step 2, since the certificate is no secret and does not change. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(a, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
	/* Both halves are over. */
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
}

void wrong_session(void **state)
{
	CK_SESSION_HANDLE a2 = session_open(slot_a), b2 = session_open(slot_b);
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "session"), made;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a2, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b2, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(clone_step4(a, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_rv(clone_step1(999, CK_FALSE, &twc), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step2(999, &twc, CK_FALSE, &part1), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step3(999, key, &part1, CK_FALSE, &part2), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step4(999, &part2, CK_FALSE, &made), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone(999, a, key, &made), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone(b, 999, key, &made), CKR_SESSION_HANDLE_INVALID);
}

void logout_ends_exchange(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made;
	CK_ULONG before;

	(void)state;
	plain_pair(a, &pub, &priv);
	before = objects_on(b);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_USER, CO_PIN);
	assert_rv(clone_step3(a, priv, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step3(a, priv, &part1, CK_FALSE, &part2));
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_USER, CO_PIN);
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(objects_on(b), before);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
}

void replayed_part2(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "replay"), made;
	CK_ULONG before;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &saved));
	assert_ok(clone_step4(b, &saved, CK_FALSE, &made));
	before = objects_on(b);
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	/* A new exchange does not take the old message, and takes its own after that. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_DATA_INVALID);
	/* Not even with the new nonce in the old message. */
	memcpy(saved.data + 40, part1.data + 8, 32);
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_UNWRAPPING_ERROR);
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
}

/* Part1 is for one source: another token of the domain cannot answer it, nor pass it on. */
void part1_for_another(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "elsewhere");

	(void)state;
	assert_ok(clone_step1(b, CK_FALSE, &other));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_memory_not_equal(twc.data, other.data, twc.len);
	assert_ok(clone_step2(b, &other, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
}

/* Part2 of an exchange of the same two tokens in other sessions. */
void crossed_exchanges(void **state)
{
	CK_SESSION_HANDLE a2 = session_open(slot_a), b2 = session_open(slot_b);
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "one"), key2 = aes_key(a, 16, false, "two");
	CK_OBJECT_HANDLE made;
	CK_ULONG before = objects_on(b);
	static struct message twc2, part1b, part2b;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step1(a2, CK_FALSE, &twc2));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step2(b2, &twc2, CK_FALSE, &part1b));
	assert_ok(clone_step3(a2, key2, &part1b, CK_FALSE, &part2b));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2b, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_rv(clone_step4(b2, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_int_equal(objects_on(b), before);
	/* Both exchanges are as they were. */
	assert_ok(clone_step4(b2, &part2b, CK_FALSE, &made));
	assert_same(key2, made);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

struct worker {
	pthread_t thread;
	CK_SESSION_HANDLE target, source;
	CK_OBJECT_HANDLE object;
	struct message *twc, *part1, *part2;
	CK_RV rv;
};

static void *worker_run(void *data)
{
	struct worker *w = data;
	CK_OBJECT_HANDLE made;
	int i;

	for (i = 0; i < 20 && w->rv == CKR_OK; i++) {
		w->rv = clone_step1(w->source, CK_FALSE, w->twc);
		if (w->rv == CKR_OK)
			w->rv = clone_step2(w->target, w->twc, CK_FALSE, w->part1);
		if (w->rv == CKR_OK)
			w->rv = clone_step3(w->source, w->object, w->part1, CK_FALSE, w->part2);
		if (w->rv == CKR_OK)
			w->rv = clone_step4(w->target, w->part2, CK_FALSE, &made);
	}
	return NULL;
}

void parallel_exchanges(void **state)
{
	struct worker workers[4] = { 0 };
	CK_ULONG before = objects_on(b), i;

	(void)state;
	for (i = 0; i < COUNT(workers); i++) {
		workers[i].source = session_open(slot_a);
		workers[i].target = session_open(slot_b);
		workers[i].object = aes_key(a, 32, false, "parallel");
		workers[i].twc = calloc(3, sizeof(struct message));
		assert_non_null(workers[i].twc);
		workers[i].part1 = workers[i].twc + 1;
		workers[i].part2 = workers[i].twc + 2;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]),
				 0);
	}
	for (i = 0; i < COUNT(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].twc);
		assert_rv(workers[i].rv, CKR_OK);
	}
	assert_int_equal(objects_on(b), before + 20 * COUNT(workers));
}

/* CA_CloneObject both ways at once must not wait for itself. */
static void *both_ways(void *data)
{
	struct worker *w = data;
	CK_OBJECT_HANDLE made;
	int i;

	for (i = 0; i < 20 && w->rv == CKR_OK; i++)
		w->rv = clone(w->target, w->source, w->object, &made);
	return NULL;
}

void parallel_clone_object(void **state)
{
	struct worker workers[2] = { 0 };
	CK_ULONG i;

	(void)state;
	workers[0].source = a;
	workers[0].target = b;
	workers[0].object = aes_key(a, 32, false, "there");
	workers[1].source = b;
	workers[1].target = a;
	workers[1].object = aes_key(b, 32, false, "here");
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, both_ways, &workers[i]),
				 0);
	for (i = 0; i < 2; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_rv(workers[i].rv, CKR_OK);
	}
}

/* A failed step 3 does not end the exchange. */
void step3_may_be_repeated(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "again"), made;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, 999999, &part1, CK_FALSE, &part2), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}
