/* SPDX-License-Identifier: MIT */
#include "compare/report.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include <whispertunnel/plugin.h>

#include "base/build.h"

const char *wt_report_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

double wt_report_number(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

int wt_report_available(const json_t *plugin)
{
	return json_is_true(json_object_get(plugin, "available"));
}

static void tell(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "wtplug compare: %s ...\n", what);
}

static json_t *describe_run(const struct wt_compare_options *options)
{
	json_t *json = json_object();
	time_t now = time(NULL);
	struct tm utc;
	char text[40] = "";

	if (gmtime_r(&now, &utc))
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	json_object_set_new(json, "time", json_string(text));
	json_object_set_new(json, "wtplug", json_string(WT_VERSION));
	json_object_set_new(json, "abi", json_sprintf("%d.%d", WT_ABI_MAJOR, WT_ABI_MINOR));
	json_object_set_new(json, "rounds", json_integer(options->rounds));
	json_object_set_new(json, "turn_us", json_integer(options->turn_us));
	json_object_set_new(json, "threads", json_integer(options->threads));
	json_object_set_new(json, "level", json_integer(options->level));
	return json;
}

json_t *wt_report_new(const struct wt_compare_options *options, char *const *files, size_t n)
{
	json_t *report = json_object(), *plugins = json_array();

	json_object_set_new(report, "run", describe_run(options));
	json_object_set_new(report, "machine", wt_machine_describe());
	json_object_set_new(report, "plugins", plugins);
	for (size_t i = 0; i < n; i++) {
		tell(files[i]);
		json_array_append_new(plugins, wt_setup_measure(files[i]));
	}
	tell("comparing bytes");
	json_object_set_new(report, "equality", wt_equality_prove(options, plugins));
	tell("measuring");
	wt_speed_measure(options, report);
	tell("measuring tunnels");
	wt_end_to_end_measure(options, report);
	return report;
}

int wt_report_any(const json_t *report)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(report, "plugins"), i,
			   entry) if (wt_report_available(entry)) return 1;
	return 0;
}

int wt_report_sound(const json_t *report)
{
	const json_t *equality = json_object_get(report, "equality");
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(equality, "known_answers"), i,
			   entry) if (strcmp(wt_report_text(entry, "verdict"), "right") !=
				      0) return 0;
	json_array_foreach(json_object_get(equality, "pairs"), i,
			   entry) if (strcmp(wt_report_text(entry, "verdict"), "different") ==
				      0) return 0;
	json_array_foreach(json_object_get(json_object_get(report, "tunnel"), "rows"), i,
			   entry) if (json_object_get(entry, "failure")) return 0;
	return !json_object_get(report, "speed_failure");
}

/* ---- text ---------------------------------------------------------------- */

static void print_plugins(const json_t *plugins, FILE *out)
{
	json_t *p;
	size_t i;

	json_array_foreach(plugins, i, p)
	{
		const json_t *setup = json_object_get(p, "setup");

		if (!wt_report_available(p)) {
			fprintf(out, "%-18s not available here because: %s\n",
				wt_report_text(p, "name"), wt_report_text(p, "reason"));
			continue;
		}
		fprintf(out,
			"%-18s %-8s %s; load %.0f us, create %.0f us, key %.0f ns, context %.0f "
			"bytes, %.0f KiB; %s\n",
			wt_report_text(p, "name"), wt_report_text(p, "version"),
			wt_report_text(p, "algorithm"), wt_report_number(setup, "load_us"),
			wt_report_number(setup, "create_us"), wt_report_number(setup, "key_ns"),
			wt_report_number(setup, "context_bytes"),
			wt_report_number(setup, "resident_kib"),
			wt_report_text(setup, "library")[0] ? wt_report_text(setup, "library")
							    : "no library that says its version");
	}
}

