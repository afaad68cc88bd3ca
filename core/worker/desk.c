/* SPDX-License-Identifier: MIT
 *
 * Sleeping and waking. A worker says that it sleeps, then looks once more; who
 * brings something puts it down, then asks whether the other sleeps. Both say and
 * ask by an atomic exchange of one flag: whichever comes second sees what
 * the other did before, so either the worker finds the thing or it is rung for.
 * (Exchanges only, also where nothing is asked: a plain store would hide the
 * other's exchange from the next one.)
 *
 * Buffers go back through one list a worker, which all others push to and which
 * its owner takes as a whole. A taken list is never pushed back, so the usual
 * trap of such lists (an element that left and came back unnoticed) is not there.
 */
#include "worker/desk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/worker.h"

static void on_bell(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	uint64_t rung;

	(void)arg;
	(void)worker;
	(void)events;
	/* It only ends the wait; what to do is found by looking. */
	while (read(fd, &rung, sizeof rung) > 0)
		;
}

static enum wt_status desk_init(struct wt_desk *desk, struct wt_worker *worker, unsigned count)
{
	size_t size = count * sizeof(*desk->rings);
	enum wt_status status = WT_ERR_NOMEM;

	*desk = (struct wt_desk){ .ring_count = count, .watch.fd = -1 };
	desk->rings = aligned_alloc(_Alignof(struct wt_ring), size);
	if (!desk->rings)
		return WT_ERR_NOMEM;
	memset((void *)desk->rings, 0, size);
	desk->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (desk->bell < 0)
		goto free_rings;
	status = wt_watch_start(&worker->loop, &desk->watch, desk->bell, WT_EVENT_READ, on_bell,
				NULL);
	if (status != WT_OK)
		goto close_bell;
	if (pthread_mutex_init(&desk->lock, NULL) == 0)
		return WT_OK;
	status = WT_ERR_NOMEM;
	wt_watch_stop(&desk->watch);
close_bell:
	close(desk->bell);
free_rings:
	free(desk->rings);
	return status;
}

static void desk_fini(struct wt_desk *desk)
{
	pthread_mutex_destroy(&desk->lock);
	wt_watch_stop(&desk->watch);
	close(desk->bell);
	free(desk->rings);
}

enum wt_status wt_desks_init(struct wt_worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct wt_desk *desk = malloc(sizeof(*desk));
		enum wt_status status = desk ? desk_init(desk, &workers[i], count) : WT_ERR_NOMEM;

		if (status != WT_OK) {
			free(desk);
			wt_desks_fini(workers, count);
			return status;
		}
		workers[i].desk = desk;
	}
	return WT_OK;
}

void wt_desks_fini(struct wt_worker *workers, unsigned count)
{
	for (unsigned i = count; i-- > 0;) {
		if (!workers[i].desk)
			continue;
		desk_fini(workers[i].desk);
		free(workers[i].desk);
		workers[i].desk = NULL;
	}
}

/* ---- to others ---------------------------------------------------------------------- */

static void wake(struct wt_desk *desk)
{
	const uint64_t one = 1;

	if (!atomic_exchange_explicit(&desk->asleep, false, memory_order_acq_rel))
		return;
	/* It cannot fail but for a full counter, which wakes as well. */
	if (write(desk->bell, &one, sizeof one) < 0)
		return;
}

static bool is_guest(const struct wt_worker *worker, const struct wt_buffer *buffer)
{
	return !wt_slot_pool_has(&worker->slots, &buffer->slot);
}

bool wt_desk_hand(struct wt_worker *from, unsigned to, struct wt_buffer *buffer)
{
	if (!wt_ring_put(&from->crew[to].desk->rings[from->index], buffer))
		return false;
	if (is_guest(from, buffer))
		from->desk->guests--;
	from->desk->to_ring |= UINT64_C(1) << to;
	return true;
}

void wt_desk_ring(struct wt_worker *from)
{
	for (uint64_t left = from->desk->to_ring; left; left &= left - 1)
		wake(from->crew[__builtin_ctzll(left)].desk);
	from->desk->to_ring = 0;
}

