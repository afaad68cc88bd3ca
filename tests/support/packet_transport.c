/* SPDX-License-Identifier: MIT */
#include "support/packet_transport.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "support/in_process.h"

#define INBOX_MAX 4096u
#define FIRST_PORT 20000u
#define NATS_MAX 8u

struct packets {
	const struct wt_host *host;
	const struct wt_config *cfg;
};

struct packet_socket {
	struct packets *packets;
	struct wt_worker *worker;
	struct wt_link *core;
	struct wt_timer *timer;
	struct packet_socket *next;
	uint16_t port, remote; /* remote 0: it listens */
	bool connected, owes_writable;
	bool told; /* link_readable, and recv has not said WT_AGAIN since */
	struct wt_datagram *head, *tail;
	size_t waiting;
	uint8_t *run; /* what recv gave last */
	size_t run_size;
};

struct wt_packet_net wt_packet_net = { .link_max = 1472, .path_max = WT_PACKET_MAX_DATAGRAM };
static struct packet_socket *sockets; /* the newest first */
static uint16_t last_port = FIRST_PORT;
static struct {
	uint16_t port, seen;
} nats[NATS_MAX];

/* ---- the network ------------------------------------------------------------ */

static uint16_t seen_port(uint16_t port)
{
	for (size_t i = 0; i < NATS_MAX; i++)
		if (nats[i].port == port && nats[i].seen)
			return nats[i].seen;
	return port;
}

static uint16_t real_port(uint16_t seen)
{
	for (size_t i = 0; i < NATS_MAX; i++)
		if (nats[i].seen == seen && seen)
			return nats[i].port;
	/* Behind a NAT that changed, the old way in is closed. */
	for (size_t i = 0; i < NATS_MAX; i++)
		if (nats[i].port == seen && nats[i].seen)
			return 0;
	return seen;
}

enum wt_packet_kind wt_packet_kind(const struct wt_datagram *datagram)
{
	if (datagram->len < WT_MESSAGE_HEADER)
		return WT_PACKET_OTHER;
	if (datagram->bytes[0] == WT_TYPE_DATA)
		return WT_PACKET_DATA;
	if (datagram->bytes[0] != WT_TYPE_HANDSHAKE || datagram->bytes[3] < 1 ||
	    datagram->bytes[3] > 4)
		return WT_PACKET_OTHER;
	return (enum wt_packet_kind)(datagram->bytes[3] - 1);
}

static struct wt_datagram *datagram_new(uint16_t from, uint16_t to, const void *bytes, size_t len)
{
	struct wt_datagram *datagram = malloc(sizeof *datagram + len);

	if (!datagram)
		abort();
	*datagram = (struct wt_datagram){ .from = from, .to = to, .len = (uint32_t)len };
	memcpy(datagram->bytes, bytes, len);
	return datagram;
}

static void wake(struct packet_socket *socket)
{
	socket->packets->host->timer_set(socket->packets->host, socket->timer, 0);
}

/* Takes it. */
static void arrive(struct wt_datagram *datagram)
{
	uint16_t port = real_port(datagram->to);

	datagram->next = NULL;
	for (struct packet_socket *s = sockets; s; s = s->next) {
		if (s->port != port || (s->remote && s->remote != datagram->from) ||
		    s->waiting == INBOX_MAX || datagram->len > wt_packet_net.path_max)
			continue;
		if (s->tail)
			s->tail->next = datagram;
		else
			s->head = datagram;
		s->tail = datagram;
		s->waiting++;
		wt_packet_net.arrived++;
		wake(s);
		return;
	}
	wt_packet_net.nowhere++;
	free(datagram);
}

static void wait_for_release(struct wt_datagram *datagram)
{
	struct wt_datagram **at = &wt_packet_net.later;

	while (*at)
		at = &(*at)->next;
	datagram->next = NULL;
	*at = datagram;
	wt_packet_net.later_count++;
}

