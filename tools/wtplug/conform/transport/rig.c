/* SPDX-License-Identifier: MIT */
#include "conform/transport/rig.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "conform/descriptors.h"
#include "conform/transport/netspace.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define PATIENCE_MS 20000u
#else
#define PATIENCE_MS 4000u
#endif
#define TURN_MS 20u

unsigned wt_transport_rig_patience_ms = PATIENCE_MS;

/* ---- findings ------------------------------------------------------------- */

bool wt_transport_rig_found(struct wt_transport_rig *rig)
{
	const struct wt_transport_end *ends[] = { &rig->dialler, &rig->acceptor };

	for (size_t i = 0; i < 2; i++) {
		const struct wt_loop_host *host = ends[i]->host;

		if (!host || host->finding.fault == WT_FAULT_NONE)
			continue;
		wt_find(rig->note, host->finding.fault, "%s: %s", i == 0 ? "dialler" : "acceptor",
			host->finding.text);
		return true;
	}
	return false;
}

bool wt_transport_rig_missed(struct wt_transport_rig *rig, enum wt_fault fault, const char *fmt,
			     ...)
{
	char text[sizeof rig->note->text];
	va_list args;

	if (wt_transport_rig_found(rig))
		return false;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return wt_find(rig->note, fault, "%s", text);
}

/* ---- turning -------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	return wt_clock_system.boot_ms(&wt_clock_system);
}

void wt_transport_rig_begin(struct wt_transport_rig *rig)
{
	rig->deadline_ms = now_ms() + wt_transport_rig_patience_ms;
}

static void turn(struct wt_transport_rig *rig, uint64_t wait_ms)
{
	wt_line_push(&rig->out);
	wt_line_push(&rig->in);
	for (size_t i = 0; i < rig->step_count; i++)
		if (rig->steps[i].run(rig->steps[i].arg))
			wait_ms = 0;
	if ((rig->step_count > 0 || rig->dialler.host->busy || rig->acceptor.host->busy) &&
	    wait_ms > 1)
		wait_ms = 1;
	wt_loop_turn(&rig->loop, wait_ms);
	wt_loop_host_settle(rig->dialler.host);
	wt_loop_host_settle(rig->acceptor.host);
}

bool wt_transport_rig_turn(struct wt_transport_rig *rig)
{
	turn(rig, TURN_MS);
	return !wt_transport_rig_found(rig) && now_ms() < rig->deadline_ms;
}

bool wt_transport_rig_rest(struct wt_transport_rig *rig, unsigned ms)
{
	const uint64_t until = now_ms() + ms;

	for (uint64_t now = now_ms(); now < until; now = now_ms())
		turn(rig, until - now);
	return !wt_transport_rig_found(rig);
}

/* ---- life ----------------------------------------------------------------- */

/* As the core does, which limits how often one source may come in. */
static void ask_source(struct wt_loop_conn *conn)
{
	struct wt_source source;

	wt_transport_end_source(wt_transport_end_of(conn), conn, NULL, &source);
}

bool wt_transport_rig_open_with(struct wt_transport_rig *rig,
				const struct wt_transport_setup *setup, uint32_t workers,
				struct wt_finding *note)
{
	struct wt_error err = WT_ERROR_INIT;

	memset(rig, 0, sizeof *rig);
	rig->misclosed = wt_descriptors_misclosed();
	rig->setup = setup;
	rig->note = note;
	if (wt_loop_init(&rig->loop, &wt_clock_system, NULL) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "no event loop");
	if (!wt_transport_end_open(&rig->acceptor, setup->loaded, setup->table->acceptor,
				   &setup->addresses, &rig->loop, workers, note) ||
	    !wt_transport_end_open(&rig->dialler, setup->loaded, setup->table->dialler, NULL,
				   &rig->loop, workers, note))
		return false;
	rig->listened = wt_transport_end_listen(&rig->dialler, &err);
	if (rig->listened != WT_OK)
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "listen of the dialler: %s",
					       err.text);
	rig->acceptor.host->on_accepted = ask_source;
	rig->listened = wt_transport_end_listen(&rig->acceptor, &err);
	if (rig->listened != WT_OK)
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "listen: %s", err.text);
	return true;
}

