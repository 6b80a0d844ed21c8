//! How large and how fast the page is, and whether its memory grows. The sizes always count; times count where
//! `KAFKA_FIGURES` is in the environment, because they say something only on a machine that does nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Visit, at, send, settled};
use crate::support::{Browser, Page, Server};

/// The most bytes of the first load, as they are sent.
const MOST_BYTES: u64 = 220_000;

fn counts(what: &str, millis: f64, most: f64) {
    eprintln!("{what}: {millis:.1} ms, at most {most} ms are wanted");
    let is_measured = std::env::var_os("KAFKA_FIGURES").is_some();
    assert!(!is_measured || millis < most, "{what}: {millis:.1} ms");
}

/// Loads the page without a cache; the milliseconds until something was painted, the best of five times.
async fn first_paint(page: &Page, url: &str) -> f64 {
    let paint = "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))\
                 .observe({ type: 'paint', buffered: true }))";
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        page.go_to(url).await;
        page.until("document.querySelector('.welcome')").await;
        let at = page.eval(paint).await.as_f64().expect("milliseconds");
        best = best.min(at);
    }
    best
}

#[tokio::test]
async fn the_first_load_is_small_and_soon_visible() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let url = at(server.address(), "/");
    let page = browser.open(&url).await;
    page.until("document.activeElement?.id === 'email'").await;
    let loaded = page.events("Network.loadingFinished");
    let bytes: u64 = loaded
        .iter()
        .filter_map(|it| it["encodedDataLength"].as_f64())
        .map(|it| it as u64)
        .sum();
    let wasm = "performance.getEntriesByType('resource').find((e) => e.name.endsWith('.wasm')).encodedBodySize";
    let module = page.eval(wasm).await;
    eprintln!(
        "the first load: {bytes} bytes, {} requests; the module: {module} bytes",
        loaded.len()
    );
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
    page.ask("Network.setCacheDisabled", json!({ "cacheDisabled": true }))
        .await;
    counts(
        "first paint on loopback",
        first_paint(&page, &url).await,
        300.0,
    );
    let slow = json!({ "offline": false, "latency": 60, "downloadThroughput": 1_125_000, "uploadThroughput": 1_125_000 });
    page.ask("Network.emulateNetworkConditions", slow).await;
    page.ask("Emulation.setCPUThrottlingRate", json!({ "rate": 4 }))
        .await;
    counts(
        "first paint at 9 Mbit/s, 60 ms, a slow processor",
        first_paint(&page, &url).await,
        600.0,
    );
}

#[tokio::test]
async fn a_long_reply_grows_quickly() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    page.until("document.activeElement?.id === 'email'").await;
    // The view of the page itself, with 50 KB of Markdown, to which words are added.
    let grow = "(async () => { \
        const folder = new URL('.', document.querySelector('script[type=module]').src); \
        const { MarkdownView } = await import(new URL('markdown.js', folder)); \
        const { text } = await import(new URL('text.js', folder)); \
        while (!text()) await new Promise((done) => setTimeout(done)); \
        const place = document.createElement('div'); document.body.append(place); \
        const view = new MarkdownView(place); \
        let all = Array.from({ length: 500 }, (_, n) => `Paragraph ${n}, with **words** and \\`code\\`, of about a hundred characters, as replies have them.`).join('\\n\\n'); \
        view.show(all, false); const times = []; \
        for (let n = 0; n < 200; n += 1) { all += n % 20 ? ' word' : '\\n\\nAnother'; const start = performance.now(); view.show(all, false); \
          place.getBoundingClientRect(); times.push(performance.now() - start); } \
        place.remove(); return times.sort((a, b) => a - b)[100]; })()";
    let median = page.eval(grow).await.as_f64().expect("milliseconds");
    counts("an update at 50 KB of reply", median, 4.0);
}

/// The bytes of the page's heap after a collection.
async fn heap(page: &Page) -> u64 {
    page.ask("HeapProfiler.collectGarbage", json!({})).await;
    let usage: Value = page.ask("Runtime.getHeapUsage", json!({})).await;
    usage["usedSize"].as_f64().expect("bytes") as u64
}

/// `KAFKA_PAGE_MINUTES` (1): one reply after the other, and the heap every ten seconds.
#[tokio::test]
#[ignore = "takes minutes, and is for a look at the figures"]
async fn memory_stays_while_replies_are_streamed() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let minutes = std::env::var("KAFKA_PAGE_MINUTES").ok();
    let minutes = minutes.and_then(|it| it.parse().ok()).unwrap_or(1.0);
    let visit = Visit::start(&browser, &["fake-words-200-rate-50"]).await;
    let page = &visit.page;
    send(page, "go on").await;
    settled(page).await;
    let first = heap(page).await;
    let (start, mut looked, mut replies, mut last) = (Instant::now(), Instant::now(), 1, first);
    while start.elapsed() < Duration::from_secs_f64(60.0 * minutes) {
        page.eval("document.querySelector('.prompt').focus()").await;
        send(page, "go on").await;
        replies += 1;
        page.until(&format!(
            "document.querySelector('.messages > :last-child')?.matches('.assistant:not(.is-running)') && \
             !document.querySelector('.waiting') && document.querySelectorAll('.message').length >= {}",
            (2 * replies).min(4)
        ))
        .await;
        if looked.elapsed() > Duration::from_secs(10) {
            looked = Instant::now();
            last = heap(page).await;
            eprintln!(
                "{:>5} s: {replies} replies, {} KB",
                start.elapsed().as_secs(),
                last / 1000
            );
        }
    }
    eprintln!(
        "the heap: {} KB at first, {} KB at last",
        first / 1000,
        last / 1000
    );
    assert!(last < first + 10_000_000, "{first} and then {last} bytes");
}
