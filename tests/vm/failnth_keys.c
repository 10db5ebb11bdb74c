// SPDX-License-Identifier: MIT
/* Steps of keys: they are generated, agreed on, wrapped, unwrapped and derived. */
#include "failnth_steps.h"

u32 aes, rsa_public, rsa_private;
static u32 wrapping, ec_private;

/* ---- generation ---- */

static s64 generate_aes(u32 *handle)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr_bool(&tmpl, CKA_DECRYPT, true);
	fx_attr_bool(&tmpl, CKA_SIGN, true);
	fx_attr_bool(&tmpl, CKA_VERIFY, true);
	fx_attr_bool(&tmpl, CKA_WRAP, true);
	fx_attr_bool(&tmpl, CKA_DERIVE, true);
	fx_attr_bool(&tmpl, CKA_UNWRAP, true);
	return fx_generate_key(a.open, a.session, CKM_AES_KEY_GEN, &tmpl, handle);
}

static s64 a_generate(void)
{
	s64 ret = generate_aes(&made);

	if (!ret)
		aes = made;
	return ret;
}

s64 generate_pair(u32 bits, bool login, u32 *pub, u32 *priv)
{
	static const u32 public_uses[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP };
	static const u32 private_uses[] = { CKA_DECRYPT, CKA_SIGN, CKA_SIGN_RECOVER, CKA_UNWRAP };
	struct fx_tmpl pub_tmpl = { 0 }, priv_tmpl = { 0 };
	static const u8 e[] = { 1, 0, 1 };
	size_t i;

	fx_attr_bool(&pub_tmpl, CKA_TOKEN, true);
	fx_attr_ulong(&pub_tmpl, CKA_MODULUS_BITS, bits);
	fx_attr(&pub_tmpl, CKA_PUBLIC_EXPONENT, e, sizeof(e));
	fx_attr_bool(&pub_tmpl, CKA_DERIVE, false);
	for (i = 0; i < ARRAY_SIZE(public_uses); i++)
		fx_attr_bool(&pub_tmpl, public_uses[i], !login);
	fx_attr_bool(&priv_tmpl, CKA_TOKEN, true);
	fx_attr_bool(&priv_tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&priv_tmpl, CKA_SENSITIVE, true);
	fx_attr_bool(&priv_tmpl, CKA_EXTRACTABLE, false);
	fx_attr_bool(&priv_tmpl, CKA_MODIFIABLE, !login);
	fx_attr_bool(&priv_tmpl, CKA_DERIVE, false);
	for (i = 0; i < ARRAY_SIZE(private_uses); i++)
		fx_attr_bool(&priv_tmpl, private_uses[i], !login);
	return fx_generate_pair(a.open, a.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub_tmpl, &priv_tmpl,
				pub, priv);
}

static s64 a_generate_pair(void)
{
	s64 ret = generate_pair(1024, false, &made, &made2);

	if (!ret) {
		rsa_public = made;
		rsa_private = made2;
	}
	return ret;
}

static s64 a_search_primes(void)
{
	return generate_pair(1024, false, &made, &made2);
}

static s64 a_generate_ec(void)
{
	static const u8 p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };
	struct fx_tmpl pub_tmpl = { 0 }, priv_tmpl = { 0 };

	fx_attr(&pub_tmpl, CKA_EC_PARAMS, p256, sizeof(p256));
	fx_attr_bool(&priv_tmpl, CKA_DERIVE, true);
	return fx_generate_pair(a.open, a.session, CKM_EC_KEY_PAIR_GEN, &pub_tmpl, &priv_tmpl, &made,
				&made2);
}

static s64 a_keep_ec(void)
{
	ec_private = made2;
	return a_keep_made();
}

