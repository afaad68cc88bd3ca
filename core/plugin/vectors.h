/* SPDX-License-Identifier: MIT
 *
 * vectors.h: known answers for AES-256-GCM, which every backend must give.
 *
 * Sources: D. McGrew, J. Viega, "The Galois/Counter Mode of Operation (GCM)",
 * appendix B, and NIST's CAVP file gcmEncryptExtIV256.rsp (CAVS 14.0).
 */
#ifndef WT_PLUGIN_VECTORS_H
#define WT_PLUGIN_VECTORS_H

#include <whispertunnel/crypto.h>

extern const struct wt_crypto_vector wt_vectors_aes256gcm[];
extern const size_t wt_vectors_aes256gcm_count;

#endif
