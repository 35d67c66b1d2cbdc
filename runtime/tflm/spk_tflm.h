/* SPDX-License-Identifier: Apache-2.0 */
/* stridepack in TensorFlow Lite Micro: the operator of `stridepack pack --decoder stridepack`.
 *
 *   #include "spk_tflm.h"
 *
 *   tflite::MicroMutableOpResolver<9> resolver;  // one operator more than before
 *   // ... the Add functions of your operators, and:
 *   if (spk_tflm_register(resolver) != kTfLiteOk) return false;
 *
 * Compile spk_tflm.cc as C++11 or later and the C files of ../src and of the folders below it, with ../include and
 * TensorFlow Lite Micro on the include path. Use the flags that TensorFlow Lite Micro is compiled with, above all
 * TF_LITE_STATIC_MEMORY, which changes its structures. All that is used of it is AddCustom, and GetEvalTensor and
 * ReportError of TfLiteContext.
 *
 * The operator has one constant tensor as its input, which is a blob, and one tensor of int8, uint8 or int4 elements
 * as its output. It decodes the whole blob each time it runs. It keeps no memory in the arena except for its output. If
 * the decoder meets an error in a damaged blob, AllocateTensors or Invoke fails, after a line that names the error. The
 * operator does not compute the CRC-32 of a blob, so other damage gives wrong weights.
 */
#ifndef SPK_TFLM_H
#define SPK_TFLM_H

#include <type_traits>

#include "spk_spec.h"
#include "tensorflow/lite/c/common.h"

/* The two functions of the operator, for a resolver that has no AddCustom. Its name is SPK_TFLM_OPERATOR. */
TfLiteStatus spk_tflm_prepare(TfLiteContext *context, TfLiteNode *node);
TfLiteStatus spk_tflm_invoke(TfLiteContext *context, TfLiteNode *node);

/* Calls `add`, which is AddCustom. What it takes is a TfLiteRegistration, a TfLiteRegistration_V1 or a
 * TFLMRegistration, by the version of TensorFlow Lite Micro. It copies what it is given. */
template <typename Resolver, typename Base, typename Registration>
TfLiteStatus spk_tflm_register_with(Resolver &resolver, TfLiteStatus (Base::*add)(const char *, Registration *)) {
  typename std::remove_const<Registration>::type registration = {};
  registration.prepare = spk_tflm_prepare;
  registration.invoke = spk_tflm_invoke;
  return (resolver.*add)(SPK_TFLM_OPERATOR, &registration);
}

/* Registers the operator with any tflite::MicroMutableOpResolver<N>. Fails where N operators are registered already. */
template <typename Resolver>
TfLiteStatus spk_tflm_register(Resolver &resolver) {
  return spk_tflm_register_with(resolver, &Resolver::AddCustom);
}

#endif
