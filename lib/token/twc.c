// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The token wrapping certificate: an X.509 certificate (RFC 5280) of the token's RSA wrapping key,
 * signed by that key itself. It carries the key and the serial number of its token and proves that
 * whoever made it has the private key; that the token belongs to the domain is proved by the
 * exchange that uses it.
 *
 * A certificate received is read for the few values that vary, made again from them, and compared:
 * so only what luna_twc_make() writes is accepted, in every byte.
 */
#include "der.h"

enum {
	SERIAL_BYTES = 16,		/* of the certificate's serialNumber */
	TIME_MAX = 15,			/* YYYYMMDDHHMMSSZ */
	KEY_MIN = 2048 / 8,
	KEY_MAX = 4096 / 8,
	SIGNATURE_BITS = 1,		/* bytes of a BIT STRING before its bits */
};

#define NAME_PREFIX	"Luna TWC "
#define NAME_PREFIX_LEN	(sizeof(NAME_PREFIX) - 1)
#define ORGANISATION	"Luna software token"

static const u8 version_3[] = { LUNA_DER_CONTEXT, 3, LUNA_DER_INTEGER, 1, 2 };

/* sha256WithRSAEncryption, NULL */
static const u8 signature_alg[] = {
	0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00,
};

static const u8 oid_organisation[] = { LUNA_DER_OID, 3, 0x55, 0x04, 0x0a };
static const u8 oid_common_name[] = { LUNA_DER_OID, 3, 0x55, 0x04, 0x03 };

/*
 * No good end (RFC 5280, 4.1.2.5): the key lives as long as its token. In octal, as the first digit
 * would belong to a hexadecimal escape.
 */
static const u8 not_after[] = "\030\01799991231235959Z";

/* [3]: critical basicConstraints CA:FALSE, critical keyUsage keyEncipherment */
static const u8 extensions[] = {
	0xa3, 0x20, 0x30, 0x1e,
	0x30, 0x0c, 0x06, 0x03, 0x55, 0x1d, 0x13, 0x01, 0x01, 0xff, 0x04, 0x02, 0x30, 0x00,
	0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01, 0x01, 0xff, 0x04, 0x04,
	0x03, 0x02, 0x05, 0x20,
};

/**
 * struct fields - what varies from one certificate to another
 * @number: serialNumber, SERIAL_BYTES bytes, of which the first is 0x40..0x7f
 * @token: digits of the token's serial, without the blanks behind them
 * @begin: notBefore, without header; @begin_tag: which kind of time
 */
struct fields {
	struct luna_num number;
	struct luna_num token;
	struct luna_num begin;
	u8 begin_tag;
	struct luna_num n, e;
};

/* ---- writing ---- */

/* RelativeDistinguishedName with one attribute. */
static void write_rdn(struct luna_derw *w, const u8 oid[5], const void *head, u32 head_len,
		      const void *tail, u32 tail_len)
{
	u32 mark = w->len;

	luna_derw_bytes(w, tail, tail_len);
	luna_derw_bytes(w, head, head_len);
	luna_derw_wrap(w, LUNA_DER_UTF8, mark);
	luna_derw_bytes(w, oid, 5);
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
	luna_derw_wrap(w, LUNA_DER_SET, mark);
}

static void write_name(struct luna_derw *w, const struct fields *f)
{
	u32 mark = w->len;

	write_rdn(w, oid_common_name, NAME_PREFIX, NAME_PREFIX_LEN, f->token.data, f->token.len);
	write_rdn(w, oid_organisation, ORGANISATION, sizeof(ORGANISATION) - 1, NULL, 0);
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
}

static void write_validity(struct luna_derw *w, const struct fields *f)
{
	u32 end = w->len, begin;

	luna_derw_bytes(w, not_after, sizeof(not_after) - 1);
	begin = w->len;
	luna_derw_bytes(w, f->begin.data, f->begin.len);
	luna_derw_wrap(w, f->begin_tag, begin);
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, end);
}

/* SubjectPublicKeyInfo */
static void write_key(struct luna_derw *w, const struct fields *f)
{
	u32 mark = w->len;

	luna_derw_uint(w, &f->e);
	luna_derw_uint(w, &f->n);
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
	luna_derw_bytes(w, "", 1);
	luna_derw_wrap(w, LUNA_DER_BITS, mark);
	luna_derw_bytes(w, luna_der_rsa_alg, sizeof(luna_der_rsa_alg));
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
}

