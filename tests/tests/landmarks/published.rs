//! Against what the networks' authors, and others, publish.

use std::io::Read;
use std::path::Path;

use crate::compare::{self, away, distance, hand_box, mean};
use crate::ours::{Hand, Ours, Person, Place, Side, Space, Stamps};

/// The body's left and right wrist.
const WRISTS: [usize; 2] = [15, 16];

/// `[T][K]` of x, y, z.
fn track(path: &Path) -> Vec<Vec<Space>> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn flat(points: &[Space]) -> Vec<Place> {
    points.iter().map(|[x, y, _]| [*x, *y]).collect()
}

/// The landmarks in a text of MediaPipe's own tests, in pixels of a picture of the size given.
fn landmarks(path: &Path, size: [u32; 2]) -> Vec<Place> {
    let text = std::fs::read_to_string(path).unwrap();
    let read = |name: &str| -> Vec<f32> {
        text.lines().filter_map(|l| l.trim().strip_prefix(name)?.parse().ok()).collect()
    };
    let [width, height] = size.map(|v| v as f32);
    read("x: ").into_iter().zip(read("y: ")).map(|(x, y)| [x * width, y * height]).collect()
}

#[test]
fn the_hand_of_a_close_up_lies_within_5_px() {
    let test = "the_hand_of_a_close_up_lies_within_5_px";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let dir = data.join("oracle/tfjs");
    let (persons, _) = ours.in_clip(&dir.join("asl_hand.25fps.mp4"), Stamps::True);
    let reference = track(&dir.join("asl_hand.full.json"));
    assert_eq!(persons.len(), reference.len());
    let right = |p: &Person| p.hands.iter().find(|h| h.side == Side::Right).cloned();
    let seen: Vec<f32> = persons
        .iter()
        .zip(&reference)
        .filter_map(|(p, theirs)| Some(away(&right(p)?.points, &flat(theirs))))
        .collect();
    let px = mean(seen.iter().copied());
    let space = track(&dir.join("asl_hand_3d.full.json"));
    let metres =
        persons.iter().zip(&space).filter_map(|(p, theirs)| Some(compare::metres(&right(p)?.world?, theirs)));
    let metres = mean(metres);
    eprintln!("{test}: {px:.2} px, {metres:.5} m over {} of {} frames", seen.len(), persons.len());
    assert!(seen.len() * 100 >= persons.len() * 97, "seen in {} of {}", seen.len(), persons.len());
    assert!(px <= 5.0, "{px} px");
    assert!(metres <= 0.010, "{metres} m");
    // The body network takes this hand for a small body: it must not be believed.
    let left = |p: &&Person| p.hands.iter().any(|h| h.side == Side::Left);
    let invented = [persons.iter().filter(|p| p.body.is_some()).count(), persons.iter().filter(left).count()];
    assert!(
        invented.iter().all(|n| n * 100 <= persons.len()),
        "bodies and left hands invented: {invented:?}"
    );
}

/// They publish what their JavaScript sees: the Python package is 4.0 px and 0.047 m from it.
#[test]
fn the_body_of_squats_lies_within_12_px() {
    let test = "the_body_of_squats_lies_within_12_px";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let dir = data.join("oracle/tfjs");
    let (persons, _) = ours.in_clip(&dir.join("pose_squats.mp4"), Stamps::True);
    let (picture, space) =
        (track(&dir.join("pose_squats.full.json")), track(&dir.join("pose_squats_3d.full.json")));
    assert_eq!([picture.len(), space.len()], [persons.len(); 2]);
    let bodies: Vec<_> =
        persons.iter().map(|p| p.body.as_ref().expect("the body is in every frame")).collect();
    let px = mean(bodies.iter().zip(&picture).map(|(b, theirs)| away(&b.points, &flat(theirs))));
    let metres = mean(bodies.iter().zip(&space).map(|(b, theirs)| compare::metres(&b.world, theirs)));
    eprintln!("{test}: {px:.2} px, {metres:.4} m over {} frames", bodies.len());
    assert!(px <= 12.0, "{px} px");
    assert!(metres <= 0.06, "{metres} m");
}

/// MediaPipe's own test expects what its newer network for faces sees, which has ten points more.
#[test]
fn the_face_of_a_portrait_lies_within_3_percent() {
    let test = "the_face_of_a_portrait_lies_within_3_percent";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let (person, photo) = ours.in_photo(&data.join("oracle/tfjs/portrait.jpg"));
    let face = person.face.expect("the face of a portrait is seen");
    let file = data.join("oracle/mediapipe_expected/portrait_expected_face_landmarks.pbtxt");
    let expect = landmarks(&file, [photo.width, photo.height]);
    let part = compare::face(&face, &expect[..face.len()]);
    eprintln!("{test}: {:.2} % of the inter-ocular distance", part * 100.0);
    assert!(part <= 0.03, "{part}");
}

