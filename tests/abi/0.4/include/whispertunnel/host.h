/* SPDX-License-Identifier: MIT
 *
 * host.h: what the host gives a plugin.
 *
 * A plugin resolves no symbol of the executable: all it may call is in this
 * table. Each plugin instance has a table of its own, valid from create() to
 * the end of destroy(); `host` is handed back as the first argument.
 *
 * Threads: calls without a worker argument may come from any thread. Calls
 * with one are made on that worker's thread, inside a call or callback of the
 * host. Callbacks run on the worker they were registered for. No host call
 * blocks.
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

enum wt_log_level { WT_LOG_ERROR = 0, WT_LOG_WARN = 1, WT_LOG_INFO = 2, WT_LOG_DEBUG = 3 };

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

	/* ---- log: one line, no newline; control bytes are escaped. Never a
	 * key, never packet bytes. Any thread. */
	void (*log)(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
		WT_PRINTF(3, 4);
	/* For what a stranger can cause: at most a few lines a second for each
	 * `topic` (a string constant), then one line with the count left out. */
	void (*log_limited)(const struct wt_host *host, enum wt_log_level level, const char *topic,
			    const char *fmt, ...) WT_PRINTF(4, 5);

	/* ---- time; any thread. Tests own all three. */
	uint64_t (*boot_ms)(const struct wt_host *host); /* CLOCK_BOOTTIME */
	uint64_t (*unix_ms)(const struct wt_host *host); /* CLOCK_REALTIME */
	uint64_t (*mono_ns)(const struct wt_host *host); /* CLOCK_MONOTONIC */

	/* ---- secrets; any thread. */
	/* Fill with cryptographic random bytes. Cannot fail once create() of
	 * the first plugin ran. */
	void (*random)(const struct wt_host *host, void *buf, size_t len);
	/* Set to zero in a way no optimiser removes. */
	void (*wipe)(void *p, size_t len);
	/* 1 if equal, 0 if not, in a time that depends on len alone. */
	int (*equal)(const void *a, const void *b, size_t len);
	/* Zeroed memory in locked pages that are neither dumped nor inherited;
	 * align is a power of two up to 4096. NULL when there is none left. */
	void *(*secret_alloc)(const struct wt_host *host, size_t size, size_t align);
	/* Wipes. NULL is allowed. */
	void (*secret_free)(const struct wt_host *host, void *p);

	/* ---- the active AEAD, for handshakes: 32-byte key, 12-byte nonce,
	 * 16-byte tag behind the text; out equals in or does not overlap it.
	 * seal: len is plaintext; open: len includes the tag, and the output
	 * is zero on failure. */
	enum wt_status (*aead_seal)(const struct wt_host *host, struct wt_worker *worker,
				    const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				    size_t aad_len, const uint8_t *in, size_t len, uint8_t *out);
	enum wt_status (*aead_open)(const struct wt_host *host, struct wt_worker *worker,
				    const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				    size_t aad_len, const uint8_t *in, size_t len, uint8_t *out);

	/* ---- timers: made disarmed; set arms once, `after_ms` from now;
	 * free disarms. NULL: out of memory. */
	struct wt_timer *(*timer_new)(const struct wt_host *host, struct wt_worker *worker,
				      wt_timer_fn *fn, void *arg);
	void (*timer_set)(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms);
	void (*timer_stop)(const struct wt_host *host, struct wt_timer *timer);
	void (*timer_free)(const struct wt_host *host, struct wt_timer *timer);

	/* ---- fd watches, level-triggered. The plugin owns and closes the fd,
	 * after watch_free. NULL: out of memory or descriptors. */
	struct wt_watch *(*watch_new)(const struct wt_host *host, struct wt_worker *worker, int fd,
				      unsigned events, wt_watch_fn *fn, void *arg);
	enum wt_status (*watch_set)(const struct wt_host *host, struct wt_watch *watch,
				    unsigned events);
	void (*watch_free)(const struct wt_host *host, struct wt_watch *watch);

	/* ---- names to addresses, off the loop. The callback comes exactly
	 * once unless cancelled. NULL: out of memory. */
	struct wt_resolve *(*resolve)(const struct wt_host *host, struct wt_worker *worker,
				      const char *name, uint16_t port, wt_resolve_fn *fn,
				      void *arg);
	void (*resolve_cancel)(const struct wt_host *host, struct wt_resolve *request);

	/* ---- counters. Register in create() (name: [a-z0-9_], a string
	 * constant); the id is 0 when the table is full and counts nothing. */
	uint32_t (*counter)(const struct wt_host *host, const char *name);
	void (*count)(const struct wt_host *host, struct wt_worker *worker, uint32_t counter,
		      uint64_t n);

	/* ---- checked settings; pointers live as long as `cfg`, which lives
	 * as long as the instance, peer or dial it was given for. `key` must be
	 * declared for that scope; defaults are applied. Any thread. */
	/* NAME of [KIND NAME] or [peer NAME]. */
	const char *(*config_name)(const struct wt_host *host, const struct wt_config *cfg);
	int (*config_is_set)(const struct wt_host *host, const struct wt_config *cfg,
			     const char *key);
	/* NULL when unset. */
	const char *(*config_string)(const struct wt_host *host, const struct wt_config *cfg,
				     const char *key);
	uint64_t (*config_uint)(const struct wt_host *host, const struct wt_config *cfg,
				const char *key);
	int (*config_bool)(const struct wt_host *host, const struct wt_config *cfg,
			   const char *key);
	/* Element i of a SOCKADDR list; WT_ERR_INVALID past the end. */
	enum wt_status (*config_sockaddr)(const struct wt_host *host, const struct wt_config *cfg,
					  const char *key, size_t i, struct sockaddr_storage *out);
	/* The 32 bytes of a KEYFILE32, in locked memory, or of a KEY32; NULL
	 * when unset. */
	const uint8_t *(*config_key32)(const struct wt_host *host, const struct wt_config *cfg,
				       const char *key);

	/* ---- slots (transports). NULL when the pool is empty: try again in a
	 * later turn. slot_done gives one back, one taken by send included. */
	struct wt_slot *(*slot_get)(const struct wt_host *host, struct wt_worker *worker);
	void (*slot_done)(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_slot *slot);

	/* ---- connections (transports). `tconn` is the plugin's object. */
	/* A connection came in; from a datagram transport: a socket of listen()
	 * is ready, once for each, inside listen(). WT_OK: *conn is the core's,
	 * and the plugin may report events for it; anything else: the plugin
	 * closes it at once. */
	enum wt_status (*conn_accepted)(const struct wt_host *host, struct wt_worker *worker,
					void *tconn, struct wt_link **conn);
	/* A dial succeeded; of datagrams: there is a socket, nothing was sent. */
	void (*conn_connected)(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *conn);
	/* recv() may have something. Reported again, every turn, until recv()
	 * has been called and said WT_AGAIN. */
	void (*conn_readable)(const struct wt_host *host, struct wt_worker *worker,
			      struct wt_link *conn);
	/* Exactly once after a short `taken`. */
	void (*conn_writable)(const struct wt_host *host, struct wt_worker *worker,
			      struct wt_link *conn);
	/* The dial failed or the connection ended, whoever ended it; `text`
	 * says why in words ("connection refused"). Reported at most once; the
	 * core then calls close(), possibly inside this call. Records received
	 * before are delivered first. */
	void (*conn_ended)(const struct wt_host *host, struct wt_worker *worker,
			   struct wt_link *conn, enum wt_status why, const char *text);

	/* ---- handshakes (auth). */
	/* Are the peer's parameters acceptable? The reason is logged here. Asked
	 * inside accept() or receive(), it also puts into wt_auth_in.params what
	 * this peer is told of ours: read those afterwards. */
	enum wt_status (*auth_params)(const struct wt_host *host, struct wt_worker *worker,
				      uint32_t peer_id, const uint8_t *params);
	/* Ends a call that returned WT_AUTH_PENDING: the ticket of its input
	 * and the verdict and output it would have had. A ticket whose
	 * connection is gone is ignored. */
	void (*auth_complete)(const struct wt_host *host, struct wt_worker *worker, uint64_t ticket,
			      int verdict, const struct wt_auth_out *out);
	/* Token bucket for (peer_id, source): may one more of these happen?
	 * Fixed memory: under pressure old buckets are forgotten. */
	int (*rate_allow)(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
			  const void *source, size_t source_len, uint32_t per_second,
			  uint32_t burst);

	/* ---- workers. How many there are, at least 1; the same from create()
	 * to destroy(). Any thread. */
	uint32_t (*worker_count)(const struct wt_host *host);
};

#ifdef __cplusplus
}
#endif

#endif
