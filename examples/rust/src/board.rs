// SPDX-License-Identifier: Apache-2.0
//! From reset to `main`, and a console by semihosting: QEMU or a debugger does what a breakpoint asks for. In your
//! firmware, crates for your chip do this, such as cortex-m-rt.

use core::arch::{asm, global_asm};
use core::fmt::{self, Write};
use core::panic::PanicInfo;

global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top, reset + 1", // the first entries of the table; + 1 means Thumb
    ".rept 14",
    ".word fault + 1",
    ".endr",
    ".section .text.reset, \"ax\"",
    ".global reset",
    ".thumb_func",
    "reset:",
    "ldr r0, =stack_bottom", // a stack that grows too far is a fault from here on
    "msr msplim, r0",
    "ldr r0, =0xE000ED88", // CPACR: switch the floating-point unit and Helium on
    "ldr r1, [r0]",
    "orr r1, r1, #0xF00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "ldr r0, =data_in_flash",
    "ldr r1, =data_begin",
    "ldr r2, =data_end",
    "1: cmp r1, r2",
    "itt lo",
    "ldrlo r3, [r0], #4",
    "strlo r3, [r1], #4",
    "blo 1b",
    "ldr r1, =bss_begin",
    "ldr r2, =bss_end",
    "movs r3, #0",
    "2: cmp r1, r2",
    "it lo",
    "strlo r3, [r1], #4",
    "blo 2b",
    "bl main",
    ".ltorg",
);

const WRITE_CHARACTER: u32 = 0x03;
const EXIT: u32 = 0x20;
const PROGRAM_ENDED: u32 = 0x20026;

fn ask_host(operation: u32, parameter: *const u8) {
    // SAFETY: the host only reads what the parameter points to.
    unsafe { asm!("bkpt 0xab", inout("r0") operation => _, in("r1") parameter) }
}

pub struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| ask_host(WRITE_CHARACTER, &byte));
        Ok(())
    }
}

pub fn quit(code: u32) -> ! {
    let reason_and_code = [PROGRAM_ENDED, code];
    loop {
        ask_host(EXIT, reason_and_code.as_ptr().cast());
    }
}

#[panic_handler]
fn panicked(what: &PanicInfo) -> ! {
    let _ = writeln!(Console, "ERROR: {what}");
    quit(2)
}

#[unsafe(no_mangle)]
extern "C" fn fault() -> ! {
    let _ = writeln!(Console, "ERROR: fault");
    quit(3)
}
