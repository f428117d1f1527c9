//! ARCHITECTURE.md, "Rules that tests keep". Each rule is held against the repository, and proven able to fail against sources
//! that break it.

#![allow(clippy::unwrap_used, reason = "tests")]

use weighbridge_tests::architecture::{
    Breach, CRATES, Manifest, Rule, SECTIONS_OF_DEPENDENCIES, Source, files, read, sources, unbounded_queues,
};

const RULES: &[Rule] = &[
    Rule {
        sentence: "protocol and engine know no clock, file, socket, runtime or logger: time and text are arguments",
        binds: |file| file.starts_with("protocol/src/") || file.starts_with("engine/src/"),
        forbidden: &[
            "std::fs",
            "std::net",
            "std::env",
            "std::io",
            "std::process",
            "std::thread",
            "std::os",
            "std::time",
            "core::time",
            "Instant",
            "SystemTime",
            "File",
            "tokio",
            "futures",
            "async",
            "await",
            "tracing",
            "log",
            "chrono",
            "rustix",
            "libc",
            "print",
            "println",
            "eprint",
            "eprintln",
            "dbg",
        ],
        allowed: &[],
        bad: &[
            "fn f() { std::fs::read(path); }",
            "use std::{collections::HashMap, net::TcpStream};",
            "fn f(at: Instant) {}",
            "async fn f() { tokio::time::sleep(d).await }",
            "fn f() { tracing::info!(x); }",
            "fn f() { println!(\"{x}\"); }",
        ],
        good: &[
            "// std::fs\nuse std::collections::HashMap;",
            "fn f() { let text = \"std::fs\"; }",
            "fn f(now_utc_us: i64) {}",
        ],
    },
    Rule {
        sentence: "config reads no file and no environment variable: the caller hands it (name, text)",
        binds: |file| file.starts_with("config/src/"),
        forbidden: &[
            "std::fs",
            "std::env",
            "std::io",
            "std::process",
            "std::thread",
            "File",
            "read_dir",
            "read_to_string",
            "exists",
            "canonicalize",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "ToSocketAddrs",
            "tokio",
            "tracing",
            "Instant",
            "SystemTime",
            "Utc::now",
            "Local::now",
            "option_env",
            "println",
            "eprintln",
        ],
        allowed: &[],
        bad: &[
            "use std::fs;",
            "fn f() { std::env::var(\"HOME\"); }",
            "fn f(path: &Path) { if path.exists() {} }",
            "use std::net::{IpAddr, TcpStream};",
        ],
        good: &[
            "use std::net::{IpAddr, SocketAddr};",
            "const TEXT: &str = include_str!(\"../profiles/a.toml\");",
        ],
    },
    Rule {
        sentence: "simulators know neither agent nor engine nor `config::site`: a simulated device is told its profile, not the site",
        binds: |file| file.starts_with("simulators/src/"),
        forbidden: &["weighbridge", "weighbridge_engine", "weighbridge_config"],
        allowed: &[
            "weighbridge_config::profile",
            "weighbridge_config::Profile",
            "weighbridge_config::unit",
            "weighbridge_config::Unit",
        ],
        bad: &[
            "use weighbridge_config::site::Device;",
            "use weighbridge_config::{Site, profile::Profile};",
            "use weighbridge::clock::Clock;",
            "fn f() { weighbridge_engine::footprint::run() }",
        ],
        good: &[
            "use weighbridge_config::profile::{ChannelKind, RatioUse};",
            "use weighbridge_config::unit::Unit;",
        ],
    },
    Rule {
        // `spawn_blocking` is not among them: what it starts is awaited where it stands.
        sentence: "only `agent/src/daemon.rs` spawns tasks and threads",
        binds: |file| {
            file.starts_with("agent/src/") && file != "agent/src/daemon.rs"
                || file.starts_with("simulators/src/")
        },
        forbidden: &[
            "spawn",
            "spawn_local",
            "spawn_on",
            "spawn_scoped",
            "thread::scope",
            "thread::Builder",
            "JoinSet",
            "process::Command",
        ],
        allowed: &[],
        bad: &[
            "fn f() { tokio::spawn(async {}); }",
            "use tokio::task::spawn;",
            "fn f() { std::thread::Builder::new(); }",
            "fn f() { tasks.spawn(task); }",
            "fn f() { std::process::Command::new(\"sh\"); }",
        ],
        good: &["async fn f() { tokio::task::spawn_blocking(read).await; }"],
    },
    Rule {
        sentence: "only `agent/src/clock.rs` reads time",
        binds: |file| file.starts_with("agent/src/") && file != "agent/src/clock.rs",
        forbidden: &[
            "Instant::now",
            "SystemTime::now",
            "Utc::now",
            "Local::now",
            "now_utc",
            "elapsed",
            "UNIX_EPOCH",
        ],
        allowed: &[],
        bad: &[
            "fn f() { let begun = Instant::now(); }",
            "fn f() { std::time::SystemTime::now(); }",
            "fn f() { chrono::Utc::now(); }",
            "fn f() { begun.elapsed(); }",
            "fn f() { moments.map(tokio::time::Instant::now); }",
        ],
        good: &[
            "fn f(clock: &Clock) { clock.now_utc_us(); }",
            "fn f(at: Instant) { tokio::time::sleep_until(at); }",
        ],
    },
    Rule {
        sentence: "only `agent/src/publish/mqtt.rs` knows rumqttc",
        binds: |file| file.starts_with("agent/src/") && file != "agent/src/publish/mqtt.rs",
        forbidden: &["rumqttc"],
        allowed: &[],
        bad: &["use rumqttc::AsyncClient;", "fn f(options: rumqttc::MqttOptions) {}"],
        good: &["use rumqttd::Broker;", "/// Not rumqttc.\nfn f() {}"],
    },
    Rule {
        sentence: "only `agent/src/buffer/engine.rs` knows sled",
        binds: |file| file.starts_with("agent/src/") && file != "agent/src/buffer/engine.rs",
        forbidden: &["sled"],
        allowed: &[],
        bad: &["use sled::Db;", "fn f() -> sled::Result<()> {}"],
        good: &["const FOLDER: &str = \"sled\";"],
    },
    Rule {
        sentence: "only `agent/src/link/` knows tokio-serial and tokio-modbus",
        binds: |file| file.starts_with("agent/src/") && !file.starts_with("agent/src/link/"),
        forbidden: &["tokio_serial", "tokio_modbus", "serialport"],
        allowed: &[],
        bad: &["use tokio_serial::SerialStream;", "use tokio_modbus::{Slave, client};"],
        good: &["use weighbridge_protocol::modbus::UnitId;"],
    },
    Rule {
        sentence: "only `agent/src/handover.rs` knows the engine",
        binds: |file| file.starts_with("agent/src/") && file != "agent/src/handover.rs",
        forbidden: &["weighbridge_engine"],
        allowed: &[],
        bad: &["use weighbridge_engine::Estimate;"],
        good: &["use crate::buffer::EngineError;"],
    },
    Rule {
        sentence: "the simulators are known to what only the feature `demo` builds",
        binds: |file| {
            let demo = ["agent/src/simulation/", "agent/src/cli/demo.rs", "agent/src/cli/simulate.rs"];
            file.starts_with("agent/src/") && !demo.iter().any(|demo| file.starts_with(demo))
        },
        forbidden: &["weighbridge_simulators", "rumqttd"],
        allowed: &[],
        bad: &["use weighbridge_simulators::Plant;"],
        good: &["use crate::clock::Clock;"],
    },
];

