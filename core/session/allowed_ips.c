/* SPDX-License-Identifier: MIT */
#include "session/allowed_ips.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/bytes.h"

/* An address, left-aligned: bit 0 is the top bit of hi. IPv4 fills 32 bits. */
struct key {
	uint64_t hi, lo;
};

/* A prefix, or a fork between two of them (peer is WT_PEER_NONE). A child's
 * prefix starts with its parent's and is longer; bits between the two lengths
 * that no fork asks about are compared, not branched on. */
struct node {
	struct key key; /* zero behind len */
	uint32_t child[2];
	uint32_t peer;
	uint8_t len;
};
_Static_assert(sizeof(struct node) == 32, "two to a cache line");

/* Nodes are indices into one array: half the size of pointers, and it can
 * grow. Index 0 is nobody. Unused nodes hang together by child[0]. */
#define NOBODY 0u
#define FIRST_CAPACITY 16u
#define LENGTH_MAX 128u

struct wt_allowed_ips {
	struct node *nodes;
	uint32_t capacity;
	uint32_t unused;
	uint32_t unused_count;
	uint32_t root[2]; /* IPv4, IPv6 */
	size_t count;
};

/* ---- keys ---------------------------------------------------------------- */

static bool key_load(uint8_t family, const uint8_t *address, struct key *out)
{
	switch (family) {
	case AF_INET:
		*out = (struct key){ .hi = (uint64_t)wt_load_be32(address) << 32 };
		return true;
	case AF_INET6:
		*out = (struct key){ wt_load_be64(address), wt_load_be64(address + 8) };
		return true;
	default:
		return false;
	}
}

/* The first `len` (0..128) bits of a key. */
static struct key key_cut(struct key key, unsigned len)
{
	if (len == 0)
		return (struct key){ 0, 0 };
	if (len <= 64)
		return (struct key){ key.hi & (UINT64_MAX << (64 - len)), 0 };
	return (struct key){ key.hi, key.lo & (UINT64_MAX << (128 - len)) };
}

static bool key_equal(struct key a, struct key b)
{
	return ((a.hi ^ b.hi) | (a.lo ^ b.lo)) == 0;
}

/* Bit i (0..127) of a key. */
static unsigned key_bit(struct key key, unsigned i)
{
	uint64_t half = i < 64 ? key.hi : key.lo;

	return (unsigned)(half >> (63 - i % 64)) & 1u;
}

/* How many leading bits two keys share, 0..128. */
static unsigned key_common(struct key a, struct key b)
{
	if (a.hi != b.hi)
		return (unsigned)__builtin_clzll(a.hi ^ b.hi);
	if (a.lo != b.lo)
		return 64u + (unsigned)__builtin_clzll(a.lo ^ b.lo);
	return LENGTH_MAX;
}

/* Does the node's prefix contain the key? */
static bool node_contains(const struct node *node, struct key key)
{
	return key_equal(node->key, key_cut(key, node->len));
}

static unsigned root_of(uint8_t family)
{
	return family == AF_INET6;
}

/* A prefix as a key; false unless it is a network of a family we know. */
static bool prefix_load(const struct wt_prefix *prefix, struct key *out)
{
	if (!key_load(prefix->family, prefix->bytes, out))
		return false;
	if (prefix->length > (prefix->family == AF_INET ? 32u : LENGTH_MAX))
		return false;
	return key_equal(*out, key_cut(*out, prefix->length));
}

/* ---- nodes --------------------------------------------------------------- */

/* Have `n` unused nodes, so that what follows cannot fail half-way. */
static enum wt_status reserve(struct wt_allowed_ips *table, uint32_t n)
{
	if (table->unused_count >= n)
		return WT_OK;
	if (table->capacity > UINT32_MAX / 2)
		return WT_ERR_NOMEM;
	uint32_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
	struct node *nodes = reallocarray(table->nodes, capacity, sizeof *nodes);

