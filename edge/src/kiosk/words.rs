//! Everything that a kiosk says in words of its own, in four languages.
//!
//! One table, so that whoever adds a sentence sees at once in which languages it is missing. Letters that no
//! line of it uses are not in the subset of the font that ships for Chinese and Korean: see `edge/assets`.

use clap::ValueEnum;

use super::state::State;
use crate::production::Provenance;

/// The languages of the kiosk's own words. What people say and what is signed may be in others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tongue {
    /// English.
    #[value(name = "en")]
    English,
    /// German.
    #[value(name = "de")]
    German,
    /// Chinese, in the letters of the mainland.
    #[value(name = "zh")]
    Chinese,
    /// Korean.
    #[value(name = "ko")]
    Korean,
}

impl Tongue {
    /// The one after it, and the first after the last.
    pub fn next(self) -> Self {
        let all = Self::value_variants();
        let at = all.iter().position(|tongue| *tongue == self).unwrap_or(0);
        all[(at + 1) % all.len()]
    }
}

/// A sentence or a word of the kiosk's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Say {
    /// What the kiosk is doing.
    Doing(State),
    /// What a visitor is asked to do.
    Welcome,
    /// The same while something is worked out.
    OneMoment,
    /// The same where nothing was understood.
    SignAgain,
    /// Beside the mark that the camera is on.
    CameraOn,
    /// The clerk's side.
    Counter,
    /// Who stands before the camera.
    Visitor,
    /// Before texts that wait for their turn.
    ToSign,
    /// There is no camera.
    NoCamera,
    /// Networks or models cannot be used.
    CannotRead,
    /// There is no lexicon that could be used.
    CannotSign,
    /// It is hot, and fewer frames are read.
    Warm,
    /// It is so hot that nothing is read.
    Hot,
    /// There is no room on the storage.
    DiskFull,
    /// What a visitor can do about it.
    TellStaff,
    /// A text cannot be signed.
    NotSigned,
    /// Letters that an alphabet lacks.
    Missing,
    /// Where a word's signs came from.
    From(Provenance),
}

impl Say {
    /// All of it.
    pub const ALL: [Self; 35] = [
        Self::Doing(State::Rest),
        Self::Doing(State::Watching),
        Self::Doing(State::Thinking),
        Self::Doing(State::PleaseRepeat),
        Self::Doing(State::Signing),
        Self::Doing(State::OutOfOrder),
        Self::Welcome,
        Self::OneMoment,
        Self::SignAgain,
        Self::CameraOn,
        Self::Counter,
        Self::Visitor,
        Self::ToSign,
        Self::NoCamera,
        Self::CannotRead,
        Self::CannotSign,
        Self::Warm,
        Self::Hot,
        Self::DiskFull,
        Self::TellStaff,
        Self::NotSigned,
        Self::Missing,
        Self::From(Provenance::Lexicon),
        Self::From(Provenance::Translated),
        Self::From(Provenance::Normalised),
        Self::From(Provenance::Stem),
        Self::From(Provenance::Compound),
        Self::From(Provenance::Synonym),
        Self::From(Provenance::Number),
        Self::From(Provenance::Date),
        Self::From(Provenance::Time),
        Self::From(Provenance::Money),
        Self::From(Provenance::Spelled),
        Self::From(Provenance::NotFound),
        Self::From(Provenance::Mark),
    ];

