/* SPDX-License-Identifier: MIT
 *
 * address.h: socket addresses, checked and as text.
 */
#ifndef WT_TRANSPORT_COMMON_ADDRESS_H
#define WT_TRANSPORT_COMMON_ADDRESS_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

#define WT_ADDRESS_TEXT 96u

/* "192.0.2.1:4433", "[fe80::1%eth0]:4433"; "?" for another family. */
void wt_address_text(const struct sockaddr_storage *address, char out[WT_ADDRESS_TEXT]);

/* sizeof the address of its family; 0 for a family that is not IPv4 or IPv6. */
socklen_t wt_address_len(const struct sockaddr_storage *address);

/* Take over an address of the core's. False: not IPv4 or IPv6, or cut short. */
bool wt_address_take(const struct sockaddr *address, socklen_t len, struct sockaddr_storage *out);

#endif
