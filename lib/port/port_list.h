/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The kernel's intrusive lists, for user space: rings (struct list_head) and hash chains with a
 * head of one pointer (struct hlist_head). An entry taken off with list_del() or hlist_del() must
 * be initialised before it is asked whether it is in a list.
 */
#ifndef LUNA_PORT_LIST_H
#define LUNA_PORT_LIST_H

#include "port_base.h"

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;	/* the pointer that points here */
};

struct hlist_head {
	struct hlist_node *first;
};

/* Not NULL, so that a use after removal faults instead of looking like an end. */
#define LIST_POISON	((void *)0x100)

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *head)
{
	head->next = head;
	head->prev = head;
}

static inline void __port_link(struct list_head *a, struct list_head *b)
{
	a->next = b;
	b->prev = a;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	__port_link(entry, head->next);
	__port_link(head, entry);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	__port_link(head->prev, entry);
	__port_link(entry, head);
}

static inline void list_del(struct list_head *entry)
{
	__port_link(entry->prev, entry->next);
	entry->next = LIST_POISON;
	entry->prev = LIST_POISON;
}

static inline void list_del_init(struct list_head *entry)
{
	__port_link(entry->prev, entry->next);
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	__port_link(entry->prev, entry->next);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	__port_link(entry->prev, entry->next);
	list_add_tail(entry, head);
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline bool list_is_singular(const struct list_head *head)
{
	return !list_empty(head) && head->next == head->prev;
}

/* Append all of @from to @to; @from is empty afterwards. */
static inline void list_splice_tail_init(struct list_head *from, struct list_head *to)
{
	if (list_empty(from))
		return;
	__port_link(to->prev, from->next);
	__port_link(from->prev, to);
	INIT_LIST_HEAD(from);
}

#define list_entry(ptr, type, member)		container_of(ptr, type, member)
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_last_entry(head, type, member)	list_entry((head)->prev, type, member)
#define list_next_entry(pos, member)		list_entry((pos)->member.next, typeof(*(pos)), member)
#define list_prev_entry(pos, member)		list_entry((pos)->member.prev, typeof(*(pos)), member)
#define list_first_entry_or_null(head, type, member) ({				\
	struct list_head *__port_head = (head);					\
	list_empty(__port_head) ? NULL : list_first_entry(__port_head, type, member); })

#define list_for_each_entry(pos, head, member)					\
	for (pos = list_first_entry(head, typeof(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_next_entry(pos, member))

#define list_for_each_entry_reverse(pos, head, member)				\
	for (pos = list_last_entry(head, typeof(*pos), member);			\
	     &pos->member != (head);						\
	     pos = list_prev_entry(pos, member))

/* @pos may be removed in the body; @n holds the entry after it. */
#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = list_first_entry(head, typeof(*pos), member),		\
	     n = list_next_entry(pos, member);					\
	     &pos->member != (head);						\
	     pos = n, n = list_next_entry(n, member))

#define HLIST_HEAD_INIT		{ NULL }
#define HLIST_HEAD(name)	struct hlist_head name = HLIST_HEAD_INIT
#define INIT_HLIST_HEAD(head)	((head)->first = NULL)

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
	node->next = NULL;
	node->pprev = NULL;
}

static inline bool hlist_unhashed(const struct hlist_node *node)
{
	return !node->pprev;
}

static inline bool hlist_empty(const struct hlist_head *head)
{
	return !head->first;
}

static inline void __port_hlist_insert(struct hlist_node *node, struct hlist_node **at)
{
	node->next = *at;
	if (node->next)
		node->next->pprev = &node->next;
	node->pprev = at;
	*at = node;
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
	__port_hlist_insert(node, &head->first);
}

static inline void hlist_add_before(struct hlist_node *node, struct hlist_node *next)
{
	__port_hlist_insert(node, next->pprev);
}

static inline void hlist_add_behind(struct hlist_node *node, struct hlist_node *prev)
{
	__port_hlist_insert(node, &prev->next);
}

static inline void __port_hlist_unlink(struct hlist_node *node)
{
	*node->pprev = node->next;
	if (node->next)
		node->next->pprev = node->pprev;
}

static inline void hlist_del(struct hlist_node *node)
{
	__port_hlist_unlink(node);
	node->next = LIST_POISON;
	node->pprev = LIST_POISON;
}

static inline void hlist_del_init(struct hlist_node *node)
{
	if (hlist_unhashed(node))
		return;
	__port_hlist_unlink(node);
	INIT_HLIST_NODE(node);
}

#define hlist_entry(ptr, type, member)	container_of(ptr, type, member)
#define hlist_entry_safe(ptr, type, member) ({					\
	struct hlist_node *__port_node = (ptr);					\
	__port_node ? hlist_entry(__port_node, type, member) : NULL; })

#define hlist_for_each_entry(pos, head, member)					\
	for (pos = hlist_entry_safe((head)->first, typeof(*pos), member);	\
	     pos;								\
	     pos = hlist_entry_safe(pos->member.next, typeof(*pos), member))

/* @pos may be removed in the body; @n is a struct hlist_node *. */
#define hlist_for_each_entry_safe(pos, n, head, member)				\
	for (pos = hlist_entry_safe((head)->first, typeof(*pos), member);	\
	     pos && ({ n = pos->member.next; 1; });				\
	     pos = hlist_entry_safe(n, typeof(*pos), member))

#endif /* LUNA_PORT_LIST_H */
