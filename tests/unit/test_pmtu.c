/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "session/pmtu.h"

/* ---- a path, and the clock ------------------------------------------------ */

#define ANSWERS 64
#define SECOND 1000u

static struct {
	uint64_t now;
	uint32_t limit; /* larger records do not arrive */
	uint64_t rtt;
	bool dead;     /* nothing arrives */
	unsigned lose; /* of 100, at random */
	bool blocked;
	struct wt_pmtu pmtu;
	struct {
		uint64_t at;
		uint16_t id;
	} answers[ANSWERS];
	size_t answer_count;
	unsigned probes, largest_probe;
	unsigned events[WT_PMTU_NO_USE + 1];
} net;

static void begin(uint32_t ceiling, uint32_t limit)
{
	net.now = 1000000;
	net.limit = limit;
	net.rtt = 20;
	net.dead = net.blocked = false;
	net.lose = 0;
	net.answer_count = 0;
	net.probes = net.largest_probe = 0;
	net.pmtu = (struct wt_pmtu){ .state = WT_PMTU_OFF };
	for (size_t i = 0; i <= WT_PMTU_NO_USE; i++)
		net.events[i] = 0;
	srand(1);
	wt_pmtu_start(&net.pmtu, ceiling, net.now);
}

static void carry(uint32_t record_len, uint16_t id)
{
	net.probes++;
	if (record_len > net.largest_probe)
		net.largest_probe = record_len;
	if (net.dead || record_len > net.limit || (unsigned)rand() % 100u < net.lose)
		return;
	assert_true(net.answer_count < ANSWERS);
	net.answers[net.answer_count].at = net.now + net.rtt;
	net.answers[net.answer_count++].id = id;
}

static void answers_come(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < net.answer_count; i++)
		if (net.answers[i].at <= net.now)
			net.events[wt_pmtu_acked(&net.pmtu, net.answers[i].id, net.now)]++;
		else
			net.answers[kept++] = net.answers[i];
	net.answer_count = kept;
}

static void turn(void)
{
	struct wt_pmtu_step step;

	wt_pmtu_run(&net.pmtu, net.now, !net.blocked, &step);
	net.events[step.event]++;
	for (size_t i = 0; i < step.count; i++)
		carry(step.probes[i].record_len, step.probes[i].id);
	answers_come();
}

/* `ms` go by; records of `len` are sent all the time, 0: none. */
static void pass(uint64_t ms, size_t len)
{
	for (uint64_t end = net.now + ms; net.now < end; net.now += 10) {
		if (len)
			(void)wt_pmtu_sent(&net.pmtu, len, net.now);
		turn();
	}
}

static void is(enum wt_pmtu_state state, uint32_t record_max)
{
	if (net.pmtu.state != state || net.pmtu.record_max != record_max)
		fail_msg("state %d, record_max %u", net.pmtu.state, net.pmtu.record_max);
}

/* ---- searching ------------------------------------------------------------ */

static void a_clear_path_is_known_after_two_round_trips(void **state)
{
	(void)state;
	begin(1472, 1472);
	is(WT_PMTU_BASE, 1313);
	pass(100, 0);
	is(WT_PMTU_COMPLETE, 1472);
	assert_int_equal(net.probes, 2);
	assert_int_equal(net.events[WT_PMTU_FOUND], 1);
	/* Nothing is left to ask, for ever. */
	assert_int_equal(wt_pmtu_due(&net.pmtu), 0);
}

static void every_limit_is_found_to_within_a_step(void **state)
{
	(void)state;
	for (uint32_t limit = 1200; limit <= 9000; limit += limit < 1500 ? 1 : 97)
		for (uint32_t ceiling = 1280; ceiling <= 9000; ceiling += 772) {
			uint32_t most = limit < ceiling ? limit : ceiling;

			begin(ceiling, limit);
			pass(90 * SECOND, 0);
			assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
			assert_int_equal(net.events[WT_PMTU_FOUND], 1);
			if (net.pmtu.record_max > most ||
			    net.pmtu.record_max + WT_PROBE_STEP <= most)
				fail_msg("limit %u, ceiling %u: found %u", limit, ceiling,
					 net.pmtu.record_max);
			assert_true(net.largest_probe <= ceiling);
		}
}

