/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "config/ini.h"
#include "support/scratch.h"

/* What was understood, as "label:line{key=value:line,...}" for each section. */
static void describe(const struct wt_ini *ini, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ini->count; i++) {
		const struct wt_ini_section *section = &ini->sections[i];

		at += (size_t)snprintf(out + at, size - at, "%s:%d{", section->label,
				       section->line);
		for (size_t k = 0; k < section->count; k++)
			at += (size_t)snprintf(out + at, size - at, "%s%s=%s:%d", k ? "," : "",
					       section->entries[k].key, section->entries[k].value,
					       section->entries[k].line);
		at += (size_t)snprintf(out + at, size - at, "}");
	}
}

static void check(const char *data, size_t len, const char *understood, const char *problems)
{
	struct wt_problems found = { .path = "f" };
	struct wt_ini ini;
	char text[2048];
	char *printed = NULL;
	size_t printed_len = 0;
	FILE *out = open_memstream(&printed, &printed_len);

	assert_non_null(out);
	assert_int_equal(wt_ini_parse(data, len, &found, &ini), WT_OK);
	describe(&ini, text, sizeof text);
	wt_problems_print(&found, out);
	fclose(out);
	assert_string_equal(text, understood);
	assert_string_equal(printed, problems);
	assert_int_equal(wt_problems_exit(&found), *problems ? WT_EXIT_CONFIG : WT_EXIT_OK);
	free(printed);
	wt_problems_clear(&found);
	wt_ini_clear(&ini);
}

#define LONG_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define LONG_100 LONG_50 LONG_50
/* "k = " and 194 more: exactly the 198 that fit */
#define LINE_198 "k = " LONG_100 LONG_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr"
#define VALUE_194 LONG_100 LONG_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr"
#define LINE_PROBLEM                                                                               \
	"found, allowed are 198 (address, endpoint and allowed_ips may be written on several "     \
	"lines, each with its key)\n"
#define COMMENT_PROBLEM                                                                            \
	"\";\" after a blank found, which would cut the value; put the comment on a line of its "  \
	"own\n"
#define INDENT_PROBLEM                                                                             \
	"indented line found, which would continue the value above; remove the blanks at its "     \
	"beginning\n"
#define COLON_PROBLEM "\":\" found between key and value, allowed is \"=\"\n"

