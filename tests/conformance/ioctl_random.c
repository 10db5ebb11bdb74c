// SPDX-License-Identifier: MIT
/*
 * Random commands on four files of two tokens: most of them well formed, many then altered.
 * Whatever they do, the devices go on and nothing is written beyond what the caller said.
 *
 *	LUNA_FUZZ_SEED, LUNA_FUZZ_COUNT
 *			which, and how many
 */
#include <signal.h>
#include <unistd.h>

#include "ioctl.h"

enum { FILES = 4, KNOWN = 12 };

static struct chance {
	uint64_t x;
	int fd[FILES];
	uint32_t sessions[FILES][KNOWN], objects[FILES][KNOWN];
	unsigned char blob[8192];	/* the last one that any command made */
	uint32_t blob_len;
	unsigned char wrapped[600];	/* the last wrapped key */
	uint32_t wrapped_len;
	uint32_t more_at;		/* what waits was fetched up to here */
} ch;

static uint32_t draw(uint32_t below)
{
	ch.x ^= ch.x << 13;
	ch.x ^= ch.x >> 7;
	ch.x ^= ch.x << 17;
	return below ? (ch.x * 0x2545f4914f6cdd1dull >> 32) % below : 0;
}

static uint32_t odd_number(void)
{
	static const uint32_t edges[] = {
		0, 1, 2, 7, 8, 15, 16, 17, 40, 64, 255, 256, 4095, 4096, LUNA_IOC_MAX, 0x10000, LUNA_STAGE_MAX,
		0x40000000, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffff0, 0xfffffff8, 0xfffffffe, 0xffffffff,
	};

	switch (draw(3)) {
	case 0: return edges[draw(COUNT(edges))];
	case 1: return 1u << draw(32);
	default: return draw(0);
	}
}

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

/* A parameter that may suit the mechanism. */
static unsigned char *chance_param(unsigned char *p, uint32_t mech)
{
	struct luna_gcm_param gcm = { draw(2) * 12, 96, draw(20), 128 };
	struct luna_oaep_param oaep = { CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, draw(9) };
	struct luna_pss_param pss = { CKM_SHA256, CKG_MGF1_SHA256, draw(40), 0 };
	struct luna_ctr_param ctr = { .counter_bits = 1 + draw(128) };
	struct luna_mac_param mac = { draw(40), 0 };

	switch (mech) {
	case CKM_AES_GMAC:
		gcm.aad_len = draw(20) == 0;
		/* fall through */
	case CKM_AES_GCM:
		gcm.iv_bits = 8 * gcm.iv_len;
		memcpy(p, &gcm, sizeof(gcm));
		return p + sizeof(gcm) + gcm.iv_len + gcm.aad_len;
	case CKM_RSA_PKCS_OAEP:
		memcpy(p, &oaep, sizeof(oaep));
		return p + sizeof(oaep) + oaep.source_len;
	case CKM_RSA_PKCS_PSS:
	case CKM_SHA256_RSA_PKCS_PSS:
		memcpy(p, &pss, sizeof(pss));
		return p + sizeof(pss);
	case CKM_AES_CTR:
		memcpy(p, &ctr, sizeof(ctr));
		return p + sizeof(ctr);
	case CKM_SHA256_HMAC_GENERAL:
	case CKM_AES_CMAC_GENERAL:
		memcpy(p, &mac, sizeof(mac));
		return p + sizeof(mac);
	case CKM_AES_CBC:
	case CKM_AES_CBC_PAD:
		return p + 16;
	default:
		return p;
	}
}