	if (!nodes)
		return WT_ERR_NOMEM;
	table->nodes = nodes;
	/* The lowest index last, so that nodes made together lie together. */
	for (uint32_t i = capacity; i-- > (table->capacity ? table->capacity : 1u);) {
		nodes[i].child[0] = table->unused;
		table->unused = i;
		table->unused_count++;
	}
	table->capacity = capacity;
	return WT_OK;
}

static uint32_t node_take(struct wt_allowed_ips *table, struct key key, unsigned len, uint32_t peer)
{
	uint32_t i = table->unused;

	table->unused = table->nodes[i].child[0];
	table->unused_count--;
	table->nodes[i] =
		(struct node){ .key = key_cut(key, len), .peer = peer, .len = (uint8_t)len };
	return i;
}

static void node_give(struct wt_allowed_ips *table, uint32_t i)
{
	table->nodes[i].child[0] = table->unused;
	table->unused = i;
	table->unused_count++;
}

/* Where node `i` keeps the child that leads to `key`. */
static uint32_t *child_slot(const struct wt_allowed_ips *table, uint32_t i, struct key key)
{
	struct node *node = &table->nodes[i];

	return &node->child[key_bit(key, node->len)];
}

/* ---- the table ----------------------------------------------------------- */

struct wt_allowed_ips *wt_allowed_ips_new(void)
{
	return calloc(1, sizeof(struct wt_allowed_ips));
}

void wt_allowed_ips_free(struct wt_allowed_ips *table)
{
	if (!table)
		return;
	free(table->nodes);
	free(table);
}

size_t wt_allowed_ips_count(const struct wt_allowed_ips *table)
{
	return table->count;
}

size_t wt_allowed_ips_nodes(const struct wt_allowed_ips *table)
{
	/* Without the one at index 0, which is nobody. */
	return table->capacity ? table->capacity - 1u - table->unused_count : 0;
}

enum wt_status wt_allowed_ips_insert(struct wt_allowed_ips *table, const struct wt_prefix *prefix,
				     uint32_t peer, uint32_t *owner)
{
	struct key key;
	unsigned len = prefix->length;

	if (peer == WT_PEER_NONE || !prefix_load(prefix, &key))
		return WT_ERR_INVALID;
	if (reserve(table, 2) != WT_OK)
		return WT_ERR_NOMEM;

	/* Down to the last node that contains the prefix. */
	uint32_t *slot = &table->root[root_of(prefix->family)];

	while (*slot != NOBODY && table->nodes[*slot].len < len &&
	       node_contains(&table->nodes[*slot], key))
		slot = child_slot(table, *slot, key);

	uint32_t below = *slot;

	if (below == NOBODY) {
		*slot = node_take(table, key, len, peer);
		table->count++;
		return WT_OK;
	}
	/* It does not contain the prefix, unless it is the prefix. */
	struct node *node = &table->nodes[below];
	unsigned common = key_common(node->key, key);

	if (common > len)
		common = len;
	if (common == len && node->len == len) {
		if (node->peer != WT_PEER_NONE && node->peer != peer) {
			if (owner)
				*owner = node->peer;
			return WT_ERR_LIMIT;
		}
		table->count += node->peer == WT_PEER_NONE;
		node->peer = peer;
		return WT_OK;
	}
	uint32_t made = node_take(table, key, len, peer);

	if (common == len) { /* the new prefix contains the node */
		*child_slot(table, made, node->key) = below;
		*slot = made;
	} else { /* they part at bit `common` */
		uint32_t fork = node_take(table, key, common, WT_PEER_NONE);

		*child_slot(table, fork, key) = made;
		*child_slot(table, fork, node->key) = below;
		*slot = fork;
	}
	table->count++;
	return WT_OK;
}

/* Take a node without a prefix of its own out of the trie, unless it still
 * parts two others. */
