/* SPDX-License-Identifier: MIT
 *
 * report.h: the counters, written to the log: what SIGUSR1 asks for.
 */
#ifndef WT_CONTROL_REPORT_H
#define WT_CONTROL_REPORT_H

struct wt_worker;

/* "counters: NAME=VALUE ..." for what is not 0, then a line for each peer. On
 * the worker's thread. */
void wt_report(const struct wt_worker *worker);

#endif
