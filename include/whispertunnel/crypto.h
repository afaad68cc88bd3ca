/* SPDX-License-Identifier: MIT
 *
 * crypto.h: the contract of a crypto plugin, one AEAD backend.
 *
 * The core owns keys, nonces and their limits; the plugin turns one record
 * into its sealed form and back. Two backends of one algorithm must produce
 * the same bytes for the same input: the wire does not show which was used.
 *
 * Life: available() -> create() -> { key_init() -> seal()/open() ... ->
 * key_wipe() } any number, interleaved -> destroy(). A key context lives in
 * memory that the host allocates (locked, not dumped, zeroed, aligned to
 * ctx_align) and serves one direction. Two contexts may be used by two
 * threads at once; one context is only ever used by one thread at a time.
 * `worker` is NULL while the host tests the backend at load.
 */
#ifndef WHISPERTUNNEL_CRYPTO_H
#define WHISPERTUNNEL_CRYPTO_H

#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>
#include <whispertunnel/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The longest text of a record: kind, segment size and an IP packet. */
#define WT_PLAINTEXT_MAX (WT_RECORD_MAX - WT_RECORD_HEADER - WT_TAG_SIZE)

/* One record of a batch. For seal, `len` counts plaintext and `out` takes
 * len + tag_size; for open, `len` counts ciphertext and tag and `out` takes
 * len - tag_size. */
struct wt_aead_item {
	uint32_t struct_size;
	uint32_t len;
	const uint8_t *nonce; /* nonce_size bytes */
	const uint8_t *aad;
	size_t aad_len;
	const uint8_t *in;
	uint8_t *out;
	enum wt_status status; /* out: of this item; a failure before the call */
};

struct wt_crypto_ops {
	uint32_t struct_size;
	uint32_t key_size;   /* bytes, 16..32; 32 for AES-256-GCM */
	uint32_t nonce_size; /* bytes; 12, others are refused */
	uint32_t tag_size;   /* bytes; 16, others are refused */
	uint32_t ctx_size;   /* bytes of one key context, 1..65536 */
	uint32_t ctx_align;  /* its alignment, a power of two, 1..4096 */

	/* Can this backend work on this machine? WT_OK, or
	 * WT_ERR_UNAVAILABLE with the reason in err ("not on this CPU: ...").
	 * Called first, any number of times. Required. */
	enum wt_status (*available)(const struct wt_host *host, struct wt_error *err);

	/* Make the instance. `cfg` holds the [crypto] section's keys, while the
	 * backend is tested their defaults. On success *self is the plugin's, until
	 * destroy. There may be several, also some that are made only to check a
	 * configuration. Main thread. Required. */
	enum wt_status (*create)(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err);
	/* After the last key_wipe. Main thread. Required. */
	void (*destroy)(void *self);

	/* Set up `ctx` (ctx_size zeroed bytes) with a key of key_size bytes,
	 * which the host wipes afterwards. On failure nothing is held and
	 * key_wipe is not called. Required. */
	enum wt_status (*key_init)(void *self, struct wt_worker *worker, void *ctx,
				   const uint8_t *key);
	/* Erase every trace of the key and free what ctx holds; its ctx_size
	 * bytes are zero afterwards. On the thread that used it, or, after that has
	 * ended, the main one. Required. */
	void (*key_wipe)(void *self, void *ctx);

	/* Seal `len` bytes (0..WT_PLAINTEXT_MAX) at `in` to len + tag_size bytes at
	 * `out`: ciphertext, then tag. `out` equals `in` or does not overlap
	 * it, nor aad. No pointer is aligned. aad may be NULL when aad_len is 0; the
	 * tunnel's records have WT_RECORD_HEADER bytes of it, other callers up to
	 * 65536. The host repeats no nonce under a key. WT_OK, or WT_ERR_CRYPTO when
	 * the library failed: the record is dropped, `out` is undefined but
	 * holds no keystream without plaintext. Required. */
	enum wt_status (*seal)(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out);

	/* Open `len` bytes (ciphertext and tag) at `in` to len - tag_size
	 * bytes at `out`; same overlap rule. WT_ERR_AUTH when the tag does not
	 * verify or len < tag_size; WT_ERR_CRYPTO when the library failed. On
	 * any failure the whole output range (len - tag_size bytes at `out`)
	 * is zero. Required. */
	enum wt_status (*open)(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out);

	/* The same for n >= 1 records under one key, of which none is another
	 * one's input or output; each item gets its own status and the contract of
	 * its single form. Step by items->struct_size. Optional: the host loops over
	 * seal and open. */
	void (*seal_batch)(void *self, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n);
	void (*open_batch)(void *self, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n);
};

/* A known answer: text_len up to WT_PLAINTEXT_MAX, aad_len up to 65536 bytes.
 * `ciphertext` is text_len bytes, `tag` tag_size bytes, `source` where it is from. */
struct wt_crypto_vector {
	uint32_t struct_size;
	uint32_t text_len, aad_len;
	uint32_t reserved;
	const uint8_t *key, *nonce, *aad, *plaintext, *ciphertext, *tag;
	const char *source;
};

#ifdef __cplusplus
}
#endif

#endif
