#!/usr/bin/env bats
# Kills at every call by which something changes, in the whole tree of processes that a verb starts: kills/sweep.py. In full
# size at all of them; in quick size at some, drawn from GPUQ_TEST_SEED.
load fixture

KILLS=$BATS_TEST_DIRNAME/kills
SEED=${GPUQ_TEST_SEED:-$SRANDOM}
export PYTHONDONTWRITEBYTECODE=1

sweep() { # SCENARIO [KILLS]: how many, in quick size
    local -a sample=()
    [ "$(sized '' full)" ] || sample=(--sample "${2:-20}")
    contained
    printf '# %s: GPUQ_TEST_SEED=%s\n' "$1" "$SEED" >&3
    python3 "$KILLS/sweep.py" "$1" --gpuq "$NODE_SCRIPTS/bin/gpuq" --at "$PWD/sweep" --seed "$SEED" ${sample[0]+"${sample[@]}"} >report || {
        cat report
        [ ! -d sweep/failed ] || GPUQ_SPOOL=$PWD/sweep/failed show
        return 1
    }
    grep '^#' report >&3
}

contained() { # a job that can leave its process group outlives its supervisor, until somebody looks
    gpuq info --json | jq -e '.contained == "namespace"' >/dev/null || skip 'this machine allows an ordinary user no PID namespace'
}

@test "the killer stops everybody before every call, and a killed call has no effect" {
    cd "$KILLS"
    python3 -m unittest -q
}

@test "a sweep over scripts that are broken fails" {
    contained
    mkdir -p broken/node-scripts
    cp -r "$NODE_SCRIPTS"/{bin,lib,libexec,VERSION} broken/node-scripts
    ln -s "$NODE_SCRIPTS/../templates" broken/templates
    sed -i 's| .. \[\[ ! -e $1/.new/status \]\]$||' broken/node-scripts/lib/job.bash
    run python3 "$KILLS/sweep.py" submit --gpuq "$PWD/broken/node-scripts/bin/gpuq" --at "$PWD/sweep" --seed 1 \
        --point 'mv of gpuq supervise JOB: exit_group' 2 one 0
    [ "$status" -eq 1 ]
    [[ $output == *'changed after its end'* ]]
}

@test "a submit by hand is there whole and runs once, or it was not acknowledged" {
    sweep submit
}

@test "the first use of a spool, killed at any call, leaves one that can be used" {
    sweep first
}

@test "a submit by a server, sent again after a lost answer, runs once" {
    sweep serve
}

@test "a submit of what is half published is published, and of what was released it does not run again" {
    sweep twice
}

@test "a dispatch loses neither the job nor one of its two slots" {
    sweep dispatch
}

@test "a supervisor leaves a true status, sealed results, a free slot and the next job running" {
    sweep supervise
}

@test "a job that has spoilt its own home ends, and the next one runs" {
    sweep spoil
}

@test "the end by a time limit is one" {
    sweep limit 6
}

@test "the cancel of a waiting job can be said again, on a drained node too" {
    sweep cancelwaiting
}

@test "a cancel against a begin: it does not run, or ends" {
    sweep cancelstarting
}

@test "the cancel of a running job that ignores it leaves nothing of it" {
    sweep cancelrunning 6
}

@test "a cancel against an end: one of both wins" {
    sweep cancelending
}

@test "the withdrawal of a waiting job can be said again" {
    sweep withdrawwaiting
}

@test "the withdrawal of a job that was never seen keeps it from running, or was not acknowledged" {
    sweep withdrawunknown
}

@test "a release can be said again, and the job is there once" {
    sweep release
}

@test "a drain and a resume can be said again" {
    sweep drain
}

@test "a server's conversation begins, raises its epoch and a new journal, and who watches the old one is led on" {
    sweep server
}

@test "the first look after a boot tells what was lost, and starts what waits" {
    sweep boot
}

@test "a recover that is killed is done by the next one, whatever there is to mend" {
    sweep recover
}