static void send_one(const struct packet_socket *socket, uint16_t to, const uint8_t *bytes,
		     size_t len)
{
	struct wt_datagram *datagram = datagram_new(seen_port(socket->port), to, bytes, len);
	enum wt_fate fate = WT_FATE_ARRIVES;

	wt_packet_net.sent++;
	wt_packet_net.sent_kind[wt_packet_kind(datagram)]++;
	wt_packet_net.bytes_sent += len;
	if (wt_packet_net.fate)
		fate = wt_packet_net.fate(wt_packet_net.arg, datagram);
	switch (fate) {
	case WT_FATE_LOST:
		free(datagram);
		break;
	case WT_FATE_LATER:
		wait_for_release(datagram);
		break;
	case WT_FATE_TWICE:
		arrive(datagram_new(datagram->from, datagram->to, datagram->bytes, datagram->len));
		arrive(datagram);
		break;
	case WT_FATE_ARRIVES:
		arrive(datagram);
		break;
	}
}

/* ---- the plugin ------------------------------------------------------------- */

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct packets *packets = calloc(1, sizeof *packets);

	if (!packets)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	*packets = (struct packets){ .host = host, .cfg = cfg };
	*self = packets;
	return WT_OK;
}

static void destroy(void *self)
{
	free(self);
}

static bool full(const struct packet_socket *socket)
{
	return wt_packet_net.full || wt_packet_net.full_at == socket->port;
}

/* The core may close inside each report, so each is the last of its turn. */
static void on_timer(void *arg, struct wt_worker *worker)
{
	struct packet_socket *socket = arg;
	const struct wt_host *host = socket->packets->host;

	if (!socket->connected) {
		socket->connected = true;
		wake(socket);
		host->link_connected(host, worker, socket->core);
		return;
	}
	if (socket->owes_writable && !full(socket)) {
		socket->owes_writable = false;
		wake(socket);
		host->link_writable(host, worker, socket->core);
		return;
	}
	if (socket->head && !socket->told) {
		socket->told = true;
		wt_packet_net.reports++;
		host->link_readable(host, worker, socket->core);
	}
}

static struct packet_socket *socket_new(struct packets *packets, struct wt_worker *worker,
					uint16_t port, uint16_t remote)
{
	struct packet_socket *socket = calloc(1, sizeof *socket);

	if (!socket)
		return NULL;
	socket->packets = packets;
	socket->worker = worker;
	socket->port = port;
	socket->remote = remote;
	socket->timer = packets->host->timer_new(packets->host, worker, on_timer, socket);
	if (!socket->timer) {
		free(socket);
		return NULL;
	}
	socket->next = sockets;
	sockets = socket;
	wt_packet_net.socket_count++;
	return socket;
}

static void socket_free(struct packet_socket *socket)
{
	struct packet_socket **at = &sockets;

	while (*at != socket)
		at = &(*at)->next;
	*at = socket->next;
	wt_packet_net.socket_count--;
	while (socket->head) {
		struct wt_datagram *datagram = socket->head;

		socket->head = datagram->next;
		free(datagram);
	}
	free(socket->run);
	socket->packets->host->timer_free(socket->packets->host, socket->timer);
	free(socket);
}

static enum wt_status listen_now(void *self, struct wt_worker *worker, struct wt_error *err)
{
	struct packets *packets = self;
	const struct wt_host *host = packets->host;
	struct sockaddr_storage address;

	for (size_t i = 0;
	     host->config_sockaddr(host, packets->cfg, "listen", i, &address) == WT_OK; i++) {
		uint16_t port = ntohs(((struct sockaddr_in *)&address)->sin_port);
		struct packet_socket *socket = socket_new(packets, worker, port, 0);

		if (!socket)
			return wt_fail(err, WT_ERR_NOMEM, "out of memory");
		socket->connected = true;
		if (host->link_accepted(host, worker, socket, &socket->core) != WT_OK) {
			socket_free(socket);
			return wt_fail(err, WT_ERR_NOMEM, "the core takes no socket");
		}
	}
	return WT_OK;
}

