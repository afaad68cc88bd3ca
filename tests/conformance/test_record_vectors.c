/* SPDX-License-Identifier: MIT
 *
 * Records of each backend against the frozen ones of the Python reference, and
 * of one backend against another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conform/crypto/backend.h"
#include "plugin/call.h"
#include "record/inner.h"
#include "record/keypair.h"
#include "record/params.h"
#include "reference/vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BACKENDS_MAX 8

/* A real backend as the record room sees it. */
struct loaded {
	struct wt_backend *backend;
	struct wt_host_instance host;
	struct wt_instance instance;
	struct wt_crypto crypto;
};

static struct loaded loaded[BACKENDS_MAX];
static size_t loaded_count;
static uint8_t record[WT_RECORD_MAX];

static int load_all(void **state)
{
	char names[BACKENDS_MAX][WT_NAME_MAX + 1];
	size_t n = wt_backend_names(WT_TEST_PLUGIN_DIR, names, BACKENDS_MAX);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct loaded *l = &loaded[loaded_count];
		struct wt_error err = WT_ERROR_INIT;
		enum wt_status status;

		l->backend = wt_backend_open(WT_TEST_PLUGIN_DIR, names[i], &status, &err);
		if (!l->backend) {
			print_message("skipped: %s: %s\n", names[i], err.text);
			continue;
		}
		l->instance = (struct wt_instance){ .host = &l->host, .self = l->backend->self };
		l->crypto = (struct wt_crypto){ .instance = &l->instance,
						.ops = l->backend->ops,
						.self = l->backend->self };
		loaded_count++;
	}
	return loaded_count > 0 ? 0 : -1;
}

static int unload_all(void **state)
{
	(void)state;
	while (loaded_count > 0)
		wt_backend_close(loaded[--loaded_count].backend);
	return 0;
}

/* A pair that uses the key `mine` in one direction and another in the other. */
static void pair_init(struct wt_keypair *pair, struct loaded *l, const uint8_t *mine,
		      const uint8_t *iv, uint32_t index, bool sends)
{
	struct wt_keypair_keys keys = { .send_key = { 0 } };
	struct wt_keypair_options options = {
		.local_index = index,
		.remote_index = index,
		.channel = WT_CHANNEL_DATAGRAM,
	};

	memcpy(sends ? keys.send_key : keys.recv_key, mine, WT_KEY_SIZE);
	memcpy(sends ? keys.send_iv : keys.recv_iv, iv, WT_NONCE_SIZE);
	assert_int_equal(wt_keypair_init(pair, &l->crypto, NULL, &options, &keys), WT_OK);
}

static void sealed_records_are_the_reference_s(void **state)
{
	(void)state;
	for (size_t b = 0; b < loaded_count; b++) {
		for (size_t i = 0; i < COUNT(wt_record_vectors); i++) {
			const struct wt_record_vector *v = &wt_record_vectors[i];
			struct wt_keypair pair;

			pair_init(&pair, &loaded[b], v->key, v->iv, v->receiver_index, true);
			pair.send_counter = v->counter;
			memcpy(record + WT_RECORD_HEADER, v->plaintext, v->plaintext_len);
			assert_int_equal(wt_keypair_seal(&pair, NULL, 0, record, v->plaintext_len),
					 WT_OK);
			assert_memory_equal(record, v->record, v->record_len);
			wt_keypair_wipe(&pair);
		}
	}
}

static void the_reference_s_records_open(void **state)
{
	static const struct wt_inner_limits limits = {
		.features = WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS, .inner_mtu = 1500
	};

	(void)state;
	for (size_t b = 0; b < loaded_count; b++) {
		for (size_t i = 0; i < COUNT(wt_record_vectors); i++) {
			const struct wt_record_vector *v = &wt_record_vectors[i];
			uint8_t *text = record + WT_RECORD_HEADER;
			struct wt_keypair pair;
			struct wt_inner inner;

			pair_init(&pair, &loaded[b], v->key, v->iv, v->receiver_index, false);
			memcpy(record, v->record, v->record_len);
			assert_int_equal(wt_keypair_open(&pair, NULL, 0, record, v->record_len),
					 WT_DROP_NONE);
			assert_memory_equal(text, v->plaintext, v->plaintext_len);
			assert_int_equal(wt_inner_parse(text, v->plaintext_len, &limits, &inner),
					 WT_DROP_NONE);
			wt_keypair_wipe(&pair);
		}
	}
}

static void the_reference_s_parameters_are_understood(void **state)
{
	static const struct wt_params ours = { .algorithm = WT_ALGORITHM_BYTE_AES256GCM };

	(void)state;
	for (size_t i = 0; i < COUNT(wt_handshake_vectors); i++) {
		const uint8_t *const both[] = { wt_handshake_vectors[i].params_i,
						wt_handshake_vectors[i].params_r };

		for (size_t k = 0; k < COUNT(both); k++) {
			uint8_t bytes[WT_PARAMS_SIZE];
			struct wt_params params;

			assert_int_equal(wt_params_decode(both[k], &ours, &params, NULL), WT_OK);
			wt_params_encode(&params, bytes);
			assert_memory_equal(bytes, both[k], sizeof bytes);
		}
	}
}

/* The sender changes its backend before each record, the receiver stays. */
static void backends_take_turns_under_one_key(void **state)
{
	static const size_t lengths[] = { 1, 15, 16, 17, 100, 1421, 9001, 65536, 65538 };
	const struct wt_record_vector *v = &wt_record_vectors[0];

	(void)state;
	for (size_t b = 0; b < loaded_count; b++) {
		struct wt_keypair sender, receiver;

		pair_init(&sender, &loaded[b], v->key, v->iv, 7, true);
		pair_init(&receiver, &loaded[b], v->key, v->iv, 7, false);
		for (size_t i = 0; i < COUNT(lengths) * 8; i++) {
			size_t len = lengths[i % COUNT(lengths)];
			struct wt_crypto *next = &loaded[(b + i) % loaded_count].crypto;

			assert_int_equal(wt_keypair_change_crypto(&sender, next, NULL), WT_OK);
			memset(record + WT_RECORD_HEADER, (int)i, len);
			assert_int_equal(wt_keypair_seal(&sender, NULL, 0, record, len), WT_OK);
			assert_int_equal(wt_keypair_open(&receiver, NULL, 0, record,
							 WT_RECORD_HEADER + len + WT_TAG_SIZE),
					 WT_DROP_NONE);
			for (size_t k = 0; k < len; k++)
				assert_int_equal(record[WT_RECORD_HEADER + k], i);
		}
		wt_keypair_wipe(&sender);
		wt_keypair_wipe(&receiver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_records_are_the_reference_s),
		cmocka_unit_test(the_reference_s_records_open),
		cmocka_unit_test(the_reference_s_parameters_are_understood),
		cmocka_unit_test(backends_take_turns_under_one_key),
	};

	return cmocka_run_group_tests(tests, load_all, unload_all);
}
