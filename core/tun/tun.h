/* SPDX-License-Identifier: MIT
 *
 * tun.h: the TUN device, from its creation to its removal.
 *
 * Opened with the offload header (struct virtio_net_hdr, 10 bytes) from the
 * start: every read and write is [header][IP packet].
 *
 * All calls work on the network namespace of the calling thread, talk to the
 * kernel only and wait for its answer, which comes at once. One thread at a
 * time per device. Where a call fails, err names the object and the remedy.
 */
#ifndef WT_TUN_TUN_H
#define WT_TUN_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "config/prefix.h"

#define WT_TUN_HEADER 10u /* sizeof(struct virtio_net_hdr) */

#define WT_TUN_QUEUES_MAX 128u

struct wt_tun_changes;

struct wt_tun {
	int fd; /* non-blocking, close-on-exec; -1: not open */
	/* With several queues each is read and written through a descriptor of
	 * its own; fd is the first of them. */
	int queues[WT_TUN_QUEUES_MAX];
	unsigned queue_count;
	unsigned ifindex;
	char name[IFNAMSIZ];
	bool persistent;		/* was there before us: only detached at close */
	struct wt_tun_changes *changes; /* what close has to undo; NULL: nothing */
};

/* Can `name` be a device's name? 1..15 printable ASCII characters without
 * space, '/', ':', '%' (a pattern for the kernel) and '"'; not ".", "..", and
 * neither "all" nor "default" (taken in /proc/sys/net). WT_ERR_CONFIG. */
enum wt_status wt_tun_check_name(const char *name, struct wt_error *err) WT_MUST_CHECK;

/* Create the device `name`, or attach to a persistent TUN device of that name.
 *	WT_ERR_CONFIG		not a name, or a device of another kind
 *	WT_ERR_PERMISSION	rights are missing
 *	WT_ERR_UNAVAILABLE	no TUN driver or no /dev/net/tun
 *	WT_ERR_IO		in use by another process, or refused otherwise
 * On failure *tun is set to "not open": closing it does nothing. */
enum wt_status wt_tun_open(struct wt_tun *tun, const char *name,
			   struct wt_error *err) WT_MUST_CHECK;

/* The same with `queues` (1..WT_TUN_QUEUES_MAX) queues. A persistent device must
 * have been made for several if more than one is asked for, and for one if not.
 * The kernel keeps a flow on the queue that its other direction is written to. */
enum wt_status wt_tun_open_queues(struct wt_tun *tun, const char *name, unsigned queues,
				  struct wt_error *err) WT_MUST_CHECK;

/* What to set up on the device, through netlink. */
struct wt_tun_network {
	const struct wt_prefix *addresses; /* with host bits, as in 10.8.0.1/24 */
	size_t address_count;
	const struct wt_prefix *routes; /* networks; see wt_tun_configure */
	size_t route_count;
	uint32_t mtu;
	uint32_t txqueuelen; /* packets; 0: leave it */
};

/* Set MTU and queue, add the addresses, set the link up, add the routes.
 *
 * What is so already is left alone and needs no rights: a user who owns a
 * persistent device that root has set up can run the daemon. IPv6 addresses
 * are usable when the call returns.
 *
 * Routes may repeat; one that lies inside an address's own network is not
 * added, since that network is routed here. A default route (0.0.0.0/0, ::/0)
 * is never added, because it would carry the tunnel's own outer packets back
 * into it: one warning gives the commands that do it right.
 *
 * On failure what was done before stays; wt_tun_close undoes it.
 *	WT_ERR_PERMISSION	something has to change and rights are missing
 *	WT_ERR_CONFIG		the settings cannot work together
 *	WT_ERR_NOMEM, WT_ERR_IO	the kernel refused; err says what and why */
enum wt_status wt_tun_configure(struct wt_tun *tun, const struct wt_tun_network *network,
				struct wt_error *err) WT_MUST_CHECK;

/* Close the device. One that we created vanishes with all that is on it, as it
 * does when the process dies in any way. On a persistent one, what configure
 * changed is put back, and only that; if the rights for it are gone by now, one
 * warning says what stays. Harmless when not open. */
void wt_tun_close(struct wt_tun *tun);

/* Where packets to `address` leave: the MTU of that way (what path MTU
 * discovery or the route say, else the link) and the link's name, into
 * link_name[IFNAMSIZ] (NULL: not wanted). For `mtu = auto`, for messages, and
 * to see that a peer's endpoint is not reached through the tunnel itself.
 * WT_ERR_IO: there is no way. */
struct sockaddr;
enum wt_status wt_route_mtu(const struct sockaddr *address, uint32_t *mtu, char *link_name,
			    struct wt_error *err) WT_MUST_CHECK;

#endif
