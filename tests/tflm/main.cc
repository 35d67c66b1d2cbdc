/* SPDX-License-Identifier: Apache-2.0 */
// Runs a model in TensorFlow Lite Micro with our operator registered, on inputs from a fixed generator, and prints a
// checksum of all outputs. With a second argument, one operator is not registered, as if a user had forgotten it:
// `forget` leaves ours out, and `forget-decode` DECODE. See Makefile.

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "spk_tflm.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"
#if __has_include("tensorflow/lite/micro/micro_error_reporter.h")
#include "tensorflow/lite/micro/micro_error_reporter.h"
#endif

namespace {

constexpr int kRuns = RUNS;  // see Makefile
constexpr std::size_t kArenaSize = 256 << 10;

// Weights are used where they lie: at multiples of 16 bytes in the file.
alignas(16) char model_data[256 << 10];
alignas(16) std::uint8_t arena[kArenaSize];
std::uint32_t random_state = 1;

std::uint8_t random_byte() {
  random_state = random_state * 1664525u + 1013904223u;
  return static_cast<std::uint8_t>(random_state >> 24);
}

int fail(const char *what) {
  std::printf("%s\n", what);
  return 1;
}

// Before 2022 the interpreter needed an ErrorReporter.
#if __has_include("tensorflow/lite/micro/micro_error_reporter.h")
struct Reporter {
  template <typename Interpreter, typename Run>
  static int with(const tflite::Model *model, const tflite::MicroOpResolver &resolver, Run run) {
    if constexpr (std::is_constructible_v<Interpreter, const tflite::Model *, const tflite::MicroOpResolver &,
                                          std::uint8_t *, std::size_t, tflite::ErrorReporter *>) {
      tflite::MicroErrorReporter reporter;
      Interpreter interpreter(model, resolver, arena, kArenaSize, static_cast<tflite::ErrorReporter *>(&reporter));
      return run(interpreter);
    } else {
      Interpreter interpreter(model, resolver, arena, kArenaSize);
      return run(interpreter);
    }
  }
};
#else
struct Reporter {
  template <typename Interpreter, typename Run>
  static int with(const tflite::Model *model, const tflite::MicroOpResolver &resolver, Run run) {
    Interpreter interpreter(model, resolver, arena, kArenaSize);
    return run(interpreter);
  }
};
#endif

// Only versions since October 2025 have DECODE.
template <typename Resolver>
auto add_decode(Resolver &resolver, int) -> decltype(resolver.AddDecode()) {
  return resolver.AddDecode();
}
template <typename Resolver>
TfLiteStatus add_decode(Resolver &, long) {
  return kTfLiteOk;
}

int run(tflite::MicroInterpreter &interpreter) {
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
  std::printf("outputs %08lx%08lx, arena %lu bytes\n", static_cast<unsigned long>(hash >> 32),
              static_cast<unsigned long>(hash & 0xFFFFFFFFu),
              static_cast<unsigned long>(interpreter.arena_used_bytes()));
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) return fail("usage: run model.tflite [forget|forget-decode]");
  const char *forget = argc == 3 ? argv[2] : "";
  // Not with fopen: the firmware has no heap.
  const int file = open(argv[1], O_RDONLY);
  std::size_t size = 0;
  for (ssize_t n = 1; file >= 0 && n > 0 && size < sizeof model_data; size += static_cast<std::size_t>(n)) {
    n = read(file, model_data + size, sizeof model_data - size);
    if (n < 0) return fail("the model cannot be read");
  }
  if (size == 0 || size == sizeof model_data) return fail("no model, or one of more than 256 KiB");

  tflite::MicroMutableOpResolver<15> resolver;
  if (std::strcmp(forget, "forget") != 0 && spk_tflm_register(resolver) != kTfLiteOk) return fail("not registered");
  if (std::strcmp(forget, "forget-decode") != 0 && add_decode(resolver, 0) != kTfLiteOk) return fail("no DECODE");
  resolver.AddFullyConnected();
  resolver.AddConv2D();
  resolver.AddAdd();
  resolver.AddAveragePool2D();
  resolver.AddPad();
#ifndef FEW_OPERATORS
  resolver.AddDepthwiseConv2D();
  resolver.AddReshape();
  resolver.AddSoftmax();
  resolver.AddMean();
  resolver.AddQuantize();
  resolver.AddDequantize();
  resolver.AddMul();
#endif
  return Reporter::with<tflite::MicroInterpreter>(tflite::GetModel(model_data), resolver, run);
}
