//! One open socket: a task that waits for its client, the backend, publishers and the clock, and never for one of them
//! alone.

mod answer;
mod end;

use self::end::{End, broken};
use super::{
    Gateway,
    backend::{Backend, Failure},
    conversation::Conversation,
    event::{Event, may_be_sent},
    handshake::Socket,
    hub::{Mailbox, Outgoing, Overflowed, Subscriptions},
};
use bytes::Bytes;
use futures::{Sink, Stream};
use http::Response;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message, Utf8Bytes,
        protocol::{Role, WebSocketConfig},
    },
};

/// Bytes that are read from a client at once. Every open socket has a buffer of this size.
const READ_BUFFER: usize = 2 * 1024;
/// Bytes that are collected before they are written.
const WRITE_BUFFER: usize = 16 * 1024;
/// Bytes of messages that are taken from the mailbox at once.
const BATCH: usize = 64 * 1024;
/// How long a client may take to accept such a batch.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// How long the backend may take to hear that a socket is gone.
const GOODBYE_LIMIT: Duration = Duration::from_secs(10);
/// How long the gateway waits before it sends again what the backend did not take.
const HELD_PAUSE: Duration = Duration::from_millis(200);

type Client = WebSocketStream<TokioIo<Upgraded>>;
type Exchange = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send>>;

/// A message that the client gets when it has been quiet for a while.
struct KeepAlive {
    every: Duration,
    content: Utf8Bytes,
}

struct Running {
    client: Client,
    conversation: Conversation,
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
    backend: &Arc<Backend>,
    stopped: watch::Receiver<bool>,
) {
    let Socket {
        upgrade,
        mut conversation,
        first,
        peer,
    } = socket;
    match upgrade.await {
        Ok(upgraded) => {
            let mut running = Running::new(upgraded, conversation, peer, gateway).await;
            let end = match running.take_in(first) {
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
    async fn new(
        upgraded: Upgraded,
        conversation: Conversation,
        peer: SocketAddr,
        gateway: &Gateway,
    ) -> Self {
        let limits = &gateway.limits;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(limits.max_message))
            .max_frame_size(Some(limits.max_message));
        let io = TokioIo::new(upgraded);
        let client = Client::from_raw_socket(io, Role::Server, Some(config)).await;
        let mailbox = Arc::new(Mailbox::new(limits.max_waiting));
        let now = Instant::now();
        Self {
            client,
            conversation,
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

    async fn live(
        &mut self,
        gateway: &Gateway,
        backend: &Arc<Backend>,
        mut stopped: watch::Receiver<bool>,
    ) -> End {
        loop {
            let now = Instant::now();
            if self.exchange.is_none() && !self.detached && self.wants_exchange(now) {
                self.last_exchange = now;
                let exchange = self.conversation.ask(backend.clone(), &gateway.keys, true);
                self.exchange = Some(Box::pin(exchange));
            }
            let deadline = self.deadline();
            let mailbox = self.mailbox.clone();
            let writable = self.unflushed.is_none();
            let step = tokio::select! {
                io = Io { socket: self } => match io {
                    Step::Flushed(Ok(())) => {
                        self.unflushed = None;
                        Ok(())
                    }
                    Step::Flushed(Err(_)) => Err(End::Lost),
                    Step::Received(message) => self.received(message),
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
            self.send(Message::Ping(Bytes::new()))?;
        }
        let quiet = now - self.last_sent;
        if let Some(keep_alive) = &self.keep_alive
            && quiet >= keep_alive.every
        {
            let content = keep_alive.content.clone();
            self.last_sent = now;
            self.send(Message::Text(content))?;
        }
        Ok(())
    }

    /// Takes in what the client sent.
    fn received(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<(), End> {
        let Some(message) = message else {
            return Err(End::Lost);
        };
        let answers_our_ping = std::mem::take(&mut self.silent);
        let event = match message {
            Ok(Message::Text(text)) => Event::Text(text),
            Ok(Message::Binary(bytes)) => Event::Binary(bytes),
            Ok(Message::Ping(bytes)) => {
                // The library has made a pong of it.
                self.unflushed.get_or_insert_with(Instant::now);
                Event::Ping(bytes)
            }
            Ok(Message::Pong(bytes)) if answers_our_ping && bytes.is_empty() => return Ok(()),
            Ok(Message::Pong(bytes)) => Event::Pong(bytes),
            Ok(Message::Close(frame)) => {
                let frame = frame.map(|frame| (u16::from(frame.code), frame.reason));
                // As the library answers a code that may not be sent.
                let frame = frame.map(|(code, reason)| match may_be_sent(code) {
                    true => (code, reason),
                    false => (1002, Utf8Bytes::default()),
                });
                self.conversation.add(Event::Close(frame));
                return Err(End::ByClient);
            }
            Ok(Message::Frame(_)) => return Ok(()),
            Err(error) => return Err(broken(&error)),
        };
        if !self.detached {
            self.conversation.add(event);
        }
        Ok(())
    }

    /// Writes what waits, as far as one batch goes.
    fn send_waiting(&mut self) -> Result<(), End> {
        let mut batch = Vec::new();
        if let Err(Overflowed) = self.mailbox.take(&mut batch, BATCH) {
            tracing::info!(peer = %self.peer, "a client reads too slowly");
            return Err(End::close(1013, "Too slow."));
        }
        for message in batch {
            let message = match message {
                Outgoing::Text(text) => Message::Text(text),
                Outgoing::Binary(bytes) => Message::Binary(bytes),
                Outgoing::Ping(bytes) => Message::Ping(bytes),
                Outgoing::Pong(bytes) => Message::Pong(bytes),
                Outgoing::Close { frame, told } => return Err(End::Close { frame, told }),
                Outgoing::Drop => return Err(End::Drop),
            };
            self.last_sent = Instant::now();
            self.send(message)?;
        }
        Ok(())
    }

    /// Gives the library a message to write; it never waits.
    fn send(&mut self, message: Message) -> Result<(), End> {
        self.unflushed.get_or_insert_with(Instant::now);
        Pin::new(&mut self.client)
            .start_send(message)
            .map_err(|_| End::Lost)
    }
}

/// What happened on the socket or with the request that is open.
enum Step {
    Flushed(Result<(), tungstenite::Error>),
    Received(Option<Result<Message, tungstenite::Error>>),
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
            && let Poll::Ready(result) = Pin::new(&mut socket.client).poll_flush(cx)
        {
            return Poll::Ready(Step::Flushed(result));
        }
        if !socket.conversation.is_full()
            && let Poll::Ready(message) = Pin::new(&mut socket.client).poll_next(cx)
        {
            return Poll::Ready(Step::Received(message));
        }
        Poll::Pending
    }
}
