//! Forms, one test per variation.
