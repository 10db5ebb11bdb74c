/* SPDX-License-Identifier: MIT */
/*
 * The commands of images, a token that has something to export, and one to restore it to.
 * What returns s64 returns CKR_*.
 */
#ifndef LUNA_TEST_IMAGE_BENCH_H
#define LUNA_TEST_IMAGE_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "image.h"

enum { OTHER_SLOT = 1, CIPHER = 32 };

/* An image outside, whose @data is to be freed with test_free(). */
struct image {
	u8 *data;
	u32 len;
};

/**
 * struct image_side - a token with an application
 * @session: of its crypto officer, if it is an image_source_make()
 * @key: a private AES key
 * @cipher: what @key encrypted
 */
struct image_side {
	struct fx fx;
	struct luna_open *open;
	u32 session;
	u32 key;
	u8 cipher[CIPHER];
};

/* image_source_make() - a token with a key and a public object "public" */
void image_source_make(struct image_side *side, u32 slot);
/* image_target_make() - somewhere to restore to, never initialised */
void image_target_make(struct image_side *side, u32 slot);
void image_side_end(struct image_side *side);
/* image_data_make() - a token object with @len bytes of value, at most 8000 */
s64 image_data_make(struct image_side *side, const char *label, u32 len, bool private, u32 *handle);
/* image_found() - objects with this label. @handle: the first, or 0 */
u32 image_found(struct luna_open *open, u32 session, const char *label, u32 *handle);

/* A source, its image and a target */
struct image_pair {
	struct image_side source, target;
	struct image image;
};

/* image_pair_make() - @target_make: image_target_make() or alike, for the other slot */
void image_pair_make(struct image_pair *p, void (*target_make)(struct image_side *side, u32 slot));
void image_pair_end(struct image_pair *p);

s64 image_export(struct luna_open *open, u32 session, u32 *len);
/* image_get() - *@len: bytes that there is room for, then those that came */
s64 image_get(struct luna_open *open, u32 offset, u8 *data, u32 *len);
/* image_fetch() - all @len bytes, @piece at a time, which ends it */
struct image image_fetch(struct luna_open *open, u32 len, u32 piece);
/* image_of() - exported and fetched */
struct image image_of(struct image_side *side);
s64 image_put(struct luna_open *open, u32 offset, const u8 *data, u32 len);
/* image_send() - image_put() of all of it, as far as that succeeds */
s64 image_send(struct luna_open *open, const struct image *image);
/* image_restore_sent() - @damaged: where the image is wrong; NULL: nobody wants it */
s64 image_restore_sent(struct luna_open *open, const char *so_pin, const char *domain, u32 role,
		       const char *pin, u64 *damaged);
/* image_restore() - image_send(), and restored with the domain and the CO's PIN of the fixture */
s64 image_restore(struct luna_open *open, const struct image *image, const char *so_pin);

/* image_expect_restored() - the target is what the source was: the same identity, key and data */
void image_expect_restored(struct image_side *target, const struct image_side *source);
void image_expect_untouched(struct image_side *target);

/* Of a group of tests: quick keys, and a quiet log */
int image_setup(void **state);
int image_teardown(void **state);

#endif /* LUNA_TEST_IMAGE_BENCH_H */
