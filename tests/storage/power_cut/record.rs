//! What the recorder recorded, and what of it a disk would still have after a power cut.

use super::random::Random;
use std::{collections::HashMap, fs, path::Path};

/// Disks write whole sectors; a write that was going on is cut between them.
const SECTOR: usize = 512;

/// One call, in the order in which they took effect.
pub struct Event {
    /// Name of the file in the recorded folder; empty for the folder itself.
    pub file: String,
    /// What was done.
    pub action: Action,
}

/// What was done to a file.
pub enum Action {
    /// These bytes were written at this offset.
    Write(usize, Vec<u8>),
    /// The file was made this long.
    Truncate(usize),
    /// A sync began, through this file descriptor.
    SyncBegins(u64),
    /// It ended well.
    SyncEnds(u64),
    /// The file was removed.
    Remove,
}

/// Reads a record (its format is described in `recorder.c`) of what happened in `folder`.
pub fn read(record: &Path, folder: &Path) -> Vec<Event> {
    let record = fs::read(record).unwrap();
    let mut rest = &record[..];
    let mut events = Vec::new();
    while let Some((head, tail)) = rest.split_at_checked(32) {
        let [kind, path, offset, data] = [0, 1, 2, 3].map(|field| {
            let field: [u8; 8] = head[field * 8..][..8].try_into().unwrap();
            u64::from_le_bytes(field) as usize
        });
        let (path, tail) = tail.split_at(path);
        let (data, tail) = tail.split_at(data);
        rest = tail;
        let path = Path::new(str::from_utf8(path).unwrap());
        events.push(Event {
            file: path.strip_prefix(folder).unwrap().to_str().unwrap().into(),
            action: match kind {
                1 => Action::Write(offset, data.to_vec()),
                2 => Action::Truncate(offset),
                3 => Action::SyncBegins(offset as u64),
                4 => Action::SyncEnds(offset as u64),
                5 => Action::Remove,
                other => panic!("a record of kind {other}"),
            },
        });
    }
    events
}

/// What happens to writes that no sync made durable.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// None reached the disk.
    Dropped,
    /// Some did, whatever their order.
    Some,
    /// Some of their sectors did.
    Torn,
    /// All did.
    Kept,
}

/// The content of `file` after a power cut that followed `events`; `None` if it doesn't exist.
pub fn survivor(events: &[Event], file: &str, fate: Fate, random: &mut Random) -> Option<Vec<u8>> {
    let durable = durable_until(events, file);
    // A removed file may come back until its folder is synced.
    let folder_durable = durable_until(events, "");
    let mut content = None;
    for (index, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.file == file)
    {
        let safe = index < durable;
        match &event.action {
            Action::Write(offset, data) => {
                let content = content.get_or_insert_with(Vec::new);
                let whole = safe || survives(fate, random);
                for (number, sector) in data.chunks(SECTOR).enumerate() {
                    let torn = matches!(fate, Fate::Torn) && random.below(2) == 0;
                    if safe || (whole && !torn) {
                        write(content, offset + number * SECTOR, sector);
                    }
                }
            }
            Action::Truncate(length) if safe || survives(fate, random) => {
                content.get_or_insert_with(Vec::new).resize(*length, 0);
            }
            Action::Remove if index < folder_durable || survives(fate, random) => content = None,
            _ => {}
        }
    }
    content
}

/// Everything before this event is durable: it began the last sync of the file that has ended.
fn durable_until(events: &[Event], file: &str) -> usize {
    let mut begun = HashMap::new();
    let mut durable = 0;
    for (index, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.file == file)
    {
        match event.action {
            Action::SyncBegins(descriptor) => {
                begun.insert(descriptor, index);
            }
            Action::SyncEnds(descriptor) => durable = durable.max(begun[&descriptor]),
            _ => {}
        }
    }
    durable
}

fn survives(fate: Fate, random: &mut Random) -> bool {
    match fate {
        Fate::Dropped => false,
        Fate::Some => random.below(2) == 0,
        Fate::Torn => random.below(4) != 0,
        Fate::Kept => true,
    }
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}
