//! Reads ELAN's `.eaf`, of any version so far: tiers, time slots and aligned annotations look alike in all.

use std::collections::{HashMap, HashSet};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::xml::{self, letter, one_line};
use super::{Annotation, Document, Media, Tier};
use crate::Error;

/// An annotation whose time is still the names of two slots.
struct Slotted {
    offset: u64,
    id: String,
    slots: [String; 2],
    text: String,
}

/// What has been read so far.
#[derive(Default)]
struct Parts {
    document: Document,
    /// Slot → milliseconds; a slot may have no time of its own.
    slots: HashMap<String, Option<u32>>,
    tiers: Vec<(String, Vec<Slotted>)>,
    /// The annotation that is open.
    open: Option<Slotted>,
    /// True within its value.
    value: bool,
}

/// Reads the bytes of an `.eaf` file.
///
/// Time slots without a time stand evenly between their neighbours in the tier, as ELAN shows them.
///
/// # Errors
/// [`Error::Eaf`] where the bytes are no XML in UTF-8, or no annotation document, or name a slot that is
/// not there, or where an annotation ends before it begins.
pub fn read_eaf(bytes: &[u8]) -> Result<Document, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| wrong(e.valid_up_to() as u64, "its text is not UTF-8"))?
        .trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut parts, mut depth, mut root) = (Parts::default(), 0_usize, false);
    loop {
        let offset = reader.buffer_position();
        let event = reader.read_event().map_err(|e| wrong(reader.error_position(), one_line(&e)))?;
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    if root || tag.name().as_ref() != b"ANNOTATION_DOCUMENT" {
                        return Err(wrong(offset, "it is another kind of XML"));
                    }
                    root = true;
                }
                depth += 1;
                parts.start(&tag, offset)?;
            }
            Event::End(tag) => {
                depth -= 1;
                parts.end(tag.name().as_ref());
            }
            Event::Text(text) if parts.value => {
                parts.push(&text.xml10_content().map_err(|e| wrong(offset, one_line(&e)))?);
            }
            Event::CData(text) if parts.value => {
                parts.push(&text.xml10_content().map_err(|e| wrong(offset, one_line(&e)))?);
            }
            Event::GeneralRef(name) if parts.value => {
                parts.push(&letter(&name).map_err(|why| wrong(offset, why))?)
            }
            Event::DocType(_) => {
                return Err(wrong(offset, "it declares a document type, which ELAN never does"));
            }
            Event::Eof if depth > 0 || !root => return Err(wrong(offset, "it ends too early")),
            Event::Eof => break,
            _ => {}
        }
    }
    parts.finish()
}

