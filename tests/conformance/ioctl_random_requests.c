// SPDX-License-Identifier: MIT
/*
 * Random requests: which command comes, for each the fields and the payload that make sense, and
 * then, of some, a few that do not.
 */
#include "ioctl_random.h"

/* ---- mechanisms ---- */

static const uint32_t mechs[] = {
	CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_RSA_X_509, CKM_SHA256_RSA_PKCS,
	CKM_SHA256_RSA_PKCS_PSS, CKM_SHA_1, CKM_SHA256, CKM_SHA512, CKM_SHA3_384, CKM_SHA256_HMAC,
	CKM_SHA256_HMAC_GENERAL, CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_GCM,
	CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKM_AES_GMAC, CKM_AES_KW, CKM_AES_KWP, CKM_AES_KEY_GEN,
	CKM_GENERIC_SECRET_KEY_GEN, CKM_RSA_PKCS_KEY_PAIR_GEN,
};

/* What goes together: an operation, its mechanism and the place of a key in ch.objects. */
static const struct {
	uint32_t op, mech, key;
} fitting[] = {
	{ LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, 0 }, { LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_GCM, 0 }, { LUNA_OP_DECRYPT, CKM_AES_GCM, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_CTR, 0 }, { LUNA_OP_ENCRYPT, CKM_AES_ECB, 0 },
	{ LUNA_OP_ENCRYPT, CKM_AES_KWP, 0 }, { LUNA_OP_DECRYPT, CKM_AES_CBC, 0 },
	{ LUNA_OP_DIGEST, CKM_SHA256, 0 }, { LUNA_OP_DIGEST, CKM_SHA512, 0 },
	{ LUNA_OP_DIGEST, CKM_SHA3_384, 0 },
	{ LUNA_OP_SIGN, CKM_AES_CMAC, 0 }, { LUNA_OP_VERIFY, CKM_AES_CMAC, 0 },
	{ LUNA_OP_SIGN, CKM_AES_GMAC, 0 }, { LUNA_OP_VERIFY, CKM_AES_GMAC, 0 },
	{ LUNA_OP_SIGN, CKM_AES_CMAC_GENERAL, 0 }, { LUNA_OP_ENCRYPT, CKM_RSA_PKCS, 1 },
	{ LUNA_OP_ENCRYPT, CKM_RSA_PKCS_OAEP, 1 }, { LUNA_OP_DECRYPT, CKM_RSA_PKCS, 2 },
	{ LUNA_OP_DECRYPT, CKM_RSA_PKCS_OAEP, 2 }, { LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, 2 },
	{ LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, 1 }, { LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS_PSS, 2 },
	{ LUNA_OP_SIGN_RECOVER, CKM_RSA_PKCS, 2 }, { LUNA_OP_VERIFY_RECOVER, CKM_RSA_PKCS, 1 },
};

/* What a request is for */
struct aim {
	uint32_t nr;
	int file;
	uint32_t mech;	/* if it takes one */
};

/* ---- what a request asks for: its fields are in the frame, its payload begins at @p ---- */

static unsigned char *chance_session(const struct aim *aim, unsigned char *p)
{
	f.session_info.flags = CKF_SERIAL_SESSION | (draw(4) ? CKF_RW_SESSION : 0);
	return p;
}

static unsigned char *chance_random(const struct aim *aim, unsigned char *p)
{
	f.random.length = draw(64);
	return p;
}

static unsigned char *chance_put(const struct aim *aim, unsigned char *p)
{
	f.data.offset = draw(3) ? 0 : draw(200);
	p += draw(200);
	return p;
}

static unsigned char *chance_get(const struct aim *aim, unsigned char *p)
{
	f.data.length = draw(500);
	f.data.offset = draw(4) ? ch.more_at : draw(500);
	return p;
}

static unsigned char *chance_login(const struct aim *aim, unsigned char *p)
{
	unsigned char *mark;

	f.pin.role = draw(3) ? CKU_USER : draw(2) ? CKU_SO : CKU_CRYPTO_USER;
	mark = chance_pin(p);
	if (draw(10)) {
		const char *pin = f.pin.role == CKU_SO ? SO_PIN :
				  f.pin.role == CKU_USER ? CO_PIN : CU_PIN;

		memcpy(p, pin, strlen(pin));
		mark = p + strlen(pin);
	}
	f.pin.pin_len = mark - p;
	return mark;
}

static unsigned char *chance_new_pin(const struct aim *aim, unsigned char *p)
{
	unsigned char *mark = chance_pin(p);

	f.pin.pin_len = mark - p;
	p = chance_pin(mark);
	f.pin.new_len = p - mark;
	return p;
}

