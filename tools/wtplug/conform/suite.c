/* SPDX-License-Identifier: MIT */
#include "conform/suite.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "conform/hearing.h"
#include "conform/told.h"
#include "plugin/installed.h"
#include "plugin/registry.h"

/* A test that hangs costs its time limit; after so many the rest is not tried. */
#define HANGS_MAX 2u

const char *wt_verdict_text(enum wt_verdict verdict)
{
	static const char *const text[] = { "pass", "FAIL", "skip", "not run" };

	return verdict <= WT_NOT_RUN ? text[verdict] : "?";
}

const char *wt_outcome_text(enum wt_outcome outcome)
{
	static const char *const text[] = { "pass", "partial", "fail" };

	return text[outcome];
}

struct running {
	const struct wt_suite_options *options;
	const char *path;
	struct wt_suite *suite;
	struct wt_told told;
	bool whole; /* was there memory for every case? */
	unsigned hangs;
};

static void add(struct running *r, const struct wt_case *done)
{
	struct wt_suite *suite = r->suite;
	struct wt_case *larger = reallocarray(suite->cases, suite->count + 1, sizeof *suite->cases);

	if (!larger) {
		r->whole = false;
		return;
	}
	suite->cases = larger;
	suite->cases[suite->count++] = *done;
	if (done->verdict == WT_FOUND) {
		suite->outcome = WT_OUTCOME_FAIL;
		if (suite->fault == WT_FAULT_NONE || done->finding.fault < suite->fault)
			suite->fault = done->finding.fault;
		r->hangs += done->finding.fault == WT_FAULT_HUNG;
	} else if (done->verdict == WT_NOT_RUN && suite->outcome == WT_OUTCOME_PASS) {
		suite->outcome = WT_OUTCOME_PARTIAL;
	}
	if (r->options->report)
		r->options->report(r->options->report_arg, suite, done);
}

/* `other`: the plugin that it is compared with; NULL: none. */
static void run(struct running *r, const struct wt_hearing *hearing, const char *other)
{
	struct wt_case done;

	if (r->hangs >= HANGS_MAX) {
		wt_hearing_name(hearing, &done);
		done.verdict = WT_NOT_RUN;
		wt_find(&done.finding, WT_FAULT_NONE, "%u tests before it did not come back",
			r->hangs);
	} else {
		wt_hearing_run(hearing, &done);
	}
	if (other) {
		const size_t len = strlen(done.name);

		snprintf(done.name + len, sizeof done.name - len, " with %s", other);
	}
	add(r, &done);
}

/* Would the daemon load it? False: there is nothing else to test. */
static bool test_load(struct running *r)
{
	const struct wt_clock *clock = &wt_clock_system;
	struct wt_plugin_note_desc *note = &r->suite->note;
	struct wt_case done = { .name = "load", .promise = "the daemon would load it" };
	struct wt_error err = WT_ERROR_INIT;
	uint64_t start = clock->mono_ns(clock);
	enum wt_status status = wt_told_read(r->path, note, &r->told, &err);
	char wanted[16 + WT_NAME_MAX];
	const char *base = strrchr(r->path, '/');

	done.ms = (unsigned)((clock->mono_ns(clock) - start) / 1000000u);
	base = base ? base + 1 : r->path;
	snprintf(wanted, sizeof wanted, "%s-%s.so", wt_kind_text((enum wt_plugin_kind)note->kind),
		 note->name);
	if (status == WT_ERR_UNAVAILABLE && r->told.algorithm[0]) {
		done.verdict = WT_NOT_RUN;
		wt_find(&done.finding, WT_FAULT_NONE, "%s", err.text);
	} else if (status != WT_OK) {
		done.verdict = WT_FOUND;
		wt_find(&done.finding, WT_FAULT_NOT_LOADED, "%s", err.text);
	} else if (strcmp(base, wanted) != 0) {
		done.verdict = WT_FOUND;
		wt_find(&done.finding, WT_FAULT_NOT_LOADED,
			"the file is called %s, the daemon looks for %s; rename it", base, wanted);
	}
	add(r, &done);
	/* What fails its self-test is looked at closer: other tests say why. */
	return done.verdict != WT_NOT_RUN && note->struct_size > 0 &&
	       note->kind >= WT_KIND_CRYPTO && note->kind <= WT_KIND_AUTH &&
	       (status == WT_OK || r->told.algorithm[0]);
}

static void test_life(struct running *r)
{
	for (size_t i = 0; i < wt_life_check_count; i++) {
		const struct wt_life_check *check = &wt_life_checks[i];
		struct wt_hearing hearing = { .options = r->options,
					      .path = r->path,
					      .life = check };

		if (check->level <= r->options->check.level)
			run(r, &hearing, NULL);
	}
}

