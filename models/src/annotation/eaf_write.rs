//! Writes ELAN's `.eaf` in version 3.0 of its schema.

use std::collections::HashSet;
use std::fmt::Write;

use super::{Annotation, Document, Tier};
use crate::Error;

/// The four ways in which a tier may hang on another: ELAN wants them all declared.
const CONSTRAINTS: [(&str, &str); 4] = [
    (
        "Time subdivision of parent annotation's time interval, no time gaps allowed within this interval",
        "Time_Subdivision",
    ),
    (
        "Symbolic subdivision of a parent annotation. Annotations refering to the same parent are ordered",
        "Symbolic_Subdivision",
    ),
    ("1-1 association with a parent annotation", "Symbolic_Association"),
    (
        "Time alignable annotations within the parent annotation's time interval, gaps are allowed",
        "Included_In",
    ),
];

/// The text of an `.eaf` file: every tier independent and aligned in time, two time slots an annotation.
///
/// # Errors
/// Where a tier has no name, or one that another has; where annotations of a tier overlap or end before
/// they begin, neither of which ELAN has; where a text holds letters that XML forbids.
pub fn write_eaf(document: &Document) -> Result<String, Error> {
    let mut names = HashSet::new();
    for Tier { name, .. } in &document.tiers {
        let wrong = |why| Error::EafUnwritable { what: "the name of a tier", text: name.clone(), why };
        if name.is_empty() {
            return Err(wrong("it is empty; give the tier a name"));
        }
        if !names.insert(name) {
            return Err(wrong("another tier has it; rename one of both"));
        }
    }
    let slots = slots(document)?;

    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ANNOTATION_DOCUMENT");
    attribute(&mut out, "AUTHOR", &document.author)?;
    attribute(&mut out, "DATE", &document.date)?;
    out += " FORMAT=\"3.0\" VERSION=\"3.0\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
        xsi:noNamespaceSchemaLocation=\"http://www.mpi.nl/tools/elan/EAFv3.0.xsd\">\n";
    out += "    <HEADER MEDIA_FILE=\"\" TIME_UNITS=\"milliseconds\">\n";
    for media in &document.media {
        out += "        <MEDIA_DESCRIPTOR";
        attribute(&mut out, "MEDIA_URL", &media.url)?;
        attribute(&mut out, "MIME_TYPE", &media.mime)?;
        if !media.relative_url.is_empty() {
            attribute(&mut out, "RELATIVE_MEDIA_URL", &media.relative_url)?;
        }
        out += "/>\n";
    }
    let put = "a String takes all that is written";
    let last = slots.len() / 2;
    writeln!(out, "        <PROPERTY NAME=\"lastUsedAnnotationId\">{last}</PROPERTY>").expect(put);
    out += "    </HEADER>\n    <TIME_ORDER>\n";
    // Slots stand in the order of time, as ELAN has them, and are numbered as annotations meet them.
    let mut order: Vec<(u32, usize)> = slots.iter().copied().zip(1..).collect();
    order.sort_unstable();
    for (ms, id) in order {
        writeln!(out, "        <TIME_SLOT TIME_SLOT_ID=\"ts{id}\" TIME_VALUE=\"{ms}\"/>").expect(put);
    }
    out += "    </TIME_ORDER>\n";
    let mut id = 0;
    for tier in &document.tiers {
        out += "    <TIER LINGUISTIC_TYPE_REF=\"default-lt\"";
        attribute(&mut out, "TIER_ID", &tier.name)?;
        out += ">\n";
        for annotation in &tier.annotations {
            id += 1;
            let (from, to) = (2 * id - 1, 2 * id);
            write!(
                out,
                "        <ANNOTATION>\n            <ALIGNABLE_ANNOTATION ANNOTATION_ID=\"a{id}\" \
                TIME_SLOT_REF1=\"ts{from}\" TIME_SLOT_REF2=\"ts{to}\">\n                <ANNOTATION_VALUE>"
            )
            .expect(put);
            escape(&mut out, &annotation.text, "the text of an annotation")?;
            out += "</ANNOTATION_VALUE>\n            </ALIGNABLE_ANNOTATION>\n        </ANNOTATION>\n";
        }
        out += "    </TIER>\n";
    }
    out += "    <LINGUISTIC_TYPE GRAPHIC_REFERENCES=\"false\" LINGUISTIC_TYPE_ID=\"default-lt\" \
        TIME_ALIGNABLE=\"true\"/>\n";
    for (description, stereotype) in CONSTRAINTS {
        writeln!(out, "    <CONSTRAINT DESCRIPTION=\"{description}\" STEREOTYPE=\"{stereotype}\"/>")
            .expect(put);
    }
    out += "</ANNOTATION_DOCUMENT>\n";
    Ok(out)
}

/// Start and end of each annotation, tier by tier.
fn slots(document: &Document) -> Result<Vec<u32>, Error> {
    let mut slots = Vec::new();
    for tier in &document.tiers {
        let mut sorted: Vec<&Annotation> = tier.annotations.iter().collect();
        sorted.sort_by_key(|a| a.start_ms);
        if let Some(pair) = sorted.windows(2).find(|pair| pair[1].start_ms < pair[0].end_ms) {
            let why = "it begins before the one before it in its tier has ended; shorten that one, or put it \
                into a tier of its own";
            return Err(pair[1].unwritable(why));
        }
        for annotation in &tier.annotations {
            annotation.check()?;
            slots.extend([annotation.start_ms, annotation.end_ms]);
        }
    }
    Ok(slots)
}

fn attribute(out: &mut String, name: &'static str, value: &str) -> Result<(), Error> {
    out.extend([" ", name, "=\""]);
    escape(out, value, name)?;
    out.push('"');
    Ok(())
}

/// Writes a text so that it is read back letter by letter, line ends and tabs among them.
fn escape(out: &mut String, text: &str, what: &'static str) -> Result<(), Error> {
    for c in text.chars() {
        match c {
            '&' => *out += "&amp;",
            '<' => *out += "&lt;",
            '>' => *out += "&gt;",
            '"' => *out += "&quot;",
            '\t' => *out += "&#9;",
            '\n' => *out += "&#10;",
            '\r' => *out += "&#13;",
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                let why = "XML has no way to write one of its letters; take that letter out";
                return Err(Error::EafUnwritable { what, text: text.into(), why });
            }
            c => out.push(c),
        }
    }
    Ok(())
}
