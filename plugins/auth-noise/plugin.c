/* SPDX-License-Identifier: MIT
 *
 * auth-noise: mutual, forward-secret authentication with a key pair an end, and
 * a pre-shared key beside it if wanted. docs/protocol.md, section auth-noise, is
 * what it does; README.md here is what that promises.
 */
#include <stdio.h>
#include <string.h>

#include "noise.h"

struct wt_noise_tools wt_noise_tools(const struct wt_noise *noise, struct wt_worker *worker)
{
	return (struct wt_noise_tools){ .host = noise->host,
					.primitives = &noise->primitives,
					.worker = worker,
					.dh_counter = noise->dh_counter };
}

enum wt_auth_reason wt_noise_reason(const struct wt_ik *ik, enum wt_status status)
{
	if (status != WT_ERR_AUTH)
		return WT_REASON_INTERNAL;
	return ik->weak ? WT_REASON_WEAK_POINT : WT_REASON_BAD_SEAL;
}

void wt_noise_identify(struct wt_auth_out *out, struct wt_noise_handshake *handshake)
{
	out->flags |= WT_AUTH_OUT_PEER;
	out->peer_id = handshake->peer->id;
	out->local_index = handshake->local_index;
	out->handshake = handshake;
}

void wt_noise_forget(const struct wt_noise *noise, struct wt_noise_handshake *handshake)
{
	noise->host->wipe(&handshake->u, sizeof handshake->u);
	handshake->state = STATE_IDLE;
	handshake->local_index = 0;
}

size_t wt_noise_prologue(const struct wt_noise *noise, uint32_t channel, const uint8_t *m1,
			 uint8_t out[PROLOGUE_MAX])
{
	const size_t name_len = sizeof PROLOGUE_NAME - 1, realm_len = noise->realm.len;
	uint8_t *p = out;

	memcpy(p, PROLOGUE_NAME, name_len);
	p += name_len;
	*p++ = (uint8_t)(realm_len >> 8);
	*p++ = (uint8_t)realm_len;
	memcpy(p, noise->realm.data, realm_len);
	p += realm_len;
	*p++ = (uint8_t)channel;
	memcpy(p, m1, HEAD_SIZE);
	p += HEAD_SIZE;
	return (size_t)(p - out);
}

static enum wt_status failed(struct wt_error *err, const char *section, const char *what)
{
	snprintf(err->text, sizeof err->text, "[%s] libcrypto failed to %s", section, what);
	return WT_ERR_CRYPTO;
}

static void out_of_memory(struct wt_error *err, const char *what)
{
	snprintf(err->text, sizeof err->text, "out of memory for %s of auth-noise", what);
}

/* ---- the instance ----------------------------------------------------------- */

static enum wt_status set_keys(struct wt_noise *noise, const struct wt_config *cfg,
			       struct wt_error *err)
{
	const struct wt_host *host = noise->host;
	const uint8_t *key = host->config_key32(host, cfg, "private_key_file");

	if (!key) {
		snprintf(err->text, sizeof err->text,
			 "[auth %s] private_key_file: it is missing, make one with `wtcore genkey`",
			 host->config_name(host, cfg));
		return WT_ERR_CONFIG;
	}
	memcpy(noise->us.private_key, key, POINT_SIZE);
	if (wt_x25519_public(key, noise->us.public_key) != WT_OK ||
	    wt_mac_keys(&noise->primitives, noise->us.public_key, &noise->macs) != WT_OK)
		return failed(err, "auth", "derive the public key");
	return WT_OK;
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct wt_noise *noise = host->secret_alloc(host, sizeof *noise, _Alignof(struct wt_noise));
	enum wt_status status;