static void test_crypto(struct running *r, const char *reference, const char *name)
{
	for (size_t i = 0; i < wt_aead_check_count; i++) {
		const struct wt_aead_check *check = &wt_aead_checks[i];
		struct wt_hearing hearing = { .options = r->options,
					      .path = r->path,
					      .reference = reference,
					      .aead = check };

		if (check->level > r->options->check.level || (reference && !check->pairwise) ||
		    (check->standard && !r->told.standard))
			continue;
		run(r, &hearing, name);
	}
}

static void skip_pair(struct running *r, const char *why)
{
	struct wt_case done = { .name = "agreement",
				.promise = "agrees with every other backend",
				.verdict = WT_SKIPPED };

	wt_find(&done.finding, WT_FAULT_NONE, "%s", why);
	add(r, &done);
}

/* Every other crypto plugin of the directory with the same algorithm. */
static void test_crypto_pairs(struct running *r)
{
	struct wt_installed installed;
	const char *dir = r->options->plugin_dir;
	size_t compared = 0;

	if (!dir || wt_installed_list(dir, &installed) != WT_OK)
		installed = (struct wt_installed){ .count = 0 };
	for (size_t i = 0; i < installed.count; i++) {
		const struct wt_installed_plugin *other = &installed.items[i];
		struct wt_plugin_note_desc note;
		struct wt_error err = WT_ERROR_INIT;
		struct wt_told told;
		char path[PATH_MAX];

		if (other->kind != WT_KIND_CRYPTO || strcmp(other->name, r->suite->note.name) == 0)
			continue;
		snprintf(path, sizeof path, "%s/crypto-%s.so", dir, other->name);
		enum wt_status status = wt_told_read(path, &note, &told, &err);

		if (status == WT_OK && strcmp(told.algorithm, r->told.algorithm) == 0) {
			test_crypto(r, path, other->name);
			compared++;
		} else if (status != WT_OK) {
			skip_pair(r, err.text);
		}
	}
	wt_installed_clear(&installed);
	if (compared == 0)
		skip_pair(r, dir ? "there is no other plugin of its algorithm in the plugin "
				   "directory"
				 : "there is no plugin directory; name one with --dir");
}

static void not_run(struct running *r, const char *why)
{
	struct wt_case done = { .name = "contract",
				.promise = "keeps the contract of its kind",
				.verdict = WT_NOT_RUN };

	wt_find(&done.finding, WT_FAULT_NONE, "%s", why);
	add(r, &done);
}

static void test_auth(struct running *r)
{
	char aead[PATH_MAX];

	if (!wt_told_find_aead(r->options->plugin_dir, aead)) {
		not_run(r, "a handshake may ask its host for AES-256-GCM, and there is no crypto "
			   "plugin in the plugin directory; name one with --dir");
		return;
	}
	for (size_t i = 0; i < wt_auth_check_count; i++) {
		const struct wt_auth_check *check = &wt_auth_checks[i];
		struct wt_hearing hearing = {
			.options = r->options, .path = r->path, .reference = aead, .auth = check
		};

		if (check->level <= r->options->check.level)
			run(r, &hearing, NULL);
	}
}

static void test_transport(struct running *r)
{
	if (!r->told.conformance) {
		not_run(r, "it has no conformance table, which says what settings to try it with; "
			   "name "
			   "one in WT_PLUGIN as .conformance");
		return;
	}
	for (size_t i = 0; i < wt_transport_check_count; i++) {
		const struct wt_transport_check *check = &wt_transport_checks[i];
		struct wt_hearing hearing = { .options = r->options,
					      .path = r->path,
					      .transport = check };

		if (check->level <= r->options->check.level &&
		    wt_transport_check_is_for(check, r->told.mode))
			run(r, &hearing, NULL);
	}
}

struct wt_suite *wt_suite_run(const char *path, const struct wt_suite_options *options)
{
	struct running r = { .options = options, .path = path, .whole = true };

	r.suite = calloc(1, sizeof *r.suite);
	if (!r.suite)
		return NULL;
	if (test_load(&r)) {
		test_life(&r);
		if (r.suite->note.kind == WT_KIND_CRYPTO) {
			test_crypto(&r, NULL, NULL);
			if (options->check.level >= 2)
				test_crypto_pairs(&r);
		} else if (r.suite->note.kind == WT_KIND_AUTH) {
			test_auth(&r);
		} else {
			test_transport(&r);
		}
	}
	if (r.whole)
		return r.suite;
	wt_suite_free(r.suite);
	return NULL;
}

void wt_suite_free(struct wt_suite *suite)
{
	if (!suite)
		return;
	free(suite->cases);
	free(suite);
}
