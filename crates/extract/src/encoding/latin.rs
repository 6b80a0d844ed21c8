//! Which code page a text in Latin letters has: that in which its letters are those of one language.
//!
//! `chardetng` is made for web pages, which are long. A table of names has a handful of letters beyond ASCII, of which
//! Windows, DOS and the Mac each make others: `é` may be `Ž` or `‚`. Here each page is tried with each language: how often
//! the language has these letters, and whether they stand where letters and signs stand. What is most likely wins.

use encoding_rs::{
    Encoding, ISO_8859_2, ISO_8859_15, MACINTOSH, WINDOWS_1250, WINDOWS_1252, WINDOWS_1254,
    WINDOWS_1257,
};

use super::page::{CP850, CP852, Page};

/// How many characters beyond ASCII are looked at.
const MAX_CHARACTERS: usize = 2000;

/// Pages, and how much less likely than the most common one each is, as the logarithm of a probability.
const PAGES: [(Page, f64); 9] = [
    (Page::Web(WINDOWS_1252), 0.0),
    (Page::Web(WINDOWS_1250), -0.4),
    (Page::Web(WINDOWS_1254), -0.7),
    (Page::Web(WINDOWS_1257), -0.6),
    (Page::Web(ISO_8859_15), -1.0),
    (Page::Web(ISO_8859_2), -1.0),
    (Page::Web(MACINTOSH), -2.5),
    (CP850, -2.5),
    (CP852, -3.5),
];

/// What speaks for the Mac if lines end as they did there.
const LINE_ENDS_OF_MAC: f64 = 4.0;
/// What speaks for the page that `chardetng` takes the text for.
const GUESSED: f64 = 0.3;

/// A language: its letters beyond ASCII, the most frequent first.
struct Language {
    letters: &'static str,
    /// How likely a text is in it, compared with others.
    prior: f64,
    /// Whether accents stand at the end of words.
    is_final: bool,
}

const fn language(letters: &'static str, prior: f64) -> Language {
    Language {
        letters,
        prior,
        is_final: false,
    }
}

const LANGUAGES: [Language; 22] = [
    // German, French, Spanish, Portuguese, Italian, Dutch.
    language("üäößé", 0.0),
    language("éèàêçôîûâùœëïüæÿ", 0.0),
    language("óíáñéúü¿¡", 0.0),
    language("ãçáéíóõêúâàôü", 0.0),
    Language {
        letters: "èàòùìéî",
        prior: 0.0,
        is_final: true,
    },
    language("ëéïèöü", -0.5),
    // Swedish and Finnish, Danish and Norwegian, Icelandic.
    language("äåöéü", 0.0),
    language("åøæéö", 0.0),
    language("íáðóéúþöæý", -0.3),
    // Polish, Czech, Slovak, Hungarian, Romanian, the south Slavic ones.
    language("łąężśćóńź", 0.0),
    language("íáěéřýšžčůúňóďť", 0.0),
    language("áíéýčžúšôľťóňäďŕĺ", 0.0),
    language("áéóöőíüúű", 0.0),
    language("ăîâşţșțé", 0.0),
    language("čšžćđ", 0.0),
    // Turkish.
    language("ıişüçğöâîû", 0.0),
    // Lithuanian, Latvian, Estonian.
    language("ėšžįųčūąę", 0.0),
    language("āīēšūņļģžķč", 0.0),
    language("äõüöšž", -0.3),
    // Catalan, Albanian, and foreign words in English.
    language("éàòèçíóúïü·", -2.0),
    language("ëç", -0.7),
    language("éèïñ", 0.0),
];

/// What the bytes beyond ASCII of a text mean in a page.
struct Meaning {
    /// Each character, how often it is there, and how often as a letter that another one follows.
    characters: Vec<(char, f64, f64)>,
    /// What speaks against them where they stand.
    penalty: f64,
}

/// The most likely page of a text, and how likely that is: the mean of its characters as the logarithm of a
/// probability. -2 is a text in one language, -5 is noise.
pub(super) fn page(sample: &[u8], guess: &'static Encoding) -> (Page, f64) {
    let at: Vec<usize> = (0..sample.len())
        .filter(|index| !sample[*index].is_ascii())
        .take(MAX_CHARACTERS)
        .collect();
    let has_line_ends_of_mac =
        memchr::memchr(b'\r', sample).is_some() && memchr::memchr(b'\n', sample).is_none();
    let mut best = (Page::Web(WINDOWS_1252), f64::NEG_INFINITY);
    for (page, prior) in PAGES {
        let meaning = Meaning::of(sample, &at, page);
        let languages = LANGUAGES.iter();
        let mut likely = prior - meaning.penalty
            + languages
                .map(|language| language.likely(&meaning.characters))
                .fold(f64::MIN, f64::max);
        if let Page::Web(encoding) = page {
            if encoding == MACINTOSH && has_line_ends_of_mac {
                likely += LINE_ENDS_OF_MAC;
            }
            if encoding == guess {
                likely += GUESSED;
            }
        }
        if likely > best.1 {
            best = (page, likely);
        }
    }
    (best.0, best.1 / (at.len().max(1) as f64))
}

