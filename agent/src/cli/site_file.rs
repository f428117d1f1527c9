//! Reading a site file and the profiles beside it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use weighbridge_config::{Checked, Diagnostic, Faults, Profile, ProfileLibrary, Site, render};

/// Profiles beside the site file override and extend the shipped ones.
const PROFILE_FOLDER: &str = "profiles";

/// A site file on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct SiteFile {
    /// The site file (TOML)
    #[arg(value_name = "SITE.TOML")]
    path: PathBuf,
    /// Folder with device profiles of your own [default: `profiles` beside the site file, if it is there]
    #[arg(long, value_name = "FOLDER")]
    profiles: Option<PathBuf>,
}

/// A site file, read.
pub(super) struct Loaded {
    pub(super) site: Site,
    pub(super) warnings: Vec<Diagnostic>,
    /// Folder to which paths in the file are relative.
    pub(super) folder: PathBuf,
    text: String,
}

/// Why there is no site.
pub(super) enum NotLoaded {
    /// The file, or a profile, has faults; with the text that they point into.
    Faults { faults: Faults, text: String },
    /// Nothing could be read.
    Failed(anyhow::Error),
}

impl SiteFile {
    /// Reads and validates.
    pub(super) fn load(&self) -> Result<Loaded, NotLoaded> {
        let name = self.name();
        let text = read(&self.path).map_err(NotLoaded::Failed)?;
        let library = self.library()?;
        match Site::parse(&name, &text, &library) {
            Ok(Checked { site, warnings }) => Ok(Loaded { site, warnings, folder: self.folder(), text }),
            Err(faults) => Err(NotLoaded::Faults { faults, text }),
        }
    }

    /// Reads, and shows what is wrong; `None` when the faults have been shown.
    pub(super) fn load_or_complain(&self) -> anyhow::Result<Option<Loaded>> {
        match self.load() {
            Ok(loaded) => {
                loaded.show_warnings();
                Ok(Some(loaded))
            }
            Err(NotLoaded::Faults { faults, text }) => {
                show(&faults.0, &text);
                Ok(None)
            }
            Err(NotLoaded::Failed(why)) => Err(why),
        }
    }

    /// The file's name, for messages.
    pub(super) fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn folder(&self) -> PathBuf {
        self.path.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
    }

    fn library(&self) -> Result<ProfileLibrary, NotLoaded> {
        let beside = self.folder().join(PROFILE_FOLDER);
        match &self.profiles {
            Some(folder) => library_with(folder),
            None if beside.is_dir() => library_with(&beside),
            None => Ok(ProfileLibrary::shipped()),
        }
    }
}

impl Loaded {
    pub(super) fn show_warnings(&self) {
        show(&self.warnings, &self.text);
    }
}

/// The shipped profiles and all of a folder, which may have folders of its own.
pub(super) fn library_with(folder: &Path) -> Result<ProfileLibrary, NotLoaded> {
    let mut library = ProfileLibrary::shipped();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let cannot = || format!("cannot read the profile folder {}", folder.display());
        let entries = std::fs::read_dir(&folder).with_context(cannot).map_err(NotLoaded::Failed)?;
        for entry in entries {
            let path = entry.with_context(cannot).map_err(NotLoaded::Failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                library.add(profile(&path)?);
            }
        }
    }
    Ok(library)
}

/// One profile file.
pub(super) fn profile(path: &Path) -> Result<Profile, NotLoaded> {
    let text = read(path).map_err(NotLoaded::Failed)?;
    Profile::parse(&path.display().to_string(), &text).map_err(|faults| NotLoaded::Faults { faults, text })
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Diagnostics for people, to stderr.
pub(super) fn show(diagnostics: &[Diagnostic], text: &str) {
    let color = std::io::stderr().is_terminal();
    for diagnostic in diagnostics {
        eprintln!("{}\n", render(diagnostic, text, color));
    }
}
