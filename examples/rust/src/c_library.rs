// SPDX-License-Identifier: Apache-2.0
//! The two functions of `<string.h>` that the C code of stridepack calls and that Rust does not bring. Leave this file
//! out if you link a C library.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;

/// # Safety
/// As C says.
#[unsafe(no_mangle)]
unsafe extern "C" fn memchr(data: *const c_void, byte: c_int, n: usize) -> *const c_void {
    // SAFETY: the caller says that so many bytes can be read.
    let found = (0..n).map(|i| unsafe { data.cast::<u8>().add(i) }).find(|&at| unsafe { *at } == byte as u8);
    found.map_or(ptr::null(), |at| at.cast())
}

/// # Safety
/// As C says.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(mut a: *const c_char, mut b: *const c_char) -> c_int {
    // SAFETY: both end with a zero byte, and what is after the first difference is not read.
    unsafe {
        while *a != 0 && *a == *b {
            (a, b) = (a.add(1), b.add(1));
        }
        c_int::from(*a as u8) - c_int::from(*b as u8)
    }
}
