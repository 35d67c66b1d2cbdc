/* SPDX-License-Identifier: Apache-2.0 */
/* Where an LX106 starts, and where its exceptions go: the beginning of this section, which is the reset vector, and
 * fixed distances from there.
 */
  .section .vectors, "ax"
  .global reset
reset:
  j begin
  .balign 4
base:
  .word reset
stack:
  .word stack_top

  .org 0x30 /* an exception, since the program runs with PS.UM clear */
  wsr.excsave1 a0
  j fault

  .org 0x70 /* an exception in the handler, or since the stack is full: exit with FAULT_EXIT_CODE */
  movi a2, 1
  movi a3, 99
  simcall

begin:
  l32r a2, base
  wsr.vecbase a2
  movi a2, 0
  wsr.ps a2
  rsync
  l32r sp, stack
  call0 start

/* What a call of on_fault need not keep, on the stack of what was interrupted. */
fault:
  addi sp, sp, -48
  s32i a2, sp, 0
  s32i a3, sp, 4
  s32i a4, sp, 8
  s32i a5, sp, 12
  s32i a6, sp, 16
  s32i a7, sp, 20
  s32i a8, sp, 24
  s32i a9, sp, 28
  s32i a10, sp, 32
  s32i a11, sp, 36
  rsr.sar a2
  s32i a2, sp, 40
  call0 on_fault
  l32i a2, sp, 40
  wsr.sar a2
  l32i a2, sp, 0
  l32i a3, sp, 4
  l32i a4, sp, 8
  l32i a5, sp, 12
  l32i a6, sp, 16
  l32i a7, sp, 20
  l32i a8, sp, 24
  l32i a9, sp, 28
  l32i a10, sp, 32
  l32i a11, sp, 36
  addi sp, sp, 48
  rsr.excsave1 a0
  rfe
