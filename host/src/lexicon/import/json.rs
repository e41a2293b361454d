//! Sequences as JSON.
//!
//! - A sequence is a list of frames; or an object with such a list (`frames`, `landmarks`, `keypoints`, `poses`,
//!   `sequence` or `data`), perhaps its name (`gloss`, `label`, `word`, `name`, `text`), `fps`, `width` and `height`;
//!   or an object of parts (`pose`, `face`, `left_hand`, `right_hand`), each a list over time.
//! - A frame is a list of numbers or of landmarks, or an object of parts; a landmark is a list of x, y, z, perhaps with
//!   a visibility, or an object of these. `null` was not seen.
//! - A file is one sequence, a list of them with their names, or an object with one under each name. Without a name of
//!   its own a sequence has its file's.

use serde_json::{Map, Value};

use super::{About, FRAMES, Found, Part, Row, Sequence, in_frame};

/// What a sign's name is called.
const NAMES: [&str; 5] = ["gloss", "label", "word", "name", "text"];

/// The sequences of a file's bytes; `stem` is the file's name.
///
/// # Errors
/// It is no JSON.
pub fn read_json(bytes: &[u8], stem: &str) -> Result<Found, String> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| format!("it is no JSON ({error}); what is no number has to be null in it"))?;
    Ok(sequences(&value, stem))
}

fn sequences(value: &Value, name: &str) -> Found {
    match value {
        Value::Array(items) if items.iter().any(|item| item.as_object().is_some_and(is_named)) => {
            let number = |(i, item)| sequences(item, &format!("{name}-{}", i + 1));
            items.iter().enumerate().flat_map(number).collect()
        }
        Value::Array(list) => {
            vec![(name.to_owned(), frames(list).map(|frames| Sequence { about: About::default(), frames }))]
        }
        Value::Object(object) => of_object(object, name),
        _ => vec![(name.to_owned(), Err("it is neither a list nor an object".into()))],
    }
}

fn is_named(object: &Map<String, Value>) -> bool {
    NAMES.iter().any(|name| object.get(*name).is_some_and(Value::is_string))
}

fn of_object(object: &Map<String, Value>, name: &str) -> Found {
    let own = NAMES.iter().find_map(|key| object.get(*key)?.as_str()).unwrap_or(name);
    let about = about(object);
    if let Some(list) = FRAMES.iter().find_map(|key| object.get(*key)?.as_array()) {
        return vec![(own.to_owned(), frames(list).map(|frames| Sequence { about, frames }))];
    }
    let parts = object.iter().filter_map(|(key, value)| Some((Part::named(key)?, value)));
    let parts: Vec<_> = parts.filter(|(_, value)| value.is_array() || value.is_null()).collect();
    if !parts.is_empty() {
        return vec![(own.to_owned(), over_time(&parts).map(|frames| Sequence { about, frames }))];
    }
    let within = object.iter().filter(|(_, value)| value.is_array() || value.is_object());
    within.flat_map(|(key, value)| sequences(value, key)).collect()
}

fn about(object: &Map<String, Value>) -> About {
    let number = |key: &str| object.get(key).and_then(Value::as_f64);
    let side = |key: &str| number(key).map(|side| side as u32);
    let fps = number("fps").or_else(|| number("frame_rate")).map(|fps| fps as f32);
    About { fps, size: [side("width"), side("height")] }
}

fn frames(list: &[Value]) -> Result<Vec<Row>, String> {
    list.iter().enumerate().map(|(t, value)| frame(value).map_err(in_frame(t))).collect()
}

fn frame(value: &Value) -> Result<Row, String> {
    match value {
        Value::Null => Ok(Row::default()),
        Value::Array(_) => Row::of_numbers(&numbers(value)?),
        Value::Object(object) => {
            if let Some(inner) = FRAMES.iter().find_map(|key| object.get(*key)) {
                return frame(inner);
            }
            let mut row = Row::default();
            for (key, value) in object {
                if let Some(part) = Part::named(key) {
                    row.put(part, numbers(value)?)?;
                }
            }
            Ok(row)
        }
        _ => Err("it is neither a list nor an object".into()),
    }
}

