/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/company.h"
#include "cli/facts.h"

static void print_text(const json_t *facts, const char *title, const char *key)
{
	const char *text = wt_facts_get(facts, key, NULL);

	if (text)
		printf("%-12s %s\n", title, text);
}

static void print_sizes(const json_t *sizes)
{
	const char *name, *text;
	json_t *value;

	/* Iteration does not change it. */
	json_object_foreach((json_t *)sizes, name, value)
	{
		text = json_string_value(value);
		if (text)
			printf("  %-14s %s\n", name, text);
		else
			printf("  %-14s %lld\n", name, (long long)json_integer_value(value));
	}
}

static void print_key(const json_t *key)
{
	const char *value = wt_facts_get(key, "default", NULL);

	printf("  %s (%s, %s%s%s", wt_facts_get(key, "name", "?"), wt_facts_get(key, "type", "?"),
	       wt_facts_get(key, "scope", "?"),
	       json_is_true(json_object_get(key, "required")) ? ", required" : "",
	       json_is_true(json_object_get(key, "secret")) ? ", secret" : "");
	if (json_object_get(key, "choices"))
		printf(", %s", wt_facts_get(key, "choices", ""));
	if (json_object_get(key, "min"))
		printf(", %lld..%lld", (long long)json_integer_value(json_object_get(key, "min")),
		       (long long)json_integer_value(json_object_get(key, "max")));
	if (value)
		printf(", default %s", value);
	printf(")\n      %s\n", wt_facts_get(key, "help", ""));
}

static void print_libraries(const json_t *libraries)
{
	json_t *library;
	size_t i;

	if (json_array_size(libraries) > 0)
		puts("libraries");
	json_array_foreach(libraries, i, library)
		printf("  %s\n", wt_facts_get(library, "path", "?"));
}

static void print_abi(const json_t *facts)
{
	const json_t *spoken = json_object_get(facts, "spoken");

	printf("%-12s %s (spoken here: %s to %s)\n", "ABI", wt_facts_get(facts, "abi", "?"),
	       wt_facts_get(spoken, "oldest", "?"), wt_facts_get(spoken, "newest", "?"));
}

static void print_facts(const json_t *facts)
{
	const json_t *keys = json_object_get(facts, "keys");
	json_t *key;
	size_t i;

	print_text(facts, "file", "file");
	print_text(facts, "kind", "kind");
	print_text(facts, "name", "name");
	print_text(facts, "version", "version");
	print_abi(facts);
	print_text(facts, "licence", "license");
	print_text(facts, "summary", "summary");
	print_text(facts, "algorithm", "algorithm");
	if (json_object_get(facts, "vectors"))
		printf("%-12s %lld of its own\n", "vectors",
		       (long long)json_integer_value(json_object_get(facts, "vectors")));
	if (json_object_get(facts, "sizes"))
		puts("operations");
	print_sizes(json_object_get(facts, "sizes"));
	print_libraries(json_object_get(facts, "libraries"));
	if (keys)
		printf("%-12s %zu\n", "settings", json_array_size(keys));
	json_array_foreach(keys, i, key) print_key(key);
	if (wt_facts_usable(facts))
		printf("%-12s yes\n", "usable");
	wt_company_print(json_object_get(facts, "warnings"));
}

static void add_warnings(json_t *facts)
{
	json_t *alone = json_array();

	json_array_append(alone, facts);
	json_object_set_new(facts, "warnings", wt_company_warnings(alone));
	json_decref(alone);
}

int wt_info_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	bool as_json = false;
	int option, code;

	optind = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option != 'j')
			return wt_plug_option_error("info", option, argv);
		as_json = true;
	}
	if (optind == argc)
		return wt_plug_usage("info", "no FILE given", "");
	if (optind + 1 < argc)
		return wt_plug_usage("info", "unexpected argument ", argv[optind + 1]);
	json_t *facts = wt_facts_read(argv[optind]);

	if (!facts)
		return wt_plug_no_memory("info");
	add_warnings(facts);
	code = wt_facts_usable(facts) ? WT_PLUG_OK : WT_PLUG_PLUGIN;
	if (code != WT_PLUG_OK)
		fprintf(stderr, "wtplug info: %s: %s: %s\n", wt_facts_get(facts, "file", "?"),
			wt_facts_get(facts, "step", "?"), wt_facts_get(facts, "reason", "?"));
	if (as_json)
		return wt_plug_finish_json(facts, code);
	/* Of what is no plugin there is nothing to show. */
	if (json_object_get(facts, "name"))
		print_facts(facts);
	json_decref(facts);
	return wt_plug_finish(code);
}
