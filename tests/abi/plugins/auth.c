/* SPDX-License-Identifier: MIT
 *
 * An auth plugin as somebody might have built it for a recorded ABI: two messages
 * of a method of private use, sealed under the key that both ends know. Believes
 * copies of old messages, so it protects nothing.
 *
 *	header 8 | sender_index 4 | nonce 12 | sealed: random 32, params 32 | tag 16
 */
#include <stdbool.h>
#include <string.h>
#include <whispertunnel/auth.h>

#define METHOD (WT_METHOD_PRIVATE + 77u)
#define RANDOM_SIZE 32u
#define TEXT_SIZE (RANDOM_SIZE + WT_PARAMS_SIZE)
#define AT_INDEX WT_MESSAGE_HEADER
#define AT_NONCE (AT_INDEX + 4u)
#define AT_SEALED (AT_NONCE + WT_NONCE_SIZE)
#define MESSAGE_SIZE (AT_SEALED + TEXT_SIZE + WT_TAG_SIZE)
#define PEERS_MAX 8u

struct peer {
	uint32_t id, local_index, remote_index;
	const uint8_t *psk; /* the host's */
	uint8_t random[RANDOM_SIZE];
};

struct elder {
	const struct wt_host *host;
	uint32_t refused; /* a counter */
	struct peer *peers[PEERS_MAX];
};

