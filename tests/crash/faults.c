// SPDX-License-Identifier: MIT
/*
 * What can happen to a store besides a power cut: a full disk, one that fails, files that were
 * damaged, cut or exchanged; what the store shows to who reads it; and how it stays bounded. On the
 * daemon's own store code and the module's.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hunt.h"
#include "log_file.h"
#include "scenario.h"

static const struct place *const places[] = { &daemon_place, &module_place };

static bool thorough;

/* ---- A token in use ---- */

struct rig {
	struct disk *disk;
	struct host host;
	struct luna_open *open;
	u32 session;
	u32 made;
};

static s64 rig_make(struct rig *r)
{
	u32 handle;
	s64 rv = scenario_data(r->open, r->session, SECRET_LABEL, true, 600, &handle);

	r->made += !rv;
	return rv;
}

static void rig_login(struct rig *r)
{
	r->open = luna_open(r->host.token);
	assert_int_equal(fx_session(r->open, true, &r->session), CKR_OK);
	assert_int_equal(fx_login(r->open, r->session, CKU_USER, FX_CO_PIN), CKR_OK);
}

/* Initialised, three objects, the CO logged in. */
static void rig_begin_with(struct rig *r, const struct place *place,
			   const struct luna_crypto_ops *crypto)
{
	struct luna_open *open;
	u32 session, i;

	*r = (struct rig){ .disk = disk_new() };
	disk_now = r->disk;
	r->disk->recording = true;
	assert_int_equal(host_open(&r->host, place, crypto), 0);
	open = luna_open(r->host.token);
	assert_int_equal(fx_init_token(open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN), CKR_OK);
	assert_int_equal(fx_session(open, true, &session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	luna_release(open);
	rig_login(r);
	for (i = 0; i < 3; i++)
		assert_int_equal(rig_make(r), CKR_OK);
}

static void rig_begin(struct rig *r, const struct place *place, u64 seed)
{
	rig_begin_with(r, place, fakerng_quick_ops(&luna_openssl_ops, seed));
}

static u32 rig_count(struct rig *r)
{
	struct fx_tmpl *none = calloc(1, sizeof(*none));
	u32 handles[600], count = 0;

	assert_int_equal(fx_find(r->open, r->session, none, handles, ARRAY_SIZE(handles), &count), CKR_OK);
	free(none);
	return count;
}

static void rig_stop(struct rig *r)
{
	luna_release(r->open);
	host_close(&r->host);
}

static void rig_restart(struct rig *r)
{
	const struct place *place = r->host.place;

	rig_stop(r);
	assert_int_equal(host_open(&r->host, place, &luna_openssl_ops), 0);
	assert_false(r->host.token->damaged);
	rig_login(r);
}

static void rig_end(struct rig *r)
{
	rig_stop(r);
	disk_free(r->disk);
}

/* ---- A full disk ---- */

static struct disk_file *main_file(struct disk *disk)
{
	u32 i;

	for (i = 0; i < disk->names.count; i++)
		if (!strcmp(disk->names.rows[i].name, "token0.luna"))
			return &disk->files[disk->names.rows[i].file];
	fail();
	return NULL;
}

static void test_full(void **state)
{
	struct rig r;
	u32 i, torn;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 1);
		for (torn = 0; torn < 800; torn += 100) {
			disk_fail(r.disk, DISK_WRITE, 1, -ENOSPC, torn);
			r.disk->faults[DISK_WRITE].lasting = true;
			assert_int_equal(rig_make(&r), CKR_DEVICE_MEMORY);
			assert_int_equal(rig_count(&r), r.made);	/* it can be read */
			disk_fail(r.disk, DISK_WRITE, 0, 0, 0);
			assert_int_equal(rig_make(&r), CKR_OK);
		}
		/* An attempt that cannot be counted is none. */
		fx_logout(r.open, r.session);
		disk_fail(r.disk, DISK_WRITE, 1, -ENOSPC, 0);
		assert_int_equal(fx_login(r.open, r.session, CKU_USER, FX_CO_PIN),
				 CKR_DEVICE_MEMORY);
		assert_int_equal(fx_login(r.open, r.session, CKU_USER, FX_CO_PIN), CKR_OK);
		rig_restart(&r);
		assert_int_equal(rig_count(&r), r.made);
		rig_end(&r);
	}
}

