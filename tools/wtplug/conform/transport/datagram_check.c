/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "conform/transport/check.h"
#include "conform/transport/netspace.h"

static const struct wt_path nowhere;

static bool is_nowhere(const struct wt_path *path)
{
	return memcmp(path, &nowhere, sizeof nowhere) == 0;
}

/* ---- who is there --------------------------------------------------------- */

/* A record came in with rig->in.from. */
static bool path_says_who(struct wt_transport_rig *rig)
{
	struct wt_source source;
	struct sockaddr_storage local;
	char wanted[WT_NETSPACE_TEXT], told[WT_NETSPACE_TEXT];

	wt_transport_end_source(&rig->acceptor, rig->in.conn, &rig->in.from, &source);
	if (source.token_len == 0 || source.prefix_len == 0)
		return wt_transport_rig_missed(
			rig, WT_FAULT_SOURCE,
			"of who sent, source() gives a token of %u and a prefix of %u bytes",
			source.token_len, source.prefix_len);
	if (wt_transport_end_max(&rig->acceptor, rig->in.conn, &rig->in.from) < WT_RECORD_MIN)
		return wt_find(rig->note, WT_FAULT_PATHS,
			       "max_record() of the path that a record came by is too small for "
			       "an answer");
	wt_netspace_text(&rig->setup->at, wanted);
	if (wt_transport_end_local(&rig->acceptor, rig->in.conn, &rig->in.from, &local) == WT_OK) {
		wt_netspace_text(&local, told);
		if (strcmp(wanted, told) != 0)
			return wt_find(rig->note, WT_FAULT_PATHS,
				       "a record that was sent to %s came, by its path, to %s",
				       wanted, told);
	}
	wt_transport_end_source(&rig->dialler, rig->out.conn, NULL, &source);
	if (strcmp(source.text, wanted) != 0)
		return wt_transport_rig_missed(rig, WT_FAULT_SOURCE,
					       "the dialler dialled %s and says \"%.80s\"", wanted,
					       source.text);
	return true;
}

WT_TRANSPORT_CHECK(wt_check_datagram_exchange)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 4; i++) {
		good = wt_transport_rig_connect(&rig, &setup->at);
		if (!good)
			break;
		rig.out.batch = i == 1 ? 1 : 8;
		rig.in.ask = i >= 2 ? 1 : 16;
		rig.in.calls = i == 3 ? 1 : 0;
		wt_line_want(&rig.out, 30);
		wt_line_want(&rig.in, 30);
		good = wt_transport_rig_exchange(&rig) && path_says_who(&rig);
		if (good && !is_nowhere(&rig.out.from))
			good = wt_find(note, WT_FAULT_PATHS,
				       "a record at a dialled connection has a path");
		wt_line_close(&rig.out, i % 2 == 0);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- sizes ---------------------------------------------------------------- */

static uint32_t largest; /* of this way */

static uint32_t up_to_largest(uint32_t number)
{
	static const uint32_t edges[] = { 8,	9,    33,   576,  1200, 1399, 1400,  1401,  1472,
					  2048, 4096, 8192, 8193, 9000, 9001, 16384, 32768, 65507 };
	const uint32_t n = sizeof edges / sizeof edges[0], i = number % (n + 2u);
	const uint32_t size = i < n ? edges[i] : largest - (i - n);

	return size < largest ? size : largest;
}

static uint32_t one_too_large(uint32_t number)
{
	return number % 3u == 1u ? largest + 1u + number % 700u : 200u;
}

/* What the way does not take is lost, and nothing else. */
static bool too_large_is_lost(struct wt_transport_rig *rig)
{
	const uint32_t before = rig->in.got;

	rig->out.len = rig->in.len = one_too_large;
	wt_line_want(&rig->out, 90);
	if (!WT_RIG_UNTIL(rig, wt_line_is_sent(&rig->out) && rig->in.got >= before + 60))
		return wt_transport_rig_missed(
			rig,
			rig->out.conn->ended || rig->out.broken ? WT_FAULT_NETWORK_ENDS
								: WT_FAULT_RECORD_LOST,
			"with records of more than %u bytes, which max_record() says, between "
			"them %u of 60 others arrive",
			largest, rig->in.got - before);
	return true;
}

WT_TRANSPORT_CHECK(wt_check_datagram_sizes)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 2; i++) {
		/* loopback takes what no other device does */
		if (i == 1 && (!setup->alone || !wt_netspace_mtu(1500)))
			break;
		good = wt_transport_rig_connect(&rig, &setup->at);
		if (!good)
			break;
		largest = wt_transport_end_max(&rig.dialler, rig.out.conn, NULL);
		if (largest < WT_RECORD_MIN || largest > WT_RECORD_MAX) {
			good = wt_find(note, WT_FAULT_RECORD_LIMIT,
				       "max_record() of a dialled connection says %u", largest);
			break;
		}
		rig.out.len = rig.in.len = up_to_largest;
		/* No more at once than any socket's buffer holds. */
		for (int times = 0; good && times < 100; times++) {
			wt_line_want(&rig.out, 1);
			wt_line_want(&rig.in, 1);
			good = wt_transport_rig_exchange(&rig);
		}
		if (good && largest < WT_RUN_BYTES - 700u)
			good = too_large_is_lost(&rig);
		wt_line_close(&rig.out, false);
	}
	if (setup->alone)
		(void)!wt_netspace_mtu(65536);
	else if (good)
		wt_find(note, WT_FAULT_NONE,
			"only with the MTU of loopback: the kernel gives no network to change");
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- runs ----------------------------------------------------------------- */

