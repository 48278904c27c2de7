//! What git knows of the migrations folder: what was changed since a commit, and what is staged.

use std::ffi::OsStr;
use std::io::Read as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use runner_chain::directory::Location;

use crate::config::Config;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;

/// Names, as messages have them, and contents of files.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// The work trees that the migrations folders are in.
#[derive(Debug)]
pub(crate) struct Trees {
    first: WorkTree,
    others: Vec<WorkTree>,
}

impl Trees {
    /// # Errors
    /// As for [`WorkTree::around`].
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let mut all = config.migrations.iter().map(WorkTree::around);
        let no_folder = || Error::new(ErrorKind::Configuration, "there is no migrations folder");
        let first = all.next().ok_or_else(no_folder)??;
        Ok(Trees { first, others: all.collect::<Result<_>>()? })
    }

    fn each<T>(&self, ask: impl Fn(&WorkTree) -> Result<Vec<T>>) -> Result<Vec<T>> {
        let mut all = ask(&self.first)?;
        for tree in &self.others {
            all.extend(ask(tree)?);
        }
        Ok(all)
    }

    /// Files that are new or changed since the branch left a commit, whether that is committed or not.
    ///
    /// # Errors
    /// There is no such commit, or not enough of the history is here.
    pub(crate) fn changed_since(&self, reference: &str) -> Result<Vec<String>> {
        self.each(|tree| tree.changed_since(reference))
    }

    /// Files that would be new, changed or gone with the next commit.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn staged(&self) -> Result<Vec<String>> {
        self.each(WorkTree::staged)
    }

    /// The files as the next commit will have them.
    ///
    /// # Errors
    /// git fails, or a file is in conflict.
    pub(crate) fn staged_files(&self) -> Result<Files> {
        self.each(WorkTree::staged_files)
    }

    /// The files in a commit, and in the one at which this branch has left it.
    ///
    /// # Errors
    /// There is no such commit, or not enough of the history is here.
    pub(crate) fn files_of(&self, reference: &str) -> Result<(Files, Files)> {
        let (mut there, mut parted) = self.first.files_of(reference)?;
        for tree in &self.others {
            let (more, before) = tree.files_of(reference)?;
            there.extend(more);
            parted.extend(before);
        }
        Ok((there, parted))
    }
}

/// A work tree, and a folder in it.
#[derive(Debug)]
pub(crate) struct WorkTree {
    top: PathBuf,
    git_dir: PathBuf,
    location: Location,
    /// The folder, relative to the top, with `/`; empty: the top itself.
    folder: String,
}

