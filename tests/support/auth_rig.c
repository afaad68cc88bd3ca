/* SPDX-License-Identifier: MIT */
#include "support/auth_rig.h"

#include <dlfcn.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

const struct wt_plugin_descriptor *wt_auth_rig_linked;

static struct wt_auth_rig *rig_of(const struct wt_host *host)
{
	/* host.self is the plain host, the first member of a rig. */
	return host->self;
}

static const struct wt_auth_settings *settings_of(const struct wt_config *cfg)
{
	return (const struct wt_auth_settings *)cfg;
}

/* ---- the host ------------------------------------------------------------- */

static void queued_random(const struct wt_host *host, void *buf, size_t len)
{
	struct wt_auth_rig *rig = rig_of(host);
	size_t n = len < rig->queued ? len : rig->queued;

	memcpy(buf, rig->queue, n);
	if (n > 0) {
		rig->queued -= n;
		memmove(rig->queue, rig->queue + n, rig->queued);
	}
	assert_int_equal(wt_random((uint8_t *)buf + n, len - n), WT_OK);
}

static enum wt_status aead_seal(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	return wt_backend_seal(rig_of(host)->aead, worker, key, nonce, aad, aad_len, in, len, out);
}

static enum wt_status aead_open(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	return wt_backend_open_record(rig_of(host)->aead, worker, key, nonce, aad, aad_len, in, len,
				      out);
}

static uint32_t counter(const struct wt_host *host, const char *name)
{
	(void)host;
	return strstr(name, "_dh") ? 1 : 0;
}

static void count(const struct wt_host *host, struct wt_worker *worker, uint32_t which, uint64_t n)
{
	(void)worker;
	if (which == 1)
		atomic_fetch_add(&rig_of(host)->dh, (unsigned)n);
}

static const char *config_name(const struct wt_host *host, const struct wt_config *cfg)
{
	(void)host;
	return settings_of(cfg)->name;
}

static const char *config_string(const struct wt_host *host, const struct wt_config *cfg,
				 const char *key)
{
	(void)host;
	assert_string_equal(key, "realm");
	return settings_of(cfg)->realm ? settings_of(cfg)->realm : "whispertunnel";
}

static const uint8_t *config_key32(const struct wt_host *host, const struct wt_config *cfg,
				   const char *key)
{
	(void)host;
	if (strcmp(key, "psk_file") == 0)
		return settings_of(cfg)->psk;
	if (strcmp(key, "private_key_file") == 0)
		return settings_of(cfg)->private_key;
	if (strcmp(key, "public_key") == 0)
		return settings_of(cfg)->public_key;
	assert_string_equal(key, "psk_file_next");
	return settings_of(cfg)->psk_next;
}

/* What the peer is told; several threads may be in a rig. */
static _Thread_local const uint8_t *told;

static enum wt_status auth_params(const struct wt_host *host, struct wt_worker *worker,
				  uint32_t peer_id, const uint8_t *theirs, uint8_t *ours)
{
	struct wt_auth_rig *rig = rig_of(host);

	(void)worker;
	(void)peer_id;
	assert_non_null(theirs);
	atomic_fetch_add(&rig->params_calls, 1u);
	if (rig->params_verdict == WT_OK && ours) {
		assert_non_null(told);
		memcpy(ours, told, WT_PARAMS_SIZE);
	}
	return rig->params_verdict;
}

static int rate_allow(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
		      const void *source, size_t source_len, uint32_t per_second, uint32_t burst)
{
	struct wt_auth_rig *rig = rig_of(host);

	(void)worker;
	(void)peer_id;
	assert_non_null(source);
	rig->rate_calls++;
	rig->rate_source_len = source_len;
	rig->rate_per_second = per_second;
	rig->rate_burst = burst;
	return rig->rate_verdict;
}

/* ---- one end -------------------------------------------------------------- */

void wt_auth_rig_open(struct wt_auth_rig *rig, const char *name,
		      const struct wt_auth_settings *section, uint64_t boot_ms, uint64_t unix_ms,
		      const uint8_t *queue, size_t queued)
{
	struct wt_error err = { .struct_size = sizeof err };
	enum wt_status status;
	char path[PATH_MAX];

	memset(rig, 0, sizeof *rig);
	wt_clock_manual_init(&rig->clock, boot_ms, unix_ms);
	wt_plain_host_init(&rig->plain, &rig->clock.clock);
	struct wt_host *host = &rig->plain.host;

	host->random = queued_random;
	host->aead_seal = aead_seal;
	host->aead_open = aead_open;
	host->counter = counter;
	host->count = count;
	host->config_name = config_name;
	host->config_string = config_string;
	host->config_key32 = config_key32;
	host->auth_params = auth_params;
	host->rate_allow = rate_allow;
	rig->rate_verdict = 1;
	memcpy(rig->source, "\xc0\x00\x02\x01\x11\x51", sizeof rig->source);
	rig->association = 1;
	rig->aead = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-openssl", &status, &err);
	if (!rig->aead)
		fail_msg("%s", err.text);
	rig->descriptor = wt_auth_rig_linked;
	if (!rig->descriptor) {
		snprintf(path, sizeof path, "%s/auth-%s.so", WT_TEST_PLUGIN_DIR, name);
		rig->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!rig->handle)
			fail_msg("%s", dlerror());
		rig->descriptor = dlsym(rig->handle, WT_PLUGIN_SYMBOL);
	}
	assert_non_null(rig->descriptor);
	rig->ops = rig->descriptor->ops;
	wt_auth_rig_queue(rig, queue, queued);
	status = rig->ops->create(host, (const struct wt_config *)section, &rig->self, &err);
	if (status != WT_OK)
		fail_msg("create: %s", err.text);
}

