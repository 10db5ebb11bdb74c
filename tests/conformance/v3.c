// SPDX-License-Identifier: MIT
/*
 * PKCS#11 v3.0: interfaces, C_LoginUser, C_SessionCancel and messages. Everything goes through the
 * list that C_GetInterface gives; OpenSSL and published vectors say what is right.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "curves.h"
#include "suite.h"

static CK_FUNCTION_LIST_3_0 *v3;
static CK_FUNCTION_LIST_PTR v2;
static CK_C_GetInterface get_interface;
static CK_C_GetInterfaceList get_interface_list;
static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE key;
static unsigned char key_value[32];

/* The helpers of the suite then go through the new list, too, which begins as the old one. */
static int group_setup(void **state)
{
	CK_INTERFACE *interface;

	suite_setup_bare(state);
	get_interface = (CK_C_GetInterface)suite_symbol("C_GetInterface");
	get_interface_list = (CK_C_GetInterfaceList)suite_symbol("C_GetInterfaceList");
	v2 = p11;
	assert_ok(get_interface(NULL, NULL, &interface, 0));
	v3 = interface->pFunctionList;
	p11 = interface->pFunctionList;
	token_init(slot_a, "token a", DOMAIN);
	token_init(slot_b, "token b", DOMAIN);
	return 0;
}

static int setup(void **state)
{
	size_t i;

	(void)state;
	s = session_co(slot_a);
	for (i = 0; i < sizeof(key_value); i++)
		key_value[i] = i * 7 + 1;
	key = secret_import(s, CKK_AES, key_value, sizeof(key_value));
	return 0;
}

/* ---- interfaces ---- */

static void interface_list(void **state)
{
	CK_VERSION *versions[2];
	CK_INTERFACE list[4];
	CK_ULONG count = 99;

	(void)state;
	assert_rv(get_interface_list(NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(get_interface_list(list, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(get_interface_list(NULL, &count));
	assert_int_equal(count, 2);
	count = 1;
	assert_rv(get_interface_list(list, &count), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(count, 2);
	count = 4;
	assert_ok(v3->C_GetInterfaceList(list, &count));
	assert_int_equal(count, 2);
	for (count = 0; count < 2; count++) {
		assert_string_equal((char *)list[count].pInterfaceName, "PKCS 11");
		assert_int_equal(list[count].flags, 0);
		versions[count] = list[count].pFunctionList;
	}
	assert_int_equal(versions[0]->major, 3);
	assert_int_equal(versions[0]->minor, 0);
	assert_int_equal(versions[1]->major, 2);
	assert_int_equal(versions[1]->minor, 40);
}

static void *interface_of(const char *name, int major, int minor)
{
	CK_VERSION version = { major, minor };
	CK_INTERFACE *interface = NULL;

	if (get_interface((CK_UTF8CHAR *)name, major ? &version : NULL, &interface, 0) != CKR_OK)
		return NULL;
	return interface->pFunctionList;
}

static void interface_by_name(void **state)
{
	CK_INTERFACE *interface = NULL;

	(void)state;
	assert_ptr_equal(interface_of(NULL, 0, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 0, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 3, 0), v3);
	assert_ptr_equal(interface_of(NULL, 3, 0), v3);
	assert_ptr_equal(interface_of("PKCS 11", 2, 40), v2);
	assert_ptr_equal(interface_of(NULL, 2, 40), v2);
	assert_null(interface_of("PKCS 11", 3, 1));
	assert_null(interface_of("PKCS 11", 2, 20));
	assert_null(interface_of("PKCS 1", 0, 0));
	assert_null(interface_of("PKCS 11 ", 0, 0));
	assert_null(interface_of("", 0, 0));
	assert_null(interface_of("Vendor luna", 0, 0));
	assert_rv(get_interface(NULL, NULL, NULL, 0), CKR_ARGUMENTS_BAD);
	/* A child does not get its parent's sessions. */
	assert_rv(get_interface(NULL, NULL, &interface, CKF_INTERFACE_FORK_SAFE),
		  CKR_FUNCTION_FAILED);
	assert_null(interface);
}

/* Every function stands where the name says, but for the one that tells the versions apart. */
static void interface_members(void **state)
{
	CK_FUNCTION_LIST *list = NULL;
	CK_INFO info;

	(void)state;
#define SAME(name, args)							\
	if (strcmp(#name, "C_GetInfo"))						\
		assert_ptr_equal((void *)v3->name, suite_symbol(#name));
#define SAME_2(name, args) assert_ptr_equal((void *)v2->name, suite_symbol(#name));
	LUNA_C_FUNCTIONS_2_40(SAME)
	LUNA_C_FUNCTIONS_3_0(SAME)
	LUNA_C_FUNCTIONS_2_40(SAME_2)
	assert_int_equal(v2->version.major, 2);
	assert_int_equal(v2->version.minor, 40);
	assert_ok(v3->C_GetFunctionList(&list));
	assert_ptr_equal(list, v2);
	assert_ok(v3->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 3);
	assert_int_equal(info.cryptokiVersion.minor, 0);
	assert_ok(v2->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 2);
	assert_int_equal(info.cryptokiVersion.minor, 40);
}

/* ---- C_LoginUser ---- */

static CK_RV login_user(CK_USER_TYPE type, const char *pin, const char *name)
{
	return v3->C_LoginUser(s, type, (CK_UTF8CHAR *)pin, strlen(pin), (CK_UTF8CHAR *)name,
			       name ? strlen(name) : 0);
}

static void login_users(void **state)
{
	static const struct {
		CK_USER_TYPE type;
		const char *pin, *name;
		CK_RV rv;
		CK_STATE state;
	} rows[] = {
		{ CKU_USER, CO_PIN, NULL, CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "co", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CO_PIN, "Crypto Officer", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_USER, CU_PIN, "cu", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_CRYPTO_USER, CU_PIN, "CU", CKR_OK, CKS_RW_USER_FUNCTIONS },
		{ CKU_SO, SO_PIN, "so", CKR_OK, CKS_RW_SO_FUNCTIONS },
		{ CKU_SO, SO_PIN, "Partition SO", CKR_OK, CKS_RW_SO_FUNCTIONS },
		{ CKU_USER, CO_PIN, "alice", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, CO_PIN, "c", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, SO_PIN, "so", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_SO, CO_PIN, "co", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_CRYPTO_USER, CO_PIN, "co", CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ 77, CO_PIN, NULL, CKR_USER_TYPE_INVALID, CKS_RW_PUBLIC_SESSION },
		{ CKU_USER, CU_PIN, "co", CKR_PIN_INCORRECT, CKS_RW_PUBLIC_SESSION },
	};
	size_t i;

	(void)state;
	assert_ok(v3->C_Logout(s));
	for (i = 0; i < COUNT(rows); i++) {
		assert_rv(login_user(rows[i].type, rows[i].pin, rows[i].name), rows[i].rv);
		assert_int_equal(session_info(s).state, rows[i].state);
		if (rows[i].rv == CKR_OK)
			assert_ok(v3->C_Logout(s));
	}
	assert_rv(v3->C_LoginUser(s, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN), NULL, 2),
		  CKR_ARGUMENTS_BAD);
	assert_rv(v3->C_LoginUser(0, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN), NULL, 0),
		  CKR_SESSION_HANDLE_INVALID);
	session_login(s, CKU_USER, CO_PIN);
	assert_rv(login_user(CKU_USER, CO_PIN, "co"), CKR_USER_ALREADY_LOGGED_IN);
}

/* ---- messages of AES-GCM: helpers ---- */

struct gcm {
	unsigned char iv[256], tag[16];
	CK_GCM_MESSAGE_PARAMS p;
};

static void gcm_init(struct gcm *g, CK_ULONG iv_len, CK_GENERATOR_FUNCTION generator,
		     CK_ULONG fixed_bits, CK_ULONG tag_bits)
{
	memset(g->iv, 0xa5, sizeof(g->iv));
	memset(g->tag, 0, sizeof(g->tag));
	g->p = (CK_GCM_MESSAGE_PARAMS){ g->iv, iv_len, fixed_bits, generator, g->tag, tag_bits };
}

static CK_MECHANISM gcm_mech = { CKM_AES_GCM, NULL, 0 };

static CK_RV seal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data, CK_ULONG len,
		  void *out, CK_ULONG *out_len)
{
	return v3->C_EncryptMessage(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len,
				    (CK_BYTE *)data, len, out, out_len);
}

static CK_RV unseal(struct gcm *g, const void *aad, CK_ULONG aad_len, const void *data,
		    CK_ULONG len, void *out, CK_ULONG *out_len)
{
	return v3->C_DecryptMessage(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len,
				    (CK_BYTE *)data, len, out, out_len);
}

/* One message in parts of @split bytes. */
static CK_RV in_parts(bool encrypt, struct gcm *g, const void *aad, CK_ULONG aad_len,
		      const void *data, CK_ULONG len, CK_ULONG split, unsigned char *out,
		      CK_ULONG *out_len)
{
	CK_BYTE *in = (CK_BYTE *)data;
	CK_ULONG done = 0, part, got;
	CK_FLAGS flags;
	CK_RV rv;

	rv = encrypt ? v3->C_EncryptMessageBegin(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len) :
		       v3->C_DecryptMessageBegin(s, &g->p, sizeof(g->p), (CK_BYTE *)aad, aad_len);
	do {
		part = len < split ? len : split;
		flags = part == len ? CKF_END_OF_MESSAGE : 0;
		got = *out_len - done;
		if (rv)
			return rv;
		rv = encrypt ? v3->C_EncryptMessageNext(s, &g->p, sizeof(g->p), in, part, out + done,
							&got, flags) :
			       v3->C_DecryptMessageNext(s, &g->p, sizeof(g->p), in, part, out + done,
							&got, flags);
		if (!encrypt && !flags && !rv)
			assert_int_equal(got, 0);	/* nothing before the tag was seen */
		done += got;
		in += part;
		len -= part;
	} while (!flags);
	*out_len = done;
	return rv;
}

/* What OpenSSL makes of it; the key is key_value. */
static void openssl_seal(const unsigned char *iv, size_t iv_len, const void *aad, size_t aad_len,
			 const void *data, size_t len, unsigned char *out, unsigned char tag[16])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	assert_non_null(ctx);
	assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_IVLEN, iv_len, NULL), 1);
	assert_int_equal(EVP_EncryptInit_ex(ctx, NULL, NULL, key_value, iv), 1);
	if (aad_len)
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len), 1);
	if (len)
		assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, data, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + len, &n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, 16, tag), 1);
	EVP_CIPHER_CTX_free(ctx);
}

