//! What is known about a trained recogniser of continuous signing.
//!
//! A folder with `model.onnx`, the network of one step, `manifest.json`, and where it has one `rescore.onnx`,
//! which looks at a whole utterance again. The manifest states the SHA-256 of each.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BIO, Rescorer, Rules};
use crate::Error;
use crate::features::stream;
use crate::gloss::label_key;
use crate::manifest::{self, Kind, LABEL_LIMIT, MANIFEST, MANIFEST_LIMIT, Metric, NETWORK, Source, read};
use crate::store;

/// The rescorer's file within a model's folder.
pub const RESCORE: &str = "rescore.onnx";
/// The memory of a network is some kilobytes.
const STATE_LIMIT: usize = 1 << 20;

/// What `manifest.json` of a recogniser of continuous signing says.
///
/// `model.onnx` takes `features [1, F]` and `state [S, D]`, and gives `logits [1, 1 + G + 3 + 3]` (blank and
/// glosses, BIO of signs, BIO of sentences), `hidden [1, D]` and the next `state [S, D]`. The first state is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveManifest {
    /// The model's name, for example `asl-hall`.
    pub name: String,
    /// Always [`Kind::Continuous`].
    pub kind: Kind,
    /// SHA-256 of `model.onnx`, in hexadecimal.
    pub sha256: String,
    /// The arithmetic of its input: `stream-v1`.
    pub features: String,
    /// The time from step to step, in seconds.
    pub step_s: f64,
    /// Values of a step, F.
    pub width: usize,
    /// Rows of the state, S.
    pub memory: usize,
    /// Width of the network, D.
    pub hidden: usize,
    /// `[G]`, in the order of the network's output, after the blank.
    pub glosses: Vec<String>,
    /// A gloss is said at most so long after its sign's end, as far as the network decides it. Seconds.
    pub delay_s: f64,
    /// What the gate says is about so long before. Seconds.
    pub gate_delay_s: f64,
    /// When a gloss is said.
    pub rules: Rules,
    /// The network that looks at a whole utterance again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescorer: Option<Rescorer>,
    /// What it was trained on.
    pub data: Vec<Source>,
    /// What it was measured to do.
    pub metrics: Vec<Metric>,
    /// The command that remakes it.
    pub recipe: String,
}

/// A recogniser whose bytes are those that its manifest describes.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveModel {
    /// The folder.
    pub dir: PathBuf,
    /// What is known about it.
    pub manifest: LiveManifest,
    /// The bytes of the network of one step.
    pub network: Vec<u8>,
    /// The bytes of the rescorer, where it has one.
    pub rescorer: Option<Vec<u8>>,
}

impl LiveModel {
    /// Opens a shipped model by its name, or any by its folder.
    ///
    /// # Errors
    /// As [`LiveModel::open`].
    pub fn find(name_or_folder: &str) -> Result<Self, Error> {
        Self::open(&store::weights(name_or_folder).unwrap_or_else(|| PathBuf::from(name_or_folder)))
    }

    /// Opens the model in a folder and checks it.
    ///
    /// # Errors
    /// [`Error::NoModel`] where a file is missing, [`Error::Manifest`] where the manifest is broken or of
    /// another kind, [`Error::ModelChanged`] where a network's bytes are not those that it describes.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(MANIFEST);
        let wrong = |why: String| Error::Manifest { path: path.clone(), why };
        let bytes = read(dir, MANIFEST, MANIFEST_LIMIT)?;
        let manifest: LiveManifest = serde_json::from_slice(&bytes)
            .map_err(|e| wrong(format!("not the manifest of a recogniser of continuous signing ({e})")))?;
        manifest.check().map_err(wrong)?;
        let network = manifest::network(dir, NETWORK, &manifest.sha256)?;
        let rescorer =
            manifest.rescorer.as_ref().map(|r| manifest::network(dir, RESCORE, &r.sha256)).transpose()?;
        Ok(Self { dir: dir.to_owned(), manifest, network, rescorer })
    }
}

impl LiveManifest {
    /// Logits of a step: blank, glosses and both gates.
    pub fn logits(&self) -> usize {
        1 + self.glosses.len() + 2 * BIO
    }

