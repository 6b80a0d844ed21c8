//! Markdown as HTML for a page that trusts nobody who wrote it: markup in it is text, links have one of a few schemes, and
//! pictures are only named, for the page to find them among the files of the chat.

use pulldown_cmark::{Alignment, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::highlight;

/// The schemes of links. Others, and addresses without one, are shown as text.
const SCHEMES: [&str; 3] = ["http://", "https://", "mailto:"];

fn parser(text: &str) -> Parser<'_> {
    Parser::new_ext(
        text,
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS,
    )
}

/// Where the last block of a text begins, in bytes: what is before it stays the same when the text grows. The last line
/// says nothing about that while it is not complete.
pub fn open_block(text: &str) -> usize {
    let complete = text.rfind('\n').map_or(0, |end| end + 1);
    let text = text.get(..complete).unwrap_or_default();
    let mut depth = 0_usize;
    let mut last = 0;
    for (event, range) in parser(text).into_offset_iter() {
        if depth == 0 {
            last = range.start;
        }
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // A block that is indented begins with its line.
    text.get(..last)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1)
}

/// The HTML of a text.
pub fn html(text: &str) -> String {
    let mut page = String::with_capacity(text.len() * 3 / 2);
    html::push_html(&mut page, Safe::of(parser(text)));
    page
}

/// The events of a text, with what is special to the page as HTML of our own.
struct Safe<I> {
    events: I,
    /// The links that are open, each with whether it is one.
    links: Vec<bool>,
    /// The columns of the table that is open.
    columns: Vec<Alignment>,
    /// What the cells of its row are, and how many there were.
    row: (&'static str, usize),
}

impl<'a, I: Iterator<Item = Event<'a>>> Safe<I> {
    fn of(events: I) -> Self {
        Self {
            events,
            links: Vec::new(),
            columns: Vec::new(),
            row: ("td", 0),
        }
    }

    /// The texts up to the end of what has just begun.
    fn texts(&mut self, is_end: impl Fn(&TagEnd) -> bool) -> String {
        let mut text = String::new();
        for event in self.events.by_ref() {
            match event {
                Event::End(end) if is_end(&end) => break,
                Event::Text(part) | Event::Code(part) => text.push_str(&part),
                Event::SoftBreak | Event::HardBreak => text.push(' '),
                _ => {}
            }
        }
        text
    }

    fn code(&mut self, kind: &CodeBlockKind<'_>) -> String {
        let code = self.texts(|end| matches!(end, TagEnd::CodeBlock));
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.split_whitespace().next().unwrap_or_default(),
            CodeBlockKind::Indented => "",
        };
        let mut html = String::from("<div class=\"code\"><div class=\"code-head\"><span>");
        highlight::escape(&mut html, info);
        html.push_str("</span><button type=\"button\" class=\"copy-code\">Copy</button></div><pre tabindex=\"0\"><code>");
        highlight::write(&mut html, &code, info);
        html.push_str("</code></pre></div>\n");
        html
    }
}

/// The class of cells, since the page's policy allows no styles in markup.
fn class_of(alignment: Alignment) -> Option<&'static str> {
    match alignment {
        Alignment::None => None,
        Alignment::Left => Some("to-left"),
        Alignment::Center => Some("to-center"),
        Alignment::Right => Some("to-right"),
    }
}

impl<'a, I: Iterator<Item = Event<'a>>> Iterator for Safe<I> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        let own = |html: String| Event::InlineHtml(CowStr::from(html));
        loop {
            return Some(match self.events.next()? {
                // What looks like markup is what somebody wrote.
                Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
                Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
                Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
                Event::Start(Tag::CodeBlock(kind)) => own(self.code(&kind)),
                Event::Start(Tag::Link { dest_url, .. }) => {
                    let is_link = has_scheme(&dest_url);
                    self.links.push(is_link);
                    if !is_link {
                        continue;
                    }
                    let mut html = String::from("<a href=\"");
                    highlight::escape(&mut html, &dest_url);
                    html.push_str("\" target=\"_blank\" rel=\"noopener noreferrer\">");
                    own(html)
                }
                Event::End(TagEnd::Link) => {
                    if self.links.pop() != Some(true) {
                        continue;
                    }
                    own("</a>".to_owned())
                }
                Event::Start(Tag::Image { dest_url, .. }) => {
                    let words = self.texts(|end| matches!(end, TagEnd::Image));
                    let mut html = String::from("<span class=\"picture\" data-file=\"");
                    highlight::escape(&mut html, &dest_url);
                    html.push_str("\">");
                    let words = if words.is_empty() { &*dest_url } else { &words };
                    highlight::escape(&mut html, words);
                    html.push_str("</span>");
                    own(html)
                }
                Event::Start(Tag::Table(columns)) => {
                    self.columns = columns;
                    Event::Start(Tag::Table(Vec::new()))
                }
                Event::Start(row @ (Tag::TableHead | Tag::TableRow)) => {
                    self.row = (if row == Tag::TableHead { "th" } else { "td" }, 0);
                    Event::Start(row)
                }
                Event::Start(Tag::TableCell) => {
                    let (cell, at) = self.row;
                    self.row.1 += 1;
                    match self.columns.get(at).copied().and_then(class_of) {
                        Some(class) => own(format!("<{cell} class=\"{class}\">")),
                        None => Event::Start(Tag::TableCell),
                    }
                }
                // Ids and classes of headings are the page's own.
                Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
                    level,
                    id: None,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                }),
                other => other,
            });
        }
    }
}

