/* SPDX-License-Identifier: MIT */
#include "support/faults.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *wt_fault_fixture(const char *kind, const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s-%s.so", WT_TEST_FIXTURE_DIR, kind, name);
	return path;
}

bool wt_fault_case_has(const struct wt_fault_case *c, const char *check)
{
	for (size_t i = 0; i < WT_FAULT_CHECKS_MAX && c->found_by[i]; i++)
		if (strcmp(c->found_by[i], check) == 0)
			return true;
	return false;
}

void wt_fault_expect(const struct wt_fault_case *c, const struct wt_case *done)
{
	if (done->verdict != WT_FOUND)
		fail_msg("%s: not found by \"%s\": %s", c->plugin, done->name, done->finding.text);
	if (done->finding.fault != c->fault)
		fail_msg("%s is called \"%s\" by \"%s\", not \"%s\": %s", c->plugin,
			 wt_fault_text(done->finding.fault), done->name, wt_fault_text(c->fault),
			 done->finding.text);
}

static void report(void *arg, const struct wt_suite *suite, const struct wt_case *done)
{
	(void)arg;
	(void)suite;
	if (done->verdict != WT_SOUND || done->finding.text[0])
		print_message("  %s: %s: %s\n", wt_verdict_text(done->verdict), done->name,
			      done->finding.text);
}

void wt_fault_none_in(const char *path)
{
	const struct wt_suite_options options = {
		.check = { .level = 2, .seed = 1 },
		.plugin_dir = WT_TEST_PLUGIN_DIR,
		.report = report,
	};
	struct wt_suite *suite = wt_suite_run(path, &options);

	assert_non_null(suite);
	enum wt_outcome outcome = suite->outcome;
	enum wt_fault fault = suite->fault;

	wt_suite_free(suite);
	if (outcome != WT_OUTCOME_PASS)
		fail_msg("%s: %s: %s", path, wt_outcome_text(outcome), wt_fault_text(fault));
}

void wt_fault_none_in_build(const char *kind, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof path, "%s/%s-%s.so", WT_TEST_PLUGIN_DIR, kind, names[i]);
		wt_fault_none_in(path);
	}
}

int wt_fault_tests_run(const char *group, const struct CMUnitTest *first, size_t first_count,
		       const struct wt_fault_case *cases, size_t count, CMUnitTestFunction find)
{
	struct CMUnitTest *tests = calloc(first_count + count, sizeof *tests);

	if (!tests)
		return 1;
	memcpy(tests, first, first_count * sizeof *tests);
	for (size_t i = 0; i < count; i++)
		tests[first_count + i] = (struct CMUnitTest){
			.name = cases[i].plugin,
			.test_func = find,
			.initial_state = (void *)&cases[i],
		};
	int failed = _cmocka_run_group_tests(group, tests, first_count + count, NULL, NULL);

	free(tests);
	return failed;
}
