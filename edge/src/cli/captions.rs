//! What `signpost read --captions` keeps: what was read, with its times, for subtitles or for ELAN.

use std::path::Path;

use models::annotation::{
    Annotation, Document, Media, SENTENCE, SIGN, Tier, write_eaf_file, write_srt, write_vtt,
};
use models::whole;

use crate::Fault;
use crate::language::{Event, Sign};

/// The endings of files that captions can be written to.
pub const ENDINGS: [&str; 3] = ["srt", "vtt", "eaf"];

/// Signs and utterances as they were read.
#[derive(Debug, Default)]
pub struct Captions {
    signs: Vec<Annotation>,
    utterances: Vec<Annotation>,
}

impl Captions {
    /// Takes what the reader said.
    pub fn note(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::Sign(Sign { t, from, text, .. }) => add(&mut self.signs, *from, *t, text),
                Event::Utterance { from, to, text, .. } => add(&mut self.utterances, *from, *to, text),
                _ => {}
            }
        }
    }

    /// How many utterances were read.
    pub fn utterances(&self) -> usize {
        self.utterances.len()
    }

    /// Writes utterances as subtitles, or signs and utterances as the tiers of an ELAN document about `source`.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path, source: &str) -> Result<(), Fault> {
        let file = |e| Fault::file(path, e);
        if super::ends_in(path, &["eaf"]) {
            return Ok(write_eaf_file(path, &self.document(source))?);
        }
        let vtt = super::ends_in(path, &["vtt"]);
        let text = if vtt { write_vtt(&self.utterances)? } else { write_srt(&self.utterances)? };
        whole::write(path, text).map_err(file)
    }

    fn document(&self, source: &str) -> Document {
        let tier = |name: &str, annotations: &[Annotation]| Tier {
            name: name.into(),
            annotations: annotations.to_vec(),
        };
        Document {
            author: "signpost".into(),
            media: media(Path::new(source)).into_iter().collect(),
            tiers: vec![tier(SIGN, &self.signs), tier(SENTENCE, &self.utterances)],
            ..Document::default()
        }
    }
}

/// Adds a text with its time, behind the one before: in a tier, and on a screen, one follows the other.
fn add(to: &mut Vec<Annotation>, from_s: f64, to_s: f64, text: &str) {
    let ms = |s: f64| (s * 1e3).round().clamp(0.0, f64::from(u32::MAX - 1)) as u32;
    let start = ms(from_s).max(to.last().map_or(0, |last| last.end_ms));
    to.push(Annotation::new(start, ms(to_s).max(start + 1), text));
}

/// The video that was read, as ELAN looks for it; none where the source was no file of that kind.
fn media(source: &Path) -> Option<Media> {
    let mime = match source.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "avi" => "video/x-msvideo",
        _ => return None,
    };
    let whole = source.canonicalize().ok()?;
    let url = format!("file://{}", whole.display());
    Some(Media {
        url,
        relative_url: format!("./{}", whole.file_name()?.to_string_lossy()),
        mime: mime.into(),
    })
}

#[cfg(test)]
mod tests {
    use models::annotation::{read_eaf_file, read_srt, read_vtt};

    use super::*;

    fn captions() -> Captions {
        let sign = |t, from, text: &str| {
            let (text, model) = (text.into(), String::new());
            Event::Sign(Sign { t, from, text, confidence: 0.9, model, others: vec![] })
        };
        let mut captions = Captions::default();
        // The second sign came on top before the first had settled.
        captions.note(&[sign(1.0, 0.5, "HELLO"), sign(1.6, 0.9, "TEA")]);
        let text = "HELLO TEA".into();
        captions.note(&[Event::Utterance { t: 2.4, from: 0.5, to: 1.9, text, confidence: 0.9 }]);
        captions
    }

    #[test]
    fn one_recording_comes_out_in_every_format() {
        let folder = std::env::temp_dir().join(format!("signpost-captions-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let utterance = vec![Annotation::new(500, 1900, "HELLO TEA")];
        let write = |name: &str| {
            let path = folder.join(name);
            captions().write(&path, "nowhere.pose").unwrap();
            path
        };
        assert_eq!(read_srt(&std::fs::read(write("a.srt")).unwrap()).unwrap(), utterance);
        assert_eq!(read_vtt(&std::fs::read(write("a.VTT")).unwrap()).unwrap(), utterance);
        let document = read_eaf_file(&write("a.eaf")).unwrap();
        assert_eq!(document.tier(SENTENCE), utterance);
        let signs = [Annotation::new(500, 1000, "HELLO"), Annotation::new(1000, 1600, "TEA")];
        assert_eq!(document.tier(SIGN), signs);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
