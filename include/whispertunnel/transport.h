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
 *
 * A connection of a stream transport has one other end. Of a datagram transport
 * it is a socket: listen() reports each of its sockets once with conn_accepted,
 * and whoever sends there comes in through it, told apart by the path of each
 * record; dial() makes one with a single remote, whose records have path zero.
 * Neither ends before close() for anything that the network says: errors
 * of the path (refused, unreachable, too large) are counted by the transport
 * and the record is lost.
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

#define WT_PATH_SIZE 48u

/* Both addresses of an exchange of datagrams, in a form of the transport's own:
 * unused bytes are zero, equal paths are equal bytes. All zero: no path was
 * named, the remote of a dialled connection; the only one that streams have. */
struct wt_path {
	uint8_t bytes[WT_PATH_SIZE];
};

/* One record, or of a datagram transport a run of them. For send: `data` lies
 * in `slot` with at least `headroom` bytes of the slot before it that the
 * transport may overwrite. For recv: `data` may be read and written by the core
 * in place. */
struct wt_record {
	uint32_t struct_size;
	uint32_t len;
	uint8_t *data;
	struct wt_slot *slot; /* send only; NULL in recv */
	/* 0: `data` is one record. Else a run: records of `segment` bytes, one
	 * behind the other, of which the last may be shorter. Datagram
	 * transports only, up to WT_RUN_SEGMENTS and WT_RUN_BYTES. */
	uint32_t segment;
	uint32_t reserved; /* 0 */
	/* recv: where it came from; send: where it goes. */
	struct wt_path path;
};

/* What one run may hold: what Linux takes and gives with one system call. */
#define WT_RUN_SEGMENTS 64u
#define WT_RUN_BYTES 65507u

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
	 * opened stays open, unless the core took it (conn_accepted) and then
	 * refused another. Called once for each worker, in the order of their
	 * numbers, before any of them runs, on one thread; what is accepted
	 * belongs to the worker whose socket it came to. With several workers
	 * (host->worker_count) they share the addresses (SO_REUSEPORT), and a
	 * datagram goes to the worker whose number is its receiver index modulo
	 * theirs, one without an index to any. Required. */
	enum wt_status (*listen)(void *self, struct wt_worker *worker, struct wt_error *err);

	/* Make one attempt to reach `remote`. `cfg` holds the endpoint's keys.
	 * On WT_OK *tconn is set, and exactly one of conn_connected or
	 * conn_ended follows, later than this call. Datagrams: a socket of its
	 * own that follows changes of the local address; conn_connected says
	 * nothing about the other end, to which nothing was sent. Required. */
	enum wt_status (*dial)(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			       socklen_t remote_len, const struct wt_config *cfg,
			       struct wt_link *conn, void **tconn, struct wt_error *err);

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
	 * A datagram that the link or the path does not take is taken, lost and
	 * counted. Required. */
	enum wt_status (*send)(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_record *records, size_t n, size_t *taken);

	/* Up to `n` whole records, in order, valid until the next recv or close
	 * of the same connection. WT_OK with *got >= 1; WT_AGAIN with *got 0
	 * when there is none: only then has the transport let go of the
	 * connection's earlier records, so the core calls until WT_AGAIN unless
	 * its turn is over. WT_ERR_LIMIT for a record outside the allowed length:
	 * the core closes. Any other error is the end of the connection:
	 * conn_ended follows and says why. `struct_size` of the elements is
	 * the caller's; a stream leaves `segment` and `path` alone. Makes at most
	 * one receive system call. Required. */
	enum wt_status (*recv)(void *self, struct wt_worker *worker, void *tconn,
			       struct wt_record *records, size_t n, size_t *got);

	/* From now on records of up to `max` bytes may come in
	 * (WT_UNAUTHENTICATED_MAX at the start). Required for streams; a datagram
	 * has the size it has, and a datagram transport gives it whole: NULL. */
	void (*set_max_record)(void *self, struct wt_worker *worker, void *tconn, uint32_t max);

	/* In these three `path` is that of a record that came in, and NULL means
	 * the remote of a stream or of a dialled connection. */
	/* The largest record that can be sent now; datagrams: that the first
	 * link of the route takes in one piece, whatever the network said of
	 * the way behind it, and 0 while there is no route. Required. */
	uint32_t (*max_record)(void *self, void *tconn, const struct wt_path *path);
	/* Who is there; NULL at a socket that listens for datagrams: nobody, and
	 * `text` is the address of that socket. Required. */
	void (*source)(void *self, void *tconn, const struct wt_path *path, struct wt_source *out);
	/* The address this end uses. Optional: the host says WT_ERR_UNSUPPORTED. */
	enum wt_status (*local_address)(void *self, void *tconn, const struct wt_path *path,
					struct sockaddr_storage *out);
	/* Hand the connection to another worker; called on the worker that
	 * loses it, which makes no call about it afterwards. Optional: the
	 * connection stays where it was accepted. */
	enum wt_status (*move)(void *self, struct wt_worker *from, struct wt_worker *to,
			       void *tconn);
	/* At a socket that listens for datagrams: send one message of up to
	 * WT_UNAUTHENTICATED_MAX bytes to the other end of `path`, from the
	 * address that it was sent to, now or not at all. It neither waits for
	 * records that send() was given nor makes them wait, however many of these
	 * the system holds back. Anything but WT_OK: it was not sent, which the
	 * transport counts. Optional: the host uses send(). Since ABI 0.4. */
	enum wt_status (*answer)(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_path *path, const uint8_t *message, size_t len);
};

#ifdef __cplusplus
}
#endif

#endif
