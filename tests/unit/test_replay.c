/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/limits.h"
#include "record/replay.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define N WT_REPLAY_DEFAULT
#define P32 (UINT64_C(1) << 32)
#define P63 (UINT64_C(1) << 63)
#define TOP UINT64_MAX
#define OK WT_DROP_NONE
#define SEEN WT_DROP_REPLAY
#define OLD WT_DROP_OLD

/* One window from its birth to the last counter there is. Each line is a
 * record whose tag verified, in order of arrival. */
static const struct {
	uint64_t counter;
	enum wt_drop verdict;
} life[] = {
	/* The first records, a duplicate, a swapped pair. */
	{ 0, OK },
	{ 0, SEEN },
	{ 1, OK },
	{ 1, SEEN },
	{ 3, OK },
	{ 2, OK },
	{ 2, SEEN },
	{ 3, SEEN },
	{ 9, OK },
	{ 8, OK },
	{ 7, OK },
	{ 7, SEEN },
	/* Word borders of the bitmap. */
	{ 63, OK },
	{ 64, OK },
	{ 65, OK },
	{ 63, SEEN },
	{ 64, SEEN },
	{ 62, OK },
	{ 127, OK },
	{ 128, OK },
	{ 127, SEEN },
	/* The lower edge: after N + 9 the window is 10 .. N + 9. */
	{ N - 1, OK },
	{ 4, OK },
	{ N + 9, OK },
	{ 9, OLD },
	{ 5, OLD },
	{ 10, OK },
	{ 10, SEEN },
	{ N + 8, OK },
	{ N + 9, SEEN },
	{ N, OK },
	/* N + 63 and 63 share a bit: 63 must not make it look seen. */
	{ N + 64, OK },
	{ N + 63, OK },
	{ N + 63, SEEN },
	{ 65, SEEN },
	{ 64, OLD },
	{ 66, OK },
	/* Exactly one window ahead, and one less. */
	{ 2 * N + 63, OK },
	{ N + 63, OLD },
	{ N + 64, SEEN },
	{ N + 65, OK },
	{ 3 * N + 63, OK },
	{ 2 * N + 63, OLD },
	{ 2 * N + 64, OK },
	/* Far ahead, where 32-bit arithmetic would err. */
	{ P32 - 1, OK },
	{ P32, OK },
	{ P32 - 1, SEEN },
	{ P32 + 1, OK },
	{ P32 + N, OK },
	{ P32, OLD },
	{ P32 + 1, SEEN },
	{ 0, OLD },
	{ 3 * N + 63, OLD },
	/* Half the range: a signed comparison would err. */
	{ P63 - 1, OK },
	{ P63, OK },
	{ P63 - 1, SEEN },
	{ P63 - N, OLD },
	{ P63 - N + 1, OK },
	{ P63 + 5, OK },
	{ P63 + 4, OK },
	/* The end: nothing wraps. */
	{ TOP - 1, OK },
	{ TOP - N, OK },
	{ TOP - N + 1, OK },
	{ TOP, OK },
	{ TOP, SEEN },
	{ TOP - 1, SEEN },
	{ TOP - N, OLD },
	{ TOP - N + 1, SEEN },
	{ TOP - 2, OK },
	{ 0, OLD },
	{ 1, OLD },
	{ P63, OLD },
};

/* Short lives: each starts anew. */
static const struct {
	uint64_t counters[4];
	enum wt_drop verdicts[4];
} starts[] = {
	{ { 5, 0, 5, 0 }, { OK, OK, SEEN, SEEN } },
	{ { N - 1, 0, 0, N - 1 }, { OK, OK, SEEN, SEEN } },
	{ { N, 0, 1, 1 }, { OK, OLD, OK, SEEN } },
	{ { N + 1, 1, 2, N }, { OK, OLD, OK, OK } },
	{ { P32, P32 - N + 1, P32 - N, 0 }, { OK, OK, OLD, OLD } },
	{ { P63, 0, P63 + 1, P63 }, { OK, OLD, OK, SEEN } },
	{ { TOP, TOP, 0, TOP - 1 }, { OK, SEEN, OLD, OK } },
	{ { 0, TOP, 0, TOP - N }, { OK, OK, OLD, OLD } },
};

static uint64_t bits[WT_REPLAY_MAX / 64];

static void init(struct wt_replay *window, uint32_t size)
{
	memset(bits, 0xff, sizeof bits); /* init must not rely on clean memory */
	assert_int_equal(wt_replay_init(window, bits, size), WT_OK);
}

static void accept(struct wt_replay *window, uint64_t counter, enum wt_drop verdict)
{
	/* A check, however often, changes nothing. */
	assert_int_equal(wt_replay_check(window, counter), verdict);
	assert_int_equal(wt_replay_check(window, counter), verdict);
	assert_int_equal(wt_replay_mark(window, counter), verdict);
}

static void the_contract_on_one_page(void **state)
{
	struct wt_replay window;

	(void)state;
	init(&window, N);
	for (size_t i = 0; i < COUNT(life); i++)
		accept(&window, life[i].counter, life[i].verdict);
	for (size_t i = 0; i < COUNT(starts); i++) {
		init(&window, N);
		for (size_t k = 0; k < 4; k++)
			accept(&window, starts[i].counters[k], starts[i].verdicts[k]);
	}
}

