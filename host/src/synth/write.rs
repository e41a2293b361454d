//! Writes synthetic utterances: a list, and a `.pose` file each.

use std::path::Path;

use models::pose_file::write_track_file;
use models::utterance::{INDEX, Utterance};

use super::{Made, Synth};
use crate::Error;
use crate::data::write_utterances;

/// Steps between frames are even where they differ by less, in seconds: stamps are whole microseconds.
const EVEN_S: f64 = 5e-6;

/// How much is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent {
    /// So many utterances.
    Count(u64),
    /// Utterances of at least so many seconds together.
    Seconds(f64),
}

/// Writes utterances into a folder, and the list last: where a list stands, all of its files do.
///
/// `tell` hears the number of utterances and of seconds that are done.
///
/// # Errors
/// Where the folder cannot be written.
pub fn write(
    synth: &Synth,
    extent: Extent,
    out: &Path,
    tell: impl Fn(u64, f64),
) -> Result<(u64, f64), Error> {
    std::fs::create_dir_all(out).map_err(Error::io("make the folder", out))?;
    let index = out.join(INDEX);
    match std::fs::remove_file(&index) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("replace", &index)(error));
        }
        _ => {}
    }
    let (mut utterances, mut count, mut seconds) = (vec![], 0, 0.0);
    let enough = |count: u64, seconds: f64| match extent {
        Extent::Count(most) => count >= most,
        Extent::Seconds(most) => seconds >= most,
    };
    while !enough(count, seconds) {
        let made = synth.utterance(count);
        let pose = format!("{}.pose", made.id);
        write_track_file(out.join(&pose), &made.track)?;
        count += 1;
        seconds += made.stamps_s.last().copied().unwrap_or(0.0);
        utterances.push(listed(synth, made, pose));
        tell(count, seconds);
    }
    write_utterances(&index, &utterances)?;
    Ok((count, seconds))
}

fn listed(synth: &Synth, made: Made, pose: String) -> Utterance {
    let step = 1.0 / f64::from(made.track.fps);
    let even =
        made.stamps_s.iter().enumerate().all(|(i, at)| (at - i as f64 * step).abs() < EVEN_S + 1e-4 * at);
    Utterance {
        id: made.id,
        signer: made.signer,
        pose: Some(pose),
        glosses: made.glosses,
        text: made.text,
        split: Some(synth.split().name().into()),
        seed: Some(synth.seed()),
        stamps_s: (!even).then_some(made.stamps_s),
    }
}