static void store_be32(uint8_t *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t load_be32(const uint8_t *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* ---- life ----------------------------------------------------------------- */

static enum wt_status elder_create(const struct wt_host *host, const struct wt_config *cfg,
				   void **self, struct wt_error *err)
{
	struct elder *elder = host->secret_alloc(host, sizeof *elder, _Alignof(struct elder));

	(void)cfg, (void)err;
	if (!elder)
		return WT_ERR_NOMEM;
	elder->host = host;
	elder->refused = host->counter(host, "elder_refused");
	*self = elder;
	return WT_OK;
}

static void elder_destroy(void *self)
{
	struct elder *elder = self;

	elder->host->secret_free(elder->host, elder);
}

static enum wt_status elder_peer_add(void *self, const struct wt_config *cfg, uint32_t peer_id,
				     uint32_t roles, void *memory, struct wt_error *err)
{
	struct elder *elder = self;
	struct peer *peer = memory;

	(void)roles;
	if (peer_id >= PEERS_MAX) {
		strncpy(err->text, "has too many peers", sizeof err->text - 1);
		return WT_ERR_CONFIG;
	}
	peer->id = peer_id;
	peer->psk = elder->host->config_key32(elder->host, cfg, "psk_file");
	elder->peers[peer_id] = peer;
	return WT_OK;
}

static void elder_peer_remove(void *self, void *memory)
{
	((struct elder *)self)->peers[((const struct peer *)memory)->id] = NULL;
}

/* ---- messages ------------------------------------------------------------- */

static enum wt_auth_verdict ignore(const struct elder *elder, struct wt_worker *worker,
				   struct wt_auth_out *out, enum wt_auth_reason reason)
{
	elder->host->count(elder->host, worker, elder->refused, 1);
	out->reason = reason;
	return WT_AUTH_IGNORE;
}

static enum wt_status put_message(const struct elder *elder, struct wt_worker *worker,
				  struct peer *peer, uint8_t step, const uint8_t *params,
				  struct wt_auth_out *out)
{
	const struct wt_host *host = elder->host;
	uint8_t text[TEXT_SIZE], *m = out->reply;

	m[0] = WT_TYPE_HANDSHAKE;
	m[1] = WT_WIRE_VERSION;
	m[2] = METHOD;
	m[3] = step;
	store_be32(m + 4, peer->remote_index);
	store_be32(m + AT_INDEX, peer->local_index);
	host->random(host, m + AT_NONCE, WT_NONCE_SIZE);
	memcpy(text, peer->random, RANDOM_SIZE);
	memcpy(text + RANDOM_SIZE, params, WT_PARAMS_SIZE);
	out->reply_len = MESSAGE_SIZE;
	return host->aead_seal(host, worker, peer->psk, m + AT_NONCE, NULL, 0, text, TEXT_SIZE,
			       m + AT_SEALED);
}

static enum wt_status take_message(const struct elder *elder, struct wt_worker *worker,
				   const struct peer *peer, const struct wt_auth_in *in,
				   uint8_t text[TEXT_SIZE])
{
	return elder->host->aead_open(elder->host, worker, peer->psk, in->message + AT_NONCE, NULL,
				      0, in->message + AT_SEALED, TEXT_SIZE + WT_TAG_SIZE, text);
}

/* The other end is `peer`, and drew text[0..32); `dialled`: by this end. */
static void believe(struct peer *peer, bool dialled, const uint8_t text[TEXT_SIZE],
		    struct wt_auth_out *out)
{
	uint8_t *there = dialled ? out->send_key : out->recv_key;
	uint8_t *back = dialled ? out->recv_key : out->send_key;

	for (size_t i = 0; i < RANDOM_SIZE; i++) {
		uint8_t ours = peer->random[dialled ? i : RANDOM_SIZE - 1 - i];
		uint8_t theirs = text[dialled ? RANDOM_SIZE - 1 - i : i];

		there[i] = ours ^ theirs;
		back[RANDOM_SIZE - 1 - i] = (uint8_t)~there[i];
	}
	memcpy(out->peer_params, text + RANDOM_SIZE, WT_PARAMS_SIZE);
	out->flags = WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS | WT_AUTH_OUT_PEER;
	out->peer_id = peer->id;
	out->local_index = peer->local_index;
	out->remote_index = peer->remote_index;
	out->handshake = peer;
}

static enum wt_auth_verdict elder_start(void *self, struct wt_worker *worker, void *memory,
					const struct wt_auth_start *start, struct wt_auth_out *out)
{
	struct elder *elder = self;
	struct peer *peer = memory;

	peer->local_index = start->local_index;
	peer->remote_index = 0;
	elder->host->random(elder->host, peer->random, sizeof peer->random);
	if (put_message(elder, worker, peer, 1, start->params, out) != WT_OK)
		return ignore(elder, worker, out, WT_REASON_INTERNAL);
	out->flags = WT_AUTH_OUT_PEER;
	out->peer_id = peer->id;
	out->local_index = peer->local_index;
	out->handshake = peer;
	return WT_AUTH_MORE;
}

static enum wt_auth_verdict elder_accept(void *self, struct wt_worker *worker,
					 const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct elder *elder = self;
	struct peer *peer = NULL;
	uint8_t text[TEXT_SIZE], ours[WT_PARAMS_SIZE];

	if (in->message_len != MESSAGE_SIZE || in->message[3] != 1)
		return ignore(elder, worker, out, WT_REASON_LENGTH);
	for (size_t i = 0; i < PEERS_MAX && !peer; i++)
		if (elder->peers[i] &&
		    take_message(elder, worker, elder->peers[i], in, text) == WT_OK)
			peer = elder->peers[i];
	if (!peer)
		return ignore(elder, worker, out, WT_REASON_UNKNOWN_PEER);
	if (elder->host->auth_params(elder->host, worker, peer->id, text + RANDOM_SIZE, ours) !=
	    WT_OK)
		return ignore(elder, worker, out, WT_REASON_PARAMS);
	peer->local_index = in->local_index;
	peer->remote_index = load_be32(in->message + AT_INDEX);
	elder->host->random(elder->host, peer->random, sizeof peer->random);
	if (put_message(elder, worker, peer, 2, ours, out) != WT_OK)
		return ignore(elder, worker, out, WT_REASON_INTERNAL);
	believe(peer, false, text, out);
	return WT_AUTH_MORE;
}

static enum wt_auth_verdict elder_receive(void *self, struct wt_worker *worker, void *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct elder *elder = self;
	struct peer *peer = handshake;
	uint8_t text[TEXT_SIZE];

	if (in->message_len != MESSAGE_SIZE || in->message[3] != 2)
		return ignore(elder, worker, out, WT_REASON_LENGTH);
	if (load_be32(in->message + 4) != peer->local_index)
		return ignore(elder, worker, out, WT_REASON_STEP);
	if (take_message(elder, worker, peer, in, text) != WT_OK)
		return ignore(elder, worker, out, WT_REASON_BAD_SEAL);
	if (elder->host->auth_params(elder->host, worker, peer->id, text + RANDOM_SIZE, NULL) !=
	    WT_OK)
		return ignore(elder, worker, out, WT_REASON_PARAMS);
	peer->remote_index = load_be32(in->message + AT_INDEX);
	believe(peer, true, text, out);
	return WT_AUTH_DONE;
}

static void elder_abandon(void *self, struct wt_worker *worker, void *handshake,
			  uint32_t local_index)
{
	struct elder *elder = self;
	struct peer *peer = handshake;

	(void)worker;
	if (peer->local_index == local_index)
		elder->host->wipe(peer->random, sizeof peer->random);
}

/* ---- tables --------------------------------------------------------------- */

static const struct wt_config_key keys[] = {
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_SECRET | WT_CONFIG_REQUIRED,
	  .name = "psk_file",
	  .help = "What both ends know." },
};

static const struct wt_auth_ops ops = {
	.struct_size = sizeof ops,
	.method = METHOD,
	.peer_size = sizeof(struct peer),
	.peer_align = _Alignof(struct peer),
	.create = elder_create,
	.destroy = elder_destroy,
	.peer_add = elder_peer_add,
	.peer_remove = elder_peer_remove,
	.start = elder_start,
	.accept = elder_accept,
	.receive = elder_receive,
	.abandon = elder_abandon,
	.silence_hint = "the same psk_file on both ends",
};

WT_PLUGIN(WT_KIND_AUTH, "elder", "1.0", .license = "MIT", .summary = "Believes old messages",
	  .ops = &ops, .config_keys = keys, .config_key_count = 1);