static unsigned char *pattern(size_t len)
{
	unsigned char *data = malloc(len + 1);
	size_t i;

	assert_non_null(data);
	for (i = 0; i < len; i++)
		data[i] = i * 31 + (i >> 8);
	return data;
}

/* ---- known answers ---- */

struct vector {
	unsigned char *field[5];	/* key, iv, aad, data, result */
	size_t len[5];
};

static void vector_check(struct vector *v, CK_ULONG tag_len, CK_ULONG split)
{
	unsigned char out[256], back[256];
	CK_ULONG len = sizeof(out);
	struct gcm g;

	gcm_init(&g, v->len[1], CKG_NO_GENERATE, 0, tag_len * 8);
	memcpy(g.iv, v->field[1], v->len[1]);
	if (split)
		assert_ok(in_parts(true, &g, v->field[2], v->len[2], v->field[3], v->len[3], split,
				   out, &len));
	else
		assert_ok(seal(&g, v->field[2], v->len[2], v->field[3], v->len[3], out, &len));
	assert_int_equal(len, v->len[3]);
	assert_memory_equal(out, v->field[4], len);
	assert_memory_equal(g.tag, v->field[4] + len, tag_len);
	assert_memory_equal(g.iv, v->field[1], v->len[1]);
	len = sizeof(back);
	if (split)
		assert_ok(in_parts(false, &g, v->field[2], v->len[2], out, v->len[3], split, back,
				   &len));
	else
		assert_ok(unseal(&g, v->field[2], v->len[2], out, v->len[3], back, &len));
	assert_int_equal(len, v->len[3]);
	assert_memory_equal(back, v->field[3], len);
}

/* Every byte of what is authenticated matters, and nothing comes out that is not genuine. */
static void vector_forge(struct vector *v)
{
	unsigned char back[256], clean[256] = { 0 };
	unsigned char *where[] = { v->field[1], v->field[2], v->field[4] };
	const size_t lens[] = { v->len[1], v->len[2], v->len[4] };
	CK_ULONG len, w, i;
	struct gcm g;

	for (w = 0; w < COUNT(where); w++) {
		for (i = 0; i < lens[w]; i++) {
			where[w][i] ^= 0x10;
			gcm_init(&g, v->len[1], CKG_NO_GENERATE, 0, 128);
			memcpy(g.iv, v->field[1], v->len[1]);
			memcpy(g.tag, v->field[4] + v->len[3], 16);
			memset(back, 0, sizeof(back));
			len = sizeof(back);
			if (i % 2)
				assert_rv(unseal(&g, v->field[2], v->len[2], v->field[4], v->len[3],
						 back, &len), CKR_AEAD_DECRYPT_FAILED);
			else
				assert_rv(in_parts(false, &g, v->field[2], v->len[2], v->field[4],
						   v->len[3], 5, back, &len),
					  CKR_AEAD_DECRYPT_FAILED);
			assert_memory_equal(back, clean, sizeof(back));
			where[w][i] ^= 0x10;
		}
	}
}

