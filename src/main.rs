//! Engram.
fn main(){}
