//! SignX's Video2Pose as ONNX: one network that looks at a frame as it comes, and one that gives the tracks of a clip by
//! what was seen of its frames. The second gives what [`super::signx`]'s encoder takes:
//!
//! | tensor | shape | what it is |
//! |---|---|---|
//! | `picture` | `[H, W, 3]` | a frame, sRGB from 0 to 1 |
//! | `feature` | `[1, D + 2 * K]` | what it shows, and where K points are in it |
//! | `features` | `[T, D + 2 * K]` | of a clip's frames |
//! | `seen` | `[T, 1]` | 1 for each frame that is there, else 0 |
//! | `frames` | `[T, F]` | the tracks side by side |

use burn::nn::Linear;
use burn::tensor::backend::Backend;
use models::features::HAND_POINTS;
use models::onnx::{Builder, Dim, Value};
use models::signx::SHOULDERS;
use models::translator::NOT_THERE;

use super::translator::{along, names};
use super::{Graph, values};
use crate::signx::closer::{self, HANDS, TURNS, WIDE, averaging};
use crate::signx::convolve::{Convolve, each_twice, run, window};
use crate::signx::encode::Standard;
use crate::signx::film::{MARKS, TRUNK};
use crate::signx::find::{BLUNT, LEAST_APART, SHARP, SPREAD, about_wrists, middles};
use crate::signx::spatial::{COLOURS, Shrink};
use crate::signx::{Closer, Find, Spatial, Video2Pose};

/// A network as two: the bytes of what looks at a frame, and of what gives the tracks of `frames` frames. `tracks` are
/// those that it gives, by their numbers.
pub fn video2pose<B: Backend>(
    name: &str,
    net: &Video2Pose<B>,
    tracks: &[usize],
    frames: usize,
) -> [Vec<u8>; 2] {
    [look(name, &net.spatial), give(name, net, tracks, frames)]
}

fn look<B: Backend>(name: &str, net: &Spatial<B>) -> Vec<u8> {
    let (side, [places, d]) = (net.shown(), net.places.dims());
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    graph.to.input("picture", &[Dim::Fixed(side), Dim::Fixed(side), Dim::Fixed(3)]);
    graph.to.tensor_f32("two", &[1], &[2.0]);
    graph.to.tensor_f32("one", &[1], &[1.0]);
    graph.to.node("Mul", &["picture", "two"], &["twice"], vec![]);
    graph.to.node("Sub", &["twice", "one"], &["pixels"], vec![]);
    graph.shaped("pixels", "pixel_rows", &[side, side * COLOURS]);
    if side == net.picture() {
        graph.shaped("pixels", "seen0", &[side * side, COLOURS]);
    } else {
        graph.to.tensor_f32("averaging", &[net.picture(), side], &averaging(side, net.picture()));
        graph.to.node("Transpose", &["averaging"], &["averaging_turned"], turned());
        graph.sampled(["pixel_rows", "averaging", "averaging_turned"], "seen0", [side, net.picture()]);
    }
    let left = graph.shrinks("seen", &net.shrinks, net.picture());
    let seen = |back: usize| format!("seen{}", net.shrinks.len() - back);
    let (p, c) = (net.patch(), net.patches.weight.dims()[0] / net.patch().pow(2));
    let g = left / p;
    graph.shaped(&seen(0), "parted", &[g, p, g, p, c]);
    let order = vec![("perm", Value::Ints(vec![0, 2, 1, 3, 4]))];
    graph.to.node("Transpose", &["parted"], &["patches_cube"], order);
    graph.shaped("patches_cube", "patches", &[g * g, p * p * c]);
    graph.linear("patch", "patches", "embedded", &net.patches);
    let mut x = "embedded";
    if let Some(class) = &net.class {
        graph.to.tensor_f32("class", &[1, d], &values(class));
        graph.to.node("Concat", &["class", x], &["with_class"], along(0));
        x = "with_class";
    }
    graph.to.tensor_f32("places", &[places, d], &values(&net.places));
    graph.to.node("Add", &[x, "places"], &["x0"], vec![]);
    graph.to.tensor_f32("absent", &[1, 1, places], &vec![0.0; places]);
    for (l, layer) in net.layers.iter().enumerate() {
        graph.encoder_layer(&format!("spatial{l}"), &format!("x{l}"), &format!("x{}", l + 1), layer, places);
    }
    graph.norm("spatial_norm", &format!("x{}", net.layers.len()), "normed", &net.norm);
    match &net.gather {
        Some(gather) => {
            graph.shaped("normed", "all_places", &[1, places * d]);
            let gathered = if net.find.is_some() { "said0" } else { "feature" };
            graph.linear("gather", "all_places", gathered, gather);
        }
        None => graph.slice("feature", "normed", 0, 0, 1),
    }
    let mut width = d;
    if let Some((find, says)) = net.find.as_ref().zip(net.says.as_ref()) {
        graph.find(find, ["normed", &seen(1), "first"], g);
        let mut found = "first";
        graph.to.tensor_f32("spread", &[1], &[SPREAD]);
        graph.to.tensor_f32("half", &[1], &[0.5]);
        if let Some(closer) = &net.closer {
            graph.closer(closer, ["pixel_rows", found, "closer", "told"]);
            found = "closer";
        }
        let [two, _] = says.weight.dims();
        graph.to.node("Sub", &[found, "half"], &["found_centred"], vec![]);
        graph.to.node("Mul", &["found_centred", "spread"], &["found_spread"], vec![]);
        graph.shaped("found_spread", "found_row", &[1, two]);
        graph.linear("says", "found_row", "said", says);
        let told = net.closer.as_ref().map(|_| "told");
        let said = std::iter::once("said").chain(told).enumerate().fold(0, |_, (i, part)| {
            graph.to.node("Add", &[&format!("said{i}"), part], &[&format!("said{}", i + 1)], vec![]);
            i + 1
        });
        graph.to.node("Concat", &[&format!("said{said}"), "found_row"], &["feature"], along(1));
        width += two;
    }
    graph.to.output("feature", &[Dim::Fixed(1), Dim::Fixed(width)]);
    graph.to.finish(&[])
}

