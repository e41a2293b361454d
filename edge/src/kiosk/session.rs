//! What is kept of a visit while it lasts: what was said, and what is still to be signed.

use std::collections::VecDeque;

use super::words::Say;
use crate::production::Signing;

/// So much of what was said is kept; a screen shows less.
const TALK: usize = 24;
/// So many texts may wait to be signed.
pub const WAITING: usize = 20;

/// A visit.
#[derive(Debug, Default)]
pub struct Session {
    /// What was said and by whom, the oldest first. Who it was is named when it is shown: the language may change.
    pub talk: Vec<(Say, String)>,
    /// Texts that came and are not made into signing yet.
    pub coming: VecDeque<String>,
    /// Texts that are, and wait for their turn.
    pub ready: VecDeque<(String, Signing)>,
    /// What the visitor said last.
    pub last: Option<String>,
    /// What somebody who is asked to repeat may have signed.
    pub perhaps: Vec<String>,
}

impl Session {
    /// Somebody said something.
    pub fn said(&mut self, who: Say, text: &str) {
        if self.talk.len() == TALK {
            self.talk.remove(0);
        }
        self.talk.push((who, text.into()));
    }

    /// A text came that is to be signed.
    pub fn came(&mut self, text: String) {
        self.coming.push_back(text);
    }

    /// A text that came is signing now, or cannot be signed.
    pub fn settled(&mut self, text: &str) {
        if let Some(at) = self.coming.iter().position(|coming| coming == text) {
            self.coming.remove(at);
        }
    }

    /// The texts that wait, in their order.
    pub fn waiting(&self) -> Vec<String> {
        self.ready.iter().map(|(text, _)| text).chain(&self.coming).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_of_any_length_takes_little_room_and_keeps_what_is_newest() {
        let mut session = Session::default();
        (0..1000).for_each(|n| session.said(Say::Visitor, &n.to_string()));
        assert_eq!(session.talk.len(), TALK);
        assert_eq!(session.talk.last().unwrap(), &(Say::Visitor, "999".into()));
    }

    #[test]
    fn texts_wait_in_the_order_in_which_they_came() {
        let mut session = Session::default();
        ["a", "b", "a"].into_iter().for_each(|text| session.came(text.into()));
        session.settled("a");
        assert_eq!(session.waiting(), ["b", "a"]);
        session.settled("none");
        assert_eq!(session.waiting().len(), 2);
    }
}