/// What each crate may depend on of ours, tests of its own included.
const ARROWS: [(&str, &[&str]); 6] = [
    ("protocol", &[]),
    ("config", &["weighbridge-protocol"]),
    ("engine", &[]),
    (
        "agent",
        &["weighbridge-config", "weighbridge-engine", "weighbridge-protocol", "weighbridge-simulators"],
    ),
    ("simulators", &["weighbridge-config", "weighbridge-protocol"]),
    (
        "tests",
        &[
            "weighbridge",
            "weighbridge-config",
            "weighbridge-engine",
            "weighbridge-protocol",
            "weighbridge-simulators",
        ],
    ),
];

/// All that the pure crates are built from. Whoever adds one sees to it that it brings no clock, file, socket, runtime or logger.
const INGREDIENTS: [(&str, &[&str]); 3] = [
    ("protocol", &["crc", "thiserror"]),
    ("engine", &["serde", "thiserror"]),
    (
        "config",
        &[
            "annotate-snippets",
            "chrono",
            "chrono-tz",
            "serde",
            "strsim",
            "thiserror",
            "toml",
            "weighbridge-protocol",
        ],
    ),
];

#[test]
fn sources_keep_the_rules() {
    let sources: Vec<_> = CRATES.iter().flat_map(|folder| sources(folder)).collect();
    for rule in RULES {
        let bound: Vec<_> = sources.iter().filter(|(file, _)| (rule.binds)(file)).collect();
        assert!(!bound.is_empty(), "no file is bound by: {}", rule.sentence);
        let breaches: Vec<_> = bound.iter().flat_map(|(file, source)| rule.breaches(file, source)).collect();
        assert!(breaches.is_empty(), "ARCHITECTURE.md: {}, but\n{}", rule.sentence, lines(&breaches));
    }
}

