// SPDX-License-Identifier: MIT
/*
 * Images that should not be: nothing short, altered or long is let in, nor what a hostile maker
 * could put into an image of a domain and PINs of its own; the token that was there stays.
 */
#include "image_bench.h"
#include "log.h"
#include "object.h"

#define UNCHANGED	0xffffffffu	/* no attribute's type */

/* ---- damage ---- */

static void test_truncated(void **state)
{
	struct image_pair p;
	u64 damaged;
	s64 ret;

	image_pair_make(&p, image_target_make);
	for (u32 len = p.image.len; len--;) {
		struct image part = { test_malloc(len ? len : 1), len };

		memcpy(part.data, p.image.data, len);
		ret = image_send(p.target.open, &part);
		assert_int_equal(ret, CKR_OK);
		ret = image_restore_sent(p.target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN,
					 &damaged);
		if (ret != CKR_DATA_INVALID || damaged > len)
			fail_msg("%u of %u bytes: %#llx, damaged at %llu", len, p.image.len,
				 (unsigned long long)ret, (unsigned long long)damaged);
		test_free(part.data);
	}
	image_expect_untouched(&p.target);
	image_pair_end(&p);
}

static void test_flipped(void **state)
{
	struct image_pair p;
	s64 ret;
	u32 i;

	image_pair_make(&p, image_target_make);
	for (i = 0; i < p.image.len; i++) {
		p.image.data[i] ^= 1 << i % 8;
		ret = image_restore(p.target.open, &p.image, "");
		p.image.data[i] ^= 1 << i % 8;
		if (ret != CKR_DATA_INVALID && ret != CKR_SIM_VERSION_UNSUPPORTED)
			fail_msg("byte %u: %#llx", i, (unsigned long long)ret);
	}
	image_expect_untouched(&p.target);
	image_pair_end(&p);
}

/* What a header says that has a good CRC, so that nothing else gives it away. */
static void test_header(void **state)
{
	struct image_pair p;
	u8 *grown;

	image_pair_make(&p, image_target_make);
	grown = test_malloc(p.image.len + 1);
	memcpy(grown, p.image.data, p.image.len);
	grown[p.image.len] = 0;
	test_free(p.image.data);
	p.image.data = grown;
	p.image.len++;
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_DATA_INVALID);
	put_unaligned_le64(p.image.len, grown + 16);
	put_unaligned_le32(luna_crc32(grown, LUNA_IMAGE_HEAD - 4), grown + LUNA_IMAGE_HEAD - 4);
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_UNWRAPPING_ERROR);
	p.image.len--;
	grown[8] = LUNA_IMAGE_VERSION + 1;
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_SIM_VERSION_UNSUPPORTED);
	image_expect_untouched(&p.target);
	image_pair_end(&p);
}

/* ---- what a hostile maker could put into it ---- */

static void state_change(struct image_side *side, void (*change)(struct luna_state *state))
{
	change(side->fx.token->state);
	assert_int_equal(luna_state_save(side->fx.token), CKR_OK);
}

static void ask_for_hours(struct luna_state *state)
{
	state->roles[LUNA_ROLE_CO].iterations = U32_MAX;
}

static void exceed_capability(struct luna_state *state)
{
	state->policies[20] = 200;
}

static void say_uninitialised(struct luna_state *state)
{
	state->initialised = false;
}

static void change_serial(struct luna_state *state)
{
	state->serial[0] ^= 1;
}

static void drop_certificate(struct luna_state *state)
{
	state->twc_len = 0;
}

static void drop_secrets(struct luna_state *state)
{
	state->secrets_len = 0;
}

static void ask_for_none(struct luna_state *state)
{
	state->mofn.generated = true;
	state->mofn.m = 0;
}

/* An object with these attributes in the store of the token, sealed or not. */
static void plant(struct image_side *side, u32 handle, bool sealed, const struct fx_tmpl *tmpl)
{
	struct luna_token *token = side->fx.token;
	struct luna_log_object obj = { .handle = handle, .private = sealed };
	u8 *data = test_malloc(tmpl->len + LUNA_SEAL_OVERHEAD), *plain = test_malloc(tmpl->len);

	memcpy(plain, tmpl->data, tmpl->len);
	obj.len = tmpl->len;
	memcpy(data, plain, tmpl->len);
	if (sealed) {
		obj.len += LUNA_SEAL_OVERHEAD;
		assert_int_equal(luna_seal(token, token->seal_key, LUNA_SEAL_OBJECT, handle, plain,
					   tmpl->len, data), 0);
	}
	obj.data = data;
	assert_int_equal(luna_log_put(token, &obj, 1), 0);
	test_free(data);
	test_free(plain);
}