/* From here on the disk has no room beyond what its files take, or keep. */
static void fill_disk(struct disk *disk)
{
	u32 i;

	disk->capacity = 0;
	for (i = 0; i < disk->names.count; i++) {
		struct disk_file *file = &disk->files[disk->names.rows[i].file];

		disk->capacity += max(file->len, file->kept);
	}
}

static s64 wrong_pin(struct rig *r)
{
	return fx_login(r->open, r->session, CKU_USER, "not the PIN");
}

static u32 rig_destroy_one(struct rig *r)
{
	struct fx_tmpl *none = calloc(1, sizeof(*none));
	u32 handle = 0, count = 0;

	assert_int_equal(fx_find(r->open, r->session, none, &handle, 1, &count), CKR_OK);
	free(none);
	assert_int_equal(fx_destroy(r->open, r->session, handle), CKR_OK);
	r->made--;
	return handle;
}

/*
 * A disk without a byte left: nothing new, but logins, their counters, and destroying. A daemon
 * that is killed then comes up on the same disk.
 */
static void test_brim(void **state)
{
	const struct place *place;
	struct rig r;
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		place = places[i];
		rig_begin(&r, place, 9);
		r.disk->recording = false;
		fill_disk(r.disk);
		while (rig_make(&r) == CKR_OK)
			assert_in_range(r.made, 1, 500);
		assert_int_equal(rig_make(&r), CKR_DEVICE_MEMORY);
		assert_int_equal(fx_set_pin(r.open, r.session, FX_CO_PIN, NEW_CO_PIN),
				 CKR_DEVICE_MEMORY);
		rig_destroy_one(&r);
		assert_int_equal(fx_logout(r.open, r.session), CKR_OK);
		/* More than what was too little for the object */
		for (n = 0; n < 16; n++) {
			luna_release(r.open);
			rig_login(&r);
			assert_int_equal(fx_logout(r.open, r.session), CKR_OK);
		}
		assert_int_equal(wrong_pin(&r), CKR_PIN_INCORRECT);
		assert_int_equal(wrong_pin(&r), CKR_PIN_INCORRECT);
		luna_release(r.open);
		host_kill(&r.host);
		assert_int_equal(host_open(&r.host, place, &luna_openssl_ops), 0);
		assert_false(r.host.token->damaged);
		assert_int_equal(r.host.token->state->roles[LUNA_ROLE_CO].failed, 2);
		rig_login(&r);
		assert_int_equal(r.host.token->state->roles[LUNA_ROLE_CO].failed, 0);
		assert_int_equal(rig_count(&r), r.made);
		assert_int_equal(rig_make(&r), CKR_DEVICE_MEMORY);
		r.disk->capacity += SZ_1M;
		assert_int_equal(rig_make(&r), CKR_OK);
		rig_restart(&r);
		assert_int_equal(rig_count(&r), r.made);
		rig_end(&r);
	}
}

/* The last wrong SO PIN empties a token that has filled the disk. */
static void test_brim_zeroize(void **state)
{
	struct luna_open *open;
	struct rig r;
	u32 session, i, n;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 10);
		r.disk->recording = false;
		fill_disk(r.disk);
		while (rig_make(&r) == CKR_OK)
			;
		luna_release(r.open);
		open = luna_open(r.host.token);
		assert_int_equal(fx_session(open, true, &session), CKR_OK);
		for (n = 0; r.host.token->state->initialised; n++)
			assert_int_equal(fx_login(open, session, CKU_SO, "not the PIN"),
					 CKR_PIN_INCORRECT);
		assert_false(r.host.token->state->initialised);
		luna_release(open);
		host_close(&r.host);
		assert_int_equal(host_open(&r.host, places[i], &luna_openssl_ops), 0);
		assert_false(r.host.token->damaged);
		assert_false(r.host.token->state->initialised);
		host_close(&r.host);
		disk_free(r.disk);
	}
}

/* A file system that keeps no space: as full as it is, the rest goes on. */
static void test_brim_kept_nothing(void **state)
{
	struct rig r;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 11);
		r.disk->recording = false;
		r.disk->keeps = false;
		rig_restart(&r);
		assert_int_equal(rig_make(&r), CKR_OK);
		main_file(r.disk)->kept = 0;
		fill_disk(r.disk);
		assert_int_equal(rig_make(&r), CKR_DEVICE_MEMORY);
		fx_logout(r.open, r.session);
		assert_int_equal(fx_login(r.open, r.session, CKU_USER, FX_CO_PIN),
				 CKR_DEVICE_MEMORY);
		r.disk->capacity = 0;
		assert_int_equal(fx_login(r.open, r.session, CKU_USER, FX_CO_PIN), CKR_OK);
		assert_int_equal(rig_count(&r), r.made);
		rig_end(&r);
	}
}

