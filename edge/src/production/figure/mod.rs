//! Numbers, dates, times and money: what they are made of, in the order in which they are said.
//!
//! A figure is several tokens of the text (`12,50 €` is four) and one word of the signing. Its parts stand in the
//! order of the spoken language: `12.08.2024` is day, month, year in German, month, day, year in English, and with
//! 年, 月 and 日 between them in Chinese. How each part is signed is the dictionary's matter.

mod name;

pub(super) use name::{digit_name, month_name, number_name, units};

use super::Provenance;
use super::text::{Kind, Token, digit};
use name::{month_of, words};

/// A figure, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figure {
    pub kind: Provenance,
    pub parts: Vec<Part>,
    /// Tokens that it is written in.
    pub taken: usize,
}

/// A part of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A whole number in ASCII digits.
    Number(String),
    /// ASCII digits that are said one by one.
    Digits(String),
    /// A year.
    Year(String),
    /// A month from 1 on, by its name, or where no lexicon has that by its number.
    Month(u64),
    /// A word of the figure, with what may stand for it.
    Word(&'static [&'static str]),
    /// A word of the figure.
    Said(&'static str),
    /// A word that only the order of the language puts there: where no lexicon has it, it is left out.
    Implied(&'static str),
}

/// The figure that the tokens begin with; `signed` tells whose dates have the month first.
pub(super) fn read(tokens: &[Token], spoken: &str, signed: &str) -> Option<Figure> {
    // Every figure has digits first, or behind one token.
    if tokens.iter().take(2).all(|t| t.kind != Kind::Number) {
        return None;
    }
    let reader = Reader { tokens, spoken, month_first: spoken == "en" && signed == "ase" };
    reader.date().or_else(|| reader.time()).or_else(|| reader.money()).or_else(|| reader.number())
}

/// Tokens from where a figure may begin.
struct Reader<'a> {
    tokens: &'a [Token],
    spoken: &'a str,
    month_first: bool,
}

/// A number as it is written.
struct Amount {
    whole: String,
    part: String,
    /// The token behind it.
    end: usize,
}

