/* SPDX-License-Identifier: MIT
 *
 * What only the OpenSSL backend can get wrong: its use of libcrypto's memory,
 * errors and configuration. libcrypto's allocator is replaced in this program,
 * and the EVP calls that the backend makes go through this program's own.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/crypto/aead_attempt.h"
#include "conform/crypto/backend.h"
#include "support/scratch.h"

#define TEXT_LEN 300u
#define SEALED_LEN (TEXT_LEN + WT_TAG_SIZE)

static const uint8_t nonce[WT_NONCE_SIZE] = { 1, 2, 3 };
static const uint8_t aad[5] = { 9, 8, 7, 6, 5 };
static uint8_t raw_key[WT_KEY_SIZE], text[TEXT_LEN], sealed[SEALED_LEN];

/* ---- libcrypto's memory -------------------------------------------------- */

/* In front of every block of libcrypto's. */
struct block {
	struct block *next, *prev;
	size_t size;
	size_t pad; /* keeps the block at 16 */
};

static struct {
	struct block live; /* ring */
	size_t allocations;
	size_t fail_at;	     /* 0: none; counted from 1 */
	bool fail_from_then; /* all that follow, too */
	bool failed;
	size_t freed_with_key;
} memory = { .live = { .next = &memory.live, .prev = &memory.live } };

static bool holds_key(const uint8_t *p, size_t size)
{
	return memmem(p, size, raw_key, WT_KEY_SIZE / 2) ||
	       memmem(p, size, raw_key + WT_KEY_SIZE / 2, WT_KEY_SIZE / 2);
}

static void *take(size_t size)
{
	memory.allocations++;
	if (memory.fail_at != 0 &&
	    (memory.allocations == memory.fail_at ||
	     (memory.fail_from_then && memory.allocations > memory.fail_at))) {
		memory.failed = true;
		return NULL;
	}
	struct block *b = malloc(sizeof *b + size);

	if (!b)
		return NULL;
	*b = (struct block){ .next = memory.live.next, .prev = &memory.live, .size = size };
	b->next->prev = b;
	memory.live.next = b;
	return b + 1;
}

static void give_back(void *p)
{
	if (!p)
		return;
	struct block *b = (struct block *)p - 1;

	if (holds_key(p, b->size))
		memory.freed_with_key++;
	b->next->prev = b->prev;
	b->prev->next = b->next;
	free(b);
}

static void *crypto_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return take(size);
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	give_back(p);
}

static void *crypto_realloc(void *p, size_t size, const char *file, int line)
{
	void *grown = take(size);

	(void)file;
	(void)line;
	if (grown && p) {
		size_t old = ((struct block *)p - 1)->size;

		memcpy(grown, p, old < size ? old : size);
		give_back(p);
	}
	return grown;
}

static size_t live_blocks(void)
{
	size_t n = 0;

	for (struct block *b = memory.live.next; b != &memory.live; b = b->next)
		n++;
	return n;
}

static size_t live_blocks_with_key(void)
{
	size_t n = 0;

	for (struct block *b = memory.live.next; b != &memory.live; b = b->next)
		n += holds_key((const uint8_t *)(b + 1), b->size);
	return n;
}

/* ---- the EVP calls that seal and open make -------------------------------- */

static const char *failing = "";

/* libcrypto leaves a word on its error queue when a call fails. */
static int outcome(const char *name, int result)
{
	if (strcmp(failing, name) != 0)
		return result;
	ERR_raise(ERR_LIB_EVP, ERR_R_EVP_LIB);
	return 0;
}

