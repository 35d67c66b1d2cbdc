/* SPDX-License-Identifier: Apache-2.0 */
/* spk_version: of the library as it was compiled. */
#include "spk_internal.h"

const char *spk_version(void) { return SPK_LIBRARY_VERSION; }
