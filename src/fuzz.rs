//! How hard the tests of reading foreign bytes try.

use proptest::test_runner::Config;

/// As many cases as `ENGRAM_FUZZ_CASES` says, or `few` where it is not set. What failed once is not written to files.
pub fn cases(few: u32) -> Config {
    let cases = std::env::var("ENGRAM_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(few);
    Config { cases, failure_persistence: None, ..Config::default() }
}
