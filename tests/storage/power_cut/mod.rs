//! Power cuts, replayed: what a process under load writes and syncs is recorded, and for many moments of it the files
//! are made as a disk could have them had the power gone then. Everything acknowledged before must be in them.

pub mod load;
mod random;
mod record;
mod replay;

use load::{ACKNOWLEDGED, DATABASE};
use random::Random;
use record::{Action, Event, Fate};
use replay::{Left, acknowledged, is_ready, look, record, run};
use std::os::unix::process::ExitStatusExt;

const SIGABRT: i32 = 6;
const CUTS: u64 = 120;

#[test]
fn no_acknowledged_commit_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[]);
    let (mut lost, mut unsynced) = (Vec::new(), 0);
    for seed in 0..CUTS {
        let cut = cut(&events, seed);
        lost.extend(cut.lost);
        unsynced += u64::from(cut.unsynced);
    }
    assert!(lost.is_empty(), "lost {lost:?}");
    // Else nothing would have been at stake.
    assert!(
        unsynced > CUTS / 4,
        "only {unsynced} cuts fell between a write and its sync"
    );
}

#[test]
fn without_the_shared_sync_the_same_cuts_lose_commits() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[(load::UNSAFE, "1")]);
    let losses = (0..CUTS)
        .filter(|&seed| !cut(&events, seed).lost.is_empty())
        .count() as u64;
    assert!(
        losses > CUTS / 4,
        "only {losses} of {CUTS} cuts lost anything"
    );
}

#[test]
fn commits_that_are_not_waited_for_cost_no_other_commit() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[(load::HASTY, "1")]);
    let mut hasty = 0;
    for seed in 0..CUTS {
        let lost = cut(&events, seed).lost;
        let (of_hasty, others): (Vec<_>, Vec<_>) = lost
            .into_iter()
            .partition(|(writer, _)| load::is_hasty(*writer));
        assert_eq!(others, [], "seed {seed}");
        hasty += usize::from(!of_hasty.is_empty());
    }
    // Else they have waited.
    assert!(hasty > 0, "no cut lost a commit that was not waited for");
}

#[test]
fn a_new_database_is_durable_before_its_first_commit_is() {
    let folder = tempfile::tempdir().unwrap();
    let events = record(&folder, &[]);
    let ready = events.iter().position(is_ready).unwrap();
    let synced = |file: &str| {
        let ends =
            |event: &&Event| event.file == file && matches!(event.action, Action::SyncEnds(_));
        events[..ready].iter().filter(ends).count()
    };
    assert!(synced("") > 0, "the folder");
    assert!(synced(DATABASE) > 0, "the database");
    assert!(synced(&format!("{DATABASE}-wal")) > 0, "the log");
}

#[test]
fn a_failed_sync_ends_the_process_before_anything_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // The first syncs are for the tables, which are made before the load. Then the end of one may not be seen by its writers
    // before the next one, of other writers, fails; but of three, one is of a writer that has seen an earlier one.
    let (run, events) = run(&folder, &[("KAFKA_RECORD_FAIL", "12")]);
    assert_eq!(run.status.signal(), Some(SIGABRT), "{:?}", run.status);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(errors.contains("log can't be synced"), "{errors}");
    assert!(!acknowledged(&events).is_empty());
    let left = look(&events, Fate::Dropped, &mut Random::new(0), "at the end");
    assert!(left.lost.is_empty(), "lost {:?}", left.lost);
}

/// Cuts the power at a moment that `seed` chooses, and checks the remaining database.
fn cut(events: &[Event], seed: u64) -> Left {
    let mut random = Random::new(seed);
    let ready = events.iter().position(is_ready).unwrap() + 1;
    let mut moment = ready + random.below(events.len() - ready);
    if seed.is_multiple_of(2) {
        // Right after an acknowledgement, where most is at stake.
        let next = events[moment..]
            .iter()
            .position(|event| event.file == ACKNOWLEDGED);
        moment += next.map_or(0, |next| next + 1);
    }
    let events = &events[..moment];
    let fate = [Fate::Dropped, Fate::Some, Fate::Torn, Fate::Kept][random.below(4)];
    look(
        events,
        fate,
        &mut random,
        &format!("seed {seed}, {fate:?} at {moment}"),
    )
}
