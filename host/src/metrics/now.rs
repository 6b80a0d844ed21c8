//! What is looked at when the metrics are asked for: how much there is of something.

use super::{OfComponent, OfDatabase};
use crate::{app::App, gateway::Gateway};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};
use std::{fmt, sync::Arc};

/// The state of an application and of its gateway.
pub struct Now {
    /// The application.
    pub app: Arc<App>,
    /// The gateway, if this process has one.
    pub gateway: Option<Arc<Gateway>>,
}

impl fmt::Debug for Now {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Now")
    }
}

type Written = Result<(), fmt::Error>;

/// Writes numbers of one kind, each with its labels.
fn family<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    numbers: impl IntoIterator<Item = (L, u64)>,
) -> Written {
    let mut encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, number) in numbers {
        let gauge = ConstGauge::new(number);
        gauge.encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Writes one number.
fn single(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, number: u64) -> Written {
    let encoder = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(number).encode(encoder)
}

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Written {
        let encoder = &mut encoder;
        self.encode_instances(encoder)?;
        self.encode_databases(encoder)?;
        let sockets = self.gateway.as_ref().map(|gateway| gateway.load());
        let sockets = sockets.unwrap_or_default();
        single(encoder, "sockets", "Open sockets", sockets.sockets as u64)?;
        let help = "Channels that sockets listen to";
        single(encoder, "channels", help, sockets.channels as u64)?;
        let help = "Bytes of messages that are incomplete or wait for their clients";
        single(encoder, "waiting_bytes", help, sockets.waiting as u64)?;
        let help = "Bytes that may wait";
        single(encoder, "waiting_limit_bytes", help, sockets.most as u64)
    }
}

impl Now {
    fn encode_instances(&self, encoder: &mut DescriptorEncoder<'_>) -> Written {
        let of_component = |number: fn(&crate::places::Places) -> usize| {
            self.app.components.iter().map(move |(id, loaded)| {
                let component = id.clone();
                let number = number(&loaded.granted.places);
                (OfComponent { component }, number as u64)
            })
        };
        let help = "Instances that take requests; of a private component all";
        family(
            encoder,
            "instances",
            help,
            of_component(|places| places.taken()),
        )?;
        let help = "Instances that may take requests";
        family(
            encoder,
            "instances_limit",
            help,
            of_component(|places| places.most()),
        )?;
        let help = "Instances that take no more requests and finish their work";
        single(
            encoder,
            "instances_retired",
            help,
            self.app.retired() as u64,
        )
    }

    fn encode_databases(&self, encoder: &mut DescriptorEncoder<'_>) -> Written {
        let sizes: Vec<_> = self.app.sizes().collect();
        let of_database = |number: fn(&crate::storage::Sizes) -> u64| {
            sizes.iter().map(move |(name, sizes)| {
                let database = name.clone();
                (OfDatabase { database }, number(sizes))
            })
        };
        let help = "Bytes of the database's file";
        family(
            encoder,
            "database_bytes",
            help,
            of_database(|sizes| sizes.database),
        )?;
        let help = "Bytes of the database's write-ahead log";
        family(
            encoder,
            "database_log_bytes",
            help,
            of_database(|sizes| sizes.log),
        )?;
        let help = "1 while the disk of the state folder is full";
        let full = u64::from(self.app.is_disk_full());
        single(encoder, "disk_full", help, full)
    }
}
