// SPDX-License-Identifier: MIT
/*
 * Attribute templates: a byte that chooses the command, one of mode, then the template, described
 * (fuzz_template()) or byte by byte; what is left is a second template or the wrapped key's content.
 */
#include "common.h"
#include "ec.h"
#include "key.h"
#include "vector_file.h"

enum {
	TEMPLATE_RAW = 1,	/* byte by byte */
	TEMPLATE_RSA = 2,	/* about an RSA object where that makes a difference */
	TEMPLATE_PUBLIC = 4,	/* nobody logged in */
};

static struct fuzz_side *side;
static struct fx_tmpl tmpl, second;

static void take(struct fuzz_in *in, u8 mode, struct fx_tmpl *to)
{
	const u8 *at;
	size_t len;

	if (!(mode & TEMPLATE_RAW)) {
		fuzz_template(in, to);
		return;
	}
	at = fuzz_bytes(in, min_t(size_t, fuzz_u16(in), sizeof(to->data)), &len);
	memcpy(to->data, at, len);
	to->len = len;
}

static u32 object_of(u8 mode)
{
	return mode & TEMPLATE_RSA ? fuzz_world.login_public : fuzz_world.aes;
}

static s64 object_call(u32 nr, u32 handle, struct luna_object_arg *arg)
{
	size_t len = 4096;
	u8 *out = fuzz_alloc(len);
	s64 rv;

	arg->hdr.session = side->session;
	arg->handle = handle;
	arg->template_len = tmpl.len;
	rv = fuzz_call(side->open, nr, arg, sizeof(*arg), tmpl.data, tmpl.len, out, &len);
	free(out);
	return rv;
}

static void do_create(struct fuzz_in *in, u8 mode)
{
	struct luna_object_arg arg = { 0 };

	take(in, mode, &tmpl);
	object_call(LUNA_OBJECT_CREATE, 0, &arg);
}

static void do_copy(struct fuzz_in *in, u8 mode)
{
	struct luna_object_arg arg = { 0 };

	take(in, mode, &tmpl);
	object_call(LUNA_OBJECT_COPY, object_of(mode), &arg);
}

static void do_set(struct fuzz_in *in, u8 mode)
{
	struct luna_object_arg arg = { 0 };

	take(in, mode, &tmpl);
	object_call(LUNA_ATTR_SET, object_of(mode), &arg);
}

/* The list of types and sizes that C_GetAttributeValue sends. */
static void do_get(struct fuzz_in *in, u8 mode)
{
	struct luna_object_arg arg = { 0 };
	struct luna_attr asked;

	tmpl.len = 0;
	while (in->left && tmpl.len < 1024) {
		asked.type = mode & TEMPLATE_RAW ? fuzz_u32(in) : fuzz_attribute(fuzz_u8(in));
		asked.len = fuzz_u8(in);
		asked.len = asked.len == 255 ? LUNA_OUT_QUERY : asked.len * 4;
		memcpy(tmpl.data + tmpl.len, &asked, sizeof(asked));
		tmpl.len += sizeof(asked);
	}
	object_call(LUNA_ATTR_GET, object_of(mode), &arg);
}

static void do_find(struct fuzz_in *in, u8 mode)
{
	struct luna_find arg = { .max = 8 };
	u32 handles[8];
	size_t len = sizeof(handles);

	take(in, mode, &tmpl);
	arg.hdr.session = side->session;
	arg.template_len = tmpl.len;
	fuzz_call(side->open, LUNA_FIND, &arg, sizeof(arg), tmpl.data, tmpl.len, handles, &len);
}

/* Parameter, both templates and data one behind the other. */
static s64 key_call(u32 nr, struct luna_key *arg, const void *param, const void *data)
{
	size_t len = arg->param_len + tmpl.len + second.len + arg->data_len, at = 0;
	u8 *payload = fuzz_alloc(len);
	const struct { const void *data; size_t len; } pieces[] = {
		{ param, arg->param_len }, { tmpl.data, tmpl.len }, { second.data, second.len },
		{ data, arg->data_len },
	};
	s64 rv;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pieces); at += pieces[i++].len)
		if (pieces[i].len)
			memcpy(payload + at, pieces[i].data, pieces[i].len);
	arg->hdr.session = side->session;
	arg->template_len = tmpl.len;
	arg->template2_len = second.len;
	rv = fuzz_call(side->open, nr, arg, sizeof(*arg), payload, len, NULL, NULL);
	free(payload);
	return rv;
}

