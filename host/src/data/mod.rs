//! Recorded signing as clips: readers for the data sets, and the changes that training makes to them.

pub mod augment;
pub mod compose;
mod isolated;
mod lexicon;
pub mod npy;
pub(crate) mod pose_folder;
pub mod sentences;
mod utterances;

use std::collections::HashMap;

use models::features::Sight;
use models::gloss::label_key;
use models::manifest::HeldOut;

pub use isolated::{Aspect, Isolated, Recording, index_file, recordings};
pub use lexicon::{ALPHABETS, LEXICON, letters};
pub use pose_folder::pose_folder;
pub use utterances::{TimedGloss, UTTERANCES, Utterance, utterances, write_utterances};

/// One sign or letter, from the first frame of its recording to the last.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// What is signed, as the data set writes it.
    pub label: String,
    /// Who signed, or which recording set it belongs to; may be empty.
    pub group: String,
    /// Its number among the clips of its label.
    pub seq: u32,
    /// The part of its corpus (`train`, `val`, `test`); empty where the corpus has none.
    pub split: String,
    /// The smallest subset of its corpus that holds its label, for example 100 of WLASL100.
    pub tier: Option<u32>,
    /// `[T]` frames.
    pub sights: Vec<Sight>,
}

/// Which clips are held out of training: `[N]`, true where held out.
pub fn held_out(clips: &[Clip], rule: &HeldOut) -> Vec<bool> {
    held_out_of(clips, |c| Origin { label: &c.label, group: &c.group, split: &c.split, seq: c.seq }, rule)
}

/// Where a clip comes from, as far as it decides whether it is held out.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its label.
    pub label: &'a str,
    /// Its recording set or signer.
    pub group: &'a str,
    /// The part of the corpus that its makers put it into.
    pub split: &'a str,
    /// Its number among the clips of its label.
    pub seq: u32,
}

/// Which of these items are held out of training; `of` says where one comes from.
pub fn held_out_of<T>(items: &[T], of: impl Fn(&T) -> Origin<'_>, rule: &HeldOut) -> Vec<bool> {
    match rule {
        HeldOut::Nothing => vec![false; items.len()],
        HeldOut::Group(group) => items.iter().map(|c| of(c).group == group).collect(),
        HeldOut::Groups(groups) => items.iter().map(|c| groups.iter().any(|g| g == of(c).group)).collect(),
        HeldOut::Split(split) => items.iter().map(|c| of(c).split == split).collect(),
        HeldOut::Last(count) => {
            let mut by_label: HashMap<String, Vec<usize>> = HashMap::new();
            for (i, item) in items.iter().enumerate() {
                by_label.entry(label_key(of(item).label)).or_default().push(i);
            }
            let mut held = vec![false; items.len()];
            for mut members in by_label.into_values() {
                members.sort_by_key(|&i| (of(&items[i]).seq, i));
                let n = members.len();
                let count = if n >= 2 * count { *count } else { n / 3 };
                for &i in &members[n - count..] {
                    held[i] = true;
                }
            }
            held
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_clips_of_each_label_are_held_out() {
        let clip = |label: &str, seq| Clip {
            label: label.into(),
            group: "g".into(),
            seq,
            split: if seq > 7 { "val".into() } else { String::new() },
            tier: None,
            sights: vec![],
        };
        let clips: Vec<_> = [5, 1, 4, 2, 3]
            .map(|seq| clip("a", seq))
            .into_iter()
            .chain([7, 8, 9].map(|s| clip("b", s)))
            .collect();
        let held = held_out(&clips, &HeldOut::Last(2));
        assert_eq!(held, [true, false, true, false, false, false, false, true]);
        assert_eq!(held_out(&clips, &HeldOut::Group("g".into())), [true; 8]);
        assert_eq!(held_out(&clips, &HeldOut::Groups(vec!["f".into(), "g".into()])), [true; 8]);
        assert_eq!(held_out(&clips, &HeldOut::Nothing), [false; 8]);
        let val = held_out(&clips, &HeldOut::Split("val".into()));
        assert_eq!(val, [false, false, false, false, false, false, true, true]);
    }
}