static const struct {
	const char *text, *understood, *problems;
} cases[] = {
	/* the grammar */
	{ "", "", "" },
	{ "\n\n; only\n# comments\n", "", "" },
	{ "[tunnel]\nk = v\n", "tunnel:1{k=v:2}", "" },
	{ "[tunnel]\nk=v", "tunnel:1{k=v:2}", "" },
	{ "[tunnel]\nk = v \t \nl\t=\tw\n", "tunnel:1{k=v:2,l=w:3}", "" },
	{ "[peer alice]\n[peer bob]\n", "peer alice:1{}peer bob:2{}", "" },
	{ "[ peer \t alice ]\t\n", "peer alice:1{}", "" },
	{ "[peer a b]\n", "peer a b:1{}", "" },
	{ "[a]\r\nk = v\r\n\r\nl = w\r\n", "a:1{k=v:2,l=w:4}", "" },
	{ "\xef\xbb\xbf[a]\nk = v\n", "a:1{k=v:2}", "" },
	{ "[a]\nk = v;w\nl = v#w\nm = v # w\n", "a:1{k=v;w:2,l=v#w:3,m=v # w:4}", "" },
	{ "[a]\nk = tcp://h:1?x=y\n", "a:1{k=tcp://h:1?x=y:2}", "" },
	{ "[a]\nk =\n", "a:1{k=:2}", "" },
	{ "[a]\nk = 1\nk = 2\n", "a:1{k=1:2,k=2:3}", "" },
	{ "[a]\nk = \xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91\n",
	  "a:1{k=\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x91:2}", "" },
	{ "[a]\n  ; indented comment\n \t# another\n   \nk = v\n", "a:1{k=v:5}", "" },
	{ "; [b]\n[a]\n;k = v ; w\n#k: \x01\n", "a:2{}", "" },

	/* what inih would misread in silence */
	{ "[a]\nk = v\n  l = w\n", "a:1{k=v:2}", "f:3: [a]: " INDENT_PROBLEM },
	{ "[a]\n\tk = v\n", "a:1{}", "f:2: [a]: " INDENT_PROBLEM },
	{ "[a]\nk = v\n [b]\nl = w\n", "a:1{k=v:2,l=w:4}", "f:3: [a]: " INDENT_PROBLEM },
	{ "[a]\n" LINE_198 "\nl = w\n", "a:1{k=" VALUE_194 ":2,l=w:3}", "" },
	{ "[a]\n" LINE_198 "x\nl = w\n", "a:1{l=w:3}",
	  "f:2: [a]: line of 199 bytes " LINE_PROBLEM },
	{ "[a]\n" LINE_198 LINE_198 LINE_198 "\n", "a:1{}",
	  "f:2: [a]: line of 594 bytes " LINE_PROBLEM },
	{ "[a]\n;" LINE_198 "\nl = w\n", "a:1{l=w:3}", "" },
	{ "[a]\n[" LINE_198 "]\nl = w\n", "a:1{}", "f:2: line of 200 bytes " LINE_PROBLEM },
	{ "[peer abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr]\nk = v\n",
	  "peer abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqr:1{k=v:2}", "" },
	{ "[" LONG_50 "]\nk = v\n[b]\n", "b:3{}",
	  "f:1: section name of 50 bytes found, allowed are 49\n" },
	{ "[a]\n[b]\n", "a:1{}b:2{}", "" },
	{ "[a]\nk = v ; w\n", "a:1{}", "f:2: [a]: " COMMENT_PROBLEM },
	{ "[a]\nk = v\t;w\n", "a:1{}", "f:2: [a]: " COMMENT_PROBLEM },
	{ "[a]\nk = ; w\n", "a:1{}", "f:2: [a]: " COMMENT_PROBLEM },
	{ "[a]\nk ; = w\n", "a:1{}", "f:2: [a]: " COMMENT_PROBLEM },
	{ "[a]\nk: v\n", "a:1{}", "f:2: [a]: " COLON_PROBLEM },
	{ "[a]\nk : v = w\n", "a:1{}", "f:2: [a]: " COLON_PROBLEM },

	/* other mistakes */
	{ "[a]\nk = v\n[a]\nl = w\n[b]\n[a]\n", "a:1{k=v:2}b:5{}",
	  "f:3: [a]: section found again, first on line 1; put all its keys there\n"
	  "f:6: [a]: section found again, first on line 1; put all its keys there\n" },
	{ "[peer  x]\n[peer\tx]\n", "peer x:1{}",
	  "f:2: [peer x]: section found again, first on line 1; put all its keys there\n" },
	{ "k = v\n[a]\n", "a:2{}",
	  "f:1: key found before the first section; put it below [tunnel] or another section\n" },
	{ "[a\nk = v\n", "", "f:1: \"[\" without \"]\" found, allowed is [KIND] or [KIND NAME]\n" },
	{ "[]\n", "", "f:1: section without a name found, allowed is [KIND] or [KIND NAME]\n" },
	{ "[ \t]\n", "", "f:1: section without a name found, allowed is [KIND] or [KIND NAME]\n" },
	{ "[a] x\nk = v\n", "", "f:1: text found after \"]\"; put it on a line of its own\n" },
	{ "[a] ; x\nk = v\n", "", "f:1: text found after \"]\"; put it on a line of its own\n" },
	{ "[a]]\n", "", "f:1: text found after \"]\"; put it on a line of its own\n" },
	{ "[a]\nword\n", "a:1{}",
	  "f:2: [a]: line without \"=\" found, allowed are [SECTION], KEY = VALUE, and comments "
	  "that begin with ; or #\n" },
	{ "[a]\n= v\n", "a:1{}", "f:2: [a]: no key found before \"=\"\n" },
	{ "[a]\nk = \"v w\"\nl = 'v'\nm = \"\n", "a:1{m=\":4}",
	  "f:2: [a] k: value in quotes found, allowed is the value without them\n"
	  "f:3: [a] l: value in quotes found, allowed is the value without them\n" },
	{ "[a]\nk = \x1b[31m\n", "a:1{}",
	  "f:2: [a]: byte 0x1b found in column 5, allowed is printable UTF-8 text\n" },
	{ "[a]\nk = v\rw\n", "a:1{}",
	  "f:2: [a]: byte 0x0d found in column 6, allowed is printable UTF-8 text\n" },
	{ "[a]\nk = \xff\n", "a:1{}",
	  "f:2: [a]: byte 0xff found in column 5, allowed is printable UTF-8 text\n" },
	{ "[a]\nk = \xc3\n", "a:1{}",
	  "f:2: [a]: byte 0xc3 found in column 5, allowed is printable UTF-8 text\n" },
	{ "[a]\nk = \xc2\x9b\n", "a:1{}",
	  "f:2: [a]: byte 0xc2 found in column 5, allowed is printable UTF-8 text\n" },
	{ "[a]\n[b\x7f]\nk = v\n", "a:1{}",
	  "f:2: byte 0x7f found in column 3, allowed is printable UTF-8 text\n" },
	{ "\xff\xfe[\0a\0]\0", "",
	  "f:1: UTF-16 text found, allowed is UTF-8; save the file as UTF-8\n" },

	/* one run shows all, in file order */
	{ "x = 1\n[a]\n k = v\nl: w\n[b] x\nm = n\n[c]\nnothing\n[a]\n", "a:2{}c:7{}",
	  "f:1: key found before the first section; put it below [tunnel] or another section\n"
	  "f:3: [a]: " INDENT_PROBLEM "f:4: [a]: " COLON_PROBLEM
	  "f:5: text found after \"]\"; put it on a line of its own\n"
	  "f:8: [c]: line without \"=\" found, allowed are [SECTION], KEY = VALUE, and comments "
	  "that begin with ; or #\n"
	  "f:9: [a]: section found again, first on line 2; put all its keys there\n" },
};