static bool prune(struct wt_allowed_ips *table, uint32_t *slot)
{
	uint32_t i = *slot;
	const struct node *node = &table->nodes[i];

	if (node->peer != WT_PEER_NONE || (node->child[0] != NOBODY && node->child[1] != NOBODY))
		return false;
	*slot = node->child[0] != NOBODY ? node->child[0] : node->child[1];
	node_give(table, i);
	return true;
}

bool wt_allowed_ips_remove(struct wt_allowed_ips *table, const struct wt_prefix *prefix,
			   uint32_t peer)
{
	struct key key;

	if (peer == WT_PEER_NONE || !prefix_load(prefix, &key))
		return false;
	uint32_t *parent = NULL;
	uint32_t *slot = &table->root[root_of(prefix->family)];

	while (*slot != NOBODY && table->nodes[*slot].len < prefix->length &&
	       node_contains(&table->nodes[*slot], key)) {
		parent = slot;
		slot = child_slot(table, *slot, key);
	}
	if (*slot == NOBODY)
		return false;
	struct node *node = &table->nodes[*slot];

	if (node->len != prefix->length || !key_equal(node->key, key) || node->peer != peer)
		return false;
	node->peer = WT_PEER_NONE;
	table->count--;
	if (prune(table, slot) && parent)
		(void)prune(table, parent); /* a fork that parts nothing now */
	return true;
}

/* Any peer but `peer` in the trie below and with node `top`. */
static uint32_t other_below(const struct wt_allowed_ips *table, uint32_t top, uint32_t peer)
{
	/* Each level is at least one bit longer, and leaves one sibling behind. */
	uint32_t stack[LENGTH_MAX + 2];
	size_t n = 0;

	stack[n++] = top;
	while (n > 0) {
		uint32_t i = stack[--n];

		if (i == NOBODY)
			continue;
		const struct node *node = &table->nodes[i];

		if (node->peer != WT_PEER_NONE && node->peer != peer)
			return node->peer;
		stack[n++] = node->child[1];
		stack[n++] = node->child[0];
	}
	return WT_PEER_NONE;
}

uint32_t wt_allowed_ips_overlap(const struct wt_allowed_ips *table, const struct wt_prefix *prefix,
				uint32_t peer)
{
	struct key key;

	if (!prefix_load(prefix, &key))
		return WT_PEER_NONE;
	uint32_t i = table->root[root_of(prefix->family)];

	while (i != NOBODY && table->nodes[i].len < prefix->length &&
	       node_contains(&table->nodes[i], key)) {
		uint32_t owner = table->nodes[i].peer;

		if (owner != WT_PEER_NONE && owner != peer)
			return owner;
		i = *child_slot(table, i, key);
	}
	if (i == NOBODY || !key_equal(key_cut(table->nodes[i].key, prefix->length), key))
		return WT_PEER_NONE;
	return other_below(table, i, peer);
}

uint32_t wt_allowed_ips_lookup(const struct wt_allowed_ips *table, uint8_t family,
			       const uint8_t *address)
{
	uint32_t best = WT_PEER_NONE;
	struct key key;

	if (!key_load(family, address, &key))
		return WT_PEER_NONE;
	unsigned bits = family == AF_INET ? 32u : LENGTH_MAX;
	uint32_t i = table->root[root_of(family)];

	while (i != NOBODY) {
		const struct node *node = &table->nodes[i];

		/* A fork need not be compared: on a wrong path every prefix
		 * below it fails the same bits. */
		if (node->peer != WT_PEER_NONE) {
			if (!node_contains(node, key))
				break;
			best = node->peer;
			if (node->len == bits)
				break;
		}
		i = node->child[key_bit(key, node->len)];
	}
	return best;
}

bool wt_allowed_ips_source_ok(const struct wt_allowed_ips *table, uint8_t family,
			      const uint8_t *source, uint32_t peer)
{
	return peer != WT_PEER_NONE && wt_allowed_ips_lookup(table, family, source) == peer;
}
