/* SPDX-License-Identifier: MIT
 *
 * transport-udp: what the links below allow: their MTU, and their patience. Each
 * test has a network namespace of its own.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/netns.h"
#include "support/run.h"
#include "support/slow_network.h"
#include "support/udp_rig.h"

static const struct wt_loop_config no_listen = { .listen_count = 0 };

/* A shell command that must succeed. */
static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s: failed", command);
}

static uint64_t counted(const struct wt_rig *rig, const char *name)
{
	return wt_loop_host_counter(rig->host, name);
}

/* ---- the MTU */

static void narrow_loopback(void)
{
	wt_netns_enter();
	run("ip link set lo mtu 1500 up");
}

/* As far as an IPv4 link of 1500 goes, and not one byte further. */
static void nothing_is_sent_in_fragments(void **state)
{
	struct wt_rig rig;
	int peer;

	(void)state;
	narrow_loopback();
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_udp_rig_pair(&rig, &peer, NULL);
	struct wt_record records[] = { wt_rig_record(&rig, 1472, 0), wt_rig_record(&rig, 1473, 9),
				       wt_rig_record(&rig, 65507, 9),
				       wt_rig_record(&rig, 1000, 1) };

	assert_int_equal(
		rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), conn->tconn, NULL),
		1472);
	wt_udp_rig_send_all(&rig, conn, records, 4);
	wt_udp_rig_catch_run(peer, 1472, 1472, 0);
	wt_udp_rig_catch_run(peer, 1000, 1000, 1);
	assert_true(wt_udp_rig_is_quiet(peer));
	assert_int_equal(counted(&rig, "udp_too_large"), 2);
	assert_int_equal(conn->ended, 0);
	close(peer);
	wt_rig_close(&rig);
}

/* The kernel says the same of a run that it will not cut and of one whose segments
 * are too large; what follows from it differs. */
static void a_run_that_is_too_large_is_no_reason_to_stop_runs(void **state)
{
	struct wt_rig rig;
	int peer;

	(void)state;
	narrow_loopback();
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_udp_rig_pair(&rig, &peer, NULL);
	struct wt_record records[] = { wt_udp_rig_run(&rig, 20 * 1473 + 100, 1473, 0),
				       wt_udp_rig_run(&rig, 20 * 1472 + 100, 1472, 0) };

	wt_udp_rig_send_all(&rig, conn, records, 2);
	/* The end of the first one does fit. */
	wt_udp_rig_catch_run(peer, 100, 100, 20);
	wt_udp_rig_catch_run(peer, 20 * 1472 + 100, 1472, 0);
	assert_true(wt_udp_rig_is_quiet(peer));
	assert_int_equal(counted(&rig, "udp_too_large"), 20);
	assert_int_equal(counted(&rig, "udp_fallbacks"), 0);
	assert_int_equal(counted(&rig, "udp_gso_sends"), 1);
	/* Not a call for each of them. */
	assert_in_range(counted(&rig, "udp_tx_calls"), 3, 6);
	close(peer);
	wt_rig_close(&rig);
}