bool wt_transport_rig_open(struct wt_transport_rig *rig, const struct wt_transport_setup *setup,
			   struct wt_finding *note)
{
	return wt_transport_rig_open_with(rig, setup, 1, note);
}

bool wt_transport_rig_close(struct wt_transport_rig *rig, bool good)
{
	wt_line_close(&rig->out, true);
	wt_line_close(&rig->in, true);
	wt_line_free(&rig->out);
	wt_line_free(&rig->in);
	if (rig->dialler.instance)
		wt_transport_end_close(&rig->dialler);
	if (rig->acceptor.instance)
		wt_transport_end_close(&rig->acceptor);
	if (good && wt_transport_rig_found(rig))
		good = false;
	if (good && wt_descriptors_misclosed() != rig->misclosed)
		good = wt_find(rig->note, WT_FAULT_MISCLOSED,
			       "a number is closed at which nothing is open; in a daemon another "
			       "thread may have opened something there");
	wt_transport_end_free(&rig->dialler);
	wt_transport_end_free(&rig->acceptor);
	wt_loop_fini(&rig->loop);
	return good;
}

/* ---- connecting ----------------------------------------------------------- */

/* The socket of a datagram transport that listens at the address that is dialled. */
static struct wt_loop_conn *listening(struct wt_transport_rig *rig)
{
	struct wt_transport_end *end = &rig->acceptor;
	char wanted[WT_NETSPACE_TEXT];

	wt_netspace_text(&rig->setup->listens, wanted);
	for (size_t i = 0; i < end->host->conn_count; i++) {
		struct wt_source source;

		wt_transport_end_source(end, &end->host->conns[i], NULL, &source);
		if (strcmp(source.text, wanted) == 0)
			return &end->host->conns[i];
	}
	return NULL;
}

struct wt_loop_conn *wt_transport_rig_accepted(struct wt_transport_rig *rig)
{
	struct wt_loop_host *host = rig->acceptor.host;

	if (!wt_transport_end_is_stream(&rig->acceptor))
		return listening(rig);
	return host->accepted > 0 ? &host->conns[host->conn_count - 1] : NULL;
}

/* A first message goes out inside of the report, as in the daemon. The kernel may
 * keep a stream back until its dialler says something. */
static void speak(struct wt_loop_conn *conn)
{
	struct wt_transport_rig *rig = conn->arg;

	wt_line_free(&rig->out);
	if (!wt_line_init(&rig->out, &rig->dialler, conn, true))
		return;
	wt_line_want(&rig->out, 1);
	wt_line_push(&rig->out);
}

/* A connection that was dialled and is there. NULL: the note says why not. */
static struct wt_loop_conn *connected(struct wt_transport_rig *rig,
				      const struct sockaddr_storage *at)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_loop_conn *conn =
		wt_transport_end_dial(&rig->dialler, rig->worker, at, &status, &err);

	if (conn) {
		conn->arg = rig;
		conn->on_connected = speak;
	}
	if (!conn)
		wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
	else if (!WT_RIG_UNTIL(rig, conn->connected || conn->ended))
		wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					"of a dial neither link_connected nor link_ended comes");
	else if (conn->ended)
		wt_find(rig->note, WT_FAULT_FAILED, "a dial ends: %s", conn->text);
	else
		return conn;
	return NULL;
}

/* The acceptor's line, on its newest connection or the socket that listens. */
static bool take_in(struct wt_transport_rig *rig)
{
	struct wt_loop_conn *conn = wt_transport_rig_accepted(rig);

	if (!conn)
		return wt_find(rig->note, WT_FAULT_SOURCE,
			       "no socket that listens says in source() that it does so at the "
			       "address it was given");
	wt_line_free(&rig->in);
	return wt_line_init(&rig->in, &rig->acceptor, conn, false) ||
	       wt_find(rig->note, WT_FAULT_FAILED, "no memory");
}

