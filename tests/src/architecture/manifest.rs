//! What a crate's Cargo.toml says.

use toml::Table;

/// Where dependencies stand in a manifest; each also below `[target.'...']`.
pub const SECTIONS_OF_DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// A Cargo.toml.
#[derive(Clone, Debug)]
pub struct Manifest(Table);

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// When it is no TOML.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|why: toml::de::Error| why.to_string())
    }

    /// Names of the crates in one section of dependencies, for every target.
    pub fn dependencies(&self, section: &str) -> Vec<String> {
        let targets = self.0.get("target").and_then(|targets| targets.as_table());
        let tables = targets.into_iter().flatten().filter_map(|(_, target)| target.as_table());
        let sections =
            std::iter::once(&self.0).chain(tables).filter_map(|table| table.get(section)?.as_table());
        sections.flat_map(|section| section.iter().map(package)).collect()
    }

    /// Whether a dependency is there only with a feature.
    pub fn is_optional(&self, dependency: &str) -> bool {
        let value = self
            .0
            .get("dependencies")
            .and_then(|section| section.get(dependency)?.get("optional")?.as_bool());
        value.unwrap_or(false)
    }

    /// A value by its path of keys.
    pub fn text(&self, keys: &[&str]) -> Option<String> {
        let mut value = self.0.get(*keys.first()?)?;
        for key in &keys[1..] {
            value = value.get(key)?;
        }
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }
}

/// A dependency may be renamed: what counts is the package.
fn package((name, value): (&String, &toml::Value)) -> String {
    value.get("package").and_then(|package| package.as_str()).unwrap_or(name).to_owned()
}
