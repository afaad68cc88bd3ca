/* SPDX-License-Identifier: MIT
 *
 * auth-hmac: keys, tags and the table that finds a peer by them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/secret.h"
#include "support/auth_pair.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HOUR_MS UINT64_C(3600000)

static const uint8_t key_a[32] = "key a: thirty-two bytes, as said";
static const uint8_t key_b[32] = "key b: thirty-two bytes, as said";
static const uint8_t key_c[32] = "key c: thirty-two bytes, as said";
static const uint8_t params[WT_PARAMS_SIZE] = { 7 };
static const struct wt_auth_settings section = { .name = "hmac" };

static struct wt_auth_rig rig, dialler;

static int open_both(void **state)
{
	(void)state;
	wt_auth_rig_open(&rig, "hmac", &section, 1000000, WT_AUTH_PAIR_UNIX_MS, NULL, 0);
	wt_auth_rig_open(&dialler, "hmac", &section, 1000000, WT_AUTH_PAIR_UNIX_MS, NULL, 0);
	return 0;
}

static int close_both(void **state)
{
	(void)state;
	wt_auth_rig_close(&rig);
	wt_auth_rig_close(&dialler);
	assert_int_equal(wt_secret_in_use(), 0);
	return 0;
}

static void *must_add(struct wt_auth_rig *to, const struct wt_auth_settings *settings, uint32_t id,
		      uint32_t roles)
{
	struct wt_error err = { .struct_size = sizeof err };
	void *peer = wt_auth_rig_add(to, settings, id, roles, &err);

	if (!peer)
		fail_msg("%s", err.text);
	return peer;
}

/* An M1 of `peer` as its n-th try; what the waiting end makes of it. */
static enum wt_auth_verdict attempt(void *peer, uint32_t unanswered, struct wt_auth_said *m1,
				    struct wt_auth_said *out)
{
	assert_int_equal(
		wt_auth_rig_start(&dialler, peer, WT_CHANNEL_STREAM, 4, unanswered, params, m1),
		WT_AUTH_MORE);
	return wt_auth_rig_accept(&rig, WT_CHANNEL_STREAM, 5, params, m1->reply, m1->reply_len,
				  out);
}

/* ---- what is refused --------------------------------------------------------- */

static void wrong_keys_are_refused(void **state)
{
	static const uint8_t zero[32] = { 0 };
	static const struct {
		struct wt_auth_settings settings;
		const char *says[3];
	} cases[] = {
		{ { .name = "bob", .psk = zero }, { "bob", "psk_file:", "genpsk" } },
		{ { .name = "bob", .psk = key_c, .psk_next = zero },
		  { "bob", "psk_file_next", "all zero" } },
		{ { .name = "bob" }, { "bob", "psk_file:", "missing" } },
		{ { .name = "bob", .psk = key_a }, { "bob", "alice", "same" } },
		{ { .name = "bob", .psk = key_b }, { "bob", "alice", "same" } },
		{ { .name = "bob", .psk = key_c, .psk_next = key_a }, { "bob", "alice", "same" } },
		{ { .name = "bob", .psk = key_c, .psk_next = key_b }, { "bob", "alice", "same" } },
	};
	const struct wt_auth_settings alice = { .name = "alice", .psk = key_a, .psk_next = key_b };
	const struct wt_auth_settings office = { .name = "office", .psk = key_a };
	struct wt_auth_said m1, out;

	(void)state;
	void *peer = must_add(&rig, &alice, 1, WT_PEER_ACCEPTS);
	void *ours = must_add(&dialler, &office, 1, WT_PEER_DIALS);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = { .struct_size = sizeof err };
		/* In either role: a key is for one pair of ends. */
		const uint32_t role = i % 2 ? WT_PEER_DIALS : WT_PEER_ACCEPTS;

		assert_null(wt_auth_rig_add(&rig, &cases[i].settings, 2, role, &err));
		for (size_t k = 0; k < COUNT(cases[i].says); k++)
			if (!strstr(err.text, cases[i].says[k]))
				fail_msg("case %zu: \"%s\" lacks \"%s\"", i, err.text,
					 cases[i].says[k]);
	}
	/* The refusals left nothing behind: alice is found, key_c is free. */
	assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_MORE);
	assert_int_equal(out.peer_id, 1);
	const struct wt_auth_settings bob = { .name = "bob", .psk = key_c };
	void *other = must_add(&rig, &bob, 2, WT_PEER_ACCEPTS);

	wt_auth_rig_remove(&rig, other);
	wt_auth_rig_remove(&rig, peer);
	wt_auth_rig_remove(&dialler, ours);
}

