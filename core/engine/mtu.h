/* SPDX-License-Identifier: MIT
 *
 * mtu.h: `mtu = auto`: the largest inner packet that costs no outer fragment.
 */
#ifndef WT_ENGINE_MTU_H
#define WT_ENGINE_MTU_H

#include "config/settings.h"

/* What one way out allows. */
struct wt_mtu_way {
	bool stream;	    /* the transport cuts by itself */
	uint32_t outer;	    /* MTU of the link or path */
	uint32_t transport; /* bytes that the transport and below add */
};

/* 1500 when every way is a stream (or there is none); else the least of
 * outer - transport - record overhead, at least WT_INNER_MTU_MIN. `sum` says
 * in words how it came about. */
uint32_t wt_mtu_auto(const struct wt_mtu_way *ways, size_t n, char *sum, size_t sum_size);

/* The same for all endpoints and listeners of `settings`. */
uint32_t wt_mtu_of(const struct wt_settings *settings, char *sum, size_t sum_size);

#endif
