//! What features look at in one frame: seven points of the body and both hands, whatever the layout.

use crate::pose::{Layout, Pose};
use crate::vector::{norm, sub};

/// The points of the body that features use, by their names in the Holistic layout.
pub const BODY_POINTS: [&str; 7] =
    ["NOSE", "LEFT_SHOULDER", "RIGHT_SHOULDER", "LEFT_ELBOW", "RIGHT_ELBOW", "LEFT_WRIST", "RIGHT_WRIST"];
/// The points of a hand, wrist first, then four a finger from thumb to little finger.
pub const HAND_POINTS: usize = 21;

/// The names of the components, in the Holistic layout.
const BODY: &str = "POSE_LANDMARKS";
const HANDS: [&str; 2] = ["LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS"];

/// The picture that a frame was seen in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picture {
    /// Its middle, in the coordinates of the landmarks.
    pub middle: [f32; 2],
    /// Its height, in their unit, above 0.
    pub height: f32,
}

/// One frame, as far as features look at it.
///
/// Coordinates have one unit on all axes (pixels of square shape, or any multiple of them): x to the right
/// of the picture, y down. Left and right are the signer's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Seconds from the start of the source.
    pub at_s: f64,
    /// Points of the body in the order of [`BODY_POINTS`].
    pub body: [[f32; 2]; BODY_POINTS.len()],
    /// Which of them were seen.
    pub body_seen: [bool; BODY_POINTS.len()],
    /// Left hand, right hand.
    pub hands: [[[f32; 3]; HAND_POINTS]; 2],
    /// Which of them were seen.
    pub hand_seen: [bool; 2],
    /// The picture, where it is known.
    pub picture: Option<Picture>,
}

impl Sight {
    /// A frame in which nothing was seen.
    pub fn unseen(at_s: f64) -> Self {
        Self {
            at_s,
            body: Default::default(),
            body_seen: Default::default(),
            hands: [[[0.0; 3]; HAND_POINTS]; 2],
            hand_seen: [false; 2],
            picture: None,
        }
    }

    /// The same frame as a mirror shows it: a left-handed signer for a right-handed one.
    pub fn mirrored(&self) -> Self {
        let mut out = *self;
        for point in &mut out.body {
            point[0] = -point[0];
        }
        for point in out.hands.as_flattened_mut() {
            point[0] = -point[0];
        }
        for left in [1, 3, 5] {
            out.body.swap(left, left + 1);
            out.body_seen.swap(left, left + 1);
        }
        out.hands.swap(0, 1);
        out.hand_seen.swap(0, 1);
        if let Some(picture) = &mut out.picture {
            picture.middle[0] = -picture.middle[0];
        }
        out
    }

    /// The middle between the shoulders and the distance from one to the other, where both were seen.
    pub fn shoulders(&self) -> Option<([f32; 2], f32)> {
        let [l, r] = [self.body[1], self.body[2]];
        let width = (l[0] - r[0]).hypot(l[1] - r[1]);
        let seen = self.body_seen[1] && self.body_seen[2] && width.is_finite() && width > 0.0;
        seen.then(|| ([(l[0] + r[0]) / 2.0, (l[1] + r[1]) / 2.0], width))
    }

    /// The size of a hand: the mean length of its four palm bones in space. `None` where it was not seen whole.
    pub fn hand_size(&self, side: usize) -> Option<f32> {
        let hand = &self.hands[side];
        if !self.hand_seen[side] || hand.iter().flatten().any(|v| !v.is_finite()) {
            return None;
        }
        let size = [5, 9, 13, 17].iter().map(|&k| norm(sub(hand[k], hand[0]))).sum::<f32>() / 4.0;
        (size.is_finite() && size > 0.0).then_some(size)
    }
}

/// Finds the points that features use in poses of one layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picker {
    body: [Option<usize>; BODY_POINTS.len()],
    hands: [Option<usize>; 2],
    size: Option<[u32; 2]>,
}

