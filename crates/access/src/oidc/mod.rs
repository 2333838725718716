//! Whom to believe about people and jobs: OpenID Connect.