static void an_mtu_that_changes_is_seen(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0), wt_rig_ipv6("::1", 0) },
		.listen_count = 2,
	};
	struct wt_rig rig;

	(void)state;
	narrow_loopback();
	if (!wt_rig_has_ipv6()) {
		print_message("no ::1 here\n");
		skip();
	}
	wt_rig_open(&rig, "udp", &config);
	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_storage at = wt_rig_address(&rig, i);
		struct sockaddr_storage from =
			i == 0 ? wt_rig_ipv4("127.0.0.1", 0) : wt_rig_ipv6("::1", 0);
		struct wt_loop_conn *conn = &rig.host->conns[i], *dialled;
		struct wt_udp_reader reader = { .n = 1 };
		uint32_t header = i == 0 ? 28 : 48;
		int peer = wt_udp_rig_socket(&from);
		uint8_t bytes[100];

		wt_udp_reader_start(&reader, &rig, conn);
		wt_rig_fill(bytes, sizeof bytes, 0);
		wt_udp_rig_throw(peer, &at, bytes, sizeof bytes, 0);
		WT_LOOP_UNTIL(rig.host, reader.next == 1);
		dialled = wt_rig_dial(&rig, &from);
		WT_LOOP_UNTIL(rig.host, dialled->connected);
		for (uint32_t mtu = 1500; mtu >= 1300; mtu -= 100) {
			char command[64];

			snprintf(command, sizeof command, "ip link set lo mtu %u", mtu);
			run(command);
			assert_int_equal(rig.ops->max_record(rig.self,
							     wt_loop_host_worker(rig.host),
							     conn->tconn, &reader.path),
					 mtu - header);
			assert_int_equal(rig.ops->max_record(rig.self,
							     wt_loop_host_worker(rig.host),
							     dialled->tconn, NULL),
					 mtu - header);
		}
		/* What no datagram of IPv4 can be, is no record. */
		run("ip link set lo mtu 70000");
		assert_int_equal(rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host),
						     conn->tconn, &reader.path),
				 65507);
		run("ip link set lo mtu 1500");
		close(peer);
	}
	wt_rig_close(&rig);
}

static void without_a_route_no_size_is_known(void **state)
{
	struct sockaddr_storage remote = wt_rig_ipv4("192.0.2.1", 9);
	struct wt_rig rig;

	(void)state;
	narrow_loopback();
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &remote);
	struct wt_record record = wt_rig_record(&rig, 100, 0);
	struct sockaddr_storage local;

	WT_LOOP_UNTIL(rig.host, conn->connected);
	assert_int_equal(
		rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), conn->tconn, NULL), 0);
	assert_int_equal(rig.ops->local_address(rig.self, wt_loop_host_worker(rig.host),
						conn->tconn, NULL, &local),
			 WT_ERR_IO);
	wt_udp_rig_send_all(&rig, conn, &record, 1);
	assert_int_equal(counted(&rig, "udp_unreachable"), 1);
	assert_int_equal(conn->ended, 0);
	wt_rig_close(&rig);
}

/* The address that a path leaves from was taken away. */
static void an_address_that_is_gone_ends_nothing(void **state)
{
	struct wt_loop_config config = { .listen = { wt_rig_ipv4("0.0.0.0", 0) },
					 .listen_count = 1 };
	struct sockaddr_storage from = wt_rig_ipv4("127.0.0.1", 0), at;
	struct wt_udp_reader reader = { .n = 1 };
	struct wt_rig rig;
	uint8_t bytes[100];

	(void)state;
	narrow_loopback();
	run("ip address add 10.9.0.1/32 dev lo");
	wt_rig_open(&rig, "udp", &config);

	struct sockaddr_storage bound = wt_rig_address(&rig, 0);
	struct wt_loop_conn *conn = &rig.host->conns[0];
	int peer = wt_udp_rig_socket(&from);

	at = wt_rig_ipv4("10.9.0.1", ntohs(((struct sockaddr_in *)&bound)->sin_port));
	wt_udp_reader_start(&reader, &rig, conn);
	wt_rig_fill(bytes, sizeof bytes, 0);
	wt_udp_rig_throw(peer, &at, bytes, sizeof bytes, 0);
	WT_LOOP_UNTIL(rig.host, reader.next == 1);
	run("ip address delete 10.9.0.1/32 dev lo");

	struct wt_record answers[] = { wt_udp_rig_run(&rig, 3000, 1000, 0),
				       wt_rig_record(&rig, 100, 0) };

	answers[0].path = answers[1].path = reader.path;
	wt_udp_rig_send_all(&rig, conn, answers, 2);
	assert_int_equal(counted(&rig, "udp_unreachable"), 4);
	assert_int_equal(counted(&rig, "udp_fallbacks"), 0);
	/* There is still a way to the other end. */
	assert_int_equal(rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), conn->tconn,
					     &reader.path),
			 1472);
	run("ip address add 10.9.0.1/32 dev lo");
	answers[0] = wt_udp_rig_run(&rig, 3000, 1000, 0);
	answers[0].path = reader.path;
	wt_udp_rig_send_all(&rig, conn, answers, 1);
	wt_udp_rig_catch_run(peer, 3000, 1000, 0);
	close(peer);
	wt_rig_close(&rig);
}

