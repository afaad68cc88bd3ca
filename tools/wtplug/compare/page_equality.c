/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "compare/page.h"
#include "compare/plot.h"
#include "compare/report.h"

static bool is_either(const json_t *pair, const char *name)
{
	return strcmp(wt_report_text(pair, "a"), name) == 0 ||
	       strcmp(wt_report_text(pair, "b"), name) == 0;
}

static const json_t *find_pair(const json_t *pairs, const char *a, const char *b)
{
	json_t *pair;
	size_t i;

	json_array_foreach(pairs, i, pair)
	{
		if (is_either(pair, a) && is_either(pair, b))
			return pair;
	}
	return NULL;
}

static const json_t *known_answers(const json_t *equality, const char *name)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(equality, "known_answers"), i, entry)
	{
		if (strcmp(wt_report_text(entry, "name"), name) == 0)
			return entry;
	}
	return NULL;
}

bool wt_page_is_sound(const json_t *report, const char *plugin)
{
	const json_t *equality = json_object_get(report, "equality");
	json_t *pair;
	size_t i;

	if (strcmp(wt_report_text(known_answers(equality, plugin), "verdict"), "right") != 0)
		return false;
	json_array_foreach(json_object_get(equality, "pairs"), i, pair)
	{
		if (is_either(pair, plugin) &&
		    strcmp(wt_report_text(pair, "verdict"), "different") == 0)
			return false;
	}
	return true;
}

static void write_verdict(const json_t *entry, FILE *out)
{
	const char *verdict = wt_report_text(entry, "verdict");
	const bool bad = strcmp(verdict, "different") == 0 || strcmp(verdict, "wrong") == 0;
	const double cases = wt_report_number(entry, "cases");

	fprintf(out, "<td class=\"%s\">", bad ? "bad" : "good");
	wt_html_text(verdict, out);
	if (cases > 0)
		fprintf(out, "<br><small>in %s%.0f%s</small>", bad ? "comparison " : "", cases,
			bad ? "" : " comparisons");
	else if (strcmp(verdict, "right") == 0) {
		fputs("<br><small>", out);
		wt_html_text(wt_report_text(entry, "text"), out);
		fputs("</small>", out);
	}
	fputs("</td>", out);
}

static void write_row(const json_t *report, const char *name, FILE *out)
{
	const json_t *equality = json_object_get(report, "equality");
	const json_t *pairs = json_object_get(equality, "pairs");
	json_t *other;
	size_t i;

	fputs("<tr>", out);
	wt_page_cell(name, "t", out);
	json_array_foreach(json_object_get(report, "plugins"), i, other)
	{
		const char *theirs = wt_report_text(other, "name");

		if (!wt_report_available(other))
			continue;
		write_verdict(strcmp(name, theirs) == 0 ? known_answers(equality, name)
							: find_pair(pairs, name, theirs),
			      out);
	}
	fputs("</tr>\n", out);
}

static void write_difference(const json_t *pair, FILE *out)
{
	if (!wt_report_text(pair, "text")[0])
		return;
	fputs("<p class=\"bad\">", out);
	wt_html_text(wt_report_text(pair, "a"), out);
	fputs(" and ", out);
	wt_html_text(wt_report_text(pair, "b"), out);
	fputs(": ", out);
	wt_html_text(wt_report_text(pair, "text"), out);
	fputs("</p>\n", out);
}

void wt_page_equality(const json_t *report, FILE *out)
{
	const json_t *plugins = json_object_get(report, "plugins");
	const json_t *equality = json_object_get(report, "equality");
	json_t *entry;
	size_t i;

	fprintf(out,
		"<h2>Equality</h2>\n<p>%.0f comparisons. In each one both plugins seal the same "
		"text to the same bytes, and each opens what the other sealed: at every length up "
		"to 4096, around the longer powers of two and the longest ones, at 64 alignments, "
		"in place and not, with up to 65,536 bytes of additional data. On the diagonal: "
		"the known answers of NIST and of the GCM specification.</p>\n"
		"<div class=\"scroll\"><table><tr><th></th>",
		wt_report_number(equality, "cases"));
	json_array_foreach(plugins, i, entry)
	{
		if (!wt_report_available(entry))
			continue;
		fputs("<th>", out);
		wt_html_text(wt_report_text(entry, "name"), out);
		fputs("</th>", out);
	}
	fputs("</tr>\n", out);
	json_array_foreach(plugins, i, entry)
	{
		if (wt_report_available(entry))
			write_row(report, wt_report_text(entry, "name"), out);
	}
	fputs("</table></div>\n", out);
	json_array_foreach(json_object_get(equality, "pairs"), i, entry)
		write_difference(entry, out);
}