/// Whether an address begins with one of the schemes. What browsers ignore in it makes it none.
fn has_scheme(address: &str) -> bool {
    let is_visible = !address.contains(|c: char| c.is_control() || c.is_whitespace());
    let address = address.to_ascii_lowercase();
    is_visible && SCHEMES.iter().any(|scheme| address.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::{html, open_block};

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(
            html("a **b** `c`"),
            "<p>a <strong>b</strong> <code>c</code></p>\n"
        );
        assert_eq!(html("- x\n- y"), "<ul>\n<li>x</li>\n<li>y</li>\n</ul>\n");
        assert!(html("|a|b|\n|-|-|\n|1|2|").contains("<td>1</td>"));
        assert_eq!(
            html("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|"),
            "<table><thead><tr><th class=\"to-left\">a</th><th class=\"to-center\">b</th><th class=\"to-right\">c</th>\
             <th>d</th></tr></thead><tbody>\n<tr><td class=\"to-left\">1</td><td class=\"to-center\">2</td>\
             <td class=\"to-right\">3</td><td>4</td></tr>\n</tbody></table>\n"
        );
        let code = html("```rust\nlet x;\n```");
        assert!(
            code.contains("<span>rust</span>") && code.contains("<span class=\"k\">let</span>"),
            "{code}"
        );
    }

    /// What an attacker makes a model say.
    #[test]
    fn nothing_in_a_text_is_markup() {
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n<iframe src=//evil.example>\n</div>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](data:text/html,<script>alert(1)</script>)",
            "[x](//evil.example)",
            "<javascript:alert(1)>",
            "![x](https://evil.example/a.png)",
            "![\"><script>](\"><script>)",
            "```\"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```",
            "[a]: javascript:alert(1)\n\n[a]",
            "| <b>a</b> |\n|-|\n| <img src=x> |",
            "&lt;script&gt; <!-- --> <?php ?> <![CDATA[x]]>",
            "# h {#id .class onclick=alert(1)}",
        ] {
            let html = html(text);
            let lower = html.to_lowercase();
            for bad in [
                "<script",
                "<img",
                "<iframe",
                "<b>",
                "<!--",
                "<?",
                "href=\"java",
                "href=\"data",
                "href=\"//",
                "id=\"id\"",
            ] {
                assert!(!lower.contains(bad), "{text:?} became {html:?}");
            }
        }
    }

    #[test]
    fn links_open_elsewhere_and_say_nothing() {
        let link = html("[x](https://example.com/?a=1&b=\"2\")");
        assert!(
            link.contains("<a href=\"https://example.com/?a=1&amp;b=&quot;2&quot;\" target=\"_blank\" rel=\"noopener noreferrer\">x</a>"),
            "{link}"
        );
        assert!(html("<https://example.com>").contains("href=\"https://example.com\""));
        assert_eq!(html("[x](other.md)"), "<p>x</p>\n");
    }

    #[test]
    fn pictures_are_named() {
        assert_eq!(
            html("![A castle](castle.png)"),
            "<p><span class=\"picture\" data-file=\"castle.png\">A castle</span></p>\n"
        );
    }

    #[test]
    fn the_last_block_is_open() {
        let text = "one\n\ntwo\n\n- a\n- b\n";
        assert_eq!(&text[open_block(text)..], "- a\n- b\n");
        let fence = "one\n\n```rust\nfn main() {\n\n}\n";
        assert_eq!(&fence[open_block(fence)..], "```rust\nfn main() {\n\n}\n");
        assert_eq!(open_block("only one"), 0);
        assert_eq!(open_block(""), 0);
    }

    /// Piece by piece, as the page does it, the HTML is that of the whole.
    #[test]
    fn a_text_that_grows_ends_as_the_whole() {
        let text = "# Title\n\nA *text* over\ntwo lines.\n\n- a\n- b\n\n  c\n\n```js\nlet a = 1;\n\nb();\n```\n\n> quoted\n\n\
                    1. x\n2. y\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd é 🦀.\n";
        let (mut done, mut page) = (0, String::new());
        let mut last = String::new();
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            let rest = &text[done..end];
            let open = open_block(rest);
            page += &html(&rest[..open]);
            done += open;
            last = html(&text[done..end]);
        }
        assert_eq!(page + &last, html(text));
    }
}
