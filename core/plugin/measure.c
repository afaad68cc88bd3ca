/* SPDX-License-Identifier: MIT */
#include "plugin/measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "config/values.h"
#include "plugin/call.h"

#define BUDGET_NS 5000000u /* a length */
/* Long enough that asking for the time does not show, and so short that a
 * disturbance spoils few of them. */
#define BATCH_NS 100000u
#define BATCH_RECORDS_MAX 4096u

const uint32_t wt_measure_lengths[WT_MEASURE_LENGTHS] = {
	[WT_MEASURE_SMALL] = 1420,
	[WT_MEASURE_LARGE] = 16384,
};
/* The largest with its tag, and whole cache lines as slots have them. */
#define RECORD_ROOM (16384u + 64u)
#define RECORD_ALIGN 64u
#define TEXT_BYTE 0x5a

struct subject {
	struct wt_crypto *crypto;
	void *ctx;
	uint64_t counter;
	uint8_t *record; /* RECORD_ROOM */
};

/* Of this thread alone: a turn of another process is nobody's cost here. */
static uint64_t processor_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Seal and open n records, each in its own place and under its own nonce. */
static bool run_batch(struct subject *s, uint32_t len, size_t n)
{
	uint8_t nonce[WT_NONCE_SIZE] = { 0 };
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		s->counter++;
		memcpy(nonce, &s->counter, sizeof s->counter);
		ok &= wt_crypto_seal(s->crypto, NULL, s->ctx, nonce, NULL, 0, s->record, len,
				     s->record) == WT_OK;
		ok &= wt_crypto_open(s->crypto, NULL, s->ctx, nonce, NULL, 0, s->record,
				     len + WT_TAG_SIZE, s->record) == WT_OK;
	}
	return ok;
}

static bool is_text(const uint8_t *p, size_t len)
{
	size_t i = 0;

	while (i < len && p[i] == TEXT_BYTE)
		i++;
	return i == len;
}

static bool measure_length(struct subject *s, uint32_t len, uint64_t *ns)
{
	uint64_t best = UINT64_MAX, spent = 0;
	size_t n = 1;

	memset(s->record, TEXT_BYTE, len);
	while (spent < BUDGET_NS) {
		uint64_t start = processor_ns(), took, each;

		if (!run_batch(s, len, n))
			return false;
		took = processor_ns() - start;
		/* A clock that stands still must not keep us here. */
		spent += took + 1000;
		each = took / (2 * n);
		best = each < best ? each : best;
		/* The first batches warm up, and show how many records make one. */
		while (n < BATCH_RECORDS_MAX && n * each < BATCH_NS / 2)
			n *= 2;
	}
	*ns = best ? best : 1;
	return is_text(s->record, len);
}

static enum wt_status measure_all(struct subject *s, struct wt_measured *out, struct wt_error *err)
{
	const struct wt_plugin *plugin = s->crypto->instance->plugin;

	for (size_t i = 0; i < WT_MEASURE_LENGTHS; i++) {
		if (!measure_length(s, wt_measure_lengths[i], &out->ns[i]))
			return wt_fail(err, WT_ERR_CRYPTO,
				       "crypto plugin \"%s\": a record of %u bytes was not sealed "
				       "and opened again; install another build of it",
				       plugin->name, wt_measure_lengths[i]);
	}
	return WT_OK;
}

/* An instance, a key, a record: made, measured and taken down. */
static enum wt_status measure_instance(const struct wt_plugin *plugin,
				       struct wt_host_instance *host, const struct wt_config *cfg,
				       struct wt_measured *out, struct wt_error *err)
{
	static const uint8_t key[WT_KEY_SIZE] = { 1 };
	struct subject s = { .counter = 0 };
	enum wt_status status = wt_crypto_new(plugin, host, cfg, &s.crypto, err);

	if (status != WT_OK)
		return status;
	s.record = aligned_alloc(RECORD_ALIGN, RECORD_ROOM);
	s.ctx = wt_crypto_key_new(s.crypto, NULL, key);
	if (!s.record)
		status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
	else if (!s.ctx)
		status = wt_fail(err, WT_ERR_CRYPTO,
				 "crypto plugin \"%s\": a key could not be set up; install another "
				 "build of it",
				 plugin->name);
	else
		status = measure_all(&s, out, err);
	wt_crypto_key_free(s.crypto, s.ctx);
	free(s.record);
	wt_crypto_free(s.crypto);
	return status;
}

enum wt_status wt_measure_crypto(const struct wt_plugin *plugin, struct wt_measured *out,
				 struct wt_error *err)
{
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };
	struct wt_config *cfg = wt_config_new(plugin->name, &keys, 1, 1u << WT_SCOPE_SECTION);
	struct wt_host_instance host;
	enum wt_status status;

	if (!cfg)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	status = wt_host_base_init(&host, plugin->kind, plugin->name, NULL, NULL, err);
	if (status == WT_OK)
		status = measure_instance(plugin, &host, cfg, out, err);
	wt_config_free(cfg);
	return status;
}