/* ---- A disk that fails ---- */

static bool check_made(void *arg, bool more, char *why, size_t room)
{
	struct rig *r = arg, after = { 0 };
	u32 count;

	if (host_open(&after.host, r->host.place, &luna_openssl_ops))
		return false;
	if (after.host.token->damaged) {
		snprintf(why, room, "damaged");
		host_close(&after.host);
		return false;
	}
	rig_login(&after);
	count = rig_count(&after);
	/* The last one was refused with an error: it may be there or not. */
	if (count != r->made && count != r->made + 1)
		snprintf(why, room, "%u objects of %u", count, r->made);
	rig_stop(&after);
	return count == r->made || count == r->made + 1;
}

/*
 * After a flush that failed, memory may show what the disk has not. Nothing more is acknowledged,
 * and nothing more is written; what was acknowledged before is there, whatever became of the rest.
 */
static void test_flush_fails(void **state)
{
	struct hunt *h = test_calloc(1, sizeof(*h));
	const struct disk_event *event;
	struct rig r;
	u32 i;
	u64 writes;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 2);
		disk_fail(r.disk, DISK_FLUSH, 1, -EIO, 0);
		assert_int_equal(rig_make(&r), CKR_DEVICE_ERROR);
		assert_int_equal(rig_count(&r), r.made);
		writes = r.disk->calls[DISK_WRITE];
		assert_int_equal(rig_make(&r), CKR_DEVICE_ERROR);
		assert_int_equal(fx_set_pin(r.open, r.session, FX_CO_PIN, NEW_CO_PIN),
				 CKR_DEVICE_ERROR);
		assert_int_equal(r.disk->calls[DISK_WRITE], writes);
		assert_int_equal(rig_count(&r), r.made);
		luna_release(r.open);
		host_close(&r.host);
		assert_int_equal(r.disk->calls[DISK_WRITE], writes);
		r.disk->recording = false;
		hunt_begin(h, check_made, &r);
		disk_walk_begin(&h->walk, r.disk);
		while ((event = disk_walk_step(&h->walk)) != NULL)
			;
		hunt_point(h, &r.disk->events[r.disk->count - 1]);
		disk_walk_end(&h->walk);
		assert_int_equal(h->failed, 0);
		disk_free(r.disk);
	}
	test_free(h);
}

/*
 * A flush fails, the host is started again and goes on: what it finds then must not come from
 * memory that the disk knows nothing of, since more would be appended to it, and told durable.
 * Return: states in which something is lost.
 */
static u64 go_on_after_failure(const struct place *place, bool stubborn)
{
	struct hunt *h = test_calloc(1, sizeof(*h));
	struct rig r;
	u64 failed;

	rig_begin(&r, place, 2);
	r.disk->stubborn = stubborn;
	disk_fail(r.disk, DISK_FLUSH, 1, -EIO, 0);
	assert_int_equal(rig_make(&r), CKR_DEVICE_ERROR);
	rig_restart(&r);
	r.made = rig_count(&r);
	assert_int_equal(rig_make(&r), CKR_OK);
	assert_int_equal(rig_make(&r), CKR_OK);
	luna_release(r.open);
	host_kill(&r.host);
	r.disk->recording = false;
	hunt_begin(h, check_made, &r);
	disk_walk_begin(&h->walk, r.disk);
	while (disk_walk_step(&h->walk))
		;
	hunt_point(h, &r.disk->events[r.disk->count - 1]);
	disk_walk_end(&h->walk);
	failed = h->failed;
	disk_free(r.disk);
	test_free(h);
	return failed;
}

static void test_memory_lies(void **state)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(go_on_after_failure(places[i], false), 0);
		/* The control: memory that cannot be dropped */
		assert_int_not_equal(go_on_after_failure(places[i], true), 0);
	}
}

static s64 init_again(struct rig *r)
{
	s64 rv;

	luna_release(r->open);
	r->open = luna_open(r->host.token);
	rv = fx_init_token(r->open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN);
	return rv;
}

