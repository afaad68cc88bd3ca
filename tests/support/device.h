/* SPDX-License-Identifier: MIT
 *
 * device.h: network devices in tests: making them, and looking at what is on
 * them by other ways than core/tun/ (ioctl, getifaddrs, /proc/net).
 *
 * Everything works on the network namespace of the process and fails the test
 * when it cannot.
 */
#ifndef WT_TEST_SUPPORT_DEVICE_H
#define WT_TEST_SUPPORT_DEVICE_H

#include "tun/tun.h"

/* A network namespace of its own (support/netns.h). Skips the test, with a
 * reason, where there is no /dev/net/tun for us. */
void wt_device_enter(void);

struct wt_prefix wt_device_prefix(const char *text);

/* ---- looking ---- */

bool wt_device_has_address(const char *name, const char *prefix);
unsigned wt_device_address_count(const char *name, int family);
/* How many routes to exactly this network go by the device. */
unsigned wt_device_route_count(const char *name, const char *prefix);
int wt_device_mtu(const char *name);
int wt_device_queue(const char *name);
bool wt_device_is_up(const char *name);

/* ---- making ---- */

/* A TUN or TAP device made the kernel's plain way (IFF_* flags); the caller
 * closes the descriptor. */
int wt_device_plain(const char *name, short flags, bool persistent);

/* wt_tun_open, which must succeed. */
void wt_device_open(struct wt_tun *tun, const char *name);

/* What to ask wt_tun_configure for, as text, each list ended by NULL; mtu 0:
 * 1500. */
struct wt_wish {
	const char *addresses[6];
	const char *routes[12];
	uint32_t mtu, txqueuelen;
};

enum wt_status wt_device_configure(struct wt_tun *tun, const struct wt_wish *wish,
				   struct wt_error *err);
/* The same, and it must succeed. */
void wt_device_configure_well(struct wt_tun *tun, const struct wt_wish *wish);

#endif
