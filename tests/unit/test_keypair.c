/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "record/keypair.h"
#include "support/toy_crypto.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define BORN 1000000u
#define TEXT_MAX (WT_RECORD_MAX - WT_RECORD_HEADER - WT_TAG_SIZE)

/* Two ends of one handshake. */
struct ends {
	struct wt_toy_crypto *toy;
	struct wt_keypair a, b;
	uint8_t record[WT_RECORD_MAX];
	size_t len;
	size_t secret_before;
};

static struct wt_keypair_keys keys_of(bool dialler)
{
	struct wt_keypair_keys keys = { .send_key = { 0 } };

	memset(dialler ? keys.send_key : keys.recv_key, 0x11, WT_KEY_SIZE);
	memset(dialler ? keys.recv_key : keys.send_key, 0x22, WT_KEY_SIZE);
	memset(dialler ? keys.send_iv : keys.recv_iv, 0x33, WT_NONCE_SIZE);
	memset(dialler ? keys.recv_iv : keys.send_iv, 0x44, WT_NONCE_SIZE);
	return keys;
}

static struct wt_keypair_options options_of(bool dialler, uint32_t channel,
					    const struct wt_key_limits *limits)
{
	return (struct wt_keypair_options){
		.local_index = dialler ? 0xa : 0xb,
		.remote_index = dialler ? 0xb : 0xa,
		.channel = channel,
		.born_ms = BORN,
		.limits = limits,
	};
}

static struct ends *ends_new(uint32_t channel, const struct wt_key_limits *limits)
{
	struct ends *e = calloc(1, sizeof *e);

	assert_non_null(e);
	e->secret_before = wt_secret_in_use();
	e->toy = wt_toy_crypto_new();
	assert_non_null(e->toy);
	for (int dialler = 0; dialler < 2; dialler++) {
		struct wt_keypair_keys keys = keys_of(dialler);
		struct wt_keypair_options options = options_of(dialler, channel, limits);

		assert_int_equal(wt_keypair_init(dialler ? &e->a : &e->b, &e->toy->crypto, NULL,
						 &options, &keys),
				 WT_OK);
	}
	return e;
}

static void ends_free(struct ends *e)
{
	/* Whatever a test did: no nonce twice, nothing held. */
	assert_false(wt_toy_crypto_reused(e->toy));
	wt_keypair_wipe(&e->a);
	wt_keypair_wipe(&e->b);
	assert_int_equal(e->toy->contexts, 0);
	assert_int_equal(wt_secret_in_use(), e->secret_before);
	wt_toy_crypto_free(e->toy);
	free(e);
}

/* The next record of `a`: `len` bytes of a pattern. */
static enum wt_status seal_at(struct ends *e, size_t len, uint64_t now_ms)
{
	for (size_t i = 0; i < len && i < TEXT_MAX; i++)
		e->record[WT_RECORD_HEADER + i] = (uint8_t)(i * 7 + 1);
	e->len = WT_RECORD_HEADER + len + WT_TAG_SIZE;
	return wt_keypair_seal(&e->a, NULL, now_ms, e->record, len);
}

static void seal(struct ends *e, size_t len)
{
	assert_int_equal(seal_at(e, len, BORN), WT_OK);
}

/* `b` gets a copy, as the network keeps the original. */
static enum wt_drop open_at(struct ends *e, const uint8_t *record, size_t len, uint64_t now_ms)
{
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, record, len);
	enum wt_drop drop = wt_keypair_open(&e->b, NULL, now_ms, copy, len);

	if (drop == WT_DROP_NONE)
		for (size_t i = 0; i < len - WT_RECORD_HEADER - WT_TAG_SIZE; i++)
			assert_int_equal(copy[WT_RECORD_HEADER + i], (uint8_t)(i * 7 + 1));
	if (drop == WT_DROP_TAG || drop == WT_DROP_CRYPTO)
		for (size_t i = 0; i < len - WT_RECORD_HEADER - WT_TAG_SIZE; i++)
			assert_int_equal(copy[WT_RECORD_HEADER + i], 0);
	free(copy);
	return drop;
}

static enum wt_drop open_next(struct ends *e)
{
	return open_at(e, e->record, e->len, BORN);
}

/* ---- records ------------------------------------------------------------- */

