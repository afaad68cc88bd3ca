/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/facts.h"
#include "compare/figures.h"
#include "compare/report.h"
#include "conform/crypto/aead_attempt.h"
#include "plugin/probe.h"

#define BATCH 32u
#define THREADS_MAX 64u
#define SUBJECTS_MAX 32u
#define TIMEOUT_MS 1800000u
/* A record with its tag, at a cache line. */
#define ROOM (((size_t)WT_SEALED_MAX + 127u) / 64u * 64u)
/* Of a batch: the lengths that a worker has many of. */
#define BATCH_BYTES_MAX 4096u

static const uint32_t lengths[] = { 16,	  64,	128,  256,   512,   1024, 1420,
				    2048, 4096, 8192, 16384, 32768, 65535 };
#define LENGTHS (sizeof lengths / sizeof lengths[0])
static const uint32_t thread_lengths[] = { 1420, 16384 };
#define THREAD_LENGTHS (sizeof thread_lengths / sizeof thread_lengths[0])

enum operation { SEAL, OPEN, OPERATIONS };
static const char *const operation_text[] = { "seal", "open" };

/* One thread's worth of a backend: contexts and buffers that nobody shares. */
struct lane {
	const struct wt_backend *backend;
	void *seal_ctx, *open_ctx;
	uint8_t *sealed, *opened; /* BATCH records of BATCH_BYTES_MAX, or one of ROOM */
	uint64_t counter;
	bool failed;
};

static bool lane_init(struct lane *lane, const struct wt_backend *backend)
{
	static const uint8_t key[WT_KEY_SIZE] = { 1 };
	const size_t room =
		BATCH * (BATCH_BYTES_MAX + 64u) > ROOM ? BATCH * (BATCH_BYTES_MAX + 64u) : ROOM;

	*lane = (struct lane){ .backend = backend };
	lane->seal_ctx = wt_backend_key(backend, key);
	lane->open_ctx = wt_backend_key(backend, key);
	lane->sealed = aligned_alloc(64, room);
	lane->opened = aligned_alloc(64, room);
	if (!lane->seal_ctx || !lane->open_ctx || !lane->sealed || !lane->opened)
		return false;
	memset(lane->sealed, 0x5a, room);
	memset(lane->opened, 0, room);
	return true;
}

static void lane_free(struct lane *lane)
{
	if (!lane->backend)
		return;
	wt_backend_key_free(lane->backend, lane->seal_ctx);
	wt_backend_key_free(lane->backend, lane->open_ctx);
	free(lane->sealed);
	free(lane->opened);
}

/* ---- what is timed ------------------------------------------------------- */

static void seal_one(struct lane *lane, uint32_t len)
{
	uint8_t nonce[WT_NONCE_SIZE] = { 0 };
	const struct wt_backend *b = lane->backend;

	lane->counter++;
	memcpy(nonce + 4, &lane->counter, sizeof lane->counter);
	if (b->ops->seal(b->self, NULL, lane->seal_ctx, nonce, NULL, 0, lane->sealed, len,
			 lane->sealed) != WT_OK)
		lane->failed = true;
}

/* The same record again and again, into another buffer. */
static void open_one(struct lane *lane, uint32_t len)
{
	uint8_t nonce[WT_NONCE_SIZE] = { 0 };
	const struct wt_backend *b = lane->backend;

	memcpy(nonce + 4, &lane->counter, sizeof lane->counter);
	if (b->ops->open(b->self, NULL, lane->open_ctx, nonce, NULL, 0, lane->sealed,
			 len + WT_TAG_SIZE, lane->opened) != WT_OK)
		lane->failed = true;
}

