/* SPDX-License-Identifier: MIT
 *
 * The transports of the build pass the suite that `wtplug conform` runs; and its
 * checks find the faults they are there for, and name them.
 */
#include <string.h>

#include "conform/descriptors.h"
#include "conform/heap.h"
#include "conform/hearing.h"
#include "support/faults.h"

/* What never comes is not waited for as long as where it must come. */
#define IMPATIENCE_MS 1000u

static const struct wt_fault_case cases[] = {
	{ "stream-drops", WT_FAULT_BACK_PRESSURE, { "pressure" } },
	{ "stream-reorders", WT_FAULT_RECORD_ORDER, { "exchange", "sizes" } },
	{ "stream-reorders-later", WT_FAULT_BACK_PRESSURE, { "pressure" } },
	{ "stream-sends-twice", WT_FAULT_BACK_PRESSURE, { "pressure" } },
	{ "stream-writable-once", WT_FAULT_WRITABLE_NEVER, { "pressure" } },
	{ "stream-source-other", WT_FAULT_SOURCE, { "exchange" } },
	{ "stream-local-other", WT_FAULT_SOURCE, { "exchange" } },
	{ "packet-source-other", WT_FAULT_SOURCE, { "exchange" } },
	{ "packet-local-other", WT_FAULT_PATHS, { "exchange" } },
	{ "stream-closes-twice", WT_FAULT_MISCLOSED, { "exchange" } },
	{ "packet-closes-twice", WT_FAULT_MISCLOSED, { "exchange" } },
	{ "stream-loses-tail", WT_FAULT_TAIL, { "closing" } },
	{ "stream-cuts", WT_FAULT_RECORD_CUT, { "sizes" } },
	{ "stream-one-a-read", WT_FAULT_FRAMING, { "split" } },
	{ "stream-splits", WT_FAULT_FRAMING, { "split" } },
	{ "stream-no-limit", WT_FAULT_RECORD_LIMIT, { "limit" } },
	{ "stream-slot-kept", WT_FAULT_SLOT_KEPT, { "exchange", "endings" } },
	{ "stream-slot-twice", WT_FAULT_SLOT_TWICE, { "exchange" } },
	{ "stream-writable-never", WT_FAULT_WRITABLE_NEVER, { "pressure" } },
	{ "stream-writable-twice", WT_FAULT_WRITABLE_TWICE, { "pressure" } },
	{ "stream-end-never",
	  WT_FAULT_END_NEVER,
	  { "exchange", "endings", "refused", "strangers" } },
	{ "stream-end-twice", WT_FAULT_END_TWICE, { "exchange", "endings", "refused" } },
	{ "stream-end-silent", WT_FAULT_END_SILENT, { "exchange", "endings", "refused" } },
	{ "stream-reports-inside", WT_FAULT_REPORT_INSIDE, { "exchange" } },
	{ "stream-reports-late", WT_FAULT_REPORT_LATE, { "exchange", "closing" } },
	{ "stream-leaks-descriptor", WT_FAULT_LEAK_DESCRIPTOR, { "churn" } },
	{ "stream-leaks-memory", WT_FAULT_LEAK_MEMORY, { "churn" } },
	{ "stream-leaks-timer", WT_FAULT_EVENTS, { "churn", "exchange" } },
	{ "stream-writes-before", WT_FAULT_OUTSIDE, { "exchange" } },
	{ "stream-writes-behind", WT_FAULT_OUTSIDE, { "exchange" } },
	{ "stream-closes-early", WT_FAULT_EVENTS, { "exchange" } },
	{ "stream-counts-unknown", WT_FAULT_COUNTERS, { "exchange" } },
	{ "stream-blocks", WT_FAULT_HUNG, { "unanswered" } },
	{ "stream-wrong-worker", WT_FAULT_WORKER, { "workers" } },
	{ "stream-readable-once", WT_FAULT_READABLE_NEVER, { "exchange" } },
	{ "stream-no-source", WT_FAULT_SOURCE, { "exchange" } },
	{ "stream-source-same", WT_FAULT_SOURCE, { "exchange" } },
	{ "stream-listen-half", WT_FAULT_LISTEN, { "listen" } },
	{ "stream-listen-silent", WT_FAULT_LISTEN, { "listen" } },
	{ "stream-refusal-ignored", WT_FAULT_END_NEVER, { "refusal" } },
	{ "stream-memory-unchecked", WT_FAULT_CRASHED, { "memory" } },
	{ "stream-stranger-crashes", WT_FAULT_CRASHED, { "strangers", "limit" } },
	{ "stream-starves", WT_FAULT_READABLE_NEVER, { "no-buffers" } },
	{ "stream-instance-shared", WT_FAULT_LIFE, { "two" } },
	{ "packet-drops", WT_FAULT_RECORD_LOST, { "exchange", "network" } },
	{ "packet-cuts", WT_FAULT_RECORD_CUT, { "sizes", "network" } },
	{ "packet-twice", WT_FAULT_RECORD_TWICE, { "network" } },
	{ "packet-slot-kept", WT_FAULT_SLOT_KEPT, { "exchange", "closing" } },
	{ "packet-slot-twice", WT_FAULT_SLOT_TWICE, { "exchange" } },
	{ "packet-reports-inside", WT_FAULT_REPORT_INSIDE, { "exchange" } },
	{ "packet-reports-late", WT_FAULT_REPORT_LATE, { "exchange", "closing" } },
	{ "packet-leaks-descriptor", WT_FAULT_LEAK_DESCRIPTOR, { "churn" } },
	{ "packet-leaks-memory", WT_FAULT_LEAK_MEMORY, { "churn" } },
	{ "packet-writes-before", WT_FAULT_OUTSIDE, { "exchange" } },
	{ "packet-wrong-worker", WT_FAULT_WORKER, { "workers" } },
	{ "packet-readable-once", WT_FAULT_READABLE_NEVER, { "exchange" } },
	{ "packet-no-source", WT_FAULT_SOURCE, { "exchange" } },
	{ "packet-source-same", WT_FAULT_SOURCE, { "paths" } },
	{ "packet-listen-silent", WT_FAULT_LISTEN, { "listen" } },
	{ "packet-refusal-ignored", WT_FAULT_LISTEN, { "refusal" } },
	{ "packet-memory-unchecked", WT_FAULT_CRASHED, { "memory" } },
	{ "packet-starves", WT_FAULT_READABLE_NEVER, { "no-buffers" } },
	{ "packet-instance-shared", WT_FAULT_LIFE, { "two" } },
	{ "packet-answer-astray", WT_FAULT_PATHS, { "paths" } },
	{ "packet-path-mixed", WT_FAULT_PATHS, { "paths" } },
	{ "packet-path-dialled", WT_FAULT_PATHS, { "exchange" } },
	{ "packet-path-lost", WT_FAULT_PATHS, { "exchange" } },
	{ "packet-run-unmarked", WT_FAULT_RECORD_CUT, { "runs" } },
	{ "packet-network-ends", WT_FAULT_NETWORK_ENDS, { "nobody" } },
	{ "packet-too-large-ends", WT_FAULT_NETWORK_ENDS, { "sizes" } },
	{ "packet-short-buffer", WT_FAULT_RECORD_CUT, { "strangers", "sizes" } },
};
#define CASES (sizeof cases / sizeof cases[0])

