/* SPDX-License-Identifier: MIT */
#include "config/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Longer words are no typo of any key or name. */
#define WORD_MAX 48

static int lower(char c)
{
	return tolower((unsigned char)c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions, substitutions and swaps of neighbours, each 1; case
 * does not count. (Damerau's distance in its restricted form.) */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[3][WORD_MAX + 1];
	size_t *before = row[0], *above = row[1], *here = row[2];

	for (size_t j = 0; j <= b_len; j++)
		above[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		here[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t change = lower(a[i - 1]) != lower(b[j - 1]);

			here[j] = min3(above[j] + 1, here[j - 1] + 1, above[j - 1] + change);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
			    lower(a[i - 2]) == lower(b[j - 1]) && before[j - 2] + 1 < here[j])
				here[j] = before[j - 2] + 1;
		}
		size_t *oldest = before;

		before = above;
		above = here;
		here = oldest;
	}
	return above[b_len];
}

/* More edits than this make another word, not a typo; `len` of the shorter. */
static size_t tolerance(size_t len)
{
	return len <= 3 ? 1 : len <= 6 ? 2 : 3;
}

void wt_nearest_offer(struct wt_nearest *nearest, const char *candidate)
{
	size_t a = strlen(nearest->word), b = strlen(candidate);
	size_t d;

	if (a == 0 || b == 0 || a > WORD_MAX || b > WORD_MAX)
		return;
	d = distance(nearest->word, a, candidate, b);
	/* A beginning is a good guess too: "psk" for "psk_file". It ranks
	 * behind a typo of one letter, and among beginnings the shortest wins. */
	bool beginning = a >= 3 && a < b && strncasecmp(nearest->word, candidate, a) == 0;

	if (d > tolerance(a < b ? a : b) && !beginning)
		return;
	if (!nearest->best || d < nearest->distance) {
		nearest->best = candidate;
		nearest->distance = d;
	}
}

void wt_nearest_offer_choices(struct wt_nearest *nearest, const char *choices, char *storage,
			      size_t size)
{
	size_t used = 0;

	while (*choices) {
		size_t len = strcspn(choices, "|");

		if (len >= size - used)
			return;
		char *word = memcpy(storage + used, choices, len);

		word[len] = '\0';
		used += len + 1;
		wt_nearest_offer(nearest, word);
		choices += len + (choices[len] == '|');
	}
}

const char *wt_nearest_hint(const struct wt_nearest *nearest, char out[WT_NEAREST_HINT])
{
	out[0] = '\0';
	if (nearest->best)
		snprintf(out, WT_NEAREST_HINT, " (did you mean \"%s\"?)", nearest->best);
	return out;
}