/* A replacement that fails at any of its steps leaves the old log, or refuses to go on. */
static void test_replace_fails(void **state)
{
	static const struct {
		enum disk_op op;
		u32 most;	/* of such calls that a replacement makes */
	} steps[] = {
		{ DISK_WRITE, 3 }, { DISK_FLUSH, 3 }, { DISK_NAME, 2 }, { DISK_FLUSH_DIR, 1 },
		{ DISK_CUT, 2 },
	};
	struct rig r;
	u32 i, j, n, failed = 0;
	s64 rv;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		for (j = 0; j < ARRAY_SIZE(steps); j++)
			for (n = 1; n <= steps[j].most; n++) {
				rig_begin(&r, places[i], 3);
				disk_fail(r.disk, steps[j].op, n, -EIO, 0);
				rv = init_again(&r);
				failed += !!rv;
				disk_fail(r.disk, steps[j].op, 0, 0, 0);
				assert_true(rv == CKR_OK || rv == CKR_DEVICE_ERROR);
				luna_release(r.open);
				host_close(&r.host);
				assert_int_equal(host_open(&r.host, places[i], &luna_openssl_ops),
						 0);
				if (r.host.token->damaged)
					fail_msg("%s: damaged after failure %u of %u: %lld",
						 places[i]->name, n, j, rv);
				r.open = luna_open(r.host.token);
				if (r.host.token->objects.table.live) {
					assert_int_not_equal(rv, CKR_OK);
					assert_int_equal(r.host.token->objects.table.live, r.made);
				}
				rig_end(&r);
			}
	assert_true(failed > 8);
}

/* ---- Files that somebody else has changed ---- */

/* A token whose store cannot be used says so, and does nothing else. */
static void assert_out_of_use(struct luna_token *token)
{
	struct luna_open *open = luna_open(token);
	struct luna_slot_info info = { 0 };
	u32 session;

	assert_int_equal(fx_call(open, LUNA_SLOT_INFO, &info, sizeof(info), NULL, 0, NULL, NULL),
			 CKR_OK);
	assert_true(info.token_flags & CKF_ERROR_STATE);
	assert_false(info.token_flags & CKF_TOKEN_INITIALIZED);
	assert_int_equal(fx_session(open, true, &session), CKR_DEVICE_ERROR);
	assert_int_equal(fx_init_token(open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN),
			 CKR_DEVICE_ERROR);
	luna_release(open);
}

/*
 * Loads what is on @disk. Return: -1: refused, with the file as it was; else how many objects are
 * there, all of which can be read.
 */
static int load(struct disk *disk, const struct place *place)
{
	struct rig r = { .disk = disk };
	int count = -1;

	disk_now = disk;
	assert_int_equal(host_open(&r.host, place, &luna_openssl_ops), 0);
	if (!r.host.token->damaged) {
		rig_login(&r);
		count = rig_count(&r);
		luna_release(r.open);
	} else {
		assert_out_of_use(r.host.token);
	}
	host_close(&r.host);
	return count;
}

/* A log that was closed: each flipped bit is told. */
static void test_flipped(void **state)
{
	struct disk *copy;
	struct rig r;
	size_t at, len;
	u32 i, tried = 0;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 4);
		rig_stop(&r);
		r.disk->recording = false;
		len = main_file(r.disk)->len;
		for (at = 0; at < len; at += thorough ? 1 : 5, tried++) {
			copy = disk_copy(r.disk);
			main_file(copy)->data[at] ^= 1 << at % 8;
			/* The mark at the end only says that all before it was flushed. */
			if (at >= len - LUNA_REC_HEAD) {
				assert_int_equal(load(copy, places[i]), r.made);
			} else {
				assert_int_equal(load(copy, places[i]), -1);
				assert_true(main_file(copy)->len == len);
			}
			disk_free(copy);
		}
		disk_free(r.disk);
	}
	print_message("%u flipped bits\n", tried);
}

/*
 * Cut within a record, the log is what a torn write leaves; cut between records, it is an older
 * copy of itself, which nothing within it can tell. Either way: no part of an object, no other one.
 */
