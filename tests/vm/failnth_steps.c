// SPDX-License-Identifier: MIT
/*
 * Each command of the ABI as it succeeds, on two tokens, in an order in which one makes what others
 * need.
 */
#include <fcntl.h>
#include <unistd.h>

#include "failnth.h"

enum { ROOM = 12 * 1024, PIECE = 20000, VECTORS = 3, IMAGE_MAX = 512 * 1024 };

/* ---- the tokens ---- */

struct message {
	u32 len;
	u8 data[ROOM];
};

struct side a = { .path = "/dev/luna0" }, b = { .path = "/dev/luna1" };
static struct message twc, part1, part2, mofn_request, mofn_answer;
static u32 data, made, made2, aes, wrapping, rsa_public, rsa_private, ec_private, login_public,
	login_private, login_clone;
static u8 vectors[VECTORS * 64];
static u8 text[PIECE + 16], cipher[PIECE + 16], signature[128];
static u32 cipher_len, signature_len;
static const u8 iv[16] = { 1, 2, 3 };

s64 side_open(struct side *side)
{
	bool armed = armed_nth && armed_nr == OPEN_FILE;
	int fd, err;

	if (armed)
		inject_begin(armed_nth);
	fd = open(side->path, O_RDWR | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (armed) {
		hit = inject_end();
		armed_nth = 0;
	}
	side->open = fd < 0 ? NULL : (struct luna_open *)(intptr_t)fd;
	return err;
}

s64 side_close(struct side *side)
{
	if (side->open)
		close(descriptor(side->open));
	side->open = NULL;
	return 0;
}

static s64 bare(struct side *side, u32 nr, u32 session)
{
	struct luna_hdr hdr = { .session = session };

	return fx_call(side->open, nr, &hdr, sizeof(hdr), NULL, 0, NULL, NULL);
}

s64 init_token(struct side *side, const char *domain, u32 flags)
{
	struct luna_init_token init = {
		.pin_len = strlen(FX_SO_PIN),
		.domain_len = strlen(domain),
		.type = LUNA_TOKEN_PPSO,
		.flags = flags,
	};
	char payload[128];
	int len = snprintf(payload, sizeof(payload), "%s%s", FX_SO_PIN, domain);

	memset(init.label, ' ', sizeof(init.label));
	return fx_call(side->open, LUNA_INIT_TOKEN, &init, sizeof(init), payload, len, NULL, NULL);
}

static u32 logged_in_as(struct side *side)
{
	struct luna_session_info info = { .hdr.session = side->session };

	if (fx_call(side->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL))
		return LUNA_ROLE_NONE;
	return info.role;
}

s64 be(struct side *side, u32 role)
{
	u32 now = logged_in_as(side);
	s64 ret = 0;

	if (now == role)
		return 0;
	if (now != LUNA_ROLE_NONE)
		ret = fx_logout(side->open, side->session);
	if (ret || role == LUNA_ROLE_NONE)
		return ret;
	return fx_login(side->open, side->session, role, role == CKU_SO ? FX_SO_PIN : FX_CO_PIN);
}

/* ---- steps: tokens, sessions, roles ---- */

static s64 a_open(void)
{
	return side_open(&a);
}

static s64 a_closed(void)
{
	return side_close(&a);
}

s64 a_init(void)
{
	return init_token(&a, "", 0);
}

static s64 a_session(void)
{
	return fx_session(a.open, true, &a.session);
}

static s64 a_no_session(void)
{
	s64 ret = a.session ? fx_session_close(a.open, a.session) : 0;

	a.session = 0;
	return ret;
}

static s64 a_close_session(void)
{
	return fx_session_close(a.open, a.session);
}

static s64 a_has_session(void)
{
	struct luna_session_info info = { .hdr.session = a.session };

	if (!fx_call(a.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL))
		return 0;
	return a_session();
}

static s64 a_close_all(void)
{
	return bare(&a, LUNA_SESSION_CLOSE_ALL, 0);
}

static s64 a_reset(void)
{
	return bare(&a, LUNA_RESET, 0);
}

static s64 a_login_so(void)
{
	return fx_login(a.open, a.session, CKU_SO, FX_SO_PIN);
}

static s64 a_login(void)
{
	return fx_login(a.open, a.session, CKU_USER, FX_CO_PIN);
}

static s64 a_public(void)
{
	return be(&a, LUNA_ROLE_NONE);
}

static s64 a_co(void)
{
	return be(&a, CKU_USER);
}

static s64 a_logout(void)
{
	return fx_logout(a.open, a.session);
}

static s64 a_set_domain(void)
{
	struct luna_hdr hdr = { .session = a.session };

	return fx_call(a.open, LUNA_SET_DOMAIN, &hdr, sizeof(hdr), FX_DOMAIN, strlen(FX_DOMAIN),
		       NULL, NULL);
}

/* A domain is set once: begin again. */
static s64 a_no_domain(void)
{
	static bool begun;
	bool again = begun;

	begun = true;
	return again ? (a_no_session() ?: a_init() ?: a_session() ?: a_login_so()) : 0;
}

static s64 a_init_pin(void)
{
	return fx_init_pin(a.open, a.session, CKU_USER, FX_CO_PIN);
}

static s64 a_set_pin(void)
{
	return fx_set_pin(a.open, a.session, FX_CO_PIN, FX_CO_PIN);
}

static s64 a_info(void)
{
	struct luna_info info = { 0 };

	return fx_call(a.open, LUNA_GET_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
}

s64 slot_info(struct side *side, struct luna_slot_info *info)
{
	memset(info, 0, sizeof(*info));
	return fx_call(side->open, LUNA_SLOT_INFO, info, sizeof(*info), NULL, 0, NULL, NULL);
}

static s64 a_slot_info(void)
{
	struct luna_slot_info info;

	return slot_info(&a, &info);
}

static s64 a_mech_list(void)
{
	struct luna_mech_list list = { 0 };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_provider_list(void)
{
	struct luna_provider_list list = { 0 };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_PROVIDER_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_policy_list(void)
{
	struct luna_policy_list list = { .scope = LUNA_SCOPE_PARTITION };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_POLICY_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_policy_set(void)
{
	struct luna_policy_set set = {
		.hdr.session = a.session,
		.scope = LUNA_SCOPE_PARTITION,
		.count = 1,
	};
	const u32 pair[2] = { 21, 1 };	/* high availability recovery: as it is */

	return fx_call(a.open, LUNA_POLICY_SET, &set, sizeof(set), pair, sizeof(pair), NULL, NULL);
}

static s64 app_id(u32 step)
{
	struct luna_app_id arg = { .step = step, .id = "out of memory" };

	return fx_call(a.open, LUNA_APP_ID, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static s64 a_app_open(void)
{
	return app_id(LUNA_APP_OPEN);
}

static s64 a_no_app(void)
{
	s64 rv = app_id(LUNA_APP_CLOSE);

	return rv == (s64)CKR_ACCESS_ID_INVALID ? 0 : rv;
}

s64 role_state(struct side *side, u32 role, struct luna_role_state *state)
{
	*state = (struct luna_role_state){ .role = role };
	return fx_call(side->open, LUNA_ROLE_STATE, state, sizeof(*state), NULL, 0, NULL, NULL);
}

static s64 a_role_state(void)
{
	struct luna_role_state state;

	return role_state(&a, CKU_USER, &state);
}

static s64 a_session_info(void)
{
	struct luna_session_info info = { .hdr.session = a.session };

	return fx_call(a.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
}

static s64 a_random(void)
{
	struct luna_random arg = { .hdr.session = a.session, .length = 64 };
	u8 bytes[64];
	size_t len = sizeof(bytes);

	return fx_call(a.open, LUNA_RANDOM, &arg, sizeof(arg), NULL, 0, bytes, &len);
}

static s64 a_seed(void)
{
	struct luna_hdr hdr = { .session = a.session };

	return fx_call(a.open, LUNA_SEED, &hdr, sizeof(hdr), iv, sizeof(iv), NULL, NULL);
}

/* ---- steps: objects and keys ---- */

static s64 a_create(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&tmpl, CKA_MODIFIABLE, true);
	fx_attr_text(&tmpl, CKA_LABEL, "data");
	fx_attr(&tmpl, CKA_VALUE, text, 3000);
	return fx_create(a.open, a.session, &tmpl, &data);
}

static s64 a_no_data(void)
{
	u32 handle = data;

	data = 0;
	return handle ? fx_destroy(a.open, a.session, handle) : 0;
}

/* What a tolerated failure has made is not wanted. */
static s64 a_none_made(void)
{
	s64 ret = 0;

	if (made)
		ret = fx_destroy(a.open, a.session, made);
	if (!ret && made2)
		ret = fx_destroy(a.open, a.session, made2);
	made = 0;
	made2 = 0;
	return ret;
}

static s64 object_arg(u32 nr, u32 handle, const struct fx_tmpl *tmpl, u32 *out)
{
	struct luna_object_arg arg = {
		.hdr.session = a.session,
		.handle = handle,
		.template_len = tmpl->len,
	};
	s64 ret = fx_call(a.open, nr, &arg, sizeof(arg), tmpl->data, tmpl->len, NULL, NULL);

	*out = ret ? 0 : arg.handle;
	return ret;
}

static s64 a_copy(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, "copy");
	return object_arg(LUNA_OBJECT_COPY, data, &tmpl, &made);
}

static s64 a_copied(void)
{
	return made ? 0 : a_copy();
}

static s64 a_destroy(void)
{
	s64 ret = fx_destroy(a.open, a.session, made);

	if (!ret)
		made = 0;
	return ret;
}

static s64 a_size(void)
{
	struct fx_tmpl none = { 0 };
	u32 ignored;

	return object_arg(LUNA_OBJECT_SIZE, data, &none, &ignored);
}

static s64 a_attr_get(void)
{
	u8 value[3000];
	u32 len = sizeof(value);

	return fx_attr_get(a.open, a.session, data, CKA_VALUE, value, &len);
}

static s64 a_attr_set(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, "another label");
	return fx_attr_set(a.open, a.session, data, &tmpl);
}

static s64 a_find(void)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handles[4], count;
	s64 ret;

	fx_attr_text(&tmpl, CKA_LABEL, "another label");
	ret = fx_find(a.open, a.session, &tmpl, handles, ARRAY_SIZE(handles), &count);
	if (!ret && (count != 1 || handles[0] != data))
		return CKR_OBJECT_HANDLE_INVALID;
	return ret;
}

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

/* A pair for every use; @login: one with the attributes that an HA login key must have */
static s64 generate_pair(u32 bits, bool login, u32 *pub, u32 *priv)
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

/* From here on, what the last step made is kept. */
static s64 a_keep_made(void)
{
	made = 0;
	made2 = 0;
	return 0;
}

/* ---- steps: operations ---- */

static s64 op(u32 kind, u32 mechanism, u32 key, const void *param, u32 param_len, const void *in,
	      u32 in_len, const void *sig, u32 sig_len, void *out, u32 *out_len)
{
	return fx_op(a.open, a.session, kind, mechanism, key, param, param_len, in, in_len, sig,
		     sig_len, out, out_len);
}

static s64 encrypt(u32 len)
{
	cipher_len = sizeof(cipher);
	return op(LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, aes, iv, sizeof(iv), text, len, NULL, 0, cipher,
		  &cipher_len);
}

static s64 a_encrypt(void)
{
	return encrypt(1000);
}

/* More than one command carries: LUNA_DATA_PUT before it, LUNA_DATA_GET after it */
static s64 a_encrypt_long(void)
{
	return encrypt(PIECE);
}

static s64 a_decrypt(void)
{
	static u8 out[PIECE + 16];
	u32 len = sizeof(out);

	return op(LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, aes, iv, sizeof(iv), cipher, cipher_len, NULL, 0,
		  out, &len);
}

static s64 a_gcm(void)
{
	struct {
		struct luna_gcm_param head;
		u8 iv[12];
	} param = { .head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 } };
	static u8 out[1016];
	u32 len = sizeof(out);

	return op(LUNA_OP_ENCRYPT, CKM_AES_GCM, aes, &param, sizeof(param), text, 1000, NULL, 0, out,
		  &len);
}

static s64 a_message(void)
{
	static u8 out[516];

	return fx_messages(a.open, a.session, LUNA_OP_MESSAGE_ENCRYPT, CKM_AES_GCM, aes, NULL, 0,
			   text, 500, out, sizeof(out));
}

/* The parameter is kept for the messages. */
static s64 a_message_sign(void)
{
	struct luna_pss_param pss = { .hash = CKM_SHA256, .mgf = CKG_MGF1_SHA256, .salt_len = 32 };
	static u8 out[512];

	return fx_messages(a.open, a.session, LUNA_OP_MESSAGE_SIGN, CKM_SHA256_RSA_PKCS_PSS,
			   rsa_private, &pss, sizeof(pss), text, 100, out, sizeof(out));
}

static s64 a_digest(void)
{
	u8 out[64];
	u32 len = sizeof(out);

	return op(LUNA_OP_DIGEST, CKM_SHA512, 0, NULL, 0, text, 1000, NULL, 0, out, &len);
}

static s64 a_cmac(void)
{
	u8 out[16];
	u32 len = sizeof(out);

	return op(LUNA_OP_SIGN, CKM_AES_CMAC, aes, NULL, 0, text, 1000, NULL, 0, out, &len);
}

static s64 a_sign(void)
{
	signature_len = sizeof(signature);
	return op(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, rsa_private, NULL, 0, text, 1000, NULL, 0,
		  signature, &signature_len);
}

static s64 a_verify(void)
{
	return op(LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, rsa_public, NULL, 0, text, 1000, signature,
		  signature_len, NULL, NULL);
}

static s64 a_sign_pss(void)
{
	const struct luna_pss_param param = {
		.hash = CKM_SHA256,
		.mgf = CKG_MGF1_SHA256,
		.salt_len = 32,
	};
	u8 out[128];
	u32 len = sizeof(out);

	return op(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS_PSS, rsa_private, &param, sizeof(param), text,
		  1000, NULL, 0, out, &len);
}

static s64 a_encrypt_rsa(void)
{
	cipher_len = sizeof(cipher);
	return op(LUNA_OP_ENCRYPT, CKM_RSA_PKCS, rsa_public, NULL, 0, text, 32, NULL, 0, cipher,
		  &cipher_len);
}

static s64 a_decrypt_rsa(void)
{
	u8 out[128];
	u32 len = sizeof(out);

	return op(LUNA_OP_DECRYPT, CKM_RSA_PKCS, rsa_private, NULL, 0, cipher, cipher_len, NULL, 0,
		  out, &len);
}

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

/* ---- steps: cloning, HA login, M of N ---- */

static s64 blob(struct side *side, u32 session, u32 nr, struct luna_blob *arg,
		const struct message *in, struct message *out)
{
	u32 len = ROOM;
	s64 ret;

	arg->hdr.session = session;
	ret = fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0,
		      out ? out->data : NULL, out ? &len : NULL);
	if (!ret && out)
		out->len = len;
	return ret;
}

static u32 element = CK_CRYPTOKI_ELEMENT;
static u32 cloned;	/* what is cloned, and its clone */
static u32 clone;

static s64 clone_aes(void)
{
	cloned = aes;
	return 0;
}

static s64 source_init(void)
{
	struct luna_blob arg = { .type = element };

	return blob(&a, a.session, LUNA_CLONE_SOURCE_INIT, &arg, NULL, &twc);
}

static s64 target_init(void)
{
	struct luna_blob arg = { .type = element };

	return blob(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &part1);
}

static s64 source(void)
{
	struct luna_blob arg = { .type = element, .handle = cloned };

	return blob(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2);
}

static s64 target(void)
{
	struct luna_blob arg = { .type = element };
	s64 ret = blob(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);

	clone = ret ? 0 : arg.handle;
	return ret;
}

static s64 before_source(void)
{
	return source_init() ?: target_init();
}

static s64 before_target(void)
{
	u32 handle = clone;

	clone = 0;
	return (handle ? fx_destroy(b.open, b.session, handle) : 0) ?: before_source() ?: source();
}

static s64 mofn_generate(void)
{
	struct luna_mofn arg = {
		.hdr.session = a.session,
		.m = 2,
		.n = VECTORS,
		.flags = LUNA_MOFN_CLONEABLE,
	};
	u32 pairs[2 * VECTORS] = { 1, 512, 1, 512, 1, 512 };
	size_t len = sizeof(vectors);

	return fx_call(a.open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, sizeof(pairs), vectors,
		       &len);
}

static s64 mofn_activate(void)
{
	struct luna_mofn arg = { .hdr.session = a.session, .n = 2 };
	u32 length, row;

	memcpy(&length, vectors, sizeof(length));
	row = sizeof(length) + length;
	return fx_call(a.open, LUNA_MOFN_ACTIVATE, &arg, sizeof(arg), vectors, 2 * row, NULL, NULL);
}

static s64 mofn_deactivate(void)
{
	return bare(&a, LUNA_MOFN_DEACTIVATE, a.session);
}

static s64 mofn_status(void)
{
	struct luna_mofn_status arg = { 0 };

	return fx_call(a.open, LUNA_MOFN_STATUS, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static s64 ha_init(void)
{
	struct luna_blob arg = { .handle = login_clone };

	return blob(&b, b.session, LUNA_HA_INIT, &arg, NULL, NULL);
}

static s64 ha_master(void)
{
	struct luna_blob arg = { 0 };

	return blob(&a, 0, LUNA_HA_MASTER_PUBLIC, &arg, NULL, &twc);
}

static s64 ha_challenge(void)
{
	struct luna_blob arg = { .role = CKU_USER };

	return blob(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &part1);
}

static s64 ha_answer(void)
{
	struct luna_blob arg = { .handle = login_private };

	return blob(&a, a.session, LUNA_HA_ANSWER, &arg, &part1, &part2);
}

static s64 ha_login(void)
{
	struct luna_blob arg = { 0 };

	return blob(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &mofn_request);
}

static s64 ha_mofn_answer(void)
{
	struct luna_blob arg = { 0 };

	return blob(&a, a.session, LUNA_HA_MOFN_ANSWER, &arg, &mofn_request, &mofn_answer);
}

static s64 ha_mofn_activate(void)
{
	struct luna_blob arg = { 0 };

	return blob(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &arg, &mofn_answer, NULL);
}

static s64 b_public(void)
{
	return be(&b, LUNA_ROLE_NONE);
}

static s64 before_answer(void)
{
	return b_public() ?: ha_challenge();
}

static s64 before_login(void)
{
	return before_answer() ?: ha_answer();
}

static s64 before_mofn_answer(void)
{
	s64 ret = be(&b, CKU_USER) ?: bare(&b, LUNA_MOFN_DEACTIVATE, b.session);

	return ret ?: before_login() ?: ha_login();
}

static s64 before_mofn_activate(void)
{
	return before_mofn_answer() ?: ha_mofn_answer();
}

/* b requires M of N, has a's secret, and a clone of a's login key. */
static s64 ready_for_ha(void)
{
	s64 ret = generate_pair(1024, true, &login_public, &login_private) ?:
		  fx_session_close(b.open, b.session) ?: init_token(&b, FX_DOMAIN, LUNA_INIT_MOFN) ?:
		  fx_session(b.open, true, &b.session) ?: be(&b, CKU_SO) ?:
		  fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN) ?: be(&b, CKU_USER);

	clone = 0;
	cloned = 0;
	element = CK_MOFN_ACTIVATION_ELEMENT;
	ret = ret ?: before_target() ?: target();
	clone = 0;
	cloned = login_private;
	element = CK_CRYPTOKI_ELEMENT;
	ret = ret ?: before_target() ?: target();
	login_clone = clone;
	return ret;
}

/* ---- steps: images ---- */

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

/* ---- all of them ---- */

const struct step steps[] = {
	{ "open(2)", OPEN_FILE, a_open, .before = a_closed },
	{ "initialise a token", LUNA_INIT_TOKEN, a_init, .counts = true, .sparse = 16 },
	{ "open a session", LUNA_SESSION_OPEN, a_session, .before = a_no_session },
	{ "log in as SO", LUNA_LOGIN, a_login_so, .before = a_public, .counts = true },
	{ "set the domain", LUNA_SET_DOMAIN, a_set_domain, .before = a_no_domain, .sparse = 16 },
	{ "set the CO's PIN", LUNA_INIT_PIN, .run = a_init_pin },
	{ "set a policy", LUNA_POLICY_SET, .run = a_policy_set },
	{ "log out", LUNA_LOGOUT, a_logout, .before = a_co },
	{ "log in as CO", LUNA_LOGIN, a_login, .before = a_public, .counts = true },
	{ "change the PIN", LUNA_SET_PIN, .run = a_set_pin, .counts = true },
	{ "info", LUNA_GET_INFO, .run = a_info },
	{ "slot info", LUNA_SLOT_INFO, .run = a_slot_info },
	{ "mechanisms", LUNA_MECH_LIST, .run = a_mech_list },
	{ "providers", LUNA_PROVIDER_LIST, .run = a_provider_list },
	{ "policies", LUNA_POLICY_LIST, .run = a_policy_list },
	{ "role state", LUNA_ROLE_STATE, .run = a_role_state },
	{ "keep an application id", LUNA_APP_ID, a_app_open, .before = a_no_app },
	{ "session info", LUNA_SESSION_INFO, .run = a_session_info },
	{ "random", LUNA_RANDOM, .run = a_random },
	{ "seed", LUNA_SEED, a_seed, .rv = CKR_RANDOM_SEED_NOT_SUPPORTED },
	{ "create an object", LUNA_OBJECT_CREATE, a_create, .before = a_no_data },
	{ "copy it", LUNA_OBJECT_COPY, a_copy, .before = a_none_made },
	{ "destroy the copy", LUNA_OBJECT_DESTROY, a_destroy, .before = a_copied },
	{ "its size", LUNA_OBJECT_SIZE, .run = a_size },
	{ "get an attribute", LUNA_ATTR_GET, .run = a_attr_get },
	{ "set an attribute", LUNA_ATTR_SET, .run = a_attr_set },
	{ "find", LUNA_FIND, .run = a_find },
	{ "generate a key", LUNA_GENERATE_KEY, a_generate, .before = a_none_made },
	{ "generate a pair, but for primes", LUNA_GENERATE_PAIR, a_generate_pair,
	  .before = a_none_made, .once = a_keep_made },
	{ "search primes", LUNA_GENERATE_PAIR, a_search_primes, .before = a_none_made,
	  .once = a_keep_made, .primes = true, .sparse = 256 },
	{ "generate an EC pair", LUNA_GENERATE_PAIR, a_generate_ec, .before = a_none_made },
	{ "agree on a secret", LUNA_DERIVE, a_agree, .before = a_none_made, .once = a_keep_ec },
	{ "encrypt", LUNA_OP, .run = a_encrypt },
	{ "decrypt", LUNA_OP, .run = a_decrypt },
	{ "encrypt with GCM", LUNA_OP, .run = a_gcm },
	{ "encrypt messages", LUNA_MESSAGE, .run = a_message },
	{ "sign messages", LUNA_MESSAGE, .run = a_message_sign },
	{ "digest", LUNA_OP, .run = a_digest },
	{ "CMAC", LUNA_OP, .run = a_cmac },
	{ "sign with RSA", LUNA_OP, .run = a_sign },
	{ "verify with RSA", LUNA_OP, .run = a_verify },
	{ "sign with PSS", LUNA_OP, .run = a_sign_pss },
	{ "encrypt with RSA", LUNA_OP, .run = a_encrypt_rsa },
	{ "decrypt with RSA", LUNA_OP, .run = a_decrypt_rsa },
	{ "send data ahead", LUNA_DATA_PUT, .run = a_encrypt_long },
	{ "encrypt what was sent", LUNA_OP, .run = a_encrypt_long },
	{ "fetch the rest", LUNA_DATA_GET, .run = a_encrypt_long },
	{ "wrap", LUNA_WRAP, a_wrap, .once = a_wrapping_key },
	{ "unwrap", LUNA_UNWRAP, a_unwrap, .before = a_none_made },
	{ "derive", LUNA_DERIVE, a_derive, .before = a_none_made },
	{ "clone: source's begin", LUNA_CLONE_SOURCE_INIT, source_init, .once = clone_aes },
	{ "clone: target's begin", LUNA_CLONE_TARGET_INIT, .run = target_init },
	{ "clone: source", LUNA_CLONE_SOURCE, source, .before = before_source },
	{ "clone: target", LUNA_CLONE_TARGET, target, .before = before_target },
	{ "M of N: generate", LUNA_MOFN_GENERATE, .run = mofn_generate },
	{ "M of N: activate", LUNA_MOFN_ACTIVATE, .run = mofn_activate },
	{ "M of N: deactivate", LUNA_MOFN_DEACTIVATE, .run = mofn_deactivate },
	{ "M of N: status", LUNA_MOFN_STATUS, .run = mofn_status },
	{ "HA login: set up", LUNA_HA_INIT, ha_init, .once = ready_for_ha },
	{ "HA login: certificate", LUNA_HA_MASTER_PUBLIC, .run = ha_master },
	{ "HA login: challenge", LUNA_HA_CHALLENGE, ha_challenge, .before = b_public },
	{ "HA login: answer", LUNA_HA_ANSWER, ha_answer, .before = before_answer },
	{ "HA login: log in", LUNA_HA_LOGIN, ha_login, .before = before_login },
	{ "HA login: M of N answer", LUNA_HA_MOFN_ANSWER, ha_mofn_answer,
	  .before = before_mofn_answer },
	{ "HA login: M of N", LUNA_HA_MOFN_ACTIVATE, ha_mofn_activate,
	  .before = before_mofn_activate },
	{ "take an image", LUNA_IMAGE_EXPORT, image_export, .once = a_co },
	{ "fetch a piece of it", LUNA_IMAGE_GET, image_get, .before = image_export },
	{ "send an image", LUNA_IMAGE_PUT, image_put, .once = image_take },
	{ "close a session", LUNA_SESSION_CLOSE, a_close_session, .before = a_has_session },
	{ "close all sessions", LUNA_SESSION_CLOSE_ALL, a_close_all, .before = a_has_session },
	{ "reset", LUNA_RESET, a_reset, .before = a_has_session },
	{ "restore an image", LUNA_IMAGE_RESTORE, image_restore, .once = a_finalized, .counts = true, .sparse = 16 },
};

const size_t step_count = ARRAY_SIZE(steps);