impl Reader<'_> {
    fn token(&self, at: usize, kind: Kind) -> Option<&Token> {
        self.tokens.get(at).filter(|t| t.kind == kind)
    }

    /// ASCII digits of a number.
    fn digits(&self, at: usize) -> Option<String> {
        let token = self.token(at, Kind::Number)?;
        Some(token.text.chars().filter_map(digit).map(|d| d.to_string()).collect())
    }

    /// Digits that no blank parts from what stands before them.
    fn glued(&self, at: usize) -> Option<String> {
        self.digits(at).filter(|_| !self.tokens[at].spaced)
    }

    /// Whether a mark stands there, with no blank before it.
    fn mark(&self, at: usize, marks: &[&str]) -> bool {
        self.token(at, Kind::Mark).is_some_and(|t| !t.spaced && marks.contains(&t.text.as_str()))
    }

    /// Whether one of these words stands there, in small letters.
    fn word(&self, at: usize, expect: &[&str]) -> bool {
        self.token(at, Kind::Word).is_some_and(|t| expect.contains(&t.text.to_lowercase().as_str()))
    }

    fn date(&self) -> Option<Figure> {
        self.dashed().or_else(|| self.dotted()).or_else(|| self.slashed()).or_else(|| self.named())
    }

    /// `2024-08-12`.
    fn dashed(&self) -> Option<Figure> {
        let year = self.digits(0).filter(|y| y.len() == 4)?;
        let dash = |at| self.mark(at, &["-"]);
        let (month, day) = (self.glued(2).filter(|_| dash(1))?, self.glued(4).filter(|_| dash(3))?);
        self.of_day(&day, &month, Some(year), 5)
    }

    /// `12.08.2024`, `12.8.24` and, where numbers have no points, `12.08.`
    fn dotted(&self) -> Option<Figure> {
        let day = self.digits(0)?;
        let dot = |at| self.mark(at, &["."]);
        let month = self.glued(2).filter(|_| dot(1) && dot(3))?;
        match self.digits(4).filter(|y| !self.tokens[4].spaced || y.len() == 4) {
            Some(year) if matches!(year.len(), 2 | 4) => self.of_day(&day, &month, Some(year), 5),
            None if !has_points(self.spoken) => self.of_day(&day, &month, None, 4),
            _ => None,
        }
    }

    /// `8/12/2024`, in American Sign Language's country with the month first; `2024/8/12`.
    fn slashed(&self) -> Option<Figure> {
        let slash = |at| self.mark(at, &["/"]);
        let [a, b, c] = [self.digits(0)?, self.glued(2)?, self.glued(4)?];
        if !slash(1) || !slash(3) {
            return None;
        }
        if a.len() == 4 {
            return self.of_day(&c, &b, Some(a), 5);
        }
        let year = Some(c).filter(|y| matches!(y.len(), 2 | 4))?;
        let (day, month) = if self.month_first { (&b, &a) } else { (&a, &b) };
        let either = self.of_day(day, month, Some(year.clone()), 5);
        either.or_else(|| self.of_day(month, day, Some(year), 5))
    }

    /// `12. August 2024`, `12th August`, `August 12, 2024`.
    fn named(&self) -> Option<Figure> {
        let ending = |at: usize| {
            let joined = self.tokens.get(at).is_some_and(|t| !t.spaced);
            joined && (self.word(at, &["st", "nd", "rd", "th"]) || self.mark(at, &["."]))
        };
        let month = |at: usize| month_of(&self.token(at, Kind::Word)?.text, self.spoken);
        let (day, month, mut end) = if let Some(day) = self.digits(0) {
            let at = if ending(1) { 2 } else { 1 };
            (day, month(at)?, at + 1)
        } else {
            let day = self.digits(1).filter(|d| d.len() <= 2)?;
            let month = month(0)?;
            (day, month, if self.spoken == "en" && ending(2) && !self.mark(2, &["."]) { 3 } else { 2 })
        };
        let comma = usize::from(self.mark(end, &[","]));
        let year = self.digits(end + comma).filter(|y| y.len() == 4);
        if year.is_some() {
            end += comma + 1;
        }
        self.of_day(&day, &month.to_string(), year, end)
    }

    /// A day's parts in the order of the language; `None` where there is no such day.
    fn of_day(&self, day: &str, month: &str, year: Option<String>, taken: usize) -> Option<Figure> {
        let within = |text: &str, most: u64| {
            let value = Some(text).filter(|t| t.len() <= 2)?.parse::<u64>().ok()?;
            (1..=most).contains(&value).then_some(value)
        };
        let (day, month) = (Part::Number(within(day, 31)?.to_string()), within(month, 12)?);
        let year = year.map(Part::Year);
        let parts = match self.spoken {
            "zh" => {
                let year = year.map(|year| [year, Part::Implied("年")]);
                let month = [Part::Number(month.to_string()), Part::Implied("月"), day, Part::Implied("日")];
                year.into_iter().flatten().chain(month).collect()
            }
            "en" => [Part::Month(month), day].into_iter().chain(year).collect(),
            _ => [day, Part::Month(month)].into_iter().chain(year).collect(),
        };
        Some(Figure { kind: Provenance::Date, parts, taken })
    }

    /// `14:30`, `14:30:05`, `14.30 Uhr`, `14 Uhr`, `14 Uhr 30`, `2 pm`, `2:30 p.m.`
    fn time(&self) -> Option<Figure> {
        let hour = self.digits(0).filter(|h| h.len() <= 2 && h.parse::<u32>().is_ok_and(|h| h <= 24))?;
        let sixty = |text: &String| text.len() == 2 && text.parse::<u32>().is_ok_and(|m| m < 60);
        let after = |at: usize, marks| self.glued(at + 1).filter(sixty).filter(|_| self.mark(at, marks));
        let (mut smaller, mut end) = (vec![], 1);
        while let Some(next) = after(end, &[":", "："]).filter(|_| smaller.len() < 2) {
            smaller.push(next);
            end += 2;
        }
        let is_hour = |at: usize| self.spoken == "de" && self.word(at, &["uhr"]);
        if smaller.is_empty()
            && let Some(minute) = after(1, &["."]).filter(|_| is_hour(3))
        {
            (smaller, end) = (vec![minute], 3);
        }
        let said = is_hour(end);
        end += usize::from(said);
        if said && smaller.is_empty() {
            // `14 Uhr 30`, but not `14 Uhr 300 Leute`.
            let minute = self.digits(end).filter(sixty);
            end += usize::from(minute.is_some());
            smaller.extend(minute);
        }
        let half = (self.spoken == "en").then(|| self.half_of_day(end)).flatten();
        end = half.as_ref().map_or(end, |(_, end)| *end);
        if smaller.is_empty() && !said && half.is_none() {
            return None;
        }
        let number = |text: &str| Part::Number(text.trim_start_matches('0').to_owned()).or_zero();
        let mut parts = vec![number(&hour)];
        match self.spoken {
            "de" => parts.push(if said { Part::Said("Uhr") } else { Part::Implied("Uhr") }),
            "zh" => parts.push(Part::Implied("点")),
            _ => {}
        }
        // A full hour says no minutes, unless there are seconds.
        let full = smaller.len() == 1 && smaller[0] == "00";
        for (part, unit) in smaller.iter().filter(|_| !full).zip(["分", "秒"]) {
            parts.push(number(part));
            parts.extend((self.spoken == "zh").then_some(Part::Implied(unit)));
        }
        parts.extend(half.map(|(part, _)| part));
        Some(Figure { kind: Provenance::Time, parts, taken: end })
    }

    /// `am`, `pm`, `a.m.` or `p.m.`, and the token behind it.
    fn half_of_day(&self, at: usize) -> Option<(Part, usize)> {
        let part =
            |morning: bool| Part::Word(if morning { &["am", "morning"] } else { &["pm", "afternoon"] });
        if self.word(at, &["am", "pm"]) {
            return Some((part(self.word(at, &["am"])), at + 1));
        }
        let dotted = self.word(at, &["a", "p"]) && self.mark(at + 1, &["."]) && self.word(at + 2, &["m"]);
        dotted.then(|| (part(self.word(at, &["a"])), at + 3 + usize::from(self.mark(at + 3, &["."]))))
    }

    /// `12,50 €`, `€12.50`, `$3`, `3 USD`, `12,50 Euro`.
    fn money(&self) -> Option<Figure> {
        let table = words(self.spoken)?.money;
        let currency = |at: usize| {
            let text = self.tokens.get(at).filter(|t| t.kind != Kind::Number)?.text.to_lowercase();
            table.iter().find(|(written, ..)| written.contains(&text.as_str()))
        };
        let (amount, &(_, main, cent), taken) = if let Some(found) = currency(0) {
            let amount = self.amount(1)?;
            let end = amount.end;
            (amount, found, end)
        } else {
            let amount = self.amount(0)?;
            let found = currency(amount.end)?;
            let end = amount.end + 1;
            (amount, found, end)
        };
        let Amount { whole, part, .. } = amount;
        let nothing = |text: &str| text.bytes().all(|b| b == b'0');
        let mut parts = vec![];
        let cents = (part.len() <= 2).then(|| format!("{part:0<2}")).filter(|cents| !nothing(cents));
        if part.len() > 2 || (self.spoken == "zh" && main != "元" && cents.is_some()) {
            parts.extend(self.decimal(whole, part));
            parts.push(Part::Said(main));
        } else if self.spoken == "zh"
            && let Some(cents) = &cents
        {
            // 十二元五角六分
            if !nothing(&whole) {
                parts.extend([Part::Number(whole), Part::Said(main)]);
            }
            for (digit, unit) in cents.chars().zip(["角", "分"]).filter(|(digit, _)| *digit != '0') {
                parts.extend([Part::Number(digit.into()), Part::Said(unit)]);
            }
        } else {
            if cents.is_none() || !nothing(&whole) {
                parts.extend([Part::Number(whole), Part::Said(main)]);
            }
            if let Some(cents) = cents {
                let alone = parts.is_empty();
                parts.push(Part::Number(cents.trim_start_matches('0').into()));
                // German leaves the word out behind the euros.
                parts.extend((alone || self.spoken != "de").then_some(Part::Said(cent)));
            }
        }
        Some(Figure { kind: Provenance::Money, parts, taken })
    }

    /// `1.234,5`, `-5`, `20 %`, `30°C`, `2024年`.
    fn number(&self) -> Option<Figure> {
        let words = words(self.spoken);
        let is_minus = |t: &&Token| t.kind == Kind::Mark && t.spaced && matches!(t.text.as_str(), "-" | "−");
        let minus = words.filter(|_| {
            self.tokens.first().filter(is_minus).is_some() && self.tokens.get(1).is_some_and(|t| !t.spaced)
        });
        let Amount { whole, part, mut end } = self.amount(usize::from(minus.is_some()))?;
        let mut parts: Vec<Part> = minus.map(|words| Part::Said(words.minus)).into_iter().collect();
        let unit = |at: usize, sign: &str| {
            self.token(at, Kind::Mark).is_some_and(|t| t.text == sign).then_some(words).flatten()
        };
        let year = self.spoken == "zh" && whole.len() == 4 && part.is_empty();
        let year = year && self.token(end, Kind::Word).is_some_and(|t| !t.spaced && t.text.starts_with('年'));
        if year {
            parts.push(Part::Year(whole));
        } else if let Some(words) = unit(end, "%") {
            end += 1;
            let decimal = self.decimal(whole, part);
            if self.spoken == "zh" {
                parts.push(Part::Said(words.percent));
                parts.extend(decimal);
            } else {
                parts.extend(decimal);
                parts.push(Part::Said(words.percent));
            }
        } else {
            parts.extend(self.decimal(whole, part));
            if let Some(words) = unit(end, "°") {
                let celsius = self.tokens.get(end + 1).is_some_and(|t| !t.spaced && t.text == "C");
                end += 1 + usize::from(celsius);
                parts.push(Part::Said(words.degree));
            }
        }
        Some(Figure { kind: Provenance::Number, parts, taken: end })
    }

    fn decimal(&self, whole: String, part: String) -> impl Iterator<Item = Part> {
        let point = words(self.spoken).map_or("", |words| words.point);
        let part = Some(part).filter(|part| !part.is_empty());
        let behind = part.map(|part| [Part::Said(point), Part::Digits(part)]);
        [Part::Number(whole)].into_iter().chain(behind.into_iter().flatten())
    }

    /// Digits with marks between thousands and before decimals.
    fn amount(&self, at: usize) -> Option<Amount> {
        let mut whole = self.digits(at)?;
        let mut end = at + 1;
        let (group, decimal) = if has_points(self.spoken) { (",", ".") } else { (".", ",") };
        let behind = |end: usize, mark: &str| self.glued(end + 1).filter(|_| self.mark(end, &[mark]));
        if (1..=3).contains(&whole.len()) && !whole.starts_with('0') {
            while let Some(thousand) = behind(end, group).filter(|next| next.len() == 3) {
                whole.push_str(&thousand);
                end += 2;
            }
        }
        // A decimal needs a name for its mark.
        let named = words(self.spoken).is_some();
        let mut part = behind(end, decimal).filter(|_| named);
        if part.is_none() && end == at + 1 && named && group == "." {
            // Who is used to points writes `3.5` in German too.
            part = behind(end, group).filter(|next| next.len() < 3);
        }
        if part.is_some() {
            end += 2;
        }
        Some(Amount { whole, part: part.unwrap_or_default(), end })
    }
}

