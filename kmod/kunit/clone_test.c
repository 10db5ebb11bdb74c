// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The state machine of cloning (lib/token/PROTOCOLS.md): every order of the four steps against a model
 * of it, chosen sequences with replays, other sessions, tokens, domains and flags, and what a refused
 * step may not change.
 */
#include <kunit/test.h>

#include "side.h"
#include "token.h"

/**
 * struct cloning - three tokens of one domain, and the messages between the first two
 * @source, @target: the exchange's ends
 * @other: a third token, that mixes in
 * @key: what is cloned
 * @kept1, @kept2: earlier Part1 and Part2
 */
struct cloning {
	struct fx_side source, target, other;
	u32 key;
	struct fx_message twc, part1, part2, kept1, kept2;
};

static int cloning_init(struct kunit *test)
{
	struct cloning *c = luna_test_alloc(sizeof(*c));
	const struct luna_crypto_ops *ops = fakerng_quick_ops(luna_test_crypto(), 1);

	test->priv = c;
	fx_side_open(&c->source, ops, 0);
	fx_side_open(&c->target, ops, 1);
	fx_side_open(&c->other, ops, 2);
	fx_check(fx_make_aes(&c->source, &c->key) == CKR_OK);
	return 0;
}

static void cloning_exit(struct kunit *test)
{
	struct cloning *c = test->priv;

	if (!c)
		return;
	fx_side_close(&c->source);
	fx_side_close(&c->target);
	fx_side_close(&c->other);
	luna_test_free(c);
	test->priv = NULL;
}

/* ---- single steps ---- */

static s64 step1(struct cloning *c, u32 replicate)
{
	return fx_send(&c->source, LUNA_CLONE_SOURCE_INIT, BLOB(.replicate = replicate), NULL,
		       &c->twc);
}

static s64 step2(struct cloning *c, u32 replicate)
{
	return fx_send(&c->target, LUNA_CLONE_TARGET_INIT, BLOB(.replicate = replicate), &c->twc,
		       &c->part1);
}

static s64 step3(struct cloning *c, u32 handle, u32 replicate)
{
	return fx_send(&c->source, LUNA_CLONE_SOURCE,
		       BLOB(.handle = handle, .replicate = replicate), &c->part1, &c->part2);
}

static s64 step4(struct cloning *c, struct luna_blob *arg)
{
	return fx_step(&c->target, c->target.session, LUNA_CLONE_TARGET, arg, &c->part2, NULL);
}

/* An exchange ends with its session; the login goes on, in one that is opened first. */
static void new_session(struct fx_side *side)
{
	u32 old = side->session;

	fx_check(fx_session(side->open, true, &side->session) == CKR_OK);
	fx_check(fx_session_close(side->open, old) == CKR_OK);
}

static void exchange_reset(struct cloning *c)
{
	new_session(&c->source);
	new_session(&c->target);
	c->part1.len = 0;
	c->part2.len = 0;
}

struct fingerprints {
	struct fx_fingerprint source, target, other;
};

static void print_all(const struct cloning *c, struct fingerprints *p)
{
	fx_print(&c->source, &p->source);
	fx_print(&c->target, &p->target);
	fx_print(&c->other, &p->other);
}

static bool same_all(const struct cloning *c, const struct fingerprints *p)
{
	return fx_same(&c->source, &p->source) && fx_same(&c->target, &p->target) &&
	       fx_same(&c->other, &p->other);
}

/* ---- every order ---- */

/* What an exchange is, as PROTOCOLS.md says it: numbers instead of messages, 0 for none. */
struct model {
	bool source;		/* between step 1 and step 3 */
	u32 target;		/* the Part1 that waits for its Part2 */
	u32 made;		/* Part1s made */
	u32 part1, part2;	/* the messages under way: which Part1 it is, or answers */
};

static u32 model_step(struct model *m, u32 n)
{
	switch (n) {
	case 1:
		m->source = true;
		return CKR_OK;
	case 2:
		m->target = ++m->made;
		m->part1 = m->made;
		return CKR_OK;
	case 3:
		if (!m->source)
			return CKR_OPERATION_NOT_INITIALIZED;
		if (!m->part1)
			return CKR_DATA_INVALID;
		m->source = false;
		m->part2 = m->part1;
		return CKR_OK;
	default:
		if (!m->target)
			return CKR_OPERATION_NOT_INITIALIZED;
		if (m->part2 != m->target)
			return CKR_DATA_INVALID;
		m->target = 0;
		return CKR_OK;
	}
}

