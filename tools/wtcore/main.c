/* SPDX-License-Identifier: MIT */
#include "engine/command.h"

int main(int argc, char **argv)
{
	return wt_command(argc, argv);
}
