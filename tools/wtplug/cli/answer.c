/* SPDX-License-Identifier: MIT */
#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A broken plugin must not fill our memory. */
#define ANSWER_MAX (16u << 20)

int wt_answer_new(void)
{
	return memfd_create("wtplug", MFD_CLOEXEC);
}

void wt_answer_write(int fd, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0;

	if (len > 0 && pwrite(fd, text, len, 0) != (ssize_t)len)
		len = 0;
	/* An empty file is no answer. */
	if (ftruncate(fd, (off_t)len) != 0)
		len = 0;
	free(text);
}

json_t *wt_answer_read(int fd)
{
	struct stat st;
	json_t *json = NULL;

	if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > (off_t)ANSWER_MAX)
		return NULL;
	char *text = malloc((size_t)st.st_size);

	if (text && pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
		json = json_loadb(text, (size_t)st.st_size, 0, NULL);
	free(text);
	return json;
}
