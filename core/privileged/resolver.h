/* SPDX-License-Identifier: MIT
 *
 * resolver.h: names to addresses without stopping an event loop.
 *
 * One thread of its own asks the system's resolver (getaddrinfo: hosts file,
 * DNS, whatever nsswitch.conf says), one name after the other. Each worker has
 * a client: it submits there, waits for the client's fd to become readable, and
 * dispatches, which calls back on that worker's thread.
 *
 * Threads: a client and its requests belong to one thread. The resolver itself
 * may be shared; it is made before the first client and freed after the last.
 */
#ifndef WT_PRIVILEGED_RESOLVER_H
#define WT_PRIVILEGED_RESOLVER_H

#include <stdint.h>
#include <whispertunnel/host.h>

#include "base/error.h"

/* More addresses than this of one name are left out. */
#define WT_RESOLVER_ADDRESSES 32u
/* How long wt_resolver_free waits for a lookup that is under way. */
#define WT_RESOLVER_STOP_MS 200u

struct wt_resolver;
struct wt_resolver_client;

/* Starts the thread, with all signals blocked. NULL: err says why. */
struct wt_resolver *wt_resolver_new(struct wt_error *err) WT_MUST_CHECK;

/* Stops the thread. getaddrinfo cannot be interrupted and may take half a
 * minute when no name server answers: a thread that is still in it after
 * WT_RESOLVER_STOP_MS is let go, and frees what it holds when it comes back.
 * NULL is allowed. */
void wt_resolver_free(struct wt_resolver *resolver);

/* `worker` is handed to the callbacks. NULL: err says why. */
struct wt_resolver_client *wt_resolver_client_new(struct wt_resolver *resolver,
						  struct wt_worker *worker,
						  struct wt_error *err) WT_MUST_CHECK;

/* Cancels all requests of this client. Not from within a callback. NULL is
 * allowed. */
void wt_resolver_client_free(struct wt_resolver_client *client);

/* Readable when dispatch has something to do; the client's own. */
int wt_resolver_client_fd(const struct wt_resolver_client *client);

/* Call back for the requests that are finished now. What a callback submits
 * waits for the next turn, so this never loops. */
void wt_resolver_client_dispatch(struct wt_resolver_client *client);

/* Ask for the addresses of `name` (copied; a host name or a numeric address
 * without brackets, "fe80::1%eth0" included), with `port` set in each. A
 * numeric address needs no lookup and does not wait for one.
 *
 * fn is called from dispatch, never from within this call, exactly once unless
 * the request is cancelled: with WT_OK and 1..WT_RESOLVER_ADDRESSES different
 * addresses in the order to try (RFC 6724); or with
 *	WT_ERR_INVALID	there is no such name, or it has no address
 *	WT_ERR_IO	no answer now; a later attempt may succeed
 *	WT_ERR_NOMEM	out of memory
 * and a sentence that holds the name. Addresses and sentence live as long as
 * the call; the request is gone after it. NULL: out of memory. */
struct wt_resolve *wt_resolver_submit(struct wt_resolver_client *client, const char *name,
				      uint16_t port, wt_resolve_fn *fn, void *arg) WT_MUST_CHECK;

/* While its callback runs, this is where the thread is (plugin/calling.h): `slot`
 * is of the plugin that asked. */
void wt_resolver_mark(struct wt_resolve *request, const void *slot);

/* The callback of this request will not come. Does nothing from within that
 * callback itself. NULL is allowed. */
void wt_resolver_cancel(struct wt_resolve *request);

#endif