void wt_auth_rig_close(struct wt_auth_rig *rig)
{
	rig->ops->destroy(rig->self);
	if (rig->handle)
		dlclose(rig->handle);
	wt_backend_close(rig->aead);
}

void wt_auth_rig_queue(struct wt_auth_rig *rig, const uint8_t *bytes, size_t len)
{
	assert_in_range(len, 0, sizeof rig->queue - rig->queued);
	if (len > 0)
		memcpy(rig->queue + rig->queued, bytes, len);
	rig->queued += len;
}

void wt_auth_rig_advance(struct wt_auth_rig *rig, uint64_t ms)
{
	wt_clock_manual_advance(&rig->clock, ms);
}

void *wt_auth_rig_add(struct wt_auth_rig *rig, const struct wt_auth_settings *peer, uint32_t id,
		      uint32_t roles, struct wt_error *err)
{
	void *memory = wt_secret_alloc(rig->ops->peer_size, rig->ops->peer_align);

	assert_non_null(memory);
	if (rig->ops->peer_add(rig->self, (const struct wt_config *)peer, id, roles, memory, err) ==
	    WT_OK)
		return memory;
	wt_secret_free(memory);
	return NULL;
}

void wt_auth_rig_remove(struct wt_auth_rig *rig, void *peer)
{
	rig->ops->peer_remove(rig->self, peer);
	wt_secret_free(peer);
}

static struct wt_auth_out *output_new(void)
{
	struct wt_auth_out *out = calloc(1, sizeof *out);

	assert_non_null(out);
	out->struct_size = sizeof *out;
	out->reply = calloc(1, WT_AUTH_MESSAGE_MAX);
	out->reply_capacity = WT_AUTH_MESSAGE_MAX;
	assert_non_null(out->reply);
	return out;
}

static void output_take(struct wt_auth_said *said, struct wt_auth_out *out, uint8_t *reply)
{
	assert_int_equal(out->struct_size, sizeof *out);
	assert_ptr_equal(out->reply, reply);
	assert_int_equal(out->reply_capacity, WT_AUTH_MESSAGE_MAX);
	assert_in_range(out->reply_len, 0, WT_AUTH_MESSAGE_MAX);
	*said = (struct wt_auth_said){ .flags = out->flags,
				       .reason = out->reason,
				       .peer_id = out->peer_id,
				       .local_index = out->local_index,
				       .remote_index = out->remote_index,
				       .reply_len = out->reply_len,
				       .clock_off_ms = out->clock_off_ms,
				       .handshake = out->handshake };
	memcpy(said->keys.send_key, out->send_key, WT_KEY_SIZE);
	memcpy(said->keys.recv_key, out->recv_key, WT_KEY_SIZE);
	memcpy(said->keys.send_iv, out->send_iv, WT_NONCE_SIZE);
	memcpy(said->keys.recv_iv, out->recv_iv, WT_NONCE_SIZE);
	memcpy(said->peer_params, out->peer_params, WT_PARAMS_SIZE);
	memcpy(said->reply, reply, WT_AUTH_MESSAGE_MAX);
	free(reply);
	free(out);
}

enum wt_auth_verdict wt_auth_rig_start(struct wt_auth_rig *rig, void *peer, uint32_t channel,
				       uint32_t index, uint32_t unanswered, const uint8_t *params,
				       struct wt_auth_said *said)
{
	const struct wt_auth_start start = {
		.struct_size = sizeof start,
		.channel = channel,
		.local_index = index,
		.unanswered = unanswered,
		.params = params,
	};
	struct wt_auth_out *out = output_new();
	uint8_t *reply = out->reply;
	enum wt_auth_verdict verdict = rig->ops->start(rig->self, NULL, peer, &start, out);

	output_take(said, out, reply);
	return verdict;
}

static struct wt_auth_in input(const struct wt_auth_rig *rig, uint32_t channel, uint8_t *copy,
			       const uint8_t *message, size_t len)
{
	assert_non_null(copy);
	memcpy(copy, message, len);
	return (struct wt_auth_in){
		.struct_size = sizeof(struct wt_auth_in),
		.channel = channel,
		.message = copy,
		.message_len = (uint32_t)len,
		.association = channel == WT_CHANNEL_STREAM ? rig->association : 0,
		.source = rig->source,
		.source_len = sizeof rig->source,
		.source_prefix = rig->source,
		.source_prefix_len = 4,
	};
}

enum wt_auth_verdict wt_auth_rig_accept(struct wt_auth_rig *rig, uint32_t channel, uint32_t index,
					const uint8_t *params, const uint8_t *message, size_t len,
					struct wt_auth_said *said)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct wt_auth_in in = input(rig, channel, copy, message, len);
	struct wt_auth_out *out = output_new();
	uint8_t *reply = out->reply;

	in.local_index = index;
	told = params;
	enum wt_auth_verdict verdict = rig->ops->accept(rig->self, NULL, &in, out);

	told = NULL;
	output_take(said, out, reply);
	free(copy);
	return verdict;
}

enum wt_auth_verdict wt_auth_rig_receive(struct wt_auth_rig *rig, void *handshake, uint32_t channel,
					 const uint8_t *message, size_t len,
					 struct wt_auth_said *said)
{
	uint8_t *copy = malloc(len ? len : 1);
	const struct wt_auth_in in = input(rig, channel, copy, message, len);
	struct wt_auth_out *out = output_new();
	uint8_t *reply = out->reply;
	enum wt_auth_verdict verdict = rig->ops->receive(rig->self, NULL, handshake, &in, out);

	output_take(said, out, reply);
	free(copy);
	return verdict;
}
