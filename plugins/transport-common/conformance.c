/* SPDX-License-Identifier: MIT */
#include "transport-common/conformance.h"

static const struct wt_conformance_setting acceptor_settings[] = {
	{ .struct_size = sizeof acceptor_settings[0],
	  .scope = WT_SCOPE_SECTION,
	  .key = "listen",
	  .value = "127.0.0.1:0, [::1]:0" },
};
static const struct wt_conformance_end acceptor = { sizeof acceptor, 1, acceptor_settings };
static const struct wt_conformance_end dialler = { .struct_size = sizeof dialler };

const struct wt_conformance wt_loopback_conformance = {
	.struct_size = sizeof wt_loopback_conformance,
	.dialler = &dialler,
	.acceptor = &acceptor,
};
