/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "compare/report.h"
#include "plugin/installed.h"
#include "plugin/place.h"

struct compare {
	struct wt_compare_options options;
	const char *html, *json;
};

static int cannot_write(const char *path, int error, int code)
{
	fprintf(stderr, "wtplug compare: %s: %s; name a file that can be written\n", path,
		strerror(error));
	return code;
}

/* "-" is standard output. */
static int write_file(const char *path, const json_t *report, bool html)
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *out = standard ? stdout : fopen(path, "we");

	if (!out)
		return cannot_write(path, errno, WT_PLUG_FAILED);
	if (html)
		wt_report_html(report, out);
	else
		json_dumpf(report, out, JSON_INDENT(2));
	bool good = fflush(out) == 0 && !ferror(out);

	if (!standard && fclose(out) != 0)
		good = false;
	return good ? WT_PLUG_OK : cannot_write(path, errno, WT_PLUG_FAILED);
}

/* The file stays as it is. */
static int try_to_write(const char *path)
{
	if (!path || strcmp(path, "-") == 0)
		return WT_PLUG_OK;
	FILE *out = fopen(path, "ae");

	if (!out)
		return cannot_write(path, errno, WT_PLUG_USAGE);
	fclose(out);
	return WT_PLUG_OK;
}

/* Measuring takes minutes, so all that was named is looked at before. */
static int check_named(const struct compare *c, char *const *files, size_t n)
{
	struct wt_error err = WT_ERROR_INIT;
	int code;

	for (size_t i = 0; i < n; i++) {
		struct wt_plugin_file file;
		enum wt_status status = wt_plugin_file_take(files[i], &file, &err);

		wt_plugin_file_close(&file);
		if (status == WT_OK)
			continue;
		fprintf(stderr, "wtplug compare: %s: %s\n", files[i], err.text);
		return WT_PLUG_PLUGIN;
	}
	if (c->options.wtcore && wt_end_to_end_try(c->options.wtcore, &err) != WT_OK) {
		fprintf(stderr, "wtplug compare: --wtcore %s: %s\n", c->options.wtcore, err.text);
		return WT_PLUG_USAGE;
	}
	code = try_to_write(c->html);
	return code == WT_PLUG_OK ? try_to_write(c->json) : code;
}

static int compare(const struct compare *c, char *const *files, size_t n)
{
	json_t *report = wt_report_new(&c->options, files, n);
	bool standard =
		(c->html && strcmp(c->html, "-") == 0) || (c->json && strcmp(c->json, "-") == 0);
	int code;

	if (!report)
		return wt_plug_no_memory("compare");
	code = !wt_report_any(report)	 ? WT_PLUG_PLUGIN
	       : wt_report_sound(report) ? WT_PLUG_OK
					 : WT_PLUG_FAILED;
	if (!standard)
		wt_report_print(report, stdout);
	if (c->html && write_file(c->html, report, true) != WT_PLUG_OK)
		code = WT_PLUG_FAILED;
	if (c->json && write_file(c->json, report, false) != WT_PLUG_OK)
		code = WT_PLUG_FAILED;
	json_decref(report);
	return wt_plug_finish(code);
}

/* Every crypto plugin of the directory. */
static int compare_installed(const struct compare *c)
{
	struct wt_installed installed;
	char **files, *dir;
	size_t n = 0;
	int code = wt_plug_directory("compare", c->options.plugin_dir, &dir);

	if (code != WT_PLUG_OK)
		return code;
	if (wt_installed_list(dir, &installed) != WT_OK)
		installed = (struct wt_installed){ .count = 0 };
	files = calloc(installed.count + 1, sizeof *files);
	for (size_t i = 0; files && i < installed.count; i++)
		if (installed.items[i].kind == WT_KIND_CRYPTO &&
		    asprintf(&files[n], "%s/crypto-%s.so", dir, installed.items[i].name) >= 0)
			n++;
	if (n > 0) {
		code = compare(c, files, n);
	} else {
		fprintf(stderr,
			"wtplug compare: %s: there is no crypto plugin in it; name files, or "
			"another "
			"directory with --dir\n",
			dir);
		code = WT_PLUG_FAILED;
	}
	while (n > 0)
		free(files[--n]);
	free(files);
	free(dir);
	wt_installed_clear(&installed);
	return code;
}

int wt_compare_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "html", required_argument, NULL, 'h' },
		{ "json", required_argument, NULL, 'j' },
		{ "dir", required_argument, NULL, 'd' },
		{ "quick", no_argument, NULL, 'q' },
		{ "no-tunnel", no_argument, NULL, 'n' },
		{ "wtcore", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct compare c = { .options = { .rounds = 9,
					  .turn_us = 2000,
					  .threads = processors > 1 ? (unsigned)processors : 1,
					  .level = 2,
					  .tunnel_rounds = 5,
					  .stream_ms = 1000,
					  .echoes = 200 } };
	const char *dir = NULL;
	bool tunnel = true;
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		switch (option) {
		case 'h':
			c.html = optarg;
			break;
		case 'j':
			c.json = optarg;
			break;
		case 'd':
			dir = optarg;
			break;
		case 'q':
			c.options.rounds = 3;
			c.options.turn_us = 200;
			c.options.tunnel_rounds = 3;
			c.options.stream_ms = 150;
			c.options.echoes = 50;
			break;
		case 'n':
			tunnel = false;
			break;
		case 'w':
			c.options.wtcore = optarg;
			break;
		default:
			return wt_plug_option_error("compare", option, argv);
		}
	}
	if (c.html && c.json && strcmp(c.html, c.json) == 0)
		return wt_plug_usage("compare", "--html and --json cannot both be ", c.html);
	if (c.options.wtcore && !tunnel)
		return wt_plug_usage("compare", "--wtcore or --no-tunnel, not both", "");
	char *absolute = NULL, *const *files = argv + optind;
	const size_t n = (size_t)(argc - optind);
	int code = dir ? wt_plug_directory("compare", dir, &absolute) : WT_PLUG_OK;

	c.options.plugin_dir = absolute;
	if (!tunnel)
		c.options.tunnel_rounds = 0;
	if (code == WT_PLUG_OK)
		code = check_named(&c, files, n);
	if (code == WT_PLUG_OK)
		code = n > 0 ? compare(&c, files, n) : compare_installed(&c);
	free(absolute);
	return code;
}