static unsigned char *chance_token(const struct aim *aim, unsigned char *p)
{
	memcpy(p, SO_PIN, strlen(SO_PIN));
	f.init_token.pin_len = strlen(SO_PIN);
	f.init_token.domain_len = draw(10);
	f.init_token.type = draw(2);
	f.init_token.flags = draw(8) ? 0 : LUNA_INIT_MOFN;
	p += f.init_token.pin_len + f.init_token.domain_len;
	return p;
}

static unsigned char *chance_app_id(const struct aim *aim, unsigned char *p)
{
	f.app_id.step = draw(5);
	f.app_id.id[0] = draw(3);
	return p;
}

static unsigned char *chance_role(const struct aim *aim, unsigned char *p)
{
	f.role_state.role = draw(4);
	return p;
}

static unsigned char *chance_scope(const struct aim *aim, unsigned char *p)
{
	f.policy_list.scope = draw(2);
	return p;
}

static unsigned char *chance_policies(const struct aim *aim, unsigned char *p)
{
	uint32_t i;

	f.policy_set.scope = draw(2);
	f.policy_set.count = 1 + draw(2);
	for (i = 0; i < f.policy_set.count; i++, p += 8)
		memcpy(p, (uint32_t[]){ draw(64), draw(3) }, 8);
	return p;
}

static unsigned char *chance_object(const struct aim *aim, unsigned char *p)
{
	unsigned char *start = p;

	p = chance_template(p);
	f.object.template_len = p - start;
	return p;
}

static unsigned char *chance_attrs(const struct aim *aim, unsigned char *p)
{
	unsigned char *start = p;
	uint32_t i;

	for (i = draw(12); i; i--, p += 8)
		memcpy(p, (uint32_t[]){ draw(2) ? draw(0x180) : CKA_VALUE, draw(100) }, 8);
	f.object.template_len = p - start;
	return p;
}

static unsigned char *chance_find(const struct aim *aim, unsigned char *p)
{
	unsigned char *start = p;

	f.find.max = draw(100);
	p = draw(2) ? p : chance_template(p);
	f.find.template_len = p - start;
	return p;
}

static unsigned char *chance_op(const struct aim *aim, unsigned char *p)
{
	const uint32_t *objects = ch.objects[aim->file];
	uint32_t i, mech = aim->mech;
	unsigned char *mark;

	f.op.op = draw(LUNA_OP_KINDS);
	f.op.step = draw(2) ? FIRST : 1u << draw(6);
	f.op.mechanism = mech;
	f.op.key = objects[draw(KNOWN)];
	if (draw(4)) {
		i = draw(COUNT(fitting));
		f.op.op = fitting[i].op;
		f.op.mechanism = mech = fitting[i].mech;
		f.op.key = f.op.op == LUNA_OP_DIGEST ? 0 : objects[fitting[i].key];
	}
	mark = f.op.step & LUNA_STEP_INIT ? chance_param(p, mech) : p;
	f.op.param_len = mark - p;
	if (f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE))
		f.op.data_len = draw(4) ? 16 * draw(20) : draw(600);
	if (f.op.key && f.op.key == objects[1 + (f.op.op & 1)])
		f.op.data_len = draw(2) ? 256 : draw(200);
	if (!(f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE)))
		f.op.data_len = 0;
	f.op.total = f.op.data_len;
	if (f.op.op == LUNA_OP_VERIFY && f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_FINAL))
		f.op.sig_len = 16 << draw(5);
	f.op.out_max = draw(10) ? 4096 : odd_number();
	return mark + f.op.data_len + f.op.sig_len;
}

static unsigned char *chance_message(const struct aim *aim, unsigned char *p)
{
	unsigned char *mark;

	f.message.op = LUNA_OP_MESSAGE_ENCRYPT + draw(4);
	f.message.step = draw(3) ? LUNA_STEP_ONESHOT : 1u << draw(7);
	mark = f.message.step & (LUNA_STEP_ONESHOT | LUNA_STEP_BEGIN) &&
	       f.message.op < LUNA_OP_MESSAGE_SIGN ? chance_param(p, CKM_AES_GCM) : p;
	f.message.param_len = mark - p;
	if (mark > p && f.message.op == LUNA_OP_MESSAGE_ENCRYPT) {
		f.message.generator = draw(6);
		f.message.fixed_bits = draw(4) ? draw(100) : odd_number();
	}
	if (f.message.step != LUNA_STEP_BEGIN && f.message.step != LUNA_STEP_CANCEL)
		f.message.data_len = draw(600);
	if (f.message.step == LUNA_STEP_ONESHOT)
		f.message.total = f.message.data_len;
	if (f.message.step & (LUNA_STEP_ONESHOT | LUNA_STEP_FINAL) &&
	    f.message.op != LUNA_OP_MESSAGE_SIGN)
		f.message.sig_len = draw(8) ? 16 : draw(40);
	f.message.out_max = draw(10) ? 4096 : odd_number();
	return mark + f.message.data_len +
	       (f.message.op == LUNA_OP_MESSAGE_ENCRYPT ? 0 : f.message.sig_len);
}

