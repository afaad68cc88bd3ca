/* SPDX-License-Identifier: MIT
 *
 * track.h: keeping track of the other end of a datagram session: how large
 * records may be that it gets (session/pmtu), and where it is (session/path). Of
 * streams nothing is tracked, and all of this does nothing.
 *
 * What a path takes is found by probes alone, between what every path takes and
 * what this machine's own link does. ICMP messages, which anybody can write,
 * count for nothing.
 */
#ifndef WT_SESSION_TRACK_H
#define WT_SESSION_TRACK_H

#include "session/path.h"
#include "session/pmtu.h"

struct wt_conn;
struct wt_origin;

struct wt_track {
	struct wt_pmtu pmtu;
	struct wt_path path; /* what pmtu is about */
	struct wt_path_check check;
	uint32_t told; /* the record size that was logged last */
};

/* New keys are in use, and say where the other end is. A path that was not
 * tracked yet begins at base. Sets what conn->limits says. */
void wt_track_confirmed(struct wt_conn *conn);
/* Nothing is asked any more. */
void wt_track_stop(struct wt_conn *conn);

/* A record of `bytes` bytes opened that came from there; `newest` as in
 * session/path. */
void wt_track_received(struct wt_conn *conn, const struct wt_origin *from, size_t bytes,
		       bool newest);
/* PROBE_ACK and PATH_RESPONSE came. */
void wt_track_acked(struct wt_conn *conn, uint16_t id);
void wt_track_response(struct wt_conn *conn, const struct wt_origin *from,
		       const uint8_t payload[WT_PING_SIZE]);
/* A packet was sealed to a record of this length. */
void wt_track_sent(struct wt_conn *conn, size_t record_len);
/* Links or routes of this machine changed: the first link may take another size. */
void wt_track_link_changed(struct wt_conn *conn);

/* When wt_track_run has something to do; 0: never, as things are. */
uint64_t wt_track_due(const struct wt_conn *conn);
void wt_track_run(struct wt_conn *conn);

#endif