static uint32_t run_size;

/* All but each ninth of one size: that one is shorter, and ends its run. */
static uint32_t of_runs(uint32_t number)
{
	return number % 9u == 8u ? run_size - run_size / 3u : run_size;
}

static uint32_t of_one_size(uint32_t number)
{
	(void)number;
	return run_size;
}

WT_TRANSPORT_CHECK(wt_check_datagram_runs)
{
	static const uint32_t sizes[] = { 1200, 1387, 512, 100, 40, 12 };
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at);

	for (size_t i = 0; good && i < 2 * (sizeof sizes / sizeof sizes[0]); i++) {
		const uint32_t most = WT_RUN_BYTES / sizes[i / 2];

		run_size = sizes[i / 2];
		rig.out.len = rig.in.len = i % 2 ? of_one_size : of_runs;
		rig.out.run = rig.in.run = most < WT_RUN_SEGMENTS ? most : WT_RUN_SEGMENTS;
		rig.out.batch = rig.in.batch = 4;
		rig.in.ask = i % 3 == 0 ? 1 : 16;
		for (int times = 0; good && times < 6; times++) {
			wt_line_want(&rig.out, rig.out.run);
			wt_line_want(&rig.in, rig.in.run);
			good = wt_transport_rig_exchange(&rig);
		}
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- closing -------------------------------------------------------------- */

static bool slots_are_back(struct wt_transport_rig *rig, const char *what)
{
	if (rig->dialler.host->slots_out > 0)
		return wt_find(rig->note, WT_FAULT_SLOT_KEPT, "%s: %zu are out after it", what,
			       rig->dialler.host->slots_out);
	return wt_transport_rig_rest(rig, 3);
}

WT_TRANSPORT_CHECK(wt_check_datagram_closing)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 2; i++) {
		enum wt_status status;
		struct wt_loop_conn *conn =
			wt_transport_end_dial(&rig.dialler, 0, &setup->at, &status, &err);

		if (!conn) {
			good = wt_transport_rig_missed(&rig, WT_FAULT_FAILED, "dial: %s", err.text);
			break;
		}
		wt_transport_end_close_conn(&rig.dialler, conn, i);
		good = slots_are_back(&rig, "close() right behind dial()") &&
		       wt_transport_rig_connect(&rig, &setup->at);
		if (!good)
			break;
		/* With datagrams that nobody has read. */
		rig.out.reading = false;
		wt_line_want(&rig.in, 20);
		wt_line_want(&rig.out, 200);
		good = wt_transport_rig_rest(&rig, 5);
		wt_line_close(&rig.out, i);
		good = good && slots_are_back(&rig, "close() with records on their way");
	}
	good = good && wt_check_dial_closes(&rig) &&
	       slots_are_back(&rig, "close() inside link_connected");
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}