static enum wt_status dial(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			   socklen_t remote_len, const struct wt_config *cfg, struct wt_link *link,
			   void **tconn, struct wt_error *err)
{
	struct packet_socket *socket = socket_new(
		self, worker, ++last_port, ntohs(((const struct sockaddr_in *)remote)->sin_port));

	(void)remote_len;
	(void)cfg;
	if (!socket)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	socket->core = link;
	*tconn = socket;
	wake(socket);
	return WT_OK;
}

static void close_socket(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self;
	(void)worker;
	(void)flags;
	socket_free(tconn);
}

static void send_run(const struct packet_socket *socket, const struct wt_record *record)
{
	uint16_t to = socket->remote ? socket->remote : wt_load_be16(record->path.bytes);
	uint32_t step = record->segment ? record->segment : record->len;

	for (uint32_t at = 0; at < record->len; at += step) {
		uint32_t len = record->len - at < step ? record->len - at : step;

		if (wt_packet_net.no_route)
			wt_packet_net.nowhere++;
		else if (len > wt_packet_net.link_max)
			wt_packet_net.too_large++;
		else
			send_one(socket, to, record->data + at, len);
	}
}

static enum wt_status send_records(void *self, struct wt_worker *worker, void *tconn,
				   const struct wt_record *records, size_t n, size_t *taken)
{
	struct packets *packets = self;
	struct packet_socket *socket = tconn;

	for (*taken = 0; *taken < n && !full(socket); (*taken)++) {
		const struct wt_record *record =
			(const struct wt_record *)((const uint8_t *)records +
						   *taken * records->struct_size);

		send_run(socket, record);
		packets->host->slot_done(packets->host, worker, record->slot);
	}
	if (*taken < n)
		socket->owes_writable = true;
	return WT_OK;
}

static enum wt_status answer(void *self, struct wt_worker *worker, void *tconn,
			     const struct wt_path *path, const uint8_t *message, size_t len)
{
	(void)self;
	(void)worker;
	if (!wt_packet_net.apart)
		return WT_ERR_UNSUPPORTED;
	if (wt_packet_net.apart_full)
		return WT_AGAIN;
	wt_packet_net.answered++;
	send_one(tconn, wt_load_be16(path->bytes), message, len);
	return WT_OK;
}

static struct wt_datagram *take(struct packet_socket *socket)
{
	struct wt_datagram *datagram = socket->head;

	socket->head = datagram->next;
	if (!socket->head)
		socket->tail = NULL;
	socket->waiting--;
	return datagram;
}

/* Can the next one go behind what is in the run? */
static bool joins(const struct packet_socket *socket, const struct wt_record *record, uint16_t from,
		  uint32_t last_len)
{
	const struct wt_datagram *next = socket->head;
	uint32_t segment = record->segment;

	return wt_packet_net.coalesce && next && next->from == from && last_len == segment &&
	       next->len <= segment && record->len + next->len <= WT_RUN_BYTES &&
	       record->len / segment < WT_RUN_SEGMENTS;
}

static void make_room(struct packet_socket *socket, size_t size)
{
	if (socket->run && size <= socket->run_size)
		return;
	socket->run = realloc(socket->run, size + 1);
	if (!socket->run)
		abort();
	socket->run_size = size;
}

static enum wt_status recv_records(void *self, struct wt_worker *worker, void *tconn,
				   struct wt_record *records, size_t n, size_t *got)
{
	struct packet_socket *socket = tconn;
	uint16_t from;
	uint32_t last_len;

	(void)self;
	(void)worker;
	(void)n;
	*got = 0;
	if (!socket->head) {
		socket->told = false;
		return WT_AGAIN;
	}
	records->len = 0;
	records->slot = NULL;
	records->segment = socket->head->len;
	from = socket->head->from;
	do {
		struct wt_datagram *datagram = take(socket);

		make_room(socket, records->len + datagram->len);
		memcpy(socket->run + records->len, datagram->bytes, datagram->len);
		records->len += datagram->len;
		last_len = datagram->len;
		free(datagram);
	} while (joins(socket, records, from, last_len));
	records->data = socket->run;
	if (records->len == records->segment)
		records->segment = 0;
	records->path = (struct wt_path){ .bytes = { 0 } };
	if (!socket->remote) {
		wt_store_be16(records->path.bytes, from);
		wt_store_be16(records->path.bytes + 2, socket->port);
	}
	*got = 1;
	return WT_OK;
}

