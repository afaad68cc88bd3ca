/* SPDX-License-Identifier: MIT
 *
 * udp_relay.h: what lies between a dialler and an acceptor whose carrier is UDP: it
 * loses datagrams, says them twice, and lets later ones overtake. A step of a rig
 * (conform/transport/rig.h); it never blocks.
 */
#ifndef WT_CONFORM_TRANSPORT_UDP_RELAY_H
#define WT_CONFORM_TRANSPORT_UDP_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define WT_UDP_RELAY_LATE 8u
#define WT_UDP_RELAY_BYTES 2048u

struct wt_udp_late {
	uint8_t bytes[WT_UDP_RELAY_BYTES];
	size_t len;
	bool forth;
};

struct wt_udp_relay {
	struct sockaddr_storage at, target, dialler;
	int near, far;	      /* -1: none */
	uint64_t state;	      /* of its generator; 0: forward everything as it comes */
	uint32_t came;	      /* datagrams of the dialler's */
	uint32_t forth, back; /* datagrams that were handed on, copies with them */
	struct wt_udp_late late[WT_UDP_RELAY_LATE];
	size_t late_count;
	unsigned quiet; /* steps without a datagram */
};

/* Waits at a free port of the target's own address. False: the kernel's fault. */
bool wt_udp_relay_open(struct wt_udp_relay *relay, const struct sockaddr_storage *target);
void wt_udp_relay_close(struct wt_udp_relay *relay); /* also of a zeroed one */
/* A struct wt_rig_step: has anything moved? */
bool wt_udp_relay_step(void *relay);

#endif