static void each_line_is_understood_or_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(cases[i].text, strlen(cases[i].text), cases[i].understood, cases[i].problems);
}

static void a_nul_hides_nothing(void **state)
{
	static const char in_value[] = "[a]\nk = v\0w\nl = x\n";
	static const char in_header[] = "[a]\n[b\0]\nl = x\n";
	static const char in_comment[] = "[a]\n;\0\nl = x\n";
	static const char in_many[] = "\0\n\0\n[a]\nl = x\n\0\n";
	static const char problem[] = "NUL byte found, allowed is printable UTF-8 text\n";
	char want[128];

	(void)state;
	/* A whole program that was named by mistake is not hundreds of problems. */
	snprintf(want, sizeof want, "f:1: %s", problem);
	check(in_many, sizeof in_many - 1, "a:3{l=x:4}", want);
	snprintf(want, sizeof want, "f:2: [a]: %s", problem);
	check(in_value, sizeof in_value - 1, "a:1{l=x:3}", want);
	check(in_comment, sizeof in_comment - 1, "a:1{l=x:3}", want);
	snprintf(want, sizeof want, "f:2: %s", problem);
	check(in_header, sizeof in_header - 1, "a:1{}", want);
}

/* Text that ends anywhere is read to its end and no further: sanitizers watch
 * the exact buffer. */
static void every_cut_is_harmless(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t cut = 0; cut <= len; cut++) {
			struct wt_problems problems = { .path = "f" };
			struct wt_ini ini;
			char *exact = malloc(cut ? cut : 1);

			assert_non_null(exact);
			memcpy(exact, cases[i].text, cut);
			assert_int_equal(wt_ini_parse(exact, cut, &problems, &ini), WT_OK);
			wt_problems_clear(&problems);
			wt_ini_clear(&ini);
			free(exact);
		}
	}
}

static void read_problem(const char *path, char *out, size_t size)
{
	struct wt_problems problems = { .path = path };
	struct wt_ini ini;
	enum wt_status status = wt_ini_read(&problems, &ini);

	assert_int_equal(status, problems.count ? WT_ERR_CONFIG : WT_OK);
	snprintf(out, size, "%s", problems.count ? problems.items[0].text : "");
	wt_problems_clear(&problems);
	wt_ini_clear(&ini);
}

