/* SPDX-License-Identifier: MIT
 *
 * The libsodium backend on a CPU without AES instructions: libsodium's own
 * question is answered by this program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "support/backend.h"

static int cpu_has_aes;

__attribute__((visibility("default"))) int crypto_aead_aes256gcm_is_available(void);
int crypto_aead_aes256gcm_is_available(void)
{
	return cpu_has_aes;
}

static void says_no_on_a_cpu_without_aes(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_OK;

	(void)state;
	cpu_has_aes = 0;
	assert_null(wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-sodium", &status, &err));
	assert_int_equal(status, WT_ERR_UNAVAILABLE);
	assert_ptr_equal(strstr(err.text, "not on this CPU: "), err.text);
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
		cmocka_unit_test(makes_no_instance_on_a_cpu_without_aes),
	};

	return cmocka_run_group_tests_name("sodium backend", tests, NULL, NULL);
}
