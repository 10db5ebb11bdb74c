/* SPDX-License-Identifier: MIT */
/*
 * For the targets that speak the protocols between tokens: inputs that end in the right MAC, so that
 * they get to what stands behind it.
 */
#ifndef LUNA_FUZZ_EXCHANGE_H
#define LUNA_FUZZ_EXCHANGE_H

#include "clone.h"
#include "common.h"
#include "ha.h"

/* E of every HA challenge: known to the fuzzer, as it is to whoever makes a challenge. */
extern const u8 fuzz_e[HA_KEY];

/* All that is left of the input. */
void fuzz_rest(struct fuzz_in *in, struct fuzz_message *message);

/* fuzz_mac() - append MAC(ikm, label, all so far) */
void fuzz_mac(struct fuzz_message *message, const void *ikm, u32 ikm_len, const char *label);

/* fuzz_seed_message() - a seed: the byte @mode, then the message without its last @cut bytes */
void fuzz_seed_message(const char *name, u8 mode, const struct fuzz_message *message, u32 cut);

/* The next random bytes that the engine draws are E. */
void fuzz_draw_e(void);

/* The domain key of both tokens: somebody is logged in. */
const u8 *fuzz_domain(void);

#endif /* LUNA_FUZZ_EXCHANGE_H */