static void vector_run(struct vector *v)
{
	static const CK_ULONG tags[] = { 16, 15, 13, 12, 8, 4 };
	CK_OBJECT_HANDLE k = secret_import(s, CKK_AES, v->field[0], v->len[0]);
	size_t i;

	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, k));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, k));
	for (i = 0; i < COUNT(tags); i++)
		vector_check(v, tags[i], 0);
	for (i = 1; i < 20; i += 6)
		vector_check(v, 16, i);
	vector_forge(v);
	vector_check(v, 16, 0);		/* no forgery was the end of it */
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_ok(v3->C_MessageDecryptFinal(s));
	for (i = 0; i < COUNT(v->field); i++)
		free(v->field[i]);
	memset(v, 0, sizeof(*v));
}

static void known_answers(void **state)
{
	static const char *const names[] = { "key", "iv", "aad", "data", "result" };
	char line[2048], name[32], value[1800];
	FILE *f = fopen(LUNA_TEST_VECTORS "/gcm.txt", "r");
	struct vector v = { 0 };
	int i, count = 0, found;

	(void)state;
	assert_non_null(f);
	for (;;) {
		found = fgets(line, sizeof(line), f) ? sscanf(line, " %31[a-z] = %1799s", name, value) :
						       EOF;
		if (found < 1 && v.field[4]) {
			for (i = 0; i < 5; i++)
				if (!v.field[i])
					v.field[i] = unhex("", &v.len[i]);
			vector_run(&v);
			count++;
		}
		if (feof(f))
			break;
		for (i = 0; i < 5 && found == 2; i++)
			if (!strcmp(name, names[i]))
				v.field[i] = unhex(value, &v.len[i]);
	}
	fclose(f);
	assert_int_equal(count, 18);
}

static void against_openssl(void **state)
{
	static const CK_ULONG lens[] = { 0, 1, 15, 16, 17, 1000, 14335, 14336, 14337, 16384, 16385,
					 100000, 1 << 20 };
	static const CK_ULONG iv_lens[] = { 12, 1, 16, 8, 128, 60 };
	unsigned char *data = pattern(1 << 20), *out = malloc(1 << 20), *want = malloc((1 << 20) + 16);
	unsigned char tag[16];
	CK_ULONG i, len, aad_len;
	struct gcm g;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	for (i = 0; i < COUNT(lens); i++) {
		gcm_init(&g, iv_lens[i % COUNT(iv_lens)], CKG_NO_GENERATE, 0, 128);
		g.iv[0] = i;
		aad_len = i * i * i * 17;
		openssl_seal(g.iv, g.p.ulIvLen, data, aad_len, data, lens[i], want, tag);
		len = lens[i];
		assert_ok(seal(&g, data, aad_len, data, lens[i], out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, want, len);
		assert_memory_equal(g.tag, tag, 16);
		memset(out, 0, lens[i]);
		assert_ok(in_parts(true, &g, data, aad_len, data, lens[i], 20000, out, &len));
		assert_memory_equal(out, want, lens[i]);
		assert_memory_equal(g.tag, tag, 16);
		/* In place, whole and in parts. */
		assert_ok(unseal(&g, data, aad_len, out, lens[i], out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, data, len);
		assert_ok(in_parts(false, &g, data, aad_len, want, lens[i], 30000, out, &len));
		assert_int_equal(len, lens[i]);
		assert_memory_equal(out, data, len);
	}
	free(data);
	free(out);
	free(want);
}

/* ---- IVs ---- */

static uint64_t low_bits(const unsigned char *iv, CK_ULONG len, unsigned int bits)
{
	uint64_t value = 0;
	CK_ULONG i;

	for (i = len > 8 ? len - 8 : 0; i < len; i++)
		value = value << 8 | iv[i];
	return bits < 64 ? value & ((1ULL << bits) - 1) : value;
}

enum { IVS = 100 };

/* Different all, the fixed bits as they were, and each of them the one that was used. */
static void ivs_differ(CK_GENERATOR_FUNCTION generator, CK_ULONG iv_len, CK_ULONG fixed)
{
	unsigned char ivs[IVS][32], out[8], want[24], tag[16], first[32];
	CK_ULONG len, i, j;
	struct gcm g;

	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, iv_len, generator, fixed, 128);
	for (i = 0; i < iv_len; i++)
		g.iv[i] = first[i] = 3 * i + 0x5a;
	for (i = 0; i < IVS; i++) {
		/* A query and a short buffer use none up. */
		len = 0;
		assert_ok(seal(&g, "aad", 3, "message", 7, NULL, &len));
		assert_int_equal(len, 7);
		len = 6;
		assert_rv(seal(&g, "aad", 3, "message", 7, out, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, 7);
		if (i % 3)
			assert_ok(seal(&g, "aad", 3, "message", 7, out, &len));
		else
			assert_ok(in_parts(true, &g, "aad", 3, "message", 7, 3, out, &len));
		assert_int_equal(len, 7);
		memcpy(ivs[i], g.iv, iv_len);
		openssl_seal(g.iv, iv_len, "aad", 3, "message", 7, want, tag);
		assert_memory_equal(out, want, 7);
		assert_memory_equal(g.tag, tag, 16);
		for (j = 0; j < fixed; j++)
			assert_int_equal((g.iv[j / 8] ^ first[j / 8]) >> (7 - j % 8) & 1, 0);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(ivs[j], ivs[i], iv_len);
		if (generator == CKG_GENERATE_COUNTER)
			assert_int_equal(low_bits(g.iv, iv_len, 8 * iv_len - fixed), i);
		if (generator == CKG_GENERATE_COUNTER_XOR)
			assert_int_equal(low_bits(g.iv, iv_len, 64) ^ low_bits(first, iv_len, 64), i);
	}
	assert_ok(v3->C_MessageEncryptFinal(s));
}

static void generators(void **state)
{
	(void)state;
	ivs_differ(CKG_GENERATE, 12, 0);
	ivs_differ(CKG_GENERATE, 12, 32);
	ivs_differ(CKG_GENERATE, 16, 13);
	ivs_differ(CKG_GENERATE_RANDOM, 12, 0);
	ivs_differ(CKG_GENERATE_RANDOM, 12, 32);
	ivs_differ(CKG_GENERATE_RANDOM, 32, 150);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 0);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 64);
	ivs_differ(CKG_GENERATE_COUNTER, 12, 96 - 9);
	ivs_differ(CKG_GENERATE_COUNTER, 2, 0);
	ivs_differ(CKG_GENERATE_COUNTER, 13, 51);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 0);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 32);
	ivs_differ(CKG_GENERATE_COUNTER_XOR, 12, 83);
}

/* A generator that would begin again stops, for good. */
static void generators_end(void **state)
{
	static const struct {
		CK_GENERATOR_FUNCTION generator;
		CK_ULONG iv_len, fixed, ivs;
	} rows[] = {
		{ CKG_GENERATE_COUNTER, 12, 92, 16 },
		{ CKG_GENERATE_COUNTER, 12, 95, 2 },
		{ CKG_GENERATE_COUNTER_XOR, 12, 91, 32 },
		{ CKG_GENERATE_COUNTER, 1, 0, 256 },
	};
	CK_ULONG i, n, len;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
		gcm_init(&g, rows[i].iv_len, rows[i].generator, rows[i].fixed, 128);
		for (n = 0; n < rows[i].ivs; n++) {
			len = sizeof(out);
			assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
		}
		for (n = 0; n < 3; n++)
			assert_rv(seal(&g, NULL, 0, "text", 4, out, &len),
				  CKR_TOKEN_RESOURCE_EXCEEDED);
		assert_rv(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0),
			  CKR_TOKEN_RESOURCE_EXCEEDED);
		assert_ok(v3->C_MessageEncryptFinal(s));
	}
}

