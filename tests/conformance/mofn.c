// SPDX-License-Identifier: MIT
/*
 * M of N: vectors generated and presented, tokens that require them, and the secret cloned. Without a
 * PED a caller's buffers get the vectors.
 */
#include "exchange.h"

enum { N_MAX = 16, ROOM = 512 };

struct vectors {
	CK_ULONG n;
	CA_MOFN_GENERATION made[N_MAX + 1];
	CK_BYTE room[N_MAX + 1][ROOM];
};

static struct vectors set, foreign;
static CK_SESSION_HANDLE a;

static void vectors_prepare(struct vectors *v, CK_ULONG n)
{
	CK_ULONG i;

	memset(v, 0, sizeof(*v));
	v->n = n;
	for (i = 0; i < n; i++)
		v->made[i] = (CA_MOFN_GENERATION){ 1, v->room[i], ROOM };
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_ULONG m, struct vectors *v, CK_ULONG n)
{
	vectors_prepare(v, n);
	return ca->CA_GenerateMofN(session, m, v->made, n, 0, NULL);
}

/* Presents the vectors whose bits are set in @mask, the last first if @backwards. */
static CK_RV activate(CK_SESSION_HANDLE session, struct vectors *v, CK_ULONG mask, bool backwards)
{
	CA_MOFN_ACTIVATION given[N_MAX];
	CK_ULONG i, at, count = 0;

	for (i = 0; i < v->n; i++) {
		at = backwards ? v->n - 1 - i : i;
		if (mask & (1ul << at))
			given[count++] = (CA_MOFN_ACTIVATION){ v->made[at].pVector,
							       v->made[at].ulVectorLen };
	}
	return ca->CA_ActivateMofN(session, given, count);
}

static CA_MOFN_STATUS status_of(CK_SLOT_ID slot)
{
	CA_MOFN_STATUS status;

	memset(&status, 0xee, sizeof(status));
	assert_ok(ca->CA_GetMofNStatus(slot, &status));
	return status;
}

static bool is_active(CK_SLOT_ID slot)
{
	return status_of(slot).ulFlag & CAF_M_OF_N_ACTIVATED;
}

static void token_init_mofn(CK_SLOT_ID slot, const char *label, const char *domain)
{
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot, label, domain);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
}

/* Slot a has a new token; most tests do not look at slot b. */
static int fresh(void **state)
{
	(void)state;
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	token_init(slot_a, "token a", DOMAIN);
	a = session_co(slot_a);
	return 0;
}

/* The same, but it requires M of N. */
static int fresh_required(void **state)
{
	(void)state;
	token_init_mofn(slot_a, "token a", DOMAIN);
	a = session_co(slot_a);
	return 0;
}

static int fresh_both(void **state)
{
	token_init(slot_b, "token b", DOMAIN);
	return fresh(state);
}

static int fresh_required_both(void **state)
{
	token_init(slot_b, "token b", DOMAIN);
	return fresh_required(state);
}

static CK_RV mac(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { CKM_AES_CMAC, NULL, 0 };
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);
	CK_RV rv = p11->C_SignInit(session, &mech, key);

	return rv == CKR_OK ? p11->C_Sign(session, (CK_BYTE_PTR)"data", 4, out, &len) : rv;
}

/* ---- generation ---- */

