/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/allowed_ips.h"

/* "10.8.0.0/24" as a prefix, without the parser under test elsewhere. */
static struct wt_prefix prefix(const char *text)
{
	char address[64];
	struct wt_prefix p = { 0 };
	const char *slash = strchr(text, '/');

	assert_non_null(slash);
	assert_true((size_t)(slash - text) < sizeof address);
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	p.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	p.length = (uint8_t)strtoul(slash + 1, NULL, 10);
	assert_int_equal(inet_pton(p.family, address, p.bytes), 1);
	return p;
}

static uint32_t lookup(const struct wt_allowed_ips *table, const char *address)
{
	uint8_t bytes[16];
	uint8_t family = strchr(address, ':') ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, address, bytes), 1);
	return wt_allowed_ips_lookup(table, family, bytes);
}

static enum wt_status insert(struct wt_allowed_ips *table, const char *text, uint32_t peer)
{
	struct wt_prefix p = prefix(text);

	return wt_allowed_ips_insert(table, &p, peer, NULL);
}

static int setup(void **state)
{
	struct wt_allowed_ips *table = wt_allowed_ips_new();

	assert_non_null(table);
	*state = table;
	return 0;
}

static int teardown(void **state)
{
	wt_allowed_ips_free(*state);
	return 0;
}

static const struct {
	const char *prefix;
	uint32_t peer;
} owned[] = {
	{ "0.0.0.0/0", 0 },	   { "10.0.0.0/8", 1 },
	{ "10.8.0.0/16", 2 },	   { "10.8.0.0/24", 3 },
	{ "10.8.0.2/32", 4 },	   { "10.8.0.3/32", 5 },
	{ "10.8.1.0/24", 6 },	   { "128.0.0.0/1", 7 },
	{ "192.0.2.128/25", 8 },   { "fd00::/8", 10 },
	{ "fd00:1::/32", 11 },	   { "fd00:1::1/128", 12 },
	{ "fd00:1::2/127", 13 },   { "fd00:1:0:0:8000::/65", 14 },
	{ "fd00:1:0:1::/64", 15 }, { "255.255.255.255/32", 9 },
};

