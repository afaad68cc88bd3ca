/* SPDX-License-Identifier: MIT
 *
 * host.h: what the host gives a plugin.
 *
 * A plugin resolves no symbol of the executable: all it may call is in this
 * table. Each plugin instance has a table of its own, valid from create() to
 * the end of destroy(); `host` is handed back as the first argument.
 *
 * Threads: what says "any thread" may come from any. All else comes from the thread
 * of the worker that is named, or that the object was made for, inside a call or
 * callback of the host; before the workers run (listen) and after they ended (close,
 * destroy) from the thread of that call. Callbacks run on the worker they were
 * registered for. `worker` is NULL while a plugin is tested: count() and the aead
 * calls take that. Workers are valid until the end of destroy(). No host call
 * blocks.
 *
 * A host of this major has all slots up to worker_count; ask WT_HAS for those behind.
 */
#ifndef WHISPERTUNNEL_HOST_H
#define WHISPERTUNNEL_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <whispertunnel/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wt_host;
struct wt_worker;   /* one event loop on one thread; opaque */
struct wt_timer;    /* opaque */
struct wt_watch;    /* opaque */
struct wt_resolve;  /* opaque */
struct wt_config;   /* checked settings of one scope; opaque */
struct wt_link;	    /* the core's side of a connection; opaque */
struct wt_auth_out; /* auth.h */
struct wt_source;   /* transport.h */

enum wt_log_level WT_ENUM_BASE {
	WT_LOG_ERROR = 0,
	WT_LOG_WARN = 1,
	WT_LOG_INFO = 2,
	WT_LOG_DEBUG = 3
};

/* A packet buffer of a worker's pool. `base` is aligned to 64 and holds
 * `capacity` (at least WT_SLOT_CAPACITY) bytes. */
struct wt_slot {
	uint32_t struct_size;
	uint32_t capacity;
	uint8_t *base;
};
/* Room for the longest record twice, each with a stream's length before and
 * behind it: what is read ahead of a long record need not be moved for it. Nothing
 * that is not touched costs memory. */
#define WT_SLOT_CAPACITY 131328u
/* Where a packet starts in a slot; what comes before it is headroom. */
#define WT_SLOT_PACKET 64u

#define WT_EVENT_READ 1u
#define WT_EVENT_WRITE 2u

typedef void wt_timer_fn(void *arg, struct wt_worker *worker);
/* events: the WT_EVENT_* that hold; an error or hang-up sets both. */
typedef void wt_watch_fn(void *arg, struct wt_worker *worker, int fd, unsigned events);
/* status WT_OK: n >= 1 addresses with their port set, in the order to try. */
typedef void wt_resolve_fn(void *arg, struct wt_worker *worker, enum wt_status status,
			   const struct sockaddr_storage *addresses, size_t n, const char *error);

struct wt_host {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;
	void *self; /* the host's own */

