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
#define SMALL 1453u		      /* a record with 1420 bytes of packet */
#define FRAME (WT_TCP_PREFIX + SMALL) /* with its length */
#define BULK WT_RECORD_MAX	      /* the longest record */
/* Reads ahead go so far, from the front. */
#define AHEAD (WT_SLOT_CAPACITY - FRONT - (WT_TCP_PREFIX + BULK + WT_TCP_PREFIX))

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

static uint32_t put_record(uint8_t *at, uint32_t len, uint8_t fill, uint32_t part)
{
	uint8_t prefix[WT_TCP_PREFIX] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16),
					  (uint8_t)(len >> 8), (uint8_t)len };

	memset(at, fill, part);
	memcpy(at, prefix, part < sizeof prefix ? part : sizeof prefix);
	return part;
}

/* As if one read had brought `count` whole records of `len` bytes and `part` bytes
 * of one more, whose length is `next`. All whole ones are taken. */
static void arrive(struct bench *b, uint32_t count, uint32_t len, uint32_t next, uint32_t part)
{
	struct wt_deframer_plan plan = wt_deframer_plan(&b->d);
	uint8_t *at = plan.region[0].iov_base, *record;
	uint32_t got;

	for (uint32_t i = 0; i < count; i++)
		at += put_record(at, len, (uint8_t)i, WT_TCP_PREFIX + len);
	at += put_record(at, next, 0xaa, part);
	assert_true(at <= b->slot + WT_SLOT_CAPACITY);
	/* The bulk ones among the cases need more than one read. */
	b->d.straight = (uint32_t)(at - (uint8_t *)plan.region[0].iov_base);
	wt_deframer_filled(&b->d, b->d.straight);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(wt_deframer_next(&b->d, &record, &got), WT_OK);
	assert_int_equal(wt_deframer_next(&b->d, &record, &got), WT_AGAIN);
}

static void the_next_read_is_planned(void **state)
{
	static const struct {
		const char *what;
		uint32_t count, len, next, part; /* what arrived */
		uint32_t moved, read, around;	 /* and the plan for what follows */
	} cases[] = {
		{ "nothing in hand: as many as fit", 3, SMALL, SMALL, 0, 0, AHEAD, 0 },
		{ "a part of a length moves", 10, SMALL, SMALL, 3, 3, AHEAD - 3, 0 },
		{ "a length moves", 10, SMALL, SMALL, 4, 4, AHEAD - 4, 0 },
		{ "with most of the way to go, straight on", 10, SMALL, SMALL, 700, 0,
		  AHEAD - 10 * FRAME - 700, 0 },
		{ "with less, on at the front", 40, SMALL, SMALL, 700, 0, FRAME - 700, 40 * FRAME },
		{ "of a bulk record its rest and the next length", 0, 0, BULK, 30000, 0,
		  WT_TCP_PREFIX + BULK - 30000 + WT_TCP_PREFIX, 0 },
		{ "the next bulk record: moved by its length", 1, BULK, BULK, 4, 4,
		  BULK + WT_TCP_PREFIX, 0 },
		{ "the smallest bulk record", 0, 0, WT_TCP_BULK_RECORD, 5, 0,
		  WT_TCP_BULK_RECORD - 1 + WT_TCP_PREFIX, 0 },
		{ "the largest of the others", 0, 0, WT_TCP_BULK_RECORD - WT_TCP_PREFIX, 5, 0,
		  AHEAD - 5, 0 },
		{ "a bulk record behind small ones stays", 44, SMALL, BULK, 400, 0,
		  WT_TCP_PREFIX + BULK - 400, 44 * FRAME },
		{ "where it can no longer be finished, it moves", 46, SMALL, BULK, 400, 400,
		  WT_TCP_PREFIX + BULK - 400 + WT_TCP_PREFIX, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct bench *b = *state;
		struct wt_deframer_plan plan;

		wt_deframer_clear(&b->d);
		arrive(b, cases[i].count, cases[i].len, cases[i].next, cases[i].part);
		plan = wt_deframer_plan(&b->d);

		uint32_t around = plan.regions == 2 ? (uint32_t)plan.region[1].iov_len : 0;

		if (plan.moved != cases[i].moved || plan.region[0].iov_len != cases[i].read ||
		    around != cases[i].around)
			fail_msg("%s: %u moved, %zu and %u to read; not %u, %u and %u",
				 cases[i].what, plan.moved, plan.region[0].iov_len, around,
				 cases[i].moved, cases[i].read, cases[i].around);
		assert_int_equal(plan.len, cases[i].read + around);
		if (cases[i].moved > 0 || cases[i].part == 0)
			assert_ptr_equal(plan.region[0].iov_base, b->slot + FRONT + cases[i].part);
		if (around > 0)
			assert_ptr_equal(plan.region[1].iov_base, b->slot + FRONT);
	}
}

static void records_go_on_at_the_front(void **state)
{
	struct bench *b = *state;
	struct wt_deframer_plan plan;
	uint8_t *record, *front = b->slot + FRONT;
	uint32_t len;

	arrive(b, 40, SMALL, SMALL, 700);
	plan = wt_deframer_plan(&b->d);
	assert_int_equal(plan.regions, 2);
	/* Its rest, a whole record, and a part of the next. */
	memset(plan.region[0].iov_base, 0xaa, plan.region[0].iov_len);
	put_record(front, 100, 0xbb, 104);
	put_record(front + 104, 200, 0xcc, 50);
	wt_deframer_filled(&b->d, (uint32_t)plan.region[0].iov_len + 154);
	assert_int_equal(wt_deframer_pending(&b->d), FRAME + 154);
	assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_OK);
	assert_int_equal(len, SMALL);
	assert_ptr_equal(record, front + 40 * FRAME + WT_TCP_PREFIX);
	for (uint32_t i = 0; i < SMALL; i++)
		assert_int_equal(record[i], 0xaa);
	assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_OK);
	assert_int_equal(len, 100);
	assert_ptr_equal(record, front + WT_TCP_PREFIX);
	assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_AGAIN);
	assert_int_equal(wt_deframer_pending(&b->d), 50);
	/* What is in hand is at the front again: straight on. */
	plan = wt_deframer_plan(&b->d);
	assert_int_equal(plan.moved, 0);
	assert_int_equal(plan.regions, 1);
	assert_int_equal(plan.len, AHEAD - 154);
}

