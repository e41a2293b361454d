//! The unit: see `signpost --help`.
fn main() {}
