/* SPDX-License-Identifier: MIT
 *
 * The symmetric state and the pattern of auth-noise against the vectors that the
 * Noise community shares (format of cacophony), whole runs with both ends, the
 * messages after them included.
 *
 * The file is not part of this tree: $WT_NOISE_VECTORS, or
 * ../shared/vectors/noise-cacophony.json beside it. Without it the tests are
 * skipped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ikpsk2.h"
#include "support/auth_rig.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BESIDE WT_TEST_SOURCE_DIR "/../shared/vectors/noise-cacophony.json"

/* ---- the file ------------------------------------------------------------------ */

struct bytes {
	size_t len;
	uint8_t data[256];
};

enum side { INIT, RESP };

struct vector {
	char name[64];
	struct bytes prologue[2], statics[2], ephemeral[2], remote_static[2], psk[2];
	struct bytes hash;
	size_t message_count;
	struct {
		struct bytes payload, ciphertext;
	} messages[8];
};

static struct vector vectors[64];
static size_t vector_count;

static struct bytes unhex(const char *text, size_t len)
{
	struct bytes out = { len / 2, { 0 } };

	assert_in_range(out.len, 0, sizeof out.data);
	for (size_t i = 0; i < out.len; i++) {
		unsigned byte;

		assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
		out.data[i] = (uint8_t)byte;
	}
	return out;
}

static void take(const char *key, const char *text, size_t len)
{
	struct vector *v;

	if (strcmp(key, "protocol_name") == 0) {
		assert_in_range(vector_count, 0, COUNT(vectors) - 1);
		v = &vectors[vector_count++];
		assert_in_range(len, 1, sizeof v->name - 1);
		memcpy(v->name, text, len);
		return;
	}
	assert_int_not_equal(vector_count, 0);
	v = &vectors[vector_count - 1];
	const struct {
		const char *key;
		struct bytes *to;
	} fields[] = {
		{ "init_prologue", &v->prologue[INIT] },
		{ "resp_prologue", &v->prologue[RESP] },
		{ "init_static", &v->statics[INIT] },
		{ "resp_static", &v->statics[RESP] },
		{ "init_ephemeral", &v->ephemeral[INIT] },
		{ "resp_ephemeral", &v->ephemeral[RESP] },
		{ "init_remote_static", &v->remote_static[INIT] },
		{ "resp_remote_static", &v->remote_static[RESP] },
		{ "init_psks", &v->psk[INIT] },
		{ "resp_psks", &v->psk[RESP] },
		{ "handshake_hash", &v->hash },
	};

	for (size_t i = 0; i < COUNT(fields); i++)
		if (strcmp(key, fields[i].key) == 0)
			*fields[i].to = unhex(text, len);
	if (strcmp(key, "payload") == 0) {
		assert_in_range(v->message_count, 0, COUNT(v->messages) - 1);
		v->messages[v->message_count].payload = unhex(text, len);
	}
	if (strcmp(key, "ciphertext") == 0)
		v->messages[v->message_count++].ciphertext = unhex(text, len);
}

/* Strings only, which is all there is: one before a colon is a key, any other a
 * value of the last key. */
static void parse(const char *json)
{
	char key[64] = "";

	for (const char *at = strchr(json, '"'); at; at = strchr(at + 1, '"')) {
		const char *text = at + 1;
		const size_t len = strcspn(text, "\"");

		at = text + len;
		if (at[1] == ':') {
			assert_in_range(len, 1, sizeof key - 1);
			memcpy(key, text, len);
			key[len] = '\0';
		} else {
			take(key, text, len);
		}
	}
}

