/* SPDX-License-Identifier: MIT */
/* Doubly linked, circular, intrusive list; a head is a node that is in no structure. */
#ifndef SERVICE_LIST_H
#define SERVICE_LIST_H

#include "base/base.h"

struct svc_list {
	struct svc_list *next, *prev;
};

static inline void svc_list_init(struct svc_list *node)
{
	node->next = node;
	node->prev = node;
}

static inline bool svc_list_empty(const struct svc_list *head)
{
	return head->next == head;
}

/** svc_list_add() - @node as the last of @head. */
static inline void svc_list_add(struct svc_list *head, struct svc_list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/** svc_list_del() - out of its list, if in one; @node is an empty head afterwards. */
static inline void svc_list_del(struct svc_list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	svc_list_init(node);
}

#define svc_list_entry(node, type, member) base_container_of(node, type, member)

/* The entry may be removed and freed inside the loop, others may not. */
#define base_for_each_safe(node, tmp, head) \
	for (node = (head)->next, tmp = node->next; node != (head); node = tmp, tmp = node->next)

#define base_for_each(node, head) for (node = (head)->next; node != (head); node = node->next)

#endif
