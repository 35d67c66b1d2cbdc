// SPDX-License-Identifier: Apache-2.0
//! A .spk file.

use core::ffi::CStr;
use core::marker::PhantomData;
use core::ptr;

use crate::error::check;
use crate::{Error, Tensor, ffi};

/// A bundle, which is what a .spk file holds: many tensors, by number and by name, read where they lie.
#[derive(Clone, Copy)]
pub struct Bundle<'a> {
    bundle: ffi::Bundle,
    file: PhantomData<&'a [u8]>,
}

// SAFETY: the pointer is a shared borrow of bytes, which other threads may read, too.
unsafe impl Send for Bundle<'_> {}
unsafe impl Sync for Bundle<'_> {}

impl<'a> Bundle<'a> {
    /// Checks the header. The slice has to be exactly one file.
    pub fn open(file: &'a [u8]) -> Result<Self, Error> {
        let mut bundle = ffi::Bundle::CLEARED;
        // SAFETY: the function reads the bytes of the slice only, and writes the bundle.
        check(unsafe { ffi::spk_bundle_open(&mut bundle, file.as_ptr().cast(), file.len()) })?;
        Ok(Self { bundle, file: PhantomData })
    }

    /// Checks the file, and every tensor as `Tensor::validate` does.
    pub fn validate(&self) -> Result<(), Error> {
        // SAFETY: the bundle was opened, and the file is borrowed.
        check(unsafe { ffi::spk_bundle_validate(&self.bundle) })
    }

    /// Number of tensors.
    pub fn len(&self) -> u32 {
        self.bundle.n_tensors
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.bundle.n_tensors == 0
    }

    /// Opens the tensor of a number.
    pub fn get(&self, i: u32) -> Result<Tensor<'a>, Error> {
        let mut view = ffi::View::CLEARED;
        // SAFETY: the bundle was opened, and the file is borrowed for 'a. A null name is not written.
        check(unsafe { ffi::spk_bundle_get(&self.bundle, i, ptr::null_mut(), &mut view) })?;
        Ok(Tensor::of(view))
    }

    /// Opens the tensor of a name, such as `c"conv1"`.
    pub fn find(&self, name: &CStr) -> Result<Tensor<'a>, Error> {
        let mut view = ffi::View::CLEARED;
        // SAFETY: as above; the name ends with a zero byte.
        check(unsafe { ffi::spk_bundle_find(&self.bundle, name.as_ptr(), &mut view) })?;
        Ok(Tensor::of(view))
    }

    /// The name of a tensor. There is none where the file has no names, and where it is not UTF-8.
    pub fn name(&self, i: u32) -> Option<&'a str> {
        let (mut name, mut view) = (ptr::null(), ffi::View::CLEARED);
        // SAFETY: as above. A name that is not null ends with a zero byte inside the file.
        unsafe {
            let status = ffi::spk_bundle_get(&self.bundle, i, &mut name, &mut view);
            let found = status == ffi::OK && !name.is_null();
            found.then(|| CStr::from_ptr(name)).and_then(|name| name.to_str().ok())
        }
    }

    /// All tensors, in their order.
    pub fn tensors(&self) -> impl Iterator<Item = Result<Tensor<'a>, Error>> + '_ {
        (0..self.len()).map(|i| self.get(i))
    }
}
