/* SPDX-License-Identifier: MIT */
#include "control/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/counters.h"
#include "plugin/registry.h"
#include "session/lanes.h"
#include "session/node.h"
#include "session/peer.h"

#define LINE_BYTES 1400

struct wt_peer_report {
	struct wt_peer_counters counters;
	unsigned up; /* lanes that are */
	/* If any is up, of one that is: where it is, over what, and what fits. */
	char endpoint[96];
	const char *transport;
	uint32_t mtu, record_max;
};

/* The sums over the workers that it has visited. */
struct wt_report {
	struct wt_note note; /* first: a note is the report */
	struct wt_node *node;
	bool under_way; /* the first worker's */
	unsigned visited;
	uint64_t drops[WT_DROP_COUNT];
	uint64_t refusals[WT_REASON_COUNT];
	struct wt_offload_counters offloads;
	uint64_t handoffs, handoff_full, half_open, slots_free;
	struct wt_peer_report *peers;
};

struct line {
	const char *title;
	char text[LINE_BYTES];
	size_t at;
};

static void flush(struct line *line)
{
	if (line->at)
		wt_log(WT_LOG_INFO, "%s:%s", line->title, line->text);
	line->at = 0;
}

/* A line that is full is written and begun anew. */
static void add(struct line *line, const char *prefix, const char *name, uint64_t value)
{
	if (line->at + 128 > sizeof line->text)
		flush(line);
	int n = snprintf(line->text + line->at, sizeof line->text - line->at, " %s%.90s=%" PRIu64,
			 prefix, name, value);

	if (n > 0)
		line->at += (size_t)n;
}

static const char *const reason_names[WT_REASON_COUNT] = {
	"none",	 "length", "step",   "unknown_peer", "bad_mac",	   "bad_seal", "replay",   "clock",
	"token", "rate",   "params", "both_dial",    "weak_point", "load",     "internal",
};

static void report_drops(struct line *line, const uint64_t *drops)
{
	for (size_t i = 1; i < WT_DROP_COUNT; i++)
		if (drops[i])
			add(line, "drop_", wt_drop_name((enum wt_drop)i), drops[i]);
}

static void report_offloads(struct line *line, const struct wt_offload_counters *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} values[] = {
		{ "sent_partial", c->sent_partial },
		{ "sent_segments", c->sent_segments },
		{ "finished", c->finished },
		{ "cut", c->cut },
		{ "received_partial", c->received_partial },
		{ "received_segments", c->received_segments },
		{ "carved", c->carved },
		{ "sent_runs", c->sent_runs },
		{ "sent_run_packets", c->sent_run_packets },
		{ "merged_runs", c->merged_runs },
		{ "merged_packets", c->merged_packets },
		{ "copied_bytes", c->copied_bytes },
		{ "clamped", c->clamped },
		{ "too_big", c->too_big },
		{ "refused", c->refused },
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (values[i].value)
			add(line, "offload_", values[i].name, values[i].value);
}

static void report_peer(const struct wt_report *report, size_t id)
{
	const struct wt_peer_report *peer = &report->peers[id];
	const struct wt_peer_counters *c = &peer->counters;
	const struct wt_settings *settings = report->node->settings;
	char title[320];
	struct line line = { .title = title };

	if (peer->up > 0)
		snprintf(title, sizeof title,
			 "peer %s: state=up endpoint=%s transport=%s mtu=%u crypto=%s",
			 settings->peers[id].name, peer->endpoint, peer->transport, peer->mtu,
			 settings->crypto.plugin->name);
	else
		snprintf(title, sizeof title, "peer %s: state=down", settings->peers[id].name);
	if (peer->up > 0)
		add(&line, "", "record_max", peer->record_max);
	if (report->node->lanes[id].count > 1)
		add(&line, "", "connections", peer->up);
	add(&line, "", "rx_packets", c->rx_packets);
	add(&line, "", "rx_bytes", c->rx_bytes);
	add(&line, "", "tx_packets", c->tx_packets);
	add(&line, "", "tx_bytes", c->tx_bytes);
	add(&line, "", "handshakes", c->handshakes);
	report_drops(&line, c->drops);
	flush(&line);
}

