/* SPDX-License-Identifier: MIT */
#include "session/pmtu.h"

/* The link is blocked: look again. */
#define BLOCKED_MS 200u

/* How often, and how fast, before an answer is not expected any more. */
struct pace {
	uint32_t tries, ms;
};
static const struct pace search_pace = { WT_PROBE_TRIES, WT_PROBE_MS };
static const struct pace confirm_pace = { WT_CONFIRM_TRIES, WT_CONFIRM_MS };

enum verdict {
	OPEN,  /* none yet */
	LOST,  /* small ones arrive, this one does not */
	SILENT /* nothing was answered */
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void set_bounds(struct wt_pmtu *pmtu, uint32_t ceiling)
{
	pmtu->ceiling = ceiling;
	pmtu->base = least(WT_PATH_RECORD_BASE, ceiling);
	pmtu->floor = least(WT_PATH_RECORD_FLOOR, ceiling);
}

static void ask(struct wt_pmtu *pmtu, struct wt_pmtu_probe *probe, uint32_t record_len,
		uint64_t due_ms)
{
	pmtu->last_id = (uint16_t)(pmtu->last_id + 2u);
	*probe = (struct wt_pmtu_probe){ .record_len = record_len,
					 .id = pmtu->last_id,
					 .due_ms = due_ms };
}

static void ask_no_more(struct wt_pmtu_probe *probe)
{
	*probe = (struct wt_pmtu_probe){ .record_len = 0 };
}

/* Use `record_max`, and find out whether it arrives. */
static void assume(struct wt_pmtu *pmtu, enum wt_pmtu_state state, uint32_t record_max,
		   uint64_t now)
{
	pmtu->state = state;
	pmtu->record_max = record_max;
	pmtu->raise_ms = 0;
	ask_no_more(&pmtu->confirm);
	ask(pmtu, &pmtu->search, record_max, now);
}

void wt_pmtu_start(struct wt_pmtu *pmtu, uint32_t ceiling, uint64_t now_ms)
{
	set_bounds(pmtu, ceiling);
	assume(pmtu, WT_PMTU_BASE, pmtu->base, now_ms);
}

/* record_max arrives; `high` may. */
static void search(struct wt_pmtu *pmtu, uint32_t high, uint32_t first, uint64_t now)
{
	pmtu->state = WT_PMTU_SEARCH;
	pmtu->high = high;
	pmtu->raise_ms = 0;
	ask(pmtu, &pmtu->search, first, now);
}

static enum wt_pmtu_event complete(struct wt_pmtu *pmtu, uint64_t now)
{
	pmtu->state = WT_PMTU_COMPLETE;
	pmtu->raise_ms = pmtu->record_max < pmtu->ceiling ? now + WT_PROBE_RAISE_MS : 0;
	ask_no_more(&pmtu->search);
	return WT_PMTU_FOUND;
}

/* Between record_max and high. */
static enum wt_pmtu_event halve(struct wt_pmtu *pmtu, uint64_t now)
{
	uint32_t room = pmtu->high - pmtu->record_max;

