/* SPDX-License-Identifier: MIT */
#include "plugin/libraries.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct looking {
	struct wt_libraries *libraries;
	const char *brought_by;
};

/* glibc has moved the addresses in the dynamic section to where the object
 * lies, but not of those that it cannot write: the vDSO's. */
static const char *address_in(const struct dl_phdr_info *info, ElfW(Addr) address)
{
	return (const char *)(address < info->dlpi_addr ? info->dlpi_addr + address : address);
}

static const char *soname_of(const struct dl_phdr_info *info)
{
	const ElfW(Dyn) *dynamic = NULL;
	const char *strings = NULL;
	bool named = false;
	size_t offset = 0;

	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_STRTAB)
			strings = address_in(info, dynamic->d_un.d_ptr);
		if (dynamic->d_tag != DT_SONAME)
			continue;
		offset = dynamic->d_un.d_val;
		named = true;
	}
	return strings && named ? strings + offset : NULL;
}

static char *family_of(const char *soname)
{
	const char *end = strstr(soname, ".so");

	return end ? strndup(soname, (size_t)(end - soname) + 3) : strdup(soname);
}

static struct wt_library *find(struct wt_libraries *libraries, uintptr_t at, const char *path)
{
	for (size_t i = 0; i < libraries->count; i++)
		if (libraries->items[i].at == at && strcmp(libraries->items[i].path, path) == 0)
			return &libraries->items[i];
	return NULL;
}

static void release(struct wt_library *library)
{
	free(library->path);
	free(library->family);
}

static void add(struct wt_libraries *libraries, const struct dl_phdr_info *info,
		const char *brought_by)
{
	const char *soname = soname_of(info);
	struct wt_library library = {
		.path = strdup(info->dlpi_name),
		.family = soname ? family_of(soname) : NULL,
		.at = info->dlpi_addr,
		.there = true,
	};
	struct wt_library *grown =
		reallocarray(libraries->items, libraries->count + 1, sizeof library);

	if (grown)
		libraries->items = grown;
	if (!grown || !library.path || (soname && !library.family)) {
		release(&library);
		return;
	}
	snprintf(library.brought_by, sizeof library.brought_by, "%s", brought_by);
	libraries->items[libraries->count++] = library;
}

static int see(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct looking *looking = arg;
	struct wt_library *known;

	(void)size;
	/* The program has no name. */
	if (!info->dlpi_name || !info->dlpi_name[0])
		return 0;
	known = find(looking->libraries, info->dlpi_addr, info->dlpi_name);
	if (known)
		known->there = true;
	else
		add(looking->libraries, info, looking->brought_by);
	return 0;
}

void wt_libraries_look(struct wt_libraries *libraries, const char *brought_by)
{
	struct looking looking = { libraries, brought_by };
	size_t kept = 0;

	for (size_t i = 0; i < libraries->count; i++)
		libraries->items[i].there = false;
	dl_iterate_phdr(see, &looking);
	for (size_t i = 0; i < libraries->count; i++) {
		if (libraries->items[i].there)
			libraries->items[kept++] = libraries->items[i];
		else
			release(&libraries->items[i]);
	}
	libraries->count = kept;
}

void wt_libraries_clear(struct wt_libraries *libraries)
{
	while (libraries->count > 0)
		release(&libraries->items[--libraries->count]);
	free(libraries->items);
	*libraries = (struct wt_libraries){ .count = 0 };
}

void wt_libraries_twins(const struct wt_libraries *libraries, wt_library_twins_fn *fn, void *arg)
{
	for (size_t i = 0; i < libraries->count; i++) {
		const struct wt_library *first = &libraries->items[i];

		for (size_t k = i + 1; first->family && k < libraries->count; k++) {
			const struct wt_library *second = &libraries->items[k];

			if (second->family && strcmp(first->family, second->family) == 0)
				fn(arg, first, second);
		}
	}
}
