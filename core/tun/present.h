/* SPDX-License-Identifier: MIT
 *
 * present.h: what is on a device already: its addresses, and the routes by it.
 * Used inside this room only.
 */
#ifndef WT_TUN_PRESENT_H
#define WT_TUN_PRESENT_H

#include "base/error.h"

struct wt_netlink;
struct wt_prefix_list;
struct wt_tun;

/* Appends the device's addresses. */
enum wt_status wt_present_addresses(struct wt_netlink *nl, const struct wt_tun *tun,
				    struct wt_prefix_list *list,
				    struct wt_error *err) WT_MUST_CHECK;

/* Appends the destinations of the routes by this device in the main
 * table, whoever made them, sorted. */
enum wt_status wt_present_routes(struct wt_netlink *nl, const struct wt_tun *tun,
				 struct wt_prefix_list *list, struct wt_error *err) WT_MUST_CHECK;

#endif
