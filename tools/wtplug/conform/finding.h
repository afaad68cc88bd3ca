/* SPDX-License-Identifier: MIT
 *
 * finding.h: what a check says: a verdict, and when something is wrong, the kind
 * of fault and a sentence about where it showed.
 */
#ifndef WT_CONFORM_FINDING_H
#define WT_CONFORM_FINDING_H

#include <whispertunnel/status.h>

enum wt_verdict {
	WT_SOUND,
	WT_FOUND,   /* the finding says what, and where */
	WT_SKIPPED, /* not needed for a verdict; the finding says why */
	WT_NOT_RUN  /* cannot be tested here, and is missing from the verdict */
};

/* The most telling first: of several findings in one plugin, the first in this
 * order is most likely the cause of the others. */
enum wt_fault {
	WT_FAULT_NONE,
	WT_FAULT_HUNG,
	WT_FAULT_ENDED,
	WT_FAULT_PAST_BUFFER,
	WT_FAULT_CRASHED,
	WT_FAULT_OVERRUN,
	WT_FAULT_OUTSIDE,
	WT_FAULT_REPORT_LATE,
	WT_FAULT_REPORT_INSIDE,
	WT_FAULT_SLOT_TWICE,
	WT_FAULT_END_TWICE,
	WT_FAULT_WRITABLE_TWICE,
	WT_FAULT_INPUT_WRITTEN,
	WT_FAULT_OUTPUT,
	WT_FAULT_STRANGER,
	WT_FAULT_FORGERY,
	WT_FAULT_REPLAY,
	WT_FAULT_BOTH_DIAL,
	WT_FAULT_TOKEN,
	WT_FAULT_STATE,
	WT_FAULT_AMPLIFIES,
	WT_FAULT_TOLD,
	WT_FAULT_PENDING,
	WT_FAULT_BLOCKS,
	WT_FAULT_CLOCK,
	WT_FAULT_NO_AGREEMENT,
	WT_FAULT_TAG_UNCHECKED,
	WT_FAULT_TAG_PART,
	WT_FAULT_TEXT_UNCOVERED,
	WT_FAULT_AAD_IGNORED,
	WT_FAULT_NONCE_PART,
	WT_FAULT_TEXT_RELEASED,
	WT_FAULT_WRONG_STATUS,
	WT_FAULT_LENGTH_ACCEPTED,
	WT_FAULT_IN_PLACE,
	WT_FAULT_ONE_LENGTH,
	WT_FAULT_ALIGNMENT,
	WT_FAULT_ONE_AAD,
	WT_FAULT_KEY_PART,
	WT_FAULT_KEYS_MIX,
	WT_FAULT_KEY_KEPT,
	WT_FAULT_KEY_BORROWED,
	WT_FAULT_THREADS,
	WT_FAULT_BATCH,
	WT_FAULT_ALLOCATION,
	WT_FAULT_ERRNO,
	WT_FAULT_WORKER,
	WT_FAULT_EVENTS,
	WT_FAULT_MISCLOSED,
	WT_FAULT_COUNTERS,
	WT_FAULT_NETWORK_ENDS,
	WT_FAULT_PATHS,
	WT_FAULT_WRITABLE_NEVER,
	WT_FAULT_FRAMING,
	WT_FAULT_BACK_PRESSURE,
	WT_FAULT_RECORD_LIMIT,
	WT_FAULT_TAIL,
	WT_FAULT_RECORD_CUT,
	WT_FAULT_RECORD_DAMAGED,
	WT_FAULT_RECORD_ORDER,
	WT_FAULT_RECORD_TWICE,
	WT_FAULT_RECORD_LOST,
	WT_FAULT_LISTEN,
	WT_FAULT_END_NEVER,
	WT_FAULT_END_SILENT,
	WT_FAULT_READABLE_NEVER,
	WT_FAULT_SOURCE,
	WT_FAULT_SLOT_KEPT,
	WT_FAULT_LEAK_MEMORY,
	WT_FAULT_LEAK_DESCRIPTOR,
	WT_FAULT_LEAK_THREAD,
	WT_FAULT_LIFE,
	WT_FAULT_BYTES,
	WT_FAULT_FAILED,
	WT_FAULT_NOT_LOADED,
	WT_FAULT_COUNT
};

/* "the tag is not checked" */
const char *wt_fault_text(enum wt_fault fault);
/* "tag-unchecked", for programs */
const char *wt_fault_name(enum wt_fault fault);

struct wt_finding {
	enum wt_fault fault;
	char text[480];	     /* may be "" */
	unsigned long cases; /* how many comparisons were made, where that is counted */
};

/* Fills it and returns false, so that a failure is one line. The text is cut to
 * fit; control bytes in it become "?". */
_Bool wt_find(struct wt_finding *finding, enum wt_fault fault, const char *fmt, ...)
	WT_PRINTF(3, 4);

#endif
