//! What strangers write into names, files and replies stays text: no script runs, no request leaves.

use std::fs;

use super::{Visit, at, send, settled};
use crate::support::{Browser, Multipart};

const SCRIPTS: &str = "<script>window.hacked = 1</script><img src=x onerror=\"window.hacked = 2\">";

#[tokio::test]
async fn hostile_names_files_and_replies_stay_text() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let (server, page) = (&visit.server, &visit.page);
    let reply = format!(
        "{SCRIPTS}\n\n# {SCRIPTS}\n\n[a link](javascript:window.hacked=3) [another](https://evil.example/)\n\n\
         ![picture](https://evil.example/a.png)\n\n<iframe src=\"https://evil.example/\"></iframe>\n\n\
         ```{SCRIPTS}\n{SCRIPTS}\n```\n\n| {SCRIPTS} |\n|---|\n| <svg onload=\"window.hacked=4\"> |\n"
    );
    send(page, &format!("{SCRIPTS}\nsay:\n{reply}")).await;
    settled(page).await;
    page.shows(".assistant .body", "<script>window.hacked")
        .await;
    let chat = page.eval("location.pathname.slice(3)").await;
    let chat = chat.as_str().expect("a chat");
    for name in [
        "\"><script>window.hacked = 5<-script>.txt",
        "<img src=x onerror=window.hacked=6>.html",
    ] {
        let form: Multipart =
            visit
                .user
                .upload_to(chat, "true")
                .file("files", &name.replace('"', "%22"), SCRIPTS);
        server.upload(form).await.has_status(200);
    }
    let rename = [("user_id", visit.user.id.as_str()), ("name", SCRIPTS)];
    server
        .patch(&format!("/chat/{chat}"))
        .form(&rename)
        .send()
        .await
        .has_status(200);
    page.shows(".title", "<script>window.hacked").await;
    page.press("Files").await;
    page.until("document.querySelectorAll('.files .file').length === 2")
        .await;
    page.click(".files .file").await;
    page.until("document.querySelector('.file-editor')?.value.includes('<script>')")
        .await;
    page.screenshot("hostile").await;
    page.key("k", 2).await;
    page.until("document.querySelector('.result')").await;
    page.types("hacked").await;
    page.until("document.querySelector('.result mark')").await;
    // Nothing of it became an element.
    let elements = "document.querySelectorAll('.messages script, .messages img, .messages iframe, .messages svg[onload], \
                    [onerror], [onload], a[href^=\"javascript\" i]').length";
    assert_eq!(page.eval(elements).await, 0);
    assert_eq!(page.eval("window.hacked ?? 0").await, 0);
    let link = page
        .eval("document.querySelector('.assistant .body a').rel")
        .await;
    assert_eq!(link, "noopener noreferrer");
    page.is_clean(server.address());
    // And if something did: the page's policy lets no text become markup elsewhere, and nothing be written into it.
    let refused = "(() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } })()";
    assert_eq!(page.eval(refused).await, true);
    let page = browser
        .open(&at(server.address(), &format!("/c/{chat}")))
        .await;
    page.shows(".title", "<script>window.hacked").await;
    assert_eq!(page.eval("window.hacked ?? 0").await, 0);
    page.is_clean(server.address());
}

/// The sources say it, too: markup is made in one place.
#[test]
fn markup_is_made_in_one_place() {
    let folder = crate::support::repository().join("static/app");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".js") || name == "markdown.js" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a text");
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "createPolicy",
            "eval(",
            "new Function",
        ] {
            assert!(!text.contains(word), "{name} has {word}");
        }
    }
}
