/* SPDX-License-Identifier: MIT
 *
 * command.h: the command line of `wtplug`, and what its commands share.
 */
#ifndef WT_CLI_COMMAND_H
#define WT_CLI_COMMAND_H

#include <jansson.h>

/* The daemon's codes (base/error.h) as far as they apply, and one more. */
enum wt_plug_exit {
	WT_PLUG_OK = 0,
	WT_PLUG_FAILED = 1, /* a test failed, or something could not be done */
	WT_PLUG_USAGE = 2,  /* also: what an option names is not there */
	WT_PLUG_PLUGIN = 4, /* the file is no plugin that can be used */
	WT_PLUG_PARTIAL = 5 /* nothing failed, but not everything could be tested */
};

/* Parse, run, and return the process's exit code. */
int wt_plug_command(int argc, char **argv);

/* One command; argv[0] is its name. */
int wt_list_command(int argc, char **argv);
int wt_info_command(int argc, char **argv);
int wt_conform_command(int argc, char **argv);
int wt_compare_command(int argc, char **argv);
int wt_new_command(int argc, char **argv);

/* "wtplug NAME: WHAT WHICH; run: wtplug --help"; WT_PLUG_USAGE. */
int wt_plug_usage(const char *command, const char *what, const char *which);
/* What getopt_long found wrong (it returned '?' or ':'; opterr is 0). */
int wt_plug_option_error(const char *command, int option, char **argv);
/* The plugin directory, absolute: `wanted`, the value of --dir, or if that is NULL
 * where the daemon looks. WT_PLUG_OK, and the caller frees *dir; or a code, after a
 * message, and *dir is NULL. */
int wt_plug_directory(const char *command, const char *wanted, char **dir);
/* Says so, and returns WT_PLUG_FAILED. */
int wt_plug_no_memory(const char *command);
/* `code`, or WT_PLUG_FAILED with a message when standard output was lost. */
int wt_plug_finish(int code);
/* Writes `json` to standard output, gives it up, and returns as above. */
int wt_plug_finish_json(json_t *json, int code);

#endif
