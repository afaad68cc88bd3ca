/* SPDX-License-Identifier: MIT */
#include "compare/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

#define OUTER_PORT 4000u
#define INNER_PORT 5000u
#define PROBE_MS 20
#define LINE_MAX_BYTES 400u

static const char *const end_text[] = { "the end that dials", "the end that listens" };

/* ---- start --------------------------------------------------------------- */

static bool write_ini(const char *path, const struct wt_tunnel_spec *spec, unsigned end,
		      const char *dir)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (!file)
		return false;
	fprintf(file, "[tunnel]\ninterface = wt%u\naddress = 10.1.%u.%u/24\n", spec->number,
		spec->number, end + 1);
	fprintf(file, "[crypto]\nplugin = %s\n%s", spec->crypto[end],
		spec->insecure ? "allow_insecure = yes\n" : "");
	fprintf(file, "[transport %s]\n", spec->transport);
	if (end == 1)
		fprintf(file, "listen = %s:%u\n", WT_NETPAIR_ADDRESS(1), OUTER_PORT + spec->number);
	fprintf(file, "[auth hmac]\n[peer other]\npsk_file = %s/psk\n", dir);
	if (end == 0)
		fprintf(file, "endpoint = %s://%s:%u\n", spec->transport, WT_NETPAIR_ADDRESS(1),
			OUTER_PORT + spec->number);
	fprintf(file, "allowed_ips = 10.1.%u.%u/32\n", spec->number, 2 - end);
	return fclose(file) == 0;
}

static _Noreturn void become_daemon(const struct wt_tunnel_place *place, unsigned end, pid_t parent,
				    const char *ini, const char *log)
{
	char plugins[PATH_MAX + 32], *const argv[] = { (char *)"wtcore", (char *)"-c", (char *)ini,
						       NULL };
	char *const envp[] = { plugins, NULL };
	int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);

	snprintf(plugins, sizeof plugins, "WT_PLUGIN_DIR=%s/plugins", place->dir);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && fd >= 0 &&
	    dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0 &&
	    wt_netpair_enter(place->net, end)) {
		execve(place->wtcore, argv, envp);
		dprintf(STDERR_FILENO, "%s cannot be run: %s\n", place->wtcore, strerror(errno));
	}
	_exit(1);
}

/* What comes through the tunnel wakes it. */
static int new_probe(const struct wt_netpair *net, uint16_t port)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = wt_netpair_enter(net, 1)
			 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
			 : -1;

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof any) != 0) {
		close(fd);
		fd = -1;
	}
	return wt_netpair_enter(net, 0) ? fd : -1;
}

enum wt_status wt_tunnel_start(struct wt_tunnel *t, const struct wt_tunnel_spec *spec,
			       const struct wt_tunnel_place *place, struct wt_error *err)
{
	char ini[PATH_MAX];

	*t = (struct wt_tunnel){ .port = (uint16_t)(INNER_PORT + spec->number), .probe = -1 };
	snprintf(t->address, sizeof t->address, "10.1.%u.2", spec->number % 256);
	t->probe = new_probe(place->net, t->port);
	if (t->probe < 0)
		return wt_fail(err, WT_ERR_IO,
			       "a socket in a namespace: %s; try again, or with --no-tunnel",
			       strerror(errno));
	/* Who listens, first. */
	for (unsigned end = 2; end-- > 0;) {
		const pid_t parent = getpid();

		snprintf(ini, sizeof ini, "%s/%u-%u.ini", place->dir, spec->number, end);
		snprintf(t->logs[end], sizeof t->logs[end], "%s/%u-%u.log", place->dir,
			 spec->number, end);
		if (!write_ini(ini, spec, end, place->dir))
			return wt_fail(err, WT_ERR_IO, "%s: %s; free memory, or use --no-tunnel",
				       ini, strerror(errno));
		pid_t pid = fork();

		if (pid < 0)
			return wt_fail(err, WT_ERR_IO,
				       "cannot fork: %s; end other programs, or use --no-tunnel",
				       strerror(errno));
		if (pid == 0)
			become_daemon(place, end, parent, ini, t->logs[end]);
		t->pids[end] = pid;
	}
	return WT_OK;
}

