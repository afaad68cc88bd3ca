/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "cli/answer.h"
#include "cli/facts.h"
#include "compare/report.h"
#include "conform/crypto/backend.h"
#include "plugin/probe.h"

#define KEYS 2000u
#define TIMEOUT_MS 60000u

/* How libraries that ciphers come from say their version. */
static const char *const version_calls[] = { "sodium_version_string", "imb_get_version_str",
					     "gnutls_check_version",  "wolfSSL_lib_version",
					     "gcry_check_version",    NULL };

static uint64_t now_ns(void)
{
	return wt_clock_system.mono_ns(&wt_clock_system);
}

/* Pages of this process that are in memory. */
static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long size = 0, resident = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What a library calls itself: one of its own functions, or its file's name. */
static json_t *library_version(void *handle)
{
	const char *(*openssl)(int) = (const char *(*)(int))dlsym(handle, "OpenSSL_version");

	if (openssl)
		return wt_facts_text(openssl(0));
	for (size_t i = 0; version_calls[i]; i++) {
		const char *(*call)(const char *) =
			(const char *(*)(const char *))dlsym(handle, version_calls[i]);

		if (call)
			return wt_facts_text(call(NULL));
	}
	return json_null();
}

/* The libraries that came with it. */
static json_t *list_libraries(void *handle, const char *path)
{
	json_t *list = json_array();
	struct link_map *map = NULL;
	char real[PATH_MAX];

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		return list;
	for (; map; map = map->l_next) {
		/* Not itself, not the C library, and no file that does not exist. */
		if (!map->l_name[0] || !realpath(map->l_name, real) ||
		    strcmp(map->l_name, path) == 0 || strstr(real, "/libc.so") ||
		    strstr(real, "/ld-linux") || strstr(real, "/libpthread") ||
		    strstr(real, "/libdl.so"))
			continue;
		json_array_append_new(list, wt_facts_text(real));
	}
	return list;
}

struct setup {
	const char *path;
	int fd;
};

static enum wt_status measure(const struct wt_backend *b, json_t *json, struct wt_error *err)
{
	static const uint8_t key[WT_KEY_SIZE] = { 3 };
	void *ctx = wt_secret_alloc(b->ops->ctx_size, b->ops->ctx_align);
	enum wt_status status = ctx ? WT_OK : wt_fail(err, WT_ERR_NOMEM, "out of memory");
	uint64_t start = now_ns();

	for (unsigned i = 0; status == WT_OK && i < KEYS; i++) {
		status = b->ops->key_init(b->self, NULL, ctx, key);
		if (status == WT_OK)
			b->ops->key_wipe(b->self, ctx);
	}
	json_object_set_new(json, "key_ns", json_integer((json_int_t)((now_ns() - start) / KEYS)));
	json_object_set_new(json, "context_bytes", json_integer(b->ops->ctx_size));
	json_object_set_new(json, "batch", json_boolean(b->ops->seal_batch && b->ops->open_batch));
	wt_secret_free(ctx);
	return status;
}

static enum wt_status run(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	const struct setup *setup = arg;
	json_t *json = json_object();
	long resident = resident_kib();
	uint64_t start = now_ns();
	struct wt_loaded *loaded;
	enum wt_status status = wt_loaded_here(setup->path, &loaded, err);
	uint64_t load = now_ns() - start;
	struct wt_backend *b;

	(void)probe;
	if (status != WT_OK)
		return status;
	json_object_set_new(json, "libraries",
			    list_libraries(loaded->plugin.handle, loaded->plugin.path));
	json_object_set_new(json, "library", library_version(loaded->plugin.handle));
	start = now_ns();
	b = wt_backend_open_file(setup->path, &status, err);
	if (!b)
		return status;
	json_object_set_new(json, "load_us", json_integer((json_int_t)(load / 1000)));
	json_object_set_new(json, "create_us",
			    json_integer((json_int_t)((now_ns() - start) / 1000)));
	json_object_set_new(json, "resident_kib", json_integer(resident_kib() - resident));
	status = measure(b, json, err);
	wt_answer_write(setup->fd, json);
	return status;
}

static void refuse(json_t *plugin, const char *reason)
{
	json_object_set_new(plugin, "available", json_false());
	json_object_set_new(plugin, "reason", wt_facts_text(reason));
}

static void measure_apart(const char *path, json_t *plugin)
{
	struct setup setup = { .path = path, .fd = wt_answer_new() };
	struct wt_probe_result result;
	struct wt_error err = WT_ERROR_INIT;

	if (setup.fd < 0 || wt_probe_run(run, &setup, TIMEOUT_MS, &result, &err) != WT_OK) {
		refuse(plugin, err.text[0] ? err.text : WT_ANSWER_NONE);
	} else if (result.end != WT_PROBE_RETURNED || result.status != WT_OK) {
		refuse(plugin, result.err.text[0] ? result.err.text
						  : "it crashed or hung; run wtplug conform");
	} else {
		json_t *said = wt_answer_read(setup.fd);

		json_object_set_new(plugin, "setup", said ? said : json_object());
	}
	if (setup.fd >= 0)
		close(setup.fd);
}

json_t *wt_setup_measure(const char *path)
{
	json_t *facts = wt_facts_read(path), *plugin = json_object();
	static const char *const taken[] = { "file", "name", "version", "algorithm", "kind" };

	for (size_t i = 0; facts && i < sizeof taken / sizeof taken[0]; i++)
		if (json_object_get(facts, taken[i]))
			json_object_set(plugin, taken[i], json_object_get(facts, taken[i]));
	if (!json_object_get(plugin, "name"))
		json_object_set_new(plugin, "name", wt_facts_text(path));
	if (!facts) {
		refuse(plugin, WT_ANSWER_NONE);
	} else if (!wt_facts_usable(facts)) {
		refuse(plugin, wt_facts_get(facts, "reason", "unknown"));
	} else if (strcmp(wt_facts_get(facts, "kind", ""), "crypto") != 0) {
		refuse(plugin, "it is not a crypto plugin, and others are not compared");
	} else {
		json_object_set_new(plugin, "available", json_true());
		measure_apart(path, plugin);
	}
	json_decref(facts);
	return plugin;
}
