/* SPDX-License-Identifier: MIT
 *
 * page.h: the parts of the page that wt_report_html writes.
 */
#ifndef WT_COMPARE_PAGE_H
#define WT_COMPARE_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* One cell of a table; `class` is "t" for text, "good" or "bad". */
void wt_page_cell(const char *text, const char *class, FILE *out);
void wt_page_number(double value, int digits, FILE *out);
/* A plugin has one colour on the whole page; below WT_PLOT_COLOURS. */
unsigned wt_page_colour(const json_t *report, const char *plugin);

/* The figures that a choice is made by, one line a plugin. */
void wt_page_summary(const json_t *report, FILE *out);
/* The proof: each pair, with the count of its cases, and what is different. */
void wt_page_equality(const json_t *report, FILE *out);
/* Equal to all others that were compared with it, and right? */
bool wt_page_is_sound(const json_t *report, const char *plugin);
void wt_page_speed(const json_t *report, FILE *out);
void wt_page_tunnels(const json_t *report, FILE *out);

#endif