static void write_report(const struct wt_report *report)
{
	const struct wt_node *node = report->node;
	struct line line = { .title = "counters" };
	uint64_t value;

	report_drops(&line, report->drops);
	report_offloads(&line, &report->offloads);
	for (size_t i = 1; i < WT_REASON_COUNT; i++)
		if (report->refusals[i])
			add(&line, "handshake_", reason_names[i], report->refusals[i]);
	for (uint32_t id = 1; id <= wt_counter_count(node->counters); id++)
		if ((value = wt_counter_read(node->counters, id)) != 0)
			add(&line, "", wt_counter_name(node->counters, id), value);
	if (node->worker_count > 1) {
		add(&line, "", "handoffs", report->handoffs);
		add(&line, "", "handoff_full", report->handoff_full);
	}
	add(&line, "", "half_open", report->half_open);
	add(&line, "", "slots_free", report->slots_free);
	flush(&line);
	for (size_t i = 0; i < node->peer_count; i++)
		report_peer(report, i);
}

/* ---- gathering ------------------------------------------------------------------------ */

static void add_offloads(struct wt_offload_counters *sum, const struct wt_offload_counters *c)
{
	sum->sent_partial += c->sent_partial;
	sum->sent_segments += c->sent_segments;
	sum->finished += c->finished;
	sum->cut += c->cut;
	sum->received_partial += c->received_partial;
	sum->received_segments += c->received_segments;
	sum->carved += c->carved;
	sum->sent_runs += c->sent_runs;
	sum->sent_run_packets += c->sent_run_packets;
	sum->merged_runs += c->merged_runs;
	sum->merged_packets += c->merged_packets;
	sum->copied_bytes += c->copied_bytes;
	sum->clamped += c->clamped;
	sum->too_big += c->too_big;
	sum->refused += c->refused;
}

static void gather_peer(struct wt_peer_report *sum, const struct wt_peer *peer)
{
	const struct wt_peer_counters *c = &peer->counters;

	sum->counters.rx_packets += c->rx_packets;
	sum->counters.rx_bytes += c->rx_bytes;
	sum->counters.tx_packets += c->tx_packets;
	sum->counters.tx_bytes += c->tx_bytes;
	sum->counters.handshakes += c->handshakes;
	for (size_t i = 0; i < WT_DROP_COUNT; i++)
		sum->counters.drops[i] += c->drops[i];
	if (!peer->active)
		return;
	if (sum->up++ > 0)
		return;
	snprintf(sum->endpoint, sizeof sum->endpoint, "%s", peer->active->source.text);
	sum->transport = wt_node_transport_name(peer->node, peer->active->link->transport);
	sum->mtu = wt_peer_mtu(peer);
	sum->record_max = peer->active->limits.record_max;
}

static void gather(struct wt_report *report, const struct wt_worker *worker)
{
	for (size_t i = 0; i < WT_DROP_COUNT; i++)
		report->drops[i] += worker->drops[i];
	for (size_t i = 0; i < WT_REASON_COUNT; i++)
		report->refusals[i] += worker->refusals[i];
	add_offloads(&report->offloads, &worker->offloads);
	report->handoffs += worker->handoffs;
	report->handoff_full += worker->handoff_full;
	report->half_open += worker->half_open_count;
	report->slots_free += worker->slots.free_count;
	for (size_t i = 0; i < worker->peer_count; i++)
		gather_peer(&report->peers[worker->peers[i].id], &worker->peers[i]);
}

/* The report goes from worker to worker, each adds what it has; when it is back
 * at the first it is written. Nobody waits and nothing is read from afar. */
static void visit(struct wt_note *note, struct wt_worker *worker)
{
	struct wt_report *report = (struct wt_report *)(void *)note;
	const struct wt_node *node = report->node;

	if (report->visited < node->worker_count) {
		gather(report, worker);
		report->visited++;
		if (report->visited < node->worker_count) {
			wt_note_post(&report->note, &worker->crew[report->visited]);
			return;
		}
		if (worker->index > 0) {
			wt_note_post(&report->note, &worker->crew[0]);
			return;
		}
	}
	write_report(report);
	report->under_way = false;
}

static struct wt_report *report_new(struct wt_node *node)
{
	struct wt_report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->node = node;
	report->peers = calloc(node->peer_count + 1, sizeof(*report->peers));
	if (!report->peers) {
		free(report);
		return NULL;
	}
	return report;
}

void wt_report_free(struct wt_report *report)
{
	if (report)
		free(report->peers);
	free(report);
}

void wt_report(struct wt_worker *worker)
{
	struct wt_node *node = worker->node;
	struct wt_peer_report *peers;

	if (!node->report)
		node->report = report_new(node);
	if (!node->report) {
		wt_log(WT_LOG_ERROR, "no report: out of memory");
		return;
	}
	if (node->report->under_way)
		return;
	peers = node->report->peers;
	memset(peers, 0, node->peer_count * sizeof(*peers));
	*node->report = (struct wt_report){
		.note.read = visit, .node = node, .peers = peers, .under_way = true
	};
	visit(&node->report->note, worker);
}
