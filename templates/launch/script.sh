# Body of a launch script: an operator's own script, as sbatch would run it.
#
# Runs job.sh with what job.env exports, and the arguments that it sets; ends with its exit code. Behind a prologue it can be
# started by hand in a directory that holds these files.
set -euo pipefail

setup_failed() { # SENTENCE: not the script's fault
    printf '%s\n' "$1" | tee setup-failed >&2
    exit 70
}

[[ -f job.sh ]] || setup_failed 'There is no job.sh here.'
if [[ -f job.env ]]; then
    # shellcheck source=/dev/null  # quoted assignments and arguments, written by gpuq submit
    source ./job.env
fi
export GPUQ_JOB GPUQ_ATTEMPT GPUQ_NAME GPUQ_TIME_LIMIT

# A TERM is passed on, and the script's end is awaited: after a grace the supervisor sends KILL.
bash job.sh "$@" &
child=$!
trap 'passed_on=yes; kill -TERM "$child" 2>/dev/null || :' TERM
while :; do
    passed_on='' code=0
    wait "$child" || code=$?
    [[ $passed_on ]] || break
done
exit "$code"
