/* SPDX-License-Identifier: MIT */
#include "support/memory_transport.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "support/in_process.h"

#define PREFIX 4u
#define ROOM ((size_t)1 << 20)
/* As in a slot of transport-tcp: the packet of a record lies at WT_SLOT_PACKET. */
#define SLOT_RECORD (WT_SLOT_PACKET - 1u - WT_RECORD_HEADER)

struct memory {
	const struct wt_host *host;
	const struct wt_config *cfg;
	struct wt_worker *worker; /* of listen */
	struct memory *next;	  /* listening */
};

struct wt_memory_side {
	struct wt_memory_link *link;
	struct memory *memory; /* NULL: the test */
	struct wt_worker *worker;
	struct wt_link *core;
	struct wt_timer *timer; /* reports from the loop */
	uint16_t port;
	int index;
	uint32_t max;

	/* Bytes on their way here; the first `arrived` may be read. */
	uint8_t *bytes;
	size_t len, capacity, arrived, room;
	struct wt_slot *rx_slot;
	uint8_t rx_small[WT_UNAUTHENTICATED_MAX];

	/* A record of which a part was taken by the network. */
	struct wt_slot *tx_slot;
	const uint8_t *tx_at;
	size_t tx_left;

	bool connected, owes_writable, readable;
	bool told;    /* link_readable, and recv has not said WT_AGAIN since */
	bool hung_up; /* by the other side; seen when all bytes were read */
	bool hung_up_arrived;
	bool ended; /* link_ended is due or done */
	bool end_told;
	const char *end_text;
};

struct wt_memory_net wt_memory_net = { .room = ROOM };
static struct memory *listening;

static struct wt_memory_side *other(const struct wt_memory_side *side)
{
	return side->link->side[1 - side->index];
}

static void wake(struct wt_memory_side *side)
{
	if (side->memory)
		side->memory->host->timer_set(side->memory->host, side->timer, 0);
}

/* ---- bytes ---------------------------------------------------------------- */

static size_t room_towards(const struct wt_memory_side *side)
{
	return side->len < side->room ? side->room - side->len : 0;
}

static void arrive(struct wt_memory_side *side, size_t n)
{
	size_t waiting = side->len - side->arrived;

	side->arrived += n < waiting ? n : waiting;
	if (side->hung_up && side->arrived == side->len)
		side->hung_up_arrived = true;
	if (side->told)
		return;
	side->readable = true;
	wake(side);
}

/* Append for `side`; the caller looked at the room. */
static void put(struct wt_memory_side *side, const uint8_t *bytes, size_t len)
{
	if (side->len + len > side->capacity) {
		size_t capacity = side->capacity ? side->capacity : 4096;

		while (capacity < side->len + len)
			capacity *= 2;
		side->bytes = realloc(side->bytes, capacity);
		if (!side->bytes)
			abort();
		side->capacity = capacity;
	}
	memcpy(side->bytes + side->len, bytes, len);
	side->len += len;
	if (!wt_memory_net.hold)
		arrive(side, len);
}

static void eat(struct wt_memory_side *side, size_t n)
{
	struct wt_memory_side *sender = other(side);

	memmove(side->bytes, side->bytes + n, side->len - n);
	side->len -= n;
	side->arrived -= n;
	/* Room for more. */
	if (sender && (sender->tx_slot || sender->owes_writable))
		wake(sender);
}

/* ---- life ----------------------------------------------------------------- */

static void end(struct wt_memory_side *side, const char *text)
{
	if (side->ended)
		return;
	side->ended = true;
	side->end_text = text;
	wake(side);
}

/* What the network took of a record in parts. True: all of it. */
static bool write_rest(struct wt_memory_side *side)
{
	struct wt_memory_side *to = other(side);
	size_t n = to ? room_towards(to) : 0;

	if (!side->tx_slot)
		return true;
	if (n > side->tx_left)
		n = side->tx_left;
	if (n > 0)
		put(to, side->tx_at, n);
	side->tx_at += n;
	side->tx_left -= n;
	if (side->tx_left > 0)
		return false;
	side->memory->host->slot_done(side->memory->host, side->worker, side->tx_slot);
	side->tx_slot = NULL;
	return true;
}

