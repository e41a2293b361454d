//! Cargo, called with what the store brings for building.

use std::process::Command;

use models::store::Store;

/// A cargo that finds the libclang that set-up brought, where it brought one.
///
/// The wheel holds the library without the C headers that belong to a compiler
/// (`stddef.h` and the like): the kernel's `videodev2.h`, which the `v4l` crate
/// binds, needs none of them.
pub fn cargo(store: &Store) -> Command {
    // Cargo names itself to the programs that it runs.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    if std::env::var_os("LIBCLANG_PATH").is_none() && store.libclang_dir().join("libclang.so").is_file() {
        command.env("LIBCLANG_PATH", store.libclang_dir());
    }
    command
}
