/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "compare/figures.h"
#include "compare/page.h"
#include "compare/plot.h"
#include "compare/report.h"

/* A full packet of Ethernet in a tunnel, and the longest record of a stream. */
#define PACKET 1420.0
#define LONGEST 65535.0

/* ---- in short ------------------------------------------------------------ */

static double speed_of(const json_t *report, const char *plugin, const char *operation,
		       double bytes)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(report, "speed"), i, row)
	{
		if (strcmp(wt_report_text(row, "plugin"), plugin) == 0 &&
		    strcmp(wt_report_text(row, "operation"), operation) == 0 &&
		    wt_report_number(row, "batch") <= 1 && wt_report_number(row, "bytes") == bytes)
			return wt_report_number(row, "mb_s");
	}
	return 0;
}

/* Through a tunnel of that plugin at both ends; negative: not measured. */
static double tunnel_of(const json_t *report, const char *plugin, const char *transport)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(json_object_get(report, "tunnel"), "rows"), i, row)
	{
		if (wt_report_available(row) && strcmp(wt_report_text(row, "a"), plugin) == 0 &&
		    strcmp(wt_report_text(row, "b"), plugin) == 0 &&
		    strcmp(wt_report_text(row, "transport"), transport) == 0)
			return wt_report_number(json_object_get(row, "mb_s"), "median");
	}
	return -1;
}