static int read_file(void **state)
{
	const char *path = getenv("WT_NOISE_VECTORS");
	FILE *file = fopen(path ? path : BESIDE, "rb");
	static char json[1 << 20];

	(void)state;
	if (!file && path) {
		fprintf(stderr, "WT_NOISE_VECTORS names %s, which cannot be read\n", path);
		return 1;
	}
	if (!file) {
		printf("skipped: no vectors of the Noise community here; set WT_NOISE_VECTORS to "
		       "a file in the format of cacophony\n");
		return 0;
	}
	json[fread(json, 1, sizeof json - 1, file)] = '\0';
	fclose(file);
	parse(json);
	printf("%zu vectors\n", vector_count);
	return vector_count > 0 ? 0 : 1;
}

/* ---- any pattern ---------------------------------------------------------------- */

static const struct {
	const char *name;
	bool knows_responder; /* "<- s" before the first message */
	const char *messages[3];
} patterns[] = {
	{ "Noise_IK_25519_AESGCM_SHA256", true, { "e es s ss", "e ee se" } },
	{ "Noise_IKpsk1_25519_AESGCM_SHA256", true, { "e es s ss psk", "e ee se" } },
	{ "Noise_IKpsk2_25519_AESGCM_SHA256", true, { "e es s ss", "e ee se psk" } },
	{ "Noise_XX_25519_AESGCM_SHA256", false, { "e", "e ee s es", "s se" } },
	{ "Noise_NNpsk0_25519_AESGCM_SHA256", false, { "psk e", "e ee" } },
};

struct party {
	struct wt_symmetric sym;
	uint8_t s[32], s_public[32], e[32], e_public[32], rs[32], re[32], psk[32];
};

static struct wt_auth_rig rig;
static struct wt_primitives primitives;
static struct wt_noise_tools tools;

static void copy32(uint8_t *to, const struct bytes *from)
{
	assert_true(from->len == 0 || from->len == 32);
	memcpy(to, from->data, from->len);
}

static void party_open(struct party *party, const struct vector *v, enum side side, bool known)
{
	const struct bytes *responder = &v->remote_static[INIT];

	memset(party, 0, sizeof *party);
	copy32(party->s, &v->statics[side]);
	copy32(party->e, &v->ephemeral[side]);
	copy32(party->psk, &v->psk[side]);
	if (v->statics[side].len > 0)
		assert_int_equal(wt_x25519_public(party->s, party->s_public), WT_OK);
	assert_int_equal(wt_x25519_public(party->e, party->e_public), WT_OK);
	if (side == INIT && known)
		copy32(party->rs, responder);
	wt_symmetric_begin(&party->sym, v->name);
	assert_int_equal(wt_symmetric_mix_hash(&tools, &party->sym, v->prologue[side].data,
					       v->prologue[side].len),
			 WT_OK);
	if (known)
		assert_int_equal(wt_symmetric_mix_hash(&tools, &party->sym, responder->data, 32),
				 WT_OK);
}

static void mix_dh(struct party *party, enum side side, const char *token)
{
	const char ours = side == INIT ? token[0] : token[1];
	const char theirs = side == INIT ? token[1] : token[0];

	assert_int_equal(wt_symmetric_mix_dh(&tools, &party->sym, ours == 'e' ? party->e : party->s,
					     theirs == 'e' ? party->re : party->rs),
			 WT_OK);
}

static size_t sealed(const struct party *party, size_t len)
{
	return len + (party->sym.keyed ? WT_TAG_SIZE : 0);
}

/* One token of a message that `writer` writes at *at and the other end reads. */
static void token_passes(struct party parties[2], enum side writer, const char *token, bool psk,
			 uint8_t **at)
{
	struct party *w = &parties[writer], *r = &parties[!writer];

	if (strcmp(token, "e") == 0) {
		memcpy(*at, w->e_public, 32);
		memcpy(r->re, *at, 32);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(wt_symmetric_mix_hash(&tools, &parties[i].sym, *at, 32),
					 WT_OK);
			if (psk)
				assert_int_equal(wt_symmetric_mix_key(&tools, &parties[i].sym, *at),
						 WT_OK);
		}
		*at += 32;
	} else if (strcmp(token, "s") == 0) {
		const size_t len = sealed(w, 32);

		assert_int_equal(wt_symmetric_seal(&tools, &w->sym, w->s_public, 32, *at), WT_OK);
		assert_int_equal(wt_symmetric_open(&tools, &r->sym, *at, len, r->rs), WT_OK);
		*at += len;
	} else if (strcmp(token, "psk") == 0) {
		for (int i = 0; i < 2; i++)
			assert_int_equal(wt_symmetric_mix_key_and_hash(&tools, &parties[i].sym,
								       parties[i].psk),
					 WT_OK);
	} else {
		mix_dh(&parties[INIT], INIT, token);
		mix_dh(&parties[RESP], RESP, token);
	}
}

