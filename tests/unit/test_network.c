/* SPDX-License-Identifier: MIT
 *
 * What is set up on the device, the packets that then flow, and the ways to
 * addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/device.h"
#include "support/logged.h"
#include "tun/tun.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- addresses, MTU, routes ---- */

static void addresses_mtu_and_routes_are_set(void **state)
{
	static const struct wt_wish wish = {
		.addresses = { "10.8.0.1/24", "fd00:8::1/64", "10.8.7.1/32", "10.8.0.1/24" },
		.routes = { "10.8.0.2/32", "10.8.0.0/24", "10.9.0.0/16", "10.9.0.0/16",
			    "10.9.1.0/24", "10.8.0.0/16", "192.0.2.7/32", "fd00:8::2/128",
			    "fd00:9::/48", "fd00:9::/48" },
		.mtu = 1380,
		.txqueuelen = 77,
	};
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun, &wish);
	assert_int_equal(wt_device_mtu("wt0"), 1380);
	assert_int_equal(wt_device_queue("wt0"), 77);
	assert_true(wt_device_is_up("wt0"));
	assert_int_equal(wt_device_address_count("wt0", AF_INET), 2);
	assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
	assert_true(wt_device_has_address("wt0", "10.8.7.1/32"));
	/* no fe80:: of the kernel's own */
	assert_int_equal(wt_device_address_count("wt0", AF_INET6), 1);
	assert_true(wt_device_has_address("wt0", "fd00:8::1/64"));
	assert_int_equal(wt_device_route_count("wt0", "10.8.0.0/24"), 1);
	assert_int_equal(wt_device_route_count("wt0", "10.8.0.2/32"), 0);
	assert_int_equal(wt_device_route_count("wt0", "10.8.0.0/16"), 1);
	assert_int_equal(wt_device_route_count("wt0", "10.9.0.0/16"), 1);
	assert_int_equal(wt_device_route_count("wt0", "10.9.1.0/24"), 1);
	assert_int_equal(wt_device_route_count("wt0", "192.0.2.7/32"), 1);
	assert_int_equal(wt_device_route_count("wt0", "fd00:8::/64"), 1);
	assert_int_equal(wt_device_route_count("wt0", "fd00:8::2/128"), 0);
	assert_int_equal(wt_device_route_count("wt0", "fd00:9::/48"), 1);
	wt_tun_close(&tun);
	assert_int_equal(wt_device_route_count("wt0", "10.9.0.0/16"), 0);
}

static void an_address_on_another_device_does_not_count(void **state)
{
	static const struct wt_wish wish = { .addresses = { "10.8.0.1/24" } };
	struct wt_tun first, second;

	(void)state;
	wt_device_enter();
	wt_device_open(&first, "wt0");
	wt_device_open(&second, "wt1");
	wt_device_configure_well(&first, &wish);
	wt_device_configure_well(&second, &wish);
	assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
	assert_true(wt_device_has_address("wt1", "10.8.0.1/24"));
	wt_tun_close(&second);
	wt_tun_close(&first);
}

static void a_queue_of_zero_is_left_alone(void **state)
{
	struct wt_tun tun;
	int before;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	before = wt_device_queue("wt0");
	assert_true(before > 0);
	wt_device_configure_well(&tun, &(struct wt_wish){ .mtu = 1500 });
	assert_int_equal(wt_device_queue("wt0"), before);
	assert_true(wt_device_is_up("wt0"));
	wt_tun_close(&tun);
}

