//! An HTTP receiver that does as it is told.

use std::collections::VecDeque;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;

use crate::Certificate;
use crate::Stream;
use crate::hang;
use crate::prepared;

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// With a status, headers and a body.
    Status(u16, Vec<(String, String)>, String),
    /// Not at all, without hanging up.
    Hang,
    /// With the beginning of an answer.
    CutOff,
    /// By hanging up.
    HangUp,
    /// With a status and a body without end.
    Endless(u16),
    /// With something else than HTTP.
    Nonsense,
}

impl Answer {
    /// A status and nothing else.
    pub fn status(status: u16) -> Self {
        Answer::Status(status, Vec::new(), String::new())
    }

    /// A status with a header.
    pub fn with_header(status: u16, name: &str, value: &str) -> Self {
        Answer::Status(status, vec![(name.to_owned(), value.to_owned())], String::new())
    }

    /// A status with a body.
    pub fn with_body(status: u16, body: &str) -> Self {
        Answer::Status(status, Vec::new(), body.to_owned())
    }
}

/// What was received.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method and path, as in `POST /hook`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Request {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct State {
    /// The next answers; the last one is given for ever.
    answers: VecDeque<Answer>,
    requests: Vec<Request>,
}

/// The receiver. It ends with the process.
pub struct HttpReceiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    is_tls: bool,
}

impl std::fmt::Debug for HttpReceiver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("HttpReceiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl HttpReceiver {
    /// Starts one that gives these answers, the last one for ever.
    pub fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::listen(answers, None)
    }

    /// The same with TLS.
    pub fn start_with_tls(answers: impl IntoIterator<Item = Answer>, certificate: &Certificate) -> Self {
        Self::listen(answers, Some(certificate.clone()))
    }

    fn listen(answers: impl IntoIterator<Item = Answer>, certificate: Option<Certificate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { answers: answers.into_iter().collect(), requests: Vec::new() }));
        let (shared, is_tls) = (Arc::clone(&state), certificate.is_some());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, certificate) = (Arc::clone(&shared), certificate.clone());
                std::thread::spawn(move || {
                    let stream = prepared(stream);
                    let mut stream: Box<dyn Stream> = match &certificate {
                        Some(certificate) => certificate.wrap(stream),
                        None => Box::new(stream),
                    };
                    // A client that hangs up is none of our business.
                    let _ = serve(&mut stream, &state);
                });
            }
        });
        HttpReceiver { address, state, is_tls }
    }

    /// An address of it.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it was sent so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Changes its mind.
    pub fn answers_now(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().answers = answers.into_iter().collect();
    }
}

fn serve(stream: &mut Box<dyn Stream>, state: &Mutex<State>) -> std::io::Result<()> {
    let request = read(stream)?;
    let answer = {
        let mut state = state.lock().unwrap();
        state.requests.push(request);
        match state.answers.len() {
            0 => Answer::status(200),
            1 => state.answers[0].clone(),
            _ => state.answers.pop_front().unwrap(),
        }
    };
    match answer {
        Answer::Status(status, headers, body) => {
            let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
            )?;
        }
        Answer::Hang => hang(),
        Answer::CutOff => stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le")?,
        Answer::HangUp => {}
        Answer::Endless(status) => {
            write!(stream, "HTTP/1.1 {status} Status\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let chunk = "x".repeat(64 * 1024);
            loop {
                write!(stream, "{:x}\r\n{chunk}\r\n", chunk.len())?;
            }
        }
        Answer::Nonsense => stream.write_all(b"\x00\x01\x02 this is no HTTP\r\n\r\n")?,
    }
    stream.flush()
}

fn read(stream: &mut Box<dyn Stream>) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if line.is_empty() {
        return Err(std::io::Error::other("nothing was asked"));
    }
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Ok(Request { line, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