static void all_positions_are_usable_at_every_size(void **state)
{
	(void)state;
	for (uint32_t size = WT_REPLAY_MIN; size <= WT_REPLAY_MAX; size *= 2) {
		struct wt_replay window;
		uint64_t newest = UINT64_C(1000003) * size;

		init(&window, size);
		accept(&window, newest, OK);
		for (uint64_t i = 1; i < size; i++)
			accept(&window, newest - i, OK);
		for (uint64_t i = 0; i < size; i++)
			accept(&window, newest - i, SEEN);
		accept(&window, newest - size, OLD);
	}
}

/* Every distance of a jump over a full window, from every place in a word. */
static void jump(uint32_t size, uint64_t start, uint64_t distance)
{
	struct wt_replay window;
	uint64_t top = start + distance;

	init(&window, size);
	for (uint64_t c = start - size + 1; c <= start; c++)
		accept(&window, c, OK);
	accept(&window, top, OK);
	for (uint64_t c = start - size + 1; c <= start; c++)
		assert_int_equal(wt_replay_check(&window, c), top - c >= size ? OLD : SEEN);
	for (uint64_t c = start + 1; c < top; c++)
		assert_int_equal(wt_replay_check(&window, c), top - c >= size ? OLD : OK);
}

static void a_jump_clears_exactly_what_it_passes(void **state)
{
	(void)state;
	for (uint32_t size = 64; size <= 256; size *= 2)
		for (uint64_t start = size * 5; start < size * 5 + 64; start += 7)
			for (uint64_t distance = 1; distance <= size + 2; distance++)
				jump(size, start, distance);
}

static void forgeries_do_not_move_the_window(void **state)
{
	struct wt_replay window;

	(void)state;
	init(&window, N);
	accept(&window, 10, OK);
	/* Checked, never marked: their tags did not verify. */
	for (unsigned shift = 4; shift < 64; shift++)
		assert_int_equal(wt_replay_check(&window, UINT64_C(1) << shift), OK);
	accept(&window, 11, OK);
	accept(&window, 0, OK);
	assert_true(window.top == 11);
}

static void two_checked_copies_are_accepted_once(void **state)
{
	struct wt_replay window;

	(void)state;
	init(&window, N);
	assert_int_equal(wt_replay_check(&window, 7), OK);
	assert_int_equal(wt_replay_check(&window, 7), OK);
	assert_int_equal(wt_replay_mark(&window, 7), OK);
	assert_int_equal(wt_replay_mark(&window, 7), SEEN);
	/* Checked as new, and behind the window by the time it is marked. */
	assert_int_equal(wt_replay_check(&window, 8), OK);
	assert_int_equal(wt_replay_mark(&window, N + 8), OK);
	assert_int_equal(wt_replay_mark(&window, 8), OLD);
}

static void odd_sizes_are_refused(void **state)
{
	static const uint32_t sizes[] = { 0,	1,     32,    63,     65,	  96,	 8191,
					  8193, 65535, 65537, 131072, UINT32_MAX, N * 3, 1u << 31 };
	struct wt_replay window;

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++)
		assert_int_equal(wt_replay_init(&window, bits, sizes[i]), WT_ERR_INVALID);
}

/* ---- against a model that keeps every counter ---------------------------- */

#define MODEL_STEPS 20000

static uint64_t random_state = 0x2545f4914f6cdd1du;

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (random_state >> 11) % below;
}

static enum wt_drop model_verdict(const uint64_t *marked, size_t n, uint32_t size, uint64_t counter)
{
	uint64_t newest = 0;

	for (size_t i = 0; i < n; i++)
		newest = marked[i] > newest ? marked[i] : newest;
	if (counter > newest)
		return OK;
	if (newest - counter >= size)
		return OLD;
	for (size_t i = 0; i < n; i++)
		if (marked[i] == counter)
			return SEEN;
	return OK;
}

static void random_lives_match_the_model(void **state)
{
	/* Only what lies inside the last 1024 positions can matter to a window
	 * of 256; older entries are dropped to keep the model fast. */
	enum { SIZE = 256, KEEP = 1024 };
	static uint64_t marked[KEEP + 1];
	struct wt_replay window;
	size_t n = 0;
	unsigned accepted = 0, seen = 0, old = 0;

	(void)state;
	init(&window, SIZE);
	for (int step = 0; step < MODEL_STEPS; step++) {
		uint64_t near = window.top > 400 ? window.top - 400 + draw(410) : draw(410);
		uint64_t counter = draw(100) ? near : window.top + draw(600);
		enum wt_drop verdict = model_verdict(marked, n, SIZE, counter);

		assert_int_equal(wt_replay_check(&window, counter), verdict);
		if (draw(4) == 0)
			continue; /* a forgery */
		assert_int_equal(wt_replay_mark(&window, counter), verdict);
		if (verdict == OK) {
			marked[n++] = counter;
			if (n > KEEP) { /* forget the smallest */
				size_t least = 0;

				for (size_t i = 1; i < n; i++)
					least = marked[i] < marked[least] ? i : least;
				marked[least] = marked[--n];
			}
		}
		accepted += verdict == OK;
		seen += verdict == SEEN;
		old += verdict == OLD;
	}
	/* All three came up often enough to mean something. */
	assert_true(accepted > 2000 && seen > 2000 && old > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_contract_on_one_page),
		cmocka_unit_test(all_positions_are_usable_at_every_size),
		cmocka_unit_test(a_jump_clears_exactly_what_it_passes),
		cmocka_unit_test(forgeries_do_not_move_the_window),
		cmocka_unit_test(two_checked_copies_are_accepted_once),
		cmocka_unit_test(odd_sizes_are_refused),
		cmocka_unit_test(random_lives_match_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
