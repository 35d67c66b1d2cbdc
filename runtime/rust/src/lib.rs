// SPDX-License-Identifier: Apache-2.0
//! Unpack neural-network weights that stridepack has packed into Flash.
//!
//! The crate wraps the C99 library of stridepack, which is in the folder c/. It allocates nothing. Its functions are
//! safe on any bytes, whether or not they were validated.
//!
//! ```
//! # fn read(file: &[u8]) -> Result<(), stridepack::Error> {
//! let bundle = stridepack::Bundle::open(file)?; // a .spk file: include_bytes!, or a place in Flash
//! bundle.validate()?; // every byte, once
//! let tensor = bundle.find(c"conv1")?;
//! let mut buffer = [0; 4096];
//! tensor.for_each_tile(&mut buffer, |weights| use_them(weights))?;
//! # Ok(()) }
//! # fn use_them(_: &[i8]) {}
//! # assert_eq!(read(b"RIFF"), Err(stridepack::Error::Magic));
//! ```
#![no_std]
#![deny(unsafe_op_in_unsafe_fn, missing_docs)]

mod bundle;
mod error;
mod ffi;
mod in_place;
mod reader;
mod tensor;

pub use bundle::Bundle;
pub use error::Error;
pub use in_place::decode_in_place;
pub use reader::Reader;
pub use tensor::Tensor;

/// The version of the C library.
pub fn version() -> &'static str {
    // SAFETY: the function returns a string that lives for ever.
    let version = unsafe { core::ffi::CStr::from_ptr(ffi::spk_version()) };
    version.to_str().unwrap_or("")
}
