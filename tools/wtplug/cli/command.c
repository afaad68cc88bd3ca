/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whispertunnel/plugin.h>

#include "base/build.h"
#include "base/error.h"
#include "plugin/place.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "list", wt_list_command },	   { "info", wt_info_command },
	{ "conform", wt_conform_command }, { "compare", wt_compare_command },
	{ "new", wt_new_command },
};

static const char help[] =
	"usage: wtplug list [--dir DIR] [--json]    the plugins in the plugin directory\n"
	"       wtplug info FILE [--json]           what a plugin says of itself\n"
	"       wtplug conform FILE... [--level 1|2|3] [--seed N] [--timeout S] [--dir DIR]\n"
	"                              [--json|--tap]     test what the SDK demands\n"
	"       wtplug compare [FILE...] [--html FILE] [--json FILE] [--dir DIR] [--quick]\n"
	"                              [--wtcore FILE | --no-tunnel]\n"
	"                              are crypto plugins equal, and how fast are they\n"
	"       wtplug new NAME --kind auth|crypto|transport [--mode stream|datagram]\n"
	"                              [--dir DIR] [--license SPDX] [--author WHO]\n"
	"                              a plugin that builds and passes, to start from\n"
	"\n"
	"  --level         1: a second, 2: the usual, 3: everything, minutes\n"
	"  --seed          of keys, nonces and texts; 1 if not given\n"
	"  --timeout       of one test, in seconds\n"
	"  --mode          of a transport; stream if not given\n"
	"  --quick         fewer and shorter samples\n"
	"  --wtcore        the daemon to measure tunnels with, which needs root\n"
	"  --no-tunnel     measure none\n"
	"  --version       print version, plugin ABI and plugin directory\n"
	"  -h, --help      print this\n"
	"\n"
	"The plugin directory is DIR, else WT_PLUGIN_DIR, else the one that was installed\n"
	"with this program. A plugin's code runs in child processes only.\n"
	"\n"
	"Exit codes: 0 good, 1 a failure, 2 usage, or what an option names is not there,\n"
	"4 no usable plugin, 5 not everything could be tested.\n";

int wt_plug_usage(const char *command, const char *what, const char *which)
{
	fprintf(stderr, "wtplug%s%s: %s%s; run: wtplug --help\n", command[0] ? " " : "", command,
		what, which);
	return WT_PLUG_USAGE;
}

int wt_plug_option_error(const char *command, int option, char **argv)
{
	const char *word = argv[optind - 1];
	const char letter[] = { '-', (char)optopt, '\0' };

	if (option == ':')
		return wt_plug_usage(command, "a value is missing after ", word);
	/* Of a cluster such as -tx the letter is at fault, of the others the word. */
	return wt_plug_usage(command, "unknown option ", strncmp(word, "--", 2) ? letter : word);
}

int wt_plug_directory(const char *command, const char *wanted, char **dir)
{
	struct wt_error err = WT_ERROR_INIT;

	*dir = NULL;
	if (!wanted) {
		if (wt_place_find(NULL, dir, &err) == WT_OK)
			return WT_PLUG_OK;
		fprintf(stderr, "wtplug %s: %s; or name it with --dir\n", command, err.text);
		return WT_PLUG_FAILED;
	}
	DIR *stream = opendir(wanted);

	if (stream) {
		closedir(stream);
		*dir = realpath(wanted, NULL);
	}
	if (*dir)
		return WT_PLUG_OK;
	fprintf(stderr, "wtplug %s: --dir \"%s\": %s; name a directory that holds plugins\n",
		command, wanted, strerror(errno));
	return WT_PLUG_USAGE;
}

int wt_plug_no_memory(const char *command)
{
	fprintf(stderr,
		"wtplug %s: out of memory or descriptors; end other programs, or raise the limits "
		"(ulimit -n, ulimit -v)\n",
		command);
	return WT_PLUG_FAILED;
}

int wt_plug_finish(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr,
		"wtplug: standard output cannot be written: %s; what was printed is not whole, "
		"send "
		"it elsewhere\n",
		strerror(errno));
	return code == WT_PLUG_OK ? WT_PLUG_FAILED : code;
}

int wt_plug_finish_json(json_t *json, int code)
{
	const bool whole = json && json_dumpf(json, stdout, JSON_INDENT(2)) == 0;

	json_decref(json);
	/* What could not be written is said below. */
	if (!whole && !ferror(stdout))
		return wt_plug_no_memory("--json");
	putchar('\n');
	return wt_plug_finish(code);
}

static int print_version(void)
{
	printf("wtplug %s\nplugin ABI %d.%d, from %d.%d on\n", WT_VERSION, WT_ABI_MAJOR,
	       WT_ABI_MINOR, WT_ABI_MAJOR, WT_ABI_MINOR_OLDEST);
	wt_place_print(stdout);
	return wt_plug_finish(WT_PLUG_OK);
}

static int print_help(void)
{
	fputs(help, stdout);
	return wt_plug_finish(WT_PLUG_OK);
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int wt_plug_command(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word)
		return wt_plug_usage("", "no command given", "");
	if (asks_for_help(word) || strcmp(word, "help") == 0)
		return print_help();
	if (strcmp(word, "--version") == 0)
		return print_version();
	opterr = 0;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(word, commands[i].name) == 0)
			return argc > 2 && asks_for_help(argv[2])
				       ? print_help()
				       : commands[i].run(argc - 1, argv + 1);
	return wt_plug_usage("", word[0] == '-' ? "unknown option " : "unknown command ", word);
}