static const struct {
	const char *address;
	uint32_t peer;
} expected[] = {
	{ "1.2.3.4", 0 },
	{ "127.255.255.255", 0 },
	{ "0.0.0.0", 0 },
	{ "10.0.0.0", 1 },
	{ "10.255.255.255", 1 },
	{ "10.9.0.0", 1 },
	{ "10.8.2.1", 2 },
	{ "10.8.255.255", 2 },
	{ "10.8.0.0", 3 },
	{ "10.8.0.1", 3 },
	{ "10.8.0.2", 4 },
	{ "10.8.0.3", 5 },
	{ "10.8.0.4", 3 },
	{ "10.8.1.2", 6 },
	{ "11.0.0.0", 0 },
	{ "128.0.0.0", 7 },
	{ "192.0.2.127", 7 },
	{ "192.0.2.128", 8 },
	{ "192.0.2.255", 8 },
	{ "192.0.3.0", 7 },
	{ "255.255.255.254", 7 },
	{ "255.255.255.255", 9 },
	{ "fd00::1", 10 },
	{ "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10 },
	{ "fc00::1", WT_PEER_NONE },
	{ "fe00::", WT_PEER_NONE },
	{ "::", WT_PEER_NONE },
	{ "::1", WT_PEER_NONE },
	{ "::ffff:10.8.0.2", WT_PEER_NONE },
	{ "fd00:1::", 11 },
	{ "fd00:1::1", 12 },
	{ "fd00:1::2", 13 },
	{ "fd00:1::3", 13 },
	{ "fd00:1::4", 11 },
	{ "fd00:1:0:0:7fff:ffff:ffff:ffff", 11 },
	{ "fd00:1:0:0:8000::", 14 },
	{ "fd00:1:0:0:ffff:ffff:ffff:ffff", 14 },
	{ "fd00:1:0:1::", 15 },
	{ "fd00:1:0:2::", 11 },
	{ "fd00:2::", 10 },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void longest_prefix_wins_in_any_order(void **state)
{
	(void)state;
	for (size_t first = 0; first < COUNT(owned); first++) {
		struct wt_allowed_ips *table = wt_allowed_ips_new();

		assert_non_null(table);
		for (size_t i = 0; i < COUNT(owned); i++) {
			size_t k = (first + i * 5) % COUNT(owned); /* 5 and 16 are coprime */

			assert_int_equal(insert(table, owned[k].prefix, owned[k].peer), WT_OK);
		}
		assert_int_equal(wt_allowed_ips_count(table), COUNT(owned));
		for (size_t i = 0; i < COUNT(expected); i++)
			assert_int_equal(lookup(table, expected[i].address), expected[i].peer);
		wt_allowed_ips_free(table);
	}
}

static void an_empty_table_owns_nothing(void **state)
{
	struct wt_prefix p = prefix("0.0.0.0/0");

	assert_int_equal(lookup(*state, "10.0.0.1"), WT_PEER_NONE);
	assert_int_equal(lookup(*state, "::1"), WT_PEER_NONE);
	assert_false(wt_allowed_ips_remove(*state, &p, 1));
	assert_int_equal(wt_allowed_ips_overlap(*state, &p, 1), WT_PEER_NONE);
	assert_int_equal(wt_allowed_ips_nodes(*state), 0);
	assert_int_equal(wt_allowed_ips_lookup(*state, AF_UNSPEC, p.bytes), WT_PEER_NONE);
}

static void a_source_belongs_to_its_peer_alone(void **state)
{
	static const struct {
		const char *source;
		uint32_t peer;
		bool ok;
	} cases[] = {
		{ "10.8.0.2", 1, true },
		{ "10.8.0.2", 2, false },
		{ "10.8.0.3", 2, true },
		{ "10.8.0.3", 1, false },
		{ "10.8.0.4", 1, false },
		{ "127.0.0.1", 1, false },
		{ "224.0.0.1", 1, false },
		{ "fd00::2", 1, true },
		{ "fd00::3", 1, false },
		{ "::1", 1, false },
		{ "::ffff:10.8.0.2", 1, false },
		{ "ff02::1", 1, false },
		/* Nobody owns it, and "nobody" is no peer. */
		{ "10.8.0.4", WT_PEER_NONE, false },
	};

	assert_int_equal(insert(*state, "10.8.0.2/32", 1), WT_OK);
	assert_int_equal(insert(*state, "fd00::2/128", 1), WT_OK);
	assert_int_equal(insert(*state, "10.8.0.3/32", 2), WT_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t bytes[16];
		uint8_t family = strchr(cases[i].source, ':') ? AF_INET6 : AF_INET;

		assert_int_equal(inet_pton(family, cases[i].source, bytes), 1);
		assert_int_equal(wt_allowed_ips_source_ok(*state, family, bytes, cases[i].peer),
				 cases[i].ok);
	}
}

static void one_prefix_has_one_owner(void **state)
{
	struct wt_prefix p = prefix("10.8.0.0/24");
	uint32_t owner = 77;

	assert_int_equal(wt_allowed_ips_insert(*state, &p, 1, &owner), WT_OK);
	assert_int_equal(wt_allowed_ips_insert(*state, &p, 1, &owner), WT_OK);
	assert_int_equal(owner, 77);
	assert_int_equal(wt_allowed_ips_count(*state), 1);
	assert_int_equal(wt_allowed_ips_insert(*state, &p, 2, &owner), WT_ERR_LIMIT);
	assert_int_equal(owner, 1);
	assert_int_equal(wt_allowed_ips_insert(*state, &p, 2, NULL), WT_ERR_LIMIT);
	assert_int_equal(lookup(*state, "10.8.0.9"), 1);
	assert_false(wt_allowed_ips_remove(*state, &p, 2));
	assert_true(wt_allowed_ips_remove(*state, &p, 1));
	assert_int_equal(wt_allowed_ips_insert(*state, &p, 2, NULL), WT_OK);
	assert_int_equal(lookup(*state, "10.8.0.9"), 2);
}

static void a_fork_is_no_prefix(void **state)
{
	struct wt_prefix fork = prefix("10.8.0.0/24");

	/* These part at bit 24: the trie has a node 10.8.0.0/24 of nobody. */
	assert_int_equal(insert(*state, "10.8.0.0/25", 1), WT_OK);
	assert_int_equal(insert(*state, "10.8.0.128/25", 2), WT_OK);
	assert_false(wt_allowed_ips_remove(*state, &fork, 1));
	assert_false(wt_allowed_ips_remove(*state, &fork, WT_PEER_NONE));
	assert_int_equal(wt_allowed_ips_insert(*state, &fork, 3, NULL), WT_OK);
	assert_int_equal(wt_allowed_ips_count(*state), 3);
	assert_int_equal(lookup(*state, "10.8.0.1"), 1);
	assert_true(wt_allowed_ips_remove(*state, &fork, 3));
	assert_int_equal(lookup(*state, "10.8.0.129"), 2);
}

static void what_is_not_a_network_is_refused(void **state)
{
	struct wt_prefix p = prefix("10.8.0.1/24");
	struct wt_prefix q = prefix("fd00::1/64");
	struct wt_prefix r = prefix("10.8.0.0/24");

	assert_int_equal(wt_allowed_ips_insert(*state, &p, 1, NULL), WT_ERR_INVALID);
	assert_int_equal(wt_allowed_ips_insert(*state, &q, 1, NULL), WT_ERR_INVALID);
	assert_int_equal(wt_allowed_ips_insert(*state, &r, WT_PEER_NONE, NULL), WT_ERR_INVALID);
	r.length = 33;
	assert_int_equal(wt_allowed_ips_insert(*state, &r, 1, NULL), WT_ERR_INVALID);
	r.length = 24;
	r.family = AF_UNIX;
	assert_int_equal(wt_allowed_ips_insert(*state, &r, 1, NULL), WT_ERR_INVALID);
	assert_int_equal(wt_allowed_ips_count(*state), 0);
}

static void overlaps_name_the_other_peer(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t peer, other;
	} cases[] = {
		{ "10.8.0.0/24", 1, WT_PEER_NONE }, /* its own */
		{ "10.8.0.0/24", 2, 1 },	    /* equal */
		{ "10.8.0.0/25", 2, 1 },	    /* inside */
		{ "10.8.0.7/32", 2, 1 },
		{ "10.8.0.0/16", 2, 1 }, /* around */
		{ "0.0.0.0/0", 2, 1 },
		{ "10.8.1.0/24", 2, WT_PEER_NONE }, /* beside */
		{ "10.8.1.0/24", 1, WT_PEER_NONE },
		{ "172.16.0.0/12", 9, 3 }, /* two below a fork */
		{ "172.16.0.0/12", 3, 4 },
		{ "172.16.0.0/12", 4, 3 },
		{ "::/0", 9, 5 },
		{ "fd00::/64", 5, WT_PEER_NONE },
	};

	assert_int_equal(insert(*state, "10.8.0.0/24", 1), WT_OK);
	assert_int_equal(insert(*state, "172.16.1.0/24", 3), WT_OK);
	assert_int_equal(insert(*state, "172.31.1.0/24", 4), WT_OK);
	assert_int_equal(insert(*state, "fd00::/64", 5), WT_OK);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_prefix p = prefix(cases[i].prefix);

		assert_int_equal(wt_allowed_ips_overlap(*state, &p, cases[i].peer), cases[i].other);
	}
}