static void the_largest_comes_first_then_halves(void **state)
{
	(void)state;
	begin(1472, 1400);
	pass(100, 0);
	is(WT_PMTU_SEARCH, 1313);
	assert_int_equal(net.pmtu.search.record_len, 1472);
	pass(WT_PROBE_TRIES * WT_PROBE_MS - 100, 0);
	assert_int_equal(net.pmtu.search.record_len, 1472);
	pass(100, 0);
	/* Half way between 1313 and 1471. That arrives: */
	is(WT_PMTU_SEARCH, 1392);
	assert_int_equal(net.pmtu.search.record_len, 1432);
}

static void a_path_below_base_is_used_with_less(void **state)
{
	(void)state;
	begin(1472, 1250);
	/* Until it is known, base is tried with data too. */
	is(WT_PMTU_BASE, 1313);
	pass(WT_PROBE_TRIES * WT_PROBE_MS, 0);
	is(WT_PMTU_BASE, 1313);
	pass(10, 0);
	is(WT_PMTU_SMALL, 1200);
	assert_int_equal(net.events[WT_PMTU_TOO_SMALL], 1);
	pass(100, 0);
	/* Half way between 1200 and 1312: base was refuted. */
	is(WT_PMTU_SEARCH, 1200);
	assert_int_equal(net.pmtu.search.record_len, 1256);
	pass(30 * SECOND, 0);
	assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
	assert_in_range(net.pmtu.record_max, 1243, 1250);
}

static void a_path_below_the_floor_is_said_and_tried_again(void **state)
{
	(void)state;
	begin(1472, 800);
	pass(10 * SECOND, 1200);
	is(WT_PMTU_UNUSABLE, 1200);
	assert_int_equal(net.events[WT_PMTU_NO_USE], 1);
	net.probes = 0;
	pass(WT_PROBE_UNUSABLE_MS - 10 * SECOND, 1200);
	assert_int_equal(net.probes, 0);
	net.rtt = 500;
	net.limit = 1472;
	while (net.pmtu.state == WT_PMTU_UNUSABLE)
		pass(10, 1200);
	is(WT_PMTU_BASE, 1313);
	pass(10 * SECOND, 1200);
	is(WT_PMTU_COMPLETE, 1472);
}

static void a_low_ceiling_is_base_and_floor(void **state)
{
	static const uint32_t ceilings[] = { 609, 1199, 1200, 1201, 1312, 1313 };

	(void)state;
	for (size_t i = 0; i < sizeof ceilings / sizeof ceilings[0]; i++) {
		begin(ceilings[i], 1500);
		is(WT_PMTU_BASE, ceilings[i]);
		pass(100, 0);
		is(WT_PMTU_COMPLETE, ceilings[i]);
		assert_int_equal(net.probes, 1);
	}
	begin(700, 650);
	pass(10 * SECOND, 0);
	is(WT_PMTU_UNUSABLE, 700);
	assert_int_equal(net.events[WT_PMTU_TOO_SMALL], 0);
}

/* ---- what silence means --------------------------------------------------- */

static void an_outage_teaches_nothing(void **state)
{
	(void)state;
	begin(1472, 1472);
	net.dead = true;
	pass(60 * SECOND, 1313);
	is(WT_PMTU_BASE, 1313);
	/* One large probe and two beside small ones in each 8 seconds: it stays slow. */
	assert_in_range(net.probes, 30, 45);
	net.dead = false;
	pass(WT_PROBE_SILENT_MS + SECOND, 0);
	is(WT_PMTU_COMPLETE, 1472);

	/* The same while a larger size is looked for, */
	begin(1472, 1472);
	pass(20, 0);
	net.dead = true;
	pass(60 * SECOND, 0);
	is(WT_PMTU_SEARCH, 1313);
	/* and when it had been found. */
	begin(1472, 1472);
	pass(100, 0);
	net.dead = true;
	pass(60 * SECOND, 1472);
	is(WT_PMTU_COMPLETE, 1472);
	assert_int_equal(net.events[WT_PMTU_LOWERED], 0);
}

