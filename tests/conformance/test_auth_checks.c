/* SPDX-License-Identifier: MIT
 *
 * The auth plugins of the build pass the suite that `wtplug conform` runs; and its
 * checks find the faults they are there for, and name them.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conform/suite.h"

#define CRYPTO WT_TEST_PLUGIN_DIR "/crypto-aesgcm-openssl.so"
#define CHECKS_MAX 4u

struct fault_case {
	const char *plugin;
	enum wt_fault fault;
	const char *found_by[CHECKS_MAX];
};

static const struct fault_case cases[] = {
	{ "faulty-forgery-believed", WT_FAULT_FORGERY, { "flips" } },
	{ "faulty-length-believed", WT_FAULT_FORGERY, { "lengths" } },
	{ "faulty-replay-believed", WT_FAULT_REPLAY, { "replays" } },
	{ "faulty-stranger-believed", WT_FAULT_STRANGER, { "strangers" } },
	{ "faulty-reflection-believed", WT_FAULT_FORGERY, { "reflection" } },
	{ "faulty-amplifies", WT_FAULT_AMPLIFIES, { "flips", "lengths" } },
	{ "faulty-keys-same", WT_FAULT_KEYS_MIX, { "agreement" } },
	{ "faulty-keys-other", WT_FAULT_NO_AGREEMENT, { "agreement" } },
	{ "faulty-params-lost", WT_FAULT_NO_AGREEMENT, { "agreement" } },
	{ "faulty-leaks", WT_FAULT_LEAK_MEMORY, { "memory" } },
	{ "faulty-over-read", WT_FAULT_PAST_BUFFER, { "agreement" } },
	{ "faulty-output-beyond", WT_FAULT_PAST_BUFFER, { "agreement" } },
	{ "faulty-output-own", WT_FAULT_OUTPUT, { "agreement" } },
	{ "faulty-handshake-elsewhere", WT_FAULT_OUTPUT, { "agreement" } },
	{ "faulty-hangs", WT_FAULT_HUNG, { "flips" } },
	{ "faulty-never-answers", WT_FAULT_PENDING, { "agreement", "strangers", "flips" } },
	{ "faulty-token-anywhere", WT_FAULT_TOKEN, { "tokens" } },
	{ "faulty-token-forever", WT_FAULT_TOKEN, { "tokens" } },
	{ "faulty-order-ignored", WT_FAULT_STATE, { "order" } },
	{ "faulty-abandon-ignored", WT_FAULT_STATE, { "abandon" } },
	{ "faulty-abandon-any", WT_FAULT_STATE, { "abandon" } },
	{ "faulty-removal-ignored", WT_FAULT_STATE, { "removal" } },
	{ "faulty-both-dial", WT_FAULT_BOTH_DIAL, { "both-dial" } },
	{ "faulty-clock-locks", WT_FAULT_CLOCK, { "clocks" } },
	{ "faulty-clock-replay", WT_FAULT_REPLAY, { "clocks" } },
	{ "faulty-load-amplifies", WT_FAULT_AMPLIFIES, { "flood" } },
	{ "faulty-blocks", WT_FAULT_BLOCKS, { "blocking" } },
	{ "faulty-blocks-socket", WT_FAULT_BLOCKS, { "blocking" } },
	{ "faulty-threads", WT_FAULT_THREADS, { "workers" } },
};
#define CASES (sizeof cases / sizeof cases[0])

static struct wt_case run_apart(const struct wt_auth_check *check, const char *plugin)
{
	struct wt_suite_options options = { .check = { .level = 2, .seed = 1 } };
	char path[PATH_MAX];
	struct wt_case done;

	if (strcmp(plugin, "faulty-hangs") == 0)
		options.timeout_ms = 3000;
	snprintf(path, sizeof path, "%s/auth-%s.so", WT_TEST_FIXTURE_DIR, plugin);
	wt_suite_check_auth(&options, check, path, CRYPTO, &done);
	return done;
}

static void fault_is_found(void **state)
{
	const struct fault_case *c = *state;

	for (size_t i = 0; i < CHECKS_MAX && c->found_by[i]; i++) {
		const struct wt_auth_check *check = wt_auth_check_named(c->found_by[i]);

		assert_non_null(check);
		const struct wt_case done = run_apart(check, c->plugin);

		if (done.verdict != WT_FOUND)
			fail_msg("%s: not found by \"%s\": %s", c->plugin, done.name,
				 done.finding.text);
		if (done.finding.fault != c->fault)
			fail_msg("%s is called \"%s\", not \"%s\": %s", c->plugin,
				 wt_fault_text(done.finding.fault), wt_fault_text(c->fault),
				 done.finding.text);
	}
}

static void nothing_is_found_in_a_sound_one(void **state)
{
	static const char *const sound[] = { "faulty-none", "faulty-later" };

	(void)state;
	for (size_t k = 0; k < sizeof sound / sizeof sound[0]; k++)
		for (size_t i = 0; i < wt_auth_check_count; i++) {
			const struct wt_case done = run_apart(&wt_auth_checks[i], sound[k]);

			if (done.verdict != WT_SOUND)
				fail_msg("%s, \"%s\": %s", sound[k], done.name, done.finding.text);
		}
}

static void every_check_has_a_fault_to_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_auth_check_count; i++) {
		bool covered = false;

		for (size_t c = 0; c < CASES; c++)
			for (size_t k = 0; k < CHECKS_MAX && cases[c].found_by[k]; k++)
				covered = covered ||
					  strcmp(cases[c].found_by[k], wt_auth_checks[i].name) == 0;
		if (!covered)
			fail_msg("no faulty plugin shows that \"%s\" works",
				 wt_auth_checks[i].name);
	}
}

static void report(void *arg, const struct wt_suite *suite, const struct wt_case *done)
{
	(void)arg;
	(void)suite;
	if (done->verdict != WT_SOUND)
		print_message("  %s: %s: %s\n", wt_verdict_text(done->verdict), done->name,
			      done->finding.text);
}

static void those_of_the_build_pass(void **state)
{
	static const char *const names[] = { "hmac", "noise" };
	const struct wt_suite_options options = {
		.check = { .level = 2, .seed = 1 },
		.plugin_dir = WT_TEST_PLUGIN_DIR,
		.report = report,
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof path, "%s/auth-%s.so", WT_TEST_PLUGIN_DIR, names[i]);
		struct wt_suite *suite = wt_suite_run(path, &options);

		assert_non_null(suite);
		enum wt_outcome outcome = suite->outcome;

		wt_suite_free(suite);
		if (outcome != WT_OUTCOME_PASS)
			fail_msg("%s: %s", names[i], wt_outcome_text(outcome));
	}
}

int main(void)
{
	struct CMUnitTest tests[CASES + 3] = {
		cmocka_unit_test(those_of_the_build_pass),
		cmocka_unit_test(nothing_is_found_in_a_sound_one),
		cmocka_unit_test(every_check_has_a_fault_to_find),
	};

	for (size_t i = 0; i < CASES; i++)
		tests[i + 3] = (struct CMUnitTest){
			.name = cases[i].plugin,
			.test_func = fault_is_found,
			.initial_state = (void *)&cases[i],
		};
	return cmocka_run_group_tests_name("auth checks", tests, NULL, NULL);
}
