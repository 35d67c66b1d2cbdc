/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: the planes of any number of values of WIDTH bits. */
#include "bitmap_planes.h"
#include "spk_bitmap.c"
#include "tile.h"
#include "words.h"

int main(void) {
  spk_bitmap_streams s;
  ANY(s.n), ANY(s.start), ANY(s.jump);
  __CPROVER_assume(s.n <= MOST);
  s.width = WIDTH;
  s.planes = malloc(size_of_planes(s.n, WIDTH));
  uint8_t *values = malloc(s.n);
  spk_bitmap_unpack(values, &s);
  REACHED(s.n > 300u);
  return 0;
}
