/* SPDX-License-Identifier: MIT */
#include "conform/crypto/aead_check.h"

#include <string.h>

const struct wt_aead_check wt_aead_checks[] = {
	{ "vectors", "gives the known answers", 1, false, false, wt_check_vectors },
	{ "nist-encrypt", "seals NIST's texts to NIST's bytes", 1, false, true,
	  wt_check_nist_encrypt },
	{ "nist-decrypt", "opens NIST's records and refuses the bad", 1, false, true,
	  wt_check_nist_decrypt },
	{ "lengths", "agrees at every length", 2, true, false, wt_check_lengths },
	{ "alignments", "agrees at every alignment", 2, true, false, wt_check_alignments },
	{ "aad", "agrees at every length of AAD", 2, true, false, wt_check_aad },
	{ "flips", "refuses every flipped bit", 2, true, false, wt_check_flips },
	{ "truncations", "refuses every other length", 2, true, false, wt_check_truncations },
	{ "batch", "does in batches what it does alone", 2, false, false, wt_check_batch },
	{ "key-bits", "every bit of a key counts", 2, false, false, wt_check_key_bits },
	{ "key-contexts", "keys in use at once do not mix", 2, true, false, wt_check_key_contexts },
	{ "key-wipe", "nothing is left of a wiped key", 2, false, false, wt_check_key_wipe },
	{ "threads", "two threads do not disturb each other", 2, true, false, wt_check_threads },
	{ "leaks", "keeps nothing of a key or an instance that ended", 2, false, false,
	  wt_check_leaks },
	{ "allocations", "survives a lack of memory", 2, false, false, wt_check_allocations },
};
const size_t wt_aead_check_count = sizeof wt_aead_checks / sizeof wt_aead_checks[0];

const struct wt_aead_check *wt_aead_check_named(const char *name)
{
	for (size_t i = 0; i < wt_aead_check_count; i++)
		if (strcmp(wt_aead_checks[i].name, name) == 0)
			return &wt_aead_checks[i];
	return NULL;
}

enum wt_verdict wt_aead_check_run(const struct wt_aead_check *check,
				  const struct wt_check_options *options,
				  const struct wt_backend *subject,
				  const struct wt_backend *reference, struct wt_finding *note)
{
	struct wt_rig rig;
	enum wt_verdict result = WT_FOUND;

	*note = (struct wt_finding){ .fault = WT_FAULT_NONE };
	if (wt_rig_init(&rig, subject, reference, options))
		result = check->run(&rig, note);
	else
		wt_find(note, WT_FAULT_FAILED, "no memory or no key context for the check");
	note->cases = rig.cases;
	wt_rig_free(&rig);
	if (result != WT_FOUND)
		note->fault = WT_FAULT_NONE;
	return result;
}