static void print_equality(const json_t *equality, FILE *out)
{
	json_t *entry;
	size_t i;

	fprintf(out, "\nequality: %.0f comparisons\n", wt_report_number(equality, "cases"));
	json_array_foreach(json_object_get(equality, "known_answers"), i, entry)
		fprintf(out, "  %-18s %s: %s\n", wt_report_text(entry, "name"),
			wt_report_text(entry, "verdict"), wt_report_text(entry, "text"));
	json_array_foreach(json_object_get(equality, "pairs"), i, entry)
	{
		const double cases = wt_report_number(entry, "cases");
		const char *text = wt_report_text(entry, "text");

		fprintf(out, "  %-18s %-18s %s", wt_report_text(entry, "a"),
			wt_report_text(entry, "b"), wt_report_text(entry, "verdict"));
		if (text[0])
			fprintf(out, ": %s", text);
		else if (cases > 0)
			fprintf(out, " in %.0f comparisons", cases);
		fputc('\n', out);
	}
}

static void print_speed(const json_t *rows, FILE *out)
{
	json_t *row;
	size_t i;

	fprintf(out, "\n%-18s %-5s %5s %6s %12s %12s %10s\n", "one thread", "", "batch", "bytes",
		"best ns", "median ns", "MB/s");
	json_array_foreach(rows, i, row) fprintf(
		out, "%-18s %-5s %5.0f %6.0f %12.1f %12.1f %10.0f\n", wt_report_text(row, "plugin"),
		wt_report_text(row, "operation"), wt_report_number(row, "batch"),
		wt_report_number(row, "bytes"), wt_report_number(row, "best"),
		wt_report_number(row, "median"), wt_report_number(row, "mb_s"));
}

static void print_threads(const json_t *rows, FILE *out)
{
	json_t *row;
	size_t i;

	if (json_array_size(rows) == 0)
		return;
	fprintf(out, "\n%-18s %7s %6s %10s\n", "threads, seal", "threads", "bytes", "MB/s");
	json_array_foreach(rows, i, row)
		fprintf(out, "%-18s %7.0f %6.0f %10.0f\n", wt_report_text(row, "plugin"),
			wt_report_number(row, "threads"), wt_report_number(row, "bytes"),
			wt_report_number(row, "mb_s"));
}

static void print_tunnels(const json_t *tunnel, FILE *out)
{
	json_t *row;
	size_t i;

	fprintf(out, "\n%-44s %10s %10s %10s\n", "tunnel between two namespaces, medians", "MB/s",
		"CPU s/GB", "RTT us");
	if (!wt_report_available(tunnel))
		fprintf(out, "%-18s not available here because: %s\n", "tunnels",
			wt_report_text(tunnel, "reason"));
	json_array_foreach(json_object_get(tunnel, "rows"), i, row)
	{
		char name[160];

		wt_end_to_end_name(row, name, sizeof name);
		if (wt_report_available(row))
			fprintf(out, "%-44s %10.0f %10.3f %10.1f\n", name,
				wt_report_number(json_object_get(row, "mb_s"), "median"),
				wt_report_number(json_object_get(row, "cpu_s_gb"), "median"),
				wt_report_number(json_object_get(row, "rtt_us"), "median"));
		else if (json_object_get(row, "failure"))
			fprintf(out, "%-44s failed: %s\n", name, wt_report_text(row, "failure"));
		else
			fprintf(out, "%-18s not available here because: %s\n", name,
				wt_report_text(row, "reason"));
	}
}

void wt_report_print(const json_t *report, FILE *out)
{
	const json_t *machine = json_object_get(report, "machine");

	fprintf(out, "%s, %.0f processors, Linux %s, load %.2f\n\n",
		wt_report_text(machine, "processor"), wt_report_number(machine, "processors"),
		wt_report_text(machine, "kernel"), wt_report_number(machine, "load_before"));
	print_plugins(json_object_get(report, "plugins"), out);
	print_equality(json_object_get(report, "equality"), out);
	print_speed(json_object_get(report, "speed"), out);
	print_threads(json_object_get(report, "threads"), out);
	print_tunnels(json_object_get(report, "tunnel"), out);
	if (json_object_get(report, "speed_failure"))
		fprintf(out, "\nnot measured: %s\n", wt_report_text(report, "speed_failure"));
}
