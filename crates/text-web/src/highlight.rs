//! The colours of code: comments, texts, numbers and words of the language, by a lexer that knows how these look in
//! families of languages, not what they mean.

/// How a language writes what is coloured.
struct Language {
    line_comments: &'static [&'static str],
    block_comment: Option<(&'static str, &'static str)>,
    quotes: &'static [char],
    keywords: &'static str,
}

const C_LIKE: Language = Language {
    line_comments: &["//"],
    block_comment: Some(("/*", "*/")),
    quotes: &['"', '\'', '`'],
    keywords: " abstract as async await bool boolean break byte case catch char class const constexpr continue default \
        defer delete do double else enum export extends extern false final finally float fn for foreach from func function \
        go goto if implements import in inline instanceof int interface internal let long match mod module mut namespace \
        new nil null nullptr of operator override package private protected pub public readonly ref return self short \
        signed sizeof static string struct super switch template this throw throws trait true try type typedef typename \
        typeof undefined union unsafe unsigned use using val var virtual void volatile where while yield ",
};

const RUST: Language = Language {
    // A lifetime is no quote.
    quotes: &['"'],
    keywords: " as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i128 i16 \
        i32 i64 i8 if impl in isize let loop match mod move mut pub ref return self Self static str struct super trait \
        true type u128 u16 u32 u64 u8 unsafe use usize where while ",
    ..C_LIKE
};

const SCRIPT: Language = Language {
    line_comments: &["#"],
    block_comment: None,
    quotes: &['"', '\''],
    keywords: " and as assert async await begin break case class continue def del do done elif else elsif end ensure esac \
        except export False false fi finally for from function global if import in is lambda let local loop match module \
        nil None nonlocal not null or pass raise require rescue return self set source then True true try unless until \
        when while with yield ",
};

const SQL: Language = Language {
    line_comments: &["--"],
    block_comment: Some(("/*", "*/")),
    quotes: &['"', '\''],
    keywords: " add all alter and as asc begin between by case check commit constraint create cross default delete desc \
        distinct drop else end exists foreign from full group having if in index inner insert into is join key left like \
        limit not null offset on or order outer primary references returning right rollback select set table then union \
        unique update using values view when where with ",
};

const DATA: Language = Language {
    line_comments: &["#", "//"],
    block_comment: None,
    quotes: &['"', '\''],
    keywords: " false no null off on true yes ",
};

const MARKUP: Language = Language {
    line_comments: &[],
    block_comment: Some(("<!--", "-->")),
    quotes: &['"', '\''],
    keywords: " ",
};

fn language(name: &str) -> Option<&'static Language> {
    Some(match name.to_ascii_lowercase().as_str() {
        "rust" | "rs" => &RUST,
        "c" | "h" | "cpp" | "c++" | "cc" | "cs" | "csharp" | "css" | "dart" | "go" | "golang"
        | "java" | "javascript" | "js" | "jsx" | "kotlin" | "kt" | "mjs" | "php" | "proto"
        | "scala" | "scss" | "swift" | "ts" | "tsx" | "typescript" | "zig" => &C_LIKE,
        "bash" | "console" | "dockerfile" | "elixir" | "fish" | "julia" | "make" | "makefile"
        | "perl" | "powershell" | "py" | "python" | "r" | "rb" | "ruby" | "sh" | "shell"
        | "zsh" => &SCRIPT,
        "sql" | "postgres" | "postgresql" | "sqlite" | "mysql" => &SQL,
        "ini" | "json" | "json5" | "jsonc" | "toml" | "yaml" | "yml" => &DATA,
        "html" | "svg" | "vue" | "xhtml" | "xml" => &MARKUP,
        _ => return None,
    })
}

/// Writes code as HTML, with what is coloured in elements of the classes `c`, `s`, `n` and `k`.
pub(crate) fn write(html: &mut String, code: &str, name: &str) {
    let Some(language) = language(name) else {
        return escape(html, code);
    };
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let (class, length) = language.token(rest, first);
        let (token, behind) = rest.split_at(length);
        if class.is_empty() {
            escape(html, token);
        } else {
            html.push_str("<span class=\"");
            html.push_str(class);
            html.push_str("\">");
            escape(html, token);
            html.push_str("</span>");
        }
        rest = behind;
    }
}

impl Language {
    /// The class and the length of the token that the text begins with.
    fn token(&self, text: &str, first: char) -> (&'static str, usize) {
        let until = |end: &str, from: usize| {
            let rest = text.get(from..).unwrap_or_default();
            rest.find(end)
                .map_or(text.len(), |at| from + at + end.len())
        };
        if let Some((begin, end)) = self.block_comment
            && text.starts_with(begin)
        {
            return ("c", until(end, begin.len()));
        }
        if self
            .line_comments
            .iter()
            .any(|begin| text.starts_with(begin))
        {
            return ("c", text.find('\n').unwrap_or(text.len()));
        }
        if self.quotes.contains(&first) {
            return ("s", quoted(text, first));
        }
        if first.is_ascii_digit() {
            return (
                "n",
                while_is(text, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_'),
            );
        }
        if is_of_word(first) {
            let length = while_is(text, is_of_word);
            let word = text.get(..length).unwrap_or_default();
            let is_keyword = |word: &str| self.keywords.contains(&format!(" {word} "));
            // Only SQL is written in capitals.
            let class = if is_keyword(word)
                || (std::ptr::eq(self, &SQL) && is_keyword(&word.to_ascii_lowercase()))
            {
                "k"
            } else {
                ""
            };
            return (class, length);
        }
        ("", first.len_utf8())
    }
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn while_is(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is(character)).unwrap_or(text.len())
}

/// The length of a quoted text, which ends at its line's end at the latest, unless its quotes may span lines.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '\n' if quote != '`' => return at,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Writes a text so that it is a text in HTML, also in an attribute.
pub(crate) fn escape(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::write;

    fn coloured(code: &str, language: &str) -> String {
        let mut html = String::new();
        write(&mut html, code, language);
        html
    }

    #[test]
    fn tokens_have_their_classes() {
        assert_eq!(
            coloured("let x = \"<a>\"; // 1\n", "rust"),
            "<span class=\"k\">let</span> x = <span class=\"s\">&quot;&lt;a&gt;&quot;</span>; \
             <span class=\"c\">// 1</span>\n"
        );
        assert_eq!(
            coloured("SELECT 12 FROM t -- all", "sql"),
            "<span class=\"k\">SELECT</span> <span class=\"n\">12</span> <span class=\"k\">FROM</span> t \
             <span class=\"c\">-- all</span>"
        );
        assert_eq!(
            coloured("fn<'a>", "rust"),
            "<span class=\"k\">fn</span>&lt;&#39;a&gt;"
        );
    }

    #[test]
    fn what_is_not_known_is_only_escaped() {
        assert_eq!(
            coloured("let <x> & \"y\"", "nothing"),
            "let &lt;x&gt; &amp; &quot;y&quot;"
        );
    }

    #[test]
    fn what_does_not_end_ends_with_the_text() {
        for code in ["\"open", "/* open", "'\\", "`a\nb", "0x", "é\"ü"] {
            let html = coloured(code, "js");
            let text = html.replace("</span>", "");
            assert!(
                text.ends_with(code.chars().last().expect("a character")) || code.ends_with('"'),
                "{html}"
            );
        }
    }
}