/* What follows the handshake: each end's own key and counter. */
static void transport_follows(const struct vector *v, size_t first, const uint8_t c1[32],
			      const uint8_t c2[32])
{
	uint64_t n[2] = { 0, 0 };

	assert_true(first < v->message_count);
	for (size_t i = first; i < v->message_count; i++) {
		const struct bytes *text = &v->messages[i].payload;
		uint8_t out[256 + WT_TAG_SIZE], nonce[WT_NONCE_SIZE];

		wt_symmetric_nonce(n[i % 2]++, nonce);
		assert_int_equal(rig.plain.host.aead_seal(&rig.plain.host, NULL, i % 2 ? c2 : c1,
							  nonce, NULL, 0, text->data, text->len,
							  out),
				 WT_OK);
		assert_int_equal(v->messages[i].ciphertext.len, text->len + WT_TAG_SIZE);
		assert_memory_equal(out, v->messages[i].ciphertext.data, text->len + WT_TAG_SIZE);
	}
}

static void pattern_follows(const struct vector *v, size_t which)
{
	const bool psk = strstr(v->name, "psk") != NULL;
	struct party parties[2];
	uint8_t keys[2][2][32];
	size_t count = 0;

	party_open(&parties[INIT], v, INIT, patterns[which].knows_responder);
	party_open(&parties[RESP], v, RESP, patterns[which].knows_responder);
	for (; count < 3 && patterns[which].messages[count]; count++) {
		const struct bytes *payload = &v->messages[count].payload;
		const enum side writer = count % 2 ? RESP : INIT;
		uint8_t message[512], back[256], *at = message;
		char tokens[32], *rest = tokens, *token;

		snprintf(tokens, sizeof tokens, "%s", patterns[which].messages[count]);
		while ((token = strsep(&rest, " ")) != NULL)
			token_passes(parties, writer, token, psk, &at);
		const size_t len = sealed(&parties[writer], payload->len);

		assert_int_equal(wt_symmetric_seal(&tools, &parties[writer].sym, payload->data,
						   payload->len, at),
				 WT_OK);
		assert_int_equal(wt_symmetric_open(&tools, &parties[!writer].sym, at, len, back),
				 WT_OK);
		assert_memory_equal(back, payload->data, payload->len);
		at += len;
		assert_int_equal(v->messages[count].ciphertext.len, at - message);
		assert_memory_equal(v->messages[count].ciphertext.data, message,
				    (size_t)(at - message));
	}
	for (int i = 0; i < 2; i++) {
		assert_memory_equal(parties[i].sym.h, v->hash.data, 32);
		assert_int_equal(
			wt_symmetric_split(&tools, &parties[i].sym, keys[i][0], keys[i][1]), WT_OK);
	}
	assert_memory_equal(keys[0], keys[1], sizeof keys[0]);
	transport_follows(v, count, keys[0][0], keys[0][1]);
}

static int open_rig(void **state)
{
	static const uint8_t private_key[32] = { 1 };
	static const struct wt_auth_settings section = { .name = "noise",
							 .private_key = private_key };
	struct wt_error err = { .struct_size = sizeof err };

	wt_auth_rig_open(&rig, "noise", &section, 1, 1, NULL, 0);
	assert_int_equal(wt_primitives_init(&primitives, &err), WT_OK);
	tools = (struct wt_noise_tools){ .host = &rig.plain.host, .primitives = &primitives };
	return read_file(state);
}

