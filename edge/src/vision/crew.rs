//! The threads on which independent regions of one frame are looked at side by side.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Fault;

/// Threads that wait between frames, or none on a board that has one core to give.
pub struct Crew {
    pool: Option<ThreadPool>,
}

impl Crew {
    /// A crew of so many threads.
    ///
    /// # Errors
    /// [`Fault::Thread`] where the system gives no thread.
    pub fn new(threads: usize) -> Result<Self, Fault> {
        if threads < 2 {
            return Ok(Self { pool: None });
        }
        let name = |number| format!("vision-{number}");
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build();
        let fault = |e| Fault::Thread { name: name(0), source: std::io::Error::other(e) };
        Ok(Self { pool: Some(pool.map_err(fault)?) })
    }

    /// Does both, side by side where there are threads for it.
    pub fn join<A: Send, B: Send>(
        &self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match &self.pool {
            Some(pool) => pool.join(one, other),
            None => (one(), other()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_done_by_any_number_of_threads() {
        for threads in [0, 1, 2, 3] {
            let crew = Crew::new(threads).unwrap();
            let nested = || crew.join(|| 1, || 2);
            assert_eq!(crew.join(nested, || 3), ((1, 2), 3), "{threads} threads");
        }
    }
}
