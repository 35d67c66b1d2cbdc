/* SPDX-License-Identifier: Apache-2.0 */
/* Included before every source file of the builds "unchecked": what a decoder returns for a bad blob becomes a place
 * that cannot be reached, and the compiler drops the checks that lead there. Such a build decodes good blobs and is not
 * safe with any others; run.py compares it with the real one, to say what the checks cost.
 *
 * A check that only chooses between two ways to decode good bytes stays: both ends of the array in dcsr and hybrid, the
 * end of the values in spk_expand_bitmap (whose null for a bad bitmap stays too, once for each of its last few bytes).
 *
 * So decoders return false for bad blobs alone, and pass 0 where they mean nothing bad.
 */
#ifndef UNCHECKED_H
#define UNCHECKED_H

#include "spk_internal.h"

#define SPK_ERROR_STREAM (__builtin_unreachable(), SPK_ERROR_STREAM)
#undef false
#define false (__builtin_unreachable(), 0)

#endif