/* Does what libcrypto does, output included, and then says that it failed. */
#define MAY_FAIL(name, parameters, arguments)                                                      \
	__attribute__((visibility("default"))) int name parameters                                 \
	{                                                                                          \
		int(*real) parameters = (int(*) parameters)dlsym(RTLD_NEXT, #name);                \
                                                                                                   \
		return outcome(#name, real arguments);                                             \
	}

MAY_FAIL(EVP_EncryptInit_ex2,
	 (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,
	  const unsigned char *iv, const OSSL_PARAM params[]),
	 (ctx, cipher, key, iv, params))
MAY_FAIL(EVP_EncryptUpdate,
	 (EVP_CIPHER_CTX * ctx, unsigned char *out, int *outl, const unsigned char *in, int inl),
	 (ctx, out, outl, in, inl))
MAY_FAIL(EVP_EncryptFinal_ex, (EVP_CIPHER_CTX * ctx, unsigned char *out, int *outl),
	 (ctx, out, outl))
MAY_FAIL(EVP_CIPHER_CTX_get_params, (EVP_CIPHER_CTX * ctx, OSSL_PARAM params[]), (ctx, params))
MAY_FAIL(EVP_DecryptInit_ex2,
	 (EVP_CIPHER_CTX * ctx, const EVP_CIPHER *cipher, const unsigned char *key,
	  const unsigned char *iv, const OSSL_PARAM params[]),
	 (ctx, cipher, key, iv, params))
MAY_FAIL(EVP_DecryptUpdate,
	 (EVP_CIPHER_CTX * ctx, unsigned char *out, int *outl, const unsigned char *in, int inl),
	 (ctx, out, outl, in, inl))

__attribute__((visibility("default"))) EVP_CIPHER *
EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *algorithm, const char *properties)
{
	EVP_CIPHER *(*real)(OSSL_LIB_CTX *, const char *, const char *) =
		(EVP_CIPHER * (*)(OSSL_LIB_CTX *, const char *, const char *))
			dlsym(RTLD_NEXT, "EVP_CIPHER_fetch");

	return outcome("EVP_CIPHER_fetch", 1) ? real(library, algorithm, properties) : NULL;
}

/* ---- tests --------------------------------------------------------------- */

static struct wt_backend *open_backend(void)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_backend *b = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-openssl", &status, &err);

	if (!b)
		fail_msg("%s", err.text);
	return b;
}

static enum wt_status do_seal(const struct wt_backend *b, void *ctx, uint8_t *out)
{
	return b->ops->seal(b->self, NULL, ctx, nonce, aad, sizeof aad, text, TEXT_LEN, out);
}

static enum wt_status do_open(const struct wt_backend *b, void *ctx, const uint8_t *in,
			      uint8_t *out)
{
	return b->ops->open(b->self, NULL, ctx, nonce, aad, sizeof aad, in, SEALED_LEN, out);
}

static void assert_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(p[i], 0);
}

static void openssl_cnf_does_not_reach_it(void **state)
{
	(void)state;
	/* The file that main() made takes AES away from everybody else. */
	assert_int_equal(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL), 1);
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);

	ERR_clear_error();
	assert_null(cipher);
	wt_backend_close(open_backend());
}

static void a_library_without_aes_is_not_available(void **state)
{
	size_t blocks = 0;

	(void)state;
	/* Twice: what libcrypto makes once stays. */
	for (int round = 0; round < 2; round++) {
		struct wt_error err = WT_ERROR_INIT;
		enum wt_status status = WT_OK;

		blocks = live_blocks();
		failing = "EVP_CIPHER_fetch";
		struct wt_backend *b =
			wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-openssl", &status, &err);

		failing = "";
		assert_null(b);
		assert_int_equal(status, WT_ERR_UNAVAILABLE);
		assert_non_null(strstr(err.text, ": not in this library: "));
		assert_int_equal(ERR_peek_error(), 0);
	}
	assert_int_equal(live_blocks(), blocks);
}

static void one_context_turns_from_sealing_to_opening(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t again[SEALED_LEN];

	(void)state;
	assert_non_null(ctx);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(do_seal(b, ctx, again), WT_OK);
		assert_memory_equal(again, sealed, SEALED_LEN);
		assert_int_equal(do_open(b, ctx, sealed, again), WT_OK);
		assert_memory_equal(again, text, TEXT_LEN);
	}
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

