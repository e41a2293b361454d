//! Which landmarks a pose has, in which order, and which of them are joined by limbs.
//!
//! A layout is a list of components (body, face, each hand), as in the header of
//! a `.pose` file. Points are numbered through, component after component.

use std::ops::Range;

use super::holistic::WORLD;

/// A named group of landmarks, for example `LEFT_HAND_LANDMARKS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Name, unique within its layout.
    pub name: String,
    /// Landmark names, in order.
    pub points: Vec<String>,
    /// Pairs of landmark numbers within this component that are joined.
    pub limbs: Vec<(u16, u16)>,
    /// Colours of the limbs, red, green, blue; viewers repeat them as needed.
    pub colors: Vec<[u16; 3]>,
    /// One letter a stored value, ending in `C` for the confidence: `XYZC` or `XYC`.
    pub format: String,
}

impl Component {
    /// The landmarks whose names are wanted, in their order, with the limbs between them.
    pub fn pick(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let kept: Vec<usize> = (0..self.points.len()).filter(|&k| wanted(&self.points[k])).collect();
        let place = |k: u16| kept.binary_search(&usize::from(k)).ok().and_then(|k| u16::try_from(k).ok());
        Self {
            name: self.name.clone(),
            points: kept.iter().map(|&k| self.points[k].clone()).collect(),
            limbs: self.limbs.iter().filter_map(|&(a, b)| Some((place(a)?, place(b)?))).collect(),
            colors: self.colors.clone(),
            format: self.format.clone(),
        }
    }
}

/// The landmarks of one pose, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// The groups, in order.
    pub components: Vec<Component>,
}

impl Layout {
    /// Number of landmarks, K.
    pub fn len(&self) -> usize {
        self.components.iter().map(|c| c.points.len()).sum()
    }

    /// True where the layout has no landmark at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The landmarks of a component, as a range over the whole pose.
    pub fn range(&self, component: &str) -> Option<Range<usize>> {
        let mut start = 0;
        for c in &self.components {
            let end = start + c.points.len();
            if c.name == component {
                return Some(start..end);
            }
            start = end;
        }
        None
    }

    /// The number of one landmark within the whole pose.
    pub fn index(&self, component: &str, point: &str) -> Option<usize> {
        let start = self.range(component)?.start;
        let c = self.components.iter().find(|c| c.name == component)?;
        Some(start + c.points.iter().position(|p| p == point)?)
    }

    /// Which landmarks stand in the picture; those of [`WORLD`] are in metres.
    pub fn in_picture(&self) -> Vec<bool> {
        self.components.iter().flat_map(|c| vec![c.name != WORLD; c.points.len()]).collect()
    }

    /// All limbs, numbered over the whole pose.
    pub fn limbs(&self) -> Vec<(usize, usize)> {
        let mut start = 0;
        let mut limbs = Vec::new();
        for c in &self.components {
            limbs.extend(c.limbs.iter().map(|&(a, b)| (start + usize::from(a), start + usize::from(b))));
            start += c.points.len();
        }
        limbs
    }
}
