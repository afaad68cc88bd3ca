/* SPDX-License-Identifier: MIT
 *
 * note.h: the ELF note in which a plugin says what it is, read from the file
 * so that none of its code has run yet.
 */
#ifndef WT_PLUGIN_NOTE_H
#define WT_PLUGIN_NOTE_H

#include <whispertunnel/plugin.h>

/* Read the note of the open ELF file `fd` of `size` bytes. err says why the
 * file is no plugin for this host: no ELF shared object, cut short, for
 * another machine, without the note, or of an ABI that is not spoken here.
 * On WT_OK name and version are terminated. Main thread. */
enum wt_status wt_note_read(int fd, uint64_t size, struct wt_plugin_note_desc *note,
			    struct wt_error *err) WT_MUST_CHECK;

/* Is a plugin of that ABI spoken here? (WT_ABI_* of plugin.h) */
enum wt_status wt_abi_check(unsigned major, unsigned minor, struct wt_error *err) WT_MUST_CHECK;

#endif