static void files_others_can_write_are_refused(void **state)
{
	char *dir = wt_scratch_new();
	char *path = wt_scratch_file(dir, "t.ini", "[a]\n", 4, 0644);
	char link[256], fifo[256], got[512], want[768];

	(void)state;
	for (unsigned mode = 0400; mode < 01000; mode++) {
		if (!(mode & 0400))
			continue;
		assert_int_equal(chmod(path, mode), 0);
		read_problem(path, got, sizeof got);
		snprintf(want, sizeof want,
			 "configuration file %s has mode %04o, allowed is one that group and "
			 "others cannot write to; run: chmod go-w %s",
			 path, mode, path);
		assert_string_equal(got, mode & 022 ? want : "");
	}
	assert_int_equal(chmod(path, 0644), 0);

	/* A link to it is fine: what counts is the file that was opened. */
	snprintf(link, sizeof link, "%s/link", dir);
	assert_int_equal(symlink("t.ini", link), 0);
	read_problem(link, got, sizeof got);
	assert_string_equal(got, "");
	assert_int_equal(chmod(path, 0666), 0);
	read_problem(link, got, sizeof got);
	assert_non_null(strstr(got, "has mode 0666"));

	snprintf(fifo, sizeof fifo, "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	read_problem(fifo, got, sizeof got);
	assert_non_null(strstr(got, "is a FIFO, allowed is a regular file"));
	read_problem(dir, got, sizeof got);
	assert_non_null(strstr(got, "is a directory, allowed is a regular file"));
	read_problem("/nosuch/t.ini", got, sizeof got);
	assert_string_equal(got, "there is no configuration file /nosuch/t.ini; write it, or name "
				 "another one");
	free(path);
	wt_scratch_free(dir);
}

static void a_huge_file_is_refused(void **state)
{
	char *dir = wt_scratch_new();
	char *path = wt_scratch_file(dir, "t.ini", "[a]\n", 4, 0600);
	char got[512];

	(void)state;
	assert_int_equal(truncate(path, (off_t)WT_INI_FILE_MAX + 1), 0);
	read_problem(path, got, sizeof got);
	assert_string_equal(got, "16777217 bytes found, allowed are 16777216");
	free(path);
	wt_scratch_free(dir);
}

static void problems_cannot_forge_lines(void **state)
{
	struct wt_problems problems = { .path = "a\nb" };
	char *printed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&printed, &len);

	(void)state;
	wt_problem_add(&problems, (struct wt_place){ 2, "peer x", "key" }, "second");
	wt_problem_add(&problems, (struct wt_place){ 0, NULL, NULL }, "last");
	wt_problem_add(&problems, (struct wt_place){ 1, "peer x", NULL }, "first\x1b[2J\n");
	wt_problem_add_plugin(&problems, (struct wt_place){ 2, NULL, NULL }, "third");
	assert_int_equal(wt_problems_exit(&problems), WT_EXIT_CONFIG);
	wt_problems_print(&problems, out);
	fclose(out);
	assert_string_equal(printed, "a\\x0ab:1: [peer x]: first\\x1b[2J\\x0a\n"
				     "a\\x0ab:2: [peer x] key: second\n"
				     "a\\x0ab:2: third\n"
				     "a\\x0ab: last\n");
	free(printed);
	wt_problems_clear(&problems);
	wt_problem_add_plugin(&problems, (struct wt_place){ 1, NULL, NULL }, "only a plugin");
	assert_int_equal(wt_problems_exit(&problems), WT_EXIT_PLUGIN);
	wt_problems_clear(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_is_understood_or_named),
		cmocka_unit_test(a_nul_hides_nothing),
		cmocka_unit_test(every_cut_is_harmless),
		cmocka_unit_test(files_others_can_write_are_refused),
		cmocka_unit_test(a_huge_file_is_refused),
		cmocka_unit_test(problems_cannot_forge_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
