//! How tables are made.

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::names::Name;
use crate::names::Quoted;
use crate::raw::RawFix;
use crate::statements::Statement;
use crate::statements::range_of;
use crate::subject;

/// Bytes a row from which another order of columns is worth telling.
const WORTH: usize = 8;

impl Findings<'_> {
    pub(super) fn tables(&mut self, statement: &Statement) {
        match &statement.node {
            ast::Stmt::CreateTable(table) => {
                self.primary_key_of(table);
                self.alignment(table);
                for column in columns(table) {
                    self.json(column.ty());
                }
            }
            ast::Stmt::AlterTable(table) => {
                for action in table.actions() {
                    match action {
                        ast::AlterTableAction::AddColumn(add) => self.json(add.ty()),
                        ast::AlterTableAction::AlterColumn(alter) => {
                            if let Some(ast::AlterColumnOption::SetType(set)) = alter.option() {
                                self.json(set.ty());
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn primary_key_of(&mut self, table: &ast::CreateTable) {
        let is_temporary = matches!(table.persistence(), Some(ast::Persistence::Temp(_)));
        // A partition has the key of its parent; what is made like another table may have its key.
        let is_made_of_another =
            table.partition_of().is_some() || table.of_type().is_some() || table.inherits().is_some();
        let Some(arguments) = table.table_arg_list() else { return };
        if is_temporary || is_made_of_another {
            return;
        }
        let has_key = arguments.args().any(|argument| match argument {
            ast::TableArg::LikeClause(_) => true,
            ast::TableArg::TableConstraint(constraint) => {
                matches!(constraint, ast::TableConstraint::PrimaryKeyConstraint(_))
            }
            ast::TableArg::Column(column) => column.clauses().any(|clause| {
                matches!(clause, ast::ColumnClause::ColumnConstraint(ast::ColumnConstraint::PrimaryKeyConstraint(_)))
            }),
        });
        let Some(name) = Name::within(table.table_name()) else { return };
        if !has_key
            && !self.outline.gets_primary_key(&name)
            && let Some(node) = table.table_name()
        {
            self.add_at("missing-primary-key", node.syntax(), format!("`{name}` has no primary key"))
                .helped("add one, as in `id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY`");
        }
    }

    fn json(&mut self, ty: Option<ast::Type>) {
        let Some(ty) = ty else { return };
        let inner = match &ty {
            ast::Type::ArrayType(array) => array.ty(),
            _ => Some(ty.clone()),
        };
        let Some(ast::Type::PathType(path)) = inner else { return };
        let Some(segment) = path.path_ref().and_then(|path| path.segment()) else { return };
        if segment.text() == "json" {
            self.add_at(
                "prefer-jsonb",
                ty.syntax(),
                "`json` has no equality, so `DISTINCT`, `UNION` and `GROUP BY` over the row fail",
            )
            .helped("use `jsonb`")
            .fixed(RawFix {
                summary: "Replace with `jsonb`".to_owned(),
                edits: vec![(range_of(segment.syntax()), "jsonb".to_owned())],
                transaction_off: false,
                follow_up: None,
            });
        }
    }

    /// Tells of a better order of columns. What holds text has a length of its own, so it goes last in the order that is
    /// counted; columns of types that are not known make it silent.
    fn alignment(&mut self, table: &ast::CreateTable) {
        let columns: Vec<(String, Storage)> = columns(table)
            .filter_map(|column| Some((subject::written(column.name()?.syntax()), column.ty()?)))
            .map(|(name, ty)| (name, Storage::of(&ty)))
            .collect();
        if columns.iter().any(|(_, storage)| *storage == Storage::Unknown) {
            return;
        }
        let mut better = columns.clone();
        better.sort_by_key(|(_, storage)| std::cmp::Reverse(storage.alignment()));
        let widths = |columns: &[(String, Storage)]| width(columns.iter().map(|(_, storage)| *storage));
        let saved = widths(&columns).saturating_sub(widths(&better));
        if saved >= WORTH
            && let Some(node) = table.table_name()
        {
            let order: Vec<String> = better.iter().map(|(name, _)| Quoted(name).to_string()).collect();
            self.add_at(
                "column-alignment",
                node.syntax(),
                format!("another order of columns makes each row {saved} bytes smaller"),
            )
            .helped(format!("write them as {}", order.join(", ")));
        }
    }
}

fn columns(table: &ast::CreateTable) -> impl Iterator<Item = ast::Column> {
    table.table_arg_list().into_iter().flat_map(|list| list.args()).filter_map(|argument| match argument {
        ast::TableArg::Column(column) => Some(column),
        _ => None,
    })
}

/// How a value is stored in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    /// So many bytes, at a multiple of so many.
    Fixed(usize, usize),
    /// Short values of any length begin anywhere.
    Variable,
    Unknown,
}

impl Storage {
    fn of(ty: &ast::Type) -> Self {
        let name = match ty {
            ast::Type::PathType(path) => match path.path_ref().and_then(|path| path.segment()) {
                Some(segment) => segment.text(),
                None => return Storage::Unknown,
            },
            ast::Type::VarcharType(_)
            | ast::Type::CharacterType(_)
            | ast::Type::BitType(_)
            | ast::Type::BitVaryingType(_)
            | ast::Type::ArrayType(_) => return Storage::Variable,
            ast::Type::DoubleType(_) | ast::Type::TimestampType(_) => return Storage::Fixed(8, 8),
            ast::Type::TimeType(time) => {
                return match time.timezone() {
                    Some(ast::Timezone::WithTimezone(_)) => Storage::Fixed(12, 8),
                    _ => Storage::Fixed(8, 8),
                };
            }
            ast::Type::IntervalType(_) => return Storage::Fixed(16, 8),
        };
        match name.as_str() {
            "bigint" | "int8" | "bigserial" | "serial8" | "float8" | "timestamptz" | "money" => Storage::Fixed(8, 8),
            "interval" => Storage::Fixed(16, 8),
            "integer" | "int" | "int4" | "serial" | "serial4" | "real" | "float4" | "date" | "oid" => {
                Storage::Fixed(4, 4)
            }
            "smallint" | "int2" | "smallserial" | "serial2" => Storage::Fixed(2, 2),
            "boolean" | "bool" => Storage::Fixed(1, 1),
            "uuid" => Storage::Fixed(16, 1),
            "text" | "varchar" | "bpchar" | "numeric" | "decimal" | "json" | "jsonb" | "bytea" | "citext" | "inet"
            | "cidr" | "xml" | "tsvector" => Storage::Variable,
            _ => Storage::Unknown,
        }
    }

    fn alignment(self) -> usize {
        match self {
            Storage::Fixed(_, alignment) => alignment,
            Storage::Variable | Storage::Unknown => 0,
        }
    }
}

/// Bytes that the columns of fixed width and the gaps before them take, up to a multiple of eight as rows do. A column of
/// any length is taken for one that ends where the next one may begin.
fn width(columns: impl Iterator<Item = Storage>) -> usize {
    let mut at: usize = 0;
    for storage in columns {
        if let Storage::Fixed(size, alignment) = storage {
            at = at.next_multiple_of(alignment) + size;
        }
    }
    at.next_multiple_of(8)
}
