use std::time::{Duration, Instant};

/// How long a condition may take before a test gives up: generous, since machines that test are busy.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// Looks again and again until `probe` gives something.
///
/// # Panics
/// After [`LIMIT`], naming what was waited for.
#[track_caller]
pub fn until<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    until_within(LIMIT, what, probe)
}

/// [`until`] with a limit of its own.
///
/// # Panics
/// After the limit, naming what was waited for.
#[track_caller]
pub fn until_within<T>(limit: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited {} s in vain for {what}", limit.as_secs());
        std::thread::sleep(GLANCE);
    }
}