static void records_of_every_length_arrive(void **state)
{
	static const size_t lengths[] = { 1, 2, 15, 16, 17, 1421, 4096, 65535, 65536, TEXT_MAX };

	(void)state;
	for (uint32_t channel = WT_CHANNEL_STREAM; channel <= WT_CHANNEL_DATAGRAM; channel++) {
		struct ends *e = ends_new(channel, NULL);

		for (size_t i = 0; i < COUNT(lengths); i++) {
			static const uint8_t start[8] = { 2, 1, 0, 0, 0, 0, 0, 0xb };

			seal(e, lengths[i]);
			assert_memory_equal(e->record, start, sizeof start);
			assert_true(wt_load_be64(e->record + 8) == i);
			assert_int_equal(open_next(e), WT_DROP_NONE);
		}
		assert_true(e->b.opened == COUNT(lengths));
		ends_free(e);
	}
}

static void a_text_of_an_impossible_length_is_refused(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

	(void)state;
	assert_int_equal(seal_at(e, 0, BORN), WT_ERR_INVALID);
	assert_int_equal(seal_at(e, TEXT_MAX + 1, BORN), WT_ERR_INVALID);
	assert_int_equal(seal_at(e, SIZE_MAX, BORN), WT_ERR_INVALID);
	assert_true(e->a.send_counter == 0);
	ends_free(e);
}

static void the_nonce_is_iv_xor_counter(void **state)
{
	static const uint8_t expected[WT_NONCE_SIZE] = { 0x33, 0x33, 0x33, 0x33, 0x32, 0x31,
							 0x30, 0x37, 0x36, 0x35, 0x34, 0x3b };
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

	(void)state;
	e->a.send_counter = UINT64_C(0x0102030405060708);
	seal(e, 1);
	assert_memory_equal(e->toy->sealed[0].nonce, expected, sizeof expected);
	ends_free(e);
}

static void a_record_of_this_end_is_not_opened_by_it(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

	(void)state;
	seal(e, 20);
	wt_store_be32(e->record + 4, e->a.local_index); /* reflected, index corrected */
	assert_int_equal(wt_keypair_open(&e->a, NULL, BORN, e->record, e->len), WT_DROP_TAG);
	ends_free(e);
}

static void what_is_not_a_record_of_this_pair_drops_before_the_key(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

	(void)state;
	seal(e, 20);
	assert_int_equal(open_at(e, e->record, WT_RECORD_MIN - 1, BORN), WT_DROP_LENGTH);
	assert_int_equal(open_at(e, e->record, 1, BORN), WT_DROP_LENGTH);
	e->record[7] ^= 1;
	assert_int_equal(open_next(e), WT_DROP_INDEX);
	e->record[7] ^= 1;
	e->record[0] = 1;
	e->record[2] = 1;
	assert_int_equal(open_next(e), WT_DROP_TYPE);
	assert_int_equal(e->toy->opens, 0);
	ends_free(e);
}

static void each_flipped_bit_drops_and_harms_no_datagram(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);

	(void)state;

	seal(e, 40);
	for (size_t bit = 0; bit < e->len * 8; bit++) {
		e->record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(open_next(e), WT_DROP_NONE);
		e->record[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 1; len < e->len; len++)
		assert_int_not_equal(open_at(e, e->record, len, BORN), WT_DROP_NONE);
	assert_true(e->b.opened == 0 && e->b.window.top == 0);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	ends_free(e);
}

static void each_flipped_bit_ends_a_stream(void **state)
{
	enum { LEN = WT_RECORD_HEADER + 9 + WT_TAG_SIZE };

	(void)state;
	for (size_t bit = 0; bit < LEN * 8; bit++) {
		struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

		seal(e, 9);
		e->record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		enum wt_drop drop = open_next(e);

		assert_int_not_equal(drop, WT_DROP_NONE);
		assert_true(e->b.opened == 0 && e->b.recv_next == 0);
		e->record[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* Once a tag failed, not even the true record. */
		assert_int_equal(open_next(e),
				 drop == WT_DROP_TAG ? WT_DROP_KEY_LIMIT : WT_DROP_NONE);
		ends_free(e);
	}
}

/* ---- streams ------------------------------------------------------------- */

static void a_stream_takes_exactly_the_next_counter(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);
	uint8_t first[64];

	(void)state;
	seal(e, 32);
	memcpy(first, e->record, sizeof first);
	assert_int_equal(e->len, sizeof first);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	assert_int_equal(open_next(e), WT_DROP_SEQUENCE); /* repeated */
	seal(e, 32);
	seal(e, 32);
	assert_int_equal(open_next(e), WT_DROP_SEQUENCE); /* one is missing */
	assert_int_equal(open_at(e, first, sizeof first, BORN), WT_DROP_SEQUENCE);
	assert_true(e->b.recv_next == 1);
	ends_free(e);
}

