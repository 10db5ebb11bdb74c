// SPDX-License-Identifier: MIT
/* Choosing objects and reading their attributes. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static const char *const class_names[] = { "data", "certificate", "public", "private", "secret" };

const char *class_name(CK_ULONG class)
{
	return class < 5 ? class_names[class] : "other";
}

const char *key_type_name(CK_ULONG type)
{
	switch (type) {
	case CKK_RSA: return "RSA";
	case CKK_EC: return "EC";
	case CKK_EC_EDWARDS: case CKK_EC_EDWARDS_OLD: return "EC Edwards";
	case CKK_EC_MONTGOMERY: case CKK_EC_MONTGOMERY_OLD: return "EC Montgomery";
	case CKK_AES: return "AES";
	case CKK_GENERIC_SECRET: return "generic secret";
	case CKK_SHA_1_HMAC: return "SHA-1 HMAC";
	case CKK_SHA224_HMAC: return "SHA-224 HMAC";
	case CKK_SHA256_HMAC: return "SHA-256 HMAC";
	case CKK_SHA384_HMAC: return "SHA-384 HMAC";
	case CKK_SHA512_HMAC: return "SHA-512 HMAC";
	case CKK_SHA3_224_HMAC: return "SHA3-224 HMAC";
	case CKK_SHA3_256_HMAC: return "SHA3-256 HMAC";
	case CKK_SHA3_384_HMAC: return "SHA3-384 HMAC";
	case CKK_SHA3_512_HMAC: return "SHA3-512 HMAC";
	default: return "";
	}
}

static CK_OBJECT_CLASS class_number(const char *name)
{
	CK_OBJECT_CLASS class;

	for (class = 0; class < 5; class++)
		if (!strcmp(class_names[class], name))
			return class;
	usage_error("'%s' is no class: data, certificate, public, private or secret", name);
}

/* "0a1b" to bytes; their number. */
CK_ULONG hex_bytes(const char *hex, unsigned char *out, size_t room)
{
	size_t len = strlen(hex) / 2, i;
	unsigned int byte;

	if (strlen(hex) % 2 || len > room || strspn(hex, "0123456789abcdefABCDEF") != strlen(hex))
		usage_error("'%s' is no hexadecimal number of whole bytes", hex);
	for (i = 0; i < len; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		out[i] = (unsigned char)byte;
	}
	return len;
}

static void objects_add(struct objects *objects, const CK_OBJECT_HANDLE *handles, CK_ULONG count)
{
	CK_OBJECT_HANDLE *all = realloc(objects->handle, (objects->count + count) * sizeof(*all));

	if (!all)
		fatal("out of memory");
	memcpy(all + objects->count, handles, count * sizeof(*all));
	objects->handle = all;
	objects->count += count;
}

void wanted_parse(struct wanted *wanted, const struct ctl_args *args, unsigned char *id)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->has_handle = args->opt[OPT_HANDLE];
	wanted->handle = args_number(args, OPT_HANDLE, 0);
	wanted->has_label = args->opt[OPT_LABEL];
	wanted->label = args->opt[OPT_LABEL];
	wanted->label_len = wanted->has_label ? strlen(args->opt[OPT_LABEL]) : 0;
	wanted->has_id = args->opt[OPT_ID];
	wanted->id = id;
	wanted->id_len = wanted->has_id ? hex_bytes(args->opt[OPT_ID], id, 256) : 0;
	wanted->has_class = args->opt[OPT_CLASS];
	wanted->class = wanted->has_class ? class_number(args->opt[OPT_CLASS]) : 0;
}

struct objects objects_search(CK_SESSION_HANDLE session, const struct wanted *wanted)
{
	struct objects objects = { NULL, 0 };
	CK_OBJECT_CLASS class = wanted->class;
	CK_OBJECT_HANDLE found[256];
	CK_ATTRIBUTE tmpl[3];
	CK_ULONG n = 0, count;

	if (wanted->has_handle) {
		found[0] = wanted->handle;
		objects_add(&objects, found, 1);
		return objects;
	}
	if (wanted->has_label)
		tmpl[n++] = (CK_ATTRIBUTE){ CKA_LABEL, (void *)wanted->label, wanted->label_len };
	if (wanted->has_id)
		tmpl[n++] = (CK_ATTRIBUTE){ CKA_ID, (void *)wanted->id, wanted->id_len };
	if (wanted->has_class)
		tmpl[n++] = (CK_ATTRIBUTE){ CKA_CLASS, &class, sizeof(class) };
	check(C_FindObjectsInit(session, tmpl, n), "C_FindObjectsInit");
	do {
		check(C_FindObjects(session, found, 256, &count), "C_FindObjects");
		if (count)
			objects_add(&objects, found, count);
	} while (count);
	check(C_FindObjectsFinal(session), "C_FindObjectsFinal");
	return objects;
}

struct objects objects_find(CK_SESSION_HANDLE session, const struct ctl_args *args)
{
	struct wanted wanted;
	unsigned char id[256];

	wanted_parse(&wanted, args, id);
	return objects_search(session, &wanted);
}

void objects_free(struct objects *objects)
{
	free(objects->handle);
	objects->handle = NULL;
	objects->count = 0;
}

void object_chosen(const struct ctl_args *args)
{
	if (!args->opt[OPT_HANDLE] && !args->opt[OPT_LABEL] && !args->opt[OPT_ID])
		usage_error("which object? --label, --id or --handle");
}

CK_OBJECT_HANDLE object_one(CK_SESSION_HANDLE session, const struct ctl_args *args,
			    CK_OBJECT_CLASS class)
{
	struct ctl_args wanted = *args;
	struct objects objects;
	CK_OBJECT_HANDLE handle;

	object_chosen(args);
	wanted.opt[OPT_CLASS] = class_names[class];
	objects = objects_find(session, &wanted);
	if (!objects.count)
		fatal("no %s object with that label or id; 'lunactl object list' shows them",
		      class_names[class]);
	handle = objects.handle[0];
	objects_free(&objects);
	return handle;
}

bool object_ulong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		  CK_ULONG *value)
{
	CK_ATTRIBUTE attr = { type, value, sizeof(*value) };

	*value = 0;
	return C_GetAttributeValue(session, obj, &attr, 1) == CKR_OK &&
	       attr.ulValueLen == sizeof(*value);
}

bool object_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE attr = { type, &value, sizeof(value) };

	return C_GetAttributeValue(session, obj, &attr, 1) == CKR_OK && value;
}

unsigned char *object_bytes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
			    CK_ULONG *len)
{
	CK_ATTRIBUTE attr = { type, NULL, 0 };

	*len = 0;
	if (C_GetAttributeValue(session, obj, &attr, 1) != CKR_OK)
		return NULL;
	attr.pValue = malloc(attr.ulValueLen + 1);
	if (!attr.pValue)
		fatal("out of memory");
	if (C_GetAttributeValue(session, obj, &attr, 1) != CKR_OK) {
		free(attr.pValue);
		return NULL;
	}
	*len = attr.ulValueLen;
	return attr.pValue;
}
