/* SPDX-License-Identifier: MIT
 *
 * vigil.h: names in the log a plugin that a start or a stop waits for.
 *
 * While no worker runs, one thread calls the plugins: create(), peer_add(),
 * listen(), destroy(). A vigil is a thread beside it that looks at which of
 * these calls it is in. One that has not returned in time is said, again each
 * time its time has doubled, and when it returns. A process that is stopped does
 * not wait; what counts are looks.
 */
#ifndef WT_PLUGIN_VIGIL_H
#define WT_PLUGIN_VIGIL_H

/* What a plugin may take at load, too. */
#define WT_VIGIL_MS 5000u

struct wt_vigil;

/* Look at the calling thread, which ends the vigil; what takes `say_ms`
 * is said. NULL, which the other call takes: there is no memory for a thread,
 * and nothing will be said. Nothing is to fork meanwhile. */
struct wt_vigil *wt_vigil_begin(unsigned say_ms);
void wt_vigil_end(struct wt_vigil *vigil);

#endif
