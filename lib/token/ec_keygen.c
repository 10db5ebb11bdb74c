// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Generation of EC pairs (PKCS#11 v3.0, 2.3.5, 2.3.8, 2.3.9). The curve is CKA_EC_PARAMS of the
 * public key's template.
 */
#include "ec.h"
#include "key_cmd.h"

/* What the provider makes; private values are wiped with it. */
struct ec_made {
	u8 point[LUNA_EC_POINT_MAX];
	u8 value[LUNA_EC_MAX];
};

/**
 * struct ec_job - a pair to be made
 * @params: CKA_EC_PARAMS as given, which both keys keep
 * @key_type: CKK_* as the template or the mechanism's number says
 */
struct ec_job {
	struct luna_ucmd *cmd;
	const struct luna_mech *mech;
	const struct luna_key_parts *parts;
	struct luna_num params;
	enum luna_curve curve;
	u32 key_type;
};

static u32 job_init(struct ec_job *job)
{
	u64 asked;
	u32 rv;

	job->key_type = job->mech->key_types[0];
	if (luna_tmpl_ulong(&job->parts->tmpl, CKA_KEY_TYPE, &asked) &&
	    luna_key_type_standard(asked) == luna_key_type_standard(job->key_type))
		job->key_type = asked;
	job->params.data = luna_tmpl_get(&job->parts->tmpl, CKA_EC_PARAMS, &job->params.len);
	if (!job->params.data)
		return CKR_TEMPLATE_INCOMPLETE;
	rv = luna_curve_find(luna_key_type_standard(job->key_type), job->params.data,
			     job->params.len, &job->curve);
	if (!rv && !(luna_curves(job->cmd->token) & BIT(job->curve)))
		rv = CKR_CURVE_NOT_SUPPORTED;
	return rv;
}

static u32 half_make(const struct ec_job *job, const struct ec_made *made, bool private,
		     struct luna_object **obj)
{
	const struct luna_num value = { made->value, luna_curve_bytes(job->curve) };
	struct luna_attrw given;
	u32 rv;

	luna_attrw_init(&given);
	luna_attrw_set(&given, CKA_EC_PARAMS, job->params.data, job->params.len);
	luna_ec_attrs(&given, job->curve, made->point, private ? &value : NULL);
	rv = luna_pair_half(job->cmd, job->mech, job->key_type, private,
			    private ? &job->parts->tmpl2 : &job->parts->tmpl, &given, obj);
	luna_attrw_free(&given);
	return rv;
}

static u32 pair_make(const struct ec_job *job, const struct ec_made *made)
{
	struct luna_object *objs[2];
	u32 rv;

	rv = half_make(job, made, false, &objs[0]);
	if (rv)
		return rv;
	rv = half_make(job, made, true, &objs[1]);
	if (rv) {
		luna_object_put(objs[0]);
		return rv;
	}
	return luna_pair_publish(job->cmd, objs);
}

u32 luna_ec_generate_pair(struct luna_ucmd *cmd, const struct luna_mech *mech,
			  const struct luna_key_parts *parts)
{
	struct ec_job job = { .cmd = cmd, .mech = mech, .parts = parts };
	struct ec_made *made;
	u32 rv;

	rv = job_init(&job);
	if (rv)
		return rv;
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	if (!made)
		return CKR_DEVICE_MEMORY;
	rv = luna_ckr(cmd->token->crypto->ec_generate(job.curve, made->point, made->value));
	if (!rv)
		rv = pair_make(&job, made);
	kfree_sensitive(made);
	return rv;
}
