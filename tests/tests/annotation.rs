//! ELAN's `.eaf`: read as pympi reads it, written so that pympi reads it and ELAN's schema is kept, and no
//! bytes, of subtitles neither, that make a reader panic, hang or believe nonsense.
//!
//! `parity/annotation/make.py` made the fixtures and checks `signpost.eaf`, which Signpost wrote.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::annotation::{
    Annotation, Document, Media, SENTENCE, SIGN, Tier, read_eaf, read_eaf_file, read_srt, read_vtt,
    write_eaf, write_eaf_file, write_srt, write_vtt,
};
use serde_json::Value;
use tests::fuzz::{Random, rounds};

const PARITY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/annotation");

/// Tier → annotations, of those tiers that have any, as the fixtures write them.
fn described(document: &Document) -> Value {
    let filled = document.tiers.iter().filter(|t| !t.annotations.is_empty());
    let rows = |t: &Tier| {
        t.annotations.iter().map(|a| serde_json::json!([a.start_ms, a.end_ms, a.text])).collect::<Value>()
    };
    Value::Object(filled.map(|t| (t.name.clone(), rows(t))).collect())
}

fn fixture(name: &str) -> Value {
    serde_json::from_slice(&fs::read(Path::new(PARITY).join(name)).unwrap()).unwrap()
}

/// What `signpost.eaf` holds.
fn document() -> Document {
    let sign = [(200, 900, "HALLO1"), (900, 1440, "ICH1*"), (1500, 2000, ""), (2000, 2001, "$GEST-OFF^")];
    let sentence = [(200, 2001, "Hallo, \"<ich & du>\".\n\tZweite\u{a0}Zeile\r\n"), (0, 100, " 你好 😀 ")];
    let tier = |name: &str, rows: &[(u32, u32, &str)]| Tier {
        name: name.into(),
        annotations: rows.iter().map(|(start, end, text)| Annotation::new(*start, *end, *text)).collect(),
    };
    Document {
        author: "Signpost & \"tests\"".into(),
        date: "2024-02-29T12:00:00+01:00".into(),
        media: vec![
            Media {
                url: "file:///videos/a & b.mp4".into(),
                relative_url: "./a & b.mp4".into(),
                mime: "video/mp4".into(),
            },
            Media {
                url: "file:///a.pose".into(),
                relative_url: String::new(),
                mime: "application/pose".into(),
            },
        ],
        tiers: vec![
            tier(SIGN, &sign),
            tier(SENTENCE, &sentence),
            tier("empty <tier>\n", &[]),
            tier("far", &[(1, u32::MAX, "x")]),
        ],
        left_out: 0,
    }
}

#[test]
fn pympis_file_is_read_as_pympi_reads_it() {
    let read = read_eaf_file(&Path::new(PARITY).join("pympi.eaf")).unwrap();
    assert_eq!(described(&read), fixture("pympi.json"));
    assert_eq!(read.left_out, 1, "the remark that refers to a sign");
    assert_eq!((read.author.as_str(), read.date.as_str()), ("Signpost's tests", "2024-02-29T12:00:00+01:00"));
    assert_eq!(read.media, document().media[..1]);
    assert_eq!(read.tier(SIGN).len(), 4);
    assert_eq!(read.tier("absent"), []);
}

