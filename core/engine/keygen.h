/* SPDX-License-Identifier: MIT
 *
 * keygen.h: `wtcore genpsk`, `genkey` and `pubkey`: new keys on standard output.
 *
 * Each returns enum wt_exit; what went wrong is on stderr. A secret is not
 * written to a file that group or others could read. Main thread.
 */
#ifndef WT_ENGINE_KEYGEN_H
#define WT_ENGINE_KEYGEN_H

/* The method whose key pairs are meant unless one is named. */
#define WT_KEYGEN_AUTH "noise"

/* Write 32 random bytes as base64 and a newline to `fd`. */
int wt_genpsk(int fd);

/* The same with a private key of auth plugin `auth`. */
int wt_genkey(int fd, const char *auth);

/* Read such a private key from `in` and write its public key to `out`. */
int wt_pubkey(int in, int out, const char *auth);

#endif
