/* SPDX-License-Identifier: MIT
 *
 * The checks themselves: each finds the faults it is there for and names them,
 * and none finds one in a sound backend behind the same wrapping.
 */
#include <string.h>

#include "conform/heap.h"
#include "conform/hearing.h"
#include "support/faults.h"

#define REFERENCE WT_TEST_PLUGIN_DIR "/crypto-aesgcm-openssl.so"

static const struct wt_fault_case cases[] = {
	{ "faulty-tag-unchecked",
	  WT_FAULT_TAG_UNCHECKED,
	  { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-tag-short", WT_FAULT_TAG_PART, { "flips" } },
	{ "faulty-nonce-short",
	  WT_FAULT_NONCE_PART,
	  { "flips", "lengths", "vectors", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-aad-ignored",
	  WT_FAULT_AAD_IGNORED,
	  { "flips", "lengths", "aad", "vectors", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-wrong-status",
	  WT_FAULT_WRONG_STATUS,
	  { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-short-accepted", WT_FAULT_LENGTH_ACCEPTED, { "truncations" } },
	{ "faulty-text-released",
	  WT_FAULT_TEXT_RELEASED,
	  { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-text-left-over",
	  WT_FAULT_TEXT_RELEASED,
	  { "flips", "truncations", "key-bits", "nist-decrypt" } },
	{ "faulty-seal-overrun", WT_FAULT_PAST_BUFFER, { "lengths", "alignments" } },
	{ "faulty-open-overrun",
	  WT_FAULT_PAST_BUFFER,
	  { "lengths", "alignments", "flips", "truncations" } },
	{ "faulty-over-read", WT_FAULT_PAST_BUFFER, { "lengths", "flips", "truncations" } },
	{ "faulty-input-written", WT_FAULT_INPUT_WRITTEN, { "lengths", "alignments", "vectors" } },
	{ "faulty-one-length", WT_FAULT_ONE_LENGTH, { "lengths" } },
	{ "faulty-one-long-length", WT_FAULT_ONE_LENGTH, { "lengths" } },
	{ "faulty-nonce-alignment", WT_FAULT_ALIGNMENT, { "alignments" } },
	{ "faulty-one-alignment", WT_FAULT_ALIGNMENT, { "alignments" } },
	{ "faulty-one-nist-length",
	  WT_FAULT_ONE_LENGTH,
	  { "lengths", "vectors", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-in-place",
	  WT_FAULT_IN_PLACE,
	  { "lengths", "alignments", "vectors", "nist-encrypt", "nist-decrypt" } },
	{ "faulty-in-place-shifted", WT_FAULT_IN_PLACE, { "alignments" } },
	{ "faulty-errno-left", WT_FAULT_ERRNO, { "lengths", "vectors" } },
	{ "faulty-key-short", WT_FAULT_KEY_PART, { "key-bits" } },
	{ "faulty-key-shared", WT_FAULT_KEYS_MIX, { "key-contexts", "threads" } },
	{ "faulty-key-kept", WT_FAULT_KEY_KEPT, { "key-wipe" } },
	{ "faulty-key-borrowed", WT_FAULT_KEY_BORROWED, { "key-wipe" } },
	{ "faulty-key-freed", WT_FAULT_KEY_KEPT, { "key-wipe" } },
	{ "faulty-scratch-shared", WT_FAULT_THREADS, { "threads" } },
	{ "faulty-batch-last", WT_FAULT_BATCH, { "batch" } },
	{ "faulty-batch-tag", WT_FAULT_BATCH, { "batch" } },
	{ "faulty-batch-stride", WT_FAULT_BATCH, { "batch" } },
	{ "faulty-batch-overrun", WT_FAULT_OVERRUN, { "batch" } },
	{ "faulty-batch-input", WT_FAULT_INPUT_WRITTEN, { "batch" } },
	{ "faulty-long-aad", WT_FAULT_ONE_AAD, { "aad" } },
	{ "faulty-one-aad-length", WT_FAULT_ONE_AAD, { "aad" } },
	{ "faulty-leak-key", WT_FAULT_LEAK_MEMORY, { "leaks" } },
	{ "faulty-leak-instance", WT_FAULT_LEAK_MEMORY, { "leaks" } },
	{ "faulty-leak-descriptor", WT_FAULT_LEAK_DESCRIPTOR, { "leaks" } },
	{ "faulty-leak-rarely", WT_FAULT_LEAK_DESCRIPTOR, { "leaks" } },
	{ "faulty-leak-thread", WT_FAULT_LEAK_THREAD, { "leaks" } },
	{ "faulty-memory-unchecked", WT_FAULT_CRASHED, { "allocations" } },
	{ "faulty-memory-quiet", WT_FAULT_ALLOCATION, { "allocations" } },
	{ "faulty-memory-leak", WT_FAULT_LEAK_MEMORY, { "allocations" } },
	{ "faulty-hangs", WT_FAULT_HUNG, { "lengths" } },
	{ "faulty-traps", WT_FAULT_CRASHED, { "lengths" } },
	{ "faulty-leaves", WT_FAULT_ENDED, { "lengths" } },
};
#define CASES (sizeof cases / sizeof cases[0])

static struct wt_case run_apart(const struct wt_aead_check *check, const char *plugin)
{
	struct wt_suite_options options = { .check = { .level = 2, .seed = 1 } };
	const struct wt_hearing hearing = { .options = &options,
					    .path = wt_fault_fixture("crypto", plugin),
					    .reference = REFERENCE,
					    .aead = check };
	struct wt_case done;

	/* Nothing else has to wait for its time limit. */
	if (strcmp(plugin, "faulty-hangs") == 0)
		options.timeout_ms = 4000;
	wt_hearing_run(&hearing, &done);
	return done;
}

static const struct wt_aead_check *check_named(const char *name)
{
	const struct wt_aead_check *check = wt_aead_check_named(name);

	if (!check)
		fail_msg("there is no check \"%s\"", name);
	return check;
}

static void fault_is_found(void **state)
{
	const struct wt_fault_case *c = *state;
	enum wt_fault fault = WT_FAULT_COUNT;

	if (!wt_heap_can_fail() && strcmp(c->plugin, "faulty-key-freed") == 0) {
		print_message("  skipped: a sanitizer has the allocator of this program\n");
		skip();
	}
	for (size_t i = 0; i < WT_FAULT_CHECKS_MAX && c->found_by[i]; i++) {
		const struct wt_case done = run_apart(check_named(c->found_by[i]), c->plugin);

		switch (done.verdict) {
		case WT_FOUND:
			fault = done.finding.fault < fault ? done.finding.fault : fault;
			break;
		case WT_SKIPPED:
		case WT_NOT_RUN:
			print_message("  skipped: %s: %s\n", done.name, done.finding.text);
			break;
		case WT_SOUND:
			fail_msg("%s: not found by \"%s\"", c->plugin, done.name);
		}
	}
	if (fault == WT_FAULT_COUNT)
		skip();
	/* A sanitizer meets memory past a buffer before the trap does. */
	if (!wt_heap_can_fail() && fault == WT_FAULT_ENDED && c->fault == WT_FAULT_CRASHED)
		return;
	if (fault != c->fault)
		fail_msg("%s is called \"%s\", not \"%s\"", c->plugin, wt_fault_text(fault),
			 wt_fault_text(c->fault));
}

static void nothing_is_found_in_a_sound_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_aead_check_count; i++) {
		const struct wt_case done = run_apart(&wt_aead_checks[i], "faulty-none");

		if (done.verdict == WT_FOUND)
			fail_msg("\"%s\" finds something in a sound backend: %s", done.name,
				 done.finding.text);
	}
}

static void every_check_has_a_fault_to_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < wt_aead_check_count; i++) {
		bool covered = false;

		for (size_t c = 0; c < CASES; c++)
			covered |= wt_fault_case_has(&cases[c], wt_aead_checks[i].name);
		if (!covered)
			fail_msg("no faulty backend shows that \"%s\" works",
				 wt_aead_checks[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest first[] = {
		cmocka_unit_test(nothing_is_found_in_a_sound_one),
		cmocka_unit_test(every_check_has_a_fault_to_find),
	};

	return wt_fault_tests_run("crypto checks", first, sizeof first / sizeof first[0], cases,
				  CASES, fault_is_found);
}
