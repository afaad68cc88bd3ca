/* SPDX-License-Identifier: MIT
 *
 * transport.h: the contract of a transport plugin.
 *
 * A transport carries records (whole messages of docs/protocol.md) between
 * two cores. It owns sockets and framing; it never sees plaintext, and it has
 * no policy: it makes the one dial attempt it is asked for and reports, the
 * core decides when to try again, what to accept and how long to wait.
 *
 * Life: create() -> listen() for each worker -> dial() any number -> close() of
 * every connection, once each -> destroy(). create, listen and destroy come from
 * the main thread, while no worker runs; all calls about one connection from the
 * worker it belongs to, which is one for its whole life. An instance may also be made
 * and destroyed only to check a configuration, beside another one of the same
 * section and without an engine behind its host table.
 *
 * The host calls back into the plugin: source() inside link_accepted, send() and
 * close() inside link_connected and link_writable, close() inside link_ended.
 * What a plugin uses after such a call it must have kept alive over it.
 * link_readable calls nothing.
 *
 * A connection of a stream transport has one other end. Of a datagram transport
 * it is a socket: listen() reports each of its sockets once with link_accepted,
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

/* A flag of close(). */
#define WT_CLOSE_ABORT 1u

/* What one run may hold: what Linux takes and gives with one system call. */
#define WT_RUN_SEGMENTS 64u
#define WT_RUN_BYTES 65507u

/* Who is at the other end of a connection. */
struct wt_source {
	uint32_t struct_size;
	uint16_t token_len;  /* address and port: what a RETRY token is bound to; 0..32 */
	uint16_t prefix_len; /* the /32 or /64: what rate limits count; 0..32 */
	uint8_t token[32];
	uint8_t prefix[32];
	char text[96]; /* for logs: "192.0.2.1:4433", "[2001:db8::1]:4433" */
};

struct wt_transport_ops {
	uint32_t struct_size;
	/* WT_CHANNEL_STREAM: ordered and reliable, records up to WT_RECORD_MAX;
	 * WT_CHANNEL_DATAGRAM: neither, up to a size that depends on the path. */
	uint32_t mode;
	uint32_t headroom; /* bytes before a record, 0..16 */
	/* Bytes that the transport and the layers below add to a record on
	 * an IPv4 and IPv6 link, 0..1024; what `mtu = auto` is computed from. */
	uint32_t overhead_ipv4, overhead_ipv6;

	/* Make the instance; `cfg` is the [transport NAME] section. Leaves no
	 * descriptor open. On success *self is the plugin's until destroy(). Main
	 * thread. WT_ERR_CONFIG, _NOMEM, _UNAVAILABLE. Required. */
	enum wt_status (*create)(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err);
	/* Closes what listen opened. Every connection is closed before. Main
	 * thread, after the workers ended: their timers and watches can still be
	 * freed. Required. */
	void (*destroy)(void *self);

	/* Open the sockets that the section asks for; none is fine. All or
	 * nothing: on failure err names the address and nothing that this call
	 * opened stays open, unless the core took it (link_accepted) and then
	 * refused another. Called once for each worker, in the order of their
	 * numbers, before any of them runs, on one thread; what is accepted
	 * belongs to the worker whose socket it came to. With several workers
	 * (host->worker_count) they share the addresses (SO_REUSEPORT), and a
	 * datagram goes to the worker whose number (host->worker_index) is its
	 * receiver index modulo theirs, one without an index to any. A transport
	 * that cannot have several workers says WT_ERR_UNSUPPORTED. Main thread.
	 * WT_ERR_IO, _PERMISSION, _CONFIG, _NOMEM; destroy() follows then.
	 * Required. */
	enum wt_status (*listen)(void *self, struct wt_worker *worker, struct wt_error *err);

	/* Make one attempt to reach `remote`, which is valid during the call.
	 * `cfg` holds the endpoint's keys and lives as long as the instance.
	 * On WT_OK *conn is set, not NULL, and exactly one of link_connected or
	 * link_ended follows, later than this call; otherwise nothing is held and
	 * `link` is not named again. Datagrams: a socket of its own that follows
	 * changes of the local address; link_connected says nothing about the
	 * other end, to which nothing was sent. Never blocks. Required. */
	enum wt_status (*dial)(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			       socklen_t remote_len, const struct wt_config *cfg,
			       struct wt_link *link, void **conn, struct wt_error *err);

