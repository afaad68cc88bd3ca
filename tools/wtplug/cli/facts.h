/* SPDX-License-Identifier: MIT
 *
 * facts.h: what a plugin's file says, as JSON, with as little of its code run
 * as possible: the ELF note is read from the file, the rest in a forked child.
 *
 * An object with:
 *	file		the path as it was given
 *	kind, name, version, abi	from the note, as far as it was read
 *	usable		true, or false with `step` and `reason`
 *	passed		the steps that were passed, in order
 *	license, summary, algorithm	from the descriptor
 *	sizes		the data of its table of operations, by field name
 *	batch		are there batch operations? (crypto)
 *	vectors		how many known answers it brings (crypto)
 *	keys		its configuration keys
 *	libraries	the shared objects that it brings, and
 *	exports		the names that it exports beside its descriptor (company.h)
 * What was not reached is absent. Texts are clean: no control bytes, UTF-8.
 */
#ifndef WT_CLI_FACTS_H
#define WT_CLI_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <whispertunnel/plugin.h>

#include "plugin/place.h"

/* NULL: out of memory or descriptors. The caller gives the object up. Main
 * thread; takes as long as the plugin's self-test. */
json_t *wt_facts_read(const char *path);

/* Only what its note says, if `file` is open and a plugin's: no code of it runs. Main
 * thread. */
json_t *wt_facts_of_note(const struct wt_plugin_file *file);

/* A string for JSON and terminals: control bytes and what is no UTF-8 become
 * "?". NULL is "". */
json_t *wt_facts_text(const char *text);

/* A text of the object, or `otherwise`. Lives as long as the object. */
const char *wt_facts_get(const json_t *facts, const char *key, const char *otherwise);
bool wt_facts_usable(const json_t *facts);

/* Marks them as not usable, for a reason outside of the file. */
void wt_facts_refuse(json_t *facts, const char *step, const char *reason);

#endif
