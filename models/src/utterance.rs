//! Utterances of a corpus of continuous signing: one JSON object a line, with the `.pose` files beside.
//!
//! `{"id": "a-1", "signer": "anna", "pose": "a-1.pose", "glosses": [{"gloss": "HELLO", "start_s": 0.2,
//! "end_s": 0.9}], "text": "Hello.", "split": "val", "seed": 7}`. Only `id` and `glosses` must be there. A sign counts from the frame in which its hands have arrived to the frame in which they
//! leave; the ways between signs belong to none.

use serde::{Deserialize, Serialize};

/// The name of the file that lists a folder's utterances.
pub const INDEX: &str = "utterances.jsonl";

/// One utterance, from rest to rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Utterance {
    /// Its name, once in a corpus.
    pub id: String,
    /// Who signs; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signer: String,
    /// The `.pose` file, relative to the folder of the list, with `/` between folders; none of what was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<String>,
    /// The signs in order; empty where the person only rests or gestures.
    pub glosses: Vec<TimedGloss>,
    /// What it means, in a spoken language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The part of the corpus that it belongs to: `train` or `val`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// The seed that it was made with, where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// `[T]`: when each frame was taken, in seconds from the first. Absent where frames follow evenly at
    /// the rate of the file; a `.pose` file knows one rate only, which is the mean then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps_s: Option<Vec<f64>>,
}

/// A sign of an utterance and when it is signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedGloss {
    /// Its gloss; a letter of a spelled word is a gloss of its own, of one character.
    pub gloss: String,
    /// When it begins, in seconds from the first frame.
    pub start_s: f64,
    /// When it ends, in seconds from the first frame; never before it begins.
    pub end_s: f64,
    /// How sure a recogniser is of it, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_absent_is_absent_in_the_line() {
        let line = r#"{"id":"a","signer":"s","pose":"a.pose","glosses":[{"gloss":"YES","start_s":0.5,"end_s":1.0}]}"#;
        let utterance: Utterance = serde_json::from_str(line).unwrap();
        assert_eq!((utterance.seed, utterance.stamps_s.as_deref()), (None, None));
        assert_eq!(serde_json::to_string(&utterance).unwrap(), line);
    }
}