/* A peer whose second key is refused was half in the table: nothing points to
 * its memory afterwards. */
static void a_refused_peer_is_not_pointed_to(void **state)
{
	const struct wt_auth_settings alice = { .name = "alice", .psk = key_a };
	const struct wt_auth_settings bad = { .name = "bob", .psk = key_c, .psk_next = key_a };
	const struct wt_auth_settings good = { .name = "bob", .psk = key_c };
	struct wt_error err = { .struct_size = sizeof err };
	uint8_t *memory = wt_secret_alloc(rig.ops->peer_size, rig.ops->peer_align);

	(void)state;
	assert_non_null(memory);
	void *first = must_add(&rig, &alice, 1, WT_PEER_ACCEPTS);

	assert_int_equal(rig.ops->peer_add(rig.self, (const struct wt_config *)&bad, 2,
					   WT_PEER_ACCEPTS, memory, &err),
			 WT_ERR_CONFIG);
	memset(memory, 0xa5, rig.ops->peer_size);
	void *second = must_add(&rig, &good, 2, WT_PEER_ACCEPTS);

	wt_auth_rig_remove(&rig, second);
	wt_auth_rig_remove(&rig, first);
	wt_secret_free(memory);
}

static void keep_line(void *arg, const char *line)
{
	snprintf(arg, 256, "%s", line);
}

static void a_finished_change_of_key_is_pointed_out(void **state)
{
	const struct wt_auth_settings alice = { .name = "alice", .psk = key_a, .psk_next = key_a };
	char line[256] = "";

	(void)state;
	wt_log_capture(keep_line, line);
	void *peer = must_add(&rig, &alice, 1, WT_PEER_ACCEPTS);

	wt_log_capture(NULL, NULL);
	assert_non_null(strstr(line, "alice"));
	assert_non_null(strstr(line, "psk_file_next"));
	wt_auth_rig_remove(&rig, peer);
}

static void a_key_is_free_again_when_its_peer_is_gone(void **state)
{
	const struct wt_auth_settings alice = { .name = "alice", .psk = key_a },
				      bob = { .name = "bob", .psk = key_a };
	struct wt_auth_said m1, out;

	(void)state;
	void *ours = must_add(&dialler, &alice, 1, WT_PEER_DIALS);
	void *peer = must_add(&rig, &alice, 1, WT_PEER_ACCEPTS);

	wt_auth_rig_remove(&rig, peer);
	assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_IGNORE);
	assert_int_equal(out.reason, WT_REASON_UNKNOWN_PEER);
	peer = must_add(&rig, &bob, 2, WT_PEER_ACCEPTS);
	assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_MORE);
	assert_int_equal(out.peer_id, 2);
	wt_auth_rig_remove(&rig, peer);
	wt_auth_rig_remove(&dialler, ours);
}

static void a_realm_has_1_to_255_bytes(void **state)
{
	char realm[257];

	(void)state;
	for (size_t len = 0; len <= 256; len += len == 1 ? 253 : 1) {
		const struct wt_auth_settings named = { .name = "hmac", .realm = realm };
		struct wt_error err = { .struct_size = sizeof err };
		void *self = NULL;

		memset(realm, 'r', len);
		realm[len] = '\0';
		enum wt_status status = rig.ops->create(
			&rig.plain.host, (const struct wt_config *)&named, &self, &err);

		if (len >= 1 && len <= 255) {
			assert_int_equal(status, WT_OK);
			rig.ops->destroy(self);
		} else {
			assert_int_equal(status, WT_ERR_CONFIG);
			assert_non_null(strstr(err.text, "[auth hmac] realm"));
			assert_null(self);
		}
	}
}

