/* SPDX-License-Identifier: MIT */
#include "pipeline/transmit.h"

#include <linux/virtio_net.h>
#include <string.h>

#include "base/log.h"
#include "pipeline/piece.h"
#include "pipeline/tun_input.h"
#include "pipeline/tun_queue.h"
#include "record/carve.h"
#include "record/flow_hash.h"
#include "record/mss.h"
#include "record/packet.h"
#include "record/plan.h"
#include "record/too_big.h"
#include "session/lanes.h"
#include "session/life.h"
#include "session/node.h"
#include "session/output.h"
#include "session/peer.h"
#include "tun/flow.h"
#include "tun/tun.h"
#include "tun/way_back.h"

/* Read in one turn before the other direction has its turn. */
#define TURN_PACKETS 64
#define TURN_BYTES (256u * 1024u)
/* A peer is alone on the device if no other was sent to for this long: longer
 * than the pause of most who talk now and then, whose packets would overflow a
 * device that is not read. */
#define ALONE_MS 1000u

/* Messages that a packet is too large, for each peer: a sender needs one. */
#define TOO_BIG_PER_SECOND 20u
#define TOO_BIG_BURST 20u

static void note_peer(struct wt_worker *worker, const struct wt_peer *peer)
{
	struct wt_tun_queue *tun = &worker->tun;

	if (tun->last_peer != peer) {
		tun->other_peer_ms = tun->last_peer_ms;
		tun->last_peer = peer;
	}
	tun->last_peer_ms = worker->loop.now_ms;
}

static void count_flow(struct wt_worker *worker, const struct wt_buffer *buffer,
		       const struct wt_packet *ip)
{
	struct wt_flows *flows = worker->tun.flows;

	if (flows)
		wt_flow_count(
			wt_flow_of(flows, buffer->slot.base + WT_SLOT_PACKET, buffer->len, ip),
			buffer->len, worker->loop.now_ms);
}

static bool alone_on_device(const struct wt_worker *worker)
{
	return worker->loop.now_ms - worker->tun.other_peer_ms > ALONE_MS;
}

static void drop_head(struct wt_peer *peer, struct wt_queue *queue)
{
	struct wt_buffer *buffer = wt_queue_pop(queue);

	wt_drop_count(peer->worker, peer, WT_DROP_QUEUE_FULL);
	(void)wt_worker_slot_put(peer->worker, &buffer->slot);
}

/* For the time a packet may wait where a newer one does too: the last has
 * nothing behind it that it could delay. */
static bool head_is_old(const struct wt_worker *worker, const struct wt_queue *queue)
{
	return queue->head != queue->tail &&
	       worker->loop.now_ms - queue->head->queued_ms > WT_QUEUE_MS;
}

/* The newest packets are the useful ones: the head goes. */
static void bound(struct wt_peer *peer, struct wt_queue *queue)
{
	const struct wt_worker *worker = peer->worker;

	while (head_is_old(worker, queue) ||
	       (queue->head != queue->tail &&
		(queue->bytes > WT_QUEUE_BYTES || !wt_worker_has_plenty(worker))))
		drop_head(peer, queue);
}

static void enqueue(struct wt_peer *peer, struct wt_queue *queue, struct wt_buffer *buffer)
{
	wt_queue_push(queue, buffer, peer->worker->loop.now_ms);
	bound(peer, queue);
}

static void count_sealed(struct wt_peer *peer, uint8_t kind, size_t len)
{
	if (kind == WT_INNER_PARTIAL)
		peer->worker->offloads.sent_partial++;
	else if (kind == WT_INNER_SEGMENTS)
		peer->worker->offloads.sent_segments++;
	peer->counters.tx_packets++;
	peer->counters.tx_bytes += len;
}

static void seal_packet(struct wt_peer *peer, struct wt_buffer *buffer, const struct wt_plan *plan)
{
	uint32_t len = buffer->len;
	enum wt_drop drop = wt_output_packet(peer->active, buffer, plan->prefix, plan->prefix_len);

	if (drop != WT_DROP_NONE) {
		wt_drop_count(peer->worker, peer, drop);
		return;
	}
	count_sealed(peer, plan->prefix[0], len);
	wt_life_sent(peer->active);
}

/* Can a packet leave now? The transport may end the connection while it is
 * handed what is there. */
