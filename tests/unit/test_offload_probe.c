/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/netns.h"
#include "tun/offload.h"

static void sets_have_names(void **state)
{
	static const struct {
		uint32_t set;
		const char *text;
	} cases[] = {
		{ 0, "none" },
		{ WT_OFFLOAD_CSUM, "checksum" },
		{ WT_OFFLOAD_CSUM | WT_OFFLOAD_TSO6, "checksum, TCP segments" },
		{ WT_OFFLOAD_ALL, "checksum, TCP segments, UDP segments" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(wt_offload_text(cases[i].set, text, sizeof text),
				    cases[i].text);
}

static void nothing_wanted_nothing_tried(void **state)
{
	(void)state;
	assert_int_equal(wt_offload_probe(0, NULL), 0);
}

static void what_is_not_wanted_is_not_promised(void **state)
{
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_int_equal(wt_offload_probe(WT_OFFLOAD_CSUM, &err), WT_OFFLOAD_CSUM);
	assert_int_equal(wt_offload_probe(WT_OFFLOAD_ALL, &err) &
				 (WT_OFFLOAD_CSUM | WT_OFFLOAD_TSO4),
			 WT_OFFLOAD_CSUM | WT_OFFLOAD_TSO4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_have_names),
		cmocka_unit_test(nothing_wanted_nothing_tried),
		cmocka_unit_test(what_is_not_wanted_is_not_promised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