static void test_cut(void **state)
{
	struct disk *copy;
	struct rig r;
	size_t at, len;
	int found;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 5);
		rig_stop(&r);
		r.disk->recording = false;
		len = main_file(r.disk)->len;
		for (at = len - 1; at > len - 1500; at -= thorough ? 1 : 7) {
			copy = disk_copy(r.disk);
			main_file(copy)->len = at;
			found = load(copy, places[i]);
			assert_in_range(found, 0, r.made);
			disk_free(copy);
		}
		/* What the log began with is more than a write: less of it is damage. */
		for (at = 1; at < main_file(r.disk)->len && at < 1500; at += thorough ? 1 : 7) {
			copy = disk_copy(r.disk);
			main_file(copy)->len = at;
			assert_int_equal(load(copy, places[i]), -1);
			disk_free(copy);
		}
		disk_free(r.disk);
	}
}

/* The end of another token's log, or of an older one of the same, is no part of this one. */
static void test_spliced(void **state)
{
	struct rig r, other;
	struct disk *copy;
	struct disk_file *to, *from;
	size_t n;

	rig_begin(&other, &daemon_place, 6);
	rig_stop(&other);
	rig_begin(&r, &daemon_place, 7);
	rig_stop(&r);
	r.disk->recording = false;
	for (n = 8; n < 2000; n += 8) {
		copy = disk_copy(r.disk);
		to = main_file(copy);
		from = main_file(other.disk);
		if (from->len < n || to->len < n)
			break;
		memcpy(to->data + to->len - n, from->data + from->len - n, n);
		assert_in_range(load(copy, &daemon_place) + 1, 0, r.made + 1);
		disk_free(copy);
	}
	disk_free(r.disk);
	disk_free(other.disk);
}

static void expect_not_opened(const struct place *place)
{
	struct host host;

	assert_int_equal(host_open(&host, place, &luna_openssl_ops), 0);
	assert_true(host.token->damaged);
	assert_out_of_use(host.token);
	host_close(&host);
	assert_int_equal(host_open(&host, place, &luna_openssl_ops), 0);
	assert_false(host.token->damaged);
	host_close(&host);
}

/* Files that cannot even be opened: this token is out of use, and nothing ends. */
static void test_not_opened(void **state)
{
	/* The first name that the module makes is that of the directory's lock. */
	static const u32 names[][2] = { { 1, 1 }, { 2, 3 } };
	struct disk *disk;
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (n = names[i][0]; n <= names[i][1]; n++) {
			disk = disk_new();
			disk_now = disk;
			disk_fail(disk, DISK_NAME, n, -EROFS, 0);
			expect_not_opened(places[i]);
			/* Its pages cannot be flushed, so that nothing that they say is believed. */
			disk_fail(disk, DISK_FLUSH, 1, -EIO, 0);
			expect_not_opened(places[i]);
			disk_free(disk);
		}
	}
}

/* The store of tests/vectors, which neither of these has written, opens in both and goes on. */
static void test_vector(void **state)
{
	char path[512], line[16384];
	struct disk *disk;
	struct rig r;
	u32 i, n;
	int file;
	FILE *f;
	u8 byte;

	snprintf(path, sizeof(path), "%s/store.txt", getenv("LUNA_VECTORS"));
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) && strncmp(line, "store = ", 8))
		;
	fclose(f);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		disk = disk_new();
		file = disk_open(disk, "token0.luna", true, false);
		for (n = 0; sscanf(line + 8 + 2 * n, "%2hhx", &byte) == 1; n++)
			assert_int_equal(disk_write(disk, file, &byte, 1, n), 1);
		assert_true(n > 1000);
		assert_int_equal(load(disk, places[i]), 2);
		r = (struct rig){ .disk = disk, .made = 2 };
		assert_int_equal(host_open(&r.host, places[i], &luna_openssl_ops), 0);
		rig_login(&r);
		assert_int_equal(rig_make(&r), CKR_OK);
		rig_restart(&r);
		assert_int_equal(rig_count(&r), 3);
		rig_end(&r);
	}
}

/* ---- Churn ---- */

/* The store is never larger than 1 MiB and its largest write, or twice what lives and that. */
static void test_bounded(void **state)
{
	struct rig r;
	u64 most = 0, written = 0;
	u32 i, n, handle;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		rig_begin(&r, places[i], 8);
		r.disk->recording = false;
		for (n = 0; n < 1500; n++) {
			assert_int_equal(scenario_data(r.open, r.session, "churn", n & 1, 3000,
						       &handle), CKR_OK);
			assert_int_equal(fx_destroy(r.open, r.session, handle), CKR_OK);
			most = max(most, (u64)main_file(r.disk)->len);
			written += n & 1 ? 3300 : 300;
		}
		print_message("%s: %llu bytes written, the file had at most %llu; %llu live\n",
			      places[i]->name, written, most, luna_log_used(r.host.token));
		assert_true(most <= SZ_1M + 8192);
		rig_restart(&r);
		assert_int_equal(rig_count(&r), r.made);
		rig_end(&r);
	}
}

