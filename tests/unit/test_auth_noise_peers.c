/* SPDX-License-Identifier: MIT
 *
 * auth-noise: keys, what is refused of them, and the table that finds a peer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "support/auth_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct wt_auth_pair pair;

static int open_pair(void **state)
{
	const struct wt_auth_case *how = *state;

	wt_auth_pair_open(&pair, how->method, how->channel);
	return 0;
}

static int close_pair(void **state)
{
	(void)state;
	wt_auth_pair_close(&pair);
	assert_int_equal(wt_secret_in_use(), 0);
	return 0;
}

static void public_of(const uint8_t private_key[32], uint8_t out[32])
{
	struct wt_error err = { .struct_size = sizeof err };

	assert_int_equal(pair.i.ops->pubkey(&pair.i.plain.host, private_key, out, &err), WT_OK);
}

static void wrong_keys_are_refused(void **state)
{
	static const uint8_t zero[32], private_key[32] = { 7 };
	static const uint8_t not_canonical[][32] = {
		/* p, p + 1, 2^255 - 1, and a good one with bit 255 set */
		{ 0xed, [1 ... 30] = 0xff, 0x7f },
		{ 0xee, [1 ... 30] = 0xff, 0x7f },
		{ [0 ... 30] = 0xff, 0x7f },
		{ 9, [31] = 0x80 },
	};
	static const uint8_t small_order[][32] = {
		{ 0 },
		{ 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
		  0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
		  0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
		  0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
		  0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
		{ 0xec, [1 ... 30] = 0xff, 0x7f }, /* p - 1 */
	};
	uint8_t other[32];
	const struct {
		struct wt_auth_settings settings;
		const char *says[3];
	} cases[] = {
		{ { .name = "bob" }, { "[peer bob] public_key: ", "missing", "wtcore pubkey" } },
		{ { .name = "bob", .psk = wt_auth_pair_psk },
		  { "[peer bob] public_key: ", "missing", "" } },
		{ { .name = "bob", .public_key = pair.public_r },
		  { "[peer bob] public_key: ", "own", "wtcore pubkey" } },
		{ { .name = "bob", .public_key = pair.public_i },
		  { "[peer alice] and [peer bob]", "same public_key", "genkey" } },
		{ { .name = "bob", .public_key = other, .psk = zero },
		  { "[peer bob] psk_file: ", "all zero", "genpsk" } },
		{ { .name = "bob", .public_key = not_canonical[0] }, { "no X25519", "", "" } },
		{ { .name = "bob", .public_key = not_canonical[1] }, { "no X25519", "", "" } },
		{ { .name = "bob", .public_key = not_canonical[2] }, { "no X25519", "", "" } },
		{ { .name = "bob", .public_key = not_canonical[3] }, { "no X25519", "", "" } },
		{ { .name = "bob", .public_key = small_order[0] }, { "small order", "", "" } },
		{ { .name = "bob", .public_key = small_order[1] }, { "small order", "", "" } },
		{ { .name = "bob", .public_key = small_order[2] }, { "small order", "", "" } },
		{ { .name = "bob", .public_key = small_order[3] }, { "small order", "", "" } },
		{ { .name = "bob", .public_key = small_order[4] }, { "small order", "", "" } },
	};

	(void)state;
	public_of(private_key, other);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = { .struct_size = sizeof err };
		/* In either role: a key is for one pair of ends. */
		const uint32_t role = i % 2 ? WT_PEER_DIALS : WT_PEER_ACCEPTS;

		assert_null(wt_auth_rig_add(&pair.r, &cases[i].settings, 2, role, &err));
		for (size_t k = 0; k < COUNT(cases[i].says); k++)
			if (!strstr(err.text, cases[i].says[k]))
				fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text,
					 cases[i].says[k]);
	}
	/* The refusals left nothing behind: alice is found, the other key is free. */
	const struct wt_auth_settings bob = { .name = "bob", .public_key = other };
	struct wt_error err = { .struct_size = sizeof err };
	void *peer = wt_auth_rig_add(&pair.r, &bob, 2, WT_PEER_ACCEPTS, &err);

	assert_non_null(peer);
	wt_auth_pair_run(&pair);
	wt_auth_rig_remove(&pair.r, peer);
}

static void an_instance_needs_its_private_key(void **state)
{
	const struct wt_auth_settings none = { .name = "noise" };
	const struct wt_auth_settings named = { .name = "noise",
						.realm = "",
						.private_key = wt_auth_pair_private_i };
	struct wt_error err = { .struct_size = sizeof err };
	void *self = NULL;

	(void)state;
	assert_int_equal(pair.r.ops->create(&pair.r.plain.host, (const struct wt_config *)&none,
					    &self, &err),
			 WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "[auth noise] private_key_file"));
	assert_non_null(strstr(err.text, "wtcore genkey"));
	assert_int_equal(pair.r.ops->create(&pair.r.plain.host, (const struct wt_config *)&named,
					    &self, &err),
			 WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "[auth noise] realm"));
	assert_null(self);
}

