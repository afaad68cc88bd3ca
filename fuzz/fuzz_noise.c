/* SPDX-License-Identifier: MIT
 *
 * fuzz_noise.c: the messages of auth-noise between two ends that are in the
 * middle of a handshake. The first byte says what the rest is:
 *
 *	0 a first message for R	1 a message for I's handshake
 *	2, 3, 4 what is XORed onto a true M1, M2, COOKIE
 *	+ 128: mac1 is made right, as everybody can who knows the public keys
 *
 * What is not the true message leads to nothing, and the true one afterwards
 * still completes.
 */
#include <string.h>

#include "fuzz.h"
#include "macs.h"
#include "support/auth_pair.h"

extern const struct wt_plugin_descriptor wt_plugin_descriptor;

static struct wt_auth_pair pair;
static struct wt_primitives primitives;
static struct wt_mac_keys to_i, to_r;

static uint64_t seed;

static void counted_random(const struct wt_host *host, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)host;
	for (size_t i = 0; i < len; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		p[i] = (uint8_t)(seed >> 56);
	}
}

static void open_pair(void)
{
	struct wt_error err = { .struct_size = sizeof err };

	wt_auth_rig_linked = &wt_plugin_descriptor;
	wt_auth_pair_open(&pair, &wt_auth_noise, WT_CHANNEL_DATAGRAM);
	pair.i.plain.host.random = pair.r.plain.host.random = counted_random;
	FUZZ_CHECK(wt_primitives_init(&primitives, &err) == WT_OK);
	FUZZ_CHECK(wt_mac_keys(&primitives, pair.public_i, &to_i) == WT_OK);
	FUZZ_CHECK(wt_mac_keys(&primitives, pair.public_r, &to_r) == WT_OK);
}

static void fix_mac1(const struct wt_mac_keys *to, uint8_t *message, size_t at)
{
	FUZZ_CHECK(wt_mac_write(&primitives, to->mac1, HASH_SIZE, message, at, message + at) ==
		   WT_OK);
}

static void check_dropped(enum wt_auth_verdict verdict, const struct wt_auth_said *out)
{
	FUZZ_CHECK(verdict == WT_AUTH_IGNORE);
	FUZZ_CHECK(out->reason != WT_REASON_NONE && out->reason != WT_REASON_INTERNAL);
	FUZZ_CHECK(out->reply_len == 0);
	FUZZ_CHECK((out->flags & ~WT_AUTH_OUT_PEER) == 0);
}

static enum wt_auth_verdict to_responder(const uint8_t *message, size_t len,
					 struct wt_auth_said *out)
{
	return wt_auth_rig_accept(&pair.r, pair.channel, pair.next_index++, pair.params_r, message,
				  len, out);
}

static enum wt_auth_verdict to_initiator(const uint8_t *message, size_t len,
					 struct wt_auth_said *out)
{
	return wt_auth_rig_receive(&pair.i, pair.m1.handshake, pair.channel, message, len, out);
}

/* `data` on a copy of `from`; what is longer is cut. Is it another one now? */
static bool alter(uint8_t *message, const struct wt_auth_said *from, const uint8_t *data,
		  size_t size)
{
	memcpy(message, from->reply, from->reply_len);
	for (size_t i = 0; i < size && i < from->reply_len; i++)
		message[i] ^= data[i];
	return memcmp(message, from->reply, from->reply_len) != 0;
}

static void fuzz_m1(const uint8_t *data, size_t size, bool fix)
{
	uint8_t message[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_said out;

	FUZZ_CHECK(wt_auth_pair_start(&pair, 0) == WT_AUTH_MORE);
	alter(message, &pair.m1, data, size);
	if (fix)
		fix_mac1(&to_r, message, M1_MAC1);
	const bool signed_part = memcmp(message, pair.m1.reply, M1_MAC2) != 0;
	const enum wt_auth_verdict verdict = to_responder(message, M1_SIZE, &out);

	if (signed_part)
		check_dropped(verdict, &out);
	else if (memcmp(message, pair.m1.reply, M1_SIZE) != 0)
		FUZZ_CHECK(verdict == WT_AUTH_ANSWER && out.reply_len == COOKIE_MESSAGE_SIZE);
	else
		FUZZ_CHECK(verdict == WT_AUTH_MORE);
	if (verdict == WT_AUTH_MORE)
		pair.m2 = out;
	else
		FUZZ_CHECK(wt_auth_pair_accept(&pair) == WT_AUTH_MORE);
	FUZZ_CHECK(wt_auth_pair_m2(&pair) == WT_AUTH_DONE);
	FUZZ_CHECK(wt_auth_pair_m3(&pair) == WT_AUTH_DONE);
}

static void fuzz_m2(const uint8_t *data, size_t size, bool fix)
{
	uint8_t message[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_said out;

	FUZZ_CHECK(wt_auth_pair_start(&pair, 0) == WT_AUTH_MORE);
	FUZZ_CHECK(wt_auth_pair_accept(&pair) == WT_AUTH_MORE);
	alter(message, &pair.m2, data, size);
	if (fix)
		fix_mac1(&to_i, message, M2_MAC1);
	if (memcmp(message, pair.m2.reply, M2_SIZE) != 0)
		check_dropped(to_initiator(message, M2_SIZE, &out), &out);
	FUZZ_CHECK(wt_auth_pair_m2(&pair) == WT_AUTH_DONE);
	FUZZ_CHECK(wt_auth_pair_m3(&pair) == WT_AUTH_DONE);
}

static void fuzz_cookie(const uint8_t *data, size_t size)
{
	const uint64_t now = pair.r.clock.unix_ms;
	uint8_t message[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_said out;

	wt_auth_pair_until_answer(&pair);
	if (alter(message, &pair.m2, data, size))
		check_dropped(to_initiator(message, COOKIE_MESSAGE_SIZE, &out), &out);
	wt_auth_pair_take_answer(&pair);
	wt_auth_pair_finish(&pair);
	pair.r.clock.unix_ms = now;
}

/* Bytes of any length: they are never a true message. */
static void fuzz_raw(const uint8_t *data, size_t size, bool responder, bool fix)
{
	uint8_t message[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_said out;

	if (size > sizeof message)
		size = sizeof message;
	memcpy(message, data, size);
	if (fix && responder && size == M1_SIZE)
		fix_mac1(&to_r, message, M1_MAC1);
	FUZZ_CHECK(wt_auth_pair_start(&pair, 0) == WT_AUTH_MORE);
	if (!responder && size >= WT_MESSAGE_HEADER)
		memcpy(message + HEADER_INDEX, pair.m1.reply + SENDER, 4);
	if (fix && !responder && size == M2_SIZE)
		fix_mac1(&to_i, message, M2_MAC1);
	check_dropped(responder ? to_responder(message, size, &out)
				: to_initiator(message, size, &out),
		      &out);
	wt_auth_pair_finish(&pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const unsigned what = data[0] & 127u;
	const bool fix = data[0] & 128u;

	if (!pair.method) {
		open_pair();
		wt_auth_pair_stop(&pair);
	}
	/* An input fails alone: nothing is left of the one before. */
	seed = size;
	pair.next_index = 1000;
	wt_auth_pair_begin(&pair);
	if (what == 0 || what == 1)
		fuzz_raw(data + 1, size - 1, what == 0, fix);
	else if (what == 2)
		fuzz_m1(data + 1, size - 1, fix);
	else if (what == 3)
		fuzz_m2(data + 1, size - 1, fix);
	else if (what == 4)
		fuzz_cookie(data + 1, size - 1);
	wt_auth_pair_stop(&pair);
	return 0;
}
