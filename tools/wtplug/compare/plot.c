/* SPDX-License-Identifier: MIT */
#include "compare/plot.h"

#include <math.h>
#include <string.h>

#define WIDTH 760.0
#define HEIGHT 400.0
#define LEFT 78.0
#define RIGHT 20.0
#define TOP 36.0
#define BOTTOM 58.0
#define LEGEND_ROW 20.0

void wt_html_text(const char *text, FILE *out)
{
	for (const char *p = text; *p; p++) {
		switch (*p) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*p, out);
		}
	}
}

struct wt_plot_series *wt_plot_series(struct wt_plot *plot, const char *name)
{
	for (size_t i = 0; i < plot->count; i++)
		if (strcmp(plot->series[i].name, name) == 0)
			return &plot->series[i];
	if (plot->count == WT_PLOT_SERIES)
		return NULL;
	struct wt_plot_series *series = &plot->series[plot->count];

	memset(series, 0, sizeof *series);
	snprintf(series->name, sizeof series->name, "%s", name);
	series->colour = (unsigned)(plot->count % WT_PLOT_COLOURS);
	plot->count++;
	return series;
}

void wt_plot_add(struct wt_plot_series *series, double x, double y)
{
	if (!series || series->n == WT_PLOT_POINTS)
		return;
	series->x[series->n] = x;
	series->y[series->n++] = y;
}

/* One axis: from values to places on the page. */
struct axis {
	double low, high; /* values; logarithms of them when `log` */
	double from, to;  /* places */
	bool log;
};

static double place(const struct axis *axis, double value)
{
	double v = axis->log ? log10(value) : value;

	return axis->from + (v - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

/* The step of 1, 2 or 5 times a power of ten that makes about `n` ticks. */
static double nice_step(double span, double n)
{
	double raw = span / n, base = pow(10, floor(log10(raw)));

	return base * (raw / base <= 1 ? 1 : raw / base <= 2 ? 2 : raw / base <= 5 ? 5 : 10);
}

static struct axis fit(const struct wt_plot *plot, bool x, double from, double to)
{
	struct axis axis = { .from = from, .to = to, .log = x ? plot->log_x : plot->log_y };
	double low = INFINITY, high = -INFINITY;

	for (size_t s = 0; s < plot->count; s++)
		for (size_t i = 0; i < plot->series[s].n; i++) {
			double v = x ? plot->series[s].x[i] : plot->series[s].y[i];

			low = v < low ? v : low;
			high = v > high ? v : high;
		}
	if (!(high > 0))
		low = high = 1;
	if (axis.log) {
		axis.low = x ? log10(low) : floor(log10(low));
		axis.high = x ? log10(high) : ceil(log10(high));
	} else {
		double step = nice_step(high, 6);

		axis.low = x ? low : 0;
		axis.high = x ? high : ceil(high / step) * step;
	}
	if (axis.high <= axis.low)
		axis.high = axis.low + 1;
	return axis;
}

static void print_number(double value, FILE *out)
{
	if (value >= 10000)
		fprintf(out, "%.0f,%03.0f", floor(value / 1000), fmod(value, 1000));
	else
		fprintf(out, "%g", value);
}

static void x_tick(const struct axis *axis, double value, FILE *out)
{
	double at = place(axis, value);

	fprintf(out,
		"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
		"<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		at, TOP, at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 18);
	print_number(value, out);
	fputs("</text>\n", out);
}

static void y_tick(const struct axis *axis, double value, FILE *out)
{
	double at = place(axis, value);

	fprintf(out,
		"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
		"<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
		LEFT, at, WIDTH - RIGHT, at, LEFT - 8, at + 4);
	print_number(value, out);
	fputs("</text>\n", out);
}

static void write_axes(const struct wt_plot *plot, const struct axis *x, const struct axis *y,
		       FILE *out)
{
	if (x->log) {
		/* Powers of four: what lengths come in. */
		for (double v = 1; v <= pow(10, x->high) * 1.01; v *= 4)
			if (log10(v) >= x->low - 0.01)
				x_tick(x, v, out);
	} else {
		double step = nice_step(x->high - x->low, 8);

		for (double v = x->low; v <= x->high + step / 100; v += step < 1 ? 1 : step)
			x_tick(x, v, out);
	}
	if (y->log) {
		for (double power = y->low; power <= y->high + 0.01; power += 1)
			y_tick(y, pow(10, power), out);
	} else {
		double step = nice_step(y->high, 6);

		for (double v = 0; v <= y->high + step / 100; v += step)
			y_tick(y, v, out);
	}
	fprintf(out, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		(LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 42);
	wt_html_text(plot->x_label, out);
	fprintf(out,
		"</text>\n<text class=\"ink\" text-anchor=\"middle\" "
		"transform=\"translate(18 %.1f) rotate(-90)\">",
		(TOP + HEIGHT - BOTTOM) / 2);
	wt_html_text(plot->y_label, out);
	fputs("</text>\n", out);
}

static void write_series(const struct wt_plot_series *s, const struct axis *x, const struct axis *y,
			 FILE *out)
{
	fprintf(out, "<polyline class=\"line s%u%s\" points=\"", s->colour,
		s->dashed ? " dashed" : "");
	for (size_t i = 0; i < s->n; i++)
		fprintf(out, "%s%.1f,%.1f", i ? " " : "", place(x, s->x[i]), place(y, s->y[i]));
	fputs("\"/>\n", out);
	for (size_t i = 0; i < s->n; i++) {
		fprintf(out, "<circle class=\"dot s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"><title>",
			s->colour, place(x, s->x[i]), place(y, s->y[i]));
		wt_html_text(s->name, out);
		fprintf(out, ": %g at %g</title></circle>\n", s->y[i], s->x[i]);
	}
}

static void write_legend(const struct wt_plot *plot, FILE *out)
{
	for (size_t i = 0; i < plot->count; i++) {
		const struct wt_plot_series *s = &plot->series[i];
		double at_x = LEFT + (double)(i % 3) * 225,
		       at_y = HEIGHT + (double)(i / 3) * LEGEND_ROW;

		fprintf(out,
			"<line class=\"line s%u%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
			"y2=\"%.1f\"/><text class=\"ink\" x=\"%.1f\" y=\"%.1f\">",
			s->colour, s->dashed ? " dashed" : "", at_x, at_y, at_x + 30, at_y,
			at_x + 38, at_y + 4);
		wt_html_text(s->name, out);
		fputs("</text>\n", out);
	}
}

void wt_plot_write(const struct wt_plot *plot, FILE *out)
{
	const struct axis x = fit(plot, true, LEFT, WIDTH - RIGHT);
	const struct axis y = fit(plot, false, HEIGHT - BOTTOM, TOP);
	double height = HEIGHT + (double)((plot->count + 2) / 3) * LEGEND_ROW;

	fprintf(out, "<figure><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", WIDTH,
		height);
	wt_html_text(plot->title, out);
	fprintf(out, "\">\n<text class=\"ink title\" x=\"%.1f\" y=\"20\">", LEFT);
	wt_html_text(plot->title, out);
	fputs("</text>\n", out);
	write_axes(plot, &x, &y, out);
	for (size_t i = 0; i < plot->count; i++)
		write_series(&plot->series[i], &x, &y, out);
	write_legend(plot, out);
	fputs("</svg></figure>\n", out);
}
