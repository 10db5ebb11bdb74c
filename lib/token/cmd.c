// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one door into the engine: checks the frame of a command, finds its session, calls its handler
 * and frames the reply. What a command means is in the file of its noun; the table below says
 * which.
 */
#include "cmd.h"
#include "log.h"
#include "session.h"

/* luna_cmd_row.flags */
enum {
	ROW_SESSION	= BIT(0),	/* needs a session, locked while the handler runs */
	ROW_UNLOCKED	= BIT(1),	/* with ROW_SESSION: referenced, but not locked */
	ROW_ALWAYS	= BIT(2),	/* carried on a damaged token, too */
	ROW_PARTIAL	= BIT(3),	/* has a payload even if its CKR is not CKR_OK */
	ROW_STAGE	= BIT(4),	/* works on the staged bytes themselves */
	ROW_BARE	= BIT(5),	/* takes no payload */
};

union luna_arg {
	struct luna_hdr hdr;
	struct luna_info info;
	struct luna_slot_info slot_info;
	struct luna_init_token init_token;
	struct luna_op op;
	struct luna_message message;
	struct luna_key key;
	struct luna_blob blob;
	u8 bytes[304];
};

/**
 * struct luna_cmd_row - a command
 * @size: of its struct as this engine knows it
 * @min_size: of the struct as the first ABI knew it
 */
struct luna_cmd_row {
	u32 (*run)(struct luna_ucmd *cmd);
	u16 size, min_size;
	u32 flags;
};

static u32 luna_do_get_info(struct luna_ucmd *cmd)
{
	struct luna_info *info = cmd->arg;
	const struct luna_config *config = &cmd->token->config;

	if (info->reserved)
		return CKR_ARGUMENTS_BAD;
	memset((u8 *)info + sizeof(info->hdr), 0, sizeof(*info) - sizeof(info->hdr));
	info->abi = LUNA_ABI_VERSION;
	info->features = LUNA_FEATURE_IMAGES | LUNA_FEATURE_MESSAGES;
	if (luna_log_persistent(cmd->token))
		info->features |= LUNA_FEATURE_PERSISTENT;
	if (config->flags & LUNA_CONFIG_LONG)
		info->features |= LUNA_FEATURE_LONG;
	info->ioc_max = LUNA_IOC_MAX;
	info->stage_max = LUNA_STAGE_MAX;
	info->sessions_max = LUNA_SESSIONS_MAX;
	info->slot = config->slot;
	info->firmware[0] = LUNA_FIRMWARE_MAJOR;
	info->firmware[1] = LUNA_FIRMWARE_MINOR;
	info->firmware[2] = LUNA_FIRMWARE_SUB;
	strscpy((char *)info->provider, cmd->token->crypto->name, sizeof(info->provider));
	strscpy((char *)info->host, config->host ? config->host : "", sizeof(info->host));
	return CKR_OK;
}

static void stage_in_drop(struct luna_session *session)
{
	kvfree_sensitive(session->stage_in, session->stage_in_room);
	luna_open_unhold(session->open, session->stage_in_room);
	session->stage_in = NULL;
	session->stage_in_len = 0;
	session->stage_in_room = 0;
}

static void stage_out_drop(struct luna_session *session)
{
	kvfree_sensitive(session->stage_out, session->stage_out_room);
	luna_open_unhold(session->open, session->stage_out_room);
	session->stage_out = NULL;
	session->stage_out_room = 0;
	session->stage_out_len = 0;
	session->stage_out_at = 0;
}

void luna_stage_drop(struct luna_session *session)
{
	stage_in_drop(session);
	stage_out_drop(session);
}

static u32 stage_append(struct luna_session *session, const u8 *data, u32 len)
{
	u32 need, room;
	u8 *bytes;

	if (len > LUNA_STAGE_MAX - session->stage_in_len)
		return CKR_DEVICE_MEMORY;
	need = session->stage_in_len + len;
	if (need > session->stage_in_room) {
		room = min_t(u32, max_t(u32, need, 2 * session->stage_in_room), LUNA_STAGE_MAX);
		if (!luna_open_hold(session->open, room))
			return CKR_DEVICE_MEMORY;
		bytes = kvmalloc(room, GFP_KERNEL_ACCOUNT);
		if (!bytes) {
			luna_open_unhold(session->open, room);
			return CKR_DEVICE_MEMORY;
		}
		if (session->stage_in_len)
			memcpy(bytes, session->stage_in, session->stage_in_len);
		kvfree_sensitive(session->stage_in, session->stage_in_room);
		luna_open_unhold(session->open, session->stage_in_room);
		session->stage_in = bytes;
		session->stage_in_room = room;
	}
	if (len)
		memcpy(session->stage_in + session->stage_in_len, data, len);
	session->stage_in_len = need;
	return CKR_OK;
}

