//! Parsed parts of a request; what cannot be parsed is answered in the one shape of all errors.

use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{ErrorBody, ErrorKind};

/// The body, as JSON.
pub(crate) struct Body<T>(pub(crate) T);

/// What stands after the `?`.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ErrorBody;

    async fn from_request(request: Request, state: &S) -> Result<Self, ErrorBody> {
        let parsed = Json::<T>::from_request(request, state).await;
        parsed
            .map(|Json(body)| Self(body))
            .map_err(|error| ErrorBody::new(ErrorKind::Usage, error.body_text()))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = ErrorBody;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorBody> {
        let parsed = Query::<T>::from_request_parts(parts, state).await;
        parsed
            .map(|Query(asked)| Self(asked))
            .map_err(|error| ErrorBody::new(ErrorKind::Usage, error.body_text()))
    }
}
