/* SPDX-License-Identifier: Apache-2.0 */
// How a caller ends long work early: encoders and searches ask it now and then, in the thread that they run in.

#pragma once

#include <cstddef>
#include <functional>
#include <utility>

namespace stridepack {

// Throws in order to end the work.
using Checkpoint = std::function<void()>;

namespace detail {
inline thread_local const Checkpoint *current_checkpoint = nullptr;
inline thread_local std::size_t work_since_checkpoint = 0;
}  // namespace detail

// Asks the checkpoint of this thread at once, and then whenever some milliseconds of work are done.
class WithCheckpoint {
 public:
  explicit WithCheckpoint(Checkpoint ask) : ask_(std::move(ask)) {
    detail::current_checkpoint = &ask_;
    detail::work_since_checkpoint = 0;
    ask_();
  }
  ~WithCheckpoint() { detail::current_checkpoint = nullptr; }
  WithCheckpoint(const WithCheckpoint &) = delete;
  WithCheckpoint &operator=(const WithCheckpoint &) = delete;

 private:
  Checkpoint ask_;
};

// Called with the work that was just done, in elements looked at.
inline void checkpoint(std::size_t work) {
  constexpr std::size_t kOften = std::size_t{1} << 20;
  detail::work_since_checkpoint += work;
  if (detail::work_since_checkpoint < kOften || detail::current_checkpoint == nullptr) return;
  detail::work_since_checkpoint = 0;
  (*detail::current_checkpoint)();
}

}  // namespace stridepack
