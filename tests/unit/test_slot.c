/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/slot.h"

#define COUNT 10

static void every_slot_is_given_once(void **state)
{
	struct wt_slot_pool pool;
	struct wt_buffer *got[COUNT];

	(void)state;
	assert_int_equal(wt_slot_pool_init(&pool, COUNT), WT_OK);
	for (int i = 0; i < COUNT; i++) {
		got[i] = wt_slot_get(&pool);
		assert_non_null(got[i]);
		assert_int_equal((uintptr_t)got[i]->slot.base % 64, 0);
		assert_int_equal(got[i]->slot.capacity, WT_SLOT_CAPACITY);
		memset(got[i]->slot.base, i, WT_SLOT_CAPACITY);
	}
	assert_null(wt_slot_get(&pool));
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(got[i]->slot.base[0], i);
		assert_int_equal(got[i]->slot.base[WT_SLOT_CAPACITY - 1], i);
		assert_true(wt_slot_put(&pool, &got[i]->slot));
	}
	assert_int_equal(pool.free_count, COUNT);
	wt_slot_pool_fini(&pool);
	wt_slot_pool_fini(&pool);
}

static void what_is_not_ours_is_refused(void **state)
{
	struct wt_slot_pool pool;
	struct wt_slot other = { .struct_size = sizeof other };

	(void)state;
	assert_int_equal(wt_slot_pool_init(&pool, COUNT), WT_OK);
	struct wt_buffer *b = wt_slot_get(&pool);

	assert_true(wt_slot_put(&pool, &b->slot));
	assert_false(wt_slot_put(&pool, &b->slot)); /* twice */
	assert_false(wt_slot_put(&pool, &other));
	assert_false(wt_slot_put(&pool, NULL));
	assert_false(wt_slot_put(&pool, (struct wt_slot *)((uint8_t *)&pool.buffers[1] + 8)));
	assert_false(wt_slot_put(&pool, (struct wt_slot *)(pool.buffers + COUNT)));
	assert_int_equal(pool.free_count, COUNT);
	wt_slot_pool_fini(&pool);
}

static void queues_keep_order_and_count(void **state)
{
	struct wt_slot_pool pool;
	struct wt_queue queue = { .head = NULL };
	struct wt_buffer *b[3];

	(void)state;
	assert_int_equal(wt_slot_pool_init(&pool, COUNT), WT_OK);
	assert_null(wt_queue_pop(&queue));
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 3; i++) {
			b[i] = wt_slot_get(&pool);
			b[i]->len = 100 + i;
			wt_queue_push(&queue, b[i], i);
		}
		assert_int_equal(queue.bytes, 303);
		assert_int_equal(queue.buffers, 3);
		for (uint32_t i = 0; i < 3; i++) {
			struct wt_buffer *out = wt_queue_pop(&queue);

			assert_ptr_equal(out, b[i]);
			assert_int_equal(out->queued_ms, i);
			assert_true(wt_slot_put(&pool, &out->slot));
		}
		assert_null(wt_queue_pop(&queue));
		assert_int_equal(queue.bytes, 0);
		assert_int_equal(queue.buffers, 0);
	}
	wt_slot_pool_fini(&pool);
}

static void one_queue_goes_before_another(void **state)
{
	/* How many are in each, at first. */
	static const uint32_t cases[][2] = { { 0, 0 }, { 0, 3 }, { 3, 0 }, { 1, 1 }, { 2, 3 } };
	struct wt_slot_pool pool;

	(void)state;
	assert_int_equal(wt_slot_pool_init(&pool, COUNT), WT_OK);
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		const uint32_t first = cases[c][0], all = first + cases[c][1];
		struct wt_queue before = { .head = NULL }, queue = { .head = NULL };

		for (uint32_t i = 0; i < all; i++) {
			struct wt_buffer *b = wt_slot_get(&pool);

			b->len = 100 + i;
			wt_queue_push(i < first ? &before : &queue, b, i);
		}
		wt_queue_prepend(&queue, &before);
		assert_null(wt_queue_pop(&before));
		assert_int_equal(before.bytes, 0);
		assert_int_equal(queue.buffers, all);
		/* And one more goes to the end. */
		wt_queue_push(&queue, wt_slot_get(&pool), all);
		for (uint32_t i = 0; i <= all; i++) {
			struct wt_buffer *b = wt_queue_pop(&queue);

			assert_int_equal(b->queued_ms, i);
			assert_true(wt_slot_put(&pool, &b->slot));
		}
		assert_null(wt_queue_pop(&queue));
		assert_int_equal(queue.bytes, 0);
	}
	wt_slot_pool_fini(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_slot_is_given_once),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(queues_keep_order_and_count),
		cmocka_unit_test(one_queue_goes_before_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
