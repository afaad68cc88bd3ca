/* SPDX-License-Identifier: MIT */
#include "plugin/installed.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Is `file` KIND-NAME.so with a name that a plugin may have? */
static bool split(const char *file, struct wt_installed_plugin *out)
{
	static const struct {
		const char *prefix;
		enum wt_plugin_kind kind;
	} kinds[] = {
		{ "crypto-", WT_KIND_CRYPTO },
		{ "transport-", WT_KIND_TRANSPORT },
		{ "auth-", WT_KIND_AUTH },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t prefix = strlen(kinds[i].prefix);

		if (strncmp(file, kinds[i].prefix, prefix) != 0)
			continue;
		const char *name = file + prefix;
		size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

		if (len == 0 || len > WT_NAME_MAX || strcmp(name + len, ".so") != 0)
			return false;
		*out = (struct wt_installed_plugin){ .kind = kinds[i].kind };
		memcpy(out->name, name, len);
		return true;
	}
	return false;
}

static int by_kind_and_name(const void *a, const void *b)
{
	const struct wt_installed_plugin *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

enum wt_status wt_installed_list(const char *dir, struct wt_installed *out)
{
	struct wt_installed_plugin plugin, *larger;
	enum wt_status status = WT_OK;
	struct dirent *entry;
	DIR *stream = opendir(dir);

	*out = (struct wt_installed){ .count = 0 };
	if (!stream)
		return WT_ERR_IO;
	while (status == WT_OK && (entry = readdir(stream)) != NULL) {
		if (!split(entry->d_name, &plugin))
			continue;
		larger = reallocarray(out->items, out->count + 1, sizeof *out->items);
		if (!larger) {
			status = WT_ERR_NOMEM;
			continue;
		}
		out->items = larger;
		out->items[out->count++] = plugin;
	}
	closedir(stream);
	if (status != WT_OK)
		wt_installed_clear(out);
	else if (out->count > 0)
		qsort(out->items, out->count, sizeof *out->items, by_kind_and_name);
	return status;
}

void wt_installed_clear(struct wt_installed *installed)
{
	free(installed->items);
	*installed = (struct wt_installed){ .count = 0 };
}
