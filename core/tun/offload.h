/* SPDX-License-Identifier: MIT
 *
 * offload.h: what the kernel gives and takes on a TUN device besides complete
 * packets: partial checksums, and runs of segments under one header.
 *
 * Sets are of enum wt_offload. Kernels have refused what they should take
 * (EINVAL on valid segment runs in 6.1.103, 6.6.44 and 6.10.3), so it is tried
 * before it is promised to anybody, and never on a device that is in use.
 */
#ifndef WT_TUN_OFFLOAD_H
#define WT_TUN_OFFLOAD_H

#include <stdint.h>

#include "tun/tun.h"

enum wt_offload {
	WT_OFFLOAD_CSUM = 1,
	WT_OFFLOAD_TSO4 = 2,
	WT_OFFLOAD_TSO6 = 4,
	WT_OFFLOAD_USO4 = 8,
	WT_OFFLOAD_USO6 = 16,
	WT_OFFLOAD_ALL = 31
};

/* Which of `wanted` does this kernel take? Tried in a child process with a
 * network namespace and a device of its own, within WT_OFFLOAD_PROBE_MS. Where
 * no namespace can be made, err says so and the answer is what every kernel
 * since 2.6.27 takes: `wanted` without USO. Main thread, before others run. */
#define WT_OFFLOAD_PROBE_MS 2000u
uint32_t wt_offload_probe(uint32_t wanted, struct wt_error *err);

/* Ask the kernel to give `wanted` on this device. Returns what it agreed to: it
 * may know no USO, and gives TSO only with checksums. */
uint32_t wt_offload_set(struct wt_tun *tun, uint32_t wanted);

/* "checksum, TCP segments, UDP segments", or "none". */
const char *wt_offload_text(uint32_t set, char *out, size_t size);

#endif
