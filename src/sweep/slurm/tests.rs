//! Submitting and running tasks against `tests/fake_slurm`; `.ci/slurm` does the same with the real Slurm.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
    thread,
    time::Duration,
};

use super::*;

/// A folder with the commands of a cluster, and a sweep of three runs in a folder whose name needs quotes.
struct Fake {
    root: tempfile::TempDir,
}

impl Fake {
    fn new(max_array_size: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake_slurm");
        for name in ["sbatch", "squeue", "scontrol", "engram"] {
            std::os::unix::fs::symlink(script, root.path().join(name)).unwrap();
        }
        let fake = Self { root };
        fake.put("scontrol.says", &format!("Configuration\nMaxArraySize            = {max_array_size}\nX = 1\n"));
        fake.put("squeue.says", "");
        fs::create_dir(fake.sweep()).unwrap();
        fs::write(fake.sweep().join("runs.csv"), "run,label\na,\"x, y\"\nb=1,z\nc,z\n").unwrap();
        for run in ["a", "b=1", "c"] {
            fs::create_dir(fake.sweep().join(run)).unwrap();
            fs::write(fake.sweep().join(run).join("config.toml"), "").unwrap();
        }
        fake
    }

    fn sweep(&self) -> PathBuf {
        self.root.path().join("100% of my $weep")
    }

    fn put(&self, file: &str, text: &str) {
        fs::write(self.root.path().join(file), text).unwrap();
    }

    fn slurm(&self) -> Slurm {
        let mut path = self.root.path().as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        Slurm { path: Some(path) }
    }

    fn submit(&self, pending: &[usize], options: &SlurmOptions) -> Result<Vec<ArrayJob>, SlurmError> {
        submit_by(&self.slurm(), &self.sweep(), Path::new("/opt/my engram"), pending, options)
    }

    /// How the command was called, without the paths of this test.
    fn calls(&self, name: &str) -> Vec<String> {
        let calls = fs::read_to_string(self.root.path().join("calls")).unwrap_or_default();
        let calls = calls.replace(self.root.path().to_str().unwrap(), "");
        calls.lines().filter(|call| call.split(' ').next() == Some(name)).map(str::to_owned).collect()
    }

    /// Starts the script of a task on its own.
    fn task(&self, index: &str) -> Child {
        fs::write(self.sweep().join("job.sh"), SCRIPT).unwrap();
        let mut task = Command::new("bash");
        task.arg(self.sweep().join("job.sh")).arg(self.sweep()).arg("1").arg(self.root.path().join("engram"));
        task.args(["--checkpoint-period", "5m"]).env("PATH", self.slurm().path.unwrap());
        task.envs([("SLURM_ARRAY_JOB_ID", "7"), ("SLURM_ARRAY_TASK_ID", index), ("SLURMD_NODENAME", "n1")]);
        task.spawn().unwrap()
    }

    fn log(&self, run: &str) -> String {
        let log = fs::read_to_string(self.sweep().join(run).join("log.txt")).unwrap_or_default();
        log.replace(self.root.path().to_str().unwrap(), "")
    }
}

fn job(job: u64, offset: usize, indices: &str) -> ArrayJob {
    ArrayJob { job, offset, indices: indices.into() }
}

#[test]
fn arrays_are_split_where_the_cluster_has_its_limit() {
    let pairs =
        |pairs: &[(usize, &str)]| pairs.iter().map(|(offset, text)| (*offset, (*text).into())).collect::<Vec<_>>();
    assert_eq!(split(vec![7, 0, 1, 2, 3, 7], 1001).unwrap(), pairs(&[(0, "0-3,7")]));
    assert_eq!(split(vec![0, 1, 4, 5, 6, 12], 5).unwrap(), pairs(&[(0, "0-1,4"), (5, "0-1"), (10, "2")]));
    assert_eq!(split(vec![3, 4], 1).unwrap(), pairs(&[(3, "0"), (4, "0")]));
    assert_eq!(split(vec![9_999, 10_000], 4_000_001).unwrap(), pairs(&[(0, "9999"), (10_000, "0")]));
    assert_eq!(split(vec![], 5).unwrap(), []);
    assert!(matches!(split(vec![1], 0), Err(SlurmError::NoArrays)));
}

