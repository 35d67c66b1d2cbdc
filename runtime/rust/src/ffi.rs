// SPDX-License-Identifier: Apache-2.0
//! What spk.h declares, as far as the crate uses it.

use core::ffi::{c_char, c_uint, c_void};

/// `spk_status`. Some compilers give the enumeration one byte. Functions return it as a whole word nevertheless.
pub type Status = c_uint;

pub const OK: Status = 0;

/// `spk_view`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    pub blob: *const u8,
    pub payload: *const u8,
    pub payload_size: u32,
    pub n_elements: u32,
    pub tile_size: u32,
    pub n_tiles: u32,
    pub format: u8,
    pub n_dims: u8,
    pub flags: u8,
}

/// `spk_bundle`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bundle {
    pub data: *const u8,
    pub size: u32,
    pub n_tensors: u32,
}

impl View {
    pub const CLEARED: View = View {
        blob: core::ptr::null(),
        payload: core::ptr::null(),
        payload_size: 0,
        n_elements: 0,
        tile_size: 0,
        n_tiles: 0,
        format: 0,
        n_dims: 0,
        flags: 0,
    };
}

impl Bundle {
    pub const CLEARED: Bundle = Bundle { data: core::ptr::null(), size: 0, n_tensors: 0 };
}

unsafe extern "C" {
    pub fn spk_open(view: *mut View, blob: *const c_void, blob_size: usize) -> Status;
    pub fn spk_validate(view: *const View) -> Status;
    pub fn spk_decode_s8(view: *const View, dst: *mut i8, dst_size: usize) -> Status;
    pub fn spk_decode_tile_s8(view: *const View, tile: u32, dst: *mut i8, dst_size: usize) -> Status;
    pub fn spk_dense_tile_s8(view: *const View, tile: u32) -> *const i8;
    pub fn spk_tile_elements(view: *const View, tile: u32) -> u32;
    pub fn spk_dim(view: *const View, axis: u32) -> u32;
    pub fn spk_status_name(status: Status) -> *const c_char;
    pub fn spk_version() -> *const c_char;
    pub fn spk_bundle_open(bundle: *mut Bundle, data: *const c_void, size: usize) -> Status;
    pub fn spk_bundle_validate(bundle: *const Bundle) -> Status;
    pub fn spk_bundle_get(bundle: *const Bundle, i: u32, name: *mut *const c_char, view: *mut View) -> Status;
    pub fn spk_bundle_find(bundle: *const Bundle, name: *const c_char, view: *mut View) -> Status;
}
