/* SPDX-License-Identifier: MIT */
#include "plugin/calling.h"

#include <stddef.h>

_Thread_local const void *_Atomic wt_calling = NULL;