static unsigned char *chance_template(unsigned char *p)
{
	unsigned char bytes[64];
	uint32_t i, n = draw(5);

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = draw(256);
	switch (draw(4)) {
	case 0:
		p = put_number(p, CKA_CLASS, CKO_DATA);
		p = put_attr(p, CKA_VALUE, bytes, draw(sizeof(bytes)));
		break;
	case 1:
		p = put_number(p, CKA_CLASS, CKO_SECRET_KEY);
		p = put_number(p, CKA_KEY_TYPE, draw(2) ? CKK_AES : CKK_GENERIC_SECRET);
		p = put_attr(p, CKA_VALUE, bytes, 8 * (1 + draw(4)));
		break;
	case 2:
		p = put_secret(p, draw(8) == 0, 8 * (1 + draw(5)));
		break;
	default:
		break;
	}
	for (i = 0; i < n; i++)
		switch (draw(5)) {
		case 0: p = put_attr(p, CKA_LABEL, bytes, draw(20)); break;
		case 1: p = put_attr(p, CKA_ID, bytes, draw(20)); break;
		case 2: p = put_bool(p, CKA_EXTRACTABLE, draw(2)); break;
		case 3: p = put_bool(p, CKA_PRIVATE, draw(2)); break;
		default: p = put_bool(p, CKA_SENSITIVE, draw(2)); break;
		}
	return p;
}

static unsigned char *chance_pair(unsigned char *p, uint32_t *first)
{
	unsigned char *start = p;

	p = put_number(p, CKA_MODULUS_BITS, 2048);
	p = put_attr(p, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	p = put_bool(p, CKA_ENCRYPT, true);
	p = put_bool(p, CKA_VERIFY, true);
	p = put_bool(p, CKA_WRAP, true);
	*first = p - start;
	p = put_bool(p, CKA_DECRYPT, true);
	p = put_bool(p, CKA_UNWRAP, true);
	return put_bool(p, CKA_SIGN, true);
}

static unsigned char *chance_pin(unsigned char *p)
{
	static const char *const pins[] = { SO_PIN, CO_PIN, CU_PIN, "wrong-pin-0", "" };
	const char *pin = pins[draw(20) ? draw(3) : draw(COUNT(pins))];

	memcpy(p, pin, strlen(pin));
	return p + strlen(pin);
}

static unsigned char *chance_login(unsigned char *p)
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

static unsigned char *chance_op(int file, unsigned char *p, uint32_t mech)
{
	unsigned char *mark;
	uint32_t i;

	f.op.op = draw(LUNA_OP_KINDS);
	f.op.step = draw(2) ? FIRST : 1u << draw(6);
	f.op.mechanism = mech;
	f.op.key = ch.objects[file][draw(KNOWN)];
	if (draw(4)) {
		i = draw(COUNT(fitting));
		f.op.op = fitting[i].op;
		f.op.mechanism = mech = fitting[i].mech;
		f.op.key = f.op.op == LUNA_OP_DIGEST ? 0 : ch.objects[file][fitting[i].key];
	}
	mark = f.op.step & LUNA_STEP_INIT ? chance_param(p, mech) : p;
	f.op.param_len = mark - p;
	if (f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE))
		f.op.data_len = draw(4) ? 16 * draw(20) : draw(600);
	if (f.op.key && f.op.key == ch.objects[file][1 + (f.op.op & 1)])
		f.op.data_len = draw(2) ? 256 : draw(200);
	if (!(f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_UPDATE)))
		f.op.data_len = 0;
	f.op.total = f.op.data_len;
	if (f.op.op == LUNA_OP_VERIFY && f.op.step & (LUNA_STEP_ONESHOT | LUNA_STEP_FINAL))
		f.op.sig_len = 16 << draw(5);
	f.op.out_max = draw(10) ? 4096 : odd_number();
	return mark + f.op.data_len + f.op.sig_len;
}

static unsigned char *chance_message(unsigned char *p)
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

