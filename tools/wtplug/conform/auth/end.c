/* SPDX-License-Identifier: MIT */
#include "conform/auth/end.h"

#include <errno.h>
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
			"it has no conformance table, which says what settings to try it with; "
			"name one in WT_PLUGIN as .conformance");
		return NULL;
	}
	if (!WT_HAS(c, struct wt_conformance, stranger) || !c->dialler || !c->acceptor) {
		wt_find(note, WT_FAULT_NONE,
			"its conformance table lacks an end; fill .dialler and .acceptor");
		return NULL;
	}
	return c;
}

static const struct wt_conformance_setting *setting_at(const struct wt_conformance_end *end,
						       uint32_t i)
{
	const uint8_t *at = (const uint8_t *)end->settings;

	return (const void *)(at + (size_t)i * end->settings->struct_size);
}

/* Key files are what the daemon would read: of this user, for nobody else. */
static bool set_from_file(struct wt_config *cfg, const char *key, const char *text,
			  struct wt_error *err)
{
	char dir[] = "/tmp/wtplug-XXXXXX", path[sizeof dir + 8];

	if (!mkdtemp(dir)) {
		wt_fail(err, WT_ERR_IO, "no directory for its file in /tmp: %s", strerror(errno));
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
		const struct wt_conformance_setting *setting = setting_at(end, i);
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

/* ---- an end --------------------------------------------------------------- */

/* No log line may have the keys that the settings name. */
static void keep_secrets(struct wt_auth_end *end, const struct wt_conformance_end *settings)
{
	const struct wt_host *host = &end->host.host.host;

	for (uint32_t i = 0; i < settings->setting_count; i++) {
		const struct wt_conformance_setting *setting = setting_at(settings, i);
		const struct wt_config *cfg =
			setting->scope == WT_SCOPE_PEER ? end->peer_cfg : end->section;
		const struct wt_config_key *key = wt_config_find(cfg, setting->key);

		if (key && key->type == WT_CONFIG_KEYFILE32)
			wt_secrecy_keep(&end->host.secrecy, setting->key, setting->value,
					host->config_key32(host, cfg, setting->key));
	}
}

bool wt_auth_end_open(struct wt_auth_end *end, const struct wt_loaded *loaded,
		      const struct wt_conformance_end *settings, uint32_t roles, uint32_t peer_id,
		      uint32_t channel, const struct wt_backend *aead, struct wt_finding *note)
{
	const struct wt_plugin *plugin = &loaded->plugin;
	struct wt_error err = WT_ERROR_INIT;

	*end = (struct wt_auth_end){ .plugin = plugin,
				     .ops = &plugin->ops.auth,
				     .peer_id = peer_id,
				     .channel = channel,
				     .next_index = peer_id * 1000,
				     .association = channel == WT_CHANNEL_STREAM ? peer_id : 0,
				     .source = { 192, 0, 2, 1, 0x11, 0x51 } };
	memset(end->params, (int)(0x10 + peer_id), sizeof end->params);
	wt_clock_manual_init(&end->clock, BOOT_MS, UNIX_MS);
	if (!wt_guarded_init(&end->message, "message", WT_AUTH_MESSAGE_MAX + 1) ||
	    !wt_guarded_init(&end->output, "output (struct wt_auth_out)",
			     sizeof(struct wt_auth_out)) ||
	    !wt_guarded_init(&end->reply, "room for the reply", WT_AUTH_MESSAGE_MAX))
		return wt_find(note, WT_FAULT_FAILED, "no memory");
	if (wt_auth_host_init(&end->host, plugin, &end->clock, aead, end->params, &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "%s", err.text);
	end->section =
		wt_conformance_config(plugin, settings, WT_SCOPE_SECTION, plugin->name, note);
	end->peer_cfg =
		end->section ? wt_conformance_config(plugin, settings, WT_SCOPE_PEER, "peer", note)
			     : NULL;
	if (!end->peer_cfg)
		return false;
	keep_secrets(end, settings);
	if (wt_instance_new(plugin, &end->host.host, end->section, &end->instance, &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "create: %s", err.text);
	return wt_auth_end_add(end, roles, note);
}

bool wt_auth_end_restart(struct wt_auth_end *end, uint32_t roles, struct wt_finding *note)
{
	struct wt_error err = WT_ERROR_INIT;

	wt_auth_end_remove(end);
	wt_instance_free(end->instance);
	end->instance = NULL;
	if (wt_instance_new(end->plugin, &end->host.host, end->section, &end->instance, &err) !=
	    WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "create, once more: %s", err.text);
	return wt_auth_end_add(end, roles, note);
}

bool wt_auth_end_add(struct wt_auth_end *end, uint32_t roles, struct wt_finding *note)
{
	struct wt_error err = WT_ERROR_INIT;

	end->peer = wt_secret_alloc(end->ops->peer_size, end->ops->peer_align);
	if (!end->peer)
		return wt_find(note, WT_FAULT_FAILED, "no memory");
	if (wt_auth_peer_add(end->instance, end->peer_cfg, end->peer_id, roles, end->peer, &err) ==
	    WT_OK)
		return true;
	wt_secret_free(end->peer);
	end->peer = NULL;
	return wt_find(note, WT_FAULT_FAILED, "peer_add: %s", err.text);
}

void *wt_auth_end_take(struct wt_auth_end *end)
{
	void *peer = end->peer;

	if (peer)
		wt_auth_peer_remove(end->instance, peer);
	end->peer = NULL;
	return peer;
}

void wt_auth_end_remove(struct wt_auth_end *end)
{
	wt_secret_free(wt_auth_end_take(end));
}

void wt_auth_end_close(struct wt_auth_end *end)
{
	wt_auth_end_remove(end);
	wt_instance_free(end->instance);
	wt_auth_host_free(&end->host);
	wt_config_free(end->peer_cfg);
	wt_config_free(end->section);
	wt_guarded_free(&end->message);
	wt_guarded_free(&end->output);
	wt_guarded_free(&end->reply);
}

/* As the core gives it: all that is set is the caller's. */
static struct wt_auth_out *output(struct wt_auth_end *end)
{
	uint8_t *at = wt_guarded_place(&end->output, sizeof(struct wt_auth_out), WT_GUARDED_END);
	struct wt_auth_out *out = (void *)at;

	*out = (struct wt_auth_out){ .struct_size = sizeof *out,
				     .reply = wt_guarded_place(&end->reply, WT_AUTH_MESSAGE_MAX,
							       WT_GUARDED_END),
				     .reply_capacity = WT_AUTH_MESSAGE_MAX };
	return out;
}

/* What it said, for after the next call; waited for if it was put off. */
static enum wt_auth_verdict said(struct wt_auth_end *end, enum wt_auth_verdict verdict,
				 uint64_t ticket, struct wt_auth_out *placed,
				 struct wt_auth_out *out)
{
	if (verdict == WT_AUTH_PENDING && ticket != 0)
		verdict = wt_auth_host_wait(&end->host, ticket, output(end));
	*out = *placed;
	wt_wipe(placed, sizeof *placed);
	return verdict;
}

bool wt_auth_end_kept(const struct wt_auth_end *end, enum wt_auth_verdict verdict,
		      const struct wt_auth_out *out, struct wt_finding *note)
{
	const uintptr_t at = (uintptr_t)out->handshake, memory = (uintptr_t)end->peer;
	const uint8_t *reply = end->reply.start + end->reply.size - WT_AUTH_MESSAGE_MAX;

	if (end->host.secrecy.what)
		return wt_find(note, WT_FAULT_TOLD, "in a line of its log there is %s",
			       end->host.secrecy.what);
	if (out->struct_size != sizeof *out)
		return wt_find(note, WT_FAULT_OUTPUT, "struct_size was %zu and is %u", sizeof *out,
			       out->struct_size);
	if (out->reply != reply || out->reply_capacity != WT_AUTH_MESSAGE_MAX)
		return wt_find(note, WT_FAULT_OUTPUT,
			       "the reply is not in the buffer that was given");
	if (verdict != WT_AUTH_MORE && verdict != WT_AUTH_DONE)
		return true;
	if (at < memory || at - memory >= end->ops->peer_size)
		return wt_find(note, WT_FAULT_OUTPUT,
			       "the handshake is not in the memory of its peer");
	return true;
}

struct wt_keypair_keys wt_auth_end_keys(const struct wt_auth_out *out)
{
	struct wt_keypair_keys keys;

	memcpy(keys.send_key, out->send_key, WT_KEY_SIZE);
	memcpy(keys.recv_key, out->recv_key, WT_KEY_SIZE);
	memcpy(keys.send_iv, out->send_iv, WT_NONCE_SIZE);
	memcpy(keys.recv_iv, out->recv_iv, WT_NONCE_SIZE);
	return keys;
}

enum wt_auth_verdict wt_auth_end_start(struct wt_auth_end *end, struct wt_auth_out *out)
{
	const struct wt_auth_start start = { .struct_size = sizeof start,
					     .channel = end->channel,
					     .local_index = ++end->next_index,
					     .unanswered = end->unanswered,
					     .params = end->params };

	struct wt_auth_out *placed = output(end);
	enum wt_auth_verdict verdict =
		wt_auth_begin(end->instance, NULL, end->peer, &start, placed);

	return said(end, verdict, 0, placed, out);
}

struct wt_auth_in wt_auth_end_input(struct wt_auth_end *end, const uint8_t *message, size_t len)
{
	return (struct wt_auth_in){
		.struct_size = sizeof(struct wt_auth_in),
		.channel = end->channel,
		.message = message,
		.message_len = (uint32_t)len,
		.local_index = ++end->next_index,
		.association = end->association,
		.ticket = ++end->next_ticket,
		.source = end->source,
		.source_len = sizeof end->source,
		.source_prefix = end->source,
		.source_prefix_len = 4,
	};
}

/* At the end of memory. */
static struct wt_auth_in incoming(struct wt_auth_end *end, const uint8_t *message, size_t len)
{
	uint8_t *copy = wt_guarded_place(&end->message, len, WT_GUARDED_END);

	memcpy(copy, message, len);
	end->host.secrecy.message = copy;
	end->host.secrecy.message_len = len;
	return wt_auth_end_input(end, copy, len);
}

/* *ticket: what a verdict that is put off may be waited for with, or 0. The output is
 * where it was placed. */
static enum wt_auth_verdict ask(struct wt_auth_end *end, void *handshake, const uint8_t *message,
				size_t len, uint64_t *ticket, struct wt_auth_out **placed)
{
	const struct wt_auth_in in = incoming(end, message, len);

	*placed = output(end);
	*ticket = in.ticket;
	if (handshake)
		return wt_auth_receive(end->instance, NULL, handshake, &in, *placed);
	/* For a stranger with a datagram nothing is kept that could wait. */
	if (end->channel != WT_CHANNEL_STREAM)
		*ticket = 0;
	return wt_auth_accept(end->instance, NULL, &in, *placed);
}

enum wt_auth_verdict wt_auth_end_accept(struct wt_auth_end *end, const uint8_t *message, size_t len,
					struct wt_auth_out *out)
{
	return wt_auth_end_receive(end, NULL, message, len, out);
}

enum wt_auth_verdict wt_auth_end_receive(struct wt_auth_end *end, void *handshake,
					 const uint8_t *message, size_t len,
					 struct wt_auth_out *out)
{
	struct wt_auth_out *placed;
	uint64_t ticket;
	enum wt_auth_verdict verdict = ask(end, handshake, message, len, &ticket, &placed);

	return said(end, verdict, ticket, placed, out);
}

enum wt_auth_verdict wt_auth_end_ask(struct wt_auth_end *end, void *handshake,
				     const uint8_t *message, size_t len, uint64_t *ticket,
				     struct wt_auth_out *out)
{
	struct wt_auth_out *placed;
	enum wt_auth_verdict verdict = ask(end, handshake, message, len, ticket, &placed);

	if (verdict != WT_AUTH_PENDING)
		*ticket = 0;
	return said(end, verdict, 0, placed, out);
}
