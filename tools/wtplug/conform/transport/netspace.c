/* SPDX-License-Identifier: MIT */
#include "conform/transport/netspace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- entering */

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t n = write(fd, text, strlen(text));

	close(fd);
	return n == (ssize_t)strlen(text);
}

/* The rights to set lo up are those of the new namespace's root. */
static bool become_its_root(unsigned uid, unsigned gid)
{
	char map[64];

	snprintf(map, sizeof map, "0 %u 1", uid);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof map, "0 %u 1", gid);
	return write_file("/proc/self/gid_map", map);
}

static bool set_lo(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	snprintf(request->ifr_name, sizeof request->ifr_name, "lo");
	bool good = ioctl(fd, what, request) == 0;

	close(fd);
	return good;
}

static bool set_up(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP };

	return set_lo(SIOCSIFFLAGS, &request);
}

bool wt_netspace_mtu(int mtu)
{
	struct ifreq request = { .ifr_mtu = mtu };

	return set_lo(SIOCSIFMTU, &request);
}

static bool enter(void)
{
	const unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNET) == 0)
		return set_up();
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && become_its_root(uid, gid) && set_up();
}

/* Some systems give a namespace and no right in it; there is no way back from one
 * in which nothing works. So somebody else goes first. */
static bool would_enter(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(enter() ? 0 : 1);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool wt_netspace_enter(void)
{
	return would_enter() && enter();
}

/* ---- addresses */

socklen_t wt_netspace_len(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

uint16_t *wt_netspace_port_of(struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)address)->sin6_port
					      : &((struct sockaddr_in *)address)->sin_port;
}

void wt_netspace_text(const struct sockaddr_storage *address, char out[WT_NETSPACE_TEXT])
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
		snprintf(out, WT_NETSPACE_TEXT, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(out, WT_NETSPACE_TEXT, "%s:%u", host, ntohs(in->sin_port));
	}
}

/* Binds it, and sets its port. */
static int bound(struct sockaddr_storage *address, int type)
{
	int fd = socket(address->ss_family, type | SOCK_CLOEXEC, 0);
	socklen_t len = wt_netspace_len(address);

	if (fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, &len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

uint16_t wt_netspace_port(const struct sockaddr_storage *address)
{
	for (int i = 0; i < 16; i++) {
		struct sockaddr_storage at = *address;
		int tcp = bound(&at, SOCK_STREAM);
		int udp = tcp >= 0 ? bound(&at, SOCK_DGRAM) : -1;

		if (tcp >= 0)
			close(tcp);
		if (udp < 0)
			continue;
		close(udp);
		return *wt_netspace_port_of(&at);
	}
	return 0;
}
