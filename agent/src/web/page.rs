//! The page's files, inside the binary: a shop floor has no internet.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "src/web/page"]
struct Files;

/// The file at a path; the page itself at `/`.
pub(super) async fn serve(uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match Files::get(path) {
        Some(file) => {
            let kind = file.metadata.mimetype().to_owned();
            ([(CONTENT_TYPE, kind)], Body::from(file.data.into_owned())).into_response()
        }
        None => (StatusCode::NOT_FOUND, "no such page; the start is at /\n").into_response(),
    }
}
