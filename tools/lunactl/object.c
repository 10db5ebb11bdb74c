// SPDX-License-Identifier: MIT
/* Commands that make, show and delete objects. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* Role of an object command: the crypto user where it is enough is not guessed; co unless said. */
static CK_SESSION_HANDLE login_for(const struct ctl_args *args)
{
	return session_login(slot_of(args, OPT_SLOT), args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co",
			     args, OPT_PIN_FILE);
}

static CK_ULONG id_bytes(const struct ctl_args *args, unsigned char id[64])
{
	return hex_bytes(args->opt[OPT_ID] ? args->opt[OPT_ID] : "", id, 64);
}

static void made(const struct ctl_args *args, const char *what, CK_OBJECT_HANDLE handle,
		 CK_OBJECT_HANDLE other)
{
	struct json_object *object;

	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "handle", json_object_new_int64((int64_t)handle));
		if (other)
			json_object_object_add(object, "public_handle",
					       json_object_new_int64((int64_t)other));
		print_json(object);
	} else {
		printf("%s '%s': handle %lu\n", what, args->opt[OPT_LABEL], handle);
	}
}

static void generate_rsa(CK_SESSION_HANDLE session, const struct ctl_args *args, CK_ULONG bits)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_BBOOL *extractable = args->opt[OPT_EXTRACTABLE] ? &yes : &no;
	unsigned char id[64], e[] = { 1, 0, 1 };
	CK_ULONG id_len = id_bytes(args, id), label_len = strlen(args->opt[OPT_LABEL]);
	void *label = (void *)args->opt[OPT_LABEL];
	CK_ATTRIBUTE pub[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_MODULUS_BITS, &bits, sizeof(bits) },
		{ CKA_PUBLIC_EXPONENT, e, 3 }, { CKA_LABEL, label, label_len },
		{ CKA_ENCRYPT, &yes, 1 }, { CKA_VERIFY, &yes, 1 }, { CKA_WRAP, &yes, 1 },
		{ CKA_ID, id, id_len },
	};
	CK_ATTRIBUTE priv[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, extractable, 1 }, { CKA_LABEL, label, label_len },
		{ CKA_DECRYPT, &yes, 1 }, { CKA_SIGN, &yes, 1 }, { CKA_UNWRAP, &yes, 1 },
		{ CKA_ID, id, id_len },
	};
	CK_OBJECT_HANDLE public_key, private_key;

	check(C_GenerateKeyPair(session, &mech, pub, 8, priv, 9, &public_key, &private_key),
	      "C_GenerateKeyPair");
	made(args, "RSA key pair", private_key, public_key);
}

/* Each key may do what its curve is for. */
static void generate_ec(CK_SESSION_HANDLE session, const struct ctl_args *args,
			const struct ctl_curve *curve)
{
	CK_MECHANISM mech = { curve->generate, NULL, 0 };
	CK_BBOOL *extractable = args->opt[OPT_EXTRACTABLE] ? &yes : &no;
	CK_BBOOL *signs = curve->key_type == CKK_EC_MONTGOMERY ? &no : &yes;
	CK_BBOOL *derives = curve->key_type == CKK_EC_EDWARDS ? &no : &yes;
	unsigned char id[64];
	CK_ULONG id_len = id_bytes(args, id), label_len = strlen(args->opt[OPT_LABEL]);
	void *label = (void *)args->opt[OPT_LABEL];
	CK_ATTRIBUTE pub[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_EC_PARAMS, (void *)curve->params, curve->params_len },
		{ CKA_LABEL, label, label_len }, { CKA_VERIFY, signs, 1 }, { CKA_ID, id, id_len },
	};
	CK_ATTRIBUTE priv[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, extractable, 1 }, { CKA_LABEL, label, label_len },
		{ CKA_SIGN, signs, 1 }, { CKA_DERIVE, derives, 1 }, { CKA_ID, id, id_len },
	};
	CK_OBJECT_HANDLE public_key, private_key;
	char what[32];

	check(C_GenerateKeyPair(session, &mech, pub, 5, priv, 8, &public_key, &private_key),
	      "C_GenerateKeyPair");
	snprintf(what, sizeof(what), "%s key pair", curve->name);
	made(args, what, private_key, public_key);
}

