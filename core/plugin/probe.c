/* SPDX-License-Identifier: MIT */
#include "plugin/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

/* A pipe holds 64 KiB: 128 reports. */
#define DRAIN_MAX 128

struct wt_probe {
	int fd;
};

/* One message from child to parent; a write of up to PIPE_BUF bytes arrives
 * whole. */
struct report {
	uint32_t step;
	uint32_t returned; /* 1: `status` and `text` are final */
	uint32_t status;
	char text[sizeof((struct wt_error *)0)->text];
};
_Static_assert(sizeof(struct report) <= PIPE_BUF, "a report is written in one piece");

/* ---- the child ----------------------------------------------------------- */

static void send_report(int fd, const struct report *report)
{
	while (write(fd, report, sizeof *report) < 0 && errno == EINTR)
		;
}

void wt_probe_step(struct wt_probe *probe, unsigned step)
{
	const struct report report = { .step = step };

	send_report(probe->fd, &report);
}

/* exit() in a plugin must not run what the parent registered with atexit: it
 * would act, and print, a second time. Handlers run last in, first out. */
static void leave_at_once(int status, void *arg)
{
	(void)arg;
	_exit(status);
}

static void settle_in(pid_t parent, int noise_fd)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t none;
	int null;

	/* A group of its own, so that what the plugin forks ends with it; and
	 * it must not outlive us. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* The parent's handlers (a sanitizer's too) would hide the signal. */
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	on_exit(leave_at_once, NULL);

	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(noise_fd, STDOUT_FILENO) < 0 ||
	    dup2(noise_fd, STDERR_FILENO) < 0)
		_exit(1);
}

static _Noreturn void run_child(wt_probe_fn *fn, void *arg, pid_t parent, int report_fd,
				int noise_fd)
{
	struct wt_probe probe = { .fd = report_fd };
	struct wt_error err = WT_ERROR_INIT;
	struct report report = { .returned = 1 };

	settle_in(parent, noise_fd);
	report.status = (uint32_t)fn(&probe, arg, &err);
	memcpy(report.text, err.text, sizeof report.text);
	send_report(report_fd, &report);
	_exit(0);
}

/* ---- the parent ---------------------------------------------------------- */

static void take_report(const struct report *report, struct wt_probe_result *result, bool *returned)
{
	if (!report->returned) {
		result->step = report->step;
		return;
	}
	*returned = true;
	result->status = (enum wt_status)report->status;
	memcpy(result->err.text, report->text, sizeof result->err.text);
	result->err.text[sizeof result->err.text - 1] = '\0';
}

/* Returns whether there may be more. */
static bool drain_reports(int fd, struct wt_probe_result *result, bool *returned)
{
	struct report report;
	ssize_t n = read(fd, &report, sizeof report);

	if (n == (ssize_t)sizeof report) {
		take_report(&report, result, returned);
		return true;
	}
	return n < 0 && errno == EINTR;
}

/* Keep the first line, drop the rest: a child that prints must not block. */
static bool drain_noise(int fd, struct wt_probe_result *result)
{
	char bytes[1024];
	ssize_t n = read(fd, bytes, sizeof bytes);
	size_t have = strlen(result->said);

	for (ssize_t i = 0; i < n && have + 1 < sizeof result->said; i++) {
		/* A newline stands behind the first line until it is cut off. */
		if (have > 0 && result->said[have - 1] == '\n')
			break;
		if (have == 0 && bytes[i] == '\n')
			continue;
		result->said[have++] = bytes[i] ? bytes[i] : ' ';
		result->said[have] = '\0';
	}
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Read what the child says until it ends. False: the time was up before. */
static bool listen_to(int pidfd, int report_fd, int noise_fd, unsigned timeout_ms,
		      struct wt_probe_result *result, bool *returned)
{
	const struct wt_clock *clock = &wt_clock_system;
	uint64_t end = clock->mono_ns(clock) / 1000000u + timeout_ms;
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = report_fd, .events = POLLIN },
		{ .fd = noise_fd, .events = POLLIN },
	};
	bool in_time = true;

	for (;;) {
		uint64_t now = clock->mono_ns(clock) / 1000000u;

		in_time = now < end;
		if (!in_time || (poll(fds, 3, (int)(end - now)) < 0 && errno != EINTR))
			break;
		/* A plugin may have closed the pipes and live on: ends of file
		 * are no end of the child. */
		if (fds[1].revents && !drain_reports(report_fd, result, returned))
			fds[1].fd = -1;
		if (fds[2].revents && !drain_noise(noise_fd, result))
			fds[2].fd = -1;
		if (fds[0].revents)
			break;
	}
	return in_time;
}

