/* SPDX-License-Identifier: MIT
 *
 * lookout.h: says in the log where a worker stands still: in which operation of
 * which plugin, or in which part of the core.
 *
 * A thread of its own, since with one worker there is no other that could look.
 * It sleeps while all workers rest in their loops. While one is awake it looks
 * twice a second. What counts as standing still is engine/stall.h's: neither a
 * busy machine nor a stopped process does. A stall is said when it has lasted a
 * second, again each time it has doubled, and when it ends.
 */
#ifndef WT_ENGINE_LOOKOUT_H
#define WT_ENGINE_LOOKOUT_H

#include "base/error.h"
#include "engine/whereabouts.h"
#include "session/node.h"

#define WT_LOOKOUT_STEP_MS 500u
/* While somebody stands still, so that the end is said with a useful figure. */
#define WT_LOOKOUT_CLOSE_STEP_MS 100u

struct wt_lookout;

/* Starts the thread, with all signals blocked. `node`, with workers of which
 * none runs yet and all its instances, outlives the lookout. NULL: err says
 * why. */
struct wt_lookout *wt_lookout_new(struct wt_node *node, struct wt_error *err) WT_MUST_CHECK;
/* No worker runs any more, but for the first. NULL is allowed. */
void wt_lookout_free(struct wt_lookout *lookout);

/* On the worker's own thread: look at it from here on; and no longer, before
 * that thread ends. `lookout` may be NULL. */
void wt_lookout_meet(struct wt_lookout *lookout, struct wt_worker *worker);
void wt_lookout_part(struct wt_lookout *lookout, struct wt_worker *worker);

#endif