static void generate_secret(CK_SESSION_HANDLE session, const struct ctl_args *args,
			    CK_MECHANISM_TYPE type, CK_ULONG bits, bool cipher)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_BBOOL *extractable = args->opt[OPT_EXTRACTABLE] ? &yes : &no;
	CK_BBOOL *use_cipher = cipher ? &yes : &no;
	unsigned char id[64];
	CK_ULONG id_len = id_bytes(args, id), bytes = bits / 8;
	CK_ATTRIBUTE tmpl[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, extractable, 1 },
		{ CKA_LABEL, (void *)args->opt[OPT_LABEL], strlen(args->opt[OPT_LABEL]) },
		{ CKA_VALUE_LEN, &bytes, sizeof(bytes) }, { CKA_SIGN, &yes, 1 },
		{ CKA_VERIFY, &yes, 1 }, { CKA_ENCRYPT, use_cipher, 1 },
		{ CKA_DECRYPT, use_cipher, 1 }, { CKA_WRAP, use_cipher, 1 },
		{ CKA_UNWRAP, use_cipher, 1 }, { CKA_ID, id, id_len },
	};
	CK_OBJECT_HANDLE key;

	if (bits % 8)
		usage_error("--size is in bits, a multiple of 8");
	check(C_GenerateKey(session, &mech, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &key),
	      "C_GenerateKey");
	made(args, cipher ? "AES key" : "Generic secret", key, 0);
}

static int key_generate(const struct ctl_args *args)
{
	const struct ctl_curve *curve = NULL;
	CK_SESSION_HANDLE session;

	args_need(args, OPT_TYPE);
	args_need(args, OPT_LABEL);
	if (strcmp(args->opt[OPT_TYPE], "rsa") && strcmp(args->opt[OPT_TYPE], "aes") &&
	    strcmp(args->opt[OPT_TYPE], "ec") && strcmp(args->opt[OPT_TYPE], "generic"))
		usage_error("'%s' is no type of key: rsa, ec, aes or generic", args->opt[OPT_TYPE]);
	if (!strcmp(args->opt[OPT_TYPE], "ec"))
		curve = curve_named(args->opt[OPT_CURVE] ? args->opt[OPT_CURVE] : "P-256");
	if (curve ? !!args->opt[OPT_SIZE] : !!args->opt[OPT_CURVE])
		usage_error("--curve goes with --type ec, --size with the other types");
	session = login_for(args);
	if (curve)
		generate_ec(session, args, curve);
	else if (!strcmp(args->opt[OPT_TYPE], "rsa"))
		generate_rsa(session, args, args_number(args, OPT_SIZE, 2048));
	else if (!strcmp(args->opt[OPT_TYPE], "aes"))
		generate_secret(session, args, CKM_AES_KEY_GEN, args_number(args, OPT_SIZE, 256), true);
	else
		generate_secret(session, args, CKM_GENERIC_SECRET_KEY_GEN,
				args_number(args, OPT_SIZE, 256), false);
	return 0;
}

static const struct {
	CK_ATTRIBUTE_TYPE type;
	const char *name;
} flags[] = {
	{ CKA_TOKEN, "token" }, { CKA_PRIVATE, "private" }, { CKA_SENSITIVE, "sensitive" },
	{ CKA_EXTRACTABLE, "extractable" }, { CKA_ALWAYS_SENSITIVE, "always-sensitive" },
	{ CKA_NEVER_EXTRACTABLE, "never-extractable" }, { CKA_LOCAL, "local" },
	{ CKA_MODIFIABLE, "modifiable" }, { CKA_TRUSTED, "trusted" }, { CKA_ENCRYPT, "encrypt" },
	{ CKA_DECRYPT, "decrypt" }, { CKA_SIGN, "sign" }, { CKA_VERIFY, "verify" },
	{ CKA_SIGN_RECOVER, "sign-recover" }, { CKA_VERIFY_RECOVER, "verify-recover" },
	{ CKA_WRAP, "wrap" }, { CKA_UNWRAP, "unwrap" }, { CKA_DERIVE, "derive" },
};