#[test]
fn every_rule_can_fail() {
    for rule in RULES {
        let breaches = |text: &str| rule.breaches("case.rs", &Source::parse(text).unwrap());
        for bad in rule.bad {
            assert!(!breaches(bad).is_empty(), "{} does not see: {bad}", rule.sentence);
        }
        for good in rule.good {
            assert_eq!(breaches(good), [], "{} must not mind: {good}", rule.sentence);
        }
    }
}

#[test]
fn those_who_know_a_library_exist() {
    // A rule about a file that was moved would hold for ever.
    for (file, library) in [
        ("agent/src/publish/mqtt.rs", "rumqttc"),
        ("agent/src/buffer/engine.rs", "sled"),
        ("agent/src/link/serial.rs", "tokio_serial"),
        ("agent/src/link/tcp.rs", "tokio_modbus"),
        ("agent/src/handover.rs", "weighbridge_engine"),
        ("agent/src/daemon.rs", "spawn"),
        ("agent/src/clock.rs", "now"),
    ] {
        let source = Source::parse(&read(file)).unwrap();
        let knows = source.paths.iter().any(|path| path.segments.iter().any(|segment| segment == library));
        assert!(knows, "{file} does not know {library}: is the rule about it out of date?");
    }
}

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    for (folder, allowed) in ARROWS {
        let manifest = manifest(folder);
        let depends = SECTIONS_OF_DEPENDENCIES.iter().flat_map(|section| manifest.dependencies(section));
        for dependency in depends.filter(|name| name.starts_with("weighbridge")) {
            assert!(allowed.contains(&&*dependency), "{folder} must not depend on {dependency}");
        }
    }
    assert!(
        manifest("agent").is_optional("weighbridge-simulators"),
        "the daemon builds without the simulators"
    );
}

#[test]
fn pure_crates_are_built_from_pure_ones() {
    for (folder, allowed) in INGREDIENTS {
        let manifest = manifest(folder);
        for dependency in
            ["dependencies", "build-dependencies"].iter().flat_map(|section| manifest.dependencies(section))
        {
            assert!(
                allowed.contains(&&*dependency),
                "{folder} is built from {dependency}; is that pure? Then list it here"
            );
        }
    }
}

#[test]
fn manifests_are_read_as_cargo_does() {
    let manifest = Manifest::parse(
        "[dependencies]\na = \"1\"\nb = { package = \"weighbridge\", path = \"x\", optional = true }\n\
         [target.'cfg(unix)'.dependencies]\nc = { version = \"1\" }\n[dev-dependencies.d]\nversion = \"2\"\n",
    )
    .unwrap();
    let mut found = manifest.dependencies("dependencies");
    found.sort();
    assert_eq!(found, ["a", "c", "weighbridge"], "renamed and per-target ones too");
    assert_eq!(manifest.dependencies("dev-dependencies"), ["d"]);
    assert!(manifest.is_optional("b") && !manifest.is_optional("a"));
}

#[test]
fn every_queue_is_bounded_by_a_constant_that_says_why() {
    for folder in CRATES {
        let breaches = unbounded_queues(&sources(folder));
        assert!(breaches.is_empty(), "{folder}:\n{}", lines(&breaches));
    }
}

