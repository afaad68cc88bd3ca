/* SPDX-License-Identifier: MIT
 *
 * nearest.h: "did you mean", the word of a list that is closest to a typo.
 *
 *	struct wt_nearest nearest = { .word = found };
 *	for each candidate: wt_nearest_offer(&nearest, candidate);
 *	... wt_nearest_hint(&nearest, hint) ...
 *
 * Words are borrowed and must outlive the struct. One thread.
 */
#ifndef WT_CONFIG_NEAREST_H
#define WT_CONFIG_NEAREST_H

#include <stddef.h>

struct wt_nearest {
	const char *word;
	const char *best; /* NULL: none is close enough */
	size_t distance;  /* of best */
};

void wt_nearest_offer(struct wt_nearest *nearest, const char *candidate);

/* The words of "a|b|c"; they are copied into `storage` of `size` bytes, which
 * must outlive *nearest (words that no longer fit are not offered). */
void wt_nearest_offer_choices(struct wt_nearest *nearest, const char *choices, char *storage,
			      size_t size);

/* Writes ` (did you mean "best"?)`, or nothing if no word is close, and
 * returns `out`. */
#define WT_NEAREST_HINT 96
const char *wt_nearest_hint(const struct wt_nearest *nearest, char out[WT_NEAREST_HINT]);

#endif
