/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t system_boot_ms(const struct wt_clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_BOOTTIME) / 1000000u;
}

static uint64_t system_unix_ms(const struct wt_clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_REALTIME) / 1000000u;
}

static uint64_t system_mono_ns(const struct wt_clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_MONOTONIC);
}

static uint64_t manual_boot_ms(const struct wt_clock *clock)
{
	return ((const struct wt_clock_manual *)clock)->boot_ms;
}

static uint64_t manual_unix_ms(const struct wt_clock *clock)
{
	return ((const struct wt_clock_manual *)clock)->unix_ms;
}

static uint64_t manual_mono_ns(const struct wt_clock *clock)
{
	return ((const struct wt_clock_manual *)clock)->boot_ms * 1000000u;
}

void wt_clock_manual_init(struct wt_clock_manual *manual, uint64_t boot_ms, uint64_t unix_ms)
{
	*manual = (struct wt_clock_manual){
		.clock = { manual_boot_ms, manual_unix_ms, manual_mono_ns },
		.boot_ms = boot_ms,
		.unix_ms = unix_ms,
	};
}

void wt_clock_manual_advance(struct wt_clock_manual *manual, uint64_t ms)
{
	manual->boot_ms += ms;
	manual->unix_ms += ms;
}

const struct wt_clock wt_clock_system = {
	.boot_ms = system_boot_ms,
	.unix_ms = system_unix_ms,
	.mono_ns = system_mono_ns,
};
