// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The commands on objects (PKCS#11 v2.40, 5.7), but for searching, which is in find.c. */
#include "cmd.h"
#include "object_rules.h"

/* The template, which is all of the payload. */
static u32 arg_tmpl(const struct luna_ucmd *cmd, struct luna_tmpl *tmpl)
{
	const struct luna_object_arg *arg = cmd->arg;

	if (arg->reserved || arg->template_len != cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	return luna_tmpl_check(tmpl, cmd->in, cmd->in_len);
}

static u32 object_add(struct luna_ucmd *cmd, enum luna_origin how, const struct luna_tmpl *tmpl,
		      const struct luna_attrw *given)
{
	struct luna_object_arg *arg = cmd->arg;
	struct luna_object *obj;
	u32 rv, handle;

	rv = luna_object_make(cmd->session, how, tmpl, given, &obj);
	if (rv)
		return rv;
	rv = luna_objects_publish(cmd->session, &obj, 1, &handle);
	if (rv)
		luna_object_put(obj);
	else
		arg->handle = handle;
	return rv;
}

u32 luna_do_object_create(struct luna_ucmd *cmd)
{
	struct luna_tmpl tmpl;
	u32 rv;

	rv = arg_tmpl(cmd, &tmpl);
	return rv ? rv : object_add(cmd, LUNA_BY_CREATE, &tmpl, NULL);
}

static u32 object_copy(struct luna_ucmd *cmd, struct luna_object *source,
		       const struct luna_tmpl *tmpl)
{
	u32 at = 0, type, len, rv;
	struct luna_attrs *attrs;
	struct luna_attrw given;
	struct luna_tmpl list;
	const u8 *value;

	if (!luna_object_is(source, LUNA_BIT_COPYABLE))
		return CKR_ACTION_PROHIBITED;
	attrs = luna_object_attrs(cmd->token, source);
	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	luna_attrw_init(&given);
	list = luna_attrs_tmpl(attrs);
	while (luna_tmpl_next(&list, &at, &type, &value, &len))
		luna_attrw_set(&given, type, value, len);
	luna_attrs_put(attrs);
	rv = object_add(cmd, LUNA_BY_COPY, tmpl, &given);
	luna_attrw_free(&given);
	return rv;
}

/* The object that a command is about, with a reference. */
static u32 arg_object(struct luna_ucmd *cmd, struct luna_object **obj)
{
	const struct luna_object_arg *arg = cmd->arg;

	*obj = luna_object_get(cmd->session, arg->handle);
	return IS_ERR_OR_NULL(*obj) ? luna_object_none(*obj, CKR_OBJECT_HANDLE_INVALID) : CKR_OK;
}

/* And the command has nothing else to say. */
static u32 arg_object_alone(struct luna_ucmd *cmd, struct luna_object **obj)
{
	const struct luna_object_arg *arg = cmd->arg;

	if (arg->reserved || cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	return arg_object(cmd, obj);
}

/* Or it has a template. */
static u32 arg_tmpl_object(struct luna_ucmd *cmd, struct luna_tmpl *tmpl, struct luna_object **obj)
{
	u32 rv;

	rv = arg_tmpl(cmd, tmpl);
	return rv ? rv : arg_object(cmd, obj);
}

u32 luna_do_object_copy(struct luna_ucmd *cmd)
{
	struct luna_object *source;
	struct luna_tmpl tmpl;
	u32 rv;

	rv = arg_tmpl_object(cmd, &tmpl, &source);
	if (rv)
		return rv;
	rv = object_copy(cmd, source, &tmpl);
	luna_object_put(source);
	return rv;
}

u32 luna_do_object_destroy(struct luna_ucmd *cmd)
{
	struct luna_object *obj;
	u32 rv;

	rv = arg_object_alone(cmd, &obj);
	if (rv)
		return rv;
	rv = luna_object_rights(cmd->session, LUNA_DEED_DESTROY, obj->class, obj->bits);
	if (rv == CKR_OK && !luna_object_is(obj, LUNA_BIT_DESTROYABLE))
		rv = CKR_ACTION_PROHIBITED;
	if (rv == CKR_OK)
		rv = luna_object_destroy(obj);
	luna_object_put(obj);
	return rv;
}

u32 luna_do_object_size(struct luna_ucmd *cmd)
{
	struct luna_object_arg *arg = cmd->arg;
	struct luna_object *obj;
	struct luna_attrs *attrs;
	u32 rv;

	rv = arg_object_alone(cmd, &obj);
	if (rv)
		return rv;
	attrs = luna_object_attrs(cmd->token, obj);
	if (IS_ERR(attrs))
		rv = luna_ckr(PTR_ERR(attrs));
	else
		arg->size = attrs->len + (obj->sealed ? LUNA_SEAL_OVERHEAD : 0);
	if (!IS_ERR(attrs))
		luna_attrs_put(attrs);
	luna_object_put(obj);
	return rv;
}

u32 luna_do_attr_set(struct luna_ucmd *cmd)
{
	struct luna_object *obj;
	struct luna_tmpl tmpl;
	u32 rv;

	rv = arg_tmpl_object(cmd, &tmpl, &obj);
	if (rv)
		return rv;
	rv = luna_object_change(cmd->session, obj, &tmpl);
	luna_object_put(obj);
	return rv;
}

/* An object being read, as it is at one moment. */
struct reading {
	const struct luna_token *token;
	const struct luna_attrs *attrs;
	struct luna_kind kind;
	u32 bits;
};

/*
 * The answer to one attribute asked for: @reply, and the value that follows it, or NULL. Return:
 * the code that the standard gives for it.
 */
static u32 read_one(const struct reading *r, const struct luna_attr *ask, struct luna_attr *reply,
		    const u8 **value)
{
	const struct luna_attr_row *row = luna_attr_find(ask->type, &r->kind);
	const u8 *data;
	u32 len;

	*value = NULL;
	*reply = (struct luna_attr){ .type = ask->type, .len = LUNA_ATTR_UNAVAILABLE };
	data = luna_attrs_bytes(r->attrs, ask->type, &len);
	if (!row || !data)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	if (luna_attr_withheld(r->token, row, r->bits))
		return CKR_ATTRIBUTE_SENSITIVE;
	if (ask->len != LUNA_OUT_QUERY && ask->len < len)
		return CKR_BUFFER_TOO_SMALL;
	reply->len = len;
	if (ask->len != LUNA_OUT_QUERY)
		*value = data;
	return CKR_OK;
}

/* Of several codes any may be told; the gravest is. */
static u32 read_worse(u32 a, u32 b)
{
	static const u32 order[] = {
		CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return CKR_OK;
}

/* Answers the whole list, into @out unless it is NULL. *@size: bytes of the reply. */
static u32 read_all(const struct reading *r, const struct luna_ucmd *cmd, u8 *out, u64 *size)
{
	struct luna_attr ask, reply;
	const u8 *value;
	u32 rv = CKR_OK, at, padded;

	*size = 0;
	for (at = 0; at < cmd->in_len; at += sizeof(ask)) {
		memcpy(&ask, cmd->in + at, sizeof(ask));
		rv = read_worse(rv, read_one(r, &ask, &reply, &value));
		padded = value ? ALIGN(reply.len, 8) : 0;
		if (out) {
			memcpy(out + *size, &reply, sizeof(reply));
			memset(out + *size + sizeof(reply), 0, padded);
			if (padded)
				memcpy(out + *size + sizeof(reply), value, reply.len);
		}
		*size += sizeof(reply) + padded;
	}
	return rv;
}

static u32 object_read(struct luna_ucmd *cmd, struct luna_object *obj)
{
	struct luna_attrs *attrs;
	struct reading r;
	u32 rv = CKR_DEVICE_MEMORY;
	u64 size;
	u8 *out;

	attrs = luna_object_attrs(cmd->token, obj);
	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	r.token = cmd->token;
	r.attrs = attrs;
	r.bits = READ_ONCE(obj->bits);
	luna_kind_find(&r.kind, obj->class, obj->key_type);
	read_all(&r, cmd, NULL, &size);
	out = size <= LUNA_STAGE_MAX ? luna_reply_room(cmd, size) : NULL;
	if (out)
		rv = read_all(&r, cmd, out, &size);
	luna_attrs_put(attrs);
	return rv;
}

u32 luna_do_attr_get(struct luna_ucmd *cmd)
{
	const struct luna_object_arg *arg = cmd->arg;
	struct luna_object *obj;
	u32 rv;

	if (arg->reserved || arg->template_len != cmd->in_len ||
	    cmd->in_len % sizeof(struct luna_attr))
		return CKR_ARGUMENTS_BAD;
	obj = luna_object_get(cmd->session, arg->handle);
	if (IS_ERR_OR_NULL(obj))
		return luna_object_none(obj, CKR_OBJECT_HANDLE_INVALID);
	rv = object_read(cmd, obj);
	luna_object_put(obj);
	return rv;
}
