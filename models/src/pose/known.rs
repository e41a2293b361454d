//! The layouts that Signpost knows by name.

use std::sync::{Arc, LazyLock};

use super::{Layout, holistic, openpose};

/// A layout that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Known {
    /// MediaPipe Holistic, 576 landmarks: body 33, face 468, left hand 21, right hand 21, body in metres 33.
    Holistic576,
    /// The same with irises, 586 landmarks: the face has 478.
    Holistic586,
    /// pose-format's reduced Holistic, 178 landmarks: body 8, face contour 128, left hand 21, right hand 21.
    Reduced178,
    /// Body 33, left hand 21, right hand 21: the landmarks of a row of 258 values.
    BodyHands75,
    /// Left hand 21, right hand 21: the landmarks of a row of 126 values.
    Hands42,
    /// OpenPose, 137 landmarks in two dimensions: body 25, face 70, left hand 21, right hand 21.
    OpenPose137,
    /// DWPose, 128 landmarks in two dimensions: body 18, face 68, left hand 21, right hand 21.
    DwPose128,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Holistic576,
        Self::Holistic586,
        Self::Reduced178,
        Self::BodyHands75,
        Self::Hands42,
        Self::OpenPose137,
        Self::DwPose128,
    ];

    /// The layout. It is made once, and shared.
    pub fn layout(self) -> Arc<Layout> {
        static LAYOUTS: LazyLock<[Arc<Layout>; 7]> =
            LazyLock::new(|| Known::ALL.map(|k| Arc::new(k.build())));
        Arc::clone(&LAYOUTS[self as usize])
    }

    fn build(self) -> Layout {
        match self {
            Self::Holistic576 => holistic::holistic(false),
            Self::Holistic586 => holistic::holistic(true),
            Self::Reduced178 => holistic::reduced(),
            Self::BodyHands75 => holistic::body_and_hands(),
            Self::Hands42 => holistic::two_hands(),
            Self::OpenPose137 => openpose::openpose(),
            Self::DwPose128 => openpose::dwpose(),
        }
    }
}

impl Layout {
    /// Which known layout this is, judged by the names of its components and landmarks.
    ///
    /// Limbs, colours and the number of dimensions may differ: pose-format's own
    /// changed between its versions.
    pub fn recognise(&self) -> Option<Known> {
        let same = |known: &Known| {
            let layout = known.layout();
            layout.components.len() == self.components.len()
                && layout
                    .components
                    .iter()
                    .zip(&self.components)
                    .all(|(a, b)| a.name == b.name && a.points == b.points)
        };
        Known::ALL.into_iter().find(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: Known, counts: &[usize]) {
        let layout = known.layout();
        let found: Vec<usize> = layout.components.iter().map(|c| c.points.len()).collect();
        assert_eq!(found, counts);
        assert_eq!(layout.recognise(), Some(known));
        for c in &layout.components {
            assert!(c.limbs.iter().all(|&(a, b)| usize::from(a.max(b)) < c.points.len()), "{}", c.name);
        }
    }

    #[test]
    fn layouts_have_their_landmarks_and_are_told_apart() {
        check(Known::Holistic576, &[33, 468, 21, 21, 33]);
        check(Known::Holistic586, &[33, 478, 21, 21, 33]);
        check(Known::Reduced178, &[8, 128, 21, 21]);
        check(Known::BodyHands75, &[33, 21, 21]);
        check(Known::Hands42, &[21, 21]);
        check(Known::OpenPose137, &[25, 70, 21, 21]);
        check(Known::DwPose128, &[18, 68, 21, 21]);
    }

    #[test]
    fn another_layout_is_not_recognised() {
        let mut layout = Layout::clone(&Known::Hands42.layout());
        layout.components[0].points[0] = "PALM".into();
        assert_eq!(layout.recognise(), None);
    }
}
