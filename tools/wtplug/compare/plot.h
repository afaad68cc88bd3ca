/* SPDX-License-Identifier: MIT
 *
 * plot.h: charts as SVG, with axes, units and a legend: lines with the range of
 * the samples at each point, and bars with each sample on them. Their colours are
 * classes of the page around it (`s0`, `s1`, ... of lines and `f0`, `f1`, ... of
 * areas; `ink`, `grid`).
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
	double low[WT_PLOT_POINTS], high[WT_PLOT_POINTS]; /* of y */
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
/* `low` and `high` of the samples behind y. Points beyond WT_PLOT_POINTS are left
 * out, and so are those of a series that is NULL. */
void wt_plot_add(struct wt_plot_series *series, double x, double y, double low, double high);
void wt_plot_write(const struct wt_plot *plot, FILE *out);

#define WT_BARS_MAX 64u
#define WT_BAR_SAMPLES 16u

struct wt_bar {
	char name[64];
	double value, samples[WT_BAR_SAMPLES];
	size_t n;
	unsigned colour; /* below WT_PLOT_COLOURS */
};

/* One below the other, from zero on. */
struct wt_bars {
	const char *title, *x_label; /* with its unit */
	int digits;		     /* behind the point, of the values beside the bars */
	struct wt_bar bars[WT_BARS_MAX];
	size_t count;
};

void wt_bars_write(const struct wt_bars *bars, FILE *out);

/* Text for HTML and SVG: & < > " are written as entities. */
void wt_html_text(const char *text, FILE *out);

#endif
