/* SPDX-License-Identifier: Apache-2.0 */
/* stridepack in TensorFlow Lite Micro: the DECODE type of `stridepack pack --decoder stridepack`.
 *
 *   #include "spk_tflm.h"
 *
 *   tflite::MicroInterpreter interpreter(model, resolver, arena, arena_size);  // the resolver has AddDecode()
 *   interpreter.SetCustomDecodeRegistrations(&spk_tflm_registration, 1);
 *   interpreter.AllocateTensors();
 *
 * Compile spk_tflm.cc as C++17 and the C files of ../src, with ../include and TensorFlow Lite Micro on the include
 * path. It must be a version with MicroInterpreter::SetCustomDecodeRegistrations.
 *
 * For each encoded tensor the interpreter's arena holds one object of 64 bytes (44 with 32-bit pointers); nothing else
 * is allocated. A damaged blob makes AllocateTensors or Invoke fail, with a line on MicroPrintf.
 */
#ifndef SPK_TFLM_H
#define SPK_TFLM_H

#include "tensorflow/lite/micro/micro_context.h"

/* DECODE type SPK_TFLM_DECODE_TYPE. Change the type of a copy if it is taken by another encoding of yours. */
extern const tflite::MicroContext::CustomDecodeRegistration spk_tflm_registration;

#endif