fn give<B: Backend>(name: &str, net: &Video2Pose<B>, tracks: &[usize], t: usize) -> Vec<u8> {
    let [d] = net.temporal_norm.gamma.dims();
    let mut graph = Graph { to: Builder::new(name), prefix: String::new() };
    let width = net.width();
    graph.to.input("features", &[Dim::Fixed(t), Dim::Fixed(width)]);
    graph.to.input("seen", &[Dim::Fixed(t), Dim::Fixed(1)]);
    graph.to.tensor_f32("one", &[1], &[1.0]);
    graph.to.tensor_f32("far", &[1], &[-NOT_THERE]);
    graph.to.node("Sub", &["seen", "one"], &["unseen"], vec![]);
    graph.to.node("Mul", &["unseen", "far"], &["absent_column"], vec![]);
    graph.shaped("absent_column", "absent", &[1, 1, t]);
    let mut features = "features";
    if width > d {
        graph.slice("told", features, 1, 0, d);
        graph.slice("found", features, 1, d, width);
        graph.measured(["found", "seen", "measured"], t);
        features = "told";
    }
    graph.placed(features, "x0", [t, d]);
    for (l, layer) in net.temporal.iter().enumerate() {
        graph.encoder_layer(&format!("temporal{l}"), &format!("x{l}"), &format!("x{}", l + 1), layer, t);
    }
    graph.norm("temporal_norm", &format!("x{}", net.temporal.len()), "normed", &net.temporal_norm);
    let (mut given, mut f) = (vec![], 0);
    for &track in tracks {
        let (projection, name) = (&net.projections[track], format!("track{track}"));
        let (weight, bias) = told(&projection.linear, &projection.standard);
        let width = projection.standard.width();
        let linear = if projection.places.is_some() { format!("{name}_seen") } else { name.clone() };
        graph.linear_of(&format!("{name}_linear"), "normed", &linear, &[d, width], &weight, &bias);
        if let Some(places) = &projection.places {
            let ([from, _], by) = (places.weight.dims(), format!("{name}_places"));
            graph.to.tensor_f32(
                &format!("{by}_weight"),
                &[from, width],
                &deviating(places, &projection.standard),
            );
            graph.to.node("MatMul", &["measured", &format!("{by}_weight")], &[&by], vec![]);
            graph.to.node("Add", &[&linear, &by], &[&name], vec![]);
        }
        given.push(name);
        f += width;
    }
    graph.to.node("Concat", &names(&given), &["frames"], along(1));
    graph.to.output("frames", &[Dim::Fixed(t), Dim::Fixed(f)]);
    graph.to.finish(&[])
}

