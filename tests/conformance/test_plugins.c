/* SPDX-License-Identifier: MIT */

/* What holds for every plugin of this build: it passes the loader, exports one
 * symbol, takes none from the executable, and leaves when it is unloaded. */

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/registry.h"
#include "support/fixture.h"
#include "support/process.h"
#include "support/scratch.h"

#define PLUGINS_MAX 32

static char names[PLUGINS_MAX][NAME_MAX + 1]; /* KIND-NAME.so */
static size_t count;
static char *place;

/* ---- the plugins of this build ------------------------------------------- */

static int setup(void **state)
{
	DIR *dir = opendir(WT_TEST_PLUGIN_DIR);
	struct dirent *entry;

	(void)state;
	place = wt_scratch_new();
	while (dir && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 4 || strcmp(entry->d_name + len - 3, ".so") != 0)
			continue;
		assert_true(count < PLUGINS_MAX);
		snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
		wt_fixture_install(WT_TEST_PLUGIN_DIR, entry->d_name, place, NULL);
	}
	if (dir)
		closedir(dir);
	return count > 0 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_scratch_free(place);
	return 0;
}

static enum wt_plugin_kind split(const char *file, char name[64])
{
	static const enum wt_plugin_kind kinds[] = { WT_KIND_CRYPTO, WT_KIND_TRANSPORT,
						     WT_KIND_AUTH };

	for (size_t i = 0; i < 3; i++) {
		const char *kind = wt_kind_text(kinds[i]);
		size_t len = strlen(kind);

		if (strncmp(file, kind, len) == 0 && file[len] == '-') {
			snprintf(name, 64, "%.*s", (int)(strlen(file) - len - 4), file + len + 1);
			return kinds[i];
		}
	}
	fail_msg("%s is called after no kind", file);
	return WT_KIND_CRYPTO;
}

/* ---- symbols ------------------------------------------------------------- */

#define TEXTS_MAX 512

struct texts {
	char *text[TEXTS_MAX];
	size_t count;
};

static void texts_free(struct texts *texts)
{
	while (texts->count > 0)
		free(texts->text[--texts->count]);
}

/* Sanitizers and gcov bring their own, as do the compiler's start files. */
static bool is_of_the_compiler(const char *name)
{
	static const char *const begins[] = {
		"__asan_", "__ubsan_", "__tsan_",  "__sanitizer_", "__lsan_", "__odr_asan",
		"__gcov_", "__llvm_",  "__start_", "__stop_",	   "_ITM_",   "__gmon_start__"
	};

	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (strncmp(name, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* What a plugin says to the dynamic linker. */
struct links {
	struct texts exported, wanted, libraries;
};

static void add(struct texts *texts, const char *text)
{
	assert_true(texts->count < TEXTS_MAX);
	texts->text[texts->count] = strdup(text);
	assert_non_null(texts->text[texts->count++]);
}

static void read_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct links *links)
{
	Elf_Data *data = elf_getdata(section, NULL);

	for (int i = 0; i < (int)(header->sh_size / header->sh_entsize); i++) {
		GElf_Sym symbol;
		GElf_Dyn entry;
		const char *name;

		if (header->sh_type == SHT_DYNAMIC) {
			assert_non_null(gelf_getdyn(data, i, &entry));
			if (entry.d_tag == DT_NEEDED)
				add(&links->libraries,
				    elf_strptr(elf, header->sh_link, entry.d_un.d_val));
			continue;
		}
		assert_non_null(gelf_getsym(data, i, &symbol));
		name = elf_strptr(elf, header->sh_link, symbol.st_name);
		if (GELF_ST_BIND(symbol.st_info) != STB_LOCAL && name && !is_of_the_compiler(name))
			add(symbol.st_shndx == SHN_UNDEF ? &links->wanted : &links->exported, name);
	}
}

static void read_links(const char *file, struct links *links)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	char path[PATH_MAX];
	Elf *elf;
	int fd;

	snprintf(path, sizeof path, "%s/%s", place, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_not_equal(elf_version(EV_CURRENT), EV_NONE);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(elf);
	while ((section = elf_nextscn(elf, section)) != NULL)
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_DYNSYM || header.sh_type == SHT_DYNAMIC))
			read_section(elf, section, &header, links);
	elf_end(elf);
	close(fd);
}

