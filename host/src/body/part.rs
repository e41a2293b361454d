//! The parts of a person that a segmentation tells apart: the 28 classes of Sapiens.

/// A class of Sapiens' body part segmentation, in its order (`docs/SEG_README.md` of its repository).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "the names are the classes'")]
pub enum Part {
    Background,
    Apparel,
    FaceNeck,
    Hair,
    LeftFoot,
    LeftHand,
    LeftLowerArm,
    LeftLowerLeg,
    LeftShoe,
    LeftSock,
    LeftUpperArm,
    LeftUpperLeg,
    LowerClothing,
    RightFoot,
    RightHand,
    RightLowerArm,
    RightLowerLeg,
    RightShoe,
    RightSock,
    RightUpperArm,
    RightUpperLeg,
    Torso,
    UpperClothing,
    LowerLip,
    UpperLip,
    LowerTeeth,
    UpperTeeth,
    Tongue,
}

impl Part {
    /// All classes; each stands at its label.
    pub const ALL: [Self; 28] = [
        Self::Background,
        Self::Apparel,
        Self::FaceNeck,
        Self::Hair,
        Self::LeftFoot,
        Self::LeftHand,
        Self::LeftLowerArm,
        Self::LeftLowerLeg,
        Self::LeftShoe,
        Self::LeftSock,
        Self::LeftUpperArm,
        Self::LeftUpperLeg,
        Self::LowerClothing,
        Self::RightFoot,
        Self::RightHand,
        Self::RightLowerArm,
        Self::RightLowerLeg,
        Self::RightShoe,
        Self::RightSock,
        Self::RightUpperArm,
        Self::RightUpperLeg,
        Self::Torso,
        Self::UpperClothing,
        Self::LowerLip,
        Self::UpperLip,
        Self::LowerTeeth,
        Self::UpperTeeth,
        Self::Tongue,
    ];

    /// Its label, 0 to 27.
    #[must_use]
    pub const fn label(self) -> u8 {
        self as u8
    }

    /// The same part of the other side.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::LeftFoot => Self::RightFoot,
            Self::LeftHand => Self::RightHand,
            Self::LeftLowerArm => Self::RightLowerArm,
            Self::LeftLowerLeg => Self::RightLowerLeg,
            Self::LeftShoe => Self::RightShoe,
            Self::LeftSock => Self::RightSock,
            Self::LeftUpperArm => Self::RightUpperArm,
            Self::LeftUpperLeg => Self::RightUpperLeg,
            Self::RightFoot => Self::LeftFoot,
            Self::RightHand => Self::LeftHand,
            Self::RightLowerArm => Self::LeftLowerArm,
            Self::RightLowerLeg => Self::LeftLowerLeg,
            Self::RightShoe => Self::LeftShoe,
            Self::RightSock => Self::LeftSock,
            Self::RightUpperArm => Self::LeftUpperArm,
            Self::RightUpperLeg => Self::LeftUpperLeg,
            middle => middle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_stands_at_its_label() {
        for (label, part) in (0..).zip(Part::ALL) {
            assert_eq!(part.label(), label);
            assert_eq!(part.mirrored().mirrored(), part);
        }
    }
}