static void a_slow_path_is_found_too(void **state)
{
	static const uint64_t rtts[] = { 600, 990, 1500, 2900, 7000 };

	(void)state;
	for (size_t i = 0; i < sizeof rtts / sizeof rtts[0]; i++) {
		begin(1472, 1472);
		net.rtt = rtts[i];
		pass(90 * SECOND, 0);
		is(WT_PMTU_COMPLETE, 1472);
	}
	begin(1472, 1350);
	net.rtt = 2900;
	pass(300 * SECOND, 0);
	assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
	assert_in_range(net.pmtu.record_max, 1343, 1350);
}

static void losses_do_not_lower_it(void **state)
{
	(void)state;
	begin(1472, 1472);
	pass(100, 0);
	net.lose = 10;
	pass(600 * SECOND, 1472);
	is(WT_PMTU_COMPLETE, 1472);
	assert_int_equal(net.events[WT_PMTU_LOWERED], 0);
}

static void answers_to_other_probes_change_nothing(void **state)
{
	struct wt_pmtu before;
	uint16_t search_id;

	(void)state;
	begin(1472, 1472);
	net.dead = true;
	pass(10, 0);
	search_id = net.pmtu.search.id;
	before = net.pmtu;
	for (uint32_t id = 0; id <= UINT16_MAX; id++)
		if (id != search_id && id != search_id + 1u)
			assert_int_equal(wt_pmtu_acked(&net.pmtu, (uint16_t)id, net.now),
					 WT_PMTU_NOTHING);
	assert_memory_equal(&net.pmtu, &before, sizeof before);

	/* A path begins: what was asked before is not of it. */
	wt_pmtu_start(&net.pmtu, 1472, net.now);
	assert_int_equal(wt_pmtu_acked(&net.pmtu, search_id, net.now), WT_PMTU_NOTHING);
	is(WT_PMTU_BASE, 1313);
	assert_int_equal(net.pmtu.search.record_len, 1313);

	/* One that is at rest waits for none, and none for one that is off. */
	begin(1472, 1472);
	pass(100, 0);
	for (uint32_t id = 0; id <= UINT16_MAX; id++)
		(void)wt_pmtu_acked(&net.pmtu, (uint16_t)id, net.now);
	is(WT_PMTU_COMPLETE, 1472);
	net.pmtu = (struct wt_pmtu){ .state = WT_PMTU_OFF };
	(void)wt_pmtu_acked(&net.pmtu, 0, net.now);
	is(WT_PMTU_OFF, 0);
}

/* ---- a path that takes less than it did ----------------------------------- */

static void a_black_hole_is_noticed_within_five_seconds_of_traffic(void **state)
{
	(void)state;
	begin(1472, 1472);
	/* At any moment between two confirmations. */
	for (unsigned after = 0; after < 2000; after += 130) {
		uint64_t from;

		begin(1472, 1472);
		pass(10 * SECOND + after, 1472);
		net.limit = 1400;
		from = net.now;
		while (net.pmtu.record_max > 1400 && net.now < from + 60 * SECOND)
			pass(10, 1472);
		assert_in_range(net.now - from, 0, 5 * SECOND);
		is(WT_PMTU_BASE, 1313);
		assert_int_equal(net.events[WT_PMTU_LOWERED], 1);
		pass(30 * SECOND, 1313);
		assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
		assert_in_range(net.pmtu.record_max, 1393, 1400);
	}
}

static void a_black_hole_during_the_search_is_noticed_as_fast(void **state)
{
	uint64_t from;

	(void)state;
	begin(9000, 5000);
	pass(7 * SECOND, 1313);
	assert_int_equal(net.pmtu.state, WT_PMTU_SEARCH);
	assert_true(net.pmtu.record_max > 2000);
	net.limit = 1400;
	from = net.now;
	while (net.pmtu.record_max > 1400 && net.now < from + 60 * SECOND)
		pass(10, 2000);
	assert_in_range(net.now - from, 0, 5 * SECOND);
}

static void what_base_carried_falls_to_the_floor(void **state)
{
	(void)state;
	begin(1313, 1313);
	pass(100, 0);
	is(WT_PMTU_COMPLETE, 1313);
	net.limit = 1210;
	pass(5 * SECOND, 1313);
	assert_int_equal(net.events[WT_PMTU_LOWERED], 1);
	assert_in_range(net.pmtu.record_max, 1200, 1210);
	pass(30 * SECOND, 1200);
	assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
	assert_in_range(net.pmtu.record_max, 1203, 1210);
	/* And from between floor and base too. */
	net.limit = 1200;
	pass(5 * SECOND, net.pmtu.record_max);
	assert_int_equal(net.pmtu.record_max, 1200);
	assert_int_equal(net.events[WT_PMTU_LOWERED], 2);
}

