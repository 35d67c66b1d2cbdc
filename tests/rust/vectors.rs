// SPDX-License-Identifier: Apache-2.0
//! Every vector through the crate: what is valid decodes to the values that it was made of, and what is not is refused.
//! VECTORS names their folder. test_rust.py copies this file into a crate and runs it.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use stridepack::{Bundle, Error, Reader, Tensor, decode_in_place};

fn folder() -> PathBuf {
    PathBuf::from(env::var_os("VECTORS").expect("VECTORS names a folder"))
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = paths.filter(|path| path.extension().is_some_and(|it| it == suffix)).collect();
    assert!(!found.is_empty());
    found
}

fn as_bytes(values: &[i8]) -> Vec<u8> {
    values.iter().map(|&value| value as u8).collect()
}

fn check_tensor(tensor: &Tensor, expected: &[u8], name: &Path) {
    let name = name.display();
    let mut whole = vec![0; expected.len()];
    assert_eq!(tensor.len(), expected.len(), "{name}");
    assert_eq!(as_bytes(tensor.decode(&mut whole).unwrap()), expected, "{name}");
    assert_eq!(tensor.shape().map(|extent| extent as usize).product::<usize>(), tensor.len(), "{name}");
    let (mut tiles, mut in_place, mut buffer) = (vec![], vec![], vec![0; tensor.tile_len(0)]);
    tensor.for_each_tile(&mut buffer, |values| tiles.extend(as_bytes(values))).unwrap();
    assert_eq!(tiles, expected, "{name}");
    for tile in 0..tensor.n_tiles() {
        in_place.extend(tensor.dense_tile(tile).map(as_bytes).unwrap_or_default());
    }
    assert!(in_place.is_empty() || in_place == expected, "{name}");
    if !tensor.is_empty() {
        let short = tensor.len() - 1;
        assert_eq!(tensor.decode(&mut whole[..short]), Err(Error::Destination), "{name}");
        assert_eq!(tensor.decode_tile(tensor.n_tiles(), &mut whole), Err(Error::Tile), "{name}");
    }
}

/// Copies as a driver of a Flash does.
fn read_from(memory: &[u8]) -> impl FnMut(u32, &mut [u8]) -> Result<(), ()> + '_ {
    |offset, to| {
        to.copy_from_slice(&memory[offset as usize..][..to.len()]);
        Ok(())
    }
}

fn check_reader(blob: &[u8], expected: &[u8], name: &Path) {
    let (name, mut window) = (name.display(), vec![0; blob.len() + 100]);
    let mut reader = Reader::new(blob.len() as u32, &mut window, read_from(blob)).unwrap();
    reader.open(0, blob.len() as u32).unwrap();
    reader.validate().unwrap();
    let mut moved = [reader].into_iter().next().unwrap(); // the closure is elsewhere now
    let (mut whole, mut tiles) = (vec![0; expected.len()], vec![]);
    assert_eq!(as_bytes(moved.decode(&mut whole).unwrap()), expected, "{name}");
    moved.for_each_tile(&mut whole, |values| tiles.extend(as_bytes(values))).unwrap();
    assert_eq!(tiles, expected, "{name}");
    assert_eq!(moved.shape().map(|extent| extent as usize).product::<usize>(), moved.len(), "{name}");
    assert!((1..=blob.len() + 100).contains(&moved.window().unwrap()), "{name}");
}

fn check_in_place(blob: &[u8], expected: &[u8], name: &Path) {
    let (name, margin) = (name.display(), Tensor::open(blob).unwrap().in_place_margin().unwrap());
    let mut buffer = blob.to_vec();
    buffer.resize(blob.len().max(margin + expected.len()), 0);
    assert_eq!(as_bytes(decode_in_place(&mut buffer, blob.len()).unwrap()), expected, "{name}");
    if !expected.is_empty() && blob.len() < margin + expected.len() {
        buffer[..blob.len()].copy_from_slice(blob);
        buffer.truncate(margin + expected.len() - 1);
        assert_eq!(decode_in_place(&mut buffer, blob.len()), Err(Error::Destination), "{name}");
    }
}

