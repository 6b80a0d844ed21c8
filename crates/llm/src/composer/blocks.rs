//! The fenced blocks of a reply, as CommonMark has them, with an eye for what models get wrong.

/// How many fences are looked at for the end of one block, so that no reply takes forever.
const MAX_FENCES: usize = 100;

/// A fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The rest of the opening fence's line.
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
    names_file: bool,
    is_diff: bool,
}

impl<'a> Fence<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let unindented = line.trim_start_matches(' ');
        let indent = line.len() - unindented.len();
        let sign = unindented.chars().next().filter(|c| "`~".contains(*c))?;
        let info = unindented.trim_start_matches(sign);
        let length = unindented.len() - info.len();
        if indent > 3 || length < 3 {
            return None;
        }
        let names_file = super::file_of(info).is_some();
        let is_code_span = sign == '`' && info.contains('`') && !names_file;
        (!is_code_span).then_some(Self {
            indent,
            sign,
            length,
            info: info.trim(),
            names_file,
            is_diff: super::is_diff(info.split_whitespace().next().unwrap_or("")),
        })
    }

    /// Whether `other` could end this block, or begin one inside that needs its own end.
    fn concerns(self, other: Self) -> bool {
        other.sign == self.sign
            && other.length >= self.length
            // The kept lines of a diff begin with a space, and may be fences themselves.
            && !(self.is_diff && other.indent > self.indent)
    }
}

/// All blocks of a reply, in order.
pub(super) fn blocks(reply: &str) -> Vec<Block> {
    let lines: Vec<&str> = reply.split_inclusive('\n').collect();
    let fences = lines.iter().enumerate();
    let fences: Vec<(usize, Fence<'_>)> = fences
        .filter_map(|(at, line)| Some((at, Fence::parse(line)?)))
        .collect();
    let mut blocks = Vec::new();
    let mut next_line = 0;
    for (number, (at, fence)) in fences.iter().enumerate() {
        if *at < next_line {
            continue;
        }
        let end = End::find(*fence, &fences[number + 1..], lines.len());
        let text = lines[at + 1..end.line].iter();
        blocks.push(Block {
            info: fence.info.to_owned(),
            text: text.map(|line| unindented(line, fence.indent)).collect(),
            is_closed: end.is_closed,
        });
        next_line = end.line + usize::from(end.has_fence);
    }
    blocks
}

/// Where a block ends.
#[derive(Debug, Clone, Copy)]
struct End {
    /// The first line that is not inside.
    line: usize,
    is_closed: bool,
    /// Whether that line is its closing fence.
    has_fence: bool,
}

impl End {
    /// `fences` are those that follow, `last` is where the reply ends.
    fn find(opening: Fence<'_>, fences: &[(usize, Fence<'_>)], last: usize) -> Self {
        // A model that forgot the longer fence: blocks inside have ends of their own.
        let mut inside = 0_usize;
        let mut first = None;
        for (number, (line, fence)) in fences.iter().enumerate() {
            if first.is_some() && number > MAX_FENCES {
                break;
            }
            if !opening.concerns(*fence) {
                continue;
            }
            let end = Self {
                line: *line,
                is_closed: true,
                has_fence: !fence.names_file,
            };
            if fence.names_file {
                // The next file begins, so this one is over.
                return first.unwrap_or(end);
            }
            if !fence.info.is_empty() {
                inside += 1;
                continue;
            }
            if inside == 0 {
                return end;
            }
            inside -= 1;
            first = first.or(Some(end));
        }
        // That did not come out even: CommonMark's own rule, in which the first closing fence ends the block.
        first.unwrap_or(Self {
            line: last,
            is_closed: false,
            has_fence: false,
        })
    }
}

fn unindented(line: &str, indent: usize) -> &str {
    let spaces = line.len() - line.trim_start_matches(' ').len();
    &line[spaces.min(indent)..]
}
