/* SPDX-License-Identifier: MIT
 *
 * udp_rig.h: transport-udp on a loop host, with plain sockets of the test's own
 * at the other end. Loopback only.
 */
#ifndef WT_TEST_SUPPORT_UDP_RIG_H
#define WT_TEST_SUPPORT_UDP_RIG_H

#include "support/rig.h"

/* ---- plain sockets */

/* A socket bound to `address`, which then has its port. Reads wait as long as
 * WT_LOOP_UNTIL does, and fail the test then. */
int wt_udp_rig_socket(struct sockaddr_storage *address);
/* One datagram, or with `segment` a run of them in one call. */
void wt_udp_rig_throw(int fd, const struct sockaddr_storage *to, const void *bytes, size_t len,
		      uint32_t segment);
/* The same, where the kernel may refuse it: 0 or its errno. */
int wt_udp_rig_try(int fd, const struct sockaddr_storage *to, const void *bytes, size_t len,
		   uint32_t segment);
/* One datagram; from whom, if `from` is not NULL. */
size_t wt_udp_rig_catch(int fd, void *bytes, size_t size, struct sockaddr_storage *from);
/* Is there nothing to catch now? */
bool wt_udp_rig_is_quiet(int fd);

/* ---- runs: record `number` and the ones that follow it, each of `segment` bytes,
 * the last one shorter if `len` says so */

void wt_udp_rig_fill(uint8_t *data, uint32_t len, uint32_t segment, uint32_t number);
/* In a slot of the host's, ready for send(). */
struct wt_record wt_udp_rig_run(struct wt_rig *rig, uint32_t len, uint32_t segment,
				uint32_t number);
/* Catch records `number`.. of `segment` bytes that make `len`; they must be whole
 * and in order. */
void wt_udp_rig_catch_run(int fd, uint32_t len, uint32_t segment, uint32_t number);
/* Send these, all of which must be taken. */
void wt_udp_rig_send_all(struct wt_rig *rig, struct wt_loop_conn *conn,
			 const struct wt_record *records, size_t n);

/* ---- reading records on report, and checking them */

struct wt_udp_reader {
	struct wt_rig *rig;
	size_t n;	  /* elements asked for in one call */
	unsigned calls;	  /* recv calls in one turn; 0: until WT_AGAIN */
	uint32_t next;	  /* the number that comes next */
	uint32_t runs;	  /* elements that were runs */
	uint32_t longest; /* of them, in records */
	uint64_t bytes;
	struct wt_path path; /* of the last one */
};

/* Reads on link_readable from now on, and after that in each turn until WT_AGAIN. */
void wt_udp_reader_start(struct wt_udp_reader *reader, struct wt_rig *rig,
			 struct wt_loop_conn *conn);

/* A link that was dialled to a plain socket, and the socket; where the link's
 * own socket is, if `ours` is not NULL. */
struct wt_loop_conn *wt_udp_rig_pair(struct wt_rig *rig, int *peer, struct sockaddr_storage *ours);

#endif
