/* SPDX-License-Identifier: MIT
 *
 * The auth plugins of the build pass the suite that `wtplug conform` runs; and its
 * checks find the faults they are there for, and name them.
 */
#include <string.h>

#include "conform/hearing.h"
#include "support/faults.h"

#define CRYPTO WT_TEST_PLUGIN_DIR "/crypto-aesgcm-openssl.so"

static const struct wt_fault_case cases[] = {
	{ "faulty-forgery-believed", WT_FAULT_FORGERY, { "flips" } },
	{ "faulty-length-believed", WT_FAULT_FORGERY, { "lengths" } },
	{ "faulty-replay-believed", WT_FAULT_REPLAY, { "replays" } },
	{ "faulty-restart-forgets", WT_FAULT_REPLAY, { "replays" } },
	{ "faulty-tells-key", WT_FAULT_TOLD, { "agreement" } },
	{ "faulty-tells-message", WT_FAULT_TOLD, { "agreement" } },
	{ "faulty-message-borrowed", WT_FAULT_NO_AGREEMENT, { "agreement" } },
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
	{ "faulty-late-wipe", WT_FAULT_STATE, { "put-off" } },
	{ "faulty-late-wipe-gone", WT_FAULT_STATE, { "put-off" } },
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
	const struct wt_hearing hearing = { .options = &options,
					    .path = wt_fault_fixture("auth", plugin),
					    .reference = CRYPTO,
					    .auth = check };
	struct wt_case done;

	if (strcmp(plugin, "faulty-hangs") == 0)
		options.timeout_ms = 3000;
	wt_hearing_run(&hearing, &done);
	return done;
}

static void fault_is_found(void **state)
{
	const struct wt_fault_case *c = *state;

	for (size_t i = 0; i < WT_FAULT_CHECKS_MAX && c->found_by[i]; i++) {
		const struct wt_auth_check *check = wt_auth_check_named(c->found_by[i]);

		assert_non_null(check);
		const struct wt_case done = run_apart(check, c->plugin);

		wt_fault_expect(c, &done);
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

/* What is not tried says so. */
static void a_verdict_that_is_never_put_off_needs_no_test(void **state)
{
	const struct wt_auth_check *check = wt_auth_check_named("put-off");

	(void)state;
	assert_non_null(check);
	assert_string_equal(run_apart(check, "faulty-none").finding.text,
			    "datagrams: not needed: no verdict is put off");
	assert_string_equal(run_apart(check, "faulty-later").finding.text, "");
}

static void a_table_without_a_stranger_is_said(void **state)
{
	const struct wt_case done = run_apart(&wt_auth_checks[0], "faulty-no-stranger");

	(void)state;
	assert_int_equal(done.verdict, WT_NOT_RUN);
	assert_string_equal(done.finding.text,
			    "its conformance table has no stranger, whom both ends must refuse; "
			    "fill .stranger");
}

static void every_check_has_a_fault_to_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_auth_check_count; i++) {
		bool covered = false;

		for (size_t c = 0; c < CASES; c++)
			covered |= wt_fault_case_has(&cases[c], wt_auth_checks[i].name);
		if (!covered)
			fail_msg("no faulty plugin shows that \"%s\" works",
				 wt_auth_checks[i].name);
	}
}

static void those_of_the_build_pass(void **state)
{
	static const char *const names[] = { "hmac", "noise" };

	(void)state;
	wt_fault_none_in_build("auth", names, sizeof names / sizeof names[0]);
}

int main(void)
{
	const struct CMUnitTest first[] = {
		cmocka_unit_test(those_of_the_build_pass),
		cmocka_unit_test(nothing_is_found_in_a_sound_one),
		cmocka_unit_test(a_verdict_that_is_never_put_off_needs_no_test),
		cmocka_unit_test(a_table_without_a_stranger_is_said),
		cmocka_unit_test(every_check_has_a_fault_to_find),
	};

	return wt_fault_tests_run("auth checks", first, sizeof first / sizeof first[0], cases,
				  CASES, fault_is_found);
}