/// Frames of parts that are lists over time each.
fn over_time(parts: &[(Part, &Value)]) -> Result<Vec<Row>, String> {
    let length = parts.iter().filter_map(|(_, value)| Some(value.as_array()?.len())).max().unwrap_or(0);
    let mut rows = vec![Row::default(); length];
    for (part, value) in parts {
        let Some(list) = value.as_array() else { continue };
        if list.len() != length {
            return Err(format!("{:?} has {} frames, and another part {length}", part, list.len()));
        }
        for (t, (row, value)) in rows.iter_mut().zip(list).enumerate() {
            numbers(value).and_then(|numbers| row.put(*part, numbers)).map_err(in_frame(t))?;
        }
    }
    Ok(rows)
}

/// The numbers of landmarks, one after the other; `null` is no number.
fn numbers(value: &Value) -> Result<Vec<f32>, String> {
    let Some(list) = value.as_array() else {
        return if value.is_null() { Ok(vec![]) } else { Err(format!("{value} is no list of landmarks")) };
    };
    let mut numbers = vec![];
    for item in list {
        match item {
            Value::Array(landmark) => {
                for value in landmark {
                    numbers.push(number(value)?);
                }
            }
            Value::Object(landmark) => {
                for key in ["x", "y", "z"] {
                    numbers.push(number(landmark.get(key).ok_or(format!("a landmark has no {key}"))?)?);
                }
                if let Some(seen) = landmark.get("visibility") {
                    numbers.push(number(seen)?);
                }
            }
            value => numbers.push(number(value)?),
        }
    }
    Ok(numbers)
}

fn number(value: &Value) -> Result<f32, String> {
    match value {
        Value::Null => Ok(f32::NAN),
        value => value.as_f64().map(|v| v as f32).ok_or_else(|| format!("{value} is no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HANDS: usize = 126;

    /// What is found in a text: names, and how many frames and numbers of a hand they have.
    #[track_caller]
    fn check(text: &str, expect: &[(&str, usize)]) {
        let found = read_json(text.as_bytes(), "file").unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, sequence)| {
                let sequence = sequence.as_ref().unwrap();
                assert!(sequence.frames.iter().all(|f| f.parts[Part::Right as usize].len() == 63));
                (name.as_str(), sequence.frames.len())
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn one_many_and_named_sequences_are_found() {
        let row = serde_json::to_string(&vec![0.5; HANDS]).unwrap();
        let point = "[0.5,0.25,0.125]";
        let hand = format!("[{}]", [point; 21].join(","));
        let object = r#"{"x":0.5,"y":0.25,"z":0.125,"visibility":0.0}"#;
        let objects = format!("[{}]", [object; 21].join(","));
        check(&format!("[{row},{row}]"), &[("file", 2)]);
        check(&format!(r#"{{"gloss":"你好","fps":25,"frames":[{row}]}}"#), &[("你好", 1)]);
        check(
            &format!(r#"{{"你好":[{row}],"谢谢":{{"landmarks":[{row},{row}]}}}}"#),
            &[("你好", 1), ("谢谢", 2)],
        );
        check(
            &format!(r#"[{{"word":"a","frames":[{row}]}},{{"word":"b","frames":[{row}]}}]"#),
            &[("a", 1), ("b", 1)],
        );
        check(&format!(r#"[{{"left_hand_landmarks":null,"right_hand_landmarks":{hand}}}]"#), &[("file", 1)]);
        check(&format!(r#"[{{"rightHand":{objects}}}]"#), &[("file", 1)]);
        check(&format!(r#"{{"left_hand":[null,null],"right_hand":[{hand},{hand}]}}"#), &[("file", 2)]);
    }

    #[test]
    fn what_is_no_sequence_says_why() {
        let why = |text: &str| match read_json(text.as_bytes(), "file") {
            Err(why) => why,
            Ok(found) => found[0].1.clone().unwrap_err(),
        };
        assert!(why("[NaN]").contains("no JSON"));
        assert!(why("[[1,2,3]]").contains("frame 0: a frame of 3 numbers"));
        assert!(why(r#"[{"pose":[[1,2,3]]}]"#).contains("33 landmarks"));
        assert!(why(r#"[{"pose":[{"x":1,"y":2}]}]"#).contains("no z"));
        assert!(why(r#"{"pose":[null],"face":[null,null]}"#).contains("another part"));
        assert!(why("7").contains("neither"));
    }
}
