/* SPDX-License-Identifier: MIT
 *
 * plot.h: a line chart as SVG, with axes, units and a legend, whose colours are
 * classes of the page around it (`s0`, `s1`, ...; `ink`, `grid`).
 */
#ifndef WT_COMPARE_PLOT_H
#define WT_COMPARE_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define WT_PLOT_COLOURS 8u
#define WT_PLOT_POINTS 64u
#define WT_PLOT_SERIES 32u

struct wt_plot_series {
	char name[64];
	double x[WT_PLOT_POINTS], y[WT_PLOT_POINTS];
	size_t n;
	unsigned colour; /* below WT_PLOT_COLOURS */
	bool dashed;
};

struct wt_plot {
	const char *title, *x_label, *y_label; /* with their units */
	bool log_x, log_y;		       /* else from zero */
	struct wt_plot_series series[WT_PLOT_SERIES];
	size_t count;
};

/* The series of that name, new if there is none; NULL: too many. */
struct wt_plot_series *wt_plot_series(struct wt_plot *plot, const char *name);
/* Points beyond WT_PLOT_POINTS are left out. */
void wt_plot_add(struct wt_plot_series *series, double x, double y);
void wt_plot_write(const struct wt_plot *plot, FILE *out);

/* Text for HTML and SVG: & < > " are written as entities. */
void wt_html_text(const char *text, FILE *out);

#endif
