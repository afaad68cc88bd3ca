/* SPDX-License-Identifier: MIT */
#include "session/track.h"

#include "plugin/call.h"
#include "session/output.h"
#include "session/peer.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The largest record that is of any use. While there is no way to the other end
 * the links say nothing, and what was known stays. */
static uint32_t ceiling_of(const struct wt_conn *conn)
{
	const struct wt_link *link = conn->link;
	const struct wt_path *path = wt_link_shared(link) ? &conn->path : NULL;
	uint32_t link_takes =
		wt_transport_max_record(link->transport, conn->worker, link->tconn, path);
	uint32_t mtu = least(conn->worker->node->limits.inner_mtu, conn->theirs.inner_mtu);

	if (link_takes == 0)
		link_takes = conn->track.pmtu.state != WT_PMTU_OFF ? conn->track.pmtu.ceiling
								   : WT_PATH_RECORD_BASE;
	if (link_takes < WT_PARAMS_RECORD_MIN)
		link_takes = WT_PARAMS_RECORD_MIN;
	return least(least(link_takes, conn->theirs.record_max), mtu + WT_PACKET_OVERHEAD);
}

static void tell(struct wt_conn *conn, enum wt_pmtu_event event)
{
	uint32_t takes = conn->path_record_max;

	if (event == WT_PMTU_NOTHING || (event == WT_PMTU_FOUND && takes == conn->track.told))
		return;
	if (event == WT_PMTU_FOUND)
		wt_notice(conn->peer, WT_LOG_INFO,
			  ": the path takes records of %u bytes, inner mtu %u", takes,
			  wt_conn_inner_mtu(conn));
	else if (event == WT_PMTU_LOWERED)
		wt_notice(conn->peer, WT_LOG_WARN,
			  ": records of %u bytes do not arrive any more; going on with %u, "
			  "looking for more",
			  conn->track.told, takes);
	else if (event == WT_PMTU_TOO_SMALL)
		wt_notice(conn->peer, WT_LOG_WARN,
			  ": not even records of %u bytes arrive; going on with %u, and IPv6 "
			  "inside, which needs an mtu of 1280, is refused while that lasts",
			  WT_PATH_RECORD_BASE, takes);
	else
		wt_notice(conn->peer, WT_LOG_WARN,
			  ": not even records of %u bytes arrive, so only small packets will: "
			  "lower mtu in [tunnel] below %u, or use a transport over a stream",
			  takes, takes - WT_PACKET_OVERHEAD);
	conn->track.told = takes;
}

/* What the search came to so far is what senders may use. */
static void use(struct wt_conn *conn, enum wt_pmtu_event event)
{
	struct wt_pmtu *pmtu = &conn->track.pmtu;
	uint64_t due = wt_pmtu_due(pmtu);

	if (pmtu->record_max != conn->path_record_max)
		wt_conn_path_takes(conn, pmtu->record_max);
	tell(conn, event);
	if (due != 0)
		wt_conn_schedule_at(conn, due);
}

static void begin(struct wt_conn *conn)
{
	struct wt_track *track = &conn->track;

	track->path = conn->path;
	track->told = 0;
	wt_pmtu_start(&track->pmtu, ceiling_of(conn), conn->worker->loop.now_ms);
}

void wt_track_confirmed(struct wt_conn *conn)
{
	struct wt_track *track = &conn->track;
	enum wt_pmtu_event event = WT_PMTU_NOTHING;

	if (!conn->link->datagram) {
		wt_conn_path_takes(conn, conn->path_record_max);
		return;
	}
	wt_path_stop(&track->check);
	if (track->pmtu.state == WT_PMTU_OFF || !wt_path_equal(&track->path, &conn->path))
		begin(conn);
	else
		event = wt_pmtu_set_ceiling(&track->pmtu, ceiling_of(conn),
					    conn->worker->loop.now_ms);
	wt_conn_path_takes(conn, track->pmtu.record_max);
	use(conn, event);
}

void wt_track_stop(struct wt_conn *conn)
{
	conn->track.pmtu = (struct wt_pmtu){ .state = WT_PMTU_OFF };
	wt_path_stop(&conn->track.check);
}

void wt_track_received(struct wt_conn *conn, const struct wt_origin *from, size_t bytes,
		       bool newest)
{
	/* The dialler knows where the other end is. That goes to one socket of
	 * ours, which another address of its does not change. */
	if (!wt_link_shared(conn->link) || from->link != conn->link || conn->state != WT_CONN_UP)
		return;
	if (wt_path_received(&conn->track.check, &conn->path, &from->path, bytes, newest,
			     conn->worker->loop.now_ms))
		wt_conn_schedule_at(conn, wt_path_due(&conn->track.check));
}

void wt_track_acked(struct wt_conn *conn, uint16_t id)
{
	if (conn->state == WT_CONN_UP && conn->link->datagram)
		use(conn, wt_pmtu_acked(&conn->track.pmtu, id, conn->worker->loop.now_ms));
}

void wt_track_response(struct wt_conn *conn, const struct wt_origin *from,
		       const uint8_t payload[WT_PING_SIZE])
{
	struct wt_source before = conn->source;

	if (conn->state != WT_CONN_UP || from->link != conn->link ||
	    !wt_path_response(&conn->track.check, &from->path, payload))
		return;
	wt_conn_move(conn, from);
	wt_notice(conn->peer, WT_LOG_INFO, " moved: endpoint %s, before %s", conn->source.text,
		  before.text);
	begin(conn);
	use(conn, WT_PMTU_NOTHING);
}

void wt_track_sent(struct wt_conn *conn, size_t record_len)
{
	struct wt_pmtu *pmtu = &conn->track.pmtu;

	if (wt_pmtu_sent(pmtu, record_len, conn->worker->loop.now_ms))
		wt_conn_schedule_at(conn, wt_pmtu_due(pmtu));
}

void wt_track_link_changed(struct wt_conn *conn)
{
	struct wt_pmtu *pmtu = &conn->track.pmtu;

	if (pmtu->state != WT_PMTU_OFF)
		use(conn, wt_pmtu_set_ceiling(pmtu, ceiling_of(conn), conn->worker->loop.now_ms));
}

uint64_t wt_track_due(const struct wt_conn *conn)
{
	uint64_t pmtu = wt_pmtu_due(&conn->track.pmtu), path = wt_path_due(&conn->track.check);

	return path != 0 && (pmtu == 0 || path < pmtu) ? path : pmtu;
}

static void challenge(struct wt_conn *conn, const struct wt_path *to, const uint8_t *payload)
{
	uint8_t text[WT_CONTROL_MAX];

	if (wt_output_ready(conn))
		(void)wt_output_text_to(conn, conn->keys.current, to, text,
					wt_control_path_challenge(text, payload));
}

void wt_track_run(struct wt_conn *conn)
{
	struct wt_track *track = &conn->track;
	uint64_t now = conn->worker->loop.now_ms;
	struct wt_pmtu_step probes;
	struct wt_path_step challenges;

	wt_path_run(&track->check, now, &challenges);
	if (challenges.to_candidate)
		challenge(conn, &track->check.candidate, track->check.to_candidate);
	if (challenges.to_current)
		challenge(conn, &conn->path, track->check.to_current);
	if (wt_pmtu_due(&track->pmtu) == 0 || wt_pmtu_due(&track->pmtu) > now)
		return;
	wt_pmtu_run(&track->pmtu, now, wt_output_ready(conn), &probes);
	for (size_t i = 0; i < probes.count; i++)
		(void)wt_output_probe(conn, probes.probes[i].record_len, probes.probes[i].id);
	use(conn, probes.event);
}