impl WorkTree {
    /// The work tree that a folder is in.
    ///
    /// # Errors
    /// There is no git, the folder is in no work tree, or git refuses to look at it.
    pub(crate) fn around(location: &Location) -> Result<Self> {
        let folder = location.path.as_path();
        // git tells its hooks where they are, and does not look at the folder then.
        let is_told = std::env::var_os("GIT_DIR").is_some();
        let start = if is_told { Path::new(".") } else { folder };
        let ask = |argument: &str| {
            let mut command = Command::new("git");
            command.current_dir(start).args(["rev-parse", argument]);
            let output = run(&mut command)?;
            if output.status.success() {
                return Ok(PathBuf::from(line(&output.stdout)));
            }
            let no_repository = format!("`{}` is not in a git repository", folder.display());
            Err(refused(&output, &no_repository, &["not a git repository"], "`git init` makes one"))
        };
        let (top, git_dir) = (ask("--show-toplevel")?, ask("--absolute-git-dir")?);
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| Error::new(ErrorKind::Io, format!("failed to find `{}`: {error}", path.display())))
        };
        let (top, inner) = (real(&top)?, real(folder)?);
        let Ok(relative) = inner.strip_prefix(&top) else {
            let message = format!("`{}` is outside of the git repository `{}`", folder.display(), top.display());
            return Err(Error::new(ErrorKind::Usage, message));
        };
        let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        Ok(WorkTree { folder: parts.join("/"), top, git_dir, location: location.clone() })
    }

    /// Names of the folder's own files that are new or changed since the branch left a commit, whether that is committed
    /// or not.
    ///
    /// # Errors
    /// There is no such commit, or not enough of the history is here.
    fn changed_since(&self, reference: &str) -> Result<Vec<String>> {
        let base = self.merge_base(reference)?;
        let mut names = self.names(&["diff", "--name-only", "-z", "--no-renames", "--diff-filter=d", &base, "--"])?;
        names.extend(self.names(&["ls-files", "--others", "--exclude-standard", "-z", "--"])?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Names of the folder's own files that would be new, changed or gone with the next commit.
    ///
    /// # Errors
    /// git fails.
    fn staged(&self) -> Result<Vec<String>> {
        self.names(&["diff", "--cached", "--name-only", "-z", "--no-renames", "--"])
    }

    /// Names and contents of the folder's own files as the next commit will have them.
    ///
    /// # Errors
    /// git fails, or a file is in conflict.
    fn staged_files(&self) -> Result<Files> {
        let listed = self.git(&["ls-files", "--stage", "-z", "--", &self.pathspec()])?;
        let mut entries = Vec::new();
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let Some(name) = self.own(path).filter(|name| Path::new(name).extension() == Some(OsStr::new("sql")))
            else {
                continue;
            };
            let mut fields = about.split(' ');
            let (mode, object, stage) = (fields.next(), fields.next(), fields.next());
            if stage != Some("0") {
                let message = format!("`{name}` is in conflict");
                return Err(Error::new(ErrorKind::Usage, message).help("resolve it, and `git add` the file"));
            }
            // Neither links nor submodules have SQL of their own.
            if mode.is_some_and(|mode| mode.starts_with("100")) {
                entries.push((self.location.file(name), object.unwrap_or_default().to_owned()));
            }
        }
        self.contents(entries)
    }

    /// Names and contents of the folder's own files in a commit, and in the one at which this branch has left it.
    ///
    /// # Errors
    /// There is no such commit, or not enough of the history is here.
    fn files_of(&self, reference: &str) -> Result<(Files, Files)> {
        let base = self.merge_base(reference)?;
        Ok((self.files_at(&format!("{reference}^{{commit}}"))?, self.files_at(&base)?))
    }

    fn files_at(&self, commit: &str) -> Result<Files> {
        let folder = format!("{}/", self.folder);
        let mut arguments = vec!["ls-tree", "-z", "--full-tree", commit];
        if !self.folder.is_empty() {
            arguments.extend(["--", folder.as_str()]);
        }
        let listed = self.git(&arguments)?;
        let mut entries = Vec::new();
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let entry = String::from_utf8_lossy(entry);
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let mut fields = about.split(' ');
            let (mode, object) = (fields.next(), fields.nth(1));
            if let Some(name) = self.own(path)
                && Path::new(name).extension() == Some(OsStr::new("sql"))
                && mode.is_some_and(|mode| mode.starts_with("100"))
            {
                entries.push((self.location.file(name), object.unwrap_or_default().to_owned()));
            }
        }
        self.contents(entries)
    }

    /// Reads objects in one go.
    fn contents(&self, entries: Vec<(String, String)>) -> Result<Files> {
        let mut command = self.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| no_git(&error))?;
        let questions: String = entries.iter().map(|(_, object)| format!("{object}\n")).collect();
        let mut stdin = child.stdin.take();
        let mut answer = Vec::new();
        // It answers while it is asked, so whoever only asked would wait for ever.
        let read = std::thread::scope(|scope| {
            scope.spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(questions.as_bytes())));
            child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut answer))
        });
        let ended = child.wait();
        let failed = || Error::new(ErrorKind::Io, "git gives no contents of what is staged");
        if read.is_err() || !ended.is_ok_and(|status| status.success()) {
            return Err(failed());
        }
        let mut rest = answer.as_slice();
        let mut files = Vec::with_capacity(entries.len());
        for (name, _) in entries {
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(failed)?;
            let (about, behind) = rest.split_at(end);
            let size = String::from_utf8_lossy(about).rsplit(' ').next().and_then(|size| size.parse::<usize>().ok());
            let size = size.ok_or_else(failed)?;
            let content = behind.get(1..=size).ok_or_else(failed)?;
            files.push((name, content.to_vec()));
            rest = behind.get(size + 2..).unwrap_or_default();
        }
        Ok(files)
    }

    fn merge_base(&self, reference: &str) -> Result<String> {
        let shown = runner_policy::printable(reference);
        if reference.is_empty() || reference.starts_with('-') {
            return Err(Error::new(ErrorKind::Usage, format!("`{shown}` is no git commit")));
        }
        let commit = format!("{reference}^{{commit}}");
        let is_shallow =
            || self.git(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| line(&answer) == "true");
        let fetch =
            "only a part of the history is here: `git fetch --unshallow`, or `fetch-depth: 0` in GitHub Actions";
        if self.git(&["rev-parse", "--verify", "--quiet", &commit]).is_err() {
            let error = Error::new(ErrorKind::Usage, format!("git knows no commit `{shown}`"));
            return Err(match is_shallow() {
                true => error.help(fetch),
                false => {
                    error.help(format!("`git fetch` brings branches of others; theirs are called `origin/{shown}`"))
                }
            });
        }
        let base = self.git(&["merge-base", &commit, "HEAD"]).map(|answer| line(&answer));
        base.ok().filter(|base| !base.is_empty()).ok_or_else(|| {
            let error = Error::new(ErrorKind::Usage, format!("`{shown}` and `HEAD` have no commit in common"));
            if is_shallow() { error.help(fetch) } else { error.help("name a commit that this branch comes from") }
        })
    }

    /// What a command lists with `-z`, as names of the folder's own files.
    fn names(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let pathspec = self.pathspec();
        let arguments: Vec<&str> = arguments.iter().copied().chain([pathspec.as_str()]).collect();
        let listed = self.git(&arguments)?;
        let paths = listed.split(|byte| *byte == 0).map(String::from_utf8_lossy);
        Ok(paths.filter_map(|path| self.own(&path).map(|name| self.location.file(name))).collect())
    }

    /// The name of a file directly in the folder.
    fn own<'p>(&self, path: &'p str) -> Option<&'p str> {
        let name = match self.folder.as_str() {
            "" => path,
            folder => path.strip_prefix(folder)?.strip_prefix('/')?,
        };
        (!name.is_empty() && !name.contains('/')).then_some(name)
    }

    fn pathspec(&self) -> String {
        // Nothing in the name of a folder is a pattern.
        format!(":(top,literal){}", self.folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .current_dir(&self.top)
            // A hook's own variables would be relative to somewhere else.
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_WORK_TREE", &self.top)
            .env_remove("GIT_PREFIX")
            .args(["-c", "core.quotePath=false"])
            .args(arguments);
        command
    }

    fn git(&self, arguments: &[&str]) -> Result<Vec<u8>> {
        let output = run(&mut self.command(arguments))?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(refused(&output, "git fails", &[], "")),
        }
    }

    /// The folder in which git looks for hooks.
    ///
    /// # Errors
    /// git fails.
    pub(crate) fn hooks(&self) -> Result<PathBuf> {
        let answer = self.git(&["rev-parse", "--git-path", "hooks"])?;
        Ok(self.top.join(line(&answer)))
    }

    /// The folder that everything is in.
    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Whether a folder belongs to this repository alone.
    pub(crate) fn owns(&self, folder: &Path) -> bool {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let common = self.git(&["rev-parse", "--git-common-dir"]).map(|answer| self.top.join(line(&answer)));
        let common = common.ok().and_then(|common| common.canonicalize().ok());
        real.starts_with(&self.top) || common.is_some_and(|common| real.starts_with(common))
    }
}

fn run(command: &mut Command) -> Result<Output> {
    // Messages are compared, and nothing is to be locked by whoever only looks.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null());
    command.output().map_err(|error| no_git(&error))
}

fn no_git(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(ErrorKind::Usage, "there is no program `git`").help("install git, or name files or revisions")
        }
        _ => Error::new(ErrorKind::Io, format!("git can't be started: {error}")),
    }
}

fn refused(output: &Output, expected: &str, signs: &[&str], help: &str) -> Error {
    let said = runner_policy::printable(String::from_utf8_lossy(&output.stderr).trim());
    if signs.iter().any(|sign| said.contains(sign)) {
        return Error::new(ErrorKind::Usage, expected).help(help);
    }
    let said = said.trim_start_matches("fatal: ");
    Error::new(ErrorKind::Usage, if said.is_empty() { expected.to_owned() } else { format!("git says: {said}") })
}

fn line(answer: &[u8]) -> String {
    String::from_utf8_lossy(answer).trim_end_matches(['\r', '\n']).to_owned()
}
