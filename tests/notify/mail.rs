//! Mail servers, polite and not, and receivers with TLS.

use std::time::Instant;

use test_receivers::Answer;
use test_receivers::Certificate;
use test_receivers::HttpReceiver;
use test_receivers::Manners;
use test_receivers::SmtpReceiver;

use crate::harness::Project;

use super::BOUND;
use super::SECRET;
use super::TELL_ALL;
use super::says_no_secret;
use super::waiting;

fn mail(project: &Project, server: &SmtpReceiver, more: &str) {
    project.configure(&format!(
        "[notifications]\ntime = \"2s\"\n[channels.mail]\nkind = \"email\"\nhost = \"127.0.0.1\"\nport = {}\nfrom = \"runner <runner@sEcReT.example>\"\nto = [\"${{TO:-ops@sEcReT.example}}\"]\n{more}{TELL_ALL}",
        server.port()
    ));
}

#[test]
fn a_mail_server_gets_a_text_that_nothing_was_smuggled_into() {
    let server = SmtpReceiver::start(Manners::Polite);
    let project = Project::linear(1);
    mail(&project, &server, "tls = \"none\"\nusername = \"sEcReTuser\"\npassword = \"${MAIL_PASSWORD}\"\n");
    project.edit(
        "runner.toml",
        "rules = [{}]",
        "rules = [{ title = \"Done by {actor}\", text = \"{revisions}\\n.\\nQUIT\\nü\" }]",
    );
    let variables = [
        ("MAIL_PASSWORD", "sEcReTpassword"),
        ("RUNNER_ACTOR", "ann\r\nBcc: evil@example.com"),
        ("TO", "a@example.org, b@example.org"),
    ];
    let run = project.run_with(&variables, &["upgrade"]).exits(0);
    says_no_secret(&run);
    assert_eq!(run.stderr, "");
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["RCPT TO:<a@example.org>", "RCPT TO:<b@example.org>"]);
    assert!(mails[0].login.starts_with("AUTH PLAIN "), "{}", mails[0].login);
    let (head, body) = mails[0].data.split_once("\n\n").unwrap();
    assert!(head.contains("Subject: Done by ann") && head.contains("Auto-Submitted: auto-generated"), "{head}");
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{head}");
    assert!(body.contains("QUIT"), "{body}");
    let stored = project.query("SELECT message FROM runner_outbox").join("");
    assert!(!stored.contains(SECRET), "{stored}");
}

#[test]
fn mail_servers_that_misbehave_neither_fail_nor_delay_a_run() {
    for (manners, is_dead) in [
        (Manners::HangsBeforeGreeting, false),
        (Manners::RefusesToGreet, true),
        (Manners::GreetsWithoutEnd, false),
        (Manners::CutsOffInMessage, false),
        (Manners::IsBusy, false),
        (Manners::RefusesRecipient, true),
        (Manners::RefusesLogin, true),
    ] {
        let server = SmtpReceiver::start(manners);
        let project = Project::linear(1);
        mail(&project, &server, "tls = \"none\"\nusername = \"sEcReTuser\"\npassword = \"sEcReTpassword\"\n");
        let begun = Instant::now();
        let run = project.run(&["upgrade"]).exits(0);
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        says_no_secret(&run);
        // Not even as a server writes it back.
        assert!(!run.to_string().contains("c0VjUmVU"), "{run}");
        let messages = waiting(&project);
        assert_eq!((messages.len(), &messages[0]["dead"]), (1, &is_dead.into()), "{manners:?}: {messages:?}");
        let stored = project.query("SELECT last_error FROM runner_outbox").join("");
        assert!(!stored.is_empty() && !stored.contains(SECRET) && !stored.contains("c0VjUmVU"), "{stored}");
        server.behaves_now(Manners::HangsAfterMessage);
        project.run(&["notify", "flush", "--dead"]).exits(0);
        assert_eq!(server.mails().len(), 1, "{manners:?}: a message that was taken is not sent again");
    }
}

#[test]
fn receivers_with_tls() {
    let certificate = Certificate::new();
    let project = Project::linear(1);
    project.write("ca.pem", certificate.pem());
    let trusted = [("SSL_CERT_FILE", project.path("ca.pem"))];
    let trusted: Vec<(&str, &str)> = trusted.iter().map(|(name, path)| (*name, path.to_str().unwrap())).collect();
    let hook = HttpReceiver::start_with_tls([Answer::status(200)], &certificate);
    let starttls = SmtpReceiver::start_with_starttls(Manners::Polite, &certificate);
    let implicit = SmtpReceiver::start_with_tls(Manners::Polite, &certificate);
    let plain = SmtpReceiver::start(Manners::Polite);
    let mail = |name: &str, tls: &str, port: u16| {
        format!(
            "[channels.{name}]\nkind = \"email\"\nhost = \"localhost\"\nport = {port}\ntls = \"{tls}\"\nfrom = \"a@example.org\"\nto = [\"b@example.org\"]\n"
        )
    };
    project.configure(&format!(
        "[channels.hook]\nkind = \"webhook\"\nurl = \"{}\"\n{}{}{}",
        hook.url("/"),
        mail("starttls", "starttls", starttls.port()),
        mail("implicit", "implicit", implicit.port()),
        mail("downgraded", "starttls", plain.port())
    ));
    for channel in ["hook", "starttls", "implicit"] {
        let run = project.run_with(&trusted, &["notify", "test", channel]).exits(0);
        assert!(run.stdout.contains("has the message"), "{run}");
        let run = project.run(&["notify", "test", channel]).exits(1);
        assert!(run.stderr.to_lowercase().contains("certificate"), "a stranger's certificate is not trusted: {run}");
    }
    assert_eq!((hook.requests().len(), starttls.mails().len(), implicit.mails().len()), (1, 1, 1));
    assert!(starttls.mails()[0].is_encrypted && implicit.mails()[0].is_encrypted);
    let run = project.run_with(&trusted, &["notify", "test", "downgraded"]).exits(1);
    assert!(run.stderr.contains("STARTTLS is not supported"), "{run}");
    assert_eq!(plain.mails().len(), 0);
}
