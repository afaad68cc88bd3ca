/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/martians.h"

#define PEER 3u

static const struct {
	const char *address;
	uint32_t owner;
} cases[] = {
	{ "0.0.0.0", WT_PEER_NOBODY },
	{ "0.255.255.255", WT_PEER_NOBODY },
	{ "1.0.0.0", PEER },
	{ "126.255.255.255", PEER },
	{ "127.0.0.1", WT_PEER_NOBODY },
	{ "127.255.255.255", WT_PEER_NOBODY },
	{ "128.0.0.0", PEER },
	{ "169.254.0.1", PEER }, /* link-local: of this link */
	{ "223.255.255.255", PEER },
	{ "224.0.0.1", WT_PEER_NOBODY },
	{ "239.255.255.255", WT_PEER_NOBODY },
	{ "240.0.0.0", WT_PEER_NOBODY },
	{ "255.255.255.255", WT_PEER_NOBODY },
	{ "10.8.0.1", WT_PEER_NOBODY }, /* our own */
	{ "10.8.0.2", PEER },
	{ "::", WT_PEER_NOBODY },
	{ "::1", WT_PEER_NOBODY },
	{ "::2", PEER },
	{ "::ffff:0.0.0.0", WT_PEER_NOBODY },
	{ "::ffff:192.0.2.1", WT_PEER_NOBODY },
	{ "::fffe:192.0.2.1", PEER },
	{ "2001:db8::1", PEER },
	{ "fe80::1", PEER },
	{ "feff::1", PEER },
	{ "ff00::", WT_PEER_NOBODY },
	{ "ff02::1", WT_PEER_NOBODY },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", WT_PEER_NOBODY },
	{ "fd00::1", WT_PEER_NOBODY }, /* our own */
	{ "fd00::2", PEER },
};

static struct wt_allowed_ips *table_with(const char *const *prefixes, size_t n)
{
	static const char *const own[] = { "10.8.0.1/24", "fd00::1/64" };
	struct wt_allowed_ips *table = wt_allowed_ips_new();
	struct wt_prefix prefix, ours[2];

	assert_non_null(table);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(wt_prefix_parse(prefixes[i], &prefix), WT_OK);
		assert_int_equal(wt_allowed_ips_insert(table, &prefix, PEER, NULL), WT_OK);
	}
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(wt_prefix_parse(own[i], &ours[i]), WT_OK);
	assert_int_equal(wt_martians_reserve(table, ours, 2), WT_OK);
	return table;
}

static uint32_t owner_of(const struct wt_allowed_ips *table, const char *text)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		return wt_allowed_ips_lookup(table, AF_INET, address);
	assert_int_equal(inet_pton(AF_INET6, text, address), 1);
	return wt_allowed_ips_lookup(table, AF_INET6, address);
}

static void a_default_route_does_not_cover_them(void **state)
{
	static const char *const everything[] = { "0.0.0.0/0", "::/0" };
	struct wt_allowed_ips *table = table_with(everything, 2);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (owner_of(table, cases[i].address) != cases[i].owner)
			fail_msg("%s belongs to the wrong one", cases[i].address);
	wt_allowed_ips_free(table);
}

static void what_is_allowed_by_name_is_allowed(void **state)
{
	static const char *const named[] = { "224.0.0.0/4", "239.1.2.3", "ff00::/8" };
	struct wt_allowed_ips *table = table_with(named, 3);

	(void)state;
	assert_int_equal(owner_of(table, "224.0.0.5"), PEER);
	assert_int_equal(owner_of(table, "239.1.2.3"), PEER);
	assert_int_equal(owner_of(table, "ff02::5"), PEER);
	assert_int_equal(owner_of(table, "127.0.0.1"), WT_PEER_NOBODY);
	wt_allowed_ips_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_default_route_does_not_cover_them),
		cmocka_unit_test(what_is_allowed_by_name_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
