/* SPDX-License-Identifier: MIT */
/* What the parts of common.c know of each other and targets do not. */
#ifndef LUNA_FUZZ_COMMON_PARTS_H
#define LUNA_FUZZ_COMMON_PARTS_H

#include "common.h"

/* ---- common.c ---- */

extern bool fuzz_telling;		/* LUNA_FUZZ_LOG */

/* ---- common_provider.c ---- */

/* From here on, chance begins anew. */
void fuzz_chance_reset(void);

/*
 * The provider keeps finished digests for reuse, which would count as leaks; unfinished ones it
 * frees.
 */
void fuzz_pools_empty(void);

/* ---- common_world.c ---- */

/* Preparing a token cannot fail. */
void fuzz_must(s64 rv);

/* ---- common_vocabulary.c ---- */

/* Once, before the first input: what this token says it can do, and what attributes there are. */
void fuzz_learn_mechanisms(void);
void fuzz_learn_attributes(void);

void fuzz_attrs_bool(struct fx_tmpl *tmpl, bool value, const u32 *types, size_t count);
void fuzz_template_preset(enum fuzz_preset preset, bool on_token, struct fx_tmpl *tmpl);

#endif /* LUNA_FUZZ_COMMON_PARTS_H */