/* What the first message decided holds for all. */
static void generators_stay(void **state)
{
	CK_GENERATOR_FUNCTION other;
	unsigned char base[12];
	CK_ULONG len = 4;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 36, 128);
	memcpy(base, g.iv, 12);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	for (other = 0; other < 6; other++) {
		g.p.ivGenerator = other;
		assert_rv(seal(&g, NULL, 0, "text", 4, out, &len),
			  other == CKG_GENERATE_COUNTER ? CKR_OK : CKR_MECHANISM_PARAM_INVALID);
	}
	g.p.ivGenerator = CKG_GENERATE_COUNTER;
	g.p.ulIvFixedBits = 32;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.ulIvFixedBits = 36;
	g.p.ulIvLen = 13;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.ulIvLen = 12;
	g.iv[4] ^= 0x10;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.iv[4] ^= 0x11;	/* not fixed: it is no matter what stands there */
	memcpy(g.iv, base, 4);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 60), 2);
	assert_ok(v3->C_MessageEncryptFinal(s));
	/* The caller's own IVs, of any length, and then nothing else. */
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	g.p.ulIvLen = 33;
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	g.p.ivGenerator = CKG_GENERATE;
	g.p.ulIvLen = 12;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
}

static void gcm_parameters(void **state)
{
	static const struct {
		CK_ULONG iv_len;
		CK_GENERATOR_FUNCTION generator;
		CK_ULONG fixed, tag;
	} bad[] = {
		{ 0, CKG_NO_GENERATE, 0, 128 }, { 257, CKG_NO_GENERATE, 0, 128 },
		{ 0, CKG_GENERATE, 0, 128 }, { 33, CKG_GENERATE, 0, 128 },
		{ 12, CKG_GENERATE, 33, 128 }, { 12, CKG_GENERATE_RANDOM, 33, 128 },
		{ 12, CKG_GENERATE, 96, 128 }, { 12, CKG_GENERATE_COUNTER, 96, 128 },
		{ 12, CKG_GENERATE_COUNTER, 97, 128 }, { 12, CKG_GENERATE_COUNTER, ~0UL, 128 },
		{ 12, 5, 0, 128 }, { 12, ~0UL, 0, 128 },
		{ 12, CKG_NO_GENERATE, 0, 0 }, { 12, CKG_NO_GENERATE, 0, 24 },
		{ 12, CKG_NO_GENERATE, 0, 127 }, { 12, CKG_NO_GENERATE, 0, 136 },
		{ 12, CKG_NO_GENERATE, 0, ~0UL }, { ~0UL, CKG_NO_GENERATE, 0, 128 },
	};
	CK_MECHANISM mech = { CKM_AES_GCM, NULL, 0 };
	CK_ULONG i, len;
	CK_BYTE out[4];
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE, 0, 128);
	mech.pParameter = &g.p;
	mech.ulParameterLen = sizeof(g.p) - 8;
	assert_rv(v3->C_MessageEncryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	mech.ulParameterLen = sizeof(g.p);
	assert_ok(v3->C_MessageEncryptInit(s, &mech, key));
	for (i = 0; i < COUNT(bad); i++) {
		gcm_init(&g, bad[i].iv_len, bad[i].generator, bad[i].fixed, bad[i].tag);
		len = sizeof(out);
		assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
		assert_rv(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0),
			  CKR_MECHANISM_PARAM_INVALID);
	}
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	len = sizeof(out);
	assert_rv(v3->C_EncryptMessage(s, NULL, 0, NULL, 0, out, 4, out, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	assert_rv(v3->C_EncryptMessage(s, &g.p, sizeof(g.p) - 1, NULL, 0, out, 4, out, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	g.p.pTag = NULL;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.pTag = g.tag;
	g.p.pIv = NULL;
	assert_rv(seal(&g, NULL, 0, "text", 4, out, &len), CKR_MECHANISM_PARAM_INVALID);
	g.p.pIv = g.iv;
	assert_rv(seal(&g, NULL, 3, "text", 4, out, &len), CKR_ARGUMENTS_BAD);
	assert_rv(seal(&g, NULL, 0, NULL, 4, out, &len), CKR_ARGUMENTS_BAD);
	assert_rv(seal(&g, NULL, 0, "text", 4, out, NULL), CKR_ARGUMENTS_BAD);
	/* After all that the operation is there, and has not made a message. */
	g.p.ivGenerator = CKG_GENERATE_COUNTER;
	assert_ok(seal(&g, NULL, 0, "text", 4, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 64), 0);
}

/* ---- what it costs ---- */

static atomic_ulong trips;

/* The library's ioctl(2) is this program's: every one is a trip to the device. */
int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	atomic_fetch_add(&trips, 1);
	return syscall(SYS_ioctl, fd, request, arg);
}

static void one_trip_each(void **state)
{
	unsigned char data[4000] = { 0 }, out[4000], sig[64];
	CK_MECHANISM hmac = { CKM_AES_CMAC, NULL, 0 };
	CK_ULONG len, i, before;
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 32, 128);
	before = trips;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageSignInit(s, &hmac, key));
	assert_int_equal(trips - before, 3);
	for (i = 0; i < 20; i++) {
		before = trips;
		len = sizeof(out);
		assert_ok(seal(&g, data, 100, data, sizeof(data), out, &len));
		assert_ok(unseal(&g, data, 100, out, len, out, &len));
		assert_ok(v3->C_SignMessage(s, NULL, 0, data, sizeof(data), sig, &len));
		assert_int_equal(trips - before, 3);
		len = sizeof(out);
		assert_ok(in_parts(true, &g, data, 100, data, sizeof(data), 2000, out, &len));
		assert_int_equal(trips - before, 6);
	}
	before = trips;
	assert_ok(v3->C_SessionCancel(s, ~0UL));
	assert_int_equal(trips - before, 3);
	assert_ok(v3->C_SessionCancel(s, ~0UL));
	assert_int_equal(trips - before, 3);
}

/* ---- states ---- */

