/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/facts.h"
#include "conform/suite.h"
#include "plugin/place.h"
#include "plugin/registry.h"

enum format { AS_TEXT, AS_TAP = 't', AS_JSON = 'j' };

struct conform {
	struct wt_suite_options suite;
	enum format format;
	const char *path; /* the one under test, as it is shown */
	size_t tap_count;
	json_t *results; /* AS_JSON */
};

/* ---- text ---------------------------------------------------------------- */

static void print_case(const struct wt_case *c)
{
	const char *text = c->finding.text;

	printf("  %-8s %-32s %s", wt_verdict_text(c->verdict), c->name, c->promise);
	if (c->verdict == WT_FOUND)
		printf("\n           %s: %s\n", wt_fault_text(c->finding.fault), text);
	else
		printf("%s%s (%u ms)\n", text[0] ? ": " : "", text, c->ms);
}

static void print_outcome(const struct conform *conform, const struct wt_suite *suite)
{
	size_t counts[WT_NOT_RUN + 1] = { 0 };

	for (size_t i = 0; i < suite->count; i++)
		counts[suite->cases[i].verdict]++;
	printf("%s: %s: %zu passed, %zu failed, %zu skipped, %zu not run (level %d, seed %llu)\n",
	       conform->path, wt_outcome_text(suite->outcome), counts[WT_SOUND], counts[WT_FOUND],
	       counts[WT_SKIPPED], counts[WT_NOT_RUN], conform->suite.check.level,
	       (unsigned long long)conform->suite.check.seed);
	if (suite->fault != WT_FAULT_NONE)
		printf("%s: most likely: %s\n", conform->path, wt_fault_text(suite->fault));
}

/* ---- TAP 13 -------------------------------------------------------------- */

