//! Tasks beside the one that runs.
//!
//! wit-bindgen's executor (0.57) takes up what is spawned while it polls, but goes to sleep without a look at it if
//! nothing else has happened: it begins with the component's next event, which may be seconds away. So the code that spawns,
//! or calls what does, and goes on waiting sees to it that the executor looks again.

use std::future::poll_fn;
use std::mem::take;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::future::{Either, select};

/// Lets what was spawned just now begin.
pub async fn begin_spawned() {
    let mut waits = true;
    poll_fn(|context| {
        if !take(&mut waits) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A future that spawns something when it begins, such as a request whose body is sent by a task of its own.
pub async fn spawning<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut is_new = true;
    poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if polled.is_pending() && take(&mut is_new) {
            context.waker().wake_by_ref();
        }
        polled
    })
    .await
}

/// The result of `task`; `None`: it took longer than `time`.
pub async fn within<T>(time: Duration, task: impl Future<Output = T>) -> Option<T> {
    match select(pin!(task), pin!(spin_sdk::time::sleep(time))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
