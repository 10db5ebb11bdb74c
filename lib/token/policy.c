// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Capabilities and policies of the partition and of the HSM, by the product's numbers. A capability
 * is the most that the device allows; a policy is what the partition SO made of it. What this
 * device cannot do has capability 0, so that no policy is listed that has no effect.
 */
#include "cmd.h"
#include "log.h"
#include "object.h"
#include "policy.h"

enum {
	P_SECURE = LUNA_POLICY_OFF_TO_ON_DESTRUCTIVE,
	P_LAX = LUNA_POLICY_ON_TO_OFF_DESTRUCTIVE,
	P_FIXED = LUNA_POLICY_WRITE_RESTRICTED,
	P_CAP = LUNA_POLICY_CAPABILITY_ONLY,
};

/**
 * struct policy_row - a policy
 * @least: smallest value it may have
 * @excludes: id + 1 of a policy that may not be on at the same time
 */
struct policy_row {
	u8 id;
	u8 bits;
	u8 excludes;
	u32 flags;
	u32 capability;
	u32 least;
	u32 value;
	const char *name;
};

/*
 * Policy 25 stores 255 - length. The product's default is 247, 8 characters; here it is 251, since
 * PKCS#11 programs that are tested with software tokens use PINs of 4. Policy 9 is on by default
 * for the same reason: C_DigestKey works on other tokens.
 */
static const struct policy_row partition_rows[] = {
	{ 0, 1, 1 + 1, P_SECURE, 1, 0, 1, "Allow private key cloning" },
	{ 1, 1, 0 + 1, P_SECURE, 1, 0, 0, "Allow private key wrapping" },
	{ 2, 1, 0, 0, 1, 0, 1, "Allow private key unwrapping" },
	{ 3, 1, 0, P_SECURE, 0, 0, 0, "Allow private key masking" },
	{ 4, 1, 0, P_SECURE, 1, 0, 1, "Allow secret key cloning" },
	{ 5, 1, 0, P_SECURE, 1, 0, 1, "Allow secret key wrapping" },
	{ 6, 1, 0, 0, 1, 0, 1, "Allow secret key unwrapping" },
	{ 7, 1, 0, P_SECURE, 0, 0, 0, "Allow secret key masking" },
	{ 9, 1, 0, P_SECURE, 1, 0, 1, "Allow DigestKey" },
	{ 10, 1, 0, P_SECURE, 1, 0, 1, "Allow multipurpose keys" },
	{ 11, 1, 0, P_SECURE, 1, 0, 1, "Allow changing key attributes" },
	{ 15, 1, 0, P_FIXED, 0, 0, 0, "Ignore failed challenge responses" },
	{ 16, 1, 0, P_FIXED, 0, 0, 0, "Operate without RSA blinding" },
	{ 17, 1, 0, 0, 1, 0, 1, "Allow signing with non-local keys" },
	{ 18, 1, 0, P_SECURE, 1, 0, 1, "Allow raw RSA operations" },
	{ 20, 8, 0, 0, 10, 1, 10, "Max failed user logins allowed" },
	{ 21, 1, 0, 0, 1, 0, 1, "Allow high availability recovery" },
	{ 22, 1, 0, P_FIXED, 0, 0, 0, "Allow activation" },
	{ 23, 1, 0, P_FIXED, 0, 0, 0, "Allow auto-activation" },
	{ 25, 8, 0, 0, 251, 0, 251, "Minimum PIN length (inverted: 255 - min)" },
	{ 26, 8, 0, 0, 255, 8, 255, "Maximum PIN length" },
	{ 28, 1, 0, P_SECURE, 1, 0, 1, "Allow Key Management Functions" },
	{ 29, 1, 0, P_FIXED, 1, 1, 1, "Perform RSA signing without confirmation" },
	{ 31, 1, 0, P_FIXED, 0, 0, 0, "Allow private key unmasking" },
	{ 32, 1, 0, P_FIXED, 0, 0, 0, "Allow secret key unmasking" },
	{ 33, 1, 0, P_SECURE, 1, 0, 1, "Allow RSA PKCS mechanism" },
	{ 34, 1, 0, P_SECURE, 1, 0, 1, "Allow CBC-PAD (un)wrap keys of any size" },
	{ 37, 1, 0, P_FIXED, 0, 0, 0, "Force Secure Trusted Channel" },
	{ 39, 1, 0, P_FIXED, 0, 0, 0, "Allow start/end date attributes" },
	{ 40, 1, 0, P_FIXED, 0, 0, 0, "Require Per-Key Authorization Data" },
	{ 41, 1, 0, P_FIXED, 0, 0, 0, "Partition version" },
	{ 42, 1, 0, P_FIXED, 0, 0, 0, "Allow CPv1" },
	{ 43, 1, 0, P_SECURE, 1, 0, 1, "Allow non-FIPS algorithms" },
	{ 44, 1, 0, P_FIXED, 0, 0, 0, "Allow extended domain management" },
};

