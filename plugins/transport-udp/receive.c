/* SPDX-License-Identifier: MIT
 *
 * Datagrams come in as runs, as long as the kernel puts them together, each
 * into its half of a slot; several with one call. The slots are held from the
 * first datagram until recv has said WT_AGAIN.
 */
#include "link.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <string.h>

#include "transport-common/address.h"
#include "transport-common/failure.h"

/* Where a region of a slot starts, so that the packet of its first record lies
 * at WT_SLOT_PACKET: record header | kind | packet. */
#define REGION_FRONT (WT_SLOT_PACKET - 1u - WT_RECORD_HEADER)
#define REGION_ALIGN 64u

_Static_assert(WT_SLOT_CAPACITY / WT_UDP_RECV_PER_SLOT / REGION_ALIGN * REGION_ALIGN -
			       REGION_FRONT >=
		       65535u,
	       "a region holds whatever one datagram can be");

void wt_udp_receiving_drop(struct wt_udp_link *link)
{
	const struct wt_host *host = link->udp->host;
	struct wt_udp_receiving *in = &link->in;

	while (in->slot_count > 0)
		host->slot_done(host, link->worker, in->slots[--in->slot_count]);
	in->next = in->count = 0;
	in->at = in->arrival.len = 0;
}

/* Nothing now: what was given out is no longer used by the core. */
static enum wt_status say_again(struct wt_udp_link *link)
{
	wt_udp_receiving_drop(link);
	return WT_AGAIN;
}

/* ---- giving out */

static bool same_remote(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port && a6->sin6_scope_id == b6->sin6_scope_id &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
}

/* Read message `i`. False: it is dropped and counted. */
static bool take(struct wt_udp_link *link, size_t i)
{
	const struct wt_udp_counters *counters = &link->udp->counters;
	struct wt_udp_receiving *in = &link->in;
	const struct msghdr *msg = &in->messages[i].msg_hdr;
	enum wt_udp_arrival_fate fate =
		wt_udp_arrival_read(msg, in->messages[i].msg_len, &in->arrival);
	uint32_t counter = 0;

	in->data = in->regions[i].iov_base;
	in->at = 0;
	if (fate == WT_UDP_TRUNCATED)
		counter = counters->truncated;
	else if (link->dialled && !same_remote(msg->msg_name, &link->peer))
		counter = counters->foreign;
	else if (fate == WT_UDP_SHORT)
		counter = counters->too_short;
	if (counter != 0) {
		wt_udp_link_count(link, counter, in->arrival.count);
		in->arrival.len = 0;
		return false;
	}
	if (in->arrival.shorter > 0)
		wt_udp_link_count(link, counters->too_short, in->arrival.shorter);
	if (in->arrival.count > 1) {
		wt_udp_link_count(link, counters->gro_receives, 1);
		wt_udp_link_count(link, counters->gro_segments, in->arrival.count);
	}
	if (link->dialled)
		memset(&in->arrival.path, 0, sizeof in->arrival.path);
	return true;
}

/* The next record or run of what is being given out. */
static void give(struct wt_udp_receiving *in, struct wt_record *record)
{
	uint32_t segment = in->arrival.segment, len = in->arrival.len - in->at;

	if (len > segment) {
		uint32_t most = WT_RUN_BYTES / segment;

		/* Newer kernels may put more together than a run may hold. */
		if (most > WT_RUN_SEGMENTS)
			most = WT_RUN_SEGMENTS;
		if (len > most * segment)
			len = most * segment;
	}
	record->data = in->data + in->at;
	record->len = len;
	record->segment = len > segment ? segment : 0;
	record->slot = NULL;
	record->path = in->arrival.path;
	in->at += len;
}

/* What is already here, up to n. */
static size_t give_out(struct wt_udp_link *link, struct wt_record *records, size_t n)
{
	struct wt_udp_receiving *in = &link->in;
	size_t stride = records->struct_size, got = 0;

	while (got < n) {
		if (in->at < in->arrival.len)
			give(in, (struct wt_record *)((uint8_t *)records + got++ * stride));
		else if (in->next == in->count)
			break;
		else
			(void)take(link, in->next++);
	}
	return got;
}

/* ---- receiving */

static size_t wanted_slots(const struct wt_udp_receiving *in)
{
	return in->small ? WT_UDP_RECV_SLOTS : WT_UDP_RECV_SLOTS_RUNS;
}

