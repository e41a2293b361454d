//! Reads SignStream's XML, in which ASLLRP's corpora of American Sign Language are annotated.
//!
//! Two kinds are about. A database (`SIGNSTREAM-DATABASE`, of SignStream 2 and 3) has fields by number, each
//! utterance in a `SEGMENT` of `TRACK`s of `A`nnotations, whose times count from the utterance's start:
//!
//! ```xml
//! <CODING-SCHEME><FIELD ID="10000" NAME="main gloss"/></CODING-SCHEME>
//! <UTTERANCE ID="3" S="666" E="3333"><SEGMENT PARTICIPANT-ID="0">
//!   <TRACK FID="10000"><A S="300" E="700">IX-1p</A></TRACK></SEGMENT></UTTERANCE>
//! ```
//!
//! An export of the web interface (`SIGNSTREAM_DAI`) counts frames of the video and quotes its texts:
//!
//! ```xml
//! <SEGMENT-TIER><PARTICIPANT>'Cory'</PARTICIPANT><UTTERANCES><UTTERANCE ID='1' START_FRAME='0' END_FRAME='9'>
//!   <TRANSLATION>'…'</TRANSLATION><MANUALS><SIGN ID='1'><LABEL>'WHY'</LABEL>
//!   <DOMINANT_HAND START_FRAME='2' END_FRAME='5'/></SIGN></MANUALS></UTTERANCE></UTTERANCES></SEGMENT-TIER>
//! ```
//!
//! What else stands in them (handshapes, non-manual markers) is passed over. Labels keep ASLLRP's marks:
//! [`Convention::asllrp`](crate::gloss::Convention::asllrp) takes them apart.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::xml::{attributes, letter, one_line};
use super::{Annotation, Document};
use crate::Error;
use crate::utterance::{TimedGloss, Utterance};

/// Elements lie no deeper in any file of SignStream's.
const MAX_DEPTH: usize = 64;
/// The fields of glosses and of the English translation where the coding scheme does not name them.
const GLOSS_FIELD: &str = "10000";
const TRANSLATION_FIELD: &str = "20001";

/// What a file's times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Frames of the video; a sign lasts through its last one.
    Frames,
    /// Units of the movie's own clock, mostly thousandths of a second.
    Ticks,
}

/// All utterances of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignStream {
    /// What their times count.
    pub clock: Clock,
    /// In the order of the file.
    pub utterances: Vec<Signed>,
}

/// An utterance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signed {
    /// Its number in its collection.
    pub id: String,
    /// The collection's name; empty in databases.
    pub collection: String,
    /// Who signs; may be empty.
    pub signer: String,
    /// From when to when in the video, by the file's clock; zeros where the file does not say it.
    pub span: [i64; 2],
    /// What it means in English; may be empty.
    pub translation: String,
    /// In the order in which they begin; those without a time stay where the file has them.
    pub glosses: Vec<SignedGloss>,
}

/// A sign of an utterance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedGloss {
    /// As annotated.
    pub label: String,
    /// From when to when in the video, by the file's clock.
    pub span: Option<[i64; 2]>,
}

impl SignStream {
    /// As utterances of a corpus, with times in seconds from each utterance's start.
    ///
    /// `per_second` is how much of the clock makes a second: the frame rate of the video, or 1000 of most movies.
    /// Signs without a time share what lies between their neighbours.
    pub fn utterances(&self, per_second: f64) -> Vec<Utterance> {
        let last = if self.clock == Clock::Frames { 1 } else { 0 };
        let timed = |signed: &Signed| {
            let start = signed.span[0];
            let seconds = |at: i64| (at.saturating_sub(start) as f64 / per_second).max(0.0);
            let end_s = seconds(signed.span[1].saturating_add(last)).max(seconds(signed.span[1]));
            let spans: Vec<Option<[f64; 2]>> = signed
                .glosses
                .iter()
                .map(|gloss| {
                    gloss.span.map(|[a, b]| [seconds(a), seconds(b.saturating_add(last)).max(seconds(a))])
                })
                .collect();
            let glosses = signed.glosses.iter().zip(filled(&spans, end_s));
            Utterance {
                id: [&*signed.collection, &*signed.id]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .copied()
                    .collect::<Vec<_>>()
                    .join("-"),
                signer: signed.signer.clone(),
                glosses: glosses
                    .map(|(gloss, [start_s, end_s])| TimedGloss {
                        gloss: gloss.label.clone(),
                        start_s,
                        end_s,
                        confidence: None,
                    })
                    .collect(),
                text: Some(signed.translation.clone()).filter(|text| !text.is_empty()),
                ..Utterance::default()
            }
        };
        self.utterances.iter().map(timed).collect()
    }
}

