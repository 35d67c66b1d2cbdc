// SPDX-License-Identifier: Apache-2.0
//! Every vector through the crate: what is valid decodes to the values that it was made of, and what is not is refused.
//! VECTORS names their folder. test_rust.py copies this file into a crate and runs it.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use stridepack::{Bundle, Error, Tensor};

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
        in_place.extend(tensor.in_place(tile).map(as_bytes).unwrap_or_default());
    }
    assert!(in_place.is_empty() || in_place == expected, "{name}");
    if !tensor.is_empty() {
        let short = tensor.len() - 1;
        assert_eq!(tensor.decode(&mut whole[..short]), Err(Error::Destination), "{name}");
        assert_eq!(tensor.decode_tile(tensor.n_tiles(), &mut whole), Err(Error::Tile), "{name}");
    }
}

#[test]
fn valid_blobs() {
    for path in files(&folder().join("valid"), "blob") {
        let blob = fs::read(&path).unwrap();
        let tensor = Tensor::open(&blob).unwrap();
        tensor.validate().unwrap();
        check_tensor(&tensor, &fs::read(path.with_extension("raw")).unwrap(), &path);
    }
}

#[test]
fn valid_bundles() {
    for path in files(&folder().join("valid"), "spk") {
        let (file, raw) = (fs::read(&path).unwrap(), fs::read(path.with_extension("raw")).unwrap());
        let bundle = Bundle::open(&file).unwrap();
        bundle.validate().unwrap();
        let mut rest = &raw[..];
        for (i, tensor) in bundle.tensors().enumerate() {
            let (tensor, end) = (tensor.unwrap(), rest.iter().position(|&byte| byte == 0).unwrap());
            let name = CString::new(&rest[..end]).unwrap();
            assert_eq!(bundle.find(&name).unwrap().len(), tensor.len());
            assert!(bundle.name(i as u32).is_none_or(|it| it == name.to_str().unwrap()));
            rest = &rest[end + 1..];
            check_tensor(&tensor, &rest[..tensor.len()], &path);
            rest = &rest[tensor.len()..];
        }
        assert!(rest.is_empty());
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
    let threads_may_share = |_: &(dyn Send + Sync)| ();
    threads_may_share(&Error::Magic);
    assert_eq!(stridepack::version(), env!("CARGO_PKG_VERSION"));
}
