/* SPDX-License-Identifier: MIT
 *
 * buffer.h: how much may be on its way over one connection, sent and unsent.
 *
 * The send buffer bounds two things: speed (one buffer a round trip) and, where
 * the other end is slower than the way to it, how long a record waits in its
 * kernel. No one size is right: 512 KiB are much at 0.1 ms, and 40 Mbit/s at
 * 100 ms. So it begins small and follows twice what the connection delivers in
 * its shortest round trip; a buffer that was too small is outgrown in a few
 * round trips.
 */
#ifndef WT_TCP_BUFFER_H
#define WT_TCP_BUFFER_H

#include "connection.h"

/* Give a new socket the configured size, or the first one. */
void wt_tcp_buffer_init(const struct wt_tcp *tcp, int fd);

/* The kernel took less than it was offered: see whether it should take more. At
 * most one look in WT_TCP_SEND_BUFFER_LOOK_MS. */
void wt_tcp_buffer_full(struct wt_tcp_conn *conn);

/* The size, in bytes, for a way that delivers so much with that round trip. */
uint32_t wt_tcp_buffer_wanted(uint64_t bytes_per_s, uint32_t min_rtt_us) WT_MUST_CHECK;

#endif
