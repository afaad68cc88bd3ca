/* SPDX-License-Identifier: MIT */
#include "way.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int way_init(struct way *way, struct leg *from, struct leg *to, uint32_t capacity, uint64_t seed)
{
	size_t size = from->frame_max;
	memset(way, 0, sizeof(*way));
	way->from = from;
	way->to = to;
	way->random = seed;
	way->capacity = capacity;
	uint8_t *data = malloc((capacity + 1) * size);
	way->packets = calloc(capacity + 1, sizeof(*way->packets));
	way->free = calloc(capacity, sizeof(*way->free));
	way->in_turn.entries = calloc(capacity, sizeof(*way->in_turn.entries));
	way->held_back.entries = calloc(capacity, sizeof(*way->held_back.entries));
	if (!data || !way->packets || !way->free || !way->in_turn.entries ||
	    !way->held_back.entries)
		return -1;
	for (uint32_t i = 0; i <= capacity; i++)
		way->packets[i].data = data + i * size;
	way->spare = &way->packets[capacity];
	/* The first ones are taken first, so that memory is touched only as far as it is needed. */
	for (uint32_t i = 0; i < capacity; i++)
		way->free[way->free_count++] = &way->packets[capacity - 1 - i];
	return 0;
}

/* splitmix64 */
static uint64_t draw(struct way *way)
{
	uint64_t z = way->random += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool happens(struct way *way, uint64_t chance)
{
	return draw(way) >> 32 < chance;
}

/* Order within a queue is kept when the delay gets shorter: nothing is due before what is ahead. */
static void append(struct way *way, struct queue *queue, struct packet *packet, uint64_t due_ns)
{
	uint32_t mask = way->capacity - 1;
	if (queue->count > 0) {
		uint64_t last = queue->entries[(queue->head + queue->count - 1) & mask].due_ns;
		due_ns = due_ns > last ? due_ns : last;
	}
	struct queued *entry = &queue->entries[(queue->head + queue->count++) & mask];
	entry->due_ns = due_ns;
	entry->packet = packet;
}

/* Returns false when the translator has no entry for the packet. */
static bool translate(const struct way *way, struct translation *translation, struct frame *frame)
{
	struct end *outside = &translation->outside;
	if (!translation->on || frame->protocol != IPPROTO_UDP ||
	    frame->address_len != outside->address_len)
		return true;
	if (!way->inbound) {
		translation->inside = frame_end(frame, false);
		frame_set_end(frame, false, outside);
		return true;
	}
	struct end wanted = frame_end(frame, true);
	if (!end_equal(&wanted, outside) || translation->inside.address_len == 0)
		return false;
	frame_set_end(frame, true, &translation->inside);
	return true;
}

/* The count to add to when the packet is lost; NULL: it goes on. Every rule draws for every packet,
 * so that a seed tells the same packets from each other whatever else is set. */
static uint64_t *treat(struct way *way, struct translation *translation, struct frame *frame,
		       bool *repeat, bool *late)
{
	struct way_counts *counts = &way->counts;
	bool lose = happens(way, way->rules.lose);
	*repeat = happens(way, way->rules.repeat);
	*late = happens(way, way->rules.late);
	bool corrupt = happens(way, way->rules.corrupt);
	uint64_t bit = draw(way);
	if (way->rules.limit > 0 && frame->ip_len > way->rules.limit)
		return &counts->large;
	if (lose)
		return &counts->lost;
	if (!translate(way, translation, frame))
		return &counts->unknown;
	if (corrupt && frame_flip(frame, bit))
		counts->corrupted++;
	return NULL;
}

static void give_back(struct way *way, struct packet *packet)
{
	way->free[way->free_count++] = packet;
}

static void enqueue(struct way *way, struct packet *packet, bool late, uint64_t now_ns)
{
	uint64_t due_ns = now_ns + way->rules.delay_ns;
	if (late) {
		way->counts.late++;
		append(way, &way->held_back, packet, due_ns + way->rules.late_ns);
	} else {
		append(way, &way->in_turn, packet, due_ns);
	}
}

static void take(struct way *way, struct translation *translation, struct packet *packet,
		 uint64_t now_ns)
{
	struct frame frame;
	bool repeat = false, late = false;
	uint64_t *lost = NULL;
	frame_parse(&frame, packet->data, packet->len);
	if (packet->unsegmented)
		lost = &way->counts.unsegmented;
	else if (packet->unfinished)
		lost = &way->counts.unfinished;
	else if (frame.ip_len > 0 && !frame.of_link)
		lost = treat(way, translation, &frame, &repeat, &late);
	if (lost) {
		++*lost;
		give_back(way, packet);
		return;
	}
	enqueue(way, packet, late, now_ns);
	if (repeat && way->free_count > 0) {
		struct packet *copy = way->free[--way->free_count];
		copy->len = packet->len;
		memcpy(copy->data, packet->data, packet->len);
		way->counts.repeated++;
		enqueue(way, copy, late, now_ns);
	}
}

int way_receive(struct way *way, struct translation *translation, uint64_t now_ns)
{
	struct packet *batch[LEG_BATCH];
	uint32_t count = way->free_count < LEG_BATCH ? way->free_count : LEG_BATCH;
	if (count == 0) {
		int got = leg_receive(way->from, &way->spare, 1);
		if (got > 0) {
			way->counts.received++;
			way->counts.full++;
		}
		return got;
	}
	way->free_count -= count;
	for (uint32_t i = 0; i < count; i++)
		batch[i] = way->free[way->free_count + count - 1 - i];
	int got = leg_receive(way->from, batch, count);
	uint32_t used = got > 0 ? (uint32_t)got : 0;
	for (uint32_t i = count; i > used; i--)
		give_back(way, batch[i - 1]);
	for (uint32_t i = 0; i < used; i++)
		take(way, translation, batch[i], now_ns);
	way->counts.received += used;
	return got;
}

static unsigned send_due(struct way *way, struct queue *queue, uint64_t now_ns)
{
	uint32_t mask = way->capacity - 1;
	struct packet *batch[LEG_BATCH];
	unsigned count = 0;
	while (count < LEG_BATCH && count < queue->count) {
		struct queued *entry = &queue->entries[(queue->head + count) & mask];
		if (entry->due_ns > now_ns)
			break;
		batch[count++] = entry->packet;
	}
	for (unsigned done = 0; done < count;) {
		unsigned sent = leg_send(way->to, batch + done, count - done);
		way->counts.sent += sent;
		done += sent;
		if (done < count) {
			way->counts.refused++;
			done++;
		}
	}
	for (unsigned i = 0; i < count; i++)
		give_back(way, batch[i]);
	queue->head += count;
	queue->count -= count;
	return count;
}

unsigned way_send(struct way *way, uint64_t now_ns)
{
	unsigned sent = send_due(way, &way->held_back, now_ns);
	return sent + send_due(way, &way->in_turn, now_ns);
}

uint64_t way_next_ns(const struct way *way)
{
	uint32_t mask = way->capacity - 1;
	uint64_t next = UINT64_MAX;
	const struct queue *queues[] = { &way->in_turn, &way->held_back };
	for (unsigned i = 0; i < 2; i++) {
		if (queues[i]->count > 0) {
			uint64_t due = queues[i]->entries[queues[i]->head & mask].due_ns;
			next = due < next ? due : next;
		}
	}
	return next;
}
