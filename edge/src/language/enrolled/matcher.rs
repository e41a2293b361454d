//! The engine of enrolled signs: a network that embeds, and the places of the signs beside it.

use models::enrolment::Gallery;

use crate::Fault;
use crate::engine::{Engine, Tensor};

/// Gives how similar a window is to each enrolled sign and, last, to none, as logits.
pub struct Matcher {
    network: Box<dyn Engine>,
    gallery: Gallery,
    answer: [Tensor; 1],
}

impl Matcher {
    /// Signs at these places, in the points that the network gives.
    pub fn new(network: Box<dyn Engine>, gallery: Gallery) -> Self {
        Self { network, gallery, answer: [Tensor::default()] }
    }
}

impl Engine for Matcher {
    fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
        let outputs = self.network.run(inputs)?;
        let point = outputs.first().map_or(&[][..], |output| &output.data);
        let logits = self.gallery.logits(point);
        self.answer = [Tensor { shape: vec![1, logits.len()], data: logits }];
        Ok(&self.answer)
    }

    fn describe(&self) -> String {
        self.network.describe()
    }
}

#[cfg(test)]
mod tests {
    use models::enrolment::{Example, MIRROR_COST};

    use super::*;

    /// Gives its input as the point.
    struct Same(Vec<Tensor>);

    impl Engine for Same {
        fn run(&mut self, inputs: &[Tensor]) -> Result<&[Tensor], Fault> {
            self.0 = inputs.to_vec();
            Ok(&self.0)
        }

        fn describe(&self) -> String {
            "same".into()
        }
    }

    #[test]
    fn each_sign_and_none_has_its_logit() {
        let example =
            |signed: [f32; 2]| Example { signed: signed.to_vec(), mirrored: signed.map(|v| -v).to_vec() };
        let (a, b) = ([example([1.0, 0.0])], [example([0.0, 1.0])]);
        let mut matcher = Matcher::new(Box::new(Same(vec![])), Gallery::new([a.as_slice(), &b], 0.5));
        for (point, logits) in [([1.0, 0.0], [1.0, 0.0, 0.5]), ([0.0, -1.0], [0.0, 1.0 - MIRROR_COST, 0.5])] {
            let said = matcher.run(&[Tensor::new(&[1, 2], point.to_vec()).unwrap()]).unwrap();
            assert_eq!(said, [Tensor::new(&[1, 3], logits.to_vec()).unwrap()]);
        }
    }
}
