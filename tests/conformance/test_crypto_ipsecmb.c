/* SPDX-License-Identifier: MIT
 *
 * What only the libipsec-mb backend can get wrong. The library has a set of
 * functions for each generation of CPUs, so all of those that this CPU can run
 * are held to the contract; and this program answers the library's calls where
 * another CPU or a failing library is wanted.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <intel-ipsec-mb.h>

#include "base/error.h"
#include "conform/crypto/aead_check.h"

#define TEXT_LEN 300u
#define SEALED_LEN (TEXT_LEN + WT_TAG_SIZE)

static const uint8_t raw_key[WT_KEY_SIZE] = { 5, 6, 7 };
static const uint8_t nonce[WT_NONCE_SIZE] = { 1, 2, 3 };
static const uint8_t aad[5] = { 9, 8, 7, 6, 5 };

/* ---- the library, as this program wants it ------------------------------- */

static struct {
	uint64_t hidden_features;
	bool no_manager;
	int error;	       /* of a manager, or of there being none */
	uint64_t flags;	       /* for alloc_mb_mgr */
	init_mb_mgr_t variant; /* NULL: what the library chooses */
	bool idle;	       /* its functions do nothing */
	size_t calls;	       /* of those */
	size_t managers;       /* that are not freed */
	aes_gcm_enc_dec_t seal, open;
} library;

#define INTERPOSED __attribute__((visibility("default")))

INTERPOSED uint64_t imb_get_feature_flags(void)
{
	uint64_t (*real)(void) = (uint64_t(*)(void))dlsym(RTLD_NEXT, "imb_get_feature_flags");

	return real() & ~library.hidden_features;
}

INTERPOSED IMB_MGR *alloc_mb_mgr(uint64_t flags)
{
	IMB_MGR *(*real)(uint64_t) = (IMB_MGR * (*)(uint64_t)) dlsym(RTLD_NEXT, "alloc_mb_mgr");
	IMB_MGR *manager = library.no_manager ? NULL : real(flags | library.flags);

	library.managers += manager != NULL;
	return manager;
}

INTERPOSED void free_mb_mgr(IMB_MGR *manager)
{
	void (*real)(IMB_MGR *) = (void (*)(IMB_MGR *))dlsym(RTLD_NEXT, "free_mb_mgr");

	library.managers -= manager != NULL;
	real(manager);
}

INTERPOSED int imb_get_errno(IMB_MGR *manager)
{
	int (*real)(IMB_MGR *) = (int (*)(IMB_MGR *))dlsym(RTLD_NEXT, "imb_get_errno");

	return library.error ? library.error : real(manager);
}

static void count_seal(const struct gcm_key_data *key, struct gcm_context_data *ctx, uint8_t *out,
		       uint8_t const *in, uint64_t len, const uint8_t *iv, uint8_t const *data,
		       uint64_t data_len, uint8_t *tag, uint64_t tag_len)
{
	library.calls++;
	if (!library.idle)
		library.seal(key, ctx, out, in, len, iv, data, data_len, tag, tag_len);
}

static void count_open(const struct gcm_key_data *key, struct gcm_context_data *ctx, uint8_t *out,
		       uint8_t const *in, uint64_t len, const uint8_t *iv, uint8_t const *data,
		       uint64_t data_len, uint8_t *tag, uint64_t tag_len)
{
	library.calls++;
	if (!library.idle)
		library.open(key, ctx, out, in, len, iv, data, data_len, tag, tag_len);
}

INTERPOSED void init_mb_mgr_auto(IMB_MGR *manager, IMB_ARCH *arch)
{
	void (*real)(IMB_MGR *, IMB_ARCH *) =
		(void (*)(IMB_MGR *, IMB_ARCH *))dlsym(RTLD_NEXT, "init_mb_mgr_auto");

	real(manager, arch);
	if (library.variant) {
		library.variant(manager);
		return;
	}
	library.seal = manager->gcm256_enc;
	library.open = manager->gcm256_dec;
	manager->gcm256_enc = count_seal;
	manager->gcm256_dec = count_open;
}

static struct wt_backend *open_backend(const char *name)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_backend *b = wt_backend_open(WT_TEST_PLUGIN_DIR, name, &status, &err);

	if (!b)
		fail_msg("%s", err.text);
	return b;
}

