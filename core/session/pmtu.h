/* SPDX-License-Identifier: MIT
 *
 * pmtu.h: the largest record that arrives: datagram packetization layer path
 * MTU discovery (RFC 8899) for one direction of one path.
 *
 * Sizes are of whole records, as a datagram transport sends them. A PROBE of
 * some size is sent; that its PROBE_ACK comes shows that the size arrives. That
 * none comes, after some repeats, shows the contrary only if something small
 * was answered meanwhile: so repeats have a small probe beside them, and an
 * outage teaches nothing.
 *
 *	state		used, record_max	looked for
 *	BASE		base (1313)		whether base arrives
 *	SMALL		floor (1200)		whether that does; base did not
 *	SEARCH		what arrived last	more: the largest first, then halves
 *	COMPLETE	the same		nothing, but again after 10 minutes
 *	UNUSABLE	floor			nothing, but again after a minute
 *
 * No data is acknowledged, so a path that takes less than it did is found by
 * asking: while records above the floor are sent, a probe of record_max is
 * sent every 1.5 s, and if it is lost the search starts at base.
 *
 * No I/O, no allocation; time is the caller's (CLOCK_BOOTTIME). One thread.
 */
#ifndef WT_SESSION_PMTU_H
#define WT_SESSION_PMTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/inner.h"
#include "record/limits.h"

enum wt_pmtu_state {
	WT_PMTU_OFF = 0, /* zeroed: a stream, or not begun */
	WT_PMTU_BASE,
	WT_PMTU_SMALL,
	WT_PMTU_UNUSABLE,
	WT_PMTU_SEARCH,
	WT_PMTU_COMPLETE
};

/* One size that is being asked about. */
struct wt_pmtu_probe {
	uint32_t record_len; /* 0: none */
	uint32_t tries;
	uint64_t due_ms; /* the next try, or the verdict */
	uint16_t id;	 /* even; the small one's is the odd one behind it */
	bool alive;	 /* a small one was answered */
};

/* Fields are for reading. It may be moved. */
struct wt_pmtu {
	enum wt_pmtu_state state;
	uint32_t record_max;	      /* send no record above this */
	uint32_t ceiling;	      /* no larger one is of use */
	uint32_t base, floor;	      /* of this path: the constants, or ceiling */
	uint32_t high;		      /* SEARCH: the largest that is not refuted */
	struct wt_pmtu_probe search;  /* of a size not known to arrive */
	struct wt_pmtu_probe confirm; /* of record_max */
	uint64_t raise_ms;	      /* search again; 0: never */
	uint16_t last_id;	      /* goes on when a path begins */
};

/* What is to be told. */
enum wt_pmtu_event {
	WT_PMTU_NOTHING = 0,
	WT_PMTU_FOUND,	   /* COMPLETE: record_max is what this path takes */
	WT_PMTU_LOWERED,   /* record_max arrived once and does not now; a search begins */
	WT_PMTU_TOO_SMALL, /* SMALL: base does not arrive */
	WT_PMTU_NO_USE	   /* UNUSABLE: nor does floor */
};

#define WT_PMTU_PROBES_MAX 4u
#define WT_PMTU_SMALL_RECORD (WT_RECORD_HEADER + WT_PROBE_TEXT_MIN + WT_TAG_SIZE)

struct wt_pmtu_step {
	enum wt_pmtu_event event;
	size_t count; /* PROBEs to send now, each as a record of exactly record_len */
	struct {
		uint32_t record_len;
		uint16_t id;
	} probes[WT_PMTU_PROBES_MAX];
};

/* A path of which nothing is known: after the handshake, and after a move.
 * `ceiling`: the least of what the link takes and of what is ever sent, at least
 * WT_PARAMS_RECORD_MIN. *pmtu was zeroed or started before; answers to earlier
 * probes count no more. */
void wt_pmtu_start(struct wt_pmtu *pmtu, uint32_t ceiling, uint64_t now_ms);

/* The link takes another size from now on. Harmless when it is the same one, or
 * in OFF. */
enum wt_pmtu_event wt_pmtu_set_ceiling(struct wt_pmtu *pmtu, uint32_t ceiling, uint64_t now_ms);

/* When wt_pmtu_run is to be called; 0: never, as things are. */
uint64_t wt_pmtu_due(const struct wt_pmtu *pmtu);

/* Do what is due; harmless when nothing is. Without `can_send` (the link is
 * blocked) what is due waits a little, and counts as no try. */
void wt_pmtu_run(struct wt_pmtu *pmtu, uint64_t now_ms, bool can_send, struct wt_pmtu_step *out);

/* The PROBE_ACK of `id` came; one that nobody waits for is ignored. */
enum wt_pmtu_event wt_pmtu_acked(struct wt_pmtu *pmtu, uint16_t id, uint64_t now_ms);

/* A record with a packet, of `record_len` bytes, was sent. True: wt_pmtu_due
 * changed. For every record: cheap. */
bool wt_pmtu_sent(struct wt_pmtu *pmtu, size_t record_len, uint64_t now_ms);

#endif
