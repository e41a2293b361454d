//! The file of enrolled signs: one line with the SHA-256 of all that follows, then JSON.
//!
//! It holds labels and embeddings, and nothing that a picture or a landmark of a person could be
//! made from again. A file that was cut or changed is refused as a whole: a sign that is half
//! there would be read as another.

use std::collections::HashSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{EXAMPLES, Enrolled, Example, MOST_SIGNS, Sign, no_label};
use crate::Error;
use crate::gloss::label_key;
use crate::manifest::{VALUES_LIMIT, sha256};

/// How the first line begins; the number is the format's.
const HEAD: &str = "signpost-enrolled 1 ";
/// A thousand signs of five examples in 128 values are 17 megabytes of text.
const LIMIT: u64 = 64 << 20;
/// Rounding may move the length of a point by so much from 1.
const ROUNDING: f32 = 1e-3;

/// What the JSON says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    network: String,
    signs: Vec<BodySign>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodySign {
    label: String,
    signed: Vec<Vec<f32>>,
    mirrored: Vec<Vec<f32>>,
}

impl Enrolled {
    /// Reads the file of enrolled signs; `None` where there is none yet.
    ///
    /// # Errors
    /// [`Error::Enrolled`] where it is cut, changed, or not of this format, [`Error::TooLarge`], and
    /// [`Error::Io`] where the system refuses it.
    pub fn read(path: &Path) -> Result<Option<Self>, Error> {
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(Error::io("read", path))?,
        };
        let mut bytes = Vec::new();
        file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
        if bytes.len() as u64 > LIMIT {
            return Err(Error::TooLarge { path: path.to_owned(), limit: LIMIT });
        }
        Self::parse(&bytes).map(Some).map_err(|why| Error::Enrolled { path: path.to_owned(), why })
    }

    /// Writes the file whole: whoever is stopped meanwhile leaves the old one.
    ///
    /// # Errors
    /// [`Error::Io`] where the system refuses it.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        crate::whole::write(path, self.bytes()).map_err(Error::io("write", path))
    }

    fn bytes(&self) -> Vec<u8> {
        let points =
            |sign: &Sign, of: fn(&Example) -> &Vec<f32>| sign.examples.iter().map(of).cloned().collect();
        let signs = self.signs.iter().map(|sign| BodySign {
            label: sign.label.clone(),
            signed: points(sign, |e| &e.signed),
            mirrored: points(sign, |e| &e.mirrored),
        });
        let body = Body { network: self.network.clone(), signs: signs.collect() };
        let body = serde_json::to_vec(&body).expect("texts and numbers can be written");
        let mut bytes = format!("{HEAD}{}\n", sha256(&body)).into_bytes();
        bytes.extend(body);
        bytes
    }

    /// What bytes say, or what is wrong with them.
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let line = bytes.iter().position(|b| *b == b'\n').ok_or("it has no second line")?;
        let (head, body) = (&bytes[..line], &bytes[line + 1..]);
        let stated = head.strip_prefix(HEAD.as_bytes()).ok_or_else(|| {
            format!("it does not begin with {HEAD:?}, so another version of this program wrote it, or none")
        })?;
        if stated != sha256(body).as_bytes() {
            return Err("it was cut or changed after it was written".into());
        }
        let body: Body =
            serde_json::from_slice(body).map_err(|e| format!("it says nothing that is known ({e})"))?;
        let signs = body.signs.into_iter().map(BodySign::check).collect::<Result<Vec<_>, _>>()?;
        if signs.len() > MOST_SIGNS {
            return Err(format!("it has {} signs, and at most {MOST_SIGNS} are read", signs.len()));
        }
        let mut keys = HashSet::new();
        if let Some(twice) = signs.iter().find(|sign| !keys.insert(label_key(&sign.label))) {
            return Err(format!("its sign {:?} is there twice", twice.label));
        }
        let points: Vec<_> =
            signs.iter().flat_map(|s| &s.examples).flat_map(|e| [&e.signed, &e.mirrored]).collect();
        if points.windows(2).any(|pair| pair[0].len() != pair[1].len()) {
            return Err("its points differ in length".into());
        }
        Ok(Self { network: body.network, signs })
    }
}

