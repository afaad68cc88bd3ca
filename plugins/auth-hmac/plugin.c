/* SPDX-License-Identifier: MIT
 *
 * auth-hmac: mutual, forward-secret authentication under one pre-shared key a
 * peer. docs/protocol.md, section auth-hmac, is what it does; README.md here
 * is what that promises.
 */
#include <stdio.h>
#include <string.h>

#include "hmac.h"

enum wt_auth_reason wt_hmac_reason(enum wt_status status)
{
	return status == WT_ERR_AUTH ? WT_REASON_WEAK_POINT : WT_REASON_INTERNAL;
}

void wt_hmac_identify(struct wt_auth_out *out, struct wt_hmac_handshake *handshake)
{
	out->flags |= WT_AUTH_OUT_PEER;
	out->peer_id = handshake->peer->id;
	out->local_index = handshake->local_index;
	out->handshake = handshake;
}

void wt_hmac_forget(const struct wt_hmac *hmac, struct wt_hmac_handshake *handshake)
{
	hmac->host->wipe(handshake->h1, sizeof handshake->h1);
	hmac->host->wipe(&handshake->u, sizeof handshake->u);
	handshake->state = STATE_IDLE;
	handshake->local_index = 0;
	handshake->key = KEY_CURRENT;
}

enum wt_status wt_hmac_exchange(const struct wt_hmac *hmac, struct wt_worker *worker,
				const struct wt_secrets *secrets, const uint8_t *private_key,
				const uint8_t *point, uint8_t ck[HASH_SIZE])
{
	hmac->host->count(hmac->host, worker, hmac->dh_counter, 1);
	return wt_schedule_ck(&hmac->primitives, hmac->host, secrets, private_key, point, ck);
}

static enum wt_status set_realm(struct wt_hmac *hmac, const struct wt_config *cfg,
				struct wt_error *err)
{
	const struct wt_host *host = hmac->host;
	struct wt_part realm;
	enum wt_status status = wt_realm_get(host, cfg, &realm, err);

	if (status != WT_OK)
		return status;
	wt_domain_set(&hmac->domain, realm.data, realm.len);
	for (uint32_t channel = 1; channel <= CHANNELS_MAX; channel++) {
		if (wt_schedule_h0(&hmac->primitives, &hmac->domain, channel,
				   hmac->h0[channel - 1]) != WT_OK) {
			snprintf(err->text, sizeof err->text, "[auth %s] libcrypto failed to hash",
				 host->config_name(host, cfg));
			return WT_ERR_CRYPTO;
		}
	}
	return WT_OK;
}

static void out_of_memory(struct wt_error *err, const char *what)
{
	snprintf(err->text, sizeof err->text, "out of memory for %s", what);
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct wt_hmac *hmac = host->secret_alloc(host, sizeof *hmac, _Alignof(struct wt_hmac));
	enum wt_status status;

	if (!hmac) {
		out_of_memory(err, "the instance of auth-hmac");
		return WT_ERR_NOMEM;
	}
	hmac->host = host;
	hmac->dh_counter = host->counter(host, "hmac_dh");
	status = wt_primitives_init(&hmac->primitives, err);
	if (status != WT_OK)
		goto free_primitives;
	status = set_realm(hmac, cfg, err);
	if (status != WT_OK)
		goto free_primitives;
	status = wt_peers_init(&hmac->peers, host);
	if (status != WT_OK) {
		out_of_memory(err, "the peers of auth-hmac");
		goto free_primitives;
	}
	status = wt_flood_init(&hmac->flood, host);
	if (status != WT_OK) {
		out_of_memory(err, "the tokens of auth-hmac");
		goto free_peers;
	}
	*self = hmac;
	return WT_OK;

free_peers:
	wt_peers_free(&hmac->peers);
free_primitives:
	wt_primitives_free(&hmac->primitives);
	host->secret_free(host, hmac);
	return status;
}

static void destroy(void *self)
{
	struct wt_hmac *hmac = self;
	const struct wt_host *host = hmac->host;

	wt_flood_free(&hmac->flood);
	wt_peers_free(&hmac->peers);
	wt_primitives_free(&hmac->primitives);
	host->secret_free(host, hmac);
}

