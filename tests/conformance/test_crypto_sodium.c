/* SPDX-License-Identifier: MIT
 *
 * The libsodium backend on a CPU without AES instructions, and with a libsodium
 * that leaves the output of a failed call as it was: this program answers the
 * calls in question.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "conform/crypto/backend.h"

static int cpu_has_aes;

__attribute__((visibility("default"))) int crypto_aead_aes256gcm_is_available(void);
int crypto_aead_aes256gcm_is_available(void)
{
	return cpu_has_aes;
}

/* Some versions clear `m` themselves; this one does not. */
__attribute__((visibility("default"))) int crypto_aead_aes256gcm_decrypt_afternm(
	unsigned char *m, unsigned long long *mlen, unsigned char *nsec, const unsigned char *c,
	unsigned long long clen, const unsigned char *ad, unsigned long long adlen,
	const unsigned char *npub, const void *ctx);
int crypto_aead_aes256gcm_decrypt_afternm(unsigned char *m, unsigned long long *mlen,
					  unsigned char *nsec, const unsigned char *c,
					  unsigned long long clen, const unsigned char *ad,
					  unsigned long long adlen, const unsigned char *npub,
					  const void *ctx)
{
	(void)m;
	(void)mlen;
	(void)nsec;
	(void)c;
	(void)clen;
	(void)ad;
	(void)adlen;
	(void)npub;
	(void)ctx;
	return -1;
}

static void clears_what_the_library_leaves(void **state)
{
	static const uint8_t key[WT_KEY_SIZE], nonce[WT_NONCE_SIZE];
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	uint8_t record[40 + WT_TAG_SIZE];

	(void)state;
	cpu_has_aes = 1;
	struct wt_backend *b = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-sodium", &status, &err);

	assert_non_null(b);
	void *ctx = wt_backend_key(b, key);

	assert_non_null(ctx);
	memset(record, 0x77, sizeof record);
	assert_int_equal(
		b->ops->open(b->self, NULL, ctx, nonce, NULL, 0, record, sizeof record, record),
		WT_ERR_AUTH);
	for (size_t i = 0; i < sizeof record; i++)
		assert_int_equal(record[i], i < 40 ? 0 : 0x77);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

static void says_no_on_a_cpu_without_aes(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_OK;

	(void)state;
	cpu_has_aes = 0;
	assert_null(wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-sodium", &status, &err));
	assert_int_equal(status, WT_ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, ": not on this CPU: "));
	assert_non_null(strstr(err.text, "aesgcm-openssl"));
	assert_null(strchr(err.text, '\n'));
}

static void makes_no_instance_on_a_cpu_without_aes(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	void *self = NULL;

	(void)state;
	cpu_has_aes = 1;
	struct wt_backend *b = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-sodium", &status, &err);

	assert_non_null(b);
	cpu_has_aes = 0;
	assert_int_equal(b->ops->create(&b->host.host, NULL, &self, &err), WT_ERR_UNAVAILABLE);
	assert_null(self);
	wt_backend_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_no_on_a_cpu_without_aes),
		cmocka_unit_test(clears_what_the_library_leaves),
		cmocka_unit_test(makes_no_instance_on_a_cpu_without_aes),
	};

	return cmocka_run_group_tests_name("sodium backend", tests, NULL, NULL);
}
