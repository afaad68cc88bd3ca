/* SPDX-License-Identifier: MIT
 *
 * Every crypto plugin of the build against the contract of crypto.h, by
 * the suite that `wtplug conform` runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/registry.h"
#include "support/faults.h"

#define BACKENDS_MAX 8u
#define RUNS_MAX (3 * BACKENDS_MAX)

/* Those that every build has; others join by being built. */
static const char *const expected[] = { "aesgcm-openssl", "aesgcm-sodium" };

struct run {
	const struct wt_backend *subject;
	char title[128];
};

/* Alone, and in agreement with each of the others. */
static void passes_the_suite(void **state)
{
	const struct run *run = *state;

	wt_fault_none_in(run->subject->loaded->plugin.path);
}

static void says_what_it_is(void **state)
{
	const struct run *run = *state;
	const struct wt_plugin_descriptor *d = run->subject->descriptor;
	const struct wt_crypto_ops *ops = d->ops;

	assert_string_equal(d->algorithm, WT_ALGORITHM_AES256GCM);
	assert_string_equal(d->license, "MIT");
	assert_true(d->summary && d->summary[0] && !strchr(d->summary, '\n'));
	assert_int_equal(ops->struct_size, sizeof *ops);
	assert_int_equal(ops->key_size, WT_KEY_SIZE);
	assert_int_equal(ops->nonce_size, WT_NONCE_SIZE);
	assert_int_equal(ops->tag_size, WT_TAG_SIZE);
	assert_in_range(ops->ctx_size, 1, 65536);
	assert_in_range(ops->ctx_align, 1, 4096);
	assert_int_equal(ops->ctx_align & (ops->ctx_align - 1), 0);
}

/* All steps of the daemon's own loading, the self-test with known answers
 * included. */
static void passes_the_loader(void **state)
{
	const struct run *run = *state;
	struct wt_host_instance host;
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL;

	assert_int_equal(wt_host_base_init(&host, WT_KIND_CRYPTO, "test", NULL, NULL, &err), WT_OK);
	struct wt_registry *registry = wt_registry_new(&(struct wt_registry_options){
		.plugin_dir = WT_TEST_PLUGIN_DIR, .host = &host.host });

	assert_non_null(registry);
	if (wt_registry_load(registry, WT_KIND_CRYPTO, run->subject->descriptor->name, &plugin,
			     &err) != WT_OK)
		fail_msg("%s", err.text);
	assert_true(plugin->standard);
	wt_registry_free(registry);
}

static struct run runs[RUNS_MAX];
static struct CMUnitTest tests[RUNS_MAX];
static size_t run_count;

static void add(CMUnitTestFunction test, const struct wt_backend *subject, const char *what)
{
	struct run *run = &runs[run_count];

	*run = (struct run){ .subject = subject };
	snprintf(run->title, sizeof run->title, "%s %s", subject->descriptor->name, what);
	tests[run_count++] = (struct CMUnitTest){
		.name = run->title,
		.test_func = test,
		.initial_state = run,
	};
}

static void add_all(struct wt_backend **backends, size_t n)
{
	for (size_t s = 0; s < n; s++) {
		add(says_what_it_is, backends[s], "says what it is");
		add(passes_the_loader, backends[s], "passes the loader");
		add(passes_the_suite, backends[s], "passes the suite");
	}
}

static bool all_expected(char (*names)[WT_NAME_MAX + 1], size_t n)
{
	for (size_t e = 0; e < sizeof expected / sizeof expected[0]; e++) {
		size_t i = 0;

		while (i < n && strcmp(names[i], expected[e]) != 0)
			i++;
		if (i == n) {
			print_error("crypto-%s.so is not in %s: build all targets first\n",
				    expected[e], WT_TEST_PLUGIN_DIR);
			return false;
		}
	}
	return true;
}

int main(void)
{
	char names[BACKENDS_MAX][WT_NAME_MAX + 1];
	struct wt_backend *backends[BACKENDS_MAX];
	size_t name_count = wt_backend_names(WT_TEST_PLUGIN_DIR, names, BACKENDS_MAX);
	size_t n = 0;
	int failed = all_expected(names, name_count) ? 0 : 1;

	for (size_t i = 0; i < name_count; i++) {
		struct wt_error err = WT_ERROR_INIT;
		enum wt_status status;

		backends[n] = wt_backend_open(WT_TEST_PLUGIN_DIR, names[i], &status, &err);
		if (backends[n]) {
			n++;
		} else if (status == WT_ERR_UNAVAILABLE) {
			print_message("skipped: %s: %s\n", names[i], err.text);
		} else {
			print_error("%s: %s\n", names[i], err.text);
			failed = 1;
		}
	}
	if (name_count < BACKENDS_MAX) {
		add_all(backends, n);
	} else {
		print_error("too many backends: raise BACKENDS_MAX\n");
		failed = 1;
	}
	failed |= cmocka_run_group_tests_name("crypto backends", tests, NULL, NULL);
	while (n > 0)
		wt_backend_close(backends[--n]);
	return failed;
}