/* By the plugin's batch form, or by its single one as the host does it. */
static void run_batch(struct lane *lane, enum operation operation, uint32_t len)
{
	const struct wt_backend *b = lane->backend;
	uint8_t nonces[BATCH][WT_NONCE_SIZE] = { { 0 } };
	struct wt_aead_item items[BATCH];
	void *ctx = operation == SEAL ? lane->seal_ctx : lane->open_ctx;

	for (size_t i = 0; i < BATCH; i++) {
		uint8_t *sealed = lane->sealed + i * (BATCH_BYTES_MAX + 64u);
		uint64_t counter =
			operation == SEAL ? ++lane->counter : lane->counter - BATCH + i + 1;

		memcpy(nonces[i] + 4, &counter, sizeof counter);
		items[i] = (struct wt_aead_item){
			.struct_size = sizeof items[i],
			.len = operation == SEAL ? len : len + WT_TAG_SIZE,
			.nonce = nonces[i],
			.in = sealed,
			.out = operation == SEAL ? sealed
						 : lane->opened + i * (BATCH_BYTES_MAX + 64u),
		};
	}
	if (operation == SEAL && b->ops->seal_batch)
		b->ops->seal_batch(b->self, NULL, ctx, items, BATCH);
	else if (operation == OPEN && b->ops->open_batch)
		b->ops->open_batch(b->self, NULL, ctx, items, BATCH);
	else
		for (size_t i = 0; i < BATCH; i++)
			items[i].status = (operation == SEAL ? b->ops->seal : b->ops->open)(
				b->self, NULL, ctx, items[i].nonce, NULL, 0, items[i].in,
				items[i].len, items[i].out);
	for (size_t i = 0; i < BATCH; i++)
		lane->failed |= items[i].status != WT_OK;
}

static void run_once(struct lane *lane, enum operation operation, bool batch, uint32_t len)
{
	if (batch)
		run_batch(lane, operation, len);
	else if (operation == SEAL)
		seal_one(lane, len);
	else
		open_one(lane, len);
}

/* Of this thread alone: a turn of another process is nobody's cost here. */
static uint64_t processor_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* One sample: ns a record, over as many as a turn holds. */
static double sample(struct lane *lane, enum operation operation, bool batch, uint32_t len,
		     uint64_t turn_ns)
{
	const uint64_t each = batch ? BATCH : 1;
	uint64_t calls = 0, step = 1, start, took;

	/* What is opened must have been sealed before, at this length. */
	if (operation == OPEN)
		run_once(lane, SEAL, batch, len);
	run_once(lane, operation, batch, len);
	start = processor_ns();
	do {
		for (uint64_t i = 0; i < step; i++)
			run_once(lane, operation, batch, len);
		calls += step;
		took = processor_ns() - start;
		/* Reading the clock must not show. */
		if (took < turn_ns / 8)
			step *= 2;
	} while (took < turn_ns);
	return (double)took / (double)(calls * each);
}

/* ---- one thread ---------------------------------------------------------- */

struct speed {
	const struct wt_compare_options *options;
	json_t *report; /* the child's copy */
	int fd;
	struct wt_backend *backends[SUBJECTS_MAX];
	size_t n;
};

/* One length of one operation, all backends in turns. */
static bool measure_row(const struct speed *speed, struct lane *lanes, enum operation operation,
			bool batch, uint32_t len, json_t *rows)
{
	const size_t rounds = speed->options->rounds;
	double *samples = calloc(speed->n * rounds, sizeof *samples);
	bool good = samples != NULL;

	for (size_t round = 0; good && round < rounds; round++)
		for (size_t i = 0; i < speed->n; i++)
			samples[i * rounds + round] =
				sample(&lanes[i], operation, batch, len,
				       (uint64_t)speed->options->turn_us * 1000u);
	for (size_t i = 0; good && i < speed->n; i++) {
		json_t *row = wt_figures_json(samples + i * rounds, rounds, false);
		double best = wt_report_number(row, "best");

		json_object_set_new(row, "plugin",
				    json_string(speed->backends[i]->descriptor->name));
		json_object_set_new(row, "operation", json_string(operation_text[operation]));
		json_object_set_new(row, "batch", json_integer(batch ? BATCH : 1));
		json_object_set_new(row, "bytes", json_integer(len));
		json_object_set_new(row, "mb_s", json_real(best > 0 ? len * 1000.0 / best : 0));
		json_array_append_new(rows, row);
		good = !lanes[i].failed;
	}
	free(samples);
	return good;
}