static void library_failure_is_not_a_bad_tag(void **state)
{
	static const char *const when_sealing[] = { "EVP_EncryptInit_ex2", "EVP_EncryptUpdate",
						    "EVP_EncryptFinal_ex",
						    "EVP_CIPHER_CTX_get_params" };
	static const char *const when_opening[] = { "EVP_DecryptInit_ex2", "EVP_DecryptUpdate" };
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t out[SEALED_LEN];

	(void)state;
	assert_non_null(ctx);
	for (size_t i = 0; i < sizeof when_sealing / sizeof when_sealing[0]; i++) {
		failing = when_sealing[i];
		assert_int_equal(do_seal(b, ctx, out), WT_ERR_CRYPTO);
		failing = "";
		assert_int_equal(ERR_peek_error(), 0);
		assert_int_equal(do_seal(b, ctx, out), WT_OK);
		assert_memory_equal(out, sealed, SEALED_LEN);
	}
	for (size_t i = 0; i < sizeof when_opening / sizeof when_opening[0]; i++) {
		memset(out, 0x77, sizeof out);
		failing = when_opening[i];
		assert_int_equal(do_open(b, ctx, sealed, out), WT_ERR_CRYPTO);
		failing = "";
		assert_int_equal(ERR_peek_error(), 0);
		assert_zero(out, TEXT_LEN);
		assert_int_equal(do_open(b, ctx, sealed, out), WT_OK);
	}
	wt_backend_key_free(b, ctx);

	failing = "EVP_EncryptInit_ex2";
	assert_null(wt_backend_key(b, raw_key));
	failing = "";
	assert_int_equal(ERR_peek_error(), 0);
	wt_backend_close(b);
}

static void lengths_that_do_not_fit_are_refused(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t out[SEALED_LEN];

	(void)state;
	assert_non_null(ctx);
	/* Cut to an int, each of these would be a good one. */
	const size_t wrapped = (size_t)UINT32_MAX + 1;

	assert_int_equal(
		b->ops->seal(b->self, NULL, ctx, nonce, NULL, 0, text, (size_t)INT32_MAX + 1, out),
		WT_ERR_CRYPTO);
	assert_int_equal(b->ops->seal(b->self, NULL, ctx, nonce, aad, wrapped + sizeof aad, text,
				      TEXT_LEN, out),
			 WT_ERR_CRYPTO);
	memset(out, 0x77, sizeof out);
	assert_int_equal(b->ops->open(b->self, NULL, ctx, nonce, aad, wrapped + sizeof aad, sealed,
				      SEALED_LEN, out),
			 WT_ERR_CRYPTO);
	assert_zero(out, TEXT_LEN);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

static void no_error_is_left_for_others(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t forged[SEALED_LEN], out[TEXT_LEN];

	(void)state;
	assert_non_null(ctx);
	memcpy(forged, sealed, sizeof forged);
	forged[0] ^= 1;
	assert_int_equal(do_open(b, ctx, forged, out), WT_ERR_AUTH);
	assert_int_equal(ERR_peek_error(), 0);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
	assert_int_equal(ERR_peek_error(), 0);
}

static void freed_memory_holds_no_key(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);

	(void)state;
	assert_non_null(ctx);
	/* The first round keys are the key itself, in most implementations:
	 * where that is not so, looking for it says nothing. */
	bool seen = live_blocks_with_key() > 0;

	memory.freed_with_key = 0;
	wt_backend_key_free(b, ctx);
	assert_int_equal(memory.freed_with_key, 0);
	assert_int_equal(live_blocks_with_key(), 0);
	wt_backend_close(b);
	if (!seen) {
		print_message("  skipped: this CPU's key schedule does not show the key\n");
		skip();
	}
}

static void a_record_allocates_nothing(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t forged[SEALED_LEN], out[SEALED_LEN];

	(void)state;
	assert_non_null(ctx);
	memcpy(forged, sealed, sizeof forged);
	forged[SEALED_LEN - 1] ^= 1;
	memory.allocations = 0;
	assert_int_equal(do_seal(b, ctx, out), WT_OK);
	assert_int_equal(do_open(b, ctx, sealed, out), WT_OK);
	assert_int_equal(do_open(b, ctx, forged, out), WT_ERR_AUTH);
	assert_int_equal(memory.allocations, 0);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

/* Runs `life` with its n-th allocation failing, alone or with all that follow,
 * until it makes fewer: every n up to 32, then ever wider apart, as making a
 * library context takes thousands. `clean` is called after each. */
static void fail_each_allocation(enum wt_status (*life)(void *arg), void (*clean)(void *arg),
				 void *arg)
{
	for (int from_then = 0; from_then < 2; from_then++) {
		size_t refusals = 0, failures = 0;

		for (size_t n = 1;; n += 1 + n / 32) {
			memory.allocations = 0;
			memory.failed = false;
			memory.fail_from_then = from_then;
			memory.fail_at = n;
			enum wt_status status = life(arg);

			memory.fail_at = 0;
			ERR_clear_error();
			clean(arg);
			if (!memory.failed)
				break;
			failures++;
			refusals += status != WT_OK;
		}
		print_message("  %zu of %zu failing allocations (%s) were refusals\n", refusals,
			      failures, from_then ? "and all after" : "alone");
		assert_true(refusals > 0);
	}
}

static enum wt_status life_of_instance(void *arg)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_backend *b = wt_backend_open(WT_TEST_PLUGIN_DIR, "aesgcm-openssl", &status, &err);

	(void)arg;
	if (!b) {
		assert_int_equal(status, WT_ERR_UNAVAILABLE);
		assert_true(err.text[0] != '\0');
	}
	wt_backend_close(b);
	return status;
}