static void the_descriptor_declares_its_keys(void **state)
{
	static const struct {
		const char *name;
		uint32_t type, scope, flags;
	} want[] = {
		{ "realm", WT_CONFIG_STRING, WT_SCOPE_SECTION, 0 },
		{ "psk_file", WT_CONFIG_KEYFILE32, WT_SCOPE_PEER,
		  WT_CONFIG_REQUIRED | WT_CONFIG_SECRET },
		{ "psk_file_next", WT_CONFIG_KEYFILE32, WT_SCOPE_PEER, WT_CONFIG_SECRET },
	};
	const struct wt_plugin_descriptor *d = rig.descriptor;

	(void)state;
	assert_string_equal(d->name, "hmac");
	assert_int_equal(d->kind, WT_KIND_AUTH);
	assert_int_equal(rig.ops->method, WT_METHOD_HMAC);
	assert_int_equal(d->config_key_count, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(d->config_keys[i].name, want[i].name);
		assert_int_equal(d->config_keys[i].type, want[i].type);
		assert_int_equal(d->config_keys[i].scope, want[i].scope);
		assert_int_equal(d->config_keys[i].flags, want[i].flags);
	}
	assert_string_equal(d->config_keys[0].default_value, "whispertunnel");
	/* With its header a peer fills a block of 2 KB of secret memory. */
	assert_in_range(rig.ops->peer_size, 1, 2048 - 64);
}

/* ---- which key, which tag ------------------------------------------------------ */

/* The first tries use the hour's tag and the key answered last; then every
 * second one the static tag, and half of them the other key. */
static void silence_makes_other_keys_and_tags_be_tried(void **state)
{
	static const struct {
		bool is_static, is_next;
	} want[] = { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 1, 0 }, { 0, 1 }, { 1, 1 },
		     { 0, 0 }, { 1, 0 }, { 0, 1 }, { 1, 1 }, { 0, 0 }, { 1, 0 } };
	const struct wt_auth_settings both = { .name = "office", .psk = key_a, .psk_next = key_b };
	const struct wt_auth_settings old = { .name = "old", .psk = key_a };
	const struct wt_auth_settings new = { .name = "new", .psk = key_b };
	struct wt_auth_said m1, out;

	(void)state;
	void *ours = must_add(&dialler, &both, 1, WT_PEER_DIALS);
	void *peers[] = { must_add(&rig, &old, 0, WT_PEER_ACCEPTS),
			  must_add(&rig, &new, 1, WT_PEER_ACCEPTS) };

	for (uint32_t n = 0; n < COUNT(want); n++) {
		/* Clocks together: the key tells. */
		rig.clock.unix_ms = dialler.clock.unix_ms += 10;
		enum wt_auth_verdict verdict = attempt(ours, n, &m1, &out);

		assert_int_not_equal(verdict, WT_AUTH_IGNORE);
		assert_int_equal(out.peer_id, want[n].is_next);
		/* Ten hours apart: only the static tag is known. */
		rig.clock.unix_ms = dialler.clock.unix_ms + 10 * HOUR_MS;
		verdict = attempt(ours, n, &m1, &out);
		assert_int_equal(verdict, want[n].is_static ? WT_AUTH_ANSWER : WT_AUTH_IGNORE);
	}
	wt_auth_rig_remove(&rig, peers[0]);
	wt_auth_rig_remove(&rig, peers[1]);
	wt_auth_rig_remove(&dialler, ours);
}