static struct sockaddr_storage link_local(const char *address, uint16_t port, const char *link)
{
	struct sockaddr_storage out = wt_rig_ipv6(address, port);

	((struct sockaddr_in6 *)&out)->sin6_scope_id = if_nametoindex(link);
	return out;
}

/* fe80::1 on one end of a cable, fe80::2 on the other: the interface is part of
 * such an address. */
static void link_local_addresses_keep_their_interface(void **state)
{
	struct wt_loop_config config = { .listen = { wt_rig_ipv6("::", 0) }, .listen_count = 1 };
	struct wt_source source = { .struct_size = sizeof source };
	struct sockaddr_storage from, at, answered = { .ss_family = AF_UNSPEC };
	struct wt_udp_reader reader = { .n = 1 }, dialled_reader = { .n = 1 };
	struct wt_rig rig;
	uint8_t bytes[100];

	(void)state;
	narrow_loopback();
	if (!wt_rig_has_ipv6()) {
		print_message("no ::1 here\n");
		skip();
	}
	run("ip link add v1 type veth peer name v2 && ip link set v1 up && "
	    "ip link set v2 mtu 1400 up && ip address add fe80::1/64 dev v1 nodad && "
	    "ip address add fe80::2/64 dev v2 nodad");
	wt_rig_open(&rig, "udp", &config);

	struct sockaddr_storage bound = wt_rig_address(&rig, 0);
	struct wt_loop_conn *conn = &rig.host->conns[0], *dialled;
	int peer;

	from = link_local("fe80::1", 0, "v1");
	peer = wt_udp_rig_socket(&from);
	at = link_local("fe80::2", ntohs(((struct sockaddr_in6 *)&bound)->sin6_port), "v1");
	wt_rig_fill(bytes, sizeof bytes, 0);
	wt_udp_reader_start(&reader, &rig, conn);
	wt_udp_rig_throw(peer, &at, bytes, sizeof bytes, 0);
	WT_LOOP_UNTIL(rig.host, reader.next == 1);
	rig.ops->source(rig.self, wt_loop_host_worker(rig.host), conn->tconn, &reader.path,
			&source);
	assert_memory_equal(source.text, "[fe80::1%v2]:", 13);
	assert_int_equal(rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), conn->tconn,
					     &reader.path),
			 1400 - 48);

	struct wt_record answer = wt_rig_record(&rig, 100, 0);

	answer.path = reader.path;
	wt_udp_rig_send_all(&rig, conn, &answer, 1);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 100);
	assert_memory_equal(&answered, &at, wt_rig_len(&at));

	/* And the other way: the peer is dialled over v2. */
	((struct sockaddr_in6 *)&from)->sin6_scope_id = if_nametoindex("v2");
	dialled = wt_rig_dial(&rig, &from);
	WT_LOOP_UNTIL(rig.host, dialled->connected);
	assert_int_equal(
		rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), dialled->tconn, NULL),
		1400 - 48);
	wt_udp_reader_start(&dialled_reader, &rig, dialled);
	answer = wt_rig_record(&rig, 100, 0);
	wt_udp_rig_send_all(&rig, dialled, &answer, 1);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 100);
	wt_udp_rig_throw(peer, &answered, bytes, sizeof bytes, 0);
	WT_LOOP_UNTIL(rig.host, dialled_reader.next == 1);
	close(peer);
	wt_rig_close(&rig);
}