bool wt_desk_give_back(struct wt_worker *from, struct wt_slot *slot)
{
	for (unsigned i = 0; i < from->desk->ring_count; i++) {
		struct wt_worker *owner = &from->crew[i];
		struct wt_buffer *buffer;

		if (owner == from || !wt_slot_pool_has(&owner->slots, slot))
			continue;
		buffer = (struct wt_buffer *)(void *)slot;
		if (buffer->holder != from->index)
			return false;
		buffer->holder = WT_HOLDER_NONE;
		from->desk->guests--;

		_Atomic(struct wt_buffer *) *list = &owner->desk->returned;

		buffer->next = atomic_load_explicit(list, memory_order_relaxed);
		while (!atomic_compare_exchange_weak_explicit(
			list, &buffer->next, buffer, memory_order_release, memory_order_relaxed))
			;
		return true;
	}
	return false;
}

void wt_note_post(struct wt_note *note, struct wt_worker *to)
{
	struct wt_desk *desk = to->desk;

	pthread_mutex_lock(&desk->lock);
	if (!note->posted) {
		note->posted = true;
		note->next = NULL;
		if (desk->last)
			desk->last->next = note;
		else
			desk->first = note;
		desk->last = note;
	}
	atomic_store_explicit(&desk->noted, true, memory_order_relaxed);
	pthread_mutex_unlock(&desk->lock);
	wake(desk);
}

/* ---- on the desk's own thread ------------------------------------------------------ */

bool wt_desk_waits(const struct wt_worker *worker)
{
	const struct wt_desk *desk = worker->desk;

	for (unsigned i = 0; i < desk->ring_count; i++)
		if (wt_ring_waits(&desk->rings[i]))
			return true;
	return false;
}

bool wt_desk_sleep(struct wt_worker *worker)
{
	struct wt_desk *desk = worker->desk;

	(void)atomic_exchange_explicit(&desk->asleep, true, memory_order_acq_rel);
	if (!wt_desk_waits(worker) && !atomic_load_explicit(&desk->noted, memory_order_relaxed))
		return true;
	(void)atomic_exchange_explicit(&desk->asleep, false, memory_order_acq_rel);
	return false;
}

static void take_back(struct wt_worker *worker)
{
	struct wt_buffer *buffer;

	if (!atomic_load_explicit(&worker->desk->returned, memory_order_relaxed))
		return;
	buffer = atomic_exchange_explicit(&worker->desk->returned, NULL, memory_order_acquire);
	while (buffer) {
		struct wt_buffer *next = buffer->next;

		(void)wt_slot_put(&worker->slots, &buffer->slot);
		buffer = next;
	}
}

static struct wt_note *next_note(struct wt_desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	struct wt_note *note = desk->first;

	if (note) {
		desk->first = note->next;
		if (!desk->first)
			desk->last = NULL;
		note->posted = false;
	} else {
		atomic_store_explicit(&desk->noted, false, memory_order_relaxed);
	}
	pthread_mutex_unlock(&desk->lock);
	return note;
}

void wt_desk_look(struct wt_worker *worker)
{
	struct wt_desk *desk = worker->desk;
	struct wt_note *note;

	if (atomic_load_explicit(&desk->asleep, memory_order_relaxed))
		(void)atomic_exchange_explicit(&desk->asleep, false, memory_order_acq_rel);
	take_back(worker);
	if (!atomic_load_explicit(&desk->noted, memory_order_relaxed))
		return;
	while ((note = next_note(desk)) != NULL)
		note->read(note, worker);
}

struct wt_buffer *wt_desk_next(struct wt_worker *worker)
{
	struct wt_desk *desk = worker->desk;

	for (unsigned i = 0; i < desk->ring_count; i++) {
		struct wt_ring *ring = &desk->rings[desk->ring_next];
		struct wt_buffer *buffer = wt_ring_take(ring);

		desk->ring_next = desk->ring_next + 1 == desk->ring_count ? 0 : desk->ring_next + 1;
		if (buffer) {
			buffer->holder = (uint8_t)worker->index;
			if (is_guest(worker, buffer))
				desk->guests++;
			return buffer;
		}
	}
	return NULL;
}

void wt_desks_clear(struct wt_worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count && workers[i].desk; i++) {
		struct wt_buffer *buffer;

		while ((buffer = wt_desk_next(&workers[i])) != NULL)
			(void)wt_worker_slot_put(&workers[i], &buffer->slot);
	}
	for (unsigned i = 0; i < count && workers[i].desk; i++)
		take_back(&workers[i]);
}
