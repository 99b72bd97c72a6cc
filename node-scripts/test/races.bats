#!/usr/bin/env bats
# Many at once, and what they did afterwards held against the rules. Sized by GPUQ_TEST_SIZE; drawn from GPUQ_TEST_SEED.
load fixture

RACES=$BATS_TEST_DIRNAME/races
SEED=${GPUQ_TEST_SEED:-$SRANDOM}
export PYTHONDONTWRITEBYTECODE=1

storm() { # SLOTS SUBMITS
    printf '# %d slots, %d submits: GPUQ_TEST_SEED=%s\n' "$1" "$2" "$SEED" >&3
    setting GPUQ_SLOTS "$1"
    gpuq info >/dev/null
    mkdir -p storm
    : >storm/runs
    python3 "$RACES/storm.py" --gpuq "$NODE_SCRIPTS/bin/gpuq" --at "$PWD/storm" --slots "$1" --submits "$2" --seed "$SEED"
    python3 "$RACES/history.py" storm/history
}

@test "the checker of histories finds every rule that is broken" {
    cd "$RACES"
    python3 -m unittest -q
}

@test "a storm on one slot: nothing is lost, doubled or overtaken" {
    storm 1 "$(sized 150 600)"
}

@test "a storm on several slots: nothing is lost, doubled or shared" {
    storm "$(sized 3 4)" "$(sized 250 1000)"
}

@test "a storm on two slots, with wide jobs" {
    [ "$(sized '' full)" ] || skip 'only in full size'
    storm 2 600
}
