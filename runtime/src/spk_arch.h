/* SPDX-License-Identifier: Apache-2.0 */
/* Which decoders this build gets. The one place that looks at the target.
 *
 * SPK_HELIUM is 1 on cores with Arm Helium integer vectors (M-profile vector extension: Cortex-M52, M55, M85), where
 * mve/ replaces the scalar decoders; define SPK_NO_HELIUM to keep the scalar ones. Both refuse the same bytes.
 *
 * SPK_RVV is 1 on RISC-V with vectors of at least 128 bits (V, or Zve32x with Zvl128b), where rvv/ does the same, for
 * any length of a vector; define SPK_NO_RVV to keep the scalar decoders. It needs intrinsics of version 0.12: Clang 18
 * and GCC 14 have them.
 *
 * SPK_UNALIGNED is 1 on Arm cores that store words anywhere, and on RISC-V where the compiler was told that this is
 * fast (-mno-strict-align). SPK_THUMB2 is 1 on Cortex-M3 and above. Both are for single instructions that compilers do
 * not find. SPK_SIMD32 is 1 on Arm cores that add four bytes of a word at once:
 * Cortex-M4 and above.
 */
#ifndef SPK_ARCH_H
#define SPK_ARCH_H

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && !defined(SPK_NO_HELIUM)
#define SPK_HELIUM 1
#else
#define SPK_HELIUM 0
#endif

#if defined(__riscv_v_intrinsic) && !defined(SPK_NO_RVV)
#if __riscv_v_intrinsic >= 12000 && __riscv_v_min_vlen >= 128
#define SPK_RVV 1
#endif
#endif
#ifndef SPK_RVV
#define SPK_RVV 0
#endif

#if defined(__GNUC__) && (defined(__ARM_FEATURE_UNALIGNED) && defined(__ARMEL__) || defined(__riscv_misaligned_fast))
#define SPK_UNALIGNED 1
#else
#define SPK_UNALIGNED 0
#endif

#if defined(__thumb2__) && defined(__GNUC__)
#define SPK_THUMB2 1
#else
#define SPK_THUMB2 0
#endif

#if defined(__ARM_FEATURE_SIMD32) && defined(__ARMEL__) && defined(__GNUC__)
#define SPK_SIMD32 1
#else
#define SPK_SIMD32 0
#endif

#endif
