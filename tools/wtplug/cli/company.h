/* SPDX-License-Identifier: MIT
 *
 * company.h: what plugins bring into a process and show to each other there
 * (plugin/libraries.h, plugin/exports.h), as parts of their facts (facts.h), and
 * what only one of them may have.
 */
#ifndef WT_CLI_COMPANY_H
#define WT_CLI_COMPANY_H

#include <jansson.h>

#include "plugin/libraries.h"

/* Where wt_libraries_look found what wtplug has itself. */
#define WT_COMPANY_OURS "wtplug"

/* Sets `libraries`: an array of objects with `name` (the SONAME without version)
 * and `path`, of what is loaded and was not `before`, which is looked at again. */
void wt_company_add_libraries(json_t *facts, struct wt_libraries *before);

/* Sets `exports`: an array of names, of the plugin's file. None of its code
 * runs. */
void wt_company_add_exports(json_t *facts, const char *path);

/* Sentences about what these plugins, an array of facts, would do to each other
 * in one process: an array, the caller's. */
json_t *wt_company_warnings(const json_t *plugins);

/* Each on a line of its own, after "warning: ". */
void wt_company_print(const json_t *warnings);

#endif
