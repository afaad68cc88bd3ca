/* SPDX-License-Identifier: MIT */
#include "conform/auth_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/values.h"

#define BOOT_MS UINT64_C(5000000)
#define UNIX_MS (UINT64_C(1767225600000) + 1800000u) /* half past an hour */

/* ---- settings ------------------------------------------------------------ */

const struct wt_conformance *wt_conformance_of(const struct wt_loaded *loaded,
					       struct wt_finding *note)
{
	const struct wt_conformance *c = loaded->descriptor.conformance;

	if (!c) {
		wt_find(note, WT_FAULT_NONE,
			"it has no conformance table, which says what settings to try it with");
		return NULL;
	}
	if (!WT_HAS(c, struct wt_conformance, stranger) || !c->dialler || !c->acceptor) {
		wt_find(note, WT_FAULT_NONE, "its conformance table lacks an end");
		return NULL;
	}
	return c;
}

/* Key files are what the daemon would read: of this user, for nobody else. */
static bool set_from_file(struct wt_config *cfg, const char *key, const char *text,
			  struct wt_error *err)
{
	char dir[] = "/tmp/wtplug-XXXXXX", path[sizeof dir + 8];

	if (!mkdtemp(dir)) {
		wt_fail(err, WT_ERR_IO, "no directory for its file in /tmp");
		return false;
	}
	snprintf(path, sizeof path, "%s/key", dir);
	mode_t mask = umask(077);
	FILE *file = fopen(path, "wxe");

	umask(mask);
	bool good = file && fprintf(file, "%s\n", text) > 0;

	if (file && fclose(file) != 0)
		good = false;
	good = good && wt_config_set(cfg, key, path, dir, err) == WT_OK;
	unlink(path);
	rmdir(dir);
	return good;
}

struct wt_config *wt_conformance_config(const struct wt_plugin *plugin,
					const struct wt_conformance_end *end, uint32_t scope,
					const char *name, struct wt_finding *note)
{
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };
	struct wt_config *cfg = wt_config_new(name, &keys, 1, 1u << scope);

	for (uint32_t i = 0; cfg && i < end->setting_count; i++) {
		const uint8_t *at = (const uint8_t *)end->settings;
		const struct wt_conformance_setting *setting =
			(const void *)(at + (size_t)i * end->settings->struct_size);
		struct wt_error err = WT_ERROR_INIT;

		if (setting->scope != scope)
			continue;
		const struct wt_config_key *key = wt_config_find(cfg, setting->key);
		bool good = key && key->type == WT_CONFIG_KEYFILE32
				    ? set_from_file(cfg, setting->key, setting->value, &err)
				    : wt_config_set(cfg, setting->key, setting->value, "/", &err) ==
					      WT_OK;

		if (good)
			continue;
		wt_find(note, WT_FAULT_FAILED, "its conformance table sets %s, which %s",
			setting->key, err.text);
		wt_config_free(cfg);
		return NULL;
	}
	if (!cfg)
		wt_find(note, WT_FAULT_FAILED, "no memory");
	return cfg;
}

/* ---- what only the daemon has -------------------------------------------- */

static struct wt_auth_end *end_of(const struct wt_host *host)
{
	const struct wt_host_instance *instance = host->self;

	return instance->owner;
}