static void not_initialized(void **state)
{
	CK_BYTE out[64], sig[64];
	CK_ULONG len = sizeof(out);
	struct gcm g;

	(void)state;
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(in_parts(true, &g, NULL, 0, "x", 1, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(unseal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(in_parts(false, &g, NULL, 0, "x", 1, 1, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageDecryptFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessage(s, NULL, 0, out, 1, sig, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_SignMessageNext(s, NULL, 0, out, 1, NULL, NULL),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageSignFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessage(s, NULL, 0, out, 1, sig, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessageBegin(s, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, out, 1, NULL, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageVerifyFinal(s), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptInit(0, &gcm_mech, key), CKR_SESSION_HANDLE_INVALID);
	assert_rv(v3->C_MessageEncryptInit(s, NULL, key), CKR_ARGUMENTS_BAD);
	assert_rv(v3->C_MessageEncryptInit(s, &gcm_mech, 0), CKR_KEY_HANDLE_INVALID);
	/* An ordinary operation is none of messages, nor the other way round. */
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_rv(v3->C_Encrypt(s, out, 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(v3->C_MessageEncryptInit(s, &gcm_mech, key), CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_GetOperationState(s, NULL, &len), CKR_STATE_UNSAVEABLE);
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_rv(v3->C_GetOperationState(s, NULL, &len), CKR_OPERATION_NOT_INITIALIZED);
}

/* In the middle of a message nothing else of its kind goes, and it stays whole. */
static void in_the_middle(void **state)
{
	unsigned char out[64], want[64], tag[16];
	CK_ULONG len, need;
	struct gcm g, other;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	gcm_init(&other, 12, CKG_NO_GENERATE, 0, 128);
	openssl_seal(g.iv, 12, "aad", 3, "0123456789", 10, want, tag);
	assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), (CK_BYTE *)"aad", 3));
	len = sizeof(out);
	assert_rv(seal(&other, NULL, 0, "x", 1, out, &len), CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_EncryptMessageBegin(s, &other.p, sizeof(g.p), NULL, 0),
		  CKR_OPERATION_ACTIVE);
	assert_rv(v3->C_MessageEncryptFinal(s), CKR_OPERATION_ACTIVE);
	need = 0;
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, NULL, &need, 0));
	assert_int_equal(need, 5);
	need = 4;
	assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, out, &need, 0),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 5);
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, (CK_BYTE *)"01234", 5, out, &need, 0));
	assert_rv(seal(&other, NULL, 0, "x", 1, out + 20, &len), CKR_OPERATION_ACTIVE);
	need = 0;
	assert_ok(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, NULL, &need,
					   CKF_END_OF_MESSAGE));
	assert_int_equal(need, 5);
	need = 4;
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, out + 5,
					   &need, CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 5);
	assert_ok(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), (CK_BYTE *)"56789", 5, out + 5,
					   &need, CKF_END_OF_MESSAGE));
	assert_memory_equal(out, want, 10);
	assert_memory_equal(g.tag, tag, 16);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	/* Decryption: all at the end, into room that is asked for. */
	assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), (CK_BYTE *)"aad", 3));
	need = 0;
	assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, want, 6, out, &need, 0));
	assert_int_equal(need, 0);
	assert_ok(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, NULL, &need,
					   CKF_END_OF_MESSAGE));
	assert_int_equal(need, 10);
	need = 9;
	assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, out, &need,
					   CKF_END_OF_MESSAGE), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(need, 10);
	assert_ok(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + 6, 4, out, &need,
					   CKF_END_OF_MESSAGE));
	assert_memory_equal(out, "0123456789", 10);
	assert_ok(v3->C_MessageEncryptFinal(s));
	assert_ok(v3->C_MessageDecryptFinal(s));
}

/* What is wrong in a part ends the message, and no more. */
static void bad_parts(void **state)
{
	unsigned char out[64] = { 0 };
	CK_ULONG len = sizeof(out);
	struct gcm g;
	int i;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	for (i = 0; i < 5; i++) {
		gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
		assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		len = sizeof(out);
		switch (i) {
		case 0:		/* a NULL pointer */
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, NULL, 5, out, &len, 0),
				  CKR_ARGUMENTS_BAD);
			break;
		case 1:
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, out, 5, out, NULL, 0),
				  CKR_ARGUMENTS_BAD);
			break;
		case 2:		/* no room for the tag */
			g.p.pTag = NULL;
			assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
			break;
		case 3:
			assert_rv(v3->C_EncryptMessageNext(s, NULL, 0, out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
			break;
		case 4:		/* another tag than at the beginning */
			g.p.ulTagBits = 64;
			assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len,
							   CKF_END_OF_MESSAGE),
				  CKR_MECHANISM_PARAM_INVALID);
		}
		assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 5, out, &len, 0),
			  CKR_OPERATION_NOT_INITIALIZED);
		gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
		len = sizeof(out);
		assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
		g.p.ulTagBits = 1000;
		assert_rv(unseal(&g, NULL, 0, out, 1, out, &len), CKR_MECHANISM_PARAM_INVALID);
		g.p.ulTagBits = 128;
		assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		g.p.ulTagBits = 96;
		assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len,
						   CKF_END_OF_MESSAGE), CKR_MECHANISM_PARAM_INVALID);
		g.p.ulTagBits = 128;
		assert_ok(unseal(&g, NULL, 0, out, 1, out, &len));
		assert_int_equal(out[0], 'x');
	}
}

/* A last part of several commands: the room is looked at before anything is consumed. */
static void long_parts(void **state)
{
	enum { FIRST = 40000, ALL = 200000 };
	unsigned char *data = pattern(ALL), *out = malloc(ALL), *want = malloc(ALL + 16), tag[16];
	CK_ULONG len;
	struct gcm g;
	int i;

	(void)state;
	assert_ok(v3->C_MessageEncryptInit(s, &gcm_mech, key));
	assert_ok(v3->C_MessageDecryptInit(s, &gcm_mech, key));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	openssl_seal(g.iv, 12, NULL, 0, data, ALL, want, tag);
	assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
	len = FIRST;
	assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, data, FIRST, out, &len, 0));
	for (i = 0; i < 2; i++) {
		len = i ? ALL - FIRST : ALL - FIRST - 1;
		assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), data + FIRST, ALL - FIRST,
						   out + FIRST, &len, CKF_END_OF_MESSAGE),
			  i ? CKR_OK : CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, ALL - FIRST);
	}
	assert_memory_equal(out, want, ALL);
	assert_memory_equal(g.tag, tag, 16);
	assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
	len = 0;
	assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, want, FIRST, out, &len, 0));
	for (i = 0; i < 2; i++) {
		len = i ? ALL : ALL - 1;
		assert_rv(v3->C_DecryptMessageNext(s, &g.p, sizeof(g.p), want + FIRST, ALL - FIRST,
						   out, &len, CKF_END_OF_MESSAGE),
			  i ? CKR_OK : CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, ALL);
	}
	assert_memory_equal(out, data, ALL);
	free(data);
	free(out);
	free(want);
}

/* ---- signatures ---- */

static CK_OBJECT_HANDLE rsa_pub, rsa_priv;

struct signature {
	CK_MECHANISM mech;
	CK_OBJECT_HANDLE sign, verify;
	bool parts;
};

