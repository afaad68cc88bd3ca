/* SPDX-License-Identifier: MIT */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "plugin/calling.h"
#include "plugin/host.h"
#include "plugin/note.h"
#include "plugin/place.h"
#include "plugin/probe.h"
#include "plugin/selftest.h"

/* Longer paths are shown by their end, to leave room for the reason. */
#define PATH_SHOWN 120

enum step {
	STEP_NAME = 1,
	STEP_FILE,
	STEP_NOTE,
	STEP_PROBE,
	STEP_LOAD,
	STEP_DESCRIPTOR,
	STEP_OPERATIONS,
	STEP_KEYS,
	STEP_AVAILABLE,
	STEP_SELF_TEST,
	STEP_UNLOAD,
	STEPS
};

static const char *const step_text[STEPS] = {
	[0] = "start",
	[STEP_NAME] = "name",
	[STEP_FILE] = "file",
	[STEP_NOTE] = "note",
	[STEP_PROBE] = "probe",
	[STEP_LOAD] = "load",
	[STEP_DESCRIPTOR] = "descriptor",
	[STEP_OPERATIONS] = "operations",
	[STEP_KEYS] = "keys",
	[STEP_AVAILABLE] = "available",
	[STEP_SELF_TEST] = "self-test",
	[STEP_UNLOAD] = "unload",
};

/* Where code of the plugin runs, in words for "while it ran ...". */
static const char *const step_code[STEPS] = {
	[STEP_LOAD] = "its constructors",
	[STEP_AVAILABLE] = "its availability test",
	[STEP_SELF_TEST] = "its self-test",
	[STEP_UNLOAD] = "its destructors",
};

struct loading {
	const struct wt_load_request *request;
	const char *named; /* the file, of a tool; NULL: by kind and name */
	struct wt_plugin_file file;
	struct wt_plugin_note_desc note;
	struct wt_host_instance base_host;
	const struct wt_host *host;
	struct wt_loaded *loaded;
	struct wt_probe *probe; /* in the child; NULL in this process */
	enum step step;
};

static void enter(struct loading *loading, enum step step)
{
	loading->step = step;
	if (loading->probe)
		wt_probe_step(loading->probe, step);
}

static void passed(const struct loading *loading)
{
	if (loading->probe && loading->request->visit)
		loading->request->visit(loading->request->visit_arg, step_text[loading->step],
					loading->loaded);
}

/* ---- messages ------------------------------------------------------------ */

enum wt_status wt_load_fail(struct wt_error *err, enum wt_status status, enum wt_plugin_kind kind,
			    const char *name, const char *path, const char *step,
			    const char *reason)
{
	size_t len = path ? strlen(path) : 0;
	bool cut = len > PATH_SHOWN;

	if (!name)
		wt_fail(err, status, "%s%s: %s: %s", cut ? "..." : "",
			cut ? path + len - PATH_SHOWN : path, step, reason);
	else if (path)
		wt_fail(err, status, "%s plugin \"%s\" (%s%s): %s: %s", wt_kind_text(kind), name,
			cut ? "..." : "", cut ? path + len - PATH_SHOWN : path, step, reason);
	else
		wt_fail(err, status, "%s plugin \"%.40s\": %s: %s", wt_kind_text(kind), name, step,
			reason);
	/* Reasons hold names and texts of the plugin: no control character of theirs may
	 * reach a terminal, nor what is left of one that was cut. */
	if (err)
		wt_utf8_clean(err->text);
	return status;
}

static enum wt_status fail(const struct loading *loading, enum wt_status status,
			   const struct wt_error *why, struct wt_error *err)
{
	return wt_load_fail(
		err, status, loading->request->kind, loading->named ? NULL : loading->request->name,
		loading->named ? loading->named : loading->file.path, step_text[loading->step],
		why->text[0] ? why->text : wt_status_text(status));
}

/* Why the child did not come back. */
static enum wt_status say_how_it_ended(const struct wt_probe_result *result, unsigned timeout_ms,
				       struct wt_error *err)
{
	const char *code = result->step < STEPS ? step_code[result->step] : NULL;
	const char *name = sigabbrev_np(result->signal);
	char said[sizeof result->said + 16] = "";

