//! What weighs the findings in a plan: comments, configuration and baseline, as for `runner lint`.

use runner_chain::Chain;
use runner_database::Dialect;
use runner_policy::Identity;
use runner_policy::Policies;
use runner_policy::data;

use super::lint::known_levels;
use crate::config::Config;
use crate::error::Result;
use crate::lint::Assessment;
use crate::lint::Here;
use crate::lint::OfPlan;
use crate::lint::Severities;
use crate::lint::baseline::Baseline;

/// Everything that findings are weighed with.
pub(crate) struct Weighing {
    severities: Severities,
    baseline: Option<Baseline>,
    looked_at: Vec<String>,
}

impl Weighing {
    /// Reads what is said about lint. Only a plan that runs something is worth that.
    ///
    /// # Errors
    /// The configuration or the baseline can't be read.
    pub(crate) async fn of(
        config: &Config,
        looked_at: Vec<String>,
        dialect: Dialect,
        policies: &Policies,
        identity: &Identity,
        context: &data::Context,
    ) -> Result<Self> {
        let settings = config.lint()?;
        let mut here =
            Here { dialect, environment: identity.name.clone(), aliases: Vec::new(), production: identity.production };
        if settings.layers.iter().any(|layer| !layer.rules.is_empty()) {
            let levels = known_levels(policies, context).await?;
            let own = levels.into_iter().find(|level| level.name == here.environment);
            here.aliases = own.map(|level| level.aliases).unwrap_or_default();
        }
        let baseline = settings.baseline.as_ref().map(|(path, shown)| Baseline::read(path, shown)).transpose()?;
        let strict = config.active_set()?.strict().map(str::to_owned).collect();
        Ok(Weighing { severities: Severities::new(settings.layers, here, strict), baseline, looked_at })
    }

    /// The place that all findings of the plan pass.
    pub(crate) fn scales<'a>(&'a self, chain: &'a Chain, dialect: Dialect) -> OfPlan<'a> {
        OfPlan::new(Assessment {
            chain,
            dialect,
            severities: &self.severities,
            baseline: self.baseline.as_ref(),
            looked_at: &self.looked_at,
            is_complete: false,
            knows_rules: false,
            is_plan: true,
            wants_fingerprints: self.baseline.is_some(),
            // The policies are heard by somebody who knows that.
            audited: &[],
        })
    }
}
