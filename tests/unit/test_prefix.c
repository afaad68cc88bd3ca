/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "config/prefix.h"

static struct wt_prefix prefix(const char *text)
{
	struct wt_prefix out = { .family = 0 };

	if (wt_prefix_parse(text, &out) != WT_OK)
		fail_msg("%s was refused", text);
	return out;
}

static void good_texts_survive_a_round_trip(void **state)
{
	static const struct {
		const char *text, *formatted, *network;
	} cases[] = {
		{ "10.8.0.0/24", "10.8.0.0/24", "10.8.0.0/24" },
		{ "10.8.0.77/24", "10.8.0.77/24", "10.8.0.0/24" },
		{ "10.8.0.77", "10.8.0.77/32", "10.8.0.77/32" },
		{ "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
		{ "255.255.255.255/0", "255.255.255.255/0", "0.0.0.0/0" },
		{ "255.255.255.255/1", "255.255.255.255/1", "128.0.0.0/1" },
		{ "255.255.255.255/15", "255.255.255.255/15", "255.254.0.0/15" },
		{ "255.255.255.255/31", "255.255.255.255/31", "255.255.255.254/31" },
		{ "fd00::1", "fd00::1/128", "fd00::1/128" },
		{ "FD00:0:0:1::/64", "fd00:0:0:1::/64", "fd00:0:0:1::/64" },
		{ "fd00::ffff/113", "fd00::ffff/113", "fd00::8000/113" },
		{ "ffff::/9", "ffff::/9", "ff80::/9" },
		{ "::/0", "::/0", "::/0" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
		  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_prefix p = prefix(cases[i].text);
		struct wt_prefix network = wt_prefix_network(&p);
		char text[WT_PREFIX_TEXT];

		assert_string_equal(wt_prefix_format(&p, text), cases[i].formatted);
		assert_string_equal(wt_prefix_format(&network, text), cases[i].network);
		assert_true(wt_prefix_is_network(&network));
		assert_int_equal(wt_prefix_is_network(&p),
				 strcmp(cases[i].formatted, cases[i].network) == 0);
	}
}

static void bad_texts_are_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/24",
		"10.8.0.0/",
		"10.8.0.0/33",
		"10.8.0.0/-1",
		"10.8.0.0/+1",
		"10.8.0.0/08",
		"10.8.0.0/ 8",
		"10.8.0.0/8 ",
		" 10.8.0.0/8",
		"10.8.0.0/8/8",
		"10.8.0.0/4294967304",
		"10.8.0/24",
		"10.8.0.256/24",
		"10.8.0.0.0/24",
		"010.8.0.0/24",
		"fd00::/129",
		"fd00:::1",
		"[fd00::1]",
		"fe80::1%lo",
		"example.net/24",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_prefix out = { .family = 99 };

		if (wt_prefix_parse(cases[i], &out) != WT_ERR_INVALID)
			fail_msg("\"%s\" was accepted", cases[i]);
		assert_int_equal(out.family, 99);
	}
}

static void contains_looks_at_exactly_length_bits(void **state)
{
	static const struct {
		const char *prefix, *address;
		int inside;
	} cases[] = {
		{ "10.8.0.0/24", "10.8.0.255", 1 },  { "10.8.0.0/24", "10.8.1.0", 0 },
		{ "10.8.0.0/23", "10.8.1.255", 1 },  { "10.8.0.0/23", "10.8.2.0", 0 },
		{ "10.8.0.4/30", "10.8.0.7", 1 },    { "10.8.0.4/30", "10.8.0.8", 0 },
		{ "10.8.0.1/32", "10.8.0.1", 1 },    { "10.8.0.1/32", "10.8.0.0", 0 },
		{ "0.0.0.0/0", "203.0.113.9", 1 },   { "0.0.0.0/0", "::1", 0 },
		{ "::/0", "203.0.113.9", 0 },	     { "::/0", "fd00::1", 1 },
		{ "fd00::/127", "fd00::1", 1 },	     { "fd00::/127", "fd00::2", 0 },
		{ "fd00::/64", "fd00:0:0:1::1", 0 }, { "128.0.0.0/1", "127.255.255.255", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_prefix p = prefix(cases[i].prefix), a = prefix(cases[i].address);

		if (wt_prefix_contains(&p, a.family, a.bytes) != cases[i].inside)
			fail_msg("%s in %s", cases[i].address, cases[i].prefix);
	}
}

static void overlap_is_containment_either_way(void **state)
{
	static const struct {
		const char *a, *b;
		int overlap;
	} cases[] = {
		{ "10.8.0.0/24", "10.8.0.0/24", 1 },
		{ "10.8.0.0/24", "10.8.0.7/32", 1 },
		{ "10.8.0.0/25", "10.8.0.128/25", 0 },
		{ "0.0.0.0/0", "10.8.0.1/32", 1 },
		{ "0.0.0.0/0", "::/0", 0 },
		{ "fd00::/8", "fdff::/16", 1 },
		{ "fd00::/64", "fd00:0:0:1::/64", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_prefix a = prefix(cases[i].a), b = prefix(cases[i].b);

		assert_int_equal(wt_prefix_overlaps(&a, &b), cases[i].overlap);
		assert_int_equal(wt_prefix_overlaps(&b, &a), cases[i].overlap);
	}
}

static void order_puts_a_prefix_before_what_it_contains(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0/0",   "10.0.0.0/8",  "10.8.0.0/16", "10.8.0.0/24",
		"10.8.0.1/32", "10.9.0.0/16", "::/0",	     "fd00::/8",
	};
	size_t n = sizeof sorted / sizeof sorted[0];

	(void)state;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			struct wt_prefix a = prefix(sorted[i]), b = prefix(sorted[k]);
			int order = wt_prefix_compare(&a, &b);

			assert_int_equal(order < 0, i < k);
			assert_int_equal(order > 0, i > k);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_texts_survive_a_round_trip),
		cmocka_unit_test(bad_texts_are_refused),
		cmocka_unit_test(contains_looks_at_exactly_length_bits),
		cmocka_unit_test(overlap_is_containment_either_way),
		cmocka_unit_test(order_puts_a_prefix_before_what_it_contains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