/* ---- not here ------------------------------------------------------------ */

/* available() and create() say the same, and keep no manager. */
static void assert_refused(const struct wt_backend *b, const char *begins, const char *part)
{
	for (int create = 0; create < 2; create++) {
		struct wt_error err = WT_ERROR_INIT;
		void *self = NULL;
		enum wt_status status = create ? b->ops->create(&b->host.host, NULL, &self, &err)
					       : b->ops->available(&b->host.host, &err);

		assert_int_equal(status, WT_ERR_UNAVAILABLE);
		assert_null(self);
		assert_ptr_equal(strstr(err.text, begins), err.text);
		if (!strstr(err.text, part))
			fail_msg("\"%s\" is not in: %s", part, err.text);
		assert_non_null(strstr(err.text, "aesgcm-openssl"));
		assert_null(strchr(err.text, '\n'));
		assert_int_equal(library.managers, 0);
	}
}

static void says_no_on_a_cpu_without_its_instructions(void **state)
{
	static const uint64_t needed[] = { IMB_FEATURE_AESNI, IMB_FEATURE_PCLMULQDQ,
					   IMB_FEATURE_SSE4_2 };
	struct wt_backend *b = open_backend("aesgcm-ipsecmb");

	(void)state;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		library.hidden_features = needed[i];
		assert_refused(b, "not on this CPU: ", "AES-NI");
	}
	library.hidden_features = 0;
	wt_backend_close(b);
}

static void says_no_when_the_library_does_not_start(void **state)
{
	struct wt_backend *b = open_backend("aesgcm-ipsecmb");

	(void)state;
	library.no_manager = true;
	library.error = ENOMEM;
	assert_refused(b, "not in this library: ", strerror(ENOMEM));
	library.no_manager = false;
	library.error = IMB_ERR_SELFTEST;
	assert_refused(b, "not in this library: ", imb_get_strerror(IMB_ERR_SELFTEST));
	library.error = 0;
	wt_backend_close(b);
}

/* ---- what the library does not say --------------------------------------- */

static void keeps_no_manager(void **state)
{
	struct wt_backend *b = open_backend("aesgcm-ipsecmb");

	(void)state;
	assert_int_equal(library.managers, 0);
	wt_backend_close(b);
}

static void assert_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(p[i], 0);
}

static void a_call_that_does_nothing_opens_nothing(void **state)
{
	struct wt_backend *b = open_backend("aesgcm-ipsecmb");
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t text[TEXT_LEN] = { 1 }, sealed[SEALED_LEN], out[TEXT_LEN];

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(
		b->ops->seal(b->self, NULL, ctx, nonce, aad, sizeof aad, text, TEXT_LEN, sealed),
		WT_OK);
	/* What a first call leaves behind is what the second would have to find. */
	for (int idle = 0; idle < 2; idle++) {
		memset(out, 0x77, sizeof out);
		library.idle = idle;
		assert_int_equal(b->ops->open(b->self, NULL, ctx, nonce, aad, sizeof aad, sealed,
					      SEALED_LEN, out),
				 idle ? WT_ERR_AUTH : WT_OK);
		library.idle = false;
	}
	assert_zero(out, sizeof out);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

static void what_the_library_would_ignore_is_refused(void **state)
{
	const size_t too_long = (size_t)UINT32_MAX + 1;
	struct wt_backend *b = open_backend("aesgcm-ipsecmb");
	void *ctx = wt_backend_key(b, raw_key);
	uint8_t record[SEALED_LEN], out[TEXT_LEN];

	(void)state;
	assert_non_null(ctx);
	memset(record, 0x77, sizeof record);
	library.calls = 0;
	assert_int_equal(b->ops->seal(b->self, NULL, ctx, nonce, NULL, 0, record, too_long, record),
			 WT_ERR_CRYPTO);
	assert_int_equal(
		b->ops->seal(b->self, NULL, ctx, nonce, aad, too_long, record, TEXT_LEN, record),
		WT_ERR_CRYPTO);
	assert_int_equal(b->ops->seal(b->self, NULL, ctx, nonce, NULL, 1, record, TEXT_LEN, record),
			 WT_ERR_CRYPTO);
	const struct {
		const uint8_t *aad;
		size_t aad_len;
	} ignored[] = { { aad, too_long }, { NULL, 1 } };

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
		memset(out, 0x77, sizeof out);
		assert_int_equal(b->ops->open(b->self, NULL, ctx, nonce, ignored[i].aad,
					      ignored[i].aad_len, record, SEALED_LEN, out),
				 WT_ERR_CRYPTO);
		assert_zero(out, sizeof out);
	}
	assert_int_equal(library.calls, 0);
	wt_backend_key_free(b, ctx);
	wt_backend_close(b);
}