	if (!noise) {
		out_of_memory(err, "the instance");
		return WT_ERR_NOMEM;
	}
	noise->host = host;
	noise->dh_counter = host->counter(host, "noise_dh");
	status = wt_primitives_init(&noise->primitives, err);
	if (status == WT_OK)
		status = wt_realm_get(host, cfg, &noise->realm, err);
	if (status == WT_OK)
		status = set_keys(noise, cfg, err);
	if (status != WT_OK)
		goto free_primitives;
	status = wt_noise_peers_init(&noise->peers, host);
	if (status != WT_OK) {
		out_of_memory(err, "the peers");
		goto free_primitives;
	}
	status = wt_flood_init(&noise->flood, host);
	if (status != WT_OK) {
		out_of_memory(err, "the cookies");
		goto free_peers;
	}
	*self = noise;
	return WT_OK;

free_peers:
	wt_noise_peers_free(&noise->peers);
free_primitives:
	wt_primitives_free(&noise->primitives);
	host->secret_free(host, noise);
	return status;
}

static void destroy(void *self)
{
	struct wt_noise *noise = self;
	const struct wt_host *host = noise->host;

	wt_flood_free(&noise->flood);
	wt_noise_peers_free(&noise->peers);
	wt_primitives_free(&noise->primitives);
	host->secret_free(host, noise);
}

/* ---- peers ------------------------------------------------------------------ */

/* Is it below p = 2^255 - 19, as every public key that was computed is? Another
 * text of the same point would never equal what the peer sends. */
static bool canonical(const uint8_t point[POINT_SIZE])
{
	if (point[31] != 0x7f)
		return point[31] < 0x7f;
	for (size_t i = 30; i > 0; i--)
		if (point[i] != 0xff)
			return true;
	return point[0] < 0xed;
}

static enum wt_status refuse_key(struct wt_error *err, const struct wt_noise_peer *peer,
				 const char *what)
{
	snprintf(err->text, sizeof err->text, "[peer %s] public_key: %s", peer->name, what);
	return WT_ERR_CONFIG;
}

static enum wt_status take_public_key(const struct wt_noise *noise, const struct wt_config *cfg,
				      struct wt_noise_peer *peer, struct wt_error *err)
{
	const struct wt_host *host = noise->host;
	const uint8_t *key = host->config_key32(host, cfg, "public_key");
	enum wt_status status;

	if (!key)
		return refuse_key(err, peer,
				  "it is missing; run on the peer's machine: wtcore pubkey < "
				  "its private_key_file");
	if (host->equal(key, noise->us.public_key, POINT_SIZE))
		return refuse_key(err, peer,
				  "it is this end's own; allowed is the key that `wtcore pubkey` "
				  "prints on the peer's machine");
	if (!canonical(key))
		return refuse_key(err, peer,
				  "it is no X25519 public key: copy again what `wtcore pubkey` "
				  "printed");
	memcpy(peer->public_key, key, POINT_SIZE);
	status = wt_x25519(noise->us.private_key, key, peer->ss);
	if (status == WT_ERR_AUTH)
		return refuse_key(err, peer,
				  "it is a point of small order, which nobody's private key "
				  "gives: copy again what `wtcore pubkey` printed");
	if (status != WT_OK || wt_mac_keys(&noise->primitives, key, &peer->macs) != WT_OK)
		return failed(err, peer->name, "compute with public_key");
	return WT_OK;
}

static enum wt_status take_psk(const struct wt_noise *noise, const struct wt_config *cfg,
			       struct wt_noise_peer *peer, struct wt_error *err)
{
	static const uint8_t zero[PSK_SIZE] = { 0 };
	const struct wt_host *host = noise->host;
	const uint8_t *psk = host->config_key32(host, cfg, "psk_file");

	if (!psk)
		return WT_OK;
	if (host->equal(psk, zero, PSK_SIZE)) {
		snprintf(err->text, sizeof err->text,
			 "[peer %s] psk_file: the key is all zero, make one with `wtcore genpsk`",
			 peer->name);
		return WT_ERR_CONFIG;
	}
	memcpy(peer->psk, psk, PSK_SIZE);
	return WT_OK;
}

