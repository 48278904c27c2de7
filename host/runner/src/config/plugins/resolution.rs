//! From the name of a set to its plugins: what it extends, adds, leaves out and changes.

use std::collections::BTreeMap;

use runner_policy::Change;
use runner_policy::PluginDefinition;
use runner_policy::builtin_set_names;
use runner_policy::builtin_set_plugins;
use runner_policy::loosening;
use runner_policy::make_strict;

use super::Plugins;
use super::definition;
use super::list;
use crate::config::file;
use crate::error::Error;
use crate::error::ErrorKind;
use crate::error::Result;
use crate::suggest::nearest;

/// Sets that extend each other deeper than this are a mistake.
const DEEPEST: usize = 32;

/// A plugin of a set, and why it is as it is.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) definition: PluginDefinition,
    /// The set that names it, then the one that extends that, up to the set in force.
    pub(crate) sets: Vec<String>,
    /// Where its source is said.
    pub(crate) source: String,
    /// Each setting, and where it is said.
    pub(crate) settings: BTreeMap<String, String>,
    /// Where its grants are said.
    pub(crate) grants: String,
    /// Where its limits are said.
    pub(crate) limits: String,
    /// Where its mode is said.
    pub(crate) mode: String,
    /// The strict set that it is a part of.
    strict: Option<&'static str>,
}

impl Member {
    /// Whether what it demands can be made stricter, never looser.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict.is_some()
    }
}

/// A set that was resolved.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) members: Vec<Member>,
    /// Plugins that were left out, and which set says so.
    pub(super) left_out: Vec<(String, String)>,
}

/// Whether a set, or one that it extends, wants a backup before something is destroyed.
pub(super) fn requires_backup(plugins: &Plugins, name: &str) -> bool {
    let mut names = vec![name];
    let mut next = 0;
    while let Some(set) = names.get(next).and_then(|name| plugins.sets.get(*name)) {
        next += 1;
        if set.backup {
            return true;
        }
        let more: Vec<&str> = set.extends.iter().map(String::as_str).filter(|name| !names.contains(name)).collect();
        names.extend(more);
        // Built-in sets say it by being strict.
        while names.get(next).is_some_and(|name| !plugins.sets.contains_key(*name)) {
            next += 1;
        }
    }
    false
}

pub(super) fn resolve(plugins: &Plugins, name: &str) -> Result<Resolved> {
    let mut resolution = Resolution { plugins, known: BTreeMap::new(), order: Vec::new(), left_out: Vec::new() };
    resolution.gather(name, &mut Vec::new())?;
    let mut members = resolution.known.get(name).cloned().unwrap_or_default();
    for set in &resolution.order {
        resolution.change(set, name, &mut members)?;
    }
    for member in &mut members {
        let Some(strict) = member.strict else { continue };
        let before = member.definition.clone();
        make_strict(&mut member.definition);
        let now = &member.definition;
        for (key, _) in now.settings.iter().filter(|(key, value)| before.settings.get(*key) != Some(value)) {
            member.settings.insert(key.clone(), format!("`{strict}`"));
        }
        if now.mode != before.mode {
            member.mode = format!("`{strict}`");
        }
        if now.grants != before.grants {
            member.grants = format!("{}, less what `{strict}` takes away", member.grants);
        }
    }
    Ok(Resolved { members, left_out: resolution.left_out })
}

struct Resolution<'a> {
    plugins: &'a Plugins,
    /// The members of each set, before changes.
    known: BTreeMap<String, Vec<Member>>,
    /// The sets with changes: each after those that it extends.
    order: Vec<String>,
    left_out: Vec<(String, String)>,
}

