/* SPDX-License-Identifier: MIT */
#include "tun/flow.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static uint32_t read_u32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof value);
	return value;
}

static bool is_fragment(const uint8_t *data)
{
	return (data[6] & 0x3f) != 0 || data[7] != 0;
}

/* Where the ports are, or 0: not TCP or UDP directly behind the header, or a
 * fragment, whose siblings have none. */
static size_t ports_at(const uint8_t *data, size_t len, const struct wt_packet *ip,
		       uint8_t *protocol)
{
	size_t at = 40;

	*protocol = data[6];
	if (ip->family == AF_INET) {
		*protocol = data[9];
		at = is_fragment(data) ? len : (size_t)(data[0] & 15) * 4;
	}
	return (*protocol == IPPROTO_TCP || *protocol == IPPROTO_UDP) && at + 4 <= len ? at : 0;
}

/* Each bit of the result depends on each bit given: the finisher of MurmurHash3
 * (Austin Appleby, public domain). */
static uint32_t spread(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85ebca6bu;
	h = (h ^ h >> 13) * 0xc2b2ae35u;
	return h ^ h >> 16;
}

struct wt_flow *wt_flow_of(struct wt_flows *flows, const uint8_t *data, size_t len,
			   const struct wt_packet *ip)
{
	size_t words = ip->family == AF_INET ? 1 : 4;
	uint8_t protocol;
	size_t ports = ports_at(data, len, ip, &protocol);
	uint32_t hash = protocol;

	/* Sums, since both directions must be alike. */
	for (size_t i = 0; i < words; i++)
		hash = hash * 31 + read_u32(ip->source + 4 * i) + read_u32(ip->destination + 4 * i);
	hash = spread(hash);
	if (ports)
		hash += (uint32_t)(data[ports] << 8 | data[ports + 1]) +
			(uint32_t)(data[ports + 2] << 8 | data[ports + 3]);
	return &flows->bucket[spread(hash) % WT_FLOW_BUCKETS];
}

void wt_flow_count(struct wt_flow *flow, size_t len, uint64_t now_ms)
{
	uint32_t window = (uint32_t)(now_ms / WT_FLOW_WINDOW_MS);

	if (flow->window != window) {
		flow->window = window;
		flow->bytes = 0;
	}
	if (flow->bytes <= WT_FLOW_BULK_BYTES)
		flow->bytes += (uint32_t)len;
	if (flow->bytes > WT_FLOW_BULK_BYTES)
		flow->bulk_until_ms = now_ms + WT_FLOW_IDLE_MS;
}

bool wt_flow_is_bulk(struct wt_flow *flow, uint64_t now_ms)
{
	if (now_ms >= flow->bulk_until_ms) {
		flow->moved = false;
		return false;
	}
	flow->bulk_until_ms = now_ms + WT_FLOW_IDLE_MS;
	return true;
}