static s64 real_step(struct cloning *c, u32 n, u32 *clone)
{
	struct luna_blob arg = { 0 };
	s64 rv;

	switch (n) {
	case 1:
		return step1(c, 0);
	case 2:
		return step2(c, 0);
	case 3:
		return step3(c, c->key, 0);
	default:
		rv = step4(c, &arg);
		*clone = rv ? 0 : arg.handle;
		return rv;
	}
}

/* @sequence: of steps 1 to 4, as digits of base 4. Return: clones made. */
static u32 run_order(struct kunit *test, u32 sequence, u32 steps)
{
	struct cloning *c = test->priv;
	struct model model = { 0 };
	struct fingerprints before;
	u32 i, n, clone = 0, clones = 0;
	s64 rv;

	exchange_reset(c);
	for (i = 0; i < steps; i++, sequence /= 4) {
		n = 1 + sequence % 4;
		print_all(c, &before);
		rv = real_step(c, n, &clone);
		KUNIT_EXPECT_EQ_MSG(test, rv, model_step(&model, n), "step %u of this order is %u", i,
				    n);
		if (rv || n < 4) {
			KUNIT_EXPECT_TRUE(test, same_all(c, &before));
			continue;
		}
		KUNIT_EXPECT_EQ(test, c->target.fx.token->objects.table.live, before.target.objects + 1);
		KUNIT_EXPECT_EQ(test, fx_destroy(c->target.open, c->target.session, clone), CKR_OK);
		clones++;
	}
	return clones;
}

static void clone_every_order(struct kunit *test)
{
	struct cloning *c = test->priv;
	u32 steps = luna_test_stride() == 1 ? 5 : 4, sequences = 1u << 2 * steps, i, clones = 0;

	KUNIT_ASSERT_EQ(test, step1(c, 0), CKR_OK);	/* the certificate, known from the start */
	for (i = 0; i < sequences; i++)
		clones += run_order(test, i, steps);
	kunit_info(test, "%u orders, %u clones\n", sequences, clones);
	KUNIT_EXPECT_GT(test, clones, 0);
}

/* ---- chosen sequences ---- */

enum move {
	END,
	ONE, TWO, THREE, FOUR,
	ASK1, ASK2, ASK3,		/* length queries */
	SHORT1, SHORT2, SHORT3,		/* one byte of room too few */
	ONE_R, TWO_R, THREE_R, FOUR_R,	/* bReplicate TRUE */
	ONE_2, TWO_2, THREE_2, FOUR_2,	/* bReplicate 2 */
	THREE_ELSEWHERE, FOUR_ELSEWHERE,/* in another session of the same application */
	TWO_OTHER, FOUR_OTHER,		/* at the third token */
	TWC_OTHER,			/* the third token's certificate takes the source's place */
	KEEP1, BACK1, KEEP2, BACK2,	/* Part1, Part2 of an earlier exchange */
	THREE_NOBODY,			/* a handle of no object */
	THREE_TYPE, FOUR_TYPE,		/* an element type that is none of ours */
	THREE_MOFN, FOUR_MOFN,		/* the M of N secret, which there is none of */
	OUT_SOURCE, OUT_TARGET,		/* log out and in again */
	INPUT1,				/* step 1 with something to take */
};

struct sequence {
	const char *what;
	struct {
		enum move move;
		u32 rv;
	} moves[16];
};

enum {
	NOT_BEGUN = CKR_OPERATION_NOT_INITIALIZED, INVALID = CKR_DATA_INVALID,
	BAD = CKR_ARGUMENTS_BAD, SMALL = CKR_BUFFER_TOO_SMALL, DENIED = CKR_OPERATION_NOT_ALLOWED,
};