#[test]
fn the_queue_rule_can_fail() {
    const EXPLAINED: &str =
        "/// A second's worth. When it is full the giver waits.\npub const ROOM: usize = 8;";
    let check = |text: &str, expected: usize| {
        let crate_of_two = [
            ("a.rs".to_owned(), Source::parse(EXPLAINED).unwrap()),
            ("b.rs".to_owned(), Source::parse(text).unwrap()),
        ];
        assert_eq!(unbounded_queues(&crate_of_two).len(), expected, "{text}");
    };
    check("fn f() { let (a, b) = mpsc::channel(ROOM); }", 0);
    check("fn f() { let (a, b) = tokio::sync::mpsc::channel::<Vec<u8>>(super::ROOM); }", 0);
    check("fn f() { watch::channel(0); oneshot::channel(); }", 0);
    check("fn f() { builder.capacity(ROOM); queue.capacity(); }", 0);
    check("fn f() { let (a, b) = mpsc::channel(8); }", 1);
    check("fn f() { let (a, b) = std::sync::mpsc::channel(); }", 1);
    check("fn f() { let (a, b) = mpsc::unbounded_channel(); }", 1);
    check("use tokio::sync::mpsc::channel;", 1);
    check("/// Many.\nconst MANY: usize = 9; fn f() { broadcast::channel(MANY); }", 1);
    check("fn f() { builder.capacity(32); }", 1);
}

#[test]
fn unsafe_is_forbidden_everywhere() {
    let workspace = Manifest::parse(&read("Cargo.toml")).unwrap();
    assert_eq!(workspace.text(&["workspace", "lints", "rust", "unsafe_code"]).as_deref(), Some("forbid"));
    for folder in CRATES {
        let inherits = manifest(folder).text(&["lints", "workspace"]);
        assert_eq!(inherits.as_deref(), Some("true"), "{folder} does not take the workspace's lints");
        for file in files(folder, &[".rs"]) {
            let source = Source::parse(&read(&file)).unwrap_or_else(|why| panic!("{file}: {why}"));
            let found = source.paths.iter().find(|path| path.segments == ["unsafe"]);
            assert!(found.is_none(), "{file}:{} is unsafe", found.map_or(0, |found| found.line));
        }
    }
    let bad = Source::parse("fn f() { unsafe { *p } }").unwrap();
    assert!(bad.paths.iter().any(|path| path.segments == ["unsafe"]), "the check can fail");
}

#[test]
fn no_file_names_a_folder_of_somebodys_machine() {
    // Written in parts, so that this file does not name them either.
    let homes = [["/ho", "me/"], ["/ro", "ot/"], ["/wo", "rk/"], ["/Us", "ers/"], ["C:", "\\"]]
        .map(|parts| parts.concat());
    let endings =
        [".rs", ".toml", ".md", ".py", ".js", ".html", ".css", ".json", ".yml", "run", "install-peers"];
    let found: Vec<String> = files("", &endings)
        .into_iter()
        .filter(|file| !file.ends_with("Cargo.lock"))
        .filter(|file| homes.iter().any(|home| names(&read(file), home)))
        .collect();
    assert!(found.is_empty(), "absolute paths of one machine in {found:?}");
    assert!(
        names("path = \"/ho\u{6d}e/x\"", &homes[0]) && !names("at /api/ho\u{6d}e/x", &homes[0]),
        "the check can fail"
    );
}

#[test]
fn lib_rs_is_a_table_of_contents() {
    for folder in CRATES {
        let file = format!("{folder}/src/lib.rs");
        let source = Source::parse(&read(&file)).unwrap();
        assert!(!source.modules.is_empty(), "{file} lists no modules");
        for module in &source.modules {
            let sentence = &module.documentation;
            assert!(
                sentence.ends_with('.'),
                "{file}:{}: mod {} has no sentence of documentation",
                module.line,
                module.name
            );
        }
    }
}

#[test]
fn modules_stand_in_the_order_of_one_readings_way() {
    let way = ["link", "reading", "buffer", "publish", "aggregate", "handover", "board", "web"];
    let source = Source::parse(&read("agent/src/lib.rs")).unwrap();
    let order: Vec<&str> =
        source.modules.iter().map(|module| &*module.name).filter(|module| way.contains(module)).collect();
    assert_eq!(order, way);
}

fn manifest(folder: &str) -> Manifest {
    Manifest::parse(&read(&format!("{folder}/Cargo.toml")))
        .unwrap_or_else(|why| panic!("{folder}/Cargo.toml: {why}"))
}

/// Whether a text names a folder as an absolute path, not as the end of a longer one such as that of a URL.
fn names(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || "-_.~*".contains(before))
    })
}

fn lines(breaches: &[Breach]) -> String {
    breaches.iter().map(|breach| format!("  {breach}\n")).collect()
}
