/* SPDX-License-Identifier: MIT */

/* Plugins beside each other in one process: libraries that are there twice are
 * reported, and no name that one exports reaches anybody else. The plugins are
 * tests/fixtures/shared-names. */

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/exports.h"
#include "plugin/libraries.h"
#include "support/fixture.h"
#include "support/logged.h"
#include "support/scratch.h"

static char *place;
static struct wt_registry *registry;

static int setup(void **state)
{
	(void)state;
	place = wt_scratch_new();

	const struct wt_registry_options options = { .plugin_dir = place };

	registry = wt_registry_new(&options);
	return registry ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_registry_free(registry);
	wt_scratch_free(place);
	return 0;
}

static const struct wt_plugin *load(enum wt_plugin_kind kind, const char *name)
{
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL;
	char file[64];

	snprintf(file, sizeof file, "%s-%s.so", wt_kind_text(kind), name);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, file, place, NULL);
	if (wt_registry_load(registry, kind, name, &plugin, &err) != WT_OK)
		fail_msg("%s", err.text);
	return plugin;
}

/* How many warnings there were; the last of them is wt_logged_last(). */
static int doubles(void)
{
	wt_logged_start();
	wt_registry_log_doubles(registry);
	wt_logged_stop();
	return wt_logged_count();
}

static void assert_warned(const char *part)
{
	if (!strstr(wt_logged_last(), part))
		fail_msg("\"%s\" is not in: %s", part, wt_logged_last());
}

/* ---- libraries ----------------------------------------------------------------- */

static void two_versions_of_a_library_are_reported(void **state)
{
	(void)state;
	load(WT_KIND_TRANSPORT, "twin-one");
	assert_int_equal(doubles(), 0);
	const struct wt_plugin *second = load(WT_KIND_CRYPTO, "twin-two");

	assert_int_equal(doubles(), 1);
	assert_warned("libwttwin.so is in this process twice: ");
	assert_warned("/libwttwin.so.1 (transport plugin \"twin-one\") and ");
	assert_warned("/libwttwin.so.2 (crypto plugin \"twin-two\"); ");
	assert_warned("build what brings them against one version");
	wt_registry_drop(registry, second);
	assert_int_equal(doubles(), 0);
}

static void one_library_for_two_plugins_is_none_twice(void **state)
{
	(void)state;
	load(WT_KIND_TRANSPORT, "twin-one");
	load(WT_KIND_CRYPTO, "twin-same");
	assert_int_equal(doubles(), 0);
}

struct twins {
	int count;
	char text[512];
};

static void count_twins(void *arg, const struct wt_library *first, const struct wt_library *second)
{
	struct twins *twins = arg;

	twins->count++;
	snprintf(twins->text, sizeof twins->text, "%s %s/%s", first->family, first->brought_by,
		 second->brought_by);
}

static void the_same_version_from_two_places_is_reported(void **state)
{
	struct wt_libraries libraries = { .count = 0 };
	struct twins twins = { .count = 0 };
	char path[4096];

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "libwttwin.so.1", place, NULL);
	snprintf(path, sizeof path, "%s/libwttwin.so.1", place);
	wt_libraries_look(&libraries, "program");
	wt_libraries_twins(&libraries, count_twins, &twins);
	assert_int_equal(twins.count, 0);

	void *first = dlopen(WT_TEST_FIXTURE_DIR "/libwttwin.so.1", RTLD_NOW | RTLD_LOCAL);

	assert_non_null(first);
	wt_libraries_look(&libraries, "first");
	void *second = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	assert_non_null(second);
	wt_libraries_look(&libraries, "second");
	wt_libraries_look(&libraries, "nobody");
	wt_libraries_twins(&libraries, count_twins, &twins);
	assert_int_equal(twins.count, 1);
	assert_string_equal(twins.text, "libwttwin.so first/second");

	/* What is gone is gone, and comes back as somebody else's. */
	assert_int_equal(dlclose(first), 0);
	wt_libraries_look(&libraries, "nobody");
	twins.count = 0;
	wt_libraries_twins(&libraries, count_twins, &twins);
	assert_int_equal(twins.count, 0);
	assert_int_equal(dlclose(second), 0);
	wt_libraries_clear(&libraries);
}