impl Meaning {
    /// What the bytes at these places mean in a page.
    fn of(sample: &[u8], at: &[usize], page: Page) -> Self {
        let every: Vec<u8> = (0..=255).collect();
        let (table, _) = page.decode(&every);
        let table: Vec<char> = table.chars().collect();
        let meaning = |index: Option<usize>| {
            let byte = index.and_then(|index| sample.get(index));
            byte.and_then(|byte| table.get(usize::from(*byte)).copied())
                .unwrap_or(' ')
        };
        let mut counts = [(0_u32, 0_u32); 256];
        let mut all = 0.0;
        for index in at {
            let before_that = meaning(index.checked_sub(2));
            let before = meaning(index.checked_sub(1));
            let character = meaning(Some(*index));
            let after = meaning(Some(index + 1));
            all += penalty(before_that, before, character, after);
            if let Some(count) = sample
                .get(*index)
                .and_then(|byte| counts.get_mut(usize::from(*byte)))
            {
                count.0 += 1;
                count.1 += u32::from(is_letter(character) && after.is_alphabetic());
            }
        }
        let found = table
            .iter()
            .zip(counts)
            .filter(|(_, (count, _))| *count > 0);
        let characters = found
            .map(|(character, (count, within))| (*character, f64::from(count), f64::from(within)));
        Self {
            characters: characters.collect(),
            penalty: all,
        }
    }
}

/// The signs of ordinals are letters to Unicode.
fn is_letter(character: char) -> bool {
    character.is_alphabetic() && !matches!(character, 'º' | 'ª' | 'ˆ')
}

/// What speaks against a character between others.
fn penalty(before_that: char, before: char, character: char, after: char) -> f64 {
    let mut penalty = 0.0;
    if is_letter(character) {
        if character.is_uppercase() {
            if before.is_lowercase() {
                penalty += 5.0;
            }
            if !before.is_alphabetic() && !after.is_alphabetic() {
                penalty += 3.0;
            }
        }
        if character.is_lowercase() && before.is_uppercase() {
            if after.is_uppercase() {
                penalty += 3.0;
            } else if !after.is_alphabetic() && before_that.is_uppercase() {
                penalty += 2.0;
            }
        }
        if before.is_ascii_digit() || after.is_ascii_digit() {
            penalty += 3.0;
        }
        return penalty;
    }
    if before.is_alphabetic() && after.is_alphabetic() {
        penalty += match character {
            '’' | '·' | '\u{ad}' => 0.0,
            '´' | '‘' => 1.0,
            _ => 6.0,
        };
    }
    let is_opening = matches!(character, '“' | '„' | '«' | '‘');
    if is_opening && before.is_alphanumeric() && !after.is_whitespace()
        || matches!(character, '”' | '»') && after.is_alphanumeric()
    {
        penalty += 2.0;
    }
    penalty
}

/// How likely a character is in any language.
fn likely_anywhere(character: char) -> f64 {
    match character {
        '“' | '”' | '„' | '‘' | '’' | '–' | '—' | '…' | '€' | '§' | '«' | '»' | '\u{a0}' => {
            -3.0
        }
        '─' | '│' | '├' | '└' | '┌' | '┐' | '┘' | '┤' | '┬' | '┴' | '┼' | '═' | '║' | '╔' | '╗'
        | '╚' | '╝' | '╠' | '╣' | '░' | '▒' | '▓' | '█' => -3.0,
        '©' | '®' | '™' | '°' => -4.0,
        '²' | '³' | '½' | '£' | '´' | '·' | '•' | '‚' | '`' | '‹' | '›' | '¼' | '¾' | 'µ' | '×'
        | '±' | 'º' | 'ª' | '\u{ad}' | '†' | '‡' | '‰' | 'ˆ' | '¿' | '¡' => -5.5,
        char::REPLACEMENT_CHARACTER => -14.0,
        control if control.is_control() => -14.0,
        letter if letter.is_alphabetic() && letter < '\u{250}' => -8.0,
        letter if letter.is_alphabetic() => -11.0,
        _ => -9.0,
    }
}

impl Language {
    /// How likely these characters are in a text in the language.
    fn likely(&self, characters: &[(char, f64, f64)]) -> f64 {
        // The letter at place n of m is as frequent as 1 / (n + 2).
        let ranks = (2..).zip(self.letters.chars());
        let all: f64 = ranks.map(|(rank, _)| 1.0 / f64::from(rank)).sum();
        let likely = |(character, count, within): &(char, f64, f64)| {
            let known = self.rank(*character).map(|(rank, is_upper)| {
                let frequency = 0.85 / (f64::from(rank) * all);
                (if is_upper { frequency / 4.0 } else { frequency }).ln()
            });
            let one = known.unwrap_or_else(|| likely_anywhere(*character));
            one * count - if self.is_final { 2.0 * within } else { 0.0 }
        };
        self.prior + characters.iter().map(likely).sum::<f64>()
    }

    /// Where a letter stands among those of the language, and whether it is an upper one.
    fn rank(&self, letter: char) -> Option<(i32, bool)> {
        let mut ranks = (2..).zip(self.letters.chars());
        ranks.find_map(|(rank, own)| {
            let upper = match own {
                // Turkish has two: `ı` and `I`, `i` and `İ`.
                'i' => 'İ',
                'ß' | 'ı' => own,
                _ => own.to_uppercase().next().unwrap_or(own),
            };
            (own == letter || upper == letter).then_some((rank, own != letter))
        })
    }
}
