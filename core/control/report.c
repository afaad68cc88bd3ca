/* SPDX-License-Identifier: MIT */
#include "control/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "control/counters.h"
#include "plugin/registry.h"
#include "session/node.h"
#include "session/peer.h"

#define LINE_BYTES 1400

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
		{ "copied_bytes", c->copied_bytes },
		{ "clamped", c->clamped },
		{ "too_big", c->too_big },
		{ "refused", c->refused },
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		if (values[i].value)
			add(line, "offload_", values[i].name, values[i].value);
}

static void report_peer(const struct wt_peer *peer)
{
	const struct wt_conn *conn = peer->active;
	const struct wt_peer_counters *c = &peer->counters;
	char title[256];
	struct line line = { .title = title };

	if (conn)
		snprintf(title, sizeof title, "peer %s: state=up endpoint=%s crypto=%s",
			 wt_peer_name(peer), conn->source.text,
			 peer->node->settings->crypto.plugin->name);
	else
		snprintf(title, sizeof title, "peer %s: state=down", wt_peer_name(peer));
	add(&line, "", "rx_packets", c->rx_packets);
	add(&line, "", "rx_bytes", c->rx_bytes);
	add(&line, "", "tx_packets", c->tx_packets);
	add(&line, "", "tx_bytes", c->tx_bytes);
	add(&line, "", "handshakes", c->handshakes);
	report_drops(&line, c->drops);
	flush(&line);
}

void wt_report(const struct wt_worker *worker)
{
	const struct wt_node *node = worker->node;
	struct line line = { .title = "counters" };
	uint64_t value;

	report_drops(&line, worker->drops);
	report_offloads(&line, &worker->offloads);
	for (size_t i = 1; i < WT_REASON_COUNT; i++)
		if (worker->refusals[i])
			add(&line, "handshake_", reason_names[i], worker->refusals[i]);
	for (uint32_t id = 1; id <= wt_counter_count(node->counters); id++)
		if ((value = wt_counter_read(node->counters, id)) != 0)
			add(&line, "", wt_counter_name(node->counters, id), value);
	add(&line, "", "half_open", worker->half_open_count);
	add(&line, "", "slots_free", worker->slots.free_count);
	flush(&line);
	for (size_t i = 0; i < node->peer_count; i++)
		report_peer(&node->peers[i]);
}