static u32 luna_do_data_put(struct luna_ucmd *cmd)
{
	const struct luna_data *data = cmd->arg;
	struct luna_session *session = cmd->session;

	if (data->length)
		return CKR_ARGUMENTS_BAD;
	if (!data->offset)
		stage_in_drop(session);
	if (data->offset != session->stage_in_len)
		return CKR_ARGUMENTS_BAD;
	return stage_append(session, cmd->in, cmd->in_len);
}

static u32 luna_do_data_get(struct luna_ucmd *cmd)
{
	struct luna_data *data = cmd->arg;
	struct luna_session *session = cmd->session;
	u32 left = session->stage_out_len - session->stage_out_at;
	u32 len = min3(data->length, left, cmd->out_room);
	u8 *room;

	if (!session->stage_out || data->offset != session->stage_out_at)
		return CKR_ARGUMENTS_BAD;
	room = luna_reply_room(cmd, len);
	if (!room)
		return CKR_DEVICE_MEMORY;
	memcpy(room, session->stage_out + session->stage_out_at, len);
	memzero_explicit(session->stage_out + session->stage_out_at, len);
	session->stage_out_at += len;
	data->length = len;
	if (session->stage_out_at == session->stage_out_len)
		stage_out_drop(session);
	return CKR_OK;
}

#define ROW(nr, type, fn, fl)							\
	[nr] = { .run = (fn), .size = sizeof(struct type),			\
		 .min_size = sizeof(struct type), .flags = (fl) }

