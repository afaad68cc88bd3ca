/* SPDX-License-Identifier: MIT */
#include "engine/command.h"

#include <stdio.h>
#include <string.h>

#include "base/build.h"
#include "base/error.h"

int wt_command(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("wtcore " WT_VERSION);
		return WT_EXIT_OK;
	}
	fputs("usage: wtcore --version\n", stderr);
	return WT_EXIT_CONFIG;
}
