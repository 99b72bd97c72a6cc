#!/usr/bin/env bats
# Power cuts: power/power.py. Sized by GPUQ_TEST_SIZE; drawn from GPUQ_TEST_SEED.
load fixture

SEED=${GPUQ_TEST_SEED:-$SRANDOM}

cut_power() { # GPUQ SUBMITS CUTS
    ((EUID == 0)) || skip 'mounting needs root'
    printf '# GPUQ_TEST_SEED=%s\n' "$SEED" >&3
    setting GPUQ_SLOTS 2
    PYTHONDONTWRITEBYTECODE=1 unshare --mount /usr/bin/python3 "$BATS_TEST_DIRNAME/power/power.py" \
        --gpuq "$1" --at "$PWD/power" --slots 2 --submits "$2" --cuts "$3" --seed "$SEED" >report 2>&1
}

broken() { # FILE SED: the scripts with that change, in `scripts`
    mkdir -p broken/node-scripts
    cp -r "$NODE_SCRIPTS"/{bin,lib,libexec,VERSION} broken/node-scripts
    ln -s "$NODE_SCRIPTS/../templates" broken/templates
    sed -i "$2" "broken/node-scripts/$1"
    ! cmp -s "broken/node-scripts/$1" "$NODE_SCRIPTS/$1"
}

@test "behind a power cut every promise holds: submits, ends, results, releases, drains, epochs" {
    cut_power "$NODE_SCRIPTS/bin/gpuq" "$(sized 120 800)" "$(sized 14 400)" || {
        cat report
        return 1
    }
    grep '^#' report >&3
}

@test "a power cut finds out scripts that do not sync a submit" {
    broken lib/bundle.bash 's/ && spool::sync "$SPOOL\/jobs" "$SPOOL\/queue" || {/ || {/'
    for ((i = 0; i < 5; i++)); do # a cut finds it only while nothing else has synced since, which on a slow disk is seldom
        cut_power "$PWD/broken/node-scripts/bin/gpuq" 60 40 || break
        rm -rf power
        SEED=$SRANDOM
    done
    grep -q 'was acknowledged and is gone' report
}
