/* SPDX-License-Identifier: MIT
 *
 * fixture.h: built plugins in a directory that the loader accepts.
 *
 * A build directory may be open to the builder's group, which the loader
 * refuses; so tests load copies from a scratch directory.
 */
#ifndef WT_TEST_SUPPORT_FIXTURE_H
#define WT_TEST_SUPPORT_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of a file; free them. Fails the test when there is none. */
uint8_t *wt_fixture_read(const char *path, size_t *size);

/* Copies from_dir/name to to_dir/as (NULL: the same name), mode 0644. */
void wt_fixture_install(const char *from_dir, const char *name, const char *to_dir, const char *as);

#endif
