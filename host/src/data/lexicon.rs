//! Letters out of a fingerspelling lexicon: `.pose` clips by other signers than the data sets'.
//!
//! The lexicon has one clip a letter. ASL's own 26 are too few people to learn from,
//! but several one-handed alphabets share most of their handshapes with it, so their
//! letters are used where they look like ASL's ([`ALPHABETS`]).

use std::path::Path;

use models::features::Sight;
use models::lexicon::Lexicon;

use super::Clip;
use super::pose_folder::clip;
use crate::Error;

/// How manifests name the letters of the lexicon.
pub const LEXICON: &str = "fingerspelling lexicon of spoken-to-signed 0.4.0";

/// Sign languages by their ISO 639-3 codes, and the letters that look like ASL's.
///
/// ASL's are all there. Of the others those stand here that a classifier trained on ASL alone put first
/// or second in two runs of three; D, I, U and W were added by hand where the handshape is ASL's.
pub const ALPHABETS: [(&str, &str); 6] = [
    ("ase", "abcdefghijklmnopqrstuvwxyz"),
    ("asq", "abcdefgijklpqruvwyz"),
    ("bzs", "abcdefgijklopqruvwyz"),
    ("gsg", "abcdefghijklmnopqrsuvwxyz"),
    ("mfs", "abcdefghijkloqrtuvwz"),
    ("sgg", "abcdefghijklopqruvwyz"),
];

/// The letters of [`ALPHABETS`], without those of the sign languages left out. Their group is the language.
///
/// # Errors
/// Where the lexicon or one of its clips cannot be read, or no letter is left.
pub fn letters(folder: &Path, leave_out: &[String]) -> Result<Vec<Clip>, Error> {
    let what = || format!("the lexicon {}", folder.display());
    if !folder.join("index.csv").is_file() {
        return Err(Error::NoClips { what: what(), next: "run `cargo xtask setup` to bring it".into() });
    }
    let lexicon = Lexicon::open(folder)?;
    let mut clips = Vec::new();
    for (language, like_asl) in ALPHABETS.iter().filter(|(l, _)| !leave_out.iter().any(|out| out == l)) {
        for entry in lexicon.entries(language) {
            let label = entry.glosses.to_lowercase();
            if label.chars().count() == 1 && like_asl.contains(&label) {
                let track = lexicon.clip(entry)?;
                let mut letter = clip(label, language, 0, &track);
                letter.iter_mut().for_each(|c| scale_depth(&mut c.sights, track.size[0] as f32));
                clips.extend(letter);
            }
        }
    }
    if clips.is_empty() {
        let known = ALPHABETS.map(|(language, _)| language).join(", ");
        let next = format!(
            "only manual alphabets of {known} are read, so give `lexicon/fingerspelling` of the cache folder, \
             which `cargo xtask setup` fills"
        );
        return Err(Error::NoClips { what: what(), next });
    }
    Ok(clips)
}

/// Brings depth to pixels where the file kept it in picture widths, as MediaPipe gives it.
///
/// Such a hand would be flatter than a sheet of paper.
fn scale_depth(sights: &mut [Sight], width: f32) {
    let spread = |axis: usize| {
        let seen =
            sights.iter().flat_map(|s| (0..2).filter(|&side| s.hand_seen[side]).map(|side| &s.hands[side]));
        seen.map(|hand| (hand[9][axis] - hand[0][axis]).abs() + (hand[8][axis] - hand[5][axis]).abs())
            .sum::<f32>()
    };
    if spread(2) < 0.02 * spread(1) {
        for p in sights.iter_mut().flat_map(|s| s.hands.as_flattened_mut()) {
            p[2] *= width;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_folders_get_a_next_step() {
        let folder = std::env::temp_dir().join(format!("signpost-letters-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let said = || letters(&folder, &[]).unwrap_err().to_string();
        let absent = said();
        let header = "path,spoken_language,signed_language,start,end,words,glosses,priority\n";
        std::fs::write(folder.join("index.csv"), format!("{header}a.pose,en,xyz,0,0,house,HOUSE,0\n"))
            .unwrap();
        let other = said();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(absent.ends_with("run `cargo xtask setup` to bring it"), "{absent}");
        assert!(other.contains("ase, asq, bzs, gsg, mfs, sgg"), "{other}");
    }
}