static const struct luna_cmd_row luna_cmds[LUNA_COMMANDS] = {
	ROW(LUNA_GET_INFO, luna_info, luna_do_get_info, ROW_ALWAYS | ROW_BARE),
	ROW(LUNA_RESET, luna_hdr, luna_do_reset, ROW_ALWAYS | ROW_BARE),
	ROW(LUNA_SLOT_INFO, luna_slot_info, luna_do_slot_info, ROW_ALWAYS | ROW_BARE),
	ROW(LUNA_MECH_LIST, luna_mech_list, luna_do_mech_list, ROW_BARE),
	ROW(LUNA_DATA_PUT, luna_data, luna_do_data_put, ROW_SESSION | ROW_STAGE),
	ROW(LUNA_DATA_GET, luna_data, luna_do_data_get, ROW_SESSION | ROW_STAGE | ROW_BARE),
	ROW(LUNA_RANDOM, luna_random, luna_do_random, ROW_SESSION | ROW_BARE),
	ROW(LUNA_SEED, luna_hdr, luna_do_seed, ROW_SESSION),
	ROW(LUNA_SESSION_OPEN, luna_session_info, luna_do_session_open, ROW_BARE),
	ROW(LUNA_SESSION_CLOSE, luna_hdr, luna_do_session_close,
	    ROW_SESSION | ROW_UNLOCKED | ROW_BARE),
	ROW(LUNA_SESSION_CLOSE_ALL, luna_hdr, luna_do_session_close_all, ROW_BARE),
	ROW(LUNA_SESSION_INFO, luna_session_info, luna_do_session_info,
	    ROW_SESSION | ROW_UNLOCKED | ROW_BARE),
	ROW(LUNA_APP_ID, luna_app_id, luna_do_app_id, ROW_BARE),
	ROW(LUNA_PROVIDER_LIST, luna_provider_list, luna_do_provider_list, ROW_ALWAYS | ROW_BARE),
	ROW(LUNA_INIT_TOKEN, luna_init_token, luna_do_init_token, 0),
	ROW(LUNA_INIT_PIN, luna_pin, luna_do_init_pin, ROW_SESSION),
	ROW(LUNA_SET_PIN, luna_pin, luna_do_set_pin, ROW_SESSION),
	ROW(LUNA_LOGIN, luna_pin, luna_do_login, ROW_SESSION),
	ROW(LUNA_LOGOUT, luna_hdr, luna_do_logout, ROW_SESSION | ROW_UNLOCKED | ROW_BARE),
	ROW(LUNA_ROLE_STATE, luna_role_state, luna_do_role_state, ROW_BARE),
	ROW(LUNA_POLICY_LIST, luna_policy_list, luna_do_policy_list, ROW_BARE),
	ROW(LUNA_POLICY_SET, luna_policy_set, luna_do_policy_set, ROW_SESSION),
	ROW(LUNA_SET_DOMAIN, luna_hdr, luna_do_set_domain, ROW_SESSION),
	ROW(LUNA_OBJECT_CREATE, luna_object_arg, luna_do_object_create, ROW_SESSION),
	ROW(LUNA_OBJECT_COPY, luna_object_arg, luna_do_object_copy, ROW_SESSION),
	ROW(LUNA_OBJECT_DESTROY, luna_object_arg, luna_do_object_destroy, ROW_SESSION | ROW_BARE),
	ROW(LUNA_OBJECT_SIZE, luna_object_arg, luna_do_object_size, ROW_SESSION | ROW_BARE),
	ROW(LUNA_ATTR_GET, luna_object_arg, luna_do_attr_get, ROW_SESSION | ROW_PARTIAL),
	ROW(LUNA_ATTR_SET, luna_object_arg, luna_do_attr_set, ROW_SESSION),
	ROW(LUNA_FIND, luna_find, luna_do_find, ROW_SESSION),
	ROW(LUNA_OP, luna_op, luna_do_op, ROW_SESSION),
	ROW(LUNA_MESSAGE, luna_message, luna_do_message, ROW_SESSION),
	ROW(LUNA_GENERATE_KEY, luna_key, luna_do_generate_key, ROW_SESSION),
	ROW(LUNA_GENERATE_PAIR, luna_key, luna_do_generate_pair, ROW_SESSION),
	ROW(LUNA_WRAP, luna_key, luna_do_wrap, ROW_SESSION),
	ROW(LUNA_UNWRAP, luna_key, luna_do_unwrap, ROW_SESSION),
	ROW(LUNA_DERIVE, luna_key, luna_do_derive, ROW_SESSION),
	ROW(LUNA_CLONE_SOURCE_INIT, luna_blob, luna_do_clone_source_init, ROW_SESSION),
	ROW(LUNA_CLONE_TARGET_INIT, luna_blob, luna_do_clone_target_init, ROW_SESSION),
	ROW(LUNA_CLONE_SOURCE, luna_blob, luna_do_clone_source, ROW_SESSION),
	ROW(LUNA_CLONE_TARGET, luna_blob, luna_do_clone_target, ROW_SESSION),
	ROW(LUNA_HA_INIT, luna_blob, luna_do_ha_init, ROW_SESSION),
	ROW(LUNA_HA_MASTER_PUBLIC, luna_blob, luna_do_ha_master_public, 0),
	ROW(LUNA_HA_CHALLENGE, luna_blob, luna_do_ha_challenge, ROW_SESSION),
	ROW(LUNA_HA_ANSWER, luna_blob, luna_do_ha_answer, ROW_SESSION),
	ROW(LUNA_HA_LOGIN, luna_blob, luna_do_ha_login, ROW_SESSION),
	ROW(LUNA_HA_MOFN_ANSWER, luna_blob, luna_do_ha_mofn_answer, ROW_SESSION),
	ROW(LUNA_HA_MOFN_ACTIVATE, luna_blob, luna_do_ha_mofn_activate, ROW_SESSION),
	ROW(LUNA_MOFN_GENERATE, luna_mofn, luna_do_mofn_generate, ROW_SESSION),
	ROW(LUNA_MOFN_ACTIVATE, luna_mofn, luna_do_mofn_activate, ROW_SESSION),
	ROW(LUNA_MOFN_DEACTIVATE, luna_hdr, luna_do_mofn_deactivate, ROW_SESSION | ROW_BARE),
	ROW(LUNA_MOFN_STATUS, luna_mofn_status, luna_do_mofn_status, ROW_BARE),
	ROW(LUNA_IMAGE_EXPORT, luna_image_arg, luna_do_image_export, ROW_SESSION | ROW_BARE),
	ROW(LUNA_IMAGE_GET, luna_data, luna_do_image_get, ROW_BARE),
	ROW(LUNA_IMAGE_PUT, luna_data, luna_do_image_put, 0),
	ROW(LUNA_IMAGE_RESTORE, luna_image_arg, luna_do_image_restore, 0),
};

