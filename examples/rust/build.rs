// SPDX-License-Identifier: Apache-2.0
//! How the program is linked: by the linker script of the board, without start-up code or libraries of the compiler.

fn main() {
    println!("cargo::rerun-if-changed=board.ld");
    let script = format!("-T{}/board.ld", env!("CARGO_MANIFEST_DIR"));
    for argument in ["-nostdlib", "-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard", &script] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