static void generate_limits(void **state)
{
	static const struct {
		CK_ULONG m, n;
		CK_RV rv;
	} cases[] = {
		{ 1, 1, CKR_OK }, { 1, 16, CKR_OK }, { 16, 16, CKR_OK }, { 2, 3, CKR_OK },
		{ 0, 0, CKR_ARGUMENTS_BAD }, { 0, 3, CKR_ARGUMENTS_BAD }, { 1, 0, CKR_ARGUMENTS_BAD },
		{ 4, 3, CKR_ARGUMENTS_BAD }, { 1, 17, CKR_ARGUMENTS_BAD },
		{ 17, 17, CKR_ARGUMENTS_BAD }, { ~0ul, 3, CKR_ARGUMENTS_BAD },
		{ (1ul << 32) + 2, 3, CKR_ARGUMENTS_BAD },
	};
	CA_MOFN_STATUS before;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		CK_RV rv;

		before = status_of(slot_a);
		rv = generate(a, cases[i].m, &set, cases[i].n);
		if (rv != cases[i].rv)
			fail_msg("%lu of %lu: %s", cases[i].m, cases[i].n, rv_name(rv));
		if (rv == CKR_OK) {
			assert_int_equal(status_of(slot_a).ulM, cases[i].m);
			assert_int_equal(status_of(slot_a).ulN, cases[i].n);
			assert_int_not_equal(status_of(slot_a).ulID, before.ulID);
		} else {
			assert_int_equal(status_of(slot_a).ulID, before.ulID);
		}
	}
	assert_rv(ca->CA_GenerateMofN(a, 1, NULL, 3, 0, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(generate(999, 1, &set, 3), CKR_SESSION_HANDLE_INVALID);
}

static void weights(void **state)
{
	static const CK_ULONG bad[] = { 0, 2, 16, ~0ul };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++) {
		vectors_prepare(&set, 3);
		set.made[1].ulWeight = bad[i];
		assert_rv(ca->CA_GenerateMofN(a, 2, set.made, 3, 0, NULL), CKR_ARGUMENTS_BAD);
	}
	assert_int_equal(status_of(slot_a).ulFlag, 0);
}

