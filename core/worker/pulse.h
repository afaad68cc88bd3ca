/* SPDX-License-Identifier: MIT
 *
 * pulse.h: shows another thread whether a worker comes round its loop, rests in
 * it, or stands still, for the price of an atomic store a turn.
 *
 * Who looks on sleeps while all workers rest, so that a tunnel without traffic
 * wakes nothing; the first worker that has something to do again wakes it.
 */
#ifndef WT_WORKER_PULSE_H
#define WT_WORKER_PULSE_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What workers must know of who looks on. */
struct wt_pulse_watcher {
	_Atomic bool sleeps; /* cleared by who posts `wake` for it */
	sem_t wake;
};

struct wt_pulse {
	_Atomic uint64_t beats;		  /* odd: awake; another number for each turn */
	struct wt_pulse_watcher *watcher; /* set while the worker does not run; or NULL */
};

static inline bool wt_pulse_rests(uint64_t beats)
{
	return (beats & 1u) == 0;
}

/* The worker's own thread, before it sleeps. */
static inline void wt_pulse_rest(struct wt_pulse *pulse)
{
	uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);

	atomic_store_explicit(&pulse->beats, (beats | 1u) + 1u, memory_order_relaxed);
}

/* Any thread: end the watcher's sleep, if it sleeps. */
static inline void wt_pulse_wake(struct wt_pulse_watcher *watcher)
{
	if (atomic_exchange(&watcher->sleeps, false))
		(void)sem_post(&watcher->wake);
}

/* The worker's own thread: a turn begins. The watcher says that it will sleep and
 * then looks at the beats; this is the reverse, so one of the two sees the
 * other. */
static inline void wt_pulse_beat(struct wt_pulse *pulse)
{
	uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);

	if (!wt_pulse_rests(beats)) {
		atomic_store_explicit(&pulse->beats, beats + 2u, memory_order_relaxed);
		return;
	}
	atomic_store(&pulse->beats, beats + 1u);
	if (pulse->watcher && atomic_load(&pulse->watcher->sleeps))
		wt_pulse_wake(pulse->watcher);
}

#endif
