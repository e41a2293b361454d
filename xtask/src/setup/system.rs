//! What the system has: programs, libclang, free space, and the lock between two set-ups.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, flock, statvfs};
use rustix::io::Errno;

use super::Error;

/// Where libraries lie, and folders whose folders' `lib` they lie in.
const LIBRARIES: [&str; 4] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"];

/// Whether libclang is where a build looks for it: where `LIBCLANG_PATH` or `llvm-config` says, or among the libraries.
pub fn has_libclang() -> bool {
    let named = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let asked = Command::new("llvm-config").arg("--libdir").output().ok();
    let asked = asked.and_then(|o| String::from_utf8(o.stdout).ok()).map(|o| PathBuf::from(o.trim()));
    let usual = LIBRARIES.iter().map(PathBuf::from);
    // One folder down: /usr/lib/x86_64-linux-gnu, and /usr/lib/llvm-18/lib.
    let below = LIBRARIES.iter().filter_map(|l| fs::read_dir(l).ok()).flatten().flatten();
    let below = below.map(|entry| entry.path()).flat_map(|folder| [folder.join("lib"), folder]);
    named.into_iter().chain(asked).chain(usual).chain(below).any(|folder| holds_libclang(&folder))
}

fn holds_libclang(folder: &Path) -> bool {
    if folder.is_file() {
        return folder.file_name().is_some_and(|n| is_libclang(&n.to_string_lossy()));
    }
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| is_libclang(&entry.file_name().to_string_lossy()) && entry.path().is_file())
}

/// `libclang.so`, `libclang-14.so`, each with a version behind it or not; not `libclang-cpp.so`.
fn is_libclang(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else { return false };
    let rest = rest.trim_start_matches(|c: char| c == '-' || c == '.' || c.is_ascii_digit());
    rest == "so" || rest.starts_with("so.")
}

/// Checks that a folder's disk has room for so many bytes.
pub fn check_space(folder: &Path, needed: u64) -> Result<(), Error> {
    let disk = statvfs(folder).map_err(|e| Error::io("ask for the free space of", folder, e.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        let (free_mb, needed_mb) = (free / 1_000_000, needed.div_ceil(1_000_000));
        return Err(Error::Space { path: folder.into(), free_mb, needed_mb });
    }
    Ok(())
}

/// Takes the lock of a file, which lasts as long as the file is open; calls `waiting` first if another has it.
pub fn lock(path: &Path, waiting: impl FnOnce()) -> Result<File, Error> {
    let file = File::create(path).map_err(|e| Error::io("write", path, e))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => {
            waiting();
            flock(&file, FlockOperation::LockExclusive)
        }
        other => other,
    }
    .map_err(|e| Error::io("lock", path, e.into()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expect: bool) {
        assert_eq!(is_libclang(name), expect, "{name}");
    }

    #[test]
    fn libclang_by_any_of_its_names() {
        for name in ["libclang.so", "libclang.so.1", "libclang-14.so", "libclang-14.so.14.0.6"] {
            check(name, true);
        }
        for name in ["libclang-cpp.so.14", "libclang-cpp.so", "libclang.a", "libclang_rt.so", "libc.so"] {
            check(name, false);
        }
    }

    #[test]
    fn a_disk_is_never_large_enough_for_everything() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check_space(folder.path(), 1).is_ok());
        let error = check_space(folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("MB free"), "{error}");
    }
}
