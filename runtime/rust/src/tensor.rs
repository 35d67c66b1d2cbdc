// SPDX-License-Identifier: Apache-2.0
//! A packed tensor.

use core::marker::PhantomData;

use crate::error::check;
use crate::{Error, ffi};

/// A tensor, packed: what its header says, and a borrow of its bytes.
#[derive(Clone, Copy)]
pub struct Tensor<'a> {
    view: ffi::View,
    blob: PhantomData<&'a [u8]>,
}

// SAFETY: the pointers of the view are a shared borrow of bytes, which other threads may read, too.
unsafe impl Send for Tensor<'_> {}
unsafe impl Sync for Tensor<'_> {}

impl<'a> Tensor<'a> {
    /// Checks the header. The slice has to be exactly one blob.
    pub fn open(blob: &'a [u8]) -> Result<Self, Error> {
        let mut view = ffi::View::CLEARED;
        // SAFETY: the function reads the bytes of the slice only, and writes the view.
        check(unsafe { ffi::spk_open(&mut view, blob.as_ptr().cast(), blob.len()) })?;
        Ok(Self::of(view))
    }

    /// The view must be open, and its blob must live for 'a.
    pub(crate) fn of(view: ffi::View) -> Self {
        Self { view, blob: PhantomData }
    }

    /// Checks the checksum, every stream and every position. After that, every decode succeeds.
    pub fn validate(&self) -> Result<(), Error> {
        // SAFETY: the view was opened, and the blob is borrowed.
        check(unsafe { ffi::spk_validate(&self.view) })
    }

    /// Unpacks the whole tensor to the start of a slice. Returns that part of it.
    pub fn decode<'b>(&self, to: &'b mut [i8]) -> Result<&'b mut [i8], Error> {
        // SAFETY: the function writes inside the slice only, which cannot overlap a borrowed blob.
        check(unsafe { ffi::spk_decode_s8(&self.view, to.as_mut_ptr(), to.len()) })?;
        Ok(&mut to[..self.len()])
    }

    /// Unpacks one tile to the start of a slice. Returns that part of it.
    pub fn decode_tile<'b>(&self, tile: u32, to: &'b mut [i8]) -> Result<&'b mut [i8], Error> {
        // SAFETY: as above.
        check(unsafe { ffi::spk_decode_tile_s8(&self.view, tile, to.as_mut_ptr(), to.len()) })?;
        Ok(&mut to[..self.tile_len(tile)])
    }

    /// Calls a function with one tile after the other, each unpacked into the same buffer.
    pub fn for_each_tile(&self, buffer: &mut [i8], mut with: impl FnMut(&[i8])) -> Result<(), Error> {
        for tile in 0..self.n_tiles() {
            with(self.decode_tile(tile, buffer)?);
        }
        Ok(())
    }

    /// The values of a tile where they lie in the blob. Only dense tensors have them there.
    pub fn dense_tile(&self, tile: u32) -> Option<&'a [i8]> {
        // SAFETY: what is not null points to so many values inside the blob, which is borrowed for 'a.
        unsafe {
            let values = ffi::spk_dense_tile_s8(&self.view, tile);
            (!values.is_null()).then(|| core::slice::from_raw_parts(values, self.tile_len(tile)))
        }
    }

    /// How far from the start of its blob `decode_in_place` writes the weights.
    pub fn in_place_margin(&self) -> Result<usize, Error> {
        let mut margin = 0;
        // SAFETY: the view was opened, and the blob is borrowed.
        check(unsafe { ffi::spk_in_place_margin(&self.view, &mut margin) })?;
        Ok(margin)
    }

    /// Number of elements, which is the number of bytes when it is unpacked.
    pub fn len(&self) -> usize {
        self.view.n_elements as usize
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.view.n_elements == 0
    }

    /// Number of tiles: 1 where the tensor was not cut.
    pub fn n_tiles(&self) -> u32 {
        self.view.n_tiles
    }

    /// Number of elements in a tile; 0 where there is no such tile.
    pub fn tile_len(&self, tile: u32) -> usize {
        // SAFETY: the view was opened.
        unsafe { ffi::spk_tile_elements(&self.view, tile) as usize }
    }

    /// The extents, outermost first.
    pub fn shape(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        // SAFETY: the view was opened, and the blob is borrowed.
        (0..self.view.n_dims).map(|axis| unsafe { ffi::spk_dim(&self.view, u32::from(axis)) })
    }
}

impl core::fmt::Debug for Tensor<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Tensor")?;
        formatter.debug_list().entries(self.shape()).finish()
    }
}
