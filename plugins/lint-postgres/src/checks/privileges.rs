//! Rights and roles.

use squawk_syntax::ast;
use squawk_syntax::ast::AstNode as _;

use super::Advised as _;
use super::Findings;
use crate::statements::Statement;

impl Findings<'_> {
    pub(super) fn privileges(&mut self, statement: &Statement) {
        use ast::Stmt;
        match &statement.node {
            Stmt::Grant(grant) => {
                let is_about_objects = grant.on_privilege_objects_clause().is_some();
                self.grant(
                    grant.privileges().filter(|_| is_about_objects),
                    grant.role_ref_list(),
                    grant.grant_with_clause(),
                );
            }
            Stmt::AlterDefaultPrivileges(defaults) => {
                if let Some(ast::AlterDefaultPrivilegesAction::GrantDefaultPrivileges(grant)) = defaults.action() {
                    self.grant(grant.privileges(), grant.role_ref_list(), grant.grant_with_clause());
                }
            }
            Stmt::CreateRole(_) | Stmt::CreateUser(_) | Stmt::CreateGroup(_) => self.role(statement, "created"),
            Stmt::AlterRole(_) | Stmt::AlterUser(_) | Stmt::AlterGroup(_) => self.role(statement, "changed"),
            Stmt::DropRole(_) | Stmt::DropUser(_) | Stmt::DropGroup(_) => self.role(statement, "dropped"),
            _ => {}
        }
    }

    fn grant(
        &mut self,
        privileges: Option<ast::Privileges>,
        roles: Option<ast::RoleRefList>,
        with: Option<ast::GrantWithClause>,
    ) {
        if let Some(ast::Privileges::AllPrivileges(all)) = privileges {
            self.add_at("grant-all", all.syntax(), "all rights are granted, also to destroy")
                .helped("name the rights that are needed, as in `GRANT SELECT, INSERT, UPDATE, DELETE`");
        }
        for role in roles.into_iter().flat_map(|roles| roles.role_refs()) {
            if role.syntax().text().to_string().trim().eq_ignore_ascii_case("public") {
                self.add_at("grant-to-public", role.syntax(), "every role gets the right, also those that come later")
                    .helped("grant it to a role, and make members of those who need it");
            }
        }
        if let Some(with) = with {
            self.add_at("grant-with-grant-option", with.syntax(), "the role may hand on what it gets")
                .helped("grant to each role in a revision instead");
        }
    }

    fn role(&mut self, statement: &Statement, what: &str) {
        let message = format!("a role is {what}, which is about the whole server and not this database");
        self.add_whole("changing-role", statement, message)
            .helped("let whoever runs the server manage roles, and grant rights here");
        let passwords: Vec<ast::Literal> = statement
            .node
            .syntax()
            .descendants()
            .filter_map(|node| match ast::RoleOption::cast(node)? {
                ast::RoleOption::RoleOptionPassword(option) => option.literal(),
                ast::RoleOption::RoleOptionEncryptedPassword(option) => option.literal(),
                _ => None,
            })
            .filter(|literal| !matches!(literal.kind(), Some(ast::LitKind::Null(_))))
            .collect();
        for password in passwords {
            self.add_at("role-password", password.syntax(), "a password is written into the revision")
                .helped("set it outside, by what manages your secrets, and take this one for known");
        }
    }
}