/* The attributes of the side's key, which make an object when nothing is changed. */
static void key_attrs(struct image_side *side, struct fx_tmpl *tmpl)
{
	struct luna_token *token = side->fx.token;
	struct luna_object *obj = luna_table_find(&token->objects.table, side->key);
	struct luna_attrs *attrs = luna_object_attrs(token, obj);

	assert_false(IS_ERR(attrs));
	assert_true(attrs->len <= sizeof(tmpl->data));
	memcpy(tmpl->data, attrs->data, attrs->len);
	tmpl->len = attrs->len;
	luna_attrs_put(attrs);
}

static u8 *attr_of(struct fx_tmpl *tmpl, u32 type)
{
	struct luna_attr attr;
	u32 at;

	for (at = 0; at < tmpl->len; at += sizeof(attr) + round_up(attr.len, 8U)) {
		memcpy(&attr, tmpl->data + at, sizeof(attr));
		if (attr.type == type)
			return tmpl->data + at;
	}
	fail_msg("no attribute %#x", type);
	return NULL;
}

/*
 * A copy of the side's key.
 * @sealed: as an object of its kind is
 * @type: of the attribute that is changed, or UNCHANGED
 * @len: length that it claims to have; 0: as it is
 * @value: its first byte
 * @torn: bytes that are missing at its end
 */
struct planted {
	u32 handle;
	bool sealed;
	u32 type, len;
	u8 value;
	u32 torn;
};

static const struct planted good = { 500, true, UNCHANGED, 0, 0, 0 };
static const struct planted hostile_objects[] = {
	{ 500, false, UNCHANGED, 0, 0, 0 },
	{ 500, true, CKA_SIGN, 0, 7, 0 },
	{ 500, true, CKA_VALUE, 31, 1, 0 },
	{ 500, true, CKA_CLASS, 0, 77, 0 },
	{ 500, true, CKA_TOKEN, 0, 0, 0 },
	{ 500, true, CKA_PRIVATE, 0, 0, 0 },
	{ 0x7fffffff, true, UNCHANGED, 0, 0, 0 },
	{ 500, true, UNCHANGED, 0, 0, 8 },
};

static void plant_key(struct image_side *side, const struct planted *p)
{
	struct fx_tmpl tmpl;
	u8 *attr;

	key_attrs(side, &tmpl);
	if (p->type != UNCHANGED) {
		attr = attr_of(&tmpl, p->type);
		if (p->len)
			memcpy(attr + 4, &p->len, sizeof(p->len));
		attr[8] = p->value;
	}
	tmpl.len -= p->torn;
	plant(side, p->handle, p->sealed, &tmpl);
}

static void test_hostile(void **state)
{
	static void (*const states[])(struct luna_state *state) = {
		ask_for_hours, exceed_capability, say_uninitialised, change_serial,
		drop_certificate, drop_secrets, ask_for_none,
	};
	struct image_side source, target;
	struct image image;
	u32 i;
	s64 ret;

	image_target_make(&target, OTHER_SLOT);
	for (i = 0; i < ARRAY_SIZE(states) + ARRAY_SIZE(hostile_objects); i++) {
		image_source_make(&source, 0);
		if (i < ARRAY_SIZE(states))
			state_change(&source, states[i]);
		else
			plant_key(&source, &hostile_objects[i - ARRAY_SIZE(states)]);
		image = image_of(&source);
		ret = image_restore(target.open, &image, "");
		if (ret != CKR_DATA_INVALID)
			fail_msg("hostile image %u: %#llx", i, (unsigned long long)ret);
		image_expect_untouched(&target);
		test_free(image.data);
		image_side_end(&source);
	}
	/* It is not the planting that makes them refused. */
	image_source_make(&source, 0);
	plant_key(&source, &good);
	image = image_of(&source);
	assert_int_equal(image_restore(target.open, &image, ""), CKR_OK);
	test_free(image.data);
	image_side_end(&source);
	image_side_end(&target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
