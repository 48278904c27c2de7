//! Commands of the programs `psql` and `mysql`: people's scripts hold them, but no server knows them.

use std::fmt;

/// A client program that has commands of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// `psql` of PostgreSQL.
    Psql,
    /// `mysql` of MySQL, called `mariadb` by MariaDB.
    Mysql,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Psql => "psql",
            Self::Mysql => "mysql",
        })
    }
}

const TAKE_OUT: &str = "take it out, or write the SQL that it stands for";
const INCLUDE: &str = "put the SQL of that file here";
const CONNECT: &str = "take it out: the URL of the database decides where revisions run";
const SEMICOLON: &str = "end the statement with `;`";

impl Client {
    /// The command at the beginning of a text: a backslash and what follows, as far as it is one command.
    pub(super) fn command(self, text: &str) -> &str {
        let name = text.get(1..).unwrap_or_default();
        let letters = name.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(name.len());
        let one = name.chars().next().filter(|sign| !sign.is_whitespace()).map_or(0, char::len_utf8);
        let length = match self {
            Self::Psql => letters.max(one),
            Self::Mysql => one,
        };
        text.get(..=length).unwrap_or(text)
    }

    /// What to write instead of a command.
    pub(super) fn help(self, command: &str) -> &'static str {
        match (self, command) {
            (Self::Psql, r"\i" | r"\ir" | r"\include" | r"\include_relative") => INCLUDE,
            (Self::Psql, r"\c" | r"\connect") => CONNECT,
            (Self::Psql, r"\set" | r"\unset" | r"\gset" | r"\prompt" | r"\getenv") => {
                "take it out and write the value where it is used"
            }
            (Self::Psql, r"\copy" | r"\.") => {
                "write the rows as `INSERT`, or let the server read them: `COPY … FROM '/a/file'`"
            }
            (Self::Psql, r"\g" | r"\gx" | r"\;") => SEMICOLON,
            (Self::Psql, r"\gexec") => "run the statements with `EXECUTE` in a `DO` block",
            (Self::Psql, r"\if" | r"\elif" | r"\else" | r"\endif") => "write the condition as `IF` in a `DO` block",
            (Self::Psql, r"\encoding") => "take it out: revision files are UTF-8",
            (Self::Psql, r"\restrict" | r"\unrestrict") => "take it out: `pg_dump` writes it for `psql`",
            (Self::Mysql, r"\." | "source") => INCLUDE,
            (Self::Mysql, r"\u" | r"\r") => CONNECT,
            (Self::Mysql, r"\g" | r"\G") => SEMICOLON,
            (Self::Mysql, r"\d") => "write `DELIMITER` on a line of its own",
            _ => TAKE_OUT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_cut_out() {
        for (client, text, command) in [
            (Client::Psql, r"\connect app", r"\connect"),
            (Client::Psql, r"\i_x'y", r"\i_x"),
            (Client::Psql, r"\.", r"\."),
            (Client::Psql, r"\;a", r"\;"),
            (Client::Psql, "\\\né", "\\"),
            (Client::Psql, r"\éa", r"\é"),
            (Client::Psql, r"\", r"\"),
            (Client::Mysql, r"\Gx", r"\G"),
            (Client::Mysql, r"\. a", r"\."),
            (Client::Mysql, r"\", r"\"),
        ] {
            assert_eq!(client.command(text), command, "{text}");
        }
    }
}
