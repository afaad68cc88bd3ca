/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "conform/transport/check.h"
#include "conform/transport/netspace.h"

#define WORKERS 2u

/* A datagram belongs to the worker of its receiver's index. */
static void note_worker(struct wt_line *line, uint32_t number, const struct wt_path *path)
{
	struct wt_worker *wanted = wt_loop_host_worker_at(line->end->host, number % WORKERS);

	(void)path;
	if (line->conn->worker != wanted)
		wt_loop_host_found(line->end->host, WT_FAULT_WORKER,
				   "a datagram for receiver %u comes to the other of %u workers",
				   number, WORKERS);
}

/* A line on the socket of worker `index` at the address that is dialled. */
static bool line_of_worker(struct wt_transport_rig *rig, uint32_t index, struct wt_line *line)
{
	struct wt_loop_host *host = rig->acceptor.host;
	char wanted[WT_NETSPACE_TEXT];

	wt_netspace_text(&rig->setup->listens, wanted);
	for (size_t i = 0; i < host->conn_count; i++) {
		struct wt_source source;

		if (host->conns[i].worker != wt_loop_host_worker_at(host, index))
			continue;
		wt_transport_end_source(&rig->acceptor, &host->conns[i], NULL, &source);
		if (strcmp(source.text, wanted) != 0)
			continue;
		if (!wt_line_init(line, &rig->acceptor, &host->conns[i], false))
			return wt_find(rig->note, WT_FAULT_FAILED, "no memory");
		line->on_record = note_worker;
		return true;
	}
	return wt_find(rig->note, WT_FAULT_LISTEN, "worker %u has no socket for an address", index);
}

/* One that dials, whose records are all for receivers of worker `index`; number 0
 * would be no receiver. */
static bool line_for_worker(struct wt_transport_rig *rig, uint32_t index, struct wt_line *line)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_loop_conn *conn =
		wt_transport_end_dial(&rig->dialler, index, &rig->setup->at, &status, &err);

	if (!conn || !WT_RIG_UNTIL(rig, conn->connected))
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
	if (!wt_line_init(line, &rig->dialler, conn, true))
		return wt_find(rig->note, WT_FAULT_FAILED, "no memory");
	line->out_from = WORKERS + index;
	line->stride = WORKERS;
	return true;
}

static bool datagrams_are_shared(struct wt_transport_rig *rig)
{
	const uint32_t rounds = 60;
	struct wt_line from[WORKERS] = { { .end = NULL } }, to[WORKERS] = { { .end = NULL } };
	bool good = true;

	for (uint32_t i = 0; good && i < WORKERS; i++)
		good = line_of_worker(rig, i, &to[i]) && line_for_worker(rig, i, &from[i]);
	for (uint32_t round = 1; good && round <= rounds; round++) {
		for (uint32_t i = 0; i < WORKERS; i++) {
			wt_line_want(&from[i], 1);
			wt_line_push(&from[i]);
		}
		good = WT_RIG_UNTIL(rig, to[0].got + to[1].got >= WORKERS * round) ||
		       wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST,
					       "%u of %u records come to any worker",
					       to[0].got + to[1].got, WORKERS * round);
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		wt_line_close(&from[i], false);
		wt_line_free(&from[i]);
		if (to[i].conn)
			to[i].conn->on_readable = NULL;
		wt_line_free(&to[i]);
	}
	return good;
}

static bool streams_are_shared(struct wt_transport_rig *rig)
{
	bool good = true;

	for (uint32_t i = 0; good && i < 24; i++) {
		rig->worker = i % WORKERS;
		good = wt_transport_rig_connect(rig, &rig->setup->at);
		if (!good)
			break;
		wt_line_want(&rig->out, 10);
		wt_line_want(&rig->in, 10);
		good = wt_transport_rig_exchange(rig);
		wt_line_close(&rig->out, i & 4);
		wt_line_close(&rig->in, i & 2);
	}
	return good;
}

WT_TRANSPORT_CHECK(wt_check_workers)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open_with(&rig, setup, WORKERS, note);

	if (good)
		good = wt_transport_end_is_stream(&rig.acceptor) ? streams_are_shared(&rig)
								 : datagrams_are_shared(&rig);
	const bool alone = !good && rig.listened == WT_ERR_UNSUPPORTED;

	good = wt_transport_rig_close(&rig, good);
	if (!alone)
		return wt_found_unless(good);
	*note = (struct wt_finding){ .fault = WT_FAULT_NONE };
	wt_find(note, WT_FAULT_NONE, "it says that it cannot have several workers");
	return WT_SKIPPED;
}
