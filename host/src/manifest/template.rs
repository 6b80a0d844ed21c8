//! Text with holes for variables: `http://{{ host }}/v1`.

use anyhow::bail;

/// A parsed template. There is no way to write a literal `{{`, as in Spin.
#[derive(Debug, PartialEq, Eq)]
pub struct Template<'a>(Vec<Part<'a>>);

#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

impl<'a> Template<'a> {
    /// Takes the text apart.
    ///
    /// # Errors
    /// When a `{{` has no `}}`.
    pub fn parse(text: &'a str) -> anyhow::Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, hole)) = rest.split_once("{{") {
            let Some((name, after)) = hole.split_once("}}") else {
                bail!("{text:?} has {{{{ without }}}}");
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal));
            }
            parts.push(Part::Variable(name.trim()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest));
        }
        Ok(Self(parts))
    }

    /// Whether it has no holes.
    pub fn is_literal(&self) -> bool {
        self.names().next().is_none()
    }

    /// The variables it needs.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(name) => Some(*name),
        })
    }

    /// Fills the holes.
    ///
    /// # Errors
    /// Those of `value`, which is asked for each variable.
    pub fn fill<'v, E>(&self, value: impl Fn(&str) -> Result<&'v str, E>) -> Result<String, E> {
        self.0
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => Ok(*literal),
                Part::Variable(name) => value(name),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    fn fill(text: &str) -> anyhow::Result<String> {
        Template::parse(text)?.fill(|name| match name {
            "host" => Ok("example.com"),
            "braces" => Ok("{{ host }}"),
            _ => Err(anyhow::anyhow!("unknown {name}")),
        })
    }

    #[test]
    fn fills_holes() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("{{ host }}", "example.com"),
            ("{{host}}", "example.com"),
            ("http://{{ host }}:80/", "http://example.com:80/"),
            ("{{ host }}{{host}}", "example.comexample.com"),
            ("a }} b", "a }} b"),
            ("{ host }", "{ host }"),
            // A value is never read as a template again.
            ("{{ braces }}", "{{ host }}"),
        ] {
            assert_eq!(fill(text).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_can_not_fill() {
        for text in ["{{", "{{ host }", "{{ other }}", "{{}}", "{{{{ host }}"] {
            assert!(fill(text).is_err(), "{text}");
        }
    }

    #[test]
    fn knows_a_literal() {
        assert!(Template::parse("a").expect("valid").is_literal());
        assert!(!Template::parse("a{{b}}").expect("valid").is_literal());
    }
}