/* Derive what one key file gives, as the peer's next key. */
static enum wt_status add_key(const struct wt_hmac *hmac, struct wt_hmac_peer *peer,
			      const char *setting, const uint8_t *psk, struct wt_error *err)
{
	static const uint8_t zero[PSK_SIZE] = { 0 };

	if (hmac->host->equal(psk, zero, PSK_SIZE)) {
		snprintf(err->text, sizeof err->text,
			 "[peer %s] %s: the key is all zero, make one with `wtcore genpsk`",
			 peer->name, setting);
		return WT_ERR_CONFIG;
	}
	if (wt_schedule_secrets(&hmac->primitives, &hmac->domain, psk,
				&peer->keys[peer->key_count]) != WT_OK) {
		snprintf(err->text, sizeof err->text,
			 "[peer %s] %s: libcrypto failed to derive keys", peer->name, setting);
		return WT_ERR_CRYPTO;
	}
	peer->key_count++;
	return WT_OK;
}

static enum wt_status add_keys(const struct wt_hmac *hmac, const struct wt_config *cfg,
			       struct wt_hmac_peer *peer, struct wt_error *err)
{
	const struct wt_host *host = hmac->host;
	const uint8_t *psk = host->config_key32(host, cfg, "psk_file");
	const uint8_t *next = host->config_key32(host, cfg, "psk_file_next");

	if (!psk) {
		snprintf(err->text, sizeof err->text,
			 "[peer %s] psk_file: it is missing, make one with `wtcore genpsk`",
			 peer->name);
		return WT_ERR_CONFIG;
	}
	enum wt_status status = add_key(hmac, peer, "psk_file", psk, err);

	if (status != WT_OK || !next)
		return status;
	if (host->equal(psk, next, PSK_SIZE)) {
		host->log(host, WT_LOG_WARN,
			  "[peer %s] psk_file_next holds the same key as psk_file: the change of "
			  "key is complete, remove the line",
			  peer->name);
		return WT_OK;
	}
	return add_key(hmac, peer, "psk_file_next", next, err);
}

static enum wt_status peer_add(void *self, const struct wt_config *cfg, uint32_t peer_id,
			       uint32_t roles, void *memory, struct wt_error *err)
{
	struct wt_hmac *hmac = self;
	const struct wt_host *host = hmac->host;
	struct wt_hmac_peer *peer = memory;

	*peer = (struct wt_hmac_peer){ .id = peer_id,
				       .roles = roles,
				       .name = host->config_name(host, cfg) };
	for (uint32_t i = 0; i < CHANNELS_MAX; i++)
		peer->handshakes[i] = (struct wt_hmac_handshake){ .peer = peer, .channel = i + 1 };
	for (uint32_t k = 0; k < KEYS_MAX; k++)
		for (uint32_t i = 0; i < TAGS_MAX; i++)
			peer->tags[k][i] = (struct wt_hmac_tag){ .peer = peer, .key = (uint8_t)k };
	if (pthread_mutex_init(&peer->lock, NULL) != 0) {
		out_of_memory(err, "a peer of auth-hmac");
		return WT_ERR_NOMEM;
	}
	enum wt_status status = add_keys(hmac, cfg, peer, err);

	if (status == WT_OK) {
		status = wt_peers_add(&hmac->peers, &hmac->primitives, peer, host->unix_ms(host),
				      err);
		if (status != WT_OK && status != WT_ERR_CONFIG)
			out_of_memory(err, "the tags of a peer of auth-hmac");
	}
	if (status != WT_OK) {
		pthread_mutex_destroy(&peer->lock);
		host->wipe(peer, sizeof *peer);
	}
	return status;
}

static void peer_remove(void *self, void *memory)
{
	struct wt_hmac *hmac = self;
	struct wt_hmac_peer *peer = memory;

	wt_peers_remove(&hmac->peers, peer);
	pthread_mutex_destroy(&peer->lock);
	hmac->host->wipe(peer, sizeof *peer);
}

static enum wt_auth_verdict start(void *self, struct wt_worker *worker, void *memory,
				  const struct wt_auth_start *what, struct wt_auth_out *out)
{
	struct wt_hmac_peer *peer = memory;

	if (!wt_channel_known(what->channel))
		return wt_verdict_drop(out, WT_REASON_STEP);
	pthread_mutex_lock(&peer->lock);
	enum wt_auth_verdict verdict = wt_initiator_start(self, worker, peer, what, out);

	pthread_mutex_unlock(&peer->lock);
	return verdict;
}

