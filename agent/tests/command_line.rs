//! The command line as a user meets it.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

fn weighbridge(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    Command::new(env!("CARGO_BIN_EXE_weighbridge")).args(arguments).current_dir(root).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_shipped_site_is_valid_and_its_budget_is_shown() {
    let output = weighbridge(&["check", "examples/meter-factory.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for part in ["meter-factory", "smt-trunk", "% of what the wire can carry", "if dead %", "smt-incomer"] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn faults_are_shown_with_place_and_hint_and_their_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    std::fs::write(&path, "[site]\nname = \"a\"\ntimezone = \"Asia/Shanghai\"\nnmae = 1\n").unwrap();
    let path = path.to_str().unwrap();
    let output = weighbridge(&["check", path]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).is_empty(), "figures only on stdout");
    for part in ["nmae", ":4:", "did you mean"] {
        assert!(stderr(&output).contains(part), "no `{part}` in {}", stderr(&output));
    }
    let output = weighbridge(&["check", path, "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["valid"], false);
    assert_eq!(found["findings"][0]["line"], 4);
}

#[test]
fn what_cannot_be_read_says_why() {
    let output = weighbridge(&["run", "no-such-file.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("error: cannot read no-such-file.toml"), "{}", stderr(&output));
    assert!(stderr(&output).contains("caused by:"), "{}", stderr(&output));
}

#[test]
fn a_wrong_command_line_is_told_apart() {
    assert_eq!(weighbridge(&["weigh"]).status.code(), Some(2));
    assert_eq!(weighbridge(&["run"]).status.code(), Some(2));
}

#[test]
fn profiles_are_listed_and_shown() {
    let all = stdout(&weighbridge(&["profiles"]));
    assert!(all.contains("acrel/adw300") && all.contains("dlt645-2007/three-phase"), "{all}");
    let one = stdout(&weighbridge(&["profiles", "acrel/adw300"]));
    assert!(one.contains("energy_import") && one.contains("source:"), "{one}");
    let none = weighbridge(&["profiles", "acrel/nothing"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn a_command_without_an_agent_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.toml");
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let site = format!(
        "[site]\nname = \"a\"\ntimezone = \"Asia/Shanghai\"\n[http]\nlisten = \"{listen}\"\n\
         [[link]]\nname = \"l\"\nserial = {{ port = \"/dev/null\", baud = 9600 }}\n\
         [[device]]\nname = \"d\"\nlink = \"l\"\nprofile = \"acrel/adw300\"\naddress = 1\n"
    );
    std::fs::write(&path, site).unwrap();
    let output = weighbridge(&["status", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("is `weighbridge run` running?"), "{}", stderr(&output));
}