	if (room < WT_PROBE_STEP)
		return complete(pmtu, now);
	search(pmtu, pmtu->high, pmtu->record_max + (room + 1) / 2, now);
	return WT_PMTU_NOTHING;
}

static enum wt_pmtu_event arrived(struct wt_pmtu *pmtu, uint64_t now)
{
	pmtu->record_max = pmtu->search.record_len;
	ask_no_more(&pmtu->confirm);
	switch (pmtu->state) {
	case WT_PMTU_BASE:
		if (pmtu->record_max == pmtu->ceiling)
			return complete(pmtu, now);
		search(pmtu, pmtu->ceiling, pmtu->ceiling, now);
		return WT_PMTU_NOTHING;
	case WT_PMTU_SMALL:
		pmtu->high = pmtu->base - 1;
		return halve(pmtu, now);
	default:
		return halve(pmtu, now);
	}
}

static enum wt_pmtu_event refuted(struct wt_pmtu *pmtu, uint64_t now)
{
	switch (pmtu->state) {
	case WT_PMTU_SEARCH:
		pmtu->high = pmtu->search.record_len - 1;
		return halve(pmtu, now);
	case WT_PMTU_BASE:
		if (pmtu->base > pmtu->floor) {
			assume(pmtu, WT_PMTU_SMALL, pmtu->floor, now);
			return WT_PMTU_TOO_SMALL;
		}
		break;
	default:
		break;
	}
	pmtu->state = WT_PMTU_UNUSABLE;
	pmtu->raise_ms = now + WT_PROBE_UNUSABLE_MS;
	ask_no_more(&pmtu->search);
	return WT_PMTU_NO_USE;
}

static void fall(struct wt_pmtu *pmtu, uint64_t now)
{
	if (pmtu->record_max > pmtu->base)
		assume(pmtu, WT_PMTU_BASE, pmtu->base, now);
	else
		assume(pmtu, WT_PMTU_SMALL, pmtu->floor, now);
}

enum wt_pmtu_event wt_pmtu_set_ceiling(struct wt_pmtu *pmtu, uint32_t ceiling, uint64_t now_ms)
{
	if (pmtu->state == WT_PMTU_OFF || ceiling == pmtu->ceiling)
		return WT_PMTU_NOTHING;
	if (pmtu->state < WT_PMTU_SEARCH) {
		wt_pmtu_start(pmtu, ceiling, now_ms);
		return WT_PMTU_NOTHING;
	}
	set_bounds(pmtu, ceiling);
	ask_no_more(&pmtu->confirm);
	if (pmtu->record_max >= ceiling) {
		pmtu->record_max = ceiling;
		return complete(pmtu, now_ms);
	}
	search(pmtu, ceiling, ceiling, now_ms);
	return WT_PMTU_NOTHING;
}

uint64_t wt_pmtu_due(const struct wt_pmtu *pmtu)
{
	const uint64_t times[] = { pmtu->search.due_ms, pmtu->confirm.due_ms, pmtu->raise_ms };
	uint64_t soonest = 0;

	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		if (times[i] != 0 && (soonest == 0 || times[i] < soonest))
			soonest = times[i];
	return soonest;
}

static void emit(struct wt_pmtu_step *out, uint32_t record_len, uint16_t id)
{
	out->probes[out->count].record_len = record_len;
	out->probes[out->count++].id = id;
}

static uint16_t small_id(const struct wt_pmtu_probe *probe)
{
	return (uint16_t)(probe->id + 1u);
}

static enum verdict run(struct wt_pmtu_probe *probe, const struct pace *pace, uint64_t now,
			struct wt_pmtu_step *out)
{
	if (probe->record_len == 0 || probe->due_ms > now)
		return OPEN;
	if (probe->tries == pace->tries)
		return probe->alive ? LOST : SILENT;
	emit(out, probe->record_len, probe->id);
	if (probe->tries > 0)
		emit(out, WT_PMTU_SMALL_RECORD, small_id(probe));
	probe->tries++;
	probe->due_ms = now + pace->ms;
	return OPEN;
}

static void run_confirm(struct wt_pmtu *pmtu, uint64_t now, struct wt_pmtu_step *out)
{
	switch (run(&pmtu->confirm, &confirm_pace, now, out)) {
	case OPEN:
		break;
	case SILENT:
		/* An outage; the next large record begins anew. */
		ask_no_more(&pmtu->confirm);
		break;
	case LOST:
		out->event = WT_PMTU_LOWERED;
		fall(pmtu, now);
		break;
	}
}

static void run_search(struct wt_pmtu *pmtu, uint64_t now, struct wt_pmtu_step *out)
{
	enum wt_pmtu_event event;

	switch (run(&pmtu->search, &search_pace, now, out)) {
	case OPEN:
		break;
	case SILENT:
		/* The same id: an answer that is only slow still counts. */
		pmtu->search.tries = 0;
		pmtu->search.due_ms = now + WT_PROBE_SILENT_MS;
		break;
	case LOST:
		event = refuted(pmtu, now);
		if (event != WT_PMTU_NOTHING)
			out->event = event;
		(void)run(&pmtu->search, &search_pace, now, out);
		break;
	}
}

static void wait(uint64_t *due_ms, uint64_t now)
{
	if (*due_ms != 0 && *due_ms <= now)
		*due_ms = now + BLOCKED_MS;
}

void wt_pmtu_run(struct wt_pmtu *pmtu, uint64_t now_ms, bool can_send, struct wt_pmtu_step *out)
{
	out->event = WT_PMTU_NOTHING;
	out->count = 0;
	if (!can_send) {
		wait(&pmtu->search.due_ms, now_ms);
		wait(&pmtu->confirm.due_ms, now_ms);
		wait(&pmtu->raise_ms, now_ms);
		return;
	}
	if (pmtu->raise_ms != 0 && pmtu->raise_ms <= now_ms) {
		if (pmtu->state == WT_PMTU_UNUSABLE)
			wt_pmtu_start(pmtu, pmtu->ceiling, now_ms);
		else
			search(pmtu, pmtu->ceiling, pmtu->ceiling, now_ms);
	}
	run_confirm(pmtu, now_ms, out);
	run_search(pmtu, now_ms, out);
}

static bool answers(const struct wt_pmtu_probe *probe, uint16_t id)
{
	return probe->record_len != 0 && id == probe->id;
}

static bool answers_small(const struct wt_pmtu_probe *probe, uint16_t id)
{
	return probe->record_len != 0 && id == small_id(probe);
}

enum wt_pmtu_event wt_pmtu_acked(struct wt_pmtu *pmtu, uint16_t id, uint64_t now_ms)
{
	if (answers_small(&pmtu->search, id))
		pmtu->search.alive = true;
	if (answers_small(&pmtu->confirm, id))
		pmtu->confirm.alive = true;
	if (answers(&pmtu->confirm, id))
		ask_no_more(&pmtu->confirm);
	return answers(&pmtu->search, id) ? arrived(pmtu, now_ms) : WT_PMTU_NOTHING;
}

bool wt_pmtu_sent(struct wt_pmtu *pmtu, size_t record_len, uint64_t now_ms)
{
	/* Before SEARCH, `search` asks about record_max itself. */
	if (record_len <= pmtu->floor || pmtu->confirm.record_len != 0 ||
	    pmtu->state < WT_PMTU_SEARCH)
		return false;
	ask(pmtu, &pmtu->confirm, pmtu->record_max, now_ms + WT_CONFIRM_AFTER_MS);
	return true;
}
