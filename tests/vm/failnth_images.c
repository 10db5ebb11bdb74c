// SPDX-License-Identifier: MIT
/* Steps of images: a token is taken, fetched, sent and restored. */
#include "failnth_steps.h"

enum { IMAGE_MAX = 512 * 1024 };

static u8 image[IMAGE_MAX];
static u32 image_len;

static s64 image_export(void)
{
	struct luna_image_arg arg = { .hdr.session = a.session };
	s64 ret = fx_call(a.open, LUNA_IMAGE_EXPORT, &arg, sizeof(arg), NULL, 0, NULL, NULL);

	image_len = ret ? 0 : arg.length;
	return !ret && image_len > IMAGE_MAX ? -EFBIG : ret;
}

/* The first piece; a failure leaves it to be fetched once more. */
static s64 image_get(void)
{
	u32 want = min_t(u32, image_len, ROOM);
	struct luna_data arg = { .length = want };
	size_t len = want;

	return fx_call(a.open, LUNA_IMAGE_GET, &arg, sizeof(arg), NULL, 0, image, &len);
}

/* Offset 0 begins anew. */
static s64 image_put(void)
{
	struct luna_data arg = { 0 };
	u32 n;
	s64 ret;

	do {
		n = min_t(u32, image_len - arg.offset, ROOM);
		ret = fx_call(a.open, LUNA_IMAGE_PUT, &arg, sizeof(arg), image + arg.offset, n, NULL,
			      NULL);
		arg.offset += n;
	} while (!ret && arg.offset < image_len);
	return ret;
}

/* All of it, for the steps that need a whole one */
static s64 image_take(void)
{
	struct luna_data arg = { 0 };
	s64 ret = image_export();

	while (!ret && arg.offset < image_len) {
		size_t len = min_t(u32, image_len - arg.offset, ROOM);

		arg.length = len;
		ret = fx_call(a.open, LUNA_IMAGE_GET, &arg, sizeof(arg), NULL, 0,
			      image + arg.offset, &len);
		arg.offset += arg.length;
	}
	return ret;
}

/* What was looked at is gone, whatever came of it. */
static s64 image_restore(void)
{
	struct luna_image_arg arg = {
		.role = CKU_USER,
		.so_pin_len = strlen(FX_SO_PIN),
		.domain_len = strlen(FX_DOMAIN),
		.pin_len = strlen(FX_CO_PIN),
	};
	static const char payload[] = FX_SO_PIN FX_DOMAIN FX_CO_PIN;
	s64 ret = image_put();

	return ret ?: fx_call(a.open, LUNA_IMAGE_RESTORE, &arg, sizeof(arg), payload,
			      sizeof(payload) - 1, NULL, NULL);
}

/* Nobody may have a session then. */
static s64 a_finalized(void)
{
	a.session = 0;
	return a_reset();
}

const struct step image_steps[] = {
	{ "take an image", LUNA_IMAGE_EXPORT, image_export, .once = a_co },
	{ "fetch a piece of it", LUNA_IMAGE_GET, image_get, .before = image_export },
	{ "send an image", LUNA_IMAGE_PUT, image_put, .once = image_take },
	{ .name = NULL }
};

const struct step restore_steps[] = {
	{ "restore an image", LUNA_IMAGE_RESTORE, image_restore, .once = a_finalized,
	  .counts = true, .sparse = 16 },
	{ .name = NULL }
};
