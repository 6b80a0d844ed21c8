//! A conversation of 10,000 messages: only what is near the visible part is in the page, and nothing jumps.

use super::{at, log_in};
use crate::support::{Browser, Page, Server, login};

const LONG: &str = include_str!("long.sql");

/// The most messages that are in the page at a time.
const MOST: u64 = 60;

async fn count(page: &Page) -> u64 {
    let count = page
        .eval("document.querySelectorAll('.message').length")
        .await;
    count.as_u64().expect("a number")
}

/// Scrolls by so many pixels at a time, as a wheel does, and looks after each frame how far a visible message has moved
/// otherwise. The largest such jump, in pixels, and the most messages that were in the page.
const SCROLL: &str = "async (step, steps) => { \
    const scroller = document.querySelector('.scroller'); \
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done))); \
    let [worst, most] = [0, 0]; \
    for (let at = 0; at < steps; at += 1) { \
      const middle = scroller.getBoundingClientRect().top + scroller.clientHeight / 2; \
      const seen = [...document.querySelectorAll('.message')].find((e) => e.getBoundingClientRect().bottom > middle); \
      const before = seen.getBoundingClientRect().top; const from = scroller.scrollTop; \
      scroller.scrollTop += step; const moved = scroller.scrollTop - from; \
      await frame(); await frame(); \
      if (seen.isConnected && moved !== 0) worst = Math.max(worst, Math.abs(seen.getBoundingClientRect().top - before + moved)); \
      most = Math.max(most, document.querySelectorAll('.message').length); \
    } \
    return [worst, most]; }";

#[tokio::test]
async fn ten_thousand_messages_are_read_from_the_end_to_the_beginning() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    login(&server, "long@example.com").await;
    server.change(LONG).await;
    let page = browser.open(&at(server.address(), "/c/long")).await;
    log_in(&page, "long@example.com").await;
    page.shows(".messages", "Message 10000.").await;
    assert!(count(&page).await < MOST, "{} messages", count(&page).await);
    let result = page.eval(&format!("({SCROLL})(-400, 60)")).await;
    let (worst, most) = (result[0].as_f64(), result[1].as_u64());
    assert!(worst < Some(2.0), "a message jumped by {worst:?} pixels");
    assert!(most < Some(MOST), "{most:?} messages were in the page");
    // To the very beginning, a page of messages after the other.
    let to_the_beginning = "(async () => { const scroller = document.querySelector('.scroller'); let most = 0; \
         while (!document.querySelector('[data-message=m-1]')) { \
           scroller.scrollTop = 0; most = Math.max(most, document.querySelectorAll('.message').length); \
           await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); } \
         return most })()";
    let started = std::time::Instant::now();
    let most = page.eval(to_the_beginning).await;
    assert!(
        most.as_u64() < Some(MOST),
        "{most} messages were in the page"
    );
    eprintln!(
        "10,000 messages were scrolled through in {:?}",
        started.elapsed()
    );
    page.shows(".messages", "Message 1.").await;
    page.screenshot("long").await;
    let result = page.eval(&format!("({SCROLL})(700, 60)")).await;
    let (worst, most) = (result[0].as_f64(), result[1].as_u64());
    assert!(worst < Some(2.0), "a message jumped by {worst:?} pixels");
    assert!(most < Some(MOST), "{most:?} messages were in the page");
    page.press("To the end").await;
    page.shows(".messages", "Message 10000.").await;
    assert!(count(&page).await < MOST);
    page.is_clean(server.address());
}
