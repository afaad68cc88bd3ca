/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

/* What may follow the first byte: the table of RFC 3629, section 4, and from
 * c2 80 to c2 9f nothing, the controls of C1. */
static const struct {
	unsigned char first, last, second_min, second_max;
	size_t len;
} forms[] = {
	{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

size_t wt_utf8_length(const unsigned char *p)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		size_t at = 2;

		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		while (at < forms[i].len && (p[at] & 0xc0) == 0x80)
			at++;
		return at == forms[i].len ? at : 0;
	}
	return 0;
}

/* The same for any character. */
static size_t length(const unsigned char *p)
{
	return *p < 0x80 ? *p >= 0x20 && *p != 0x7f : wt_utf8_length(p);
}

bool wt_utf8_is_printable(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t n = length(p);

		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

void wt_utf8_clean(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		size_t n = length(p);

		if (n == 0)
			*p = '?';
		p += n > 0 ? n : 1;
	}
}