static bool link_takes_more(const struct wt_peer *peer)
{
	if (peer->active && !wt_output_ready(peer->active))
		wt_output_make_room(peer->active->link);
	return peer->active && wt_output_ready(peer->active);
}

/* A run that cannot travel as one record: its packets one by one, each in a
 * buffer of its own. Those that have to wait do so before all that came later. */
static void cut(struct wt_peer *peer, struct wt_plan *plan)
{
	struct wt_worker *worker = peer->worker;
	struct wt_queue waiting = { .head = NULL };
	struct wt_buffer *buffer;

	while ((buffer = wt_slot_get(&worker->slots)) != NULL) {
		buffer->len = (uint32_t)wt_piece_next(worker, &plan->segments,
						      buffer->slot.base + WT_SLOT_PACKET);
		if (buffer->len == 0)
			break;
		if (!waiting.head && link_takes_more(peer))
			seal_packet(peer, buffer, plan);
		else
			enqueue(peer, &waiting, buffer);
	}
	if (buffer)
		(void)wt_worker_slot_put(worker, &buffer->slot);
	else
		wt_drop_count(worker, peer, WT_DROP_QUEUE_FULL);
	wt_queue_prepend(&peer->queue, &waiting);
	bound(peer, &peer->queue);
}

static enum wt_drop seal_piece(struct wt_peer *peer, const uint8_t *text, size_t len)
{
	struct wt_conn *conn = peer->active;
	enum wt_drop drop = wt_output_piece(conn, text, len);

	if (drop != WT_DROP_QUEUE_FULL)
		return drop;
	/* The transport may end the connection. */
	wt_output_make_room(conn->link);
	return peer->active == conn ? wt_output_piece(conn, text, len) : WT_DROP_NO_SESSION;
}

/* The same over datagrams: its packets are made where it lies, and sealed to
 * runs of records. What finds no room is lost, as on any link that is full. */
static bool carve(struct wt_peer *peer, struct wt_buffer *buffer, const struct wt_plan *plan)
{
	struct wt_worker *worker = peer->worker;
	enum wt_drop drop = WT_DROP_NONE;
	struct wt_carve pieces;
	const uint8_t *text;
	size_t len;

	if (!peer->active->link->datagram ||
	    !wt_carve_start(&pieces, &plan->segments, buffer->slot.base + WT_SLOT_PACKET,
			    plan->prefix[0]))
		return false;
	while ((len = wt_carve_next(&pieces, &text)) > 0) {
		if (drop == WT_DROP_NONE)
			drop = seal_piece(peer, text, len);
		if (drop == WT_DROP_NONE)
			count_sealed(peer, plan->prefix[0], len - WT_CARVE_PREFIX);
		else
			wt_drop_count(worker, peer, drop);
	}
	worker->offloads.carved++;
	if (peer->active)
		wt_life_sent(peer->active);
	return true;
}

/* The sender hears that its packet does not fit, as a router would tell it. */
static void tell_too_large(struct wt_peer *peer, const struct wt_buffer *large)
{
	static const char bucket[] = "too big";
	struct wt_worker *worker = peer->worker;
	struct wt_buffer *buffer;

	if (!wt_node_rate_allow(peer->node, worker->loop.now_ms, peer->id, bucket, sizeof bucket,
				TOO_BIG_PER_SECOND, TOO_BIG_BURST))
		return;
	buffer = wt_slot_get(&worker->slots);
	if (!buffer)
		return;
	uint8_t *packet = buffer->slot.base + WT_SLOT_PACKET;
	size_t len = wt_too_big_build(packet, large->slot.base + WT_SLOT_PACKET, large->len,
				      wt_peer_mtu(peer));

	if (len > 0 && wt_tun_queue_write_complete(worker, packet, len))
		worker->offloads.too_big++;
	(void)wt_worker_slot_put(worker, &buffer->slot);
}

/* What a SYN offers is what its sender will be sent: through the tunnel, and
 * then on the way that leads back to it from here. */
static void clamp_syn(struct wt_peer *peer, struct wt_buffer *buffer, const struct wt_packet *ip,
		      bool partial)
{
	uint8_t *packet = buffer->slot.base + WT_SLOT_PACKET;
	uint32_t mtu = wt_peer_mtu(peer), back;

	if (!peer->node->settings->tunnel.mss_clamp || !wt_mss_is_syn(packet, buffer->len, ip))
		return;
	back = wt_way_back_mtu(ip->family, ip->source);
	if (back != 0 && back < mtu)
		mtu = back;
	if (wt_mss_clamp(packet, buffer->len, mtu, partial))
		peer->worker->offloads.clamped++;
}

