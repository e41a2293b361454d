//! Cargo, called with what the store brings for building.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use models::store::Store;

use crate::{setup, ui::Ui};

/// A cargo that finds the libclang that set-up brought, where it brought one.
///
/// The wheel holds the library without the C headers that belong to a compiler
/// (`stddef.h` and the like): the kernel's `videodev2.h`, which the `v4l` crate
/// binds, needs none of them.
pub fn cargo(store: &Store) -> Command {
    // Cargo names itself to the programs that it runs.
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Nothing that it runs asks a question: a terminal that was closed, or none, makes no difference.
    command.stdin(Stdio::null());
    if std::env::var_os("LIBCLANG_PATH").is_none() && store.libclang_dir().join("libclang.so").is_file() {
        command.env("LIBCLANG_PATH", store.libclang_dir());
    }
    command
}

/// Whether this machine can build what has a camera, which needs libclang.
pub fn has_camera(store: &Store) -> bool {
    store.libclang_dir().join("libclang.so").is_file() || setup::has_libclang()
}

/// The features of the whole workspace that this machine can build.
pub fn features(store: &Store) -> &'static [&'static str] {
    if has_camera(store) { &["--features", "signpost-edge/camera,signpost-rig-guest/camera"] } else { &[] }
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    folder.map_or_else(|| "target".into(), PathBuf::from)
}

/// Where cargo puts the released unit's program for a target.
pub fn released(target: &str) -> PathBuf {
    self::target().join(target).join("release/signpost")
}

/// The processor of a target.
pub fn processor(target: &str) -> &str {
    target.split('-').next().unwrap_or(target)
}

/// The unit's program whose log comes as frames of defmt lies here, beside the others.
const FRAMED: &str = "framed";

/// Builds the unit's program with its log as frames of defmt, and with what tells their words, files and lines. All
/// that others made is shared with the other programs: only what the workspace has of its own is built twice.
///
/// # Errors
/// Where it does not build, or cannot be kept.
pub fn build_framed(store: &Store, ui: &Ui) -> anyhow::Result<()> {
    ui.step("building the unit with its log as frames");
    let mut command = cargo(store);
    command.args(["build", "--workspace", "--bin", "signpost"]).args(features(store));
    command.args(["--features", "signpost-edge/defmt"]);
    command.env("CARGO_PROFILE_DEV_DEBUG", "2").env("DEFMT_LOG", "trace");
    if !command.status().context("cargo could not be started; install Rust with rustup")?.success() {
        bail!("the build failed; the first error above says why");
    }
    let built = target().join("debug/signpost");
    keep_framed(&built, &built)
}

/// Keeps a unit's program with all that tells its log's words, in the folder beside another one where the rig looks.
///
/// # Errors
/// Where it cannot be kept.
pub fn keep_framed(framed: &Path, beside: &Path) -> anyhow::Result<()> {
    let kept = beside.with_file_name(FRAMED);
    std::fs::create_dir_all(&kept)
        .and_then(|()| std::fs::copy(framed, kept.join("signpost")))
        .with_context(|| format!("{} cannot be filled; free some space there", kept.display()))?;
    Ok(())
}

/// Builds all programs of the workspace and gives the folder that they are in.
///
/// All at once, although a command may need one of them: what several crates share is then built with
/// the same features as for the tests, and therefore once.
///
/// # Errors
/// Where something does not build.
pub fn build(store: &Store, ui: &Ui) -> anyhow::Result<PathBuf> {
    ui.step("building (some ten minutes the first time, seconds later)");
    let status = cargo(store)
        .args(["build", "--workspace", "--bins"])
        .args(features(store))
        .status()
        .context("cargo could not be started; install Rust with rustup")?;
    if !status.success() {
        bail!("the build failed; the first error above says why");
    }
    // This program lies where the others do.
    let own = std::env::current_exe().context("the program's own place is not known")?;
    Ok(own.parent().context("the program has no folder")?.to_owned())
}