    /// In the words of a language.
    pub fn in_words(self, tongue: Tongue) -> &'static str {
        let [english, german, chinese, korean] = self.line();
        match tongue {
            Tongue::English => english,
            Tongue::German => german,
            Tongue::Chinese => chinese,
            Tongue::Korean => korean,
        }
    }

    /// English, German, Chinese, Korean.
    #[rustfmt::skip]
    fn line(self) -> [&'static str; 4] {
        match self {
            Self::Doing(state) => match state {
                State::Rest => ["Ready", "Bereit", "准备就绪", "준비됨"],
                State::Watching => ["Watching", "Ich sehe zu", "正在看您打手语", "보고 있습니다"],
                State::Thinking => ["Thinking", "Ich überlege", "正在思考", "생각 중"],
                State::PleaseRepeat => ["Please repeat", "Bitte wiederholen", "请再打一遍", "다시 해 주세요"],
                State::Signing => ["Signing", "Ich gebärde", "正在打手语", "수어로 전하는 중"],
                State::OutOfOrder => ["Out of order", "Außer Betrieb", "暂停服务", "고장"],
            },
            Self::Welcome => ["Please sign here.", "Bitte gebärden Sie hier.", "请在这里打手语。", "여기에서 수어로 말씀해 주세요."],
            Self::OneMoment => ["One moment, please.", "Einen Moment, bitte.", "请稍等。", "잠시만 기다려 주세요."],
            Self::SignAgain => ["I did not understand. Please sign it again.", "Nicht verstanden. Bitte noch einmal.", "我没有看懂，请再打一遍。", "이해하지 못했습니다. 다시 수어로 말씀해 주세요."],
            Self::CameraOn => ["Camera on. Nothing is stored.", "Kamera an. Nichts wird gespeichert.", "摄像头已开启，不保存画面。", "카메라 켜짐. 저장하지 않습니다."],
            Self::Counter => ["Counter", "Schalter", "柜台", "창구"],
            Self::Visitor => ["Visitor", "Gast", "访客", "방문자"],
            Self::ToSign => ["To be signed", "Noch zu gebärden", "待打手语", "수어로 전할 말"],
            Self::NoCamera => ["No camera. I cannot see you.", "Keine Kamera. Ich kann Sie nicht sehen.", "没有摄像头，我看不到您。", "카메라가 없어 볼 수 없습니다."],
            Self::CannotRead => ["I cannot read signing now.", "Ich kann jetzt keine Gebärden lesen.", "目前无法识别手语。", "지금은 수어를 읽을 수 없습니다."],
            Self::CannotSign => ["I cannot sign now.", "Ich kann jetzt nicht gebärden.", "目前无法打手语。", "지금은 수어로 전할 수 없습니다."],
            Self::Warm => ["I am warm and read more slowly.", "Mir ist warm, ich lese langsamer.", "设备较热，识别变慢。", "기기가 뜨거워 천천히 읽습니다."],
            Self::Hot => ["I am too hot and must cool down.", "Mir ist zu heiß, ich muss abkühlen.", "设备过热，需要降温。", "기기가 너무 뜨거워 식혀야 합니다."],
            Self::DiskFull => ["My storage is full.", "Mein Speicher ist voll.", "存储空间已满。", "저장 공간이 가득 찼습니다."],
            Self::TellStaff => ["Please tell the staff.", "Bitte sagen Sie es dem Personal.", "请告知工作人员。", "직원에게 알려 주세요."],
            Self::NotSigned => ["This cannot be signed", "Das kann ich nicht gebärden", "这段文字无法打手语", "수어로 전할 수 없는 글입니다"],
            Self::Missing => ["not in this alphabet", "nicht in diesem Alphabet", "字母表中没有", "지문자에 없음"],
            Self::From(provenance) => match provenance {
                Provenance::Lexicon => ["lexicon", "Lexikon", "词典", "사전"],
                Provenance::Translated => ["translated", "übersetzt", "翻译", "번역"],
                Provenance::Normalised => ["lexicon, other letters", "Lexikon, andere Schreibweise", "词典，其他写法", "사전, 다른 표기"],
                Provenance::Stem => ["lexicon, another form", "Lexikon, andere Wortform", "词典，其他词形", "사전, 다른 꼴"],
                Provenance::Compound => ["lexicon, parts of the word", "Lexikon, Teile des Wortes", "词典，分词", "사전, 나눈 말"],
                Provenance::Synonym => ["lexicon, signed alike", "Lexikon, ähnliche Gebärde", "词典，近义手语", "사전, 비슷한 수어"],
                Provenance::Number => ["number", "Zahl", "数字", "숫자"],
                Provenance::Date => ["date", "Datum", "日期", "날짜"],
                Provenance::Time => ["time", "Uhrzeit", "时间", "시각"],
                Provenance::Money => ["money", "Geldbetrag", "金额", "금액"],
                Provenance::Spelled => ["spelled", "buchstabiert", "指拼", "지문자"],
                Provenance::NotFound => ["not found", "nicht gefunden", "未找到", "찾지 못함"],
                Provenance::Mark => ["punctuation", "Satzzeichen", "标点", "문장 부호"],
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Whether a letter belongs to a script that only one of the four languages is written in.
    fn script(letter: char) -> Option<Tongue> {
        match letter {
            '\u{4e00}'..='\u{9fff}' => Some(Tongue::Chinese),
            '\u{ac00}'..='\u{d7a3}' => Some(Tongue::Korean),
            _ => None,
        }
    }

    #[test]
    fn everything_is_said_in_every_language_and_in_its_own_script() {
        let all: HashSet<Say> = Say::ALL.into_iter().collect();
        assert_eq!(all.len(), Say::ALL.len(), "each stands there once");
        for say in Say::ALL {
            for tongue in Tongue::value_variants() {
                let words = say.in_words(*tongue);
                assert!(!words.is_empty() && words.trim() == words, "{say:?} in {tongue:?}");
                let foreign = words.chars().filter_map(script).find(|s| s != tongue);
                assert_eq!(foreign, None, "{words:?} is no {tongue:?}");
                let own = words.chars().any(|letter| script(letter) == Some(*tongue));
                let has_script = matches!(tongue, Tongue::Chinese | Tongue::Korean);
                assert_eq!(own, has_script, "{words:?} is no {tongue:?}");
            }
            let [english, german, ..] = Tongue::value_variants() else { panic!("four languages") };
            assert!(
                say == Say::Doing(State::Signing) || say.in_words(*english) != say.in_words(*german),
                "{say:?}"
            );
        }
    }
}