static const struct sequence sequences[] = {
	{ "queries before and between", {
		{ ASK1, 0 }, { THREE, NOT_BEGUN }, { ONE, 0 }, { ASK2, 0 }, { FOUR, NOT_BEGUN },
		{ TWO, 0 }, { ASK1, 0 }, { ASK2, 0 }, { ASK3, 0 }, { ASK3, 0 }, { THREE, 0 },
		{ ASK3, NOT_BEGUN }, { FOUR, 0 } } },
	{ "short buffers", {
		{ SHORT1, SMALL }, { THREE, NOT_BEGUN }, { ONE, 0 }, { SHORT1, SMALL },
		{ SHORT2, SMALL }, { FOUR, NOT_BEGUN }, { TWO, 0 }, { SHORT2, SMALL },
		{ SHORT3, SMALL }, { THREE, 0 }, { FOUR, 0 } } },
	{ "a query of step 2 does not replace the Part1 that waits", {
		{ ONE, 0 }, { TWO, 0 }, { ASK2, 0 }, { SHORT2, SMALL }, { THREE, 0 }, { FOUR, 0 } } },
	{ "replicating", { { ONE_R, 0 }, { TWO_R, 0 }, { THREE_R, 0 }, { FOUR_R, 0 } } },
	{ "bReplicate changes at step 3", {
		{ ONE, 0 }, { TWO, 0 }, { THREE_R, BAD }, { THREE, 0 }, { FOUR, 0 } } },
	{ "bReplicate changes at step 4", {
		{ ONE, 0 }, { TWO, 0 }, { THREE, 0 }, { FOUR_R, BAD }, { FOUR, 0 } } },
	{ "bReplicate differs between the tokens", {
		{ ONE_R, 0 }, { TWO, 0 }, { THREE_R, INVALID }, { TWO_R, 0 }, { THREE_R, 0 },
		{ FOUR_R, 0 } } },
	{ "bReplicate is no boolean", {
		{ ONE_2, BAD }, { THREE, NOT_BEGUN }, { ONE, 0 }, { TWO_2, BAD }, { FOUR, NOT_BEGUN },
		{ TWO, 0 }, { THREE_2, BAD }, { THREE, 0 }, { FOUR_2, BAD }, { FOUR, 0 } } },
	{ "another session of the source", {
		{ ONE, 0 }, { TWO, 0 }, { THREE_ELSEWHERE, NOT_BEGUN }, { THREE, 0 }, { FOUR, 0 } } },
	{ "another session of the target", {
		{ ONE, 0 }, { TWO, 0 }, { THREE, 0 }, { FOUR_ELSEWHERE, NOT_BEGUN }, { FOUR, 0 } } },
	{ "another target opens nothing", {
		{ ONE, 0 }, { TWO_OTHER, 0 }, { TWO, 0 }, { THREE, 0 }, { FOUR_OTHER, INVALID },
		{ FOUR, 0 } } },
	{ "a Part1 of another target", {
		{ ONE, 0 }, { TWO, 0 }, { TWO_OTHER, 0 }, { THREE, 0 }, { FOUR, INVALID },
		{ FOUR_OTHER, 0 } } },
	{ "a certificate of somebody in the middle", {
		{ ONE, 0 }, { TWC_OTHER, 0 }, { TWO, 0 }, { THREE, INVALID }, { FOUR, INVALID } } },
	{ "Part2 replayed", {
		{ ONE, 0 }, { TWO, 0 }, { THREE, 0 }, { KEEP2, 0 }, { FOUR, 0 }, { FOUR, NOT_BEGUN },
		{ TWO, 0 }, { FOUR, INVALID }, { ONE, 0 }, { THREE, 0 }, { BACK2, 0 },
		{ FOUR, INVALID } } },
	{ "an old Part1 replayed", {
		{ ONE, 0 }, { TWO, 0 }, { KEEP1, 0 }, { TWO, 0 }, { BACK1, 0 }, { THREE, 0 },
		{ FOUR, INVALID } } },
	{ "step 3 again for another Part1", {
		{ ONE, 0 }, { TWO, 0 }, { THREE, 0 }, { TWO, 0 }, { THREE, NOT_BEGUN }, { ONE, 0 },
		{ THREE, 0 }, { FOUR, 0 } } },
	{ "the source logs out", {
		{ ONE, 0 }, { TWO, 0 }, { OUT_SOURCE, 0 }, { THREE, NOT_BEGUN }, { ONE, 0 },
		{ THREE, 0 }, { FOUR, 0 } } },
	{ "the target logs out", {
		{ ONE, 0 }, { TWO, 0 }, { THREE, 0 }, { OUT_TARGET, 0 }, { FOUR, NOT_BEGUN } } },
	{ "no such object", {
		{ ONE, 0 }, { TWO, 0 }, { THREE_NOBODY, CKR_OBJECT_HANDLE_INVALID }, { THREE, 0 },
		{ FOUR, 0 } } },
	{ "no such element type", {
		{ ONE, 0 }, { TWO, 0 }, { THREE_TYPE, CKR_OBJECT_TYPE_INVALID }, { THREE, 0 },
		{ FOUR_TYPE, CKR_OBJECT_TYPE_INVALID }, { FOUR, 0 } } },
	{ "no M of N secret", {
		{ ONE, 0 }, { TWO, 0 }, { THREE_MOFN, DENIED }, { THREE, 0 },
		{ FOUR_MOFN, INVALID }, { FOUR, 0 } } },
	{ "step 1 takes nothing", {
		{ INPUT1, BAD }, { THREE, NOT_BEGUN }, { ONE, 0 }, { TWO, 0 }, { THREE, 0 },
		{ FOUR, 0 } } },
};

