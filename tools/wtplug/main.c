/* SPDX-License-Identifier: MIT */
#include "base/build.h"
#include "cli/command.h"
#include "plugin/home.h"

int main(int argc, char **argv)
{
	wt_home_find(WT_PLUGINS_FROM_BIN);
	return wt_plug_command(argc, argv);
}
