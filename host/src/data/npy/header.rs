//! The header of a `.npy` file: a Python dictionary of `descr`, `fortran_order` and `shape`.

use super::{Class, Kind};

/// Axes of an array; NumPy itself knows no more than 64.
const MAX_AXES: usize = 64;

/// What the header says.
pub(super) struct Header {
    pub kind: Kind,
    pub fortran: bool,
    pub shape: Vec<usize>,
}

/// Parts a file into its header and its values.
pub(super) fn parse(bytes: &[u8]) -> Result<(Header, &[u8]), String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it does not begin like a NumPy array")?;
    let cut = "it ends within its header";
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [version, ..] if *version > 3 => {
            return Err(format!("its version is {version}, and 1 to 3 are known"));
        }
        _ => return Err(cut.into()),
    };
    let (text, body) = rest.split_at_checked(length).ok_or(cut)?;
    let text = std::str::from_utf8(text).map_err(|_| "its header is no text")?;
    let descr = value(text, "descr")?;
    let descr = descr.strip_prefix('\'').and_then(|d| d.split_once('\''));
    let (descr, _) = descr.ok_or("its values are records, and plain numbers are wanted")?;
    let fortran = match value(text, "fortran_order")? {
        v if v.starts_with("True") => true,
        v if v.starts_with("False") => false,
        _ => return Err("its fortran_order is neither True nor False".into()),
    };
    Ok((Header { kind: kind(descr)?, fortran, shape: shape(value(text, "shape")?)? }, body))
}

/// What stands behind a key of the dictionary.
fn value<'a>(text: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}'");
    let at = text.find(&quoted).ok_or_else(|| format!("its header has no {key}"))?;
    let rest = text[at + quoted.len()..].trim_start();
    Ok(rest.strip_prefix(':').ok_or_else(|| format!("its header has no value of {key}"))?.trim_start())
}

fn kind(descr: &str) -> Result<Kind, String> {
    let unknown = || format!("its values are {descr:?}, and numbers are wanted");
    let mut letters = descr.chars();
    let (order, class) = (letters.next().ok_or_else(unknown)?, letters.next().ok_or_else(unknown)?);
    if class == 'O' || order == 'O' {
        return Err("it holds pickled Python objects, which are never opened; save its arrays by name with numpy.savez".into());
    }
    let size: usize = letters.as_str().parse().map_err(|_| unknown())?;
    let swapped = match order {
        '<' | '|' | '=' => false,
        '>' => true,
        _ => return Err(unknown()),
    };
    let class = match (class, size) {
        ('b', 1) => Class::Bool,
        ('i', 1 | 2 | 4 | 8) => Class::Signed,
        ('u', 1 | 2 | 4 | 8) => Class::Unsigned,
        ('f', 2 | 4 | 8) => Class::Float,
        _ => return Err(unknown()),
    };
    Ok(Kind { class, size, swapped })
}

/// The axes of `(3, 4)`, `(3,)` or `()`.
fn shape(value: &str) -> Result<Vec<usize>, String> {
    let inner = value.strip_prefix('(').and_then(|v| v.split_once(')'));
    let (inner, _) = inner.ok_or("its shape is no tuple")?;
    let axes: Vec<&str> = inner.split(',').map(str::trim).filter(|axis| !axis.is_empty()).collect();
    if axes.len() > MAX_AXES {
        return Err(format!("its shape has {} axes", axes.len()));
    }
    axes.iter().map(|axis| axis.parse().map_err(|_| format!("its shape has an axis {axis:?}"))).collect()
}