/* In a second session of the application, which ends afterwards. */
static s64 elsewhere(struct fx_side *side, u32 nr, struct luna_blob arg, const struct fx_message *in,
		     struct fx_message *out)
{
	u32 session;
	s64 rv;

	fx_check(fx_session(side->open, true, &session) == CKR_OK);
	rv = fx_step(side, session, nr, &arg, in, out);
	fx_check(fx_session_close(side->open, session) == CKR_OK);
	return rv;
}

static s64 ask(struct fx_side *side, u32 nr, struct luna_blob arg, const struct fx_message *in)
{
	u32 len;

	return fx_step_query(side, side->session, nr, &arg, in, &len);
}

static s64 tight(struct fx_side *side, u32 nr, struct luna_blob arg, const struct fx_message *in)
{
	return fx_step_short(side, side->session, nr, &arg, in);
}

static s64 make_step(struct cloning *c, enum move move)
{
	u32 replicate = move >= ONE_2 ? 2 : move >= ONE_R ? 1 : 0;
	struct luna_blob arg = { .replicate = replicate };

	switch ((move - (replicate == 2 ? ONE_2 : replicate ? ONE_R : ONE))) {
	case 0:
		return step1(c, replicate);
	case 1:
		return step2(c, replicate);
	case 2:
		return step3(c, c->key, replicate);
	default:
		return step4(c, &arg);
	}
}

static s64 make_query(struct cloning *c, enum move move)
{
	struct luna_blob key = { .handle = c->key };

	switch (move) {
	case ASK1:
		return ask(&c->source, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL);
	case ASK2:
		return ask(&c->target, LUNA_CLONE_TARGET_INIT, BLOB(), &c->twc);
	case ASK3:
		return ask(&c->source, LUNA_CLONE_SOURCE, key, &c->part1);
	case SHORT1:
		return tight(&c->source, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL);
	case SHORT2:
		return tight(&c->target, LUNA_CLONE_TARGET_INIT, BLOB(), &c->twc);
	default:
		return tight(&c->source, LUNA_CLONE_SOURCE, key, &c->part1);
	}
}

static s64 make_move(struct cloning *c, enum move move)
{
	struct fx_side *s = &c->source, *t = &c->target, *o = &c->other;
	u32 mofn = CK_MOFN_ACTIVATION_ELEMENT, param = CK_PARAM_ELEMENT;

	switch (move) {
	case ONE: case TWO: case THREE: case FOUR:
	case ONE_R: case TWO_R: case THREE_R: case FOUR_R:
	case ONE_2: case TWO_2: case THREE_2: case FOUR_2:
		return make_step(c, move);
	case ASK1: case ASK2: case ASK3: case SHORT1: case SHORT2: case SHORT3:
		return make_query(c, move);
	case THREE_ELSEWHERE:
		return elsewhere(s, LUNA_CLONE_SOURCE, BLOB(.handle = c->key), &c->part1, &c->part2);
	case FOUR_ELSEWHERE:
		return elsewhere(t, LUNA_CLONE_TARGET, BLOB(), &c->part2, NULL);
	case TWO_OTHER:
		return fx_send(o, LUNA_CLONE_TARGET_INIT, BLOB(), &c->twc, &c->part1);
	case FOUR_OTHER:
		return fx_send(o, LUNA_CLONE_TARGET, BLOB(), &c->part2, NULL);
	case TWC_OTHER:
		return fx_step(o, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &c->twc);
	case KEEP1:
		c->kept1 = c->part1;
		return CKR_OK;
	case BACK1:
		c->part1 = c->kept1;
		return CKR_OK;
	case KEEP2:
		c->kept2 = c->part2;
		return CKR_OK;
	case BACK2:
		c->part2 = c->kept2;
		return CKR_OK;
	case THREE_NOBODY:
		return step3(c, c->key + 1000, 0);
	case THREE_TYPE:
		return fx_send(s, LUNA_CLONE_SOURCE, BLOB(.handle = c->key, .type = param),
			       &c->part1, &c->part2);
	case FOUR_TYPE:
		return fx_send(t, LUNA_CLONE_TARGET, BLOB(.type = param), &c->part2, NULL);
	case THREE_MOFN:
		return fx_send(s, LUNA_CLONE_SOURCE, BLOB(.type = mofn), &c->part1, &c->part2);
	case FOUR_MOFN:
		return fx_send(t, LUNA_CLONE_TARGET, BLOB(.type = mofn), &c->part2, NULL);
	case INPUT1:
		return fx_send(s, LUNA_CLONE_SOURCE_INIT, BLOB(), &c->twc, &c->part2);
	default:
		return -EINVAL;
	}
}

