//! Where set-up keeps what the repository may not contain, and where programs look for it.
//!
//! One folder holds the landmark networks, the lexicon and the native helpers.
//! `SIGNPOST_CACHE` names it; otherwise it is `signpost` in the user's cache
//! directory. A unit has the same layout under its data directory.

use std::path::{Path, PathBuf};

/// The models that the repository ships.
pub const SHIPPED: [&str; 3] = ["ksl13", "asl-words", "asl-letters"];

/// The folder of a shipped model.
///
/// Looked for in `$SIGNPOST_WEIGHTS`, in `models/weights` of the checkout that the
/// running program was built in or of the current directory's, in `weights` beside
/// the program, and last where this crate was built. `None` where none has it.
pub fn weights(name: &str) -> Option<PathBuf> {
    if !SHIPPED.contains(&name) {
        return None;
    }
    let named = std::env::var_os("SIGNPOST_WEIGHTS").filter(|v| !v.is_empty()).map(PathBuf::from);
    let program = std::env::current_exe().ok();
    let current = std::env::current_dir().ok();
    let beside = program.iter().filter_map(|p| p.parent()).map(|dir| dir.join("weights"));
    let above =
        program.iter().chain(&current).flat_map(|p| p.ancestors()).map(|dir| dir.join("models/weights"));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("weights");
    named
        .into_iter()
        .chain(beside)
        .chain(above)
        .chain([built])
        .map(|dir| dir.join(name))
        .find(|dir| dir.join("manifest.json").is_file())
}

/// The folder that set-up fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// The store of this user: `$SIGNPOST_CACHE`, `$XDG_CACHE_HOME/signpost` or `~/.cache/signpost`.
    ///
    /// `None` where none of these variables is set.
    pub fn locate() -> Option<Self> {
        let dir = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        dir("SIGNPOST_CACHE")
            .or_else(|| dir("XDG_CACHE_HOME").map(|d| d.join("signpost")))
            .or_else(|| dir("HOME").map(|d| d.join(".cache/signpost")))
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

    /// ONNX Runtime's shared library.
    pub fn onnxruntime(&self) -> PathBuf {
        self.root.join("lib/libonnxruntime.so")
    }

    /// The folder that holds `libclang.so`, for building with a camera.
    pub fn libclang_dir(&self) -> PathBuf {
        self.root.join("lib/clang")
    }

    /// The `ffmpeg` program, where the system has none.
    pub fn ffmpeg(&self) -> PathBuf {
        self.root.join("bin/ffmpeg")
    }
}
