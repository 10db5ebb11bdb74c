/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Images of a token: its store, compacted, in sealed frames (FORMAT.md, "Image"). image.c has the
 * commands and what is in an image; image_frames.c keeps its bytes.
 */
#ifndef LUNA_TOKEN_IMAGE_H
#define LUNA_TOKEN_IMAGE_H

#include "token.h"

enum {
	LUNA_IMAGE_VERSION = 1,
	LUNA_IMAGE_HEAD = 104,
	LUNA_IMAGE_SAID = 88,		/* bytes of the header that its key depends on */
	LUNA_IMAGE_FRAME = SZ_64K,	/* bytes of every sealed frame but the last */
	LUNA_IMAGE_PLAIN = LUNA_IMAGE_FRAME - LUNA_SEAL_OVERHEAD,
	LUNA_IMAGE_SALT = 16,
	LUNA_IMAGE_KEY = 32,
	LUNA_IMAGE_CHECK = 8,
	/* Highest handle in an image: a store must not be able to use up those of the slot. */
	LUNA_IMAGE_HANDLE_MAX = 1 << 30,
};

/**
 * struct luna_image - an image on its way out or in, in the memory of an open file
 * @open: whose bytes it counts among
 * @outgoing: it is being fetched; else it is being collected
 * @head: the header
 * @head_len: bytes of it that are there
 * @frames: @count pointers to LUNA_IMAGE_FRAME bytes each; NULL: handed out already
 * @len: bytes in the frames, which hold LUNA_IMAGE_FRAME bytes each while sealed, LUNA_IMAGE_PLAIN
 *	while open
 * @at: bytes handed out, header included
 */
struct luna_image {
	struct luna_open *open;
	bool outgoing;
	u8 head[LUNA_IMAGE_HEAD];
	u32 head_len;
	u8 **frames;
	u32 count, room;
	u64 len;
	u64 at;
};

struct luna_image *luna_image_new(struct luna_open *open);	/* NULL: no memory */
void luna_image_free(struct luna_image *image);			/* NULL is fine */

/* Sealed bytes of the frames, appended. -ENOMEM, or the application has too many. */
int luna_image_append(struct luna_image *image, const u8 *data, u32 len);
/* Sealed bytes from @at on, which were not handed out yet; frames that end before @at are freed. */
void luna_image_take(struct luna_image *image, u64 at, u8 *data, u32 len);

/**
 * luna_image_seal() - seal the frames of an open image
 * luna_image_unseal() - open those of a sealed one
 * @damaged: set to the offset in the image of the frame that is damaged
 * Return: 0; -EBADMSG: damaged; -ENOMEM, or what the provider says: the image is of no use then.
 */
int luna_image_seal(struct luna_image *image, struct luna_token *token, struct luna_aes_key *key);
int luna_image_unseal(struct luna_image *image, struct luna_token *token, struct luna_aes_key *key,
		      u64 *damaged);

/* An open image as the place of a log: one that is written once by replacement, or read. */
extern const struct luna_store_ops luna_image_store_ops;

#endif /* LUNA_TOKEN_IMAGE_H */
