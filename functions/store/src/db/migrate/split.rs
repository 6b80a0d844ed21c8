//! Splits a migration into its statements, because the platform runs one statement per call.

/// The statements of `sql`, each without its semicolon, comments inside left as they are.
///
/// Knows what can hide a semicolon: quoted text and names, comments, and the body of a trigger, which ends with the
/// word `END` after a semicolon. (A `CASE` inside a trigger ends with `END` too, but never right after one.)
pub(super) fn statements(sql: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut statement = Statement::default();
    let mut start = 0;
    for token in tokens(sql) {
        if statement.ends_with(token.text) {
            if statement.words > 0 {
                statements.push(sql[start..token.at].trim());
            }
            start = token.at + token.text.len();
            statement = Statement::default();
        }
    }
    if statement.words > 0 {
        statements.push(sql[start..].trim());
    }
    statements
}

/// What has been seen of the statement under way.
#[derive(Default)]
struct Statement {
    /// Words and other tokens so far, comments not counted.
    words: usize,
    creates: bool,
    is_trigger: bool,
    /// The last token was a semicolon inside a trigger.
    after_semicolon: bool,
    /// The trigger's last `END` has come.
    body_ended: bool,
}

impl Statement {
    /// Takes in the next token; whether it is the semicolon that ends a statement.
    fn ends_with(&mut self, token: &str) -> bool {
        let is = |word: &str| token.eq_ignore_ascii_case(word);
        if is(";") {
            self.after_semicolon = true;
            return !self.is_trigger || self.body_ended;
        }
        self.words += 1;
        match self.words {
            1 => self.creates = is("CREATE"),
            // CREATE [TEMP | TEMPORARY] TRIGGER
            2 | 3 => self.is_trigger |= self.creates && is("TRIGGER"),
            _ => self.body_ended = self.after_semicolon && is("END"),
        }
        self.after_semicolon = false;
        false
    }
}

struct Token<'a> {
    at: usize,
    text: &'a str,
}

/// Words, quoted things and single characters; neither spaces nor comments.
fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &sql[at..];
            let first = rest.chars().next()?;
            let start = at;
            if let Some(length) = comment(rest) {
                at += length;
            } else if first.is_whitespace() {
                at += first.len_utf8();
            } else {
                at += match first {
                    '\'' | '"' | '`' => quoted(rest, first),
                    '[' => quoted(rest, ']'),
                    _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                    _ => first.len_utf8(),
                };
                return Some(Token {
                    at: start,
                    text: &sql[start..at],
                });
            }
        }
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The length of the comment `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    let end = if rest.starts_with("--") {
        rest.find('\n')
    } else {
        let inside = rest.strip_prefix("/*")?;
        inside.find("*/").map(|end| end + 4)
    };
    Some(end.unwrap_or(rest.len()))
}

/// The length of the quoted thing `rest` begins with. A doubled quote inside makes two of them, which is as good.
fn quoted(rest: &str, close: char) -> usize {
    rest[1..].find(close).map_or(rest.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn semicolons_end_statements() {
        assert_eq!(statements("A; B ;\n;C"), ["A", "B", "C"]);
        assert_eq!(statements(" \n-- only a comment; nothing else\n"), [""; 0]);
    }

    #[test]
    fn quotes_and_comments_hide_semicolons() {
        let sql =
            "INSERT INTO t VALUES ('a;''b;', \";\", [;], `;`) -- c; d\n/* e; f */; SELECT 'ü;'";
        assert_eq!(
            statements(sql),
            [
                "INSERT INTO t VALUES ('a;''b;', \";\", [;], `;`) -- c; d\n/* e; f */",
                "SELECT 'ü;'"
            ]
        );
    }

    #[test]
    fn a_trigger_is_one_statement() {
        let trigger = "CREATE TEMP TRIGGER t AFTER DELETE ON a BEGIN\n\
                       UPDATE b SET c = CASE WHEN d THEN 1 ELSE 2 END; -- end;\n\
                       DELETE FROM e WHERE f = 'end;'; END";
        assert_eq!(
            statements(&format!("{trigger};\nSELECT 1;")),
            [trigger, "SELECT 1"]
        );
    }

    #[test]
    fn unclosed_things_end_with_the_text() {
        assert_eq!(statements("SELECT 'a; b"), ["SELECT 'a; b"]);
        assert_eq!(statements("SELECT 1 /* a; b"), ["SELECT 1 /* a; b"]);
    }

    #[test]
    fn comments_before_a_statement_stay_with_it() {
        assert_eq!(statements("-- a;\nSELECT 1;"), ["-- a;\nSELECT 1"]);
    }
}