static enum wt_status aead_seal(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	const struct wt_backend *b = end_of(host)->aead;
	void *ctx = wt_backend_key(b, key);
	enum wt_status status = WT_ERR_CRYPTO;

	if (ctx)
		status = b->ops->seal(b->self, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_backend_key_free(b, ctx);
	return status;
}

static enum wt_status aead_open(const struct wt_host *host, struct wt_worker *worker,
				const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	const struct wt_backend *b = end_of(host)->aead;
	void *ctx = wt_backend_key(b, key);
	enum wt_status status = WT_ERR_CRYPTO;

	if (ctx)
		status = b->ops->open(b->self, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_backend_key_free(b, ctx);
	return status;
}

static enum wt_status auth_params(const struct wt_host *host, struct wt_worker *worker,
				  uint32_t peer_id, const uint8_t *params)
{
	(void)host;
	(void)worker;
	(void)peer_id;
	(void)params;
	return WT_OK;
}

static int rate_allow(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
		      const void *source, size_t source_len, uint32_t per_second, uint32_t burst)
{
	(void)host;
	(void)worker;
	(void)peer_id;
	(void)source;
	(void)source_len;
	(void)per_second;
	(void)burst;
	return 1;
}

/* ---- an end --------------------------------------------------------------- */

bool wt_auth_end_open(struct wt_auth_end *end, const struct wt_loaded *loaded,
		      const struct wt_conformance_end *settings, uint32_t roles, uint32_t peer_id,
		      uint32_t channel, const struct wt_backend *aead, struct wt_finding *note)
{
	const struct wt_plugin *plugin = &loaded->plugin;
	struct wt_error err = WT_ERROR_INIT;

	*end = (struct wt_auth_end){ .aead = aead,
				     .plugin = plugin,
				     .ops = &plugin->ops.auth,
				     .peer_id = peer_id,
				     .channel = channel,
				     .next_index = peer_id * 1000,
				     .association = channel == WT_CHANNEL_STREAM ? peer_id : 0 };
	memset(end->params, (int)(0x10 + peer_id), sizeof end->params);
	wt_clock_manual_init(&end->clock, BOOT_MS, UNIX_MS);
	if (!wt_guarded_init(&end->message, "message", WT_AUTH_MESSAGE_MAX + 1))
		return wt_find(note, WT_FAULT_FAILED, "no memory");
	if (wt_host_base_init(&end->host, plugin->kind, plugin->name, &end->clock.clock, NULL,
			      &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "%s", err.text);
	end->host.owner = end;
	end->host.host.aead_seal = aead_seal;
	end->host.host.aead_open = aead_open;
	end->host.host.auth_params = auth_params;
	end->host.host.rate_allow = rate_allow;
	end->section =
		wt_conformance_config(plugin, settings, WT_SCOPE_SECTION, plugin->name, note);
	end->peer_cfg =
		end->section ? wt_conformance_config(plugin, settings, WT_SCOPE_PEER, "peer", note)
			     : NULL;
	if (!end->peer_cfg)
		return false;
	if (wt_instance_new(plugin, &end->host, end->section, &end->instance, &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "create: %s", err.text);
	end->peer = wt_secret_alloc(end->ops->peer_size, end->ops->peer_align);
	if (!end->peer)
		return wt_find(note, WT_FAULT_FAILED, "no memory");
	if (wt_auth_peer_add(end->instance, end->peer_cfg, peer_id, roles, end->peer, &err) ==
	    WT_OK)
		return true;
	wt_secret_free(end->peer);
	end->peer = NULL;
	return wt_find(note, WT_FAULT_FAILED, "peer_add: %s", err.text);
}

void wt_auth_end_close(struct wt_auth_end *end)
{
	if (end->peer)
		wt_auth_peer_remove(end->instance, end->peer);
	wt_secret_free(end->peer);
	wt_instance_free(end->instance);
	wt_config_free(end->peer_cfg);
	wt_config_free(end->section);
	wt_guarded_free(&end->message);
}

static void clear(struct wt_auth_out *out)
{
	/* What is not set must not look as if it were. */
	memset(out, 0xa5, sizeof *out);
	out->struct_size = sizeof *out;
}

enum wt_auth_verdict wt_auth_end_start(struct wt_auth_end *end, struct wt_auth_out *out)
{
	const struct wt_auth_start start = { .struct_size = sizeof start,
					     .channel = end->channel,
					     .local_index = ++end->next_index,
					     .params = end->params };

	clear(out);
	return wt_auth_begin(end->instance, NULL, end->peer, &start, out);
}

static struct wt_auth_in incoming(struct wt_auth_end *end, const uint8_t *message, size_t len)
{
	static const uint8_t source[] = { 192, 0, 2, 1, 0x11, 0x51 };
	uint8_t *copy = wt_guarded_place(&end->message, len, WT_GUARDED_END);

	memcpy(copy, message, len);
	return (struct wt_auth_in){
		.struct_size = sizeof(struct wt_auth_in),
		.channel = end->channel,
		.message = copy,
		.message_len = (uint32_t)len,
		.local_index = ++end->next_index,
		.association = end->association,
		.ticket = 1,
		.source = source,
		.source_len = sizeof source,
		.source_prefix = source,
		.source_prefix_len = 4,
		.params = end->params,
	};
}

enum wt_auth_verdict wt_auth_end_accept(struct wt_auth_end *end, const uint8_t *message, size_t len,
					struct wt_auth_out *out)
{
	const struct wt_auth_in in = incoming(end, message, len);

	clear(out);
	return wt_auth_accept(end->instance, NULL, &in, out);
}

enum wt_auth_verdict wt_auth_end_receive(struct wt_auth_end *end, void *handshake,
					 const uint8_t *message, size_t len,
					 struct wt_auth_out *out)
{
	const struct wt_auth_in in = incoming(end, message, len);

	clear(out);
	return wt_auth_receive(end->instance, NULL, handshake, &in, out);
}