impl Part {
    /// A number of which no digit is left is 0.
    fn or_zero(self) -> Self {
        match self {
            Self::Number(digits) if digits.is_empty() => Self::Number("0".into()),
            other => other,
        }
    }
}

/// Whether a point stands before decimals, and a comma between thousands.
fn has_points(spoken: &str) -> bool {
    matches!(spoken, "en" | "zh" | "ja" | "ko" | "he" | "hi" | "th")
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    fn shown(part: &Part) -> String {
        match part {
            Part::Number(text) => text.clone(),
            Part::Digits(text) => format!("#{text}"),
            Part::Year(text) => format!("y{text}"),
            Part::Month(month) => format!("m{month}"),
            Part::Word(words) => words[0].into(),
            Part::Said(word) => (*word).into(),
            Part::Implied(word) => format!("({word})"),
        }
    }

    /// What a text begins with: `kind parts | what is left`.
    #[track_caller]
    fn check(spoken: &str, text: &str, expect: &str) {
        let tokens = tokens(text);
        let signed = if spoken == "en" { "ase" } else { "gsg" };
        let said = read(&tokens, spoken, signed).map_or("none".into(), |figure| {
            let parts: Vec<String> = figure.parts.iter().map(shown).collect();
            let rest: String = tokens[figure.taken..].iter().map(|t| t.text.as_str()).collect();
            format!("{:?} {} |{rest}", figure.kind, parts.join(" "))
        });
        assert_eq!(said, expect, "{text}");
    }

    #[test]
    fn dates_are_in_the_order_of_the_language() {
        check("de", "12.08.2024!", "Date 12 m8 y2024 |!");
        check("de", "2024-08-12", "Date 12 m8 y2024 |");
        check("de", "12.8. um", "Date 12 m8 |um");
        check("de", "12. August", "Date 12 m8 |");
        check("de", "12. August 2024 war", "Date 12 m8 y2024 |war");
        check("en", "12 August", "Date m8 12 |");
        check("en", "August 12th, 2024", "Date m8 12 y2024 |");
        check("en", "8/12/2024", "Date m8 12 y2024 |");
        check("en", "13/8/2024", "Date m8 13 y2024 |");
        check("de", "8/12/2024", "Date 8 m12 y2024 |");
        check("zh", "2024-08-12", "Date y2024 (年) 8 (月) 12 (日) |");
        check("zh", "2024/8/12", "Date y2024 (年) 8 (月) 12 (日) |");
    }

    #[test]
    fn what_is_no_day_is_no_date() {
        check("de", "32.08.2024", "Number 32 Komma #08 |.2024");
        check("de", "1.2.3", "Number 1 Komma #2 |.3");
        check("de", "August", "none");
        check("en", "May I", "none");
        check("en", "5.6. Then", "Number 5 point #6 |.Then");
    }

    #[test]
    fn times_are_read() {
        check("de", "14:30 Uhr.", "Time 14 Uhr 30 |.");
        check("de", "14:30", "Time 14 (Uhr) 30 |");
        check("de", "14.30 Uhr", "Time 14 Uhr 30 |");
        check("de", "9 Uhr", "Time 9 Uhr |");
        check("de", "9 Uhr 05", "Time 9 Uhr 5 |");
        check("de", "09:00", "Time 9 (Uhr) |");
        check("en", "2 pm", "Time 2 pm |");
        check("en", "2:30 p.m. we", "Time 2 30 pm |we");
        check("en", "00:15:09", "Time 0 15 9 |");
        check("zh", "14:30", "Time 14 (点) 30 (分) |");
        check("de", "25:30", "Number 25 |:30");
        check("de", "2:1", "Number 2 |:1");
    }

    #[test]
    fn money_is_read() {
        check("de", "12,50 €.", "Money 12 Euro 50 |.");
        check("de", "0,99 €", "Money 99 Cent |");
        check("de", "1.000 Euro", "Money 1000 Euro |");
        check("en", "$3", "Money 3 dollar |");
        check("en", "$1,234.05", "Money 1234 dollar 5 cent |");
        check("en", "3 USD", "Money 3 dollar |");
        check("zh", "¥12.5", "Money 12 元 5 角 |");
        check("zh", "$12.5", "Money 12 点 #5 美元 |");
        check("de", "€ für", "none");
    }

    #[test]
    fn numbers_have_marks_of_their_language() {
        check("de", "1.234,5", "Number 1234 Komma #5 |");
        check("en", "1,234.5", "Number 1234 point #5 |");
        check("de", "3.5", "Number 3 Komma #5 |");
        check("de", "-5 Grad", "Number minus 5 |Grad");
        check("de", "20 %", "Number 20 Prozent |");
        check("zh", "20%", "Number 百分之 20 |");
        check("de", "30°C", "Number 30 Grad |");
        check("zh", "2024年", "Number y2024 |年");
        check("en", "1,2,3", "Number 1 |,2,3");
        check("fr", "3,5", "Number 3 |,5");
        check("de", "007", "Number 007 |");
        check("de", "٣٤", "Number 34 |");
    }
}
