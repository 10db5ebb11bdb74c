/* SPDX-License-Identifier: MIT */
/* What the random commands of the suite "ioctl" share: chance, and what is known of the devices. */
#ifndef LUNA_TESTS_IOCTL_RANDOM_H
#define LUNA_TESTS_IOCTL_RANDOM_H

#include "ioctl.h"

enum { FILES = 4, KNOWN = 12 };

/*
 * The first places of the objects are those of keys that fit: AES, an RSA pair, AES that may be
 * taken out.
 */
extern struct chance {
	uint64_t x;
	int fd[FILES];
	uint32_t sessions[FILES][KNOWN], objects[FILES][KNOWN];
	unsigned char blob[8192];	/* the last one that any command made */
	uint32_t blob_len;
	unsigned char wrapped[600];	/* the last wrapped key */
	uint32_t wrapped_len;
	uint32_t more_at;		/* what waits was fetched up to here */
} ch;

/* ---- ioctl_random_parts.c ---- */

/* The next number of the seed's: less than @below, or any with 0 */
uint32_t draw(uint32_t below);

/* At the edge of something, a power of two, or any */
uint32_t odd_number(void);

/* Each writes at @p and returns the end: */

/* a parameter that may suit the mechanism, */
unsigned char *chance_param(unsigned char *p, uint32_t mech);

/* a template, of a whole object or not, */
unsigned char *chance_template(unsigned char *p);

/* the templates of an RSA pair, *@first bytes of them the public key's, */
unsigned char *chance_pair(unsigned char *p, uint32_t *first);

/* a PIN. */
unsigned char *chance_pin(unsigned char *p);

/* ---- ioctl_random_requests.c ---- */

/* Commands that take long, or end what the others need, come seldom. */
const struct command *chance_command(void);

/* The payload of @c at @p, and its fields, of a command that makes sense. Return: the end */
unsigned char *chance_payload(const struct command *c, int file, unsigned char *p);

/* A few fields, or bytes of the payload, become something else. Return: bytes of the request */
size_t mutate(size_t len);

#endif /* LUNA_TESTS_IOCTL_RANDOM_H */
