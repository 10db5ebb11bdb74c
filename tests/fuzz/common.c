// SPDX-License-Identifier: MIT
/*
 * What the fuzz targets share; see common.h.
 *
 *	LUNA_FUZZ_SEEDS	write the target's seeds into this directory and end
 *	LUNA_FUZZ_LOG	let the engine's messages through, and tell what each command returned
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common.h"
#include "vector_file.h"

enum { FUZZ_NOW = 1767225600, FUZZ_SEED = 20261121 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);

struct fuzz_world fuzz_world;
static struct luna_crypto_ops crypto;
static u32 keys_used;
static bool telling;

void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

void *fuzz_alloc(size_t len)
{
	void *p = malloc(len ?: 1);

	fuzz_check(p);
	return p;
}

/* ---- the input ---- */

const u8 *fuzz_bytes(struct fuzz_in *in, size_t want, size_t *len)
{
	const u8 *at = in->at;

	*len = min(want, in->left);
	in->at += *len;
	in->left -= *len;
	return at;
}

static u32 number(struct fuzz_in *in, size_t bytes)
{
	const u8 *at;
	size_t len;
	u32 v = 0;

	at = fuzz_bytes(in, bytes, &len);
	while (len--)
		v = v << 8 | at[len];
	return v;
}

u8 fuzz_u8(struct fuzz_in *in)
{
	return number(in, 1);
}

u16 fuzz_u16(struct fuzz_in *in)
{
	return number(in, 2);
}

u32 fuzz_u32(struct fuzz_in *in)
{
	return number(in, 4);
}

/* ---- the provider ---- */

static struct luna_rsa_made *fixed_rsa(u32 bits, const u8 *e, size_t e_len)
{
	static const char *const names[] = { "source", "target", "login" };
	static struct luna_rsa_made *keys[ARRAY_SIZE(names)];
	struct luna_rsa_made **key = &keys[keys_used++ % ARRAY_SIZE(names)], *made;

