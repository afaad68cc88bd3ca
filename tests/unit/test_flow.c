/* SPDX-License-Identifier: MIT
 *
 * Which flows are bulk, and what the two queues of a device are for: order, who
 * is read first, and that a flow that moves stays in order.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/memory_transport.h"
#include "support/world.h"
#include "tun/flow.h"

#define NUMBER 28u

static struct wt_flow *flow_of(struct wt_flows *flows, const uint8_t *data, size_t len)
{
	struct wt_packet ip;

	assert_int_equal(wt_packet_parse(data, len, &ip), WT_DROP_NONE);
	return wt_flow_of(flows, data, len, &ip);
}

static void make4(uint8_t p[40], const char *from, const char *to, uint8_t protocol, uint16_t sport,
		  uint16_t dport)
{
	memset(p, 0, 40);
	p[0] = 0x45;
	p[3] = 40;
	p[9] = protocol;
	inet_pton(AF_INET, from, p + 12);
	inet_pton(AF_INET, to, p + 16);
	p[20] = (uint8_t)(sport >> 8);
	p[21] = (uint8_t)sport;
	p[22] = (uint8_t)(dport >> 8);
	p[23] = (uint8_t)dport;
}

static void make6(uint8_t p[60], const char *from, const char *to, uint8_t protocol, uint16_t sport,
		  uint16_t dport)
{
	memset(p, 0, 60);
	p[0] = 0x60;
	p[5] = 20;
	p[6] = protocol;
	inet_pton(AF_INET6, from, p + 8);
	inet_pton(AF_INET6, to, p + 24);
	p[40] = (uint8_t)(sport >> 8);
	p[41] = (uint8_t)sport;
	p[42] = (uint8_t)(dport >> 8);
	p[43] = (uint8_t)dport;
}

static void both_directions_are_one_flow(void **state)
{
	static struct wt_flows flows;
	uint8_t there[60], back[60];

	(void)state;
	make4(there, "10.8.0.1", "10.8.0.2", IPPROTO_TCP, 40000, 443);
	make4(back, "10.8.0.2", "10.8.0.1", IPPROTO_TCP, 443, 40000);
	assert_ptr_equal(flow_of(&flows, there, 40), flow_of(&flows, back, 40));
	make6(there, "fd00::1", "fd00::2", IPPROTO_UDP, 53, 1024);
	make6(back, "fd00::2", "fd00::1", IPPROTO_UDP, 1024, 53);
	assert_ptr_equal(flow_of(&flows, there, 60), flow_of(&flows, back, 60));
}

/* Neighbouring ports, addresses and protocols: hardly any share a bucket. */
static void flows_spread(void **state)
{
	static struct wt_flows flows;
	uint8_t packet[60];
	unsigned shared = 0;

	(void)state;
	for (unsigned i = 0; i < 128; i++) {
		char to[32];

		snprintf(to, sizeof to, "10.8.%u.%u", i / 16, 2 + i % 16);
		make4(packet, "10.8.0.1", to, i % 2 ? IPPROTO_TCP : IPPROTO_UDP,
		      (uint16_t)(40000 + i), 443);
		struct wt_flow *flow = flow_of(&flows, packet, 40);

		shared += flow->bytes > 0;
		flow->bytes = 1;
	}
	/* 128 into 1024 at random: 8 on average. */
	assert_in_range(shared, 0, 24);
}

/* The second fragment has no ports: where they would be is payload. */
static void fragments_of_a_packet_are_one_flow(void **state)
{
	static struct wt_flows flows;
	uint8_t first[40], second[40];

	(void)state;
	make4(first, "10.8.0.1", "10.8.0.2", IPPROTO_UDP, 1, 2);
	make4(second, "10.8.0.1", "10.8.0.2", IPPROTO_UDP, 0x6162, 0x6364);
	first[6] = 0x20;
	second[7] = 3;
	assert_ptr_equal(flow_of(&flows, first, 40), flow_of(&flows, second, 40));
	/* Nor are ports read behind the end. */
	uint8_t *shortest = first;

	shortest[3] = 20;
	shortest[6] = 0;
	assert_non_null(flow_of(&flows, shortest, 20));
}

static void much_in_one_window_is_bulk(void **state)
{
	struct wt_flow flow = { .bytes = 0 };
	uint64_t now = 10 * WT_FLOW_WINDOW_MS;

	(void)state;
	wt_flow_count(&flow, WT_FLOW_BULK_BYTES, now);
	assert_false(wt_flow_is_bulk(&flow, now));
	/* The next window begins with nothing. */
	now += WT_FLOW_WINDOW_MS;
	wt_flow_count(&flow, WT_FLOW_BULK_BYTES, now);
	assert_false(wt_flow_is_bulk(&flow, now));
	wt_flow_count(&flow, 1, now + 1);
	assert_true(wt_flow_is_bulk(&flow, now + 1));
}