/* RFC 7748, section 6.1: Alice's and Bob's keys. */
static void key_pairs_are_x25519(void **state)
{
	static const uint8_t alice[32] = { 0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d,
					   0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
					   0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a,
					   0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a };
	static const uint8_t want[32] = { 0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54,
					  0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e, 0xf7, 0x5a,
					  0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4,
					  0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a };
	uint8_t key[32], again[32], public_key[32];
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	public_of(alice, public_key);
	assert_memory_equal(public_key, want, 32);
	assert_int_equal(pair.i.ops->keygen(&pair.i.plain.host, key, &err), WT_OK);
	assert_int_equal(pair.i.ops->keygen(&pair.i.plain.host, again, &err), WT_OK);
	assert_memory_not_equal(key, again, 32);
}

static void the_descriptor_declares_its_keys(void **state)
{
	static const struct {
		const char *name;
		uint32_t type, scope, flags;
	} want[] = {
		{ "realm", WT_CONFIG_STRING, WT_SCOPE_SECTION, 0 },
		{ "private_key_file", WT_CONFIG_KEYFILE32, WT_SCOPE_SECTION,
		  WT_CONFIG_REQUIRED | WT_CONFIG_SECRET },
		{ "public_key", WT_CONFIG_KEY32, WT_SCOPE_PEER, WT_CONFIG_REQUIRED },
		{ "psk_file", WT_CONFIG_KEYFILE32, WT_SCOPE_PEER, WT_CONFIG_SECRET },
	};
	const struct wt_plugin_descriptor *descriptor = pair.i.descriptor;

	(void)state;
	assert_int_equal(descriptor->config_key_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(descriptor->config_keys[i].name, want[i].name);
		assert_int_equal(descriptor->config_keys[i].type, want[i].type);
		assert_int_equal(descriptor->config_keys[i].scope, want[i].scope);
		assert_int_equal(descriptor->config_keys[i].flags, want[i].flags);
	}
	assert_string_equal(descriptor->config_keys[1].make, "wtcore genkey");
	assert_int_equal(pair.i.ops->method, 2);
}

static void a_key_is_free_again_when_its_peer_is_gone(void **state)
{
	const struct wt_auth_settings bob = { .name = "bob", .public_key = pair.public_i };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_auth_said old;

	(void)state;
	wt_auth_pair_run(&pair);
	old = pair.m1;
	wt_auth_rig_remove(&pair.r, pair.peer_r);
	/* What was seen of it is gone too: an old M1 is looked at afresh. */
	wt_auth_pair_r_drops_first(&pair, old.reply, old.reply_len, WT_REASON_UNKNOWN_PEER);
	wt_auth_pair_advance(&pair, 10);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	wt_auth_pair_r_drops_first(&pair, pair.m1.reply, 184, WT_REASON_UNKNOWN_PEER);
	pair.peer_r = wt_auth_rig_add(&pair.r, &bob, 3, WT_PEER_ACCEPTS, &err);
	assert_non_null(pair.peer_r);
	wt_auth_pair_run(&pair);
	assert_int_equal(pair.m2.peer_id, 3);
}

/* A peer that is gone is not pointed to, neither by its key nor by what was seen
 * of it. */
static void a_removed_peer_is_not_pointed_to(void **state)
{
	uint8_t *memory = wt_secret_alloc(pair.r.ops->peer_size, pair.r.ops->peer_align);
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_auth_said old;

	(void)state;
	assert_non_null(memory);
	wt_auth_rig_remove(&pair.r, pair.peer_r);
	assert_int_equal(pair.r.ops->peer_add(pair.r.self, (const struct wt_config *)&pair.alice, 1,
					      WT_PEER_ACCEPTS, memory, &err),
			 WT_OK);
	wt_auth_pair_run(&pair);
	old = pair.m1;
	pair.r.ops->peer_remove(pair.r.self, memory);
	memset(memory, 0xa5, pair.r.ops->peer_size);
	wt_auth_pair_r_drops_first(&pair, old.reply, old.reply_len, WT_REASON_UNKNOWN_PEER);
	wt_secret_free(memory);
	pair.peer_r =
		wt_auth_rig_add(&pair.r, &pair.alice, WT_AUTH_PAIR_ID_I, WT_PEER_ACCEPTS, &err);
	wt_auth_pair_run(&pair);
}

/* The last eight ephemeral keys are remembered, through hundreds that came and
 * went, and while the tables grow. */
