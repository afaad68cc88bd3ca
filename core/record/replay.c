/* SPDX-License-Identifier: MIT */
#include "record/replay.h"

#include <string.h>

#include "record/limits.h"

#define WORD_BITS 64u

enum wt_status wt_replay_init(struct wt_replay *window, uint64_t *bits, uint32_t size)
{
	if (size < WT_REPLAY_MIN || size > WT_REPLAY_MAX || (size & (size - 1u)) != 0)
		return WT_ERR_INVALID;
	memset(bits, 0, WT_REPLAY_BYTES(size));
	*window = (struct wt_replay){ .bits = bits, .size = size };
	return WT_OK;
}

/* The word and the bit of a counter in the ring. */
static uint64_t *word_of(const struct wt_replay *window, uint64_t counter)
{
	return &window->bits[(counter & (window->size - 1u)) / WORD_BITS];
}

static uint64_t bit_of(uint64_t counter)
{
	return UINT64_C(1) << (counter % WORD_BITS);
}

enum wt_drop wt_replay_check(const struct wt_replay *window, uint64_t counter)
{
	if (counter > window->top)
		return WT_DROP_NONE;
	if (window->top - counter >= window->size)
		return WT_DROP_OLD;
	return (*word_of(window, counter) & bit_of(counter)) ? WT_DROP_REPLAY : WT_DROP_NONE;
}

/* Make `counter`, which is larger, the new top. Positions top + 1 ..
 * counter - 1 held counters one ring length lower; those are behind the window
 * now and must read as unseen. The caller marks `counter` itself. */
static void advance(struct wt_replay *window, uint64_t counter)
{
	uint64_t from = window->top + 1u;
	uint64_t left = counter - from;

	window->top = counter;
	if (left >= window->size) {
		memset(window->bits, 0, WT_REPLAY_BYTES(window->size));
		return;
	}
	while (left > 0) {
		uint64_t shift = from % WORD_BITS;
		uint64_t run = WORD_BITS - shift < left ? WORD_BITS - shift : left;

		*word_of(window, from) &= ~((UINT64_MAX >> (WORD_BITS - run)) << shift);
		from += run;
		left -= run;
	}
}

enum wt_drop wt_replay_mark(struct wt_replay *window, uint64_t counter)
{
	enum wt_drop drop = wt_replay_check(window, counter);

	if (drop != WT_DROP_NONE)
		return drop;
	if (counter > window->top)
		advance(window, counter);
	*word_of(window, counter) |= bit_of(counter);
	return WT_DROP_NONE;
}
