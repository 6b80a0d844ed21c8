//! Which traces are recorded (`OTEL_TRACES_SAMPLER`, as in OpenTelemetry's "Environment Variable Specification").
//!
//! By hand, as the rest of traces (docs/decisions.md#spans-are-made-by-hand).

use super::Context;
use anyhow::{Context as _, bail};

/// Decides for each trace that begins here, and, unless the parent decides, for those that others have begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// What the span that sent a request says is taken over.
    heeds_parent: bool,
    /// Of all traces, 0 to 1.
    share: f64,
}

impl Sampler {
    /// That of the variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    ///
    /// # Errors
    /// When there is no sampler of that name, or the argument is no share.
    pub fn parse(name: Option<&str>, argument: Option<&str>) -> anyhow::Result<Self> {
        let name = name.unwrap_or("parentbased_always_on");
        let (heeds_parent, kind) = match name.strip_prefix("parentbased_") {
            Some(kind) => (true, kind),
            None => (false, name),
        };
        let share = match (kind, argument) {
            ("always_on", _) | ("traceidratio", None) => 1.0,
            ("always_off", _) => 0.0,
            ("traceidratio", Some(argument)) => {
                let share = argument.trim().parse().ok();
                share
                    .filter(|share| (0.0..=1.0).contains(share))
                    .context("OTEL_TRACES_SAMPLER_ARG must be a share, from 0 to 1")?
            }
            _ => bail!(
                "OTEL_TRACES_SAMPLER must be always_on, always_off or traceidratio, or one of them after parentbased_"
            ),
        };
        Ok(Self {
            heeds_parent,
            share,
        })
    }

    /// Whether the trace of a request is recorded.
    pub fn takes(&self, parent: Option<&Context>, trace: &[u8; 16]) -> bool {
        match parent.filter(|_| self.heeds_parent) {
            Some(parent) => parent.is_sampled,
            None => place(trace) < self.share,
        }
    }
}

/// Where a trace is among all, from 0 to below 1: always the same for one id, whose last bytes are random.
fn place(trace: &[u8; 16]) -> f64 {
    let [.., a, b, c, d] = *trace;
    f64::from(u32::from_be_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::Sampler;
    use crate::trace::Context;

    fn takes(name: &str, argument: Option<&str>, parent: Option<bool>, end: u8) -> bool {
        let sampler = Sampler::parse(Some(name), argument).expect("a sampler");
        let parent = parent.map(|is_sampled| {
            let mut parent = Context::first();
            parent.is_sampled = is_sampled;
            parent
        });
        let mut trace = [0; 16];
        trace[12] = end;
        sampler.takes(parent.as_ref(), &trace)
    }

    #[test]
    fn each_sampler_takes_what_its_name_says() {
        for (name, argument, parent, end, expected) in [
            ("always_on", None, Some(false), 0, true),
            ("always_off", None, Some(true), 0, false),
            ("traceidratio", Some("0.5"), None, 0x7f, true),
            ("traceidratio", Some("0.5"), Some(true), 0x80, false),
            ("traceidratio", Some("1"), None, 0xff, true),
            ("traceidratio", Some("0"), None, 0, false),
            ("traceidratio", None, None, 0xff, true),
            ("parentbased_always_on", None, Some(false), 0, false),
            ("parentbased_always_on", None, None, 0, true),
            ("parentbased_always_off", None, Some(true), 0, true),
            ("parentbased_always_off", None, None, 0, false),
            ("parentbased_traceidratio", Some("0.25"), None, 0x40, false),
            ("parentbased_traceidratio", Some("0.25"), None, 0x3f, true),
        ] {
            let taken = takes(name, argument, parent, end);
            assert_eq!(taken, expected, "{name} {argument:?} {parent:?} {end}");
        }
        let default = Sampler::parse(None, None).expect("the default");
        let named = Sampler::parse(Some("parentbased_always_on"), None);
        assert_eq!(default, named.expect("a sampler"));
    }

    #[test]
    fn what_is_no_sampler_is_refused() {
        for (name, argument) in [
            ("", None),
            ("sometimes", None),
            ("parentbased_", None),
            ("traceidratio", Some("2")),
            ("traceidratio", Some("-0.1")),
            ("traceidratio", Some("NaN")),
            ("traceidratio", Some("half")),
        ] {
            assert!(Sampler::parse(Some(name), argument).is_err(), "{name}");
        }
    }
}
