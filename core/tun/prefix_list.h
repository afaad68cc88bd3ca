/* SPDX-License-Identifier: MIT
 *
 * prefix_list.h: a growing list of prefixes. Used inside this room only.
 */
#ifndef WT_TUN_PREFIX_LIST_H
#define WT_TUN_PREFIX_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "config/prefix.h"

/* Zeroed is empty. */
struct wt_prefix_list {
	struct wt_prefix *at;
	size_t count, room;
};

/* Make room for one more; false: out of memory. */
bool wt_prefix_list_reserve(struct wt_prefix_list *list) WT_MUST_CHECK;
/* Append a copy, into room that was reserved. */
void wt_prefix_list_push(struct wt_prefix_list *list, const struct wt_prefix *prefix);
/* Is the same address with the same length in it? Host bits count. has looks at
 * each, find needs a list in wt_prefix_order. */
bool wt_prefix_list_has(const struct wt_prefix_list *list, const struct wt_prefix *prefix);
bool wt_prefix_list_find(const struct wt_prefix_list *list, const struct wt_prefix *prefix);
void wt_prefix_list_free(struct wt_prefix_list *list);
/* For qsort: by family, address, length. */
int wt_prefix_order(const void *a, const void *b);

#endif
