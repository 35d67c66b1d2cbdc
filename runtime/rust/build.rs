// SPDX-License-Identifier: Apache-2.0
//! Compiles the C sources in c/ with the compiler of the target. It uses nothing but std.
//!
//! `CC_<target>` and `AR_<target>` (with underscores in the target), or `CC` and `AR`, name the tools. The processor and its
//! ABI are those of the target for Cortex-M and RISC-V. `STRIDEPACK_CFLAGS` adds flags, such as `-mcpu=cortex-m55` for the
//! decoders that use Arm Helium. With `STRIDEPACK_LIB_DIR`, nothing is compiled: that folder has libstridepack.a,
//! compiled with the same options.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=STRIDEPACK_LIB_DIR");
    if let Some(folder) = env::var_os("STRIDEPACK_LIB_DIR") {
        println!("cargo::rustc-link-search=native={}", PathBuf::from(folder).display());
    } else {
        let out = PathBuf::from(required("OUT_DIR"));
        compile(&out);
        println!("cargo::rustc-link-search=native={}", out.display());
    }
    println!("cargo::rustc-link-lib=static=stridepack");
}

fn compile(out: &Path) {
    let target = required("TARGET");
    let compiler = tool("CC", &target).unwrap_or_else(|| default_tool(&target, "gcc", "cc"));
    let archiver = tool("AR", &target).unwrap_or_else(|| default_tool(&target, "ar", "ar"));
    let library = out.join("libstridepack.a");
    let mut objects = Vec::new();
    for source in sources(Path::new("c/src")) {
        let object = out.join(source.file_stem().expect("a file has a name")).with_extension("o");
        let mut command = Command::new(&compiler);
        command.args(["-std=c99", "-ffunction-sections", "-fdata-sections", "-Ic/include"]);
        command.args(optimisation()).args(flags_of(&target)).args(left_out()).args(own_flags());
        run(command.arg("-c").arg(&source).arg("-o").arg(&object));
        objects.push(object);
    }
    let _ = fs::remove_file(&library);
    run(Command::new(&archiver).arg("crs").arg(&library).args(&objects));
    println!("cargo::rerun-if-changed=c");
}

fn required(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// What the user named: for this target, or for all.
fn tool(name: &str, target: &str) -> Option<String> {
    let of_target = format!("{name}_{}", target.replace(['-', '.'], "_"));
    [of_target, name.to_string()].iter().find_map(|variable| {
        println!("cargo::rerun-if-env-changed={variable}");
        env::var(variable).ok()
    })
}

/// The compiler of the computer does not stand in for that of another target.
fn default_tool(target: &str, name: &str, of_host: &str) -> String {
    let is_known = processor(target).is_some();
    if target == required("HOST") {
        of_host.to_string()
    } else if is_known && target.starts_with("thumb") {
        format!("arm-none-eabi-{name}")
    } else if is_known && target.ends_with("none-elf") {
        format!("riscv64-unknown-elf-{name}")
    } else {
        let suffix = target.replace(['-', '.'], "_");
        panic!(
            "There is no default compiler for {target}. Set CC_{suffix} and AR_{suffix} to its tools, \
             and STRIDEPACK_CFLAGS to the flags that name its processor."
        )
    }
}

fn optimisation() -> &'static [&'static str] {
    match required("OPT_LEVEL").as_str() {
        "0" => &["-O0"],
        "s" | "z" => &["-Os"],
        _ => &["-O2"],
    }
}

/// The processor and its ABI, where the name of the target says them. A processor that the user named replaces the first.
fn flags_of(target: &str) -> Vec<String> {
    let Some((architecture, abi)) = processor(target) else {
        return Vec::new();
    };
    let mut flags: Vec<_> = abi.split_whitespace().map(String::from).collect();
    if !own_flags().iter().any(|flag| flag.starts_with("-mcpu=") || flag.starts_with("-march=")) {
        flags.push(format!("-march={architecture}"));
    }
    flags
}

/// The value of -march, and the flags that make C and Rust agree on the ABI.
fn processor(target: &str) -> Option<(String, String)> {
    let name = target.split('-').next()?;
    if let Some(rest) = name.strip_prefix("riscv") {
        return riscv_processor(rest);
    }
    let architecture = match name {
        "thumbv6m" => "armv6-m",
        "thumbv7m" => "armv7-m",
        "thumbv7em" => "armv7e-m",
        "thumbv8m.base" => "armv8-m.base",
        "thumbv8m.main" => "armv8-m.main",
        _ => return None,
    };
    let (extension, abi) = if target.ends_with("hf") { ("+fp", "hard") } else { ("", "soft") };
    Some((format!("{architecture}{extension}"), format!("-mthumb -mfloat-abi={abi}")))
}

/// Of `32imac`, for example: the width of a register, the base, and the extensions, one letter each.
fn riscv_processor(name: &str) -> Option<(String, String)> {
    let (width, letters) = name.split_at_checked(2)?;
    if !letters.starts_with(['i', 'e', 'g']) || letters.contains(|letter| !"iegmafdc".contains(letter)) {
        return None;
    }
    // Floating-point registers hold arguments where there are any: g stands for imafd.
    let registers = match letters {
        _ if letters.starts_with('e') => "e",
        _ if letters.contains(['g', 'd']) => "d",
        _ if letters.contains('f') => "f",
        _ => "",
    };
    let abi = match width {
        "32" => format!("-mabi=ilp32{registers}"),
        // As Rust does, so that programs may lie at 2 GiB and above.
        "64" => format!("-mabi=lp64{registers} -mcmodel=medany"),
        _ => return None,
    };
    Some((format!("rv{name}"), abi))
}

/// The formats are features of the crate.
fn left_out() -> Vec<String> {
    let formats = include_str!("formats.txt");
    let is_missing = |name: &&str| env::var_os(format!("CARGO_FEATURE_{name}")).is_none();
    formats.split_whitespace().filter(is_missing).map(|name| format!("-DSPK_WITHOUT_{name}")).collect()
}

fn own_flags() -> Vec<String> {
    println!("cargo::rerun-if-env-changed=STRIDEPACK_CFLAGS");
    let flags = env::var("STRIDEPACK_CFLAGS").unwrap_or_default();
    flags.split_whitespace().map(String::from).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("a readable folder").path()) {
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|suffix| suffix == "c") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
