//! Who may do what: principals, tokens, roles, sign-in by OpenID Connect.
