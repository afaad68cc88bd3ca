/* SPDX-License-Identifier: MIT
 *
 * network.h: what wt_tun_configure (tun.h) leaves for wt_tun_close to undo.
 * Used inside this room only.
 */
#ifndef WT_TUN_NETWORK_H
#define WT_TUN_NETWORK_H

struct wt_tun;

/* Put back what wt_tun_configure changed on a persistent device, and free
 * tun->changes. Does nothing when that is NULL. */
void wt_network_restore(struct wt_tun *tun);

#endif