static void sign_messages(const struct signature *sg)
{
	CK_MECHANISM mech = sg->mech;
	unsigned char data[3][20], sig[3][256], again[256];
	CK_ULONG len[3], n, got;

	assert_ok(v3->C_MessageSignInit(s, &mech, sg->sign));
	assert_ok(v3->C_MessageVerifyInit(s, &mech, sg->verify));
	for (n = 0; n < 3; n++) {
		memset(data[n], n + 1, sizeof(data[n]));
		len[n] = 0;
		assert_ok(v3->C_SignMessage(s, NULL, 0, data[n], 20, NULL, &len[n]));
		got = len[n] - 1;
		assert_rv(v3->C_SignMessage(s, NULL, 0, data[n], 20, sig[n], &got),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_SignMessage(s, NULL, 0, data[n], 20, sig[n], &got));
		assert_int_equal(got, len[n]);
		/* A signature as any other */
		assert_ok(v3->C_VerifyInit(s, &mech, sg->verify));
		assert_ok(v3->C_Verify(s, data[n], 20, sig[n], len[n]));
	}
	for (n = 0; n < 3; n++) {
		assert_ok(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[n], len[n]));
		assert_rv(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[(n + 1) % 3], len[n]),
			  CKR_SIGNATURE_INVALID);
		assert_rv(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, sig[n], len[n] - 1),
			  CKR_SIGNATURE_LEN_RANGE);
	}
	assert_rv(v3->C_SignMessage(s, again, 8, data[0], 20, again, &got),
		  CKR_MECHANISM_PARAM_INVALID);
	if (!sg->parts) {
		assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
		assert_rv(v3->C_VerifyMessageBegin(s, NULL, 0), CKR_FUNCTION_NOT_SUPPORTED);
	}
	for (n = 0; sg->parts && n < 3; n++) {
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_rv(v3->C_SignMessage(s, NULL, 0, data[n], 20, again, &got),
			  CKR_OPERATION_ACTIVE);
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n], 7, NULL, NULL));
		got = 0;
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n] + 7, 13, NULL, &got));
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data[n] + 7, 13, again, &got));
		assert_int_equal(got, len[n]);
		assert_ok(v3->C_VerifyMessage(s, NULL, 0, data[n], 20, again, got));
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 19, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data[n] + 19, 1, sig[n], len[n]));
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		again[3] ^= 1;
		assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 20, again, len[n]),
			  CKR_SIGNATURE_INVALID);
		assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data[n], 20, again, len[n]),
			  CKR_OPERATION_NOT_INITIALIZED);
	}
	assert_ok(v3->C_MessageSignFinal(s));
	assert_ok(v3->C_MessageVerifyFinal(s));
}

static void signatures(void **state)
{
	static CK_RSA_PKCS_PSS_PARAMS pss = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
	static CK_MAC_GENERAL_PARAMS short_mac = 10;
	CK_OBJECT_HANDLE generic = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	struct signature all[] = {
		{ { CKM_SHA256_HMAC, NULL, 0 }, generic, generic, true },
		{ { CKM_SHA512_HMAC_GENERAL, &short_mac, sizeof(short_mac) }, generic, generic,
		  true },
		{ { CKM_AES_CMAC, NULL, 0 }, key, key, true },
		{ { CKM_SHA256_RSA_PKCS, NULL, 0 }, 0, 0, true },
		{ { CKM_SHA256_RSA_PKCS_PSS, &pss, sizeof(pss) }, 0, 0, true },
		{ { CKM_RSA_PKCS, NULL, 0 }, 0, 0, false },
	};
	CK_MECHANISM bad = { CKM_SHA256_RSA_PKCS_PSS, &short_mac, sizeof(short_mac) };
	size_t i;

	(void)state;
	rsa_pair(s, 2048, false, "messages", &rsa_pub, &rsa_priv);
	for (i = 0; i < COUNT(all); i++) {
		if (!all[i].sign) {
			all[i].sign = rsa_priv;
			all[i].verify = rsa_pub;
		}
		sign_messages(&all[i]);
	}
	if (mechanism_listed(slot_a, CKM_ECDSA_SHA256)) {
		struct signature ec = { .mech = { CKM_ECDSA_SHA256, NULL, 0 }, .parts = true };

		assert_ok(ec_generate(s, &curves[1], false, &ec.verify, &ec.sign));
		sign_messages(&ec);
	}
	assert_rv(v3->C_MessageSignInit(s, &bad, rsa_priv), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(v3->C_MessageSignInit(s, &all[0].mech, rsa_priv), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(v3->C_MessageSignInit(s, &all[3].mech, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* A long message, whole and in parts, is what one signature of it is. */
static void long_signatures(void **state)
{
	enum { LEN = 300000 };
	CK_OBJECT_HANDLE generic = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	CK_MECHANISM mech = { CKM_SHA384_HMAC, NULL, 0 };
	unsigned char *data = pattern(LEN), want[48], got[48];
	CK_ULONG len = sizeof(want);

	(void)state;
	assert_ok(v3->C_SignInit(s, &mech, generic));
	assert_ok(v3->C_Sign(s, data, LEN, want, &len));
	assert_ok(v3->C_MessageSignInit(s, &mech, generic));
	assert_ok(v3->C_SignMessage(s, NULL, 0, data, LEN, got, &len));
	assert_memory_equal(got, want, 48);
	assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
	assert_ok(v3->C_SignMessageNext(s, NULL, 0, data, 90000, NULL, NULL));
	len = 47;
	assert_rv(v3->C_SignMessageNext(s, NULL, 0, data + 90000, LEN - 90000, got, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 48);
	memset(got, 0, sizeof(got));
	assert_ok(v3->C_SignMessageNext(s, NULL, 0, data + 90000, LEN - 90000, got, &len));
	assert_memory_equal(got, want, 48);
	assert_ok(v3->C_MessageVerifyInit(s, &mech, generic));
	assert_ok(v3->C_VerifyMessage(s, NULL, 0, data, LEN, want, 48));
	assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
	assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data, LEN - 1, NULL, 0));
	assert_rv(v3->C_VerifyMessageNext(s, NULL, 0, data, 1, want, 48), CKR_SIGNATURE_INVALID);
	free(data);
}

/* CKA_ALWAYS_AUTHENTICATE: the PIN again for every message. */
static void always_authenticate(void **state)
{
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_ULONG bits = 2048, len = 256, i;
	CK_ATTRIBUTE pub[] = { ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_VERIFY, yes) };
	CK_ATTRIBUTE priv[] = { ATTR(CKA_ALWAYS_AUTHENTICATE, yes), ATTR(CKA_SIGN, yes),
				ATTR(CKA_PRIVATE, yes) };
	CK_OBJECT_HANDLE a, b;
	CK_BYTE sig[256];

	(void)state;
	assert_ok(v3->C_GenerateKeyPair(s, &gen, pub, COUNT(pub), priv, COUNT(priv), &a, &b));
	assert_ok(v3->C_MessageSignInit(s, &mech, b));
	for (i = 0; i < 3; i++) {
		assert_rv(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len),
			  CKR_USER_NOT_LOGGED_IN);
		assert_rv(v3->C_SignMessageBegin(s, NULL, 0), CKR_USER_NOT_LOGGED_IN);
		session_login(s, CKU_CONTEXT_SPECIFIC, CO_PIN);
		len = 0;
		assert_ok(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, NULL, &len));
		if (i != 1) {
			assert_ok(v3->C_SignMessage(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len));
			continue;
		}
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, (CK_BYTE *)"x", 1, sig, &len));
	}
	assert_ok(v3->C_MessageSignFinal(s));
}

