//! The API: JSON for the page, the command line and other programs.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use super::Shared;
use crate::aggregate::batch::BatchCommand;
use crate::aggregate::{CommandError, Request};
use crate::board::Board;
use crate::clock::parse_iso8601;

/// How often a page that is open hears news.
const NEWS_PERIOD: Duration = Duration::from_secs(1);
/// In every how many-th of these periods batches are told, if they have changed: they are much to read.
const BATCH_ROUNDS: u64 = 3;
/// The longest trend that is read from the store at once.
const LONGEST_TREND_MINUTES: u32 = 7 * 24 * 60;

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/status", get(async |State(shared): State<Shared>| Json(shared.board.status())))
        .route("/live", get(async |State(shared): State<Shared>| Json(shared.board.live())))
        .route("/batches", get(async |State(shared): State<Shared>| Json(shared.board.batches().to_vec())))
        .route("/footprint", get(footprint))
        .route("/trend", get(trend))
        .route("/events", get(events))
        .route("/batches/open", post(open))
        .route("/batches/close", post(close))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "no such call"))
}

async fn footprint(State(shared): State<Shared>) -> Response {
    let board = shared.board;
    match tokio::task::spawn_blocking(move || board.footprint()).await {
        Ok(Ok(footprint)) => Json(footprint).into_response(),
        Ok(Err(why)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &why.to_string()),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the footprint could not be computed"),
    }
}

#[derive(Deserialize)]
struct TrendQuery {
    device: String,
    channel: String,
    #[serde(default = "an_hour")]
    minutes: u32,
}

const fn an_hour() -> u32 {
    60
}

async fn trend(State(shared): State<Shared>, Query(query): Query<TrendQuery>) -> Response {
    let minutes = query.minutes.clamp(1, LONGEST_TREND_MINUTES);
    let found =
        tokio::task::spawn_blocking(move || shared.board.trend(&query.device, &query.channel, minutes)).await;
    match found {
        Ok(Some(trend)) => Json(trend).into_response(),
        _ => refusal(StatusCode::NOT_FOUND, "the site has no such device and channel"),
    }
}

/// Server-sent events: status and live values every second, batches every third when they have changed.
async fn events(State(shared): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut batches = shared.board.batches.clone();
    batches.mark_changed();
    // Status counts as the sign of life, so each round begins with it.
    let news = stream::unfold((shared.board, batches, 0_u64), async |(board, mut batches, turn)| {
        let (round, part) = (turn / 3, turn % 3);
        let batches_are_due = round.is_multiple_of(BATCH_ROUNDS) && batches.has_changed().unwrap_or(false);
        let event = match part {
            0 => event("status", &board.status()),
            1 => event("live", &board.live()),
            _ if batches_are_due => event("batches", &**batches.borrow_and_update()),
            _ => Event::default().comment("no change"),
        };
        if part == 2 {
            tokio::time::sleep(NEWS_PERIOD).await;
        }
        Some((Ok(event), (board, batches, turn + 1)))
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}

fn event(name: &str, value: &impl serde::Serialize) -> Event {
    Event::default()
        .event(name)
        .json_data(value)
        .unwrap_or_else(|why| Event::default().comment(why.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenBatch {
    batch: String,
    model: String,
    sections: Vec<String>,
    at: Option<String>,
    author: Option<String>,
}

async fn open(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let command = |open: OpenBatch, board: &Board| {
        let at_utc_us = instant(open.at.as_deref(), board)?;
        let OpenBatch { batch, model, sections, author, .. } = open;
        Ok((BatchCommand::Open { batch, model, sections, at_utc_us }, author))
    };
    carry_out(&shared, &headers, &body, command).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CloseBatch {
    batch: String,
    at: Option<String>,
    good: u64,
    rejected: u64,
    author: Option<String>,
}

async fn close(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let command = |close: CloseBatch, board: &Board| {
        let at_utc_us = instant(close.at.as_deref(), board)?;
        let CloseBatch { batch, good, rejected, author, .. } = close;
        Ok((BatchCommand::Close { batch, at_utc_us, good, rejected }, author))
    };
    carry_out(&shared, &headers, &body, command).await
}

/// The instant that a command states, or now; in whole milliseconds, as documents write it.
fn instant(at: Option<&str>, board: &Board) -> Result<i64, String> {
    let utc_us = at.map_or_else(|| Ok(board.clock.now_utc_us()), parse_iso8601)?;
    Ok(utc_us - utc_us.rem_euclid(1_000))
}

async fn carry_out<T: for<'a> Deserialize<'a>>(
    shared: &Shared,
    headers: &HeaderMap,
    body: &str,
    command: impl Fn(T, &Board) -> Result<(BatchCommand, Option<String>), String>,
) -> Response {
    if !may_command(headers, &shared.token) {
        return refusal(
            StatusCode::UNAUTHORIZED,
            "this needs the command token that lies in the buffer's folder",
        );
    }
    let parsed =
        serde_json::from_str(body).map_err(|why| format!("the body is not what this call takes: {why}"));
    let (command, author) = match parsed.and_then(|stated| command(stated, &shared.board)) {
        Ok(command) => command,
        Err(why) => return refusal(StatusCode::BAD_REQUEST, &why),
    };
    let (answer, answered) = oneshot::channel();
    let request = Request { command, author: author.unwrap_or_else(|| "http".to_owned()), answer };
    let gone = || refusal(StatusCode::SERVICE_UNAVAILABLE, "the agent is stopping");
    if shared.commands.send(request).await.is_err() {
        return gone();
    }
    match answered.await {
        Ok(Ok(())) => Json(json!({ "done": true })).into_response(),
        Ok(Err(why @ CommandError::Refused(_))) => refusal(StatusCode::CONFLICT, &why.to_string()),
        Ok(Err(why)) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &why.to_string()),
        Err(_) => gone(),
    }
}

/// Compared without an early end, so the time tells nothing about the token.
fn may_command(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|given| given.to_str().ok()?.strip_prefix("Bearer "));
    given.is_some_and(|given| {
        given.len() == token.len()
            && given.bytes().zip(token.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
    })
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
