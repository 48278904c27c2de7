//! Receivers on loopback for tests: real sockets that answer well, badly, slowly or not at all.
//!
//! Each runs on threads of its own, on a port that the system chooses, and remembers what it was sent.

#![expect(clippy::unwrap_used, reason = "only tests use this crate, and a test that cannot go on must fail")]

mod http;
mod smtp;
mod tls;

pub use http::Answer;
pub use http::HttpReceiver;
pub use http::Request;
pub use smtp::Mail;
pub use smtp::Manners;
pub use smtp::SmtpReceiver;
pub use tls::Certificate;

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

/// A socket, perhaps with TLS around it.
pub(crate) trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// Longer than any client waits. The process ends before.
const FOREVER: Duration = Duration::from_secs(600);

/// Says nothing, and does not hang up.
pub(crate) fn hang() {
    std::thread::sleep(FOREVER);
}

/// A test must not wait for a client that never speaks.
pub(crate) fn prepared(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}
