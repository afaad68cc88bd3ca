/* SPDX-License-Identifier: MIT
 *
 * loader.h: one plugin from its name to a struct that was checked and tested.
 *
 * The steps, in this order; each failure names plugin, path, step, reason and
 * remedy, and leaves nothing of the file mapped or open:
 *
 *	name		a base name, so that it stays in the plugin directory
 *	file		owners and modes of it and all directories above
 *	note		ELF note: kind, ABI and name, before any code runs
 *	load		dlopen: relocation, constructors
 *	descriptor	sizes, agreement with the note
 *	operations	required slots, limits
 *	keys		its configuration keys
 *	available	can it work on this machine? (crypto)
 *	self-test	does it compute what it says? (crypto)
 *	unload		dlclose: destructors
 *
 * From `load` on everything is done in a forked child first, unless the file is in
 * use in this process already. Main thread, and for a file that is not in use yet the
 * only one.
 */
#ifndef WT_PLUGIN_LOADER_H
#define WT_PLUGIN_LOADER_H

#include "plugin/descriptor.h"

/* What a tool is told after each step that was passed; in the child. `loaded`
 * holds what is known by then. */
typedef void wt_load_visit_fn(void *arg, const char *step, const struct wt_loaded *loaded);

#define WT_PROBE_TIMEOUT_MS 5000u /* a self-test takes some milliseconds */

struct wt_load_request {
	enum wt_plugin_kind kind;
	const char *name;
	const char *dir; /* of wt_place_find */
	bool skip_self_test;
	unsigned probe_timeout_ms;  /* 0: WT_PROBE_TIMEOUT_MS */
	const struct wt_host *host; /* NULL: a base host with the plugin's label */
	wt_load_visit_fn *visit;    /* wt_loaded_try only; may be NULL */
	void *visit_arg;
};

enum wt_status wt_loaded_new(const struct wt_load_request *request, struct wt_loaded **out,
			     struct wt_error *err) WT_MUST_CHECK;
/* For tools, which are handed a file: the steps from `note` on, for the file
 * `path` whatever it is called and whoever can write it; kind, name and dir of
 * the request are not used. err begins with the path. */

/* All in the child; nothing is loaded here. *note is filled as far as it was
 * read, or zero. */
enum wt_status wt_loaded_try(const char *path, const struct wt_load_request *request,
			     struct wt_plugin_note_desc *note, struct wt_error *err) WT_MUST_CHECK;
/* In this process, without a child before and without the self-test: for one
 * that is a child itself. */
enum wt_status wt_loaded_here(const char *path, struct wt_loaded **out,
			      struct wt_error *err) WT_MUST_CHECK;

/* dlclose and free. NULL is allowed. */
void wt_loaded_free(struct wt_loaded *loaded);

/* The sentence of a step that failed: `KIND plugin "NAME" (PATH): STEP: reason`,
 * with control bytes replaced; `PATH: STEP: reason` when `name` is NULL. Returns
 * `status`. One of `path` and `name` may be NULL. */
enum wt_status wt_load_fail(struct wt_error *err, enum wt_status status, enum wt_plugin_kind kind,
			    const char *name, const char *path, const char *step,
			    const char *reason);

#endif