/* The core may close inside each report, so each is the last of its turn. */
static void on_timer(void *arg, struct wt_worker *worker)
{
	struct wt_memory_side *side = arg;
	const struct wt_host *host = side->memory->host;

	if (side->ended && !side->end_told) {
		side->end_told = true;
		host->link_ended(host, worker, side->core, WT_ERR_CLOSED, side->end_text);
		return;
	}
	if (!side->connected) {
		if (wt_memory_net.unreachable)
			return;
		side->connected = true;
		wake(side);
		host->link_connected(host, worker, side->core);
		return;
	}
	if (side->readable) {
		side->readable = false;
		side->told = true;
		side->link->reports[side->index]++;
		wake(side);
		host->link_readable(host, worker, side->core);
		return;
	}
	if (write_rest(side) && side->owes_writable && other(side) &&
	    room_towards(other(side)) > 0) {
		side->owes_writable = false;
		host->link_writable(host, worker, side->core);
	}
}

static struct wt_memory_side *side_new(struct wt_memory_link *link, int index,
				       struct memory *memory, struct wt_worker *worker)
{
	struct wt_memory_side *side = calloc(1, sizeof *side);

	if (!side)
		return NULL;
	*side = (struct wt_memory_side){ .link = link, .index = index, .memory = memory };
	side->worker = worker;
	side->max = WT_UNAUTHENTICATED_MAX;
	side->room = wt_memory_net.room;
	if (memory) {
		side->timer = memory->host->timer_new(memory->host, worker, on_timer, side);
		if (!side->timer) {
			free(side);
			return NULL;
		}
	}
	link->side[index] = side;
	return side;
}

static void side_free(struct wt_memory_side *side)
{
	if (!side)
		return;
	if (side->timer)
		side->memory->host->timer_free(side->memory->host, side->timer);
	side->link->side[side->index] = NULL;
	free(side->bytes);
	free(side);
}

static struct wt_memory_link *link_new(void)
{
	struct wt_memory_link *link = calloc(1, sizeof *link);

	if (!link)
		return NULL;
	link->next = wt_memory_net.links;
	wt_memory_net.links = link;
	wt_memory_net.link_count++;
	return link;
}

static void link_drop(struct wt_memory_link *link)
{
	struct wt_memory_link **at = &wt_memory_net.links;

	if (link->side[0] || link->side[1])
		return;
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	wt_memory_net.link_count--;
	free(link);
}

static void side_close(struct wt_memory_side *side, bool aborts)
{
	struct wt_memory_link *link = side->link;
	struct wt_memory_side *to = other(side);

	if (side->tx_slot) {
		(void)write_rest(side);
		if (side->tx_slot)
			side->memory->host->slot_done(side->memory->host, side->worker,
						      side->tx_slot);
	}
	if (side->rx_slot)
		side->memory->host->slot_done(side->memory->host, side->worker, side->rx_slot);
	side_free(side);
	if (to && aborts) {
		end(to, "connection reset by the other end");
	} else if (to) {
		to->hung_up = true;
		if (!wt_memory_net.hold)
			arrive(to, 0);
	}
	link_drop(link);
}

/* ---- the plugin ----------------------------------------------------------- */

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct memory *memory = calloc(1, sizeof *memory);

	if (!memory)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	*memory = (struct memory){ .host = host, .cfg = cfg };
	*self = memory;
	return WT_OK;
}

static void destroy(void *self)
{
	struct memory *memory = self;

	for (struct memory **at = &listening; *at; at = &(*at)->next)
		if (*at == memory) {
			*at = memory->next;
			break;
		}
	free(memory);
}

static enum wt_status listen_now(void *self, struct wt_worker *worker, struct wt_error *err)
{
	struct memory *memory = self;
	struct sockaddr_storage address;

	(void)err;
	if (memory->host->config_sockaddr(memory->host, memory->cfg, "listen", 0, &address) !=
	    WT_OK)
		return WT_OK;
	memory->worker = worker;
	memory->next = listening;
	listening = memory;
	return WT_OK;
}

static struct memory *listener_of(uint16_t port)
{
	for (struct memory *memory = listening; memory; memory = memory->next) {
		struct sockaddr_storage address;

		if (memory->host->config_sockaddr(memory->host, memory->cfg, "listen", 0,
						  &address) == WT_OK &&
		    ((struct sockaddr_in *)&address)->sin_port == port)
			return memory;
	}
	return NULL;
}