/* Kill the child and what it forked, reap it, and say how it ended. */
static void end_child(pid_t pid, bool in_time, bool returned, struct wt_probe_result *result)
{
	int status = 0;

	kill(-pid, SIGKILL);
	if (!in_time)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (returned) {
		result->end = WT_PROBE_RETURNED;
	} else if (!in_time) {
		result->end = WT_PROBE_TIMED_OUT;
	} else if (WIFSIGNALED(status)) {
		result->end = WT_PROBE_KILLED;
		result->signal = WTERMSIG(status);
	} else {
		result->end = WT_PROBE_EXITED;
		result->exit_status = WEXITSTATUS(status);
	}
}

static void watch_child(pid_t pid, int pidfd, int report_fd, int noise_fd, unsigned timeout_ms,
			struct wt_probe_result *result)
{
	bool returned = false;
	bool in_time = listen_to(pidfd, report_fd, noise_fd, timeout_ms, result, &returned);

	end_child(pid, in_time, returned, result);
	/* What it said last may still be in the pipes. Not for ever: something
	 * that it forked may have left the group, and write on. */
	for (int i = 0; i < DRAIN_MAX && drain_reports(report_fd, result, &returned); i++)
		;
	for (int i = 0; i < DRAIN_MAX && drain_noise(noise_fd, result); i++)
		;
	if (returned)
		result->end = WT_PROBE_RETURNED;
	result->said[strcspn(result->said, "\n")] = '\0';
}

static void close_pair(const int fds[2])
{
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
}

enum wt_status wt_probe_run(wt_probe_fn *fn, void *arg, unsigned timeout_ms,
			    struct wt_probe_result *result, struct wt_error *err)
{
	enum wt_status status = WT_OK;
	int report[2], noise[2], pidfd;
	pid_t parent = getpid(), pid;

	*result = (struct wt_probe_result){ .err = WT_ERROR_INIT };
	if (pipe2(report, O_CLOEXEC) != 0)
		return wt_fail(err, WT_ERR_IO, "cannot make a pipe: %s", strerror(errno));
	if (pipe2(noise, O_CLOEXEC) != 0) {
		status = wt_fail(err, WT_ERR_IO, "cannot make a pipe: %s", strerror(errno));
		goto close_report;
	}
	fcntl(report[0], F_SETFL, O_NONBLOCK);
	fcntl(noise[0], F_SETFL, O_NONBLOCK);
	/* What our streams hold would be written by both. */
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		status = wt_fail(err, WT_ERR_IO, "cannot fork: %s", strerror(errno));
		goto close_noise;
	}
	if (pid == 0)
		run_child(fn, arg, parent, report[1], noise[1]);
	close(report[1]);
	close(noise[1]);
	report[1] = noise[1] = -1;
	/* Both sides set the group, so that it is there for either. */
	setpgid(pid, pid);
	pidfd = pidfd_open(pid, 0);
	if (pidfd < 0) {
		status = wt_fail(err, WT_ERR_UNAVAILABLE,
				 "pidfd_open: %s; this program needs Linux 5.3 or newer",
				 strerror(errno));
		timeout_ms = 0;
	}
	watch_child(pid, pidfd, report[0], noise[0], timeout_ms, result);
	if (pidfd >= 0)
		close(pidfd);
close_noise:
	close_pair(noise);
close_report:
	close_pair(report);
	return status;
}