/* libcrypto itself leaks when OSSL_LIB_CTX_new() runs out of memory; the daemon
 * ends then, so all that is asked here is a refusal in words. */
static void after_instance(void *arg)
{
	(void)arg;
}

static void making_an_instance_survives_each_failed_allocation(void **state)
{
	(void)state;
	fail_each_allocation(life_of_instance, after_instance, NULL);
}

struct key_life {
	const struct wt_backend *b;
	uint8_t *ctx;
	size_t blocks;
};

static enum wt_status life_of_key(void *arg)
{
	const struct key_life *life = arg;
	const struct wt_backend *b = life->b;
	uint8_t out[SEALED_LEN];
	enum wt_status status = b->ops->key_init(b->self, NULL, life->ctx, raw_key);

	if (status != WT_OK) {
		assert_true(status == WT_ERR_NOMEM || status == WT_ERR_CRYPTO);
		assert_int_equal(ERR_peek_error(), 0);
		return status;
	}
	status = do_seal(b, life->ctx, out);
	if (status == WT_OK)
		assert_memory_equal(out, sealed, SEALED_LEN);
	b->ops->key_wipe(b->self, life->ctx);
	return status;
}

static void after_key(void *arg)
{
	const struct key_life *life = arg;

	assert_zero(life->ctx, life->b->ops->ctx_size);
	assert_int_equal(live_blocks(), life->blocks);
	assert_int_equal(live_blocks_with_key(), 0);
}

static void making_a_key_survives_each_failed_allocation(void **state)
{
	struct wt_backend *b = open_backend();
	struct key_life life = { .b = b };

	(void)state;
	life.ctx = wt_secret_alloc(b->ops->ctx_size, b->ops->ctx_align);
	assert_non_null(life.ctx);
	life.blocks = live_blocks();
	fail_each_allocation(life_of_key, after_key, &life);
	wt_secret_free(life.ctx);
	wt_backend_close(b);
}

static int seal_sample(void **state)
{
	struct wt_backend *b = open_backend();
	void *ctx = wt_backend_key(b, raw_key);

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(do_seal(b, ctx, sealed), WT_OK);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
	return 0;
}

int main(void)
{
	static const char no_aes[] = "openssl_conf = start\n"
				     "[start]\nalg_section = algorithms\n"
				     "[algorithms]\ndefault_properties = provider=none\n";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_cnf_does_not_reach_it),
		cmocka_unit_test(a_library_without_aes_is_not_available),
		cmocka_unit_test(one_context_turns_from_sealing_to_opening),
		cmocka_unit_test(library_failure_is_not_a_bad_tag),
		cmocka_unit_test(lengths_that_do_not_fit_are_refused),
		cmocka_unit_test(no_error_is_left_for_others),
		cmocka_unit_test(freed_memory_holds_no_key),
		cmocka_unit_test(a_record_allocates_nothing),
		cmocka_unit_test(making_an_instance_survives_each_failed_allocation),
		cmocka_unit_test(making_a_key_survives_each_failed_allocation),
	};

	/* Before libcrypto's first allocation. */
	if (!CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free)) {
		print_error("libcrypto does not let its allocator be replaced\n");
		return 1;
	}
	char *dir = wt_scratch_new();
	char *cnf = wt_scratch_file(dir, "openssl.cnf", no_aes, sizeof no_aes - 1, 0600);

	setenv("OPENSSL_CONF", cnf, 1);
	wt_fill(raw_key, sizeof raw_key, 1);
	wt_fill(text, sizeof text, 2);
	int failed = cmocka_run_group_tests_name("openssl backend", tests, seal_sample, NULL);

	free(cnf);
	wt_scratch_free(dir);
	return failed;
}