static enum wt_status peer_add(void *self, const struct wt_config *cfg, uint32_t peer_id,
			       uint32_t roles, void *memory, struct wt_error *err)
{
	struct wt_noise *noise = self;
	const struct wt_host *host = noise->host;
	struct wt_noise_peer *peer = memory;

	*peer = (struct wt_noise_peer){ .id = peer_id,
					.roles = roles,
					.name = host->config_name(host, cfg) };
	for (uint32_t i = 0; i < CHANNELS_MAX; i++)
		peer->handshakes[i] = (struct wt_noise_handshake){ .peer = peer, .channel = i + 1 };
	if (pthread_mutex_init(&peer->lock, NULL) != 0) {
		out_of_memory(err, "a peer");
		return WT_ERR_NOMEM;
	}
	enum wt_status status = take_public_key(noise, cfg, peer, err);

	if (status == WT_OK)
		status = take_psk(noise, cfg, peer, err);
	if (status == WT_OK) {
		status = wt_noise_peers_add(&noise->peers, peer, err);
		if (status == WT_ERR_NOMEM)
			out_of_memory(err, "a peer");
	}
	if (status != WT_OK) {
		pthread_mutex_destroy(&peer->lock);
		host->wipe(peer, sizeof *peer);
	}
	return status;
}

static void peer_remove(void *self, void *memory)
{
	struct wt_noise *noise = self;
	struct wt_noise_peer *peer = memory;

	wt_noise_peers_remove(&noise->peers, peer);
	pthread_mutex_destroy(&peer->lock);
	noise->host->wipe(peer, sizeof *peer);
}

/* ---- messages --------------------------------------------------------------- */

static enum wt_auth_verdict start(void *self, struct wt_worker *worker, void *memory,
				  const struct wt_auth_start *what, struct wt_auth_out *out)
{
	struct wt_noise_peer *peer = memory;

	if (!wt_channel_known(what->channel))
		return wt_verdict_drop(out, WT_REASON_STEP);
	pthread_mutex_lock(&peer->lock);
	enum wt_auth_verdict verdict = wt_noise_start(self, worker, peer, what, out);

	pthread_mutex_unlock(&peer->lock);
	return verdict;
}

static enum wt_auth_verdict accept_message(void *self, struct wt_worker *worker,
					   const struct wt_auth_in *in, struct wt_auth_out *out)
{
	if (in->message_len < WT_MESSAGE_HEADER)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	if (!wt_channel_known(in->channel) || !wt_header_valid(in, WT_METHOD_NOISE, 0) ||
	    in->message[HEADER_STEP] != STEP_M1)
		return wt_verdict_drop(out, WT_REASON_STEP);
	return wt_noise_accept(self, worker, in, out);
}

static enum wt_auth_verdict receive(void *self, struct wt_worker *worker, void *handshake,
				    const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct wt_noise_handshake *which = handshake;
	enum wt_auth_verdict verdict;

	if (in->message_len < WT_MESSAGE_HEADER)
		return wt_verdict_drop(out, WT_REASON_LENGTH);
	pthread_mutex_lock(&which->peer->lock);
	/* The slot may be idle, or serve a later handshake by now: then its
	 * index is another. The responder waits for a record, not a message. */
	if (which->state != STATE_SENT || in->channel != which->channel ||
	    !wt_header_valid(in, WT_METHOD_NOISE, which->local_index))
		verdict = wt_verdict_drop(out, WT_REASON_STEP);
	else
		verdict = wt_noise_answered(self, worker, which, in, out);
	pthread_mutex_unlock(&which->peer->lock);
	return verdict;
}

static void abandon(void *self, struct wt_worker *worker, void *handshake, uint32_t local_index)
{
	struct wt_noise_handshake *which = handshake;

	(void)worker;
	pthread_mutex_lock(&which->peer->lock);
	if (which->state != STATE_IDLE && which->local_index == local_index)
		wt_noise_forget(self, which);
	pthread_mutex_unlock(&which->peer->lock);
}

/* ---- commands --------------------------------------------------------------- */

static enum wt_status keygen(const struct wt_host *host, uint8_t private_key[WT_KEY_SIZE],
			     struct wt_error *err)
{
	(void)err;
	/* Any 32 bytes are one: X25519 sets and clears the bits it wants. */
	host->random(host, private_key, WT_KEY_SIZE);
	return WT_OK;
}

