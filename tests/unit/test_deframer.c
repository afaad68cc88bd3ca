/* SPDX-License-Identifier: MIT
 *
 * transport-tcp's deframer: where the next read goes, how long it is, and what
 * has to be moved for it. What comes out is tested with the transport.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <whispertunnel/host.h>

#include <cmocka.h>

#include "deframer.h"
#include "limits.h"

#define FRONT 43u
#define SMALL 1453u			/* a record with 1420 bytes of packet */
#define FRAME (WT_TCP_PREFIX + SMALL)	/* with its length */
#define BULK WT_RECORD_MAX		/* the longest record */
#define ROOM (WT_SLOT_CAPACITY - FRONT) /* for records, in a slot */

struct bench {
	uint8_t *slot;
	struct wt_deframer d;
};

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof *b);

	if (!b)
		return -1;
	b->slot = aligned_alloc(64, WT_SLOT_CAPACITY);
	wt_deframer_init(&b->d, WT_RECORD_MAX);
	wt_deframer_attach(&b->d, b->slot, FRONT, WT_SLOT_CAPACITY);
	*state = b;
	return b->slot ? 0 : -1;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	free(b->slot);
	free(b);
	return 0;
}

/* As if one read had brought `count` whole records of `len` bytes and `part` bytes
 * of one more, whose length is `next`. All whole ones are taken. */
static void arrive(struct bench *b, uint32_t count, uint32_t len, uint32_t next, uint32_t part)
{
	uint8_t *at, *record;
	uint32_t room, got;

	wt_deframer_plan(&b->d, &at, &room);
	for (uint32_t i = 0; i <= count; i++) {
		uint32_t n = i < count ? len : next;
		uint8_t prefix[WT_TCP_PREFIX] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
						  (uint8_t)(n >> 8), (uint8_t)n };
		uint32_t size = i < count ? WT_TCP_PREFIX + len : part;

		assert_true(at + size <= b->slot + WT_SLOT_CAPACITY);
		memset(at, (int)i, size);
		memcpy(at, prefix, size < sizeof prefix ? size : sizeof prefix);
		at += size;
	}
	wt_deframer_filled(&b->d, count * (WT_TCP_PREFIX + len) + part, room);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(wt_deframer_next(&b->d, &record, &got), WT_OK);
	assert_int_equal(wt_deframer_next(&b->d, &record, &got), WT_AGAIN);
}

static void the_next_read_is_planned(void **state)
{
	static const struct {
		const char *what;
		uint32_t count, len, next, part; /* what arrived, in one read */
		uint32_t moved, read;		 /* and the plan for the next */
	} cases[] = {
		{ "nothing in hand: as many as fit", 3, SMALL, SMALL, 0, 0,
		  (ROOM - WT_TCP_PREFIX) / FRAME * FRAME + WT_TCP_PREFIX },
		{ "a length in hand is worth moving", 10, SMALL, SMALL, 4, 4,
		  (ROOM - WT_TCP_PREFIX) / FRAME * FRAME },
		{ "half a record stays where it fits", 10, SMALL, SMALL, 700, 0,
		  FRAME - 700 + 34 * FRAME + WT_TCP_PREFIX },
		{ "and is finished there", 44, SMALL, SMALL, 700, 0, FRAME - 700 + WT_TCP_PREFIX },
		{ "one that does not fit moves", 43, SMALL, 3000, 700, 700,
		  (ROOM - WT_TCP_PREFIX) / 3004 * 3004 - 700 + WT_TCP_PREFIX },
		{ "a bulk record: its rest and the next length", 0, 0, BULK, 30000, 0,
		  WT_TCP_PREFIX + BULK - 30000 + WT_TCP_PREFIX },
		{ "the next bulk record: moved by its length", 1, BULK, BULK, 4, 4,
		  BULK + WT_TCP_PREFIX },
		{ "the smallest bulk record", 0, 0, WT_TCP_BULK_RECORD, 4, 0,
		  WT_TCP_BULK_RECORD + WT_TCP_PREFIX },
		{ "a bulk record behind a small one, where it fits", 1, SMALL, 20000, 400, 0,
		  WT_TCP_PREFIX + 20000 - 400 + WT_TCP_PREFIX },
		{ "and where it does not", 1, SMALL, BULK, 400, 400,
		  WT_TCP_PREFIX + BULK - 400 + WT_TCP_PREFIX },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bench *b = *state;
		uint8_t *at;
		uint32_t read;

		wt_deframer_init(&b->d, WT_RECORD_MAX);
		wt_deframer_attach(&b->d, b->slot, FRONT, WT_SLOT_CAPACITY);
		b->d.ahead = WT_SLOT_CAPACITY;
		arrive(b, cases[i].count, cases[i].len, cases[i].next, cases[i].part);

		uint32_t moved = wt_deframer_plan(&b->d, &at, &read);

		if (moved != cases[i].moved || read != cases[i].read)
			fail_msg("%s: %u moved, %u to read; not %u and %u", cases[i].what, moved,
				 read, cases[i].moved, cases[i].read);
		if (cases[i].moved > 0 || cases[i].part == 0)
			assert_ptr_equal(at, b->slot + FRONT + cases[i].part);
	}
}

