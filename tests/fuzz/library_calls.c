// SPDX-License-Identifier: MIT
/*
 * The calls of the hostile device's fuzzer. They give the library buffers of exactly the size that they
 * name, so that AddressSanitizer sees a byte too many; and what comes back as a length must fit them.
 */
#include "library.h"

enum { SESSIONS = 4, ROOM = 1024 };

static struct fuzz_in *input;
static CK_SESSION_HANDLE sessions[SESSIONS];
static CK_OBJECT_HANDLE objects[SESSIONS];
static u32 turn;
static struct { u8 data[ROOM]; CK_ULONG len; } kept;	/* the last thing made */

static CK_SESSION_HANDLE session(void)
{
	return sessions[fuzz_u8(input) % SESSIONS];
}

static CK_OBJECT_HANDLE object(void)
{
	return objects[fuzz_u8(input) % SESSIONS];
}

static void keep_object(CK_RV rv, CK_OBJECT_HANDLE handle)
{
	if (rv == CKR_OK)
		objects[turn++ % SESSIONS] = handle;
}

/* A buffer of the caller's, exactly as long as he says. */
struct buffer {
	CK_BYTE *data;
	CK_ULONG room, len;
};

static struct buffer buffer_new(void)
{
	u8 size = fuzz_u8(input);
	struct buffer b = { .room = size == 255 ? 0 : size * 4ul };

	b.len = b.room;
	b.data = size == 255 ? NULL : fuzz_alloc(b.room);
	return b;
}

static void buffer_end(struct buffer *b, CK_RV rv, CK_ULONG unit)
{
	if (rv == CKR_OK && b->data) {
		fuzz_check(b->len * unit <= b->room);
		kept.len = min_t(CK_ULONG, b->len * unit, sizeof(kept.data));
		memcpy(kept.data, b->data, kept.len);
	}
	free(b->data);
}

#define WITH_BUFFER(unit, call) do {					\
	struct buffer b = buffer_new();					\
									\
	b.len /= (unit);						\
	buffer_end(&b, (call), (unit));					\
} while (0)

static CK_MECHANISM mechanism(void)
{
	static CK_BYTE iv[16];
	static CK_GCM_PARAMS gcm = { .pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128 };
	CK_MECHANISM m = { .mechanism = fuzz_mechanism(fuzz_u16(input)) };

	switch (fuzz_u8(input) & 3) {
	case 1:
		m.pParameter = iv;
		m.ulParameterLen = sizeof(iv);
		break;
	case 2:
		m.pParameter = &gcm;
		m.ulParameterLen = sizeof(gcm);
		break;
	case 3:
		fuzz_parameter(input, &m);
	}
	return m;
}

#define ATTRIBUTE(cka, value)	{ .type = (cka), .pValue = (value), .ulValueLen = sizeof(*(value)) }

static void do_slots(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;
	CK_MECHANISM_INFO info;

	switch (fuzz_u8(input) % 6) {
	case 0:
		WITH_BUFFER(sizeof(CK_ULONG), C_GetSlotList(fuzz_u8(input) & 1, (void *)b.data, &b.len));
		break;
	case 1:
		C_GetSlotInfo(id, &slot);
		break;
	case 2:
		C_GetTokenInfo(id, &token);
		break;
	case 3:
		WITH_BUFFER(sizeof(CK_ULONG), C_GetMechanismList(id, (void *)b.data, &b.len));
		break;
	case 4:
		C_GetMechanismInfo(id, fuzz_mechanism(fuzz_u16(input)), &info);
		break;
	default:
		C_WaitForSlotEvent(CKF_DONT_BLOCK, &id, NULL);
	}
}

static void do_sessions(void)
{
	CK_SESSION_INFO info;
	CK_SESSION_HANDLE handle;
	u8 what = fuzz_u8(input);

	switch (what % 6) {
	case 0:
	case 1:
		if (!C_OpenSession(fuzz_u8(input) % SLOTS, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL,
				   NULL, &handle))
			sessions[what / 6 % SESSIONS] = handle;
		break;
	case 2:
		C_GetSessionInfo(session(), &info);
		break;
	case 3:
		C_Login(session(), CKU_USER, (CK_BYTE *)FX_CO_PIN, strlen(FX_CO_PIN));
		break;
	case 4:
		C_Logout(session());
		break;
	default:
		C_CloseSession(session());
	}
}

