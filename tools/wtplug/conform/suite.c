/* SPDX-License-Identifier: MIT */
#include "conform/suite.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/error.h"
#include "conform/life_check.h"
#include "conform/trap.h"
#include "plugin/installed.h"
#include "plugin/probe.h"
#include "plugin/registry.h"

/* A test that hangs costs its time limit; after so many the rest is not tried. */
#define HANGS_MAX 2u

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOWER 20u
#else
#define SLOWER 1u
#endif

/* What the child leaves behind, in shared memory. */
struct verdict {
	uint32_t done;
	enum wt_verdict verdict;
	struct wt_finding finding;
};

struct job {
	const struct wt_suite_options *options;
	struct verdict *shared;
	const char *path, *reference;
	const struct wt_aead_check *aead; /* one of these four */
	const struct wt_life_check *life;
	const struct wt_transport_check *transport;
	const struct wt_auth_check *auth; /* with `reference`, the host's crypto plugin */
};

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

/* ---- in the child -------------------------------------------------------- */

static enum wt_verdict run_aead(const struct job *job, struct wt_finding *finding)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_backend *subject = wt_backend_open_file(job->path, &status, &err), *reference;

	if (!subject) {
		wt_find(finding, WT_FAULT_NOT_LOADED, "%s", err.text);
		return status == WT_ERR_UNAVAILABLE ? WT_NOT_RUN : WT_FOUND;
	}
	reference = job->reference ? wt_backend_open_file(job->reference, &status, &err) : subject;
	if (!reference) {
		wt_find(finding, WT_FAULT_NONE, "%s", err.text);
		return WT_SKIPPED;
	}
	return wt_aead_check_run(job->aead, &job->options->check, subject, reference, finding);
}

static enum wt_status run_job(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	const struct job *job = arg;
	struct verdict *shared = job->shared;

	(void)probe;
	(void)err;
	wt_trap_set(&shared->finding);
	if (job->aead)
		shared->verdict = run_aead(job, &shared->finding);
	else if (job->auth)
		shared->verdict = wt_auth_check_run(job->auth, &job->options->check, job->path,
						    job->reference, &shared->finding);
	else if (job->transport)
		shared->verdict =
			wt_transport_check_run(job->transport, job->path, job->options->check.level,
					       job->options->check.seed, &shared->finding);
	else
		shared->verdict = job->life->run(job->path, &job->options->check, &shared->finding);
	shared->done = 1;
	return WT_OK;
}

/* ---- in the parent ------------------------------------------------------- */

static unsigned timeout_of(const struct wt_suite_options *options)
{
	static const unsigned by_level[] = { 10000, 10000, 30000, 600000 };
	int level = options->check.level;

	if (options->timeout_ms)
		return options->timeout_ms;
	return SLOWER * by_level[level < 0 ? 0 : level > 3 ? 3 : level];
}

/* The end of a child that did not come to a verdict. */
static void judge_end(const struct wt_probe_result *result, const struct verdict *shared,
		      unsigned timeout_ms, struct wt_case *out)
{
	char said[sizeof result->said + 16] = "";
	const char *name = sigabbrev_np(result->signal);

	if (result->said[0])
		snprintf(said, sizeof said, ", saying \"%s\"", result->said);
	out->verdict = WT_FOUND;
	if (result->end == WT_PROBE_TIMED_OUT)
		wt_find(&out->finding, WT_FAULT_HUNG, "not within %u ms%s", timeout_ms, said);
	else if (result->end == WT_PROBE_KILLED && result->signal == SIGSYS)
		/* A sanitizer may keep the signal from the trap. */
		wt_find(&out->finding, WT_FAULT_BLOCKS, "it makes a system call that waits");
	else if (result->end == WT_PROBE_KILLED)
		wt_find(&out->finding, WT_FAULT_CRASHED, "SIG%s%s", name ? name : "?", said);
	else if (result->exit_status == WT_TRAP_STATUS && shared->finding.fault)
		out->finding = shared->finding;
	else
		wt_find(&out->finding, WT_FAULT_ENDED, "with status %d%s", result->exit_status,
			said);
}

