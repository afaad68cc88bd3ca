/* SPDX-License-Identifier: MIT */
#include "base/build.h"
#include "engine/command.h"
#include "engine/crash.h"
#include "plugin/home.h"

int main(int argc, char **argv)
{
	wt_crash_watch();
	wt_home_find(WT_PLUGINS_FROM_SBIN);
	return wt_command(argc, argv);
}