static void do_pins(void)
{
	CK_BYTE pin[] = FX_CO_PIN, label[32] = "token";

	switch (fuzz_u8(input) % 3) {
	case 0:
		C_InitPIN(session(), pin, sizeof(pin) - 1);
		break;
	case 1:
		C_SetPIN(session(), pin, sizeof(pin) - 1, pin, sizeof(pin) - 1);
		break;
	default:
		C_InitToken(fuzz_u8(input) % SLOTS, pin, sizeof(pin) - 1, label);
	}
}

static void do_objects(void)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL no = CK_FALSE;
	CK_ATTRIBUTE t[] = {
		ATTRIBUTE(CKA_CLASS, &class), ATTRIBUTE(CKA_TOKEN, &no),
	};
	CK_OBJECT_HANDLE handle = 0;
	CK_ULONG size;

	switch (fuzz_u8(input) % 5) {
	case 0:
		keep_object(C_CreateObject(session(), t, 2, &handle), handle);
		break;
	case 1:
		keep_object(C_CopyObject(session(), object(), t + 1, 1, &handle), handle);
		break;
	case 2:
		C_DestroyObject(session(), object());
		break;
	case 3:
		C_GetObjectSize(session(), object(), &size);
		break;
	default:
		C_SetAttributeValue(session(), object(), t + 1, 1);
	}
}

/* Up to four attributes; a template inside one has three of its own. */
static void do_attributes(void)
{
	static const CK_ATTRIBUTE_TYPE odd[] = { CKA_WRAP_TEMPLATE, CKA_ALLOWED_MECHANISMS, CKA_CLASS,
						 CKA_VALUE, CKA_LABEL, CKA_MODULUS, CKA_OUID };
	CK_ATTRIBUTE t[4], inner[3] = { { 0 } };
	u8 count = fuzz_u8(input) & 3, i, type;
	CK_ULONG rooms[4];

	for (i = 0; i < 3; i++) {
		inner[i].ulValueLen = fuzz_u8(input) & 31;
		inner[i].pValue = fuzz_alloc(inner[i].ulValueLen);
	}
	for (i = 0; i <= count; i++) {
		type = fuzz_u8(input);
		t[i].type = type < 0x80 ? odd[type % ARRAY_SIZE(odd)] : fuzz_attribute(type);
		rooms[i] = fuzz_u8(input);
		t[i].pValue = rooms[i] == 255 ? NULL : fuzz_alloc(rooms[i]);
		if (t[i].type == CKA_WRAP_TEMPLATE && t[i].pValue) {
			free(t[i].pValue);
			rooms[i] = sizeof(inner);
			t[i].pValue = fuzz_alloc(rooms[i]);
			memcpy(t[i].pValue, inner, sizeof(inner));
		}
		t[i].ulValueLen = rooms[i];
	}
	if (!C_GetAttributeValue(session(), object(), t, count + 1))
		for (i = 0; i <= count; i++)
			fuzz_check(!t[i].pValue || t[i].ulValueLen <= rooms[i] ||
				   t[i].ulValueLen == CK_UNAVAILABLE_INFORMATION);
	for (i = 0; i <= count; i++)
		free(t[i].pValue);
	for (i = 0; i < 3; i++)
		free(inner[i].pValue);
}

static void do_search(void)
{
	u8 max = fuzz_u8(input);
	CK_OBJECT_HANDLE *found = fuzz_alloc(max * sizeof(*found));
	CK_SESSION_HANDLE s = session();
	CK_ULONG count = 0;

	C_FindObjectsInit(s, NULL, 0);
	if (!C_FindObjects(s, found, max, &count)) {
		fuzz_check(count <= max);
		if (count)
			keep_object(CKR_OK, found[0]);
	}
	if (max & 1)
		C_FindObjects(s, found, max, &count);
	C_FindObjectsFinal(s);
	free(found);
}

static void do_crypt(void)
{
	u8 what = fuzz_u8(input), in[64] = "data";
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = what / 10 * 2;

	switch (what % 10) {
	case 0: C_EncryptInit(s, &m, object()); break;
	case 1: C_DecryptInit(s, &m, object()); break;
	case 2: C_SignInit(s, &m, object()); break;
	case 3: C_DigestInit(s, &m); break;
	case 4: WITH_BUFFER(1, C_Encrypt(s, in, len, b.data, &b.len)); break;
	case 5: WITH_BUFFER(1, C_Decrypt(s, kept.data, kept.len, b.data, &b.len)); break;
	case 6: WITH_BUFFER(1, C_Sign(s, in, len, b.data, &b.len)); break;
	case 7: WITH_BUFFER(1, C_Digest(s, in, len, b.data, &b.len)); break;
	case 8: WITH_BUFFER(1, C_EncryptUpdate(s, in, len, b.data, &b.len)); break;
	default: WITH_BUFFER(1, C_EncryptFinal(s, b.data, &b.len));
	}
}