static void run_apart(struct job *job, struct wt_case *out)
{
	const unsigned timeout_ms = timeout_of(job->options);
	const struct wt_clock *clock = &wt_clock_system;
	uint64_t start = clock->mono_ns(clock);
	struct wt_error err = WT_ERROR_INIT;
	struct wt_probe_result result;

	job->shared = mmap(NULL, sizeof *job->shared, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (job->shared == MAP_FAILED ||
	    wt_probe_run(run_job, job, timeout_ms, &result, &err) != WT_OK) {
		out->verdict = WT_NOT_RUN;
		wt_find(&out->finding, WT_FAULT_NONE, "no process for it: %s", err.text);
	} else if (result.end == WT_PROBE_RETURNED && job->shared->done) {
		out->verdict = job->shared->verdict;
		out->finding = job->shared->finding;
		out->finding.text[sizeof out->finding.text - 1] = '\0';
		if (out->verdict != WT_FOUND)
			out->finding.fault = WT_FAULT_NONE;
	} else {
		judge_end(&result, job->shared, timeout_ms, out);
	}
	if (job->shared != MAP_FAILED)
		munmap(job->shared, sizeof *job->shared);
	out->ms = (unsigned)((clock->mono_ns(clock) - start) / 1000000u);
}

void wt_suite_check(const struct wt_suite_options *options, const struct wt_aead_check *check,
		    const char *path, const char *reference, struct wt_case *out)
{
	struct job job = { .options = options,
			   .path = path,
			   .reference = strcmp(path, reference) == 0 ? NULL : reference,
			   .aead = check };

	*out = (struct wt_case){ .promise = check->promise };
	snprintf(out->name, sizeof out->name, "%s", check->name);
	run_apart(&job, out);
}

void wt_suite_check_auth(const struct wt_suite_options *options, const struct wt_auth_check *check,
			 const char *path, const char *aead, struct wt_case *out)
{
	struct job job = { .options = options, .path = path, .reference = aead, .auth = check };

	*out = (struct wt_case){ .promise = check->promise };
	snprintf(out->name, sizeof out->name, "%s", check->name);
	run_apart(&job, out);
}

void wt_suite_check_transport(const struct wt_suite_options *options,
			      const struct wt_transport_check *check, const char *path,
			      struct wt_case *out)
{
	struct job job = { .options = options, .path = path, .transport = check };

	*out = (struct wt_case){ .promise = check->promise };
	snprintf(out->name, sizeof out->name, "%s", check->name);
	run_apart(&job, out);
}

/* ---- the suite ----------------------------------------------------------- */

/* What the descriptor says. */
struct told {
	char algorithm[64]; /* crypto */
	bool standard;	    /* crypto: AES-256-GCM */
	uint32_t mode;	    /* transport */
	bool conformance;   /* has it such a table? */
};

struct running {
	const struct wt_suite_options *options;
	const char *path;
	struct wt_suite *suite;
	struct told told;
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

static void run(struct running *r, struct job *job, const char *name, const char *promise,
		const char *other)
{
	struct wt_case done = { .promise = promise };

	snprintf(done.name, sizeof done.name, "%s%s%s", name, other ? " with " : "",
		 other ? other : "");
	if (r->hangs >= HANGS_MAX) {
		done.verdict = WT_NOT_RUN;
		wt_find(&done.finding, WT_FAULT_NONE, "%u tests before it did not come back",
			r->hangs);
	} else {
		run_apart(job, &done);
	}
	add(r, &done);
}

static void note_descriptor(void *arg, const char *step, const struct wt_loaded *loaded)
{
	struct told *shared = arg;

	/* Known from the step on that reads them. */
	if (loaded->plugin.kind == WT_KIND_TRANSPORT)
		shared->mode = loaded->plugin.ops.transport.mode;
	if (strcmp(step, "descriptor") != 0)
		return;
	shared->conformance = loaded->descriptor.conformance != NULL;
	if (loaded->plugin.kind != WT_KIND_CRYPTO)
		return;
	snprintf(shared->algorithm, sizeof shared->algorithm, "%s", loaded->plugin.algorithm);
	shared->standard = loaded->plugin.standard;
}

/* The loader's steps on a file; what it says of itself goes through shared memory,
 * since its code runs in a child. */
static enum wt_status try_file(const char *path, struct wt_plugin_note_desc *note,
			       struct told *told, struct wt_error *err)
{
	struct told *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	*note = (struct wt_plugin_note_desc){ .struct_size = 0 };
	if (shared == MAP_FAILED)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	const struct wt_load_request request = { .visit = note_descriptor, .visit_arg = shared };
	enum wt_status status = wt_loaded_try(path, &request, note, err);

	*told = *shared;
	told->algorithm[sizeof told->algorithm - 1] = '\0';
	munmap(shared, sizeof *shared);
	return status;
}

/* Would the daemon load it? False: there is nothing else to test. */
static bool test_load(struct running *r)
{
	const struct wt_clock *clock = &wt_clock_system;
	struct wt_plugin_note_desc *note = &r->suite->note;
	struct wt_case done = { .name = "load", .promise = "the daemon would load it" };
	struct wt_error err = WT_ERROR_INIT;
	uint64_t start = clock->mono_ns(clock);
	enum wt_status status = try_file(r->path, note, &r->told, &err);
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
		struct job job = { .options = r->options, .path = r->path, .life = check };

		if (check->level <= r->options->check.level)
			run(r, &job, check->name, check->promise, NULL);
	}
}

static void test_crypto(struct running *r, const char *reference, const char *name)
{
	for (size_t i = 0; i < wt_aead_check_count; i++) {
		const struct wt_aead_check *check = &wt_aead_checks[i];
		struct job job = { .options = r->options,
				   .path = r->path,
				   .reference = reference,
				   .aead = check };

		if (check->level > r->options->check.level || (reference && !check->pairwise) ||
		    (check->standard && !r->told.standard))
			continue;
		run(r, &job, check->name, check->promise, name);
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
		struct told told;
		char path[PATH_MAX];

		if (other->kind != WT_KIND_CRYPTO || strcmp(other->name, r->suite->note.name) == 0)
			continue;
		snprintf(path, sizeof path, "%s/crypto-%s.so", dir, other->name);
		enum wt_status status = try_file(path, &note, &told, &err);

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

/* The first plugin of the directory that a host could be using. */
static bool find_aead(const char *dir, char path[PATH_MAX])
{
	struct wt_installed installed;
	bool found = false;

	if (!dir || wt_installed_list(dir, &installed) != WT_OK)
		return false;
	for (size_t i = 0; !found && i < installed.count; i++) {
		struct wt_plugin_note_desc note;
		struct wt_error err = WT_ERROR_INIT;
		struct told told;

		if (installed.items[i].kind != WT_KIND_CRYPTO)
			continue;
		snprintf(path, PATH_MAX, "%s/crypto-%s.so", dir, installed.items[i].name);
		found = try_file(path, &note, &told, &err) == WT_OK && told.standard;
	}
	wt_installed_clear(&installed);
	return found;
}

static void test_auth(struct running *r)
{
	char aead[PATH_MAX];

	if (!find_aead(r->options->plugin_dir, aead)) {
		not_run(r, "a handshake may ask its host for AES-256-GCM, and there is no crypto "
			   "plugin in the plugin directory; name one with --dir");
		return;
	}
	for (size_t i = 0; i < wt_auth_check_count; i++) {
		const struct wt_auth_check *check = &wt_auth_checks[i];
		struct job job = {
			.options = r->options, .path = r->path, .reference = aead, .auth = check
		};

		if (check->level <= r->options->check.level)
			run(r, &job, check->name, check->promise, NULL);
	}
}

static void test_transport(struct running *r)
{
	if (!r->told.conformance) {
		not_run(r, "it has no conformance table, which says what settings to try it with");
		return;
	}
	for (size_t i = 0; i < wt_transport_check_count; i++) {
		const struct wt_transport_check *check = &wt_transport_checks[i];
		struct job job = { .options = r->options, .path = r->path, .transport = check };

		if (check->level <= r->options->check.level &&
		    wt_transport_check_is_for(check, r->told.mode))
			run(r, &job, check->name, check->promise, NULL);
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