static void what_was_seen_comes_and_goes(void **state)
{
	static uint8_t last[9][184];
	static void *peers[40];
	static uint8_t public_key[40][32];
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_auth_settings bob = { .name = "bob" };
	unsigned dh;

	(void)state;
	for (unsigned i = 0; i < 900; i++) {
		wt_auth_pair_advance(&pair, 10);
		wt_auth_pair_run(&pair);
		memcpy(last[i % 9], pair.m1.reply, 184);
		if (i % 100 == 99)
			wt_auth_pair_advance(&pair, 2000); /* no load */
	}
	for (uint32_t i = 0; i < 40; i++) {
		public_of((const uint8_t[32]){ 5, (uint8_t)i }, public_key[i]);
		bob.public_key = public_key[i];
		peers[i] = wt_auth_rig_add(&pair.r, &bob, i, WT_PEER_ACCEPTS, &err);
		assert_non_null(peers[i]);
	}
	dh = pair.r.dh;
	for (unsigned i = 892; i < 900; i++)
		wt_auth_pair_r_drops_first(&pair, last[i % 9], 184, WT_REASON_REPLAY);
	assert_int_equal(pair.r.dh, dh);
	/* The ninth is forgotten, and its time is not new. */
	memcpy(pair.m1.reply, last[891 % 9], 184);
	assert_int_equal(wt_auth_pair_accept(&pair), WT_AUTH_ANSWER);
	assert_int_equal(pair.m2.reason, WT_REASON_REPLAY);
	assert_int_equal(pair.r.dh, dh + 1);
	for (uint32_t i = 0; i < 40; i++)
		wt_auth_rig_remove(&pair.r, peers[i]);
}

/* Many diallers of one end; each is found, before and after others go. */
static void every_peer_of_many_is_found(void **state)
{
	enum { MANY = 400 };
	static uint8_t private_key[MANY][32], public_key[MANY][32];
	static struct wt_auth_settings section[MANY], settings[MANY];
	static char names[MANY][16];
	static void *peers[MANY];
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		memset(private_key[i], 0x21, 32);
		memcpy(private_key[i] + 4, &i, sizeof i);
		public_of(private_key[i], public_key[i]);
		snprintf(names[i], sizeof names[i], "peer-%u", i);
		section[i] =
			(struct wt_auth_settings){ .name = "noise", .private_key = private_key[i] };
		settings[i] =
			(struct wt_auth_settings){ .name = names[i], .public_key = public_key[i] };
		peers[i] = wt_auth_rig_add(&pair.r, &settings[i], 100 + i, WT_PEER_ACCEPTS, &err);
		assert_non_null(peers[i]);
	}
	for (int turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < MANY; i += 7) {
			struct wt_auth_rig dialler;
			struct wt_auth_said m1, out;

			wt_auth_rig_open(&dialler, "noise", &section[i], 1000, pair.r.clock.unix_ms,
					 NULL, 0);
			void *ours =
				wt_auth_rig_add(&dialler, &pair.office, 1, WT_PEER_DIALS, &err);

			assert_non_null(ours);
			assert_int_equal(wt_auth_rig_start(&dialler, ours, pair.channel, 4, 0,
							   pair.params_i, &m1),
					 WT_AUTH_MORE);
			const enum wt_auth_verdict verdict =
				wt_auth_rig_accept(&pair.r, pair.channel, 5, pair.params_r,
						   m1.reply, m1.reply_len, &out);

			if (turn == 1 && i % 2 == 0) {
				wt_auth_assert_dropped(verdict, &out, WT_REASON_UNKNOWN_PEER);
			} else {
				assert_int_equal(verdict, WT_AUTH_MORE);
				assert_int_equal(out.peer_id, 100 + i);
			}
			wt_auth_rig_remove(&dialler, ours);
			wt_auth_rig_close(&dialler);
		}
		wt_auth_pair_advance(&pair, 2000); /* no load */
		for (uint32_t i = 0; turn == 0 && i < MANY; i += 2)
			wt_auth_rig_remove(&pair.r, peers[i]);
	}
	for (uint32_t i = 1; i < MANY; i += 2)
		wt_auth_rig_remove(&pair.r, peers[i]);
}

#define TEST(test) WT_AUTH_TEST(test, noise, STREAM)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_keys_are_refused),
		TEST(an_instance_needs_its_private_key),
		TEST(key_pairs_are_x25519),
		TEST(the_descriptor_declares_its_keys),
		TEST(a_key_is_free_again_when_its_peer_is_gone),
		TEST(a_removed_peer_is_not_pointed_to),
		TEST(what_was_seen_comes_and_goes),
		TEST(every_peer_of_many_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
