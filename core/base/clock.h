/* SPDX-License-Identifier: MIT
 *
 * clock.h: the three clocks, behind one table so that tests own time.
 */
#ifndef WT_BASE_CLOCK_H
#define WT_BASE_CLOCK_H

#include <stdint.h>

struct wt_clock {
	uint64_t (*boot_ms)(const struct wt_clock *clock); /* CLOCK_BOOTTIME: ages of keys */
	uint64_t (*unix_ms)(const struct wt_clock *clock); /* CLOCK_REALTIME: handshakes only */
	uint64_t (*mono_ns)(const struct wt_clock *clock); /* CLOCK_MONOTONIC: queues, RTT */
};

/* The machine's clocks. Any thread. */
extern const struct wt_clock wt_clock_system;

/* A clock that moves only when told: all three derive from these fields. */
struct wt_clock_manual {
	struct wt_clock clock;
	_Atomic uint64_t boot_ms; /* workers of other threads read them */
	_Atomic uint64_t unix_ms;
};
void wt_clock_manual_init(struct wt_clock_manual *manual, uint64_t boot_ms, uint64_t unix_ms);
void wt_clock_manual_advance(struct wt_clock_manual *manual, uint64_t ms);

#endif
