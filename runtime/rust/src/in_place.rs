// SPDX-License-Identifier: Apache-2.0
//! Unpacking to where the blob lies.

use core::slice;

use crate::error::check;
use crate::{Error, Tensor, ffi};

/// Unpacks a blob to where it lies. The buffer begins with the `blob_size` bytes of the blob, and has room for
/// `Tensor::in_place_margin` and the elements. The blob is validated first, and then overwritten.
///
/// Returns the weights, which are a part of the buffer.
pub fn decode_in_place(buffer: &mut [u8], blob_size: usize) -> Result<&mut [i8], Error> {
    let tensor = Tensor::open(buffer.get(..blob_size).ok_or(Error::Truncated)?)?;
    tensor.validate()?;
    let (margin, len) = (tensor.in_place_margin()?, tensor.len());
    let to = buffer.get(margin..).ok_or(Error::Destination)?.len();
    let (begin, mut view) = (buffer.as_mut_ptr(), ffi::View::CLEARED);
    // SAFETY: C reads the blob and writes the weights by pointers into the buffer, which is borrowed mutably.
    unsafe {
        check(ffi::spk_open(&mut view, begin.cast_const().cast(), blob_size))?;
        let first = begin.add(margin).cast::<i8>();
        check(ffi::spk_decode_in_place_s8(&view, first, to))?;
        Ok(slice::from_raw_parts_mut(first, len))
    }
}
