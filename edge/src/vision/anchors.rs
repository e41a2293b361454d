//! The boxes that single-shot detectors start from (MediaPipe's `SsdAnchorsCalculator`).

/// A box in units of the picture: centre x and y, width and height.
pub type Anchor = [f32; 4];

/// How a detector's anchors are laid out.
#[derive(Debug, Clone, Copy)]
pub struct Anchors<'a> {
    /// Width and height of the network's input, in pixels.
    pub input: u32,
    /// Scale of the finest and the coarsest layer.
    pub scale: [f32; 2],
    /// Pixels between two cells, one a layer; layers of the same stride share cells.
    pub strides: &'a [u32],
    /// Width over height of the boxes in a cell, beside the one between two scales.
    pub aspects: &'a [f32],
    /// The finest layer has three boxes of fixed aspects instead.
    pub reduced_first_layer: bool,
    /// All boxes are as large as the picture: the network gives sizes by itself.
    pub unit_size: bool,
}

impl Anchors<'_> {
    /// The anchors in the order of the network's outputs.
    pub fn generate(&self) -> Vec<Anchor> {
        let mut anchors = Vec::new();
        let mut layer = 0;
        while layer < self.strides.len() {
            let stride = self.strides[layer];
            let same = self.strides[layer..].iter().take_while(|s| **s == stride).count();
            let boxes: Vec<_> = (layer..layer + same).flat_map(|l| self.layer(l)).collect();
            let cells = self.input.div_ceil(stride);
            for cell in 0..cells * cells {
                let center = [cell % cells, cell / cells].map(|c| (c as f32 + 0.5) / cells as f32);
                anchors.extend(boxes.iter().map(|&[w, h]| [center[0], center[1], w, h]));
            }
            layer += same;
        }
        anchors
    }

    /// Widths and heights of the boxes that a layer adds to each cell.
    fn layer(&self, layer: usize) -> Vec<[f32; 2]> {
        let scale = self.scale_of(layer);
        let mut boxes: Vec<(f32, f32)> = if layer == 0 && self.reduced_first_layer {
            vec![(1.0, 0.1), (2.0, scale), (0.5, scale)]
        } else {
            let next = if layer + 1 == self.strides.len() { 1.0 } else { self.scale_of(layer + 1) };
            let between = (1.0, (scale * next).sqrt());
            self.aspects.iter().map(|&a| (a, scale)).chain([between]).collect()
        };
        boxes
            .drain(..)
            .map(
                |(aspect, scale)| {
                    if self.unit_size { [1.0; 2] } else { [scale * aspect.sqrt(), scale / aspect.sqrt()] }
                },
            )
            .collect()
    }

    fn scale_of(&self, layer: usize) -> f32 {
        let [least, most] = self.scale;
        match self.strides.len() {
            1 => (least + most) / 2.0,
            layers => least + (most - least) * layer as f32 / (layers - 1) as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::tests::oracle;

    /// MediaPipe's face detector at 256 pixels, which its test of the anchors uses.
    const FACE_256: Anchors = Anchors {
        input: 256,
        scale: [0.1171875, 0.75],
        strides: &[8, 16, 32, 32, 32],
        aspects: &[1.0],
        reduced_first_layer: false,
        unit_size: true,
    };
    /// MobileNet SSD at 300 pixels, the other one.
    const MOBILE_300: Anchors = Anchors {
        input: 300,
        scale: [0.2, 0.95],
        strides: &[16, 32, 64, 128, 256, 512],
        aspects: &[1.0, 2.0, 0.5, 3.0, 0.3333],
        reduced_first_layer: true,
        unit_size: false,
    };

    #[track_caller]
    fn check(got: Anchor, expect: Anchor) {
        assert!(got.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?} instead of {expect:?}");
    }

    #[test]
    fn cells_run_along_rows_and_boxes_within_a_cell() {
        let anchors = FACE_256.generate();
        assert_eq!(anchors.len(), 32 * 32 * 2 + 16 * 16 * 2 + 8 * 8 * 6);
        check(anchors[0], [1.0 / 64.0, 1.0 / 64.0, 1.0, 1.0]);
        check(anchors[2], [3.0 / 64.0, 1.0 / 64.0, 1.0, 1.0]);
        check(anchors[64], [1.0 / 64.0, 3.0 / 64.0, 1.0, 1.0]);
        // The reduced layer: a small square, then a wide and a high box.
        let mobile = MOBILE_300.generate();
        assert_eq!(mobile.len(), 1917);
        check(mobile[0], [0.5 / 19.0, 0.5 / 19.0, 0.1, 0.1]);
        check(mobile[1], [0.5 / 19.0, 0.5 / 19.0, 0.282843, 0.141421]);
    }

    #[test]
    fn anchors_agree_with_the_goldens() {
        let Some(dir) = oracle("anchors_agree_with_the_goldens") else { return };
        for (anchors, name) in
            [(FACE_256, "anchor_golden_file_0.json"), (MOBILE_300, "anchor_golden_file_1.json")]
        {
            let text = std::fs::read_to_string(dir.join("tfjs").join(name)).unwrap();
            let golden: Vec<Anchor> = serde_json::from_str(&text).unwrap();
            let ours = anchors.generate();
            assert_eq!(ours.len(), golden.len(), "{name}");
            for (ours, golden) in ours.into_iter().zip(golden) {
                check(ours, golden);
            }
        }
    }
}
