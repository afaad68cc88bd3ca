/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "conform/transport/check.h"
#include "conform/transport/netspace.h"

/* ---- who is there --------------------------------------------------------- */

/* What each end says of the other is what the other says of itself. */
static bool ends_know_each_other(struct wt_transport_rig *rig)
{
	struct wt_source of_dialler, of_acceptor;
	struct sockaddr_storage local;
	char wanted[WT_NETSPACE_TEXT];

	wt_transport_end_source(&rig->acceptor, rig->in.conn, NULL, &of_dialler);
	wt_transport_end_source(&rig->dialler, rig->out.conn, NULL, &of_acceptor);
	wt_netspace_text(&rig->setup->at, wanted);
	if (strcmp(of_acceptor.text, wanted) != 0)
		return wt_transport_rig_missed(rig, WT_FAULT_SOURCE,
					       "the dialler is connected to %s and says \"%.80s\"",
					       wanted, of_acceptor.text);
	if (of_dialler.token_len == 0 || of_dialler.prefix_len == 0)
		return wt_transport_rig_missed(
			rig, WT_FAULT_SOURCE,
			"of who dialled, source() gives a token of %u and a prefix of %u bytes",
			of_dialler.token_len, of_dialler.prefix_len);
	if (wt_transport_end_local(&rig->dialler, rig->out.conn, NULL, &local) != WT_OK)
		return true; /* it is optional */
	wt_netspace_text(&local, wanted);
	if (strcmp(of_dialler.text, wanted) != 0)
		return wt_transport_rig_missed(
			rig, WT_FAULT_SOURCE,
			"the dialler's address is %s, and the acceptor says \"%.80s\"", wanted,
			of_dialler.text);
	return true;
}

/* Who dialled anew has another port. */
static bool sources_differ(struct wt_transport_rig *rig, struct wt_source *before, bool first)
{
	struct wt_source now;

	wt_transport_end_source(&rig->acceptor, rig->in.conn, NULL, &now);
	bool good = first || wt_check_differ(rig, before, &now);

	*before = now;
	return good;
}

/* One end closes; the other is told. */
static bool end_is_told(struct wt_transport_rig *rig, struct wt_line *closing,
			struct wt_line *other)
{
	wt_line_close(closing, false);
	if (!WT_RIG_UNTIL(rig, other->conn->ended))
		return wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "the other end closed its connection");
	if (other->conn->why == WT_OK || other->conn->why == WT_AGAIN)
		return wt_find(rig->note, WT_FAULT_END_SILENT,
			       "link_ended says that all is well (%d)", (int)other->conn->why);
	return wt_transport_rig_rest(rig, 5);
}

