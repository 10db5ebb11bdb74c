/* SPDX-License-Identifier: MIT */
/*
 * Random numbers fetched ahead: a session that asks for few bytes again and again gets many of them
 * with one round trip. Bytes wait in a page that a fork empties, are wiped as they are handed out, and
 * are never handed out twice.
 */
#ifndef P11_RANDOM_H
#define P11_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	P11_RANDOM_SMALL = 64,		/* longer requests go to the device */
	P11_RANDOM_AHEAD = 2048,	/* bytes fetched at a time */
};

/**
 * struct p11_random - bytes that wait in a session; all zero: none, and none were asked for
 * @page: mmap'ed; its first byte is 0 until bytes are in it, and again after a fork
 * @left: bytes that wait
 * @asked: the session has asked before, so that fetching ahead is worth it
 */
struct p11_random {
	uint8_t *page;
	size_t left;
	bool asked;
};

/**
 * p11_random_room() - where to put bytes fetched ahead of a request of @len bytes
 * Return: P11_RANDOM_AHEAD bytes to be filled and confirmed by p11_random_filled(); NULL: the request is
 * to be answered by the device alone.
 */
uint8_t *p11_random_room(struct p11_random *random, size_t len);
void p11_random_filled(struct p11_random *random);

/** p11_random_take() - hand out @len waiting bytes; false: there are not so many */
bool p11_random_take(struct p11_random *random, uint8_t *out, size_t len);

/** p11_random_end() - wipe and free */
void p11_random_end(struct p11_random *random);

#endif /* P11_RANDOM_H */
