//! Offsets of the canonical ABI, in bytes. A text or list takes 8 bytes: its address, then its length.

/// In the arguments of every question: the context.
pub mod arguments {
    /// `context.now.seconds` (i64)
    pub const NOW: usize = 8;
    /// `context.environment.name`
    pub const ENVIRONMENT_NAME: usize = 60;
    /// `context.settings`
    pub const SETTINGS: usize = 80;
    /// `context.variables`: 16 bytes each, name and value
    pub const VARIABLES: usize = 88;
    /// `plan.hash`, for `judge`, `review` and `announce`
    pub const PLAN_HASH: usize = 96;
    /// `plan.steps`, for the same
    pub const PLAN_STEPS: usize = 104;
    /// `sources`, for `check`
    pub const SOURCES: usize = 96;
    /// Size of a step. It begins with its revision, which begins with its id
    pub const STEP_SIZE: usize = 96;
    /// Size of a source. It begins with its revision, which begins with its id
    pub const SOURCE_SIZE: usize = 112;
}

/// In an answer that is a `result`: the first byte is 0 for `ok`, 1 for the failure, and this is where either begins.
pub mod failure {
    /// `message`
    pub const MESSAGE: usize = 4;
    /// `help`: 1 if there is one
    pub const HELP: usize = 12;
    /// The text of `help`
    pub const HELP_TEXT: usize = 16;
}

/// In the answer of `review`.
pub mod ruling {
    /// `decision` (byte): 0 allow, 1 confirm, 2 deny
    pub const DECISION: usize = 4;
    /// The question of `confirm`
    pub const QUESTION: usize = 8;
    /// `reasons`
    pub const REASONS: usize = 16;
    /// `notices`
    pub const NOTICES: usize = 24;
}

/// A reason, in a ruling, a step ruling or a judgement.
pub mod reason {
    /// `rule`: 1 if there is one
    pub const RULE: usize = 0;
    /// The text of `rule`
    pub const RULE_TEXT: usize = 4;
    /// `revision`: 1 if there is one
    pub const REVISION: usize = 12;
    /// The text of `revision`
    pub const REVISION_TEXT: usize = 16;
    /// `message`
    pub const MESSAGE: usize = 24;
    /// `help`: 1 if there is one
    pub const HELP: usize = 32;
    /// The text of `help`
    pub const HELP_TEXT: usize = 36;
    /// Size
    pub const SIZE: usize = 44;
}

/// In the answer of `judge`.
pub mod judgement {
    /// `steps`
    pub const STEPS: usize = 4;
    /// `remarks`
    pub const REMARKS: usize = 12;
}

/// A ruling on a step.
pub mod step_ruling {
    /// `revision`
    pub const REVISION: usize = 0;
    /// `decision` (byte): 0 allow, 1 warn, 2 skip, 3 deny
    pub const DECISION: usize = 8;
    /// `reason`: 1 if there is one
    pub const REASON: usize = 12;
    /// The reason itself
    pub const REASON_BODY: usize = 16;
    /// Size
    pub const SIZE: usize = 60;
}

/// A level; the answer of `identify` holds one at 4, that of `levels` a list at 4.
pub mod level {
    /// `name`
    pub const NAME: usize = 0;
    /// `level`
    pub const LEVEL: usize = 8;
    /// `production` (byte)
    pub const PRODUCTION: usize = 12;
    /// `aliases`
    pub const ALIASES: usize = 16;
    /// Size
    pub const SIZE: usize = 24;
}

/// The answer of `describe`.
pub mod description {
    /// `name`
    pub const NAME: usize = 0;
    /// `version`
    pub const VERSION: usize = 8;
    /// `summary`
    pub const SUMMARY: usize = 16;
    /// `needs`
    pub const NEEDS: usize = 24;
    /// `settings-schema`
    pub const SETTINGS_SCHEMA: usize = 32;
}

/// A need in a description.
pub mod need {
    /// `grant` (byte): 0 variable, 1 folder, 2 facts
    pub const GRANT: usize = 0;
    /// The text of `grant`
    pub const GRANT_TEXT: usize = 4;
    /// `required` (byte)
    pub const REQUIRED: usize = 12;
    /// `why`
    pub const WHY: usize = 16;
    /// Size
    pub const SIZE: usize = 24;
}

