/* SPDX-License-Identifier: MIT */
#include "conform/auth/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"

/* A verdict that takes longer than this, with every timer gone off at once, never
 * comes. */
#define WAIT_MAX_NS UINT64_C(2000000000)
/* More than a plugin has set for the few handshakes that are under way. */
#define SETTLE_TURNS 16u

struct wt_timer {
	struct wt_timer *next;
	wt_timer_fn *fn;
	void *arg;
	uint64_t after_ms;
	bool armed;
	bool gone; /* freed inside of its own call */
};

struct wt_watch {
	struct wt_watch *next;
	wt_watch_fn *fn;
	void *arg;
	int fd;
	unsigned events;
	bool gone;
};

static struct wt_auth_host *host_of(const struct wt_host *host)
{
	const struct wt_host_instance *instance = host->self;

	return instance->owner;
}

/* ---- log ----------------------------------------------------------------- */

static void WT_PRINTF(2, 0) look(struct wt_auth_host *h, const char *fmt, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof line, fmt, args);
	pthread_mutex_lock(&h->lock);
	wt_secrecy_look(&h->secrecy, line);
	pthread_mutex_unlock(&h->lock);
}

static void WT_PRINTF(3, 4)
	log_line(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
{
	va_list args;

	(void)level;
	va_start(args, fmt);
	look(host_of(host), fmt, args);
	va_end(args);
}

static void WT_PRINTF(4, 5) log_limited(const struct wt_host *host, enum wt_log_level level,
					const char *topic, const char *fmt, ...)
{
	va_list args;

	(void)level;
	(void)topic;
	va_start(args, fmt);
	look(host_of(host), fmt, args);
	va_end(args);
}

/* ---- the AEAD, parameters, rates ----------------------------------------- */

static enum wt_status aead_seal(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	return wt_backend_seal(host_of(host)->aead, worker, key, nonce, aad, aad_len, in, len, out);
}

static enum wt_status aead_open(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	return wt_backend_open_record(host_of(host)->aead, worker, key, nonce, aad, aad_len, in,
				      len, out);
}

static enum wt_status auth_params(const struct wt_host *host, struct wt_worker *worker,
				  uint32_t peer_id, const uint8_t *theirs, uint8_t *ours)
{
	(void)worker;
	(void)peer_id;
	(void)theirs;
	if (ours)
		memcpy(ours, host_of(host)->params, WT_PARAMS_SIZE);
	return WT_OK;
}

static int rate_allow(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
		      const void *source, size_t source_len, uint32_t per_second, uint32_t burst)
{
	(void)host;
	(void)worker;
	(void)peer_id;
	(void)source;
	(void)source_len;
	(void)per_second;
	(void)burst;
	return 1;
}

/* ---- timers and watches -------------------------------------------------- */

static struct wt_timer *timer_new(const struct wt_host *host, struct wt_worker *worker,
				  wt_timer_fn *fn, void *arg)
{
	struct wt_auth_host *h = host_of(host);
	struct wt_timer *timer = calloc(1, sizeof *timer);

	(void)worker;
	if (!timer)
		return NULL;
	timer->fn = fn;
	timer->arg = arg;
	pthread_mutex_lock(&h->lock);
	timer->next = h->timers;
	h->timers = timer;
	pthread_mutex_unlock(&h->lock);
	return timer;
}

static void timer_arm(const struct wt_host *host, struct wt_timer *timer, bool armed,
		      uint64_t after_ms)
{
	struct wt_auth_host *h = host_of(host);

	if (!timer)
		return;
	pthread_mutex_lock(&h->lock);
	timer->armed = armed;
	timer->after_ms = after_ms;
	pthread_mutex_unlock(&h->lock);
}

static void timer_set(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms)
{
	timer_arm(host, timer, true, after_ms);
}

static void timer_stop(const struct wt_host *host, struct wt_timer *timer)
{
	timer_arm(host, timer, false, 0);
}

/* What is freed is taken off its list by the next turn: it may be the one that
 * runs. */
static void timer_free(const struct wt_host *host, struct wt_timer *timer)
{
	struct wt_auth_host *h = host_of(host);

	if (!timer)
		return;
	pthread_mutex_lock(&h->lock);
	timer->gone = true;
	timer->armed = false;
	pthread_mutex_unlock(&h->lock);
}

static struct wt_watch *watch_new(const struct wt_host *host, struct wt_worker *worker, int fd,
				  unsigned events, wt_watch_fn *fn, void *arg)
{
	struct wt_auth_host *h = host_of(host);
	struct wt_watch *watch = calloc(1, sizeof *watch);

	(void)worker;
	if (!watch)
		return NULL;
	*watch = (struct wt_watch){ .fn = fn, .arg = arg, .fd = fd, .events = events };
	pthread_mutex_lock(&h->lock);
	watch->next = h->watches;
	h->watches = watch;
	pthread_mutex_unlock(&h->lock);
	return watch;
}

static enum wt_status watch_set(const struct wt_host *host, struct wt_watch *watch, unsigned events)
{
	struct wt_auth_host *h = host_of(host);

	pthread_mutex_lock(&h->lock);
	watch->events = events;
	pthread_mutex_unlock(&h->lock);
	return WT_OK;
}

static void watch_free(const struct wt_host *host, struct wt_watch *watch)
{
	struct wt_auth_host *h = host_of(host);

	if (!watch)
		return;
	pthread_mutex_lock(&h->lock);
	watch->gone = true;
	pthread_mutex_unlock(&h->lock);
}

/* ---- verdicts that come later -------------------------------------------- */

static void auth_complete(const struct wt_host *host, struct wt_worker *worker, uint64_t ticket,
			  uint32_t verdict, const struct wt_auth_out *out)
{
	struct wt_auth_host *h = host_of(host);

	(void)worker;
	pthread_mutex_lock(&h->lock);
	if (ticket == h->ignored) {
		pthread_mutex_unlock(&h->lock);
		return;
	}
	h->ticket = ticket;
	h->verdict = verdict;
	h->sound = out && out->struct_size >= sizeof h->out && verdict < WT_AUTH_PENDING &&
		   out->reply_len <= sizeof h->reply && (out->reply || out->reply_len == 0);
	if (h->sound)
		h->out = *out;
	if (h->sound && out->reply_len > 0)
		memcpy(h->reply, out->reply, out->reply_len);
	pthread_mutex_unlock(&h->lock);
}

/* The armed timer that is due first, disarmed; NULL: there is none. */
static struct wt_timer *take_timer(struct wt_auth_host *h)
{
	struct wt_timer *first = NULL;

	for (struct wt_timer *t = h->timers; t; t = t->next)
		if (t->armed && !t->gone && (!first || t->after_ms < first->after_ms))
			first = t;
	if (first)
		first->armed = false;
	return first;
}

static void sweep(struct wt_auth_host *h, bool all)
{
	for (struct wt_timer **at = &h->timers; *at;) {
		struct wt_timer *t = *at;

		if (t->gone || all) {
			*at = t->next;
			free(t);
		} else {
			at = &t->next;
		}
	}
	for (struct wt_watch **at = &h->watches; *at;) {
		struct wt_watch *w = *at;

		if (w->gone || all) {
			*at = w->next;
			free(w);
		} else {
			at = &w->next;
		}
	}
}

/* What holds of a descriptor now, as WT_EVENT_*. By epoll, which conform/trap.h lets
 * through when it must not wait. */
static unsigned look_at(int fd, unsigned events)
{
	struct epoll_event event = { .events = ((events & WT_EVENT_READ) ? EPOLLIN : 0u) |
					       ((events & WT_EVENT_WRITE) ? EPOLLOUT : 0u) };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	bool ready = epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 &&
		     epoll_wait(epoll, &event, 1, 0) == 1;

	if (epoll >= 0)
		close(epoll);
	if (!ready)
		return 0;
	return ((event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) ? WT_EVENT_READ : 0) |
	       ((event.events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) ? WT_EVENT_WRITE : 0);
}

static void turn_watches(struct wt_auth_host *h)
{
	for (struct wt_watch *w = h->watches; w; w = w->next) {
		unsigned events = w->gone ? 0 : look_at(w->fd, w->events);

		if (events)
			w->fn(w->arg, NULL, w->fd, events);
	}
}

/* One timer and all watches. False: there is nothing that could go off. */
static bool turn(struct wt_auth_host *h, bool wait)
{
	struct wt_timer *timer;

	pthread_mutex_lock(&h->lock);
	sweep(h, false);
	timer = take_timer(h);
	pthread_mutex_unlock(&h->lock);
	if (timer && wait)
		wt_clock_manual_advance(h->clock, timer->after_ms);
	if (timer)
		timer->fn(timer->arg, NULL);
	else if (!h->watches)
		return false;
	turn_watches(h);
	return true;
}

void wt_auth_host_ignore(struct wt_auth_host *h, uint64_t ticket)
{
	pthread_mutex_lock(&h->lock);
	h->ignored = ticket;
	pthread_mutex_unlock(&h->lock);
}

void wt_auth_host_settle(struct wt_auth_host *h)
{
	for (unsigned i = 0; i < SETTLE_TURNS && turn(h, false); i++)
		;
}

enum wt_auth_verdict wt_auth_host_wait(struct wt_auth_host *h, uint64_t ticket,
				       struct wt_auth_out *out)
{
	const struct wt_clock *clock = &wt_clock_system;
	const uint64_t end = clock->mono_ns(clock) + WAIT_MAX_NS;
	enum wt_auth_verdict verdict = WT_AUTH_PENDING;

	/* A timer that is set again and again waits for the clock. */
	for (bool first = true; h->ticket != ticket && clock->mono_ns(clock) < end; first = false)
		if (!turn(h, !first))
			break;
	if (h->ticket == ticket && h->sound) {
		uint8_t *reply = out->reply;

		*out = h->out;
		out->struct_size = sizeof *out;
		out->reply = reply;
		out->reply_capacity = sizeof h->reply;
		memcpy(reply, h->reply, out->reply_len);
		verdict = (enum wt_auth_verdict)h->verdict;
	}
	h->ticket = 0;
	memset(&h->out, 0, sizeof h->out);
	return verdict;
}

/* ---- life ---------------------------------------------------------------- */

enum wt_status wt_auth_host_init(struct wt_auth_host *h, const struct wt_plugin *plugin,
				 struct wt_clock_manual *clock, const struct wt_backend *aead,
				 const uint8_t *params, struct wt_error *err)
{
	*h = (struct wt_auth_host){ .aead = aead, .clock = clock, .params = params };
	if (pthread_mutex_init(&h->lock, NULL) != 0)
		return wt_fail(err, WT_ERR_NOMEM, "no memory");
	enum wt_status status =
		wt_host_base_init(&h->host, plugin->kind, plugin->name, &clock->clock, NULL, err);

	if (status != WT_OK)
		return status;
	struct wt_host *host = &h->host.host;

	h->host.owner = h;
	host->log = log_line;
	host->log_limited = log_limited;
	host->aead_seal = aead_seal;
	host->aead_open = aead_open;
	host->auth_params = auth_params;
	host->auth_complete = auth_complete;
	host->rate_allow = rate_allow;
	host->timer_new = timer_new;
	host->timer_set = timer_set;
	host->timer_stop = timer_stop;
	host->timer_free = timer_free;
	host->watch_new = watch_new;
	host->watch_set = watch_set;
	host->watch_free = watch_free;
	return WT_OK;
}

void wt_auth_host_free(struct wt_auth_host *h)
{
	sweep(h, true);
	pthread_mutex_destroy(&h->lock);
}