    /// What is wrong with the manifest.
    fn check(&self) -> Result<(), String> {
        if self.kind != Kind::Continuous {
            return Err("it tells single signs apart; this needs one that reads continuous signing".into());
        }
        if self.features != stream::NAME || self.width != stream::WIDTH || self.step_s != stream::STEP_S {
            return Err(format!(
                "its input is {} of {} values every {} s, and this program computes {} of {} every {} s",
                self.features,
                self.width,
                self.step_s,
                stream::NAME,
                stream::WIDTH,
                stream::STEP_S
            ));
        }
        if self.memory.checked_mul(self.hidden).is_none_or(|n| n == 0 || n > STATE_LIMIT) {
            return Err(format!("its state is {} x {}, which no unit keeps", self.memory, self.hidden));
        }
        if self.glosses.is_empty() || self.glosses.len() > LABEL_LIMIT {
            return Err(format!("it has {} glosses, and 1 to {LABEL_LIMIT} make sense", self.glosses.len()));
        }
        let mut keys = HashSet::new();
        if let Some(twice) = self.glosses.iter().find(|gloss| !keys.insert(label_key(gloss))) {
            return Err(format!("its gloss {twice:?} is there twice"));
        }
        if self.name.trim().is_empty() {
            return Err("it has no name".into());
        }
        let delays = [self.delay_s, self.gate_delay_s];
        if delays.iter().any(|s| !(0.0..=10.0).contains(s)) {
            return Err(format!("its delays are {delays:?} s, which is not within 0 to 10"));
        }
        if let Some(rescorer) = &self.rescorer {
            rescorer.check(self.hidden, 1 + self.glosses.len())?;
        }
        self.rules.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::sha256;

    fn manifest() -> LiveManifest {
        LiveManifest {
            name: "test".into(),
            kind: Kind::Continuous,
            sha256: sha256(b"network"),
            features: stream::NAME.into(),
            step_s: stream::STEP_S,
            width: stream::WIDTH,
            memory: 4,
            hidden: 8,
            glosses: vec!["A".into(), "B".into()],
            delay_s: 0.44,
            gate_delay_s: 0.16,
            rules: Rules::PLAIN,
            rescorer: None,
            data: vec![],
            metrics: vec![],
            recipe: "none".into(),
        }
    }

    /// Opens a folder with that manifest and a network, and gives the error's words.
    #[track_caller]
    fn check(case: &str, manifest: &LiveManifest, expect: &str) {
        let dir = std::env::temp_dir().join(format!("signpost-live-{}-{case}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(MANIFEST), serde_json::to_vec(manifest).unwrap()).unwrap();
        std::fs::write(dir.join(NETWORK), b"network").unwrap();
        std::fs::write(dir.join(RESCORE), b"rescorer").unwrap();
        let said = LiveModel::open(&dir).map_or_else(|e| e.to_string(), |m| m.manifest.name);
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn opens_what_is_whole_and_refuses_the_rest() {
        let good = manifest();
        check("good", &good, "test");
        check("changed", &LiveManifest { sha256: sha256(b"other"), ..good.clone() }, "was changed");
        check("kind", &LiveManifest { kind: Kind::Isolated, ..good.clone() }, "tells single signs apart");
        check("width", &LiveManifest { width: 3, ..good.clone() }, "this program computes stream-v1");
        check("state", &LiveManifest { memory: usize::MAX, ..good.clone() }, "which no unit keeps");
        check("twice", &LiveManifest { glosses: vec!["a".into(), "A".into()], ..good.clone() }, "twice");
        check("late", &LiveManifest { delay_s: -1.0, ..good.clone() }, "delays");
        let rules = Rules { accept: 1.5, ..Rules::PLAIN };
        check("rules", &LiveManifest { rules, ..good.clone() }, "\"accept\" is 1.5");
    }

    #[test]
    fn a_rescorer_is_read_back_and_a_bad_one_refused() {
        let own = Rescorer {
            sha256: sha256(b"rescorer"),
            steps: 10,
            hypotheses: 2,
            length: 3,
            attention: 0.5,
            confidence: [0.5, -0.25, 2.0],
            accept: 0.75,
        };
        let with = |rescorer: Rescorer| LiveManifest { rescorer: Some(rescorer), ..manifest() };
        check("rescorer", &with(own.clone()), "test");
        let text = serde_json::to_string(&with(own.clone())).unwrap();
        assert_eq!(serde_json::from_str::<LiveManifest>(&text).unwrap(), with(own.clone()));
        check("lost", &with(Rescorer { sha256: sha256(b"other"), ..own.clone() }), RESCORE);
        check("none", &with(Rescorer { steps: 0, ..own.clone() }), "0 steps");
        check("many", &with(Rescorer { hypotheses: usize::MAX, ..own.clone() }), "which no unit does");
        check(
            "large",
            &with(Rescorer { hypotheses: 4096, length: 4096, ..own.clone() }),
            "which no unit does",
        );
        check("share", &with(Rescorer { attention: 1.5, ..own.clone() }), "\"attention\" is 1.5");
        check("accept", &with(Rescorer { accept: -0.5, ..own }), "\"accept\" is -0.5");
    }
}
