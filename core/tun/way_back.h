/* SPDX-License-Identifier: MIT
 *
 * way_back.h: what the way from here to a host behind us takes, for one packet
 * in thousands: cheaper than wt_route_mtu, and silent.
 */
#ifndef WT_TUN_WAY_BACK_H
#define WT_TUN_WAY_BACK_H

#include <stdint.h>

/* The largest packet that leaves for `address` (4 or 16 bytes, by `family`:
 * AF_INET or AF_INET6), by the kernel's routes and what path MTU discovery has
 * learnt; 0: not known. Four system calls on a socket that sends nothing; no
 * allocation. Any thread. */
uint32_t wt_way_back_mtu(uint8_t family, const uint8_t *address);

#endif
