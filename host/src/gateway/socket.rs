//! One open socket: a task that waits for its client, the backend, publishers and the clock, and never for one of them
//! alone.

mod answer;
mod clock;
mod end;
mod incoming;
mod io;
mod outbox;

use self::{
    clock::KeepAlive,
    end::{End, NO_ROOM, broken},
    incoming::Incoming,
    io::Step,
    outbox::Outbox,
};
use super::{
    Event, Gateway,
    backend::{Backend, Failure},
    budget::{Charge, Full},
    conversation::Conversation,
    handshake::Socket,
    hub::Subscriptions,
    mailbox::{Mailbox, Overflow},
    outgoing::Outgoing,
};
use crate::metrics;
use bytes::Bytes;
use http::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{net::SocketAddr, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// Bytes of messages that are taken from the mailbox at once.
const BATCH: usize = 64 * 1024;
/// How long the last request to the backend, about the end of a socket, may take.
const GOODBYE_LIMIT: Duration = Duration::from_secs(10);

type Client = TokioIo<Upgraded>;
type Exchange = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

struct OpenSocket {
    client: Client,
    incoming: Incoming,
    outbox: Outbox,
    /// The answer to the last ping, while what was sent before it has not left.
    pong: Option<Bytes>,
    conversation: Conversation,
    /// The bytes of the conversation in the budget.
    queued: Charge,
    mailbox: Arc<Mailbox>,
    subscriptions: Subscriptions,
    peer: SocketAddr,
    exchange: Option<Exchange>,
    /// Since when something written has not left yet.
    unflushed: Option<Instant>,
    detached: bool,
    keep_alive: Option<KeepAlive>,
    next_ping: Instant,
    ping_interval: Duration,
    /// The client has sent nothing since the last ping.
    silent: bool,
    /// When something was last sent to the client.
    last_sent: Instant,
    /// When the backend was last asked or answered.
    last_exchange: Instant,
}

/// Opens the socket once the handshake's answer is sent, and runs it until it ends.
pub async fn run(
    socket: Socket,
    gateway: &Gateway,
    backend: &Arc<dyn Backend>,
    stopped: watch::Receiver<bool>,
) {
    let Socket {
        upgrade,
        mut conversation,
        first,
        deflate,
        peer,
    } = socket;
    match upgrade.await {
        Ok(upgraded) => {
            let mut running = OpenSocket::new(upgraded, conversation, deflate, peer, gateway);
            let end = match running.begin(first) {
                Ok(()) => running.live(gateway, backend, stopped).await,
                Err(end) => end,
            };
            Box::pin(running.end(end, gateway, backend)).await;
        }
        Err(error) => {
            tracing::debug!(%peer, "a client left during its handshake: {error}");
            conversation.add(Event::Disconnect);
            let exchange = conversation.ask(backend.clone(), &gateway.keys, true);
            // In a box, as every request here: it is large, and most sockets have none open.
            let _ = timeout(GOODBYE_LIMIT, Box::pin(exchange)).await;
        }
    }
}

impl OpenSocket {
    fn new(
        upgraded: Upgraded,
        conversation: Conversation,
        deflate: bool,
        peer: SocketAddr,
        gateway: &Gateway,
    ) -> Self {
        let limits = &gateway.limits;
        let account = gateway
            .budget
            .open(conversation.client(), conversation.session());
        let mailbox = Arc::new(Mailbox::new(limits.max_waiting, &account));
        let now = Instant::now();
        Self {
            client: TokioIo::new(upgraded),
            incoming: Incoming::new(limits.max_message, deflate, &account),
            outbox: Outbox::new(deflate, &account),
            pong: None,
            conversation,
            queued: Charge::new(&account),
            subscriptions: Subscriptions::new(gateway.hub.clone(), mailbox.clone()),
            mailbox,
            peer,
            exchange: None,
            unflushed: None,
            detached: false,
            keep_alive: None,
            next_ping: now + limits.ping_interval,
            ping_interval: limits.ping_interval,
            silent: false,
            last_sent: now,
            last_exchange: now,
        }
    }

    fn begin(&mut self, first: Vec<Event>) -> Result<(), End> {
        self.queued
            .set(self.conversation.size())
            .map_err(|Full| End::close(1013, NO_ROOM))?;
        self.take_in(first)
    }

    async fn live(
        &mut self,
        gateway: &Gateway,
        backend: &Arc<dyn Backend>,
        mut stopped: watch::Receiver<bool>,
    ) -> End {
        loop {
            let now = Instant::now();
            if self.exchange.is_none() && !self.detached && self.wants_exchange(now) {
                self.last_exchange = now;
                let exchange = self.conversation.ask(backend.clone(), &gateway.keys, true);
                self.exchange = Some(Box::pin(exchange));
            }
            self.queued.note(self.conversation.size());
            let deadline = self.deadline();
            let mailbox = self.mailbox.clone();
            let writable = self.unflushed.is_none();
            let step = tokio::select! {
                step = self.step() => match step {
                    Step::Flushed => {
                        self.flushed();
                        Ok(())
                    }
                    Step::Received(event) => self.received(event),
                    Step::Broken(why) => Err(broken(&why)),
                    Step::Lost => Err(End::Lost),
                    Step::Answered(answer) => self.answered(answer),
                },
                () = mailbox.filled(), if writable => self.send_waiting(),
                () = sleep_until(deadline) => self.tick(Instant::now()),
                _ = stopped.wait_for(|stopped| *stopped) => Err(End::close(1001, "The server stops.")),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    /// Handles an event of the client.
    fn received(&mut self, event: Event) -> Result<(), End> {
        let answers_our_ping = std::mem::take(&mut self.silent);
        match &event {
            Event::Ping(content) => {
                // Of several the last one is answered.
                self.pong = Some(content.clone());
                if self.unflushed.is_none() {
                    self.flushed();
                }
            }
            Event::Pong(content) if answers_our_ping && content.is_empty() => return Ok(()),
            Event::Close(frame) => return Err(End::ByClient(frame.clone())),
            _ => {}
        }
        if !self.detached {
            self.conversation.add(event);
        }
        Ok(())
    }

    /// Writes waiting messages, at most one batch.
    fn send_waiting(&mut self) -> Result<(), End> {
        let mut batch = Vec::new();
        if let Err(overflow) = self.mailbox.take(&mut batch, BATCH) {
            tracing::info!(peer = %self.peer, "a client reads too slowly");
            if let Some(metrics) = metrics::get() {
                metrics.overflowed();
            }
            return Err(End::close(
                1013,
                match overflow {
                    Overflow::Mailbox => "Too slow.",
                    Overflow::Budget => NO_ROOM,
                },
            ));
        }
        for message in batch {
            match message {
                Outgoing::Close { frame, is_known } => return Err(End::Close { frame, is_known }),
                Outgoing::Drop => return Err(End::Drop),
                message => self.send(message),
            }
            self.last_sent = Instant::now();
        }
        Ok(())
    }

    /// Puts a message into the outbox; never waits.
    fn send(&mut self, message: Outgoing) {
        self.unflushed.get_or_insert_with(Instant::now);
        self.outbox.send(message);
    }

    /// Goes on when all has been written.
    fn flushed(&mut self) {
        self.unflushed = None;
        if let Some(pong) = self.pong.take() {
            self.send(Outgoing::Pong(pong));
        }
    }
}