WT_TRANSPORT_CHECK(wt_check_stream_exchange)
{
	struct wt_source source;
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 4; i++) {
		good = wt_transport_rig_connect(&rig, &setup->at) && ends_know_each_other(&rig) &&
		       sources_differ(&rig, &source, i == 0);
		if (!good)
			break;
		rig.out.batch = i == 1 ? 1 : 8;
		rig.in.ask = i >= 2 ? 1 : 16;
		rig.in.calls = i == 3 ? 1 : 0;
		wt_line_want(&rig.out, 30);
		wt_line_want(&rig.in, 30);
		good = wt_transport_rig_exchange(&rig) &&
		       (i % 2 == 0 ? end_is_told(&rig, &rig.out, &rig.in)
				   : end_is_told(&rig, &rig.in, &rig.out));
		wt_line_close(&rig.out, false);
		wt_line_close(&rig.in, false);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- sizes ---------------------------------------------------------------- */

static uint32_t every_small(uint32_t number)
{
	return WT_LINE_SHORTEST + number % (WT_UNAUTHENTICATED_MAX + 1u - WT_LINE_SHORTEST);
}
#define SMALL_SIZES (WT_UNAUTHENTICATED_MAX + 1u - WT_LINE_SHORTEST)

static const uint32_t edges[] = {
	512,	       513,   1023,  1024,  1025,  1447,  1448,
	1449,	       1500,  2047,  2048,  2049,  4095,  4096,
	4097,	       8191,  8192,  8193,  16383, 16384, 16385,
	32767,	       32768, 32769, 65507, 65535, 65536, WT_RECORD_MAX - 1,
	WT_RECORD_MAX, 8,
};
#define EDGES (sizeof edges / sizeof edges[0])

static uint32_t every_edge(uint32_t number)
{
	return edges[number % EDGES];
}

WT_TRANSPORT_CHECK(wt_check_stream_sizes)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at);

	if (good) {
		/* Before anybody is authenticated. */
		rig.out.len = rig.in.len = every_small;
		wt_line_want(&rig.out, SMALL_SIZES);
		wt_line_want(&rig.in, SMALL_SIZES);
		good = wt_transport_rig_exchange(&rig);
	}
	if (good) {
		uint32_t max = wt_transport_end_max(&rig.dialler, rig.out.conn, NULL);

		if (max != WT_RECORD_MAX)
			good = wt_find(note, WT_FAULT_RECORD_LIMIT,
				       "max_record() of a stream says %u, records are up to %u",
				       max, WT_RECORD_MAX);
	}
	if (good) {
		wt_transport_rig_set_max(&rig, WT_RECORD_MAX);
		rig.out.len = rig.in.len = every_edge;
		wt_line_want(&rig.out, 2 * EDGES);
		wt_line_want(&rig.in, 2 * EDGES);
		good = wt_transport_rig_exchange(&rig);
	}
	if (good) {
		rig.out.len = rig.in.len = wt_line_mixed;
		rig.out.batch = WT_LINE_BATCH;
		rig.in.ask = WT_LINE_BATCH;
		wt_line_want(&rig.out, setup->level >= 3 ? 20000 : 200);
		wt_line_want(&rig.in, setup->level >= 3 ? 20000 : 200);
		good = wt_transport_rig_exchange(&rig);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- the limit ------------------------------------------------------------ */

static uint32_t limit_of_next; /* what the odd one out is allowed */

/* Of ten records, the first of which connects, the fifth is as long as may be, and the
 * last is a byte too long; the short ones may arrive together with it. */
static uint32_t tenth_too_long(uint32_t number)
{
	return number % 10u == 9u ? limit_of_next + 1u : number % 10u == 5u ? limit_of_next : 20u;
}

/* Up to `max` is allowed; `set`: because it was set. */
static bool limit_holds(struct wt_transport_rig *rig, uint32_t max, bool set)
{
	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	if (set)
		wt_transport_rig_set_max(rig, max);
	limit_of_next = max;
	rig->out.len = rig->in.len = tenth_too_long;
	wt_line_want(&rig->out, 9);
	if (!WT_RIG_UNTIL(rig, rig->in.refused || rig->in.conn->ended || rig->in.got == 10))
		return wt_transport_rig_missed(rig, WT_FAULT_RECORD_LIMIT,
					       "where %u bytes are allowed, recv() does not say "
					       "WT_ERR_LIMIT to a record of %u",
					       max, max + 1);
	if (!rig->in.refused)
		return wt_find(rig->note, WT_FAULT_RECORD_LIMIT,
			       "where %u bytes are allowed, a record of %u %s", max, max + 1,
			       rig->in.got == 10 ? "is delivered"
						 : "ends the connection without WT_ERR_LIMIT");
	if (rig->in.got != 9)
		return wt_find(rig->note, WT_FAULT_RECORD_LOST,
			       "%u of 9 allowed records arrive before one that is too long",
			       rig->in.got);
	return end_is_told(rig, &rig->in, &rig->out);
}

WT_TRANSPORT_CHECK(wt_check_stream_limit)
{
	static const uint32_t limits[] = { 512, 1000, 20000, 65500 };
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    limit_holds(&rig, WT_UNAUTHENTICATED_MAX, false);

	for (size_t i = 0; good && i < sizeof limits / sizeof limits[0]; i++) {
		wt_line_close(&rig.out, true);
		good = limit_holds(&rig, limits[i], true);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}
