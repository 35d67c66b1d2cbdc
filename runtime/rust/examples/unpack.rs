// SPDX-License-Identifier: Apache-2.0
//! Unpacks all tensors of a .spk file, and prints what they are: cargo run --example unpack -- FILE.spk

use std::error::Error;
use std::{env, fs};

use stridepack::Bundle;

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("Give a .spk file.")?;
    let file = fs::read(path)?;
    let bundle = Bundle::open(&file)?;
    bundle.validate()?;
    let mut buffer = vec![0; bundle.tensors().map(|tensor| tensor.map_or(0, |it| it.tile_len(0))).max().unwrap_or(0)];
    for (i, tensor) in bundle.tensors().enumerate() {
        let tensor = tensor?;
        let mut sum = 0;
        tensor.for_each_tile(&mut buffer, |weights| {
            sum += weights.iter().map(|&weight| i64::from(weight)).sum::<i64>()
        })?;
        println!("{}: {tensor:?}, the sum of all weights is {sum}", bundle.name(i as u32).unwrap_or("no name"));
    }
    Ok(())
}