static uint32_t mode_of(const char *plugin)
{
	return strncmp(plugin, "stream", 6) == 0 ? WT_CHANNEL_STREAM : WT_CHANNEL_DATAGRAM;
}

static struct wt_case run_apart(const struct wt_transport_check *check, const char *plugin)
{
	struct wt_suite_options options = { .check = { .level = 2, .seed = 1 } };
	const struct wt_hearing hearing = { .options = &options,
					    .path = wt_fault_fixture("transport-faulty", plugin),
					    .transport = check };
	struct wt_case done;

	if (strcmp(plugin, "stream-blocks") == 0)
		options.timeout_ms = 3000;
	wt_hearing_run(&hearing, &done);
	return done;
}

static void fault_is_found(void **state)
{
	const struct wt_fault_case *c = *state;

	if (c->fault == WT_FAULT_CRASHED && strstr(c->plugin, "memory") && !wt_heap_can_fail()) {
		print_message("skipped: a sanitizer has the allocator of this program\n");
		skip();
	}
	if (c->fault == WT_FAULT_MISCLOSED && !wt_descriptors_seen()) {
		print_message("skipped: a sanitizer has close() of this program\n");
		skip();
	}
	wt_transport_rig_patience_ms = IMPATIENCE_MS;
	for (size_t i = 0; i < WT_FAULT_CHECKS_MAX && c->found_by[i]; i++) {
		const struct wt_transport_check *check =
			wt_transport_check_named(c->found_by[i], mode_of(c->plugin));

		assert_non_null(check);
		const struct wt_case done = run_apart(check, c->plugin);

		wt_fault_expect(c, &done);
	}
}

static void nothing_is_found_in_a_sound_one(void **state)
{
	static const char *const names[] = { "stream-none", "packet-none" };

	(void)state;
	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; i < wt_transport_check_count; i++) {
			const struct wt_transport_check *check = &wt_transport_checks[i];

			if (!wt_transport_check_is_for(check, mode_of(names[n])))
				continue;
			const struct wt_case done = run_apart(check, names[n]);

			if (done.verdict != WT_SOUND)
				fail_msg("%s: \"%s\": %s", names[n], done.name, done.finding.text);
		}
}

static bool is_covered(const struct wt_transport_check *check, uint32_t mode)
{
	for (size_t c = 0; c < CASES; c++)
		if (mode_of(cases[c].plugin) == mode && wt_fault_case_has(&cases[c], check->name))
			return true;
	return false;
}

static void every_check_has_a_fault_to_find(void **state)
{
	(void)state;
	for (uint32_t mode = WT_CHANNEL_STREAM; mode <= WT_CHANNEL_DATAGRAM; mode++)
		for (size_t i = 0; i < wt_transport_check_count; i++) {
			const struct wt_transport_check *check = &wt_transport_checks[i];

			if (wt_transport_check_is_for(check, mode) && !is_covered(check, mode))
				fail_msg("no faulty transport (mode %u) shows that \"%s\" works",
					 mode, check->name);
		}
}

static void those_of_the_build_pass(void **state)
{
	static const char *const names[] = { "tcp", "udp" };

	(void)state;
	wt_fault_none_in_build("transport", names, sizeof names / sizeof names[0]);
}

int main(void)
{
	const struct CMUnitTest first[] = {
		cmocka_unit_test(those_of_the_build_pass),
		cmocka_unit_test(nothing_is_found_in_a_sound_one),
		cmocka_unit_test(every_check_has_a_fault_to_find),
	};

	return wt_fault_tests_run("transport checks", first, sizeof first / sizeof first[0], cases,
				  CASES, fault_is_found);
}
