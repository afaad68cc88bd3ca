/* SPDX-License-Identifier: MIT
 *
 * measure.h: what a record costs with a crypto plugin, on this machine, now.
 */
#ifndef WT_PLUGIN_MEASURE_H
#define WT_PLUGIN_MEASURE_H

#include "plugin/registry.h"

/* A packet of a common link, and one of a size that offloads make. */
enum wt_measure_length { WT_MEASURE_SMALL, WT_MEASURE_LARGE, WT_MEASURE_LENGTHS };
extern const uint32_t wt_measure_lengths[WT_MEASURE_LENGTHS]; /* bytes of text */

/* Processor time of one call, in ns: the mean of a seal and an open. At least 1. */
struct wt_measured {
	uint64_t ns[WT_MEASURE_LENGTHS];
};

/* Make an instance with default settings, seal and open records in place for
 * about 5 ms of processor time a length, in batches, and keep the best batch:
 * what disturbs a measurement only ever makes it slower. WT_ERR_CRYPTO: the
 * plugin failed, or a record did not come back as it was; or what create()
 * says. err names the plugin and what failed. Main thread. */
enum wt_status wt_measure_crypto(const struct wt_plugin *plugin, struct wt_measured *out,
				 struct wt_error *err) WT_MUST_CHECK;

#endif
