//! Backups as a whole: written, listed, damaged, read and removed.

#![expect(clippy::unwrap_used, reason = "a test may end where it can't go on")]

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Seek as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use age::secrecy::ExposeSecret as _;
use runner_backup::Backup;
use runner_backup::BackupError;
use runner_backup::Column;
use runner_backup::Damage;
use runner_backup::Draft;
use runner_backup::Entry;
use runner_backup::Folder;
use runner_backup::Keys;
use runner_backup::Kind;
use runner_backup::Manifest;
use runner_backup::Member;
use runner_backup::MemberReader;
use runner_backup::MemberWriter;
use runner_backup::Method;
use runner_backup::Part;
use runner_backup::Passphrase;
use runner_backup::Protection;
use runner_backup::RowsDigest;
use runner_backup::SavedAs;
use runner_backup::Scope;
use runner_backup::Table;
use runner_backup::Target;
use runner_backup::VERIFICATION_FILE;
use runner_backup::Verification;

const PUBLIC: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
const SECRET: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
const ROWS: &[u8] = b"1\tAnn\n2\tBob\n";

fn manifest(created: &str) -> Manifest {
    Manifest {
        format: 0,
        name: String::new(),
        created: created.parse().unwrap(),
        tool: "runner 0.1.0".to_owned(),
        scope: Scope::Affected,
        method: Method::Rows,
        reason: "runner upgrade head".to_owned(),
        actor: "ann".to_owned(),
        host: "h".to_owned(),
        target: Target {
            dialect: "postgres".to_owned(),
            product: "PostgreSQL".to_owned(),
            version: "17.2".to_owned(),
            name: "app".to_owned(),
        },
        environment: "production".to_owned(),
        revisions_before: vec!["aaaa".to_owned()],
        revisions_after: None,
        plan_hash: None,
        run: None,
        encryption: runner_backup::Encryption::default(),
        compression: runner_backup::Compression::Zstd,
        consistency: "one snapshot".to_owned(),
        tables: Vec::new(),
        applied: Vec::new(),
        ledger: None,
        members: Vec::new(),
    }
}

fn table(member: &str) -> Table {
    let mut digest = RowsDigest::default();
    ROWS.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| digest.add(line));
    let column = |name: &str, kind: &str| Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        saved_as: SavedAs::Text,
        generated: false,
    };
    Table {
        schema: Some("public".to_owned()),
        name: "patient".to_owned(),
        part: Part::Rows,
        columns: vec![column("id", "bigint"), column("name", "text")],
        key: vec!["id".to_owned()],
        rows: digest.rows(),
        digest: digest.to_string(),
        member: member.to_owned(),
        create: vec!["CREATE TABLE public.patient (id bigint PRIMARY KEY, name text)".to_owned()],
        complete: Vec::new(),
        connect: Vec::new(),
        counters: Vec::new(),
    }
}

fn write(draft: &Draft, label: &str, kind: Kind, content: &[u8]) -> Member {
    let mut writer = draft.member(label, kind).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

/// A backup of two members.
fn make_at(folder: &Folder, name: &str, created: &str, protection: Protection) -> Backup {
    let draft = folder.begin(name, protection).unwrap();
    let rows = write(&draft, "public.patient", Kind::Rows, ROWS);
    write(&draft, "app", Kind::Dump, b"PGDMP");
    draft.finish(Manifest { tables: vec![table(&rows.file)], ..manifest(created) }).unwrap()
}

fn make(folder: &Folder, name: &str, protection: Protection) -> Backup {
    make_at(folder, name, "2026-01-31T12:00:00Z", protection)
}

fn temporary() -> (tempfile::TempDir, Folder) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::new(temporary.path().join("backups"));
    (temporary, folder)
}

fn for_recipient() -> Protection {
    Protection::Recipients(vec![PUBLIC.parse().unwrap()])
}

fn with_passphrase(text: &str) -> Protection {
    Protection::Passphrase(Passphrase::new(text).unwrap())
}

fn identity() -> Keys {
    Keys::none().with_identities(SECRET).unwrap()
}

fn passphrase(text: &str) -> Keys {
    Keys::none().with_passphrase(Passphrase::new(text).unwrap())
}

