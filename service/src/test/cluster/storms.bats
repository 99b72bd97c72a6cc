#!/usr/bin/env bats
#
# Storms over servers and hosts behind real sshd: cables, power, processes and connections of three hosts, the servers and their
# database, all at once. What was asked, answered and run is held against the rules of service/src/test/faults/history.py.

load ../../../../.ci/test/bed

SEED=${GPUQ_TEST_SEED:-$SRANDOM}
STORMS=1
[[ ${GPUQ_TEST_SIZE:-quick} == quick ]] || STORMS=10

teardown() {
    [[ ${BATS_TEST_COMPLETED:-} ]] || end_bed
}

# storms WORD…: so many, each in a bed of its own, as storm.py takes them. The folder of one that breaks a rule stays.
storms() {
    local seed folder
    for ((seed = SEED; seed < SEED + STORMS; seed++)); do
        echo "GPUQ_TEST_SEED=$seed"
        make_bed
        folder=$(mktemp -d /var/tmp/gpuq-storm-XXXXXX) # hosts have a /tmp of their own
        host in python3 "$CHECKOUT/service/src/test/faults/storm.py" --hosts --seed "$seed" --seconds 25 --at "$folder" "$@"
        end_bed
        rm -r -- "$folder"
    done
}

@test "a storm over a server and its hosts breaks no rule" {
    storms --servers 1 --database embedded
}

@test "a storm over two servers on one database and their hosts breaks no rule" {
    [[ ${MYSQL_HOME:-} ]] || skip 'needs MySQL'
    storms --servers 2 --database mysql
}
