/* SPDX-License-Identifier: MIT */
#include "tun/prefix_list.h"

#include <stdlib.h>

bool wt_prefix_list_reserve(struct wt_prefix_list *list)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct wt_prefix *at = reallocarray(list->at, room, sizeof *at);

		if (!at)
			return false;
		list->at = at;
		list->room = room;
	}
	return true;
}

void wt_prefix_list_push(struct wt_prefix_list *list, const struct wt_prefix *prefix)
{
	list->at[list->count++] = *prefix;
}

int wt_prefix_order(const void *a, const void *b)
{
	return wt_prefix_compare(a, b);
}

bool wt_prefix_list_has(const struct wt_prefix_list *list, const struct wt_prefix *prefix)
{
	for (size_t i = 0; i < list->count; i++)
		if (wt_prefix_order(&list->at[i], prefix) == 0)
			return true;
	return false;
}

bool wt_prefix_list_find(const struct wt_prefix_list *list, const struct wt_prefix *prefix)
{
	return list->count &&
	       bsearch(prefix, list->at, list->count, sizeof *prefix, wt_prefix_order);
}

void wt_prefix_list_free(struct wt_prefix_list *list)
{
	free(list->at);
	*list = (struct wt_prefix_list){ 0 };
}
