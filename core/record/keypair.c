/* SPDX-License-Identifier: MIT */
#include "record/keypair.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

#include "plugin/call.h"
#include "record/header.h"

#define RECORD_OVERHEAD (WT_RECORD_HEADER + WT_TAG_SIZE)
#define TEXT_MAX (WT_RECORD_MAX - RECORD_OVERHEAD)

const struct wt_key_limits wt_key_limits_standard = {
	.rekey_units = WT_REKEY_UNITS,
	.stop_units = WT_STOP_UNITS,
	.counter_end = WT_COUNTER_END,
	.open_failures = WT_OPEN_FAILURES_MAX,
	.send_ms = WT_SEND_REFUSE_MS,
	.recv_datagram_ms = WT_RECV_REFUSE_DATAGRAM_MS,
	.recv_stream_ms = WT_RECV_REFUSE_STREAM_MS,
};

/* The raw key stays: a context cannot be moved to another backend. The nonce
 * of the record at hand is built here too, so no IV ever lies on a stack. */
struct direction {
	uint8_t key[WT_KEY_SIZE];
	uint8_t iv[WT_NONCE_SIZE];
	uint8_t nonce[WT_NONCE_SIZE];
};

struct wt_keypair_secret {
	struct direction send, recv;
};

static void direction_set(struct direction *direction, const uint8_t *key, const uint8_t *iv)
{
	memcpy(direction->key, key, WT_KEY_SIZE);
	memcpy(direction->iv, iv, WT_NONCE_SIZE);
	memcpy(direction->nonce, iv, WT_NONCE_SIZE);
}

/* iv XOR (0^32 || counter): bytes 0..3 are the IV's and were set once. */
static const uint8_t *nonce_of(struct direction *direction, uint64_t counter)
{
	wt_store_be64(direction->nonce + 4, wt_load_be64(direction->iv + 4) ^ counter);
	return direction->nonce;
}

/* ---- life ---------------------------------------------------------------- */

static bool options_ok(const struct wt_keypair_options *options, const struct wt_keypair_keys *keys)
{
	if (options->local_index == 0 || options->remote_index == 0)
		return false;
	if (options->channel != WT_CHANNEL_STREAM && options->channel != WT_CHANNEL_DATAGRAM)
		return false;
	return !wt_equal(keys->send_key, keys->recv_key, WT_KEY_SIZE);
}

static enum wt_status window_init(struct wt_keypair *pair, uint32_t size)
{
	if (size == 0)
		size = WT_REPLAY_DEFAULT;
	if (size > WT_REPLAY_MAX)
		return WT_ERR_INVALID;
	uint64_t *bits = malloc(WT_REPLAY_BYTES(size));

	if (!bits)
		return WT_ERR_NOMEM;
	enum wt_status status = wt_replay_init(&pair->window, bits, size);

	if (status != WT_OK)
		free(bits);
	return status;
}

/* Both contexts or none. */
static enum wt_status contexts_new(const struct wt_keypair *pair, struct wt_crypto *crypto,
				   struct wt_worker *worker, void **send, void **recv)
{
	*send = wt_crypto_key_new(crypto, worker, pair->secret->send.key);
	*recv = *send ? wt_crypto_key_new(crypto, worker, pair->secret->recv.key) : NULL;
	if (*recv)
		return WT_OK;
	wt_crypto_key_free(crypto, *send);
	*send = NULL;
	return WT_ERR_CRYPTO;
}

enum wt_status wt_keypair_init(struct wt_keypair *pair, struct wt_crypto *crypto,
			       struct wt_worker *worker, const struct wt_keypair_options *options,
			       const struct wt_keypair_keys *keys)
{
	enum wt_status status = WT_OK;

	*pair = (struct wt_keypair){ 0 };
	if (!options_ok(options, keys))
		return WT_ERR_INVALID;
	pair->local_index = options->local_index;
	pair->remote_index = options->remote_index;
	pair->channel = options->channel;
	pair->born_ms = options->born_ms;
	pair->limits = options->limits ? *options->limits : wt_key_limits_standard;
	pair->crypto = crypto;

	if (options->channel == WT_CHANNEL_DATAGRAM)
		status = window_init(pair, options->window);
	if (status != WT_OK)
		goto failed;
	status = WT_ERR_NOMEM;
	pair->secret = wt_secret_alloc(sizeof *pair->secret, _Alignof(struct wt_keypair_secret));
	if (!pair->secret)
		goto failed;
	direction_set(&pair->secret->send, keys->send_key, keys->send_iv);
	direction_set(&pair->secret->recv, keys->recv_key, keys->recv_iv);
	status = contexts_new(pair, crypto, worker, &pair->send, &pair->recv);
	if (status != WT_OK)
		goto failed;
	return WT_OK;

failed:
	wt_keypair_wipe(pair);
	return status;
}

void wt_keypair_wipe(struct wt_keypair *pair)
{
	if (pair->crypto) {
		wt_crypto_key_free(pair->crypto, pair->send);
		wt_crypto_key_free(pair->crypto, pair->recv);
	}
	wt_secret_free(pair->secret);
	free(pair->window.bits);
	wt_wipe(pair, sizeof *pair);
}