static bool measure_single(const struct speed *speed, json_t *rows)
{
	struct lane lanes[SUBJECTS_MAX] = { { .backend = NULL } };
	bool good = true;

	for (size_t i = 0; good && i < speed->n; i++)
		good = lane_init(&lanes[i], speed->backends[i]);
	for (size_t l = 0; good && l < LENGTHS; l++)
		for (int operation = 0; good && operation < OPERATIONS; operation++)
			for (int batch = 0; good && batch < 2; batch++)
				if (!batch || lengths[l] <= BATCH_BYTES_MAX)
					good = measure_row(speed, lanes, (enum operation)operation,
							   batch, lengths[l], rows);
	for (size_t i = 0; i < speed->n; i++)
		lane_free(&lanes[i]);
	return good;
}

/* ---- threads ------------------------------------------------------------- */

struct team {
	struct lane lanes[THREADS_MAX];
	pthread_barrier_t start;
	_Atomic bool stop;
	_Atomic uint64_t bytes;
	uint32_t len;
};

struct member {
	struct team *team;
	size_t index;
	uint64_t begin, end; /* before its first record, and after its last */
};

static void *member_main(void *arg)
{
	const struct wt_clock *clock = &wt_clock_system;
	struct member *member = arg;
	struct team *team = member->team;
	struct lane *lane = &team->lanes[member->index];
	uint64_t bytes = 0;

	pthread_barrier_wait(&team->start);
	member->begin = clock->mono_ns(clock);
	while (!atomic_load_explicit(&team->stop, memory_order_relaxed)) {
		for (int i = 0; i < 16; i++)
			seal_one(lane, team->len);
		bytes += 16u * (uint64_t)team->len;
	}
	member->end = clock->mono_ns(clock);
	atomic_fetch_add(&team->bytes, bytes);
	return NULL;
}

/* MB/s of `n` threads together, over about `turn_ns` on the wall clock: from the first
 * record of any to the last record of any. A thread may wait for its turn while others
 * work, and what is counted must lie within what is timed. */
