/* SPDX-License-Identifier: MIT */
/*
 * The files of tests/vectors: lines "name = hex". LUNA_VECTORS names their directory; without it they
 * are sought beside the source.
 */
#ifndef LUNA_TEST_VECTOR_FILE_H
#define LUNA_TEST_VECTOR_FILE_H

#include "engine.h"

enum { VECTOR_FILE_MAX = 256 * 1024 };

/* vector_path() - where the file @name is; valid until the next call */
const char *vector_path(const char *name);

/* vector_file() - its text, to be freed with test_free(); fails the test if it is not there */
char *vector_file(const char *name);

/* vector_value() - the bytes behind @name, at most @room. Return: their number; fails without them */
size_t vector_value(const char *text, const char *name, u8 *value, size_t room);

/* vector_rsa() - a key of keys.txt as a provider makes it: "source", "target" or "login" */
struct luna_rsa_made *vector_rsa(const char *name);

#endif /* LUNA_TEST_VECTOR_FILE_H */
