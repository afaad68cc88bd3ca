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

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "wtplug compare: %s: %s\n", what, why);
	return WT_PLUG_FAILED;
}

/* "-" is standard output. */
static int write_file(const char *path, const json_t *report, bool html)
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *out = standard ? stdout : fopen(path, "we");

	if (!out)
		return fail(path, strerror(errno));
	if (html)
		wt_report_html(report, out);
	else
		json_dumpf(report, out, JSON_INDENT(2));
	bool good = fflush(out) == 0 && !ferror(out);

	if (!standard && fclose(out) != 0)
		good = false;
	return good ? WT_PLUG_OK : fail(path, strerror(errno));
}

/* What is measured takes minutes, so this is asked first. The file stays as it is. */
static bool can_write(const char *path)
{
	FILE *out = !path || strcmp(path, "-") == 0 ? NULL : fopen(path, "ae");

	if (out)
		fclose(out);
	return out || !path || strcmp(path, "-") == 0;
}

static int compare(const struct compare *c, char *const *files, size_t n)
{
	if (!can_write(c->html))
		return fail(c->html, strerror(errno));
	if (!can_write(c->json))
		return fail(c->json, strerror(errno));
	json_t *report = wt_report_new(&c->options, files, n);
	bool standard =
		(c->html && strcmp(c->html, "-") == 0) || (c->json && strcmp(c->json, "-") == 0);
	int code;

	if (!report)
		return fail("report", "out of memory");
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
	struct wt_error err = WT_ERROR_INIT;
	char **files, *dir;
	size_t n = 0;
	int code;

	if (wt_place_find(c->options.plugin_dir, &dir, &err) != WT_OK)
		return fail("plugin directory", err.text);
	if (wt_installed_list(dir, &installed) != WT_OK) {
		code = fail(dir, "cannot be listed");
		free(dir);
		return code;
	}
	files = calloc(installed.count + 1, sizeof *files);
	for (size_t i = 0; files && i < installed.count; i++)
		if (installed.items[i].kind == WT_KIND_CRYPTO &&
		    asprintf(&files[n], "%s/crypto-%s.so", dir, installed.items[i].name) >= 0)
			n++;
	code = n > 0 ? compare(c, files, n) : fail(dir, "there is no crypto plugin; name some");
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
	if (c.html && c.json && strcmp(c.html, "-") == 0 && strcmp(c.json, "-") == 0)
		return wt_plug_usage("compare", "--html and --json cannot both be ", "-");
	char *absolute = dir ? realpath(dir, NULL) : NULL;

	if (dir && !absolute)
		return fail(dir, strerror(errno));
	c.options.plugin_dir = absolute;
	if (!tunnel)
		c.options.tunnel_rounds = 0;
	int code = optind < argc ? compare(&c, argv + optind, (size_t)(argc - optind))
				 : compare_installed(&c);

	free(absolute);
	return code;
}