/* A read that ends within the first region, at its end, and one byte behind it. */
static void any_part_of_a_plan_may_come(void **state)
{
	struct bench *b = *state;

	for (uint32_t n = 0; n < 3; n++) {
		struct wt_deframer_plan plan;
		uint8_t *record;
		uint32_t len;

		wt_deframer_clear(&b->d);
		arrive(b, 40, SMALL, SMALL, 700);
		plan = wt_deframer_plan(&b->d);
		wt_deframer_filled(&b->d, FRAME - 700 - 1 + n);
		assert_int_equal(wt_deframer_pending(&b->d), FRAME - 1 + n);
		assert_int_equal(wt_deframer_next(&b->d, &record, &len), n > 0 ? WT_OK : WT_AGAIN);
		if (n > 0)
			assert_int_equal(wt_deframer_next(&b->d, &record, &len), WT_AGAIN);
		plan = wt_deframer_plan(&b->d);
		assert_int_equal(plan.len, n == 0 ? 1 + 40 * FRAME : n == 1 ? AHEAD : AHEAD - 1);
	}
}

static void a_small_buffer_moves_what_does_not_fit(void **state)
{
	const uint32_t size = FRONT + WT_TCP_PREFIX + BULK + WT_TCP_PREFIX;
	struct bench *b = *state;
	struct wt_deframer_plan plan;

	wt_deframer_attach(&b->d, b->slot, FRONT, size);
	plan = wt_deframer_plan(&b->d);
	assert_int_equal(plan.len, size - FRONT);
	arrive(b, 44, SMALL, BULK, 400);
	plan = wt_deframer_plan(&b->d);
	assert_int_equal(plan.moved, 400);
	assert_int_equal(plan.len, WT_TCP_PREFIX + BULK - 400 + WT_TCP_PREFIX);
	assert_true((uint8_t *)plan.region[0].iov_base + plan.len <= b->slot + size);
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
		cmocka_unit_test_setup_teardown(records_go_on_at_the_front, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_part_of_a_plan_may_come, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_small_buffer_moves_what_does_not_fit, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_buffer_takes_what_is_pending, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
