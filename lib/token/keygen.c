// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Key generation. An RSA pair may take minutes: it is made while no lock but its session's is
 * held, and only after everything that can be refused has been: both objects are made once from
 * numbers of the right size that are no key, thrown away, and made again from the key.
 */
#include "derive.h"
#include "des3.h"
#include "key_cmd.h"

enum {
	/*
	 * At work at once on a token. Each takes a processor and a worker of the host; the next
	 * gets CKR_BUSY rather than a place in a queue without end.
	 */
	KEYGENS_MAX = 16,
	/* The modulus has whole bytes (struct luna_rsa_made). */
	RSA_BITS_STEP = 8,
	RSA_EXPONENT_MAX = 32,
};

/* ---- payload ---- */

/* Takes @len bytes off the payload. */
static const u8 *payload_take(const struct luna_ucmd *cmd, u32 *at, u32 len, bool *bad)
{
	const u8 *bytes = cmd->in + *at;

	if (len > cmd->in_len - *at) {
		*bad = true;
		return NULL;
	}
	*at += len;
	return bytes;
}

u32 luna_key_parts(struct luna_ucmd *cmd, u32 flag, struct luna_key_parts *parts,
		   const struct luna_mech **mech)
{
	const struct luna_key *arg = cmd->arg;
	const u8 *tmpl, *tmpl2;
	bool bad = arg->reserved;
	u32 at = 0, rv;

	*mech = luna_mech_find(cmd->token, arg->mechanism);
	if (!*mech || !(luna_mech_flags(cmd->token, *mech) & flag))
		return CKR_MECHANISM_INVALID;
	if (arg->param_len == LUNA_PARAM_MALFORMED)
		return CKR_MECHANISM_PARAM_INVALID;
	parts->param_len = arg->param_len;
	parts->data_len = arg->data_len;
	parts->param = payload_take(cmd, &at, arg->param_len, &bad);
	tmpl = payload_take(cmd, &at, arg->template_len, &bad);
	tmpl2 = payload_take(cmd, &at, arg->template2_len, &bad);
	parts->data = payload_take(cmd, &at, arg->data_len, &bad);
	if (bad || at != cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	rv = luna_tmpl_check(&parts->tmpl, tmpl, arg->template_len);
	return rv ?: luna_tmpl_check(&parts->tmpl2, tmpl2, arg->template2_len);
}

/* ---- secret keys ---- */

static const u32 generic_types[] = {
	CKK_GENERIC_SECRET, CKK_SHA_1_HMAC, CKK_SHA224_HMAC, CKK_SHA256_HMAC, CKK_SHA384_HMAC,
	CKK_SHA512_HMAC, CKK_SHA3_224_HMAC, CKK_SHA3_256_HMAC, CKK_SHA3_384_HMAC,
	CKK_SHA3_512_HMAC, CKK_HKDF,
};

static bool is_generic(u64 key_type)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(generic_types); i++)
		if (generic_types[i] == key_type)
			return true;
	return false;
}

bool luna_secret_len_fits(u32 key_type, u64 len)
{
	if (key_type == CKK_AES)
		return len == 16 || len == 24 || len == 32;
	if (key_type == CKK_AES_XTS)
		return len == 32 || len == 64;
	if (luna_des3_key_len(key_type))
		return len == luna_des3_key_len(key_type);
	return is_generic(key_type) && len && len <= LUNA_SECRET_MAX;
}

u32 luna_secret_len_need(const struct luna_tmpl *tmpl, u32 key_type, u64 *len)
{
	u32 rv = luna_tmpl_need(tmpl, CKA_VALUE_LEN, len);

	if (rv != CKR_TEMPLATE_INCOMPLETE || !luna_des3_key_len(key_type))
		return rv;
	*len = luna_des3_key_len(key_type);
	return CKR_OK;
}

/* The type that the mechanism makes: the template may ask for an HMAC key by name. */
static u32 secret_type(const struct luna_mech *mech, const struct luna_tmpl *tmpl)
{
	u64 asked;

	if (mech->variant == LUNA_GEN_SECRET && luna_tmpl_ulong(tmpl, CKA_KEY_TYPE, &asked) &&
	    is_generic(asked))
		return asked;
	return mech->key_types[0];
}

/* Of triple DES: with its parity, and not one of the few that are weak. */
static int draw_secret(const struct luna_crypto_ops *crypto, u32 key_type, u8 *value, u32 len)
{
	int err;

	do {
		err = crypto->random(value, len);
		if (err || !luna_des3_key_len(key_type))
			return err;
		luna_des3_set_parity(value, len);
	} while (luna_des3_weak(value, len));
	return 0;
}

static u32 secret_attrs(struct luna_ucmd *cmd, const struct luna_mech *mech, u32 key_type, u32 len,
			struct luna_attrw *w)
{
	u8 *value = kmalloc(len, GFP_KERNEL);
	int err;

