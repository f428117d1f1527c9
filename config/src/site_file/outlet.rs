//! `[mqtt]`, `[http]` and `[buffer]`: where readings go.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::code::Code;
use crate::raw::{Reported, Table, Value};
use crate::site::{Buffer, Http, Mqtt};

/// Where the page listens if the file does not say.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8645);
/// Folder of the buffer if the file does not say.
pub const DEFAULT_BUFFER_PATH: &str = "weighbridge.store";

/// Ports registered for MQTT, in the clear and over TLS.
const MQTT_PORT: u16 = 1883;
const MQTTS_PORT: u16 = 8883;

pub(super) fn read_mqtt(value: &Value<'_>) -> Result<Mqtt, Reported> {
    let table = value.table("[mqtt]", Some(&["broker", "credentials", "ca"]))?;
    let broker = table.required("broker", read_broker);
    let credentials = table.optional("credentials", Value::title);
    let ca = table.optional("ca", |value| {
        let path = value.title()?;
        if broker.as_ref().map_err(|reported| *reported)?.tls {
            return Ok(path);
        }
        let fault = value.fault(Code::PointlessAuthority, "a certificate authority, but no encryption");
        Err(value
            .report
            .error(fault.label("never looked at").hint("write broker = \"mqtts://...\", or leave `ca` out")))
    });
    let (Broker { host, port, tls }, credentials) = (broker?, credentials?);
    if credentials.is_some() && !tls && !is_loopback(&host) {
        warn_of_plain_password(&table, &host);
    }
    Ok(Mqtt { host, port, tls, credentials, ca: ca? })
}

pub(super) fn read_http(top: &Table<'_>) -> Result<Http, Reported> {
    let table = top.optional("http", |value| value.table("[http]", Some(&["listen"])))?;
    let listen = table.map_or(Ok(DEFAULT_LISTEN), |table| table.or("listen", DEFAULT_LISTEN, read_listen));
    Ok(Http { listen: listen? })
}

pub(super) fn read_buffer(top: &Table<'_>) -> Result<Buffer, Reported> {
    let table = top.optional("buffer", |value| value.table("[buffer]", Some(&["path"])))?;
    let default = DEFAULT_BUFFER_PATH.to_owned();
    let path = match table {
        Some(table) => table.or("path", default, Value::title),
        None => Ok(default),
    };
    Ok(Buffer { path: path? })
}

struct Broker {
    host: String,
    port: u16,
    tls: bool,
}

fn read_broker(value: &Value<'_>) -> Result<Broker, Reported> {
    let text = value.text()?;
    parse_broker(text).ok_or_else(|| {
        let fault = value.fault(Code::BadBroker, format!("\"{text}\" is no address of a broker"));
        let hint = "write \"mqtt://host:1883\" or \"mqtts://host:8883\"; user and password stand in the file that `credentials` names";
        value.report.error(fault.label("not of the form mqtt://host:port").hint(hint))
    })
}

fn parse_broker(text: &str) -> Option<Broker> {
    let (scheme, authority) = text.split_once("://")?;
    let (tls, default_port) = match scheme {
        "mqtt" => (false, MQTT_PORT),
        "mqtts" => (true, MQTTS_PORT),
        _ => return None,
    };
    let (host, rest) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            bracketed.split_once(']').filter(|(host, _)| host.parse::<std::net::Ipv6Addr>().is_ok())?
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let named = host.chars().all(|c| c.is_alphanumeric() || "-_.:".contains(c));
    let port = match rest {
        "" => default_port,
        rest => rest.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
    };
    (named && !host.is_empty()).then(|| Broker { host: host.to_owned(), port, tls })
}

fn read_listen(value: &Value<'_>) -> Result<SocketAddr, Reported> {
    let text = value.text()?;
    let listen: SocketAddr = text.parse().map_err(|_| {
        let fault = value.fault(Code::BadListen, format!("\"{text}\" is no address to listen on"));
        value.report.error(fault.label("not of the form address:port").hint("write \"127.0.0.1:8645\""))
    })?;
    if !listen.ip().is_loopback() {
        let fault =
            value.fault(Code::OpenPage, "everyone in the network could use the page, which has no login");
        let hint = "listen on 127.0.0.1 and put a proxy with a login before it";
        value.report.warn(fault.label("not a loopback address").hint(hint));
    }
    Ok(listen)
}

fn warn_of_plain_password(table: &Table<'_>, host: &str) {
    let span = table.get("broker").map_or(table.span.clone(), |value| value.span);
    let fault =
        Code::PlainPassword.at(span, format!("the password crosses the network to {host} in the clear"));
    table.report.warn(fault.label("not encrypted").hint("write broker = \"mqtts://...\""));
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