/// The glosses of an `.eaf` document that was made of such a database: those of the tier of main glosses.
///
/// Converters name it `main gloss`, `main-gloss` or `Main Gloss`. Nothing where there is no such tier.
pub fn main_glosses(document: &Document) -> Option<&[Annotation]> {
    let main = |name: &str| {
        let letters: String =
            name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
        letters == "maingloss"
    };
    document.tiers.iter().find(|tier| main(&tier.name)).map(|tier| tier.annotations.as_slice())
}

/// Runs of signs without a time share the time between their neighbours evenly.
fn filled(spans: &[Option<[f64; 2]>], end_s: f64) -> Vec<[f64; 2]> {
    let mut out: Vec<[f64; 2]> = Vec::with_capacity(spans.len());
    for (k, span) in spans.iter().enumerate() {
        out.push(span.unwrap_or_else(|| {
            let from = out.last().map_or(0.0, |[_, end]| *end);
            let next = spans[k..].iter().position(Option::is_some);
            let until = next.and_then(|n| spans[k + n]).map_or(end_s, |[start, _]| start).max(from);
            let share = (until - from) / next.unwrap_or(spans.len() - k) as f64;
            [from, from + share]
        }));
    }
    out
}

/// Reads the bytes of either kind.
///
/// # Errors
/// [`Error::SignStream`] where the bytes are no XML in UTF-8, or neither kind, or hold a time that is none.
pub fn read_signstream(bytes: &[u8]) -> Result<SignStream, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| wrong(e.valid_up_to() as u64, "its text is not UTF-8"))?
        .trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut parts, mut open, mut clock) = (Parts::default(), Vec::<String>::new(), None);
    loop {
        let offset = reader.buffer_position();
        let event = reader.read_event().map_err(|e| wrong(reader.error_position(), one_line(&e)))?;
        let at = |why: String| wrong(offset, why);
        match event {
            Event::Start(tag) => {
                let name = String::from_utf8_lossy(tag.name().as_ref()).into_owned();
                if open.is_empty() {
                    clock = match (&*name, clock) {
                        ("SIGNSTREAM_DAI", None) => Some(Clock::Frames),
                        ("SIGNSTREAM-DATABASE", None) => Some(Clock::Ticks),
                        _ => return Err(at("it is another kind of XML".into())),
                    };
                }
                if open.len() >= MAX_DEPTH {
                    return Err(at(format!("its elements lie more than {MAX_DEPTH} deep")));
                }
                parts.text.clear();
                parts.start(&name, &tag).map_err(at)?;
                open.push(name);
            }
            Event::End(_) => {
                let name = open.pop().unwrap_or_default();
                let within = open.last().map_or("", String::as_str);
                parts.end(&name, within);
                parts.text.clear();
            }
            Event::Text(text) => parts.text += &text.xml10_content().map_err(|e| at(one_line(&e)))?,
            Event::CData(text) => parts.text += &text.xml10_content().map_err(|e| at(one_line(&e)))?,
            Event::GeneralRef(name) => parts.text += &letter(&name).map_err(at)?,
            Event::DocType(tag) if tag.contains(&b'[') => {
                return Err(at("it declares entities of its own, which SignStream never does".into()));
            }
            Event::Eof if !open.is_empty() => return Err(at("it ends too early".into())),
            Event::Eof => break,
            _ => {}
        }
    }
    let clock = clock.ok_or_else(|| wrong(0, "it is empty"))?;
    Ok(SignStream { clock, utterances: parts.done })
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    done: Vec<Signed>,
    /// The text since the last tag.
    text: String,
    /// Field → name, in small letters.
    fields: HashMap<String, String>,
    /// Number → name.
    participants: HashMap<String, String>,
    collection: String,
    /// Who signs in the tier that is open.
    signer: String,
    utterance: Option<Signed>,
    track: Track,
    sign: Option<SignedGloss>,
}