static double sample_team(struct team *team, size_t n, uint64_t turn_ns)
{
	const struct wt_clock *clock = &wt_clock_system;
	struct member members[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	size_t started = 0;

	atomic_store(&team->stop, false);
	atomic_store(&team->bytes, 0);
	pthread_barrier_init(&team->start, NULL, (unsigned)n);
	/* The first is this thread, which also keeps the time. */
	for (size_t i = 1; i < n; i++) {
		members[i] = (struct member){ .team = team, .index = i };
		if (pthread_create(&threads[i], NULL, member_main, &members[i]) != 0)
			break;
		started = i;
	}
	double rate = 0;

	if (started + 1 == n) {
		uint64_t begin, end, bytes = 0;

		pthread_barrier_wait(&team->start);
		begin = end = clock->mono_ns(clock);
		do {
			for (int i = 0; i < 16; i++)
				seal_one(&team->lanes[0], team->len);
			bytes += 16u * (uint64_t)team->len;
			end = clock->mono_ns(clock);
		} while (end - begin < turn_ns);
		atomic_store(&team->stop, true);
		for (size_t i = 1; i < n; i++) {
			pthread_join(threads[i], NULL);
			begin = members[i].begin < begin ? members[i].begin : begin;
			end = members[i].end > end ? members[i].end : end;
		}
		rate = (double)(bytes + atomic_load(&team->bytes)) * 1000.0 / (double)(end - begin);
	}
	pthread_barrier_destroy(&team->start);
	return rate;
}

static bool measure_team(const struct speed *speed, struct wt_backend *backend, struct team *team,
			 size_t n, json_t *rows)
{
	const size_t rounds = speed->options->rounds;
	double *samples = calloc(rounds, sizeof *samples);
	bool good = samples != NULL;

	for (size_t i = 0; good && i < n; i++)
		good = lane_init(&team->lanes[i], backend);
	for (size_t round = 0; good && round < rounds; round++) {
		samples[round] =
			sample_team(team, n, 5 * (uint64_t)speed->options->turn_us * 1000u);
		good = samples[round] > 0;
	}
	if (good) {
		json_t *row = wt_figures_json(samples, rounds, true);

		json_object_set_new(row, "plugin", json_string(backend->descriptor->name));
		json_object_set_new(row, "bytes", json_integer(team->len));
		json_object_set_new(row, "threads", json_integer((json_int_t)n));
		json_object_set(row, "mb_s", json_object_get(row, "best"));
		json_array_append_new(rows, row);
	}
	for (size_t i = 0; i < n; i++)
		lane_free(&team->lanes[i]);
	free(samples);
	return good;
}

static bool measure_threads(const struct speed *speed, json_t *rows)
{
	const size_t most =
		speed->options->threads > THREADS_MAX ? THREADS_MAX : speed->options->threads;
	struct team *team = calloc(1, sizeof *team);
	bool good = team != NULL;

	for (size_t l = 0; good && l < THREAD_LENGTHS; l++)
		for (size_t n = 1; good && n <= most; n++)
			for (size_t i = 0; good && i < speed->n; i++) {
				team->len = thread_lengths[l];
				good = measure_team(speed, speed->backends[i], team, n, rows);
			}
	free(team);
	return good;
}

/* ---- the child and its parent -------------------------------------------- */

static enum wt_status run(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	struct speed *speed = arg;
	json_t *plugins = json_object_get(speed->report, "plugins"), *plugin;
	json_t *said = json_object(), *rows = json_array(), *threads = json_array();
	enum wt_status status;
	size_t i;

	(void)probe;
	json_array_foreach(plugins, i, plugin)
	{
		if (!wt_report_available(plugin) || speed->n == SUBJECTS_MAX)
			continue;
		speed->backends[speed->n] =
			wt_backend_open_file(wt_report_text(plugin, "file"), &status, err);
		if (!speed->backends[speed->n])
			return status;
		speed->n++;
	}
	bool good = measure_single(speed, rows) && measure_threads(speed, threads);

	json_object_set_new(said, "speed", rows);
	json_object_set_new(said, "threads", threads);
	wt_answer_write(speed->fd, said);
	return good ? WT_OK
		    : wt_fail(err, WT_ERR_CRYPTO,
			      "a record was not sealed and opened again; run "
			      "wtplug conform on each");
}

void wt_speed_measure(const struct wt_compare_options *options, json_t *report)
{
	struct speed speed = { .options = options, .report = report, .fd = wt_answer_new() };
	struct wt_probe_result result;
	struct wt_error err = WT_ERROR_INIT;
	const char *failure = NULL;

	if (speed.fd < 0 || wt_probe_run(run, &speed, TIMEOUT_MS, &result, &err) != WT_OK)
		failure = err.text[0] ? err.text : WT_ANSWER_NONE;
	else if (result.end != WT_PROBE_RETURNED)
		failure = "a plugin crashed or hung while it was measured; run wtplug conform on "
			  "each";
	else if (result.status != WT_OK)
		failure = result.err.text;
	json_t *said = speed.fd >= 0 ? wt_answer_read(speed.fd) : NULL;

	if (json_is_object(said))
		json_object_update(report, said);
	json_decref(said);
	if (failure)
		json_object_set_new(report, "speed_failure", wt_facts_text(failure));
	if (speed.fd >= 0)
		close(speed.fd);
}
