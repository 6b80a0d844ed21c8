//! Large bodies are taken in one after the other. A frame with a file takes several times its length while it is read; a
//! few at once would take all memory of the instance, and with it what else is going on there.
//!
//! The tasks of an instance can't wake each other, and an asynchronous lock would trap, so each request looks again and
//! again whether it is first. Who can't be served in time is told so before anything was read, and a gateway asks again:
//! perhaps another instance has room.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// From one look whether it is the next one's turn to the other.
const PAUSE: Duration = Duration::from_millis(10);

/// How long a request waits at most, however many are before it.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many requests wait at most. An instance has places for sixteen: short ones still find some.
const MOST_WAITING: usize = 8;

static QUEUE: Mutex<Queue> = Mutex::new(Queue::new());

/// The requests of an instance with large bodies, in the order in which they came. The first one has its turn.
#[derive(Debug)]
struct Queue {
    numbers: VecDeque<u64>,
    next: u64,
}

impl Queue {
    const fn new() -> Self {
        Self {
            numbers: VecDeque::new(),
            next: 0,
        }
    }

    /// A place at the end; `None` if too many wait.
    fn enter(&mut self) -> Option<u64> {
        if self.numbers.len() > MOST_WAITING {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.numbers.push_back(number);
        Some(number)
    }

    fn is_first(&self, number: u64) -> bool {
        self.numbers.front() == Some(&number)
    }

    fn leave(&mut self, number: u64) {
        self.numbers.retain(|other| *other != number);
    }
}

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in the queue; at its front, the right to have a large body in memory.
#[derive(Debug)]
pub struct Turn(u64);

impl Turn {
    /// Waits for the turn of a request. `None`: it does not come soon.
    pub async fn wait() -> Option<Self> {
        let began = Instant::now();
        let turn = Self(queue().enter()?);
        while !queue().is_first(turn.0) {
            if began.elapsed() > PATIENCE {
                return None;
            }
            spin_sdk::time::sleep(PAUSE).await;
        }
        Some(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        queue().leave(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WAITING, Queue};

    #[test]
    fn turns_come_in_order() {
        let mut queue = Queue::new();
        let numbers: Vec<u64> = (0..4).filter_map(|_| queue.enter()).collect();
        assert!(queue.is_first(numbers[0]));
        // One that gives up is no hindrance.
        queue.leave(numbers[1]);
        assert!(queue.is_first(numbers[0]) && !queue.is_first(numbers[2]));
        queue.leave(numbers[0]);
        assert!(queue.is_first(numbers[2]) && !queue.is_first(numbers[3]));
        queue.leave(numbers[2]);
        assert!(queue.is_first(numbers[3]));
    }

    #[test]
    fn only_so_many_wait() {
        let mut queue = Queue::new();
        let first = queue.enter().unwrap();
        let waiting: Vec<u64> = (0..MOST_WAITING).filter_map(|_| queue.enter()).collect();
        assert_eq!(waiting.len(), MOST_WAITING);
        assert_eq!(queue.enter(), None);
        queue.leave(first);
        assert!(queue.enter().is_some());
    }
}
