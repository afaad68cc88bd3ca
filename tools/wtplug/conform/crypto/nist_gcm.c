/* SPDX-License-Identifier: MIT */
#include "conform/crypto/nist_gcm.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

bool wt_nist_find(const char *file, char path[PATH_MAX])
{
	static const char *const roots[] = {
		"/usr/lib/python3/dist-packages",
		"/usr/lib/python3*/site-packages",
		"/usr/local/lib/python3*/*-packages",
	};

	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		char pattern[PATH_MAX];
		glob_t found;

		snprintf(pattern, sizeof pattern, "%s/cryptography_vectors/ciphers/AES/GCM/%s",
			 roots[i], file);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]);
		globfree(&found);
		return true;
	}
	return false;
}

/* The file as it is read: the group's [parameters], and one case as its lines
 * come in. A case ends with its last field: the tag of an encryption, the text
 * or "FAIL" of a decryption. */
struct reader {
	unsigned line;
	unsigned iv_bits, tag_bits;
	struct wt_nist_case c;
	uint8_t tag[WT_TAG_SIZE];
	bool text_seen, tag_seen;
};

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex of at most `max` bytes; -1 when it is not that. */
static int unhex(const char *text, uint8_t *out, size_t max)
{
	size_t n = strlen(text) / 2;

	if (strlen(text) % 2 != 0 || n > max)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)n;
}

static bool wanted(const struct reader *r)
{
	return r->iv_bits == 8 * WT_NONCE_SIZE && r->tag_bits == 8 * WT_TAG_SIZE;
}

static bool take_parameter(struct reader *r, const char *text)
{
	if (sscanf(text, "[IVlen = %u]", &r->iv_bits) == 1 ||
	    sscanf(text, "[Taglen = %u]", &r->tag_bits) == 1)
		return true;
	unsigned key_bits;

	return sscanf(text, "[Keylen = %u]", &key_bits) != 1 || key_bits == 8 * WT_KEY_SIZE;
}

static bool take_text(struct reader *r, const char *value, uint8_t *out)
{
	int n = unhex(value, out, WT_NIST_TEXT_MAX);

	if (n < 0 || (r->text_seen && (size_t)n != r->c.text_len))
		return false;
	r->text_seen = true;
	r->c.text_len = (size_t)n;
	return true;
}

static bool take_field(struct reader *r, const char *name, const char *value)
{
	if (strcmp(name, "Count") == 0) {
		r->c = (struct wt_nist_case){ .line = r->line };
		r->text_seen = r->tag_seen = false;
		return true;
	}
	if (strcmp(name, "Key") == 0)
		return unhex(value, r->c.key, WT_KEY_SIZE) == WT_KEY_SIZE;
	if (!wanted(r))
		return true;
	if (strcmp(name, "IV") == 0)
		return unhex(value, r->c.nonce, WT_NONCE_SIZE) == WT_NONCE_SIZE;
	if (strcmp(name, "PT") == 0)
		return take_text(r, value, r->c.plaintext);
	if (strcmp(name, "CT") == 0)
		return take_text(r, value, r->c.sealed);
	if (strcmp(name, "Tag") == 0) {
		r->tag_seen = true;
		return unhex(value, r->tag, WT_TAG_SIZE) == WT_TAG_SIZE;
	}
	if (strcmp(name, "AAD") == 0) {
		int n = unhex(value, r->c.aad, sizeof r->c.aad);

		r->c.aad_len = n < 0 ? 0 : (size_t)n;
		return n >= 0;
	}
	return false;
}

static bool finish_case(struct reader *r, wt_nist_fn *fn, void *arg, struct wt_nist_counts *counts)
{
	if (!wanted(r)) {
		counts->skipped++;
		return true;
	}
	if (!r->text_seen || !r->tag_seen)
		return false;
	memcpy(r->c.sealed + r->c.text_len, r->tag, WT_TAG_SIZE);
	counts->used++;
	if (fn(arg, &r->c))
		return true;
	r->line = r->c.line;
	return false;
}

/* One line, its end cut off. A case ends where the next empty line is. */
static bool take_line(struct reader *r, char *text, wt_nist_fn *fn, void *arg,
		      struct wt_nist_counts *counts)
{
	if (text[0] == '\0') {
		bool good = r->c.line == 0 || finish_case(r, fn, arg, counts);

		r->c.line = 0;
		return good;
	}
	if (text[0] == '#')
		return true;
	if (text[0] == '[')
		return take_parameter(r, text);
	if (strcmp(text, "FAIL") == 0) {
		r->c.refused = true;
		return true;
	}
	char *equals = strstr(text, " =");

	if (!equals)
		return false;
	*equals = '\0';
	return take_field(r, text, equals + 2 + strspn(equals + 2, " "));
}

bool wt_nist_each(const char *path, wt_nist_fn *fn, void *arg, struct wt_nist_counts *counts,
		  unsigned *line)
{
	struct reader r = { 0 };
	char text[1024];
	bool good = true;
	FILE *file = fopen(path, "re");

	*counts = (struct wt_nist_counts){ 0 };
	if (file) {
		while (good && fgets(text, sizeof text, file)) {
			r.line++;
			text[strcspn(text, "\r\n")] = '\0';
			good = take_line(&r, text, fn, arg, counts);
		}
		/* The last case may end with the file instead of an empty line. */
		text[0] = '\0';
		good = good && !ferror(file) && take_line(&r, text, fn, arg, counts);
		fclose(file);
	}
	*line = r.line;
	return file && good;
}