/* The side that is there makes the other one. False: nobody takes it. */
static bool meet(struct wt_memory_link *link, uint16_t port)
{
	struct memory *memory = listener_of(port);
	struct wt_memory_side *side;

	if (!memory)
		return false;
	side = side_new(link, 1, memory, memory->worker);
	if (!side)
		return false;
	side->connected = true;
	side->port = (uint16_t)(1024u + wt_memory_net.connected++ % 60000u);
	if (memory->host->link_accepted(memory->host, memory->worker, side, &side->core) == WT_OK)
		return true;
	side_free(side);
	return false;
}

static enum wt_status dial(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			   socklen_t remote_len, const struct wt_config *cfg, struct wt_link *conn,
			   void **tconn, struct wt_error *err)
{
	struct wt_memory_link *link = link_new();
	struct wt_memory_side *side = link ? side_new(link, 0, self, worker) : NULL;

	(void)remote_len;
	(void)cfg;
	if (!side) {
		if (link)
			link_drop(link);
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	}
	side->core = conn;
	side->port = ((const struct sockaddr_in *)remote)->sin_port;
	*tconn = side;
	if (!wt_memory_net.unreachable && !meet(link, side->port))
		end(side, "connection refused");
	else
		wake(side);
	return WT_OK;
}

static void close_side(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self;
	(void)worker;
	side_close(tconn, flags & WT_CLOSE_ABORT);
}

static enum wt_status send_records(void *self, struct wt_worker *worker, void *tconn,
				   const struct wt_record *records, size_t n, size_t *taken)
{
	struct memory *memory = self;
	struct wt_memory_side *side = tconn, *to = other(side);

	*taken = 0;
	if (side->ended)
		return WT_ERR_CLOSED;
	/* As a socket: what is written to nobody is lost. */
	while (*taken < n && !side->tx_slot && (!to || room_towards(to) > 0)) {
		const struct wt_record *record =
			(const struct wt_record *)((const uint8_t *)records +
						   *taken * records->struct_size);

		wt_store_be32(record->data - PREFIX, record->len);
		side->tx_slot = record->slot;
		side->tx_at = record->data - PREFIX;
		side->tx_left = PREFIX + record->len;
		(*taken)++;
		if (to) {
			(void)write_rest(side);
		} else {
			memory->host->slot_done(memory->host, worker, side->tx_slot);
			side->tx_slot = NULL;
		}
	}
	if (*taken < n)
		side->owes_writable = true;
	return WT_OK;
}

static enum wt_status nothing_now(struct wt_memory_side *side)
{
	side->told = false;
	/* A part of a record keeps its slot, as in transport-tcp. */
	if (side->rx_slot && side->arrived == 0) {
		side->memory->host->slot_done(side->memory->host, side->worker, side->rx_slot);
		side->rx_slot = NULL;
	}
	if (side->hung_up_arrived && side->arrived == side->len) {
		end(side, "closed by the other end");
		return WT_ERR_CLOSED;
	}
	return WT_AGAIN;
}

static enum wt_status recv_record(void *self, struct wt_worker *worker, void *tconn,
				  struct wt_record *records, size_t n, size_t *got)
{
	struct memory *memory = self;
	struct wt_memory_side *side = tconn;
	uint32_t len;

	(void)n;
	*got = 0;
	if (side->ended)
		return WT_ERR_CLOSED;
	if (wt_memory_net.recv_nothing)
		return WT_OK;
	if (side->arrived < PREFIX)
		return nothing_now(side);
	len = wt_load_be32(side->bytes);
	if (len < WT_MESSAGE_HEADER || len > side->max)
		return WT_ERR_LIMIT;
	if (side->max > WT_UNAUTHENTICATED_MAX && !side->rx_slot) {
		side->rx_slot = memory->host->slot_get(memory->host, worker);
		if (!side->rx_slot) {
			side->told = false;
			side->readable = true;
			memory->host->timer_set(memory->host, side->timer, 2);
			return WT_AGAIN;
		}
	}
	if (side->arrived - PREFIX < len)
		return nothing_now(side);
	records->data = side->rx_slot ? side->rx_slot->base + SLOT_RECORD : side->rx_small;
	records->len = len;
	records->slot = NULL;
	memcpy(records->data, side->bytes + PREFIX, len);
	eat(side, PREFIX + len);
	*got = 1;
	return WT_OK;
}

static void set_max_record(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	(void)self;
	(void)worker;
	((struct wt_memory_side *)tconn)->max = max < WT_RECORD_MAX ? max : WT_RECORD_MAX;
}

