//! What the readers of XML share: attributes by name, and what stands for a letter.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart};

/// A tag with more attributes than this is none of ours; looking for one among them must stay quick.
const ATTRIBUTES: usize = 64;

/// The values of some attributes of a tag, in the order asked for.
pub(super) fn attributes<const N: usize>(
    tag: &BytesStart<'_>,
    names: [&str; N],
) -> Result<[Option<String>; N], String> {
    let mut values = [const { None }; N];
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        let attribute = attribute.map_err(|e| one_line(&e))?;
        if count >= ATTRIBUTES {
            return Err(format!("a tag has more than {ATTRIBUTES} attributes"));
        }
        if let Some(at) = names.iter().position(|n| n.as_bytes() == attribute.key.as_ref()) {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            values[at] = Some(value.map_err(|e| one_line(&e))?.into_owned());
        }
    }
    Ok(values)
}

/// What `&name;` or `&#number;` stands for.
pub(super) fn letter(name: &BytesRef<'_>) -> Result<String, String> {
    if let Some(letter) = name.resolve_char_ref().map_err(|e| one_line(&e))? {
        return Ok(letter.into());
    }
    let name = name.decode().map_err(|e| one_line(&e))?;
    let known = resolve_predefined_entity(&name);
    Ok(known.ok_or_else(|| format!("&{name}; stands for nothing"))?.to_owned())
}

/// What the XML reader says, on one line.
pub(super) fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
