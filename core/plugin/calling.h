/* SPDX-License-Identifier: MIT
 *
 * calling.h: where each thread is, for who looks on from another one or from a
 * signal handler: the address of the slot that it called and has not returned
 * from, the innermost. A slot lies in a struct wt_plugin, so its address names
 * plugin and operation. Costs two stores and a load a call; nothing is
 * synchronised, so what is read may be a moment old.
 */
#ifndef WT_PLUGIN_CALLING_H
#define WT_PLUGIN_CALLING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Written by its own thread alone; NULL: nothing is known. Only executables
 * link this, so no function has to be called for its address. */
extern _Thread_local const void *_Atomic wt_calling __attribute__((tls_model("initial-exec")));

/* How many calls this thread has begun with wt_calling_enter_slow. */
extern _Thread_local _Atomic uint64_t wt_calling_number __attribute__((tls_model("initial-exec")));

/* Around each call, as a pair: returns what wt_calling_leave needs. */
static inline const void *wt_calling_enter(const void *slot)
{
	const void *outer = atomic_load_explicit(&wt_calling, memory_order_relaxed);

	atomic_store_explicit(&wt_calling, slot, memory_order_relaxed);
	return outer;
}

/* The same for what a start and a stop consist of: each of these calls may take its
 * time, so who looks on tells one from the next (plugin/vigil.h). */
static inline const void *wt_calling_enter_slow(const void *slot)
{
	uint64_t number = atomic_load_explicit(&wt_calling_number, memory_order_relaxed);

	atomic_store_explicit(&wt_calling_number, number + 1, memory_order_relaxed);
	return wt_calling_enter(slot);
}

static inline void wt_calling_leave(const void *outer)
{
	atomic_store_explicit(&wt_calling, outer, memory_order_relaxed);
}

/* ---- naming */

struct wt_plugin;

/* More plugins than this are not named. */
#define WT_CALLING_KNOWN 64u
/* What the longest name needs. */
#define WT_CALLING_NAME 128u

/* From here on `plugin` can be named; known already is fine. Main thread. */
void wt_calling_know(const struct wt_plugin *plugin);
/* Before it is freed, while nobody looks on. Main thread. */
void wt_calling_forget(const struct wt_plugin *plugin);

/* "accept() of auth plugin "x"", "a timer of transport plugin "y"". False, and
 * `out` is "": the slot is of no plugin that is known. Any thread, and signal
 * handlers. */
bool wt_calling_name(const void *slot, char out[WT_CALLING_NAME]);

#endif
