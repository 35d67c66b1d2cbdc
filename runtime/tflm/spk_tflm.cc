/* SPDX-License-Identifier: Apache-2.0 */
#include "spk_tflm.h"

#include <cstddef>
#include <cstdint>
#include <new>

#include "spk.h"
#include "tensorflow/lite/micro/kernels/decode_state.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/micro/micro_log.h"

namespace {

constexpr std::size_t kVersionOffset = 4; /* in the ancillary tensor; of this type, not of the blob */
constexpr std::uint8_t kVersion = 1;

bool is_ok(spk_status status) {
  if (status == SPK_OK) return true;
  MicroPrintf("stridepack: %s", spk_status_name(status));
  return false;
}

/* The encoded tensor is a blob, which says all there is to say: the ancillary tensor has only the common header. */
class DecodeStateStridepack : public tflite::DecodeState {
 public:
  using DecodeState::DecodeState;

  TfLiteStatus Setup(const TfLiteTensor &input, const TfLiteTensor &ancillary, const TfLiteTensor &output) override {
    if (ancillary.bytes < kDcmSizeInBytes ||
        tflite::GetTensorData<std::uint8_t>(&ancillary)[kVersionOffset] != kVersion) {
      MicroPrintf("stridepack: unsupported version of the DECODE type");
      return kTfLiteError;
    }
    if (!is_ok(spk_open(&view_, tflite::GetTensorData<std::uint8_t>(&input), input.bytes))) return kTfLiteError;
    /* Of int4, two elements share a byte, but the interpreter plans a byte for each. */
    const std::size_t n_bytes = output.type == kTfLiteInt4 ? (output.bytes + 1) / 2 : output.bytes;
    const bool is_packed = output.type == kTfLiteInt8 || output.type == kTfLiteUInt8 || output.type == kTfLiteInt4;
    if (!is_packed || n_bytes != view_.n_elements) {
      MicroPrintf("stridepack: %u bytes do not fit the output tensor", static_cast<unsigned>(view_.n_elements));
      return kTfLiteError;
    }
    return kTfLiteOk;
  }

  TfLiteStatus Decode(const TfLiteEvalTensor &, const TfLiteEvalTensor &, const TfLiteEvalTensor &output) override {
    auto *dst = static_cast<std::int8_t *>(output.data.data);
    return is_ok(spk_decode_s8(&view_, dst, view_.n_elements)) ? kTfLiteOk : kTfLiteError;
  }

 protected:
  ~DecodeStateStridepack() override = default;

 private:
  spk_view view_ = {};

  TF_LITE_REMOVE_VIRTUAL_DELETE
};

tflite::DecodeState *create_state(const TfLiteContext *context, tflite::MicroProfilerInterface *profiler) {
  void *memory = tflite::GetMicroContext(context)->AllocatePersistentBuffer(sizeof(DecodeStateStridepack));
  return memory == nullptr ? nullptr : new (memory) DecodeStateStridepack(context, profiler);
}

}  // namespace

const tflite::MicroContext::CustomDecodeRegistration spk_tflm_registration = {SPK_TFLM_DECODE_TYPE, 0, 0, 0,
                                                                              create_state};
