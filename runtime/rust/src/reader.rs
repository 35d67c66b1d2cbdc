// SPDX-License-Identifier: Apache-2.0
//! Weights in a memory that has no addresses.

use core::ffi::{CStr, c_int, c_void};
use core::marker::PhantomData;
use core::{ptr, slice};

use crate::error::check;
use crate::{Error, ffi};

/// Calls C. The closure moves with the reader, so C is told anew where it is.
macro_rules! call {
    ($this:ident, $function:ident $(, $argument:expr)*) => {{
        $this.reader.context = (&raw mut $this.read).cast();
        // SAFETY: the window is borrowed, C writes inside the slices that are lent to it, and names end with a zero byte.
        check(unsafe { ffi::$function(&mut $this.reader $(, $argument)*) })
    }};
}

/// Reads tensors from a memory without addresses, such as an SPI Flash, through a function. It has one tensor open at a
/// time, and decodes one tile at a time, which it reads into a window.
///
/// ```
/// # fn flash_read(_: u32, _: &mut [u8]) -> Result<(), ()> { Ok(()) }
/// # fn use_them(_: &[i8]) {}
/// # fn read(file_size: u32) -> Result<(), stridepack::Error> {
/// let mut window = [0; 4096];
/// let mut reader = stridepack::Reader::new(file_size, &mut window, |offset, to| flash_read(offset, to))?;
/// reader.open_bundle()?;
/// reader.validate_bundle()?; // every byte, once
/// reader.find(c"conv1")?;
/// reader.for_each_tile(&mut [0; 8192], |weights| use_them(weights))?;
/// # Ok(()) }
/// # assert_eq!(read(1000), Err(stridepack::Error::Magic));
/// ```
pub struct Reader<'a, F> {
    reader: ffi::Reader,
    read: F,
    window: PhantomData<&'a mut [u8]>,
}

// SAFETY: the pointers are a mutable borrow of the window, and that of the closure is set anew by each call.
unsafe impl<F: Send> Send for Reader<'_, F> {}

impl<'a, F, E> Reader<'a, F>
where
    F: FnMut(u32, &mut [u8]) -> Result<(), E>,
{
    /// A reader of so many bytes. `read` fills a slice with the bytes from an offset on. What it returns as an error
    /// becomes `Error::Read`. A window of less than 100 bytes is refused.
    pub fn new(size: u32, window: &'a mut [u8], read: F) -> Result<Self, Error> {
        let mut made = Self { reader: ffi::Reader::CLEARED, read, window: PhantomData };
        let (at, n) = (window.as_mut_ptr().cast(), window.len());
        // SAFETY: the window is borrowed for as long as the reader lives.
        check(unsafe { ffi::spk_reader_init(&mut made.reader, forward::<F, E>, ptr::null_mut(), size, at, n) })?;
        Ok(made)
    }

    /// Opens the bundle that all bytes are. No tensor is open afterwards.
    pub fn open_bundle(&mut self) -> Result<(), Error> {
        call!(self, spk_reader_open_bundle)
    }

    /// Checks every byte of the bundle. No tensor is open afterwards.
    pub fn validate_bundle(&mut self) -> Result<(), Error> {
        call!(self, spk_reader_validate_bundle)
    }

    /// Opens the tensor of a number.
    pub fn get(&mut self, i: u32) -> Result<(), Error> {
        call!(self, spk_reader_get, i)
    }

    /// Opens the tensor of a name, such as `c"conv1"`.
    pub fn find(&mut self, name: &CStr) -> Result<(), Error> {
        call!(self, spk_reader_find, name.as_ptr())
    }

    /// Opens the tensor whose blob lies at an offset.
    pub fn open(&mut self, offset: u32, blob_size: u32) -> Result<(), Error> {
        call!(self, spk_reader_open, offset, blob_size)
    }

    /// Checks every byte of the open tensor.
    pub fn validate(&mut self) -> Result<(), Error> {
        call!(self, spk_reader_validate)
    }

    /// The least window that all tiles of the open tensor fit into.
    pub fn window(&mut self) -> Result<usize, Error> {
        let mut size = 0;
        call!(self, spk_reader_window, &mut size)?;
        Ok(size as usize)
    }

    /// Unpacks the open tensor to the start of a slice. Returns that part of it.
    pub fn decode<'b>(&mut self, to: &'b mut [i8]) -> Result<&'b mut [i8], Error> {
        call!(self, spk_reader_decode_s8, to.as_mut_ptr(), to.len())?;
        Ok(&mut to[..self.len()])
    }

    /// Unpacks one tile of the open tensor to the start of a slice. Returns that part of it.
    pub fn decode_tile<'b>(&mut self, tile: u32, to: &'b mut [i8]) -> Result<&'b mut [i8], Error> {
        call!(self, spk_reader_decode_tile_s8, tile, to.as_mut_ptr(), to.len())?;
        Ok(&mut to[..self.tile_len(tile)])
    }

    /// Calls a function with one tile after the other, each unpacked into the same buffer.
    pub fn for_each_tile(&mut self, buffer: &mut [i8], mut with: impl FnMut(&[i8])) -> Result<(), Error> {
        if self.reader.view.blob.is_null() {
            return Err(Error::Argument);
        }
        for tile in 0..self.n_tiles() {
            with(self.decode_tile(tile, buffer)?);
        }
        Ok(())
    }
}

impl<F> Reader<'_, F> {
    /// How large the window must be for the call that returned `Error::Window`.
    pub fn window_needed(&self) -> usize {
        self.reader.window_needed as usize
    }

    /// Number of tensors in the open bundle.
    pub fn n_tensors(&self) -> u32 {
        self.reader.n_tensors
    }

    /// Number of elements of the open tensor; 0 where none is open.
    pub fn len(&self) -> usize {
        self.reader.view.n_elements as usize
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of tiles of the open tensor.
    pub fn n_tiles(&self) -> u32 {
        self.reader.view.n_tiles
    }

    /// Number of elements in a tile; 0 where there is no such tile.
    pub fn tile_len(&self, tile: u32) -> usize {
        // SAFETY: the view is cleared, or is that of the open tensor.
        unsafe { ffi::spk_tile_elements(&self.reader.view, tile) as usize }
    }

    /// The extents of the open tensor, outermost first.
    pub fn shape(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        // SAFETY: as above; the window has its header.
        (0..self.reader.view.n_dims).map(|axis| unsafe { ffi::spk_dim(&self.reader.view, u32::from(axis)) })
    }
}

/// What C calls to read.
unsafe extern "C" fn forward<F, E>(context: *mut c_void, offset: u32, dst: *mut c_void, n: u32) -> c_int
where
    F: FnMut(u32, &mut [u8]) -> Result<(), E>,
{
    // SAFETY: `call` has set the context to the closure, which nothing else uses during the call. The n bytes at dst are
    // a part of the window, or of a slice of i8 that the caller has lent.
    let done = unsafe { (*context.cast::<F>())(offset, slice::from_raw_parts_mut(dst.cast::<u8>(), n as usize)) };
    c_int::from(done.is_err())
}
