//! Names of numbers, months, money and what else stands around figures.
//!
//! A lexicon may sign a number by its digits or by its name, and an alphabet without number signs spells the names
//! of digits.

use models::lexicon::plain;

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

/// German and English names of 10 to 19, and of the tens from 20.
const TEENS: [(&str, [&str; 10]); 2] = [
    (
        "de",
        [
            "zehn",
            "elf",
            "zwölf",
            "dreizehn",
            "vierzehn",
            "fünfzehn",
            "sechzehn",
            "siebzehn",
            "achtzehn",
            "neunzehn",
        ],
    ),
    (
        "en",
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
    ),
];
const TENS: [(&str, [&str; 8]); 2] = [
    ("de", ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"]),
    ("en", ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]),
];
/// What larger numbers are counted in, the largest first, with its name.
const UNITS: [(&str, &[(u64, &str)]); 3] = [
    ("de", &[(1_000_000, "Million"), (1_000, "tausend"), (100, "hundert")]),
    ("en", &[(1_000_000, "million"), (1_000, "thousand"), (100, "hundred")]),
    ("zh", &[(100_000_000, "亿"), (10_000, "万"), (1_000, "千"), (100, "百"), (10, "十")]),
];
const CHINESE: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// The name of a digit in a spoken language, where it is known.
pub fn digit_name(digit: u32, spoken: &str) -> Option<&'static str> {
    if spoken == "zh" {
        return CHINESE.get(digit as usize).copied();
    }
    of(&NAMES, spoken)?.get(digit as usize).copied()
}

/// The name of a number below 100, or of what larger numbers are counted in.
pub fn number_name(value: u64, spoken: &str) -> Option<String> {
    if let Some((_, name)) = units(spoken).iter().find(|(unit, _)| *unit == value) {
        return Some((*name).to_owned());
    }
    let digit = |value: u64| digit_name(value as u32, spoken);
    let (ten, one) = (value / 10, value % 10);
    match value {
        0..10 => digit(value).map(str::to_owned),
        10..100 if spoken == "zh" => {
            let ten = if ten == 1 { "" } else { digit(ten)? };
            Some(format!("{ten}十{}", if one == 0 { "" } else { digit(one)? }))
        }
        10..20 => of(&TEENS, spoken).map(|names| names[one as usize].to_owned()),
        20..100 => {
            let ten = of(&TENS, spoken)?[ten as usize - 2];
            Some(match (one, spoken) {
                (0, _) => ten.to_owned(),
                (1, "de") => format!("einund{ten}"),
                (_, "de") => format!("{}und{ten}", digit(one)?),
                _ => format!("{ten}-{}", digit(one)?),
            })
        }
        _ => None,
    }
}

/// What larger numbers are counted in, the largest first.
pub fn units(spoken: &str) -> &'static [(u64, &'static str)] {
    of(&UNITS, spoken).copied().unwrap_or(&[])
}

/// Names of the months.
const MONTHS: [(&str, [&str; 12]); 2] = [
    (
        "de",
        [
            "Januar",
            "Februar",
            "März",
            "April",
            "Mai",
            "Juni",
            "Juli",
            "August",
            "September",
            "Oktober",
            "November",
            "Dezember",
        ],
    ),
    (
        "en",
        [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    ),
];

/// The name of a month from 1 on.
pub fn month_name(month: u64, spoken: &str) -> Option<&'static str> {
    of(&MONTHS, spoken)?.get((month as usize).checked_sub(1)?).copied()
}

/// The month of a name, or of its first three letters.
pub fn month_of(word: &str, spoken: &str) -> Option<u64> {
    let word = plain(word);
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let of_name = |name: &&str| {
        let name = plain(name);
        name == word || short(&name) == word
    };
    of(&MONTHS, spoken)?.iter().position(of_name).map(|month| month as u64 + 1)
}

/// Words around figures in one language.
pub struct Words {
    /// Of a decimal mark.
    pub point: &'static str,
    /// Before a number below 0.
    pub minus: &'static str,
    /// Hundredth parts.
    pub percent: &'static str,
    /// Of an angle or temperature.
    pub degree: &'static str,
    /// Of each currency: as it is written (the sign, its code, its names), how it is signed, and its hundredth part.
    pub money: &'static [(&'static [&'static str], &'static str, &'static str)],
}

const WORDS: [(&str, Words); 3] = [
    (
        "de",
        Words {
            point: "Komma",
            minus: "minus",
            percent: "Prozent",
            degree: "Grad",
            money: &[
                (&["€", "eur", "euro", "euros"], "Euro", "Cent"),
                (&["$", "usd", "dollar"], "Dollar", "Cent"),
                (&["£", "gbp", "pfund"], "Pfund", "Pence"),
                (&["chf", "franken"], "Franken", "Rappen"),
                (&["¥", "￥", "yuan", "cny"], "Yuan", "Fen"),
            ],
        },
    ),
    (
        "en",
        Words {
            point: "point",
            minus: "minus",
            percent: "percent",
            degree: "degree",
            money: &[
                (&["$", "usd", "dollar", "dollars"], "dollar", "cent"),
                (&["€", "eur", "euro", "euros"], "euro", "cent"),
                (&["£", "gbp", "pound", "pounds"], "pound", "penny"),
                (&["¥", "￥", "yuan", "cny"], "yuan", "fen"),
            ],
        },
    ),
    (
        "zh",
        Words {
            point: "点",
            minus: "负",
            percent: "百分之",
            degree: "度",
            money: &[
                (&["¥", "￥", "cny", "rmb"], "元", "分"),
                (&["$", "usd"], "美元", "分"),
                (&["€", "eur"], "欧元", "分"),
                (&["£", "gbp"], "英镑", "分"),
            ],
        },
    ),
];

/// The words around figures, in the languages in which they are known.
pub fn words(spoken: &str) -> Option<&'static Words> {
    const { &WORDS }.iter().find(|(language, _)| *language == spoken).map(|(_, words)| words)
}

fn of<'a, T>(table: &'a [(&str, T)], spoken: &str) -> Option<&'a T> {
    table.iter().find(|(language, _)| *language == spoken).map(|(_, names)| names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_names_in_known_languages() {
        assert_eq!(digit_name(7, "de"), Some("sieben"));
        assert_eq!(digit_name(0, "tr"), Some("sıfır"));
        assert_eq!(digit_name(7, "zh"), Some("七"));
        assert_eq!(digit_name(10, "de"), None);
        assert_eq!(digit_name(1, "xx"), None);
    }

    #[track_caller]
    fn check(value: u64, spoken: &str, expect: &str) {
        assert_eq!(number_name(value, spoken).unwrap_or_default(), expect);
    }

    #[test]
    fn numbers_have_the_names_that_people_say() {
        check(12, "de", "zwölf");
        check(21, "de", "einundzwanzig");
        check(30, "de", "dreißig");
        check(1000, "de", "tausend");
        check(17, "en", "seventeen");
        check(42, "en", "forty-two");
        check(15, "zh", "十五");
        check(20, "zh", "二十");
        check(99, "zh", "九十九");
        check(15, "fr", "");
        check(101, "en", "");
    }

    #[test]
    fn months_are_known_by_name() {
        assert_eq!(month_of("MÄRZ", "de"), Some(3));
        assert_eq!(month_of("Aug", "en"), Some(8));
        assert_eq!(month_of("Augusta", "en"), None);
        assert_eq!(month_name(13, "de"), None);
        assert_eq!(month_name(0, "de"), None);
    }
}
