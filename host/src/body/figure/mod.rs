//! The surface of a person, made of tubes and ellipsoids about the skeleton: this project's own.

mod hand;
mod head;
mod trunk;

use super::mesh::Mesh;
use super::person::Person;
use super::skeleton::Skeleton;

/// The whole surface of a person at rest.
pub fn figure(person: &Person) -> Mesh {
    let skeleton = Skeleton::new(&person.proportions);
    let mut mesh = Mesh::default();
    trunk::add(&mut mesh, &skeleton, person);
    head::add(&mut mesh, &skeleton, person);
    for side in 0..2 {
        trunk::add_arm(&mut mesh, &skeleton, person, side);
        hand::add(&mut mesh, &skeleton, person, side);
    }
    mesh.finish()
}
