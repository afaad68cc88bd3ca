/* SPDX-License-Identifier: MIT
 *
 * secrecy.h: what a plugin says in its log, searched for what it must not say: keys of
 * its settings, and bytes of the message that came in last.
 */
#ifndef WT_CONFORM_AUTH_SECRECY_H
#define WT_CONFORM_AUTH_SECRECY_H

#include <stddef.h>
#include <stdint.h>

#define WT_SECRECY_KEYS 8u

struct wt_secrecy {
	struct {
		const char *setting; /* its name */
		const char *text;    /* as it is written in a file */
		const uint8_t *key;  /* WT_KEY_SIZE bytes */
	} secrets[WT_SECRECY_KEYS];  /* borrowed, as is the message */
	size_t secret_count;
	const uint8_t *message;
	size_t message_len;
	const char *what; /* what was said: a setting's name or "a message"; NULL: nothing */
};

/* The names and texts live as long as `secrecy`; more than there is room for are not
 * looked for. */
void wt_secrecy_keep(struct wt_secrecy *secrecy, const char *setting, const char *text,
		     const uint8_t *key);
/* Sets `what` when the line has eight bytes of one of them in hexadecimal, with
 * whatever between the pairs of digits, or the beginning of a key's text. */
void wt_secrecy_look(struct wt_secrecy *secrecy, const char *line);

#endif