static unsigned char *chance_key_pair(const struct aim *aim, unsigned char *p)
{
	unsigned char *start = p;

	f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	p = chance_pair(p, &f.key.template_len);
	f.key.template2_len = p - start - f.key.template_len;
	return p;
}

/* Of LUNA_GENERATE_KEY, LUNA_WRAP, LUNA_UNWRAP and LUNA_DERIVE */
static unsigned char *chance_key(const struct aim *aim, unsigned char *p)
{
	const uint32_t *objects = ch.objects[aim->file];
	uint32_t nr = aim->nr, mech = aim->mech;
	unsigned char *start = p, *mark;

	if (draw(4))
		mech = draw(2) ? CKM_AES_KWP : CKM_AES_CBC_PAD;
	f.key.mechanism = mech;
	f.key.key = objects[draw(3) ? 0 : draw(KNOWN)];
	f.key.out_max = 4096;
	if (nr == LUNA_GENERATE_KEY)
		f.key.mechanism = draw(4) ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN;
	else
		p = chance_param(p, mech);
	f.key.param_len = p - start;
	if (nr == LUNA_WRAP) {
		f.key.target = objects[draw(2) ? 3 : draw(KNOWN)];
		return p;
	}
	mark = p;
	if (nr == LUNA_UNWRAP && draw(4))
		p = put_number(put_number(p, CKA_CLASS, CKO_SECRET_KEY), CKA_KEY_TYPE, CKK_AES);
	else
		p = nr == LUNA_GENERATE_KEY ?
		    put_secret(p, draw(8) == 0, 16 + 8 * draw(3)) : chance_template(p);
	f.key.template_len = p - mark;
	if (nr == LUNA_UNWRAP) {
		f.key.data_len = ch.wrapped_len;
		memcpy(p, ch.wrapped, f.key.data_len);
		p += f.key.data_len;
	}
	return p;
}

static unsigned char *chance_mofn(const struct aim *aim, unsigned char *p)
{
	uint32_t i;

	f.mofn.n = 1 + draw(5);
	f.mofn.m = 1 + draw(f.mofn.n);
	for (i = 0; i < f.mofn.n; i++, p += 8)
		memcpy(p, (uint32_t[]){ 1, 512 }, 8);
	return p;
}

static unsigned char *chance_vectors(const struct aim *aim, unsigned char *p)
{
	f.mofn.n = 1 + draw(3);
	memcpy(p, ch.blob, ch.blob_len);
	p += ch.blob_len;
	return p;
}

static unsigned char *chance_image_get(const struct aim *aim, unsigned char *p)
{
	f.data.offset = draw(3) ? 0 : odd_number();
	f.data.length = draw(8) ? draw(6000) : odd_number();
	return p;
}

static unsigned char *chance_image_put(const struct aim *aim, unsigned char *p)
{
	f.data.offset = draw(3) ? 0 : odd_number();
	p += draw(3000);
	return p;
}

static unsigned char *chance_restore(const struct aim *aim, unsigned char *p)
{
	f.image.role = CKU_USER;
	f.image.so_pin_len = draw(20);
	f.image.domain_len = draw(20);
	f.image.pin_len = draw(20);
	p += f.image.so_pin_len + f.image.domain_len + f.image.pin_len;
	return p;
}

/* Of the protocols between two tokens */
static unsigned char *chance_blob(const struct aim *aim, unsigned char *p)
{
	unsigned char *start = p;

	f.blob.handle = ch.objects[aim->file][draw(2) ? 3 * draw(2) : draw(KNOWN)];
	f.blob.role = CKU_USER;
	f.blob.out_max = draw(8) ? 8192 : odd_number();
	if (aim->nr != LUNA_CLONE_SOURCE_INIT && aim->nr != LUNA_HA_INIT &&
	    aim->nr != LUNA_HA_MASTER_PUBLIC) {
		memcpy(p, ch.blob, ch.blob_len);
		p += ch.blob_len;
	}
	f.blob.blob_len = p - start;
	return p;
}

