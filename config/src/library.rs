//! The profiles that a site file can name.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::profile::{Profile, SharedProfile};

/// Profiles by name.
#[derive(Clone, Debug, Default)]
pub struct ProfileLibrary {
    profiles: BTreeMap<String, SharedProfile>,
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every profile that comes with Weighbridge, the files of `config/profiles/`.
        pub const SHIPPED_PROFILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../profiles/", $name, ".toml")))),*];
    };
}

shipped![
    "abb/b23",
    "acrel/adl3000",
    "acrel/adw300",
    "bde/bde-2007",
    "chint/dtsu666",
    "dlt645-2007/single-phase",
    "dlt645-2007/three-phase",
    "eastron/sdm120",
    "eastron/sdm630",
    "laumas/tlb",
    "schneider/iem3155",
    "siemens/sitrans-mass6000",
];

impl ProfileLibrary {
    /// A library without profiles.
    pub fn empty() -> Self {
        ProfileLibrary::default()
    }

    /// The library that comes with Weighbridge: every entry of [`SHIPPED_PROFILES`].
    pub fn shipped() -> Self {
        let mut library = ProfileLibrary::empty();
        for (name, text) in SHIPPED_PROFILES {
            library.add(Profile::parse(name, text).expect("a test parses every shipped profile"));
        }
        library
    }

    /// Adds a profile; one of the same name is replaced.
    pub fn add(&mut self, profile: Profile) {
        self.profiles.insert(profile.name.clone(), Arc::new(profile));
    }

    /// The profile of this name.
    pub fn get(&self, name: &str) -> Option<SharedProfile> {
        self.profiles.get(name).cloned()
    }

    /// The names of all profiles, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.profiles.keys().map(String::as_str)
    }
}
