//! Text to a valid, immutable description of a site and its devices.
//!
//! The caller hands over names and texts; nothing here reads a file, an environment variable or a clock.
//! Every fault of a text is found in one go and carries a code, a place and, where one can be given, a hint.
//!
//! ```
//! use weighbridge_config::{ProfileLibrary, Site, render};
//!
//! let text = r#"
//! [site]
//! name = "factory-1"
//! timezone = "Asia/Shanghai"
//!
//! [[link]]
//! name = "trunk"
//! serial = { port = "/dev/ttyUSB0", baud = 9600 }
//!
//! [[device]]
//! name = "dip-meter"
//! link = "trunk"
//! profile = "acrel/adw300"
//! address = 11
//! poll = { energy = "60 s", power = "5 s" }
//! "#;
//! let checked = Site::parse("site.toml", text, &ProfileLibrary::shipped())?;
//! assert_eq!(checked.site.devices[0].channels.len(), 6);
//!
//! let broken = text.replace("acrel", "acre");
//! let faults = Site::parse("site.toml", &broken, &ProfileLibrary::shipped()).unwrap_err();
//! assert!(render(&faults.0[0], &broken, false).contains("did you mean `acrel/adw300`?"));
//! # Ok::<(), weighbridge_config::Faults>(())
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::float_cmp))]

/// A site as one gateway sees it: the types.
pub mod site;

/// What a model of device offers: the types.
pub mod profile;

/// Units that channels carry.
pub mod unit;

/// The profiles that a site file can name.
mod library;

/// What the polls of a site ask of its wires.
mod line_budget;

/// Site files: TOML to a site.
mod site_file;

/// Profile files: TOML to a profile.
mod profile_file;

/// Quantities as people write them.
mod quantity;

/// The walk through a TOML document that finds every fault at once.
mod raw;

/// What a finding is, and how it is shown.
mod diagnostic;

/// The table of codes of findings.
mod code;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Faults, render};
pub use library::{ProfileLibrary, SHIPPED_PROFILES};
pub use line_budget::{
    CROWDED_UTILISATION, ChannelBudget, DeviceBudget, LinkBudget, TYPICAL_TURN_ROUND_MS, line_budget,
};
pub use profile::Profile;
pub use site::Site;
pub use site_file::{
    Checked, DEFAULT_BUFFER_PATH, DEFAULT_GATEWAY, DEFAULT_LISTEN, DEFAULT_POLL_INTERVAL_MS, ELECTRICITY,
};
pub use unit::Unit;
