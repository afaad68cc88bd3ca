/* SPDX-License-Identifier: MIT */
#include "support/device.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/netns.h"

#define DEVICE "/dev/net/tun"

/* ---- looking ---- */

struct wt_prefix wt_device_prefix(const char *text)
{
	struct wt_prefix out = { 0 };

	assert_int_equal(wt_prefix_parse(text, &out), WT_OK);
	return out;
}

static unsigned mask_length(const struct sockaddr *mask, size_t skip, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)mask + skip;
	unsigned length = 0;

	for (size_t i = 0; i < size; i++)
		length += (unsigned)__builtin_popcount(bytes[i]);
	return length;
}

/* How many addresses of the family does the device have, and is `wanted` (may
 * be NULL) one of them? */
static unsigned addresses(const char *name, int family, const char *wanted, bool *found)
{
	size_t skip = family == AF_INET ? offsetof(struct sockaddr_in, sin_addr)
					: offsetof(struct sockaddr_in6, sin6_addr);
	size_t size = family == AF_INET ? 4 : 16;
	struct ifaddrs *list = NULL;
	unsigned n = 0;

	assert_int_equal(getifaddrs(&list), 0);
	*found = false;
	for (struct ifaddrs *a = list; a; a = a->ifa_next) {
		struct wt_prefix p;

		if (strcmp(a->ifa_name, name) != 0 || !a->ifa_addr ||
		    a->ifa_addr->sa_family != family)
			continue;
		n++;
		if (!wanted)
			continue;
		p = wt_device_prefix(wanted);
		if (memcmp((const uint8_t *)a->ifa_addr + skip, p.bytes, size) == 0 &&
		    mask_length(a->ifa_netmask, skip, size) == p.length)
			*found = true;
	}
	freeifaddrs(list);
	return n;
}

bool wt_device_has_address(const char *name, const char *wanted)
{
	bool found;

	addresses(name, wt_device_prefix(wanted).family, wanted, &found);
	return found;
}

unsigned wt_device_address_count(const char *name, int family)
{
	bool found;

	return addresses(name, family, NULL, &found);
}

/* One line of /proc/net/route or /proc/net/ipv6_route: is it `wanted` by the
 * device? */
static bool route_line(const char *line, const char *name, const struct wt_prefix *wanted)
{
	char device[64] = "", hex[33] = "";
	unsigned dst, mask, length;
	struct in_addr v4;

	if (wanted->family == AF_INET) {
		if (sscanf(line, "%63s %x %*s %*s %*s %*s %*s %x", device, &dst, &mask) != 3)
			return false;
		v4.s_addr = dst;
		return strcmp(device, name) == 0 && memcmp(&v4, wanted->bytes, 4) == 0 &&
		       (unsigned)__builtin_popcount(mask) == wanted->length;
	}
	if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %*s %63s", hex, &length, device) != 3 ||
	    strcmp(device, name) != 0 || length != wanted->length)
		return false;
	for (size_t i = 0; i < 16; i++) {
		unsigned byte = 0;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || byte != wanted->bytes[i])
			return false;
	}
	return true;
}

unsigned wt_device_route_count(const char *name, const char *wanted)
{
	struct wt_prefix p = wt_device_prefix(wanted);
	FILE *table = fopen(p.family == AF_INET ? "/proc/net/route" : "/proc/net/ipv6_route", "re");
	char line[256];
	unsigned n = 0;

	assert_non_null(table);
	while (fgets(line, sizeof line, table))
		n += route_line(line, name, &p);
	fclose(table);
	return n;
}

static int ask_link(const char *name, unsigned long request, struct ifreq *answer)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	*answer = (struct ifreq){ 0 };
	snprintf(answer->ifr_name, sizeof answer->ifr_name, "%s", name);
	result = ioctl(fd, request, answer);
	close(fd);
	return result;
}

int wt_device_mtu(const char *name)
{
	struct ifreq answer;

	assert_int_equal(ask_link(name, SIOCGIFMTU, &answer), 0);
	return answer.ifr_mtu;
}

int wt_device_queue(const char *name)
{
	struct ifreq answer;

	assert_int_equal(ask_link(name, SIOCGIFTXQLEN, &answer), 0);
	return answer.ifr_qlen;
}

bool wt_device_is_up(const char *name)
{
	struct ifreq answer;

	assert_int_equal(ask_link(name, SIOCGIFFLAGS, &answer), 0);
	return answer.ifr_flags & IFF_UP;
}

/* Makes a TUN or TAP device the kernel's plain way; returns its descriptor. */
int wt_device_plain(const char *name, short flags, bool persistent)
{
	struct ifreq request = { .ifr_flags = flags };
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
	    (persistent && ioctl(fd, TUNSETPERSIST, 1ul) < 0)) {
		print_message("skipped: cannot make a device: %s\n", strerror(errno));
		skip();
	}
	return fd;
}

/* ---- the room ---- */

void wt_device_enter(void)
{
	wt_netns_enter();
	if (access(DEVICE, R_OK | W_OK) != 0) {
		print_message("skipped: " DEVICE ": %s\n", strerror(errno));
		skip();
	}
}

void wt_device_open(struct wt_tun *tun, const char *name)
{
	struct wt_error err = WT_ERROR_INIT;

	if (wt_tun_open(tun, name, &err) != WT_OK)
		fail_msg("%s", err.text);
}

enum wt_status wt_device_configure(struct wt_tun *tun, const struct wt_wish *wish,
				   struct wt_error *err)
{
	struct wt_prefix a[6], r[12];
	struct wt_tun_network network = { .addresses = a,
					  .routes = r,
					  .mtu = wish->mtu ? wish->mtu : 1500,
					  .txqueuelen = wish->txqueuelen };

	while (network.address_count < 6 && wish->addresses[network.address_count]) {
		a[network.address_count] = wt_device_prefix(wish->addresses[network.address_count]);
		network.address_count++;
	}
	while (network.route_count < 12 && wish->routes[network.route_count]) {
		r[network.route_count] = wt_device_prefix(wish->routes[network.route_count]);
		network.route_count++;
	}
	return wt_tun_configure(tun, &network, err);
}

void wt_device_configure_well(struct wt_tun *tun, const struct wt_wish *wish)
{
	struct wt_error err = WT_ERROR_INIT;

	if (wt_device_configure(tun, wish, &err) != WT_OK)
		fail_msg("%s", err.text);
}
