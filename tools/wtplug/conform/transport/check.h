/* SPDX-License-Identifier: MIT
 *
 * check.h: the contract of whispertunnel/transport.h, as checks on two
 * ends of a plugin that are made from its conformance table.
 *
 * They crash, hang and leak as the plugin does: conform/suite.h runs each in a
 * child.
 */
#ifndef WT_CONFORM_TRANSPORT_CHECK_H
#define WT_CONFORM_TRANSPORT_CHECK_H

#include "conform/transport/rig.h"

enum wt_check_modes { WT_OF_STREAMS = 1, WT_OF_DATAGRAMS = 2, WT_OF_BOTH = 3 };

struct wt_transport_check {
	const char *name;
	const char *promise;
	int level;
	enum wt_check_modes modes;
	bool once; /* at one address; else at one of each family */
	enum wt_verdict (*run)(const struct wt_transport_setup *setup, struct wt_finding *note);
};

extern const struct wt_transport_check wt_transport_checks[];
extern const size_t wt_transport_check_count;
/* NULL: there is none of that name for this mode (enum wt_transport_mode). */
const struct wt_transport_check *wt_transport_check_named(const char *name, uint32_t mode);
/* Is it one for that mode? */
bool wt_transport_check_is_for(const struct wt_transport_check *check, uint32_t mode);

/* In a network namespace of its own where the kernel allows one. */
enum wt_verdict wt_transport_check_run(const struct wt_transport_check *check, const char *path,
				       int level, uint64_t seed,
				       struct wt_finding *note) WT_MUST_CHECK;

/* ---- the checks, by file -------------------------------------------------- */

#define WT_TRANSPORT_CHECK(name_)                                                                  \
	enum wt_verdict name_(const struct wt_transport_setup *setup, struct wt_finding *note)

/* stream_check.c */
WT_TRANSPORT_CHECK(wt_check_stream_exchange);
WT_TRANSPORT_CHECK(wt_check_stream_sizes);
WT_TRANSPORT_CHECK(wt_check_stream_limit);

/* stream_flow_check.c */
WT_TRANSPORT_CHECK(wt_check_stream_split);
WT_TRANSPORT_CHECK(wt_check_stream_pressure);
WT_TRANSPORT_CHECK(wt_check_no_slots);

/* stream_end_check.c */
WT_TRANSPORT_CHECK(wt_check_stream_endings);
WT_TRANSPORT_CHECK(wt_check_stream_closing);
WT_TRANSPORT_CHECK(wt_check_stream_refused);
WT_TRANSPORT_CHECK(wt_check_stream_unanswered);
WT_TRANSPORT_CHECK(wt_check_stream_strangers);

/* both_check.c */
WT_TRANSPORT_CHECK(wt_check_listen);
WT_TRANSPORT_CHECK(wt_check_refusal);
WT_TRANSPORT_CHECK(wt_check_two_instances);
WT_TRANSPORT_CHECK(wt_check_churn);
WT_TRANSPORT_CHECK(wt_check_memory);

/* worker_check.c */
WT_TRANSPORT_CHECK(wt_check_workers);

/* datagram_check.c */
WT_TRANSPORT_CHECK(wt_check_datagram_exchange);
WT_TRANSPORT_CHECK(wt_check_datagram_sizes);
WT_TRANSPORT_CHECK(wt_check_datagram_runs);
WT_TRANSPORT_CHECK(wt_check_datagram_closing);

/* datagram_way_check.c */
WT_TRANSPORT_CHECK(wt_check_datagram_network);
WT_TRANSPORT_CHECK(wt_check_datagram_paths);
WT_TRANSPORT_CHECK(wt_check_datagram_nobody);
WT_TRANSPORT_CHECK(wt_check_datagram_strangers);

struct wt_tcp_relay;

/* Two sources of one host: other tokens, one prefix. False: the note says what not. */
bool wt_check_differ(struct wt_transport_rig *rig, const struct wt_source *a,
		     const struct wt_source *b) WT_MUST_CHECK;

/* Dials, and closes inside of the report that it is there. */
bool wt_check_dial_closes(struct wt_transport_rig *rig) WT_MUST_CHECK;

/* What comes in from now on is read, and closed when it ends or says too much. */
void wt_check_expect_visitors(struct wt_transport_rig *rig);
/* Of the acceptor's connections from number `from` on, how many are open? */
size_t wt_check_open_visitors(const struct wt_transport_rig *rig, size_t from);

/* Puts a relay before the acceptor. False: the note says why. */
bool wt_check_relay_open(struct wt_transport_rig *rig, struct wt_tcp_relay *relay) WT_MUST_CHECK;
/* Of a check with a relay: skipped if the transport does not connect to it. */
enum wt_verdict wt_check_relay_verdict(const struct wt_tcp_relay *relay, bool good,
				       struct wt_finding *note);

static inline enum wt_verdict wt_found_unless(bool sound)
{
	return sound ? WT_SOUND : WT_FOUND;
}

#endif