static uint32_t max_record(void *self, struct wt_worker *worker, void *tconn,
			   const struct wt_path *path)
{
	(void)self;
	(void)worker;
	(void)tconn;
	(void)path;
	return wt_packet_net.no_route ? 0 : wt_packet_net.link_max;
}

static void source(void *self, struct wt_worker *worker, void *tconn, const struct wt_path *path,
		   struct wt_source *out)
{
	const struct packet_socket *socket = tconn;
	uint16_t remote = path ? wt_load_be16(path->bytes) : socket->remote;

	(void)self;
	(void)worker;
	wt_store_be16(out->token, remote);
	out->token_len = 2;
	wt_store_be16(out->prefix, remote);
	out->prefix_len = 2;
	snprintf(out->text, sizeof out->text, "packets:%u", remote ? remote : socket->port);
}

static void set_max_record(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	(void)self;
	(void)worker;
	(void)tconn;
	(void)max;
}

const struct wt_plugin wt_packet_plugin = {
	WT_IN_PROCESS_PLUGIN,
	.name = "packets",
	.ops.transport = {
		.struct_size = sizeof(struct wt_transport_ops),
		.mode = WT_CHANNEL_DATAGRAM,
		.overhead_ipv4 = 28,
		.overhead_ipv6 = 48,
		.create = create,
		.destroy = destroy,
		.listen = listen_now,
		.dial = dial,
		.close = close_socket,
		.send = send_records,
		.recv = recv_records,
		.set_max_record = set_max_record,
		.max_record = max_record,
		.source = source,
		.local_address = wt_in_process_local_address,
		.answer = answer,
	},
};

/* ---- the test's hands --------------------------------------------------------- */

void wt_packets_reset(void)
{
	while (wt_packet_net.later)
		wt_packets_release(false);
	wt_packet_net = (struct wt_packet_net){ .link_max = 1472,
						.path_max = WT_PACKET_MAX_DATAGRAM,
						.socket_count = wt_packet_net.socket_count };
	memset(nats, 0, sizeof nats);
	last_port = FIRST_PORT;
}

void wt_packets_inject(uint16_t from, uint16_t to, const void *bytes, size_t len)
{
	arrive(datagram_new(from, to, bytes, len));
}

void wt_packets_release(bool arrives)
{
	struct wt_datagram *datagram = wt_packet_net.later;

	if (!datagram)
		return;
	wt_packet_net.later = datagram->next;
	wt_packet_net.later_count--;
	if (arrives)
		arrive(datagram);
	else
		free(datagram);
}

void wt_packets_release_all(bool reversed)
{
	struct wt_datagram *list = wt_packet_net.later, *back = NULL;

	wt_packet_net.later = NULL;
	wt_packet_net.later_count = 0;
	while (reversed && list) {
		struct wt_datagram *next = list->next;

		list->next = back;
		back = list;
		list = next;
	}
	if (reversed)
		list = back;
	while (list) {
		struct wt_datagram *next = list->next;

		arrive(list);
		list = next;
	}
}

void wt_packets_rebind(uint16_t port, uint16_t seen)
{
	size_t free_at = 0;

	for (size_t i = 0; i < NATS_MAX; i++)
		if (nats[i].port == port || !nats[i].port)
			free_at = i;
	for (size_t i = 0; i < NATS_MAX; i++)
		if (nats[i].port == port)
			free_at = i;
	nats[free_at].port = port;
	nats[free_at].seen = seen;
}

uint16_t wt_packets_last_port(void)
{
	return last_port;
}

void wt_packets_drain(void)
{
	wt_packet_net.full = false;
	wt_packet_net.full_at = 0;
	for (struct packet_socket *s = sockets; s; s = s->next)
		wake(s);
}