u8 *luna_reply_room(struct luna_ucmd *cmd, u32 len)
{
	if (len <= cmd->out_room) {
		cmd->out_len = len;
		return cmd->out;
	}
	if (!cmd->session || cmd->spill || !luna_open_hold(cmd->open, len))
		return NULL;
	cmd->spill = kvmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!cmd->spill) {
		luna_open_unhold(cmd->open, len);
		return NULL;
	}
	cmd->out_len = len;
	cmd->spill_room = len;
	return cmd->spill;
}

void luna_reply_trim(struct luna_ucmd *cmd, u32 len)
{
	if (len >= cmd->out_len)
		return;
	memzero_explicit((cmd->spill ? cmd->spill : cmd->out) + len, cmd->out_len - len);
	cmd->out_len = len;
}

u32 luna_reply_sized(struct luna_ucmd *cmd, u32 len, u32 max, u32 *need, u8 **room)
{
	*need = len;
	*room = NULL;
	if (max == LUNA_OUT_QUERY)
		return CKR_OK;
	if (len > max)
		return CKR_BUFFER_TOO_SMALL;
	*room = luna_reply_room(cmd, len);
	return *room ? CKR_OK : CKR_DEVICE_MEMORY;
}

u32 luna_ckr(int err)
{
	switch (err) {
	case 0:
		return CKR_OK;
	case -ENOMEM:
	case -ENOSPC:
		return CKR_DEVICE_MEMORY;
	case -EINTR:
		return CKR_FUNCTION_CANCELED;
	case -EOPNOTSUPP:
		return CKR_MECHANISM_INVALID;
	case -EACCES:		/* a logout has sealed the object again */
		return CKR_USER_NOT_LOGGED_IN;
	case -EINVAL:
		return CKR_FUNCTION_FAILED;
	default:
		return CKR_DEVICE_ERROR;
	}
}

/* Copies the command's struct, zero-extended, and checks the frame around it. */
static int cmd_frame(const struct luna_cmd_row *row, const u8 *in, size_t len, union luna_arg *arg)
{
	struct luna_hdr hdr;

	if (len < sizeof(hdr) || len > LUNA_IOC_LONG_MAX)
		return -EINVAL;
	memcpy(&hdr, in, sizeof(hdr));
	if (hdr.size < row->min_size || hdr.size % 8 || hdr.size > len)
		return -EINVAL;
	if (hdr.in_len > len - hdr.size || hdr.reserved || hdr.flags & ~LUNA_F_STAGED)
		return -EINVAL;
	if (row->flags & ROW_BARE && (hdr.in_len || hdr.flags))
		return -EINVAL;
	if (hdr.size > row->size && memchr_inv(in + row->size, 0, hdr.size - row->size))
		return -E2BIG;
	memset(arg, 0, row->size);
	memcpy(arg, in, min_t(u32, hdr.size, row->size));
	arg->hdr.out_len = 0;
	arg->hdr.more = 0;
	arg->hdr.rv = CKR_OK;
	return 0;
}

/* Appends the payload to what was staged, so that the handler sees it in one piece. */
static u32 cmd_unstage(struct luna_ucmd *cmd)
{
	struct luna_session *session = cmd->session;
	u32 rv;

	if (!session || !session->stage_in)
		return CKR_ARGUMENTS_BAD;
	rv = stage_append(session, cmd->in, cmd->in_len);
	if (rv)
		return rv;
	cmd->in = session->stage_in;
	cmd->in_len = session->stage_in_len;
	return CKR_OK;
}

static u32 cmd_run_locked(const struct luna_cmd_row *row, struct luna_ucmd *cmd)
{
	const struct luna_hdr *hdr = cmd->arg;
	bool staged = hdr->flags & LUNA_F_STAGED;
	u32 rv = CKR_OK;

	if (!(row->flags & ROW_STAGE)) {
		stage_out_drop(cmd->session);
		if (staged)
			rv = cmd_unstage(cmd);
	} else if (staged) {
		rv = CKR_ARGUMENTS_BAD;
	}
	if (rv == CKR_OK)
		rv = row->run(cmd);
	if (!(row->flags & ROW_STAGE) && cmd->session->stage_in)
		stage_in_drop(cmd->session);
	return rv;
}

/*
 * Hands the spilled reply to the session: what fits goes along, the rest waits for LUNA_DATA_GET.
 */