static void small_records_ask_for_no_confirmation(void **state)
{
	(void)state;
	begin(1472, 1472);
	pass(100, 0);
	net.probes = 0;
	pass(60 * SECOND, 1200);
	assert_int_equal(net.probes, 0);
	pass(60 * SECOND, 1201);
	assert_in_range(net.probes, 35, 40);
}

static void the_caller_hears_when_the_time_changed(void **state)
{
	(void)state;
	begin(1472, 1472);
	assert_false(wt_pmtu_sent(&net.pmtu, 1313, net.now)); /* BASE asks by itself */
	pass(100, 0);
	assert_false(wt_pmtu_sent(&net.pmtu, 1200, net.now));
	assert_int_equal(wt_pmtu_due(&net.pmtu), 0);
	assert_true(wt_pmtu_sent(&net.pmtu, 1201, net.now));
	assert_int_equal(wt_pmtu_due(&net.pmtu), net.now + WT_CONFIRM_AFTER_MS);
	assert_false(wt_pmtu_sent(&net.pmtu, 1472, net.now));
}

/* ---- more again ----------------------------------------------------------- */

static void more_is_looked_for_after_ten_minutes(void **state)
{
	uint64_t found;

	(void)state;
	begin(1472, 1400);
	pass(60 * SECOND, 0);
	assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
	found = net.pmtu.raise_ms - WT_PROBE_RAISE_MS;
	net.limit = 1472;
	net.probes = 0;
	pass(found + 599 * SECOND - net.now, 0);
	assert_int_equal(net.probes, 0);
	pass(2 * SECOND, 0);
	is(WT_PMTU_COMPLETE, 1472);
	assert_int_equal(net.probes, 1);
	assert_int_equal(net.pmtu.raise_ms, 0);
}

static void a_raise_in_vain_keeps_what_there_is(void **state)
{
	uint32_t before;

	(void)state;
	begin(1472, 1400);
	pass(60 * SECOND, 0);
	before = net.pmtu.record_max;
	for (int i = 0; i < 700; i++) {
		pass(SECOND, 1300);
		assert_true(net.pmtu.record_max >= before);
	}
	assert_int_equal(net.pmtu.state, WT_PMTU_COMPLETE);
	assert_int_equal(net.events[WT_PMTU_FOUND], 2);
}

/* ---- the link changes ------------------------------------------------------ */

static void a_link_that_takes_less_is_obeyed_at_once(void **state)
{
	(void)state;
	begin(1472, 1472);
	pass(100, 0);
	assert_int_equal(wt_pmtu_set_ceiling(&net.pmtu, 1452, net.now), WT_PMTU_FOUND);
	is(WT_PMTU_COMPLETE, 1452);
	assert_int_equal(wt_pmtu_set_ceiling(&net.pmtu, 900, net.now), WT_PMTU_FOUND);
	is(WT_PMTU_COMPLETE, 900);
	pass(60 * SECOND, 900);
	is(WT_PMTU_COMPLETE, 900);
}

static void a_link_that_takes_more_is_searched_at_once(void **state)
{
	(void)state;
	begin(1400, 1472);
	pass(100, 0);
	is(WT_PMTU_COMPLETE, 1400);
	net.probes = 0;
	assert_int_equal(wt_pmtu_set_ceiling(&net.pmtu, 1400, net.now), WT_PMTU_NOTHING);
	pass(SECOND, 0);
	assert_int_equal(net.probes, 0);
	assert_int_equal(wt_pmtu_set_ceiling(&net.pmtu, 1472, net.now), WT_PMTU_NOTHING);
	is(WT_PMTU_SEARCH, 1400);
	pass(100, 0);
	is(WT_PMTU_COMPLETE, 1472);
	/* In the middle of a search that had already halved. */
	begin(1472, 1400);
	pass(4 * SECOND, 0);
	assert_int_equal(wt_pmtu_set_ceiling(&net.pmtu, 1600, net.now), WT_PMTU_NOTHING);
	assert_int_equal(net.pmtu.search.record_len, 1600);
	/* Before anything is known. */
	begin(1472, 1472);
	wt_pmtu_set_ceiling(&net.pmtu, 1250, net.now);
	is(WT_PMTU_BASE, 1250);
	net.pmtu = (struct wt_pmtu){ .state = WT_PMTU_OFF };
	wt_pmtu_set_ceiling(&net.pmtu, 1250, net.now);
	is(WT_PMTU_OFF, 0);
}

