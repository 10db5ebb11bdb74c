// SPDX-License-Identifier: MIT
/* Steps of objects: a data object, its copy and its attributes. */
#include "failnth_steps.h"

u32 made, made2;
static u32 data;

static s64 a_create(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&tmpl, CKA_MODIFIABLE, true);
	fx_attr_text(&tmpl, CKA_LABEL, "data");
	fx_attr(&tmpl, CKA_VALUE, text, 3000);
	return fx_create(a.open, a.session, &tmpl, &data);
}

static s64 a_no_data(void)
{
	u32 handle = data;

	data = 0;
	return handle ? fx_destroy(a.open, a.session, handle) : 0;
}

s64 a_none_made(void)
{
	s64 ret = 0;

	if (made)
		ret = fx_destroy(a.open, a.session, made);
	if (!ret && made2)
		ret = fx_destroy(a.open, a.session, made2);
	made = 0;
	made2 = 0;
	return ret;
}

s64 a_keep_made(void)
{
	made = 0;
	made2 = 0;
	return 0;
}

static s64 object_arg(u32 nr, u32 handle, const struct fx_tmpl *tmpl, u32 *out)
{
	struct luna_object_arg arg = {
		.hdr.session = a.session,
		.handle = handle,
		.template_len = tmpl->len,
	};
	s64 ret = fx_call(a.open, nr, &arg, sizeof(arg), tmpl->data, tmpl->len, NULL, NULL);

	*out = ret ? 0 : arg.handle;
	return ret;
}

static s64 a_copy(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, "copy");
	return object_arg(LUNA_OBJECT_COPY, data, &tmpl, &made);
}

static s64 a_copied(void)
{
	return made ? 0 : a_copy();
}

static s64 a_destroy(void)
{
	s64 ret = fx_destroy(a.open, a.session, made);

	if (!ret)
		made = 0;
	return ret;
}

static s64 a_size(void)
{
	struct fx_tmpl none = { 0 };
	u32 ignored;

	return object_arg(LUNA_OBJECT_SIZE, data, &none, &ignored);
}

static s64 a_attr_get(void)
{
	u8 value[3000];
	u32 len = sizeof(value);

	return fx_attr_get(a.open, a.session, data, CKA_VALUE, value, &len);
}

static s64 a_attr_set(void)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, "another label");
	return fx_attr_set(a.open, a.session, data, &tmpl);
}

static s64 a_find(void)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handles[4], count;
	s64 ret;

	fx_attr_text(&tmpl, CKA_LABEL, "another label");
	ret = fx_find(a.open, a.session, &tmpl, handles, ARRAY_SIZE(handles), &count);
	if (!ret && (count != 1 || handles[0] != data))
		return CKR_OBJECT_HANDLE_INVALID;
	return ret;
}

const struct step object_steps[] = {
	{ "create an object", LUNA_OBJECT_CREATE, a_create, .before = a_no_data },
	{ "copy it", LUNA_OBJECT_COPY, a_copy, .before = a_none_made },
	{ "destroy the copy", LUNA_OBJECT_DESTROY, a_destroy, .before = a_copied },
	{ "its size", LUNA_OBJECT_SIZE, .run = a_size },
	{ "get an attribute", LUNA_ATTR_GET, .run = a_attr_get },
	{ "set an attribute", LUNA_ATTR_SET, .run = a_attr_set },
	{ "find", LUNA_FIND, .run = a_find },
	{ .name = NULL }
};
