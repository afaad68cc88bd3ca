/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "compare/figures.h"
#include "compare/page.h"
#include "compare/plot.h"
#include "compare/report.h"

static void write_figure(const json_t *figures, int digits, FILE *out)
{
	double low, high;

	wt_figures_range(figures, &low, &high);
	fprintf(out, "<td>%.*f<br><small>%.*f to %.*f</small></td>", digits,
		wt_report_number(figures, "median"), digits, low, digits, high);
}

static void write_row(const json_t *row, FILE *out)
{
	char name[160];

	wt_end_to_end_name(row, name, sizeof name);
	fputs("<tr>", out);
	wt_page_cell(name, "t", out);
	if (wt_report_available(row)) {
		write_figure(json_object_get(row, "mb_s"), 0, out);
		write_figure(json_object_get(row, "cpu_s_gb"), 3, out);
		write_figure(json_object_get(row, "rtt_us"), 1, out);
		wt_page_number(wt_report_number(row, "bytes") / 1e6, 0, out);
	} else if (json_object_get(row, "failure")) {
		fputs("<td class=\"t bad\" colspan=\"4\">failed: ", out);
		wt_html_text(wt_report_text(row, "failure"), out);
		fputs("</td>", out);
	} else {
		fputs("<td class=\"t\" colspan=\"4\">not available here because: ", out);
		wt_html_text(wt_report_text(row, "reason"), out);
		fputs("</td>", out);
	}
	fputs("</tr>\n", out);
}

static void plot(const json_t *report, const char *key, const char *title, const char *x_label,
		 int digits, FILE *out)
{
	const json_t *rows = json_object_get(json_object_get(report, "tunnel"), "rows");
	struct wt_bars *bars = calloc(1, sizeof *bars);
	json_t *row, *sample;
	size_t i, k;

	if (!bars)
		return;
	bars->title = title;
	bars->x_label = x_label;
	bars->digits = digits;
	json_array_foreach(rows, i, row)
	{
		const json_t *figures = json_object_get(row, key);

		if (!figures || bars->count == WT_BARS_MAX)
			continue;
		struct wt_bar *bar = &bars->bars[bars->count++];

		wt_end_to_end_name(row, bar->name, sizeof bar->name);
		bar->value = wt_report_number(figures, "median");
		/* A pair of two has a colour of its own. */
		bar->colour = strcmp(wt_report_text(row, "a"), wt_report_text(row, "b"))
				      ? WT_PLOT_COLOURS - 1
				      : wt_page_colour(report, wt_report_text(row, "a"));
		json_array_foreach(json_object_get(figures, "samples"), k,
				   sample) if (bar->n < WT_BAR_SAMPLES) bar->samples[bar->n++] =
			json_number_value(sample);
	}
	if (bars->count > 0)
		wt_bars_write(bars, out);
	free(bars);
}

void wt_page_tunnels(const json_t *report, FILE *out)
{
	const json_t *tunnel = json_object_get(report, "tunnel");
	json_t *row;
	size_t i;

	fputs("<h2>Through a tunnel</h2>\n", out);
	if (!wt_report_available(tunnel)) {
		fputs("<p>not available here because: ", out);
		wt_html_text(wt_report_text(tunnel, "reason"), out);
		fputs("</p>\n", out);
		return;
	}
	fprintf(out,
		"<p>Two <code>wtcore</code> in two network namespaces of this machine, joined by a "
		"veth link. One TCP connection streams from the end that dials to the end that "
		"listens, and all bytes are compared; at rest, messages of 64 bytes go there and "
		"back on it. Medians of %.0f samples of %.0f ms, and of %.0f messages; the tunnels "
		"take turns. Processor time is that of both daemons together. Two names are a "
		"tunnel between two different plugins: they understand each other.</p>\n",
		wt_report_number(tunnel, "rounds"), wt_report_number(tunnel, "stream_ms"),
		wt_report_number(tunnel, "echoes"));
	fputs("<div class=\"scroll\"><table><tr><th>plugins, transport</th><th>MB/s</th>"
	      "<th>processor time,<br>s per GB</th><th>round trip,<br>\xc2\xb5s</th>"
	      "<th>compared,<br>MB</th></tr>\n",
	      out);
	json_array_foreach(json_object_get(tunnel, "rows"), i, row) write_row(row, out);
	fputs("</table></div>\n", out);
	plot(report, "mb_s", "One TCP stream through a tunnel",
	     "MB/s, median; a ring is a sample; more is better", 0, out);
	plot(report, "cpu_s_gb", "Processor time of both daemons",
	     "seconds per GB, median; a ring is a sample; less is better", 3, out);
	plot(report, "rtt_us", "Round trip of 64 bytes at rest",
	     "\xc2\xb5s, median; a ring is a sample; less is better", 1, out);
}
