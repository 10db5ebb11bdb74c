/* SPDX-License-Identifier: MIT */
/*
 * An object search. The device keeps none: LUNA_FIND answers a template with handles in ascending
 * order, beginning after a given one. The first handles come with C_FindObjectsInit, so that a
 * search that finds few costs one trip; more are fetched as they are asked for. Memory does not
 * grow with the number of objects.
 */
#ifndef P11_SEARCH_H
#define P11_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>

struct p11_session;

/**
 * struct p11_search - the search of a session
 * @active: between C_FindObjectsInit and C_FindObjectsFinal
 * @complete: the device has no more than @found
 * @template: encoded template
 * @template_len: its bytes
 * @found: handles fetched
 * @count: number of them
 * @next: the first that the application has not got
 * @last: the last handle ever fetched
 */
struct p11_search {
	bool active;
	bool complete;
	uint8_t *template;
	size_t template_len;
	uint32_t *found;
	uint32_t count;
	uint32_t next;
	uint32_t last;
};

/** p11_search_begin() - C_FindObjectsInit */
CK_RV p11_search_begin(struct p11_session *session, CK_ATTRIBUTE *template, CK_ULONG count);

/** p11_search_next() - C_FindObjects: at most @max handles to @objects, their number to @count */
CK_RV p11_search_next(struct p11_session *session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		      CK_ULONG *count);

/** p11_search_end() - forget the search, if there is one */
void p11_search_end(struct p11_search *search);

#endif /* P11_SEARCH_H */
