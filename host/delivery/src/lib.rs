//! Who hears of it: brings worded messages to their channels.
//!
//! The crate knows nothing of policies, of SQL or of migrations. It is given a [`Notice`] and the [`Channels`] of a project,
//! and it promises:
//!
//! - an attempt ends: connecting, the whole exchange and all attempts together are limited in time, and of an answer only
//!   so much is read as is needed to say what went wrong;
//! - what came of an attempt is one of three things ([`Attempt`]), and never an error that stops something else;
//! - addresses, tokens and passwords are in no text that it gives back, whatever a receiver answers.
//!
//! Nothing of HTTP, SMTP or TLS is initialised before there is something to send.

mod attempt;
mod backoff;
mod channel;
mod clip;
mod courier;
mod email;
mod file;
mod http;
mod limited;
mod mask;
mod notice;
mod secret;
mod slack;
mod spool;
mod webhook;

pub use attempt::Attempt;
pub use channel::Channel;
pub use channel::Channels;
pub use channel::WrongSetting;
pub use clip::clipped;
pub use courier::Courier;
pub use courier::Fate;
pub use courier::Letter;
pub use courier::Settled;
pub use email::EmailSettings;
pub use email::Encryption;
pub use notice::Field;
pub use notice::Notice;
pub use notice::Occasion;
pub use notice::Severity;
pub use notice::Wording;
pub use secret::Secret;
pub use spool::Spool;
pub use spool::Spooled;
pub use spool::Taken;
pub use webhook::SIGNATURE_HEADER;
pub use webhook::signature;
