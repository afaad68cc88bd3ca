/* SPDX-License-Identifier: MIT */

/* A child that crashes, hangs, exits, floods or forks: what the parent learns
 * of it, and that it is gone afterwards. */

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/probe.h"
#include "support/process.h"

#define LONG_MS 60000u
#define SHORT_MS 3000u /* enough to get to the point */

/* ---- children ------------------------------------------------------------ */

static enum wt_status returns_ok(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)arg, (void)err;
	wt_probe_step(probe, 1);
	wt_probe_step(probe, 2);
	return WT_OK;
}

static enum wt_status returns_error(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	wt_probe_step(probe, 3);
	return wt_fail(err, WT_ERR_LIMIT, "%s is too much", (const char *)arg);
}

static enum wt_status crashes(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)err;
	wt_probe_step(probe, 4);
	raise(*(int *)arg);
	return WT_OK;
}

static enum wt_status exits(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)err;
	wt_probe_step(probe, 5);
	exit(*(int *)arg);
}

static enum wt_status hangs(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)arg, (void)err;
	wt_probe_step(probe, 6);
	while (pause() < 0)
		;
	return WT_OK;
}

static enum wt_status hangs_deaf(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)probe, (void)arg, (void)err;
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	while (pause() < 0)
		;
	return WT_OK;
}

static enum wt_status exits_deaf(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)probe, (void)arg, (void)err;
	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	_exit(9);
}

static enum wt_status floods(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)probe, (void)arg, (void)err;
	fputs("\nthe first line\n", stderr);
	for (int i = 0; i < 100000; i++)
		fputs("more than a pipe holds\n", i % 2 ? stderr : stdout);
	return fflush(stdout) == 0 ? WT_OK : WT_ERR_IO;
}

static enum wt_status reads_input(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	char byte;

	(void)probe, (void)arg, (void)err;
	return read(STDIN_FILENO, &byte, 1) == 0 ? WT_OK : WT_ERR_IO;
}

static enum wt_status dumps_no_core(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	struct rlimit limit;

	(void)probe, (void)arg, (void)err;
	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? WT_OK : WT_ERR_LIMIT;
}

/* Leaves a child behind which holds all that it inherited. */
static enum wt_status forks(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)probe, (void)arg, (void)err;
	switch (fork()) {
	case -1:
		return WT_ERR_NOMEM;
	case 0:
		for (;;)
			pause();
	default:
		return WT_OK;
	}
}

static enum wt_status flushes(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	(void)probe, (void)arg, (void)err;
	return fflush(NULL) == 0 ? WT_OK : WT_ERR_IO;
}

/* ---- the table ----------------------------------------------------------- */

static int sigsegv = SIGSEGV, sigill = SIGILL, sigusr1 = SIGUSR1, zero = 0, seven = 7;

static const struct {
	const char *what;
	wt_probe_fn *fn;
	void *arg;
	unsigned timeout_ms;
	enum wt_probe_end end;
	unsigned step;
	int detail; /* status, signal or exit status, by `end` */
	const char *said, *error;
} cases[] = {
	/* clang-format off */
	{ "returns", returns_ok, NULL, LONG_MS, WT_PROBE_RETURNED, 2, WT_OK, "", "" },
	{ "error", returns_error, "this", LONG_MS, WT_PROBE_RETURNED, 3, WT_ERR_LIMIT, "", "this is too much" },
	{ "SIGSEGV", crashes, &sigsegv, LONG_MS, WT_PROBE_KILLED, 4, SIGSEGV, "", "" },
	{ "SIGILL", crashes, &sigill, LONG_MS, WT_PROBE_KILLED, 4, SIGILL, "", "" },
	{ "ignored", crashes, &sigusr1, LONG_MS, WT_PROBE_KILLED, 4, SIGUSR1, "", "" },
	{ "exit 0", exits, &zero, LONG_MS, WT_PROBE_EXITED, 5, 0, "", "" },
	{ "exit 7", exits, &seven, LONG_MS, WT_PROBE_EXITED, 5, 7, "", "" },
	{ "hang", hangs, NULL, SHORT_MS, WT_PROBE_TIMED_OUT, 6, 0, "", "" },
	{ "deaf hang", hangs_deaf, NULL, SHORT_MS, WT_PROBE_TIMED_OUT, 0, 0, "", "" },
	{ "deaf exit", exits_deaf, NULL, LONG_MS, WT_PROBE_EXITED, 0, 9, "", "" },
	{ "flood", floods, NULL, LONG_MS, WT_PROBE_RETURNED, 0, WT_OK, "the first line", "" },
	{ "input", reads_input, NULL, LONG_MS, WT_PROBE_RETURNED, 0, WT_OK, "", "" },
	{ "core", dumps_no_core, NULL, LONG_MS, WT_PROBE_RETURNED, 0, WT_OK, "", "" },
	{ "fork", forks, NULL, LONG_MS, WT_PROBE_RETURNED, 0, WT_OK, "", "" },
	/* clang-format on */
};

