/* SPDX-License-Identifier: MIT
 *
 * keyfile.h: a key of 32 random bytes in a file, as base64 (RFC 4648, section
 * 4): 44 characters and at most one newline, what `wtcore genpsk` and
 * `wtcore genkey` print.
 */
#ifndef WT_CONFIG_KEYFILE_H
#define WT_CONFIG_KEYFILE_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#define WT_KEYFILE_BYTES 32u
#define WT_KEYFILE_TEXT 44u /* characters, without NUL or newline */

/* Read the key in `path`: a regular file of root or the effective user, mode
 * 0600 or 0400 (0440 inside $CREDENTIALS_DIRECTORY), not a symbolic link. On
 * failure *key is zero and err names the file, what was found and the command
 * that mends it (`make` writes a new one to standard output), never a part of the key. The caller
 * provides locked memory and wipes it. */
enum wt_status wt_keyfile_read(const char *path, const char *make, uint8_t key[WT_KEYFILE_BYTES],
			       struct wt_error *err) WT_MUST_CHECK;

/* The same for a text of `len` characters; err says what is wrong with it,
 * beginning with a verb ("has 43 characters, ..."). */
enum wt_status wt_keyfile_decode(const char *text, size_t len, uint8_t key[WT_KEYFILE_BYTES],
				 struct wt_error *err) WT_MUST_CHECK;

/* Writes WT_KEYFILE_TEXT characters and a NUL. */
void wt_keyfile_encode(const uint8_t key[WT_KEYFILE_BYTES], char text[WT_KEYFILE_TEXT + 1]);

#endif
