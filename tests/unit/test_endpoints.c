/* SPDX-License-Identifier: MIT
 *
 * The order in which the endpoints of a peer are tried.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/endpoints.h"

static void start(struct wt_endpoints *e, enum wt_endpoint_policy policy, size_t count)
{
	const struct wt_peer_settings peer = { .policy = policy, .endpoint_count = count };

	assert_int_equal(wt_endpoints_init(e, &peer), WT_OK);
}

static void a_round_is_the_list(void **state)
{
	struct wt_endpoints e;

	(void)state;
	start(&e, WT_POLICY_ORDER, 3);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(wt_endpoints_current(&e), i);
			assert_int_equal(wt_endpoints_next(&e), i == 2);
		}
	wt_endpoints_fini(&e);
	/* A peer that dials us. */
	start(&e, WT_POLICY_ORDER, 0);
	wt_endpoints_fini(&e);
}

static void an_end_goes_on_where_it_was_or_behind(void **state)
{
	struct wt_endpoints e;

	(void)state;
	start(&e, WT_POLICY_ORDER, 3);
	wt_endpoints_ended(&e, 1, false);
	assert_int_equal(wt_endpoints_current(&e), 1);
	wt_endpoints_ended(&e, 1, true);
	assert_int_equal(wt_endpoints_current(&e), 2);
	wt_endpoints_ended(&e, 2, true);
	assert_int_equal(wt_endpoints_current(&e), 0);
	wt_endpoints_fini(&e);
}

static void candidates(enum wt_endpoint_policy policy, size_t used, const char *expected)
{
	struct wt_endpoints e;
	char found[8] = "";

	start(&e, policy, 3);
	assert_int_equal(wt_endpoints_better(&e, used), *expected != '\0');
	for (bool more = wt_endpoints_seek(&e, used); more;
	     more = wt_endpoints_seek_next(&e, used)) {
		assert_true(strlen(found) < 3);
		found[strlen(found)] = (char)('0' + wt_endpoints_current(&e));
	}
	assert_string_equal(found, expected);
	wt_endpoints_fini(&e);
}

static void what_would_be_better(void **state)
{
	(void)state;
	candidates(WT_POLICY_ORDER, 0, "");
	candidates(WT_POLICY_ORDER, 1, "0");
	candidates(WT_POLICY_ORDER, 2, "01");
	candidates(WT_POLICY_LATENCY, 0, "12");
	candidates(WT_POLICY_LATENCY, 1, "02");
	candidates(WT_POLICY_LATENCY, 2, "01");
	candidates(WT_POLICY_RANDOM, 2, "");
}

/* Every endpoint once a round, and each begins a round at some time. */
static void random_is_all_of_them_in_any_order(void **state)
{
	struct wt_endpoints e;
	unsigned began = 0;

	(void)state;
	start(&e, WT_POLICY_RANDOM, 3);
	for (int round = 0; round < 200; round++) {
		unsigned seen = 0;

		began |= 1u << wt_endpoints_current(&e);
		for (size_t i = 0; i < 3; i++) {
			seen |= 1u << wt_endpoints_current(&e);
			assert_int_equal(wt_endpoints_next(&e), i == 2);
		}
		assert_int_equal(seen, 7);
	}
	/* Missed by chance with 3 * (2/3)^200. */
	assert_int_equal(began, 7);
	wt_endpoints_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_is_the_list),
		cmocka_unit_test(an_end_goes_on_where_it_was_or_behind),
		cmocka_unit_test(what_would_be_better),
		cmocka_unit_test(random_is_all_of_them_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
