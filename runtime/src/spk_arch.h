/* Which decoders this build gets. The one place that looks at the target.
 *
 * SPK_HELIUM is 1 on cores with Arm Helium integer vectors (M-profile vector extension: Cortex-M52, M55, M85), where
 * mve/ replaces the scalar decoders; define SPK_NO_HELIUM to keep the scalar ones. Both refuse the same bytes.
 */
#ifndef SPK_ARCH_H
#define SPK_ARCH_H

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && !defined(SPK_NO_HELIUM)
#define SPK_HELIUM 1
#else
#define SPK_HELIUM 0
#endif

#endif