	/* ---- log: one line, no newline; control bytes are escaped, what is
	 * longer than the log's line is cut. Never a key, never packet bytes. Any
	 * thread. */
	void (*log)(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
		WT_PRINTF(3, 4);
	/* For what a stranger can cause: at most a few lines a second for each
	 * `topic` (a string constant, which lives as long as the plugin is loaded),
	 * then one line with the count left out. */
	void (*log_limited)(const struct wt_host *host, enum wt_log_level level, const char *topic,
			    const char *fmt, ...) WT_PRINTF(4, 5);

	/* ---- time, in milliseconds and nanoseconds; any thread. The boot and
	 * the monotonic clock never go back; the unix one may jump. Tests own all
	 * three. */
	uint64_t (*boot_ms)(const struct wt_host *host); /* CLOCK_BOOTTIME */
	uint64_t (*unix_ms)(const struct wt_host *host); /* CLOCK_REALTIME */
	uint64_t (*mono_ns)(const struct wt_host *host); /* CLOCK_MONOTONIC */

	/* ---- secrets; any thread. */
	/* Fill with cryptographic random bytes. Cannot fail once create() of
	 * the first plugin ran. `len` may be 0. */
	void (*random)(const struct wt_host *host, void *buf, size_t len);
	/* Set to zero in a way no optimiser removes. */
	void (*wipe)(void *p, size_t len);
	/* 1 if equal, 0 if not, in a time that depends on len alone. */
	int (*equal)(const void *a, const void *b, size_t len);
	/* `size` >= 1 bytes of zeroed memory in locked pages that are neither dumped
	 * nor inherited; align is a power of two up to 4096. NULL when there is none
	 * left. Locked memory is scarce: for keys, not for buffers, and not for each
	 * packet. */
	void *(*secret_alloc)(const struct wt_host *host, size_t size, size_t align);
	/* Wipes. NULL is allowed. */
	void (*secret_free)(const struct wt_host *host, void *p);

	/* ---- the active AEAD, for handshakes: a key is set up for each call.
	 * `key` is WT_KEY_SIZE bytes, `nonce` WT_NONCE_SIZE; out equals in or does
	 * not overlap it. seal writes len + WT_TAG_SIZE bytes, the tag behind the
	 * text; open takes len with the tag, writes len - WT_TAG_SIZE, and the
	 * output is zero on failure. WT_OK; WT_ERR_AUTH (open: the tag is wrong, or
	 * len less than one); WT_ERR_CRYPTO; WT_ERR_UNSUPPORTED where there is no
	 * engine. */
	enum wt_status (*aead_seal)(const struct wt_host *host, struct wt_worker *worker,
				    const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				    size_t aad_len, const uint8_t *in, size_t len, uint8_t *out);
	enum wt_status (*aead_open)(const struct wt_host *host, struct wt_worker *worker,
				    const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				    size_t aad_len, const uint8_t *in, size_t len, uint8_t *out);

	/* ---- timers: made disarmed; set arms once, `after_ms` from now, in place
	 * of an earlier time; 0 is the next turn of the loop, never inside the call.
	 * free disarms; inside its own callback, too, and of NULL. NULL: out of
	 * memory. */
	struct wt_timer *(*timer_new)(const struct wt_host *host, struct wt_worker *worker,
				      wt_timer_fn *fn, void *arg);
	void (*timer_set)(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms);
	void (*timer_stop)(const struct wt_host *host, struct wt_timer *timer);
	void (*timer_free)(const struct wt_host *host, struct wt_timer *timer);

	/* ---- fd watches, level-triggered; one for each descriptor. The plugin owns
	 * and closes the fd, after watch_free, which may be called inside its own
	 * callback and with NULL. With `events` 0 only an error or a hang-up is
	 * reported, again and again: free the watch then. watch_set that fails leaves
	 * the earlier events. NULL: out of memory or descriptors. */
	struct wt_watch *(*watch_new)(const struct wt_host *host, struct wt_worker *worker, int fd,
				      unsigned events, wt_watch_fn *fn, void *arg);
	enum wt_status (*watch_set)(const struct wt_host *host, struct wt_watch *watch,
				    unsigned events);
	void (*watch_free)(const struct wt_host *host, struct wt_watch *watch);

	/* ---- names to addresses, off the loop. `name` is copied, `port` is in the
	 * host's order. The callback comes exactly once unless cancelled, never
	 * inside the call; what it is given lives as long as it runs, and `error` is
	 * NULL with WT_OK. NULL: out of memory. */
	struct wt_resolve *(*resolve)(const struct wt_host *host, struct wt_worker *worker,
				      const char *name, uint16_t port, wt_resolve_fn *fn,
				      void *arg);
	void (*resolve_cancel)(const struct wt_host *host, struct wt_resolve *request);

	/* ---- counters. Register in create() (name: [a-z0-9_], a string constant;
	 * a name that is registered twice is one counter); the id is 0 when the table
	 * is full or the name too long, and counts nothing. count is cheap enough for
	 * each record; with a NULL worker it may come from any thread. */
	uint32_t (*counter)(const struct wt_host *host, const char *name);
	void (*count)(const struct wt_host *host, struct wt_worker *worker, uint32_t counter,
		      uint64_t n);

	/* ---- checked settings; pointers live as long as `cfg`, which lives as long as
	 * the instance or peer it was given for, that of an endpoint as long as the
	 * transport's instance. `key` must be declared for that scope and have the type
	 * of the call, else it counts as unset and an error is logged; defaults are
	 * applied. Any thread. */
	/* NAME of [KIND NAME] or [peer NAME]. */
	const char *(*config_name)(const struct wt_host *host, const struct wt_config *cfg);
	int (*config_is_set)(const struct wt_host *host, const struct wt_config *cfg,
			     const char *key);
	/* NULL when unset. */
	const char *(*config_string)(const struct wt_host *host, const struct wt_config *cfg,
				     const char *key);
	/* 0 when unset without a default. */
	uint64_t (*config_uint)(const struct wt_host *host, const struct wt_config *cfg,
				const char *key);
	/* 1 or 0; 0 when unset without a default. */
	int (*config_bool)(const struct wt_host *host, const struct wt_config *cfg,
			   const char *key);
	/* Element i of a SOCKADDR list; WT_ERR_INVALID past the end. */
	enum wt_status (*config_sockaddr)(const struct wt_host *host, const struct wt_config *cfg,
					  const char *key, size_t i, struct sockaddr_storage *out);
	/* The 32 bytes of a KEYFILE32, in locked memory, or of a KEY32; NULL
	 * when unset. */
	const uint8_t *(*config_key32)(const struct wt_host *host, const struct wt_config *cfg,
				       const char *key);

	/* ---- slots (transports), with any contents. NULL when the pool is empty: try
	 * again in a later turn. slot_done gives one back, one taken by send
	 * included; not NULL. */
	struct wt_slot *(*slot_get)(const struct wt_host *host, struct wt_worker *worker);
	void (*slot_done)(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_slot *slot);

	/* ---- links (transports): `conn` is the plugin's object of a connection, not
	 * NULL, `link` the core's. What the core may call inside is said at the head
	 * of transport.h. */
	/* A connection came in; from a datagram transport: a socket of listen()
	 * is ready, once for each, inside listen(). WT_OK: *link is the core's,
	 * and the plugin may report events for it; anything else (WT_ERR_NOMEM,
	 * WT_ERR_CLOSED while stopping): the plugin ends it at once by itself,
	 * close() is not called. */
	enum wt_status (*link_accepted)(const struct wt_host *host, struct wt_worker *worker,
					void *conn, struct wt_link **link);
	/* A dial succeeded; of datagrams: there is a socket, nothing was sent. */
	void (*link_connected)(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *link);
	/* recv() may have something. Once is enough: the host calls recv, over
	 * several turns if need be, until it says WT_AGAIN; what comes afterwards is
	 * reported again, and so is what recv left for want of a slot. */
	void (*link_readable)(const struct wt_host *host, struct wt_worker *worker,
			      struct wt_link *link);
	/* Exactly once after a short `taken`. */
	void (*link_writable)(const struct wt_host *host, struct wt_worker *worker,
			      struct wt_link *link);
	/* The dial failed or the connection ended, whoever ended it; `text`
	 * says why in words ("connection refused"), is copied and may be NULL.
	 * Reported at most once and after all else; the core then calls close(),
	 * possibly inside this call. Records received before are delivered first. */
	void (*link_ended)(const struct wt_host *host, struct wt_worker *worker,
			   struct wt_link *link, enum wt_status why, const char *text);

	/* ---- handshakes (auth). */
	/* Are the peer's parameters, WT_PARAMS_SIZE bytes at `theirs`, acceptable?
	 * WT_OK, and `ours`, unless it is NULL, gets as many bytes: what this peer
	 * is told of ours by the end that accepts (who dials has them from
	 * wt_auth_start.params). Anything else: the reason is logged here, `ours`
	 * is left alone, and the plugin drops with WT_REASON_PARAMS. Asked
	 * whenever it is convenient, also for a message that is PENDING. */
	enum wt_status (*auth_params)(const struct wt_host *host, struct wt_worker *worker,
				      uint32_t peer_id, const uint8_t *theirs, uint8_t *ours);
	/* Ends a call that returned WT_AUTH_PENDING, on the worker that made it and
	 * after it returned: the ticket of its input, and the verdict (enum
	 * wt_auth_verdict) and output that it would have had. `out` and its reply,
	 * here memory of the plugin's, are copied: they need to live during the
	 * call. NULL: IGNORE for WT_REASON_INTERNAL. A ticket that is used up, or
	 * whose handshake or connection was given up, is ignored. */
	void (*auth_complete)(const struct wt_host *host, struct wt_worker *worker, uint64_t ticket,
			      uint32_t verdict, const struct wt_auth_out *out);
	/* May one more of these happen (1), or not (0)? A token bucket for
	 * (peer_id, source), which gains per_second tokens up to burst, 1..1000
	 * each. peer_id UINT32_MAX is nobody's; source is any bytes, compared
	 * whole. The buckets are shared by all instances and workers, behind a
	 * lock that is held briefly. Fixed memory: under pressure old buckets are
	 * forgotten. */
	int (*rate_allow)(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
			  const void *source, size_t source_len, uint32_t per_second,
			  uint32_t burst);

	/* ---- workers. How many there are, at least 1; the same from create()
	 * to destroy(). Any thread. */
	uint32_t (*worker_count)(const struct wt_host *host);
	/* The number of one, 0..worker_count - 1; not NULL. Any thread. */
	uint32_t (*worker_index)(const struct wt_host *host, const struct wt_worker *worker);

	/* ---- who is at an internet address, as rate limits and tokens count it
	 * (transports): address and port, /32 or /64, and the text. ::ffff:0:0/96, in
	 * which sockets for both families show IPv4, counts as IPv4. Anything but
	 * AF_INET and AF_INET6 leaves *out as it is. Any thread. */
	void (*source_of_address)(const struct wt_host *host, const struct sockaddr *address,
				  struct wt_source *out);
};

#ifdef __cplusplus
}
#endif

#endif
