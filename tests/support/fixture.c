/* SPDX-License-Identifier: MIT */
#include "support/fixture.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/scratch.h"

uint8_t *wt_fixture_read(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rbe");
	struct stat st;
	uint8_t *data;

	if (!f)
		fail_msg("no file %s", path);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*size = (size_t)st.st_size;
	data = malloc(*size + 1);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *size, f), *size);
	fclose(f);
	return data;
}

void wt_fixture_install(const char *from_dir, const char *name, const char *to_dir, const char *as)
{
	char from[PATH_MAX];
	uint8_t *data;
	size_t size;

	snprintf(from, sizeof from, "%s/%s", from_dir, name);
	data = wt_fixture_read(from, &size);
	free(wt_scratch_file(to_dir, as ? as : name, data, size, 0644));
	free(data);
}
