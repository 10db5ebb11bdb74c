/* SPDX-License-Identifier: MIT */
#ifndef LUNA_TEST_MANY_H
#define LUNA_TEST_MANY_H

#include "places.h"

/* many_every_crash() - several applications at once: figures of the group commit, every crash */
void many_every_crash(const struct place *place);

#endif /* LUNA_TEST_MANY_H */
