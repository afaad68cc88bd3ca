/* SPDX-License-Identifier: MIT */

/* A call of a start that does not return is named while it lasts, and the next one,
 * though of the same operation, is another. */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "plugin/calling.h"
#include "plugin/registry.h"
#include "plugin/vigil.h"

#define SAY_MS 100u
#define PATIENCE_S 60

static struct wt_plugin plugin = { .kind = WT_KIND_TRANSPORT, .name = "slow" };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t grown = PTHREAD_COND_INITIALIZER;
static char lines[65536];

static void take(void *arg, const char *line)
{
	size_t at;

	(void)arg;
	pthread_mutex_lock(&lock);
	at = strlen(lines);
	snprintf(lines + at, sizeof lines - at, "%s\n", line);
	pthread_cond_broadcast(&grown);
	pthread_mutex_unlock(&lock);
}

/* What was logged from `text` on, which is waited for. */
static const char *wait_for(const char *text)
{
	struct timespec until;
	const char *at;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&lock);
	while (!(at = strstr(lines, text)) && pthread_cond_timedwait(&grown, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
	if (!at)
		fail_msg("\"%s\" does not come; there is:\n%s", text, lines);
	return at;
}

static int setup(void **state)
{
	(void)state;
	lines[0] = '\0';
	wt_calling_know(&plugin);
	wt_log_capture(take, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wt_log_capture(NULL, NULL);
	wt_calling_forget(&plugin);
	return 0;
}

static void a_call_that_lasts_is_named_again_and_again(void **state)
{
	struct wt_vigil *vigil = wt_vigil_begin(SAY_MS);
	const void *outer = wt_calling_enter_slow(&plugin.ops.transport.create);

	(void)state;
	assert_non_null(vigil);
	wait_for("warning: create() of transport plugin \"slow\" has not returned for 0.1 s, and "
		 "this process waits for it.");
	wait_for("has not returned for 0.2 s");
	wait_for("has not returned for 0.4 s");
	wt_calling_leave(outer);
	wt_vigil_end(vigil);
	assert_non_null(
		strstr(lines, "create() of transport plugin \"slow\" has returned, after "));
	assert_null(strstr(lines, "0.3 s, and"));
}

static void one_call_after_the_other_is_not_one(void **state)
{
	struct wt_vigil *vigil = wt_vigil_begin(SAY_MS);
	const void *outer = wt_calling_enter_slow(&plugin.ops.transport.destroy);

	(void)state;
	wait_for("destroy() of transport plugin \"slow\" has not returned");
	/* Between the two nobody looks. */
	(void)wt_calling_enter_slow(&plugin.ops.transport.destroy);
	wait_for("destroy() of transport plugin \"slow\" has returned, after ");
	wt_calling_leave(outer);
	wt_vigil_end(vigil);
}

static void nothing_is_said_where_there_is_nothing(void **state)
{
	(void)state;
	wt_vigil_end(NULL);
	wt_vigil_end(wt_vigil_begin(SAY_MS));
	assert_string_equal(lines, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_call_that_lasts_is_named_again_and_again),
		TEST(one_call_after_the_other_is_not_one),
		TEST(nothing_is_said_where_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
