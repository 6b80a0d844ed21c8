//! One open socket: a task that waits for its client, the backend, publishers and the clock, and never for one of them
//! alone.

mod answer;
pub(super) mod deflate;
mod end;
mod incoming;
mod outbox;

use self::{
    end::{End, NO_ROOM, broken},
    incoming::{Broken, Incoming},
    outbox::Outbox,
};
use super::{
    Event, Gateway,
    backend::{Backend, Failure},
    budget::{Charge, Full},
    conversation::Conversation,
    handshake::Socket,
    hub::Subscriptions,
    mailbox::{Mailbox, Outgoing, Overflow},
};
use bytes::Bytes;
use http::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    mem::MaybeUninit,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Bytes that are read from a client at once.
const READ: usize = 4 * 1024;
/// Bytes of messages that are taken from the mailbox at once.
const BATCH: usize = 64 * 1024;
/// How long a client may take to accept such a batch.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// How long the backend may take to hear that a socket is gone.
const GOODBYE_LIMIT: Duration = Duration::from_secs(10);
/// How long the gateway waits before it sends again what the backend did not take.
const HELD_PAUSE: Duration = Duration::from_millis(200);

type Client = TokioIo<Upgraded>;
type Exchange = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

/// A message that the client gets when it has been quiet for a while.
struct KeepAlive {
    every: Duration,
    content: Utf8Bytes,
}

struct Running {
    client: Client,
    incoming: Incoming,
    outbox: Outbox,
    /// The answer to the last ping, while what was sent before it has not left.
    pong: Option<Bytes>,
    conversation: Conversation,
    /// What the conversation keeps, in the budget.
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
    /// The client has said nothing since the last ping.
    silent: bool,
    /// When the client last got something.
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
            let mut running = Running::new(upgraded, conversation, deflate, peer, gateway);
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

impl Running {
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
                io = Io { socket: self } => match io {
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

    /// Whether the backend is to be asked now.
    fn wants_exchange(&self, now: Instant) -> bool {
        // Who asks and does not read the answers gets no more of them.
        if self.mailbox.is_full() {
            return false;
        }
        let since = now - self.last_exchange;
        if self.conversation.has_pending() {
            return !self.conversation.is_held() || since >= HELD_PAUSE;
        }
        self.conversation
            .quiet_limit()
            .is_some_and(|limit| since >= limit)
    }

    /// When there is something to do even if nothing happens.
    fn deadline(&self) -> Instant {
        let mut deadline = self.next_ping;
        if let Some(since) = self.unflushed {
            deadline = deadline.min(since + WRITE_LIMIT);
        }
        if let Some(keep_alive) = &self.keep_alive {
            deadline = deadline.min(self.last_sent + keep_alive.every);
        }
        // While the mailbox is full, what empties it is what counts.
        if self.exchange.is_none() && !self.detached && !self.mailbox.is_full() {
            if self.conversation.is_held() {
                deadline = deadline.min(self.last_exchange + HELD_PAUSE);
            } else if let Some(limit) = self.conversation.quiet_limit() {
                deadline = deadline.min(self.last_exchange + limit);
            }
        }
        deadline
    }

    /// Does what the clock asks for.
    fn tick(&mut self, now: Instant) -> Result<(), End> {
        if self
            .unflushed
            .is_some_and(|since| now >= since + WRITE_LIMIT)
        {
            tracing::info!(peer = %self.peer, "a client does not read");
            return Err(End::Lost);
        }
        if now >= self.next_ping {
            // Nothing is read while the backend is behind.
            if self.silent && !self.conversation.is_full() {
                tracing::info!(peer = %self.peer, "a client does not answer");
                return Err(End::Lost);
            }
            self.silent = true;
            self.next_ping = now + self.ping_interval;
            self.send(Outgoing::Ping(Bytes::new()));
        }
        let quiet = now - self.last_sent;
        if let Some(keep_alive) = &self.keep_alive
            && quiet >= keep_alive.every
        {
            let content = keep_alive.content.clone();
            self.last_sent = now;
            self.send(Outgoing::Text(content));
        }
        Ok(())
    }

    /// Takes in what the client sent.
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

    /// Writes what waits, as far as one batch goes.
    fn send_waiting(&mut self) -> Result<(), End> {
        let mut batch = Vec::new();
        if let Err(overflow) = self.mailbox.take(&mut batch, BATCH) {
            tracing::info!(peer = %self.peer, "a client reads too slowly");
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
                Outgoing::Close { frame, told } => return Err(End::Close { frame, told }),
                Outgoing::Drop => return Err(End::Drop),
                message => self.send(message),
            }
            self.last_sent = Instant::now();
        }
        Ok(())
    }

    /// Puts a message where it is written from; it never waits.
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

    /// Reads until a message is there.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            match self.incoming.next() {
                Ok(Some(event)) => return Poll::Ready(Step::Received(event)),
                Ok(None) => {}
                Err(why) => return Poll::Ready(Step::Broken(why)),
            }
            let mut buffer = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            let read = ready!(Pin::new(&mut self.client).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Step::Lost);
            }
            self.incoming.add(buffer.filled());
        }
    }
}

/// What happened on the socket or with the request that is open.
enum Step {
    Flushed,
    Received(Event),
    Broken(Broken),
    Lost,
    Answered(Result<Response<Bytes>, Failure>),
}

/// Waits for the next [`Step`]; stopped in the middle, it loses nothing.
struct Io<'a> {
    socket: &'a mut Running,
}

impl Future for Io<'_> {
    type Output = Step;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Step> {
        let socket = &mut *self.socket;
        if let Some(exchange) = &mut socket.exchange
            && let Poll::Ready(answer) = exchange.as_mut().poll(cx)
        {
            return Poll::Ready(Step::Answered(answer));
        }
        if socket.unflushed.is_some()
            && let Poll::Ready(written) = socket.outbox.poll_write(&mut socket.client, cx)
        {
            return Poll::Ready(written.map_or(Step::Lost, |()| Step::Flushed));
        }
        if socket.conversation.is_full() {
            return Poll::Pending;
        }
        socket.poll_event(cx)
    }
}
