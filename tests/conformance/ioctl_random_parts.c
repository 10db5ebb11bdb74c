// SPDX-License-Identifier: MIT
/* What random requests are made of: numbers, and parameters, templates and PINs that may suit. */
#include "ioctl_random.h"

uint32_t draw(uint32_t below)
{
	ch.x ^= ch.x << 13;
	ch.x ^= ch.x >> 7;
	ch.x ^= ch.x << 17;
	return below ? (ch.x * 0x2545f4914f6cdd1dull >> 32) % below : 0;
}

uint32_t odd_number(void)
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

unsigned char *chance_param(unsigned char *p, uint32_t mech)
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

unsigned char *chance_template(unsigned char *p)
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

unsigned char *chance_pair(unsigned char *p, uint32_t *first)
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

unsigned char *chance_pin(unsigned char *p)
{
	static const char *const pins[] = { SO_PIN, CO_PIN, CU_PIN, "wrong-pin-0", "" };
	const char *pin = pins[draw(20) ? draw(3) : draw(COUNT(pins))];

	memcpy(p, pin, strlen(pin));
	return p + strlen(pin);
}