static void settings_that_cannot_work_are_named(void **state)
{
	static const struct {
		struct wt_wish wish;
		enum wt_status status;
		const char *text;
	} cases[] = {
		{ { .mtu = 70000 }, WT_ERR_IO, "cannot set mtu 70000 on wt0: Invalid argument" },
		{ { .mtu = 10 }, WT_ERR_IO, "cannot set mtu 10 on wt0: Invalid argument" },
		{ { .addresses = { "fd00::1/64" }, .mtu = 1279 },
		  WT_ERR_CONFIG,
		  "cannot add address fd00::1/64 to wt0: IPv6 needs an mtu of at least 1280, this "
		  "one is 1279" },
		{ { .addresses = { "fd00::1/64", "fd00::1/48" } },
		  WT_ERR_CONFIG,
		  "cannot add address fd00::1/48 to wt0: it is there with another prefix length" },
		{ { .addresses = { "ff02::1/64" } },
		  WT_ERR_IO,
		  "cannot add address ff02::1/64 to wt0: " },
		{ { .routes = { "198.51.100.0/24" } },
		  WT_ERR_CONFIG,
		  "cannot add route 198.51.100.0/24 by wt0: there is another route to it (see: ip "
		  "route show 198.51.100.0/24): remove that, or set routes = off" },
		{ { .routes = { "10.9.0.1/16" } },
		  WT_ERR_IO,
		  "cannot add route 10.9.0.1/16 by wt0: Invalid argument" },
	};
	struct wt_tun other;

	(void)state;
	wt_device_enter();
	wt_device_open(&other, "other0");
	wt_device_configure_well(&other, &(struct wt_wish){ .routes = { "198.51.100.0/24" } });
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_tun tun;

		wt_device_open(&tun, "wt0");
		assert_int_equal(wt_device_configure(&tun, &cases[i].wish, &err), cases[i].status);
		if (!strstr(err.text, cases[i].text))
			fail_msg("case %zu: %s", i, err.text);
		wt_tun_close(&tun);
	}
	wt_tun_close(&other);
}

static int write_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

	if (fd >= 0)
		close(fd);
	return n > 0 ? 0 : -1;
}

static void ipv6_that_is_off_is_said_to_be(void **state)
{
	static const struct {
		struct wt_wish wish;
		const char *text;
	} cases[] = {
		{ { .addresses = { "fd00::1/64" } },
		  "cannot add address fd00::1/64 to wt0: IPv6 is disabled here: sysctl" },
		{ { .routes = { "fd00:9::/48" } },
		  "cannot add route fd00:9::/48 by wt0: IPv6 is disabled here" },
	};

	(void)state;
	wt_device_enter();
	if (write_sysctl("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1") < 0 ||
	    write_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") < 0) {
		print_message("skipped: cannot switch IPv6 off: %s\n", strerror(errno));
		skip();
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_tun tun;

		wt_device_open(&tun, "wt0");
		wt_device_configure_well(&tun, &(struct wt_wish){ .addresses = { "10.8.0.1/24" } });
		assert_int_equal(wt_device_configure(&tun, &cases[i].wish, &err), WT_ERR_CONFIG);
		assert_non_null(strstr(err.text, cases[i].text));
		wt_tun_close(&tun);
	}
}

static void a_default_route_is_explained_not_set(void **state)
{
	static const struct {
		const char *route, *half, *text;
	} cases[] = {
		{ "0.0.0.0/0", "0.0.0.0/1",
		  "ip route add ENDPOINT via GATEWAY; then: ip route add 0.0.0.0/1 dev wt0; ip "
		  "route add 128.0.0.0/1 dev wt0" },
		{ "::/0", "::/1",
		  "ip -6 route add ENDPOINT via GATEWAY; then: ip -6 route add ::/1 dev wt0; ip -6 "
		  "route add 8000::/1 dev wt0" },
	};

	(void)state;
	wt_device_enter();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_wish wish = { .addresses = { "10.8.0.1/24", "fd00:8::1/64" },
					.routes = { cases[i].route, cases[i].route } };
		struct wt_tun tun;

		wt_device_open(&tun, "wt0");
		wt_logged_start();
		wt_device_configure_well(&tun, &wish);
		wt_logged_stop();
		assert_int_equal(wt_logged_count(), 1);
		assert_non_null(strstr(wt_logged_last(), cases[i].route));
		assert_non_null(strstr(wt_logged_last(), cases[i].text));
		assert_int_equal(wt_device_route_count("wt0", cases[i].route), 0);
		/* Asked for in halves, it is what the operator wants. */
		wt_device_configure_well(&tun, &(struct wt_wish){ .routes = { cases[i].half } });
		assert_int_equal(wt_device_route_count("wt0", cases[i].half), 1);
		wt_tun_close(&tun);
	}
}