/// All of a member, or the error of this crate with which reading it ends.
fn read(backup: &Backup, file: &str, keys: &Keys) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    let mut reader = backup.read(file, keys).map_err(|error| error.to_string())?;
    match reader.read_to_end(&mut content) {
        Ok(_) => Ok(content),
        Err(error) => Err(BackupError::of_io(&error).unwrap().to_string()),
    }
}

fn verification() -> Verification {
    Verification {
        format: 0,
        at: "2026-02-01T00:00:00Z".parse().unwrap(),
        how: "restored into an empty database, and compared all rows".to_owned(),
        tool: "runner 0.1.0".to_owned(),
        actor: "ann".to_owned(),
        host: "h".to_owned(),
        sums_sha256: String::new(),
    }
}

fn names(folder: &Folder) -> Vec<String> {
    folder.list().unwrap().iter().map(|entry| entry.name().to_owned()).collect()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_written_is_read() {
    let (_temporary, folder) = temporary();
    for (name, protection, keys, ending) in [
        ("plain", Protection::None, Keys::none(), ""),
        ("recipients", for_recipient(), identity(), ".age"),
        ("passphrase", with_passphrase("correct horse"), passphrase("correct horse"), ".age"),
    ] {
        let made = make(&folder, name, protection);
        let backup = folder.open(name).unwrap();
        assert_eq!(backup.manifest(), made.manifest());
        assert_eq!(backup.sums_sha256(), made.sums_sha256());
        let (rows, dump) = (format!("0001-public.patient.tsv.zst{ending}"), format!("0002-app.dump{ending}"));
        assert_eq!(files(backup.path()), [rows.as_str(), dump.as_str(), "SHA256SUMS", "manifest.json"]);
        assert_eq!(read(&backup, &rows, &keys).unwrap(), ROWS);
        assert_eq!(read(&backup, &dump, &keys).unwrap(), b"PGDMP");
        assert_eq!(backup.manifest().member(&rows).unwrap().plain_bytes, ROWS.len() as u64);
        assert_eq!(backup.check().unwrap(), []);
        assert_eq!(folder.check(name).unwrap(), []);
        assert!(matches!(backup.read("x", &keys), Err(BackupError::NoMember { .. })));
        assert!(matches!(backup.read("../plain/manifest.json", &keys), Err(BackupError::NoMember { .. })));
    }
    let text = fs::read_to_string(folder.path().join("recipients/manifest.json")).unwrap();
    assert!(text.starts_with("{\n  \"format\": 1,\n  \"name\": \"recipients\",\n") && text.ends_with("}\n"), "{text}");
    assert!(text.contains(PUBLIC) && text.contains("\"created\": \"2026-01-31T12:00:00Z\""), "{text}");
    assert!(folder.open("passphrase").unwrap().manifest().encryption.recipients.is_empty());
}

#[test]
fn members_of_many_megabytes_in_several_threads() {
    let (_temporary, folder) = temporary();
    // What zstd can't shrink, so that all layers have much to do; the lengths are those at which chunks of age end.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(3 * 1024 * 1024)
    .collect();
    let draft = folder.begin("large", for_recipient()).unwrap();
    let lengths = [noise.len(), 0, 1, 64 * 1024, 128 * 1024, 128 * 1024 + 1];
    std::thread::scope(|scope| {
        for kind in [Kind::Rows, Kind::Dump] {
            for length in lengths {
                let (draft, noise) = (&draft, &noise);
                scope.spawn(move || write(draft, &length.to_string(), kind, &noise[..length]));
            }
        }
    });
    let backup = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap();
    assert_eq!(backup.manifest().members.len(), 12);
    for member in &backup.manifest().members {
        let length = usize::try_from(member.plain_bytes).unwrap();
        assert!(member.file.contains(&format!("-{length}.")), "{}", member.file);
        assert!(read(&backup, &member.file, &identity()).unwrap() == noise[..length], "{}", member.file);
    }
    assert_eq!(backup.check().unwrap(), []);
}

#[test]
fn writers_and_readers_may_change_threads() {
    fn may<T: Send + 'static>() {}
    may::<MemberWriter>();
    may::<MemberReader>();
    may::<Draft>();
    may::<Backup>();
}

/// Changes a byte of a file, asks, and puts it back. The file is not written anew, which would wait for the disk.
fn changed<T>(path: &Path, at: usize, mask: u8, ask: impl FnOnce() -> T) -> T {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut put = |byte: u8| {
        file.seek(io::SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    let good = fs::read(path).unwrap()[at];
    put(good ^ mask);
    let answer = ask();
    put(good);
    answer
}

#[test]
fn every_flipped_byte_is_found() {
    let (_temporary, folder) = temporary();
    for (name, protection, keys) in [("plain", Protection::None, Keys::none()), ("closed", for_recipient(), identity())]
    {
        let backup = make(&folder, name, protection);
        backup.record_verification(verification()).unwrap();
        assert_eq!(backup.check().unwrap(), []);
        for file in files(backup.path()) {
            let path = backup.path().join(&file);
            let is_member = backup.manifest().member(&file).is_some();
            for at in 0..fs::read(&path).unwrap().len() {
                // 0x20 is another case, and 0x29 makes another white space of a blank.
                for mask in [0x01, 0x20, 0x29, 0xff] {
                    changed(&path, at, mask, || {
                        let damages = backup.check().unwrap();
                        assert!(!damages.is_empty(), "{name}/{file} at {at} with {mask}");
                        let found = folder.open(name);
                        if is_member {
                            assert_eq!(damages, [Damage::Altered { file: file.clone() }]);
                            let error = read(&found.unwrap(), &file, &keys).unwrap_err();
                            assert!(error.ends_with("was changed after it was written"), "{file} at {at}: {error}");
                        } else if file == VERIFICATION_FILE {
                            let error = found.unwrap().verification().unwrap_err();
                            assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
                        } else {
                            assert!(matches!(found, Err(BackupError::Damaged { .. })), "{file} at {at}: {found:?}");
                            assert!(matches!(
                                &folder.list().unwrap()[..],
                                [Entry::Damaged { .. }, ..] | [_, Entry::Damaged { .. }]
                            ));
                        }
                    });
                }
            }
        }
        assert_eq!(backup.check().unwrap(), []);
    }
}

#[test]
fn what_is_cut_off_missing_or_too_much_is_found() {
    let (_temporary, folder) = temporary();
    let backup = make(&folder, "a", for_recipient());
    backup.record_verification(verification()).unwrap();
    for file in files(backup.path()) {
        let path = backup.path().join(&file);
        let content = fs::read(&path).unwrap();
        for length in [0, 1, content.len() / 2, content.len() - 1] {
            fs::write(&path, &content[..length]).unwrap();
            assert!(!backup.check().unwrap().is_empty(), "{file} of {length}");
            if backup.manifest().member(&file).is_some() {
                let error = backup.read(&file, &identity()).unwrap_err();
                let found = length as u64;
                assert!(matches!(&error, BackupError::Length { found: f, .. } if *f == found), "{error}");
            }
        }
        fs::write(&path, [&content[..], b"\n"].concat()).unwrap();
        assert!(!backup.check().unwrap().is_empty(), "{file} grown");
        fs::remove_file(&path).unwrap();
        let damages = backup.check().unwrap();
        assert_eq!(damages.contains(&Damage::Missing { file: file.clone() }), file != VERIFICATION_FILE, "{damages:?}");
        fs::create_dir(&path).unwrap();
        assert!(matches!(&backup.check().unwrap()[..], [Damage::Unreadable { .. }, ..]), "{file}");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, &content).unwrap();
    }
    assert_eq!(backup.check().unwrap(), []);
    fs::write(backup.path().join("notes.txt"), "x").unwrap();
    assert_eq!(backup.check().unwrap(), [Damage::Extra { file: "notes.txt".to_owned() }]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let (_temporary, folder) = temporary();
    let backup = make(&folder, "a", Protection::None);
    fs::write(backup.path().join("0001-public.patient.tsv.zst"), "x").unwrap();
    fs::remove_file(backup.path().join("0002-app.dump")).unwrap();
    fs::write(backup.path().join("manifest.json"), "{").unwrap();
    let texts: Vec<String> = folder.check("a").unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "`manifest.json` was changed after it was written",
            "`0001-public.patient.tsv.zst` was changed after it was written",
            "`0002-app.dump` is missing",
        ]
    );
    let error = folder.open("a").unwrap_err();
    assert_eq!(error.to_string(), "the backup `a` is damaged: `manifest.json` was changed after it was written");
}

/// Writes a manifest that fits `SHA256SUMS`, as somebody would who changes both.
fn rewrite(backup: &Backup, change: impl Fn(String) -> String) {
    use sha2::Digest as _;
    let sha256 = |text: &str| -> String {
        sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let path = backup.path().join("manifest.json");
    let old = fs::read_to_string(&path).unwrap();
    let new = change(old.clone());
    fs::write(path, &new).unwrap();
    let path = backup.path().join("SHA256SUMS");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(&sha256(&old), &sha256(&new))).unwrap();
}

#[test]
fn a_manifest_that_contradicts_the_rest_is_damage() {
    let (_temporary, folder) = temporary();
    for (number, (from, to, expected)) in [
        ("\"name\": \"n0\"", "\"name\": \"other\"", "it is called `other`, and its folder `n0`"),
        ("\"format\": 1", "\"format\": 2", "was made by a newer runner: it has format 2"),
        ("\"format\": 1", "\"format\": 0", "there is no format 0"),
        ("\"scope\": \"affected\"", "\"scope\": \"some\"", "unknown variant `some`"),
        ("\"file\": \"0002-app.dump\"", "\"file\": \"../x\"", "`../x` cannot be the name of a member"),
        (
            "\"file\": \"0002-app.dump\"",
            "\"file\": \"0003-app.dump\"",
            "a member `0003-app.dump` that it does not have",
        ),
        ("\"kind\": \"none\"", "\"kind\": \"passphrase\"", "the backup is encrypted, and the member"),
        ("\"member\": \"0001-", "\"member\": \"0009-", "which is no member"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("n{number}");
        let backup = make(&folder, &name, Protection::None);
        rewrite(&backup, |text| {
            assert!(text.contains(from), "{text}");
            text.replace(from, to)
        });
        let error = folder.open(&name).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint().is_some());
        assert!(!backup.check().unwrap().is_empty());
    }
    // A field that is not known, and files that were replaced together since.
    let backup = make(&folder, "more", Protection::None);
    rewrite(&backup, |text| text.replacen("{\n", "{\n  \"news\": [1],\n", 1));
    assert_eq!(folder.check("more").unwrap(), []);
    assert_eq!(folder.open("more").unwrap().manifest(), backup.manifest());
    assert_eq!(backup.check().unwrap(), [Damage::Altered { file: "SHA256SUMS".to_owned() }]);
}

#[test]
fn a_member_that_its_manifest_is_wrong_about_does_not_end_well() {
    let (_temporary, folder) = temporary();
    make(&folder, "a", Protection::None);
    let backup = folder.open("a").unwrap();
    rewrite(&backup, |text| text.replace("\"plain_bytes\": 12", "\"plain_bytes\": 13"));
    let error = read(&folder.open("a").unwrap(), "0001-public.patient.tsv.zst", &Keys::none()).unwrap_err();
    assert!(error.ends_with("cannot be decoded: 12 bytes come out where 13 went in"), "{error}");
}

#[test]
fn each_wrong_key_has_its_own_error() {
    let (_temporary, folder) = temporary();
    let other = Keys::none().with_identities(age::x25519::Identity::generate().to_string().expose_secret()).unwrap();
    let public = make(&folder, "public", for_recipient());
    let secret = make(&folder, "secret", with_passphrase("correct horse"));
    let refused = |backup: &Backup, keys: &Keys| backup.read(&backup.manifest().members[0].file, keys).unwrap_err();

    let error = refused(&public, &Keys::none());
    assert!(matches!(error, BackupError::IdentityNeeded { .. }) && error.hint().unwrap().contains(PUBLIC), "{error}");
    assert!(matches!(refused(&public, &passphrase("x")), BackupError::IdentityNeeded { .. }));
    let error = refused(&public, &other);
    assert!(matches!(error, BackupError::WrongIdentity { .. }) && error.hint().unwrap().contains(PUBLIC), "{error}");
    assert!(matches!(refused(&secret, &Keys::none()), BackupError::PassphraseNeeded { .. }));
    assert!(matches!(refused(&secret, &identity()), BackupError::PassphraseNeeded { .. }));
    let error = refused(&secret, &passphrase("correct horse "));
    assert!(matches!(error, BackupError::WrongPassphrase { .. }), "{error}");
    assert!(!format!("{error:?}").contains("horse"));

    // All keys that there are may be given at once.
    let keys = other.with_identities(SECRET).unwrap().with_passphrase(Passphrase::new("correct horse").unwrap());
    for backup in [&public, &secret] {
        assert_eq!(read(backup, &backup.manifest().members[0].file, &keys).unwrap(), ROWS);
    }
    let none = folder.begin("none", Protection::Recipients(Vec::new()));
    assert!(matches!(none, Err(BackupError::NoRecipients)));
}

#[test]
fn a_verification_is_recorded_and_replaced() {
    let (_temporary, folder) = temporary();
    let backup = make(&folder, "a", Protection::None);
    assert_eq!(backup.verification().unwrap(), None);
    backup.record_verification(verification()).unwrap();
    let again = Verification { how: "read \"all\"\nof it }".to_owned(), ..verification() };
    backup.record_verification(again.clone()).unwrap();
    let found = folder.open("a").unwrap().verification().unwrap().unwrap();
    assert_eq!((&found.how, found.at), (&again.how, again.at));
    assert_eq!(found.sums_sha256, backup.sums_sha256());
    assert_eq!(backup.check().unwrap(), []);
    assert_eq!(
        files(backup.path()),
        ["0001-public.patient.tsv.zst", "0002-app.dump", "SHA256SUMS", "manifest.json", "verified.json"]
    );

    // The record of another backup proves nothing.
    let other = make_at(&folder, "b", "2026-01-31T13:00:00Z", Protection::None);
    fs::copy(backup.path().join(VERIFICATION_FILE), other.path().join(VERIFICATION_FILE)).unwrap();
    let error = other.verification().unwrap_err();
    assert!(error.to_string().contains("about another `SHA256SUMS`"), "{error}");
    assert_eq!(other.check().unwrap().len(), 1);
}

#[test]
fn the_list_is_newest_first_and_holds_backups_only() {
    let (_temporary, folder) = temporary();
    assert!(folder.list().unwrap().is_empty());
    make_at(&folder, "old", "2026-01-01T00:00:00Z", Protection::None);
    make_at(&folder, "new", "2026-01-03T00:00:00Z", Protection::None);
    make_at(&folder, "mid-1", "2026-01-02T00:00:00Z", Protection::None);
    make_at(&folder, "mid-2", "2026-01-02T00:00:00Z", Protection::None);
    fs::write(folder.path().join("a-file"), "").unwrap();
    fs::create_dir(folder.path().join("a-folder")).unwrap();
    fs::create_dir(folder.path().join(".hidden")).unwrap();
    fs::write(folder.path().join(".hidden/manifest.json"), "{}").unwrap();
    fs::create_dir(folder.path().join("rest")).unwrap();
    fs::write(folder.path().join("rest/SHA256SUMS"), "").unwrap();
    assert_eq!(names(&folder), ["new", "mid-2", "mid-1", "old", "rest"]);
    let Some(Entry::Damaged { why, .. }) = folder.list().unwrap().pop() else { panic!("`rest` is readable") };
    assert_eq!(why.to_string(), "the backup `rest` is damaged: `manifest.json` is missing");

    let error = folder.open("mid-3").unwrap_err();
    assert!(error.hint().unwrap().starts_with("did you mean `mid-"), "{error}");
    assert!(matches!(folder.open("a-folder"), Err(BackupError::Unknown { .. })));
    assert!(matches!(folder.open("../x"), Err(BackupError::Name { .. })));
    let file = Folder::new(folder.path().join("a-file"));
    assert!(matches!(file.list(), Err(BackupError::NotAFolder { .. })));
    assert!(matches!(file.begin("a", Protection::None), Err(BackupError::NotAFolder { .. })));
}

#[test]
fn a_draft_is_not_listed_and_leaves_nothing_when_it_is_dropped() {
    let (_temporary, folder) = temporary();
    let draft = folder.begin("a", Protection::None).unwrap();
    let mut late = draft.member("x", Kind::Rows).unwrap();
    late.write_all(b"x").unwrap();
    assert!(names(&folder).is_empty());
    assert!(matches!(folder.open("a"), Err(BackupError::Unknown { .. })));
    assert!(matches!(folder.begin("a", Protection::None), Err(BackupError::Busy { .. })));
    assert_eq!(folder.sweep().unwrap(), [""; 0]);
    assert_eq!(files(&folder.path().join(".a.partial")), ["0001-x.tsv.zst", "lock"]);
    drop(draft);
    assert_eq!(files(folder.path()), [".lock"]);

    // What outlives its draft does not touch the next one.
    let draft = folder.begin("a", Protection::None).unwrap();
    write(&draft, "x", Kind::Rows, b"y");
    late.write_all(b"z").unwrap();
    assert!(matches!(late.finish(), Err(BackupError::Closed { .. })));
    let backup = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap();
    assert_eq!(read(&backup, "0001-x.tsv.zst", &Keys::none()).unwrap(), b"y");
    assert_eq!(files(folder.path()), [".lock", "a"]);
}

#[test]
fn members_that_are_given_up_do_not_become_a_part() {
    let (_temporary, folder) = temporary();
    let draft = folder.begin("a", Protection::None).unwrap();
    let given_up = draft.member("x", Kind::Rows).unwrap();
    assert_eq!(given_up.file(), "0001-x.tsv.zst");
    drop(given_up);
    write(&draft, "y", Kind::Rows, b"");
    let backup = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap();
    assert_eq!(files(backup.path()), ["0002-y.tsv.zst", "SHA256SUMS", "manifest.json"]);
    assert_eq!(backup.check().unwrap(), []);
    assert_eq!(read(&backup, "0002-y.tsv.zst", &Keys::none()).unwrap(), b"");

    let draft = folder.begin("b", Protection::None).unwrap();
    let _open = draft.member("x", Kind::Rows).unwrap();
    let error = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap_err();
    assert!(matches!(error, BackupError::Unfinished { open: 1, .. }), "{error}");
    let draft = folder.begin("c", Protection::None).unwrap();
    let lost = Manifest { tables: vec![table("0001-x.tsv.zst")], ..manifest("2026-01-31T12:00:00Z") };
    assert!(matches!(draft.finish(lost), Err(BackupError::UnknownMember { .. })));
    assert_eq!(files(folder.path()), [".lock", "a"]);
}

#[test]
fn a_name_that_is_taken_is_refused_at_the_beginning_and_at_the_end() {
    let (_temporary, folder) = temporary();
    let backup = make(&folder, "a", Protection::None);
    assert!(matches!(folder.begin("a", Protection::None), Err(BackupError::Exists { .. })));
    let draft = folder.begin("b", Protection::None).unwrap();
    fs::create_dir(folder.path().join("b")).unwrap();
    let error = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    assert_eq!(files(folder.path()), [".lock", "a", "b"]);
    assert!(files(&folder.path().join("b")).is_empty());
    assert_eq!(backup.check().unwrap(), []);
    assert!(matches!(folder.begin("-x", Protection::None), Err(BackupError::Name { .. })));
}

#[test]
fn rests_of_dead_writers_are_swept_and_nothing_else() {
    let (_temporary, folder) = temporary();
    assert_eq!(folder.sweep().unwrap(), [""; 0]);
    make(&folder, "good", Protection::None);
    let alive = folder.begin("alive", Protection::None).unwrap();
    let path = |name: &str| folder.path().join(name);
    for rest in [".dead.partial", ".early.partial", ".gone.removed", ".other", ".x y.partial"] {
        fs::create_dir(path(rest)).unwrap();
        fs::write(path(rest).join("0001-x.tsv.zst"), "").unwrap();
    }
    fs::write(path(".dead.partial/lock"), "").unwrap();
    fs::write(path(".file.partial"), "").unwrap();
    assert_eq!(names(&folder), ["good"]);
    assert_eq!(folder.sweep().unwrap(), ["dead", "early", "gone"]);
    assert_eq!(files(folder.path()), [".alive.partial", ".file.partial", ".lock", ".other", ".x y.partial", "good"]);
    alive.finish(manifest("2026-01-31T12:00:00Z")).unwrap();
    assert_eq!(names(&folder).len(), 2);

    // A new draft takes the place of a dead one.
    fs::create_dir(path(".dead.partial")).unwrap();
    fs::write(path(".dead.partial/lock"), "").unwrap();
    make(&folder, "dead", Protection::None);
    assert_eq!(folder.check("dead").unwrap(), []);
}

#[test]
fn what_is_removed_is_gone() {
    let (_temporary, folder) = temporary();
    make(&folder, "a", Protection::None);
    make(&folder, "b", Protection::None);
    fs::write(folder.path().join("b/manifest.json"), "").unwrap();
    fs::create_dir(folder.path().join(".a.removed")).unwrap();
    fs::write(folder.path().join(".a.removed/x"), "").unwrap();
    fs::create_dir(folder.path().join("alien")).unwrap();
    folder.remove("a").unwrap();
    folder.remove("b").unwrap();
    assert!(matches!(folder.remove("a"), Err(BackupError::Unknown { .. })));
    assert!(matches!(folder.remove("alien"), Err(BackupError::Unknown { .. })));
    assert!(matches!(folder.remove(".lock"), Err(BackupError::Name { .. })));
    assert_eq!(files(folder.path()), [".lock", "alien"]);
}

#[cfg(unix)]
#[test]
fn nobody_else_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (_temporary, folder) = temporary();
    let draft = folder.begin("a", Protection::None).unwrap();
    let writer = draft.member("x", Kind::Rows).unwrap();
    let partial = folder.path().join(".a.partial");
    assert_eq!((mode(folder.path()), mode(&partial)), (0o700, 0o700));
    for file in files(&partial) {
        assert_eq!(mode(&partial.join(&file)), 0o600, "{file}");
    }
    writer.finish().unwrap();
    let backup = draft.finish(manifest("2026-01-31T12:00:00Z")).unwrap();
    backup.record_verification(verification()).unwrap();
    assert_eq!(mode(backup.path()), 0o700);
    for file in files(backup.path()) {
        assert_eq!(mode(&backup.path().join(&file)), 0o600, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_or_a_pipe_is_no_member() {
    let (temporary, folder) = temporary();
    let backup = make(&folder, "a", Protection::None);
    let (file, elsewhere) = (backup.path().join("0002-app.dump"), temporary.path().join("x"));
    fs::rename(&file, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
    assert!(matches!(&backup.check().unwrap()[..], [Damage::Unreadable { .. }]));
    assert!(matches!(backup.read("0002-app.dump", &Keys::none()), Err(BackupError::Io { .. })));
}

#[cfg(unix)]
#[test]
fn other_tools_read_it() {
    let (_temporary, folder) = temporary();
    let backup = make(&folder, "a", Protection::None);
    backup.record_verification(verification()).unwrap();
    let output = |program: &str, arguments: &[&str]| -> io::Result<Vec<u8>> {
        let output = Command::new(program).args(arguments).current_dir(backup.path()).output()?;
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    };
    let checked = output("sha256sum", &["--strict", "-c", "SHA256SUMS"]).unwrap();
    let expected = "0001-public.patient.tsv.zst: OK\n0002-app.dump: OK\nmanifest.json: OK\n";
    assert_eq!(String::from_utf8(checked).unwrap(), expected);
    let digest = output("sh", &["-c", "head -n -2 verified.json | sha256sum"]).unwrap();
    let digest = String::from_utf8(digest[..64].to_vec()).unwrap();
    assert!(
        fs::read_to_string(backup.path().join(VERIFICATION_FILE))
            .unwrap()
            .contains(&format!("\"sha256\": \"{digest}\""))
    );
    match output("zstd", &["-dc", "0001-public.patient.tsv.zst"]) {
        Ok(rows) => assert_eq!(rows, ROWS),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
    }
    match output("zstd", &["-lv", "0001-public.patient.tsv.zst"]) {
        Ok(listed) => assert!(String::from_utf8_lossy(&listed).contains("Check: XXH64"), "no checksum of the content"),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
    }
}
