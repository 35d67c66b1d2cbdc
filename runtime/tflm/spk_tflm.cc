/* SPDX-License-Identifier: Apache-2.0 */
/* Uses the function pointers of TfLiteContext only, and tensors as TfLiteEvalTensor only: both have been the same since
 * 2020, while the functions around them were renamed and moved. Nothing here is linked against TensorFlow Lite Micro.
 */
#include "spk_tflm.h"

#include <cstddef>
#include <cstdint>

#include "spk.h"

namespace {

/* Whether a shape has at most `limit` elements, and how many. */
bool count(const TfLiteIntArray *shape, std::uint32_t limit, std::uint32_t *n_elements) {
  std::uint64_t n = 1;
  for (int i = 0; i < shape->size; i++) {
    if (shape->data[i] < 0) return false;
    n *= static_cast<std::uint64_t>(shape->data[i]); /* 32 bits times 31 */
    if (n > limit) return false;
  }
  *n_elements = static_cast<std::uint32_t>(n);
  return true;
}

/* The blob that a node reads, and where it is decoded to. */
TfLiteStatus open_node(TfLiteContext *context, const TfLiteNode *node, spk_view *view, std::int8_t **dst) {
  if (node->inputs->size != 1 || node->outputs->size != 1) {
    TF_LITE_KERNEL_LOG(context, "stridepack: the operator needs one input and one output");
    return kTfLiteError;
  }
  const TfLiteEvalTensor *blob = context->GetEvalTensor(context, node->inputs->data[0]);
  const TfLiteEvalTensor *output = context->GetEvalTensor(context, node->outputs->data[0]);
  if (blob == nullptr || output == nullptr || blob->data.data == nullptr) {
    TF_LITE_KERNEL_LOG(context, "stridepack: the blob must be a constant tensor");
    return kTfLiteError;
  }
  std::uint32_t n = 0;
  const spk_status status =
      count(blob->dims, UINT32_MAX, &n) ? spk_open(view, blob->data.data, n) : SPK_ERROR_TRUNCATED;
  if (status != SPK_OK) {
    TF_LITE_KERNEL_LOG(context, "stridepack: %s", spk_status_name(status));
    return kTfLiteError;
  }
  const bool is_packed = output->type == kTfLiteInt8 || output->type == kTfLiteUInt8 || output->type == kTfLiteInt4;
  bool fits = is_packed && count(output->dims, UINT32_MAX, &n);
  if (output->type == kTfLiteInt4) n = n / 2 + n % 2; /* two elements share a byte */
  fits = fits && n == view->n_elements;
  if (!fits) {
    TF_LITE_KERNEL_LOG(context, "stridepack: %u bytes do not fit the output", static_cast<unsigned>(view->n_elements));
    return kTfLiteError;
  }
  *dst = static_cast<std::int8_t *>(output->data.data);
  return kTfLiteOk;
}

}  // namespace

TfLiteStatus spk_tflm_prepare(TfLiteContext *context, TfLiteNode *node) {
  spk_view view;
  std::int8_t *dst = nullptr; /* and stays so: the arena is planned after all operators are prepared */
  return open_node(context, node, &view, &dst);
}

TfLiteStatus spk_tflm_invoke(TfLiteContext *context, TfLiteNode *node) {
  spk_view view;
  std::int8_t *dst = nullptr;
  if (open_node(context, node, &view, &dst) != kTfLiteOk) return kTfLiteError;
  const spk_status status = spk_decode_s8(&view, dst, view.n_elements);
  if (status == SPK_OK) return kTfLiteOk;
  TF_LITE_KERNEL_LOG(context, "stridepack: %s", spk_status_name(status));
  return kTfLiteError;
}
