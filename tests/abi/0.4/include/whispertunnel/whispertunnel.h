/* SPDX-License-Identifier: MIT
 *
 * whispertunnel.h: the whole SDK. A plugin may include just its kind.
 */
#ifndef WHISPERTUNNEL_WHISPERTUNNEL_H
#define WHISPERTUNNEL_WHISPERTUNNEL_H

#include <whispertunnel/auth.h>
#include <whispertunnel/crypto.h>
#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>
#include <whispertunnel/status.h>
#include <whispertunnel/transport.h>
#include <whispertunnel/wire.h>

#endif
