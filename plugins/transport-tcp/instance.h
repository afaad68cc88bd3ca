/* SPDX-License-Identifier: MIT
 *
 * instance.h: one [transport NAME] section at work.
 *
 * Written by create() and listen(), read-only for everyone else, so that
 * connections of several workers may share it.
 */
#ifndef WT_TCP_INSTANCE_H
#define WT_TCP_INSTANCE_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

struct wt_tcp_listeners;

struct wt_tcp_counters {
	uint32_t rx_calls, tx_calls; /* receive and send system calls */
	uint32_t copied_bytes;	     /* record bytes moved inside the transport */
	uint32_t bad_length;	     /* records outside the allowed length */
	uint32_t slot_waits;	     /* reads put off because the pool was empty */
	uint32_t accept_pauses;	     /* no descriptors or memory to accept with */
	uint32_t accept_refused;     /* connections that the core did not want */
};

struct wt_tcp {
	const struct wt_host *host;
	const struct wt_config *cfg;
	const char *congestion;	  /* NULL: the system's */
	bool congestion_optional; /* a kernel that refuses it is no error */
	uint32_t send_buffer;	  /* bytes; 0: as buffer.h says */
	struct wt_tcp_counters counters;
	bool shared_ports;		    /* each worker listens on a socket of its own */
	struct wt_tcp_listeners *listeners; /* of the worker that asked last; then the others */
};

#endif
