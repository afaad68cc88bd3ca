/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "compare/page.h"
#include "compare/plot.h"
#include "compare/report.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>Crypto plugins compared</title>\n<style>\n"
	":root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--faint:#5c636d;--soft:#d9dce1;"
	"--band:#f4f6f8;--good:#1a7f37;"
	"--bad:#cf222e;--c0:#0b62d6;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#b91c1c;"
	"--c5:#0e7490;--c6:#a16207;--c7:#be185d}\n"
	"@media(prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e6e8eb;--faint:#9aa3ae;"
	"--soft:#3a3f47;--band:#1e2126;"
	"--good:#4ac26b;--bad:#ff7b72;--c0:#6cb2ff;--c1:#ffa657;--c2:#56d364;--c3:#d2a8ff;"
	"--c4:#ff7b72;--c5:#39c5cf;--c6:#e3b341;--c7:#f778ba}}\n"
	"body{background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;"
	"max-width:60rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{line-height:1.2;margin:0 0 1rem}"
	"h2{margin:2.5rem 0 .5rem;padding-top:.5rem;border-top:2px solid var(--soft)}\n"
	"table{border-collapse:collapse;margin:1rem 0;font-size:.9rem;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{border-bottom:1px solid var(--soft);padding:.35rem .7rem;text-align:right;"
	"vertical-align:top}th{vertical-align:bottom;line-height:1.25;background:var(--band)}\n"
	"th:first-child,td:first-child,td.t,th.t{text-align:left}"
	"td:first-child,td small{white-space:nowrap}"
	"@media(max-width:40rem){th,td{padding:.35rem .45rem}td:first-child{white-space:normal}}"
	"td.t small{white-space:normal}\n"
	".scroll{overflow-x:auto}small,.note{color:var(--faint);font-size:.85rem}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:1rem 0;"
	"font-size:.9rem}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}\n"
	".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}\n"
	"figure{margin:1.5rem 0}svg{display:block;width:100%;min-width:38rem;height:auto;"
	"font-size:13px}\n"
	"svg .ink{fill:var(--ink)}svg .title{font-size:15px;font-weight:600}"
	"svg .value{font-weight:600}\n"
	"svg .grid{stroke:var(--soft)}svg .line{fill:none;stroke-width:2}"
	"svg .range{stroke-width:1.5;opacity:.55}svg .bar{opacity:.35}\n"
	"svg .dashed{stroke-dasharray:6 4}\n"
	".s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}"
	".s4{stroke:var(--c4)}.s5{stroke:var(--c5)}.s6{stroke:var(--c6)}.s7{stroke:var(--c7)}\n"
	".f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}.f3{fill:var(--c3)}"
	".f4{fill:var(--c4)}.f5{fill:var(--c5)}.f6{fill:var(--c6)}.f7{fill:var(--c7)}\n"
	"svg .dot{fill:var(--paper);stroke-width:1.5}summary{cursor:pointer}\n"
	"pre{overflow:auto;max-height:30rem;font-size:.8rem;background:var(--band);padding:.7rem}\n"
	"</style></head><body>\n<h1>Crypto plugins compared</h1>\n";

void wt_page_cell(const char *text, const char *class, FILE *out)
{
	fprintf(out, "<td class=\"%s\">", class);
	wt_html_text(text, out);
	fputs("</td>", out);
}

void wt_page_number(double value, int digits, FILE *out)
{
	fprintf(out, "<td>%.*f</td>", digits, value);
}

/* ---- what was compared, and where ---------------------------------------- */

unsigned wt_page_colour(const json_t *report, const char *plugin)
{
	json_t *p;
	size_t i, n = 0;

	json_array_foreach(json_object_get(report, "plugins"), i, p)
	{
		if (strcmp(wt_report_text(p, "name"), plugin) == 0)
			break;
		n += wt_report_available(p) ? 1 : 0;
	}
	return (unsigned)(n % WT_PLOT_COLOURS);
}

static void write_fact(const char *name, const char *text, FILE *out)
{
	fprintf(out, "<dt>%s</dt><dd>", name);
	wt_html_text(text, out);
	fputs("</dd>\n", out);
}

static void write_machine(const json_t *report, FILE *out)
{
	const json_t *machine = json_object_get(report, "machine");
	const json_t *run = json_object_get(report, "run");
	json_t *feature;
	size_t i;

	fputs("<dl>\n", out);
	write_fact("processor", wt_report_text(machine, "processor"), out);
	fputs("<dt>its features</dt><dd>", out);
	json_array_foreach(json_object_get(machine, "features"), i, feature)
	{
		fputs(i ? ", " : "", out);
		wt_html_text(json_string_value(feature), out);
	}
	fprintf(out,
		"</dd>\n<dt>processors</dt><dd>%.0f</dd>\n<dt>load at the start</dt>"
		"<dd>%.2f</dd>\n",
		wt_report_number(machine, "processors"), wt_report_number(machine, "load_before"));
	write_fact("Linux", wt_report_text(machine, "kernel"), out);
	write_fact("wtplug", wt_report_text(run, "wtplug"), out);
	write_fact("time", wt_report_text(run, "time"), out);
	fputs("</dl>\n", out);
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
		wt_page_cell(wt_report_text(p, "name"), "t", out);
		if (!wt_report_available(p)) {
			fputs("<td class=\"t\" colspan=\"8\">not available here because: ", out);
			wt_html_text(wt_report_text(p, "reason"), out);
			fputs("</td></tr>\n", out);
			continue;
		}
		wt_page_cell(wt_report_text(p, "version"), "t", out);
		write_libraries(setup, out);
		wt_page_number(wt_report_number(setup, "load_us"), 0, out);
		wt_page_number(wt_report_number(setup, "create_us"), 0, out);
		wt_page_number(wt_report_number(setup, "key_ns"), 0, out);
		wt_page_number(wt_report_number(setup, "context_bytes"), 0, out);
		wt_page_number(wt_report_number(setup, "resident_kib"), 0, out);
		wt_page_cell(json_is_true(json_object_get(setup, "batch")) ? "its own"
									   : "the host's",
			     "t", out);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

/* ---- the whole ------------------------------------------------------------ */

static void write_raw(const json_t *report, FILE *out)
{
	char *text = json_dumps(report, JSON_INDENT(1));

	fputs("<h2>Raw samples</h2>\n<details><summary>Everything as JSON, with the raw "
	      "samples</summary><pre>",
	      out);
	wt_html_text(text ? text : "", out);
	fputs("</pre></details>\n", out);
	free(text);
}

void wt_report_html(const json_t *report, FILE *out)
{
	fputs(head, out);
	write_machine(report, out);
	wt_page_summary(report, out);
	write_plugins(json_object_get(report, "plugins"), out);
	wt_page_equality(report, out);
	wt_page_speed(report, out);
	wt_page_tunnels(report, out);
	write_raw(report, out);
	fputs("</body></html>\n", out);
}