static const struct policy_row hsm_rows[] = {
	{ 0, 1, 0, P_FIXED, 1, 1, 1, "Enable PIN-based authentication" },
	{ 1, 1, 0, P_FIXED, 0, 0, 0, "Enable PED-based authentication" },
	{ 3, 1, 0, P_FIXED | P_CAP, 1, 1, 1, "Enable M of N" },
	{ 6, 1, 0, P_FIXED, 0, 0, 0, "Allow masking" },
	{ 7, 1, 0, P_SECURE | P_LAX, 1, 0, 1, "Allow cloning" },
	{ 12, 1, 0, P_SECURE | P_LAX, 1, 0, 1, "Allow non-FIPS algorithms" },
	{ 15, 1, 0, P_SECURE, 1, 0, 1, "SO can reset partition PIN" },
	{ 16, 1, 0, 0, 1, 0, 1, "Allow network replication" },
	{ 21, 1, 0, P_FIXED, 0, 0, 0, "Force user PIN change after set/reset" },
	{ 33, 8, 0, P_FIXED | P_CAP, 1, 1, 1, "Maximum number of partitions" },
	{ 41, 1, 0, P_FIXED, 1, 1, 1, "Allow per-partition SO" },
};

struct policy_scope {
	const struct policy_row *rows;
	u32 count;
};

static bool scope_get(u32 scope, struct policy_scope *out)
{
	if (scope == LUNA_SCOPE_PARTITION)
		*out = (struct policy_scope){ partition_rows, ARRAY_SIZE(partition_rows) };
	else if (scope == LUNA_SCOPE_HSM)
		*out = (struct policy_scope){ hsm_rows, ARRAY_SIZE(hsm_rows) };
	else
		return false;
	return true;
}

static u32 *scope_values(struct luna_state *state, u32 scope)
{
	return scope == LUNA_SCOPE_HSM ? state->hsm_policies : state->policies;
}

static bool scope_possible(const struct luna_state *state, u32 scope)
{
	const u32 *values = scope == LUNA_SCOPE_HSM ? state->hsm_policies : state->policies;
	struct policy_scope rows;
	u32 i;

	scope_get(scope, &rows);
	for (i = 0; i < rows.count; i++)
		if (values[rows.rows[i].id] > rows.rows[i].capability ||
		    values[rows.rows[i].id] < rows.rows[i].least)
			return false;
	return true;
}

bool luna_policies_possible(const struct luna_state *state)
{
	return scope_possible(state, LUNA_SCOPE_PARTITION) && scope_possible(state, LUNA_SCOPE_HSM);
}

static const struct policy_row *scope_row(const struct policy_scope *scope, u32 id)
{
	u32 i;

	for (i = 0; i < scope->count; i++)
		if (scope->rows[i].id == id)
			return &scope->rows[i];
	return NULL;
}

u32 luna_policy(const struct luna_token *token, u32 id)
{
	return id < LUNA_POLICY_IDS ? READ_ONCE(token->state->policies[id]) : 0;
}

u32 luna_hsm_policy(const struct luna_token *token, u32 id)
{
	return id < LUNA_POLICY_IDS ? READ_ONCE(token->state->hsm_policies[id]) : 0;
}

void luna_policy_defaults(struct luna_state *state)
{
	u32 i;

	memset(state->policies, 0, sizeof(state->policies));
	memset(state->hsm_policies, 0, sizeof(state->hsm_policies));
	for (i = 0; i < ARRAY_SIZE(partition_rows); i++)
		state->policies[partition_rows[i].id] = partition_rows[i].value;
	for (i = 0; i < ARRAY_SIZE(hsm_rows); i++)
		state->hsm_policies[hsm_rows[i].id] = hsm_rows[i].value;
}

u32 luna_pin_min(const struct luna_token *token)
{
	u32 stored = luna_policy(token, 25);

	return max_t(u32, LUNA_PIN_MIN, LUNA_PIN_MAX - min_t(u32, stored, LUNA_PIN_MAX));
}

u32 luna_pin_max(const struct luna_token *token)
{
	return min_t(u32, luna_policy(token, 26), LUNA_PIN_MAX);
}

u32 luna_do_policy_list(struct luna_ucmd *cmd)
{
	struct luna_policy_list *arg = cmd->arg;
	struct policy_scope scope;
	struct luna_policy row;
	const u32 *values;
	u32 i;
	u8 *out;

	if (!scope_get(arg->scope, &scope))
		return CKR_ARGUMENTS_BAD;
	out = luna_reply_room(cmd, scope.count * sizeof(row));
	if (!out)
		return CKR_DEVICE_MEMORY;
	guard(rwsem_read)(&cmd->token->lock);
	values = scope_values(cmd->token->state, arg->scope);
	for (i = 0; i < scope.count; i++) {
		memset(&row, 0, sizeof(row));
		row.id = scope.rows[i].id;
		row.capability = scope.rows[i].capability;
		row.value = values[row.id];
		row.bits = scope.rows[i].bits;
		row.flags = scope.rows[i].flags;
		strscpy((char *)row.name, scope.rows[i].name, sizeof(row.name));
		memcpy(out + i * sizeof(row), &row, sizeof(row));
	}
	arg->count = scope.count;
	return CKR_OK;
}

