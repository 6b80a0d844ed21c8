//! A wire between a page and its server that can be stalled and cut, and whose server may be another one later.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::SeqCst};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf};
use tokio::sync::watch;

const PASSES: u8 = 0;
const STALLS: u8 = 1;

/// A wire; its connections end with it.
pub struct Wire {
    address: String,
    state: Arc<AtomicU8>,
    /// Raised to cut all connections that are there.
    cuts: watch::Sender<u32>,
    server: watch::Sender<String>,
}

impl Wire {
    /// A wire to a server.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::<AtomicU8>::default();
        let (cuts, was_cut) = watch::channel(0);
        let (sender, server) = watch::channel(server.to_owned());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = server.borrow().clone();
                let Ok(server) = TcpStream::connect(server).await else {
                    continue;
                };
                let ((a, b), (c, d)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(a, d, shared.clone(), was_cut.clone()));
                tokio::spawn(pass(c, b, shared.clone(), was_cut.clone()));
            }
        });
        Self {
            address,
            state,
            cuts,
            server: sender,
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Nothing arrives any more, and no connection ends.
    pub fn stall(&self) {
        self.state.store(STALLS, SeqCst);
    }

    /// What was held back on connections that are still there arrives.
    pub fn goes_on(&self) {
        self.state.store(PASSES, SeqCst);
    }

    /// All connections end.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// New connections are to this server.
    pub fn leads_to(&self, server: &str) {
        self.server.send_replace(server.to_owned());
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Arc<AtomicU8>,
    mut cut: watch::Receiver<u32>,
) {
    cut.mark_unchanged();
    let copy = async {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            while state.load(SeqCst) == STALLS {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if to.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = copy => {}
        _ = cut.changed() => {}
    }
}
