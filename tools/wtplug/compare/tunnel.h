/* SPDX-License-Identifier: MIT
 *
 * tunnel.h: a tunnel between the namespaces of a pair: two running `wtcore`, the
 * one of namespace 0 dials, the one of namespace 1 listens.
 *
 * They end with the thread that started them, whatever ends it.
 */
#ifndef WT_COMPARE_TUNNEL_H
#define WT_COMPARE_TUNNEL_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "compare/netpair.h"

/* Numbers are 1..WT_TUNNEL_MAX: port and addresses are made from them. */
#define WT_TUNNEL_MAX 250u

struct wt_tunnel_spec {
	const char *crypto[2]; /* names of the plugins of end 0 and 1 */
	const char *transport; /* "tcp" */
	bool insecure;	       /* their algorithm is not AES-256-GCM */
	unsigned number;
};

/* Where the daemons find what they need, absolute; files are written there. */
struct wt_tunnel_place {
	const char *wtcore;
	const char *dir; /* of this user alone; holds `psk` and the plugins in `plugins` */
	const struct wt_netpair *net;
};

struct wt_tunnel {
	pid_t pids[2]; /* 0: none */
	char logs[2][PATH_MAX];
	char address[16]; /* of end 1, inside of the tunnel */
	uint16_t port;	  /* free on both ends, for who uses the tunnel */
	int probe;	  /* a socket at end 1; -1: none */
	bool up;
};

/* Stop it in either case. */
enum wt_status wt_tunnel_start(struct wt_tunnel *tunnel, const struct wt_tunnel_spec *spec,
			       const struct wt_tunnel_place *place,
			       struct wt_error *err) WT_MUST_CHECK;
void wt_tunnel_stop(struct wt_tunnel *tunnel);

/* Waits until datagrams come through each of them, at most for `timeout_ms`; sets
 * `up` of those. */
void wt_tunnels_wait(struct wt_tunnel *tunnels, size_t n, const struct wt_netpair *net,
		     unsigned timeout_ms);

/* The last thing that a daemon complained of or said: "the end that dials: ...". */
void wt_tunnel_complain(const struct wt_tunnel *tunnel, struct wt_error *err);

/* Processor time of both daemons so far, in nanoseconds. */
uint64_t wt_tunnel_processor_ns(const struct wt_tunnel *tunnel);

#endif
