//! What waits to be published to one gateway.

use std::collections::VecDeque;

use kafka_grip::Item;

/// How many bytes go to a gateway in one request, but for an item that alone is larger.
const BATCH_BYTES: usize = 256 * 1024;

/// How many bytes wait at most. Beyond it something is wrong with the gateway, and clients notice it themselves.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// Items in their order.
#[derive(Debug, Default)]
pub struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Queue {
    /// Adds items, all or none, so that no client receives the end of events whose beginning it missed.
    pub fn push(&mut self, items: Vec<Item>) -> bool {
        let bytes: usize = items.iter().map(Item::size).sum();
        if !self.items.is_empty() && self.bytes + bytes > WAITING_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.items.extend(items);
        true
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether there is enough for one request.
    pub fn fills_a_batch(&self) -> bool {
        self.bytes >= BATCH_BYTES
    }

    /// The next items, as many as go into one request.
    pub fn batch(&mut self) -> Vec<Item> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.items.front() {
            let size = next.size();
            if bytes + size > BATCH_BYTES && !batch.is_empty() {
                break;
            }
            bytes += size;
            batch.extend(self.items.pop_front());
        }
        self.bytes -= bytes;
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use kafka_grip::publish::item;

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let mut queue = Queue::default();
        let text = |n: usize| item("c", n.to_string().repeat(100_000));
        assert!(queue.push(vec![text(0), text(1)]) && !queue.fills_a_batch());
        assert!(queue.push((2..5).map(text).collect()) && queue.fills_a_batch());
        let sizes: Vec<usize> =
            std::iter::from_fn(|| Some(queue.batch().len()).filter(|n| *n > 0)).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(queue.bytes, 0);
        // A large one goes alone, whatever its size.
        assert!(queue.push(vec![item("c", "x".repeat(9_000_000))]));
        assert!(!queue.push(vec![item("c", "y")]));
        assert_eq!(queue.batch().len(), 1);
        assert!(queue.push(vec![item("c", "y")]));
    }
}