#[test]
fn valid_blobs() {
    for path in files(&folder().join("valid"), "blob") {
        let blob = fs::read(&path).unwrap();
        let tensor = Tensor::open(&blob).unwrap();
        tensor.validate().unwrap();
        let raw = fs::read(path.with_extension("raw")).unwrap();
        check_tensor(&tensor, &raw, &path);
        check_reader(&blob, &raw, &path);
        check_in_place(&blob, &raw, &path);
    }
}

#[test]
fn valid_bundles() {
    for path in files(&folder().join("valid"), "spk") {
        let (file, raw) = (fs::read(&path).unwrap(), fs::read(path.with_extension("raw")).unwrap());
        let bundle = Bundle::open(&file).unwrap();
        bundle.validate().unwrap();
        let (mut rest, mut window) = (&raw[..], vec![0; file.len() + 100]);
        let mut reader = Reader::new(file.len() as u32, &mut window, read_from(&file)).unwrap();
        reader.open_bundle().unwrap();
        reader.validate_bundle().unwrap();
        assert_eq!(reader.n_tensors(), bundle.len());
        for (i, tensor) in bundle.tensors().enumerate() {
            let (tensor, end) = (tensor.unwrap(), rest.iter().position(|&byte| byte == 0).unwrap());
            let name = CString::new(&rest[..end]).unwrap();
            assert_eq!(bundle.find(&name).unwrap().len(), tensor.len());
            reader.get(i as u32).unwrap();
            reader.find(&name).unwrap();
            assert_eq!((reader.len(), reader.n_tiles()), (tensor.len(), tensor.n_tiles()));
            assert!(bundle.name(i as u32).is_none_or(|it| it == name.to_str().unwrap()));
            rest = &rest[end + 1..];
            check_tensor(&tensor, &rest[..tensor.len()], &path);
            rest = &rest[tensor.len()..];
        }
        assert!(rest.is_empty());
        assert_eq!(reader.find(c"no such tensor"), Err(Error::NotFound));
        assert_eq!(reader.for_each_tile(&mut [], |_| panic!("a tile of no tensor")), Err(Error::Argument));
        assert_eq!(bundle.get(bundle.len()).unwrap_err(), Error::NotFound);
        assert_eq!(bundle.find(c"no such tensor").unwrap_err(), Error::NotFound);
    }
}

/// index.csv: the name of the file, and what opening, validating and decoding it gives.
#[test]
fn invalid_files() {
    let index = fs::read_to_string(folder().join("invalid/index.csv")).unwrap();
    let mut n_refused = 0;
    for line in index.lines().skip(1) {
        let cells: Vec<_> = line.splitn(5, ',').collect();
        let file = fs::read(folder().join("invalid").join(cells[0])).unwrap();
        let (opened, validated) = if cells[0].ends_with(".spk") {
            let bundle = Bundle::open(&file);
            (bundle.err(), bundle.ok().and_then(|bundle| bundle.validate().err()))
        } else {
            let tensor = Tensor::open(&file);
            (tensor.err(), tensor.ok().and_then(|tensor| tensor.validate().err()))
        };
        assert_eq!(opened.map_or("ok", Error::name), cells[1], "{}", cells[0]);
        if opened.is_none() {
            assert_eq!(validated.map_or("ok", Error::name), cells[2], "{}", cells[0]);
        }
        n_refused += 1;
    }
    assert!(n_refused > 100);
}

#[test]
fn errors() {
    assert_eq!(Tensor::open(b"").unwrap_err(), Error::Truncated);
    assert_eq!(Error::Truncated.code(), 2);
    assert_eq!(Error::NotFound.code(), 12);
    assert_eq!(Error::Other(77).to_string(), "unknown");
    let mut window = [0; 200];
    let mut reader = Reader::new(1000, &mut window, |_, _: &mut [u8]| Err("no answer")).unwrap();
    assert_eq!(reader.open(0, 1000), Err(Error::Read));
    assert_eq!(reader.open(0, 1001), Err(Error::Truncated));
    assert_eq!(Reader::new(1000, &mut window[..99], read_from(b"")).err(), Some(Error::Window));
    assert_eq!(decode_in_place(&mut window, 201), Err(Error::Truncated));
    let threads_may_share = |_: &(dyn Send + Sync)| ();
    threads_may_share(&Error::Magic);
    assert_eq!(stridepack::version(), env!("CARGO_PKG_VERSION"));
}