/* ---- mechanisms ---- */

/* The flags of a mechanism say what its Inits do. */
static void mechanism_flags(void **state)
{
	static const struct {
		CK_FLAGS flag, old;
		size_t init;
	} kinds[] = {
		{ CKF_MESSAGE_ENCRYPT, CKF_ENCRYPT, offsetof(CK_FUNCTION_LIST_3_0, C_MessageEncryptInit) },
		{ CKF_MESSAGE_DECRYPT, CKF_DECRYPT, offsetof(CK_FUNCTION_LIST_3_0, C_MessageDecryptInit) },
		{ CKF_MESSAGE_SIGN, CKF_SIGN, offsetof(CK_FUNCTION_LIST_3_0, C_MessageSignInit) },
		{ CKF_MESSAGE_VERIFY, CKF_VERIFY, offsetof(CK_FUNCTION_LIST_3_0, C_MessageVerifyInit) },
	};
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = COUNT(list), i, k;
	CK_FLAGS any = 0;
	CK_MECHANISM_INFO info;
	CK_C_MessageEncryptInit init;
	CK_MECHANISM mech = { 0 };
	CK_RV rv;

	(void)state;
	assert_ok(v3->C_GetMechanismList(slot_a, list, &count));
	for (i = 0; i < count; i++) {
		assert_ok(v3->C_GetMechanismInfo(slot_a, list[i], &info));
		mech.mechanism = list[i];
		for (k = 0; k < COUNT(kinds); k++) {
			memcpy(&init, (char *)v3 + kinds[k].init, sizeof(init));
			rv = init(s, &mech, 0);
			/* The key is wrong; the mechanism is not. */
			assert_rv(rv, info.flags & kinds[k].flag ? CKR_KEY_HANDLE_INVALID :
								   CKR_MECHANISM_INVALID);
			if (info.flags & kinds[k].flag)
				assert_true(info.flags & kinds[k].old);
		}
		any |= info.flags;
		if (info.flags & CKF_MULTI_MESSAGE)
			assert_true(info.flags & (CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_SIGN));
	}
	assert_true(any & CKF_MESSAGE_ENCRYPT && any & CKF_MESSAGE_VERIFY);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_AES_GCM, &info));
	assert_int_equal(info.flags & 0x3e,
			 CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_RSA_PKCS, &info));
	assert_int_equal(info.flags & 0x3e, CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY);
	assert_ok(v3->C_GetMechanismInfo(slot_a, CKM_AES_CBC, &info));
	assert_int_equal(info.flags & 0x3e, 0);
}

/* ---- cancelling ---- */

static CK_RV start(CK_FLAGS flag)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, sha = { CKM_SHA256, NULL, 0 };
	CK_MECHANISM cmac = { CKM_AES_CMAC, NULL, 0 }, rsa = { CKM_RSA_PKCS, NULL, 0 };

	switch (flag) {
	case CKF_ENCRYPT:
		return v3->C_EncryptInit(s, &ecb, key);
	case CKF_DECRYPT:
		return v3->C_DecryptInit(s, &ecb, key);
	case CKF_DIGEST:
		return v3->C_DigestInit(s, &sha);
	case CKF_SIGN:
		return v3->C_SignInit(s, &cmac, key);
	case CKF_VERIFY:
		return v3->C_VerifyInit(s, &cmac, key);
	case CKF_SIGN_RECOVER:
		return v3->C_SignRecoverInit(s, &rsa, rsa_priv);
	case CKF_VERIFY_RECOVER:
		return v3->C_VerifyRecoverInit(s, &rsa, rsa_pub);
	case CKF_FIND_OBJECTS:
		return v3->C_FindObjectsInit(s, NULL, 0);
	case CKF_MESSAGE_ENCRYPT:
		return v3->C_MessageEncryptInit(s, &gcm_mech, key);
	case CKF_MESSAGE_DECRYPT:
		return v3->C_MessageDecryptInit(s, &gcm_mech, key);
	case CKF_MESSAGE_SIGN:
		return v3->C_MessageSignInit(s, &cmac, key);
	default:
		return v3->C_MessageVerifyInit(s, &cmac, key);
	}
}

/* Some way into it. */
static void carry_on(CK_FLAGS flag)
{
	unsigned char data[16] = { 0 }, out[64];
	CK_ULONG len = sizeof(out);
	CK_OBJECT_HANDLE found;
	struct gcm g;

	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	switch (flag) {
	case CKF_ENCRYPT:
		assert_ok(v3->C_EncryptUpdate(s, data, 16, out, &len));
		break;
	case CKF_DECRYPT:
		assert_ok(v3->C_DecryptUpdate(s, data, 16, out, &len));
		break;
	case CKF_DIGEST:
		assert_ok(v3->C_DigestUpdate(s, data, 16));
		break;
	case CKF_SIGN:
		assert_ok(v3->C_SignUpdate(s, data, 16));
		break;
	case CKF_VERIFY:
		assert_ok(v3->C_VerifyUpdate(s, data, 16));
		break;
	case CKF_FIND_OBJECTS:
		assert_ok(v3->C_FindObjects(s, &found, 1, &len));
		break;
	case CKF_MESSAGE_ENCRYPT:
		assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, data, 16, out, &len, 0));
		break;
	case CKF_MESSAGE_DECRYPT:
		assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, data, 16, out, &len, 0));
		break;
	case CKF_MESSAGE_SIGN:
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data, 16, NULL, NULL));
		break;
	case CKF_MESSAGE_VERIFY:
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data, 16, NULL, 0));
		break;
	}
}

static const CK_FLAGS cancellable[] = {
	CKF_ENCRYPT, CKF_DECRYPT, CKF_DIGEST, CKF_SIGN, CKF_SIGN_RECOVER, CKF_VERIFY,
	CKF_VERIFY_RECOVER, CKF_FIND_OBJECTS, CKF_MESSAGE_ENCRYPT, CKF_MESSAGE_DECRYPT,
	CKF_MESSAGE_SIGN, CKF_MESSAGE_VERIFY,
};