/* Without another key the turns are of the tag alone. */
static void a_peer_with_one_key_keeps_to_it(void **state)
{
	const struct wt_auth_settings one = { .name = "office", .psk = key_a };
	struct wt_auth_said m1, out;

	(void)state;
	void *ours = must_add(&dialler, &one, 1, WT_PEER_DIALS);
	void *peer = must_add(&rig, &one, 1, WT_PEER_ACCEPTS);

	for (uint32_t n = 0; n < 12; n++) {
		rig.clock.unix_ms = dialler.clock.unix_ms += 10;
		assert_int_equal(attempt(ours, n, &m1, &out), WT_AUTH_MORE);
	}
	wt_auth_rig_remove(&rig, peer);
	wt_auth_rig_remove(&dialler, ours);
}

/* A key that was answered, by RETRY or M2, is the first one tried from then on:
 * a rekey must not begin with the one the other end no longer has. */
static void the_key_that_was_answered_is_preferred(void **state)
{
	const struct wt_auth_settings both = { .name = "office", .psk = key_a, .psk_next = key_b };
	const struct wt_auth_settings new = { .name = "new", .psk = key_b };

	(void)state;
	for (int retried = 0; retried < 2; retried++) {
		struct wt_auth_said m1, out, m3;
		void *ours = must_add(&dialler, &both, 1, WT_PEER_DIALS);
		void *peer = must_add(&rig, &new, 1, WT_PEER_ACCEPTS);

		rig.clock.unix_ms = dialler.clock.unix_ms + (retried ? 100000 : 0);
		assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_IGNORE);
		assert_int_equal(attempt(ours, 4, &m1, &out),
				 retried ? WT_AUTH_ANSWER : WT_AUTH_MORE);
		assert_int_equal(wt_auth_rig_receive(&dialler, m1.handshake, WT_CHANNEL_STREAM,
						     out.reply, out.reply_len, &m3),
				 retried ? WT_AUTH_MORE : WT_AUTH_DONE);
		wt_auth_rig_advance(&dialler, 10);
		wt_auth_rig_advance(&rig, 10);
		assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_MORE);
		wt_auth_rig_remove(&rig, peer);
		wt_auth_rig_remove(&dialler, ours);
	}
}

/* The waiting end takes either key while both are configured. */
static void both_keys_are_accepted_meanwhile(void **state)
{
	const struct wt_auth_settings both = { .name = "alice", .psk = key_a, .psk_next = key_b };
	const struct wt_auth_settings diallers[] = { { .name = "old", .psk = key_a },
						     { .name = "new", .psk = key_b } };
	struct wt_auth_said m1, out, m3, done;

	(void)state;
	void *peer = must_add(&rig, &both, 9, WT_PEER_ACCEPTS);

	for (size_t i = 0; i < COUNT(diallers); i++) {
		void *ours = must_add(&dialler, &diallers[i], 1, WT_PEER_DIALS);

		wt_auth_rig_advance(&dialler, 10);
		wt_auth_rig_advance(&rig, 10);
		assert_int_equal(attempt(ours, 0, &m1, &out), WT_AUTH_MORE);
		assert_int_equal(out.peer_id, 9);
		assert_int_equal(wt_auth_rig_receive(&dialler, m1.handshake, WT_CHANNEL_STREAM,
						     out.reply, 164, &m3),
				 WT_AUTH_DONE);
		assert_int_equal(wt_auth_rig_receive(&rig, out.handshake, WT_CHANNEL_STREAM,
						     m3.reply, 40, &done),
				 WT_AUTH_DONE);
		wt_auth_rig_remove(&dialler, ours);
	}
	wt_auth_rig_remove(&rig, peer);
}

/* ---- hours ------------------------------------------------------------------- */

/* The clock of the waiting end goes anywhere, forth and back; hour tags are
 * known one hour around it. */