/* Every link of IPv6 takes 1280 bytes; through one that does not, small packets
 * would pass and large ones vanish, for no sender believes that it has to send
 * less. */
static bool too_small_for_ipv6(const struct wt_conn *conn)
{
	return conn->path_record_max < WT_PATH_RECORD_BASE;
}

/* Bring the packet into the shape that the peer takes, and seal it. */
static void send_packet(struct wt_peer *peer, struct wt_buffer *buffer, const struct wt_packet *ip)
{
	struct wt_worker *worker = peer->worker;
	uint8_t *packet = buffer->slot.base + WT_SLOT_PACKET;
	struct wt_vnet vnet = wt_vnet_read(packet - WT_TUN_HEADER);
	struct wt_plan plan;

	if (ip->family == AF_INET6 && too_small_for_ipv6(peer->active)) {
		wt_drop_count(worker, peer, WT_DROP_SMALL_PATH);
		(void)wt_worker_slot_put(worker, &buffer->slot);
		return;
	}
	clamp_syn(peer, buffer, ip, vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
	wt_plan_make(&vnet, packet, buffer->len, ip, &peer->active->limits, &plan);
	switch (plan.way) {
	case WT_PLAN_FINISH:
		wt_vnet_finish(&vnet, packet, buffer->len);
		worker->offloads.finished++;
		seal_packet(peer, buffer, &plan);
		return;
	case WT_PLAN_SEND:
		seal_packet(peer, buffer, &plan);
		return;
	case WT_PLAN_CUT:
		if (carve(peer, buffer, &plan))
			break;
		worker->offloads.cut++;
		cut(peer, &plan);
		break;
	case WT_PLAN_DROP:
		if (plan.drop == WT_DROP_TOO_LARGE)
			tell_too_large(peer, buffer);
		wt_drop_count(worker, peer, plan.drop);
		break;
	}
	(void)wt_worker_slot_put(worker, &buffer->slot);
}

/* One that waited: its header is still in front of it. */
static void send_queued(struct wt_peer *peer)
{
	struct wt_buffer *buffer = wt_queue_pop(&peer->queue);
	struct wt_packet ip;
	enum wt_drop drop = wt_packet_parse(buffer->slot.base + WT_SLOT_PACKET, buffer->len, &ip);

	if (drop == WT_DROP_NONE) {
		send_packet(peer, buffer, &ip);
		return;
	}
	wt_drop_count(peer->worker, peer, drop);
	(void)wt_worker_slot_put(peer->worker, &buffer->slot);
}

/* To the worker whose the peer's session is. */
static void hand_over(struct wt_worker *worker, struct wt_peer *peer, unsigned to,
		      struct wt_buffer *buffer)
{
	/* What others keep of our buffers, the pool has more than (guests_max). */
	if (worker->slots.free_count > worker->spare_slots && wt_desk_hand(worker, to, buffer)) {
		worker->handoffs++;
		return;
	}
	worker->handoff_full++;
	wt_drop_count(worker, peer, WT_DROP_QUEUE_FULL);
	(void)wt_worker_slot_put(worker, &buffer->slot);
}

/* Whose is the packet, and on which of its connections? NULL: nobody's. */
static struct wt_peer *peer_for(struct wt_worker *worker, const struct wt_buffer *buffer,
				const struct wt_packet *packet)
{
	const struct wt_node *node = worker->node;
	uint32_t id = wt_allowed_ips_lookup(node->allowed_ips, packet->family, packet->destination);

	if (id >= node->peer_count)
		return NULL;
	if (node->lanes[id].count == 1)
		return &worker->peers[id];
	return wt_lanes_pick(worker, &node->lanes[id],
			     wt_flow_hash(buffer->slot.base + WT_SLOT_PACKET, buffer->len, packet));
}

/* One packet from a device, this worker's (`own`) or another's: to its peer. The
 * buffer is taken. */
static void route(struct wt_worker *worker, struct wt_buffer *buffer, bool own)
{
	struct wt_peer *peer = NULL;
	struct wt_packet packet;
	unsigned owner = worker->index;
	enum wt_drop drop =
		wt_packet_parse(buffer->slot.base + WT_SLOT_PACKET, buffer->len, &packet);

	if (drop == WT_DROP_NONE) {
		peer = peer_for(worker, buffer, &packet);
		if (!peer)
			drop = WT_DROP_NO_ROUTE;
	}
	if (peer)
		owner = wt_peer_owner(peer);
	if (drop == WT_DROP_NONE && owner == worker->index && !peer->active)
		drop = WT_DROP_NO_SESSION;
	if (drop != WT_DROP_NONE) {
		wt_drop_count(worker, peer, drop);
		(void)wt_worker_slot_put(worker, &buffer->slot);
		return;
	}
	if (own) {
		note_peer(worker, peer);
		count_flow(worker, buffer, &packet);
	}
	if (owner != worker->index) {
		hand_over(worker, peer, owner, buffer);
		return;
	}
	if (!peer->queue.head && link_takes_more(peer))
		send_packet(peer, buffer, &packet);
	else
		enqueue(peer, &peer->queue, buffer);
}

/* Does the device wait for the link of the peer that was sent to last? */
static bool link_holds_device(const struct wt_worker *worker)
{
	const struct wt_peer *peer = worker->tun.last_peer;

	return peer && peer->active && peer->active->link->blocked && !peer->active->link->stalled;
}

/* Everybody but a sole peer whose link is full is read for. */
static bool may_read(struct wt_worker *worker)
{
	if (link_holds_device(worker) && alone_on_device(worker))
		wt_tun_input_pause(worker, true);
	return !worker->tun.paused;
}

bool wt_transmit_turn(struct wt_worker *worker)
{
	struct wt_tun_queue *tun = &worker->tun;
	size_t bytes = 0;

	/* The link that held it may be gone. */
	if (tun->paused && !link_holds_device(worker))
		wt_tun_input_pause(worker, false);
	for (int i = 0; i < TURN_PACKETS && bytes < TURN_BYTES && may_read(worker); i++) {
		struct wt_buffer *buffer = wt_tun_input_next(worker);

		if (!buffer)
			break;
		bytes += buffer->len;
		route(worker, buffer, true);
	}
	wt_output_flush_all(worker);
	return wt_tun_input_waits(worker);
}

bool wt_transmit_handed(struct wt_worker *worker)
{
	struct wt_buffer *buffer;
	size_t bytes = 0;

	for (int i = 0; i < TURN_PACKETS && bytes < TURN_BYTES; i++) {
		buffer = wt_desk_next(worker);
		if (!buffer)
			break;
		bytes += buffer->len;
		route(worker, buffer, false);
	}
	wt_output_flush_all(worker);
	return wt_desk_waits(worker);
}

/* Seal what waits for the peer of `conn`, as far as its link takes it. */
static void send_waiting(struct wt_conn *conn, bool held)
{
	struct wt_peer *peer = conn->peer;

	while (peer->active == conn && peer->queue.head) {
		if (!wt_output_ready(conn))
			wt_output_make_room(conn->link);
		if (conn->closed || !wt_output_ready(conn))
			break;
		if (!held && head_is_old(conn->worker, &peer->queue))
			drop_head(peer, &peer->queue);
		else
			send_queued(peer);
	}
	wt_output_flush(conn->link);
}

/* Its packets wait as those do that are still in the device. */
static bool waits_with_device(const struct wt_worker *worker, const struct wt_peer *peer)
{
	return worker->tun.last_peer == peer && link_holds_device(worker) &&
	       alone_on_device(worker);
}

void wt_transmit_writable(struct wt_link *link)
{
	struct wt_worker *worker = link->worker;
	const struct wt_peer *last = worker->tun.last_peer;
	bool held = last && last->active && last->active->link == link &&
		    waits_with_device(worker, last);

	link->blocked = link->stalled = false;
	wt_output_flush(link);
	for (struct wt_conn *conn = link->conns, *next; conn && !link->closed; conn = next) {
		next = conn->next;
		if (conn->peer && conn->peer->active == conn)
			send_waiting(conn, held && conn->peer == last);
	}
	if (worker->tun.paused && last && last->active && last->active->link == link &&
	    !link->blocked)
		wt_tun_input_pause(worker, false);
}