/// A layer that gives a track's numbers as its estimator does, instead of standardised: its weights and its bias.
fn told<B: Backend>(linear: &Linear<B>, standard: &Standard<B>) -> (Vec<f32>, Vec<f32>) {
    let (mean, deviation) = (values(&standard.mean), values(&standard.deviation));
    let bias = linear.bias.as_ref().map_or_else(|| vec![0.0; mean.len()], values);
    let bias =
        bias.iter().zip(mean.iter().zip(&deviation)).map(|(b, (mean, deviation))| b * deviation + mean);
    (deviating(linear, standard), bias.collect())
}

/// The weights of a layer that gives a track's numbers in their own measure, and not in their deviations.
fn deviating<B: Backend>(linear: &Linear<B>, standard: &Standard<B>) -> Vec<f32> {
    let (mut weight, deviation) = (values(&linear.weight), values(&standard.deviation));
    for row in weight.chunks_exact_mut(deviation.len()) {
        row.iter_mut().zip(&deviation).for_each(|(w, deviation)| *w *= deviation);
    }
    weight
}

/// Rows for columns.
fn turned() -> Vec<(&'static str, Value)> {
    vec![("perm", Value::Ints(vec![1, 0]))]
}

impl Graph {
    /// A picture `side` high and wide, from `[side², C]` to `[left², C']`, pixels row by row; gives how many rows are left.
    fn shrink<B: Backend>(&mut self, input: &str, output: &str, shrink: &Shrink<B>, side: usize) -> usize {
        let now = |part: usize| format!("{output}_{part}");
        let left = self.convolve(input, &now(0), &shrink.convolve, side);
        let name = |part: usize| if part == shrink.residuals.len() { output.into() } else { now(part + 1) };
        self.silu(&now(0), &name(0));
        for (i, residual) in shrink.residuals.iter().enumerate() {
            let part = |part: &str| format!("{output}_residual{i}_{part}");
            let from = name(i);
            self.convolve(&from, &part("first"), &residual.first, left);
            self.silu(&part("first"), &part("bent"));
            self.convolve(&part("bent"), &part("second"), &residual.second, left);
            self.to.node("Add", &[&from, &part("second")], &[&part("sum")], vec![]);
            self.silu(&part("sum"), &name(i + 1));
        }
        left
    }

    /// A convolution with its norm, of a picture as [`Graph::shrink`] takes it.
    fn convolve<B: Backend>(
        &mut self,
        input: &str,
        output: &str,
        convolve: &Convolve<B>,
        side: usize,
    ) -> usize {
        let now = |part: &str| format!("{output}_{part}");
        let ([taps, to], by) = (convolve.linear.weight.dims(), convolve.by());
        let (window, left) = (window(by), side / by);
        let c = taps / window.pow(2);
        self.to.node("Transpose", &[input], &[&now("colours")], turned());
        self.shaped(&now("colours"), &now("picture"), &[1, c, side, side]);
        let mut kernel = vec![0.0; taps * to];
        for (row, values) in values(&convolve.linear.weight).chunks_exact(to).enumerate() {
            let (pixel, colour) = (row / c, row % c);
            for (out, value) in values.iter().enumerate() {
                kernel[(out * c + colour) * window.pow(2) + pixel] = *value;
            }
        }
        self.to.tensor_f32(&now("kernel"), &[to, c, window, window], &kernel);
        let bias = convolve.linear.bias.as_ref().map_or_else(|| vec![0.0; to], values);
        self.to.tensor_f32(&now("bias"), &[to], &bias);
        let how = vec![
            ("kernel_shape", Value::Ints(vec![window as i64; 2])),
            ("strides", Value::Ints(vec![by as i64; 2])),
            ("pads", Value::Ints(vec![run(by) as i64; 4])),
        ];
        self.to.node("Conv", &[&now("picture"), &now("kernel"), &now("bias")], &[&now("seen")], how);
        self.shaped(&now("seen"), &now("planes"), &[to, left * left]);
        self.to.node("Transpose", &[&now("planes")], &[&now("rows")], turned());
        self.norm(&now("norm"), &now("rows"), output, &convolve.norm);
        left
    }

