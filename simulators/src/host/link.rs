//! A symbolic link that gives a pseudo-terminal a lasting name.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(super) struct PortLink {
    path: PathBuf,
    target: PathBuf,
}

impl PortLink {
    pub(super) fn create(path: &Path, target: &Path) -> io::Result<PortLink> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if path.is_symlink() {
            std::fs::remove_file(path)?;
        }
        std::os::unix::fs::symlink(target, path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot link {} to a pseudo-terminal: {error}", path.display()),
            )
        })?;
        Ok(PortLink { path: path.to_path_buf(), target: target.to_path_buf() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Leaves the place alone if another link has taken it.
impl Drop for PortLink {
    fn drop(&mut self) {
        if std::fs::read_link(&self.path).is_ok_and(|target| target == self.target) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
