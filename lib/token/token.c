// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A token as a whole: loaded from its store and described; initialised (PKCS#11 v2.40, 5.5); its
 * random numbers (5.12). What belongs to one noun of it (role, policy, object, session) is in that
 * noun's file.
 */
#include "cmd.h"
#include "key.h"
#include "log.h"
#include "object.h"
#include "policy.h"
#include "role.h"
#include "session.h"
#include "token_init.h"

static bool ops_usable(const struct luna_crypto_ops *crypto, const struct luna_store_ops *store)
{
	const u32 modes = BIT(LUNA_ECB) | BIT(LUNA_CBC) | BIT(LUNA_CTR);

	if (!crypto || !store || !crypto->random || !crypto->name)
		return false;
	return (crypto->modes & modes) == modes && (crypto->hashes & BIT(LUNA_SHA256)) &&
	       (crypto->macs & BIT(LUNA_HMAC + LUNA_SHA256)) &&
	       crypto->rsa_max_bits >= LUNA_TWC_BITS;
}

static void token_free(struct luna_token *token)
{
	luna_dir_free(&token->objects);
	mutex_destroy(&token->auth);
	kfree_sensitive(token->state);
	kfree_sensitive(token);
}

struct luna_token *luna_token_open(const struct luna_config *config,
				   const struct luna_crypto_ops *crypto,
				   const struct luna_store_ops *store_ops, void *store)
{
	struct luna_token *token;
	int ret;

	if (!ops_usable(crypto, store_ops))
		return ERR_PTR(-EINVAL);
	token = kzalloc(sizeof(*token), GFP_KERNEL);
	if (!token)
		return ERR_PTR(-ENOMEM);
	token->config = *config;
	token->crypto = crypto;
	mutex_init(&token->auth);
	init_rwsem(&token->lock);
	INIT_LIST_HEAD(&token->opens);
	INIT_LIST_HEAD(&token->apps);
	ret = luna_dir_init(&token->objects);
	if (ret) {
		kfree(token);
		return ERR_PTR(ret);
	}
	ret = luna_log_open(token, store_ops, store);
	if (ret == -ENOMEM || !token->state) {
		luna_log_close(token);
		token_free(token);
		return ERR_PTR(ret ? ret : -ENOMEM);
	}
	if (ret) {
		token->damaged = true;
		pr_err("slot %u: the token's store is damaged (%d); it is left as it is\n",
		       config->slot, ret);
	}
	return token;
}

void luna_token_close(struct luna_token *token)
{
	WARN_ON_ONCE(!list_empty(&token->opens));
	down_write(&token->lock);
	luna_token_end_logins(token);
	up_write(&token->lock);
	WARN_ON_ONCE(!list_empty(&token->apps));
	luna_log_close(token);
	token_free(token);
}

u64 luna_now(const struct luna_token *token)
{
	return token->config.now ? token->config.now() : (u64)ktime_get_real_seconds();
}

void luna_token_changed(struct luna_token *token)
{
	atomic64_inc(&token->generation);
}

static void blank_pad(u8 *field, size_t size, const char *text)
{
	size_t len = strnlen(text, size);

	memset(field, ' ', size);
	memcpy(field, text, len);
}

/* The counters that CK_TOKEN_INFO shows of one role: low, final try, locked. */
static u32 role_flags(const struct luna_role *role, u32 limit, u32 low, u32 last, u32 locked)
{
	u32 flags = 0;

	if (!role->set)
		return 0;
	if (role->locked || role->failed >= limit)	/* the policy may be lower than it was */
		return locked;
	if (role->failed)
		flags |= low;
	if (role->failed + 1 >= limit)
		flags |= last;
	return flags;
}

