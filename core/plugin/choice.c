/* SPDX-License-Identifier: MIT */
#include "plugin/choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "plugin/installed.h"

/* Choosing, as far as it has come. */
struct choosing {
	struct wt_registry *registry;
	wt_measure_fn *measure;
	void *arg;
	struct wt_choice *choice;
	struct wt_candidate *best; /* the one of choice->plugin; NULL: none */
};

static enum wt_status measure_crypto(void *arg, const struct wt_plugin *plugin,
				     struct wt_measured *out, struct wt_error *err)
{
	(void)arg;
	return wt_measure_crypto(plugin, out, err);
}

static double cost(const struct wt_measured *measured)
{
	double product = 1;

	for (size_t i = 0; i < WT_MEASURE_LENGTHS; i++)
		product *= (double)measured->ns[i];
	return product;
}

/* Load and measure; on failure the plugin is not loaded, and reason is set. */
static enum wt_status examine(const struct choosing *choosing, struct wt_candidate *candidate,
			      const struct wt_plugin **out)
{
	struct wt_error *reason = &candidate->reason;
	const struct wt_plugin *plugin;
	enum wt_status status = wt_registry_load(choosing->registry, WT_KIND_CRYPTO,
						 candidate->name, &plugin, reason);

	if (status != WT_OK)
		return status;
	if (!plugin->standard)
		status = wt_fail(reason, WT_ERR_UNAVAILABLE,
				 "crypto plugin \"%s\": its algorithm is %.64s; auto takes only "
				 "AES-256-GCM",
				 plugin->name, plugin->algorithm);
	else
		status = choosing->measure(choosing->arg, plugin, &candidate->measured, reason);
	if (status == WT_OK)
		*out = plugin;
	else
		wt_registry_drop(choosing->registry, plugin);
	return status;
}

/* WT_ERR_NOMEM, or what became of the candidate is noted. */
static enum wt_status consider(struct choosing *choosing, struct wt_candidate *candidate)
{
	struct wt_choice *choice = choosing->choice;
	const struct wt_plugin *plugin;
	enum wt_status status = examine(choosing, candidate, &plugin);

	if (status == WT_ERR_NOMEM)
		return status;
	if (status != WT_OK) {
		candidate->fate =
			status == WT_ERR_UNAVAILABLE ? WT_CANDIDATE_UNSUITED : WT_CANDIDATE_BROKEN;
		return WT_OK;
	}
	if (choosing->best && cost(&candidate->measured) >= cost(&choosing->best->measured)) {
		candidate->fate = WT_CANDIDATE_SLOWER;
		wt_registry_drop(choosing->registry, plugin);
		return WT_OK;
	}
	if (choosing->best) {
		choosing->best->fate = WT_CANDIDATE_SLOWER;
		wt_registry_drop(choosing->registry, choice->plugin);
	}
	candidate->fate = WT_CANDIDATE_USED;
	choosing->best = candidate;
	choice->plugin = plugin;
	return WT_OK;
}

/* The crypto plugins of the directory, by name. */
static struct wt_choice *list_candidates(struct wt_registry *registry, struct wt_error *err)
{
	struct wt_choice *choice = calloc(1, sizeof *choice);
	struct wt_installed installed = { .count = 0 };
	enum wt_status status = wt_registry_find_dir(registry, err);

	if (status == WT_OK) {
		status = wt_installed_list(wt_registry_dir(registry), &installed);
		if (status != WT_OK)
			wt_fail(err, status, "plugin directory %s cannot be listed: %s",
				wt_registry_dir(registry), wt_status_text(status));
	}
	if (choice && status == WT_OK)
		choice->items = calloc(installed.count + 1, sizeof *choice->items);
	if (!choice || (status == WT_OK && !choice->items))
		status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
	for (size_t i = 0; status == WT_OK && i < installed.count; i++) {
		struct wt_candidate *candidate = &choice->items[choice->count];

		if (installed.items[i].kind != WT_KIND_CRYPTO)
			continue;
		*candidate = (struct wt_candidate){ .reason = WT_ERROR_INIT };
		memcpy(candidate->name, installed.items[i].name, sizeof candidate->name);
		choice->count++;
	}
	wt_installed_clear(&installed);
	if (status == WT_OK)
		return choice;
	wt_choice_free(choice);
	return NULL;
}

static void say_none_is_left(const struct wt_choice *choice, const char *dir, struct wt_error *err)
{
	if (choice->count == 0)
		wt_fail(err, WT_ERR_UNAVAILABLE,
			"there is no crypto-NAME.so in %s; install one there, or set plugin_dir to "
			"where they are",
			dir);
	else
		wt_fail(err, WT_ERR_UNAVAILABLE,
			"none of the %zu crypto plugins in %s can be used; install one of "
			"AES-256-GCM there, or set plugin_dir to where it is",
			choice->count, dir);
}

struct wt_choice *wt_choice_new(struct wt_registry *registry, wt_measure_fn *measure, void *arg,
				struct wt_error *err)
{
	struct choosing choosing = {
		.registry = registry,
		.measure = measure ? measure : measure_crypto,
		.arg = arg,
		.choice = list_candidates(registry, err),
	};
	struct wt_choice *choice = choosing.choice;

	for (size_t i = 0; choice && i < choice->count; i++) {
		if (consider(&choosing, &choice->items[i]) == WT_OK)
			continue;
		wt_fail(err, WT_ERR_NOMEM, "out of memory");
		wt_choice_free(choice);
		return NULL;
	}
	if (choice && !choice->plugin)
		say_none_is_left(choice, wt_registry_dir(registry), err);
	return choice;
}

void wt_choice_free(struct wt_choice *choice)
{
	if (!choice)
		return;
	free(choice->items);
	free(choice);
}

/* "NAME 128 and 1040 ns, ..." */
static void print_figures(const struct wt_choice *choice, FILE *out)
{
	const char *comma = "";

	for (size_t i = 0; i < choice->count; i++) {
		const struct wt_candidate *candidate = &choice->items[i];

		if (candidate->fate != WT_CANDIDATE_USED && candidate->fate != WT_CANDIDATE_SLOWER)
			continue;
		fprintf(out, "%s%s %llu and %llu ns", comma, candidate->name,
			(unsigned long long)candidate->measured.ns[WT_MEASURE_SMALL],
			(unsigned long long)candidate->measured.ns[WT_MEASURE_LARGE]);
		comma = ", ";
	}
}

void wt_choice_log(const struct wt_choice *choice)
{
	char *figures = NULL;
	size_t size = 0;
	FILE *out;

	for (size_t i = 0; i < choice->count; i++) {
		const struct wt_candidate *candidate = &choice->items[i];

		if (candidate->fate == WT_CANDIDATE_BROKEN)
			wt_log(WT_LOG_WARN, "crypto auto: left out: %s", candidate->reason.text);
		else if (candidate->fate == WT_CANDIDATE_UNSUITED)
			wt_log(WT_LOG_DEBUG, "crypto auto: left out: %s", candidate->reason.text);
	}
	if (!choice->plugin)
		return;
	out = open_memstream(&figures, &size);
	if (out) {
		print_figures(choice, out);
		fclose(out);
	}
	wt_log(WT_LOG_INFO, "crypto auto: %s per record of %u and %u bytes: %s is used",
	       figures ? figures : "?", wt_measure_lengths[WT_MEASURE_SMALL],
	       wt_measure_lengths[WT_MEASURE_LARGE], choice->plugin->name);
	free(figures);
}
