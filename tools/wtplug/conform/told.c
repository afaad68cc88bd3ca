/* SPDX-License-Identifier: MIT */
#include "conform/told.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "plugin/installed.h"
#include "plugin/loader.h"

static void note_descriptor(void *arg, const char *step, const struct wt_loaded *loaded)
{
	struct wt_told *shared = arg;

	/* Known from the step on that reads them. */
	if (loaded->plugin.kind == WT_KIND_TRANSPORT)
		shared->mode = loaded->plugin.ops.transport.mode;
	if (strcmp(step, "descriptor") != 0)
		return;
	shared->conformance = loaded->descriptor.conformance != NULL;
	if (loaded->plugin.kind != WT_KIND_CRYPTO)
		return;
	snprintf(shared->algorithm, sizeof shared->algorithm, "%s", loaded->plugin.algorithm);
	shared->standard = loaded->plugin.standard;
}

/* Through shared memory, since its code runs in a child. */
enum wt_status wt_told_read(const char *path, struct wt_plugin_note_desc *note,
			    struct wt_told *told, struct wt_error *err)
{
	struct wt_told *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*note = (struct wt_plugin_note_desc){ .struct_size = 0 };
	*told = (struct wt_told){ .mode = 0 };
	if (shared == MAP_FAILED)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	const struct wt_load_request request = { .visit = note_descriptor, .visit_arg = shared };
	enum wt_status status = wt_loaded_try(path, &request, note, err);

	*told = *shared;
	told->algorithm[sizeof told->algorithm - 1] = '\0';
	munmap(shared, sizeof *shared);
	return status;
}

bool wt_told_find_aead(const char *dir, char path[PATH_MAX])
{
	struct wt_installed installed;
	bool found = false;

	if (!dir || wt_installed_list(dir, &installed) != WT_OK)
		return false;
	for (size_t i = 0; !found && i < installed.count; i++) {
		struct wt_plugin_note_desc note;
		struct wt_error err = WT_ERROR_INIT;
		struct wt_told told;

		if (installed.items[i].kind != WT_KIND_CRYPTO)
			continue;
		snprintf(path, PATH_MAX, "%s/crypto-%s.so", dir, installed.items[i].name);
		found = wt_told_read(path, &note, &told, &err) == WT_OK && told.standard;
	}
	wt_installed_clear(&installed);
	return found;
}