/* With the owner of NIST's first point for this curve (CAVP, ECC CDH) */
static s64 a_agree(void)
{
	struct param {
		struct luna_ecdh_param head;
		u8 point[65];
	} param = { .head = { .kdf = CKD_NULL, .public_len = 65 }, .point = {
		0x04, 0x70, 0x0c, 0x48, 0xf7, 0x7f, 0x56, 0x58, 0x4c, 0x5c, 0xc6, 0x32, 0xca,
		0x65, 0x64, 0x0d, 0xb9, 0x1b, 0x6b, 0xac, 0xce, 0x3a, 0x4d, 0xf6, 0xb4, 0x2c,
		0xe7, 0xcc, 0x83, 0x88, 0x33, 0xd2, 0x87, 0xdb, 0x71, 0xe5, 0x09, 0xe3, 0xfd,
		0x9b, 0x06, 0x0d, 0xdb, 0x20, 0xba, 0x5c, 0x51, 0xdc, 0xc5, 0x94, 0x8d, 0x46,
		0xfb, 0xf6, 0x40, 0xdf, 0xe0, 0x44, 0x17, 0x82, 0xca, 0xb8, 0x5f, 0xa4, 0xac,
	} };
	struct fx_tmpl tmpl = { 0 };

	return fx_derive(a.open, a.session, CKM_ECDH1_DERIVE, &param,
			 offsetof(struct param, point) + sizeof(param.point), ec_private, &tmpl,
			 &made);
}

/* ---- wrapping, derivation ---- */

static s64 a_wrapping_key(void)
{
	return generate_aes(&wrapping);
}

static s64 a_wrap(void)
{
	struct luna_key arg = {
		.hdr.session = a.session,
		.mechanism = CKM_AES_KEY_WRAP_PAD,
		.key = wrapping,
		.target = aes,
		.out_max = sizeof(cipher),
	};
	size_t len = sizeof(cipher);
	s64 ret = fx_call(a.open, LUNA_WRAP, &arg, sizeof(arg), NULL, 0, cipher, &len);

	if (!ret)
		cipher_len = arg.out_need;
	return ret;
}

static s64 a_unwrap(void)
{
	struct fx_tmpl tmpl = { 0 };
	struct luna_key arg = {
		.hdr.session = a.session,
		.mechanism = CKM_AES_KEY_WRAP_PAD,
		.key = wrapping,
	};
	s64 ret;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	arg.template_len = tmpl.len;
	arg.data_len = cipher_len;
	memcpy(tmpl.data + tmpl.len, cipher, cipher_len);
	ret = fx_call(a.open, LUNA_UNWRAP, &arg, sizeof(arg), tmpl.data, tmpl.len + cipher_len, NULL,
		      NULL);
	made = ret ? 0 : arg.handle;
	return ret;
}

static s64 a_derive(void)
{
	struct luna_key arg = { .hdr.session = a.session, .mechanism = CKM_AES_CBC_ENCRYPT_DATA,
				.key = aes, .param_len = 32 };
	static const u8 iv_and_data[32];
	s64 ret;

	ret = fx_call(a.open, LUNA_DERIVE, &arg, sizeof(arg), iv_and_data, sizeof(iv_and_data), NULL,
		      NULL);
	made = ret ? 0 : arg.handle;
	return ret;
}

/* ---- in their order ---- */

const struct step generation_steps[] = {
	{ "generate a key", LUNA_GENERATE_KEY, a_generate, .before = a_none_made },
	{ "generate a pair, but for primes", LUNA_GENERATE_PAIR, a_generate_pair,
	  .before = a_none_made, .once = a_keep_made },
	{ "search primes", LUNA_GENERATE_PAIR, a_search_primes, .before = a_none_made,
	  .once = a_keep_made, .primes = true, .sparse = 256 },
	{ "generate an EC pair", LUNA_GENERATE_PAIR, a_generate_ec, .before = a_none_made },
	{ "agree on a secret", LUNA_DERIVE, a_agree, .before = a_none_made, .once = a_keep_ec },
	{ .name = NULL }
};

const struct step wrap_steps[] = {
	{ "wrap", LUNA_WRAP, a_wrap, .once = a_wrapping_key },
	{ "unwrap", LUNA_UNWRAP, a_unwrap, .before = a_none_made },
	{ "derive", LUNA_DERIVE, a_derive, .before = a_none_made },
	{ .name = NULL }
};
