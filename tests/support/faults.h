/* SPDX-License-Identifier: MIT
 *
 * faults.h: what the tests of the checks of `wtplug conform` share: faulty plugins,
 * what each fault is called, and which checks must find it.
 */
#ifndef WT_TEST_SUPPORT_FAULTS_H
#define WT_TEST_SUPPORT_FAULTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conform/suite.h"

#define WT_FAULT_CHECKS_MAX 16u

struct wt_fault_case {
	const char *plugin;
	enum wt_fault fault;
	const char *found_by[WT_FAULT_CHECKS_MAX]; /* names of checks */
};

/* The path of KIND-NAME.so among the fixtures: a static text, until the next call. */
const char *wt_fault_fixture(const char *kind, const char *name);

/* Is it among those that must find this fault? */
bool wt_fault_case_has(const struct wt_fault_case *c, const char *check);

/* Fails the test unless it found something, and called it by the fault's name. */
void wt_fault_expect(const struct wt_fault_case *c, const struct wt_case *done);

/* Fails the test unless the plugin passes at level 2, beside those of the build; what
 * is not simply sound is printed. */
void wt_fault_none_in(const char *path);
/* The same for KIND-NAME.so of the build. */
void wt_fault_none_in_build(const char *kind, const char *const *names, size_t n);

/* Runs `first`, and then `find` for each of the cases, which is its initial state:
 * what main() returns. */
int wt_fault_tests_run(const char *group, const struct CMUnitTest *first, size_t first_count,
		       const struct wt_fault_case *cases, size_t count, CMUnitTestFunction find);

#endif