/* ---- a link that takes no more */

static struct wt_loop_conn *dial_slowly(struct wt_rig *rig, const char *segmentation)
{
	const struct wt_loop_config config = { .segmentation = segmentation, .send_buffer = 64 };
	struct sockaddr_storage remote = wt_rig_ipv4("10.9.0.2", 4433);
	struct wt_loop_conn *conn;

	wt_rig_open(rig, "udp", &config);
	conn = wt_rig_dial(rig, &remote);
	WT_LOOP_UNTIL(rig->host, conn->connected);
	return conn;
}

static void turn_a_while(struct wt_rig *rig)
{
	for (unsigned i = 0; i < 5; i++)
		wt_loop_host_turn(rig->host, 1);
}

static void a_full_buffer_is_told_once(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig, "auto");
	uint32_t sent = 0;
	size_t taken = 1;

	(void)state;
	while (taken == 1) {
		struct wt_record record = wt_rig_record(&rig, 1000, sent);

		assert_int_equal(wt_rig_send(&rig, conn, &record, 1, &taken), WT_OK);
		sent += (uint32_t)taken;
		assert_in_range(sent, 0, 200);
		if (taken == 0)
			rig.host->base.host.slot_done(&rig.host->base.host, conn->worker,
						      record.slot);
	}
	assert_int_equal(counted(&rig, "udp_buffer_full"), 1);
	turn_a_while(&rig);
	assert_int_equal(conn->writable, 0);
	wt_slow_network_answer();
	WT_LOOP_UNTIL(rig.host, conn->writable == 1);
	turn_a_while(&rig);
	assert_int_equal(conn->writable, 1);
	wt_slow_network_check(tap, 1000, sent);
	assert_int_equal(rig.host->slots_out, 0);
	wt_rig_close(&rig);
	close(tap);
}

/* Datagrams that go one by one may stop in the middle of a run. */
static void a_run_that_went_out_in_part_goes_on(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig, "off");
	struct wt_record runs[] = { wt_udp_rig_run(&rig, 60 * 1000, 1000, 0),
				    wt_udp_rig_run(&rig, 5 * 1000, 1000, 60) };
	size_t taken;

	(void)state;
	assert_int_equal(wt_rig_send(&rig, conn, runs, 2, &taken), WT_OK);
	assert_int_equal(taken, 1);
	assert_int_equal(rig.host->slots_out, 2);
	wt_slow_network_answer();
	WT_LOOP_UNTIL(rig.host, conn->writable == 1);
	assert_int_equal(rig.host->slots_out, 1);
	wt_udp_rig_send_all(&rig, conn, &runs[1], 1);
	wt_slow_network_check(tap, 1000, 65);
	wt_rig_close(&rig);
	close(tap);
}

static void close_gives_back_the_rest_of_a_run(void **state)
{
	(void)state;
	for (int orderly = 0; orderly < 2; orderly++) {
		int tap = wt_slow_network_enter();
		struct wt_rig rig;
		struct wt_loop_conn *conn = dial_slowly(&rig, "off");
		struct wt_record run_ = wt_udp_rig_run(&rig, 60 * 1000, 1000, 0);

		wt_udp_rig_send_all(&rig, conn, &run_, 1);
		assert_int_equal(rig.host->slots_out, 1);
		wt_rig_close_conn(&rig, conn, !orderly);
		assert_int_equal(rig.host->slots_out, 0);
		wt_rig_close(&rig);
		close(tap);
	}
}

static void close_when_writable(struct wt_loop_conn *conn)
{
	wt_rig_close_conn(conn->arg, conn, true);
}

static void put_sum(uint8_t *data, size_t len, size_t at)
{
	uint16_t sum = (uint16_t)~wt_plain_sum(data, len, 0);

	data[at] = (uint8_t)(sum >> 8);
	data[at + 1] = (uint8_t)sum;
}