static void cmd_spill(struct luna_ucmd *cmd, u8 *out, u32 room)
{
	struct luna_session *session = cmd->session;
	struct luna_hdr *hdr = cmd->arg;
	u32 now = min_t(u32, cmd->out_len, room);

	memcpy(out, cmd->spill, now);
	hdr->out_len = now;
	hdr->more = cmd->out_len - now;
	if (!hdr->more) {
		kvfree_sensitive(cmd->spill, cmd->spill_room);
		luna_open_unhold(cmd->open, cmd->spill_room);
		return;
	}
	memmove(cmd->spill, cmd->spill + now, hdr->more);
	memzero_explicit(cmd->spill + hdr->more, now);
	session->stage_out = cmd->spill;
	session->stage_out_room = cmd->spill_room;
	session->stage_out_len = hdr->more;
	session->stage_out_at = 0;
}

static void cmd_reply(const struct luna_cmd_row *row, struct luna_ucmd *cmd, u32 rv)
{
	struct luna_hdr *hdr = cmd->arg;

	if (rv != CKR_OK && !(row->flags & ROW_PARTIAL))
		luna_reply_trim(cmd, 0);
	hdr->rv = rv;
	hdr->out_len = cmd->out_len;
	if (cmd->spill)
		cmd_spill(cmd, cmd->out, cmd->out_room);
	hdr->generation = atomic64_read(&cmd->token->generation);
}

/* Finds what the command needs and calls its handler. */
static u32 cmd_call(const struct luna_cmd_row *row, struct luna_ucmd *cmd)
{
	const struct luna_hdr *hdr = cmd->arg;
	bool lock = !(row->flags & ROW_UNLOCKED);

	if (cmd->token->damaged && !(row->flags & ROW_ALWAYS))
		return CKR_DEVICE_ERROR;
	if (row->flags & ROW_SESSION) {
		cmd->session = luna_session_get(cmd->open, hdr->session, lock);
		if (!cmd->session)
			return CKR_SESSION_HANDLE_INVALID;
		if (lock)
			return cmd_run_locked(row, cmd);
	}
	/* Nothing is staged without a lock. */
	return hdr->flags ? CKR_ARGUMENTS_BAD : row->run(cmd);
}

static void cmd_run(const struct luna_cmd_row *row, struct luna_ucmd *cmd)
{
	cmd_reply(row, cmd, cmd_call(row, cmd));
	if (!cmd->session)
		return;
	if (!(row->flags & ROW_UNLOCKED))
		mutex_unlock(&cmd->session->lock);
	luna_session_put(cmd->session);
}

int luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
	     size_t *out_len)
{
	const struct luna_cmd_row *row;
	struct luna_ucmd cmd = { .open = open, .token = open->token };
	union luna_arg arg;
	u32 known, size;
	int ret;

	*out_len = 0;
	if (nr >= LUNA_COMMANDS)
		return -ENOTTY;
	row = &luna_cmds[array_index_nospec(nr, LUNA_COMMANDS)];
	if (!row->run)
		return -ENOTTY;
	ret = cmd_frame(row, in, len, &arg);
	if (ret)
		return ret;
	size = arg.hdr.size;
	cmd.arg = &arg;
	cmd.in = (const u8 *)in + size;
	cmd.in_len = arg.hdr.in_len;
	cmd.out = (u8 *)out + size;
	cmd.out_room = len - size;
	cmd_run(row, &cmd);
	luna_log_tidy(open->token);	/* here no lock is held */
	known = min_t(u32, size, row->size);
	memcpy(out, &arg, known);
	memset((u8 *)out + known, 0, size - known);
	*out_len = size + arg.hdr.out_len;
	return 0;
}

u32 luna_cmd_public(u32 nr, const void *in, size_t len)
{
	u32 op;

	BUILD_BUG_ON(offsetof(struct luna_op, op) != offsetof(struct luna_message, op));
	if ((nr != LUNA_OP && nr != LUNA_MESSAGE) || len < sizeof(struct luna_op))
		return 0;
	memcpy(&op, (const u8 *)in + offsetof(struct luna_op, op), sizeof(op));
	switch (op) {
	case LUNA_OP_ENCRYPT:
	case LUNA_OP_MESSAGE_ENCRYPT:
		return LUNA_PUBLIC_OUT;
	case LUNA_OP_DECRYPT:
	case LUNA_OP_MESSAGE_DECRYPT:
		return LUNA_PUBLIC_IN;
	default:
		return 0;
	}
}
