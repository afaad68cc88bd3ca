/* SPDX-License-Identifier: MIT
 *
 * stall.h: does a worker stand still? Decided from what is seen of it now and
 * then, without clock, thread or file, so that a test can tell every story.
 *
 * What counts is time in which the worker was blocked (asleep in the kernel at
 * both ends of an interval) or computed (its processor time). Time in which it
 * waits for a processor, is stopped, or in which who looks did not run either
 * (the process was stopped, the machine slept or was busy) counts for nothing.
 */
#ifndef WT_ENGINE_STALL_H
#define WT_ENGINE_STALL_H

#include <stdbool.h>
#include <stdint.h>

/* So long is said to be a stall, and then at twice that, and so on. A turn of a
 * worker takes well under 10 ms, whatever its load. */
#define WT_STALL_MS 1000u
/* Who looks at longer intervals did not run itself. */
#define WT_STALL_GAP_MS 1000u

struct wt_sight {
	uint64_t beats;	 /* worker/pulse.h */
	uint64_t at_ms;	 /* of a clock that stands while the machine sleeps */
	uint64_t cpu_ms; /* processor time of the worker's thread so far */
	char state;	 /* of the thread, as in /proc/PID/stat; '?': not known */
};

struct wt_stall {
	struct wt_sight last;
	uint64_t blocked_ms, computed_ms; /* in the turn of `last` */
	uint64_t since_ms;		  /* when that turn was seen first */
	uint64_t say_ms;		  /* when so much counts, it is said */
	uint64_t lasted_ms;		  /* for both kinds of news */
	bool said;
};

enum wt_stall_news {
	WT_STALL_NOTHING,
	WT_STALL_STANDS, /* for lasted_ms */
	WT_STALL_GOES_ON /* after lasted_ms, of what was said to stand */
};

/* *stall begins as zero. */
enum wt_stall_news wt_stall_look(struct wt_stall *stall, const struct wt_sight *sight);

/* After WT_STALL_STANDS: was it rather computing than blocked? */
bool wt_stall_computes(const struct wt_stall *stall);

#endif
