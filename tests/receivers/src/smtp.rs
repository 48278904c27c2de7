//! An SMTP server that does as it is told.

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

use crate::Certificate;
use crate::Stream;
use crate::hang;
use crate::prepared;

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Takes everything.
    Polite,
    /// Does not greet.
    HangsBeforeGreeting,
    /// Greets with a refusal.
    RefusesToGreet,
    /// Greets with a line that does not end.
    GreetsWithoutEnd,
    /// Hangs up in the middle of the message.
    CutsOffInMessage,
    /// Says for now no to the recipient.
    IsBusy,
    /// Refuses the recipient, and repeats all it was told.
    RefusesRecipient,
    /// Refuses the login, and repeats all it was told.
    RefusesLogin,
    /// Takes the message, and does not say goodbye.
    HangsAfterMessage,
}

/// A message that it took.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// `MAIL FROM`
    pub from: String,
    /// `RCPT TO`
    pub to: Vec<String>,
    /// The message with its headers.
    pub data: String,
    /// What was said to log in, as it was said.
    pub login: String,
    /// Whether the connection was encrypted.
    pub is_encrypted: bool,
}

struct State {
    manners: Manners,
    mails: Vec<Mail>,
}

/// The server. It ends with the process.
pub struct SmtpReceiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for SmtpReceiver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SmtpReceiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl SmtpReceiver {
    /// Starts one without TLS.
    pub fn start(manners: Manners) -> Self {
        Self::listen(manners, None, false)
    }

    /// Starts one that wants `STARTTLS`.
    pub fn start_with_starttls(manners: Manners, certificate: &Certificate) -> Self {
        Self::listen(manners, Some(certificate.clone()), false)
    }

    /// Starts one with TLS from the first byte on.
    pub fn start_with_tls(manners: Manners, certificate: &Certificate) -> Self {
        Self::listen(manners, Some(certificate.clone()), true)
    }

    fn listen(manners: Manners, certificate: Option<Certificate>, is_implicit: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { manners, mails: Vec::new() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, certificate) = (Arc::clone(&shared), certificate.clone());
                std::thread::spawn(move || {
                    // A client that hangs up is none of our business.
                    let _ = serve(prepared(stream), certificate.as_ref(), is_implicit, &state);
                });
            }
        });
        SmtpReceiver { address, state }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it took so far.
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap().mails.clone()
    }

    /// Changes its manners.
    pub fn behaves_now(&self, manners: Manners) {
        self.state.lock().unwrap().manners = manners;
    }
}

fn serve(
    stream: TcpStream,
    certificate: Option<&Certificate>,
    is_implicit: bool,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let manners = state.lock().unwrap().manners;
    match manners {
        Manners::HangsBeforeGreeting => {
            hang();
            return Ok(());
        }
        Manners::GreetsWithoutEnd => loop {
            (&stream).write_all(&[b'2'; 16 * 1024])?;
        },
        Manners::RefusesToGreet => return (&stream).write_all(b"554 no service here\r\n"),
        _ => {}
    }
    match certificate {
        Some(certificate) if is_implicit => {
            let mut stream = certificate.wrap(stream);
            stream.write_all(b"220 test ESMTP\r\n")?;
            Talk { stream, manners, mail: Mail { is_encrypted: true, ..Mail::default() }, offers: "" }.go_on(state)?;
        }
        Some(certificate) => {
            let plain = stream.try_clone()?;
            (&plain).write_all(b"220 test ESMTP\r\n")?;
            let mut talk = Talk { stream: Box::new(plain), manners, mail: Mail::default(), offers: "250-STARTTLS\r\n" };
            if talk.go_on(state)? {
                let mail = Mail { is_encrypted: true, ..Mail::default() };
                Talk { stream: certificate.wrap(stream), manners, mail, offers: "" }.go_on(state)?;
            }
        }
        None => {
            (&stream).write_all(b"220 test ESMTP\r\n")?;
            Talk { stream: Box::new(stream), manners, mail: Mail::default(), offers: "" }.go_on(state)?;
        }
    }
    Ok(())
}

/// A conversation with one client.
struct Talk {
    stream: Box<dyn Stream>,
    manners: Manners,
    mail: Mail,
    /// What is offered besides logging in.
    offers: &'static str,
}

impl Talk {
    /// Talks until the client hangs up. `true`: it wants TLS, and the next byte is that of a handshake.
    fn go_on(&mut self, state: &Mutex<State>) -> std::io::Result<bool> {
        while let Some(line) = self.line()? {
            let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match command.as_str() {
                "EHLO" => {
                    let offers = self.offers;
                    self.say(&format!("250-test\r\n{offers}250-8BITMIME\r\n250 AUTH PLAIN LOGIN"))?;
                }
                "STARTTLS" => {
                    self.say("220 go on")?;
                    return Ok(true);
                }
                "AUTH" if self.manners == Manners::RefusesLogin => {
                    self.say(&format!("535 no such user or password: {line}"))?;
                }
                "AUTH" => {
                    self.mail.login = line;
                    self.say("235 welcome")?;
                }
                "MAIL" => {
                    self.mail.from = line;
                    self.say("250 ok")?;
                }
                "RCPT" => match self.manners {
                    Manners::RefusesRecipient => self.say(&format!("550 nobody here: {line}"))?,
                    Manners::IsBusy => self.say("451 try again later")?,
                    _ => {
                        self.mail.to.push(line);
                        self.say("250 ok")?;
                    }
                },
                "DATA" => {
                    self.say("354 go on")?;
                    if self.manners == Manners::CutsOffInMessage {
                        return Ok(false);
                    }
                    self.take_message(state)?;
                }
                "QUIT" if self.manners == Manners::HangsAfterMessage => hang(),
                "QUIT" => {
                    self.say("221 bye")?;
                    return Ok(false);
                }
                _ => self.say("250 ok")?,
            }
        }
        Ok(false)
    }

    fn take_message(&mut self, state: &Mutex<State>) -> std::io::Result<()> {
        let mut data = String::new();
        while let Some(line) = self.line()? {
            if line == "." {
                break;
            }
            // A line that begins with a full stop was given a second one.
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push('\n');
        }
        let taken = Mail { data, ..self.mail.clone() };
        state.lock().unwrap().mails.push(taken);
        self.say("250 taken")
    }

    /// Byte by byte, so that nothing of a handshake is read.
    fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.stream.read(&mut byte)? == 1 {
            if byte[0] == b'\n' {
                let text = String::from_utf8_lossy(&line);
                return Ok(Some(text.trim_end_matches('\r').to_owned()));
            }
            line.push(byte[0]);
        }
        Ok(None)
    }

    fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(format!("{text}\r\n").as_bytes())?;
        self.stream.flush()
    }
}
