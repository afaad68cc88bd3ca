/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/company.h"
#include "cli/facts.h"
#include "plugin/installed.h"
#include "plugin/place.h"
#include "plugin/registry.h"

struct options {
	const char *dir;
	bool json;
};

/* The row shows the name of the note, so the file's is said here. */
static void refuse_name(json_t *facts, const struct wt_installed_plugin *plugin)
{
	const char *kind = wt_facts_get(facts, "kind", ""), *name = wt_facts_get(facts, "name", "");
	char text[4 * WT_NAME_MAX + 128];

	snprintf(text, sizeof text,
		 "%s-%s.so says its name is \"%s\"; the file must be called %s-%s.so",
		 wt_kind_text(plugin->kind), plugin->name, name, kind, name);
	wt_facts_refuse(facts, "note", text);
}

/* As the daemon sees it: who may write the file counts here. What others could have
 * put there does not run: who lists is often root. */
static json_t *examine(const char *dir, const struct wt_installed_plugin *plugin)
{
	struct wt_plugin_file file;
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = wt_plugin_file_open(dir, plugin->kind, plugin->name, &file, &err);
	json_t *facts = NULL;

	if (file.path)
		facts = status == WT_OK ? wt_facts_read(file.path) : wt_facts_of_note(&file);
	wt_plugin_file_close(&file);
	if (!facts)
		return NULL;
	const char *kind = wt_kind_text(plugin->kind);

	if (status != WT_OK)
		wt_facts_refuse(facts, "file", err.text);
	else if (json_object_get(facts, "kind") &&
		 (strcmp(wt_facts_get(facts, "kind", ""), kind) != 0 ||
		  strcmp(wt_facts_get(facts, "name", ""), plugin->name) != 0))
		refuse_name(facts, plugin);
	if (!json_object_get(facts, "kind")) {
		json_object_set_new(facts, "kind", json_string(kind));
		json_object_set_new(facts, "name", json_string(plugin->name));
	}
	return facts;
}

static void print_table(const char *dir, const json_t *plugins)
{
	size_t i;
	json_t *p;

	if (json_array_size(plugins) == 0) {
		printf("no plugin in %s\n", dir);
		return;
	}
	printf("%s:\n%-10s %-20s %-8s %-4s %-12s %-18s %s\n", dir, "kind", "name", "version", "abi",
	       "licence", "algorithm", "usable");
	json_array_foreach(plugins, i, p)
	{
		printf("%-10s %-20s %-8s %-4s %-12s %-18s ", wt_facts_get(p, "kind", "-"),
		       wt_facts_get(p, "name", "-"), wt_facts_get(p, "version", "-"),
		       wt_facts_get(p, "abi", "-"), wt_facts_get(p, "license", "-"),
		       wt_facts_get(p, "algorithm", "-"));
		if (wt_facts_usable(p))
			puts("yes");
		else
			printf("no: %s: %s\n", wt_facts_get(p, "step", "?"),
			       wt_facts_get(p, "reason", "?"));
	}
}

static int list(const char *dir, bool as_json)
{
	struct wt_installed installed;
	json_t *plugins = json_array();
	bool whole = true;

	if (wt_installed_list(dir, &installed) != WT_OK) {
		fprintf(stderr,
			"wtplug list: the plugin directory %s cannot be listed; name another with "
			"--dir\n",
			dir);
		json_decref(plugins);
		return WT_PLUG_FAILED;
	}
	for (size_t i = 0; whole && i < installed.count; i++) {
		json_t *facts = examine(dir, &installed.items[i]);

		whole = facts && json_array_append_new(plugins, facts) == 0;
	}
	wt_installed_clear(&installed);
	if (!whole) {
		json_decref(plugins);
		return wt_plug_no_memory("list");
	}
	json_t *warnings = wt_company_warnings(plugins);

	if (as_json) {
		json_t *all = json_object();

		json_object_set_new(all, "directory", wt_facts_text(dir));
		json_object_set_new(all, "plugins", plugins);
		json_object_set_new(all, "warnings", warnings);
		return wt_plug_finish_json(all, WT_PLUG_OK);
	}
	print_table(dir, plugins);
	wt_company_print(warnings);
	json_decref(warnings);
	json_decref(plugins);
	return wt_plug_finish(WT_PLUG_OK);
}

int wt_list_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .dir = NULL };
	int option, code;
	char *dir;

	optind = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option == 'd')
			options.dir = optarg;
		else if (option == 'j')
			options.json = true;
		else
			return wt_plug_option_error("list", option, argv);
	}
	if (optind < argc)
		return wt_plug_usage("list", "unexpected argument ", argv[optind]);
	code = wt_plug_directory("list", options.dir, &dir);
	if (code == WT_PLUG_OK)
		code = list(dir, options.json);
	free(dir);
	return code;
}
