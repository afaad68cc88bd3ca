/* SPDX-License-Identifier: MIT
 *
 * report.h: the counters, written to the log: what SIGUSR1 asks for.
 */
#ifndef WT_CONTROL_REPORT_H
#define WT_CONTROL_REPORT_H

struct wt_report;
struct wt_worker;

/* "counters: NAME=VALUE ..." for what is not 0, then a line for each peer, summed
 * over all workers. Called on the thread of the first one; with others it is
 * written a moment later, when each has added its own. One that is under way
 * is not begun again. */
void wt_report(struct wt_worker *worker);

/* Of a node whose workers run no more. NULL is allowed. */
void wt_report_free(struct wt_report *report);

#endif
