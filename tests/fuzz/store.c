// SPDX-License-Identifier: MIT
/*
 * The loader of a store: a byte of mode, then the file. With checksums, lengths and sequence put right
 * an input gets to the records behind them, and to the state and the attributes in these. With a full
 * place what the file brought is also compacted.
 */
#include "common.h"
#include "log_fix.h"

enum {
	STORE_FIX = 1,		/* put checksums right */
	STORE_TAIL = 2,		/* leave the last record as it is: a torn end */
	STORE_FULL = 4,		/* the place is full, and then its garbage goes */
};

enum {
	GARBAGE = SZ_64K,	/* as much makes a full store worth compacting */
	TURNS = 160,		/* objects that certainly fill what the place still gives */
};

static struct memstore *store_of(const u8 *file, size_t len)
{
	struct memstore *store = memstore_new();

	if (len)
		fuzz_check(!memstore_ops.append(store, file, len));
	return store;
}

/* Makes an object, if the token lets us. */
static bool make(struct fuzz_side *side, u32 *handle)
{
	static const u8 value[5000];
	struct fx_tmpl tmpl = { 0 };

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, false);
	fx_attr(&tmpl, CKA_VALUE, value, sizeof(value));
	return !fx_create(side->open, side->session, &tmpl, handle);
}

static bool litter(struct fuzz_side *side)
{
	u32 handle;

	return make(side, &handle) && !fx_destroy(side->open, side->session, handle);
}

/* A place without room makes the token compact its log, in the midst of a client's command. */
static void fill_and_squeeze(struct fuzz_side *side)
{
	struct memstore *store = side->fx.store;
	const u64 *commits = &store->calls[MEMSTORE_REPLACE_COMMIT], before = *commits;
	size_t full = store->content.len + GARBAGE;
	u32 i, kept;

	make(side, &kept);
	for (i = 0; i < TURNS && store->content.len < full; i++)
		if (!litter(side))
			return;
	store->room = max(store->kept, store->content.len);
	for (i = 0; i < TURNS && *commits == before; i++)
		litter(side);
	fuzz_check(*commits > before);
	store->room = 0;
}

/* Objects that the token shows, as far as there is room to ask for them. */
static u32 shown(struct fuzz_side *side)
{
	struct fx_tmpl all = { 0 };
	u32 handles[64], count = 0;

	fx_find(side->open, side->session, &all, handles, ARRAY_SIZE(handles), &count);
	return count;
}

/* What a token can read, it can read again after it was used. */
static void use_and_reload(struct fuzz_side *side, bool full)
{
	u32 count;

	fuzz_use(side);
	if (full)
		fill_and_squeeze(side);
	count = shown(side);
	luna_release(side->open);
	side->open = NULL;
	luna_token_close(side->fx.token);
	side->fx.token = luna_token_open(&side->fx.config, side->fx.crypto, &memstore_ops,
					 side->fx.store);
	fuzz_check(!IS_ERR(side->fx.token));
	fuzz_check(!side->fx.token->damaged);
	fuzz_side_login(side);
	fuzz_check(shown(side) == count);
}

static void one(struct fuzz_in *in)
{
	u8 mode = fuzz_u8(in), *file;
	struct fuzz_side side;
	const u8 *at;
	size_t len;

	at = fuzz_bytes(in, SZ_64K, &len);
	file = fuzz_alloc(len);
	if (len)
		memcpy(file, at, len);
	if (mode & STORE_FIX)
		log_fix(file, len, mode & STORE_TAIL);
	fuzz_side_open(&side, 0, store_of(file, len));
	if (!side.fx.token->damaged)
		use_and_reload(&side, mode & STORE_FULL);
	else	/* damage is left as it is, for whoever can repair it */
		fuzz_check(side.fx.store->content.len == len &&
			   !memcmp(side.fx.store->content.data, file, len));
	fuzz_side_close(&side);
	free(file);
}

static void seed_image(const char *name, u8 mode, const struct memstore *store, size_t len)
{
	u8 *seed = fuzz_alloc(1 + len);

	seed[0] = mode;
	memcpy(seed + 1, store->content.data, len);
	fuzz_seed(name, seed, 1 + len);
	free(seed);
}

/* A store with objects made, changed and destroyed. */
static void seed_life(void)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	struct memstore *store = memstore_new();
	struct luna_open *open;
	struct fx_tmpl tmpl = { 0 };
	u32 session, handle;

	fuzz_side_open(side, 0, store);
	fuzz_check(!fx_ready(&side->fx, &open, &session));
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, false);
	fuzz_check(!fx_create(open, session, &tmpl, &handle));
	fx_destroy(open, session, handle);
	fuzz_check(!fx_create(open, session, &tmpl, &handle));
	fx_logout(open, session);
	fx_login(open, session, CKU_USER, "wrong pin");
	seed_image("life", STORE_FIX, store, store->content.len);
	seed_image("torn", STORE_FIX | STORE_TAIL, store, store->content.len);
	seed_image("squeezed", STORE_FIX | STORE_FULL, store, store->content.len);
	luna_release(open);
	luna_token_close(side->fx.token);
	memstore_free(store);
}

static void seeds(void)
{
	const struct memstore *image = fuzz_world.sides[FUZZ_SECONDARY].image;

	seed_image("whole", 0, image, image->content.len);
	seed_image("fixed", STORE_FIX, image, image->content.len);
	seed_image("full", STORE_FULL, image, image->content.len);
	seed_image("cut", 0, image, image->content.len - 100);
	seed_life();
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
