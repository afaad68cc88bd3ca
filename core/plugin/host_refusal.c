/* SPDX-License-Identifier: MIT */
#include "plugin/host_refusal.h"

#include <string.h>
#include <whispertunnel/wire.h>

#include "control/counters.h"

static enum wt_status no_seal(const struct wt_host *host, struct wt_worker *worker,
			      const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
			      size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	(void)host, (void)worker, (void)key, (void)nonce, (void)aad, (void)aad_len, (void)in;
	(void)len, (void)out;
	return WT_ERR_UNSUPPORTED;
}

/* The output of an open that failed is zero, whatever it failed for. */
static enum wt_status no_open(const struct wt_host *host, struct wt_worker *worker,
			      const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
			      size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	(void)host, (void)worker, (void)key, (void)nonce, (void)aad, (void)aad_len, (void)in;
	if (len > WT_TAG_SIZE)
		memset(out, 0, len - WT_TAG_SIZE);
	return WT_ERR_UNSUPPORTED;
}

static struct wt_timer *no_timer(const struct wt_host *host, struct wt_worker *worker,
				 wt_timer_fn *fn, void *arg)
{
	(void)host, (void)worker, (void)fn, (void)arg;
	return NULL;
}

static void no_timer_set(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms)
{
	(void)host, (void)timer, (void)after_ms;
}

static void no_timer_call(const struct wt_host *host, struct wt_timer *timer)
{
	(void)host, (void)timer;
}

static struct wt_watch *no_watch(const struct wt_host *host, struct wt_worker *worker, int fd,
				 unsigned events, wt_watch_fn *fn, void *arg)
{
	(void)host, (void)worker, (void)fd, (void)events, (void)fn, (void)arg;
	return NULL;
}

static enum wt_status no_watch_set(const struct wt_host *host, struct wt_watch *watch,
				   unsigned events)
{
	(void)host, (void)watch, (void)events;
	return WT_ERR_UNSUPPORTED;
}

static void no_watch_free(const struct wt_host *host, struct wt_watch *watch)
{
	(void)host, (void)watch;
}

static struct wt_resolve *no_resolve(const struct wt_host *host, struct wt_worker *worker,
				     const char *name, uint16_t port, wt_resolve_fn *fn, void *arg)
{
	(void)host, (void)worker, (void)name, (void)port, (void)fn, (void)arg;
	return NULL;
}

static void no_resolve_cancel(const struct wt_host *host, struct wt_resolve *request)
{
	(void)host, (void)request;
}

static struct wt_slot *no_slot(const struct wt_host *host, struct wt_worker *worker)
{
	(void)host, (void)worker;
	return NULL;
}

static void no_slot_done(const struct wt_host *host, struct wt_worker *worker, struct wt_slot *slot)
{
	(void)host, (void)worker, (void)slot;
}

static enum wt_status no_accepted(const struct wt_host *host, struct wt_worker *worker, void *tconn,
				  struct wt_link **conn)
{
	(void)host, (void)worker, (void)tconn, (void)conn;
	return WT_ERR_UNSUPPORTED;
}

static void no_conn_event(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_link *conn)
{
	(void)host, (void)worker, (void)conn;
}

static void no_conn_ended(const struct wt_host *host, struct wt_worker *worker,
			  struct wt_link *conn, enum wt_status why, const char *text)
{
	(void)host, (void)worker, (void)conn, (void)why, (void)text;
}

static enum wt_status no_auth_params(const struct wt_host *host, struct wt_worker *worker,
				     uint32_t peer_id, const uint8_t *theirs, uint8_t *ours)
{
	(void)host, (void)worker, (void)peer_id, (void)theirs, (void)ours;
	return WT_ERR_UNSUPPORTED;
}

static void no_auth_complete(const struct wt_host *host, struct wt_worker *worker, uint64_t ticket,
			     uint32_t verdict, const struct wt_auth_out *out)
{
	(void)host, (void)worker, (void)ticket, (void)verdict, (void)out;
}

static int no_rate(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
		   const void *source, size_t source_len, uint32_t per_second, uint32_t burst)
{
	(void)host, (void)worker, (void)peer_id, (void)source, (void)source_len, (void)per_second;
	(void)burst;
	return 0;
}

static uint32_t one_worker(const struct wt_host *host)
{
	(void)host;
	return 1;
}

/* What is counted is counted outside of any. */
static uint32_t no_worker(const struct wt_host *host, const struct wt_worker *worker)
{
	(void)host, (void)worker;
	return WT_COUNTER_OUTSIDE;
}

void wt_host_refuse_all(struct wt_host *host)
{
	host->aead_seal = no_seal;
	host->aead_open = no_open;
	host->timer_new = no_timer;
	host->timer_set = no_timer_set;
	host->timer_stop = no_timer_call;
	host->timer_free = no_timer_call;
	host->watch_new = no_watch;
	host->watch_set = no_watch_set;
	host->watch_free = no_watch_free;
	host->resolve = no_resolve;
	host->resolve_cancel = no_resolve_cancel;
	host->slot_get = no_slot;
	host->slot_done = no_slot_done;
	host->link_accepted = no_accepted;
	host->link_connected = no_conn_event;
	host->link_readable = no_conn_event;
	host->link_writable = no_conn_event;
	host->link_ended = no_conn_ended;
	host->auth_params = no_auth_params;
	host->auth_complete = no_auth_complete;
	host->rate_allow = no_rate;
	host->worker_count = one_worker;
	host->worker_index = no_worker;
}
