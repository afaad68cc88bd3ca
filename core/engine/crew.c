/* SPDX-License-Identifier: MIT */
#include "engine/crew.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/lookout.h"
#include "pipeline/receive.h"
#include "pipeline/transmit.h"
#include "pipeline/tun_input.h"
#include "privileged/resolver.h"
#include "record/limits.h"
#include "session/lanes.h"
#include "session/output.h"

/* Enough for one turn in each direction, and beyond it what a peer's connections
 * may hold while their links stand: of the active one a record that is partly
 * written, one that is sealed, one partly received and two handshake messages,
 * of a replaced one four, of one that waits for proof two, and a packet in the
 * queue. Address space only: what is never used is never touched. */
#define SLOTS_BASE 128u
#define SLOTS_PER_PEER 12u
/* Of the base, what nobody may take to seal or queue ahead. */
#define SLOTS_SPARE 32u
/* What each other worker may keep of a worker's buffers, beside what it needs to
 * go on: a few at least, and of all workers together no more than a pool should
 * have. */
#define GUESTS_MIN 4u
#define GUESTS_MAX 64u
#define GUESTS_OF_ALL 192u
/* A worker's loop has timers for all it must do; this only bounds the wait. */
#define WAIT_MS 60000u

struct member {
	_Alignas(WT_RING_LINE) pthread_t thread;
	struct wt_worker *worker;
	struct wt_crew *crew;
	struct wt_note stop;
	bool runs, watches;
};

struct wt_crew {
	struct wt_worker *workers;
	struct member *members;
	unsigned count;
	struct wt_lookout *lookout; /* borrowed; NULL: none */
};

static size_t guests_max(unsigned workers)
{
	size_t share = workers > 1 ? GUESTS_OF_ALL / (workers - 1) : 0;

	return share > GUESTS_MAX ? GUESTS_MAX : share < GUESTS_MIN ? GUESTS_MIN : share;
}

static enum wt_status new_worker(struct wt_worker *worker, struct wt_node *node,
				 struct wt_resolver *resolver, struct wt_error *err)
{
	size_t guests = guests_max(node->worker_count);
	size_t peers = SLOTS_PER_PEER * wt_lanes_count_all(node->settings);
	size_t slots = SLOTS_BASE + peers + guests * (node->worker_count - 1);
	enum wt_status status = wt_loop_init(&worker->loop, node->clock, worker);

	worker->node = node;
	worker->resolver_watch.fd = -1;
	worker->spare_slots = peers + SLOTS_SPARE;
	worker->guests_max = guests;
	if (status == WT_OK)
		status = wt_slot_pool_init(&worker->slots, slots);
	if (status != WT_OK)
		return wt_fail(err, status, "cannot start worker %u: out of memory or descriptors",
			       worker->index);
	worker->resolver = wt_resolver_client_new(resolver, worker, err);
	return worker->resolver ? WT_OK : WT_ERR_NOMEM;
}

static void *zeroed(size_t count, size_t size)
{
	void *p = aligned_alloc(WT_RING_LINE, count * size);

	if (p)
		memset(p, 0, count * size);
	return p;
}

static void reap(struct wt_worker *worker)
{
	wt_conn_reap(worker);
	wt_link_reap(worker);
}

/* Say CLOSE on every association; `again`: only where it may have been lost.
 * Returns whether there is any such. */
static bool say_close(struct wt_worker *worker, bool again)
{
	uint8_t text[WT_CONTROL_MAX];
	bool lossy = false;

	for (struct wt_link *link = worker->links, *next; link; link = next) {
		next = link->next;
		for (struct wt_conn *conn = link->conns; conn && !link->closed; conn = conn->next) {
			if (conn->state != WT_CONN_UP || (again && !link->datagram))
				continue;
			if (wt_output_text(conn, conn->keys.current, text,
					   wt_control_close(text, WT_CLOSE_SHUTDOWN)))
				wt_output_flush(link);
			lossy = lossy || link->datagram;
		}
	}
	return lossy;
}

/* On the worker's own thread, or after it ended. */
static void end_connections(struct wt_worker *worker)
{
	const struct timespec between = { .tv_nsec = WT_CLOSE_REPEAT_MS * 1000000L };

	wt_stage_enter(WT_STAGE_STOP);
	wt_pulse_beat(&worker->loop.pulse);
	worker->stopping = true;
	for (unsigned i = 0; i < WT_CLOSE_REPEATS && say_close(worker, i > 0); i++)
		if (i + 1 < WT_CLOSE_REPEATS)
			(void)nanosleep(&between, NULL);
	while (worker->links)
		wt_link_end(worker->links, false, "this end stops");
	reap(worker);
}

static void on_stop(struct wt_note *note, struct wt_worker *worker)
{
	(void)note;
	worker->stopping = true;
}

struct wt_crew *wt_crew_new(struct wt_node *node, unsigned count, struct wt_resolver *resolver,
			    struct wt_error *err)
{
	struct wt_crew *crew = calloc(1, sizeof(*crew));
	enum wt_status status = WT_OK;