static void tags_follow_the_clock(void **state)
{
	static const uint64_t hours[] = { 490000, 490001, 490002, 490003, 490005, 490006, 490008,
					  490007, 490001, 3,	  2,	  1,	  0,	  1,
					  0,	  2,	  490000, 0,	  490001 };
	const struct wt_auth_settings one = { .name = "office", .psk = key_a };
	struct wt_auth_said m1, out;

	(void)state;
	/* A peer that is there all the time, then one that comes at each hour. */
	for (int fresh = 0; fresh < 2; fresh++) {
		void *peer = fresh ? NULL : must_add(&rig, &one, 1, WT_PEER_ACCEPTS);

		for (size_t i = 0; i < COUNT(hours); i++) {
			rig.clock.unix_ms = hours[i] * HOUR_MS + 1234;
			if (fresh)
				peer = must_add(&rig, &one, 1, WT_PEER_ACCEPTS);
			for (uint64_t hour = hours[i] > 3 ? hours[i] - 3 : 0; hour <= hours[i] + 3;
			     hour++) {
				void *ours = must_add(&dialler, &one, 1, WT_PEER_DIALS);
				const bool known = hour + 1 >= hours[i] && hour <= hours[i] + 1;

				dialler.clock.unix_ms = hour * HOUR_MS + 1234;
				if ((attempt(ours, 0, &m1, &out) != WT_AUTH_IGNORE) != known)
					fail_msg("hour %ju seen from %ju", (uintmax_t)hour,
						 (uintmax_t)hours[i]);
				wt_auth_rig_remove(&dialler, ours);
			}
			if (fresh)
				wt_auth_rig_remove(&rig, peer);
		}
		if (!fresh)
			wt_auth_rig_remove(&rig, peer);
	}
}

static void every_peer_of_many_is_found(void **state)
{
	enum { MANY = 1500 };
	static struct wt_auth_settings settings[MANY];
	static uint8_t psk[MANY][32];
	static char names[MANY][16];
	static void *peers[MANY];
	struct wt_auth_said m1, out;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof names[i], "peer-%u", i);
		memcpy(psk[i], key_a, 28);
		memcpy(psk[i] + 28, &i, sizeof i);
		settings[i] = (struct wt_auth_settings){ .name = names[i], .psk = psk[i] };
		peers[i] = must_add(&rig, &settings[i], i, WT_PEER_ACCEPTS);
	}
	for (int turn = 0; turn < 3; turn++) {
		for (uint32_t i = 0; i < MANY; i += 7) {
			void *ours = must_add(&dialler, &settings[i], 1, WT_PEER_DIALS);
			enum wt_auth_verdict verdict = attempt(ours, 0, &m1, &out);

			/* Those taken out of the middle are gone, all others there. */
			if (turn == 2 && i % 2 == 0) {
				assert_int_equal(verdict, WT_AUTH_IGNORE);
				assert_int_equal(out.reason, WT_REASON_UNKNOWN_PEER);
			} else {
				assert_int_not_equal(verdict, WT_AUTH_IGNORE);
				assert_int_equal(out.peer_id, i);
			}
			wt_auth_rig_remove(&dialler, ours);
		}
		rig.clock.unix_ms += HOUR_MS;
		dialler.clock.unix_ms += HOUR_MS;
		for (uint32_t i = 0; turn == 1 && i < MANY; i += 2)
			wt_auth_rig_remove(&rig, peers[i]);
	}
	for (uint32_t i = 1; i < MANY; i += 2)
		wt_auth_rig_remove(&rig, peers[i]);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, open_both, close_both)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(wrong_keys_are_refused),
		TEST(a_refused_peer_is_not_pointed_to),
		TEST(a_finished_change_of_key_is_pointed_out),
		TEST(a_key_is_free_again_when_its_peer_is_gone),
		TEST(a_realm_has_1_to_255_bytes),
		TEST(the_descriptor_declares_its_keys),
		TEST(silence_makes_other_keys_and_tags_be_tried),
		TEST(a_peer_with_one_key_keeps_to_it),
		TEST(the_key_that_was_answered_is_preferred),
		TEST(both_keys_are_accepted_meanwhile),
		TEST(tags_follow_the_clock),
		TEST(every_peer_of_many_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