static bool have_room(struct wt_udp_link *link)
{
	struct wt_udp_receiving *in = &link->in;
	const struct wt_host *host = link->udp->host;

	while (in->slot_count < wanted_slots(in)) {
		struct wt_slot *slot = host->slot_get(host, link->worker);

		if (!slot)
			break;
		in->slots[in->slot_count++] = slot;
	}
	if (in->slot_count > 0)
		return true;
	/* The datagrams stay in the kernel; a pause, since a level-triggered watch
	 * would not let the loop sleep. */
	wt_udp_link_count(link, link->udp->counters.slot_waits, 1);
	in->waits_for_slot = true;
	wt_udp_link_watch(link);
	return false;
}

static unsigned prepare(struct wt_udp_receiving *in)
{
	unsigned n = 0;

	for (size_t s = 0; s < in->slot_count && s < wanted_slots(in); s++) {
		size_t size =
			in->slots[s]->capacity / WT_UDP_RECV_PER_SLOT / REGION_ALIGN * REGION_ALIGN;

		for (size_t part = 0; part < WT_UDP_RECV_PER_SLOT; part++, n++) {
			in->regions[n].iov_base = in->slots[s]->base + part * size + REGION_FRONT;
			in->regions[n].iov_len = size - REGION_FRONT;
			in->messages[n].msg_hdr = (struct msghdr){
				.msg_name = &in->names[n],
				.msg_namelen = sizeof in->names[n],
				.msg_iov = &in->regions[n],
				.msg_iovlen = 1,
				.msg_control = in->control[n],
				.msg_controllen = sizeof in->control[n],
			};
		}
	}
	return n;
}

static void learn(struct wt_udp_receiving *in, unsigned asked)
{
	size_t bytes = 0;

	for (size_t i = 0; i < in->count; i++)
		bytes += in->messages[i].msg_len;
	if (in->count == asked)
		in->small = bytes < asked * WT_UDP_RECV_SMALL;
	else if (bytes >= in->count * WT_UDP_RECV_SMALL)
		in->small = false;
}

/* One receive call. False: nothing came. */
static bool receive(struct wt_udp_link *link)
{
	struct wt_udp_receiving *in = &link->in;
	unsigned asked = prepare(in);
	int n = recvmmsg(link->fd, in->messages, asked, MSG_DONTWAIT, NULL);

	wt_udp_link_count(link, link->udp->counters.rx_calls, 1);
	in->next = 0;
	in->count = n > 0 ? (size_t)n : 0;
	/* Fewer than asked for: the kernel has no more, and the next recv need not
	 * ask. */
	in->drained = n >= 0 && (unsigned)n < asked;
	learn(in, asked);
	/* The note of an earlier datagram; those that came are still there. */
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		wt_udp_link_count(link, link->udp->counters.hints, 1);
	return n > 0;
}

enum wt_status wt_udp_link_recv(struct wt_udp_link *link, struct wt_record *records, size_t n,
				size_t *got)
{
	struct wt_udp_receiving *in = &link->in;

	*got = 0;
	if (n == 0)
		return WT_ERR_INVALID;
	*got = give_out(link, records, n);
	if (*got > 0)
		return WT_OK;
	if (in->drained) {
		in->drained = false;
		return say_again(link);
	}
	if (!have_room(link)) {
		link->udp->host->timer_set(link->udp->host, link->timer, WT_UDP_SLOT_PAUSE_MS);
		return WT_AGAIN;
	}
	if (receive(link))
		*got = give_out(link, records, n);
	return *got > 0 ? WT_OK : say_again(link);
}

/* ---- errors of the network */

static void tell(struct wt_udp_link *link, const struct sock_extended_err *error)
{
	const struct wt_host *host = link->udp->host;
	char who[WT_ADDRESS_TEXT], text[64];

	/* Our own were counted where they were made. */
	if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6)
		return;
	wt_udp_link_count(link, link->udp->counters.hints, 1);
	wt_address_text(&link->peer, who);
	host->log_limited(host, WT_LOG_INFO, "udp-hint",
			  "udp %s: the network says \"%s\"%s; still trying", who,
			  wt_socket_error_text((int)error->ee_errno, text, sizeof text),
			  error->ee_errno == ECONNREFUSED ? " (nobody listens there?)" : "");
}

void wt_udp_receiving_errors(struct wt_udp_link *link)
{
	for (unsigned i = 0; i < WT_UDP_ERRORS_PER_EVENT; i++) {
		_Alignas(struct cmsghdr) uint8_t control[256];
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof control };

		if (recvmsg(link->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		for (struct cmsghdr *header = CMSG_FIRSTHDR(&msg); header;
		     header = CMSG_NXTHDR(&msg, header)) {
			struct sock_extended_err error;

			if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
			    (header->cmsg_level == IPPROTO_IPV6 &&
			     header->cmsg_type == IPV6_RECVERR)) {
				memcpy(&error, CMSG_DATA(header), sizeof error);
				tell(link, &error);
			}
		}
	}
}
