/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "compare/plot.h"
#include "compare/report.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Crypto plugins compared</title>\n<style>\n"
	":root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--soft:#d9dce1;--good:#1a7f37;"
	"--bad:#cf222e;--c0:#0b62d6;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#b91c1c;"
	"--c5:#0e7490;--c6:#a16207;--c7:#be185d}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e6e8eb;--soft:#3a3f47;"
	"--good:#4ac26b;--bad:#ff7b72;--c0:#6cb2ff;--c1:#ffa657;--c2:#56d364;--c3:#d2a8ff;"
	"--c4:#ff7b72;--c5:#39c5cf;--c6:#e3b341;--c7:#f778ba}}\n"
	"body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;"
	"max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
	"table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}\n"
	"th,td{border:1px solid var(--soft);padding:.25rem .6rem;text-align:right}\n"
	"th:first-child,td.t,th.t{text-align:left}.scroll{overflow-x:auto}\n"
	".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}\n"
	"figure{margin:1.5rem 0}svg{width:100%;height:auto;font-size:13px}\n"
	"svg .ink{fill:var(--ink)}svg .title{font-size:15px;font-weight:600}\n"
	"svg .grid{stroke:var(--soft)}svg .line{fill:none;stroke-width:2}\n"
	"svg .dashed{stroke-dasharray:6 4}\n"
	".s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}"
	".s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.s6{stroke:var(--c6)}.s7{stroke:var(--c7)}\n"
	"svg .dot{fill:var(--paper)}pre{overflow:auto;max-height:30rem}\n"
	"</style></head><body>\n<h1>Crypto plugins compared</h1>\n";

static void cell(const char *text, const char *class, FILE *out)
{
	fprintf(out, "<td class=\"%s\">", class);
	wt_html_text(text, out);
	fputs("</td>", out);
}

static void number(double value, int digits, FILE *out)
{
	fprintf(out, "<td>%.*f</td>", digits, value);
}

/* ---- what was compared, and where ---------------------------------------- */

static void write_machine(const json_t *report, FILE *out)
{
	const json_t *machine = json_object_get(report, "machine");
	const json_t *run = json_object_get(report, "run");
	json_t *feature;
	size_t i;

	fputs("<p>", out);
	wt_html_text(wt_report_text(machine, "processor"), out);
	fprintf(out, ", %.0f processors; Linux ", wt_report_number(machine, "processors"));
	wt_html_text(wt_report_text(machine, "kernel"), out);
	fprintf(out, "; load at the start %.2f; ", wt_report_number(machine, "load_before"));
	wt_html_text(wt_report_text(run, "time"), out);
	fputs("; wtplug ", out);
	wt_html_text(wt_report_text(run, "wtplug"), out);
	fputs(".<br>Features of the processor: ", out);
	json_array_foreach(json_object_get(machine, "features"), i, feature)
	{
		fputs(i ? ", " : "", out);
		wt_html_text(json_string_value(feature), out);
	}
	fprintf(out,
		".</p>\n<p>Each figure is the best of %.0f samples of %.0f \xc2\xb5s of processor "
		"time; the "
		"plugins take turns. What disturbs a measurement only makes it slower.</p>\n",
		wt_report_number(run, "rounds"), wt_report_number(run, "turn_us"));
}

static void write_libraries(const json_t *setup, FILE *out)
{
	json_t *library;
	size_t i;

	fputs("<td class=\"t\">", out);
	wt_html_text(wt_report_text(setup, "library"), out);
	json_array_foreach(json_object_get(setup, "libraries"), i, library)
	{
		fputs("<br><small>", out);
		wt_html_text(json_string_value(library), out);
		fputs("</small>", out);
	}
	fputs("</td>", out);
}

