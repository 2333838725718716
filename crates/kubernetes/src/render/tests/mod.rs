mod folder;
mod helm;
mod kustomize;
mod plain;
mod prepared;

use folder::Project;