static void buffers(void **state)
{
	CK_ULONG need, i;

	(void)state;
	/* No buffer at all asks for the length. */
	vectors_prepare(&set, 3);
	for (i = 0; i < 3; i++)
		set.made[i] = (CA_MOFN_GENERATION){ 1, NULL, 0 };
	assert_ok(ca->CA_GenerateMofN(a, 2, set.made, 3, 0, NULL));
	need = set.made[0].ulVectorLen;
	assert_in_range(need, 32, ROOM);
	for (i = 0; i < 3; i++)
		assert_int_equal(set.made[i].ulVectorLen, need);
	assert_int_equal(status_of(slot_a).ulFlag, 0);
	/* One that is too small is enough to fail. */
	vectors_prepare(&set, 3);
	set.made[2].ulVectorLen = need - 1;
	assert_rv(ca->CA_GenerateMofN(a, 2, set.made, 3, 0, NULL), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(set.made[2].ulVectorLen, need);
	assert_int_equal(status_of(slot_a).ulFlag, 0);
	/* The exact length, and no byte more is written. */
	vectors_prepare(&set, 3);
	memset(set.room, 0x5a, sizeof(set.room));
	for (i = 0; i < 3; i++)
		set.made[i].ulVectorLen = need;
	assert_ok(ca->CA_GenerateMofN(a, 2, set.made, 3, 0, NULL));
	for (i = 0; i < 3; i++) {
		assert_int_equal(set.made[i].ulVectorLen, need);
		assert_int_equal(set.room[i][need], 0x5a);
	}
	assert_ok(activate(a, &set, 3, false));
	/* 512 bytes are what clients allocate. */
	assert_ok(generate(a, 2, &set, 3));
	for (i = 0; i < 3; i++)
		assert_int_equal(set.made[i].ulVectorLen, need);
}

static void generate_roles(void **state)
{
	CK_SESSION_HANDLE ro = session_open_ro(slot_a);

	(void)state;
	assert_rv(generate(ro, 2, &set, 3), CKR_SESSION_READ_ONLY);
	sessions_close(slot_a);
	a = session_open(slot_a);
	assert_rv(generate(a, 2, &set, 3), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(generate(a, 2, &set, 3), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_SO, SO_PIN);
	assert_ok(generate(a, 2, &set, 3));
	assert_ok(activate(a, &set, 6, false));
}

/* CA_ModifyMofN makes a new secret; the old vectors are good for nothing. */
static void modify(void **state)
{
	(void)state;
	assert_ok(generate(a, 2, &set, 3));
	assert_ok(activate(a, &set, 3, false));
	vectors_prepare(&foreign, 5);
	assert_ok(ca->CA_ModifyMofN(a, 3, foreign.made, 5, 0, NULL));
	assert_false(is_active(slot_a));
	assert_int_equal(status_of(slot_a).ulM, 3);
	assert_rv(activate(a, &set, 7, false), CKR_DATA_INVALID);
	assert_ok(activate(a, &foreign, 0x15, false));
	assert_true(is_active(slot_a));
}

/* ---- activation ---- */

static CK_ULONG bits(CK_ULONG mask)
{
	CK_ULONG count = 0;

	for (; mask; mask &= mask - 1)
		count++;
	return count;
}

/* Every subset of 3 of 5, in both orders; and of others. */
static void every_subset(void **state)
{
	static const struct {
		CK_ULONG m, n;
	} shapes[] = { { 3, 5 }, { 1, 4 }, { 4, 4 }, { 2, 6 } };
	CK_ULONG mask, s;
	int back;
	CK_RV rv;

	(void)state;
	for (s = 0; s < COUNT(shapes); s++) {
		assert_ok(generate(a, shapes[s].m, &set, shapes[s].n));
		for (mask = 1; mask < 1ul << shapes[s].n; mask++) {
			for (back = 0; back < 2; back++) {
				rv = activate(a, &set, mask, back);
				if (rv != (bits(mask) < shapes[s].m ? CKR_DATA_LEN_RANGE : CKR_OK))
					fail_msg("%lu of %lu, mask 0x%lx: %s", shapes[s].m,
						 shapes[s].n, mask, rv_name(rv));
				assert_int_equal(is_active(slot_a), rv == CKR_OK);
				assert_ok(ca->CA_DeactivateMofN(a));
				assert_false(is_active(slot_a));
			}
		}
	}
	assert_ok(generate(a, 16, &set, 16));
	assert_rv(activate(a, &set, 0x7fff, false), CKR_DATA_LEN_RANGE);
	assert_ok(activate(a, &set, 0xffff, true));
}

static void bad_vectors(void **state)
{
	CA_MOFN_ACTIVATION given[3];
	CK_ULONG i, len;
	CK_BYTE copy[ROOM];
	CK_RV rv;

	(void)state;
	assert_ok(generate(a, 2, &set, 3));
	len = set.made[0].ulVectorLen;
	given[0] = (CA_MOFN_ACTIVATION){ set.room[0], len };
	given[1] = (CA_MOFN_ACTIVATION){ set.room[0], len };
	given[2] = (CA_MOFN_ACTIVATION){ set.room[1], len };
	assert_rv(ca->CA_ActivateMofN(a, given, 2), CKR_DATA_INVALID);
	assert_rv(ca->CA_ActivateMofN(a, given, 3), CKR_DATA_INVALID);
	/* Even where those before it are enough. */
	given[1] = (CA_MOFN_ACTIVATION){ set.room[2], len };
	given[2] = (CA_MOFN_ACTIVATION){ set.room[0], len };
	assert_rv(ca->CA_ActivateMofN(a, given, 3), CKR_DATA_INVALID);
	assert_false(is_active(slot_a));
	given[1] = given[0];
	given[2] = (CA_MOFN_ACTIVATION){ set.room[1], len };
	assert_rv(ca->CA_ActivateMofN(a, given, 0), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_ActivateMofN(a, NULL, 2), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_ActivateMofN(a, given + 1, 5000), CKR_ARGUMENTS_BAD);
	for (i = 0; i < len; i++) {
		memcpy(copy, set.room[0], len);
		copy[i] ^= 1 << (i % 8);
		given[1] = (CA_MOFN_ACTIVATION){ copy, len };
		rv = ca->CA_ActivateMofN(a, given + 1, 2);
		if (rv != CKR_DATA_INVALID)
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	memcpy(copy, set.room[0], len);
	memset(copy + len, 0, ROOM - len);
	for (i = 0; i < ROOM; i = i < len ? i + 1 : i * 2) {
		given[1] = (CA_MOFN_ACTIVATION){ copy, i };
		if (i == len)
			continue;
		assert_rv(ca->CA_ActivateMofN(a, given + 1, 2), CKR_DATA_INVALID);
	}
	given[1] = (CA_MOFN_ACTIVATION){ NULL, len };
	assert_rv(ca->CA_ActivateMofN(a, given + 1, 2), CKR_ARGUMENTS_BAD);
	assert_false(is_active(slot_a));
	given[1] = (CA_MOFN_ACTIVATION){ copy, len };
	assert_ok(ca->CA_ActivateMofN(a, given + 1, 2));
	assert_true(is_active(slot_a));
	/* A wrong attempt does not end what a right one began. */
	assert_rv(ca->CA_ActivateMofN(a, given, 1), CKR_DATA_LEN_RANGE);
	assert_true(is_active(slot_a));
}

static void foreign_vectors(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CA_MOFN_ACTIVATION given[2];

	(void)state;
	assert_rv(activate(a, &set, 3, false), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_DeactivateMofN(a), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(generate(a, 2, &set, 3));
	assert_ok(generate(b, 2, &foreign, 3));
	assert_rv(activate(a, &foreign, 3, false), CKR_DATA_INVALID);
	given[0] = (CA_MOFN_ACTIVATION){ set.room[0], set.made[0].ulVectorLen };
	given[1] = (CA_MOFN_ACTIVATION){ foreign.room[1], foreign.made[1].ulVectorLen };
	assert_rv(ca->CA_ActivateMofN(a, given, 2), CKR_DATA_INVALID);
	assert_ok(activate(b, &foreign, 3, false));
	assert_false(is_active(slot_a));
	/* An earlier secret of the same token. */
	foreign = set;
	assert_ok(generate(a, 2, &set, 3));
	foreign.made[0].pVector = foreign.room[0];
	foreign.made[1].pVector = foreign.room[1];
	assert_rv(activate(a, &foreign, 3, false), CKR_DATA_INVALID);
	assert_ok(activate(a, &set, 3, false));
}

static void activate_roles(void **state)
{
	(void)state;
	assert_ok(generate(a, 2, &set, 3));
	assert_ok(p11->C_Logout(a));
	assert_rv(activate(a, &set, 3, false), CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_DeactivateMofN(a), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(activate(a, &set, 3, false));
	assert_ok(ca->CA_DeactivateMofN(a));
	assert_rv(activate(999, &set, 3, false), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_DeactivateMofN(999), CKR_SESSION_HANDLE_INVALID);
}

/* ---- what it is for ---- */

static void keys_of_a_token_that_requires(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "guarded"), pub, priv;
	CK_MECHANISM rsa = { CKM_SHA256_RSA_PKCS, NULL, 0 };

	(void)state;
	rsa_pair(a, 1024, true, "guarded pair", &pub, &priv);
	assert_rv(mac(a, key), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(p11->C_SignInit(a, &rsa, priv), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(generate(a, 2, &set, 3));
	assert_rv(mac(a, key), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(activate(a, &set, 5, false));
	assert_ok(mac(a, key));
	/* The token's state, not a login's. */
	sessions_close(slot_a);
	a = session_co(slot_a);
	key = object_by_label(a, "guarded");
	assert_ok(mac(a, key));
	assert_ok(ca->CA_DeactivateMofN(a));
	assert_rv(mac(a, key), CKR_OPERATION_NOT_ALLOWED);
	/* The library must not have kept anything from before. */
	assert_ok(activate(a, &set, 6, false));
	assert_ok(mac(a, key));
	/* A new secret is not active. */
	assert_ok(generate(a, 2, &set, 3));
	assert_rv(mac(a, key), CKR_OPERATION_NOT_ALLOWED);
}

/* Without the requirement a secret changes nothing. */
static void keys_of_a_token_that_does_not(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "free");

	(void)state;
	assert_ok(mac(a, key));
	assert_ok(generate(a, 2, &set, 3));
	assert_ok(mac(a, key));
	assert_ok(activate(a, &set, 3, false));
	assert_ok(ca->CA_DeactivateMofN(a));
	assert_ok(mac(a, key));
}

static void status(void **state)
{
	CA_MOFN_STATUS s = status_of(slot_b);
	CK_ULONG is = 7;

	(void)state;
	assert_int_equal(s.ulID, 0);
	assert_int_equal(s.ulM, 0);
	assert_int_equal(s.ulN, 0);
	assert_int_equal(s.ulSecretSize, 0);
	assert_int_equal(s.ulFlag, 0);
	assert_ok(ca->CA_IsMofNEnabled(slot_b, &is));
	assert_int_equal(is, 0);
	assert_ok(ca->CA_IsMofNRequired(slot_b, &is));
	assert_int_equal(is, 0);
	assert_int_equal(status_of(slot_a).ulFlag, CAF_M_OF_N_REQUIRED);
	assert_ok(ca->CA_IsMofNEnabled(slot_a, &is));
	assert_int_equal(is, 1);
	assert_ok(ca->CA_IsMofNRequired(slot_a, &is));
	assert_int_equal(is, 1);
	assert_ok(generate(a, 3, &set, 7));
	s = status_of(slot_a);
	assert_int_not_equal(s.ulID, 0);
	assert_int_equal(s.ulM, 3);
	assert_int_equal(s.ulN, 7);
	assert_int_equal(s.ulSecretSize, 32);
	assert_int_equal(s.ulFlag, CAF_M_OF_N_REQUIRED | CAF_M_OF_N_GENERATED);
	assert_ok(activate(a, &set, 7, false));
	assert_int_equal(status_of(slot_a).ulFlag,
			 CAF_M_OF_N_REQUIRED | CAF_M_OF_N_GENERATED | CAF_M_OF_N_ACTIVATED);
	assert_rv(ca->CA_GetMofNStatus(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_IsMofNEnabled(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_IsMofNRequired(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetMofNStatus(9999, &s), CKR_SLOT_ID_INVALID);
	assert_rv(ca->CA_IsMofNEnabled(9999, &is), CKR_SLOT_ID_INVALID);
	assert_rv(ca->CA_IsMofNRequired(9999, &is), CKR_SLOT_ID_INVALID);
}

static void reinitialisation_ends_it(void **state)
{
	(void)state;
	assert_ok(generate(a, 1, &set, 1));
	assert_ok(activate(a, &set, 1, false));
	token_init(slot_a, "token a", DOMAIN);
	assert_int_equal(status_of(slot_a).ulFlag, 0);
	a = session_co(slot_a);
	assert_rv(activate(a, &set, 1, false), CKR_OPERATION_NOT_ALLOWED);
	token_init_mofn(slot_a, "token a", DOMAIN);
	assert_int_equal(status_of(slot_a).ulFlag, CAF_M_OF_N_REQUIRED);
}

/* ---- cloning ---- */

static void clone_secret(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CA_MOFN_STATUS s;

	(void)state;
	vectors_prepare(&set, 4);
	assert_ok(ca->CA_GenerateCloneableMofN(a, 2, set.made, 4, 0, NULL));
	assert_int_equal(status_of(slot_a).ulFlag, CAF_M_OF_N_GENERATED | CAF_M_OF_N_CLONEABLE);
	assert_ok(ca->CA_CloneMofN(b, a, NULL));
	s = status_of(slot_b);
	assert_int_equal(s.ulID, status_of(slot_a).ulID);
	assert_int_equal(s.ulM, 2);
	assert_int_equal(s.ulN, 4);
	assert_true(s.ulFlag & CAF_M_OF_N_GENERATED);
	assert_false(s.ulFlag & CAF_M_OF_N_ACTIVATED);
	assert_ok(activate(b, &set, 0xa, false));
	assert_true(is_active(slot_b));
	assert_false(is_active(slot_a));
	assert_int_equal(objects_on(b), 0);
}

static void clone_secret_refused(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);

	(void)state;
	assert_rv(ca->CA_CloneMofN(999, a, NULL), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_CloneMofN(b, 999, NULL), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_CloneMofN(0, 0, NULL), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(generate(a, 2, &set, 3));
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(status_of(slot_b).ulFlag, 0);
	vectors_prepare(&set, 3);
	assert_ok(ca->CA_GenerateCloneableMofN(a, 2, set.made, 3, 0, NULL));
	assert_ok(p11->C_Logout(b));
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_USER_NOT_LOGGED_IN);
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_USER, CO_PIN);
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(status_of(slot_b).ulFlag, 0);
	/* Another domain. */
	token_init(slot_b, "token b", "another domain");
	b = session_co(slot_b);
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_USER, CO_PIN);
	assert_rv(ca->CA_CloneMofN(b, a, NULL), CKR_UNWRAPPING_ERROR);
	assert_int_equal(status_of(slot_b).ulFlag, 0);
}

/* The four steps carry the secret as well; it has no handle. */
static void clone_secret_in_steps(void **state)
{
	static struct message twc, part1, part2;
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made = 0;
	CK_ULONG i;
	CK_RV rv;

	(void)state;
	vectors_prepare(&set, 3);
	assert_ok(ca->CA_GenerateCloneableMofN(a, 2, set.made, 3, 0, NULL));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	part2.len = MESSAGE_ROOM;
	assert_rv(ca->CA_CloneAsSource(a, CK_MOFN_ACTIVATION_ELEMENT, 1, part1.data, part1.len,
				       CK_FALSE, part2.data, &part2.len),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_ok(ca->CA_CloneAsSource(a, CK_MOFN_ACTIVATION_ELEMENT, 0, part1.data, part1.len,
				       CK_FALSE, part2.data, &part2.len));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	for (i = 0; i < part2.len; i++) {
		part2.data[i] ^= 0x10;
		rv = ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len,
					  CK_MOFN_ACTIVATION_ELEMENT, 0, CK_FALSE, &made);
		part2.data[i] ^= 0x10;
		if (rv != CKR_DATA_INVALID && rv != CKR_UNWRAPPING_ERROR)
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	assert_int_equal(status_of(slot_b).ulFlag, 0);
	assert_ok(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len,
				       CK_MOFN_ACTIVATION_ELEMENT, 0, CK_FALSE, &made));
	assert_ok(activate(b, &set, 3, false));
}

#define TEST(name)		cmocka_unit_test_setup(name, fresh)
#define TEST_BOTH(name)		cmocka_unit_test_setup(name, fresh_both)
#define TEST_REQUIRED(name)	cmocka_unit_test_setup(name, fresh_required)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(generate_limits),
		TEST(weights),
		TEST(buffers),
		TEST(generate_roles),
		TEST(modify),
		TEST(every_subset),
		TEST(bad_vectors),
		TEST_BOTH(foreign_vectors),
		TEST(activate_roles),
		TEST_REQUIRED(keys_of_a_token_that_requires),
		TEST(keys_of_a_token_that_does_not),
		cmocka_unit_test_setup(status, fresh_required_both),
		TEST_REQUIRED(reinitialisation_ends_it),
		TEST_BOTH(clone_secret),
		TEST_BOTH(clone_secret_refused),
		TEST_BOTH(clone_secret_in_steps),
	};

	return cmocka_run_group_tests(tests, suite_setup_bare, suite_teardown);
}
