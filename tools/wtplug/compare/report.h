/* SPDX-License-Identifier: MIT
 *
 * report.h: a comparison of crypto plugins as one JSON object, which text, HTML
 * and files are made from:
 *
 *	machine		processor, its features, kernel, load
 *	plugins		name, version, algorithm, file; available, or why not; libraries;
 *			setup and memory
 *	equality	cases, and for each pair whether all were equal
 *	speed		for each plugin, operation, batch and length: ns and MB/s, the best
 *			and the median of the samples, and these
 *	threads		the same for 1..N threads at once, as MB/s together
 *	tunnel		available, or why not; `rows`: for each backend, or pair of two, and
 *			each transport what a tunnel between two daemons carries (mb_s), what
 *			it takes (cpu_s_gb, of both) and how long a message takes there and
 *			back (rtt_us); or the `reason` or `failure` that it is not there
 *
 * Plugins' code runs in child processes only. Main thread.
 */
#ifndef WT_COMPARE_REPORT_H
#define WT_COMPARE_REPORT_H

#include <jansson.h>
#include <stdio.h>
#include <whispertunnel/status.h>

struct wt_compare_options {
	unsigned rounds;  /* samples of each figure */
	unsigned turn_us; /* how long one takes */
	unsigned threads; /* the largest number of threads; 0: none are measured */
	unsigned level;	  /* of the comparison of bytes: 2 or 3 */
	/* Of tunnels: samples of each figure (0: leave them out), how long one streams,
	 * and of how many messages one is. */
	unsigned tunnel_rounds, stream_ms, echoes;
	const char *wtcore;	/* the daemon; NULL: beside this program or in PATH */
	const char *plugin_dir; /* where its other plugins are; NULL: as wt_place_find */
};

/* `files` are paths. Progress is told on standard error when that is a terminal.
 * NULL: out of memory. The caller gives it up. */
json_t *wt_report_new(const struct wt_compare_options *options, char *const *files, size_t n);

/* Is there a plugin that could be used? */
int wt_report_any(const json_t *report);
/* Are all pairs equal, and all that are available good? */
int wt_report_sound(const json_t *report);

void wt_report_print(const json_t *report, FILE *out);
/* A page that stands alone. */
void wt_report_html(const json_t *report, FILE *out);

/* ---- its parts, by file -------------------------------------------------- */

json_t *wt_machine_describe(void);
/* One plugin: what it is, and when it can be used what it takes to set it up. */
json_t *wt_setup_measure(const char *path);
json_t *wt_equality_prove(const struct wt_compare_options *options, const json_t *plugins);
/* Sets `speed` and `threads`, or `speed_failure`. */
void wt_speed_measure(const struct wt_compare_options *options, json_t *report);
/* Does this daemon run? In a child; WT_ERR_UNAVAILABLE: err says why it does not. */
enum wt_status wt_end_to_end_try(const char *wtcore, struct wt_error *err) WT_MUST_CHECK;
/* Sets `tunnel`. */
void wt_end_to_end_measure(const struct wt_compare_options *options, json_t *report);
/* What of it is a line of its own on a page: "aesgcm-openssl - aesgcm-sodium, tcp". */
void wt_end_to_end_name(const json_t *row, char *name, size_t size);

/* Texts and numbers of an object; "" and 0 when absent. */
const char *wt_report_text(const json_t *object, const char *key);
double wt_report_number(const json_t *object, const char *key);
int wt_report_available(const json_t *plugin);

#endif