static void print_tap(struct conform *conform, const struct wt_case *c)
{
	const char *text = c->finding.text;

	printf("%sok %zu - %s: %s", c->verdict == WT_FOUND ? "not " : "", ++conform->tap_count,
	       conform->path, c->name);
	if (c->verdict == WT_SKIPPED || c->verdict == WT_NOT_RUN)
		printf(" # SKIP %s: %s", wt_verdict_text(c->verdict), text);
	putchar('\n');
	if (c->verdict == WT_FOUND)
		printf("# %s: %s\n", wt_fault_text(c->finding.fault), text);
	else if (c->verdict == WT_SOUND && text[0])
		printf("# %s\n", text);
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *case_json(const struct wt_case *c)
{
	static const char *const verdicts[] = { "pass", "fail", "skip", "not run" };
	json_t *json = json_object();

	json_object_set_new(json, "name", wt_facts_text(c->name));
	json_object_set_new(json, "promise", wt_facts_text(c->promise));
	json_object_set_new(json, "verdict", json_string(verdicts[c->verdict]));
	if (c->verdict == WT_FOUND) {
		json_object_set_new(json, "fault", json_string(wt_fault_name(c->finding.fault)));
		json_object_set_new(json, "meaning", json_string(wt_fault_text(c->finding.fault)));
	}
	if (c->finding.text[0])
		json_object_set_new(json, "text", wt_facts_text(c->finding.text));
	json_object_set_new(json, "ms", json_integer(c->ms));
	return json;
}

static json_t *suite_json(const struct conform *conform, const struct wt_suite *suite)
{
	json_t *json = json_object(), *cases = json_array();

	json_object_set_new(json, "file", wt_facts_text(conform->path));
	if (suite->note.struct_size) {
		enum wt_plugin_kind kind = (enum wt_plugin_kind)suite->note.kind;

		json_object_set_new(json, "kind", json_string(wt_kind_text(kind)));
		json_object_set_new(json, "name", wt_facts_text(suite->note.name));
		json_object_set_new(json, "version", wt_facts_text(suite->note.version));
	}
	json_object_set_new(json, "verdict", json_string(wt_outcome_text(suite->outcome)));
	if (suite->fault != WT_FAULT_NONE)
		json_object_set_new(json, "fault", json_string(wt_fault_name(suite->fault)));
	for (size_t i = 0; i < suite->count; i++)
		json_array_append_new(cases, case_json(&suite->cases[i]));
	json_object_set_new(json, "tests", cases);
	return json;
}

/* ---- running ------------------------------------------------------------- */

static void report(void *arg, const struct wt_suite *suite, const struct wt_case *done)
{
	struct conform *conform = arg;

	(void)suite;
	if (conform->format == AS_TEXT)
		print_case(done);
	else if (conform->format == AS_TAP)
		print_tap(conform, done);
	fflush(stdout);
}

static int code_of(enum wt_outcome outcome)
{
	return outcome == WT_OUTCOME_PASS      ? WT_PLUG_OK
	       : outcome == WT_OUTCOME_PARTIAL ? WT_PLUG_PARTIAL
					       : WT_PLUG_FAILED;
}

/* The worse of two exit codes. */
static int worse(int a, int b)
{
	if (a == WT_PLUG_FAILED || b == WT_PLUG_FAILED)
		return WT_PLUG_FAILED;
	return a > b ? a : b;
}

static int run_file(struct conform *conform, const char *path)
{
	/* A line feed in a file's name must not begin a line of TAP. */
	json_t *shown = wt_facts_text(path);

	conform->path = json_string_value(shown);
	if (!shown)
		return wt_plug_no_memory("conform");
	if (conform->format == AS_TEXT)
		printf("%s\n", conform->path);
	struct wt_suite *suite = wt_suite_run(path, &conform->suite);

	if (!suite) {
		json_decref(shown);
		return wt_plug_no_memory("conform");
	}
	if (conform->format == AS_TEXT)
		print_outcome(conform, suite);
	else if (conform->format == AS_JSON)
		json_array_append_new(conform->results, suite_json(conform, suite));
	int code = code_of(suite->outcome);

	wt_suite_free(suite);
	json_decref(shown);
	return code;
}

static int run_files(struct conform *conform, char **files, int n)
{
	int code = WT_PLUG_OK;

	if (conform->format == AS_TAP)
		puts("TAP version 13");
	if (conform->format == AS_JSON)
		conform->results = json_array();
	for (int i = 0; i < n; i++)
		code = worse(code, run_file(conform, files[i]));
	if (conform->format == AS_TAP)
		printf("1..%zu\n", conform->tap_count);
	if (conform->format != AS_JSON)
		return wt_plug_finish(code);
	json_t *all = json_object();

	json_object_set_new(all, "level", json_integer(conform->suite.check.level));
	json_object_set_new(all, "seed", json_integer((json_int_t)conform->suite.check.seed));
	json_object_set_new(all, "plugins", conform->results);
	return wt_plug_finish_json(all, code);
}

/* ---- the command line ---------------------------------------------------- */

static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

int wt_conform_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "level", required_argument, NULL, 'l' },
		{ "seed", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 'o' },
		{ "dir", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "tap", no_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	struct conform conform = { .suite = { .check = { .level = 2, .seed = 1 },
					      .report = report,
					      .report_arg = &conform } };
	const char *wanted = NULL;
	uint64_t number;
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		switch (option) {
		case 'l':
			if (!parse_number(optarg, 1, 3, &number))
				return wt_plug_usage("conform", "--level is 1, 2 or 3, not ",
						     optarg);
			conform.suite.check.level = (int)number;
			break;
		case 's':
			if (!parse_number(optarg, 0, INT64_MAX, &conform.suite.check.seed))
				return wt_plug_usage("conform", "--seed is a number, not ", optarg);
			break;
		case 'o':
			if (!parse_number(optarg, 1, 86400, &number))
				return wt_plug_usage("conform", "--timeout is 1..86400 s, not ",
						     optarg);
			conform.suite.timeout_ms = (unsigned)number * 1000u;
			break;
		case 'd':
			wanted = optarg;
			break;
		case 'j':
		case 't':
			if (conform.format != AS_TEXT && conform.format != (enum format)option)
				return wt_plug_usage("conform", "--json or --tap, not both", "");
			conform.format = (enum format)option;
			break;
		default:
			return wt_plug_option_error("conform", option, argv);
		}
	}
	if (optind == argc)
		return wt_plug_usage("conform", "no FILE given", "");
	char *dir = NULL;
	int code = WT_PLUG_OK;

	if (wanted)
		code = wt_plug_directory("conform", wanted, &dir);
	else if (wt_place_find(NULL, &dir, NULL) != WT_OK)
		dir = NULL; /* then there are no others to agree with */
	conform.suite.plugin_dir = dir;
	if (code == WT_PLUG_OK)
		code = run_files(&conform, argv + optind, argc - optind);
	free(dir);
	return code;
}
