// SPDX-License-Identifier: MIT
/*
 * Many applications at once on one token: what they wait for is flushed, in one flush for several,
 * and a crash at any point leaves what each of them was told.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hunt.h"
#include "many.h"
#include "object.h"
#include "scenario.h"

enum { APPLICATIONS = 4, EACH = 12, OBJECTS = APPLICATIONS * EACH };

/* What is known of an object from the marks, whose value is its number. */
enum fate { NEVER, MAKING, MADE, ENDING, ENDED };

enum { MARK_MAKING = MARK_TRIED + 1, MARK_MADE, MARK_ENDING, MARK_ENDED };

struct application {
	struct luna_open *open;
	u32 session, first;
	u32 handles[EACH];
	s64 rv;
	pthread_t thread;
};

struct many {
	const struct place *place;
	struct disk *disk;
	struct host host;
	struct application applications[APPLICATIONS];
	u8 fates[OBJECTS];
};

static s64 make(struct application *a, u32 i)
{
	char label[32];
	s64 rv;

	snprintf(label, sizeof(label), "object %u", a->first + i);
	disk_mark(disk_now, MARK_MAKING, a->first + i);
	rv = scenario_data(a->open, a->session, label, true, 100 + i, &a->handles[i]);
	disk_mark(disk_now, MARK_MADE, a->first + i);
	return rv;
}

static s64 end(struct application *a, u32 i)
{
	s64 rv;

	disk_mark(disk_now, MARK_ENDING, a->first + i);
	rv = fx_destroy(a->open, a->session, a->handles[i]);
	disk_mark(disk_now, MARK_ENDED, a->first + i);
	return rv;
}

static void *work(void *arg)
{
	struct application *a = arg;
	u32 i;

	for (i = 0; i < EACH && !a->rv; i++) {
		a->rv = make(a, i);
		if (!a->rv && i % 3 == 2)
			a->rv = end(a, i - 1);
	}
	return NULL;
}

