# Body of a launch script: aira-dojo's grader, in the site's container image.
#
# The grader in there starts the solution in a container of its own. Behind a prologue it can be started by hand in a directory
# that holds solution.py; settings that are not in the environment are read from gpuq's configuration file.
set -euo pipefail

setup_failed() { # SENTENCE: not the solution's fault
    printf '%s\n' "$1" | tee "$work/setup-failed" >&2
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

work=$PWD
setting GPUQ_DATA_DIR
setting GPUQ_IMAGE
setting GPUQ_AIRA_DOJO_DIR /home/gpuuser/aira-dojo
setting GPUQ_APPTAINER apptainer
[[ -f solution.py ]] || setup_failed 'There is no solution.py here.'
[[ -d $GPUQ_DATA_DIR/$GPUQ_COMPETITION/prepared ]] ||
    setup_failed "The data of $GPUQ_COMPETITION is not in $GPUQ_DATA_DIR on this node."
[[ -f $GPUQ_AIRA_DOJO_DIR/src/dojo/grade_code.py ]] || setup_failed "There is no checkout of aira-dojo in $GPUQ_AIRA_DOJO_DIR."
[[ -e $GPUQ_IMAGE ]] || setup_failed "The container image $GPUQ_IMAGE is not on this node."
images=${GPUQ_IMAGE%/*}
[[ $images == /* ]] || setup_failed "GPUQ_IMAGE is $GPUQ_IMAGE, which is no absolute path of an image in a folder."
type -P "$GPUQ_APPTAINER" >/dev/null || setup_failed "$GPUQ_APPTAINER is not on this node."

# Seconds as hours. Rounded up, so that one second is not none.
printf -v hours '%d.%06d' $((GPUQ_TIME_LIMIT / 3600)) $(((GPUQ_TIME_LIMIT % 3600 * 1000000 + 3599) / 3600))

# --mount takes a path as it is, --bind splits it at commas and colons. --no-eval: values from the environment are not run.
# The grader finds the images that it starts solutions in beside its own.
flags=(--pid --no-eval --pwd "$GPUQ_AIRA_DOJO_DIR")
for path in "$images" "$GPUQ_AIRA_DOJO_DIR" "$work"; do
    flags+=(--mount "type=bind,\"source=$path\",\"destination=$path\"")
done
flags+=(--mount "type=bind,\"source=$GPUQ_DATA_DIR\",\"destination=$GPUQ_DATA_DIR\",ro")
for device in /dev/nvidia[0-9]*; do
    if [[ -e $device ]]; then
        flags+=(--nv)
        break
    fi
done

export APPTAINERENV_MLE_BENCH_DATA_DIR=$GPUQ_DATA_DIR
export APPTAINERENV_SUPERIMAGE_DIR=$images
export APPTAINERENV_CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES:-}

# The grader writes its document in place: it gets its name when the grader has said that it is done, so that half of one is never taken
# for results, not even of a job that is cancelled at that moment.
# A TERM is passed on (the grader stops its own container then), and the end is awaited: after a grace the supervisor sends KILL.
cd "$GPUQ_AIRA_DOJO_DIR"
"$GPUQ_APPTAINER" exec "${flags[@]}" "$GPUQ_IMAGE" python src/dojo/grade_code.py \
    "$work/solution.py" "$GPUQ_COMPETITION" "$work/results.part" --timeout "$hours" &
child=$!
trap 'passed_on=yes; kill -TERM "$child" 2>/dev/null || :' TERM
while :; do
    passed_on='' code=0
    wait "$child" || code=$?
    [[ $passed_on ]] || break
done
# 255 is apptainer's own: the grader never ran, unless it began to write.
[[ $code != 255 || -e $work/results.part ]] || setup_failed 'apptainer could not start the container.'
[[ $code != 0 || ! -e $work/results.part ]] || mv -T -- "$work/results.part" "$work/results.jsonl"
exit "$code"