/* ---- datagrams ----------------------------------------------------------- */

static void datagrams_arrive_in_any_order_once(void **state)
{
	enum { N = 5, LEN = 33 };
	static const int order[] = { 2, 0, 4, 1, 3 };
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);
	uint8_t records[N][LEN];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		seal(e, 1);
		memcpy(records[i], e->record, LEN);
	}
	for (size_t i = 0; i < N; i++)
		assert_int_equal(open_at(e, records[order[i]], LEN, BORN), WT_DROP_NONE);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(open_at(e, records[i], LEN, BORN), WT_DROP_REPLAY);
	e->a.send_counter = WT_REPLAY_DEFAULT + 4;
	seal(e, 1);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	assert_int_equal(open_at(e, records[4], LEN, BORN), WT_DROP_OLD);
	ends_free(e);
}

static void forged_counters_do_not_move_the_window(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);

	(void)state;
	seal(e, 20);
	for (unsigned shift = 0; shift < 64; shift++) {
		wt_store_be64(e->record + 8, UINT64_C(1) << shift);
		assert_int_equal(open_next(e), WT_DROP_TAG);
	}
	assert_true(e->b.open_failures == 64);
	wt_store_be64(e->record + 8, 0);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	ends_free(e);
}

static void failed_tags_end_a_datagram_key(void **state)
{
	struct wt_key_limits limits = wt_key_limits_standard;

	(void)state;
	limits.open_failures = 3;
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, &limits);

	seal(e, 20);
	for (int i = 0; i < 3; i++) {
		e->record[20] ^= 1;
		assert_int_equal(open_next(e), WT_DROP_TAG);
		e->record[20] ^= 1;
	}
	assert_int_equal(open_next(e), WT_DROP_KEY_LIMIT);
	assert_true(e->b.open_failures == 3);
	ends_free(e);
}

/* ---- limits -------------------------------------------------------------- */

static void units_end_a_key(void **state)
{
	struct wt_key_limits limits = wt_key_limits_standard;

	(void)state;
	limits.rekey_units = 6;
	limits.stop_units = 10;
	struct ends *e = ends_new(WT_CHANNEL_STREAM, &limits);

	seal(e, 16); /* 2 */
	seal(e, 17); /* 3: 5 */
	assert_false(wt_keypair_rekey_due(&e->a));
	seal(e, 1); /* 2: 7 */
	assert_true(wt_keypair_rekey_due(&e->a));
	assert_true(wt_keypair_can_send(&e->a, BORN));
	seal(e, 33); /* 4: 11 */
	assert_true(e->a.send_units == 11 && e->a.send_counter == 4);
	for (int i = 0; i < 3; i++) {
		assert_false(wt_keypair_can_send(&e->a, BORN));
		assert_int_equal(seal_at(e, 1, BORN), WT_ERR_LIMIT);
		/* Nothing was touched: the plaintext is still the caller's. */
		assert_int_equal(e->record[WT_RECORD_HEADER], 1);
	}
	assert_true(e->a.send_counter == 4);
	assert_int_equal(e->toy->seals, 4);
	ends_free(e);
}

static void counters_end_before_they_wrap(void **state)
{
	(void)state;
	for (uint32_t channel = WT_CHANNEL_STREAM; channel <= WT_CHANNEL_DATAGRAM; channel++) {
		struct ends *e = ends_new(channel, NULL);

		e->a.send_counter = UINT64_MAX - 1;
		e->b.recv_next = UINT64_MAX - 1;
		seal(e, 1);
		assert_int_equal(open_next(e), WT_DROP_NONE);
		assert_int_equal(seal_at(e, 1, BORN), WT_ERR_LIMIT);
		assert_false(wt_keypair_can_send(&e->a, BORN));
		/* A peer that sends it all the same would wrap our side. */
		wt_store_be64(e->record + 8, UINT64_MAX);
		assert_int_equal(open_next(e), WT_DROP_KEY_LIMIT);
		wt_store_be64(e->record + 8, 0);
		assert_int_equal(open_next(e),
				 channel == WT_CHANNEL_STREAM ? WT_DROP_SEQUENCE : WT_DROP_OLD);
		ends_free(e);
	}
}

