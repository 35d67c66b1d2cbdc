// Runs a model in TensorFlow Lite Micro with our decoder registered, on inputs from a fixed generator, and prints a
// checksum of all outputs. See Makefile.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "spk_tflm.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace {

constexpr int kRuns = 3;
constexpr std::size_t kArenaSize = 4 << 20;

std::uint32_t random_state = 1;

std::uint8_t random_byte() {
  random_state = random_state * 1664525u + 1013904223u;
  return static_cast<std::uint8_t>(random_state >> 24);
}

int fail(const char *what) {
  std::fprintf(stderr, "%s\n", what);
  return 1;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 2) return fail("usage: run model.tflite");
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  // Weights are used where they lie: at multiples of 16 bytes in the file.
  alignas(16) static char model_data[8 << 20];
  alignas(16) static std::uint8_t arena[kArenaSize];
  if (content.empty() || content.size() > sizeof model_data) return fail("no model, or one of more than 8 MiB");
  std::copy(content.begin(), content.end(), model_data);

  tflite::InitializeTarget();
  tflite::MicroMutableOpResolver<14> resolver;
  resolver.AddDecode();
  resolver.AddFullyConnected();
  resolver.AddConv2D();
  resolver.AddDepthwiseConv2D();
  resolver.AddAdd();
  resolver.AddReshape();
  resolver.AddSoftmax();
  resolver.AddAveragePool2D();
  resolver.AddMean();
  resolver.AddPad();
  resolver.AddQuantize();
  resolver.AddDequantize();
  resolver.AddMul();
  resolver.AddReduceMax();

  tflite::MicroInterpreter interpreter(tflite::GetModel(model_data), resolver, arena, kArenaSize);
  if (interpreter.SetCustomDecodeRegistrations(&spk_tflm_registration, 1) != kTfLiteOk) return fail("no registration");
  if (interpreter.AllocateTensors() != kTfLiteOk) return fail("AllocateTensors failed");
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (int run = 0; run < kRuns; run++) {
    for (std::size_t i = 0; i < interpreter.inputs_size(); i++) {
      TfLiteTensor *input = interpreter.input(i);
      for (std::size_t b = 0; b < input->bytes; b++) input->data.uint8[b] = random_byte();
    }
    if (interpreter.Invoke() != kTfLiteOk) return fail("Invoke failed");
    for (std::size_t i = 0; i < interpreter.outputs_size(); i++) {
      const TfLiteTensor *output = interpreter.output(i);
      for (std::size_t b = 0; b < output->bytes; b++) hash = (hash ^ output->data.uint8[b]) * 1099511628211u;
    }
  }
  std::printf("outputs %016llx, arena %zu bytes\n", static_cast<unsigned long long>(hash),
              interpreter.arena_used_bytes());
  return 0;
}
