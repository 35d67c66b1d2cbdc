// SPDX-License-Identifier: Apache-2.0
//! Packed weights in firmware: check them once at boot, and unpack each tensor when it is needed.
//!
//! This program unpacks every tensor of weights.spk once, in both ways that there are. In your firmware a layer computes
//! with the values. Here they are added to a checksum, which must be that of the original model.
#![no_std]
#![no_main]

mod board;
mod c_library;

use core::fmt::Write;

use board::{Console, quit};
use stridepack::{Bundle, Error, Reader};

/// expected.py wrote it: the name and the checksum of every tensor of the model.
const EXPECTED: &[(&core::ffi::CStr, u32)] = include!("../expected.in");

/// What `stridepack pack --sram` was given: a buffer for one tile.
const BUFFER: usize = 8192;

/// Blobs at multiples of 4 bytes are read faster.
#[repr(align(4))]
struct Aligned<const N: usize>([u8; N]);

static FILE: &[u8] = &Aligned(*include_bytes!("../weights.spk")).0;

/// The CRC-32 of zlib. Start with 0.
fn add_to_crc(sum: u32, data: &[i8]) -> u32 {
    !data.iter().fold(!sum, |mut sum, &value| {
        sum ^= u32::from(value as u8);
        for _ in 0..8 {
            sum = sum >> 1 ^ if sum & 1 != 0 { 0xEDB8_8320 } else { 0 };
        }
        sum
    })
}

/// The file lies in memory, such as the Flash of the chip.
fn unpack(buffer: &mut [i8]) -> Result<bool, Error> {
    let bundle = Bundle::open(FILE)?;
    bundle.validate()?; // once at boot: are the bytes exactly those that were packed?
    let (mut exact, mut n_weights) = (true, 0);
    for &(name, expected) in EXPECTED {
        let (tensor, mut crc) = (bundle.find(name)?, 0);
        tensor.for_each_tile(buffer, |weights| crc = add_to_crc(crc, weights))?;
        let _ = writeln!(Console, "{}: {tensor:?}", name.to_str().unwrap_or("no name"));
        exact &= crc == expected;
        n_weights += tensor.len();
    }
    let _ = writeln!(Console, "{n_weights} weights in memory");
    Ok(exact)
}

/// The file lies in a memory without addresses. Here a function copies from the Flash in place of a driver.
fn unpack_by_reader(buffer: &mut [i8]) -> Result<bool, Error> {
    let mut window = [0; 6000]; // `stridepack pack` says how large it has to be
    let mut reader = Reader::new(FILE.len() as u32, &mut window, |offset, to| {
        FILE.get(offset as usize..).and_then(|from| from.get(..to.len())).map(|from| to.copy_from_slice(from)).ok_or(())
    })?;
    reader.open_bundle()?;
    reader.validate_bundle()?;
    let (mut exact, mut n_weights) = (true, 0);
    for &(name, expected) in EXPECTED {
        let mut crc = 0;
        reader.find(name)?;
        reader.for_each_tile(buffer, |weights| crc = add_to_crc(crc, weights))?;
        exact &= crc == expected;
        n_weights += reader.len();
    }
    let _ = writeln!(Console, "{n_weights} weights through a reader");
    Ok(exact)
}

#[unsafe(no_mangle)]
extern "C" fn main() -> ! {
    let _ = writeln!(Console, "stridepack {}", stridepack::version());
    let mut buffer = [0; BUFFER];
    for result in [unpack(&mut buffer), unpack_by_reader(&mut buffer)] {
        match result {
            Ok(true) => (),
            Ok(false) => {
                let _ = writeln!(Console, "ERROR: the weights differ from those of the model");
                quit(1)
            }
            Err(error) => {
                let _ = writeln!(Console, "ERROR: {error}");
                quit(1)
            }
        }
    }
    let _ = writeln!(Console, "All weights are exact.");
    quit(0)
}