enum wt_status wt_keypair_change_crypto(struct wt_keypair *pair, struct wt_crypto *crypto,
					struct wt_worker *worker)
{
	void *send, *recv;
	enum wt_status status = contexts_new(pair, crypto, worker, &send, &recv);

	if (status != WT_OK)
		return status;
	wt_crypto_key_free(pair->crypto, pair->send);
	wt_crypto_key_free(pair->crypto, pair->recv);
	pair->crypto = crypto;
	pair->send = send;
	pair->recv = recv;
	return WT_OK;
}

/* ---- limits -------------------------------------------------------------- */

/* A clock read before the birth, in the same turn, makes no old key. */
static bool older_than(const struct wt_keypair *pair, uint64_t now_ms, uint64_t limit_ms)
{
	return now_ms > pair->born_ms && now_ms - pair->born_ms >= limit_ms;
}

bool wt_keypair_rekey_due(const struct wt_keypair *pair)
{
	return pair->send_units >= pair->limits.rekey_units;
}

bool wt_keypair_can_send(const struct wt_keypair *pair, uint64_t now_ms)
{
	return pair->send_units < pair->limits.stop_units &&
	       pair->send_counter < pair->limits.counter_end &&
	       !older_than(pair, now_ms, pair->limits.send_ms);
}

/* ---- records ------------------------------------------------------------- */

enum wt_status wt_keypair_seal(struct wt_keypair *pair, struct wt_worker *worker, uint64_t now_ms,
			       uint8_t *record, size_t text_len)
{
	return wt_keypair_seal_from(pair, worker, now_ms, record, record + WT_RECORD_HEADER,
				    text_len);
}

enum wt_status wt_keypair_seal_from(struct wt_keypair *pair, struct wt_worker *worker,
				    uint64_t now_ms, uint8_t *record, const uint8_t *text,
				    size_t text_len)
{
	uint8_t *sealed = record + WT_RECORD_HEADER;

	if (text_len == 0 || text_len > TEXT_MAX)
		return WT_ERR_INVALID;
	if (!wt_keypair_can_send(pair, now_ms))
		return WT_ERR_LIMIT;
	const uint8_t *nonce = nonce_of(&pair->secret->send, pair->send_counter);

	if (wt_crypto_seal(pair->crypto, worker, pair->send, nonce, NULL, 0, text, text_len,
			   sealed) != WT_OK) {
		/* The counter will be used again, so nothing that was sealed
		 * under it may be left for anyone to send. */
		wt_wipe(sealed, text_len + WT_TAG_SIZE);
		return WT_ERR_CRYPTO;
	}
	wt_record_header_write(record, pair->remote_index, pair->send_counter);
	pair->send_counter++;
	pair->send_units += wt_record_units(text_len);
	return WT_OK;
}

bool wt_keypair_can_open(const struct wt_keypair *pair, uint64_t now_ms)
{
	const struct wt_key_limits *limits = &pair->limits;
	bool stream = pair->channel == WT_CHANNEL_STREAM;

	return !older_than(pair, now_ms,
			   stream ? limits->recv_stream_ms : limits->recv_datagram_ms) &&
	       pair->open_failures < (stream ? WT_OPEN_FAILURES_STREAM : limits->open_failures);
}

/* Everything that can be said about a record without its key. */
static enum wt_drop may_open(const struct wt_keypair *pair, uint64_t now_ms, uint64_t counter)
{
	if (counter >= pair->limits.counter_end || !wt_keypair_can_open(pair, now_ms))
		return WT_DROP_KEY_LIMIT;
	if (pair->channel == WT_CHANNEL_STREAM)
		return counter == pair->recv_next ? WT_DROP_NONE : WT_DROP_SEQUENCE;
	return wt_replay_check(&pair->window, counter);
}

/* Its tag verified: this counter is used up. */
static enum wt_drop use_up(struct wt_keypair *pair, uint64_t counter)
{
	if (pair->channel == WT_CHANNEL_DATAGRAM) {
		enum wt_drop drop = wt_replay_mark(&pair->window, counter);

		if (drop != WT_DROP_NONE)
			return drop;
	} else {
		pair->recv_next = counter + 1;
	}
	pair->opened++;
	return WT_DROP_NONE;
}

enum wt_drop wt_keypair_open(struct wt_keypair *pair, struct wt_worker *worker, uint64_t now_ms,
			     uint8_t *record, size_t len)
{
	uint8_t *text = record + WT_RECORD_HEADER;
	struct wt_message message;

	if (wt_message_parse(record, len, &message) != WT_MESSAGE_DATA)
		return message.drop != WT_DROP_NONE ? message.drop : WT_DROP_TYPE;
	if (message.receiver_index != pair->local_index)
		return WT_DROP_INDEX;
	enum wt_drop drop = may_open(pair, now_ms, message.counter);

	if (drop != WT_DROP_NONE)
		return drop;
	const uint8_t *nonce = nonce_of(&pair->secret->recv, message.counter);
	enum wt_status status = wt_crypto_open(pair->crypto, worker, pair->recv, nonce, NULL, 0,
					       text, len - WT_RECORD_HEADER, text);

	if (status == WT_ERR_AUTH) {
		pair->open_failures++;
		return WT_DROP_TAG;
	}
	if (status != WT_OK)
		return WT_DROP_CRYPTO;
	return use_up(pair, message.counter);
}
