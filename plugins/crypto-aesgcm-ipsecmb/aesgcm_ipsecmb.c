/* SPDX-License-Identifier: MIT
 *
 * crypto-aesgcm-ipsecmb: AES-256-GCM by Intel's Multi-Buffer Crypto for IPsec
 * library (libipsec-mb), through its direct calls: one record, one call.
 *
 * The library's manager serves here as a table of functions for this CPU: of
 * them three are kept, and its 200 KB of scratch for queued jobs go back at
 * once. Those three work on the key context alone, so that workers share
 * nothing but constants.
 *
 * They return nothing. Of arguments that it does not like the library says so
 * in a variable that all threads share, and does nothing; sealing in place,
 * that would leave the text as it was. So what it would refuse is refused here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <intel-ipsec-mb.h>

#include <whispertunnel/crypto.h>

/* Its widest loads, and a cache line. */
#define KEY_ALIGN 64u

struct functions {
	aes_gcm_pre_t expand;
	aes_gcm_enc_dec_t seal, open;
};

struct backend {
	const struct wt_host *host;
	struct functions library;
};

/* All that is ever made of a key and a record: nothing is left on a stack. */
struct key {
	struct gcm_key_data schedule __attribute__((aligned(KEY_ALIGN)));
	struct gcm_context_data record __attribute__((aligned(KEY_ALIGN)));
	uint8_t tag[WT_TAG_SIZE];
};

static enum wt_status cannot_start(int reason, struct wt_error *err)
{
	snprintf(err->text, sizeof err->text,
		 "not in this library: libipsec-mb %s could not start (%s); install another build "
		 "of it, or use `plugin = aesgcm-openssl`",
		 imb_get_version_str(), imb_get_strerror(reason));
	return WT_ERR_UNAVAILABLE;
}

/* Those that the library thinks best for this CPU. */
static enum wt_status find_functions(struct functions *out, struct wt_error *err)
{
	IMB_ARCH arch = IMB_ARCH_NONE;

	/* Without these instructions some builds of it have a slow imitation and
	 * others fail in ways of their own. */
	if ((imb_get_feature_flags() & IMB_CPUFLAGS_SSE) != IMB_CPUFLAGS_SSE) {
		snprintf(err->text, sizeof err->text,
			 "not on this CPU: libipsec-mb %s needs SSE4.2, AES and carry-less "
			 "multiplication instructions (AES-NI, PCLMULQDQ); use `plugin = "
			 "aesgcm-openssl`",
			 imb_get_version_str());
		return WT_ERR_UNAVAILABLE;
	}
	IMB_MGR *manager = alloc_mb_mgr(0);

	if (!manager)
		return cannot_start(imb_get_errno(NULL), err);
	init_mb_mgr_auto(manager, &arch);
	/* Its own self-test may have failed, too. */
	int reason = imb_get_errno(manager);

	*out = (struct functions){ manager->gcm256_pre, manager->gcm256_enc, manager->gcm256_dec };
	free_mb_mgr(manager);
	return reason == 0 && arch >= IMB_ARCH_SSE ? WT_OK : cannot_start(reason, err);
}

static enum wt_status available(const struct wt_host *host, struct wt_error *err)
{
	struct functions library;

	(void)host;
	return find_functions(&library, err);
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct backend *b = calloc(1, sizeof *b);

	(void)cfg;
	if (!b) {
		snprintf(err->text, sizeof err->text, "out of memory for the libipsec-mb backend");
		return WT_ERR_NOMEM;
	}
	b->host = host;
	enum wt_status status = find_functions(&b->library, err);

	if (status != WT_OK) {
		free(b);
		return status;
	}
	*self = b;
	return WT_OK;
}

static void destroy(void *self)
{
	free(self);
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *raw)
{
	const struct backend *b = self;
	struct key *key = ctx;

	(void)worker;
	b->library.expand(raw, &key->schedule);
	return WT_OK;
}

static void key_wipe(void *self, void *ctx)
{
	const struct backend *b = self;

	b->host->wipe(ctx, sizeof(struct key));
}

/* Would the library work on this? Its own limits are higher, and differ. */
static bool workable(size_t len, const uint8_t *aad, size_t aad_len)
{
	return len <= UINT32_MAX && aad_len <= UINT32_MAX && (aad || aad_len == 0);
}

static enum wt_status seal(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	const struct backend *b = self;
	struct key *key = ctx;

	(void)worker;
	if (!workable(len, aad, aad_len))
		return WT_ERR_CRYPTO;
	b->library.seal(&key->schedule, &key->record, out, in, len, nonce, aad, aad_len, out + len,
			WT_TAG_SIZE);
	return WT_OK;
}

static enum wt_status open(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	const struct backend *b = self;
	struct key *key = ctx;

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;

	size_t text_len = len - WT_TAG_SIZE;
	enum wt_status status = WT_ERR_CRYPTO;

	if (workable(text_len, aad, aad_len)) {
		/* Should it do nothing after all, then no tag is right. */
		for (size_t i = 0; i < WT_TAG_SIZE; i++)
			key->tag[i] = (uint8_t)~in[text_len + i];
		b->library.open(&key->schedule, &key->record, out, in, text_len, nonce, aad,
				aad_len, key->tag, WT_TAG_SIZE);
		/* It tells what the tag should have been, and compares nothing. */
		if (b->host->equal(key->tag, in + text_len, WT_TAG_SIZE))
			return WT_OK;
		status = WT_ERR_AUTH;
	}
	b->host->wipe(out, text_len);
	return status;
}

static const struct wt_crypto_ops ops = {
	.struct_size = sizeof ops,
	.key_size = WT_KEY_SIZE,
	.nonce_size = WT_NONCE_SIZE,
	.tag_size = WT_TAG_SIZE,
	.ctx_size = sizeof(struct key),
	.ctx_align = _Alignof(struct key),
	.available = available,
	.create = create,
	.destroy = destroy,
	.key_init = key_init,
	.key_wipe = key_wipe,
	.seal = seal,
	.open = open,
};

_Static_assert(IMB_GCM_256_KEY_LEN == WT_KEY_SIZE && IMB_GCM_IV_DATA_LEN == WT_NONCE_SIZE,
	       "libipsec-mb's sizes are those of the wire");

WT_PLUGIN(WT_KIND_CRYPTO, "aesgcm-ipsecmb", "0.1.0", .license = "MIT",
	  .summary = "AES-256-GCM by Intel's libipsec-mb, on x86-64 with AES instructions",
	  .ops = &ops, .algorithm = WT_ALGORITHM_AES256GCM);
