/* SPDX-License-Identifier: MIT
 *
 * A request is in one place at a time, and `place` says where: waiting in the
 * resolver's queue, with the thread, in its client's finished list, or in its
 * callback. Lists and places change under the resolver's lock; what a lookup
 * writes into a request is the thread's while it is there, and nobody else's.
 */
#include "privileged/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "plugin/calling.h"

enum place { WAITING, WITH_THREAD, FINISHED, IN_CALLBACK };

struct wt_resolve {
	TAILQ_ENTRY(wt_resolve) link; /* in the queue or a finished list */
	enum place place;
	struct wt_resolver_client *client; /* NULL: cancelled while with the thread */
	wt_resolve_fn *fn;
	void *arg;
	const void *slot; /* NULL: the core asked */
	char port[6];
	enum wt_status status;
	size_t count;
	struct sockaddr_storage addresses[WT_RESOLVER_ADDRESSES];
	struct wt_error error;
	char name[]; /* as submitted */
};

TAILQ_HEAD(request_list, wt_resolve);

struct wt_resolver {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* to the thread: queue, stopping; from it: ended */
	pthread_t thread;
	struct request_list queue;
	struct wt_resolve *current; /* with the thread */
	bool stopping;
	bool ended;	/* the thread will not touch this struct again */
	bool abandoned; /* the thread frees this struct */
};

struct wt_resolver_client {
	struct wt_resolver *resolver;
	struct wt_worker *worker;
	struct request_list finished;
	int fd;
};

/* ---- one lookup ---- */

static void keep_addresses(struct wt_resolve *request, const struct addrinfo *list)
{
	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		bool skip = (info->ai_family != AF_INET && info->ai_family != AF_INET6) ||
			    request->count == WT_RESOLVER_ADDRESSES;

		for (size_t i = 0; i < request->count && !skip; i++)
			skip = memcmp(&request->addresses[i], info->ai_addr, info->ai_addrlen) == 0;
		if (!skip)
			memcpy(&request->addresses[request->count++], info->ai_addr,
			       info->ai_addrlen);
	}
}

/* SOCK_STREAM only keeps getaddrinfo from giving each address once a protocol.
 * AI_ADDRCONFIG is not asked for: it takes loopback for no address at all, so
 * that in a namespace with nothing else "localhost" would not exist. */
static int look_up(struct wt_resolve *request, int flags)
{
	struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV,
				  .ai_family = AF_UNSPEC,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int code = getaddrinfo(request->name, request->port, &hints, &list);

	if (code)
		return code;
	keep_addresses(request, list);
	freeaddrinfo(list);
	return request->count ? 0 : EAI_NODATA;
}

/* `error`: errno of the lookup, for EAI_SYSTEM. */
static enum wt_status explain(struct wt_resolve *request, int code, int error)
{
	struct wt_error *err = &request->error;
	const char *name = request->name;

	switch (code) {
	case 0:
		return WT_OK;
	case EAI_NONAME:
		return wt_fail(err, WT_ERR_INVALID, "%.256s: the name does not exist", name);
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		return wt_fail(err, WT_ERR_INVALID, "%.256s: the name has no IP address", name);
	case EAI_AGAIN:
		return wt_fail(err, WT_ERR_IO,
			       "%.256s: no answer from the name servers (see /etc/resolv.conf)",
			       name);
	case EAI_FAIL:
		return wt_fail(err, WT_ERR_IO, "%.256s: the name servers refused to answer", name);
	case EAI_MEMORY:
		return wt_fail(err, WT_ERR_NOMEM, "%.256s: out of memory during the lookup", name);
	case EAI_SYSTEM:
		return wt_fail(err, WT_ERR_IO, "%.256s: name lookup: %s", name,
			       strerrordesc_np(error));
	default:
		return wt_fail(err, WT_ERR_IO, "%.256s: name lookup: %s", name, gai_strerror(code));
	}
}

/* ---- the thread ---- */

/* Called with the lock held. */
static void finish(struct wt_resolve *request)
{
	struct wt_resolver_client *client = request->client;
	uint64_t one = 1;

	request->place = FINISHED;
	TAILQ_INSERT_TAIL(&client->finished, request, link);
	/* Fails only when the counter is full: readable already. */
	ssize_t ignored = write(client->fd, &one, sizeof one);

	(void)ignored;
}