/* "Fragmentation needed" to `mtu`, from a router to 10.9.0.1, about a datagram of
 * `port` there to 10.9.0.2:4433: 14 + 20 + 8 + 28 bytes. */
static void forge(uint8_t frame[70], in_port_t port, uint8_t mtu_high, uint8_t mtu_low)
{
	static const uint8_t start[70] = {
		0x02, 0, 0,    0,    0, 1,   0x02, 0, 0,  0,  0, 7, 8,	0, /* Ethernet */
		0x45, 0, 0,    56,   0, 0,   0,	   0, 64, 1,  0, 0, 10, 9,
		0,    7, 10,   9,    0, 1,	      /* IPv4 */
		3,    4, 0,    0,    0, 0,   0,	   0, /* ICMP */
		0x45, 0, 5,    220,  0, 0,   0x40, 0, 64, 17, 0, 0, 10, 9,
		0,    1, 10,   9,    0, 2,	      /* IPv4 */
		0,    0, 0x11, 0x51, 5, 200, 0,	   0, /* UDP */
	};

	memcpy(frame, start, sizeof start);
	frame[40] = mtu_high;
	frame[41] = mtu_low;
	memcpy(frame + 62, &port, sizeof port);
	put_sum(frame + 42, 20, 10);
	put_sum(frame + 34, 36, 2);
	put_sum(frame + 14, 20, 10);
}

static int mtu_that_the_kernel_believes(void)
{
	struct sockaddr_storage remote = wt_rig_ipv4("10.9.0.2", 4433);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 0;
	socklen_t len = sizeof mtu;

	assert_int_equal(connect(fd, (struct sockaddr *)&remote, wt_rig_len(&remote)), 0);
	assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len), 0);
	close(fd);
	return mtu;
}

/* Whoever knows the addresses can forge this note, and the kernel believes it. */
static void a_forged_note_about_the_mtu_changes_nothing(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig, "auto");
	struct sockaddr_storage bound = wt_rig_address(&rig, 0);
	struct wt_record record = wt_rig_record(&rig, 1472, 0);
	uint8_t frame[70];

	(void)state;
	run("ip link set tap0 down && ip link set tap0 address 02:00:00:00:00:01 up");
	wt_slow_network_answer();
	forge(frame, ((struct sockaddr_in *)&bound)->sin_port, 600 >> 8, 600 & 0xff);
	assert_int_equal(write(tap, frame, sizeof frame), sizeof frame);
	WT_LOOP_UNTIL(rig.host, mtu_that_the_kernel_believes() == 600);
	WT_LOOP_UNTIL(rig.host, counted(&rig, "udp_hints") == 1);
	assert_int_equal(
		rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), conn->tconn, NULL),
		1472);
	wt_udp_rig_send_all(&rig, conn, &record, 1);
	wt_slow_network_check(tap, 1472, 1);
	assert_int_equal(conn->ended, 0);
	wt_rig_close(&rig);
	close(tap);
}

/* The kernel tells such a note instead of the next send, whose datagram it is not
 * about: nobody may have datagrams thrown away by writing notes. */
static void a_forged_note_loses_no_datagram(void **state)
{
	/* The code of "destination unreachable": fragmentation needed, source route
	 * failed, source host isolated. */
	static const uint8_t codes[] = { 4, 5, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof codes; i++) {
		int tap = wt_slow_network_enter();
		struct wt_rig rig;
		struct wt_loop_conn *conn = dial_slowly(&rig, "auto");
		struct sockaddr_storage bound = wt_rig_address(&rig, 0);
		struct wt_record record = wt_rig_record(&rig, 100, 0);
		uint8_t frame[70];

		run("ip link set tap0 down && ip link set tap0 address 02:00:00:00:00:01 up");
		wt_slow_network_answer();
		forge(frame, ((struct sockaddr_in *)&bound)->sin_port, 600 >> 8, 600 & 0xff);
		frame[35] = codes[i];
		frame[36] = frame[37] = 0;
		put_sum(frame + 34, 36, 2);
		assert_int_equal(write(tap, frame, sizeof frame), sizeof frame);
		/* A TAP device has the kernel take a frame before write() is over. */
		wt_udp_rig_send_all(&rig, conn, &record, 1);
		wt_slow_network_check(tap, 100, 1);
		assert_int_equal(counted(&rig, "udp_too_large"), 0);
		assert_int_equal(counted(&rig, "udp_unreachable"), 0);
		wt_rig_close(&rig);
		close(tap);
	}
}