/* A message that takes many ioctls. */
static void do_long(void)
{
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = 40000, room = len + (fuzz_u8(input) & 31);
	u8 *in = calloc(1, len), *out = fuzz_alloc(room);

	fuzz_check(in);
	C_EncryptInit(s, &m, object());
	if (!C_Encrypt(s, in, len, out, &room))
		fuzz_check(room <= len + 31);
	free(in);
	free(out);
}

static void do_keys(void)
{
	CK_ULONG bytes = 32, bits = 2048;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE aes[] = { ATTRIBUTE(CKA_VALUE_LEN, &bytes), ATTRIBUTE(CKA_EXTRACTABLE, &yes) };
	CK_ATTRIBUTE rsa = ATTRIBUTE(CKA_MODULUS_BITS, &bits);
	CK_OBJECT_HANDLE one = 0, two = 0;
	CK_MECHANISM m = mechanism();
	CK_SESSION_HANDLE s = session();

	switch (fuzz_u8(input) % 5) {
	case 0: keep_object(C_GenerateKey(s, &m, aes, 2, &one), one); break;
	case 1: C_GenerateKeyPair(s, &m, &rsa, 1, NULL, 0, &one, &two); break;
	case 2: WITH_BUFFER(1, C_WrapKey(s, &m, object(), object(), b.data, &b.len)); break;
	case 3:
		keep_object(C_UnwrapKey(s, &m, object(), kept.data, kept.len, aes, 1, &one), one);
		break;
	default: C_DeriveKey(s, &m, object(), aes, 1, &one);
	}
}

static void do_random(void)
{
	u8 out[256], len = fuzz_u8(input);

	C_GenerateRandom(session(), out, len);
	C_GenerateRandom(session(), out, len / 4);
	C_SeedRandom(session(), out, len);
}

static void do_clone(void)
{
	CK_SESSION_HANDLE s = session();
	CK_OBJECT_HANDLE made = 0;
	u8 *in = kept.data;

	switch (fuzz_u8(input) % 6) {
	case 0: WITH_BUFFER(1, CA_CloneAsSourceInit(s, NULL, 0, b.data, &b.len, CK_FALSE)); break;
	case 1:
		WITH_BUFFER(1, CA_CloneAsTargetInit(s, in, kept.len, NULL, 0, CK_FALSE, b.data,
						    &b.len));
		break;
	case 2:
		WITH_BUFFER(1, CA_CloneAsSource(s, 0, object(), in, kept.len, CK_FALSE, b.data,
						&b.len));
		break;
	case 3: CA_CloneAsTarget(s, NULL, 0, in, kept.len, 0, 0, CK_FALSE, &made); break;
	case 4: CA_CloneObject(s, session(), 0, object(), &made); break;
	default: CA_CloneAllObjectsToSession(s, fuzz_u8(input) % SLOTS);
	}
}

static void do_ha(void)
{
	CK_SESSION_HANDLE s = session();
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	u8 *in = kept.data;

	switch (fuzz_u8(input) % 5) {
	case 0: WITH_BUFFER(1, CA_HAGetMasterPublic(id, b.data, &b.len)); break;
	case 1:
		WITH_BUFFER(1, CA_HAGetLoginChallenge(s, CKU_USER, in, kept.len, b.data, &b.len));
		break;
	case 2:
		WITH_BUFFER(1, CA_HAAnswerLoginChallenge(s, object(), in, kept.len, b.data,
							 &b.len));
		break;
	case 3: WITH_BUFFER(1, CA_HALogin(s, in, kept.len, b.data, &b.len)); break;
	default: WITH_BUFFER(1, CA_HAAnswerMofNChallenge(s, in, kept.len, b.data, &b.len));
	}
}