static void every_end_is_told_and_nothing_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_probe_result result;
		char *before = wt_process_fds();
		int detail;

		assert_int_equal(
			wt_probe_run(cases[i].fn, cases[i].arg, cases[i].timeout_ms, &result, &err),
			WT_OK);
		if (result.end != cases[i].end)
			fail_msg("%s: ended by %d, expected %d", cases[i].what, (int)result.end,
				 (int)cases[i].end);
		detail = result.end == WT_PROBE_RETURNED ? (int)result.status
			 : result.end == WT_PROBE_KILLED ? result.signal
							 : result.exit_status;
		if (detail != cases[i].detail || result.step != cases[i].step)
			fail_msg("%s: detail %d at step %u", cases[i].what, detail, result.step);
		assert_string_equal(result.said, cases[i].said);
		assert_string_equal(result.err.text, cases[i].error);
		assert_false(wt_process_has_child());

		char *after = wt_process_fds();

		assert_string_equal(after, before);
		free(after);
		free(before);
	}
}

/* The write end of a pipe is inherited by all that the child forks: when it
 * reads as closed, they are all gone. */
static void what_the_child_forked_ends_with_it(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_probe_result result;
	struct pollfd end;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(wt_probe_run(forks, NULL, LONG_MS, &result, &err), WT_OK);
	close(fds[1]);
	end = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, (int)LONG_MS), 1);
	assert_true(end.revents & POLLHUP);
	close(fds[0]);
}

static int exit_pipe[2];

static void tell_exit(void)
{
	if (write(exit_pipe[1], "x", 1) < 0)
		perror("test_probe");
}

/* The child must neither run our exit handlers nor write our buffers. */
static void handlers_and_buffers_stay_ours(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_probe_result result;
	FILE *stream;
	char byte;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	stream = fdopen(fds[1], "w");
	assert_non_null(stream);
	fputs("once", stream);
	assert_int_equal(wt_probe_run(exits, &zero, LONG_MS, &result, &err), WT_OK);
	assert_int_equal(result.end, WT_PROBE_EXITED);
	assert_int_equal(wt_probe_run(flushes, NULL, LONG_MS, &result, &err), WT_OK);
	assert_int_equal(result.status, WT_OK);
	fclose(stream);

	char text[16] = "";

	assert_int_equal(read(fds[0], text, sizeof text - 1), 4);
	assert_string_equal(text, "once");
	close(fds[0]);
	assert_int_equal(read(exit_pipe[0], &byte, 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_is_told_and_nothing_stays),
		cmocka_unit_test(what_the_child_forked_ends_with_it),
		cmocka_unit_test(handlers_and_buffers_stay_ours),
	};

	/* The child must not inherit what its host does with signals. */
	signal(SIGUSR1, SIG_IGN);
	if (pipe2(exit_pipe, O_NONBLOCK) != 0 || atexit(tell_exit) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
