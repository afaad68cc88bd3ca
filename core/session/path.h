/* SPDX-License-Identifier: MIT
 *
 * path.h: has the other end of a datagram session moved?
 *
 * Only who was dialled asks: the dialler's addresses change without its doing
 * (NAT, another network), the other end's are the dialler's to know. A record
 * that opened, with the largest counter yet, from another path than the one in
 * use makes that path the candidate: it and the path in use are each sent a
 * PATH_CHALLENGE, with 8 random bytes of its own, up to four times within a
 * second. The session moves when the candidate's bytes come back in a
 * PATH_RESPONSE from the candidate. Data stays where it was until then.
 *
 *	- A copy of an old record is no reason: it opens once.
 *	- A copy that overtakes its original is one. So the candidate gets at most
 *	  three times the bytes that came from it; and a newest record from the path
 *	  in use, which the challenge there provokes, ends the check.
 *	- The two challenges differ: who only hears the dialler and forges source
 *	  addresses cannot pass an answer to one off as an answer to the other.
 *	- One candidate at a time, and one check begun in a second.
 *
 * No I/O but the random bytes, no allocation; time is the caller's
 * (CLOCK_BOOTTIME). One thread. docs/protocol.md "Path".
 */
#ifndef WT_SESSION_PATH_H
#define WT_SESSION_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/transport.h>

#include "record/inner.h"
#include "record/limits.h"

#define WT_PATH_CHALLENGE_RECORD (WT_RECORD_HEADER + WT_CONTROL_MAX + WT_TAG_SIZE)

/* One check; zeroed at first. Fields are for reading. */
struct wt_path_check {
	bool running;
	unsigned tries; /* challenges that were due so far */
	uint64_t begun_ms, due_ms;
	struct wt_path candidate;
	uint64_t received, sent; /* bytes of records, from and to the candidate */
	uint8_t to_candidate[WT_PING_SIZE], to_current[WT_PING_SIZE];
};

/* What is to be sent: PATH_CHALLENGEs of check->to_candidate to the candidate,
 * of check->to_current to the path in use. */
struct wt_path_step {
	bool to_candidate, to_current;
};

/* Are they the same? */
bool wt_path_equal(const struct wt_path *a, const struct wt_path *b);

/* A record of `bytes` bytes opened that came from `from`; `newest`: its counter
 * is the largest yet under the newest keys that anything came under. `current`
 * is the path in use. True: wt_path_due changed. For every record, or every run:
 * cheap. */
bool wt_path_received(struct wt_path_check *check, const struct wt_path *current,
		      const struct wt_path *from, size_t bytes, bool newest, uint64_t now_ms);

/* When wt_path_run is to be called; 0: never, as things are. */
uint64_t wt_path_due(const struct wt_path_check *check);

/* Do what is due; harmless when nothing is. */
void wt_path_run(struct wt_path_check *check, uint64_t now_ms, struct wt_path_step *out);

/* A PATH_RESPONSE came from `from`. True: the other end is at check->candidate,
 * and the check is over. */
bool wt_path_response(struct wt_path_check *check, const struct wt_path *from,
		      const uint8_t payload[WT_PING_SIZE]) WT_MUST_CHECK;

/* No matter any more: a handshake was completed, which says where the other end
 * is. */
void wt_path_stop(struct wt_path_check *check);

#endif
