/* SPDX-License-Identifier: MIT
 *
 * transport.h: the contract of a transport plugin.
 *
 * A transport carries records (whole messages of docs/protocol.md) between
 * two cores. It owns sockets and framing; it never sees plaintext, and it has
 * no policy: it makes the one dial attempt it is asked for and reports, the
 * core decides when to try again, what to accept and how long to wait.
 *
 * Life: create() -> listen() and dial() any number -> close() of every
 * connection -> destroy(). All calls about one connection come from the worker
 * it belongs to.
 */
#ifndef WHISPERTUNNEL_TRANSPORT_H
#define WHISPERTUNNEL_TRANSPORT_H

#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>
#include <whispertunnel/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wt_transport_mode {
	/* Ordered and reliable; records up to WT_RECORD_MAX. */
	WT_TRANSPORT_STREAM = 1,
	/* Neither; records up to a size that depends on the path. */
	WT_TRANSPORT_DATAGRAM = 2
};

/* One record. For send: `data` lies in `slot` with at least `headroom` bytes
 * of the slot before it that the transport may overwrite. For recv: `data` may
 * be read and written by the core in place. */
struct wt_record {
	uint32_t struct_size;
	uint32_t len;
	uint8_t *data;
	struct wt_slot *slot; /* send only; NULL in recv */
};

/* Who is at the other end of a connection. */
struct wt_source {
	uint32_t struct_size;
	uint16_t token_len;  /* address and port: what a RETRY token is bound to */
	uint16_t prefix_len; /* the /32 or /64: what rate limits count */
	uint8_t token[32];
	uint8_t prefix[32];
	char text[96]; /* for logs: "192.0.2.1:4433", "[2001:db8::1]:4433" */
};

struct wt_transport_ops {
	uint32_t struct_size;
	uint32_t mode;	   /* enum wt_transport_mode */
	uint32_t headroom; /* bytes before a record, 0..16 */
	/* Bytes that the transport and the layers below add to a record on
	 * an IPv4 and IPv6 link; what `mtu = auto` is computed from. */
	uint32_t overhead_ipv4, overhead_ipv6;

	/* Make the instance; `cfg` is the [transport NAME] section. Opens
	 * nothing. Required. */
	enum wt_status (*create)(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err);
	/* Closes what listen opened. Every connection is closed before.
	 * Required. */
	void (*destroy)(void *self);

	/* Open the sockets that the section asks for; none is fine. All or
	 * nothing: on failure err names the address and nothing that this call
	 * opened stays open. Called once for each worker, before any of them
	 * runs, on one thread; what is accepted belongs to the worker whose
	 * socket it came to. With several workers (host->worker_count) they
	 * share the addresses (SO_REUSEPORT). Required. */
	enum wt_status (*listen)(void *self, struct wt_worker *worker, struct wt_error *err);

	/* Make one attempt to reach `remote`. `cfg` holds the endpoint's keys.
	 * On WT_OK *tconn is set, and exactly one of conn_connected or
	 * conn_ended follows, later than this call. Required. */
	enum wt_status (*dial)(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			       socklen_t remote_len, const struct wt_config *cfg,
			       struct wt_conn *conn, void **tconn, struct wt_error *err);

	/* End a connection and free it: nothing is reported for it any more,
	 * its slots are given back. `abort` discards what was not yet sent,
	 * otherwise the kernel still tries. Required. */
	void (*close)(void *self, struct wt_worker *worker, void *tconn, int abort);

	/* Send records in order. *taken (0..n) of them now belong to the
	 * transport, which calls slot_done for each, possibly before it
	 * returns; a partly written one counts as taken and stays first. When
	 * *taken < n, conn_writable follows once. The rest stay the caller's.
	 * WT_OK even when *taken is 0; WT_ERR_CLOSED or WT_ERR_IO when the
	 * connection is of no more use (conn_ended follows, later than this call).
	 * Required. */
	enum wt_status (*send)(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_record *records, size_t n, size_t *taken);

	/* Up to `n` whole records, in order, valid until the next recv or close
	 * of the same connection. WT_OK with *got >= 1; WT_AGAIN with *got 0
	 * when there is none: only then has the transport let go of the
	 * connection's earlier records, so the core calls until WT_AGAIN unless
	 * its turn is over. WT_ERR_LIMIT for a record outside the allowed length:
	 * the core closes. Any other error is the end of the connection:
	 * conn_ended follows and says why. `struct_size` of the elements is
	 * the caller's. Makes at most one receive system call. Required. */
	enum wt_status (*recv)(void *self, struct wt_worker *worker, void *tconn,
			       struct wt_record *records, size_t n, size_t *got);

	/* From now on records of up to `max` bytes may come in
	 * (WT_UNAUTHENTICATED_MAX at the start). Required. */
	void (*set_max_record)(void *self, struct wt_worker *worker, void *tconn, uint32_t max);
	/* The largest record that can be sent now. Required. */
	uint32_t (*max_record)(void *self, void *tconn);

	/* Who is there. Required. */
	void (*source)(void *self, void *tconn, struct wt_source *out);
	/* The address this end uses. Optional: the host says WT_ERR_UNSUPPORTED. */
	enum wt_status (*local_address)(void *self, void *tconn, struct sockaddr_storage *out);
	/* Hand the connection to another worker; called on the worker that
	 * loses it, which makes no call about it afterwards. Optional: the
	 * connection stays where it was accepted. */
	enum wt_status (*move)(void *self, struct wt_worker *from, struct wt_worker *to,
			       void *tconn);
};

#ifdef __cplusplus
}
#endif

#endif
