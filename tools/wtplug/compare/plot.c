/* SPDX-License-Identifier: MIT */
#include "compare/plot.h"

#include <math.h>
#include <string.h>

#define WIDTH 760.0
#define HEIGHT 400.0
#define LEFT 78.0
#define RIGHT 36.0
#define TOP 36.0
#define BOTTOM 58.0
#define LEGEND_ROW 20.0
#define LEGEND_WIDTH 640.0
/* Of a letter, about: text is not measured here. */
#define LETTER 7.5
#define LEGEND_LINE 38.0
#define BARS_LEFT 300.0
#define BARS_RIGHT 70.0
#define BAR_ROW 30.0
#define BAR_HEIGHT 18.0

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

void wt_plot_add(struct wt_plot_series *series, double x, double y, double low, double high)
{
	if (!series || series->n == WT_PLOT_POINTS)
		return;
	series->x[series->n] = x;
	series->low[series->n] = low;
	series->high[series->n] = high;
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
			const struct wt_plot_series *at = &plot->series[s];
			double least = x ? at->x[i] : at->low[i];
			double most = x ? at->x[i] : at->high[i];

			low = least < low ? least : low;
			high = most > high ? most : high;
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
	/* A sum of steps is not quite a round number. */
	value = round(value * 1e6) / 1e6;
	if (value >= 1e6)
		fprintf(out, "%.0f,%03.0f,%03.0f", floor(value / 1e6),
			floor(fmod(value, 1e6) / 1000), fmod(value, 1000));
	else if (value >= 1000)
		fprintf(out, "%.0f,%03.0f", floor(value / 1000), fmod(value, 1000));
	else
		fprintf(out, "%g", value);
}