static void links_free(struct links *links)
{
	texts_free(&links->exported);
	texts_free(&links->wanted);
	texts_free(&links->libraries);
}

static void one_symbol_is_exported(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct links links = { .exported.count = 0 };

		read_links(names[i], &links);
		if (links.exported.count != 1 ||
		    strcmp(links.exported.text[0], WT_PLUGIN_SYMBOL) != 0)
			fail_msg("%s exports %zu symbols, the first is %s", names[i],
				 links.exported.count,
				 links.exported.count ? links.exported.text[0] : "none");
		links_free(&links);
	}
	print_message("%zu plugins\n", count);
}

static bool is_defined(void *const *libraries, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (dlsym(libraries[i], name))
			return true;
	return false;
}

/* Every symbol that a plugin needs is in a library that it names itself: so it
 * can take none from the executable. */
static void none_is_taken_from_the_executable(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct links links = { .exported.count = 0 };
		void *libraries[TEXTS_MAX];

		read_links(names[i], &links);
		assert_true(links.wanted.count > 0 && links.libraries.count > 0);
		for (size_t k = 0; k < links.libraries.count; k++) {
			libraries[k] = dlopen(links.libraries.text[k], RTLD_LAZY | RTLD_LOCAL);
			if (!libraries[k])
				fail_msg("%s", dlerror());
		}
		for (size_t k = 0; k < links.wanted.count; k++)
			if (!is_defined(libraries, links.libraries.count, links.wanted.text[k]))
				fail_msg("%s needs %s, which none of its libraries defines",
					 names[i], links.wanted.text[k]);
		for (size_t k = links.libraries.count; k > 0; k--)
			dlclose(libraries[k - 1]);
		links_free(&links);
	}
}

/* ---- loading and unloading ----------------------------------------------- */

/* Libraries that by their own choice are never unmapped, and why. */
static const struct {
	const char *part;
	const char *why;
} stays[] = {
	{ "/libcrypto.so", "linked with -z nodelete: it cannot undo its exit handlers" },
};

static void assert_only_known_libraries_stay(char *before, char *after)
{
	char *save = NULL;

	for (char *line = strtok_r(after, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *at = strstr(before, line);
		bool known = at && (at == before || at[-1] == '\n') && at[strlen(line)] == '\n';

		for (size_t i = 0; i < sizeof stays / sizeof stays[0] && !known; i++)
			known = strstr(line, stays[i].part) != NULL;
		if (!known)
			fail_msg("%s stays mapped", line);
	}
}

static void all_load_together_and_leave(void **state)
{
	const struct wt_registry_options options = { .plugin_dir = place };
	char *maps = wt_process_maps(), *fds = wt_process_fds(), *now;
	struct wt_registry *registry = wt_registry_new(&options);
	size_t loaded = 0;

	(void)state;
	assert_non_null(registry);
	for (size_t i = 0; i < count; i++) {
		struct wt_error err = WT_ERROR_INIT;
		const struct wt_plugin *plugin = NULL;
		char name[64];
		enum wt_plugin_kind kind = split(names[i], name);
		enum wt_status status = wt_registry_load(registry, kind, name, &plugin, &err);

		if (status == WT_ERR_UNAVAILABLE && kind == WT_KIND_CRYPTO) {
			print_message("skipped: %s\n", err.text);
			continue;
		}
		if (status != WT_OK)
			fail_msg("%s", err.text);
		loaded++;
		assert_true(plugin->descriptor->summary[0] && plugin->descriptor->license[0]);
		assert_true(kind != WT_KIND_CRYPTO || plugin->standard);
	}
	assert_true(loaded > 0);
	wt_registry_free(registry);
	now = wt_process_maps();
	assert_only_known_libraries_stay(maps, now);
	free(now);
	now = wt_process_fds();
	assert_string_equal(now, fds);
	assert_false(wt_process_has_child());
	free(now);
	free(maps);
	free(fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First: the others open libraries. */
		cmocka_unit_test(all_load_together_and_leave),
		cmocka_unit_test(one_symbol_is_exported),
		cmocka_unit_test(none_is_taken_from_the_executable),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
