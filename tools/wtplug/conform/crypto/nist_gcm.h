/* SPDX-License-Identifier: MIT
 *
 * nist_gcm.h: NIST's CAVP vectors for AES-256-GCM, in the .rsp files that
 * distributions package for Python's cryptography module.
 */
#ifndef WT_CONFORM_CRYPTO_NIST_GCM_H
#define WT_CONFORM_CRYPTO_NIST_GCM_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/wire.h>

#define WT_NIST_ENCRYPT "gcmEncryptExtIV256.rsp"
#define WT_NIST_DECRYPT "gcmDecrypt256.rsp"
#define WT_NIST_TEXT_MAX 128u /* the files hold up to 51 bytes of text, 90 of AAD */

struct wt_nist_case {
	unsigned line; /* where it begins */
	size_t text_len, aad_len;
	uint8_t key[WT_KEY_SIZE], nonce[WT_NONCE_SIZE], aad[WT_NIST_TEXT_MAX];
	uint8_t plaintext[WT_NIST_TEXT_MAX];
	uint8_t sealed[WT_NIST_TEXT_MAX + WT_TAG_SIZE]; /* ciphertext, tag */
	bool refused;					/* "FAIL": must not open */
};

struct wt_nist_counts {
	unsigned used, skipped;
};

/* Where a file of that name is on this machine; false: nowhere. */
bool wt_nist_find(const char *file, char path[PATH_MAX]);

/* Hands each case with a 96-bit IV and a 128-bit tag to `fn`, until that
 * returns false. The others are counted as skipped. False: the file cannot be
 * read or understood (its line in *line, 0 if it cannot be opened), or `fn`
 * said so (*line is that of the case). */
typedef bool wt_nist_fn(void *arg, const struct wt_nist_case *c);
bool wt_nist_each(const char *path, wt_nist_fn *fn, void *arg, struct wt_nist_counts *counts,
		  unsigned *line);

#endif
