/* SPDX-License-Identifier: MIT */
/*
 * The life of a token on disk_now, step by step, with what must be true after each; and the check
 * of a token that was loaded after a crash against that.
 */
#ifndef LUNA_TEST_SCENARIO_H
#define LUNA_TEST_SCENARIO_H

#include "disk.h"
#include "engine_fixture.h"
#include "places.h"
#include "token.h"

/* Marks between the events of the disk; their value is the number of a step. */
enum { MARK_NOTHING, MARK_BEGIN, MARK_ACK, MARK_TRIED };	/* TRIED: a PIN is; the value is the count of failures */

/**
 * struct host - a token and its store
 */
struct host {
	const struct place *place;
	const struct luna_crypto_ops *crypto;
	const struct luna_store_ops *ops;
	void *store;
	struct luna_token *token;
};

/* host_open() - load slot 0 from disk_now. Return: 0, or a negative errno if that cannot be. */
int host_open(struct host *host, const struct place *place, const struct luna_crypto_ops *crypto);
void host_close(struct host *host);
/* host_kill() - as host_close(), but nothing more is written */
void host_kill(struct host *host);

/**
 * struct point - a token's content after a step
 * @state: serialised, without attempts
 * @objects: hash of all of them
 * @co_pin: NULL: nobody can log in
 * @failed: of each role
 * @wrong: the step tries wrong PINs and nothing else
 * @role_set: whose counts mean something
 */
struct point {
	const char *name;
	u8 *state;
	u32 state_len;
	u64 objects;
	u32 count;
	const char *co_pin;
	bool has_key;
	bool wrong;
	bool role_set[LUNA_ROLES];
	u32 failed[LUNA_ROLES];
};

enum { POINTS_MAX = 64 };

/**
 * struct scenario - what was done, and what is to be found
 * @disk: with all events
 * @points: row 0 is the token before the first step
 */
struct scenario {
	struct disk *disk;
	struct point points[POINTS_MAX];
	u32 count;
};

/* scenario_run() - @light: without compaction, whose images are large */
void scenario_run(struct scenario *s, const struct place *place, bool light);
void scenario_free(struct scenario *s);

/**
 * struct bounds - what a crash may leave, from the marks before it
 * @acked, @begun: steps, as indexes of points
 * @tried: failures that were counted when the last PIN was tried
 */
struct bounds {
	u32 acked, begun, tried;
};

void bounds_step(struct bounds *bounds, const struct disk_event *event);

/**
 * scenario_check() - does disk_now hold what it must?
 * @more: also that the token goes on: another object, another load
 * @why: out: what is wrong
 */
bool scenario_check(const struct scenario *s, const struct place *place,
		    const struct bounds *bounds, bool more, char *why, size_t room);

/* A data object with a value of @len bytes. Return: CKR_* */
s64 scenario_data(struct luna_open *open, u32 session, const char *label, bool private, u32 len,
		  u32 *handle);

/* What must never be found in a store, and what must be. */
extern const u8 scenario_key[32];
#define SECRET_LABEL	"label of a secret object"
#define SECRET_VALUE	"value of a secret object"
#define PUBLIC_LABEL	"label of a public object"
#define NEW_CO_PIN	"new co-pin-for-tests"

/* Secrets of the token that the scenario made: domain key, storage key, K of M of N. */
struct scenario_secrets {
	u8 domain[LUNA_DOMAIN_LEN];
	u8 sk[LUNA_SK_LEN];
	u8 mofn[LUNA_MOFN_SECRET_LEN];
	u8 twc_key[256];
	bool seen, has_mofn;
};
extern struct scenario_secrets scenario_secrets;

#endif /* LUNA_TEST_SCENARIO_H */
