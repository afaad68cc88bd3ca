/* SPDX-License-Identifier: MIT */

/* A process that crashes says where, in one line, and ends as it would have without:
 * by the same signal. Each crash is that of a child. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "engine/crash.h"
#include "engine/whereabouts.h"
#include "plugin/probe.h"
#include "plugin/registry.h"

/* For a child that writes one line. */
#define PATIENCE_MS 60000u
#define HANDLED 3

static struct wt_plugin plugin = { .kind = WT_KIND_AUTH, .name = "mine" };

static void touch_nobodys_page(void)
{
	volatile char *page = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*page = 1;
}

static unsigned deep(volatile char *above)
{
	volatile char here[4096];

	here[0] = above ? above[0] : 1;
	return here[0] ? deep(here) + (unsigned)here[0] : 0;
}

static void overflow_the_stack(void)
{
	/* Where there is no limit it would take all memory first. */
	const struct rlimit little = { 1u << 20, 1u << 20 };

	assert_int_equal(setrlimit(RLIMIT_STACK, &little), 0);
	(void)deep(NULL);
}

static void raise_sigbus(void)
{
	raise(SIGBUS);
}

static void send_sigfpe(void)
{
	kill(getpid(), SIGFPE);
}

struct crash {
	const void *slot;
	enum wt_log_format format;
	void (*happens)(void);
	int signal;
	const char *said; /* the line begins so */
};

static enum wt_status crash(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	const struct crash *what = arg;

	(void)probe;
	(void)err;
	wt_log_setup(WT_LOG_ERROR, what->format);
	wt_calling_know(&plugin);
	wt_crash_watch();
	wt_calling_enter(what->slot);
	what->happens();
	return WT_OK;
}

static void each_crash_is_named(void **state)
{
	static const struct crash cases[] = {
		{ &plugin.ops.auth.create, WT_LOG_TEXT, touch_nobodys_page, SIGSEGV,
		  "error: SIGSEGV in create() of auth plugin \"mine\": this process ends. Report" },
		{ &plugin.ops.auth.accept, WT_LOG_TEXT, overflow_the_stack, SIGSEGV,
		  "error: SIGSEGV in accept() of auth plugin \"mine\": this process ends. Report" },
		{ &plugin.callbacks.timer, WT_LOG_TEXT, abort, SIGABRT,
		  "error: SIGABRT in a timer of auth plugin \"mine\": this process ends. Report" },
		{ NULL, WT_LOG_TEXT, raise_sigbus, SIGBUS, "error: SIGBUS in the core: this" },
		{ &wt_stage_text[WT_STAGE_RECEIVE], WT_LOG_TEXT, send_sigfpe, SIGFPE,
		  "error: SIGFPE in the core, at received records: this process ends. Report" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_probe_result result;
		struct wt_error err = { .struct_size = sizeof err };

		assert_int_equal(wt_probe_run(crash, (void *)&cases[i], PATIENCE_MS, &result, &err),
				 WT_OK);
		assert_int_equal(result.end, WT_PROBE_KILLED);
		assert_int_equal(result.signal, cases[i].signal);
		if (strncmp(result.said, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("it said: %s", result.said);
	}
}

static void the_line_is_json_where_others_are(void **state)
{
	struct crash what = { &plugin.ops.auth.create, WT_LOG_JSON, touch_nobodys_page, SIGSEGV,
			      NULL };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_probe_result result;
	long long seconds;
	int thousandths = -1, at = -1;

	(void)state;
	assert_int_equal(wt_probe_run(crash, &what, PATIENCE_MS, &result, &err), WT_OK);
	assert_int_equal(result.end, WT_PROBE_KILLED);
	(void)sscanf(result.said,
		     "{\"time\":%lld.%3d,\"level\":\"error\",\"message\":\"SIGSEGV in create() of "
		     "auth plugin \\\"mine\\\":%n",
		     &seconds, &thousandths, &at);
	if (at < 0)
		fail_msg("it said: %s", result.said);
	assert_true(seconds > 1000000000);
}

static void handled(int number)
{
	(void)number;
	_exit(HANDLED);
}

static enum wt_status crash_handled(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	signal(SIGSEGV, handled);
	return crash(probe, arg, err);
}

static void who_handles_it_already_goes_on_to(void **state)
{
	struct crash what = { NULL, WT_LOG_TEXT, touch_nobodys_page, 0, NULL };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_probe_result result;

	(void)state;
	assert_int_equal(wt_probe_run(crash_handled, &what, PATIENCE_MS, &result, &err), WT_OK);
	assert_int_equal(result.end, WT_PROBE_EXITED);
	assert_int_equal(result.exit_status, HANDLED);
	assert_string_equal(result.said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_crash_is_named),
		cmocka_unit_test(the_line_is_json_where_others_are),
		cmocka_unit_test(who_handles_it_already_goes_on_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