/* Vectors of the caller's, in an array of exactly that many. */
static void do_mofn(void)
{
	u8 n = 1 + fuzz_u8(input) % 4, room = fuzz_u8(input), i;
	CA_MOFN_GENERATION *vectors = calloc(n, sizeof(*vectors));
	CA_MOFN_STATUS status;

	fuzz_check(vectors);
	for (i = 0; i < n; i++) {
		vectors[i].ulWeight = 1;
		vectors[i].ulVectorLen = room;
		vectors[i].pVector = room & 1 ? NULL : fuzz_alloc(room);
	}
	if (!CA_GenerateMofN(session(), 1, vectors, n, 0, NULL))
		for (i = 0; i < n; i++)
			fuzz_check(!vectors[i].pVector || vectors[i].ulVectorLen <= room);
	for (i = 0; i < n; i++)
		free(vectors[i].pVector);
	free(vectors);
	CA_GetMofNStatus(fuzz_u8(input) % SLOTS, &status);
}

static void do_policies(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	struct buffer ids = buffer_new(), values = buffer_new();
	CK_ULONG one;
	CK_RV rv;

	ids.len /= sizeof(CK_ULONG);
	values.len /= sizeof(CK_ULONG);
	rv = CA_GetHSMPolicySet(id, (void *)ids.data, &ids.len, (void *)values.data, &values.len);
	buffer_end(&ids, rv, sizeof(CK_ULONG));
	buffer_end(&values, rv, sizeof(CK_ULONG));
	CA_GetContainerPolicySetting(id, 1, fuzz_u8(input), &one);
	CA_GetHSMPolicySetting(id, fuzz_u8(input), &one);
}

static void do_uids(void)
{
	CK_BYTE *ouid = fuzz_alloc(12);
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	CK_ULONG type, handle;

	memset(ouid, 1, 12);
	CA_GetObjectUID(id, 1, CK_CRYPTOKI_ELEMENT, object(), ouid);
	CA_GetObjectHandle(id, 1, ouid, &type, &handle);
	free(ouid);
}

/* The steps that give nothing back at once, and the ends that do */
static void do_crypt_more(void)
{
	u8 what = fuzz_u8(input), in[64] = "data";
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = what / 12;

	switch (what % 12) {
	case 0: C_VerifyInit(s, &m, object()); break;
	case 1: C_VerifyRecoverInit(s, &m, object()); break;
	case 2: C_SignRecoverInit(s, &m, object()); break;
	case 3: C_Verify(s, in, len, kept.data, kept.len); break;
	case 4: WITH_BUFFER(1, C_VerifyRecover(s, kept.data, kept.len, b.data, &b.len)); break;
	case 5: WITH_BUFFER(1, C_SignRecover(s, in, len, b.data, &b.len)); break;
	case 6: C_SignUpdate(s, in, len); break;
	case 7: WITH_BUFFER(1, C_SignFinal(s, b.data, &b.len)); break;
	case 8: WITH_BUFFER(1, C_DecryptUpdate(s, kept.data, kept.len, b.data, &b.len)); break;
	case 9: WITH_BUFFER(1, C_DecryptFinal(s, b.data, &b.len)); break;
	case 10: C_DigestKey(s, object()); break;
	default: C_SessionCancel(s, CKF_ENCRYPT | CKF_DECRYPT | CKF_SIGN | CKF_VERIFY);
	}
}

/* IV and tag are the caller's memory, which the device's reply fills: exactly as long as he says. */
static CK_GCM_MESSAGE_PARAMS message_params(void)
{
	CK_GCM_MESSAGE_PARAMS p = { .ulIvFixedBits = fuzz_u8(input) };
	u8 iv = fuzz_u8(input), tag = fuzz_u8(input);

	p.ivGenerator = iv >> 5;
	p.ulIvLen = iv & 31;
	p.pIv = fuzz_alloc(p.ulIvLen);
	memset(p.pIv, 7, p.ulIvLen);
	p.ulTagBits = tag & 0x80 ? tag & 0x7f : 128;
	p.pTag = fuzz_alloc(DIV_ROUND_UP(p.ulTagBits, 8));
	memset(p.pTag, 7, DIV_ROUND_UP(p.ulTagBits, 8));
	return p;
}

