/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform/transport/check.h"
#include "conform/transport/netspace.h"
#include "conform/transport/tcp_relay.h"

/* ---- a relay between the ends --------------------------------------------- */

bool wt_check_relay_open(struct wt_transport_rig *rig, struct wt_tcp_relay *relay)
{
	if (!wt_tcp_relay_open(relay, &rig->setup->at))
		return wt_find(rig->note, WT_FAULT_FAILED, "no socket for the tester's relay");
	rig->steps[rig->step_count++] = (struct wt_rig_step){ wt_tcp_relay_step, relay };
	return true;
}

enum wt_verdict wt_check_relay_verdict(const struct wt_tcp_relay *relay, bool good,
				       struct wt_finding *note)
{
	if (good)
		return WT_SOUND;
	if (relay->accepted > 0)
		return WT_FOUND;
	*note = (struct wt_finding){ .fault = WT_FAULT_NONE };
	wt_find(note, WT_FAULT_NONE,
		"its carrier is not TCP: the tester's relay got no connection");
	return WT_SKIPPED;
}

/* What is wrong only here is called `fault`, with what was done to it. */
static bool name_it(struct wt_finding *note, enum wt_fault fault, const char *what)
{
	struct wt_finding why = *note;

	if (why.fault < WT_FAULT_RECORD_LIMIT)
		return false;
	return wt_find(note, fault, "%s: %s: %s", what, wt_fault_text(why.fault), why.text);
}

/* ---- split and coalesced -------------------------------------------------- */

static const struct way {
	const char *what;
	size_t chunk, gather;
	uint32_t (*len)(uint32_t number);
	uint32_t records;
	bool large; /* beyond what strangers may send */
} ways[] = {
	{ "byte by byte", 1, 0, wt_line_small, 40, false },
	{ "3 bytes at a time", 3, 0, wt_line_small, 60, false },
	{ "7 bytes at a time", 7, 0, wt_line_middling, 60, true },
	{ "509 bytes at a time", 509, 0, wt_line_mixed, 60, true },
	{ "1448 bytes at a time", 1448, 0, wt_line_mixed, 80, true },
	{ "all that comes in a while at once", 0, 20000, wt_line_small, 400, false },
	{ "30 KB at once", 0, 30000, wt_line_mixed, 120, true },
};

/* One record after the other, each on its own: then it is not about the way. */
static bool singles_arrive(struct wt_transport_rig *rig)
{
	bool good = true;

	for (int i = 0; good && i < 10; i++) {
		wt_line_want(&rig->out, 1);
		wt_line_want(&rig->in, 1);
		good = wt_transport_rig_exchange(rig);
	}
	return good;
}

static bool carries(struct wt_transport_rig *rig, struct wt_tcp_relay *relay, const struct way *way)
{
	relay->chunk = relay->gather = 0;
	if (!wt_transport_rig_connect(rig, &relay->at) || !singles_arrive(rig))
		return false;
	relay->chunk = way->chunk;
	relay->gather = way->gather;
	if (way->large)
		wt_transport_rig_set_max(rig, WT_RECORD_MAX);
	rig->out.len = rig->in.len = way->len;
	rig->out.batch = rig->in.batch = 1;
	rig->out.ask = 1;
	wt_line_want(&rig->out, way->records);
	wt_line_want(&rig->in, way->records);
	return wt_transport_rig_exchange(rig) || name_it(rig->note, WT_FAULT_FRAMING, way->what);
}

WT_TRANSPORT_CHECK(wt_check_stream_split)
{
	struct wt_tcp_relay relay = { .listener = -1 };
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) && wt_check_relay_open(&rig, &relay);

	for (size_t i = 0; good && i < sizeof ways / sizeof ways[0]; i++) {
		good = carries(&rig, &relay, &ways[i]);
		wt_line_close(&rig.out, true);
		wt_line_close(&rig.in, true);
		wt_tcp_relay_drop(&relay, true);
	}
	good = wt_transport_rig_close(&rig, good);
	wt_tcp_relay_close(&relay);
	return wt_check_relay_verdict(&relay, good, note);
}

/* ---- back pressure -------------------------------------------------------- */

/* More than any kernel keeps for a connection. */
#define PRESSURE_BYTES (96u << 20)

static uint32_t always_large(uint32_t number)
{
	return 60000u + number % 5000u;
}

