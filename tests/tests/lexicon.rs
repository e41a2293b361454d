//! Lexicon folders: the index is read alone, rows are found, clips are cut.

#![allow(clippy::unwrap_used, reason = "the helpers of tests are tests")]

use std::fs;
use std::path::Path;

use models::Error;
use models::lexicon::Lexicon;

const CLIPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/pose_format/files");

const INDEX: &str = "\
path,spoken_language,signed_language,start,end,words,glosses,priority
ase/two.pose,en,ase,0,0,Thank you|thanks,THANK-YOU,1
ase/one.pose,en,ase,0,0,Thank you,THANK-YOU,0
ase/one.pose,en,ase,0,80,\"Bye, bye\",GOODBYE,0
gsg/one.pose,de,gsg,40,0,Größe,GRÖSSE,0
gsg/gone.pose,de,gsg,0,0,weg,WEG,0
../secret.pose,de,gsg,0,0,geheim,GEHEIM,0
gsg/link.pose,de,gsg,0,0,Verweis,VERWEIS,0
gs://bucket/a.pose,de,gsg,0,0,fern,FERN,0
,,,
gsg/one.pose,,gsg,0,0,überall,,0
";

/// A folder with that index, three clips of four frames at 25 a second, and a link out of the folder.
fn lexicon() -> (tempfile::TempDir, Lexicon) {
    let folder = tempfile::tempdir().unwrap();
    for language in ["ase", "gsg"] {
        fs::create_dir(folder.path().join(language)).unwrap();
    }
    for clip in ["ase/one.pose", "ase/two.pose", "gsg/one.pose"] {
        fs::copy(Path::new(CLIPS).join("v01.pose"), folder.path().join(clip)).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink(Path::new(CLIPS).join("v01.pose"), folder.path().join("gsg/link.pose"))
        .unwrap();
    fs::write(folder.path().join("index.csv"), INDEX).unwrap();
    let lexicon = Lexicon::open(folder.path()).unwrap();
    (folder, lexicon)
}

#[track_caller]
fn check_find(signed: &str, spoken: Option<&str>, term: &str, lines: &[u64]) {
    let (_folder, lexicon) = lexicon();
    let found: Vec<u64> = lexicon.find(signed, spoken, term).iter().map(|e| e.line).collect();
    assert_eq!(found, lines, "{term}");
}

#[test]
fn words_and_glosses_are_found_by_priority() {
    check_find("ase", Some("en"), "thank  you!", &[3, 2]);
    check_find("ase", Some("en"), "THANKYOU", &[3, 2]);
    check_find("ase", Some("en"), "Thanks", &[2]);
    check_find("ase", Some("en"), "bye bye", &[4]);
    check_find("gsg", Some("de"), "GRÖßE", &[5]);
    check_find("gsg", Some("de"), "groesse", &[]);
    check_find("gsg", Some("de"), "", &[]);
}

#[test]
fn languages_are_kept_apart() {
    check_find("gsg", Some("de"), "thank you", &[]);
    check_find("ase", Some("de"), "thank you", &[]);
    check_find("ase", None, "thank you", &[3, 2]);
    check_find("gsg", Some("fr"), "überall", &[11]);
    let (_folder, lexicon) = lexicon();
    assert_eq!(lexicon.languages(), [("ase", "en"), ("gsg", ""), ("gsg", "de")]);
    assert_eq!(lexicon.entries("ase").count(), 3);
}

#[test]
fn rows_that_cannot_be_used_are_told_and_the_rest_stays() {
    let (_folder, lexicon) = lexicon();
    let rejected: Vec<u64> = lexicon.rejected().iter().map(|r| r.line).collect();
    assert_eq!(rejected, [7, 9, 10]);
    assert!(lexicon.rejected()[0].reason.contains("not within"), "{:?}", lexicon.rejected()[0]);
}

#[track_caller]
fn check_clip(signed: &str, term: &str, frames: usize) {
    let (_folder, lexicon) = lexicon();
    let clip = lexicon.clip(lexicon.find(signed, None, term)[0]).unwrap();
    assert_eq!(clip.frames.len(), frames, "{term}");
}

#[test]
fn clips_are_cut_to_their_part() {
    check_clip("ase", "thanks", 4);
    check_clip("ase", "bye bye", 2);
    check_clip("gsg", "größe", 3);
}

#[test]
fn a_clip_that_is_not_there_is_named() {
    let (_folder, lexicon) = lexicon();
    let error = lexicon.clip(lexicon.find("gsg", None, "weg")[0]).unwrap_err().to_string();
    assert!(error.contains("gone.pose"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_folder_is_refused() {
    let (_folder, lexicon) = lexicon();
    let error = lexicon.clip(lexicon.find("gsg", None, "Verweis")[0]).unwrap_err();
    assert!(matches!(error, Error::LexiconEscape { .. }), "{error}");
}

#[test]
fn a_folder_without_an_index_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Lexicon::open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("index.csv"), "{error}");
}

#[test]
fn the_dictionary_of_the_real_data_opens() {
    let Some(data) = tests::data("the_dictionary_of_the_real_data_opens") else { return };
    let lexicon = Lexicon::open(data.join("poses/lexicon_sgg/assets/dummy_lexicon")).unwrap();
    assert_eq!(lexicon.rejected(), []);
    for word in ["Kleine", "kinder", "ESSEN", "pizza"] {
        let found = lexicon.find("sgg", Some("de"), word);
        assert_eq!(found.len(), 1, "{word}");
        assert!(lexicon.clip(found[0]).unwrap().frames.len() >= 45, "{word}");
    }
}

#[test]
fn every_sign_of_the_fingerspelling_lexicon_is_read() {
    let Some(store) = tests::store("every_sign_of_the_fingerspelling_lexicon_is_read") else { return };
    let lexicon = Lexicon::open(store.lexicon()).unwrap();
    assert_eq!(lexicon.rejected(), []);
    assert_eq!(lexicon.languages().len(), 20);
    let languages: Vec<String> = lexicon.languages().iter().map(|(signed, _)| (*signed).to_owned()).collect();
    let entries: Vec<_> = languages.iter().flat_map(|signed| lexicon.entries(signed)).collect();
    assert_eq!(entries.len(), 626);
    for entry in entries {
        let clip = lexicon.clip(entry).unwrap();
        assert!(!clip.frames.is_empty(), "line {}", entry.line);
        assert!(lexicon.find(&entry.signed_language, None, &entry.words).contains(&entry), "{}", entry.words);
    }
}