/* TBSCertificate. Return: its length or -ENOSPC. */
static int write_tbs(const struct fields *f, u8 *out, u32 room)
{
	struct luna_derw w;

	luna_derw_init(&w, out, room);
	luna_derw_bytes(&w, extensions, sizeof(extensions));
	write_key(&w, f);
	write_name(&w, f);
	write_validity(&w, f);
	write_name(&w, f);
	luna_derw_bytes(&w, signature_alg, sizeof(signature_alg));
	luna_derw_uint(&w, &f->number);
	luna_derw_bytes(&w, version_3, sizeof(version_3));
	luna_derw_wrap(&w, LUNA_DER_SEQUENCE, 0);
	return luna_derw_finish(&w);
}

/* Certificate. Return: its length or -ENOSPC. */
static int write_certificate(const u8 *tbs, u32 tbs_len, const u8 *sig, u32 sig_len, u8 *out,
			     u32 room)
{
	struct luna_derw w;

	luna_derw_init(&w, out, room);
	luna_derw_bytes(&w, sig, sig_len);
	luna_derw_bytes(&w, "", 1);
	luna_derw_wrap(&w, LUNA_DER_BITS, 0);
	luna_derw_bytes(&w, signature_alg, sizeof(signature_alg));
	luna_derw_bytes(&w, tbs, tbs_len);
	luna_derw_wrap(&w, LUNA_DER_SEQUENCE, 0);
	return luna_derw_finish(&w);
}

/* ---- signing and verifying ---- */

/* The encoded message that a signature of @tbs is made of. */
static int encode_tbs(struct luna_token *token, const u8 *tbs, u32 len, u8 *em, u32 k)
{
	u8 digest[LUNA_HASH_MAX];
	int err = luna_hash_once(token->crypto, LUNA_SHA256, tbs, len, digest);

	if (err)
		return err;
	return luna_pkcs1_pad_sign(LUNA_SHA256, digest, luna_hash_len(LUNA_SHA256), em, k);
}

/* @sig: as long as the modulus */
static int sign_tbs(struct luna_token *token, const struct luna_rsa_nums *nums, const u8 *tbs,
		    u32 len, u8 *sig)
{
	struct luna_rsa_key *key = token->crypto->rsa_key(nums);
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	err = encode_tbs(token, tbs, len, sig, nums->n.len);
	if (!err)
		err = luna_rsa_private(token, key, sig, sig, nums->n.len);
	token->crypto->rsa_key_free(key);
	return err;
}

static int verify_tbs(struct luna_token *token, const struct fields *f, const u8 *tbs, u32 len,
		      const u8 *sig)
{
	const struct luna_rsa_nums nums = { .n = f->n, .e = f->e };
	struct luna_rsa_key *key;
	u32 k = f->n.len;
	u8 *em;
	int err;

	key = token->crypto->rsa_key(&nums);
	if (IS_ERR(key))
		return PTR_ERR(key);
	em = kmalloc(2 * k, GFP_KERNEL);
	err = em ? encode_tbs(token, tbs, len, em, k) : -ENOMEM;
	if (!err)
		memcpy(em + k, sig, k);
	if (!err)
		err = token->crypto->rsa_public(key, em + k, em + k);
	if (!err && crypto_memneq(em, em + k, k))
		err = -EBADMSG;
	kfree(em);
	token->crypto->rsa_key_free(key);
	return err;
}

/* ---- making ---- */