void wt_tunnel_stop(struct wt_tunnel *t)
{
	for (unsigned end = 0; end < 2; end++)
		if (t->pids[end] > 0)
			kill(t->pids[end], SIGKILL);
	for (unsigned end = 0; end < 2; end++)
		while (t->pids[end] > 0 && waitpid(t->pids[end], NULL, 0) < 0 && errno == EINTR)
			;
	if (t->probe >= 0)
		close(t->probe);
	*t = (struct wt_tunnel){ .probe = -1 };
}

/* ---- up ------------------------------------------------------------------ */

/* A zombie stays until wt_tunnel_stop, so that its number stays, too. */
static bool is_alive(const struct wt_tunnel *t)
{
	for (unsigned end = 0; end < 2; end++) {
		siginfo_t info = { .si_pid = 0 };

		if (t->pids[end] == 0 ||
		    waitid(P_PID, (id_t)t->pids[end], &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
		    info.si_pid != 0)
			return false;
	}
	return true;
}

static void knock(const struct wt_tunnel *t, int fd)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(t->port) };

	/* There is no route until the device is there: the next one arrives. */
	if (inet_pton(AF_INET, t->address, &to.sin_addr) == 1)
		(void)sendto(fd, "?", 1, MSG_DONTWAIT, (const struct sockaddr *)&to, sizeof to);
}

void wt_tunnels_wait(struct wt_tunnel *tunnels, size_t n, const struct wt_netpair *net,
		     unsigned timeout_ms)
{
	const struct wt_clock *clock = &wt_clock_system;
	const uint64_t end = clock->mono_ns(clock) / 1000000u + timeout_ms;
	struct pollfd fds[WT_TUNNEL_MAX];
	bool waiting = true;
	int fd = wt_netpair_enter(net, 0) ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;

	while (fd >= 0 && waiting && clock->mono_ns(clock) / 1000000u < end) {
		waiting = false;
		for (size_t i = 0; i < n && i < WT_TUNNEL_MAX; i++) {
			bool missing = !tunnels[i].up && is_alive(&tunnels[i]);

			fds[i] = (struct pollfd){ .fd = missing ? tunnels[i].probe : -1,
						  .events = POLLIN };
			if (missing)
				knock(&tunnels[i], fd);
			waiting |= missing;
		}
		if (!waiting || poll(fds, n, PROBE_MS) <= 0)
			continue;
		for (size_t i = 0; i < n; i++)
			tunnels[i].up |= (fds[i].revents & POLLIN) != 0;
	}
	if (fd >= 0)
		close(fd);
}

/* ---- what it says and takes ---------------------------------------------- */

/* The last line with an error in it, else the last one. */
static bool last_line(const char *path, char line[LINE_MAX_BYTES])
{
	char now[LINE_MAX_BYTES];
	bool error = false;
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	while (file && fgets(now, sizeof now, file)) {
		bool is_error = strstr(now, "error:") || strstr(now, "cannot");

		if (!now[strspn(now, "\n")] || (error && !is_error))
			continue;
		error = error || is_error;
		now[strcspn(now, "\n")] = '\0';
		memcpy(line, now, sizeof now);
	}
	if (file)
		fclose(file);
	return error;
}

void wt_tunnel_complain(const struct wt_tunnel *t, struct wt_error *err)
{
	char line[2][LINE_MAX_BYTES];
	unsigned end = last_line(t->logs[0], line[0]) ? 0 : 1;

	if (!last_line(t->logs[1], line[1]) && end == 1)
		end = 0;
	wt_fail(err, WT_ERR_IO, "no tunnel; %s: %s", end_text[end],
		line[end][0] ? line[end] : "it says nothing");
}

uint64_t wt_tunnel_processor_ns(const struct wt_tunnel *t)
{
	uint64_t ns = 0;

	for (unsigned end = 0; end < 2; end++) {
		struct timespec took = { 0 };
		clockid_t clock;

		if (t->pids[end] > 0 && clock_getcpuclockid(t->pids[end], &clock) == 0 &&
		    clock_gettime(clock, &took) == 0)
			ns += (uint64_t)took.tv_sec * 1000000000u + (uint64_t)took.tv_nsec;
	}
	return ns;
}