/* ---- time and the link ----------------------------------------------------- */

static void a_blocked_link_costs_no_try(void **state)
{
	(void)state;
	begin(1472, 1472);
	net.blocked = true;
	pass(60 * SECOND, 1313);
	is(WT_PMTU_BASE, 1313);
	assert_int_equal(net.probes, 0);
	assert_true(wt_pmtu_due(&net.pmtu) != 0);
	net.blocked = false;
	pass(SECOND, 0);
	is(WT_PMTU_COMPLETE, 1472);
	pass(SECOND, 1472);
	net.blocked = true;
	pass(60 * SECOND, 1472);
	net.blocked = false;
	pass(10 * SECOND, 1472);
	is(WT_PMTU_COMPLETE, 1472);
	assert_int_equal(net.events[WT_PMTU_LOWERED], 0);
}

static void a_clock_that_jumps_harms_nothing(void **state)
{
	static const uint64_t jumps[] = { 20 * SECOND, 3 * 3600 * (uint64_t)SECOND };

	(void)state;
	for (unsigned at = 0; at < 200; at++)
		for (size_t i = 0; i < 2; i++) {
			begin(1472, 1472);
			net.lose = 20;
			pass(50 * at, 1472);
			net.answer_count = 0; /* what was under way is lost */
			net.now += jumps[i];
			net.lose = 0;
			pass(20 * SECOND, 1472);
			is(WT_PMTU_COMPLETE, 1472);
		}
}

static void nothing_comes_of_one_that_is_off(void **state)
{
	struct wt_pmtu pmtu = { .state = WT_PMTU_OFF };
	struct wt_pmtu_step step;

	(void)state;
	wt_pmtu_run(&pmtu, 1000000, true, &step);
	assert_int_equal(step.count, 0);
	assert_int_equal(step.event, WT_PMTU_NOTHING);
	assert_false(wt_pmtu_sent(&pmtu, 1472, 1000000));
	assert_int_equal(wt_pmtu_due(&pmtu), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clear_path_is_known_after_two_round_trips),
		cmocka_unit_test(every_limit_is_found_to_within_a_step),
		cmocka_unit_test(the_largest_comes_first_then_halves),
		cmocka_unit_test(a_path_below_base_is_used_with_less),
		cmocka_unit_test(a_path_below_the_floor_is_said_and_tried_again),
		cmocka_unit_test(a_low_ceiling_is_base_and_floor),
		cmocka_unit_test(an_outage_teaches_nothing),
		cmocka_unit_test(a_slow_path_is_found_too),
		cmocka_unit_test(losses_do_not_lower_it),
		cmocka_unit_test(answers_to_other_probes_change_nothing),
		cmocka_unit_test(a_black_hole_is_noticed_within_five_seconds_of_traffic),
		cmocka_unit_test(a_black_hole_during_the_search_is_noticed_as_fast),
		cmocka_unit_test(what_base_carried_falls_to_the_floor),
		cmocka_unit_test(small_records_ask_for_no_confirmation),
		cmocka_unit_test(the_caller_hears_when_the_time_changed),
		cmocka_unit_test(more_is_looked_for_after_ten_minutes),
		cmocka_unit_test(a_raise_in_vain_keeps_what_there_is),
		cmocka_unit_test(a_link_that_takes_less_is_obeyed_at_once),
		cmocka_unit_test(a_link_that_takes_more_is_searched_at_once),
		cmocka_unit_test(a_blocked_link_costs_no_try),
		cmocka_unit_test(a_clock_that_jumps_harms_nothing),
		cmocka_unit_test(nothing_comes_of_one_that_is_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
