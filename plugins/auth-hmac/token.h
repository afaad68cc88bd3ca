/* SPDX-License-Identifier: MIT
 *
 * token.h: what a RETRY carries and the next M1 shows again: proof that its
 * source can receive. A token is read by nobody but its maker:
 *	u32 minute || HMAC(secret, u32 minute || u32 peer || u8 k || LP(source) || e_i)[0..28)
 * with the minute of CLOCK_BOOTTIME, valid in that minute and the next. Any
 * thread.
 */
#ifndef WT_HMAC_TOKEN_H
#define WT_HMAC_TOKEN_H

#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "auth-common/flood.h"
#include "messages.h"

/* The token that `in`, a whole M1 of `peer_id`, must show. */
enum wt_status wt_token_make(struct wt_flood *flood, const struct wt_primitives *p,
			     const struct wt_host *host, uint32_t peer_id,
			     const struct wt_auth_in *in, uint8_t token[TOKEN_SIZE]) WT_MUST_CHECK;
/* Does it show one that is valid now? */
bool wt_token_valid(struct wt_flood *flood, const struct wt_primitives *p,
		    const struct wt_host *host, uint32_t peer_id, const struct wt_auth_in *in);

#endif