/* Each of them, freshly begun, held back by the library, or in its middle, and no other. */
static void cancel(void **state)
{
	CK_FLAGS all = 0;
	CK_ULONG i, j, depth;

	(void)state;
	rsa_pair(s, 2048, false, "cancel", &rsa_pub, &rsa_priv);
	for (i = 0; i < COUNT(cancellable); i++)
		all |= cancellable[i];
	for (depth = 0; depth < 3; depth++) {
		for (i = 0; i < COUNT(cancellable); i++) {
			for (j = 0; j < COUNT(cancellable); j++) {
				assert_ok(start(cancellable[j]));
				if (depth == 2)
					carry_on(cancellable[j]);
			}
			assert_ok(v3->C_SessionCancel(s, 0));
			assert_ok(v3->C_SessionCancel(s, CKF_GENERATE | CKF_WRAP | CKF_HW));
			assert_ok(v3->C_SessionCancel(s, cancellable[i]));
			for (j = 0; j < COUNT(cancellable); j++)
				assert_rv(start(cancellable[j]),
					  j == i ? CKR_OK : CKR_OPERATION_ACTIVE);
			assert_ok(v3->C_SessionCancel(s, all));
			assert_ok(v3->C_SessionCancel(s, all));
		}
	}
	assert_rv(v3->C_SessionCancel(0, all), CKR_SESSION_HANDLE_INVALID);
}

/* An Init without a mechanism does the same. */
static void cancel_by_init(void **state)
{
	CK_ULONG i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_ok(start(CKF_ENCRYPT));
		assert_ok(start(CKF_DIGEST));
		assert_ok(start(CKF_MESSAGE_ENCRYPT));
		assert_ok(start(CKF_MESSAGE_SIGN));
		if (i) {
			carry_on(CKF_ENCRYPT);
			carry_on(CKF_DIGEST);
			carry_on(CKF_MESSAGE_ENCRYPT);
			carry_on(CKF_MESSAGE_SIGN);
		}
		assert_ok(v3->C_EncryptInit(s, NULL, 0));
		assert_ok(v3->C_DigestInit(s, NULL));
		assert_ok(v3->C_MessageEncryptInit(s, NULL, 0));
		assert_ok(v3->C_MessageSignInit(s, NULL, 0));
		assert_rv(v3->C_EncryptInit(s, NULL, 0), CKR_ARGUMENTS_BAD);
		assert_rv(v3->C_MessageSignInit(s, NULL, 0), CKR_ARGUMENTS_BAD);
	}
}

/* A private key's messages end with the login, and with the session. */
static void logout(void **state)
{
	struct gcm g;
	CK_BYTE out[8];
	CK_ULONG len = 8;

	(void)state;
	key = aes_key(s, 32, true, "messages");
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	carry_on(CKF_MESSAGE_ENCRYPT);
	assert_ok(v3->C_Logout(s));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	session_login(s, CKU_USER, CO_PIN);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	assert_ok(v3->C_CloseSession(s));
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_SESSION_HANDLE_INVALID);
}

/* ---- threads and processes ---- */

enum { THREADS = 4, MESSAGES = 400 };

static void *thread_body(void *arg)
{
	CK_SESSION_HANDLE session = 0;
	unsigned char iv[12] = { 0 }, tag[16], text[50], sealed[50], back[50];
	CK_GCM_MESSAGE_PARAMS p = { iv, 12, 32, CKG_GENERATE_COUNTER, tag, 128 };
	CK_ULONG i, len;
	const char *failed = NULL;

	iv[3] = *(int *)arg;
	memset(text, *(int *)arg, sizeof(text));
	if (v3->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &session) ||
	    v3->C_MessageEncryptInit(session, &gcm_mech, key) ||
	    v3->C_MessageDecryptInit(session, &gcm_mech, key))
		return "cannot begin";
	for (i = 0; i < MESSAGES && !failed; i++) {
		len = sizeof(sealed);
		if (v3->C_EncryptMessage(session, &p, sizeof(p), NULL, 0, text, sizeof(text), sealed,
					 &len))
			failed = "encrypt";
		else if (low_bits(iv, 12, 64) != i || iv[3] != *(int *)arg)
			failed = "IV";
		else if (v3->C_DecryptMessage(session, &p, sizeof(p), NULL, 0, sealed, len, back, &len))
			failed = "decrypt";
		else if (memcmp(back, text, sizeof(text)))
			failed = "text";
	}
	v3->C_CloseSession(session);
	return (void *)failed;
}

static void threads(void **state)
{
	pthread_t thread[THREADS];
	int number[THREADS], i;
	void *failed;

	(void)state;
	key = aes_key(s, 16, true, "threads");
	for (i = 0; i < THREADS; i++) {
		number[i] = i + 1;
		assert_int_equal(pthread_create(&thread[i], NULL, thread_body, &number[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		if (failed)
			fail_msg("thread %d: %s", i, (char *)failed);
	}
}

/* In a child: interfaces at once, everything else after C_Initialize, and no sessions. */
static int child_body(void *arg)
{
	CK_SESSION_HANDLE old = *(CK_SESSION_HANDLE *)arg, own;
	CK_MECHANISM mech = { CKM_SHA256, NULL, 0 };

	MUST(v3->C_SessionCancel(old, CKF_DIGEST), CKR_SESSION_HANDLE_INVALID);
	MUST(v3->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &own), CKR_OK);
	MUST(v3->C_DigestInit(own, &mech), CKR_OK);
	MUST(v3->C_SessionCancel(own, CKF_DIGEST), CKR_OK);
	MUST(v3->C_DigestInit(own, &mech), CKR_OK);
	MUST(v3->C_LoginUser(own, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN),
			     (CK_UTF8CHAR *)"co", 2), CKR_OK);
	return 0;
}

static void forked(void **state)
{
	unsigned char out[8];
	CK_ULONG len = 8;
	CK_INTERFACE *interface;
	struct gcm g;
	pid_t child;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 32, 128);
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
	fflush(NULL);
	child = fork();
	if (!child) {
		if (get_interface(NULL, NULL, &interface, 0) ||
		    interface->pFunctionList != (void *)v3 ||
		    seal(&g, NULL, 0, "x", 1, out, &len) != CKR_CRYPTOKI_NOT_INITIALIZED ||
		    v3->C_SessionCancel(s, 0) != CKR_CRYPTOKI_NOT_INITIALIZED)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(child_wait(child), 0);
	assert_int_equal(child_run(child_body, &s), 0);
	/* The parent's message operation has not noticed. */
	assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 64), 1);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(interface_list),
		TEST(interface_by_name),
		TEST(interface_members),
		TEST(login_users),
		TEST(known_answers),
		TEST(against_openssl),
		TEST(generators),
		TEST(generators_end),
		TEST(generators_stay),
		TEST(gcm_parameters),
		TEST(one_trip_each),
		TEST(not_initialized),
		TEST(in_the_middle),
		TEST(bad_parts),
		TEST(long_parts),
		TEST(signatures),
		TEST(long_signatures),
		TEST(always_authenticate),
		TEST(mechanism_flags),
		TEST(cancel),
		TEST(cancel_by_init),
		TEST(logout),
		TEST(threads),
		TEST(forked),
	};

	return cmocka_run_group_tests(tests, group_setup, suite_teardown);
}
