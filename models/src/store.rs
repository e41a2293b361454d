//! Where set-up keeps what the repository may not contain, and where programs look for it.
//!
//! One folder holds the landmark networks, the lexicon and the native helpers.
//! `SIGNPOST_CACHE` names it; otherwise it is `store` beside the program, where a unit's slot has it, or
//! `signpost` in the user's cache directory. What a unit is taught
//! on site is no part of it: it must survive an update, and is kept with the user's state.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where set-up enters what it brought, within the store.
pub const RECORD: &str = "store.json";
/// The store's folder where it lies beside the program.
pub const BESIDE: &str = "store";
/// The record of some seven hundred files is a tenth of a megabyte.
const RECORD_LIMIT: u64 = 16 << 20;

/// The models that the repository ships.
pub const SHIPPED: [&str; 5] = ["ksl13", "asl-words", "asl-letters", "asl-hall", EMBEDDING];

/// The model that signs are enrolled with.
pub const EMBEDDING: &str = "sign-embedding";

/// The folder of a shipped model.
///
/// Looked for in `$SIGNPOST_WEIGHTS`, in `models/weights` of the checkout that the
/// running program was built in or of the current directory's, in `weights` beside
/// the program, and, in a build with debug assertions, last where this crate was built. `None` where none
/// has it.
pub fn weights(name: &str) -> Option<PathBuf> {
    if !SHIPPED.contains(&name) {
        return None;
    }
    let program = std::env::current_exe().ok();
    let current = std::env::current_dir().ok();
    let beside = program.iter().filter_map(|p| p.parent()).map(|dir| dir.join("weights"));
    let above =
        program.iter().chain(&current).flat_map(|p| p.ancestors()).map(|dir| dir.join("models/weights"));
    // A released program must not look into the folders of whoever built it.
    #[cfg(debug_assertions)]
    let built = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("weights"));
    #[cfg(not(debug_assertions))]
    let built = None;
    named("SIGNPOST_WEIGHTS")
        .into_iter()
        .chain(beside)
        .chain(above)
        .chain(built)
        .map(|dir| dir.join(name))
        .find(|dir| dir.join("manifest.json").is_file())
}

/// Where this user's enrolled signs are kept: in `$SIGNPOST_STATE`, `$XDG_STATE_HOME/signpost` or
/// `~/.local/state/signpost`.
///
/// `None` where none of these variables is set.
pub fn enrolled() -> Option<PathBuf> {
    let folder = named("SIGNPOST_STATE")
        .or_else(|| named("XDG_STATE_HOME").map(|d| d.join("signpost")))
        .or_else(|| named("HOME").map(|d| d.join(".local/state/signpost")));
    folder.map(|folder| folder.join("enrolled.signs"))
}

/// The folder that a variable of the environment names.
fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// The program of this name in the search path: a file that may be executed.
pub fn program_on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    std::fs::metadata(file).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// The folder that set-up fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store of this program or user: `$SIGNPOST_CACHE`, `store` beside the program, as a unit's slot has it,
    /// `$XDG_CACHE_HOME/signpost` or `~/.cache/signpost`.
    ///
    /// `None` where there is none beside the program and none of these variables is set.
    pub fn locate() -> Option<Self> {
        let program = std::env::current_exe().ok();
        let beside = program.and_then(|program| Some(program.parent()?.join(BESIDE)));
        named("SIGNPOST_CACHE")
            .or_else(|| beside.filter(|folder| folder.join(RECORD).is_file()))
            .or_else(|| named("XDG_CACHE_HOME").map(|d| d.join("signpost")))
            .or_else(|| named("HOME").map(|d| d.join(".cache/signpost")))
            .map(Self::at)
    }

    /// A store in the folder given.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A landmark network, for example `hand_landmark_full`, as ONNX.
    pub fn network(&self, name: &str) -> PathBuf {
        self.root.join("networks").join(format!("{name}.onnx"))
    }

    /// The fingerspelling lexicon: a folder with `index.csv`.
    pub fn lexicon(&self) -> PathBuf {
        self.root.join("lexicon/fingerspelling")
    }

    /// ONNX Runtime's shared library for this processor.
    pub fn onnxruntime(&self) -> PathBuf {
        self.onnxruntime_for(std::env::consts::ARCH)
    }

    /// The same for another, as targets begin: `aarch64`.
    pub fn onnxruntime_for(&self, processor: &str) -> PathBuf {
        self.root.join("lib").join(processor).join("libonnxruntime.so")
    }

    /// The folder that holds `libclang.so`, for building with a camera.
    pub fn libclang_dir(&self) -> PathBuf {
        self.root.join("lib/clang")
    }

    /// The `ffmpeg` program, where the system has none.
    pub fn ffmpeg(&self) -> PathBuf {
        self.root.join("bin/ffmpeg")
    }

    /// The SHA-256 of a file as it was when set-up brought it, in hexadecimal.
    ///
    /// `None` where set-up kept no record of it.
    pub fn recorded_sha256(&self, file: &Path) -> Option<String> {
        let relative = file.strip_prefix(&self.root).ok()?.to_str()?;
        let record = self.root.join(RECORD);
        if std::fs::metadata(&record).ok()?.len() > RECORD_LIMIT {
            return None;
        }
        let record: serde_json::Value = serde_json::from_slice(&std::fs::read(record).ok()?).ok()?;
        let wheels = record.get("wheels")?.as_object()?;
        let kept = wheels.values().find_map(|wheel| wheel.get("files")?.get(relative))?;
        kept.get("sha256")?.as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_file_that_may_be_executed() {
        assert!(program_on_path("sh").is_some_and(|sh| is_program(&sh)));
        assert_eq!(program_on_path("no-program-is-called-so"), None);
        assert!(!is_program(Path::new(env!("CARGO_MANIFEST_DIR"))), "a folder");
        assert!(!is_program(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")), "a text");
    }

    #[test]
    fn the_record_says_what_a_file_was() {
        let folder = std::env::temp_dir().join(format!("signpost-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::at(&folder);
        assert_eq!(store.recorded_sha256(&store.network("a")), None, "no record at all");
        let record =
            r#"{"format":1,"wheels":{"w":{"files":{"networks/a.onnx":{"sha256":"12ab","bytes":3}}}}}"#;
        std::fs::write(folder.join(RECORD), record).unwrap();
        assert_eq!(store.recorded_sha256(&store.network("a")), Some("12ab".into()));
        assert_eq!(store.recorded_sha256(&store.network("b")), None);
        assert_eq!(store.recorded_sha256(Path::new("/elsewhere/a.onnx")), None);
        std::fs::write(folder.join(RECORD), "{").unwrap();
        assert_eq!(store.recorded_sha256(&store.network("a")), None, "a broken record");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
