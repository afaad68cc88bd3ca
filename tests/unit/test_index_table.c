/* SPDX-License-Identifier: MIT
 *
 * The table of receiver indices: a map like any other, against a list.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "session/index_table.h"

/* Never looked into. */
static struct wt_conn *conn(uintptr_t n)
{
	return (struct wt_conn *)(n * 16);
}

static void finds_what_was_put(void **state)
{
	struct wt_index_table *table;

	(void)state;
	assert_non_null(table = wt_index_table_new(1, 1, 0));
	assert_null(wt_index_table_find(table, 7));
	assert_true(wt_index_table_put(table, 7, conn(1)));
	assert_ptr_equal(wt_index_table_find(table, 7), conn(1));
	/* Again, and somebody else. */
	assert_true(wt_index_table_put(table, 7, conn(1)));
	assert_false(wt_index_table_put(table, 7, conn(2)));
	assert_int_equal(table->count, 1);
	wt_index_table_remove(table, 8);
	wt_index_table_remove(table, 7);
	wt_index_table_remove(table, 7);
	assert_int_equal(table->count, 0);
	assert_null(wt_index_table_find(table, 7));
	assert_null(wt_index_table_find(table, 0));
	wt_index_table_free(table);
	wt_index_table_free(NULL);
}

/* All of them want one place, at the end of the table, so that they go around. */
static void survives_collisions(void **state)
{
	struct wt_index_table *table;
	uint32_t size;

	(void)state;
	assert_non_null(table = wt_index_table_new(1, 4, 3));
	size = table->mask + 1;
	for (uint32_t removed = 0; removed < table->most; removed++) {
		for (uint32_t i = 0; i < table->most; i++)
			assert_true(wt_index_table_put(table, (size * (i + 1) - 1 - i % 2) * 4 + 3,
						       conn(i + 1)));
		wt_index_table_remove(table, (size * (removed + 1) - 1 - removed % 2) * 4 + 3);
		for (uint32_t i = 0; i < table->most; i++)
			assert_ptr_equal(
				wt_index_table_find(table, (size * (i + 1) - 1 - i % 2) * 4 + 3),
				i == removed ? NULL : conn(i + 1));
	}
	wt_index_table_free(table);
}

static void refuses_more_than_its_room(void **state)
{
	struct wt_index_table *table;

	(void)state;
	assert_non_null(table = wt_index_table_new(2, 1, 0));
	for (uint32_t i = 1; i <= 2 * WT_INDICES_PER_PEER; i++)
		assert_true(wt_index_table_put(table, i, conn(i)));
	assert_false(wt_index_table_put(table, 1000, conn(1)));
	/* What is there can still be said again. */
	assert_true(wt_index_table_put(table, 1, conn(1)));
	wt_index_table_remove(table, 1);
	assert_true(wt_index_table_put(table, 1000, conn(1)));
	assert_null(wt_index_table_find(table, 1));
	wt_index_table_free(table);
}

static void draws_for_its_worker(void **state)
{
	(void)state;
	for (unsigned workers = 1; workers <= 64; workers += 9)
		for (unsigned worker = 0; worker < workers; worker++) {
			struct wt_index_table *table;
			uint32_t last = 0;

			assert_non_null(table = wt_index_table_new(8, workers, worker));
			for (int i = 0; i < 50; i++) {
				uint32_t index = wt_index_table_draw(table);

				assert_int_not_equal(index, 0);
				assert_int_not_equal(index, last);
				assert_int_equal(index % workers, worker);
				assert_true(wt_index_table_put(table, index, conn(1)));
				last = index;
			}
			wt_index_table_free(table);
		}
}

/* 200,000 random steps against a plain list. */
static void is_a_map(void **state)
{
	static struct wt_conn *plain[512];
	struct wt_index_table *table;
	uint64_t x = 88172645463325252u;
	size_t count = 0;

	(void)state;
	assert_non_null(table = wt_index_table_new(16, 1, 0));
	for (int i = 0; i < 200000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		uint32_t k = (uint32_t)(x >> 20) % 512, index = (k + 1) * 1237;

		if (x & 1) {
			bool ok = wt_index_table_put(table, index, conn(k + 1));

			assert_int_equal(ok, plain[k] || count < table->most);
			if (ok && !plain[k])
				count++;
			if (ok)
				plain[k] = conn(k + 1);
		} else {
			wt_index_table_remove(table, index);
			count -= plain[k] != NULL;
			plain[k] = NULL;
		}
		assert_int_equal(table->count, count);
		k = (uint32_t)(x >> 40) % 512;
		assert_ptr_equal(wt_index_table_find(table, (k + 1) * 1237), plain[k]);
	}
	wt_index_table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(survives_collisions),
		cmocka_unit_test(refuses_more_than_its_room),
		cmocka_unit_test(draws_for_its_worker),
		cmocka_unit_test(is_a_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