/* Nobody reads: sooner or later send() takes less than it is given. */
static bool fills_up(struct wt_transport_rig *rig, struct wt_line *from)
{
	uint32_t before;

	do {
		before = from->taken;
		wt_line_want(from, (uint32_t)from->batch);
		if (!wt_transport_rig_rest(rig, 2))
			return false;
	} while (!from->blocked && from->waiting == 0 &&
		 (uint64_t)from->taken * 60000u < PRESSURE_BYTES && from->taken > before);
	return true;
}

/* A little is read, and then all of it. */
static bool lets_go(struct wt_transport_rig *rig, struct wt_line *from, struct wt_line *to,
		    int round)
{
	to->reading = true;
	to->ask = round % 2 ? 1 : 16;
	for (int i = 0; i < 10 * (round % 3); i++) {
		to->calls = 1;
		if (!wt_transport_rig_rest(rig, 1))
			return false;
	}
	to->calls = 0;
	/* Anything at all moves it, but what waits only for a report. */
	return wt_transport_rig_carry(rig, from, to);
}

static bool bears_pressure(struct wt_transport_rig *rig, struct wt_line *from, struct wt_line *to,
			   int rounds)
{
	for (int round = 0; round < rounds; round++) {
		from->len = to->len = round % 3 == 2 ? wt_line_mixed : always_large;
		from->batch = round % 2 ? WT_LINE_BATCH : 9;
		to->reading = false;
		if (!fills_up(rig, from) || !lets_go(rig, from, to, round))
			return false;
		/* link_writable came for each shortage, and not once more. */
		if (!wt_transport_rig_rest(rig, 3))
			return false;
		if (from->blocked)
			return wt_find(rig->note, WT_FAULT_WRITABLE_NEVER,
				       "all that send() took has arrived");
	}
	return true;
}

/* What is sent later, and taken as a whole, is nothing to report: a transport may
 * have a part of it to itself, but nobody waits. */
static bool owes_nothing(struct wt_transport_rig *rig)
{
	struct wt_line *from = &rig->out;

	from->len = rig->in.len = always_large;
	from->batch = 1;
	rig->in.reading = false;
	while (!from->blocked && rig->dialler.host->slots_out == 0 &&
	       (uint64_t)(from->wanted - rig->in.got) * 60000u < PRESSURE_BYTES) {
		wt_line_want(from, 1);
		wt_line_push(from);
	}
	rig->in.reading = true;
	return wt_transport_rig_carry(rig, from, &rig->in) && wt_transport_rig_rest(rig, 3);
}

static bool control_arrives(struct wt_transport_rig *rig)
{
	rig->out.len = rig->in.len = wt_line_small;
	for (int i = 0; i < 10; i++) {
		wt_line_want(&rig->out, 8);
		wt_line_want(&rig->in, 8);
		if (!wt_transport_rig_exchange(rig))
			return false;
	}
	return true;
}

WT_TRANSPORT_CHECK(wt_check_stream_pressure)
{
	const int rounds = setup->level >= 3 ? 40 : 6;
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at) && control_arrives(&rig);

	if (good) {
		wt_transport_rig_set_max(&rig, WT_RECORD_MAX);
		good = bears_pressure(&rig, &rig.out, &rig.in, rounds) &&
		       bears_pressure(&rig, &rig.in, &rig.out, rounds);
		for (int i = 0; good && i < 4; i++)
			good = owes_nothing(&rig);
		if (!good && note->fault >= WT_FAULT_RECORD_CUT &&
		    note->fault <= WT_FAULT_RECORD_LOST)
			name_it(note, WT_FAULT_BACK_PRESSURE, "while nobody read");
		if (good && rig.out.shortages == 0)
			wt_find(note, WT_FAULT_NONE, "send() took all it was given");
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- no packet buffers ---------------------------------------------------- */

WT_TRANSPORT_CHECK(wt_check_no_slots)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at);

	if (good) {
		wt_transport_rig_set_max(&rig, WT_RECORD_MAX);
		rig.out.len = rig.in.len = wt_line_middling;
		rig.acceptor.host->slot_limit = 0;
		wt_line_want(&rig.out, 40);
		good = wt_transport_rig_rest(&rig, 60);
	}
	if (good && rig.in.conn->ended)
		good = wt_find(note, WT_FAULT_FAILED,
			       "without packet buffers a connection ends: %s", rig.in.conn->text);
	if (good) {
		rig.acceptor.host->slot_limit = WT_LOOP_SLOTS;
		good = wt_transport_rig_exchange(&rig);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}
