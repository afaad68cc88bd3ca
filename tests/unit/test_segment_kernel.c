/* SPDX-License-Identifier: MIT
 *
 * The offload header and the cutting of runs, against the kernel: what is
 * written to one TUN device is forwarded to another, in a network namespace of
 * its own.
 */
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/checksum.h"
#include "record/params.h"
#include "record/plan.h"
#include "support/device.h"
#include "support/run.h"
#include "tun/offload.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TCP4 .family = AF_INET, .protocol = IPPROTO_TCP
#define TCP6 .family = AF_INET6, .protocol = IPPROTO_TCP
#define UDP4 .family = AF_INET, .protocol = IPPROTO_UDP
#define UDP6 .family = AF_INET6, .protocol = IPPROTO_UDP
#define ACK 0x10u

/* What the kernel gets to cut or finish on the way out is due at once. */
#define WAIT_MS 2000
#define FROM_HOPS 64u /* one less arrives */

static struct wt_tun from, to;
static uint32_t kernel_takes; /* enum wt_offload */
/* As in a slot: room for what stands before a packet. */
static uint8_t slot[64 + WT_RUN_MAX], arrived[64 + WT_RUN_MAX], packet[WT_RUN_MAX];
#define PACKET (slot + 64)
#define ARRIVED (arrived + 64)

static const struct wt_inner_limits everything = { .features =
							   WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS,
						   .record_max = WT_RECORD_MAX,
						   .inner_mtu = 65535 };

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0) {
		print_message("skipped: cannot set %s: no forwarding here\n", path);
		skip();
	}
	close(fd);
}