static const struct {
	uint32_t channel;
	uint64_t age_ms;
	enum wt_status seal;
	enum wt_drop open;
} ages[] = {
	{ WT_CHANNEL_STREAM, 0, WT_OK, WT_DROP_NONE },
	{ WT_CHANNEL_STREAM, 179999, WT_OK, WT_DROP_NONE },
	{ WT_CHANNEL_STREAM, 180000, WT_ERR_LIMIT, WT_DROP_NONE },
	{ WT_CHANNEL_STREAM, 539999, WT_ERR_LIMIT, WT_DROP_NONE },
	{ WT_CHANNEL_STREAM, 540000, WT_ERR_LIMIT, WT_DROP_KEY_LIMIT },
	{ WT_CHANNEL_STREAM, UINT64_MAX - BORN, WT_ERR_LIMIT, WT_DROP_KEY_LIMIT },
	{ WT_CHANNEL_DATAGRAM, 0, WT_OK, WT_DROP_NONE },
	{ WT_CHANNEL_DATAGRAM, 179999, WT_OK, WT_DROP_NONE },
	{ WT_CHANNEL_DATAGRAM, 180000, WT_ERR_LIMIT, WT_DROP_KEY_LIMIT },
	{ WT_CHANNEL_DATAGRAM, 540000, WT_ERR_LIMIT, WT_DROP_KEY_LIMIT },
	/* A clock read just before the key was born. */
	{ WT_CHANNEL_STREAM, (uint64_t)0 - 1, WT_OK, WT_DROP_NONE },
	{ WT_CHANNEL_DATAGRAM, (uint64_t)0 - 1, WT_OK, WT_DROP_NONE },
};

static void age_ends_a_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ages); i++) {
		struct ends *e = ends_new(ages[i].channel, NULL);
		uint64_t now_ms = BORN + ages[i].age_ms;

		assert_int_equal(wt_keypair_can_send(&e->a, now_ms), ages[i].seal == WT_OK);
		assert_int_equal(seal_at(e, 5, now_ms), ages[i].seal);
		if (ages[i].seal != WT_OK)
			seal(e, 5);
		assert_int_equal(open_at(e, e->record, e->len, now_ms), ages[i].open);
		ends_free(e);
	}
}

/* ---- a backend that fails ------------------------------------------------ */

static void a_failed_seal_leaves_nothing_and_no_gap(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);

	(void)state;
	seal(e, 40);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	for (int way = 0; way < 2; way++) {
		if (way == 0)
			atomic_store(&e->toy->faults.seal, 1);
		else
			e->toy->seal_and_fail = true;
		assert_int_equal(seal_at(e, 40, BORN), WT_ERR_CRYPTO);
		for (size_t i = WT_RECORD_HEADER; i < e->len; i++)
			assert_int_equal(e->record[i], 0);
	}
	assert_true(e->a.send_counter == 1);
	/* The stream goes on with the counter that it expects. */
	seal(e, 40);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	ends_free(e);
}

static void a_failed_open_is_no_forgery(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);

	(void)state;
	seal(e, 40);
	atomic_store(&e->toy->faults.open, 1);
	assert_int_equal(open_next(e), WT_DROP_CRYPTO);
	assert_true(e->b.open_failures == 0 && e->b.opened == 0);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	ends_free(e);
}

/* ---- from a text elsewhere ----------------------------------------------- */

/* The same bytes as in place, and the text stays as it was. */
static void a_text_elsewhere_gives_the_same_record(void **state)
{
	static const size_t lengths[] = { 1, 16, 17, 1421, TEXT_MAX };
	static uint8_t text[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct ends *in_place = ends_new(WT_CHANNEL_DATAGRAM, NULL);
		struct ends *from = ends_new(WT_CHANNEL_DATAGRAM, NULL);
		size_t len = lengths[i];

		for (size_t k = 0; k < len; k++)
			text[k] = (uint8_t)(k * 7 + 1);
		seal(in_place, len);
		memset(from->record, 0xee, sizeof from->record);
		assert_int_equal(
			wt_keypair_seal_from(&from->a, NULL, BORN, from->record, text, len), WT_OK);
		from->len = in_place->len;
		assert_memory_equal(from->record, in_place->record, from->len);
		if (from->len < sizeof from->record)
			assert_int_equal(from->record[from->len], 0xee);
		for (size_t k = 0; k < len; k++)
			assert_int_equal(text[k], (uint8_t)(k * 7 + 1));
		assert_int_equal(open_next(from), WT_DROP_NONE);
		ends_free(from);
		ends_free(in_place);
	}
}

