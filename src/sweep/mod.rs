//! Many runs as one: a sweep folder, and who trains its runs.

pub mod slurm;
