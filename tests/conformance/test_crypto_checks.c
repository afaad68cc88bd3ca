/* SPDX-License-Identifier: MIT
 *
 * The checks themselves: each finds the faults it is there for, and none finds
 * one in a sound backend behind the same wrapping.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/aead_check.h"

#define CHECKS_MAX 16u

/* A faulty backend, and the checks that must find its fault. */
struct fault_case {
	const char *plugin;
	const char *found_by[CHECKS_MAX];
};

static const struct fault_case cases[] = {
	{ "faulty-tag-unchecked", { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-tag-short", { "flips" } },
	{ "faulty-nonce-short", { "flips", "lengths", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-aad-ignored", { "flips", "lengths", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-wrong-status", { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-short-accepted", { "truncations" } },
	{ "faulty-text-released", { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-text-left-over", { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-seal-overrun", { "lengths", "alignments" } },
	{ "faulty-open-overrun", { "lengths", "alignments", "flips", "truncations" } },
	{ "faulty-over-read", { "lengths", "flips", "truncations" } },
	{ "faulty-input-written", { "lengths", "alignments" } },
	{ "faulty-one-length", { "lengths" } },
	{ "faulty-one-alignment", { "alignments" } },
	{ "faulty-one-nist-length", { "nist-encrypt", "nist-decrypt" } },
	{ "faulty-in-place", { "lengths", "alignments", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-key-short", { "key-bits" } },
	{ "faulty-key-shared", { "key-contexts", "threads" } },
	{ "faulty-key-kept", { "key-wipe" } },
	{ "faulty-scratch-shared", { "threads" } },
};
#define CASES (sizeof cases / sizeof cases[0])

static struct wt_backend *reference;

/* Runs the check in a child, since some faults end in a signal. An end that is
 * not a plain verdict is a find as well. */
static enum wt_verdict run_apart(const struct wt_aead_check *check, const char *plugin)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit no_core = { 0, 0 };
		const int deadly[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
		struct wt_error note = WT_ERROR_INIT;
		enum wt_status status;

		/* The test runner would carry on in here after a signal; and a
		 * sanitizer's report of a wanted crash helps nobody. */
		for (size_t i = 0; i < sizeof deadly / sizeof deadly[0]; i++)
			signal(deadly[i], SIG_DFL);
		setrlimit(RLIMIT_CORE, &no_core);
		int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(quiet, STDERR_FILENO);
		struct wt_backend *subject =
			wt_backend_open(WT_TEST_FIXTURE_DIR, plugin, &status, &note);

		if (!subject)
			_exit(100);
		_exit((int)wt_aead_check_run(check, subject, reference, &note));
	}
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 100)
		fail_msg("crypto-%s.so cannot be loaded from %s", plugin, WT_TEST_FIXTURE_DIR);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= WT_SKIPPED)
		return (enum wt_verdict)WEXITSTATUS(status);
	return WT_FOUND;
}

static const struct wt_aead_check *check_named(const char *name)
{
	for (size_t i = 0; i < wt_aead_check_count; i++)
		if (strcmp(wt_aead_checks[i].name, name) == 0)
			return &wt_aead_checks[i];
	fail_msg("there is no check \"%s\"", name);
	return NULL;
}

static void fault_is_found(void **state)
{
	const struct fault_case *c = *state;

	for (size_t i = 0; i < CHECKS_MAX && c->found_by[i]; i++) {
		const struct wt_aead_check *check = check_named(c->found_by[i]);

		switch (run_apart(check, c->plugin)) {
		case WT_FOUND:
			break;
		case WT_SKIPPED:
			print_message("  skipped: %s has no vectors here\n", check->name);
			break;
		case WT_SOUND:
			fail_msg("%s: not found by \"%s\"", c->plugin, check->name);
		}
	}
}

static void nothing_is_found_in_a_sound_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_aead_check_count; i++)
		if (run_apart(&wt_aead_checks[i], "faulty-none") == WT_FOUND)
			fail_msg("\"%s\" finds something in a sound backend",
				 wt_aead_checks[i].name);
}

static void every_check_has_a_fault_to_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_aead_check_count; i++) {
		bool covered = false;

		for (size_t c = 0; c < CASES; c++)
			for (size_t k = 0; k < CHECKS_MAX && cases[c].found_by[k]; k++)
				covered = covered ||
					  strcmp(cases[c].found_by[k], wt_aead_checks[i].name) == 0;
		if (!covered)
			fail_msg("no faulty backend shows that \"%s\" works",
				 wt_aead_checks[i].name);
	}
}

int main(void)
{
	struct CMUnitTest tests[CASES + 2] = {
		cmocka_unit_test(nothing_is_found_in_a_sound_one),
		cmocka_unit_test(every_check_has_a_fault_to_find),
	};
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;

	for (size_t i = 0; i < CASES; i++)
		tests[i + 2] = (struct CMUnitTest){
			.name = cases[i].plugin,
			.test_func = fault_is_found,
			.initial_state = (void *)&cases[i],
		};
	reference = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-openssl", &status, &err);
	if (!reference) {
		print_error("aesgcm-openssl: %s\n", err.text);
		return 1;
	}
	int failed = cmocka_run_group_tests_name("crypto checks", tests, NULL, NULL);

	wt_backend_close(reference);
	return failed;
}