impl Parts {
    fn start(&mut self, tag: &BytesStart<'_>, offset: u64) -> Result<(), Error> {
        match tag.name().as_ref() {
            b"ANNOTATION_DOCUMENT" => {
                let [author, date] = attributes(tag, offset, ["AUTHOR", "DATE"])?;
                self.document.author = author.unwrap_or_default();
                self.document.date = date.unwrap_or_default();
            }
            b"MEDIA_DESCRIPTOR" => {
                let names = ["MEDIA_URL", "RELATIVE_MEDIA_URL", "MIME_TYPE"];
                let [url, relative_url, mime] =
                    attributes(tag, offset, names)?.map(Option::unwrap_or_default);
                self.document.media.push(Media { url, relative_url, mime });
            }
            b"TIME_SLOT" => {
                let [id, ms] = attributes(tag, offset, ["TIME_SLOT_ID", "TIME_VALUE"])?;
                let id = id.ok_or_else(|| wrong(offset, "a time slot has no TIME_SLOT_ID"))?;
                let ms = ms.map(|ms| {
                    let number = ms.trim().parse::<u32>();
                    number.map_err(|_| wrong(offset, format!("{ms:?} is no time in milliseconds")))
                });
                if self.slots.insert(id.clone(), ms.transpose()?).is_some() {
                    return Err(wrong(offset, format!("the time slot {id:?} is there twice")));
                }
            }
            b"TIER" => {
                let [name] = attributes(tag, offset, ["TIER_ID"])?;
                let name = name.ok_or_else(|| wrong(offset, "a tier has no TIER_ID"))?;
                self.tiers.push((name, vec![]));
            }
            b"ALIGNABLE_ANNOTATION" => {
                let names = ["ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"];
                let [id, from, to] = attributes(tag, offset, names)?;
                let (Some(from), Some(to)) = (from, to) else {
                    return Err(wrong(offset, "an annotation names no time slots"));
                };
                let (id, slots) = (id.unwrap_or_default(), [from, to]);
                self.open = Some(Slotted { offset, id, slots, text: String::new() });
            }
            b"REF_ANNOTATION" => self.document.left_out += 1,
            b"ANNOTATION_VALUE" => self.value = self.open.is_some(),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"ANNOTATION_VALUE" => self.value = false,
            b"ALIGNABLE_ANNOTATION" => {
                // One that stands outside of a tier belongs to nobody.
                if let (Some(open), Some((_, tier))) = (self.open.take(), self.tiers.last_mut()) {
                    tier.push(open);
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(open) = &mut self.open {
            open.text += text;
        }
    }

    /// Gives every annotation its time.
    fn finish(mut self) -> Result<Document, Error> {
        let mut names = HashSet::new();
        for (name, annotations) in self.tiers {
            if !names.insert(name.clone()) {
                return Err(wrong(0, format!("two tiers have the name {name:?}")));
            }
            let times = times(&annotations, &self.slots)?;
            let timed = annotations.into_iter().zip(times).map(|(a, [start_ms, end_ms])| {
                if end_ms < start_ms {
                    return Err(wrong(a.offset, format!("the annotation {:?} ends before it begins", a.id)));
                }
                Ok(Annotation { start_ms, end_ms, text: a.text })
            });
            self.document.tiers.push(Tier { name, annotations: timed.collect::<Result<_, _>>()? });
        }
        Ok(self.document)
    }
}

/// Start and end of each annotation of a tier, in milliseconds.
fn times(tier: &[Slotted], slots: &HashMap<String, Option<u32>>) -> Result<Vec<[u32; 2]>, Error> {
    let slot = |a: &Slotted, side: usize| {
        let name = &a.slots[side];
        let known = slots.get(name).copied();
        known.ok_or_else(|| wrong(a.offset, format!("there is no time slot {name:?}")))
    };
    let mut times = Vec::with_capacity(tier.len());
    while times.len() < tier.len() {
        // A chain: annotations that meet in slots without a time, between two that have one.
        let first = times.len();
        let mut last = first;
        while slot(&tier[last], 1)?.is_none()
            && tier.get(last + 1).is_some_and(|next| next.slots[0] == tier[last].slots[1])
        {
            last += 1;
        }
        let ends = (slot(&tier[first], 0)?, slot(&tier[last], 1)?);
        let (Some(start), Some(end)) = ends else {
            let why = format!(
                "the annotation {:?} has no time, and its neighbours do not give it one",
                tier[first].id
            );
            return Err(wrong(tier[first].offset, why));
        };
        let parts = (last - first + 1) as i64;
        let at = |k: i64| (i64::from(start) + (i64::from(end) - i64::from(start)) * k / parts) as u32;
        times.extend((0..parts).map(|k| [at(k), at(k + 1)]));
    }
    Ok(times)
}

/// The values of some attributes of a tag, in the order asked for.
fn attributes<const N: usize>(
    tag: &BytesStart<'_>,
    offset: u64,
    names: [&str; N],
) -> Result<[Option<String>; N], Error> {
    xml::attributes(tag, names).map_err(|why| wrong(offset, why))
}

fn wrong(offset: u64, why: impl Into<String>) -> Error {
    Error::Eaf { offset, why: why.into() }
}
