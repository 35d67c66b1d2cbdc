/* SPDX-License-Identifier: Apache-2.0 */
/* Valid blobs with a few wrong bytes and a right CRC-32. Whatever they say now, nothing may be read behind the blob or
 * written behind the destination, and the promise of spk_validate has to hold. Runs on the host and on the target: no
 * sanitizer reaches the Helium decoders there. ../fuzz goes much further, on the host.
 */
#ifndef CHECK_MUTANTS_H
#define CHECK_MUTANTS_H

#include "vector.h"

/* Makes and checks n mutants of a valid blob; does nothing with other vectors. The same ones in every program. */
void check_mutants(const vector *v, int n);

/* Of all that the mutants so far came to: every status, and every array that was decoded. Two decoders that are to
 * refuse the same bytes have the same digest. (docs/format.md lets a decoder choose among slots that contradict each
 * other. All of ours take the last one.)
 */
uint32_t mutants_digest(void);

#endif
