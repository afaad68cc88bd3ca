/* SPDX-License-Identifier: MIT */
#include "cli/company.h"

#include <stdio.h>
#include <string.h>

#include "cli/facts.h"
#include "plugin/exports.h"

void wt_company_add_libraries(json_t *facts, struct wt_libraries *before)
{
	json_t *list = json_array();

	wt_libraries_look(before, "");
	for (size_t i = 0; i < before->count; i++) {
		const struct wt_library *library = &before->items[i];
		json_t *json;

		if (!library->family || strcmp(library->brought_by, WT_COMPANY_OURS) == 0)
			continue;
		json = json_object();
		json_object_set_new(json, "name", wt_facts_text(library->family));
		json_object_set_new(json, "path", wt_facts_text(library->path));
		json_array_append_new(list, json);
	}
	json_object_set_new(facts, "libraries", list);
}

void wt_company_add_exports(json_t *facts, const char *path)
{
	json_t *list = json_array();
	struct wt_exports exports;

	if (wt_exports_read(path, &exports) == WT_OK) {
		for (size_t i = 0; i < exports.count; i++)
			json_array_append_new(list, wt_facts_text(exports.names[i]));
		wt_exports_clear(&exports);
	}
	json_object_set_new(facts, "exports", list);
}

/* ---- warnings -------------------------------------------------------------- */

static void warn_of_exports(json_t *warnings, const json_t *plugin)
{
	const json_t *exports = json_object_get(plugin, "exports");
	size_t n = json_array_size(exports);
	char others[48] = "";

	if (n == 0)
		return;
	if (n > 1)
		snprintf(others, sizeof others, " and %zu other name%s", n - 1, n > 2 ? "s" : "");
	json_array_append_new(
		warnings,
		json_sprintf(
			"%s %s exports %s%s beside its descriptor; if they are of a library "
			"that was linked in, another copy of it may be called instead: link it "
			"with -fvisibility=hidden and -Wl,--exclude-libs,ALL",
			wt_facts_get(plugin, "kind", "?"), wt_facts_get(plugin, "name", "?"),
			json_string_value(json_array_get(exports, 0)), others));
}

static bool holds(const json_t *libraries, const char *path)
{
	size_t i;
	json_t *library;

	json_array_foreach(libraries, i, library) if (strcmp(wt_facts_get(library, "path", ""),
							     path) == 0) return true;
	return false;
}

/* Each library once, with the first plugin that brings it as `for`. */
static json_t *collect_libraries(const json_t *plugins)
{
	json_t *all = json_array(), *plugin, *library;
	size_t i, k;

	json_array_foreach(plugins, i, plugin)
	{
		json_array_foreach(json_object_get(plugin, "libraries"), k, library)
		{
			json_t *copy;

			if (holds(all, wt_facts_get(library, "path", "")))
				continue;
			copy = json_copy(library);
			json_object_set_new(copy, "for",
					    json_sprintf("%s %s", wt_facts_get(plugin, "kind", "?"),
							 wt_facts_get(plugin, "name", "?")));
			json_array_append_new(all, copy);
		}
	}
	return all;
}

static void warn_of_twins(json_t *warnings, const json_t *libraries)
{
	size_t n = json_array_size(libraries);

	for (size_t i = 0; i < n; i++) {
		const json_t *a = json_array_get(libraries, i);
		const char *name = wt_facts_get(a, "name", "");

		for (size_t k = i + 1; k < n; k++) {
			const json_t *b = json_array_get(libraries, k);

			if (strcmp(name, wt_facts_get(b, "name", "")) != 0)
				continue;
			json_array_append_new(
				warnings,
				json_sprintf("%s would be in one process twice: %s (%s) and %s "
					     "(%s); build what brings them against one version",
					     name, wt_facts_get(a, "path", "?"),
					     wt_facts_get(a, "for", "?"),
					     wt_facts_get(b, "path", "?"),
					     wt_facts_get(b, "for", "?")));
		}
	}
}

static const char *file_name(const json_t *plugin)
{
	const char *path = wt_facts_get(plugin, "file", "?"), *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool share(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(wt_facts_get(a, key, ""), wt_facts_get(b, key, "")) == 0;
}

/* A table of operations was found good: else it has none. */
static long long method_of(const json_t *plugin)
{
	return json_integer_value(json_object_get(json_object_get(plugin, "sizes"), "method"));
}

/* Two files that say the same of themselves, each by its own note. */
static void warn_of_namesakes(json_t *warnings, const json_t *a, const json_t *b)
{
	const char *kind = wt_facts_get(a, "kind", "?"), *name = wt_facts_get(a, "name", "?");

	if (json_object_get(a, "abi") && json_object_get(b, "abi"))
		json_array_append_new(
			warnings,
			json_sprintf(
				"%s and %s both say that they are %s plugin \"%s\"; the daemon "
				"takes it from %s-%s.so only; remove the other, or build it "
				"with another name in WT_PLUGIN",
				file_name(a), file_name(b), kind, name, kind, name));
}

/* What the registry refuses when both are loaded. */
static void warn_of_method(json_t *warnings, const json_t *a, const json_t *b)
{
	const long long method = method_of(a);

	if (method != 0 && method == method_of(b))
		json_array_append_new(
			warnings,
			json_sprintf(
				"%s and %s have one handshake method, %lld; the daemon refuses "
				"a configuration that names both; use one of them, or build "
				"one with a number that is free (docs/registry.md)",
				file_name(a), file_name(b), method));
}

/* What only one plugin of a kind may have. */
static void warn_of_rivals(json_t *warnings, const json_t *plugins)
{
	size_t n = json_array_size(plugins);

	for (size_t i = 0; i < n; i++) {
		const json_t *a = json_array_get(plugins, i);

		for (size_t k = i + 1; k < n; k++) {
			const json_t *b = json_array_get(plugins, k);

			if (!share(a, b, "kind"))
				continue;
			if (share(a, b, "name"))
				warn_of_namesakes(warnings, a, b);
			else
				warn_of_method(warnings, a, b);
		}
	}
}

json_t *wt_company_warnings(const json_t *plugins)
{
	json_t *warnings = json_array(), *libraries = collect_libraries(plugins), *plugin;
	size_t i;

	json_array_foreach(plugins, i, plugin) warn_of_exports(warnings, plugin);
	warn_of_twins(warnings, libraries);
	warn_of_rivals(warnings, plugins);
	json_decref(libraries);
	return warnings;
}

void wt_company_print(const json_t *warnings)
{
	json_t *warning;
	size_t i;

	json_array_foreach(warnings, i, warning)
		printf("warning: %s\n", json_string_value(warning));
}