static void open_devices(void)
{
	static const struct wt_wish left = { .addresses = { "10.1.0.1/24", "fd01::1/64" },
					     .mtu = 65535 };
	static const struct wt_wish right = { .addresses = { "10.2.0.1/24", "fd02::1/64" },
					      .mtu = 65535 };

	wt_device_enter();
	wt_device_open(&from, "from0");
	wt_device_open(&to, "to0");
	wt_device_configure_well(&from, &left);
	wt_device_configure_well(&to, &right);
	set("/proc/sys/net/ipv4/ip_forward", "1");
	set("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

/* Kernels before 6.2 take no runs of UDP; some later ones refuse what they should
 * take. */
static bool taken(const char *what, const struct wt_run *run)
{
	static const char *const names[] = { "TCPv4", "TCPv6", "UDPv4", "UDPv6" };
	static const uint32_t sets[] = { WT_OFFLOAD_TSO4, WT_OFFLOAD_TSO6, WT_OFFLOAD_USO4,
					 WT_OFFLOAD_USO6 };
	size_t i = (run->protocol == IPPROTO_UDP) * 2u + (run->family == AF_INET6);

	if (kernel_takes & sets[i])
		return true;
	print_message("skipped: %s: this kernel takes no runs of %s\n", what, names[i]);
	return false;
}

static void close_devices(void)
{
	wt_tun_close(&from);
	wt_tun_close(&to);
}

/* The next packet from 10.1.0.2 or fd01::2, at ARRIVED; what the kernel says on
 * its own is passed over. */
static size_t take(const char *what)
{
	struct pollfd wait = { .fd = to.fd, .events = POLLIN };

	while (poll(&wait, 1, WAIT_MS) == 1) {
		ssize_t n = read(to.fd, ARRIVED - WT_TUN_HEADER, WT_TUN_HEADER + WT_RUN_MAX);
		struct wt_packet ip;

		if (n <= (ssize_t)WT_TUN_HEADER)
			break;
		if (wt_packet_parse(ARRIVED, (size_t)n - WT_TUN_HEADER, &ip) == WT_DROP_NONE &&
		    ip.source[0] == (ip.family == AF_INET ? 10 : 0xfd) && ip.source[1] == 1)
			return (size_t)n - WT_TUN_HEADER;
	}
	fail_msg("%s: nothing arrived", what);
	return 0;
}

static void give(const char *what, size_t len)
{
	ssize_t n = write(from.fd, PACKET - WT_TUN_HEADER, WT_TUN_HEADER + len);

	if (n != (ssize_t)(WT_TUN_HEADER + len))
		fail_msg("%s: the kernel refused the write: %m", what);
}

/* A record of `kind` with the run in it, as it comes out of a tunnel, goes to
 * the kernel with the header that is built for it. */
static void deliver(const char *what, const struct wt_run *run, enum wt_inner_kind kind)
{
	size_t len = wt_run_whole(run, PACKET), prefix = kind == WT_INNER_SEGMENTS ? 3 : 1;
	uint8_t *text = PACKET - prefix;
	struct wt_inner inner;
	enum wt_drop drop;

	text[0] = (uint8_t)kind;
	if (prefix == 3) {
		text[1] = (uint8_t)(run->size >> 8);
		text[2] = (uint8_t)run->size;
	}
	/* The checksum field is not believed. */
	memset(PACKET + wt_run_vnet(run).checksum_start + wt_run_vnet(run).checksum_offset, 0xee,
	       2);
	drop = wt_inner_parse(text, prefix + len, &everything, &inner);
	if (drop != WT_DROP_NONE)
		fail_msg("%s: %s", what, wt_drop_name(drop));
	wt_vnet_write(&inner);
	give(what, len);
}

/* What a kernel would say about the run, for what no record may carry. */
static void hand_over(const char *what, const struct wt_run *run)
{
	struct wt_vnet vnet = wt_run_vnet(run);
	struct virtio_net_hdr header = { .flags = vnet.flags,
					 .gso_type = vnet.type,
					 .gso_size = vnet.segment_size,
					 .hdr_len = (uint16_t)wt_run_headers(run),
					 .csum_start = vnet.checksum_start,
					 .csum_offset = vnet.checksum_offset };
	size_t len = wt_run_whole(run, PACKET);

	memcpy(PACKET - WT_TUN_HEADER, &header, sizeof header);
	give(what, len);
}

static struct wt_run one_hop_on(const struct wt_run *run)
{
	struct wt_run on = *run;

	on.hops = FROM_HOPS - 1;
	return on;
}

/* The kernel's packets are ours, and those of the model. */
static void compare(const char *what, const struct wt_run *sent)
{
	struct wt_run run = one_hop_on(sent);
	struct wt_vnet vnet = wt_run_vnet(&run);
	size_t len = wt_run_whole(&run, PACKET), n, i;
	struct wt_segments segments;
	struct wt_packet ip;

	assert_int_equal(wt_packet_parse(PACKET, len, &ip), WT_DROP_NONE);
	assert_int_equal(wt_segments_start(&segments, PACKET, len, &ip, &vnet), WT_DROP_NONE);
	for (i = 0; (n = wt_segments_next(&segments, packet)) > 0; i++) {
		size_t got = take(what);

		if (got != n)
			fail_msg("%s: packet %zu has %zu bytes, ours %zu", what, i, got, n);
		for (size_t k = 0; k < n; k++)
			if (ARRIVED[k] != packet[k])
				fail_msg("%s: packet %zu, byte %zu: kernel %02x, ours %02x", what,
					 i, k, ARRIVED[k], packet[k]);
	}
	assert_int_equal(i, wt_run_count(&run));
}

/* ---- runs that a record may carry ---------------------------------------- */

static const struct {
	const char *what;
	struct wt_run run;
} runs[] = {
	{ "TCPv4, two segments", { TCP4, .payload = 2000, .size = 1000 } },
	{ "TCPv4, two, the second of one byte", { TCP4, .payload = 1001, .size = 1000 } },
	{ "TCPv4, the smallest segments", { TCP4, .payload = 65535 - 40, .size = 512 } },
	{ "TCPv4, full of 1448", { TCP4, .payload = 45 * 1448, .size = 1448, .tcp_extra = 12 } },
	{ "TCPv4, full of 8948", { TCP4, .payload = 60000, .size = 8948, .tcp_extra = 12 } },
	{ "TCPv4, all options",
	  { TCP4, .payload = 9000, .size = 1400, .extra = 40, .tcp_extra = 40 } },
	{ "TCPv4, FIN PSH", { TCP4, .payload = 9000, .size = 1400, .tcp_flags = ACK | 9 } },
	{ "TCPv4, ECE",
	  { TCP4, .payload = 9000, .size = 1400, .tcp_flags = ACK | 0x40, .tos = 3 } },
	{ "TCPv4, DSCP, ECT(1)", { TCP4, .payload = 9000, .size = 1400, .tos = 0xb9 } },
	{ "TCPv4, wrapping numbers",
	  { TCP4, .payload = 9000, .size = 1400, .id = 0xfffe, .sequence = 0xfffffff0 } },
	{ "TCPv6, two segments", { TCP6, .payload = 2000, .size = 1000 } },
	{ "TCPv6, two, the second of one byte", { TCP6, .payload = 1001, .size = 1000 } },
	{ "TCPv6, the smallest segments", { TCP6, .payload = 65535 - 60, .size = 512 } },
	{ "TCPv6, full of 1428", { TCP6, .payload = 45 * 1428, .size = 1428, .tcp_extra = 12 } },
	{ "TCPv6, FIN PSH", { TCP6, .payload = 9000, .size = 1400, .tcp_flags = ACK | 9 } },
	{ "TCPv6, DSCP, CE", { TCP6, .payload = 9000, .size = 1400, .tos = 0xbb } },
	{ "UDPv4, two segments", { UDP4, .payload = 2000, .size = 1000 } },
	{ "UDPv4, two, the second of one byte", { UDP4, .payload = 1001, .size = 1000 } },
	{ "UDPv4, 64 of 512", { UDP4, .payload = 64 * 512, .size = 512 } },
	{ "UDPv4, full of 1472", { UDP4, .payload = 44 * 1472, .size = 1472 } },
	{ "UDPv4, DSCP, CE", { UDP4, .payload = 9000, .size = 1400, .tos = 0xbb } },
	{ "UDPv4, id wraps", { UDP4, .payload = 9000, .size = 1400, .id = 0xfffe } },
	{ "UDPv6, two segments", { UDP6, .payload = 2000, .size = 1000 } },
	{ "UDPv6, two, the second of one byte", { UDP6, .payload = 1001, .size = 1000 } },
	{ "UDPv6, 64 of 512", { UDP6, .payload = 64 * 512, .size = 512 } },
	{ "UDPv6, full of 1452", { UDP6, .payload = 45 * 1452 - 700, .size = 1452 } },
};

static void the_kernel_cuts_what_is_delivered_as_we_do(void **state)
{
	(void)state;
	open_devices();
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_run run = runs[i].run;

		run.seed = i;
		run.port = 4433;
		if (!taken(runs[i].what, &run))
			continue;
		deliver(runs[i].what, &run, WT_INNER_SEGMENTS);
		compare(runs[i].what, &run);
	}
	close_devices();
}

static void random_runs_are_cut_as_the_kernel_does(void **state)
{
	uint64_t random = 11;

	(void)state;
	open_devices();
	for (int i = 0; i < 100; i++) {
		struct wt_run run = {
			.family = wt_random_next(&random) % 2 ? AF_INET : AF_INET6,
			.protocol = wt_random_next(&random) % 2 ? IPPROTO_TCP : IPPROTO_UDP,
			.tcp_flags = (uint8_t)(wt_random_next(&random) & 0x59),
			.tos = (uint8_t)wt_random_next(&random),
			.id = (uint16_t)wt_random_next(&random),
			.sequence = (uint32_t)wt_random_next(&random),
			.port = (uint16_t)wt_random_next(&random),
			.seed = wt_random_next(&random),
			.size = (uint16_t)(512 + wt_random_next(&random) % 2000),
		};

		if (!taken("random", &run))
			continue;
		if (run.protocol == IPPROTO_TCP)
			run.tcp_extra = wt_random_next(&random) % 11 * 4;
		run.payload = run.size + 1 + wt_random_next(&random) % 30000;
		if (run.payload > 64u * run.size)
			run.payload = 64u * run.size;
		deliver("random", &run, WT_INNER_SEGMENTS);
		compare("random", &run);
	}
	close_devices();
}

/* ---- runs that are always cut here --------------------------------------- */

static const struct {
	const char *what;
	struct wt_run run;
} odd_runs[] = {
	{ "TCPv4, small segments", { TCP4, .payload = 5000, .size = 48 } },
	{ "TCPv4, CWR", { TCP4, .payload = 5000, .size = 1000, .tcp_flags = ACK | WT_TCP_CWR } },
	{ "TCPv4, CWR FIN PSH", { TCP4, .payload = 5000, .size = 1000, .tcp_flags = 0x99 } },
	{ "TCPv4, URG", { TCP4, .payload = 5000, .size = 1000, .tcp_flags = 0x30 } },
	{ "TCPv6, CWR", { TCP6, .payload = 5000, .size = 1000, .tcp_flags = ACK | WT_TCP_CWR } },
	{ "TCPv6, small segments", { TCP6, .payload = 5000, .size = 48 } },
	{ "TCPv6, an extension header", { TCP6, .payload = 5000, .size = 1000, .extra = 24 } },
	{ "UDPv4, small segments", { UDP4, .payload = 300, .size = 7 } },
	{ "UDPv6, small segments", { UDP6, .payload = 300, .size = 7 } },
	{ "UDPv6, an extension header", { UDP6, .payload = 5000, .size = 1000, .extra = 8 } },
};

static void odd_runs_are_cut_as_the_kernel_does(void **state)
{
	(void)state;
	open_devices();
	for (size_t i = 0; i < COUNT(odd_runs); i++) {
		struct wt_run run = odd_runs[i].run;

		run.seed = i;
		run.port = 4433;
		if (!taken(odd_runs[i].what, &run))
			continue;
		hand_over(odd_runs[i].what, &run);
		compare(odd_runs[i].what, &run);
	}
	close_devices();
}

static void checksums_of_zero_are_the_kernel_s(void **state)
{
	static const struct wt_run cases[] = {
		{ TCP4, .payload = 2000, .size = 1000 },
		{ TCP6, .payload = 2000, .size = 1000 },
		{ UDP4, .payload = 2000, .size = 1000 },
		{ UDP6, .payload = 2000, .size = 1000 },
	};

	(void)state;
	open_devices();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_run run = cases[i];

		if (!taken("zero", &run))
			continue;
		wt_run_zero_checksum(&run);
		deliver("zero", &run, WT_INNER_SEGMENTS);
		compare("zero", &run);
	}
	close_devices();
}

