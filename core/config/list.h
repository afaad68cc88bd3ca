/* SPDX-License-Identifier: MIT
 *
 * list.h: a value that is a comma-separated list.
 *
 *	const char *rest = text, *item;
 *	size_t len;
 *	while (wt_list_next(&rest, &item, &len)) ...
 */
#ifndef WT_CONFIG_LIST_H
#define WT_CONFIG_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The next item, without the blanks around it; it is not terminated, and empty
 * where two commas meet. false: there is none (an empty text has one). */
bool wt_list_next(const char **rest, const char **item, size_t *len);

/* How many items wt_list_next will yield: at least 1. */
size_t wt_list_count(const char *text);

#endif
