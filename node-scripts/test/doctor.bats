#!/usr/bin/env bats
load fixture

says_of() { # CHECK STATE WORDS: what the doctor says of one thing, with the exit code that goes with it
    run gpuq doctor
    [ "$status" -eq "$(grep -cm1 -E '^[a-z]+ +fail ' <<<"$output")" ] && grep -qE "^$1 +$2 +.*$3" <<<"$output" || {
        printf '%s is not %s (%s): %s\n' "$1" "$2" "$3" "$output"
        return 1
    }
}

healthy() {
    setting GPUQ_DISK_FREE 0
    setting GPUQ_GRADER "$NODE_SCRIPTS/grade_code.py"
    setting GPUQ_PYTHON python3
    mkdir -p "$BATS_TEST_TMPDIR/data/pizza/prepared/private"
    printf 'rank,team,score\n1,a,0.9\n' >"$BATS_TEST_TMPDIR/data/pizza/leaderboard.csv"
}

@test "a node that can run jobs is told so, line by line, and nothing is changed" {
    healthy
    gpuq info >/dev/null
    before=$(find "$GPUQ_SPOOL" -type f | sort)
    run gpuq doctor
    [ "$status" -eq 0 ]
    for check in scripts spool disk gpus slots contained template data clock; do
        grep -qE "^$check +(ok|warn) +[^ ]" <<<"$output"
    done
    [ "$(find "$GPUQ_SPOOL" -type f | sort)" = "$before" ]
}

@test "settings can be tried before they are in use, and no spool is made for that" {
    unset GPUQ_SPOOL
    printf 'GPUQ_SPOOL=%s\nGPUQ_SLOTS=8\n' "$BATS_TEST_TMPDIR/new" >new.conf
    GPUQ_CONF=$PWD/new.conf gpuq doctor --settings
    printf 'GPUQ_TIME_LIMIT=soon\nGPUQ_PYTHN=x\n' >>new.conf
    GPUQ_CONF=$PWD/new.conf run gpuq doctor --settings
    [ "$status" -eq 78 ]
    [[ $output == *"there is no setting GPUQ_PYTHN"*"GPUQ_TIME_LIMIT is 'soon'"* ]]
    [ ! -e "$BATS_TEST_TMPDIR/new" ]
}

@test "JSON and the server's records say the same" {
    healthy
    setting GPUQ_TEMPLATE aira-dojo
    run gpuq doctor --json
    [ "$status" -eq 1 ]
    jq -e '(.healthy | not) and ([.checks[] | select(.state == "fail") | .check] == ["template"])' <<<"$output"
    send 1 0 doctor | gpuq serve | sed 1,2d >records
    jq -r '.checks[] | "check \(.check)\nstate \(.state)\ndetail \(.detail)\n"' <<<"$output" | diff - records
}

@test "what templates need and is not there fails the node" {
    healthy
    setting GPUQ_PYTHON absent
    says_of template fail 'absent does not run'
    setting GPUQ_GRADER /absent.py
    says_of template fail 'absent does not run; the grader /absent.py cannot be read'
    setting GPUQ_TEMPLATE aira-dojo
    setting GPUQ_IMAGE "$PWD/image.sif"
    says_of template fail 'image .*image.sif cannot be read'
    echo 'no image' >image.sif
    says_of template fail 'image.sif is no container image'
    setting GPUQ_TEMPLATE ''
    says_of template ok 'none: graded jobs are refused'
    setting GPUQ_TEMPLATE unheard-of
    says_of template fail 'no launch template'
}

@test "data without answers or leaderboard is named; without any the node fails" {
    healthy
    says_of data ok '1 in '
    mkdir -p "$BATS_TEST_TMPDIR"/data/{bare,far}/prepared/{public,private}
    rmdir "$BATS_TEST_TMPDIR/data/bare/prepared/private"
    printf 'version https://git-lfs.example/spec/v1\n' >"$BATS_TEST_TMPDIR/data/far/leaderboard.csv"
    says_of data warn 'no answers or no leaderboard: bare far'
    rm -r "$BATS_TEST_TMPDIR/data/pizza"
    says_of data fail 'the data of no competition; no answers'
    setting GPUQ_DATA_DIR ''
    says_of data fail 'GPUQ_DATA_DIR names no folder'
}

@test "a disk that is nearly full, cannot be written or is none fails" {
    small_disk 2048
    healthy
    says_of spool warn 'tmpfs: no job survives a reboot'
    setting GPUQ_DISK_FREE 1
    says_of disk fail 'MiB free, jobs need 1 GiB'
    fill
    gpuq recover || :
    mount -o remount,ro "$GPUQ_SPOOL"
    run gpuq doctor
    mount -o remount,rw "$GPUQ_SPOOL"
    [ "$status" -eq 1 ]
    [[ $output == *'cannot be written'* ]]
}

# nvidia-smi of two GPUs; what computes on them is in `apps`, how many MiB of the second are in use in `used`.
two_gpus() {
    wrap true ''
    printf '%s\n' '#!/bin/bash' "cd '$PWD'" '[[ ! -e broken ]] || exit 9' 'case $1 in' \
        '-L) printf "GPU %d: NVIDIA H100\n" 0 1 ;;' \
        '--query-gpu=*) printf "%d, GPU-%d, %d\n" 0 0 12 1 1 "$(<used)" ;;' \
        '--query-compute-apps=*) cat apps ;;' 'esac' >bin/nvidia-smi
    chmod +x bin/nvidia-smi
    : >apps
    echo 12 >used
    setting GPUQ_SLOTS ''
}

@test "a GPU that is in use though its slot is free, fails, or cannot be asked" {
    healthy
    two_gpus
    says_of gpus ok 2
    echo 'GPU-1, 4711, python3' >apps
    says_of gpus fail 'slot 1 is free and its GPU is not: process 4711 \(python3\)'
    # Not when a job of ours has it.
    script job.sh 'until [ -e "$GO" ]; do sleep 0.02; done'
    id=$(gpuq submit --script job.sh --gpus 2 --env "GO=$PWD/go")
    until_true state_is "$id" running
    says_of gpus ok 2
    touch go
    gpuq wait "$id"
    : >apps
    echo 40000 >used
    says_of gpus warn 'slot 1 is free and 40000 MiB'
    touch broken
    says_of gpus fail 'nvidia-smi fails'
}

@test "slots that are not as many as GPUs are told" {
    healthy
    two_gpus
    setting GPUQ_SLOTS 3
    says_of gpus warn '3 slots are configured, there are 2 GPUs'
}

@test "a clock that went back is told" {
    healthy
    gpuq info >/dev/null
    mv "$GPUQ_SPOOL"/journal/* "$GPUQ_SPOOL/journal/9000000000000000"
    says_of clock warn 'it went back'
}
