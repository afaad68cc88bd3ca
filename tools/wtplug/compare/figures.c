/* SPDX-License-Identifier: MIT */
#include "compare/figures.h"

#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double wt_figures_median(double *samples, size_t n)
{
	qsort(samples, n, sizeof *samples, by_value);
	return n > 0 ? samples[n / 2] : 0;
}

json_t *wt_figures_json(const double *samples, size_t n, bool larger_is_better)
{
	json_t *json = json_object(), *list = json_array();
	double *sorted = malloc((n + 1) * sizeof *sorted);

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_real(samples[i]));
	if (sorted && n > 0) {
		memcpy(sorted, samples, n * sizeof *sorted);
		double median = wt_figures_median(sorted, n);

		json_object_set_new(json, "best",
				    json_real(larger_is_better ? sorted[n - 1] : sorted[0]));
		json_object_set_new(json, "median", json_real(median));
	}
	json_object_set_new(json, "samples", list);
	free(sorted);
	return json;
}

void wt_figures_range(const json_t *figures, double *low, double *high)
{
	json_t *sample;
	size_t i;

	*low = *high = 0;
	json_array_foreach(json_object_get(figures, "samples"), i, sample)
	{
		double value = json_number_value(sample);

		*low = i == 0 || value < *low ? value : *low;
		*high = i == 0 || value > *high ? value : *high;
	}
}
