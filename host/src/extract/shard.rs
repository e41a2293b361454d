//! Which part of a corpus one process works on.
//!
//! An entry belongs to a shard by a hash of its id alone. A manifest may grow or be sorted anew
//! without any entry changing its shard, so that a process that still works on the old manifest
//! and one that begins with the new never meet. The price is that shards differ in size, by a
//! few in a hundred where each has a thousand entries.

use std::fmt;
use std::str::FromStr;

use models::manifest::sha256;

/// Part `index` of `count`, counted from 0 as Slurm's arrays usually are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The shard of a task in a Slurm array, or `None` outside of one.
    ///
    /// `get` looks up environment variables.
    ///
    /// # Errors
    /// Says why the variables name no shard: an array such as `--array=1,5,6` has no regular steps.
    pub fn of_slurm(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let number = |name: &str| -> Result<Option<u64>, String> {
            let Some(text) = get(name) else { return Ok(None) };
            text.parse().map(Some).map_err(|_| format!("{name} is {text:?}, which is no number"))
        };
        let (Some(task), Some(count)) = (number("SLURM_ARRAY_TASK_ID")?, number("SLURM_ARRAY_TASK_COUNT")?)
        else {
            return Ok(None);
        };
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let index = task.checked_sub(first).filter(|n| n % step == 0).map(|n| n / step);
        index.filter(|index| *index < count).map(|index| Some(Self { index, count })).ok_or_else(|| {
            format!("task {task} of an array of {count} from {first} in steps of {step} names no shard")
        })
    }

    /// True where the entry of this id is part of it.
    pub fn holds(self, id: &str) -> bool {
        let hash = sha256(id.as_bytes());
        let hash = u64::from_str_radix(&hash[..16], 16).expect("a hash is hexadecimal");
        hash % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `I/N`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        parts
            .filter(|(index, count)| index < count)
            .map(|(index, count)| Self { index, count })
            .ok_or_else(|| "give I/N with I from 0 to N - 1, for example 0/8".into())
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expect: Result<Option<&str>, &str>) {
        let get =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        match (Shard::of_slurm(get), expect) {
            (Ok(shard), Ok(expect)) => assert_eq!(shard, expect.map(|e| e.parse().unwrap())),
            (Err(said), Err(expect)) => assert!(said.contains(expect), "{said}"),
            (got, _) => panic!("{variables:?} gave {got:?}"),
        }
    }

    #[test]
    fn a_task_of_an_array_is_a_shard() {
        let (id, count, min, step) = (
            "SLURM_ARRAY_TASK_ID",
            "SLURM_ARRAY_TASK_COUNT",
            "SLURM_ARRAY_TASK_MIN",
            "SLURM_ARRAY_TASK_STEP",
        );
        check(&[], Ok(None));
        check(&[(id, "3")], Ok(None));
        check(&[(id, "3"), (count, "8")], Ok(Some("3/8")));
        check(&[(id, "8"), (count, "8"), (min, "1")], Ok(Some("7/8")));
        check(&[(id, "7"), (count, "4"), (min, "1"), (step, "3")], Ok(Some("2/4")));
        check(&[(id, "8"), (count, "8")], Err("names no shard"));
        check(&[(id, "6"), (count, "3"), (min, "1")], Err("names no shard"));
        check(&[(id, "0"), (count, "3"), (min, "1")], Err("names no shard"));
        check(&[(id, "x"), (count, "3")], Err("SLURM_ARRAY_TASK_ID is \"x\""));
    }

    #[test]
    fn shards_are_parsed_or_refused() {
        for text in ["", "1", "1/", "/2", "2/2", "0/0", "-1/2", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!("0/1".parse(), Ok(Shard::WHOLE));
    }

    #[test]
    fn every_entry_is_in_one_shard_and_shards_are_alike() {
        let shards: Vec<Shard> = (0..4).map(|index| Shard { index, count: 4 }).collect();
        let mut sizes = [0; 4];
        for n in 0..4000 {
            let id = format!("clip-{n}");
            let held: Vec<usize> = (0..4).filter(|i| shards[*i].holds(&id)).collect();
            assert_eq!(held.len(), 1, "{id}");
            sizes[held[0]] += 1;
            assert!(Shard::WHOLE.holds(&id));
        }
        // Were it another hash, a corpus in the making would be dealt out anew.
        assert_eq!(sizes, [983, 1015, 971, 1031]);
    }
}
