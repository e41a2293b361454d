//! Who of several people is the signer: the one who was followed, not who walks through.

use super::geometry::{Roi, distance};
use crate::stage::Stamp;

/// A signer who is lost is waited for so long before somebody else is followed, in seconds.
const WAIT_S: f32 = 1.0;
/// And remembered so long: who comes back is preferred to who is nearer.
const REMEMBER_S: f32 = 5.0;
/// How fast the place where the signer stands follows the body, in seconds: slower than anybody walks by.
const SETTLE_S: f32 = 2.0;
/// Somebody who is this much of a body's circle away is not in the same place.
const ELSEWHERE: f32 = 0.3;
/// Circles of one person at one place differ less than this, as a factor.
const SIZE: f32 = 1.6;
/// While the body is out of its place the detector looks once in so long, in seconds.
const LOOK_S: f32 = 0.2;

/// Where the signer stands, as the circle around the whole body.
#[derive(Debug, Clone, Copy)]
struct Place {
    circle: Roi,
    at: Stamp,
}

/// Remembers the signer.
#[derive(Debug, Default)]
pub struct Signer {
    place: Option<Place>,
    looked: Option<Stamp>,
}

impl Signer {
    /// Takes note of where the body that is followed was seen.
    pub fn saw(&mut self, at: Stamp, circle: Roi) {
        let Some(place) = &mut self.place else {
            self.place = Some(Place { circle, at });
            return;
        };
        let share = (at.since(place.at).as_secs_f32() / SETTLE_S).clamp(0.0, 1.0);
        let blend = |old: f32, new: f32| old + share * (new - old);
        let old = place.circle;
        place.circle = Roi {
            center: [blend(old.center[0], circle.center[0]), blend(old.center[1], circle.center[1])],
            size: [blend(old.size[0], circle.size[0]); 2],
            angle: circle.angle,
        };
        place.at = at;
    }

    /// Which of these people to follow: the signer where one of them is, nobody while the signer may
    /// still come back, otherwise the largest.
    pub fn among(&self, at: Stamp, people: &[Roi]) -> Option<usize> {
        let lost_s = self.place.map(|place| at.since(place.at).as_secs_f32());
        match lost_s {
            Some(s) if s <= WAIT_S => self.in_place(people),
            Some(s) if s <= REMEMBER_S => self.in_place(people).or_else(|| largest(people)),
            _ => largest(people),
        }
    }

    /// True where the body that is followed left the signer's place, and it is time to look who stands there.
    pub fn doubts(&mut self, at: Stamp, circle: &Roi) -> bool {
        let out = self.place.is_some_and(|place| away(&place.circle, circle) > ELSEWHERE);
        let due = self.looked.is_none_or(|looked| at.since(looked).as_secs_f32() >= LOOK_S);
        if out && due {
            self.looked = Some(at);
        }
        out && due
    }

    /// Who of these people stands in the signer's place and is not the one who is followed.
    pub fn left_behind(&self, followed: &Roi, people: &[Roi]) -> Option<usize> {
        let at = self.in_place(people)?;
        (away(followed, &people[at]) > ELSEWHERE).then_some(at)
    }

    fn in_place(&self, people: &[Roi]) -> Option<usize> {
        let place = self.place?.circle;
        let fits = |person: &Roi| {
            let size = person.longest() / place.longest();
            away(&place, person) < ELSEWHERE && (1.0 / SIZE..SIZE).contains(&size)
        };
        let near = |a: &usize, b: &usize| away(&place, &people[*a]).total_cmp(&away(&place, &people[*b]));
        (0..people.len()).filter(|i| fits(&people[*i])).min_by(near)
    }
}

fn largest(people: &[Roi]) -> Option<usize> {
    (0..people.len()).max_by(|a, b| people[*a].longest().total_cmp(&people[*b].longest()))
}

/// How far a circle lies from another's centre, in the former's diameters.
fn away(place: &Roi, circle: &Roi) -> f32 {
    distance(place.center, circle.center) / place.longest().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: f32) -> Stamp {
        Stamp::from_micros((s * 1e6) as u64)
    }

    fn person(x: f32, size: f32) -> Roi {
        Roi { center: [x, 300.0], size: [size; 2], angle: 0.0 }
    }

    /// Somebody who was followed at x = 300 until second 1.
    fn known() -> Signer {
        let mut signer = Signer::default();
        signer.saw(at(0.0), person(300.0, 500.0));
        signer.saw(at(1.0), person(310.0, 500.0));
        signer
    }

    #[track_caller]
    fn check(signer: &Signer, s: f32, people: &[Roi], expect: Option<usize>) {
        assert_eq!(signer.among(at(s), people), expect);
    }

    #[test]
    fn of_strangers_the_largest_is_followed() {
        let nobody = Signer::default();
        check(&nobody, 0.0, &[person(100.0, 300.0), person(600.0, 500.0)], Some(1));
        check(&nobody, 0.0, &[], None);
    }

    #[test]
    fn a_signer_who_is_lost_is_waited_for_and_then_remembered() {
        let signer = known();
        let (own, other) = (person(320.0, 480.0), person(700.0, 800.0));
        check(&signer, 1.2, &[other, own], Some(1));
        // Nobody else is taken for the signer at once.
        check(&signer, 1.2, &[other], None);
        check(&signer, 3.0, &[other], Some(0));
        check(&signer, 3.0, &[other, own], Some(1));
        check(&signer, 9.0, &[own, other], Some(1));
        // Somebody much larger in the same place stands in front of the signer.
        check(&signer, 1.2, &[person(310.0, 1000.0)], None);
    }

    #[test]
    fn who_walks_off_with_the_track_is_left_when_the_signer_is_seen_again() {
        let mut signer = known();
        let walker = person(700.0, 500.0);
        assert!(!signer.doubts(at(1.1), &person(320.0, 500.0)));
        assert!(signer.doubts(at(1.1), &walker));
        assert!(!signer.doubts(at(1.2), &walker), "the detector does not look in every frame");
        assert!(signer.doubts(at(1.4), &walker));
        assert_eq!(signer.left_behind(&walker, &[walker, person(300.0, 500.0)]), Some(1));
        // A signer who walks leaves nobody behind.
        assert_eq!(signer.left_behind(&walker, &[walker]), None);
        // And is at home in the new place after a while.
        (0..100).for_each(|i| signer.saw(at(1.5 + i as f32 / 25.0), walker));
        assert!(!signer.doubts(at(5.6), &walker));
    }
}