/* ---- single packets ------------------------------------------------------ */

static const struct {
	const char *what;
	struct wt_run run;
	bool zero; /* the checksum comes out as zero */
} singles[] = {
	{ "TCPv4", { TCP4, .payload = 1000 }, false },
	{ "TCPv4, SYN", { TCP4, .payload = 0, .tcp_extra = 20, .tcp_flags = 2 }, false },
	{ "TCPv4, an odd length", { TCP4, .payload = 1001 }, false },
	{ "TCPv4, zero", { TCP4, .payload = 100 }, true },
	{ "TCPv6", { TCP6, .payload = 1000 }, false },
	{ "TCPv6, zero", { TCP6, .payload = 100 }, true },
	{ "UDPv4", { UDP4, .payload = 1000 }, false },
	{ "UDPv4, empty", { UDP4, .payload = 0 }, false },
	{ "UDPv4, zero", { UDP4, .payload = 100 }, true },
	{ "UDPv6", { UDP6, .payload = 1000 }, false },
	{ "UDPv6, zero", { UDP6, .payload = 100 }, true },
};

static void single_packets_are_finished_as_the_kernel_does(void **state)
{
	(void)state;
	open_devices();
	for (size_t i = 0; i < COUNT(singles); i++) {
		struct wt_run run = singles[i].run, on;
		struct wt_vnet vnet = wt_run_vnet(&run);
		size_t len;

		run.port = 4433;
		if (singles[i].zero)
			wt_run_zero_checksum(&run);
		deliver(singles[i].what, &run, WT_INNER_PARTIAL);
		assert_int_equal(take(singles[i].what), wt_run_headers(&run) + run.payload);
		on = one_hop_on(&run);
		len = wt_run_whole(&on, packet);
		wt_vnet_finish(&vnet, packet, len);
		if (memcmp(ARRIVED, packet, len) != 0)
			fail_msg("%s: differs from the kernel's", singles[i].what);
		assert_int_equal(wt_run_packet(&on, 0, packet), len);
		assert_memory_equal(ARRIVED, packet, len);
	}
	close_devices();
}