	/* End a connection and free it, in whatever state it is, also after
	 * link_ended: nothing is reported for it any more, its slots are given
	 * back. With WT_CLOSE_ABORT what was not yet sent is discarded, otherwise
	 * the kernel still tries. `flags` that are not known are ignored.
	 * Required. */
	void (*close)(void *self, struct wt_worker *worker, void *conn, uint32_t flags);

	/* Send n >= 1 records in order, each in a slot of its own, of
	 * WT_MESSAGE_HEADER..max_record bytes. *taken (0..n, 0 before the call,
	 * valid after every status) of them now belong to the transport, which
	 * calls slot_done for each, possibly before it returns; a partly written
	 * one counts as taken and stays first. When *taken < n, link_writable
	 * follows once, and send is not called before. The rest stay the caller's.
	 * WT_OK even when *taken is 0; WT_ERR_CLOSED or WT_ERR_IO when the
	 * connection is of no more use (link_ended follows, later than this call).
	 * A datagram that the link or the path does not take is taken, lost and
	 * counted. Step by records->struct_size. Never blocks. Required. */
	enum wt_status (*send)(void *self, struct wt_worker *worker, void *conn,
			       const struct wt_record *records, size_t n, size_t *taken);

	/* Up to n >= 1 whole records, in order, valid until the next recv or
	 * close of the same connection, whatever else is called: they do not move,
	 * and the core writes inside their `len` bytes. WT_OK with *got >= 1 (0
	 * before the call); WT_AGAIN with *got 0
	 * when there is none: only then has the transport let go of the
	 * connection's earlier records, so the core calls until WT_AGAIN, over
	 * several turns if need be. WT_ERR_LIMIT for a record outside the allowed length:
	 * the core closes. Any other error is the end of the connection:
	 * link_ended follows and says why. The elements are zeroed but for
	 * `struct_size`, which is their stride and stays; a stream leaves
	 * `segment` and `path` alone. Makes at most
	 * one receive system call. Required. */
	enum wt_status (*recv)(void *self, struct wt_worker *worker, void *conn,
			       struct wt_record *records, size_t n, size_t *got);

	/* From now on records of up to `max` bytes may come in
	 * (WT_UNAUTHENTICATED_MAX at the start; up to WT_RECORD_MAX, only growing).
	 * Comes while records of recv are in use, which stay where they are.
	 * Required for streams; a datagram has the size it has, and a datagram
	 * transport gives it whole: NULL. */
	void (*set_max_record)(void *self, struct wt_worker *worker, void *conn, uint32_t max);

	/* In these three `path` is that of a record that came in, and NULL means
	 * the remote of a stream or of a dialled connection. */
	/* The largest record that can be sent now; datagrams: that the first
	 * link of the route takes in one piece, whatever the network said of
	 * the way behind it, and 0 while there is no route. Bytes. May make system
	 * calls: it is not asked for each record. Required. */
	uint32_t (*max_record)(void *self, struct wt_worker *worker, void *conn,
			       const struct wt_path *path);
	/* Who is there; NULL at a socket that listens for datagrams: nobody, and
	 * `text` is the address of that socket. *out is zero but for its
	 * struct_size. The same source gives the same bytes as long as the process
	 * lives. host->source_of_address fills it in for internet addresses.
	 * Required. */
	void (*source)(void *self, struct wt_worker *worker, void *conn, const struct wt_path *path,
		       struct wt_source *out);
	/* The address this end uses, port in network order; WT_ERR_IO when
	 * there is none at present. Optional: the host says WT_ERR_UNSUPPORTED. */
	enum wt_status (*local_address)(void *self, struct wt_worker *worker, void *conn,
					const struct wt_path *path, struct sockaddr_storage *out);
	/* At a socket that listens for datagrams: send one message of up to
	 * WT_UNAUTHENTICATED_MAX bytes to the other end of `path`, from the
	 * address that it was sent to, now or not at all. It neither waits for
	 * records that send() was given nor makes them wait, however many of these
	 * the system holds back. Anything but WT_OK: it was not sent, which the
	 * transport counts. Optional: the host uses send(). */
	enum wt_status (*answer)(void *self, struct wt_worker *worker, void *conn,
				 const struct wt_path *path, const uint8_t *message, size_t len);
};

#ifdef __cplusplus
}
#endif

#endif
