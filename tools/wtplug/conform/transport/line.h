/* SPDX-License-Identifier: MIT
 *
 * line.h: one connection of a transport under test, as its end sees it:
 * numbered records go out as the connection takes them, and what comes in must be
 * the records of the other end, whole; on a stream each and in order, over
 * datagrams any of them.
 *
 * What is wrong becomes a finding of the host.
 */
#ifndef WT_CONFORM_TRANSPORT_LINE_H
#define WT_CONFORM_TRANSPORT_LINE_H

#include "conform/transport/end.h"

#define WT_LINE_BATCH 64u
/* The shortest record: a message's own header. */
#define WT_LINE_SHORTEST WT_MESSAGE_HEADER
/* Records that a line of datagrams can tell apart. */
#define WT_LINE_NUMBERS 8192u

struct wt_line {
	struct wt_transport_end *end;
	struct wt_loop_conn *conn;
	bool stream;
	/* The length of record `number`; the same at both ends. */
	uint32_t (*len)(uint32_t number);
	/* Numbers of this line's records begin at `out_from`, those of the other end at
	 * `in_from`: so the two directions cannot be mistaken. */
	uint32_t out_from, in_from;

	/* ---- going out */
	uint32_t made, wanted; /* so many records were made, so many are to be sent */
	uint32_t stride;       /* numbers between two of them; 1 */
	size_t batch;	       /* records in one call, up to WT_LINE_BATCH */
	uint32_t run;	       /* datagrams: records in one run; 0: no runs */
	struct wt_path path;   /* where they go */
	/* Datagrams: number and way of the record that is made as number `made`, if
	 * that is not the next one by `path`. */
	void (*route)(struct wt_line *line, uint32_t *number, struct wt_path *path);
	bool blocked;				     /* a call took less: link_writable is due */
	bool broken;				     /* send() said that it is over */
	unsigned shortages;			     /* how often a call took less */
	struct wt_long_record outbox[WT_LINE_BATCH]; /* made and not taken */
	size_t waiting;
	uint32_t taken;

	/* ---- coming in */
	bool reading;	       /* recv() on each link_readable */
	size_t ask;	       /* records in one call, up to WT_LINE_BATCH */
	unsigned calls;	       /* recv calls in one report; 0: until WT_AGAIN */
	uint32_t max;	       /* the longest that may come; 0: any */
	uint32_t got;	       /* records that came */
	uint32_t twice, runs;  /* datagrams: of them again, and in runs */
	uint8_t *seen;	       /* datagrams: a bit each */
	enum wt_status status; /* what recv() said last */
	bool refused;	       /* WT_ERR_LIMIT */
	bool tolerant;	       /* strangers send, too: what is no record is no matter */
	struct wt_path from;   /* of the last record */
	struct wt_long_record held[WT_LINE_BATCH]; /* what the last call gave, in use */
	size_t held_count;
	void (*on_record)(struct wt_line *line, uint32_t number, const struct wt_path *path);
	void *arg;
};

/* A line on a connection; `first` is the number of its own records, the other end
 * has !first. It reads; nothing is to be sent. False: no memory. */
bool wt_line_init(struct wt_line *line, struct wt_transport_end *end, struct wt_loop_conn *conn,
		  bool first) WT_MUST_CHECK;
void wt_line_free(struct wt_line *line); /* also of a zeroed one; the connection stays */
/* close(); what was not taken goes. */
void wt_line_close(struct wt_line *line, bool abort);

/* Send so many more. */
void wt_line_want(struct wt_line *line, uint32_t records);
/* What can be sent now is: once a turn. */
void wt_line_push(struct wt_line *line);
/* Read now, as on a report. */
void wt_line_read(struct wt_line *line);

/* Has the connection taken all that was wanted? */
bool wt_line_is_sent(const struct wt_line *line);

/* A record by its number: its header says the number where a receiver's index is. */
void wt_line_fill(uint8_t *data, uint32_t len, uint32_t number);
/* Is it one? The number is where it says so. */
bool wt_line_is_record(const uint8_t *data, uint32_t len, uint32_t *number);

/* Lengths: always the same, or all kinds of them. */
uint32_t wt_line_small(uint32_t number);    /* 8..512 */
uint32_t wt_line_middling(uint32_t number); /* 8..1400 */
uint32_t wt_line_mixed(uint32_t number);    /* 8..WT_RECORD_MAX */

#endif