impl Picker {
    /// Looks up the points of a Holistic layout, or of any part of one.
    ///
    /// `None` where the layout has no whole hand: there is nothing that could be recognised.
    pub fn new(layout: &Layout) -> Option<Self> {
        let hands = HANDS.map(|name| layout.range(name).filter(|r| r.len() == HAND_POINTS).map(|r| r.start));
        let body = BODY_POINTS.map(|name| layout.index(BODY, name));
        (hands != [None; 2]).then_some(Self { body, hands, size: None })
    }

    /// Tells the features that know what to do with it how wide and high the picture is, in pixels.
    pub fn in_picture(mut self, [width, height]: [u32; 2]) -> Self {
        self.size = (width > 0 && height > 0).then_some([width, height]);
        self
    }

    /// What features look at in a pose of this layout, in the pose's own pixels.
    pub fn pick(&self, at_s: f64, pose: &Pose) -> Sight {
        let mut sight = Sight::unseen(at_s);
        sight.picture = self.size.map(|[width, height]| Picture {
            middle: [width as f32 / 2.0, height as f32 / 2.0],
            height: height as f32,
        });
        for (slot, k) in self.body.iter().enumerate() {
            if let Some([x, y, _]) = k.and_then(|k| pose.seen(k)) {
                sight.body[slot] = [x, y];
                sight.body_seen[slot] = true;
            }
        }
        for (side, start) in self.hands.iter().enumerate() {
            let Some(start) = *start else { continue };
            let points = start..start + HAND_POINTS;
            sight.hand_seen[side] = points.clone().all(|k| pose.confidence[k] > 0.0);
            if sight.hand_seen[side] {
                sight.hands[side].copy_from_slice(&pose.points[points]);
            }
        }
        sight
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Component;

    fn component(name: &str, points: Vec<String>) -> Component {
        Component { name: name.into(), points, limbs: vec![], colors: vec![], format: "XYZC".into() }
    }

    #[test]
    fn picks_by_name_wherever_the_components_stand() {
        let hand = || (0..21).map(|i| format!("P{i}")).collect::<Vec<_>>();
        let layout = Layout {
            components: vec![
                component(HANDS[1], hand()),
                component(BODY, vec!["RIGHT_WRIST".into(), "NOSE".into()]),
                component(HANDS[0], hand()),
            ],
        };
        let mut pose = Pose::unseen(44);
        for (k, p) in pose.points.iter_mut().enumerate() {
            *p = [k as f32, 1.0, 2.0];
        }
        pose.confidence.fill(1.0);
        pose.confidence[30] = 0.0;
        let sight = Picker::new(&layout).expect("it has hands").pick(1.5, &pose);
        assert_eq!(sight.body[6], [21.0, 1.0]);
        assert_eq!(sight.body[0], [22.0, 1.0]);
        assert_eq!(sight.body_seen, [true, false, false, false, false, false, true]);
        assert_eq!(sight.picture, None);
        assert_eq!(sight.hand_seen, [false, true], "a hand with a point missing is not seen");
        assert_eq!(sight.hands[1][20], [20.0, 1.0, 2.0]);
    }

    #[test]
    fn a_picture_of_no_size_is_unknown() {
        let hand = (0..21).map(|i| format!("P{i}")).collect();
        let layout = Layout { components: vec![component(HANDS[1], hand)] };
        let of =
            |size| Picker::new(&layout).expect("it has a hand").in_picture(size).pick(0.0, &Pose::unseen(21));
        assert_eq!(of([640, 480]).picture, Some(Picture { middle: [320.0, 240.0], height: 480.0 }));
        assert_eq!(of([640, 0]).picture, None);
    }

    #[test]
    fn a_layout_without_hands_is_refused() {
        let layout = Layout { components: vec![component(BODY, vec!["NOSE".into()])] };
        assert_eq!(Picker::new(&layout), None);
    }
}
