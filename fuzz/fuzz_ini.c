/* SPDX-License-Identifier: MIT
 *
 * fuzz_ini.c: no line of an INI file is lost: each is blank, a comment,
 * understood, named in a problem, or below a section header that is.
 */
#include <string.h>

#include "config/ini.h"
#include "fuzz.h"

static bool has_problem(const struct wt_problems *problems, int line)
{
	for (size_t i = 0; i < problems->count; i++)
		if (problems->items[i].line == line)
			return true;
	return false;
}

static bool is_understood(const struct wt_ini *ini, int line)
{
	for (size_t i = 0; i < ini->count; i++) {
		if (ini->sections[i].line == line)
			return true;
		for (size_t k = 0; k < ini->sections[i].count; k++)
			if (ini->sections[i].entries[k].line == line)
				return true;
	}
	return false;
}

/* Keys and values are parts of the line that they are said to stand on. */
static void check_entries(const struct wt_ini *ini, int line, const char *text, size_t len)
{
	for (size_t i = 0; i < ini->count; i++) {
		for (size_t k = 0; k < ini->sections[i].count; k++) {
			const struct wt_ini_entry *entry = &ini->sections[i].entries[k];

			if (entry->line != line)
				continue;
			FUZZ_CHECK(len <= WT_INI_LINE_MAX);
			FUZZ_CHECK(memmem(text, len, entry->key, strlen(entry->key)));
			FUZZ_CHECK(memmem(text, len, entry->value, strlen(entry->value)));
		}
	}
}

static bool counts(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i < len && text[i] != ';' && text[i] != '#';
}

static void check_lines(const char *data, size_t size, const struct wt_ini *ini,
			const struct wt_problems *problems)
{
	bool skipped = false;

	for (int line = 1; size > 0; line++) {
		const char *end = memchr(data, '\n', size);
		size_t whole = end ? (size_t)(end - data) + 1 : size;
		size_t len = end ? whole - 1 : whole;

		if (len > 0 && data[len - 1] == '\r')
			len--;
		if (len > 0 && data[0] == '[')
			skipped = has_problem(problems, line);
		FUZZ_CHECK(skipped || !counts(data, len) || is_understood(ini, line) ||
			   has_problem(problems, line));
		check_entries(ini, line, data, len);
		data += whole;
		size -= whole;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wt_problems problems = { .path = "f" };
	const char *text = (const char *)data;
	struct wt_ini ini;
	bool utf16 = size >= 2 && (data[0] ^ data[1]) == 1 && (data[0] & data[1]) == 0xfe;

	FUZZ_CHECK(wt_ini_parse(text, size, &problems, &ini) == WT_OK);
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		size -= 3;
	}
	if (!utf16)
		check_lines(text, size, &ini, &problems);
	wt_ini_clear(&ini);
	wt_problems_clear(&problems);
	return 0;
}
