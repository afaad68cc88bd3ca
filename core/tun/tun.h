/* SPDX-License-Identifier: MIT
 *
 * tun.h: the TUN device, from its creation to its removal.
 *
 * Opened with the offload header (struct virtio_net_hdr, 10 bytes) from the
 * start: every read and write is [header][IP packet].
 */
#ifndef WT_TUN_TUN_H
#define WT_TUN_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/prefix.h"

#define WT_TUN_HEADER 10u /* sizeof(struct virtio_net_hdr) */

struct wt_tun {
	int fd; /* non-blocking, close-on-exec */
	unsigned ifindex;
	char name[IFNAMSIZ];
	bool persistent; /* was there before us: only detached at close */
};

/* Create the device `name`, or attach to a persistent TUN device of that name.
 * A device of another kind or one in use is an error. err says what to do
 * about missing rights (WT_ERR_PERMISSION) or a missing /dev/net/tun
 * (WT_ERR_UNAVAILABLE). */
enum wt_status wt_tun_open(struct wt_tun *tun, const char *name,
			   struct wt_error *err) WT_MUST_CHECK;

/* What to set up on the device, through netlink. */
struct wt_tun_network {
	const struct wt_prefix *addresses;
	size_t address_count;
	const struct wt_prefix *routes; /* may repeat or lie inside an address's own network */
	size_t route_count;
	uint32_t mtu;
	uint32_t txqueuelen; /* 0: leave it */
};

/* Set MTU, addresses, link up and routes. What this adds is remembered by
 * wt_tun_close's rule: a device we created vanishes with all of it; on a
 * persistent one what was added here is removed again, and only that. */
enum wt_status wt_tun_configure(struct wt_tun *tun, const struct wt_tun_network *network,
				struct wt_error *err) WT_MUST_CHECK;

/* Undo wt_tun_configure on a persistent device and close the fd. */
void wt_tun_close(struct wt_tun *tun);

/* The MTU of the link that packets to `address` leave by, and its name (at
 * most IFNAMSIZ bytes); for `mtu = auto` and for messages. */
struct sockaddr;
enum wt_status wt_route_mtu(const struct sockaddr *address, uint32_t *mtu, char *link_name,
			    struct wt_error *err) WT_MUST_CHECK;

#endif