/* ---- against the plainest thing that can be right ------------------------ */

#define MODEL_MAX 400

struct model {
	struct wt_prefix prefix[MODEL_MAX];
	uint32_t peer[MODEL_MAX];
	size_t n;
};

static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* xorshift64: the same run every time. */
static uint32_t draw(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 33) % below;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		if (((a[i / 8] ^ b[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

/* Few distinct values a byte, so that prefixes nest and collide often. */
static void draw_address(uint8_t family, uint8_t bytes[16])
{
	static const uint8_t values[] = { 0x00, 0x01, 0x80, 0xff };

	memset(bytes, 0, 16);
	for (unsigned i = 0; i < (family == AF_INET ? 4u : 16u); i++)
		bytes[i] = values[draw(i < 2 ? 2 : 4)];
}

static struct wt_prefix draw_prefix(void)
{
	struct wt_prefix p = { .family = draw(2) ? AF_INET : AF_INET6 };
	unsigned max = p.family == AF_INET ? 32 : 128;

	draw_address(p.family, p.bytes);
	p.length = (uint8_t)draw(max + 1);
	for (unsigned i = p.length; i < 128; i++)
		p.bytes[i / 8] = (uint8_t)(p.bytes[i / 8] & ~(0x80u >> (i % 8)));
	return p;
}

static size_t model_find(const struct model *m, const struct wt_prefix *p)
{
	size_t i = 0;

	while (i < m->n && memcmp(&m->prefix[i], p, sizeof *p) != 0)
		i++;
	return i;
}

static uint32_t model_lookup(const struct model *m, uint8_t family, const uint8_t *address)
{
	uint32_t best = WT_PEER_NONE;
	int longest = -1;

	for (size_t i = 0; i < m->n; i++) {
		const struct wt_prefix *p = &m->prefix[i];

		if (p->family == family && p->length > longest &&
		    bits_equal(p->bytes, address, p->length)) {
			longest = p->length;
			best = m->peer[i];
		}
	}
	return best;
}

static bool model_overlaps(const struct model *m, const struct wt_prefix *p, uint32_t peer)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct wt_prefix *q = &m->prefix[i];
		unsigned len = p->length < q->length ? p->length : q->length;

		if (m->peer[i] != peer && p->family == q->family &&
		    bits_equal(p->bytes, q->bytes, len))
			return true;
	}
	return false;
}

static void model_step(struct model *m, struct wt_allowed_ips *table, bool grow)
{
	struct wt_prefix p = draw_prefix();
	uint32_t peer = draw(20);
	size_t at = model_find(m, &p);
	bool known = at < m->n;

	assert_int_equal(wt_allowed_ips_overlap(table, &p, peer) != WT_PEER_NONE,
			 model_overlaps(m, &p, peer));
	if (grow && m->n < MODEL_MAX) {
		uint32_t owner = WT_PEER_NONE;
		bool taken = known && m->peer[at] != peer;

		assert_int_equal(wt_allowed_ips_insert(table, &p, peer, &owner),
				 taken ? WT_ERR_LIMIT : WT_OK);
		assert_int_equal(owner, taken ? m->peer[at] : WT_PEER_NONE);
		if (!known) {
			m->prefix[m->n] = p;
			m->peer[m->n++] = peer;
		}
		return;
	}
	assert_int_equal(wt_allowed_ips_remove(table, &p, peer), known && m->peer[at] == peer);
	if (known && m->peer[at] == peer) {
		m->n--;
		m->prefix[at] = m->prefix[m->n];
		m->peer[at] = m->peer[m->n];
		at = m->n;
	}
	if (!grow && m->n > 0) { /* random prefixes are rarely in the table: take one that is */
		at = draw((uint32_t)m->n);
		assert_true(wt_allowed_ips_remove(table, &m->prefix[at], m->peer[at]));
		m->n--;
		m->prefix[at] = m->prefix[m->n];
		m->peer[at] = m->peer[m->n];
	}
}

static void random_tables_match_the_model(void **state)
{
	struct wt_allowed_ips *table = *state;
	static struct model m;

	for (int round = 0; round < 6000; round++) {
		model_step(&m, table, round / 1000 % 2 == 0);
		assert_int_equal(wt_allowed_ips_count(table), m.n);
		assert_true(wt_allowed_ips_nodes(table) <= 2 * m.n);
		for (int i = 0; i < 8; i++) {
			uint8_t family = draw(2) ? AF_INET : AF_INET6;
			uint8_t address[16];
			uint32_t peer;

			draw_address(family, address);
			peer = model_lookup(&m, family, address);
			assert_int_equal(wt_allowed_ips_lookup(table, family, address), peer);
		}
	}
	while (m.n > 0)
		model_step(&m, table, false);
	assert_int_equal(wt_allowed_ips_nodes(table), 0);
	for (int i = 0; i < 100; i++) {
		struct wt_prefix p = draw_prefix();

		assert_int_equal(wt_allowed_ips_lookup(table, p.family, p.bytes), WT_PEER_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(longest_prefix_wins_in_any_order),
		cmocka_unit_test_setup_teardown(an_empty_table_owns_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_source_belongs_to_its_peer_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_prefix_has_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fork_is_no_prefix, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_a_network_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(overlaps_name_the_other_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(random_tables_match_the_model, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
