/* SPDX-License-Identifier: MIT
 *
 * limits.h: every number of the UDP transport, with its reason.
 */
#ifndef WT_UDP_LIMITS_H
#define WT_UDP_LIMITS_H

#include <whispertunnel/transport.h>

/* ---- sizes */

/* Layers below a record: UDP, and IP without options. */
#define WT_UDP_OVERHEAD_IPV4 (8u + 20u)
#define WT_UDP_OVERHEAD_IPV6 (8u + 40u)

/* No message is shorter than its own header: what is shorter is dropped. */
#define WT_UDP_RECORD_MIN WT_MESSAGE_HEADER
/* The largest datagram of IPv4; IPv6 would take 20 more. */
#define WT_UDP_RECORD_MAX WT_RUN_BYTES

/* ---- receiving */

/* Slots held while datagrams come in; each takes two of the largest runs. Four
 * runs of 64 KB are what the core looks at in one turn, and stay in its cache.
 * When what fills them is small, more: of a slot only what is used costs anything. */
#define WT_UDP_RECV_SLOTS_RUNS 2u
#define WT_UDP_RECV_SLOTS 8u
#define WT_UDP_RECV_SMALL 8192u
#define WT_UDP_RECV_PER_SLOT 2u
#define WT_UDP_RECV_BATCH (WT_UDP_RECV_SLOTS * WT_UDP_RECV_PER_SLOT)
/* No slots left: pause before the next read. */
#define WT_UDP_SLOT_PAUSE_MS 2u
/* Entries of the error queue read after one report. */
#define WT_UDP_ERRORS_PER_EVENT 16u

/* ---- sending */

/* Datagrams or runs in one system call; with runs this is 4 MB, without 64
 * datagrams, which costs a tenth of as many calls. */
#define WT_UDP_SEND_BATCH 64u
/* Pieces of memory in one system call. */
#define WT_UDP_SEND_PIECES 128u
/* A queue below the socket was full (ENOBUFS): the socket is writable all the
 * same, so that only time helps. */
#define WT_UDP_FULL_PAUSE_MS 1u
/* An error that waits at the socket is told instead of the send it meets: so
 * often a datagram is tried again before it counts as lost. */
#define WT_UDP_TRIES 3u

/* ---- buffers: keys `send_buffer` and `recv_buffer`, in KiB */

/* What waits in the kernel can no longer be overtaken: 8 ms at 1 Gbit/s. */
#define WT_UDP_SEND_BUFFER_KIB "1024"
/* The time that this process may be busy elsewhere: 3 ms at 10 Gbit/s. */
#define WT_UDP_RECV_BUFFER_KIB "4096"
#define WT_UDP_BUFFER_KIB_MAX 65536u

/* What is said to strangers has a buffer of its own. A datagram to an address of a
 * network of ours that does not say where it is waits there for 3 s, 0.8 KB each:
 * so at most 300 wait, and as many neighbours are looked for. More than one batch
 * of first messages is answered with. */
#define WT_UDP_ANSWER_BUFFER (256 * 1024)
/* Half of it is for networks (/24 and /64) that get no more than this, so that a
 * network full of nobody has 16 waiting there. More get the other half. */
#define WT_UDP_ANSWER_RATE 4u
#define WT_UDP_ANSWER_BURST 4u
#define WT_UDP_NETWORK_IPV4 3u
#define WT_UDP_NETWORK_IPV6 8u

#endif
