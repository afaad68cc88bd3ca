/* SPDX-License-Identifier: MIT */
#include "conform/transport/loop_slots.h"

#include <stdlib.h>
#include <string.h>

#define CANARY 0xc5
#define POISON 0xa5

static bool is_painted(const uint8_t *at)
{
	for (size_t i = 0; i < WT_LOOP_FENCE; i++)
		if (at[i] != CANARY)
			return false;
	return true;
}

static void check_canaries(struct wt_loop_host *host, struct wt_loop_slot *slot)
{
	if (!is_painted(slot->memory) ||
	    !is_painted(slot->memory + WT_LOOP_FENCE + WT_SLOT_CAPACITY))
		wt_loop_host_found(host, WT_FAULT_OUTSIDE, "beyond the ends of a packet buffer");
	if (slot->low && !is_painted(slot->low - WT_LOOP_FENCE))
		wt_loop_host_found(host, WT_FAULT_OUTSIDE, "before the headroom of a record");
	if (slot->high && !is_painted(slot->high))
		wt_loop_host_found(host, WT_FAULT_OUTSIDE, "behind a record");
	slot->low = slot->high = NULL;
}

static struct wt_slot *take_slot(struct wt_loop_host *host)
{
	if (host->slots_out >= host->slot_limit)
		return NULL;
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++) {
		struct wt_loop_slot *slot = &host->slots[i];

		if (slot->out)
			continue;
		if (!slot->memory) {
			slot->memory = aligned_alloc(64, 2 * WT_LOOP_FENCE + WT_SLOT_CAPACITY);
			if (!slot->memory)
				return NULL;
			memset(slot->memory, CANARY, 2 * WT_LOOP_FENCE + WT_SLOT_CAPACITY);
			slot->slot = (struct wt_slot){ sizeof(struct wt_slot), WT_SLOT_CAPACITY,
						       slot->memory + WT_LOOP_FENCE };
		}
		slot->out = true;
		host->slots_out++;
		return &slot->slot;
	}
	return NULL;
}

static struct wt_slot *loop_slot_get(const struct wt_host *table, struct wt_worker *worker)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	return wt_loop_host_called(host, worker, "slot_get") ? take_slot(host) : NULL;
}

static struct wt_loop_slot *slot_of(struct wt_loop_host *host, const struct wt_slot *slot)
{
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++)
		if (&host->slots[i].slot == slot)
			return &host->slots[i];
	return NULL;
}

static void loop_slot_done(const struct wt_host *table, struct wt_worker *worker,
			   struct wt_slot *returned)
{
	struct wt_loop_host *host = wt_loop_host_of(table);
	struct wt_loop_slot *slot = slot_of(host, returned);

	if (!wt_loop_host_called(host, worker, "slot_done"))
		return;
	if (!slot) {
		wt_loop_host_found(host, WT_FAULT_SLOT_TWICE, "what is no buffer of this host");
		return;
	}
	if (!slot->out) {
		wt_loop_host_found(host, WT_FAULT_SLOT_TWICE, "slot_done for one that was not out");
		return;
	}
	check_canaries(host, slot);
	/* Whoever still reads it gets something else. */
	memset(slot->slot.base, POISON, slot->slot.capacity);
	slot->out = false;
	host->slots_out--;
}

struct wt_slot *wt_loop_host_slot(struct wt_loop_host *host)
{
	return take_slot(host);
}

void wt_loop_host_fence(struct wt_loop_host *host, struct wt_slot *slot, uint8_t *low,
			uint8_t *high)
{
	struct wt_loop_slot *known = slot_of(host, slot);

	known->low = low;
	known->high = high;
	memset(low - WT_LOOP_FENCE, CANARY, WT_LOOP_FENCE);
	memset(high, CANARY, WT_LOOP_FENCE);
}

void wt_loop_slots_fill(struct wt_host *table)
{
	table->slot_get = loop_slot_get;
	table->slot_done = loop_slot_done;
}

void wt_loop_slots_drop(struct wt_loop_host *host)
{
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++)
		free(host->slots[i].memory);
}
