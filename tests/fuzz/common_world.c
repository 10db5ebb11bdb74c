// SPDX-License-Identifier: MIT
/* The tokens of the fuzz targets: prepared once, opened for every input, and looked over. */
#include <stdio.h>

#include "common_parts.h"

enum { FUZZ_NOW = 1767225600 };

struct fuzz_world fuzz_world;

/* ---- tokens ---- */

static u64 fixed_now(void)
{
	return FUZZ_NOW;
}

void fuzz_side_open(struct fuzz_side *side, u32 slot, struct memstore *store)
{
	side->open = NULL;
	side->session = 0;
	side->fx = (struct fx){
		.config = { .slot = slot, .host = "fuzz", .pin_iterations = 1, .now = fixed_now },
		.crypto = fuzz_crypto(),
		.store = store,
	};
	side->fx.token = luna_token_open(&side->fx.config, fuzz_crypto(), &memstore_ops, store);
	fuzz_check(!IS_ERR_OR_NULL(side->fx.token));
}

void fuzz_side_close(struct fuzz_side *side)
{
	if (side->open)
		luna_release(side->open);
	luna_token_close(side->fx.token);
	memstore_free(side->fx.store);
	side->open = NULL;
	side->fx.token = NULL;
	side->fx.store = NULL;
}

void fuzz_side_login(struct fuzz_side *side)
{
	side->open = luna_open(side->fx.token);
	fuzz_check(!IS_ERR(side->open));
	if (!fx_session(side->open, true, &side->session))
		fx_login(side->open, side->session, CKU_USER, FX_CO_PIN);
}

void fuzz_world_open(bool mofn_required)
{
	struct fuzz_side *side;
	u32 i;

	for (i = 0; i < FUZZ_SIDES; i++) {
		side = &fuzz_world.sides[i];
		fuzz_side_open(side, i, memstore_image(side->image, side->image->content.len));
		fuzz_side_login(side);
	}
	/* As if C_InitToken had been told so; preparing the token that way would take vectors. */
	fuzz_world.sides[FUZZ_SECONDARY].fx.token->state->mofn.required = mofn_required;
}

void fuzz_world_close(void)
{
	u32 i;

	for (i = 0; i < FUZZ_SIDES; i++)
		fuzz_side_close(&fuzz_world.sides[i]);
}

/* ---- preparing the tokens ---- */

void fuzz_must(s64 rv)
{
	if (rv)
		fprintf(stderr, "preparing the tokens: %#llx\n", (unsigned long long)rv);
	fuzz_check(!rv);
}

static void make_login_pair(struct fuzz_side *side)
{
	static const u32 pub_off[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP,
				       CKA_DERIVE };
	static const u32 priv_off[] = { CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_DECRYPT, CKA_SIGN,
					CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE };
	static const u32 priv_on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE };
	struct fx_tmpl pub = { 0 }, priv = { 0 };

	fx_attr_bool(&pub, CKA_TOKEN, true);
	fx_attr_ulong(&pub, CKA_MODULUS_BITS, 2048);
	fx_attr(&pub, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	fuzz_attrs_bool(&pub, false, pub_off, ARRAY_SIZE(pub_off));
	fuzz_attrs_bool(&priv, false, priv_off, ARRAY_SIZE(priv_off));
	fuzz_attrs_bool(&priv, true, priv_on, ARRAY_SIZE(priv_on));
	fuzz_must(fx_generate_pair(side->open, side->session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv,
				   &fuzz_world.login_public, &fuzz_world.login));
}

static void make_objects(struct fuzz_side *side)
{
	static const u32 on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_EXTRACTABLE, CKA_MODIFIABLE,
				  CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP,
				  CKA_UNWRAP, CKA_DERIVE };
	struct fx_tmpl aes = { 0 }, data = { 0 };

	fx_attr_ulong(&aes, CKA_VALUE_LEN, 32);
	fx_attr_text(&aes, CKA_LABEL, "aes");
	fuzz_attrs_bool(&aes, true, on, ARRAY_SIZE(on));
	fuzz_must(fx_generate_key(side->open, side->session, CKM_AES_KEY_GEN, &aes, &fuzz_world.aes));
	fx_attr_ulong(&data, CKA_CLASS, CKO_DATA);
	fuzz_attrs_bool(&data, true, on, 2);
	fx_attr_text(&data, CKA_LABEL, "data");
	fx_attr_text(&data, CKA_VALUE, "some bytes");
	fuzz_must(fx_create(side->open, side->session, &data, &fuzz_world.data));
}

