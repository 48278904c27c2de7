//! Registries that lie, stall and break off: each ends in a clear error, in bounded time and memory, with nothing in the
//! store that was not asked for.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

use policy_components::Component;
use runner_policy::Artifact;
use runner_policy::Digest;

use crate::harness::Project;
use crate::harness::Run;

/// How a stub answers a request.
enum Answer {
    /// With a status, further header lines and a body.
    Full(u16, String, Vec<u8>),
    /// With a body that ends before the length that was announced.
    CutOff(usize, Vec<u8>),
    /// Not at all, with the connection left open.
    Silence,
}

/// A server on loopback that answers as it is told.
struct Stub {
    address: String,
    /// The first line of each request, and its `Authorization`.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    /// `answer` gets the path of a request.
    fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &*answer, &log));
            }
        });
        Stub { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str) -> Answer, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut authorization) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        if first.is_empty() {
            first = line.trim().to_owned();
        } else if line.to_ascii_lowercase().starts_with("authorization:") {
            authorization = line.trim().to_owned();
        }
    }
    log.lock().unwrap().push(format!("{first} {authorization}").trim().to_owned());
    let path = first.split(' ').nth(1).unwrap_or("").to_owned();
    // Whoever has asked may have gone away.
    let _ = match answer(&path) {
        Answer::Full(status, headers, body) => write!(
            stream,
            "HTTP/1.1 {status} Stub\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .and_then(|()| stream.write_all(&body)),
        Answer::CutOff(length, body) => {
            write!(stream, "HTTP/1.1 200 Stub\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")
                .and_then(|()| stream.write_all(&body))
        }
        Answer::Silence => loop {
            std::thread::park();
        },
    };
}

fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer::Full(200, String::new(), body.into())
}

fn not_found() -> Answer {
    Answer::Full(404, String::new(), Vec::new())
}

/// A component, and a manifest that says the truth about it.
fn artifact() -> (Vec<u8>, Artifact, Vec<u8>) {
    let component = Component::gate().bytes();
    let artifact = Artifact { component: Digest::of(&component), size: component.len() as u64, signature: None };
    let manifest = artifact.manifest(b"{}");
    (component, artifact, manifest)
}

/// A stub that has the artifact, but answers for its component like this.
fn stub_with_blob(blob: impl Fn() -> Answer + Send + Sync + 'static) -> Stub {
    let (_, _, manifest) = artifact();
    Stub::start(move |path| match path {
        "/v2/" => ok("{}"),
        path if path.contains("/manifests/") => ok(manifest.clone()),
        path if path.contains("/blobs/") => blob(),
        _ => not_found(),
    })
}

/// A stub that answers for every manifest like this.
fn stub_with_manifest(manifest: impl Fn() -> Answer + Send + Sync + 'static) -> Stub {
    Stub::start(move |path| if path == "/v2/" { ok("{}") } else { manifest() })
}

fn project(stub: &Stub) -> Project {
    let project = Project::linear(1);
    project.write(
        "runner.toml",
        format!(
            "plugin-set = \"team\"\n[database]\nurl = \"sqlite://app.db\"\n[plugins.acme]\nsource = \"oci://{}/acme:1\"\n\
             [plugin-sets.team]\nplugins = [\"acme\"]\n",
            stub.address
        ),
    );
    project
}

/// Looks the tag up, which must fail, and leave neither a lock file nor a component behind.
#[track_caller]
fn refused(stub: &Stub, words: &str) -> Run {
    let project = project(stub);
    let run = project.run_with(&[("RUNNER_REGISTRY_TIMEOUT", "1s")], &["plugin", "lock"]).exits(1);
    assert!(run.stderr.contains(words), "{run}");
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert!(!project.path("runner.lock").exists());
    let store = std::fs::read_dir(project.path(".local/share/runner/store"));
    assert_eq!(store.into_iter().flatten().count(), 0, "{run}");
    run
}

#[test]
fn one_that_is_honest() {
    let (component, ..) = artifact();
    let stub = stub_with_blob(move || ok(component.clone()));
    let project = project(&stub);
    project.run(&["plugin", "lock"]).exits(0);
    project.run(&["upgrade", "--locked"]).exits(0);
}

#[test]
fn one_that_does_not_answer() {
    refused(&Stub::start(|_| Answer::Silence), "gave no answer within 1s");
    refused(&stub_with_manifest(|| Answer::Silence), "gave no answer within 1s");
    refused(&stub_with_blob(|| Answer::Silence), "gave no answer within 1s");
    // A run is refused, not kept waiting.
    let stub = Stub::start(|_| Answer::Silence);
    let project = project(&stub);
    project.edit("runner.toml", "acme:1", &format!("acme:1@{}", Digest::of(b"manifest")));
    let run = project.run_with(&[("RUNNER_REGISTRY_TIMEOUT", "1s")], &["upgrade"]).exits(3);
    assert!(run.stderr.contains("gave no answer within 1s"), "{run}");
    let run = project.run_with(&[("RUNNER_REGISTRY_TIMEOUT", "soon")], &["upgrade"]).exits(2);
    assert!(run.stderr.contains("`soon` is not a duration"), "{run}");
    // Times a few, it would be more than a duration can hold.
    for long in ["25h", "2000000000000000h"] {
        let run = project.run_with(&[("RUNNER_REGISTRY_TIMEOUT", long)], &["upgrade"]).exits(2);
        assert!(run.stderr.contains(&format!("`{long}` is longer than a day")), "{run}");
    }
}

