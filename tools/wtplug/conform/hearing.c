/* SPDX-License-Identifier: MIT */
#include "conform/hearing.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/error.h"
#include "conform/trap.h"
#include "plugin/probe.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOWER 5u
#else
#define SLOWER 1u
#endif

/* What the child leaves behind, in shared memory. */
struct verdict {
	uint32_t done;
	enum wt_verdict verdict;
	struct wt_finding finding;
};

struct child {
	const struct wt_hearing *hearing;
	struct verdict *shared;
};

/* ---- in the child -------------------------------------------------------- */

static enum wt_verdict try_aead(const struct wt_hearing *hearing, struct wt_finding *finding)
{
	const bool alone = !hearing->reference || strcmp(hearing->reference, hearing->path) == 0;
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_backend *subject = wt_backend_open_file(hearing->path, &status, &err), *reference;

	if (!subject) {
		wt_find(finding, WT_FAULT_NOT_LOADED, "%s", err.text);
		return status == WT_ERR_UNAVAILABLE ? WT_NOT_RUN : WT_FOUND;
	}
	reference = alone ? subject : wt_backend_open_file(hearing->reference, &status, &err);
	if (!reference) {
		wt_find(finding, WT_FAULT_NONE, "%s", err.text);
		return WT_SKIPPED;
	}
	return wt_aead_check_run(hearing->aead, &hearing->options->check, subject, reference,
				 finding);
}

static enum wt_verdict try_any(const struct wt_hearing *hearing, struct wt_finding *finding)
{
	const struct wt_check_options *check = &hearing->options->check;

	if (hearing->aead)
		return try_aead(hearing, finding);
	if (hearing->auth)
		return wt_auth_check_run(hearing->auth, check, hearing->path, hearing->reference,
					 finding);
	if (hearing->transport)
		return wt_transport_check_run(hearing->transport, hearing->path, check->level,
					      check->seed, finding);
	return hearing->life->run(hearing->path, check, finding);
}

static enum wt_status run(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	const struct child *child = arg;

	(void)probe;
	(void)err;
	wt_trap_set(&child->shared->finding);
	child->shared->verdict = try_any(child->hearing, &child->shared->finding);
	child->shared->done = 1;
	return WT_OK;
}

/* ---- in the parent ------------------------------------------------------- */

static unsigned timeout_of(const struct wt_suite_options *options)
{
	/* Fifty times what the slowest takes alone on two processors: who shares them
	 * with many others is not told that a sound plugin hangs. */
	static const unsigned by_level[] = { 120000, 120000, 120000, 600000 };
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

void wt_hearing_name(const struct wt_hearing *hearing, struct wt_case *out)
{
	const char *name = hearing->aead	? hearing->aead->name
			   : hearing->auth	? hearing->auth->name
			   : hearing->transport ? hearing->transport->name
						: hearing->life->name;

	*out = (struct wt_case){ .promise = hearing->aead	 ? hearing->aead->promise
					    : hearing->auth	 ? hearing->auth->promise
					    : hearing->transport ? hearing->transport->promise
								 : hearing->life->promise };
	snprintf(out->name, sizeof out->name, "%s", name);
}

void wt_hearing_run(const struct wt_hearing *hearing, struct wt_case *out)
{
	const unsigned timeout_ms = timeout_of(hearing->options);
	const struct wt_clock *clock = &wt_clock_system;
	uint64_t start = clock->mono_ns(clock);
	struct wt_error err = WT_ERROR_INIT;
	struct wt_probe_result result;
	struct verdict *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct child child = { hearing, shared };

	wt_hearing_name(hearing, out);
	if (shared == MAP_FAILED || wt_probe_run(run, &child, timeout_ms, &result, &err) != WT_OK) {
		out->verdict = WT_NOT_RUN;
		wt_find(&out->finding, WT_FAULT_NONE, "no process for it: %s",
			err.text[0] ? err.text : "out of memory");
	} else if (result.end == WT_PROBE_RETURNED && shared->done) {
		out->verdict = shared->verdict;
		out->finding = shared->finding;
		out->finding.text[sizeof out->finding.text - 1] = '\0';
		if (out->verdict != WT_FOUND)
			out->finding.fault = WT_FAULT_NONE;
	} else {
		judge_end(&result, shared, timeout_ms, out);
	}
	if (shared != MAP_FAILED)
		munmap(shared, sizeof *shared);
	out->ms = (unsigned)((clock->mono_ns(clock) - start) / 1000000u);
}
