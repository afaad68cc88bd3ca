/* SPDX-License-Identifier: MIT
 *
 * fuzz.h: what every fuzzer has: its entry, and a check that stops the run.
 */
#ifndef WT_FUZZ_FUZZ_H
#define WT_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Called once an input; returns 0. Keeps nothing from one call to the next, so
 * that an input that fails does so alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test. A fuzzer ends at the first broken one, so
 * that the input is kept. */
#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
