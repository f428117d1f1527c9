//! The repository that the tests were built from.

use std::fs;
use std::path::{Path, PathBuf};

use super::source::Source;

/// The crates' folders, in reading order.
pub const CRATES: [&str; 6] = ["protocol", "config", "engine", "agent", "simulators", "tests"];

/// Folders that hold nothing of ours.
const NOT_OURS: [&str; 3] = ["target", ".git", "__pycache__"];

/// A source file that is built into a crate.
pub type SourceFile = (String, Source);

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests' crate is a folder of the repository")
}

/// The text of a file of the repository.
///
/// # Panics
/// When it cannot be read.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("cannot read {path}: {why}"))
}

/// The sources that a crate's library and program are built from, found as the compiler finds them: from `lib.rs` and `main.rs`
/// along `mod`. Modules for tests alone are not among them.
///
/// # Panics
/// When a source cannot be read.
pub fn sources(folder: &str) -> Vec<SourceFile> {
    let mut found = Vec::new();
    for start in ["lib.rs", "main.rs"] {
        let path = PathBuf::from(folder).join("src").join(start);
        if root().join(&path).exists() {
            follow(&path, &mut found);
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Every file of ours below a folder whose name ends with one of these, as paths from the root; `""` is the root.
///
/// # Panics
/// When a folder cannot be read.
pub fn files(folder: &str, endings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|why| panic!("cannot read {}: {why}", folder.display()));
        for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !NOT_OURS.contains(&&*name) {
                folders.push(path);
            } else if path.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(from_root(&path));
            }
        }
    }
    found.sort();
    found
}

fn follow(path: &Path, found: &mut Vec<SourceFile>) {
    let name = path.to_string_lossy().into_owned();
    let source = Source::parse(&read(&name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    let modules = source.modules.clone();
    found.push((name.clone(), source));
    for module in modules {
        let file = [format!("{}.rs", module.name), format!("{}/mod.rs", module.name)]
            .map(|file| folder_of_modules(path).join(file))
            .into_iter()
            .find(|file| root().join(file).exists());
        let file = file.unwrap_or_else(|| panic!("{name}:{}: mod {} has no file", module.line, module.name));
        follow(&file, found);
    }
}

/// `lib.rs`, `main.rs` and `mod.rs` have their modules beside them, others in a folder of their name.
fn folder_of_modules(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    if ["lib", "main", "mod"].iter().any(|name| stem == *name) { folder } else { folder.join(stem) }
}

fn from_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}
