//! The memory that all sockets together may use for incomplete and waiting data: parts of a client's message, events
//! for the backend, and messages for clients that read slowly.
//!
//! One address may hold as much as is left for all others, and one session half of that. So a single address gets half
//! of the budget, ten addresses get an eleventh each, and there is always some left for another address.

use crate::network::Network;
use parking_lot::Mutex;
use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// Bytes that every socket may hold regardless of the others, so that a chat goes on while the budget is used up.
const ALWAYS: usize = 4 * 1024;

/// The owner of a share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Address(Network),
    /// The metadata that the backend left with the sockets of one session.
    Session(Box<[u8]>),
}

/// The budget of a gateway.
pub struct Budget {
    most: usize,
    used: AtomicUsize,
    shares: Mutex<HashMap<Owner, Shared>>,
}

/// The bytes that the sockets of one owner hold together.
#[derive(Default)]
struct Shared {
    used: Arc<AtomicUsize>,
    accounts: usize,
}

/// There is no room.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Budget {
    /// A budget of `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            used: AtomicUsize::new(0),
            shares: Mutex::default(),
        }
    }

    /// How many accounts are open.
    pub fn accounts(&self) -> usize {
        let shares = self.shares.lock();
        let of_addresses = shares
            .iter()
            .filter(|(owner, _)| matches!(owner, Owner::Address(_)));
        of_addresses.map(|(_, shared)| shared.accounts).sum()
    }

    /// The bytes that all of them hold.
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// The account of one socket.
    pub fn open(self: &Arc<Self>, address: Network, session: Option<&[u8]>) -> Arc<Account> {
        let mut shares = self.shares.lock();
        let mut share = |owner: Owner| {
            let shared = shares.entry(owner.clone()).or_default();
            shared.accounts += 1;
            let used = shared.used.clone();
            Share { owner, used }
        };
        Arc::new(Account {
            budget: self.clone(),
            held: AtomicUsize::new(0),
            address: share(Owner::Address(address)),
            session: session.map(|session| share(Owner::Session(session.into()))),
        })
    }

    /// Takes an account off its owner's share, and removes a share without accounts.
    fn close(&self, share: &Share) {
        if let Entry::Occupied(mut shared) = self.shares.lock().entry(share.owner.clone()) {
            shared.get_mut().accounts -= 1;
            if shared.get().accounts == 0 {
                shared.remove();
            }
        }
    }
}

struct Share {
    owner: Owner,
    used: Arc<AtomicUsize>,
}

/// The bytes that one socket holds of the budget.
pub struct Account {
    budget: Arc<Budget>,
    held: AtomicUsize,
    address: Share,
    session: Option<Share>,
}

impl Account {
    /// Holds `bytes` more, unless they are more than its session and its address may have.
    fn take(&self, bytes: usize) -> Result<(), Full> {
        let more = self.grow(bytes);
        if more == 0 {
            return Ok(());
        }
        let used = self.budget.used.load(Relaxed);
        let session = self.session.as_ref();
        let left = self.budget.most.checked_sub(used);
        let has_room = left.is_some_and(|left| {
            self.address.used.load(Relaxed) <= left
                && session.is_none_or(|session| session.used.load(Relaxed) <= left / 2)
        });
        if has_room {
            return Ok(());
        }
        self.give_back(bytes);
        Err(Full)
    }

    /// Holds `bytes` more; how many of them count.
    fn grow(&self, bytes: usize) -> usize {
        let before = self.held.fetch_add(bytes, Relaxed);
        let more = counted(before + bytes) - counted(before);
        for used in self.counters() {
            used.fetch_add(more, Relaxed);
        }
        more
    }

    fn give_back(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Relaxed);
        let less = counted(before) - counted(before - bytes);
        for used in self.counters() {
            used.fetch_sub(less, Relaxed);
        }
    }

    fn counters(&self) -> impl Iterator<Item = &AtomicUsize> {
        let session = self.session.as_ref().map(|share| &*share.used);
        [&self.budget.used, &*self.address.used]
            .into_iter()
            .chain(session)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        for share in [Some(&self.address), self.session.as_ref()] {
            share.inspect(|share| self.budget.close(share));
        }
    }
}

fn counted(held: usize) -> usize {
    held.saturating_sub(ALWAYS)
}

/// A part of what a socket holds; it is given back when this is dropped.
pub struct Charge {
    account: Arc<Account>,
    bytes: usize,
}

impl Charge {
    /// Nothing yet.
    pub fn new(account: &Arc<Account>) -> Self {
        Self {
            account: account.clone(),
            bytes: 0,
        }
    }

    /// Holds this many bytes from now on.
    ///
    /// # Errors
    /// When it would be more than before, and more than is left. Then it holds what it held.
    pub fn set(&mut self, bytes: usize) -> Result<(), Full> {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.account.take(more)?,
            None => self.account.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Holds this many bytes from now on, because they are there already.
    pub fn note(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => {
                self.account.grow(more);
            }
            None => self.account.give_back(self.bytes - bytes),
        }
        self.bytes = bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::{ALWAYS, Budget, Charge, Full};
    use crate::network::Network;
    use std::{net::Ipv4Addr, sync::Arc, sync::atomic::Ordering::Relaxed};

    fn address(last: u8) -> Network {
        Network::of(Ipv4Addr::new(192, 0, 2, last).into())
    }

    #[test]
    fn an_address_holds_no_more_than_it_leaves() {
        let budget = Arc::new(Budget::new(1_000_000));
        let mut first = Charge::new(&budget.open(address(1), None));
        let mut second = Charge::new(&budget.open(address(1), None));
        let mut other = Charge::new(&budget.open(address(2), None));
        assert_eq!(first.set(400_000), Ok(()));
        assert_eq!(second.set(200_000), Err(Full));
        assert_eq!(second.set(100_000), Ok(()));
        assert_eq!(second.set(50_000), Ok(()));
        assert_eq!(other.set(200_000), Ok(()));
        assert_eq!(other.set(400_000), Err(Full));
        // A few bytes always fit.
        second.note(600_000);
        let mut little = Charge::new(&budget.open(address(1), None));
        assert_eq!(little.set(ALWAYS), Ok(()));
        assert_eq!(little.set(ALWAYS + 1), Err(Full));
        drop((first, second, other, little));
        assert_eq!(budget.used.load(Relaxed), 0);
        assert!(budget.shares.lock().is_empty());
    }

    #[test]
    fn sockets_that_end_at_once_leave_nothing() {
        let budget = Arc::new(Budget::new(1_000_000));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        drop(budget.open(address(1), Some(b"a")));
                    }
                });
            }
        });
        assert!(budget.shares.lock().is_empty());
    }

    #[test]
    fn a_session_holds_half_of_that_from_wherever() {
        let budget = Arc::new(Budget::new(900_000));
        let mut first = Charge::new(&budget.open(address(1), Some(b"a")));
        let mut second = Charge::new(&budget.open(address(2), Some(b"a")));
        let mut other = Charge::new(&budget.open(address(2), Some(b"b")));
        assert_eq!(first.set(200_000), Ok(()));
        assert_eq!(second.set(150_000), Err(Full));
        assert_eq!(second.set(100_000), Ok(()));
        assert_eq!(other.set(150_000), Ok(()));
    }
}
