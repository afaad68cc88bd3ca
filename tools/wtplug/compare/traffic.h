/* SPDX-License-Identifier: MIT
 *
 * traffic.h: one TCP connection from namespace 0 to namespace 1, both ends of it
 * in this process: a stream that is measured, and small messages that go to and
 * fro. What arrives is compared with what was sent.
 */
#ifndef WT_COMPARE_TRAFFIC_H
#define WT_COMPARE_TRAFFIC_H

#include <pthread.h>
#include <stdint.h>

#include "compare/netpair.h"

struct wt_traffic {
	int fds[2]; /* of the end that sends and the one that receives; -1: none */
	uint8_t *text, *room;
	uint64_t received; /* since the connection was made */
	pthread_t sender;
	bool sending;
};

/* Listens on `port` in namespace 1 and connects to `address`. Leaves the calling
 * thread in namespace 0. Close it in either case. */
enum wt_status wt_traffic_open(struct wt_traffic *traffic, const struct wt_netpair *net,
			       const char *address, uint16_t port,
			       struct wt_error *err) WT_MUST_CHECK;
void wt_traffic_close(struct wt_traffic *traffic);

/* `count` messages of 64 bytes there and back, each when the one before is back:
 * the median in microseconds. Before the first wt_traffic_stream. */
enum wt_status wt_traffic_echo(struct wt_traffic *traffic, unsigned count, double *median_us,
			       struct wt_error *err) WT_MUST_CHECK;

/* Receive for about `ms` milliseconds what a thread sends as fast as it can, from
 * the first call on: how many bytes came in how many nanoseconds. */
enum wt_status wt_traffic_stream(struct wt_traffic *traffic, unsigned ms, uint64_t *bytes,
				 uint64_t *ns, struct wt_error *err) WT_MUST_CHECK;

#endif