	if (!code)
		code = "it was examined";
	if (result->said[0])
		snprintf(said, sizeof said, ", saying \"%s\"", result->said);
	if (result->end == WT_PROBE_TIMED_OUT)
		return wt_fail(err, WT_ERR_INVALID,
			       "hung: %s did not end within %u ms%s; install another build of it, "
			       "or name another plugin",
			       code, timeout_ms, said);
	if (result->end == WT_PROBE_EXITED)
		return wt_fail(err, WT_ERR_INVALID,
			       "ended the process with status %d during %s%s; install another "
			       "build of it, or name another plugin",
			       result->exit_status, code, said);
	if (result->signal == SIGILL)
		return wt_fail(err, WT_ERR_UNAVAILABLE,
			       "crashed with SIGILL during %s%s: it was built for another CPU; "
			       "build it for this one, or name another plugin",
			       code, said);
	return wt_fail(err, WT_ERR_INVALID,
		       "crashed with SIG%s during %s%s; install another build of it, or name "
		       "another plugin",
		       name ? name : "?", code, said);
}

/* ---- steps without code of the plugin ------------------------------------ */

static enum wt_status check_name(const char *name, struct wt_error *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (len >= 1 && len <= WT_NAME_MAX && name[len] == '\0')
		return WT_OK;
	return wt_fail(err, WT_ERR_CONFIG,
		       "a plugin is named by 1 to %u of a-z, 0-9 and -, without directory, kind "
		       "and .so; the directory goes into plugin_dir",
		       WT_NAME_MAX);
}

static enum wt_status check_note(const struct loading *loading, struct wt_error *err)
{
	const struct wt_plugin_note_desc *note = &loading->note;
	const char *wanted = wt_kind_text(loading->request->kind);

	if (note->kind != (uint32_t)loading->request->kind)
		return wt_fail(err, WT_ERR_INVALID,
			       "is a plugin of kind %s, not %s; name it in a section of its kind "
			       "and call the file by it",
			       wt_kind_text((enum wt_plugin_kind)note->kind), wanted);
	if (strcmp(note->name, loading->request->name) != 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "says its name is \"%s\"; the file must be called %s-%s.so",
			       note->name, wanted, note->name);
	return WT_OK;
}

/* ---- steps that run it --------------------------------------------------- */

static enum wt_status open_library(struct loading *loading, struct wt_error *err)
{
	const char *path = loading->file.path;
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		const char *why = dlerror();
		size_t len = strlen(path);

		if (!why)
			why = "unknown reason";
		/* The path is in the message already. */
		if (strncmp(why, path, len) == 0 && why[len] == ':')
			why += len + 1 + (why[len + 1] == ' ');
		return wt_fail(err, WT_ERR_UNAVAILABLE,
			       "%s; install what it needs, or another build of it", why);
	}
	loading->loaded->plugin.handle = handle;
	/* dlopen looked the path up once more. Nobody but root and ourselves
	 * could have put another file there, as every directory on the way was
	 * found closed to others; what this sees is an upgrade under way. */
	if (!wt_plugin_file_unchanged(&loading->file))
		return wt_fail(err, WT_ERR_IO,
			       "the file was replaced while it was being loaded; start again");
	return WT_OK;
}

static enum wt_status find_descriptor(struct loading *loading, const void **raw,
				      struct wt_error *err)
{
	void *handle = loading->loaded->plugin.handle;
	struct link_map *own = NULL, *found = NULL;
	Dl_info info;

	*raw = dlsym(handle, WT_PLUGIN_SYMBOL);
	/* dlsym also looks into the libraries that the plugin needs. */
	if (!*raw || dlinfo(handle, RTLD_DI_LINKMAP, &own) != 0 ||
	    !dladdr1(*raw, &info, (void **)&found, RTLD_DL_LINKMAP) || found != own)
		return wt_fail(err, WT_ERR_INVALID,
			       "does not export the symbol " WT_PLUGIN_SYMBOL
			       "; write it with WT_PLUGIN of <whispertunnel/plugin.h>");
	return WT_OK;
}

