/* SPDX-License-Identifier: MIT */
#include "support/logged.h"

#include <stdio.h>

#include "base/log.h"

static int count;
static char last[2048];

static void keep_line(void *arg, const char *line)
{
	(void)arg;
	count++;
	snprintf(last, sizeof last, "%s", line);
}

void wt_logged_start(void)
{
	count = 0;
	last[0] = '\0';
	wt_log_capture(keep_line, NULL);
}

void wt_logged_stop(void)
{
	wt_log_capture(NULL, NULL);
}

int wt_logged_count(void)
{
	return count;
}

const char *wt_logged_last(void)
{
	return last;
}