/// Two left hands, one upside down: what MediaPipe's own test expects of each, to 5 % of the picture.
#[test]
fn two_hands_of_a_photo_lie_where_they_are_expected() {
    let test = "two_hands_of_a_photo_lie_where_they_are_expected";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let (person, photo) = ours.in_photo(&data.join("oracle/tfjs/hands.jpg"));
    assert_eq!(person.hands.len(), 2);
    for name in ["expected_left_up_hand_landmarks", "expected_left_down_hand_landmarks"] {
        let file = data.join(format!("oracle/mediapipe_expected/{name}.prototxt"));
        let expect = landmarks(&file, [photo.width, photo.height]);
        let nearest = person.hands.iter().map(|h| away(&h.points, &expect)).fold(f32::MAX, f32::min);
        let part = nearest / hand_box(&expect).size;
        eprintln!("{test}: {name}: {nearest:.2} px, {:.2} % of the hand", part * 100.0);
        assert!(part <= 0.05, "{name}: {part}");
    }
}

/// The values of an array that NumPy wrote, of N bytes each.
fn values<const N: usize>(npy: &[u8]) -> Vec<[u8; N]> {
    assert!(npy.starts_with(b"\x93NUMPY\x01"));
    let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    npy[header..].as_chunks().0.to_vec()
}

/// MediaPipe Hands found them, frame by frame and without a body: `[T, 2, 21, 3]` in units of the picture,
/// −1 where there is no hand.
#[test]
fn the_hands_of_signers_lie_where_mediapipe_found_them() {
    let test = "the_hands_of_signers_lie_where_mediapipe_found_them";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let dir = data.join("oracle/wlasl_videos");
    let mut all = compare::Hands::default();
    for name in ["69527", "69529", "69545", "69546"] {
        let (persons, first) = ours.in_clip(&dir.join(format!("{name}.mp4")), Stamps::True);
        let [width, height] = [first.width, first.height].map(f64::from);
        let file = std::fs::read(dir.join(format!("{name}.npy"))).unwrap();
        let reference: Vec<f64> = values(&file).into_iter().map(f64::from_le_bytes).collect();
        assert_eq!(reference.len(), persons.len() * 2 * 21 * 3, "{name}");
        let mut hands = compare::Hands::default();
        for (frame, (person, theirs)) in persons.iter().zip(reference.chunks(2 * 21 * 3)).enumerate() {
            let body = person.body.as_ref().expect("the signer is in every frame");
            let found = theirs.chunks(21 * 3).filter(|hand| hand[0] >= 0.0).map(|hand| {
                let place = |p: &[f64]| [(p[0] * width) as f32, (p[1] * height) as f32];
                let points: Vec<Place> = hand.chunks(3).map(place).collect();
                // The reference does not say which hand it is; the body's wrists do.
                let [left, right] = WRISTS.map(|k| distance(body.points[k], points[0]));
                Hand { side: if left < right { Side::Left } else { Side::Right }, points, world: None }
            });
            hands.add(frame, &person.hands, &found.collect::<Vec<_>>());
        }
        eprintln!("{test}: {name}: {hands}");
        all.merge(&hands);
    }
    eprintln!("{test}: all clips: {all}");
    assert!(all.recall() >= 0.95, "{all}");
    assert!(all.sides_differ * 100 <= all.both * 5, "{all}");
}

/// DWPose is another network that others trained on other pictures. Arrays of 32-bit floats:
/// points `[T, 21, 2]` in units of the picture, scores `[T, 21]`.
#[test]
fn the_hands_of_a_signer_lie_where_dwpose_sees_them() {
    /// Hands of which DWPose is less sure, in the mean over their points, are passed over.
    const SURE: f32 = 0.5;
    let test = "the_hands_of_a_signer_lie_where_dwpose_sees_them";
    let (Some(data), Some(mut ours)) = (tests::data(test), Ours::open(test)) else { return };
    let dir = data.join("oracle/dwpose/human_signer");
    let (persons, first) = ours.in_clip(&dir.join("video.mp4"), Stamps::True);
    let [width, height] = [first.width, first.height].map(|v| v as f32);
    let mut file = zip::ZipArchive::new(std::fs::File::open(dir.join("dwpose.npz")).unwrap()).unwrap();
    let mut read = |name: &str| -> Vec<f32> {
        let mut npy = Vec::new();
        file.by_name(name).unwrap().read_to_end(&mut npy).unwrap();
        values(&npy).into_iter().map(f32::from_le_bytes).collect()
    };
    let sides = [Side::Left, Side::Right];
    let points = ["left_hand_keypoints.npy", "right_hand_keypoints.npy"].map(&mut read);
    let scores = ["left_hand_scores.npy", "right_hand_scores.npy"].map(&mut read);
    let mut hands = compare::Hands::default();
    for (frame, person) in persons.iter().enumerate() {
        let sure = |k: &usize| mean(scores[*k][frame * 21..][..21].iter().copied()) >= SURE;
        let hand = |k: usize| {
            let place = |p: &[f32]| [p[0] * width, p[1] * height];
            let points = points[k][frame * 42..][..42].chunks(2).map(place).collect();
            Hand { side: sides[k], points, world: None }
        };
        hands.add(frame, &person.hands, &(0..2).filter(sure).map(hand).collect::<Vec<_>>());
    }
    eprintln!("{test}: {hands}");
    assert!(hands.recall() >= 0.98 && hands.sides_differ == 0, "{hands}");
    assert!(hands.away() < 0.1, "{hands}");
}