/* Until the kernel has forgotten which queue it used. */
static void bulk_ends_with_idleness(void **state)
{
	struct wt_flow flow = { .moved = true };
	uint64_t now = 5;

	(void)state;
	wt_flow_count(&flow, WT_FLOW_BULK_BYTES + 1, now);
	for (int i = 0; i < 3; i++) {
		now += WT_FLOW_IDLE_MS - 1;
		assert_true(wt_flow_is_bulk(&flow, now));
		assert_true(flow.moved);
	}
	now += WT_FLOW_IDLE_MS;
	assert_false(wt_flow_is_bulk(&flow, now));
	assert_false(flow.moved);
}

/* ---- the queues -------------------------------------------------------------- */

static void up_with_two_queues(struct wt_world *w)
{
	w->alice.two_queues = true;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
}

static void send_on(struct wt_end *end, bool bulk, uint32_t number, size_t len)
{
	static uint8_t packet[65535];
	int tun = end->tun;

	wt_packet_make(packet, len, "10.8.0.2", "10.8.0.1", 1);
	memcpy(packet + NUMBER, &number, sizeof number);
	if (bulk)
		end->tun = end->bulk;
	wt_end_inject(end, packet, len);
	end->tun = tun;
}

static uint32_t next_at(struct wt_world *w, struct wt_end *end)
{
	static uint8_t packet[65535];
	uint32_t number;

	assert_true(wt_ends_take(w->ends, 3, end, packet, sizeof packet) > 0);
	memcpy(&number, packet + NUMBER, sizeof number);
	return number;
}

static void the_sparse_queue_is_read_first(void **state)
{
	struct wt_world *w = *state;

	up_with_two_queues(w);
	for (uint32_t i = 0; i < 5; i++)
		send_on(&w->alice, true, 100 + i, 1000);
	for (uint32_t i = 0; i < 5; i++)
		send_on(&w->alice, false, i, 100);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(next_at(w, &w->server), i);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(next_at(w, &w->server), 100 + i);
}

/* A flood of small packets in the one does not stop the other. */
static void the_bulk_queue_has_its_turn(void **state)
{
	struct wt_world *w = *state;
	uint32_t at = 0;

	up_with_two_queues(w);
	send_on(&w->alice, true, 1000, 1000);
	for (uint32_t i = 0; i < WT_TUN_SPARSE_ROW + 10; i++)
		send_on(&w->alice, false, i, 100);
	while (next_at(w, &w->server) != 1000)
		at++;
	assert_int_equal(at, WT_TUN_SPARSE_ROW);
}

/* What is read from alice's device makes its flow bulk; what is written for it
 * from then on goes to the other queue, where the kernel then puts the flow. */
static void a_bulk_flow_moves_in_order(void **state)
{
	struct wt_world *w = *state;
	static uint8_t packet[65535];
	uint32_t after = WT_TUN_SPARSE_ROW + 20;
	int tun;

	up_with_two_queues(w);
	tun = w->alice.tun;
	wt_packet_make(packet, 100, "10.8.0.1", "10.8.0.2", 1);
	wt_end_inject(&w->server, packet, 100);
	assert_int_equal(wt_ends_take(w->ends, 3, &w->alice, packet, sizeof packet), 100);
	for (uint32_t i = 0; i < WT_FLOW_BULK_BYTES / 1400 + 1; i++) {
		send_on(&w->alice, false, i, 1400);
		assert_int_equal(next_at(w, &w->server), i);
	}

	/* The answer that moves it is on its way to alice. More than a row waits in
	 * the sparse queue, and the later packet in the bulk queue does not
	 * overtake it. */
	wt_packet_make(packet, 100, "10.8.0.1", "10.8.0.2", 1);
	wt_end_inject(&w->server, packet, 100);
	for (int i = 0; i < 3; i++)
		wt_engine_turn(w->server.engine, 0);
	send_on(&w->alice, true, after, 1000);
	for (uint32_t i = 0; i < after; i++)
		send_on(&w->alice, false, i, 100);
	for (uint32_t i = 0; i <= after; i++)
		assert_int_equal(next_at(w, &w->server), i);
	/* Where the kernel sees it, and sends the flow from now on. */
	w->alice.tun = w->alice.bulk;
	assert_int_equal(wt_end_take(&w->alice, packet, sizeof packet), 100);
	w->alice.tun = tun;
}

#define ENGINE(test) cmocka_unit_test_setup_teardown(test, wt_world_setup_memory, wt_world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one_flow),
		cmocka_unit_test(flows_spread),
		cmocka_unit_test(fragments_of_a_packet_are_one_flow),
		cmocka_unit_test(much_in_one_window_is_bulk),
		cmocka_unit_test(bulk_ends_with_idleness),
		ENGINE(the_sparse_queue_is_read_first),
		ENGINE(the_bulk_queue_has_its_turn),
		ENGINE(a_bulk_flow_moves_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
