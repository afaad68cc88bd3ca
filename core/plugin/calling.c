/* SPDX-License-Identifier: MIT */
#include "plugin/calling.h"

#include <string.h>

#include "plugin/descriptor.h"

_Thread_local const void *_Atomic wt_calling = NULL;
_Thread_local _Atomic uint64_t wt_calling_number = 0;

/* A signal handler reads it, so there is no lock. */
static const struct wt_plugin *_Atomic known[WT_CALLING_KNOWN];

/* The place of `plugin`, or with NULL a free one; NULL: there is none. */
static const struct wt_plugin *_Atomic *find(const struct wt_plugin *plugin)
{
	for (size_t i = 0; i < WT_CALLING_KNOWN; i++)
		if (atomic_load(&known[i]) == plugin)
			return &known[i];
	return NULL;
}

void wt_calling_know(const struct wt_plugin *plugin)
{
	const struct wt_plugin *_Atomic *place = find(plugin) ? NULL : find(NULL);

	if (place)
		atomic_store(place, plugin);
}

void wt_calling_forget(const struct wt_plugin *plugin)
{
	const struct wt_plugin *_Atomic *place = find(plugin);

	if (place)
		atomic_store(place, NULL);
}

static void append(char out[WT_CALLING_NAME], const char *text)
{
	size_t at = strlen(out);

	while (*text && at + 1 < WT_CALLING_NAME)
		out[at++] = *text++;
	out[at] = '\0';
}

static const char *callback_name(const struct wt_plugin *plugin, const void *slot)
{
	if (slot == &plugin->callbacks.timer)
		return "a timer";
	if (slot == &plugin->callbacks.watch)
		return "a watch";
	return slot == &plugin->callbacks.resolve ? "the answer to a resolve()" : NULL;
}

bool wt_calling_name(const void *slot, char out[WT_CALLING_NAME])
{
	out[0] = '\0';
	for (size_t i = 0; i < WT_CALLING_KNOWN && !out[0]; i++) {
		const struct wt_plugin *plugin = atomic_load(&known[i]);
		const char *operation = plugin ? wt_ops_name(plugin, slot) : NULL;
		const char *callback = plugin ? callback_name(plugin, slot) : NULL;

		if (!operation && !callback)
			continue;
		append(out, operation ? operation : callback);
		append(out, operation ? "() of " : " of ");
		append(out, wt_kind_text(plugin->kind));
		append(out, " plugin \"");
		append(out, plugin->name);
		append(out, "\"");
	}
	return out[0] != '\0';
}