static void do_messages(void)
{
	u8 what = fuzz_u8(input), in[64] = "data";
	CK_FLAGS last = what & 0x80 ? CKF_END_OF_MESSAGE : 0;
	CK_MECHANISM gcm = { .mechanism = CKM_AES_GCM };
	CK_GCM_MESSAGE_PARAMS p = message_params();
	CK_SESSION_HANDLE s = session();
	CK_ULONG len = what / 8, size = sizeof(p);

	switch (what % 8) {
	case 0: C_MessageEncryptInit(s, &gcm, object()); break;
	case 1: C_MessageDecryptInit(s, &gcm, object()); break;
	case 2: WITH_BUFFER(1, C_EncryptMessage(s, &p, size, in, len, in, len, b.data, &b.len)); break;
	case 3: C_EncryptMessageBegin(s, &p, size, in, len); break;
	case 4:
		WITH_BUFFER(1, C_EncryptMessageNext(s, &p, size, in, len, b.data, &b.len, last));
		break;
	case 5:
		WITH_BUFFER(1, C_DecryptMessage(s, &p, size, in, len, kept.data, kept.len, b.data,
						&b.len));
		break;
	case 6: C_DecryptMessageBegin(s, &p, size, in, len); break;
	default:
		WITH_BUFFER(1, C_DecryptMessageNext(s, &p, size, kept.data, kept.len, b.data, &b.len,
						    last));
	}
	free(p.pIv);
	free(p.pTag);
}

static void do_message_signatures(void)
{
	u8 what = fuzz_u8(input), in[64] = "data";
	CK_SESSION_HANDLE s = session();
	CK_MECHANISM m = mechanism();
	CK_ULONG len = what / 8;

	switch (what % 8) {
	case 0: C_MessageSignInit(s, &m, object()); break;
	case 1: C_MessageVerifyInit(s, &m, object()); break;
	case 2: WITH_BUFFER(1, C_SignMessage(s, NULL, 0, in, len, b.data, &b.len)); break;
	case 3: C_SignMessageBegin(s, NULL, 0); break;
	case 4: WITH_BUFFER(1, C_SignMessageNext(s, NULL, 0, in, len, b.data, &b.len)); break;
	case 5: C_VerifyMessage(s, NULL, 0, in, len, kept.data, kept.len); break;
	case 6: C_MessageSignFinal(s); break;
	default: C_MessageVerifyFinal(s);
	}
}

static void do_applications(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	u8 app = fuzz_u8(input);

	if (app & 1)
		CA_OpenApplicationID(id, 1, app / 2);
	else
		CA_CloseApplicationID(id, 1, app / 2);
}

static void do_images(void)
{
	CK_SLOT_ID id = fuzz_u8(input) % SLOTS;
	CK_SESSION_HANDLE s = session();
	u8 what = fuzz_u8(input);
	CK_ULONG at;

	switch (what % 4) {
	case 0: CA_TokenImageExport(s, &at); break;
	case 1: WITH_BUFFER(1, CA_TokenImageRead(s, what / 4 * 64, b.data, &b.len)); break;
	case 2: CA_TokenImageWrite(id, what / 4 * 64, kept.data, kept.len); break;
	default:
		CA_TokenImageRestore(id, NULL, 0, (CK_BYTE *)FX_DOMAIN, strlen(FX_DOMAIN), CKU_USER,
				     (CK_BYTE *)FX_CO_PIN, strlen(FX_CO_PIN), &at);
	}
}

static void (*const calls[])(void) = {
	do_slots, do_sessions, do_pins, do_objects, do_attributes, do_search, do_crypt, do_long,
	do_keys, do_random, do_clone, do_ha, do_mofn, do_policies, do_uids, do_crypt_more,
	do_messages, do_message_signatures, do_applications, do_images,
};

void fuzz_calls_reset(void)
{
	memset(&kept, 0, sizeof(kept));
	memset(objects, 0, sizeof(objects));
	memset(sessions, 0, sizeof(sessions));
	turn = 0;
}

u32 fuzz_calls_kinds(void)
{
	return ARRAY_SIZE(calls);
}

void fuzz_calls_one(struct fuzz_in *in)
{
	input = in;
	calls[fuzz_u8(in) % ARRAY_SIZE(calls)]();
	fuzz_parameter_end();
}

/* Two sessions of two slots, logged in by devices that are still honest. */
void fuzz_calls_log_in(void)
{
	for (u32 i = 0; i < SLOTS; i++) {
		C_OpenSession(i, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &sessions[i]);
		C_Login(sessions[i], CKU_USER, (CK_BYTE *)FX_CO_PIN, strlen(FX_CO_PIN));
	}
	objects[0] = fuzz_world.aes;
	objects[1] = fuzz_world.data;
	objects[2] = fuzz_world.login;
}