static void do_generate(struct fuzz_in *in, u8 mode)
{
	struct luna_key arg = { .mechanism = CKM_AES_KEY_GEN };

	take(in, mode, &tmpl);
	if (mode & TEMPLATE_RSA) {
		arg.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		take(in, mode, &second);
	}
	key_call(mode & TEMPLATE_RSA ? LUNA_GENERATE_PAIR : LUNA_GENERATE_KEY, &arg, NULL, NULL);
}

static void do_derive(struct fuzz_in *in, u8 mode)
{
	struct luna_key arg = { .mechanism = fuzz_mechanism(fuzz_u16(in)), .key = fuzz_world.aes };
	const u8 *param;
	size_t len;

	take(in, mode, &tmpl);
	param = fuzz_bytes(in, 4096, &len);
	arg.param_len = len;
	key_call(LUNA_DERIVE, &arg, param, NULL);
}

/* The rest of the input, wrapped as its owner would: a key's bytes, or a PrivateKeyInfo. */
static void do_unwrap(struct fuzz_in *in, u8 mode)
{
	struct luna_key arg = { .mechanism = CKM_AES_CBC_PAD, .key = fuzz_world.aes, .param_len = 16 };
	static const u8 iv[16];
	u8 *cipher = fuzz_alloc(4096 + 16);
	u32 cipher_len = 4096 + 16;
	const u8 *plain;
	size_t len;

	take(in, mode, &tmpl);
	plain = fuzz_bytes(in, 4096, &len);
	if (!fx_op(side->open, side->session, LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, fuzz_world.aes, iv,
		   sizeof(iv), plain, len, NULL, 0, cipher, &cipher_len)) {
		arg.data_len = cipher_len;
		key_call(LUNA_UNWRAP, &arg, iv, cipher);
	}
	free(cipher);
}

static void (*const commands[])(struct fuzz_in *in, u8 mode) = {
	do_create, do_copy, do_set, do_get, do_find, do_generate, do_unwrap, do_derive,
};

static void one(struct fuzz_in *in)
{
	u8 command = fuzz_u8(in), mode = fuzz_u8(in);

	fuzz_world_open(false);
	side = &fuzz_world.sides[FUZZ_PRIMARY];
	tmpl.len = 0;
	second.len = 0;
	if (mode & TEMPLATE_PUBLIC)
		fx_logout(side->open, side->session);
	commands[command % ARRAY_SIZE(commands)](in, mode);
	fuzz_world_close();
}

/* ---- seeds ---- */

static u8 bytes[8192];
static u32 used;

static void put(const void *data, u32 len)
{
	memcpy(bytes + used, data, len);
	used += len;
}

static void put_template(const struct fx_tmpl *t)
{
	u16 len = t->len;

	put(&len, sizeof(len));
	put(t->data, t->len);
}

static void begin(u8 command, u8 mode)
{
	used = 0;
	put(&command, 1);
	put(&mode, 1);
}