    /// Convolutions of `NAME0`, one after another: `NAME1` and so on. Gives how many rows are left.
    fn shrinks<B: Backend>(&mut self, name: &str, shrinks: &[Shrink<B>], side: usize) -> usize {
        shrinks.iter().enumerate().fold(side, |left, (i, shrink)| {
            self.shrink(&format!("{name}{i}"), &format!("{name}{}", i + 1), shrink, left)
        })
    }

    /// Places of points, across and down from 0 to 1, `[K, 2]`, by what is known of g × g places, `[g², D]`, and what the
    /// convolutions saw of twice as many rows and columns.
    fn find<B: Backend>(&mut self, find: &Find<B>, [known, seen, output]: [&str; 3], g: usize) {
        let (now, side) = (|part: &str| format!("{output}_{part}"), 2 * g);
        self.linear(&now("know"), known, &now("known"), &find.known);
        self.to.tensor_i64(&now("each_twice"), &[side * side], &each_twice(1, [g; 2]));
        let axis = vec![("axis", Value::Int(0))];
        self.to.node("Gather", &[&now("known"), &now("each_twice")], &[&now("known_twice")], axis);
        self.to.node("Add", &[seen, &now("known_twice")], &[&now("sum")], vec![]);
        self.convolve(&now("sum"), &now("both"), &find.both, side);
        self.silu(&now("both"), &now("bent"));
        self.linear(&now("map"), &now("bent"), &now("maps"), &find.maps);
        self.to.tensor_f32(&now("sharp"), &[1], &[SHARP]);
        self.to.node("Mul", &[&now("maps"), &now("sharp")], &[&now("maps_sharp")], vec![]);
        self.to.node("Transpose", &[&now("maps_sharp")], &[&now("maps_turned")], turned());
        self.to.node("Softmax", &[&now("maps_turned")], &[&now("shares")], vec![("axis", Value::Int(1))]);
        self.to.tensor_f32(&now("middles"), &[side * side, 2], &middles([side; 2]));
        self.to.node("MatMul", &[&now("shares"), &now("middles")], &[output], vec![]);
    }

    /// A picture in which each row and each column is a weighted sum of another's: `[to², 3]` of pixels `[from, from * 3]`,
    /// by `[to, from]` and `[from, to]`.
    fn sampled(&mut self, [pixels, rows, columns]: [&str; 3], output: &str, [from, to]: [usize; 2]) {
        let now = |part: &str| format!("{output}_{part}");
        let turn = || vec![("perm", Value::Ints(vec![0, 2, 1]))];
        self.to.node("MatMul", &[rows, pixels], &[&now("high")], vec![]);
        self.shaped(&now("high"), &now("high_cube"), &[to, from, COLOURS]);
        self.to.node("Transpose", &[&now("high_cube")], &[&now("high_turned")], turn());
        self.shaped(&now("high_turned"), &now("high_rows"), &[to * COLOURS, from]);
        self.to.node("MatMul", &[&now("high_rows"), columns], &[&now("wide")], vec![]);
        self.shaped(&now("wide"), &now("wide_cube"), &[to, COLOURS, to]);
        self.to.node("Transpose", &[&now("wide_cube")], &[&now("wide_turned")], turn());
        self.shaped(&now("wide_turned"), output, &[to * to, COLOURS]);
    }