/* One text, several records: each under a nonce of its own (ends_free looks),
 * and a failed one leaves nothing of itself and uses none up. */
static void a_text_elsewhere_never_repeats_a_nonce(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);
	uint8_t text[40], first[sizeof text + WT_RECORD_HEADER + WT_TAG_SIZE];

	(void)state;
	for (size_t k = 0; k < sizeof text; k++)
		text[k] = (uint8_t)(k * 7 + 1);
	e->len = sizeof first;
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, first, text, sizeof text), WT_OK);
	e->toy->seal_and_fail = true;
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, e->record, text, sizeof text),
			 WT_ERR_CRYPTO);
	for (size_t i = WT_RECORD_HEADER; i < e->len; i++)
		assert_int_equal(e->record[i], 0);
	assert_true(e->a.send_counter == 1);
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, e->record, text, sizeof text),
			 WT_OK);
	assert_true(wt_load_be64(first + 8) == 0 && wt_load_be64(e->record + 8) == 1);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	assert_int_equal(open_at(e, first, sizeof first, BORN), WT_DROP_NONE);
	ends_free(e);
}

static void limits_hold_for_a_text_elsewhere(void **state)
{
	struct wt_key_limits limits = wt_key_limits_standard;
	uint8_t text[16] = { 1 }, record[64];

	(void)state;
	limits.stop_units = 2;
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, &limits);

	memset(record, 0xee, sizeof record);
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, record, text, 0), WT_ERR_INVALID);
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, record, text, TEXT_MAX + 1),
			 WT_ERR_INVALID);
	assert_int_equal(
		wt_keypair_seal_from(&e->a, NULL, BORN + WT_SEND_REFUSE_MS, record, text, 16),
		WT_ERR_LIMIT);
	assert_int_equal(record[0], 0xee);
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, record, text, 16), WT_OK);
	assert_int_equal(wt_keypair_seal_from(&e->a, NULL, BORN, record, text, 16), WT_ERR_LIMIT);
	assert_int_equal(e->toy->seals, 1);
	ends_free(e);
}

static void init_is_all_or_nothing(void **state)
{
	enum { DIALLER = 1 };
	static const struct {
		uint32_t local_index, remote_index, channel, window;
		bool equal_keys;
		uint64_t key_fault;
		enum wt_status status;
	} inits[] = {
		{ 1, 2, WT_CHANNEL_STREAM, 0, false, 0, WT_OK },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 0, false, 0, WT_OK },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 64, false, 0, WT_OK },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 65536, false, 0, WT_OK },
		{ 0, 2, WT_CHANNEL_STREAM, 0, false, 0, WT_ERR_INVALID },
		{ 1, 0, WT_CHANNEL_STREAM, 0, false, 0, WT_ERR_INVALID },
		{ 1, 2, 0, 0, false, 0, WT_ERR_INVALID },
		{ 1, 2, 3, 0, false, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 32, false, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 8191, false, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 131072, false, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_DATAGRAM, UINT32_MAX, false, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_STREAM, 0, true, 0, WT_ERR_INVALID },
		{ 1, 2, WT_CHANNEL_STREAM, 0, false, 1, WT_ERR_CRYPTO },
		{ 1, 2, WT_CHANNEL_STREAM, 0, false, 2, WT_ERR_CRYPTO },
		{ 1, 2, WT_CHANNEL_DATAGRAM, 0, false, 2, WT_ERR_CRYPTO },
	};
	struct wt_toy_crypto *toy = wt_toy_crypto_new();
	static const struct wt_keypair zero;
	size_t before = wt_secret_in_use();

	(void)state;
	assert_non_null(toy);
	for (size_t i = 0; i < COUNT(inits); i++) {
		struct wt_keypair_keys keys = keys_of(DIALLER);
		struct wt_keypair_options options = options_of(DIALLER, inits[i].channel, NULL);
		struct wt_keypair pair;

		memset(&pair, 0xff, sizeof pair); /* init must not rely on clean memory */
		options.local_index = inits[i].local_index;
		options.remote_index = inits[i].remote_index;
		options.window = inits[i].window;
		if (inits[i].equal_keys)
			memset(keys.recv_key, 0x11, WT_KEY_SIZE);
		atomic_store(&toy->faults.key_init, inits[i].key_fault);
		assert_int_equal(wt_keypair_init(&pair, &toy->crypto, NULL, &options, &keys),
				 inits[i].status);
		wt_keypair_wipe(&pair);
		assert_memory_equal(&pair, &zero, sizeof pair);
		assert_int_equal(toy->contexts, 0);
		assert_int_equal(wt_secret_in_use(), before);
		wt_keypair_wipe(&pair); /* of a zero pair */
	}
	wt_toy_crypto_free(toy);
}

