#!/usr/bin/env bash
# A task of an array job: begins one run of a sweep, or goes on with it, by `ENGRAM resume FOLDER/RUN [OPTION]...`.
# `engram sweep --on slurm` adds the runs of the tasks at the end and submits it as
#
#     sbatch --array=INDICES job.sh FOLDER ENGRAM [OPTION]...
#
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
set -u
folder=$1 program=$2
shift 2
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID

# Shortly before the time limit Slurm signals this shell alone, which passes it on.
child='' asked=''
trap 'asked=1 interrupted=1; [ -z "$child" ] || kill -USR1 "$child"' USR1

run=$folder/$(sed -n "s/^#RUN $SLURM_ARRAY_TASK_ID //p" "$0")
if [ ! -e "$run/config.toml" ]; then
  echo "job $task: there is no $run/config.toml" >&2
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

# 138: SIGUSR1. All is saved; the task goes on when it is its turn again.
[ "$code" -ne 138 ] || scontrol requeue "$task"
exit "$code"