    /// Places of the marks with those of the hands by a closer look, `[MARKS, 2]`, and what hands say of the frame, `[1, D]`:
    /// of pixels `[F, F * 3]` and the places before.
    fn closer<B: Backend>(&mut self, closer: &Closer<B>, [pixels, points, output, told]: [&str; 4]) {
        let (from, side) = (closer.from(), closer.side());
        let mut across = vec![0.0; MARKS];
        SHOULDERS.into_iter().zip([1.0, -1.0]).for_each(|(mark, sign)| across[mark] = sign);
        self.to.tensor_f32("shoulders_apart", &[1, MARKS], &across);
        self.to.node("MatMul", &["shoulders_apart", points], &["cut_across"], vec![]);
        self.to.node("Mul", &["cut_across", "cut_across"], &["cut_squares"], vec![]);
        self.to.tensor_f32("cut_ways", &[2, 1], &[1.0; 2]);
        self.to.node("MatMul", &["cut_squares", "cut_ways"], &["cut_square"], vec![]);
        self.to.tensor_f32("cut_blunt", &[1], &[BLUNT]);
        self.to.node("Add", &["cut_square", "cut_blunt"], &["cut_blunted"], vec![]);
        self.to.node("Sqrt", &["cut_blunted"], &["cut_apart"], vec![]);
        self.to.tensor_f32("cut_least", &[1], &[LEAST_APART]);
        self.to.node("Max", &["cut_apart", "cut_least"], &["cut_measure"], vec![]);
        self.to.tensor_f32("cut_widths", &[1], &[WIDE]);
        self.to.node("Mul", &["cut_measure", "cut_widths"], &["cut_wide"], vec![]); // [1, 1]
        self.to.tensor_f32("cut_along", &[side, 1], &closer::along(side));
        self.to.node("Mul", &["cut_along", "cut_wide"], &["cut_from_middle"], vec![]); // [S, 1]
        let each: Vec<f32> = (0..from).map(|i| i as f32 + 0.5).collect();
        self.to.tensor_f32("cut_each", &[1, from], &each);
        self.to.tensor_f32("cut_from", &[1], &[from as f32]);
        let (mut parts, mut seen) = (vec!["closer_trunk".to_string()], vec![]);
        self.slice("closer_trunk", points, 0, 0, TRUNK);
        for (hand, turn) in TURNS.into_iter().enumerate() {
            let (now, of) = (|part: &str| format!("hand{hand}_{part}"), TRUNK + hand * HAND_POINTS);
            let mut share = vec![0.0; MARKS];
            share[of..of + HAND_POINTS].fill(1.0 / HAND_POINTS as f32);
            self.to.tensor_f32(&now("shares"), &[1, MARKS], &share);
            self.to.node("MatMul", &[&now("shares"), points], &[&now("middle")], vec![]); // [1, 2]
            self.to.tensor_f32(&now("turn"), &[1, 2], &[turn, 1.0]);
            self.to.node("Mul", &["cut_from_middle", &now("turn")], &[&now("turned")], vec![]);
            self.to.node("Add", &[&now("turned"), &now("middle")], &[&now("places")], vec![]); // [S, 2]
            self.to.node("Mul", &[&now("places"), "cut_from"], &[&now("pixels")], vec![]);
            for (way, name) in ["columns", "rows"].into_iter().enumerate() {
                let now = |part: &str| format!("hand{hand}_{name}_{part}");
                self.slice(&now("places"), &format!("hand{hand}_pixels"), 1, way, way + 1);
                self.to.node("Sub", &[&now("places"), "cut_each"], &[&now("apart")], vec![]); // [S, F]
                self.to.node("Abs", &[&now("apart")], &[&now("far")], vec![]);
                self.to.node("Sub", &["one", &now("far")], &[&now("near")], vec![]);
                self.to.node("Relu", &[&now("near")], &[&format!("hand{hand}_{name}")], vec![]);
            }
            self.to.node("Transpose", &[&now("columns")], &[&now("columns_turned")], turned());
            let weights = [now("rows"), now("columns_turned")];
            self.sampled([pixels, &weights[0], &weights[1]], &now("seen0"), [from, side]);
            let left = self.shrinks(&now("seen"), &closer.shrinks, side);
            let last = closer.shrinks.len();
            let [known, before] = [last, last - 1].map(|i| now(&format!("seen{i}")));
            self.find(&closer.find, [&known, &before, &now("found")], left);
            self.to.node("Sub", &[&now("found"), "half"], &[&now("centred")], vec![]);
            self.to.node("Mul", &[&now("centred"), &now("turn")], &[&now("upright")], vec![]);
            self.to.node("Mul", &[&now("upright"), "cut_wide"], &[&now("about_middle")], vec![]);
            self.to.node("Add", &[&now("about_middle"), &now("middle")], &[&now("points")], vec![]);
            parts.push(now("points"));
            let channels = closer.tells.weight.dims()[0] / HANDS;
            self.shaped(&known, &now("row"), &[1, channels]);
            seen.push(now("row"));
        }
        self.to.node("Concat", &names(&parts), &[output], along(0));
        self.to.node("Concat", &names(&seen), &["hands_row"], along(1));
        self.linear("tells", "hands_row", told, &closer.tells);
    }