/* ---- each set of functions ----------------------------------------------- */

static const struct variant {
	const char *name;
	init_mb_mgr_t init;
	uint64_t needs, flags;
} variants[] = {
	{ "SSE", init_mb_mgr_sse, IMB_CPUFLAGS_SSE, 0 },
	{ "AVX", init_mb_mgr_avx, IMB_CPUFLAGS_AVX, 0 },
	{ "AVX2", init_mb_mgr_avx2, IMB_CPUFLAGS_AVX2, 0 },
	/* The library couples VAES with SHA. */
	{ "AVX-512", init_mb_mgr_avx512, IMB_CPUFLAGS_AVX512, IMB_FLAG_SHANI_OFF },
	{ "AVX-512 and VAES", init_mb_mgr_avx512, IMB_CPUFLAGS_AVX512_T2, 0 },
};
#define VARIANTS (sizeof variants / sizeof variants[0])

static void keeps_every_promise(void **state)
{
	const struct variant *variant = *state;
	const struct wt_check_options options = { .level = 2, .seed = 1 };
	struct wt_finding note;

	if ((imb_get_feature_flags() & variant->needs) != variant->needs) {
		print_message("  skipped: this CPU has no %s\n", variant->name);
		skip();
	}
	library.variant = variant->init;
	library.flags = variant->flags;
	struct wt_backend *subject = open_backend("aesgcm-ipsecmb");

	library.variant = NULL;
	library.flags = 0;
	struct wt_backend *reference = open_backend("aesgcm-openssl");

	for (size_t i = 0; i < wt_aead_check_count; i++)
		if (wt_aead_check_run(&wt_aead_checks[i], &options, subject, reference, &note) ==
		    WT_FOUND)
			fail_msg("%s: %s", wt_aead_checks[i].promise, note.text);
	wt_backend_close(reference);
	wt_backend_close(subject);
}

/* Two names for one set of functions would test one twice and the other never. */
static void variants_are_different(void **state)
{
	aes_gcm_enc_dec_t seen[VARIANTS];
	size_t n = 0;

	(void)state;
	for (size_t v = 0; v < VARIANTS; v++) {
		if ((imb_get_feature_flags() & variants[v].needs) != variants[v].needs)
			continue;
		IMB_MGR *manager = alloc_mb_mgr(variants[v].flags);

		assert_non_null(manager);
		variants[v].init(manager);
		for (size_t i = 0; i < n; i++)
			assert_true(seen[i] != manager->gcm256_enc);
		seen[n++] = manager->gcm256_enc;
		free_mb_mgr(manager);
	}
	assert_true(n > 0);
}

int main(void)
{
	struct CMUnitTest tests[6 + VARIANTS] = {
		cmocka_unit_test(says_no_on_a_cpu_without_its_instructions),
		cmocka_unit_test(says_no_when_the_library_does_not_start),
		cmocka_unit_test(keeps_no_manager),
		cmocka_unit_test(a_call_that_does_nothing_opens_nothing),
		cmocka_unit_test(what_the_library_would_ignore_is_refused),
		cmocka_unit_test(variants_are_different),
	};

	for (size_t v = 0; v < VARIANTS; v++)
		tests[6 + v] = (struct CMUnitTest){
			.name = variants[v].name,
			.test_func = keeps_every_promise,
			.initial_state = (void *)&variants[v],
		};
	if ((imb_get_feature_flags() & IMB_CPUFLAGS_SSE) != IMB_CPUFLAGS_SSE) {
		print_message("skipped: libipsec-mb does not work on this CPU\n");
		return 0;
	}
	return cmocka_run_group_tests_name("ipsecmb backend", tests, NULL, NULL);
}