void wt_page_summary(const json_t *report, FILE *out)
{
	json_t *p;
	size_t i;

	fputs("<h2>In short</h2>\n<div class=\"scroll\"><table><tr><th>MB/s</th>"
	      "<th>agrees with<br>the others</th>"
	      "<th>seal<br>1420 bytes</th><th>open<br>1420 bytes</th><th>seal<br>65535 bytes</th>"
	      "<th>open<br>65535 bytes</th><th>through a tunnel,<br>TCP</th>"
	      "<th>through a tunnel,<br>UDP</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(report, "plugins"), i, p)
	{
		const char *name = wt_report_text(p, "name");

		if (!wt_report_available(p))
			continue;
		fputs("<tr>", out);
		wt_page_cell(name, "t", out);
		wt_page_cell(wt_page_is_sound(report, name) ? "yes" : "no",
			     wt_page_is_sound(report, name) ? "good" : "bad", out);
		for (int form = 0; form < 4; form++)
			wt_page_number(speed_of(report, name, form % 2 ? "open" : "seal",
						form / 2 ? LONGEST : PACKET),
				       0, out);
		for (int udp = 0; udp < 2; udp++) {
			double rate = tunnel_of(report, name, udp ? "udp" : "tcp");

			if (rate < 0)
				wt_page_cell("not measured", "note", out);
			else
				wt_page_number(rate, 0, out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* ---- speed --------------------------------------------------------------- */

/* One row as a point: its cost in ns, or what follows of it in MB/s. */
static void add_point(const json_t *report, struct wt_plot *plot, const json_t *row, bool rate)
{
	struct wt_plot_series *series = wt_plot_series(plot, wt_report_text(row, "plugin"));
	const double bytes = wt_report_number(row, "bytes");
	double low, high, best = wt_report_number(row, "best");

	wt_figures_range(row, &low, &high);
	if (!series || !(low > 0))
		return;
	series->colour = wt_page_colour(report, wt_report_text(row, "plugin"));
	if (rate)
		wt_plot_add(series, bytes, bytes * 1000 / best, bytes * 1000 / high,
			    bytes * 1000 / low);
	else
		wt_plot_add(series, bytes, best, low, high);
}

static void plot_speed(const json_t *report, const char *operation, bool batch, bool rate,
		       const char *title, FILE *out)
{
	struct wt_plot *plot = calloc(1, sizeof *plot);
	json_t *row;
	size_t i;

	if (!plot)
		return;
	plot->title = title;
	plot->x_label = "text of a record, bytes (logarithmic)";
	plot->y_label = rate ? "MB/s" : "ns (logarithmic)";
	plot->log_x = true;
	plot->log_y = !rate;
	json_array_foreach(json_object_get(report, "speed"), i,
			   row) if (strcmp(wt_report_text(row, "operation"), operation) == 0 &&
				    (wt_report_number(row, "batch") > 1) == batch)
		add_point(report, plot, row, rate);
	if (plot->count > 0)
		wt_plot_write(plot, out);
	free(plot);
}

static void plot_threads(const json_t *report, FILE *out)
{
	struct wt_plot *plot = calloc(1, sizeof *plot);
	json_t *row;
	size_t i;

	if (!plot)
		return;
	plot->title = "Seal on several threads at once";
	plot->x_label = "threads";
	plot->y_label = "all threads together, MB/s";
	json_array_foreach(json_object_get(report, "threads"), i, row)
	{
		double low, high;
		char name[64];

		snprintf(name, sizeof name, "%.40s, %.0f bytes", wt_report_text(row, "plugin"),
			 wt_report_number(row, "bytes"));
		struct wt_plot_series *series = wt_plot_series(plot, name);

		if (!series)
			continue;
		series->colour = wt_page_colour(report, wt_report_text(row, "plugin"));
		series->dashed = wt_report_number(row, "bytes") > 4096;
		wt_figures_range(row, &low, &high);
		wt_plot_add(series, wt_report_number(row, "threads"), wt_report_number(row, "mb_s"),
			    low, high);
	}
	if (plot->count > 0 && plot->series[0].n > 1)
		wt_plot_write(plot, out);
	free(plot);
}

static void write_speed_table(const json_t *rows, FILE *out)
{
	json_t *row;
	size_t i;

	fputs("<details><summary>All figures</summary><div class=\"scroll\"><table><tr>"
	      "<th>plugin</th><th class=\"t\">operation</th><th>batch</th><th>bytes</th>"
	      "<th>best,<br>ns a record</th><th>median,<br>ns a record</th>"
	      "<th>worst,<br>ns a record</th><th>MB/s</th></tr>\n",
	      out);
	json_array_foreach(rows, i, row)
	{
		double low, high;

		wt_figures_range(row, &low, &high);
		fputs("<tr>", out);
		wt_page_cell(wt_report_text(row, "plugin"), "t", out);
		wt_page_cell(wt_report_text(row, "operation"), "t", out);
		wt_page_number(wt_report_number(row, "batch"), 0, out);
		wt_page_number(wt_report_number(row, "bytes"), 0, out);
		wt_page_number(wt_report_number(row, "best"), 1, out);
		wt_page_number(wt_report_number(row, "median"), 1, out);
		wt_page_number(high, 1, out);
		wt_page_number(wt_report_number(row, "mb_s"), 0, out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div></details>\n", out);
}

void wt_page_speed(const json_t *report, FILE *out)
{
	const json_t *run = json_object_get(report, "run");

	fprintf(out,
		"<h2>Speed</h2>\n<p>Each point is the best of %.0f samples of %.0f \xc2\xb5s of "
		"processor time; the plugins take turns. What disturbs a measurement only makes it "
		"slower. The thin lines reach from the slowest to the fastest sample.</p>\n",
		wt_report_number(run, "rounds"), wt_report_number(run, "turn_us"));
	if (json_object_get(report, "speed_failure")) {
		fputs("<p class=\"bad\">not measured: ", out);
		wt_html_text(wt_report_text(report, "speed_failure"), out);
		fputs("</p>\n", out);
	}
	plot_speed(report, "seal", false, true, "Seal, one thread", out);
	plot_speed(report, "open", false, true, "Open, one thread", out);
	plot_speed(report, "seal", false, false, "Seal, cost of one record", out);
	plot_speed(report, "seal", true, false, "Seal, cost of one record of a batch of 32", out);
	plot_threads(report, out);
	write_speed_table(json_object_get(report, "speed"), out);
}