static void the_backend_changes_under_a_live_key(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_STREAM, NULL);
	struct wt_toy_crypto *other = wt_toy_crypto_new();

	(void)state;
	assert_non_null(other);
	seal(e, 30);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	/* A change that fails changes nothing. */
	for (uint64_t nth = 1; nth <= 2; nth++) {
		atomic_store(&other->faults.key_init, nth);
		assert_int_equal(wt_keypair_change_crypto(&e->b, &other->crypto, NULL),
				 WT_ERR_CRYPTO);
		assert_int_equal(other->contexts, 0);
		seal(e, 30);
		assert_int_equal(open_next(e), WT_DROP_NONE);
	}
	assert_int_equal(wt_keypair_change_crypto(&e->b, &other->crypto, NULL), WT_OK);
	assert_int_equal(e->toy->contexts, 2);
	assert_int_equal(other->contexts, 2);
	seal(e, 30);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	assert_int_equal(other->opens, 1);
	wt_keypair_wipe(&e->b);
	assert_int_equal(other->contexts, 0);
	wt_toy_crypto_free(other);
	ends_free(e);
}

static void a_pair_may_be_moved(void **state)
{
	struct ends *e = ends_new(WT_CHANNEL_DATAGRAM, NULL);
	struct wt_keypair previous;

	(void)state;
	seal(e, 10);
	assert_int_equal(open_next(e), WT_DROP_NONE);
	previous = e->b;
	memset(&e->b, 0, sizeof e->b);
	assert_int_equal(wt_keypair_open(&previous, NULL, BORN, e->record, e->len), WT_DROP_REPLAY);
	seal(e, 10);
	assert_int_equal(wt_keypair_open(&previous, NULL, BORN, e->record, e->len), WT_DROP_NONE);
	wt_keypair_wipe(&previous);
	ends_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_every_length_arrive),
		cmocka_unit_test(a_text_of_an_impossible_length_is_refused),
		cmocka_unit_test(the_nonce_is_iv_xor_counter),
		cmocka_unit_test(a_record_of_this_end_is_not_opened_by_it),
		cmocka_unit_test(what_is_not_a_record_of_this_pair_drops_before_the_key),
		cmocka_unit_test(each_flipped_bit_drops_and_harms_no_datagram),
		cmocka_unit_test(each_flipped_bit_ends_a_stream),
		cmocka_unit_test(a_stream_takes_exactly_the_next_counter),
		cmocka_unit_test(datagrams_arrive_in_any_order_once),
		cmocka_unit_test(forged_counters_do_not_move_the_window),
		cmocka_unit_test(failed_tags_end_a_datagram_key),
		cmocka_unit_test(units_end_a_key),
		cmocka_unit_test(counters_end_before_they_wrap),
		cmocka_unit_test(age_ends_a_key),
		cmocka_unit_test(a_failed_seal_leaves_nothing_and_no_gap),
		cmocka_unit_test(a_failed_open_is_no_forgery),
		cmocka_unit_test(a_text_elsewhere_gives_the_same_record),
		cmocka_unit_test(a_text_elsewhere_never_repeats_a_nonce),
		cmocka_unit_test(limits_hold_for_a_text_elsewhere),
		cmocka_unit_test(init_is_all_or_nothing),
		cmocka_unit_test(the_backend_changes_under_a_live_key),
		cmocka_unit_test(a_pair_may_be_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