static void resolver_destroy(struct wt_resolver *resolver)
{
	pthread_cond_destroy(&resolver->changed);
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

/* Called with the lock held, which is given up meanwhile. */
static void serve(struct wt_resolver *resolver, struct wt_resolve *request)
{
	int code;

	TAILQ_REMOVE(&resolver->queue, request, link);
	request->place = WITH_THREAD;
	resolver->current = request;
	pthread_mutex_unlock(&resolver->lock);

	code = look_up(request, 0);
	request->status = explain(request, code, errno);

	pthread_mutex_lock(&resolver->lock);
	resolver->current = NULL;
	if (request->client)
		finish(request);
	else
		free(request);
}

static void *resolver_thread(void *arg)
{
	struct wt_resolver *resolver = arg;
	struct wt_resolve *request;
	bool abandoned;

	pthread_mutex_lock(&resolver->lock);
	while (!resolver->stopping) {
		request = TAILQ_FIRST(&resolver->queue);
		if (request)
			serve(resolver, request);
		else
			pthread_cond_wait(&resolver->changed, &resolver->lock);
	}
	resolver->ended = true;
	abandoned = resolver->abandoned;
	pthread_cond_signal(&resolver->changed);
	pthread_mutex_unlock(&resolver->lock);
	if (abandoned)
		resolver_destroy(resolver);
	return NULL;
}

static int start_thread(struct wt_resolver *resolver)
{
	sigset_t all, before;
	int code;

	/* Signals are the event loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(&resolver->thread, NULL, resolver_thread, resolver);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (code == 0)
		(void)pthread_setname_np(resolver->thread, "wt-resolver");
	return code;
}

struct wt_resolver *wt_resolver_new(struct wt_error *err)
{
	struct wt_resolver *resolver = calloc(1, sizeof *resolver);
	pthread_condattr_t attr;
	int code;

	if (!resolver) {
		wt_fail(err, WT_ERR_NOMEM, "name resolver: out of memory");
		return NULL;
	}
	/* None of these four can fail in glibc. The clock: that of the wall may
	 * be set while we wait. */
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&resolver->changed, &attr);
	pthread_mutex_init(&resolver->lock, NULL);
	pthread_condattr_destroy(&attr);
	TAILQ_INIT(&resolver->queue);
	code = start_thread(resolver);
	if (code) {
		resolver_destroy(resolver);
		wt_fail(err, WT_ERR_NOMEM,
			"name resolver: cannot start its thread: %s (see ulimit -u)",
			strerrordesc_np(code));
		return NULL;
	}
	return resolver;
}

void wt_resolver_free(struct wt_resolver *resolver)
{
	struct timespec until;
	bool ended;

	if (!resolver)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WT_RESOLVER_STOP_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;

	pthread_mutex_lock(&resolver->lock);
	resolver->stopping = true;
	pthread_cond_signal(&resolver->changed);
	while (!resolver->ended)
		if (pthread_cond_timedwait(&resolver->changed, &resolver->lock, &until))
			break;
	ended = resolver->ended;
	if (!ended) {
		resolver->abandoned = true;
		pthread_detach(resolver->thread);
	}
	pthread_mutex_unlock(&resolver->lock);
	if (ended) {
		pthread_join(resolver->thread, NULL);
		resolver_destroy(resolver);
	}
}

/* ---- clients ---- */

struct wt_resolver_client *wt_resolver_client_new(struct wt_resolver *resolver,
						  struct wt_worker *worker, struct wt_error *err)
{
	struct wt_resolver_client *client = malloc(sizeof *client);

	if (!client) {
		wt_fail(err, WT_ERR_NOMEM, "name resolver: out of memory");
		return NULL;
	}
	*client = (struct wt_resolver_client){ .resolver = resolver, .worker = worker };
	TAILQ_INIT(&client->finished);
	client->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (client->fd < 0) {
		wt_fail(err, WT_ERR_NOMEM, "name resolver: eventfd: %s (see ulimit -n)",
			strerrordesc_np(errno));
		free(client);
		return NULL;
	}
	return client;
}

int wt_resolver_client_fd(const struct wt_resolver_client *client)
{
	return client->fd;
}

