/* SPDX-License-Identifier: MIT
 *
 * way: one direction through the relay: what is done to its packets, those that wait, and what was
 * counted. Two queues, the one of the packets in turn and the one of those that are held back
 * longer; each keeps its order.
 */
#ifndef WT_E2E_WAY_H
#define WT_E2E_WAY_H

#include "frame.h"
#include "leg.h"

#define WAY_ALWAYS (UINT64_C(1) << 32) /* a chance of 1 */

/* Chances are in 2^-32. All zero: an honest way. Nothing happens by chance to what
 * kernels say to their link at times of their own choice (neighbours, listeners), nor to what is
 * not IP. */
struct way_rules {
	uint64_t lose, repeat, corrupt, late;
	uint64_t delay_ns; /* of every packet */
	uint64_t late_ns;  /* of a late one on top of it */
	uint32_t limit;	   /* longer IP packets are lost; 0: none are */
};

struct way_counts {
	uint64_t received, sent;
	uint64_t lost, repeated, corrupted, late;
	uint64_t large;	      /* lost to `limit` */
	uint64_t full;	      /* lost to a full queue */
	uint64_t unknown;     /* lost for the address translation has no entry */
	uint64_t unsegmented; /* lost: an offload of the sender is on */
	uint64_t unfinished;  /* the same: its checksum */
	uint64_t refused;     /* lost: the device did not take it */
};

/* What an address translator knows: the inside as the last UDP packet showed it, and the outside as
 * it was told. */
struct translation {
	bool on;
	struct end inside, outside;
};

struct queue {
	struct queued {
		uint64_t due_ns;
		struct packet *packet;
	} * entries;
	uint32_t head, count; /* entries[head % capacity] is the next; capacity as of the way */
};

struct way {
	struct leg *from, *to;
	bool inbound; /* towards the inside of the translation */
	struct way_rules rules;
	struct way_counts counts;
	uint64_t random;
	uint32_t capacity; /* packets that may wait; a power of 2 */
	struct packet *packets, *spare;
	struct packet **free;
	uint32_t free_count;
	struct queue in_turn, held_back;
};

/* Returns 0, or -1 without memory. The way is never freed: it lives as long as the process. */
int way_init(struct way *way, struct leg *from, struct leg *to, uint32_t capacity, uint64_t seed);

/* Receives a batch. Returns how many frames, -1 with errno. */
int way_receive(struct way *way, struct translation *translation, uint64_t now_ns);

/* Sends what is due, at most a batch of each queue. Returns how many. */
unsigned way_send(struct way *way, uint64_t now_ns);

/* When the next packet is due; UINT64_MAX: none waits. */
uint64_t way_next_ns(const struct way *way);

#endif
