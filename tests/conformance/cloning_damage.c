// SPDX-License-Identifier: MIT
/* Cloning with messages, lengths, types and handles that are not what they should be. */
#include "cloning.h"

/* A damaged certificate is refused by the target, or by the source, whose it is not. */
void tampered_twc(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "twc"), made;
	CK_ULONG i, at_target = 0, at_source = 0;
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	for (i = 0; i < twc.len; i++) {
		twc.data[i] ^= 1 << (i % 8);
		rv = clone_step2(b, &twc, CK_FALSE, &part1);
		twc.data[i] ^= 1 << (i % 8);
		if (rv == CKR_OK) {
			at_source++;
			rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
			if (rv != CKR_DATA_INVALID)
				fail_msg("byte %lu at the source: %s", i, rv_name(rv));
		} else if (rv == CKR_CERTIFICATE_DATA_INVALID) {
			at_target++;
		} else {
			fail_msg("byte %lu at the target: %s", i, rv_name(rv));
		}
	}
	assert_true(at_target + at_source == twc.len && at_target);
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

/* What altering byte @i of Part1 gives: the head, the digest of the TWC and the length are seen. */
static CK_RV part1_verdict(CK_ULONG i)
{
	return i < 8 || (i >= 56 && i < 90) ? CKR_DATA_INVALID : CKR_UNWRAPPING_ERROR;
}

void tampered_part1(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "part1"), made;
	CK_ULONG i, before = objects_on(b);
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	for (i = 0; i < part1.len; i++) {
		part1.data[i] ^= 1 << (i % 8);
		rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
		part1.data[i] ^= 1 << (i % 8);
		if (rv != part1_verdict(i))
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
}

/* The head, the target's nonce, the type and the length are seen; the rest is in the key. */
static CK_RV part2_verdict(CK_ULONG i)
{
	return i < 8 || (i >= 40 && i < 72) || (i >= 88 && i < 96) ? CKR_DATA_INVALID :
								     CKR_UNWRAPPING_ERROR;
}

void tampered_part2(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "part2"), made;
	CK_ULONG i, bit, before = objects_on(b);
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	for (i = 0; i < part2.len; i++) {
		for (bit = 0; bit < 8; bit += 7) {
			part2.data[i] ^= 1 << bit;
			rv = clone_step4(b, &part2, CK_FALSE, &made);
			part2.data[i] ^= 1 << bit;
			if (rv != part2_verdict(i) || made)
				fail_msg("byte %lu: %s", i, rv_name(rv));
		}
	}
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
	assert_ok(p11->C_DestroyObject(a, key));
	assert_ok(p11->C_DestroyObject(b, made));
}

/* All lengths that are wrong: every shorter one, some longer ones. */
void wrong_lengths(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "lengths"), made;
	CK_ULONG before = objects_on(b), len, add;
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	len = twc.len;
	for (twc.len = 0; twc.len < len; twc.len++) {
		rv = clone_step2(b, &twc, CK_FALSE, &part1);
		if (rv != CKR_CERTIFICATE_DATA_INVALID)
			fail_msg("TWC of %lu bytes: %s", twc.len, rv_name(rv));
	}
	memset(twc.data + len, 0, 70000);
	for (add = 1; add < 70000; add *= 3) {
		twc.len = len + add;
		assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_CERTIFICATE_DATA_INVALID);
	}
	twc.len = len;
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	len = part1.len;
	for (part1.len = 0; part1.len < len; part1.len++) {
		rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
		if (rv != CKR_DATA_INVALID)
			fail_msg("Part1 of %lu bytes: %s", part1.len, rv_name(rv));
	}
	for (add = 1; add < 70000; add *= 3) {
		part1.len = len + add;
		assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
	}
	part1.len = len;
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	len = part2.len;
	for (part2.len = 0; part2.len < len; part2.len++) {
		rv = clone_step4(b, &part2, CK_FALSE, &made);
		if (rv != CKR_DATA_INVALID)
			fail_msg("Part2 of %lu bytes: %s", part2.len, rv_name(rv));
	}
	for (add = 1; add < 70000; add *= 3) {
		part2.len = len + add;
		assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	}
	part2.len = len;
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

void arguments(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "arguments"), made;
	CK_BYTE byte = 0;
	CK_ULONG len = 1;

	(void)state;
	assert_rv(ca->CA_CloneAsSourceInit(a, &byte, 1, twc.data, &len, CK_FALSE),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, NULL, CK_FALSE), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 5, twc.data, &len, CK_FALSE), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_rv(ca->CA_CloneAsTargetInit(b, NULL, twc.len, NULL, 0, CK_FALSE, part1.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, &byte, 1, CK_FALSE, part1.data,
					   &len), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   NULL), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(ca->CA_CloneAsSource(a, 0, key, NULL, part1.len, CK_FALSE, part2.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(ca->CA_CloneAsTarget(b, &byte, 1, part2.data, part2.len, 0, 0, CK_FALSE, &made),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, NULL, part2.len, 0, 0, CK_FALSE, &made),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, 0, 0, CK_FALSE, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

/* ---- types and handles ---- */

void element_types(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "type"), made = 0;
	static const CK_ULONG bad[] = { 1, 2, 4, 5, 0xff, 0xffffffff, ~0ul };
	CK_ULONG i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_rv(ca->CA_CloneObject(b, a, bad[i], key, &made), CKR_OBJECT_TYPE_INVALID);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	part2.len = MESSAGE_ROOM;
	assert_rv(ca->CA_CloneAsSource(a, 1, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_OBJECT_TYPE_INVALID);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, 1, 0, CK_FALSE, &made),
		  CKR_OBJECT_TYPE_INVALID);
	/* An object is not the M of N secret. */
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len,
				       CK_MOFN_ACTIVATION_ELEMENT, 0, CK_FALSE, &made),
		  CKR_DATA_INVALID);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

void object_handles(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "handle"), made;
	CK_SESSION_HANDLE extra = session_open(slot_a);

	(void)state;
	assert_rv(clone(b, a, 0, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, 999999, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, ~0ul, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, key + (1ul << 32), &made), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(p11->C_DestroyObject(a, key));
	assert_rv(clone(b, a, key, &made), CKR_OBJECT_HANDLE_INVALID);
	key = aes_key(extra, 32, false, "other session's");
	assert_ok(clone(b, a, key, &made));	/* the application's, so all its sessions see it */
	assert_ok(p11->C_CloseSession(extra));
	assert_rv(clone(b, a, key, &made), CKR_OBJECT_HANDLE_INVALID);
}
