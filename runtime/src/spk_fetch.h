/* SPDX-License-Identifier: Apache-2.0 */
/* What spk_reader.c and spk_reader_bundle.c share. */
#ifndef SPK_FETCH_H
#define SPK_FETCH_H

#include "spk_internal.h"
#include "spk_reader.h"

/* Have n bytes read from offset on: SPK_ERROR_TRUNCATED where the memory has fewer, SPK_ERROR_READ where that fails. */
spk_status spk_fetch(const spk_reader *reader, uint32_t offset, void *dst, uint32_t n);

#endif
