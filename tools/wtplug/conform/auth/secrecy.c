/* SPDX-License-Identifier: MIT */
#include "conform/auth/secrecy.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <whispertunnel/wire.h>

#define LINE_MAX_DIGITS 1024u
#define WINDOW 8u	/* bytes that are no accident */
#define TEXT_WINDOW 11u /* characters of base64 that say as much */

void wt_secrecy_keep(struct wt_secrecy *secrecy, const char *setting, const char *text,
		     const uint8_t *key)
{
	if (secrecy->secret_count == WT_SECRECY_KEYS || !key)
		return;
	secrecy->secrets[secrecy->secret_count].setting = setting;
	secrecy->secrets[secrecy->secret_count].text = text;
	secrecy->secrets[secrecy->secret_count++].key = key;
}

static uint8_t digit(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Without what may stand between two bytes. */
static size_t squeeze(const char *line, char out[LINE_MAX_DIGITS])
{
	size_t n = 0;

	for (; *line && n < LINE_MAX_DIGITS; line++)
		if (!strchr(" :-,", *line))
			out[n++] = *line;
	return n;
}

/* The bytes that begin at these digits. False: there are fewer, or they are all one
 * byte, which says nothing. */
static bool window_at(const char *digits, size_t left, uint8_t bytes[WINDOW])
{
	bool varied = false;

	if (left < 2 * WINDOW)
		return false;
	for (size_t i = 0; i < WINDOW; i++) {
		const char high = digits[2 * i], low = digits[2 * i + 1];

		if (!isxdigit((unsigned char)high) || !isxdigit((unsigned char)low))
			return false;
		bytes[i] = (uint8_t)(digit(high) << 4 | digit(low));
		varied = varied || bytes[i] != bytes[0];
	}
	return varied;
}

static bool is_in(const uint8_t *bytes, const uint8_t *in, size_t len)
{
	return in && memmem(in, len, bytes, WINDOW) != NULL;
}

/* The keys of a conformance table may well be one byte all over. */
static bool is_key(const char *digits, size_t left, const uint8_t *key)
{
	if (left < 2 * WT_KEY_SIZE)
		return false;
	for (size_t i = 0; i < WT_KEY_SIZE; i++) {
		const char high = digits[2 * i], low = digits[2 * i + 1];

		if (!isxdigit((unsigned char)high) || !isxdigit((unsigned char)low) ||
		    key[i] != (uint8_t)(digit(high) << 4 | digit(low)))
			return false;
	}
	return true;
}

void wt_secrecy_look(struct wt_secrecy *secrecy, const char *line)
{
	char digits[LINE_MAX_DIGITS];
	const size_t n = squeeze(line, digits);
	uint8_t bytes[WINDOW];

	for (size_t i = 0; i < secrecy->secret_count; i++) {
		const char *text = secrecy->secrets[i].text;
		const uint8_t *key = secrecy->secrets[i].key;
		char begins[TEXT_WINDOW + 1];

		snprintf(begins, sizeof begins, "%s", text);
		if (strlen(begins) == TEXT_WINDOW && strstr(line, begins))
			secrecy->what = secrecy->secrets[i].setting;
		for (size_t at = 0; at < n; at++)
			if (is_key(digits + at, n - at, key) ||
			    (window_at(digits + at, n - at, bytes) &&
			     is_in(bytes, key, WT_KEY_SIZE)))
				secrecy->what = secrecy->secrets[i].setting;
	}
	for (size_t at = 0; at < n; at++)
		if (window_at(digits + at, n - at, bytes) &&
		    is_in(bytes, secrecy->message, secrecy->message_len))
			secrecy->what = "a message";
}
