#!/usr/bin/env bats
load fixture

bodies=$BATS_TEST_DIRNAME/../../templates/launch

# A job directory as the supervisor makes it, with a body behind hostile facts.
prepare() { # TEMPLATE
    printf '%s\n' 'GPUQ_COMPETITION=pizza' 'GPUQ_TIME_LIMIT=5400' >launch.sh
    cat "$bodies/$1.sh" >>launch.sh
    printf ':\n' >solution.py
}

@test "bodies hold no interpolation and are clean" {
    shellcheck -s bash "$bodies"/script.sh "$bodies"/process.sh "$bodies"/aira-dojo.sh
    run ! grep -nE '\$\{[a-z]+\.|<#|\[#|\[=' "$bodies"/{script,process,aira-dojo}.sh
}

@test "process: by hand in a job's directory it takes the site's settings from the configuration file" {
    prepare process
    run bash launch.sh
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == *'NO ISOLATION'* ]]
    [ "$(<results.jsonl)" = '{"competition": "pizza", "exit_code": 0}' ]
}

@test "process: the limit reaches the grader in hours, and the data's place in its environment" {
    prepare process
    printf '%s\n' 'printf "%s\n" "$*" "$MLE_BENCH_DATA_DIR" >seen' >"$BATS_TEST_TMPDIR/grader"
    bash launch.sh
    [ "$(<seen)" = "solution.py pizza results.jsonl --timeout 1.500000"$'\n'"$BATS_TEST_TMPDIR/data" ]
}

@test "process: what is not the solution's fault is told in setup-failed, with exit 70" {
    for setting in GPUQ_DATA_DIR= GPUQ_GRADER=/absent GPUQ_PYTHON=absent GPUQ_DATA_DIR=/absent; do
        prepare process
        rm -f setup-failed
        setting "${setting%%=*}" "${setting#*=}"
        run bash launch.sh
        [ "$status" -eq 70 ]
        [ "$(wc -l <setup-failed)" -eq 1 ]
        setting GPUQ_DATA_DIR "$BATS_TEST_TMPDIR/data"
    done
}

@test "process: a grader that says 70 found the node's data broken" {
    prepare process
    printf 'exit 70\n' >"$BATS_TEST_TMPDIR/grader"
    run bash launch.sh
    [ "$status" -eq 70 ]
    grep -q 'data of pizza' setup-failed
}

# An apptainer that writes down how it was called.
fake_apptainer() { # EXIT_CODE
    mkdir -p dojo/src/dojo bin images
    touch dojo/src/dojo/grade_code.py images/image.sif
    printf '%s\n' '#!/bin/bash' "printf '%s\\n' \"\$PWD\" \"\$@\" \"\$APPTAINERENV_MLE_BENCH_DATA_DIR\" \"\$APPTAINERENV_SUPERIMAGE_DIR\" \"\$APPTAINERENV_CUDA_VISIBLE_DEVICES\" >$PWD/seen" \
        'trap "echo >'"$PWD"'/termed; exit 143" TERM' '[[ ! ${SLOW:-} ]] || { touch '"$PWD"'/ready; sleep 4726 & wait; }' "[[ ! \${WRITES:-} ]] || echo half >$PWD/results.part" "exit $1" >bin/apptainer
    chmod +x bin/apptainer
    setting GPUQ_APPTAINER "$PWD/bin/apptainer"
    setting GPUQ_AIRA_DOJO_DIR "$PWD/dojo"
    setting GPUQ_IMAGE "$PWD/images/image.sif"
}

@test "aira-dojo: the grader is called in its checkout with absolute paths, only the slot's GPU is passed" {
    prepare aira-dojo
    fake_apptainer 0
    CUDA_VISIBLE_DEVICES=3 bash launch.sh
    data=$BATS_TEST_TMPDIR/data
    printf '%s\n' "$PWD/dojo" exec --pid --no-eval --pwd "$PWD/dojo" \
        --mount "type=bind,\"source=$PWD/images\",\"destination=$PWD/images\"" \
        --mount "type=bind,\"source=$PWD/dojo\",\"destination=$PWD/dojo\"" --mount "type=bind,\"source=$PWD\",\"destination=$PWD\"" \
        --mount "type=bind,\"source=$data\",\"destination=$data\",ro" "$PWD/images/image.sif" python src/dojo/grade_code.py \
        "$PWD/solution.py" pizza "$PWD/results.part" --timeout 1.500000 "$data" "$PWD/images" 3 >expected
    diff expected <(grep -vx -- --nv seen)
}

@test "aira-dojo: a missing image or checkout, and apptainer's own 255, are not the solution's fault" {
    prepare aira-dojo
    fake_apptainer 255
    run bash launch.sh
    [ "$status" -eq 70 ]
    grep -q apptainer setup-failed
    rm images/image.sif
    run bash launch.sh
    [ "$status" -eq 70 ]
    grep -q image.sif setup-failed
    rm -r dojo
    run bash launch.sh
    [ "$status" -eq 70 ]
    grep -q 'no checkout' setup-failed
}

@test "aira-dojo: what the grader wrote are results when it says that it is done, and not before" {
    prepare aira-dojo
    fake_apptainer 137
    run -137 env WRITES=yes bash launch.sh
    [ ! -e results.jsonl ]
    fake_apptainer 0
    WRITES=yes bash launch.sh
    [ "$(<results.jsonl)" = half ]
    [ ! -e results.part ]
}

@test "aira-dojo: TERM is passed on, and the end awaited" {
    prepare aira-dojo
    fake_apptainer 0
    SLOW=yes bash launch.sh &
    launch=$!
    until_true test -e ready
    kill -TERM "$launch"
    rc=0
    wait "$launch" || rc=$?
    [ "$rc" -eq 143 ]
    [ -e termed ]
    pkill -f 'sleep 4726' || :
}