static u32 token_flags(const struct luna_token *token)
{
	const struct luna_state *state = token->state;
	u32 flags = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_DUAL_CRYPTO_OPERATIONS;

	if (token->damaged)
		return flags | CKF_ERROR_STATE;
	if (!state->initialised)
		return flags;
	flags |= CKF_TOKEN_INITIALIZED;
	if (state->roles[LUNA_ROLE_CO].set)
		flags |= CKF_USER_PIN_INITIALIZED;
	flags |= role_flags(&state->roles[LUNA_ROLE_CO], luna_policy(token, 20),
			    CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
	return flags | role_flags(&state->roles[LUNA_ROLE_SO], LUNA_SO_ATTEMPTS,
				  CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
}

static void fill_texts(struct luna_slot_info *info, const struct luna_token *token)
{
	char text[64];

	scnprintf(text, sizeof(text), "Luna software slot %u", token->config.slot);
	blank_pad(info->slot_description, sizeof(info->slot_description), text);
	blank_pad(info->manufacturer, sizeof(info->manufacturer), "Luna software token");
	blank_pad(info->model, sizeof(info->model), "Luna K7");
	memcpy(info->serial, token->state->serial, sizeof(info->serial));
	if (token->state->initialised)
		memcpy(info->label, token->state->label, sizeof(info->label));
	else
		blank_pad(info->label, sizeof(info->label), "");
}

static void fill_time(struct luna_slot_info *info, const struct luna_token *token)
{
	char text[24];
	struct tm tm;

	time64_to_tm(luna_now(token), 0, &tm);
	scnprintf(text, sizeof(text), "%04ld%02d%02d%02d%02d%02d00", tm.tm_year + 1900L,
		  tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(info->utc_time, text, sizeof(info->utc_time));
}

u32 luna_do_slot_info(struct luna_ucmd *cmd)
{
	struct luna_slot_info *info = cmd->arg;
	struct luna_token *token = cmd->token;

	memset((u8 *)info + sizeof(info->hdr), 0, sizeof(*info) - sizeof(info->hdr));
	guard(rwsem_read)(&token->lock);
	fill_texts(info, token);
	fill_time(info, token);
	info->slot_flags = CKF_TOKEN_PRESENT | CKF_HW_SLOT;
	info->hardware_version[0] = 1;
	/* Clients read the minor byte as two digits, minor and sub-minor. */
	info->firmware_version[0] = LUNA_FIRMWARE_MAJOR;
	info->firmware_version[1] = LUNA_FIRMWARE_MINOR * 10 + LUNA_FIRMWARE_SUB;
	info->token_flags = token_flags(token);
	info->max_sessions = LUNA_SESSIONS_MAX;
	info->max_rw_sessions = LUNA_SESSIONS_MAX;
	info->sessions = READ_ONCE(cmd->open->ro_sessions) + READ_ONCE(cmd->open->rw_sessions);
	info->rw_sessions = READ_ONCE(cmd->open->rw_sessions);
	info->max_pin_len = luna_pin_max(token);
	info->min_pin_len = luna_pin_min(token);
	info->total_public_memory = U32_MAX;
	info->free_public_memory = U32_MAX;
	info->total_private_memory = U32_MAX;
	info->free_private_memory = U32_MAX;
	info->objects = luna_dir_count(&token->objects);
	info->token_type = token->state->type;
	info->container = LUNA_CONTAINER;
	info->used_bytes = token->log ? luna_log_used(token) : 0;
	return CKR_OK;
}

u32 luna_do_random(struct luna_ucmd *cmd)
{
	const struct luna_random *arg = cmd->arg;
	u8 *out;

	if (arg->reserved || arg->length > cmd->out_room)
		return CKR_ARGUMENTS_BAD;
	out = luna_reply_room(cmd, arg->length);
	if (!out)
		return CKR_DEVICE_MEMORY;
	return luna_ckr(cmd->token->crypto->random(out, arg->length));
}

/* The generators of both hosts seed themselves from the system and take nothing from a caller. */
u32 luna_do_seed(struct luna_ucmd *cmd)
{
	return CKR_RANDOM_SEED_NOT_SUPPORTED;
}