/// A problem in the answer of `check-settings`, whose list is at 4.
pub mod setting_problem {
    /// `path`
    pub const PATH: usize = 0;
    /// `message`
    pub const MESSAGE: usize = 8;
    /// Size
    pub const SIZE: usize = 16;
}

/// A rule in the answer of `rules`, which is a bare list.
pub mod rule {
    /// `name`
    pub const NAME: usize = 0;
    /// `severity` (byte)
    pub const SEVERITY: usize = 8;
    /// `summary`
    pub const SUMMARY: usize = 12;
    /// `explanation`
    pub const EXPLANATION: usize = 20;
    /// Size
    pub const SIZE: usize = 28;
}

/// A finding in the answer of `check`, whose list is at 4.
pub mod finding {
    /// `rule`
    pub const RULE: usize = 0;
    /// `severity` (byte): 0 info, 1 warning, 2 error
    pub const SEVERITY: usize = 8;
    /// `revision`
    pub const REVISION: usize = 12;
    /// `message`
    pub const MESSAGE: usize = 20;
    /// `line`: 1 if there is one
    pub const LINE: usize = 28;
    /// The number of `line`
    pub const LINE_NUMBER: usize = 32;
    /// `help`: 1 if there is one
    pub const HELP: usize = 44;
    /// Size
    pub const SIZE: usize = 56;
}

/// A message in the answer of `announce`, whose list is at 4.
pub mod message {
    /// `channel`
    pub const CHANNEL: usize = 0;
    /// `severity` (byte)
    pub const SEVERITY: usize = 8;
    /// `title`
    pub const TITLE: usize = 12;
    /// `text`
    pub const TEXT: usize = 20;
    /// `fields`
    pub const FIELDS: usize = 28;
    /// Size
    pub const SIZE: usize = 36;
}

/// In the answer of `files.read` and `files.entries`, of which the first byte is 0 for `ok`, 1 for a problem.
pub mod file_answer {
    /// The content, or the list of entries
    pub const CONTENT: usize = 4;
    /// The problem (byte): 0 missing, 1 outside, 2 too-large, 3 other
    pub const PROBLEM: usize = 4;
    /// The text of `other`
    pub const OTHER: usize = 8;
    /// Size of an entry. It begins with its name
    pub const ENTRY_SIZE: usize = 24;
    /// `folder` of an entry (byte)
    pub const ENTRY_FOLDER: usize = 8;
    /// `size` of an entry (i64)
    pub const ENTRY_LENGTH: usize = 16;
}

/// A relation in the answer of `facts.relations`, whose list is at 4, as is the message of a failure.
pub mod relation {
    /// `name`
    pub const NAME: usize = 12;
    /// `rows`: 1 if they are known
    pub const ROWS: usize = 24;
    /// The number of `rows` (i64)
    pub const ROWS_NUMBER: usize = 32;
    /// Size
    pub const SIZE: usize = 104;
}

/// An entry in the answer of `facts.recent`, whose list is at 4. It begins with its revision.
pub mod ledger_entry {
    /// Size
    pub const SIZE: usize = 56;
}

#[cfg(test)]
mod tests {
    use wit_parser::Resolve;
    use wit_parser::SizeAlign;
    use wit_parser::Type;
    use wit_parser::TypeDefKind;

    use super::*;
    use crate::contract;

    struct Contract {
        resolve: Resolve,
        sizes: SizeAlign,
    }

    impl Contract {
        fn read() -> Self {
            Contract::of(contract::FIRST)
        }

        fn of(version: &str) -> Self {
            let resolve = contract::definition(version, version);
            let mut sizes = SizeAlign::default();
            sizes.fill(&resolve).unwrap();
            Contract { resolve, sizes }
        }

        fn find(&self, interface: &str, name: &str) -> Type {
            let (_, interface) =
                self.resolve.interfaces.iter().find(|(_, found)| found.name.as_deref() == Some(interface)).unwrap();
            Type::Id(interface.types[name])
        }

