//! Forms around an address: `Name <address>`, and quoted local parts.

/// The address inside `Name <address>`, `"Name" <address>` or `<address>`; any other input as it is.
pub(super) fn bare_address(input: &str) -> &str {
    let Some(before_end) = input.trim_end().strip_suffix('>') else {
        return input;
    };
    let Some((name, address)) = before_end.split_once('<') else {
        return input;
    };
    let name = name.trim();
    let quoted = name.len() >= 3 && name.starts_with('"') && name.ends_with('"');
    let plain =
        |c: char| c.is_alphanumeric() || c.is_whitespace() || "_!#$%&'*+-/=?^`{|}~".contains(c);
    if !address.is_empty() && (quoted || name.chars().all(plain)) {
        address
    } else {
        input
    }
}

/// Where a quoted local part that an @-sign follows ends: the byte position after its closing quote.
pub(super) fn quoted_local_part(address: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, c) in address.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                return (address.starts_with('"') && address[index + 1..].starts_with('@'))
                    .then_some(index + 1);
            }
            _ => {}
        }
    }
    None
}
