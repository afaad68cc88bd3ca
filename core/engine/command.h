/* SPDX-License-Identifier: MIT
 *
 * command.h: the command line of `wtcore`.
 */
#ifndef WT_ENGINE_COMMAND_H
#define WT_ENGINE_COMMAND_H

/* Parse, run, and return the process's exit code (enum wt_exit). */
int wt_command(int argc, char **argv);

#endif