/* Would @value for one policy be legal beside @values? *@erase: it ends all objects. */
static u32 policy_check(const struct policy_scope *scope, const u32 *values, u32 id, u32 value,
			bool *erase)
{
	const struct policy_row *row = scope_row(scope, id);

	if (!row)
		return CKR_DATA_INVALID;
	if (value == values[id])
		return CKR_OK;
	if (value < row->least || (row->flags & P_FIXED) || value > row->capability)
		return CKR_OPERATION_NOT_ALLOWED;
	if (value && row->excludes && values[row->excludes - 1])
		return CKR_OPERATION_NOT_ALLOWED;
	if ((value > values[id] && (row->flags & P_SECURE)) ||
	    (value < values[id] && (row->flags & P_LAX)))
		*erase = true;
	return CKR_OK;
}

/* Applies pairs to a copy of the values, switching off before on, so that one call can swap two. */
static u32 policy_apply(const struct policy_scope *scope, u32 *values, const u8 *pairs, u32 count,
			bool *erase)
{
	u32 pass, i, id, value, rv;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < count; i++) {
			memcpy(&id, pairs + 8 * i, 4);
			memcpy(&value, pairs + 8 * i + 4, 4);
			if (!!value != !!pass)
				continue;
			rv = policy_check(scope, values, id, value, erase);
			if (rv)
				return rv;
			values[id] = value;
		}
	}
	return CKR_OK;
}

u32 luna_policy_init(struct luna_state *state, u32 scope, const u8 *pairs, u32 count)
{
	struct policy_scope rows;
	bool erase;

	if (!scope_get(scope, &rows))
		return CKR_ARGUMENTS_BAD;
	return policy_apply(&rows, scope_values(state, scope), pairs, count, &erase);
}

/* Session objects, too: else a key would outlive the policy that it was made under. */
static void drop_objects(struct luna_token *token)
{
	struct luna_open *open;

	luna_objects_drop_all(token);
	list_for_each_entry(open, &token->opens, entry)
		luna_objects_end_session(open, 0);
}

/* With the change, or not at all, the objects end. */
static u32 policy_commit(struct luna_token *token, u32 scope, const u32 *values, bool erase)
{
	u32 *live = scope_values(token->state, scope);
	u32 *old;
	u32 rv;

	lockdep_assert_held_write(&token->lock);
	old = kmemdup(live, LUNA_POLICY_IDS * sizeof(*live), GFP_KERNEL);
	if (!old)
		return CKR_DEVICE_MEMORY;
	memcpy(live, values, LUNA_POLICY_IDS * sizeof(*live));
	rv = erase ? luna_ckr(luna_log_clear(token, token->state)) : luna_state_save(token);
	if (rv) {
		memcpy(live, old, LUNA_POLICY_IDS * sizeof(*live));
	} else {
		if (erase)
			drop_objects(token);
		luna_token_changed(token);
	}
	kfree(old);
	return rv;
}

u32 luna_do_policy_set(struct luna_ucmd *cmd)
{
	const struct luna_policy_set *arg = cmd->arg;
	struct luna_token *token = cmd->token;
	struct policy_scope scope;
	bool erase = false;
	u32 *values;
	u32 rv;

	if (!scope_get(arg->scope, &scope) || !arg->count || arg->count > LUNA_POLICY_IDS ||
	    cmd->in_len != arg->count * 8 || arg->reserved ||
	    (arg->flags & ~LUNA_POLICY_SET_DESTRUCTIVE))
		return CKR_ARGUMENTS_BAD;
	guard(rwsem_write)(&token->lock);	/* no login ends meanwhile */
	if (luna_session_role(cmd->session) != LUNA_ROLE_SO)
		return luna_session_role(cmd->session) < 0 ? CKR_USER_NOT_LOGGED_IN :
							     CKR_USER_NOT_AUTHORIZED;
	values = kmemdup(scope_values(token->state, arg->scope), LUNA_POLICY_IDS * sizeof(*values),
			 GFP_KERNEL);
	if (!values)
		return CKR_DEVICE_MEMORY;
	rv = policy_apply(&scope, values, cmd->in, arg->count, &erase);
	if (!rv && erase && !(arg->flags & LUNA_POLICY_SET_DESTRUCTIVE))
		rv = CKR_OPERATION_NOT_ALLOWED;
	if (!rv)
		rv = policy_commit(token, arg->scope, values, erase);
	kfree(values);
	return rv;
}