	if (!value)
		return CKR_DEVICE_MEMORY;
	err = draw_secret(cmd->token->crypto, key_type, value, len);
	luna_attrw_ulong(w, CKA_CLASS, CKO_SECRET_KEY);
	luna_attrw_ulong(w, CKA_KEY_TYPE, key_type);
	luna_attrw_ulong(w, CKA_KEY_GEN_MECHANISM, mech->type);
	luna_attrw_set(w, CKA_VALUE, value, len);
	kfree_sensitive(value);
	return luna_ckr(err ?: w->err);
}

/**
 * luna_do_generate_key() - LUNA_GENERATE_KEY: C_GenerateKey
 */
u32 luna_do_generate_key(struct luna_ucmd *cmd)
{
	struct luna_key *arg = cmd->arg;
	const struct luna_mech *mech;
	struct luna_key_parts parts;
	struct luna_object *obj;
	struct luna_attrw given;
	u64 len;
	u32 type, rv;

	rv = luna_key_parts(cmd, CKF_GENERATE, &parts, &mech);
	if (rv)
		return rv;
	if (parts.tmpl2.len || parts.data_len)
		return CKR_ARGUMENTS_BAD;
	if (mech->derive)
		return luna_derive_generate(cmd, mech, &parts);
	if (parts.param_len)
		return CKR_MECHANISM_PARAM_INVALID;
	type = secret_type(mech, &parts.tmpl);
	rv = luna_secret_len_need(&parts.tmpl, type, &len);
	if (rv)
		return rv;
	if (!luna_secret_len_fits(type, len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	luna_attrw_init(&given);
	rv = secret_attrs(cmd, mech, type, len, &given);
	if (!rv)
		rv = luna_object_make(cmd->session, LUNA_BY_GENERATE, &parts.tmpl, &given, &obj);
	luna_attrw_free(&given);
	if (rv)
		return rv;
	rv = luna_objects_publish(cmd->session, &obj, 1, &arg->handle);
	if (rv)
		luna_object_put(obj);
	return rv;
}

/* ---- RSA pairs ---- */

/**
 * struct pair_job - a pair to be made
 * @pub, @priv: templates
 * @e: public exponent
 */
struct pair_job {
	struct luna_ucmd *cmd;
	const struct luna_mech *mech;
	struct luna_tmpl pub, priv;
	u8 e[RSA_EXPONENT_MAX];
	u32 e_len;
	u32 bits;
};

static void num_set(struct luna_attrw *w, u32 type, const struct luna_num *num)
{
	const u8 *data = num->data;
	u32 len = num->len;

	while (len && !*data) {
		data++;
		len--;
	}
	if (len)
		luna_attrw_set(w, type, data, len);
}

void luna_rsa_attrs(struct luna_attrw *w, const struct luna_der_rsa *key, bool private)
{
	num_set(w, CKA_MODULUS, &key->n);
	num_set(w, CKA_PUBLIC_EXPONENT, &key->e);
	if (!private)
		return;
	num_set(w, CKA_PRIVATE_EXPONENT, &key->d);
	num_set(w, CKA_PRIME_1, &key->p);
	num_set(w, CKA_PRIME_2, &key->q);
	num_set(w, CKA_EXPONENT_1, &key->dp);
	num_set(w, CKA_EXPONENT_2, &key->dq);
	num_set(w, CKA_COEFFICIENT, &key->qi);
}

/*
 * No exponent, or one of zero, asks for the usual one, which is the least that FIPS mode takes
 * (FIPS 186-5, 5.1 and A.1.1): odd ones of three bytes are not below it.
 */
static u32 job_exponent(struct pair_job *job)
{
	static const u8 usual[] = { 1, 0, 1 };
	const u8 *e;
	u32 len, min = luna_fips_mode(job->cmd->token) ? sizeof(usual) : 1;

	e = luna_tmpl_get(&job->pub, CKA_PUBLIC_EXPONENT, &len);
	while (e && len && !*e) {
		e++;
		len--;
	}
	if (!e || !len) {
		e = usual;
		len = sizeof(usual);
	}
	if (len < min || len > sizeof(job->e) || !(e[len - 1] & 1) || (len == 1 && e[0] < 3))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	memcpy(job->e, e, len);
	job->e_len = len;
	return CKR_OK;
}

static u32 job_init(struct pair_job *job)
{
	u64 bits;
	u32 rv;

	rv = luna_tmpl_need(&job->pub, CKA_MODULUS_BITS, &bits);
	if (rv)
		return rv;
	if (bits > LUNA_RSA_MAX_BITS ||
	    !luna_mech_key_size(job->cmd->token, job->mech, false, bits / 8))
		return CKR_KEY_SIZE_RANGE;
	if (bits % RSA_BITS_STEP)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	job->bits = bits;
	return job_exponent(job);
}

u32 luna_pair_half(struct luna_ucmd *cmd, const struct luna_mech *mech, u32 key_type, bool private,
		   const struct luna_tmpl *tmpl, struct luna_attrw *given, struct luna_object **obj)
{
	*obj = NULL;
	luna_attrw_ulong(given, CKA_CLASS, private ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
	luna_attrw_ulong(given, CKA_KEY_TYPE, key_type);
	luna_attrw_ulong(given, CKA_KEY_GEN_MECHANISM, mech->type);
	if (given->err)
		return luna_ckr(given->err);
	return luna_object_make(cmd->session, LUNA_BY_GENERATE, tmpl, given, obj);
}

u32 luna_pair_publish(struct luna_ucmd *cmd, struct luna_object *objs[2])
{
	struct luna_key *arg = cmd->arg;
	u32 handles[2], rv;

	rv = luna_objects_publish(cmd->session, objs, 2, handles);
	if (rv) {
		luna_object_put(objs[0]);
		luna_object_put(objs[1]);
		return rv;
	}
	arg->handle = handles[0];
	arg->handle2 = handles[1];
	return CKR_OK;
}

/* One half of the pair. */
static u32 half_make(const struct pair_job *job, const struct luna_der_rsa *key, bool private,
		     struct luna_object **obj)
{
	struct luna_attrw given;
	u32 rv;

	luna_attrw_init(&given);
	luna_rsa_attrs(&given, key, private);
	rv = luna_pair_half(job->cmd, job->mech, CKK_RSA, private,
			    private ? &job->priv : &job->pub, &given, obj);
	luna_attrw_free(&given);
	return rv;
}

static u32 pair_make(const struct pair_job *job, const struct luna_rsa_made *made,
		     struct luna_object *objs[2])
{
	u32 whole = job->bits / 8, half = (whole + 1) / 2, rv;
	const struct luna_der_rsa key = {
		.n = { made->n, whole }, .e = { job->e, job->e_len }, .d = { made->d, whole },
		.p = { made->p, half }, .q = { made->q, half }, .dp = { made->dp, half },
		.dq = { made->dq, half }, .qi = { made->qi, half },
	};

	rv = half_make(job, &key, false, &objs[0]);
	if (rv)
		return rv;
	rv = half_make(job, &key, true, &objs[1]);
	if (rv)
		luna_object_put(objs[0]);
	return rv;
}

/* Would the pair be accepted? Tried with odd numbers of the right length. */
static u32 pair_try(const struct pair_job *job)
{
	struct luna_rsa_made *made = kzalloc(sizeof(*made), GFP_KERNEL);
	u32 whole = job->bits / 8, half = (whole + 1) / 2, rv;
	struct luna_object *objs[2];

	if (!made)
		return CKR_DEVICE_MEMORY;
	memset(made->n, 0xff, whole);
	memset(made->d, 0x7f, whole);
	memset(made->p, 0xff, half);
	memset(made->q, 0xff, half);
	memset(made->dp, 0xff, half);
	memset(made->dq, 0xff, half);
	memset(made->qi, 0xff, half);
	rv = pair_make(job, made, objs);
	kfree(made);
	if (rv)
		return rv;
	luna_object_put(objs[0]);
	luna_object_put(objs[1]);
	return CKR_OK;
}

bool luna_keygen_begin(struct luna_token *token)
{
	return atomic_inc_return(&token->keygens) <= KEYGENS_MAX;
}

void luna_keygen_end(struct luna_token *token)
{
	atomic_dec(&token->keygens);
}

/* The slow part. */
static u32 pair_generate(const struct pair_job *job, struct luna_rsa_made **made)
{
	struct luna_token *token = job->cmd->token;
	u32 rv = CKR_BUSY;

	if (luna_keygen_begin(token)) {
		*made = token->crypto->rsa_generate(job->bits, job->e, job->e_len);
		rv = IS_ERR(*made) ? luna_ckr(PTR_ERR(*made)) : CKR_OK;
		/* A size or an exponent that this provider cannot do. */
		if (rv && PTR_ERR(*made) == -EINVAL)
			rv = CKR_ATTRIBUTE_VALUE_INVALID;
	}
	luna_keygen_end(token);
	return rv;
}

static u32 pair_run(struct pair_job *job)
{
	struct luna_object *objs[2];
	struct luna_rsa_made *made;
	u32 rv;

	rv = job_init(job);
	rv = rv ?: pair_try(job);
	rv = rv ?: pair_generate(job, &made);
	if (rv)
		return rv;
	rv = pair_make(job, made, objs);
	kfree_sensitive(made);
	return rv ?: luna_pair_publish(job->cmd, objs);
}

/**
 * luna_do_generate_pair() - LUNA_GENERATE_PAIR: C_GenerateKeyPair
 */
u32 luna_do_generate_pair(struct luna_ucmd *cmd)
{
	struct pair_job job = { .cmd = cmd };
	struct luna_key_parts parts;
	u32 rv;

	rv = luna_key_parts(cmd, CKF_GENERATE_KEY_PAIR, &parts, &job.mech);
	if (rv)
		return rv;
	if (parts.param_len)
		return CKR_MECHANISM_PARAM_INVALID;
	if (parts.data_len)
		return CKR_ARGUMENTS_BAD;
	if (job.mech->variant != LUNA_GEN_RSA)
		return luna_ec_generate_pair(cmd, job.mech, &parts);
	job.pub = parts.tmpl;
	job.priv = parts.tmpl2;
	return pair_run(&job);
}