impl Resolution<'_> {
    fn gather(&mut self, name: &str, path: &mut Vec<String>) -> Result<()> {
        if path.iter().any(|visited| visited == name) {
            path.push(name.to_owned());
            let message = format!("plugin sets extend each other in a circle: {}", path.join(" -> "));
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        if self.known.contains_key(name) {
            return Ok(());
        }
        if path.len() >= DEEPEST {
            let message = format!("the plugin set `{}` extends others more than {DEEPEST} deep", path[0]);
            return Err(Error::new(ErrorKind::Configuration, message));
        }
        let members = match builtin_set_plugins(name) {
            Some((names, is_strict)) => self.built_in(name, names, is_strict)?,
            None => {
                path.push(name.to_owned());
                let members = self.written(name, path)?;
                path.pop();
                self.order.push(name.to_owned());
                members
            }
        };
        self.known.insert(name.to_owned(), members);
        Ok(())
    }

    fn built_in(&self, name: &str, names: &[&str], is_strict: bool) -> Result<Vec<Member>> {
        let strict = builtin_set_names().into_iter().find(|set| is_strict && *set == name);
        names.iter().map(|plugin| self.member(name, plugin, strict)).collect()
    }

    fn written(&mut self, name: &str, path: &mut Vec<String>) -> Result<Vec<Member>> {
        let set = self.plugins.sets.get(name).ok_or_else(|| self.unknown_set(name))?;
        let mut members: Vec<Member> = Vec::new();
        for parent in &set.extends {
            self.gather(parent, path)?;
            for member in self.known.get(parent).into_iter().flatten() {
                match members.iter_mut().find(|present| present.definition.name == member.definition.name) {
                    Some(present) => present.strict = present.strict.or(member.strict),
                    None => {
                        let mut member = member.clone();
                        member.sets.push(name.to_owned());
                        members.push(member);
                    }
                }
            }
        }
        for plugin in &set.plugins {
            if members.iter().all(|present| present.definition.name != *plugin) {
                members.push(self.member(name, plugin, None)?);
            }
        }
        for plugin in &set.without {
            self.leave_out(name, set, plugin, &mut members)?;
        }
        Ok(members)
    }

    fn leave_out(&mut self, name: &str, set: &file::PluginSet, plugin: &str, members: &mut Vec<Member>) -> Result<()> {
        let wrong = |message: String| self.plugins.wrong(&format!("{}.without", self.plugins.key(name)), message);
        if set.plugins.iter().any(|added| added == plugin) {
            return Err(wrong(format!("`{plugin}` is in `plugins` as well")));
        }
        let Some(index) = members.iter().position(|member| member.definition.name == plugin) else {
            let known: Vec<&str> = members.iter().map(|member| &*member.definition.name).collect();
            return Err(wrong(format!("`{plugin}` is not in any set that this one extends"))
                .maybe_help(nearest(plugin, &known).map(|nearest| format!("did you mean `{nearest}`?"))));
        };
        if let Some(strict) = members[index].strict {
            return Err(wrong(format!("`{plugin}` belongs to `{strict}`, from which nothing can be left out")));
        }
        members.remove(index);
        self.left_out.push((plugin.to_owned(), name.to_owned()));
        Ok(())
    }

    fn member(&self, set: &str, plugin: &str, strict: Option<&'static str>) -> Result<Member> {
        let (definition, place) = self.plugins.plugin(plugin).ok_or_else(|| self.unknown_plugin(set, plugin))?;
        Ok(Member {
            settings: definition.settings.keys().map(|key| (key.clone(), place.clone())).collect(),
            definition,
            sets: vec![set.to_owned()],
            source: place.clone(),
            grants: place.clone(),
            limits: place.clone(),
            mode: place,
            strict,
        })
    }

    /// Applies what a set changes in its plugins.
    fn change(&self, name: &str, top: &str, members: &mut [Member]) -> Result<()> {
        let Some(set) = self.plugins.sets.get(name) else { return Ok(()) };
        let own = self.known.get(name).map(Vec::as_slice).unwrap_or_default();
        let key = self.plugins.key(name);
        for (plugin, table) in &set.settings {
            let key = format!("{key}.settings.{plugin}");
            let changed = self.changed(&key, plugin, own, members)?;
            let settings = definition::settings(table.clone(), &key, &self.plugins.fill())?;
            let Some(member) = changed else { continue };
            for (setting, value) in settings {
                self.keep_strict(&format!("{key}.{setting}"), top, member, Change::Setting(&setting, &value))?;
                member.settings.insert(setting.clone(), self.plugins.place(&key));
                member.definition.settings.insert(setting, value);
            }
        }
        for (plugin, grants) in &set.grants {
            let key = format!("{key}.grants.{plugin}");
            let Some(member) = self.changed(&key, plugin, own, members)? else { continue };
            let grants = definition::grants(grants.clone(), &self.plugins.root);
            self.keep_strict(&key, top, member, Change::Grants(&grants))?;
            member.definition.grants = grants;
            member.grants = self.plugins.place(&key);
        }
        for (plugin, limits) in &set.limits {
            let key = format!("{key}.limits.{plugin}");
            let Some(member) = self.changed(&key, plugin, own, members)? else { continue };
            member.definition.limits = limits.clone();
            member.limits = self.plugins.place(&key);
        }
        for (plugin, mode) in &set.modes {
            let key = format!("{key}.modes.{plugin}");
            let Some(member) = self.changed(&key, plugin, own, members)? else { continue };
            self.keep_strict(&key, top, member, Change::Mode(*mode))?;
            member.definition.mode = *mode;
            member.mode = self.plugins.place(&key);
        }
        Ok(())
    }

    /// The plugin that a set changes. `None`: another set has left it out.
    fn changed<'m>(
        &self,
        key: &str,
        plugin: &str,
        own: &[Member],
        members: &'m mut [Member],
    ) -> Result<Option<&'m mut Member>> {
        if own.iter().all(|member| member.definition.name != plugin) {
            let known: Vec<&str> = own.iter().map(|member| &*member.definition.name).collect();
            return Err(self
                .plugins
                .wrong(key, format!("`{plugin}` is not in this set"))
                .maybe_help(nearest(plugin, &known).map(|nearest| format!("did you mean `{nearest}`?")))
                .help("name it in `plugins`, or in a set that is extended"));
        }
        Ok(members.iter_mut().find(|member| member.definition.name == plugin))
    }

    /// Refuses to loosen a plugin of a strict set.
    fn keep_strict(&self, key: &str, top: &str, member: &Member, change: Change<'_>) -> Result<()> {
        let Some(strict) = member.strict else { return Ok(()) };
        let name = &member.definition.name;
        let configured = self.plugins.plugin(name).map(|(definition, _)| definition);
        match loosening(configured.as_ref().unwrap_or(&member.definition), change) {
            None => Ok(()),
            Some(reason) => Err(self
                .plugins
                .wrong(key, format!("{reason}, because `{top}` extends `{strict}`"))
                .help(format!("what `{strict}` demands can be made stricter, never looser"))),
        }
    }

    fn unknown_set(&self, name: &str) -> Error {
        let known = self.plugins.set_names();
        let error = Error::new(ErrorKind::Configuration, format!("there is no plugin set `{name}`"))
            .maybe_help(nearest(name, &known).map(|nearest| format!("did you mean `{nearest}`?")))
            .help(format!("known are {}", list(&known)));
        match self.plugins.is_set_file {
            true => error.help("a set in a file of its own sees nothing of `runner.toml`"),
            false => error,
        }
    }

    fn unknown_plugin(&self, set: &str, plugin: &str) -> Error {
        let known = self.plugins.plugin_names();
        let message = format!("the plugin set `{set}` names `{plugin}`, which is not configured");
        let error = Error::new(ErrorKind::Configuration, message)
            .maybe_help(nearest(plugin, &known).map(|nearest| format!("did you mean `{nearest}`?")))
            .help(format!("configure it in `[plugins.{plugin}]`; known are {}", list(&known)));
        match self.plugins.is_set_file {
            true => error.help("a set in a file of its own sees nothing of `runner.toml`"),
            false => error,
        }
    }
}
