/* SPDX-License-Identifier: MIT */
#include "support/in_process.h"

const struct wt_config_key wt_in_process_keys[1] = {
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_SOCKADDR,
	  .scope = WT_SCOPE_SECTION,
	  .name = "listen",
	  .help = "Ports of the test's network." },
};

enum wt_status wt_in_process_local_address(void *self, struct wt_worker *worker, void *conn,
					   const struct wt_path *path, struct sockaddr_storage *out)
{
	(void)self;
	(void)worker;
	(void)conn;
	(void)path;
	(void)out;
	return WT_ERR_UNSUPPORTED;
}