	if (bits != 2048 || e_len != 3 || memcmp(e, "\1\0\1", 3))
		return ERR_PTR(-EOPNOTSUPP);
	if (!*key) {
		made = vector_rsa(names[key - keys]);
		*key = fuzz_alloc(sizeof(*made));
		**key = *made;
		return made;
	}
	return kmemdup(*key, sizeof(**key), GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
}

/* Values that count up, so that they are the same in every run; OpenSSL would draw its own. */
static int fixed_ec(enum luna_curve curve, u8 *point, u8 *value)
{
	u32 len = luna_curve_bytes(curve);
	struct luna_num num = { value, len };

	memset(value, 0x11, len);
	if (curve == LUNA_P521)
		value[0] = 1;	/* of which this byte has one bit */
	value[len - 1] += keys_used++;
	return luna_openssl_ops.ec_public(curve, &num, point);
}

static u64 fixed_now(void)
{
	return FUZZ_NOW;
}

/* From here on, chance begins anew. */
static void chance_reset(void)
{
	crypto = *fakerng_quick_ops(&luna_openssl_ops, FUZZ_SEED);
	crypto.rsa_generate = fixed_rsa;
	crypto.ec_generate = fixed_ec;
	keys_used = 0;
}

const struct luna_crypto_ops *fuzz_crypto(void)
{
	return &crypto;
}

void fuzz_crypto_plain(void)
{
	crypto.modes &= ~BIT(LUNA_GCM);
	crypto.features &= ~(LUNA_CRYPTO_GCM_ANY_IV | LUNA_CRYPTO_RSA_CHECKED);
}

/* The provider keeps finished digests for reuse, which would count as leaks; unfinished ones it frees. */
static void pools_empty(void)
{
	enum { POOLED = 8 };
	struct luna_hash_stream *streams[POOLED];
	u32 hash, i;

	for (hash = 0; hash < LUNA_HASHES; hash++) {
		for (i = 0; i < POOLED; i++)
			streams[i] = crypto.hash_begin(hash);
		for (i = 0; i < POOLED; i++)
			crypto.hash_end(streams[i]);
	}
}

/* ---- commands ---- */

static const u16 sizes[LUNA_COMMANDS] = {
	[LUNA_GET_INFO] = sizeof(struct luna_info),
	[LUNA_RESET] = sizeof(struct luna_hdr),
	[LUNA_SLOT_INFO] = sizeof(struct luna_slot_info),
	[LUNA_MECH_LIST] = sizeof(struct luna_mech_list),
	[LUNA_DATA_PUT] = sizeof(struct luna_data),
	[LUNA_DATA_GET] = sizeof(struct luna_data),
	[LUNA_RANDOM] = sizeof(struct luna_random),
	[LUNA_SEED] = sizeof(struct luna_hdr),
	[LUNA_SESSION_OPEN] = sizeof(struct luna_session_info),
	[LUNA_SESSION_CLOSE] = sizeof(struct luna_hdr),
	[LUNA_SESSION_CLOSE_ALL] = sizeof(struct luna_hdr),
	[LUNA_SESSION_INFO] = sizeof(struct luna_session_info),
	[LUNA_APP_ID] = sizeof(struct luna_app_id),
	[LUNA_INIT_TOKEN] = sizeof(struct luna_init_token),
	[LUNA_INIT_PIN] = sizeof(struct luna_pin),
	[LUNA_SET_PIN] = sizeof(struct luna_pin),
	[LUNA_LOGIN] = sizeof(struct luna_pin),
	[LUNA_LOGOUT] = sizeof(struct luna_hdr),
	[LUNA_ROLE_STATE] = sizeof(struct luna_role_state),
	[LUNA_POLICY_LIST] = sizeof(struct luna_policy_list),
	[LUNA_POLICY_SET] = sizeof(struct luna_policy_set),
	[LUNA_SET_DOMAIN] = sizeof(struct luna_hdr),
	[LUNA_OBJECT_CREATE ... LUNA_ATTR_SET] = sizeof(struct luna_object_arg),
	[LUNA_FIND] = sizeof(struct luna_find),
	[LUNA_OP] = sizeof(struct luna_op),
	[LUNA_MESSAGE] = sizeof(struct luna_message),
	[LUNA_GENERATE_KEY ... LUNA_DERIVE] = sizeof(struct luna_key),
	[LUNA_CLONE_SOURCE_INIT ... LUNA_CLONE_TARGET] = sizeof(struct luna_blob),
	[LUNA_HA_INIT ... LUNA_HA_MOFN_ACTIVATE] = sizeof(struct luna_blob),
	[LUNA_MOFN_GENERATE ... LUNA_MOFN_ACTIVATE] = sizeof(struct luna_mofn),
	[LUNA_MOFN_DEACTIVATE] = sizeof(struct luna_hdr),
	[LUNA_MOFN_STATUS] = sizeof(struct luna_mofn_status),
	[LUNA_PROVIDER_LIST] = sizeof(struct luna_provider_list),
	[LUNA_IMAGE_EXPORT] = sizeof(struct luna_image_arg),
	[LUNA_IMAGE_GET ... LUNA_IMAGE_PUT] = sizeof(struct luna_data),
	[LUNA_IMAGE_RESTORE] = sizeof(struct luna_image_arg),
};

u32 fuzz_size(u32 nr)
{
	return nr < LUNA_COMMANDS ? sizes[nr] : 0;
}

static bool rv_known(u32 rv)
{
	static const u32 known[] = {
#define NAME(rv) rv
#include "rv_names.h"
#undef NAME
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == rv)
			return true;
	return false;
}

static bool errno_known(int err)
{
	return !err || err == -ENOTTY || err == -EINVAL || err == -E2BIG || err == -ENOMEM;
}

/* What the host's reply buffer held before: different at every place and at every call. */
static u8 stale(u32 call, size_t at)
{
	u32 v = (call + at) * 2654435761u;

	return (v >> 24) | 1;
}

/* How many bytes of the host's were handed out in one piece. */
static size_t stale_run(const u8 *reply, size_t len, u32 call)
{
	size_t i, run = 0, most = 0;

	for (i = 0; i < len; i++) {
		run = reply[i] == stale(call, i) ? run + 1 : 0;
		most = max(most, run);
	}
	return most;
}

static void look_at(const u8 *reply, size_t len, size_t out_len, u32 call)
{
	struct luna_hdr hdr;
	size_t i;

	fuzz_check(out_len <= len);
	/* Six bytes in a row are no chance: 2^-42. */
	fuzz_check(stale_run(reply, out_len, call) < 6);
	for (i = out_len; i < len; i++)
		fuzz_check(!reply[i] || reply[i] == stale(call, i));
	if (!out_len)
		return;
	memcpy(&hdr, reply, sizeof(hdr));
	fuzz_check(out_len == (size_t)hdr.size + hdr.out_len);
	fuzz_check(rv_known(hdr.rv));
}

int fuzz_ioctl(struct luna_open *open, u32 nr, const void *request, size_t len, void *reply,
	       size_t *out_len)
{
	static u32 calls;
	u32 call = ++calls * 8191;
	u8 *in = fuzz_alloc(len), *out = fuzz_alloc(len);
	size_t i;
	int err;

	memcpy(in, request, len);
	for (i = 0; i < len; i++)
		out[i] = stale(call, i);
	err = luna_cmd(open, nr, in, len, out, out_len);
	fuzz_check(!memcmp(in, request, len));
	fuzz_check(errno_known(err));
	fuzz_check(err ? !*out_len : *out_len >= sizeof(struct luna_hdr));
	look_at(out, len, *out_len, call);
	memcpy(reply, out, *out_len);
	if (telling)
		fprintf(stderr, "command %u: %d, %#x\n", nr, err,
			err ? 0 : ((struct luna_hdr *)out)->rv);
	free(in);
	free(out);
	return err;
}

s64 fuzz_call(struct luna_open *open, u32 nr, void *arg, size_t size, const void *in, size_t in_len,
	      void *out, size_t *out_len)
{
	size_t room = out_len ? *out_len : 0;
	size_t len = min_t(size_t, size + max(in_len, room), LUNA_IOC_MAX), got = 0;
	struct luna_hdr *hdr = arg;
	u8 *request, *reply;
	s64 ret;

	if (out_len)
		*out_len = 0;
	if (in_len > len - size)
		return -E2BIG;
	request = fuzz_alloc(len);
	reply = fuzz_alloc(len);
	hdr->size = size;
	hdr->in_len = in_len;
	memset(request, 0, len);
	memcpy(request, arg, size);
	if (in_len)
		memcpy(request + size, in, in_len);
	ret = fuzz_ioctl(open, nr, request, len, reply, &got);
	if (!ret) {
		memcpy(arg, reply, size);
		ret = hdr->rv;
		if (out_len)
			*out_len = min_t(size_t, hdr->out_len, room);
		if (out && hdr->out_len)
			memcpy(out, reply + size, min_t(size_t, hdr->out_len, room));
	}
	free(request);
	free(reply);
	return ret;
}

s64 fuzz_step(struct fuzz_side *side, u32 nr, struct luna_blob *arg, const void *in, size_t in_len,
	      struct fuzz_message *out)
{
	size_t len = out ? 4096 : 0;
	s64 ret;

