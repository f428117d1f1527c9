//! The page in a browser: it shows what the demo measures, and complains of nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use weighbridge_tests::{Bench, Browser, Port, Program, until, until_within};

#[test]
fn the_page_shows_values_batches_and_footprint() {
    let bench = Bench::new();
    let port = Port::claim();
    let url = format!("http://{}/", port.address());
    // At forty times real time a batch is over within half a minute.
    let arguments =
        ["demo", "--seed", "3", "--speed", "40", "--faults", "none", "--listen", &port.address().to_string()];
    let mut demo = Program::start(bench.command(&arguments));
    until("the demo's page", || {
        assert_eq!(demo.ended(), None);
        std::net::TcpStream::connect(port.address()).ok()
    });
    let mut browser = Browser::open(&url);

    shows(&mut browser, "live", "a live value with its unit", r"smt-incomer[\s\S]*\d+\.\d+\s*kWh");
    shows(&mut browser, "batches", "a batch of either area", r"L\d{6}-[FB]");
    // E of a model beside its expanded uncertainty.
    shows(&mut browser, "footprint", "a footprint with uncertainty", r"(DTZ-A|DDZ-B)[\s\S]*±\s*\d");
    shows(&mut browser, "overview", "the readings that are stored", r"\d");
    let complaints = browser.complaints();
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
}

/// Goes to a view by its link and waits until its text matches.
fn shows(browser: &mut Browser, view: &str, what: &str, pattern: &str) {
    browser.evaluate(&format!("location.hash = '{view}'"));
    let matches = format!("/{pattern}/.test(document.body.innerText)");
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until_within(Duration::from_secs(90), what, || (browser.evaluate(&matches) == true).then_some(()));
    }));
    if let Err(why) = found {
        eprintln!("the view `{view}` shows\n{}", browser.text());
        std::panic::resume_unwind(why);
    }
}
