// SPDX-License-Identifier: Apache-2.0
//! The statuses of spk.h as errors.

use core::ffi::CStr;
use core::fmt;

use crate::ffi;

/// Why a function could not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// An argument that no function takes.
    Argument,
    /// The data are shorter or longer than their header says.
    Truncated,
    /// The data do not start as those of stridepack do.
    Magic,
    /// The data were written by another version of the format.
    Version,
    /// The format is unknown.
    Format,
    /// The format is known, but was left out of this build.
    Unsupported,
    /// A field of the header is out of range, or contradicts another.
    Header,
    /// The CRC-32 does not match.
    Checksum,
    /// The destination is smaller than the decoded data.
    Destination,
    /// There is no tile of that number.
    Tile,
    /// A stream ends early, goes on too long, or points outside the tensor.
    Stream,
    /// There is no tensor of that name or number.
    NotFound,
    /// The function that reads for a `Reader` failed.
    Read,
    /// The window of a `Reader` is too small.
    Window,
    /// A status that this crate does not know: the C library is another version.
    Other(u32),
}

/// In the order of their values, from 1 on.
const ERRORS: [Error; 14] = [
    Error::Argument,
    Error::Truncated,
    Error::Magic,
    Error::Version,
    Error::Format,
    Error::Unsupported,
    Error::Header,
    Error::Checksum,
    Error::Destination,
    Error::Tile,
    Error::Stream,
    Error::NotFound,
    Error::Read,
    Error::Window,
];

impl Error {
    /// The value that `spk_status` has for it.
    pub fn code(self) -> u32 {
        match self {
            Error::Other(code) => code,
            known => ERRORS.iter().position(|error| *error == known).map_or(0, |i| i as u32 + 1),
        }
    }

    /// The name of it: "truncated", for example.
    pub fn name(self) -> &'static str {
        // SAFETY: the function takes any value, and returns a string that lives for ever.
        let name = unsafe { CStr::from_ptr(ffi::spk_status_name(self.code())) };
        name.to_str().unwrap_or("unknown")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl core::error::Error for Error {}

pub(crate) fn check(status: ffi::Status) -> Result<(), Error> {
    match status {
        ffi::OK => Ok(()),
        code => Err(ERRORS.get(code as usize - 1).copied().unwrap_or(Error::Other(code))),
    }
}
