//! The fenced blocks of a reply, as CommonMark has them, with an eye for what models get wrong.

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What is on the opening fence's line.
    pub info: String,
    /// The lines inside, each with its end.
    pub text: String,
    /// Whether the reply has the block's end.
    pub is_closed: bool,
}

/// A line of at least three backticks or tildes.
#[derive(Debug, Clone, Copy)]
struct Fence<'a> {
    indent: usize,
    sign: char,
    length: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let unindented = line.trim_start_matches(' ');
        let indent = line.len() - unindented.len();
        let sign = unindented.chars().next().filter(|c| "`~".contains(*c))?;
        let info = unindented.trim_start_matches(sign);
        let length = unindented.len() - info.len();
        let is_code_span = sign == '`' && info.contains('`') && !names_file(info);
        (indent <= 3 && length >= 3 && !is_code_span).then_some(Self {
            indent,
            sign,
            length,
            info: info.trim(),
        })
    }

    fn is_diff(self) -> bool {
        let language = self.info.split_whitespace().next().unwrap_or("");
        ["diff", "patch"]
            .iter()
            .any(|diff| language.eq_ignore_ascii_case(diff))
    }

    /// Whether `other` could end this block, or begin one inside that needs its own end.
    fn concerns(self, other: Self) -> bool {
        other.sign == self.sign
            && other.length >= self.length
            // The kept lines of a diff begin with a space, and may be fences themselves.
            && !(self.is_diff() && other.indent > self.indent)
    }
}

fn names_file(info: &str) -> bool {
    super::file_of(info).is_some()
}

/// All blocks of a reply, in order.
pub(super) fn blocks(reply: &str) -> Vec<Block> {
    let lines: Vec<&str> = reply.split_inclusive('\n').collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let Some(fence) = Fence::parse(line) else {
            continue;
        };
        let end = End::find(fence, &lines[at..]);
        let text = lines[at..at + end.lines].iter();
        blocks.push(Block {
            info: fence.info.to_owned(),
            text: text.map(|line| unindented(line, fence.indent)).collect(),
            is_closed: end.is_closed,
        });
        at += end.lines + usize::from(end.has_fence);
    }
    blocks
}

/// Where a block ends.
#[derive(Debug, Clone, Copy)]
struct End {
    /// How many lines it has.
    lines: usize,
    is_closed: bool,
    /// Whether the next line is its closing fence.
    has_fence: bool,
}

impl End {
    fn find(opening: Fence<'_>, lines: &[&str]) -> Self {
        let fences = lines.iter().enumerate().filter_map(|(at, line)| {
            let fence = Fence::parse(line)?;
            opening.concerns(fence).then_some((at, fence))
        });
        // A model that forgot the longer fence: blocks inside have ends of their own.
        let mut inside = 0_usize;
        let mut first = None;
        for (at, fence) in fences {
            if names_file(fence.info) {
                // The next file begins, so this one is over.
                return first.unwrap_or(Self {
                    lines: at,
                    is_closed: true,
                    has_fence: false,
                });
            }
            if !fence.info.is_empty() {
                inside += 1;
                continue;
            }
            let end = Self {
                lines: at,
                is_closed: true,
                has_fence: true,
            };
            if inside == 0 {
                return end;
            }
            inside -= 1;
            first = first.or(Some(end));
        }
        // That did not come out even: CommonMark's own rule, in which the first closing fence ends the block.
        first.unwrap_or(Self {
            lines: lines.len(),
            is_closed: false,
            has_fence: false,
        })
    }
}

fn unindented(line: &str, indent: usize) -> &str {
    let spaces = line.len() - line.trim_start_matches(' ').len();
    &line[spaces.min(indent)..]
}
