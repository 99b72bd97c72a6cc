# Body of a launch script: the grader as a plain process, for the quick start and for tests.
#
# There is NO isolation: the solution runs as this user and can read the answers. Behind a prologue it can be started by hand
# in a directory that holds solution.py; settings that are not in the environment are read from gpuq's configuration file.
set -euo pipefail

setup_failed() { # SENTENCE: not the solution's fault
    printf '%s\n' "$1" | tee setup-failed >&2
    exit 70
}

setting() { # NAME [DEFAULT]: from the environment, else from the configuration file
    local -r file=${GPUQ_CONF:-/etc/gpuq/gpuq.conf}
    local line value=${!1:-}
    if [[ ! $value && -r $file ]]; then
        while IFS= read -r line; do
            [[ $line != "$1="* ]] || value=${line#*=}
        done <"$file"
    fi
    value=${value:-${2:-}}
    [[ $value ]] || setup_failed "$1 is set neither in the environment nor in $file."
    printf -v "$1" '%s' "$value"
}

printf 'gpuq: template "process": NO ISOLATION, the solution runs as an ordinary process of %s.\n' "${USER:-this user}"

setting GPUQ_DATA_DIR
setting GPUQ_GRADER
setting GPUQ_PYTHON python3
[[ -f solution.py ]] || setup_failed 'There is no solution.py here.'
[[ -d $GPUQ_DATA_DIR/$GPUQ_COMPETITION/prepared ]] ||
    setup_failed "The data of $GPUQ_COMPETITION is not in $GPUQ_DATA_DIR on this node."
[[ -f $GPUQ_GRADER ]] || setup_failed "The grader $GPUQ_GRADER is not on this node."
type -P "$GPUQ_PYTHON" >/dev/null || setup_failed "The interpreter $GPUQ_PYTHON is not on this node."

# Seconds as hours. Rounded up, so that one second is not none.
printf -v hours '%d.%06d' $((GPUQ_TIME_LIMIT / 3600)) $(((GPUQ_TIME_LIMIT % 3600 * 1000000 + 3599) / 3600))

# A TERM is passed on, and the grader's end is awaited: after a grace the supervisor sends KILL.
MLE_BENCH_DATA_DIR=$GPUQ_DATA_DIR "$GPUQ_PYTHON" "$GPUQ_GRADER" \
    solution.py "$GPUQ_COMPETITION" results.jsonl --timeout "$hours" &
child=$!
trap 'passed_on=yes; kill -TERM "$child" 2>/dev/null || :' TERM
while :; do
    passed_on='' code=0
    wait "$child" || code=$?
    [[ $passed_on ]] || break
done
[[ $code != 70 ]] || setup_failed "The grader could not grade: the data of $GPUQ_COMPETITION on this node is broken."
exit "$code"
