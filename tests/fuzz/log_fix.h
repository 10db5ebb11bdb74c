/* SPDX-License-Identifier: MIT */
/*
 * For the targets that read a log: one whose checksums, lengths and sequence are right, so that an input
 * gets to the records behind them, and to the state and the attributes in these.
 */
#ifndef LUNA_FUZZ_LOG_FIX_H
#define LUNA_FUZZ_LOG_FIX_H

#include "common.h"

/* log_fix() - put the @len bytes of a log right; @torn: but for the last record, a torn end */
void log_fix(u8 *file, size_t len, bool torn);

#endif /* LUNA_FUZZ_LOG_FIX_H */
