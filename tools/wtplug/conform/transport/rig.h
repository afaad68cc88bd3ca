/* SPDX-License-Identifier: MIT
 *
 * rig.h: two ends of a transport under test, a dialler and an acceptor,
 * on one event loop, and what lies between them.
 */
#ifndef WT_CONFORM_TRANSPORT_RIG_H
#define WT_CONFORM_TRANSPORT_RIG_H

#include "conform/transport/line.h"

#define WT_RIG_STEPS 4u

/* So long something may be waited for that loopback does in microseconds: the
 * machine may be busy. Less where it is expected not to come. */
extern unsigned wt_transport_rig_patience_ms;

struct wt_transport_setup {
	const struct wt_loaded *loaded;
	const struct wt_conformance *table;
	int level;
	uint64_t seed;
	/* The acceptor's, with free ports; `listens` is the one that is tried, and `at`
	 * where it is dialled. */
	struct wt_end_addresses addresses;
	struct sockaddr_storage listens, at;
	bool alone; /* in a network namespace of its own */
};

/* Something of the tester's own that takes part in each turn. */
struct wt_rig_step {
	bool (*run)(void *arg); /* has it done anything? */
	void *arg;
};

struct wt_transport_rig {
	const struct wt_transport_setup *setup;
	struct wt_finding *note;
	unsigned misclosed; /* wt_descriptors_misclosed() at the start */
	struct wt_loop loop;
	struct wt_transport_end dialler, acceptor;
	struct wt_line out, in; /* of the connection between them: the dialler's, the acceptor's */
	uint32_t worker;	/* of the dialler's that dials */
	struct wt_rig_step steps[WT_RIG_STEPS];
	size_t step_count;
	enum wt_status listened;
	uint64_t deadline_ms;
};

/* Makes both and lets the acceptor listen. False: the note says why. Close it in
 * either case. */
bool wt_transport_rig_open(struct wt_transport_rig *rig, const struct wt_transport_setup *setup,
			   struct wt_finding *note) WT_MUST_CHECK;
/* With so many workers in each. */
bool wt_transport_rig_open_with(struct wt_transport_rig *rig,
				const struct wt_transport_setup *setup, uint32_t workers,
				struct wt_finding *note) WT_MUST_CHECK;
/* Ends all of it. `good` is what the check found so far; false, and a note, when
 * the end of it shows something. */
bool wt_transport_rig_close(struct wt_transport_rig *rig, bool good) WT_MUST_CHECK;

/* Dials `at` and sends a first record, as a dialler does in the daemon: then both
 * ends have a line, rig->out and rig->in, and the acceptor knows where to answer. */
bool wt_transport_rig_connect(struct wt_transport_rig *rig,
			      const struct sockaddr_storage *at) WT_MUST_CHECK;
/* The acceptor's newest connection; of a datagram transport the socket that listens
 * at `at`. NULL: there is none. */
struct wt_loop_conn *wt_transport_rig_accepted(struct wt_transport_rig *rig);
/* Both ends may have records up to `max`. */
void wt_transport_rig_set_max(struct wt_transport_rig *rig, uint32_t max);

/* One turn: what lines have to send is sent, what is ready is called. False: too
 * long has passed since the last _begin, or a finding is there. */
void wt_transport_rig_begin(struct wt_transport_rig *rig);
bool wt_transport_rig_turn(struct wt_transport_rig *rig) WT_MUST_CHECK;
#define WT_RIG_UNTIL(rig_, expr_)                                                                  \
	__extension__({                                                                            \
		wt_transport_rig_begin(rig_);                                                      \
		while (!(expr_) && wt_transport_rig_turn(rig_)) {                                  \
		}                                                                                  \
		(expr_) && !wt_transport_rig_found(rig_);                                          \
	})
/* Turns for so long, whatever comes. False: a finding is there. */
bool wt_transport_rig_rest(struct wt_transport_rig *rig, unsigned ms) WT_MUST_CHECK;

/* Is there a finding at one of the ends? It becomes the note. */
bool wt_transport_rig_found(struct wt_transport_rig *rig);
/* What was waited for did not come: what an end found, or else this. False. */
bool wt_transport_rig_missed(struct wt_transport_rig *rig, enum wt_fault fault, const char *fmt,
			     ...) WT_PRINTF(3, 4);

/* Until all that both lines want has arrived. False: the note names what is
 * missing. */
bool wt_transport_rig_exchange(struct wt_transport_rig *rig) WT_MUST_CHECK;
/* Until what `from` wants has arrived at `to`. */
bool wt_transport_rig_carry(struct wt_transport_rig *rig, struct wt_line *from,
			    struct wt_line *to) WT_MUST_CHECK;

#endif