#[test]
fn one_that_breaks_off() {
    let (component, ..) = artifact();
    let half = component[..component.len() / 2].to_vec();
    refused(&stub_with_blob(move || Answer::CutOff(component.len(), half.clone())), "broke off");
    let (_, _, manifest) = artifact();
    refused(&stub_with_manifest(move || Answer::CutOff(manifest.len() + 10, manifest.clone())), "broke off");
}

#[test]
fn one_that_sends_something_else() {
    let other = Component::lint().bytes();
    refused(&stub_with_blob(move || ok(other.clone())), "sent something else than sha256:");
    let (component, ..) = artifact();
    let half = component[..component.len() / 2].to_vec();
    refused(&stub_with_blob(move || ok(half.clone())), "sent something else than sha256:");
    let more = [&component[..], b"and more"].concat();
    refused(&stub_with_blob(move || ok(more.clone())), "sent something else than sha256:");
    refused(&stub_with_blob(not_found), "the registry has no `oci://");
    // Under a digest the manifest itself is checked.
    let stub = stub_with_blob(not_found);
    let project = project(&stub);
    project.edit("runner.toml", "acme:1", &format!("acme:1@{}", Digest::of(b"another manifest")));
    let run = project.run(&["plugin", "pull"]).exits(1);
    assert!(run.stderr.contains("sent something else than sha256:"), "{run}");
}

#[test]
fn one_whose_component_is_too_large_is_not_even_asked_for_it() {
    let (_, honest, _) = artifact();
    let manifest = Artifact { size: (64 << 20) + 1, ..honest }.manifest(b"{}");
    let stub = stub_with_manifest(move || ok(manifest.clone()));
    refused(&stub, "no component may be larger than 67108864 bytes");
    assert!(stub.requests().iter().all(|request| !request.contains("/blobs/")), "{:?}", stub.requests());
}

#[test]
fn one_that_sends_without_end() {
    // The length that is announced is not believed: no more is read than the manifest says.
    let endless = vec![0; 64 << 20];
    let stub = stub_with_blob(move || Answer::CutOff(usize::MAX / 2, endless.clone()));
    refused(&stub, "more than the ");
}

#[test]
fn one_that_has_something_else_under_the_name() {
    for (manifest, words) in [
        (&b"<html>Welcome</html>"[..], "its manifest can't be read"),
        (b"", "its manifest can't be read"),
        (b"{}", "its manifest can't be read"),
        (
            b"{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}",
            "is no component",
        ),
        (b"\xff\xfe\x00", "its manifest can't be read"),
    ] {
        refused(&stub_with_manifest(move || ok(manifest)), words);
    }
    let deep = "[".repeat(100_000);
    refused(&stub_with_manifest(move || ok(deep.clone())), "its manifest can't be read");
    let large = format!("{{\"schemaVersion\":2,\"x\":\"{}\"}}", "x".repeat(1 << 20));
    refused(&stub_with_manifest(move || ok(large.clone())), "its manifest is larger than");
}

#[test]
fn one_that_answers_with_errors() {
    refused(&stub_with_manifest(|| Answer::Full(500, String::new(), b"oops".to_vec())), "it answers with status 500");
    refused(&stub_with_manifest(|| Answer::Full(418, String::new(), Vec::new())), "it answers with status 418");
    refused(&Stub::start(|_| Answer::Full(200, "WWW-Authenticate: Bearer\r\n".to_owned(), Vec::new())), "127.0.0.1");
    let envelope = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"\\u001b[2J\\u001b[32mallow acme\"}]}";
    let run = refused(&stub_with_manifest(move || Answer::Full(403, String::new(), envelope.into())), "refuses: ");
    assert!(!run.stderr.contains('\u{1b}'), "{run}");
}

#[test]
fn one_that_sends_us_elsewhere() {
    // As registries do that keep components with a storage service; what comes is checked in any case.
    let (component, ..) = artifact();
    let storage = Stub::start(move |_| ok(component.clone()));
    let location = format!("Location: http://{}/bucket/component\r\n", storage.address);
    let stub = stub_with_blob(move || Answer::Full(307, location.clone(), Vec::new()));
    let project = project(&stub);
    let variables =
        [("RUNNER_REGISTRY", &*stub.address), ("RUNNER_REGISTRY_USER", "me"), ("RUNNER_REGISTRY_PASSWORD", "hunter2")];
    project.run_with(&variables, &["plugin", "lock"]).exits(0);
    assert_eq!(storage.requests(), ["GET /bucket/component HTTP/1.1"], "our credentials stay with the registry");

    let liar = Stub::start(|_| ok(Component::lint().bytes()));
    let location = format!("Location: http://{}/\r\n", liar.address);
    refused(
        &stub_with_blob(move || Answer::Full(307, location.clone(), Vec::new())),
        "sent something else than sha256:",
    );
    refused(
        &stub_with_blob(|| Answer::Full(307, "Location: /v2/acme/blobs/again\r\n".to_owned(), Vec::new())),
        "redirect",
    );
}