static void start_host(struct many *m)
{
	struct luna_open *open;
	u32 session;

	assert_int_equal(host_open(&m->host, m->place, fakerng_quick_ops(&luna_openssl_ops, 3)), 0);
	open = luna_open(m->host.token);
	assert_int_equal(fx_init_token(open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	assert_int_equal(fx_session(open, true, &session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	luna_release(open);
}

static void start_application(struct many *m, u32 i)
{
	struct application *a = &m->applications[i];

	a->first = i * EACH;
	a->open = luna_open(m->host.token);
	assert_int_equal(fx_session(a->open, true, &a->session), CKR_OK);
	assert_int_equal(fx_login(a->open, a->session, CKU_USER, FX_CO_PIN), CKR_OK);
}

/* One after the other, then all at once: the figures of the group commit. */
static void run(struct many *m)
{
	struct application alone = { 0 };
	u64 flushes, flushes_alone;
	u32 i;

	start_host(m);
	for (i = 0; i < APPLICATIONS; i++)
		start_application(m, i);
	alone = m->applications[0];
	flushes_alone = m->disk->calls[DISK_FLUSH];
	for (i = 0; i < EACH; i++) {
		assert_int_equal(make(&alone, i), CKR_OK);
		assert_int_equal(end(&alone, i), CKR_OK);
	}
	flushes_alone = m->disk->calls[DISK_FLUSH] - flushes_alone;
	m->disk->pause = 500;
	flushes = m->disk->calls[DISK_FLUSH];
	for (i = 0; i < APPLICATIONS; i++)
		assert_int_equal(pthread_create(&m->applications[i].thread, NULL, work,
						&m->applications[i]), 0);
	for (i = 0; i < APPLICATIONS; i++)
		pthread_join(m->applications[i].thread, NULL);
	flushes = m->disk->calls[DISK_FLUSH] - flushes;
	print_message("%s: %u changes, one at a time: %llu flushes; ", m->place->name, 2 * EACH,
		      flushes_alone);
	print_message("%u changes by %u at once: %llu flushes\n", OBJECTS + OBJECTS / 3,
		      APPLICATIONS, flushes);
	for (i = 0; i < APPLICATIONS; i++) {
		assert_int_equal(m->applications[i].rv, CKR_OK);
		luna_release(m->applications[i].open);
	}
	host_kill(&m->host);
	assert_int_equal(flushes_alone, 2 * EACH);
	assert_true(flushes < OBJECTS + OBJECTS / 3);
}

/* The object's number, from its label; its other attributes are whole, or it would not open. */
static int number_of(struct luna_token *token, struct luna_object *obj)
{
	struct luna_attrs *attrs = luna_object_attrs(token, obj);
	const u8 *label;
	char text[32] = "";
	int number = -1;
	u32 len;

	if (IS_ERR(attrs))
		return -1;
	label = luna_attrs_bytes(attrs, CKA_LABEL, &len);
	if (label && len < sizeof(text)) {
		memcpy(text, label, len);
		if (sscanf(text, "object %d", &number) != 1 || number >= OBJECTS)
			number = -1;
	}
	luna_attrs_put(attrs);
	return number;
}

static bool take_stock(struct luna_token *token, u8 *there, char *why, size_t room)
{
	struct luna_open *open = luna_open(token);
	struct luna_object *obj;
	u32 session, handle = 0;
	bool good = !fx_session(open, true, &session) &&
		    !fx_login(open, session, CKU_USER, FX_CO_PIN);

	while (good && (obj = luna_table_next(&token->objects.table, handle, &handle)) != NULL) {
		int number = number_of(token, obj);

		good = number >= 0 && !there[number]++;
	}
	luna_release(open);
	if (!good)
		snprintf(why, room, "no login, or an object that cannot be read");
	return good;
}

static bool check_many(void *arg, bool more, char *why, size_t room)
{
	struct many *m = arg;
	u8 there[OBJECTS] = { 0 };
	struct host host;
	u32 i;
	bool good;

	if (host_open(&host, m->place, &luna_openssl_ops)) {
		snprintf(why, room, "the store does not open");
		return false;
	}
	good = !host.token->damaged && take_stock(host.token, there, why, room);
	for (i = 0; i < OBJECTS && good; i++) {
		good = there[i] ? m->fates[i] != NEVER && m->fates[i] != ENDED :
				  m->fates[i] != MADE;
		if (!good)
			snprintf(why, room, "object %u is %s", i, there[i] ? "back" : "lost");
	}
	host_close(&host);
	return good;
}

static void take_mark(struct many *m, const struct disk_event *event)
{
	if (event->op == DISK_MARK && event->mark >= MARK_MAKING)
		m->fates[event->value] = MAKING + event->mark - MARK_MAKING;
}

void many_every_crash(const struct place *place)
{
	struct many *m = test_calloc(1, sizeof(*m));
	struct hunt *h = test_calloc(1, sizeof(*h));
	const struct disk_event *event;
	u32 start;
	u64 bad;

	m->place = place;
	m->disk = disk_new();
	m->disk->recording = true;
	disk_now = m->disk;
	run(m);
	m->disk->recording = false;
	/* The first part alone is what every other test has, too: from the first mark on. */
	for (start = 0; m->disk->events[start].op != DISK_MARK; start++)
		;
	hunt_begin(h, check_many, m);
	disk_walk_begin(&h->walk, m->disk);
	while ((event = disk_walk_step(&h->walk)) != NULL) {
		take_mark(m, event);
		if (event->op == DISK_MARK)
			h->expected = h->walk.next;
		if (h->walk.next > start)
			hunt_point(h, event);
	}
	disk_walk_end(&h->walk);
	hunt_tell(h, place->name);
	bad = h->failed;
	disk_free(m->disk);
	test_free(h);
	test_free(m);
	assert_int_equal(bad, 0);
}
