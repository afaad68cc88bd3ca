/* SPDX-License-Identifier: MIT
 *
 * aead_check.h: the contract of whispertunnel/crypto.h, as checks that take a
 * backend and say what they found.
 *
 * They crash, hang and leak as the backend does: conform/suite.h runs each in a
 * child.
 */
#ifndef WT_CONFORM_CRYPTO_AEAD_CHECK_H
#define WT_CONFORM_CRYPTO_AEAD_CHECK_H

#include "conform/crypto/aead_rig.h"

struct wt_aead_check {
	const char *name;
	const char *promise; /* what holds when nothing is found */
	int level;	     /* the lowest at which it runs */
	bool pairwise;	     /* worth a run against every other backend */
	bool standard;	     /* of AES-256-GCM only */
	enum wt_verdict (*run)(struct wt_rig *rig, struct wt_finding *note);
};

extern const struct wt_aead_check wt_aead_checks[];
extern const size_t wt_aead_check_count;
/* NULL: there is none of that name. */
const struct wt_aead_check *wt_aead_check_named(const char *name);

/* `reference` is another backend, or the same: both must say the same bytes.
 * A sound verdict may leave a note, too: what was counted; else it is "". */
enum wt_verdict wt_aead_check_run(const struct wt_aead_check *check,
				  const struct wt_check_options *options,
				  const struct wt_backend *subject,
				  const struct wt_backend *reference,
				  struct wt_finding *note) WT_MUST_CHECK;

/* ---- the checks, by file ------------------------------------------------- */

enum wt_verdict wt_check_vectors(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_nist_encrypt(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_nist_decrypt(struct wt_rig *rig, struct wt_finding *note);

enum wt_verdict wt_check_lengths(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_alignments(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_aad(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_flips(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_truncations(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_batch(struct wt_rig *rig, struct wt_finding *note);

enum wt_verdict wt_check_key_bits(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_key_contexts(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_key_wipe(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_threads(struct wt_rig *rig, struct wt_finding *note);

enum wt_verdict wt_check_allocations(struct wt_rig *rig, struct wt_finding *note);
enum wt_verdict wt_check_leaks(struct wt_rig *rig, struct wt_finding *note);

static inline enum wt_verdict wt_verdict_of(bool sound)
{
	return sound ? WT_SOUND : WT_FOUND;
}

#endif
