/* SPDX-License-Identifier: MIT */
#include "config/list.h"

#include <string.h>

bool wt_list_next(const char **rest, const char **item, size_t *len)
{
	const char *start = *rest, *end;

	if (!start)
		return false;
	end = start + strcspn(start, ",");
	*rest = *end ? end + 1 : NULL;
	while (start < end && (*start == ' ' || *start == '\t'))
		start++;
	while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*item = start;
	*len = (size_t)(end - start);
	return true;
}

size_t wt_list_count(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}