static void x_tick(const struct axis *axis, double value, double bottom, FILE *out)
{
	double at = place(axis, value);

	fprintf(out,
		"<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
		"<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		at, TOP, at, bottom, at, bottom + 18);
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
				x_tick(x, v, HEIGHT - BOTTOM, out);
	} else {
		double step = nice_step(x->high - x->low, 8);

		for (double v = x->low; v <= x->high + step / 100; v += step < 1 ? 1 : step)
			x_tick(x, v, HEIGHT - BOTTOM, out);
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

/* What a point or a bar says when it is pointed at. */
static void write_title(const char *name, const char *at, double y, double low, double high,
			FILE *out)
{
	fputs("<title>", out);
	wt_html_text(name, out);
	fprintf(out, "%s: %.4g (%.4g to %.4g)</title>", at, y, low, high);
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
		const double at = place(x, s->x[i]);
		char where[32];

		snprintf(where, sizeof where, " at %g", s->x[i]);
		fprintf(out,
			"<line class=\"range s%u\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
			"y2=\"%.1f\"/><circle class=\"dot s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\">",
			s->colour, at, place(y, s->low[i]), at, place(y, s->high[i]), s->colour, at,
			place(y, s->y[i]));
		write_title(s->name, where, s->y[i], s->low[i], s->high[i], out);
		fputs("</circle>\n", out);
	}
}

/* As many columns as the longest name leaves room for. */
static size_t legend_columns(const struct wt_plot *plot)
{
	double longest = 1;

	for (size_t i = 0; i < plot->count; i++)
		longest = fmax(longest, (double)strlen(plot->series[i].name));
	double columns = floor(LEGEND_WIDTH / (LEGEND_LINE + 20 + longest * LETTER));

	return columns < 1 ? 1 : columns > 4 ? 4 : (size_t)columns;
}

static void write_legend(const struct wt_plot *plot, size_t columns, FILE *out)
{
	for (size_t i = 0; i < plot->count; i++) {
		const struct wt_plot_series *s = &plot->series[i];
		double at_x = LEFT + (double)(i % columns) * LEGEND_WIDTH / (double)columns,
		       at_y = HEIGHT + (double)(i / columns) * LEGEND_ROW;

		fprintf(out,
			"<line class=\"line s%u%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
			"y2=\"%.1f\"/><text class=\"ink\" x=\"%.1f\" y=\"%.1f\">",
			s->colour, s->dashed ? " dashed" : "", at_x, at_y, at_x + 30, at_y,
			at_x + LEGEND_LINE, at_y + 4);
		wt_html_text(s->name, out);
		fputs("</text>\n", out);
	}
}

static void open_figure(const char *title, double height, FILE *out)
{
	fprintf(out,
		"<figure class=\"scroll\"><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
		"aria-label=\"",
		WIDTH, height);
	wt_html_text(title, out);
	fputs("\">\n<text class=\"ink title\" x=\"8\" y=\"20\">", out);
	wt_html_text(title, out);
	fputs("</text>\n", out);
}

void wt_plot_write(const struct wt_plot *plot, FILE *out)
{
	const struct axis x = fit(plot, true, LEFT, WIDTH - RIGHT);
	const struct axis y = fit(plot, false, HEIGHT - BOTTOM, TOP);
	const size_t columns = legend_columns(plot);
	double rows = (double)((plot->count + columns - 1) / columns);

	open_figure(plot->title, HEIGHT + rows * LEGEND_ROW, out);
	write_axes(plot, &x, &y, out);
	for (size_t i = 0; i < plot->count; i++)
		write_series(&plot->series[i], &x, &y, out);
	write_legend(plot, columns, out);
	fputs("</svg></figure>\n", out);
}

/* ---- bars ---------------------------------------------------------------- */

static void write_bar(const struct wt_bar *bar, const struct axis *x, double top, int digits,
		      FILE *out)
{
	const double middle = top + BAR_HEIGHT / 2;
	double low = bar->value, high = bar->value;

	fprintf(out, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
		BARS_LEFT - 10, middle + 4);
	wt_html_text(bar->name, out);
	fprintf(out,
		"</text><rect class=\"bar f%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%.1f\">",
		bar->colour, BARS_LEFT, top, place(x, bar->value) - BARS_LEFT, BAR_HEIGHT);
	for (size_t i = 0; i < bar->n; i++) {
		low = fmin(low, bar->samples[i]);
		high = fmax(high, bar->samples[i]);
	}
	write_title(bar->name, "", bar->value, low, high, out);
	fprintf(out,
		"</rect><line class=\"range s%u\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
		"y2=\"%.1f\"/>",
		bar->colour, place(x, low), middle, place(x, high), middle);
	for (size_t i = 0; i < bar->n; i++)
		fprintf(out, "<circle class=\"dot s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>",
			bar->colour, place(x, bar->samples[i]), middle);
	fprintf(out,
		"<text class=\"ink value\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n",
		WIDTH - 8, middle + 4, digits, bar->value);
}

void wt_bars_write(const struct wt_bars *bars, FILE *out)
{
	struct axis x = { .from = BARS_LEFT, .to = WIDTH - BARS_RIGHT };
	const double bottom = TOP + (double)bars->count * BAR_ROW + 8;
	double high = 0, step;

	for (size_t i = 0; i < bars->count; i++) {
		high = fmax(high, bars->bars[i].value);
		for (size_t k = 0; k < bars->bars[i].n; k++)
			high = fmax(high, bars->bars[i].samples[k]);
	}
	step = nice_step(high > 0 ? high : 1, 5);
	x.high = ceil((high > 0 ? high : 1) / step) * step;
	open_figure(bars->title, bottom + 50, out);
	for (double v = 0; v <= x.high + step / 100; v += step)
		x_tick(&x, v, bottom, out);
	for (size_t i = 0; i < bars->count; i++)
		write_bar(&bars->bars[i], &x, TOP + 8 + (double)i * BAR_ROW, bars->digits, out);
	fprintf(out, "<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">",
		(BARS_LEFT + WIDTH - BARS_RIGHT) / 2, bottom + 40);
	wt_html_text(bars->x_label, out);
	fputs("</text>\n</svg></figure>\n", out);
}
