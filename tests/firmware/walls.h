/* SPDX-License-Identifier: Apache-2.0 */
/* Behind the memory that memory.h lends tightly there must be nothing, or at least something that faults. */
#ifndef WALLS_H
#define WALLS_H

void build_walls(void);

#endif