static struct json_object *object_json(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj)
{
	struct json_object *row = json_object_new_object(), *list;
	const struct ctl_curve *curve = curve_of(session, obj);
	CK_ULONG class, type, size, len;
	unsigned char *bytes;
	size_t i;

	json_object_object_add(row, "handle", json_object_new_int64((int64_t)obj));
	if (!object_ulong(session, obj, CKA_CLASS, &class))
		check(CKR_OBJECT_HANDLE_INVALID, "C_GetAttributeValue");
	json_object_object_add(row, "class", json_object_new_string(class_name(class)));
	if (object_ulong(session, obj, CKA_KEY_TYPE, &type))
		json_object_object_add(row, "type", json_object_new_string(key_type_name(type)));
	if (curve) {
		json_object_object_add(row, "curve", json_object_new_string(curve->name));
		json_object_object_add(row, "bits", json_object_new_int64((int64_t)curve->bits));
	}
	bytes = object_bytes(session, obj, CKA_MODULUS, &len);
	if (bytes)
		json_object_object_add(row, "bits", json_object_new_int64((int64_t)len * 8));
	else if (object_ulong(session, obj, CKA_VALUE_LEN, &size))
		json_object_object_add(row, "bits", json_object_new_int64((int64_t)size * 8));
	free(bytes);
	bytes = object_bytes(session, obj, CKA_LABEL, &len);
	json_object_object_add(row, "label", json_text(bytes ? (char *)bytes : "", len));
	free(bytes);
	bytes = object_bytes(session, obj, CKA_ID, &len);
	json_object_object_add(row, "id", json_hex(bytes, len));
	free(bytes);
	bytes = object_bytes(session, obj, CKA_OUID, &len);
	json_object_object_add(row, "ouid", json_hex(bytes, len));
	free(bytes);
	list = json_object_new_array();
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (object_bool(session, obj, flags[i].type))
			json_object_array_add(list, json_object_new_string(flags[i].name));
	json_object_object_add(row, "attributes", list);
	return row;
}

static const char *text_of(struct json_object *row, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(row, key, &value) ? json_object_get_string(value) : "";
}

static void object_line(struct json_object *row)
{
	const char *label = text_of(row, "label");

	printf("%8s  %-11s  %-14s  %5s  ", text_of(row, "handle"), text_of(row, "class"),
	       text_of(row, "type"), text_of(row, "bits"));
	print_text(label);
	printf("%*s  %s\n", strlen(label) < 24 ? (int)(24 - strlen(label)) : 0, "", text_of(row, "id"));
}

/* All as one JSON array, or each by @say; frees @objects. */
static int objects_print(CK_SESSION_HANDLE session, const struct ctl_args *args,
			 struct objects *objects, void (*say)(struct json_object *row))
{
	struct json_object *list = json_object_new_array(), *row;
	CK_ULONG i;

	for (i = 0; i < objects->count; i++) {
		row = object_json(session, objects->handle[i]);
		if (!args->json)
			say(row);
		json_object_array_add(list, row);
	}
	if (args->json)
		print_json(list);
	else
		json_object_put(list);
	objects_free(objects);
	return 0;
}

static int object_list(const struct ctl_args *args)
{
	CK_SESSION_HANDLE session = login_for(args);
	struct objects objects = objects_find(session, args);

	if (!args->json)
		printf("%8s  %-11s  %-14s  %5s  %-24s  %s\n", "handle", "class", "type", "bits", "label",
		       "id");
	return objects_print(session, args, &objects, object_line);
}

static void object_paragraph(struct json_object *row)
{
	json_object_object_foreach(row, key, value) {
		printf("%-12s ", key);
		print_text(json_object_get_string(value));
		putchar('\n');
	}
	putchar('\n');
}

static int object_show(const struct ctl_args *args)
{
	CK_SESSION_HANDLE session = login_for(args);
	struct objects objects = objects_find(session, args);

	if (!objects.count)
		fatal("no such object; 'lunactl object list' shows them");
	return objects_print(session, args, &objects, object_paragraph);
}