static uint32_t max_record(void *self, struct wt_worker *worker, void *tconn,
			   const struct wt_path *path)
{
	(void)self;
	(void)worker;
	(void)tconn;
	(void)path;
	return WT_RECORD_MAX;
}

static void source(void *self, struct wt_worker *worker, void *tconn, const struct wt_path *path,
		   struct wt_source *out)
{
	struct wt_memory_side *side = tconn;

	(void)self;
	(void)worker;
	(void)path;
	out->token_len = sizeof side->port;
	memcpy(out->token, &side->port, sizeof side->port);
	/* The test's connections share a source, everybody else has one. */
	out->prefix_len = 2;
	out->prefix[0] = other(side) && other(side)->memory ? out->token[0] : 0;
	out->prefix[1] = other(side) && other(side)->memory ? out->token[1] : 0;
	snprintf(out->text, sizeof out->text, "memory:%u",
		 side->index == 0 ? ntohs(side->port) : side->port);
}

const struct wt_plugin wt_memory_plugin = {
	WT_IN_PROCESS_PLUGIN,
	.name = "memory",
	.ops.transport = {
		.struct_size = sizeof(struct wt_transport_ops),
		.mode = WT_CHANNEL_STREAM,
		.headroom = PREFIX,
		.create = create,
		.destroy = destroy,
		.listen = listen_now,
		.dial = dial,
		.close = close_side,
		.send = send_records,
		.recv = recv_record,
		.set_max_record = set_max_record,
		.max_record = max_record,
		.source = source,
		.local_address = wt_in_process_local_address,
	},
};

/* ---- the test's hands ------------------------------------------------------ */

void wt_memory_reset(void)
{
	for (struct wt_memory_link *link = wt_memory_net.links, *next; link; link = next) {
		next = link->next;
		side_free(link->side[0]);
		side_free(link->side[1]);
		link_drop(link);
	}
	wt_memory_net = (struct wt_memory_net){ .room = ROOM };
}

void wt_memory_deliver(struct wt_memory_link *link, int to, size_t n)
{
	if (link->side[to])
		arrive(link->side[to], n);
}

void wt_memory_room(struct wt_memory_link *link, int to, size_t room)
{
	if (!link->side[to])
		return;
	link->side[to]->room = room;
	if (link->side[1 - to])
		wake(link->side[1 - to]);
}

size_t wt_memory_waiting(const struct wt_memory_link *link, int to)
{
	const struct wt_memory_side *side = link->side[to];

	return side ? side->len - side->arrived : 0;
}

void wt_memory_peek(const struct wt_memory_link *link, int to, void *out, size_t len)
{
	const struct wt_memory_side *side = link->side[to];

	memcpy(out, side->bytes + side->arrived, len);
}

void wt_memory_flip(struct wt_memory_link *link, int to, size_t at, uint8_t mask)
{
	struct wt_memory_side *side = link->side[to];

	if (side && at < side->len - side->arrived)
		side->bytes[side->arrived + at] ^= mask;
}

void wt_memory_inject(struct wt_memory_link *link, int to, const void *bytes, size_t len)
{
	if (link->side[to])
		put(link->side[to], bytes, len);
}

void wt_memory_cut(struct wt_memory_link *link)
{
	for (int i = 0; i < 2; i++) {
		struct wt_memory_side *side = link->side[i];

		if (!side)
			continue;
		side->len = side->arrived = 0;
		end(side, "connection reset by the other end");
	}
}

struct wt_memory_link *wt_memory_connect(uint16_t port)
{
	struct wt_memory_link *link = link_new();

	if (!link || !side_new(link, 0, NULL, NULL))
		abort();
	if (meet(link, htons(port)))
		return link;
	side_free(link->side[0]);
	link_drop(link);
	return NULL;
}

size_t wt_memory_read(struct wt_memory_link *link, void *out, size_t size)
{
	struct wt_memory_side *side = link->side[0];
	size_t n = side->arrived < size ? side->arrived : size;

	memcpy(out, side->bytes, n);
	if (n > 0)
		eat(side, n);
	return n;
}

void wt_memory_hang_up(struct wt_memory_link *link)
{
	side_close(link->side[0], false);
}

bool wt_memory_closed(const struct wt_memory_link *link)
{
	return !link->side[1];
}