static void make_vectors(struct fuzz_side *side)
{
	struct luna_mofn arg = { .hdr.session = side->session, .m = 2, .n = FUZZ_VECTORS,
				 .flags = LUNA_MOFN_CLONEABLE };
	u32 pairs[2 * FUZZ_VECTORS], i;
	size_t len = sizeof(fuzz_world.vectors);

	for (i = 0; i < FUZZ_VECTORS; i++) {
		pairs[2 * i] = 1;
		pairs[2 * i + 1] = FUZZ_VECTOR;
	}
	fuzz_must(fx_call(side->open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, sizeof(pairs),
			  fuzz_world.vectors, &len));
}

static void clone_vectors(struct fuzz_side *from, struct fuzz_side *to)
{
	struct luna_blob source = { 0 }, target = { 0 };
	static struct fuzz_message twc, part1, part2;

	source.type = CK_MOFN_ACTIVATION_ELEMENT;
	target.type = CK_MOFN_ACTIVATION_ELEMENT;
	fuzz_must(fuzz_step(from, LUNA_CLONE_SOURCE_INIT, &source, NULL, 0, &twc));
	fuzz_must(fuzz_step(to, LUNA_CLONE_TARGET_INIT, &target, twc.data, twc.len, &part1));
	fuzz_must(fuzz_step(from, LUNA_CLONE_SOURCE, &source, part1.data, part1.len, &part2));
	fuzz_must(fuzz_step(to, LUNA_CLONE_TARGET, &target, part2.data, part2.len, NULL));
}

static void side_prepare(struct fuzz_side *side, u32 slot)
{
	fuzz_side_open(side, slot, memstore_new());
	fuzz_must(fx_ready(&side->fx, &side->open, &side->session));
}

void fuzz_world_prepare(void)
{
	struct fuzz_side *a = &fuzz_world.sides[FUZZ_PRIMARY];
	struct fuzz_side *b = &fuzz_world.sides[FUZZ_SECONDARY];
	struct memstore *store;
	u32 i;

	side_prepare(a, FUZZ_PRIMARY);
	side_prepare(b, FUZZ_SECONDARY);
	make_login_pair(a);
	make_objects(a);
	make_vectors(a);
	clone_vectors(a, b);
	fuzz_must(fx_clone(a->open, a->session, b->open, b->session, fuzz_world.login,
			   &fuzz_world.login_clone));
	fuzz_must(fuzz_step(b, LUNA_HA_INIT, &(struct luna_blob){ .handle = fuzz_world.login_clone },
			    NULL, 0, NULL));
	for (i = 0; i < FUZZ_SIDES; i++) {
		store = fuzz_world.sides[i].fx.store;
		luna_release(fuzz_world.sides[i].open);
		fuzz_world.sides[i].open = NULL;
		luna_token_close(fuzz_world.sides[i].fx.token);
		fuzz_world.sides[i].image = store;
	}
}

/* ---- looking a token over ---- */

static void use_objects(struct fuzz_side *side)
{
	static const u32 types[] = { CKA_CLASS, CKA_LABEL, CKA_VALUE, CKA_MODULUS };
	struct fx_tmpl all = { 0 };
	u32 handles[64], count = 0, i, k;

	if (fx_find(side->open, side->session, &all, handles, ARRAY_SIZE(handles), &count))
		return;
	for (i = 0; i < count; i++) {
		struct luna_object_arg arg = { .hdr.session = side->session, .handle = handles[i] };

		fuzz_call(side->open, LUNA_OBJECT_SIZE, &arg, sizeof(arg), NULL, 0, NULL, NULL);
		for (k = 0; k < ARRAY_SIZE(types); k++) {
			struct luna_attr asked = { types[k], 64 };
			u8 out[128];
			size_t len = sizeof(out);

			arg.handle = handles[i];
			arg.template_len = sizeof(asked);
			fuzz_call(side->open, LUNA_ATTR_GET, &arg, sizeof(arg), &asked, sizeof(asked),
				  out, &len);
		}
	}
	if (count)
		fx_destroy(side->open, side->session, handles[0]);
}

void fuzz_use(struct fuzz_side *side)
{
	struct luna_slot_info info = { 0 };
	struct fx_tmpl tmpl = { 0 };
	u32 handle;

	if (!side->open)
		fuzz_side_login(side);
	fuzz_call(side->open, LUNA_SLOT_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
	use_objects(side);
	fuzz_template_preset(FUZZ_PRESET_LENGTH, true, &tmpl);
	fx_create(side->open, side->session, &tmpl, &handle);
}
