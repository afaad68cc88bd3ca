/* SPDX-License-Identifier: MIT
 *
 * tcp_relay.h: what lies between a dialler and an acceptor whose carrier is TCP: it
 * takes one connection, makes one to the target, and forwards bytes as it is told.
 * A step of a rig (conform/transport/rig.h); it never blocks.
 */
#ifndef WT_CONFORM_TRANSPORT_TCP_RELAY_H
#define WT_CONFORM_TRANSPORT_TCP_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WT_TCP_RELAY_BUFFER 65536u

/* One direction. */
struct wt_tcp_pipe {
	uint8_t bytes[WT_TCP_RELAY_BUFFER];
	size_t at, len;
	uint64_t carried;
	unsigned quiet; /* steps since something came */
	bool ended;	/* its source said so */
	bool shut;	/* and its sink was told */
};

struct wt_tcp_relay {
	struct sockaddr_storage at, target;
	int listener, near, far; /* -1: none; near is the dialler's */
	unsigned accepted;
	size_t chunk;	     /* bytes written at once; 0: all */
	size_t gather;	     /* not before so many are there, or no more come */
	bool held;	     /* nothing is read */
	uint64_t stop_after; /* forward so many bytes of the dialler's, ever; 0: all */
	struct wt_tcp_pipe forth, back;
};

/* Listens on a free port of the target's own address. False: the kernel's fault. */
bool wt_tcp_relay_open(struct wt_tcp_relay *relay, const struct sockaddr_storage *target);
/* Also of a zeroed one that was never opened. */
void wt_tcp_relay_close(struct wt_tcp_relay *relay);
/* Ends the connection, so that the next one can come. `reset`: with RST instead of
 * FIN, to both. */
void wt_tcp_relay_drop(struct wt_tcp_relay *relay, bool reset);
/* Says the end to the acceptor, and goes on with the other direction. */
void wt_tcp_relay_half_close(struct wt_tcp_relay *relay);
/* A struct wt_rig_step: has anything moved? */
bool wt_tcp_relay_step(void *relay);

#endif