struct wt_resolve *wt_resolver_submit(struct wt_resolver_client *client, const char *name,
				      uint16_t port, wt_resolve_fn *fn, void *arg)
{
	struct wt_resolver *resolver = client->resolver;
	size_t size = strlen(name) + 1;
	struct wt_resolve *request = calloc(1, sizeof *request + size);
	bool numeric;

	if (!request)
		return NULL;
	request->client = client;
	request->fn = fn;
	request->arg = arg;
	request->error.struct_size = sizeof request->error;
	memcpy(request->name, name, size);
	snprintf(request->port, sizeof request->port, "%u", port);
	/* Says at once, without a lookup, what is not a number. */
	numeric = look_up(request, AI_NUMERICHOST) == 0;

	pthread_mutex_lock(&resolver->lock);
	if (numeric) {
		finish(request);
	} else {
		TAILQ_INSERT_TAIL(&resolver->queue, request, link);
		pthread_cond_signal(&resolver->changed);
	}
	pthread_mutex_unlock(&resolver->lock);
	return request;
}

void wt_resolver_mark(struct wt_resolve *request, const void *slot)
{
	request->slot = slot;
}

/* Called with the lock held. Frees the request unless the thread or dispatch
 * will. */
static void cancel(struct wt_resolver *resolver, struct wt_resolve *request)
{
	switch (request->place) {
	case WAITING:
		TAILQ_REMOVE(&resolver->queue, request, link);
		free(request);
		break;
	case WITH_THREAD:
		request->client = NULL;
		break;
	case FINISHED:
		TAILQ_REMOVE(&request->client->finished, request, link);
		free(request);
		break;
	case IN_CALLBACK:
		break;
	}
}

void wt_resolver_cancel(struct wt_resolve *request)
{
	struct wt_resolver *resolver;

	if (!request)
		return;
	resolver = request->client->resolver;
	pthread_mutex_lock(&resolver->lock);
	cancel(resolver, request);
	pthread_mutex_unlock(&resolver->lock);
}

void wt_resolver_client_free(struct wt_resolver_client *client)
{
	struct wt_resolver *resolver;
	struct wt_resolve *request, *next;

	if (!client)
		return;
	resolver = client->resolver;
	pthread_mutex_lock(&resolver->lock);
	for (request = TAILQ_FIRST(&resolver->queue); request; request = next) {
		next = TAILQ_NEXT(request, link);
		if (request->client == client)
			cancel(resolver, request);
	}
	if (resolver->current && resolver->current->client == client)
		cancel(resolver, resolver->current);
	while ((request = TAILQ_FIRST(&client->finished))) {
		TAILQ_REMOVE(&client->finished, request, link);
		free(request);
	}
	pthread_mutex_unlock(&resolver->lock);
	close(client->fd);
	free(client);
}

static struct wt_resolve *take_finished(struct wt_resolver_client *client)
{
	struct wt_resolve *request;

	pthread_mutex_lock(&client->resolver->lock);
	request = TAILQ_FIRST(&client->finished);
	if (request) {
		TAILQ_REMOVE(&client->finished, request, link);
		request->place = IN_CALLBACK;
	}
	pthread_mutex_unlock(&client->resolver->lock);
	return request;
}

void wt_resolver_client_dispatch(struct wt_resolver_client *client)
{
	struct wt_resolve *request;
	size_t now = 0;
	uint64_t rings;

	/* Emptied before the list is counted: what comes later rings again. */
	ssize_t ignored = read(client->fd, &rings, sizeof rings);

	(void)ignored;
	pthread_mutex_lock(&client->resolver->lock);
	TAILQ_FOREACH(request, &client->finished, link)
	now++;
	pthread_mutex_unlock(&client->resolver->lock);
	for (; now > 0 && (request = take_finished(client)); now--) {
		bool ok = request->status == WT_OK;
		const void *outer = atomic_load_explicit(&wt_calling, memory_order_relaxed);

		if (request->slot)
			wt_calling_leave(request->slot);
		request->fn(request->arg, client->worker, request->status,
			    ok ? request->addresses : NULL, request->count,
			    ok ? NULL : request->error.text);
		wt_calling_leave(outer);
		free(request);
	}
}
