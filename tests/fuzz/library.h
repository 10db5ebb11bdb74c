/* SPDX-License-Identifier: MIT */
/*
 * The fuzzer of the library with a hostile device: library.c is the device, library_calls.c the program
 * that uses the library, library_parameters.c its mechanisms' parameters.
 */
#ifndef LUNA_FUZZ_LIBRARY_H
#define LUNA_FUZZ_LIBRARY_H

#include "common.h"
#include <luna/sfnt_extensions.h>

enum { SLOTS = FUZZ_SIDES };

/* fuzz_calls_reset() - forget handles and replies */
void fuzz_calls_reset(void);

/* fuzz_calls_log_in() - two sessions of two slots, logged in; while the devices are honest */
void fuzz_calls_log_in(void);

/* fuzz_calls_one() - the call that the input names by a byte, one of fuzz_calls_kinds() */
void fuzz_calls_one(struct fuzz_in *in);
u32 fuzz_calls_kinds(void);

/*
 * fuzz_parameter() - a mechanism with its parameter, one of fuzz_parameter_kinds(). It is good until
 * fuzz_parameter_end().
 */
void fuzz_parameter(struct fuzz_in *in, CK_MECHANISM *m);
void fuzz_parameter_end(void);
u32 fuzz_parameter_kinds(void);

#endif /* LUNA_FUZZ_LIBRARY_H */