/* The time in the form that its year demands. Return: its length. */
static u32 format_time(u64 now, u8 *tag, char out[32])
{
	struct tm tm;
	int year;

	time64_to_tm(min_t(u64, now, 253402300799ULL), 0, &tm);	/* the last second of 9999 */
	year = tm.tm_year + 1900;
	*tag = year < 2050 ? LUNA_DER_UTC_TIME : LUNA_DER_TIME;
	return scnprintf(out, 32, *tag == LUNA_DER_UTC_TIME ? "%02d%02d%02d%02d%02d%02dZ" :
			 "%04d%02d%02d%02d%02d%02dZ",
			 *tag == LUNA_DER_UTC_TIME ? year % 100 : year, tm.tm_mon + 1, tm.tm_mday,
			 tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int draw_number(struct luna_token *token, u8 number[SERIAL_BYTES])
{
	int err = token->crypto->random(number, SERIAL_BYTES);

	number[0] = (number[0] & 0x3f) | 0x40;
	return err;
}

static u32 serial_digits(const u8 serial[LUNA_SERIAL_LEN])
{
	u32 len = LUNA_SERIAL_LEN;

	while (len && serial[len - 1] == ' ')
		len--;
	return len;
}

/* Certificate of the key @nums into @state; @work: LUNA_TWC_MAX bytes and the modulus' length */
static int make_certificate(struct luna_token *token, struct luna_state *state,
			    const struct luna_rsa_nums *nums, u8 *work)
{
	struct fields f = { .n = nums->n, .e = nums->e };
	u8 number[SERIAL_BYTES], *sig = work + LUNA_TWC_MAX;
	char begin[32];
	int len, err;

	err = draw_number(token, number);
	if (err)
		return err;
	f.number = (struct luna_num){ number, sizeof(number) };
	f.token = (struct luna_num){ state->serial, serial_digits(state->serial) };
	f.begin.len = format_time(luna_now(token), &f.begin_tag, begin);
	f.begin.data = (const u8 *)begin;
	len = write_tbs(&f, work, LUNA_TWC_MAX);
	if (len < 0)
		return len;
	err = sign_tbs(token, nums, work, len, sig);
	if (err)
		return err;
	len = write_certificate(work, len, sig, nums->n.len, state->twc, sizeof(state->twc));
	state->twc_len = max(len, 0);
	return min(len, 0);
}

static int make_from(struct luna_token *token, struct luna_state *state,
		     struct luna_secrets *secrets, const struct luna_rsa_nums *nums)
{
	const struct luna_der_rsa key = {
		.n = nums->n, .e = nums->e, .d = nums->d, .p = nums->p, .q = nums->q,
		.dp = nums->dp, .dq = nums->dq, .qi = nums->qi,
	};
	u8 *work;
	int err;

	err = luna_der_rsa_private(&key, secrets->twc_key, sizeof(secrets->twc_key));
	if (err < 0)
		return err;
	secrets->twc_key_len = err;
	work = kmalloc(LUNA_TWC_MAX + nums->n.len, GFP_KERNEL);
	if (!work)
		return -ENOMEM;
	err = make_certificate(token, state, nums, work);
	kfree(work);
	return err;
}

int luna_twc_make(struct luna_token *token, struct luna_state *state, struct luna_secrets *secrets)
{
	static const u8 exponent[] = { 1, 0, 1 };
	struct luna_rsa_made *made;
	struct luna_rsa_nums nums;
	u32 whole = LUNA_TWC_BITS / 8, half = (whole + 1) / 2;
	int err;

	made = token->crypto->rsa_generate(LUNA_TWC_BITS, exponent, sizeof(exponent));
	if (IS_ERR(made))
		return PTR_ERR(made);
	nums = (struct luna_rsa_nums){
		.n = { made->n, whole }, .e = { exponent, sizeof(exponent) },
		.d = { made->d, whole }, .p = { made->p, half }, .q = { made->q, half },
		.dp = { made->dp, half }, .dq = { made->dq, half }, .qi = { made->qi, half },
	};
	err = make_from(token, state, secrets, &nums);
	kfree_sensitive(made);
	return err;
}

/* ---- checking ---- */

static struct luna_num rest_of(struct luna_rd *rd)
{
	u32 len = luna_rd_left(rd);

	return (struct luna_num){ luna_rd_bytes(rd, len), len };
}

/* SubjectPublicKeyInfo */
static void read_key(struct luna_rd *rd, struct fields *f)
{
	struct luna_rd info, bits, seq;

	luna_der_enter(rd, LUNA_DER_SEQUENCE, &info);
	luna_der_expect(&info, luna_der_rsa_alg, sizeof(luna_der_rsa_alg));
	luna_der_enter(&info, LUNA_DER_BITS, &bits);
	luna_rd_u8(&bits);
	luna_der_enter(&bits, LUNA_DER_SEQUENCE, &seq);
	luna_der_uint(&seq, &f->n);
	luna_der_uint(&seq, &f->e);
	rd->bad |= seq.bad;
}

/* Name: the digits behind NAME_PREFIX in its second attribute. */
static void read_name(struct luna_rd *rd, struct fields *f)
{
	struct luna_rd name, set, seq, text;

	luna_der_enter(rd, LUNA_DER_SEQUENCE, &name);
	luna_der_enter(&name, LUNA_DER_SET, &set);
	luna_der_enter(&name, LUNA_DER_SET, &set);
	luna_der_enter(&set, LUNA_DER_SEQUENCE, &seq);
	luna_der_expect(&seq, oid_common_name, sizeof(oid_common_name));
	luna_der_enter(&seq, LUNA_DER_UTF8, &text);
	luna_rd_bytes(&text, NAME_PREFIX_LEN);
	f->token = rest_of(&text);
	rd->bad |= text.bad;
}

/* TBSCertificate; what does not vary is passed over, since it is compared as a whole. */
static void read_tbs(struct luna_rd *rd, struct fields *f)
{
	struct luna_rd tbs, skip, validity, begin;

	luna_der_enter(rd, LUNA_DER_SEQUENCE, &tbs);
	luna_der_expect(&tbs, version_3, sizeof(version_3));
	luna_der_uint(&tbs, &f->number);
	luna_der_expect(&tbs, signature_alg, sizeof(signature_alg));
	luna_der_enter(&tbs, LUNA_DER_SEQUENCE, &skip);
	luna_der_enter(&tbs, LUNA_DER_SEQUENCE, &validity);
	f->begin_tag = luna_rd_left(&validity) && validity.data[0] == LUNA_DER_TIME ?
		       LUNA_DER_TIME : LUNA_DER_UTC_TIME;
	luna_der_enter(&validity, f->begin_tag, &begin);
	f->begin = rest_of(&begin);
	read_name(&tbs, f);
	read_key(&tbs, f);
	rd->bad |= tbs.bad | begin.bad;
}

static bool all_digits(const u8 *text, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* Values that luna_twc_make() could have put in. */
static bool fields_fit(const struct fields *f)
{
	u32 time_len = f->begin_tag == LUNA_DER_TIME ? TIME_MAX : TIME_MAX - 2;

	return f->number.len == SERIAL_BYTES && (f->number.data[0] & 0xc0) == 0x40 &&
	       f->token.len && f->token.len <= LUNA_SERIAL_LEN &&
	       all_digits(f->token.data, f->token.len) && f->begin.len == time_len &&
	       all_digits(f->begin.data, time_len - 1) && f->begin.data[time_len - 1] == 'Z' &&
	       f->n.len >= KEY_MIN && f->n.len <= KEY_MAX && f->n.data[0] & 0x80 &&
	       f->n.data[f->n.len - 1] & 1 && f->e.len && f->e.len < f->n.len &&
	       f->e.data[f->e.len - 1] & 1 && (f->e.len > 1 || f->e.data[0] > 1);
}

/* The same bytes come out when they are written again. */
static int compare_tbs(const struct fields *f, const u8 *tbs, u32 len)
{
	u8 *work = kmalloc(LUNA_TWC_MAX, GFP_KERNEL);
	int made;

	if (!work)
		return -ENOMEM;
	made = write_tbs(f, work, LUNA_TWC_MAX);
	if (made < 0 || made != (int)len || memcmp(work, tbs, len))
		made = -EBADMSG;
	kfree(work);
	return min(made, 0);
}

int luna_twc_parse(struct luna_token *token, const u8 *twc, u32 len, struct luna_num *n,
		   struct luna_num *e, u8 serial[LUNA_SERIAL_LEN])
{
	struct luna_rd rd, cert, bits;
	struct fields f = { };
	const u8 *sig;
	u32 tbs_len;
	int err;

	luna_rd_init(&rd, twc, len);
	luna_der_enter(&rd, LUNA_DER_SEQUENCE, &cert);
	read_tbs(&cert, &f);
	tbs_len = cert.at;
	luna_der_expect(&cert, signature_alg, sizeof(signature_alg));
	luna_der_enter(&cert, LUNA_DER_BITS, &bits);
	bits.bad |= luna_rd_u8(&bits);
	sig = luna_rd_bytes(&bits, f.n.len);
	if (len > LUNA_TWC_MAX || !luna_rd_done(&rd) || !luna_rd_done(&cert) ||
	    !luna_rd_done(&bits) || !fields_fit(&f))
		return -EBADMSG;
	err = compare_tbs(&f, cert.data, tbs_len);
	if (!err)
		err = verify_tbs(token, &f, cert.data, tbs_len, sig);
	if (err)
		return err == -EINVAL ? -EBADMSG : err;
	memset(serial, ' ', LUNA_SERIAL_LEN);
	memcpy(serial, f.token.data, f.token.len);
	*n = f.n;
	*e = f.e;
	return 0;
}