static int close_rig(void **state)
{
	(void)state;
	wt_primitives_free(&primitives);
	wt_auth_rig_close(&rig);
	return 0;
}

static void every_known_pattern_follows(void **state)
{
	size_t followed = 0;

	(void)state;
	if (vector_count == 0)
		skip();
	for (size_t i = 0; i < vector_count; i++) {
		for (size_t k = 0; k < COUNT(patterns); k++) {
			if (strcmp(vectors[i].name, patterns[k].name) != 0)
				continue;
			pattern_follows(&vectors[i], k);
			followed++;
		}
	}
	printf("%zu of %zu vectors followed, the others are of patterns not written down here\n",
	       followed, vector_count);
	assert_int_not_equal(followed, 0);
}

/* The plugin's own two messages. */
static void ikpsk2_follows(void **state)
{
	size_t followed = 0;

	(void)state;
	if (vector_count == 0)
		skip();
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];
		const struct bytes *first = &v->messages[0].payload,
				   *second = &v->messages[1].payload;
		uint8_t m1[512], m2[512], back[256], found[32], ss[32], c[2][32];
		struct wt_ik_pair us_i, us_r;
		struct wt_ik ik, rk;

		if (strcmp(v->name, WT_IK_NAME) != 0)
			continue;
		copy32(us_i.private_key, &v->statics[INIT]);
		copy32(us_r.private_key, &v->statics[RESP]);
		assert_int_equal(wt_x25519_public(us_i.private_key, us_i.public_key), WT_OK);
		assert_int_equal(wt_x25519_public(us_r.private_key, us_r.public_key), WT_OK);
		assert_int_equal(wt_x25519(us_i.private_key, us_r.public_key, ss), WT_OK);
		copy32(ik.e, &v->ephemeral[INIT]);
		copy32(rk.e, &v->ephemeral[RESP]);
		assert_int_equal(wt_ik_begin(&tools, &ik, v->prologue[INIT].data,
					     v->prologue[INIT].len, us_r.public_key),
				 WT_OK);
		assert_int_equal(wt_ik_begin(&tools, &rk, v->prologue[RESP].data,
					     v->prologue[RESP].len, us_r.public_key),
				 WT_OK);
		assert_int_equal(wt_ik_write_first(&tools, &ik, &us_i, us_r.public_key, ss,
						   first->data, first->len, m1),
				 WT_OK);
		assert_memory_equal(m1, v->messages[0].ciphertext.data,
				    first->len + WT_IK_FIRST_EXTRA);
		assert_int_equal(wt_ik_read_static(&tools, &rk, &us_r, m1, found), WT_OK);
		assert_memory_equal(found, us_i.public_key, 32);
		assert_int_equal(wt_ik_read_first(&tools, &rk, ss, m1, first->len, back), WT_OK);
		assert_memory_equal(back, first->data, first->len);
		assert_int_equal(wt_ik_write_second(&tools, &rk, found, v->psk[RESP].data,
						    second->data, second->len, m2),
				 WT_OK);
		assert_memory_equal(m2, v->messages[1].ciphertext.data,
				    second->len + WT_IK_SECOND_EXTRA);
		assert_int_equal(wt_ik_read_second(&tools, &ik, &us_i, v->psk[INIT].data, m2,
						   second->len, back),
				 WT_OK);
		assert_memory_equal(back, second->data, second->len);
		assert_memory_equal(ik.sym.h, v->hash.data, 32);
		assert_int_equal(wt_symmetric_split(&tools, &rk.sym, c[0], c[1]), WT_OK);
		transport_follows(v, 2, c[0], c[1]);
		followed++;
	}
	assert_int_not_equal(followed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_pattern_follows),
		cmocka_unit_test(ikpsk2_follows),
	};

	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