/* One that there is nothing to choose for */
static unsigned char *chance_nothing(const struct aim *aim, unsigned char *p)
{
	return p;
}

static unsigned char *chance_bytes(const struct aim *aim, unsigned char *p)
{
	return p + draw(40);
}

static unsigned char *(*const payloads[LUNA_COMMANDS])(const struct aim *aim, unsigned char *p) = {
	[LUNA_SESSION_OPEN] = chance_session,
	[LUNA_RANDOM] = chance_random,
	[LUNA_DATA_PUT] = chance_put,
	[LUNA_DATA_GET] = chance_get,
	[LUNA_LOGIN] = chance_login,
	[LUNA_INIT_PIN] = chance_login,
	[LUNA_SET_PIN] = chance_new_pin,
	[LUNA_INIT_TOKEN] = chance_token,
	[LUNA_APP_ID] = chance_app_id,
	[LUNA_ROLE_STATE] = chance_role,
	[LUNA_POLICY_LIST] = chance_scope,
	[LUNA_POLICY_SET] = chance_policies,
	[LUNA_OBJECT_CREATE] = chance_object,
	[LUNA_OBJECT_COPY] = chance_object,
	[LUNA_ATTR_SET] = chance_object,
	[LUNA_ATTR_GET] = chance_attrs,
	[LUNA_FIND] = chance_find,
	[LUNA_OP] = chance_op,
	[LUNA_MESSAGE] = chance_message,
	[LUNA_GENERATE_PAIR] = chance_key_pair,
	[LUNA_GENERATE_KEY] = chance_key,
	[LUNA_WRAP] = chance_key,
	[LUNA_UNWRAP] = chance_key,
	[LUNA_DERIVE] = chance_key,
	[LUNA_MOFN_GENERATE] = chance_mofn,
	[LUNA_MOFN_ACTIVATE] = chance_vectors,
	[LUNA_IMAGE_EXPORT] = chance_nothing,
	[LUNA_IMAGE_GET] = chance_image_get,
	[LUNA_IMAGE_PUT] = chance_image_put,
	[LUNA_IMAGE_RESTORE] = chance_restore,
};

unsigned char *chance_payload(const struct command *c, int file, unsigned char *p)
{
	const struct aim aim = { c->nr, file, mechs[draw(COUNT(mechs))] };

	if (payloads[c->nr])
		p = payloads[c->nr](&aim, p);
	else if (c->size == sizeof(f.blob))
		p = chance_blob(&aim, p);
	else if (c->payload)
		p = chance_bytes(&aim, p);
	if (c->size == sizeof(f.object) && c->nr >= LUNA_OBJECT_COPY && c->nr <= LUNA_ATTR_SET)
		f.object.handle = ch.objects[file][draw(KNOWN)];
	return p;
}

/* ---- which command, and what becomes of it ---- */

const struct command *chance_command(void)
{
	const struct command *c;

	for (;;) {
		c = &commands[draw(command_count)];
		switch (c->nr) {
		case LUNA_GENERATE_PAIR:
		case LUNA_INIT_TOKEN:
			if (!draw(12))
				return c;
			break;
		case LUNA_RESET:
		case LUNA_SESSION_CLOSE:
		case LUNA_SESSION_CLOSE_ALL:
		case LUNA_OBJECT_DESTROY:
		case LUNA_LOGOUT:
		case LUNA_INIT_PIN:
		case LUNA_SET_PIN:
		case LUNA_POLICY_SET:
		case LUNA_MOFN_GENERATE:
			if (!draw(8))
				return c;
			break;
		default:
			return draw(3) ? c : &commands[draw(2) ? 28 /* OP */ : 29 /* GENERATE_KEY */];
		}
	}
}

size_t mutate(size_t len)
{
	uint32_t times = 1 + draw(3), word;
	size_t at;

	while (times--)
		switch (draw(6)) {
		case 0:
			f.bytes[draw(len)] ^= 1u << draw(8);
			break;
		case 1:
			len = draw(4) ? len + draw(64) : draw(LUNA_IOC_MAX + 8);
			if (len > LUNA_IOC_MAX)
				len = LUNA_IOC_MAX;
			break;
		case 2:
			f.hdr.flags ^= LUNA_F_STAGED;
			break;
		default:
			at = draw(len < 200 ? len : 200) & ~3u;
			word = odd_number();
			memcpy(f.bytes + at, &word, 4);
		}
	return len;
}