static int object_delete(const struct ctl_args *args)
{
	CK_SESSION_HANDLE session;
	struct objects objects;
	CK_ULONG i;

	object_chosen(args);
	session = login_for(args);
	objects = objects_find(session, args);
	if (!objects.count)
		fatal("no such object; 'lunactl object list' shows them");
	if (objects.count > 1 && !args->opt[OPT_FORCE])
		fatal("%lu objects match; --force deletes them all, --handle or --class chooses",
		      objects.count);
	for (i = 0; i < objects.count; i++)
		check(C_DestroyObject(session, objects.handle[i]), "C_DestroyObject");
	print_done(args, "Deleted %lu object%s.\n", objects.count, objects.count == 1 ? "" : "s");
	objects_free(&objects);
	return 0;
}

/* SubjectPublicKeyInfo in PEM, as openssl reads it. */
static char *rsa_pem(const unsigned char *n, CK_ULONG n_len, const unsigned char *e, CK_ULONG e_len,
		     long *len)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *bn_n = BN_bin2bn(n, (int)n_len, NULL), *bn_e = BN_bin2bn(e, (int)e_len, NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	char *data, *pem = NULL;

	if (build && ctx && bn_n && bn_e && bio &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) &&
	    (params = OSSL_PARAM_BLD_to_param(build)) && EVP_PKEY_fromdata_init(ctx) > 0 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) > 0 &&
	    PEM_write_bio_PUBKEY(bio, key)) {
		*len = BIO_get_mem_data(bio, &data);
		pem = malloc((size_t)*len);
		if (pem)
			memcpy(pem, data, (size_t)*len);
	}
	EVP_PKEY_free(key);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(bn_n);
	BN_free(bn_e);
	BIO_free(bio);
	return pem;
}

static char *rsa_export(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, long *len)
{
	CK_ULONG n_len, e_len;
	unsigned char *n = object_bytes(session, key, CKA_MODULUS, &n_len);
	unsigned char *e = object_bytes(session, key, CKA_PUBLIC_EXPONENT, &e_len);
	char *pem;

	if (!n || !e)
		fatal("the object is no RSA or EC public key");
	pem = rsa_pem(n, n_len, e, e_len, len);
	free(n);
	free(e);
	return pem;
}

static char *ec_export(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, const struct ctl_curve *curve,
		       long *len)
{
	CK_ULONG point_len;
	unsigned char *point = object_bytes(session, key, CKA_EC_POINT, &point_len);
	char *pem = point ? curve_pem(curve, point, point_len, len) : NULL;

	free(point);
	return pem;
}

static int export_public(const struct ctl_args *args)
{
	const struct ctl_curve *curve;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	char *pem;
	long len;

	object_chosen(args);
	session = login_for(args);
	key = object_one(session, args, CKO_PUBLIC_KEY);
	curve = curve_of(session, key);
	pem = curve ? ec_export(session, key, curve, &len) : rsa_export(session, key, &len);
	if (!pem)
		fatal("OpenSSL does not take this public key");
	output_write(args, pem, (CK_ULONG)len, false);
	free(pem);
	return 0;
}

#define CHOICE	(OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE) | OPT(LABEL) | OPT(ID) | OPT(HANDLE))

const struct ctl_command object_commands[] = {
	{ "key generate", "Generates a key or key pair on the token",
	  "Private and secret keys are sensitive, and not extractable unless --extractable is given.",
	  key_generate, OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE) | OPT(TYPE) | OPT(SIZE) | OPT(CURVE) | OPT(LABEL) |
	  OPT(ID) | OPT(EXTRACTABLE), NULL },
	{ "object list", "Lists objects", NULL, object_list, CHOICE | OPT(CLASS), NULL },
	{ "object show", "Shows what the token tells of objects", NULL, object_show, CHOICE | OPT(CLASS),
	  NULL },
	{ "object delete", "Deletes objects", NULL, object_delete, CHOICE | OPT(CLASS) | OPT(FORCE),
	  NULL },
	{ "export", "Writes a public key in PEM", NULL, export_public, CHOICE | OPT(OUT), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