static void write_plugins(const json_t *plugins, FILE *out)
{
	json_t *p;
	size_t i;

	fputs("<h2>Plugins</h2>\n<div class=\"scroll\"><table><tr><th>plugin</th>"
	      "<th class=\"t\">version</th><th class=\"t\">library</th><th>load, \xc2\xb5s</th>"
	      "<th>create, \xc2\xb5s</th><th>key set up and wiped, ns</th>"
	      "<th>key context, bytes</th><th>memory when loaded, KiB</th>"
	      "<th class=\"t\">batch form</th></tr>\n",
	      out);
	json_array_foreach(plugins, i, p)
	{
		const json_t *setup = json_object_get(p, "setup");

		fputs("<tr>", out);
		cell(wt_report_text(p, "name"), "t", out);
		if (!wt_report_available(p)) {
			fputs("<td class=\"t\" colspan=\"8\">not available here because: ", out);
			wt_html_text(wt_report_text(p, "reason"), out);
			fputs("</td></tr>\n", out);
			continue;
		}
		cell(wt_report_text(p, "version"), "t", out);
		write_libraries(setup, out);
		number(wt_report_number(setup, "load_us"), 0, out);
		number(wt_report_number(setup, "create_us"), 0, out);
		number(wt_report_number(setup, "key_ns"), 0, out);
		number(wt_report_number(setup, "context_bytes"), 0, out);
		number(wt_report_number(setup, "resident_kib"), 0, out);
		cell(json_is_true(json_object_get(setup, "batch")) ? "its own" : "the host's", "t",
		     out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* ---- equality ------------------------------------------------------------ */

static const json_t *find_pair(const json_t *pairs, const char *a, const char *b)
{
	json_t *pair;
	size_t i;

	json_array_foreach(pairs, i, pair)
	{
		const char *x = wt_report_text(pair, "a"), *y = wt_report_text(pair, "b");

		if ((strcmp(x, a) == 0 && strcmp(y, b) == 0) ||
		    (strcmp(x, b) == 0 && strcmp(y, a) == 0))
			return pair;
	}
	return NULL;
}

static const char *known_answers(const json_t *equality, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(equality, "known_answers"), i,
			   entry) if (strcmp(wt_report_text(entry, "name"), name) ==
				      0) return wt_report_text(entry, "verdict");
	return "";
}

static void write_equality(const json_t *report, FILE *out)
{
	const json_t *plugins = json_object_get(report, "plugins");
	const json_t *equality = json_object_get(report, "equality");
	const json_t *pairs = json_object_get(equality, "pairs");
	json_t *a, *b;
	size_t i, k;

	fprintf(out,
		"<h2>Equality</h2>\n<p>%.0f comparisons. In each one both plugins seal the same "
		"text "
		"to the same bytes, and each opens what the other sealed: at every length up to "
		"4096 "
		"and the longest ones, at 64 alignments, in place and not, with 0 to 128 bytes of "
		"additional data. On the diagonal: the known answers of NIST and of the GCM "
		"specification.</p>\n<div class=\"scroll\"><table><tr><th></th>",
		wt_report_number(equality, "cases"));
	json_array_foreach(plugins, i, a)
	{
		if (!wt_report_available(a))
			continue;
		fputs("<th>", out);
		wt_html_text(wt_report_text(a, "name"), out);
		fputs("</th>", out);
	}
	fputs("</tr>\n", out);
	json_array_foreach(plugins, i, a)
	{
		if (!wt_report_available(a))
			continue;
		fputs("<tr>", out);
		cell(wt_report_text(a, "name"), "t", out);
		json_array_foreach(plugins, k, b)
		{
			if (!wt_report_available(b))
				continue;
			const char *verdict =
				i == k ? known_answers(equality, wt_report_text(a, "name"))
				       : wt_report_text(find_pair(pairs, wt_report_text(a, "name"),
								  wt_report_text(b, "name")),
							"verdict");

			cell(verdict,
			     strcmp(verdict, "different") == 0 || strcmp(verdict, "wrong") == 0
				     ? "bad"
				     : "good",
			     out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
	json_array_foreach(pairs, i, a)
	{
		if (!wt_report_text(a, "text")[0])
			continue;
		fputs("<p class=\"bad\">", out);
		wt_html_text(wt_report_text(a, "text"), out);
		fputs("</p>\n", out);
	}
}

/* ---- speed --------------------------------------------------------------- */

static void plot_speed(const json_t *report, const char *operation, double batch, const char *value,
		       const char *title, const char *y_label, bool log_y, FILE *out)
{
	struct wt_plot *plot = calloc(1, sizeof *plot);
	json_t *row;
	size_t i;

	if (!plot)
		return;
	plot->title = title;
	plot->x_label = "text of a record, bytes (logarithmic)";
	plot->y_label = y_label;
	plot->log_x = true;
	plot->log_y = log_y;
	json_array_foreach(json_object_get(report, "speed"), i,
			   row) if (strcmp(wt_report_text(row, "operation"), operation) == 0 &&
				    wt_report_number(row, "batch") >= batch &&
				    (batch > 1 || wt_report_number(row, "batch") <= 1))
		wt_plot_add(wt_plot_series(plot, wt_report_text(row, "plugin")),
			    wt_report_number(row, "bytes"), wt_report_number(row, value));
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
		char name[64];

		snprintf(name, sizeof name, "%.40s, %.0f bytes", wt_report_text(row, "plugin"),
			 wt_report_number(row, "bytes"));
		struct wt_plot_series *series = wt_plot_series(plot, name);

		if (!series)
			continue;
		series->dashed = wt_report_number(row, "bytes") > 4096;
		wt_plot_add(series, wt_report_number(row, "threads"),
			    wt_report_number(row, "mb_s"));
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
	      "<th>best, ns a record</th><th>median, ns a record</th><th>MB/s</th></tr>\n",
	      out);
	json_array_foreach(rows, i, row)
	{
		fputs("<tr>", out);
		cell(wt_report_text(row, "plugin"), "t", out);
		cell(wt_report_text(row, "operation"), "t", out);
		number(wt_report_number(row, "batch"), 0, out);
		number(wt_report_number(row, "bytes"), 0, out);
		number(wt_report_number(row, "best"), 1, out);
		number(wt_report_number(row, "median"), 1, out);
		number(wt_report_number(row, "mb_s"), 0, out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div></details>\n", out);
}

static void write_raw(const json_t *report, FILE *out)
{
	char *text = json_dumps(report, JSON_INDENT(1));

	fputs("<details><summary>Everything as JSON, with the raw samples</summary><pre>", out);
	wt_html_text(text ? text : "", out);
	fputs("</pre></details>\n", out);
	free(text);
}

void wt_report_html(const json_t *report, FILE *out)
{
	fputs(head, out);
	write_machine(report, out);
	write_plugins(json_object_get(report, "plugins"), out);
	write_equality(report, out);
	fputs("<h2>Speed</h2>\n", out);
	if (json_object_get(report, "speed_failure")) {
		fputs("<p class=\"bad\">not measured: ", out);
		wt_html_text(wt_report_text(report, "speed_failure"), out);
		fputs("</p>\n", out);
	}
	plot_speed(report, "seal", 1, "mb_s", "Seal, one thread", "MB/s", false, out);
	plot_speed(report, "open", 1, "mb_s", "Open, one thread", "MB/s", false, out);
	plot_speed(report, "seal", 1, "best", "Seal, cost of one record", "ns (logarithmic)", true,
		   out);
	plot_speed(report, "seal", 2, "best", "Seal, cost of one record of a batch of 32",
		   "ns (logarithmic)", true, out);
	plot_threads(report, out);
	write_speed_table(json_object_get(report, "speed"), out);
	write_raw(report, out);
	fputs("</body></html>\n", out);
}