static const struct wt_path nowhere;

bool wt_transport_rig_connect(struct wt_transport_rig *rig, const struct sockaddr_storage *at)
{
	const size_t before = rig->acceptor.host->accepted;
	const bool stream = wt_transport_end_is_stream(&rig->acceptor);

	if ((!stream && !take_in(rig)) || !connected(rig, at))
		return false;
	if (!rig->out.conn)
		return wt_find(rig->note, WT_FAULT_FAILED, "no memory");
	if (stream && !WT_RIG_UNTIL(rig, rig->acceptor.host->accepted > before))
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED,
					       "a dial is connected, and link_accepted does not "
					       "come");
	if ((stream && !take_in(rig)) || !wt_transport_rig_carry(rig, &rig->out, &rig->in))
		return false;
	if (!stream && memcmp(&rig->in.from, &nowhere, sizeof nowhere) == 0)
		return wt_find(rig->note, WT_FAULT_PATHS,
			       "a record at a socket that listens has path zero: it came from "
			       "somebody");
	rig->in.path = rig->in.from;
	return true;
}

void wt_transport_rig_set_max(struct wt_transport_rig *rig, uint32_t max)
{
	struct wt_line *lines[] = { &rig->out, &rig->in };

	for (size_t i = 0; i < 2; i++) {
		if (!lines[i]->stream)
			continue;
		wt_transport_end_set_max(lines[i]->end, lines[i]->conn, max);
		lines[i]->max = max;
	}
}

/* ---- carrying ------------------------------------------------------------- */

/* Why has not all of it arrived? */
static bool stuck(struct wt_transport_rig *rig, const struct wt_line *from, struct wt_line *to)
{
	const uint32_t missing = from->taken - to->got;

	if (wt_transport_rig_found(rig))
		return false;
	if (to->refused)
		return wt_find(rig->note, WT_FAULT_RECORD_LIMIT,
			       "recv() says WT_ERR_LIMIT to records of up to %u bytes", to->max);
	if (from->conn->ended || to->conn->ended)
		return wt_find(rig->note, WT_FAULT_RECORD_LOST,
			       "the connection ends before all has arrived: %s",
			       to->conn->ended ? to->conn->text : from->conn->text);
	if (from->blocked && missing == 0)
		return wt_find(rig->note, WT_FAULT_WRITABLE_NEVER,
			       "send() took less than it was given, and what it took has "
			       "arrived");
	if (!wt_line_is_sent(from) && !from->blocked)
		return wt_find(rig->note, WT_FAULT_SLOT_KEPT,
			       "there is none left to send record %u from", from->made);
	wt_line_read(to);
	if (!wt_transport_rig_found(rig) && from->taken - to->got < missing)
		return wt_find(rig->note, WT_FAULT_READABLE_NEVER,
			       "recv() has records, and there is no report");
	return wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST, "%u of %u records did not come",
				       missing, from->taken);
}

static bool has_arrived(const struct wt_line *from, const struct wt_line *to)
{
	return wt_line_is_sent(from) && to->got >= from->wanted;
}

bool wt_transport_rig_carry(struct wt_transport_rig *rig, struct wt_line *from, struct wt_line *to)
{
	uint32_t before;

	/* As long as anything comes, the rest may, too. */
	do {
		before = to->got + from->taken;
		if (WT_RIG_UNTIL(rig, has_arrived(from, to)))
			return true;
	} while (!wt_transport_rig_found(rig) && to->got + from->taken != before);
	return stuck(rig, from, to);
}

bool wt_transport_rig_exchange(struct wt_transport_rig *rig)
{
	if (!wt_transport_rig_carry(rig, &rig->out, &rig->in))
		return false;
	rig->in.path = rig->in.from;
	return wt_transport_rig_carry(rig, &rig->in, &rig->out);
}
