//! The page and the API, on loopback unless the site says otherwise.
//!
//! Looking is free; what changes something needs the bearer token that lies beside the buffer, readable by the agent's user only.

mod api;
mod page;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::map_response;
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::aggregate::Request;
use crate::board::Board;

/// Name of the token's file in the buffer's folder.
const TOKEN_FILE: &str = "command.token";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PRIVATE_CACHE: (HeaderName, HeaderValue) =
    (axum::http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));

/// What handlers share.
#[derive(Clone)]
struct Shared {
    board: Board,
    commands: mpsc::Sender<Request>,
    token: Arc<str>,
}

/// A bound server, to be run.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Binds the address.
    ///
    /// # Errors
    /// When it is taken or not this machine's.
    pub async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}, which the site file names under [http]; is another weighbridge running?")
        })?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves for ever.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(
        self,
        board: Board,
        commands: mpsc::Sender<Request>,
        token: String,
    ) -> std::io::Result<()> {
        let shared = Shared { board, commands, token: token.into() };
        let router = Router::new()
            .nest("/api", api::router())
            .fallback(page::serve)
            .layer(map_response(with_headers))
            .with_state(shared);
        axum::serve(self.listener, router).await
    }
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(PRIVATE_CACHE.0).or_insert(PRIVATE_CACHE.1);
    response
}

/// The token of a buffer; made on first use.
///
/// # Errors
/// When the file cannot be read or written.
pub fn command_token(buffer_folder: &Path) -> anyhow::Result<String> {
    let path = buffer_folder.join(TOKEN_FILE);
    match std::fs::read_to_string(&path) {
        Ok(token) => Ok(token.trim().to_owned()),
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => make_token(&path),
        Err(why) => Err(why).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// The token of a running agent.
///
/// # Errors
/// When there is none, or no right to read it.
pub fn existing_token(buffer_folder: &Path) -> anyhow::Result<String> {
    let path = buffer_folder.join(TOKEN_FILE);
    let token = std::fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}; run this as the agent's user, beside the agent's buffer", path.display())
    })?;
    Ok(token.trim().to_owned())
}

fn make_token(path: &Path) -> anyhow::Result<String> {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut random = [0_u8; 24];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{token}").with_context(|| format!("cannot write {}", path.display()))?;
    Ok(token)
}