static enum wt_status ask_available(const struct loading *loading, struct wt_error *err)
{
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status = loading->loaded->plugin.ops.crypto.available(loading->host, &why);

	if (status == WT_OK)
		return WT_OK;
	why.text[sizeof why.text - 1] = '\0';
	return wt_fail(err, status, "cannot work on this machine: %.300s; name another plugin",
		       why.text[0] ? why.text : wt_status_text(status));
}

static enum wt_status test_crypto(struct loading *loading, struct wt_error *err)
{
	enum wt_status status;

	enter(loading, STEP_AVAILABLE);
	status = ask_available(loading, err);
	if (status != WT_OK)
		return status;
	passed(loading);
	if (loading->request->skip_self_test)
		return WT_OK;
	enter(loading, STEP_SELF_TEST);
	status = wt_selftest_run(loading->loaded, loading->host, err);
	if (status == WT_OK)
		passed(loading);
	return status;
}

/* All steps from `load` on; the same in the child and here. */
static enum wt_status take(struct loading *loading, struct wt_error *err)
{
	struct wt_loaded *loaded = loading->loaded;
	enum wt_status status;
	const void *raw;

	enter(loading, STEP_LOAD);
	status = open_library(loading, err);
	if (status != WT_OK)
		return status;
	passed(loading);
	enter(loading, STEP_DESCRIPTOR);
	status = find_descriptor(loading, &raw, err);
	if (status == WT_OK)
		status = wt_descriptor_take(loaded, raw, &loading->note, err);
	if (status != WT_OK)
		return status;
	passed(loading);
	enter(loading, STEP_OPERATIONS);
	status = wt_ops_take(loaded, err);
	if (status != WT_OK)
		return status;
	passed(loading);
	enter(loading, STEP_KEYS);
	status = wt_keys_take(loaded, err);
	if (status != WT_OK)
		return status;
	passed(loading);
	return loading->note.kind == WT_KIND_CRYPTO ? test_crypto(loading, err) : WT_OK;
}

static enum wt_status take_and_drop(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	struct loading *loading = arg;
	enum wt_status status;

	loading->probe = probe;
	status = take(loading, err);
	if (status != WT_OK)
		return status;
	enter(loading, STEP_UNLOAD);
	dlclose(loading->loaded->plugin.handle);
	return WT_OK;
}

static enum wt_status probe(struct loading *loading, struct wt_error *err)
{
	unsigned timeout_ms = loading->request->probe_timeout_ms;
	struct wt_probe_result result;
	enum wt_status status;

	if (timeout_ms == 0)
		timeout_ms = WT_PROBE_TIMEOUT_MS;
	loading->step = STEP_PROBE;
	status = wt_probe_run(take_and_drop, loading, timeout_ms, &result, err);
	if (status != WT_OK)
		return status;
	if (result.step > 0 && result.step < STEPS)
		loading->step = (enum step)result.step;
	if (result.end != WT_PROBE_RETURNED)
		return say_how_it_ended(&result, timeout_ms, err);
	if (result.status != WT_OK)
		return wt_fail(err, result.status, "%s", result.err.text);
	return WT_OK;
}

/* Does its code run in this process already, for another instance? Then a child has
 * nothing to find out any more, and may not be had: other threads may run by now. */
static bool runs_here(const struct loading *loading)
{
	void *handle = dlopen(loading->file.path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);

	return handle && dlclose(handle) == 0;
}

static enum wt_status read_note(struct loading *loading, struct wt_error *err)
{
	loading->step = STEP_NOTE;
	return wt_note_read(loading->file.fd, (uint64_t)loading->file.st.st_size, &loading->note,
			    err);
}

static enum wt_status make_host(struct loading *loading, struct wt_error *err)
{
	const struct wt_plugin_note_desc *note = &loading->note;
	enum wt_status status = wt_host_base_init(
		&loading->base_host, (enum wt_plugin_kind)note->kind, note->name, NULL, NULL, err);

	loading->host = loading->request->host ? loading->request->host : &loading->base_host.host;
	return status;
}

