/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: how a decoder finds the parameters again that spk_open has read, in any opened view. */
#include "read_transforms.h"
#include "spk_transforms.c"
#include "spk_transforms.h"
#include "varint.h"
#include "view.h"

int main(void) {
  const spk_view v = any_view();
  spk_transforms t;
  REACHED(transforms_of(&v, &t));
  return 0;
}
