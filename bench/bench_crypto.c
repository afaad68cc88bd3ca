/* SPDX-License-Identifier: MIT
 *
 * bench_crypto: what one seal and one open cost, for each crypto plugin given.
 *
 *	bench_crypto build/release/plugins/lib/crypto-*.so
 *
 * One core, no AAD; seal works in place with a new nonce for each record, open
 * into another buffer so that the same record can be opened again. The plugins
 * take turns, ROUNDS times, and the best turn of each counts: what disturbs a
 * measurement only ever makes it slower.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <whispertunnel/crypto.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"

#define ROUNDS 15
#define TURN_NS 5000000u

static const size_t lengths[] = { 64, 1420, 65000 };
#define LENGTHS (sizeof lengths / sizeof lengths[0])

struct subject {
	const char *name;
	const struct wt_crypto_ops *ops;
	void *handle, *self;
	void *seal_ctx, *open_ctx;
	uint64_t best_seal[LENGTHS], best_open[LENGTHS]; /* ns per call, times 100 */
};

/* A crypto plugin calls nothing else of its host's. */
static const struct wt_host host = {
	.struct_size = sizeof host,
	.abi_major = WT_ABI_MAJOR,
	.abi_minor = WT_ABI_MINOR,
	.wipe = wt_wipe,
	.equal = wt_equal,
};

static uint8_t sealed[WT_SLOT_CAPACITY] __attribute__((aligned(64)));
static uint8_t opened[WT_SLOT_CAPACITY] __attribute__((aligned(64)));

static uint64_t now_ns(void)
{
	return wt_clock_system.mono_ns(&wt_clock_system);
}

static void *key_new(const struct subject *s, const uint8_t *key)
{
	void *ctx = wt_secret_alloc(s->ops->ctx_size, s->ops->ctx_align);

	if (ctx && s->ops->key_init(s->self, NULL, ctx, key) == WT_OK)
		return ctx;
	wt_secret_free(ctx);
	return NULL;
}

static void key_free(const struct subject *s, void *ctx)
{
	if (ctx)
		s->ops->key_wipe(s->self, ctx);
	wt_secret_free(ctx);
}

static int subject_open(struct subject *s, const char *path)
{
	static const uint8_t key[WT_KEY_SIZE] = { 1 };
	struct wt_error err = WT_ERROR_INIT;

	s->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!s->handle) {
		fprintf(stderr, "bench_crypto: %s; build it first\n", dlerror());
		return -1;
	}
	const struct wt_plugin_descriptor *d = dlsym(s->handle, WT_PLUGIN_SYMBOL);

	if (!d || d->kind != WT_KIND_CRYPTO) {
		fprintf(stderr, "bench_crypto: %s is not a crypto plugin\n", path);
		return -1;
	}
	s->name = d->name;
	s->ops = d->ops;
	if (s->ops->available(&host, &err) != WT_OK ||
	    s->ops->create(&host, NULL, &s->self, &err) != WT_OK) {
		fprintf(stderr, "bench_crypto: %s: %s\n", d->name, err.text);
		return -1;
	}
	s->seal_ctx = key_new(s, key);
	s->open_ctx = key_new(s, key);
	if (!s->seal_ctx || !s->open_ctx) {
		fprintf(stderr, "bench_crypto: %s: the key could not be set up\n", d->name);
		return -1;
	}
	memset(s->best_seal, 0xff, sizeof s->best_seal);
	memset(s->best_open, 0xff, sizeof s->best_open);
	return 0;
}

/* Also of one that was not opened, or only half. */
static void subject_close(struct subject *s)
{
	key_free(s, s->seal_ctx);
	key_free(s, s->open_ctx);
	if (s->self)
		s->ops->destroy(s->self);
	if (s->handle)
		dlclose(s->handle);
}

static void keep_best(uint64_t *best, uint64_t ns, uint64_t calls)
{
	uint64_t each = ns * 100 / calls;

	if (each < *best)
		*best = each;
}

/* Times are taken over many calls, so that reading the clock does not count. */
static int turn(struct subject *s, size_t i)
{
	uint8_t *text = sealed + WT_SLOT_PACKET;
	uint8_t nonce[WT_NONCE_SIZE] = { 0 };
	size_t len = lengths[i];
	uint64_t calls = TURN_NS / (200 + len / 4) + 1;
	int failed = 0;
	uint64_t start = now_ns();

	for (uint64_t n = 0; n < calls; n++) {
		memcpy(nonce + 4, &n, sizeof n);
		failed |= s->ops->seal(s->self, NULL, s->seal_ctx, nonce, NULL, 0, text, len,
				       text) != WT_OK;
	}
	uint64_t middle = now_ns();

	for (uint64_t n = 0; n < calls; n++)
		failed |= s->ops->open(s->self, NULL, s->open_ctx, nonce, NULL, 0, text,
				       len + WT_TAG_SIZE, opened + WT_SLOT_PACKET) != WT_OK;
	uint64_t end = now_ns();

	keep_best(&s->best_seal[i], middle - start, calls);
	keep_best(&s->best_open[i], end - middle, calls);
	if (failed)
		fprintf(stderr, "bench_crypto: %s failed at %zu bytes; run the conformance tests\n",
			s->name, len);
	return failed;
}

static void print_cell(uint64_t ns100, size_t len)
{
	double ns = (double)ns100 / 100;

	printf(" %9.0f (%6.0f)", ns, (double)len * 1000 / ns);
}

static void print_table(const struct subject *subjects, size_t n)
{
	printf("ns a call (MB/s), best of %d turns\n%-18s %-5s", ROUNDS, "", "");
	for (size_t i = 0; i < LENGTHS; i++)
		printf(" %12zu bytes", lengths[i]);
	for (size_t k = 0; k < n; k++) {
		printf("\n%-18s %-5s", subjects[k].name, "seal");
		for (size_t i = 0; i < LENGTHS; i++)
			print_cell(subjects[k].best_seal[i], lengths[i]);
		printf("\n%-18s %-5s", "", "open");
		for (size_t i = 0; i < LENGTHS; i++)
			print_cell(subjects[k].best_open[i], lengths[i]);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: bench_crypto PLUGIN.so...\n"
				"Measures seal and open of crypto plugins, in turns.\n");
		return 2;
	}
	size_t n = (size_t)argc - 1;
	struct subject *subjects = calloc(n, sizeof *subjects);
	int failed = !subjects;

	for (size_t k = 0; !failed && k < n; k++)
		failed = subject_open(&subjects[k], argv[k + 1]) != 0;
	for (int round = 0; !failed && round < ROUNDS; round++)
		for (size_t i = 0; i < LENGTHS; i++)
			for (size_t k = 0; k < n; k++)
				failed = turn(&subjects[k], i) || failed;
	if (!failed)
		print_table(subjects, n);
	for (size_t k = 0; subjects && k < n; k++)
		subject_close(&subjects[k]);
	free(subjects);
	return failed;
}
