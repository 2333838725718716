//! A team's own conditions, as expressions over the plan and what is known.
