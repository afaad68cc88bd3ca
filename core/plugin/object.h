/* SPDX-License-Identifier: MIT
 *
 * object.h: an ELF shared object of this machine, opened for libelf.
 *
 * The file may be anybody's. libelf makes room for as many sections as a file
 * says it has, and ELF lets a file say four thousand million; so the header is
 * read without it first, and what counts that way is refused.
 */
#ifndef WT_PLUGIN_OBJECT_H
#define WT_PLUGIN_OBJECT_H

#include <libelf.h>
#include <stdint.h>
#include <whispertunnel/plugin.h>

/* Open `fd`, a file of `size` bytes, which stays the caller's and open for as
 * long as *elf is used. *elf is ended with elf_end. err says what is wrong: it
 * is no ELF shared object, for another machine, or cut short. Main thread. */
enum wt_status wt_object_open(int fd, uint64_t size, Elf **elf, struct wt_error *err) WT_MUST_CHECK;

#endif
