/* SPDX-License-Identifier: MIT */
/* The fixture of the KUnit suites (kmod/kunit), for unit tests with cmocka. */
#ifndef LUNA_TEST_ENGINE_FIXTURE_H
#define LUNA_TEST_ENGINE_FIXTURE_H

#include "crypto_openssl.h"
#include "fixture.h"

#endif /* LUNA_TEST_ENGINE_FIXTURE_H */