    /// The signer's own measure ([`crate::signx::find::measured`]) of places as a frame's feature has them, `[T, 2 * MARKS]`.
    fn measured(&mut self, [points, seen, output]: [&str; 3], t: usize) {
        let two = 2 * MARKS;
        // Of the places of the shoulders: what is between them, and from one to the other.
        let (mut middle, mut across) = (vec![0.0; two * 2], vec![0.0; two * 2]);
        for (mark, sign) in SHOULDERS.into_iter().zip([1.0, -1.0]) {
            for way in 0..2 {
                middle[(2 * mark + way) * 2 + way] = 0.5;
                across[(2 * mark + way) * 2 + way] = sign;
            }
        }
        self.to.tensor_f32("middle_weight", &[two, 2], &middle);
        self.to.tensor_f32("across_weight", &[two, 2], &across);
        self.to.node("MatMul", &[points, "middle_weight"], &["middles"], vec![]);
        self.to.node("MatMul", &[points, "across_weight"], &["across"], vec![]);
        self.to.node("Mul", &["across", "across"], &["across_squares"], vec![]);
        self.to.tensor_f32("both_ways", &[2, 1], &[1.0; 2]);
        self.to.node("MatMul", &["across_squares", "both_ways"], &["apart_squares"], vec![]);
        // A feature has its places spread.
        self.to.tensor_f32("blunt", &[1], &[BLUNT * SPREAD * SPREAD]);
        self.to.node("Add", &["apart_squares", "blunt"], &["blunted"], vec![]);
        self.to.node("Sqrt", &["blunted"], &["aparts"], vec![]);
        self.to.node("Concat", &["middles", "aparts"], &["each_frame"], along(1));
        self.shaped(seen, "seen_row", &[1, t]);
        self.to.node("MatMul", &["seen_row", "each_frame"], &["all_frames"], vec![]);
        self.to.tensor_f32("each_one", &[t, 1], &vec![1.0; t]);
        self.to.node("MatMul", &["seen_row", "each_one"], &["counted"], vec![]);
        self.to.node("Max", &["counted", "one"], &["frames_seen"], vec![]);
        self.to.node("Div", &["all_frames", "frames_seen"], &["of_clip"], vec![]);
        self.slice("clip_middle", "of_clip", 1, 0, 2);
        self.slice("clip_apart", "of_clip", 1, 2, 3);
        self.to.tensor_f32("least_apart", &[1], &[LEAST_APART * SPREAD]);
        self.to.node("Max", &["clip_apart", "least_apart"], &["apart"], vec![]);
        let each: Vec<f32> = (0..2 * two).map(|i| f32::from(u8::from(i / two == i % 2))).collect();
        self.to.tensor_f32("each_mark", &[2, two], &each);
        self.to.node("MatMul", &["clip_middle", "each_mark"], &["clip_middles"], vec![]);
        self.to.node("Sub", &[points, "clip_middles"], &["from_middle"], vec![]);
        self.to.node("Div", &["from_middle", "apart"], &["in_widths"], vec![]);
        self.to.tensor_f32("about_wrists", &[two, two], &about_wrists());
        self.to.node("MatMul", &["in_widths", "about_wrists"], &[output], vec![]);
    }
}