/// What the track that is open holds.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Track {
    Glosses,
    Translation,
    #[default]
    Other,
}

impl Parts {
    fn start(&mut self, name: &str, tag: &BytesStart<'_>) -> Result<(), String> {
        match name {
            "COLLECTION" => {
                [self.collection] = attributes(tag, ["NAME"])?.map(|n| unquoted(&n.unwrap_or_default()))
            }
            "SEGMENT-TIER" => self.signer.clear(),
            "PARTICIPANT" => {
                let [id, name, label] = attributes(tag, ["ID", "NAME", "LABEL"])?;
                if let (Some(id), Some(name)) = (id, label.or(name)) {
                    self.participants.insert(id, name);
                }
            }
            "FIELD" => {
                let [id, name] = attributes(tag, ["ID", "NAME"])?;
                if let (Some(id), Some(name)) = (id, name) {
                    self.fields.insert(id, name.to_lowercase());
                }
            }
            "UTTERANCE" => {
                let [id, s, e, start, end] = attributes(tag, ["ID", "S", "E", "START_FRAME", "END_FRAME"])?;
                let span = [time(start.or(s))?.unwrap_or(0), time(end.or(e))?.unwrap_or(0)];
                let (collection, signer) = (self.collection.clone(), self.signer.clone());
                let id = id.unwrap_or_default();
                self.utterance = Some(Signed { id, collection, signer, span, ..Signed::default() });
            }
            "SEGMENT" => {
                let [id] = attributes(tag, ["PARTICIPANT-ID"])?;
                if let (Some(of), Some(name)) =
                    (&mut self.utterance, id.and_then(|id| self.participants.get(&id)))
                {
                    of.signer.clone_from(name);
                }
            }
            "TRACK" => {
                let [field] = attributes(tag, ["FID"])?;
                let field = field.unwrap_or_default();
                let named = self.fields.get(&field).map(String::as_str);
                self.track = match named {
                    Some("main gloss") => Track::Glosses,
                    Some(name) if name.contains("translation") => Track::Translation,
                    // A scheme that names no glosses: those of the published databases.
                    _ if field == GLOSS_FIELD => Track::Glosses,
                    _ if field == TRANSLATION_FIELD => Track::Translation,
                    _ => Track::Other,
                };
            }
            "A" if self.track == Track::Glosses => {
                let [start, end] = attributes(tag, ["S", "E"])?;
                let from = self.utterance.as_ref().map_or(0, |of| of.span[0]);
                let span = span(start, end)?.map(|span| span.map(|at| at.saturating_add(from)));
                self.sign = Some(SignedGloss { label: String::new(), span });
            }
            "SIGN" => self.sign = Some(SignedGloss { label: String::new(), span: None }),
            // The dominant hand comes first; where it rests the other one signs.
            "DOMINANT_HAND" | "NON_DOMINANT_HAND" => {
                let [start, end] = attributes(tag, ["START_FRAME", "END_FRAME"])?;
                if let Some(sign) = self.sign.as_mut().filter(|sign| sign.span.is_none()) {
                    sign.span = span(start, end)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str, within: &str) {
        let text = unquoted(&self.text);
        match (name, within) {
            ("PARTICIPANT", "SEGMENT-TIER") => self.signer = text,
            ("TRANSLATION", "UTTERANCE") => {
                if let Some(of) = &mut self.utterance {
                    of.translation = text;
                }
            }
            ("LABEL", "SIGN") => {
                if let Some(sign) = &mut self.sign {
                    sign.label = text;
                }
            }
            ("A", _) if self.track == Track::Translation => {
                if let Some(of) = self.utterance.as_mut().filter(|_| !text.is_empty()) {
                    let gap = if of.translation.is_empty() { "" } else { " " };
                    of.translation += &format!("{gap}{text}");
                }
            }
            ("A", _) if self.track == Track::Glosses => {
                if let Some(sign) = &mut self.sign {
                    sign.label = text;
                }
                self.put();
            }
            ("SIGN", _) => self.put(),
            ("TRACK", _) => self.track = Track::Other,
            ("UTTERANCE", _) => {
                if let Some(mut of) = self.utterance.take() {
                    // Only those with a time have a place to go to.
                    if of.glosses.iter().all(|gloss| gloss.span.is_some()) {
                        of.glosses.sort_by_key(|gloss| gloss.span);
                    }
                    self.done.push(of);
                }
            }
            _ => {}
        }
    }

    /// The sign that is open is done; annotations without a text are marks of holds, and no signs.
    fn put(&mut self) {
        if let (Some(of), Some(sign)) =
            (&mut self.utterance, self.sign.take().filter(|s| !s.label.is_empty()))
        {
            of.glosses.push(sign);
        }
    }
}

/// A text without the space around it and the quotes that exports put there.
fn unquoted(text: &str) -> String {
    let text = text.trim();
    let inner = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
    inner.unwrap_or(text).trim().to_owned()
}

/// A time; negative where an annotation begins before its utterance.
fn time(value: Option<String>) -> Result<Option<i64>, String> {
    let Some(value) = value else { return Ok(None) };
    let number = value.trim().trim_matches('\'');
    number.parse().map(Some).map_err(|_| format!("{value:?} is no time in whole numbers"))
}

fn span(start: Option<String>, end: Option<String>) -> Result<Option<[i64; 2]>, String> {
    match (time(start)?, time(end)?) {
        (Some(start), Some(end)) if end < start => {
            Err(format!("a sign ends at {end}, before it begins at {start}"))
        }
        (Some(start), Some(end)) => Ok(Some([start, end])),
        _ => Ok(None),
    }
}

fn wrong(offset: u64, why: impl Into<String>) -> Error {
    Error::SignStream { offset, why: why.into() }
}

#[cfg(test)]
mod tests {
    use super::super::Tier;
    use super::*;

    const DATABASE: &str = r#"<?xml version="1.0"?><SIGNSTREAM-DATABASE>
        <PARTICIPANTS><PARTICIPANT ID="0" NAME="Benjamin Bahan" LABEL="Ben"/></PARTICIPANTS>
        <CODING-SCHEME><FIELD ID="7" NAME="Main Gloss"/><FIELD ID="8" NAME="English translation"/>
        <FIELD ID="10000" NAME="other"><VALUE ID="1" NAME="x"/></FIELD></CODING-SCHEME>
        <UTTERANCES><UTTERANCE ID="3" S="1000" E="3000"><MEDIA-REF ID="1"/><SEGMENT PARTICIPANT-ID="0">
        <TRACK FID="8"><A S="0" E="2000"> John &amp; I </A></TRACK>
        <TRACK FID="7"><A S="900" E="1400">IX-1p</A><A S="-100" E="400">fs-JOHN</A><A S="500" E="600"/></TRACK>
        <TRACK FID="9"><A S="0" E="5" VID="1">raised</A></TRACK>
        </SEGMENT></UTTERANCE></UTTERANCES></SIGNSTREAM-DATABASE>"#;

    const EXPORT: &str = r"<SIGNSTREAM_DAI><COLLECTIONS><COLLECTION ID='1' NAME='Test'><SEGMENT-TIERS><SEGMENT-TIER ID='1'>
        <PARTICIPANT>'Cory'</PARTICIPANT><DOMINANT-HAND>'R'</DOMINANT-HAND><UTTERANCES>
        <UTTERANCE ID='5' START_FRAME='30' END_FRAME='89'><UTTERANCE-NUMBER>'U1'</UTTERANCE-NUMBER>
        <TRANSLATION>'Who left?'</TRANSLATION><MANUALS>
        <SIGN ID='1'><LABEL>'MOUSE/FICTION'</LABEL><DOMINANT_HAND START_FRAME='33' END_FRAME='44'/>
        <NON_DOMINANT_HAND START_FRAME='30' END_FRAME='50'/></SIGN>
        <SIGN ID='2'><LABEL>'WHO'</LABEL></SIGN><SIGN ID='3'><LABEL>'LEAVE'</LABEL></SIGN></MANUALS>
        <NON_MANUALS><NON_MANUAL ID='9'><LABEL>'wh question'</LABEL></NON_MANUAL></NON_MANUALS>
        </UTTERANCE></UTTERANCES></SEGMENT-TIER></SEGMENT-TIERS></COLLECTION></COLLECTIONS></SIGNSTREAM_DAI>";

    #[track_caller]
    fn check(
        text: &str,
        per_second: f64,
        id: &str,
        signer: &str,
        meaning: &str,
        expect: &[(&str, f64, f64)],
    ) {
        let read = read_signstream(text.as_bytes()).unwrap().utterances(per_second);
        assert_eq!(read.len(), 1);
        assert_eq!((&*read[0].id, &*read[0].signer, read[0].text.as_deref()), (id, signer, Some(meaning)));
        let found: Vec<_> = read[0].glosses.iter().map(|g| (&*g.gloss, g.start_s, g.end_s)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn both_kinds_are_read() {
        let of_database = [("fs-JOHN", 0.0, 0.4), ("IX-1p", 0.9, 1.4)];
        check(DATABASE, 1000.0, "3", "Ben", "John & I", &of_database);
        check(
            EXPORT,
            30.0,
            "Test-5",
            "Cory",
            "Who left?",
            &[("MOUSE/FICTION", 0.1, 0.5), ("WHO", 0.5, 1.25), ("LEAVE", 1.25, 2.0)],
        );
    }

    #[test]
    fn fields_of_published_databases_are_known_without_a_scheme() {
        let text = DATABASE
            .replace("Main Gloss", "x")
            .replace("FID=\"7\"", "FID=\"10000\"")
            .replace("\"other\"", "\"y\"");
        assert_eq!(read_signstream(text.as_bytes()).unwrap().utterances[0].glosses.len(), 2);
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str) {
        let said = read_signstream(text.as_bytes()).unwrap_err().to_string();
        assert!(said.contains(expect), "{said:?} does not contain {expect:?}");
    }

    #[test]
    fn other_files_are_refused() {
        check_error("", "it is empty");
        check_error("<ANNOTATION_DOCUMENT/>", "another kind of XML");
        check_error("<SIGNSTREAM_DAI><COLLECTIONS>", "ends too early");
        check_error(&EXPORT.replace("'33'", "'x'"), "no time in whole numbers");
        check_error(&EXPORT.replace("'44'", "'1'"), "before it begins");
        check_error(&"<SIGNSTREAM_DAI>".repeat(100), "deep");
        check_error("<!DOCTYPE x [<!ENTITY a \"b\">]><SIGNSTREAM_DAI/>", "entities of its own");
    }

    #[test]
    fn the_tier_of_main_glosses_is_found_by_its_name() {
        let tier = |name: &str| Tier { name: name.into(), annotations: vec![Annotation::new(0, 1, name)] };
        let document = Document {
            tiers: vec![tier("non-dominant-hand-gloss"), tier("main-gloss")],
            ..Document::default()
        };
        assert_eq!(main_glosses(&document).unwrap()[0].text, "main-gloss");
        assert_eq!(main_glosses(&Document::default()), None);
    }
}