/* ---- packets ---- */

static bool wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 10000) == 1;
}

static int udp_socket(int family, const char *address, uint16_t port)
{
	struct wt_prefix p = wt_device_prefix(address);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(&v4.sin_addr, p.bytes, 4);
	memcpy(&v6.sin6_addr, p.bytes, 16);
	assert_true(fd >= 0);
	/* Fails for an IPv6 address that is still tentative. */
	assert_int_equal(bind(fd, family == AF_INET ? (void *)&v4 : (void *)&v6,
			      family == AF_INET ? sizeof v4 : sizeof v6),
			 0);
	return fd;
}

static uint16_t internet_sum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)(data[i] << 8) | (i + 1 < len ? data[i + 1] : 0u);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#define TEXT "through the tunnel"
#define V4_PACKET (20 + 8 + sizeof TEXT)

static void a_written_packet_reaches_a_socket(void **state)
{
	uint8_t buf[WT_TUN_HEADER + V4_PACKET] = { 0 }, *ip = buf + WT_TUN_HEADER;
	/* 10.8.0.2:1000 -> 10.8.0.1:2000, no UDP checksum */
	static const uint8_t head[28] = {
		0x45, 0, 0, V4_PACKET, 0, 0, 0, 0,    64,   17,	  0,	0, 10,
		8,    0, 2, 10,	       8, 0, 1, 0x03, 0xe8, 0x07, 0xd0, 0, 8 + sizeof TEXT
	};
	struct wt_tun tun;
	char got[64];
	uint16_t sum;
	int fd;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun, &(struct wt_wish){ .addresses = { "10.8.0.1/24" } });
	fd = udp_socket(AF_INET, "10.8.0.1", 2000);
	memcpy(ip, head, sizeof head);
	memcpy(ip + sizeof head, TEXT, sizeof TEXT);
	sum = internet_sum(ip, 20);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	assert_int_equal(write(tun.fd, buf, sizeof buf), sizeof buf);
	assert_true(wait_readable(fd));
	assert_int_equal(recv(fd, got, sizeof got, MSG_DONTWAIT), sizeof TEXT);
	assert_string_equal(got, TEXT);
	close(fd);
	wt_tun_close(&tun);
}

/* Reads packets until one has this version and protocol; the kernel sends
 * multicast reports of its own. */
static size_t read_packet(int fd, uint8_t version, uint8_t *buf, size_t size)
{
	for (;;) {
		ssize_t n;

		assert_true(wait_readable(fd));
		n = read(fd, buf, size);
		assert_true(n > (ssize_t)WT_TUN_HEADER + 20);
		if (buf[WT_TUN_HEADER] >> 4 == version &&
		    buf[WT_TUN_HEADER + (version == 4 ? 9 : 6)] == IPPROTO_UDP)
			return (size_t)n;
	}
}