#[test]
fn what_is_written_is_the_file_that_pympi_and_the_schema_accepted() {
    let path = Path::new(PARITY).join("signpost.eaf");
    let written = write_eaf(&document()).unwrap();
    if std::env::var_os("SIGNPOST_BLESS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    assert_eq!(written, fs::read_to_string(path).unwrap());
    assert_eq!(described(&document()), fixture("signpost.json"));
}

#[test]
fn what_is_written_is_read_back() {
    for document in [document(), Document::default()] {
        assert_eq!(read_eaf(write_eaf(&document).unwrap().as_bytes()).unwrap(), document);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.eaf");
    write_eaf_file(&path, &document()).unwrap();
    assert_eq!(read_eaf_file(&path).unwrap(), document());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

/// Why a document cannot be written.
#[track_caller]
fn check_unwritable(change: impl FnOnce(&mut Document), expect: &str) {
    let mut document = document();
    change(&mut document);
    let said = write_eaf(&document).unwrap_err().to_string();
    assert!(said.contains(expect), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_elan_has_not_is_not_written() {
    check_unwritable(|d| d.tiers[0].annotations[0].end_ms = 200, "\"HALLO1\" at 200 ms");
    check_unwritable(|d| d.tiers[0].annotations[0].end_ms = 901, "\"ICH1*\" at 900 ms");
    check_unwritable(|d| d.tiers[1].name = SIGN.into(), "another tier has it");
    check_unwritable(|d| d.tiers[1].name.clear(), "it is empty");
    check_unwritable(|d| d.tiers[0].annotations[0].text = "\u{1}".into(), "XML has no way");
    check_unwritable(|d| d.author = "\u{ffff}".into(), "as AUTHOR of");
}

/// A document whose only tier holds the annotations given as slots, among the slots given.
fn with_slots(slots: &str, annotations: &[(&str, &str)]) -> String {
    let mut text = format!("<ANNOTATION_DOCUMENT><TIME_ORDER>{slots}</TIME_ORDER><TIER TIER_ID='t'>");
    for (from, to) in annotations {
        text += &format!(
            "<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID='x' TIME_SLOT_REF1='{from}' TIME_SLOT_REF2='{to}'>\
             <ANNOTATION_VALUE><![CDATA[a<]]>&#98;&amp;</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>"
        );
    }
    text + "</TIER></ANNOTATION_DOCUMENT>"
}

#[track_caller]
fn check_slots(annotations: &[(&str, &str)], expect: Result<&[(u32, u32)], &str>) {
    let slots = "<TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE='100'/><TIME_SLOT TIME_SLOT_ID='b'/>\
        <TIME_SLOT TIME_SLOT_ID='c'/><TIME_SLOT TIME_SLOT_ID='d' TIME_VALUE='400'/>";
    match (read_eaf(with_slots(slots, annotations).as_bytes()), expect) {
        (Ok(got), Ok(expect)) => {
            let expect: Vec<_> = expect.iter().map(|(s, e)| Annotation::new(*s, *e, "a<b&")).collect();
            assert_eq!(got.tier("t"), expect, "{annotations:?}");
        }
        (Err(got), Err(expect)) => assert!(got.to_string().contains(expect), "{got}"),
        (got, expect) => panic!("{got:?}, not {expect:?}"),
    }
}

#[test]
fn slots_without_a_time_stand_evenly_between_their_neighbours() {
    check_slots(&[("a", "d")], Ok(&[(100, 400)]));
    check_slots(&[("a", "b"), ("b", "d")], Ok(&[(100, 250), (250, 400)]));
    check_slots(&[("a", "b"), ("b", "c"), ("c", "d")], Ok(&[(100, 200), (200, 300), (300, 400)]));
    check_slots(&[("a", "b"), ("c", "d")], Err("\"x\" has no time"));
    check_slots(&[("b", "d")], Err("\"x\" has no time"));
    check_slots(&[("d", "a")], Err("\"x\" ends before it begins"));
    check_slots(&[("a", "e")], Err("there is no time slot \"e\""));
}

#[test]
fn what_is_no_document_gets_one_clear_sentence() {
    for (bytes, expect) in [
        (&b""[..], "it ends too early"),
        (b"<html/>", "at byte 0 the .eaf file is no annotation document: it is another kind of XML"),
        (b"<ANNOTATION_DOCUMENT>", "it ends too early"),
        (b"<ANNOTATION_DOCUMENT/><ANNOTATION_DOCUMENT/>", "another kind of XML"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><ANNOTATION_DOCUMENT/>", "a document type"),
        (b"<ANNOTATION_DOCUMENT>\xff", "not UTF-8"),
        (b"<ANNOTATION_DOCUMENT><TIER/></ANNOTATION_DOCUMENT>", "no TIER_ID"),
        (
            b"<ANNOTATION_DOCUMENT><TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE='-1'/></ANNOTATION_DOCUMENT>",
            "\"-1\"",
        ),
    ] {
        let said = read_eaf(bytes).unwrap_err().to_string();
        assert!(said.contains(expect), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// Reads bytes as all three formats: what is read keeps its promises, what is not says why in one sentence.
#[track_caller]
fn check_any(bytes: &[u8]) -> [bool; 3] {
    let eaf = read_eaf(bytes).map(|d| d.tiers.into_iter().flat_map(|t| t.annotations).collect::<Vec<_>>());
    [eaf, read_srt(bytes), read_vtt(bytes)].map(|read| match read {
        Ok(annotations) => {
            assert!(annotations.iter().all(|a| a.start_ms <= a.end_ms));
            true
        }
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "one sentence: {error}");
            false
        }
    })
}

#[test]
fn any_bytes_are_read_or_refused() {
    let eaf = fs::read(Path::new(PARITY).join("pympi.eaf")).unwrap();
    let texts = [Annotation::new(0, 40, "A & <b>\nC"), Annotation::new(3_600_000, u32::MAX, "ü")];
    let (srt, vtt) = (write_srt(&texts).unwrap().into_bytes(), write_vtt(&texts).unwrap().into_bytes());
    for (seed, kind) in [(&eaf, 0), (&srt, 1), (&vtt, 2)] {
        assert!(check_any(seed)[kind], "the seed is whole");
        for length in 0..seed.len() {
            check_any(&seed[..length]);
        }
        let mut random = Random(8);
        let mut read = 0;
        for _ in 0..rounds() {
            let other =
                b"<TIER TIER_ID='&#x41;'>&amp;]]>--> <![CDATA[ 99:99:99,999 \r\n\n TIME_VALUE=\"4294967296\"";
            read += u32::from(check_any(&random.mutate(seed, other))[kind]);
        }
        assert!((1..rounds()).contains(&read), "some are read and some refused, not {read} of format {kind}");
    }
}

#[test]
fn large_files_are_read_in_time_that_grows_with_them() {
    // Very deep, very wide, and a tag with very many attributes.
    let deep = "<a>".repeat(1 << 20);
    assert!(read_eaf(format!("<ANNOTATION_DOCUMENT>{deep}").as_bytes()).is_err());
    let attributes: String = (0..1 << 18).map(|i| format!(" a{i}=''")).collect();
    let said = read_eaf(format!("<ANNOTATION_DOCUMENT{attributes}/>").as_bytes()).unwrap_err().to_string();
    assert!(said.contains("more than 64 attributes"), "{said}");
    let slots = "<TIME_SLOT TIME_SLOT_ID='a' TIME_VALUE='1'/><TIME_SLOT TIME_SLOT_ID='b'/>";
    let chain = vec![("a", "b"); 1 << 14];
    let said = read_eaf(with_slots(slots, &chain).as_bytes()).unwrap_err().to_string();
    assert!(said.contains("has no time"), "{said}");
}
