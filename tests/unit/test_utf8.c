/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/utf8.h"

static const struct {
	const char *text;
	size_t length; /* of the first character */
} cases[] = {
	/* The first and the last of each form of RFC 3629, section 4. */
	{ "\xc2\xa0", 2 },
	{ "\xdf\xbf", 2 },
	{ "\xe0\xa0\x80", 3 },
	{ "\xe1\x80\x80", 3 },
	{ "\xec\xbf\xbf", 3 },
	{ "\xed\x80\x80", 3 },
	{ "\xed\x9f\xbf", 3 },
	{ "\xee\x80\x80", 3 },
	{ "\xef\xbf\xbf", 3 },
	{ "\xf0\x90\x80\x80", 4 },
	{ "\xf1\x80\x80\x80", 4 },
	{ "\xf3\xbf\xbf\xbf", 4 },
	{ "\xf4\x8f\xbf\xbf", 4 },
	{ "\xc3\xa9\xff", 2 }, /* what follows is no matter */
	/* C1 controls. */
	{ "\xc2\x80", 0 },
	{ "\xc2\x9f", 0 },
	/* Overlong, a surrogate, beyond U+10FFFF. */
	{ "\xc0\xaf", 0 },
	{ "\xc1\xbf", 0 },
	{ "\xe0\x9f\xbf", 0 },
	{ "\xf0\x8f\xbf\xbf", 0 },
	{ "\xed\xa0\x80", 0 },
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xff", 0 },
	/* A byte that follows, alone; and cut short. */
	{ "\x80", 0 },
	{ "\xc3", 0 },
	{ "\xe1\x80", 0 },
	{ "\xf1\x80\x80", 0 },
	{ "\xc3(", 0 },
	{ "\xe1\x80(", 0 },
	{ "\xf1\x80\x80(", 0 },
	{ "\xc3\xc3", 0 },
};

static void length_of_a_character(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const size_t length = wt_utf8_length((const unsigned char *)cases[i].text);

		if (length != cases[i].length)
			fail_msg("case %zu: %zu, not %zu", i, length, cases[i].length);
		assert_int_equal(wt_utf8_is_printable(cases[i].text),
				 length > 0 && cases[i].text[length] == '\0');
	}
}

static void printable_text(void **state)
{
	(void)state;
	assert_true(wt_utf8_is_printable(""));
	assert_true(wt_utf8_is_printable(" ~*/\\\";$"));
	assert_true(wt_utf8_is_printable("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z"));
	assert_false(wt_utf8_is_printable("a\nb"));
	assert_false(wt_utf8_is_printable("a\tb"));
	assert_false(wt_utf8_is_printable("\x1b[2J"));
	assert_false(wt_utf8_is_printable("a\x7f"));
	assert_false(wt_utf8_is_printable("\xc3\xa9\xc2\x9b"));
}

static void what_cannot_be_shown_is_a_question_mark(void **state)
{
	static const struct {
		const char *text, *clean;
	} texts[] = {
		{ "", "" },
		{ "plain ~ text", "plain ~ text" },
		{ "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z",
		  "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z" },
		{ "\x1b[2J\x01\n\t\x7f", "?[2J????" },
		/* CSI, as one character of C1; and as one byte, which is none. */
		{ "a\xc2\x9b", "a??" },
		{ "\x9b\xc3\xa9", "?\xc3\xa9" },
		{ "cut\xe2\x82", "cut??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char text[64];

		snprintf(text, sizeof text, "%s", texts[i].text);
		wt_utf8_clean(text);
		assert_string_equal(text, texts[i].clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_of_a_character),
		cmocka_unit_test(printable_text),
		cmocka_unit_test(what_cannot_be_shown_is_a_question_mark),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