#[test]
fn a_sweep_is_submitted_with_all_options_and_noted_down() {
    let fake = Fake::new(3);
    let options = SlurmOptions {
        jobs: Some(4),
        time: Some(Duration::from_secs(2 * 3600 + 90)),
        partition: Some("gpu".into()),
        sbatch: vec!["--mem=1G".into()],
        resume: vec!["--checkpoint-period".into(), "5m".into()],
    };
    let expected = [job(101, 0, "0-1"), job(102, 3, "0,2")];
    assert_eq!(fake.submit(&[0, 1, 3, 5], &options).unwrap(), expected);
    let first = "sbatch --parsable --array=0-1%4 --job-name=engram 100% of my $weep \
                 --output=/100%% of my $weep/slurm-%A.txt --time=2:01:30 --partition=gpu --mem=1G \
                 /100% of my $weep/job.sh /100% of my $weep 0 /opt/my engram --checkpoint-period 5m";
    let second = first.replace("0-1%4", "0,2%4").replace("--time", "--dependency=afterany:101 --time");
    assert_eq!(fake.calls("sbatch"), [first, &second.replace("$weep 0 ", "$weep 3 ")]);
    assert_eq!(job_list::read(&fake.sweep()).unwrap(), expected);
    assert_eq!(fs::read_to_string(fake.sweep().join("job.sh")).unwrap(), SCRIPT);
}

#[test]
fn what_is_in_the_queue_is_not_submitted_again() {
    let fake = Fake::new(1001);
    let options = SlurmOptions::default();
    fake.submit(&[0, 1, 2], &options).unwrap();
    fake.put("squeue.says", "101|0||Priority\n101|2|left|None\n");
    assert_eq!(fake.submit(&[0, 1, 2], &options).unwrap(), [job(102, 0, "1")]);
    assert_eq!(fake.calls("squeue"), ["squeue --noheader --array --format=%F|%K|%N|%r --jobs=101"]);
    let queued = queue::queue_by(&fake.slurm(), &fake.sweep()).unwrap();
    assert_eq!(queued[&1], Queued::Gone);
    assert_eq!(queued[&2], Queued::Running { node: "left".into() });
    fake.put("squeue.fails", "slurm_load_jobs error: Invalid job id specified\n");
    assert!(queue::queue_by(&fake.slurm(), &fake.sweep()).unwrap().values().all(|queued| *queued == Queued::Gone));
}

#[test]
fn errors_are_slurms_own_words() {
    let fake = Fake::new(2);
    let error = |slurm: &Slurm, options: SlurmOptions| {
        submit_by(slurm, &fake.sweep(), Path::new("engram"), &[0, 2], &options).unwrap_err().to_string()
    };
    let nowhere = Slurm { path: Some(fake.sweep().into_os_string()) };
    assert!(error(&nowhere, SlurmOptions::default()).starts_with("there is no `scontrol` on the PATH"));
    let short = SlurmOptions { time: Some(Duration::from_mins(1)), ..SlurmOptions::default() };
    assert_eq!(error(&fake.slurm(), short), "a time limit of 60 s is too short: it must be at least 5 minutes");
    fake.put(
        "sbatch.fails",
        "sbatch: error: invalid partition specified: gpu\nsbatch: error: Batch job submission failed\n",
    );
    let said =
        "`sbatch` failed: sbatch: error: invalid partition specified: gpu; sbatch: error: Batch job submission failed";
    assert_eq!(error(&fake.slurm(), SlurmOptions::default()), said);
    assert_eq!(job_list::read(&fake.sweep()).unwrap(), []);
}

#[test]
fn ids_are_numbers() {
    assert_eq!(id("12\n").unwrap(), 12);
    assert_eq!(id("12;cluster\n").unwrap(), 12);
    assert!(id("Submitted batch job 12").is_err());
}

#[test]
fn a_task_trains_its_run_and_ends_with_its_exit_code() {
    let fake = Fake::new(1001);
    for code in ["0", "3"] {
        fake.put("engram.says", code);
        assert_eq!(fake.task("0").wait().unwrap().code().unwrap().to_string(), code);
    }
    let run = "/100% of my $weep/b=1";
    let once = |code| {
        format!(
            "== job 7_0 on n1, restart 0\ntrains resume {run} --quiet --checkpoint-period 5m\n== exit code {code}\n"
        )
    };
    assert_eq!(fake.log("b=1"), once(0) + &once(3));
    assert_eq!(fake.calls("scontrol"), [""; 0]);
    // There is no run 1 + 2.
    assert_eq!(fake.task("2").wait().unwrap().code(), Some(2));
}

#[test]
fn before_its_time_limit_a_task_saves_and_queues_itself_again() {
    let fake = Fake::new(1001);
    fake.put("engram.says", "");
    let mut task = fake.task("1");
    while !fake.log("c").contains("trains") {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-USR1", &task.id().to_string()]).status().unwrap().success());
    assert_eq!(task.wait().unwrap().code(), Some(138));
    assert!(fake.log("c").contains("--checkpoint-period 5m\nsaved\n== exit code 138\n"), "{}", fake.log("c"));
    assert_eq!(fake.calls("scontrol"), ["scontrol requeue 7_1"]);
}
