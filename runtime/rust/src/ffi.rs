// SPDX-License-Identifier: Apache-2.0
//! What spk.h and spk_reader.h declare, as far as the crate uses it.

use core::ffi::{c_char, c_int, c_uint, c_void};

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

/// `spk_read`
pub type Read = unsafe extern "C" fn(context: *mut c_void, offset: u32, dst: *mut c_void, n: u32) -> c_int;

/// `spk_reader`
#[repr(C)]
pub struct Reader {
    pub read: Option<Read>,
    pub context: *mut c_void,
    pub window: *mut u8,
    pub size: u32,
    pub window_size: u32,
    pub window_needed: u32,
    pub n_tensors: u32,
    pub names_size: u32,
    pub has_names: u8,
    pub is_bundle: u8,
    pub payload_begin: u32,
    pub n_resident: u32,
    pub view: View,
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

impl Reader {
    pub const CLEARED: Reader = Reader {
        read: None,
        context: core::ptr::null_mut(),
        window: core::ptr::null_mut(),
        size: 0,
        window_size: 0,
        window_needed: 0,
        n_tensors: 0,
        names_size: 0,
        has_names: 0,
        is_bundle: 0,
        payload_begin: 0,
        n_resident: 0,
        view: View::CLEARED,
    };
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
    pub fn spk_in_place_margin(view: *const View, margin: *mut usize) -> Status;
    pub fn spk_decode_in_place_s8(view: *const View, dst: *mut i8, dst_size: usize) -> Status;
    pub fn spk_reader_init(
        reader: *mut Reader,
        read: Read,
        context: *mut c_void,
        size: u32,
        window: *mut c_void,
        window_size: usize,
    ) -> Status;
    pub fn spk_reader_open(reader: *mut Reader, offset: u32, blob_size: u32) -> Status;
    pub fn spk_reader_validate(reader: *mut Reader) -> Status;
    pub fn spk_reader_window(reader: *mut Reader, window_size: *mut u32) -> Status;
    pub fn spk_reader_decode_s8(reader: *mut Reader, dst: *mut i8, dst_size: usize) -> Status;
    pub fn spk_reader_decode_tile_s8(reader: *mut Reader, tile: u32, dst: *mut i8, dst_size: usize) -> Status;
    pub fn spk_reader_open_bundle(reader: *mut Reader) -> Status;
    pub fn spk_reader_get(reader: *mut Reader, i: u32) -> Status;
    pub fn spk_reader_find(reader: *mut Reader, name: *const c_char) -> Status;
    pub fn spk_reader_validate_bundle(reader: *mut Reader) -> Status;
}