static enum wt_auth_verdict accept_message(void *self, struct wt_worker *worker,
					   const struct wt_auth_in *in, struct wt_auth_out *out)
{
	if (in->message_len < WT_MESSAGE_HEADER)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	if (!wt_channel_known(in->channel) || !wt_header_valid(in, WT_METHOD_HMAC, 0) ||
	    in->message[HEADER_STEP] != STEP_M1)
		return wt_verdict_drop(out, WT_REASON_STEP);
	return wt_responder_accept(self, worker, in, out);
}

static enum wt_auth_verdict receive(void *self, struct wt_worker *worker, void *handshake,
				    const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct wt_hmac_handshake *which = handshake;
	enum wt_auth_verdict verdict;

	if (in->message_len < WT_MESSAGE_HEADER)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	pthread_mutex_lock(&which->peer->lock);
	/* The slot may be idle, or serve a later handshake by now: then its
	 * index is another. */
	if (which->state == STATE_IDLE || in->channel != which->channel ||
	    !wt_header_valid(in, WT_METHOD_HMAC, which->local_index))
		verdict = wt_verdict_drop(out, WT_REASON_STEP);
	else if (which->state == STATE_SENT || which->state == STATE_RETRIED)
		verdict = wt_initiator_receive(self, worker, which, in, out);
	else
		verdict = wt_responder_receive(self, which, in, out);
	pthread_mutex_unlock(&which->peer->lock);
	return verdict;
}

static void abandon(void *self, struct wt_worker *worker, void *handshake, uint32_t local_index)
{
	struct wt_hmac_handshake *which = handshake;

	(void)worker;
	pthread_mutex_lock(&which->peer->lock);
	if (which->state != STATE_IDLE && which->local_index == local_index)
		wt_hmac_forget(self, which);
	pthread_mutex_unlock(&which->peer->lock);
}

static const struct wt_config_key keys[] = {
	WT_REALM_KEY,
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_REQUIRED | WT_CONFIG_SECRET,
	  .name = "psk_file",
	  .help = "File with the pre-shared key of this peer, made by `wtcore genpsk`." },
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_SECRET,
	  .name = "psk_file_next",
	  .help = "File with the key that will replace psk_file; both are accepted meanwhile." },
};

/* What testers try it with: a key of 32 times "a", and one of "b". */
#define PSK_SETTING(text)                                                                          \
	{                                                                                          \
		.struct_size = sizeof(struct wt_conformance_setting), .scope = WT_SCOPE_PEER,      \
		.key = "psk_file", .value = (text)                                                 \
	}
static const struct wt_conformance_setting settings[] = {
	PSK_SETTING("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="),
	PSK_SETTING("YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="),
};

static const struct wt_conformance_end friend_end = { .struct_size = sizeof friend_end,
						      .setting_count = 1,
						      .settings = &settings[0] };
static const struct wt_conformance_end stranger_end = { .struct_size = sizeof stranger_end,
							.setting_count = 1,
							.settings = &settings[1] };

static const struct wt_conformance conformance = { .struct_size = sizeof conformance,
						   .dialler = &friend_end,
						   .acceptor = &friend_end,
						   .stranger = &stranger_end };

static const struct wt_auth_ops ops = {
	.struct_size = sizeof(struct wt_auth_ops),
	.method = WT_METHOD_HMAC,
	.peer_size = sizeof(struct wt_hmac_peer),
	.peer_align = _Alignof(struct wt_hmac_peer),
	.create = create,
	.destroy = destroy,
	.peer_add = peer_add,
	.peer_remove = peer_remove,
	.start = start,
	.accept = accept_message,
	.receive = receive,
	.abandon = abandon,
	.silence_hint = "the same psk_file on both ends, and a peer there that has it",
};

WT_PLUGIN(WT_KIND_AUTH, "hmac", "0.1.0", .license = "MIT",
	  .summary = "Mutual, forward-secret handshake under a pre-shared key", .ops = &ops,
	  .config_keys = keys, .config_key_count = sizeof keys / sizeof keys[0],
	  .conformance = &conformance);