	arg->hdr.session = side->session;
	arg->blob_len = in_len;
	arg->out_max = out ? len : LUNA_OUT_QUERY;
	ret = fuzz_call(side->open, nr, arg, sizeof(*arg), in, in_len, out ? out->data : NULL, &len);
	if (out)
		out->len = len;
	return ret;
}

/* ---- tokens ---- */

void fuzz_side_open(struct fuzz_side *side, u32 slot, struct memstore *store)
{
	side->open = NULL;
	side->session = 0;
	side->fx = (struct fx){
		.config = { .slot = slot, .host = "fuzz", .pin_iterations = 1, .now = fixed_now },
		.crypto = &crypto,
		.store = store,
	};
	side->fx.token = luna_token_open(&side->fx.config, &crypto, &memstore_ops, store);
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

static void must(s64 rv)
{
	if (rv)
		fprintf(stderr, "preparing the tokens: %#llx\n", (unsigned long long)rv);
	fuzz_check(!rv);
}

static void attrs_bool(struct fx_tmpl *tmpl, bool value, const u32 *types, size_t count)
{
	while (count--)
		fx_attr_bool(tmpl, *types++, value);
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
	attrs_bool(&pub, false, pub_off, ARRAY_SIZE(pub_off));
	attrs_bool(&priv, false, priv_off, ARRAY_SIZE(priv_off));
	attrs_bool(&priv, true, priv_on, ARRAY_SIZE(priv_on));
	must(fx_generate_pair(side->open, side->session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv,
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
	attrs_bool(&aes, true, on, ARRAY_SIZE(on));
	must(fx_generate_key(side->open, side->session, CKM_AES_KEY_GEN, &aes, &fuzz_world.aes));
	fx_attr_ulong(&data, CKA_CLASS, CKO_DATA);
	attrs_bool(&data, true, on, 2);
	fx_attr_text(&data, CKA_LABEL, "data");
	fx_attr_text(&data, CKA_VALUE, "some bytes");
	must(fx_create(side->open, side->session, &data, &fuzz_world.data));
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
	must(fx_call(side->open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, sizeof(pairs),
		     fuzz_world.vectors, &len));
}

static void clone_vectors(struct fuzz_side *from, struct fuzz_side *to)
{
	struct luna_blob source = { 0 }, target = { 0 };
	static struct fuzz_message twc, part1, part2;

	source.type = CK_MOFN_ACTIVATION_ELEMENT;
	target.type = CK_MOFN_ACTIVATION_ELEMENT;
	must(fuzz_step(from, LUNA_CLONE_SOURCE_INIT, &source, NULL, 0, &twc));
	must(fuzz_step(to, LUNA_CLONE_TARGET_INIT, &target, twc.data, twc.len, &part1));
	must(fuzz_step(from, LUNA_CLONE_SOURCE, &source, part1.data, part1.len, &part2));
	must(fuzz_step(to, LUNA_CLONE_TARGET, &target, part2.data, part2.len, NULL));
}

static void side_prepare(struct fuzz_side *side, u32 slot)
{
	fuzz_side_open(side, slot, memstore_new());
	must(fx_ready(&side->fx, &side->open, &side->session));
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
	must(fx_clone(a->open, a->session, b->open, b->session, fuzz_world.login,
		      &fuzz_world.login_clone));
	must(fuzz_step(b, LUNA_HA_INIT, &(struct luna_blob){ .handle = fuzz_world.login_clone },
		       NULL, 0, NULL));
	for (i = 0; i < FUZZ_SIDES; i++) {
		store = fuzz_world.sides[i].fx.store;
		luna_release(fuzz_world.sides[i].open);
		fuzz_world.sides[i].open = NULL;
		luna_token_close(fuzz_world.sides[i].fx.token);
		fuzz_world.sides[i].image = store;
	}
}

/* ---- vocabulary ---- */

enum { TYPES_MAX = 512 };

static u32 mechanisms[TYPES_MAX], mechanism_count;
static u32 attributes[TYPES_MAX], attribute_count;

/*
 * Mechanisms lie on a ring of 65536 places, and a number means the next one from there on: every number
 * means one, and inputs mean the same when the token learns another.
 */
u16 fuzz_mechanism_number(u32 type)
{
	return type * 2654435761u >> 16;
}

static int by_place(const void *a, const void *b)
{
	return fuzz_mechanism_number(*(const u32 *)a) - fuzz_mechanism_number(*(const u32 *)b);
}

/* What this token says it can do. */
static void learn_mechanisms(void)
{
	static struct luna_mech_info rows[TYPES_MAX];
	struct luna_mech_list arg = { 0 };
	struct fuzz_side side;
	size_t len = sizeof(rows);
	u32 i;

	fuzz_side_open(&side, 0, memstore_new());
	side.open = luna_open(side.fx.token);
	must(fx_init_token(side.open, LUNA_TOKEN_PPSO, FX_SO_PIN, ""));
	must(fx_call(side.open, LUNA_MECH_LIST, &arg, sizeof(arg), NULL, 0, rows, &len));
	for (i = 0; i < arg.count; i++)
		mechanisms[mechanism_count++] = rows[i].type;
	qsort(mechanisms, mechanism_count, sizeof(*mechanisms), by_place);
	for (i = 1; i < mechanism_count; i++)
		fuzz_check(by_place(&mechanisms[i - 1], &mechanisms[i]));
	fuzz_side_close(&side);
}

static void learn_attributes(void)
{
	static const struct { u32 class, type; } kinds[] = {
		{ CKO_DATA, 0 }, { CKO_CERTIFICATE, 0 }, { CKO_PUBLIC_KEY, CKK_RSA },
		{ CKO_PRIVATE_KEY, CKK_RSA }, { CKO_SECRET_KEY, CKK_AES },
		{ CKO_SECRET_KEY, CKK_GENERIC_SECRET }, { CKO_PUBLIC_KEY, CKK_EC },
		{ CKO_PRIVATE_KEY, CKK_EC },
	};
	const struct luna_attr_row *row;
	struct luna_kind kind;
	u32 i, k, at;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		must(luna_kind_find(&kind, kinds[i].class, kinds[i].type));
		for (at = 0; (row = luna_attr_next(&kind, &at)); ) {
			for (k = 0; k < attribute_count && attributes[k] != row->type; k++)
				;
			if (k == attribute_count && k < TYPES_MAX)
				attributes[attribute_count++] = row->type;
		}
	}
}

u32 fuzz_mechanism(u16 n)
{
	u32 low = 0, high = mechanism_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (fuzz_mechanism_number(mechanisms[middle]) < n)
			low = middle + 1;
		else
			high = middle;
	}
	return mechanisms[low % mechanism_count];
}

u32 fuzz_mechanism_count(void)
{
	return mechanism_count;
}

u32 fuzz_mechanism_at(u32 index)
{
	return mechanisms[index];
}

u32 fuzz_attribute(u32 n)
{
	return attributes[n % attribute_count];
}

static const u32 all_use[] = { CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP,
				CKA_DERIVE };

static void preset_rsa(struct fx_tmpl *tmpl)
{
	fx_attr_ulong(tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr(tmpl, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
}

/* A key of @type; all bytes have odd parity, as those of DES keys must. */
static void preset_secret(struct fx_tmpl *tmpl, u32 type, u32 len)
{
	static const u8 value[32] = {
		0x01, 0x02, 0x04, 0x07, 0x08, 0x0b, 0x0d, 0x0e, 0x10, 0x13, 0x15, 0x16, 0x19, 0x1a,
		0x1c, 0x1f, 0x20, 0x23, 0x25, 0x26, 0x29, 0x2a, 0x2c, 0x2f, 0x31, 0x32, 0x34, 0x37,
		0x38, 0x3b, 0x3d, 0x3e,
	};

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(tmpl, CKA_KEY_TYPE, type);
	fx_attr(tmpl, CKA_VALUE, value, len);
	attrs_bool(tmpl, true, all_use, ARRAY_SIZE(all_use));
}

static void template_preset(enum fuzz_preset preset, bool on_token, struct fx_tmpl *tmpl)
{
	static const u8 p256[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };

	fx_attr_bool(tmpl, CKA_TOKEN, on_token);
	switch (preset) {
	case FUZZ_PRESET_AES: preset_secret(tmpl, CKK_AES, 16); break;
	case FUZZ_PRESET_DES3: preset_secret(tmpl, CKK_DES3, 24); break;
	case FUZZ_PRESET_XTS: preset_secret(tmpl, CKK_AES_XTS, 32); break;
	case FUZZ_PRESET_RSA: preset_rsa(tmpl); break;
	case FUZZ_PRESET_P256: fx_attr(tmpl, CKA_EC_PARAMS, p256, sizeof(p256)); break;
	case FUZZ_PRESET_25519: fx_attr(tmpl, CKA_EC_PARAMS, "\x13\x0a" "curve25519", 12); break;
	case FUZZ_PRESET_DATA:
		fx_attr_ulong(tmpl, CKA_CLASS, CKO_DATA);
		fx_attr_text(tmpl, CKA_VALUE, "sixteen letters.");
		break;
	case FUZZ_PRESET_LENGTH:
		fx_attr_ulong(tmpl, CKA_VALUE_LEN, 16);
		attrs_bool(tmpl, true, all_use, ARRAY_SIZE(all_use));
	}
}

static void template_one(struct fuzz_in *in, struct fx_tmpl *tmpl)
{
	u8 how = fuzz_u8(in), type = fuzz_u8(in);
	u32 cka = how & 0x80 ? fuzz_u32(in) : fuzz_attribute(type);
	const u8 *bytes;
	size_t len;

	if (tmpl->len > sizeof(tmpl->data) - 512)
		return;
	switch (how & 7) {
	case 0:
	case 1:
		fx_attr_bool(tmpl, cka, how & 1);
		break;
	case 2:
		fx_attr_ulong(tmpl, cka, fuzz_u8(in));
		break;
	case 3:
		fx_attr_ulong(tmpl, cka, fuzz_u32(in));
		break;
	case 4:
		fx_attr(tmpl, cka, NULL, 0);
		break;
	default:
		bytes = fuzz_bytes(in, fuzz_u8(in), &len);
		fx_attr(tmpl, cka, bytes, len);
	}
}

void fuzz_template(struct fuzz_in *in, struct fx_tmpl *tmpl)
{
	u8 count = fuzz_u8(in);

	tmpl->len = 0;
	if (count & 0x80)
		template_preset(count >> 4 & 7, count & 8, tmpl);
	for (count &= 7; count; count--)
		template_one(in, tmpl);
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
	template_preset(FUZZ_PRESET_LENGTH, true, &tmpl);
	fx_create(side->open, side->session, &tmpl, &handle);
}

/* ---- libFuzzer's entries ---- */

static const char *seed_dir;

void fuzz_seed(const char *name, const void *data, size_t len)
{
	char path[1024];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", seed_dir, name);
	f = fopen(path, "w");
	fuzz_check(f);
	fuzz_check(fwrite(data, 1, len, f) == len);
	fclose(f);
}

static void quiet(enum port_log_level level, const char *fmt, va_list args)
{
	(void)level, (void)fmt, (void)args;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	setenv("CMOCKA_TEST_ABORT", "1", 0);
	setenv("LUNA_VECTORS", FUZZ_VECTORS_DIR, 0);
	telling = getenv("LUNA_FUZZ_LOG");
	if (!telling)
		port_log_sink(quiet);
	chance_reset();
	learn_mechanisms();
	learn_attributes();
	chance_reset();
	if (fuzz_target.prepare)
		fuzz_target.prepare();
	pools_empty();
	seed_dir = getenv("LUNA_FUZZ_SEEDS");
	if (seed_dir) {
		fuzz_target.seeds();
		exit(0);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct fuzz_in in = { data, len };
	u32 warnings = port_warnings();

	chance_reset();
	port_alloc_watch();
	fuzz_target.one(&in);
	pools_empty();
	fuzz_check(!port_alloc_live());
	port_alloc_unwatch();
	fuzz_check(port_warnings() == warnings);
	return 0;
}
