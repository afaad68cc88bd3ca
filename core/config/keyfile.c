/* SPDX-License-Identifier: MIT
 *
 * Base64 is coded without tables and without branches on the key, so that
 * neither the cache nor the time tells anything about it.
 */
#include "config/keyfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/trusted.h"

/* Enough to see that a file is too long, and by how much it matters. */
#define READ_MAX 128u

/* All ones if lo <= c <= hi, else 0. */
static uint32_t in_range(uint32_t c, uint32_t lo, uint32_t hi)
{
	return 0u - (((lo - 1u - c) & (c - hi - 1u)) >> 31);
}

/* The value of a base64 digit in bits 0..5; *bad becomes non-zero for others. */
static uint32_t sextet(char digit, uint32_t *bad)
{
	uint32_t c = (unsigned char)digit;
	uint32_t upper = in_range(c, 'A', 'Z'), lower = in_range(c, 'a', 'z');
	uint32_t number = in_range(c, '0', '9');
	uint32_t plus = in_range(c, '+', '+'), slash = in_range(c, '/', '/');

	*bad |= ~(upper | lower | number | plus | slash);
	return (upper & (c - 'A')) | (lower & (c - 'a' + 26u)) | (number & (c - '0' + 52u)) |
	       (plus & 62u) | (slash & 63u);
}

static char digit(uint32_t value)
{
	return (char)((in_range(value, 0, 25) & (value + 'A')) |
		      (in_range(value, 26, 51) & (value - 26u + 'a')) |
		      (in_range(value, 52, 61) & (value - 52u + '0')) |
		      (in_range(value, 62, 62) & '+') | (in_range(value, 63, 63) & '/'));
}

void wt_keyfile_encode(const uint8_t key[WT_KEYFILE_BYTES], char text[WT_KEYFILE_TEXT + 1])
{
	size_t at = 0;

	for (size_t i = 0; i < 30; i += 3) {
		uint32_t v = (uint32_t)key[i] << 16 | (uint32_t)key[i + 1] << 8 | key[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			text[at++] = digit(v >> shift & 63u);
	}
	text[at++] = digit(key[30] >> 2);
	text[at++] = digit(((uint32_t)key[30] << 4 | key[31] >> 4) & 63u);
	text[at++] = digit((uint32_t)key[31] << 2 & 63u);
	text[at++] = '=';
	text[at] = '\0';
}

/* 43 digits and '=': 32 bytes, and two bits that must be zero, or else several
 * texts would mean one key. */
static bool decode_digits(const char *text, uint8_t key[WT_KEYFILE_BYTES])
{
	uint32_t bad = 0, v;

	for (size_t i = 0; i < 10; i++) {
		v = 0;
		for (size_t k = 0; k < 4; k++)
			v = v << 6 | sextet(text[4 * i + k], &bad);
		key[3 * i] = (uint8_t)(v >> 16);
		key[3 * i + 1] = (uint8_t)(v >> 8);
		key[3 * i + 2] = (uint8_t)v;
	}
	v = sextet(text[40], &bad) << 12 | sextet(text[41], &bad) << 6 | sextet(text[42], &bad);
	key[30] = (uint8_t)(v >> 10);
	key[31] = (uint8_t)(v >> 2);
	return (bad | (v & 3u)) == 0;
}

enum wt_status wt_keyfile_decode(const char *text, size_t len, uint8_t key[WT_KEYFILE_BYTES],
				 struct wt_error *err)
{
	static const uint8_t zero[WT_KEYFILE_BYTES];
	static const char allowed[] = "allowed are 44: a key of 32 bytes in base64, as wtcore "
				      "prints it";
	enum wt_status status = WT_ERR_CONFIG;

	wt_wipe(key, WT_KEYFILE_BYTES);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		return wt_fail(err, status,
			       "ends its line with CR LF, as Windows editors do; allowed is LF or "
			       "nothing");
	if (len >= READ_MAX - 1)
		return wt_fail(err, status, "has more than %u characters, %s", READ_MAX - 2,
			       allowed);
	if (len != WT_KEYFILE_TEXT)
		return wt_fail(err, status, "has %zu characters, %s", len, allowed);
	if (text[43] != '=')
		return wt_fail(err, status,
			       "holds 33 bytes or no base64 at all, allowed are 32 "
			       "bytes in base64");
	if (text[42] == '=')
		return wt_fail(err, status, "holds 31 bytes, allowed are 32");
	if (!decode_digits(text, key))
		status = wt_fail(err, status,
				 "is not base64 of 32 bytes: a character or the last "
				 "bits are wrong");
	else if (wt_equal(key, zero, sizeof zero))
		status = wt_fail(err, status, "is all zero, which is no key");
	else
		return WT_OK;
	wt_wipe(key, WT_KEYFILE_BYTES);
	return status;
}

/* Up to READ_MAX bytes; a key is shorter. */
static ssize_t read_all(int fd, char *buf)
{
	size_t len = 0;

	while (len < READ_MAX) {
		ssize_t n = read(fd, buf + len, READ_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

enum wt_status wt_keyfile_read(const char *path, const char *make, uint8_t key[WT_KEYFILE_BYTES],
			       struct wt_error *err)
{
	const struct wt_trusted_rule rule = {
		.what = "key file",
		.allowed = "0600 or 0400",
		.make = make,
		.refused = 07177,
		.chmod = "600",
		.credential = true,
	};
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status;
	char *text;
	ssize_t len;
	int fd;

	wt_wipe(key, WT_KEYFILE_BYTES);
	status = wt_trusted_open(path, &rule, &fd, err);
	if (status != WT_OK)
		return status;
	text = wt_secret_alloc(READ_MAX, 16);
	if (!text) {
		status = wt_fail(err, WT_ERR_NOMEM, "no memory for key file %s", path);
		goto close_fd;
	}
	len = read_all(fd, text);
	if (len < 0) {
		status = wt_fail(err, WT_ERR_IO, "key file %s cannot be read: %s", path,
				 strerror(errno));
		goto free_text;
	}
	status = wt_keyfile_decode(text, (size_t)len, key, &why);
	if (status != WT_OK && memchr(text, '\r', (size_t)len))
		wt_fail(err, status, "key file %s %s; run: sed -i 's/\\r$//' %s", path, why.text,
			path);
	else if (status != WT_OK)
		wt_fail(err, status,
			"key file %s %s; copy it again, or make a new one with: %s > %s", path,
			why.text, rule.make, path);
free_text:
	wt_secret_free(text);
close_fd:
	close(fd);
	return status;
}
