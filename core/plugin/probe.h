/* SPDX-License-Identifier: MIT
 *
 * probe.h: run something that may crash, hang or exit in a forked child, and
 * say how it went.
 */
#ifndef WT_PLUGIN_PROBE_H
#define WT_PLUGIN_PROBE_H

#include <stdbool.h>
#include <whispertunnel/status.h>

struct wt_probe; /* the child's side */

/* What runs in the child: reports where it is with wt_probe_step and returns
 * like any call. Its standard output and error are captured, its input is
 * empty; signals have their default actions. */
typedef enum wt_status wt_probe_fn(struct wt_probe *probe, void *arg, struct wt_error *err);

void wt_probe_step(struct wt_probe *probe, unsigned step);

enum wt_probe_end {
	WT_PROBE_RETURNED = 0, /* `status` and `err` are the function's */
	WT_PROBE_KILLED = 1,   /* by `signal` */
	WT_PROBE_EXITED = 2,   /* with `exit_status`, before the function returned */
	WT_PROBE_TIMED_OUT = 3
};

struct wt_probe_result {
	enum wt_probe_end end;
	unsigned step; /* the last one reported; 0: none */
	enum wt_status status;
	struct wt_error err;
	int signal;
	int exit_status;
	char said[128]; /* the first line that the child printed; may be "" */
};

/* Fork, run fn(arg) in the child, wait at most `timeout_ms`, kill what is left
 * of it and its children, and reap it. WT_OK: *result says how it went.
 * WT_ERR_IO: the child could not be made. Main thread, while it is the only
 * one: the child inherits the locks of all others. */
enum wt_status wt_probe_run(wt_probe_fn *fn, void *arg, unsigned timeout_ms,
			    struct wt_probe_result *result, struct wt_error *err) WT_MUST_CHECK;

#endif
