/* SPDX-License-Identifier: MIT
 *
 * transport-udp's reading of what recvmmsg gives, also of what no kernel gives on
 * loopback.
 */
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arrival.h"
#include "path.h"

struct told {
	struct sockaddr_storage name;
	_Alignas(struct cmsghdr) uint8_t control[128];
	struct msghdr msg;
};

static void begin(struct told *told, int flags)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&told->name;

	*told = (struct told){ .msg = { .msg_flags = flags } };
	in->sin_family = AF_INET;
	in->sin_port = htons(4433);
	in->sin_addr.s_addr = htonl(0xc0000201);
	told->msg.msg_name = &told->name;
	told->msg.msg_namelen = sizeof *in;
	told->msg.msg_control = told->control;
}

static void tell(struct told *told, int level, int type, const void *data, size_t size)
{
	struct cmsghdr *header = (struct cmsghdr *)(told->control + told->msg.msg_controllen);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), data, size);
	told->msg.msg_controllen += CMSG_SPACE(size);
}

static void every_length_has_its_fate(void **state)
{
	static const struct {
		size_t len;
		int segment, flags;
		enum wt_udp_arrival_fate fate;
		uint32_t kept, of, count, shorter;
	} cases[] = {
		{ 0, 0, 0, WT_UDP_SHORT, 0, 0, 1, 1 },
		{ 1, 0, 0, WT_UDP_SHORT, 0, 0, 1, 1 },
		{ 7, 0, 0, WT_UDP_SHORT, 0, 0, 1, 1 },
		{ 8, 0, 0, WT_UDP_ARRIVED, 8, 8, 1, 0 },
		{ 65507, 0, 0, WT_UDP_ARRIVED, 65507, 65507, 1, 0 },
		{ 65507, 0, MSG_TRUNC, WT_UDP_TRUNCATED, 0, 0, 1, 0 },
		{ 100, 0, MSG_CTRUNC, WT_UDP_TRUNCATED, 0, 0, 1, 0 },
		{ 3000, 1000, MSG_TRUNC, WT_UDP_TRUNCATED, 0, 0, 3, 0 },
		{ 3000, 1000, 0, WT_UDP_ARRIVED, 3000, 1000, 3, 0 },
		{ 3001, 1000, 0, WT_UDP_ARRIVED, 3000, 1000, 4, 1 },
		{ 3007, 1000, 0, WT_UDP_ARRIVED, 3000, 1000, 4, 1 },
		{ 3008, 1000, 0, WT_UDP_ARRIVED, 3008, 1000, 4, 0 },
		{ 40, 7, 0, WT_UDP_SHORT, 0, 0, 6, 6 },
		{ 1000, 1000, 0, WT_UDP_ARRIVED, 1000, 1000, 1, 0 },
		{ 1000, 2000, 0, WT_UDP_ARRIVED, 1000, 1000, 1, 0 },
		{ 1000, -1, 0, WT_UDP_ARRIVED, 1000, 1000, 1, 0 },
		{ 100000, 100, 0, WT_UDP_ARRIVED, 100000, 100, 1000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_udp_arrival arrival;
		struct told told;

		begin(&told, cases[i].flags);
		if (cases[i].segment != 0)
			tell(&told, IPPROTO_UDP, UDP_GRO, &cases[i].segment,
			     sizeof cases[i].segment);
		assert_int_equal(wt_udp_arrival_read(&told.msg, cases[i].len, &arrival),
				 cases[i].fate);
		assert_int_equal(arrival.count, cases[i].count);
		assert_int_equal(arrival.shorter, cases[i].shorter);
		if (cases[i].fate != WT_UDP_ARRIVED)
			continue;
		assert_int_equal(arrival.len, cases[i].kept);
		assert_int_equal(arrival.segment, cases[i].of);
	}
}

static void the_path_has_both_ends(void **state)
{
	const struct in_pktinfo info = { .ipi_ifindex = 3,
					 .ipi_spec_dst.s_addr = htonl(0x0a000001),
					 .ipi_addr.s_addr = htonl(0x0a0000ff) };
	const int segment = 500;
	struct sockaddr_storage address;
	struct wt_udp_arrival arrival;
	struct wt_udp_path path;
	struct told told;
	const struct sockaddr_in *in = (struct sockaddr_in *)&address;

	(void)state;
	begin(&told, 0);
	/* Others may be told too, and in any order. */
	tell(&told, SOL_SOCKET, 29, &segment, sizeof segment);
	tell(&told, IPPROTO_UDP, UDP_GRO, &segment, sizeof segment);
	tell(&told, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	assert_int_equal(wt_udp_arrival_read(&told.msg, 1000, &arrival), WT_UDP_ARRIVED);
	assert_int_equal(arrival.count, 2);
	assert_true(wt_udp_path_read(&arrival.path, &path));
	wt_udp_path_remote(&path, &address);
	assert_memory_equal(&address, &told.name, sizeof address);
	/* Not the broadcast address that it was sent to. */
	wt_udp_path_local(&path, htons(7), &address);
	assert_int_equal(in->sin_addr.s_addr, htonl(0x0a000001));
	assert_int_equal(in->sin_port, htons(7));
}

static void a_path_of_ipv6_knows_its_interface(void **state)
{
	struct in6_pktinfo info = { .ipi6_ifindex = 9 };
	_Alignas(struct cmsghdr) uint8_t room[WT_UDP_PATH_CONTROL] = { 0 };
	struct sockaddr_in6 *in6;
	struct sockaddr_storage address;
	struct wt_udp_arrival arrival;
	struct wt_udp_path path;
	struct told told;

	(void)state;
	begin(&told, 0);
	in6 = (struct sockaddr_in6 *)&told.name;
	memset(&told.name, 0, sizeof told.name);
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(4433);
	in6->sin6_addr.s6_addr[0] = 0xfe;
	in6->sin6_addr.s6_addr[1] = 0x80;
	in6->sin6_addr.s6_addr[15] = 1;
	in6->sin6_scope_id = 9;
	info.ipi6_addr = in6->sin6_addr;
	info.ipi6_addr.s6_addr[15] = 2;
	tell(&told, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	assert_int_equal(wt_udp_arrival_read(&told.msg, 100, &arrival), WT_UDP_ARRIVED);
	assert_true(wt_udp_path_read(&arrival.path, &path));
	wt_udp_path_remote(&path, &address);
	assert_memory_equal(&address, &told.name, sizeof address);
	/* The answer leaves by that interface and from that address. */
	assert_int_equal(wt_udp_path_control(&path, room), CMSG_SPACE(sizeof info));
	assert_memory_equal(CMSG_DATA((struct cmsghdr *)room), &info, sizeof info);
}

static void nobody_is_no_path(void **state)
{
	const struct wt_path zero = { { 0 } };
	struct wt_udp_path path;
	uint8_t room[WT_UDP_PATH_CONTROL] = { 0 };
	struct told told;
	struct wt_udp_arrival arrival;

	(void)state;
	assert_false(wt_udp_path_read(&zero, &path));
	/* Where this end is was not told: the kernel chooses. */
	begin(&told, 0);
	assert_int_equal(wt_udp_arrival_read(&told.msg, 100, &arrival), WT_UDP_ARRIVED);
	assert_true(wt_udp_path_read(&arrival.path, &path));
	assert_int_equal(wt_udp_path_control(&path, room), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_has_its_fate),
		cmocka_unit_test(the_path_has_both_ends),
		cmocka_unit_test(a_path_of_ipv6_knows_its_interface),
		cmocka_unit_test(nobody_is_no_path),
	};

	return cmocka_run_group_tests_name("udp_arrival", tests, NULL, NULL);
}