static void a_sent_packet_is_read_behind_an_empty_header(void **state)
{
	static const uint8_t no_offload[WT_TUN_HEADER];
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	struct wt_prefix to4 = wt_device_prefix("192.0.2.7"), to6 = wt_device_prefix("fd00:9::7");
	struct wt_tun tun;
	uint8_t buf[2048];
	size_t n;
	int fd;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun,
				 &(struct wt_wish){ .addresses = { "10.8.0.1/24", "fd00:8::1/64" },
						    .routes = { "192.0.2.0/24", "fd00:9::/48" } });
	memcpy(&v4.sin_addr, to4.bytes, 4);
	memcpy(&v6.sin6_addr, to6.bytes, 16);
	fd = udp_socket(AF_INET, "10.8.0.1", 2000);
	assert_int_equal(sendto(fd, TEXT, sizeof TEXT, 0, (void *)&v4, sizeof v4), sizeof TEXT);
	close(fd);
	n = read_packet(tun.fd, 4, buf, sizeof buf);
	assert_int_equal(n, WT_TUN_HEADER + V4_PACKET);
	assert_memory_equal(buf, no_offload, sizeof no_offload);
	assert_memory_equal(buf + WT_TUN_HEADER + 16, to4.bytes, 4);
	assert_memory_equal(buf + WT_TUN_HEADER + 28, TEXT, sizeof TEXT);

	fd = udp_socket(AF_INET6, "fd00:8::1", 2000);
	assert_int_equal(sendto(fd, TEXT, sizeof TEXT, 0, (void *)&v6, sizeof v6), sizeof TEXT);
	close(fd);
	n = read_packet(tun.fd, 6, buf, sizeof buf);
	assert_int_equal(n, WT_TUN_HEADER + 40 + 8 + sizeof TEXT);
	assert_memory_equal(buf, no_offload, sizeof no_offload);
	assert_memory_equal(buf + WT_TUN_HEADER + 24, to6.bytes, 16);
	assert_memory_equal(buf + WT_TUN_HEADER + 48, TEXT, sizeof TEXT);
	wt_tun_close(&tun);
}

/* ---- the way to an address ---- */

/* mtu 0: none of its own */
static void add_route(const char *network, uint8_t type, unsigned ifindex, unsigned mtu)
{
	struct wt_prefix p = wt_device_prefix(network);
	struct nl_sock *sock = nl_socket_alloc();
	struct rtnl_route *route = rtnl_route_alloc();
	struct nl_addr *dst = nl_addr_build(p.family, p.bytes, p.family == AF_INET ? 4 : 16);

	assert_true(sock && route && dst);
	assert_int_equal(nl_connect(sock, NETLINK_ROUTE), 0);
	nl_addr_set_prefixlen(dst, p.length);
	assert_int_equal(rtnl_route_set_dst(route, dst), 0);
	assert_int_equal(rtnl_route_set_type(route, type), 0);
	if (mtu)
		assert_int_equal(rtnl_route_set_metric(route, RTAX_MTU, mtu), 0);
	if (ifindex) {
		struct rtnl_nexthop *hop = rtnl_route_nh_alloc();

		assert_non_null(hop);
		rtnl_route_nh_set_ifindex(hop, (int)ifindex);
		rtnl_route_add_nexthop(route, hop);
	}
	assert_int_equal(rtnl_route_add(sock, route, NLM_F_EXCL), 0);
	nl_addr_put(dst);
	rtnl_route_put(route);
	nl_socket_free(sock);
}

static struct sockaddr_storage address(const char *text)
{
	struct wt_prefix p = wt_device_prefix(text);
	struct sockaddr_storage out = { .ss_family = p.family };

	if (p.family == AF_INET)
		memcpy(&((struct sockaddr_in *)&out)->sin_addr, p.bytes, 4);
	else
		memcpy(&((struct sockaddr_in6 *)&out)->sin6_addr, p.bytes, 16);
	return out;
}