static enum wt_status pubkey(const struct wt_host *host, const uint8_t private_key[WT_KEY_SIZE],
			     uint8_t public_key[WT_KEY_SIZE], struct wt_error *err)
{
	(void)host;
	if (wt_x25519_public(private_key, public_key) == WT_OK)
		return WT_OK;
	snprintf(err->text, sizeof err->text, "libcrypto failed to compute the public key");
	return WT_ERR_CRYPTO;
}

static const struct wt_config_key keys[] = {
	WT_REALM_KEY,
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_SECTION,
	  .flags = WT_CONFIG_REQUIRED | WT_CONFIG_SECRET,
	  .name = "private_key_file",
	  .make = "wtcore genkey",
	  .help = "File with the private key of this end, made by `wtcore genkey`." },
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEY32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_REQUIRED,
	  .name = "public_key",
	  .help = "Public key of the peer, as `wtcore pubkey` prints it on the peer's machine." },
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_SECRET,
	  .name = "psk_file",
	  .help = "File with a pre-shared key that both ends mix in besides, made by `wtcore "
		  "genpsk`." },
};

/* What testers try it with: private keys of 32 times one letter. */
#define SETTING(scope_, key_, value_)                                                              \
	{                                                                                          \
		.struct_size = sizeof(struct wt_conformance_setting), .scope = (scope_),           \
		.key = (key_), .value = (value_)                                                   \
	}
#define PRIVATE_KEY(text) SETTING(WT_SCOPE_SECTION, "private_key_file", text)
#define PUBLIC_KEY(text) SETTING(WT_SCOPE_PEER, "public_key", text)
#define PUBLIC_OF_A "QElQLbksojQsP5LaxdbefIXbXfVAeltJls458u+36Cc="
#define PUBLIC_OF_B "Sk+MzeGY1m6ZtMAUQYoyI84lbJiQCuSmgR/RD364TCw="

static const struct wt_conformance_setting dialler_settings[] = {
	PRIVATE_KEY("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="),
	PUBLIC_KEY(PUBLIC_OF_B),
};
static const struct wt_conformance_setting acceptor_settings[] = {
	PRIVATE_KEY("YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmI="),
	PUBLIC_KEY(PUBLIC_OF_A),
};
static const struct wt_conformance_setting stranger_settings[] = {
	PRIVATE_KEY("Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2M="),
	PUBLIC_KEY(PUBLIC_OF_B),
};

static const struct wt_conformance_end dialler_end = { .struct_size = sizeof dialler_end,
						       .setting_count = 2,
						       .settings = dialler_settings };
static const struct wt_conformance_end acceptor_end = { .struct_size = sizeof acceptor_end,
							.setting_count = 2,
							.settings = acceptor_settings };
static const struct wt_conformance_end stranger_end = { .struct_size = sizeof stranger_end,
							.setting_count = 2,
							.settings = stranger_settings };

static const struct wt_conformance conformance = { .struct_size = sizeof conformance,
						   .dialler = &dialler_end,
						   .acceptor = &acceptor_end,
						   .stranger = &stranger_end };

static const struct wt_auth_ops ops = {
	.struct_size = sizeof(struct wt_auth_ops),
	.method = WT_METHOD_NOISE,
	.peer_size = sizeof(struct wt_noise_peer),
	.peer_align = _Alignof(struct wt_noise_peer),
	.create = create,
	.destroy = destroy,
	.peer_add = peer_add,
	.peer_remove = peer_remove,
	.start = start,
	.accept = accept_message,
	.receive = receive,
	.abandon = abandon,
	.keygen = keygen,
	.pubkey = pubkey,
	.silence_hint = "public_key here is what `wtcore pubkey` prints there, and a peer there "
			"has ours; the same psk_file on both ends, or none",
};

WT_PLUGIN(WT_KIND_AUTH, "noise", "0.1.0", .license = "MIT",
	  .summary = "Noise IKpsk2: mutual, forward-secret handshake with public keys", .ops = &ops,
	  .config_keys = keys, .config_key_count = sizeof keys / sizeof keys[0],
	  .conformance = &conformance);