/* ---- names --------------------------------------------------------------------- */

static void a_copy_inside_of_a_plugin_is_reported(void **state)
{
	(void)state;
	load(WT_KIND_TRANSPORT, "twin-inside");
	assert_int_equal(doubles(), 0);
	load(WT_KIND_CRYPTO, "twin-two");
	assert_int_equal(doubles(), 1);
	assert_warned("transport plugin \"twin-inside\" (");
	assert_warned("exports wt_twin_");
	assert_warned("and 2 names in all, that ");
	assert_warned("/libwttwin.so.2 (crypto plugin \"twin-two\") has as well: ");
	assert_warned("-Wl,--exclude-libs,ALL");
}

static void assert_exports(const char *name, size_t count, const char *first)
{
	struct wt_exports exports;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", WT_TEST_FIXTURE_DIR, name);
	assert_int_equal(wt_exports_read(path, &exports), WT_OK);
	assert_int_equal(exports.count, count);
	bool found = count == 0;

	for (size_t i = 0; i < exports.count; i++)
		found = found || strcmp(exports.names[i], first) == 0;
	assert_true(found);
	wt_exports_clear(&exports);
}

static void only_names_beside_the_descriptor_are_exports(void **state)
{
	(void)state;
	assert_exports("transport-still.so", 0, NULL);
	assert_exports("transport-twin-inside.so", 2, "wt_twin_version");
	assert_exports("transport-names-1.so", 5, "getppid");
	assert_exports("none.so", 0, NULL);
	assert_exports("../CMakeCache.txt", 0, NULL);
}

/* A shared object that is nothing but tables of `count` exported symbols, all
 * with the one name at the start of `names`. Of more than are written the rest is
 * a hole in the file. */
#define WRITTEN 20000u

struct tables {
	ElfW(Ehdr) header;
	ElfW(Shdr) none, symbols, names, again;
};

static void write_tables(const struct tables *tables, size_t count, const char *names,
			 size_t names_size, const char *path)
{
	const ElfW(Sym) symbol = { .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1 };
	FILE *file = fopen(path, "wbe");

	assert_non_null(file);
	assert_int_equal(fwrite(tables, sizeof *tables, 1, file), 1);
	assert_int_equal(fwrite(names, 1, names_size, file), names_size);
	for (size_t i = 0; i < count && i < WRITTEN; i++)
		assert_int_equal(fwrite(&symbol, sizeof symbol, 1, file), 1);
	assert_int_equal(fclose(file), 0);
}

/* How many names are seen of it. */
static size_t count_exports(struct tables *tables, size_t count, const char *names,
			    size_t names_size)
{
	struct wt_exports exports;
	char path[4096];

	snprintf(path, sizeof path, "%s/tables.so", place);
	tables->symbols.sh_offset = tables->again.sh_offset = sizeof *tables + names_size;
	tables->symbols.sh_size = tables->again.sh_size = count * sizeof(ElfW(Sym));
	tables->names.sh_size = names_size;
	write_tables(tables, count, names, names_size, path);
	if (count > WRITTEN)
		assert_int_equal(truncate(path, (off_t)(tables->symbols.sh_offset +
							tables->symbols.sh_size)),
				 0);
	assert_int_equal(wt_exports_read(path, &exports), WT_OK);
	size_t seen = exports.count;

	wt_exports_clear(&exports);
	return seen;
}