/* ---- what a kernel gives ------------------------------------------------- */

/* With the offloads on, the other device gives runs as they are; each is sent as
 * one record: the kernel's header is what the plan expects. */
static void runs_that_the_kernel_gives_become_records(void **state)
{
	uint32_t given;

	(void)state;
	open_devices();
	given = wt_offload_set(&to, WT_OFFLOAD_ALL);
	assert_int_equal(given & kernel_takes, kernel_takes);
	for (size_t i = 0; i < COUNT(runs); i++) {
		struct wt_run run = one_hop_on(&runs[i].run);
		struct wt_plan plan;
		struct wt_vnet vnet;
		struct wt_packet ip;
		size_t len;

		if (!taken(runs[i].what, &run))
			continue;
		deliver(runs[i].what, &runs[i].run, WT_INNER_SEGMENTS);
		len = take(runs[i].what);
		assert_int_equal(len, wt_run_whole(&run, packet));
		assert_memory_equal(ARRIVED, packet, len);
		vnet = wt_vnet_read(ARRIVED - WT_TUN_HEADER);
		assert_int_equal(wt_packet_parse(ARRIVED, len, &ip), WT_DROP_NONE);
		wt_plan_make(&vnet, ARRIVED, len, &ip, &everything, &plan);
		if (plan.way != WT_PLAN_SEND || plan.prefix[0] != WT_INNER_SEGMENTS)
			fail_msg("%s: way %d, %s", runs[i].what, plan.way, wt_drop_name(plan.drop));
	}
	close_devices();
}

static int setup(void **state)
{
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	kernel_takes = wt_offload_probe(WT_OFFLOAD_ALL, &err);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_cuts_what_is_delivered_as_we_do),
		cmocka_unit_test(random_runs_are_cut_as_the_kernel_does),
		cmocka_unit_test(odd_runs_are_cut_as_the_kernel_does),
		cmocka_unit_test(checksums_of_zero_are_the_kernel_s),
		cmocka_unit_test(single_packets_are_finished_as_the_kernel_does),
		cmocka_unit_test(runs_that_the_kernel_gives_become_records),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