static void the_way_to_an_address_has_a_link_and_an_mtu(void **state)
{
	static const struct {
		const char *to;
		uint32_t mtu; /* 0: no way */
		const char *link;
	} cases[] = {
		{ "10.8.0.2", 1400, "wt0" },
		{ "10.9.1.1", 1400, "wt0" },
		{ "::ffff:10.9.1.1", 1400, "wt0" },
		{ "fd00:8::2", 1400, "wt0" },
		{ "10.20.0.1", 1333, "wt0" }, /* the route says so */
		{ "198.51.100.1", 1480, "out0" },
		{ "203.0.113.1", 0, "no route to 203.0.113.1: Network is unreachable" },
		{ "10.66.0.1", 0, "no route to 10.66.0.1: " }, /* unreachable */
		{ "10.67.0.1", 0, "no route to 10.67.0.1: " }, /* blackhole */
		{ "2001:db8::1", 0, "no route to 2001:db8::1: Network is unreachable" },
		{ "fd00:66::1", 0, "no route to fd00:66::1: " }, /* unreachable */
	};
	struct wt_tun tun, out;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_open(&out, "out0");
	wt_device_configure_well(&tun,
				 &(struct wt_wish){ .addresses = { "10.8.0.1/24", "fd00:8::1/64" },
						    .routes = { "10.9.0.0/16" },
						    .mtu = 1400 });
	wt_device_configure_well(&out,
				 &(struct wt_wish){ .routes = { "198.51.100.0/24" }, .mtu = 1480 });
	add_route("10.20.0.0/16", RTN_UNICAST, tun.ifindex, 1333);
	add_route("10.66.0.0/16", RTN_UNREACHABLE, 0, 0);
	add_route("10.67.0.0/16", RTN_BLACKHOLE, 0, 0);
	add_route("fd00:66::/32", RTN_UNREACHABLE, 0, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sockaddr_storage to = address(cases[i].to);
		struct wt_error err = WT_ERROR_INIT;
		char link[IFNAMSIZ] = "";
		uint32_t mtu = 0;
		enum wt_status status =
			wt_route_mtu((const struct sockaddr *)&to, &mtu, link, &err);

		if (cases[i].mtu) {
			assert_int_equal(status, WT_OK);
			assert_int_equal(mtu, cases[i].mtu);
			assert_string_equal(link, cases[i].link);
			assert_int_equal(
				wt_route_mtu((const struct sockaddr *)&to, &mtu, NULL, &err),
				WT_OK);
		} else {
			assert_int_equal(status, WT_ERR_IO);
			if (!strstr(err.text, cases[i].link))
				fail_msg("%s: %s", cases[i].to, err.text);
		}
	}
	wt_tun_close(&out);
	wt_tun_close(&tun);
}

static void a_link_local_address_names_its_link(void **state)
{
	struct sockaddr_storage to = address("fe80::1");
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&to;
	struct sockaddr_storage no_ip = { .ss_family = AF_UNIX };
	struct wt_error err = WT_ERROR_INIT;
	char link[IFNAMSIZ] = "";
	struct wt_tun tun;
	uint32_t mtu = 0;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun, &(struct wt_wish){ .mtu = 1411 });
	v6->sin6_scope_id = tun.ifindex;
	assert_int_equal(wt_route_mtu((const struct sockaddr *)&to, &mtu, link, &err), WT_OK);
	assert_int_equal(mtu, 1411);
	assert_string_equal(link, "wt0");
	v6->sin6_scope_id = 9999;
	assert_int_equal(wt_route_mtu((const struct sockaddr *)&to, &mtu, link, &err), WT_ERR_IO);
	assert_non_null(strstr(err.text, "the link towards fe80::1%9999: No such device"));
	assert_int_equal(wt_route_mtu((const struct sockaddr *)&no_ip, &mtu, link, &err),
			 WT_ERR_INVALID);
	wt_tun_close(&tun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_mtu_and_routes_are_set),
		cmocka_unit_test(an_address_on_another_device_does_not_count),
		cmocka_unit_test(a_queue_of_zero_is_left_alone),
		cmocka_unit_test(settings_that_cannot_work_are_named),
		cmocka_unit_test(ipv6_that_is_off_is_said_to_be),
		cmocka_unit_test(a_default_route_is_explained_not_set),
		cmocka_unit_test(a_written_packet_reaches_a_socket),
		cmocka_unit_test(a_sent_packet_is_read_behind_an_empty_header),
		cmocka_unit_test(the_way_to_an_address_has_a_link_and_an_mtu),
		cmocka_unit_test(a_link_local_address_names_its_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
