#!/usr/bin/env bash
# A task of an array job that `engram sweep --on slurm` submits: begins one run of a sweep, or goes on with it.
#
#     sbatch --array=INDICES job.sh FOLDER OFFSET ENGRAM [OPTION]...
#
# It works on run OFFSET + index of FOLDER/runs.csv, counted from 0, with `ENGRAM resume RUN [OPTION]...`.
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
set -u
folder=$1 index=$(($2 + SLURM_ARRAY_TASK_ID)) program=$3
shift 3
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID

# Shortly before the time limit Slurm signals this shell alone, which passes it on.
child='' asked=''
trap 'asked=1 interrupted=1; [ -z "$child" ] || kill -USR1 "$child"' USR1

# The first column is the run's name, which has no character that CSV or a shell would quote.
run=$(sed -n "$((index + 2))p" "$folder/runs.csv")
run=$folder/${run%%,*}
if [ ! -e "$run/config.toml" ]; then
  echo "job $task: run $index of $folder/runs.csv has no $run/config.toml" >&2
  exit 2
fi
exec >> "$run/log.txt" 2>&1 < /dev/null
echo "== job $task on ${SLURMD_NODENAME:-$(hostname)}, restart ${SLURM_RESTART_COUNT:-0}"

# The process of a node that was lost, or the file server on its behalf, may hold the run's lock for a while.
(
  flock -w 600 "$run/.lock" true
  exec "$program" resume "$run" --quiet "$@"
) &
child=$!
# A requeue, a pre-emption and a cancellation send SIGTERM to all processes: the run saves, this shell waits for it.
trap 'interrupted=1' TERM
[ -z "$asked" ] || kill -USR1 "$child"
while interrupted=''; wait "$child"; code=$?; [ -n "$interrupted" ] && kill -0 "$child" 2> /dev/null; do :; done

echo "== exit code $code"
# 138: SIGUSR1. All is saved; the task goes on when it is its turn again.
[ "$code" -ne 138 ] || scontrol requeue "$task"
exit "$code"