        fn size(&self, interface: &str, name: &str) -> usize {
            self.sizes.size(&self.find(interface, name)).size_wasm32()
        }

        /// Offset of a field of a record, or of a path through records, as in `environment.name`.
        fn offset(&self, interface: &str, name: &str, path: &str) -> usize {
            let mut current = self.find(interface, name);
            let mut offset = 0;
            for field in path.split('.') {
                let Type::Id(mut id) = current else { panic!("{path}") };
                while let TypeDefKind::Type(Type::Id(original)) = self.resolve.types[id].kind {
                    id = original;
                }
                let TypeDefKind::Record(record) = &self.resolve.types[id].kind else { panic!("{path}") };
                let index = record.fields.iter().position(|found| found.name == field).unwrap();
                let fields = self.sizes.field_offsets(record.fields.iter().map(|field| &field.ty));
                offset += fields[index].0.size_wasm32();
                current = record.fields[index].ty;
            }
            offset
        }

        /// Where the payload of the `result` of a function begins, and where each parameter is.
        fn function(&self, interface: &str, name: &str) -> (usize, Vec<usize>) {
            let (_, interface) =
                self.resolve.interfaces.iter().find(|(_, found)| found.name.as_deref() == Some(interface)).unwrap();
            let function = &interface.functions[name];
            let Some(Type::Id(result)) = function.result else { panic!("{name}") };
            let TypeDefKind::Result(result) = &self.resolve.types[result].kind else { panic!("{name}") };
            let payload = self.sizes.payload_offset(wit_parser::Int::U8, [result.ok.as_ref(), result.err.as_ref()]);
            let parameters = self.sizes.field_offsets(function.params.iter().map(|parameter| &parameter.ty));
            (payload.size_wasm32(), parameters.iter().map(|(offset, _)| offset.size_wasm32()).collect())
        }
    }

    #[test]
    fn arguments_are_where_the_contract_puts_them() {
        let contract = Contract::read();
        assert_eq!(contract.offset("types", "context", "now.seconds"), arguments::NOW);
        assert_eq!(contract.offset("types", "context", "environment.name"), arguments::ENVIRONMENT_NAME);
        assert_eq!(contract.offset("types", "context", "settings"), arguments::SETTINGS);
        assert_eq!(contract.offset("types", "context", "variables"), arguments::VARIABLES);
        let hash = arguments::PLAN_HASH;
        assert_eq!(contract.offset("types", "plan", "hash"), 0);
        assert_eq!(hash + contract.offset("types", "plan", "steps"), arguments::PLAN_STEPS);
        assert_eq!(contract.function("gate", "review"), (4, vec![0, hash]));
        assert_eq!(contract.function("environment", "judge"), (4, vec![0, hash, hash + 16]));
        assert_eq!(contract.function("notify", "announce"), (4, vec![0, hash, hash + 16]));
        assert_eq!(contract.function("lint", "check"), (4, vec![0, arguments::SOURCES]));
        assert_eq!(contract.size("types", "step"), arguments::STEP_SIZE);
        assert_eq!(contract.offset("types", "step", "revision.id"), 0);
        assert_eq!(contract.size("lint", "source"), arguments::SOURCE_SIZE);
        assert_eq!(contract.offset("lint", "source", "revision.id"), 0);
    }

    #[test]
    fn answers_are_where_the_contract_puts_them() {
        let contract = Contract::read();
        assert_eq!(4 + contract.offset("types", "failure", "message"), failure::MESSAGE);
        assert_eq!(4 + contract.offset("types", "failure", "help"), failure::HELP);
        assert_eq!(failure::HELP + 4, failure::HELP_TEXT);
        assert_eq!(4 + contract.offset("gate", "ruling", "decision"), ruling::DECISION);
        assert_eq!(ruling::DECISION + 4, ruling::QUESTION);
        assert_eq!(4 + contract.offset("gate", "ruling", "reasons"), ruling::REASONS);
        assert_eq!(4 + contract.offset("gate", "ruling", "notices"), ruling::NOTICES);
        assert_eq!(4 + contract.offset("environment", "judgement", "steps"), judgement::STEPS);
        assert_eq!(4 + contract.offset("environment", "judgement", "remarks"), judgement::REMARKS);
    }

