//! Names of the digits, for alphabets without number signs.

/// Names of 0 to 9 by spoken language (ISO 639-1), for the languages of the fingerspelling lexicon.
const NAMES: [(&str, [&str; 10]); 16] = [
    ("ar", ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"]),
    ("cs", ["nula", "jedna", "dva", "tři", "čtyři", "pět", "šest", "sedm", "osm", "devět"]),
    ("de", ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"]),
    ("el", ["μηδέν", "ένα", "δύο", "τρία", "τέσσερα", "πέντε", "έξι", "επτά", "οκτώ", "εννέα"]),
    ("en", ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
    ("es", ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"]),
    ("et", ["null", "üks", "kaks", "kolm", "neli", "viis", "kuus", "seitse", "kaheksa", "üheksa"]),
    ("fr", ["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"]),
    ("hr", ["nula", "jedan", "dva", "tri", "četiri", "pet", "šest", "sedam", "osam", "devet"]),
    ("it", ["zero", "uno", "due", "tre", "quattro", "cinque", "sei", "sette", "otto", "nove"]),
    ("lt", ["nulis", "vienas", "du", "trys", "keturi", "penki", "šeši", "septyni", "aštuoni", "devyni"]),
    ("pt", ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove"]),
    ("sk", ["nula", "jeden", "dva", "tri", "štyri", "päť", "šesť", "sedem", "osem", "deväť"]),
    ("sv", ["noll", "ett", "två", "tre", "fyra", "fem", "sex", "sju", "åtta", "nio"]),
    ("tr", ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"]),
    ("uk", ["нуль", "один", "два", "три", "чотири", "п'ять", "шість", "сім", "вісім", "дев'ять"]),
];

/// The name of a digit in a spoken language, where it is known.
pub(super) fn digit_name(digit: u32, spoken: &str) -> Option<&'static str> {
    let (_, names) = NAMES.iter().find(|(language, _)| *language == spoken)?;
    names.get(digit as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_names_in_known_languages() {
        assert_eq!(digit_name(7, "de"), Some("sieben"));
        assert_eq!(digit_name(0, "tr"), Some("sıfır"));
        assert_eq!(digit_name(10, "de"), None);
        assert_eq!(digit_name(1, "xx"), None);
    }
}
