/* SPDX-License-Identifier: MIT
 *
 * figures.h: samples of one quantity, and what is said of them.
 */
#ifndef WT_COMPARE_FIGURES_H
#define WT_COMPARE_FIGURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The middle one, or the upper of the two in the middle; sorts them. 0 of none. */
double wt_figures_median(double *samples, size_t n);

/* {best, median, samples}, the samples in the order they were taken in. */
json_t *wt_figures_json(const double *samples, size_t n, bool larger_is_better);

/* The smallest and the largest sample of such an object; 0 and 0 of none. */
void wt_figures_range(const json_t *figures, double *low, double *high);

#endif