/* Of LUNA_GENERATE_KEY, LUNA_WRAP, LUNA_UNWRAP and LUNA_DERIVE */
static unsigned char *chance_key(uint32_t nr, int file, unsigned char *p, uint32_t mech)
{
	unsigned char *start = p, *mark;

	if (draw(4))
		mech = draw(2) ? CKM_AES_KWP : CKM_AES_CBC_PAD;
	f.key.mechanism = mech;
	f.key.key = ch.objects[file][draw(3) ? 0 : draw(KNOWN)];
	f.key.out_max = 4096;
	if (nr == LUNA_GENERATE_KEY)
		f.key.mechanism = draw(4) ? CKM_AES_KEY_GEN : CKM_GENERIC_SECRET_KEY_GEN;
	else
		p = chance_param(p, mech);
	f.key.param_len = p - start;
	if (nr == LUNA_WRAP) {
		f.key.target = ch.objects[file][draw(2) ? 3 : draw(KNOWN)];
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

/* The payload of @c, if its fields are those of a command that makes sense. */
static unsigned char *chance_payload(const struct command *c, int file, unsigned char *p)
{
	unsigned char *start = p, *mark;
	uint32_t mech = mechs[draw(COUNT(mechs))], i;

	switch (c->nr) {
	case LUNA_SESSION_OPEN:
		f.session_info.flags = CKF_SERIAL_SESSION | (draw(4) ? CKF_RW_SESSION : 0);
		break;
	case LUNA_RANDOM:
		f.random.length = draw(64);
		break;
	case LUNA_DATA_PUT:
		f.data.offset = draw(3) ? 0 : draw(200);
		p += draw(200);
		break;
	case LUNA_DATA_GET:
		f.data.length = draw(500);
		f.data.offset = draw(4) ? ch.more_at : draw(500);
		break;
	case LUNA_LOGIN:
	case LUNA_INIT_PIN:
		p = chance_login(p);
		break;
	case LUNA_SET_PIN:
		mark = chance_pin(p);
		f.pin.pin_len = mark - p;
		p = chance_pin(mark);
		f.pin.new_len = p - mark;
		break;
	case LUNA_INIT_TOKEN:
		memcpy(p, SO_PIN, strlen(SO_PIN));
		f.init_token.pin_len = strlen(SO_PIN);
		f.init_token.domain_len = draw(10);
		f.init_token.type = draw(2);
		f.init_token.flags = draw(8) ? 0 : LUNA_INIT_MOFN;
		p += f.init_token.pin_len + f.init_token.domain_len;
		break;
	case LUNA_APP_ID:
		f.app_id.step = draw(5);
		f.app_id.id[0] = draw(3);
		break;
	case LUNA_ROLE_STATE:
		f.role_state.role = draw(4);
		break;
	case LUNA_POLICY_LIST:
		f.policy_list.scope = draw(2);
		break;
	case LUNA_POLICY_SET:
		f.policy_set.scope = draw(2);
		f.policy_set.count = 1 + draw(2);
		for (i = 0; i < f.policy_set.count; i++, p += 8)
			memcpy(p, (uint32_t[]){ draw(64), draw(3) }, 8);
		break;
	case LUNA_OBJECT_CREATE:
	case LUNA_OBJECT_COPY:
	case LUNA_ATTR_SET:
		p = chance_template(p);
		f.object.template_len = p - start;
		break;
	case LUNA_ATTR_GET:
		for (i = draw(12); i; i--, p += 8)
			memcpy(p, (uint32_t[]){ draw(2) ? draw(0x180) : CKA_VALUE, draw(100) }, 8);
		f.object.template_len = p - start;
		break;
	case LUNA_FIND:
		f.find.max = draw(100);
		p = draw(2) ? p : chance_template(p);
		f.find.template_len = p - start;
		break;
	case LUNA_OP:
		p = chance_op(file, p, mech);
		break;
	case LUNA_MESSAGE:
		p = chance_message(p);
		break;
	case LUNA_GENERATE_PAIR:
		f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
		p = chance_pair(p, &f.key.template_len);
		f.key.template2_len = p - start - f.key.template_len;
		break;
	case LUNA_GENERATE_KEY:
	case LUNA_WRAP:
	case LUNA_UNWRAP:
	case LUNA_DERIVE:
		p = chance_key(c->nr, file, p, mech);
		break;
	case LUNA_MOFN_GENERATE:
		f.mofn.n = 1 + draw(5);
		f.mofn.m = 1 + draw(f.mofn.n);
		for (i = 0; i < f.mofn.n; i++, p += 8)
			memcpy(p, (uint32_t[]){ 1, 512 }, 8);
		break;
	case LUNA_MOFN_ACTIVATE:
		f.mofn.n = 1 + draw(3);
		memcpy(p, ch.blob, ch.blob_len);
		p += ch.blob_len;
		break;
	case LUNA_IMAGE_EXPORT:
		break;
	case LUNA_IMAGE_GET:
		f.data.offset = draw(3) ? 0 : odd_number();
		f.data.length = draw(8) ? draw(6000) : odd_number();
		break;
	case LUNA_IMAGE_PUT:
		f.data.offset = draw(3) ? 0 : odd_number();
		p += draw(3000);
		break;
	case LUNA_IMAGE_RESTORE:
		f.image.role = CKU_USER;
		f.image.so_pin_len = draw(20);
		f.image.domain_len = draw(20);
		f.image.pin_len = draw(20);
		p += f.image.so_pin_len + f.image.domain_len + f.image.pin_len;
		break;
	default:
		if (c->size == sizeof(f.blob)) {
			f.blob.handle = ch.objects[file][draw(2) ? 3 * draw(2) : draw(KNOWN)];
			f.blob.role = CKU_USER;
			f.blob.out_max = draw(8) ? 8192 : odd_number();
			if (c->nr != LUNA_CLONE_SOURCE_INIT && c->nr != LUNA_HA_INIT &&
			    c->nr != LUNA_HA_MASTER_PUBLIC) {
				memcpy(p, ch.blob, ch.blob_len);
				p += ch.blob_len;
			}
			f.blob.blob_len = p - start;
		} else if (c->payload) {
			p += draw(40);
		}
	}
	if (c->size == sizeof(f.object) && c->nr >= LUNA_OBJECT_COPY && c->nr <= LUNA_ATTR_SET)
		f.object.handle = ch.objects[file][draw(KNOWN)];
	return p;
}

/* A few fields, or bytes of the payload, become something else. */
static size_t mutate(size_t len)
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

/* Commands that take long, or end what the others need, come seldom. */
static const struct command *chance_command(void)
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

static void remember(const struct command *c, int file, size_t len)
{
	uint32_t out = f.hdr.out_len;

	ch.more_at = c->nr == LUNA_DATA_GET ? f.data.offset + out : 0;
	if (c->nr == LUNA_SESSION_OPEN)
		ch.sessions[file][draw(KNOWN)] = f.session_info.handle;
	/* The first places are those of keys that fit. */
	if (c->nr == LUNA_OBJECT_CREATE || c->nr == LUNA_OBJECT_COPY)
		ch.objects[file][4 + draw(KNOWN - 4)] = f.object.handle;
	if (c->size == sizeof(f.key) && c->nr != LUNA_WRAP) {
		ch.objects[file][4 + draw(KNOWN - 4)] = f.key.handle;
		if (c->nr == LUNA_GENERATE_PAIR)
			ch.objects[file][4 + draw(KNOWN - 4)] = f.key.handle2;
	}
	if (!out || out > sizeof(ch.blob) || f.hdr.size + out > len)
		return;
	if (c->nr == LUNA_WRAP && out <= sizeof(ch.wrapped)) {
		memcpy(ch.wrapped, f.bytes + f.hdr.size, out);
		ch.wrapped_len = out;
	}
	if (c->size == sizeof(f.blob) || c->nr == LUNA_MOFN_GENERATE) {
		memcpy(ch.blob, f.bytes + f.hdr.size, out);
		ch.blob_len = out;
	}
}

/* One command; what is known of any reply is checked. */
static void chance_step(uint32_t i, const struct command *c, int file)
{
	int err;
	unsigned char *p, fill = draw(256), *end;
	size_t len, asked;
	bool mutated = draw(5) < 2;

	request(0, 0);
	memset(&f, fill, sizeof(f));
	memset(&f, 0, c->size);
	f.hdr.size = c->size;
	if (c->session)
		f.hdr.session = ch.sessions[file][draw(8) ? 0 : draw(KNOWN)];
	p = f.bytes + c->size;
	end = chance_payload(c, file, p);
	f.hdr.in_len = end - p;
	len = end - f.bytes;
	asked = len + (draw(4) ? 4096 : draw(600));
	if (asked > LUNA_IOC_MAX)
		asked = LUNA_IOC_MAX;
	if (mutated)
		asked = mutate(asked);
	memset(f.bytes + asked, fill, sizeof(f) - asked);
	err = carry(ch.fd[file], c->nr, asked);
	if (err) {
		if (mutated ? err != EINVAL && err != E2BIG && err != ENOMEM : 1)
			fail_msg("step %u, %s: %s", i, c->name, strerror(err));
		return;
	}
	if (f.hdr.size > asked || f.hdr.out_len > asked - f.hdr.size)
		fail_msg("step %u, %s: a reply of %u bytes", i, c->name, f.hdr.out_len);
	for (len = asked; len < sizeof(f); len++)
		if (f.bytes[len] != fill)
			fail_msg("step %u, %s: byte %zu behind a buffer of %zu", i, c->name, len, asked);
	if (f.hdr.more && !c->session)
		fail_msg("step %u, %s: more without a session", i, c->name);
	if (f.hdr.rv == CKR_OK)
		remember(c, file, asked);
	else if (f.hdr.rv == CKR_GENERAL_ERROR || f.hdr.rv == CKR_DEVICE_ERROR ||
		 f.hdr.rv == CKR_FUNCTION_FAILED)
		print_message("# step %u, %s: %s\n", i, c->name, rv_name(f.hdr.rv));
}

/* Sees to it that a file has a session, which is logged in and has keys: the first known of each. */
static void refresh(int file)
{
	int fd = ch.fd[file];
	uint32_t *objects = ch.objects[file], s, places[] = { 0, 3 };
	unsigned char list[512], *p, *end;
	size_t i;

	request(sizeof(f.session_info), 0);
	f.hdr.session = ch.sessions[file][0];
	if (run(fd, LUNA_SESSION_INFO, sizeof(f.session_info)) != CKR_OK) {
		request(sizeof(f.session_info), 0);
		f.session_info.flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
		if (run(fd, LUNA_SESSION_OPEN, sizeof(f.session_info)) != CKR_OK)
			return;
		ch.sessions[file][0] = f.session_info.handle;
	}
	s = ch.sessions[file][0];
	with_pin(fd, LUNA_LOGIN, s, CKU_USER, CO_PIN);
	for (i = 0; i < 2; i++) {
		request(sizeof(f.object), 0);
		f.hdr.session = s;
		f.object.handle = objects[places[i]];
		if (run(fd, LUNA_OBJECT_SIZE, sizeof(f.object)) == CKR_OK)
			continue;
		end = put_bool(put_secret(list, false, 32), CKA_EXTRACTABLE, places[i]);
		if (aes_generate(fd, s, list, end - list) == CKR_OK)
			objects[places[i]] = f.key.handle;
	}
	request(sizeof(f.object), 0);
	f.hdr.session = s;
	f.object.handle = objects[2];
	if (run(fd, LUNA_OBJECT_SIZE, sizeof(f.object)) == CKR_OK || draw(16))
		return;
	p = request(sizeof(f.key), 0);
	end = chance_pair(p, &f.key.template_len);
	f.key.template2_len = end - p - f.key.template_len;
	f.hdr.session = s;
	f.hdr.in_len = end - p;
	f.key.mechanism = CKM_RSA_PKCS_KEY_PAIR_GEN;
	if (run(fd, LUNA_GENERATE_PAIR, end - f.bytes) != CKR_OK)
		return;
	objects[1] = f.key.handle;
	objects[2] = f.key.handle2;
}

/* The steps of a protocol between two tokens, each of which may be disturbed. */
static void protocol(uint32_t i)
{
	static const struct {
		uint32_t nr;
		int file;
	} clone[] = {
		{ LUNA_CLONE_SOURCE_INIT, 0 }, { LUNA_CLONE_TARGET_INIT, FILES - 1 },
		{ LUNA_CLONE_SOURCE, 0 }, { LUNA_CLONE_TARGET, FILES - 1 },
	}, ha[] = {
		{ LUNA_HA_MASTER_PUBLIC, 0 }, { LUNA_HA_CHALLENGE, FILES - 1 }, { LUNA_HA_ANSWER, 0 },
		{ LUNA_HA_LOGIN, FILES - 1 },
	};
	bool cloning = draw(2);
	size_t step, j;

	refresh(0);
	refresh(FILES - 1);
	for (step = 0; step < 4; step++)
		for (j = 0; j < command_count; j++)
			if (commands[j].nr == (cloning ? clone[step].nr : ha[step].nr))
				chance_step(i, &commands[j], cloning ? clone[step].file : ha[step].file);
}

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

static void daemon_alive(void)
{
	const char *pid = getenv("LUNA_TEST_DAEMON_PID");

	if (pid && kill(atoi(pid), 0))
		fail_msg("the daemon has gone");
}

void random_commands(void **state)
{
	unsigned long seed = number_of("LUNA_FUZZ_SEED", 20260101);
	unsigned long count = number_of("LUNA_FUZZ_COUNT", 20000), i;
	static const unsigned char cmac_len = 16;
	uint32_t s, key;
	size_t len, j;

	(void)state;
	assert_int_equal(commands[28].nr, LUNA_OP);
	assert_int_equal(commands[29].nr, LUNA_GENERATE_KEY);
	print_message("# seed %lu, %lu commands\n", seed, count);
	ch.x = seed * 0x9e3779b97f4a7c15ull + 1;
	for (i = 0; i < FILES; i++)
		ch.fd[i] = device_open(i == FILES - 1);
	for (i = 0; i < count; i++) {
		if (i % 16 == 0)
			refresh(draw(FILES));
		if (i % 50 == 0)
			protocol(i);
		if (i % 4000 == 3999) {
			for (j = 0; j < FILES; j++) {
				assert_rv(plain(ch.fd[j], LUNA_RESET, 0), CKR_OK);
				memset(ch.sessions[j], 0, sizeof(ch.sessions[j]));
			}
			prepare(0);
			prepare(1);
		}
		chance_step(i, chance_command(), draw(FILES));
	}
	for (i = 0; i < FILES; i++)
		close(ch.fd[i]);
	daemon_alive();

	/* It still does what it is for. */
	prepare(0);
	prepare(1);
	s = session_of_co(dev);
	key = aes_new(dev, s);
	len = op_request(s, LUNA_OP_SIGN, FIRST, CKM_AES_CMAC, key, NULL, 0, "abc", 3);
	assert_rv(run(dev, LUNA_OP, len + 64), CKR_OK);
	assert_int_equal(f.hdr.out_len, cmac_len);
	memcpy(ch.blob, f.bytes + sizeof(f.op), cmac_len);
	op_request(s, LUNA_OP_VERIFY, FIRST, CKM_AES_CMAC, key, NULL, 0, "abc", 3);
	memcpy(f.bytes + sizeof(f.op) + 3, ch.blob, cmac_len);
	f.op.sig_len = cmac_len;
	f.hdr.in_len += cmac_len;
	assert_rv(run(dev, LUNA_OP, sizeof(f.op) + 3 + cmac_len), CKR_OK);
}