impl BodySign {
    fn check(self) -> Result<Sign, String> {
        let Self { label, signed, mirrored } = self;
        if let Some(why) = no_label(&label) {
            return Err(format!("its label {label:?} {why}"));
        }
        if !EXAMPLES.contains(&signed.len()) || signed.len() != mirrored.len() {
            return Err(format!(
                "its sign {label:?} has {} examples, of which {} are mirrored",
                signed.len(),
                mirrored.len()
            ));
        }
        let is_point = |point: &Vec<f32>| {
            let length = point.iter().map(|v| v * v).sum::<f32>().sqrt();
            point.len() <= VALUES_LIMIT && (length - 1.0).abs() <= ROUNDING
        };
        if !signed.iter().chain(&mirrored).all(is_point) {
            return Err(format!("an example of its sign {label:?} is no point of length 1"));
        }
        let examples = signed.into_iter().zip(mirrored);
        Ok(Sign {
            label,
            examples: examples.map(|(signed, mirrored)| Example { signed, mirrored }).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enrolled() -> Enrolled {
        let example = |a: f32| Example { signed: vec![a.cos(), a.sin()], mirrored: vec![-a.cos(), a.sin()] };
        let sign = |label: &str, at: f32, n: u8| Sign {
            label: label.into(),
            examples: (0..n).map(|i| example(at + f32::from(i) * 0.1)).collect(),
        };
        Enrolled { network: "12ab".into(), signs: vec![sign("Amt", 0.1, 3), sign("감사 \"합\"", 2.0, 5)] }
    }

    /// What is said of a file whose JSON is the one given, with the right sum before it.
    #[track_caller]
    fn check(change: impl Fn(&mut Body), expect: &str) {
        let of = |e: Enrolled| -> Body {
            let bytes = e.bytes();
            let line = bytes.iter().position(|b| *b == b'\n').unwrap();
            serde_json::from_slice(&bytes[line + 1..]).unwrap()
        };
        let mut body = of(enrolled());
        change(&mut body);
        let body = serde_json::to_vec(&body).unwrap();
        let bytes = [format!("{HEAD}{}\n", sha256(&body)).as_bytes(), &body].concat();
        let said = Enrolled::parse(&bytes).map_or_else(|why| why, |e| format!("{} signs", e.signs.len()));
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = std::env::temp_dir().join(format!("signpost-enrolled-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("signs");
        let before = Enrolled::read(&path);
        let (written, refused) = (enrolled().write(&path), enrolled().write(&dir.join("absent/signs")));
        let after = Enrolled::read(&path);
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(before.unwrap(), None);
        written.unwrap();
        assert_eq!(after.unwrap(), Some(enrolled()));
        assert!(refused.unwrap_err().to_string().contains("cannot write"));
    }

    #[test]
    fn any_cut_and_any_flipped_bit_is_found() {
        let whole = enrolled().bytes();
        assert_eq!(Enrolled::parse(&whole).unwrap(), enrolled());
        for length in 0..whole.len() {
            assert!(Enrolled::parse(&whole[..length]).is_err(), "cut at {length}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                assert!(Enrolled::parse(&flipped).is_err(), "bit {bit} of byte {at}");
            }
        }
    }

    #[test]
    fn what_could_not_be_compared_with_is_refused() {
        check(|_| {}, "2 signs");
        check(|b| b.signs.clear(), "0 signs");
        check(|b| b.signs[1].label = "amt".into(), "\"amt\" is there twice");
        check(|b| b.signs[0].label = "<none>".into(), "stands for no sign");
        check(|b| drop(b.signs[0].signed.pop()), "2 examples, of which 3");
        check(
            |b| {
                b.signs[0].signed.pop();
                b.signs[0].mirrored.pop();
            },
            "2 examples",
        );
        check(|b| b.signs[0].signed[1] = vec![3.0, 4.0], "no point of length 1");
        check(|b| b.signs[0].signed[1].clear(), "no point of length 1");
        check(|b| b.signs[0].signed[1] = vec![1.0, 0.0, 0.0], "differ in length");
        check(
            |b| {
                b.signs = (0..1001)
                    .map(|i| BodySign {
                        label: i.to_string(),
                        signed: vec![vec![1.0]; 3],
                        mirrored: vec![vec![1.0]; 3],
                    })
                    .collect()
            },
            "1001 signs",
        );
    }
}
