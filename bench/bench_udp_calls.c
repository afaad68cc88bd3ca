/* SPDX-License-Identifier: MIT
 *
 * bench_udp_calls: how many system calls transport-udp makes for a GB over
 * loopback, and how many bytes one of them moves.
 *
 *	bench_udp_calls [MEGABYTES]
 *
 * One socket of the plugin sends runs of 45 datagrams of 1448 bytes to another, so
 * many at a time as the row says, and then lets it read. It counts and does not
 * time: the test host under it watches over every slot, at a price.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/udp_rig.h"

#define SEGMENT 1448u
#define SEGMENTS 45u
#define RUN_BYTES (SEGMENT * SEGMENTS)
#define RUNS_MAX 16u

static uint64_t wanted_bytes = 512u << 20;

struct reading {
	struct wt_rig *rig;
	uint64_t bytes;
};

static void read_all(struct wt_loop_conn *conn)
{
	struct reading *reading = conn->arg;
	struct wt_record records[32];
	size_t got;

	while (wt_rig_recv(reading->rig, conn, records, 32, &got) == WT_OK)
		for (size_t i = 0; i < got; i++)
			reading->bytes += records[i].len;
}

static void row(const char *segmentation, uint32_t runs)
{
	const struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0) },
		.listen_count = 1,
		.segmentation = segmentation,
		.send_buffer = 8192,
		.recv_buffer = 8192,
	};
	struct wt_record records[RUNS_MAX];
	struct reading reading = { .bytes = 0 };
	struct sockaddr_storage at;
	struct wt_loop_conn *from;
	uint64_t sent = 0, tx, rx;
	struct wt_rig rig;
	size_t taken;

	wt_rig_open(&rig, "udp", &config);
	reading.rig = &rig;
	rig.host->conns[0].arg = &reading;
	rig.host->conns[0].on_readable = read_all;
	at = wt_rig_address(&rig, 0);
	from = wt_rig_dial(&rig, &at);
	WT_LOOP_UNTIL(rig.host, from->connected);
	while (sent < wanted_bytes) {
		for (uint32_t i = 0; i < runs; i++)
			records[i] = wt_udp_rig_run(&rig, RUN_BYTES, SEGMENT, 0);
		assert_int_equal(wt_rig_send(&rig, from, records, runs, &taken), WT_OK);
		assert_int_equal(taken, runs);
		sent += runs * RUN_BYTES;
		WT_LOOP_UNTIL(rig.host, reading.bytes == sent);
	}
	tx = wt_loop_host_counter(rig.host, "udp_tx_calls");
	rx = wt_loop_host_counter(rig.host, "udp_rx_calls");
	printf("%-12s  %4u  %9.0f  %9.0f  %9.0f  %9.0f\n", segmentation, runs,
	       (double)tx * 1e9 / (double)sent, (double)sent / (double)tx,
	       (double)rx * 1e9 / (double)sent, (double)sent / (double)rx);
	fflush(stdout);
	wt_rig_close(&rig);
}

static void all_rows(void **state)
{
	static const uint32_t runs[] = { 1, 2, 4, RUNS_MAX };

	(void)state;
	printf("segmentation  runs   sends/GB bytes/send   reads/GB bytes/read\n");
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
		row("auto", runs[i]);
	for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
		row("off", runs[i]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest rows[] = { cmocka_unit_test(all_rows) };

	if (argc > 1)
		wanted_bytes = strtoull(argv[1], NULL, 10) * 1000000u;
	return cmocka_run_group_tests_name("bench_udp_calls", rows, NULL, NULL);
}