static void read_ahead_grows_while_it_pays(void **state)
{
	struct bench *b = *state;
	uint8_t *at, *record;
	uint32_t read, len, before = 0;

	/* Reads that get all they asked for, of records of 28 and 4 bytes. */
	for (uint32_t window = WT_TCP_AHEAD_MIN; window <= WT_SLOT_CAPACITY; window *= 2) {
		wt_deframer_plan(&b->d, &at, &read);
		assert_in_range(read, window / 2, window);
		assert_true(read > before);
		before = read;
		/* Whole ones only: every 32 bytes begin with a length. */
		for (uint32_t i = 0; i < read; i++)
			at[i] = (b->d.end + i - FRONT) % 32 == 3 ? 28 : 0;
		wt_deframer_filled(&b->d, read, read);
		while (wt_deframer_next(&b->d, &record, &len) == WT_OK)
			assert_int_equal(len, 28);
	}
	/* A short one leaves the window as it is. */
	wt_deframer_plan(&b->d, &at, &read);
	before = b->d.ahead;
	wt_deframer_filled(&b->d, 0, read);
	wt_deframer_plan(&b->d, &at, &read);
	assert_int_equal(b->d.ahead, before);
	/* It ran into a bulk record that has to move: start again. */
	wt_deframer_attach(&b->d, b->slot, FRONT, WT_SLOT_CAPACITY);
	b->d.begin = b->d.end = FRONT;
	arrive(b, 1, SMALL, BULK, 30000);
	assert_int_equal(wt_deframer_plan(&b->d, &at, &read), 30000);
	assert_int_equal(b->d.ahead, WT_TCP_AHEAD_MIN);
}

static void another_buffer_takes_what_is_pending(void **state)
{
	struct bench *b = *state;
	uint8_t inside[WT_TCP_INLINE];
	uint8_t *record;
	uint32_t len;

	wt_deframer_init(&b->d, WT_UNAUTHENTICATED_MAX);
	assert_int_equal(wt_deframer_attach(&b->d, inside, 0, sizeof inside), 0);
	memset(inside, 0x5a, sizeof inside);
	memcpy(inside, "\0\0\0\x08", 4);
	memcpy(inside + 12, "\0\0\0\x09", 4);
	b->d.end = 24;
	assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_OK);
	assert_int_equal(wt_deframer_attach(&b->d, b->slot, FRONT, WT_SLOT_CAPACITY), 12);
	assert_memory_equal(b->slot + FRONT, inside + 12, 12);
	assert_int_equal(wt_deframer_pending(&b->d), 12);
	assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_next_read_is_planned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_ahead_grows_while_it_pays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_buffer_takes_what_is_pending, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