static void aes_template(struct fx_tmpl *t)
{
	t->len = 0;
	fx_attr_ulong(t, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(t, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(t, CKA_TOKEN, true);
	fx_attr_text(t, CKA_LABEL, "seed");
	fx_attr_bool(t, CKA_ENCRYPT, true);
}

/* Templates in a template. */
static void wrap_template(struct fx_tmpl *t)
{
	static struct fx_tmpl inner;

	aes_template(t);
	inner.len = 0;
	fx_attr_bool(&inner, CKA_EXTRACTABLE, false);
	fx_attr_ulong(&inner, CKA_KEY_TYPE, CKK_AES);
	fx_attr(t, CKA_UNWRAP_TEMPLATE, inner.data, inner.len);
	fx_attr(t, CKA_WRAP_TEMPLATE, inner.data, inner.len);
}

static void seeds_objects(void)
{
	static struct fx_tmpl t;

	aes_template(&t);
	fx_attr(&t, CKA_VALUE, "sixteen letters.", 16);
	begin(0, TEMPLATE_RAW);
	put_template(&t);
	fuzz_seed("create", bytes, used);
	begin(4, TEMPLATE_RAW);
	put_template(&t);
	fuzz_seed("find", bytes, used);
	wrap_template(&t);
	begin(5, TEMPLATE_RAW);
	put_template(&t);
	fuzz_seed("generate", bytes, used);
	t.len = 0;
	fx_attr_text(&t, CKA_LABEL, "new");
	fx_attr_bool(&t, CKA_SENSITIVE, true);
	begin(1, TEMPLATE_RAW);
	put_template(&t);
	fuzz_seed("copy", bytes, used);
	bytes[0] = 2;
	fuzz_seed("set", bytes, used);
	begin(3, 0);
	put("\1\377\2\20\3\0\4\100", 8);
	fuzz_seed("get", bytes, used);
	begin(5, TEMPLATE_RSA);
	put((u8[]){ FUZZ_TEMPLATE(FUZZ_PRESET_RSA) | 1, 1, 1, 0, 3, 0 }, 6);
	fuzz_seed("pair", bytes, used);
}

/* ---- private keys, wrapped, and EC keys as attributes ---- */

static void seed_unwrap(const char *name, u32 key_type, const void *plain, u32 len)
{
	static struct fx_tmpl t;

	t.len = 0;
	fx_attr_ulong(&t, CKA_CLASS, CKO_PRIVATE_KEY);
	fx_attr_ulong(&t, CKA_KEY_TYPE, key_type);
	begin(6, TEMPLATE_RAW);
	put_template(&t);
	put(plain, len);
	fuzz_seed(name, bytes, used);
}

static void seed_unwrap_rsa(void)
{
	struct luna_rsa_made *made = vector_rsa("source");
	const u32 whole = made->bits / 8, half = whole / 2;
	static const u8 e[] = { 1, 0, 1 };
	const struct luna_der_rsa key = {
		.n = { made->n, whole }, .e = { e, sizeof(e) }, .d = { made->d, whole },
		.p = { made->p, half }, .q = { made->q, half }, .dp = { made->dp, half },
		.dq = { made->dq, half }, .qi = { made->qi, half },
	};
	static u8 der[2048];
	int len = luna_der_pkcs8_rsa(&key, der, sizeof(der));

	fuzz_check(len > 0);
	seed_unwrap("unwrap-rsa", CKK_RSA, der, len);
	kfree_sensitive(made);
}

static void seed_create_ec(const char *name, const struct luna_der_ec *key)
{
	static struct fx_tmpl t;
	struct luna_num params;

	luna_curve_params(key->curve, &params);
	t.len = 0;
	fx_attr_ulong(&t, CKA_CLASS, CKO_PRIVATE_KEY);
	fx_attr_ulong(&t, CKA_KEY_TYPE, luna_curve_key_type(key->curve));
	fx_attr(&t, CKA_EC_PARAMS, params.data, params.len);
	fx_attr(&t, CKA_VALUE, key->value.data, key->value.len);
	fx_attr(&t, CKA_EC_POINT, key->point.data, key->point.len);
	begin(0, TEMPLATE_RAW);
	put_template(&t);
	fuzz_seed(name, bytes, used);
}

/* With a point and without, which is left to the reader to find */
static void seeds_curve(enum luna_curve curve)
{
	u8 value[LUNA_EC_MAX], point[1 + 2 * LUNA_EC_MAX], der[512];
	struct luna_der_ec key = {
		.curve = curve,
		.value = { value, luna_curve_bytes(curve) },
		.point = { point, luna_curve_point_len(curve) },
	};
	char name[32];
	int len;

	fuzz_check(!fuzz_crypto()->ec_generate(curve, point, value));
	scnprintf(name, sizeof(name), "create-curve-%u", curve);
	seed_create_ec(name, &key);
	len = luna_der_pkcs8_ec(&key, der, sizeof(der));
	fuzz_check(len > 0);
	scnprintf(name, sizeof(name), "unwrap-curve-%u", curve);
	seed_unwrap(name, luna_curve_key_type(curve), der, len);
	key.point.len = 0;
	len = luna_der_pkcs8_ec(&key, der, sizeof(der));
	fuzz_check(len > 0);
	scnprintf(name, sizeof(name), "unwrap-value-%u", curve);
	seed_unwrap(name, luna_curve_key_type(curve), der, len);
}

static void seeds(void)
{
	static struct fx_tmpl t;
	u32 curve;

	seeds_objects();
	aes_template(&t);
	begin(6, TEMPLATE_RAW);
	put_template(&t);
	put("a key of 16 byte", 16);
	fuzz_seed("unwrap", bytes, used);
	seed_unwrap("unwrap-private", CKK_RSA, "\x30\x82\x01\x00\x02\x01\x00\x30\x0d\x06\x09", 11);
	seed_unwrap_rsa();
	for (curve = 0; curve < LUNA_CURVES; curve++)
		seeds_curve(curve);
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