	if (crew) {
		crew->workers = zeroed(count, sizeof(*crew->workers));
		crew->members = zeroed(count, sizeof(*crew->members));
	}
	if (!crew || !crew->workers || !crew->members) {
		wt_fail(err, WT_ERR_NOMEM, "out of memory");
		wt_crew_free(crew);
		return NULL;
	}
	node->workers = crew->workers;
	node->worker_count = count;
	while (status == WT_OK && crew->count < count) {
		struct wt_worker *worker = &crew->workers[crew->count];
		struct member *member = &crew->members[crew->count];

		worker->index = crew->count++;
		worker->crew = crew->workers;
		member->worker = worker;
		member->crew = crew;
		member->stop.read = on_stop;
		status = new_worker(worker, node, resolver, err);
	}
	if (status == WT_OK && count > 1) {
		status = wt_desks_init(crew->workers, count);
		if (status != WT_OK)
			wt_fail(err, status,
				"cannot start %u workers: out of memory or "
				"descriptors (ulimit -n)",
				count);
	}
	if (status == WT_OK)
		return crew;
	node->workers = NULL;
	wt_crew_free(crew);
	return NULL;
}

void wt_crew_free(struct wt_crew *crew)
{
	if (!crew)
		return;
	wt_desks_fini(crew->workers, crew->count);
	while (crew->count > 0) {
		struct wt_worker *worker = &crew->workers[--crew->count];

		wt_resolver_client_free(worker->resolver);
		wt_slot_pool_fini(&worker->slots);
		wt_loop_fini(&worker->loop);
	}
	free(crew->members);
	free(crew->workers);
	free(crew);
}

static void on_resolved(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	(void)arg;
	(void)fd;
	(void)events;
	wt_resolver_client_dispatch(worker->resolver);
}

enum wt_status wt_crew_watch(struct wt_crew *crew, const int *tun_fds, unsigned queues,
			     struct wt_error *err)
{
	for (unsigned i = 0; i < crew->count; i++) {
		struct wt_worker *worker = &crew->workers[i];
		enum wt_status status = wt_watch_start(&worker->loop, &worker->resolver_watch,
						       wt_resolver_client_fd(worker->resolver),
						       WT_EVENT_READ, on_resolved, NULL);

		if (status == WT_OK)
			status = wt_tun_input_start(worker, &tun_fds[i * queues], queues);
		if (status != WT_OK)
			return wt_fail(err, status, "cannot watch the TUN device: %s",
				       wt_status_text(status));
		crew->members[i].watches = true;
	}
	return WT_OK;
}

void wt_crew_unwatch(struct wt_crew *crew)
{
	for (unsigned i = crew->count; i-- > 0;) {
		if (crew->members[i].watches)
			wt_tun_input_stop(&crew->workers[i]);
		crew->members[i].watches = false;
		wt_watch_stop(&crew->workers[i].resolver_watch);
	}
}

static void turn(struct wt_worker *worker, uint64_t max_wait_ms)
{
	bool alone = !worker->desk;

	if (worker->busy || (!alone && max_wait_ms > 0 && !wt_desk_sleep(worker)))
		max_wait_ms = 0;
	wt_stage_enter(WT_STAGE_EVENTS);
	wt_loop_turn(&worker->loop, max_wait_ms);
	if (!alone) {
		wt_stage_enter(WT_STAGE_NOTES);
		wt_desk_look(worker);
	}
	wt_stage_enter(WT_STAGE_RECEIVE);
	worker->busy = wt_receive_turn(worker);
	wt_stage_enter(WT_STAGE_TRANSMIT);
	if (!alone && wt_transmit_handed(worker))
		worker->busy = true;
	if (wt_transmit_turn(worker))
		worker->busy = true;
	if (!alone)
		wt_desk_ring(worker);
	wt_stage_enter(WT_STAGE_REAP);
	reap(worker);
}

void wt_crew_turn(struct wt_crew *crew, uint64_t max_wait_ms)
{
	turn(&crew->workers[0], max_wait_ms);
}

static void *run(void *arg)
{
	const struct member *member = arg;
	struct wt_worker *worker = member->worker;

	wt_lookout_meet(member->crew->lookout, worker);
	while (!worker->stopping)
		turn(worker, WAIT_MS);
	end_connections(worker);
	wt_lookout_part(member->crew->lookout, worker);
	return NULL;
}

enum wt_status wt_crew_start(struct wt_crew *crew, struct wt_lookout *lookout, struct wt_error *err)
{
	sigset_t all, before;
	int error = 0;

	crew->lookout = lookout;
	wt_lookout_meet(lookout, &crew->workers[0]);
	/* A thread begins with the mask of who made it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 1; i < crew->count && error == 0; i++) {
		struct member *member = &crew->members[i];
		char name[16];

		error = pthread_create(&member->thread, NULL, run, member);
		if (error != 0)
			break;
		member->runs = true;
		snprintf(name, sizeof name, "wt-worker-%u", i % WT_WORKERS_MAX);
		(void)pthread_setname_np(member->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return wt_fail(err, WT_ERR_NOMEM,
			       "cannot start the threads of %u workers: %s; fewer `workers`, or "
			       "raise the limit of threads (ulimit -u, TasksMax=)",
			       crew->count, strerror(error));
	return WT_OK;
}

void wt_crew_stop(struct wt_crew *crew)
{
	/* Side by side: each may take its time to say CLOSE. */
	for (unsigned i = crew->count; i-- > 0;)
		if (crew->members[i].runs)
			wt_note_post(&crew->members[i].stop, crew->members[i].worker);
	for (unsigned i = crew->count; i-- > 0;) {
		struct member *member = &crew->members[i];

		if (member->runs) {
			/* Whoever keeps us waiting here is said to. */
			wt_pulse_rest(&crew->workers[0].loop.pulse);
			pthread_join(member->thread, NULL);
		}
		member->runs = false;
		end_connections(member->worker);
	}
	wt_desks_clear(crew->workers, crew->count);
}