    #[test]
    fn what_is_granted_is_where_the_contract_puts_it() {
        let contract = Contract::of(contract::CURRENT);
        for (interface, function) in
            [("files", "read"), ("files", "entries"), ("facts", "relations"), ("facts", "recent")]
        {
            let (payload, _) = contract.function(interface, function);
            assert_eq!(payload, file_answer::CONTENT, "{function}");
        }
        assert_eq!(file_answer::CONTENT, file_answer::PROBLEM);
        assert_eq!(file_answer::PROBLEM + 4, file_answer::OTHER);
        assert_eq!(contract.size("files", "entry"), file_answer::ENTRY_SIZE);
        assert_eq!(contract.offset("files", "entry", "folder"), file_answer::ENTRY_FOLDER);
        assert_eq!(contract.offset("files", "entry", "size"), file_answer::ENTRY_LENGTH);
        assert_eq!(contract.offset("facts", "relation", "name"), relation::NAME);
        assert_eq!(contract.offset("facts", "relation", "rows"), relation::ROWS);
        assert_eq!(relation::ROWS + 8, relation::ROWS_NUMBER);
        assert_eq!(contract.size("facts", "relation"), relation::SIZE);
        assert_eq!(contract.size("facts", "ledger-entry"), ledger_entry::SIZE);
        assert_eq!(contract.offset("facts", "ledger-entry", "revision"), 0);
    }

    #[test]
    fn records_are_laid_out_as_the_contract_says() {
        let contract = Contract::read();
        type Fields<'a> = &'a [(&'a str, usize)];
        let records: [(&str, &str, usize, Fields<'_>); 9] = [
            (
                "types",
                "reason",
                reason::SIZE,
                &[
                    ("rule", reason::RULE),
                    ("revision", reason::REVISION),
                    ("message", reason::MESSAGE),
                    ("help", reason::HELP),
                ],
            ),
            (
                "environment",
                "step-ruling",
                step_ruling::SIZE,
                &[
                    ("revision", step_ruling::REVISION),
                    ("decision", step_ruling::DECISION),
                    ("reason", step_ruling::REASON),
                ],
            ),
            (
                "environment",
                "level",
                level::SIZE,
                &[
                    ("name", level::NAME),
                    ("level", level::LEVEL),
                    ("production", level::PRODUCTION),
                    ("aliases", level::ALIASES),
                ],
            ),
            (
                "plugin",
                "description",
                40,
                &[
                    ("name", description::NAME),
                    ("version", description::VERSION),
                    ("summary", description::SUMMARY),
                    ("needs", description::NEEDS),
                    ("settings-schema", description::SETTINGS_SCHEMA),
                ],
            ),
            ("plugin", "need", need::SIZE, &[("grant", need::GRANT), ("required", need::REQUIRED), ("why", need::WHY)]),
            (
                "plugin",
                "setting-problem",
                setting_problem::SIZE,
                &[("path", setting_problem::PATH), ("message", setting_problem::MESSAGE)],
            ),
            (
                "lint",
                "rule",
                rule::SIZE,
                &[
                    ("name", rule::NAME),
                    ("severity", rule::SEVERITY),
                    ("summary", rule::SUMMARY),
                    ("explanation", rule::EXPLANATION),
                ],
            ),
            (
                "lint",
                "finding",
                finding::SIZE,
                &[
                    ("rule", finding::RULE),
                    ("severity", finding::SEVERITY),
                    ("revision", finding::REVISION),
                    ("message", finding::MESSAGE),
                    ("line", finding::LINE),
                    ("help", finding::HELP),
                ],
            ),
            (
                "notify",
                "message",
                message::SIZE,
                &[
                    ("channel", message::CHANNEL),
                    ("severity", message::SEVERITY),
                    ("title", message::TITLE),
                    ("text", message::TEXT),
                    ("fields", message::FIELDS),
                ],
            ),
        ];
        for (interface, record, size, fields) in records {
            assert_eq!(contract.size(interface, record), size, "{record}");
            for (field, offset) in fields {
                assert_eq!(contract.offset(interface, record, field), *offset, "{record}.{field}");
            }
        }
    }
}
