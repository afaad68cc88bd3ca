/* SPDX-License-Identifier: MIT
 *
 * utf8.h: text that can be shown: whole characters of UTF-8, and none that a
 * terminal obeys. Any thread.
 */
#ifndef WT_BASE_UTF8_H
#define WT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character outside of ASCII at `p`: 2, 3 or 4, or 0 if there is
 * none, it is cut short, overlong or a surrogate (RFC 3629), or a control
 * character (C1). A NUL ends the text, so that nothing is read past it. */
size_t wt_utf8_length(const unsigned char *p);

/* Is all of it ASCII that is printable, or a character as above? Yes of "". */
bool wt_utf8_is_printable(const char *text);

/* In place: each byte that is not part of what can be shown becomes "?". */
void wt_utf8_clean(char *text);

#endif