static enum wt_status examine(struct loading *loading, struct wt_error *err)
{
	const struct wt_load_request *request = loading->request;
	enum wt_status status;

	loading->step = STEP_NAME;
	status = check_name(request->name, err);
	if (status != WT_OK)
		return status;
	loading->step = STEP_FILE;
	status = wt_plugin_file_open(request->dir, request->kind, request->name, &loading->file,
				     err);
	if (status != WT_OK)
		return status;
	status = read_note(loading, err);
	if (status == WT_OK)
		status = check_note(loading, err);
	if (status == WT_OK)
		status = make_host(loading, err);
	if (status == WT_OK && !runs_here(loading))
		status = probe(loading, err);
	return status == WT_OK ? take(loading, err) : status;
}

/* The same without anything that it should agree with. */
static enum wt_status check_own_note(const struct wt_plugin_note_desc *note, struct wt_error *err)
{
	if (note->kind < WT_KIND_CRYPTO || note->kind > WT_KIND_AUTH)
		return wt_fail(err, WT_ERR_INVALID,
			       "says it is of kind %u, which there is not; write the note with "
			       "WT_PLUGIN",
			       note->kind);
	return check_name(note->name, err);
}

/* The very file that somebody named. */
static enum wt_status examine_file(struct loading *loading, struct wt_error *err)
{
	enum wt_status status;

	loading->step = STEP_FILE;
	status = wt_plugin_file_take(loading->named, &loading->file, err);
	if (status == WT_OK)
		status = read_note(loading, err);
	if (status == WT_OK)
		status = check_own_note(&loading->note, err);
	return status == WT_OK ? make_host(loading, err) : status;
}

/* What every way to load ends with: the plugin in *out (NULL: it is dropped), or
 * why there is none. */
static enum wt_status finish(struct loading *loading, enum wt_status status,
			     const struct wt_error *why, struct wt_loaded **out,
			     struct wt_error *err)
{
	if (status != WT_OK) {
		fail(loading, status, why, err);
	} else if (out) {
		loading->loaded->plugin.path = loading->file.path;
		loading->file.path = NULL;
		*out = loading->loaded;
		loading->loaded = NULL;
	}
	wt_loaded_free(loading->loaded);
	wt_plugin_file_close(&loading->file);
	return status;
}

enum wt_status wt_loaded_new(const struct wt_load_request *request, struct wt_loaded **out,
			     struct wt_error *err)
{
	struct loading loading = { .request = request, .file = { .fd = -1 } };
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;

	loading.loaded = calloc(1, sizeof *loading.loaded);
	if (loading.loaded)
		status = examine(&loading, &why);
	return finish(&loading, status, &why, out, err);
}

enum wt_status wt_loaded_try(const char *path, const struct wt_load_request *request,
			     struct wt_plugin_note_desc *note, struct wt_error *err)
{
	struct loading loading = { .request = request, .named = path, .file = { .fd = -1 } };
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;

	loading.loaded = calloc(1, sizeof *loading.loaded);
	if (loading.loaded)
		status = examine_file(&loading, &why);
	*note = loading.note;
	if (status == WT_OK)
		status = probe(&loading, &why);
	return finish(&loading, status, &why, NULL, err);
}

enum wt_status wt_loaded_here(const char *path, struct wt_loaded **out, struct wt_error *err)
{
	const struct wt_load_request request = { .skip_self_test = true };
	struct loading loading = { .request = &request, .named = path, .file = { .fd = -1 } };
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;

	loading.loaded = calloc(1, sizeof *loading.loaded);
	if (loading.loaded)
		status = examine_file(&loading, &why);
	if (status == WT_OK)
		status = take(&loading, &why);
	return finish(&loading, status, &why, out, err);
}

void wt_loaded_free(struct wt_loaded *loaded)
{
	if (!loaded)
		return;
	wt_calling_forget(&loaded->plugin);
	if (loaded->plugin.handle)
		dlclose(loaded->plugin.handle);
	free(loaded->plugin.algorithm);
	free(loaded->plugin.path);
	free(loaded);
}
