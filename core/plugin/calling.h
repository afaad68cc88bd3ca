/* SPDX-License-Identifier: MIT
 *
 * calling.h: where each thread is, for who looks on from another one: the
 * address of the slot that it called and has not returned from, the innermost.
 * A slot lies in the table of one plugin or one instance's host, so its address
 * names both (wt_ops_name; engine/lookout.h). Costs two stores and a load a
 * call; nothing is synchronised, so what is read may be a moment old.
 */
#ifndef WT_PLUGIN_CALLING_H
#define WT_PLUGIN_CALLING_H

#include <stdatomic.h>

/* Written by its own thread alone; NULL: nothing is known. Only executables
 * link this, so no function has to be called for its address. */
extern _Thread_local const void *_Atomic wt_calling __attribute__((tls_model("initial-exec")));

/* Around each call, as a pair: returns what wt_calling_leave needs. */
static inline const void *wt_calling_enter(const void *slot)
{
	const void *outer = atomic_load_explicit(&wt_calling, memory_order_relaxed);

	atomic_store_explicit(&wt_calling, slot, memory_order_relaxed);
	return outer;
}

static inline void wt_calling_leave(const void *outer)
{
	atomic_store_explicit(&wt_calling, outer, memory_order_relaxed);
}

#endif