static struct tables new_tables(void)
{
	struct tables tables = {
		.symbols = { .sh_type = SHT_DYNSYM,
			     .sh_link = 2,
			     .sh_addralign = 8,
			     .sh_entsize = sizeof(ElfW(Sym)) },
		.names = { .sh_type = SHT_STRTAB, .sh_offset = sizeof tables, .sh_addralign = 1 },
	};
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, &tables.header, sizeof tables.header, 0), sizeof tables.header);
	close(fd);
	tables.again = tables.symbols;
	tables.header.e_type = ET_DYN;
	tables.header.e_phoff = tables.header.e_phnum = tables.header.e_shstrndx = 0;
	tables.header.e_shoff = offsetof(struct tables, none);
	tables.header.e_shnum = 4;
	return tables;
}

/* The file may be made up; what it says it has must not become our memory. */
static void exports_have_bounds(void **state)
{
	struct tables tables = new_tables();
	char name[1025];

	(void)state;
	memset(name, 'a', sizeof name);
	name[1023] = '\0';
	/* One table, though there are two. */
	assert_int_equal(count_exports(&tables, 3, "name", 5), 3);
	assert_int_equal(count_exports(&tables, 16384, "name", 5), 16384);
	assert_int_equal(count_exports(&tables, 20000, "name", 5), 16384);
	assert_int_equal(count_exports(&tables, 1, name, 1024), 1);
	name[1023] = 'a';
	name[1024] = '\0';
	assert_int_equal(count_exports(&tables, 1, name, 1025), 0);
	/* A name that does not end, and none at all. */
	assert_int_equal(count_exports(&tables, 1, "name", 4), 0);
	assert_int_equal(count_exports(&tables, 1, "", 0), 0);
	/* More than 64 MiB. */
	assert_int_equal(count_exports(&tables, (64u << 20) / sizeof(ElfW(Sym)) + 1, "name", 5), 0);
}

typedef int ask_fn(void);

static int ask(const struct wt_plugin *plugin, const char *name)
{
	ask_fn *fn;
	void *symbol = dlsym(plugin->handle, name);

	assert_non_null(symbol);
	memcpy(&fn, &symbol, sizeof fn);
	return fn();
}

static void plugins_see_no_names_of_each_other(void **state)
{
	const struct wt_plugin *first = load(WT_KIND_TRANSPORT, "names-1");
	const struct wt_plugin *second = load(WT_KIND_TRANSPORT, "names-2");

	(void)state;
	assert_int_equal(ask(first, "wt_fixture_ask"), 1);
	assert_int_equal(ask(second, "wt_fixture_ask"), 2);
	assert_null(dlsym(RTLD_DEFAULT, "wt_fixture_which"));
	assert_null(dlsym(RTLD_DEFAULT, WT_PLUGIN_SYMBOL));
}

static void no_plugin_takes_the_place_of_a_function(void **state)
{
	const pid_t parent = getppid();
	const struct wt_plugin *first = load(WT_KIND_TRANSPORT, "names-1");
	const struct wt_plugin *second = load(WT_KIND_TRANSPORT, "names-2");
	ask_fn *found;
	void *symbol = dlsym(RTLD_DEFAULT, "getppid");

	(void)state;
	memcpy(&found, &symbol, sizeof found);
	assert_int_equal(found(), parent);
	assert_int_equal(getppid(), parent);
	/* Nor for another plugin, nor for itself. */
	assert_int_equal(ask(first, "wt_fixture_parent"), parent);
	assert_int_equal(ask(second, "wt_fixture_parent"), parent);
	assert_int_equal(wt_registry_count(registry), 2);
	/* And it is said: of the first with the C library and the second, and the
	 * reverse. */
	assert_int_equal(doubles(), 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(two_versions_of_a_library_are_reported),
		TEST(one_library_for_two_plugins_is_none_twice),
		TEST(the_same_version_from_two_places_is_reported),
		TEST(a_copy_inside_of_a_plugin_is_reported),
		TEST(only_names_beside_the_descriptor_are_exports),
		TEST(exports_have_bounds),
		TEST(plugins_see_no_names_of_each_other),
		TEST(no_plugin_takes_the_place_of_a_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