static bool creates(enum move move)
{
	return move == FOUR || move == FOUR_R || move == FOUR_OTHER;
}

static void clone_sequence(struct kunit *test)
{
	const struct sequence *seq = test->param_value;
	struct cloning *c = test->priv;
	struct fingerprints before;
	enum move move;
	u32 i;
	s64 rv;

	KUNIT_ASSERT_EQ(test, step1(c, 0), CKR_OK);
	exchange_reset(c);
	for (i = 0; i < ARRAY_SIZE(seq->moves) && seq->moves[i].move != END; i++) {
		move = seq->moves[i].move;
		if (move == OUT_SOURCE || move == OUT_TARGET) {
			fx_side_as(move == OUT_SOURCE ? &c->source : &c->target, CKU_USER);
			continue;
		}
		print_all(c, &before);
		rv = make_move(c, move);
		KUNIT_EXPECT_EQ_MSG(test, rv, seq->moves[i].rv, "%s: move %u", seq->what, i);
		KUNIT_EXPECT_EQ_MSG(test, same_all(c, &before), rv || !creates(move),
				    "%s: move %u", seq->what, i);
	}
}

static void sequence_name(const struct sequence *seq, char *desc)
{
	strscpy(desc, seq->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sequence, sequences, sequence_name);

/* ---- domains, policies, roles ---- */

static void clone_other_domain(struct kunit *test)
{
	struct cloning *c = test->priv;
	struct fingerprints before;
	struct luna_blob arg = { 0 };

	fx_side_init(&c->target, LUNA_TOKEN_PPSO, "another domain", 0);
	print_all(c, &before);
	KUNIT_EXPECT_EQ(test, step1(c, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, step2(c, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, step3(c, c->key, 0), CKR_UNWRAPPING_ERROR);
	c->part2.len = 0;
	KUNIT_EXPECT_EQ(test, step4(c, &arg), CKR_DATA_INVALID);
	KUNIT_EXPECT_TRUE(test, same_all(c, &before));
	fx_side_init(&c->target, LUNA_TOKEN_PPSO, "", 0);
	KUNIT_EXPECT_EQ(test, step2(c, 0), CKR_CLONING_PARAMETER_MISSING);
}

static const struct gate {
	const char *what;
	bool at_target;
	u32 scope, id, replicate;
	u32 rvs[4];	/* of the four steps; those after a refusal are not made */
} gates[] = {
	{ "HSM policy 7 at the source", false, LUNA_SCOPE_HSM, 7, 0, { DENIED } },
	{ "HSM policy 7 at the target", true, LUNA_SCOPE_HSM, 7, 0, { 0, DENIED } },
	{ "HSM policy 16 at the source", false, LUNA_SCOPE_HSM, 16, 1, { DENIED } },
	{ "HSM policy 16 at the target", true, LUNA_SCOPE_HSM, 16, 1, { 0, DENIED } },
	{ "HSM policy 16, not replicating", false, LUNA_SCOPE_HSM, 16, 0, { 0, 0, 0, 0 } },
	{ "policy 4 at the source", false, LUNA_SCOPE_PARTITION, 4, 0, { 0, 0, DENIED } },
	{ "policy 4 at the target", true, LUNA_SCOPE_PARTITION, 4, 0, { 0, 0, 0, DENIED } },
	{ "policy 0 is not about secret keys", false, LUNA_SCOPE_PARTITION, 0, 0, { 0, 0, 0, 0 } },
};

static void gate_name(const struct gate *gate, char *desc)
{
	strscpy(desc, gate->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(gate, gates, gate_name);

static void clone_policy(struct kunit *test)
{
	const struct gate *gate = test->param_value;
	struct cloning *c = test->priv;
	struct luna_blob arg = { .replicate = gate->replicate };

	fx_side_set_policy(gate->at_target ? &c->target : &c->source, gate->scope, gate->id, 0);
	/* a change of HSM policy 7 took the objects */
	if (!gate->at_target && gate->id == 7)
		KUNIT_ASSERT_EQ(test, fx_make_aes(&c->source, &c->key), CKR_OK);
	KUNIT_EXPECT_EQ(test, step1(c, gate->replicate), gate->rvs[0]);
	if (gate->rvs[0])
		return;
	KUNIT_EXPECT_EQ(test, step2(c, gate->replicate), gate->rvs[1]);
	if (gate->rvs[1])
		return;
	KUNIT_EXPECT_EQ(test, step3(c, c->key, gate->replicate), gate->rvs[2]);
	if (!gate->rvs[2])
		KUNIT_EXPECT_EQ(test, step4(c, &arg), gate->rvs[3]);
}

static void clone_roles(struct kunit *test)
{
	struct cloning *c = test->priv;
	struct luna_blob arg = { 0 };
	u32 public;

	KUNIT_ASSERT_EQ(test, fx_make_data(&c->source, true, false, &public), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_init_pin(c->source.open, c->source.session, CKU_LIMITED_USER,
					  FX_CU_PIN), CKR_OK);
	fx_side_as(&c->source, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, step1(c, 0), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&c->source, CKU_SO);
	KUNIT_EXPECT_EQ(test, step1(c, 0), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&c->source, CKU_LIMITED_USER);
	KUNIT_EXPECT_EQ(test, step1(c, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, step2(c, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, step3(c, c->key, 0), CKR_USER_NOT_AUTHORIZED);
	KUNIT_EXPECT_EQ(test, step3(c, public, 0), CKR_OK);
	fx_side_as(&c->target, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, step4(c, &arg), CKR_USER_NOT_LOGGED_IN);
}

/* What arrives is what left, under the same OUID, and is still there after a restart. */
static void clone_attributes(struct kunit *test)
{
	static const u32 types[] = { CKA_OUID, CKA_CLASS, CKA_KEY_TYPE, CKA_VALUE_LEN, CKA_EXTRACTABLE,
				     CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
				     CKA_LOCAL, CKA_TOKEN, CKA_PRIVATE, CKA_KEY_GEN_MECHANISM };
	struct cloning *c = test->priv;
	struct luna_blob arg = { 0 };
	u32 i, len1, len2;
	u8 one[16], two[16];

	KUNIT_ASSERT_EQ(test, step1(c, 0), CKR_OK);
	KUNIT_ASSERT_EQ(test, step2(c, 0), CKR_OK);
	KUNIT_ASSERT_EQ(test, step3(c, c->key, 0), CKR_OK);
	KUNIT_ASSERT_EQ(test, step4(c, &arg), CKR_OK);
	fx_side_restart(&c->target);
	fx_side_as(&c->target, CKU_USER);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		len1 = sizeof(one);
		len2 = sizeof(two);
		KUNIT_EXPECT_EQ(test, fx_attr_get(c->source.open, c->source.session, c->key, types[i],
						  one, &len1), CKR_OK);
		KUNIT_EXPECT_EQ(test, fx_attr_get(c->target.open, c->target.session, arg.handle,
						  types[i], two, &len2), CKR_OK);
		KUNIT_EXPECT_EQ_MSG(test, len1, len2, "attribute %#x", types[i]);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(one, two, len1), 0, "attribute %#x", types[i]);
	}
}

static struct kunit_case clone_cases[] = {
	KUNIT_CASE(clone_every_order),
	KUNIT_CASE_PARAM(clone_sequence, sequence_gen_params),
	KUNIT_CASE(clone_other_domain),
	KUNIT_CASE_PARAM(clone_policy, gate_gen_params),
	KUNIT_CASE(clone_roles),
	KUNIT_CASE(clone_attributes),
	{}
};

static struct kunit_suite clone_suite = {
	.name = "luna-clone",
	.init = cloning_init,
	.exit = cloning_exit,
	.test_cases = clone_cases,
};

kunit_test_suites(&clone_suite);