static void the_core_may_close_when_told_writable(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig, "off");
	struct wt_record runs[] = { wt_udp_rig_run(&rig, 60 * 1000, 1000, 0),
				    wt_udp_rig_run(&rig, 5 * 1000, 1000, 60) };
	size_t taken;

	(void)state;
	assert_int_equal(wt_rig_send(&rig, conn, runs, 2, &taken), WT_OK);
	assert_int_equal(taken, 1);
	conn->arg = &rig;
	conn->on_writable = close_when_writable;
	wt_slow_network_answer();
	WT_LOOP_UNTIL(rig.host, conn->closed);
	rig.host->base.host.slot_done(&rig.host->base.host, conn->worker, runs[1].slot);
	wt_rig_close(&rig);
	close(tap);
}

/* A queue below the socket drops what it cannot hold and says so: tried again. */
static void what_a_queue_drops_is_sent_again(void **state)
{
	struct wt_loop_config config = { .segmentation = "off" };
	struct wt_record records[11];
	size_t done = 0;
	struct wt_rig rig;
	int peer;

	(void)state;
	narrow_loopback();
	if (system("tc qdisc add dev lo root tbf rate 1mbit burst 3000 limit 4000") != 0) {
		print_message("skipped: this kernel has no token bucket (sch_tbf)\n");
		skip();
	}
	wt_rig_open(&rig, "udp", &config);

	struct wt_loop_conn *conn = wt_udp_rig_pair(&rig, &peer, NULL);

	records[0] = wt_udp_rig_run(&rig, 20 * 1000, 1000, 0);
	for (uint32_t i = 1; i < 11; i++)
		records[i] = wt_rig_record(&rig, 1000, 19 + i);
	while (done < 11) {
		unsigned before = conn->writable;
		size_t taken;

		assert_int_equal(wt_rig_send(&rig, conn, records + done, 11 - done, &taken), WT_OK);
		done += taken;
		if (done < 11)
			WT_LOOP_UNTIL(rig.host, conn->writable > before);
	}
	wt_udp_rig_catch_run(peer, 30 * 1000, 1000, 0);
	assert_true(wt_udp_rig_is_quiet(peer));
	assert_int_not_equal(counted(&rig, "udp_buffer_full"), 0);
	close(peer);
	wt_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_sent_in_fragments),
		cmocka_unit_test(a_run_that_is_too_large_is_no_reason_to_stop_runs),
		cmocka_unit_test(an_mtu_that_changes_is_seen),
		cmocka_unit_test(without_a_route_no_size_is_known),
		cmocka_unit_test(an_address_that_is_gone_ends_nothing),
		cmocka_unit_test(link_local_addresses_keep_their_interface),
		cmocka_unit_test(a_full_buffer_is_told_once),
		cmocka_unit_test(a_run_that_went_out_in_part_goes_on),
		cmocka_unit_test(close_gives_back_the_rest_of_a_run),
		cmocka_unit_test(a_forged_note_about_the_mtu_changes_nothing),
		cmocka_unit_test(a_forged_note_loses_no_datagram),
		cmocka_unit_test(the_core_may_close_when_told_writable),
		cmocka_unit_test(what_a_queue_drops_is_sent_again),
	};

	return cmocka_run_group_tests_name("transport_udp_path", tests, NULL, NULL);
}
