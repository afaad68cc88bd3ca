/* SPDX-License-Identifier: MIT
 *
 * limits.h: every number of the TCP transport, with its reason.
 */
#ifndef WT_TCP_LIMITS_H
#define WT_TCP_LIMITS_H

#include <whispertunnel/wire.h>

/* ---- framing */

/* Before each record: its length, u32 big-endian, not counting itself. */
#define WT_TCP_PREFIX 4u
/* No message is shorter than its own header. */
#define WT_TCP_RECORD_MIN WT_MESSAGE_HEADER
/* What a connection may buffer before it is authenticated: one message. It
 * lies in the connection itself, so that strangers hold no slot. */
#define WT_TCP_INLINE (WT_TCP_PREFIX + WT_UNAUTHENTICATED_MAX)
/* A record over this is received to its exact end (and the next length with it),
 * so that the next one starts at the front of a slot, as a whole. Below it, one
 * large read for many records is cheaper. */
#define WT_TCP_BULK_RECORD (16u * 1024u)

/* Records written by one system call; the kernel's own limit is 1024. 64 bulk
 * records are more than any send buffer takes at once. */
#define WT_TCP_SEND_BATCH 64u

/* Layers below a record: this prefix, TCP with timestamps, IP. */
#define WT_TCP_OVERHEAD_IPV4 (WT_TCP_PREFIX + 32u + 20u)
#define WT_TCP_OVERHEAD_IPV6 (WT_TCP_PREFIX + 32u + 40u)

/* What `congestion = auto` takes where it may. Connections inside the tunnel have
 * a congestion control of their own; BBR outside paces by timers where there is
 * no fq, and a tunnel inside BBR was half as fast (docs/performance.md). */
#define WT_TCP_CONGESTION "cubic"

/* ---- time */

/* One dial attempt. SYNs go out at 0, 1 and 3 s: the third is answered or the
 * next address deserves its turn. */
#define WT_TCP_DIAL_MS 5000u
/* Sent bytes that stay unacknowledged so long end the connection
 * (TCP_USER_TIMEOUT): the core dials again, perhaps to another address. */
#define WT_TCP_USER_TIMEOUT_MS 10000
/* Finds a peer that vanished while nothing was sent. With TCP_USER_TIMEOUT set
 * Linux gives up at the first lost probe, so probe only a connection that is
 * suspect anyway: a healthy one carries a rekey every 120 s. */
#define WT_TCP_KEEPALIVE_IDLE_S 150
#define WT_TCP_KEEPALIVE_INTERVAL_S 5
/* A record of which a part came and then nothing for so long ends the
 * connection: it holds a slot. The sender's user timeout is the same. */
#define WT_TCP_STALL_MS 10000u
/* A connection is shown to accept() when its first bytes are there. */
#define WT_TCP_DEFER_ACCEPT_S 5
/* No descriptors left: pause before the next accept(). */
#define WT_TCP_ACCEPT_PAUSE_MS 200u
/* No slots left: pause before the next read. */
#define WT_TCP_SLOT_PAUSE_MS 2u

/* ---- bounds */

#define WT_TCP_BACKLOG 1024
/* Connections accepted in one turn by one listening socket. */
#define WT_TCP_ACCEPT_BATCH 16u
/* Bytes not yet sent that the kernel takes from us (TCP_NOTSENT_LOWAT): what is
 * in its queue can no longer be overtaken by a control record. */
#define WT_TCP_NOTSENT_LOWAT (128 * 1024)
/* Sent and unsent bytes together (SO_SNDBUF). `send_buffer` sets it, in KiB; else
 * it begins with what is enough for a machine beside us, and grows (buffer.h) to
 * what is enough for 10 Gbit/s at 10 ms or 1 Gbit/s at 100 ms. */
#define WT_TCP_SEND_BUFFER_KIB_MAX 65536u
#define WT_TCP_SEND_BUFFER_FIRST (512u * 1024u)
#define WT_TCP_SEND_BUFFER_MOST (32u * 1024u * 1024u)
/* A look costs a system call; a round trip that needs more is at least so long. */
#define WT_TCP_SEND_BUFFER_LOOK_MS 10u
/* An orderly close throws away up to so many unread bytes first; see send.c. */
#define WT_TCP_DISCARD_CALL (256u * 1024u)
#define WT_TCP_DISCARD_CALLS 32u

#endif
