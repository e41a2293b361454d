//! Somebody for tests, who stands still.

use models::pose::{Layout, Pose};

/// A person whose shoulders are seen, and whose right hand is up or not.
pub fn posed(layout: &Layout, is_up: bool) -> Pose {
    let points = layout.range("RIGHT_HAND_LANDMARKS").expect("the layout has hands");
    let shoulder = |name| layout.index("POSE_LANDMARKS", name).expect("the layout has a body");
    let mut pose = Pose::unseen(layout.len());
    for (n, k) in ["LEFT_SHOULDER", "RIGHT_SHOULDER"].map(shoulder).into_iter().enumerate() {
        (pose.points[k], pose.confidence[k]) = ([150.0 - 100.0 * n as f32, 90.0, 0.0], 1.0);
    }
    for (n, k) in points.enumerate().filter(|_| is_up) {
        let place = [100.0 + n as f32, 100.0 + (n * n % 37) as f32, 0.0];
        (pose.points[k], pose.confidence[k]) = (place, 1.0);
    }
    pose
}