/* ---- At rest ---- */

static bool contains(const u8 *data, size_t len, const void *what, size_t what_len)
{
	return len && memmem(data, len, what, what_len);
}

/* Was this ever written to any file, be it one that is gone? */
static bool ever_written(const struct disk *disk, const void *what, size_t len)
{
	u32 i;

	for (i = 0; i < disk->count; i++)
		if (contains(disk->events[i].data, disk->events[i].len, what, len))
			return true;
	return false;
}

static void assert_hidden(const struct disk *disk, const void *what, size_t len, const char *name)
{
	if (ever_written(disk, what, len))
		fail_msg("%s is readable in the store", name);
}

/* The whole life of a token, with every byte that was written in it, compaction included. */
static void test_at_rest(void **state)
{
	static const char *const hidden[] = {
		SECRET_LABEL, SECRET_VALUE, FX_SO_PIN, FX_CO_PIN, FX_CU_PIN, NEW_CO_PIN, FX_DOMAIN,
		"to be destroyed", "cloned", "not the PIN",
	};
	struct scenario *s = test_calloc(1, sizeof(*s));
	const struct scenario_secrets *secrets = &scenario_secrets;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		scenario_run(s, places[i], false);
		assert_true(secrets->seen);
		for (j = 0; j < ARRAY_SIZE(hidden); j++)
			assert_hidden(s->disk, hidden[j], strlen(hidden[j]), hidden[j]);
		assert_hidden(s->disk, scenario_key, sizeof(scenario_key), "a key");
		assert_hidden(s->disk, scenario_key, 16, "half a key");
		assert_hidden(s->disk, secrets->domain, sizeof(secrets->domain), "the domain");
		assert_hidden(s->disk, secrets->sk, sizeof(secrets->sk), "the storage key");
		assert_hidden(s->disk, secrets->mofn, sizeof(secrets->mofn), "the M of N secret");
		assert_hidden(s->disk, secrets->twc_key, sizeof(secrets->twc_key), "its RSA key");
		/* The search finds what is there: public objects and the token's label. */
		assert_true(ever_written(s->disk, PUBLIC_LABEL, strlen(PUBLIC_LABEL)));
		assert_true(ever_written(s->disk, PUBLIC_LABEL ", changed",
					 strlen(PUBLIC_LABEL ", changed")));
		assert_true(ever_written(s->disk, FX_LABEL, strlen(FX_LABEL)));
		scenario_free(s);
	}
	test_free(s);
}

/* The same search in a store whose seals do nothing finds all of it. */
static int no_cipher(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	memmove(out, in, len);
	return 0;
}

static int no_tag(struct luna_cipher_stream *s, u8 *tag, size_t len)
{
	return 0;
}

static void test_at_rest_control(void **state)
{
	struct luna_crypto_ops bare = *fakerng_quick_ops(&luna_openssl_ops, 9);
	struct rig r;

	bare.cipher_update = no_cipher;
	bare.cipher_tag = no_tag;
	rig_begin_with(&r, &daemon_place, &bare);
	assert_true(ever_written(r.disk, SECRET_LABEL, strlen(SECRET_LABEL)));
	assert_true(ever_written(r.disk, SECRET_VALUE, strlen(SECRET_VALUE)));
	assert_true(ever_written(r.disk, r.host.token->secrets->domain, LUNA_DOMAIN_LEN));
	assert_true(ever_written(r.disk, r.host.token->sk, LUNA_SK_LEN));
	rig_end(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_brim),
		cmocka_unit_test(test_brim_zeroize),
		cmocka_unit_test(test_brim_kept_nothing),
		cmocka_unit_test(test_flush_fails),
		cmocka_unit_test(test_memory_lies),
		cmocka_unit_test(test_replace_fails),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_spliced),
		cmocka_unit_test(test_not_opened),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_at_rest_control),
	};

	thorough = argc > 1 && !strcmp(argv[1], "--long");
	return cmocka_run_group_tests(tests, hunt_setup, hunt_teardown);
}
