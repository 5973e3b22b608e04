//! What a line of the registry is handed to make an environment from.

use std::ops::RangeInclusive;

use crate::env::EnvError;
use crate::options::{Options, Value};

/// What an environment is made from.
#[derive(Debug)]
pub struct Request<'a> {
    /// The whole id.
    pub id: &'a str,
    /// What stands in the id where its pattern has braces.
    pub parameters: &'a str,
    /// Every option of the entry, given or default.
    pub options: Options,
}

impl Request<'_> {
    /// The error for an id or an option that makes no environment.
    pub fn refuse(&self, message: impl Into<String>) -> EnvError {
        EnvError::Option { id: self.id.into(), message: message.into() }
    }

    /// The value of a true-or-false option.
    pub fn boolean(&self, name: &str) -> Result<bool, EnvError> {
        match self.options.get(name) {
            Some(Value::Boolean(value)) => Ok(*value),
            _ => Err(self.undeclared(name)),
        }
    }

    /// The value of a whole-number option, which must lie in `range`.
    pub fn integer(&self, name: &str, range: RangeInclusive<i64>) -> Result<i64, EnvError> {
        match self.options.get(name) {
            Some(Value::Integer(value)) if range.contains(value) => Ok(*value),
            Some(Value::Integer(value)) => Err(self.refuse(format!(
                "option `{name}` lies between {} and {}, not {value}",
                range.start(),
                range.end()
            ))),
            _ => Err(self.undeclared(name)),
        }
    }

    /// The value of a real-number option, which must lie in `range`.
    pub fn float(&self, name: &str, range: RangeInclusive<f64>) -> Result<f64, EnvError> {
        match self.options.get(name) {
            Some(Value::Float(value)) if range.contains(value) => Ok(*value),
            Some(Value::Float(value)) => Err(self.refuse(format!(
                "option `{name}` lies between {} and {}, not {value}",
                range.start(),
                range.end()
            ))),
            _ => Err(self.undeclared(name)),
        }
    }

    /// Reads an index in the id: digits only, below `count`.
    pub fn index(&self, text: &str, count: usize) -> Result<usize, EnvError> {
        let index = text.parse().ok().filter(|index: &usize| *index < count && index.to_string() == text);
        index.ok_or_else(|| self.refuse(format!("`{text}` is not a number from 0 to {}", count.saturating_sub(1))))
    }

    fn undeclared(&self, name: &str) -> EnvError {
        self.refuse(format!("its line in the registry declares no option `{name}` of this kind"))
    }
}
