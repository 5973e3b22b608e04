//! Submitting and running tasks against `tests/fake_slurm`; `.ci/slurm` does the same with the real Slurm.

use std::{
    fs,
    process::{Child, Command},
    thread,
    time::Duration,
};

use super::*;
use crate::sweep::Entry;

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
        let sweep = fake.sweep();
        for index in 0..sweep.runs.len() {
            fs::create_dir_all(sweep.run(index)).unwrap();
            fs::write(sweep.run(index).join("config.toml"), "").unwrap();
        }
        fake
    }

    fn sweep(&self) -> Sweep {
        let entry = |seed| Entry {
            run: format!("ewc_lambda=0.{seed}__{seed}__0a"),
            method: "ewc".into(),
            seed,
            settings: String::new(),
            steps: 1,
        };
        Sweep { folder: self.root.path().join("100% of my $weep"), runs: (0..6).map(entry).collect() }
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

    fn submit(&self, pending: &[usize], options: &SlurmOptions) -> Result<Vec<Task>, SlurmError> {
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
        let (sweep, script) = (self.sweep(), self.root.path().join("job.sh"));
        fs::write(&script, script_of(&sweep, &Array { offset: 1, runs: vec![1, 2] })).unwrap();
        let mut task = Command::new("bash");
        task.arg(script).arg(sweep.folder).arg(self.root.path().join("engram"));
        task.args(["--checkpoint-period", "5m"]).env("PATH", self.slurm().path.unwrap());
        task.envs([("SLURM_ARRAY_JOB_ID", "7"), ("SLURM_ARRAY_TASK_ID", index), ("SLURMD_NODENAME", "n1")]);
        task.spawn().unwrap()
    }

    fn log(&self, run: usize) -> String {
        let log = fs::read_to_string(self.sweep().run(run).join("log.txt")).unwrap_or_default();
        log.replace(self.root.path().to_str().unwrap(), "")
    }
}

fn task(job: u64, index: usize, seed: usize) -> Task {
    Task { job, index, run: format!("ewc_lambda=0.{seed}__{seed}__0a") }
}

#[test]
fn arrays_are_split_where_the_cluster_has_its_limit() {
    let array = |offset, runs: &[usize]| Array { offset, runs: runs.to_vec() };
    assert_eq!(split(vec![7, 0, 1, 2, 3, 7], 1001), [array(0, &[0, 1, 2, 3, 7])]);
    let three = [array(0, &[0, 1, 4]), array(5, &[5, 6]), array(10, &[12])];
    assert_eq!(split(vec![0, 1, 4, 5, 6, 12], 5), three);
    assert_eq!(three[2].indices(), [2]);
    assert_eq!(split(vec![3, 4], 1), [array(3, &[3]), array(4, &[4])]);
    assert_eq!(split(vec![999, 1000], 4_000_001), [array(0, &[999]), array(1000, &[1000])]);
    assert_eq!(split(vec![], 5), []);
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
    let expected = [task(101, 0, 0), task(101, 1, 1), task(102, 0, 3), task(102, 2, 5)];
    assert_eq!(fake.submit(&[0, 1, 3, 5], &options).unwrap(), expected);
    let first = "sbatch --parsable --array=0-1%4 --job-name=engram 100% of my $weep \
                 --output=/100%% of my $weep/slurm-%A.txt --time=2:01:30 --partition=gpu --mem=1G \
                 /100% of my $weep/job.sh /100% of my $weep /opt/my engram --checkpoint-period 5m";
    let second = first.replace("0-1%4", "0,2%4").replace("--time", "--dependency=afterany:101 --time");
    assert_eq!(fake.calls("sbatch"), [first, &second]);
    let sweep = fake.sweep();
    assert_eq!(tasks::read(&sweep.folder).unwrap(), expected);
    let script = fs::read_to_string(sweep.folder.join("job.sh")).unwrap();
    assert_eq!(script.strip_prefix(SCRIPT).unwrap(), "#RUN 0 ewc_lambda=0.3__3__0a\n#RUN 2 ewc_lambda=0.5__5__0a\n");
}

#[test]
fn what_is_in_the_queue_is_not_submitted_again() {
    let fake = Fake::new(1001);
    let (sweep, options) = (fake.sweep(), SlurmOptions::default());
    fake.submit(&[0, 1, 2], &options).unwrap();
    fake.put("squeue.says", "101|0||Priority\n101|2|left|None\n");
    assert_eq!(fake.submit(&[0, 1, 2], &options).unwrap(), [task(102, 1, 1)]);
    assert_eq!(fake.calls("squeue"), ["squeue --noheader --array --format=%F|%K|%N|%r --jobs=101"]);
    let queued = queue::queue_by(&fake.slurm(), &sweep.folder).unwrap();
    assert_eq!(queued[&sweep.runs[1].run], Queued::Gone);
    assert_eq!(queued[&sweep.runs[2].run], Queued::Running { node: "left".into() });
    fake.put("squeue.fails", "slurm_load_jobs error: Invalid job id specified\n");
    let queued = queue::queue_by(&fake.slurm(), &sweep.folder).unwrap();
    assert!(queued.len() == 3 && queued.values().all(|queued| *queued == Queued::Gone));
}

#[test]
fn errors_are_slurms_own_words() {
    let fake = Fake::new(2);
    let sweep = fake.sweep();
    let nowhere = Slurm { path: Some(sweep.folder.clone().into_os_string()) };
    let error = check_by(&nowhere, &SlurmOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("there is no `scontrol` on the PATH"), "{error}");
    let short = SlurmOptions { time: Some(Duration::from_mins(1)), ..SlurmOptions::default() };
    let error = check_by(&fake.slurm(), &short).unwrap_err().to_string();
    assert_eq!(error, "a time limit of 60 s is too short: it must be at least 5 minutes");
    assert!(matches!(check_by(&Fake::new(0).slurm(), &SlurmOptions::default()), Err(SlurmError::NoArrays)));
    assert!(check_by(&fake.slurm(), &SlurmOptions::default()).is_ok());
    fake.put("sbatch.fails", "sbatch: error: invalid partition specified: gpu\nsbatch: error: it failed\n");
    let error = fake.submit(&[0, 2], &SlurmOptions::default()).unwrap_err().to_string();
    assert_eq!(error, "`sbatch` failed: sbatch: error: invalid partition specified: gpu; sbatch: error: it failed");
    assert_eq!(tasks::read(&sweep.folder).unwrap(), []);
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
    let once = "== job 7_0 on n1, restart 0\n\
                trains resume /100% of my $weep/ewc_lambda=0.1__1__0a --quiet --checkpoint-period 5m\n";
    assert_eq!(fake.log(1), once.repeat(2));
    assert_eq!(fake.calls("scontrol"), [""; 0]);
    // The array has no such index.
    assert_eq!(fake.task("2").wait().unwrap().code(), Some(2));
}

#[test]
fn before_its_time_limit_a_task_saves_and_queues_itself_again() {
    let fake = Fake::new(1001);
    fake.put("engram.says", "");
    let mut task = fake.task("1");
    while !fake.log(2).contains("trains") {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(Command::new("kill").args(["-USR1", &task.id().to_string()]).status().unwrap().success());
    assert_eq!(task.wait().unwrap().code(), Some(138));
    assert!(fake.log(2).contains("--checkpoint-period 5m\nsaved\n"), "{}", fake.log(2));
    assert_eq!(fake.calls("scontrol"), ["scontrol requeue 7_1"]);
}
