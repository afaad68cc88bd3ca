/* SPDX-License-Identifier: MIT */
#include "engine/command.h"

#include <stdio.h>
#include <string.h>

#include "base/build.h"
#include "base/error.h"
#include "engine/daemon.h"
#include "plugin/registry.h"

static int run(const char *path)
{
	const struct wt_registry_options options = { .plugin_dir = NULL };
	struct wt_registry *registry = NULL;
	struct wt_settings *settings = NULL;
	int code = wt_settings_load(path, &options, stderr, &settings, &registry);

	if (code == WT_EXIT_OK) {
		wt_log_setup(settings->tunnel.log_level, settings->tunnel.log_format);
		code = wt_daemon_run(settings);
	}
	wt_settings_free(settings);
	wt_registry_free(registry);
	return code;
}

int wt_command(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("wtcore " WT_VERSION);
		return WT_EXIT_OK;
	}
	if (argc == 3 && strcmp(argv[1], "-c") == 0)
		return run(argv[2]);
	fputs("usage: wtcore -c FILE | --version\n", stderr);
	return WT_EXIT_CONFIG;
}
