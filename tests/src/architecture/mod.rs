//! The rules of ARCHITECTURE.md, as something that can be looked for in manifests and sources.

mod manifest;
mod queue;
mod repository;
mod rule;
mod source;

pub use self::manifest::{Manifest, SECTIONS_OF_DEPENDENCIES};
pub use self::queue::unbounded_queues;
pub use self::repository::{CRATES, SourceFile, files, read, root, sources};
pub use self::rule::{Breach, Rule};
pub use self::source::{Call, Named, PathUse, Source};
